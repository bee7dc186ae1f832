//! Payloads that broke other programs. Each test is named for the case it repeats; public numbers
//! of those holes are in the comments.

use msnp_proto::body::{
    Charset, Colour, Effects, Format, InitialMail, Message, Mime, MimeProblem, NewMail, Notice,
    Text, decode_words,
};

const UTF8: &str = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n";

fn payload(head: &str, body: &[u8]) -> Vec<u8> {
    [head.as_bytes(), b"\r\n", body].concat()
}

fn text_of(payload: &[u8]) -> Text {
    match Message::parse(payload) {
        Message::Text(text) => text.to_text(),
        other => panic!("{other:?} in {}", payload.escape_ascii()),
    }
}

fn is_opaque(payload: &[u8]) -> bool {
    matches!(Message::parse(payload), Message::Other { .. })
}

/// CVE-2005-1262, CVE-2010-1624: a message with an empty body.
#[test]
fn m01_empty_bodies() {
    assert_eq!(Mime::parse(b"").problem(), None);
    assert_eq!(Mime::parse(b"").body(), b"");
    assert!(is_opaque(b""));
    assert_eq!(text_of(&payload(UTF8, b"")).content, "");
    let (message, problem) = Message::parse_with(UTF8.as_bytes());
    assert!(matches!(message, Message::Other { .. }));
    assert_eq!(problem, Some(MimeProblem::NoEmptyLine));
}

/// CVE-2005-1934: other line ends.
#[test]
fn m02_line_ends() {
    let good = payload(UTF8, b"hi");
    let only = |end: &str| String::from_utf8_lossy(&good).replace("\r\n", end).into_bytes();
    assert_eq!(text_of(&only("\n")).content, "hi");
    assert_eq!(Message::parse_with(&only("\r")).1, Some(MimeProblem::NoEmptyLine));
    let mixed = b"A: 1\rB: 2\nContent-Type: text/plain\r\n\nhi";
    assert_eq!(Message::parse_with(mixed).1, Some(MimeProblem::BareCarriageReturn));
    assert_eq!(text_of(mixed).content, "hi");
    for end in 0..good.len() {
        let (message, problem) = Message::parse_with(&good[..end]);
        let whole = end >= UTF8.len() + 2;
        assert_eq!(matches!(message, Message::Text(_)), whole, "{end}");
        assert_eq!(problem.is_none(), whole || end == 0, "{end}");
    }
}

/// CVE-2013-6482: a header line without a value.
#[test]
fn m03_header_lines() {
    for (line, problem) in [
        ("Content-Type", Some(MimeProblem::NoColon)),
        ("Content-Type:", None),
        (": x", Some(MimeProblem::NoName)),
        (":", Some(MimeProblem::NoName)),
        (" x: y", Some(MimeProblem::Folded)),
    ] {
        let payload = payload(&format!("{line}\r\n"), b"hi");
        assert_eq!(Mime::parse(&payload).problem(), problem, "{line}");
        assert_eq!(Mime::parse(&payload).body(), b"hi", "{line}");
        assert!(is_opaque(&payload), "{line}");
    }
    for (len, problem) in [(64, None), (65, Some(MimeProblem::NameTooLong))] {
        let head = format!("{}: x\r\n{UTF8}", "n".repeat(len));
        assert_eq!(Mime::parse(&payload(&head, b"hi")).problem(), problem);
        assert_eq!(text_of(&payload(&head, b"hi")).content, "hi");
    }
    for (count, problem) in [(62, None), (63, Some(MimeProblem::TooManyFields))] {
        let payload = payload(&format!("{UTF8}{}", "X: y\r\n".repeat(count)), b"hi");
        assert_eq!(Mime::parse(&payload).problem(), problem);
        assert_eq!(Mime::parse(&payload).headers().iter().count(), 64);
        assert_eq!(text_of(&payload).content, "hi");
    }
    let far = payload(&format!("{}{UTF8}", "X: y\r\n".repeat(500)), b"hi");
    assert_eq!(Mime::parse(&far).problem(), Some(MimeProblem::TooManyFields));
    assert!(is_opaque(&far));
    let twice = payload("A: 1\r\na: 2\r\n", b"");
    assert_eq!(Mime::parse(&twice).header("a"), Some(&b"1"[..]));
}

/// CVE-2009-0647: odd names of character sets.
#[test]
fn m04_odd_charsets() {
    let long = "x".repeat(4096);
    for charset in ["UTF-8.0", "", "\"utf-8", "%s%n%x", long.as_str(), "UTF-16"] {
        let head = format!("Content-Type: text/plain; charset={charset}\r\n");
        for body in [&b"\xc3\xa9"[..], b"\xe9"] {
            let payload = payload(&head, body);
            let text = text_of(&payload);
            assert_eq!(text.charset, Charset::Unknown, "{charset}");
            assert_eq!(text.content, String::from_utf8_lossy(body));
            assert_eq!(text.raw, Some(payload));
        }
    }
    let upper = payload("Content-Type: text/plain; CHARSET=utf-8; charset=koi8-r\r\n", b"\xc3\xa9");
    let text = text_of(&upper);
    assert_eq!((text.content.as_str(), text.charset, text.raw), ("é", Charset::Utf8, None));
}

/// CVE-2012-2318: a body that is not in the stated character set.
#[test]
fn m05_bytes_of_another_charset() {
    for (charset, body, content, replaced) in [
        ("; charset=UTF-8", &b"\xff\xfe"[..], "\u{FFFD}\u{FFFD}", true),
        ("; charset=UTF-8", b"a\xc3", "a\u{FFFD}", true),
        ("; charset=ISO-8859-1", b"\xe9", "é", false),
        ("", b"\xe9", "é", false),
        ("; charset=UTF-8", b"\xc0\x80", "\u{FFFD}\u{FFFD}", true),
        ("; charset=UTF-8", b"\xed\xa0\x80", "\u{FFFD}\u{FFFD}\u{FFFD}", true),
        ("; charset=UTF-8", b"\xef\xbb\xbfx\0", "\u{FEFF}x\0", false),
    ] {
        let payload = payload(&format!("Content-Type: text/plain{charset}\r\n"), body);
        let text = text_of(&payload);
        assert_eq!(text.content, content);
        assert_eq!(text.raw, replaced.then_some(payload));
    }
}

/// CVE-2012-1178: the server's own text is not UTF-8.
#[test]
fn m06_notices_that_are_not_utf8() {
    let notice = b"Content-Type: text/x-msmsgsemailnotification; charset=UTF-8\r\n\r\n\
        From: Ren\xe9\r\nSubject: \xe9t\xe9\r\n";
    let Notice::NewMail(fields) = Notice::parse(notice) else { panic!() };
    let mail = NewMail::parse(fields);
    assert_eq!((mail.from.as_str(), mail.subject.as_str()), ("Ren\u{FFFD}", "\u{FFFD}t\u{FFFD}"));
    assert_eq!(fields.get("From"), Some(&b"Ren\xe9"[..]));
    let profile = b"Content-Type: text/x-msmsgsprofile\r\ncountry: \xe9\r\nLoginTime: \xe9\r\n\r\n";
    let Notice::Profile(profile) = Notice::parse(profile) else { panic!() };
    assert_eq!(profile.to_profile().country, "\u{FFFD}");
    assert_eq!(profile.to_profile().login_time, None);
}

/// CVE-2013-6482: a field is missing in a mail notice.
#[test]
fn m07_counts_and_words() {
    for (line, count) in [
        ("", None),
        ("Inbox-Unread:", None),
        ("Inbox-Unread", None),
        ("Inbox-Unread: abc", None),
        ("Inbox-Unread: -1", None),
        ("Inbox-Unread: +1", None),
        ("Inbox-Unread: 123456789012345678901234567890", None),
        ("Inbox-Unread: 4294967296", None),
        ("Inbox-Unread: 4294967295", Some(u32::MAX)),
        ("Inbox-Unread: 007", Some(7)),
    ] {
        let head = "Content-Type: text/x-msmsgsinitialemailnotification\r\n";
        let payload = payload(head, format!("{line}\r\n").as_bytes());
        let Notice::InitialMail(fields) = Notice::parse(&payload) else { panic!() };
        assert_eq!(InitialMail::parse(fields).inbox_unread, count, "{line}");
    }
    for broken in ["=?iso-8859-1?Q?", "=?x?Z?y?=", "=?utf-8?B?!!!?="] {
        assert_eq!(decode_words(broken.as_bytes()), broken);
    }
}

/// CVE-2010-3711: base64 that is none.
#[test]
fn m08_base64() {
    let long = format!("=?utf-8?B?{}?=", "QUFB".repeat(1 << 18));
    assert_eq!(decode_words(long.as_bytes()).len(), 3 << 18);
    for broken in ["=?utf-8?B?A?=", "=?utf-8?B?=AAA?=", "=?utf-8?B?A A=?="] {
        assert_eq!(decode_words(broken.as_bytes()), broken);
    }
    assert_eq!(decode_words(b"=?utf-8?B?\xff\xff==?="), "=?utf-8?B?\u{FFFD}\u{FFFD}==?=");
}

/// CVE-2009-3084 and others: types that are not ours are carried whole.
#[test]
fn m10_m13_other_types_are_opaque() {
    for head in [
        "Content-Type: application/x-ms-ink\r\n",
        "Content-Type: application/x-msnmsgrp2p\r\nMessage-ID: {1}\r\nChunk: 3\r\n",
        "Content-Type: text/x-unheard-of\r\nMessage-ID: {1}\r\nChunks: 4294967295\r\n",
        "Content-Type: text/x-msmsgscontrol\r\n",
    ] {
        for body in [&b""[..], b"\x00\xd8\x00", b"\xff"] {
            assert!(is_opaque(&payload(head, body)), "{head}");
        }
    }
}

/// CVE-2004-0785: percent coding in the format; decoded once, at most.
#[test]
fn m12_percent_coding() {
    for (value, font) in [
        ("%41%2541".to_owned(), Some("A%41")),
        ("50%".into(), Some("50%")),
        ("%zz%4".into(), Some("%zz%4")),
        ("a%0D%0Ab".into(), None),
        ("%00".into(), None),
        ("%41".repeat(8192), None),
    ] {
        let format = Format::parse(format!("FN={value}; EF=B").as_bytes());
        assert_eq!(format.font.as_ref().map(|font| font.as_str()), font);
        assert_eq!(format.effects, Effects::BOLD);
    }
}

/// A message without a type.
#[test]
fn m14_missing_types() {
    for head in [
        "MIME-Version: 1.0\r\n",
        "Content-Type: \r\n",
        "Content-Type: text\r\n",
        "Content-Type: /\r\n",
        "Content-Type: text/plain;;;=;\r\n",
    ] {
        assert!(is_opaque(&payload(head, b"hi")), "{head}");
        assert!(matches!(Notice::parse(&payload(head, b"hi")), Notice::Other { .. }), "{head}");
    }
}

/// CVE-2008-2409: long attributes in the format.
#[test]
fn x01_formats() {
    let of = |value: &str| {
        let payload = payload(&format!("{UTF8}X-MMS-IM-Format: {value}\r\n"), b"hi");
        let text = text_of(&payload);
        assert_eq!(text.content, "hi");
        let kept = text.raw.is_some();
        assert!(text.raw.is_none_or(|raw| raw == payload));
        (text.format, kept)
    };
    let nothing = Format::default();
    assert_eq!(of(&format!("FN={}", "F".repeat(10 * 1024))), (nothing, true));
    for key in ["CO", "CS", "PF"] {
        assert_eq!(of(&format!("{key}={}", "f".repeat(5 * 1024))), (nothing, true));
    }
    let struck = Format { effects: Effects::STRIKE, ..nothing };
    assert_eq!(of(&format!("EF={}", "S".repeat(5 * 1024))), (struck, false));
    assert_eq!(of("no equals sign"), (nothing, false));
    assert_eq!(of(&"=".repeat(1600)), (nothing, false));
    assert_eq!(of(&"AB=1;".repeat(300)), (nothing, false));
    let (format, _) = of("FN=Arial; FN=Courier");
    assert_eq!(format.font, Format::ARIAL.font);
    for colour in ["-1", "FFFFFFFFF", "zz", "+1", "0x1", "1234567"] {
        assert_eq!(of(&format!("CO={colour}")), (nothing, true), "{colour}");
        // The first of two wins, unreadable or not.
        assert_eq!(of(&format!("CO={colour}; CO=ff")).0.colour, Colour::default());
    }
}

/// All effects at once.
#[test]
fn x02_effects() {
    let all = Effects::BOLD.with(Effects::ITALIC).with(Effects::UNDERLINE).with(Effects::STRIKE);
    for (letters, effects) in [
        ("BIUS", all),
        ("bius", all),
        ("SUIBSUIB", all),
        (&*"B".repeat(100), Effects::BOLD),
        ("XYZ", Effects::NONE),
        ("XIZ", Effects::ITALIC),
        ("", Effects::NONE),
    ] {
        assert_eq!(Format::parse(format!("EF={letters}").as_bytes()).effects, effects);
    }
}

/// CVE-2002-1831: odd cookies.
#[test]
fn x05_cookies() {
    for (cookie, answerable) in [
        (format!("54902160{}", "%20".repeat(40)), false),
        (format!("54902160{}", "%20".repeat(500)), false),
        (String::new(), false),
        ("3".repeat(300), false),
        ("3".repeat(65), false),
        ("3".repeat(64), true),
        ("letters".into(), true),
        ("-1".into(), true),
        ("5%20".into(), true),
        ("5\0".into(), false),
    ] {
        let head = "Content-Type: text/x-msmsgsinvite; charset=UTF-8\r\n";
        let payload = payload(head, format!("Invitation-Cookie: {cookie}\r\n").as_bytes());
        let Message::Invite(view) = Message::parse(&payload) else { panic!() };
        assert_eq!(view.cookie(), Some(cookie.as_bytes()));
        assert_eq!(view.answerable_cookie(), answerable.then_some(cookie.as_str()), "{cookie}");
    }
}

/// Scanners that do not move on, or go back: these take minutes if one does.
#[test]
fn scanning_is_linear() {
    const TIMES: usize = 50_000;
    for piece in ["=?", "=?utf-8?Q?", "=?utf-8?Q?=", "=?utf-8?B", "=?a", "?=", "=?utf-8?Q?a?= "] {
        let value = piece.repeat(TIMES);
        assert!(decode_words(value.as_bytes()).len() <= value.len());
    }
    for piece in ["\r", "\n", "\r\n", "A:", "A\r\n", ":\r\n", ";", "=", "CO=;", " "] {
        let value = piece.repeat(TIMES);
        let _ = (Message::parse(value.as_bytes()), Format::parse(value.as_bytes()));
        let _ = text_of(&payload(UTF8, value.as_bytes()));
        let format = format!("X-MMS-IM-Format: {value}\r\nContent-Type: text/plain; {value}\r\n");
        let _ = Message::parse(&payload(&format, b""));
    }
}
