//! Switchboards: the way in, what is said, and how they end.

mod hub_support;

use hub_support::{World, config, three};
use msnp_proto::hub::{Event, Role, Why};
use msnp_proto::machine::ConnId;
use msnp_proto::time::Duration;

const NOTHING: [&str; 0] = [];

/// Alice and Bob online, and Alice alone in a switchboard: their connections in this order.
fn alone() -> (World, ConnId, ConnId, ConnId) {
    with_limits(|_| {})
}

fn with_limits(
    change: impl FnOnce(&mut msnp_proto::hub::HubLimits),
) -> (World, ConnId, ConnId, ConnId) {
    let mut config = config();
    change(&mut config.limits);
    let mut w = World::with(config, three());
    let alice = w.online("alice@example.net");
    let bob = w.online("bob@example.net");
    w.heard(alice);
    let board = w.switchboard(alice, "alice@example.net");
    (w, alice, bob, board)
}

fn rung(w: &mut World, notification: ConnId) -> (String, String) {
    let ring = w.heard(notification);
    let words: Vec<&str> = ring[0].split(' ').collect();
    (words[4].to_owned(), words[1].to_owned())
}

#[test]
fn a_call_rings_and_its_answer_is_told_to_all() {
    let (mut w, _, bob, board) = alone();
    let ringing = w.ask(board, "CAL 2 BOB@example.net");
    let number = ringing[0].strip_prefix("CAL 2 RINGING ").unwrap().to_owned();
    assert!(number.parse::<i32>().is_ok_and(|number| number > 0), "{number}");
    let ring = w.heard(bob);
    let words: Vec<&str> = ring[0].split(' ').collect();
    assert_eq!(words[..4], ["RNG", number.as_str(), "192.0.2.1:1865", "CKI"]);
    assert_eq!((words[4].len(), words[5], words[6]), (32, "alice@example.net", "Alice%20A"));
    let (cookie, number) = (words[4].to_owned(), number);

    let of_bob = w.connect(Role::Switchboard);
    assert_eq!(
        w.ask(of_bob, &format!("ANS 1 Bob@Example.net {cookie} {number}")),
        ["IRO 1 1 1 alice@example.net Alice%20A", "ANS 1 OK"]
    );
    assert_eq!(w.heard(board), ["JOI bob@example.net Bob%20B"]);

    let carol = w.online("carol@example.net");
    assert_eq!(w.ask(of_bob, "CAL 9 carol@example.net"), [format!("CAL 9 RINGING {number}")]);
    let (cookie, session) = rung(&mut w, carol);
    assert_eq!(session, number);
    let of_carol = w.connect(Role::Switchboard);
    assert_eq!(
        w.ask(of_carol, &format!("ANS 1 carol@example.net {cookie} {number}")),
        ["IRO 1 1 2 alice@example.net Alice%20A", "IRO 1 2 2 bob@example.net Bob%20B", "ANS 1 OK"]
    );
    assert_eq!(w.heard(board), ["JOI carol@example.net Carol"]);
    assert_eq!(w.heard(of_bob), ["JOI carol@example.net Carol"]);

    w.send(of_carol, b"MSG 3 N 2\r\nhi");
    assert_eq!(w.heard(board), ["MSG carol@example.net Carol 2", "hi"]);
    assert_eq!(w.heard(of_bob), ["MSG carol@example.net Carol 2", "hi"]);
    assert_eq!(w.heard(of_carol), NOTHING);

    // The first one leaves: the others have moved up and still speak under their own names.
    w.say(board, "OUT");
    for conn in [of_bob, of_carol] {
        assert_eq!(w.heard(conn), ["BYE alice@example.net"]);
    }
    w.send(of_carol, b"MSG 4 A 2\r\nho");
    assert_eq!(w.heard(of_bob), ["MSG carol@example.net Carol 2", "ho"]);
    assert_eq!(w.heard(of_carol), ["ACK 4"]);
    w.hang_up(of_bob);
    assert_eq!(w.heard(of_carol), ["BYE bob@example.net"]);
    w.break_off(of_carol);
    assert_eq!(w.hub.switchboards(), 0);
}

#[test]
fn delivery_is_reported_as_it_was_asked() {
    let (mut w, _, bob, board) = alone();
    for (letter, answer) in
        [("U", None), ("N", Some("NAK 3")), ("S", Some("NAK 3")), ("A", Some("NAK 3"))]
    {
        w.send(board, format!("MSG 3 {letter} 2\r\nhi").as_bytes());
        assert_eq!(w.heard(board), answer.into_iter().collect::<Vec<_>>(), "{letter} alone");
    }
    let of_bob = w.call_in(board, bob, "bob@example.net");
    for (letter, answer) in [("U", None), ("N", None), ("S", None), ("A", Some("ACK 3"))] {
        w.send(board, format!("MSG 3 {letter} 0\r\n").as_bytes());
        assert_eq!(w.heard(board), answer.into_iter().collect::<Vec<_>>(), "{letter}");
        assert_eq!(w.heard(of_bob), ["MSG alice@example.net Alice%20A 0"]);
    }
    for letter in ["D", "a", "AA"] {
        let (mut w, _, _, board) = alone();
        w.send(board, format!("MSG 3 {letter} 2\r\nhi").as_bytes());
        assert_eq!(w.heard(board), NOTHING);
        assert!(w.is_closed(board), "{letter}");
    }
}

#[test]
fn texts_pass_byte_for_byte_up_to_their_limit() {
    let (mut w, _, bob, board) = alone();
    let of_bob = w.call_in(board, bob, "bob@example.net");
    for size in [1, 9, 10, 1663, 1664] {
        let text: String = (0..size).map(|at| if at % 7 == 0 { '\n' } else { 'x' }).collect();
        w.send(board, format!("MSG 3 U {size}\r\n{text}").as_bytes());
        let heard = w.heard(of_bob).join("\r\n");
        assert_eq!(heard, format!("MSG alice@example.net Alice%20A {size}\r\n{text}"));
    }
    w.send(board, format!("MSG 3 A 1665\r\n{}", "x".repeat(1665)).as_bytes());
    assert!(w.is_closed(board));
    assert_eq!(w.heard(of_bob), ["BYE alice@example.net"]);
    assert!(matches!(w.events.last(), Some(Event::Dropped { why: Why::MessageTooLong, .. })));
    for length in ["-1", "+5", "0x10", "1e3", "99999999999999999999"] {
        let (mut w, _, _, board) = alone();
        w.say(board, &format!("MSG 3 A {length}"));
        assert!(w.is_closed(board), "{length}");
    }
}

#[test]
fn texts_in_pieces_arrive_whole() {
    let (mut w, _, bob, board) = alone();
    let of_bob = w.call_in(board, bob, "bob@example.net");
    for byte in b"MSG 3 A 5\r\nhelloMSG 4 A 2\r\nho" {
        w.send(board, &[*byte]);
    }
    let line = "MSG alice@example.net Alice%20A";
    assert_eq!(w.heard(of_bob).join("|"), format!("{line} 5|hello{line} 2|ho"));
    assert_eq!(w.heard(board), ["ACK 3", "ACK 4"]);
}

#[test]
fn who_cannot_be_called_is_217_for_every_reason() {
    let mut blocked = World::new();
    let alice = blocked.online("alice@example.net");
    blocked.say(alice, "BLP 1 BL");
    blocked.heard(alice);
    let carol = blocked.online("carol@example.net");
    let board = blocked.switchboard(carol, "carol@example.net");
    assert_eq!(blocked.ask(board, "CAL 2 alice@example.net"), ["217 2"]);
    blocked.say(alice, "ADD 2 AL carol@example.net c");
    assert!(blocked.ask(board, "CAL 3 alice@example.net")[0].starts_with("CAL 3 RINGING"));

    let (mut w, _, bob, board) = with_limits(|limits| limits.failed_calls = None);
    assert_eq!(w.ask(board, "CAL 2 carol@example.net"), ["217 2"], "offline");
    assert_eq!(w.ask(board, "CAL 3 nobody@example.net"), ["217 3"], "unknown");
    w.sign_in("carol@example.net", "MSNP5");
    assert_eq!(w.ask(board, "CAL 4 carol@example.net"), ["217 4"], "no status yet");
    w.say(bob, "CHG 1 HDN");
    assert_eq!(w.ask(board, "CAL 5 bob@example.net"), ["217 5"], "hidden");
    w.say(bob, "CHG 1 BSY");
    w.say(bob, "IMS 2 OFF");
    assert_eq!(w.ask(board, "CAL 6 bob@example.net"), ["217 6"], "takes no calls");
    w.say(bob, "IMS 2 ON");
    assert_eq!(w.ask(board, "CAL 7 @@a"), ["208 7"]);
    assert_eq!(w.ask(board, "CAL 8 Alice@example.net"), ["215 8"], "oneself");
    assert_eq!(w.ask(board, "CAL 9"), ["201 9"]);
    assert_eq!(w.ask(board, "CAL 10 bob@example.net").len(), 1);
    assert_eq!(w.ask(board, "CAL 11 bob@example.net"), ["215 11"], "is being called");
}

#[test]
fn a_call_that_is_not_answered_can_be_repeated() {
    let (mut w, _, bob, board) = alone();
    w.ask(board, "CAL 2 bob@example.net");
    w.heard(bob);
    w.pass(Duration::from_micros(59_999_999));
    assert_eq!(w.ask(board, "CAL 3 bob@example.net"), ["215 3"]);
    w.pass(Duration::from_micros(1));
    let of_bob = w.call_in(board, bob, "bob@example.net");
    assert_eq!(w.ask(board, "CAL 4 bob@example.net"), ["215 4"], "is inside");
    w.say(of_bob, "OUT");
    w.heard(board);
    w.call_in(board, bob, "bob@example.net");
}

#[test]
fn referrals_need_a_status_that_others_see() {
    let mut w = World::new();
    let alice = w.sign_in("alice@example.net", "MSNP5");
    assert_eq!(w.ask(alice, "XFR 1 SB"), ["913 1"]);
    w.ask(alice, "CHG 2 HDN");
    assert_eq!(w.ask(alice, "XFR 3 SB"), ["913 3"]);
    w.ask(alice, "CHG 4 AWY");
    assert_eq!(w.ask(alice, "XFR 5 NS"), ["201 5"]);
    assert_eq!(w.ask(alice, "XFR 6 SB").len(), 1);
}

/// A cookie of Alice's for a new switchboard.
fn cookie(w: &mut World, alice: ConnId) -> String {
    let answer = w.ask(alice, "XFR 20 SB");
    answer[0].rsplit(' ').next().unwrap_or_default().to_owned()
}

#[test]
fn a_cookie_is_good_once_for_its_person_and_purpose() {
    let (mut w, alice, bob, board) = alone();
    let refused = |w: &mut World, line: &str| {
        let conn = w.connect(Role::Switchboard);
        assert_eq!(w.ask(conn, line), ["911 1"], "{line}");
        assert!(w.is_closed(conn), "{line}");
        assert!(matches!(w.events.last(), Some(Event::Dropped { why: Why::Authentication, .. })));
    };
    let used = cookie(&mut w, alice);
    let conn = w.connect(Role::Switchboard);
    assert_eq!(
        w.ask(conn, &format!("USR 1 ALICE@example.net {used}")),
        ["USR 1 OK alice@example.net Alice%20A"]
    );
    refused(&mut w, &format!("USR 1 alice@example.net {used}"));
    let other = cookie(&mut w, alice);
    refused(&mut w, &format!("USR 1 bob@example.net {other}"));
    refused(&mut w, &format!("USR 1 alice@example.net {other}"));
    let wrong_way = cookie(&mut w, alice);
    refused(&mut w, &format!("ANS 1 alice@example.net {wrong_way} 1"));
    for bad in ["x".to_owned(), "0".repeat(31), "0".repeat(32), "0".repeat(33)] {
        refused(&mut w, &format!("USR 1 alice@example.net {bad}"));
    }

    w.ask(board, "CAL 2 bob@example.net");
    let (rung_cookie, number) = rung(&mut w, bob);
    refused(&mut w, &format!("ANS 1 bob@example.net {rung_cookie} {number}0"));
    refused(&mut w, &format!("ANS 1 bob@example.net {rung_cookie} {number}"));
    w.ask(board, "CAL 3 bob@example.net");
    let (rung_cookie, number) = rung(&mut w, bob);
    w.say(board, "OUT");
    refused(&mut w, &format!("ANS 1 bob@example.net {rung_cookie} {number}"));

    let of_old_session = cookie(&mut w, alice);
    w.online("alice@example.net");
    refused(&mut w, &format!("USR 1 alice@example.net {of_old_session}"));
}

#[test]
fn a_cookie_lives_sixty_seconds() {
    let (mut w, alice, ..) = alone();
    let (early, late) = (cookie(&mut w, alice), cookie(&mut w, alice));
    assert_ne!(early, late);
    w.pass(Duration::from_micros(59_999_999));
    let conn = w.connect(Role::Switchboard);
    let answer = w.ask(conn, &format!("USR 1 alice@example.net {early}"));
    assert_eq!(answer, ["USR 1 OK alice@example.net Alice%20A"]);
    w.pass(Duration::from_micros(1));
    let conn = w.connect(Role::Switchboard);
    assert_eq!(w.ask(conn, &format!("USR 1 alice@example.net {late}")), ["911 1"]);
}

#[test]
fn commands_at_the_wrong_moment() {
    let mut w = World::new();
    for line in ["CAL 1 bob@example.net", "MSG 1 N 0"] {
        let conn = w.connect(Role::Switchboard);
        assert_eq!(w.ask(conn, line), ["715 1"]);
        assert!(w.is_closed(conn));
    }
    let (mut w, _, _, board) = alone();
    assert_eq!(w.ask(board, "PNG"), NOTHING);
    assert_eq!(w.ask(board, "BYE alice@example.net"), NOTHING);
    assert_eq!(w.ask(board, "FOO 4"), ["200 4"]);
    assert_eq!(w.ask(board, "USR 5 alice@example.net x"), ["715 5"]);
    assert!(w.is_closed(board));
}

#[test]
fn signing_out_takes_ones_switchboards_along() {
    let (mut w, alice, bob, board) = alone();
    let of_bob = w.call_in(board, bob, "bob@example.net");
    w.say(alice, "OUT");
    assert_eq!(w.heard(board), ["OUT"]);
    assert!(w.is_closed(board));
    assert_eq!(w.heard(of_bob), ["BYE alice@example.net"]);
    assert!(!w.is_closed(of_bob));
    assert_eq!(w.heard(bob), ["FLN alice@example.net"]);
}

#[test]
fn signing_out_ends_the_switchboards_that_one_has_not_left_yet() {
    let (mut w, alice, bob, first) = alone();
    let second = w.switchboard(alice, "alice@example.net");
    let of_bob = w.call_in(second, bob, "bob@example.net");
    w.say(first, "OUT");
    assert!(w.is_closed(first) && !w.is_closed(second));
    w.say(alice, "OUT");
    assert_eq!(w.heard(second), ["OUT"]);
    assert!(w.is_closed(second));
    assert_eq!(w.heard(of_bob), ["BYE alice@example.net"]);
}

#[test]
fn five_minutes_alone_end_a_switchboard() {
    let (mut w, _, bob, board) = alone();
    w.pass(Duration::from_micros(299_999_999));
    assert!(!w.is_closed(board));
    let of_bob = w.call_in(board, bob, "bob@example.net");
    w.pass(Duration::from_secs(100_000));
    assert!(!w.is_closed(board), "two may be silent");
    w.say(of_bob, "OUT");
    w.heard(board);
    w.pass(Duration::from_micros(299_999_999));
    w.say(board, "CAL 3 carol@example.net");
    assert!(!w.is_closed(board));
    w.pass(Duration::from_micros(1));
    assert!(w.is_closed(board));
    assert_eq!(w.hub.switchboards(), 0);
}

#[test]
fn silence_can_be_limited_and_is_told() {
    let (mut w, _, bob, board) =
        with_limits(|limits| limits.silence = Some(Duration::from_secs(900)));
    let of_bob = w.call_in(board, bob, "bob@example.net");
    w.pass(Duration::from_secs(600));
    w.send(board, b"MSG 3 U 0\r\n");
    w.heard(of_bob);
    w.pass(Duration::from_micros(899_999_999));
    assert!(!w.is_closed(board));
    w.pass(Duration::from_micros(1));
    assert!(w.is_closed(board) && w.is_closed(of_bob));
    assert_eq!(w.heard(of_bob), ["BYE alice@example.net 1"]);
}

#[test]
fn people_in_one_switchboard_are_limited() {
    let (mut w, _, bob, board) = with_limits(|limits| limits.people = 2);
    w.online("carol@example.net");
    w.call_in(board, bob, "bob@example.net");
    assert_eq!(w.ask(board, "CAL 3 carol@example.net"), ["712 3"]);
    let (mut w, alice, ..) = with_limits(|limits| limits.cookies = 1);
    cookie(&mut w, alice);
    assert_eq!(w.ask(alice, "XFR 9 SB"), ["714 9"]);
    w.pass(Duration::from_secs(60));
    cookie(&mut w, alice);
}

#[test]
fn calls_that_wait_for_one_person_are_limited_by_caller_and_in_all() {
    let (mut w, alice, bob, first) = with_limits(|limits| {
        limits.rings_of_one = 2;
        limits.rings = 3;
    });
    let carol = w.online("carol@example.net");
    let second = w.switchboard(alice, "alice@example.net");
    let third = w.switchboard(alice, "alice@example.net");
    let of_carol = w.switchboard(carol, "carol@example.net");
    let other = w.switchboard(carol, "carol@example.net");
    w.ask(first, "CAL 1 bob@example.net");
    w.ask(second, "CAL 1 bob@example.net");
    assert_eq!(w.heard(bob).len(), 2, "at the limit for one caller");
    assert_eq!(w.ask(third, "CAL 1 bob@example.net"), ["713 1"]);
    w.ask(of_carol, "CAL 1 bob@example.net");
    assert_eq!(w.heard(bob).len(), 1, "at the limit for all");
    assert_eq!(w.ask(other, "CAL 1 bob@example.net"), ["217 1"]);
    assert_eq!(w.heard(bob), NOTHING);
    w.pass(Duration::from_secs(60));
    w.call_in(third, bob, "bob@example.net");
    w.call_in(other, bob, "bob@example.net");
}

#[test]
fn five_calls_in_a_row_that_reach_nobody_are_enough() {
    let mut w = World::new();
    let alice = w.online("alice@example.net");
    let bob = w.online("bob@example.net");
    w.heard(alice);
    let board = w.switchboard(alice, "alice@example.net");
    for trid in 1..=4 {
        assert_eq!(w.ask(board, &format!("CAL {trid} carol@example.net")), [format!("217 {trid}")]);
    }
    w.call_in(board, bob, "bob@example.net");
    for trid in 1..=5 {
        assert_eq!(w.ask(board, &format!("CAL {trid} x@example.net")), [format!("217 {trid}")]);
    }
    let carol = w.online("carol@example.net");
    assert_eq!(w.ask(board, "CAL 6 x@example.net"), ["713 6"]);
    assert_eq!(w.ask(board, "CAL 7 carol@example.net"), ["713 7"]);
    assert_eq!(w.heard(carol), [""; 0]);
    let other = w.switchboard(alice, "alice@example.net");
    w.call_in(other, carol, "carol@example.net");

    let (mut w, _, _, board) = with_limits(|limits| limits.failed_calls = None);
    for trid in 1..=50 {
        assert_eq!(w.ask(board, &format!("CAL {trid} x@example.net")), [format!("217 {trid}")]);
    }
}

#[test]
fn chat_turned_off_means_no_rings_and_no_switchboards() {
    let mut w = World::new();
    let alice = w.online("alice@example.net");
    let bob = w.online("bob@example.net");
    w.heard(alice);
    let board = w.switchboard(alice, "alice@example.net");
    assert_eq!(w.ask(bob, "IMS 28 OFF"), ["IMS 28 0 OFF"]);
    assert_eq!(w.ask(board, "CAL 1 bob@example.net"), ["217 1"]);
    assert_eq!(w.ask(bob, "XFR 2 SB"), ["913 2"]);
    assert_eq!(w.heard(alice), [""; 0], "the status is as it was");
    assert_eq!(w.ask(bob, "IMS 29 ON"), ["IMS 29 0 ON"]);
    w.call_in(board, bob, "bob@example.net");
    w.switchboard(bob, "bob@example.net");
}
