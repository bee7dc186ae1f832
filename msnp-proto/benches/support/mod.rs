//! A stopwatch for benches: the standard library, a few rounds, a table.
//!
//! Times on a shared machine vary; ratios between things measured in the same rounds vary much
//! less. So [`measure`] runs everything that is compared in turn, round after round, and gives each
//! one's median and range. A bench fails on a wrong result, never on a time.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// How often everything is run. The first round warms up and does not count.
const ROUNDS: usize = 15;

/// A round of one thing takes at least this long, so that the clock's own cost is lost in it.
const ROUND: Duration = Duration::from_millis(20);

/// One thing to measure: a name, how many units one run does, and the run. The number that a run
/// gives back keeps the compiler from leaving it out, and must be the same each time.
pub(crate) struct Job<'a> {
    pub(crate) name: &'static str,
    pub(crate) units: u64,
    pub(crate) run: Box<dyn FnMut() -> u64 + 'a>,
}

impl<'a> Job<'a> {
    pub(crate) fn new(name: &'static str, units: usize, run: impl FnMut() -> u64 + 'a) -> Self {
        Self { name, units: units as u64, run: Box::new(run) }
    }
}

/// What one job took per unit, in nanoseconds.
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

/// Runs all jobs in turn, several rounds.
pub(crate) fn measure(mut jobs: Vec<Job<'_>>) -> Vec<Figure> {
    let expected: Vec<u64> = jobs.iter_mut().map(|job| (job.run)()).collect();
    let repeats: Vec<u64> = jobs
        .iter_mut()
        .map(|job| {
            let start = Instant::now();
            let mut repeats = 0;
            while start.elapsed() < ROUND {
                black_box((job.run)());
                repeats += 1;
            }
            repeats
        })
        .collect();
    let mut times = vec![Vec::with_capacity(ROUNDS); jobs.len()];
    for _ in 0..ROUNDS {
        for (((job, expected), repeats), times) in
            jobs.iter_mut().zip(&expected).zip(&repeats).zip(&mut times)
        {
            let start = Instant::now();
            for _ in 0..*repeats {
                assert_eq!(black_box((job.run)()), *expected, "{}: result changed", job.name);
            }
            let units = (job.units * repeats) as f64;
            times.push(start.elapsed().as_nanos() as f64 / units);
        }
    }
    jobs.iter()
        .zip(times)
        .map(|(job, mut times)| {
            times.sort_by(f64::total_cmp);
            Figure {
                name: job.name,
                median: times[times.len() / 2],
                least: times[0],
                most: times[times.len() - 1],
            }
        })
        .collect()
}

/// Prints figures as speeds in megabytes a second, each beside the first one. A unit is a byte.
pub(crate) fn print_speeds(title: &str, figures: &[Figure]) {
    println!("\n{title:<44} {:>10} {:>19} {:>7}", "MB/s", "range", "ratio");
    let first = figures[0].median;
    for Figure { name, median, least, most } in figures {
        let [median_speed, low, high] = [median, most, least].map(|time| 1e3 / time);
        let ratio = first / median;
        println!("  {name:<42} {median_speed:>10.0} {low:>8.0} – {high:>8.0} {ratio:>7.2}");
    }
}

/// Prints figures as nanoseconds a unit, each beside the first one.
pub(crate) fn print_times(title: &str, figures: &[Figure]) {
    println!("\n{title:<44} {:>10} {:>19} {:>7}", "ns", "range", "ratio");
    let first = figures[0].median;
    for Figure { name, median, least, most } in figures {
        let ratio = median / first;
        println!("  {name:<42} {median:>10.1} {least:>8.1} – {most:>8.1} {ratio:>7.2}");
    }
}
