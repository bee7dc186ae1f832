//! What happens when nothing does: sign-in, lists, a silent peer and open questions all have an
//! end.

use super::ledger::Kind;
use super::state::Core;
use crate::client::{Failure, Warning};
use crate::error::{Lost, Wait};
use crate::ns::Request;
use crate::time::{Duration, Instant, TimerKind, earlier};

impl Core {
    /// The peer lives: the next ping can wait.
    pub(super) fn heard(&mut self, now: Instant) {
        if self.session().is_some() {
            self.timers.stop(Timer::Pong);
            self.timers.arm(Timer::Ping, now + self.config.waits.ping);
        }
    }

    pub(super) fn stop_waiting_for_lists(&mut self) {
        self.timers.stop(Timer::Sync);
    }

    pub(super) fn sync_goes_on(&mut self, now: Instant) {
        self.timers.arm(Timer::Sync, now + SYNC_WAIT);
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        if !self.is_listening() {
            return None;
        }
        earlier(self.timers.next(), self.ledger.next_deadline())
    }

    pub(super) fn on_time(&mut self, now: Instant) {
        if !self.is_listening() {
            return;
        }
        while let Some(open) = self.ledger.pop_expired(now) {
            match open.kind {
                // The lists have a timer of their own, and sign-in has.
                Kind::Sync | Kind::FirstStatus => {}
                kind => self.fail(open.verb, kind, open.request, Failure::TimedOut(Wait::Request)),
            }
        }
        while let Some(timer) = self.timers.pop_expired(now) {
            match timer {
                Timer::SignIn => return self.lose(Lost::TimedOut(Wait::SignIn)),
                Timer::Sync => {
                    self.warn(Warning::ListsIncomplete);
                    self.finish_sync(now, false);
                }
                Timer::Ping => {
                    self.say(&Request::Png {});
                    self.timers.arm(Timer::Pong, now + self.config.waits.pong);
                }
                Timer::Pong => return self.lose(Lost::TimedOut(Wait::Pong)),
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    SignIn,
    Sync,
    Ping,
    Pong,
}

impl TimerKind for Timer {
    const ALL: &'static [Self] = &[Self::SignIn, Self::Sync, Self::Ping, Self::Pong];

    fn index(self) -> usize {
        self as usize
    }
}

/// From one line of the lists to the next.
const SYNC_WAIT: Duration = Duration::from_secs(10);
