//! The two ends of a transfer as one kind of machine.

use alloc::vec::Vec;

use crate::ftp::{End, Receiver, ReceiverEvent, Sender, SenderEvent};
use crate::machine::{Closed, Machine};
use crate::time::Instant;

/// Our end of a connection that carries a file.
#[derive(Debug)]
pub(in crate::client) enum Peer {
    Sender(Sender),
    Receiver(Receiver),
}

/// What such a connection reports.
pub(in crate::client) enum PeerEvent {
    /// It is the other side of this very transfer.
    Proven,
    /// Bytes of the file can be sent.
    Started,
    /// More was written, or there is room again.
    Progress,
    Data(Vec<u8>),
    Ended(End),
}

macro_rules! either {
    ($peer:expr, $machine:ident => $what:expr) => {
        match $peer {
            Peer::Sender($machine) => $what,
            Peer::Receiver($machine) => $what,
        }
    };
}

impl Peer {
    pub(in crate::client) fn cancel(&mut self, now: Instant) {
        either!(self, machine => machine.cancel(now));
    }

    pub(in crate::client) fn abandon(&mut self, now: Instant, why: Closed) {
        either!(self, machine => machine.abandon(now, why));
    }
}

impl Machine for Peer {
    type Event = PeerEvent;

    fn handle_input(&mut self, now: Instant, bytes: &[u8]) {
        either!(self, machine => machine.handle_input(now, bytes));
    }

    fn handle_eof(&mut self, now: Instant) {
        either!(self, machine => machine.handle_eof(now));
    }

    fn handle_timeout(&mut self, now: Instant) {
        either!(self, machine => machine.handle_timeout(now));
    }

    fn next_deadline(&self) -> Option<Instant> {
        either!(self, machine => machine.next_deadline())
    }

    fn pending(&self) -> &[u8] {
        either!(self, machine => machine.pending())
    }

    fn consume(&mut self, now: Instant, written: usize) {
        either!(self, machine => machine.consume(now, written));
    }

    fn poll_event(&mut self) -> Option<PeerEvent> {
        match self {
            Self::Sender(machine) => machine.poll_event().map(|event| match event {
                SenderEvent::Proven => PeerEvent::Proven,
                SenderEvent::Started => PeerEvent::Started,
                SenderEvent::Progress => PeerEvent::Progress,
                SenderEvent::Ended(end) => PeerEvent::Ended(end),
            }),
            Self::Receiver(machine) => machine.poll_event().map(|event| match event {
                ReceiverEvent::Proven => PeerEvent::Proven,
                ReceiverEvent::Data(bytes) => PeerEvent::Data(bytes),
                ReceiverEvent::Ended(end) => PeerEvent::Ended(end),
            }),
        }
    }

    fn is_finished(&self) -> bool {
        either!(self, machine => machine.is_finished())
    }
}
