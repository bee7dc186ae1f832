//! Hosts on a network in memory.

use std::net::SocketAddr;

use msnp_proto::hub::{Hub, HubConfig, MemoryDirectory};
use msnp_proto::machine::{Closed, ConnId, Host, ListenerId, Output, Shutdown, Target};
use msnp_proto::testing::{Chunking, MachineEvent, MachineHost, Net, SeededEntropy, Transcript};
use msnp_proto::time::{Duration, Instant};
use msnp_proto::transcript::Side;

use crate::tiny::{Echo, Tiny};

fn to(host: &str, port: u16) -> Target {
    Target { host: host.into(), port }
}

fn any(port: u16) -> SocketAddr {
    SocketAddr::from(([0, 0, 0, 0], port))
}

fn heard<E: Copy>(events: &[MachineEvent<E>]) -> Vec<E> {
    let event = |event: &MachineEvent<E>| match event {
        MachineEvent::Event(_, event) => Some(*event),
        _ => None,
    };
    events.iter().filter_map(event).collect()
}

#[test]
fn many_clients_of_one_hub() {
    for chunking in [Chunking::Whole, Chunking::Every(1), Chunking::Random(9)] {
        let mut net = Net::new().with_chunking(chunking).with_buffer(3);
        let hub = net.add("hub", MachineHost::new(|_| Echo::default()));
        net.host_mut(hub).listen(any(1863));
        let clients: Vec<_> = (0..50)
            .map(|n| {
                let text = format!("VER {n} MSNP7\r\n");
                let make = move |_| Echo::saying(text.as_bytes());
                let client = net.add(&format!("c{n}"), MachineHost::new(make));
                net.host_mut(client).connect(to("hub", 1863));
                client
            })
            .collect();
        net.settle();
        for (n, client) in clients.into_iter().enumerate() {
            let heard: usize = heard(&net.events(client)).iter().sum();
            assert_eq!(heard, format!("VER {n} MSNP7\r\n").len());
            let name = format!("c{n}-1");
            for side in [Side::Client, Side::Server] {
                let said = net.transcript().bytes(Some(&name), side);
                assert_eq!(said, format!("VER {n} MSNP7\r\n").as_bytes());
            }
        }
        let text = net.transcript().to_string();
        assert_eq!(&Transcript::parse(&text).unwrap(), net.transcript());
        let listening = net.events(hub).remove(0);
        assert_eq!(listening, MachineEvent::Listening("192.0.2.1:1863".parse().unwrap()));
    }
}

#[test]
fn connections_that_cannot_be() {
    let mut net = Net::new();
    let alice = net.add("alice", MachineHost::new(|_| Echo::default()));
    let bob = net.add("bob", MachineHost::new(|_| Echo::default()));
    let nowhere = net.host_mut(alice).connect(to("nowhere.example.net", 1863));
    let closed = net.host_mut(alice).connect(to("bob", 1863));
    let numeric = net.host_mut(alice).connect(to("203.0.113.9", 1863));
    net.host_mut(bob).listen(any(1864));
    net.host_mut(bob).listen(any(1864));
    net.settle();
    assert_eq!(
        net.events(alice),
        [
            MachineEvent::Closed(nowhere, Closed::UnknownHost),
            MachineEvent::Closed(closed, Closed::Refused),
            MachineEvent::Closed(numeric, Closed::Refused),
        ]
    );
    assert_eq!(net.events(bob)[1], MachineEvent::Unlistened(Closed::AddressUnavailable));
}

#[test]
fn a_stream_that_ends_is_closed_by_who_hears_its_end() {
    let mut net = Net::new();
    let hub = net.add("hub", MachineHost::new(|_| Echo::default()));
    let client = net.add("alice", MachineHost::new(|_| Echo::saying(b"hello")));
    net.host_mut(hub).listen(any(1863));
    let ip = net.ip(hub).to_string();
    net.host_mut(client).connect(to(&ip, 1863));
    net.settle();
    let [name] = &net.connections()[..] else { panic!("{net:?}") };
    net.half_close(&name.clone(), Side::Client);
    net.settle();
    assert_eq!(net.connections(), [""; 0]);
    for host in [hub, client] {
        let events = net.events(host);
        assert!(matches!(events.last(), Some(MachineEvent::Closed(_, Closed::Done))), "{events:?}");
    }
}

#[test]
fn a_socket_that_was_given_up_takes_nobody_in() {
    let mut config = HubConfig::loopback();
    config.dispatch = any(1863);
    let mut net = Net::new();
    let hub = Hub::new(config, MemoryDirectory::new(), Box::new(SeededEntropy::new(1)));
    let hub = net.add("hub", hub);
    let client = net.add("alice", MachineHost::new(|_| Echo::default()));
    net.host_mut(client).connect(to("hub", 1863));
    net.settle();
    assert_eq!(net.connections().len(), 1);
    net.with(hub, |hub, now| hub.shut_down(now));
    net.settle();
    assert_eq!(net.connections(), [""; 0]);
    let late = net.host_mut(client).connect(to("hub", 1863));
    net.settle();
    let refused = MachineEvent::Closed(late, Closed::Refused);
    assert_eq!(net.events(client).pop(), Some(refused));
}

#[test]
fn time_goes_by_only_when_asked() {
    let latency = Duration::from_millis(20);
    let mut net = Net::new().with_latency(latency);
    let hub = net.add("hub", MachineHost::new(|_| Echo::default()));
    let client = net.add("alice", MachineHost::new(|_| Echo::saying(b"hello")));
    net.host_mut(hub).listen(any(1863));
    net.host_mut(client).connect(to("192.0.2.1", 1863));
    net.settle();
    assert_eq!((net.now(), net.events(client).len()), (Instant::ZERO, 0));
    net.advance(Duration::from_micros(59_999));
    assert_eq!(heard(&net.events(client)), []);
    net.advance(Duration::from_micros(1));
    assert_eq!(heard(&net.events(client)), [5]);
    assert_eq!(net.now(), Instant::from_micros(60_000));
    assert!(!net.run_until(Duration::from_secs(5), |_| false));
    assert_eq!(net.now(), Instant::from_micros(5_060_000));
}

#[test]
fn timers_run_at_their_time() {
    let mut net = Net::new();
    let hub = net.add("hub", MachineHost::new(|_| Echo { mute: true, ..Echo::default() }));
    let client = net.add("alice", MachineHost::new(|_| Tiny::new("a@example.net", "x", 1)));
    net.host_mut(hub).listen(any(1863));
    let conn = net.host_mut(client).connect(to("hub", 1863));
    net.settle();
    net.with(client, |host, now| {
        use msnp_proto::machine::Machine;
        host.with(conn, |machine| machine.handle_input(now, b"CHG 6 NLN\r\n"))
    });
    let pinged = |net: &mut Net| net.transcript().to_string().contains("PNG");
    net.advance(Duration::from_micros(44_999_999));
    assert!(!pinged(&mut net));
    assert!(net.run_until(Duration::from_micros(1), pinged));
}

#[test]
fn broken_connections_are_reported_once_at_both_ends() {
    let mut net = Net::new();
    let hub = net.add("hub", MachineHost::new(|_| Echo::default()));
    let client = net.add("alice", MachineHost::new(|_| Echo::saying(b"hello")));
    net.host_mut(hub).listen(any(1863));
    let first = net.host_mut(client).connect(to("hub", 1863));
    net.settle();
    net.break_connections(client);
    net.settle();
    let gone = |event: &MachineEvent<usize>| matches!(event, MachineEvent::Closed(..));
    let closed: Vec<_> = net.events(client).into_iter().filter(gone).collect();
    assert_eq!(closed, [MachineEvent::Closed(first, Closed::Reset)]);
    assert_eq!(net.events(hub).into_iter().filter(gone).count(), 1);
    let second = net.host_mut(client).connect(to("hub", 1863));
    assert_eq!((second.slot(), second.generation()), (first.slot(), first.generation() + 1));
    net.settle();
    assert!(net.transcript().to_string().contains("alice-2 S: hello"));
}

/// A host with one connection that reads, writes and closes when it is told.
#[derive(Default)]
struct Picky {
    conn: Option<ConnId>,
    out: Vec<u8>,
    reads: bool,
    turns_away: bool,
    outputs: Vec<Output<String>>,
}

impl Picky {
    fn say(&mut self, size: usize) {
        let conn = self.conn.expect("connected");
        self.out.resize(size, b'x');
        self.outputs.push(Output::Transmit { conn });
    }

    fn close(&mut self, how: Shutdown) {
        let conn = self.conn.expect("connected");
        self.outputs.push(Output::Close { conn, how });
    }

    fn tell(&mut self, text: &str) {
        self.outputs.push(Output::Event(text.into()));
    }
}

impl Host for Picky {
    type Event = String;

    fn handle_connected(&mut self, _: Instant, conn: ConnId) {
        self.conn = Some(conn);
    }

    fn handle_closed(&mut self, _: Instant, _: ConnId, why: Closed) {
        self.tell(&why.to_string());
    }

    fn handle_listening(&mut self, _: Instant, _: ListenerId, _: SocketAddr) {}

    fn handle_accepted(&mut self, _: Instant, _: ListenerId, _: SocketAddr) -> Option<ConnId> {
        self.conn = Some(ConnId::new(7, 0));
        self.conn.filter(|_| !self.turns_away)
    }

    fn handle_unlistened(&mut self, _: Instant, _: ListenerId, _: Closed) {}

    fn handle_input(&mut self, _: Instant, _: ConnId, bytes: &[u8]) {
        self.tell(&format!("{} bytes", bytes.len()));
    }

    fn handle_eof(&mut self, _: Instant, _: ConnId) {
        self.tell("eof");
    }

    fn handle_timeout(&mut self, _: Instant) {}

    fn next_deadline(&self) -> Option<Instant> {
        None
    }

    fn pending(&self, _: ConnId) -> &[u8] {
        &self.out
    }

    fn consume(&mut self, _: Instant, _: ConnId, written: usize) {
        self.out.drain(..written);
    }

    fn wants_read(&self, _: ConnId) -> bool {
        self.reads
    }

    fn poll_output(&mut self) -> Option<Output<String>> {
        (!self.outputs.is_empty()).then(|| self.outputs.remove(0))
    }
}

/// Two of them, connected.
fn picky(server: Picky) -> (Net, [msnp_proto::testing::HostKey<Picky>; 2]) {
    let mut net = Net::new().with_buffer(100);
    let server = net.add("server", server);
    let client = net.add("client", Picky { reads: true, ..Picky::default() });
    net.host_mut(server).outputs.push(Output::Listen { listener: ListenerId(3), at: any(1863) });
    let conn = ConnId::new(0, 0);
    net.host_mut(client).outputs.push(Output::Connect { conn, to: to("server", 1863) });
    net.settle();
    (net, [client, server])
}

#[test]
fn who_does_not_read_makes_the_other_wait() {
    let (mut net, [client, server]) = picky(Picky::default());
    net.host_mut(client).say(250);
    net.settle();
    assert_eq!(net.host(client).out.len(), 150, "a buffer's worth is on the way");
    assert_eq!(net.events(server), [""; 0]);
    net.host_mut(server).reads = true;
    net.settle();
    assert_eq!(net.host(client).out.len(), 0);
    assert_eq!(net.events(server), ["100 bytes", "100 bytes", "50 bytes"]);
}

#[test]
fn a_close_that_flushes_loses_nothing() {
    let (mut net, [client, server]) = picky(Picky { reads: true, ..Picky::default() });
    net.host_mut(client).say(150);
    net.host_mut(client).close(Shutdown::Flush);
    net.settle();
    assert_eq!(net.events(server), ["100 bytes", "50 bytes", "eof"]);
    assert_eq!(net.events(client), ["connection closed"]);
    net.host_mut(server).say(5);
    net.host_mut(server).close(Shutdown::Flush);
    net.settle();
    assert_eq!(net.events(server), ["connection closed"]);
    net.host_mut(server).close(Shutdown::Abort);
    net.settle();
    assert_eq!(net.events(server), [""; 0], "a late call with an old id does nothing");
}

#[test]
fn a_close_that_aborts_loses_what_is_on_the_way() {
    let (mut net, [client, server]) = picky(Picky::default());
    net.host_mut(client).say(50);
    net.settle();
    net.host_mut(client).close(Shutdown::Abort);
    net.settle();
    assert_eq!(net.events(client), ["connection closed"]);
    assert_eq!(net.events(server), ["connection reset"]);
}

#[test]
fn writing_to_who_has_gone_breaks_the_connection() {
    let (mut net, [client, server]) = picky(Picky { reads: true, ..Picky::default() });
    net.host_mut(client).close(Shutdown::Flush);
    net.settle();
    net.host_mut(server).say(5);
    net.settle();
    assert_eq!(net.events(server), ["eof", "connection reset"]);
}

#[test]
fn who_is_turned_away_sees_the_end_at_once() {
    let (mut net, [client, _]) = picky(Picky { turns_away: true, ..Picky::default() });
    assert_eq!(net.events(client), ["eof"]);
    net.host_mut(client).close(Shutdown::Abort);
    net.settle();
    assert_eq!(net.events(client), ["connection closed"]);
}

#[test]
#[should_panic(expected = "the hosts talk without end")]
fn an_endless_conversation_is_cut_short() {
    let mut net = Net::new().with_patience(1000);
    let hub = net.add("hub", MachineHost::new(|_| Echo::default()));
    let client =
        net.add("alice", MachineHost::new(|_| Echo { out: b"x".into(), ..Echo::default() }));
    net.host_mut(hub).listen(any(1863));
    net.host_mut(client).connect(to("hub", 1863));
    net.settle();
}

#[test]
fn numbers_follow_from_the_seed() {
    let mut random = SeededEntropy::new(1_234_567);
    // The first numbers of splitmix64 for this seed, as its author published them.
    assert_eq!(random.next_u64(), 6_457_827_717_110_365_317);
    assert_eq!(random.next_u64(), 3_203_168_211_198_807_973);
    assert_eq!(random.below(0), 0);
    assert!((0..100).all(|_| random.below(3) < 3));
}
