//! Files that hold secrets, and files that we make.
//!
//! This module knows what a file must be like before we read a password from it, and how to make
//! one that nobody else can put in our way. It does not know what is in them.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use zeroize::Zeroizing;

use crate::exit::Exit;
use crate::failure::Failure;

/// No link is followed, a pipe without another end does not make us wait, and a terminal does not
/// become ours.
const FLAGS: OFlag = OFlag::O_NOFOLLOW.union(OFlag::O_NONBLOCK).union(OFlag::O_NOCTTY);

/// Reads a small file that only its owner can read.
///
/// What is checked is the file that was opened, not the name, so nobody can change one for the
/// other in between. A symbolic link is not followed: its target may belong to anybody.
///
/// What was read is wiped when it is dropped, and there is only one copy of it.
pub(crate) fn read_private(
    path: &Path,
    what: &str,
    limit: u64,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let shown = path.display();
    let bad = |text: String| Err(Failure::new(Exit::Config, text));
    let opened = OpenOptions::new().read(true).custom_flags(FLAGS.bits()).open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.raw_os_error() == Some(Errno::ELOOP as i32) => {
            return bad(is_link(path, what));
        }
        Err(error) => {
            return Err(Failure::new(
                Exit::NoInput,
                format!("cannot read {what} {shown}: {}", reason(&error)),
            ));
        }
    };
    let unreadable = |error: io::Error| {
        Failure::new(Exit::NoInput, format!("cannot read {what} {shown}: {}", reason(&error)))
    };
    let meta = file.metadata().map_err(unreadable)?;
    check_private(&meta, path, what)?;
    let bytes = read_secret(file, meta.len().min(limit)).map_err(unreadable)?;
    if bytes.len() as u64 > limit {
        return bad(format!("{what} {shown} is larger than {limit} bytes"));
    }
    Ok(bytes)
}

/// Reads what may be a secret, one byte over the limit at most. There is room from the start, since
/// a buffer that grows leaves copies behind.
pub(crate) fn read_secret(source: impl Read, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    // Some readers look whether there is more when a buffer is just full.
    const MORE: usize = 64;
    let room = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(MORE);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    source.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether this is a regular file of ours that nobody else can read or change.
fn check_private(meta: &Metadata, path: &Path, what: &str) -> Result<(), Failure> {
    let shown = path.display();
    let bad = |text: String| Err(Failure::new(Exit::Config, text));
    if !meta.is_file() {
        return bad(format!("{what} {shown} is not a regular file"));
    }
    let mode = meta.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return bad(format!(
            "{what} {shown} has mode {mode:04o}, so others can read or change it; run: chmod 600 {shown}"
        ));
    }
    let own = nix::unistd::geteuid().as_raw();
    if meta.uid() != own {
        return bad(format!("{what} {shown} belongs to user {}, not to you ({own})", meta.uid()));
    }
    Ok(())
}

/// Opens a file that is ours alone, to be read and changed; one that is not there is made, and
/// nobody else can read it from its first moment.
pub(crate) fn open_private(path: &Path, what: &str) -> Result<File, Failure> {
    let shown = path.display();
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(FLAGS.bits())
        .open(path);
    let file = opened.map_err(|error| {
        if error.raw_os_error() == Some(Errno::ELOOP as i32) {
            return Failure::new(Exit::Config, is_link(path, what));
        }
        let text = format!("cannot open or make {what} {shown}: {}", reason(&error));
        Failure::new(Exit::CantCreate, text)
    })?;
    let meta = file.metadata().map_err(|error| {
        Failure::new(Exit::Io, format!("cannot look at {what} {shown}: {}", reason(&error)))
    })?;
    check_private(&meta, path, what)?;
    Ok(file)
}

/// Whether there is such a file; if there is, it must be ours alone. It is not opened: closing it
/// again would end the locks that this process may have on it.
pub(crate) fn is_there_and_private(path: &Path, what: &str) -> Result<bool, Failure> {
    match std::fs::symlink_metadata(path) {
        Ok(meta) if meta.is_symlink() => Err(Failure::new(Exit::Config, is_link(path, what))),
        Ok(meta) => check_private(&meta, path, what).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => {
            let text = format!("cannot look at {what} {}: {}", path.display(), reason(&error));
            Err(Failure::new(Exit::NoInput, text))
        }
    }
}

fn is_link(path: &Path, what: &str) -> String {
    let shown = path.display();
    format!("{what} {shown} is a symbolic link, which is not followed; name the file itself")
}

/// Opens a file to add diagnostics to; a new one can be read by its owner only.
pub(crate) fn append(path: &Path, what: &str) -> Result<File, Failure> {
    let shown = path.display();
    let failed =
        |text: &str| Failure::new(Exit::CantCreate, format!("cannot write {what} {shown}: {text}"));
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(FLAGS.bits())
        .open(path)
        .map_err(|error| {
            if error.raw_os_error() == Some(Errno::ELOOP as i32) {
                failed("it is a symbolic link, which is not followed")
            } else {
                failed(&reason(&error))
            }
        })?;
    let kind = file.metadata().map_err(|error| failed(&reason(&error)))?.file_type();
    if kind.is_file() || kind.is_char_device() {
        Ok(file)
    } else {
        Err(failed("it is neither a regular file nor a device"))
    }
}

/// As [`append`], but what was in the file before is gone.
pub(crate) fn replace(path: &Path, what: &str) -> Result<File, Failure> {
    let file = append(path, what)?;
    // Only now that we know what it is.
    if file.metadata().is_ok_and(|meta| meta.is_file()) {
        file.set_len(0).map_err(|error| {
            let text = format!("cannot write {what} {}: {}", path.display(), reason(&error));
            Failure::new(Exit::CantCreate, text)
        })?;
    }
    Ok(file)
}

/// An error of the system without the number that Rust appends.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text.get(..end).unwrap_or(&text).to_lowercase(),
        None => text,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// A folder that is removed again.
    pub(crate) struct Folder(pub(crate) PathBuf);

    impl Folder {
        pub(crate) fn new() -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            loop {
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                let name = format!("msnp-test-{}-{number}", std::process::id());
                let path = std::env::temp_dir().join(name);
                match fs::create_dir(&path) {
                    Ok(()) => return Self(path),
                    // Of a process that had our number before us and was killed.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    Err(error) => panic!("{}: {error}", path.display()),
                }
            }
        }

        pub(crate) fn file(&self, name: &str, bytes: &[u8], mode: u32) -> PathBuf {
            let path = self.0.join(name);
            fs::write(&path, bytes).expect("a writable folder");
            fs::set_permissions(&path, Permissions::from_mode(mode)).expect("our own file");
            path
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            // What is left in a temporary folder does no harm.
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn exit_and_text(path: &Path) -> (u8, String) {
        let failure = read_private(path, "password file", 16).expect_err("refused");
        (failure.exit.code(), failure.text)
    }

    #[test]
    fn only_a_private_regular_file_of_ours_is_read() {
        let folder = Folder::new();
        for mode in [0o600, 0o400] {
            let path = folder.file(&format!("{mode:o}"), b"x", mode);
            assert_eq!(read_private(&path, "password file", 16), Ok(b"x".to_vec().into()));
        }
        for mode in [0o644, 0o640, 0o604, 0o620, 0o660] {
            let path = folder.file(&format!("{mode:o}"), b"x", mode);
            let (exit, text) = exit_and_text(&path);
            assert_eq!(exit, 78);
            assert!(text.contains(&format!("mode {mode:04o}")), "{text}");
        }
        assert_eq!(exit_and_text(&folder.0).0, 78);
        assert_eq!(exit_and_text(&folder.0.join("missing")).0, 66);
        let link = folder.0.join("link");
        symlink(folder.0.join("600"), &link).expect("a fresh name");
        let (exit, text) = exit_and_text(&link);
        assert!(exit == 78 && text.contains("symbolic link"), "{text}");
        assert_eq!(exit_and_text(Path::new("/dev/null")).0, 78);
    }

    #[test]
    fn size_is_limited() {
        let folder = Folder::new();
        let fits = folder.file("16", &[b'x'; 16], 0o600);
        assert_eq!(read_private(&fits, "password file", 16).map(|bytes| bytes.len()), Ok(16));
        let large = folder.file("17", &[b'x'; 17], 0o600);
        assert_eq!(exit_and_text(&large).0, 78);
    }

    #[test]
    fn what_we_make_is_private_and_no_link_is_followed() {
        let folder = Folder::new();
        let path = folder.0.join("new");
        append(&path, "log").expect("a writable folder");
        assert_eq!(fs::metadata(&path).expect("made").mode() & 0o777, 0o600);
        let link = folder.0.join("link");
        symlink(&path, &link).expect("a fresh name");
        for path in [&link, &folder.0] {
            let failure = replace(path, "trace").expect_err("refused");
            assert_eq!(failure.exit, Exit::CantCreate, "{failure}");
        }
        fs::write(&path, b"before").expect("our own file");
        replace(&path, "trace").expect("a regular file");
        assert_eq!(fs::metadata(&path).expect("still there").len(), 0);
    }
}
