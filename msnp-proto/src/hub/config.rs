//! What a hub can be told, and what its peers may cost it.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use super::rates::{Allowance, Rate};
use super::record::GroupSet;
use crate::limits::{Leniency, SWITCHBOARD_PAYLOAD};
use crate::time::Duration;
use crate::types::Dialect;

/// What a [`Hub`](super::Hub) is told when it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HubConfig {
    /// Where the dispatch server listens: the address that people are given.
    pub dispatch: SocketAddr,
    /// Where the notification server listens; not used with [`HubConfig::single`].
    pub notification: SocketAddr,
    /// Where the switchboards listen.
    pub switchboard: SocketAddr,
    /// No referral: people sign in at [`HubConfig::dispatch`], which is the notification server
    /// then. There are two listening sockets instead of three.
    pub single: bool,
    /// The host named in referrals and calls. Without one it is the IP address that the socket
    /// listens at, or the loopback address if it listens at all.
    pub advertise: Option<String>,
    /// The time of [`Instant::ZERO`](crate::time::Instant::ZERO) in seconds since 1970, for the
    /// profile that clients get.
    pub unix_time_at_zero: u64,
    /// The dialects that are spoken.
    pub dialects: Vec<Dialect>,
    /// Whether clients of MSNP6 and 7 are challenged after their first status.
    pub challenges: bool,
    /// Least and greatest pause between two challenges of one client; `None` for no second one.
    pub challenge_pause: Option<(Duration, Duration)>,
    /// The address of a download in the answer to CVR. One word.
    pub download_url: String,
    /// The address of a page in the answer to CVR. One word.
    pub info_url: String,
    /// The pages of which addresses are given (`URL`). Others are refused with error 502.
    pub services: Vec<Service>,
    /// Whether invitations by mail are taken, as [`Event::Invitation`](super::Event::Invitation):
    /// the operator sends them. Otherwise they are refused with error 503.
    pub mail_invitations: bool,
    /// Whether input may differ from the letter of the protocol in the ways of real clients. When
    /// strict, the first command that cannot be understood, or has too many arguments, is also the
    /// last: that is for tests of clients.
    pub leniency: Leniency,
    /// What peers may cost.
    pub limits: HubLimits,
}

impl HubConfig {
    /// A hub whose dispatch server listens at `at`, the other two at free ports of the same
    /// address, with everything else as it is by default.
    #[must_use]
    pub fn new(at: SocketAddr) -> Self {
        Self {
            dispatch: at,
            notification: SocketAddr::new(at.ip(), 0),
            switchboard: SocketAddr::new(at.ip(), 0),
            single: false,
            advertise: None,
            unix_time_at_zero: 0,
            dialects: Dialect::ALL.to_vec(),
            challenges: true,
            challenge_pause: Some((Duration::from_secs(5 * 60), Duration::from_secs(15 * 60))),
            download_url: String::from("http://example.net/"),
            info_url: String::from("http://example.net/"),
            services: Vec::new(),
            mail_invitations: false,
            leniency: Leniency::Lenient,
            limits: HubLimits::new(),
        }
    }

    /// A hub for one program and its friends: loopback only, any free ports, sign-in at the first
    /// port, no limits on numbers and rates.
    #[must_use]
    pub fn loopback() -> Self {
        Self {
            single: true,
            limits: HubLimits::off(),
            ..Self::new(SocketAddr::new(IpAddr::from([127, 0, 0, 1]), 0))
        }
    }
}

/// A page of which the address is given. Every text is one word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// What clients ask for: `INBOX`, `COMPOSE`, `PERSON` and others.
    pub name: String,
    /// The page, to be opened after signing in; relative or, since MSNP3, absolute.
    pub redirect: String,
    /// Where its sign-in form is posted.
    pub login: String,
    /// The site's number, not said in MSNP2.
    pub site: u32,
}

/// What peers may cost a hub. Sizes are in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HubLimits {
    /// Connections in all; one more is turned away as it is accepted.
    pub connections: usize,
    /// Connections from one IP address; one more is turned away as it is accepted.
    pub connections_per_address: usize,
    /// From the connection to the end of signing in, or to the entry into a switchboard. Input
    /// does not move it. The connection is closed.
    pub sign_in: Duration,
    /// Longest line before sign-in; one byte more closes the connection.
    pub line_before_sign_in: usize,
    /// Longest line after sign-in and in switchboards; one byte more closes the connection.
    pub line: usize,
    /// Longest payload at the notification server; a longer one is passed over and refused.
    pub payload: usize,
    /// Longest message in a switchboard; one byte more closes the connection and nothing is
    /// delivered, as real servers did.
    pub message: usize,
    /// Pending output over which a connection is not read from.
    pub backlog_soft: usize,
    /// Pending output that others caused, and over which a connection is dropped. What it asked for
    /// itself and is longer, as its lists, does not count.
    pub backlog_hard: usize,
    /// List changes, renames, status changes, calls, referrals and reading of lists on one
    /// connection, and all else that a signed-in client may say (URL, FND, SND, SDC, PAG, IMS, CHL)
    /// but PNG, QRY, CVR and OUT. What is over is answered later, nothing is refused. The same holds
    /// for the other rates.
    pub changes: Option<Rate>,
    /// Commands on one connection, those that cannot be understood and those of
    /// [`HubLimits::changes`] included; all but messages in switchboards.
    pub commands: Option<Rate>,
    /// Messages that one connection sends to its switchboard.
    pub texts: Option<Rate>,
    /// Bytes that arrive on one connection, of whatever they are.
    pub bytes: Option<Rate>,
    /// Commands in a row that cannot be understood; the one that makes it so many closes the
    /// connection.
    pub strikes: u8,
    /// How long a cookie for a switchboard is good.
    pub cookie: Duration,
    /// Cookies that one person may have asked for at a time. At the limit: error 714.
    pub cookies: usize,
    /// People in one switchboard, called ones included. At the limit a call gives error 712.
    pub people: usize,
    /// How long a person may be alone in a switchboard. The connection is closed.
    pub alone: Duration,
    /// How long a switchboard with several people may be silent. Everybody is dropped, told by
    /// `BYE … 1`. `None`: for ever.
    pub silence: Option<Duration>,
    /// How long a client may take to answer a challenge. The connection is closed. While it is held
    /// up by a [`Rate`], the time does not run.
    pub challenge: Duration,
    /// Calls in a row on one connection that reached nobody; all further ones on it are
    /// refused with error 713, as on real servers. `None`: never.
    pub failed_calls: Option<u8>,
    /// Calls that one person may have of one caller and not answered yet, however many switchboards
    /// the caller has. At the limit: error 713.
    pub rings_of_one: usize,
    /// Calls that one person may have in all and not answered yet. At the limit: error 217.
    pub rings: usize,
    /// How often somebody may take another name; what is over is refused with error 800. `None`:
    /// there is no more than [`HubLimits::changes`], by which nothing is refused.
    pub renames: Option<Allowance>,
    /// Groups of one account, group 0 included; more than 30 counts as 30. At the limit: error 223.
    pub groups: u32,
    /// People on a forward list. At the limit: error 210.
    pub contacts: usize,
    /// People on an allow or block list. At the limit: error 210.
    pub privacy_entries: usize,
}

impl HubLimits {
    /// For a server that strangers can reach.
    ///
    /// Clients of the time say a few dozen commands when they sign in and one a minute after it, so
    /// 100 commands a second hold up nobody but who means harm. Texts and bytes have no limit of
    /// their own: a program may send as fast as its receivers read.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            connections: 1024,
            connections_per_address: 64,
            sign_in: Duration::from_secs(20),
            line_before_sign_in: 1024,
            line: 8 * 1024,
            payload: 8 * 1024,
            message: SWITCHBOARD_PAYLOAD,
            backlog_soft: 64 * 1024,
            backlog_hard: 256 * 1024,
            changes: Some(Rate { per_second: 10, burst: 100 }),
            commands: Some(Rate { per_second: 100, burst: 1000 }),
            texts: None,
            bytes: None,
            strikes: 10,
            cookie: Duration::from_secs(60),
            cookies: 256,
            people: 50,
            alone: Duration::from_secs(5 * 60),
            silence: None,
            challenge: Duration::from_secs(50),
            failed_calls: Some(5),
            rings_of_one: 4,
            rings: 64,
            renames: None,
            groups: GroupSet::MOST,
            contacts: 600,
            privacy_entries: 1200,
        }
    }

    /// For a server that only its owner can reach: no limits on numbers and rates. What the
    /// protocol itself limits stays.
    #[must_use]
    pub const fn off() -> Self {
        Self {
            connections: usize::MAX,
            connections_per_address: usize::MAX,
            changes: None,
            commands: None,
            texts: None,
            bytes: None,
            cookies: usize::MAX,
            people: usize::MAX,
            failed_calls: None,
            rings_of_one: usize::MAX,
            rings: usize::MAX,
            contacts: usize::MAX,
            privacy_entries: usize::MAX,
            ..Self::new()
        }
    }
}

impl Default for HubLimits {
    fn default() -> Self {
        Self::new()
    }
}
