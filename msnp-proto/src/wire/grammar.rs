//! The grammar of words and leaves, with nom in complete mode: every input is one whole line or
//! one whole word, so "incomplete" cannot happen.
//!
//! ```text
//! line    = *blank verb *( blanks word ) *blank
//! blanks  = 1*blank
//! blank   = SP / HT
//! verb    = 3( any byte but SP HT )
//! word    = 1*( any byte but SP HT CR LF )
//! number  = 1*19DIGIT, at most 4294967295
//! address = host [ ":" number ]
//! host    = name / IPv4 / "[" IPv6 "]"
//! ```

use core::str;

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while_m_n};
use nom::character::complete::digit1;
use nom::combinator::{all_consuming, map_opt, map_res, opt};
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

/// Result of a rule over a byte string. The rules' own errors carry no input: callers name what
/// they expected.
pub(crate) type P<'a, T> = IResult<&'a [u8], T, ()>;

pub(crate) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

const fn ends_word(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// `*blank`: what follows it.
#[inline]
pub(crate) fn skip_blanks(mut input: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = input {
        if !is_blank(*first) {
            break;
        }
        input = rest;
    }
    input
}

/// Without blanks at either end.
pub(crate) fn trim_blanks(input: &[u8]) -> &[u8] {
    let mut trimmed = skip_blanks(input);
    while let [rest @ .., last] = trimmed {
        if !is_blank(*last) {
            break;
        }
        trimmed = rest;
    }
    trimmed
}

/// Splits what begins with a word behind that word: (the word, the rest). The word is empty if there
/// is none. A word also ends at CR and LF, which are no blanks: what to do about them is up to the
/// caller.
#[inline]
pub(crate) fn split_word(input: &[u8]) -> (&[u8], &[u8]) {
    let rest = behind_word(input);
    let len = input.len().saturating_sub(rest.len());
    (input.get(..len).unwrap_or_default(), rest)
}

/// What begins with the first SP, HT, CR or LF. Looks at eight bytes at a time.
#[inline]
fn behind_word(mut input: &[u8]) -> &[u8] {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    while let Some((eight, behind)) = input.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*eight);
        // The lowest set bit is the high bit of the first byte below 0x21.
        let low = word.wrapping_sub(ONES.wrapping_mul(0x21)) & !word & HIGH;
        if low == 0 {
            input = behind;
            continue;
        }
        input = input.get((low.trailing_zeros() / 8) as usize..).unwrap_or_default();
        match input {
            // Another control character: part of the word.
            [byte, behind @ ..] if !ends_word(*byte) => input = behind,
            _ => return input,
        }
    }
    while let [byte, behind @ ..] = input {
        if ends_word(*byte) {
            break;
        }
        input = behind;
    }
    input
}

/// Splits a line behind its first word, if that has the form of a verb.
#[inline]
pub(crate) fn split_verb(line: &[u8]) -> Option<([u8; 3], &[u8])> {
    let line = skip_blanks(line);
    let (&[a, b, c], rest) = line.split_first_chunk::<3>()?;
    let whole = rest.first().is_none_or(|next| is_blank(*next));
    (whole && !is_blank(a) && !is_blank(b) && !is_blank(c)).then_some(([a, b, c], rest))
}

/// Splits the last word off a line: (before it, the word).
pub(crate) fn split_last_word(line: &[u8]) -> (&[u8], &[u8]) {
    let line = trim_blanks(line);
    let word = line.rsplit(|byte| is_blank(*byte)).next().unwrap_or_default();
    line.split_at(line.len().saturating_sub(word.len()))
}

/// Splits what begins with a plain decimal `u32` behind its digits: 1 to 19 of them, leading zeros
/// allowed.
#[inline]
pub(crate) fn split_number(input: &[u8]) -> Option<(u32, &[u8])> {
    let mut value: u64 = 0;
    let mut bytes = input.iter();
    let rest = loop {
        let rest = bytes.as_slice();
        let digit = bytes.next().map_or(u8::MAX, |byte| byte.wrapping_sub(b'0'));
        if digit > 9 {
            break rest;
        }
        // Wraps with more than 19 digits only.
        value = value.wrapping_mul(10).wrapping_add(digit.into());
    };
    let digits = input.len().saturating_sub(rest.len());
    let value = u32::try_from(value).ok()?;
    (1..=19).contains(&digits).then_some((value, rest))
}

/// A whole word as a plain decimal `u32`: 1 to 19 digits and nothing else.
pub(crate) fn number(word: &[u8]) -> Option<u32> {
    let (value, rest) = split_number(word)?;
    rest.is_empty().then_some(value)
}

/// `host [ ":" number ]` over a whole word, with a port that is not 0.
pub(crate) fn address(word: &[u8]) -> Option<(&str, Option<u16>)> {
    let port = map_opt(digit1, |digits| {
        number(digits).and_then(|port| u16::try_from(port).ok()).filter(|port| *port != 0)
    });
    all_consuming((
        alt((delimited(tag(&b"["[..]), ipv6, tag(&b"]"[..])), name)),
        opt(preceded(tag(&b":"[..]), port)),
    ))
    .parse_complete(word)
    .ok()
    .map(|(_, address)| address)
}

/// Whether the text can stand in an address: with a colon as IPv6, without brackets, else as a name.
pub(crate) fn is_host(text: &str) -> bool {
    alt((all_consuming(name), all_consuming(ipv6))).parse_complete(text.as_bytes()).is_ok()
}

/// `1*253( letter / digit / "." / "-" / "_" )`: a name or an IPv4 address.
fn name(input: &[u8]) -> P<'_, &str> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    map_res(take_while_m_n(1, 253, is_part), str::from_utf8).parse_complete(input)
}

/// `2*45( hexadecimal digit / ":" / "." )`: roughly an IPv6 address; the resolver checks the rest.
fn ipv6(input: &[u8]) -> P<'_, &str> {
    let is_part = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    map_res(take_while_m_n(2, 45, is_part), str::from_utf8).parse_complete(input)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn numbers_are_plain_decimal_and_fit() {
        for (word, value) in [
            (&b"0"[..], Some(0)),
            (b"007", Some(7)),
            (b"4294967295", Some(u32::MAX)),
            (b"0000000000000000005", Some(5)),
            (b"00000000000000000005", None),
            (b"4294967296", None),
            (b"18446744073709551616", None),
            (b"", None),
            (b"-1", None),
            (b"+5", None),
            (b"5x", None),
            (b"0x10", None),
            (b"1e3", None),
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
        for (host, good) in [
            ("192.0.2.1", true),
            ("messenger.example.net", true),
            ("2001:db8::1", true),
            ("[::1]", false),
            ("", false),
            ("a b", false),
            ("a\r\nOUT", false),
        ] {
            assert_eq!(is_host(host), good, "{host:?}");
        }
    }

    #[test]
    fn last_word_is_found_behind_trailing_blanks() {
        assert_eq!(split_last_word(b"MSG a b 5"), (&b"MSG a b "[..], &b"5"[..]));
        assert_eq!(split_last_word(b"MSG a b 5 \t"), (&b"MSG a b "[..], &b"5"[..]));
        assert_eq!(split_last_word(b"NOT"), (&b""[..], &b"NOT"[..]));
        assert_eq!(split_last_word(b"  "), (&b""[..], &b""[..]));
    }

    #[test]
    fn verb_is_the_first_word_if_that_has_three_bytes() {
        for (line, split) in [
            (&b"QNG"[..], Some((*b"QNG", &b""[..]))),
            (b"NLN NLN", Some((*b"NLN", b" NLN"))),
            (b" \tMSG\ta", Some((*b"MSG", b"\ta"))),
            (b"msg", Some((*b"msg", b""))),
            (b"QN", None),
            (b"QNGS", None),
            (b"QNG\r", None),
            (b"Q G", None),
            (b"QN ", None),
            (b"Q", None),
            (b"   ", None),
            (b"", None),
        ] {
            assert_eq!(split_verb(line), split, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn only_blanks_separate_words() {
        assert_eq!(split_word(b" c"), (&b""[..], &b" c"[..]));
        assert_eq!(split_word(b"a\rb c"), (&b"a"[..], &b"\rb c"[..]));
        assert_eq!(split_last_word(b"MSG a\r5"), (&b"MSG "[..], &b"a\r5"[..]));
        assert_eq!(trim_blanks(b" \ta\x0c\r\t "), b"a\x0c\r");
        assert_eq!(trim_blanks(b" \t "), b"");
    }

    #[test]
    fn words_of_every_length_and_byte_are_split_where_they_end() {
        for len in 0..40 {
            for (end, ends) in (0..=u8::MAX).map(|end| (end, b" \t\r\n".contains(&end))) {
                let mut line = vec![b'a'; len];
                line.push(end);
                line.extend_from_slice(b"bcdefghijk \x80\x00\xff");
                let expected = if ends { len } else { len + 11 };
                let expected = line.split_at(expected);
                assert_eq!(split_word(&line), expected, "{}", line.escape_ascii());
            }
        }
    }
}
