//! Opaque words, runs of words, and dialects.

use core::fmt;

use crate::error::Expected;
use crate::wire::{Arg, Args, Failed, LineWriter, Value, grammar};

/// One opaque word: a challenge, cookie, session id, version, URL. One or more bytes of any kind but
/// SP, HT, CR and LF, not percent-encoded, kept as sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token<'a>(&'a [u8]);

impl<'a> Token<'a> {
    /// A word of one or more bytes without blanks and line ends.
    #[must_use]
    pub fn new(word: &'a [u8]) -> Option<Self> {
        let fits = !word.is_empty()
            && !word.iter().any(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
        fits.then_some(Self(word))
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The bytes as text, with replacement characters where they are none.
    #[must_use]
    pub fn to_text(self) -> alloc::borrow::Cow<'a, str> {
        alloc::string::String::from_utf8_lossy(self.0)
    }
}

impl<'a> Arg<'a> for Token<'a> {
    fn read(args: &mut Args<'a>) -> Result<Self, Failed> {
        args.word(Expected::Token).map(Self)
    }

    fn write(&self, line: &mut LineWriter<'_, 'a>) {
        line.word(self.0);
    }

    fn value(&self) -> Option<Value<'_>> {
        Some(Value::Word(self.0))
    }
}

/// Only the length: a token may be a ticket or a cookie.
impl fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({} bytes)", self.0.len())
    }
}

/// The rest of a line: one or more words separated by blanks. Kept as sent, written with single
/// blanks.
#[derive(Clone, Copy)]
pub struct Words<'a>(&'a [u8]);

impl<'a> Words<'a> {
    /// Words that are separated by blanks.
    #[must_use]
    pub fn new(words: &'a [u8]) -> Option<Self> {
        let words = grammar::trim_blanks(words);
        let fits = !words.is_empty() && !words.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
        fits.then_some(Self(words))
    }

    /// The words one by one.
    pub fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        self.0.split(|byte| grammar::is_blank(*byte)).filter(|word| !word.is_empty())
    }
}

/// Equal if they are the same words, whatever blanks are between them.
impl PartialEq for Words<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Words<'_> {}

impl<'a> Arg<'a> for Words<'a> {
    fn read(args: &mut Args<'a>) -> Result<Self, Failed> {
        args.words(Expected::Words).map(Self)
    }

    fn write(&self, line: &mut LineWriter<'_, 'a>) {
        for word in self.iter() {
            line.word(word);
        }
    }

    fn value(&self) -> Option<Value<'_>> {
        Some(Value::Words(*self))
    }
}

impl fmt::Debug for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Words({})", self.0.escape_ascii())
    }
}

/// The security packages that a server offers: separated by blanks or commas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packages<'a>(pub Words<'a>);

impl Packages<'_> {
    /// Whether MD5 sign-in is offered.
    #[must_use]
    pub fn has_md5(self) -> bool {
        self.0.iter().any(|word| word.split(|byte| *byte == b',').any(|name| name == b"MD5"))
    }
}

impl<'a> Arg<'a> for Packages<'a> {
    fn read(args: &mut Args<'a>) -> Result<Self, Failed> {
        Words::read(args).map(Self)
    }

    fn write(&self, line: &mut LineWriter<'_, 'a>) {
        self.0.write(line);
    }

    fn value(&self) -> Option<Value<'_>> {
        Some(Value::Words(self.0))
    }
}

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Dialect {
    /// The base protocol of 1999.
    Msnp2 = 2,
    /// Passport fields, formatted text, mail notices of their own types.
    Msnp3 = 3,
    /// A codebase in CVR and SND.
    Msnp4 = 4,
    /// Phone numbers, pages, alerts.
    Msnp5 = 5,
    /// Challenges.
    Msnp6 = 6,
    /// Groups.
    Msnp7 = 7,
}

impl Dialect {
    /// All of them, oldest first.
    pub const ALL: [Self; 6] =
        [Self::Msnp2, Self::Msnp3, Self::Msnp4, Self::Msnp5, Self::Msnp6, Self::Msnp7];

    /// The word for it in VER.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Msnp2 => "MSNP2",
            Self::Msnp3 => "MSNP3",
            Self::Msnp4 => "MSNP4",
            Self::Msnp5 => "MSNP5",
            Self::Msnp6 => "MSNP6",
            Self::Msnp7 => "MSNP7",
        }
    }

    /// From the word in VER, in any case of letters.
    #[must_use]
    pub fn from_word(word: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.as_str().as_bytes().eq_ignore_ascii_case(word))
    }

    /// The number in its name.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
