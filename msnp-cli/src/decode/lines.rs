//! Transcripts: one line a piece of a dialogue, in, events out.
//!
//! This module knows the connections of a transcript by their names. The form of a line is the
//! core's.

use std::collections::HashMap;

use msnp_proto::transcript::{Entry, Line, Piece, Side, Transcript};

use super::capture::Broken;
use super::dialogue::Dialogue;
use super::event::{Ending, Event, Opened, Server, Sink, What};

/// Longest line.
pub(super) const LONGEST: usize = 1 << 20;
/// Most names of connections.
const NAMES: usize = 4096;

/// Reads a transcript line by line.
#[derive(Debug, Default)]
pub(super) struct Lines {
    line: usize,
    talks: HashMap<Option<String>, Talk>,
    /// What the headers say about connections; without a name, about all.
    servers: HashMap<Option<String>, Server>,
    /// Time of the last line that has one.
    now: u64,
}

#[derive(Debug)]
struct Talk {
    number: u32,
    dialogue: Dialogue,
    ended: [bool; 2],
}

impl Lines {
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
                Line::Entry(entry) => self.entry(entry, sink)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Ends all connections, in the order in which they began.
    pub(super) fn finish(&mut self, sink: &mut dyn Sink) {
        let mut left: Vec<Talk> = self.talks.drain().map(|(_, talk)| talk).collect();
        left.sort_by_key(|talk| talk.number);
        for mut talk in left {
            if talk.ended != [true, true] {
                talk.dialogue.finish(self.now, sink);
                let what = What::Closed(Ending::InputEnds);
                sink.take(&Event { at: self.now, connection: talk.number, what });
            }
        }
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
            if self.servers.len() < NAMES {
                self.servers.insert(name, server);
            }
        }
    }

    fn entry(&mut self, entry: &Entry, sink: &mut dyn Sink) -> Result<(), Broken> {
        if let Some(time) = entry.time {
            self.now = time.as_micros();
        }
        let (at, count) = (self.now, self.talks.len());
        if !self.talks.contains_key(&entry.connection) {
            if count == NAMES {
                return Err(Broken(format!("line {}: more than {NAMES} connections", self.line)));
            }
            let number = u32::try_from(count + 1).unwrap_or(u32::MAX);
            let known = self.servers.get(&entry.connection).or_else(|| self.servers.get(&None));
            let dialogue = Dialogue::new(number, known.copied(), false);
            let opened = Opened { name: entry.connection.as_deref(), ..Opened::default() };
            sink.take(&Event { at, connection: number, what: What::Opened(opened) });
            let talk = Talk { number, dialogue, ended: [false; 2] };
            self.talks.insert(entry.connection.clone(), talk);
        }
        let Some(talk) = self.talks.get_mut(&entry.connection) else { return Ok(()) };
        match &entry.what {
            Piece::Bytes(bytes) => talk.dialogue.bytes(at, entry.side, bytes, sink),
            Piece::Close => {
                let [client, server] = &mut talk.ended;
                *(if entry.side == Side::Client { client } else { server }) = true;
                talk.dialogue.end(at, entry.side, sink);
                if talk.ended == [true, true] {
                    let what = What::Closed(Ending::Closed);
                    sink.take(&Event { at, connection: talk.number, what });
                }
            }
        }
        Ok(())
    }
}
