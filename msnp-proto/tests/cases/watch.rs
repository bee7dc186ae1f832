//! An eye on every thread: what does not return is named, and fails.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How long one run may take, however busy the machine is. Most take less than a millisecond.
const LONGEST: Duration = Duration::from_secs(120);

#[derive(Default)]
struct Work {
    runs: AtomicU64,
    title: Mutex<Option<String>>,
}

static ALL: Mutex<Vec<Arc<Work>>> = Mutex::new(Vec::new());

thread_local! {
    static MINE: Arc<Work> = {
        let work = Arc::<Work>::default();
        ALL.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&work));
        work
    };
}

/// Begins to watch.
pub(crate) fn start() {
    thread::spawn(|| {
        let mut seen = Vec::new();
        loop {
            // In pieces: while the whole machine pauses none of them passes.
            (0..LONGEST.as_secs()).for_each(|_| thread::sleep(Duration::from_secs(1)));
            let all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
            for (place, work) in all.iter().enumerate() {
                seen.resize(seen.len().max(place + 1), 0);
                let runs = work.runs.load(Ordering::Relaxed);
                let title = work.title.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(title) = title.as_ref().filter(|_| runs == seen[place]) {
                    println!("{title}: does not return");
                    std::process::exit(1);
                }
                seen[place] = runs;
            }
        }
    });
}

/// Says what this thread does from here on, if anything.
pub(crate) fn work(title: Option<String>) {
    run();
    MINE.with(|mine| *mine.title.lock().unwrap_or_else(PoisonError::into_inner) = title);
}

/// Says that this thread begins another run.
pub(crate) fn run() {
    MINE.with(|mine| mine.runs.fetch_add(1, Ordering::Relaxed));
}
