//! Two hosts as one, so that one driver runs a client and a server, or two clients, together.
//!
//! This module knows how to tell the connections of the two apart. It does not know what either
//! host is for, and the two do not know of each other.
//!
//! [`Both`] nests, and a host may be absent: `Both<Client, Option<Both<Hub, Client>>>` is a client
//! with perhaps a server of its own and somebody to talk to.

use core::net::SocketAddr;

use crate::machine::{Closed, ConnId, Host, ListenerId, Output};
use crate::time::{Instant, earlier};

/// One of two things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    /// Of the first.
    First(A),
    /// Of the second.
    Second(B),
}

/// Two hosts that share a driver.
///
/// To the driver the ids of the first have even slots and those of the second odd ones, so each
/// host may use the lower half of all slots: two thousand million connections.
#[derive(Clone, Debug, Default)]
#[must_use = "a host does nothing unless a driver applies its outputs and reports what happened"]
pub struct Both<A, B> {
    /// The first.
    pub first: A,
    /// The second.
    pub second: B,
}

impl<A, B> Both<A, B> {
    /// Puts the two together. Both must be fresh: ids given to another driver mean nothing here.
    pub const fn new(first: A, second: B) -> Self {
        Self { first, second }
    }
}

/// An id as the host itself has it.
fn inner<T>(slot: u32, id: impl FnOnce(u32) -> T) -> Either<T, T> {
    let id = id(slot >> 1);
    if slot & 1 == 0 { Either::First(id) } else { Either::Second(id) }
}

/// The slot that the driver sees.
const fn outer(slot: u32, side: u32) -> u32 {
    slot << 1 | side
}

fn conn_in(conn: ConnId) -> Either<ConnId, ConnId> {
    inner(conn.slot(), |slot| ConnId::new(slot, conn.generation()))
}

fn conn_out(conn: ConnId, side: u32) -> ConnId {
    ConnId::new(outer(conn.slot(), side), conn.generation())
}

fn listener_in(listener: ListenerId) -> Either<ListenerId, ListenerId> {
    inner(listener.0, ListenerId)
}

fn output_out<E>(output: Output<E>, side: u32) -> Output<E> {
    match output {
        Output::Connect { conn, to } => Output::Connect { conn: conn_out(conn, side), to },
        Output::Listen { listener, at } => {
            Output::Listen { listener: ListenerId(outer(listener.0, side)), at }
        }
        Output::Unlisten { listener } => {
            Output::Unlisten { listener: ListenerId(outer(listener.0, side)) }
        }
        Output::Transmit { conn } => Output::Transmit { conn: conn_out(conn, side) },
        Output::Close { conn, how } => Output::Close { conn: conn_out(conn, side), how },
        Output::Event(event) => Output::Event(event),
    }
}

impl<A: Host, B: Host> Host for Both<A, B> {
    type Event = Either<A::Event, B::Event>;

    fn handle_connected(&mut self, now: Instant, conn: ConnId) {
        match conn_in(conn) {
            Either::First(conn) => self.first.handle_connected(now, conn),
            Either::Second(conn) => self.second.handle_connected(now, conn),
        }
    }

    fn handle_closed(&mut self, now: Instant, conn: ConnId, why: Closed) {
        match conn_in(conn) {
            Either::First(conn) => self.first.handle_closed(now, conn, why),
            Either::Second(conn) => self.second.handle_closed(now, conn, why),
        }
    }

    fn handle_listening(&mut self, now: Instant, listener: ListenerId, local: SocketAddr) {
        match listener_in(listener) {
            Either::First(listener) => self.first.handle_listening(now, listener, local),
            Either::Second(listener) => self.second.handle_listening(now, listener, local),
        }
    }

    fn handle_accepted(
        &mut self,
        now: Instant,
        listener: ListenerId,
        peer: SocketAddr,
    ) -> Option<ConnId> {
        match listener_in(listener) {
            Either::First(listener) => {
                self.first.handle_accepted(now, listener, peer).map(|conn| conn_out(conn, 0))
            }
            Either::Second(listener) => {
                self.second.handle_accepted(now, listener, peer).map(|conn| conn_out(conn, 1))
            }
        }
    }

    fn handle_unlistened(&mut self, now: Instant, listener: ListenerId, why: Closed) {
        match listener_in(listener) {
            Either::First(listener) => self.first.handle_unlistened(now, listener, why),
            Either::Second(listener) => self.second.handle_unlistened(now, listener, why),
        }
    }

    fn handle_input(&mut self, now: Instant, conn: ConnId, bytes: &[u8]) {
        match conn_in(conn) {
            Either::First(conn) => self.first.handle_input(now, conn, bytes),
            Either::Second(conn) => self.second.handle_input(now, conn, bytes),
        }
    }

    fn handle_eof(&mut self, now: Instant, conn: ConnId) {
        match conn_in(conn) {
            Either::First(conn) => self.first.handle_eof(now, conn),
            Either::Second(conn) => self.second.handle_eof(now, conn),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.first.handle_timeout(now);
        self.second.handle_timeout(now);
    }

    fn next_deadline(&self) -> Option<Instant> {
        earlier(self.first.next_deadline(), self.second.next_deadline())
    }

    fn pending(&self, conn: ConnId) -> &[u8] {
        match conn_in(conn) {
            Either::First(conn) => self.first.pending(conn),
            Either::Second(conn) => self.second.pending(conn),
        }
    }

    fn consume(&mut self, now: Instant, conn: ConnId, written: usize) {
        match conn_in(conn) {
            Either::First(conn) => self.first.consume(now, conn, written),
            Either::Second(conn) => self.second.consume(now, conn, written),
        }
    }

    fn wants_read(&self, conn: ConnId) -> bool {
        match conn_in(conn) {
            Either::First(conn) => self.first.wants_read(conn),
            Either::Second(conn) => self.second.wants_read(conn),
        }
    }

    /// The first's outputs come before the second's, each in its own order.
    fn poll_output(&mut self) -> Option<Output<Self::Event>> {
        match self.first.poll_output() {
            Some(output) => Some(output_out(output, 0).map(Either::First)),
            None => {
                self.second.poll_output().map(|output| output_out(output, 1).map(Either::Second))
            }
        }
    }
}

/// A host that may not be there. `None` wants nothing and turns everybody away.
impl<H: Host> Host for Option<H> {
    type Event = H::Event;

    fn handle_connected(&mut self, now: Instant, conn: ConnId) {
        if let Some(host) = self {
            host.handle_connected(now, conn);
        }
    }

    fn handle_closed(&mut self, now: Instant, conn: ConnId, why: Closed) {
        if let Some(host) = self {
            host.handle_closed(now, conn, why);
        }
    }

    fn handle_listening(&mut self, now: Instant, listener: ListenerId, local: SocketAddr) {
        if let Some(host) = self {
            host.handle_listening(now, listener, local);
        }
    }

    fn handle_accepted(
        &mut self,
        now: Instant,
        listener: ListenerId,
        peer: SocketAddr,
    ) -> Option<ConnId> {
        self.as_mut()?.handle_accepted(now, listener, peer)
    }

    fn handle_unlistened(&mut self, now: Instant, listener: ListenerId, why: Closed) {
        if let Some(host) = self {
            host.handle_unlistened(now, listener, why);
        }
    }

    fn handle_input(&mut self, now: Instant, conn: ConnId, bytes: &[u8]) {
        if let Some(host) = self {
            host.handle_input(now, conn, bytes);
        }
    }

    fn handle_eof(&mut self, now: Instant, conn: ConnId) {
        if let Some(host) = self {
            host.handle_eof(now, conn);
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if let Some(host) = self {
            host.handle_timeout(now);
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.as_ref()?.next_deadline()
    }

    fn pending(&self, conn: ConnId) -> &[u8] {
        self.as_ref().map(|host| host.pending(conn)).unwrap_or_default()
    }

    fn consume(&mut self, now: Instant, conn: ConnId, written: usize) {
        if let Some(host) = self {
            host.consume(now, conn, written);
        }
    }

    fn wants_read(&self, conn: ConnId) -> bool {
        self.as_ref().is_some_and(|host| host.wants_read(conn))
    }

    fn poll_output(&mut self) -> Option<Output<Self::Event>> {
        self.as_mut()?.poll_output()
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::VecDeque;
    use alloc::string::String;
    use alloc::vec::Vec;
    use core::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::machine::{Shutdown, Target};

    /// Reports every call as an event, and accepts into the slots from 0 on.
    #[derive(Debug, Default)]
    struct Diary {
        outputs: VecDeque<Output<Entry>>,
        deadline: Option<Instant>,
        accepted: u32,
        bytes: Vec<u8>,
    }

    #[derive(Clone, Debug, PartialEq, Eq)]
    enum Entry {
        Connected(ConnId),
        Closed(ConnId, Closed),
        Listening(ListenerId),
        Unlistened(ListenerId),
        Input(ConnId, Vec<u8>),
        Eof(ConnId),
        Due,
    }

    impl Diary {
        fn note(&mut self, entry: Entry) {
            self.outputs.push_back(Output::Event(entry));
        }
    }

    impl Host for Diary {
        type Event = Entry;

        fn handle_connected(&mut self, _: Instant, conn: ConnId) {
            self.note(Entry::Connected(conn));
        }
        fn handle_closed(&mut self, _: Instant, conn: ConnId, why: Closed) {
            self.note(Entry::Closed(conn, why));
        }
        fn handle_listening(&mut self, _: Instant, listener: ListenerId, _: SocketAddr) {
            self.note(Entry::Listening(listener));
        }
        fn handle_accepted(&mut self, _: Instant, _: ListenerId, _: SocketAddr) -> Option<ConnId> {
            self.accepted += 1;
            Some(ConnId::new(self.accepted - 1, 9))
        }
        fn handle_unlistened(&mut self, _: Instant, listener: ListenerId, _: Closed) {
            self.note(Entry::Unlistened(listener));
        }
        fn handle_input(&mut self, _: Instant, conn: ConnId, bytes: &[u8]) {
            self.note(Entry::Input(conn, bytes.to_vec()));
        }
        fn handle_eof(&mut self, _: Instant, conn: ConnId) {
            self.note(Entry::Eof(conn));
        }
        fn handle_timeout(&mut self, now: Instant) {
            if self.deadline.is_some_and(|at| at <= now) {
                self.deadline = None;
                self.note(Entry::Due);
            }
        }
        fn next_deadline(&self) -> Option<Instant> {
            self.deadline
        }
        fn pending(&self, _: ConnId) -> &[u8] {
            &self.bytes
        }
        fn consume(&mut self, _: Instant, _: ConnId, written: usize) {
            self.bytes.drain(..written);
        }
        fn wants_read(&self, conn: ConnId) -> bool {
            conn.slot() == 5
        }
        fn poll_output(&mut self) -> Option<Output<Entry>> {
            self.outputs.pop_front()
        }
    }

    const NOW: Instant = Instant::ZERO;
    const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

    fn events<H: Host>(host: &mut H) -> Vec<H::Event> {
        core::iter::from_fn(|| host.poll_output())
            .map(|output| match output {
                Output::Event(event) => event,
                _ => panic!("only events are expected"),
            })
            .collect()
    }

    #[test]
    fn every_input_reaches_the_one_it_is_for_under_its_own_id() {
        let mut both = Both::new(Diary::default(), Diary::default());
        let own = ConnId::new(5, 3);
        for side in [0, 1] {
            let conn = conn_out(own, side);
            both.handle_connected(NOW, conn);
            both.handle_input(NOW, conn, b"x");
            both.handle_eof(NOW, conn);
            both.handle_closed(NOW, conn, Closed::Reset);
            both.handle_listening(NOW, ListenerId(outer(7, side)), PEER);
            both.handle_unlistened(NOW, ListenerId(outer(7, side)), Closed::Done);
            assert!(both.wants_read(conn));
            assert!(!both.wants_read(conn_out(ConnId::new(4, 3), side)));
        }
        let own = [
            Entry::Connected(own),
            Entry::Input(own, b"x".to_vec()),
            Entry::Eof(own),
            Entry::Closed(own, Closed::Reset),
            Entry::Listening(ListenerId(7)),
            Entry::Unlistened(ListenerId(7)),
        ];
        let first = own.iter().cloned().map(Either::First);
        let second = own.iter().cloned().map(Either::Second);
        assert_eq!(events(&mut both), first.chain(second).collect::<Vec<_>>());
    }

    #[test]
    fn ids_of_the_two_never_meet_outside() {
        let mut both = Both::new(Diary::default(), Diary::default());
        let conn = ConnId::new(0, 0);
        let to = Target { host: String::from("host"), port: 1 };
        for host in [&mut both.first, &mut both.second] {
            host.outputs.extend([
                Output::Connect { conn, to: to.clone() },
                Output::Listen { listener: ListenerId(0), at: PEER },
                Output::Unlisten { listener: ListenerId(0) },
                Output::Transmit { conn },
                Output::Close { conn, how: Shutdown::Abort },
            ]);
        }
        for side in [0, 1] {
            let (conn, listener) = (ConnId::new(side, 0), ListenerId(side));
            let to = to.clone();
            assert_eq!(both.poll_output(), Some(Output::Connect { conn, to }));
            assert_eq!(both.poll_output(), Some(Output::Listen { listener, at: PEER }));
            assert_eq!(both.poll_output(), Some(Output::Unlisten { listener }));
            assert_eq!(both.poll_output(), Some(Output::Transmit { conn }));
            assert_eq!(both.poll_output(), Some(Output::Close { conn, how: Shutdown::Abort }));
        }
        assert_eq!(both.handle_accepted(NOW, ListenerId(0), PEER), Some(ConnId::new(0, 9)));
        assert_eq!(both.handle_accepted(NOW, ListenerId(1), PEER), Some(ConnId::new(1, 9)));
        assert_eq!(both.handle_accepted(NOW, ListenerId(1), PEER), Some(ConnId::new(3, 9)));
    }

    #[test]
    fn bytes_and_deadlines_are_each_ones_own() {
        let mut both = Both::new(Diary::default(), Diary::default());
        both.first.bytes = b"first".to_vec();
        both.second.bytes = b"second".to_vec();
        both.consume(NOW, ConnId::new(1, 0), 3);
        assert_eq!(both.pending(ConnId::new(0, 0)), b"first");
        assert_eq!(both.pending(ConnId::new(1, 0)), b"ond");

        both.first.deadline = Some(Instant::from_micros(20));
        both.second.deadline = Some(Instant::from_micros(10));
        assert_eq!(both.next_deadline(), Some(Instant::from_micros(10)));
        both.handle_timeout(Instant::from_micros(10));
        assert_eq!(both.next_deadline(), Some(Instant::from_micros(20)));
        assert_eq!(events(&mut both), [Either::Second(Entry::Due)]);
    }

    #[test]
    fn somebody_who_may_be_absent_and_is_not_hears_and_says_everything() {
        let mut host = Some(Diary::default());
        let conn = ConnId::new(5, 3);
        host.handle_connected(NOW, conn);
        host.handle_input(NOW, conn, b"x");
        host.handle_eof(NOW, conn);
        host.handle_closed(NOW, conn, Closed::Reset);
        host.handle_listening(NOW, ListenerId(7), PEER);
        host.handle_unlistened(NOW, ListenerId(7), Closed::Done);
        let heard = [
            Entry::Connected(conn),
            Entry::Input(conn, b"x".to_vec()),
            Entry::Eof(conn),
            Entry::Closed(conn, Closed::Reset),
            Entry::Listening(ListenerId(7)),
            Entry::Unlistened(ListenerId(7)),
        ];
        assert_eq!(events(&mut host), heard);
        assert_eq!(host.handle_accepted(NOW, ListenerId(7), PEER), Some(ConnId::new(0, 9)));
        assert!(host.wants_read(conn) && !host.wants_read(ConnId::new(4, 3)));

        let inner = host.as_mut().expect("present");
        (inner.bytes, inner.deadline) = (b"bytes".to_vec(), Some(Instant::from_micros(10)));
        host.consume(NOW, conn, 3);
        assert_eq!(host.pending(conn), b"es");
        assert_eq!(host.next_deadline(), Some(Instant::from_micros(10)));
        host.handle_timeout(Instant::from_micros(10));
        assert_eq!((events(&mut host), host.next_deadline()), ([Entry::Due].to_vec(), None));
    }

    #[test]
    fn nobody_wants_nothing() {
        let mut both = Both::new(Diary::default(), None::<Both<Diary, Diary>>);
        let conn = ConnId::new(1, 0);
        both.handle_input(NOW, conn, b"x");
        both.handle_closed(NOW, conn, Closed::Done);
        assert_eq!(both.handle_accepted(NOW, ListenerId(1), PEER), None);
        assert!(!both.wants_read(conn));
        assert!(both.pending(conn).is_empty());
        assert_eq!(both.next_deadline(), None);
        assert!(both.poll_output().is_none());
    }
}
