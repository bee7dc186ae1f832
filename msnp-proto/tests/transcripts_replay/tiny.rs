//! A client that can sign in and little more.

use std::collections::VecDeque;

use md5::{Digest, Md5};
use msnp_proto::machine::Machine;
use msnp_proto::testing::Role;
use msnp_proto::time::{Duration, Instant};
use msnp_proto::transcript::Side;
use msnp_proto::wire::{Inbox, Incoming};

const OFFER: &str = "MSNP7 MSNP6 MSNP5 MSNP4 CVR0";
const PING: Duration = Duration::from_secs(45);

/// Signs in as the dialogues do it, and reports every line of the server's and its own end.
pub(crate) struct Tiny {
    account: String,
    password: String,
    inbox: Inbox,
    out: Vec<u8>,
    events: VecDeque<String>,
    next: u32,
    ping: Option<Instant>,
    finished: bool,
}

impl Tiny {
    /// Numbers its commands from `first` upwards.
    pub(crate) fn new(account: &str, password: &str, first: u32) -> Self {
        let mut tiny = Self {
            account: account.into(),
            password: password.into(),
            inbox: Inbox::new(Role::Notification.decoder(Side::Server)),
            out: Vec::new(),
            events: VecDeque::new(),
            next: first,
            ping: None,
            finished: false,
        };
        tiny.say("VER", OFFER);
        tiny
    }

    pub(crate) fn say(&mut self, verb: &str, rest: &str) {
        let blank = if rest.is_empty() { "" } else { " " };
        self.out.extend_from_slice(format!("{verb} {}{blank}{rest}\r\n", self.next).as_bytes());
        self.next += 1;
    }

    pub(crate) fn leave(&mut self) {
        self.out.extend_from_slice(b"OUT\r\n");
        self.finished = true;
    }

    fn digest(challenge: &str, secret: &str) -> String {
        let digest = Md5::digest(format!("{challenge}{secret}"));
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn end(&mut self, why: &str) {
        if !self.finished {
            self.finished = true;
            self.ping = None;
            self.events.push_back(format!("end: {why}"));
        }
    }

    fn on_line(&mut self, line: &str) {
        self.events.push_back(line.into());
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["VER", _, "0" | "CVR0", ..] => self.end("no version"),
            ["VER", ..] => self.say("INF", ""),
            ["INF", ..] => self.say("USR", &format!("MD5 I {}", self.account)),
            ["USR", _, "MD5", "S", challenge] => {
                let digest = Self::digest(challenge, &self.password);
                self.say("USR", &format!("MD5 S {digest}"));
            }
            ["USR", _, "OK", ..] => self.say("SYN", "0"),
            ["LST", _, "RL", _, "0", "0"] => self.say("CHG", "NLN"),
            ["LST", _, "RL", _, index, total, ..] if index == total => self.say("CHG", "NLN"),
            ["CHG", number, _] if *number != "0" && self.ping.is_none() => {
                self.ping = Some(Instant::ZERO);
                self.say("CVR", "0x0409 win 4.10 i386 MSMSGS 4.5.0127 MSMSGS");
            }
            ["CHL", _, challenge] => {
                let digest = Self::digest(challenge, "Q1P7W2E4J9R8U3S5");
                self.say("QRY", "msmsgs@msnmsgr.com 32");
                self.out.extend_from_slice(digest.as_bytes());
            }
            ["XFR", _, "NS", ..] => self.end("referred"),
            ["OUT", ..] => self.end("shown out"),
            [code, ..] if code.parse::<u16>().is_ok() && self.ping.is_none() => self.end("refused"),
            _ => {}
        }
    }
}

impl Machine for Tiny {
    type Event = String;

    fn handle_input(&mut self, now: Instant, mut bytes: &[u8]) {
        while !self.finished {
            let line = match self.inbox.next(&mut bytes) {
                Ok(Some(Incoming::Frame(frame))) => {
                    String::from_utf8_lossy(frame.line()).into_owned()
                }
                Ok(Some(_)) => continue,
                Ok(None) => break,
                Err(error) => return self.end(&error.to_string()),
            };
            self.on_line(&line);
        }
        self.ping = self.ping.map(|_| now + PING);
    }

    fn handle_eof(&mut self, _: Instant) {
        self.end("closed");
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.ping.is_some_and(|due| due <= now) {
            self.ping = Some(now + PING);
            self.out.extend_from_slice(b"PNG\r\n");
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.ping
    }

    fn pending(&self) -> &[u8] {
        &self.out
    }

    fn consume(&mut self, _: Instant, written: usize) {
        self.out.drain(..written.min(self.out.len()));
    }

    fn poll_event(&mut self) -> Option<String> {
        self.events.pop_front()
    }

    fn is_finished(&self) -> bool {
        self.finished
    }
}

/// Says the same as it hears, and how much it heard.
#[derive(Default)]
pub(crate) struct Echo {
    pub(crate) out: Vec<u8>,
    pub(crate) heard: usize,
    pub(crate) eof: bool,
    /// Does not say back.
    pub(crate) mute: bool,
}

impl Echo {
    pub(crate) fn saying(text: &[u8]) -> Self {
        Self { out: text.to_vec(), mute: true, ..Self::default() }
    }
}

impl Machine for Echo {
    type Event = usize;

    fn handle_input(&mut self, _: Instant, bytes: &[u8]) {
        self.heard += bytes.len();
        if !self.mute {
            self.out.extend_from_slice(bytes);
        }
    }

    fn handle_eof(&mut self, _: Instant) {
        self.eof = true;
    }

    fn handle_timeout(&mut self, _: Instant) {}

    fn next_deadline(&self) -> Option<Instant> {
        None
    }

    fn pending(&self) -> &[u8] {
        &self.out
    }

    fn consume(&mut self, _: Instant, written: usize) {
        self.out.drain(..written.min(self.out.len()));
    }

    fn poll_event(&mut self) -> Option<usize> {
        (self.heard > 0).then(|| std::mem::take(&mut self.heard))
    }

    fn is_finished(&self) -> bool {
        self.eof
    }
}
