//! Arguments of a line: reading them one by one, and writing them.

use alloc::vec::Vec;

use super::frame::{Frame, Verb};
use super::grammar;
use crate::error::{CommandError, Expected};

/// A value that stands in one place of a line, or in the rest of it.
pub trait Arg<'a>: Sized {
    /// Reads the value from the front of what is left.
    ///
    /// # Errors
    ///
    /// When it is not there, or is not one.
    fn read(args: &mut Args<'a>) -> Result<Self, CommandError>;

    /// Writes the value with a blank before it, or nothing.
    fn write(&self, line: &mut LineWriter<'_, 'a>);
}

/// The arguments of one frame that have not been read yet.
#[derive(Clone, Copy, Debug)]
pub struct Args<'a> {
    verb: Verb,
    rest: &'a [u8],
    payload: Option<&'a [u8]>,
    /// How many have been read.
    place: u8,
}

impl<'a> Args<'a> {
    /// All arguments of a frame: what follows the verb, without the length of a payload.
    #[must_use]
    pub fn new(verb: Verb, frame: Frame<'a>) -> Self {
        let (_, rest) = grammar::split_word(frame.line());
        let rest = match frame.payload() {
            Some(_) => grammar::split_last_word(rest).0,
            None => rest,
        };
        Self { verb, rest, payload: frame.payload(), place: 0 }
    }

    /// The next word.
    ///
    /// # Errors
    ///
    /// `expected` is named when there is none.
    #[inline]
    pub fn word(&mut self, expected: Expected) -> Result<&'a [u8], CommandError> {
        self.place = self.place.saturating_add(1);
        let after_blanks = grammar::blanks(self.rest).map_or(self.rest, |(rest, _)| rest);
        let (word, rest) = grammar::split_word(after_blanks);
        if word.is_empty() {
            return Err(self.error(expected, after_blanks.is_empty()));
        }
        if !matches!(rest.first(), None | Some(b' ' | b'\t')) {
            return Err(self.error(Expected::Blank, false));
        }
        self.rest = rest;
        Ok(word)
    }

    /// The next word, turned into a value.
    ///
    /// # Errors
    ///
    /// `expected` is named when there is none, or when `value` gives none.
    #[inline]
    pub fn value<T>(
        &mut self,
        expected: Expected,
        value: impl FnOnce(&'a [u8]) -> Option<T>,
    ) -> Result<T, CommandError> {
        let word = self.word(expected)?;
        value(word).ok_or_else(|| self.error(expected, false))
    }

    /// All words that are left: at least one.
    ///
    /// # Errors
    ///
    /// `expected` is named when there is none.
    pub fn words(&mut self, expected: Expected) -> Result<&'a [u8], CommandError> {
        let all = self.rest;
        while self.has_more() {
            self.word(expected)?;
        }
        let read = all.len().saturating_sub(self.rest.len());
        let words = all.get(..read).unwrap_or_default().trim_ascii();
        if words.is_empty() { Err(self.word_missing(expected)) } else { Ok(words) }
    }

    fn word_missing(&mut self, expected: Expected) -> CommandError {
        self.place = self.place.saturating_add(1);
        self.error(expected, true)
    }

    /// Whether another argument follows.
    #[must_use]
    pub fn has_more(&self) -> bool {
        grammar::blanks(self.rest).is_ok_and(|(rest, _)| !rest.is_empty())
    }

    /// Exactly this word.
    pub(crate) fn literal(&mut self, literal: &'static str) -> Result<(), CommandError> {
        self.value(Expected::Word(literal), |word| (word == literal.as_bytes()).then_some(()))
    }

    /// All that is left, without blanks at either end.
    pub(crate) fn remaining(&mut self) -> &'a [u8] {
        let rest = core::mem::take(&mut self.rest);
        rest.trim_ascii()
    }

    pub(crate) fn payload(&mut self) -> Result<&'a [u8], CommandError> {
        self.place = self.place.saturating_add(1);
        self.payload.take().ok_or_else(|| self.error(Expected::Payload, true))
    }

    fn error(&self, expected: Expected, missing: bool) -> CommandError {
        CommandError { verb: self.verb, argument: self.place, expected, missing }
    }
}

/// Arguments behind the last one that has a meaning. They are kept as they came and ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Extra<'a>(pub &'a [u8]);

impl Extra<'_> {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The payload of a frame. Its length is the last word of the line and is not an argument.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Body<'a>(pub &'a [u8]);

impl core::fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

impl<'a> Arg<'a> for Body<'a> {
    fn read(args: &mut Args<'a>) -> Result<Self, CommandError> {
        args.payload().map(Self)
    }

    fn write(&self, line: &mut LineWriter<'_, 'a>) {
        line.payload = Some(self.0);
    }
}

impl<'a, T: Arg<'a>> Arg<'a> for Option<T> {
    fn read(args: &mut Args<'a>) -> Result<Self, CommandError> {
        if args.has_more() { T::read(args).map(Some) } else { Ok(None) }
    }

    fn write(&self, line: &mut LineWriter<'_, 'a>) {
        if let Some(value) = self {
            value.write(line);
        }
    }
}

/// Appends one frame to a buffer.
#[derive(Debug)]
pub struct LineWriter<'o, 'a> {
    out: &'o mut Vec<u8>,
    payload: Option<&'a [u8]>,
}

impl<'o, 'a> LineWriter<'o, 'a> {
    /// Begins a line with its verb.
    pub fn new(out: &'o mut Vec<u8>, verb: Verb) -> Self {
        out.extend_from_slice(verb.as_bytes());
        Self { out, payload: None }
    }

    /// Writes a word that is known to have no blank in it.
    pub fn word(&mut self, word: &[u8]) {
        self.out.push(b' ');
        self.out.extend_from_slice(word);
    }

    /// Writes a blank; the word that follows it is up to the caller.
    pub(crate) fn begin_word(&mut self) -> &mut Vec<u8> {
        self.out.push(b' ');
        self.out
    }

    /// Writes a decimal number.
    pub fn number(&mut self, value: u32) {
        self.out.push(b' ');
        write_decimal(value, self.out);
    }

    /// Ends the line, and appends the payload if there is one.
    pub fn end(self) {
        if let Some(payload) = self.payload {
            self.out.push(b' ');
            write_decimal(u32::try_from(payload.len()).unwrap_or(u32::MAX), self.out);
        }
        self.out.extend_from_slice(b"\r\n");
        if let Some(payload) = self.payload {
            self.out.extend_from_slice(payload);
        }
    }
}

pub(crate) fn write_decimal(mut value: u32, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 10];
    let mut used = 0;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + (value % 10) as u8;
        value /= 10;
        used += 1;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - used..).unwrap_or_default());
}
