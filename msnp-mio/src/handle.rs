//! Reaching the loop from other threads.
//!
//! This module knows the waker and what waits to be taken in. It does not know what the work does.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mio::Waker;
use msnp_proto::time::Instant;

use crate::error::Gone;
use crate::resolve::Found;

type Job<H> = Box<dyn FnOnce(&mut H, Instant) + Send>;

/// Reaches a [`Reactor`](crate::Reactor) from other threads. Clones reach the same one.
///
/// Nothing here blocks for longer than it takes to add to a list, so a thread that forwards
/// signals may use it freely. It is not for signal handlers themselves.
pub struct Handle<H> {
    bell: Arc<Bell>,
    jobs: Arc<Mutex<Jobs<H>>>,
}

impl<H> Handle<H> {
    /// Has the loop run `job` with the host and the time, soon and in the order of posting.
    ///
    /// # Errors
    ///
    /// [`Gone`] when the reactor was dropped; the job does not run. A job that was still waiting
    /// when the reactor was dropped does not run either.
    pub fn post<F>(&self, job: F) -> Result<(), Gone>
    where
        F: FnOnce(&mut H, Instant) + Send + 'static,
    {
        {
            let mut jobs = lock(&self.jobs);
            if jobs.gone {
                return Err(Gone);
            }
            jobs.queue.push(Box::new(job));
        }
        self.bell.ring();
        Ok(())
    }

    /// Makes [`Reactor::next`](crate::Reactor::next) return
    /// [`Happened::Woken`](crate::Happened::Woken): the present call, or the next one. Several
    /// wakes before that are one. Jobs posted before by the same thread have run by then.
    pub fn wake(&self) {
        self.bell.woken.store(true, Ordering::SeqCst);
        self.bell.ring();
    }
}

impl<H> Clone for Handle<H> {
    fn clone(&self) -> Self {
        Self { bell: Arc::clone(&self.bell), jobs: Arc::clone(&self.jobs) }
    }
}

impl<H> fmt::Debug for Handle<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

struct Jobs<H> {
    queue: Vec<Job<H>>,
    gone: bool,
}

/// The loop's end of all its handles.
pub(crate) struct Inbox<H> {
    handle: Handle<H>,
}

impl<H> Inbox<H> {
    pub(crate) fn new(bell: Arc<Bell>) -> Self {
        let jobs = Arc::new(Mutex::new(Jobs { queue: Vec::new(), gone: false }));
        Self { handle: Handle { bell, jobs } }
    }

    pub(crate) fn handle(&self) -> Handle<H> {
        self.handle.clone()
    }

    pub(crate) fn take(&self) -> Vec<Job<H>> {
        std::mem::take(&mut lock(&self.handle.jobs).queue)
    }
}

impl<H> Drop for Inbox<H> {
    fn drop(&mut self) {
        let left = {
            let mut jobs = lock(&self.handle.jobs);
            jobs.gone = true;
            std::mem::take(&mut jobs.queue)
        };
        // Outside the lock: what a job owns may itself hold a handle and use it when dropped.
        drop(left);
    }
}

/// Ends the loop's sleep, and holds what does not depend on the type of host.
pub(crate) struct Bell {
    waker: Waker,
    rung: AtomicBool,
    woken: AtomicBool,
    found: Mutex<Vec<Found>>,
}

impl Bell {
    pub(crate) fn new(waker: Waker) -> Self {
        Self {
            waker,
            rung: AtomicBool::new(false),
            woken: AtomicBool::new(false),
            found: Mutex::new(Vec::new()),
        }
    }

    /// Whoever adds something rings afterwards; only the first ring costs a system call.
    fn ring(&self) {
        if !self.rung.swap(true, Ordering::SeqCst) && self.waker.wake().is_err() {
            self.rung.store(false, Ordering::SeqCst);
        }
    }

    /// Must come before anything is taken out: what is added later then rings again.
    pub(crate) fn hush(&self) {
        self.rung.store(false, Ordering::SeqCst);
    }

    pub(crate) fn take_woken(&self) -> bool {
        self.woken.swap(false, Ordering::SeqCst)
    }

    pub(crate) fn put_found(&self, found: Found) {
        lock(&self.found).push(found);
        self.ring();
    }

    pub(crate) fn take_found(&self) -> Vec<Found> {
        std::mem::take(&mut lock(&self.found))
    }
}

/// The lists stay whole even if a thread panics while it adds to one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
