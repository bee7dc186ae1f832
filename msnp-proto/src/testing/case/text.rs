//! The escapes of a case file.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

use super::{CaseError, Place, Said};
use crate::transcript::{Side, Transcript};

/// Most bytes that one line of a file stands for.
const MOST: usize = 4 << 20;

/// The bytes of one line at a place, and whether it said how many follow.
pub(super) fn bytes(
    said: &Said,
    place: Place,
    value: &str,
    follows: usize,
) -> Result<(Vec<u8>, bool), CaseError> {
    let at = |what: String| CaseError { line: said.line, what };
    let text = expand(&said.text, place, value, Some(follows)).map_err(|error| at(error.what))?;
    let line = if text.is_empty() { String::from("S:") } else { alloc::format!("S: {text}") };
    let transcript = Transcript::parse(&line).map_err(|error| at(error.to_string()))?;
    Ok((transcript.bytes(None, Side::Server), said.text.contains(r"\#")))
}

/// A text with repetitions, values and lengths filled in; other escapes stay as they are.
pub(super) fn expand(
    text: &str,
    place: Place,
    value: &str,
    follows: Option<usize>,
) -> Result<String, CaseError> {
    let bad = |what: &str| CaseError { line: 0, what: alloc::format!("{what} in {text:?}") };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('\\') {
        out.push_str(before);
        let mut chars = behind.chars();
        let next = chars.next();
        rest = chars.as_str();
        match (next, follows) {
            (Some('?'), _) => out.push_str(&expand(value, place, "", None)?),
            (Some('#'), Some(follows)) => out.push_str(&follows.to_string()),
            (Some('*'), _) => {
                let (count, behind) = rest.split_once('{').ok_or_else(|| bad("no {"))?;
                let (what, behind) = behind.split_once('}').ok_or_else(|| bad("no }"))?;
                let count = number(count, place).ok_or_else(|| bad("no number"))?;
                let what = expand(what, place, value, None)?;
                if count.saturating_mul(what.len()) > MOST {
                    return Err(bad("too many"));
                }
                out.push_str(&what.repeat(count));
                rest = behind;
            }
            (Some(other), _) => {
                out.push('\\');
                out.push(other);
            }
            (None, _) => out.push('\\'),
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// `[ "line" / "payload" / "message" ] [ "+" / "-" ] [ number ]`
fn number(text: &str, place: Place) -> Option<usize> {
    let limits = place.limits();
    let named = [
        ("line", limits.line),
        ("payload", limits.payload),
        ("message", crate::limits::SWITCHBOARD_PAYLOAD),
    ];
    let Some((rest, limit)) =
        named.iter().find_map(|(name, limit)| Some((text.strip_prefix(name)?, *limit)))
    else {
        return text.parse().ok();
    };
    match rest.split_at_checked(1) {
        None => Some(limit),
        Some(("+", more)) => limit.checked_add(more.parse().ok()?),
        Some(("-", less)) => limit.checked_sub(less.parse().ok()?),
        Some(_) => None,
    }
}

/// A text as a file has it: printable ASCII, everything else escaped.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str(r"\\"),
            ' '..='~' => out.push(c),
            c => {
                // A string takes everything.
                let _ = write!(out, "{}", c.escape_default());
            }
        }
    }
    out
}

/// A line of a file with what is often repeated in it written as repetitions.
#[must_use]
pub fn compact(line: &str) -> String {
    const LEAST: usize = 24;
    let mut out = String::new();
    let mut rest = line;
    while !rest.is_empty() {
        let repeated = (1..=4).find_map(|atoms| {
            let unit = first_atoms(rest, atoms)?;
            let times = rest.as_bytes().chunks_exact(unit.len());
            let times = times.take_while(|chunk| *chunk == unit.as_bytes()).count();
            let fits = times > 1 && times.saturating_mul(unit.len()) >= LEAST;
            (fits && !unit.contains(['{', '}'])).then_some((unit, times))
        });
        let used = match repeated {
            Some((unit, times)) => {
                let _ = write!(out, "\\*{times}{{{unit}}}");
                unit.len().saturating_mul(times)
            }
            None => {
                let atom = first_atoms(rest, 1).unwrap_or(rest);
                out.push_str(atom);
                atom.len()
            }
        };
        rest = rest.get(used..).unwrap_or_default();
    }
    out
}

/// So many characters or escapes at the front of a line.
fn first_atoms(line: &str, count: usize) -> Option<&str> {
    let mut rest = line;
    for _ in 0..count {
        let size = match rest.as_bytes() {
            [] => return None,
            [b'\\', b'x', ..] => 4,
            [b'\\', ..] => 2,
            _ => rest.chars().next()?.len_utf8(),
        };
        rest = rest.get(size..)?;
    }
    line.get(..line.len().saturating_sub(rest.len()))
}
