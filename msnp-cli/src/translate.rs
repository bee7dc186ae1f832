//! What the client reports, as events of the program.
//!
//! This module knows both vocabularies. It keeps no state: what becomes of messages is in
//! [`ledger`](crate::ledger).

use msnp_proto::body::{Effects, Text};
use msnp_proto::client::{Content, Event as Told, Failure, RosterChange};
use msnp_proto::error::Lost;
use msnp_proto::types::{ErrorCode, Handle, List};

use crate::events::{
    Change, Chat, Contact, Document, Event, Format, Mail, Message, NotDone, Presence, Refused,
};

/// The event for what was told, unless it is one about a message of ours or about signing in,
/// or nothing that users need.
pub(crate) fn event(told: &Told) -> Option<Event> {
    Some(match told {
        Told::Presence { account, status, nick, known, initial } => Event::Presence(Presence {
            account: account.to_string(),
            state: status.as_str(),
            name: nick.as_ref().map(ToString::to_string),
            known: *known,
            initial: *initial,
        }),
        Told::StatusChanged { status } => {
            Event::Setting { name: "state".into(), value: status.as_str().into(), account: None }
        }
        Told::Roster(change) => roster(change),
        Told::InitialMail(mail) => Event::Mail(Mail {
            inbox: mail.inbox_unread,
            folders: mail.folders_unread,
            ..Mail::default()
        }),
        Told::NewMail(mail) => Event::Mail(Mail {
            from: Some(format!("{} <{}>", mail.from, mail.from_address)),
            from_name: Some(mail.from.clone()),
            from_address: Some(mail.from_address.clone()),
            subject: Some(mail.subject.clone()),
            ..Mail::default()
        }),
        Told::MailActivity(moved) => Event::Mail(Mail {
            source: Some(moved.source.clone()),
            destination: Some(moved.destination.clone()),
            inbox_change: Some(moved.inbox_change()),
            ..Mail::default()
        }),
        Told::Alert { document: bytes } => Event::Alert(document(bytes)),
        Told::Page { document: bytes } => Event::Page(document(bytes)),
        Told::System(system) => {
            let minutes = system.arg.filter(|_| system.kind == Some(1));
            let reason = match minutes {
                Some(minutes) => format!("the server says that it goes down in {minutes} minutes"),
                None => "the server sent a message about itself".into(),
            };
            Event::Warning { reason, verb: None }
        }
        Told::ChatOpened { chat, with, .. } => this_chat(chat.0, Change::Opened, Some(with), None),
        Told::Joined { chat, account, .. } => {
            this_chat(chat.0, Change::Joined, Some(account), None)
        }
        Told::Left { chat, account, idle } => {
            let reason = idle.then(|| "dropped by the server for being idle".to_owned());
            this_chat(chat.0, Change::Left, Some(account), reason)
        }
        Told::NotReached { chat, account, why } => {
            this_chat(chat.0, Change::NotReached, Some(account), Some(why.to_string()))
        }
        Told::ChatClosed { chat, why } => {
            let reason = (*why != Lost::SignedOut).then(|| why.to_string());
            this_chat(chat.0, Change::Closed, None, reason)
        }
        Told::Message { chat, from, nick, known, content } => {
            let message = Message {
                chat: chat.0,
                from: from.to_string(),
                name: nick.to_string(),
                known: *known,
                content_type: String::new(),
                text: None,
                bytes_b64: None,
                format: None,
            };
            Event::Message(Box::new(with_content(message, content)))
        }
        Told::Typing { chat, from } => Event::Typing { chat: chat.0, from: from.to_string() },
        Told::Refused { verb, why, .. } => Event::Refused(Refused {
            request: verb.to_string(),
            verb: Some(verb.to_string()),
            outcome: match why {
                Failure::TimedOut(_) | Failure::Lost(_) => NotDone::Unknown,
                _ => NotDone::Refused,
            },
            code: code(*why).map(ErrorCode::number),
            name: why.to_string(),
            ..Refused::default()
        }),
        Told::Warning(warning) => Event::Warning {
            reason: warning.to_string(),
            verb: warning.verb().map(|verb| verb.to_string()),
        },
        _ => return None,
    })
}

/// The event for a sign-in that the server refused, in addition to the end of the session.
pub(crate) fn refused_sign_in(why: Lost) -> Option<Event> {
    let (Lost::Password(code) | Lost::Refused(code)) = why else { return None };
    Some(Event::Refused(Refused {
        request: "sign-in".into(),
        code: Some(code.number()),
        name: code.name().unwrap_or("unknown number").into(),
        ..Refused::default()
    }))
}

/// The server's number in a failure.
pub(crate) fn code(why: Failure) -> Option<ErrorCode> {
    match why {
        Failure::Refused(code) | Failure::Lost(Lost::Password(code) | Lost::Refused(code)) => {
            Some(code)
        }
        _ => None,
    }
}

fn document(bytes: &[u8]) -> Document {
    match std::str::from_utf8(bytes) {
        Ok(text) => Document { document: Some(text.to_owned()), bytes_b64: None },
        Err(_) => Document { document: None, bytes_b64: Some(base64(bytes)) },
    }
}

fn this_chat(chat: u32, change: Change, who: Option<&Handle>, reason: Option<String>) -> Event {
    Event::Chat(Chat { chat, change, account: who.map(ToString::to_string), reason })
}

fn roster(change: &RosterChange) -> Event {
    let contact = |account: &Handle, list: Option<List>, name: Option<String>, change| {
        let (account, list) = (account.to_string(), list.map(List::as_str));
        Event::Contact(Contact { account, name, list, group: None, change })
    };
    let setting = |name: &str, value: &str| Event::Setting {
        name: name.into(),
        value: value.into(),
        account: None,
    };
    match change {
        RosterChange::Added { list, account, .. } => {
            contact(account, Some(*list), None, Change::Added)
        }
        RosterChange::Removed { list, account, group, .. } => Event::Contact(Contact {
            account: account.to_string(),
            name: None,
            list: Some(list.as_str()),
            group: group.map(|group| group.0),
            change: Change::Removed,
        }),
        RosterChange::Renamed { account, nick } => {
            contact(account, None, Some(nick.to_string()), Change::Renamed)
        }
        RosterChange::Group { group, name } => {
            Event::Group { id: group.0, name: Some(name.to_string()), change: Change::Added }
        }
        RosterChange::GroupRemoved { group } => {
            Event::Group { id: group.0, name: None, change: Change::Removed }
        }
        RosterChange::Privacy(privacy) => setting("privacy", privacy.as_str()),
        RosterChange::Prompt(prompt) => setting("prompt", prompt.as_str()),
        RosterChange::Property { account, property, value } => Event::Setting {
            name: property.as_str().into(),
            value: value.clone(),
            account: account.as_ref().map(ToString::to_string),
        },
        _ => setting("roster", "changed"),
    }
}

fn with_content(message: Message, content: &Content) -> Message {
    match content {
        Content::Text(text) => Message {
            content_type: "text/plain".into(),
            text: Some(text.content.clone()),
            bytes_b64: text.raw.as_deref().map(base64),
            format: Some(format(text)),
            ..message
        },
        Content::Other { content_type, payload } => Message {
            content_type: content_type.clone(),
            bytes_b64: Some(base64(payload)),
            ..message
        },
        _ => message,
    }
}

fn format(text: &Text) -> Format {
    let format = &text.format;
    let colour = format.colour;
    Format {
        font: format.font.as_ref().map(|font| font.as_str().to_owned()),
        colour: format!("#{:02x}{:02x}{:02x}", colour.r, colour.g, colour.b),
        bold: format.effects.has(Effects::BOLD),
        italic: format.effects.has(Effects::ITALIC),
        underline: format.effects.has(Effects::UNDERLINE),
        strike: format.effects.has(Effects::STRIKE),
        right_to_left: format.right_to_left,
    }
}

/// RFC 4648, with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for (index, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let digit = DIGITS.get((bits >> shift & 63) as usize).copied().unwrap_or(b'=');
            out.push(if index <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use msnp_proto::body::MailActivity;
    use msnp_proto::types::GroupId;

    use super::*;

    #[test]
    fn mails_that_were_moved_change_what_waits_in_the_inbox() {
        for (source, destination, change) in
            [("ACTIVE", ".!!trAsH", -2), ("Friends", "ACTIVE", 2), ("Friends", ".!!trAsH", 0)]
        {
            let mut moved = MailActivity::default();
            (moved.source, moved.destination) = (source.into(), destination.into());
            moved.delta = Some(2);
            let mail = Mail {
                source: Some(source.into()),
                destination: Some(destination.into()),
                inbox_change: Some(change),
                ..Mail::default()
            };
            assert_eq!(event(&Told::MailActivity(moved)), Some(Event::Mail(mail)));
        }
    }

    #[test]
    fn who_leaves_a_group_is_told_from_who_leaves_the_list() {
        let bob = Handle::new("bob@example.net").expect("an account");
        for group in [None, Some(3)] {
            let (account, left) = (bob.clone(), group.map(GroupId));
            let removed =
                RosterChange::Removed { list: List::Forward, account, group: left, foreign: true };
            let told = Contact {
                account: bob.to_string(),
                name: None,
                list: Some("FL"),
                group,
                change: Change::Removed,
            };
            assert_eq!(roster(&removed), Event::Contact(told));
        }
    }

    #[test]
    fn documents_are_text_if_they_can_be() {
        let rows = [("<A/>".as_bytes(), Some("<A/>"), None), (b"<\xff>", None, Some("PP8+"))];
        for (bytes, text, encoded) in rows {
            let document =
                Document { document: text.map(Into::into), bytes_b64: encoded.map(Into::into) };
            let page = Told::Page { document: bytes.to_vec() };
            assert_eq!(event(&page), Some(Event::Page(document.clone())));
            let alert = Told::Alert { document: bytes.to_vec() };
            assert_eq!(event(&alert), Some(Event::Alert(document)));
        }
    }

    #[test]
    fn base64_as_in_the_standard() {
        let rows = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (text, encoded) in rows {
            assert_eq!(base64(text.as_bytes()), encoded);
        }
        assert_eq!(base64(&[0xff, 0xfe, 0xfd]), "//79");
    }
}
