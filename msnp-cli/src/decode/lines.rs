//! Transcripts: one line a piece of a dialogue, in, events out.
//!
//! This module knows the connections of a transcript by their names. The form of a line is the
//! core's.

use std::collections::HashMap;

use msnp_proto::transcript::{Entry, Line, Piece, Side, Transcript};

use super::capture::Broken;
use super::connections::{CONNECTIONS, HELD};
use super::dialogue::Dialogue;
use super::event::{Ending, Event, Opened, Server, Sink, What};
use super::table::{Entry as Place, Table};

/// Longest line.
pub(super) const LONGEST: usize = 1 << 20;

/// Reads a transcript line by line.
#[derive(Debug)]
pub(super) struct Lines {
    line: usize,
    talks: Table<Option<String>, Talk>,
    /// How many connections there were.
    count: u32,
    /// Bytes that all of them hold back.
    held: usize,
    /// What the headers say about connections; without a name, about all.
    servers: HashMap<Option<String>, Server>,
    /// Time of the last line that has one.
    now: u64,
}

#[derive(Debug)]
struct Talk {
    number: u32,
    dialogue: Dialogue,
    /// The client, the server.
    ended: [bool; 2],
    /// What is counted of it in [`Lines::held`].
    held: usize,
}

impl Lines {
    pub(super) fn new() -> Self {
        let (talks, servers) = (Table::new(CONNECTIONS), HashMap::new());
        Self { line: 0, talks, count: 0, held: 0, servers, now: 0 }
    }

    /// Takes one line without its end.
    pub(super) fn line(&mut self, line: &[u8], sink: &mut dyn Sink) -> Result<(), Broken> {
        self.line += 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let number = self.line;
        let text = std::str::from_utf8(line)
            .map_err(|_| Broken(format!("line {number} is not UTF-8, as a transcript is")))?;
        let parsed = Transcript::parse(text).map_err(|error| {
            Broken(error.to_string().replacen("line 1", &format!("line {number}"), 1))
        })?;
        for line in parsed.lines() {
            match line {
                Line::Header { key, value } => self.header(key, value),
                Line::Entry(entry) => self.entry(entry, sink),
                _ => {}
            }
        }
        Ok(())
    }

    /// Ends all connections, in the order in which they began.
    pub(super) fn finish(&mut self, sink: &mut dyn Sink) {
        let mut left: Vec<Talk> = self.talks.drain().collect();
        left.sort_by_key(|talk| talk.number);
        for talk in left {
            self.end(talk, Ending::InputEnds, sink);
        }
    }

    fn end(&mut self, mut talk: Talk, ending: Ending, sink: &mut dyn Sink) {
        self.held -= talk.held;
        talk.dialogue.finish(self.now, sink);
        sink.take(&Event { at: self.now, connection: talk.number, what: What::Closed(ending) });
    }

    /// `role: NAME`, and `connection: NAME ROLE …` in a dialogue of several.
    fn header(&mut self, key: &str, value: &str) {
        let server = |name: &str| Server::ALL.into_iter().find(|server| server.name() == name);
        let mut words = value.split(' ');
        let (name, role) = match key {
            "role" => (None, words.next()),
            "connection" => (words.next().map(str::to_owned), words.next()),
            _ => return,
        };
        if let Some(server) = role.and_then(server) {
            if self.servers.len() < CONNECTIONS {
                self.servers.insert(name, server);
            }
        }
    }

    fn entry(&mut self, entry: &Entry, sink: &mut dyn Sink) {
        if let Some(time) = entry.time {
            self.now = time.as_micros();
        }
        let (at, name) = (self.now, &entry.connection);
        if !matches!(self.talks.get(name), Place::Live(_)) {
            self.open(name, sink);
        }
        let Place::Live(talk) = self.talks.get(name) else { return };
        match &entry.what {
            Piece::Bytes(bytes) => talk.dialogue.bytes(at, entry.side, bytes, sink),
            Piece::Close => {
                let [client, server] = &mut talk.ended;
                *(if entry.side == Side::Client { client } else { server }) = true;
                talk.dialogue.end(at, entry.side, sink);
            }
        }
        let held = talk.dialogue.held();
        self.held = self.held + held - talk.held;
        talk.held = held;
        if talk.ended == [true, true] {
            if let Some(talk) = self.talks.finish(name) {
                self.end(talk, Ending::Closed, sink);
            }
        }
        while self.held > HELD {
            let Some(talk) = self.talks.remove_oldest() else { break };
            self.end(talk, Ending::Forgotten, sink);
        }
    }

    fn open(&mut self, name: &Option<String>, sink: &mut dyn Sink) {
        self.count += 1;
        let number = self.count;
        let known = self.servers.get(name).or_else(|| self.servers.get(&None));
        let dialogue = Dialogue::new(number, known.copied(), false);
        let talk = Talk { number, dialogue, ended: [false; 2], held: 0 };
        if let Some(oldest) = self.talks.insert(name.clone(), talk) {
            self.end(oldest, Ending::Forgotten, sink);
        }
        let opened = Opened { name: name.as_deref(), ..Opened::default() };
        sink.take(&Event { at: self.now, connection: number, what: What::Opened(opened) });
    }
}
