//! Encoded words (RFC 2047): how mail headers say what is not ASCII.

use alloc::string::String;
use alloc::vec::Vec;

use memchr::{memchr, memmem};

use crate::hex;

/// Longest encoded word (RFC 2047).
const MAX_WORD: usize = 75;
const BEGIN: &[u8] = b"=?utf-8?Q?";
const END: &[u8] = b"?=";

/// The text of a value. Words in UTF-8, US-ASCII or ISO 8859-1 are decoded, once; a word that is
/// broken or in another charset stays as it stands. Bytes that are not UTF-8 become U+FFFD. The
/// text may hold control characters.
///
/// ```
/// use msnp_proto::body::decode_words;
///
/// assert_eq!(decode_words(b"=?utf-8?Q?Caf=C3=A9?= at =?ISO-8859-1?b?6Q==?="), "Café at é");
/// assert_eq!(decode_words(b"=?utf-8?B?!!!?="), "=?utf-8?B?!!!?=");
/// ```
#[must_use]
pub fn decode_words(value: &[u8]) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    let mut after_word = false;
    while let Some(begin) = memmem::find(rest, b"=?") {
        let (before, candidate) = rest.split_at(begin);
        // Blanks between two encoded words are not part of the text.
        let joined = after_word && before.iter().all(|byte| matches!(byte, b' ' | b'\t'));
        match word(candidate) {
            Some((text, after)) => {
                if !joined {
                    push_lossy(before, &mut out);
                }
                out.push_str(&text);
                rest = after;
                after_word = true;
            }
            None => {
                push_lossy(before, &mut out);
                out.push_str("=?");
                rest = candidate.strip_prefix(b"=?").unwrap_or_default();
                after_word = false;
            }
        }
    }
    push_lossy(rest, &mut out);
    out
}

fn push_lossy(bytes: &[u8], out: &mut String) {
    out.push_str(&String::from_utf8_lossy(bytes));
}

/// `"=?" charset "?" ( "Q" / "B" ) "?" text "?="` at the front, decoded, and what follows it. A
/// failure has looked at no byte behind the next `=?` but its first, so that all failures together
/// look at each byte a fixed number of times.
fn word(input: &[u8]) -> Option<(String, &[u8])> {
    let input = input.strip_prefix(b"=?")?;
    let end =
        input.iter().position(|byte| !(byte.is_ascii_alphanumeric() || b"-_.:*".contains(byte)));
    let (charset, input) = input.split_at(end?);
    // RFC 2231 allows a language behind an asterisk.
    let charset = charset.split(|byte| *byte == b'*').next().unwrap_or_default();
    let is = |names: [&str; 2]| names.iter().any(|n| charset.eq_ignore_ascii_case(n.as_bytes()));
    let latin1 = is(["ISO-8859-1", "latin1"]);
    if !latin1 && !is(["UTF-8", "US-ASCII"]) {
        return None;
    }
    let [b'?', encoding, b'?', input @ ..] = input else { return None };
    let (text, after) = input.split_at(memchr(b'?', input)?);
    let after = after.strip_prefix(END)?;
    let bytes = match encoding {
        b'Q' | b'q' => quoted(text)?,
        b'B' | b'b' => base64(text)?,
        _ => return None,
    };
    let text = if latin1 {
        bytes.into_iter().map(char::from).collect()
    } else {
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    };
    Some((text, after))
}

fn quoted(mut text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    while let Some((first, rest)) = text.split_first() {
        text = rest;
        match (first, rest) {
            (b'=', [high, low, rest @ ..]) => {
                bytes.push(hex::byte(*high, *low)?);
                text = rest;
            }
            (b'=', _) => return None,
            (b'_', _) => bytes.push(b' '),
            _ => bytes.push(*first),
        }
    }
    Some(bytes)
}

/// Base64 with or without its padding.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let digits = text.strip_suffix(b"=").unwrap_or(text);
    let digits = digits.strip_suffix(b"=").unwrap_or(digits);
    let padded = digits.len() < text.len();
    if digits.len() % 4 == 1 || (padded && text.len() % 4 != 0) {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len().div_ceil(4).saturating_mul(3));
    for group in digits.chunks(4) {
        let mut value = 0_u32;
        for digit in group {
            value = value << 6 | u32::from(sextet(*digit)?);
        }
        let (shift, octets) = match group.len() {
            4 => (0, 3),
            3 => (6, 2),
            _ => (12, 1),
        };
        let [_, whole @ ..] = (value << shift).to_be_bytes();
        bytes.extend(whole.iter().take(octets));
    }
    Some(bytes)
}

const fn sextet(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit.saturating_sub(b'A')),
        b'a'..=b'z' => Some(digit.saturating_sub(b'a').saturating_add(26)),
        b'0'..=b'9' => Some(digit.saturating_sub(b'0').saturating_add(52)),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// Appends a text so that [`decode_words`] gives it back: as it is if it is printable ASCII that
/// nobody could take for an encoded word, else as encoded words in UTF-8.
pub(super) fn encode_words(text: &str, out: &mut Vec<u8>) {
    let plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && text.trim_ascii() == text
        && !text.contains("=?");
    if plain {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.extend_from_slice(BEGIN);
    let mut used = BEGIN.len();
    for character in text.chars() {
        let mut buffer = [0; 4];
        let bytes = character.encode_utf8(&mut buffer).as_bytes();
        let literal = character.is_ascii_alphanumeric();
        let size = if literal { 1 } else { bytes.len().saturating_mul(3) };
        if used.saturating_add(size).saturating_add(END.len()) > MAX_WORD {
            out.extend_from_slice(b"?= ");
            out.extend_from_slice(BEGIN);
            used = BEGIN.len();
        }
        used = used.saturating_add(size);
        if literal {
            out.extend_from_slice(bytes);
        } else {
            for byte in bytes {
                out.push(b'=');
                out.extend_from_slice(&hex::upper(*byte));
            }
        }
    }
    out.extend_from_slice(END);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_words_stay_as_they_are() {
        for (wire, text) in [
            ("=?iso-8859-1?Q?", "=?iso-8859-1?Q?"),
            ("=?x?Z?y?=", "=?x?Z?y?="),
            ("=?utf-8?Z?y?=", "=?utf-8?Z?y?="),
            ("=?koi8-r?B?0A==?=", "=?koi8-r?B?0A==?="),
            ("=?utf-8?B?!!!?=", "=?utf-8?B?!!!?="),
            ("=?utf-8?B?Q?=", "=?utf-8?B?Q?="),
            ("=?utf-8?B?=QQQ?=", "=?utf-8?B?=QQQ?="),
            ("=?utf-8?B?QQ=?=", "=?utf-8?B?QQ=?="),
            ("=?utf-8?B?Q Q=?=", "=?utf-8?B?Q Q=?="),
            ("=?utf-8?Q?=C?=", "=?utf-8?Q?=C?="),
            ("=?utf-8?Q?=ZZ?=", "=?utf-8?Q?=ZZ?="),
            ("=?utf-8?Q?a?b?=", "=?utf-8?Q?a?b?="),
            ("=?", "=?"),
            ("=?utf-8", "=?utf-8"),
            ("=?utf-8?Q?=?utf-8?Q?x?=?=", "=?utf-8?Q?x?="),
            ("a =?utf-8?Q?=3D=3Futf-8=3FQ=3Fx=3F=3D?= b", "a =?utf-8?Q?x?= b"),
        ] {
            assert_eq!(decode_words(wire.as_bytes()), text, "{wire}");
        }
    }

    #[test]
    fn whole_words_are_decoded() {
        for (wire, text) in [
            ("plain", "plain"),
            ("=?utf-8?Q?Caf=C3=A9?=", "Café"),
            ("=?ISO-8859-1?q?Caf=e9_x?=", "Café x"),
            ("=?us-ascii*en?B?YWI?=", "ab"),
            ("=?utf-8?b?w6k=?= =?utf-8?b?w6k?=", "éé"),
            ("a =?utf-8?Q?b?= c =?utf-8?Q?d?=", "a b c d"),
            ("=?utf-8?Q?=E9?=", "\u{FFFD}"),
            ("=?utf-8?Q?a b?=", "a b"),
            ("=?utf-8?Q??=", ""),
        ] {
            assert_eq!(decode_words(wire.as_bytes()), text, "{wire}");
        }
        assert_eq!(decode_words(b"\xe9"), "\u{FFFD}");
    }

    #[test]
    fn written_words_are_short() {
        let mut out = Vec::new();
        encode_words(&"Zoë \u{1F600}".repeat(30), &mut out);
        assert!(out.split(|byte| *byte == b' ').all(|word| word.len() <= MAX_WORD));
        assert_eq!(decode_words(&out), "Zoë \u{1F600}".repeat(30));
    }
}
