//! Events as lines for people.

use super::*;
use crate::events::{Passing, Presence};

pub(in crate::render) fn line(event: &Event, colour: bool) -> String {
    let mut out = Vec::new();
    write(&mut out, event, &Mark::NONE, colour);
    String::from_utf8(out).expect("text is UTF-8")
}

#[test]
fn what_others_chose_cannot_end_the_line_or_steer_the_terminal() {
    let hostile = "x\r\n\x1b[2J\u{202e}\u{85}\u{2028}y";
    let event = Event::Message(Box::new(Message {
        chat: 0,
        from: "bob@example.net".into(),
        name: hostile.into(),
        known: false,
        content_type: hostile.into(),
        text: Some(hostile.into()),
        bytes_b64: None,
        format: None,
    }));
    let shown = line(&event, false);
    let safe = "x\\r\\n\\u{1b}[2J\\u{202e}\\u{85}\\u{2028}y";
    assert_eq!(shown, format!("message       bob@example.net \"{safe}\" (not a contact): {safe}"));
}

#[test]
fn a_message_for_a_chat_of_nobody_names_the_chat() {
    for (to, chat, shown) in [
        ("", Some(99), "failed        to chat 99: why (0 ms)"),
        ("bob@x.y", Some(1), "failed        to bob@x.y: why (0 ms)"),
        ("bob@x.y", None, "failed        to bob@x.y: why (0 ms)"),
    ] {
        let (to, reason) = (to.into(), Some("why".into()));
        let failed = Event::Failed(Ending { to, chat, code: None, reason, ms: 0 });
        assert_eq!(line(&failed, false), shown);
    }
}

#[test]
fn the_number_of_a_chat_is_the_only_one_in_its_line() {
    let opened = Event::Chat(Chat {
        chat: 2,
        change: Change::Opened,
        account: Some("bob@x.y".into()),
        reason: None,
    });
    let queued = Event::Queued(Passing { to: "bob@x.y".into(), chat: Some(2) });
    for (event, shown) in
        [(opened, "chat          2 opened with bob@x.y"), (queued, "queued        1 to bob@x.y")]
    {
        let mut out = Vec::new();
        write(&mut out, &event, &Mark::of_id("1"), false);
        assert_eq!(String::from_utf8(out).expect("text is UTF-8"), shown);
    }
}

#[test]
fn what_a_server_passes_on_is_one_line() {
    let moved = Event::Mail(Mail {
        source: Some("ACTIVE".into()),
        destination: Some(".!!trAsH".into()),
        inbox_change: Some(-1),
        ..Mail::default()
    });
    let text = Document { document: Some("<A>\r\n\x1b</A>".into()), bytes_b64: None };
    let bytes = Document { document: None, bytes_b64: Some("PP8+".into()) };
    let rows = [
        (moved, "mail          moved from \"ACTIVE\" to \".!!trAsH\", inbox -1"),
        (Event::Alert(text), "alert         <A>\\r\\n\\u{1b}</A>"),
        (Event::Page(bytes), "page          about 3 bytes that are no text"),
    ];
    for (event, expected) in rows {
        assert_eq!(line(&event, false), expected);
    }
}

#[test]
fn who_leaves_a_group_is_told_from_who_leaves_the_list() {
    for (group, words) in [(None, "contact list"), (Some(3), "group 3 of the contact list")] {
        let gone = Event::Contact(Contact {
            account: "bob@example.net".into(),
            name: None,
            list: Some("FL"),
            group,
            change: Change::Removed,
        });
        assert_eq!(
            Words(&gone, &Mark::NONE).to_string(),
            format!("bob@example.net removed, {words}"),
        );
    }
}

#[test]
fn what_was_refused_is_named_once_and_so_is_its_number() {
    let refused = |request: &str, name: &str, code, account: Option<&str>, group: Option<&str>| {
        let (account, group) = (account.map(Into::into), group.map(Into::into));
        let (request, name) = (request.into(), name.into());
        Event::Refused(Refused { request, name, code, account, group, ..Refused::default() })
    };
    let rows = [
        (
            refused("remove-group", "no such group", Some(224), None, Some("3")),
            "refused       remove-group 3: no such group (224)",
        ),
        (
            refused("open", "216 not there", Some(216), Some("bob@x.y"), None),
            "refused       open of bob@x.y: 216 not there",
        ),
    ];
    for (event, expected) in rows {
        assert_eq!(line(&event, false), expected);
    }
}

#[test]
fn colour_is_around_the_name_only() {
    let event = Event::Presence(Presence {
        account: "bob@example.net".into(),
        state: "BSY",
        name: Some("Bob".into()),
        known: true,
        initial: false,
    });
    assert_eq!(line(&event, false), "presence      bob@example.net \"Bob\" is busy");
    assert_eq!(line(&event, true), "\x1b[36mpresence\x1b[0m      bob@example.net \"Bob\" is busy");
}
