//! Where others can connect to us.
//!
//! This module knows routes of this machine. Whether the way back is open it cannot know.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

/// The address of this machine on the way to a peer. Nothing is sent: the system only chooses a
/// way. None if it would be an IPv6 one, for which the protocol has no words.
pub(super) fn towards(peer: SocketAddr) -> Option<Ipv4Addr> {
    let IpAddr::V4(host) = peer.ip().to_canonical() else { return None };
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((host, peer.port())).ok()?;
    match socket.local_addr().ok()?.ip() {
        IpAddr::V4(own) if !own.is_unspecified() => Some(own),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_this_machine_it_is_this_machine_and_for_ipv6_there_is_none() {
        let own = |peer: &str| towards(peer.parse().expect("an address"));
        assert_eq!(own("127.0.0.1:1863"), Some(Ipv4Addr::LOCALHOST));
        assert_eq!(own("[::ffff:127.0.0.1]:1863"), Some(Ipv4Addr::LOCALHOST));
        assert_eq!(own("[::1]:1863"), None);
        assert_eq!(own("[2001:db8::1]:1863"), None);
    }
}
