//! One direction of a TCP connection: segments in, a stream of bytes and gaps out.
//!
//! This module knows sequence numbers. It knows no packet and no command, and it keeps no byte that
//! can be passed on. What comes first wins: of bytes that come again, the first ones stay.

use std::collections::BTreeMap;

/// What one direction holds back at most, bytes and what it costs to hold them. With the growth of
/// buffers and unfinished commands this keeps a connection below 1 MiB; windows of the time had
/// 64 KiB.
pub(super) const LIMIT: usize = 128 * 1024;

/// What a piece that is held costs beside its bytes.
const OVERHEAD: usize = 96;

/// How long bytes may be missing that the other side has acknowledged, in microseconds: they will
/// not be sent again, but captures put packets in another order.
const PATIENCE: u64 = 200_000;

/// What comes out of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// The next bytes.
    Bytes(&'a [u8]),
    /// So many bytes are missing here.
    Gap(u64),
    /// So many bytes came again and were not the same.
    Conflict(u64),
}

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The sequence number of `next`; `None` until one is known.
    number: Option<u32>,
    /// Bytes passed on or given up, from the first on: what comes next.
    next: u64,
    /// What came too early, by its place.
    pending: BTreeMap<u64, Vec<u8>>,
    /// What it costs.
    held: usize,
    /// Since when bytes have been acknowledged that were not seen.
    doubt: Option<u64>,
    /// The place behind the last byte, if it is known.
    end: Option<u64>,
}

impl Stream {
    /// Says where the stream begins.
    pub(super) fn begin(&mut self, number: u32) {
        self.number = Some(number);
    }

    /// Whether it is known where the stream begins.
    pub(super) fn has_begun(&self) -> bool {
        self.number.is_some()
    }

    /// What it costs to hold what came too early.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Says that the stream ends with the byte before that number.
    pub(super) fn finish(&mut self, number: u32) {
        if self.end.is_none() {
            self.end = self.place(number);
        }
    }

    /// Whether everything up to the end has been passed on or given up.
    pub(super) fn is_finished(&self) -> bool {
        self.end.is_some_and(|end| end <= self.next)
    }

    /// Takes a segment.
    pub(super) fn push(&mut self, number: u32, bytes: &[u8], out: &mut dyn FnMut(Piece<'_>)) {
        if bytes.is_empty() {
            return;
        }
        if !self.has_begun() {
            self.begin(number);
        }
        if self.pending.is_empty() && self.number == Some(number) {
            self.advance(bytes.len() as u64);
            out(Piece::Bytes(bytes));
            return;
        }
        self.insert(number, bytes, out);
        self.drain(out);
        while self.held > LIMIT {
            self.skip(out);
        }
    }

    /// Takes note of an acknowledgement from the other side. Bytes that it has and that were never
    /// seen here will not come any more.
    pub(super) fn acknowledge(&mut self, at: u64, number: u32, out: &mut dyn FnMut(Piece<'_>)) {
        if self.number == Some(number) {
            return;
        }
        let Some(acknowledged) = self.place(number) else { return };
        let acknowledged = acknowledged.min(self.end.unwrap_or(u64::MAX));
        // The end of a stream counts as a byte, and may have been missed.
        let seen = if self.pending.is_empty() { self.next.saturating_add(1) } else { self.next };
        if acknowledged <= seen {
            return;
        }
        if at.saturating_sub(*self.doubt.get_or_insert(at)) < PATIENCE {
            return;
        }
        match self.pending.keys().next() {
            Some(first) if *first <= acknowledged => self.skip(out),
            _ => {
                let size = acknowledged.saturating_sub(self.next);
                self.advance(size);
                out(Piece::Gap(size));
            }
        }
    }

    /// Gives up bytes that stand next: they were sent, and they are not in the capture.
    pub(super) fn miss(&mut self, size: u64, out: &mut dyn FnMut(Piece<'_>)) {
        let first = self.pending.keys().next().copied().unwrap_or(u64::MAX);
        let size = size.min(first.saturating_sub(self.next));
        if size > 0 {
            self.advance(size);
            out(Piece::Gap(size));
            self.drain(out);
        }
    }

    /// The sequence number of what comes next.
    pub(super) fn expected(&self) -> Option<u32> {
        self.number
    }

    /// Passes on everything that is held: nothing more will come.
    pub(super) fn flush(&mut self, out: &mut dyn FnMut(Piece<'_>)) {
        while !self.pending.is_empty() {
            self.skip(out);
        }
        if let Some(missing) = self.end.map(|end| end.saturating_sub(self.next)) {
            self.miss(missing, out);
        }
    }

    /// The place of a sequence number: the nearest one to what comes next. `None` if that would be
    /// before the first byte.
    fn place(&self, number: u32) -> Option<u64> {
        let ahead = number.wrapping_sub(self.number?) as i32;
        self.next.checked_add_signed(ahead.into())
    }

    fn advance(&mut self, size: u64) {
        self.next += size;
        // Sequence numbers wrap around.
        self.number = self.number.map(|number| number.wrapping_add(size as u32));
        self.doubt = None;
    }

    /// Passes on or keeps what is new in a segment, in the order of the stream.
    fn insert(&mut self, number: u32, bytes: &[u8], out: &mut dyn FnMut(Piece<'_>)) {
        let ahead = number.wrapping_sub(self.number.unwrap_or(number)) as i32;
        let old = usize::try_from(ahead.min(0).unsigned_abs()).unwrap_or(usize::MAX);
        let mut rest = bytes.get(old..).unwrap_or_default();
        let mut at = self.next + u64::from(ahead.max(0).unsigned_abs());
        let mut conflict = 0;
        while !rest.is_empty() {
            let before = self.pending.range(..=at).next_back();
            let held = before.and_then(|(start, held)| held.get((at - start) as usize..));
            let part = if let Some(held) = held.filter(|held| !held.is_empty()) {
                let differing = held.iter().zip(rest).filter(|(held, again)| held != again);
                conflict += differing.count() as u64;
                held.len().min(rest.len())
            } else {
                let free = self.pending.range(at..).next().map_or(u64::MAX, |(next, _)| next - at);
                let part = rest.len().min(usize::try_from(free).unwrap_or(usize::MAX));
                let fresh = rest.get(..part).unwrap_or_default();
                if at == self.next {
                    self.advance(part as u64);
                    out(Piece::Bytes(fresh));
                } else {
                    self.hold(at, fresh);
                }
                part
            };
            rest = rest.get(part..).unwrap_or_default();
            at += part as u64;
        }
        if conflict > 0 {
            out(Piece::Conflict(conflict));
        }
    }

    /// Keeps bytes of which nothing is there yet.
    fn hold(&mut self, at: u64, bytes: &[u8]) {
        self.held += bytes.len();
        if let Some((start, before)) = self.pending.range_mut(..at).next_back() {
            if start + before.len() as u64 == at {
                before.extend_from_slice(bytes);
                return;
            }
        }
        self.held += OVERHEAD;
        self.pending.insert(at, bytes.to_vec());
    }

    /// Passes on what is held and stands next.
    fn drain(&mut self, out: &mut dyn FnMut(Piece<'_>)) {
        while let Some(first) = self.pending.first_entry() {
            if *first.key() != self.next {
                break;
            }
            let bytes = first.remove();
            self.held -= bytes.len() + OVERHEAD;
            self.advance(bytes.len() as u64);
            out(Piece::Bytes(&bytes));
        }
    }

    /// Gives up the bytes before the first that are held, and passes those on.
    fn skip(&mut self, out: &mut dyn FnMut(Piece<'_>)) {
        if let Some(first) = self.pending.keys().next() {
            let size = first - self.next;
            self.advance(size);
            out(Piece::Gap(size));
            self.drain(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What came out, one sign a byte: `.` for a missing one.
    #[derive(Default)]
    struct Seen {
        text: Vec<u8>,
        conflicts: u64,
    }

    impl Seen {
        fn take(&mut self, piece: Piece<'_>) {
            match piece {
                Piece::Bytes(bytes) => self.text.extend_from_slice(bytes),
                Piece::Gap(size) => self.text.extend((0..size).map(|_| b'.')),
                Piece::Conflict(count) => self.conflicts += count,
            }
        }
    }

    /// Plays segments; `!` gives the rest up.
    fn played(first: u32, segments: &[(u32, &str)]) -> (String, u64) {
        let mut stream = Stream::default();
        let mut seen = Seen::default();
        stream.begin(first);
        for (number, text) in segments {
            match *text {
                "!" => stream.flush(&mut |piece| seen.take(piece)),
                text => stream.push(first.wrapping_add(*number), text.as_bytes(), &mut |piece| {
                    seen.take(piece);
                }),
            }
        }
        (String::from_utf8(seen.text).expect("ASCII"), seen.conflicts)
    }

    #[test]
    fn order_repetition_overlap_and_loss() {
        type Row<'a> = (&'a [(u32, &'a str)], &'a str, u64);
        let rows: [Row<'_>; 12] = [
            (&[(0, "ab"), (2, "cd")], "abcd", 0),
            (&[(2, "cd"), (0, "ab")], "abcd", 0),
            (&[(2, "cd")], "", 0),
            (&[(2, "cd"), (0, "!")], "..cd", 0),
            (&[(0, "ab"), (0, "ab"), (0, "abc")], "abc", 0),
            (&[(0, "abc"), (1, "xyz")], "abcz", 0),
            (&[(2, "cd"), (1, "xyz"), (0, "a")], "axcd", 2),
            (&[(2, "cd"), (0, "abxyef")], "abcdef", 2),
            (&[(4, "e"), (2, "c"), (0, "a"), (0, "ABCDEF")], "aBcDeF", 2),
            (&[(4, "e"), (2, "c"), (0, "!"), (0, "abcdef")], "..c.ef", 0),
            (&[(1, "b"), (3, "d"), (0, "!"), (4, "e")], ".b.de", 0),
            (&[(0, "")], "", 0),
        ];
        for (segments, text, conflicts) in rows {
            for first in [0, 7, u32::MAX, u32::MAX - 1, u32::MAX - 3, u32::MAX / 2] {
                let seen = played(first, segments);
                assert_eq!(seen, (text.to_owned(), conflicts), "{segments:?} from {first}");
            }
        }
    }

    #[test]
    fn without_a_beginning_the_first_segment_is_one() {
        let (mut stream, mut seen) = (Stream::default(), Seen::default());
        stream.push(1000, b"cd", &mut |piece| seen.take(piece));
        // What is older than the first byte cannot be placed.
        stream.push(998, b"abcde", &mut |piece| seen.take(piece));
        assert_eq!(seen.text, b"cde");
        stream.acknowledge(PATIENCE, 900, &mut |piece| seen.take(piece));
        assert_eq!(seen.text, b"cde");
    }

    #[test]
    fn what_the_other_side_has_and_we_have_not_is_given_up_after_a_while() {
        let (mut stream, mut seen) = (Stream::default(), Seen::default());
        stream.begin(0);
        stream.push(5, b"fgh", &mut |piece| seen.take(piece));
        for at in [7, 8, 6 + PATIENCE] {
            stream.acknowledge(at, 8, &mut |piece| seen.take(piece));
            assert_eq!(seen.text, b"", "at {at}");
        }
        stream.acknowledge(7 + PATIENCE, 8, &mut |piece| seen.take(piece));
        assert_eq!(seen.text, b".....fgh");
        // Nothing came behind the hole, and nothing needs to.
        for (at, len) in [(PATIENCE, 8), (2 * PATIENCE - 1, 8), (2 * PATIENCE, 11)] {
            stream.acknowledge(at, 11, &mut |piece| seen.take(piece));
            assert_eq!(seen.text.len(), len, "at {at}");
        }
        // One more than was seen may be the end of the stream.
        for at in [0, 5 * PATIENCE] {
            stream.acknowledge(at, 12, &mut |piece| seen.take(piece));
        }
        assert_eq!(seen.text.len(), 11);
    }

    #[test]
    fn the_end_is_reached_when_everything_before_it_is_there() {
        let (mut stream, mut seen) = (Stream::default(), Seen::default());
        stream.begin(u32::MAX);
        stream.finish(3);
        assert!(!stream.is_finished());
        stream.push(1, b"cd", &mut |piece| seen.take(piece));
        assert!(!stream.is_finished());
        stream.push(u32::MAX, b"ab", &mut |piece| seen.take(piece));
        assert!(stream.is_finished());
        assert_eq!(seen.text, b"abcd");

        let (mut stream, mut seen) = (Stream::default(), Seen::default());
        stream.begin(0);
        stream.finish(4);
        stream.flush(&mut |piece| seen.take(piece));
        assert!(stream.is_finished());
        assert_eq!(seen.text, b"....");
    }

    #[test]
    fn what_is_held_is_bounded_whatever_the_size_of_the_segments() {
        for size in [1, 2, 100, 1460, 65_535] {
            let mut stream = Stream::default();
            let (mut bytes, mut missing) = (0, 0);
            stream.begin(0);
            let segment = vec![b'x'; size];
            let step = size as u32 + 1;
            let count = 3 * LIMIT / (size + OVERHEAD);
            for number in 0..count as u32 {
                stream.push(1 + number * step, &segment, &mut |piece| match piece {
                    Piece::Bytes(some) => bytes += some.len(),
                    Piece::Gap(some) => missing += some as usize,
                    Piece::Conflict(_) => panic!("nothing came twice"),
                });
                assert!(stream.held() <= LIMIT);
            }
            assert!(missing >= count / 2, "{missing} of {count}");
            stream.flush(&mut |piece| {
                if let Piece::Bytes(some) = piece {
                    bytes += some.len()
                }
            });
            assert_eq!((bytes, stream.held()), (count * size, 0));
        }
    }

    /// The plain model: one slot for each byte of the stream, filled by whoever comes first.
    fn model(len: usize, segments: &[(usize, Vec<u8>)]) -> Vec<u8> {
        let mut slots = vec![None; len];
        for (start, bytes) in segments {
            for (slot, byte) in slots.iter_mut().skip(*start).zip(bytes) {
                slot.get_or_insert(*byte);
            }
        }
        let last = slots.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        slots.truncate(last);
        slots.into_iter().map(|slot| slot.unwrap_or(b'.')).collect()
    }

    proptest! {
        /// Any order, any overlap, any loss: without acknowledgements nothing is given up before
        /// the end, and each byte is the first that came for its place.
        #[test]
        fn streams_are_put_together_as_the_model_has_them(
            first in any::<u32>(),
            segments in prop::collection::vec(
                (0_usize..300, prop::collection::vec(b'a'..=b'z', 0..40)), 0..60),
        ) {
            let (mut stream, mut seen) = (Stream::default(), Seen::default());
            stream.begin(first);
            for (start, bytes) in &segments {
                let number = first.wrapping_add(*start as u32);
                stream.push(number, bytes, &mut |piece| seen.take(piece));
            }
            stream.flush(&mut |piece| seen.take(piece));
            prop_assert_eq!(seen.text, model(400, &segments));
            prop_assert_eq!(stream.held(), 0);
        }

        /// With acknowledgements and ends in between, bytes may be given up, but none is moved,
        /// invented or passed on twice.
        #[test]
        fn bytes_keep_their_places_whatever_else_happens(
            first in any::<u32>(),
            steps in prop::collection::vec((0_u8..8, 0_usize..300, 0_usize..40), 0..80),
        ) {
            let byte = |place: usize| b'a' + (place % 26) as u8;
            let (mut stream, mut seen) = (Stream::default(), Seen::default());
            stream.begin(first);
            for (time, (what, start, len)) in steps.into_iter().enumerate() {
                let number = first.wrapping_add(start as u32);
                let out = &mut |piece: Piece<'_>| seen.take(piece);
                match what {
                    0 => stream.acknowledge(time as u64 * PATIENCE / 3, number, out),
                    1 => stream.finish(number),
                    2 => stream.miss(len as u64, out),
                    _ => {
                        let bytes: Vec<u8> = (start..start + len).map(byte).collect();
                        stream.push(number, &bytes, out);
                    }
                }
            }
            stream.flush(&mut |piece| seen.take(piece));
            for (place, got) in seen.text.iter().enumerate() {
                prop_assert!(*got == b'.' || *got == byte(place), "place {}", place);
            }
            prop_assert_eq!((seen.conflicts, stream.held()), (0, 0));
        }
    }
}
