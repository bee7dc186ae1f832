//! Values of everything that stands on a line, made from bytes: one generator for property tests
//! and for fuzzing. The tables of commands put them together, so a new command has its values as
//! soon as it has its row.
//!
//! The values are those that a line can say, in their canonical form: what is written is read as
//! the same, and written again as the same bytes.

use super::{Decide, Source};
use crate::types::{
    Account, Address, Delivery, GroupId, Groups, Key, List, ListVersion, Name, Number, OnOff,
    Packages, Privacy, Prompt, Status, StatusCode, Token, TrId, Words,
};
use crate::wire::{Body, grammar};

/// A value that can be made from a source.
pub(crate) trait Any<'a>: Sized {
    fn any(source: &mut Source<'a>) -> Self;
}

impl Source<'_> {
    /// Begins another command: none of its optional arguments is missing yet.
    pub(crate) fn begin_command(&mut self) {
        self.cut_off = false;
    }
}

/// No place of a line can be left empty: behind a missing argument all are missing.
impl<'a, T: Any<'a>> Any<'a> for Option<T> {
    fn any(source: &mut Source<'a>) -> Self {
        source.cut_off |= source.below(3) == 0;
        (!source.cut_off).then(|| T::any(source))
    }
}

macro_rules! numbers {
    ($($Number:ident)*) => { $(
        impl<'a> Any<'a> for $Number {
            fn any(source: &mut Source<'a>) -> Self {
                Self(source.number())
            }
        }
    )* };
}

numbers! { TrId ListVersion GroupId Number }

macro_rules! words {
    ($($Word:ident)*) => { $(
        impl<'a> Any<'a> for $Word {
            fn any(source: &mut Source<'a>) -> Self {
                source.pick($Word::ALL)
            }
        }
    )* };
}

words! { List Privacy Prompt Status Delivery OnOff }

/// The front of what the source gives that has no byte of `not` in it.
fn run<'a>(source: &mut Source<'a>, not: &[u8]) -> &'a [u8] {
    let slice = source.slice();
    let end = slice.iter().position(|byte| not.contains(byte)).unwrap_or(slice.len());
    slice.get(..end).unwrap_or_default()
}

impl<'a> Any<'a> for Token<'a> {
    fn any(source: &mut Source<'a>) -> Self {
        let known = [&b"0"[..], b"1", b"SB", b"MSMSGS", b"17262740.1700000000.32308"];
        let token = Token::new(run(source, b" \t\r\n"));
        token.or_else(|| Token::new(source.pick(&known))).expect("the known ones are words")
    }
}

/// Always with an `@`: without one, places that look for it would see another command.
impl<'a> Any<'a> for Account<'a> {
    fn any(source: &mut Source<'a>) -> Self {
        let known = [&b"alice@example.net"[..], b"bob@example.net", b"Carol@Example.Net", b"@"];
        let word = run(source, b" \t\r\n");
        let word = if word.contains(&b'@') { word } else { source.pick(&known) };
        Account::new(word).expect("it is a word")
    }
}

impl<'a> Any<'a> for Name<'a> {
    fn any(source: &mut Source<'a>) -> Self {
        let slice = source.slice();
        let text = core::str::from_utf8(slice).unwrap_or_else(|error| {
            let valid = slice.get(..error.valid_up_to()).unwrap_or_default();
            core::str::from_utf8(valid).unwrap_or_default()
        });
        let known = ["Alice A", "100%", "%20", "\u{e9}t\u{e9} \u{1F600}", "0"];
        let name = Name::from_text(text);
        name.or_else(|| Name::from_text(source.pick(&known))).expect("the known ones are not empty")
    }
}

/// With single blanks, as they are written.
impl<'a> Any<'a> for Words<'a> {
    fn any(source: &mut Source<'a>) -> Self {
        let slice = grammar::trim_blanks(run(source, b"\t\r\n"));
        let end = slice.windows(2).position(|pair| pair == b"  ").unwrap_or(slice.len());
        let known = [&b"MSNP7 MSNP6 MSNP5 MSNP4 CVR0"[..], b"0", b"MD5", b"fname=Ann lname=*"];
        let words = slice.get(..end).and_then(Words::new);
        words.or_else(|| Words::new(source.pick(&known))).expect("the known ones are words")
    }
}

impl<'a> Any<'a> for Packages<'a> {
    fn any(source: &mut Source<'a>) -> Self {
        Self(Words::any(source))
    }
}

impl<'a> Any<'a> for Groups<'a> {
    fn any(source: &mut Source<'a>) -> Self {
        const IDS: &[GroupId] =
            &[GroupId(0), GroupId(1), GroupId(29), GroupId(30), GroupId(7), GroupId(u32::MAX)];
        let front = source.below(IDS.len());
        let size = source.below(IDS.len() - front) + 1;
        Groups::new(IDS.get(front..front + size).unwrap_or_default())
    }
}

/// Not `0`, which in the place of an address means to begin again.
impl<'a> Any<'a> for Address<'a> {
    fn any(source: &mut Source<'a>) -> Self {
        let known = ["192.0.2.1:1863", "192.0.2.1", "[2001:db8::1]:1", "a.example", "[::]"];
        let text = core::str::from_utf8(run(source, b" \t\r\n")).unwrap_or_default();
        let address = Address::parse(text).filter(|_| text != "0");
        address.or_else(|| Address::parse(source.pick(&known))).expect("the known ones are some")
    }
}

impl<'a> Any<'a> for StatusCode<'a> {
    fn any(source: &mut Source<'a>) -> Self {
        if source.below(4) > 0 {
            return Self::Known(Status::any(source));
        }
        let token = Token::any(source);
        Status::from_word(token.as_bytes()).map_or(Self::Other(token), Self::Known)
    }
}

impl<'a> Any<'a> for Key {
    fn any(source: &mut Source<'a>) -> Self {
        let known = [&b"PHH"[..], b"PHW", b"PHM", b"MOB", b"MBE", b"WWE", b"phh"];
        let key = Key::from_word(source.take(3));
        key.or_else(|| Key::from_word(source.pick(&known))).expect("the known ones are keys")
    }
}

impl<'a> Any<'a> for Body<'a> {
    fn any(source: &mut Source<'a>) -> Self {
        Body(source.slice())
    }
}
