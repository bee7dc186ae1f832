//! A hub in memory with people who talk to it line by line, and a clock that stands still until it
//! is moved.
#![allow(dead_code, unreachable_pub, reason = "every test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use md5::{Digest, Md5};
use msnp_proto::hub::{Directory, Event, Hub, HubConfig, MemoryDirectory, Role};
use msnp_proto::machine::{Closed, ConnId, Host, ListenerId, Output, Shutdown};
use msnp_proto::secret::Entropy;
use msnp_proto::time::{Duration, Instant};
use msnp_proto::types::{Handle, Nick};

/// Numbers that look random and are the same in every run.
pub struct Fixed(pub u64);

impl Entropy for Fixed {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = (self.0 >> 32) as u8;
        }
    }
}

pub fn handle(text: &str) -> Handle {
    Handle::new(text).unwrap()
}

pub fn md5_hex(parts: &[&str]) -> String {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(part.as_bytes());
    }
    md5.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn config() -> HubConfig {
    let mut config = HubConfig::new("192.0.2.1:1863".parse().unwrap());
    config.notification = "192.0.2.1:1864".parse().unwrap();
    config.switchboard = "192.0.2.1:1865".parse().unwrap();
    config.unix_time_at_zero = 1_700_000_000;
    config
}

/// Alice, Bob and Carol, with password `Pa55word`; Alice and Bob have each other as contacts.
pub fn three() -> MemoryDirectory {
    let [alice, bob, carol] =
        ["alice@example.net", "bob@example.net", "carol@example.net"].map(handle);
    MemoryDirectory::new()
        .account(alice.clone(), "Pa55word")
        .account(bob.clone(), "Pa55word")
        .account(carol.clone(), "Pa55word")
        .name(&alice, Nick::new("Alice A").unwrap())
        .name(&bob, Nick::new("Bob B").unwrap())
        .name(&carol, Nick::new("Carol").unwrap())
        .contact(&alice, &bob)
        .contact(&bob, &alice)
}

#[derive(Default)]
struct Wire {
    heard: Vec<u8>,
    closed: Option<Shutdown>,
    stuck: bool,
}

pub struct World<D = MemoryDirectory> {
    pub hub: Hub<D>,
    pub now: Instant,
    pub events: Vec<Event>,
    pub unlistened: BTreeSet<ListenerId>,
    listeners: BTreeMap<Role, ListenerId>,
    wires: BTreeMap<ConnId, Wire>,
}

impl World {
    pub fn new() -> Self {
        Self::with(config(), three())
    }

    pub fn with(config: HubConfig, directory: MemoryDirectory) -> Self {
        Self::with_directory(config, directory)
    }
}

impl<D: Directory> World<D> {
    pub fn with_directory(config: HubConfig, directory: D) -> Self {
        let mut roles = vec![Role::Dispatch, Role::Notification, Role::Switchboard];
        if config.single {
            roles.remove(0);
        }
        let hub = Hub::new(config, directory, Box::new(Fixed(0x2545_F491_4F6C_DD1D)));
        let mut world = Self {
            hub,
            now: Instant::ZERO,
            events: Vec::new(),
            unlistened: BTreeSet::new(),
            listeners: BTreeMap::new(),
            wires: BTreeMap::new(),
        };
        for role in roles {
            let Some(Output::Listen { listener, at }) = world.hub.poll_output() else { panic!() };
            world.listeners.insert(role, listener);
            world.hub.handle_listening(world.now, listener, at);
        }
        world.turn();
        assert!(matches!(world.events[..], [Event::Ready { .. }]), "{:?}", world.events);
        world.events.clear();
        world
    }

    /// Does everything that the hub asks for.
    pub fn turn(&mut self) {
        while let Some(output) = self.hub.poll_output() {
            match output {
                Output::Transmit { conn } => self.write(conn),
                Output::Close { conn, how } => {
                    if how == Shutdown::Flush {
                        self.write(conn);
                    }
                    let wire = self.wires.get_mut(&conn).unwrap();
                    assert_eq!(wire.closed.replace(how), None, "closed twice");
                    self.hub.handle_closed(self.now, conn, Closed::Done);
                }
                Output::Unlisten { listener } => {
                    assert!(self.unlistened.insert(listener), "unlistened twice");
                }
                Output::Event(event) => self.events.push(event),
                other => panic!("{other:?}"),
            }
        }
    }

    fn write(&mut self, conn: ConnId) {
        let Some(wire) = self.wires.get_mut(&conn) else { return };
        let pending = self.hub.pending(conn);
        if !wire.stuck && wire.closed.is_none() {
            wire.heard.extend_from_slice(pending);
            let written = pending.len();
            self.hub.consume(self.now, conn, written);
        }
    }

    pub fn try_connect(&mut self, role: Role, from: &str) -> Option<ConnId> {
        let peer: SocketAddr = format!("{from}:40000").parse().unwrap();
        let conn = self.hub.handle_accepted(self.now, self.listeners[&role], peer)?;
        self.wires.insert(conn, Wire::default());
        self.turn();
        Some(conn)
    }

    pub fn connect(&mut self, role: Role) -> ConnId {
        self.try_connect(role, "198.51.100.7").unwrap()
    }

    /// Sends one line.
    pub fn say(&mut self, conn: ConnId, line: &str) {
        self.send(conn, format!("{line}\r\n").as_bytes());
    }

    pub fn send(&mut self, conn: ConnId, bytes: &[u8]) {
        self.hub.handle_input(self.now, conn, bytes);
        self.turn();
    }

    /// Sends one line and returns the lines that come back on the same connection.
    pub fn ask(&mut self, conn: ConnId, line: &str) -> Vec<String> {
        assert_eq!(self.heard(conn), [""; 0], "before {line}");
        self.say(conn, line);
        self.heard(conn)
    }

    /// What has come since the last time, byte for byte.
    pub fn heard_bytes(&mut self, conn: ConnId) -> Vec<u8> {
        std::mem::take(&mut self.wires.get_mut(&conn).unwrap().heard)
    }

    /// What has come since the last time, line by line.
    pub fn heard(&mut self, conn: ConnId) -> Vec<String> {
        let bytes = self.heard_bytes(conn);
        let text = String::from_utf8(bytes).unwrap();
        let mut lines: Vec<String> = text.split("\r\n").map(str::to_owned).collect();
        if lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    }

    /// Forgets what was heard on a connection that is closed.
    pub fn forget(&mut self, conn: ConnId) {
        let wire = self.wires.remove(&conn);
        assert!(wire.is_none_or(|wire| wire.closed.is_some()), "{conn:?} is open");
    }

    pub fn is_closed(&self, conn: ConnId) -> bool {
        self.wires[&conn].closed.is_some()
    }

    pub fn closed(&self, conn: ConnId) -> Option<Shutdown> {
        self.wires[&conn].closed
    }

    /// From now on nothing that is sent to this connection is read, or it is again.
    pub fn set_stuck(&mut self, conn: ConnId, stuck: bool) {
        self.wires.get_mut(&conn).unwrap().stuck = stuck;
        self.write(conn);
        self.turn();
    }

    pub fn hang_up(&mut self, conn: ConnId) {
        self.hub.handle_eof(self.now, conn);
        self.turn();
    }

    pub fn break_off(&mut self, conn: ConnId) {
        self.wires.get_mut(&conn).unwrap().closed = Some(Shutdown::Abort);
        self.hub.handle_closed(self.now, conn, Closed::Reset);
        self.turn();
    }

    /// Lets time pass, with every deadline on the way.
    pub fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        for _ in 0..100_000 {
            let Some(next) = self.hub.next_deadline().filter(|next| *next <= until) else { break };
            assert!(next > self.now, "deadline {next:?} is not after {:?}", self.now);
            self.now = next;
            self.hub.handle_timeout(self.now);
            self.turn();
        }
        self.now = until;
        self.hub.handle_timeout(self.now);
        self.turn();
    }

    /// Signs in as far as USR OK and the profile, and forgets both.
    pub fn sign_in(&mut self, account: &str, dialect: &str) -> ConnId {
        let conn = self.connect(Role::Notification);
        assert_eq!(self.ask(conn, &format!("VER 1 {dialect}")), [format!("VER 1 {dialect}")]);
        let challenge = self.challenge(conn, account);
        let digest = md5_hex(&[&challenge, "Pa55word"]);
        let answer = self.ask(conn, &format!("USR 3 MD5 S {digest}"));
        assert!(answer[0].starts_with("USR 3 OK "), "{answer:?}");
        assert!(answer[1].starts_with("MSG Hotmail Hotmail "), "{answer:?}");
        conn
    }

    pub fn challenge(&mut self, conn: ConnId, account: &str) -> String {
        let answer = self.ask(conn, &format!("USR 2 MD5 I {account}"));
        let [line] = &answer[..] else { panic!("{answer:?}") };
        line.strip_prefix("USR 2 MD5 S ").unwrap().to_owned()
    }

    /// Signs in with MSNP5, which has no challenges, and comes online.
    pub fn online(&mut self, account: &str) -> ConnId {
        let conn = self.sign_in(account, "MSNP5");
        self.say(conn, "CHG 9 NLN");
        assert_eq!(self.heard(conn)[0], "CHG 9 NLN");
        conn
    }

    /// Opens a switchboard for somebody who is online.
    pub fn switchboard(&mut self, notification: ConnId, account: &str) -> ConnId {
        let answer = self.ask(notification, "XFR 20 SB");
        let cookie = answer[0].strip_prefix("XFR 20 SB 192.0.2.1:1865 CKI ").unwrap().to_owned();
        let conn = self.connect(Role::Switchboard);
        let answer = self.ask(conn, &format!("USR 1 {account} {cookie}"));
        assert!(answer[0].starts_with("USR 1 OK "), "{answer:?}");
        conn
    }

    /// Calls somebody in; returns their switchboard connection, with nothing heard anywhere.
    pub fn call_in(&mut self, caller: ConnId, notification: ConnId, account: &str) -> ConnId {
        let answer = self.ask(caller, &format!("CAL 2 {account}"));
        assert!(answer[0].starts_with("CAL 2 RINGING "), "{answer:?}");
        let ring = self.heard(notification);
        let words: Vec<&str> = ring[0].split(' ').collect();
        let ["RNG", session, "192.0.2.1:1865", "CKI", cookie, ..] = words[..] else {
            panic!("{ring:?}")
        };
        let conn = self.connect(Role::Switchboard);
        self.say(conn, &format!("ANS 1 {account} {cookie} {session}"));
        assert_eq!(self.heard(conn).last().unwrap(), "ANS 1 OK");
        assert!(self.heard(caller)[0].starts_with("JOI "));
        conn
    }
}
