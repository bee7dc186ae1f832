//! Verbs that ask for one thing and leave: they print that, and nothing of what others do meanwhile.

mod support;

use serde_json::Value;
use support::fake::{Answer, Fake, usual};
use support::{Ended, Msnp, run};

const ERRANDS: [(&[&str], &[&str]); 8] = [
    (&["status"], &["presence"]),
    (&["name"], &["setting"]),
    (&["name", "Alice"], &["setting"]),
    (&["privacy"], &["setting", "setting"]),
    (&["contacts", "list", "--list", "FL"], &["contact"]),
    (&["contacts", "add", "carol@example.net"], &["contact"]),
    (&["groups", "list"], &["group"]),
    (&["groups", "add", "Friends"], &["group"]),
];

/// The types of what a run printed behind the sign-in and before the end.
fn printed(ended: &Ended) -> Vec<String> {
    let mut types = ended.types();
    assert_eq!(types.drain(..4).collect::<Vec<_>>(), SIGN_IN);
    assert_eq!(types.pop().as_deref(), Some("done"));
    types
}

const SIGN_IN: [&str; 4] = ["ready", "connected", "authenticated", "online"];

#[test]
fn what_others_do_meanwhile_is_not_printed() {
    const MAIL: &str = "MIME-Version: 1.0\r\n\
        Content-Type: text/x-msmsgsinitialemailnotification; charset=UTF-8\r\n\r\n\
        Inbox-Unread: 1\r\nFolders-Unread: 0\r\n\r\n";
    let busy = format!(
        "NLN BSY bob@example.net Bob\r\nFLN bob@example.net\r\nNLN AWY eve@example.net Eve\r\n\
         ADD 0 RL 3 eve@example.net Eve\r\nMSG Hotmail Hotmail {}\r\n{MAIL}",
        MAIL.len()
    );
    for (errand, expected) in ERRANDS {
        let busy = busy.clone();
        let fake = Fake::start(move |_, line| {
            let mut said = busy.clone().into_bytes();
            match line.split(' ').next().unwrap_or_default() {
                "VER" | "INF" | "USR" | "SYN" => Answer::Usual,
                _ => {
                    said.extend(usual(line, ""));
                    said.extend(busy.as_bytes());
                    Answer::Say(said)
                }
            }
        });
        let ended = Msnp::start_as("alice", &fake.at, &[errand, &["-o", "json"]].concat()).end();
        ended.assert_code(0);
        assert_eq!(printed(&ended), expected, "{errand:?}");
        // In text too.
        let ended = Msnp::start_as("alice", &fake.at, errand).end();
        let names: Vec<_> = ended.lines.iter().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(names, [&SIGN_IN[..], expected, &["done"]].concat(), "{errand:?}");
    }
}

#[test]
fn the_echo_is_not_printed_where_nobody_asked_for_it() {
    for (errand, expected) in ERRANDS.into_iter().filter(|(errand, _)| !errand.contains(&"add")) {
        let ended = run(&[errand, &["-o", "json"]].concat());
        assert_eq!(printed(&ended), expected, "{errand:?}");
    }
    let checked = run(&["check", "-o", "json"]);
    let others =
        |event: &Value| !["ready", "stage", "done"].iter().any(|name| event["type"] == *name);
    assert!(!checked.events().iter().any(others), "{:?}", checked.lines);
}

#[test]
fn settings_are_words_in_text_and_the_protocols_in_json() {
    let (_serve, at) = Msnp::serve(&[]);
    type Row<'a> = (&'a [&'a str], [(&'a str, &'a str); 2]);
    let rows: [Row<'_>; 2] = [
        (
            &["privacy", "block", "--prompt", "never"],
            [
                ("BL", "privacy = block (only people you allow may see and call you)"),
                ("N", "prompt = never (you are not asked when somebody makes you a contact)"),
            ],
        ),
        (
            &["privacy", "allow", "--prompt", "ask"],
            [
                ("AL", "privacy = allow (whoever is on no list may see and call you)"),
                ("A", "prompt = ask (you are asked when somebody makes you a contact)"),
            ],
        ),
    ];
    for (args, expected) in rows {
        let text = Msnp::start_as("alice", &at, args).end();
        text.assert_code(0);
        let json = Msnp::start_as("alice", &at, &["privacy", "-o", "json"]).end();
        for ((value, words), setting) in expected.into_iter().zip(json.all("setting")) {
            assert_eq!(setting["value"], value);
            assert!(text.lines.iter().any(|line| line.ends_with(words)), "{:?}", text.lines);
        }
    }
}
