//! What comes in between: changes while the lists are on their way, moves of a session, and people
//! who are invited before we are inside.

mod script;

use msnp_proto::client::{Event, RosterChange, Warning};
use msnp_proto::error::{Lost, Misuse, Violation};
use msnp_proto::machine::ConnId;
use msnp_proto::time::Duration;
use msnp_proto::types::{GroupId, Handle, List, Privacy, Property, Status};
use script::Script;

fn handle(name: &str) -> Handle {
    Handle::new(&format!("{name}@example.net")).expect("an account")
}

/// Where all that is told during the dump stands between the lines of it.
const BUSY: &str = "SYN 5 100\r\nGTC 5 100 A\r\nBLP 0 101 BL\r\nBLP 5 100 AL\r\nPRP 5 100 PHH 1\r\n\
    LSG 5 100 1 1 0 Other 0\r\nADG 0 101 Pals 4 0\r\nREM 0 FL 102 erin@example.net\r\n\
    LST 5 FL 100 1 3 bob@example.net Bob 0\r\nBPR 100 bob@example.net PHW 2\r\n\
    NLN BSY bob@example.net Bobby\r\nREA 0 103 carol@example.net Caroline\r\n\
    LST 5 FL 100 2 3 carol@example.net Carol 0\r\nNLN AWY dave@example.net Dave\r\n\
    BPR 104 dave@example.net PHW 3\r\n\
    LST 5 FL 100 3 3 erin@example.net Erin 0\r\nADD 0 FL 105 dave@example.net Dave 4\r\n\
    LST 5 AL 100 0 0\r\nADD 0 RL 106 frank@example.net Frank\r\nLST 5 BL 100 0 0\r\n\
    NLN NLN dave@example.net Dave\r\nLST 5 RL 100 0 0\r\n";

#[test]
fn what_changes_while_the_lists_come_is_in_them() {
    let mut script = Script::online_with(BUSY);
    let roster = script.client.roster();
    assert_eq!(roster.version().0, 106);
    assert_eq!(roster.privacy(), Privacy::BlockOthers);
    assert_eq!(roster.property(Property::HomePhone), "1");
    assert!(roster.groups().any(|(group, name)| group == GroupId(4) && name.as_str() == "Pals"));
    let contact = |name| roster.contact(&handle(name));
    let bob = contact("bob").expect("listed");
    assert_eq!((bob.status(), bob.property(Property::WorkPhone)), (Status::Busy, "2"));
    assert_eq!(contact("carol").expect("listed").nick().as_str(), "Caroline");
    let dave = contact("dave").expect("added meanwhile");
    assert_eq!((dave.status(), dave.groups()), (Status::Online, &[GroupId(4)][..]));
    assert_eq!(contact("erin"), None, "removed meanwhile");
    assert!(contact("frank").expect("added meanwhile").lists().has(List::Reverse));
    // Only what is known of nobody is odd: in the lists of before, which were empty.
    let odd = |warning: &Warning| !matches!(warning, Warning::OutOfPlace { .. });
    assert!(!script.before.iter().any(odd), "{:?}", script.before);
    assert!(script.warnings().is_empty());
}

#[test]
fn what_is_told_while_the_lists_come_is_not_kept_without_end() {
    let mut script = Script::signing_in();
    let ns = script.connect("messenger.example.net:1863");
    script.sign_in_to(ns, "SYN 5 100\r\n");
    for number in 0..10_000 {
        script.says(ns, &format!("NLN NLN user{number}@example.net A\r\n"));
    }
    script.says(ns, "LST 5 FL 100 1 1 user9999@example.net A 0\r\nLST 5 RL 100 0 0\r\n");
    let limited =
        script.warnings().into_iter().filter(|warning| matches!(warning, Warning::TooMany { .. }));
    assert_eq!(limited.count(), 1);
    assert!(script.client.roster().contact(&handle("user9999")).is_some());
}

/// Bob is online; then the server says this.
fn with_bob_online(line: &str) -> (Script, ConnId) {
    let lists = "SYN 5 9\r\nLST 5 FL 9 1 2 bob@example.net Bob 0\r\n\
        LST 5 FL 9 2 2 carol@example.net Carol 0\r\nLST 5 RL 9 0 0\r\n";
    let mut script = Script::online_with(lists);
    let ns = script.ns;
    script.says(ns, "NLN NLN bob@example.net Bob\r\n");
    script.take_events();
    script.says(ns, line);
    (script, ns)
}

#[test]
fn after_a_move_everybody_counts_as_offline_until_it_is_said_otherwise() {
    for line in ["XFR 0 NS 0\r\n", "XFR 0 NS 192.0.2.11 0 192.0.2.10:1863\r\n"] {
        let (mut script, _) = with_bob_online(line);
        let gone = |event: &Event| match event {
            Event::Presence { account, status: Status::Offline, .. } => Some(account.clone()),
            _ => None,
        };
        let gone: Vec<Handle> = script.take_events().iter().filter_map(gone).collect();
        assert_eq!(gone, [handle("bob")], "{line}");
        let roster = script.client.roster();
        assert_eq!(roster.contact(&handle("bob")).expect("listed").status(), Status::Offline);
    }
}

/// From VER to being online, on a connection that stands.
fn sign_in_again(script: &mut Script, ns: ConnId, first: u32) {
    let [ver, inf, usr, pass, syn, chg] = [0, 1, 2, 3, 4, 5].map(|more| first + more);
    script.says(ns, &format!("VER {ver} MSNP7\r\nINF {inf} MD5\r\nUSR {usr} MD5 S 1.2\r\n"));
    script.says(ns, &format!("USR {pass} OK alice@example.net Alice 1\r\n"));
    script.says(ns, &format!("SYN {syn} 9\r\nCHG {chg} NLN\r\n"));
    script.says(ns, &format!("CVR {} 1 1 1 a b\r\n", first + 6));
    script.drain(ns);
}

#[test]
fn a_server_that_begins_again_and_again_is_left() {
    let (mut script, ns) = with_bob_online("");
    let mut first = 8;
    for round in 0..5 {
        script.says(ns, "XFR 0 NS 0\r\n");
        assert_eq!(script.lost(), None, "round {round}");
        sign_in_again(&mut script, ns, first);
        assert!(script.client.is_online(), "round {round}");
        first += 7;
    }
    script.says(ns, "XFR 0 NS 0\r\n");
    assert_eq!(script.lost(), Some(Lost::Violation(Violation::Referrals { limit: 5 })));
}

#[test]
fn a_session_of_a_minute_may_be_begun_again() {
    let (mut script, ns) = with_bob_online("");
    let mut first = 8;
    for _ in 0..20 {
        script.wait(Duration::from_secs(44));
        script.wait(Duration::from_secs(10));
        script.says(ns, "QNG\r\n");
        script.wait(Duration::from_secs(10));
        script.says(ns, "XFR 0 NS 0\r\n");
        assert_eq!(script.lost(), None);
        sign_in_again(&mut script, ns, first);
        assert!(script.client.is_online());
        first += 7;
    }
}

#[test]
fn who_is_invited_on_the_way_in_is_called_inside() {
    let mut script = Script::online();
    script.says(script.ns, "RNG 7 192.0.2.20:1863 CKI 849.1 bob@example.net Bob\r\n");
    let opened = script.take_events().into_iter().find_map(|event| match event {
        Event::ChatOpened { chat, .. } => Some(chat),
        _ => None,
    });
    let chat = opened.expect("a chat");
    // On the way, and while entering.
    assert_eq!(script.client.invite(script.now, chat, &handle("carol")), Ok(()));
    let sb = script.connect("192.0.2.20:1863");
    script.hears(sb, "ANS 1 alice@example.net 849.1 7\r\n");
    assert_eq!(script.client.invite(script.now, chat, &handle("dave")), Ok(()));
    assert_eq!(script.client.invite(script.now, chat, &handle("dave")), Err(Misuse::Already));
    script.says(sb, "IRO 1 1 1 bob@example.net Bob\r\nANS 1 OK\r\n");
    script.hears(sb, "CAL 2 carol@example.net\r\nCAL 3 dave@example.net\r\n");
}

#[test]
fn nobody_is_taken_off_a_list_that_they_are_not_on() {
    let mut script = Script::online();
    script.says(script.ns, "ADD 0 RL 2 dave@example.net Dave\r\n");
    script.take_events();
    script.says(script.ns, "REM 0 FL 3 dave@example.net\r\n");
    let events = script.take_events();
    let removed = |event: &Event| matches!(event, Event::Roster(RosterChange::Removed { .. }));
    assert!(!events.iter().any(removed), "{events:?}");
    assert!(script.client.roster().contact(&handle("dave")).is_some());
}
