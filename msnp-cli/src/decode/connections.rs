//! The connections of a capture: segments in, events out.
//!
//! This module knows which segments belong together, which end is the client, when a connection
//! begins and ends, and what all of them may cost. What is said on one is not its business.

use std::mem::swap;
use std::net::IpAddr;

use msnp_proto::transcript::Side;

use super::dialogue::Dialogue;
use super::event::{Ending, Event, Opened, Sink, What};
use super::packet::{Endpoint, Segment};
use super::reassembly::{Piece, Stream};
use super::table::{Entry, Table};

/// Connections that are followed at a time, with those that are remembered as closed.
pub(super) const CONNECTIONS: usize = 4096;

/// Bytes that all connections together hold back.
pub(super) const HELD: usize = 64 << 20;

/// Both ends in an order that does not depend on who speaks, as numbers: they are hashed for every
/// packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    addresses: [u128; 2],
    ports: u32,
}

/// All connections.
#[derive(Debug)]
pub(super) struct Connections {
    ports: Ports,
    table: Table<Key, Box<Connection>>,
    /// How many there were.
    count: u32,
    held: usize,
    /// Time of the last segment.
    now: u64,
}

#[derive(Debug)]
struct Connection {
    number: u32,
    client: Endpoint,
    halves: Halves,
    dialogue: Dialogue,
    /// What is counted of it in [`Connections::held`].
    held: usize,
}

#[derive(Debug, Default)]
struct Halves {
    client: Half,
    server: Half,
}

#[derive(Debug, Default)]
struct Half {
    stream: Stream,
    /// The number of its SYN.
    first: Option<u32>,
    has_ended: bool,
}

impl Connections {
    /// Follows connections to these ports, and to those that clients are sent to.
    pub(super) fn new(ports: &[u16]) -> Self {
        let mut wanted = Ports::default();
        ports.iter().for_each(|port| wanted.add(*port));
        Self { ports: wanted, table: Table::new(CONNECTIONS), count: 0, held: 0, now: 0 }
    }

    /// How many there were.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// Takes a segment; `false` if it is of no port that is wanted.
    pub(super) fn segment(&mut self, at: u64, segment: &Segment<'_>, sink: &mut dyn Sink) -> bool {
        if !self.ports.has(segment.from.port) && !self.ports.has(segment.to.port) {
            return false;
        }
        self.now = at;
        let key = key(segment);
        let is_new = match self.table.get(&key) {
            Entry::Live(connection) => connection.is_replaced_by(segment),
            Entry::Over => segment.syn && !segment.rst,
            // What says nothing does not begin a connection in the middle.
            Entry::None => (segment.syn || !segment.payload.is_empty()) && !segment.rst,
        };
        if is_new {
            self.open(key, segment, sink);
        }
        let Entry::Live(connection) = self.table.get(&key) else { return true };
        connection.take(at, segment, sink);
        for port in connection.dialogue.referred.drain(..) {
            self.ports.add(port);
        }
        let held = connection.held();
        self.held = self.held + held - connection.held;
        connection.held = held;
        if let Some(ending) = connection.ending(segment) {
            if let Some(connection) = self.table.finish(&key) {
                self.end(connection, ending, sink);
            }
        }
        while self.held > HELD {
            let Some(connection) = self.table.remove_oldest() else { break };
            self.end(connection, Ending::Forgotten, sink);
        }
        true
    }

    /// Ends all connections, in the order in which they began.
    pub(super) fn finish(&mut self, sink: &mut dyn Sink) {
        let mut left: Vec<Box<Connection>> = self.table.drain().collect();
        left.sort_by_key(|connection| connection.number);
        for connection in left {
            self.end(connection, Ending::InputEnds, sink);
        }
    }

    fn open(&mut self, key: Key, segment: &Segment<'_>, sink: &mut dyn Sink) {
        let replaced = matches!(self.table.get(&key), Entry::Live(_));
        let is_client = match (segment.syn, segment.acknowledged) {
            (true, acknowledged) => acknowledged.is_none(),
            (false, _) => {
                match (self.ports.has(segment.from.port), self.ports.has(segment.to.port)) {
                    (true, true) => segment.from.port >= segment.to.port,
                    (from_server, _) => !from_server,
                }
            }
        };
        let (mut client, mut server) = (segment.from, segment.to);
        if !is_client {
            swap(&mut client, &mut server);
        }
        self.count += 1;
        let (number, midway) = (self.count, !segment.syn);
        let dialogue = Dialogue::new(number, None, midway);
        let halves = Halves::default();
        let connection = Connection { number, client, halves, dialogue, held: 0 };
        if let Some(old) = self.table.insert(key, Box::new(connection)) {
            let ending = if replaced { Ending::Reused } else { Ending::Forgotten };
            self.end(old, ending, sink);
        }
        let opened = Opened { client: Some(client), server: Some(server), name: None, midway };
        sink.take(&Event { at: self.now, connection: number, what: What::Opened(opened) });
    }

    fn end(&mut self, mut connection: Box<Connection>, ending: Ending, sink: &mut dyn Sink) {
        self.held -= connection.held;
        connection.finish(self.now, sink);
        let what = What::Closed(ending);
        sink.take(&Event { at: self.now, connection: connection.number, what });
    }
}

fn key(segment: &Segment<'_>) -> Key {
    let end = |end: &Endpoint| match end.address {
        IpAddr::V4(address) => (end.port, u128::from(address.to_bits()) | 0xFFFF << 32),
        IpAddr::V6(address) => (end.port, address.to_bits()),
    };
    let (a, b) = (end(&segment.from), end(&segment.to));
    let (a, b) = if a <= b { (a, b) } else { (b, a) };
    Key { addresses: [a.1, b.1], ports: u32::from(a.0) << 16 | u32::from(b.0) }
}

impl Connection {
    /// Whether a segment begins another connection between the same ends.
    fn is_replaced_by(&self, segment: &Segment<'_>) -> bool {
        let half = match self.side(segment) {
            Side::Client => &self.halves.client,
            Side::Server => &self.halves.server,
        };
        // The first SYN again is the same one, sent twice.
        segment.syn
            && match half.first {
                Some(first) => first != segment.number,
                // The answer to a SYN that was seen belongs to it.
                None => half.stream.has_begun() && segment.acknowledged.is_none(),
            }
    }

    fn side(&self, segment: &Segment<'_>) -> Side {
        if segment.from == self.client { Side::Client } else { Side::Server }
    }

    fn take(&mut self, at: u64, segment: &Segment<'_>, sink: &mut dyn Sink) {
        let from = self.side(segment);
        let (half, other) = match from {
            Side::Client => (&mut self.halves.client, &mut self.halves.server),
            Side::Server => (&mut self.halves.server, &mut self.halves.client),
        };
        let dialogue = &mut self.dialogue;
        if let Some(acknowledged) = segment.acknowledged {
            if other.stream.has_begun() {
                let to = from.other();
                let pass = &mut |piece: Piece<'_>| pass(dialogue, at, to, piece, sink);
                other.stream.acknowledge(at, acknowledged, pass);
            } else {
                other.stream.begin(acknowledged);
            }
        }
        let mut number = segment.number;
        if segment.syn {
            half.first = Some(number);
            number = number.wrapping_add(1);
            if !half.stream.has_begun() {
                half.stream.begin(number);
            }
        }
        let mut pass = |piece: Piece<'_>| pass(dialogue, at, from, piece, sink);
        half.stream.push(number, segment.payload, &mut pass);
        let behind = number.wrapping_add(segment.payload.len() as u32);
        if segment.cut > 0 && half.stream.expected() == Some(behind) {
            half.stream.miss(segment.cut.into(), &mut pass);
        }
        if segment.fin {
            half.stream.finish(behind.wrapping_add(segment.cut));
        }
        for (half, side) in
            [(&mut self.halves.client, Side::Client), (&mut self.halves.server, Side::Server)]
        {
            if half.stream.is_finished() && !std::mem::replace(&mut half.has_ended, true) {
                self.dialogue.end(at, side, sink);
            }
        }
    }

    /// Whether nothing more can come, and why.
    fn ending(&self, segment: &Segment<'_>) -> Option<Ending> {
        let both = self.halves.client.has_ended && self.halves.server.has_ended;
        match (both, segment.rst) {
            (true, _) => Some(Ending::Closed),
            (false, true) => Some(Ending::Reset),
            (false, false) => None,
        }
    }

    /// Passes on what is held back.
    fn finish(&mut self, at: u64, sink: &mut dyn Sink) {
        for (half, side) in
            [(&mut self.halves.client, Side::Client), (&mut self.halves.server, Side::Server)]
        {
            half.stream.flush(&mut |piece| pass(&mut self.dialogue, at, side, piece, sink));
        }
        self.dialogue.finish(at, sink);
    }

    fn held(&self) -> usize {
        let streams = self.halves.client.stream.held() + self.halves.server.stream.held();
        streams + self.dialogue.held()
    }
}

fn pass(dialogue: &mut Dialogue, at: u64, from: Side, piece: Piece<'_>, sink: &mut dyn Sink) {
    match piece {
        Piece::Bytes(bytes) => dialogue.bytes(at, from, bytes, sink),
        Piece::Gap(size) => dialogue.gap(at, from, size, sink),
        Piece::Conflict(size) => dialogue.conflict(at, from, size, sink),
    }
}

/// A set of ports.
#[derive(Debug)]
struct Ports(Box<[u64; 1024]>);

impl Default for Ports {
    fn default() -> Self {
        Self(Box::new([0; 1024]))
    }
}

impl Ports {
    fn has(&self, port: u16) -> bool {
        self.0.get(usize::from(port >> 6)).is_some_and(|bits| bits >> (port & 63) & 1 == 1)
    }

    fn add(&mut self, port: u16) {
        if let Some(bits) = self.0.get_mut(usize::from(port >> 6)) {
            *bits |= 1 << (port & 63);
        }
    }
}
