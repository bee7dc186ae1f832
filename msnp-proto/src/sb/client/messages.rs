//! What was said, by us and by others, and what became of it.

use alloc::string::String;
use alloc::vec::Vec;

use super::Event;
use super::state::Core;
use crate::body;
use crate::client::{Content, Failure, MessageId, Outcome, Warning};
use crate::error::{Expected, Lost, Misuse};
use crate::limits;
use crate::sb::Request;
use crate::time::Instant;
use crate::types::{Account, Delivery, Name, TrId};
use crate::wire::{Body, Verb};

impl Core {
    pub(super) fn send(
        &mut self,
        now: Instant,
        message: MessageId,
        delivery: Delivery,
        payload: &[u8],
    ) -> Result<(), Misuse> {
        self.require_inside()?;
        self.check_payload(payload)?;
        if self.members.is_empty() {
            return Err(Misuse::NotOnline);
        }
        if self.open.len() >= self.setup.limits.open_requests {
            return Err(Misuse::Backlog);
        }
        let begin = self.queued;
        let trid = self.link.next_trid();
        self.say(&Request::Msg { trid, delivery, body: Body(payload) });
        self.since = now;
        self.open.push_back(Open {
            trid,
            message,
            delivery,
            begin,
            end: self.queued,
            deadline: now + self.setup.waits.acknowledgement,
        });
        Ok(())
    }

    pub(super) fn send_typing(&mut self, now: Instant) -> Result<(), Misuse> {
        self.require_inside()?;
        let mut payload = Vec::with_capacity(160);
        body::control::write_typing(&mut payload, &self.setup.account);
        self.check_payload(&payload)?;
        let trid = self.link.next_trid();
        self.say(&Request::Msg { trid, delivery: Delivery::Unacknowledged, body: Body(&payload) });
        self.since = now;
        Ok(())
    }

    pub(super) fn check_payload(&self, payload: &[u8]) -> Result<(), Misuse> {
        let (size, limit) = (payload.len(), limits::SWITCHBOARD_PAYLOAD);
        if size > limit { Err(Misuse::TooLong { size, limit }) } else { Ok(()) }
    }

    pub(super) fn receive(&mut self, account: Account<'_>, name: Name<'_>, payload: &[u8]) {
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
    pub(super) fn settle(&mut self, verb: Verb, trid: TrId, outcome: Outcome) {
        let place = match self.open.front() {
            Some(first) if first.trid == trid => Some(0),
            _ => self.open.iter().position(|open| open.trid == trid),
        };
        let Some(open) = place.and_then(|place| self.take_open(place)) else {
            return self.warn(Warning::Unmatched { verb, trid: Some(trid) });
        };
        self.link.tell(Event::Delivery { message: open.message, outcome });
    }

    pub(super) fn take_open(&mut self, place: usize) -> Option<Open> {
        let open = self.open.remove(place)?;
        if place < self.sent {
            self.sent = self.sent.saturating_sub(1);
        }
        Some(open)
    }

    pub(super) fn consume(&mut self, written: usize) {
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
    pub(super) fn end_open(&mut self, why: Lost, will_be: bool) {
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
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) trid: TrId,
    pub(super) message: MessageId,
    pub(super) delivery: Delivery,
    pub(super) begin: u64,
    pub(super) end: u64,
    pub(super) deadline: Instant,
}
