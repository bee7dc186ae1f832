//! Where the two sides of a transfer meet, and which of the places that a peer names are fit to
//! connect to.

use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddrV4};

use super::AuthCookie;

/// `PortX` is the port in this disguise, so that no box on the way rewrites it (captures: 6891 and
/// 11178, 6892 and 11181).
const MASK: u16 = 0x3141;

/// Ports below this one belong to services that nobody shares files with.
const LOWEST_PORT: u16 = 1024;

/// Where somebody waits for the other side of a transfer, as they said it in the chat.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Meeting {
    /// The address that should be reachable.
    pub address: Ipv4Addr,
    /// The address in their own network.
    pub internal: Option<Ipv4Addr>,
    /// The port.
    pub port: u16,
    /// The port in disguise, or with some clients a second port.
    pub port_x: Option<u16>,
    /// The port in their own network, in disguise.
    pub port_x_internal: Option<u16>,
    /// What the receiver says to prove that this is the connection.
    pub cookie: AuthCookie,
}

impl Meeting {
    /// A place that is reachable as it is.
    #[must_use]
    pub const fn new(address: Ipv4Addr, port: u16, cookie: AuthCookie) -> Self {
        Self { address, internal: None, port, port_x: None, port_x_internal: None, cookie }
    }

    /// A port in the disguise of [`Meeting::port_x`], and back.
    ///
    /// ```
    /// use msnp_proto::ftp::Meeting;
    ///
    /// assert_eq!(Meeting::disguise(6891), 11178);
    /// assert_eq!(Meeting::disguise(11178), 6891);
    /// ```
    #[must_use]
    pub const fn disguise(port: u16) -> u16 {
        port ^ MASK
    }

    /// Where to connect, best first; all may be tried at once. Four at most.
    ///
    /// A peer can name any address, so these are left out: addresses that are unspecified,
    /// link-local, multicast, broadcast or reserved; ports below 1024; the socket on which we are
    /// `listening` ourselves. A loopback address is taken only if `own`, our own address, is one; a
    /// private address only if ours is private or loopback.
    #[must_use]
    pub fn candidates(
        &self,
        own: Option<Ipv4Addr>,
        listening: Option<SocketAddrV4>,
    ) -> Vec<SocketAddrV4> {
        let inside = self.port_x_internal.or(self.port_x).map_or(self.port, Self::disguise);
        let internal = self.internal.filter(Ipv4Addr::is_private);
        let places = [
            Some((self.address, self.port)),
            internal.map(|address| (address, inside)),
            self.port_x.map(|port| (self.address, Self::disguise(port))),
            self.port_x.map(|port| (self.address, port)),
        ];
        let mut fit: Vec<SocketAddrV4> = Vec::with_capacity(places.len());
        for (address, port) in places.into_iter().flatten() {
            let place = SocketAddrV4::new(address, port);
            let ours = listening.is_some_and(|listening| is_ours(place, own, listening));
            if port >= LOWEST_PORT && is_fit(address, own) && !ours && !fit.contains(&place) {
                fit.push(place);
            }
        }
        fit
    }
}

fn is_fit(address: Ipv4Addr, own: Option<Ipv4Addr>) -> bool {
    let at_home = own.is_some_and(|own| own.is_loopback());
    match address.octets() {
        // This network, multicast, reserved and broadcast.
        [0 | 224.., ..] => false,
        [127, ..] => at_home,
        _ if address.is_link_local() => false,
        _ if address.is_private() => at_home || own.is_some_and(|own| own.is_private()),
        _ => true,
    }
}

fn is_ours(place: SocketAddrV4, own: Option<Ipv4Addr>, listening: SocketAddrV4) -> bool {
    let address = *place.ip();
    let same = match *listening.ip() {
        // We listen on all addresses that we have.
        any if any.is_unspecified() => address.is_loopback() || own == Some(address),
        bound => bound == address,
    };
    same && place.port() == listening.port()
}
