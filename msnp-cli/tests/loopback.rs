//! The built-in server: what a new user tries first.

mod support;

use msnp_proto::client::payload_len;
use msnp_proto::limits::SWITCHBOARD_PAYLOAD;
use support::{Folder, Msnp, run};

#[test]
fn a_first_try_shows_a_whole_conversation() {
    let ended = run(&["send", "-o", "json", "--to", "echo@example.net", "hello"]);
    ended.assert_code(0);
    let mut expected = vec!["ready", "connected", "authenticated", "online", "presence", "chat"];
    expected.extend(["queued", "chat", "sent", "acked", "message", "chat", "done"]);
    assert_eq!(ended.types(), expected);
    let message = &ended.all("message")[0];
    assert_eq!((&message["from"], &message["text"]), (&"echo@example.net".into(), &"hello".into()));
    assert!(ended.stderr.contains("built-in server, nothing leaves this machine"));
}

#[test]
fn text_output_is_a_line_an_event() {
    let ended = run(&["send", "--to", "echo@example.net", "two\nlines \x1b[2J"]);
    ended.assert_code(0);
    assert!(ended.lines.iter().any(|line| line.ends_with(": two\\nlines \\u{1b}[2J")));
    assert!(ended.lines.iter().all(|line| !line.contains('\x1b')));
    assert_eq!(ended.lines.len(), 13);
}

#[test]
fn every_dialect_does() {
    for dialect in ["MSNP2", "MSNP3", "MSNP4", "MSNP5", "MSNP6", "MSNP7", "MSNP2,MSNP5"] {
        let args = ["send", "-o", "json", "--protocol", dialect, "--to", "echo@example.net", "x"];
        let ended = run(&args);
        ended.assert_code(0);
        assert_eq!(ended.all("message").len(), 1, "{dialect}");
        if !dialect.contains(',') {
            assert_eq!(ended.all("online")[0]["protocol"], dialect);
        }
    }
}

#[test]
fn the_largest_message_goes_through_and_one_byte_more_is_refused() {
    let fits = "x".repeat(SWITCHBOARD_PAYLOAD - payload_len(""));
    assert_eq!(payload_len(&fits), 1664);
    let ended = run(&["send", "-o", "json", "--to", "echo@example.net", &fits]);
    ended.assert_code(0);
    assert_eq!(ended.all("message")[0]["text"], fits);

    let ended = run(&["send", "-o", "json", "--to", "echo@example.net", &format!("{fits}x")]);
    ended.assert_code(65);
    assert!(ended.lines.is_empty() && ended.stderr.contains("1665 bytes"), "{}", ended.stderr);
}

#[test]
fn the_message_may_come_on_stdin() {
    for (args, said, text) in [
        (&["--to", "echo@example.net", "-"][..], "a\nb\n", "a\nb"),
        (&["--to", "echo@example.net"], "a\n\n", "a\n"),
    ] {
        let args = [&["send", "-o", "json"], args].concat();
        let mut send = Msnp::start(&args);
        send.say(said);
        let ended = send.end();
        ended.assert_code(0);
        assert_eq!(ended.all("message")[0]["text"], text);
    }
    for said in ["", "\n"] {
        let mut send = Msnp::start(&["send", "--to", "echo@example.net"]);
        send.say(said);
        send.end().assert_code(65);
    }
}

#[test]
fn several_people_have_an_outcome_each() {
    let to = ["--to", "echo@example.net", "--to", "nobody@example.net"];
    let ended = run(&[&["send", "-o", "json"][..], &to, &["x"]].concat());
    ended.assert_code(1);
    assert_eq!(ended.all("acked")[0]["to"], "echo@example.net");
    let failed = &ended.all("failed")[0];
    assert_eq!((&failed["to"], &failed["code"]), (&"nobody@example.net".into(), &217.into()));

    let to = ["--to", "nobody@example.net", "--to", "echo@example.net"];
    let stop = ["--on-error", "stop", "x"];
    let ended = run(&[&["send", "-o", "json"][..], &to, &stop].concat());
    ended.assert_code(69);
    let reasons: Vec<_> = ended.all("failed").iter().map(|end| end["reason"].to_string()).collect();
    assert!(reasons.len() == 2 && reasons[1].contains("not tried"), "{reasons:?}");
}

#[test]
fn a_chat_shows_what_comes_back() {
    let mut chat = Msnp::start(&["chat", "-o", "json", "echo@example.net"]);
    for line in ["one", "two", "three"] {
        chat.say(&format!("{line}\n"));
        let message = chat.until_type("message");
        assert_eq!(message["text"], line);
    }
    chat.close_stdin();
    let ended = chat.end();
    ended.assert_code(0);
    assert_eq!(ended.all("acked").len(), 3);
}

#[test]
fn a_chat_says_all_of_a_long_input_in_order_before_it_leaves() {
    let mut chat = Msnp::start(&["chat", "-o", "json", "echo@example.net"]);
    let text: String = (0..200).map(|number| format!("line {number}\n")).collect();
    chat.say(&text);
    chat.close_stdin();
    let ended = chat.end();
    ended.assert_code(0);
    let ids: Vec<_> = ended.all("acked").iter().map(|end| end["id"].to_string()).collect();
    let expected: Vec<_> = (1..=200).map(|id| format!("\"{id}\"")).collect();
    assert_eq!(ids, expected);
}

#[test]
fn what_the_command_line_gets_wrong_is_said_before_anything_happens() {
    let rows: [(&[&str], i32, &str); 10] = [
        (&["send", "hello"], 2, "--to"),
        (&["send", "--to", "echo@example.net", "--password", "x", "y"], 2, "--password"),
        (&["send", "--to", "not-an-account", "x"], 2, "name@domain"),
        (&["send", "--to", "a@b.c", "--timeout", "soon", "x"], 2, "10s"),
        (&["send", "--to", "a@b.c", "--server", "a b", "x"], 2, "HOST:PORT"),
        (&["sned"], 2, "send"),
        (&[], 2, "Usage"),
        (&["send", "--to", "a@b.c", "--password-stdin", "-"], 2, "stdin"),
        (&["send", "--to", "a@b.c", "--server", "127.0.0.1", "x"], 78, "--account"),
        (
            &["send", "--to", "a@b.c", "--server", "127.0.0.1", "--account", "a@b.c", "x"],
            78,
            "--password-file",
        ),
    ];
    for (args, code, hint) in rows {
        let ended = run(args);
        ended.assert_code(code);
        assert!(ended.lines.is_empty() && ended.stderr.contains(hint), "{}", ended.stderr);
    }
}

#[test]
fn a_password_file_is_looked_at_before_it_is_read() {
    let folder = Folder::new();
    let send = |path: &str| {
        run(&["send", "-o", "json", "--to", "echo@example.net", "--password-file", path, "x"])
    };
    let loose = folder.file("loose", "geheim", 0o644);
    let ended = send(loose.to_str().expect("an ASCII path"));
    ended.assert_code(78);
    assert!(ended.stderr.contains("mode 0644") && !ended.stderr.contains("geheim"));
    send(&folder.path("missing")).assert_code(66);
    folder.file("good", "geheim\n", 0o600);
    send(&folder.path("good")).assert_code(0);
}

#[test]
fn output_that_cannot_be_written_is_said() {
    for option in ["--trace-wire", "--log-file"] {
        let args = ["send", "--to", "echo@example.net", option, "/no/such/folder/file", "x"];
        let ended = run(&args);
        ended.assert_code(73);
        assert!(ended.stderr.contains("/no/such/folder/file"), "{}", ended.stderr);
    }
}
