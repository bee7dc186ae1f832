//! How far something is that takes long.
//!
//! This module knows when to say something and what. It has no clock and no terminal: the caller
//! says how late it is, and writes what it is given to stderr.

use std::time::Duration;

/// Where it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// One line that is written again and again.
    Terminal,
    /// A line now and then.
    Log,
}

/// Says how far something is.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    place: Place,
    /// What is being done.
    what: String,
    /// Bytes in all, if that is known.
    total: Option<u64>,
    /// When to say something next.
    due: Duration,
    shown: bool,
}

/// Nobody wants to hear of what is over sooner than this.
const FIRST: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(5)];
const EVERY: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(10)];
const BAR: u64 = 24;
/// Goes to the front of the line and clears it.
pub(crate) const CLEAR: &str = "\r\x1b[K";

impl Progress {
    /// Something begins now. `what` is shown escaped already.
    pub(crate) fn new(place: Place, what: impl Into<String>, total: Option<u64>) -> Self {
        let due = FIRST[place as usize];
        Self {
            place,
            what: what.into(),
            total: total.filter(|total| *total > 0),
            due,
            shown: false,
        }
    }

    /// So much is done after so long: what to write, if anything.
    pub(crate) fn at(&mut self, elapsed: Duration, done: u64) -> Option<String> {
        if elapsed < self.due {
            return None;
        }
        self.due = elapsed + EVERY[self.place as usize];
        self.shown = true;
        let mut text = self.total.map_or_else(
            || format!("{} {}", self.what, size(done)),
            |total| {
                let percent = done.min(total).saturating_mul(100) / total;
                format!("{} {percent}% of {}", self.what, size(total))
            },
        );
        let rate = u128::from(done) * 1000 / elapsed.as_millis().max(1);
        let rate = u64::try_from(rate).unwrap_or(u64::MAX);
        text.push_str(&format!(", {}/s", size(rate)));
        if let Some(total) = self.total.filter(|_| rate > 0) {
            text.push_str(&format!(", {} s left", total.saturating_sub(done) / rate));
        }
        Some(match self.place {
            Place::Log => format!("msnp: {text}\n"),
            Place::Terminal => format!("{CLEAR}{}{text}", self.bar(done)),
        })
    }

    /// It is over: what to write, if anything.
    pub(crate) fn end(&mut self) -> Option<&'static str> {
        let clears = self.place == Place::Terminal && std::mem::take(&mut self.shown);
        clears.then_some(CLEAR)
    }

    fn bar(&self, done: u64) -> String {
        let Some(total) = self.total else { return String::new() };
        let full = done.min(total).saturating_mul(BAR) / total;
        (0..BAR).map(|place| if place < full { '#' } else { '.' }).chain([' ']).collect()
    }
}

/// Bytes in a unit that a person reads.
fn size(bytes: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")];
    match units.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1_000_000;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_terminal_gets_one_line_again_and_again_and_it_is_cleared() {
        let mut progress = Progress::new(Place::Terminal, "reading x", Some(100 * MB));
        assert_eq!(progress.at(ms(499), 10 * MB), None);
        assert_eq!(
            progress.at(ms(500), 50 * MB).as_deref(),
            Some(
                "\r\x1b[K############............ reading x 50% of 100.0 MB, 100.0 MB/s, 0 s left"
            )
        );
        assert_eq!(progress.at(ms(599), 60 * MB), None);
        let line = progress.at(ms(1000), 25 * MB).expect("due");
        assert!(line.ends_with("reading x 25% of 100.0 MB, 25.0 MB/s, 3 s left"), "{line}");
        assert_eq!(progress.end(), Some("\r\x1b[K"));
        assert_eq!(progress.end(), None);
    }

    #[test]
    fn a_log_gets_whole_lines_now_and_then() {
        let mut progress = Progress::new(Place::Log, "reading stdin", None);
        assert_eq!(progress.at(ms(4999), MB), None);
        let line = "msnp: reading stdin 2.5 MB, 500.0 kB/s\n";
        assert_eq!(progress.at(ms(5000), 2 * MB + 500_000).as_deref(), Some(line));
        assert_eq!(progress.at(ms(14_999), 3 * MB), None);
        assert!(progress.at(ms(15_000), 3 * MB).is_some());
        assert_eq!(progress.end(), None);
    }

    #[test]
    fn what_is_over_at_once_is_never_spoken_of() {
        for place in [Place::Terminal, Place::Log] {
            let mut progress = Progress::new(place, "x", Some(1));
            assert_eq!(progress.at(ms(100), 1), None);
            assert_eq!(progress.end(), None);
        }
    }

    #[test]
    fn sizes_and_totals_of_every_kind() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1000, "1.0 kB"),
            (1_999_999, "1.9 MB"),
            (u64::MAX, "18446744073.7 GB"),
        ] {
            assert_eq!(size(bytes), text);
        }
        for (total, done) in
            [(Some(0), 5), (Some(1), u64::MAX), (None, u64::MAX), (Some(u64::MAX), 0)]
        {
            let mut progress = Progress::new(Place::Terminal, "x", total);
            let line = progress.at(ms(60_000), done).expect("due");
            assert_eq!(line.lines().count(), 1, "{line}");
        }
    }
}
