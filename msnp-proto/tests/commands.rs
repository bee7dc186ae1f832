//! Commands of the wire, read and written: a table of lines as they are sent.

use msnp_proto::wire::{FrameDecoder, Inbox, Incoming, Parsed};
use msnp_proto::{ns, sb};

/// Reads every line with the given reader and writes it again: canonical lines come back as they
/// were.
macro_rules! round_trip {
    ($decoder:ident, $Command:ty, $lines:expr) => {
        for line in $lines {
            let wire = format!("{line}\r\n");
            let (head, payload) = line.split_once("\r\n").unwrap_or((line, ""));
            let wire = if payload.is_empty() { wire } else { format!("{head}\r\n{payload}") };
            let mut inbox = Inbox::new(FrameDecoder::$decoder(Default::default()));
            let mut input = wire.as_bytes();
            let Some(Incoming::Frame(frame)) = inbox.next(&mut input).unwrap() else {
                panic!("no frame in {line:?}");
            };
            let Parsed::Command(command, extra) = <$Command>::parse(frame).unwrap() else {
                panic!("unknown verb in {line:?}");
            };
            assert!(extra.is_empty(), "{line:?} has {extra:?}");
            let mut out = Vec::new();
            command.encode(&mut out);
            assert_eq!(out, wire.as_bytes(), "{line:?}");
        }
    };
}

#[test]
fn requests_to_the_notification_server() {
    round_trip!(
        notification_server,
        ns::Request<'_>,
        [
            "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0",
            "INF 2",
            "USR 3 MD5 I alice@example.net",
            "USR 4 MD5 S 986e857471c90128c95e016772a9d8b0",
            "XFR 9 SB",
            "CVR 8 0x0409 win 4.10 i386 MSMSGS 4.5.0127 MSMSGS",
            "SYN 8 41",
            "GTC 31 N",
            "BLP 30 BL",
            "PRP 55 PHH 555%200100",
            "PRP 33 PHH",
            "LST 9 RL",
            "LSG 54",
            "ADD 10 FL bob@example.net bob@example.net 0",
            "ADD 11 AL bob@example.net bob@example.net",
            "REM 13 FL bob@example.net 2",
            "ADG 23 Friends 0",
            "RMG 24 5",
            "REG 25 5 Best%20Friends 0",
            "REA 12 alice@example.net Alice%20in%20W.",
            "CHG 9 AWY",
            "QRY 18 msmsgs@msnmsgr.com 32\r\n0212eaad0876afb8505859ca75d21a78",
            "PNG",
            "OUT",
            "FND 4 fname=Ann lname=Other city=* state=* country=US",
            "SND 3 friend@example.org 0x0409 MSMSGS MSMSGS",
            "SDC 4 friend@example.org 0x0409 MSMSGS MSMSGS X X Alice%20A 22\r\nCome and chat with me.",
            "SDC 42 friend@example.org 0x0409 MSMSGS MSMSGS X X Alice%20A 0",
            "PAG 1 bob@example.net 41\r\n<TEXT xml:space=\"preserve\">Call me</TEXT>",
            "IMS 28 OFF",
            "URL 15 INBOX",
        ]
    );
}

#[test]
fn replies_of_the_notification_server() {
    round_trip!(
        notification_client,
        ns::Reply<'_>,
        [
            "VER 1 MSNP7",
            "VER 1 0",
            "INF 2 MD5",
            "USR 6 MD5 S 1700000000.123456789",
            "USR 7 OK alice@example.net Alice%20A 1",
            "USR 7 OK alice@example.net Alice%20A",
            "XFR 9 SB 192.0.2.20:1863 CKI 17262740.1700000000.32308",
            "XFR 3 NS 192.0.2.10:1863",
            "XFR 3 NS 192.0.2.10:1863 0",
            "XFR 3 NS 192.0.2.10:1863 0 192.0.2.1:1863",
            "XFR 0 NS 192.0.2.11 0 192.0.2.10:1863",
            "XFR 0 NS 0",
            "CVR 8 4.5.0127 4.5.0127 1.0.0863 http://example.net/setup.exe http://example.net/info",
            "SYN 8 12182",
            "GTC 8 12182 A",
            "BLP 8 12182 AL",
            "PRP 8 12182 PHH 555%200100",
            "PRP 8 12182 PHW",
            "PRP 8 PHH 555",
            "LSG 8 12182 1 2 0 Other%20Contacts 0",
            "LST 8 FL 12182 1 1 bob@example.net Bob%20B 0,5",
            "LST 8 BL 12182 0 0",
            "LST 8 RL 12182 1 1 bob@example.net Bob%20B",
            "BPR 12182 bob@example.net PHW 555%200101",
            "BPR 12182 PHW 555%200101",
            "BPR 12182 bob@example.net MOB N",
            "ADD 10 FL 43 bob@example.net bob@example.net 0",
            "ADD 0 RL 44 carol@example.net Carol",
            "REM 13 FL 46 bob@example.net 2",
            "ADG 23 12064 Friends 5 0",
            "RMG 24 12065 5",
            "REG 25 12066 5 Best%20Friends 0",
            "REA 12 45 alice@example.net Alice%20in%20W.",
            "CHG 9 AWY",
            "ILN 9 BSY bob@example.net Bob%20B",
            "NLN NLN carol@example.net Carol",
            "FLN carol@example.net",
            "MSG Hotmail Hotmail 5\r\nabcde",
            "CHL 0 20881396011366812350",
            "QRY 18",
            "QNG",
            "OUT",
            "OUT OTH",
            "FND 4 1 1 fname=Ann lname=Other city=Springfield state=OK country=US",
            "FND 4 0 0",
            "SND 3 OK",
            "SDC 4 OK",
            "IPG 3\r\n<a>",
            "NOT 3\r\n<a>",
            "IMS 28 0 OFF",
            "URL 15 /cgi-bin/HoTMaiL https://login.example.net/md5auth.srf?lc=1033 2",
            "RNG 11752013 192.0.2.20:1863 CKI 849102291.1700000000 alice@example.net Alice%20A",
        ]
    );
}

#[test]
fn switchboard_in_both_directions() {
    round_trip!(
        switchboard_server,
        sb::Request<'_>,
        [
            "USR 1 alice@example.net 17262740.1700000000.32308",
            "ANS 1 bob@example.net 849102291.1700000000 11752013",
            "CAL 2 bob@example.net",
            "MSG 3 N 5\r\nhello",
            "MSG 4 U 0",
            "OUT",
        ]
    );
    round_trip!(
        switchboard_client,
        sb::Reply<'_>,
        [
            "USR 1 OK alice@example.net Alice%20A",
            "CAL 2 RINGING 11752013",
            "IRO 1 1 2 alice@example.net Alice%20A",
            "ANS 1 OK",
            "JOI bob@example.net Bob%20B",
            "BYE bob@example.net",
            "BYE bob@example.net 1",
            "MSG alice@example.net Alice%20A 5\r\nhello",
            "ACK 7",
            "NAK 7",
        ]
    );
}
