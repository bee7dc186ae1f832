//! What the machine is at any moment, how it begins and how it ends.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

use super::messages::Open;
use super::people::{Call, Member};
use super::{Event, Setup};
use crate::body::text::LastHeader;
use crate::client::{Failure, Warning};
use crate::error::{Lost, Misuse};
use crate::link::Link;
use crate::sb::Request;
use crate::secret::Secret;
use crate::time::Instant;
use crate::types::{Account, Token, TrId};

pub(super) struct Core {
    pub(super) link: Link<Event>,
    pub(super) setup: Setup,
    pub(super) state: State,
    pub(super) members: Vec<Member>,
    pub(super) calls: Vec<Call>,
    /// Messages without an end, in the order in which they were given.
    pub(super) open: VecDeque<Open>,
    /// How many of `open`, from the front, have been written.
    pub(super) sent: usize,
    /// Bytes ever queued and ever written, to tell which messages are on the network.
    pub(super) queued: u64,
    pub(super) written: u64,
    /// When the state must have moved on, or the last word was said.
    pub(super) since: Instant,
    pub(super) was_called: bool,
    pub(super) last_header: LastHeader,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// USR was sent.
    Opening(TrId),
    /// ANS was sent; `seen` people have been named of `total`.
    Answering {
        trid: TrId,
        seen: u32,
        total: u32,
    },
    Inside,
    /// OUT was sent.
    Leaving,
    Finished,
}

impl Core {
    /// Enters a switchboard that we asked for.
    pub(super) fn calling(now: Instant, setup: Setup, cookie: &Secret) -> Self {
        let mut this = Self::new(now, setup);
        let trid = this.link.next_trid();
        this.state = State::Opening(trid);
        let account = this.setup.account.clone();
        if let Some(cookie) = Token::new(cookie.expose().as_bytes()) {
            this.say(&Request::Usr { trid, account: Account::from(&account), cookie });
        }
        this
    }

    /// Enters a switchboard that we were called to.
    pub(super) fn answering(now: Instant, setup: Setup, cookie: &Secret, session: &str) -> Self {
        let mut this = Self::new(now, setup);
        let trid = this.link.next_trid();
        this.state = State::Answering { trid, seen: 0, total: 0 };
        this.was_called = true;
        let account = this.setup.account.clone();
        let words = (Token::new(cookie.expose().as_bytes()), Token::new(session.as_bytes()));
        if let (Some(cookie), Some(session)) = words {
            let account = Account::from(&account);
            this.say(&Request::Ans { trid, account, cookie, session });
        }
        this
    }

    fn new(now: Instant, setup: Setup) -> Self {
        Self {
            link: Link::new(),
            setup,
            state: State::Finished,
            members: Vec::new(),
            calls: Vec::new(),
            open: VecDeque::new(),
            sent: 0,
            queued: 0,
            written: 0,
            since: now,
            was_called: false,
            last_header: LastHeader::default(),
        }
    }

    pub(super) fn is_listening(&self) -> bool {
        !matches!(self.state, State::Leaving | State::Finished)
    }

    pub(super) fn require_inside(&self) -> Result<(), Misuse> {
        if self.state != State::Inside {
            return Err(Misuse::NotOnline);
        }
        if self.link.outbox.len() >= self.setup.limits.send_backlog {
            return Err(Misuse::Backlog);
        }
        Ok(())
    }

    pub(super) fn say(&mut self, request: &Request<'_>) {
        let before = self.link.outbox.len();
        request.encode(self.link.outbox.buffer());
        let grown = self.link.outbox.len().saturating_sub(before);
        self.queued = self.queued.saturating_add(grown as u64);
    }

    pub(super) fn warn(&mut self, warning: Warning) {
        self.link.tell(Event::Warning(warning));
    }

    pub(super) fn enter(&mut self, now: Instant) {
        self.state = State::Inside;
        self.since = now;
        self.link.tell(Event::Entered);
    }

    pub(super) fn leave(&mut self, why: Lost) {
        if !self.is_listening() {
            return;
        }
        if self.state == State::Inside {
            self.say(&Request::Out {});
        }
        self.end(why, true);
        self.state = State::Leaving;
    }

    pub(super) fn lose(&mut self, why: Lost) {
        if self.state == State::Finished {
            return;
        }
        if self.state == State::Leaving {
            self.state = State::Finished;
            return;
        }
        // What was reported as not sent must not be sent by a flush.
        self.link.outbox.clear();
        self.end(why, false);
        self.state = State::Finished;
    }

    pub(super) fn end(&mut self, why: Lost, flushed: bool) {
        self.end_open(why, flushed);
        for call in core::mem::take(&mut self.calls).into_iter().filter(|call| !call.joined) {
            let why = Failure::Lost(why);
            self.link.tell(Event::CallFailed { account: call.account, why });
        }
        self.link.tell(Event::Lost(why));
        self.link.finish();
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("state", &self.state)
            .field("members", &self.members)
            .field("open", &self.open.len())
            .finish_non_exhaustive()
    }
}
