//! Payloads of the notification server and invitations: what we write is what servers of the time
//! sent, byte for byte.

use msnp_proto::body::{
    BadValue, InitialMail, InviteCommand, MailActivity, Message, Mime, NewMail, Notice, Profile,
    System, invite,
};
use msnp_proto::types::Dialect;

fn profile() -> Profile {
    let mut profile = Profile::default();
    profile.login_time = Some(1_700_000_000);
    profile.email_enabled = Some(true);
    profile.member_id_high = Some(84736);
    profile.member_id_low = Some(-1_434_729_391);
    profile.language = Some(1033);
    profile.preferred_email = "alice@example.net".into();
    profile.country = "US".into();
    profile.kid = "0".into();
    profile.flags = Some(1027);
    profile.site_id = Some(507);
    profile.key_version = Some(2);
    profile.ticket = "2AAAAinventedticketinventedticket$$".into();
    profile
}

fn new_mail() -> NewMail {
    let mut mail = NewMail::default();
    mail.from = "Bob B".into();
    mail.from_address = "bob@example.net".into();
    mail.subject = "Café".into();
    mail.folder = "ACTIVE".into();
    mail.message_url = "/cgi-bin/getmsg?msg=MSG1".into();
    mail.post_url = "http://mail.example.net".into();
    mail.id = "2".into();
    mail
}

fn initial_mail(unread: u32, post_url: &str) -> InitialMail {
    let mut mail = InitialMail::default();
    mail.inbox_unread = Some(unread);
    mail.folders_unread = Some(0);
    mail.inbox_url = "/cgi-bin/HoTMaiL".into();
    mail.folders_url = "/cgi-bin/folders".into();
    mail.post_url = post_url.into();
    mail
}

#[test]
fn profile_of_each_dialect() {
    for dialect in Dialect::ALL {
        let mut out = Vec::new();
        profile().write(dialect, &mut out).unwrap();
        let mut expected = profile();
        if dialect == Dialect::Msnp2 {
            assert_eq!(
                String::from_utf8_lossy(&out),
                "MIME-Version: 1.0\r\n\
                 Content-Type: text/x-msmsgsprofile; charset=UTF-8\r\n\
                 LoginTime: 1700000000\r\n\
                 \r\n"
            );
            expected = Profile::default();
            expected.login_time = Some(1_700_000_000);
        } else {
            assert_eq!(out.len(), 378);
            let head = String::from_utf8_lossy(&out);
            assert!(head.contains("PostalCode: \r\nGender: \r\nKid: 0\r\nAge: \r\n"));
            assert!(
                head.ends_with("kv: 2\r\nMSPAuth: 2AAAAinventedticketinventedticket$$\r\n\r\n")
            );
        }
        let Notice::Profile(view) = Notice::parse(&out) else { panic!() };
        assert_eq!(view.to_profile(), expected);
    }
}

#[test]
fn profile_of_2002_is_read() {
    // The dialogue at hypothetic.org, `MSG Hotmail Hotmail 362`, with another account.
    let payload = b"MIME-Version: 1.0\r\n\
        Content-Type: text/x-msmsgsprofile; charset=UTF-8\r\n\
        LoginTime: 1011252477\r\nEmailEnabled: 1\r\nMemberIdHigh: 84736\r\n\
        MemberIdLow: -1434729391\r\nlang_preference: 103\r\n\
        PreferredEmail: some_body1@example.net\r\ncountry: IN\r\nPostalCode: \r\nGender: M\r\n\
        Kid: 0\r\nAge: 22\r\nsid: 517\r\nkv: 2\r\n\
        MSPAuth: 2AAAAAAAinventedinventedinventedinventedinventedinvented$$\r\n\r\n";
    assert_eq!(payload.len(), 362);
    let (Notice::Profile(view), None) = Notice::parse_with(payload) else { panic!() };
    let profile = view.to_profile();
    assert_eq!(profile.login_time, Some(1_011_252_477));
    assert_eq!(profile.member_id_low, Some(-1_434_729_391));
    assert_eq!(profile.preferred_email, "some_body1@example.net");
    assert_eq!((profile.gender.as_str(), profile.age.as_str()), ("M", "22"));
    assert_eq!((profile.site_id, profile.flags), (Some(517), None));
    assert!(profile.ticket.expose().ends_with("$$"));
    // Real servers of today send unsigned halves, and no blank before an empty value.
    let payload = b"Content-Type: text/x-msmsgsprofile\r\nMemberIdHigh: 2835438285\r\n\
        country:\r\nABCHMigrated: 1\r\nClientIP: 192.0.2.7\r\nClientPort: 34619\r\n";
    let (Notice::Profile(view), Some(_)) = Notice::parse_with(payload) else { panic!() };
    let profile = view.to_profile();
    assert_eq!(profile.member_id_high, Some(2_835_438_285));
    assert_eq!((profile.client_ip.as_str(), profile.client_port), ("192.0.2.7", Some(34619)));
    assert_eq!(view.fields().get("ABCHMigrated"), Some(&b"1"[..]));
}

#[test]
fn no_debug_shows_the_ticket() {
    let mut out = Vec::new();
    profile().write(Dialect::Msnp7, &mut out).unwrap();
    let mime = Mime::parse(&out);
    let notice = Notice::parse(&out);
    let Notice::Profile(view) = notice else { panic!() };
    let shown = format!(
        "{:?} {mime:?} {:?} {notice:?} {view:#?} {:#?} {:?}",
        profile(),
        mime.headers(),
        view.to_profile(),
        Message::parse(&out),
    );
    assert!(!shown.contains("invented"), "{shown}");
    assert!(shown.contains("Secret(..)"));
}

#[test]
fn mail_notices_of_each_dialect() {
    for dialect in Dialect::ALL {
        let base = dialect == Dialect::Msnp2;
        for (unread, post_url, len) in
            [(3, "http://mail.example.net", 222), (293, "http://www.hotmail.com", 223)]
        {
            let mail = initial_mail(unread, post_url);
            let mut out = Vec::new();
            mail.write(dialect, &mut out).unwrap();
            assert!(base || out.len() == len, "{}", out.len());
            let Notice::InitialMail(fields) = Notice::parse(&out) else { panic!("{dialect}") };
            assert_eq!(InitialMail::parse(fields), mail);
        }
        let mut out = Vec::new();
        new_mail().write(dialect, &mut out).unwrap();
        assert!(base || out.len() == 259, "{}", out.len());
        let Notice::NewMail(fields) = Notice::parse(&out) else { panic!("{dialect}") };
        let mut expected = new_mail();
        if base {
            expected.id.clear();
            assert!(out.starts_with(
                b"MIME-Version: 1.0\r\nContent-Type: application/x-msmsgsemailnotification"
            ));
        }
        assert_eq!(NewMail::parse(fields), expected);
    }
}

#[test]
fn mail_activity() {
    for (source, destination, change) in
        [("ACTIVE", ".!!trAsH", -1), (".!!trAsH", "ACTIVE", 1), ("F1", "F2", 0)]
    {
        let mut activity = MailActivity::default();
        activity.source = source.into();
        activity.destination = destination.into();
        activity.delta = Some(1);
        assert_eq!(activity.inbox_change(), change);
        let mut out = Vec::new();
        activity.write(&mut out).unwrap();
        assert!(source != "ACTIVE" || out.len() == 150, "{}", out.len());
        let Notice::MailActivity(fields) = Notice::parse(&out) else { panic!() };
        assert_eq!(MailActivity::parse(fields), activity);
    }
}

#[test]
fn system_messages() {
    let mut out = Vec::new();
    System::shutdown(5).write(&mut out);
    assert_eq!(out.len(), 88);
    for (body, kind, arg) in [
        ("Type: 1\r\nArg1: 5\r\n", Some(1), Some(5)),
        ("Type: 1\r\nArg1: 0", Some(1), Some(0)),
        ("Type: 1\r\nArg1: -4", Some(1), None),
        ("Type: 1\r\nArg1: soon", Some(1), None),
        ("Type: 2", Some(2), None),
        ("", None, None),
    ] {
        let payload = format!("Content-Type: application/x-msmsgssystemmessage\r\n\r\n{body}");
        let expected = Notice::System(System { kind, arg });
        assert_eq!(Notice::parse(payload.as_bytes()), expected, "{body}");
        let mut out = Vec::new();
        System { kind, arg }.write(&mut out);
        assert_eq!(Notice::parse(&out), expected, "{body}");
    }
}

#[test]
fn values_with_control_characters_are_refused_or_encoded() {
    for evil in ["a\r\nOUT", "a\nb", "a\0b", "\x7f", "a\tb"] {
        let mut out = b"before".to_vec();
        let mut bad = profile();
        bad.country = evil.into();
        assert_eq!(bad.write(Dialect::Msnp7, &mut out), Err(BadValue { name: "country" }));
        let mut bad = profile();
        bad.ticket = evil.into();
        assert_eq!(bad.write(Dialect::Msnp3, &mut out), Err(BadValue { name: "MSPAuth" }));
        let mut bad = new_mail();
        bad.from_address = evil.into();
        assert_eq!(bad.write(Dialect::Msnp3, &mut out), Err(BadValue { name: "From-Addr" }));
        let bad = initial_mail(1, evil);
        assert_eq!(bad.write(Dialect::Msnp2, &mut out), Err(BadValue { name: "Post-URL" }));
        let mut bad = MailActivity::default();
        bad.source = evil.into();
        assert_eq!(bad.write(&mut out), Err(BadValue { name: "Src-Folder" }));
        assert!(invite::write_cancel(&mut out, evil, "REJECT").is_err());
        assert!(invite::write_cancel(&mut out, "1", evil).is_err());
        assert_eq!(out, b"before");

        let mut mail = new_mail();
        (mail.from, mail.subject) = (evil.into(), evil.into());
        let (mut out, mut tame) = (Vec::new(), Vec::new());
        mail.write(Dialect::Msnp7, &mut out).unwrap();
        new_mail().write(Dialect::Msnp7, &mut tame).unwrap();
        let lines = |payload: &[u8]| payload.iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(lines(&out), lines(&tame), "{evil:?}");
        let Notice::NewMail(fields) = Notice::parse(&out) else { panic!() };
        assert_eq!(NewMail::parse(fields), mail);
    }
}

#[test]
fn invitations_are_told_apart_and_carried_whole() {
    let head = "MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsinvite; charset=UTF-8\r\n\r\n";
    assert_eq!(head.len(), 71);
    let body = "Application-Name: File Transfer\r\n\
        Application-GUID: {5D3E02AB-6190-11d3-BBBB-00C04F795683}\r\n\
        Invitation-Command: INVITE\r\n\
        Invitation-Cookie: 33267\r\n\
        Application-File: a:b.txt\r\n\r\n";
    let payload = format!("{head}{body}");
    let Message::Invite(view) = Message::parse(payload.as_bytes()) else { panic!() };
    assert_eq!(view.application_name(), Some(&b"File Transfer"[..]));
    assert_eq!(view.application_guid(), Some(&b"{5D3E02AB-6190-11d3-BBBB-00C04F795683}"[..]));
    assert_eq!(view.command(), InviteCommand::Invite);
    assert_eq!(view.answerable_cookie(), Some("33267"));
    assert_eq!(view.fields().get("application-file"), Some(&b"a:b.txt"[..]));
    let invite = view.to_invite();
    assert_eq!((invite.cookie.as_str(), invite.body.as_slice()), ("33267", body.as_bytes()));

    let mut out = Vec::new();
    invite::write_cancel(&mut out, "33267", "REJECT_NOT_INSTALLED").unwrap();
    let cancel = "Invitation-Command: CANCEL\r\nInvitation-Cookie: 33267\r\n\
        Cancel-Code: REJECT_NOT_INSTALLED\r\n\r\n";
    assert_eq!(String::from_utf8_lossy(&out), format!("{head}{cancel}"));

    for (line, command) in [
        ("Invitation-Command: accept", InviteCommand::Accept),
        ("invitation-command:CANCEL", InviteCommand::Cancel),
        ("Invitation-Command: REJECT", InviteCommand::Cancel),
        ("Invitation-Command: CONTEXT", InviteCommand::Other(b"CONTEXT")),
        ("Invitation-Command", InviteCommand::Other(b"")),
    ] {
        let payload = format!("{head}{line}\n");
        let Message::Invite(view) = Message::parse(payload.as_bytes()) else { panic!() };
        assert_eq!(view.command(), command, "{line}");
        assert_eq!(view.answerable_cookie(), None);
    }
}
