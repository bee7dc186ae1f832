//! Names to addresses, off the loop's thread.
//!
//! This module knows how to ask for a name. It does not know what the addresses are used for;
//! trying them in turn is done elsewhere.

use std::collections::VecDeque;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, io, thread};

use msnp_proto::machine::{Closed, ConnId};

use crate::handle::Bell;

/// Looks names up.
pub trait Resolve {
    /// Finds the addresses of `host` and gives them, each with `port`, to `answer`: now or later,
    /// from any thread. This runs on the loop's thread and must not block.
    ///
    /// An address written out as text never comes here.
    fn resolve(&mut self, host: &str, port: u16, answer: Answer);
}

/// Where the outcome of one lookup goes. Dropping it without an outcome fails the lookup.
#[must_use = "a connection waits for this answer"]
pub struct Answer {
    conn: ConnId,
    bell: Arc<Bell>,
    given: bool,
}

impl Answer {
    pub(crate) fn new(conn: ConnId, bell: Arc<Bell>) -> Self {
        Self { conn, bell, given: false }
    }

    /// Gives the addresses, best first, or the reason that the connection is to fail with. No
    /// address at all counts as [`Closed::UnknownHost`].
    pub fn give(mut self, outcome: Result<Vec<SocketAddr>, Closed>) {
        self.given = true;
        self.bell.put_found(Found { conn: self.conn, outcome });
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if !self.given {
            self.bell.put_found(Found { conn: self.conn, outcome: Err(Closed::Failed) });
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("conn", &self.conn).finish_non_exhaustive()
    }
}

/// The outcome of one lookup. The connection may be gone by now.
pub(crate) struct Found {
    pub(crate) conn: ConnId,
    pub(crate) outcome: Result<Vec<SocketAddr>, Closed>,
}

/// Asks the operating system, on at most [`SystemResolver::THREADS`] threads that end when there is
/// nothing more to look up.
#[derive(Debug, Default)]
pub struct SystemResolver {
    desk: Arc<Mutex<Desk>>,
}

#[derive(Debug, Default)]
struct Desk {
    waiting: VecDeque<Question>,
    threads: usize,
}

#[derive(Debug)]
struct Question {
    host: String,
    port: u16,
    answer: Answer,
}

impl SystemResolver {
    /// How many names are looked up at once; others wait their turn.
    pub const THREADS: usize = 4;

    /// A resolver with no thread yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the operating system here and now: for resolvers of one's own, which have a thread to
    /// wait on.
    ///
    /// # Errors
    ///
    /// What the connection is to fail with.
    pub fn look_up(host: &str, port: u16) -> Result<Vec<SocketAddr>, Closed> {
        let found = (host, port).to_socket_addrs();
        found.map(Iterator::collect).map_err(|error| why(&error))
    }
}

impl Resolve for SystemResolver {
    fn resolve(&mut self, host: &str, port: u16, answer: Answer) {
        let question = Question { host: host.to_owned(), port, answer };
        {
            let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
            desk.waiting.push_back(question);
            if desk.threads == Self::THREADS {
                return;
            }
            desk.threads += 1;
        }
        let desk = Arc::clone(&self.desk);
        let started = thread::Builder::new().name("resolve".to_owned()).spawn(move || serve(&desk));
        if started.is_err() {
            let stranded = {
                let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
                desk.threads -= 1;
                // Another thread will come to it, if there is one.
                if desk.threads == 0 { std::mem::take(&mut desk.waiting) } else { VecDeque::new() }
            };
            drop(stranded);
        }
    }
}

fn serve(desk: &Mutex<Desk>) {
    loop {
        let question = {
            let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
            match desk.waiting.pop_front() {
                Some(question) => question,
                None => {
                    desk.threads -= 1;
                    return;
                }
            }
        };
        question.answer.give(SystemResolver::look_up(&question.host, question.port));
    }
}

/// The standard library gives no kind for a name that does not resolve, but for real errors of the
/// system it gives their number.
fn why(error: &io::Error) -> Closed {
    if error.raw_os_error().is_some() { Closed::Failed } else { Closed::UnknownHost }
}
