//! A machine takes one side of a recorded dialogue; the dialogue says the other.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::{Chunker, Chunking, Cutter, Dialogue, OwnedFrame, Step, What};
use crate::machine::Machine;
use crate::time::Instant;
use crate::transcript::Side;
use crate::wire::Frame;

/// How to replay a dialogue.
///
/// The machine may number its commands in its own way, and may say them somewhat earlier or later
/// than the dialogue: a command is matched by its verb, and the answers get the machine's number.
/// What the machine does not say by itself, such as a change of status, the caller's closure tells
/// it to do.
///
/// ```no_run
/// # use msnp_proto::{machine::Machine, time::Instant, wire::Frame};
/// # fn client() -> impl Machine<Event = ()> { struct M; impl Machine for M { type Event = ();
/// # fn handle_input(&mut self, _: Instant, _: &[u8]) {} fn handle_eof(&mut self, _: Instant) {}
/// # fn handle_timeout(&mut self, _: Instant) {} fn next_deadline(&self) -> Option<Instant> { None }
/// # fn pending(&self) -> &[u8] { &[] } fn consume(&mut self, _: Instant, _: usize) {}
/// # fn poll_event(&mut self) -> Option<()> { None } fn is_finished(&self) -> bool { false } } M }
/// use msnp_proto::testing::{Dialogue, Reaction, Replay, library};
///
/// let transcript = library::transcript("ping");
/// let dialogue = Dialogue::one(&transcript, None)?;
/// let mut machine = client();
/// let played = Replay::new(&dialogue).run(&mut machine, |machine, now, frame| {
///     match frame.word() {
///         b"XFR" => { /* tell the machine to ask for a switchboard */ Reaction::Told }
///         b"OUT" => { /* tell it to sign out */ Reaction::Told }
///         _ => Reaction::Expected,
///     }
/// })?;
/// assert!(played.unsaid.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "nothing is replayed until run"]
pub struct Replay<'d> {
    dialogue: &'d Dialogue,
    plays: Side,
    chunking: Chunking,
    exact: bool,
}

/// What the caller's closure did about a command that the machine has not said by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// The machine was told to say it, so it has to be said now.
    Told,
    /// The machine says it by itself, at the latest when its answer is to come.
    Expected,
    /// The machine does not say it; its answers are left out.
    Skip,
}

/// For machines that need no telling.
pub fn by_itself<M>(_: &mut M, _: Instant, _: Frame<'_>) -> Reaction {
    Reaction::Expected
}

/// What came of a replay.
#[derive(Clone, Debug)]
pub struct Played<E> {
    /// The machine's events.
    pub events: Vec<E>,
    /// All that it sent.
    pub sent: Vec<u8>,
    /// Commands of the dialogue that it did not say: lines of the transcript.
    pub unsaid: Vec<usize>,
    /// What it said beyond the dialogue.
    pub extra: Vec<OwnedFrame>,
    /// The time at the end.
    pub now: Instant,
}

/// Where a machine left the dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayError {
    /// It did not say what it had to.
    NotSaid {
        /// The line of the transcript.
        line: usize,
        /// What it had to say.
        expected: String,
        /// What it said instead, if anything.
        said: Option<String>,
    },
    /// What it sent is not this protocol.
    Garbage {
        /// The line of the transcript that had been reached.
        line: usize,
        /// What it sent.
        sent: String,
    },
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSaid { line, expected, said: None } => {
                write!(f, "line {line}: the machine did not say {expected}")
            }
            Self::NotSaid { line, expected, said: Some(said) } => {
                write!(f, "line {line}: the machine said {said} for {expected}")
            }
            Self::Garbage { line, sent } => write!(f, "line {line}: the machine sent {sent}"),
        }
    }
}

impl core::error::Error for ReplayError {}

impl<'d> Replay<'d> {
    /// The machine is the client, the server's bytes come in one piece as far as they can, and the
    /// client's are compared to the letter if the transcript says so.
    pub const fn new(dialogue: &'d Dialogue) -> Self {
        let exact = dialogue.exact;
        Self { dialogue, plays: Side::Client, chunking: Chunking::Whole, exact }
    }

    /// Which side the machine takes. A server is never compared to the letter.
    pub const fn playing(mut self, side: Side) -> Self {
        self.plays = side;
        self.exact &= matches!(side, Side::Client);
        self
    }

    /// How the other side's bytes are cut.
    pub const fn chunking(mut self, chunking: Chunking) -> Self {
        self.chunking = chunking;
        self
    }

    /// Whether the machine has to say its part to the letter, numbers and all.
    pub const fn exact(mut self, exact: bool) -> Self {
        self.exact = exact;
        self
    }

    /// Plays the dialogue to its end.
    ///
    /// `command` is called for each frame of the machine's side that it has not said yet. Times of
    /// the transcript move the machine's clock, and its timers run on the way.
    ///
    /// # Errors
    ///
    /// When the machine does not say what it was told to say, or has to say for an answer that
    /// comes next, or says something else where it is compared to the letter.
    pub fn run<M: Machine>(
        &self,
        machine: &mut M,
        mut command: impl FnMut(&mut M, Instant, Frame<'_>) -> Reaction,
    ) -> Result<Played<M::Event>, ReplayError> {
        let mut play = Play {
            exact: self.exact,
            chunker: Chunker::new(self.chunking),
            cutter: Cutter::new(self.dialogue.role.decoder(self.plays)),
            input: Vec::new(),
            said: VecDeque::new(),
            owed: Vec::new(),
            skipped: BTreeSet::new(),
            numbers: BTreeMap::new(),
            line: 0,
            events: Vec::new(),
            sent: Vec::new(),
            now: Instant::ZERO,
        };
        play.drain(machine)?;
        for step in &self.dialogue.steps {
            if let Some(time) = step.time.filter(|time| *time > play.now) {
                play.flush(machine)?;
                play.advance(machine, time)?;
            }
            match (&step.what, step.side == self.plays) {
                (What::Frame(frame), true) => {
                    play.flush(machine)?;
                    play.line = step.line;
                    play.mine(machine, step, frame, &mut command)?;
                }
                (What::Frame(frame), false) => play.theirs(machine, frame, self.plays)?,
                (What::Rest(bytes), false) => play.input.extend_from_slice(bytes),
                (What::Close, false) => {
                    play.flush(machine)?;
                    machine.handle_eof(play.now);
                    play.drain(machine)?;
                }
                (What::Rest(_) | What::Close, true) => {}
            }
            play.line = step.line;
        }
        play.flush(machine)?;
        Ok(Played {
            events: play.events,
            sent: play.sent,
            unsaid: play.owed.iter().map(|owed| owed.line).collect(),
            extra: play.said.into(),
            now: play.now,
        })
    }
}

struct Play<E> {
    exact: bool,
    chunker: Chunker,
    cutter: Cutter,
    /// Bytes of the other side that the machine has not got yet.
    input: Vec<u8>,
    /// What the machine said and the dialogue did not yet.
    said: VecDeque<OwnedFrame>,
    /// What the dialogue said and the machine did not yet.
    owed: Vec<Owed>,
    /// Numbers of commands that the machine does not say.
    skipped: BTreeSet<u32>,
    /// The dialogue's number of a command, and the machine's.
    numbers: BTreeMap<u32, u32>,
    line: usize,
    events: Vec<E>,
    sent: Vec<u8>,
    now: Instant,
}

struct Owed {
    line: usize,
    frame: OwnedFrame,
    number: Option<u32>,
}

impl<E> Play<E> {
    /// Takes what the machine has to say and to tell.
    fn drain<M: Machine<Event = E>>(&mut self, machine: &mut M) -> Result<(), ReplayError> {
        while !machine.pending().is_empty() {
            let bytes = machine.pending().to_vec();
            machine.consume(self.now, bytes.len());
            self.sent.extend_from_slice(&bytes);
            let frames = self.cutter.push(&bytes).map_err(|held| ReplayError::Garbage {
                line: self.line,
                sent: held.escape_ascii().to_string(),
            })?;
            for frame in frames {
                match self.owed.iter().position(|owed| same_verb(&owed.frame, &frame)) {
                    Some(at) => {
                        let owed = self.owed.remove(at);
                        self.learn(owed.number, &frame);
                    }
                    None => self.said.push_back(frame),
                }
            }
        }
        while let Some(event) = machine.poll_event() {
            self.events.push(event);
        }
        Ok(())
    }

    /// Hands over what waits, in pieces.
    fn flush<M: Machine<Event = E>>(&mut self, machine: &mut M) -> Result<(), ReplayError> {
        let input = core::mem::take(&mut self.input);
        let mut rest = input.as_slice();
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(self.chunker.next(rest.len()));
            machine.handle_input(self.now, piece);
            self.drain(machine)?;
            rest = after;
        }
        self.drain(machine)
    }

    /// Moves the clock, with every timer on the way.
    fn advance<M: Machine<Event = E>>(
        &mut self,
        machine: &mut M,
        to: Instant,
    ) -> Result<(), ReplayError> {
        while let Some(due) = machine.next_deadline().filter(|due| *due <= to) {
            self.now = self.now.max(due);
            machine.handle_timeout(self.now);
            assert!(
                machine.next_deadline().is_none_or(|next| next > self.now),
                "a deadline stayed due after its timeout"
            );
            self.drain(machine)?;
        }
        self.now = to;
        Ok(())
    }

    /// The dialogue has a frame of the machine's side.
    fn mine<M: Machine<Event = E>>(
        &mut self,
        machine: &mut M,
        step: &Step,
        frame: &OwnedFrame,
        command: &mut impl FnMut(&mut M, Instant, Frame<'_>) -> Reaction,
    ) -> Result<(), ReplayError> {
        let number = frame.number();
        if self.take_said(step, frame)? {
            return Ok(());
        }
        let reaction = command(machine, self.now, frame.frame());
        self.drain(machine)?;
        if self.take_said(step, frame)? {
            return Ok(());
        }
        match reaction {
            Reaction::Skip => self.skipped.extend(number),
            Reaction::Expected if !self.exact => {
                if let Some(number) = number {
                    self.numbers.remove(&number);
                }
                self.owed.push(Owed { line: step.line, frame: frame.clone(), number });
            }
            _ => return Err(self.not_said(step.line, frame)),
        }
        Ok(())
    }

    /// Looks for a frame among what the machine has said.
    fn take_said(&mut self, step: &Step, frame: &OwnedFrame) -> Result<bool, ReplayError> {
        let Some(at) = self.said.iter().position(|said| same_verb(said, frame)) else {
            return if self.exact && !self.said.is_empty() {
                Err(self.not_said(step.line, frame))
            } else {
                Ok(false)
            };
        };
        if self.exact && (at > 0 || self.said.front() != Some(frame)) {
            return Err(self.not_said(step.line, frame));
        }
        if let Some(said) = self.said.remove(at) {
            self.learn(frame.number(), &said);
        }
        Ok(true)
    }

    fn learn(&mut self, number: Option<u32>, said: &OwnedFrame) {
        if let (Some(number), Some(own)) = (number, said.number()) {
            self.skipped.remove(&number);
            self.numbers.insert(number, own);
        }
    }

    /// The dialogue has a frame of the other side.
    fn theirs<M: Machine<Event = E>>(
        &mut self,
        machine: &mut M,
        frame: &OwnedFrame,
        plays: Side,
    ) -> Result<(), ReplayError> {
        let answered = if plays == Side::Client { frame.answers() } else { None };
        let Some(number) = answered else {
            self.input.extend_from_slice(frame.raw());
            return Ok(());
        };
        if self.skipped.contains(&number) {
            return Ok(());
        }
        if self.owed.iter().any(|owed| owed.number == Some(number)) {
            self.flush(machine)?;
            if let Some(owed) = self.owed.iter().find(|owed| owed.number == Some(number)) {
                return Err(self.not_said(owed.line, &owed.frame));
            }
        }
        let own = self.numbers.get(&number).copied().unwrap_or(number);
        self.input.extend_from_slice(&frame.renumbered(own));
        Ok(())
    }

    fn not_said(&self, line: usize, frame: &OwnedFrame) -> ReplayError {
        ReplayError::NotSaid {
            line,
            expected: alloc::format!("{frame:?}"),
            said: self.said.front().map(|said| alloc::format!("{said:?}")),
        }
    }
}

fn same_verb(a: &OwnedFrame, b: &OwnedFrame) -> bool {
    a.frame().word() == b.frame().word()
}
