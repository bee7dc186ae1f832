//! Time as the host is told it.
//!
//! This module knows the system's two clocks. It does not know what any point in time is for.

use std::time::SystemTime;

use msnp_proto::time::{Duration, Instant};

/// Counts microseconds since its own creation, and says which time of day a point was.
///
/// It never runs back. The time of day is fixed to the counter once, at creation, so that two
/// timestamps are as far apart as their points are, even when somebody sets the system's clock.
///
/// ```
/// let clock = msnp_mio::Clock::new();
/// let before = clock.now();
/// assert!(clock.now() >= before);
/// assert!(clock.system_time(before) <= std::time::SystemTime::now());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: std::time::Instant,
    origin_of_day: SystemTime,
}

impl Clock {
    /// A clock that starts at zero now.
    #[must_use]
    pub fn new() -> Self {
        // In this order a point never maps to a time of day that is still to come.
        let origin_of_day = SystemTime::now();
        Self { origin: std::time::Instant::now(), origin_of_day }
    }

    /// Microseconds since this clock's origin.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::ZERO + self.origin.elapsed()
    }

    /// The time of day at `at`.
    #[must_use]
    pub fn system_time(&self, at: Instant) -> SystemTime {
        let since = Duration::from_micros(at.as_micros());
        self.origin_of_day.checked_add(since).unwrap_or(self.origin_of_day)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}
