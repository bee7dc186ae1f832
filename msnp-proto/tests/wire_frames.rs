//! Cutting a stream into frames: limits, line ends, payloads, bytes that fit nothing.

use msnp_proto::error::{Expected, FrameError};
use msnp_proto::limits::{Leniency, Limits};
use msnp_proto::testing::framing::{Seen, cut, cut_in_every_way, take};
use msnp_proto::wire::{Frame, FrameDecoder, Inbox, Parsed};
use msnp_proto::{ns, sb};

fn limits(line: usize, payload: usize) -> Limits {
    let mut limits = Limits::new();
    limits.line = line;
    limits.payload = payload;
    limits
}

fn client() -> FrameDecoder {
    FrameDecoder::notification_client(Limits::new())
}

/// A line of letters, its end included in the length.
fn line(len: usize, end: &[u8]) -> Vec<u8> {
    let mut line = vec![b'A'; len - end.len()];
    line.extend_from_slice(end);
    line
}

#[test]
fn line_limit_counts_bytes_in_every_chunking() {
    let limit = 1024;
    let decoder = FrameDecoder::notification_client(limits(limit, 0));
    for end in [&b"\r\n"[..], b"\n"] {
        for len in [limit - 1, limit] {
            let mut stream = line(len, end);
            let expected = Seen::line(&stream[..len - end.len()]);
            stream.extend_from_slice(b"QNG\r\n");
            let expected = (vec![expected, Seen::line(b"QNG")], true);
            assert_eq!(cut_in_every_way(&decoder, &stream), expected, "{len} bytes");
        }
    }
    for end in [&b"\r\n"[..], b"\n", b""] {
        for len in [limit + 1, 64 * 1024] {
            let mut stream = line(len, end);
            stream.extend_from_slice(b"QNG\r\n");
            let lost = Seen::Lost(FrameError::LineTooLong { limit });
            assert_eq!(cut_in_every_way(&decoder, &stream), (vec![lost], false), "{len} bytes");
        }
    }
}

#[test]
fn line_without_end_is_lost_at_the_limit_and_holds_no_more() {
    let limit = 1024;
    let decoder = FrameDecoder::notification_client(limits(limit, 0));
    for chunk in [1, 7, 1000, 65536] {
        let mut inbox = Inbox::new(decoder.clone());
        let (mut seen, mut received) = (Vec::new(), 0);
        for chunk in line(64 * 1024, b"").chunks(chunk) {
            received += chunk.len();
            take(&mut inbox, chunk, &mut seen);
            assert_eq!(seen.is_empty(), received < limit, "after {received} bytes");
            assert!(inbox.held() <= limit);
        }
    }
}

#[test]
fn line_limit_changes_between_lines() {
    let decoder = FrameDecoder::notification_server(limits(16, 0));
    let run = |chunk: usize| {
        let mut inbox = Inbox::new(decoder.clone());
        let mut seen = Vec::new();
        // Twelve bytes, then sixty once the first line was read, then twelve again.
        let stream = [line(12, b"\r\n"), line(60, b"\r\n"), line(17, b"\r\n")].concat();
        for mut chunk in stream.chunks(chunk) {
            loop {
                match inbox.next(&mut chunk) {
                    Ok(Some(incoming)) => {
                        seen.push(incoming.into());
                        let limit = if seen.len() == 1 { 60 } else { 16 };
                        inbox.decoder().set_line_limit(limit);
                    }
                    Ok(None) => break,
                    Err(error) => {
                        seen.push(Seen::Lost(error));
                        return seen;
                    }
                }
            }
        }
        seen
    };
    let expected = vec![
        Seen::line(&[b'A'; 10]),
        Seen::line(&[b'A'; 58]),
        Seen::Lost(FrameError::LineTooLong { limit: 16 }),
    ];
    for chunk in 1..100 {
        assert_eq!(run(chunk), expected, "in chunks of {chunk}");
    }
}

#[test]
fn line_that_was_begun_keeps_its_limit() {
    let mut inbox = Inbox::new(FrameDecoder::notification_server(limits(64, 0)));
    let mut seen = Vec::new();
    take(&mut inbox, &line(30, b""), &mut seen);
    inbox.decoder().set_line_limit(16);
    take(&mut inbox, &line(34, b"\r\n"), &mut seen);
    assert_eq!(seen, [Seen::line(&[b'A'; 62])]);
    take(&mut inbox, &line(17, b"\r\n"), &mut seen);
    assert_eq!(seen[1..], [Seen::Lost(FrameError::LineTooLong { limit: 16 })]);
}

#[test]
fn payload_length_is_plain_decimal_or_the_stream_is_lost() {
    let decoder = FrameDecoder::notification_client(limits(8192, 64));
    for length in [
        "-1",
        "-3",
        "+5",
        "5x",
        "x5",
        "",
        "0x10",
        "1e3",
        "4294967296",
        "18446744073709551616",
        "00000000000000000005",
        "5\r",
        "\r5",
        "5\0",
    ] {
        let stream = format!("MSG a@b.c N {length}\r\nabcdeQNG\r\n");
        let lost = (vec![Seen::Lost(FrameError::BadLength)], false);
        assert_eq!(cut_in_every_way(&decoder, stream.as_bytes()), lost, "{length:?}");
    }
    for length in ["5", " 5", "\t5", "5 ", "00005", "0000000000000000005"] {
        let stream = format!("MSG a@b.c N {length}\r\nabcdeQNG\r\n");
        let line = format!("MSG a@b.c N {length}");
        let frames = vec![Seen::with_payload(line.as_bytes(), b"abcde"), Seen::line(b"QNG")];
        assert_eq!(cut_in_every_way(&decoder, stream.as_bytes()), (frames, true), "{length:?}");
    }
    for length in [65, 2147483648, u32::MAX] {
        let stream = format!("MSG a@b.c N {length}\r\nabcdeQNG\r\n");
        let line = format!("MSG a@b.c N {length}");
        let skipping = (vec![Seen::oversized(line.as_bytes(), length)], false);
        assert_eq!(cut_in_every_way(&decoder, stream.as_bytes()), skipping, "{length}");
    }
    for verb in ["MSG", "NOT", "IPG"] {
        let lost = (vec![Seen::Lost(FrameError::BadLength)], false);
        assert_eq!(cut(&decoder, [format!("{verb}\r\n").as_bytes()]), lost);
        assert_eq!(cut(&decoder, [format!("{verb} \r\n").as_bytes()]), lost);
    }
}

#[test]
fn oversized_payload_is_passed_over_in_step_and_reported_once() {
    let decoder = FrameDecoder::switchboard_client(limits(8192, 1664));
    for (len, fits) in [(1663, true), (1664, true), (1665, false), (40_000, false)] {
        let head = format!("MSG bob@example.net Bob {len}");
        let payload = b"OUT\r\nMSG a b 3\r\n".iter().copied().cycle().take(len);
        let payload: Vec<u8> = payload.collect();
        let stream = [head.as_bytes(), b"\r\n", &payload, b"ACK 7\r\n"].concat();
        let first = if fits {
            Seen::with_payload(head.as_bytes(), &payload)
        } else {
            Seen::oversized(head.as_bytes(), len as u32)
        };
        let expected = (vec![first, Seen::line(b"ACK 7")], true);
        assert_eq!(cut_in_every_way(&decoder, &stream), expected, "{len} bytes");
    }
}

#[test]
fn memory_follows_what_came_and_not_what_was_promised() {
    let mut inbox = Inbox::new(client());
    let limit = Limits::new().payload;
    let head = format!("MSG Hotmail Hotmail {limit}\r\n");
    let mut seen = Vec::new();
    take(&mut inbox, head.as_bytes(), &mut seen);
    assert_eq!(inbox.held(), head.len());
    take(&mut inbox, b"ten bytes.", &mut seen);
    assert_eq!(inbox.held(), head.len() + 10);
    assert_eq!(seen, []);
    assert!(!inbox.is_between_frames(), "an end of the stream here is not a clean one");

    let mut inbox = Inbox::new(FrameDecoder::notification_client(limits(8192, 100)));
    take(&mut inbox, b"NOT 4294967295\r\n", &mut seen);
    for _ in 0..100 {
        take(&mut inbox, &[b'x'; 10_000], &mut seen);
        assert_eq!(inbox.held(), 0, "nothing is kept of what is passed over");
    }
    assert_eq!(seen, [Seen::oversized(b"NOT 4294967295", u32::MAX)]);
    assert!(!inbox.is_between_frames());
}

#[test]
fn empty_payload_is_there_at_once() {
    let decoder = FrameDecoder::switchboard_server(Limits::new());
    let (seen, between) = cut(&decoder, [&b"MSG 4 N 0\r\n"[..]]);
    assert_eq!((seen, between), (vec![Seen::with_payload(b"MSG 4 N 0", b"")], true));
}

#[test]
fn alerts_and_pages_are_known_to_have_a_payload() {
    let stream = b"NOT 10\r\n0123\r\n5678IPG 10\r\nFLN a@b\r\n.FLN x@y.z\r\n";
    let expected = vec![
        Seen::with_payload(b"NOT 10", b"0123\r\n5678"),
        Seen::with_payload(b"IPG 10", b"FLN a@b\r\n."),
        Seen::line(b"FLN x@y.z"),
    ];
    assert_eq!(cut_in_every_way(&client(), stream), (expected, true));
}

#[test]
fn what_is_no_known_command_comes_back_byte_for_byte() {
    let mut long = vec![b'Z'; 300];
    long.extend_from_slice(b" 7 a b");
    for bytes in [
        &b"XYZ"[..],
        b"XYZ 7 a b",
        b"XYZ  7\ta ",
        b" XYZ 7",
        b"msg a@b.c N 5",
        b"X",
        b"XY 5",
        b"WXYZ 5",
        b"\x80YZ 5",
        b"MSG\x805",
        b"MSG\r",
        b"\r",
        b"\0",
        b"HTTP/1.1 400 Bad Request",
        b"QNG\0",
        b"911 7",
        &long,
    ] {
        let stream = [bytes, b"\r\nQNG\r\n"].concat();
        let expected = (vec![Seen::line(bytes), Seen::line(b"QNG")], true);
        assert_eq!(cut_in_every_way(&client(), &stream), expected, "{}", bytes.escape_ascii());
        let frame = Frame::new(bytes, None);
        assert_eq!(ns::Reply::parse(frame), Ok(Parsed::Unknown(frame)));
        assert_eq!(ns::Request::parse(frame), Ok(Parsed::Unknown(frame)));
        assert_eq!(sb::Reply::parse(frame), Ok(Parsed::Unknown(frame)));
        assert_eq!(sb::Request::parse(frame), Ok(Parsed::Unknown(frame)));
    }
}

#[test]
fn odd_bytes_have_one_outcome_each() {
    // A NUL cuts nothing: it is part of the word.
    let nul = b"MSG a\0b N 5\r\nhelloQNG\r\n";
    let (seen, _) = cut_in_every_way(&client(), nul);
    assert_eq!(seen[0], Seen::with_payload(b"MSG a\0b N 5", b"hello"));
    let parsed = ns::Reply::parse(Frame::new(b"MSG a\0b N 5", Some(b"hello")));
    let Ok(Parsed::Command(ns::Reply::Msg { account, .. }, _)) = parsed else { panic!() };
    assert_eq!(account.as_bytes(), b"a\0b");

    // LF ends a line, CR does not.
    let ends = b"QNG\nCHL 0 1\r2\nOUT\r\r\n";
    let lines = [&b"QNG"[..], b"CHL 0 1\r2", b"OUT\r"].map(Seen::line).to_vec();
    assert_eq!(cut_in_every_way(&client(), ends), (lines, true));

    // A CR inside the line of a command is an error of that command, wherever it stands.
    for (line, argument) in [
        (&b"FLN a@b\rc"[..], 1),
        (b"FLN \ra@b", 1),
        (b"FLN a@b\r", 1),
        (b"CHL 0 1\r2", 2),
        (b"QNG \r", 1),
        (b"VER 1 MSNP7 MS\rNP6", 2),
        (b"QRY 18\rCHL 0 1", 1),
        (b"FLN a@b x\ry", 2),
    ] {
        let error = ns::Reply::parse(Frame::new(line, None)).unwrap_err();
        let place = (error.argument, error.missing);
        assert_eq!(place, (argument, false), "{}: {error}", line.escape_ascii());
    }
    let error = ns::Reply::parse(Frame::new(b"FLN a@b x\ry", None)).unwrap_err();
    assert_eq!(error.expected, Expected::Blank);

    // Bytes that are not UTF-8 are kept, and shown as replacement characters.
    let parsed = ns::Reply::parse(Frame::new(b"NLN NLN a@b \xff%e9", None));
    let Ok(Parsed::Command(ns::Reply::Nln { name: Some(name), .. }, _)) = parsed else { panic!() };
    assert_eq!(name.to_text(), "\u{FFFD}\u{FFFD}");
}

#[test]
fn blank_lines_and_loose_blanks_are_forgiven() {
    let stream =
        b"\r\n\n \t \r\n  QNG  \r\nINF  2\t MD5 \r\n \tMSG Hotmail Hotmail 2\r\n\r\nOUT\r\n\r\n";
    let expected = vec![
        Seen::line(b"  QNG  "),
        Seen::line(b"INF  2\t MD5 "),
        Seen::with_payload(b" \tMSG Hotmail Hotmail 2", b"\r\n"),
        Seen::line(b"OUT"),
    ];
    assert_eq!(cut_in_every_way(&client(), stream), (expected, true));
    let parsed = ns::Reply::parse(Frame::new(b" \tMSG Hotmail Hotmail 2", Some(b"\r\n")));
    assert!(
        matches!(parsed, Ok(Parsed::Command(ns::Reply::Msg { .. }, extra)) if extra.is_empty())
    );
}

#[test]
fn strict_decoder_forgives_nothing() {
    let strict = client().with_leniency(Leniency::Strict);
    for (stream, error) in [
        (&b"QNG\n"[..], FrameError::BareLineFeed),
        (b"\n", FrameError::BareLineFeed),
        (b"\r\n", FrameError::BlankLine),
        (b" \t\r\n", FrameError::BlankLine),
        (b" QNG\r\n", FrameError::Spacing),
        (b"QNG \r\n", FrameError::Spacing),
        (b"QRY  18\r\n", FrameError::Spacing),
        (b"QRY\t18\r\n", FrameError::Spacing),
        (b"QRY 1\r8\r\n", FrameError::Spacing),
        (b"MSG Hotmail Hotmail  2\r\nab", FrameError::Spacing),
        (b"MSG Hotmail Hotmail x\r\nab", FrameError::BadLength),
    ] {
        let good = b"QRY 18\r\nMSG Hotmail Hotmail 2\r\n\n\n";
        let expected = vec![
            Seen::line(b"QRY 18"),
            Seen::with_payload(b"MSG Hotmail Hotmail 2", b"\n\n"),
            Seen::Lost(error),
        ];
        let stream = [good, stream, b"OUT\r\n"].concat();
        let seen = cut_in_every_way(&strict, &stream);
        assert_eq!(seen, (expected, false), "{}", stream.escape_ascii());
    }
}

/// The counter is what other tests hold against the bytes received, so it has to count.
#[test]
fn each_byte_of_a_line_is_counted_as_looked_at_and_none_of_a_payload() {
    let lines = b"CHG 9 AWY\r\nMSG Hotmail Hotmail 900\r\n";
    let stream = [&lines[..], &[b'\n'; 900], b"QNG\r\n"].concat();
    let words = (stream.len() - 900 - 3 * 2) as u64;
    for chunk in [1, 7, 100, stream.len()] {
        let (mut inbox, mut seen) = (Inbox::new(client()), Vec::new());
        for chunk in stream.chunks(chunk) {
            take(&mut inbox, chunk, &mut seen);
        }
        assert_eq!(seen.len(), 3);
        let scanned = inbox.decoder().scanned();
        assert!((words..=2 * (words + 6)).contains(&scanned), "{scanned} in pieces of {chunk}");
    }
}

#[test]
fn scanning_ends_whatever_the_bytes_are() {
    // `take` counts its steps; here are the inputs that made other scanners stand still.
    for unit in ["%", "&", "=", " ", "\t", "\r", "\n", "\0", "%\n", "MSG 0\n", "MSG a b 0\r\n"] {
        let stream = unit.repeat(1600);
        cut_in_every_way(&client(), stream.as_bytes());
        let decoded = msnp_proto::wire::percent::decode(stream.as_bytes());
        assert_eq!(decoded, stream, "no escape here is whole");
    }
}
