//! A client that comes back by itself, and when it does not.

mod script;

use msnp_proto::client::{Config, Event, Failure, Outcome, Reconnect};
use msnp_proto::error::{Lost, Misuse};
use msnp_proto::machine::{Closed, ConnId};
use msnp_proto::time::{Duration, Instant};
use msnp_proto::types::{Delivery, Handle, Status};
use script::Script;

const MICROSECOND: Duration = Duration::from_micros(1);
const SERVER: &str = "messenger.example.net:1863";
const HUNG_UP: Lost = Lost::HungUp { unfinished: false };

/// A client that comes back, on its way to its server.
fn persistent() -> Script {
    let mut config = Config::new();
    config.reconnect = Some(Reconnect::new(42));
    Script::with(config)
}

fn online() -> Script {
    let mut script = persistent();
    come_online(&mut script);
    script
}

fn come_online(script: &mut Script) -> ConnId {
    let ns = script.connect(SERVER);
    script.sign_in_rest(ns);
    assert!(script.client.is_online());
    script.take_events();
    ns
}

/// The pause that follows the loss that has just happened; nothing comes between the two.
#[track_caller]
fn pause(script: &mut Script, number: u32) -> (Lost, Duration) {
    let events = script.take_events();
    let [.., Event::Lost { why }, Event::Retrying { attempt, wait }] = events.as_slice() else {
        panic!("no other attempt: {events:?}")
    };
    assert_eq!(*attempt, number);
    assert_eq!(script.client.next_attempt(), Some(script.now + *wait));
    assert_eq!(script.client_deadline(), Some(script.now + *wait));
    (*why, *wait)
}

#[track_caller]
fn assert_over(script: &mut Script, why: Lost) {
    let events = script.take_events();
    assert_eq!(events.last(), Some(&Event::Lost { why }));
    assert_eq!((script.client.next_attempt(), script.client_deadline()), (None, None));
}

#[test]
fn the_next_attempt_is_made_when_its_time_has_come_and_not_before() {
    let mut script = online();
    script.hangs_up(script.ns);
    script.closed(script.ns);
    let (why, wait) = pause(&mut script, 1);
    assert_eq!(why, HUNG_UP);
    script.wait(wait - MICROSECOND);
    assert!(script.client.is_disconnected() && script.take_events().is_empty());
    script.wait(MICROSECOND);
    let ns = script.connect(SERVER);
    script.hears(ns, "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0\r\n");
    assert_eq!(script.client.next_attempt(), None);
    script.sign_in_rest(ns);
    assert!(script.client.is_online());
}

#[test]
fn pauses_grow_until_a_session_was_stable() {
    let mut script = online();
    let stable = Reconnect::new(0).stable;
    let mut ns = script.ns;
    for (lasted, attempt) in [(1, 1), (1, 2), (1, 3), (stable.as_secs(), 1), (59, 2)] {
        script.wait(Duration::from_secs(lasted));
        script.drain(ns);
        script.hangs_up(ns);
        let (_, wait) = pause(&mut script, attempt);
        let whole = Duration::from_millis(500 << (attempt - 1));
        assert!(wait <= whole && wait >= whole / 2, "{attempt}: {wait:?}");
        script.wait(wait);
        ns = come_online(&mut script);
    }
}

#[test]
fn a_network_that_is_gone_is_asked_less_and_less_often() {
    let mut script = online();
    script.hangs_up(script.ns);
    let mut pauses = vec![pause(&mut script, 1).1];
    for attempt in 2..=14 {
        script.wait(*pauses.last().expect("the first"));
        let conn = script.connecting(SERVER);
        script.refuse(conn, Closed::UnknownHost);
        let (why, wait) = pause(&mut script, attempt);
        assert_eq!(why, Lost::Connection(Closed::UnknownHost));
        pauses.push(wait);
    }
    let longest = Reconnect::new(0).longest;
    assert!(pauses.iter().all(|pause| *pause <= longest));
    assert!(pauses.iter().rev().take(3).all(|pause| *pause >= longest / 2), "{pauses:?}");
}

#[test]
fn what_was_open_has_ended_and_is_not_sent_again() {
    let mut script = online();
    let (chat, sb) = script.chat_with("bob@example.net");
    let written = script.client.send_text(script.now, chat, "written", Delivery::Always);
    let written = written.expect("in");
    script.drain(sb);
    let carol = Handle::new("carol@example.net").expect("an account");
    let other = script.client.open_chat(script.now, &carol).expect("online");
    let queued = script.client.send_text(script.now, other, "queued", Delivery::Always);
    let queued = queued.expect("it waits");
    script.drain(script.ns);
    script.hangs_up(script.ns);
    assert_eq!(script.outcome(written), Outcome::Unknown(HUNG_UP));
    assert_eq!(script.outcome(queued), Outcome::Failed(Failure::Lost(HUNG_UP)));
    let (_, wait) = pause(&mut script, 1);
    let early = script.client.send_text(script.now, chat, "early", Delivery::Always);
    assert_eq!(early, Err(Misuse::NotOnline));

    script.wait(wait);
    come_online(&mut script);
    assert_eq!(script.outcomes(written).len() + script.outcomes(queued).len(), 0);
    // The chats are the same ones, and only what is said now is said in them.
    script.client.send_text(script.now, chat, "new", Delivery::Always).expect("online");
    script.hears(script.ns, "XFR 8 SB\r\n");
    script.says(script.ns, "XFR 8 SB 192.0.2.21:1863 CKI 2.1\r\n");
    let sb = script.connect("192.0.2.21:1863");
    script.drain(sb);
    script.says(sb, "USR 1 OK alice@example.net Alice\r\n");
    script.drain(sb);
    script.says(sb, "CAL 2 RINGING 1\r\nJOI bob@example.net Bob\r\n");
    let said = script.drain(sb);
    assert!(said.ends_with("\r\n\r\nnew") && said.matches("MSG ").count() == 1, "{said:?}");
}

#[test]
fn lists_and_status_are_those_of_before() {
    let mut script = persistent();
    let ns = script.connect(SERVER);
    script.drain(ns);
    script.says(ns, "VER 1 MSNP7\r\nINF 2 MD5\r\nUSR 3 MD5 S 1\r\n");
    script.says(ns, "USR 4 OK alice@example.net Alice 1\r\nSYN 5 7\r\n");
    script.says(ns, "LST 5 FL 7 1 1 bob@example.net Bob 0\r\nLST 5 RL 7 0 0\r\nCHG 6 NLN\r\n");
    script.client.set_status(script.now, Status::Busy).expect("online");
    script.says(ns, "CHG 8 BSY\r\n");
    script.hangs_up(ns);
    let (_, wait) = pause(&mut script, 1);
    let bob = Handle::new("bob@example.net").expect("an account");
    assert!(script.client.roster().contact(&bob).is_some(), "kept to be read");
    script.wait(wait);
    let ns = script.connect(SERVER);
    script.says(ns, "VER 1 MSNP7\r\nINF 2 MD5\r\nUSR 3 MD5 S 1\r\n");
    script.drain(ns);
    script.says(ns, "USR 4 OK alice@example.net Alice 1\r\n");
    script.hears(ns, "SYN 5 7\r\n");
    script.says(ns, "SYN 5 7\r\n");
    script.hears(ns, "CHG 6 BSY\r\n");
    assert!(script.client.roster().contact(&bob).is_some());
}

#[test]
fn signing_out_ends_it_also_in_a_pause() {
    let mut script = online();
    script.client.sign_out(script.now);
    assert_over(&mut script, Lost::SignedOut);

    let mut script = online();
    script.hangs_up(script.ns);
    let (_, wait) = pause(&mut script, 1);
    script.client.sign_out(script.now);
    assert_eq!(script.client_deadline(), None);
    script.wait(wait * 2);
    assert!(script.take_events().is_empty());
}

#[test]
fn signing_in_by_hand_in_a_pause_takes_its_place() {
    let mut script = online();
    script.hangs_up(script.ns);
    let (_, wait) = pause(&mut script, 1);
    let account = Handle::new("alice@example.net").expect("an account");
    let server = SERVER.parse().expect("an address");
    let sign_in = msnp_proto::client::SignIn::new(account, "Pa55word".into(), server);
    script.client.sign_in(script.now, sign_in).expect("offline");
    let ns = script.connect(SERVER);
    script.wait(wait);
    script.sign_in_rest(ns);
    assert!(script.client.is_online());
}

#[test]
fn whoever_signed_in_elsewhere_stays_there() {
    let mut script = online();
    script.says(script.ns, "OUT OTH\r\n");
    assert_over(&mut script, Lost::ElsewhereSignedIn);
}

#[test]
fn what_no_waiting_mends_ends_it_after_a_while_too() {
    use msnp_proto::types::ErrorCode;
    for (code, why) in [
        (ErrorCode::AUTHENTICATION_FAILED, Lost::Password(ErrorCode::AUTHENTICATION_FAILED)),
        (ErrorCode::NOT_VERIFIED, Lost::Refused(ErrorCode::NOT_VERIFIED)),
    ] {
        let mut script = online();
        script.says(script.ns, "OUT SSD\r\n");
        let (down, wait) = pause(&mut script, 1);
        assert_eq!(down, Lost::ServerDown);
        script.wait(wait);
        let ns = script.connect(SERVER);
        script.says(ns, "VER 1 MSNP7\r\nINF 2 MD5\r\nUSR 3 MD5 S 1\r\n");
        script.says(ns, &format!("{} 4\r\n", code.number()));
        assert_over(&mut script, why);
    }
}

#[test]
fn without_the_policy_nothing_comes_of_itself() {
    let mut script = Script::online();
    script.hangs_up(script.ns);
    assert_over(&mut script, HUNG_UP);
    script.wait(Duration::from_secs(3600));
    assert!(script.take_events().is_empty());
    assert!(script.now > Instant::ZERO);
}
