//! Known holes as files: each is a test, a fuzz seed and its own documentation.
//!
//! This module knows what such a file says. It tries nothing: that is for the test `cases`, which
//! prints a table of what came of each.
//!
//! ```text
//! # What went wrong elsewhere, and what is done here.
//! = id: F04
//! = source: no CVE, Pidgin 2008-11
//! = class: argument read past the end of the list
//!
//! = input: too few words
//! = each: NLN | NLN NLN
//! S: \?
//! @ report client-online
//! > warning: NLN: argument 1 should be a status of three letters and is missing
//! ```
//!
//! A file is a head and any number of inputs; another `= id` begins another case. Lines are those of a [`Transcript`], and besides:
//!
//! | line | what it says |
//! |---|---|
//! | `= input: title` | a new input begins; its other headers, then the bytes, then what came of them |
//! | `= each: a \| b` | the input once with each of these in the place of `\?` |
//! | `= prefixes: text` | the same with every beginning of the text, from none of it to all |
//! | `= expand: arguments` | the input once with each number of arguments, see [`arguments`] |
//! | `*: text` | said by the peer, to a client as `S:` and to a server as `C:` |
//! | `@ verdict place …` | what follows is what came of it at these [`Place`]s |
//! | `> text` | an event |
//! | `= code: name` | no input: the test does something of this name |
//! | `= test: file name` | no input: it is the test `name` in this file of the repository |
//! | `= not-yet: reason` | no input: why the case cannot come up here |
//!
//! Bytes that a peer says are written as in a transcript, with three escapes more: `\*9{ab}` is `ab`
//! nine times, where the number may be `line`, `payload` or `message`, which are the limits of the
//! place, with something added or taken off; `\#` is how many bytes follow up to the next blank
//! line; `\?` is what `each` says.

pub mod arguments;
mod parse;
mod place;
mod text;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

pub use place::Place;
pub use text::{compact, quote};

use crate::transcript::Side;

#[cfg(doc)]
use crate::transcript::Transcript;

/// One known hole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its name on the list: a letter and two digits.
    pub id: String,
    /// Where it happened: a CVE, or a program and a date.
    pub source: String,
    /// What kind of hole it is.
    pub class: String,
    /// How it is tried.
    pub trial: Trial,
}

/// How a case is tried. A file may have inputs and name tests too.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Trial {
    /// Bytes for a peer to say.
    pub inputs: Vec<Input>,
    /// Things that the test `cases` does.
    pub code: Vec<String>,
    /// Tests elsewhere.
    pub tests: Vec<TestName>,
    /// Why it cannot come up.
    pub not_yet: Option<String>,
}

/// A test of this repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestName {
    /// Its file, from the root of the repository.
    pub file: String,
    /// Its function.
    pub name: String,
}

/// Bytes for a peer to say, and what came of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its line in the file.
    pub line: usize,
    /// What it is.
    pub title: String,
    each: Vec<String>,
    /// Whether it is to be tried with each number of arguments.
    pub expands: bool,
    /// Blocks of entries, as in the file.
    blocks: Vec<Vec<Said>>,
    /// What came of it, where.
    pub outcomes: Vec<Outcome>,
}

/// What a peer says: text with escapes in it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    line: usize,
    /// None: either side.
    side: Option<Side>,
    text: String,
}

/// What came of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// In one word.
    pub verdict: Verdict,
    /// Where.
    pub places: Vec<Place>,
    /// Events and what was said, each as a line of the file.
    lines: Vec<String>,
}

/// What is done about an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing is wrong with it.
    Fine,
    /// It is reported; the stream goes on.
    Report,
    /// Its payload is passed over as it arrives, and reported once.
    Skip,
    /// It is carried whole and not read.
    Opaque,
    /// It is passed over without a word, as the protocol wants it.
    Ignore,
    /// It ends the connection; then there is silence.
    Close,
    /// It is not whole: more is waited for.
    Unfinished,
    /// Whatever the table of verbs says about it: fine, reported, or the end.
    Table,
}

impl Verdict {
    const ALL: [(&'static str, Self); 8] = [
        ("fine", Self::Fine),
        ("report", Self::Report),
        ("skip", Self::Skip),
        ("opaque", Self::Opaque),
        ("ignore", Self::Ignore),
        ("close", Self::Close),
        ("unfinished", Self::Unfinished),
        ("table", Self::Table),
    ];

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == word).map(|(_, verdict)| *verdict)
    }
}

/// The word in a file.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Self::ALL.iter().find(|(_, verdict)| verdict == self);
        f.write_str(word.map_or("", |(word, _)| word))
    }
}

/// One input with everything filled in, for one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// The title of its input and what was filled in.
    pub name: String,
    /// What the peer says.
    pub bytes: Vec<u8>,
    /// What stood in the place of `\?`.
    value: String,
}

impl Case {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When it is none; with the line and what is wrong with it.
    pub fn all(text: &str) -> Result<Vec<Self>, CaseError> {
        parse::cases(text)
    }
}

impl Input {
    /// All places at which something is known to come of it.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        self.outcomes.iter().flat_map(|outcome| outcome.places.iter().copied())
    }

    /// What comes of it at a place.
    #[must_use]
    pub fn outcome(&self, place: Place) -> Option<&Outcome> {
        self.outcomes.iter().find(|outcome| outcome.places.contains(&place))
    }

    /// What a peer says at a place: one stream, or several.
    ///
    /// # Errors
    ///
    /// When an escape cannot be read.
    pub fn variants(&self, place: Place) -> Result<Vec<Variant>, CaseError> {
        let none = [String::new()];
        let values = if self.each.is_empty() { &none[..] } else { &self.each };
        let mut variants = Vec::new();
        for value in values {
            let blocks = self.blocks(place, value)?;
            if self.expands {
                for block in blocks {
                    variants.extend(arguments::variants(&self.title, &block));
                }
                continue;
            }
            let name = match value.as_str() {
                "" => self.title.clone(),
                value => alloc::format!("{}: {value}", self.title),
            };
            variants.push(Variant { name, bytes: blocks.concat().concat(), value: value.clone() });
        }
        Ok(variants)
    }

    /// The lines of each block at a place, as bytes.
    fn blocks(&self, place: Place, value: &str) -> Result<Vec<Vec<Vec<u8>>>, CaseError> {
        let peer = place.peer();
        let of_peer = |said: &&Said| said.side.is_none_or(|side| side == peer);
        let mut blocks = Vec::new();
        for block in &self.blocks {
            // From the last line, since a length is that of what follows.
            let (mut lines, mut follows) = (Vec::new(), 0_usize);
            for said in block.iter().filter(of_peer).rev() {
                let (bytes, counts) = text::bytes(said, place, value, follows)?;
                follows = if counts { 0 } else { follows.saturating_add(bytes.len()) };
                lines.push(bytes);
            }
            lines.reverse();
            blocks.push(lines);
        }
        Ok(blocks)
    }
}

impl Outcome {
    /// The lines that say what came of a variant at a place.
    ///
    /// # Errors
    ///
    /// When an escape cannot be read.
    pub fn lines(&self, place: Place, variant: &Variant) -> Result<Vec<String>, CaseError> {
        let expand = |line: &String| text::expand(line, place, &variant.value, None);
        self.lines.iter().map(expand).collect()
    }
}

/// A file that is no case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseError {
    /// The line, from 1; 0 if it is not known.
    pub line: usize,
    /// What is wrong, for people.
    pub what: String,
}

impl fmt::Display for CaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl core::error::Error for CaseError {}
