//! Dialogues as text: one line of the wire a line, each marked with the side that said it.
//!
//! The same form is used for recorded dialogues and for traces of live connections. This module
//! knows the text and the bytes that it stands for; it knows no command.
//!
//! ```text
//! file    = *( line LF )
//! line    = [ comment / header / entry ]
//! comment = "#" *any
//! header  = "= " key ": " value                          ; only above the first entry
//! entry   = [ time SP ] [ name SP ] side ":" [ SP text ]   ; text and a line end
//!         / [ time SP ] [ name SP ] side "! close"         ; the end of this side's stream
//! side    = "C" / "S"                                    ; client, server
//! time    = 1*12DIGIT [ "." 1*6DIGIT ]                   ; seconds
//! name    = ALPHA *( ALPHA / DIGIT / "." / "-" / "_" )   ; the connection
//! text    = *( visible / escape ) [ "\" ]                ; "\" at the end: no line end
//! escape  = "\\" / "\r" / "\n" / "\t" / "\0" / "\x" 2HEXDIG
//! ```
//!
//! The text of an entry stands for its bytes followed by CRLF. A lone backslash at its end leaves
//! the CRLF out, as at the end of a payload. A blank at the end is written `\x20`, so that editors
//! cannot lose it. With several connections every entry has a name, with one none has.
//!
//! ```
//! use msnp_proto::transcript::{Side, Transcript};
//!
//! let text = "\
//! = role: switchboard
//! 0.010 S: MSG bob@example.net Bob 5
//! 0.010 S: hello\\
//! 0.020 C: OUT
//! 0.020 S! close
//! ";
//! let transcript = Transcript::parse(text)?;
//! assert_eq!(transcript.header("role"), Some("switchboard"));
//! assert_eq!(transcript.bytes(None, Side::Server), b"MSG bob@example.net Bob 5\r\nhello");
//! assert_eq!(transcript.to_string(), text);
//! # Ok::<(), msnp_proto::transcript::ParseError>(())
//! ```

mod grammar;
mod write;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::time::Instant;

/// A dialogue, with its headers and comments.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Transcript {
    lines: Vec<Line>,
}

/// One line of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Line {
    /// Nothing.
    Blank,
    /// What follows the `#`.
    Comment(String),
    /// A fact about the dialogue.
    Header {
        /// Small letters, digits and hyphens.
        key: String,
        /// Anything on one line.
        value: String,
    },
    /// Something that happened on the wire.
    Entry(Entry),
}

/// Something that happened on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When, if that was noted.
    pub time: Option<Instant>,
    /// On which connection, in a dialogue of several.
    pub connection: Option<String>,
    /// Who did it.
    pub side: Side,
    /// What was done.
    pub what: Piece,
}

/// A side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// The side that opened the connection.
    Client,
    /// The side that accepted it.
    Server,
}

impl Side {
    /// The side at the other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// What one side did.
#[derive(Clone, PartialEq, Eq)]
pub enum Piece {
    /// It sent these bytes: a line with its end, or a piece of one.
    Bytes(Vec<u8>),
    /// It ended its stream.
    Close,
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Close => f.write_str("close"),
        }
    }
}

impl Transcript {
    /// An empty dialogue.
    #[must_use]
    pub const fn new() -> Self {
        Self { lines: Vec::new() }
    }

    /// Reads the text. What [`Display`](fmt::Display) writes is read back as it was.
    ///
    /// # Errors
    ///
    /// At the first line that does not fit, with its number and what was expected there.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        grammar::transcript(text).map(|lines| Self { lines })
    }

    /// All lines; the first is line 1 of the text.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Everything that happened on the wire, in order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.numbered_entries().map(|(_, entry)| entry)
    }

    /// Everything that happened, each with the number of its line in the text.
    pub fn numbered_entries(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.lines.iter().zip(1..).filter_map(|(line, number)| match line {
            Line::Entry(entry) => Some((number, entry)),
            _ => None,
        })
    }

    /// All headers, in order; a key may come more than once.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.iter().filter_map(|line| match line {
            Line::Header { key, value } => Some((key.as_str(), value.as_str())),
            _ => None,
        })
    }

    /// The value of the first header with this key.
    #[must_use]
    pub fn header(&self, key: &str) -> Option<&str> {
        self.headers().find(|(found, _)| *found == key).map(|(_, value)| value)
    }

    /// The names of the connections in the order in which they begin; one `None` for a dialogue of
    /// one connection without a name.
    #[must_use]
    pub fn connections(&self) -> Vec<Option<&str>> {
        let mut names = Vec::new();
        for entry in self.entries() {
            let name = entry.connection.as_deref();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// All bytes that one side sent on one connection.
    #[must_use]
    pub fn bytes(&self, connection: Option<&str>, side: Side) -> Vec<u8> {
        let mut all = Vec::new();
        for entry in self.entries() {
            if let Piece::Bytes(bytes) = &entry.what {
                if entry.connection.as_deref() == connection && entry.side == side {
                    all.extend_from_slice(bytes);
                }
            }
        }
        all
    }

    /// Whether one side ended its stream on a connection.
    #[must_use]
    pub fn is_closed(&self, connection: Option<&str>, side: Side) -> bool {
        self.entries().any(|entry| {
            entry.what == Piece::Close
                && entry.side == side
                && entry.connection.as_deref() == connection
        })
    }

    /// Adds a line at the end. Whoever adds lines that [`Transcript::parse`] would refuse, such as
    /// a header below an entry, gets a text that cannot be read.
    pub fn push(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Adds bytes as they were sent, one entry a line; the last one may be an unfinished line. What
    /// was sent at once is best given at once: every call begins a new entry.
    pub fn record(
        &mut self,
        time: Option<Instant>,
        connection: Option<&str>,
        side: Side,
        mut bytes: &[u8],
    ) {
        while !bytes.is_empty() {
            let (line, rest) = split_line(bytes);
            bytes = rest;
            self.lines.push(Line::Entry(Entry {
                time,
                connection: connection.map(ToOwned::to_owned),
                side,
                what: Piece::Bytes(line.to_owned()),
            }));
        }
    }

    /// Adds the end of one side's stream.
    pub fn record_close(&mut self, time: Option<Instant>, connection: Option<&str>, side: Side) {
        self.lines.push(Line::Entry(Entry {
            time,
            connection: connection.map(ToOwned::to_owned),
            side,
            what: Piece::Close,
        }));
    }
}

/// Up to and with the first line feed, and the rest.
fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at.saturating_add(1));
    bytes.split_at(end)
}

/// A text that is no transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// What should have been there.
    pub expected: Expected,
}

/// What should have stood at a place of a transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// The side that speaks and what it does.
    Side,
    /// A blank between the side and the text.
    Blank,
    /// Seconds, with six decimals at most, and a blank.
    Time,
    /// `= key: value`.
    Header,
    /// Headers stand above the first entry.
    HeaderFirst,
    /// The rest of an escape.
    Escape,
    /// A character that can be seen; others are written as escapes.
    Visible,
    /// A connection name, because the entries above have one.
    Name,
    /// No connection name, because the entries above have none.
    NoName,
    /// Nothing more from a side that has closed.
    Silence,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Side => "`C:`, `S:`, `C! close` or `S! close`",
            Self::Blank => "a blank before the text",
            Self::Time => "seconds with at most six decimals, and a blank",
            Self::Header => "`= key: value`",
            Self::HeaderFirst => "headers above the first entry",
            Self::Escape => r"one of \\, \r, \n, \t, \0 and \xNN",
            Self::Visible => r"a visible character (others as \xNN, also a blank at the end)",
            Self::Name => "a connection name, as on the lines above",
            Self::NoName => "no connection name, as on the lines above",
            Self::Silence => "nothing more from a side that has closed",
        })
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, expected } = self;
        write!(f, "line {line}, column {column}: expected {expected}")
    }
}

impl core::error::Error for ParseError {}

#[cfg(test)]
mod tests;
