//! Signals: the first asks the program to end in order, the second ends it at once.
//!
//! This module knows SIGINT, SIGTERM and SIGHUP. It does not know what ending in order means; whoever
//! sleeps has itself woken. SIGPIPE is ignored by the standard library, so that a reader that went
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
        let mut awaited = vec![SIGINT, SIGTERM];
        // Whoever starts us with `nohup` wants us to stay when the terminal goes.
        if !is_ignored(SIGHUP) {
            awaited.push(SIGHUP);
        }
        let mut queue = signal_hook::iterator::Signals::new(awaited)?;
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

/// Whether this program was started with a signal ignored. Where the system does not tell, it was
/// not.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

fn end(signal: i32) {
    terminal::restore();
    std::process::exit(exit(signal).code().into());
}

/// What is behind these locks stays whole even if a thread panics while it holds one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
