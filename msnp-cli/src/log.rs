//! Diagnostics: what the program says about itself, on stderr and in a file if one is named.
//!
//! This module knows how loud to be. It knows no secret, and nothing that it writes can end a line
//! or steer a terminal.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::rc::Rc;
use std::time::SystemTime;

use crate::escape::EscapedDisplay;
use crate::files;
use crate::progress::CLEAR;

/// Of a line so many characters; who names a file of more has read enough of it.
pub(crate) const LINE: usize = 2000;

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Why the program failed.
    Error,
    /// What the user should know.
    Note,
    /// What the program does.
    Detail,
    /// Every line on the network.
    Wire,
}

/// Writes diagnostics. Copies write to the same places.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    stderr: Level,
    /// None in it once it could not be written.
    file: Rc<RefCell<Option<File>>>,
    /// The last line of the terminal is one that is written again and again.
    is_drawn: Rc<Cell<bool>>,
}

impl Log {
    /// Stderr gets what is as important as `stderr` or more; a file gets details at least.
    pub(crate) fn new(stderr: Level, file: Option<File>) -> Self {
        Self { stderr, file: Rc::new(RefCell::new(file)), is_drawn: Rc::default() }
    }

    /// Whether anybody wants to see what passes on the network.
    pub(crate) fn wants_wire(&self) -> bool {
        self.stderr >= Level::Wire
    }

    pub(crate) fn error(&self, text: impl fmt::Display) {
        self.write(Level::Error, format_args!("error: {text}"));
    }

    /// An error in several lines, each safe to show as it is.
    pub(crate) fn error_in_lines(&self, shown: impl fmt::Display) {
        self.put(Level::Error, format_args!("error: {shown}"));
    }

    /// What the user has asked for, in several lines, each safe to show as it is. However little
    /// is to be said, this is.
    pub(crate) fn answer_in_lines(&self, shown: &str) {
        self.put(Level::Error, format_args!("{shown}"));
    }

    pub(crate) fn note(&self, text: impl fmt::Display) {
        self.write(Level::Note, format_args!("{text}"));
    }

    pub(crate) fn detail(&self, text: impl fmt::Display) {
        self.write(Level::Detail, format_args!("{text}"));
    }

    /// Whether a line may be drawn on stderr.
    pub(crate) fn can_draw(&self) -> bool {
        self.stderr >= Level::Note && std::io::stderr().is_terminal()
    }

    /// Draws over the last line of the terminal. Whatever is written next clears it first.
    pub(crate) fn draw(&self, line: &str) {
        self.is_drawn.set(true);
        let _ = std::io::stderr().write_all(line.as_bytes());
    }

    /// Clears the line that was drawn.
    pub(crate) fn clear(&self) {
        if self.is_drawn.take() {
            let _ = std::io::stderr().write_all(CLEAR.as_bytes());
        }
    }

    fn write(&self, level: Level, text: fmt::Arguments<'_>) {
        let text: String = text.to_string().chars().take(LINE).collect();
        self.put(level, format_args!("{}", EscapedDisplay(&text)));
    }

    /// A failure to write to stderr has nowhere to be told, so it is let go.
    fn put(&self, level: Level, shown: fmt::Arguments<'_>) {
        if level <= self.stderr {
            self.clear();
            let line = format!("msnp: {shown}\n");
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
        if level <= Level::Detail.max(self.stderr) {
            self.put_in_file(shown);
        }
    }

    /// A file that cannot be written is said to be so once, and left alone from then on.
    fn put_in_file(&self, shown: fmt::Arguments<'_>) {
        let mut file = self.file.borrow_mut();
        let Some(open) = file.as_mut() else { return };
        let at = humantime::format_rfc3339_millis(SystemTime::now());
        let line = format!("{at} {shown}\n");
        if let Err(error) = open.write_all(line.as_bytes()) {
            *file = None;
            drop(file);
            self.error(format_args!("the log file ends here: {}", files::reason(&error)));
        }
    }
}
