//! Transcripts as commands: each connection cut into frames.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::limits::Limits;
use crate::time::Instant;
use crate::transcript::{Entry, Piece, Side, Transcript};
use crate::wire::{Decoded, Frame, FrameDecoder};

/// Which server a connection is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A dispatch server.
    Dispatch,
    /// A notification server.
    Notification,
    /// A switchboard.
    Switchboard,
}

impl Role {
    /// From the word in a transcript's header.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "dispatch" => Some(Self::Dispatch),
            "notification" => Some(Self::Notification),
            "switchboard" => Some(Self::Switchboard),
            _ => None,
        }
    }

    /// The word for it in a transcript's header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dispatch => "dispatch",
            Self::Notification => "notification",
            Self::Switchboard => "switchboard",
        }
    }

    /// From the first bytes that a client says on a connection. A dispatch server is not told from
    /// a notification server.
    #[must_use]
    pub fn of(said: &[u8]) -> Option<Self> {
        match said.get(..3)? {
            b"VER" => Some(Self::Notification),
            b"USR" | b"ANS" => Some(Self::Switchboard),
            _ => None,
        }
    }

    /// A decoder of what `speaker` says on such a connection.
    #[must_use]
    pub fn decoder(self, speaker: Side) -> FrameDecoder {
        self.decoder_with(speaker, Limits::default())
    }

    /// As [`Role::decoder`], with these limits.
    #[must_use]
    pub fn decoder_with(self, speaker: Side, limits: Limits) -> FrameDecoder {
        match (self, speaker) {
            (Self::Dispatch | Self::Notification, Side::Server) => {
                FrameDecoder::notification_client(limits)
            }
            (Self::Dispatch | Self::Notification, Side::Client) => {
                FrameDecoder::notification_server(limits)
            }
            (Self::Switchboard, Side::Server) => FrameDecoder::switchboard_client(limits),
            (Self::Switchboard, Side::Client) => FrameDecoder::switchboard_server(limits),
        }
    }
}

/// One connection of a transcript, cut into frames.
#[derive(Clone, Debug)]
pub struct Dialogue {
    /// Its name, in a transcript of several connections.
    pub name: Option<String>,
    /// Which server it is to.
    pub role: Role,
    /// Whose it is.
    pub account: Option<String>,
    /// The password of that account, where it is known.
    pub password: Option<String>,
    /// Whether a client of ours says the client's part to the letter (`= exact: yes`).
    pub exact: bool,
    /// What happened, in order. A frame stands where its last byte does.
    pub steps: Vec<Step>,
}

/// Something that happened on a connection.
#[derive(Clone, Debug)]
pub struct Step {
    /// The line of the transcript in which it was complete.
    pub line: usize,
    /// When, if that was noted.
    pub time: Option<Instant>,
    /// Who did it.
    pub side: Side,
    /// What was done.
    pub what: What,
}

/// What one side did.
#[derive(Clone, Debug)]
pub enum What {
    /// It said a whole frame.
    Frame(OwnedFrame),
    /// It began a frame, or said blank lines, and no more.
    Rest(Vec<u8>),
    /// It ended its stream.
    Close,
}

impl Dialogue {
    /// All connections of a transcript, in the order in which they begin.
    ///
    /// The transcript says in its headers what they are: `= role: notification` and
    /// `= account: alice@example.net`, or with several connections one header
    /// `= connection: name role account` for each.
    ///
    /// # Errors
    ///
    /// When a connection has no such header, or cannot be cut into frames.
    pub fn all(transcript: &Transcript) -> Result<Vec<Self>, DialogueError> {
        transcript.connections().into_iter().map(|name| Self::one(transcript, name)).collect()
    }

    /// One connection of a transcript.
    ///
    /// # Errors
    ///
    /// As for [`Dialogue::all`].
    pub fn one(transcript: &Transcript, name: Option<&str>) -> Result<Self, DialogueError> {
        let unknown = || DialogueError::Role { connection: name.map(ToOwned::to_owned) };
        let (role, account) = match name {
            None => (transcript.header("role"), transcript.header("account")),
            Some(name) => {
                let mut words = transcript
                    .headers()
                    .filter(|(key, _)| *key == "connection")
                    .map(|(_, value)| value.split(' '))
                    .find(|words| words.clone().next() == Some(name))
                    .ok_or_else(unknown)?
                    .skip(1);
                (words.next(), words.next())
            }
        };
        let role = role.and_then(Role::from_word).ok_or_else(unknown)?;
        Ok(Self {
            name: name.map(ToOwned::to_owned),
            role,
            account: account.map(ToOwned::to_owned),
            password: transcript.header("password").map(ToOwned::to_owned),
            exact: transcript.header("exact") == Some("yes"),
            steps: steps(transcript, name, role)?,
        })
    }

    /// The frames of one side.
    pub fn frames(&self, side: Side) -> impl Iterator<Item = Frame<'_>> {
        self.steps.iter().filter(move |step| step.side == side).filter_map(|step| {
            match &step.what {
                What::Frame(frame) => Some(frame.frame()),
                _ => None,
            }
        })
    }
}

fn steps(
    transcript: &Transcript,
    name: Option<&str>,
    role: Role,
) -> Result<Vec<Step>, DialogueError> {
    let mut cutters =
        [Side::Client, Side::Server].map(|side| (side, Cutter::new(role.decoder(side))));
    let mut steps = Vec::new();
    let mut last = 0;
    for (line, Entry { time, connection, side, what }) in transcript.numbered_entries() {
        if connection.as_deref() != name {
            continue;
        }
        last = line;
        let Some((_, cutter)) = cutters.iter_mut().find(|(of, _)| of == side) else { continue };
        let mut add = |what| steps.push(Step { line, time: *time, side: *side, what });
        match what {
            Piece::Bytes(bytes) => {
                let frames = cutter.push(bytes).map_err(|_| DialogueError::Frame { line })?;
                frames.into_iter().for_each(|frame| add(What::Frame(frame)));
            }
            Piece::Close => {
                let rest = cutter.take_rest();
                if !rest.is_empty() {
                    add(What::Rest(rest));
                }
                add(What::Close);
            }
        }
    }
    for (side, mut cutter) in cutters {
        let rest = cutter.take_rest();
        if !rest.is_empty() {
            steps.push(Step { line: last, time: None, side, what: What::Rest(rest) });
        }
    }
    Ok(steps)
}

/// A transcript that does not say what its connections are, or that is not this protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialogueError {
    /// The headers do not name the server of a connection.
    Role {
        /// The connection.
        connection: Option<String>,
    },
    /// The stream cannot be cut on, or has a payload over the limit.
    Frame {
        /// The line of the transcript.
        line: usize,
    },
}

impl fmt::Display for DialogueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role { connection: None } => f.write_str("no header `role` that is known"),
            Self::Role { connection: Some(name) } => {
                write!(f, "no header `connection: {name} <role>` that is known")
            }
            Self::Frame { line } => write!(f, "line {line}: the stream cannot be cut into frames"),
        }
    }
}

impl core::error::Error for DialogueError {}

/// A frame with the bytes that it was cut from.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnedFrame {
    raw: Vec<u8>,
    /// Blank lines in front.
    lead: usize,
    line: usize,
    payload: Option<usize>,
}

impl OwnedFrame {
    /// The frame.
    #[must_use]
    pub fn frame(&self) -> Frame<'_> {
        let line = self.raw.get(self.lead..).and_then(|raw| raw.get(..self.line));
        let payload = self
            .payload
            .map(|size| self.raw.get(self.raw.len().saturating_sub(size)..).unwrap_or_default());
        Frame::new(line.unwrap_or_default(), payload)
    }

    /// Its bytes as they were sent, with blank lines in front of it.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The number in the place of the first argument, if there is one: of a client's command its
    /// transaction id.
    #[must_use]
    pub fn number(&self) -> Option<u32> {
        self.first_number().map(|(_, number)| number)
    }

    /// The transaction id of the command that a server's frame answers; none if it answers nothing.
    #[must_use]
    pub fn answers(&self) -> Option<u32> {
        const NO_ANSWERS: [&[u8]; 11] = [
            b"NLN", b"FLN", b"BPR", b"MSG", b"RNG", b"NOT", b"IPG", b"QNG", b"OUT", b"JOI", b"BYE",
        ];
        let line = self.frame();
        let mut words = line.line().split(|byte| *byte == b' ').skip(2);
        // Escargot leaves the number out of PRP, and the version of the lists stands there.
        let bare = line.word() == b"PRP"
            && !words.next().is_some_and(|word| word.iter().all(u8::is_ascii_digit));
        if bare || NO_ANSWERS.contains(&line.word()) {
            return None;
        }
        // With 0 these answer nothing; elsewhere it is the number of a client that begins with it.
        let by_itself = [&b"CHL"[..], b"ADD", b"REM", b"CHG", b"XFR"].contains(&line.word());
        self.number().filter(|number| *number != 0 || !by_itself)
    }

    /// Its bytes with another number in the place of the first argument.
    #[must_use]
    pub fn renumbered(&self, number: u32) -> Vec<u8> {
        let Some((place, _)) = self.first_number() else { return self.raw.clone() };
        let (before, rest) = self.raw.split_at(place.start);
        let behind = rest.get(place.len()..).unwrap_or_default();
        [before, number.to_string().as_bytes(), behind].concat()
    }

    /// The number in the place of the first argument, and where it stands in the raw bytes.
    fn first_number(&self) -> Option<(core::ops::Range<usize>, u32)> {
        let rest = self.raw.get(self.lead..)?.get(..self.line)?;
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        let verb = rest.iter().position(blank)?;
        let start = verb.saturating_add(rest.get(verb..)?.iter().position(|byte| !blank(byte))?);
        let word = rest.get(start..)?;
        let word = word.get(..word.iter().position(blank).unwrap_or(word.len()))?;
        let value = core::str::from_utf8(word).ok()?.parse().ok()?;
        let start = start.saturating_add(self.lead);
        Some((start..start.saturating_add(word.len()), value))
    }
}

/// The bytes, escaped.
impl fmt::Debug for OwnedFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.raw.escape_ascii())
    }
}

/// Cuts a stream into frames and keeps the bytes of each.
#[derive(Clone, Debug)]
pub struct Cutter {
    decoder: FrameDecoder,
    held: Vec<u8>,
    skipped: usize,
}

impl Cutter {
    /// At the start of a stream.
    #[must_use]
    pub const fn new(decoder: FrameDecoder) -> Self {
        Self { decoder, held: Vec::new(), skipped: 0 }
    }

    /// Takes bytes and gives the frames that are whole now.
    ///
    /// # Errors
    ///
    /// When the stream cannot be cut on, or has a payload over the limit; what is held then.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<OwnedFrame>, Vec<u8>> {
        self.held.extend_from_slice(bytes);
        let mut frames = Vec::new();
        loop {
            let fresh = self.held.get(self.skipped..).unwrap_or_default();
            match self.decoder.decode(fresh) {
                Ok(Decoded::NeedMore) => return Ok(frames),
                Ok(Decoded::Skipped { consumed }) => self.skipped += consumed,
                Ok(Decoded::Frame { frame, consumed }) => {
                    let (line, payload) = (frame.line().len(), frame.payload().map(<[u8]>::len));
                    let lead = core::mem::take(&mut self.skipped);
                    let raw = self.held.drain(..lead.saturating_add(consumed)).collect();
                    frames.push(OwnedFrame { raw, lead, line, payload });
                }
                Ok(Decoded::Oversized { .. }) | Err(_) => return Err(self.held.clone()),
            }
        }
    }

    fn take_rest(&mut self) -> Vec<u8> {
        self.skipped = 0;
        core::mem::take(&mut self.held)
    }
}
