//! The client's side of one switchboard.
//!
//! The machine knows who is inside, who is being called and what became of each message. It does
//! not know of chats that outlive it, nor where the connection comes from.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{Reply, Request};
use crate::body::{self, text::LastHeader};
use crate::client::{Content, Failure, MessageId, Outcome, Warning};
use crate::error::{Expected, Lost, Misuse, Violation, Wait};
use crate::limits::{self, Leniency, Limits, Waits};
use crate::link::Link;
use crate::machine::Machine;
use crate::secret::Secret;
use crate::time::{Instant, earlier};
use crate::types::{Account, Delivery, ErrorReply, Handle, Name, Nick, Token, TrId};
use crate::wire::{Body, Frame, FrameDecoder, Inbox, Incoming, Parsed, Verb};

/// One switchboard, from entering to leaving. A [`Machine`] that begins with its first command
/// pending.
#[derive(Debug)]
pub struct Switchboard {
    inbox: Inbox,
    core: Core,
}

/// What a switchboard needs to know of its client.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Setup {
    /// One's own account, in the spelling of the notification server.
    pub account: Handle,
    /// What the server may cost.
    pub limits: Limits,
    /// How long to wait for what.
    pub waits: Waits,
    /// How forgiving to be.
    pub leniency: Leniency,
    /// People that are kept; more are reported and ignored.
    pub people: usize,
}

impl Setup {
    /// The defaults, for one account.
    #[must_use]
    pub fn new(account: Handle) -> Self {
        Self {
            account,
            limits: Limits::new(),
            waits: Waits::new(),
            leniency: Leniency::Lenient,
            people: 64,
        }
    }
}

/// What happens in a switchboard.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// We are in; those who were there before have been named.
    Entered,
    /// Somebody is in.
    Joined {
        /// Who.
        account: Handle,
        /// The name they go by.
        nick: Nick,
    },
    /// Somebody is gone.
    Left {
        /// Who.
        account: Handle,
        /// The server dropped them for being idle.
        idle: bool,
    },
    /// Somebody whom we called did not come.
    CallFailed {
        /// Who.
        account: Handle,
        /// Why.
        why: Failure,
    },
    /// Somebody said something.
    Received {
        /// Who.
        account: Handle,
        /// The name they go by.
        nick: Nick,
        /// What.
        content: Content,
    },
    /// Somebody is typing.
    Typing {
        /// Who.
        account: Handle,
    },
    /// The last byte of a message was written.
    Sent {
        /// The message.
        message: MessageId,
    },
    /// The end of a message.
    Delivery {
        /// The message.
        message: MessageId,
        /// How it ended.
        outcome: Outcome,
    },
    /// Something that does not fit; nothing was lost by it.
    Warning(Warning),
    /// The switchboard is over. Every message has had its end before this.
    Lost(Lost),
}

struct Core {
    link: Link<Event>,
    setup: Setup,
    state: State,
    members: Vec<Member>,
    calls: Vec<Call>,
    /// Messages without an end, in the order in which they were given.
    open: VecDeque<Open>,
    /// How many of `open`, from the front, have been written.
    sent: usize,
    /// Bytes ever queued and ever written, to tell which messages are on the network.
    queued: u64,
    written: u64,
    /// When the state must have moved on, or the last word was said.
    since: Instant,
    was_called: bool,
    last_header: LastHeader,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
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

#[derive(Clone, Debug)]
struct Member {
    account: Handle,
    nick: Nick,
}

#[derive(Clone, Debug)]
struct Call {
    trid: TrId,
    account: Handle,
    ringing: bool,
    joined: bool,
    deadline: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    trid: TrId,
    message: MessageId,
    delivery: Delivery,
    begin: u64,
    end: u64,
    deadline: Instant,
}

impl Switchboard {
    /// Enters a switchboard that we asked for, with the cookie from XFR.
    #[must_use]
    pub fn calling(now: Instant, setup: Setup, cookie: &Secret) -> Self {
        let mut this = Self::new(now, setup);
        let trid = this.core.link.next_trid();
        this.core.state = State::Opening(trid);
        let account = this.core.setup.account.clone();
        if let Some(cookie) = Token::new(cookie.expose().as_bytes()) {
            this.core.say(&Request::Usr { trid, account: Account::from(&account), cookie });
        }
        this
    }

    /// Enters a switchboard that we were called to, with cookie and session from RNG.
    #[must_use]
    pub fn answering(now: Instant, setup: Setup, cookie: &Secret, session: &str) -> Self {
        let mut this = Self::new(now, setup);
        let trid = this.core.link.next_trid();
        this.core.state = State::Answering { trid, seen: 0, total: 0 };
        this.core.was_called = true;
        let account = this.core.setup.account.clone();
        let words = (Token::new(cookie.expose().as_bytes()), Token::new(session.as_bytes()));
        if let (Some(cookie), Some(session)) = words {
            let account = Account::from(&account);
            this.core.say(&Request::Ans { trid, account, cookie, session });
        }
        this
    }

    fn new(now: Instant, setup: Setup) -> Self {
        let decoder = FrameDecoder::new(Reply::has_payload, &setup.limits, setup.leniency);
        Self {
            inbox: Inbox::new(decoder),
            core: Core {
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
            },
        }
    }

    /// Calls somebody in. What comes of it is [`Event::Joined`] or [`Event::CallFailed`].
    ///
    /// # Errors
    ///
    /// [`Misuse::NotOnline`] before [`Event::Entered`] and after the end, [`Misuse::Already`] if
    /// they are in or being called, [`Misuse::Backlog`] if too much is open.
    pub fn call(&mut self, now: Instant, account: &Handle) -> Result<(), Misuse> {
        let core = &mut self.core;
        core.require_inside()?;
        if core.members.iter().any(|member| member.account == *account)
            || core.calls.iter().any(|call| call.account == *account && !call.joined)
        {
            return Err(Misuse::Already);
        }
        if core.calls.len() >= core.setup.people {
            return Err(Misuse::Backlog);
        }
        let trid = core.link.next_trid();
        core.say(&Request::Cal { trid, account: Account::from(account) });
        core.since = now;
        core.calls.push(Call {
            trid,
            account: account.clone(),
            ringing: false,
            joined: false,
            deadline: now + core.setup.waits.invitation,
        });
        Ok(())
    }

    /// Says something to everybody inside. What comes of it is one [`Event::Delivery`].
    ///
    /// # Errors
    ///
    /// [`Misuse::TooLong`] over [`limits::SWITCHBOARD_PAYLOAD`], [`Misuse::NotOnline`] when
    /// nobody is inside, [`Misuse::Backlog`] if too much is waiting. Nothing is sent then.
    pub fn send(
        &mut self,
        now: Instant,
        message: MessageId,
        delivery: Delivery,
        payload: &[u8],
    ) -> Result<(), Misuse> {
        let core = &mut self.core;
        core.require_inside()?;
        core.check_payload(payload)?;
        if core.members.is_empty() {
            return Err(Misuse::NotOnline);
        }
        if core.open.len() >= core.setup.limits.open_requests {
            return Err(Misuse::Backlog);
        }
        let begin = core.queued;
        let trid = core.link.next_trid();
        core.say(&Request::Msg { trid, delivery, body: Body(payload) });
        core.since = now;
        core.open.push_back(Open {
            trid,
            message,
            delivery,
            begin,
            end: core.queued,
            deadline: now + core.setup.waits.acknowledgement,
        });
        Ok(())
    }

    /// Tells everybody inside that we are typing. Nothing is heard of it.
    ///
    /// # Errors
    ///
    /// As [`Switchboard::send`].
    pub fn send_typing(&mut self, now: Instant) -> Result<(), Misuse> {
        let core = &mut self.core;
        core.require_inside()?;
        let mut payload = Vec::with_capacity(160);
        body::control::write_typing(&mut payload, &core.setup.account);
        core.check_payload(&payload)?;
        let trid = core.link.next_trid();
        core.say(&Request::Msg { trid, delivery: Delivery::Unacknowledged, body: Body(&payload) });
        core.since = now;
        Ok(())
    }

    /// Leaves: the goodbye is pending, then the connection may be closed.
    pub fn leave(&mut self) {
        self.leave_because(Lost::SignedOut);
    }

    /// As [`Switchboard::leave`], with the reason that is reported.
    pub(crate) fn leave_because(&mut self, why: Lost) {
        self.core.leave(why);
    }

    /// Whether we came because somebody called.
    pub(crate) fn was_called(&self) -> bool {
        self.core.was_called
    }

    /// The connection is gone, for a reason that only its owner knows.
    pub fn abandon(&mut self, why: Lost) {
        self.core.lose(why);
    }

    /// The people who are inside, without us.
    pub fn members(&self) -> impl Iterator<Item = (&Handle, &Nick)> {
        self.core.members.iter().map(|member| (&member.account, &member.nick))
    }

    /// Whether anybody is being called and has not come yet.
    #[must_use]
    pub fn is_calling(&self) -> bool {
        self.core.calls.iter().any(|call| !call.joined)
    }

    /// Whether we are inside.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        self.core.state == State::Inside
    }

    /// How many bytes were looked at in search of line ends, in all.
    #[must_use]
    pub fn scanned(&mut self) -> u64 {
        self.inbox.decoder().scanned()
    }

    /// Takes the first frame of `bytes`, so that its events can be acted on before the next one.
    /// Returns whether there was one; if not, all of `bytes` has been taken.
    pub(crate) fn take_frame(&mut self, now: Instant, bytes: &mut &[u8]) -> bool {
        let Self { inbox, core } = self;
        if !core.is_listening() {
            return false;
        }
        let result = match inbox.next(bytes) {
            Ok(None) => return false,
            Ok(Some(Incoming::Frame(frame))) => core.on_frame(now, frame),
            Ok(Some(Incoming::Oversized { frame, announced })) => {
                let verb = frame.verb().unwrap_or(Verb::MSG);
                core.warn(Warning::Oversized { verb, announced });
                Ok(())
            }
            Err(error) => Err(Lost::Frame(error)),
        };
        if let Err(why) = result {
            core.lose(why);
        }
        true
    }
}

impl Machine for Switchboard {
    type Event = Event;

    fn handle_input(&mut self, now: Instant, mut bytes: &[u8]) {
        while self.take_frame(now, &mut bytes) {}
    }

    fn handle_eof(&mut self, _now: Instant) {
        let unfinished = !self.inbox.is_between_frames();
        self.core.lose(match self.core.state {
            State::Leaving => Lost::SignedOut,
            _ => Lost::HungUp { unfinished },
        });
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.core.on_time(now);
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.core.next_deadline()
    }

    fn pending(&self) -> &[u8] {
        self.core.link.outbox.pending()
    }

    fn consume(&mut self, _now: Instant, written: usize) {
        self.core.consume(written);
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.core.link.poll_event()
    }

    fn is_finished(&self) -> bool {
        self.core.link.is_finished()
    }
}

impl Core {
    fn is_listening(&self) -> bool {
        !matches!(self.state, State::Leaving | State::Finished)
    }

    fn require_inside(&self) -> Result<(), Misuse> {
        if self.state != State::Inside {
            return Err(Misuse::NotOnline);
        }
        if self.link.outbox.len() >= self.setup.limits.send_backlog {
            return Err(Misuse::Backlog);
        }
        Ok(())
    }

    fn check_payload(&self, payload: &[u8]) -> Result<(), Misuse> {
        let (size, limit) = (payload.len(), limits::SWITCHBOARD_PAYLOAD);
        if size > limit { Err(Misuse::TooLong { size, limit }) } else { Ok(()) }
    }

    fn say(&mut self, request: &Request<'_>) {
        let before = self.link.outbox.len();
        request.encode(self.link.outbox.buffer());
        let grown = self.link.outbox.len().saturating_sub(before);
        self.queued = self.queued.saturating_add(grown as u64);
    }

    fn warn(&mut self, warning: Warning) {
        self.link.tell(Event::Warning(warning));
    }

    fn on_frame(&mut self, now: Instant, frame: Frame<'_>) -> Result<(), Lost> {
        if let Some(error) = ErrorReply::parse(frame) {
            self.link.reset_fuse();
            return self.on_error(error);
        }
        match Reply::parse(frame) {
            Ok(Parsed::Command(reply, _)) => {
                self.link.reset_fuse();
                self.on_reply(now, reply)
            }
            Ok(Parsed::Unknown(frame)) => {
                let warning = self.link.unknown(frame, self.state == State::Inside)?;
                self.warn(warning);
                Ok(())
            }
            Err(error) if self.state == State::Inside => {
                self.warn(Warning::Unreadable(error));
                Ok(())
            }
            Err(error) => Err(Lost::Violation(Violation::Unreadable(error))),
        }
    }

    fn on_reply(&mut self, now: Instant, reply: Reply<'_>) -> Result<(), Lost> {
        match (self.state, reply) {
            (State::Opening(asked), Reply::UsrOk { trid, account, .. }) if trid == asked => {
                if !account.is(&self.setup.account) {
                    return Err(Lost::Violation(Violation::Account));
                }
                self.enter(now);
            }
            (
                State::Answering { trid: asked, seen, .. },
                Reply::Iro { trid, index: _, total, account, name },
            ) if trid == asked => {
                let seen = seen.saturating_add(1);
                self.state = State::Answering { trid, seen, total: total.0 };
                self.join(account, name, Verb::IRO);
            }
            (State::Answering { trid: asked, seen, total }, Reply::AnsOk { trid })
                if trid == asked =>
            {
                if seen != total {
                    self.warn(Warning::ListsIncomplete);
                }
                self.enter(now);
            }
            (State::Inside | State::Answering { .. }, Reply::Joi { account, name }) => {
                self.join(account, name, Verb::JOI);
            }
            // Who is in already may speak before all who are in have been named.
            (State::Inside | State::Answering { .. }, Reply::Msg { account, name, body }) => {
                self.since = now;
                self.receive(account, name, body.0);
            }
            (State::Inside, Reply::Ack { trid }) => {
                self.settle(Verb::ACK, trid, Outcome::Acknowledged);
            }
            (State::Inside, Reply::Nak { trid }) => {
                self.settle(Verb::NAK, trid, Outcome::Refused);
            }
            (State::Inside, Reply::Ringing { trid, .. }) => self.ring(trid),
            (State::Inside, Reply::Bye { account, idle }) => self.bye(account, idle.is_some()),
            (_, Reply::Out { .. }) => return Err(Lost::Dismissed),
            (State::Inside, reply) => self.warn(Warning::OutOfPlace { verb: reply.verb() }),
            (_, reply) => {
                let state = "entering a switchboard";
                return Err(Lost::Violation(Violation::Unexpected { verb: reply.verb(), state }));
            }
        }
        Ok(())
    }

    fn on_error(&mut self, error: ErrorReply) -> Result<(), Lost> {
        let ErrorReply { code, trid } = error;
        match self.state {
            State::Opening(asked) | State::Answering { trid: asked, .. }
                if trid.is_none_or(|trid| trid == asked) =>
            {
                return Err(Lost::Refused(code));
            }
            _ => {}
        }
        let call = self.calls.iter().position(|call| Some(call.trid) == trid && !call.joined);
        if let Some(place) = call {
            let call = self.calls.remove(place);
            let why = Failure::Refused(code);
            self.link.tell(Event::CallFailed { account: call.account, why });
            return Ok(());
        }
        match trid {
            Some(trid) => {
                self.settle(code.verb(), trid, Outcome::Failed(Failure::Refused(code)));
            }
            None => self.warn(Warning::Unmatched { verb: code.verb(), trid }),
        }
        Ok(())
    }

    fn enter(&mut self, now: Instant) {
        self.state = State::Inside;
        self.since = now;
        self.link.tell(Event::Entered);
    }

    fn join(&mut self, account: Account<'_>, name: Option<Name<'_>>, verb: Verb) {
        if account.is(&self.setup.account) {
            return;
        }
        if self.members.iter().any(|member| account.is(&member.account)) {
            return self.warn(Warning::OutOfPlace { verb });
        }
        if self.members.len() >= self.setup.people {
            return self.warn(Warning::TooMany { verb });
        }
        let call = self.calls.iter().position(|call| account.is(&call.account));
        let known = call.and_then(|place| self.calls.get_mut(place)).map(|call| {
            call.joined = true;
            call.account.clone()
        });
        self.calls.retain(|call| !(call.ringing && call.joined));
        let Some(account) = known.or_else(|| account.to_handle()) else {
            return self.warn(Warning::Invalid { verb, expected: Expected::Account });
        };
        let nick = name.map_or_else(|| Nick::of_handle(&account), Name::to_nick);
        self.members.push(Member { account: account.clone(), nick: nick.clone() });
        self.link.tell(Event::Joined { account, nick });
    }

    fn ring(&mut self, trid: TrId) {
        match self.calls.iter_mut().find(|call| call.trid == trid && !call.ringing) {
            Some(call) => call.ringing = true,
            None => self.warn(Warning::Unmatched { verb: Verb::CAL, trid: Some(trid) }),
        }
        self.calls.retain(|call| !(call.ringing && call.joined));
    }

    fn bye(&mut self, account: Account<'_>, idle: bool) {
        let Some(place) = self.members.iter().position(|member| account.is(&member.account)) else {
            return self.warn(Warning::OutOfPlace { verb: Verb::BYE });
        };
        let member = self.members.remove(place);
        self.calls.retain(|call| call.account != member.account);
        if self.members.is_empty() {
            // Whether they had it before they left is more than anyone can say.
            self.end_open(Lost::Alone, true);
        }
        self.link.tell(Event::Left { account: member.account, idle });
    }

    fn receive(&mut self, account: Account<'_>, name: Name<'_>, payload: &[u8]) {
        let member = self.members.iter().find(|member| account.is(&member.account));
        let account = match member {
            Some(member) => Some(member.account.clone()),
            None => account.to_handle(),
        };
        let Some(account) = account else {
            let expected = Expected::Account;
            return self.warn(Warning::Invalid { verb: Verb::MSG, expected });
        };
        let nick = match member {
            Some(member) if member.nick.is(name) => member.nick.clone(),
            _ => name.to_nick(),
        };
        if let Some(text) = self.last_header.text(payload) {
            let content = Content::Text(text);
            return self.link.tell(Event::Received { account, nick, content });
        }
        let (message, problem) = body::Message::parse_with(payload);
        if let Some(problem) = problem {
            self.warn(Warning::Payload { verb: Verb::MSG, problem });
        }
        let content = match message {
            // A header that is reported is reported with every text.
            body::Message::Text(text) if problem.is_some() => Content::Text(text.to_text()),
            body::Message::Text(text) => Content::Text(self.last_header.remember(&text)),
            body::Message::Typing { .. } => return self.link.tell(Event::Typing { account }),
            _ => {
                let essence = body::Mime::parse(payload).content_type().essence;
                let content_type = String::from_utf8_lossy(essence).into_owned();
                Content::Other { content_type, payload: payload.to_vec() }
            }
        };
        self.link.tell(Event::Received { account, nick, content });
    }

    /// Ends the open message of this id.
    fn settle(&mut self, verb: Verb, trid: TrId, outcome: Outcome) {
        let place = match self.open.front() {
            Some(first) if first.trid == trid => Some(0),
            _ => self.open.iter().position(|open| open.trid == trid),
        };
        let Some(open) = place.and_then(|place| self.take_open(place)) else {
            return self.warn(Warning::Unmatched { verb, trid: Some(trid) });
        };
        self.link.tell(Event::Delivery { message: open.message, outcome });
    }

    fn take_open(&mut self, place: usize) -> Option<Open> {
        let open = self.open.remove(place)?;
        if place < self.sent {
            self.sent = self.sent.saturating_sub(1);
        }
        Some(open)
    }

    fn consume(&mut self, written: usize) {
        let written = written.min(self.link.outbox.len());
        self.link.outbox.consume(written);
        self.written = self.written.saturating_add(written as u64);
        while let Some(open) = self.open.get(self.sent).filter(|open| open.end <= self.written) {
            let Open { message, delivery, .. } = *open;
            self.sent = self.sent.saturating_add(1);
            self.link.tell(Event::Sent { message });
            if delivery == Delivery::Unacknowledged {
                let _ = self.take_open(self.sent.saturating_sub(1));
                self.link.tell(Event::Delivery { message, outcome: Outcome::Assumed });
            }
        }
    }

    /// Ends every open message. What was not written yet has failed, unless it still `will_be`.
    fn end_open(&mut self, why: Lost, will_be: bool) {
        self.sent = 0;
        while let Some(open) = self.open.pop_front() {
            let outcome = if open.begin >= self.written && !will_be {
                Outcome::Failed(Failure::Lost(why))
            } else {
                Outcome::Unknown(why)
            };
            self.link.tell(Event::Delivery { message: open.message, outcome });
        }
    }

    fn leave(&mut self, why: Lost) {
        if !self.is_listening() {
            return;
        }
        if self.state == State::Inside {
            self.say(&Request::Out {});
        }
        self.end(why, true);
        self.state = State::Leaving;
    }

    fn lose(&mut self, why: Lost) {
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

    fn end(&mut self, why: Lost, flushed: bool) {
        self.end_open(why, flushed);
        for call in core::mem::take(&mut self.calls).into_iter().filter(|call| !call.joined) {
            let why = Failure::Lost(why);
            self.link.tell(Event::CallFailed { account: call.account, why });
        }
        self.link.tell(Event::Lost(why));
        self.link.finish();
    }

    fn next_deadline(&self) -> Option<Instant> {
        let state = match self.state {
            State::Opening(_) | State::Answering { .. } => {
                Some(self.since + self.setup.waits.request)
            }
            State::Inside => Some(self.since + self.setup.waits.idle_chat),
            State::Leaving | State::Finished => return None,
        };
        let call = self.calls.iter().filter(|call| !call.joined).map(|call| call.deadline).min();
        let open = self.open.front().map(|open| open.deadline);
        earlier(state, earlier(call, open))
    }

    fn on_time(&mut self, now: Instant) {
        while let Some(open) = self.open.front().filter(|open| open.deadline <= now) {
            let Open { message, delivery, .. } = *open;
            let _ = self.take_open(0);
            let outcome = match delivery {
                Delivery::Always => Outcome::Unknown(Lost::TimedOut(Wait::Acknowledgement)),
                _ => Outcome::Assumed,
            };
            self.link.tell(Event::Delivery { message, outcome });
        }
        while let Some(place) =
            self.calls.iter().position(|call| !call.joined && call.deadline <= now)
        {
            let call = self.calls.remove(place);
            let why = Failure::TimedOut(Wait::Invitation);
            self.link.tell(Event::CallFailed { account: call.account, why });
        }
        match self.state {
            State::Opening(_) | State::Answering { .. }
                if self.since + self.setup.waits.request <= now =>
            {
                self.lose(Lost::TimedOut(Wait::Request));
            }
            State::Inside if self.since + self.setup.waits.idle_chat <= now => {
                self.leave(Lost::Idle);
            }
            _ => {}
        }
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
