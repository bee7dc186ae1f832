//! The connections themselves: what arrives in pieces, what waits to be written, and the one queue
//! of outputs. Knows nothing of what is said on them.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::arena::{SlotId, Slots};
use super::config::HubLimits;
use super::event::{Event, Role};
use super::rates::Spent;
use crate::machine::{Output, Shutdown};
use crate::ns::server::SignIn;
use crate::time::Instant;
use crate::types::{Dialect, ErrorCode, ErrorReply, TrId};
use crate::wire::{Inbox, Outbox};

/// One connection.
pub(super) struct Session {
    /// Away while its frames are being read.
    pub(super) inbox: Option<Inbox>,
    pub(super) outbox: Outbox,
    /// Input that came while the connection was not to be read from.
    pub(super) deferred: Outbox,
    pub(super) from: IpAddr,
    pub(super) role: Role,
    pub(super) state: State,
    /// Pending bytes that answer what was asked and so do not count against the hard limit.
    pub(super) exempt: usize,
    /// What the limits on rates have counted.
    pub(super) spent: Spent,
    pub(super) due: Option<Instant>,
    /// Until when it is not read from, because of those.
    pub(super) resume: Option<Instant>,
    /// Until when it has been held up because of those, the last time.
    pub(super) held_until: Instant,
    /// Commands in a row that meant nothing.
    pub(super) strikes: u8,
    /// A change of its person waits to be committed.
    pub(super) committing: bool,
    /// A `Transmit` is in the queue.
    announced: bool,
    /// Over the hard limit, to be dropped when the present call is done.
    doomed: bool,
}

/// What a connection is.
pub(super) enum State {
    /// On the way to an account.
    SigningIn(SignIn),
    /// Somebody's notification connection.
    SignedIn { person: SlotId, dialect: Dialect },
    /// At the door of the switchboards.
    Knocking,
    /// In a switchboard.
    Seated { room: SlotId, seat: usize, person: SlotId },
    /// Over; only pending bytes are left.
    Closing,
}

impl Session {
    pub(super) fn new(inbox: Inbox, from: IpAddr, role: Role, state: State) -> Self {
        Self {
            inbox: Some(inbox),
            outbox: Outbox::new(),
            deferred: Outbox::new(),
            from,
            role,
            state,
            exempt: 0,
            spent: Spent::default(),
            due: None,
            resume: None,
            held_until: Instant::ZERO,
            strikes: 0,
            committing: false,
            announced: false,
            doomed: false,
        }
    }

    pub(super) const fn is_closing(&self) -> bool {
        matches!(self.state, State::Closing)
    }

    /// Somebody before this one in the switchboard has left.
    pub(super) fn move_to(&mut self, place: usize) {
        if let State::Seated { seat, .. } = &mut self.state {
            *seat = place;
        }
    }

    /// Whether its input has to wait.
    pub(super) fn is_throttled(&self, limits: &HubLimits) -> bool {
        self.committing || self.resume.is_some() || self.outbox.len() > limits.backlog_soft
    }
}

/// Room for most answers.
const ANSWER: usize = 256;

/// All connections, and what the driver is to do.
pub(super) struct Lines {
    pub(super) sessions: Slots<Session>,
    pub(super) outputs: VecDeque<Output<Event>>,
    pub(super) doomed: Vec<SlotId>,
    hard_limit: usize,
}

impl Lines {
    pub(super) const fn new(hard_limit: usize) -> Self {
        Self { sessions: Slots::new(), outputs: VecDeque::new(), doomed: Vec::new(), hard_limit }
    }

    pub(super) fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Answers a connection: `encode` appends to what is pending. Nothing is said to a connection
    /// that is over.
    pub(super) fn say(&mut self, conn: SlotId, encode: impl FnOnce(&mut Vec<u8>)) {
        if let Some(session) = self.sessions.get_mut(conn) {
            if !session.is_closing() {
                encode(session.outbox.buffer_for(ANSWER, self.hard_limit));
                announce(&mut self.outputs, session, conn);
            }
        }
    }

    /// Answers with an error number.
    pub(super) fn refuse(&mut self, conn: SlotId, code: ErrorCode, trid: TrId) {
        self.say(conn, |out| ErrorReply { code, trid: Some(trid) }.encode(out));
    }

    /// As [`Lines::say`], for an answer that may be long and does not count against the hard
    /// limit: asking for it is what costs, and over the soft limit nothing more is asked.
    pub(super) fn recite(&mut self, conn: SlotId, encode: impl FnOnce(&mut Vec<u8>)) {
        if let Some(session) = self.sessions.get_mut(conn) {
            if !session.is_closing() {
                let before = session.outbox.len();
                encode(session.outbox.buffer());
                let added = session.outbox.len().saturating_sub(before);
                session.exempt = session.exempt.saturating_add(added);
                announce(&mut self.outputs, session, conn);
            }
        }
    }

    /// Hands a connection what others caused. Returns whether it took it; one that lags by more
    /// than the hard limit is to be dropped.
    pub(super) fn push(&mut self, conn: SlotId, parts: [&[u8]; 3]) -> bool {
        let Some(session) = self.sessions.get_mut(conn) else { return false };
        if session.doomed || session.is_closing() {
            return false;
        }
        let more = parts.iter().fold(0_usize, |sum, part| sum.saturating_add(part.len()));
        let waiting = session.outbox.len().saturating_add(more);
        if waiting.saturating_sub(session.exempt) > self.hard_limit {
            session.doomed = true;
            self.doomed.push(conn);
            return false;
        }
        let out = session.outbox.buffer_for(more, self.hard_limit);
        for part in parts {
            out.extend_from_slice(part);
        }
        announce(&mut self.outputs, session, conn);
        true
    }

    pub(super) fn close(&mut self, conn: SlotId, how: Shutdown) {
        self.outputs.push_back(Output::Close { conn: conn.into(), how });
    }

    /// A driver that waits for a reason to look at the connection again gets one.
    pub(super) fn nudge(&mut self, conn: SlotId) {
        if let Some(session) = self.sessions.get_mut(conn) {
            announce(&mut self.outputs, session, conn);
        }
    }

    pub(super) fn consume(&mut self, conn: SlotId, written: usize) {
        if let Some(session) = self.sessions.get_mut(conn) {
            session.outbox.consume(written);
            let recited = session.exempt > 0;
            session.exempt = session.exempt.saturating_sub(written).min(session.outbox.len());
            if recited && session.outbox.is_empty() {
                // What follows a long answer is short; most people are idle after it.
                session.outbox = Outbox::new();
            }
        }
    }

    pub(super) fn poll(&mut self) -> Option<Output<Event>> {
        let output = self.outputs.pop_front()?;
        if let Output::Transmit { conn } = output {
            if let Some(session) = self.sessions.get_mut(conn.into()) {
                session.announced = false;
            }
        }
        Some(output)
    }
}

#[inline]
fn announce(outputs: &mut VecDeque<Output<Event>>, session: &mut Session, conn: SlotId) {
    if !session.announced {
        session.announced = true;
        outputs.push_back(Output::Transmit { conn: conn.into() });
    }
}
