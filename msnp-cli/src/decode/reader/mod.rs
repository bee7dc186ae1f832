//! One direction of a connection: bytes and gaps in, frames and unreadable bytes out.
//!
//! This module knows how to stay in step, and how to get into step again when bytes are missing or
//! make no sense. It does not know what the frames say. Frames are borrowed from the bytes that
//! arrive; only an unfinished one is copied. No byte is lost: what is no frame comes out as it is.

use std::ops::Range;

use memchr::memchr;
use msnp_proto::limits::Limits;
use msnp_proto::transcript::Side;
use msnp_proto::types::ErrorReply;
use msnp_proto::wire::{Decoded, Frame, FrameDecoder, Payloads, Verb};
use msnp_proto::{error::FrameError, ns, sb};

use super::event::{Said, Server, Why};

/// Most bytes that wait for the next line that is a command.
const SOUGHT: usize = 16 * 1024;

/// Most bytes of one payload that may be missing without losing the step: payloads of the time have
/// a quarter of it.
const HOLES: usize = 8 * 1024;

/// Most starts of segments that are remembered while seeking.
const STARTS: usize = 32;

/// Something that came out.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found<'a> {
    /// A frame; of its payload so many bytes are missing, and zeros stand for them.
    Frame(Frame<'a>, u64),
    /// The line of a frame whose payload is over the limit.
    Oversized(Frame<'a>, u32),
    /// Bytes that are no frame. If the flag is set they begin somewhere in a line.
    Unreadable(&'a [u8], Why, bool),
}

/// Reads one direction.
#[derive(Debug)]
pub(super) struct Reader {
    server: Server,
    side: Side,
    dialect: Dialect,
    decoder: FrameDecoder,
    /// What has come and is not out yet.
    tail: Vec<u8>,
    /// Out of step, and why.
    seeking: Option<Why>,
    /// What comes out of step next begins somewhere in a line.
    fragment: bool,
    /// While seeking: where in the tail the line begins that was looked at last.
    line: usize,
    /// While seeking: how much of the tail has been looked at.
    looked: usize,
    /// Bytes come in segments as they were sent, not in pieces of any size.
    in_segments: bool,
    /// While seeking: where in the tail segments begin. A command without a line end before it
    /// most likely begins a segment.
    starts: Vec<usize>,
    /// Where in the tail bytes are missing, with zeros in their place.
    holes: Vec<Range<usize>>,
}

/// What is known of the dialect of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dialect {
    /// One of those that the tables describe: MSNP2 to MSNP7.
    Early,
    /// Nothing: a switchboard, or a stream whose beginning is missing.
    Unknown,
    /// A later one, by its number.
    Later(u32),
}

impl Dialect {
    /// From the first word of the server's choice.
    pub(super) fn from_word(word: &[u8]) -> Self {
        let number = word.strip_prefix(b"MSNP").and_then(|digits| std::str::from_utf8(digits).ok());
        match number.and_then(|digits| digits.parse().ok()) {
            Some(2..=7) => Self::Early,
            Some(number) => Self::Later(number),
            None => Self::Unknown,
        }
    }
}

/// Verbs of later dialects, those with a payload first.
const LATER: [&[u8; 3]; 24] = [
    b"UBX", b"UUX", b"GCF", b"ADL", b"RML", b"FQY", b"UUN", b"UBN", b"UUM", b"UBM", b"PUT", b"DEL",
    b"NFY", b"SDG", b"VAS", b"PGD", b"ADC", b"SBP", b"SBS", b"RFS", b"LKP", b"PNK", b"RST", b"NTC",
];
const WITH_PAYLOAD: usize = 16;

fn is_later_payload(verb: Verb) -> bool {
    LATER.iter().take(WITH_PAYLOAD).any(|later| *later == verb.as_bytes())
}

impl Reader {
    /// `midway` if the first byte may be any byte of the stream.
    pub(super) fn new(server: Server, side: Side, dialect: Dialect, midway: bool) -> Self {
        Self {
            server,
            side,
            dialect,
            decoder: decoder(server, side, dialect),
            tail: Vec::new(),
            seeking: midway.then_some(Why::Midway),
            fragment: midway,
            line: 0,
            looked: 0,
            in_segments: true,
            starts: Vec::new(),
            holes: Vec::new(),
        }
    }

    /// The same reader for bytes that were cut anywhere.
    pub(super) fn without_segments(mut self) -> Self {
        self.in_segments = false;
        self
    }

    /// Bytes that are held back.
    pub(super) fn held(&self) -> usize {
        self.tail.len()
    }

    /// Which dialect the stream has, as far as that is known.
    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Says which dialect the stream turns out to have, from the next frame on.
    pub(super) fn set_dialect(&mut self, dialect: Dialect) {
        self.dialect = dialect;
        // The tail begins with a frame, which is looked at again.
        self.decoder = decoder(self.server, self.side, dialect);
    }

    /// Takes the next bytes of the stream.
    pub(super) fn bytes(&mut self, bytes: &[u8], out: &mut dyn FnMut(Found<'_>)) {
        if self.seeking.is_none() && self.tail.is_empty() {
            let used = self.cut(bytes, out);
            let rest = bytes.get(used..).unwrap_or_default();
            if self.seeking.is_none() {
                self.tail.extend_from_slice(rest);
                return;
            }
            self.start_segment(rest);
        } else {
            self.start_segment(bytes);
        }
        self.read_tail(out);
    }

    /// Takes note that so many bytes are missing here.
    pub(super) fn gap(&mut self, size: u64, out: &mut dyn FnMut(Found<'_>)) {
        if self.seeking.is_none() {
            if self.payload_wanted().is_some_and(|wanted| size <= wanted) {
                // Within a payload, whose end is known: the stream stays in step.
                let start = self.tail.len();
                let end = start.saturating_add(usize::try_from(size).unwrap_or(usize::MAX));
                let before: usize = self.holes.iter().map(Range::len).sum();
                if before.saturating_add(end - start) <= HOLES {
                    self.tail.resize(end, 0);
                    self.holes.push(start..end);
                    self.read_tail(out);
                    return;
                }
            }
            self.begin_seeking(Why::CutOff);
        }
        self.flush(out);
        self.fragment = true;
        self.seeking = Some(Why::Gap);
    }

    /// Takes note that nothing more comes.
    pub(super) fn end(&mut self, out: &mut dyn FnMut(Found<'_>)) {
        if self.seeking.is_none() {
            self.begin_seeking(Why::Unfinished);
        }
        self.flush(out);
    }

    fn start_segment(&mut self, bytes: &[u8]) {
        let is_new_place = self.in_segments && !self.tail.is_empty();
        if self.seeking.is_some() && is_new_place && self.starts.len() < STARTS {
            self.starts.push(self.tail.len());
        }
        self.tail.extend_from_slice(bytes);
    }

    /// Reads what is in the tail until nothing more can be made of it.
    fn read_tail(&mut self, out: &mut dyn FnMut(Found<'_>)) {
        loop {
            let tail = std::mem::take(&mut self.tail);
            let was_seeking = self.seeking.is_some();
            let used = if was_seeking { self.seek(&tail, out) } else { self.cut(&tail, out) };
            self.tail = tail;
            self.drop_front(used);
            let is_stuck = used == 0 && was_seeking == self.seeking.is_some();
            if is_stuck || self.tail.is_empty() {
                return;
            }
        }
    }

    fn drop_front(&mut self, used: usize) {
        if used == self.tail.len() {
            self.tail.clear();
            self.tail.shrink_to(2048);
        } else {
            self.tail.drain(..used);
        }
    }

    fn begin_seeking(&mut self, why: Why) {
        self.seeking = Some(why);
        self.decoder = decoder(self.server, self.side, self.dialect);
        self.forget_place();
    }

    /// Gives out the tail as it is, without what stands for missing bytes.
    fn flush(&mut self, out: &mut dyn FnMut(Found<'_>)) {
        let tail = std::mem::take(&mut self.tail);
        let mut start = 0;
        for hole in std::mem::take(&mut self.holes) {
            self.give_out(tail.get(start..hole.start).unwrap_or_default(), out);
            start = hole.end;
        }
        self.give_out(tail.get(start..).unwrap_or_default(), out);
        self.forget_place();
    }

    /// The tail has another front.
    fn forget_place(&mut self) {
        (self.line, self.looked) = (0, 0);
        self.starts.clear();
    }

    fn give_out(&mut self, bytes: &[u8], out: &mut dyn FnMut(Found<'_>)) {
        let Some(last) = bytes.last() else { return };
        let fragment = std::mem::replace(&mut self.fragment, *last != b'\n');
        out(Found::Unreadable(bytes, self.seeking.unwrap_or(Why::NoCommand), fragment));
    }

    /// How much of the payload is missing of which the tail holds the beginning.
    fn payload_wanted(&self) -> Option<u64> {
        let end = memchr(b'\n', &self.tail)? + 1;
        let line = self.tail.get(..end - 1)?;
        let length = length_of(line)?;
        (end as u64 + u64::from(length)).checked_sub(self.tail.len() as u64)
    }

    /// Cuts frames off the front of `buf` as long as there are any, and returns how many bytes
    /// they have.
    fn cut(&mut self, buf: &[u8], out: &mut dyn FnMut(Found<'_>)) -> usize {
        let mut used = 0;
        loop {
            let rest = buf.get(used..).unwrap_or_default();
            if rest.is_empty() {
                return used;
            }
            match self.decoder.decode(rest) {
                Ok(Decoded::NeedMore) => return used,
                Ok(Decoded::Skipped { consumed }) => used += consumed,
                Ok(Decoded::Frame { frame, consumed }) => {
                    if !has_verb(frame.line()) {
                        self.fragment = false;
                        self.begin_seeking(Why::NoCommand);
                        let raw = rest.get(..consumed).unwrap_or_default();
                        self.give_out(raw, out);
                        return used + consumed;
                    }
                    match self.with_error_payload(rest, frame, consumed) {
                        Some((frame, consumed)) => {
                            let missing: usize = self.holes.drain(..).map(|hole| hole.len()).sum();
                            out(Found::Frame(frame, missing as u64));
                            used += consumed;
                        }
                        None => return used,
                    }
                }
                Ok(Decoded::Oversized { frame, announced, consumed }) => {
                    out(Found::Oversized(frame, announced));
                    self.begin_seeking(Why::Oversized);
                    self.fragment = false;
                    return used + consumed;
                }
                // The line is whole and says no length, so it is one without a payload: answers
                // of later dialects are such.
                Err(FrameError::BadLength) => {
                    let end = memchr(b'\n', rest).unwrap_or(rest.len());
                    let line = rest.get(..end).unwrap_or_default();
                    let line = line.strip_suffix(b"\r").unwrap_or(line);
                    self.decoder = decoder(self.server, self.side, self.dialect);
                    out(Found::Frame(Frame::new(line, None), 0));
                    used += (end + 1).min(rest.len());
                }
                Err(_) => {
                    self.begin_seeking(Why::Endless);
                    self.fragment = false;
                    return used;
                }
            }
        }
    }

    /// From MSNP13 on a refusal may have a payload: `241 7 20`. `None` if it is not all there.
    fn with_error_payload<'a>(
        &mut self,
        rest: &'a [u8],
        frame: Frame<'a>,
        consumed: usize,
    ) -> Option<(Frame<'a>, usize)> {
        let as_it_is = Some((frame, consumed));
        if self.dialect < Dialect::Later(13) || self.side == Side::Client {
            return as_it_is;
        }
        if ErrorReply::parse(frame).is_none() || frame.words().count() != 3 {
            return as_it_is;
        }
        let Some(length) = length_of(frame.line()) else { return as_it_is };
        let end = consumed.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        if end - consumed > Limits::new().payload {
            return as_it_is;
        }
        match rest.get(consumed..end) {
            Some(payload) => Some((Frame::new(frame.line(), Some(payload)), end)),
            None => {
                // The same line again, when more has come.
                self.decoder = decoder(self.server, self.side, self.dialect);
                None
            }
        }
    }

    /// Looks for a line that is a command, gives out what stands before it, and returns how many
    /// bytes that has.
    fn seek(&mut self, tail: &[u8], out: &mut dyn FnMut(Found<'_>)) -> usize {
        // Never a look past what may be held: so all chunks see the same.
        let window = tail.get(..SOUGHT).unwrap_or(tail);
        while let Some(len) = window.get(self.looked..).and_then(|rest| memchr(b'\n', rest)) {
            let end = self.looked + len;
            if let Some(start) = self.command_in(tail, self.line, end) {
                self.give_out(tail.get(..start).unwrap_or_default(), out);
                self.begin_seeking(Why::NoCommand);
                self.seeking = None;
                self.fragment = false;
                if start == 0 {
                    return self.cut(tail, out);
                }
                return start;
            }
            self.line = end + 1;
            self.looked = self.line;
        }
        self.looked = window.len();
        if window.len() < SOUGHT {
            return 0;
        }
        // Whole lines if there are any.
        let used = if self.line > 0 { self.line } else { SOUGHT };
        self.give_out(tail.get(..used).unwrap_or_default(), out);
        self.forget_place();
        used
    }

    /// Where in the line a command begins: at its front, or where a segment begins, or anywhere if
    /// it carries a payload: the payload before it has no line end of its own.
    fn command_in(&self, tail: &[u8], line: usize, end: usize) -> Option<usize> {
        let is_command = |start: &usize| {
            let text = tail.get(*start..end).unwrap_or_default();
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            self.is_command(text)
        };
        let starts = self.starts.iter().copied().filter(|start| (line..end).contains(start));
        let first = std::iter::once(line).chain(starts).find(is_command);
        first.or_else(|| {
            let payloads = payloads(self.server, self.side, self.dialect);
            let carries = |start: &usize| {
                tail.get(*start..end).and_then(|text| text.split_first_chunk()).is_some_and(
                    |(verb, behind)| behind.first() == Some(&b' ') && payloads(Verb::new(*verb)),
                )
            };
            (line + 1..end).filter(carries).find(is_command)
        })
    }

    /// Whether a line is surely a command: a verb that is known, with arguments that fit.
    fn is_command(&self, line: &[u8]) -> bool {
        if !has_verb(line) {
            return false;
        }
        let frame = Frame::new(line, None);
        let Some(verb) = frame.verb() else { return false };
        let with_payload = payloads(self.server, self.side, self.dialect)(verb);
        if with_payload && length_of(line).is_none() {
            return false;
        }
        let frame = if with_payload { Frame::new(line, Some(&[])) } else { frame };
        let is_later = || LATER.iter().any(|later| *later == verb.as_bytes());
        match Said::read(self.server, self.side, frame) {
            Said::Unknown => self.dialect != Dialect::Early && is_later(),
            Said::Misfit(_) => self.dialect > Dialect::Unknown,
            Said::Refusal(refusal) => refusal.code.name().is_some() && frame.words().count() <= 3,
            _ => true,
        }
    }
}

/// Whether a line begins with three capital letters or digits and a blank, or is that alone.
fn has_verb(line: &[u8]) -> bool {
    line.split_first_chunk::<3>().is_some_and(|(verb, behind)| {
        let letters = verb.iter().all(u8::is_ascii_uppercase);
        let digits = verb.iter().all(u8::is_ascii_digit);
        (letters || digits) && behind.first().is_none_or(|next| matches!(next, b' ' | b'\t'))
    })
}

/// The last word of a line as a number.
fn length_of(line: &[u8]) -> Option<u32> {
    let line = line.trim_ascii_end();
    let word = line.rsplit(|byte| matches!(byte, b' ' | b'\t')).next()?;
    let digits = std::str::from_utf8(word).ok()?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

fn decoder(server: Server, side: Side, dialect: Dialect) -> FrameDecoder {
    let limits = Limits::new();
    let decoder = match (server, side) {
        (Server::Switchboard, Side::Client) => FrameDecoder::switchboard_server(limits),
        (Server::Switchboard, Side::Server) => FrameDecoder::switchboard_client(limits),
        (_, Side::Client) => FrameDecoder::notification_server(limits),
        (_, Side::Server) => FrameDecoder::notification_client(limits),
    };
    decoder.with_payloads(payloads(server, side, dialect))
}

/// Which verbs carry a payload. Those of later dialects do unless an early one was agreed on.
fn payloads(server: Server, side: Side, dialect: Dialect) -> Payloads {
    match (server, side, dialect) {
        (Server::Switchboard, Side::Client, _) => sb::Request::has_payload,
        (Server::Switchboard, Side::Server, _) => sb::Reply::has_payload,
        (_, Side::Client, Dialect::Early) => ns::Request::has_payload,
        (_, Side::Server, Dialect::Early) => ns::Reply::has_payload,
        (_, Side::Client, _) => |verb| ns::Request::has_payload(verb) || is_later_payload(verb),
        (_, Side::Server, _) => |verb| ns::Reply::has_payload(verb) || is_later_payload(verb),
    }
}

#[cfg(test)]
mod tests;
