//! What can go wrong in the loop itself, and what the system's errors mean to a host.
//!
//! This module knows error kinds. Trouble of one connection is never an [`Error`]: the host hears
//! of it as a [`Closed`].

use std::io;

use msnp_proto::machine::Closed;

/// The loop cannot start or cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system gave no poll or no waker, most likely for want of descriptors.
    #[error("cannot set up the event loop: {0}")]
    Setup(#[source] io::Error),
    /// Waiting for I/O failed.
    #[error("cannot wait for network events: {0}")]
    Poll(#[source] io::Error),
}

/// The reactor that a [`Handle`](crate::Handle) speaks to was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event loop has ended")]
pub struct Gone;

/// Why a connection could not be opened.
pub(crate) fn connect_failure(error: &io::Error) -> Closed {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Closed::Refused,
        io::ErrorKind::TimedOut => Closed::TimedOut,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Closed::Reset,
        _ => Closed::Failed,
    }
}

/// Why an open connection broke.
pub(crate) fn stream_failure(error: &io::Error) -> Closed {
    match error.kind() {
        io::ErrorKind::TimedOut => Closed::TimedOut,
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::ConnectionRefused
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::NotConnected
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown => Closed::Reset,
        _ => Closed::Failed,
    }
}

/// Why a listening socket could not be opened.
pub(crate) fn listen_failure(error: &io::Error) -> Closed {
    match error.kind() {
        io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable => Closed::AddressUnavailable,
        _ => Closed::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_error_means_different_things_at_different_times() {
        let taken = io::Error::from(io::ErrorKind::AddrNotAvailable);
        assert_eq!(listen_failure(&taken), Closed::AddressUnavailable);
        assert_eq!(connect_failure(&taken), Closed::Failed);

        let away = io::Error::from(io::ErrorKind::HostUnreachable);
        assert_eq!(connect_failure(&away), Closed::Failed);
        assert_eq!(stream_failure(&away), Closed::Reset);
        assert_eq!(stream_failure(&io::Error::from(io::ErrorKind::BrokenPipe)), Closed::Reset);
    }
}
