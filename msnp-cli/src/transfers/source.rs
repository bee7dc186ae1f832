//! A file that is read to be sent.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use nix::fcntl::OFlag;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;

/// Most bytes that are read at a time.
const PIECE: usize = 64 * 1024;

/// What others can count to.
const LARGEST: u64 = u32::MAX as u64;

/// A pipe without another end does not make us wait, and a terminal does not become ours.
const FLAGS: OFlag = OFlag::O_NONBLOCK.union(OFlag::O_NOCTTY);

/// A file of the size that it had when it was opened. What grows behind that is not read.
#[derive(Debug)]
pub(crate) struct Source {
    file: File,
    path: PathBuf,
    size: u64,
    /// When it was last changed before the first byte was read.
    changed: Option<SystemTime>,
    /// Bytes that have been taken.
    at: u64,
    buffer: Vec<u8>,
}

impl Source {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let unreadable = |error: io::Error| {
            let text = format!("cannot read the file {shown}: {}", files::reason(&error));
            Failure::new(Exit::NoInput, text)
        };
        let opened = OpenOptions::new().read(true).custom_flags(FLAGS.bits()).open(path);
        let file = opened.map_err(unreadable)?;
        let meta = file.metadata().map_err(unreadable)?;
        if !meta.is_file() {
            let text = format!("{shown} is not a regular file; only those can be sent");
            return Err(Failure::new(Exit::NoInput, text));
        }
        let size = meta.len();
        if size > LARGEST {
            let text = format!(
                "{shown} has {size} bytes; files of more than {LARGEST} cannot be sent, since \
                 others cannot count further"
            );
            return Err(Failure::new(Exit::Input, text));
        }
        Ok(Self { file, path: path.to_owned(), size, changed: None, at: 0, buffer: Vec::new() })
    }

    /// The name under which it is offered.
    pub(crate) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The next bytes, `room` at most; none when all have been taken.
    pub(crate) fn next(&mut self, room: usize) -> io::Result<&[u8]> {
        if self.at == 0 {
            self.changed = self.file.metadata()?.modified().ok();
        }
        let left = usize::try_from(self.size.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = left.min(room).min(PIECE);
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        let buffer = self.buffer.get_mut(..wanted).unwrap_or_default();
        self.file.read_exact_at(buffer, self.at).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                let text = format!("it became shorter than the {} bytes offered", self.size);
                io::Error::new(io::ErrorKind::UnexpectedEof, text)
            }
            _ => error,
        })?;
        if wanted == left && self.is_another() {
            return Err(io::Error::other("it was changed while it was sent"));
        }
        Ok(self.buffer.get(..wanted).unwrap_or_default())
    }

    /// Whether it has other contents of the same size than at first, as far as the system says. What
    /// has only grown is sent up to its old size.
    fn is_another(&self) -> bool {
        let Ok(now) = self.file.metadata() else { return false };
        now.len() == self.size && now.modified().ok() != self.changed
    }

    /// So many of them were taken.
    pub(crate) fn advance(&mut self, taken: usize) {
        self.at = self.at.saturating_add(taken as u64).min(self.size);
    }
}
