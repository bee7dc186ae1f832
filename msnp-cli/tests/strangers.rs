//! Servers of other kinds at the address that was given: each is told by what it says, in one line,
//! whatever verb was used.

mod support;

use std::net::TcpListener;
use std::thread;

use support::fake::{Answer, Fake};
use support::{Ended, Msnp, with_limit};

/// What a server says, whether it closes then, and what is said of it.
type Row = (&'static [u8], bool, &'static str);

const STRANGERS: [Row; 16] = [
    (b"220 mail.example.net ESMTP\r\n", false, "a mail or FTP server"),
    (b"220-mail.example.net ESMTP\r\n220 ready\r\n", false, "a mail or FTP server"),
    (b"220 (vsFTPd 3.0.3)\r\n", false, "a mail or FTP server"),
    (b"554 5.7.1 not for you\r\n", true, "554 5.7.1 not for you"),
    (b"200 news.example.net ready\r\n", false, "200 news.example.net ready"),
    (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", true, "a web server"),
    (b"SSH-2.0-OpenSSH_9.6\r\n", false, "an SSH server"),
    (b"SSH-2.0-OpenSSH_9.6\r\nProtocol mismatch.\r\n", true, "an SSH server"),
    (b"* OK IMAP4rev1 ready\r\n", false, "an IMAP server"),
    (b"+OK POP3 ready\r\n", false, "a POP3 server"),
    (b"\x15\x03\x01\x00\x02\x02\x28", true, "TLS"),
    (b"NOTICE AUTH :*** Looking up your hostname\r\n", false, "an IRC server"),
    (b":irc.example.net NOTICE * :*** Looking up your hostname\r\n", false, "an IRC server"),
    (b":irc.example.net 451 * :You have not registered\r\n", false, "an IRC server"),
    (&[0xff; 20_000], false, "\"<ff><ff>"),
    (b"\x1b[2J\\\r\n", false, "\"\\u{1b}[2J\\\\\""),
];

/// Runs a verb against a server that answers the first command with this.
fn meet(verb: &[&str], bytes: &'static [u8], hangs_up: bool) -> Ended {
    let fake = Fake::start(move |n, _| match n {
        0 if hangs_up => Answer::SayAndHangUp(bytes.to_vec()),
        0 => Answer::Say(bytes.to_vec()),
        _ => Answer::Nothing,
    });
    Msnp::start_as("alice", &fake.at, &[verb, &["-o", "json"]].concat()).end()
}

const VERBS: [&[&str]; 5] = [
    &["send", "--to", "bob@example.net", "x"],
    &["check"],
    &["listen"],
    &["contacts", "list"],
    &["pipe"],
];

#[test]
fn other_services_are_known_by_what_they_say() {
    for (bytes, hangs_up, seen) in STRANGERS {
        for verb in VERBS {
            let ended = meet(verb, bytes, hangs_up);
            ended.assert_code(76);
            let text = &ended.stderr;
            assert!(text.contains(seen), "{verb:?}: {text}");
            assert!(text.is_ascii() && text.len() < 600, "{verb:?}: {text}");
            assert!(!text.contains("\\r"), "the first line is enough: {text}");
            assert_eq!(text.lines().count(), 1, "{verb:?}: {text}");
        }
    }
}

#[test]
fn a_check_says_what_causes_it_too() {
    for (bytes, hangs_up, seen) in STRANGERS {
        let ended = meet(&["check"], bytes, hangs_up);
        let stages = ended.all("stage");
        let failed = stages.iter().find(|stage| stage["result"] == "failed").expect("one fails");
        assert_eq!(failed["stage"], "version");
        // In JSON it is not escaped once more.
        let seen = seen.replace("\\u{1b}", "\u{1b}").replace("\\\\", "\\");
        let text = failed["seen"].as_str().expect("a text");
        assert!(text.contains(&seen) && text.is_ascii() && text.len() < 500, "{text}");
        for name in ["cause", "advice"] {
            assert!(failed[name].as_str().is_some_and(|text| text.len() > 10), "{failed}");
        }
    }
}

#[test]
fn servers_that_refer_to_each_other_are_found_out_by_every_verb() {
    for verb in VERBS {
        let at = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
        let own = std::sync::Arc::clone(&at);
        let fake =
            Fake::start(move |_, line| match line.split(' ').collect::<Vec<_>>().as_slice() {
                ["USR", trid, "MD5", "I", ..] => {
                    let at = own.lock().expect("no panic").clone();
                    Answer::Say(format!("XFR {trid} NS {at} 0 {at}\r\n").into_bytes())
                }
                _ => Answer::Usual,
            });
        at.lock().expect("no panic").push_str(&fake.at);
        let ended = Msnp::start_as("alice", &fake.at, &[verb, &["-o", "json"]].concat()).end();
        ended.assert_code(76);
        let text = &ended.stderr;
        assert!(text.contains("it referred us on more than"), "{verb:?}: {text}");
        assert!(text.contains("tell its operator"), "{verb:?}: {text}");
    }
}

#[test]
fn a_referral_that_leads_nowhere_is_not_blamed_on_the_user() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let closed = listener.local_addr().expect("it listens").to_string();
    drop(listener);
    let web = Fake::start(|_, _| Answer::SayAndHangUp(b"HTTP/1.1 400 Bad Request\r\n".to_vec()));
    let mute = Fake::start(|_, _| Answer::HangUp);
    let rows = [
        (closed.as_str(), 75, "nobody listens there"),
        ("nowhere.invalid:1863", 68, "the name has no address"),
        (&web.at, 76, "as a web server does"),
        (&mute.at, 75, "it closed the connection without a word"),
    ];
    for (to, code, seen) in rows {
        let target = to.to_owned();
        let fake =
            Fake::start(move |_, line| match line.split(' ').collect::<Vec<_>>().as_slice() {
                ["USR", trid, "MD5", "I", ..] => {
                    Answer::Say(format!("XFR {trid} NS {target} 0\r\n").into_bytes())
                }
                _ => Answer::Usual,
            });
        for verb in VERBS {
            let ended = Msnp::start_as("alice", &fake.at, &[verb, &["-o", "json"]].concat()).end();
            ended.assert_code(code);
            let text = &ended.stderr;
            let advice = format!("tell the operator of {}, which refers to {to};", fake.at);
            assert!(text.contains(seen) && text.contains(&advice), "{verb:?}: {text}");
            assert!(!text.contains("--server"), "{verb:?}: {text}");
            if *verb == ["check"] {
                assert!(text.contains(&format!("failed at {to}: ")), "{text}");
                let stages = ended.all("stage");
                let failed = stages.iter().find(|stage| stage["result"] == "failed");
                let cause = failed.and_then(|stage| stage["cause"].as_str());
                assert!(cause.is_some_and(|cause| cause.contains("in the referral")), "{stages:?}");
            } else {
                assert!(
                    text.contains(&format!("referred to {to}: {seen}")) || code == 76,
                    "{text}"
                );
            }
        }
    }
}

#[test]
fn what_no_time_will_mend_is_not_called_a_busy_server() {
    for (code, exit, advice) in [("924", 75, "confirm it"), ("923", 77, "give the consent")] {
        for verb in VERBS {
            let fake = Fake::start(move |_, line| match line.starts_with("USR 4") {
                true => Answer::Say(format!("{code} 4\r\n").into_bytes()),
                false => Answer::Usual,
            });
            let ended = Msnp::start_as("alice", &fake.at, &[verb, &["-o", "json"]].concat()).end();
            ended.assert_code(exit);
            let text = &ended.stderr;
            assert!(text.contains(code) && text.contains(advice), "{verb:?}: {text}");
            for wrong in ["again later", "busy", "the password"] {
                assert!(!text.contains(wrong), "{verb:?}: {text}");
            }
        }
    }
}

#[test]
fn a_server_that_closes_without_a_word_may_be_tried_again() {
    for verb in VERBS {
        let ended = meet(verb, b"", true);
        ended.assert_code(75);
        let text = &ended.stderr;
        assert!(text.contains("it closed the connection without a word"), "{verb:?}: {text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

#[test]
fn each_attempt_is_described_by_what_was_seen_at_it() {
    // It hangs up at the first attempt, and is gone at the second: from an address where nobody else
    // looks for a free port meanwhile.
    let listener = TcpListener::bind("127.0.0.4:0").expect("a free port");
    let at = listener.local_addr().expect("it listens").to_string();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("somebody comes");
        drop(listener);
        drop(stream);
    });
    let args = ["send", "--to", "bob@example.net", "x", "-o", "json", "--retry", "1"];
    let ended = Msnp::start_as("alice", &at, &args).end();
    server.join().expect("no panic");
    ended.assert_code(75);
    assert_eq!(ended.all("retrying").len(), 1);
    assert!(ended.stderr.contains("connection refused"), "{}", ended.stderr);
}

#[test]
fn a_server_that_keeps_silent_is_described_when_time_runs_out() {
    let fake = Fake::start(|_, _| Answer::Nothing);
    let run = |limit: &str| {
        let args = ["send", "--to", "bob@example.net", "--timeout", limit, "x", "-o", "json"];
        let ended = Msnp::start_as("alice", &fake.at, &args).end();
        ended.assert_code(124);
        assert!(ended.stderr.contains(&format!("--timeout of {limit}: ")), "{}", ended.stderr);
        ended
    };
    let ended = with_limit(run, |ended| !ended.all("connected").is_empty());
    let seen = ": it took the connection and said nothing; check the port";
    assert!(ended.stderr.contains(seen), "{}", ended.stderr);
}
