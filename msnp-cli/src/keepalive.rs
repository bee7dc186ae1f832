//! Finding peers that vanished without a word: their machine was switched off, or the network
//! between us forgot them.
//!
//! The protocol has an answer of its own only in part: clients ping servers, and servers challenge
//! clients of the later dialects. For the rest the TCP layer asks, and gives a connection up. This
//! module knows the options for that and which systems have them. Where a system has only some of
//! them, a vanished peer is found later, at the latest when the system itself has lost patience.

use std::time::Duration;

use msnp_mio::Socket;
use socket2::{SockRef, TcpKeepalive};

/// How long a connection of our own clients may be silent before it is given up.
pub(crate) const OF_CLIENTS: Duration = Duration::from_secs(120);

/// Questions asked before giving up.
const PROBES: u32 = 3;

/// Sets sockets up so that a peer who gives no sign of life for about so long is given up; zero
/// leaves them as they are.
///
/// A silent connection is asked after half of the time, and three times in all. Bytes that the peer
/// does not acknowledge, or does not take because it does not read, may wait as long as that too
/// (Linux).
pub(crate) fn after(time: Duration) -> Box<dyn FnMut(Socket<'_>)> {
    Box::new(move |socket| {
        if !time.is_zero() {
            // A system that refuses finds vanished peers later, and is not wrong otherwise.
            let _ = set(SockRef::from(&socket), time);
        }
    })
}

fn set(socket: SockRef<'_>, time: Duration) -> std::io::Result<()> {
    let second = Duration::from_secs(1);
    let idle = (time / 2).max(second);
    let keepalive = TcpKeepalive::new().with_time(idle);
    #[cfg(any(
        target_os = "android",
        target_os = "dragonfly",
        target_os = "freebsd",
        target_os = "illumos",
        target_os = "linux",
        target_os = "macos",
        target_os = "netbsd",
    ))]
    let keepalive = keepalive
        .with_interval((time.saturating_sub(idle) / PROBES).max(second))
        .with_retries(PROBES);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(any(target_os = "android", target_os = "linux"))]
    socket.set_tcp_user_timeout(Some(time))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;

    use super::*;

    /// A connection whose accepted end was set up.
    fn accepted(time: Duration) -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let near = TcpStream::connect(listener.local_addr().expect("bound")).expect("loopback");
        let (far, _) = listener.accept().expect("loopback");
        after(time)(far.as_fd());
        (near, far)
    }

    #[test]
    fn the_system_asks_and_gives_up() {
        let (_near, far) = accepted(Duration::from_secs(120));
        assert!(SockRef::from(&far).keepalive().expect("an option"));
        #[cfg(target_os = "linux")]
        for (seconds, idle, interval) in
            [(120, 60, 20), (6, 3, 1), (7, 3, 1), (43_200, 21_600, 7200)]
        {
            let time = Duration::from_secs(seconds);
            let (_near, far) = accepted(time);
            let far = SockRef::from(&far);
            assert!(far.keepalive().expect("an option"));
            assert_eq!(far.tcp_keepalive_time().expect("an option").as_secs(), idle);
            assert_eq!(far.tcp_keepalive_interval().expect("an option").as_secs(), interval);
            assert_eq!(far.tcp_keepalive_retries().expect("an option"), PROBES);
            assert_eq!(far.tcp_user_timeout().expect("an option"), Some(time));
        }
    }

    #[test]
    fn zero_leaves_a_socket_as_it_is() {
        let (near, far) = accepted(Duration::ZERO);
        let (near, far) = (SockRef::from(&near), SockRef::from(&far));
        assert!(!far.keepalive().expect("an option"));
        #[cfg(target_os = "linux")]
        assert_eq!(
            far.tcp_user_timeout().expect("an option"),
            near.tcp_user_timeout().expect("an option")
        );
        #[cfg(not(target_os = "linux"))]
        drop(near);
    }
}
