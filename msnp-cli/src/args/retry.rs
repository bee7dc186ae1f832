//! How often and how patiently to sign in.

use std::time::Duration;

use clap::Args;
use msnp_proto::client::Reconnect;

use super::values;
use crate::entropy;

/// For verbs that do one thing and leave.
#[derive(Args, Debug)]
pub(crate) struct RetryArgs {
    /// More attempts to sign in; no message is sent twice
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = values::number(0..=u32::MAX))]
    retry: u32,

    /// Longest pause between two of these attempts
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = values::duration)]
    retry_max_wait: Duration,
}

impl RetryArgs {
    /// A session that is lost is not made again.
    pub(crate) fn policy(&self) -> Reconnect {
        policy(self.retry, Some(0), self.retry_max_wait)
    }
}

/// For verbs that stay.
#[derive(Args, Debug)]
pub(crate) struct StayArgs {
    /// Leave when the connection is lost, in place of signing in again
    #[arg(long)]
    no_reconnect: bool,

    /// More attempts at the first sign-in; later: any number
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = values::number(0..=u32::MAX))]
    retry: u32,

    /// Longest pause between attempts, from half a second up
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = values::duration)]
    retry_max_wait: Duration,
}

impl StayArgs {
    pub(crate) fn policy(&self) -> Reconnect {
        policy(self.retry, self.no_reconnect.then_some(0), self.retry_max_wait)
    }
}

fn policy(at_first: u32, afterwards: Option<u32>, longest: Duration) -> Reconnect {
    let mut policy = Reconnect::new(entropy::number());
    (policy.at_first, policy.afterwards, policy.longest) = (Some(at_first), afterwards, longest);
    policy
}
