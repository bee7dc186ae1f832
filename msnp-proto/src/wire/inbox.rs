//! Input of one connection: frames are borrowed from the bytes that just arrived; only an
//! unfinished frame is copied, each byte once.

use alloc::vec::Vec;
use core::fmt;

use super::decoder::{Cut, FrameDecoder, borrow};
use super::frame::Frame;
use crate::error::FrameError;

/// Something whole that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// A frame.
    Frame(Frame<'a>),
    /// The line of a frame whose payload is over the limit and will be passed over.
    Oversized {
        /// The line, without payload.
        frame: Frame<'a>,
        /// Length of the payload as the line has it.
        announced: u32,
    },
}

/// A [`FrameDecoder`] with the tail of what has not made a whole frame yet.
///
/// It holds one unfinished frame at most: [`Limits::line`](crate::limits::Limits::line) and
/// [`Limits::payload`](crate::limits::Limits::payload) together, and never more than has arrived.
///
/// ```
/// use msnp_proto::wire::{FrameDecoder, Inbox, Incoming};
///
/// let mut inbox = Inbox::new(FrameDecoder::switchboard_client(Default::default()));
/// let mut lines = Vec::new();
/// for mut chunk in [&b"ACK 7\r"[..], b"\nACK 8\r\n"] {
///     while let Some(Incoming::Frame(frame)) = inbox.next(&mut chunk)? {
///         lines.push(frame.line().to_vec());
///     }
/// }
/// assert_eq!(lines, [b"ACK 7", b"ACK 8"]);
/// # Ok::<(), msnp_proto::error::FrameError>(())
/// ```
#[derive(Clone)]
pub struct Inbox {
    decoder: FrameDecoder,
    tail: Vec<u8>,
    /// The tail was given out as a frame and is to be forgotten.
    spent: bool,
}

/// An emptied tail keeps this much room; more is given back.
const KEEP: usize = 256;

impl Inbox {
    /// An empty inbox.
    #[must_use]
    pub const fn new(decoder: FrameDecoder) -> Self {
        Self { decoder, tail: Vec::new(), spent: false }
    }

    /// How many bytes were looked at in search of line ends, in all.
    #[must_use]
    pub const fn scanned(&self) -> u64 {
        self.decoder.scanned()
    }

    /// The decoder, for its limits and counters.
    pub fn decoder(&mut self) -> &mut FrameDecoder {
        &mut self.decoder
    }

    /// Bytes of an unfinished frame that are held here.
    #[must_use]
    pub fn held(&self) -> usize {
        if self.spent { 0 } else { self.tail.len() }
    }

    /// Whether the stream stands between two frames, so that its end would be a clean one.
    #[must_use]
    pub fn is_between_frames(&self) -> bool {
        self.held() == 0 && self.decoder.is_between_frames()
    }

    /// Takes the next whole frame from what is held and from the front of `input`. When there is
    /// none, all of `input` has been taken: what follows is to be given with the next call.
    ///
    /// # Errors
    ///
    /// When the stream cannot be read on; every later call gives the same error.
    pub fn next<'s, 'i: 's>(
        &'s mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<Incoming<'s>>, FrameError> {
        if !self.spent && self.tail.is_empty() {
            if let Some((frame, rest)) = self.decoder.plain_frame(input) {
                *input = rest;
                return Ok(Some(Incoming::Frame(frame)));
            }
        }
        self.next_of_any_kind(input)
    }

    /// A frame that came in pieces, or has something special about it.
    #[inline(never)]
    fn next_of_any_kind<'s, 'i: 's>(
        &'s mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<Incoming<'s>>, FrameError> {
        if self.spent {
            self.spent = false;
            self.tail.clear();
            self.tail.shrink_to(KEEP);
        }
        loop {
            let from_tail = !self.tail.is_empty();
            let cut = self.decoder.cut(if from_tail { &self.tail } else { input })?;
            match cut {
                Cut::NeedMore { wanted } => {
                    if input.is_empty() {
                        return Ok(None);
                    }
                    self.grow_tail(input, wanted);
                }
                Cut::Skipped { consumed } => self.drop_front(input, consumed),
                Cut::Frame { line, payload, consumed } => {
                    let buf = self.take(input, from_tail, consumed);
                    return Ok(Some(Incoming::Frame(borrow(buf, line, payload, consumed))));
                }
                Cut::Oversized { line, announced, consumed } => {
                    let buf = self.take(input, from_tail, consumed);
                    let frame = borrow(buf, line, None, consumed);
                    return Ok(Some(Incoming::Oversized { frame, announced }));
                }
            }
        }
    }

    /// Moves to the tail what can belong to its frame: up to the next line end, or as much of the
    /// payload as is missing. So the tail never holds more than one frame, nor more of a line than
    /// its limit.
    fn grow_tail(&mut self, input: &mut &[u8], wanted: usize) {
        let part = match wanted {
            _ if self.tail.is_empty() => input.len(),
            0 => self.decoder.line_part(self.tail.len(), input),
            wanted => wanted.min(input.len()),
        };
        let (part, rest) = input.split_at(part);
        self.tail.extend_from_slice(part);
        *input = rest;
    }

    fn drop_front(&mut self, input: &mut &[u8], consumed: usize) {
        if self.tail.is_empty() {
            *input = input.get(consumed..).unwrap_or_default();
        } else {
            self.tail.drain(..consumed.min(self.tail.len()));
        }
    }

    /// The buffer that holds the frame, with the frame marked as used.
    fn take<'s, 'i: 's>(
        &'s mut self,
        input: &mut &'i [u8],
        from_tail: bool,
        consumed: usize,
    ) -> &'s [u8] {
        if from_tail {
            self.spent = true;
            &self.tail
        } else {
            let whole: &'i [u8] = input;
            *input = whole.get(consumed..).unwrap_or_default();
            whole
        }
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inbox({} bytes held)", self.held())
    }
}
