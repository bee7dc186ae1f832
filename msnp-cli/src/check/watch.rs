//! What passes on the connections of a check: names looked up, addresses reached, first bytes.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use msnp_mio::{Answer, Origin, Resolve, SystemResolver, Tap};
use msnp_proto::machine::{Closed, ConnId, Target};
use msnp_proto::time::Instant;

/// So many bytes of what a server says first are kept.
const KEPT: usize = 64;

/// What was seen of the server of the moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    conn: Option<ConnId>,
    /// The address that answered.
    pub(crate) peer: Option<SocketAddr>,
    /// The first bytes that came from there.
    pub(crate) first: Vec<u8>,
    /// How many came in all.
    pub(crate) received: u64,
    /// When the last of them came.
    pub(crate) last: Option<Instant>,
    /// Who sent us there, if it is not where the user wanted to go.
    pub(crate) referral: Option<Rc<Referral>>,
}

/// A server that named another one.
#[derive(Debug)]
pub(crate) struct Referral {
    pub(crate) from: Target,
    pub(crate) to: Target,
}

/// What came of looking a name up, and how long that took.
type Lookup = Arc<Mutex<Option<(Vec<SocketAddr>, Duration)>>>;

/// Sees what passes; copies see the same.
#[derive(Clone, Default)]
pub(crate) struct Watch {
    seen: Rc<RefCell<Seen>>,
    lookup: Lookup,
}

impl Watch {
    pub(crate) fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// The addresses of the name that was looked up last, once they are there, and how long it took.
    pub(crate) fn addresses(&self) -> Option<(Vec<SocketAddr>, Duration)> {
        self.lookup.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another server's turn: the one that the user named.
    pub(crate) fn forget(&self) {
        self.turn_to(None);
    }

    /// Another server's turn: one that another server named.
    pub(crate) fn referred(&self, from: Target, to: Target) {
        self.turn_to(Some(Rc::new(Referral { from, to })));
    }

    fn turn_to(&self, referral: Option<Rc<Referral>>) {
        *self.seen.borrow_mut() = Seen { referral, ..Seen::default() };
        *self.lookup.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// A tap that sees connections for which `wanted` holds, and passes all on to `other`.
    pub(crate) fn tap(
        &self,
        other: Option<Box<dyn Tap>>,
        wanted: fn(ConnId) -> bool,
    ) -> Box<dyn Tap> {
        Box::new(Spy { watch: self.clone(), other, wanted })
    }

    /// A resolver that keeps what it found.
    pub(crate) fn resolver(&self) -> Box<dyn Resolve> {
        Box::new(Lookups(Arc::clone(&self.lookup)))
    }
}

struct Lookups(Lookup);

impl Resolve for Lookups {
    fn resolve(&mut self, host: &str, port: u16, answer: Answer) {
        let (lookup, host) = (Arc::clone(&self.0), host.to_owned());
        // A thread that cannot be made drops the answer, which fails the lookup.
        let _ = thread::Builder::new().name("resolve".into()).spawn(move || {
            let begun = std::time::Instant::now();
            let found = SystemResolver::look_up(&host, port);
            if let Ok(addresses) = &found {
                let found = (addresses.clone(), begun.elapsed());
                *lookup.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
            }
            answer.give(found);
        });
    }
}

struct Spy {
    watch: Watch,
    other: Option<Box<dyn Tap>>,
    wanted: fn(ConnId) -> bool,
}

impl Tap for Spy {
    fn opened(&mut self, now: Instant, conn: ConnId, origin: Origin<'_>, peer: SocketAddr) {
        if (self.wanted)(conn) {
            // What was said on another connection says nothing of this one.
            let mut seen = self.watch.seen.borrow_mut();
            let referral = seen.referral.take();
            *seen = Seen { conn: Some(conn), peer: Some(peer), referral, ..Seen::default() };
        }
        if let Some(other) = &mut self.other {
            other.opened(now, conn, origin, peer);
        }
    }

    fn received(&mut self, now: Instant, conn: ConnId, bytes: &[u8]) {
        let mut seen = self.watch.seen.borrow_mut();
        // A file may still be on its way on an older one.
        if seen.conn == Some(conn) {
            let room = KEPT.saturating_sub(seen.first.len()).min(bytes.len());
            seen.first.extend_from_slice(bytes.get(..room).unwrap_or_default());
            seen.received += bytes.len() as u64;
            seen.last = Some(now);
        }
        drop(seen);
        if let Some(other) = &mut self.other {
            other.received(now, conn, bytes);
        }
    }

    fn sent(&mut self, now: Instant, conn: ConnId, bytes: &[u8]) {
        if let Some(other) = &mut self.other {
            other.sent(now, conn, bytes);
        }
    }

    fn closed(&mut self, now: Instant, conn: ConnId, why: Closed) {
        if let Some(other) = &mut self.other {
            other.closed(now, conn, why);
        }
    }
}
