//! Secrets in what passes on the network, and what is shown in their place.
//!
//! This module knows where lines and payloads carry a digest, a challenge, a cookie or a ticket, in
//! these dialects and in later ones. It does not know who wants to see them. Case says nothing:
//! there are servers that take commands in any.

use std::borrow::Cow;

/// What is shown in place of a secret.
pub(crate) const MASK: &[u8] = b"***";

/// The line with every digest, challenge, cookie and ticket in it replaced.
pub(crate) fn masked_line(line: &[u8]) -> Cow<'_, [u8]> {
    let mut words = Words::new(line);
    let Some((_, verb)) = words.next() else { return Cow::Borrowed(line) };
    let is_user = verb.eq_ignore_ascii_case(b"USR");
    if is_user || verb.eq_ignore_ascii_case(b"ANS") {
        let (Some(_), Some((_, second))) = (words.next(), words.next()) else {
            return Cow::Borrowed(line);
        };
        return match words.next() {
            // USR 4 MD5 S digest, and the ticket of later dialects up to the end of the line
            Some((_, stage)) if is_user && stage.eq_ignore_ascii_case(b"S") => {
                words.next().map_or(Cow::Borrowed(line), |(at, _)| replace(line, at..line.len()))
            }
            // USR 1 account cookie, ANS 1 account cookie session: to a switchboard
            Some((at, cookie)) if second.contains(&b'@') => {
                replace(line, at..at.saturating_add(cookie.len()))
            }
            _ => Cow::Borrowed(line),
        };
    }
    // XFR 5 SB host CKI cookie, RNG session host CKI cookie account name
    match words.find(|(_, word)| word.eq_ignore_ascii_case(b"CKI")).and_then(|_| words.next()) {
        Some((at, cookie)) => replace(line, at..at.saturating_add(cookie.len())),
        None => Cow::Borrowed(line),
    }
}

/// The line of a payload with its value replaced if that is a secret. Tickets stand in the header
/// of a profile, cookies of transfers in the body of an invitation.
fn masked_field(line: &[u8], in_header: bool) -> Option<Vec<u8>> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, _) = line.split_at(colon);
    is_secret_field(name.trim_ascii(), in_header).then(|| [name, b": ", MASK].concat())
}

/// Whether the field of that name in a payload holds a secret.
pub(crate) fn is_secret_field(name: &[u8], in_header: bool) -> bool {
    let secrets: &[&[u8]] = if in_header { &[b"MSPAuth", b"sid", b"kv"] } else { &[b"AuthCookie"] };
    secrets.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

/// Bytes that nobody could read, with what is secret in those of their lines that look as usual.
/// The first line is not shown at all if it is a fragment: what would say that it holds a secret
/// may be missing.
pub(crate) fn masked_lines(bytes: &[u8], begins_within_line: bool) -> Vec<u8> {
    let mut masked = Vec::with_capacity(bytes.len());
    for (number, whole) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let line = whole.trim_ascii_end();
        let end = whole.get(line.len()..).unwrap_or_default();
        match masked_field(line, true).or_else(|| masked_field(line, false)) {
            _ if number == 0 && begins_within_line => masked.extend_from_slice(MASK),
            Some(field) => masked.extend_from_slice(&field),
            None => masked.extend_from_slice(&masked_line(line)),
        }
        masked.extend_from_slice(end);
    }
    masked
}

/// A payload with the values of all secret fields replaced.
pub(crate) fn masked_payload(payload: &[u8]) -> Cow<'_, [u8]> {
    let mut masked = Vec::new();
    let (mut in_header, mut kept) = (true, 0);
    let mut start = 0;
    for whole in payload.split_inclusive(|byte| *byte == b'\n') {
        let line = whole.strip_suffix(b"\n").unwrap_or(whole);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        in_header &= !line.is_empty();
        if let Some(field) = masked_field(line, in_header) {
            masked.extend_from_slice(payload.get(kept..start).unwrap_or_default());
            masked.extend_from_slice(&field);
            kept = start + line.len();
        }
        start += whole.len();
    }
    if kept == 0 && masked.is_empty() {
        return Cow::Borrowed(payload);
    }
    masked.extend_from_slice(payload.get(kept..).unwrap_or_default());
    Cow::Owned(masked)
}

fn replace(line: &[u8], secret: std::ops::Range<usize>) -> Cow<'_, [u8]> {
    let before = line.get(..secret.start).unwrap_or_default();
    let behind = line.get(secret.end..).unwrap_or_default();
    Cow::Owned([before, MASK, behind].concat())
}

/// The words of a line, each with where it begins. Blanks separate them, as many as there are:
/// whoever reads the line takes it so too.
struct Words<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    fn new(line: &'a [u8]) -> Self {
        Self { line, at: 0 }
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        let rest = self.line.get(self.at..)?;
        let start = self.at + rest.iter().position(|byte| !is_blank(byte))?;
        let word = self.line.get(start..)?;
        let len = word.iter().position(is_blank).unwrap_or(word.len());
        self.at = start + len;
        word.get(..len).map(|word| (start, word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        for (line, shown) in [
            ("USR 3 MD5 S geheim", "USR 3 MD5 S ***"),
            ("USR 3 MD5 I a@b.c", "USR 3 MD5 I a@b.c"),
            ("USR  3\tMD5  S \t geheim", "USR  3\tMD5  S \t ***"),
            ("  USR 3 MD5 S geheim", "  USR 3 MD5 S ***"),
            ("USR 4 TWN S t=geheim&p= geheim", "USR 4 TWN S ***"),
            ("USR 4 SSO S t=geheim geheim", "USR 4 SSO S ***"),
            ("USR 1 a@b.c geheim", "USR 1 a@b.c ***"),
            ("USR 1 OK a@b.c A", "USR 1 OK a@b.c A"),
            ("USR 1 a@b.c;{1-2} geheim", "USR 1 a@b.c;{1-2} ***"),
            ("ANS 1 a@b.c geheim 77", "ANS 1 a@b.c *** 77"),
            ("ANS 1 OK", "ANS 1 OK"),
            ("XFR 4 SB 192.0.2.1:1863 CKI geheim", "XFR 4 SB 192.0.2.1:1863 CKI ***"),
            ("RNG 7 192.0.2.1 CKI  geheim b@c.d B", "RNG 7 192.0.2.1 CKI  *** b@c.d B"),
            ("XFR 4 SB 192.0.2.1 CKI", "XFR 4 SB 192.0.2.1 CKI"),
            ("usr 3 MD5 S geheim", "usr 3 MD5 S ***"),
            ("USR 3 md5 s geheim", "USR 3 md5 s ***"),
            ("Usr 1 a@b.c geheim", "Usr 1 a@b.c ***"),
            ("ans 1 a@b.c geheim 77", "ans 1 a@b.c *** 77"),
            ("xfr 4 sb 192.0.2.1 cki geheim", "xfr 4 sb 192.0.2.1 cki ***"),
            ("rng 7 192.0.2.1 Cki geheim b@c.d B", "rng 7 192.0.2.1 Cki *** b@c.d B"),
            ("USR 3 MD5 S", "USR 3 MD5 S"),
            ("USR", "USR"),
            ("", ""),
            ("QNG", "QNG"),
        ] {
            let masked = masked_line(line.as_bytes());
            assert_eq!(String::from_utf8_lossy(&masked), shown, "{line}");
        }
    }

    #[test]
    fn lines_that_nobody_could_read() {
        for (bytes, fragment, shown) in [
            (
                "im\r\nUSR 3 MD5 S geheim\r\nsid: geheim\r\nx",
                true,
                "***\r\nUSR 3 MD5 S ***\r\nsid: ***\r\nx",
            ),
            ("hello \r\n\r\nAuthCookie: geheim", false, "hello \r\n\r\nAuthCookie: ***"),
            ("geheim", true, "***"),
            ("", true, ""),
        ] {
            let masked = masked_lines(bytes.as_bytes(), fragment);
            assert_eq!(String::from_utf8_lossy(&masked), shown, "{bytes}");
        }
    }

    #[test]
    fn payloads() {
        for (payload, shown) in [
            (
                "lang: 1\r\nMSPAuth: geheim\r\nkv: geheim\r\n\r\nx",
                "lang: 1\r\nMSPAuth: ***\r\nkv: ***\r\n\r\nx",
            ),
            ("a: b\n\nAuthCookie: geheim\nmspauth: text", "a: b\n\nAuthCookie: ***\nmspauth: text"),
            ("sid:geheim", "sid: ***"),
            ("a: b\r\n\r\nhello", "a: b\r\n\r\nhello"),
            ("", ""),
        ] {
            let masked = masked_payload(payload.as_bytes());
            assert_eq!(String::from_utf8_lossy(&masked), shown, "{payload}");
        }
    }
}
