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

use nom::bytes::complete::{tag, take_while_m_n};
use nom::combinator::all_consuming;
use nom::sequence::delimited;
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
    match short_number(input) {
        Some(found) => Some(found),
        None => long_number(input),
    }
}

/// A number of one to seven digits with a byte behind it, and eight bytes in all to look at: nearly
/// every number there is. The digits are looked at all at once.
#[inline]
fn short_number(input: &[u8]) -> Option<(u32, &[u8])> {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    let digits = u64::from_le_bytes(*input.first_chunk::<8>()?) ^ EACH.wrapping_mul(0x30);
    // The lowest set bit is the high bit of the first byte that is no digit.
    let others = (digits | digits.wrapping_add(EACH.wrapping_mul(0x76))) & EACH.wrapping_mul(0x80);
    let len = others.trailing_zeros() / 8;
    if !(1..=7).contains(&len) {
        return None;
    }
    // The last digit comes to the high end; what is before the first is 0.
    let digits = digits << 64_u32.saturating_sub(len.saturating_mul(8));
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let [high, low] = [pairs, pairs >> 16].map(|pairs| pairs & 0x0000_00FF_0000_00FF);
    let value =
        high.wrapping_mul(100 | 1_000_000 << 32).wrapping_add(low.wrapping_mul(1 | 10_000 << 32))
            >> 32;
    Some((value as u32, input.get(len as usize..)?))
}

fn long_number(input: &[u8]) -> Option<(u32, &[u8])> {
    let mut value: u64 = 0;
    let mut rest = input;
    while let [byte @ b'0'..=b'9', behind @ ..] = rest {
        // Wraps with more than 19 digits only.
        value = value.wrapping_mul(10).wrapping_add(u64::from(byte.wrapping_sub(b'0')));
        rest = behind;
    }
    let digits = input.len().saturating_sub(rest.len());
    let value = u32::try_from(value).ok()?;
    (1..=19).contains(&digits).then_some((value, rest))
}

/// A whole word as a plain decimal `u32`: 1 to 19 digits and nothing else.
pub(crate) fn number(word: &[u8]) -> Option<u32> {
    let (value, rest) = split_number(word)?;
    rest.is_empty().then_some(value)
}

/// A whole word as a plain decimal `u64`: 1 to 20 digits and nothing else.
pub(crate) fn size(word: &[u8]) -> Option<u64> {
    let digits = (1..=20).contains(&word.len()) && word.iter().all(u8::is_ascii_digit);
    core::str::from_utf8(word).ok().filter(|_| digits)?.parse().ok()
}

/// `host [ ":" number ]` over a whole word, with a port that is not 0. The host is ASCII.
pub(crate) fn address(word: &[u8]) -> Option<(&[u8], Option<u16>)> {
    let (rest, host) = match word {
        [b'[', ..] => delimited(tag(&b"["[..]), ipv6, tag(&b"]"[..])).parse_complete(word).ok()?,
        _ => split_name(word)?,
    };
    match rest {
        [] => Some((host, None)),
        [b':', port @ ..] => match u16::try_from(number(port)?) {
            Ok(port @ 1..) => Some((host, Some(port))),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the text can stand in an address: with a colon as IPv6, without brackets, else as a name.
pub(crate) fn is_host(text: &str) -> bool {
    let text = text.as_bytes();
    matches!(split_name(text), Some(([], _))) || all_consuming(ipv6).parse_complete(text).is_ok()
}

/// `1*253( letter / digit / "." / "-" / "_" )`: (what follows it, a name or an IPv4 address). Each
/// ring and each referral has one, so the letters are looked up.
fn split_name(input: &[u8]) -> Option<(&[u8], &[u8])> {
    const PARTS: [bool; 256] = {
        let mut parts = [false; 256];
        let mut unset: &mut [bool] = &mut parts;
        let mut byte = 0_u8;
        while let [part, rest @ ..] = unset {
            *part = byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
            byte = byte.wrapping_add(1);
            unset = rest;
        }
        parts
    };
    let mut rest = input;
    while let [byte, behind @ ..] = rest {
        if PARTS.get(usize::from(*byte)) != Some(&true) {
            break;
        }
        rest = behind;
    }
    let len = input.len().saturating_sub(rest.len());
    (1..=253).contains(&len).then(|| input.get(..len).map(|name| (rest, name)))?
}

/// `2*45( hexadecimal digit / ":" / "." )`: roughly an IPv6 address; the resolver checks the rest.
fn ipv6(input: &[u8]) -> P<'_, &[u8]> {
    let is_part = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    take_while_m_n(2, 45, is_part).parse_complete(input)
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
    fn sizes_are_plain_decimal_and_fit() {
        for (word, value) in [
            (&b"0"[..], Some(0)),
            (b"007", Some(7)),
            (b"18446744073709551615", Some(u64::MAX)),
            (b"18446744073709551616", None),
            (b"000000000000000000005", None),
            (b"", None),
            (b"-1", None),
            (b"+5", None),
            (b"5 ", None),
        ] {
            assert_eq!(size(word), value, "{}", word.escape_ascii());
        }
    }

    #[test]
    fn numbers_of_every_length_are_split_where_they_end() {
        let digits = "12345678901234567890";
        for len in 0..=20 {
            for end in [&b""[..], b" ", b"/", b":", b"\0", b"\xff", b" 12345678", b"x23456789"] {
                let (number, expected) = (&digits[..len], digits[..len].parse::<u32>().ok());
                let line = [number.as_bytes(), end].concat();
                let expected = expected.map(|number| (number, end));
                assert_eq!(split_number(&line), expected, "{}", line.escape_ascii());
            }
        }
        for number in (0..10_000_000).step_by(997).chain([9, 10, 99, 9_999_999]) {
            let line = alloc::format!("{number} and more");
            assert_eq!(split_number(line.as_bytes()), Some((number, &b" and more"[..])));
        }
    }

    #[test]
    fn addresses() {
        for (word, value) in [
            (&b"192.0.2.1:1863"[..], Some((&b"192.0.2.1"[..], Some(1863)))),
            (b"messenger.example.net", Some((b"messenger.example.net", None))),
            (b"[2001:db8::1]:1863", Some((b"2001:db8::1", Some(1863)))),
            (b"[::1]", Some((b"::1", None))),
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
