//! Watching connections.
//!
//! This module knows when a connection opens and closes and which bytes pass. What the bytes mean,
//! and which of them are secret, is for the one who taps to know.

use std::net::SocketAddr;

use msnp_proto::machine::{Closed, ConnId, ListenerId, Target};
use msnp_proto::time::Instant;

/// Sees both directions of every connection, as the bytes really pass: one call for each read and
/// each write. Nothing is masked.
///
/// All methods do nothing unless written, and all run on the loop's thread.
pub trait Tap {
    /// A connection is open.
    fn opened(&mut self, now: Instant, conn: ConnId, origin: Origin<'_>, peer: SocketAddr) {
        let _ = (now, conn, origin, peer);
    }

    /// Bytes arrived. This comes before the host takes them; bytes that arrive while a connection
    /// is being closed are seen here and by nobody else.
    fn received(&mut self, now: Instant, conn: ConnId, bytes: &[u8]) {
        let _ = (now, conn, bytes);
    }

    /// Bytes were given to the system to send.
    fn sent(&mut self, now: Instant, conn: ConnId, bytes: &[u8]) {
        let _ = (now, conn, bytes);
    }

    /// A connection is gone. One that never opened is reported too.
    fn closed(&mut self, now: Instant, conn: ConnId, why: Closed) {
        let _ = (now, conn, why);
    }
}

/// Who opened a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin<'a> {
    /// The host asked for it.
    Connected {
        /// What it asked for.
        to: &'a Target,
    },
    /// A peer came to a listening socket.
    Accepted {
        /// The socket.
        listener: ListenerId,
    },
}
