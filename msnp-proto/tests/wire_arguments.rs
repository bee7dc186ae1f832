//! Every verb of every table with too few, enough and too many arguments.

use std::collections::BTreeSet;

use msnp_proto::wire::{Frame, Parsed, VerbRow};
use msnp_proto::{ns, sb};

/// Reads a line and tells: the number of the missing argument, or how many bytes were extra.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Missing(u8),
    Extra(Vec<u8>),
}

macro_rules! reader {
    ($Command:ty) => {
        |line: &[u8], payload: Option<&[u8]>| match <$Command>::parse(Frame::new(line, payload)) {
            Ok(Parsed::Command(_, extra)) => Outcome::Extra(extra.as_bytes().to_vec()),
            Ok(Parsed::Unknown(frame)) => panic!("{frame:?} is unknown"),
            Err(error) => {
                assert!(error.missing, "{}: {error}", line.escape_ascii());
                Outcome::Missing(error.argument)
            }
        }
    };
}

/// Each line has its least arguments before the bar and the optional ones behind it. A line of a
/// verb with a payload is here without the payload's length.
fn check(rows: &[VerbRow], read: impl Fn(&[u8], Option<&[u8]>) -> Outcome, lines: &[&str]) {
    let tested: BTreeSet<_> = lines.iter().map(|line| line[..3].to_owned()).collect();
    let known: BTreeSet<_> = rows.iter().map(|row| row.verb.to_string()).collect();
    assert_eq!(tested, known, "each verb of the table, and no other");

    for line in lines {
        let row = rows.iter().find(|row| line.starts_with(&row.verb.to_string()));
        let row = row.expect("the verb is in the table");
        let (least, optional) = line.split_once(" |").unwrap_or((line, ""));
        let least: Vec<&str> = least.split(' ').collect();
        let optional: Vec<&str> = optional.split_ascii_whitespace().collect();
        let words = [&least[..], &optional[..]].concat();
        let read = |words: &[&str], blank: &str| {
            let line = words.join(blank);
            if row.payload {
                read(format!("{line}{blank}5").as_bytes(), Some(b"hello"))
            } else {
                read(line.as_bytes(), None)
            }
        };
        for blank in [" ", "  ", "\t", " \t "] {
            for count in 1..least.len() {
                let missing = Outcome::Missing(count as u8);
                assert_eq!(read(&words[..count], blank), missing, "{line}");
            }
            for count in least.len()..=words.len() {
                let mut words = words[..count].to_vec();
                assert_eq!(read(&words, blank), Outcome::Extra(vec![]), "{line}");
                words.push("");
                assert_eq!(read(&words, blank), Outcome::Extra(vec![]), "{line}, blank at the end");
            }
            let mut words = words.clone();
            words.extend(["more", "9"]);
            // A run of words has no end but that of the line.
            let open = ["VER", "INF", "CVR", "CVQ", "FND"].contains(&words[0]);
            let open = open && words.len() > 4;
            let extra = if open { vec![] } else { format!("more{blank}9").into_bytes() };
            assert_eq!(read(&words, blank), Outcome::Extra(extra), "{line}");
        }
    }
}

#[test]
fn requests_to_a_notification_server() {
    check(
        ns::Request::VERBS,
        reader!(ns::Request<'_>),
        &[
            "VER 1 MSNP7 | CVR0",
            "INF 2",
            "USR 3 MD5 I a@b.c",
            "USR 3 MD5 S 0123",
            "XFR 4 SB",
            "CVR 5 0x0409 | win",
            "CVQ 5 0x0409 | win",
            "SYN 6 0",
            "GTC 7 A",
            "BLP 8 AL",
            "PRP 9 PHH | 555",
            "LST 10 RL",
            "LSG 11",
            "ADD 12 FL a@b.c | name 0",
            "REM 13 FL a@b.c | 0",
            "ADG 14 name | 0",
            "RMG 15 1",
            "REG 16 1 name | 0",
            "REA 17 a@b.c name",
            "CHG 18 NLN",
            "CHL 19",
            "QRY 20 client",
            "PNG",
            "OUT",
            "FND 21 fname=A | lname=B",
            "SND 22 a@b.c | 0x0409 lib base",
            "SDC 23 a@b.c 0x0409 lib base X X name",
            "PAG 24 a@b.c",
            "IMS 25 ON",
            "URL 26 INBOX | x",
        ],
    );
}

#[test]
fn replies_of_a_notification_server() {
    check(
        ns::Reply::VERBS,
        reader!(ns::Reply<'_>),
        &[
            "VER 1 MSNP7 | CVR0",
            "INF 2 MD5 | CTP",
            "USR 3 MD5 S 123.456",
            "USR 3 OK a@b.c | name 1",
            "XFR 4 SB h:1 CKI cookie",
            "XFR 4 NS h:1 | 0 h:2",
            "CVR 5 1.0 | 1.0",
            "CVQ 5 1.0 | 1.0",
            "SYN 6 41",
            "GTC 7 41 A",
            "BLP 8 41 AL",
            "PRP 9 41 PHH | 555",
            "BPR 41 a@b.c PHH | 555",
            "LST 10 FL 41 1 2 a@b.c | name 0,5",
            "LSG 11 41 1 2 0 name | 0",
            "ADD 12 FL 41 a@b.c | name 0",
            "REM 13 FL 41 a@b.c | 0",
            "ADG 14 41 name 1 | 0",
            "RMG 15 41 1",
            "REG 16 41 1 name | 0",
            "REA 17 41 a@b.c name",
            "CHG 18 NLN",
            "ILN 19 NLN a@b.c | name",
            "NLN NLN a@b.c | name",
            "FLN a@b.c",
            "MSG Hotmail Hotmail",
            "CHL 0 123",
            "QRY 20",
            "QNG",
            "OUT | OTH",
            "FND 21 1 2 | fname=A lname=B",
            "SND 22 OK",
            "SDC 23 OK",
            "IPG",
            "NOT",
            "IMS 25 0 ON",
            "URL 26 /a /b | 2",
            "RNG 1 h:1 CKI cookie a@b.c | name",
        ],
    );
}

#[test]
fn switchboards() {
    check(
        sb::Request::VERBS,
        reader!(sb::Request<'_>),
        &["USR 1 a@b.c cookie", "ANS 1 a@b.c cookie 7", "CAL 2 a@b.c", "MSG 3 N", "OUT"],
    );
    check(
        sb::Reply::VERBS,
        reader!(sb::Reply<'_>),
        &[
            "USR 1 OK a@b.c | name",
            "ANS 1 OK",
            "IRO 1 1 2 a@b.c | name",
            "CAL 2 RINGING 7",
            "JOI a@b.c | name",
            "BYE a@b.c | 1",
            "MSG a@b.c name",
            "ACK 3",
            "NAK 3",
            "OUT | x",
        ],
    );
}

#[test]
fn empty_list_has_no_account() {
    for (line, fits) in [("LST 8 BL 41 0 0", true), ("LST 8 BL 41 0 1", false)] {
        let parsed = ns::Reply::parse(Frame::new(line.as_bytes(), None));
        assert_eq!(parsed.is_ok(), fits, "{line}");
    }
}

#[test]
fn oversized_frame_is_read_as_far_as_its_line_goes() {
    // Such a frame has no payload; its length looks like an argument.
    let error = sb::Reply::parse(Frame::new(b"MSG a@b.c name 99999", None)).unwrap_err();
    assert_eq!((error.argument, error.missing), (3, true));
    let frame = Frame::new(b"MSG 12 N 99999", None);
    assert_eq!(frame.trid(), Some(12.into()));
    assert_eq!(Frame::new(b"MSG 5", Some(b"hello")).trid(), None, "that is the length");
}
