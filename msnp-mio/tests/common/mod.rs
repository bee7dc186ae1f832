//! A host that does what a test tells it, and reports all that happens to it.
#![allow(dead_code)]

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use msnp_mio::{Happened, Options, Origin, Reactor, Tap};
use msnp_proto::machine::{Closed, ConnId, Host, ListenerId, Output, Shutdown, Target};
use msnp_proto::time::{Duration, Instant};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Connected(ConnId),
    Closed(ConnId, Closed),
    Listening(ListenerId, SocketAddr),
    Unlistened(ListenerId, Closed),
    Accepted(ConnId),
    Input(ConnId, Vec<u8>),
    Eof(ConnId),
    Timeout,
}

#[derive(Default)]
pub(crate) struct Conn {
    pub(crate) out: Vec<u8>,
    pub(crate) wants_read: bool,
}

#[derive(Default)]
pub(crate) struct TestHost {
    pub(crate) conns: HashMap<ConnId, Conn>,
    pub(crate) outputs: VecDeque<Output<Event>>,
    pub(crate) deadline: Option<Instant>,
    /// Inputs on accepted connections come back, and the end is answered with the end.
    pub(crate) echo: bool,
    /// Each input makes so many one-byte answers, each with its own notice.
    pub(crate) answers: usize,
    pub(crate) turns_away: bool,
    /// New connections start with input unwelcome.
    pub(crate) starts_deaf: bool,
    pub(crate) total_in: usize,
    pub(crate) quiet: bool,
    /// How often the driver asked whether input is welcome.
    pub(crate) asked: Cell<usize>,
    pub(crate) accepted: Vec<ConnId>,
    pub(crate) next: u32,
}

pub(crate) fn target(host: &str, port: u16) -> Target {
    Target { host: host.to_owned(), port }
}

pub(crate) fn at(addr: SocketAddr) -> Target {
    target(&addr.ip().to_string(), addr.port())
}

pub(crate) fn any() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

impl TestHost {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn echoing() -> Self {
        Self { echo: true, ..Self::default() }
    }

    fn new_conn(&mut self) -> ConnId {
        self.next += 1;
        let conn = ConnId::new(self.next % 7, self.next);
        self.conns.insert(conn, Conn { out: Vec::new(), wants_read: !self.starts_deaf });
        conn
    }

    pub(crate) fn connect(&mut self, to: Target) -> ConnId {
        let conn = self.new_conn();
        self.outputs.push_back(Output::Connect { conn, to });
        conn
    }

    pub(crate) fn listen(&mut self) {
        self.outputs.push_back(Output::Listen { listener: ListenerId(1), at: any() });
    }

    pub(crate) fn send(&mut self, conn: ConnId, bytes: &[u8]) {
        if let Some(state) = self.conns.get_mut(&conn) {
            state.out.extend_from_slice(bytes);
            self.outputs.push_back(Output::Transmit { conn });
        }
    }

    pub(crate) fn close(&mut self, conn: ConnId, how: Shutdown) {
        self.outputs.push_back(Output::Close { conn, how });
    }

    pub(crate) fn set_reads(&mut self, conn: ConnId, wants: bool) {
        self.conns.get_mut(&conn).expect("a live connection").wants_read = wants;
    }

    fn tell(&mut self, event: Event) {
        if !self.quiet {
            self.outputs.push_back(Output::Event(event));
        }
    }
}

impl Host for TestHost {
    type Event = Event;

    fn handle_connected(&mut self, _: Instant, conn: ConnId) {
        assert!(self.conns.contains_key(&conn));
        self.tell(Event::Connected(conn));
    }

    fn handle_closed(&mut self, _: Instant, conn: ConnId, why: Closed) {
        assert!(self.conns.remove(&conn).is_some(), "closed twice: {conn:?}");
        self.tell(Event::Closed(conn, why));
    }

    fn handle_listening(&mut self, _: Instant, listener: ListenerId, local: SocketAddr) {
        self.outputs.push_back(Output::Event(Event::Listening(listener, local)));
    }

    fn handle_accepted(&mut self, _: Instant, _: ListenerId, _: SocketAddr) -> Option<ConnId> {
        if self.turns_away {
            return None;
        }
        let conn = self.new_conn();
        self.accepted.push(conn);
        self.tell(Event::Accepted(conn));
        Some(conn)
    }

    fn handle_unlistened(&mut self, _: Instant, listener: ListenerId, why: Closed) {
        self.tell(Event::Unlistened(listener, why));
    }

    fn handle_input(&mut self, _: Instant, conn: ConnId, bytes: &[u8]) {
        assert!(!bytes.is_empty());
        self.total_in += bytes.len();
        if self.accepted.contains(&conn) {
            if self.echo {
                self.send(conn, bytes);
            }
            for _ in 0..self.answers {
                self.send(conn, b".");
            }
        }
        self.tell(Event::Input(conn, bytes.to_vec()));
    }

    fn handle_eof(&mut self, _: Instant, conn: ConnId) {
        if self.echo {
            self.close(conn, Shutdown::Flush);
        }
        self.tell(Event::Eof(conn));
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_some_and(|at| at <= now) {
            self.deadline = None;
            self.tell(Event::Timeout);
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.deadline
    }

    fn pending(&self, conn: ConnId) -> &[u8] {
        self.conns.get(&conn).map_or(&[], |state| &state.out)
    }

    fn consume(&mut self, _: Instant, conn: ConnId, written: usize) {
        if let Some(state) = self.conns.get_mut(&conn) {
            state.out.drain(..written);
        }
    }

    fn wants_read(&self, conn: ConnId) -> bool {
        self.asked.set(self.asked.get() + 1);
        self.conns.get(&conn).is_some_and(|state| state.wants_read)
    }

    fn poll_output(&mut self) -> Option<Output<Event>> {
        self.outputs.pop_front()
    }
}

/// Long enough that only a mistake reaches it.
pub(crate) fn patience(reactor: &Reactor<TestHost>) -> Instant {
    reactor.now() + Duration::from_secs(300)
}

pub(crate) fn reactor(host: TestHost) -> Reactor<TestHost> {
    Reactor::new(host).expect("a reactor")
}

pub(crate) fn quick(host: TestHost) -> Reactor<TestHost> {
    let mut options = Options::default();
    options.linger = Duration::from_millis(50);
    options.connect_timeout = Duration::from_millis(50);
    options.flush_timeout = Duration::from_millis(50);
    Reactor::with_options(host, options).expect("a reactor")
}

/// Runs until `pick` says something of an event.
pub(crate) fn wait<T>(
    reactor: &mut Reactor<TestHost>,
    mut pick: impl FnMut(&Event) -> Option<T>,
) -> T {
    let until = patience(reactor);
    loop {
        match reactor.next(Some(until)).expect("the loop runs") {
            Happened::Event(event) => {
                if let Some(found) = pick(&event) {
                    return found;
                }
            }
            Happened::Woken => {}
            Happened::Due => panic!("waited too long"),
        }
    }
}

pub(crate) fn wait_for(reactor: &mut Reactor<TestHost>, event: &Event) {
    wait(reactor, |got| (got == event).then_some(()));
}

pub(crate) fn wait_closed(reactor: &mut Reactor<TestHost>, conn: ConnId) -> Closed {
    wait(reactor, |event| match event {
        Event::Closed(id, why) if *id == conn => Some(*why),
        _ => None,
    })
}

pub(crate) fn wait_accepted(reactor: &mut Reactor<TestHost>) -> ConnId {
    wait(reactor, |event| match event {
        Event::Accepted(conn) => Some(*conn),
        _ => None,
    })
}

/// Collects the input of a connection until there is `len` of it.
pub(crate) fn wait_bytes(reactor: &mut Reactor<TestHost>, conn: ConnId, len: usize) -> Vec<u8> {
    let mut all = Vec::new();
    wait(reactor, |event| {
        if let Event::Input(id, bytes) = event {
            if *id == conn {
                all.extend_from_slice(bytes);
            }
        }
        (all.len() >= len).then_some(())
    });
    all
}

pub(crate) fn listening(reactor: &mut Reactor<TestHost>) -> SocketAddr {
    reactor.host_mut().listen();
    wait(reactor, |event| match event {
        Event::Listening(_, local) => Some(*local),
        _ => None,
    })
}

/// Both ends of one connection in one reactor: the one that connected, and the one accepted.
pub(crate) fn pair(reactor: &mut Reactor<TestHost>) -> (ConnId, ConnId) {
    let local = listening(reactor);
    let near = reactor.host_mut().connect(at(local));
    let (mut connected, mut far) = (false, None);
    let far = wait(reactor, |event| {
        match event {
            Event::Connected(conn) => connected |= *conn == near,
            Event::Accepted(conn) => far = Some(*conn),
            _ => {}
        }
        if connected { far } else { None }
    });
    (near, far)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Opened(ConnId, bool),
    Received(ConnId, usize),
    Sent(ConnId, usize),
    Closed(ConnId, Closed),
}

#[derive(Clone, Default)]
pub(crate) struct Notes(pub(crate) Arc<Mutex<Vec<Seen>>>);

impl Notes {
    pub(crate) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.0.lock().expect("no panic while noting"))
    }

    fn add(&self, seen: Seen) {
        self.0.lock().expect("no panic while noting").push(seen);
    }
}

impl Tap for Notes {
    fn opened(&mut self, _: Instant, conn: ConnId, origin: Origin<'_>, _: SocketAddr) {
        self.add(Seen::Opened(conn, matches!(origin, Origin::Accepted { .. })));
    }

    fn received(&mut self, _: Instant, conn: ConnId, bytes: &[u8]) {
        self.add(Seen::Received(conn, bytes.len()));
    }

    fn sent(&mut self, _: Instant, conn: ConnId, bytes: &[u8]) {
        self.add(Seen::Sent(conn, bytes.len()));
    }

    fn closed(&mut self, _: Instant, conn: ConnId, why: Closed) {
        self.add(Seen::Closed(conn, why));
    }
}
