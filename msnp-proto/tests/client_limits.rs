//! What a client has too much of, and what it will not do: refused or reported, with nothing lost
//! that was there before.

mod script;

use msnp_proto::client::{ChatId, Config, Event, Failure, Outcome, SignIn, Warning};
use msnp_proto::error::{Expected, Lost, Misuse, Violation, Wait};
use msnp_proto::machine::{ConnId, Target};
use msnp_proto::ns::Change;
use msnp_proto::time::Duration;
use msnp_proto::types::{Delivery, Dialect, ErrorCode, GroupId, Handle, List, Nick, Status};
use msnp_proto::wire::Verb;
use script::Script;

fn handle(text: &str) -> Handle {
    Handle::new(text).expect("an account")
}

fn online(change: impl FnOnce(&mut Config)) -> Script {
    let mut config = Config::new();
    change(&mut config);
    Script::online_with_config(config, "SYN 5 0\r\nLST 5 RL 0 0 0\r\n")
}

/// Opens a chat whose switchboard ends at once.
fn dormant(script: &mut Script, trid: u32, who: &str) -> ChatId {
    let chat = script.client.open_chat(script.now, &handle(who)).expect("room");
    script.hears(script.ns, &format!("XFR {trid} SB\r\n"));
    script.says(script.ns, &format!("911 {trid}\r\n"));
    script.take_events();
    chat
}

fn ring(script: &mut Script, who: &str) -> Vec<Event> {
    script
        .says(script.ns, &format!("RNG 11752013 192.0.2.21:1863 CKI 849102291.520 {who} Some\r\n"));
    script.take_events()
}

#[test]
fn the_chat_that_was_used_least_lately_is_forgotten_for_a_new_one() {
    let mut script = online(|config| config.chats = 2);
    let first = dormant(&mut script, 8, "bob@example.net");
    script.now += Duration::from_secs(1);
    let second = dormant(&mut script, 9, "carol@example.net");
    script.now += Duration::from_secs(1);
    let third = script.client.open_chat(script.now, &handle("dave@example.net")).expect("room");
    let now = script.now;
    let gone = script.client.send_text(now, first, "Still there?", Delivery::Always);
    assert_eq!(gone, Err(Misuse::NoSuchChat));
    for chat in [second, third] {
        assert!(script.client.send_text(now, chat, "Hello", Delivery::Always).is_ok());
    }
    // Both wait for a switchboard now, so neither makes room.
    let fourth = script.client.open_chat(now, &handle("eve@example.net"));
    assert_eq!(fourth, Err(Misuse::Backlog));
    let seen = ring(&mut script, "eve@example.net");
    assert!(
        seen.contains(&Event::Warning(Warning::TooMany { verb: Verb::new(*b"RNG") })),
        "{seen:?}"
    );
    assert_eq!(script.try_connect("192.0.2.21:1863"), None);
}

#[test]
fn calls_are_declined_if_that_is_wanted_or_one_is_hidden() {
    let mut script = online(|config| config.answer_calls = false);
    let seen = ring(&mut script, "bob@example.net");
    let nick = Nick::new("Some").expect("a name");
    assert_eq!(seen, [Event::Declined { from: handle("bob@example.net"), nick }]);
    assert_eq!(script.try_connect("192.0.2.21:1863"), None);

    let mut script = Script::online();
    script.client.set_status(script.now, Status::Hidden).expect("online");
    script.hears(script.ns, "CHG 8 HDN\r\n");
    script.says(script.ns, "CHG 8 HDN\r\n");
    script.take_events();
    let seen = ring(&mut script, "bob@example.net");
    assert_eq!(seen, [Event::Warning(Warning::OutOfPlace { verb: Verb::new(*b"RNG") })]);
}

#[test]
fn texts_that_wait_are_limited_and_those_that_do_are_said() {
    let mut script = online(|config| config.waiting_texts = 2);
    let (chat, sb) = script.open_switchboard("bob@example.net");
    let now = script.now;
    let say = |script: &mut Script, text| {
        script.client.send_text(now, chat, text, Delivery::Unacknowledged)
    };
    let texts = [say(&mut script, "one"), say(&mut script, "two")].map(|text| text.expect("room"));
    assert_eq!(say(&mut script, "three"), Err(Misuse::Backlog));
    script.says(sb, "CAL 2 RINGING 1\r\nJOI bob@example.net Bob\r\n");
    let said = script.drain(sb);
    assert!(said.contains("one") && said.contains("two") && !said.contains("three"), "{said}");
    for text in texts {
        assert_eq!(script.outcomes(text).len(), 1);
    }
    assert!(say(&mut script, "four").is_ok());
}

#[test]
fn texts_and_requests_that_are_open_are_limited() {
    let mut script = online(|config| config.limits.open_requests = 2);
    let (chat, sb) = script.chat_with("bob@example.net");
    let now = script.now;
    let texts = ["one", "two"].map(|text| {
        script.client.send_text(now, chat, text, Delivery::Always).expect("room for it")
    });
    let over = script.client.send_text(now, chat, "three", Delivery::Always);
    assert_eq!(over, Err(Misuse::Backlog));
    script.says(sb, "ACK 3\r\n");
    assert_eq!(script.outcome(texts[0]), Outcome::Acknowledged);
    assert!(script.client.send_text(now, chat, "three", Delivery::Always).is_ok());

    let ask = |script: &mut Script| script.client.set_status(now, Status::Busy);
    assert!(ask(&mut script).is_ok() && ask(&mut script).is_ok());
    assert_eq!(ask(&mut script), Err(Misuse::Backlog));
    script.says(script.ns, "CHG 9 BSY\r\n");
    assert!(ask(&mut script).is_ok());
}

#[test]
fn bytes_that_wait_to_be_written_are_limited() {
    let mut script = online(|config| config.limits.send_backlog = 300);
    let (chat, sb) = script.chat_with("bob@example.net");
    let now = script.now;
    let say = |script: &mut Script| {
        script.client.send_text(now, chat, &"x".repeat(200), Delivery::Unacknowledged)
    };
    say(&mut script).expect("room for it");
    assert_eq!(say(&mut script), Err(Misuse::Backlog));
    let who = handle("carol@example.net");
    assert_eq!(script.client.invite(now, chat, &who), Err(Misuse::Backlog));
    assert_eq!(script.client.send_typing(now, chat), Err(Misuse::Backlog));
    script.drain(sb);
    say(&mut script).expect("room again");
    let mut asked = 0;
    while script.client.set_status(now, Status::Away).is_ok() {
        asked += 1;
    }
    assert!((20..40).contains(&asked), "{asked} of some 11 bytes each");
}

#[test]
fn what_cannot_be_done_now_changes_nothing() {
    let mut script = Script::online();
    let now = script.now;
    let server = Target { host: "messenger.example.net".into(), port: 1863 };
    let again = SignIn::new(handle("mallory@example.net"), "Pa55word".into(), server);
    assert_eq!(script.client.sign_in(now, again), Err(Misuse::AlreadyOnline));
    assert_eq!(script.client.account(), Some(&handle("alice@example.net")));
    let (chat, sb) = script.chat_with("bob@example.net");
    let headless = script.client.send_payload(now, chat, b"Hello\r\n", Delivery::Always);
    assert_eq!(headless, Err(Misuse::Invalid(Expected::Payload)));
    assert_eq!(script.client.invite(now, chat, &handle("bob@example.net")), Err(Misuse::Already));
    script.hears(sb, "");
    script.drain(script.ns);
    assert_eq!(script.client.scanned(ConnId::new(77, 7)), 0);
}

#[test]
fn what_the_dialect_does_not_have_is_not_said() {
    let mut config = Config::new();
    config.dialects = vec![Dialect::Msnp2];
    let mut script = Script::with(config);
    let ns = script.connect("messenger.example.net:1863");
    script
        .says(ns, "VER 1 MSNP2\r\nINF 2 MD5\r\nUSR 3 MD5 S 1\r\nUSR 4 OK alice@example.net A\r\n");
    script.says(ns, "SYN 5 0\r\nLST 5 RL 0 0 0\r\nCHG 6 NLN\r\n");
    script.drain(ns);
    let bob = handle("bob@example.net");
    for change in [
        Change::Calls(false),
        Change::Page { account: bob, text: "Call me".into() },
        Change::Challenge,
        Change::RemoveGroup(GroupId(3)),
    ] {
        let asked = script.client.change(script.now, change.clone());
        assert_eq!(asked, Err(Misuse::NotInDialect), "{change:?}");
    }
    script.hears(ns, "");
}

#[test]
fn a_server_that_takes_no_first_status_lets_nobody_in() {
    let mut script = Script::signing_in();
    let ns = script.connect("messenger.example.net:1863");
    script.sign_in_to(ns, "SYN 5 0\r\nLST 5 RL 0 0 0\r\n");
    script.hears(ns, "CHG 6 NLN\r\n");
    script.says(ns, "800 6\r\n");
    let why = ErrorCode::new(800).expect("three digits");
    assert_eq!(script.lost(), Some(Lost::Refused(why)));
    assert!(!script.client.is_online());
}

#[test]
fn groups_over_the_limit_are_reported_and_left_out() {
    let mut lists = String::from("SYN 5 7\r\n");
    for number in 0..70 {
        lists.push_str(&format!("LSG 5 7 {} 70 {number} Group{number} 0\r\n", number + 1));
    }
    lists.push_str("LST 5 FL 7 0 0\r\nLST 5 AL 7 0 0\r\nLST 5 BL 7 0 0\r\nLST 5 RL 7 0 0\r\n");
    let script = Script::online_with(&lists);
    assert_eq!(script.client.roster().groups().count(), 64);
    let over = Warning::TooMany { verb: Verb::new(*b"LSG") };
    assert_eq!(script.before.iter().filter(|warning| **warning == over).count(), 6);
}

#[test]
fn groups_that_are_told_of_later_have_the_same_limit() {
    for verb in ["ADG", "REG"] {
        let mut script = Script::online();
        for number in 1..=70 {
            let line = match verb {
                "ADG" => format!("ADG 0 2 Group{number} {number} 0\r\n"),
                _ => format!("REG 0 2 {number} Group{number} 0\r\n"),
            };
            script.says(script.ns, &line);
        }
        assert_eq!(script.client.roster().groups().count(), 64, "{verb}");
        let verb = verb.as_bytes().try_into().expect("three letters");
        let over = Warning::TooMany { verb: Verb::new(verb) };
        assert_eq!(script.warnings().iter().filter(|warning| **warning == over).count(), 6);
        // One that is known may have another name all the same.
        script.says(script.ns, "REG 0 3 1 Other 0\r\n");
        let name = script.client.roster().groups().find(|(group, _)| *group == GroupId(1));
        assert_eq!(name.map(|(_, name)| name.as_str()), Some("Other"));
    }
}

#[test]
fn who_does_not_fit_on_a_list_is_left_out_and_the_request_is_answered() {
    let mut script = online(|config| config.roster_entries = 1);
    let now = script.now;
    let add = |script: &mut Script, who: &str| {
        let (list, account) = (List::Forward, handle(who));
        let change = Change::Add { list, account, nick: None, group: None };
        script.client.change(now, change).expect("online")
    };
    let kept = add(&mut script, "bob@example.net");
    script.says(script.ns, "ADD 8 FL 1 bob@example.net Bob 0\r\n");
    assert_eq!(script.take_events().last(), Some(&Event::Done { request: kept }));
    let over = add(&mut script, "carol@example.net");
    script.says(script.ns, "ADD 9 FL 2 carol@example.net Carol 0\r\n");
    let seen = script.take_events();
    assert!(seen.contains(&Event::Warning(Warning::TooMany { verb: Verb::new(*b"ADD") })));
    assert_eq!(seen.last(), Some(&Event::Done { request: over }));
    // Whoever is on the list may be in one more group.
    script.says(script.ns, "ADD 0 FL 3 bob@example.net Bob 4\r\n");
    let bob = handle("bob@example.net");
    let groups = script.client.roster().contact(&bob).expect("a contact").groups().to_vec();
    assert_eq!((groups, script.client.roster().entries()), (vec![GroupId(0), GroupId(4)], 1));
}

#[test]
fn who_is_no_contact_is_in_no_group() {
    let mut script =
        Script::online_with("SYN 5 7\r\nLST 5 AL 7 1 1 bob@example.net Bob\r\nLST 5 RL 7 0 0\r\n");
    script.says(script.ns, "REM 0 FL 8 bob@example.net 3\r\n");
    let bob = script.client.roster().contact(&handle("bob@example.net")).expect("allowed");
    assert_eq!(bob.groups(), []);
    assert_eq!(script.warnings(), [Warning::OutOfPlace { verb: Verb::new(*b"REM") }]);
}

#[test]
fn texts_that_wait_are_said_when_one_is_acknowledged() {
    let mut script = online(|config| config.limits.open_requests = 2);
    let (chat, sb) = script.open_switchboard("bob@example.net");
    let now = script.now;
    let texts = ["one", "two", "three"].map(|text| {
        script.client.send_text(now, chat, text, Delivery::Always).expect("room to wait")
    });
    script.says(sb, "CAL 2 RINGING 1\r\nJOI bob@example.net Bob\r\n");
    let said = script.drain(sb);
    assert!(said.contains("two") && !said.contains("three"), "{said}");
    script.says(sb, "ACK 3\r\n");
    assert!(script.drain(sb).contains("three"));
    script.says(sb, "ACK 4\r\nACK 5\r\n");
    assert_eq!(texts.map(|text| script.outcome(text)), [Outcome::Acknowledged; 3]);
}

#[test]
fn challenges_are_counted_by_the_minute() {
    for (after, lost) in
        [(59_999_999, Some(Lost::Violation(Violation::ChallengeFlood))), (60_000_000, None)]
    {
        let mut script = Script::online();
        for _ in 0..10 {
            script.says(script.ns, "CHL 0 1\r\n");
        }
        script.now += Duration::from_micros(after);
        script.says(script.ns, "CHL 0 1\r\n");
        assert_eq!(script.lost(), lost, "after {after} µs");
    }
}

#[test]
fn no_answer_to_a_page_is_a_good_one_and_to_other_requests_it_is_none() {
    let mut script = Script::online();
    let now = script.now;
    let page = Change::Page { account: handle("bob@example.net"), text: "Call me".into() };
    let page = script.client.change(now, page).expect("online");
    let rename = script.client.rename(now, &Nick::new("Al").expect("a name")).expect("online");
    script.wait(Duration::from_secs(30));
    let seen = script.take_events();
    assert!(seen.contains(&Event::Done { request: page }), "{seen:?}");
    let unanswered = seen.iter().any(|event| {
        matches!(event, Event::Refused { request, why: Failure::TimedOut(Wait::Request), .. }
            if *request == rename)
    });
    assert!(unanswered, "{seen:?}");
}

#[test]
fn a_version_report_that_is_refused_is_reported_and_no_more() {
    let mut script = Script::signing_in();
    let ns = script.connect("messenger.example.net:1863");
    script.sign_in_to(ns, "SYN 5 0\r\nLST 5 RL 0 0 0\r\n");
    script.says(ns, "CHG 6 NLN\r\n500 7\r\n");
    let (verb, code) = (Verb::new(*b"CVR"), ErrorCode::INTERNAL);
    assert_eq!(script.warnings(), [Warning::Refused { verb, code }]);
    assert!(script.client.is_online());
}
