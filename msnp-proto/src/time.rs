//! Time as the caller tells it: an [`Instant`] is an argument, never something this crate asks for.
//!
//! This module knows points in time, durations and small tables of deadlines. It does not know what
//! any deadline is for, and it has no clock.

use core::fmt;
use core::ops::{Add, AddAssign, Sub};
pub use core::time::Duration;

/// A point in time: microseconds since an origin that the caller chose.
///
/// All values given to one machine must share one origin and must not run back. Arithmetic
/// saturates: half a million years after the origin time stands still, nothing overflows.
///
/// ```
/// use msnp_proto::time::{Duration, Instant};
///
/// let start = Instant::ZERO;
/// let later = start + Duration::from_millis(20);
/// assert_eq!(later.as_micros(), 20_000);
/// assert_eq!(later - start, Duration::from_millis(20));
/// assert_eq!(start - later, Duration::ZERO);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// The caller's origin.
    pub const ZERO: Self = Self(0);

    /// The point `micros` microseconds after the origin.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the origin.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }
}

impl From<Duration> for Instant {
    /// The point that lies so long after the origin.
    fn from(since_origin: Duration) -> Self {
        Self::ZERO + since_origin
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        let micros = u64::try_from(rhs.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(micros))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, rhs: Duration) {
        *self = *self + rhs;
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, rhs: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(rhs.0))
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}s", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// A closed set of timers: an enum whose values number themselves from 0 to `COUNT - 1`.
pub trait TimerKind: Copy + 'static {
    /// All timers, each at the place that [`TimerKind::index`] gives.
    const ALL: &'static [Self];

    /// The timer's place in [`TimerKind::ALL`].
    fn index(self) -> usize;
}

/// Deadlines of one machine, one slot a timer.
#[derive(Clone, Debug)]
pub(crate) struct Timers<K, const N: usize> {
    due: [Option<Instant>; N],
    kinds: core::marker::PhantomData<K>,
}

impl<K: TimerKind, const N: usize> Timers<K, N> {
    pub(crate) fn new() -> Self {
        const { assert!(K::ALL.len() == N, "one slot for each timer") };
        Self { due: [None; N], kinds: core::marker::PhantomData }
    }

    /// Sets the timer, whether it ran already or not.
    pub(crate) fn arm(&mut self, timer: K, at: Instant) {
        if let Some(slot) = self.due.get_mut(timer.index()) {
            *slot = Some(at);
        }
    }

    pub(crate) fn stop(&mut self, timer: K) {
        if let Some(slot) = self.due.get_mut(timer.index()) {
            *slot = None;
        }
    }

    pub(crate) fn stop_all(&mut self) {
        self.due = [None; N];
    }

    /// The earliest deadline of all.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.due.iter().flatten().min().copied()
    }

    /// Takes the earliest timer that is due at `now`; each fires once.
    pub(crate) fn pop_expired(&mut self, now: Instant) -> Option<K> {
        let (slot, kind) = self
            .due
            .iter_mut()
            .zip(K::ALL)
            .filter(|(due, _)| due.is_some_and(|at| at <= now))
            .min_by_key(|(due, _)| **due)?;
        *slot = None;
        Some(*kind)
    }
}

/// The earlier of two optional deadlines.
pub(crate) fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Kind {
        First,
        Second,
    }

    impl TimerKind for Kind {
        const ALL: &'static [Self] = &[Self::First, Self::Second];

        fn index(self) -> usize {
            self as usize
        }
    }

    #[test]
    fn timers_fire_once_in_order_and_not_early() {
        let at = |micros| Instant::from_micros(micros);
        let mut timers = Timers::<Kind, 2>::new();
        timers.arm(Kind::First, at(20));
        timers.arm(Kind::Second, at(10));
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.pop_expired(at(9)), None);
        assert_eq!(timers.pop_expired(at(20)), Some(Kind::Second));
        assert_eq!(timers.pop_expired(at(20)), Some(Kind::First));
        assert_eq!(timers.pop_expired(at(20)), None);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn time_saturates_at_both_ends() {
        let end = Instant::from_micros(u64::MAX);
        assert_eq!(end + Duration::MAX, end);
        assert_eq!(Instant::ZERO - end, Duration::ZERO);
    }
}
