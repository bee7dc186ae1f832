//! The blocks in which a file travels.
//!
//! ```text
//! block = flag:u8 length:u16, low byte first, data
//! flag  = 0 data / 1 the end
//! ```
//!
//! Documents say that the end means success; Kopete and Miranda send it to mean that they gave up.
//! The count decides.

use alloc::vec::Vec;

use super::Violation;

/// Data of each block but the last. Some receivers can read no other size.
const DATA: usize = 2045;

/// Flag and length.
const HEADER: usize = 3;

/// A whole block.
const BLOCK: usize = 2048;

/// Most bytes of blocks that wait to be written.
const BACKLOG: usize = 32 * BLOCK;

/// Blocks in a row without data that are passed over.
const EMPTY: u8 = 16;

/// Line ends before the first block that are passed over: sloppy peers send them.
const STRAY: u8 = 2;

/// The end of the blocks.
pub(super) const MARKER: [u8; HEADER] = [1, 0, 0];

/// Makes blocks of a file.
pub(super) struct Framer {
    size: u64,
    taken: u64,
    /// A block that is not whole yet.
    part: Vec<u8>,
    /// Bytes of blocks that were written to the network.
    written: u64,
}

impl Framer {
    pub(super) const fn new(size: u64) -> Self {
        Self { size, taken: 0, part: Vec::new(), written: 0 }
    }

    /// Bytes of the file that it takes while `waiting` bytes wait to be written.
    pub(super) fn room(&self, waiting: usize) -> usize {
        let blocks = BACKLOG.saturating_sub(waiting) / BLOCK;
        let room = blocks.saturating_mul(DATA).saturating_sub(self.part.len());
        let left = self.size.saturating_sub(self.taken);
        usize::try_from(left).map_or(room, |left| left.min(room))
    }

    /// Takes bytes for which there is room.
    pub(super) fn take(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        self.taken = self.taken.saturating_add(bytes.len() as u64);
        if !self.part.is_empty() {
            let missing = DATA.saturating_sub(self.part.len()).min(bytes.len());
            let (head, rest) = bytes.split_at(missing);
            self.part.extend_from_slice(head);
            bytes = rest;
            if self.part.len() == DATA {
                put_block(&self.part, out);
                self.part.clear();
            }
        }
        while let Some((block, rest)) = bytes.split_at_checked(DATA) {
            put_block(block, out);
            bytes = rest;
        }
        if !bytes.is_empty() {
            self.part.reserve_exact(DATA.saturating_sub(self.part.len()));
            self.part.extend_from_slice(bytes);
        }
        if self.taken == self.size && !self.part.is_empty() {
            put_block(&self.part, out);
            self.part = Vec::new();
        }
    }

    /// `written` bytes more of the blocks went to the network.
    pub(super) fn written(&mut self, written: usize) {
        self.written = self.written.saturating_add(written as u64);
    }

    /// Bytes of the file that went to the network.
    pub(super) fn sent(&self) -> u64 {
        const BLOCK: u64 = 2048;
        const DATA: u64 = 2045;
        let whole = (self.written / BLOCK).saturating_mul(DATA);
        let part = (self.written % BLOCK).saturating_sub(BLOCK - DATA);
        whole.saturating_add(part).min(self.taken)
    }

    pub(super) fn is_all_sent(&self) -> bool {
        self.sent() == self.size
    }
}

fn put_block(data: &[u8], out: &mut Vec<u8>) {
    let [low, high] = u16::try_from(data.len()).unwrap_or(u16::MAX).to_le_bytes();
    out.extend_from_slice(&[0, low, high]);
    out.extend_from_slice(data);
}

/// Takes the file out of its blocks. It keeps no data, only the pieces of one header.
pub(super) struct Cutter {
    size: u64,
    received: u64,
    header: [u8; HEADER],
    have: usize,
    /// Data of the block that is missing.
    missing: u16,
    /// The block is said to be the last.
    last: bool,
    begun: bool,
    strays: u8,
    empty: u8,
}

/// What the blocks hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut<'a> {
    /// Nothing until more comes.
    NeedMore,
    /// A piece of the file.
    Data(&'a [u8]),
    /// All of the file has been given out.
    Complete,
    /// The sender gave up.
    Cancelled,
    /// The sender broke the protocol.
    Broken(Violation),
}

impl Cutter {
    pub(super) const fn new(size: u64) -> Self {
        Self {
            size,
            received: 0,
            header: [0; HEADER],
            have: 0,
            missing: 0,
            last: false,
            begun: false,
            strays: 0,
            empty: 0,
        }
    }

    /// Bytes of the file that were given out.
    pub(super) const fn received(&self) -> u64 {
        self.received
    }

    /// The next thing in `input`, which is used up from its front. After an end there is nothing
    /// more to ask.
    pub(super) fn next<'a>(&mut self, input: &mut &'a [u8]) -> Cut<'a> {
        loop {
            if self.received == self.size {
                return Cut::Complete;
            }
            if self.missing > 0 {
                return self.data(input);
            }
            if self.last {
                return Cut::Cancelled;
            }
            let Some(header) = self.header(input) else { return Cut::NeedMore };
            if let Some(cut) = header.err().or_else(|| self.begin_block()) {
                return cut;
            }
        }
    }

    fn data<'a>(&mut self, input: &mut &'a [u8]) -> Cut<'a> {
        let size = usize::from(self.missing).min(input.len());
        let (data, rest) = input.split_at(size);
        if data.is_empty() {
            return Cut::NeedMore;
        }
        *input = rest;
        self.missing = self.missing.saturating_sub(u16::try_from(size).unwrap_or(u16::MAX));
        self.received = self.received.saturating_add(size as u64);
        Cut::Data(data)
    }

    /// Collects a header; `None` while it is not whole. Whether it can be one is told from its
    /// first byte, so that a stream without blocks is not waited for.
    fn header(&mut self, input: &mut &[u8]) -> Option<Result<(), Cut<'static>>> {
        while self.have < HEADER {
            let (first, rest) = input.split_first()?;
            *input = rest;
            match (self.have, *first) {
                (0, b'\r' | b'\n') if !self.begun && self.strays < STRAY => {
                    self.strays = self.strays.saturating_add(1);
                    continue;
                }
                // A text may begin so: BYE or CCL.
                (0, 0 | 1 | b'B' | b'b' | b'C' | b'c') | (1.., _) => {}
                (0, _) => return Some(Err(Cut::Broken(Violation::BadBlock))),
            }
            if let Some(slot) = self.header.get_mut(self.have) {
                *slot = *first;
            }
            self.have = self.have.saturating_add(1);
            self.begun = true;
        }
        self.have = 0;
        Some(Ok(()))
    }

    /// What a whole header says, unless it is that data follows or nothing.
    fn begin_block(&mut self) -> Option<Cut<'static>> {
        let [flag, low, high] = self.header;
        if flag > 1 {
            let says = |word: &[u8]| self.header.eq_ignore_ascii_case(word);
            let broken = Cut::Broken(Violation::BadBlock);
            return Some(if says(b"BYE") || says(b"CCL") { Cut::Cancelled } else { broken });
        }
        let length = u16::from_le_bytes([low, high]);
        self.last = flag == 1;
        if length == 0 && !self.last {
            self.empty = self.empty.saturating_add(1);
            return (self.empty > EMPTY).then_some(Cut::Broken(Violation::EmptyBlocks));
        }
        self.empty = 0;
        if u64::from(length) > self.size.saturating_sub(self.received) {
            return Some(Cut::Broken(Violation::TooMuch));
        }
        self.missing = length;
        None
    }
}
