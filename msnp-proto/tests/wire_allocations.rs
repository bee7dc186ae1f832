//! How much memory reading and writing asks for: none, when frames arrive whole and there is room.

mod counting;

use std::hint::black_box;

use counting::allocations;
use msnp_proto::types::ErrorReply;
use msnp_proto::wire::{FrameDecoder, Inbox, Incoming, Outbox, Parsed};
use msnp_proto::{ns, sb};

const NOTIFICATION_CLIENT: &[u8] = b"VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0\r\nINF 2 MD5\r\n\
    USR 3 MD5 S 1700000000.123456789\r\nUSR 4 OK alice@example.net Alice%20A 1\r\n\
    XFR 3 NS 192.0.2.10:1863 0 192.0.2.1:1863\r\nXFR 9 SB [2001:db8::1]:1863 CKI 17262740.17.32\r\n\
    CVR 8 4.5.0127 4.5.0127 1.0.0863 http://example.net/a http://example.net/b\r\n\
    SYN 8 12182\r\nGTC 8 12182 A\r\nBLP 8 12182 AL\r\nPRP 8 12182 PHH 555%200100\r\nPRP 8 PHW\r\n\
    LSG 8 12182 1 2 0 Other%20Contacts 0\r\nLST 8 FL 12182 1 1 bob@example.net Bob%20B 0,5\r\n\
    BPR 12182 bob@example.net PHW 555%200101\r\nBPR 12182 MOB N\r\nLST 8 BL 12182 0 0\r\n\
    ADD 0 RL 44 carol@example.net Carol\r\nREM 13 FL 46 bob@example.net 2\r\n\
    ADG 23 12064 Friends 5 0\r\nRMG 24 12065 5\r\nREG 25 12066 5 Best%20Friends 0\r\n\
    REA 12 45 alice@example.net Alice%20in%20W.\r\nCHG 9 AWY\r\nILN 9 BSY bob@example.net Bob\r\n\
    NLN XYZ carol@example.net %43arol%zz\r\nFLN 10 FLN carol@example.net\r\n\
    MSG Hotmail Hotmail 5\r\nabcdeCHL 0 20881396011366812350\r\nQRY 18\r\nQNG\r\nOUT OTH\r\n\
    FND 4 1 1 fname=Ann lname=Other\r\nSND 3 OK\r\nSDC 4 OK\r\nIPG 3\r\n<a>NOT 3\r\n<a>\
    IMS 28 0 OFF\r\nURL 15 /cgi-bin/HoTMaiL https://login.example.net/a 2\r\n\
    RNG 11752013 192.0.2.20:1863 CKI 849102291.17 alice@example.net Alice%20A\r\n\
    911 7\r\nXYZ 1 2 3\r\n\r\nLST 8 FL 12182 1\r\n  QNG \t\r\n";

const NOTIFICATION_SERVER: &[u8] = b"VER 1 MSNP7 MSNP6 CVR0\r\nINF 2 \r\n\
    USR 3 MD5 I alice@example.net\r\nUSR 4 MD5 S 986e857471c90128c95e016772a9d8b0\r\nXFR 9 SB\r\n\
    CVR 8 0x0409 win 4.10 i386 MSMSGS 4.5.0127 MSMSGS\r\nSYN 8 41\r\nGTC 31 N\r\nBLP 30 BL\r\n\
    PRP 55 PHH 555%200100\r\nLST 9 RL\r\nLSG 54\r\nADD 10 FL bob@example.net Bob 0\r\n\
    REM 13 FL bob@example.net 2\r\nADG 23 Friends 0\r\nADG 23 Friends\r\nRMG 24 5\r\n\
    REG 25 5 Best%20Friends 0\r\nREA 12 alice@example.net Alice\r\nCHG 9 AWY\r\nCHL 3\r\n\
    QRY 18 msmsgs@msnmsgr.com 32\r\n0212eaad0876afb8505859ca75d21a78PNG\r\nFND 4 fname=Ann\r\n\
    SND 3 friend@example.org 0x0409 MSMSGS MSMSGS\r\nPAG 1 bob@example.net 3\r\n<a>\
    SDC 4 friend@example.org 0x0409 MSMSGS MSMSGS X X Alice%20A 5\r\nHello\
    IMS 28 OFF\r\nURL 15 INBOX\r\nOUT\r\n";

const SWITCHBOARD_CLIENT: &[u8] = b"USR 1 OK alice@example.net Alice%20A\r\nCAL 2 RINGING 117\r\n\
    IRO 1 1 2 alice@example.net Alice%20A\r\nANS 1 OK\r\nJOI bob@example.net Bob%20B\r\n\
    BYE bob@example.net 1\r\nMSG alice@example.net Alice%20A 5\r\nhelloACK 7\r\nNAK 7\r\nOUT\r\n\
    217 2\r\n";

const SWITCHBOARD_SERVER: &[u8] = b"USR 1 alice@example.net 17262740.1700000000.32308\r\n\
    ANS 1 bob@example.net 849102291.1700000000 11752013\r\nCAL 2 bob@example.net\r\n\
    MSG 3 N 5\r\nhelloMSG 4 U 0\r\nOUT\r\n";

/// Reads a stream that arrives in one piece and writes each command again; nothing may be allocated.
/// Payloads in the stream have no line ends, so each line end that is no blank line is a frame.
macro_rules! read_and_write {
    ($decoder:ident, $Command:ty, $stream:expr) => {{
        let mut inbox = Inbox::new(FrameDecoder::$decoder(Default::default()));
        let mut out = Vec::with_capacity(2 * $stream.len());
        let mut outbox = Outbox::new();
        outbox.buffer().reserve(2 * $stream.len());
        let mut frames = 0;
        let count = allocations(|| {
            let mut input: &[u8] = $stream;
            while let Ok(Some(Incoming::Frame(frame))) = inbox.next(&mut input) {
                frames += 1;
                match <$Command>::parse(frame) {
                    Ok(Parsed::Command(command, extra)) => {
                        black_box(extra);
                        command.encode(&mut out);
                        command.encode(outbox.buffer());
                    }
                    Ok(Parsed::Unknown(frame)) => {
                        if let Some(reply) = ErrorReply::parse(frame) {
                            reply.encode(&mut out);
                        }
                    }
                    Err(error) => drop(black_box(error)),
                }
            }
            assert!(input.is_empty() && inbox.is_between_frames());
        });
        assert_eq!(count, 0, "allocations for {frames} frames");
        assert!(outbox.len() <= out.len());
        let ends = $stream.iter().filter(|byte| **byte == b'\n').count();
        let blank = $stream.windows(3).filter(|bytes| bytes == b"\n\r\n").count();
        assert_eq!(frames, ends - blank);
    }};
}

#[test]
fn counting_works() {
    assert_eq!(allocations(|| drop(black_box(Vec::<u8>::with_capacity(10)))), 1);
}

#[test]
fn whole_frames_are_read_and_written_without_allocations() {
    read_and_write!(notification_client, ns::Reply<'_>, NOTIFICATION_CLIENT);
    read_and_write!(notification_server, ns::Request<'_>, NOTIFICATION_SERVER);
    read_and_write!(switchboard_client, sb::Reply<'_>, SWITCHBOARD_CLIENT);
    read_and_write!(switchboard_server, sb::Request<'_>, SWITCHBOARD_SERVER);
}

#[test]
fn oversized_payload_is_passed_over_without_allocations() {
    let mut inbox = Inbox::new(FrameDecoder::notification_client(Default::default()));
    let zeros = [0; 10_000];
    let count = allocations(|| {
        let mut head: &[u8] = b"NOT 100000\r\n";
        assert!(matches!(inbox.next(&mut head), Ok(Some(Incoming::Oversized { .. }))));
        for _ in 0..10 {
            let mut chunk = &zeros[..];
            assert!(matches!(inbox.next(&mut chunk), Ok(None)));
        }
        assert!(inbox.is_between_frames());
    });
    assert_eq!(count, 0);
}
