//! What a chat's switchboard reports, and what becomes of the texts that wait for somebody.

use super::chats::{Line, Waiting};
use super::{ChatId, Client, Content, Event, Failure, Outcome, Warning};
use crate::error::{Lost, Misuse};
use crate::machine::ConnId;
use crate::sb;
use crate::time::Instant;
use crate::types::Handle;
use crate::wire::Verb;

impl Client {
    pub(super) fn on_switchboard(
        &mut self,
        now: Instant,
        chat: ChatId,
        id: ConnId,
        event: sb::Event,
    ) {
        match event {
            sb::Event::Received {
                account,
                nick,
                content: Content::Other { content_type, payload },
            } if self.config.files.is_some()
                && content_type.eq_ignore_ascii_case("text/x-msmsgsinvite") =>
            {
                self.on_invitation(now, chat, &account, &nick, &payload);
            }
            sb::Event::Received { account: from, nick, content } => {
                let known = self.is_known(&from);
                self.tell(Event::Message { chat, from, nick, known, content });
            }
            sb::Event::Sent { message } => self.tell(Event::Sent { message }),
            sb::Event::Delivery { message, outcome } => {
                self.tell(Event::Delivery { message, outcome });
                // There is room for another one.
                self.send_waiting(now, chat, id);
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
    pub(super) fn on_entered(&mut self, now: Instant, chat: ChatId, id: ConnId) {
        let Some(entry) = self.chats.get_mut(chat) else { return };
        let invited = core::mem::take(&mut entry.invited);
        let people = entry.people.clone();
        let Some((_, switchboard)) = self.switchboard_mut(Line::Conn(id)) else { return };
        let was_called = switchboard.was_called();
        for person in if was_called { invited } else { people } {
            let called = match self.switchboard_mut(Line::Conn(id)) {
                Some((_, switchboard)) => switchboard.call(now, &person),
                None => Err(Misuse::NoSuchChat),
            };
            if let Err(Misuse::Backlog) = called {
                self.tell(Event::Warning(Warning::TooMany { verb: Verb::CAL }));
            }
        }
        if was_called {
            self.leave_if_alone(id);
            self.send_waiting(now, chat, id);
        }
    }

    /// Says what waited for somebody to come.
    pub(super) fn send_waiting(&mut self, now: Instant, chat: ChatId, id: ConnId) {
        while let Some(entry) = self.chats.get_mut(chat) {
            let Some(waiting) = entry.waiting.pop_front() else { return };
            if waiting.only.as_ref().is_some_and(|who| !self.is_private(chat, who)) {
                self.say_elsewhere(now, waiting);
                continue;
            }
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

    /// Somebody else came into the chat: what is for one person alone is said in a chat of its own.
    fn say_elsewhere(&mut self, now: Instant, waiting: Waiting) {
        let Some(who) = &waiting.only else { return };
        let message = waiting.message;
        match self.open_chat(now, who) {
            Ok(chat) => {
                if let Some(chat) = self.chats.get_mut(chat) {
                    chat.waiting.push_back(waiting);
                }
            }
            Err(_) => {
                let outcome = Outcome::Failed(Failure::Lost(Lost::Alone));
                self.tell(Event::Delivery { message, outcome });
            }
        }
    }

    /// An empty switchboard is of no use: the next text opens a new one.
    pub(super) fn leave_if_alone(&mut self, id: ConnId) {
        if let Some((_, switchboard)) = self.switchboard_mut(Line::Conn(id)) {
            if switchboard.members().next().is_none() && !switchboard.is_calling() {
                switchboard.leave_because(Lost::Alone);
            }
        }
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
    pub(super) fn line_lost(&mut self, now: Instant, chat: ChatId, conn: ConnId, why: Lost) {
        if self.chats.get(chat).is_some_and(|chat| chat.line == Line::Conn(conn)) {
            self.not_reached(now, chat, Failure::Lost(why));
            self.tell(Event::ChatClosed { chat, why });
        }
    }

    /// Nobody of a chat can be reached.
    pub(super) fn not_reached(&mut self, _now: Instant, chat: ChatId, why: Failure) {
        let Some(entry) = self.chats.get_mut(chat) else { return };
        entry.line = Line::None;
        for account in entry.people.clone() {
            self.tell(Event::NotReached { chat, account, why });
        }
        self.fail_waiting(chat, why);
    }

    pub(super) fn fail_waiting(&mut self, chat: ChatId, why: Failure) {
        let Some(entry) = self.chats.get_mut(chat) else { return };
        for waiting in core::mem::take(&mut entry.waiting) {
            let message = waiting.message;
            self.tell(Event::Delivery { message, outcome: Outcome::Failed(why) });
        }
    }

    pub(super) fn is_known(&self, account: &Handle) -> bool {
        self.roster().contact(account).is_some()
    }
}
