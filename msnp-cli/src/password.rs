//! Where a password comes from: never from the command line, which everybody can read.
//!
//! This module knows files, stdin, commands, the environment and the terminal. It does not know
//! what the password is for.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use msnp_proto::secret::Secret;
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::escape::Escaped;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::signals::Signals;

/// The environment variable.
pub(crate) const VARIABLE: &str = "MSNP_PASSWORD";

/// Most bytes of a password and what ends it.
const LIMIT: u64 = 4096;

/// How long a command may take to print one.
const COMMAND_TIME: Duration = Duration::from_secs(30);

/// The places that the user named.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    pub(crate) file: Option<PathBuf>,
    pub(crate) stdin: bool,
    pub(crate) command: Option<String>,
    /// One that stands in the configuration file.
    pub(crate) configured: Option<Secret>,
    /// Why one that stands there is for somebody else.
    pub(crate) withheld: Option<String>,
}

impl Sources {
    /// Whether the user named one.
    pub(crate) fn is_named(&self) -> bool {
        self.file.is_some() || self.stdin || self.command.is_some()
    }

    /// Whether the password will be typed on a terminal.
    pub(crate) fn is_typed(&self) -> bool {
        !self.is_named() && self.configured.is_none() && std::env::var_os(VARIABLE).is_none()
    }

    /// The password of `account`: from the place that was named, else from the environment, else
    /// from the configuration file, else from the terminal.
    pub(crate) fn obtain(&self, account: &str, signals: &Signals) -> Result<Secret, Failure> {
        if let Some(path) = &self.file {
            return from_file(path);
        }
        if self.stdin {
            return from_stdin();
        }
        if let Some(command) = &self.command {
            return from_command(command);
        }
        if let (Some(password), None) = (&self.configured, std::env::var_os(VARIABLE)) {
            return Ok(password.clone());
        }
        match std::env::var(VARIABLE) {
            Ok(password) => check(Zeroizing::new(password.into_bytes()), VARIABLE),
            Err(std::env::VarError::NotUnicode(_)) => Err(unfit(VARIABLE, "it is not UTF-8")),
            Err(std::env::VarError::NotPresent) if io::stderr().is_terminal() => {
                from_terminal(account, signals)
            }
            Err(std::env::VarError::NotPresent) => Err(Failure::new(
                Exit::Config,
                format!(
                    "no password for {account}: use --password-file, --password-stdin or \
                     --password-command, or set {VARIABLE}{}",
                    self.withheld.iter().map(|why| format!(" ({why})")).collect::<String>()
                ),
            )),
        }
    }
}

fn unfit(source: &str, why: &str) -> Failure {
    Failure::new(Exit::Config, format!("password from {source}: {why}"))
}

/// Takes one line end off and looks whether the rest can be a password.
fn check(mut bytes: Zeroizing<Vec<u8>>, source: &str) -> Result<Secret, Failure> {
    if bytes.len() as u64 > LIMIT {
        return Err(unfit(source, &format!("it is larger than {LIMIT} bytes")));
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    if bytes.contains(&0) {
        return Err(unfit(source, "it holds a NUL byte"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| unfit(source, "it is not UTF-8"))?;
    if text.is_empty() {
        return Err(unfit(source, "it is empty"));
    }
    Ok(Secret::from(text))
}

fn from_file(path: &Path) -> Result<Secret, Failure> {
    let bytes = files::read_private(path, "password file", LIMIT)?;
    check(bytes, &format!("file {}", path.display()))
}

fn from_stdin() -> Result<Secret, Failure> {
    let bytes = files::read_secret(io::stdin().lock(), LIMIT).map_err(|error| {
        Failure::new(Exit::Io, format!("cannot read the password from stdin: {error}"))
    })?;
    check(bytes, "stdin")
}

/// Runs the words of `line` as a command, without a shell.
fn from_command(line: &str) -> Result<Secret, Failure> {
    let source = "--password-command";
    let words = shlex::split(line)
        .ok_or_else(|| unfit(source, "a quotation mark or a backslash at its end is left open"))?;
    let [program, args @ ..] = words.as_slice() else {
        return Err(unfit(source, "it names no command"));
    };
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| {
            unfit(source, &format!("cannot run {program}: {}", files::reason(&error)))
        })?;
    let output = child.stdout.take().expect("stdout was asked for as a pipe");
    let (tell, told) = mpsc::channel();
    // The thread ends with the pipe, which nobody holds open after the program's own end.
    thread::spawn(move || {
        // Nobody listens any more when the time is up.
        let _ = tell.send(files::read_secret(output, LIMIT));
    });
    let Ok(read) = told.recv_timeout(COMMAND_TIME) else {
        // It may have ended by itself at this moment.
        let _ = child.kill();
        let _ = child.wait();
        let limit = COMMAND_TIME.as_secs();
        return Err(unfit(source, &format!("{program} printed nothing within {limit} s")));
    };
    let bytes = read.map_err(|error| unfit(source, &files::reason(&error)))?;
    if bytes.len() as u64 > LIMIT {
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| unfit(source, &files::reason(&error)))?;
    if !status.success() && bytes.len() as u64 <= LIMIT {
        return Err(unfit(source, &format!("{program} failed ({status})")));
    }
    check(bytes, source)
}

fn restore(terminal: &File, before: &Termios) {
    // There is nothing better to do if the terminal is gone.
    let _ = tcsetattr(terminal, SetArg::TCSAFLUSH, before);
}

/// Asks on the terminal itself, so that stdin and stdout may be anything.
fn from_terminal(account: &str, signals: &Signals) -> Result<Secret, Failure> {
    let failed = |error: io::Error| unfit("the terminal", &files::reason(&error));
    let mut terminal = File::options().read(true).write(true).open("/dev/tty").map_err(failed)?;
    let before = tcgetattr(&terminal).map_err(|error| failed(error.into()))?;
    let mut silent = before.clone();
    silent.local_flags.remove(LocalFlags::ECHO);
    silent.local_flags.insert(LocalFlags::ECHONL);
    let (other, as_before) = (terminal.try_clone().map_err(failed)?, before.clone());
    let at_signal = move || restore(&other, &as_before);
    let read = signals.abandoning(at_signal, || {
        tcsetattr(&terminal, SetArg::TCSAFLUSH, &silent)?;
        write!(terminal, "Password of {}: ", Escaped(account))?;
        terminal.flush()?;
        files::read_secret(Line { source: &terminal, ended: false }, LIMIT)
    });
    restore(&terminal, &before);
    check(read.map_err(failed)?, "the terminal")
}

/// A line of a source, read without a buffer that keeps a copy of it.
struct Line<R> {
    source: R,
    ended: bool,
}

impl<R: Read> Read for Line<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let one = room.get_mut(..1).filter(|_| !self.ended).unwrap_or_default();
        let read = self.source.read(one)?;
        self.ended |= one.first() == Some(&b'\n');
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::tests::Folder;

    fn file(bytes: &[u8]) -> Result<String, Failure> {
        let folder = Folder::new();
        from_file(&folder.file("password", bytes, 0o600)).map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn one_line_end_is_removed_and_spaces_are_kept() {
        let rows: [(&[u8], &str); 6] = [
            (b"x", "x"),
            (b"x\n", "x"),
            (b"x\r\n", "x"),
            (b"x\n\n", "x\n"),
            (b"  two words \n", "  two words "),
            (b"x\r", "x\r"),
        ];
        for (bytes, password) in rows {
            assert_eq!(file(bytes).as_deref(), Ok(password));
        }
    }

    #[test]
    fn what_cannot_be_a_password_is_refused() {
        let large = vec![b'x'; 4097];
        let rows: [&[u8]; 5] = [b"", b"\n", b"a\0b", b"\xff", &large];
        for bytes in rows {
            let failure = file(bytes).expect_err("refused");
            assert_eq!(failure.exit, Exit::Config, "{failure}");
        }
        assert_eq!(file(&[b'x'; 4096]).map(|password| password.len()), Ok(4096));
    }

    #[test]
    fn a_line_is_all_that_is_read_of_a_terminal() {
        let mut typed: &[u8] = b"two words\nls\n";
        let line = files::read_secret(Line { source: &mut typed, ended: false }, LIMIT);
        assert_eq!(line.expect("memory can be read").as_slice(), b"two words\n");
        assert_eq!(typed, b"ls\n");
    }

    #[test]
    fn a_command_is_run_without_a_shell() {
        let run = |line: &str| from_command(line).map(|secret| secret.expose().to_owned());
        assert_eq!(run("printf '%s' '$(id) `id`; id'").as_deref(), Ok("$(id) `id`; id"));
        assert_eq!(run("echo secret").as_deref(), Ok("secret"));
        // Stdin is empty.
        assert!(run("cat").is_err());
        for line in ["", "false", "no-such-command-here", "echo 'open", "yes"] {
            let failure = run(line).expect_err("refused");
            assert_eq!(failure.exit, Exit::Config, "{failure}");
        }
    }
}
