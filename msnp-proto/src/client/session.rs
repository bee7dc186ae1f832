//! What the notification connection reports: sign-in, referrals, rings, the end.

use super::chats::Line;
use super::conns::{Entry, Role};
use super::{ChatId, Client, Event, Session, SignIn, Warning};
use crate::error::{Lost, Violation};
use crate::machine::{ConnId, Machine, Output, Shutdown, Target};
use crate::ns::{self, Credentials, Roster};
use crate::time::{Duration, Instant};
use crate::wire::Verb;

/// After so long online a session was one.
const STABLE: Duration = Duration::from_secs(60);

impl Client {
    pub(super) fn on_notification(&mut self, now: Instant, id: ConnId, event: ns::Event) {
        match event {
            ns::Event::Tell(event) => {
                match (&event, &mut self.session) {
                    (Event::Online { .. }, Session::Some { deadline, online, .. }) => {
                        *deadline = None;
                        *online = Some(now);
                        if let Some(backoff) = &mut self.backoff {
                            backoff.online(now);
                        }
                    }
                    // The next connection of this session begins with it.
                    (Event::StatusChanged { status }, Session::Some { credentials, .. }) => {
                        credentials.status = *status;
                    }
                    _ => {}
                }
                if let (Event::Presence { account, status, .. }, Some(files)) =
                    (&event, &self.config.files)
                {
                    self.transfers.on_presence(account, *status, now + files.offline);
                }
                self.tell(event);
            }
            ns::Event::Referred { to } if self.is_current(id) => self.refer(now, id, to),
            ns::Event::Referred { .. } => {}
            ns::Event::Restarted => {
                if let Err(why) = self.count_referral(now) {
                    self.lose(now, why);
                }
            }
            ns::Event::Switchboard { tag, to, cookie } => {
                let chat = ChatId(tag);
                // A chat that was left meanwhile needs no switchboard any more.
                if self.chats.get(chat).is_some_and(|chat| chat.line == Line::Asked) {
                    self.enter(chat, to, Entry::Calling(cookie));
                }
            }
            ns::Event::NoSwitchboard { tag, why } => self.not_reached(now, ChatId(tag), why),
            ns::Event::Rung { session, to, cookie, from, nick } => {
                if !self.config.answer_calls {
                    return self.tell(Event::Declined { from, nick });
                }
                let limit = self.config.chats;
                let dormant = self.chats.dormant_with(&from);
                let Some(chat) = dormant.or_else(|| self.chats.open(now, from.clone(), limit))
                else {
                    return self.tell(Event::Warning(Warning::TooMany { verb: Verb::RNG }));
                };
                self.tell(Event::ChatOpened { chat, with: from, incoming: true });
                self.enter(chat, to, Entry::Answering(cookie, session));
            }
            ns::Event::Lost(why) if self.is_current(id) => self.lose(now, why),
            ns::Event::Lost(_) => {}
        }
    }

    /// Goes on signing in at another server.
    pub(super) fn refer(&mut self, now: Instant, id: ConnId, to: Target) {
        let sign_in = now + self.config.waits.sign_in;
        // The machine stays until its last words are written.
        let known = match self.conns.get_mut(id).map(|conn| &mut conn.role) {
            Some(Role::Notification(machine)) => Some(machine.take_roster()),
            _ => None,
        };
        self.close_quietly(id);
        let counted = self.count_referral(now);
        let Session::Some { conn, roster, deadline, .. } = &mut self.session else {
            return;
        };
        *roster = known;
        if let Err(why) = counted {
            return self.lose(now, why);
        }
        deadline.get_or_insert(sign_in);
        let fresh = self.conns.insert(Role::ToNotification(to.clone()));
        *conn = fresh;
        self.tell(Event::Referred { to: to.clone() });
        self.outputs.push_back(Output::Connect { conn: fresh, to });
    }

    /// Counts a referral, or what is as good as one; an error if that was one too many. Servers that
    /// let everybody in and send them on at once would keep us busy for ever.
    fn count_referral(&mut self, now: Instant) -> Result<(), Lost> {
        let limit = self.config.referrals;
        let Session::Some { referrals, online, .. } = &mut self.session else { return Ok(()) };
        if online.take().is_some_and(|since| now - since >= STABLE) {
            *referrals = 0;
        }
        *referrals = referrals.saturating_add(1);
        match *referrals > limit {
            true => Err(Lost::Violation(Violation::Referrals { limit })),
            false => Ok(()),
        }
    }

    pub(super) fn close_quietly(&mut self, id: ConnId) {
        if let Some(conn) = self.conns.get_mut(id) {
            if !core::mem::replace(&mut conn.closing, true) {
                self.outputs.push_back(Output::Close { conn: id, how: Shutdown::Flush });
            }
        }
    }

    /// The session is over: chats first, then the rest.
    pub(super) fn lose(&mut self, now: Instant, why: Lost) {
        let Session::Some { conn, .. } = self.session else { return };
        for chat in self.chats.ids() {
            let line = self.chats.get(chat).map_or(Line::None, |chat| chat.line);
            self.close_line(now, chat, line, why);
        }
        self.lose_transfers(now, why);
        let roster = match self.conns.get_mut(conn).map(|conn| &mut conn.role) {
            Some(Role::Notification(machine)) => {
                match why {
                    Lost::SignedOut => machine.sign_out(),
                    _ => machine.abandon(why),
                }
                let roster = machine.roster().clone();
                self.pump_requests(now, conn);
                Some(roster)
            }
            _ => {
                self.cancel(conn);
                None
            }
        };
        let session = core::mem::replace(&mut self.session, Session::None(Roster::new()));
        let Session::Some { server, credentials, roster: before, .. } = session else { return };
        let mut roster = before.or(roster).unwrap_or_default();
        roster.forget_presence();
        self.tell(Event::Lost { why });
        if let Some((attempt, wait)) = self.backoff.as_mut().and_then(|it| it.lost(now, why)) {
            let Credentials { account, password, status } = credentials;
            let sign_in = SignIn { account, password, server, status, roster: None };
            self.again = Some((now + wait, sign_in));
            self.tell(Event::Retrying { attempt, wait });
        }
        self.session = Session::None(roster);
    }

    /// Passes on the ends of requests of a notification connection that is being given up; its
    /// own last word has been heard or is being said.
    pub(super) fn pump_requests(&mut self, now: Instant, id: ConnId) {
        while let Some(Role::Notification(machine)) =
            self.conns.get_mut(id).map(|conn| &mut conn.role)
        {
            match machine.poll_event() {
                Some(ns::Event::Lost(_) | ns::Event::Referred { .. } | ns::Event::Restarted) => {}
                Some(event) => self.on_notification(now, id, event),
                None => break,
            }
        }
        self.announce(id);
    }

    pub(super) fn is_current(&self, id: ConnId) -> bool {
        matches!(self.session, Session::Some { conn, .. } if conn == id)
    }
}
