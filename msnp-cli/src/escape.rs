//! Text from the network made safe for a terminal and for tools that read lines.
//!
//! This module knows which characters may change what a reader sees. It does not know where the
//! text came from: everything that is shown goes through it.

use std::fmt::{self, Display, Write};

/// Shows a text with every character escaped that could end the line, steer a terminal or change
/// the direction of writing. A backslash is doubled, so that the text can be told from an escape.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = 0;
        for (at, c) in self.0.char_indices() {
            if !is_risky(c) {
                continue;
            }
            f.write_str(self.0.get(shown..at).unwrap_or_default())?;
            shown = at + c.len_utf8();
            match c {
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                c => write!(f, "\\u{{{:x}}}", u32::from(c))?,
            }
        }
        f.write_str(self.0.get(shown..).unwrap_or_default())
    }
}

/// Writes what another type shows through [`Escaped`], for texts that are put together.
pub(crate) struct EscapedDisplay<T>(pub(crate) T);

impl<T: Display> Display for EscapedDisplay<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Through<'a, 'b>(&'a mut fmt::Formatter<'b>);
        impl Write for Through<'_, '_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                Escaped(text).fmt(self.0)
            }
        }
        write!(Through(f), "{}", self.0)
    }
}

/// Bytes as text that is not escaped yet: those that are not UTF-8 stand in angle brackets.
pub(crate) fn text_of_bytes(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            write!(text, "<{byte:02x}>").expect("a string takes everything");
        }
    }
    text
}

/// A line with everything escaped that could steer a terminal, and nothing else: what it holds may
/// be escaped already.
pub(crate) fn without_controls(line: &str) -> String {
    line.chars()
        .map(|c| {
            if is_risky(c) && c != '\\' {
                Escaped(c.encode_utf8(&mut [0; 4])).to_string()
            } else {
                c.into()
            }
        })
        .collect()
}

/// Whether a character may change what a reader sees of the text around it, or is a backslash.
pub(crate) fn is_risky(c: char) -> bool {
    // Control characters of ASCII and of Latin-1, which NEL (U+0085) is among.
    c.is_control()
        || matches!(c,
            '\\'
            // Line and paragraph separators.
            | '\u{2028}' | '\u{2029}'
            // Marks and embeddings that change the direction of writing.
            | '\u{061c}' | '\u{200e}' | '\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // Byte order mark and other invisible steering.
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0001}' | '\u{e0020}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_shown_as_it_is() {
        for text in ["", "hello", "Grüße, 世界 🙂", "a \"quote\" & <b>"] {
            assert_eq!(Escaped(text).to_string(), text);
        }
    }

    #[test]
    fn escape_codes_do_not_reach_the_terminal() {
        let rows = [
            ("\x1b]0;x\x07", "\\u{1b}]0;x\\u{7}"),
            ("\x1b[2J", "\\u{1b}[2J"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("\x7f\0", "\\u{7f}\\u{0}"),
        ];
        for (text, shown) in rows {
            assert_eq!(Escaped(text).to_string(), shown);
        }
    }

    #[test]
    fn a_text_cannot_forge_a_line() {
        let text = "a\r\nb\u{85}c\u{2028}d\u{2029}e\u{b}f\u{c}g";
        let shown = Escaped(text).to_string();
        assert_eq!(shown, "a\\r\\nb\\u{85}c\\u{2028}d\\u{2029}e\\u{b}f\\u{c}g");
        assert_ne!(Escaped("a\\nb").to_string(), Escaped("a\nb").to_string());
    }

    #[test]
    fn direction_marks_are_shown() {
        let marks = ['\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}', '\u{200e}', '\u{200f}'];
        for mark in marks.into_iter().chain(['\u{61c}']) {
            let shown = Escaped(&format!("cod{mark}exe.txt")).to_string();
            assert_eq!(shown, format!("cod\\u{{{:x}}}exe.txt", u32::from(mark)));
        }
    }

    #[test]
    fn what_is_put_together_is_escaped_as_a_whole() {
        let shown = EscapedDisplay(format_args!("{}: {}", "a\x1b", "b\n")).to_string();
        assert_eq!(shown, "a\\u{1b}: b\\n");
    }
}
