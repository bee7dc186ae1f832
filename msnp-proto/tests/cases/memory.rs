//! How much memory is asked for, by thread, which is nothing that a peer may decide with a number;
//! and what is left in it.

#![allow(unsafe_code, reason = "an allocator that looks can only be written with it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::thread::panicking;

/// The system's allocator, with counts for each thread.
struct Looking;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static LARGEST: Cell<usize> = const { Cell::new(0) };
    /// What is looked for in memory that is given back.
    static MARK: Cell<Option<&'static [u8]>> = const { Cell::new(None) };
    /// How many pieces were given back with the mark in them.
    static LEFT: Cell<usize> = const { Cell::new(0) };
    /// Pieces that were asked for since the search began, and are held.
    static HELD: RefCell<Held> = const { RefCell::new(Held::EMPTY) };
}

/// Most pieces that are known while the mark is looked for.
const MOST: usize = 4096;

struct Held {
    pieces: [(usize, usize); MOST],
    len: usize,
    /// Whether there were more than fit.
    full: bool,
}

impl Held {
    const EMPTY: Self = Self { pieces: [(0, 0); MOST], len: 0, full: false };
}

fn grown(memory: *mut u8, size: usize) {
    LARGEST.set(LARGEST.get().max(size));
    let live = LIVE.get().wrapping_add_unsigned(size);
    LIVE.set(live);
    PEAK.set(PEAK.get().max(live));
    if is_searched() {
        // An allocator may not panic: that there were more is told when they are asked for.
        HELD.with_borrow_mut(|held| match held.pieces.get_mut(held.len) {
            Some(piece) => {
                *piece = (memory as usize, size);
                held.len += 1;
            }
            None => held.full = true,
        });
    }
}

fn shrunk(memory: *mut u8, size: usize) {
    LIVE.set(LIVE.get().wrapping_sub_unsigned(size));
    if let Some(mark) = MARK.get().filter(|_| !panicking()) {
        if has(memory as usize, size, mark) {
            LEFT.set(LEFT.get() + 1);
        }
        HELD.with_borrow_mut(|held| {
            let found = held.pieces[..held.len].iter().position(|(at, _)| *at == memory as usize);
            if let Some(place) = found {
                held.len -= 1;
                held.pieces[place] = held.pieces[held.len];
            }
        });
    }
}

fn is_searched() -> bool {
    MARK.get().is_some() && !panicking()
}

/// Clears memory that is given out while the mark is looked for: what was left there by somebody
/// before is not what is looked for.
///
/// # Safety
///
/// The memory from `from` to `to` belongs to the caller, who has not given it out yet.
unsafe fn clear(memory: *mut u8, from: usize, to: usize) {
    if is_searched() && !memory.is_null() && from < to {
        // SAFETY: the caller keeps the contract.
        unsafe { memory.add(from).write_bytes(0, to - from) }
    }
}

/// Whether a piece of memory that is held has the mark in it.
fn has(memory: usize, size: usize, mark: &[u8]) -> bool {
    let byte = |at: usize| {
        // SAFETY: the piece is held by somebody on this thread, who waits for us.
        unsafe { std::ptr::read_volatile((memory + at) as *const u8) }
    };
    let end = (size + 1).saturating_sub(mark.len());
    (0..end).any(|at| mark.iter().enumerate().all(|(place, one)| byte(at + place) == *one))
}

// SAFETY: all calls go to the system's allocator as they are.
unsafe impl GlobalAlloc for Looking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract.
        let memory = unsafe { System.alloc(layout) };
        // SAFETY: nobody has it yet.
        unsafe { clear(memory, 0, layout.size()) };
        grown(memory, layout.size());
        memory
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        shrunk(memory, layout.size());
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // What is there may be left behind, since it may move.
        shrunk(memory, layout.size());
        // SAFETY: the caller keeps the contract.
        let memory = unsafe { System.realloc(memory, layout, size) };
        // SAFETY: nobody has what is new of it yet.
        unsafe { clear(memory, layout.size(), size) };
        grown(memory, size);
        memory
    }
}

#[global_allocator]
static ALLOCATOR: Looking = Looking;

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

/// Looks for a mark in memory, from here on, on this thread.
pub(crate) struct Search(());

impl Search {
    /// Begins to look.
    pub(crate) fn begin(mark: &'static [u8]) -> Self {
        HELD.with_borrow_mut(|held| (held.len, held.full) = (0, false));
        LEFT.set(0);
        MARK.set(Some(mark));
        Self(())
    }

    /// How many pieces with the mark are held.
    pub(crate) fn held(&self) -> usize {
        let Some(mark) = MARK.get() else { return 0 };
        HELD.with_borrow(|held| {
            assert!(!held.full, "too much is held to be searched");
            let pieces = held.pieces[..held.len].iter();
            pieces.filter(|(memory, size)| has(*memory, *size, mark)).count()
        })
    }

    /// How many pieces were given back with the mark in them.
    pub(crate) fn left(&self) -> usize {
        LEFT.get()
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        MARK.set(None);
    }
}
