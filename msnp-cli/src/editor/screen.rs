//! What to write so that a terminal shows the line in its last row.
//!
//! The line takes one row always: what does not fit is scrolled out of sight on both sides. So it is
//! taken away by clearing one row, whatever the terminal's size has become meanwhile.

use crate::escape::{Escaped, is_risky};
use crate::width::{width, width_of};

/// Before the text.
const PROMPT: &str = "> ";

/// Where something is out of sight.
const LEFT: char = '‹';
const RIGHT: char = '›';

/// What takes the line away.
pub(crate) const HIDE: &str = "\r\x1b[K";

/// What asks the terminal to say how wide it is: the cursor goes as far right as it can, says where
/// it is, and comes back.
pub(crate) const ASK_WIDTH: &str = "\x1b7\x1b[9999C\x1b[6n\x1b8";

/// What makes the terminal say where a paste begins and ends, and what ends that.
pub(crate) const PASTES_ON: &str = "\x1b[?2004h";
pub(crate) const PASTES_OFF: &str = "\x1b[?2004l";

/// What clears the screen.
pub(crate) const CLEAR: &str = "\x1b[H\x1b[2J";

/// What draws the line over what is in its row.
pub(crate) fn draw(text: &str, before: &str, columns: usize) -> String {
    let room = columns.saturating_sub(PROMPT.len() + 1).max(4);
    let cells: Vec<(String, usize)> = text.chars().map(cell).collect();
    let at = before.chars().count();
    let wide = |cells: &[(String, usize)]| cells.iter().map(|(_, columns)| columns).sum::<usize>();
    let (left, right) = cells.split_at(at.min(cells.len()));
    // From where on it is seen: in steps, so that the line does not move with each key.
    let (cursor, step) = (wide(left), (room / 4).max(1));
    let hidden = match cursor + 1 > room {
        true => (cursor + 1 - room).div_ceil(step) * step,
        false => 0,
    };
    let mut skipped = 0;
    let mut first = 0;
    while skipped < hidden && first < left.len() {
        skipped += left.get(first).map_or(0, |(_, columns)| *columns);
        first += 1;
    }
    let mut row = String::new();
    let mut used = 0;
    if first > 0 {
        row.push(LEFT);
        used += 1;
        first += 1;
    }
    let visible = left.get(first..).unwrap_or_default();
    let column = PROMPT.len() + used + wide(visible);
    for (shown, columns) in visible {
        row.push_str(shown);
        used += columns;
    }
    let mut rest = right.iter().peekable();
    while let Some((shown, columns)) = rest.next() {
        let reserve = usize::from(rest.peek().is_some());
        if used + columns + reserve > room {
            row.push(RIGHT);
            break;
        }
        row.push_str(shown);
        used += columns;
    }
    format!("\r{PROMPT}{row}\x1b[K\r\x1b[{column}C")
}

/// What leaves a finished text standing above the line.
pub(crate) fn leave(text: &str) -> String {
    format!("{HIDE}{PROMPT}{}\n", Escaped(text))
}

/// How a character is shown in the line, and how many columns that takes.
fn cell(c: char) -> (String, usize) {
    match c {
        '\n' => ("↵".into(), 1),
        '\t' => (" ".into(), 1),
        // It is told from what it would escape by the person who has written it.
        '\\' => ("\\".into(), 1),
        c if is_risky(c) => {
            let shown = Escaped(c.encode_utf8(&mut [0; 4])).to_string();
            let columns = width(&shown);
            (shown, columns)
        }
        c => (c.to_string(), width_of(c)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The row that a terminal shows, and the column of its cursor from 0.
    fn shown(text: &str, before: &str, columns: usize) -> (String, usize) {
        let drawn = draw(text, before, columns);
        let row = drawn.strip_prefix('\r').expect("from the left");
        let (row, cursor) = row.split_once("\x1b[K\r\x1b[").expect("then the cursor");
        (row.to_owned(), cursor.strip_suffix('C').and_then(|n| n.parse().ok()).expect("a number"))
    }

    #[test]
    fn a_line_that_fits_is_shown_whole() {
        let rows = [
            ("", "", "> ", 2),
            ("hello", "hello", "> hello", 7),
            ("hello", "he", "> hello", 4),
            ("世界x", "世", "> 世界x", 4),
            ("e\u{301}x", "e\u{301}", "> e\u{301}x", 3),
            ("a\nb\tc\\", "a\n", "> a↵b c\\", 4),
            ("a\u{202e}b", "a\u{202e}", "> a\\u{202e}b", 11),
        ];
        for (text, before, row, cursor) in rows {
            assert_eq!(shown(text, before, 40), (row.to_owned(), cursor), "{text:?}");
        }
    }

    #[test]
    fn of_a_long_line_the_part_around_the_cursor_is_shown() {
        let text = "abcdefghijklmnopqrstuvwxyz";
        let rows = [
            (0, "> abcdefghijkl›", 2),
            (5, "> abcdefghijkl›", 7),
            (13, "> ‹efghijklmno›", 12),
            (14, "> ‹efghijklmno›", 13),
            (26, "> ‹qrstuvwxyz", 13),
        ];
        for (at, row, cursor) in rows {
            assert_eq!(shown(text, &text[..at], 16), (row.to_owned(), cursor), "{at}");
        }
    }

    #[test]
    fn the_row_never_overflows_and_the_cursor_is_in_it() {
        for text in ["x".repeat(300), "世界🙂".repeat(60), "a\u{202e}\u{301}世".repeat(40)] {
            for columns in [0, 1, 8, 20, 79, 80, 200] {
                let borders = text.char_indices().map(|(at, _)| at).chain([text.len()]);
                for at in borders {
                    let (row, cursor) = shown(&text, &text[..at], columns);
                    let most = columns.max(8);
                    assert!(
                        width(&row) <= most && cursor <= most,
                        "{columns} {at}: {row} {cursor}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_left_standing_is_safe() {
        assert_eq!(leave("a\n\u{1b}[2J"), "\r\x1b[K> a\\n\\u{1b}[2J\n");
    }
}
