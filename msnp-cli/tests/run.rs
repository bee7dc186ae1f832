//! Scripts that are run: against the built-in server, a server of two people, and servers that do
//! not behave.

mod support;

use nix::sys::signal::Signal;
use serde_json::Value;
use support::fake::{Answer, Fake};
use support::{CLOSED, Ended, Folder, Msnp, NOWHERE, run, unread, with_limit};

/// Runs a script against the built-in server.
fn script(text: &str, more: &[&str]) -> Ended {
    let folder = Folder::new();
    let path = folder.file("script.msnp", text, 0o644);
    run(&[&["run", "-o", "json", path.to_str().expect("an ASCII path")], more].concat())
}

/// Begins to run a script, given on stdin, as alice.
fn start(at: &str, text: &str, more: &[&str]) -> Msnp {
    let mut msnp = Msnp::start_as("alice", at, &[&["run", "-o", "json", "-"], more].concat());
    msnp.say(text);
    msnp.close_stdin();
    msnp
}

/// The types and lines of all events that have a line.
fn marked(ended: &Ended) -> Vec<(String, u64)> {
    let of = |event: &Value| {
        let line = event["line"].as_u64()?;
        Some((event["type"].as_str()?.to_owned(), line))
    };
    ended.events().iter().filter_map(of).collect()
}

fn done(ended: &Ended) -> Value {
    ended.all("done").remove(0)
}

#[test]
fn every_step_is_done_and_its_events_carry_its_line() {
    let text = "\
# A whole conversation.
set ack-timeout 5m
set window 4

online echo@example.net within 5m
send echo@example.net Hello, ${what} $$
send echo@example.net <<END
two
  lines
END
expect echo@example.net contains \"two\" within 5m
typing echo@example.net
sleep 1ms
status BSY
name \"Alice\"
add carol@example.net as \"Carol\"
group add \"Friends\"
move carol@example.net to \"Friends\"
rename carol@example.net as \"Carol C.\"
block carol@example.net
allow carol@example.net
group rename \"Friends\" as \"Others\"
remove carol@example.net
group remove \"Others\"
open echo@example.net
leave echo@example.net
";
    let ended = script(text, &["--set", "what=world"]);
    ended.assert_code(0);
    let texts: Vec<_> = ended.all("message").iter().map(|event| event["text"].clone()).collect();
    assert_eq!(texts, ["Hello, world $", "two\n  lines"]);
    let mut of_lines = marked(&ended);
    of_lines.retain(|(name, _)| !["queued", "sent", "done"].contains(&name.as_str()));
    let rows = [("chat", 6), ("acked", 6), ("acked", 7), ("message", 11), ("setting", 14)];
    let more = [("setting", 15), ("contact", 16), ("group", 17), ("contact", 18), ("contact", 19)];
    let last = [("contact", 20), ("contact", 21), ("group", 22), ("contact", 23), ("group", 24)];
    let chats = [("chat", 25), ("chat", 26)];
    let expected: Vec<_> = rows.iter().chain(&more).chain(&last).chain(&chats).collect();
    let got: Vec<_> = of_lines.iter().map(|(name, line)| (name.as_str(), *line)).collect();
    assert_eq!(got.iter().collect::<Vec<_>>(), expected);
    let carol = ended.all("contact").iter().find(|event| event["line"] == 19).cloned();
    let carol = carol.expect("somebody was renamed");
    assert_eq!(
        (&carol["name"], &carol["groups"][0]["name"]),
        (&"Carol C.".into(), &"Friends".into())
    );
    assert_eq!((&done(&ended)["acked"], &done(&ended)["line"]), (&2.into(), &26.into()));
}

#[test]
fn mistakes_are_found_before_anything_happens() {
    let folder = Folder::new();
    folder.file("bad.msnp", "sleep soon\nsend bob@example.net hi ${who}\nnonsense\n", 0o644);
    let path = folder.path("bad.msnp");
    let ended = run(&["run", &path]);
    ended.assert_code(65);
    assert!(ended.lines.is_empty());
    for text in [
        ":1:7: expected a time like 500ms, 10s or 2m\n    sleep soon\n          ^\n",
        ":2:25: no variable `who`; give it one with --set who=VALUE\n",
        ":3:1: expected a verb, one of: set online send",
        ": 3 mistakes; nothing was sent\n",
    ] {
        let text = format!("msnp: error: {path}{text}");
        assert!(ended.stderr.contains(&text), "{text}: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("built-in server"));
    let rows: [(&[u8], &[&str], i32, &str); 9] = [
        (b"", &[], 65, "expected at least one step"),
        (b"\xff\xfe", &[], 65, "UTF-16"),
        (b"send a@b.c \x1b[2J\xff\n", &[], 65, "1:16: expected UTF-8"),
        (b"file a@b.c \n", &[], 65, "1:12: expected the path of a file"),
        (b"sleep 0s\n", &["--from-line", "2"], 65, "no step in line 2"),
        (b"sleep 0s\n", &["--from-line", "0"], 2, "--from-line"),
        (b"sleep 0s\n", &["--window", "257"], 2, "1 to 256"),
        (b"sleep 0s\n", &["--set", "novalue"], 2, "name=value"),
        (b"sleep 0s\n", &["--password-stdin"], 2, "stdin"),
    ];
    for (text, more, code, hint) in rows {
        let mut msnp = Msnp::start(&[&["run", "-"], more].concat());
        msnp.say_if_read(text);
        let ended = msnp.end();
        ended.assert_code(code);
        assert!(ended.lines.is_empty() && ended.stderr.contains(hint), "{}", ended.stderr);
        assert!(!ended.stderr.contains('\x1b'));
    }
    let missing = run(&["run", &folder.path("missing")]);
    missing.assert_code(66);
    assert!(missing.stderr.contains("missing"), "{}", missing.stderr);
    run(&["run", "/"]).assert_code(66);
}

#[test]
fn texts_go_out_in_order_through_the_window() {
    for window in ["1", "16", "256"] {
        let text: String = (0..500).map(|n| format!("send echo@example.net t{n}\n")).collect();
        let ended = script(&text, &["--window", window]);
        ended.assert_code(0);
        let lines: Vec<_> = ended.all("acked").iter().map(|event| event["line"].as_u64()).collect();
        assert_eq!(lines, (1..=500).map(Some).collect::<Vec<_>>());
        let texts: Vec<_> =
            ended.all("message").iter().map(|event| event["text"].to_string()).collect();
        let expected: Vec<_> = (0..texts.len()).map(|n| format!("\"t{n}\"")).collect();
        assert_eq!(texts, expected);
        // Never more on their way than the window.
        let (mut open, mut most) = (0, 0);
        for name in ended.types() {
            match name.as_str() {
                "sent" => open += 1,
                "acked" => open -= 1,
                _ => {}
            }
            most = most.max(open);
        }
        assert!(most <= window.parse().expect("a number"), "{most}");
    }
}

#[test]
fn a_failure_stops_the_run_or_does_not() {
    let text =
        "send echo@example.net a\nsend nobody@example.net b\nsleep 0s\nsend echo@example.net c\n";
    let ended = script(text, &[]);
    ended.assert_code(1);
    assert_eq!((ended.all("acked").len(), ended.all("failed").len()), (1, 1));
    assert_eq!(ended.all("failed")[0]["line"], 2);
    assert_eq!(done(&ended)["line"], 1);

    for go_on in [&["--on-error", "continue"][..], &[]] {
        let set = if go_on.is_empty() { "set on-error continue\n" } else { "# nothing\n" };
        let ended = script(&format!("{set}{text}"), go_on);
        ended.assert_code(1);
        assert_eq!((ended.all("acked").len(), ended.all("failed").len()), (2, 1));
        assert_eq!(done(&ended)["line"], 5);
    }
    // The command line has the last word.
    let text = format!("set on-error continue\n{text}");
    assert_eq!(script(&text, &["--on-error", "stop"]).all("acked").len(), 1);
}

#[test]
fn a_run_goes_on_behind_the_last_finished_line() {
    let text = "set window 1\nsend echo@example.net a\nsend echo@example.net b\n\
                online nobody@example.net\nsend echo@example.net c\n";
    let ended = script(text, &[]);
    let line = done(&ended)["line"].as_u64().expect("a line");
    assert_eq!(line, 3);
    let ended = script(text, &["--on-error", "continue", "--from-line", &(line + 1).to_string()]);
    let lines: Vec<_> = ended.all("acked").iter().map(|event| event["line"].clone()).collect();
    assert_eq!(lines, [5]);
}

#[test]
fn a_text_that_was_not_sent_is_not_hidden_by_those_behind_it() {
    let slow = || {
        Fake::start(|_, line| match line.split(' ').collect::<Vec<_>>().as_slice() {
            // They are called, and do not come.
            ["CAL", trid, "slow@example.net"] => {
                Answer::Say(format!("CAL {trid} RINGING 77\r\n").into_bytes())
            }
            _ => Answer::Usual,
        })
    };
    let text = "send bob@example.net first\nsend slow@example.net important\n\
                send bob@example.net hi\n";
    for go_on in ["stop", "continue"] {
        let run =
            |limit: &str| start(&slow().at, text, &["--timeout", limit, "--on-error", go_on]).end();
        let ended = with_limit(run, |ended| ended.all("acked").len() == 2);
        ended.assert_code(1);
        assert_eq!(ended.all("failed")[0]["line"], 2);
        assert_eq!(done(&ended)["line"], 1);
    }
    // Whoever goes on behind the last finished line says what was not said.
    let ended = start(&slow().at, text, &["--from-line", "2", "--window", "1", "--timeout", "1s"]);
    let ended = ended.end();
    assert_eq!((ended.all("failed").len(), ended.all("acked").len()), (1, 0));
    assert_eq!(done(&ended)["line"], Value::Null);

    let text = "send nobody@example.net a\nsend echo@example.net b\nsend echo@example.net c\n";
    let ended = script(text, &[]);
    ended.assert_code(1);
    assert_eq!((ended.all("failed").len(), ended.all("acked").len()), (1, 2));
    assert_eq!(done(&ended)["line"], Value::Null);
    // Who is not there is not there, and the script is to go on.
    assert_eq!(done(&script(text, &["--on-error", "continue"]))["line"], 3);
}

#[test]
fn a_request_that_is_not_answered_is_unknown_and_is_not_made_again() {
    let silent = || {
        Fake::start(|_, line| match line.starts_with("ADG") {
            true => Answer::Nothing,
            false => Answer::Usual,
        })
    };
    let text = "send bob@example.net a\ngroup add \"A\"\nsend bob@example.net b\n";
    let assert_unknown = |ended: &Ended| {
        let refused = ended.all("refused");
        assert_eq!(refused.len(), 1, "{:?}", ended.lines);
        assert_eq!((&refused[0]["outcome"], &refused[0]["line"]), (&"unknown".into(), &2.into()));
        assert_eq!((ended.all("acked").len(), &done(ended)["line"]), (1, &2.into()));
    };
    let run = |limit: &str| start(&silent().at, text, &["--timeout", limit]).end();
    let was_asked =
        |ended: &Ended| ended.all("refused").iter().any(|no| no["outcome"] == "unknown");
    let ended = with_limit(run, was_asked);
    ended.assert_code(1);
    assert_unknown(&ended);

    let fake = silent();
    let msnp = start(&fake.at, text, &[]);
    fake.until_heard("ADG");
    msnp.interrupt();
    let ended = msnp.end();
    ended.assert_code(130);
    assert_unknown(&ended);
}

#[test]
fn waiting_has_an_end_and_a_code() {
    let rows = [
        ("online nobody@example.net within 1s", 69, "online", "not a contact"),
        ("expect echo@example.net within 50ms", 124, "expect", "no text within 50ms"),
    ];
    for (text, code, request, reason) in rows {
        let ended = script(text, &[]);
        ended.assert_code(code);
        let refused = &ended.all("refused")[0];
        assert_eq!((&refused["request"], &refused["line"]), (&request.into(), &1.into()));
        assert!(refused["name"].as_str().is_some_and(|name| name.contains(reason)), "{refused}");
        assert!(ended.stderr.contains(reason), "{}", ended.stderr);
        assert_eq!(done(&ended)["line"], Value::Null);
    }
    let (_serve, at) = Msnp::serve(&[]);
    let ended = start(&at, "online bob@example.net within 50ms", &[]).end();
    ended.assert_code(69);
    let ended = start(&at, "sleep 1h", &["--timeout", "300ms"]).end();
    ended.assert_code(124);
    assert!(ended.stderr.contains("--timeout of 300ms"), "{}", ended.stderr);
    let ended = start(&at, "set timeout 300ms\nsleep 1h", &[]).end();
    ended.assert_code(124);
}

#[test]
fn somebody_is_waited_for_and_answers() {
    let (_serve, at) = Msnp::serve(&[]);
    let text = "online bob@example.net within 5m\nsend bob@example.net ready?\n\
                expect bob@example.net contains \"yes\" within 5m\nsend bob@example.net go\n";
    let mut alice = start(&at, text, &[]);
    alice.until_type("online");
    let mut bob = Msnp::start_as("bob", &at, &["chat", "-o", "json", "alice@example.net"]);
    assert_eq!(bob.until_type("message")["text"], "ready?");
    bob.say("no\nyes, I am\n");
    assert_eq!(bob.until_type("message")["text"], "go");
    let alice = alice.end();
    alice.assert_code(0);
    let lines: Vec<_> = alice.all("message").iter().map(|event| event["line"].clone()).collect();
    assert_eq!(lines, [Value::Null, 3.into()]);
}

#[test]
fn codes_of_servers_that_do_not_behave() {
    let text = "send bob@example.net a\nsend bob@example.net b\n";
    start(CLOSED, text, &[]).end().assert_code(75);
    start(NOWHERE, text, &[]).end().assert_code(68);
    let number = |verb: &'static str, number: u16| {
        Fake::start(move |_, line| {
            let trid = line.split(' ').nth(1).unwrap_or("0").to_owned();
            match line.starts_with(verb) {
                true => Answer::Say(format!("{number} {trid}\r\n").into_bytes()),
                false => Answer::Usual,
            }
        })
    };
    let rows = [("USR 4", 911, 77), ("XFR", 713, 75), ("XFR", 913, 70), ("CAL", 217, 69)];
    for (verb, code, exit) in rows {
        let ended = start(&number(verb, code).at, text, &[]).end();
        ended.assert_code(exit);
        assert!(ended.events().iter().any(|event| event["code"] == code), "{:?}", ended.lines);
    }
    let rubbish = Fake::start(|_, _| Answer::Say(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()));
    start(&rubbish.at, text, &[]).end().assert_code(76);
    let nak = Fake::start(|_, line| match line.split(' ').nth(1) {
        Some(trid) if line.starts_with("MSG") => Answer::Say(format!("NAK {trid}\r\n").into()),
        _ => Answer::Usual,
    });
    let ended = start(&nak.at, text, &["--window", "1"]).end();
    ended.assert_code(69);
    assert_eq!((ended.all("nacked").len(), nak.count("MSG")), (1, 1));
    assert_eq!(done(&ended)["line"], Value::Null);
}

#[test]
fn a_text_that_is_not_answered_is_unknown_and_its_line_is_not_run_again() {
    let silent = || {
        Fake::start(|_, line| match line.starts_with("MSG") {
            true => Answer::Nothing,
            false => Answer::Usual,
        })
    };
    let text = "send bob@example.net a\nsend bob@example.net b\nsleep 0s\nsend bob@example.net c\n";
    for option in ["--ack-timeout", "--timeout"] {
        let run = |limit: &str| start(&silent().at, text, &[option, limit]).end();
        let ended = with_limit(run, |ended| ended.all("sent").len() == 2);
        ended.assert_code(3);
        assert_eq!((ended.all("unknown").len(), ended.all("sent").len()), (2, 2));
        assert_eq!(done(&ended)["line"], 2);
    }
    // What is only to be written is done when it is.
    let ended = start(&silent().at, text, &["--until", "sent"]).end();
    ended.assert_code(0);
    assert_eq!((ended.all("sent").len(), &done(&ended)["line"]), (3, &4.into()));

    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let fake = silent();
        let mut msnp = start(&fake.at, text, &[]);
        msnp.until_type("sent");
        msnp.signal(signal);
        let ended = msnp.end();
        ended.assert_code(code);
        assert_eq!((ended.all("unknown").len(), &done(&ended)["line"]), (2, &2.into()));
    }
    let fake = Fake::start(|_, line| match line.starts_with("MSG") {
        true => Answer::HangUpAll,
        false => Answer::Usual,
    });
    let ended = start(&fake.at, text, &["--window", "1"]).end();
    ended.assert_code(3);
    assert_eq!(fake.count("MSG"), 1);
}

#[test]
fn a_run_without_a_reader_finishes_what_is_on_the_wire() {
    let (_serve, at) = Msnp::serve(&[]);
    let mut bob = Msnp::start_as("bob", &at, &["listen", "-o", "json"]);
    bob.until_type("online");
    let folder = Folder::new();
    folder.file("script", "send bob@example.net a\nsleep 1h\n", 0o644);
    let path = folder.path("script");
    // It is found closed before the first step, which is not begun then.
    let mut alice = Msnp::start_as_to("alice", &at, unread(), &["run", &path]);
    assert_eq!(alice.wait().expect("it is ours").code(), Some(74));
    // It is closed in the middle: what is on its way is finished, and the rest is not begun.
    bob.interrupt();
    bob.end().assert_code(130);
    let mut bob = Msnp::start_as("bob", &at, &["pipe"]);
    bob.until_type("online");
    let rest = "send bob@example.net a\n".repeat(5_000);
    let text = format!(
        "send bob@example.net first\nexpect bob@example.net contains \"go\" within 5m\n{rest}"
    );
    let mut alice = start(&at, &text, &[]);
    alice.until_type("acked");
    alice.close_stdout();
    let go = serde_json::json!({"do": "send", "to": "alice@example.net", "text": "go"});
    bob.until_type("message");
    bob.say(&format!("{go}\n"));
    assert_eq!(alice.code(), 74);
    let heard = bob.end().all("message").len();
    assert!((1..5_000).contains(&heard), "{heard}");
}

#[test]
fn local_trouble_has_its_codes() {
    let folder = Folder::new();
    folder.file("script", "sleep 0s", 0o644);
    let path = folder.path("script");
    run(&["run", &path, "--trace-wire", "/no/such/folder/file"]).assert_code(73);
    run(&["run", &path, "--server", "127.0.0.1"]).assert_code(78);
    folder.file("password", "geheim", 0o644);
    let password = folder.path("password");
    run(&["run", &path, "--password-file", &password]).assert_code(78);
}

#[test]
fn signing_in_is_tried_again_and_no_text_is_sent_twice() {
    let fake = Fake::start(|n, _| if n < 2 { Answer::HangUp } else { Answer::Usual });
    let more = ["--retry", "5", "--retry-max-wait", "10ms"];
    let ended = start(&fake.at, "send bob@example.net a\n", &more).end();
    ended.assert_code(0);
    assert_eq!((ended.all("retrying").len(), fake.count("MSG")), (2, 1));
}

#[test]
fn what_a_script_says_cannot_forge_lines_or_steer_the_terminal() {
    let text = "send echo@example.net \x1b[2J\u{202e}x\nexpect echo@example.net contains \"\x1b\" within 5m\n\
                remove bob@example.net from \"\x1b[2J\"\n";
    let folder = Folder::new();
    let path = folder.file("script", text, 0o644);
    let ended = run(&["run", path.to_str().expect("an ASCII path")]);
    ended.assert_code(1);
    for text in ended.lines.iter().chain([&ended.stderr]) {
        assert!(!text.contains(['\x1b', '\u{202e}']), "{text:?}");
    }
}
