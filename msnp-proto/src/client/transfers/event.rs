//! What is reported about files, and what an application decides about them.

use alloc::vec::Vec;
use core::fmt;
use core::net::Ipv4Addr;

use crate::client::Failure;
use crate::ftp::{End, FileWaits};
use crate::time::Duration;

/// Names one file that is offered, on its way in or on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransferId(pub u32);

/// Whether and how files are sent and taken: [`Config::files`](crate::client::Config::files).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Files {
    /// The address at which others can connect to us. It is told to people with whom a file is
    /// exchanged, after both agreed. `None`: we cannot be reached, and they are asked to listen.
    pub address: Option<Ipv4Addr>,
    /// Our address inside a private network, if it is another one: it is told beside `address`, and
    /// people in the same network are dialled there.
    pub internal: Option<Ipv4Addr>,
    /// Offers of more bytes than this are refused without asking. Default: any number.
    pub largest: u64,
    /// Files that may be offered to us at once, from all people together. Default 50; one more is
    /// refused without asking. From one person a fifth of it.
    pub offers: usize,
    /// How long an offer of ours stands; one to us a little longer, unless it is taken back before.
    /// Default 10 min.
    pub offer: Duration,
    /// From accepting to being told where to connect. Default 1 min.
    pub address_wait: Duration,
    /// How long we listen for the other side. Default 1 min; the official client listened for 30 s.
    pub listen: Duration,
    /// From dialling the other side to an agreed transfer. Default 30 s.
    pub connect: Duration,
    /// Grace for somebody who goes offline while an offer of ours stands. Default 10 s.
    pub offline: Duration,
    /// What the transfer itself waits for.
    pub waits: FileWaits,
}

impl Files {
    /// Others reach us at `address`, if there is one.
    #[must_use]
    pub fn new(address: Option<Ipv4Addr>) -> Self {
        Self {
            address,
            internal: None,
            largest: u64::MAX,
            offers: 50,
            offer: Duration::from_secs(600),
            address_wait: Duration::from_secs(60),
            listen: Duration::from_secs(60),
            connect: Duration::from_secs(30),
            offline: Duration::from_secs(10),
            waits: FileWaits::default(),
        }
    }
}

/// Something that happened to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransferChange {
    /// The other side takes the file. Both look for a connection now.
    Accepted,
    /// The connection stands, and both mean the same file.
    Started,
    /// There is room for so many bytes of the file that we send:
    /// [`Client::supply_file`](crate::client::Client::supply_file). It is said once until bytes
    /// are given.
    Wanted {
        /// Most bytes that are taken now.
        room: usize,
    },
    /// So many bytes of the file that we send are on the network.
    Sent {
        /// Bytes since the beginning.
        bytes: u64,
    },
    /// The next bytes of the file that we take.
    Data(Vec<u8>),
    /// All bytes of the file that we take have come. Once they are where they shall stay, say so:
    /// [`Client::finish_file`](crate::client::Client::finish_file), or
    /// [`Client::fail_file`](crate::client::Client::fail_file). The other side waits for it some
    /// ten seconds.
    Arrived,
    /// The end; exactly one for each file.
    Ended(TransferEnd),
}

/// How a file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransferEnd {
    /// All of it is there; for a file that we sent, the other side said so.
    Complete,
    /// All of it was sent, and the other side said nothing.
    Unconfirmed,
    /// They do not want it.
    Declined,
    /// Their program cannot take files.
    NotInstalled,
    /// We ended it.
    CancelledHere,
    /// They ended it, or took the offer back.
    CancelledThere,
    /// Nobody answered the offer, or the other side did not go on.
    TimedOut,
    /// The other side could not be told.
    Unreachable(Failure),
    /// No connection came about between the two.
    NoConnection,
    /// The transfer itself broke off.
    Broken(End),
}

impl fmt::Display for TransferEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Complete => "complete",
            Self::Unconfirmed => "sent, and not confirmed",
            Self::Declined => "declined",
            Self::NotInstalled => "their program cannot take files",
            Self::CancelledHere => "cancelled",
            Self::CancelledThere => "cancelled by the other side",
            Self::TimedOut => "no answer in time",
            Self::Unreachable(why) => return write!(f, "not reached: {why}"),
            Self::NoConnection => "no connection between the two sides",
            Self::Broken(end) => return end.fmt(f),
        })
    }
}
