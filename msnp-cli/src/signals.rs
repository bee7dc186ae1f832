//! Signals: the first asks the program to end in order, the second ends it at once.
//!
//! This module knows SIGINT, SIGTERM and SIGHUP; one that was ignored when the program started stays
//! ignored. It does not know what ending in order means; whoever sleeps has itself woken. SIGPIPE is ignored by the standard library, so that a reader that went
//! away is an ordinary error of writing.

use std::io;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::exit::Exit;
use crate::terminal;

type Wake = Box<dyn Fn() + Send>;

/// Waits for signals on a thread of its own.
#[derive(Clone)]
pub(crate) struct Signals {
    first: Arc<AtomicI32>,
    wake: Arc<Mutex<Option<Wake>>>,
    /// While this is set, there is nothing to end in order: it is run, and the program ends.
    abandon: Arc<Mutex<Option<Wake>>>,
}

impl Signals {
    pub(crate) fn watch() -> io::Result<Self> {
        let signals = Self { first: Arc::default(), wake: Arc::default(), abandon: Arc::default() };
        let mut queue = signal_hook::iterator::Signals::new(honoured(&[SIGINT, SIGTERM, SIGHUP]))?;
        let watcher = signals.clone();
        thread::Builder::new()
            .name("signals".into())
            .spawn(move || queue.forever().for_each(|signal| watcher.take(signal)))?;
        Ok(signals)
    }

    /// Has `wake` called when the first signal comes, at once if it has come already.
    pub(crate) fn on_first(&self, wake: impl Fn() + Send + 'static) {
        *lock(&self.wake) = Some(Box::new(wake));
        if self.taken().is_some() {
            self.ring();
        }
    }

    /// While `work` runs, the first signal calls `abandon` and ends the program.
    pub(crate) fn abandoning<T>(
        &self,
        abandon: impl Fn() + Send + 'static,
        work: impl FnOnce() -> T,
    ) -> T {
        *lock(&self.abandon) = Some(Box::new(abandon));
        let result = work();
        *lock(&self.abandon) = None;
        result
    }

    /// The exit code of the first signal, if one has come.
    pub(crate) fn taken(&self) -> Option<Exit> {
        match self.first.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(exit(signal)),
        }
    }

    fn take(&self, signal: i32) {
        if self.first.swap(signal, Ordering::SeqCst) != 0 {
            end(signal);
        }
        if let Some(abandon) = lock(&self.abandon).take() {
            abandon();
            end(signal);
        }
        self.ring();
    }

    fn ring(&self) {
        if let Some(wake) = &*lock(&self.wake) {
            wake();
        }
    }
}

fn exit(signal: i32) -> Exit {
    match signal {
        SIGTERM => Exit::Terminated,
        SIGHUP => Exit::Hangup,
        _ => Exit::Interrupted,
    }
}

/// Of these signals those that are not ignored. Whoever started us with one ignored wants that:
/// `nohup` has us stay when the terminal goes, and a shell without job control has us run on in the
/// background when its user presses Ctrl-C. Where the system does not tell, none is ignored.
pub(crate) fn honoured(signals: &[i32]) -> Vec<i32> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    signals.iter().copied().filter(|signal| mask >> (signal - 1) & 1 == 0).collect()
}

fn end(signal: i32) {
    terminal::restore();
    std::process::exit(exit(signal).code().into());
}

/// What is behind these locks stays whole even if a thread panics while it holds one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
