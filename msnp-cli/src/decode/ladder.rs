//! The conversation as a diagram of characters: a column for the client and one for each server.
//!
//! This module knows columns and arrows. A row is at most as wide as it is told, whatever was said.
//!
//! ```text
//!        time  client       dispatch     notification switchboard
//!    0.000000  |----------->|            |            |  #1 VER 1 MSNP7 CVR0
//!    0.000312  |<-----------|            |            |  #1 VER 1 MSNP7 CVR0
//! ```

use std::fmt::Write;

use msnp_proto::transcript::Side;

use super::event::{Event, Server, Sink};
use super::short::Row;
use super::text::Since;
use crate::escape::Escaped;
use crate::width::{width, width_of};

/// Writes rows.
#[derive(Debug)]
pub(super) struct Ladder {
    pub(super) out: Vec<u8>,
    show_secrets: bool,
    width: usize,
    since: Since,
    rows: u64,
}

/// Columns of the time and the blanks behind it.
const TIME: usize = 14;
/// Columns from one lifeline to the next.
const STEP: usize = 13;
/// The head is shown again after so many rows.
const PAGE: u64 = 50;

impl Ladder {
    pub(super) fn new(show_secrets: bool, width: usize) -> Self {
        Self { out: Vec::new(), show_secrets, width, since: Since::default(), rows: 0 }
    }

    /// One row: the time, the lifelines with an arrow or without, and what is said of them.
    fn row(&mut self, at: u64, arrow: Option<(Server, Side)>, label: &str) {
        if self.rows % PAGE == 0 {
            self.head();
        }
        self.rows += 1;
        let mut row = format!("{:>12}  ", self.since.of(at));
        row.push_str(&lifelines(arrow));
        row.push_str("  ");
        fit(&mut row, &Escaped(label).to_string(), self.width);
        row.truncate(row.trim_end().len());
        row.push('\n');
        self.out.extend_from_slice(row.as_bytes());
    }

    fn head(&mut self) {
        let mut head = format!("{:>12}  ", "time");
        for name in ["client", "dispatch", "notification", "switchboard"] {
            let _ = write!(head, "{name:<STEP$}");
        }
        if self.rows > 0 {
            self.out.push(b'\n');
        }
        self.out.extend_from_slice(head.trim_end().as_bytes());
        self.out.push(b'\n');
    }
}

/// Appends as much of a text as fits into the width, with dots if that is not all of it.
fn fit(row: &mut String, text: &str, columns: usize) {
    let room = columns.saturating_sub(width(row));
    if width(text) <= room {
        row.push_str(text);
        return;
    }
    let mut left = room.saturating_sub(2);
    for c in text.chars() {
        let Some(rest) = left.checked_sub(width_of(c)) else { break };
        row.push(c);
        left = rest;
    }
    row.push_str("..");
}

/// Four lifelines; an arrow goes from the first to that of the server, or back.
fn lifelines(arrow: Option<(Server, Side)>) -> String {
    let reach = arrow.map_or(0, |(server, _)| match server {
        Server::Dispatch => 1,
        Server::Notification => 2,
        Server::Switchboard => 3,
    });
    let mut lines = String::with_capacity(TIME + 4 * STEP);
    for column in 0..=3 {
        // A lifeline between the two ends of an arrow is crossed.
        lines.push(if column > 0 && column < reach { '+' } else { '|' });
        if column < 3 {
            let to_right = matches!(arrow, Some((_, Side::Client)));
            let is_first = column == 0 && reach > 0 && !to_right;
            let is_last = column + 1 == reach && to_right;
            lines.push(if is_first {
                '<'
            } else if column < reach {
                '-'
            } else {
                ' '
            });
            for _ in 0..STEP - 3 {
                lines.push(if column < reach { '-' } else { ' ' });
            }
            lines.push(if is_last {
                '>'
            } else if column < reach {
                '-'
            } else {
                ' '
            });
        }
    }
    lines
}

impl Sink for Ladder {
    fn take(&mut self, event: &Event<'_>) {
        let Row { arrow, label, .. } = Row::of(event, self.show_secrets);
        self.row(event.at, arrow, &label);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_too_wide_ends_in_dots_at_the_last_column() {
        for (text, columns, shown) in [
            ("hello", 10, "ab hello"),
            ("hello", 8, "ab hello"),
            ("hello", 7, "ab he.."),
            ("\u{6f22}\u{5b57}!", 8, "ab \u{6f22}\u{5b57}!"),
            ("\u{6f22}\u{5b57}!", 7, "ab \u{6f22}.."),
            ("\u{6f22}\u{5b57}!", 6, "ab .."),
        ] {
            let mut row = String::from("ab ");
            fit(&mut row, text, columns);
            assert_eq!(row, shown, "{text} in {columns}");
        }
    }

    #[test]
    fn arrows_cross_the_lifelines_between_their_ends() {
        for (arrow, shown) in [
            (None, "|            |            |            |"),
            (Some((Server::Dispatch, Side::Client)), "|----------->|            |            |"),
            (Some((Server::Dispatch, Side::Server)), "|<-----------|            |            |"),
            (
                Some((Server::Notification, Side::Client)),
                "|------------+----------->|            |",
            ),
            (Some((Server::Switchboard, Side::Server)), "|<-----------+------------+------------|"),
        ] {
            assert_eq!(lifelines(arrow), shown);
        }
    }
}
