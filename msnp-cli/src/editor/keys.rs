//! Bytes of a terminal to keys.
//!
//! The reader takes any bytes in any pieces: an escape sequence or a character that is cut in two
//! is put together, and what is none is passed over.

use std::str;

/// Most bytes of a paste that are kept; what can be sent is far less.
const PASTE: usize = 64 * 1024;

/// Most bytes of the parameters of one sequence.
const PARAMETERS: usize = 16;

/// What ends a paste.
const PASTE_END: &[u8] = b"\x1b[201~";

/// A key, or what a terminal sends in the place of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Char(char),
    Enter,
    /// Ctrl-D.
    EndOrDelete,
    Backspace,
    Delete,
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    Up,
    Down,
    KillToEnd,
    KillToStart,
    KillWord,
    KillWordRight,
    Yank,
    ClearScreen,
    /// Several characters at once, lines separated by LF.
    Paste(String),
    /// Where the cursor is, for who has asked: row and column from 1.
    Position(u16, u16),
}

/// What has come of the key at hand.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Ground,
    /// Behind ESC.
    Escape,
    /// Behind `ESC [`, with the parameters so far.
    Sequence(Vec<u8>),
    /// Behind `ESC O`.
    Single,
    /// In a character of several bytes.
    Char(Vec<u8>),
    Paste(Vec<u8>),
}

impl Keys {
    /// Takes one byte; a key if it is the last of one.
    pub(crate) fn feed(&mut self, byte: u8) -> Option<Key> {
        match std::mem::take(&mut self.state) {
            State::Ground => self.begin(byte),
            State::Escape => self.escaped(byte),
            State::Sequence(parameters) => self.sequence(parameters, byte),
            State::Single => match byte {
                b'A' => Some(Key::Up),
                b'B' => Some(Key::Down),
                b'C' => Some(Key::Right),
                b'D' => Some(Key::Left),
                b'H' => Some(Key::Home),
                b'F' => Some(Key::End),
                b'M' => Some(Key::Enter),
                _ => None,
            },
            State::Char(bytes) => self.char(bytes, byte),
            State::Paste(bytes) => self.paste(bytes, byte),
        }
    }

    fn begin(&mut self, byte: u8) -> Option<Key> {
        Some(match byte {
            0x01 => Key::Home,
            0x02 => Key::Left,
            0x04 => Key::EndOrDelete,
            0x05 => Key::End,
            0x06 => Key::Right,
            0x08 | 0x7f => Key::Backspace,
            b'\r' | b'\n' => Key::Enter,
            0x0b => Key::KillToEnd,
            0x0c => Key::ClearScreen,
            0x0e => Key::Down,
            0x10 => Key::Up,
            0x15 => Key::KillToStart,
            0x17 => Key::KillWord,
            0x19 => Key::Yank,
            0x1b => {
                self.state = State::Escape;
                return None;
            }
            0x20..=0x7e => Key::Char(char::from(byte)),
            0xc2..=0xf4 => {
                self.state = State::Char(vec![byte]);
                return None;
            }
            _ => return None,
        })
    }

    fn escaped(&mut self, byte: u8) -> Option<Key> {
        match byte {
            b'[' => self.state = State::Sequence(Vec::new()),
            b'O' => self.state = State::Single,
            0x1b => self.state = State::Escape,
            b'b' | b'B' => return Some(Key::WordLeft),
            b'f' | b'F' => return Some(Key::WordRight),
            b'd' | b'D' => return Some(Key::KillWordRight),
            0x08 | 0x7f => return Some(Key::KillWord),
            _ => {}
        }
        None
    }

    fn sequence(&mut self, mut parameters: Vec<u8>, byte: u8) -> Option<Key> {
        match byte {
            // Parameters and intermediates; too many are counted off and mean nothing.
            0x20..=0x3f => {
                parameters.push(byte);
                parameters.truncate(PARAMETERS);
                self.state = State::Sequence(parameters);
                return None;
            }
            0x1b => {
                self.state = State::Escape;
                return None;
            }
            0x40..=0x7e => {}
            _ => return None,
        }
        let words = str::from_utf8(&parameters).ok()?;
        let mut numbers = words.split(';').map(|word| word.parse::<u16>().ok());
        let first = numbers.next().flatten();
        let second = numbers.next().flatten();
        // 3, 5 and their kin are Alt and Ctrl.
        let by_word = second.is_some_and(|modifier| modifier >= 3);
        Some(match (byte, first) {
            (b'A', _) => Key::Up,
            (b'B', _) => Key::Down,
            (b'C', _) if by_word => Key::WordRight,
            (b'D', _) if by_word => Key::WordLeft,
            (b'C', _) => Key::Right,
            (b'D', _) => Key::Left,
            (b'H', _) | (b'~', Some(1 | 7)) => Key::Home,
            (b'F', _) | (b'~', Some(4 | 8)) => Key::End,
            (b'~', Some(3)) => Key::Delete,
            (b'R', Some(row)) => Key::Position(row, second?),
            (b'~', Some(200)) => {
                self.state = State::Paste(Vec::new());
                return None;
            }
            _ => return None,
        })
    }

    fn char(&mut self, mut bytes: Vec<u8>, byte: u8) -> Option<Key> {
        bytes.push(byte);
        match str::from_utf8(&bytes) {
            Ok(text) => text.chars().next().filter(|c| !c.is_control()).map(Key::Char),
            // Only its end is missing.
            Err(error) if error.error_len().is_none() => {
                self.state = State::Char(bytes);
                None
            }
            // What is no part of it begins something.
            Err(_) => self.begin(byte),
        }
    }

    fn paste(&mut self, mut bytes: Vec<u8>, byte: u8) -> Option<Key> {
        bytes.push(byte);
        if let Some(text) = bytes.strip_suffix(PASTE_END) {
            let text = text.get(..PASTE).unwrap_or(text);
            return Some(Key::Paste(clean(&String::from_utf8_lossy(text))));
        }
        // Beyond the limit only so much is kept as the end can be told by.
        if bytes.len() > PASTE + PASTE_END.len() {
            bytes.remove(PASTE);
        }
        self.state = State::Paste(bytes);
        None
    }
}

/// A pasted text with plain line ends, and without what would steer the terminal.
fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut keys = Keys::default();
        bytes.iter().filter_map(|byte| keys.feed(*byte)).collect()
    }

    #[test]
    fn every_key_by_its_bytes() {
        use Key::*;
        let rows: &[(&[u8], &[Key])] = &[
            (b"aZ~", &[Char('a'), Char('Z'), Char('~')]),
            ("ü世🙂".as_bytes(), &[Char('ü'), Char('世'), Char('🙂')]),
            (b"\r\n", &[Enter, Enter]),
            (b"\x01\x05\x02\x06", &[Home, End, Left, Right]),
            (b"\x04\x08\x7f", &[EndOrDelete, Backspace, Backspace]),
            (b"\x0b\x15\x17\x19", &[KillToEnd, KillToStart, KillWord, Yank]),
            (b"\x0c\x0e\x10", &[ClearScreen, Down, Up]),
            (b"\x1b[A\x1b[B\x1b[C\x1b[D", &[Up, Down, Right, Left]),
            (b"\x1bOA\x1bOB\x1bOC\x1bOD", &[Up, Down, Right, Left]),
            (b"\x1b[H\x1b[F\x1bOH\x1bOF", &[Home, End, Home, End]),
            (b"\x1b[1~\x1b[4~\x1b[7~\x1b[8~", &[Home, End, Home, End]),
            (b"\x1b[3~", &[Delete]),
            (b"\x1b[1;5C\x1b[1;5D\x1b[1;3C\x1b[1;2D", &[WordRight, WordLeft, WordRight, Left]),
            (b"\x1bb\x1bf\x1bd\x1b\x7f", &[WordLeft, WordRight, KillWordRight, KillWord]),
            (b"\x1b[24;80R", &[Position(24, 80)]),
            (
                b"\x1b[200~a\r\nb\rc\x1b[2J\x07\td\x1b[201~x",
                &[Paste("a\nb\nc[2J\td".into()), Char('x')],
            ),
            (b"\x1b[200~\x1b[201~", &[Paste(String::new())]),
        ];
        for (bytes, expected) in rows {
            assert_eq!(keys(bytes), *expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn what_is_no_key_is_passed_over_and_hides_nothing() {
        let rows: &[&[u8]] = &[
            b"\x00a",
            b"\x1b[99~a",
            b"\x1b[1;2;3;4;5;6;7;8;9;10;11;12ma",
            b"\x1b[99999999999999999999~a",
            b"\x1bOza",
            b"\x1bza",
            b"\x1b\x1b\x1b[99~a",
            b"\x1b[\x1b[99~a",
            b"\xffa",
            b"\x80a",
            b"\xe4a",
            b"\xe4\xb8a",
            b"\xc2\x85a",
            b"\xf4\x90\x80\x80a",
            b"\x1b[;Ra",
        ];
        for bytes in rows {
            assert_eq!(keys(bytes), [Key::Char('a')], "{}", bytes.escape_ascii());
        }
        assert_eq!(keys(b"\xe4\x1b[A"), [Key::Up]);
    }

    #[test]
    fn a_paste_is_kept_up_to_its_limit_and_its_end_is_found() {
        let mut bytes = b"\x1b[200~".to_vec();
        bytes.extend(b"x".repeat(PASTE + 10_000));
        bytes.extend(b"\x1b[201~y");
        let keys = keys(&bytes);
        let [Key::Paste(text), Key::Char('y')] = keys.as_slice() else { panic!("{}", keys.len()) };
        assert_eq!(text.len(), PASTE);
    }

    #[test]
    fn any_bytes_do() {
        // A simple generator is enough: each state sees each byte.
        let mut seed = 1_u32;
        let mut reader = Keys::default();
        for _ in 0..200_000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let byte = (seed >> 24) as u8;
            if let Some(Key::Char(c)) = reader.feed(byte) {
                assert!(!c.is_control());
            }
        }
    }
}
