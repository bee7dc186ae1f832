//! Stdin, read on a thread of its own, which waits when nobody takes what it has read.
//!
//! This module knows lines and their limits. It does not know what they say.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;

use crate::files;

/// Longest line that is read, with its end.
pub(crate) const LINE: usize = 64 * 1024;

/// Lines, or pieces of them, that are read ahead.
const AHEAD: usize = 16;

/// What stdin gives. It ends after an error of the system.
pub(crate) type Item = Result<String, Unreadable>;

/// Why something cannot be taken as a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is longer than [`LINE`]; it was passed over.
    TooLong,
    /// It is not UTF-8.
    NotUtf8,
    /// The system gave an error; this is the last of all.
    Failed(String),
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLong => write!(f, "a line of more than {} KiB", LINE / 1024),
            Self::NotUtf8 => f.write_str("a line that is not UTF-8"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

/// Something that a thread reads from stdin.
pub(crate) struct Input<T> {
    told: Receiver<T>,
    has_ended: bool,
}

impl<T> Input<T> {
    /// What has been read and not been taken, if there is something.
    pub(crate) fn take(&mut self) -> Option<T> {
        match self.told.try_recv() {
            Ok(item) => Some(item),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                self.has_ended = true;
                None
            }
        }
    }

    /// Whether everything has been taken, and nothing will come.
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended
    }
}

/// Reads lines without their ends, LF or CRLF; `wake` is called behind each and at the end.
pub(crate) fn lines(wake: impl Fn() + Send + 'static) -> Input<Item> {
    start(wake, |tell| {
        let mut stdin = io::stdin().lock();
        while let Some(item) = line(&mut stdin) {
            let is_last = matches!(item, Err(Unreadable::Failed(_)));
            if !tell(item) || is_last {
                break;
            }
        }
    })
}

/// Reads bytes as they come.
pub(crate) fn chunks(wake: impl Fn() + Send + 'static) -> Input<Vec<u8>> {
    start(wake, |tell| {
        let mut stdin = io::stdin().lock();
        let mut buffer = [0; 4096];
        loop {
            match stdin.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // An error means that the terminal is gone.
                Ok(0) | Err(_) => return,
                Ok(size) => {
                    if !tell(buffer.get(..size).unwrap_or_default().to_vec()) {
                        return;
                    }
                }
            }
        }
    })
}

fn start<T: Send + 'static>(
    wake: impl Fn() + Send + 'static,
    read: impl FnOnce(&dyn Fn(T) -> bool) + Send + 'static,
) -> Input<T> {
    let (tell, told) = mpsc::sync_channel(AHEAD);
    thread::spawn(move || {
        read(&|item| {
            let is_wanted = tell.send(item).is_ok();
            wake();
            is_wanted
        });
        drop(tell);
        wake();
    });
    Input { told, has_ended: false }
}

/// The next line; `None` at the end.
fn line(from: &mut impl BufRead) -> Option<Item> {
    let mut bytes = Vec::new();
    let limit = LINE as u64;
    match from.by_ref().take(limit).read_until(b'\n', &mut bytes) {
        Ok(0) => return None,
        Ok(_) => {}
        Err(error) => return Some(Err(Unreadable::Failed(files::reason(&error)))),
    }
    if bytes.len() == LINE && bytes.last() != Some(&b'\n') {
        return Some(Err(match skip_line(from) {
            Ok(()) => Unreadable::TooLong,
            Err(error) => Unreadable::Failed(files::reason(&error)),
        }));
    }
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    Some(std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Unreadable::NotUtf8))
}

fn skip_line(from: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = match from.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            result => result?,
        };
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let size = end.map_or(buffer.len(), |end| end + 1);
        from.consume(size);
        if end.is_some() || size == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<Item> {
        let mut from = io::BufReader::with_capacity(7, bytes);
        std::iter::from_fn(|| line(&mut from)).collect()
    }

    #[test]
    fn lines_end_with_lf_or_crlf_or_the_input() {
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(all(b""), []);
        assert_eq!(all(b"a\nb\r\n\nc"), [ok("a"), ok("b"), ok(""), ok("c")]);
        assert_eq!(all(b"a\r\r\n\r\n"), [ok("a\r"), ok("")]);
    }

    #[test]
    fn what_is_no_line_does_not_hide_the_next() {
        let fits = "x".repeat(LINE - 1);
        let long = "x".repeat(LINE);
        let text = format!("{fits}\n{long}\na\n{long}{long}");
        let rows =
            [Ok(fits), Err(Unreadable::TooLong), Ok("a".to_owned()), Err(Unreadable::TooLong)];
        assert_eq!(all(text.as_bytes()), rows);
        assert_eq!(all(b"\xff\na"), [Err(Unreadable::NotUtf8), Ok("a".to_owned())]);
    }
}
