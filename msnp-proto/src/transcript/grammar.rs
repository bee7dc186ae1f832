//! The grammar of transcripts, with nom in complete mode, one line at a time. The rules are in the
//! documentation of the module above.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while_m_n, take_while1};
use nom::character::complete::{anychar, char, one_of, satisfy};
use nom::combinator::{all_consuming, map, map_opt, opt, recognize, rest, value, verify};
use nom::error::ErrorKind;
use nom::multi::{fold_many0, many0_count};
use nom::sequence::{pair, preceded, separated_pair, terminated};
use nom::{IResult, Parser};

use super::{Entry, Expected, Line, ParseError, Piece, Side};
use crate::time::Instant;

type P<'a, T> = IResult<&'a str, T, Fault<'a>>;

/// Where a rule stopped, and what it wanted there.
#[derive(Clone, Copy, Debug)]
struct Fault<'a> {
    rest: &'a str,
    expected: Expected,
}

impl<'a> nom::error::ParseError<&'a str> for Fault<'a> {
    fn from_error_kind(rest: &'a str, _: ErrorKind) -> Self {
        Self { rest, expected: Expected::Side }
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// Runs a rule; where it fails, `expected` was expected, and no other rule is tried.
fn expect<'a, T>(
    expected: Expected,
    mut rule: impl Parser<&'a str, Output = T, Error = Fault<'a>>,
) -> impl FnMut(&'a str) -> P<'a, T> {
    move |input| {
        rule.parse_complete(input).map_err(|error| match error {
            nom::Err::Failure(fault) => nom::Err::Failure(fault),
            nom::Err::Error(Fault { rest, .. }) => nom::Err::Failure(Fault { rest, expected }),
            nom::Err::Incomplete(_) => nom::Err::Failure(Fault { rest: input, expected }),
        })
    }
}

pub(super) fn transcript(text: &str) -> Result<Vec<Line>, ParseError> {
    let mut order = Order::default();
    let mut lines = Vec::new();
    for (text, number) in text.lines().zip(1..) {
        let at = |column, expected| ParseError { line: number, column, expected };
        let line = match all_consuming(line).parse_complete(text) {
            Ok((_, line)) => line,
            Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => {
                let read = text.len().saturating_sub(fault.rest.len());
                let column = text.get(..read).unwrap_or(text).chars().count().saturating_add(1);
                return Err(at(column, fault.expected));
            }
            Err(nom::Err::Incomplete(_)) => return Err(at(1, Expected::Side)),
        };
        order.admit(&line).map_err(|expected| at(1, expected))?;
        lines.push(line);
    }
    Ok(lines)
}

/// What the lines so far say about those to come.
#[derive(Default)]
struct Order {
    named: Option<bool>,
    closed: Vec<(Option<String>, Side)>,
}

impl Order {
    fn admit(&mut self, line: &Line) -> Result<(), Expected> {
        let entry = match line {
            Line::Entry(entry) => entry,
            Line::Header { .. } if self.named.is_some() => return Err(Expected::HeaderFirst),
            _ => return Ok(()),
        };
        match (*self.named.get_or_insert(entry.connection.is_some()), &entry.connection) {
            (true, None) => return Err(Expected::Name),
            (false, Some(_)) => return Err(Expected::NoName),
            _ => {}
        }
        let stream = (entry.connection.clone(), entry.side);
        if self.closed.contains(&stream) {
            return Err(Expected::Silence);
        }
        if entry.what == Piece::Close {
            self.closed.push(stream);
        }
        Ok(())
    }
}

/// `[ comment / header / entry ]`
fn line(input: &str) -> P<'_, Line> {
    match input.as_bytes().first() {
        None => Ok((input, Line::Blank)),
        // A CR at its end would be read as a part of the line end, once it is written.
        Some(b'#') => map(preceded(char('#'), rest), |text: &str| {
            Line::Comment(text.trim_end_matches('\r').to_owned())
        })
        .parse_complete(input),
        Some(b'=') => expect(Expected::Header, header).parse_complete(input),
        Some(_) => map(entry, Line::Entry).parse_complete(input),
    }
}

/// `"= " key ": " value`, as in `= role: notification`
fn header(input: &str) -> P<'_, Line> {
    let key = take_while1(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let value = verify(rest, |value: &str| !value.is_empty() && value.trim() == value);
    map(preceded(tag("= "), separated_pair(key, tag(": "), value)), |(key, value): (&str, &str)| {
        Line::Header { key: key.to_owned(), value: value.to_owned() }
    })
    .parse_complete(input)
}

/// `[ time SP ] [ name SP ] side ( ":" [ SP text ] / "! close" )`
fn entry(input: &str) -> P<'_, Entry> {
    let (input, time) = match input.as_bytes().first() {
        Some(b'0'..=b'9') => {
            let (input, time) =
                expect(Expected::Time, terminated(time, char(' '))).parse_complete(input)?;
            (input, Some(time))
        }
        _ => (input, None),
    };
    let (input, connection) =
        opt(map(terminated(name, char(' ')), ToString::to_string)).parse_complete(input)?;
    let (input, side) = expect(Expected::Side, side).parse_complete(input)?;
    let (input, what) =
        alt((value(Piece::Close, tag("! close")), map(preceded(char(':'), text), Piece::Bytes)))
            .parse_complete(input)?;
    Ok((input, Entry { time, connection, side, what }))
}

/// `1*12DIGIT [ "." 1*6DIGIT ]`, as in `12.004`
fn time(input: &str) -> P<'_, Instant> {
    let digits = |least, most| take_while_m_n(least, most, |c: char| c.is_ascii_digit());
    map_opt(
        pair(digits(1, 12), opt(preceded(char('.'), digits(1, 6)))),
        |(seconds, fraction): (&str, Option<&str>)| {
            let micros = alloc::format!("{seconds}{:0<6}", fraction.unwrap_or_default());
            micros.parse().ok().map(Instant::from_micros)
        },
    )
    .parse_complete(input)
}

/// `ALPHA *( ALPHA / DIGIT / "." / "-" / "_" )`, as in `alice-ns`
fn name(input: &str) -> P<'_, &str> {
    recognize(pair(
        satisfy(|c| c.is_ascii_alphabetic()),
        many0_count(satisfy(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))),
    ))
    .parse_complete(input)
}

/// `"C" / "S"`
fn side(input: &str) -> P<'_, Side> {
    alt((value(Side::Client, char('C')), value(Side::Server, char('S')))).parse_complete(input)
}

/// `[ SP *( visible / escape ) [ "\" ] ]`: the bytes, with the line end
fn text(input: &str) -> P<'_, Vec<u8>> {
    if input.is_empty() {
        return Ok((input, b"\r\n".to_vec()));
    }
    let (input, _) = expect(Expected::Blank, char(' ')).parse_complete(input)?;
    if input.is_empty() || input.ends_with(' ') {
        let rest = input.get(input.len().saturating_sub(1)..).unwrap_or_default();
        return Err(nom::Err::Failure(Fault { rest, expected: Expected::Visible }));
    }
    let (input, mut bytes) =
        fold_many0(alt((escape, visible)), Vec::new, |mut bytes: Vec<u8>, one: One| {
            match one {
                One::Byte(byte) => bytes.push(byte),
                One::Char(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
            bytes
        })
        .parse_complete(input)?;
    let (input, open) = opt(all_consuming(char('\\'))).parse_complete(input)?;
    if open.is_none() {
        if let Some(next) = input.chars().next() {
            let expected = if next == '\\' { Expected::Escape } else { Expected::Visible };
            return Err(nom::Err::Failure(Fault { rest: input, expected }));
        }
        bytes.extend_from_slice(b"\r\n");
    }
    Ok((input, bytes))
}

/// One element of a text.
#[derive(Clone, Copy)]
enum One {
    Byte(u8),
    Char(char),
}

/// Any character but the backslash and control characters.
fn visible(input: &str) -> P<'_, One> {
    map(verify(anychar, |c| *c != '\\' && !c.is_control()), One::Char).parse_complete(input)
}

/// `"\\" / "\r" / "\n" / "\t" / "\0" / "\x" 2HEXDIG`
fn escape(input: &str) -> P<'_, One> {
    let short = map_opt(one_of("\\rnt0"), |letter| match letter {
        '\\' => Some(b'\\'),
        'r' => Some(b'\r'),
        'n' => Some(b'\n'),
        't' => Some(b'\t'),
        '0' => Some(0),
        _ => None,
    });
    let digits = take_while_m_n(2, 2, |c: char| c.is_ascii_hexdigit());
    let long = map_opt(preceded(char('x'), digits), |digits| u8::from_str_radix(digits, 16).ok());
    map(preceded(char('\\'), alt((short, long))), One::Byte).parse_complete(input)
}
