//! Servers that hang up, keep silent, refuse or talk rubbish.

mod support;

use support::fake::{Answer, COMMANDS, Fake};
use support::{CLOSED, Ended, Msnp, NOWHERE, run, with_limit};

fn start(at: &str, more: &[&str]) -> Msnp {
    let args = [&["send", "-o", "json", "--to", "bob@example.net"], more, &["hello"]].concat();
    Msnp::start_as("alice", at, &args)
}

fn send(fake: &Fake, more: &[&str]) -> Ended {
    start(&fake.at, more).end()
}

/// The one end of the one message.
fn end(ended: &Ended) -> String {
    let ends = ["acked", "nacked", "failed", "unknown"];
    let found: Vec<String> =
        ended.types().into_iter().filter(|name| ends.contains(&name.as_str())).collect();
    assert_eq!(found.len(), 1, "{:?}", ended.lines);
    found.into_iter().next().expect("one")
}

#[test]
fn a_server_that_behaves_is_served() {
    let fake = Fake::start(|_, _| Answer::Usual);
    let ended = send(&fake, &[]);
    ended.assert_code(0);
    assert_eq!(end(&ended), "acked");
    let heard = fake.heard.lock().expect("no panic").clone();
    let verbs: Vec<&str> = heard.iter().map(|line| &line[..3]).take(COMMANDS.len()).collect();
    assert_eq!(verbs, COMMANDS);
}

#[test]
fn a_server_may_hang_up_at_any_point() {
    for (point, verb) in COMMANDS.into_iter().enumerate() {
        let fake =
            Fake::start(move |n, _| if n == point { Answer::HangUpAll } else { Answer::Usual });
        let ended = send(&fake, &[]);
        // A message that was written may have arrived; before that nothing was taken.
        let (code, name) = if verb == "MSG" { (3, "unknown") } else { (75, "failed") };
        ended.assert_code(code);
        assert_eq!(end(&ended), name, "{verb}");
        assert!(fake.count("MSG") <= 1, "a message is never sent again");
    }
}

#[test]
fn a_switchboard_may_hang_up_at_any_point() {
    for (point, verb) in COMMANDS.into_iter().enumerate().skip(8) {
        let fake = Fake::start(move |n, _| if n == point { Answer::HangUp } else { Answer::Usual });
        let ended = send(&fake, &[]);
        ended.assert_code(if verb == "MSG" { 3 } else { 75 });
        assert!(fake.count("MSG") <= 1);
    }
}

#[test]
fn rubbish_is_told_from_a_server() {
    let rubbish: [&[u8]; 4] = [
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html>",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        &[0xff; 20_000],
        b"VER 0 0\r\n",
    ];
    for bytes in rubbish {
        let fake =
            Fake::start(|n, _| if n == 0 { Answer::Say(bytes.to_vec()) } else { Answer::Nothing });
        let ended = send(&fake, &["--timeout", "5m"]);
        ended.assert_code(76);
        assert_eq!(end(&ended), "failed");
    }
}

#[test]
fn refusals_follow_the_table() {
    let rows = [
        ("USR 4", "911", 77),
        ("USR 4", "921", 77),
        ("USR 4", "910", 75),
        ("USR 4", "500", 75),
        ("XFR", "713", 75),
        ("XFR", "913", 70),
        ("USR 1 alice", "911", 75),
        ("CAL", "205", 69),
        ("CAL", "216", 69),
        ("CAL", "217", 69),
        ("CAL", "280", 75),
    ];
    for (start, number, code) in rows {
        let fake = Fake::start(move |_, line| {
            if !line.starts_with(start) {
                return Answer::Usual;
            }
            let trid = line.split(' ').nth(1).unwrap_or("0");
            Answer::Say(format!("{number} {trid}\r\n").into_bytes())
        });
        let ended = send(&fake, &[]);
        ended.assert_code(code);
        assert_eq!(end(&ended), "failed");
        let number: u16 = number.parse().expect("a number");
        let told = ended.events().iter().any(|event| event["code"] == number);
        assert!(told, "{start}: {number} is in no event: {:?}", ended.lines);
    }
}

#[test]
fn a_message_refused_by_the_switchboard_is_nacked() {
    let fake = Fake::start(|_, line| match line.split(' ').nth(1) {
        Some(trid) if line.starts_with("MSG") => Answer::Say(format!("NAK {trid}\r\n").into()),
        _ => Answer::Usual,
    });
    let ended = send(&fake, &[]);
    ended.assert_code(69);
    assert_eq!(end(&ended), "nacked");
}

#[test]
fn silence_ends_in_time() {
    let never = |verb: &'static str| {
        Fake::start(
            move |_, line| {
                if line.starts_with(verb) { Answer::Nothing } else { Answer::Usual }
            },
        )
    };
    for verb in ["VER", "CAL"] {
        let ended = send(&never(verb), &["--timeout", "300ms"]);
        ended.assert_code(124);
        assert_eq!(end(&ended), "failed");
    }
    for limit in ["--timeout", "--ack-timeout"] {
        let run = |time: &str| send(&never("MSG"), &[limit, time]);
        let ended = with_limit(run, |ended| ended.code == 3);
        ended.assert_code(3);
        assert_eq!(end(&ended), "unknown");
    }
}

#[test]
fn what_is_only_to_be_written_does_not_wait_for_an_answer() {
    for until in ["sent", "queued"] {
        let fake =
            Fake::start(
                |_, line| {
                    if line.starts_with("MSG") { Answer::Nothing } else { Answer::Usual }
                },
            );
        let ended = send(&fake, &["--until", until]);
        ended.assert_code(0);
        assert_eq!(ended.all("sent").len(), 1);
    }
}

#[test]
fn an_interrupted_message_is_unknown_if_it_was_written() {
    for (verb, name) in [("VER", "failed"), ("MSG", "unknown")] {
        let fake =
            Fake::start(
                move |_, line| {
                    if line.starts_with(verb) { Answer::Nothing } else { Answer::Usual }
                },
            );
        let mut send = start(&fake.at, &[]);
        send.until_type(if verb == "VER" { "connected" } else { "sent" });
        send.interrupt();
        let ended = send.end();
        ended.assert_code(130);
        assert_eq!(end(&ended), name);
    }
}

#[test]
fn typing_is_shown() {
    let fake = Fake::start(|_, line| {
        if !line.starts_with("CAL") {
            return Answer::Usual;
        }
        let control = "MIME-Version: 1.0\r\nContent-Type: text/x-msmsgscontrol\r\n\
                       TypingUser: bob@example.net\r\n\r\n\r\n";
        let mut said = support::fake::usual(line, "");
        said.extend(format!("MSG bob@example.net Bob {}\r\n{control}", control.len()).bytes());
        Answer::Say(said)
    });
    let ended = send(&fake, &[]);
    ended.assert_code(0);
    assert_eq!(ended.all("typing")[0]["from"], "bob@example.net");
}

#[test]
fn a_closed_port_and_an_unknown_host_are_told_apart() {
    start(CLOSED, &[]).end().assert_code(75);
    start(NOWHERE, &[]).end().assert_code(68);

    let ended = start(CLOSED, &["--retry", "2", "--retry-max-wait", "10ms"]).end();
    ended.assert_code(75);
    assert_eq!(ended.all("retrying").len(), 2);
    assert_eq!(ended.all("lost").len(), 3);
    assert_eq!(end(&ended), "failed");
}

#[test]
fn signing_in_is_tried_again_and_a_message_is_sent_once() {
    let fake = Fake::start(|n, _| if n < 2 { Answer::HangUp } else { Answer::Usual });
    let ended = send(&fake, &["--retry", "5", "--retry-max-wait", "10ms"]);
    ended.assert_code(0);
    assert_eq!(ended.all("retrying").len(), 2);
    assert_eq!(fake.count("MSG"), 1);
}

#[test]
fn a_refused_password_is_not_tried_again() {
    let fake = Fake::start(|_, line| {
        if line.starts_with("USR 4") { Answer::Say(b"911 4\r\n".to_vec()) } else { Answer::Usual }
    });
    let ended = send(&fake, &["--retry", "5", "--retry-max-wait", "10ms"]);
    ended.assert_code(77);
    assert!(ended.all("retrying").is_empty());
}

#[test]
fn listening_and_chatting_end_as_the_table_says_too() {
    for verb in [&["listen"][..], &["chat", "bob@example.net"]] {
        for (answer, code) in [(b"911 4\r\n".to_vec(), 77), (b"?".to_vec(), 75)] {
            let fake = Fake::start(move |n, _| match n {
                3 if answer == b"?" => Answer::HangUp,
                3 => Answer::Say(answer.clone()),
                _ => Answer::Usual,
            });
            let args = [verb, &["-o", "json"]].concat();
            Msnp::start_as("alice", &fake.at, &args).end().assert_code(code);
        }
    }
    run(&["listen", "--server", NOWHERE, "--account", "a@b.c", "--password-command", "echo x"])
        .assert_code(68);
}
