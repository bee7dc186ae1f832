//! Hexadecimal digits: what digests, cookies, percent coding, encoded words and colours have in
//! common.

/// A byte as two digits in lower case.
pub(crate) fn lower(byte: u8) -> [u8; 2] {
    digits(byte, b"0123456789abcdef")
}

/// A byte as two digits in upper case.
pub(crate) fn upper(byte: u8) -> [u8; 2] {
    digits(byte, b"0123456789ABCDEF")
}

/// The byte of two digits of either case.
pub(crate) fn byte(high: u8, low: u8) -> Option<u8> {
    Some(value(high)? << 4 | value(low)?)
}

fn digits(byte: u8, alphabet: &[u8; 16]) -> [u8; 2] {
    [byte >> 4, byte & 15].map(|nibble| alphabet.get(usize::from(nibble)).map_or(b'0', |it| *it))
}

fn value(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_in_either_case() {
        for all in 0..=u8::MAX {
            let [high, low] = lower(all);
            assert_eq!(std::format!("{all:02x}").as_bytes(), [high, low]);
            assert_eq!(byte(high, low), Some(all));
            let [high, low] = upper(all);
            assert_eq!(std::format!("{all:02X}").as_bytes(), [high, low]);
            assert_eq!(byte(high, low), Some(all));
        }
        assert_eq!((byte(b'g', b'0'), byte(b'0', b' ')), (None, None));
    }
}
