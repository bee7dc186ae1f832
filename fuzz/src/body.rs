//! Payloads: whatever the bytes are there is a view of them, and what is written is read as it was
//! meant.

use msnp_proto::body::{
    self, Charset, Colour, Effects, Font, Format, InitialMail, Invite, MailActivity, Message, Mime,
    NewMail, Notice, Profile, System, Text, control, decode_words, invite, text,
};
use msnp_proto::testing::{Decide, Source};
use msnp_proto::types::{Dialect, Handle};

/// One payload as a message and as a notice: its views, and what is written from them.
pub fn bodies(data: &[u8]) {
    let mime = Mime::parse(data);
    let (head, rest) = (mime.headers().as_bytes(), mime.body());
    assert!(
        head.len() + rest.len() <= data.len() && data.starts_with(head) && data.ends_with(rest)
    );
    assert!(mime.headers().iter().count() <= body::mime::MAX_FIELDS);
    for field in mime.headers().iter() {
        assert!(!field.name.is_empty() && field.name.len() <= body::mime::MAX_NAME);
        assert!(!field.value.contains(&b'\n'));
    }
    assert!(!format!("{mime:?} {:?}", mime.content_type()).is_empty());
    match Message::parse(data) {
        Message::Text(view) => text_view(data, &view),
        Message::Typing { user } => typing(user),
        Message::Invite(view) => invitation(&view),
        _ => {}
    }
    match Notice::parse(data) {
        Notice::Profile(view) => profile(&view.to_profile()),
        Notice::InitialMail(fields) => initial_mail(&InitialMail::parse(fields)),
        Notice::NewMail(fields) => new_mail(&NewMail::parse(fields)),
        Notice::MailActivity(fields) => mail_activity(&MailActivity::parse(fields)),
        Notice::System(system) => notice_of_system(system),
        _ => {}
    }
}

fn text_view(payload: &[u8], view: &body::TextView<'_>) {
    let text = view.to_text();
    assert!(!text.content.contains('\r'));
    assert!(text.raw.as_ref().is_none_or(|raw| raw == payload));
    assert!(text.raw.is_some() || text.charset != Charset::Unknown);
    assert_eq!(text.format, view.format());
    written_text(&text.format, &text.content);
}

/// A text comes back as it was written.
fn written_text(format: &Format, content: &str) {
    let mut payload = Vec::new();
    text::write(&mut payload, format, content);
    assert_eq!(payload.len(), text::payload_len(format, content));
    let (Message::Text(view), None) = Message::parse_with(&payload) else {
        panic!("{}", payload.escape_ascii());
    };
    let mut expected = Text::new(content.replace("\r\n", "\n").replace('\r', "\n"));
    expected.format = *format;
    assert_eq!(view.to_text(), expected);
}

fn typing(user: &[u8]) {
    let Some(handle) = core::str::from_utf8(user).ok().and_then(Handle::new) else { return };
    let mut payload = Vec::new();
    control::write_typing(&mut payload, &handle);
    assert_eq!(Message::parse(&payload), Message::Typing { user: handle.as_str().as_bytes() });
}

fn invitation(view: &body::InviteView<'_>) {
    let Invite { body, .. } = view.to_invite();
    assert_eq!(body, view.fields().as_bytes());
    crate::files::invitation(view);
    let Some(cookie) = view.answerable_cookie() else { return };
    let mut payload = Vec::new();
    invite::write_cancel(&mut payload, cookie, "REJECT").expect("it can be answered");
    let Message::Invite(answer) = Message::parse(&payload) else { panic!("no invitation") };
    assert_eq!(answer.command(), body::InviteCommand::Cancel);
    assert_eq!(answer.answerable_cookie(), Some(cookie));
}

/// The notice that was written, if it could be.
fn notice(
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), body::BadValue>,
    check: impl FnOnce(Notice<'_>),
) {
    let mut payload = b"before".to_vec();
    match write(&mut payload) {
        Ok(()) => check(Notice::parse(&payload[6..])),
        Err(_) => assert_eq!(payload, b"before", "nothing was appended"),
    }
}

fn profile(profile: &Profile) {
    let ticket = profile.ticket.expose();
    if ticket.len() > 8 && !ticket.contains('\u{FFFD}') {
        let mut others = profile.clone();
        others.ticket = "".into();
        let shown = format!("{profile:?}");
        assert!(shown.contains(ticket) <= format!("{others:?}").contains(ticket), "{shown}");
    }
    notice(
        |out| profile.write(Dialect::Msnp7, out),
        |read| {
            let Notice::Profile(view) = read else { panic!("{read:?}") };
            assert_eq!(view.to_profile(), *profile);
        },
    );
    notice(
        |out| profile.write(Dialect::Msnp2, out),
        |read| {
            let Notice::Profile(view) = read else { panic!("{read:?}") };
            assert_eq!(view.to_profile().login_time, profile.login_time);
        },
    );
}

fn initial_mail(mail: &InitialMail) {
    for dialect in Dialect::ALL {
        notice(
            |out| mail.write(dialect, out),
            |read| match read {
                Notice::InitialMail(fields) => assert_eq!(InitialMail::parse(fields), *mail),
                // In the base dialect the numbers alone tell the two kinds apart.
                other => assert!(
                    dialect == Dialect::Msnp2
                        && mail.inbox_unread.is_none()
                        && mail.folders_unread.is_none(),
                    "{other:?}"
                ),
            },
        );
    }
}

fn new_mail(mail: &NewMail) {
    for dialect in Dialect::ALL {
        notice(
            |out| mail.write(dialect, out),
            |read| {
                let Notice::NewMail(fields) = read else { panic!("{read:?}") };
                let mut expected = mail.clone();
                if dialect == Dialect::Msnp2 {
                    expected.id.clear();
                }
                assert_eq!(NewMail::parse(fields), expected);
            },
        );
    }
}

fn mail_activity(mail: &MailActivity) {
    let change = mail.inbox_change();
    assert!(change.unsigned_abs() <= mail.delta.unwrap_or(0).into());
    notice(
        |out| mail.write(out),
        |read| {
            let Notice::MailActivity(fields) = read else { panic!("{read:?}") };
            assert_eq!(MailActivity::parse(fields), *mail);
        },
    );
}

fn notice_of_system(system: System) {
    let mut payload = Vec::new();
    system.write(&mut payload);
    assert_eq!(Notice::parse(&payload), Notice::System(system));
}

/// Text, formats and encoded words by value and by bytes.
pub fn texts(data: &[u8]) {
    let mut source = Source::new(data);
    let (r, g, b) = (source.byte(), source.byte(), source.byte());
    let format = Format {
        font: Font::new(&String::from_utf8_lossy(source.slice())),
        effects: Effects::parse(source.take(2)),
        colour: Colour { r, g, b },
        charset: source.byte(),
        pitch_family: source.byte(),
        right_to_left: source.below(2) == 1,
    };
    formats(&format);
    let value = source.slice();
    let read = Format::parse(value);
    formats(&read);
    let words = decode_words(value);
    assert!(words.len() <= 3 * value.len(), "no more than U+FFFD for each byte");
    let rest = source.rest();
    let content = String::from_utf8_lossy(rest);
    written_text(&format, &content);
    let mut mail = NewMail::default();
    (mail.subject, mail.from) = (content.into_owned(), words);
    new_mail(&mail);
}

fn formats(format: &Format) {
    let wire = format.to_string();
    assert!(wire.starts_with("FN=") && wire.bytes().all(|byte| matches!(byte, b' '..=b'~')));
    assert_eq!(Format::parse(wire.as_bytes()), *format, "{wire}");
}
