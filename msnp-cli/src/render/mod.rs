//! Events to lines on stdout.
//!
//! This module knows how lines are numbered, stamped and written, and what to do when nobody reads
//! them any more. How an event looks is in the modules below.

mod files;
mod json;
mod text;
mod words;

use std::io::{self, Write};
use std::time::SystemTime;

use crate::events::{Event, Mark, Marked};

/// How events look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// A line for people.
    Text,
    /// A JSON object.
    Json,
}

/// Writes events to stdout, each as one line and at once.
pub(crate) struct Output {
    out: Box<dyn Write>,
    format: Format,
    colour: bool,
    seq: u64,
    line: Vec<u8>,
    broken: Option<Broken>,
}

/// Why nothing can be written any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Nobody reads: the pipe is closed.
    ReaderGone,
    /// The system gave an error: a full disk, most likely.
    Failed(io::ErrorKind),
}

impl Output {
    pub(crate) fn new(out: Box<dyn Write>, format: Format, colour: bool) -> Self {
        Self { out, format, colour, seq: 0, line: Vec::new(), broken: None }
    }

    /// Writes one event. After a failure nothing is written any more; [`Output::broken`] tells.
    pub(crate) fn emit(&mut self, event: &Event) {
        self.write(event, &Mark::NONE);
    }

    /// Writes one event with what it comes of.
    pub(crate) fn emit_marked(&mut self, marked: &Marked) {
        self.write(&marked.event, &marked.mark);
    }

    fn write(&mut self, event: &Event, mark: &Mark) {
        if self.broken.is_some() {
            return;
        }
        self.line.clear();
        match self.format {
            Format::Json => json::write(&mut self.line, event, mark, self.seq, SystemTime::now()),
            Format::Text => text::write(&mut self.line, event, mark, self.colour),
        }
        self.line.push(b'\n');
        match self.out.write_all(&self.line).and_then(|()| self.out.flush()) {
            Ok(()) => self.seq += 1,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.broken = Some(Broken::ReaderGone);
            }
            Err(error) => self.broken = Some(Broken::Failed(error.kind())),
        }
    }

    pub(crate) fn broken(&self) -> Option<Broken> {
        self.broken
    }

    pub(crate) fn is_text(&self) -> bool {
        self.format == Format::Text
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    /// Takes so many bytes, then gives an error.
    struct Pipe {
        taken: Rc<RefCell<Vec<u8>>>,
        room: usize,
        error: io::ErrorKind,
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.room < bytes.len() {
                return Err(self.error.into());
            }
            self.room -= bytes.len();
            self.taken.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn output(format: Format, room: usize, error: io::ErrorKind) -> (Output, Rc<RefCell<Vec<u8>>>) {
        let taken = Rc::default();
        let pipe = Pipe { taken: Rc::clone(&taken), room, error };
        (Output::new(Box::new(pipe), format, false), taken)
    }

    #[test]
    fn lines_are_numbered_without_gaps_and_stamped() {
        let (mut out, taken) = output(Format::Json, usize::MAX, io::ErrorKind::BrokenPipe);
        for chat in 0..3 {
            out.emit(&Event::Typing { chat, from: "a@b".into() });
        }
        let lines = String::from_utf8(taken.take()).expect("JSON is UTF-8");
        for (seq, line) in lines.lines().enumerate() {
            let value: serde_json::Value = serde_json::from_str(line).expect("one value a line");
            assert_eq!((&value["v"], &value["seq"]), (&1.into(), &seq.into()));
            assert_eq!((&value["type"], &value["chat"]), (&"typing".into(), &seq.into()));
            let t = value["t"].as_str().expect("a time");
            assert!(
                humantime::parse_rfc3339(t).is_ok() && t.len() == "2001-01-01T00:00:00.000Z".len()
            );
        }
        assert_eq!(lines.lines().count(), 3);
    }

    #[test]
    fn a_reader_that_went_away_is_told_from_a_full_disk() {
        let (mut out, taken) = output(Format::Text, 0, io::ErrorKind::BrokenPipe);
        out.emit(&Event::Lost { reason: "x".into() });
        assert_eq!(out.broken(), Some(Broken::ReaderGone));
        assert!(taken.borrow().is_empty());

        let (mut out, _) = output(Format::Text, 0, io::ErrorKind::StorageFull);
        out.emit(&Event::Lost { reason: "x".into() });
        assert_eq!(out.broken(), Some(Broken::Failed(io::ErrorKind::StorageFull)));
    }
}
