//! Somebody who types on a terminal: the line that they edit, below what arrives.

use std::collections::VecDeque;
use std::io;

use crate::editor::keys::{Key, Keys};
use crate::editor::line::{Effect, Line};
use crate::editor::screen;
use crate::input::{self, Input};
use crate::terminal::Terminal;

/// Columns until the terminal has said how many it has.
const COLUMNS: usize = 80;

/// The line at the bottom of the terminal.
pub(crate) struct Prompt {
    bytes: Input<Vec<u8>>,
    /// Bytes that have been taken and not been looked at.
    pressed: VecDeque<u8>,
    keys: Keys,
    line: Line,
    columns: usize,
    /// Questions about the width that have no answer yet.
    asked: u32,
    is_shown: bool,
    has_ended: bool,
    /// The last to go, so that the terminal is as before when all is over.
    terminal: Terminal,
}

impl Prompt {
    /// `None` if there is no terminal to type on. `wake` is called when there is something to read.
    pub(crate) fn open(wake: impl Fn() + Clone + Send + 'static) -> io::Result<Option<Self>> {
        let Some(terminal) = Terminal::open(wake.clone())? else { return Ok(None) };
        Ok(Some(Self {
            bytes: input::chunks(wake),
            pressed: VecDeque::new(),
            keys: Keys::default(),
            line: Line::default(),
            columns: COLUMNS,
            asked: 0,
            is_shown: false,
            has_ended: false,
            terminal,
        }))
    }

    /// Takes the keys that have been pressed, up to the end of a text.
    pub(crate) fn read(&mut self) -> Option<String> {
        while let Some(key) = self.next_key() {
            match self.line.apply(key) {
                Effect::None => {}
                Effect::Changed => self.is_shown = false,
                Effect::Cleared => {
                    self.terminal.write(screen::CLEAR);
                    self.is_shown = false;
                }
                Effect::Position(_, columns) if self.asked > 0 => {
                    self.asked -= 1;
                    self.columns = usize::from(columns);
                    self.is_shown = false;
                }
                Effect::Position(..) => {}
                Effect::Entered(text) => {
                    self.terminal.write(&screen::leave(&text));
                    self.is_shown = false;
                    return Some(text);
                }
                Effect::Ended => self.has_ended = true,
            }
        }
        None
    }

    fn next_key(&mut self) -> Option<Key> {
        while !self.has_ended {
            let Some(byte) = self.pressed.pop_front() else {
                match self.bytes.take() {
                    Some(bytes) => self.pressed.extend(bytes),
                    None if self.bytes.has_ended() => self.has_ended = true,
                    None => return None,
                }
                continue;
            };
            if let Some(key) = self.keys.feed(byte) {
                return Some(key);
            }
        }
        None
    }

    /// Whether there will be no more texts.
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Puts a text back that could not be used.
    pub(crate) fn restore(&mut self, text: String) {
        self.line.restore(text);
        self.is_shown = false;
    }

    /// Takes the line away, so that something can be written in its place.
    pub(crate) fn hide(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            self.terminal.write(screen::HIDE);
        }
    }

    /// Shows the line below what was written.
    pub(crate) fn show(&mut self) {
        if self.terminal.has_changed() {
            self.terminal.write(screen::ASK_WIDTH);
            self.asked += 1;
            self.is_shown = false;
        }
        if !std::mem::replace(&mut self.is_shown, true) {
            let drawn = screen::draw(self.line.text(), self.line.before(), self.columns);
            self.terminal.write(&drawn);
        }
    }
}
