//! Another program in front of `pipe`: commands in, events out.

mod support;

use std::sync::{Mutex, mpsc};

use serde_json::{Value, json};
use support::fake::{Answer, Fake};
use support::{CLOSED, Ended, Msnp, NOWHERE, run};

/// Gives these lines to a pipe on the built-in server, to their end.
fn pipe_of(lines: &[Value]) -> Ended {
    let mut pipe = Msnp::start(&["pipe"]);
    for line in lines {
        pipe.say(&format!("{line}\n"));
    }
    pipe.end()
}

fn start(at: &str, more: &[&str]) -> Msnp {
    Msnp::start_as("alice", at, &[&["pipe"], more].concat())
}

fn send(id: &str, to: &str, text: &str) -> Value {
    json!({"id": id, "do": "send", "to": to, "text": text})
}

const ECHO: &str = "echo@example.net";

/// The types of the events of one command, in order.
fn of(ended: &Ended, id: &str) -> Vec<String> {
    let events = ended.events();
    let own = events.iter().filter(|event| event["id"] == id);
    own.map(|event| event["type"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn every_command_is_done_in_order_and_its_events_carry_its_id() {
    let person = |id: &str, what: &str, more: Value| {
        let mut line = json!({"id": id, "do": what, "account": "carol@example.net"});
        if let (Some(line), Some(more)) = (line.as_object_mut(), more.as_object()) {
            line.extend(more.clone());
        }
        line
    };
    let ended = pipe_of(&[
        json!({"id": "open", "do": "open", "to": ECHO}),
        send("m1", ECHO, "one"),
        json!({"id": "t", "do": "typing", "to": ECHO}),
        send("m2", ECHO, "two"),
        json!({"id": "leave", "do": "leave", "to": ECHO}),
        send("m3", ECHO, "three"),
        json!({"id": "s", "do": "status", "state": "BSY"}),
        json!({"id": "n", "do": "name", "name": "Bot"}),
        json!({"id": "g1", "do": "add-group", "name": "Friends"}),
        json!({"do": "send", "to": [ECHO], "text": "four"}),
        person("a", "add", json!({"name": "Carol C."})),
        person("b", "block", json!({})),
        person("w", "allow", json!({})),
        person("r", "rename", json!({"name": "C"})),
        json!({"id": "q", "do": "quit"}),
        json!({"id": "late", "do": "status", "state": "NLN"}),
    ]);
    ended.assert_code(0);
    for (id, types) in [
        ("open", &["chat", "chat"][..]),
        ("m1", &["queued", "sent", "acked"]),
        ("m2", &["queued", "sent", "acked"]),
        ("t", &["typing"]),
        ("leave", &["chat"]),
        ("m3", &["chat", "queued", "sent", "acked"]),
        ("line-10", &["queued", "sent", "acked"]),
        ("s", &["setting"]),
        ("n", &["setting"]),
        ("g1", &["group"]),
        ("a", &["contact"]),
        ("b", &["contact"]),
        ("w", &["contact"]),
        ("r", &["contact"]),
        ("q", &[]),
        ("late", &[]),
    ] {
        assert_eq!(of(&ended, id), types, "{id}: {:#?}", ended.lines);
    }
    let carol = ended.all("contact").pop().expect("the last change");
    assert_eq!((&carol["name"], &carol["lists"]), (&"C".into(), &json!(["FL", "AL"])));
    // What is said behind a `leave` is said in another chat.
    let acked = ended.all("sent");
    let chat =
        |id: &str| acked.iter().find(|event| event["id"] == id).map(|event| event["chat"].clone());
    assert_eq!(chat("m1"), chat("m2"));
    assert_ne!(chat("m1"), chat("m3"));
}

#[test]
fn typing_ends_with_an_event_that_has_its_id() {
    let typing = |id: &str, to: &str| json!({"id": id, "do": "typing", "to": to});
    // It opens the chat, and the text comes before anybody is there.
    let (open, gate) = mpsc::channel();
    let gate = Mutex::new(gate);
    let fake = Fake::start(move |_, line| {
        if line.starts_with("XFR") {
            gate.lock().expect("no panic").recv().expect("the test lives");
        }
        Answer::Usual
    });
    let bob = "bob@example.net";
    let mut pipe = start(&fake.at, &[]);
    let opening = json!({"id": "open", "do": "open", "to": bob});
    for line in [typing("before", bob), send("text", bob, "x"), opening] {
        pipe.say(&format!("{line}\n"));
    }
    // This is refused as soon as it is read, and so those before it have been read.
    pipe.say("no command\n");
    assert_eq!(pipe.until_type("refused")["id"], "line-4");
    open.send(()).expect("it waits");
    let ended = pipe.end();
    ended.assert_code(1);
    assert_eq!(of(&ended, "before"), ["typing"]);
    assert_eq!(of(&ended, "text"), ["chat", "queued", "sent", "acked"]);
    let own = &ended.all("typing")[0];
    assert_eq!(own["from"], "alice@example.net");
    assert_eq!(own["chat"], ended.all("sent")[0]["chat"]);

    let ended = pipe_of(&[typing("nobody", "nobody@example.net")]);
    ended.assert_code(0);
    assert_eq!(of(&ended, "nobody"), ["chat", "refused"]);
    let refused = &ended.all("refused")[0];
    assert_eq!(
        (&refused["request"], &refused["account"]),
        (&"typing".into(), &"nobody@example.net".into())
    );
    // In a chat that has people, and one that opens for it.
    let mut pipe = Msnp::start(&["pipe"]);
    pipe.say(&format!("{}\n", typing("first", ECHO)));
    let first = pipe.until(|event| event["id"] == "first" && event["type"] == "typing");
    pipe.say(&format!("{}\n", json!({"id": "chat", "do": "typing", "chat": first["chat"]})));
    pipe.until(|event| event["id"] == "chat" && event["type"] == "typing");
    pipe.end().assert_code(0);
}

#[test]
fn each_message_ends_once_for_each_person() {
    let to = json!([ECHO, "nobody@example.net", "nobody@example.org"]);
    let ended = pipe_of(&[json!({"id": "1", "do": "send", "to": to, "text": "x"})]);
    ended.assert_code(1);
    let mut ends: Vec<_> = ended.all("acked").into_iter().chain(ended.all("failed")).collect();
    ends.sort_by_key(|event| event["to"].to_string());
    let people: Vec<_> = ends.iter().map(|event| event["to"].clone()).collect();
    assert_eq!(Value::from(people), to);
    assert!(ends.iter().all(|event| event["id"] == "1"));

    // Whoever is signed in waits for room; before that, more than fits would be refused.
    let mut pipe = Msnp::start(&["pipe"]);
    pipe.until_type("online");
    for n in 0..1500 {
        pipe.say(&format!("{}\n", send(&n.to_string(), ECHO, &format!("t{n}"))));
    }
    let ended = pipe.end();
    ended.assert_code(0);
    let ids: Vec<_> = ended.all("acked").iter().map(|event| event["id"].clone()).collect();
    let expected: Vec<_> = (0..1500).map(|n| Value::from(n.to_string())).collect();
    assert_eq!(ids, expected);
}

#[test]
fn what_is_wrong_is_refused_once_and_the_rest_is_done() {
    let long = "x".repeat(100_000);
    let wrong: [(&[u8], &str, &str); 12] = [
        (b"hello", "line-1", "not JSON"),
        (b"{\"id\":\"a\",\"do\":\"sned\"}", "a", "it can be send, open"),
        (b"{\"id\":7,\"do\":\"quit\"}", "7", "`id` is a number"),
        (b"{\"id\":\"b\",\"do\":\"send\",\"to\":\"bob\",\"text\":\"x\"}", "b", "name@domain"),
        (b"\xff\xfe", "line-5", "not UTF-8"),
        (long.as_bytes(), "line-6", "more than 64 KiB"),
        (
            b"{\"id\":\"f\",\"do\":\"file\",\"to\":\"a@b\",\"path\":\"/no/such\"}",
            "f",
            "no such file",
        ),
        (b"{\"id\":\"g\",\"do\":\"accept\",\"transfer\":1}", "g", "no file of that number"),
        (b"{\"id\":\"h\",\"do\":\"decline\",\"transfer\":1}", "h", "no file of that number"),
        (b"{\"id\":\"i\",\"do\":\"leave\",\"to\":\"bob@example.net\"}", "i", "no such chat"),
        (b"{\"id\":\"j\",\"do\":\"typing\",\"chat\":99}", "j", "no such chat"),
        (
            b"{\"id\":\"k\",\"do\":\"remove\",\"account\":\"a@b\",\"group\":\"none\"}",
            "k",
            "no group",
        ),
    ];
    let mut pipe = Msnp::start(&["pipe"]);
    pipe.until_type("online");
    for (line, id, reason) in wrong {
        pipe.say_if_read(&[line, b"\n"].concat());
        let refused = pipe.until_type("refused");
        assert_eq!(refused["id"], id);
        assert!(refused["name"].as_str().is_some_and(|name| name.contains(reason)), "{refused}");
    }
    // A blank line is nothing, a last line without an end is one.
    pipe.say(&format!("\n  \r\n{}", send("z", ECHO, "x")));
    pipe.close_stdin();
    let ended = pipe.end();
    ended.assert_code(1);
    assert_eq!((ended.all("refused").len(), ended.all("acked").len()), (12, 1));

    let mut pipe = Msnp::start(&["pipe"]);
    pipe.say("hello\n");
    pipe.end().assert_code(65);
    let ended = pipe_of(&[json!({"do": "send", "chat": 99, "text": "x"})]);
    ended.assert_code(69);
    let failed = &ended.all("failed")[0];
    assert_eq!(failed["reason"], "there is no such chat");
    // An account is what `to` holds, and here there is none.
    assert_eq!((&failed["chat"], failed.get("to")), (&99.into(), None), "{failed}");
}

#[test]
fn what_is_not_known_is_left_out() {
    let ended = pipe_of(&[
        json!({"do": "status", "state": "BSY"}),
        json!({"do": "add-group", "name": "Work"}),
        json!({"do": "remove-group", "group": "Work"}),
        json!({"do": "send", "to": ECHO, "text": "x"}),
    ]);
    ended.assert_code(0);
    assert_eq!((ended.all("group").len(), ended.all("acked").len()), (2, 1));
    let nulls: Vec<&String> = ended.lines.iter().filter(|line| line.contains(":null")).collect();
    assert!(nulls.is_empty(), "{nulls:?}");
    assert_eq!(ended.all("acked")[0]["chat"], ended.all("sent")[0]["chat"]);
}

#[test]
fn a_name_can_be_used_again_when_its_command_has_ended() {
    let fake = Fake::start(|_, line| match line.starts_with("MSG") {
        true => Answer::Nothing,
        false => Answer::Usual,
    });
    let mut pipe = start(&fake.at, &["--ack-timeout", "500ms"]);
    pipe.say(&format!("{}\n", send("1", "bob@example.net", "x")));
    pipe.until_type("sent");
    pipe.say(&format!("{}\n", send("1", "bob@example.net", "y")));
    let refused = pipe.until_type("refused");
    assert_eq!(refused["id"], "line-2");
    assert!(refused["name"].as_str().is_some_and(|name| name.contains("\"1\"")), "{refused}");
    assert_eq!(pipe.until_type("unknown")["id"], "1");
    pipe.say(&format!("{}\n", send("1", "bob@example.net", "z")));
    pipe.until(|event| event["type"] == "sent" && event["id"] == "1");
    let ended = pipe.end();
    ended.assert_code(3);
    assert_eq!(fake.count("MSG"), 2);
}

#[test]
fn commands_wait_for_being_signed_in_up_to_a_limit() {
    let silent = Fake::start(|_, line| match line.starts_with("VER") {
        true => Answer::Nothing,
        false => Answer::Usual,
    });
    let mut pipe = start(&silent.at, &[]);
    for n in 0..1100 {
        pipe.say(&format!("{}\n", send(&n.to_string(), "bob@example.net", "x")));
    }
    for n in 1024..1100 {
        let refused = pipe.until_type("refused");
        assert_eq!(refused["id"], n.to_string());
        assert!(refused["name"].as_str().is_some_and(|name| name.contains("1024")), "{refused}");
    }
    pipe.interrupt();
    let ended = pipe.end();
    ended.assert_code(130);
    assert_eq!(ended.all("failed").len(), 1024);
    assert!(ended.all("failed").iter().all(|end| end["reason"] == "not tried: interrupted"));
}

#[test]
fn the_end_of_the_input_and_of_the_reader_is_the_end() {
    let ended = run(&["pipe"]);
    ended.assert_code(0);
    let (mut serve, at) = Msnp::serve(&[]);
    let mut pipe = start(&at, &[]);
    pipe.until_type("online");
    pipe.close_stdout();
    // More than a pipe holds, so that it is found closed whenever that happens.
    pipe.say_if_read(&b"no command\n".repeat(20_000));
    serve.until(|event| event["type"] == "signed_out");
    assert_eq!(pipe.code(), 0);
    run(&["pipe", "--password-stdin"]).assert_code(2);
}

#[test]
fn somebody_who_calls_is_answered_where_they_are() {
    let (_serve, at) = Msnp::serve(&[]);
    let mut pipe = start(&at, &[]);
    pipe.until_type("online");
    let mut bob = Msnp::start_as("bob", &at, &["chat", "-o", "json", "alice@example.net"]);
    bob.until(|event| event["change"] == "joined");
    bob.say("hello\n");
    let message = pipe.until_type("message");
    let chat = message["chat"].as_u64().expect("a number");
    pipe.say(&format!("{}\n", json!({"id": "1", "do": "send", "chat": chat, "text": "by number"})));
    assert_eq!(bob.until_type("message")["text"], "by number");
    pipe.say(&format!("{}\n", json!({"id": "2", "do": "typing", "to": "bob@example.net"})));
    assert_eq!(bob.until_type("typing")["from"], "alice@example.net");
    pipe.say(&format!("{}\n", send("3", "BOB@example.net", "\u{202e}\u{1b}[2J\r\nby name")));
    assert_eq!(bob.until_type("message")["text"], "\u{202e}\u{1b}[2J\nby name");
    let raw = bob.seen().iter().any(|line| line.contains(['\u{202e}', '\u{1b}']));
    assert!(!raw, "{:?}", bob.seen());
}

#[test]
fn who_leaves_a_chat_that_is_closed_hears_that_it_was() {
    let (_serve, at) = Msnp::serve(&[]);
    let mut pipe = start(&at, &[]);
    pipe.until_type("online");
    let leave =
        |id: &str, chat: &Value| format!("{}\n", json!({"id": id, "do": "leave", "chat": chat}));
    let meet = || {
        let mut bob = Msnp::start_as("bob", &at, &["chat", "-o", "json", "alice@example.net"]);
        bob.until(|event| event["change"] == "joined");
        bob
    };
    let bob = meet();
    let chat = pipe.until(|event| event["change"] == "joined")["chat"].clone();
    bob.end().assert_code(0);
    let closed = pipe.until(|event| event["change"] == "closed");
    assert_eq!((&closed["chat"], closed.get("id")), (&chat, None));
    pipe.say(&leave("1", &chat));
    let closed = pipe.until(|event| event["id"] == "1");
    assert_eq!(
        (&closed["change"], &closed["reason"]),
        (&"closed".into(), &"it was closed before".into())
    );
    pipe.say(&leave("2", &chat));
    assert_eq!(pipe.until_type("refused")["name"], "there is no such chat");
    // One that is open is closed by it, so there is no reason to give.
    let _bob = meet();
    let chat = pipe.until(|event| event["change"] == "joined")["chat"].clone();
    pipe.say(&leave("3", &chat));
    let closed = pipe.until(|event| event["change"] == "closed");
    assert_eq!((&closed["id"], closed.get("reason")), (&"3".into(), None));
}

#[test]
fn a_session_that_is_lost_is_made_again_and_commands_wait_for_it() {
    let fake = Fake::start(|n, line| match line.starts_with("MSG") && n < 12 {
        true => Answer::HangUpAll,
        false => Answer::Usual,
    });
    let mut pipe = start(&fake.at, &["--retry-max-wait", "10ms"]);
    pipe.say(&format!("{}\n", send("1", "bob@example.net", "x")));
    assert_eq!(pipe.until_type("unknown")["id"], "1");
    pipe.until_type("lost");
    pipe.say(&format!("{}\n", send("2", "bob@example.net", "y")));
    pipe.until(|event| event["type"] == "acked" && event["id"] == "2");
    let ended = pipe.end();
    ended.assert_code(1);
    assert_eq!((ended.all("online").len(), fake.count("MSG")), (2, 2));
}

/// A group is to be made, then others and more; the first of these requests loses the session.
fn start_and_lose(more: &[&str]) -> (Fake, Msnp) {
    let is_first = Mutex::new(true);
    let fake = Fake::start(move |_, line| match line.split(' ').nth(2) {
        Some("A") if std::mem::take(&mut *is_first.lock().expect("no panic")) => Answer::HangUpAll,
        _ => Answer::Usual,
    });
    let mut pipe = start(&fake.at, &[more, &["--retry-max-wait", "10ms"]].concat());
    for (id, name) in [("1", "A"), ("2", "B"), ("3", "C")] {
        pipe.say(&format!("{}\n", json!({"id": id, "do": "add-group", "name": name})));
    }
    pipe.say(&format!("{}\n", json!({"id": "4", "do": "status", "state": "BSY"})));
    (fake, pipe)
}

#[test]
fn what_was_read_and_not_begun_waits_for_the_next_session() {
    let (fake, pipe) = start_and_lose(&[]);
    let ended = pipe.end();
    ended.assert_code(1);
    let refused = &ended.all("refused")[0];
    assert_eq!((&refused["id"], &refused["outcome"]), (&"1".into(), &"unknown".into()));
    assert_eq!((&refused["request"], &refused["verb"]), (&"add-group".into(), &"ADG".into()));
    for (id, types) in [("2", "group"), ("3", "group"), ("4", "setting")] {
        assert_eq!(of(&ended, id), [types], "{id}");
    }
    assert_eq!(fake.count("ADG"), 3, "nothing is asked twice");
}

#[test]
fn what_may_be_done_and_what_was_not_tried_are_told_apart() {
    let (fake, mut pipe) = start_and_lose(&["--no-reconnect"]);
    let outcomes: Vec<_> = (0..4).map(|_| pipe.until_type("refused")["outcome"].clone()).collect();
    assert_eq!(outcomes, ["unknown", "not_tried", "not_tried", "not_tried"]);
    pipe.end().assert_code(75);
    assert_eq!(fake.count("ADG"), 1);

    // The same when somebody ends it.
    let silent = Fake::start(|_, line| match line.starts_with("ADG") {
        true => Answer::Nothing,
        false => Answer::Usual,
    });
    let mut pipe = start(&silent.at, &[]);
    for (id, name) in [("1", "A"), ("2", "B")] {
        pipe.say(&format!("{}\n", json!({"id": id, "do": "add-group", "name": name})));
    }
    silent.until_heard("ADG");
    // It has been read as soon as what is wrong behind it is refused.
    pipe.say("no command\n");
    pipe.until_type("refused");
    pipe.interrupt();
    let ended = pipe.end();
    ended.assert_code(130);
    let refused: Vec<_> =
        ended.all("refused")[1..].iter().map(|no| no["outcome"].clone()).collect();
    assert_eq!(refused, ["unknown", "not_tried"]);
}

#[test]
fn each_command_that_is_refused_is_named_as_it_was_written() {
    let fake = Fake::start(|_, line| match line.split(' ').collect::<Vec<_>>().as_slice() {
        ["SYN", trid] | ["SYN", trid, _] => Answer::Say(
            format!(
                "SYN {trid} 1\r\nGTC {trid} 1 A\r\nBLP {trid} 1 AL\r\n\
                 LSG {trid} 1 1 2 0 ~ 0\r\nLSG {trid} 1 2 2 1 Pals 0\r\n\
                 LST {trid} FL 1 1 1 bob@example.net Bob 0\r\nLST {trid} AL 1 0 0\r\n\
                 LST {trid} BL 1 0 0\r\nLST {trid} RL 1 0 0\r\n"
            )
            .into_bytes(),
        ),
        ["ADD" | "REM" | "ADG" | "RMG" | "REG" | "REA" | "CAL", trid, ..]
        | ["CHG", trid, "BSY", ..] => Answer::Say(format!("205 {trid}\r\n").into_bytes()),
        _ => Answer::Usual,
    });
    let [bob, carol, dave] = ["bob@example.net", "carol@example.net", "dave@example.net"];
    let rows = [
        (json!({"do": "open", "to": bob}), None, Some(bob)),
        // In another chat: that of the row before may not be closed yet.
        (json!({"do": "typing", "to": dave}), None, Some(dave)),
        (json!({"do": "leave", "to": carol}), None, Some(carol)),
        (json!({"do": "status", "state": "BSY"}), Some("CHG"), None),
        (json!({"do": "name", "name": "Me"}), Some("REA"), None),
        (json!({"do": "add", "account": carol}), Some("ADD"), Some(carol)),
        (json!({"do": "remove", "account": bob}), Some("REM"), Some(bob)),
        (json!({"do": "allow", "account": carol}), Some("ADD"), Some(carol)),
        (json!({"do": "block", "account": bob}), Some("ADD"), Some(bob)),
        (json!({"do": "rename", "account": bob, "name": "B"}), Some("REA"), Some(bob)),
        (json!({"do": "move", "account": bob, "group": "Pals"}), Some("ADD"), Some(bob)),
        (json!({"do": "add-group", "name": "G"}), Some("ADG"), None),
        (json!({"do": "remove-group", "group": "Pals"}), Some("RMG"), None),
        (json!({"do": "rename-group", "group": "Pals", "name": "P"}), Some("REG"), None),
    ];
    let mut pipe = start(&fake.at, &[]);
    for (command, verb, account) in rows {
        pipe.say(&format!("{command}\n"));
        let refused = pipe.until_type("refused");
        assert_eq!(refused["request"], command["do"], "{refused}");
        assert_eq!(refused["verb"].as_str(), verb, "{refused}");
        assert_eq!(refused["account"].as_str(), account, "{refused}");
        assert_eq!(refused["outcome"], "refused", "{refused}");
        let was_asked = refused["request"] != "leave";
        assert_eq!(refused["code"].as_u64(), was_asked.then_some(205), "{refused}");
    }
}

#[test]
fn somebody_who_is_on_no_such_list_does_not_exclude_us() {
    let fake = Fake::start(|_, line| match line.split(' ').collect::<Vec<_>>().as_slice() {
        ["REM", trid, ..] => Answer::Say(format!("216 {trid}\r\n").into_bytes()),
        _ => Answer::Usual,
    });
    let mut pipe = start(&fake.at, &[]);
    let remove = json!({"do": "remove", "account": "bob@example.net"});
    pipe.say(&format!("{remove}\n"));
    let refused = pipe.until_type("refused");
    assert_eq!((&refused["code"], &refused["name"]), (&216.into(), &"not on the list".into()));
    pipe.end().assert_code(69);
}

#[test]
fn codes_of_servers_that_do_not_behave() {
    let refusing = Fake::start(|_, line| match line.starts_with("USR 4") {
        true => Answer::Say(b"911 4\r\n".to_vec()),
        false => Answer::Usual,
    });
    let rubbish = Fake::start(|_, _| Answer::Say(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()));
    let rows = [(CLOSED, 75), (NOWHERE, 68), (&refusing.at, 77), (&rubbish.at, 76)];
    for (at, code) in rows {
        let ended = start(at, &[]).end();
        ended.assert_code(code);
        assert!(ended.stderr.contains("cannot sign in"), "{}", ended.stderr);
    }
}

#[test]
fn a_command_that_was_read_has_its_end_even_if_we_never_get_in() {
    let (open, gate) = mpsc::channel();
    let gate = Mutex::new(gate);
    let fake = Fake::start(move |_, line| match line.starts_with("USR 4") {
        true => {
            gate.lock().expect("no panic").recv().expect("the test lives");
            Answer::Say(b"911 4\r\n".to_vec())
        }
        false => Answer::Usual,
    });
    let mut pipe = start(&fake.at, &[]);
    pipe.say(&format!("{}\n", send("1", "bob@example.net", "x")));
    pipe.say(&format!("{}\n", json!({"id": "2", "do": "status", "state": "BSY"})));
    // This is refused as soon as it is read, and so are those before it.
    pipe.say("no command\n");
    assert_eq!(pipe.until_type("refused")["id"], "line-3");
    open.send(()).expect("it waits");
    let ended = pipe.end();
    ended.assert_code(77);
    assert_eq!((of(&ended, "1"), of(&ended, "2")), (vec!["failed".into()], vec!["refused".into()]));
}
