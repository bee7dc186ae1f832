//! The text that is being edited, and what was said before.

use std::collections::VecDeque;

use super::keys::Key;
use crate::width::width_of;

/// Texts that are remembered.
const HISTORY: usize = 500;

/// Largest text, in bytes; what can be sent is far less.
const TEXT: usize = 64 * 1024;

/// What a key has brought about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing that is to be seen.
    None,
    /// The line looks different.
    Changed,
    /// The line is to be drawn on an empty screen.
    Cleared,
    /// A text is finished; the line is empty again.
    Entered(String),
    /// There will be no more.
    Ended,
    /// The terminal says where its cursor is: row and column from 1.
    Position(u16, u16),
}

/// A line with a cursor, what was killed last, and the history.
#[derive(Debug, Default)]
pub(crate) struct Line {
    text: String,
    /// Between two characters as they are seen, in bytes.
    cursor: usize,
    killed: String,
    history: VecDeque<String>,
    /// Which text of the history is shown, counted from the newest, and what was written before.
    shown: Option<(usize, String)>,
}

impl Line {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The text before the cursor.
    pub(crate) fn before(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or_default()
    }

    /// Puts a text into the line that could not be used, so that it can be mended.
    pub(crate) fn restore(&mut self, text: String) {
        self.cursor = text.len();
        self.text = text;
    }

    pub(crate) fn apply(&mut self, key: Key) -> Effect {
        let before = (self.cursor, self.text.len());
        match key {
            Key::Enter => return self.enter(),
            Key::EndOrDelete if self.text.is_empty() => return Effect::Ended,
            Key::ClearScreen => return Effect::Cleared,
            Key::Position(row, column) => return Effect::Position(row, column),
            Key::Up | Key::Down => return self.look_back(key == Key::Up),
            Key::Char(c) => self.insert(c.encode_utf8(&mut [0; 4])),
            Key::Paste(text) => self.insert(&text),
            Key::Yank => {
                let killed = std::mem::take(&mut self.killed);
                self.insert(&killed);
                self.killed = killed;
            }
            Key::Left => self.cursor = self.left(self.cursor),
            Key::Right => self.cursor = self.right(self.cursor),
            Key::WordLeft => self.cursor = self.word_left(),
            Key::WordRight => self.cursor = self.word_right(),
            Key::Home => self.cursor = 0,
            Key::End => self.cursor = self.text.len(),
            Key::Backspace => self.remove(self.left(self.cursor), self.cursor),
            Key::Delete | Key::EndOrDelete => self.remove(self.cursor, self.right(self.cursor)),
            Key::KillToEnd => self.kill(self.cursor, self.text.len()),
            Key::KillToStart => self.kill(0, self.cursor),
            Key::KillWord => self.kill(self.word_left(), self.cursor),
            Key::KillWordRight => self.kill(self.cursor, self.word_right()),
        }
        // A mark may belong to another character now.
        if !is_border(&self.text, self.cursor) {
            self.cursor = self.right(self.cursor);
        }
        if before == (self.cursor, self.text.len()) { Effect::None } else { Effect::Changed }
    }

    fn enter(&mut self) -> Effect {
        let text = std::mem::take(&mut self.text);
        self.cursor = 0;
        self.shown = None;
        if !text.is_empty() && self.history.back() != Some(&text) {
            if self.history.len() >= HISTORY {
                self.history.pop_front();
            }
            self.history.push_back(text.clone());
        }
        Effect::Entered(text)
    }

    /// Shows an older or a newer text in the place of what is written.
    fn look_back(&mut self, older: bool) -> Effect {
        let at = self.shown.as_ref().map(|(at, _)| *at);
        let next = match (at, older) {
            (None, true) => Some(0),
            (None, false) => return Effect::None,
            (Some(at), true) => Some(at + 1),
            (Some(at), false) => at.checked_sub(1),
        };
        let written = self.shown.take().map(|(_, written)| written);
        let text = match next {
            None => written.unwrap_or_default(),
            Some(next) => {
                let Some(text) = self.history.iter().rev().nth(next).cloned() else {
                    self.shown = at.zip(written);
                    return Effect::None;
                };
                self.shown = Some((next, written.unwrap_or_else(|| self.text.clone())));
                text
            }
        };
        self.restore(text);
        Effect::Changed
    }

    fn insert(&mut self, text: &str) {
        if self.text.len() + text.len() <= TEXT {
            self.text.insert_str(self.cursor, text);
            self.cursor += text.len();
        }
    }

    fn remove(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.cursor = from;
    }

    fn kill(&mut self, from: usize, to: usize) {
        if from < to {
            self.killed = self.text.get(from..to).unwrap_or_default().to_owned();
            self.remove(from, to);
        }
    }

    fn left(&self, from: usize) -> usize {
        (0..from).rev().find(|at| is_border(&self.text, *at)).unwrap_or(0)
    }

    fn right(&self, from: usize) -> usize {
        let end = self.text.len();
        (from + 1..end).find(|at| is_border(&self.text, *at)).unwrap_or(end)
    }

    /// Where the word before the cursor begins.
    fn word_left(&self) -> usize {
        let is_word = |c: char| !c.is_whitespace();
        let rest = self.before().trim_end_matches(char::is_whitespace);
        rest.rfind(|c| !is_word(c)).map_or(0, |at| {
            let blank = rest.get(at..).and_then(|rest| rest.chars().next());
            at + blank.map_or(0, char::len_utf8)
        })
    }

    /// Where the word behind the cursor ends.
    fn word_right(&self) -> usize {
        let rest = self.text.get(self.cursor..).unwrap_or_default();
        let word = rest.trim_start_matches(char::is_whitespace);
        let end = word.find(char::is_whitespace).unwrap_or(word.len());
        self.text.len() - word.len() + end
    }
}

/// Whether the cursor can stand there: not within a character, nor before a mark that is drawn onto
/// the one before, nor behind what joins two of them.
fn is_border(text: &str, at: usize) -> bool {
    const JOINER: char = '\u{200d}';
    let (Some(before), Some(behind)) = (text.get(..at), text.get(at..)) else { return false };
    let is_mark = |c: char| !c.is_control() && width_of(c) == 0;
    match (before.chars().next_back(), behind.chars().next()) {
        (Some(last), Some(next)) => last != JOINER && !is_mark(next),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::Key::*;
    use super::*;

    /// What the line is after these keys, the cursor as `|`.
    fn after(keys: &[Key]) -> String {
        let mut line = Line::default();
        for key in keys {
            line.apply(key.clone());
        }
        shown(&line)
    }

    fn shown(line: &Line) -> String {
        format!("{}|{}", line.before(), &line.text[line.cursor..])
    }

    fn paste(text: &str) -> Key {
        Paste(text.into())
    }

    #[test]
    fn keys_edit_the_line() {
        let rows: &[(&[Key], &str)] = &[
            (&[], "|"),
            (&[Char('a'), Char('b')], "ab|"),
            (&[Char('b'), Left, Char('a')], "a|b"),
            (&[paste("abc"), Left, Left, Backspace], "|bc"),
            (&[paste("abc"), Left, Left, Delete], "a|c"),
            (&[paste("abc"), Home, EndOrDelete], "|bc"),
            (&[paste("abc"), Home, Left, Backspace, Right], "a|bc"),
            (&[paste("abc"), End, Right, Delete], "abc|"),
            (&[paste("ab cd"), Home, Right, KillToEnd], "a|"),
            (&[paste("ab cd"), Left, KillToStart], "|d"),
            (&[paste("ab  cd "), KillWord], "ab  |"),
            (&[paste("ab  cd "), KillWord, KillWord], "|"),
            (&[paste("ab cd"), Home, KillWordRight], "| cd"),
            (&[paste("ab cd"), Home, KillWordRight, KillWordRight], "|"),
            (&[paste("ab cd"), KillWord, Home, Yank, Yank], "cdcd|ab "),
            (&[paste("ab cd ef"), WordLeft, WordLeft], "ab |cd ef"),
            (&[paste("ab cd ef"), Home, WordRight, WordRight], "ab cd| ef"),
            (&[paste("a\nb"), Left, Left], "a|\nb"),
            (&[Yank, KillToEnd, KillToStart, KillWord, Delete, Backspace], "|"),
            // Wide characters, marks drawn onto others, joined emoji: one step each.
            (&[paste("世界"), Left], "世|界"),
            (&[paste("世界"), Backspace], "世|"),
            (&[paste("e\u{301}x"), Left, Left], "|e\u{301}x"),
            (&[paste("e\u{301}x"), Left, Backspace], "|x"),
            (&[paste("a👩\u{200d}💻"), Left], "a|👩\u{200d}💻"),
            (&[paste("a👩\u{200d}💻"), Left, Delete], "a|"),
            (&[paste("\u{301}"), Home, Char('e')], "e\u{301}|"),
        ];
        for (keys, expected) in rows {
            assert_eq!(after(keys), *expected, "{keys:?}");
        }
    }

    #[test]
    fn what_is_to_be_done_is_told() {
        let mut line = Line::default();
        let rows = [
            (EndOrDelete, Effect::Ended),
            (Left, Effect::None),
            (Char('a'), Effect::Changed),
            (EndOrDelete, Effect::None),
            (ClearScreen, Effect::Cleared),
            (Position(1, 80), Effect::Position(1, 80)),
            (Enter, Effect::Entered("a".into())),
            (Enter, Effect::Entered(String::new())),
            (EndOrDelete, Effect::Ended),
        ];
        for (key, effect) in rows {
            assert_eq!(line.apply(key.clone()), effect, "{key:?}");
        }
    }

    #[test]
    fn what_was_said_can_be_said_again_and_what_was_being_written_is_kept() {
        let mut line = Line::default();
        for text in ["one", "two", "two", ""] {
            line.apply(paste(text));
            line.apply(Enter);
        }
        line.apply(paste("draft"));
        let rows = [
            (Down, "draft|"),
            (Up, "two|"),
            (Up, "one|"),
            (Up, "one|"),
            (Down, "two|"),
            (Down, "draft|"),
            (Down, "draft|"),
            (Up, "two|"),
            (Backspace, "tw|"),
            (Down, "draft|"),
        ];
        for (key, expected) in rows {
            line.apply(key.clone());
            assert_eq!(shown(&line), expected, "{key:?}");
        }
        line.apply(Up);
        assert_eq!(line.apply(Enter), Effect::Entered("two".into()));
        line.restore("mend me".into());
        assert_eq!(shown(&line), "mend me|");
    }

    #[test]
    fn history_and_text_have_limits() {
        let mut line = Line::default();
        for n in 0..HISTORY + 10 {
            line.apply(paste(&n.to_string()));
            line.apply(Enter);
        }
        assert_eq!(line.history.len(), HISTORY);
        line.apply(paste(&"x".repeat(TEXT)));
        assert_eq!(line.apply(Char('y')), Effect::None);
        assert_eq!(line.text().len(), TEXT);
    }

    #[test]
    fn the_cursor_is_always_between_characters() {
        let mut seed = 7_u32;
        let mut line = Line::default();
        let texts =
            ["世", "e\u{301}", "👩\u{200d}💻", "\u{200d}", "\u{301}", " ", "a\nb", "\t", "x"];
        let moves = [Left, Right, WordLeft, WordRight, Home, End, Backspace, Delete];
        let kills = [KillToEnd, KillToStart, KillWord, KillWordRight, Yank, Up, Down, Enter];
        for _ in 0..20_000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let pick = (seed >> 16) as usize;
            let key = match seed >> 30 {
                0 | 1 => paste(texts[pick % texts.len()]),
                2 => moves[pick % moves.len()].clone(),
                _ => kills[pick % kills.len()].clone(),
            };
            line.apply(key);
            assert!(is_border(&line.text, line.cursor), "{line:?}");
        }
    }
}
