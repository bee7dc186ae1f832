//! What the operator of `serve --operator` writes, and what people hear of it.

mod support;

use serde_json::Value;
use support::Msnp;

/// A server that takes orders, and Bob at it.
fn world() -> (Msnp, Msnp) {
    let (serve, at) = Msnp::serve(&["--operator"]);
    let mut bob = Msnp::start_as("bob", &at, &["listen", "--no-reconnect", "-o", "json"]);
    bob.until_type("online");
    (serve, bob)
}

fn say(serve: &mut Msnp, line: &str) {
    serve.say(&format!("{line}\n"));
}

fn order(serve: &mut Msnp, line: &str) -> Value {
    say(serve, line);
    serve.until_type("order")
}

#[test]
fn people_hear_of_mail_and_of_the_end_that_is_coming() {
    let (mut serve, mut bob) = world();

    say(&mut serve, r#"{"id":"who","do":"people"}"#);
    let person = serve.until_type("presence");
    assert_eq!((&person["account"], &person["state"]), (&"bob@example.net".into(), &"NLN".into()));
    let answer = serve.until_type("order");
    assert_eq!((&answer["id"], &answer["people"]), (&"who".into(), &1.into()));

    let line = r#"{"do":"mail","account":"bob@example.net","from":"eve@x.y","name":"Eve"}"#;
    assert_eq!(order(&mut serve, line)["people"], 1);
    let mail = bob.until_type("mail");
    assert_eq!(mail["from"], "Eve <eve@x.y>");

    // A name that looks like an address is told from the address.
    let line =
        r#"{"do":"mail","account":"bob@example.net","from":"eve@x.y","name":"A <boss@x.y>"}"#;
    assert_eq!(order(&mut serve, line)["people"], 1);
    let mail = bob.until_type("mail");
    assert_eq!(
        (&mail["from_name"], &mail["from_address"], &mail["from"]),
        (&"A <boss@x.y>".into(), &"eve@x.y".into(), &"A <boss@x.y> <eve@x.y>".into())
    );

    let line = r#"{"do":"mailbox","account":"alice@example.net","inbox":3}"#;
    assert_eq!(order(&mut serve, line)["people"], 0, "she is not there");

    say(&mut serve, "{");
    let refused = serve.until_type("refused");
    assert_eq!(refused["request"], "command");
    say(&mut serve, r#"{"id":7,"do":"people"}"#);
    assert_eq!(serve.until_type("refused")["id"], "7");

    assert_eq!(order(&mut serve, r#"{"do":"announce-shutdown","minutes":5}"#)["people"], 1);
    let warning = bob.until_type("warning");
    assert!(warning["reason"].as_str().is_some_and(|text| text.contains('5')), "{warning}");

    assert_eq!(order(&mut serve, r#"{"do":"withdraw-shutdown"}"#)["people"], 0);
    say(&mut serve, r#"{"do":"mailbox","account":"ghost@example.net","inbox":3}"#);
    let refused = serve.until_type("refused");
    assert_eq!(refused["name"], "there is no account ghost@example.net");

    assert_eq!(order(&mut serve, r#"{"do":"shutdown"}"#)["people"], 1);
    serve.end().assert_code(0);
    bob.end().assert_code(75);
}

#[test]
fn who_is_moved_is_told_from_who_leaves() {
    let (mut serve, bob) = world();
    let other = r#"{"do":"move","to":"127.0.0.1:1"}"#;
    assert_eq!(order(&mut serve, other)["people"], 1);
    assert_eq!(serve.until_type("signed_out")["reason"], "moved to another server");
    bob.end().assert_code(75);
}

#[test]
fn alerts_and_pages_are_heard_in_json_and_in_text() {
    let (mut serve, at) = Msnp::serve(&["--operator"]);
    for form in ["json", "text"] {
        let listen = ["listen", "--no-reconnect", "-o", form];
        let bob = Msnp::start_as("bob", &at, &listen);
        serve.until_type("signed_in");
        for what in ["alert", "page"] {
            let line = format!(
                r#"{{"do":"{what}","account":"bob@example.net","document":"<{what}\u001b/>"}}"#
            );
            assert_eq!(order(&mut serve, &line)["people"], 1);
        }
        // What was written to him before comes before the end.
        assert_eq!(order(&mut serve, r#"{"do":"end","account":"bob@example.net"}"#)["people"], 1);
        let ended = bob.end();
        ended.assert_code(75);
        let expected = match form {
            "text" => ["alert         <alert\\u{1b}/>", "page          <page"],
            _ => [r#""type":"alert","document":"<alert\u001b/>"}"#, r#""type":"page","document""#],
        };
        for expected in expected {
            let heard = ended.lines.iter().filter(|line| line.contains(expected));
            assert_eq!(heard.count(), 1, "{expected}: {:?}", ended.lines);
        }
    }
}

#[test]
fn a_session_can_be_ended_and_the_end_of_the_orders_is_not_that_of_the_server() {
    let (mut serve, mut bob) = world();
    assert_eq!(order(&mut serve, r#"{"do":"end","account":"bob@example.net"}"#)["people"], 1);
    assert_eq!(serve.until_type("signed_out")["reason"], "ended by the operator");
    bob.until_type("done");
    bob.end().assert_code(75);
    serve.close_stdin();
    serve.interrupt();
    serve.end().assert_code(130);
}
