//! What happens when nothing does.

use super::Event;
use super::messages::Open;
use super::state::{Core, State};
use crate::client::{Failure, Outcome};
use crate::error::{Lost, Wait};
use crate::time::{Instant, earlier};
use crate::types::Delivery;

impl Core {
    pub(super) fn next_deadline(&self) -> Option<Instant> {
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

    pub(super) fn on_time(&mut self, now: Instant) {
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
