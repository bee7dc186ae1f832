//! Arguments of a line: reading them one by one, and writing them.

use alloc::vec::Vec;
use core::fmt;

use memchr::memchr2;

use super::frame::{Frame, Verb};
use super::grammar;
use crate::error::{CommandError, Expected};
use crate::types::{Address, Groups, Name, Words};

/// A value that stands in one place of a line, or in the rest of it.
pub(crate) trait Arg<'a>: Sized {
    /// Reads the value from the front of what is left.
    ///
    /// # Errors
    ///
    /// When it is not there, or is not one.
    fn read(args: &mut Args<'a>) -> Result<Self, Failed>;

    /// Writes the value with a blank before it, or nothing.
    fn write(&self, line: &mut LineWriter<'_, 'a>);

    /// The value without its type; `None` if it is missing.
    fn value(&self) -> Option<Value<'_>>;
}

/// What one field of a command says, without the field's type: for those who show commands and do
/// not act on them.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// A decimal number.
    Number(u32),
    /// One word as it stands on the line.
    Word(&'a [u8]),
    /// A display name.
    Name(Name<'a>),
    /// The address of a server.
    Address(Address<'a>),
    /// One or more words.
    Words(Words<'a>),
    /// One or more group numbers.
    Groups(Groups<'a>),
    /// The payload.
    Body(&'a [u8]),
}

/// Only what it is: it may be a cookie, or somebody's letter.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number(_) => "Number",
            Self::Word(_) => "Word",
            Self::Name(_) => "Name",
            Self::Address(_) => "Address",
            Self::Words(_) => "Words",
            Self::Groups(_) => "Groups",
            Self::Body(_) => "Body",
        })
    }
}

/// The arguments of one frame that have not been read yet. A CR or LF inside the line is an error
/// wherever it stands, so what was read can always be written again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Args<'a> {
    verb: Verb,
    rest: &'a [u8],
    payload: Option<&'a [u8]>,
    /// How many have been looked for.
    place: u32,
    /// What the one that failed should have been.
    expected: Expected,
    /// Whether the line ended before it.
    missing: bool,
}

/// An argument could not be read; [`Args::error`] says why. Nothing but a mark, so that the way of
/// an argument that can be read is short.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed;

impl<'a> Args<'a> {
    /// All arguments of a frame: what follows the verb, without the length of a payload. `None` if
    /// the line does not begin with a verb.
    #[inline]
    pub(crate) fn new(frame: Frame<'a>) -> Option<Self> {
        let (verb, rest) = grammar::split_verb(frame.line())?;
        let payload = frame.payload();
        let rest = if payload.is_some() { grammar::split_last_word(rest).0 } else { rest };
        let verb = Verb::new(verb);
        Some(Self { verb, rest, payload, place: 0, expected: Expected::Words, missing: false })
    }

    /// The command that they belong to.
    pub(crate) const fn verb(&self) -> Verb {
        self.verb
    }

    /// The next word. An error names `expected` if there is none.
    #[inline]
    pub(crate) fn word(&mut self, expected: Expected) -> Result<&'a [u8], Failed> {
        self.place = self.place.wrapping_add(1);
        let (word, rest) = grammar::split_word(grammar::skip_blanks(self.rest));
        if matches!(rest.first(), Some(b'\r' | b'\n')) {
            return Err(self.fail(Expected::Blank, false));
        }
        if word.is_empty() {
            return Err(self.fail(expected, true));
        }
        self.rest = rest;
        Ok(word)
    }

    /// The next word, turned into a value. An error names `expected` if there is none, or if
    /// `value` makes nothing of it.
    #[inline]
    pub(crate) fn value<T>(
        &mut self,
        expected: Expected,
        value: impl FnOnce(&'a [u8]) -> Option<T>,
    ) -> Result<T, Failed> {
        let word = self.word(expected)?;
        value(word).ok_or_else(|| self.fail(expected, false))
    }

    /// The next word, turned into a number in one go: numbers are the most frequent of all words.
    #[inline]
    pub(crate) fn number(&mut self, expected: Expected) -> Result<u32, Failed> {
        match grammar::split_number(grammar::skip_blanks(self.rest)) {
            Some((number, rest)) if rest.first().is_none_or(|next| grammar::is_blank(*next)) => {
                self.place = self.place.wrapping_add(1);
                self.rest = rest;
                Ok(number)
            }
            _ => self.value(expected, |_| None),
        }
    }

    /// All words that are left, with the blanks between them: at least one.
    pub(crate) fn words(&mut self, expected: Expected) -> Result<&'a [u8], Failed> {
        self.place = self.place.wrapping_add(1);
        let words = grammar::trim_blanks(core::mem::take(&mut self.rest));
        if words.is_empty() {
            return Err(self.fail(expected, true));
        }
        if memchr2(b'\r', b'\n', words).is_some() {
            return Err(self.fail(Expected::Blank, false));
        }
        Ok(words)
    }

    /// Whether another argument follows.
    #[inline]
    pub(crate) fn has_more(&mut self) -> bool {
        self.rest = grammar::skip_blanks(self.rest);
        !self.rest.is_empty()
    }

    /// Exactly this word.
    #[inline]
    pub(crate) fn literal(&mut self, literal: &'static str) -> Result<(), Failed> {
        self.value(Expected::Word(literal), |word| (word == literal.as_bytes()).then_some(()))
    }

    /// The payload, once.
    #[inline]
    pub(crate) fn payload(&mut self) -> Result<&'a [u8], Failed> {
        self.place = self.place.wrapping_add(1);
        self.payload.take().ok_or_else(|| self.fail(Expected::Payload, true))
    }

    /// What is left when all that has a meaning was read.
    #[inline]
    pub(crate) fn extra(&mut self) -> Result<Extra<'a>, Failed> {
        if self.has_more() { self.words(Expected::Words).map(Extra) } else { Ok(Extra(&[])) }
    }

    #[cold]
    fn fail(&mut self, expected: Expected, missing: bool) -> Failed {
        self.expected = expected;
        self.missing = missing;
        Failed
    }

    /// What went wrong.
    #[cold]
    pub(crate) fn error(&self, _: Failed) -> CommandError {
        let Self { verb, expected, missing, .. } = *self;
        let argument = u8::try_from(self.place).unwrap_or(u8::MAX);
        CommandError { verb, argument, expected, missing }
    }
}

/// Arguments behind the last one that has a meaning, without blanks at either end. They are kept as
/// they came and otherwise ignored.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Extra<'a>(&'a [u8]);

impl<'a> Extra<'a> {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The bytes as they were sent, with the blanks between them.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

/// Only the length: nobody knows what they are.
impl fmt::Debug for Extra<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extra({} bytes)", self.0.len())
    }
}

/// The payload of a frame: any bytes. Its length is the last word of the line and is not an
/// argument; [`Limits::payload`](crate::limits::Limits::payload) is the most that is read.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Body<'a>(pub &'a [u8]);

/// Only the length: what people write to each other is nobody else's business.
impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

impl<'a> Arg<'a> for Body<'a> {
    #[inline]
    fn read(args: &mut Args<'a>) -> Result<Self, Failed> {
        args.payload().map(Self)
    }

    fn write(&self, line: &mut LineWriter<'_, 'a>) {
        line.payload = Some(self.0);
    }

    fn value(&self) -> Option<Value<'_>> {
        Some(Value::Body(self.0))
    }
}

/// An argument that may be missing at the end of a line. No place of a line can be left empty, so
/// when one is missing those behind it are not written either: what is written is never read as
/// something else.
impl<'a, T: Arg<'a>> Arg<'a> for Option<T> {
    #[inline]
    fn read(args: &mut Args<'a>) -> Result<Self, Failed> {
        if args.has_more() { T::read(args).map(Some) } else { Ok(None) }
    }

    fn write(&self, line: &mut LineWriter<'_, 'a>) {
        match self {
            Some(value) if !line.cut_off => value.write(line),
            _ => line.cut_off = true,
        }
    }

    fn value(&self) -> Option<Value<'_>> {
        self.as_ref().and_then(T::value)
    }
}

/// Appends one frame to a buffer.
#[derive(Debug)]
pub(crate) struct LineWriter<'o, 'a> {
    out: &'o mut Vec<u8>,
    payload: Option<&'a [u8]>,
    /// An optional argument was missing.
    cut_off: bool,
}

impl<'o, 'a> LineWriter<'o, 'a> {
    /// Begins a line with its verb.
    pub(crate) fn new(out: &'o mut Vec<u8>, verb: Verb) -> Self {
        out.extend_from_slice(verb.as_bytes());
        Self { out, payload: None, cut_off: false }
    }

    /// The line with an argument more.
    pub(crate) fn with(mut self, argument: &impl Arg<'a>) -> Self {
        argument.write(&mut self);
        self
    }

    /// The line with a word more that always stands there.
    pub(crate) fn with_literal(mut self, word: &'static str) -> Self {
        self.word(word.as_bytes());
        self
    }

    /// Writes a word that is known to have no blank and no line end in it.
    pub(crate) fn word(&mut self, word: &[u8]) {
        self.begin_word().extend_from_slice(word);
    }

    /// Writes a blank; the word that follows it is up to the caller.
    pub(crate) fn begin_word(&mut self) -> &mut Vec<u8> {
        self.out.push(b' ');
        self.out
    }

    /// Writes a decimal number.
    pub(crate) fn number(&mut self, value: u32) {
        write_decimal(value, self.begin_word());
    }

    /// Ends the line, and appends the payload if there is one.
    pub(crate) fn end(mut self) {
        if let Some(payload) = self.payload {
            write_decimal(payload.len() as u64, self.begin_word());
        }
        self.out.extend_from_slice(b"\r\n");
        self.out.extend_from_slice(self.payload.unwrap_or_default());
    }
}

/// Appends a decimal number without leading zeros.
pub(crate) fn write_decimal(value: impl Into<u64>, out: &mut Vec<u8>) {
    let mut value = value.into();
    let mut digits = [b'0'; 20];
    let mut unused = digits.len();
    for slot in digits.iter_mut().rev() {
        *slot = b'0'.wrapping_add((value % 10) as u8);
        value /= 10;
        unused = unused.saturating_sub(1);
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(unused..).unwrap_or_default());
}
