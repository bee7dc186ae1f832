//! One packet of a capture: from the link layer to a segment of TCP.
//!
//! This module knows the headers that stand before a segment. It reads what is there and never
//! beyond it; it knows no connection and keeps nothing.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How the packets of an interface begin, by the numbers of tcpdump.org/linktypes.html.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// The loopback of BSD: a protocol family of four bytes.
    Loopback,
    Ethernet,
    /// Point-to-point, with or without the two bytes of HDLC.
    Ppp,
    /// An IP packet and nothing before it.
    Ip,
    /// The pseudo-interface "any" of Linux, first form.
    Cooked,
    /// The same, second form.
    Cooked2,
}

impl Link {
    /// From its number; `None` for those that are not read here.
    pub(super) fn from_number(number: u16) -> Option<Self> {
        match number {
            0 | 108 => Some(Self::Loopback),
            1 => Some(Self::Ethernet),
            9 | 50 => Some(Self::Ppp),
            12 | 14 | 101 | 228 | 229 => Some(Self::Ip),
            113 => Some(Self::Cooked),
            276 => Some(Self::Cooked2),
            _ => None,
        }
    }
}

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) address: IpAddr,
    pub(super) port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            IpAddr::V4(address) => write!(f, "{address}:{}", self.port),
            IpAddr::V6(address) => write!(f, "[{address}]:{}", self.port),
        }
    }
}

/// A segment of TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    pub(super) from: Endpoint,
    pub(super) to: Endpoint,
    pub(super) number: u32,
    /// What the sender has of the other direction.
    pub(super) acknowledged: Option<u32>,
    pub(super) syn: bool,
    pub(super) fin: bool,
    pub(super) rst: bool,
    pub(super) payload: &'a [u8],
    /// Bytes of the payload that were sent and not captured.
    pub(super) cut: u32,
}

/// What a packet was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packet<'a> {
    Tcp(Segment<'a>),
    /// Something else than TCP over IP.
    Other,
    /// A part of an IP packet.
    Fragment,
    /// Something that a header says cannot be, or a header that was not captured whole.
    Broken,
}

/// Reads a packet that was cut to the bytes given.
pub(super) fn read(link: Link, bytes: &[u8]) -> Packet<'_> {
    let read = match link {
        Link::Ip => ip(bytes),
        Link::Ethernet => skip(bytes, 12).and_then(by_ethernet_type),
        Link::Cooked => skip(bytes, 14).and_then(by_ethernet_type),
        Link::Cooked2 => word(bytes, 0).zip(skip(bytes, 20)).and_then(of_ethernet_type),
        Link::Loopback => loopback(bytes),
        Link::Ppp => ppp(bytes),
    };
    read.unwrap_or(Packet::Broken)
}

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86DD;

fn byte(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|two| u16::from_be_bytes(*two))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|four| u32::from_be_bytes(*four))
}

fn skip(bytes: &[u8], count: usize) -> Option<&[u8]> {
    bytes.get(count..)
}

/// What follows two bytes of an Ethernet type, behind the tags of virtual networks.
fn by_ethernet_type(mut bytes: &[u8]) -> Option<Packet<'_>> {
    // Two tags are in use (802.1ad); more than a few are an attack.
    for _ in 0..4 {
        match word(bytes, 0)? {
            0x8100 | 0x88A8 | 0x9100 => bytes = skip(bytes, 4)?,
            kind => return of_ethernet_type((kind, skip(bytes, 2)?)),
        }
    }
    Some(Packet::Broken)
}

fn of_ethernet_type((kind, bytes): (u16, &[u8])) -> Option<Packet<'_>> {
    match kind {
        IPV4 | IPV6 => ip(bytes),
        0x8100 | 0x88A8 | 0x9100 => skip(bytes, 2).and_then(by_ethernet_type),
        // A session of PPP over Ethernet: six bytes, then PPP.
        0x8864 => skip(bytes, 6).and_then(ppp),
        _ => Some(Packet::Other),
    }
}

/// The family is in the byte order of the machine that captured; its number for IPv6 differs
/// between systems, so the version in the packet decides.
fn loopback(bytes: &[u8]) -> Option<Packet<'_>> {
    let family = long(bytes, 0)?;
    let family = if family > 0xFFFF { family.swap_bytes() } else { family };
    match family {
        2 | 10 | 24 | 28 | 30 => skip(bytes, 4).and_then(ip),
        _ => Some(Packet::Other),
    }
}

fn ppp(mut bytes: &[u8]) -> Option<Packet<'_>> {
    if let Some(behind) = bytes.strip_prefix(&[0xFF, 0x03]) {
        bytes = behind;
    }
    // The protocol has one byte if that is odd, else two.
    let (protocol, bytes) = match byte(bytes, 0)? {
        short if short & 1 == 1 => (u16::from(short), skip(bytes, 1)?),
        _ => (word(bytes, 0)?, skip(bytes, 2)?),
    };
    match protocol {
        0x21 | 0x57 => ip(bytes),
        _ => Some(Packet::Other),
    }
}

fn ip(bytes: &[u8]) -> Option<Packet<'_>> {
    match byte(bytes, 0)? >> 4 {
        4 => ipv4(bytes),
        6 => ipv6(bytes),
        _ => Some(Packet::Broken),
    }
}

const TCP: u8 = 6;

fn ipv4(bytes: &[u8]) -> Option<Packet<'_>> {
    let header = usize::from(byte(bytes, 0)? & 15) * 4;
    let total = usize::from(word(bytes, 2)?);
    if header < 20 {
        return Some(Packet::Broken);
    }
    if byte(bytes, 9)? != TCP {
        return Some(Packet::Other);
    }
    // More fragments follow, or this is not the first.
    if word(bytes, 6)? & 0x3FFF != 0 {
        return Some(Packet::Fragment);
    }
    let address = |at| Some(IpAddr::V4(Ipv4Addr::from(long(bytes, at)?)));
    // The network card splits what it sends; before it does, the length is 0.
    let total = if total == 0 { bytes.len() } else { total };
    tcp(address(12)?, address(16)?, skip(bytes, header)?, total.checked_sub(header)?)
}

fn ipv6(bytes: &[u8]) -> Option<Packet<'_>> {
    let address = |at: usize| {
        let octets: [u8; 16] = *bytes.get(at..)?.first_chunk()?;
        Some(IpAddr::V6(Ipv6Addr::from(octets)))
    };
    let (from, to) = (address(8)?, address(24)?);
    let mut rest = skip(bytes, 40)?;
    let mut left = match usize::from(word(bytes, 4)?) {
        0 => rest.len(),
        length => length,
    };
    let mut next = byte(bytes, 6)?;
    // Each kind of extension header may come once or twice; more are an attack.
    for _ in 0..12 {
        let size = match next {
            TCP => return tcp(from, to, rest, left),
            // Options for each hop, routing, options for the destination.
            0 | 43 | 60 => (usize::from(byte(rest, 1)?) + 1) * 8,
            // Authentication.
            51 => (usize::from(byte(rest, 1)?) + 2) * 4,
            // A fragment, unless it is the only one.
            44 if word(rest, 2)? & 0xFFF9 != 0 => {
                return Some(if byte(rest, 0)? == TCP { Packet::Fragment } else { Packet::Other });
            }
            44 => 8,
            _ => return Some(Packet::Other),
        };
        next = byte(rest, 0)?;
        rest = skip(rest, size)?;
        left = left.checked_sub(size)?;
    }
    Some(Packet::Broken)
}

/// Reads a segment of which `length` bytes were sent: fewer may have been captured, and more are
/// the padding of the link.
fn tcp(from: IpAddr, to: IpAddr, bytes: &[u8], length: usize) -> Option<Packet<'_>> {
    let from = Endpoint { address: from, port: word(bytes, 0)? };
    let to = Endpoint { address: to, port: word(bytes, 2)? };
    let number = long(bytes, 4)?;
    let flags = byte(bytes, 13)?;
    let header = usize::from(byte(bytes, 12)? >> 4) * 4;
    if header < 20 || header > length {
        return Some(Packet::Broken);
    }
    let sent = length - header;
    let payload = bytes.get(header..).unwrap_or_default();
    let payload = payload.get(..sent).unwrap_or(payload);
    Some(Packet::Tcp(Segment {
        from,
        to,
        number,
        acknowledged: if flags & 0x10 != 0 { Some(long(bytes, 8)?) } else { None },
        syn: flags & 0x02 != 0,
        fin: flags & 0x01 != 0,
        rst: flags & 0x04 != 0,
        payload,
        cut: u32::try_from(sent - payload.len()).unwrap_or(u32::MAX),
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn segment() -> Vec<u8> {
        let mut bytes =
            vec![0x10, 0x01, 0x07, 0x47, 0, 0, 0, 9, 0, 0, 0, 7, 0x60, 0x19, 0, 0, 0, 0, 0, 0];
        bytes.extend_from_slice(&[1, 1, 1, 0]);
        bytes.extend_from_slice(b"QNG\r\n");
        bytes
    }

    fn in_ipv4(payload: &[u8], options: usize) -> Vec<u8> {
        let header = 20 + options;
        let total = ((header + payload.len()) as u16).to_be_bytes();
        let mut bytes =
            vec![0x40 | (header / 4) as u8, 0, total[0], total[1], 0, 0, 0x40, 0, 64, TCP, 0, 0];
        bytes.extend_from_slice(&[192, 0, 2, 1, 192, 0, 2, 2]);
        bytes.resize(header, 1);
        bytes.extend_from_slice(payload);
        bytes
    }

    fn in_ipv6(payload: &[u8], extensions: &[(u8, &[u8])]) -> Vec<u8> {
        let size: usize = extensions.iter().map(|(_, bytes)| bytes.len()).sum();
        let total = ((size + payload.len()) as u16).to_be_bytes();
        let mut bytes = vec![0x60, 0, 0, 0, total[0], total[1], 0, 64];
        let kinds = extensions.iter().map(|(kind, _)| *kind).chain([TCP]);
        let mut place = 6;
        bytes.extend_from_slice(&Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, 0, 1).octets());
        bytes.extend_from_slice(&Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, 0, 2).octets());
        for (kind, (_, extension)) in kinds.zip(extensions.iter().chain([&(TCP, payload)])) {
            bytes[place] = kind;
            place = bytes.len();
            bytes.extend_from_slice(extension);
        }
        bytes
    }

    fn framed(before: &[u8], packet: &[u8]) -> Vec<u8> {
        [before, packet].concat()
    }

    fn payload_of(link: Link, bytes: &[u8]) -> (String, u32) {
        match read(link, bytes) {
            Packet::Tcp(segment) => {
                let text = String::from_utf8_lossy(segment.payload);
                (
                    format!("{} {}>{} {text}", segment.number, segment.from.port, segment.to.port),
                    segment.cut,
                )
            }
            other => (format!("{other:?}"), 0),
        }
    }

    #[test]
    fn every_link_layer_leads_to_the_segment() {
        let (v4, v6) = (in_ipv4(&segment(), 0), in_ipv6(&segment(), &[]));
        let macs = [2; 12];
        let rows: [(&str, u16, Vec<u8>); 19] = [
            ("raw", 101, v4.clone()),
            ("raw", 12, v6.clone()),
            ("raw", 228, in_ipv4(&segment(), 40)),
            ("ethernet", 1, framed(&[&macs[..], &[8, 0]].concat(), &v4)),
            ("ethernet, padded", 1, framed(&[&macs[..], &[8, 0]].concat(), &framed(&v4, &[0; 9]))),
            ("ethernet", 1, framed(&[&macs[..], &[0x86, 0xDD]].concat(), &v6)),
            ("802.1Q", 1, framed(&[&macs[..], &[0x81, 0, 0, 5, 8, 0]].concat(), &v4)),
            (
                "802.1ad",
                1,
                framed(&[&macs[..], &[0x88, 0xA8, 0, 5, 0x81, 0, 0, 6, 8, 0]].concat(), &v4),
            ),
            (
                "PPPoE",
                1,
                framed(&[&macs[..], &[0x88, 0x64, 0x11, 0, 0, 1, 0, 9, 0, 0x21]].concat(), &v4),
            ),
            ("cooked", 113, framed(&[&[0; 14][..], &[8, 0]].concat(), &v4)),
            ("cooked 2", 276, framed(&[&[8, 0][..], &[0; 18]].concat(), &v4)),
            ("cooked 2", 276, framed(&[&[0x86, 0xDD][..], &[0; 18]].concat(), &v6)),
            ("loopback, little", 0, framed(&[2, 0, 0, 0], &v4)),
            ("loopback, big", 108, framed(&[0, 0, 0, 2], &v4)),
            ("loopback, IPv6", 0, framed(&[30, 0, 0, 0], &v6)),
            ("PPP", 9, framed(&[0, 0x21], &v4)),
            ("PPP, HDLC", 50, framed(&[0xFF, 3, 0, 0x57], &v6)),
            ("PPP, short", 9, framed(&[0x21], &v4)),
            (
                "extensions",
                101,
                in_ipv6(
                    &segment(),
                    &[
                        (0, &[0; 8]),
                        (43, &[0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
                        (
                            51,
                            &[
                                0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                0, 0,
                            ],
                        ),
                        (44, &[0; 8]),
                        (60, &[0; 8]),
                    ],
                ),
            ),
        ];
        for (name, number, bytes) in rows {
            let link = Link::from_number(number).expect("a known link");
            let shown = payload_of(link, &bytes);
            assert_eq!(shown, ("9 4097>1863 QNG\r\n".to_owned(), 0), "{name}");
        }
    }

    #[test]
    fn what_is_no_segment_is_told_apart() {
        let v4 = in_ipv4(&segment(), 0);
        let changed = |at: usize, value: u8| {
            let mut bytes = v4.clone();
            bytes[at] = value;
            bytes
        };
        let rows = [
            ("not TCP", changed(9, 17), Packet::Other),
            ("more fragments", changed(6, 0x20), Packet::Fragment),
            ("second fragment", changed(7, 5), Packet::Fragment),
            ("header too short", changed(0, 0x44), Packet::Broken),
            ("header beyond the packet", changed(32, 0xF0), Packet::Broken),
            ("TCP header too short", changed(32, 0x40), Packet::Broken),
            ("no such version", changed(0, 0x55), Packet::Broken),
            ("shorter than its header", changed(3, 10), Packet::Broken),
            ("empty", Vec::new(), Packet::Broken),
            (
                "IPv6 fragment",
                in_ipv6(&segment(), &[(44, &[TCP, 0, 0, 1, 0, 0, 0, 0])]),
                Packet::Fragment,
            ),
            ("no end of extensions", in_ipv6(&segment(), &[(0, &[0; 8][..]); 13]), Packet::Broken),
        ];
        for (name, bytes, packet) in rows {
            assert_eq!(read(Link::Ip, &bytes), packet, "{name}");
        }
        let arp = [&[2; 12][..], &[8, 6, 0, 0]].concat();
        assert_eq!(read(Link::Ethernet, &arp), Packet::Other);
        let tags = [&[2; 12][..], &[0x81, 0, 0, 1].repeat(9)].concat();
        assert_eq!(read(Link::Ethernet, &tags), Packet::Broken);
        assert_eq!(Link::from_number(127), None);
    }

    #[test]
    fn a_packet_cut_short_says_how_much_is_missing() {
        let v4 = in_ipv4(&segment(), 0);
        for missing in 0..=5 {
            let (text, cut) = payload_of(Link::Ip, &v4[..v4.len() - missing]);
            assert_eq!(text.len() + missing, "9 4097>1863 QNG\r\n".len());
            assert_eq!(cut as usize, missing);
        }
        // Without a whole header nothing is known.
        assert_eq!(read(Link::Ip, &v4[..20 + 13]), Packet::Broken);
        // The length that is not yet known is that of what is there.
        let mut offloaded = v4.clone();
        (offloaded[2], offloaded[3]) = (0, 0);
        assert_eq!(payload_of(Link::Ip, &offloaded).1, 0);
    }

    proptest! {
        #[test]
        fn any_bytes_are_something(bytes in prop::collection::vec(any::<u8>(), 0..120), cut in 0_usize..120) {
            let v6 = in_ipv6(&segment(), &[(0, &[0; 8]), (44, &[0; 8])]);
            for number in [0, 1, 9, 50, 101, 108, 113, 276] {
                let link = Link::from_number(number).expect("a known link");
                read(link, &bytes);
                read(link, &framed(&bytes, &v6));
                read(link, v6.get(..cut).unwrap_or(&v6));
            }
        }
    }
}
