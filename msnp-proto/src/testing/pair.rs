//! Two machines, joined.

use alloc::vec::Vec;

use super::{Chunker, Chunking};
use crate::machine::Machine;
use crate::time::{Duration, Instant, earlier};
use crate::transcript::{Side, Transcript};

/// A client machine and a server machine at the two ends of one connection, with a clock.
///
/// What one has pending the other gets as input, cut as asked. When one is finished and has
/// nothing pending, the other gets the end of the stream.
#[derive(Debug)]
#[must_use = "nothing moves until settle or advance"]
pub struct Pair<C: Machine, S: Machine> {
    /// The side that opened the connection.
    pub client: C,
    /// The side that accepted it.
    pub server: S,
    /// What the client reported.
    pub client_events: Vec<C::Event>,
    /// What the server reported.
    pub server_events: Vec<S::Event>,
    now: Instant,
    chunkers: [Chunker; 2],
    closed: [bool; 2],
    /// How much of what is pending is in the transcript.
    recorded: [usize; 2],
    transcript: Transcript,
}

impl<C: Machine, S: Machine> Pair<C, S> {
    /// Joins two machines, at time zero. Nothing has moved yet.
    pub const fn new(client: C, server: S, chunking: Chunking) -> Self {
        Self {
            client,
            server,
            client_events: Vec::new(),
            server_events: Vec::new(),
            now: Instant::ZERO,
            chunkers: [Chunker::new(chunking), Chunker::new(chunking)],
            closed: [false; 2],
            recorded: [0; 2],
            transcript: Transcript::new(),
        }
    }

    /// What time it is.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// All that was sent, without headers.
    #[must_use]
    pub const fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// Moves bytes until none are left; the clock stands still.
    ///
    /// # Panics
    ///
    /// When the two keep each other busy for ever.
    pub fn settle(&mut self) {
        for _ in 0..1_000_000 {
            self.record();
            let moved = [
                carry(&mut self.client, &mut self.server, self.now, &mut self.chunkers[0]),
                carry(&mut self.server, &mut self.client, self.now, &mut self.chunkers[1]),
            ];
            for (recorded, moved) in self.recorded.iter_mut().zip(moved) {
                *recorded = recorded.saturating_sub(moved);
            }
            let ended = self.end();
            self.client_events.extend(core::iter::from_fn(|| self.client.poll_event()));
            self.server_events.extend(core::iter::from_fn(|| self.server.poll_event()));
            if moved == [0; 2] && !ended {
                return;
            }
        }
        panic!("two machines talk without end");
    }

    /// Moves the clock, stopping at every deadline on the way.
    ///
    /// # Panics
    ///
    /// When a deadline stays due after its timeout.
    pub fn advance(&mut self, time: Duration) {
        let to = self.now + time;
        self.settle();
        while let Some(due) = self.next_deadline().filter(|due| *due <= to) {
            self.now = self.now.max(due);
            self.client.handle_timeout(self.now);
            self.server.handle_timeout(self.now);
            let next = self.next_deadline();
            assert!(next.is_none_or(|next| next > self.now), "a deadline stayed due: {next:?}");
            self.settle();
        }
        self.now = to;
    }

    /// Notes what is to be sent and was not yet.
    fn record(&mut self) {
        let pending = [self.client.pending(), self.server.pending()];
        let sides = [Side::Client, Side::Server];
        for ((pending, recorded), side) in pending.iter().zip(&mut self.recorded).zip(sides) {
            let fresh = pending.get(*recorded..).unwrap_or_default();
            self.transcript.record(Some(self.now), None, side, fresh);
            *recorded = pending.len();
        }
    }

    /// Tells each side that the other has nothing more to say, once.
    fn end(&mut self) -> bool {
        let over = [
            self.client.is_finished() && self.client.pending().is_empty() && !self.closed[0],
            self.server.is_finished() && self.server.pending().is_empty() && !self.closed[1],
        ];
        if over[0] {
            self.closed[0] = true;
            self.transcript.record_close(Some(self.now), None, Side::Client);
            self.server.handle_eof(self.now);
        }
        if over[1] {
            self.closed[1] = true;
            self.transcript.record_close(Some(self.now), None, Side::Server);
            self.client.handle_eof(self.now);
        }
        over != [false; 2]
    }

    fn next_deadline(&self) -> Option<Instant> {
        earlier(self.client.next_deadline(), self.server.next_deadline())
    }
}

/// Moves one piece; says how much.
fn carry(
    from: &mut impl Machine,
    to: &mut impl Machine,
    now: Instant,
    chunker: &mut Chunker,
) -> usize {
    let waiting = from.pending();
    let size = chunker.next(waiting.len());
    if let Some(piece) = waiting.get(..size).filter(|piece| !piece.is_empty()) {
        to.handle_input(now, piece);
        from.consume(now, size);
    }
    size
}
