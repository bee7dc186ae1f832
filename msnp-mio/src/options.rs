//! What a user may tune.

use msnp_proto::time::Duration;

/// Time limits and budgets of one [`Reactor`](crate::Reactor).
///
/// Keep-alive of the TCP layer is not among them, since the portable interfaces cannot set it; a
/// host that wants to know whether its peer lives asks the peer.
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
    /// size of the one read buffer. At least 1. Default 64 KiB.
    pub read_budget: usize,
    /// How many connections one listening socket accepts before others have their turn. At
    /// least 1. Default 64.
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
            read_budget: 64 * 1024,
            accept_budget: 64,
            accept_pause: Duration::from_millis(100),
        }
    }
}
