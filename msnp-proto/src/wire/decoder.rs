//! Cutting a byte stream into frames: one resumable scan, limits on bytes and not on chunks.

use memchr::memchr;

use super::frame::{Frame, Verb};
use super::grammar;
use super::table::VerbRow;
use crate::error::FrameError;
use crate::limits::{Leniency, Limits};

/// Says which verbs are followed by a payload in the direction that is read.
pub type Payloads = fn(Verb) -> bool;

/// A resumable cutter of frames. It keeps no bytes, only how far it has looked.
///
/// The caller keeps unread bytes in one buffer, shows the whole buffer each time, and drops
/// `consumed` bytes from its front. For most uses [`Inbox`](super::Inbox) does that.
///
/// ```
/// use msnp_proto::wire::{Decoded, FrameDecoder};
///
/// let mut decoder = FrameDecoder::switchboard_client(Default::default());
/// let stream = b"ACK 7\r\nMSG bob@example.net Bob 5\r\nhello";
///
/// let Ok(Decoded::Frame { frame, consumed }) = decoder.decode(stream) else { panic!() };
/// assert_eq!((frame.line(), consumed), (&b"ACK 7"[..], 7));
/// let Ok(Decoded::Frame { frame, .. }) = decoder.decode(&stream[consumed..]) else { panic!() };
/// assert_eq!(frame.payload(), Some(&b"hello"[..]));
/// ```
#[derive(Clone, Debug)]
pub struct FrameDecoder {
    payloads: Table,
    /// For the line that is being read.
    line_limit: usize,
    next_line_limit: usize,
    payload_limit: usize,
    leniency: Leniency,
    state: State,
    scanned: u64,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Looking for a line end; the first `seen` bytes have none.
    Line { seen: usize },
    /// The line of `line` bytes ends at `start`, where `payload` bytes follow.
    Payload { line: usize, start: usize, payload: usize },
    /// Passing over what is left of a payload that is too large.
    Skip { left: u32 },
    /// The stream cannot be read any more.
    Lost(FrameError),
}

/// What [`FrameDecoder::decode`] found at the front of the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// Nothing whole yet: call again with the same bytes and more behind them.
    NeedMore,
    /// A whole frame.
    Frame {
        /// The frame.
        frame: Frame<'a>,
        /// Bytes to drop from the front of the buffer.
        consumed: usize,
    },
    /// Bytes without meaning: a blank line, or a piece of a payload that is being passed over.
    Skipped {
        /// Bytes to drop from the front of the buffer.
        consumed: usize,
    },
    /// A line whose payload is over the limit. The payload will be passed over as it arrives.
    Oversized {
        /// The line, without payload.
        frame: Frame<'a>,
        /// Length of the payload as the line has it.
        announced: u32,
        /// Bytes to drop from the front of the buffer.
        consumed: usize,
    },
}

/// A [`Decoded`] as positions, so that it can be found in one buffer and borrowed from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// At least `wanted` bytes more are needed; 0 when it is not known how many.
    NeedMore {
        wanted: usize,
    },
    Frame {
        line: usize,
        payload: Option<usize>,
        consumed: usize,
    },
    Skipped {
        consumed: usize,
    },
    Oversized {
        line: usize,
        announced: u32,
        consumed: usize,
    },
}

impl FrameDecoder {
    /// Reads the commands of one direction.
    pub(crate) const fn new(verbs: &[VerbRow], limits: &Limits, leniency: Leniency) -> Self {
        Self {
            payloads: Table::of(verbs),
            line_limit: limits.line,
            next_line_limit: limits.line,
            payload_limit: limits.payload,
            leniency,
            state: State::Line { seen: 0 },
            scanned: 0,
        }
    }

    /// Reads what a dispatch or notification server sends.
    #[must_use]
    pub fn notification_client(limits: Limits) -> Self {
        Self::new(crate::ns::Reply::VERBS, &limits, Leniency::Lenient)
    }

    /// Reads what a client sends to a dispatch or notification server.
    #[must_use]
    pub fn notification_server(limits: Limits) -> Self {
        Self::new(crate::ns::Request::VERBS, &limits, Leniency::Lenient)
    }

    /// Reads what a switchboard sends.
    #[must_use]
    pub fn switchboard_client(limits: Limits) -> Self {
        Self::new(crate::sb::Reply::VERBS, &limits, Leniency::Lenient)
    }

    /// Reads what a client sends to a switchboard.
    #[must_use]
    pub fn switchboard_server(limits: Limits) -> Self {
        Self::new(crate::sb::Request::VERBS, &limits, Leniency::Lenient)
    }

    /// The same decoder with another leniency.
    #[must_use]
    pub fn with_leniency(mut self, leniency: Leniency) -> Self {
        self.leniency = leniency;
        self
    }

    /// The same decoder with another table of payloads: for streams of later dialects, whose
    /// commands are not known here but have the same form.
    #[must_use]
    pub fn with_payloads(mut self, payloads: Payloads) -> Self {
        self.payloads.asked = Some(payloads);
        self
    }

    /// Changes the line limit, in bytes with the line end, from the next line on. A line of which a
    /// part has been looked at keeps the limit that it began with; so a change made on a frame's
    /// account holds for the line behind it, in whatever chunks that comes.
    pub fn set_line_limit(&mut self, limit: usize) {
        self.next_line_limit = limit;
        if !matches!(self.state, State::Line { seen: 1.. }) {
            self.line_limit = limit;
        }
    }

    /// How many bytes have been looked at in search of line ends, in all.
    #[must_use]
    pub const fn scanned(&self) -> u64 {
        self.scanned
    }

    /// Whether the stream stands between two frames, as far as it has been read.
    #[must_use]
    pub fn is_between_frames(&self) -> bool {
        matches!(self.state, State::Line { seen: 0 })
    }

    /// Looks for a frame at the front of `buf`.
    ///
    /// # Errors
    ///
    /// When the stream cannot be read on; every later call gives the same error.
    pub fn decode<'a>(&mut self, buf: &'a [u8]) -> Result<Decoded<'a>, FrameError> {
        let cut = self.cut(buf)?;
        Ok(match cut {
            Cut::NeedMore { .. } => Decoded::NeedMore,
            Cut::Frame { line, payload, consumed } => {
                Decoded::Frame { frame: borrow(buf, line, payload, consumed), consumed }
            }
            Cut::Skipped { consumed } => Decoded::Skipped { consumed },
            Cut::Oversized { line, announced, consumed } => {
                Decoded::Oversized { frame: borrow(buf, line, None, consumed), announced, consumed }
            }
        })
    }

    pub(crate) fn cut(&mut self, buf: &[u8]) -> Result<Cut, FrameError> {
        match self.state {
            State::Line { seen } => self.cut_line(buf, seen),
            State::Payload { line, start, payload } => {
                Ok(self.cut_payload(buf, line, start, payload))
            }
            State::Skip { left } => Ok(self.cut_skipped(buf, left)),
            State::Lost(error) => Err(error),
        }
    }

    /// The frame at the front of `buf` and what follows it, if nothing is special about it: it is
    /// there from its beginning to its end, its line ends in CRLF and begins with a word, and its
    /// payload is within the limit. So is nearly every frame. If this one is not,
    /// [`FrameDecoder::cut`] goes on from where this has looked.
    #[inline]
    pub(crate) fn plain_frame<'a>(&mut self, buf: &'a [u8]) -> Option<(Frame<'a>, &'a [u8])> {
        let (State::Line { seen: 0 }, Leniency::Lenient) = (self.state, self.leniency) else {
            return None;
        };
        let window = buf.get(..self.line_limit).unwrap_or(buf);
        let found = memchr(b'\n', window);
        let end = found.unwrap_or(window.len());
        self.scanned = self.scanned.saturating_add(end as u64);
        if let (Some(_), Some(([line @ .., b'\r'], [_, rest @ ..]))) =
            (found, buf.split_at_checked(end))
        {
            if line.first().is_some_and(|first| !grammar::is_blank(*first)) {
                if !self.payloads.follow(line) {
                    return Some((Frame::new(line, None), rest));
                }
                if let Some((payload, rest)) = self.split_payload(line, rest) {
                    return Some((Frame::new(line, Some(payload)), rest));
                }
            }
        }
        self.state = State::Line { seen: end };
        None
    }

    fn split_payload<'a>(&self, line: &[u8], rest: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let len = usize::try_from(grammar::number(grammar::split_last_word(line).1)?).ok()?;
        if len <= self.payload_limit { rest.split_at_checked(len) } else { None }
    }

    /// How much of `input` can belong to a line of which `held` bytes came earlier: up to the next
    /// line end, or to the limit.
    pub(crate) fn line_part(&mut self, held: usize, input: &[u8]) -> usize {
        let room = self.line_limit.saturating_sub(held);
        let input = input.get(..room).unwrap_or(input);
        let part = memchr(b'\n', input).map_or(input.len(), |end| end.saturating_add(1));
        self.scanned = self.scanned.saturating_add(part as u64);
        part
    }

    fn cut_line(&mut self, buf: &[u8], seen: usize) -> Result<Cut, FrameError> {
        // Never a look past the limit: so all chunks see the same line.
        let window = buf.get(..self.line_limit).unwrap_or(buf);
        let fresh = window.get(seen..).unwrap_or_default();
        let Some(found) = memchr(b'\n', fresh) else {
            self.scanned = self.scanned.saturating_add(fresh.len() as u64);
            if window.len() >= self.line_limit {
                return self.lose(FrameError::LineTooLong { limit: self.line_limit });
            }
            self.state = State::Line { seen: window.len() };
            return Ok(Cut::NeedMore { wanted: 0 });
        };
        let start = found.saturating_add(1);
        self.scanned = self.scanned.saturating_add(start as u64);
        if seen > 0 {
            self.state = State::Line { seen: 0 };
            self.line_limit = self.next_line_limit;
        }
        let start = start.saturating_add(seen);
        let line = match buf.get(..start) {
            Some([line @ .., b'\r', b'\n']) => line,
            Some([line @ .., _]) if self.leniency == Leniency::Lenient => line,
            _ => return self.lose(FrameError::BareLineFeed),
        };
        let text = grammar::skip_blanks(line);
        if text.is_empty() {
            return match self.leniency {
                Leniency::Lenient => Ok(Cut::Skipped { consumed: start }),
                Leniency::Strict => self.lose(FrameError::BlankLine),
            };
        }
        if self.leniency == Leniency::Strict && !is_tidy(line) {
            return self.lose(FrameError::Spacing);
        }
        if self.payloads.follow(text) {
            return self.begin_payload(buf, line, start);
        }
        Ok(Cut::Frame { line: line.len(), payload: None, consumed: start })
    }

    #[cold]
    fn lose(&mut self, error: FrameError) -> Result<Cut, FrameError> {
        self.state = State::Lost(error);
        Err(error)
    }

    fn begin_payload(&mut self, buf: &[u8], line: &[u8], start: usize) -> Result<Cut, FrameError> {
        let Some(announced) = grammar::number(grammar::split_last_word(line).1) else {
            return self.lose(FrameError::BadLength);
        };
        match usize::try_from(announced) {
            Ok(payload) if payload <= self.payload_limit => {
                Ok(self.cut_payload(buf, line.len(), start, payload))
            }
            _ => {
                self.state = State::Skip { left: announced };
                Ok(Cut::Oversized { line: line.len(), announced, consumed: start })
            }
        }
    }

    fn cut_payload(&mut self, buf: &[u8], line: usize, start: usize, payload: usize) -> Cut {
        let consumed = start.saturating_add(payload);
        if buf.len() < consumed {
            self.state = State::Payload { line, start, payload };
            return Cut::NeedMore { wanted: consumed.saturating_sub(buf.len()) };
        }
        self.state = State::Line { seen: 0 };
        Cut::Frame { line, payload: Some(payload), consumed }
    }

    fn cut_skipped(&mut self, buf: &[u8], left: u32) -> Cut {
        let here = u32::try_from(buf.len()).unwrap_or(u32::MAX).min(left);
        let left = left.saturating_sub(here);
        self.state = if left == 0 { State::Line { seen: 0 } } else { State::Skip { left } };
        if here == 0 && left > 0 {
            return Cut::NeedMore { wanted: 0 };
        }
        Cut::Skipped { consumed: here as usize }
    }
}

/// Which verbs are followed by a payload in the direction that is read.
#[derive(Clone, Copy, Debug)]
struct Table {
    codes: [u32; PAYLOADS],
    /// Instead of these.
    asked: Option<Payloads>,
}

/// Room for those of any direction.
const PAYLOADS: usize = 4;

impl Table {
    const fn of(mut rows: &[VerbRow]) -> Self {
        let mut codes = [u32::MAX; PAYLOADS];
        let mut free: &mut [u32] = &mut codes;
        while let [row, more @ ..] = rows {
            rows = more;
            if row.payload {
                assert!(!free.is_empty(), "no room for this many");
                if let [code, rest @ ..] = free {
                    *code = row.verb.code();
                    free = rest;
                }
            }
        }
        Self { codes, asked: None }
    }

    /// Whether the first word of a line is one of these verbs. None of them has a blank in it, so
    /// three bytes and what follows them are enough.
    #[inline(always)]
    fn follow(&self, text: &[u8]) -> bool {
        let Some((verb, rest)) = text.split_first_chunk() else { return false };
        let verb = Verb::new(*verb);
        let (code, [a, b, c, d]) = (verb.code(), self.codes);
        let has = match self.asked {
            None => code == a || code == b || code == c || code == d,
            Some(asked) => asked(verb),
        };
        has && rest.first().is_none_or(|byte| grammar::is_blank(*byte))
    }
}

/// Whether single blanks separate the words of a line and nothing stands at its ends.
fn is_tidy(line: &[u8]) -> bool {
    line.split(|byte| *byte == b' ')
        .all(|word| !word.is_empty() && !word.iter().any(|byte| matches!(byte, b'\t' | b'\r')))
}

/// The frame that a cut describes, in the buffer that was cut.
pub(crate) fn borrow(
    buf: &[u8],
    line: usize,
    payload: Option<usize>,
    consumed: usize,
) -> Frame<'_> {
    let payload =
        payload.map(|len| buf.get(consumed.saturating_sub(len)..consumed).unwrap_or_default());
    Frame::new(buf.get(..line).unwrap_or_default(), payload)
}
