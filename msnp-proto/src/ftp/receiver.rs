//! The side that gets the file.

use alloc::vec::Vec;
use core::fmt;

use super::block::{Cut, Cutter};
use super::line::{self, Line};
use super::{End, FileWaits, Terms, Violation};
use crate::link::Link;
use crate::machine::{Closed, Machine};
use crate::time::{Duration, Instant};
use crate::wire::{Inbox, Incoming};

/// The receiver of one file, from the open connection to the end. A [`Machine`] that begins with its
/// first line pending, whoever opened the connection.
///
/// It holds no data: what came in one read is one [`ReceiverEvent::Data`]. Of a sender it knows only
/// that it announced the size that was offered.
///
/// ```
/// use msnp_proto::ftp::{AuthCookie, End, FileWaits, Receiver, ReceiverEvent, Terms};
/// use msnp_proto::machine::Machine;
/// use msnp_proto::time::Instant;
/// use msnp_proto::types::Handle;
///
/// let now = Instant::ZERO;
/// let receiver = Handle::new("bob@example.com").unwrap();
/// let terms = Terms { size: 11, cookie: AuthCookie::new(93301), receiver };
/// let mut receiver = Receiver::new(now, terms, &FileWaits::new());
///
/// receiver.handle_input(now, b"VER MSNFTP\r\nFIL 11\r\n\x00\x0b\x00hello world");
/// assert_eq!(receiver.poll_event(), Some(ReceiverEvent::Proven));
/// assert_eq!(receiver.poll_event(), Some(ReceiverEvent::Data(b"hello world".to_vec())));
/// assert_eq!(receiver.poll_event(), Some(ReceiverEvent::Ended(End::Complete)));
/// let said = b"VER MSNFTP\r\nUSR bob@example.com 93301\r\nTFR\r\nBYE 16777989\r\n";
/// assert_eq!(receiver.pending(), said);
/// ```
pub struct Receiver {
    inbox: Inbox,
    blocks: Cutter,
    core: Core,
}

/// What happens while a file is received.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiverEvent {
    /// The sender announced the size that was offered: what follows are the bytes of the file.
    Proven,
    /// The next bytes of the file; at least one, at most as many as were read at once.
    Data(Vec<u8>),
    /// It is over; nothing follows. There may still be something to write and to wait for: see
    /// [`Machine::is_finished`].
    Ended(End),
}

/// Only the size of data: it is somebody's file.
impl fmt::Debug for ReceiverEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proven => f.write_str("Proven"),
            Self::Data(data) => write!(f, "Data({} bytes)", data.len()),
            Self::Ended(end) => write!(f, "Ended({end:?})"),
        }
    }
}

impl Receiver {
    /// A receiver on an open connection; the receiver of the terms is our own account.
    #[must_use]
    pub fn new(now: Instant, terms: Terms, waits: &FileWaits) -> Self {
        let blocks = Cutter::new(terms.size);
        let mut core = Core {
            link: Link::new(),
            terms,
            waits: waits.clone(),
            state: State::Version,
            due: Some(now + waits.silence_before),
        };
        core.say(line::VER);
        Self { inbox: line::inbox(), blocks, core }
    }

    /// Bytes of the file that came.
    #[must_use]
    pub const fn received(&self) -> u64 {
        self.blocks.received()
    }

    /// Stops, and tells the sender.
    pub fn cancel(&mut self, now: Instant) {
        self.core.leave(now, End::CancelledHere, line::CCL);
    }

    /// The file cannot be written: stops, and tells the sender. When the last byte has come the end
    /// was told already; the sender still hears of it, unless that all is here was written to the
    /// network before.
    pub fn fail_to_write(&mut self, now: Instant) {
        let outbox = &mut self.core.link.outbox;
        if self.core.state == State::Closing && outbox.pending().ends_with(line::BYE_RECEIVED) {
            let buffer = outbox.buffer();
            buffer.truncate(buffer.len().saturating_sub(line::BYE_RECEIVED.len()));
            self.core.say(line::BYE_NOT_WRITTEN);
        }
        self.core.leave(now, End::CouldNotWriteHere, line::BYE_NOT_WRITTEN);
    }

    /// The connection is gone, for a reason that only its owner knows. What still waits is dropped.
    pub fn abandon(&mut self, _now: Instant, why: Closed) {
        self.core.end(End::Broken(why));
        self.core.link.outbox.clear();
    }

    /// Gives out the data of one read.
    fn take_blocks(&mut self, now: Instant, mut input: &[u8]) {
        let mut data = Vec::new();
        let last = loop {
            match self.blocks.next(&mut input) {
                Cut::Data(piece) => {
                    if data.is_empty() {
                        data.reserve_exact(piece.len().saturating_add(input.len()));
                    }
                    data.extend_from_slice(piece);
                }
                last => break last,
            }
        };
        if !data.is_empty() {
            self.core.due = Some(now + self.core.waits.silence);
            self.core.link.tell(ReceiverEvent::Data(data));
        }
        match last {
            Cut::NeedMore | Cut::Data(_) => {}
            Cut::Complete => {
                let wait = self.core.waits.bye;
                self.core.leave_in(now, wait, End::Complete, line::BYE_RECEIVED);
            }
            Cut::Cancelled => self.core.end(End::CancelledThere),
            Cut::Broken(violation) => {
                self.core.leave(now, End::Violation(violation), line::CCL);
            }
        }
    }
}

impl Machine for Receiver {
    type Event = ReceiverEvent;

    fn handle_input(&mut self, now: Instant, mut bytes: &[u8]) {
        while matches!(self.core.state, State::Version | State::Size) {
            match self.inbox.next(&mut bytes) {
                Ok(Some(Incoming::Frame(frame))) => self.core.hear(now, Line::parse(frame)),
                // No line here has a payload.
                Ok(Some(Incoming::Oversized { .. })) => {}
                Ok(None) => return,
                Err(_) => self.core.end(End::Violation(Violation::LineTooLong)),
            }
        }
        // What follows the size is no text any more, in whatever pieces it comes.
        if self.core.state == State::Blocks {
            self.take_blocks(now, bytes);
        }
    }

    fn handle_eof(&mut self, _now: Instant) {
        let refusal = match self.core.state {
            State::Version | State::Size => line::unfinished(&mut self.inbox).as_refusal(),
            _ => None,
        };
        self.core.end(refusal.unwrap_or(End::Broken(Closed::Done)));
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.core.due.is_some_and(|due| due <= now) {
            self.core.end(End::TimedOut);
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.core.due
    }

    fn pending(&self) -> &[u8] {
        self.core.link.outbox.pending()
    }

    fn consume(&mut self, _now: Instant, written: usize) {
        self.core.link.outbox.consume(written);
    }

    fn poll_event(&mut self) -> Option<ReceiverEvent> {
        self.core.link.poll_event()
    }

    fn is_finished(&self) -> bool {
        self.core.link.is_finished()
    }
}

/// Neither cookie nor data.
impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Core { state, terms, .. } = &self.core;
        write!(f, "Receiver({state:?}, {} of {} bytes)", self.received(), terms.size)
    }
}

struct Core {
    link: Link<ReceiverEvent>,
    terms: Terms,
    waits: FileWaits,
    state: State,
    due: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Waiting for VER.
    Version,
    /// Waiting for FIL.
    Size,
    /// Blocks.
    Blocks,
    /// The end was told; waiting for the sender to read our last word and close.
    Closing,
    Finished,
}

impl Core {
    fn say(&mut self, line: &[u8]) {
        self.link.outbox.buffer().extend_from_slice(line);
    }

    fn hear(&mut self, now: Instant, line: Line<'_>) {
        if let Some(end) = line.as_refusal() {
            return self.end(end);
        }
        match (self.state, line) {
            (State::Version, Line::Ver { ours: true }) => {
                line::write_usr(self.link.outbox.buffer(), &self.terms);
                self.state = State::Size;
            }
            (State::Size, Line::Fil { size }) if size == Some(self.terms.size) => {
                self.say(line::TFR);
                self.link.tell(ReceiverEvent::Proven);
                self.state = State::Blocks;
                self.due = Some(now + self.waits.silence);
            }
            (State::Size, Line::Fil { size }) => {
                self.leave(now, End::SizeChanged { announced: size }, line::CCL);
            }
            (State::Version, Line::Ver { ours: false }) => {
                self.end(End::Violation(Violation::Version));
            }
            _ => self.end(End::Violation(Violation::Unexpected)),
        }
    }

    /// The end, with a last word.
    fn leave(&mut self, now: Instant, end: End, word: &[u8]) {
        self.leave_in(now, self.waits.drain, end, word);
    }

    /// As [`Core::leave`], when the sender has some time to close first: if we closed while its
    /// bytes are on the way, the last word could be destroyed.
    fn leave_in(&mut self, now: Instant, wait: Duration, end: End, word: &[u8]) {
        if self.is_over() {
            return;
        }
        self.say(word);
        self.link.tell(ReceiverEvent::Ended(end));
        self.state = State::Closing;
        self.due = Some(now + wait);
    }

    /// The end, with nothing more to say.
    fn end(&mut self, end: End) {
        if !self.is_over() {
            self.link.tell(ReceiverEvent::Ended(end));
        }
        self.state = State::Finished;
        self.due = None;
        self.link.finish();
    }

    const fn is_over(&self) -> bool {
        matches!(self.state, State::Closing | State::Finished)
    }
}
