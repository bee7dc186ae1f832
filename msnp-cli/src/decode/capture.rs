//! Capture files: pcap in both byte orders and both resolutions of time, and what it has in common
//! with pcapng.
//!
//! This module knows the form of the files (draft-ietf-opsawg-pcap). It reads whole records at the
//! front of a buffer and keeps nothing of them; what is in a packet is not its business.

use super::packet::Link;
use super::pcapng::Blocks;

/// The longest record that is believed. What capture programs write is a quarter of it.
pub(super) const LONGEST: usize = 1 << 20;

/// A captured packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    /// Microseconds since 1970.
    pub(super) at: u64,
    pub(super) link: Result<Link, u16>,
    pub(super) bytes: &'a [u8],
}

/// What stands at the front of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// Nothing whole yet.
    NeedMore,
    /// So many bytes without a packet.
    Skip(usize),
    /// A packet in so many bytes.
    Record(Record<'a>, usize),
}

/// The file cannot be read on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken(pub(super) String);

/// Reads the records of one file.
#[derive(Debug)]
pub(super) enum Capture {
    Pcap(Pcap),
    Pcapng(Blocks),
}

impl Capture {
    /// Looks at the front of what has not been used yet.
    pub(super) fn next<'a>(&mut self, buf: &'a [u8]) -> Result<Step<'a>, Broken> {
        match self {
            Self::Pcap(pcap) => pcap.next(buf),
            Self::Pcapng(blocks) => blocks.next(buf),
        }
    }

    /// Whether the file may end here, with nothing left in the buffer.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Self::Pcap(pcap) => pcap.header.is_some(),
            Self::Pcapng(blocks) => blocks.is_whole(),
        }
    }
}

/// The order of bytes in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Big,
    Little,
}

impl Order {
    pub(super) fn long(self, bytes: &[u8], at: usize) -> Option<u32> {
        let four = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Big => u32::from_be_bytes(four),
            Self::Little => u32::from_le_bytes(four),
        })
    }

    pub(super) fn word(self, bytes: &[u8], at: usize) -> Option<u16> {
        let two = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Big => u16::from_be_bytes(two),
            Self::Little => u16::from_le_bytes(two),
        })
    }
}

/// Whether these are the first bytes of a pcap file.
pub(super) fn is_pcap(bytes: &[u8]) -> bool {
    bytes.first_chunk().is_some_and(|magic| form(*magic).is_some())
}

/// From the magic number: the order of bytes, and how many parts of a time are a microsecond.
fn form(magic: [u8; 4]) -> Option<(Order, u32)> {
    match magic {
        [0xA1, 0xB2, 0xC3, 0xD4] => Some((Order::Big, 1)),
        [0xD4, 0xC3, 0xB2, 0xA1] => Some((Order::Little, 1)),
        [0xA1, 0xB2, 0x3C, 0x4D] => Some((Order::Big, 1000)),
        [0x4D, 0x3C, 0xB2, 0xA1] => Some((Order::Little, 1000)),
        _ => None,
    }
}

/// A pcap file: a header, then one packet after another.
#[derive(Debug, Default)]
pub(super) struct Pcap {
    header: Option<Header>,
    records: u64,
}

#[derive(Clone, Copy, Debug)]
struct Header {
    order: Order,
    per_micro: u32,
    link: Result<Link, u16>,
}

impl Pcap {
    const HEADER: usize = 24;
    const RECORD: usize = 16;

    fn next<'a>(&mut self, buf: &'a [u8]) -> Result<Step<'a>, Broken> {
        let Some(header) = self.header else { return self.begin(buf) };
        let Header { order, per_micro, link } = header;
        let long = |at| order.long(buf, at);
        let (Some(seconds), Some(parts), Some(size)) = (long(0), long(4), long(8)) else {
            return Ok(Step::NeedMore);
        };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > LONGEST {
            let number = self.records + 1;
            return Err(Broken(format!("packet {number} claims to have {size} bytes")));
        }
        let Some(bytes) = buf.get(Self::RECORD..Self::RECORD + size) else {
            return Ok(Step::NeedMore);
        };
        self.records += 1;
        let at = u64::from(seconds) * 1_000_000 + u64::from(parts / per_micro);
        Ok(Step::Record(Record { at, link, bytes }, Self::RECORD + size))
    }

    fn begin<'a>(&mut self, buf: &[u8]) -> Result<Step<'a>, Broken> {
        let Some(header) = buf.get(..Self::HEADER) else { return Ok(Step::NeedMore) };
        let magic = header.first_chunk().copied().unwrap_or_default();
        let (order, per_micro) =
            form(magic).ok_or_else(|| Broken("it does not begin as a pcap file".into()))?;
        // The upper half says things about checksums.
        let number = order.long(header, 20).unwrap_or(0) as u16;
        self.header =
            Some(Header { order, per_micro, link: Link::from_number(number).ok_or(number) });
        Ok(Step::Skip(Self::HEADER))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Reads a whole file: the times and bytes of all packets, and how it ended.
    pub(crate) fn read_all(
        mut capture: Capture,
        file: &[u8],
    ) -> (Vec<(u64, String)>, Result<usize, Broken>) {
        let (mut records, mut rest) = (Vec::new(), file);
        loop {
            match capture.next(rest) {
                Ok(Step::NeedMore) => return (records, Ok(rest.len())),
                Ok(Step::Skip(size)) => rest = &rest[size..],
                Ok(Step::Record(record, size)) => {
                    let text = String::from_utf8_lossy(record.bytes).into_owned();
                    records.push((record.at, text));
                    rest = &rest[size..];
                }
                Err(broken) => return (records, Err(broken)),
            }
        }
    }

    fn file(order: Order, nanos: bool, link: u32, packets: &[(u32, u32, &[u8])]) -> Vec<u8> {
        let long = |value: u32| match order {
            Order::Big => value.to_be_bytes(),
            Order::Little => value.to_le_bytes(),
        };
        let mut file = long(if nanos { 0xA1B2_3C4D } else { 0xA1B2_C3D4 }).to_vec();
        file.extend_from_slice(&[0; 12]);
        file.extend(long(262_144));
        file.extend(long(link));
        for (seconds, parts, bytes) in packets {
            for value in [*seconds, *parts, bytes.len() as u32, bytes.len() as u32] {
                file.extend(long(value));
            }
            file.extend_from_slice(bytes);
        }
        file
    }

    #[test]
    fn both_orders_and_both_resolutions() {
        for order in [Order::Big, Order::Little] {
            for (nanos, parts) in [(false, 500_001), (true, 500_001_999)] {
                let file = file(order, nanos, 1, &[(7, parts, b"ab"), (u32::MAX, 0, b"")]);
                assert!(is_pcap(&file));
                let (records, end) = read_all(Capture::Pcap(Pcap::default()), &file);
                let expected =
                    vec![(7_500_001, "ab".to_owned()), (4_294_967_295_000_000, String::new())];
                assert_eq!((records, end), (expected, Ok(0)), "{order:?}, {nanos}");
            }
        }
    }

    #[test]
    fn the_link_is_known_or_told_by_its_number() {
        for (number, link) in
            [(1, Ok(Link::Ethernet)), (0x1400_0001, Ok(Link::Ethernet)), (127, Err(127))]
        {
            let file = file(Order::Big, false, number, &[(0, 0, b"x")]);
            let mut pcap = Pcap::default();
            assert_eq!(pcap.next(&file), Ok(Step::Skip(24)));
            let Ok(Step::Record(record, 17)) = pcap.next(&file[24..]) else { panic!("no record") };
            assert_eq!(record.link, link);
        }
    }

    #[test]
    fn a_file_that_ends_early_or_lies_gives_what_it_has() {
        let whole = file(Order::Little, false, 1, &[(0, 1, b"abc"), (0, 2, b"def")]);
        for len in 0..whole.len() {
            let (records, end) = read_all(Capture::Pcap(Pcap::default()), &whole[..len]);
            let count = usize::from(len >= 24 + 19);
            assert_eq!(records.len(), count, "{len}");
            let used = [0, 24, 24 + 19].into_iter().rfind(|used| *used <= len).unwrap_or(0);
            assert_eq!(end, Ok(len - used), "{len}");
        }
        for lie in [u32::MAX, LONGEST as u32 + 1] {
            let mut file = whole.clone();
            file[24 + 19 + 8..][..4].copy_from_slice(&lie.to_le_bytes());
            let (records, end) = read_all(Capture::Pcap(Pcap::default()), &file);
            assert_eq!(records.len(), 1);
            assert_eq!(end, Err(Broken(format!("packet 2 claims to have {lie} bytes"))));
        }
        let (_, end) = read_all(Capture::Pcap(Pcap::default()), &[0; 24]);
        assert!(end.is_err());
    }
}
