//! Writing transcripts: printable ASCII only, so that a trace can be shown anywhere.

use core::fmt::{self, Display, Write};

use super::{Entry, Line, Piece, Side, Transcript};
use crate::time::Instant;

impl Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// The line without its end.
impl Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => Ok(()),
            Self::Comment(text) => write!(f, "#{text}"),
            Self::Header { key, value } => write!(f, "= {key}: {value}"),
            Self::Entry(entry) => entry.fmt(f),
        }
    }
}

/// The line without its end.
impl Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(time) = self.time {
            write_time(time, f)?;
        }
        if let Some(name) = &self.connection {
            write!(f, "{name} ")?;
        }
        f.write_char(match self.side {
            Side::Client => 'C',
            Side::Server => 'S',
        })?;
        match &self.what {
            Piece::Close => f.write_str("! close"),
            Piece::Bytes(bytes) => write_bytes(bytes, f),
        }
    }
}

/// Milliseconds, or microseconds if they are needed.
fn write_time(time: Instant, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let micros = time.as_micros();
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    if fraction % 1_000 == 0 {
        write!(f, "{seconds}.{:03} ", fraction / 1_000)
    } else {
        write!(f, "{seconds}.{fraction:06} ")
    }
}

fn write_bytes(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (text, end) = match bytes {
        [text @ .., b'\r', b'\n'] => (text, ""),
        text => (text, "\\"),
    };
    f.write_char(':')?;
    if text.is_empty() && end.is_empty() {
        return Ok(());
    }
    f.write_char(' ')?;
    let (text, last_blank) = match text {
        [text @ .., b' '] if end.is_empty() => (text, true),
        text => (text, false),
    };
    for &byte in text {
        match byte {
            b'\\' => f.write_str(r"\\")?,
            b'\r' => f.write_str(r"\r")?,
            b'\n' => f.write_str(r"\n")?,
            b'\t' => f.write_str(r"\t")?,
            0 => f.write_str(r"\0")?,
            b' '..=b'~' => f.write_char(char::from(byte))?,
            _ => write!(f, r"\x{byte:02x}")?,
        }
    }
    if last_blank {
        f.write_str(r"\x20")?;
    }
    f.write_str(end)
}
