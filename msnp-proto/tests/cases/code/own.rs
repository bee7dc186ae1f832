//! What our own side is asked to say.

use msnp_proto::body::{Font, Format, text};
use msnp_proto::error::Misuse;
use msnp_proto::limits::{Limits, NICK, SWITCHBOARD_PAYLOAD};
use msnp_proto::ns::{Change, Request};
use msnp_proto::testing::Cutter;
use msnp_proto::types::{Delivery, GroupId, Handle, List, Nick, Property};
use msnp_proto::wire::{FrameDecoder, Parsed};

use crate::client::handle;
use crate::script::Script;

/// F11: headers and body together at the limit, over it, far over it. What does not fit is refused
/// before one byte is queued, and what is queued is whole.
pub(super) fn own_messages_fit_or_are_refused() {
    let mut script = Script::online();
    let (chat, sb) = script.chat_with("bob@example.net");
    script.drain(sb);
    let now = script.now;
    let head = text::payload_len(&Format::ARIAL, "");
    for size in [SWITCHBOARD_PAYLOAD - 1, SWITCHBOARD_PAYLOAD, SWITCHBOARD_PAYLOAD + 1, 65_536] {
        let content = "x".repeat(size - head);
        let sent = script.client.send_text(now, chat, &content, Delivery::Always);
        let said = script.drain(sb);
        if size <= SWITCHBOARD_PAYLOAD {
            assert!(sent.is_ok() && said.ends_with(&format!("\r\n\r\n{content}")), "{size}");
            assert!(said.contains(&format!(" {size}\r\n")), "{size}");
        } else {
            assert_eq!(sent, Err(Misuse::TooLong { size, limit: SWITCHBOARD_PAYLOAD }));
            assert_eq!(said, "");
        }
    }
    // Line ends grow on the way; a font is part of the size; headers alone can be too much.
    let content = "\n".repeat((SWITCHBOARD_PAYLOAD - head) / 2 + 1);
    assert!(script.client.send_text(now, chat, &content, Delivery::Always).is_err());
    let fitting = "x".repeat(SWITCHBOARD_PAYLOAD - head);
    let mut format = Format::ARIAL;
    format.font = Font::new("Times New Roman");
    assert!(script.client.send_formatted(now, chat, &format, &fitting, Delivery::Always).is_err());
    let headers = format!("Content-Type: x/y\r\nX: {}\r\n\r\n", "h".repeat(8 * 1024));
    let sent = script.client.send_payload(now, chat, headers.as_bytes(), Delivery::Always);
    assert!(matches!(sent, Err(Misuse::TooLong { .. })), "{sent:?}");
    assert_eq!(script.drain(sb), "");
}

/// What tries to be more than one value.
const HOSTILE: [&str; 9] =
    ["a\r\nOUT", "a\nOUT", "a\rb", "a\0b", "a b", "a%0D%0AOUT", "\t", "a\u{85}b", "\u{2028}"];

/// F12: every value of every command; what is said is exactly the commands that were asked for.
pub(super) fn own_values_are_no_commands() {
    for hostile in HOSTILE {
        let mut script = Script::online();
        let (ns, now) = (script.ns, script.now);
        let bob = handle("bob@example.net");
        assert_eq!(
            Handle::new(&format!("{hostile}@example.net")).is_some(),
            hostile.contains("%0D")
        );
        let nick = Nick::new(hostile).expect("a name may be any text");
        let list = List::Allow;
        let text = || String::from(hostile);
        let changes = [
            Change::Add { list, account: bob.clone(), nick: Some(nick.clone()), group: None },
            Change::AddGroup(nick.clone()),
            Change::RenameGroup(GroupId(5), nick.clone()),
            Change::Rename(handle("alice@example.net"), nick.clone()),
            Change::Property(Property::HomePhone, text()),
            Change::Url { service: text(), parameter: None },
            Change::Url { service: "INBOX".into(), parameter: Some(text()) },
            Change::Find { terms: text() },
            Change::Mail { address: text(), text: String::new() },
            Change::Mail { address: "a@b.c".into(), text: text() },
            Change::Page { account: bob.clone(), text: text() },
        ];
        let mut cutter = Cutter::new(FrameDecoder::notification_server(Limits::default()));
        for change in changes {
            let shown = format!("{hostile:?}: {change:?}");
            let asked = script.client.change(now, change.clone());
            let said = script.drain(ns);
            let frames = cutter.push(said.as_bytes()).expect("a stream of commands");
            assert_eq!(frames.len(), usize::from(asked.is_ok()), "{shown}: {said:?}");
            let Some(frame) = frames.first() else { continue };
            let read = Request::parse(frame.frame());
            let Ok(Parsed::Command(request, extra)) = read else { panic!("{shown}: {said:?}") };
            let terms = matches!(change, Change::Find { .. });
            assert!(extra.is_empty() || terms, "{shown}: {said:?}");
            let printable = |byte: &u8| matches!(byte, b' '..=b'~');
            let line = frame.frame().line();
            assert!(line.iter().all(printable) || !hostile.is_ascii(), "{shown}: {said:?}");
            if let Request::Add { name, .. } = request {
                assert_eq!(name.map(|name| name.to_text()).as_deref(), Some(hostile));
            }
        }
        // A text is a text.
        let mut script = Script::online();
        let (chat, sb) = script.chat_with("bob@example.net");
        script.drain(sb);
        script.client.send_text(now, chat, hostile, Delivery::Always).expect("it fits");
        let said = script.drain(sb);
        let mut cutter = Cutter::new(FrameDecoder::switchboard_server(Limits::default()));
        assert_eq!(cutter.push(said.as_bytes()).map(|frames| frames.len()), Ok(1), "{said:?}");
    }
}

/// M11: a character of four bytes over every limit. Passwords are not cut either: the digest is of
/// all of it.
pub(super) fn names_and_passwords_are_never_cut() {
    for before in 0..13 {
        // Four bytes each as they go when there is no room to encode them.
        let name = format!("{}{}", "x".repeat(before), "\u{1F600}".repeat(94));
        let fits = before + 94 * 4 <= NICK;
        assert_eq!(Nick::new(&name).is_some(), fits, "{before}");
        let longest =
            format!("{}{}", "x".repeat(NICK - 4 * 96 - before.min(3)), "\u{1F600}".repeat(96));
        let nick = Nick::new(&longest).expect("at most the limit");
        assert_eq!(nick.as_str(), longest, "kept whole");
    }
    for size in [15, 16, 17, 63, 64, 65, 4096] {
        let password = format!("{}\u{1F600}", "x".repeat(size));
        let mut script = Script::signing_in_with(&password);
        let ns = script.connect("messenger.example.net:1863");
        script.says(ns, "VER 1 MSNP7\r\nINF 2 MD5\r\nUSR 3 MD5 S 123.456\r\n");
        let whole = msnp_proto::ns::challenge::digest(b"123.456", password.as_bytes());
        let digest = std::str::from_utf8(&whole).expect("digits");
        assert!(script.drain(ns).ends_with(&format!("USR 4 MD5 S {digest}\r\n")));
    }
}
