//! Statuses, challenges, and who is told.

mod hub_support;

use hub_support::{World, config, md5_hex, three};
use msnp_proto::hub::{Event, Why};
use msnp_proto::machine::ConnId;
use msnp_proto::time::Duration;

const NOTHING: [&str; 0] = [];

#[test]
fn watchers_are_told_what_has_changed_and_nothing_else() {
    let mut w = World::new();
    let alice = w.online("alice@example.net");
    let bob = w.sign_in("bob@example.net", "MSNP5");
    assert_eq!(w.heard(alice), NOTHING, "before the first status");
    for (status, told) in [
        ("NLN", Some("NLN NLN bob@example.net Bob%20B")),
        ("NLN", None),
        ("AWY", Some("NLN AWY bob@example.net Bob%20B")),
        ("HDN", Some("FLN bob@example.net")),
        ("HDN", None),
        ("BSY", Some("NLN BSY bob@example.net Bob%20B")),
    ] {
        let first = status == "NLN" && told.is_some();
        let mut answer = vec![format!("CHG 9 {status}")];
        if first {
            answer.push("ILN 9 NLN alice@example.net Alice%20A".to_owned());
        }
        assert_eq!(w.ask(bob, &format!("CHG 9 {status}")), answer);
        assert_eq!(w.heard(alice), told.into_iter().collect::<Vec<_>>(), "{status}");
    }
    w.say(bob, "OUT");
    assert_eq!(w.heard(alice), ["FLN bob@example.net"]);
}

#[test]
fn who_has_not_chosen_a_status_is_told_nothing_and_who_is_hidden_is() {
    let mut w = World::new();
    let alice = w.sign_in("alice@example.net", "MSNP5");
    let bob = w.online("bob@example.net");
    assert_eq!(w.heard(alice), NOTHING);
    assert_eq!(w.ask(alice, "CHG 2 HDN"), ["CHG 2 HDN", "ILN 2 NLN bob@example.net Bob%20B"]);
    assert_eq!(w.heard(bob), NOTHING);
    w.hang_up(bob);
    assert_eq!(w.heard(alice), ["FLN bob@example.net"]);
    w.hang_up(alice);
}

#[test]
fn who_leaves_hidden_or_unseen_is_not_announced() {
    let mut w = World::new();
    let alice = w.online("alice@example.net");
    let bob = w.sign_in("bob@example.net", "MSNP5");
    w.say(bob, "CHG 1 HDN");
    w.break_off(bob);
    assert_eq!(w.heard(alice), NOTHING);
    let why = Why::Connection(msnp_proto::machine::Closed::Reset);
    assert!(matches!(w.events.last(), Some(Event::SignedOut { why: found, .. }) if *found == why));
}

#[test]
fn strangers_see_nothing() {
    let mut w = World::new();
    let carol = w.online("carol@example.net");
    let alice = w.online("alice@example.net");
    assert_eq!(w.heard(carol), NOTHING);
    assert_eq!(w.ask(carol, "CHG 3 BSY"), ["CHG 3 BSY"]);
    assert_eq!(w.heard(alice), NOTHING);
}

#[test]
fn offline_is_no_status_to_choose_and_other_words_end() {
    let mut w = World::new();
    let alice = w.sign_in("alice@example.net", "MSNP7");
    assert_eq!(w.ask(alice, "CHG 1 FLN"), ["201 1"]);
    assert_eq!(w.ask(alice, "XFR 2 SB"), ["913 2"], "still no status");
    assert_eq!(w.ask(alice, "CHG 3 nln"), NOTHING);
    assert!(w.is_closed(alice));
}

/// Signs Alice in with challenges and returns the first one.
fn challenged(w: &mut World, dialect: &str) -> (ConnId, String) {
    let alice = w.sign_in("alice@example.net", dialect);
    let answer = w.ask(alice, "CHG 1 NLN");
    assert_eq!(answer[0], "CHG 1 NLN");
    let challenge = answer[1].strip_prefix("CHL 0 ").expect("a challenge").to_owned();
    assert_eq!(challenge.len(), 20);
    (alice, challenge)
}

fn answer(w: &mut World, conn: ConnId, challenge: &str, client: &str, code: &str) -> Vec<String> {
    let digest = md5_hex(&[challenge, code]);
    w.send(conn, format!("QRY 18 {client} 32\r\n{digest}").as_bytes());
    w.heard(conn)
}

const CLIENT: (&str, &str) = ("msmsgs@msnmsgr.com", "Q1P7W2E4J9R8U3S5");

#[test]
fn a_challenge_is_answered_by_the_code_of_a_known_program() {
    for (client, code) in [
        CLIENT,
        ("PROD0038W!61ZTF9", "VT6PX?UQTM4WM%YR"),
        ("PROD0058#7IL2{QD", "QHDCY@7R1TB6W?5B"),
        ("PROD0061VRRZH@4F", "JXQ6J@TUOGYV@N0M"),
        ("PROD00504RLUG%WL", "I2EBK%PYNLZL5_J4"),
        ("PROD0076ENE8*@AW", "CEQJ8}OE0!WTSWII"),
    ] {
        for dialect in ["MSNP6", "MSNP7"] {
            let mut w = World::new();
            let (alice, challenge) = challenged(&mut w, dialect);
            assert_eq!(answer(&mut w, alice, &challenge, client, code), ["QRY 18"]);
            assert!(!w.is_closed(alice));
        }
    }
    let mut w = World::new();
    let (alice, challenge) = challenged(&mut w, "MSNP7");
    let digest = md5_hex(&[&challenge, CLIENT.1]).to_uppercase();
    w.send(alice, format!("QRY 18 {} 32\r\n{digest}PNG\r\n", CLIENT.0).as_bytes());
    assert_eq!(w.heard(alice), ["QRY 18", "QNG"]);
}

#[test]
fn wrong_answers_are_540_and_the_end() {
    let digest = "0".repeat(32);
    let large = "0".repeat(9000);
    for line in [
        format!("QRY 18 msmsgs@msnmsgr.com 32\r\n{digest}"),
        format!("QRY 18 nobody 32\r\n{digest}"),
        "QRY 18 msmsgs@msnmsgr.com 31\r\n0000000000000000000000000000000".to_owned(),
        "QRY 18 msmsgs@msnmsgr.com 0\r\n".to_owned(),
        format!("QRY 18 msmsgs@msnmsgr.com 9000\r\n{large}"),
    ] {
        let mut w = World::new();
        let (alice, _) = challenged(&mut w, "MSNP7");
        w.send(alice, line.as_bytes());
        assert_eq!(w.heard(alice), ["540 18"], "{line:.40}");
        assert!(w.is_closed(alice));
        assert!(matches!(w.events.last(), Some(Event::SignedOut { why: Why::Challenge, .. })));
    }
    let mut w = World::new();
    let (alice, challenge) = challenged(&mut w, "MSNP7");
    assert_eq!(answer(&mut w, alice, &challenge, CLIENT.0, CLIENT.1), ["QRY 18"]);
    let again = answer(&mut w, alice, &challenge, CLIENT.0, CLIENT.1);
    assert_eq!(again, ["540 18"], "nothing was asked");
}

#[test]
fn silence_ends_the_session_after_fifty_seconds() {
    let mut w = World::new();
    let (alice, _) = challenged(&mut w, "MSNP6");
    w.pass(Duration::from_micros(49_999_999));
    w.say(alice, "PNG");
    assert_eq!(w.heard(alice), ["QNG"]);
    w.pass(Duration::from_micros(1));
    assert_eq!(w.heard(alice), ["OUT"]);
    assert!(w.is_closed(alice));
}

#[test]
fn who_is_held_up_has_the_time_for_a_challenge_from_then_on() {
    for answers in [true, false] {
        let mut w = World::new();
        let (alice, challenge) = challenged(&mut w, "MSNP7");
        // As a client does that restores its lists: 10 a second are done after the first 100.
        let mut said: String =
            (20..720).map(|trid| format!("ADD {trid} AL u{trid}@example.net x\r\n")).collect();
        if answers {
            let digest = md5_hex(&[&challenge, CLIENT.1]);
            said.push_str(&format!("QRY 900 {} 32\r\n{digest}", CLIENT.0));
        }
        w.send(alice, said.as_bytes());
        w.pass(Duration::from_secs(59));
        assert!(!w.is_closed(alice), "it is the hub that has not read the answer");
        w.pass(Duration::from_secs(49));
        let heard = w.heard(alice);
        assert_eq!(heard.iter().filter(|line| line.starts_with("205 ")).count(), 700);
        assert_eq!(heard.contains(&"QRY 900".to_owned()), answers);
        assert!(!w.is_closed(alice));
        w.pass(Duration::from_secs(5));
        assert_eq!(w.is_closed(alice), !answers);
    }
}

#[test]
fn later_challenges_come_at_irregular_times() {
    let mut w = World::new();
    let (alice, mut challenge) = challenged(&mut w, "MSNP7");
    let mut pauses = std::collections::BTreeSet::new();
    for _ in 0..20 {
        assert_eq!(answer(&mut w, alice, &challenge, CLIENT.0, CLIENT.1), ["QRY 18"]);
        let pause = w.hub.next_deadline_in(w.now);
        assert!((300_000_000..900_000_000).contains(&pause), "{pause}");
        pauses.insert(pause);
        w.pass(Duration::from_micros(pause - 1));
        assert_eq!(w.heard(alice), NOTHING);
        w.pass(Duration::from_micros(1));
        let line = w.heard(alice);
        challenge = line[0].strip_prefix("CHL 0 ").unwrap().to_owned();
    }
    assert_eq!(pauses.len(), 20);
}

trait NextIn {
    fn next_deadline_in(&self, now: msnp_proto::time::Instant) -> u64;
}

impl NextIn for msnp_proto::hub::Hub {
    fn next_deadline_in(&self, now: msnp_proto::time::Instant) -> u64 {
        use msnp_proto::machine::Host;
        let next = self.next_deadline().expect("the next challenge");
        next.as_micros() - now.as_micros()
    }
}

#[test]
fn challenges_can_be_off_and_a_client_may_ask_for_one() {
    let mut off = config();
    off.challenges = false;
    let mut w = World::with(off, three());
    let alice = w.sign_in("alice@example.net", "MSNP7");
    assert_eq!(w.ask(alice, "CHG 1 NLN"), ["CHG 1 NLN"]);
    let line = w.ask(alice, "CHL 5");
    let challenge = line[0].strip_prefix("CHL 5 ").unwrap();
    assert_eq!(answer(&mut w, alice, challenge, CLIENT.0, CLIENT.1), ["QRY 18"]);

    let mut once = config();
    once.challenge_pause = None;
    let mut w = World::with(once, three());
    let (alice, challenge) = challenged(&mut w, "MSNP7");
    answer(&mut w, alice, &challenge, CLIENT.0, CLIENT.1);
    w.pass(Duration::from_secs(100_000));
    assert_eq!(w.heard(alice), NOTHING);
}

#[test]
fn older_dialects_are_not_challenged() {
    for dialect in ["MSNP2", "MSNP3", "MSNP4", "MSNP5"] {
        let mut w = World::new();
        let alice = w.sign_in("alice@example.net", dialect);
        assert_eq!(w.ask(alice, "CHG 1 NLN"), ["CHG 1 NLN"]);
        w.pass(Duration::from_secs(10_000));
        assert_eq!(w.heard(alice), NOTHING);
    }
}
