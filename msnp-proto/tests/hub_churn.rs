//! Nothing is left behind: whoever comes, and however they go, afterwards the hub has the
//! connections, lists, timers and memory that it had before.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod counting;
mod hub_support;

use std::net::SocketAddr;

use counting::held;
use hub_support::{World, config, handle, md5_hex, three};
use msnp_proto::hub::{Event, Hub, HubLimits, MemoryDirectory, Role, Why};
use msnp_proto::machine::{Closed, ConnId, Host, Output, Shutdown};
use msnp_proto::time::Duration;

/// Somebody who comes, with all connections that they cause.
#[derive(Default)]
struct Guest {
    conns: Vec<ConnId>,
    challenge: String,
    cookie: String,
    ring: String,
}

const ALICE: &str = "alice@example.net";
const BOB: &str = "bob@example.net";

/// What a visit consists of; it may end after each step. Bob is there all the time.
const STAGES: [fn(&mut World, &mut Guest, ConnId); 26] = [
    |w, guest, _| guest.conns.push(w.connect(Role::Dispatch)),
    |w, guest, _| w.say(guest.last(), "VER 1 MSNP7 MSNP5"),
    |w, guest, _| w.say(guest.last(), "INF 2"),
    |w, guest, _| w.send(guest.last(), b"USR 3 MD5 I al"),
    |w, guest, _| w.send(guest.last(), b"ice@example.net\r\n"),
    |w, guest, _| guest.conns.push(w.connect(Role::Notification)),
    |w, guest, _| w.say(guest.last(), "VER 1 MSNP7"),
    |w, guest, _| {
        w.heard(guest.last());
        w.say(guest.last(), "USR 2 MD5 I alice@example.net");
        guest.challenge = w.heard(guest.last())[0]["USR 2 MD5 S ".len()..].to_owned();
    },
    |w, guest, _| w.send(guest.last(), b"USR 3 MD5 S "),
    |w, guest, _| {
        let digest = md5_hex(&[&guest.challenge, "Pa55word"]);
        w.say(guest.last(), &digest);
    },
    |w, guest, _| w.say(guest.last(), "SYN 4 0"),
    // This is challenged, and has fifty seconds to answer.
    |w, guest, _| w.say(guest.last(), "CHG 5 NLN"),
    |w, guest, _| w.say(guest.last(), "REA 6 alice@example.net Alice%20Again"),
    |w, guest, _| w.say(guest.last(), "ADD 7 FL carol@example.net Carol 0"),
    |w, guest, _| w.say(guest.last(), "REM 8 FL carol@example.net"),
    |w, guest, _| {
        w.heard(guest.last());
        w.say(guest.last(), "XFR 9 SB");
        guest.cookie = w.heard(guest.last())[0].rsplit(' ').next().unwrap().into();
    },
    |w, guest, _| guest.conns.push(w.connect(Role::Switchboard)),
    |w, guest, _| w.send(guest.last(), b"USR 1 alice@exam"),
    |w, guest, _| {
        let rest = format!("ple.net {}", guest.cookie);
        w.say(guest.last(), &rest);
    },
    |w, guest, bob| {
        w.heard(bob);
        w.say(guest.last(), "CAL 2 bob@example.net");
        guest.ring = w.heard(bob)[0].clone();
    },
    |w, guest, _| guest.conns.push(w.connect(Role::Switchboard)),
    |w, guest, _| {
        let words: Vec<&str> = guest.ring.split(' ').collect();
        let answer = format!("ANS 1 bob@example.net {} {}", words[4], words[1]);
        w.say(guest.last(), &answer);
    },
    |w, guest, _| w.send(guest.board(), b"MSG 3 A 5\r\nhello"),
    // From here on Bob does not read.
    |w, guest, _| w.set_stuck(guest.last(), true),
    |w, guest, _| w.send(guest.board(), b"MSG 4 N 5\r\nhello"),
    |w, guest, _| {
        let text = format!("MSG 5 N 1400\r\n{}", "x".repeat(1400));
        w.send(guest.board(), text.repeat(100).as_bytes());
        w.send(guest.board(), b"MSG 6 A 100\r\nand the rest does not");
    },
];

impl Guest {
    fn last(&self) -> ConnId {
        *self.conns.last().unwrap()
    }

    /// Alice's place in the switchboard.
    fn board(&self) -> ConnId {
        self.conns[self.conns.len() - 2]
    }
}

/// How a visit ends.
const ENDS: [fn(&mut World, ConnId); 5] = [
    |w, conn| w.hang_up(conn),
    |w, conn| w.break_off(conn),
    // A stage may end within a line or message, so these words need not be understood.
    |w, conn| w.say(conn, "\r\nOUT"),
    |w, conn| w.send(conn, &[0xff; 9000]),
    // Silence, until the other side has had enough of it.
    |w, _| w.pass(Duration::from_secs(301)),
];

/// A visit up to a stage, and its end.
fn visit(w: &mut World, bob: ConnId, stages: usize, end: fn(&mut World, ConnId)) {
    let mut guest = Guest::default();
    for stage in &STAGES[..stages] {
        stage(w, &mut guest, bob);
    }
    for conn in &guest.conns {
        if !w.is_closed(*conn) {
            end(w, *conn);
        }
    }
    for conn in &guest.conns {
        // What was not understood, and a person of MSNP5 who says nothing, is still there.
        if !w.is_closed(*conn) {
            w.break_off(*conn);
        }
        w.forget(*conn);
    }
    w.heard(bob);
    w.events.clear();
}

/// How much of everything there is.
fn counts(w: &World) -> [usize; 6] {
    let hub = &w.hub;
    let deadlines = usize::from(hub.next_deadline().is_some());
    let (people, conns, rooms) = (hub.people(), hub.connections(), hub.switchboards());
    [people, conns, rooms, hub.cookies(), hub.addresses(), deadlines]
}

#[test]
fn ten_thousand_visits_that_end_at_every_stage_leave_nothing() {
    let mut w = World::new();
    let bob = w.online(BOB);
    let before = counts(&w);
    assert_eq!(before, [1, 1, 0, 0, 1, 0]);
    let all = |w: &mut World| {
        for stages in 0..=STAGES.len() {
            for (way, end) in ENDS.into_iter().enumerate() {
                visit(w, bob, stages, end);
                assert_eq!(counts(w), before, "after {stages} stages, ended by way {way}");
            }
        }
        (STAGES.len() + 1) * ENDS.len()
    };
    let mut visits = all(&mut w);
    let memory = held();
    while visits < 10_000 {
        visits += all(&mut w);
        assert_eq!(held(), memory, "bytes after {visits} visits");
    }
    let record = w.hub.directory().record(&handle(ALICE)).unwrap();
    assert_eq!(record.contacts.len(), 1, "Bob");
    assert_eq!(w.hub.stats().late_calls, 0);
}

/// Guests with accounts of their own.
fn guests(count: usize) -> MemoryDirectory {
    (0..count).fold(three(), |accounts, number| accounts.open_account(handle(&name(number))))
}

fn name(number: usize) -> String {
    format!("guest{number:04}@example.net")
}

fn unlimited() -> World {
    let mut config = config();
    config.limits = HubLimits::off();
    World::with(config, guests(1000))
}

#[test]
fn a_thousand_at_once_leave_nothing_either() {
    let mut w = unlimited();
    let before = counts(&w);
    let mut memory = Vec::new();
    for _ in 0..4 {
        let conns: Vec<[ConnId; 3]> = (0..1000)
            .map(|number| {
                let conn = w.connect(Role::Notification);
                w.say(conn, "VER 1 MSNP5");
                w.say(conn, &format!("USR 2 MD5 I {}", name(number)));
                w.say(conn, "USR 3 MD5 S 00000000000000000000000000000000");
                w.say(conn, "CHG 4 NLN");
                w.heard(conn);
                let board = w.switchboard(conn, &name(number));
                [conn, board, w.connect(Role::Dispatch)]
            })
            .collect();
        assert_eq!((w.hub.people(), w.hub.connections(), w.hub.switchboards()), (1000, 3000, 1000));
        for (number, conns) in conns.iter().enumerate() {
            match number % 3 {
                0 => w.hang_up(conns[0]),
                1 => w.break_off(conns[0]),
                _ => w.say(conns[0], "OUT"),
            }
            for conn in conns {
                if !w.is_closed(*conn) {
                    w.break_off(*conn);
                }
                w.forget(*conn);
            }
        }
        drop(conns);
        w.events.clear();
        assert_eq!(counts(&w), before);
        memory.push(held());
    }
    // What stays after the first time is the room in the tables.
    assert_eq!(memory[1..], [memory[1]; 3], "bytes after each time");
}

#[test]
fn a_member_of_twenty_who_stops_reading_costs_no_more_than_the_limit() {
    const MEMBERS: usize = 20;
    const MESSAGES: usize = 100_000;
    // No power of two, so that a buffer that doubles would be seen.
    let hard = 200_000;
    let mut config = config();
    config.limits = HubLimits::off();
    config.limits.backlog_hard = hard;
    let mut w = World::with(config, guests(MEMBERS));
    let mut seats = Vec::new();
    let mut people = Vec::new();
    for number in 0..MEMBERS {
        let conn = w.connect(Role::Notification);
        w.say(conn, "VER 1 MSNP5");
        w.say(conn, &format!("USR 2 MD5 I {}", name(number)));
        w.say(conn, "USR 3 MD5 S 00000000000000000000000000000000");
        w.say(conn, "CHG 4 NLN");
        w.heard(conn);
        people.push(conn);
        match seats.first() {
            None => seats.push(w.switchboard(conn, &name(number))),
            Some(first) => seats.push(w.call_in(*first, conn, &name(number))),
        }
        for seat in &seats {
            w.heard(*seat);
        }
    }
    let stuck = seats.remove(7);
    let text = |number: usize, len: usize| {
        format!("MSG {number} A {len}\r\n{}\r\n", "x".repeat(len - 2)).into_bytes()
    };
    // Once round, so that everybody's buffers have been used.
    for seat in &seats {
        w.send(*seat, &text(1, 400));
    }
    for seat in &seats {
        w.heard(*seat);
    }
    w.heard(stuck);
    w.set_stuck(stuck, true);

    // What this test itself notes is not to count.
    w.events = Vec::with_capacity(8);
    let (mut peak, mut refused, mut told) = (0, Vec::with_capacity(8), 0);
    let before = held();
    let mut said = 0;
    while said < MESSAGES {
        for seat in &seats {
            said += 1;
            w.send(*seat, &text(said, 150 + said % 50));
        }
        let first = said - seats.len() + 1;
        for (number, seat) in (first..).zip(&seats) {
            let heard = w.heard(*seat);
            told += heard.iter().filter(|line| line.starts_with("BYE ")).count();
            if heard.contains(&format!("NAK {number}")) {
                refused.push(number);
            } else {
                assert!(heard.contains(&format!("ACK {number}")), "{heard:?}");
            }
        }
        // The others have heard everything, so what is held is for the one who does not.
        peak = peak.max(held().saturating_sub(before));
    }
    // One message did not reach everybody, and everybody was told who left.
    assert_eq!(refused.len(), 1);
    assert_eq!(told, seats.len());
    assert_eq!(w.closed(stuck), Some(Shutdown::Abort));
    let dropped = |event: &Event| matches!(event, Event::Dropped { why: Why::Backlog, .. });
    assert_eq!(w.events.iter().filter(|event| dropped(event)).count(), 1);
    assert!(peak <= hard + 4096, "{peak} bytes more than before");
    assert!(peak > hard - 4096, "{peak} bytes: it was never full");
    assert!(held() <= before, "{} bytes more than before", held() - before);
    assert_eq!(w.hub.stats().messages, (said + seats.len()) as u64);
    assert_eq!(w.hub.connections(), 2 * MEMBERS - 1);
}

#[test]
fn a_hundred_thousand_commands_are_answered_at_their_pace_and_hold_up_nobody() {
    type Line = fn(usize) -> String;
    let changes = (100, 10);
    let kinds: [(Line, (usize, usize)); 6] = [
        (|_| "PNG\r\n".into(), (1000, 100)),
        (|n| format!("CHG {n} {}\r\n", ["NLN", "BSY"][n % 2]), changes),
        (|n| format!("REA {n} alice@example.net Name{n:06}\r\n"), changes),
        (|n| format!("ADD {n} FL guest{:04}@example.net G\r\n", n % 1000), changes),
        (|n| format!("XFR {n} SB\r\n"), changes),
        (|n| format!("SYN {n} 0\r\n"), changes),
    ];
    for (line, (burst, rate)) in kinds {
        let mut w = World::with(config(), guests(1000));
        let (alice, bob) = (w.online(ALICE), w.online(BOB));
        let lines: String = (1..=100_000).map(line).collect();
        let mut pieces = lines.as_bytes().chunks(4096);
        w.heard(alice);
        w.heard(bob);
        let before = held();
        let (mut peak, mut answers) = (0, 0);
        for second in 0..60 {
            // As a driver does: nothing while it is not welcome.
            while w.hub.wants_read(alice) {
                w.send(alice, pieces.next().unwrap());
                // An answer to SYN has many lines; its first has the number.
                let heard = w.heard(alice);
                answers += heard.iter().filter(|line| is_answer(line)).count();
            }
            w.heard(bob);
            assert_eq!(w.ask(bob, "PNG"), ["QNG"]);
            peak = peak.max(held().saturating_sub(before));
            let most = burst + 1 + second * rate;
            // Signing in took a few of them.
            assert!((most - 8..=most).contains(&answers), "{answers} of {most}: {}", line(1));
            w.pass(Duration::from_secs(1));
            answers += w.heard(alice).iter().filter(|line| is_answer(line)).count();
        }
        // Contacts and cookies that were made in this time are there to stay.
        assert!(peak < 300 * 1024, "{peak} bytes more than before: {}", line(1));
        assert!(!w.is_closed(alice) && !w.is_closed(bob));
    }
}

/// Whether a line is the first of the answer to a command.
fn is_answer(line: &str) -> bool {
    let verb = line.split(' ').next().unwrap_or_default();
    ["QNG", "CHG", "REA", "ADD", "XFR", "SYN"].contains(&verb) || verb.parse::<u16>().is_ok()
}

#[test]
fn the_default_limits_on_connections_hold_at_and_over() {
    let mut w = World::new();
    let limits = HubLimits::new();
    let (all, of_one) = (limits.connections, limits.connections_per_address);
    let address = |number: usize| format!("198.51.{}.{}", 100 + number / 250, number % 250 + 1);
    let roles = [Role::Dispatch, Role::Notification, Role::Switchboard];
    let mut inside = Vec::new();
    for number in 0..all {
        let from = address(number / of_one);
        inside.push(w.try_connect(roles[number % 3], &from).unwrap());
        if number % of_one == of_one - 1 {
            assert_eq!(w.try_connect(Role::Dispatch, &from), None);
        }
    }
    for number in 0..1000 {
        assert_eq!(w.try_connect(roles[number % 3], &address(number)), None);
    }
    assert_eq!(w.hub.connections(), all);
    assert_eq!(w.hub.addresses(), all / of_one);
    assert_eq!(w.hub.stats().turned_away, 1000 + (all / of_one) as u64);
    w.break_off(inside.swap_remove(500));
    assert!(w.try_connect(Role::Dispatch, &address(900)).is_some());
    assert_eq!(w.try_connect(Role::Dispatch, &address(901)), None);
}

#[test]
fn a_thousand_who_say_nothing_or_a_byte_a_second_are_gone_in_time() {
    let mut w = unlimited();
    let before = counts(&w);
    let conns: Vec<ConnId> = (0..1000)
        .map(|number| {
            w.connect([Role::Dispatch, Role::Notification, Role::Switchboard][number % 3])
        })
        .collect();
    let line = b"USR 1 somebody@example.net 123456789";
    for second in 0..19 {
        w.pass(Duration::from_secs(1));
        for conn in conns.iter().step_by(2) {
            w.send(*conn, &line[second..=second]);
        }
    }
    w.pass(Duration::from_micros(999_999));
    assert_eq!(w.hub.connections(), 1000);
    w.pass(Duration::from_micros(1));
    assert_eq!(counts(&w), before);
    let late = |event: &Event| matches!(event, Event::Dropped { why: Why::SignInTimeout, .. });
    assert_eq!(w.events.iter().filter(|event| late(event)).count(), 1000);
}

#[test]
fn a_peer_that_vanished_is_offline_once() {
    let mut w = World::new();
    let alice = w.online(ALICE);
    let bob = w.online(BOB);
    w.heard(alice);
    let of_alice = w.switchboard(alice, ALICE);
    let of_bob = w.call_in(of_alice, bob, BOB);
    let now = w.now;
    // The system gives its connections up one after the other.
    for conn in [of_bob, bob, of_bob, bob] {
        w.hub.handle_closed(now, conn, Closed::TimedOut);
        w.turn();
    }
    assert_eq!(w.heard(alice), ["FLN bob@example.net"]);
    assert_eq!(w.heard(of_alice), ["BYE bob@example.net"]);
    let why = Why::Connection(Closed::TimedOut);
    let left = |event: &Event| matches!(event, Event::SignedOut { why: w, .. } if *w == why);
    assert_eq!(w.events.iter().filter(|event| left(event)).count(), 1);
}

/// A hub with its sockets open, without the world that does at once what it asks for.
fn bare() -> (Hub, SocketAddr) {
    let World { hub, .. } = World::new();
    (hub, "198.51.100.7:4000".parse().unwrap())
}

#[test]
fn a_connection_may_die_while_it_is_dealt_with() {
    let now = msnp_proto::time::Instant::ZERO;
    let (mut hub, peer) = bare();
    let listener = msnp_proto::machine::ListenerId(1);
    let drain = |hub: &mut Hub| std::iter::from_fn(|| hub.poll_output()).collect::<Vec<_>>();

    // As it is accepted.
    let conn = hub.handle_accepted(now, listener, peer).unwrap();
    hub.handle_closed(now, conn, Closed::Reset);
    assert_eq!(drain(&mut hub), []);
    assert_eq!((hub.connections(), hub.addresses(), hub.next_deadline()), (0, 0, None));

    // Before the first write: there is a notice of bytes that are gone.
    let conn = hub.handle_accepted(now, listener, peer).unwrap();
    hub.handle_input(now, conn, b"VER 1 MSNP5\r\n");
    hub.handle_closed(now, conn, Closed::Reset);
    assert_eq!(drain(&mut hub), [Output::Transmit { conn }]);
    assert_eq!(hub.pending(conn), b"");
    hub.consume(now, conn, 13);
    assert_eq!(hub.connections(), 0);

    // While others are told, and it is told of others.
    let mut w = World::new();
    let alice = w.online(ALICE);
    let bob = w.online(BOB);
    w.heard(alice);
    let now = w.now;
    w.hub.handle_input(now, alice, b"CHG 5 AWY\r\nCHG 6 BSY\r\n");
    w.hub.handle_closed(now, bob, Closed::Reset);
    w.hub.handle_input(now, alice, b"CHG 7 NLN\r\n");
    w.turn();
    assert_eq!(w.heard(alice), ["CHG 5 AWY", "CHG 6 BSY", "FLN bob@example.net", "CHG 7 NLN"]);
    // In the middle of a fan-out to itself and others.
    let carol = w.online("carol@example.net");
    w.hub.handle_input(now, carol, b"ADD 5 FL alice@example.net Alice\r\n");
    w.hub.handle_closed(now, carol, Closed::Reset);
    w.turn();
    assert_eq!((w.hub.people(), w.hub.connections()), (1, 1));
}

#[test]
fn a_second_sign_in_while_the_first_still_sends_is_clean() {
    let mut w = World::new();
    let bob = w.online(BOB);
    let old = w.online(ALICE);
    w.heard(bob);
    let of_old = w.switchboard(old, ALICE);
    let of_bob = w.call_in(of_old, bob, BOB);
    // More than is done at once, and half a message.
    w.send(old, "CHG 5 AWY\r\nCHG 5 NLN\r\n".repeat(100).as_bytes());
    w.send(of_old, b"MSG 3 A 5\r\nhelloMSG 4 A 100\r\nhalf of it");
    w.heard(bob);
    assert_eq!(w.heard(of_bob), ["MSG alice@example.net Alice%20A 5", "hello"]);
    let new = w.sign_in(ALICE, "MSNP5");
    assert_eq!(w.heard(old).last().map(String::as_str), Some("OUT OTH"));
    assert_eq!(w.heard(of_old), ["ACK 3", "OUT"]);
    assert_eq!(w.heard(of_bob), ["BYE alice@example.net"]);
    let now = w.now;
    w.hub.handle_input(now, old, b"CHG 6 HDN\r\n");
    w.hub.handle_input(now, of_old, b"the other half");
    w.pass(Duration::from_secs(60));
    assert_eq!(w.heard(bob), [""; 0], "what waited on the old connection is not done");
    assert_eq!(w.ask(new, "CHG 4 BSY"), ["CHG 4 BSY", "ILN 4 NLN bob@example.net Bob%20B"]);
    assert_eq!(w.heard(bob), ["NLN BSY alice@example.net Alice%20A"]);
}
