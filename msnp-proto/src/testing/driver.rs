//! A driver in memory for one host, moved step by step.

use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;

use super::{Chunker, Chunking};
use crate::machine::{Closed, ConnId, Host, ListenerId, Output, Shutdown, Target};
use crate::time::{Duration, Instant};

/// A driver for one host whose peers, clock and accidents are up to the caller. It keeps the
/// contract of [`Host`], and panics when the host does not:
///
/// - an id is never given out twice, and a connection is closed once at most;
/// - what is pending stays as it is until it is written, or the connection is closed;
/// - nothing is pending on a connection that is gone, and calls with its id do nothing;
/// - an early timeout does nothing, and no deadline stays due after its timeout.
///
/// Connections are numbered in the order in which they began. After each call all outputs are
/// applied, unless the driver was told to be [lazy](Driver::lazy).
#[must_use = "a host does nothing unless it is driven"]
pub struct Driver<H: Host> {
    /// The host.
    pub host: H,
    /// What it reported and nobody has taken yet.
    pub events: Vec<H::Event>,
    now: Instant,
    chunking: Chunking,
    lazy: bool,
    lines: Vec<Line>,
    listeners: Vec<(ListenerId, bool)>,
    waited: bool,
}

/// One connection, as the driver has it.
struct Line {
    id: ConnId,
    /// Where to, if the host asked for it.
    to: Option<Target>,
    state: State,
    closing: Option<Shutdown>,
    /// What the host has written.
    sent: Vec<u8>,
    /// What it had pending when that was last looked at.
    pending: Vec<u8>,
    /// How many bytes the host has been given.
    received: u64,
    /// What waits until the host wants to read.
    arriving: Vec<u8>,
    chunker: Chunker,
    /// The peer reads nothing.
    stalled: bool,
    ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Asked,
    Open,
    Gone,
}

impl<H: Host> Driver<H> {
    /// A driver at time zero that cuts what arrives in this way.
    pub fn new(host: H, chunking: Chunking) -> Self {
        let mut this = Self {
            host,
            events: Vec::new(),
            now: Instant::ZERO,
            chunking,
            lazy: false,
            lines: Vec::new(),
            listeners: Vec::new(),
            waited: false,
        };
        this.drain();
        this
    }

    /// The same driver, which takes outputs late: when time goes by, or a connection is meant that
    /// it does not know yet. It still writes at once.
    pub const fn lazy(mut self) -> Self {
        self.lazy = true;
        self
    }

    /// What time it is.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// How many connections there have been.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.lines.len()
    }

    /// How many of them are not gone.
    #[must_use]
    pub fn open(&self) -> usize {
        self.lines.iter().filter(|line| line.state != State::Gone).count()
    }

    /// Whether this connection was asked for and not answered yet.
    #[must_use]
    pub fn is_asked(&self, at: usize) -> bool {
        self.lines.get(at).is_some_and(|line| line.state == State::Asked)
    }

    /// The id of a connection.
    #[must_use]
    pub fn id(&self, at: usize) -> Option<ConnId> {
        self.lines.get(at).map(|line| line.id)
    }

    /// What the host has written to a connection.
    #[must_use]
    pub fn sent(&self, at: usize) -> &[u8] {
        self.lines.get(at).map(|line| &*line.sent).unwrap_or_default()
    }

    /// What the host has still to write to a connection.
    #[must_use]
    pub fn pending(&self, at: usize) -> &[u8] {
        self.lines.get(at).map(|line| self.host.pending(line.id)).unwrap_or_default()
    }

    /// How many bytes the host has been given on a connection.
    #[must_use]
    pub fn received(&self, at: usize) -> u64 {
        self.lines.get(at).map_or(0, |line| line.received)
    }

    /// Whether bytes ever had to wait because the host did not want to read.
    #[must_use]
    pub const fn has_waited(&self) -> bool {
        self.waited
    }

    /// Tells the host something.
    pub fn tell<R>(&mut self, tell: impl FnOnce(&mut H, Instant) -> R) -> R {
        let told = tell(&mut self.host, self.now);
        self.settle();
        told
    }

    /// A socket that the host asked for is open.
    pub fn listening(&mut self, at: usize, local: SocketAddr) {
        if let Some((id, true)) = self.listeners.get(at).copied() {
            self.host.handle_listening(self.now, id, local);
            self.settle();
        }
    }

    /// Somebody connects to a socket. Returns the connection unless they were turned away.
    pub fn accept(&mut self, at: usize, peer: SocketAddr) -> Option<usize> {
        let (id, _) = self.listeners.get(at).copied().filter(|(_, open)| *open)?;
        let conn = self.host.handle_accepted(self.now, id, peer);
        let at = conn.map(|conn| self.begin(conn, None, State::Open));
        self.settle();
        at
    }

    /// A connection that the host asked for is open.
    pub fn connected(&mut self, at: usize) {
        if let Some(line) = self.line(at, State::Asked) {
            line.state = State::Open;
            let id = line.id;
            self.host.handle_connected(self.now, id);
            self.settle();
        }
    }

    /// Bytes arrive. They wait as long as the host does not want to read.
    pub fn input(&mut self, at: usize, bytes: &[u8]) {
        if let Some(line) = self.line(at, State::Open) {
            if !line.ended {
                line.arriving.extend_from_slice(bytes);
                self.deliver(at);
            }
        }
    }

    /// The peer will send no more; what had to wait is lost.
    pub fn eof(&mut self, at: usize) {
        if let Some(line) = self.line(at, State::Open) {
            if !core::mem::replace(&mut line.ended, true) {
                line.arriving.clear();
                let id = line.id;
                self.host.handle_eof(self.now, id);
                self.settle();
            }
        }
    }

    /// A connection is gone, or will never be there.
    pub fn close(&mut self, at: usize, why: Closed) {
        if at >= self.lines.len() {
            self.drain();
        }
        let Some(line) = self.lines.get_mut(at) else { return };
        if line.state == State::Gone {
            return;
        }
        line.state = State::Gone;
        let id = line.id;
        self.host.handle_closed(self.now, id, why);
        self.settle();
        self.check_gone(id);
    }

    /// The peer stops reading, or goes on.
    pub fn stall(&mut self, at: usize, stalled: bool) {
        if let Some(line) = self.line(at, State::Open) {
            line.stalled = stalled;
            self.write(at, usize::MAX);
            self.settle();
        }
    }

    /// Writes this many bytes though the peer reads nothing.
    pub fn write_some(&mut self, at: usize, most: usize) {
        if let Some(line) = self.line(at, State::Open) {
            let stalled = core::mem::replace(&mut line.stalled, false);
            self.write(at, most);
            self.lines[at].stalled = stalled;
            self.settle();
        }
    }

    /// Calls with the id of a connection that is gone, and with one that never was.
    pub fn call_late(&mut self, at: usize) {
        self.drain();
        let never = ConnId::new(u32::MAX, 7);
        let gone = self.lines.get(at).filter(|line| line.state == State::Gone);
        let id = gone.map_or(never, |line| line.id);
        let events = self.events.len();
        self.host.handle_connected(self.now, id);
        self.host.handle_input(self.now, id, b"OUT\r\n");
        self.host.consume(self.now, id, 1);
        self.host.handle_eof(self.now, id);
        self.host.handle_closed(self.now, id, Closed::Reset);
        self.drain();
        assert_eq!(self.events.len(), events, "a call with a dead id had consequences");
        self.check_gone(id);
    }

    /// Lets time go by, with a timeout wherever one is due, and an early one before it.
    pub fn wait(&mut self, time: Duration) {
        let to = self.now + time;
        self.drain();
        while let Some(due) = self.host.next_deadline().filter(|due| *due <= to) {
            let early = Instant::from_micros(due.as_micros().saturating_sub(1));
            if early >= self.now && early < due {
                let events = self.events.len();
                self.host.handle_timeout(early);
                self.drain();
                assert_eq!(self.events.len(), events, "law of the clock: early timeout reported");
                let next = self.host.next_deadline();
                assert_eq!(next, Some(due), "law of the clock: early timeout moved the deadline");
            }
            self.now = self.now.max(due);
            self.host.handle_timeout(self.now);
            let (next, now) = (self.host.next_deadline(), self.now);
            assert!(
                next.is_none_or(|next| next > now),
                "law of the clock: deadline {next:?} is still due after a timeout at {now:?}"
            );
            // What a timeout wants to be done is done before more time goes by.
            self.drain();
            self.deliver_all();
        }
        self.now = to;
    }

    /// Applies all outputs.
    pub fn drain(&mut self) {
        loop {
            while let Some(output) = self.host.poll_output() {
                self.apply(output);
            }
            let mut moved = false;
            for at in 0..self.lines.len() {
                moved |= self.write(at, usize::MAX);
            }
            if !moved {
                break;
            }
        }
    }

    fn settle(&mut self) {
        if self.lazy {
            for at in 0..self.lines.len() {
                self.write(at, usize::MAX);
            }
        } else {
            self.drain();
            self.deliver_all();
        }
    }

    fn line(&mut self, at: usize, state: State) -> Option<&mut Line> {
        if at >= self.lines.len() {
            self.drain();
        }
        self.lines.get_mut(at).filter(|line| line.state == state)
    }

    fn begin(&mut self, id: ConnId, to: Option<Target>, state: State) -> usize {
        assert!(self.lines.iter().all(|line| line.id != id), "{id:?} is given out again");
        self.lines.push(Line {
            id,
            to,
            state,
            closing: None,
            sent: Vec::new(),
            pending: Vec::new(),
            received: 0,
            arriving: Vec::new(),
            chunker: Chunker::new(self.chunking),
            stalled: false,
            ended: false,
        });
        self.lines.len() - 1
    }

    fn apply(&mut self, output: Output<H::Event>) {
        match output {
            Output::Connect { conn, to } => {
                assert!(to.port != 0 && !to.host.is_empty(), "{to:?} is nowhere");
                self.begin(conn, Some(to), State::Asked);
            }
            Output::Listen { listener, .. } => {
                let known = self.listeners.iter().any(|(id, _)| *id == listener);
                assert!(!known, "{listener:?} is given out again");
                self.listeners.push((listener, true));
            }
            Output::Unlisten { listener } => {
                let known = self.listeners.iter_mut().find(|(id, _)| *id == listener);
                let (_, open) = known.expect("the socket was asked for");
                assert!(core::mem::replace(open, false), "{listener:?} is closed twice");
            }
            Output::Transmit { conn } => {
                assert!(self.lines.iter().any(|line| line.id == conn), "{conn:?} never was");
            }
            Output::Close { conn, how } => {
                let at = self.lines.iter().position(|line| line.id == conn);
                let at = at.expect("the connection was there");
                let line = &mut self.lines[at];
                assert!(line.closing.is_none(), "{conn:?} is closed twice");
                line.closing = Some(how);
                if how == Shutdown::Abort || line.state == State::Asked {
                    self.finish(at);
                }
            }
            Output::Event(event) => self.events.push(event),
        }
    }

    /// The host wanted it closed, and it is.
    fn finish(&mut self, at: usize) {
        let line = &mut self.lines[at];
        if line.state != State::Gone {
            line.state = State::Gone;
            let id = line.id;
            self.host.handle_closed(self.now, id, Closed::Done);
            self.check_gone(id);
        }
    }

    /// Writes what is pending; says whether anything happened.
    fn write(&mut self, at: usize, most: usize) -> bool {
        let Some(line) = self.lines.get_mut(at).filter(|line| line.state == State::Open) else {
            return false;
        };
        let id = line.id;
        let pending = self.host.pending(id);
        if line.closing.is_none() {
            assert!(pending.starts_with(&line.pending), "{id:?}: what was pending is another");
        }
        if line.stalled {
            line.pending.clear();
            line.pending.extend_from_slice(pending);
            return false;
        }
        let size = pending.len().min(most);
        if size > 0 {
            line.sent.extend_from_slice(&pending[..size]);
            line.pending.clear();
            self.host.consume(self.now, id, size);
            if let Some(rest) = self.host.pending(id).get(..).filter(|rest| !rest.is_empty()) {
                line.pending.extend_from_slice(rest);
            }
            return true;
        }
        if line.closing.is_some() && pending.is_empty() {
            self.finish(at);
            return true;
        }
        false
    }

    fn deliver_all(&mut self) {
        for at in 0..self.lines.len() {
            if !self.lines[at].arriving.is_empty() {
                self.deliver(at);
            }
        }
    }

    fn deliver(&mut self, at: usize) {
        loop {
            let Some(line) = self.lines.get_mut(at).filter(|line| line.state == State::Open) else {
                return;
            };
            if line.arriving.is_empty() {
                return;
            }
            if !self.host.wants_read(line.id) {
                self.waited = true;
                return;
            }
            let size = line.chunker.next(line.arriving.len());
            let piece: Vec<u8> = line.arriving.drain(..size).collect();
            line.received += piece.len() as u64;
            let id = line.id;
            self.host.handle_input(self.now, id, &piece);
            if self.lazy {
                self.write(at, usize::MAX);
            } else {
                self.drain();
            }
        }
    }

    fn check_gone(&self, id: ConnId) {
        assert!(self.host.pending(id).is_empty(), "{id:?} is gone and has bytes pending");
    }
}

/// How many bytes were written to each connection, and where it went.
impl<H: Host> fmt::Debug for Driver<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.lines.iter().map(|line| (line.id, line.to.as_ref(), line.sent.len()));
        f.debug_list().entries(lines).finish()
    }
}
