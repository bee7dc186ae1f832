//! How often something may happen, and what becomes of it when it happens more often.
//!
//! What is over a [`Rate`] waits: the connection is read on later, and the sender is held up by its
//! own full socket. What is over an [`Allowance`] is refused. This module knows time and counts; what
//! is counted is for others to say.

use super::config::HubLimits;
use crate::time::{Duration, Instant};

/// How often something may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How often a second, on average. 0 counts as 1. Uses that come one by one count for a
    /// microsecond at least.
    pub per_second: u32,
    /// How often at once. 0 counts as 1.
    pub burst: u32,
}

impl Rate {
    /// The time that so many uses take up.
    fn cost(self, uses: usize) -> Duration {
        let uses = u64::try_from(uses).unwrap_or(u64::MAX);
        let micros = uses.saturating_mul(1_000_000);
        let micros = micros.checked_div(u64::from(self.per_second)).unwrap_or(micros);
        Duration::from_micros(micros.max(uses.min(1)))
    }

    /// Counts `uses`, which happen in any case. Returns how long to wait for the next; `until` is
    /// when all that happened is forgotten.
    fn take(self, now: Instant, until: &mut Instant, uses: usize) -> Duration {
        *until = (*until).max(now) + self.cost(uses);
        (*until - now).saturating_sub(self.cost(self.burst.max(1) as usize))
    }
}

/// What is counted on each connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum Use {
    /// A list change, rename, status change, call or referral.
    Change,
    /// Anything else that is no text counts as this, and so do these.
    Command,
    /// A message in a switchboard.
    Text,
    /// A byte that arrived.
    Byte,
}

/// When the limits of one connection have forgotten all that happened so far.
#[derive(Default)]
pub(super) struct Spent {
    changes: Instant,
    commands: Instant,
    texts: Instant,
    bytes: Instant,
}

impl Use {
    /// Its limit.
    pub(super) const fn rate(self, limits: &HubLimits) -> Option<Rate> {
        match self {
            Self::Change => limits.changes,
            Self::Command => limits.commands,
            Self::Text => limits.texts,
            Self::Byte => limits.bytes,
        }
    }
}

impl Spent {
    /// Counts `uses` of what is limited to `rate`. Returns how long the connection has to wait for
    /// that.
    pub(super) fn take(&mut self, now: Instant, kind: Use, rate: Rate, uses: usize) -> Duration {
        let until = match kind {
            Use::Change => &mut self.changes,
            Use::Command => &mut self.commands,
            Use::Text => &mut self.texts,
            Use::Byte => &mut self.bytes,
        };
        rate.take(now, until, uses)
    }
}

/// How often something may happen before it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// How often at once.
    pub burst: u32,
    /// After how long it may happen once more.
    pub refill: Duration,
}

impl Allowance {
    /// The pace at which real servers let people change their names: five times, then once in ten
    /// seconds.
    pub const RENAMES: Self = Self { burst: 5, refill: Duration::from_secs(10) };

    /// Whether it may happen now; `until` is when all that happened is forgotten.
    pub(super) fn take(self, now: Instant, until: &mut Instant) -> bool {
        let next = (*until).max(now) + self.refill;
        let fits = next - now <= self.refill.saturating_mul(self.burst);
        if fits {
            *until = next;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many single uses need no wait at `now`.
    fn at_once(rate: Rate, now: Instant, until: &mut Instant) -> usize {
        (0..2_000_000).take_while(|_| rate.take(now, until, 1).is_zero()).count()
    }

    #[test]
    fn a_burst_and_then_a_pace() {
        for (per_second, burst) in [(10, 100), (1, 1), (1000, 1), (7, 3)] {
            let rate = Rate { per_second, burst };
            let mut until = Instant::ZERO;
            let start = Instant::from_micros(5_000_000);
            assert_eq!(at_once(rate, start, &mut until), burst as usize, "{rate:?}");
            // The one that was too many is paid for when all of them are.
            let wait = rate.take(start, &mut until, 0);
            assert!(wait <= rate.cost(1) && !wait.is_zero(), "{rate:?}: {wait:?}");
            assert_eq!(rate.take(start + wait, &mut until, 0), Duration::ZERO);
            let early = start + (wait - Duration::from_micros(1));
            assert!(!rate.take(early, &mut until, 0).is_zero());
            let later = start + Duration::from_secs(3600);
            assert_eq!(at_once(rate, later, &mut until), burst as usize, "{rate:?}");
        }
    }

    #[test]
    fn extreme_rates_are_no_trouble() {
        let mut until = Instant::ZERO;
        let none = Rate { per_second: 0, burst: 0 };
        assert_eq!(none.take(Instant::ZERO, &mut until, 1), Duration::ZERO);
        assert_eq!(none.take(Instant::ZERO, &mut until, 1), Duration::from_secs(1));
        let mut until = Instant::ZERO;
        let most = Rate { per_second: u32::MAX, burst: u32::MAX };
        assert_eq!(most.take(Instant::ZERO, &mut until, 1 << 20), Duration::ZERO);
        let wait = none.take(Instant::ZERO, &mut until, usize::MAX);
        assert!(wait > Duration::from_secs(1_000_000));
        assert_eq!(none.take(Instant::from_micros(u64::MAX), &mut until, 9), Duration::ZERO);
    }
}
