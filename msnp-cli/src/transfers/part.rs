//! A file that is written, until all of it is there.
//!
//! It is `NAME.part` meanwhile, which is removed unless it is kept. Nothing that is there is ever
//! written over: neither by the part nor by the name that it gets in the end.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use msnp_proto::ftp::safe_name;

/// Numbers that are tried behind a name that is taken.
const NUMBERS: u32 = 9999;

#[derive(Debug)]
pub(crate) struct Part {
    file: File,
    path: PathBuf,
    folder: PathBuf,
    /// The name that it is to have.
    name: String,
    /// It has that name, and no other any more.
    is_renamed: bool,
}

impl Part {
    /// Begins a file in a folder; `name` is what its sender calls it.
    pub(crate) fn create(folder: &Path, name: &str) -> io::Result<Self> {
        let name = safe_name(name);
        let (file, path) = first_free(&name, |name| {
            let path = folder.join(format!("{name}.part"));
            // No link is followed then either.
            let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
            Ok((file, path))
        })?;
        Ok(Self { file, path, folder: folder.to_owned(), name, is_renamed: false })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// All of it is there: it gets its name, or that name with a number if there is such a file.
    pub(crate) fn keep(&mut self) -> io::Result<PathBuf> {
        let mut is_renamed = false;
        let kept = first_free(&self.name, |name| {
            let path = self.folder.join(name);
            // A rename would write over what is there.
            match fs::hard_link(&self.path, &path) {
                // The other name goes with the part.
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
                Err(_) => {
                    self.rename(&path)?;
                    is_renamed = true;
                }
            }
            Ok(path)
        });
        self.is_renamed = is_renamed;
        kept
    }

    /// Where there are no links: what is written over is an empty file of ours.
    fn rename(&self, path: &Path) -> io::Result<()> {
        File::create_new(path)?;
        fs::rename(&self.path, path).inspect_err(|_| drop(fs::remove_file(path)))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_renamed {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Does something with the name, or with the first number behind it for which there is nothing yet.
fn first_free<T>(name: &str, mut make: impl FnMut(&str) -> io::Result<T>) -> io::Result<T> {
    let mut tried = make(name);
    for number in 1..=NUMBERS {
        match tried {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                tried = make(&numbered(name, number));
            }
            done => return done,
        }
    }
    tried
}

/// `report.pdf` with the number 1 is `report (1).pdf`.
fn numbered(name: &str, number: u32) -> String {
    match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => format!("{stem} ({number}).{ending}"),
        _ => format!("{name} ({number})"),
    }
}
