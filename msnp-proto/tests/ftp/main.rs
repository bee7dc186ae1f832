//! File transfer between two clients: each row of the protocol, the two sides against each other,
//! and what strangers try.

#[path = "../counting/mod.rs"]
mod counting;
mod laws;
mod meeting;
mod names;
mod receiver;
mod sender;
mod together;

use msnp_proto::ftp::{AuthCookie, FileWaits, Terms};
use msnp_proto::machine::Machine;
use msnp_proto::time::{Duration, Instant};
use msnp_proto::types::Handle;

const USR: &str = "USR bob@example.com 93301\r\n";

fn terms(size: u64) -> Terms {
    let receiver = Handle::new("bob@example.com").expect("a handle");
    Terms { size, cookie: AuthCookie::new(93301), receiver }
}

fn waits() -> FileWaits {
    FileWaits::new()
}

/// A file in which every place looks different.
fn file(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at / 251 * 7 + at) as u8).collect()
}

/// One machine, with a clock, whose peer is the test.
struct Stage<M: Machine> {
    machine: M,
    now: Instant,
}

impl<M: Machine> Stage<M> {
    fn hear(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.machine.handle_input(self.now, bytes.as_ref());
        self
    }

    fn eof(&mut self) -> &mut Self {
        self.machine.handle_eof(self.now);
        self
    }

    /// Lets time go by, with every timer at its time.
    fn wait(&mut self, time: Duration) -> &mut Self {
        let to = self.now + time;
        while let Some(due) = self.machine.next_deadline().filter(|due| *due <= to) {
            self.now = self.now.max(due);
            self.machine.handle_timeout(self.now);
            assert!(self.machine.next_deadline().is_none_or(|due| due > self.now));
        }
        self.now = to;
        self
    }

    /// Takes what it wants to say, as if it was written.
    fn said(&mut self) -> Vec<u8> {
        let said = self.machine.pending().to_vec();
        self.machine.consume(self.now, said.len());
        said
    }

    /// As text.
    fn says(&mut self) -> String {
        String::from_utf8(self.said()).expect("text")
    }

    fn events(&mut self) -> Vec<M::Event> {
        std::iter::from_fn(|| self.machine.poll_event()).collect()
    }
}

/// Seconds.
fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// One millisecond less.
fn nearly(seconds: u64) -> Duration {
    s(seconds) - Duration::from_millis(1)
}
