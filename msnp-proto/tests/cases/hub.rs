//! A hub with people in the middle of a conversation: Alice, whose connection is tried, and Bob, who
//! is her contact; Dave and Erin, who have nothing to do with them; Carol, who is elsewhere.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use msnp_proto::hub::{Event, Hub, HubConfig, MemoryDirectory, Role};
use msnp_proto::limits::Limits;
use msnp_proto::machine::{Closed, ConnId, Host, ListenerId, Output, Shutdown};
use msnp_proto::ns::challenge::digest;
use msnp_proto::secret::Entropy;
use msnp_proto::testing::case::{Place, quote};
use msnp_proto::testing::{Cutter, SeededEntropy};
use msnp_proto::time::{Duration, Instant};
use msnp_proto::transcript::Side;
use msnp_proto::wire::FrameDecoder;

use crate::client::handle;
use crate::show::{self, Seen};
use crate::stage::Stage;

const PASSWORD: &str = "Kennwort-Pa55word";

pub(crate) struct HubStage {
    pub(crate) hub: Hub,
    pub(crate) now: Instant,
    place: Place,
    pub(crate) tried: ConnId,
    listeners: BTreeMap<Role, ListenerId>,
    names: BTreeMap<ConnId, &'static str>,
    over: Vec<ConnId>,
    events: Vec<Event>,
    said: BTreeMap<&'static str, Vec<u8>>,
    scanned_before: u64,
    cookies: Vec<String>,
}

/// Alice, Bob, Carol, Dave and Erin; Alice and Bob have each other as contacts.
fn people() -> MemoryDirectory {
    let [alice, bob] = ["alice@example.net", "bob@example.net"].map(handle);
    let mut people = MemoryDirectory::new();
    for name in ["alice", "bob", "carol", "dave", "erin"] {
        people = people.account(handle(&format!("{name}@example.net")), PASSWORD);
    }
    people.contact(&alice, &bob).contact(&bob, &alice)
}

impl HubStage {
    pub(crate) fn new(place: Place) -> Self {
        Self::with(place, |_| {}, Box::new(SeededEntropy::new(7)))
    }

    /// With another configuration and another source of random bytes.
    pub(crate) fn with(
        place: Place,
        configure: impl FnOnce(&mut HubConfig),
        entropy: Box<dyn Entropy + Send>,
    ) -> Self {
        let at: SocketAddr = "192.0.2.1:1863".parse().expect("an address");
        let mut config = HubConfig::new(at);
        config.challenges = false;
        configure(&mut config);
        let hub = Hub::new(config, people(), entropy);
        let mut stage = Self {
            hub,
            now: Instant::ZERO,
            place,
            tried: ConnId::new(u32::MAX, 0),
            listeners: BTreeMap::new(),
            names: BTreeMap::new(),
            over: Vec::new(),
            events: Vec::new(),
            said: BTreeMap::new(),
            scanned_before: 0,
            cookies: Vec::new(),
        };
        for (role, port) in
            [(Role::Dispatch, 1863), (Role::Notification, 1864), (Role::Switchboard, 1865)]
        {
            let Some(Output::Listen { listener, .. }) = stage.hub.poll_output() else { panic!() };
            stage.listeners.insert(role, listener);
            stage.hub.handle_listening(stage.now, listener, SocketAddr::new(at.ip(), port));
        }
        stage.settle();
        stage.seen(&[]);
        stage
    }

    /// Brings everybody to their places.
    fn settle(&mut self) {
        let [bob, dave, erin] = ["bob", "dave", "erin"].map(|name| self.online(name));
        let alice = self.online("alice");
        let erin_chat = self.chat(erin, "erin-chat", dave, "dave-chat");
        let chat = self.chat(alice, "chat", bob, "bob-chat");
        let _ = erin_chat;
        self.tried = match self.place {
            Place::HubDoor => self.connect(Role::Notification, ""),
            Place::HubKnocking => {
                let cookie = self.cookie(alice);
                self.cookies.push(cookie);
                self.connect(Role::Switchboard, "")
            }
            Place::HubChat => chat,
            _ => alice,
        };
        self.names.insert(self.tried, "");
        self.scanned_before = self.hub.scanned(self.tried);
    }

    pub(crate) fn connect(&mut self, role: Role, name: &'static str) -> ConnId {
        let peer = "198.51.100.7:40000".parse().expect("an address");
        let conn = self.hub.handle_accepted(self.now, self.listeners[&role], peer);
        let conn = conn.expect("there is room");
        self.names.insert(conn, name);
        self.collect();
        conn
    }

    /// Somebody says something; what is heard on the same connection.
    pub(crate) fn ask(&mut self, conn: ConnId, line: &str) -> String {
        let name = self.names[&conn];
        self.said.remove(name);
        self.hub.handle_input(self.now, conn, format!("{line}\r\n").as_bytes());
        self.collect();
        String::from_utf8(self.said.remove(name).unwrap_or_default()).expect("text")
    }

    fn online(&mut self, name: &'static str) -> ConnId {
        let conn = self.connect(Role::Notification, name);
        self.ask(conn, "VER 1 MSNP7");
        let answer = self.ask(conn, &format!("USR 2 MD5 I {name}@example.net"));
        let challenge = answer.trim_end().rsplit(' ').next().unwrap_or_default();
        let digest = digest(challenge.as_bytes(), PASSWORD.as_bytes());
        let digest = std::str::from_utf8(&digest).expect("digits");
        assert!(self.ask(conn, &format!("USR 3 MD5 S {digest}")).starts_with("USR 3 OK "));
        self.ask(conn, "CHG 4 NLN");
        conn
    }

    /// Asks for a switchboard.
    pub(crate) fn cookie(&mut self, conn: ConnId) -> String {
        let answer = self.ask(conn, "XFR 5 SB");
        answer.trim_end().rsplit(' ').next().unwrap_or_default().to_owned()
    }

    /// A switchboard of one with another in it; the first one's connection.
    fn chat(
        &mut self,
        one: ConnId,
        name: &'static str,
        other: ConnId,
        other_name: &'static str,
    ) -> ConnId {
        let cookie = self.cookie(one);
        let (account, callee) = (self.names[&one], self.names[&other]);
        let chat = self.connect(Role::Switchboard, name);
        self.ask(chat, &format!("USR 1 {account}@example.net {cookie}"));
        self.said.remove(callee);
        self.ask(chat, &format!("CAL 2 {callee}@example.net"));
        let ring = self.said.remove(callee).unwrap_or_default();
        let ring = String::from_utf8(ring).expect("text");
        let words: Vec<&str> = ring.split(' ').collect();
        let ["RNG", session, _, "CKI", called, ..] = words[..] else { panic!("{ring:?}") };
        let there = self.connect(Role::Switchboard, other_name);
        self.ask(there, &format!("ANS 1 {callee}@example.net {called} {session}"));
        self.cookies.extend([cookie, called.to_owned()]);
        chat
    }

    pub(crate) fn collect(&mut self) {
        while let Some(output) = self.hub.poll_output() {
            match output {
                Output::Transmit { conn } => self.write(conn),
                Output::Close { conn, how } => {
                    if how == Shutdown::Flush {
                        self.write(conn);
                    }
                    assert!(!self.over.contains(&conn), "closed twice");
                    self.over.push(conn);
                    if conn != self.tried {
                        self.hub.handle_closed(self.now, conn, Closed::Done);
                    }
                }
                Output::Event(event) => self.events.push(event),
                Output::Listen { .. } | Output::Unlisten { .. } => {}
                other => panic!("a hub asked for {other:?}"),
            }
        }
    }

    fn write(&mut self, conn: ConnId) {
        let Some(name) = self.names.get(&conn) else { return };
        let pending = self.hub.pending(conn);
        self.said.entry(*name).or_default().extend_from_slice(pending);
        self.hub.consume(self.now, conn, usize::MAX);
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(due) = self.hub.next_deadline().filter(|due| *due <= until) {
            self.now = due;
            self.hub.handle_timeout(due);
            self.collect();
        }
        self.now = until;
    }

    pub(crate) fn named(&self, wanted: &str) -> ConnId {
        let found = self.names.iter().find(|(_, name)| **name == wanted);
        *found.expect("everybody is there").0
    }
}

impl Stage for HubStage {
    fn say(&mut self, bytes: &[u8]) {
        self.hub.handle_input(self.now, self.tried, bytes);
        self.collect();
    }

    fn seen(&mut self, payloads: &[Vec<u8>]) -> Seen {
        let events = std::mem::take(&mut self.events);
        let mut events: Vec<String> = events.iter().map(show::hub).collect();
        if let Some(heard) = self.said.get_mut("bob-chat") {
            events.extend(take_relayed(heard, payloads));
        }
        Seen { events, said: show::said(Side::Server, &mut self.said) }
    }

    fn is_over(&self) -> bool {
        self.over.contains(&self.tried)
    }

    fn scanned(&mut self) -> Option<u64> {
        // Over, it has no decoder any more.
        (!self.is_over()).then(|| self.hub.scanned(self.tried) - self.scanned_before)
    }

    fn good(&self) -> Vec<u8> {
        match self.place {
            Place::HubDoor => b"VER 1 MSNP7\r\n".to_vec(),
            Place::HubKnocking => {
                let cookie = self.cookies.last().map_or("", String::as_str);
                format!("USR 99 alice@example.net {cookie}\r\n").into_bytes()
            }
            Place::HubChat => b"MSG 99 A 5\r\nhello".to_vec(),
            _ => b"CHG 99 LUN\r\n".to_vec(),
        }
    }

    fn good_inside(&self) -> Option<Vec<u8>> {
        None
    }

    fn hang_up(&mut self) {
        self.hub.handle_eof(self.now, self.tried);
        self.collect();
    }

    fn others(&mut self) -> Seen {
        let (dave, erin) = (self.named("dave-chat"), self.named("erin"));
        self.hub.handle_input(self.now, dave, b"MSG 5 A 5\r\nhello");
        self.collect();
        self.hub.handle_input(self.now, erin, b"PNG\r\nCHG 8 BSY\r\n");
        self.collect();
        self.seen(&[])
    }

    fn has_others(&self) -> bool {
        true
    }

    fn end(&mut self) -> Result<(), String> {
        let conns: Vec<ConnId> = self.names.keys().copied().collect();
        for conn in conns {
            self.hub.handle_eof(self.now, conn);
            self.collect();
        }
        self.hub.handle_closed(self.now, self.tried, Closed::Done);
        for _ in 0..1000 {
            let Some(due) = self.hub.next_deadline() else { break };
            self.now = due + Duration::from_micros(1);
            self.hub.handle_timeout(self.now);
            self.collect();
        }
        let hub = &self.hub;
        let left =
            (hub.people(), hub.connections(), hub.switchboards(), hub.cookies(), hub.addresses());
        if left != (0, 0, 0, 0, 0) {
            return Err(format!("people, connections, switchboards, cookies, addresses: {left:?}"));
        }
        Ok(())
    }

    fn secrets(&self) -> Vec<String> {
        let mut secrets = self.cookies.clone();
        secrets.push(PASSWORD.to_owned());
        secrets
    }
}

/// Takes the messages out of what somebody heard that are those of the input, byte for byte.
fn take_relayed(heard: &mut Vec<u8>, payloads: &[Vec<u8>]) -> Vec<String> {
    let mut cutter = Cutter::new(FrameDecoder::switchboard_client(Limits::default()));
    let Ok(frames) = cutter.push(heard) else { return Vec::new() };
    let (mut relayed, mut rest) = (Vec::new(), Vec::new());
    for frame in frames {
        let payload = frame.frame().payload();
        if payload.is_some_and(|payload| payloads.iter().any(|one| one == payload)) {
            let line = String::from_utf8_lossy(frame.frame().line());
            let line = line.rsplit_once(' ').map_or(&*line, |(line, _)| line);
            relayed.push(quote(&format!("bob-chat hears {line}, as it came")));
        } else {
            rest.extend_from_slice(frame.raw());
        }
    }
    *heard = rest;
    relayed
}
