//! What peers may cost, how connections end, and what the operator is told.

mod hub_support;

use hub_support::{Fixed, World, config, handle, three};
use msnp_proto::hub::{Event, Hub, HubLimits, Rate, Role, Why};
use msnp_proto::machine::{Closed, ConnId, Host, ListenerId, Output, Shutdown};
use msnp_proto::time::{Duration, Instant};

const NOTHING: [&str; 0] = [];

fn with_limits(change: impl FnOnce(&mut HubLimits)) -> World {
    let mut config = config();
    change(&mut config.limits);
    World::with(config, three())
}

#[test]
fn a_hub_for_its_owner_limits_no_number_and_no_rate() {
    let (off, on) = (HubLimits::off(), HubLimits::new());
    let numbers = |limits: &HubLimits| {
        [
            limits.connections,
            limits.connections_per_address,
            limits.cookies,
            limits.people,
            limits.rings_of_one,
            limits.rings,
            limits.contacts,
            limits.privacy_entries,
        ]
    };
    assert_eq!(numbers(&off), [usize::MAX; 8]);
    assert!(numbers(&on).iter().all(|number| *number < 5_000));
    assert_eq!((off.changes, off.commands, off.texts, off.bytes), (None, None, None, None));
    assert_eq!((off.failed_calls, off.renames), (None, None));
    // What keeps one connection from holding memory for ever stays.
    let sizes = |limits: &HubLimits| {
        let HubLimits { line, payload, message, backlog_soft, backlog_hard, sign_in, .. } = *limits;
        (line, payload, message, backlog_soft, backlog_hard, sign_in)
    };
    assert_eq!(sizes(&off), sizes(&on));
}

#[test]
fn connections_are_limited_in_all_and_by_address() {
    let mut w = with_limits(|limits| {
        limits.connections = 5;
        limits.connections_per_address = 3;
    });
    let first = w.try_connect(Role::Dispatch, "198.51.100.1").unwrap();
    assert!(w.try_connect(Role::Notification, "198.51.100.1").is_some());
    assert!(w.try_connect(Role::Switchboard, "198.51.100.1").is_some());
    assert!(w.try_connect(Role::Dispatch, "198.51.100.1").is_none());
    assert!(w.try_connect(Role::Dispatch, "198.51.100.2").is_some());
    assert!(w.try_connect(Role::Dispatch, "198.51.100.3").is_some());
    assert!(w.try_connect(Role::Dispatch, "198.51.100.4").is_none());
    assert_eq!(w.hub.stats().turned_away, 2);
    w.hang_up(first);
    assert!(w.try_connect(Role::Dispatch, "198.51.100.1").is_some());
    assert!(w.try_connect(Role::Dispatch, "198.51.100.1").is_none());
}

#[test]
fn the_operator_is_told_who_is_turned_away_but_not_each_time() {
    let mut w = with_limits(|limits| {
        limits.connections = 2;
        limits.connections_per_address = 1;
    });
    let knock = |w: &mut World, from: &str, times: usize| {
        (0..times).filter(|_| w.try_connect(Role::Dispatch, from).is_some()).count()
    };
    let told = |w: &mut World| -> Vec<(String, Why, u64)> {
        w.turn();
        let events = std::mem::take(&mut w.events);
        let told = events.into_iter().filter_map(|event| match event {
            Event::TurnedAway { from, why, count, .. } => Some((from.to_string(), why, count)),
            _ => None,
        });
        told.collect()
    };
    let row = |from: &str, why, count| vec![(from.to_owned(), why, count)];
    assert_eq!(knock(&mut w, "198.51.100.1", 1000), 1);
    assert_eq!(told(&mut w), row("198.51.100.1", Why::CrowdOfAddress, 1));
    assert_eq!(knock(&mut w, "198.51.100.2", 1), 1);
    w.pass(Duration::from_micros(59_999_999));
    // Those who came before did not sign in.
    w.events.clear();
    assert_eq!(knock(&mut w, "198.51.100.1", 1), 1);
    assert_eq!(knock(&mut w, "198.51.100.2", 1), 1);
    assert_eq!(knock(&mut w, "198.51.100.3", 5), 0);
    assert_eq!(told(&mut w), []);
    w.pass(Duration::from_micros(1));
    assert_eq!(knock(&mut w, "198.51.100.3", 5), 0);
    assert_eq!(told(&mut w), row("198.51.100.3", Why::Crowd, 1000 - 2 + 5 + 1));
    assert_eq!(w.hub.stats().turned_away, 999 + 5 + 5);
}

/// A line of this many bytes, CRLF included.
fn line_of(size: usize) -> String {
    let mut line = "FOO 1 ".to_owned();
    line.push_str(&"x".repeat(size - line.len() - 2));
    line.push_str("\r\n");
    line
}

#[test]
fn lines_are_limited_before_and_after_sign_in() {
    for (signed_in, limit) in [(false, 1024), (true, 8192)] {
        for size in [limit - 1, limit, limit + 1] {
            for cut in [size, size / 2, 1] {
                let mut w = World::new();
                let conn = match signed_in {
                    true => w.sign_in("alice@example.net", "MSNP5"),
                    false => w.connect(Role::Notification),
                };
                for piece in line_of(size).as_bytes().chunks(cut) {
                    if !w.is_closed(conn) {
                        w.send(conn, piece);
                    }
                }
                assert_eq!(w.is_closed(conn), size > limit, "{size} in pieces of {cut}");
                let answer = if size > limit { vec![] } else { vec!["200 1"] };
                assert_eq!(w.heard(conn), answer);
            }
        }
    }
}

#[test]
fn in_a_switchboard_longer_lines_are_taken_too() {
    let mut w = World::new();
    let alice = w.online("alice@example.net");
    let board = w.switchboard(alice, "alice@example.net");
    w.send(board, line_of(8192).as_bytes());
    assert_eq!(w.heard(board), ["200 1"]);
    w.send(board, line_of(8193).as_bytes());
    assert!(w.is_closed(board));
    let knocking = w.connect(Role::Switchboard);
    w.send(knocking, line_of(1025).as_bytes());
    assert!(w.is_closed(knocking));
}

#[test]
fn large_payloads_at_the_notification_server_are_passed_over() {
    let mut w = World::new();
    let alice = w.sign_in("alice@example.net", "MSNP7");
    let page = "x".repeat(8193);
    w.send(alice, format!("PAG 1 bob@example.net 8193\r\n{page}PNG\r\n").as_bytes());
    assert_eq!(w.heard(alice), ["606 1", "QNG"]);
    let mail = format!("SDC 2 a@b.c 0x0409 MSMSGS MSMSGS X X Al 8193\r\n{page}PNG\r\n");
    w.send(alice, mail.as_bytes());
    assert_eq!(w.heard(alice), ["503 2", "QNG"]);
    // Whoever cannot say which request it is cannot be told that it is refused.
    w.send(alice, b"QRY x msmsgs@msnmsgr.com 8193\r\n");
    assert!(w.is_closed(alice));
}

#[test]
fn changes_over_the_rate_are_answered_later() {
    let mut w = World::new();
    let alice = w.sign_in("alice@example.net", "MSNP5");
    let burst: String = (1..=130).map(|id| format!("CHG {id} NLN\r\n")).collect();
    w.send(alice, burst.as_bytes());
    let heard = w.heard(alice).len();
    assert!((100..=101).contains(&heard), "{heard}");
    assert!(!w.hub.wants_read(alice));
    let mut answered = heard;
    for _ in 0..29 {
        w.pass(Duration::from_millis(100));
        let fresh = w.heard(alice).len();
        assert!(fresh <= 1, "{fresh} at once");
        answered += fresh;
    }
    assert_eq!(answered, 130);
    w.pass(Duration::from_secs(1));
    assert!(w.hub.wants_read(alice));
}

/// How many answers come at once, and then within each second for ten seconds.
fn answers(w: &mut World, conn: ConnId) -> (usize, Vec<usize>) {
    let at_once = w.heard(conn).len();
    let later = (0..10)
        .map(|_| {
            w.pass(Duration::from_secs(1));
            w.heard(conn).len()
        })
        .collect();
    (at_once, later)
}

#[test]
fn cheap_commands_over_the_rate_are_answered_later_too() {
    for line in [
        "PNG",
        "FOO 7
PNG",
        "CVR 1 0x0409 win 4.10 i386 MSMSGS 4.5.0127 MSMSGS",
    ] {
        let mut w = World::new();
        let alice = w.sign_in("alice@example.net", "MSNP5");
        w.pass(Duration::from_secs(60));
        let lines = format!("{line}\r\n").repeat(5000);
        w.send(alice, &lines.as_bytes()[..lines.len() / 2 + 1]);
        assert!(!w.hub.wants_read(alice));
        let (at_once, later) = answers(&mut w, alice);
        assert!((1000..=1001).contains(&at_once), "{at_once}");
        assert_eq!(later, [100; 10], "{line}");
        assert!(!w.is_closed(alice));
    }
}

#[test]
fn commands_are_counted_from_the_first_on_at_every_server() {
    let mut w = with_limits(|limits| limits.commands = Some(Rate { per_second: 5, burst: 20 }));
    let conn = w.connect(Role::Notification);
    w.send(conn, format!("VER 1 MSNP5\r\n{}", "INF 2\r\n".repeat(200)).as_bytes());
    let (at_once, later) = answers(&mut w, conn);
    assert!((20..=21).contains(&at_once), "{at_once}");
    assert_eq!(later, [5; 10]);
    w.pass(Duration::from_secs(20));
    assert!(w.is_closed(conn), "waiting does not move the deadline");

    let alice = w.online("alice@example.net");
    let board = w.switchboard(alice, "alice@example.net");
    w.send(board, "CAL 9 nobody@example.net\r\n".repeat(200).as_bytes());
    let (at_once, later) = answers(&mut w, board);
    assert!((19..=20).contains(&at_once), "{at_once}");
    assert_eq!(later, [5; 10]);
    w.send(board, b"OUT\r\n");
    assert!(!w.is_closed(board), "what comes later waits behind what came before");
    w.pass(Duration::from_secs(60));
    assert!(w.is_closed(board));
}

#[test]
fn texts_are_limited_in_rate_if_the_operator_wants_it() {
    let mut w = with_limits(|limits| {
        limits.texts = Some(Rate { per_second: 3, burst: 30 });
        limits.commands = Some(Rate { per_second: 1, burst: 10 });
    });
    let alice = w.online("alice@example.net");
    let board = w.switchboard(alice, "alice@example.net");
    w.send(board, "MSG 1 A 5\r\nhello".repeat(100).as_bytes());
    let (at_once, later) = answers(&mut w, board);
    assert!((30..=31).contains(&at_once), "{at_once}");
    assert_eq!(later, [3; 10]);
}

#[test]
fn bytes_over_the_rate_wait_where_they_are() {
    for piece in [1, 7, 100, 999] {
        let mut w = with_limits(|limits| {
            limits.bytes = Some(Rate { per_second: 1000, burst: 3000 });
            limits.commands = None;
        });
        let alice = w.sign_in("alice@example.net", "MSNP5");
        w.pass(Duration::from_secs(60));
        let bytes = "PNG\r\n".repeat(4000);
        let mut pieces = bytes.as_bytes().chunks(piece);
        // As a driver does: nothing while it is not welcome.
        let mut read = |w: &mut World| {
            let mut read = 0;
            while w.hub.wants_read(alice) {
                let piece = pieces.next().unwrap();
                w.send(alice, piece);
                read += piece.len();
            }
            read
        };
        let at_once = read(&mut w);
        assert!((3000..3001 + piece).contains(&at_once), "{at_once} in pieces of {piece}");
        let mut later = 0;
        for _ in 0..10 {
            let until = w.now + Duration::from_secs(1);
            while w.hub.next_deadline().is_some_and(|at| at <= until) {
                let next = w.hub.next_deadline().unwrap();
                w.pass(next - w.now);
                later += read(&mut w);
            }
            w.pass(until - w.now);
        }
        assert!(later.abs_diff(10_000) <= piece + 1, "{later} in pieces of {piece}");
        assert_eq!(w.heard(alice).len(), (at_once + later) / 5, "nothing is lost");
    }
}

#[test]
fn texts_are_not_limited_in_rate() {
    let mut w = World::new();
    let alice = w.online("alice@example.net");
    let board = w.switchboard(alice, "alice@example.net");
    w.send(board, "MSG 1 A 0\r\n".repeat(5000).as_bytes());
    assert_eq!(w.heard(board).len(), 5000);
}

#[test]
fn who_does_not_read_is_not_read_from_and_then_dropped() {
    let mut w = World::new();
    let alice = w.online("alice@example.net");
    let bob = w.online("bob@example.net");
    w.heard(alice);
    let of_alice = w.switchboard(alice, "alice@example.net");
    let of_bob = w.call_in(of_alice, bob, "bob@example.net");
    w.set_stuck(of_bob, true);
    let text = format!("MSG 1 A 1000\r\n{}", "x".repeat(1000));
    let relayed = "MSG alice@example.net Alice%20A 1000\r\n".len() + 1000;
    let soft = 64 * 1024 / relayed;
    for _ in 0..soft {
        w.send(of_alice, text.as_bytes());
    }
    assert!(w.hub.wants_read(of_bob));
    w.send(of_alice, text.as_bytes());
    assert!(!w.hub.wants_read(of_bob));
    for _ in soft + 1..256 * 1024 / relayed {
        w.send(of_alice, text.as_bytes());
    }
    assert!(w.heard(of_alice).iter().all(|line| line == "ACK 1"));
    assert!(!w.is_closed(of_bob));
    w.send(of_alice, text.as_bytes());
    assert_eq!(w.heard(of_alice), ["NAK 1", "BYE bob@example.net"]);
    assert_eq!(w.closed(of_bob), Some(Shutdown::Abort));
    assert!(matches!(w.events.last(), Some(Event::Dropped { why: Why::Backlog, .. })));
}

#[test]
fn a_person_who_does_not_read_goes_offline_to_others() {
    let mut w = with_limits(|limits| limits.changes = None);
    let alice = w.online("alice@example.net");
    let bob = w.online("bob@example.net");
    w.heard(alice);
    w.set_stuck(bob, true);
    let name = "x".repeat(380);
    let line = format!("NLN NLN alice@example.net {name}0\r\n").len();
    for round in 0..256 * 1024 / line {
        w.say(alice, &format!("REA 1 alice@example.net {name}{}", round % 2));
        assert_eq!(w.heard(alice).len(), 1);
    }
    assert!(!w.is_closed(bob));
    w.say(alice, &format!("REA 1 alice@example.net {name}x"));
    assert_eq!(w.heard(alice)[1..], ["FLN bob@example.net"]);
    assert_eq!(w.closed(bob), Some(Shutdown::Abort));
}

#[test]
fn a_long_answer_is_no_reason_to_be_dropped() {
    let mut accounts = three();
    let alice = handle("alice@example.net");
    for number in 0..600 {
        let name = format!("{}{number}@example.net", "long".repeat(25));
        accounts = accounts.account(handle(&name), "x").contact(&alice, &handle(&name));
    }
    let mut w = World::with(config(), accounts);
    let alice = w.sign_in("alice@example.net", "MSNP7");
    w.set_stuck(alice, true);
    w.say(alice, "SYN 1 0");
    let conn = alice;
    assert!(w.hub.pending(conn).len() > 256 * 1024);
    w.say(alice, "SYN 2 0");
    w.say(alice, "CHG 3 NLN");
    let bob = w.online("bob@example.net");
    w.say(bob, "CHG 3 BSY");
    w.set_stuck(alice, false);
    let heard = w.heard(alice);
    assert!(!w.is_closed(alice));
    assert_eq!(heard.iter().filter(|line| line.starts_with("SYN")).count(), 2);
    assert!(heard.contains(&"CHG 3 NLN".to_owned()), "what had to wait is answered");
}

#[test]
fn late_calls_are_ignored_and_counted() {
    let mut w = World::new();
    let conn = w.connect(Role::Notification);
    w.hang_up(conn);
    let again = w.connect(Role::Notification);
    assert_eq!(conn.slot(), again.slot());
    let now = w.now;
    w.hub.handle_input(now, conn, b"VER 1 MSNP7\r\n");
    w.hub.handle_eof(now, conn);
    w.hub.handle_closed(now, conn, Closed::Reset);
    w.hub.handle_connected(now, again);
    w.hub.consume(now, conn, 100);
    w.hub.handle_input(now, ConnId::new(77, 7), b"x");
    assert_eq!(w.hub.pending(conn), b"");
    assert!(!w.hub.wants_read(conn));
    assert_eq!(w.hub.stats().late_calls, 5);
    assert_eq!(w.hub.poll_output(), None);
    assert_eq!(w.ask(again, "VER 1 MSNP7"), ["VER 1 MSNP7"]);
}

#[test]
fn one_notice_is_enough_and_flushed_bytes_stay() {
    let mut w = World::new();
    let conn = w.connect(Role::Notification);
    let now = w.now;
    w.hub.handle_input(now, conn, b"VER 1 MSNP7\r\nINF 2\r\n");
    w.hub.handle_input(now, conn, b"INF 3\r\nSYN 4 0\r\nINF 5\r\n");
    assert_eq!(w.hub.poll_output(), Some(Output::Transmit { conn }));
    let told = w.hub.poll_output();
    assert!(matches!(told, Some(Output::Event(Event::Dropped { .. }))), "{told:?}");
    assert_eq!(w.hub.poll_output(), Some(Output::Close { conn, how: Shutdown::Flush }));
    assert_eq!(w.hub.poll_output(), None);
    let said = b"VER 1 MSNP7\r\nINF 2 MD5\r\nINF 3 MD5\r\n715 4\r\n";
    assert_eq!(w.hub.pending(conn), said);
    w.hub.consume(now, conn, 10);
    w.hub.handle_input(now, conn, b"INF 6\r\n");
    w.hub.handle_eof(now, conn);
    assert_eq!(w.hub.pending(conn), &said[10..]);
    w.hub.handle_closed(now, conn, Closed::Done);
    assert_eq!(w.hub.pending(conn), b"");
    assert_eq!(w.hub.connections(), 0);
}

#[test]
fn an_early_timeout_does_nothing() {
    let mut w = World::new();
    let conn = w.connect(Role::Notification);
    let due = w.hub.next_deadline().unwrap();
    assert_eq!(due, Instant::ZERO + Duration::from_secs(20));
    w.hub.handle_timeout(Instant::ZERO);
    assert_eq!(w.hub.next_deadline(), Some(due));
    w.pass(Duration::from_secs(20));
    assert!(w.is_closed(conn));
    assert_eq!(w.hub.next_deadline(), None);
}

#[test]
fn shutting_down_says_so_to_everybody() {
    let mut w = World::new();
    let alice = w.online("alice@example.net");
    let bob = w.online("bob@example.net");
    w.heard(alice);
    let of_alice = w.switchboard(alice, "alice@example.net");
    let of_bob = w.call_in(of_alice, bob, "bob@example.net");
    let new = w.connect(Role::Dispatch);
    w.events.clear();
    let now = w.now;
    w.hub.shut_down(now);
    w.hub.shut_down(now);
    w.turn();
    assert_eq!(w.heard(alice), ["OUT SSD"]);
    assert_eq!(w.heard(bob), ["OUT SSD"]);
    assert_eq!(w.heard(new), ["OUT SSD"]);
    assert_eq!(w.heard(of_alice), ["OUT"]);
    assert_eq!(w.heard(of_bob), ["OUT"]);
    assert!([alice, bob, new, of_alice, of_bob].iter().all(|conn| w.is_closed(*conn)));
    assert_eq!(w.unlistened.len(), 3);
    assert_eq!(w.events.last(), Some(&Event::Stopped));
    assert_eq!(w.events.iter().filter(|event| **event == Event::Stopped).count(), 1);
    assert_eq!(w.try_connect(Role::Dispatch, "198.51.100.9"), None);
    assert_eq!((w.hub.people(), w.hub.connections(), w.hub.switchboards()), (0, 0, 0));
    assert_eq!(w.hub.next_deadline(), None);
}

#[test]
fn an_empty_hub_stops_at_once() {
    let mut w = World::new();
    let now = w.now;
    w.hub.shut_down(now);
    w.turn();
    assert_eq!(w.events, [Event::Stopped]);
}

#[test]
fn a_socket_that_cannot_be_opened_is_told() {
    let mut hub = Hub::new(config(), three(), Box::new(Fixed(1)));
    let mut asked = Vec::new();
    while let Some(Output::Listen { listener, at }) = hub.poll_output() {
        asked.push((listener, at));
    }
    assert_eq!(asked.len(), 3);
    let now = Instant::ZERO;
    hub.handle_listening(now, asked[0].0, asked[0].1);
    hub.handle_unlistened(now, asked[1].0, Closed::AddressUnavailable);
    hub.handle_unlistened(now, asked[1].0, Closed::AddressUnavailable);
    hub.handle_unlistened(now, ListenerId(9), Closed::Failed);
    hub.handle_listening(now, asked[2].0, asked[2].1);
    let why = Closed::AddressUnavailable;
    let failed = Event::ListenFailed { role: Role::Notification, at: asked[1].1, why };
    assert_eq!(hub.poll_output(), Some(Output::Event(failed)));
    assert_eq!(hub.poll_output(), None);
    hub.shut_down(now);
    assert_eq!(hub.poll_output(), Some(Output::Unlisten { listener: asked[0].0 }));
    assert_eq!(hub.poll_output(), Some(Output::Unlisten { listener: asked[2].0 }));
    assert_eq!(hub.poll_output(), Some(Output::Event(Event::Stopped)));
}

#[test]
fn nothing_shows_a_secret() {
    let mut w = World::new();
    let alice = w.online("alice@example.net");
    w.switchboard(alice, "alice@example.net");
    w.break_off(alice);
    let shown = format!("{:?} {:?} {:?}", w.hub, w.events, w.hub.directory());
    assert!(!shown.contains("Pa55word"), "{shown}");
    assert_eq!(w.heard(alice), NOTHING);
}
