//! The user's terminal as an editor of lines needs it: keys come one by one, and nothing is echoed.
//!
//! This module knows modes and the signals of a terminal. However the program ends, stops or
//! panics, the terminal is as it was before; only SIGKILL leaves no chance for that.

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::thread;

use nix::sys::termios::{self, InputFlags, LocalFlags, SetArg, SpecialCharacterIndices, Termios};
use signal_hook::consts::{SIGCONT, SIGTSTP, SIGWINCH};
use signal_hook::iterator::{Handle, Signals};

use crate::editor::screen::{HIDE, PASTES_OFF, PASTES_ON};
use crate::signals::honoured;

/// How the terminal was before, while it is not.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// A terminal that gives keys; it is as before when this is dropped.
pub(crate) struct Terminal {
    /// Whether the line has to be drawn anew, because of another size or of a stop.
    changed: Arc<AtomicBool>,
    signals: Handle,
}

impl Terminal {
    /// `None` if there is no terminal on both stdin and stdout, or one that cannot move its cursor.
    /// `wake` is called when the line has to be drawn anew.
    pub(crate) fn open(wake: impl Fn() + Send + 'static) -> io::Result<Option<Self>> {
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        if is_dumb || !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Ok(None);
        }
        let mut signals = Signals::new(honoured(&[SIGTSTP, SIGCONT, SIGWINCH]))?;
        let handle = signals.handle();
        let changed = Arc::new(AtomicBool::new(true));
        *before() = Some(termios::tcgetattr(io::stdin())?);
        let terminal = Self { changed: Arc::clone(&changed), signals: handle };
        enter()?;
        restore_on_panic();
        thread::Builder::new().name("terminal".into()).spawn(move || {
            for signal in &mut signals {
                if signal == SIGTSTP {
                    leave();
                    // It returns when the program goes on.
                    let _ = signal_hook::low_level::emulate_default_handler(SIGTSTP);
                }
                if signal != SIGWINCH {
                    // A terminal that is gone is found out by reading from it.
                    let _ = enter();
                }
                changed.store(true, Ordering::SeqCst);
                wake();
            }
        })?;
        Ok(Some(terminal))
    }

    /// Whether the line has to be drawn anew since the last question.
    pub(crate) fn has_changed(&self) -> bool {
        self.changed.swap(false, Ordering::SeqCst)
    }

    /// Writes to the terminal. A terminal that is gone is found out by reading from it.
    pub(crate) fn write(&self, text: &str) {
        let mut stdout = io::stdout();
        let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.signals.close();
        restore();
    }
}

/// Makes the terminal as it was before, if it is not.
pub(crate) fn restore() {
    leave();
    *before() = None;
}

/// From now on keys come one by one.
fn enter() -> io::Result<()> {
    let before = before();
    let Some(saved) = &*before else { return Ok(()) };
    let mut raw = saved.clone();
    // ISIG stays: Ctrl-C and Ctrl-Z are signals. So does OPOST: a line end is one.
    raw.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::IEXTEN);
    raw.input_flags.remove(InputFlags::IXON);
    for (index, value) in [(SpecialCharacterIndices::VMIN, 1), (SpecialCharacterIndices::VTIME, 0)]
    {
        if let Some(place) = raw.control_chars.get_mut(index as usize) {
            *place = value;
        }
    }
    termios::tcsetattr(io::stdin(), SetArg::TCSADRAIN, &raw)?;
    say(PASTES_ON);
    Ok(())
}

fn leave() {
    if let Some(saved) = &*before() {
        say(HIDE);
        say(PASTES_OFF);
        // Nothing more can be done about it.
        let _ = termios::tcsetattr(io::stdin(), SetArg::TCSADRAIN, saved);
    }
}

/// Writes past the lock of stdout, which another thread may hold while the program ends.
fn say(text: &str) {
    let _ = nix::unistd::write(io::stdout().as_fd(), text.as_bytes());
}

fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            usual(panic);
        }));
    });
}

/// What is behind the lock stays whole even if a thread panics while it holds it.
fn before() -> MutexGuard<'static, Option<Termios>> {
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read;
    use std::process::{Command, Stdio};

    use nix::pty::{OpenptyResult, openpty};
    use nix::sys::termios::tcgetattr;

    use super::*;

    /// Names the thread that is to panic, in a run of this test that has a terminal.
    const PANICS: &str = "MSNP_TEST_PANICS_IN";

    fn panic_at_a_terminal(place: &str) {
        crate::end_on_panic();
        let terminal = Terminal::open(|| {}).expect("it can be set").expect("it is one");
        let raw = tcgetattr(io::stdin()).expect("it is one");
        assert!(!raw.local_flags.intersects(LocalFlags::ICANON | LocalFlags::ECHO));
        terminal.write("> half a line");
        let fall = || panic!("it was \x1b[2J\nso");
        if place == "main" {
            fall();
        }
        let _ = thread::spawn(fall).join();
        unreachable!("the program has ended");
    }

    #[test]
    fn a_panic_leaves_the_terminal_as_it_was_and_one_line() {
        if let Ok(place) = std::env::var(PANICS) {
            return panic_at_a_terminal(&place);
        }
        let name = "terminal::tests::a_panic_leaves_the_terminal_as_it_was_and_one_line";
        for place in ["main", "another"] {
            let OpenptyResult { master, slave } = openpty(None, None).expect("a pseudo-terminal");
            let before = tcgetattr(&slave).expect("it is a terminal");
            let end = || Stdio::from(slave.try_clone().expect("a descriptor"));
            let mut child = Command::new(std::env::current_exe().expect("this test"))
                .args(["--exact", name, "--nocapture"])
                .env(PANICS, place)
                .env("TERM", "xterm")
                .stdin(end())
                .stdout(end())
                .stderr(end())
                .spawn()
                .expect("it runs");
            assert_eq!(child.wait().expect("it is ours").code(), Some(70), "{place}");
            assert_eq!(tcgetattr(&slave).expect("it is a terminal"), before, "{place}");
            drop(slave);
            // Little enough that it all waits there; behind it the terminal is gone.
            let mut screen = Vec::new();
            let _ = File::from(master).read_to_end(&mut screen);
            let screen = String::from_utf8(screen).expect("text");
            let (_, rest) = screen.split_once(PASTES_ON).expect("it was raw");
            let (_, rest) = rest.split_once(PASTES_OFF).expect("it was restored");
            assert!(rest.starts_with("msnp: mistake: it was \\u{1b}[2J\\nso at "), "{rest:?}");
            assert!(rest.ends_with("; please report this\r\n"), "{rest:?}");
            assert_eq!(rest.lines().count(), 1, "{rest:?}");
        }
    }
}
