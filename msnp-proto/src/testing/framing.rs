//! Cutting a stream of bytes into frames in every way, as checks that panic where a law is broken.

use alloc::vec::Vec;

use crate::error::FrameError;
use crate::wire::{FrameDecoder, Inbox, Incoming};

/// Something that came out of an inbox, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A whole frame.
    Frame {
        /// Its line without line end.
        line: Vec<u8>,
        /// Its payload, if its verb has one.
        payload: Option<Vec<u8>>,
    },
    /// A line whose payload is over the limit.
    Oversized {
        /// The line.
        line: Vec<u8>,
        /// The length that it announces.
        announced: u32,
    },
    /// The stream could not be read on.
    Lost(FrameError),
}

impl Seen {
    /// A frame without payload.
    #[must_use]
    pub fn line(line: &[u8]) -> Self {
        Self::Frame { line: line.to_vec(), payload: None }
    }

    /// A frame with payload.
    #[must_use]
    pub fn with_payload(line: &[u8], payload: &[u8]) -> Self {
        Self::Frame { line: line.to_vec(), payload: Some(payload.to_vec()) }
    }

    /// A line whose payload is passed over.
    #[must_use]
    pub fn oversized(line: &[u8], announced: u32) -> Self {
        Self::Oversized { line: line.to_vec(), announced }
    }
}

impl From<Incoming<'_>> for Seen {
    fn from(incoming: Incoming<'_>) -> Self {
        match incoming {
            Incoming::Frame(frame) => Self::Frame {
                line: frame.line().to_vec(),
                payload: frame.payload().map(<[u8]>::to_vec),
            },
            Incoming::Oversized { frame, announced } => {
                Self::Oversized { line: frame.line().to_vec(), announced }
            }
        }
    }
}

/// Takes all that is whole from an inbox that gets one more chunk. Stops behind the first error.
///
/// # Panics
///
/// When a step does not move on, input is left over, or an error does not stay.
pub fn take(inbox: &mut Inbox, mut chunk: &[u8], seen: &mut Vec<Seen>) {
    let steps = chunk.len() + 2;
    for _ in 0..=steps {
        let before = chunk.len();
        match inbox.next(&mut chunk) {
            Ok(Some(incoming)) => {
                seen.push(incoming.into());
                assert!(chunk.len() < before || before == 0, "a step moves on");
            }
            Ok(None) => {
                assert!(chunk.is_empty(), "all input was taken");
                return;
            }
            Err(error) => {
                assert_eq!(inbox.next(&mut chunk), Err(error), "an error stays");
                if seen.last() != Some(&Seen::Lost(error)) {
                    seen.push(Seen::Lost(error));
                }
                return;
            }
        }
    }
    panic!("more steps than bytes");
}

/// What comes out of a stream in these chunks, and whether it ends between two frames.
///
/// # Panics
///
/// As [`take`]; when more is held than came in, or bytes are looked at more than twice.
#[must_use]
pub fn cut<'a>(
    decoder: &FrameDecoder,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Seen>, bool) {
    let mut inbox = Inbox::new(decoder.clone());
    let (mut seen, mut received) = (Vec::new(), 0);
    for chunk in chunks {
        received += chunk.len();
        take(&mut inbox, chunk, &mut seen);
        assert!(inbox.held() <= received);
        assert!(inbox.decoder().scanned() <= 2 * received as u64, "looks twice at most");
    }
    let between = inbox.is_between_frames();
    (seen, between)
}

/// Cuts a stream in one piece, byte by byte, in pieces of several sizes, and in two pieces at every
/// place (at some places if it is long): the result is the same each time, and is given back.
///
/// # Panics
///
/// As [`cut`], and when a result is another one.
pub fn cut_in_every_way(decoder: &FrameDecoder, stream: &[u8]) -> (Vec<Seen>, bool) {
    let whole = cut(decoder, [stream]);
    for size in [1, 2, 3, 7, 16, 100, 1000, 4096] {
        assert_eq!(cut(decoder, stream.chunks(size)), whole, "in chunks of {size}");
    }
    let step = stream.len() / 300 + 1;
    for place in (0..=stream.len()).step_by(step) {
        let (first, second) = stream.split_at(place);
        assert_eq!(cut(decoder, [first, second]), whole, "split at {place}");
        assert_eq!(cut(decoder, [first, b"", second]), whole, "split at {place}, twice");
    }
    whole
}
