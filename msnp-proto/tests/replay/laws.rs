//! The laws, on the real machines and hosts. Scripts are what was really said in the plays, and
//! damaged copies of it.

use std::net::SocketAddr;

use msnp_proto::client::{self, Client, Config, SignIn};
use msnp_proto::hub::{Hub, HubConfig, MemoryDirectory};
use msnp_proto::machine::{ConnId, Host, Machine, Output, Target};
use msnp_proto::ns::{self, Credentials, Notification, Roster};
use msnp_proto::sb::{self, Setup, Switchboard};
use msnp_proto::secret::Secret;
use msnp_proto::testing::laws::{self, Input};
use msnp_proto::testing::{Chunker, Chunking, HostMachine, Role, SeededEntropy};
use msnp_proto::time::{Duration, Instant};
use msnp_proto::types::{Dialect, Handle};

use crate::hub::DIFFERENT;
use crate::{client as clients, hub};

/// Every how many scripts one is checked at every cut: that takes the square of its length.
const STRIDE: usize = if cfg!(debug_assertions) { 36 } else { 1 };

const ROUNDS: u64 = if cfg!(debug_assertions) { 100 } else { 20_000 };

fn config() -> Config {
    let mut config = Config::new();
    config.dialects = Dialect::ALL.to_vec();
    config
}

fn alice() -> Handle {
    Handle::new("alice@example.net").expect("an account")
}

fn notification() -> Notification {
    let credentials = Credentials::new(alice(), "Pa55word".into());
    Notification::new(Instant::ZERO, config(), credentials, Roster::new())
}

fn calling() -> Switchboard {
    Switchboard::calling(Instant::ZERO, Setup::new(alice()), &Secret::from("17262740.1"))
}

fn answering() -> Switchboard {
    let (setup, cookie) = (Setup::new(alice()), Secret::from("849.1"));
    Switchboard::answering(Instant::ZERO, setup, &cookie, "11752013")
}

/// A client whose connection to the server is open.
fn whole_client() -> HostMachine<Client> {
    let mut client = Client::new(config());
    let server = Target { host: "messenger.example.net".into(), port: 1863 };
    let sign_in = SignIn::new(alice(), "Pa55word".into(), server);
    client.sign_in(Instant::ZERO, sign_in).expect("nobody is signed in");
    let Some(Output::Connect { conn, .. }) = client.poll_output() else { panic!("no connection") };
    client.handle_connected(Instant::ZERO, conn);
    HostMachine::new(client, conn)
}

/// A hub that takes any account and password, with one connection to one of its servers.
fn whole_hub(role: Role) -> HostMachine<Hub> {
    let at: SocketAddr = "192.0.2.1:1863".parse().expect("an address");
    let entropy = Box::new(SeededEntropy::new(3));
    let mut hub = Hub::new(HubConfig::new(at), MemoryDirectory::open(), entropy);
    let mut listeners = Vec::new();
    for port in 1863..1866 {
        let Some(Output::Listen { listener, .. }) = hub.poll_output() else { panic!("no socket") };
        hub.handle_listening(Instant::ZERO, listener, SocketAddr::new(at.ip(), port));
        listeners.push(listener);
    }
    while hub.poll_output().is_some() {}
    let conn = hub.handle_accepted(Instant::ZERO, listeners[role as usize], at);
    HostMachine::new(hub, conn.expect("there is room"))
}

/// What clients heard, and what hubs were told, on connections of a role.
fn heard(role: Role) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for script in clients::scripts() {
        let played = clients::play(&script, None, Chunking::Whole);
        let of_role = script.dialogues.iter().zip(played.heard);
        all.extend(of_role.filter(|(one, _)| one.role == role).map(|(_, heard)| heard));
    }
    all
}

fn told(role: Role) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for script in hub::scripts() {
        let played = hub::play(&script, DIFFERENT, None, Chunking::Whole);
        let of_role = script.dialogues.iter().zip(played.told);
        all.extend(of_role.filter(|(one, _)| one.role == role).map(|(_, told)| told));
    }
    all
}

/// A copy with some bytes changed, lost, doubled or put in.
fn damaged(bytes: &[u8], random: &mut SeededEntropy) -> Vec<u8> {
    const PUT_IN: [&[u8]; 8] =
        [b"\r\n", b"\n", b" ", b"0", b"99999", b"OUT\r\n", b"NLN NLN a@b.c A\r\n", b"\0\xff%"];
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        let end = (at + random.below(40)).min(bytes.len());
        match random.below(4) {
            0 => drop(bytes.drain(at..end)),
            1 => drop(bytes.splice(at..at, PUT_IN[random.below(8)].iter().copied())),
            2 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
    bytes
}

/// All laws that are about input, over these streams.
fn check<M>(make: impl Fn() -> M, streams: &[Vec<u8>], is_end: impl Fn(&M::Event) -> bool)
where
    M: Machine,
    M::Event: std::fmt::Debug + PartialEq,
{
    let second = Duration::from_secs(1);
    let some = if cfg!(debug_assertions) { 4 } else { 1 };
    for (stream, number) in streams.iter().zip(0_u64..).step_by(some) {
        let mut random = SeededEntropy::new(number);
        let damaged = damaged(stream, &mut random);
        for bytes in [stream, &damaged] {
            let (front, back) = bytes.split_at(random.below(bytes.len()));
            let script = [
                Input::Bytes(front),
                Input::Wait(second),
                Input::Bytes(back),
                Input::Wait(second * 70),
            ];
            laws::check_draining(&make, &script);
            laws::check_clock(&make, &script);
            let end = [Input::Bytes(front), Input::Eof, Input::Wait(second * 600)];
            laws::check_draining(&make, &end);
            laws::check_clock(&make, &end);
        }
        if (number as usize) % STRIDE == 0 {
            for bytes in [stream, &damaged] {
                laws::check_chunking(&make, &[Input::Bytes(bytes), Input::Eof]);
            }
        }
    }
    let seeds: Vec<&[u8]> = streams.iter().map(Vec::as_slice).collect();
    laws::check_totality(&make, &seeds, ROUNDS, is_end);
}

#[test]
fn a_notification_machine_obeys() {
    let mut streams = heard(Role::Notification);
    streams.extend(heard(Role::Dispatch));
    check(notification, &streams, |event| {
        matches!(event, ns::Event::Lost(_) | ns::Event::Referred { .. })
    });
}

#[test]
fn a_switchboard_machine_obeys() {
    let streams = heard(Role::Switchboard);
    check(calling, &streams, |event| matches!(event, sb::Event::Lost(_)));
    check(answering, &streams, |event| matches!(event, sb::Event::Lost(_)));
}

#[test]
fn a_whole_client_obeys() {
    let streams = heard(Role::Notification);
    check(whole_client, &streams, |event| matches!(event, client::Event::Lost { .. }));
}

#[test]
fn a_hub_obeys() {
    for role in [Role::Dispatch, Role::Notification, Role::Switchboard] {
        check(|| whole_hub(role), &told(role), |_| false);
    }
}

/// No more is looked at than twice the bytes, however they come.
#[test]
fn every_byte_is_looked_at_twice_at_most() {
    let check = |streams: &[Vec<u8>], scan: &dyn Fn(&[u8], Chunking) -> u64| {
        for stream in streams {
            for chunking in
                [Chunking::Whole, Chunking::Every(1), Chunking::Every(5), Chunking::Random(2)]
            {
                let scanned = scan(stream, chunking);
                assert!(scanned <= 2 * stream.len() as u64, "{chunking:?}: {scanned}");
            }
        }
    };
    check(&heard(Role::Notification), &|stream, chunking| {
        let mut machine = whole_client();
        let conn = machine.conn;
        feed(&mut machine, stream, chunking, |machine| machine.host.scanned(conn))
    });
    for role in [Role::Dispatch, Role::Notification, Role::Switchboard] {
        check(&told(role), &|stream, chunking| {
            let mut machine = whole_hub(role);
            let conn: ConnId = machine.conn;
            feed(&mut machine, stream, chunking, |machine| machine.host.scanned(conn))
        });
    }
}

/// Feeds a machine, and says the most that it has scanned.
fn feed<M: Machine>(
    machine: &mut M,
    mut stream: &[u8],
    chunking: Chunking,
    scanned: impl Fn(&mut M) -> u64,
) -> u64 {
    let (mut chunker, mut most) = (Chunker::new(chunking), 0);
    while !stream.is_empty() {
        let (piece, rest) = stream.split_at(chunker.next(stream.len()));
        machine.handle_input(Instant::ZERO, piece);
        machine.consume(Instant::ZERO, usize::MAX);
        most = most.max(scanned(machine));
        stream = rest;
    }
    most
}
