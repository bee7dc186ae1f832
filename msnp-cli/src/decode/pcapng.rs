//! Capture files of the form pcapng: sections, interfaces, packets.
//!
//! This module knows the blocks that hold packets and those that say how to read them
//! (draft-ietf-opsawg-pcapng); all others are passed over as they arrive.

use super::capture::{Broken, LONGEST, Order, Record, Step};
use super::packet::Link;

/// Most interfaces of one section.
const INTERFACES: usize = 4096;

const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const PACKET: u32 = 6;

/// Whether these are the first bytes of a pcapng file.
pub(super) fn is_pcapng(bytes: &[u8]) -> bool {
    bytes.starts_with(&SECTION.to_be_bytes())
}

/// Reads the blocks of a file.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// The order of bytes in this section; `None` before the first.
    order: Option<Order>,
    interfaces: Vec<Interface>,
    /// What is left of a block that is passed over.
    skip: usize,
    blocks: u64,
    /// The time of the last packet that had one.
    last: u64,
}

#[derive(Clone, Copy, Debug)]
struct Interface {
    link: Result<Link, u16>,
    /// Longest packet that was captured; 0 for any.
    snap: u32,
    unit: Unit,
    /// Seconds to add to every time.
    offset: i64,
}

/// What times count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Micros,
    Nanos,
    /// Negative powers of ten or of two.
    Decimal(u8),
    Binary(u8),
}

impl Unit {
    fn from_option(value: u8) -> Self {
        match value {
            6 => Self::Micros,
            9 => Self::Nanos,
            decimal if decimal < 0x80 => Self::Decimal(decimal),
            binary => Self::Binary(binary & 0x7F),
        }
    }

    fn micros(self, ticks: u64) -> u64 {
        let scaled = u128::from(ticks) * 1_000_000;
        let micros = match self {
            Self::Micros => return ticks,
            Self::Nanos => return ticks / 1000,
            Self::Decimal(power) => 10_u128.checked_pow(power.into()).map(|unit| scaled / unit),
            Self::Binary(power) => scaled.checked_shr(power.into()),
        };
        u64::try_from(micros.unwrap_or(0)).unwrap_or(u64::MAX)
    }
}

impl Interface {
    fn time(&self, high: u32, low: u32) -> u64 {
        let micros = self.unit.micros(u64::from(high) << 32 | u64::from(low));
        micros.saturating_add_signed(self.offset.saturating_mul(1_000_000))
    }
}

impl Blocks {
    pub(super) fn next<'a>(&mut self, buf: &'a [u8]) -> Result<Step<'a>, Broken> {
        if self.skip > 0 {
            let size = self.skip.min(buf.len());
            self.skip -= size;
            return Ok(if size == 0 { Step::NeedMore } else { Step::Skip(size) });
        }
        // Twelve bytes are the shortest block, and as far as the order of a section.
        let Some(start) = buf.get(..12) else { return Ok(Step::NeedMore) };
        let is_section = is_pcapng(start);
        if is_section {
            self.order = Some(match start.get(8..) {
                Some([0x1A, 0x2B, 0x3C, 0x4D]) => Order::Big,
                Some([0x4D, 0x3C, 0x2B, 0x1A]) => Order::Little,
                _ => return Err(self.broken("begins a section without an order of bytes")),
            });
        }
        let order = self.order.ok_or_else(|| self.broken("stands before the first section"))?;
        let kind = if is_section { SECTION } else { order.long(start, 0).unwrap_or(0) };
        let size = usize::try_from(order.long(start, 4).unwrap_or(0)).unwrap_or(usize::MAX);
        if size < 12 || size % 4 != 0 {
            return Err(self.broken(&format!("has a length of {size} bytes, which cannot be")));
        }
        let is_read = matches!(kind, INTERFACE | OLD_PACKET | SIMPLE_PACKET | PACKET);
        if is_read && size > LONGEST {
            return Err(self.broken(&format!("claims to have {size} bytes")));
        }
        if !is_read {
            self.blocks += 1;
            if is_section {
                self.interfaces.clear();
            }
            self.skip = size;
            return self.next(buf);
        }
        let Some(block) = buf.get(..size) else { return Ok(Step::NeedMore) };
        if order.long(block, size - 4) != order.long(block, 4) {
            return Err(self.broken("ends with another length than it begins with"));
        }
        let body = block.get(8..size - 4).unwrap_or_default();
        let record = match kind {
            INTERFACE => {
                self.add_interface(order, body)?;
                None
            }
            SIMPLE_PACKET => Some(self.simple_packet(order, body)),
            PACKET => Some(self.packet(order, body, order.long(body, 0))),
            _ => Some(self.packet(order, body, order.word(body, 0).map(u32::from))),
        };
        match record {
            None => {
                self.blocks += 1;
                Ok(Step::Skip(size))
            }
            Some(Some(record)) => {
                self.blocks += 1;
                Ok(Step::Record(record, size))
            }
            Some(None) => Err(self.broken("is a packet that does not fit into its block")),
        }
    }

    /// Whether no block that is passed over is unfinished.
    pub(super) fn is_whole(&self) -> bool {
        self.skip == 0 && self.order.is_some()
    }

    fn broken(&self, what: &str) -> Broken {
        Broken(format!("block {} {what}", self.blocks + 1))
    }

    fn add_interface(&mut self, order: Order, body: &[u8]) -> Result<(), Broken> {
        let (Some(number), Some(snap)) = (order.word(body, 0), order.long(body, 4)) else {
            return Err(self.broken("is too short for an interface"));
        };
        if self.interfaces.len() == INTERFACES {
            return Err(self.broken(&format!("is one interface more than {INTERFACES}")));
        }
        let link = Link::from_number(number).ok_or(number);
        let mut interface = Interface { link, snap, unit: Unit::Micros, offset: 0 };
        let mut options = body.get(8..).unwrap_or_default();
        while let (Some(code), Some(size)) = (order.word(options, 0), order.word(options, 2)) {
            let size = usize::from(size);
            let Some(value) = options.get(4..4 + size) else { break };
            match (code, value) {
                (0, _) => break,
                (9, [unit]) => interface.unit = Unit::from_option(*unit),
                (14, value) => {
                    if let Some(eight) = value.first_chunk::<8>() {
                        interface.offset = match order {
                            Order::Big => i64::from_be_bytes(*eight),
                            Order::Little => i64::from_le_bytes(*eight),
                        };
                    }
                }
                _ => {}
            }
            options = options.get(4 + size.next_multiple_of(4)..).unwrap_or_default();
        }
        self.interfaces.push(interface);
        Ok(())
    }

    /// A packet with its interface and time.
    fn packet<'a>(
        &mut self,
        order: Order,
        body: &'a [u8],
        interface: Option<u32>,
    ) -> Option<Record<'a>> {
        let interface = self.interfaces.get(usize::try_from(interface?).ok()?)?;
        let at = interface.time(order.long(body, 4)?, order.long(body, 8)?);
        let size = usize::try_from(order.long(body, 12)?).ok()?;
        self.last = at;
        Some(Record { at, link: interface.link, bytes: body.get(20..)?.get(..size)? })
    }

    /// A packet of the first interface, without a time.
    fn simple_packet<'a>(&self, order: Order, body: &'a [u8]) -> Option<Record<'a>> {
        let interface = self.interfaces.first()?;
        let mut size = order.long(body, 0)?;
        if interface.snap > 0 {
            size = size.min(interface.snap);
        }
        let bytes = body.get(4..)?;
        let bytes = bytes.get(..usize::try_from(size).ok()?)?;
        Some(Record { at: self.last, link: interface.link, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::super::capture::Capture;
    use super::super::capture::tests::read_all;
    use super::*;

    /// Builds files in either order of bytes.
    struct File(Order, Vec<u8>);

    impl File {
        fn long(&self, value: u32) -> [u8; 4] {
            match self.0 {
                Order::Big => value.to_be_bytes(),
                Order::Little => value.to_le_bytes(),
            }
        }

        fn word(&self, value: u16) -> [u8; 2] {
            match self.0 {
                Order::Big => value.to_be_bytes(),
                Order::Little => value.to_le_bytes(),
            }
        }

        fn block(&mut self, kind: u32, body: &[u8]) -> &mut Self {
            let size = self.long(12 + body.len().next_multiple_of(4) as u32);
            let kind = self.long(kind);
            self.1.extend(kind.into_iter().chain(size));
            self.1.extend_from_slice(body);
            self.1.resize(self.1.len().next_multiple_of(4), 0);
            self.1.extend(size);
            self
        }

        fn section(&mut self, order: Order) -> &mut Self {
            self.0 = order;
            let body =
                [&self.long(0x1A2B_3C4D)[..], &self.word(1), &self.word(0), &[0xFF; 8]].concat();
            self.block(SECTION, &body)
        }

        fn interface(&mut self, link: u16, snap: u32, options: &[(u16, &[u8])]) -> &mut Self {
            let mut body = [&self.word(link)[..], &[0, 0], &self.long(snap)].concat();
            for (code, value) in options {
                body.extend(self.word(*code).into_iter().chain(self.word(value.len() as u16)));
                body.extend_from_slice(value);
                body.resize(body.len().next_multiple_of(4), 0);
            }
            self.block(INTERFACE, &body)
        }

        fn packet(&mut self, interface: u32, at: u64, bytes: &[u8]) -> &mut Self {
            let numbers = [interface, (at >> 32) as u32, at as u32, bytes.len() as u32, 99];
            let mut body: Vec<u8> = numbers.iter().flat_map(|number| self.long(*number)).collect();
            body.extend_from_slice(bytes);
            self.block(PACKET, &body)
        }
    }

    fn read(file: &[u8]) -> (Vec<(u64, String)>, Result<usize, Broken>) {
        read_all(Capture::Pcapng(Blocks::default()), file)
    }

    #[test]
    fn sections_of_both_orders_have_interfaces_of_their_own() {
        let mut file = File(Order::Big, Vec::new());
        for order in [Order::Little, Order::Big] {
            file.section(order)
                .interface(1, 0, &[(2, b"eth0"), (9, &[9]), (0, b"")])
                .block(0x0BAD, &[7; 33])
                .interface(101, 4, &[(9, &[3])])
                .packet(0, 5_000_001_999, b"ab")
                .packet(1, 7_001, b"cde")
                .block(5, &[0; 12]);
            let size = file.long(9);
            file.block(SIMPLE_PACKET, &[&size[..], b"123456789"].concat());
            let old = [
                &file.word(1)[..],
                &[0, 0],
                &file.long(0),
                &file.long(2),
                &file.long(3),
                &file.long(3),
                b"old",
            ]
            .concat();
            file.block(OLD_PACKET, &old);
        }
        let (records, end) = read(&file.1);
        assert_eq!(end, Ok(0));
        let texts: Vec<_> = records.iter().map(|(at, text)| (*at, text.as_str())).collect();
        let section =
            [(5_000_001, "ab"), (7_001_000, "cde"), (7_001_000, "123456789"), (2000, "old")];
        assert_eq!(texts, [section, section].concat());
    }

    #[test]
    fn times_in_every_unit() {
        let hour = 3600_i64.to_le_bytes();
        type Row<'a> = (&'a [(u16, &'a [u8])], u64, u64);
        let rows: [Row<'_>; 10] = [
            (&[], 1_500_000, 1_500_000),
            (&[(9, &[6])], 1_500_000, 1_500_000),
            (&[(9, &[9])], 1_500_000, 1_500),
            (&[(9, &[0])], 3, 3_000_000),
            (&[(9, &[12])], 3_000_000, 3),
            (&[(9, &[0x80 | 10])], 1536, 1_500_000),
            (&[(9, &[0xFF])], u64::MAX, 0),
            (&[(9, &[127])], u64::MAX, 0),
            (&[(9, &[0])], u64::MAX, u64::MAX),
            (&[(14, &hour)], 5, 3_600_000_005),
        ];
        for (options, ticks, micros) in rows {
            let mut file = File(Order::Little, Vec::new());
            file.section(Order::Little).interface(1, 0, options).packet(0, ticks, b"x");
            let (records, _) = read(&file.1);
            assert_eq!(records.first().map(|record| record.0), Some(micros), "{options:?} {ticks}");
        }
    }

    #[test]
    fn a_broken_block_ends_the_file_and_keeps_what_came_before() {
        let mut good = File(Order::Little, Vec::new());
        good.section(Order::Little).interface(1, 0, &[]).packet(0, 1, b"ab");
        let build = |more: &dyn Fn(&mut File)| {
            let mut file = File(Order::Little, good.1.clone());
            more(&mut file);
            file.1
        };
        let rows: [(&str, Vec<u8>); 8] = [
            ("block 4 has a length of 0 bytes", build(&|file| file.1.extend_from_slice(&[0; 12]))),
            (
                "block 4 has a length of 13 bytes",
                build(&|file| {
                    file.1.extend_from_slice(&[6, 0, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0]);
                }),
            ),
            (
                "block 4 claims to have 4294967292 bytes",
                build(&|file| {
                    file.1.extend_from_slice(&[6, 0, 0, 0, 0xFC, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]);
                }),
            ),
            (
                "block 4 ends with another length",
                build(&|file| {
                    file.packet(0, 1, b"x");
                    let last = file.1.len() - 4;
                    file.1[last] = 1;
                }),
            ),
            (
                "block 4 is a packet that does not fit",
                build(&|file| {
                    file.packet(1, 1, b"x");
                }),
            ),
            (
                "block 4 is a packet that does not fit",
                build(&|file| {
                    file.block(
                        PACKET,
                        &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 1],
                    );
                }),
            ),
            (
                "block 4 is too short for an interface",
                build(&|file| {
                    file.block(INTERFACE, &[1, 0]);
                }),
            ),
            (
                "block 4 begins a section without",
                build(&|file| {
                    file.block(SECTION, &[0; 16]);
                }),
            ),
        ];
        for (text, file) in rows {
            let (records, end) = read(&file);
            assert_eq!(records.len(), 1, "{text}");
            let Err(Broken(said)) = end else { panic!("{text}: {end:?}") };
            assert!(said.starts_with(text), "{said}");
        }
        let (_, end) = read(&[6, 0, 0, 0, 12, 0, 0, 0, 12, 0, 0, 0]);
        assert_eq!(end, Err(Broken("block 1 stands before the first section".into())));
    }

    #[test]
    fn a_long_block_without_packets_is_passed_over_as_it_comes() {
        let mut file = File(Order::Little, Vec::new());
        file.section(Order::Little);
        let mut blocks = Blocks::default();
        assert_eq!(blocks.next(&file.1), Ok(Step::Skip(28)));
        let start = [10_u32.to_le_bytes(), 0x4000_0000_u32.to_le_bytes(), [0; 4]].concat();
        assert_eq!(blocks.next(&start), Ok(Step::Skip(12)));
        let mut left = 0x4000_0000_usize - 12;
        let chunk = vec![0; 1 << 20];
        while left > 0 {
            let Ok(Step::Skip(size)) = blocks.next(&chunk) else { panic!("{left}") };
            left -= size;
        }
        assert_eq!(blocks.next(b""), Ok(Step::NeedMore));
    }

    #[test]
    fn more_interfaces_than_anyone_has_are_refused() {
        let mut file = File(Order::Big, Vec::new());
        file.section(Order::Big);
        for _ in 0..=INTERFACES {
            file.interface(1, 0, &[]);
        }
        let (_, end) = read(&file.1);
        assert_eq!(end, Err(Broken("block 4098 is one interface more than 4096".into())));
    }
}
