//! Verbs that stay come back when their connection is lost, and leave when that would not help.

mod support;

use support::Msnp;
use support::fake::{Answer, Fake};

/// The place of the last command of a sign-in, after which the client is online.
const LAST: usize = 6;

fn start(fake: &Fake, verb: &[&str], more: &[&str]) -> Msnp {
    let args = [verb, &["-o", "json", "--retry-max-wait", "10ms"], more].concat();
    Msnp::start_as("alice", &fake.at, &args)
}

#[test]
fn listening_goes_on_after_the_connection_was_lost() {
    let fake = Fake::start(|n, _| if n == LAST { Answer::HangUp } else { Answer::Usual });
    let mut listen = start(&fake, &["listen"], &[]);
    for name in ["online", "lost", "retrying", "connected", "authenticated", "online"] {
        listen.until_type(name);
    }
    listen.interrupt();
    let ended = listen.end();
    ended.assert_code(130);
    assert_eq!(ended.all("lost").len(), 1, "leaving is no loss");
    let retrying = &ended.all("retrying")[0];
    assert_eq!(retrying["attempt"], 1);
    assert!(retrying["wait_ms"].as_u64().is_some_and(|wait| wait <= 10), "{retrying}");
}

#[test]
fn a_server_that_throws_us_out_each_time_is_tried_again_and_again() {
    let fake =
        Fake::start(|_, line| if line.starts_with("CVR") { Answer::HangUp } else { Answer::Usual });
    let mut listen = start(&fake, &["listen"], &[]);
    for attempt in 1..=8 {
        listen.until_type("online");
        assert_eq!(listen.until_type("retrying")["attempt"], attempt);
    }
    listen.interrupt();
    listen.end().assert_code(130);
}

#[test]
fn an_interruption_while_waiting_ends_at_once() {
    let fake = Fake::start(|n, _| match n {
        0..LAST => Answer::Usual,
        _ => Answer::HangUp,
    });
    let mut listen = Msnp::start_as("alice", &fake.at, &["listen", "-o", "json"]);
    // By then the pause is of several seconds.
    listen.until(|event| event["type"] == "retrying" && event["attempt"] == 3);
    listen.interrupt();
    listen.end().assert_code(130);
}

#[test]
fn who_does_not_want_it_leaves_with_the_reason() {
    for verb in [&["listen"][..], &["chat", "bob@example.net"], &["pipe"]] {
        let fake = Fake::start(|n, _| if n == LAST { Answer::HangUp } else { Answer::Usual });
        let ended = keep_open(start(&fake, verb, &["--no-reconnect"]));
        ended.assert_code(75);
        assert!(ended.all("retrying").is_empty());
    }
}

/// Waits for the end while stdin stays open.
fn keep_open(mut msnp: Msnp) -> support::Ended {
    msnp.until_type("done");
    msnp.end()
}

#[test]
fn a_password_that_is_refused_later_ends_it() {
    for verb in [&["listen"][..], &["chat", "bob@example.net"], &["pipe"]] {
        let fake = Fake::start(|n, line| match n {
            LAST => Answer::HangUp,
            n if n > LAST && line.starts_with("USR 4") => Answer::Say(b"911 4\r\n".to_vec()),
            _ => Answer::Usual,
        });
        let ended = keep_open(start(&fake, verb, &[]));
        ended.assert_code(77);
        assert_eq!((ended.all("retrying").len(), ended.all("lost").len()), (1, 2));
    }
}

#[test]
fn what_was_said_and_not_answered_is_unknown_and_is_not_said_again() {
    // The text of the first session is the twelfth command but one.
    let fake = Fake::start(|n, _| if n == 10 { Answer::HangUpAll } else { Answer::Usual });
    let mut chat = start(&fake, &["chat", "bob@example.net"], &[]);
    chat.until_type("online");
    chat.say("first\n");
    let unknown = chat.until_type("unknown");
    assert_eq!((&unknown["id"], &unknown["to"]), (&"1".into(), &"bob@example.net".into()));
    chat.until_type("retrying");
    // This waits until we are back.
    chat.say("second\n");
    let acked = chat.until_type("acked");
    assert_eq!(acked["id"], "2");
    chat.close_stdin();
    let ended = chat.end();
    ended.assert_code(1);
    let done = &ended.all("done")[0];
    assert_eq!(
        (&done["acked"], &done["unknown"], &done["failed"]),
        (&1.into(), &1.into(), &0.into())
    );
    assert_eq!(fake.count("MSG"), 2);
}

#[test]
fn lines_that_were_never_taken_up_are_reported() {
    let fake = Fake::start(|n, _| match n {
        0..LAST => Answer::Usual,
        _ => Answer::HangUp,
    });
    let mut chat = Msnp::start_as("alice", &fake.at, &["chat", "-o", "json", "bob@example.net"]);
    chat.until(|event| event["type"] == "retrying" && event["attempt"] == 2);
    chat.say("one\ntwo\n");
    chat.until(|event| event["type"] == "retrying" && event["attempt"] == 4);
    chat.interrupt();
    let ended = chat.end();
    ended.assert_code(130);
    let failed = ended.all("failed");
    assert_eq!(failed.len(), 2);
    let reason = failed[0]["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("not sent: interrupted"), "{reason}");
    assert_eq!(fake.count("MSG"), 0);
}

#[test]
fn the_first_sign_in_is_tried_as_often_as_asked_for() {
    let fake = Fake::start(|n, _| if n < 2 { Answer::HangUp } else { Answer::Usual });
    let mut listen = start(&fake, &["listen"], &["--retry", "2"]);
    listen.until_type("online");
    listen.interrupt();
    let ended = listen.end();
    ended.assert_code(130);
    assert_eq!(ended.all("retrying").len(), 2);
    let fake = Fake::start(|_, _| Answer::HangUp);
    let ended = start(&fake, &["listen"], &["--retry", "2"]).end();
    ended.assert_code(75);
    assert_eq!((ended.all("retrying").len(), ended.all("lost").len()), (2, 3));
}
