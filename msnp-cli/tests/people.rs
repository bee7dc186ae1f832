//! Two people and a server of their own, each a process.

mod support;

use nix::sys::signal::Signal;
use support::fake::{Answer, Fake};
use support::{Ended, Folder, Msnp, run};

fn listen(server: &str, name: &str, more: &[&str]) -> Msnp {
    let mut listen = Msnp::start_as(name, server, &[&["listen", "-o", "json"], more].concat());
    listen.until_type("online");
    listen
}

fn send(server: &str, name: &str, to: &str, text: &str) -> Ended {
    Msnp::start_as(name, server, &["send", "-o", "json", "--to", to, text]).end()
}

#[test]
fn messages_and_presence_go_both_ways() {
    let (serve, at) = Msnp::serve(&[]);
    for (from, to) in [("alice", "bob"), ("bob", "alice")] {
        let mut listen = listen(&at, to, &["--count", "1"]);
        let (sender, receiver) = (format!("{from}@example.net"), format!("{to}@example.net"));
        let sent = send(&at, from, &receiver, "Grüße, 世界");
        sent.assert_code(0);
        let seen = &sent.all("presence")[0];
        assert_eq!((&seen["account"], &seen["state"]), (&receiver.into(), &"NLN".into()));
        // The referral to the notification server is a second connection.
        let connected = sent.all("connected");
        assert_eq!(connected.len(), 2);
        // The one that we were referred to is the one that we are at.
        for name in ["authenticated", "online"] {
            assert_eq!(sent.all(name)[0]["server"], connected[1]["server"], "{name}");
        }
        assert_eq!(sent.all("acked").len(), 1);

        let presence = listen.until_type("presence");
        assert_eq!(
            (&presence["account"], &presence["state"]),
            (&sender.clone().into(), &"NLN".into())
        );
        assert_eq!((&presence["known"], &presence["initial"]), (&true.into(), &false.into()));
        let message = listen.until_type("message");
        assert_eq!((&message["from"], &message["known"]), (&sender.into(), &true.into()));
        assert_eq!(
            (&message["text"], &message["content_type"]),
            (&"Grüße, 世界".into(), &"text/plain".into())
        );
        listen.end().assert_code(0);
    }
    serve.interrupt();
    let serve = serve.end();
    serve.assert_code(130);
    assert_eq!(serve.all("signed_in").len(), 4);
    assert_eq!(serve.all("signed_out").len(), 4);
}

#[test]
fn a_chat_and_its_end_are_seen_by_the_other() {
    let (_serve, at) = Msnp::serve(&["--single"]);
    let mut bob = Msnp::start_as("bob", &at, &["chat", "-o", "json", "alice@example.net"]);
    bob.until(|event| event["change"] == "not_reached");
    let mut alice = Msnp::start_as("alice", &at, &["chat", "-o", "json", "bob@example.net"]);
    alice.until(|event| event["change"] == "joined");
    bob.until(|event| event["change"] == "joined");
    alice.say("from alice\n");
    assert_eq!(bob.until_type("message")["text"], "from alice");
    bob.say("from bob\n");
    assert_eq!(alice.until_type("message")["text"], "from bob");
    bob.until_type("acked");
    alice.interrupt();
    let left = bob.until(|event| event["change"] == "left");
    assert_eq!(left["account"], "alice@example.net");
    let gone = bob.until(|event| event["state"] == "FLN");
    assert_eq!(gone["account"], "alice@example.net");
    let alice = alice.end();
    alice.assert_code(130);
    assert_eq!(alice.all("acked").len(), 1);
    bob.close_stdin();
    bob.end().assert_code(0);
}

#[test]
fn whoever_is_interrupted_tells_the_others_first() {
    let (serve, at) = Msnp::serve(&[]);
    let mut alice = listen(&at, "alice", &["--no-reconnect"]);
    let bob = listen(&at, "bob", &[]);
    alice.until(|event| event["type"] == "presence" && event["state"] == "NLN");
    bob.signal(Signal::SIGTERM);
    alice.until(|event| event["type"] == "presence" && event["state"] == "FLN");
    bob.end().assert_code(143);
    serve.interrupt();
    let alice = alice.end();
    alice.assert_code(75);
    assert_eq!(alice.all("lost")[0]["reason"], "server is going down");
    serve.end().assert_code(130);
}

#[test]
fn who_is_not_there_gets_nothing() {
    let (_serve, at) = Msnp::serve(&[]);
    for to in ["bob@example.net", "nobody@example.org"] {
        let ended = send(&at, "alice", to, "x");
        ended.assert_code(69);
        assert_eq!(ended.all("failed")[0]["code"], 217);
    }
}

#[test]
fn a_wrong_password_is_refused() {
    let (mut serve, at) = Msnp::serve(&[]);
    for account in ["alice@example.net", "nobody@example.net"] {
        let mut args = vec!["send", "-o", "json", "--server", &at, "--account", account];
        args.extend(["--password-command", "echo wrong", "--to", "bob@example.net", "x"]);
        let ended = run(&args);
        ended.assert_code(77);
        assert_eq!(ended.all("refused")[0]["code"], 911);
        assert!(ended.stderr.contains("--account and the password"), "{}", ended.stderr);
        assert_eq!(serve.until_type("refused")["account"], account);
    }
}

#[test]
fn signing_in_elsewhere_ends_the_first() {
    let (_serve, at) = Msnp::serve(&[]);
    let first = listen(&at, "bob", &[]);
    let second = listen(&at, "bob", &["--for", "1ms"]);
    let first = first.end();
    first.assert_code(75);
    assert_eq!(first.all("lost")[0]["reason"], "signed in elsewhere");
    assert!(first.all("retrying").is_empty());
    second.end().assert_code(0);
}

#[test]
fn a_busy_port_is_said_with_what_to_do() {
    let (_serve, at) = Msnp::serve(&[]);
    let ended = run(&["serve", "--listen", &at]);
    ended.assert_code(75);
    assert!(ended.stderr.contains(&at) && ended.stderr.contains("--listen"), "{}", ended.stderr);
}

#[test]
fn a_server_without_accounts_says_how_to_get_some() {
    let mut serve = Msnp::start(&["serve", "--listen", "127.0.0.1:0", "-o", "json"]);
    let ready = serve.until_type("ready");
    for name in ["listen", "notification", "switchboard"] {
        let at = ready[name].as_str().expect("an address");
        assert!(at.starts_with("127.0.0.1:") && !at.ends_with(":0"), "{at}");
    }
    serve.interrupt();
    let ended = serve.end();
    ended.assert_code(130);
    assert!(ended.stderr.contains("--users") && ended.stderr.contains("[[user]]"));
}

#[test]
fn a_users_file_is_as_private_as_a_password_file() {
    let folder = Folder::new();
    let loose = folder.file("loose.toml", support::USERS, 0o640);
    let ended = run(&["serve", "--users", loose.to_str().expect("an ASCII path")]);
    ended.assert_code(78);
    assert!(ended.stderr.contains("mode 0640") && !ended.stderr.contains("geheim"));
    folder.file("wrong.toml", "[[user]]\naccount = 1\n", 0o600);
    run(&["serve", "--users", &folder.path("wrong.toml")]).assert_code(78);
    run(&["serve", "--users", &folder.path("missing.toml")]).assert_code(66);
}

#[test]
fn names_of_others_cannot_forge_lines_or_steer_the_terminal() {
    let fake = Fake::start(|_, line| match line.split(' ').collect::<Vec<_>>().as_slice() {
        ["CHG", trid, ..] => {
            let name = "%1B[2J%0D%0Aforged%E2%80%AE%C2%85";
            let said = format!("{line}\r\nILN {trid} NLN bob@example.net {name}\r\n");
            Answer::Say(said.into_bytes())
        }
        _ => Answer::Usual,
    });
    let args = ["send", "-vv", "--color", "never", "--to", "bob@example.net", "x"];
    let ended = Msnp::start_as("alice", &fake.at, &args).end();
    ended.assert_code(0);
    let safe = "\\u{1b}[2J\\r\\nforged\\u{202e}\\u{85}";
    assert!(ended.lines.iter().any(|line| line.contains(safe)), "{:?}", ended.lines);
    for text in ended.lines.iter().chain([&ended.stderr]) {
        assert!(!text.contains(['\x1b', '\r', '\u{202e}', '\u{85}']), "{text:?}");
    }
    assert!(ended.lines.iter().all(|line| !line.starts_with("forged")));
}

#[test]
fn no_secret_is_in_any_output() {
    let (serve, at) = Msnp::serve(&["-vv"]);
    let folder = Folder::new();
    let (trace, log) = (folder.path("trace"), folder.path("log"));
    let bob = listen(&at, "bob", &["--count", "1", "-vv"]);
    let mut args = vec!["send", "-o", "json", "-vv", "--trace-wire", &trace, "--log-file", &log];
    args.extend(["--to", "bob@example.net", "x"]);
    let sent = Msnp::start_as("alice", &at, &args).end();
    sent.assert_code(0);
    let bob = bob.end();
    serve.interrupt();
    let serve = serve.end();
    let read = |path: &str| std::fs::read_to_string(path).expect("the program made it");
    let trace = read(&trace);
    let outputs = [sent.lines.join("\n"), sent.stderr, trace.clone(), read(&log), bob.stderr];
    let masked = ["USR 4 MD5 S ***", "CKI ***", "MSPAuth: ***"];
    for text in outputs.iter().chain([&serve.stderr]) {
        assert!(!text.contains("geheim"), "{text}");
        // A digest is 32 hexadecimal digits after the `S`.
        assert!(!text.contains(" MD5 S ") || text.contains(" MD5 S ***"), "{text}");
    }
    for line in masked {
        assert!(trace.contains(line), "{line}: {trace}");
    }
    // What is written is a transcript that can be read again.
    let transcript = msnp_proto::transcript::Transcript::parse(&trace).expect("a transcript");
    assert_eq!(transcript.connections().len(), 3);
}

#[test]
fn a_reader_that_goes_away_ends_listening_in_order() {
    let (mut serve, at) = Msnp::serve(&[]);
    let mut bob = listen(&at, "bob", &[]);
    bob.close_stdout();
    // The line in which the pipe closes, and the one that finds it closed, come of this.
    listen(&at, "alice", &["--for", "1ms"]).end().assert_code(0);
    bob.until_closed();
    listen(&at, "alice", &["--for", "1ms"]).end().assert_code(0);
    serve.until(|event| event["type"] == "signed_out" && event["account"] == "bob@example.net");
    assert_eq!(bob.code(), 0);
}

#[test]
fn a_sender_without_a_reader_finishes_and_says_so() {
    let (_serve, at) = Msnp::serve(&[]);
    let mut bob = listen(&at, "bob", &[]);
    let args = ["send", "-o", "json", "--to", "bob@example.net", "still sent"];
    let mut alice = Msnp::start_as_to("alice", &at, support::unread(), &args);
    assert_eq!(bob.until_type("message")["text"], "still sent");
    assert_eq!(alice.wait().expect("it is ours").code(), Some(74));
    bob.interrupt();
    bob.end().assert_code(130);
}

#[test]
fn a_server_that_refers_people_to_its_own_machine_says_so() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let at = taken.local_addr().expect("it listens").to_string();
    for (advertise, is_told) in [(&[][..], true), (&["--advertise", "im.example.net"], false)] {
        let args = ["serve", "--single", "--listen", &at, "--switchboard", "0.0.0.0:0"];
        // It does not come up: the port is taken.
        let ended = run(&[&args, advertise].concat());
        assert_eq!(ended.code, 75, "{}", ended.stderr);
        let warned = ended.stderr.contains("nobody on another machine can chat");
        assert_eq!(warned, is_told, "{}", ended.stderr);
    }
}
