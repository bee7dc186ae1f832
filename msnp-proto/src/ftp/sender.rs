//! The side that has the file.

use core::fmt;

use super::block::{Framer, MARKER};
use super::line::{self, Line};
use super::{End, FileWaits, Terms, Violation};
use crate::link::Link;
use crate::machine::{Closed, Machine};
use crate::time::Instant;
use crate::types::Account;
use crate::wire::{Inbox, Incoming};

/// The sender of one file, from the open connection to the end. A [`Machine`] that waits for the
/// receiver to speak first.
///
/// After [`SenderEvent::Started`] it is given the file with [`Sender::supply`], as much at a time as
/// there is [room](Sender::room) for: so it never holds more than 64 KiB and one block. It takes
/// exactly the bytes that were promised; when they cannot be had any more, [`Sender::cancel`].
///
/// ```
/// use msnp_proto::ftp::{AuthCookie, End, FileWaits, Sender, SenderEvent, Terms};
/// use msnp_proto::machine::Machine;
/// use msnp_proto::time::Instant;
/// use msnp_proto::types::Handle;
///
/// let (now, file) = (Instant::ZERO, b"hello world");
/// let receiver = Handle::new("bob@example.com").unwrap();
/// let terms = Terms { size: 11, cookie: AuthCookie::new(93301), receiver };
/// let mut sender = Sender::new(now, terms, &FileWaits::new());
///
/// sender.handle_input(now, b"VER MSNFTP\r\nUSR bob@example.com 93301\r\nTFR\r\n");
/// assert_eq!(sender.poll_event(), Some(SenderEvent::Proven));
/// assert_eq!(sender.poll_event(), Some(SenderEvent::Started));
/// assert_eq!((sender.room(), sender.supply(now, file)), (11, 11));
/// assert_eq!(sender.pending(), b"VER MSNFTP\r\nFIL 11\r\n\x00\x0b\x00hello world");
///
/// sender.consume(now, usize::MAX);
/// assert_eq!(sender.sent(), 11);
/// sender.handle_input(now, b"BYE 16777989\r\n");
/// assert_eq!(sender.poll_event(), Some(SenderEvent::Progress));
/// assert_eq!(sender.poll_event(), Some(SenderEvent::Ended(End::Complete)));
/// ```
pub struct Sender {
    inbox: Inbox,
    core: Core,
}

/// What happens while a file is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SenderEvent {
    /// The receiver knew the cookie: it is who it should be.
    Proven,
    /// The receiver is ready: there is [room](Sender::room) for the file.
    Started,
    /// More was written to the network: there may be room again. Not told twice before it is taken.
    Progress,
    /// It is over; nothing follows. There may still be something to write: see
    /// [`Machine::is_finished`].
    Ended(End),
}

impl Sender {
    /// A sender on an open connection.
    #[must_use]
    pub fn new(now: Instant, terms: Terms, waits: &FileWaits) -> Self {
        let core = Core {
            link: Link::new(),
            blocks: Framer::new(terms.size),
            terms,
            waits: waits.clone(),
            state: State::Version,
            due: Some(now + waits.silence_before),
            ahead: 0,
            progress: false,
            names_other_account: false,
        };
        Self { inbox: line::inbox(), core }
    }

    /// How many bytes of the file it takes now: 0 unless it is sending, when it has got all, and
    /// while enough waits to be written.
    #[must_use]
    pub fn room(&self) -> usize {
        self.core.room()
    }

    /// Takes the next bytes of the file, at most as many as there is room for, and says how many.
    /// They travel in blocks of 2,045 bytes; what makes no whole block waits for more, unless it is
    /// the end of the file.
    pub fn supply(&mut self, now: Instant, bytes: &[u8]) -> usize {
        let bytes = bytes.get(..self.core.room()).unwrap_or(bytes);
        if !bytes.is_empty() {
            self.core.blocks.take(bytes, self.core.link.outbox.buffer());
            self.core.due = Some(now + self.core.waits.silence);
        }
        bytes.len()
    }

    /// Bytes of the file that were written to the network.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.core.blocks.sent()
    }

    /// The receiver proved itself with the right cookie, but named another account than was
    /// invited. Many clients never look at it, so it is only worth a note.
    #[must_use]
    pub fn names_other_account(&self) -> bool {
        self.core.names_other_account
    }

    /// Stops. While the file travels the blocks that wait are still written, and the receiver is
    /// told; before and after that the connection just ends.
    pub fn cancel(&mut self, now: Instant) {
        match self.core.state {
            State::Sending => {
                self.core.link.outbox.buffer().extend_from_slice(&MARKER);
                self.core.tell_end(End::CancelledHere);
                self.core.state = State::Closing;
                // Closing at once could destroy what the receiver has not read yet.
                self.core.due = Some(now + self.core.waits.drain);
            }
            State::Closing => {}
            _ => self.core.end(End::CancelledHere),
        }
    }

    /// The connection is gone, for a reason that only its owner knows. What still waits is dropped.
    pub fn abandon(&mut self, _now: Instant, why: Closed) {
        let end = self.core.end_of_stream(why);
        self.core.end(end);
        self.core.link.outbox.clear();
    }
}

impl Machine for Sender {
    type Event = SenderEvent;

    fn handle_input(&mut self, now: Instant, mut bytes: &[u8]) {
        while self.core.listens() {
            match self.inbox.next(&mut bytes) {
                Ok(Some(Incoming::Frame(frame))) => self.core.hear(now, Line::parse(frame)),
                // No line here has a payload.
                Ok(Some(Incoming::Oversized { .. })) => {}
                Ok(None) => return,
                Err(_) => self.core.end(End::Violation(Violation::LineTooLong)),
            }
        }
    }

    fn handle_eof(&mut self, _now: Instant) {
        let end = match line::unfinished(&mut self.inbox) {
            last @ (Line::Ccl | Line::Bye { .. }) => self.core.end_of_line(last),
            _ => None,
        };
        let end = end.unwrap_or_else(|| self.core.end_of_stream(Closed::Done));
        self.core.end(end);
    }

    fn handle_timeout(&mut self, now: Instant) {
        // More than one, if a wait is nothing.
        while self.core.due.is_some_and(|due| due <= now) {
            self.core.expire(now);
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.core.due
    }

    fn pending(&self) -> &[u8] {
        self.core.link.outbox.pending()
    }

    fn consume(&mut self, now: Instant, written: usize) {
        self.core.consume(now, written);
    }

    fn poll_event(&mut self) -> Option<SenderEvent> {
        let event = self.core.link.poll_event();
        if event == Some(SenderEvent::Progress) {
            self.core.progress = false;
        }
        event
    }

    fn is_finished(&self) -> bool {
        self.core.link.is_finished()
    }
}

/// Neither cookie nor data.
impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Core { state, terms, .. } = &self.core;
        write!(f, "Sender({state:?}, {} of {} bytes)", self.sent(), terms.size)
    }
}

struct Core {
    link: Link<SenderEvent>,
    terms: Terms,
    waits: FileWaits,
    state: State,
    due: Option<Instant>,
    blocks: Framer,
    /// Bytes of lines that wait in front of the blocks.
    ahead: usize,
    /// [`SenderEvent::Progress`] is in the queue.
    progress: bool,
    names_other_account: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Waiting for VER.
    Version,
    /// Waiting for USR.
    User,
    /// Waiting for TFR.
    Ready,
    /// Blocks.
    Sending,
    /// All was written; waiting for BYE.
    Goodbye {
        /// The end marker was sent.
        marked: bool,
    },
    /// The end was told; what waits is still to be written and read.
    Closing,
    Finished,
}

impl Core {
    const fn listens(&self) -> bool {
        !matches!(self.state, State::Closing | State::Finished)
    }

    fn hear(&mut self, now: Instant, line: Line<'_>) {
        if let Some(end) = self.end_of_line(line) {
            return self.end(end);
        }
        match (self.state, line) {
            (State::Version, Line::Ver { ours: true }) => {
                self.link.outbox.buffer().extend_from_slice(line::VER);
                self.state = State::User;
            }
            (State::User, Line::Usr { account, .. }) => {
                let same = Account::new(account).is_some_and(|who| who.is(&self.terms.receiver));
                self.names_other_account = !same;
                line::write_fil(self.link.outbox.buffer(), self.terms.size);
                self.link.tell(SenderEvent::Proven);
                self.state = State::Ready;
                self.due = Some(now + self.waits.silence_before);
            }
            (State::Ready, Line::Tfr) => self.start(now),
            // What else a receiver says while it reads does no harm.
            _ => {}
        }
    }

    /// How a line ends the transfer, if it does.
    fn end_of_line(&self, line: Line<'_>) -> Option<End> {
        let reading = matches!(self.state, State::Sending | State::Goodbye { .. });
        match line {
            Line::Ccl | Line::Bye { .. } if !reading => line.as_refusal(),
            Line::Ccl => Some(End::CancelledThere),
            Line::Bye { code } => Some(line::end_of_bye(code, self.is_all_sent())),
            _ if reading => None,
            _ => match (self.state, line) {
                (State::Version, Line::Ver { ours: true }) | (State::Ready, Line::Tfr) => None,
                (State::Version, Line::Ver { ours: false }) => {
                    Some(End::Violation(Violation::Version))
                }
                (State::User, Line::Usr { cookie, .. }) => {
                    (!self.terms.cookie.matches(cookie)).then_some(End::WrongCookie)
                }
                _ => Some(End::Violation(Violation::Unexpected)),
            },
        }
    }

    fn end_of_stream(&self, why: Closed) -> End {
        if self.is_all_sent() { End::Unconfirmed } else { End::Broken(why) }
    }

    const fn is_all_sent(&self) -> bool {
        matches!(self.state, State::Goodbye { .. })
    }

    fn start(&mut self, now: Instant) {
        self.ahead = self.link.outbox.len();
        self.link.tell(SenderEvent::Started);
        self.state = State::Sending;
        self.due = Some(now + self.waits.silence);
        if self.terms.size == 0 {
            // Without it some receivers would wait for a block.
            self.say_goodbye(now, true);
        }
    }

    fn say_goodbye(&mut self, now: Instant, marked: bool) {
        if marked {
            self.link.outbox.buffer().extend_from_slice(&MARKER);
        }
        self.state = State::Goodbye { marked };
        self.due = Some(now + self.waits.bye);
    }

    fn room(&self) -> usize {
        if self.state == State::Sending { self.blocks.room(self.link.outbox.len()) } else { 0 }
    }

    fn consume(&mut self, now: Instant, written: usize) {
        let written = written.min(self.link.outbox.len());
        self.link.outbox.consume(written);
        if !matches!(self.state, State::Sending | State::Closing) {
            return;
        }
        let lines = written.min(self.ahead);
        self.ahead = self.ahead.saturating_sub(lines);
        let before = self.blocks.sent();
        self.blocks.written(written.saturating_sub(lines));
        if self.state != State::Sending || self.blocks.sent() == before {
            return;
        }
        self.due = Some(now + self.waits.silence);
        if !self.progress {
            self.progress = true;
            self.link.tell(SenderEvent::Progress);
        }
        if self.blocks.is_all_sent() {
            self.say_goodbye(now, false);
        }
    }

    fn expire(&mut self, now: Instant) {
        match self.state {
            State::Goodbye { marked: false } => self.say_goodbye(now, true),
            State::Goodbye { marked: true } => self.end(End::Unconfirmed),
            State::Closing => self.finish(),
            _ => self.end(End::TimedOut),
        }
    }

    /// The end, with nothing more to say.
    fn end(&mut self, end: End) {
        if self.listens() {
            if self.ahead == 0 && matches!(self.state, State::Sending | State::Goodbye { .. }) {
                // Nobody wants these blocks any more.
                self.link.outbox.clear();
            }
            self.tell_end(end);
        }
        self.finish();
    }

    fn tell_end(&mut self, end: End) {
        self.link.tell(SenderEvent::Ended(end));
    }

    fn finish(&mut self) {
        self.state = State::Finished;
        self.due = None;
        self.link.finish();
    }
}
