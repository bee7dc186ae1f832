//! What an application decides about a client.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Files, Reconnect};
use crate::limits::{Leniency, Limits, Waits};
use crate::machine::Target;
use crate::ns::Roster;
use crate::secret::Secret;
use crate::types::{Dialect, Handle, Status};

/// How a client behaves. The defaults are what `msnp` uses.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The dialects to offer, best first. `CVR0` is always offered behind them.
    pub dialects: Vec<Dialect>,
    /// What a peer may cost.
    pub limits: Limits,
    /// How long to wait for what.
    pub waits: Waits,
    /// How forgiving to be.
    pub leniency: Leniency,
    /// Referrals in a row that are followed, moves and restarts of a session among them; one more is
    /// a [`Violation::Referrals`](crate::error::Violation::Referrals). After a minute online another
    /// row begins.
    pub referrals: u8,
    /// Whether and how to sign in again after a session was lost. `None`: not by itself.
    pub reconnect: Option<Reconnect>,
    /// Whether to enter a switchboard when somebody calls.
    pub answer_calls: bool,
    /// Whether to ask for the lists at sign-in.
    pub sync: bool,
    /// What CVR says: locale, system, its version, architecture, library, version, codebase. The
    /// codebase is left out before MSNP4. Empty: no CVR is sent.
    pub version_report: String,
    /// Chats that are remembered; the oldest one without a switchboard is forgotten for a new one.
    pub chats: usize,
    /// Whether and how files are sent and taken. `None`: invitations are messages like others
    /// ([`Content::Other`](super::Content::Other)).
    pub files: Option<Files>,
    /// Texts that may wait in one chat for somebody to come.
    pub waiting_texts: usize,
    /// Entries of all lists that are kept; more are reported and ignored.
    pub roster_entries: usize,
    /// People in one chat that are kept; more are reported and ignored.
    pub people: usize,
}

impl Config {
    /// MSNP7 down to MSNP4, as the client of 2001 offered.
    #[must_use]
    pub fn new() -> Self {
        Self {
            dialects: [Dialect::Msnp7, Dialect::Msnp6, Dialect::Msnp5, Dialect::Msnp4].to_vec(),
            limits: Limits::new(),
            waits: Waits::new(),
            leniency: Leniency::Lenient,
            referrals: 5,
            reconnect: None,
            answer_calls: true,
            sync: true,
            version_report: String::from("0x0409 win 4.10 i386 MSMSGS 4.5.0127 MSMSGS"),
            chats: 256,
            files: None,
            waiting_texts: 256,
            roster_entries: 10_000,
            people: 64,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

/// Who signs in where.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The account.
    pub account: Handle,
    /// Its password.
    pub password: Secret,
    /// A dispatch or notification server.
    pub server: Target,
    /// The status to begin with. [`Status::Hidden`] signs in invisibly.
    pub status: Status,
    /// The roster of an earlier session. The server says whether it is still right.
    pub roster: Option<Roster>,
}

impl SignIn {
    /// Signs in as online, with no roster kept from before.
    #[must_use]
    pub fn new(account: Handle, password: Secret, server: Target) -> Self {
        Self { account, password, server, status: Status::Online, roster: None }
    }
}
