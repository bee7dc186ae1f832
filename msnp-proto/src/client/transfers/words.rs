//! What is said about files in switchboards: offers, answers and withdrawals, ours and theirs.
//!
//! This room knows which answer fits which offer. It opens no connection.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use super::{State, Transfer, TransferChange, TransferEnd, TransferId};
use crate::body::Message;
use crate::body::invite::{FileOffer, InviteCommand, InviteView, write_cancel};
use crate::client::chats::Line;
use crate::client::{ChatId, Client, Event, Failure, MessageId, Outcome};
use crate::error::{Lost, Misuse};
use crate::time::{Duration, Instant};
use crate::types::{Delivery, Handle, Nick, Status};

/// Messages of our own about files, and whom we told lately that we cannot do something.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// Messages on their way; an offer or answer has failed when its message has.
    sent: BTreeMap<MessageId, Option<TransferId>>,
    /// Those that have failed.
    failed: VecDeque<(TransferId, Failure)>,
    /// Who was told that we have no such application, and when.
    told: VecDeque<(Handle, Instant)>,
}

/// One person is told so seldom that we have no such application.
const TOLD_EVERY: Duration = Duration::from_secs(2);

/// So many people are.
const TOLD: usize = 16;

/// An offer to us stands so much longer than one of ours: taking it back is for whoever made it.
const LONGER: Duration = Duration::from_secs(30);

impl super::Transfers {
    /// Whether no message about a file is on its way.
    #[inline]
    pub(in crate::client) fn says_nothing(&self) -> bool {
        self.words.sent.is_empty()
    }

    /// Whether a message about a file has failed, and nothing has been done about it.
    #[inline]
    pub(in crate::client) fn has_failed_words(&self) -> bool {
        !self.words.failed.is_empty()
    }

    /// Keeps what happens to messages about files from the application, which did not send them.
    pub(in crate::client) fn intercept(&mut self, event: Event) -> Option<Event> {
        let words = &mut self.words;
        match event {
            Event::Queued { message } | Event::Sent { message }
                if words.sent.contains_key(&message) =>
            {
                None
            }
            Event::Delivery { message, outcome } => {
                let Some(transfer) = words.sent.remove(&message) else { return Some(event) };
                let why = match outcome {
                    // An offer outlives the switchboard in which it was said.
                    Outcome::Acknowledged | Outcome::Assumed | Outcome::Unknown(_) => return None,
                    Outcome::Refused => Failure::Lost(Lost::Alone),
                    Outcome::Failed(why) => why,
                };
                words.failed.extend(transfer.map(|id| (id, why)));
                None
            }
            event => Some(event),
        }
    }

    /// Who went offline is waited for a little; who is back is waited for as before.
    pub(in crate::client) fn on_presence(&mut self, who: &Handle, status: Status, until: Instant) {
        for one in self.all.values_mut().filter(|one| one.peer == *who) {
            let waits = matches!(one.state, State::Offered | State::AwaitAddress);
            one.offline = (status == Status::Offline && waits).then_some(until);
        }
    }

    /// Whether somebody may be told now that we have no such application.
    fn may_tell(&mut self, now: Instant, who: &Handle) -> bool {
        self.words.told.retain(|(_, at)| now - *at < TOLD_EVERY);
        if self.words.told.len() >= TOLD || self.words.told.iter().any(|(told, _)| told == who) {
            return false;
        }
        self.words.told.push_back((who.clone(), now));
        true
    }
}

impl Client {
    /// Says something to one person alone, in a chat that there is or in a new one.
    pub(super) fn say_about(
        &mut self,
        now: Instant,
        to: &Handle,
        payload: &[u8],
        transfer: Option<TransferId>,
    ) -> Result<(), Misuse> {
        let chat = match self.private_chat(to) {
            Some(chat) => chat,
            None => self.open_chat(now, to)?,
        };
        let message = MessageId(self.last_message.wrapping_add(1));
        self.transfers.words.sent.insert(message, transfer);
        let sent = self.send_checked(now, chat, payload, Delivery::OnFailure);
        match sent {
            Ok(_) => self.keep_private(chat, message, to),
            Err(_) => drop(self.transfers.words.sent.remove(&message)),
        }
        sent.map(|_| ())
    }

    /// A refusal or withdrawal; if it cannot be said, nothing is lost by that.
    pub(super) fn say_cancel(&mut self, now: Instant, to: &Handle, cookie: &str, code: &str) {
        let mut payload = Vec::new();
        if write_cancel(&mut payload, cookie, code).is_ok() {
            let _ = self.say_about(now, to, &payload, None);
        }
    }

    /// The chat with this person alone that can be used soonest.
    fn private_chat(&self, with: &Handle) -> Option<ChatId> {
        let readiness = |chat: &ChatId| match self.chats.get(*chat).map(|chat| chat.line) {
            Some(Line::Conn(_)) if self.members(*chat).next().is_some() => 3,
            Some(Line::Conn(_)) => 2,
            Some(Line::Asked) => 1,
            _ => 0,
        };
        self.chats
            .alone_with(with)
            .filter(|chat| self.is_private(*chat, with))
            .max_by_key(readiness)
    }

    /// If the message waits, it waits for this person alone.
    fn keep_private(&mut self, chat: ChatId, message: MessageId, with: &Handle) {
        if let Some(chat) = self.chats.get_mut(chat) {
            let waits = chat.waiting.iter_mut().find(|waiting| waiting.message == message);
            if let Some(waiting) = waits {
                waiting.only = Some(with.clone());
            }
        }
    }

    pub(in crate::client) fn is_private(&self, chat: ChatId, with: &Handle) -> bool {
        self.members(chat).all(|(member, _)| member == with)
    }

    /// What became of messages about files.
    pub(in crate::client) fn settle_transfers(&mut self, now: Instant) {
        while let Some((id, why)) = self.transfers.words.failed.pop_front() {
            let state = self.transfers.all.get(&id).map(|one| one.state);
            if let Some(State::Moving(_)) = state {
                continue;
            }
            self.end_transfer(now, id, TransferEnd::Unreachable(why), None);
        }
    }

    /// The session is over: what is not on its way already does not come about any more.
    pub(in crate::client) fn lose_transfers(&mut self, now: Instant, why: Lost) {
        self.settle_transfers(now);
        let open = |(id, one): (&TransferId, &Transfer)| match one.state {
            State::Moving(_) => None,
            _ => Some(*id),
        };
        for id in self.transfers.all.iter().filter_map(open).collect::<Vec<_>>() {
            let end = match why {
                Lost::SignedOut => TransferEnd::CancelledHere,
                why => TransferEnd::Unreachable(Failure::Lost(why)),
            };
            self.drop_transfer(now, id, end, None);
        }
    }

    /// The chat is being left, and with it what was offered to or by its only other member.
    pub(in crate::client) fn withdraw_transfers(&mut self, now: Instant, chat: ChatId) {
        let Some((with, _)) = self.members(chat).next() else { return };
        let with = with.clone();
        if !self.is_private(chat, &with) {
            return;
        }
        let open = |(id, one): (&TransferId, &Transfer)| {
            let concerns = one.peer == with && !matches!(one.state, State::Moving(_));
            concerns.then_some(*id)
        };
        for id in self.transfers.all.iter().filter_map(open).collect::<Vec<_>>() {
            let state = self.transfers.all.get(&id).map(|one| one.state);
            let code = (state != Some(State::Queued)).then_some("OUTBANDCANCEL");
            self.drop_transfer(now, id, TransferEnd::CancelledHere, code);
        }
    }

    /// Takes an invitation, or an answer to one.
    pub(in crate::client) fn on_invitation(
        &mut self,
        now: Instant,
        chat: ChatId,
        from: &Handle,
        nick: &Nick,
        payload: &[u8],
    ) {
        let Message::Invite(invite) = Message::parse(payload) else { return };
        let Some(cookie) = invite.answerable_cookie() else { return };
        match invite.command() {
            InviteCommand::Invite => self.on_offer(now, chat, (from, nick), cookie, invite),
            InviteCommand::Accept => self.on_accept(now, from, cookie, invite),
            InviteCommand::Cancel => self.on_cancel(now, from, cookie, invite),
            InviteCommand::Other(_) => {}
        }
    }

    fn on_offer(
        &mut self,
        now: Instant,
        chat: ChatId,
        (from, nick): (&Handle, &Nick),
        cookie: &str,
        invite: InviteView<'_>,
    ) {
        let Some(offer) = invite.file() else {
            if self.is_private(chat, from) && self.transfers.may_tell(now, from) {
                self.say_cancel(now, from, cookie, "REJECT_NOT_INSTALLED");
            }
            return;
        };
        if self.transfers.find(from, cookie, false).is_some() {
            return;
        }
        let Some(files) = &self.config.files else { return };
        let (largest, most, deadline) = (files.largest, files.offers, now + files.offer);
        let open = self.transfers.all.values().filter(|one| !one.outgoing);
        let (all, theirs) = open.fold((0_usize, 0_usize), |(all, theirs), one| {
            let is_theirs = usize::from(one.peer == *from);
            (all.saturating_add(1), theirs.saturating_add(is_theirs))
        });
        let room = all < most && theirs < (most / 5).max(1);
        let usable = |offer: FileOffer<'_>| {
            let (name, size) = (offer.name()?, offer.size()?);
            (!offer.wants_encryption() && size <= largest).then_some((name, size))
        };
        let Some((name, size)) = usable(offer).filter(|_| room) else {
            return self.say_cancel(now, from, cookie, "REJECT");
        };
        let deadline = deadline + LONGER;
        let mut transfer = Transfer::new(from.clone(), cookie.into(), size, deadline, 0);
        transfer.reachable = offer.is_reachable();
        let transfer = self.transfers.insert(transfer);
        let known = self.is_known(from);
        let (from, nick) = (from.clone(), nick.clone());
        self.tell(Event::FileOffered { transfer, chat, from, nick, known, name, size });
    }

    fn on_accept(&mut self, now: Instant, from: &Handle, cookie: &str, invite: InviteView<'_>) {
        // Both may have chosen the same cookie: who has the address listens, which is the one who
        // offers unless it is said otherwise.
        let theirs_first = invite.has_address() && !invite.sender_connects();
        let found = |outgoing| self.transfers.find(from, cookie, outgoing);
        let id = found(!theirs_first).or_else(|| found(theirs_first));
        let Some((id, one)) = id.and_then(|id| Some((id, self.transfers.all.get(&id)?))) else {
            return;
        };
        let meeting = invite.meeting();
        let broken = meeting.is_none() && (invite.has_address() || invite.sender_connects());
        match one.state {
            State::Offered if broken => {
                self.end_transfer(now, id, TransferEnd::NoConnection, Some("FTTIMEOUT"));
            }
            State::Offered => {
                self.tell_transfer(id, TransferChange::Accepted);
                match meeting {
                    Some(meeting) => self.dial(now, id, &meeting),
                    None => self.listen_for(now, id),
                }
            }
            State::AwaitAddress => match meeting {
                Some(meeting) => self.dial(now, id, &meeting),
                None => self.end_transfer(now, id, TransferEnd::NoConnection, Some("FTTIMEOUT")),
            },
            State::Meeting if one.outgoing && one.theirs.is_none() => {
                if let Some(meeting) = meeting {
                    self.dial(now, id, &meeting);
                }
            }
            State::Queued | State::Meeting | State::Asked | State::Moving(_) => {}
        }
    }

    fn on_cancel(&mut self, now: Instant, from: &Handle, cookie: &str, invite: InviteView<'_>) {
        let ways = [true, false].map(|outgoing| self.transfers.find(from, cookie, outgoing));
        let found: Vec<TransferId> = ways.into_iter().flatten().collect();
        let moves = |id: &TransferId| {
            self.transfers.all.get(id).is_some_and(|one| matches!(one.state, State::Moving(_)))
        };
        let (moving, pending): (Vec<_>, Vec<_>) = found.into_iter().partition(moves);
        for id in &pending {
            let outgoing = self.transfers.all.get(id).is_some_and(|one| one.outgoing);
            let end = match invite.cancel_code() {
                Some(code) if outgoing && code.eq_ignore_ascii_case(b"REJECT") => {
                    TransferEnd::Declined
                }
                Some(code) if outgoing && code.eq_ignore_ascii_case(b"REJECT_NOT_INSTALLED") => {
                    TransferEnd::NotInstalled
                }
                Some(code) if code.eq_ignore_ascii_case(b"FTTIMEOUT") => TransferEnd::NoConnection,
                Some(code) if code.eq_ignore_ascii_case(b"FAIL") => TransferEnd::NoConnection,
                _ => TransferEnd::CancelledThere,
            };
            self.end_transfer(now, *id, end, None);
        }
        if !pending.is_empty() {
            return;
        }
        let failed =
            invite.cancel_code().is_some_and(|code| code.eq_ignore_ascii_case(b"FTTIMEOUT"));
        let wait = self.config.files.as_ref().map(|files| files.waits.bye).unwrap_or_default();
        for id in moving {
            match self.transfers.all.get_mut(&id) {
                // It is all here, whatever they say.
                Some(one) if one.arrived => {}
                // The connection itself says how it failed, and may be slower.
                Some(one) if failed => one.deadline = Some(now + wait),
                _ => self.stop_moving(now, id, TransferEnd::CancelledThere),
            }
        }
    }
}
