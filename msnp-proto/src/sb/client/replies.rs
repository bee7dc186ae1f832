//! What the server says, and what it means at this moment.

use super::Event;
use super::state::{Core, State};
use crate::client::{Failure, Outcome, Warning};
use crate::error::{Lost, Violation};
use crate::sb::Reply;
use crate::time::Instant;
use crate::types::ErrorReply;
use crate::wire::{Frame, Parsed, Verb};

impl Core {
    pub(super) fn on_frame(&mut self, now: Instant, frame: Frame<'_>) -> Result<(), Lost> {
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

    pub(super) fn on_reply(&mut self, now: Instant, reply: Reply<'_>) -> Result<(), Lost> {
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

    pub(super) fn on_error(&mut self, error: ErrorReply) -> Result<(), Lost> {
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
}
