//! One connection: two ends, and what is on the way to each.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use super::Net;
use crate::machine::{Closed, ConnId, Shutdown};
use crate::testing::{Chunker, Chunking};
use crate::time::{Instant, earlier};
use crate::transcript::Side;

/// A connection; its first end opened it.
pub(super) struct Link {
    pub(super) name: String,
    pub(super) ends: [End; 2],
}

/// A connection as one host has it.
pub(super) struct End {
    pub(super) host: usize,
    conn: ConnId,
    /// The host has closed it, or has heard that it is gone.
    pub(super) gone: bool,
    /// The host wants it closed when all is written.
    closing: bool,
    /// The host has said that there is something to write.
    pub(super) has_more: bool,
    /// How much of what it has pending is in the transcript.
    recorded: usize,
    /// Pieces on the way to this end, in the order in which they arrive.
    coming: VecDeque<(Instant, Vec<u8>)>,
    /// Bytes that have arrived and were not read.
    arrived: VecDeque<u8>,
    /// How many bytes both have.
    unread: usize,
    /// When the end of the stream arrives here.
    pub(super) fin: Option<Instant>,
    /// What it writes goes nowhere.
    pub(super) mute: bool,
    /// Nothing is delivered to it.
    pub(super) stalled: bool,
    writes: Chunker,
    reads: Chunker,
}

impl End {
    pub(super) const fn new(host: usize, conn: ConnId, chunking: Chunking) -> Self {
        Self {
            host,
            conn,
            gone: false,
            closing: false,
            has_more: false,
            recorded: 0,
            coming: VecDeque::new(),
            arrived: VecDeque::new(),
            unread: 0,
            fin: None,
            mute: false,
            stalled: false,
            writes: Chunker::new(chunking),
            reads: Chunker::new(chunking),
        }
    }
}

impl Link {
    /// When something arrives that is not there yet.
    pub(super) fn next_due(&self, now: Instant) -> Option<Instant> {
        let due = |end: &End| {
            // The end of the stream may be due already, and wait for a piece that is not.
            let piece = end.coming.front().map(|(due, _)| *due).filter(|due| *due > now);
            earlier(piece, end.fin.filter(|due| *due > now))
        };
        self.ends.iter().filter(|end| !end.gone).map(due).fold(None, earlier)
    }
}

const fn side(end: usize) -> Side {
    if end == 0 { Side::Client } else { Side::Server }
}

impl Net {
    /// The link and the end of a host's connection; none if it is gone.
    pub(super) fn find(&self, host: usize, conn: ConnId) -> Option<(usize, usize)> {
        self.links.iter().enumerate().find_map(|(at, link)| {
            let is = |end: &End| end.host == host && end.conn == conn && !end.gone;
            link.ends.iter().position(is).map(|end| (at, end))
        })
    }

    pub(super) fn close(&mut self, host: usize, conn: ConnId, how: Shutdown) {
        let Some((link, end)) = self.find(host, conn) else {
            // Still on its way: it will never be open.
            let dial = self.dials.iter().position(|dial| dial.host == host && dial.conn == conn);
            if dial.and_then(|at| self.dials.remove(at)).is_some() {
                self.hosts[host].host.handle_closed(self.now, conn, Closed::Done);
            }
            return;
        };
        match how {
            Shutdown::Flush => self.links[link].ends[end].closing = true,
            Shutdown::Abort => {
                self.lose(link, end, Closed::Done);
                self.lose(link, 1 - end, Closed::Reset);
            }
        }
    }

    /// One end is gone; its host hears why, once.
    pub(super) fn lose(&mut self, link: usize, end: usize, why: Closed) {
        let now = self.now;
        let Link { name, ends } = &mut self.links[link];
        let lost = &mut ends[end];
        if lost.gone {
            return;
        }
        lost.gone = true;
        lost.coming.clear();
        lost.arrived.clear();
        self.transcript.record_close(Some(now), Some(name), side(end));
        self.hosts[lost.host].host.handle_closed(now, lost.conn, why);
    }

    /// Notes what an end has to write and what was not noted yet.
    pub(super) fn record(&mut self, link: usize, end: usize) {
        let Link { name, ends } = &mut self.links[link];
        let from = &mut ends[end];
        let pending = self.hosts[from.host].host.pending(from.conn);
        let fresh = pending.get(from.recorded..).unwrap_or_default();
        from.recorded = pending.len();
        self.transcript.record(Some(self.now), Some(name), side(end), fresh);
    }

    /// Writes a piece of what an end has pending.
    pub(super) fn write(&mut self, link: usize, end: usize) -> bool {
        let from = &self.links[link].ends[end];
        if from.gone || !(from.has_more || from.closing) {
            return false;
        }
        self.record(link, end);
        let (now, due) = (self.now, self.due());
        let [first, second] = &mut self.links[link].ends;
        let (from, to) = if end == 0 { (first, second) } else { (second, first) };
        let host = &mut self.hosts[from.host].host;
        let pending = host.pending(from.conn);
        if pending.is_empty() {
            from.has_more = false;
            if !from.closing {
                return false;
            }
            to.fin.get_or_insert(due);
            self.lose(link, end, Closed::Done);
            return true;
        }
        if to.gone {
            // A system takes last words without asking whether anyone still listens.
            let why = if from.closing { Closed::Done } else { Closed::Reset };
            self.lose(link, end, why);
            return true;
        }
        let room = self.buffer.saturating_sub(to.unread);
        if room == 0 {
            return false;
        }
        let size = from.writes.next(pending.len().min(room));
        if !from.mute {
            let due = to.coming.back().map_or(due, |(before, _)| due.max(*before));
            to.coming.push_back((due, pending[..size].to_vec()));
            to.unread += size;
        }
        from.recorded -= size;
        host.consume(now, from.conn, size);
        true
    }

    /// Delivers a piece of what has arrived at an end, or the end of the stream.
    pub(super) fn deliver(&mut self, link: usize, end: usize) -> bool {
        let now = self.now;
        let to = &mut self.links[link].ends[end];
        let host = &mut self.hosts[to.host].host;
        if to.gone || to.stalled || !host.wants_read(to.conn) {
            return false;
        }
        while to.coming.front().is_some_and(|(due, _)| *due <= now) {
            to.arrived.extend(to.coming.pop_front().map(|(_, piece)| piece).unwrap_or_default());
        }
        if !to.arrived.is_empty() {
            let size = to.reads.next(to.arrived.len());
            let piece: Vec<u8> = to.arrived.drain(..size).collect();
            to.unread -= size;
            host.handle_input(now, to.conn, &piece);
            return true;
        }
        if to.coming.is_empty() && to.fin.is_some_and(|due| due <= now) {
            to.fin = None;
            host.handle_eof(now, to.conn);
            return true;
        }
        false
    }
}
