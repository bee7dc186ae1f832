//! What a hub tells its operator.

use alloc::string::String;
use core::net::{IpAddr, SocketAddr};

use super::directory::DirectoryError;
use crate::error::{CommandError, FrameError};
use crate::machine::{Closed, ConnId};
use crate::types::{Dialect, Handle};
use crate::wire::Verb;

/// Which of the three servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Refers people to the notification server.
    Dispatch,
    /// Where people are signed in.
    Notification,
    /// Where people talk.
    Switchboard,
}

/// What a hub tells its operator. Never holds a password, digest, cookie or message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// All sockets are open.
    Ready {
        /// The address to give to people.
        dispatch: SocketAddr,
        /// The notification server; the same as `dispatch` if there is no referral.
        notification: SocketAddr,
        /// The switchboards.
        switchboard: SocketAddr,
    },
    /// A socket could not be opened, or is gone.
    ListenFailed {
        /// Which one.
        role: Role,
        /// Where it was to be.
        at: SocketAddr,
        /// Why.
        why: Closed,
    },
    /// Somebody signed in.
    SignedIn {
        /// The connection.
        conn: ConnId,
        /// Who.
        account: Handle,
        /// In which dialect.
        dialect: Dialect,
        /// From where.
        from: IpAddr,
    },
    /// Somebody's session ended.
    SignedOut {
        /// The connection.
        conn: ConnId,
        /// Who.
        account: Handle,
        /// Why.
        why: Why,
    },
    /// A sign-in with a wrong password or an unknown account.
    Refused {
        /// The connection.
        conn: ConnId,
        /// The account that was named, if it was one.
        account: Option<Handle>,
        /// From where.
        from: IpAddr,
    },
    /// A connection without a signed-in person was ended for a reason that the peer gave.
    Dropped {
        /// The connection.
        conn: ConnId,
        /// Which server.
        role: Role,
        /// From where.
        from: IpAddr,
        /// Why.
        why: Why,
    },
    /// Connections were turned away as they were accepted. The first is told at once, further ones
    /// at most once a minute.
    TurnedAway {
        /// Which server the last of them wanted.
        role: Role,
        /// From where it came.
        from: IpAddr,
        /// Which limit it met: [`Why::Crowd`] or [`Why::CrowdOfAddress`].
        why: Why,
        /// How many there were since this was told last, this one included.
        count: u64,
    },
    /// The directory failed; the command was answered with an error.
    DirectoryFailed {
        /// The connection that asked.
        conn: ConnId,
        /// What the directory said.
        why: DirectoryError,
    },
    /// Somebody wants a person to be invited by mail. Only with
    /// [`HubConfig::mail_invitations`](super::HubConfig::mail_invitations).
    Invitation {
        /// Who invites.
        from: Handle,
        /// Whom.
        to: Handle,
        /// What the mail is to say; empty if that is left to the operator. Written by a stranger.
        text: String,
    },
    /// Everything is closed after [`Hub::shut_down`](super::Hub::shut_down).
    Stopped,
}

/// Why a session or a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// It ended in order: `OUT`, a referral, an answer that ends it.
    Left,
    /// The peer sends no more.
    HungUp,
    /// The connection broke.
    Connection(Closed),
    /// The same account signed in elsewhere.
    Elsewhere,
    /// The hub is shutting down.
    ShutDown,
    /// It was sent to another server.
    Moved,
    /// The operator ended it.
    Operator,
    /// The account was removed from the directory while its owner was online.
    AccountGone,
    /// The account of this switchboard connection signed out.
    SignedOut,
    /// The stream could not be read.
    Frame(FrameError),
    /// A command that could not be read, where that is not tolerated.
    Unreadable(CommandError),
    /// A command at the wrong moment, or one that this dialect does not have.
    Unexpected(Verb),
    /// A command with a value that ends a connection.
    Invalid(Verb),
    /// Too many commands in a row that mean nothing.
    NotMsnp,
    /// No dialect in common.
    Version,
    /// Wrong password, unknown account, wrong or stale cookie.
    Authentication,
    /// A challenge was answered wrongly, or without having been asked.
    Challenge,
    /// A challenge was not answered.
    ChallengeUnanswered,
    /// Signing in took too long.
    SignInTimeout,
    /// Nobody else was in the switchboard, or nobody said anything, for too long.
    Idle,
    /// A message over the limit.
    MessageTooLong,
    /// The peer does not read what it is sent.
    Backlog,
    /// There are as many connections as the hub takes.
    Crowd,
    /// There are as many connections as the hub takes from one address.
    CrowdOfAddress,
}
