//! A connection's life: accepted, read, ended.

use core::net::IpAddr;

use super::arena::{SlotId, Task};
use super::event::{Event, Role, Why};
use super::lines::{Session, State};
use super::rates::Use;
use super::{Directory, Hub};
use crate::error::{CommandError, Expected};
use crate::limits::{Leniency, Limits};
use crate::machine::{Closed, Shutdown};
use crate::ns::Reply;
use crate::ns::server::SignIn;
use crate::time::{Duration, Instant};
use crate::types::{ErrorCode, Token, TrId};
use crate::wire::{Arg, Args, Extra, Frame, FrameDecoder, Inbox, Incoming, Outbox};

/// How long after one event for connections that were turned away there is no other.
const QUIET: Duration = Duration::from_secs(60);

/// What the operator was told of connections that were turned away.
#[derive(Default)]
pub(super) struct TurnedAway {
    quiet_until: Option<Instant>,
    untold: u64,
}

impl<D: Directory> Hub<D> {
    /// Takes a connection in, or turns it away.
    pub(super) fn accept(&mut self, now: Instant, role: Role, from: IpAddr) -> Option<SlotId> {
        if self.stopping {
            return None;
        }
        let limits = &self.config.limits;
        let here = self.per_address.get(&from).copied().unwrap_or(0);
        if self.lines.sessions.len() >= limits.connections {
            return self.refuse_entry(now, role, from, Why::Crowd);
        }
        if here >= limits.connections_per_address {
            return self.refuse_entry(now, role, from, Why::CrowdOfAddress);
        }
        let mut of_line = Limits { line: limits.line_before_sign_in, ..Limits::new() };
        let (decoder, state) = match role {
            Role::Switchboard => {
                of_line.payload = limits.message;
                (FrameDecoder::switchboard_server(of_line), State::Knocking)
            }
            Role::Dispatch | Role::Notification => {
                of_line.payload = limits.payload;
                (FrameDecoder::notification_server(of_line), State::SigningIn(SignIn::New))
            }
        };
        self.per_address.insert(from, here.saturating_add(1));
        let deadline = now + limits.sign_in;
        let decoder = decoder.with_leniency(self.config.leniency);
        let session = Session::new(Inbox::new(decoder), from, role, state);
        let conn = self.lines.sessions.insert(session);
        self.arm(conn, Some(deadline));
        Some(conn)
    }

    /// Takes no connection. The operator is told, but not of each: a flood of connections is not to
    /// become one of events.
    fn refuse_entry(&mut self, now: Instant, role: Role, from: IpAddr, why: Why) -> Option<SlotId> {
        self.turned_away.untold = self.turned_away.untold.saturating_add(1);
        if self.turned_away.quiet_until.is_none_or(|until| until <= now) {
            let count = core::mem::take(&mut self.turned_away.untold);
            self.turned_away.quiet_until = Some(now + QUIET);
            self.lines.event(Event::TurnedAway { role, from, why, count });
        }
        None
    }

    /// Sets or clears the connection's own deadline.
    pub(super) fn arm(&mut self, conn: SlotId, at: Option<Instant>) {
        if let Some(session) = self.lines.sessions.get_mut(conn) {
            self.agenda.set(&mut session.due, Task::Session(conn), at);
        }
    }

    /// Takes bytes that arrived.
    pub(super) fn read(&mut self, now: Instant, conn: SlotId, bytes: &[u8]) {
        let Some(session) = self.lines.sessions.get_mut(conn) else {
            self.stats.add_late_call();
            return;
        };
        if session.is_closing() {
            return;
        }
        if !session.deferred.is_empty() || session.is_throttled(&self.config.limits) {
            // A driver that asks `wants_read` first never brings this much.
            if session.deferred.len() > self.config.limits.backlog_hard {
                return self.end(now, conn, Why::Backlog, Shutdown::Abort);
            }
            session.deferred.buffer().extend_from_slice(bytes);
        } else {
            let rest = self.read_frames(now, conn, bytes);
            if let Some(session) = self.lines.sessions.get_mut(conn).filter(|_| !rest.is_empty()) {
                session.deferred.buffer().extend_from_slice(rest);
            }
        }
        self.charge(now, conn, Use::Byte, bytes.len());
    }

    /// Reads frames until there are no more, or the connection is over or has to wait. Returns what
    /// is to be read when it has waited.
    fn read_frames<'a>(&mut self, now: Instant, conn: SlotId, mut bytes: &'a [u8]) -> &'a [u8] {
        let session = self.lines.sessions.get_mut(conn);
        let Some(mut inbox) = session.and_then(|session| session.inbox.take()) else { return &[] };
        loop {
            let entered = match inbox.next(&mut bytes) {
                Ok(Some(incoming)) => self.on_incoming(now, conn, incoming),
                Ok(None) => break,
                Err(error) => {
                    self.end(now, conn, Why::Frame(error), Shutdown::Flush);
                    return &[];
                }
            };
            if entered {
                inbox.decoder().set_line_limit(self.config.limits.line);
            }
            let Some(session) = self.lines.sessions.get_mut(conn) else { return &[] };
            if session.is_closing() {
                return &[];
            }
            if session.is_throttled(&self.config.limits) {
                break;
            }
        }
        if let Some(session) = self.lines.sessions.get_mut(conn) {
            session.inbox = Some(inbox);
        }
        bytes
    }

    /// Reads on, if the connection had to wait and need not any more.
    pub(super) fn read_deferred(&mut self, now: Instant, conn: SlotId) {
        let Some(session) = self.lines.sessions.get_mut(conn) else { return };
        if session.is_throttled(&self.config.limits) || session.deferred.is_empty() {
            return;
        }
        let mut waiting = core::mem::take(&mut session.deferred);
        let all = waiting.pending();
        let read = all.len().saturating_sub(self.read_frames(now, conn, all).len());
        waiting.consume(read);
        if let Some(session) = self.lines.sessions.get_mut(conn).filter(|_| !waiting.is_empty()) {
            session.deferred = waiting;
        }
    }

    pub(super) fn resume(&mut self, now: Instant, conn: SlotId) {
        if let Some(session) = self.lines.sessions.get_mut(conn) {
            session.resume = None;
            self.read_deferred(now, conn);
            self.lines.nudge(conn);
        }
    }

    /// Counts uses of what is limited in rate. What is over the limit was done all the same; the
    /// connection is read on only when it has waited for it.
    #[inline]
    pub(super) fn charge(&mut self, now: Instant, conn: SlotId, kind: Use, uses: usize) {
        let Some(rate) = kind.rate(&self.config.limits) else { return };
        let Some(session) = self.lines.sessions.get_mut(conn) else { return };
        let wait = session.spent.take(now, kind, rate, uses);
        if wait.is_zero() || session.is_closing() {
            return;
        }
        let until = now + wait;
        session.held_until = session.held_until.max(until);
        if session.resume.is_none_or(|resume| resume < until) {
            self.agenda.set(&mut session.resume, Task::Resume(conn), Some(until));
        }
    }

    /// Takes a frame. Returns whether it ended signing in, so that longer lines are taken.
    fn on_incoming(&mut self, now: Instant, conn: SlotId, incoming: Incoming<'_>) -> bool {
        let Some(session) = self.lines.sessions.get(conn) else { return false };
        let (frame, fits) = match incoming {
            Incoming::Frame(frame) => (frame, true),
            Incoming::Oversized { frame, .. } => (frame, false),
        };
        let is_text = matches!(session.state, State::Seated { .. }) && is_message(frame);
        self.charge(now, conn, if is_text { Use::Text } else { Use::Command }, 1);
        let Some(session) = self.lines.sessions.get(conn) else { return false };
        if !fits {
            self.on_oversized(now, conn, frame);
            return false;
        }
        match session.state {
            State::Seated { room, seat, .. } => {
                self.on_talk(now, conn, room, seat, frame);
                false
            }
            State::SignedIn { person, dialect } => {
                self.on_command(now, conn, person, dialect, frame);
                false
            }
            State::SigningIn(_) => self.on_sign_in(now, conn, frame),
            State::Knocking => self.on_knock(now, conn, frame),
            State::Closing => false,
        }
    }

    fn on_oversized(&mut self, now: Instant, conn: SlotId, frame: Frame<'_>) {
        let trid = trid_of(frame);
        let Some(session) = self.lines.sessions.get(conn) else { return };
        match (&session.state, frame.verb(), trid) {
            (State::Seated { .. } | State::Knocking, ..) => {
                self.end(now, conn, Why::MessageTooLong, Shutdown::Flush);
            }
            (State::SigningIn(_), Some(verb), trid) => self.end_unexpected(now, conn, verb, trid),
            (_, Some(verb), Some(trid)) if verb.as_bytes() == b"QRY" => {
                self.fail_challenge(now, conn, trid);
            }
            (_, Some(verb), Some(trid)) if verb.as_bytes() == b"PAG" => {
                self.lines.refuse(conn, ErrorCode::PAGING_UNAVAILABLE, trid);
            }
            (_, _, Some(trid)) => self.lines.refuse(conn, ErrorCode::BAD_PARAMETERS, trid),
            (_, Some(verb), None) => self.end(now, conn, Why::Invalid(verb), Shutdown::Flush),
            (_, None, None) => self.strike(now, conn),
        }
    }

    /// A command that this side does not know: an error if it can be said for which one.
    pub(super) fn on_unknown(&mut self, now: Instant, conn: SlotId, frame: Frame<'_>) {
        if let Some(trid) = trid_of(frame) {
            self.lines.refuse(conn, ErrorCode::SYNTAX, trid);
        }
        self.strike(now, conn);
    }

    /// A known command with arguments that do not fit: 201 if one is missing or is not what it
    /// should be, the end if not even its id can be read or a setting is none.
    pub(super) fn on_unreadable(
        &mut self,
        now: Instant,
        conn: SlotId,
        frame: Frame<'_>,
        error: CommandError,
    ) {
        let ends = match error.expected {
            Expected::TrId => true,
            Expected::Privacy | Expected::Prompt | Expected::Delivery => !error.missing,
            _ => false,
        };
        match trid_of(frame) {
            Some(trid) if !ends => {
                self.lines.refuse(conn, ErrorCode::INVALID_PARAMETER, trid);
                self.strike(now, conn);
            }
            _ => self.end(now, conn, Why::Unreadable(error), Shutdown::Flush),
        }
    }

    /// Whether a command is not taken because there is more on its line than it has arguments and
    /// blanks between them; only when strict.
    #[inline]
    pub(super) fn is_excess(
        &mut self,
        now: Instant,
        conn: SlotId,
        frame: Frame<'_>,
        extra: Extra<'_>,
    ) -> bool {
        if self.config.leniency == Leniency::Lenient || is_canonical(frame.line(), extra) {
            return false;
        }
        if let Some(trid) = trid_of(frame) {
            self.lines.refuse(conn, ErrorCode::INVALID_PARAMETER, trid);
        }
        self.strike(now, conn);
        true
    }

    fn strike(&mut self, now: Instant, conn: SlotId) {
        let Some(session) = self.lines.sessions.get_mut(conn) else { return };
        session.strikes = session.strikes.saturating_add(1);
        let strict = self.config.leniency == Leniency::Strict;
        if strict || session.strikes >= self.config.limits.strikes {
            self.end(now, conn, Why::NotMsnp, Shutdown::Flush);
        }
    }

    /// A command that could be read: the count of those that could not starts again.
    pub(super) fn forgive(&mut self, conn: SlotId) {
        if let Some(session) = self.lines.sessions.get_mut(conn) {
            session.strikes = 0;
        }
    }

    pub(super) fn on_session_due(&mut self, now: Instant, conn: SlotId) {
        let Some(session) = self.lines.sessions.get_mut(conn) else { return };
        session.due = None;
        match session.state {
            State::SigningIn(_) | State::Knocking => {
                self.end(now, conn, Why::SignInTimeout, Shutdown::Flush);
            }
            State::SignedIn { person, .. } => self.on_challenge_due(now, conn, person),
            State::Seated { .. } | State::Closing => {}
        }
    }

    /// Ends a connection with `OUT`.
    pub(super) fn dismiss(
        &mut self,
        now: Instant,
        conn: SlotId,
        reason: Option<&'static str>,
        why: Why,
    ) {
        self.commit_before_end(Some(conn));
        let reason = reason.and_then(|reason| Token::new(reason.as_bytes()));
        self.lines.say(conn, |out| Reply::Out { reason }.encode(out));
        self.end(now, conn, why, Shutdown::Flush);
    }

    /// Ends a connection: its person is signed out or its place left, and it is closed.
    pub(super) fn end(&mut self, now: Instant, conn: SlotId, why: Why, how: Shutdown) {
        self.commit_before_end(Some(conn));
        if self.retire(now, conn, why) {
            self.lines.close(conn, how);
        }
    }

    /// The driver says that a connection is gone.
    pub(super) fn forget(&mut self, now: Instant, conn: SlotId, why: Closed) {
        self.commit_before_end(Some(conn));
        self.retire(now, conn, Why::Connection(why));
        let Some(session) = self.lines.sessions.remove(conn) else { return };
        if let Some(count) = self.per_address.get_mut(&session.from) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.per_address.remove(&session.from);
            }
        }
    }

    /// Takes a connection out of everything that it is in; only what is pending stays. Returns
    /// whether it was in anything.
    fn retire(&mut self, now: Instant, conn: SlotId, why: Why) -> bool {
        let Some(session) = self.lines.sessions.get_mut(conn) else { return false };
        if session.is_closing() {
            return false;
        }
        let state = core::mem::replace(&mut session.state, State::Closing);
        session.inbox = None;
        session.deferred = Outbox::new();
        self.agenda.set(&mut session.due, Task::Session(conn), None);
        self.agenda.set(&mut session.resume, Task::Resume(conn), None);
        let (role, from) = (session.role, session.from);
        if let State::SignedIn { person, .. } = state {
            self.sign_out(now, person, why);
            return true;
        }
        if let State::Seated { room, seat, person } = state {
            self.leave(now, conn, room, seat, person, why);
        }
        let usual = matches!(
            why,
            Why::Left | Why::HungUp | Why::Connection(_) | Why::ShutDown | Why::SignedOut
        );
        if !usual {
            self.lines.event(Event::Dropped { conn: conn.into(), role, from, why });
        }
        true
    }
}

fn is_message(frame: Frame<'_>) -> bool {
    frame.verb().is_some_and(|verb| verb.as_bytes() == b"MSG")
}

/// Whether a line has single blanks between its words and nothing behind the last argument.
fn is_canonical(line: &[u8], extra: Extra<'_>) -> bool {
    extra.is_empty()
        && line.split(|byte| *byte == b' ').all(|word| !word.is_empty())
        && !line.contains(&b'\t')
}

/// The first argument of a frame as a transaction id.
pub(super) fn trid_of(frame: Frame<'_>) -> Option<TrId> {
    TrId::read(&mut Args::new(frame)?).ok()
}
