//! Small pieces that the forms share: numbers, times, texts.
//!
//! This module knows how values are written into a buffer of bytes. It writes by hand, since a
//! capture has millions of them.

use std::time::{Duration, UNIX_EPOCH};

/// Appends a decimal number.
pub(super) fn number(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [b'0'; 20];
    let mut unused = digits.len();
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + (value % 10) as u8;
        value /= 10;
        unused -= 1;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(unused..).unwrap_or_default());
}

/// Appends a number with at least so many digits.
pub(super) fn padded(out: &mut Vec<u8>, value: u64, digits: u32) {
    for place in (1..digits).rev() {
        if value < 10_u64.pow(place) {
            out.push(b'0');
        }
    }
    number(out, value);
}

/// Writes times by RFC 3339, with milliseconds, in UTC.
#[derive(Debug, Default)]
pub(super) struct Clock {
    second: Option<u64>,
    /// The time of that second, up to the point.
    text: String,
}

/// The last second of the year 9999, behind which times have no such form.
const LAST: u64 = 253_402_300_799;

impl Clock {
    /// Appends the time of so many microseconds since 1970.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, micros: u64) {
        let second = (micros / 1_000_000).min(LAST);
        if self.second != Some(second) {
            let time = UNIX_EPOCH + Duration::from_secs(second);
            self.text = humantime::format_rfc3339_seconds(time).to_string();
            self.text.pop();
            self.second = Some(second);
        }
        out.extend_from_slice(self.text.as_bytes());
        out.push(b'.');
        padded(out, micros % 1_000_000 / 1000, 3);
        out.push(b'Z');
    }
}

/// Appends bytes as a JSON string with its quotes. What is not UTF-8 becomes U+FFFD; then `false` is
/// returned. Characters that some readers take for line ends, and other controls, are escaped.
pub(super) fn string(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    out.push(b'"');
    let whole = inside_string(out, bytes);
    out.push(b'"');
    whole
}

fn inside_string(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    let mut whole = true;
    let mut rest = bytes;
    loop {
        let (before, behind) = rest.split_at(plain_len(rest));
        out.extend_from_slice(before);
        let Some((first, _)) = behind.split_first() else { return whole };
        if first.is_ascii() {
            escape(out, char::from(*first));
            rest = behind.get(1..).unwrap_or_default();
            continue;
        }
        let end = behind.iter().position(u8::is_ascii).unwrap_or(behind.len());
        let (special, after) = behind.split_at(end);
        for chunk in special.utf8_chunks() {
            for c in chunk.valid().chars() {
                if matches!(c, '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}') {
                    escape(out, c);
                } else {
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            if !chunk.invalid().is_empty() {
                whole = false;
                out.extend_from_slice("\u{FFFD}".as_bytes());
            }
        }
        rest = after;
    }
}

/// How many bytes at the front need no escape. Looks at eight at a time.
fn plain_len(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    // The high bit of each byte that is zero, and perhaps of one behind it.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let mut len = 0;
    for eight in bytes.chunks_exact(8) {
        let word = u64::from_le_bytes(eight.try_into().unwrap_or_default());
        let below_blank = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let special = zeros(word ^ (ONES * b'"' as u64))
            | zeros(word ^ (ONES * b'\\' as u64))
            | zeros(word ^ (ONES * 0x7F));
        let found = below_blank | special | (word & HIGH);
        if found != 0 {
            // The lowest one is right.
            return len + (found.trailing_zeros() / 8) as usize;
        }
        len += 8;
    }
    let rest = bytes.get(len..).unwrap_or_default();
    len + rest.iter().position(|byte| !is_plain(*byte)).unwrap_or(rest.len())
}

const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

fn escape(out: &mut Vec<u8>, c: char) {
    let short = match c {
        '"' => b'"',
        '\\' => b'\\',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        _ => {
            const DIGITS: [u8; 16] = *b"0123456789abcdef";
            let digit = |place: u32| {
                let nibble = u32::from(c) >> (4 * place) & 15;
                DIGITS.get(nibble as usize).copied().unwrap_or(b'0')
            };
            out.extend_from_slice(&[b'\\', b'u', digit(3), digit(2), digit(1), digit(0)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn numbers() {
        for value in [0, 7, 10, 99, 100, 12_345, u64::MAX] {
            assert_eq!(text(|out| number(out, value)), value.to_string());
            assert_eq!(text(|out| padded(out, value, 6)), format!("{value:06}"));
        }
    }

    #[test]
    fn times() {
        let mut clock = Clock::default();
        for (micros, shown) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (981_173_106_789_999, "2001-02-03T04:05:06.789Z"),
            (981_173_106_001_000, "2001-02-03T04:05:06.001Z"),
            (981_173_107_000_000, "2001-02-03T04:05:07.000Z"),
            (u64::from(u32::MAX) * 1_000_000, "2106-02-07T06:28:15.000Z"),
            (u64::MAX, "9999-12-31T23:59:59.551Z"),
        ] {
            assert_eq!(text(|out| clock.write(out, micros)), shown);
        }
    }

    #[test]
    fn nothing_in_a_string_can_end_a_line_or_steer_a_terminal() {
        let bytes = "a\n\r\t\u{b}\"\\\x1b\x7f\u{85}\u{9b}\u{2028}\u{2029}é\u{1F600}".as_bytes();
        let shown = text(|out| assert!(string(out, bytes)));
        assert_eq!(
            shown,
            "\"a\\n\\r\\t\\u000b\\\"\\\\\\u001b\\u007f\\u0085\\u009b\\u2028\\u2029é\u{1F600}\""
        );
    }

    #[test]
    fn every_byte_in_every_place_is_seen() {
        for byte in 0..=u8::MAX {
            for place in 0..20 {
                let mut bytes = [b'a'; 20];
                bytes[place] = byte;
                let expected = if is_plain(byte) { 20 } else { place };
                assert_eq!(plain_len(&bytes), expected, "{byte} at {place}");
            }
        }
    }

    proptest! {
        #[test]
        fn strings_are_read_back_as_serde_has_them(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut whole = false;
            let shown = text(|out| whole = string(out, &bytes));
            let read: String = serde_json::from_str(&shown).expect("valid JSON");
            prop_assert_eq!(&read, &String::from_utf8_lossy(&bytes));
            prop_assert_eq!(whole, std::str::from_utf8(&bytes).is_ok());
            prop_assert!(!shown.chars().any(char::is_control));
        }
    }
}
