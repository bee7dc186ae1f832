//! `chat` for somebody at a terminal: the program gets one end of a pseudo-terminal, the test types
//! at the other.

mod support;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use msnp_proto::client::payload_len;
use msnp_proto::limits::SWITCHBOARD_PAYLOAD;
use nix::pty::{OpenptyResult, openpty};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, Termios, tcgetattr};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use support::Folder;

/// How long anything may take. Only a test that fails waits that long.
const PATIENCE: Duration = Duration::from_secs(300);

/// What the program asks a terminal for to learn its width.
const QUESTION: &str = "\x1b[6n";

struct Terminal {
    child: Child,
    keys: File,
    /// Keeps the other end open, so that what was written can be read when the program has ended.
    screen: OwnedFd,
    output: Receiver<Vec<u8>>,
    seen: String,
    before: Termios,
}

impl Terminal {
    fn start(args: &[&str]) -> Self {
        Self::start_as("xterm", args)
    }

    fn start_as(term: &str, args: &[&str]) -> Self {
        support::honour_signals();
        let OpenptyResult { master, slave } = openpty(None, None).expect("a pseudo-terminal");
        let before = tcgetattr(&slave).expect("it is a terminal");
        let end = || Stdio::from(slave.try_clone().expect("a descriptor"));
        let child = Command::new(env!("CARGO_BIN_EXE_msnp"))
            .args(["chat", "--no-config", "echo@example.net"])
            .args(args)
            .env("TERM", term)
            .env_remove("MSNP_SERVER")
            .env_remove("MSNP_ACCOUNT")
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .expect("the program is built");
        let keys = File::from(master);
        let mut from = keys.try_clone().expect("a descriptor");
        let (tell, output) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(size @ 1..) = from.read(&mut buffer) {
                if tell.send(buffer[..size].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, keys, screen: slave, output, seen: String::new(), before }
    }

    /// Waits until this is written, and forgets what came before and this.
    fn until(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.seen.find(text) {
                self.seen.drain(..at + text.len());
                return;
            }
            let left = end.saturating_duration_since(Instant::now());
            let Ok(bytes) = self.output.recv_timeout(left) else {
                panic!("{text:?} did not come; until then: {:?}", self.seen);
            };
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("it still runs");
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process id"))
    }

    fn until_stopped(&self) {
        let status = waitpid(self.pid(), Some(WaitPidFlag::WUNTRACED)).expect("it is ours");
        assert!(matches!(status, WaitStatus::Stopped(..)), "{status:?}");
    }

    fn is_raw(&self) -> bool {
        let now = tcgetattr(&self.screen).expect("it is a terminal");
        !now.local_flags.intersects(LocalFlags::ICANON | LocalFlags::ECHO)
    }

    /// Waits for the end: the code, with the terminal as it was before.
    fn end(mut self) -> i32 {
        let code = self.child.wait().expect("it is ours").code();
        let now = tcgetattr(&self.screen).expect("it is a terminal");
        assert_eq!(now, self.before, "the terminal is as it was before");
        code.unwrap_or(-1)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has most likely ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn lines_are_edited_and_shown_below_what_arrives() {
    let mut terminal = Terminal::start(&[]);
    terminal.until(QUESTION);
    terminal.until("> \x1b[K");
    assert!(terminal.is_raw());
    terminal.press("hellX\x7fo\x1b[D\x1b[D\x1b[D\x1b[D\x1b[3~E");
    terminal.until("> hEllo\x1b[K\r\x1b[4C");
    terminal.press("\r");
    // The finished line stays, what comes of it stands below, the empty line is last.
    terminal.until("\r\x1b[K> hEllo\r\n");
    terminal.until("acked");
    terminal.until("\"Echo\": hEllo\r\n");
    terminal.until("> \x1b[K");
    // What was said before, and what is being written while something arrives.
    terminal.press("\x1b[A");
    terminal.until("> hEllo\x1b[K");
    terminal.press("\x15世界\r");
    terminal.until("\"Echo\": 世界\r\n");
    terminal.press("\x04");
    terminal.until("done");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn the_terminal_is_asked_for_its_width() {
    let mut terminal = Terminal::start(&[]);
    terminal.until(QUESTION);
    terminal.press("\x1b[1;20R");
    terminal.press("0123456789abcdefghijklmnop");
    terminal.until("> ‹defghijklmnop\x1b[K");
    terminal.signal(Signal::SIGWINCH);
    terminal.until(QUESTION);
    terminal.press("\x1b[1;60R");
    terminal.until("> 0123456789abcdefghijklmnop\x1b[K");
    // What nobody asked for is no answer.
    terminal.press("\x1b[1;10R\x7f");
    terminal.until("> 0123456789abcdefghijklmno\x1b[K");
    terminal.press("\x15\x04");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_paste_of_several_lines_is_one_message() {
    let mut terminal = Terminal::start(&[]);
    terminal.until("\x1b[?2004h");
    terminal.press("\x1b[200~one\rtwo\x1b[2J\x1b[201~");
    terminal.until("> one↵two[2J\x1b[K");
    terminal.press("\r");
    terminal.until("\"Echo\": one\\ntwo[2J\r\n");
    terminal.press("\x04");
    terminal.until("\x1b[?2004l");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_slash_begins_a_command() {
    let mut terminal = Terminal::start(&[]);
    terminal.until("> \x1b[K");
    terminal.press("/status BSY\r");
    terminal.until("state = busy");
    terminal.press("//etc\r");
    terminal.until("\"Echo\": /etc\r\n");
    terminal.press("/help\r");
    terminal.until("/typing");
    terminal.press("/sned\r");
    terminal.until("no such command");
    // What could not be used can be mended.
    terminal.until("> /sned\x1b[K");
    terminal.press("\x15/sleep 5s\r");
    terminal.until("for scripts only");
    terminal.press("\x15/send nobody\r");
    terminal.until("expected an account");
    terminal.press("\x15/send nobody@example.net x\r");
    terminal.until("failed");
    terminal.press("/typing\r/open\r/leave\r");
    terminal.until("closed");
    terminal.press("/quit\r");
    terminal.until("done");
    assert_eq!(terminal.end(), 1);
}

#[test]
fn what_was_asked_for_is_said_however_quiet_the_program_is_to_be() {
    let mut terminal = Terminal::start(&["-q"]);
    terminal.until("> \x1b[K");
    terminal.press("/help\r");
    terminal.until("/typing");
    terminal.press("/quit\r");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn files_are_offered_with_a_slash() {
    let folder = Folder::new();
    let path = folder.file("a report.txt", "some words", 0o600);
    let path = path.to_str().expect("an ASCII path");
    let mut terminal = Terminal::start(&[]);
    terminal.until("> \x1b[K");
    terminal.press(&format!("/file {path}\r"));
    terminal.until("1 to echo@example.net: complete, 10 bytes in ");
    terminal.until(": \"a report.txt\"\r\n");
    terminal.press("/file /no/such/file\r");
    terminal.until("file of echo@example.net: cannot read the file /no/such/file: no such file");
    terminal.press("/accept 9\r");
    terminal.until("accept: there is no file of that number");
    terminal.press("/decline 9\r");
    terminal.until("decline: there is no file of that number");
    terminal.press("/accept x\r");
    terminal.until("expected the number of a file");
    terminal.press("\x15/help\r");
    terminal.until("/accept N [DIR]");
    terminal.press("/quit\r");
    terminal.until("done");
    assert_eq!(terminal.end(), 1);
}

#[test]
fn a_text_that_is_too_long_is_kept_to_be_shortened() {
    let mut terminal = Terminal::start(&[]);
    terminal.until("> \x1b[K");
    let text = "x".repeat(SWITCHBOARD_PAYLOAD - payload_len("") + 1);
    terminal.press(&format!("\x1b[200~{text}\x1b[201~\r"));
    terminal.until("1 bytes more than servers take");
    terminal.press("\x7f\r");
    terminal.until("acked");
    terminal.press("\x04");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn the_terminal_is_as_before_however_the_program_ends() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let mut terminal = Terminal::start(&[]);
        terminal.until("> \x1b[K");
        assert!(terminal.is_raw());
        terminal.press("half a line");
        terminal.until("> half a line");
        terminal.signal(signal);
        assert_eq!(terminal.end(), code);
    }
    // Two at once: the second ends the program wherever it is.
    let mut terminal = Terminal::start(&[]);
    terminal.until("> \x1b[K");
    terminal.signal(Signal::SIGTERM);
    terminal.signal(Signal::SIGINT);
    assert!([130, 143].contains(&terminal.end()));
}

#[test]
fn stopping_gives_the_terminal_back_until_the_program_goes_on() {
    let mut terminal = Terminal::start(&[]);
    terminal.until("> \x1b[K");
    terminal.press("half");
    terminal.until("> half");
    terminal.signal(Signal::SIGTSTP);
    terminal.until("\x1b[?2004l");
    // What tells it to go on before it has stopped is lost on it.
    terminal.until_stopped();
    terminal.signal(Signal::SIGCONT);
    terminal.until("\x1b[?2004h");
    terminal.until("> half");
    assert!(terminal.is_raw());
    terminal.press(" and half\r");
    terminal.until("\"Echo\": half and half\r\n");
    terminal.press("\x04");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn without_a_terminal_that_moves_its_cursor_lines_are_texts() {
    for (term, args) in [("dumb", &[][..]), ("xterm", &["-vv"])] {
        let mut terminal = Terminal::start_as(term, args);
        terminal.until("Ctrl-D");
        assert!(!terminal.is_raw());
        terminal.press("/status BSY\n");
        terminal.until("\"Echo\": /status BSY\r\n");
        terminal.press("\x04");
        terminal.until("done");
        assert_eq!(terminal.end(), 0);
    }
}
