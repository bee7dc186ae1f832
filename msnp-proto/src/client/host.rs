//! The client towards its driver, and what its connections report.

use alloc::boxed::Box;
use core::net::SocketAddr;

use super::chats::Line;
use super::conns::{Conn, Entry, Role};
use super::{ChatId, Client, Event, Failure, Outcome, Session, Warning};
use crate::error::{Lost, Misuse, Violation, Wait};
use crate::machine::{Closed, ConnId, Host, ListenerId, Machine, Output, Shutdown, Target};
use crate::ns::{self, Notification};
use crate::sb::{self, Switchboard};
use crate::time::{Instant, earlier};
use crate::types::Handle;
use crate::wire::Verb;

/// Outputs that wait for the driver, from which on no more input is wanted.
const OUTPUTS: usize = 4096;

impl Host for Client {
    type Event = Event;

    fn handle_connected(&mut self, now: Instant, conn: ConnId) {
        let Some(Conn { role, closing: false, .. }) = self.conns.get_mut(conn) else { return };
        match role {
            Role::ToNotification(server) => {
                let server = server.clone();
                let Session::Some { credentials, roster, .. } = &mut self.session else { return };
                let roster = roster.take().unwrap_or_default();
                let config = self.config.clone();
                let machine = Notification::new(now, config, credentials.clone(), roster);
                *role = Role::Notification(Box::new(machine));
                self.tell(Event::Connected { server });
            }
            Role::ToSwitchboard(chat, entry) => {
                let (chat, entry) = (*chat, entry.clone());
                let Some(setup) = self.setup() else { return };
                let machine = match entry {
                    Entry::Calling(cookie) => Switchboard::calling(now, setup, &cookie),
                    Entry::Answering(cookie, session) => {
                        Switchboard::answering(now, setup, &cookie, &session)
                    }
                };
                if let Some(conn) = self.conns.get_mut(conn) {
                    conn.role = Role::Switchboard(chat, Box::new(machine));
                }
            }
            Role::Notification(_) | Role::Switchboard(..) => return,
        }
        self.pump(now, conn);
    }

    fn handle_closed(&mut self, now: Instant, conn: ConnId, why: Closed) {
        let lost = Lost::Connection(why);
        match self.conns.get_mut(conn).map(|conn| &mut conn.role) {
            None => return,
            Some(Role::ToNotification(_)) => {
                if self.is_current(conn) {
                    self.lose(now, lost);
                }
            }
            Some(Role::ToSwitchboard(chat, _)) => {
                let chat = *chat;
                self.line_lost(now, chat, conn, lost);
            }
            Some(Role::Notification(machine)) => {
                machine.abandon(lost);
                self.pump(now, conn);
            }
            Some(Role::Switchboard(_, machine)) => {
                machine.abandon(lost);
                self.pump(now, conn);
            }
        }
        self.conns.remove(conn);
    }

    fn handle_listening(&mut self, _: Instant, _: ListenerId, _: SocketAddr) {}

    fn handle_accepted(&mut self, _: Instant, _: ListenerId, _: SocketAddr) -> Option<ConnId> {
        None
    }

    fn handle_unlistened(&mut self, _: Instant, _: ListenerId, _: Closed) {}

    fn handle_input(&mut self, now: Instant, conn: ConnId, mut bytes: &[u8]) {
        // What is done about a frame is done before the next one is read, so that it makes no
        // difference whether they come together.
        loop {
            let more = match self.conns.get_mut(conn).map(|conn| &mut conn.role) {
                Some(Role::Notification(machine)) => machine.take_frame(now, &mut bytes),
                Some(Role::Switchboard(_, machine)) => machine.take_frame(now, &mut bytes),
                _ => return,
            };
            self.pump(now, conn);
            if !more {
                return;
            }
        }
    }

    fn handle_eof(&mut self, now: Instant, conn: ConnId) {
        match self.conns.get_mut(conn).map(|conn| &mut conn.role) {
            Some(Role::Notification(machine)) => machine.handle_eof(now),
            Some(Role::Switchboard(_, machine)) => machine.handle_eof(now),
            _ => return,
        }
        self.pump(now, conn);
    }

    fn handle_timeout(&mut self, now: Instant) {
        if let Session::Some { deadline: Some(deadline), .. } = self.session {
            if deadline <= now {
                self.lose(now, Lost::TimedOut(Wait::SignIn));
            }
        }
        for id in self.conns.ids() {
            match self.conns.get_mut(id).map(|conn| &mut conn.role) {
                Some(Role::Notification(machine))
                    if machine.next_deadline().is_some_and(|at| at <= now) =>
                {
                    machine.handle_timeout(now);
                }
                Some(Role::Switchboard(_, machine))
                    if machine.next_deadline().is_some_and(|at| at <= now) =>
                {
                    machine.handle_timeout(now);
                }
                _ => continue,
            }
            self.pump(now, id);
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let sign_in = match self.session {
            Session::Some { deadline, .. } => deadline,
            Session::None(_) => None,
        };
        let machines = self.conns.iter().filter_map(|(_, conn)| match &conn.role {
            Role::Notification(machine) => machine.next_deadline(),
            Role::Switchboard(_, machine) => machine.next_deadline(),
            Role::ToNotification(_) | Role::ToSwitchboard(..) => None,
        });
        earlier(sign_in, machines.min())
    }

    fn pending(&self, conn: ConnId) -> &[u8] {
        match self.conns.get(conn).map(|conn| &conn.role) {
            Some(Role::Notification(machine)) => machine.pending(),
            Some(Role::Switchboard(_, machine)) => machine.pending(),
            _ => &[],
        }
    }

    fn consume(&mut self, now: Instant, conn: ConnId, written: usize) {
        match self.conns.get_mut(conn).map(|conn| &mut conn.role) {
            Some(Role::Notification(machine)) => machine.consume(now, written),
            Some(Role::Switchboard(chat, machine)) => {
                let chat = *chat;
                machine.consume(now, written);
                self.send_waiting(now, chat, conn);
            }
            _ => return,
        }
        self.pump(now, conn);
    }

    fn wants_read(&self, _: ConnId) -> bool {
        self.outputs.len() < OUTPUTS
    }

    fn poll_output(&mut self) -> Option<Output<Event>> {
        let output = self.outputs.pop_front();
        if let Some(Output::Transmit { conn }) = output {
            if let Some(conn) = self.conns.get_mut(conn) {
                conn.announced = false;
            }
        }
        output
    }
}

impl Client {
    fn is_current(&self, id: ConnId) -> bool {
        matches!(self.session, Session::Some { conn, .. } if conn == id)
    }

    fn setup(&self) -> Option<sb::Setup> {
        let mut setup = sb::Setup::new(self.account()?.clone());
        setup.limits = self.config.limits.clone();
        setup.waits = self.config.waits.clone();
        setup.leniency = self.config.leniency;
        setup.people = self.config.people;
        Some(setup)
    }

    /// Takes what a machine has to say, and tells the driver what to do for it.
    pub(super) fn pump(&mut self, now: Instant, id: ConnId) {
        loop {
            match self.conns.get_mut(id).map(|conn| &mut conn.role) {
                Some(Role::Notification(machine)) => match machine.poll_event() {
                    Some(event) => self.on_notification(now, id, event),
                    None => break,
                },
                Some(Role::Switchboard(chat, machine)) => {
                    let chat = *chat;
                    match machine.poll_event() {
                        Some(event) => self.on_switchboard(now, chat, id, event),
                        None => break,
                    }
                }
                _ => break,
            }
        }
        self.announce(id);
    }

    /// Tells the driver of bytes to write, and when to close.
    pub(super) fn announce(&mut self, id: ConnId) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        let (pending, finished) = match &conn.role {
            Role::Notification(machine) => (!machine.pending().is_empty(), machine.is_finished()),
            Role::Switchboard(_, machine) => (!machine.pending().is_empty(), machine.is_finished()),
            Role::ToNotification(_) | Role::ToSwitchboard(..) => (false, false),
        };
        if pending && !conn.announced && !conn.closing {
            conn.announced = true;
            self.outputs.push_back(Output::Transmit { conn: id });
        }
        if finished && !conn.closing {
            conn.closing = true;
            self.outputs.push_back(Output::Close { conn: id, how: Shutdown::Flush });
        }
    }

    /// Closes a connection that has no machine yet.
    fn cancel(&mut self, id: ConnId) {
        if let Some(conn) = self.conns.get_mut(id) {
            if !core::mem::replace(&mut conn.closing, true) {
                self.outputs.push_back(Output::Close { conn: id, how: Shutdown::Abort });
            }
        }
    }

    fn on_notification(&mut self, now: Instant, id: ConnId, event: ns::Event) {
        match event {
            ns::Event::Tell(event) => {
                if let (Event::Online { .. }, Session::Some { deadline, referrals, .. }) =
                    (&event, &mut self.session)
                {
                    *deadline = None;
                    *referrals = 0;
                }
                self.tell(event);
            }
            ns::Event::Referred { to } if self.is_current(id) => self.refer(now, id, to),
            ns::Event::Referred { .. } => {}
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
    fn refer(&mut self, now: Instant, id: ConnId, to: Target) {
        let limit = self.config.referrals;
        let sign_in = now + self.config.waits.sign_in;
        // The machine stays until its last words are written.
        let known = match self.conns.get_mut(id).map(|conn| &mut conn.role) {
            Some(Role::Notification(machine)) => Some(machine.take_roster()),
            _ => None,
        };
        self.close_quietly(id);
        let Session::Some { conn, roster, referrals, deadline, .. } = &mut self.session else {
            return;
        };
        *roster = known;
        *referrals = referrals.saturating_add(1);
        if *referrals > limit {
            return self.lose(now, Lost::Violation(Violation::Referrals { limit }));
        }
        deadline.get_or_insert(sign_in);
        let fresh = self.conns.insert(Role::ToNotification(to.clone()));
        *conn = fresh;
        self.tell(Event::Referred { to: to.clone() });
        self.outputs.push_back(Output::Connect { conn: fresh, to });
    }

    fn close_quietly(&mut self, id: ConnId) {
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
        let before = match &mut self.session {
            Session::Some { roster, .. } => roster.take(),
            Session::None(_) => None,
        };
        let mut roster = before.or(roster).unwrap_or_default();
        roster.forget_presence();
        self.session = Session::None(roster);
        self.tell(Event::Lost { why });
    }

    /// Passes on the ends of requests of a notification connection that is being given up; its
    /// own last word has been heard or is being said.
    fn pump_requests(&mut self, now: Instant, id: ConnId) {
        while let Some(Role::Notification(machine)) =
            self.conns.get_mut(id).map(|conn| &mut conn.role)
        {
            match machine.poll_event() {
                Some(ns::Event::Lost(_) | ns::Event::Referred { .. }) => {}
                Some(event) => self.on_notification(now, id, event),
                None => break,
            }
        }
        self.announce(id);
    }

    /// Gives up the switchboard of a chat, open, on its way or asked for.
    pub(super) fn close_line(&mut self, now: Instant, chat: ChatId, line: Line, why: Lost) {
        if let Line::Conn(conn) = line {
            if let Some((conn, switchboard)) = self.switchboard_mut(line) {
                switchboard.leave_because(why);
                self.pump(now, conn);
            } else {
                self.cancel(conn);
            }
        }
        // Whatever the machine reported has been passed on; what is left never had a machine.
        self.fail_waiting(chat, Failure::Lost(why));
        if let Some(chat) = self.chats.get_mut(chat) {
            chat.line = Line::None;
        }
    }

    /// A chat's connection is gone before anyone was there.
    fn line_lost(&mut self, now: Instant, chat: ChatId, conn: ConnId, why: Lost) {
        if self.chats.get(chat).is_some_and(|chat| chat.line == Line::Conn(conn)) {
            self.not_reached(now, chat, Failure::Lost(why));
            self.tell(Event::ChatClosed { chat, why });
        }
    }

    /// Nobody of a chat can be reached.
    fn not_reached(&mut self, _now: Instant, chat: ChatId, why: Failure) {
        let Some(entry) = self.chats.get_mut(chat) else { return };
        entry.line = Line::None;
        for account in entry.people.clone() {
            self.tell(Event::NotReached { chat, account, why });
        }
        self.fail_waiting(chat, why);
    }

    fn fail_waiting(&mut self, chat: ChatId, why: Failure) {
        let Some(entry) = self.chats.get_mut(chat) else { return };
        for waiting in core::mem::take(&mut entry.waiting) {
            let message = waiting.message;
            self.tell(Event::Delivery { message, outcome: Outcome::Failed(why) });
        }
    }

    fn is_known(&self, account: &Handle) -> bool {
        self.roster().contact(account).is_some()
    }

    fn on_switchboard(&mut self, now: Instant, chat: ChatId, id: ConnId, event: sb::Event) {
        match event {
            sb::Event::Received { account: from, nick, content } => {
                let known = self.is_known(&from);
                self.tell(Event::Message { chat, from, nick, known, content });
            }
            sb::Event::Sent { message } => self.tell(Event::Sent { message }),
            sb::Event::Delivery { message, outcome } => {
                self.tell(Event::Delivery { message, outcome });
            }
            sb::Event::Typing { account: from } => self.tell(Event::Typing { chat, from }),
            sb::Event::Warning(warning) => self.tell(Event::Warning(warning)),
            sb::Event::Entered => self.on_entered(now, chat, id),
            sb::Event::Joined { account, nick } => {
                if let Some(chat) = self.chats.get_mut(chat) {
                    chat.add_person(&account);
                }
                let known = self.is_known(&account);
                self.tell(Event::Joined { chat, account, nick, known });
                self.send_waiting(now, chat, id);
            }
            sb::Event::Left { account, idle } => {
                if let Some(chat) = self.chats.get_mut(chat) {
                    chat.remove_person(&account);
                }
                self.tell(Event::Left { chat, account, idle });
                self.leave_if_alone(id);
            }
            sb::Event::CallFailed { account, why } => {
                self.tell(Event::NotReached { chat, account, why });
                let line = Line::Conn(id);
                let alone = self.switchboard_mut(line).is_none_or(|(_, switchboard)| {
                    switchboard.members().next().is_none() && !switchboard.is_calling()
                });
                if alone {
                    self.fail_waiting(chat, why);
                    self.leave_if_alone(id);
                }
            }
            sb::Event::Lost(why) => {
                if let Some(entry) = self.chats.get_mut(chat) {
                    if entry.line == Line::Conn(id) {
                        entry.line = Line::None;
                        self.fail_waiting(chat, Failure::Lost(why));
                        self.tell(Event::ChatClosed { chat, why });
                    }
                }
            }
        }
    }

    /// We are in a switchboard: call whom the chat is with, if we opened it.
    fn on_entered(&mut self, now: Instant, chat: ChatId, id: ConnId) {
        let people = self.chats.get(chat).map(|chat| chat.people.clone()).unwrap_or_default();
        let Some((_, switchboard)) = self.switchboard_mut(Line::Conn(id)) else { return };
        if switchboard.was_called() {
            self.leave_if_alone(id);
            return self.send_waiting(now, chat, id);
        }
        for person in people {
            let called = match self.switchboard_mut(Line::Conn(id)) {
                Some((_, switchboard)) => switchboard.call(now, &person),
                None => Err(Misuse::NoSuchChat),
            };
            if let Err(Misuse::Backlog) = called {
                self.tell(Event::Warning(Warning::TooMany { verb: Verb::CAL }));
            }
        }
    }

    /// Says what waited for somebody to come.
    fn send_waiting(&mut self, now: Instant, chat: ChatId, id: ConnId) {
        while let Some(entry) = self.chats.get_mut(chat) {
            let Some(waiting) = entry.waiting.pop_front() else { return };
            let Some((_, switchboard)) = self.switchboard_mut(Line::Conn(id)) else { return };
            let sent = switchboard.send(now, waiting.message, waiting.delivery, &waiting.payload);
            if sent.is_err() {
                if let Some(entry) = self.chats.get_mut(chat) {
                    entry.waiting.push_front(waiting);
                }
                return;
            }
        }
    }

    /// An empty switchboard is of no use: the next text opens a new one.
    fn leave_if_alone(&mut self, id: ConnId) {
        if let Some((_, switchboard)) = self.switchboard_mut(Line::Conn(id)) {
            if switchboard.members().next().is_none() && !switchboard.is_calling() {
                switchboard.leave_because(Lost::Alone);
            }
        }
    }
}
