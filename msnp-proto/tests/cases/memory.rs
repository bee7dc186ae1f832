//! How much memory is asked for, by thread: what no peer may decide with a number.

#![allow(unsafe_code, reason = "an allocator that counts can only be written with it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, with counts for each thread.
struct Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

fn grown(size: usize) {
    LARGEST.set(LARGEST.get().max(size));
    let live = LIVE.get().wrapping_add_unsigned(size);
    LIVE.set(live);
    PEAK.set(PEAK.get().max(live));
}

fn shrunk(size: usize) {
    LIVE.set(LIVE.get().wrapping_sub_unsigned(size));
}

// SAFETY: all calls go to the system's allocator as they are.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        shrunk(layout.size());
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        shrunk(layout.size());
        grown(size);
        // SAFETY: the caller keeps the contract.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a piece of work asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// The largest piece that was asked for at once.
    pub(crate) largest: usize,
    /// By how much what was held grew at most.
    pub(crate) peak: usize,
}

/// Does some work and says what memory it asked for.
pub(crate) fn of<T>(work: impl FnOnce() -> T) -> (T, Usage) {
    let before = LIVE.get();
    PEAK.set(before);
    LARGEST.set(0);
    let done = work();
    let peak = usize::try_from(PEAK.get() - before).unwrap_or(0);
    (done, Usage { largest: LARGEST.get(), peak })
}
