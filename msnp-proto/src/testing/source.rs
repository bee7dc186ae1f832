//! Bytes as decisions: what a fuzzer or a property test gives, used up from the front.

use super::SeededEntropy;

/// Something that decides between possibilities.
pub trait Decide {
    /// A number below `end`; 0 if `end` is 0.
    fn below(&mut self, end: usize) -> usize;
}

impl Decide for SeededEntropy {
    fn below(&mut self, end: usize) -> usize {
        Self::below(self, end)
    }
}

/// Decisions and pieces of text that are taken from the front of some bytes. When they are used up
/// every number is 0 and every slice is empty, so whatever is made from a source has an end.
///
/// ```
/// use msnp_proto::testing::{Decide, Source};
///
/// let mut source = Source::new(b"\x05\x03abcd");
/// assert_eq!(source.below(4), 1);
/// assert_eq!(source.slice(), b"abc");
/// assert_eq!(source.rest(), b"d");
/// assert!(source.is_empty());
/// assert_eq!((source.byte(), source.slice()), (0, &b""[..]));
/// ```
#[derive(Clone, Debug)]
pub struct Source<'a> {
    left: &'a [u8],
    /// An optional argument of the command that is being made is missing: those behind it are too.
    pub(super) cut_off: bool,
}

impl<'a> Source<'a> {
    /// All decisions of these bytes.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes, cut_off: false }
    }

    /// Whether everything is used up.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        match self.left {
            [first, rest @ ..] => {
                self.left = rest;
                *first
            }
            [] => 0,
        }
    }

    /// A number: often a small one or one at an end of its range.
    pub fn number(&mut self) -> u32 {
        match self.byte() {
            small @ ..=199 => small.into(),
            200..=219 => u32::from(self.byte()) << 8 | u32::from(self.byte()),
            220..=239 => u32::from_be_bytes([self.byte(), self.byte(), self.byte(), self.byte()]),
            high => u32::MAX - u32::from(high - 240),
        }
    }

    /// One of these; there must be one.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// A byte with the length, and up to that many bytes.
    pub fn slice(&mut self) -> &'a [u8] {
        let size = self.byte();
        self.take(size.into())
    }

    /// Up to that many bytes.
    pub fn take(&mut self, size: usize) -> &'a [u8] {
        let (slice, left) = self.left.split_at(size.min(self.left.len()));
        self.left = left;
        slice
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.left)
    }
}

impl Decide for Source<'_> {
    /// Takes one byte, or two for more than 256 possibilities.
    fn below(&mut self, end: usize) -> usize {
        let number = match end {
            0 | 1 => return 0,
            2..=256 => usize::from(self.byte()),
            _ => usize::from(self.byte()) << 8 | usize::from(self.byte()),
        };
        number % end
    }
}
