//! Laws of payloads: any bytes are read, and what was written is read as it was meant.

use msnp_proto::body::{
    Charset, Colour, Effects, Font, Format, InitialMail, MailActivity, Message, Mime, NewMail,
    Notice, Profile, System, Text, control, decode_words, text,
};
use msnp_proto::types::{Dialect, Handle};
use proptest::prelude::*;

/// Pieces of payloads, so that arbitrary bytes get behind the first line.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        prop::sample::select(vec![
            "\r\n",
            "\n",
            "\r",
            "\r\n\r\n",
            ":",
            ": ",
            ";",
            "=",
            "=?",
            "?=",
            "=?utf-8?Q?",
            "?",
            "=?iso-8859-1?B?",
            "%",
            "Content-Type: ",
            "text/plain",
            "; charset=",
            "UTF-8",
            "\"",
            "X-MMS-IM-Format: ",
            "FN=",
            "; EF=",
            "; CO=",
            "text/x-msmsgscontrol",
            "TypingUser: a",
            "text/x-msmsgsinvite",
            "Invitation-Cookie: 1",
            "text/x-msmsgsprofile",
            "MSPAuth: x",
            "text/x-msmsgsemailnotification",
            "Inbox-Unread: 4",
            "Subject: ",
            "application/x-msmsgssystemmessage",
            "Type: 1",
            "Arg1: 5",
            "text/x-msmsgsactivemailnotification",
            "text/x-msmsgsinitialemailnotification",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// A value that can stand in a header line: no control characters, no blanks around it.
fn value() -> impl Strategy<Value = String> {
    "[ -~é\u{3042}\u{1F600}]{0,40}".prop_map(|value| value.trim_matches(' ').to_owned())
}

fn format() -> impl Strategy<Value = Format> {
    let font = prop::option::of("\\PC{1,31}");
    (font, "[BIUS]{0,4}", any::<(u8, u8, u8)>(), any::<(u8, u8, bool)>()).prop_map(
        |(font, effects, (r, g, b), (charset, pitch_family, right_to_left))| Format {
            font: font.and_then(|font| Font::new(&font)),
            effects: Effects::parse(effects.as_bytes()),
            colour: Colour { r, g, b },
            charset,
            pitch_family,
            right_to_left,
        },
    )
}

proptest! {
    #[test]
    fn any_bytes_are_read(payload in bytes()) {
        let mime = Mime::parse(&payload);
        prop_assert!(mime.headers().as_bytes().len() + mime.body().len() <= payload.len());
        let _ = (mime.headers().iter().count(), format!("{mime:?}"), decode_words(&payload));
        let _ = Format::parse(&payload).to_string();
        match Message::parse(&payload) {
            Message::Text(view) => {
                let text = view.to_text();
                prop_assert!(!text.content.contains('\r'));
                prop_assert!(text.raw.is_none_or(|raw| raw == payload));
            }
            Message::Invite(view) => {
                let _ = (view.to_invite(), view.command(), view.answerable_cookie());
            }
            other => drop(format!("{other:?}")),
        }
        match Notice::parse(&payload) {
            Notice::Profile(view) => drop(view.to_profile()),
            Notice::InitialMail(fields) => drop(InitialMail::parse(fields)),
            Notice::NewMail(fields) => drop(NewMail::parse(fields)),
            Notice::MailActivity(fields) => {
                let _ = MailActivity::parse(fields).inbox_change();
            }
            other => drop(format!("{other:?}")),
        }
    }

    #[test]
    fn texts_come_back(format in format(), content in "[\\PC\r\n\t\0]{0,200}") {
        let mut payload = Vec::new();
        text::write(&mut payload, &format, &content);
        prop_assert_eq!(payload.len(), text::payload_len(&format, &content));
        prop_assert!(Mime::parse(&payload).problem().is_none());
        let Message::Text(view) = Message::parse(&payload) else { panic!("not a text") };
        let Text { content: read, format: read_format, charset, raw, .. } = view.to_text();
        prop_assert_eq!(read, content.replace("\r\n", "\n").replace('\r', "\n"));
        prop_assert_eq!((read_format, charset, raw), (format, Charset::Utf8, None));
        // Written once more, it is the same.
        let mut again = Vec::new();
        text::write(&mut again, &view.format(), &view.to_text().content);
        prop_assert_eq!(again, payload);
    }

    #[test]
    fn formats_come_back(format in format()) {
        let wire = format.to_string();
        prop_assert!(wire.starts_with("FN=") && wire.is_ascii() && !wire.contains("\r"));
        prop_assert_eq!(Format::parse(wire.as_bytes()), format);
    }

    #[test]
    fn typing_notices_come_back(name in "[!-?A-~]{1,100}") {
        let handle = Handle::new(&format!("{name}@example.net")).unwrap();
        let mut payload = Vec::new();
        control::write_typing(&mut payload, &handle);
        prop_assert_eq!(payload.len(), 73 + handle.as_str().len());
        let user = handle.as_str().as_bytes();
        prop_assert_eq!(Message::parse(&payload), Message::Typing { user });
    }

    #[test]
    fn mails_come_back(
        texts in prop::collection::vec(value(), 5),
        from in any::<String>(),
        subject in any::<String>(),
        counts in any::<(Option<u32>, Option<u32>)>(),
        dialect in prop::sample::select(&Dialect::ALL[1..]),
    ) {
        let [a, b, c, d, e] = <[String; 5]>::try_from(texts).unwrap();
        let mut initial = InitialMail::default();
        (initial.inbox_unread, initial.folders_unread) = counts;
        (initial.inbox_url, initial.folders_url, initial.post_url) =
            (a.clone(), b.clone(), c.clone());
        let mut payload = Vec::new();
        initial.write(dialect, &mut payload).unwrap();
        let Notice::InitialMail(fields) = Notice::parse(&payload) else { panic!("no mail") };
        prop_assert_eq!(InitialMail::parse(fields), initial);

        let mut activity = MailActivity::default();
        (activity.source, activity.destination, activity.delta) =
            (a.clone(), b.clone(), counts.0);
        payload.clear();
        activity.write(&mut payload).unwrap();
        let Notice::MailActivity(fields) = Notice::parse(&payload) else { panic!("no mail") };
        prop_assert_eq!(MailActivity::parse(fields), activity);

        let mut mail = NewMail::default();
        (mail.from, mail.subject, mail.from_address, mail.folder) = (from, subject, a, b);
        (mail.message_url, mail.post_url, mail.id) = (c, d, e);
        payload.clear();
        mail.write(dialect, &mut payload).unwrap();
        let Notice::NewMail(fields) = Notice::parse(&payload) else { panic!("no mail") };
        prop_assert_eq!(NewMail::parse(fields), mail);

        let system = System { kind: counts.0, arg: counts.1 };
        payload.clear();
        system.write(&mut payload);
        prop_assert_eq!(Notice::parse(&payload), Notice::System(system));
    }

    #[test]
    fn profiles_come_back(
        texts in prop::collection::vec(value(), 11),
        numbers in any::<(Option<u64>, Option<bool>, Option<i64>, Option<i64>, Option<u32>)>(),
        more in any::<(Option<u32>, Option<u32>, Option<u32>, Option<u16>)>(),
        dialect in prop::sample::select(&Dialect::ALL[1..]),
    ) {
        let mut profile = Profile::default();
        (profile.login_time, profile.email_enabled, profile.member_id_high,
         profile.member_id_low, profile.language) = numbers;
        (profile.flags, profile.site_id, profile.key_version, profile.client_port) = more;
        let mut texts = texts.into_iter();
        profile.ticket = texts.next().unwrap().into();
        for field in [
            &mut profile.preferred_email, &mut profile.country, &mut profile.postal_code,
            &mut profile.gender, &mut profile.kid, &mut profile.age,
            &mut profile.birthday_precision, &mut profile.birthday, &mut profile.wallet,
            &mut profile.client_ip,
        ] {
            *field = texts.next().unwrap();
        }
        let mut payload = Vec::new();
        profile.write(dialect, &mut payload).unwrap();
        let Notice::Profile(view) = Notice::parse(&payload) else { panic!("not a profile") };
        prop_assert_eq!(view.to_profile(), profile);
    }

    #[test]
    fn words_of_any_text_come_back_in_one_line(text in any::<String>()) {
        let mut mail = NewMail::default();
        mail.subject = text;
        let mut payload = Vec::new();
        mail.write(Dialect::Msnp7, &mut payload).unwrap();
        let lines = Mime::parse(&payload).body().iter().filter(|byte| **byte == b'\n').count();
        prop_assert_eq!(lines, 7);
    }
}
