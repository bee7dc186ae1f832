//! The composed client: one account, its roster, and its chats, over as many connections as that
//! takes.
//!
//! The client knows when to connect where, follows referrals, and keeps a chat together through
//! several switchboards. What is said on a connection is the business of
//! [`Notification`] and [`Switchboard`](crate::sb::Switchboard).
//!
//! | room | what it knows |
//! |---|---|
//! | `host` | the driver: connections, bytes, time |
//! | `session` | the notification connection: sign-in, referrals, rings, the end |
//! | `reconnect` | when to sign in again after a loss |
//! | `people` | what may be asked about lists, groups, names and settings |
//! | `talk` | what may be done in a chat |
//! | `lines` | what a chat's switchboard reports |
//! | `chats` | what outlives a switchboard |
//! | `transfers` | files: offers, answers, and the connections that carry them |
//! | `conns` | the table of connections |

mod chats;
mod config;
mod conns;
mod event;
mod host;
mod lines;
mod people;
mod reconnect;
mod session;
mod talk;
mod transfers;

use alloc::collections::VecDeque;

use chats::{Chats, Line};
pub use config::{Config, SignIn};
use conns::{Conns, Role};
pub use event::{
    ChatId, Content, Event, Failure, MessageId, Outcome, RequestId, RosterChange, Warning,
};
use reconnect::Backoff;
pub use reconnect::Reconnect;
use talk::Draft;
pub use talk::payload_len;
use transfers::Transfers;
pub use transfers::{Files, TransferChange, TransferEnd, TransferId};

use crate::error::{Lost, Misuse};
use crate::machine::{ConnId, Output, Target};
use crate::ns::{Credentials, Notification, Roster};
use crate::sb;
use crate::time::Instant;
use crate::types::{Dialect, Handle, Nick, Status};

/// A client: signs in, follows people's presence, and chats.
///
/// It is a [`Host`](crate::machine::Host): a driver opens and feeds its connections. Commands are plain methods, to be
/// called between two turns of the driver's loop; what comes of them are [`Event`]s.
///
/// ```
/// use msnp_proto::client::{Client, Config, SignIn};
/// use msnp_proto::machine::{Host, Output, Target};
/// use msnp_proto::time::Instant;
/// use msnp_proto::types::Handle;
///
/// let mut client = Client::new(Config::new());
/// let server = Target { host: "messenger.example.net".into(), port: 1863 };
/// let alice = Handle::new("alice@example.net").unwrap();
/// client.sign_in(Instant::ZERO, SignIn::new(alice, "Pa55word".into(), server))?;
///
/// // The driver is asked to connect, says that it has, and is given the first bytes to write.
/// let Some(Output::Connect { conn, .. }) = client.poll_output() else { panic!() };
/// client.handle_connected(Instant::ZERO, conn);
/// assert_eq!(client.pending(conn), b"VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0\r\n");
/// # Ok::<(), msnp_proto::error::Misuse>(())
/// ```
#[derive(Debug)]
pub struct Client {
    config: Config,
    outputs: VecDeque<Output<Event>>,
    conns: Conns,
    chats: Chats,
    transfers: Transfers,
    session: Session,
    backoff: Option<Backoff>,
    /// When to sign in again, and as whom.
    again: Option<(Instant, SignIn)>,
    last_message: u64,
    last_request: u64,
    draft: Draft,
}

/// What is signed in, or on its way there.
#[derive(Debug)]
enum Session {
    /// The roster of the last session stays to be read.
    None(Roster),
    Some {
        /// The connection to the server of the moment.
        conn: ConnId,
        /// The server to begin with.
        server: Target,
        credentials: Credentials,
        /// The roster, while no machine has it.
        roster: Option<Roster>,
        /// Referrals followed in a row.
        referrals: u8,
        /// Since when it is online.
        online: Option<Instant>,
        /// When sign-in must have come to its end.
        deadline: Option<Instant>,
    },
}

impl Client {
    /// A client that is not signed in.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let backoff = config.reconnect.clone().map(Backoff::new);
        Self {
            config,
            outputs: VecDeque::new(),
            conns: Conns::default(),
            chats: Chats::default(),
            transfers: Transfers::default(),
            session: Session::None(Roster::new()),
            backoff,
            again: None,
            last_message: 0,
            last_request: 0,
            draft: Draft::default(),
        }
    }

    /// Begins to sign in. It ends with [`Event::Online`] or [`Event::Lost`]. An attempt that the
    /// client would make by itself is made no more.
    ///
    /// # Errors
    ///
    /// [`Misuse::AlreadyOnline`].
    pub fn sign_in(&mut self, now: Instant, sign_in: SignIn) -> Result<(), Misuse> {
        if matches!(self.session, Session::Some { .. }) {
            return Err(Misuse::AlreadyOnline);
        }
        self.again = None;
        if let Some(backoff) = &mut self.backoff {
            backoff.begin();
        }
        self.begin(now, sign_in);
        Ok(())
    }

    fn begin(&mut self, now: Instant, sign_in: SignIn) {
        let SignIn { account, password, server, status, roster } = sign_in;
        let conn = self.connect(Role::ToNotification(server.clone()), server.clone());
        self.session = Session::Some {
            conn,
            server,
            credentials: Credentials { account, password, status },
            roster: Some(roster.unwrap_or_default()),
            referrals: 0,
            online: None,
            deadline: Some(now + self.config.waits.sign_in),
        };
    }

    /// Leaves all chats and signs out. The goodbyes are pending then; the driver closes each
    /// connection behind them. A session that was lost before is not tried again. A file that is on
    /// its way already goes on; one that is only offered does not.
    pub fn sign_out(&mut self, now: Instant) {
        self.again = None;
        for chat in self.chats.ids() {
            self.withdraw_transfers(now, chat);
        }
        self.lose(now, Lost::SignedOut);
    }

    /// When the client will sign in again by itself; `None` if it is signed in, on its way, or done.
    #[must_use]
    pub fn next_attempt(&self) -> Option<Instant> {
        self.again.as_ref().map(|(at, _)| *at)
    }

    /// Whether a status is set, so that chats can be opened.
    #[must_use]
    pub fn is_online(&self) -> bool {
        self.notification().is_some_and(Notification::is_online)
    }

    /// Whether there are no connections any more.
    #[must_use]
    pub fn is_disconnected(&self) -> bool {
        self.conns.iter().next().is_none()
    }

    /// One's own account, in the server's spelling once it is signed in.
    #[must_use]
    pub fn account(&self) -> Option<&Handle> {
        match &self.session {
            Session::None(_) => None,
            Session::Some { credentials, .. } => {
                let told = self.notification().and_then(Notification::account);
                Some(told.unwrap_or(&credentials.account))
            }
        }
    }

    /// One's own display name, once signed in.
    #[must_use]
    pub fn nick(&self) -> Option<&Nick> {
        self.notification().and_then(Notification::nick)
    }

    /// One's own status, once online.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.notification().and_then(Notification::status)
    }

    /// The dialect that was agreed with the server of the moment.
    #[must_use]
    pub fn dialect(&self) -> Option<Dialect> {
        self.notification().filter(|ns| ns.account().is_some()).map(Notification::dialect)
    }

    /// Lists, groups, names, presence and settings, as the server last told them.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        static EMPTY: Roster = Roster::new();
        match (&self.session, self.notification()) {
            (_, Some(notification)) => notification.roster(),
            (Session::None(roster), None) | (Session::Some { roster: Some(roster), .. }, None) => {
                roster
            }
            (Session::Some { roster: None, .. }, None) => &EMPTY,
        }
    }

    /// Sets one's own status. Answered by [`Event::Done`] or [`Event::Refused`].
    ///
    /// # Errors
    ///
    /// [`Misuse::NotOnline`], [`Misuse::Backlog`].
    pub fn set_status(&mut self, now: Instant, status: Status) -> Result<RequestId, Misuse> {
        let request = RequestId(self.last_request.wrapping_add(1));
        let (conn, notification) = self.notification_mut().ok_or(Misuse::NotOnline)?;
        notification.set_status(now, request, status)?;
        self.last_request = request.0;
        self.pump(now, conn);
        Ok(request)
    }

    /// How many bytes of a connection were looked at in search of line ends, in all; 0 if it is
    /// gone.
    #[must_use]
    pub fn scanned(&self, conn: ConnId) -> u64 {
        match self.conns.get(conn).map(|conn| &conn.role) {
            Some(Role::Notification(machine)) => machine.scanned(),
            Some(Role::Switchboard(_, machine)) => machine.scanned(),
            _ => 0,
        }
    }

    fn tell(&mut self, event: Event) {
        if self.transfers.says_nothing() {
            self.outputs.push_back(Output::Event(event));
        } else if let Some(event) = self.transfers.intercept(event) {
            self.outputs.push_back(Output::Event(event));
        }
    }

    fn connect(&mut self, role: Role, to: Target) -> ConnId {
        let conn = self.conns.insert(role);
        self.outputs.push_back(Output::Connect { conn, to });
        conn
    }

    fn notification(&self) -> Option<&Notification> {
        let Session::Some { conn, .. } = self.session else { return None };
        match &self.conns.get(conn)?.role {
            Role::Notification(notification) => Some(notification),
            _ => None,
        }
    }

    fn notification_mut(&mut self) -> Option<(ConnId, &mut Notification)> {
        let Session::Some { conn, .. } = self.session else { return None };
        match &mut self.conns.get_mut(conn)?.role {
            Role::Notification(notification) => Some((conn, notification)),
            _ => None,
        }
    }

    fn switchboard_mut(&mut self, line: Line) -> Option<(ConnId, &mut sb::Switchboard)> {
        let Line::Conn(conn) = line else { return None };
        match &mut self.conns.get_mut(conn)?.role {
            Role::Switchboard(_, switchboard) => Some((conn, switchboard)),
            _ => None,
        }
    }
}
