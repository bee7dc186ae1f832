//! A hub and everybody's connections to it.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use md5::{Digest, Md5};
use msnp_proto::hub::{Hub, HubConfig, MemoryDirectory, Role};
use msnp_proto::machine::{Closed, ConnId, Host, ListenerId, Output, Shutdown};
use msnp_proto::testing::{self, Chunker, Cutter, OwnedFrame, SeededEntropy};
use msnp_proto::time::{Duration, Instant};
use msnp_proto::transcript::Side;

use crate::stage::words;

/// What was heard on a connection.
pub(crate) struct Ear {
    cutter: Cutter,
    pub(crate) frames: VecDeque<OwnedFrame>,
    /// Challenges come when the hub likes, not where a file has them.
    pub(crate) challenges: VecDeque<OwnedFrame>,
    pub(crate) closed: bool,
    pub(crate) all: Vec<u8>,
}

pub(crate) struct House {
    pub(crate) hub: Hub<MemoryDirectory>,
    pub(crate) now: Instant,
    listeners: BTreeMap<Role, ListenerId>,
    pub(crate) ears: BTreeMap<ConnId, Ear>,
}

pub(crate) fn md5_hex(parts: [&[u8]; 2]) -> String {
    let mut md5 = Md5::new();
    parts.iter().for_each(|part| md5.update(part));
    md5.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl House {
    pub(crate) fn new(config: HubConfig, directory: MemoryDirectory) -> Self {
        let roles = [Role::Dispatch, Role::Notification, Role::Switchboard];
        let mut hub = Hub::new(config, directory, Box::new(SeededEntropy::new(7)));
        let (now, mut listeners) = (Instant::ZERO, BTreeMap::new());
        for (role, port) in roles.into_iter().zip(1863..) {
            let Some(Output::Listen { listener, .. }) = hub.poll_output() else {
                panic!("no socket")
            };
            listeners.insert(role, listener);
            hub.handle_listening(now, listener, SocketAddr::from(([192, 0, 2, 1], port)));
        }
        let mut house = Self { hub, now, listeners, ears: BTreeMap::new() };
        house.turn();
        house
    }

    pub(crate) fn connect(&mut self, role: testing::Role) -> ConnId {
        let as_hub = match role {
            testing::Role::Dispatch => Role::Dispatch,
            testing::Role::Notification => Role::Notification,
            testing::Role::Switchboard => Role::Switchboard,
        };
        let peer = SocketAddr::from(([198, 51, 100, 7], 40_000));
        let conn = self.hub.handle_accepted(self.now, self.listeners[&as_hub], peer);
        let conn = conn.expect("there is room");
        let cutter = Cutter::new(role.decoder(Side::Server));
        let (frames, challenges) = (VecDeque::new(), VecDeque::new());
        self.ears.insert(conn, Ear { cutter, frames, challenges, closed: false, all: Vec::new() });
        self.turn();
        conn
    }

    /// Sends bytes in pieces, while the hub listens.
    pub(crate) fn send(&mut self, conn: ConnId, mut bytes: &[u8], chunker: &mut Chunker) {
        while !bytes.is_empty() && !self.ears[&conn].closed {
            let (piece, rest) = bytes.split_at(chunker.next(bytes.len()));
            self.hub.handle_input(self.now, conn, piece);
            self.turn();
            bytes = rest;
        }
    }

    pub(crate) fn hang_up(&mut self, conn: ConnId) {
        if !self.ears[&conn].closed {
            self.hub.handle_eof(self.now, conn);
            self.turn();
        }
    }

    /// Does everything that the hub asks for.
    pub(crate) fn turn(&mut self) {
        while let Some(output) = self.hub.poll_output() {
            match output {
                Output::Transmit { conn } => self.hear(conn),
                Output::Close { conn, how } => {
                    if how == Shutdown::Flush {
                        self.hear(conn);
                    }
                    self.ears.get_mut(&conn).expect("a connection").closed = true;
                    self.hub.handle_closed(self.now, conn, Closed::Done);
                }
                Output::Event(_) | Output::Unlisten { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn hear(&mut self, conn: ConnId) {
        let Some(ear) = self.ears.get_mut(&conn) else { return };
        let bytes = self.hub.pending(conn).to_vec();
        self.hub.consume(self.now, conn, bytes.len());
        ear.all.extend_from_slice(&bytes);
        for frame in ear.cutter.push(&bytes).expect("the hub speaks the protocol") {
            match frame.frame().word() {
                b"CHL" => ear.challenges.push_back(frame),
                _ => ear.frames.push_back(frame),
            }
        }
    }

    /// Lets time pass up to the hub's next deadline; `false` if it is too far away.
    pub(crate) fn wait(&mut self, until: Instant) -> bool {
        let Some(due) = self.hub.next_deadline().filter(|due| *due <= until) else { return false };
        self.now = self.now.max(due);
        self.hub.handle_timeout(self.now);
        self.turn();
        true
    }

    /// Moves the clock.
    pub(crate) fn advance(&mut self, to: Instant) {
        while self.wait(to) {}
        self.now = self.now.max(to);
    }

    pub(crate) fn patience(&self) -> Instant {
        self.now + Duration::from_secs(20 * 60)
    }

    /// Sends one line and takes what comes back.
    pub(crate) fn ask(&mut self, conn: ConnId, line: &str) -> Vec<Vec<String>> {
        self.hub.handle_input(self.now, conn, format!("{line}\r\n").as_bytes());
        self.turn();
        self.heard(conn)
    }

    /// Takes what was heard, as words.
    pub(crate) fn heard(&mut self, conn: ConnId) -> Vec<Vec<String>> {
        let Some(ear) = self.ears.get_mut(&conn) else { return Vec::new() };
        ear.frames.drain(..).map(|frame| words(frame.frame().line())).collect()
    }
}
