//! Invitations to transfer a file: the examples of the documents to the byte, and what clients do
//! differently.

use std::net::Ipv4Addr;

use msnp_proto::body::invite::{self, FILE_TRANSFER, MAX_COOKIE};
use msnp_proto::body::{InviteCommand, InviteView, Message};
use msnp_proto::ftp::{AuthCookie, Meeting};
use msnp_proto::limits::SWITCHBOARD_PAYLOAD;
use proptest::prelude::*;

const HEAD: &str = "MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsinvite; charset=UTF-8\r\n\r\n";

fn view(payload: &[u8]) -> InviteView<'_> {
    match Message::parse(payload) {
        Message::Invite(view) => view,
        other => panic!("{other:?}"),
    }
}

/// A payload of these lines.
fn payload(lines: &str) -> Vec<u8> {
    format!("{HEAD}{}\r\n\r\n", lines.replace('\n', "\r\n")).into_bytes()
}

/// What was written is the example, which has this length.
#[track_caller]
fn same(written: &[u8], lines: &str, length: usize) {
    let expected = payload(lines);
    assert_eq!(String::from_utf8_lossy(written), String::from_utf8_lossy(&expected));
    assert_eq!(written.len(), length);
}

const E1: &str = "Application-Name: File Transfer\n\
    Application-GUID: {5D3E02AB-6190-11d3-BBBB-00C04F795683}\n\
    Invitation-Command: INVITE\n\
    Invitation-Cookie: 1804289\n\
    Application-File: notes.txt\n\
    Application-FileSize: 4100";

const E4: &str = "Invitation-Command: ACCEPT\n\
    Invitation-Cookie: 1804289\n\
    IP-Address: 192.0.2.10\n\
    IP-Address-Internal: 10.0.0.5\n\
    Port: 6891\n\
    PortX: 11178\n\
    PortX-Internal: 11178\n\
    AuthCookie: 93301\n\
    Launch-Application: FALSE\n\
    Request-Data: IP-Address:";

const E5: &str = "IP-Address: 198.51.100.7\n\
    IP-Address-Internal: 10.0.2.3\n\
    Port: 6892\n\
    PortX: 11181\n\
    AuthCookie: 1251249521\n\
    Sender-Connect: TRUE\n\
    Invitation-Command: ACCEPT\n\
    Invitation-Cookie: 1804290\n\
    Launch-Application: FALSE\n\
    Request-Data: IP-Address:";

/// The sender's place in E4.
fn e4() -> Meeting {
    let mut meeting = Meeting::new(Ipv4Addr::new(192, 0, 2, 10), 6891, AuthCookie::new(93301));
    meeting.internal = Some(Ipv4Addr::new(10, 0, 0, 5));
    (meeting.port_x, meeting.port_x_internal) = (Some(11178), Some(11178));
    meeting
}

#[test]
fn an_offer() {
    let mut out = Vec::new();
    invite::write_file_invite(&mut out, "1804289", "notes.txt", 4100, true).unwrap();
    same(&out, E1, 277);
    let offer = view(&out).file().unwrap();
    assert_eq!((offer.name().as_deref(), offer.size()), (Some("notes.txt"), Some(4100)));
    assert!(offer.is_reachable() && !offer.wants_encryption());
    let answer = (view(&out).meeting(), view(&out).has_address(), view(&out).cancel_code());
    assert_eq!(answer, (None, false, None));

    let mut out = Vec::new();
    invite::write_file_invite(&mut out, "1804290", "notes.txt", 4100, false).unwrap();
    same(&out, &(E1.replace("1804289", "1804290") + "\nConnectivity: N"), 294);
    assert!(!view(&out).file().unwrap().is_reachable());
}

#[test]
fn accepting_it() {
    let mut out = Vec::new();
    invite::write_accept(&mut out, "1804289").unwrap();
    let lines = "Invitation-Command: ACCEPT\nInvitation-Cookie: 1804289\n\
        Launch-Application: FALSE\nRequest-Data: IP-Address:";
    same(&out, lines, 183);
    assert_eq!(view(&out).command(), InviteCommand::Accept);
    assert_eq!(
        (view(&out).meeting(), view(&out).file(), view(&out).has_address()),
        (None, None, false)
    );
}

#[test]
fn where_to_meet() {
    let mut out = Vec::new();
    invite::write_meeting(&mut out, "1804289", &e4(), false).unwrap();
    same(&out, E4, 306);
    let read = view(&out);
    assert_eq!(read.meeting(), Some(e4()));
    assert!(read.has_address() && !read.sender_connects() && read.file().is_none());

    let mut out = Vec::new();
    let plain = Meeting::new(Ipv4Addr::new(192, 0, 2, 10), 6891, AuthCookie::new(93301));
    invite::write_meeting(&mut out, "1804289", &plain, false).unwrap();
    assert_eq!(out.len(), 238);
    assert_eq!(view(&out).meeting(), Some(plain));

    let mut out = Vec::new();
    let cookie = AuthCookie::new(1_251_249_521);
    let mut meeting = Meeting::new(Ipv4Addr::new(198, 51, 100, 7), 6892, cookie);
    meeting.internal = Some(Ipv4Addr::new(10, 0, 2, 3));
    meeting.port_x = Some(11181);
    invite::write_meeting(&mut out, "1804290", &meeting, true).unwrap();
    same(&out, E5, 312);
    assert_eq!(view(&out).meeting(), Some(meeting));
    assert!(view(&out).sender_connects());
}

#[test]
fn refusing_it() {
    for (cookie, code, length) in [
        ("1804289", "REJECT", 150),
        ("1804289", "FTTIMEOUT", 153),
        ("25402056", "REJECT_NOT_INSTALLED", 165),
    ] {
        let mut out = Vec::new();
        invite::write_cancel(&mut out, cookie, code).unwrap();
        let lines =
            format!("Invitation-Command: CANCEL\nInvitation-Cookie: {cookie}\nCancel-Code: {code}");
        same(&out, &lines, length);
        assert_eq!(view(&out).cancel_code(), Some(code.as_bytes()));
        assert_eq!((view(&out).file(), view(&out).meeting()), (None, None));
    }
}

/// Invitations to other things: NetMeeting and voice, as captured.
#[test]
fn what_is_no_file() {
    let netmeeting = "Application-Name: NetMeeting\n\
        Application-GUID: {44BBA842-CC51-11CF-AAFA-00AA00B6015C}\n\
        Session-Protocol: SM1\n\
        Invitation-Command: INVITE\n\
        Invitation-Cookie: 25402056\n\
        Session-ID: {7E0C1D22-5B6A-4F31-9C0D-2A1B3C4D5E6F}";
    let voice = "Application-Name: an audio conversation\n\
        Application-GUID: {02D3C01F-BF30-4825-A83A-DE7AF41648AA}\n\
        Session-Protocol: SM1\n\
        Context-Data: Requested:SIP_A,;Capabilities:SIP_A,;\n\
        Invitation-Command: INVITE\n\
        Avm-Support: 7\n\
        Avm-Request: 2\n\
        Invitation-Cookie: 24443504\n\
        Session-ID: {7E0C1D22-5B6A-4F31-9C0D-2A1B3C4D5E6F}\n\
        Conn-Type: IP-Restrict-NAT\n\
        Sip-Capability: 1\n\
        Public-IP: 192.0.2.10\n\
        Private-IP: 10.0.0.5\n\
        UPnP: FALSE";
    let voice_accept = "Invitation-Command: ACCEPT\n\
        Context-Data: Requested:SIP_A,;Capabilities:SIP_A,;\n\
        Invitation-Cookie: 24443504\n\
        Session-ID: {7E0C1D22-5B6A-4F31-9C0D-2A1B3C4D5E6F}\n\
        Session-Protocol: SM1\n\
        Conn-Type: Symmetric-NAT\n\
        Sip-Capability: 1\n\
        Public-IP: 198.51.100.7\n\
        Private-IP: 10.0.2.3\n\
        UPnP: FALSE\n\
        Launch-Application: TRUE\n\
        UsingRendezvous: FALSE\n\
        Request-Data: IP-Address:\n\
        IP-Address: 10.0.2.3:8348\n\
        IP-Address-Enc64: MTAuMC4yLjM6ODM0OA==";
    for (lines, length, cookie, command) in [
        (netmeeting, 293, "25402056", InviteCommand::Invite),
        (voice, 494, "24443504", InviteCommand::Invite),
        (voice_accept, 507, "24443504", InviteCommand::Accept),
    ] {
        let payload = payload(lines);
        assert_eq!(payload.len(), length);
        let view = view(&payload);
        assert_eq!((view.command(), view.answerable_cookie()), (command, Some(cookie)));
        // Without a cookie of its own, the address of a call is no place to meet for a file.
        assert_eq!((view.file(), view.meeting()), (None, None));
    }
    for (line, by) in [
        ("Invitation-Command: INVITE\n", ""),
        ("Invitation-Command: INVITE", "Invitation-Command: ACCEPT"),
        ("Invitation-Command: INVITE", "Invitation-Command: CONTEXT"),
        ("{5D3E02AB-6190-11d3-BBBB-00C04F795683}", "{5D3E02AB-6190-11d3-BBBB-00C04F795684}"),
        ("{5D3E02AB-6190-11d3-BBBB-00C04F795683}", "unknown"),
    ] {
        let payload = payload(&E1.replace(line, by));
        assert_eq!(view(&payload).file(), None, "{by}");
    }
    // Old libraries send no GUID, but both of the others.
    let guid = format!("Application-GUID: {FILE_TRANSFER}\n");
    for line in ["Application-File: notes.txt\n", "\nApplication-FileSize: 4100"] {
        let payload = payload(&E1.replace(&guid, "").replace(line, ""));
        assert_eq!(view(&payload).file(), None, "without {line}");
    }
}

#[test]
fn offers_as_other_clients_write_them() {
    let guid = format!("Application-GUID: {FILE_TRANSFER}");
    for by in [
        "Application-GUID: {5d3e02ab-6190-11d3-bbbb-00c04f795683}",
        "Application-GUID: 5D3E02AB-6190-11D3-BBBB-00C04F795683",
        "application-guid:5D3E02AB-6190-11d3-BBBB-00C04F795683}",
        "Application-GUID:",
        "X: y",
    ] {
        let payload = payload(&E1.replace(&guid, by));
        assert!(view(&payload).file().is_some(), "{by}");
    }
    for text in [
        format!("{HEAD}{E1}\n"),
        format!("{HEAD}{E1}\n\n\n\n"),
        format!("content-type: TEXT/X-MSMSGSINVITE\n\n{E1}\n"),
        format!("Content-Type: text/x-msmsgsinvite; a=b; charset=latin1\r\n\r\n{E1}"),
    ] {
        let offer = view(text.as_bytes()).file().unwrap();
        assert_eq!((offer.name().as_deref(), offer.size()), (Some("notes.txt"), Some(4100)));
    }
    // The first of two lines counts; a value may have colons and blanks.
    let lines = E1.replace("notes.txt", " C:\\a b.txt \nApplication-File: other");
    assert_eq!(view(&payload(&lines)).file().unwrap().name().as_deref(), Some("C:\\a b.txt"));
    for (name, expected) in [
        (&b"a b.txt"[..], "a b.txt"),
        (b"100%20.txt", "100%20.txt"),
        (b"caf\xe9.txt", "caf\u{FFFD}.txt"),
        ("\u{1F600}.png".as_bytes(), "\u{1F600}.png"),
    ] {
        let [before, after] = E1.split("notes.txt").collect::<Vec<_>>()[..] else { panic!() };
        let bytes = [HEAD.as_bytes(), before.as_bytes(), name, after.as_bytes(), b"\n"].concat();
        assert_eq!(view(&bytes).file().unwrap().name().as_deref(), Some(expected));
    }
    for (size, expected) in [
        ("0", Some(0)),
        ("5000000000", Some(5_000_000_000)),
        ("18446744073709551615", Some(u64::MAX)),
        ("18446744073709551616", None),
        ("-1", None),
        ("+1", None),
        ("1.5", None),
        ("", None),
    ] {
        let payload = payload(&E1.replace("4100", size));
        assert_eq!(view(&payload).file().unwrap().size(), expected, "{size}");
    }
    let nameless = payload(&E1.replace("notes.txt", ""));
    assert_eq!(view(&nameless).file().unwrap().name(), None);
    for (line, reachable, encrypted) in [
        ("Connectivity: N", false, false),
        ("connectivity: n", false, false),
        ("Connectivity: Y", true, false),
        ("Connectivity:", true, false),
        ("Encryption: R", true, true),
        ("Encryption: r", true, true),
        ("Encryption: O", true, false),
    ] {
        let payload = payload(&format!("{E1}\n{line}"));
        let offer = view(&payload).file().unwrap();
        assert_eq!(
            (offer.is_reachable(), offer.wants_encryption()),
            (reachable, encrypted),
            "{line}"
        );
    }
}

#[test]
fn places_as_other_clients_write_them() {
    let plain = "Invitation-Command: ACCEPT\nInvitation-Cookie: 1\nIP-Address: 192.0.2.10\n\
        Port: 6891\nAuthCookie: 93301\nRequest-Data: IP-Address";
    let place = |lines: &str| {
        let payload = payload(lines);
        let meeting = view(&payload).meeting()?;
        assert!(view(&payload).has_address());
        Some((meeting.address.to_string(), meeting.port))
    };
    let expected = Some(("192.0.2.10".to_owned(), 6891));
    assert_eq!(place(plain), expected);
    for (line, by) in [
        ("192.0.2.10", "192.0.2.10:7000"),
        ("192.0.2.10", "192.0.2.10:nothing"),
        ("192.0.2.10\nPort: 6891", "192.0.2.10:6891"),
        ("192.0.2.10", "192.0.2.10\nIP-Address: 10.0.0.1"),
        ("93301", "4294967296"),
        ("93301", "abc"),
        ("93301", "93301\nSender-Connect: FALSE"),
    ] {
        assert_eq!(place(&plain.replace(line, by)), expected, "{by}");
    }
    for (line, by) in [
        ("192.0.2.10", ""),
        ("192.0.2.10", "example.com"),
        ("192.0.2.10", "2001:db8::1"),
        ("192.0.2.10", "192.0.2"),
        ("192.0.2.10", "192.0.2.256"),
        ("192.0.2.10", "192.0.2.010"),
        ("IP-Address: 192.0.2.10\n", ""),
        ("Port: 6891\n", ""),
        ("Port: 6891", "Port: 0"),
        ("Port: 6891", "Port: 99999"),
        ("Port: 6891", "Port: -1"),
        ("Port: 6891", "Port:"),
        ("192.0.2.10\nPort: 6891", "192.0.2.10:6891\nPort: 0"),
        ("192.0.2.10\nPort: 6891", "192.0.2.10:0"),
        ("AuthCookie: 93301\n", ""),
        ("93301", ""),
        ("93301", "1 2"),
        ("93301", "123456789012345678901"),
    ] {
        let payload = payload(&plain.replace(line, by));
        assert_eq!(view(&payload).meeting(), None, "{by}");
    }
    let extras = "\nIP-Address-Internal: home\nPortX: 0\nPortX-Internal: 99999";
    let payload = payload(&format!("{plain}{extras}"));
    let meeting = view(&payload).meeting().unwrap();
    assert_eq!((meeting.internal, meeting.port_x, meeting.port_x_internal), (None, None, None));
}

#[test]
fn names_that_are_offered() {
    let long = format!("{}.jpeg", "é".repeat(2000));
    for (name, expected) in [
        ("/home/alice/a b.txt", "a b.txt"),
        ("C:\\files\\a:b.txt", "a:b.txt"),
        ("a\r\nInvitation-Cookie: 2\r\n.txt", "aInvitation-Cookie: 2.txt"),
        ("\u{85}\0", "file"),
        ("dir/", "file"),
        ("", "file"),
        (" a ", "a"),
    ] {
        let mut out = Vec::new();
        invite::write_file_invite(&mut out, "1", name, 1, true).unwrap();
        assert_eq!(view(&out).file().unwrap().name().as_deref(), Some(expected), "{name:?}");
        assert_eq!(view(&out).cookie(), Some(&b"1"[..]));
    }
    for (cookie, reachable, size) in
        [("1", true, 1), (&"c".repeat(MAX_COOKIE)[..], false, u64::MAX)]
    {
        let mut out = b"before".to_vec();
        invite::write_file_invite(&mut out, cookie, &long, size, reachable).unwrap();
        let payload = &out[6..];
        assert!((SWITCHBOARD_PAYLOAD - 1..=SWITCHBOARD_PAYLOAD).contains(&payload.len()));
        let name = view(payload).file().unwrap().name().unwrap();
        let stem = name.strip_suffix(".jpeg").unwrap();
        assert!(stem.chars().all(|c| c == 'é'), "{name}");
    }
    for evil in ["1\r\nX: y", "1\n", "\0"] {
        let mut out = b"before".to_vec();
        assert!(invite::write_file_invite(&mut out, evil, "a", 1, true).is_err());
        assert!(invite::write_accept(&mut out, evil).is_err());
        assert!(invite::write_meeting(&mut out, evil, &e4(), true).is_err());
        assert_eq!(out, b"before");
    }
}

proptest! {
    #[test]
    fn offers_come_back(
        cookie in "[!-~]{1,64}", name in "\\PC{0,900}", size in any::<u64>(), reachable in any::<bool>(),
    ) {
        let mut out = Vec::new();
        invite::write_file_invite(&mut out, &cookie, &name, size, reachable).unwrap();
        prop_assert!(out.len() <= SWITCHBOARD_PAYLOAD);
        let read = view(&out);
        prop_assert_eq!(read.answerable_cookie(), Some(&cookie[..]));
        let offer = read.file().unwrap();
        prop_assert_eq!((offer.size(), offer.is_reachable()), (Some(size), reachable));
        // Offered again under the name that was read, it is the same.
        let mut again = Vec::new();
        invite::write_file_invite(&mut again, &cookie, &offer.name().unwrap(), size, reachable).unwrap();
        prop_assert!(again == out);
    }

    #[test]
    fn places_come_back(
        address in any::<[u8; 4]>(), internal in any::<Option<[u8; 4]>>(), port in 1_u16..,
        x in prop::option::of(1_u16..), x_internal in prop::option::of(1_u16..),
        cookie in "[!-~]{1,20}", sender_connects in any::<bool>(),
    ) {
        let cookie = AuthCookie::from_text(cookie.as_bytes()).unwrap();
        let mut meeting = Meeting::new(address.into(), port, cookie);
        meeting.internal = internal.map(Ipv4Addr::from);
        (meeting.port_x, meeting.port_x_internal) = (x, x_internal);
        let mut out = Vec::new();
        invite::write_meeting(&mut out, "7", &meeting, sender_connects).unwrap();
        let read = view(&out);
        prop_assert_eq!(read.command(), InviteCommand::Accept);
        prop_assert_eq!((read.cookie(), read.sender_connects()), (Some(&b"7"[..]), sender_connects));
        prop_assert_eq!(read.meeting(), Some(meeting));
    }
}
