//! Every number of arguments of a command.

use alloc::string::String;
use alloc::vec::Vec;

use super::Variant;

/// How many words too many are tried.
const EXTRA: [usize; 2] = [1, 100];

/// A command with none of its words but the first, with one, and so on up to all; then with too
/// many, with doubled blanks, and with a blank at the end. `lines` are the command and its payload,
/// if it has one: the length at the end of the command stays where it is.
#[must_use]
pub fn variants(title: &str, lines: &[Vec<u8>]) -> Vec<Variant> {
    let Some((command, payload)) = lines.split_first() else { return Vec::new() };
    let words: Vec<&[u8]> = command.trim_ascii_end().split(|byte| *byte == b' ').collect();
    let (words, length) = match words.split_last() {
        Some((length, words)) if !payload.is_empty() => (words, Some(*length)),
        _ => (&*words, None),
    };
    let payload = payload.concat();
    let make = |what: &str, words: &[&[u8]], blanks: &[u8], end: &[u8]| {
        let all: Vec<&[u8]> = words.iter().copied().chain(length).collect();
        let verb = words.first().copied().unwrap_or_default();
        Variant {
            name: alloc::format!("{title}: {} with {what}", verb.escape_ascii()),
            bytes: [&all.join(blanks), end, b"\r\n", &payload].concat(),
            value: String::new(),
        }
    };
    let mut variants = Vec::new();
    for count in 1..words.len() {
        let what = alloc::format!("{} of {} arguments", count - 1, words.len() - 1);
        variants.push(make(&what, words.get(..count).unwrap_or_default(), b" ", b""));
    }
    variants.push(make(ALL, words, b" ", b""));
    for extra in EXTRA {
        let more = core::iter::repeat_n(&b"more"[..], extra);
        let words: Vec<&[u8]> = words.iter().copied().chain(more).collect();
        variants.push(make(&alloc::format!("{extra} too many"), &words, b" ", b""));
    }
    variants.push(make(DOUBLED, words, b"  ", b""));
    variants.push(make(TRAILING, words, b" ", b" "));
    variants
}

/// The name of the whole command.
pub const ALL: &str = "all its arguments";
/// The name of the one with two blanks in the place of each.
pub const DOUBLED: &str = "doubled blanks";
/// The name of the one with a blank at its end.
pub const TRAILING: &str = "a blank at the end";
