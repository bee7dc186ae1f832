//! A host behind one interface, whatever it reports.

use alloc::collections::VecDeque;
use core::any::Any;
use core::convert::Infallible;
use core::net::SocketAddr;

use crate::machine::{Closed, ConnId, Host, ListenerId, Output};
use crate::time::Instant;

/// The event of a host whose events are kept beside it.
pub(super) type Never = Infallible;

/// A host that can be found again by its type.
pub(super) trait Node: Host<Event = Never> {
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

/// A host and what it has reported.
pub(super) struct Cell<H: Host> {
    pub(super) host: H,
    pub(super) events: VecDeque<H::Event>,
}

impl<H: Host + 'static> Node for Cell<H> {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

impl<H: Host> Host for Cell<H> {
    type Event = Never;

    fn handle_connected(&mut self, now: Instant, conn: ConnId) {
        self.host.handle_connected(now, conn);
    }

    fn handle_closed(&mut self, now: Instant, conn: ConnId, why: Closed) {
        self.host.handle_closed(now, conn, why);
    }

    fn handle_listening(&mut self, now: Instant, listener: ListenerId, local: SocketAddr) {
        self.host.handle_listening(now, listener, local);
    }

    fn handle_accepted(
        &mut self,
        now: Instant,
        listener: ListenerId,
        peer: SocketAddr,
    ) -> Option<ConnId> {
        self.host.handle_accepted(now, listener, peer)
    }

    fn handle_unlistened(&mut self, now: Instant, listener: ListenerId, why: Closed) {
        self.host.handle_unlistened(now, listener, why);
    }

    fn handle_input(&mut self, now: Instant, conn: ConnId, bytes: &[u8]) {
        self.host.handle_input(now, conn, bytes);
    }

    fn handle_eof(&mut self, now: Instant, conn: ConnId) {
        self.host.handle_eof(now, conn);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.host.handle_timeout(now);
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.host.next_deadline()
    }

    fn pending(&self, conn: ConnId) -> &[u8] {
        self.host.pending(conn)
    }

    fn consume(&mut self, now: Instant, conn: ConnId, written: usize) {
        self.host.consume(now, conn, written);
    }

    fn wants_read(&self, conn: ConnId) -> bool {
        self.host.wants_read(conn)
    }

    fn poll_output(&mut self) -> Option<Output<Never>> {
        loop {
            return Some(match self.host.poll_output()? {
                Output::Event(event) => {
                    self.events.push_back(event);
                    continue;
                }
                Output::Connect { conn, to } => Output::Connect { conn, to },
                Output::Listen { listener, at } => Output::Listen { listener, at },
                Output::Unlisten { listener } => Output::Unlisten { listener },
                Output::Transmit { conn } => Output::Transmit { conn },
                Output::Close { conn, how } => Output::Close { conn, how },
            });
        }
    }
}
