//! Output of one connection: bytes stay here until the driver has written them.

use alloc::vec::Vec;
use core::fmt;

/// Bytes that wait to be written, in one piece.
///
/// It has no limit of its own: [`Limits::send_backlog`](crate::limits::Limits::send_backlog) is kept
/// by those who append. Its memory follows the most that waited since it was last empty; an empty one
/// keeps 2 KiB at most.
#[derive(Clone, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    written: usize,
}

/// An emptied outbox keeps this much room, enough for the largest message of a switchboard; more is
/// given back.
const KEEP: usize = 2048;

impl Outbox {
    /// An empty outbox.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), written: 0 }
    }

    /// What waits, oldest first.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        self.bytes.get(self.written..).unwrap_or_default()
    }

    /// How many bytes wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len().saturating_sub(self.written)
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets the first `written` bytes; more than there are counts as all.
    pub fn consume(&mut self, written: usize) {
        self.written = self.written.saturating_add(written).min(self.bytes.len());
        if self.written == self.bytes.len() {
            self.bytes.clear();
            self.bytes.shrink_to(KEEP);
            self.written = 0;
        } else if self.written >= self.len() {
            // No more bytes move than were written since the last time, so each moves about once.
            self.bytes.drain(..self.written);
            self.written = 0;
        }
    }

    /// Where encoders append.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// As [`Outbox::buffer`], with room for `more` bytes. What is written already is given up for it
    /// first, and a buffer that grows does not grow over `most` bytes unless it must: so one that
    /// never holds more than `most` also takes no more memory.
    pub(crate) fn buffer_for(&mut self, more: usize, most: usize) -> &mut Vec<u8> {
        let fits = |bytes: &Vec<u8>| bytes.capacity().saturating_sub(bytes.len()) >= more;
        if !fits(&self.bytes) && self.bytes.len() > KEEP {
            self.bytes.drain(..self.written);
            self.written = 0;
            if !fits(&self.bytes) {
                let needed = self.bytes.len().saturating_add(more);
                let wanted = self.bytes.capacity().saturating_mul(2).min(most).max(needed);
                self.bytes.reserve_exact(wanted.saturating_sub(self.bytes.len()));
            }
        }
        &mut self.bytes
    }

    /// Drops everything that waits.
    pub fn clear(&mut self) {
        *self = Self::new();
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outbox({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_no_more_memory_than_it_may_hold() {
        const MOST: usize = 100_000;
        for (piece, written) in [(1000, 0), (77, 0), (1000, 400), (3000, 2999), (50_000, 100)] {
            let mut outbox = Outbox::new();
            let mut model = Vec::new();
            for round in 0..2000_usize {
                if outbox.len() + piece <= MOST {
                    let bytes = alloc::vec![round as u8; piece];
                    outbox.buffer_for(piece, MOST).extend_from_slice(&bytes);
                    model.extend_from_slice(&bytes);
                }
                outbox.consume(written);
                model.drain(..written.min(model.len()));
                assert!(outbox.bytes.capacity() <= MOST, "{piece}, {written}");
            }
            assert!(outbox.pending() == model, "{piece}, {written}");
        }
    }

    #[test]
    fn behaves_as_a_plain_queue_of_bytes_for_every_size_of_write() {
        for step in 1..40_usize {
            let mut outbox = Outbox::new();
            let mut model: Vec<u8> = Vec::new();
            for round in 0..200_usize {
                let fresh: Vec<u8> = (0..round % 23).map(|i| (i * 7 + round) as u8).collect();
                outbox.buffer().extend_from_slice(&fresh);
                model.extend_from_slice(&fresh);
                assert_eq!(outbox.pending(), model);
                assert_eq!(outbox.len(), model.len());
                let written = (round * step) % 31;
                outbox.consume(written);
                model.drain(..written.min(model.len()));
                assert_eq!(outbox.pending(), model);
                assert_eq!(outbox.is_empty(), model.is_empty());
            }
        }
    }
}
