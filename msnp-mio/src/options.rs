//! What a user may tune.

use msnp_proto::time::Duration;

/// Time limits and budgets of one [`Reactor`](crate::Reactor).
///
/// Options of the sockets themselves, as keep-alive of the TCP layer, are set through
/// [`Reactor::set_socket_setup`](crate::Reactor::set_socket_setup).
///
/// ```
/// let mut options = msnp_mio::Options::default();
/// options.connect_timeout = std::time::Duration::from_secs(3);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// For the name, all its addresses and the answer together; then the connection is given up
    /// as timed out. An address gets an even share of what is left, so that one that never
    /// answers does not starve the others. Default 10 s.
    pub connect_timeout: Duration,
    /// How long a connection that the host wants flushed and closed may take to write what is
    /// pending; then the rest is lost and the connection has timed out. Default 10 s.
    pub flush_timeout: Duration,
    /// How long after the last byte was written the loop waits for the peer to close too. Closing
    /// earlier could destroy bytes that the peer has not read yet. Zero closes at once.
    /// Default 2 s.
    pub linger: Duration,
    /// How many bytes are read from one connection before the others have their turn; also the
    /// size of the one read buffer. It bounds what the host does at one go. At least 1.
    /// Default 4 KiB.
    pub read_budget: usize,
    /// How long one turn goes on with connections that had their budget and have more. Those with
    /// less are served first, and wait no longer than this for those with more. One budget a turn
    /// is always read. Default 250 µs.
    pub catch_up: Duration,
    /// How many connections one listening socket accepts before others have their turn. At
    /// least 1. Default 16.
    pub accept_budget: usize,
    /// How long a listening socket rests when the system refuses to accept, as it does when
    /// descriptors run out. Default 100 ms.
    pub accept_pause: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            flush_timeout: Duration::from_secs(10),
            linger: Duration::from_secs(2),
            read_budget: 4 * 1024,
            catch_up: Duration::from_micros(250),
            accept_budget: 16,
            accept_pause: Duration::from_millis(100),
        }
    }
}
