//! The composed server: dispatch, notification and switchboards for MSNP2 to MSNP7, in memory.
//!
//! [`Hub`] is a [`Host`]: a driver opens the sockets that it asks for, feeds it what arrives and
//! writes what is pending. Accounts come from a [`Directory`].
//!
//! ```
//! use msnp_proto::hub::{Event, Hub, HubConfig, MemoryDirectory};
//! use msnp_proto::machine::{Host, Output};
//! use msnp_proto::secret::Entropy;
//! use msnp_proto::time::Instant;
//!
//! struct Dice; // never do this: use the system's source
//! impl Entropy for Dice {
//!     fn fill(&mut self, bytes: &mut [u8]) { bytes.fill(4) }
//! }
//!
//! let mut hub = Hub::new(HubConfig::loopback(), MemoryDirectory::open(), Box::new(Dice));
//! let now = Instant::ZERO;
//! while let Some(output) = hub.poll_output() {
//!     match output {
//!         // A driver opens a socket here.
//!         Output::Listen { listener, .. } => {
//!             let port = 1863 + listener.0;
//!             hub.handle_listening(now, listener, format!("127.0.0.1:{port}").parse().unwrap());
//!         }
//!         Output::Event(Event::Ready { dispatch, .. }) => assert_eq!(dispatch.port(), 1863),
//!         other => panic!("{other:?}"),
//!     }
//! }
//! ```
//!
//! | room | what it knows |
//! |---|---|
//! | `lines` | connections: inboxes, outboxes, limits on backlog |
//! | `host` | the driver: sockets, bytes, time |
//! | `sessions` | a connection's life: accepted, read, ended |
//! | `entrance` | from the first line to an account |
//! | `commands` | what a signed-in person may say |
//! | `presence` | who sees whom, and is told |
//! | `sync` | the dump of the lists |
//! | `changes` | what may be changed in lists, groups, names, settings |
//! | `batch` | from a planned change to an acknowledged one |
//! | `phones` | phone numbers and who sees them |
//! | `notices` | what the server says by itself: mail, alerts, its end, a move |
//! | `services` | web pages and invitations by mail |
//! | `calls` | cookies: the way into a switchboard |
//! | `rooms` | switchboards: who is in, what is said |
//! | `rates` | how often something may happen |
//!
//! Where servers differed, this one does what the real clients of the time need: every dialect in
//! common is in the answer to VER, session ids are decimal, a forward-list entry is always
//! acknowledged with its group.
//!
//! Where the protocol leaves a choice, it does this:
//!
//! | question | what the hub does |
//! |---|---|
//! | a change that the directory cannot commit | 501, nothing is changed; a sign-in that it cannot look up is 603 |
//! | an account removed, and perhaps made anew, while its owner is online | `OUT` at their next change |
//! | calls that reach nobody | 217 whatever the reason; after five in a row 713, on that connection |
//! | many calls to one person | 713 at four of one caller without an answer, 217 at 64 of all |
//! | commands, list changes, calls that come too fast | answered later; 800 for renames only if [`HubLimits::renames`] is set |
//! | a block between a call and its answer | the called person may still come: it is their own choice |
//! | group 0 | a group like the others, which people are put into and taken out of |
//! | somebody taken out of their last group, or whose last group is deleted | is in group 0 |
//! | control characters in names | left out after decoding, which is done once |
//! | a name of which nothing is left | the account's own name |
//! | an account whose address is not verified | is shown as such, and cannot take another name (209) |
//! | list versions | one more with each change, never 0, which is what a client without lists says |
//! | mail, pages, web pages, directory search | not there (503, 606, 502) unless configured; the payload is read over |
//! | the second sign-in of an account | ends the first with `OUT OTH`; its switchboards go with it |
//! | a move to another server | leaves switchboards alone, and nobody is told that others are offline |
//!
//! [`Host`]: crate::machine::Host

mod arena;
mod batch;
mod calls;
mod changes;
mod commands;
mod config;
mod directory;
mod entrance;
mod event;
mod host;
mod lines;
mod memory;
mod notices;
mod phones;
mod presence;
mod rates;
mod record;
mod rooms;
mod services;
mod sessions;
mod sync;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, SocketAddr};

pub use config::{HubConfig, HubLimits, Service};
pub use directory::{Change, Directory, DirectoryError, Edit, Password};
pub use event::{Event, Role, Why};
pub use memory::MemoryDirectory;
pub use notices::Mail;
pub use rates::{Allowance, Rate};
pub use record::{Contact, GroupSet, Properties, Record};

use crate::body::InitialMail;
use crate::machine::{ConnId, ListenerId, Output, Shutdown, Target};
use crate::secret::Entropy;
use crate::time::Instant;
use crate::types::{Dialect, Handle, Status};
use arena::{Agenda, SlotId, Slots};
use batch::Batch;
use calls::Cookies;
use lines::Lines;
use presence::Person;
use rooms::Room;
use sessions::TurnedAway;

/// The three servers of the service, for everybody who connects.
///
/// Methods are of four kinds, as for every [`Host`](crate::machine::Host): `handle_*` report what happened and cannot
/// fail, [`poll_output`](crate::machine::Host::poll_output) says what to do, plain verbs as [`Hub::shut_down`] are commands, the
/// rest are getters.
#[must_use = "a hub does nothing unless a driver applies its outputs and reports what happened"]
pub struct Hub<D = MemoryDirectory> {
    config: HubConfig,
    directory: D,
    entropy: Box<dyn Entropy + Send>,
    listeners: Vec<Listener>,
    per_address: BTreeMap<IpAddr, usize>,
    lines: Lines,
    /// Everybody who is signed in, and where to find them by account.
    people: Slots<Person>,
    online: BTreeMap<Handle, SlotId>,
    rooms: Slots<Room>,
    cookies: Cookies,
    agenda: Agenda,
    /// How much unread mail there is, for those who have a mailbox.
    mailboxes: BTreeMap<Handle, InitialMail>,
    /// When the hub will be shut down, as it was announced.
    ends_at: Option<Instant>,
    batch: Batch,
    /// A line that goes to many; kept for its room.
    scratch: Vec<u8>,
    stats: Stats,
    turned_away: TurnedAway,
    stopping: bool,
}

/// One listening socket.
struct Listener {
    role: Role,
    at: SocketAddr,
    /// Where it really listens, and how it is said to others.
    open: Option<(SocketAddr, Target)>,
    gone: bool,
}

/// Counts since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Calls with the id of a connection that is gone.
    pub late_calls: u64,
    /// Connections turned away as they were accepted.
    pub turned_away: u64,
    /// Messages taken from senders in switchboards.
    pub messages: u64,
}

impl Stats {
    fn add_late_call(&mut self) {
        self.late_calls = self.late_calls.saturating_add(1);
    }
}

impl<D: Directory> Hub<D> {
    /// A hub that first asks for its sockets. `entropy` gives challenges, cookies and session ids:
    /// it must be unpredictable.
    pub fn new(config: HubConfig, directory: D, entropy: Box<dyn Entropy + Send>) -> Self {
        let roles: &[(Role, SocketAddr)] = if config.single {
            &[(Role::Notification, config.dispatch), (Role::Switchboard, config.switchboard)]
        } else {
            &[
                (Role::Dispatch, config.dispatch),
                (Role::Notification, config.notification),
                (Role::Switchboard, config.switchboard),
            ]
        };
        let mut lines = Lines::new(config.limits.backlog_hard);
        let mut listeners = Vec::new();
        for ((role, at), id) in roles.iter().copied().zip(0..) {
            listeners.push(Listener { role, at, open: None, gone: false });
            lines.outputs.push_back(Output::Listen { listener: ListenerId(id), at });
        }
        Self {
            config,
            directory,
            entropy,
            listeners,
            per_address: BTreeMap::new(),
            lines,
            people: Slots::new(),
            online: BTreeMap::new(),
            rooms: Slots::new(),
            cookies: Cookies::new(),
            agenda: Agenda::new(),
            mailboxes: BTreeMap::new(),
            ends_at: None,
            batch: Batch::default(),
            scratch: Vec::new(),
            stats: Stats::default(),
            turned_away: TurnedAway::default(),
            stopping: false,
        }
    }

    /// Ends everything: `OUT SSD` to the notification connections, `OUT` to the switchboards, then
    /// [`Event::Stopped`] when all of them are closed. A second call does nothing.
    pub fn shut_down(&mut self, now: Instant) {
        if core::mem::replace(&mut self.stopping, true) {
            return;
        }
        self.commit_before_end(None);
        for (listener, id) in self.listeners.iter_mut().zip(0..) {
            if !core::mem::replace(&mut listener.gone, true) {
                self.lines.outputs.push_back(Output::Unlisten { listener: ListenerId(id) });
            }
        }
        let reason = |role| match role {
            Role::Switchboard => None,
            Role::Dispatch | Role::Notification => Some("SSD"),
        };
        let sessions = self.lines.sessions.iter();
        let conns: Vec<_> = sessions.map(|(id, session)| (id, reason(session.role))).collect();
        for (conn, reason) in conns {
            self.dismiss(now, conn, reason, Why::ShutDown);
        }
        self.settle(now);
        self.stop_if_empty();
    }

    /// Changes that wait are committed, if they are those of this connection or of any. Nobody goes
    /// before their change is made: they have its answer, and when the account signs in again, what
    /// is loaded then has the change in it.
    fn commit_before_end(&mut self, conn: Option<SlotId>) {
        let waits = |conn| self.lines.sessions.get(conn).is_some_and(|session| session.committing);
        if !self.batch.is_empty() && conn.is_none_or(waits) {
            self.commit_batch();
        }
    }

    fn stop_if_empty(&mut self) {
        if self.stopping && self.lines.sessions.len() == 0 {
            self.lines.event(Event::Stopped);
        }
    }

    /// How many people are signed in.
    #[must_use]
    pub fn people(&self) -> usize {
        self.people.len()
    }

    /// Everybody who is signed in, in the order of their accounts: the dialect, and the status
    /// that they chose, none before the first.
    pub fn online(&self) -> impl Iterator<Item = (&Handle, Dialect, Option<Status>)> {
        let people = self.online.values().filter_map(|id| self.people.get(*id));
        people.map(|person| (&person.record.handle, person.dialect, person.status))
    }

    /// How many connections there are, those that are closing included.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.lines.sessions.len()
    }

    /// How many switchboards there are.
    #[must_use]
    pub fn switchboards(&self) -> usize {
        self.rooms.len()
    }

    /// How many bytes of a connection were looked at in search of line ends, in all; 0 if it is
    /// gone or over.
    #[must_use]
    pub fn scanned(&self, conn: ConnId) -> u64 {
        let session = self.lines.sessions.get(conn.into());
        let inbox = session.and_then(|session| session.inbox.as_ref());
        inbox.map_or(0, crate::wire::Inbox::scanned)
    }

    /// How many cookies for switchboards are good now.
    #[must_use]
    pub fn cookies(&self) -> usize {
        self.cookies.len()
    }

    /// From how many addresses the connections are.
    #[must_use]
    pub fn addresses(&self) -> usize {
        self.per_address.len()
    }

    /// Counts since the start.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// The directory.
    #[must_use]
    pub const fn directory(&self) -> &D {
        &self.directory
    }

    /// The directory, to add or remove accounts. Lists of somebody who is signed in are the hub's
    /// own copy: what is changed here is not seen there, and may be overwritten.
    pub fn directory_mut(&mut self) -> &mut D {
        &mut self.directory
    }

    /// How the server of this role is said to others.
    fn address(&self, role: Role) -> Option<&Target> {
        let listener = self.listeners.iter().find(|listener| listener.role == role)?;
        listener.open.as_ref().map(|(_, target)| target)
    }

    /// Drops the connections that lag too far behind; that may make others lag.
    fn settle(&mut self, now: Instant) {
        while let Some(conn) = self.lines.doomed.pop() {
            self.end(now, conn, Why::Backlog, Shutdown::Abort);
        }
    }
}

impl<D> fmt::Debug for Hub<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("people", &self.people.len())
            .field("connections", &self.lines.sessions.len())
            .field("switchboards", &self.rooms.len())
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}
