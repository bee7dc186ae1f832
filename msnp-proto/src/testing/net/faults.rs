//! What goes wrong on a network.

use alloc::string::String;
use alloc::vec::Vec;

use super::{HostKey, Net};
use crate::machine::Closed;
use crate::time::{Duration, Instant};
use crate::transcript::Side;

impl Net {
    /// The names of all open connections, as the transcript has them, oldest first.
    #[must_use]
    pub fn connections(&self) -> Vec<String> {
        let open = self.links.iter().filter(|link| link.ends.iter().all(|end| !end.gone));
        open.map(|link| link.name.clone()).collect()
    }

    /// Breaks every connection of a host, as when its cable is pulled. Both ends hear of it as
    /// [`Closed::Reset`]; what was on the way is lost.
    pub fn break_connections<H>(&mut self, key: HostKey<H>) {
        for link in 0..self.links.len() {
            if self.links[link].ends.iter().any(|end| end.host == key.index) {
                self.lose(link, 0, Closed::Reset);
                self.lose(link, 1, Closed::Reset);
            }
        }
    }

    /// Breaks one connection in the same way. One that is gone is passed over.
    pub fn reset(&mut self, connection: &str) {
        if let Some(link) = self.link(connection) {
            self.lose(link, 0, Closed::Reset);
            self.lose(link, 1, Closed::Reset);
        }
    }

    /// Ends one direction of a connection: who hears `side` hears the end of the stream behind what
    /// is on the way, and what `side` writes from now on goes nowhere. `side` itself goes on
    /// hearing.
    pub fn half_close(&mut self, connection: &str, side: Side) {
        let due = self.due();
        if let Some(link) = self.link(connection) {
            let (from, to) = ends(side);
            let ends = &mut self.links[link].ends;
            ends[from].mute = true;
            ends[to].fin.get_or_insert(due);
        }
    }

    /// Keeps from `side` what is sent to it, or lets it through again. Who sends it goes on until
    /// the buffer is full.
    pub fn stall(&mut self, connection: &str, side: Side, stalled: bool) {
        if let Some(link) = self.link(connection) {
            self.links[link].ends[ends(side).0].stalled = stalled;
        }
    }

    /// Lets everything through again.
    pub fn unstall_all(&mut self) {
        for end in self.links.iter_mut().flat_map(|link| &mut link.ends) {
            end.stalled = false;
        }
    }

    fn link(&self, connection: &str) -> Option<usize> {
        self.links.iter().position(|link| link.name == connection)
    }

    /// When something arrives that is sent now.
    pub(super) fn due(&mut self) -> Instant {
        let most = usize::try_from(self.jitter.as_micros()).unwrap_or(usize::MAX);
        let more = match most {
            0 => 0,
            most => u64::try_from(self.random.below(most)).unwrap_or_default(),
        };
        self.now + self.latency + Duration::from_micros(more)
    }
}

/// The end of a side and the other one.
const fn ends(side: Side) -> (usize, usize) {
    match side {
        Side::Client => (0, 1),
        Side::Server => (1, 0),
    }
}
