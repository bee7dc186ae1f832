//! The side that gets the file.

use msnp_proto::ftp::{End, FileWaits, Receiver, ReceiverEvent, Violation};
use msnp_proto::machine::{Closed, Machine};
use msnp_proto::time::{Duration, Instant};

use crate::counting;
use crate::{Stage, file, nearly, s, terms, waits};

use ReceiverEvent::{Data, Ended, Proven};

fn stage(size: u64) -> Stage<Receiver> {
    let now = Instant::ZERO;
    Stage { machine: Receiver::new(now, terms(size), &waits()), now }
}

/// One that waits for blocks.
fn receiving(size: u64) -> Stage<Receiver> {
    let mut stage = stage(size);
    stage.hear(format!("VER MSNFTP\r\nFIL {size}\r\n"));
    assert_eq!(stage.says(), "VER MSNFTP\r\nUSR bob@example.com 93301\r\nTFR\r\n");
    assert_eq!(stage.events(), [Proven]);
    stage
}

#[test]
fn the_example_of_the_documents() {
    let mut stage = stage(4100);
    assert_eq!(stage.says(), "VER MSNFTP\r\n");
    stage.hear("VER MSNFTP\r\n");
    assert_eq!(stage.says(), "USR bob@example.com 93301\r\n");
    stage.hear("FIL 4100\r\n");
    assert_eq!((stage.says().as_str(), stage.events()), ("TFR\r\n", vec![Proven]));
    let file = file(4100);
    let mut got = 0;
    for piece in [&file[..2045], &file[2045..4090]] {
        stage.hear([&[0x00, 0xFD, 0x07], piece].concat());
        got += 2045;
        assert_eq!((stage.machine.received(), stage.says().as_str()), (got, ""));
        assert!(stage.events() == [Data(piece.to_vec())]);
    }
    stage.hear([&[0x00, 0x0A, 0x00], &file[4090..]].concat());
    assert!(stage.events() == [Data(file[4090..].to_vec()), Ended(End::Complete)]);
    assert_eq!(stage.says(), "BYE 16777989\r\n");
    assert!(!stage.machine.is_finished(), "the sender closes first");
    stage.eof();
    assert!(stage.machine.is_finished());
}

#[test]
fn the_shortest_vector() {
    let mut stage = receiving(11);
    stage.hear(b"\x00\x0B\x00\x68\x65\x6C\x6C\x6F\x20\x77\x6F\x72\x6C\x64");
    assert_eq!(stage.events(), [Data(b"hello world".to_vec()), Ended(End::Complete)]);
    // The marker behind it, and anything else, is swallowed.
    stage.hear(b"\x01\x00\x00").hear(b"\x00\x05\x00moreBYE 2164261683\r\n");
    assert_eq!(stage.says(), "BYE 16777989\r\n");
    stage.wait(nearly(10));
    assert!(!stage.machine.is_finished());
    stage.wait(Duration::from_millis(1));
    assert!(stage.machine.is_finished());
    assert_eq!(stage.events(), []);
}

#[test]
fn the_first_block_may_come_with_the_lines() {
    let mut stage = stage(5);
    stage.hear(b"VER MSNFTP\r\nFIL 5\n\x00\x05\x00hello");
    assert_eq!(stage.events(), [Proven, Data(b"hello".to_vec()), Ended(End::Complete)]);
    // Bytes that look like lines are bytes.
    let mut stage = receiving(8);
    stage.hear(b"\x00\x08\x00CCL\r\n\r\n\n");
    assert_eq!(stage.events(), [Data(b"CCL\r\n\r\n\n".to_vec()), Ended(End::Complete)]);
}

#[test]
fn one_read_is_one_piece_of_data() {
    let mut stage = receiving(1000);
    let block = |size: u8| [&[0, size, 0][..], &vec![size; size.into()]].concat();
    stage.hear([block(1), block(2), block(3)].concat());
    assert_eq!(stage.events(), [Data(vec![1, 2, 2, 3, 3, 3])]);
    let blocks: Vec<u8> = (0..100).flat_map(|_| block(9)).collect();
    stage.hear(&blocks);
    let events = stage.events();
    assert!(matches!(&events[..], [Data(data)] if data.len() == 900 && data.capacity() <= 1200));
    stage.hear([0]).hear([3, 0]);
    assert_eq!(stage.events(), [], "no data, no event");
    stage.hear([7]).hear([7]).hear([7]);
    assert_eq!(stage.events(), [Data(vec![7]), Data(vec![7]), Data(vec![7])]);
}

#[test]
fn what_blocks_say() {
    let marker = &[1, 0, 0][..];
    let (empty, nothing) = (&[0, 0, 0][..], &b""[..]);
    let violation = |violation| Some(End::Violation(violation));
    let too_much = violation(Violation::TooMuch);
    let bad = violation(Violation::BadBlock);
    for (name, wire, data, end) in [
        ("marker at the start", marker.to_vec(), nothing, Some(End::CancelledThere)),
        (
            "marker too early",
            [b"\x00\x02\x00he", marker].concat(),
            b"he",
            Some(End::CancelledThere),
        ),
        ("all of it", b"\x00\x05\x00hello".to_vec(), b"hello", Some(End::Complete)),
        (
            "last block so marked",
            b"\x00\x02\x00he\x01\x03\x00llo".to_vec(),
            b"hello",
            Some(End::Complete),
        ),
        (
            "marked, and not the last",
            b"\x01\x02\x00he\x00".to_vec(),
            b"he",
            Some(End::CancelledThere),
        ),
        (
            "text of a sender",
            b"\x00\x02\x00heBYE 2164261683\r\n".to_vec(),
            b"he",
            Some(End::CancelledThere),
        ),
        ("text at the start", b"ccl\r\n".to_vec(), nothing, Some(End::CancelledThere)),
        ("like a text", b"CCX".to_vec(), nothing, bad),
        ("the beginning of a text", b"BY".to_vec(), nothing, None),
        ("unknown flag", b"\x02".to_vec(), nothing, bad),
        ("unknown flag later", b"\x00\x02\x00he\xff".to_vec(), b"he", bad),
        ("one byte too many", b"\x00\x06\x00hello!".to_vec(), nothing, too_much),
        ("one block too large", b"\x00\x02\x00he\x00\xff\xff".to_vec(), b"he", too_much),
        ("too much and marked", b"\x00\x02\x00he\x01\x04\x00llo!".to_vec(), b"he", too_much),
        (
            "16 empty blocks",
            [&empty.repeat(16)[..], b"\x00\x05\x00hello"].concat(),
            b"hello",
            Some(End::Complete),
        ),
        (
            "16, and 16 again",
            [&empty.repeat(16)[..], b"\x00\x01\x00h", &empty.repeat(16)].concat(),
            b"h",
            None,
        ),
        ("17 empty blocks", empty.repeat(17), nothing, violation(Violation::EmptyBlocks)),
        ("two line ends", b"\r\n\x00\x05\x00hello".to_vec(), b"hello", Some(End::Complete)),
        ("three", b"\n\n\n\x00\x05\x00hello".to_vec(), nothing, bad),
        ("not at the start", b"\x00\x02\x00he\r\n\x00\x03\x00llo".to_vec(), b"he", bad),
        ("behind an empty block", b"\x00\x00\x00\n\x00\x05\x00hello".to_vec(), nothing, bad),
        ("a header in two", b"\x00\x02".to_vec(), nothing, None),
    ] {
        for piece in [1, 2, 1000] {
            let mut stage = receiving(5);
            for bytes in wire.chunks(piece) {
                stage.hear(bytes);
            }
            let (mut got, mut ends) = (Vec::new(), Vec::new());
            for event in stage.events() {
                match event {
                    Data(bytes) if ends.is_empty() && !bytes.is_empty() => got.extend(bytes),
                    Ended(end) => ends.push(end),
                    other => panic!("{name}: {other:?}"),
                }
            }
            assert_eq!(
                (&got[..], ends.first().copied(), ends.len() < 2),
                (data, end, true),
                "{name}"
            );
            let says = match end {
                Some(End::Complete) => "BYE 16777989\r\n",
                Some(End::Violation(_)) => "CCL\r\n",
                _ => "",
            };
            assert_eq!(stage.says(), says, "{name}");
            // If it is not over by now, the end of the stream is not one of the file.
            stage.eof().eof();
            let expected =
                if end.is_none() { vec![Ended(End::Broken(Closed::Done))] } else { vec![] };
            assert_eq!(stage.events(), expected, "{name}");
            assert!(stage.machine.is_finished());
        }
    }
}

#[test]
fn blocks_of_every_size_are_taken() {
    for size in [1, 2, 2044, 2045, 2046, 5000, 65535] {
        let file = file(150_000);
        let mut stage = receiving(150_000);
        let mut got = Vec::new();
        for data in file.chunks(size) {
            let [low, high] = u16::try_from(data.len()).unwrap().to_le_bytes();
            stage.hear([0, low, high]).hear(data);
            for event in stage.events() {
                match event {
                    Data(bytes) => got.extend(bytes),
                    other => assert_eq!(other, Ended(End::Complete)),
                }
            }
        }
        assert!(got == file, "blocks of {size}");
    }
}

#[test]
fn sizes_that_are_not_those_of_the_offer() {
    for (word, announced) in [
        (" 4101", Some(4101)),
        (" 0", Some(0)),
        (" 18446744073709551615", Some(u64::MAX)),
        (" 18446744073709551616", None),
        (" -4100", None),
        (" 4100.0", None),
        (" 4100x", None),
        ("", None),
    ] {
        let mut stage = stage(4100);
        stage.hear("VER MSNFTP\r\n").said();
        stage.hear(format!("FIL{word}\r\n"));
        assert_eq!(stage.events(), [Ended(End::SizeChanged { announced })], "{word}");
        assert_eq!(stage.says(), "CCL\r\n");
    }
    for words in ["FIL 4100", "fil 004100", "FIL  4100 more"] {
        let mut stage = stage(4100);
        stage.hear(format!("VER MSNFTP\r\n{words}\r\n"));
        assert_eq!(stage.events(), [Proven], "{words}");
    }
    for size in [5_000_000_000, u64::MAX] {
        let mut stage = receiving(size);
        stage.hear(b"\x00\x02\x00he\x01\x00\x00");
        assert_eq!(stage.events(), [Data(b"he".to_vec()), Ended(End::CancelledThere)]);
    }
}

#[test]
fn an_empty_file_is_there_at_once() {
    for more in [&b""[..], b"\x01\x00\x00", b"\x00\x05\x00hello", b"junk"] {
        let mut stage = stage(0);
        stage.hear([&b"VER MSNFTP\r\nFIL 0\r\n"[..], more].concat());
        assert_eq!(stage.events(), [Proven, Ended(End::Complete)]);
        let said = "VER MSNFTP\r\nUSR bob@example.com 93301\r\nTFR\r\nBYE 16777989\r\n";
        assert_eq!(stage.says(), said);
        assert_eq!(stage.machine.received(), 0);
    }
}

#[test]
fn words_of_the_sender_before_the_blocks() {
    let unexpected = End::Violation(Violation::Unexpected);
    for before in ["", "VER MSNFTP\r\n"] {
        for (line, end) in [
            ("CCL\r\n", End::CancelledThere),
            ("BYE 2164261683\r\n", End::CancelledThere),
            ("TFR\r\n", unexpected),
            ("USR bob@example.com 93301\r\n", unexpected),
            ("HTTP/1.1 400 Bad Request\r\n", unexpected),
            ("\x00\x05\x00hello\n", unexpected),
        ] {
            let mut stage = stage(5);
            stage.hear(before).hear(line).hear("FIL 5\r\n");
            assert_eq!(stage.events(), [Ended(end)], "{before:?} {line:?}");
            assert!(stage.machine.is_finished());
            let said = "VER MSNFTP\r\nUSR bob@example.com 93301\r\n";
            assert!(said.starts_with(&stage.says()), "nothing is answered");
        }
        for (rest, end) in [("CCL", End::CancelledThere), ("FIL 5", End::Broken(Closed::Done))] {
            let mut stage = stage(5);
            stage.hear(before).hear(rest).eof();
            assert_eq!(stage.events(), [Ended(end)], "{before:?} {rest:?}");
        }
        let mut stage = stage(5);
        stage.hear(before).hear([b'x'; 511]).hear([b'x']);
        assert_eq!(stage.events(), [Ended(End::Violation(Violation::LineTooLong))]);
    }
    let mut order = stage(5);
    order.hear("FIL 5\r\n");
    assert_eq!(order.events(), [Ended(unexpected)]);
    let mut secure = stage(5);
    secure.hear("VER MSN_SECURE_FTP\r\n");
    assert_eq!(secure.events(), [Ended(End::Violation(Violation::Version))]);
    let mut twice = stage(5);
    twice.hear("VER MSNFTP\r\nVER MSNFTP\r\n");
    assert_eq!(twice.events(), [Ended(unexpected)]);
}

#[test]
fn each_wait() {
    for drip in ["", "V", "\r\n"] {
        let mut stage = stage(5);
        for _ in 0..29 {
            stage.wait(s(1)).hear(drip);
        }
        assert_eq!(stage.events(), []);
        stage.wait(s(1));
        assert_eq!(stage.events(), [Ended(End::TimedOut)], "{drip:?}");
        assert!(stage.machine.is_finished());
    }
    let now = Instant::ZERO;
    let machine = Receiver::new(now, terms(5), &FileWaits::listening());
    let mut listening = Stage { machine, now };
    listening.hear("VER MSNFTP\r\n").wait(nearly(10));
    assert_eq!(listening.events(), []);
    listening.wait(Duration::from_millis(1));
    assert_eq!(listening.events(), [Ended(End::TimedOut)]);

    // Blocks without data are silence.
    let mut stage = receiving(5);
    stage.wait(nearly(120)).hear(b"\x00\x02\x00h").wait(nearly(120)).hear("e");
    stage.wait(s(60)).hear([0, 0, 0]).wait(nearly(60));
    assert_eq!(stage.events(), [Data(b"h".to_vec()), Data(b"e".to_vec())]);
    stage.wait(Duration::from_millis(1));
    assert_eq!(stage.events(), [Ended(End::TimedOut)]);
    assert_eq!(stage.says(), "");
}

#[test]
fn stopping() {
    type Stop = fn(&mut Receiver, Instant);
    let stops: [(Stop, End, &str); 2] = [
        (Receiver::cancel, End::CancelledHere, "CCL\r\n"),
        (Receiver::fail_to_write, End::CouldNotWriteHere, "BYE 2147942405\r\n"),
    ];
    let places: [&[u8]; 4] = [
        b"",
        b"VER MSNFTP\r\n",
        b"VER MSNFTP\r\nFIL 5\r\n",
        b"VER MSNFTP\r\nFIL 5\r\n\x00\x05\x00hell",
    ];
    for (stop, end, word) in stops {
        for place in places {
            let mut stage = stage(5);
            stage.hear(place).said();
            let _ = stage.events();
            stop(&mut stage.machine, stage.now);
            assert_eq!((stage.says().as_str(), stage.events()), (word, vec![Ended(end)]));
            // What is still on its way is drained.
            stage.hear("oBYE 1\r\n").wait(nearly(1));
            stop(&mut stage.machine, stage.now);
            assert!(!stage.machine.is_finished());
            stage.wait(Duration::from_millis(1));
            assert!(stage.machine.is_finished());
            assert_eq!((stage.says().as_str(), stage.events()), ("", vec![]));
        }
        // All is there: it is too late, but for a word that is not written yet.
        let mut stage = receiving(5);
        stage.hear(b"\x00\x05\x00hello");
        stop(&mut stage.machine, stage.now);
        let last = if end == End::CancelledHere { "BYE 16777989\r\n" } else { word };
        assert_eq!(stage.says(), last);
        stop(&mut stage.machine, stage.now);
        assert_eq!(stage.says(), "");
        assert_eq!(stage.events(), [Data(b"hello".to_vec()), Ended(End::Complete)]);
    }
}

#[test]
fn a_connection_that_ends() {
    let mut stage = receiving(5);
    stage.hear(b"\x00\x05\x00hell");
    stage.machine.abandon(stage.now, Closed::Reset);
    assert_eq!(stage.events(), [Data(b"hell".to_vec()), Ended(End::Broken(Closed::Reset))]);
    // Whether our last word arrives makes no difference.
    for reset in [false, true] {
        let mut stage = receiving(5);
        stage.hear(b"\x00\x05\x00hello");
        if reset {
            stage.machine.abandon(stage.now, Closed::Reset);
        } else {
            stage.eof();
        }
        assert!(stage.machine.is_finished());
        assert_eq!(stage.events(), [Data(b"hello".to_vec()), Ended(End::Complete)]);
    }
}

#[test]
fn memory_is_that_of_one_read() {
    let mut stage = receiving(u64::MAX);
    let block = vec![7; 65535];
    let before = counting::held();
    let mut most = 0;
    // Blocks that promise 64 KiB, and their headers in pieces.
    for _ in 0..100 {
        stage.hear([0]).hear([0xFF, 0xFF]);
        for piece in block.chunks(4096) {
            stage.hear(piece);
            most = most.max(counting::held() - before);
            assert_eq!(stage.events().len(), 1);
        }
    }
    assert!(most < 4096 + 1024, "{most} bytes");
    assert_eq!(counting::held(), before);
    let allocations = counting::allocations(|| {
        for _ in 0..16 {
            stage.hear([0, 0, 0]);
        }
    });
    assert_eq!(allocations, 0);
}

#[test]
fn nothing_shows_the_cookie_or_the_file() {
    let mut stage = receiving(6);
    stage.hear(b"\x00\x05\x00hello");
    let events = stage.events();
    let shown = format!("{:?} {events:?}", stage.machine);
    assert!(shown.contains("5 of 6 bytes") && shown.contains("Data(5 bytes)"), "{shown}");
    assert!(!shown.contains("93301") && !shown.contains("hello"), "{shown}");
}
