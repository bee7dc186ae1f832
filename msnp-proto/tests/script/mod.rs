//! A server played by hand: a test says what it hears and says, byte for byte.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of this")]

use std::collections::HashMap;

use msnp_proto::client::{ChatId, Client, Config, Event, MessageId, Outcome, SignIn, Warning};
use msnp_proto::error::Lost;
use msnp_proto::machine::{Closed, ConnId, Host, Output, Target};
use msnp_proto::time::{Duration, Instant};
use msnp_proto::types::Handle;

/// A client and everything that it has put out.
pub struct Script {
    pub client: Client,
    pub now: Instant,
    /// The notification connection, once online.
    pub ns: ConnId,
    /// What was warned of on the way there.
    pub before: Vec<Warning>,
    events: Vec<Event>,
    connecting: Vec<(ConnId, Target)>,
    closing: Vec<ConnId>,
    pending: HashMap<ConnId, Vec<u8>>,
}

impl Script {
    /// A client with the default configuration that has been told to sign in as
    /// alice@example.net with the password Pa55word at messenger.example.net.
    pub fn signing_in() -> Self {
        Self::with(Config::new())
    }

    pub fn with(config: Config) -> Self {
        Self::with_password(config, "Pa55word")
    }

    /// As [`Script::signing_in`], with another password.
    pub fn signing_in_with(password: &str) -> Self {
        Self::with_password(Config::new(), password)
    }

    fn with_password(config: Config, password: &str) -> Self {
        let mut client = Client::new(config);
        let account = Handle::new("alice@example.net").expect("an account");
        let server = Target { host: "messenger.example.net".into(), port: 1863 };
        let now = Instant::ZERO;
        client.sign_in(now, SignIn::new(account, password.into(), server)).expect("offline");
        Self {
            client,
            now,
            ns: ConnId::new(u32::MAX, 0),
            before: Vec::new(),
            events: Vec::new(),
            connecting: Vec::new(),
            closing: Vec::new(),
            pending: HashMap::new(),
        }
    }

    /// A client that is online with empty lists; the next TrID on `ns` is 8.
    pub fn online() -> Self {
        Self::online_with("SYN 5 0\r\nLST 5 RL 0 0 0\r\n")
    }

    /// A client that is online with these lists.
    pub fn online_with(lists: &str) -> Self {
        Self::online_with_config(Config::new(), lists)
    }

    /// As [`Script::online_with`], with a configuration of its own.
    pub fn online_with_config(config: Config, lists: &str) -> Self {
        let mut script = Self::with(config);
        let ns = script.connect("messenger.example.net:1863");
        script.sign_in_with(ns, lists);
        script.drain(ns);
        script.before = script.warnings();
        script.take_events();
        script
    }

    /// From the answer to VER to being online.
    pub fn sign_in_rest(&mut self, ns: ConnId) {
        self.sign_in_with(ns, "SYN 5 0\r\nLST 5 RL 0 0 0\r\n");
        self.drain(ns);
    }

    fn sign_in_with(&mut self, ns: ConnId, lists: &str) {
        self.sign_in_to(ns, lists);
        self.hears(ns, "CHG 6 NLN\r\n");
        self.says(ns, "CHG 6 NLN\r\n");
        self.hears(ns, "CVR 7 0x0409 win 4.10 i386 MSMSGS 4.5.0127 MSMSGS\r\n");
        self.says(
            ns,
            "CVR 7 4.5.0127 4.5.0127 1.0.0863 http://example.net/a http://example.net/b\r\n",
        );
    }

    /// From the answer to VER to the lists; what is said then is still to be heard.
    pub fn sign_in_to(&mut self, ns: ConnId, lists: &str) {
        self.ns = ns;
        self.drain(ns);
        self.says(ns, "VER 1 MSNP7\r\n");
        self.hears(ns, "INF 2\r\n");
        self.says(ns, "INF 2 MD5\r\n");
        self.hears(ns, "USR 3 MD5 I alice@example.net\r\n");
        self.says(ns, "USR 3 MD5 S 1700000000.123456789\r\n");
        self.hears(ns, "USR 4 MD5 S 986e857471c90128c95e016772a9d8b0\r\n");
        self.says(ns, "USR 4 OK alice@example.net Alice%20A 1\r\n");
        let hears = self.drain(ns);
        assert!(hears.starts_with("SYN 5 "), "{hears:?}");
        self.says(ns, lists);
    }

    /// A switchboard in which somebody is being called (`CAL 2`).
    pub fn open_switchboard(&mut self, who: &str) -> (ChatId, ConnId) {
        let who = Handle::new(who).expect("an account");
        let chat = self.client.open_chat(self.now, &who).expect("online");
        self.hears(self.ns, "XFR 8 SB\r\n");
        self.says(self.ns, "XFR 8 SB 192.0.2.20:1863 CKI 17262740.1\r\n");
        let sb = self.connect("192.0.2.20:1863");
        self.says(sb, "USR 1 OK alice@example.net Alice\r\n");
        self.drain(sb);
        (chat, sb)
    }

    /// A switchboard with somebody in it; the next TrID there is 3.
    pub fn chat_with(&mut self, who: &str) -> (ChatId, ConnId) {
        let (chat, sb) = self.open_switchboard(who);
        self.says(sb, &format!("CAL 2 RINGING 1\r\nJOI {who} Somebody\r\n"));
        self.take_events();
        (chat, sb)
    }

    fn collect(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Connect { conn, to } => self.connecting.push((conn, to)),
                Output::Close { conn, .. } => self.closing.push(conn),
                Output::Event(event) => self.events.push(event),
                Output::Transmit { .. } => {}
                other => panic!("a client asked for {other:?}"),
            }
        }
    }

    /// The connection that the client wants to this place.
    pub fn connecting(&mut self, to: &str) -> ConnId {
        let found = self.find_connecting(to);
        found.unwrap_or_else(|| panic!("no way to {to} in {:?}", self.connecting))
    }

    fn find_connecting(&mut self, to: &str) -> Option<ConnId> {
        self.collect();
        let place = self.connecting.iter().position(|(_, target)| target.to_string() == to)?;
        Some(self.connecting.remove(place).0)
    }

    /// Lets the client connect there, if it wants to.
    pub fn try_connect(&mut self, to: &str) -> Option<ConnId> {
        let conn = self.find_connecting(to)?;
        self.client.handle_connected(self.now, conn);
        Some(conn)
    }

    /// Lets the client connect there.
    pub fn connect(&mut self, to: &str) -> ConnId {
        let conn = self.connecting(to);
        self.client.handle_connected(self.now, conn);
        conn
    }

    pub fn refuse(&mut self, conn: ConnId, why: Closed) {
        self.client.handle_closed(self.now, conn, why);
    }

    /// The server says this.
    pub fn says(&mut self, conn: ConnId, bytes: &str) {
        self.client.handle_input(self.now, conn, bytes.as_bytes());
    }

    /// The server ends the stream.
    pub fn hangs_up(&mut self, conn: ConnId) {
        self.client.handle_eof(self.now, conn);
    }

    /// What waits to be written, without writing it.
    pub fn pending(&self, conn: ConnId) -> String {
        String::from_utf8(self.client.pending(conn).to_vec()).expect("text")
    }

    /// Writes all that is pending, and says what it was.
    pub fn drain(&mut self, conn: ConnId) -> String {
        let text = self.pending(conn);
        self.client.consume(self.now, conn, text.len());
        text
    }

    /// The server hears exactly this.
    #[track_caller]
    pub fn hears(&mut self, conn: ConnId, expected: &str) {
        assert_eq!(self.drain(conn), expected);
    }

    /// The client has asked to close this; it is done.
    #[track_caller]
    pub fn closed(&mut self, conn: ConnId) {
        self.collect();
        assert!(self.closing.contains(&conn), "not closed");
        self.client.handle_closed(self.now, conn, Closed::Done);
    }

    /// Time passes, in steps of the client's own deadlines.
    pub fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(due) = self.client.next_deadline().filter(|due| *due <= end) {
            self.now = due;
            self.client.handle_timeout(due);
            assert!(self.client.next_deadline().is_none_or(|next| next > due), "a timer stands");
        }
        self.now = end;
        self.client.handle_timeout(end);
    }

    pub fn client_deadline(&self) -> Option<Instant> {
        self.client.next_deadline()
    }

    pub fn take_events(&mut self) -> Vec<Event> {
        self.collect();
        core::mem::take(&mut self.events)
    }

    pub fn outcomes(&mut self, text: MessageId) -> Vec<Outcome> {
        self.collect();
        let of = |event: &Event| match event {
            Event::Delivery { message, outcome } if *message == text => Some(*outcome),
            _ => None,
        };
        self.events.iter().filter_map(of).collect()
    }

    /// The one end of a text.
    #[track_caller]
    pub fn outcome(&mut self, text: MessageId) -> Outcome {
        match self.outcomes(text)[..] {
            [outcome] => outcome,
            ref other => panic!("{} ends: {other:?}", other.len()),
        }
    }

    pub fn warnings(&mut self) -> Vec<Warning> {
        self.collect();
        let of = |event: &Event| match event {
            Event::Warning(warning) => Some(warning.clone()),
            _ => None,
        };
        self.events.iter().filter_map(of).collect()
    }

    /// Why the session ended, if it did.
    pub fn lost(&mut self) -> Option<Lost> {
        self.collect();
        self.events.iter().find_map(|event| match event {
            Event::Lost { why } => Some(*why),
            _ => None,
        })
    }
}
