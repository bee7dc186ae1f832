//! From the first line to an account, and what goes wrong on the way.

mod hub_support;

use hub_support::{World, config, handle, md5_hex, three};
use msnp_proto::hub::{Event, HubConfig, MemoryDirectory, Role, Why};
use msnp_proto::time::Duration;
use msnp_proto::types::Dialect;

const NOTHING: [&str; 0] = [];

/// Says one line on a fresh connection.
fn first(role: Role, line: &str) -> (Vec<String>, bool) {
    let mut w = World::new();
    let conn = w.connect(role);
    let answer = w.ask(conn, line);
    (answer, w.is_closed(conn))
}

#[test]
fn versions_in_common_in_the_order_offered() {
    for (offer, answer, closed) in [
        ("VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0", "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0", false),
        ("VER 15 MSNP7 FOO BAR", "VER 15 MSNP7", false),
        ("VER 1 MSNP2 MSNP7", "VER 1 MSNP2 MSNP7", false),
        ("VER 1 msnp5 cvr0 MSNP5", "VER 1 MSNP5 CVR0", false),
        ("VER 1 MSNP8 MSNP7", "VER 1 MSNP7", false),
        ("VER 1 MSNP99", "VER 1 0", true),
        ("VER 1 MSNP99 CVR0", "VER 1 CVR0", false),
        ("VER 0 MSNP7", "VER 0 MSNP7", false),
        ("VER 4294967295 MSNP7", "VER 4294967295 MSNP7", false),
    ] {
        for role in [Role::Dispatch, Role::Notification] {
            assert_eq!(first(role, offer), (vec![answer.to_owned()], closed), "{offer}");
        }
    }
}

#[test]
fn a_client_without_common_version_may_ask_for_news_of_itself() {
    let mut w = World::new();
    let conn = w.connect(Role::Dispatch);
    assert_eq!(w.ask(conn, "VER 1 MSNP99 CVR0"), ["VER 1 CVR0"]);
    assert_eq!(
        w.ask(conn, "CVQ 2 0x0409 win 4.10 i386 MSMSGS 1.0.0863"),
        ["CVQ 2 1.0.0863 1.0.0863 1.0.0863 http://example.net/ http://example.net/"]
    );
    assert!(w.is_closed(conn));
    let conn = w.connect(Role::Dispatch);
    w.say(conn, "VER 1 CVR0");
    w.heard(conn);
    assert_eq!(w.ask(conn, "INF 2"), ["715 2"]);
    assert!(w.is_closed(conn));
}

#[test]
fn who_names_no_version_speaks_the_oldest_if_the_hub_does() {
    for (dialects, answer) in [
        (vec![Dialect::Msnp2, Dialect::Msnp7], "XFR 2 NS 192.0.2.1:1864"),
        (vec![Dialect::Msnp7], "715 2"),
    ] {
        let mut config = config();
        config.dialects = dialects;
        let mut w = World::with(config, three());
        let conn = w.connect(Role::Dispatch);
        assert_eq!(w.ask(conn, "USR 2 MD5 I alice@example.net"), [answer]);
        assert!(w.is_closed(conn), "{answer}");
    }
}

#[test]
fn referrals_have_the_shape_of_their_dialect() {
    for (dialect, answer) in [
        ("MSNP2", "XFR 3 NS 192.0.2.1:1864"),
        ("MSNP3", "XFR 3 NS 192.0.2.1:1864 0"),
        ("MSNP4", "XFR 3 NS 192.0.2.1:1864 0"),
        ("MSNP5", "XFR 3 NS 192.0.2.1:1864 0"),
        ("MSNP6", "XFR 3 NS 192.0.2.1:1864 0"),
        ("MSNP7", "XFR 3 NS 192.0.2.1:1864 0 192.0.2.1:1863"),
    ] {
        let mut w = World::new();
        let conn = w.connect(Role::Dispatch);
        w.ask(conn, &format!("VER 1 {dialect} CVR0"));
        assert_eq!(w.ask(conn, "USR 3 MD5 I nobody@example.net"), [answer]);
        assert!(w.is_closed(conn));
        assert_eq!(w.events, []);
    }
}

#[test]
fn the_advertised_host_is_named_in_referrals() {
    let mut with_name = config();
    with_name.advertise = Some("msn.example.net".into());
    let mut everywhere = config();
    everywhere.dispatch = "0.0.0.0:1863".parse().unwrap();
    everywhere.notification = "[::]:1864".parse().unwrap();
    for (config, answer) in [
        (with_name, "XFR 3 NS msn.example.net:1864 0 msn.example.net:1863"),
        (everywhere, "XFR 3 NS [::1]:1864 0 127.0.0.1:1863"),
    ] {
        let mut w = World::with(config, three());
        let conn = w.connect(Role::Dispatch);
        w.ask(conn, "VER 1 MSNP7");
        assert_eq!(w.ask(conn, "USR 3 MD5 I alice@example.net"), [answer]);
    }
}

#[test]
fn challenges_are_fresh_and_say_nothing_of_the_account() {
    let mut w = World::new();
    let mut seen = std::collections::BTreeSet::new();
    for account in ["alice@example.net", "nobody@example.net", "@@a", "alice@example.net"] {
        let conn = w.connect(Role::Notification);
        w.ask(conn, "VER 1 MSNP7");
        let challenge = w.challenge(conn, account);
        assert_eq!(challenge.len(), 20);
        assert_eq!(challenge.find('.'), Some(10));
        assert!(seen.insert(challenge));
        assert!(seen.insert(w.challenge(conn, account)), "repeated on one connection");
    }
}

#[test]
fn every_wrong_answer_is_911_and_the_end() {
    for (account, password, event) in [
        ("alice@example.net", "wrong", Some("alice@example.net")),
        ("nobody@example.net", "Pa55word", Some("nobody@example.net")),
        ("nobody@example.net", "nobody", Some("nobody@example.net")),
        ("@@a", "Pa55word", None),
    ] {
        let mut w = World::new();
        let conn = w.connect(Role::Notification);
        w.ask(conn, "VER 1 MSNP7");
        let challenge = w.challenge(conn, account);
        let digest = md5_hex(&[&challenge, password]);
        assert_eq!(w.ask(conn, &format!("USR 3 MD5 S {digest}")), ["911 3"], "{account}");
        assert!(w.is_closed(conn));
        let from = "198.51.100.7".parse().unwrap();
        assert_eq!(w.events, [Event::Refused { conn, account: event.map(handle), from }]);
    }
    let mut w = World::new();
    let conn = w.connect(Role::Notification);
    w.ask(conn, "VER 1 MSNP7");
    assert_eq!(w.ask(conn, "USR 3 CTP I alice@example.net"), ["911 3"]);
    assert!(w.is_closed(conn));
}

#[test]
fn digests_may_be_upper_case_and_only_the_last_challenge_counts() {
    let mut w = World::new();
    let conn = w.connect(Role::Notification);
    w.ask(conn, "VER 1 MSNP5");
    w.challenge(conn, "bob@example.net");
    let challenge = w.challenge(conn, "ALICE@example.net");
    let digest = md5_hex(&[&challenge, "Pa55word"]).to_uppercase();
    let answer = w.ask(conn, &format!("USR 3 MD5 S {digest}"));
    assert_eq!(answer[0], "USR 3 OK alice@example.net Alice%20A");

    let conn = w.connect(Role::Notification);
    w.ask(conn, "VER 1 MSNP5");
    let old = w.challenge(conn, "bob@example.net");
    w.challenge(conn, "bob@example.net");
    let digest = md5_hex(&[&old, "Pa55word"]);
    assert_eq!(w.ask(conn, &format!("USR 3 MD5 S {digest}")), ["911 3"]);
}

#[test]
fn the_answer_and_the_profile_grow_with_the_dialect() {
    for (dialect, flag, fields) in [
        ("MSNP2", "", 4),
        ("MSNP3", "", 21),
        ("MSNP4", "", 21),
        ("MSNP5", "", 21),
        ("MSNP6", " 1", 21),
        ("MSNP7", " 1", 21),
    ] {
        let mut w = World::new();
        w.pass(Duration::from_millis(5_500));
        let conn = w.connect(Role::Notification);
        w.ask(conn, &format!("VER 1 {dialect}"));
        let challenge = w.challenge(conn, "carol@example.net");
        let digest = md5_hex(&[&challenge, "Pa55word"]);
        let answer = w.ask(conn, &format!("USR 3 MD5 S {digest}"));
        assert_eq!(answer[0], format!("USR 3 OK carol@example.net Carol{flag}"));
        assert_eq!(answer[4], "LoginTime: 1700000005");
        assert_eq!(answer.len(), 2 + fields, "{answer:?}");
        let payload: usize = answer[2..].iter().map(|line| line.len() + 2).sum();
        assert_eq!(answer[1], format!("MSG Hotmail Hotmail {payload}"));
    }
}

#[test]
fn commands_at_the_wrong_moment_are_715_and_the_end() {
    for (before, line, answer) in [
        ("", "INF 2", "715 2"),
        ("", "USR 2 MD5 S 0", "715 2"),
        ("VER 1 MSNP7", "VER 2 MSNP7", "715 2"),
        ("VER 1 MSNP7", "USR 2 MD5 S 0", "715 2"),
        ("VER 1 MSNP7", "SYN 2 0", "715 2"),
        ("VER 1 MSNP7", "CHG 2 NLN", "715 2"),
        ("VER 1 MSNP7", "XFR 2 SB", "715 2"),
        ("VER 1 MSNP7", "QRY 2 msmsgs@msnmsgr.com 2\r\n12", "715 2"),
        ("VER 1 MSNP7", "MSG 2 N 2\r\n12", "715 2"),
    ] {
        let mut w = World::new();
        let conn = w.connect(Role::Notification);
        if !before.is_empty() {
            w.ask(conn, before);
        }
        assert_eq!(w.ask(conn, line), [answer], "{line}");
        assert!(w.is_closed(conn), "{line}");
        assert!(matches!(w.events[..], [Event::Dropped { why: Why::Unexpected(_), .. }]));
    }
}

#[test]
fn after_sign_in_usr_is_207_and_ver_the_end() {
    let mut w = World::new();
    let alice = w.sign_in("alice@example.net", "MSNP7");
    assert_eq!(w.ask(alice, "USR 5 MD5 I alice@example.net"), ["207 5"]);
    assert_eq!(w.ask(alice, "USR 6 MD5 S 00"), ["207 6"]);
    assert_eq!(w.ask(alice, "USR 7 TWN I alice@example.net"), ["207 7"]);
    assert_eq!(w.ask(alice, "VER 8 MSNP7"), ["715 8"]);
    assert!(w.is_closed(alice));
    let alice = w.sign_in("alice@example.net", "MSNP7");
    assert_eq!(w.ask(alice, "INF 8"), ["715 8"]);
    assert!(w.is_closed(alice));
}

#[test]
fn an_id_that_is_none_is_the_end() {
    for line in ["VER 4294967296 MSNP7", "VER -1 MSNP7", "VER abc MSNP7", "VER", "INF +1"] {
        for role in [Role::Dispatch, Role::Notification] {
            assert_eq!(first(role, line), (vec![], true), "{line}");
        }
        let mut w = World::new();
        let alice = w.sign_in("alice@example.net", "MSNP7");
        assert_eq!(w.ask(alice, line), NOTHING);
        assert!(w.is_closed(alice), "{line}");
    }
}

#[test]
fn a_missing_argument_is_201() {
    let mut w = World::new();
    let conn = w.connect(Role::Notification);
    assert_eq!(w.ask(conn, "VER 1"), ["201 1"]);
    assert_eq!(w.ask(conn, "VER 1 MSNP7"), ["VER 1 MSNP7"]);
    assert_eq!(w.ask(conn, "USR 2"), ["201 2"]);
    assert_eq!(w.ask(conn, "USR 2 MD5"), ["201 2"]);
    assert_eq!(w.ask(conn, "USR 2 MD5 I"), ["201 2"]);
    assert!(!w.is_closed(conn));
}

#[test]
fn unknown_commands_are_200_and_ten_in_a_row_the_end() {
    let mut w = World::new();
    let alice = w.sign_in("alice@example.net", "MSNP7");
    for round in 0..3 {
        for id in 1..10 {
            let answer = w.ask(alice, &format!("FOO {id}"));
            assert_eq!(answer, [format!("200 {id}")], "round {round}");
        }
        assert_eq!(w.ask(alice, "PNG"), ["QNG"]);
    }
    for _ in 1..10 {
        assert_eq!(w.ask(alice, "Host: example.net"), NOTHING);
        assert!(!w.is_closed(alice));
    }
    assert_eq!(w.ask(alice, "FOO 10"), ["200 10"]);
    assert!(w.is_closed(alice));

    let conn = w.connect(Role::Notification);
    for _ in 1..10 {
        assert_eq!(w.ask(conn, "GET / HTTP/1.1"), NOTHING);
        assert!(!w.is_closed(conn));
    }
    w.say(conn, "GET / HTTP/1.1");
    assert!(w.is_closed(conn));
    assert!(matches!(w.events.last(), Some(Event::Dropped { why: Why::NotMsnp, .. })));
}

#[test]
fn a_version_report_is_answered_with_itself_at_any_time() {
    let mut w = World::new();
    let conn = w.connect(Role::Notification);
    w.ask(conn, "VER 1 MSNP7");
    let report = "0x0409 win 4.10 i386 MSMSGS 4.5.0127 MSMSGS";
    let answer = "4.5.0127 4.5.0127 4.5.0127 http://example.net/ http://example.net/";
    assert_eq!(w.ask(conn, &format!("CVR 2 {report}")), [format!("CVR 2 {answer}")]);
    w.challenge(conn, "alice@example.net");
    assert_eq!(w.ask(conn, &format!("CVR 3 {report}")), [format!("CVR 3 {answer}")]);
    let alice = w.sign_in("alice@example.net", "MSNP7");
    assert_eq!(w.ask(alice, &format!("CVR 4 {report}")), [format!("CVR 4 {answer}")]);
}

#[test]
fn clients_of_the_time_are_understood() {
    let mut w = World::new();
    let conn = w.connect(Role::Notification);
    w.send(conn, b"VER 3 MSNP7 CVR0\nINF 2 \r");
    assert_eq!(w.heard(conn), ["VER 3 MSNP7 CVR0"]);
    w.send(conn, b"\n\r\nINF  3\r\n");
    assert_eq!(w.heard(conn), ["INF 2 MD5", "INF 3 MD5"]);
    assert_eq!(w.ask(conn, "PNG"), ["QNG"]);
    w.say(conn, "OUT");
    assert!(w.is_closed(conn));
    assert_eq!(w.events, []);
}

#[test]
fn the_second_sign_in_ends_the_first() {
    let mut w = World::new();
    let bob = w.online("bob@example.net");
    let old = w.online("alice@example.net");
    assert_eq!(w.heard(bob), ["NLN NLN alice@example.net Alice%20A"]);
    let of_old = w.switchboard(old, "alice@example.net");
    w.events.clear();

    let new = w.sign_in("Alice@Example.NET", "MSNP5");
    assert_eq!(w.heard(old), ["OUT OTH"]);
    assert!(w.is_closed(old));
    assert_eq!(w.heard(of_old), ["OUT"]);
    assert!(w.is_closed(of_old));
    let account = handle("alice@example.net");
    assert_eq!(w.events[0], Event::SignedOut { conn: old, account, why: Why::Elsewhere });
    assert_eq!(w.heard(bob), NOTHING);
    assert_eq!(w.ask(new, "CHG 4 NLN"), ["CHG 4 NLN", "ILN 4 NLN bob@example.net Bob%20B"]);
    assert_eq!(w.heard(bob), NOTHING, "nothing has changed for him");

    let third = w.sign_in("alice@example.net", "MSNP5");
    w.say(third, "CHG 4 AWY");
    assert_eq!(w.heard(bob), ["NLN AWY alice@example.net Alice%20A"]);
    let fourth = w.sign_in("alice@example.net", "MSNP5");
    w.say(fourth, "CHG 4 HDN");
    assert_eq!(w.heard(bob), ["FLN alice@example.net"]);
    let fifth = w.sign_in("alice@example.net", "MSNP5");
    w.hang_up(fifth);
    assert_eq!(w.heard(bob), NOTHING);
    assert_eq!(w.hub.people(), 1);
}

#[test]
fn who_leaves_before_choosing_a_status_again_is_offline_to_others() {
    let mut w = World::new();
    let bob = w.online("bob@example.net");
    w.online("alice@example.net");
    w.heard(bob);
    let new = w.sign_in("alice@example.net", "MSNP5");
    assert_eq!(w.heard(bob), NOTHING);
    w.hang_up(new);
    assert_eq!(w.heard(bob), ["FLN alice@example.net"]);
}

#[test]
fn a_single_port_signs_in_at_once_and_takes_anybody_if_open() {
    let mut config = HubConfig::loopback();
    config.dispatch = "127.0.0.1:4000".parse().unwrap();
    config.switchboard = "127.0.0.1:4001".parse().unwrap();
    let mut w = World::with(config, MemoryDirectory::open());
    let conn = w.connect(Role::Notification);
    w.ask(conn, "VER 1 MSNP7");
    w.challenge(conn, "me@example.net");
    let answer = w.ask(conn, "USR 3 MD5 S 0");
    assert_eq!(answer[0], "USR 3 OK me@example.net me@example.net 1");
    assert_eq!(w.ask(conn, "SYN 4 0").len(), 13);
    assert_eq!(
        w.ask(conn, "ADD 5 FL you@example.net you@example.net 0"),
        [
            "ADD 5 FL 2 you@example.net you@example.net 0",
            "BPR 2 you@example.net PHH",
            "BPR 2 you@example.net PHW",
            "BPR 2 you@example.net PHM",
            "BPR 2 you@example.net MOB N",
        ]
    );
}

#[test]
fn signing_in_has_a_deadline_that_input_does_not_move() {
    for role in [Role::Dispatch, Role::Notification, Role::Switchboard] {
        let mut w = World::new();
        let conn = w.connect(role);
        for _ in 0..19 {
            w.pass(Duration::from_secs(1));
            w.send(conn, b"V");
        }
        w.pass(Duration::from_micros(999_999));
        assert!(!w.is_closed(conn), "{role:?}");
        w.pass(Duration::from_micros(1));
        assert!(w.is_closed(conn), "{role:?}");
        assert!(matches!(w.events[..], [Event::Dropped { why: Why::SignInTimeout, .. }]));
    }
    let mut w = World::new();
    let alice = w.sign_in("alice@example.net", "MSNP5");
    w.pass(Duration::from_secs(100_000));
    assert!(!w.is_closed(alice));
}

#[test]
fn commands_of_later_dialects_are_the_end() {
    for (dialect, line) in [
        ("MSNP6", "LSG 5"),
        ("MSNP6", "ADG 5 Friends 0"),
        ("MSNP5", "QRY 5 msmsgs@msnmsgr.com 2\r\n12"),
        ("MSNP4", "PRP 5 PHH 1"),
        ("MSNP4", "SDC 5 f@example.org 0x0409 MSMSGS MSMSGS X X Al 0"),
        ("MSNP2", "IMS 5 ON"),
    ] {
        let mut w = World::new();
        let alice = w.sign_in("alice@example.net", dialect);
        assert_eq!(w.ask(alice, line), NOTHING, "{line}");
        assert!(w.is_closed(alice), "{line}");
    }
}

#[test]
fn services_that_do_not_exist_are_refused() {
    let mut w = World::new();
    let alice = w.sign_in("alice@example.net", "MSNP7");
    assert_eq!(w.ask(alice, "URL 5 INBOX"), ["502 5"]);
    assert_eq!(w.ask(alice, "FND 6 fname=A"), ["502 6"]);
    assert_eq!(w.ask(alice, "SND 7 f@example.org 0x0409 MSMSGS MSMSGS"), ["503 7"]);
    let mail = "SDC 8 f@example.org 0x0409 MSMSGS MSMSGS X X Al 5\r\nhello";
    w.send(alice, mail.as_bytes());
    assert_eq!(w.heard(alice), ["503 8"]);
    w.send(alice, b"PAG 9 bob@example.net 5\r\nOUT\r\n");
    assert_eq!(w.heard(alice), ["606 9"]);
    assert_eq!(w.ask(alice, "IMS 10 OFF"), ["IMS 10 0 OFF"]);
    w.send(alice, b"MSG 1 N 5\r\nOUT\r\n");
    assert!(w.is_closed(alice));
}

#[test]
fn an_open_directory_makes_so_many_accounts_and_no_more() {
    let mut w = World::with(HubConfig::loopback(), MemoryDirectory::open_up_to(2));
    let first = w.online("first@example.net");
    assert_eq!(w.ask(first, "ADD 1 FL second@example.net x").len(), 1);
    assert_eq!(w.ask(first, "ADD 2 FL third@example.net x"), ["205 2"]);
    w.online("second@example.net");
    let third = w.connect(Role::Notification);
    w.ask(third, "VER 1 MSNP5");
    w.challenge(third, "third@example.net");
    assert_eq!(w.ask(third, "USR 3 MD5 S 0123456789abcdef0123456789abcdef"), ["911 3"]);
}
