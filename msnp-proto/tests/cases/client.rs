//! A client in the middle of its work: two texts on their way to Bob, one waiting for Carol, and
//! Dave calling.

use std::collections::BTreeMap;

use msnp_proto::client::{Client, Config, Event, Failure, MessageId, Outcome, SignIn};
use msnp_proto::machine::{Closed, ConnId, Host, Output, Target};
use msnp_proto::testing::case::{Place, quote};
use msnp_proto::time::{Duration, Instant};
use msnp_proto::transcript::Side;
use msnp_proto::types::{Delivery, Handle};

use crate::show::{self, Seen};
use crate::stage::Stage;

const PASSWORD: &str = "Kennwort-Pa55word";
const CHALLENGE: &str = "1700000000.123456789";
const COOKIES: [&str; 3] = ["Keks-1.bob", "Keks-2.carol", "Keks-3.dave"];

/// A text from Bob.
const TEXT: &[u8] = b"MSG bob@example.net Bob 33\r\nContent-Type: text/plain\r\n\r\nhello";

pub(crate) struct ClientStage {
    pub(crate) client: Client,
    pub(crate) now: Instant,
    place: Place,
    tried: ConnId,
    /// The connections, with the names that they have in files.
    names: BTreeMap<ConnId, &'static str>,
    waiting: Vec<ConnId>,
    over: Vec<ConnId>,
    events: Vec<Noted>,
    said: BTreeMap<&'static str, Vec<u8>>,
    scanned_before: u64,
    texts: Vec<MessageId>,
    ends: BTreeMap<MessageId, usize>,
    lost: usize,
}

/// Something that came out of the client, in its order.
enum Noted {
    Event(Event),
    /// Another output, as it is shown.
    Output(String),
}

pub(crate) fn handle(text: &str) -> Handle {
    Handle::new(text).expect("an account")
}

impl ClientStage {
    pub(crate) fn new(place: Place) -> Self {
        let mut client = Client::new(Config::new());
        let server = Target { host: "messenger.example.net".into(), port: 1863 };
        let sign_in = SignIn::new(handle("alice@example.net"), PASSWORD.into(), server);
        client.sign_in(Instant::ZERO, sign_in).expect("nobody is signed in");
        let mut stage = Self {
            client,
            now: Instant::ZERO,
            place,
            tried: ConnId::new(u32::MAX, 0),
            names: BTreeMap::new(),
            waiting: Vec::new(),
            over: Vec::new(),
            events: Vec::new(),
            said: BTreeMap::new(),
            scanned_before: 0,
            texts: Vec::new(),
            ends: BTreeMap::new(),
            lost: 0,
        };
        let ns = stage.connect("ns");
        stage.tried = ns;
        if place != Place::ClientSigningIn {
            stage.tried = stage.go_online(ns);
        }
        stage.names.insert(stage.tried, "");
        stage.collect();
        stage.seen(&[]);
        stage.scanned_before = stage.client.scanned(stage.tried);
        stage
    }

    /// Goes on until everything is in the middle of something; the connection that is tried.
    fn go_online(&mut self, ns: ConnId) -> ConnId {
        self.hear(ns, "VER 1 MSNP7");
        self.hear(ns, "INF 2 MD5");
        self.hear(ns, &format!("USR 3 MD5 S {CHALLENGE}"));
        self.hear(ns, "USR 4 OK alice@example.net Alice 1");
        if self.place == Place::ClientSyncing {
            return ns;
        }
        self.hear(ns, "SYN 5 9\r\nLSG 5 9 1 1 0 Others 0\r\nLST 5 FL 9 1 1 bob@example.net Bob 0");
        self.hear(ns, "LST 5 AL 9 1 1 bob@example.net Bob\r\nLST 5 BL 9 0 0\r\nLST 5 RL 9 0 0");
        self.hear(ns, "CHG 6 NLN\r\nCVR 7 1 1 1 http://example.net/a http://example.net/b");
        let bob = self.client.open_chat(self.now, &handle("bob@example.net")).expect("online");
        self.hear(ns, &format!("XFR 8 SB 192.0.2.20:1863 CKI {}", COOKIES[0]));
        let chat = self.connect("chat");
        self.hear(chat, "USR 1 OK alice@example.net Alice");
        self.hear(chat, "CAL 2 RINGING 1\r\nJOI bob@example.net Bob");
        let carol = self.client.open_chat(self.now, &handle("carol@example.net")).expect("online");
        self.hear(ns, &format!("XFR 9 SB 192.0.2.20:1863 CKI {}", COOKIES[1]));
        let calling = self.connect("calling");
        for (chat, text) in [(bob, "one"), (bob, "two"), (carol, "three")] {
            let sent = self.client.send_text(self.now, chat, text, Delivery::Always);
            self.texts.push(sent.expect("there is room"));
        }
        let ring = format!("RNG 7 192.0.2.20:1863 CKI {} dave@example.net Dave", COOKIES[2]);
        self.hear(ns, &ring);
        let answering = self.connect("answering");
        match self.place {
            Place::ClientEntering => calling,
            Place::ClientAnswering => answering,
            Place::ClientChat => chat,
            _ => ns,
        }
    }

    fn connect(&mut self, name: &'static str) -> ConnId {
        self.collect();
        let conn = self.waiting.pop().expect("the client wants to connect");
        self.names.insert(conn, name);
        self.client.handle_connected(self.now, conn);
        self.collect();
        conn
    }

    fn hear(&mut self, conn: ConnId, line: &str) {
        self.client.handle_input(self.now, conn, format!("{line}\r\n").as_bytes());
        self.collect();
    }

    fn collect(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Connect { conn, to } => {
                    self.waiting.push(conn);
                    self.events.push(Noted::Output(format!("connect: {to}")));
                }
                Output::Close { conn, .. } => {
                    self.over.push(conn);
                    if conn != self.tried {
                        let name = self.names.get(&conn).copied().unwrap_or("another");
                        self.events.push(Noted::Output(format!("close: {name}")));
                    }
                }
                Output::Event(event) => self.on_event(event),
                Output::Transmit { .. } => {}
                other => panic!("a client asked for {other:?}"),
            }
        }
        for (conn, name) in &self.names {
            let pending = self.client.pending(*conn);
            if !pending.is_empty() {
                self.said.entry(*name).or_default().extend_from_slice(pending);
                self.client.consume(self.now, *conn, usize::MAX);
            }
        }
        // Writing may have been an event too.
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Event(event) => self.on_event(event),
                Output::Transmit { .. } => {}
                other => panic!("a client asked for {other:?} when it had written"),
            }
        }
    }

    /// The end of a session that was whole takes much along, always the same: it is shown as one
    /// line. What is not as it always is stays, and is shown.
    fn take_session_end(&self, noted: &mut Vec<Noted>) -> Option<String> {
        let Some(Noted::Event(Event::Lost { why })) = noted.last() else { return None };
        let why = *why;
        let (mut unknown, mut failed, mut chats) = (0, 0, 0);
        let belongs = |one: &Noted| match one {
            Noted::Event(Event::Delivery { outcome, .. }) => match outcome {
                Outcome::Unknown(reason) if *reason == why => {
                    unknown += 1;
                    true
                }
                Outcome::Failed(Failure::Lost(reason)) if *reason == why => {
                    failed += 1;
                    true
                }
                _ => false,
            },
            Noted::Event(Event::ChatClosed { why: reason, .. }) => {
                chats += 1;
                *reason == why
            }
            Noted::Event(Event::Lost { .. }) => true,
            Noted::Output(shown) => shown.starts_with("close: "),
            Noted::Event(_) => false,
        };
        let from = noted.iter().rev().map_while({
            let mut belongs = belongs;
            move |one| belongs(one).then_some(())
        });
        let count = from.count();
        noted.truncate(noted.len() - count);
        let taken = match (unknown, failed, chats) {
            (0, 0, 0) => String::new(),
            (unknown, failed, chats) => {
                format!("; texts: {unknown} unknown, {failed} failed; chats: {chats} closed")
            }
        };
        Some(format!("lost: {}{taken}", quote(&why.to_string())))
    }

    fn on_event(&mut self, event: Event) {
        match &event {
            Event::Delivery { message, .. } => *self.ends.entry(*message).or_default() += 1,
            Event::Lost { .. } => self.lost += 1,
            _ => {}
        }
        self.events.push(Noted::Event(event));
    }
}

impl Stage for ClientStage {
    fn say(&mut self, bytes: &[u8]) {
        self.client.handle_input(self.now, self.tried, bytes);
        self.collect();
    }

    fn seen(&mut self, payloads: &[Vec<u8>]) -> Seen {
        let show = |noted| match noted {
            Noted::Event(event) => show::client(&event, payloads),
            Noted::Output(shown) => shown,
        };
        let mut noted = std::mem::take(&mut self.events);
        let end = self.take_session_end(&mut noted);
        let events = noted.into_iter().map(show).chain(end).collect();
        Seen { events, said: show::said(Side::Client, &mut self.said) }
    }

    fn is_over(&self) -> bool {
        self.over.contains(&self.tried)
    }

    fn scanned(&mut self) -> Option<u64> {
        Some(self.client.scanned(self.tried) - self.scanned_before)
    }

    fn good(&self) -> Vec<u8> {
        let text: &[u8] = match self.place {
            Place::ClientSigningIn => b"VER 1 MSNP7\r\n",
            Place::ClientSyncing | Place::ClientOnline => b"NLN LUN erin@example.net Erin\r\n",
            Place::ClientEntering => b"USR 1 OK alice@example.net Alice\r\n",
            Place::ClientAnswering => b"IRO 1 1 1 dave@example.net Dave\r\nANS 1 OK\r\n",
            _ => TEXT,
        };
        text.to_vec()
    }

    fn good_inside(&self) -> Option<Vec<u8>> {
        let inside = matches!(self.place, Place::ClientEntering | Place::ClientAnswering);
        inside.then(|| TEXT.to_vec())
    }

    fn hang_up(&mut self) {
        self.client.handle_eof(self.now, self.tried);
        self.collect();
    }

    fn others(&mut self) -> Seen {
        let conn = |wanted| self.names.iter().find(|(_, name)| **name == wanted).map(|(id, _)| *id);
        let (chat, ns) = (conn("chat"), conn("ns"));
        if let Some(ns) = ns {
            self.hear(ns, "NLN LUN frank@example.net Frank");
        }
        if let Some(chat) = chat {
            self.hear(
                chat,
                "ACK 3\r\nMSG bob@example.net Bob 31\r\nContent-Type: text/plain\r\n\r\nyes",
            );
        }
        self.seen(&[])
    }

    fn has_others(&self) -> bool {
        self.lost == 0 && !matches!(self.place, Place::ClientSigningIn | Place::ClientSyncing)
    }

    fn end(&mut self) -> Result<(), String> {
        let conns: Vec<ConnId> = self.names.keys().copied().chain(self.waiting.clone()).collect();
        for conn in conns {
            self.client.handle_eof(self.now, conn);
            self.collect();
            self.client.handle_closed(self.now, conn, Closed::Done);
            self.collect();
        }
        for _ in 0..1000 {
            let Some(due) = self.client.next_deadline() else { break };
            self.now = due + Duration::from_micros(1);
            self.client.handle_timeout(self.now);
            self.collect();
        }
        if self.lost != 1 {
            return Err(format!("the session ended {} times", self.lost));
        }
        for text in &self.texts {
            let ends = self.ends.get(text).copied().unwrap_or(0);
            if ends != 1 {
                return Err(format!("text {} has {ends} ends", text.0));
            }
        }
        if self.client.next_deadline().is_some() {
            return Err("a timer runs when all is over".into());
        }
        Ok(())
    }

    fn secrets(&self) -> Vec<String> {
        let digest = msnp_proto::ns::challenge::digest(CHALLENGE.as_bytes(), PASSWORD.as_bytes());
        let mut secrets: Vec<String> = COOKIES.map(str::to_owned).to_vec();
        secrets.push(String::from_utf8_lossy(&digest).into_owned());
        secrets.push(PASSWORD.to_owned());
        secrets
    }
}
