//! The two shapes that everything here has: a [`Machine`] is one connection's protocol, a [`Host`]
//! is a party with several connections that a driver opens, feeds and closes for it.
//!
//! This module knows nothing of the protocol. A driver that can serve one `Host` can serve all.

use alloc::string::String;
use core::fmt;
use core::net::SocketAddr;

use crate::time::Instant;

/// One connection's protocol, without the connection.
///
/// Inputs (`handle_*`) never fail: trouble becomes an event, then silence. Bytes to send stay
/// inside until the driver says how many it wrote.
pub trait Machine {
    /// What this machine reports.
    type Event;

    /// Takes bytes that arrived, in any pieces. An empty slice does nothing; it is not the end.
    fn handle_input(&mut self, now: Instant, bytes: &[u8]);

    /// The peer will send no more.
    fn handle_eof(&mut self, now: Instant);

    /// Fires every timer that is due at `now`; an early call does nothing.
    fn handle_timeout(&mut self, now: Instant);

    /// When [`Machine::handle_timeout`] wants to be called next.
    fn next_deadline(&self) -> Option<Instant>;

    /// Bytes that wait to be written, oldest first.
    fn pending(&self) -> &[u8];

    /// `written` bytes of [`Machine::pending`] are on their way; more than there are counts as all.
    fn consume(&mut self, now: Instant, written: usize);

    /// The next event, oldest first.
    fn poll_event(&mut self) -> Option<Self::Event>;

    /// The machine is done: write what is pending, then close.
    fn is_finished(&self) -> bool;
}

/// A party with several connections: a client, a server, or both together.
///
/// The driver's loop has four steps: apply every [`Output`]; sleep until there is I/O or
/// [`Host::next_deadline`]; report what happened through `handle_*`; call
/// [`Host::handle_timeout`]. A call with an id of something that is gone is ignored.
#[must_use = "a host does nothing unless a driver applies its outputs and reports what happened"]
pub trait Host {
    /// What this host reports to its application.
    type Event;

    /// The connection asked for by [`Output::Connect`] is open.
    fn handle_connected(&mut self, now: Instant, conn: ConnId);

    /// A connection is gone, or was never opened. The driver has freed it when it calls this; it
    /// is called exactly once for every connection, also after [`Output::Close`].
    fn handle_closed(&mut self, now: Instant, conn: ConnId, why: Closed);

    /// The socket asked for by [`Output::Listen`] accepts connections at `local`.
    fn handle_listening(&mut self, now: Instant, listener: ListenerId, local: SocketAddr);

    /// Somebody connected to a listener. `None` turns the connection away at once.
    fn handle_accepted(
        &mut self,
        now: Instant,
        listener: ListenerId,
        peer: SocketAddr,
    ) -> Option<ConnId>;

    /// The socket asked for by [`Output::Listen`] could not be opened, or is gone.
    fn handle_unlistened(&mut self, now: Instant, listener: ListenerId, why: Closed);

    /// Takes bytes that arrived on a connection, in any pieces.
    fn handle_input(&mut self, now: Instant, conn: ConnId, bytes: &[u8]);

    /// The peer of a connection will send no more. What is pending can still be written.
    fn handle_eof(&mut self, now: Instant, conn: ConnId);

    /// Fires every timer that is due at `now`; an early call does nothing.
    fn handle_timeout(&mut self, now: Instant);

    /// When [`Host::handle_timeout`] wants to be called next.
    fn next_deadline(&self) -> Option<Instant>;

    /// Bytes that wait to be written to a connection, oldest first.
    fn pending(&self, conn: ConnId) -> &[u8];

    /// `written` bytes of [`Host::pending`] are on their way.
    fn consume(&mut self, now: Instant, conn: ConnId, written: usize);

    /// Whether more input of this connection is welcome now. While it is not, the driver leaves
    /// the bytes where they are and asks again after the next output or consume.
    fn wants_read(&self, conn: ConnId) -> bool;

    /// The next thing for the driver to do, oldest first.
    fn poll_output(&mut self) -> Option<Output<Self::Event>>;
}

/// What a [`Host`] wants from its driver.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output<E> {
    /// Open a connection and answer with [`Host::handle_connected`] or [`Host::handle_closed`].
    Connect {
        /// The id that the connection will have.
        conn: ConnId,
        /// Where to.
        to: Target,
    },
    /// Accept connections and answer with [`Host::handle_listening`] or
    /// [`Host::handle_unlistened`].
    Listen {
        /// The id that the listening socket will have.
        listener: ListenerId,
        /// Where; port 0 means any free one.
        at: SocketAddr,
    },
    /// Stop accepting on this socket. No answer is expected.
    Unlisten {
        /// The socket.
        listener: ListenerId,
    },
    /// There are bytes in [`Host::pending`]. Repeats mean nothing more.
    Transmit {
        /// The connection to write to.
        conn: ConnId,
    },
    /// End a connection and answer with [`Host::handle_closed`].
    Close {
        /// The connection.
        conn: ConnId,
        /// Whether to write what is pending first.
        how: Shutdown,
    },
    /// Something for the application.
    Event(E),
}

impl<E> Output<E> {
    /// The same output with its event changed by `f`.
    pub fn map<F, T>(self, f: F) -> Output<T>
    where
        F: FnOnce(E) -> T,
    {
        match self {
            Self::Connect { conn, to } => Output::Connect { conn, to },
            Self::Listen { listener, at } => Output::Listen { listener, at },
            Self::Unlisten { listener } => Output::Unlisten { listener },
            Self::Transmit { conn } => Output::Transmit { conn },
            Self::Close { conn, how } => Output::Close { conn, how },
            Self::Event(event) => Output::Event(f(event)),
        }
    }
}

/// How to end a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Write what is pending, then close. The driver gives up after a while of its own choosing.
    Flush,
    /// Close now; what is pending is lost.
    Abort,
}

/// Why a connection or a listening socket is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Closed {
    /// The host asked for it, or both sides ended it in order.
    Done,
    /// The name has no address.
    UnknownHost,
    /// Nobody listens there.
    Refused,
    /// No answer in time.
    TimedOut,
    /// The peer or the network broke the connection off.
    Reset,
    /// The address is taken or not ours; only for listening sockets.
    AddressUnavailable,
    /// The system gave another error.
    Failed,
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "connection closed",
            Self::UnknownHost => "host name does not resolve",
            Self::Refused => "connection refused",
            Self::TimedOut => "connection timed out",
            Self::Reset => "connection reset",
            Self::AddressUnavailable => "address in use or not available",
            Self::Failed => "connection failed",
        })
    }
}

/// Names one connection of one host. An id is never used twice: the slot may be, with a new
/// generation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId {
    slot: u32,
    generation: u32,
}

impl ConnId {
    /// The id of the `generation`th connection in `slot`.
    #[must_use]
    pub const fn new(slot: u32, generation: u32) -> Self {
        Self { slot, generation }
    }

    /// The place in the host's table.
    #[must_use]
    pub const fn slot(self) -> u32 {
        self.slot
    }

    /// How often the place was used before.
    #[must_use]
    pub const fn generation(self) -> u32 {
        self.generation
    }
}

impl fmt::Debug for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}.{}", self.slot, self.generation)
    }
}

/// Names one listening socket of one host; the host numbers them itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListenerId(pub u32);

/// Where to connect to: a host name or an address as text, and a port. Resolving names is the
/// driver's business.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// A name, an IPv4 address, or an IPv6 address without brackets.
    pub host: String,
    /// The port, never 0.
    pub port: u16,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}
