//! When to sign in again after a session was lost.
//!
//! This module knows pauses, and which losses are worth another attempt. It does not sign in, and
//! it has no clock: the client does the one and is told the other.

use crate::error::{Lost, Violation};
use crate::time::{Duration, Instant};

/// Signs in again by itself after a loss that may pass, with pauses that double up to a limit.
///
/// Given in [`Config::reconnect`](super::Config::reconnect). Each
/// [`Event::Lost`](super::Event::Lost) that is not the last is followed by
/// [`Event::Retrying`](super::Event::Retrying), and
/// [`Client::next_attempt`](super::Client::next_attempt) says when; signing out cancels it. What was
/// open when the session was lost has had its end by then and is never sent again.
///
/// No attempt follows a refused password or account, `OUT OTH` (the account signed in elsewhere; two
/// clients would throw each other out for ever), a refused answer to a challenge, a server without a
/// version or a way to sign in that we know, or signing out. A server that talks another protocol
/// is tried again only if it was one of ours before: a gateway that answers in its place while the
/// network is down goes away again.
///
/// ```
/// use core::time::Duration;
/// use msnp_proto::client::{Config, Reconnect};
///
/// let mut config = Config::new();
/// // The seed is eight random bytes, so that not all clients of a server come back at once.
/// let mut reconnect = Reconnect::new(0x5eed);
/// reconnect.longest = Duration::from_secs(60);
/// config.reconnect = Some(reconnect);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconnect {
    /// The pause before the first attempt in a row. Each pause is twice the one before, and of each
    /// a random part of up to one half is left out. Default 500 ms.
    pub shortest: Duration,
    /// No pause is longer. Default 5 min.
    pub longest: Duration,
    /// After so long online the next loss begins a new row; until then a server that lets us in and
    /// throws us out at once is asked less and less often. Default 1 min.
    pub stable: Duration,
    /// Most attempts in a row until the client is online for the first time; `None` is any number.
    /// Default `None`.
    pub at_first: Option<u32>,
    /// The same once it has been online.
    pub afterwards: Option<u32>,
    /// Where the random part of the pauses comes from. Clients with one seed wait alike.
    pub seed: u64,
}

impl Reconnect {
    /// Without an end, after pauses of up to 5 minutes.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            shortest: Duration::from_millis(500),
            longest: Duration::from_secs(300),
            stable: Duration::from_secs(60),
            at_first: None,
            afterwards: None,
            seed,
        }
    }
}

/// The policy at work.
#[derive(Debug)]
pub(super) struct Backoff {
    policy: Reconnect,
    random: u64,
    /// Attempts since the last stable session.
    attempts: u32,
    online_since: Option<Instant>,
    was_online: bool,
}

impl Backoff {
    pub(super) fn new(policy: Reconnect) -> Self {
        let random = policy.seed;
        Self { policy, random, attempts: 0, online_since: None, was_online: false }
    }

    /// The application signs in.
    pub(super) fn begin(&mut self) {
        (self.attempts, self.online_since, self.was_online) = (0, None, false);
    }

    /// The session is up; being moved to another server does not make it a new one.
    pub(super) fn online(&mut self, now: Instant) {
        self.online_since.get_or_insert(now);
        self.was_online = true;
    }

    /// The session is lost: the number of the attempt to make, counted from 1, and the pause before
    /// it.
    pub(super) fn lost(&mut self, now: Instant, why: Lost) -> Option<(u32, Duration)> {
        let since = self.online_since.take();
        if since.is_some_and(|since| now - since >= self.policy.stable) {
            self.attempts = 0;
        }
        let most = if self.was_online { self.policy.afterwards } else { self.policy.at_first };
        let has_more = most.is_none_or(|most| self.attempts < most);
        if !has_more || !may_pass(why, self.was_online) {
            return None;
        }
        self.attempts = self.attempts.saturating_add(1);
        Some((self.attempts, self.pause()))
    }

    fn pause(&mut self) -> Duration {
        let doublings = self.attempts.saturating_sub(1).min(30);
        let whole = self.policy.shortest.saturating_mul(1 << doublings).min(self.policy.longest);
        let half = u64::try_from(whole.as_micros() / 2).unwrap_or(u64::MAX);
        let left_out = self.next_random().checked_rem(half.saturating_add(1)).unwrap_or(0);
        whole.saturating_sub(Duration::from_micros(left_out))
    }

    /// SplitMix64 (Steele, Lea and Flood 2014): spread evenly, and good for nothing secret.
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Whether the same may succeed later.
fn may_pass(why: Lost, was_online: bool) -> bool {
    match why {
        Lost::Connection(_)
        | Lost::HungUp { .. }
        | Lost::ServerDown
        | Lost::Dismissed
        | Lost::TimedOut(_) => true,
        Lost::Password(code) | Lost::Refused(code) => code.is_temporary(),
        Lost::Violation(
            Violation::Version
            | Violation::Package
            | Violation::EmptyChallenge
            | Violation::Account,
        ) => false,
        Lost::Frame(_) | Lost::Violation(_) => was_online,
        Lost::SignedOut
        | Lost::ElsewhereSignedIn
        | Lost::Challenge
        | Lost::Moved
        | Lost::Idle
        | Lost::Alone => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{FrameError, Wait};
    use crate::machine::Closed;
    use crate::types::ErrorCode;

    const HUNG_UP: Lost = Lost::HungUp { unfinished: false };

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_at_most_half_is_left_out() {
        for seed in [0, 1, 7, u64::MAX] {
            let mut policy = Reconnect::new(seed);
            policy.longest = Duration::from_secs(8);
            let mut backoff = Backoff::new(policy);
            for (number, whole) in (1..).zip([500, 1000, 2000, 4000, 8000, 8000, 8000]) {
                let (attempt, pause) = backoff.lost(at(0), HUNG_UP).expect("it goes on for ever");
                assert_eq!(attempt, number);
                let whole = Duration::from_millis(whole);
                assert!(pause <= whole && pause >= whole / 2, "{number}: {pause:?}");
            }
        }
    }

    #[test]
    fn pauses_of_two_seeds_differ_and_those_of_one_do_not() {
        let pauses = |seed| -> alloc::vec::Vec<_> {
            let mut backoff = Backoff::new(Reconnect::new(seed));
            (0..8).filter_map(|_| backoff.lost(at(0), HUNG_UP)).collect()
        };
        assert_eq!(pauses(1), pauses(1));
        assert_ne!(pauses(1), pauses(2));
    }

    #[test]
    fn odd_limits_do_no_harm() {
        for (shortest, longest) in [
            (Duration::ZERO, Duration::ZERO),
            (Duration::MAX, Duration::MAX),
            (Duration::from_secs(9), Duration::ZERO),
            (Duration::from_micros(1), Duration::from_micros(1)),
        ] {
            let mut policy = Reconnect::new(3);
            (policy.shortest, policy.longest) = (shortest, longest);
            let mut backoff = Backoff::new(policy);
            for _ in 0..70 {
                let (_, pause) = backoff.lost(at(0), HUNG_UP).expect("it goes on for ever");
                assert!(pause <= longest);
            }
        }
    }

    #[test]
    fn a_session_is_stable_at_the_limit_and_not_before() {
        let stable = Duration::from_secs(60);
        for (lasted, attempt) in [(stable - Duration::from_micros(1), 4), (stable, 1)] {
            let mut backoff = Backoff::new(Reconnect::new(0));
            for _ in 0..3 {
                backoff.lost(at(0), HUNG_UP);
            }
            backoff.online(at(100));
            // Moved to another server.
            backoff.online(at(130));
            let next = backoff.lost(at(100) + lasted, HUNG_UP).map(|(attempt, _)| attempt);
            assert_eq!(next, Some(attempt), "{lasted:?}");
        }
    }

    #[test]
    fn attempts_are_counted_before_and_after_the_first_success() {
        let mut policy = Reconnect::new(0);
        (policy.at_first, policy.afterwards) = (Some(2), Some(1));
        let mut backoff = Backoff::new(policy);
        let lost = |backoff: &mut Backoff| backoff.lost(at(500), HUNG_UP).map(|(n, _)| n);
        assert_eq!([lost(&mut backoff), lost(&mut backoff)], [Some(1), Some(2)]);
        assert_eq!(lost(&mut backoff), None);
        backoff.begin();
        assert_eq!(lost(&mut backoff), Some(1));
        backoff.online(at(10));
        assert_eq!([lost(&mut backoff), lost(&mut backoff)], [Some(1), None]);
    }

    #[test]
    fn which_losses_may_pass() {
        let code = |number| ErrorCode::new(number).expect("three digits");
        // Before the client was online, and after.
        let rows = [
            (HUNG_UP, [true, true]),
            (Lost::HungUp { unfinished: true }, [true, true]),
            (Lost::Connection(Closed::Refused), [true, true]),
            (Lost::Connection(Closed::UnknownHost), [true, true]),
            (Lost::Connection(Closed::Reset), [true, true]),
            (Lost::ServerDown, [true, true]),
            (Lost::Dismissed, [true, true]),
            (Lost::TimedOut(Wait::SignIn), [true, true]),
            (Lost::TimedOut(Wait::Pong), [true, true]),
            (Lost::Password(code(910)), [true, true]),
            (Lost::Refused(code(600)), [true, true]),
            (Lost::Frame(FrameError::BadLength), [false, true]),
            (Lost::Violation(Violation::NotMsnp), [false, true]),
            (Lost::Violation(Violation::Version), [false, false]),
            (Lost::Violation(Violation::Package), [false, false]),
            (Lost::Violation(Violation::EmptyChallenge), [false, false]),
            (Lost::Violation(Violation::Account), [false, false]),
            (Lost::Password(code(911)), [false, false]),
            (Lost::Password(code(921)), [false, false]),
            (Lost::Refused(code(715)), [false, false]),
            (Lost::ElsewhereSignedIn, [false, false]),
            (Lost::Challenge, [false, false]),
            (Lost::SignedOut, [false, false]),
        ];
        for (why, passes) in rows {
            assert_eq!([may_pass(why, false), may_pass(why, true)], passes, "{why}");
        }
    }
}
