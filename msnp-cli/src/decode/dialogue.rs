//! One connection: the streams of its two sides in, commands out.
//!
//! This module knows when it is clear which server a connection leads to, and what commands say
//! about the rest of the capture: dialects, and where clients are sent. It does not know where the
//! streams come from.

use msnp_proto::limits;
use msnp_proto::ns::Reply;
use msnp_proto::transcript::Side;
use msnp_proto::types::Address;

use super::event::{Command, Event, Said, Server, Sink, Unreadable, What};
use super::reader::{Dialect, Found, Reader};
use super::roles::{self, Guess};

/// Most bytes of both sides that wait until it is clear which server this is.
const HELD: usize = 16 * 1024;
/// Most pieces of them.
const PIECES: usize = 256;

/// A connection.
#[derive(Debug)]
pub(super) struct Dialogue {
    number: u32,
    midway: bool,
    state: State,
    /// Ports of servers that clients were sent to.
    pub(super) referred: Vec<u16>,
}

#[derive(Debug)]
enum State {
    /// Until it is clear which server this is, nothing is read: only the tables of that server
    /// say where a command ends.
    Held(Held),
    Known(Box<Streams>),
}

#[derive(Debug, Default)]
struct Held {
    client: Vec<u8>,
    server: Vec<u8>,
    pieces: Vec<(u64, Side, Piece)>,
    /// The end of each side, if it was seen.
    ends: Vec<(u64, Side)>,
}

#[derive(Clone, Copy, Debug)]
enum Piece {
    Bytes(usize),
    Gap(u64),
    Conflict(u64),
}

impl Dialogue {
    /// A connection of which the server may be known beforehand. `midway` if its beginning is
    /// missing.
    pub(super) fn new(number: u32, server: Option<Server>, midway: bool) -> Self {
        let state = match server {
            Some(server) => State::Known(Box::new(Streams::new(number, server, midway))),
            None => State::Held(Held::default()),
        };
        Self { number, midway, state, referred: Vec::new() }
    }

    /// One side of a connection, cut anywhere.
    pub(super) fn of_stream(number: u32, server: Server) -> Self {
        let mut streams = Streams::new(number, server, true);
        streams.client = streams.client.without_segments();
        streams.server_side = streams.server_side.without_segments();
        Self { number, midway: true, state: State::Known(Box::new(streams)), referred: Vec::new() }
    }

    /// Bytes that are held back.
    pub(super) fn held(&self) -> usize {
        match &self.state {
            State::Held(held) => held.client.len() + held.server.len(),
            State::Known(streams) => streams.client.held() + streams.server_side.held(),
        }
    }

    /// Takes the next bytes of a side.
    pub(super) fn bytes(&mut self, at: u64, from: Side, bytes: &[u8], sink: &mut dyn Sink) {
        match &mut self.state {
            State::Known(streams) => streams.bytes(at, from, bytes, &mut self.referred, sink),
            State::Held(held) => {
                held.side(from).extend_from_slice(bytes);
                held.pieces.push((at, from, Piece::Bytes(bytes.len())));
                let is_full = held.client.len() + held.server.len() > HELD;
                let server = match roles::guess(&held.client, &held.server) {
                    Guess::Surely(server) => Some(server),
                    _ if is_full || held.pieces.len() > PIECES => Some(Server::Notification),
                    _ => None,
                };
                if let Some(server) = server {
                    self.settle(server, sink);
                }
            }
        }
    }

    /// Takes note that bytes of a side are missing.
    pub(super) fn gap(&mut self, at: u64, from: Side, size: u64, sink: &mut dyn Sink) {
        match &mut self.state {
            State::Known(streams) => streams.gap(at, from, size, &mut self.referred, sink),
            State::Held(held) => {
                held.pieces.push((at, from, Piece::Gap(size)));
                if held.pieces.len() > PIECES {
                    self.settle(Server::Notification, sink);
                }
            }
        }
    }

    /// Takes note that bytes came again and were not the same.
    pub(super) fn conflict(&mut self, at: u64, from: Side, size: u64, sink: &mut dyn Sink) {
        match &mut self.state {
            State::Known(streams) => {
                let what = What::Conflict { server: streams.server, from, size };
                sink.take(&Event { at, connection: self.number, what });
            }
            State::Held(held) if held.pieces.len() < PIECES => {
                held.pieces.push((at, from, Piece::Conflict(size)));
            }
            State::Held(_) => {}
        }
    }

    /// Takes note that a side says nothing more.
    pub(super) fn end(&mut self, at: u64, from: Side, sink: &mut dyn Sink) {
        match &mut self.state {
            State::Known(streams) => streams.end(at, from, &mut self.referred, sink),
            State::Held(held) => {
                held.ends.push((at, from));
                if held.ends.len() >= 2 {
                    self.settle(Server::Notification, sink);
                }
            }
        }
    }

    /// Takes note that neither side says anything more.
    pub(super) fn finish(&mut self, at: u64, sink: &mut dyn Sink) {
        self.end(at, Side::Client, sink);
        self.end(at, Side::Server, sink);
    }

    /// Reads what was held back, now that it is clear how.
    fn settle(&mut self, server: Server, sink: &mut dyn Sink) {
        let streams = State::Known(Box::new(Streams::new(self.number, server, self.midway)));
        let State::Held(held) = std::mem::replace(&mut self.state, streams) else { return };
        let (mut client, mut of_server) = (&*held.client, &*held.server);
        for (at, from, piece) in held.pieces {
            match piece {
                Piece::Gap(size) => self.gap(at, from, size, sink),
                Piece::Conflict(size) => self.conflict(at, from, size, sink),
                Piece::Bytes(size) => {
                    let rest = if from == Side::Client { &mut client } else { &mut of_server };
                    let (bytes, behind) = rest.split_at(size.min(rest.len()));
                    *rest = behind;
                    self.bytes(at, from, bytes, sink);
                }
            }
        }
        for (at, from) in held.ends {
            self.end(at, from, sink);
        }
    }
}

impl Held {
    fn side(&mut self, side: Side) -> &mut Vec<u8> {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}

/// The two streams of a connection to a server that is known.
#[derive(Debug)]
struct Streams {
    number: u32,
    server: Server,
    client: Reader,
    server_side: Reader,
}

impl Streams {
    fn new(number: u32, server: Server, midway: bool) -> Self {
        let reader = |side| Reader::new(server, side, Dialect::Unknown, midway);
        Self { number, server, client: reader(Side::Client), server_side: reader(Side::Server) }
    }

    fn bytes(
        &mut self,
        at: u64,
        from: Side,
        bytes: &[u8],
        referred: &mut Vec<u16>,
        sink: &mut dyn Sink,
    ) {
        self.read(at, from, referred, sink, |reader, out| reader.bytes(bytes, out));
    }

    fn gap(
        &mut self,
        at: u64,
        from: Side,
        size: u64,
        referred: &mut Vec<u16>,
        sink: &mut dyn Sink,
    ) {
        let what = What::Gap { server: self.server, from, size };
        sink.take(&Event { at, connection: self.number, what });
        self.read(at, from, referred, sink, |reader, out| reader.gap(size, out));
    }

    fn end(&mut self, at: u64, from: Side, referred: &mut Vec<u16>, sink: &mut dyn Sink) {
        self.read(at, from, referred, sink, |reader, out| reader.end(out));
    }

    fn read(
        &mut self,
        at: u64,
        from: Side,
        referred: &mut Vec<u16>,
        sink: &mut dyn Sink,
        step: impl FnOnce(&mut Reader, &mut dyn FnMut(Found<'_>)),
    ) {
        let (number, server) = (self.number, self.server);
        let reader = match from {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server_side,
        };
        let (dialect, mut agreed) = (reader.dialect(), None);
        step(reader, &mut |found| {
            let (frame, missing, oversized) = match found {
                Found::Frame(frame, missing) => (frame, missing, None),
                Found::Oversized(frame, announced) => (frame, 0, Some(announced)),
                Found::Unreadable(bytes, why, fragment) => {
                    let what = Unreadable { server, from, bytes, why, fragment };
                    let what = What::Unreadable(what);
                    return sink.take(&Event { at, connection: number, what });
                }
            };
            let said = Said::read(server, from, frame);
            if let Said::NotificationReply(reply, _) = &said {
                match reply {
                    Reply::Ver { dialects, .. } => {
                        agreed = dialects.iter().next().map(Dialect::from_word);
                    }
                    Reply::XfrNotification { address, .. }
                    | Reply::XfrSwitchboard { address, .. }
                    | Reply::Rng { address, .. } => referred.push(port(*address)),
                    _ => {}
                }
            }
            let is_later = matches!(dialect, Dialect::Later(_));
            let what = Command { server, from, frame, said, missing, oversized, is_later };
            let what = What::Command(what);
            sink.take(&Event { at, connection: number, what });
        });
        if let Some(dialect) = agreed {
            self.client.set_dialect(dialect);
            self.server_side.set_dialect(dialect);
        }
    }
}

fn port(address: Address<'_>) -> u16 {
    address.port().unwrap_or(limits::PORT)
}
