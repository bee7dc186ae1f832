//! Percent coding of names: any byte of UTF-8 as `%` and two hexadecimal digits of either case.
//!
//! A plus sign is a plus sign. What is written is printable ASCII without blanks, so it is always one
//! word; what real clients write is less thorough, so reading takes any byte (draft-movva, and what
//! clients of the time did).

use alloc::string::String;
use alloc::vec::Vec;

use memchr::memchr;

use crate::hex;

/// Whether a byte goes on the wire as it is: printable ASCII except the percent sign.
const fn is_plain(byte: u8) -> bool {
    byte > 0x20 && byte < 0x7F && byte != b'%'
}

/// The bytes that an encoded word stands for, decoded once; they need not be UTF-8. A broken escape
/// stands for itself.
pub fn decode_bytes(mut encoded: &[u8]) -> impl Iterator<Item = u8> + '_ {
    core::iter::from_fn(move || {
        let (&first, rest) = encoded.split_first()?;
        if let (b'%', [high, low, rest @ ..]) = (first, rest) {
            if let Some(byte) = hex::byte(*high, *low) {
                encoded = rest;
                return Some(byte);
            }
        }
        encoded = rest;
        Some(first)
    })
}

/// Decodes a word once. Broken escapes stay as they are, bytes that are not UTF-8 become U+FFFD.
///
/// ```
/// use msnp_proto::wire::percent::decode;
///
/// assert_eq!(decode(b"Alice%20in%20W%2e"), "Alice in W.");
/// assert_eq!(decode(b"50%"), "50%");
/// assert_eq!(decode(b"%2520"), "%20");
/// ```
#[must_use]
pub fn decode(encoded: &[u8]) -> String {
    if memchr(b'%', encoded).is_none() {
        return String::from_utf8_lossy(encoded).into_owned();
    }
    let mut bytes = Vec::with_capacity(encoded.len());
    bytes.extend(decode_bytes(encoded));
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Appends `text` encoded: control characters, blanks, `%` and everything beyond ASCII.
///
/// ```
/// let mut out = Vec::new();
/// msnp_proto::wire::percent::encode("100% été", &mut out);
/// assert_eq!(out, b"100%25%20%C3%A9t%C3%A9");
/// ```
pub fn encode(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while let Some(special) = rest.iter().position(|byte| !is_plain(*byte)) {
        let (plain, behind) = rest.split_at(special);
        out.extend_from_slice(plain);
        rest = behind;
        if let Some((special, behind)) = rest.split_first() {
            encode_byte(*special, out);
            rest = behind;
        }
    }
    out.extend_from_slice(rest);
}

/// Appends bytes encoded; they need not be UTF-8.
pub(crate) fn encode_bytes(bytes: impl Iterator<Item = u8>, out: &mut Vec<u8>) {
    for byte in bytes {
        if is_plain(byte) { out.push(byte) } else { encode_byte(byte, out) }
    }
}

fn encode_byte(byte: u8, out: &mut Vec<u8>) {
    let [high, low] = hex::upper(byte);
    out.extend_from_slice(&[b'%', high, low]);
}

/// Appends `text` as [`encode`] does, unless that takes more than `limit` bytes: then what is beyond
/// ASCII stays as it is. Official clients sent names so, and a name of 129 characters of any script
/// has room only so.
pub(crate) fn encode_within(limit: usize, text: &str, out: &mut Vec<u8>) {
    if encoded_len(text) <= limit {
        return encode(text, out);
    }
    for byte in text.bytes() {
        if is_plain(byte) || byte >= 0x80 { out.push(byte) } else { encode_byte(byte, out) }
    }
}

/// The fewest bytes that `text` takes on the wire, with everything beyond ASCII as it is.
pub(crate) fn shortest_len(text: &str) -> usize {
    text.bytes().map(|byte| if is_plain(byte) || byte >= 0x80 { 1 } else { 3 }).sum()
}

/// How many bytes [`encode`] appends.
#[must_use]
pub fn encoded_len(text: &str) -> usize {
    text.bytes().map(|byte| if is_plain(byte) { 1 } else { 3 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_once_and_keeps_what_is_broken() {
        for (wire, text) in [
            ("Alice%20in%20W%2e", "Alice in W."),
            ("100%25", "100%"),
            ("%C3%A9t%c3%a9", "été"),
            ("a+b", "a+b"),
            ("50%", "50%"),
            ("%zz", "%zz"),
            ("%4", "%4"),
            ("%G1", "%G1"),
            ("%2520", "%20"),
            ("%e9", "\u{FFFD}"),
            ("%C0%80", "\u{FFFD}\u{FFFD}"),
            ("%00", "\0"),
            ("", ""),
        ] {
            assert_eq!(decode(wire.as_bytes()), text, "{wire}");
        }
    }

    #[test]
    fn long_names_stay_as_they_are_beyond_ascii() {
        let name = "\u{6f22} %".repeat(100);
        let mut wire = Vec::new();
        encode_within(387, &name, &mut wire);
        assert_eq!(wire.len(), shortest_len(&name));
        assert_eq!(wire[..9], *"\u{6f22}%20%25".as_bytes());
        assert_eq!(decode(&wire), name);
        wire.clear();
        encode_within(387, "\u{6f22}", &mut wire);
        assert_eq!(wire, b"%E6%BC%A2");
    }

    #[test]
    fn encoding_is_undone_by_decoding() {
        for text in ["", "a b", "%", "%20", "été\u{1F600}", "\r\n\t\0\x7f", "plain"] {
            let mut wire = Vec::new();
            encode(text, &mut wire);
            assert_eq!(wire.len(), encoded_len(text));
            assert!(wire.iter().all(|byte| (0x21..0x7F).contains(byte)));
            assert_eq!(decode(&wire), text);
        }
    }
}
