//! One connection of a host where a machine is wanted.

use core::fmt;

use crate::machine::{Closed, ConnId, Host, Machine, Output};
use crate::time::Instant;

/// A host with one connection, as a [`Machine`]: so [`laws`](super::laws) and
/// [`Replay`](super::Replay) do for hosts too.
///
/// It is a driver that never opens what the host asks for, and closes the connection when the host
/// wants that and all is written.
#[must_use = "nothing happens until it is fed"]
pub struct HostMachine<H: Host> {
    /// The host.
    pub host: H,
    /// Its connection.
    pub conn: ConnId,
    closing: bool,
    closed: bool,
}

impl<H: Host> HostMachine<H> {
    /// A host whose connection `conn` is open.
    pub const fn new(host: H, conn: ConnId) -> Self {
        Self { host, conn, closing: false, closed: false }
    }

    fn close_if_written(&mut self, now: Instant) {
        if self.closing && !self.closed && self.host.pending(self.conn).is_empty() {
            self.closed = true;
            self.host.handle_closed(now, self.conn, Closed::Done);
        }
    }
}

impl<H: Host> Machine for HostMachine<H> {
    type Event = H::Event;

    fn handle_input(&mut self, now: Instant, bytes: &[u8]) {
        self.host.handle_input(now, self.conn, bytes);
    }

    fn handle_eof(&mut self, now: Instant) {
        self.host.handle_eof(now, self.conn);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.host.handle_timeout(now);
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.host.next_deadline()
    }

    fn pending(&self) -> &[u8] {
        self.host.pending(self.conn)
    }

    fn consume(&mut self, now: Instant, written: usize) {
        self.host.consume(now, self.conn, written);
        self.close_if_written(now);
    }

    fn poll_event(&mut self) -> Option<H::Event> {
        loop {
            match self.host.poll_output()? {
                Output::Event(event) => return Some(event),
                Output::Close { conn, .. } if conn == self.conn => self.closing = true,
                _ => {}
            }
        }
    }

    fn is_finished(&self) -> bool {
        self.closing
    }
}

impl<H: Host> fmt::Debug for HostMachine<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostMachine({:?})", self.conn)
    }
}
