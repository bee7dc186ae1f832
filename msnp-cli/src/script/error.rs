//! What is wrong with a script, and where.
//!
//! This module knows how a mistake is shown to people: the place, what was expected, the line and a
//! mark under the column. It does not know the grammar.

use std::fmt;

use crate::escape::Escaped;
use crate::width::width;

/// Mistakes that are kept; the rest is counted.
const MOST: usize = 20;

/// Columns of a line that are shown.
const SHOWN: usize = 96;

/// Everything that is wrong with a script: 20 mistakes at most, in the order of the lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Errors {
    mistakes: Vec<Mistake>,
    more: usize,
}

impl Errors {
    pub(super) fn push(&mut self, mistake: Mistake) {
        if self.mistakes.len() < MOST {
            self.mistakes.push(mistake);
        } else {
            self.more += 1;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.mistakes.is_empty()
    }

    /// The mistakes that were kept.
    #[must_use]
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// How many more there are.
    #[must_use]
    pub fn more(&self) -> usize {
        self.more
    }
}

/// One mistake and its place.
///
/// It is shown as `LINE:COLUMN: what is wrong`, the line itself, and a mark under the column. What
/// could end a line or steer a terminal is escaped, a long line is shown in part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What is wrong.
    pub problem: Problem,
    /// A part of the line, escaped, and how many columns there are before the mark.
    excerpt: (String, usize),
}

impl Mistake {
    /// A mistake `offset` bytes into a line.
    pub(super) fn new(line: u32, text: &[u8], offset: usize, problem: Problem) -> Self {
        let (before, behind) = text.split_at(offset.min(text.len()));
        let (before, behind) = (String::from_utf8_lossy(before), String::from_utf8_lossy(behind));
        let column = u32::try_from(before.chars().count()).unwrap_or(u32::MAX).saturating_add(1);
        Self { line, column, problem, excerpt: excerpt(&before, &behind) }
    }
}

/// The line around the mark.
fn excerpt(before: &str, behind: &str) -> (String, usize) {
    const CUT: &str = "…";
    let shown = |c: char| Escaped(c.encode_utf8(&mut [0; 4])).to_string();
    let mut left = Vec::new();
    let mut columns = 0;
    let mut cut = "";
    for piece in before.chars().rev().map(shown) {
        if columns + width(&piece) > SHOWN / 2 {
            cut = CUT;
            break;
        }
        columns += width(&piece);
        left.push(piece);
    }
    let mark = width(cut) + columns;
    let mut text = String::from(cut);
    text.extend(left.into_iter().rev());
    for piece in behind.chars().map(shown) {
        if columns + width(&piece) > SHOWN {
            text.push_str(CUT);
            break;
        }
        columns += width(&piece);
        text.push_str(&piece);
    }
    (text, mark)
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, mark) = &self.excerpt;
        writeln!(f, "{}:{}: {}", self.line, self.column, self.problem)?;
        writeln!(f, "    {text}")?;
        write!(f, "    {:mark$}^", "")
    }
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// Something else should stand there.
    Expected(Expected),
    /// No variable has this name.
    UnknownVariable(String),
    /// The text makes a message that servers do not take.
    TooLong {
        /// Bytes of the payload as it would be.
        size: usize,
        /// Most bytes.
        limit: usize,
    },
    /// A here-document has no end.
    NoEnd(String),
    /// A setting that was made before.
    Twice,
    /// A setting behind the first step.
    Late,
    /// A verb that can be used in a script only.
    ScriptOnly,
    /// Bytes that are no UTF-8.
    NotUtf8,
    /// UTF-16, by its first bytes.
    Utf16,
    /// A character of value 0.
    Nul,
    /// There is nothing to do.
    NoStep,
    /// There is nothing to do from the line on that was asked for.
    NoStepFrom(u32),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expected(expected) => write!(f, "expected {expected}"),
            Self::UnknownVariable(name) => {
                write!(f, "no variable `{}`; give it one with --set {0}=VALUE", Escaped(name))
            }
            Self::TooLong { size, limit } => write!(
                f,
                "the text makes a message of {size} bytes with its header, {} more than the {limit} \
                 that servers take; shorten or split it",
                size.saturating_sub(*limit)
            ),
            Self::NoEnd(word) => {
                write!(f, "expected a line `{}` that ends this text; there is none", Escaped(word))
            }
            Self::Twice => f.write_str("this is set twice"),
            Self::Late => {
                f.write_str("`set` holds for the whole run and stands before the first step")
            }
            Self::ScriptOnly => {
                f.write_str("this is for scripts only; `/help` shows what can be done")
            }
            Self::NotUtf8 => f.write_str("expected UTF-8; this byte is none"),
            Self::Utf16 => f.write_str("this is UTF-16; save it as UTF-8"),
            Self::Nul => f.write_str("expected text; this is a character of value 0"),
            Self::NoStep => f.write_str("expected at least one step; there is none"),
            Self::NoStepFrom(line) => write!(f, "there is no step in line {line} or behind it"),
        }
    }
}

/// What should stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// The first word of a line.
    Verb,
    /// Who.
    Account,
    /// The rest of a line.
    Text,
    /// The rest of a line.
    Path,
    /// The number of a file.
    Transfer,
    /// A duration.
    Time,
    /// A state to be seen in.
    Status,
    /// A text in double quotes.
    Quoted,
    /// A name in double quotes that is not empty and not too long.
    Name,
    /// A group in double quotes that is not empty.
    Group,
    /// What may be escaped in double quotes.
    Escape,
    /// This word.
    Word(&'static str),
    /// Nothing more, or one of these words.
    EndOr(&'static str),
    /// Nothing more.
    End,
    /// The name of a setting.
    Setting,
    /// The texts in flight.
    Window,
    /// What to do after a failure.
    OnError,
    /// What counts as done.
    Until,
    /// What follows a dollar sign.
    Dollar,
    /// `add`, `remove` or `rename` of groups.
    GroupTask,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verb => {
                f.write_str("a verb, one of:")?;
                super::VERBS.iter().try_for_each(|verb| write!(f, " {verb}"))
            }
            Self::Account => f.write_str("an account of the form name@domain"),
            Self::Text => f.write_str("a text, or `<<END` and the text in lines up to one `END`"),
            Self::Path => f.write_str("the path of a file, which is the rest of the line"),
            Self::Transfer => f.write_str("the number of a file, as `offer` has it"),
            Self::Time => f.write_str("a time like 500ms, 10s or 2m"),
            Self::Status => f.write_str("a state: NLN, BSY, IDL, BRB, AWY, PHN, LUN or HDN"),
            Self::Quoted => f.write_str("a text in double quotes"),
            Self::Name => write!(
                f,
                "a name in double quotes, not empty and at most {} bytes long on the network, \
                 where blanks and letters beyond ASCII take several",
                msnp_proto::limits::NICK
            ),
            Self::Group => f.write_str("the name or number of a group in double quotes"),
            Self::Escape => f.write_str("one of \\\" \\\\ \\n behind a backslash"),
            Self::Word(word) => write!(f, "`{word}`"),
            Self::EndOr(words) => write!(f, "{words}, or the end of the line"),
            Self::End => f.write_str("the end of the line"),
            Self::Setting => {
                f.write_str("one of: ack-timeout on-error timeout until window, then a blank")
            }
            Self::Window => write!(f, "a number from 1 to {}", super::MOST_IN_FLIGHT),
            Self::OnError => f.write_str("stop or continue"),
            Self::Until => f.write_str("queued, sent or acked"),
            Self::Dollar => f.write_str("`${name}`, or `$$` for a dollar sign"),
            Self::GroupTask => f.write_str("add, remove or rename"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &[u8], offset: usize) -> String {
        Mistake::new(7, text, offset, Problem::NotUtf8).to_string()
    }

    #[test]
    fn the_mark_stands_under_the_column() {
        let rows: [(&[u8], usize, &str); 7] = [
            (b"sleep soon", 6, "7:7: \n    sleep soon\n          ^"),
            (b"", 0, "7:1: \n    \n    ^"),
            (b"abc", 3, "7:4: \n    abc\n       ^"),
            ("世界 x".as_bytes(), 7, "7:4: \n    世界 x\n         ^"),
            (b"\t\x1b[2Jx", 5, "7:6: \n    \\t\\u{1b}[2Jx\n               ^"),
            (b"a\xff\xfeb", 3, "7:4: \n    a\u{fffd}\u{fffd}b\n       ^"),
            ("a\u{308}b".as_bytes(), 3, "7:3: \n    a\u{308}b\n     ^"),
        ];
        for (text, offset, expected) in rows {
            let all = shown(text, offset).replace("expected UTF-8; this byte is none", "");
            assert_eq!(all, expected);
        }
    }

    #[test]
    fn of_a_long_line_the_part_around_the_mark_is_shown() {
        let mut text = vec![b'a'; 1 << 20];
        for offset in [0, 10, 500, (1 << 20) - 1, 1 << 20] {
            text.iter_mut().for_each(|byte| *byte = b'a');
            if let Some(byte) = text.get_mut(offset) {
                *byte = b'X';
            }
            let all = shown(&text, offset);
            let lines: Vec<&str> = all.lines().collect();
            assert!(lines.iter().all(|line| width(line) <= 110), "{all}");
            let mark = lines[2].chars().count() - 1;
            let under = lines[1].chars().nth(mark);
            assert!(under == Some('X') || offset == 1 << 20, "{all}");
        }
    }

    #[test]
    fn mistakes_are_counted_beyond_those_that_are_kept() {
        let mut errors = Errors::default();
        for line in 1..=30 {
            errors.push(Mistake::new(line, b"x", 0, Problem::Nul));
        }
        assert_eq!((errors.mistakes().len(), errors.more()), (20, 10));
    }
}
