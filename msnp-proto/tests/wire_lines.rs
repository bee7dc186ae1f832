//! Reading whole lines: what each side makes of them, refusals, and what errors say.

use msnp_proto::error::{CommandError, Expected};
use msnp_proto::limits::Limits;
use msnp_proto::types::ErrorReply;
use msnp_proto::wire::{Frame, FrameDecoder, Inbox, Incoming, Parsed};
use msnp_proto::{ns, sb};

/// Reads all of a stream with a reader of commands, as texts of what came out.
macro_rules! read_all {
    ($decoder:ident, $Command:ty, $stream:expr) => {{
        let mut inbox = Inbox::new(FrameDecoder::$decoder(Limits::new()));
        let mut input: &[u8] = $stream;
        let mut texts = Vec::new();
        loop {
            match inbox.next(&mut input) {
                Ok(Some(Incoming::Frame(frame))) => texts.push(match <$Command>::parse(frame) {
                    Ok(Parsed::Command(command, _)) => format!("{command:?}"),
                    Ok(Parsed::Unknown(frame)) => {
                        format!("{:?}", ErrorReply::parse(frame).expect("a refusal"))
                    }
                    Err(error) => format!("{error}"),
                }),
                Ok(Some(incoming)) => texts.push(format!("{incoming:?}")),
                Ok(None) => break texts,
                Err(error) => {
                    texts.push(format!("{error:?}"));
                    break texts;
                }
            }
        }
    }};
}

#[test]
fn lines_of_a_notification_server() {
    for (stream, expected) in [
        (
            "MSG Hotmail Hotmail 5\r\nabcdeQNG\r\n",
            &["Msg { account: Hotmail, name: \"Hotmail\", body: Body(5 bytes) }", "Qng"][..],
        ),
        (
            "NLN NLN bob@example.net Bob%20B\r\n",
            &["Nln { status: Known(Online), account: bob@example.net, name: Some(\"Bob B\") }"],
        ),
        (
            "LST 8 BL 12182 0 0\r\n",
            &["LstEmpty { trid: TrId(8), list: Block, version: ListVersion(12182) }"],
        ),
        (
            "LST 8 FL 12182 1 2 bob@example.net Bob 0,5\r\n",
            &["Lst { trid: TrId(8), list: Forward, version: ListVersion(12182), \
                index: Number(1), total: Number(2), account: bob@example.net, \
                name: Some(\"Bob\"), groups: Some([GroupId(0), GroupId(5)]) }"],
        ),
        ("911 7\r\n", &["ErrorReply { code: 911, trid: Some(TrId(7)) }"]),
        ("500\r\n", &["ErrorReply { code: 500, trid: None }"]),
        (
            "QRY 18\r\nCHL 0 1\r\n",
            &["Qry { trid: TrId(18) }", "Chl { trid: TrId(0), challenge: Token(1 bytes) }"],
        ),
        (
            "XFR 0 NS 192.0.2.11 0 192.0.2.10:1863\r\n",
            &["XfrNotification { trid: TrId(0), address: Address { host: \"192.0.2.11\", \
                port: None }, zero: Some(Token(1 bytes)), current: Some(Token(15 bytes)) }"],
        ),
        ("XFR 0 NS 0\r\n", &["XfrRestart { trid: TrId(0) }"]),
        ("OUT OTH\r\n", &["Out { reason: Some(Token(3 bytes)) }"]),
        (
            "USR 7 OK alice@example.net Alice%20A 1\r\n",
            &["UsrOk { trid: TrId(7), account: alice@example.net, name: Some(\"Alice A\"), \
                verified: Some(Token(1 bytes)) }"],
        ),
        (
            "BPR 12182 bob@example.net PHH\r\n",
            &[
                "Bpr { version: ListVersion(12182), account: bob@example.net, key: PHH, value: None }",
            ],
        ),
        (
            "BPR 12182 PHH abc\r\n",
            &["BprBare { version: ListVersion(12182), key: PHH, value: Some(\"abc\") }"],
        ),
        ("FLN bob@example.net\r\n", &["Fln { account: bob@example.net }"]),
        ("FLN FLN bob@example.net\r\n", &["Fln { account: bob@example.net }"]),
        ("FLN 10 FLN bob@example.net\r\n", &["Fln { account: bob@example.net }"]),
        ("FLN bob@example.net carol@example.net\r\n", &["Fln { account: bob@example.net }"]),
        ("FLN bob\r\n", &["Fln { account: bob }"]),
        (
            "ILN 9 FLN bob@example.net\r\n",
            &[
                "Iln { trid: TrId(9), status: Known(Offline), account: bob@example.net, name: None }",
            ],
        ),
        (
            "ADG 23 12064 Friends 5 =?\u{fffd}\u{1}-CC\r\n",
            &["Adg { trid: TrId(23), version: ListVersion(12064), name: \"Friends\", \
                group: GroupId(5), zero: Some(Token(9 bytes)) }"],
        ),
        ("MSG Hotmail Hotmail -3\r\n", &["BadLength"]),
        (
            "CHL 4294967296 1\r\n",
            &["CHL: argument 1 should be a transaction id and is something else"],
        ),
        ("CHL -1 1\r\n", &["CHL: argument 1 should be a transaction id and is something else"]),
        ("CHL 0\r\n", &["CHL: argument 2 should be a word and is missing"]),
    ] {
        let read = read_all!(notification_client, ns::Reply<'_>, stream.as_bytes());
        assert_eq!(read, expected, "{stream:?}");
    }
}

#[test]
fn lines_of_a_client() {
    for (stream, expected) in [
        (
            "QRY 18 msmsgs@msnmsgr.com 32\r\n0212eaad0876afb8505859ca75d21a78PNG\r\n",
            &["Qry { trid: TrId(18), client_id: Token(18 bytes), digest: Body(32 bytes) }", "Png"]
                [..],
        ),
        ("INF 2 \r\n", &["Inf { trid: TrId(2) }"]),
        ("PRP 12 PHH  \r\n", &["Prp { trid: TrId(12), key: Token(3 bytes), value: None }"]),
        (
            "SDC 4 f@example.org 0x0409 MSMSGS MSMSGS X X Al 0\r\n",
            &["Sdc { trid: TrId(4), account: f@example.org, locale: Token(6 bytes), \
                library: Token(6 bytes), codebase: Token(6 bytes), name: \"Al\", \
                text: Body(0 bytes) }"],
        ),
    ] {
        let read = read_all!(notification_server, ns::Request<'_>, stream.as_bytes());
        assert_eq!(read, expected, "{stream:?}");
    }
    let read = read_all!(switchboard_server, sb::Request<'_>, b"MSG 4 N 0\r\n");
    let expected = "Msg { trid: TrId(4), delivery: OnFailure, body: Body(0 bytes) }";
    assert_eq!(read, [expected]);
    let read = read_all!(switchboard_server, sb::Request<'_>, b"MSG 4 n 0\r\nCAL 5\r\n");
    assert_eq!(
        read,
        [
            "MSG: argument 2 should be U, N or A and is something else",
            "CAL: argument 2 should be an account name and is missing",
        ]
    );
}

#[test]
fn refusals_are_three_digits_from_100() {
    for (line, number, trid) in [
        (&b"911 7"[..], Some(911), Some(7)),
        (b"500", Some(500), None),
        (b"217 99999 info", Some(217), Some(99999)),
        (b"201 4294967296", Some(201), None),
        (b"201 -1", Some(201), None),
        (b" 715  3 ", Some(715), Some(3)),
        (b"099 1", None, None),
        (b"20 1", None, None),
        (b"2000 1", None, None),
        (b"2x0 1", None, None),
    ] {
        let reply = ErrorReply::parse(Frame::new(line, None));
        let read = reply.map(|reply| (reply.code.number(), reply.trid.map(|trid| trid.0)));
        assert_eq!(read, number.map(|number| (number, trid)), "{}", line.escape_ascii());
    }
}

#[test]
fn errors_say_what_is_wrong() {
    let error = ns::Reply::parse(Frame::new(b"USR 3 MD5 X y", None)).unwrap_err();
    let CommandError { argument, expected, missing, .. } = error;
    assert_eq!((argument, expected, missing), (3, Expected::Word("S"), false));
}
