//! Machines where a host is wanted.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;

use crate::machine::{Closed, ConnId, Host, ListenerId, Machine, Output, Shutdown, Target};
use crate::time::{Instant, earlier};

/// The plainest host: it makes a [`Machine`] for every connection that it opens or accepts, passes
/// everything on to it, and closes when it is finished.
///
/// It is the smallest example of a host, and tests a driver or a machine without anything else.
#[must_use = "a host does nothing unless a driver runs it"]
pub struct MachineHost<M: Machine> {
    make: Box<dyn FnMut(Instant) -> M>,
    slots: Vec<Slot<M>>,
    outputs: VecDeque<Output<MachineEvent<M::Event>>>,
}

struct Slot<M> {
    generation: u32,
    machine: Option<M>,
    closing: bool,
}

/// What a [`MachineHost`] reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MachineEvent<E> {
    /// Connections are accepted here.
    Listening(SocketAddr),
    /// They are not, or not any more.
    Unlistened(Closed),
    /// A connection is open and has its machine.
    Open(ConnId),
    /// A machine reported something.
    Event(ConnId, E),
    /// A connection is gone.
    Closed(ConnId, Closed),
}

impl<M: Machine> MachineHost<M> {
    /// A host that makes its machines this way. It neither connects nor listens yet.
    pub fn new(make: impl FnMut(Instant) -> M + 'static) -> Self {
        Self { make: Box::new(make), slots: Vec::new(), outputs: VecDeque::new() }
    }

    /// Opens a connection.
    pub fn connect(&mut self, to: Target) -> ConnId {
        let conn = self.free_slot();
        self.outputs.push_back(Output::Connect { conn, to });
        conn
    }

    /// Accepts connections at `at`.
    pub fn listen(&mut self, at: SocketAddr) {
        self.outputs.push_back(Output::Listen { listener: ListenerId(0), at });
    }

    /// Does something with the machine of a connection; `None` if there is none.
    pub fn with<R>(&mut self, conn: ConnId, act: impl FnOnce(&mut M) -> R) -> Option<R> {
        let result = self.machine(conn).map(act);
        self.after(conn);
        result
    }

    fn free_slot(&mut self) -> ConnId {
        let free = |slot: &Slot<M>| slot.machine.is_none() && slot.closing;
        let at = self.slots.iter().position(free).unwrap_or(self.slots.len());
        if at == self.slots.len() {
            self.slots.push(Slot { generation: 0, machine: None, closing: false });
        } else {
            self.slots[at].generation += 1;
            self.slots[at].closing = false;
        }
        ConnId::new(
            u32::try_from(at).expect("fewer than 2³² connections"),
            self.slots[at].generation,
        )
    }

    fn slot(&mut self, conn: ConnId) -> Option<&mut Slot<M>> {
        let slot = self.slots.get_mut(usize::try_from(conn.slot()).ok()?)?;
        (slot.generation == conn.generation()).then_some(slot)
    }

    fn machine(&mut self, conn: ConnId) -> Option<&mut M> {
        self.slot(conn)?.machine.as_mut()
    }

    /// Passes on what a machine has to say after a call.
    fn after(&mut self, conn: ConnId) {
        let mut outputs = Vec::new();
        let Some(slot) = self.slot(conn) else { return };
        let Some(machine) = &mut slot.machine else { return };
        while let Some(event) = machine.poll_event() {
            outputs.push(Output::Event(MachineEvent::Event(conn, event)));
        }
        if !machine.pending().is_empty() {
            outputs.push(Output::Transmit { conn });
        }
        if machine.is_finished() && !slot.closing {
            slot.closing = true;
            outputs.push(Output::Close { conn, how: Shutdown::Flush });
        }
        self.outputs.extend(outputs);
    }

    fn open(&mut self, now: Instant, conn: ConnId) {
        let machine = (self.make)(now);
        let Some(slot) = self.slot(conn) else { return };
        slot.machine = Some(machine);
        self.outputs.push_back(Output::Event(MachineEvent::Open(conn)));
        self.after(conn);
    }
}

impl<M: Machine> Host for MachineHost<M> {
    type Event = MachineEvent<M::Event>;

    fn handle_connected(&mut self, now: Instant, conn: ConnId) {
        self.open(now, conn);
    }

    fn handle_closed(&mut self, _: Instant, conn: ConnId, why: Closed) {
        let Some(slot) = self.slot(conn) else { return };
        slot.machine = None;
        slot.closing = true;
        self.outputs.push_back(Output::Event(MachineEvent::Closed(conn, why)));
    }

    fn handle_listening(&mut self, _: Instant, _: ListenerId, local: SocketAddr) {
        self.outputs.push_back(Output::Event(MachineEvent::Listening(local)));
    }

    fn handle_accepted(&mut self, now: Instant, _: ListenerId, _: SocketAddr) -> Option<ConnId> {
        let conn = self.free_slot();
        self.open(now, conn);
        Some(conn)
    }

    fn handle_unlistened(&mut self, _: Instant, _: ListenerId, why: Closed) {
        self.outputs.push_back(Output::Event(MachineEvent::Unlistened(why)));
    }

    fn handle_input(&mut self, now: Instant, conn: ConnId, bytes: &[u8]) {
        self.with(conn, |machine| machine.handle_input(now, bytes));
    }

    fn handle_eof(&mut self, now: Instant, conn: ConnId) {
        self.with(conn, |machine| machine.handle_eof(now));
    }

    fn handle_timeout(&mut self, now: Instant) {
        for at in 0..self.slots.len() {
            let slot = u32::try_from(at).expect("fewer than 2³² connections");
            let conn = ConnId::new(slot, self.slots[at].generation);
            self.with(conn, |machine| machine.handle_timeout(now));
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let machines = self.slots.iter().filter_map(|slot| slot.machine.as_ref());
        machines.map(Machine::next_deadline).fold(None, earlier)
    }

    fn pending(&self, conn: ConnId) -> &[u8] {
        let slot = usize::try_from(conn.slot()).ok().and_then(|slot| self.slots.get(slot));
        slot.filter(|slot| slot.generation == conn.generation())
            .and_then(|slot| slot.machine.as_ref())
            .map_or(&[], Machine::pending)
    }

    fn consume(&mut self, now: Instant, conn: ConnId, written: usize) {
        if let Some(machine) = self.machine(conn) {
            machine.consume(now, written);
        }
    }

    fn wants_read(&self, _: ConnId) -> bool {
        true
    }

    fn poll_output(&mut self) -> Option<Output<Self::Event>> {
        self.outputs.pop_front()
    }
}

impl<M: Machine> fmt::Debug for MachineHost<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MachineHost({} slots)", self.slots.len())
    }
}
