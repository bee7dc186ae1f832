//! `check` against servers that behave, and that fail at each stage in each way.

mod support;

use serde_json::Value;
use support::fake::{Answer, Fake};
use support::{CLOSED, Ended, Msnp, NOWHERE, run, run_in, with_limit};

fn check(at: &str, more: &[&str]) -> Ended {
    let args = [&["check", "-o", "json"], more].concat();
    Msnp::start_as("alice", at, &args).end()
}

fn stages(ended: &Ended) -> Vec<(String, String)> {
    let word = |stage: &Value, name: &str| stage[name].as_str().expect("a word").to_owned();
    ended.all("stage").iter().map(|one| (word(one, "stage"), word(one, "result"))).collect()
}

fn passed(ended: &Ended) -> usize {
    ended.all("stage").iter().take_while(|stage| stage["result"] == "passed").count()
}

/// A check of a server that stops answering when so many stages have passed.
fn check_until_time_runs_out(at: &str, stages: usize) -> Ended {
    with_limit(|limit| check(at, &["--timeout", limit]), |ended| passed(ended) == stages)
}

/// Those that passed, the one that failed with what was said about it.
#[track_caller]
fn failure(ended: &Ended, code: i32) -> (usize, Value) {
    ended.assert_code(code);
    let stages = ended.all("stage");
    let passed = passed(ended);
    let failed = stages[passed].clone();
    assert_eq!(failed["result"], "failed", "{:?}", ended.lines);
    assert!(stages.iter().skip(passed + 1).all(|stage| stage["result"] == "not_reached"));
    for name in ["seen", "cause", "advice"] {
        assert!(failed[name].as_str().is_some_and(|text| text.len() > 10), "{failed}");
    }
    // The same for people, on stderr and in text.
    assert!(ended.stderr.contains(" failed at "), "{}", ended.stderr);
    (passed, failed)
}

#[test]
fn all_stages_pass_also_behind_a_referral() {
    for (options, expected) in [
        (&["--single"][..], &["resolve", "connect", "version", "auth", "list", "online"][..]),
        (
            &[],
            &[
                "resolve", "connect", "version", "referral", "resolve", "connect", "version",
                "auth", "list", "online",
            ],
        ),
    ] {
        let (_serve, at) = Msnp::serve(options);
        let ended = check(&at, &[]);
        ended.assert_code(0);
        let expected: Vec<_> =
            expected.iter().map(|name| ((*name).into(), "passed".into())).collect();
        assert_eq!(stages(&ended), expected);
        assert!(ended.all("stage").iter().all(|stage| stage["ms"].is_u64()));
    }
}

#[test]
fn it_goes_as_far_as_asked_and_needs_no_account_before_signing_in() {
    let fake = Fake::start(|_, _| Answer::Usual);
    for (stage, count) in [("connect", 2), ("version", 3), ("auth", 4), ("online", 6)] {
        let ended = check(&fake.at, &["--as-far-as", stage]);
        ended.assert_code(0);
        assert_eq!(stages(&ended).len(), count, "{stage}");
    }
    fake.heard.lock().expect("no panic").clear();
    for more in [&[][..], &["--as-far-as", "connect"], &["--as-far-as", "version"]] {
        let ended = run(&[&["check", "-o", "json", "--server", &fake.at], more].concat());
        ended.assert_code(0);
    }
    assert_eq!((fake.count("USR"), fake.count("SYN")), (0, 0));
    let args = ["check", "--server", &fake.at, "--as-far-as", "auth"];
    run(&args).assert_code(78);
    run(&["check", "-o", "json"]).assert_code(0);
}

#[test]
fn a_server_that_hangs_up_or_keeps_silent_is_described_at_each_stage() {
    let rows = [("VER", 2), ("INF", 3), ("USR", 3), ("USR 4", 3), ("SYN", 4), ("CHG", 5)];
    for (verb, passed) in rows {
        let fake = |answer: fn() -> Answer| {
            Fake::start(
                move |_, line| if line.starts_with(verb) { answer() } else { Answer::Usual },
            )
        };
        let (got, failed) = failure(&check(&fake(|| Answer::HangUp).at, &[]), 75);
        assert_eq!(got, passed, "{verb}");
        let silent = fake(|| Answer::Nothing);
        let (got, also) = failure(&check_until_time_runs_out(&silent.at, passed), 124);
        assert_eq!(got, passed, "{verb}");
        assert_ne!(failed["seen"], also["seen"]);
        if verb == "VER" {
            assert_eq!(also["seen"], "it took the connection and said nothing");
            assert_eq!(failed["seen"], "it closed the connection without a word");
        }
    }
}

#[test]
fn refusals_are_explained() {
    let rows = [
        ("VER", "VER 1 0", 2, 76, "none of the versions"),
        ("INF", "INF 2 CTP", 3, 76, "no sign-in by MD5"),
        ("USR 4", "911 4", 3, 77, "911 authentication failed"),
        ("USR 4", "923 4", 3, 77, "923 child account"),
        ("USR 4", "910 4", 3, 75, "910 server too busy"),
        ("USR 4", "OUT OTH", 3, 75, "signed in elsewhere"),
        ("CHG", "OUT SSD", 5, 75, "going down"),
        ("SYN", "\u{fffd}\r\nSYN 5 x\r\n\0", 4, 124, "nothing more"),
    ];
    for (verb, answer, passed, code, seen) in rows {
        let fake = Fake::start(move |_, line| match line.starts_with(verb) {
            true => Answer::Say(format!("{answer}\r\n").into_bytes()),
            false => Answer::Usual,
        });
        let ended = match code {
            124 => check_until_time_runs_out(&fake.at, passed),
            _ => check(&fake.at, &[]),
        };
        let (got, failed) = failure(&ended, code);
        assert_eq!(got, passed, "{verb} {answer}");
        assert!(failed["seen"].as_str().is_some_and(|text| text.contains(seen)), "{failed}");
    }
}

#[test]
fn servers_that_refer_to_each_other_are_found_out() {
    let fake = Fake::start(|_, line| match line.split(' ').collect::<Vec<_>>().as_slice() {
        ["USR", trid, "MD5", "I", ..] => {
            Answer::Say(format!("XFR {trid} NS 127.0.0.2:1 0 127.0.0.1:1\r\n").into_bytes())
        }
        _ => Answer::Usual,
    });
    let ended = check(&fake.at, &[]);
    let (passed, failed) = failure(&ended, 75);
    assert_eq!(
        (passed, &failed["stage"], &failed["server"]),
        (5, &"connect".into(), &"127.0.0.2:1".into())
    );
}

#[test]
fn what_cannot_be_reached_is_told_apart() {
    let (passed, failed) = failure(&check(CLOSED, &[]), 75);
    assert_eq!((passed, &failed["seen"]), (1, &"nobody listens there".into()));
    let (passed, failed) = failure(&check(NOWHERE, &[]), 68);
    assert_eq!((passed, &failed["seen"]), (0, &"the name has no address".into()));
}

#[test]
fn without_a_password_it_finds_out_what_can_be_found_out() {
    let check = |at: &str| {
        // Nobody can be asked for a password.
        let environment = [("MSNP_SERVER", at), ("MSNP_ACCOUNT", "alice@example.net")];
        let file = ["check", "-o", "json", "--password-file", "/no/such/file"];
        run_in(&environment, &file)
    };
    let (passed, failed) = failure(&check(CLOSED), 75);
    assert_eq!((passed, &failed["stage"]), (1, &"connect".into()));

    let fake = Fake::start(|_, _| Answer::Usual);
    let (passed, failed) = failure(&check(&fake.at), 66);
    assert_eq!((passed, &failed["stage"]), (3, &"auth".into()));
    assert!(failed["seen"].as_str().is_some_and(|seen| seen.contains("password")), "{failed}");
    assert_eq!(fake.count("USR"), 0);
}

#[test]
fn an_interruption_ends_it() {
    let fake = Fake::start(|_, _| Answer::Nothing);
    let mut check = Msnp::start_as("alice", &fake.at, &["check", "-o", "json"]);
    check.until(|event| event["stage"] == "connect");
    check.interrupt();
    check.end().assert_code(130);
}
