//! The tables: which sockets there are, which of them have something to do, and when.
//!
//! This module knows tokens, lists and deadlines. Opening is in `open`, reading and writing in
//! `connection`, accepting in `listener`; when all this happens is for `reactor` to say.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use mio::event::Event;
use mio::{Poll, Token};
use msnp_proto::machine::{Closed, ConnId, Host, ListenerId, Output, Shutdown};
use msnp_proto::time::Instant;

use crate::clock::Clock;
use crate::connection::{Connection, Queue, Stage};
use crate::handle::Bell;
use crate::listener::Listening;
use crate::open::Setup;
use crate::options::Options;
use crate::resolve::Resolve;
use crate::tap::Tap;

pub(crate) const WAKER: Token = Token(0);

/// How many shares one turn gives at most to those who had theirs, so that what they make the host
/// say stays small.
const SHARES: usize = 8;

/// Who a token or a deadline belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    Conn(ConnId),
    Listener(ListenerId),
}

/// What the host wants opened. It waits for its place in the turn: were it done at once, a host
/// that answers each failure with another try would keep the loop from everything else.
pub(crate) enum Wish {
    Connect(ConnId),
    Listen(ListenerId, SocketAddr),
}

pub(crate) struct Net {
    pub(crate) poll: Poll,
    pub(crate) bell: Arc<Bell>,
    pub(crate) options: Options,
    pub(crate) tap: Option<Box<dyn Tap>>,
    pub(crate) setup: Option<Setup>,
    pub(crate) resolver: Box<dyn Resolve>,
    /// The one read buffer.
    pub(crate) buffer: Vec<u8>,
    pub(crate) conns: HashMap<ConnId, Connection>,
    pub(crate) listeners: HashMap<ListenerId, Listening>,
    pub(crate) accept_pauses: u64,
    tokens: HashMap<Token, Owner>,
    last_token: usize,
    timers: BTreeSet<(Instant, Owner)>,
    pub(crate) wishes: VecDeque<Wish>,
    /// Connections whose pending bytes the host, or the socket, wants looked at.
    dirty: Vec<ConnId>,
    /// Connections to read from, which have not had their share of this turn.
    ready: Vec<ConnId>,
    /// Connections that had their share and have more to read.
    behind: VecDeque<ConnId>,
    /// Connections that could be read from, but the host does not want that now.
    paused: Vec<ConnId>,
    /// Listening sockets to accept from.
    pub(crate) knocking: Vec<ListenerId>,
}

impl Net {
    pub(crate) fn new(
        poll: Poll,
        bell: Arc<Bell>,
        options: Options,
        resolver: Box<dyn Resolve>,
    ) -> Self {
        Self {
            poll,
            bell,
            buffer: vec![0; options.read_budget.max(1)],
            options,
            tap: None,
            setup: None,
            resolver,
            conns: HashMap::new(),
            listeners: HashMap::new(),
            accept_pauses: 0,
            tokens: HashMap::new(),
            last_token: WAKER.0,
            timers: BTreeSet::new(),
            wishes: VecDeque::new(),
            dirty: Vec::new(),
            ready: Vec::new(),
            behind: VecDeque::new(),
            paused: Vec::new(),
            knocking: Vec::new(),
        }
    }

    /// Takes one output, except events, and does what can be done at once.
    pub(crate) fn apply<H: Host>(
        &mut self,
        host: &mut H,
        now: Instant,
        output: Output<H::Event>,
    ) -> Option<H::Event> {
        match output {
            Output::Event(event) => return Some(event),
            Output::Transmit { conn } => self.mark_dirty(conn),
            Output::Connect { conn, to } => self.admit(now, conn, to),
            Output::Close { conn, how: Shutdown::Abort } => {
                self.close(host, now, conn, Closed::Done);
            }
            Output::Close { conn, how: Shutdown::Flush } => self.flush(host, now, conn),
            Output::Listen { listener, at } => self.wishes.push_back(Wish::Listen(listener, at)),
            Output::Unlisten { listener } => self.unlisten(listener),
            // What a later core may ask for is not known here, so nobody waits for it.
            _ => {}
        }
        None
    }

    /// Opens and writes what the host asked for. What is asked for meanwhile waits for the next
    /// turn, so this ends.
    pub(crate) fn work<H: Host>(&mut self, host: &mut H, now: Instant) {
        for _ in 0..self.wishes.len() {
            match self.wishes.pop_front() {
                Some(Wish::Connect(conn)) => self.connect(host, now, conn),
                Some(Wish::Listen(listener, at)) => self.listen(host, now, listener, at),
                None => break,
            }
        }
        for conn in std::mem::take(&mut self.dirty) {
            self.write(host, now, conn);
        }
    }

    /// Whether the next turn must not sleep.
    pub(crate) fn is_busy(&self) -> bool {
        !(self.wishes.is_empty()
            && self.dirty.is_empty()
            && self.ready.is_empty()
            && self.behind.is_empty()
            && self.knocking.is_empty())
    }

    /// Asks again whether input is welcome that was not when it came.
    pub(crate) fn reconsider<H: Host>(&mut self, host: &H) {
        let Self { paused, ready, conns, .. } = self;
        paused.retain(|&conn| {
            let Some(connection) = conns.get_mut(&conn) else { return false };
            if connection.queue == Queue::Paused && host.wants_read(conn) {
                connection.queue = Queue::Ready;
                ready.push(conn);
            }
            connection.parked = connection.queue == Queue::Paused;
            connection.parked
        });
    }

    /// Sets latches, and nothing else: no socket goes while there are events to look at.
    pub(crate) fn note(&mut self, event: &Event) {
        match self.tokens.get(&event.token()) {
            Some(&Owner::Conn(conn)) => {
                let Some(connection) = self.conns.get_mut(&conn) else { return };
                let stalled = !connection.writable;
                let readable = connection.note(event);
                let released = stalled && connection.writable;
                if readable {
                    self.mark_ready(conn);
                }
                if released {
                    self.mark_dirty(conn);
                }
            }
            Some(&Owner::Listener(listener)) => self.knock(listener),
            None => {}
        }
    }

    /// Does what the events of this turn made possible: writes that were held up first, then reads
    /// and new connections.
    pub(crate) fn serve<H: Host>(&mut self, host: &mut H, now: Instant) {
        for conn in std::mem::take(&mut self.dirty) {
            if !self.proceed(host, now, conn) {
                self.write(host, now, conn);
            }
        }
        for conn in std::mem::take(&mut self.ready) {
            self.read(host, now, conn);
        }
        for listener in std::mem::take(&mut self.knocking) {
            self.accept(host, now, listener);
        }
    }

    /// Goes on reading from those who have more than their share, in turn, for a short while. Returns
    /// whether there was anybody.
    ///
    /// This comes after the writes that others wait for, and before the next look at the poll: so
    /// whoever has little to say is served first and waits for one such while at most, however many
    /// there are who never stop.
    pub(crate) fn catch_up<H: Host>(&mut self, host: &mut H, clock: Clock) -> bool {
        let any = !self.behind.is_empty();
        let started = clock.now();
        let mut now = started;
        for _ in 0..SHARES {
            let Some(conn) = self.behind.pop_front() else { break };
            self.read(host, now, conn);
            now = clock.now();
            if now - started >= self.options.catch_up {
                break;
            }
        }
        any
    }

    /// Ends a connection: the one place where `handle_closed` is called.
    pub(crate) fn close<H: Host>(&mut self, host: &mut H, now: Instant, conn: ConnId, why: Closed) {
        let Some(mut connection) = self.conns.remove(&conn) else { return };
        self.set_timer(Owner::Conn(conn), &mut connection.due, None);
        if let Some(stream) = connection.stream.take() {
            self.forget(stream, connection.token);
        }
        drop(connection);
        if let Some(tap) = &mut self.tap {
            tap.closed(now, conn, why);
        }
        host.handle_closed(now, conn, why);
    }

    pub(crate) fn mark_dirty(&mut self, conn: ConnId) {
        if let Some(connection) = self.conns.get_mut(&conn) {
            if !connection.dirty {
                connection.dirty = true;
                self.dirty.push(conn);
            }
        }
    }

    pub(crate) fn mark_ready(&mut self, conn: ConnId) {
        if let Some(connection) = self.conns.get_mut(&conn) {
            if connection.queue != Queue::Ready {
                connection.queue = Queue::Ready;
                self.ready.push(conn);
            }
        }
    }

    /// It had its share.
    pub(crate) fn mark_behind(&mut self, conn: ConnId) {
        if let Some(connection) = self.conns.get_mut(&conn) {
            connection.queue = Queue::Ready;
            self.behind.push_back(conn);
        }
    }

    pub(crate) fn mark_paused(&mut self, conn: ConnId) {
        if let Some(connection) = self.conns.get_mut(&conn) {
            connection.queue = Queue::Paused;
            if !connection.parked {
                connection.parked = true;
                self.paused.push(conn);
            }
        }
    }

    /// A token that was never used before, for a socket of `owner`.
    pub(crate) fn new_token(&mut self, owner: Owner) -> Token {
        self.last_token += 1;
        let token = Token(self.last_token);
        self.tokens.insert(token, owner);
        token
    }

    /// Takes a socket out of the poll and closes it.
    pub(crate) fn forget<S: mio::event::Source>(&mut self, mut socket: S, token: Token) {
        self.tokens.remove(&token);
        // It fails only for a socket that was not in the poll, and then there is nothing to undo.
        let _ = self.poll.registry().deregister(&mut socket);
    }

    /// Sets the one deadline that a connection has.
    pub(crate) fn arm(&mut self, conn: ConnId, at: Instant) {
        if let Some(connection) = self.conns.get_mut(&conn) {
            if let Some(old) = connection.due.replace(at) {
                self.timers.remove(&(old, Owner::Conn(conn)));
            }
            self.timers.insert((at, Owner::Conn(conn)));
        }
    }

    /// The same for a deadline that is kept outside the table of connections.
    pub(crate) fn set_timer(
        &mut self,
        owner: Owner,
        due: &mut Option<Instant>,
        at: Option<Instant>,
    ) {
        if let Some(old) = std::mem::replace(due, at) {
            self.timers.remove(&(old, owner));
        }
        if let Some(at) = at {
            self.timers.insert((at, owner));
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timers.first().map(|&(at, _)| at)
    }

    /// Fires what is due of the loop's own deadlines.
    pub(crate) fn expire<H: Host>(&mut self, host: &mut H, now: Instant) {
        while let Some(&(at, owner)) = self.timers.first() {
            if at > now {
                break;
            }
            self.timers.pop_first();
            match owner {
                Owner::Conn(conn) => {
                    let Some(connection) = self.conns.get_mut(&conn) else { continue };
                    connection.due = None;
                    match connection.stage {
                        Stage::Opening(_) => self.try_next(host, now, conn, Closed::TimedOut),
                        Stage::Open => self.close(host, now, conn, Closed::TimedOut),
                        // Everything was written; the peer had its time to read it.
                        Stage::Lingering => self.close(host, now, conn, Closed::Done),
                    }
                }
                Owner::Listener(listener) => self.resume(listener),
            }
        }
    }
}
