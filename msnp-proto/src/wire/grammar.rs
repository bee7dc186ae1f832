//! The grammar of words and leaves, with nom in complete mode: every input is one whole line or
//! one whole word, so "incomplete" cannot happen.
//!
//! ```text
//! line    = verb *( blank word ) *blank
//! blank   = 1*( SP / HT )
//! word    = 1*( any byte but SP HT CR LF )
//! number  = 1*10DIGIT, at most 4294967295
//! address = ( name / IPv4 / "[" IPv6 "]" ) [ ":" number ]
//! ```

use core::str;

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while_m_n, take_while1};
use nom::character::complete::digit1;
use nom::combinator::{all_consuming, map_opt, map_res, opt};
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

/// Result of a rule over a byte string. The rules' own errors carry no input: callers name what
/// they expected.
pub(crate) type P<'a, T> = IResult<&'a [u8], T, ()>;

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

const fn is_word(byte: u8) -> bool {
    !matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// `*blank`
pub(crate) fn blanks(input: &[u8]) -> P<'_, &[u8]> {
    take_while(is_blank).parse_complete(input)
}

/// `1*( any byte but SP HT CR LF )`
pub(crate) fn word(input: &[u8]) -> P<'_, &[u8]> {
    take_while1(is_word).parse_complete(input)
}

/// Splits the first word off a line. With no word there, both parts may be empty.
pub(crate) fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    match word(line) {
        Ok((rest, word)) => (word, rest),
        Err(_) => (&[], line),
    }
}

/// Splits the last word off a line: (before it, the word).
pub(crate) fn split_last_word(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().rposition(|byte| !is_blank(*byte)).map_or(0, |last| last + 1);
    let (line, _) = line.split_at(end);
    let start = line.iter().rposition(|byte| !is_word(*byte)).map_or(0, |before| before + 1);
    line.split_at(start)
}

/// A whole word as a plain decimal `u32`: digits only, leading zeros allowed.
pub(crate) fn number(word: &[u8]) -> Option<u32> {
    if word.is_empty() || word.len() > 20 {
        return None;
    }
    word.iter().try_fold(0_u32, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value.checked_mul(10)?.checked_add(u32::from(digit))
    })
}

/// `( name / IPv4 / "[" IPv6 "]" ) [ ":" port ]`, over a whole word.
pub(crate) fn address(word: &[u8]) -> Option<(&str, Option<u16>)> {
    let port = map_opt(digit1, |digits| {
        number(digits).and_then(|port| u16::try_from(port).ok()).filter(|port| *port != 0)
    });
    all_consuming((host, opt(preceded(tag(&b":"[..]), port))))
        .parse_complete(word)
        .ok()
        .map(|(_, address)| address)
}

fn host(input: &[u8]) -> P<'_, &str> {
    let name = take_while_m_n(1, 253, |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
    });
    let ipv6 = delimited(
        tag(&b"["[..]),
        take_while_m_n(2, 45, |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')),
        tag(&b"]"[..]),
    );
    map_res(alt((ipv6, name)), |host| str::from_utf8(host).map_err(|_| ())).parse_complete(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_plain_decimal_and_fit() {
        for (word, value) in [
            (&b"0"[..], Some(0)),
            (b"007", Some(7)),
            (b"4294967295", Some(u32::MAX)),
            (b"00000000000000000005", Some(5)),
            (b"4294967296", None),
            (b"18446744073709551616", None),
            (b"", None),
            (b"-1", None),
            (b"+5", None),
            (b"5x", None),
            (b"0x10", None),
            (b"1e3", None),
            (b"000000000000000000005", None),
        ] {
            assert_eq!(number(word), value, "{}", word.escape_ascii());
        }
    }

    #[test]
    fn addresses() {
        for (word, value) in [
            (&b"192.0.2.1:1863"[..], Some(("192.0.2.1", Some(1863)))),
            (b"messenger.example.net", Some(("messenger.example.net", None))),
            (b"[2001:db8::1]:1863", Some(("2001:db8::1", Some(1863)))),
            (b"[::1]", Some(("::1", None))),
            (b"host:0", None),
            (b"host:65536", None),
            (b"host:", None),
            (b":1863", None),
            (b"", None),
            (b"a%20b:1863", None),
            (b"::1", None),
        ] {
            assert_eq!(address(word), value, "{}", word.escape_ascii());
        }
        assert_eq!(address(&[b'a'; 300]), None);
    }

    #[test]
    fn last_word_is_found_behind_trailing_blanks() {
        assert_eq!(split_last_word(b"MSG a b 5"), (&b"MSG a b "[..], &b"5"[..]));
        assert_eq!(split_last_word(b"MSG a b 5 \t"), (&b"MSG a b "[..], &b"5"[..]));
        assert_eq!(split_last_word(b"NOT"), (&b""[..], &b"NOT"[..]));
        assert_eq!(split_last_word(b"  "), (&b""[..], &b""[..]));
    }
}
