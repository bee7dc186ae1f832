//! The side that has the file.

use msnp_proto::ftp::{End, Sender, SenderEvent, Violation};
use msnp_proto::machine::{Closed, Machine};
use msnp_proto::time::{Duration, Instant};

use crate::counting;
use crate::{Stage, USR, file, nearly, s, terms, waits};

use SenderEvent::{Ended, Progress, Proven, Started};

fn stage(size: u64) -> Stage<Sender> {
    let now = Instant::ZERO;
    Stage { machine: Sender::new(now, terms(size), &waits()), now }
}

/// One whose receiver is ready for blocks.
fn sending(size: u64) -> Stage<Sender> {
    let mut stage = stage(size);
    stage.hear("VER MSNFTP\r\n").hear(USR).hear("TFR\r\n");
    assert_eq!(stage.said(), format!("VER MSNFTP\r\nFIL {size}\r\n").as_bytes()[..].to_vec());
    assert_eq!(stage.events(), [Proven, Started]);
    stage
}

impl Stage<Sender> {
    fn supply(&mut self, bytes: &[u8]) -> usize {
        self.machine.supply(self.now, bytes)
    }
}

#[test]
fn the_example_of_the_documents() {
    let mut stage = stage(4100);
    assert_eq!(stage.says(), "", "the receiver speaks first");
    stage.hear("VER MSNFTP\r\n");
    assert_eq!(stage.says(), "VER MSNFTP\r\n");
    stage.hear("USR bob@example.com 93301\r\n");
    assert_eq!(stage.says(), "FIL 4100\r\n");
    assert_eq!(stage.events(), [Proven]);
    assert_eq!(stage.machine.room(), 0, "nobody asked for it yet");
    stage.hear("TFR\r\n");
    assert_eq!(stage.events(), [Started]);
    let file = file(4100);
    assert_eq!(stage.supply(&file), 4100);
    let wire = stage.said();
    let expected = [
        &[0x00, 0xFD, 0x07][..],
        &file[..2045],
        &[0x00, 0xFD, 0x07],
        &file[2045..4090],
        &[0x00, 0x0A, 0x00],
        &file[4090..],
    ];
    assert!(wire == expected.concat());
    assert_eq!((stage.machine.sent(), stage.events()), (4100, vec![Progress]));
    stage.hear("BYE 16777989\r\n");
    assert_eq!(stage.events(), [Ended(End::Complete)]);
    assert!(stage.machine.is_finished() && stage.machine.next_deadline().is_none());
}

#[test]
fn blocks_have_one_size_however_the_file_is_supplied() {
    let file = file(7000);
    let mut whole = sending(7000);
    whole.supply(&file);
    let whole = whole.said();
    let headers = [0, 2048, 4096, 6144].map(|at| [whole[at], whole[at + 1], whole[at + 2]]);
    assert_eq!(headers, [[0, 0xFD, 7], [0, 0xFD, 7], [0, 0xFD, 7], [0, 0x61, 3]]);
    assert_eq!(whole.len(), 7000 + 4 * 3);
    for piece in [1, 2, 3, 1000, 2044, 2045, 2046, 4090, 5000] {
        let mut stage = sending(7000);
        let mut wire = Vec::new();
        for bytes in file.chunks(piece) {
            assert_eq!(stage.supply(bytes), bytes.len());
            wire.extend(stage.said());
            let held = stage.machine.sent() % 2045;
            assert!(held == 0 || stage.machine.sent() == 7000, "only whole blocks");
        }
        assert!(wire == whole, "in pieces of {piece}");
    }
}

#[test]
fn takes_no_more_than_was_promised_and_no_more_than_64_kib_at_once() {
    let mut stage = sending(10_000_000);
    let file = file(10_000_000);
    let mut supplied = 0;
    assert_eq!(stage.machine.room(), 32 * 2045);
    while supplied < file.len() {
        let taken = stage.supply(&file[supplied..]);
        supplied += taken;
        assert!(stage.machine.pending().len() <= 65536);
        assert_eq!(stage.machine.room(), 0);
        assert_eq!(stage.supply(&file[supplied..]), 0, "there is no room");
        // The network takes a little.
        stage.machine.consume(stage.now, 2048);
        assert_eq!(stage.machine.room(), 2045.min(file.len() - supplied));
        stage.machine.consume(stage.now, 1);
        assert_eq!(stage.events(), [Progress], "told once until it is taken");
    }
    assert_eq!(stage.supply(b"more"), 0);
    let waiting = stage.machine.pending().len();
    stage.machine.consume(stage.now, waiting);
    assert_eq!(stage.machine.sent(), 10_000_000);
}

#[test]
fn memory_is_that_of_what_may_wait() {
    let mut stage = sending(u64::MAX);
    let piece = file(50_000);
    let before = counting::held();
    for _ in 0..2000 {
        while stage.supply(&piece) > 0 {}
        stage.machine.consume(stage.now, 3000);
        stage.hear("nothing\r\n".repeat(10));
        stage.hear([b'x'; 30]).hear("\r\n");
        let _ = stage.events();
    }
    assert!(counting::held() - before < 150_000, "{}", counting::held() - before);
}

#[test]
fn sizes_over_4_gib_are_only_numbers() {
    for size in [5_000_000_000, u64::MAX] {
        let mut stage = sending(size);
        assert_eq!(stage.machine.room(), 32 * 2045);
        assert_eq!(stage.supply(&file(3000)), 3000);
        stage.said();
        assert_eq!(stage.machine.sent(), 2045);
        stage.hear("BYE 16777989\r\n");
        assert_eq!(stage.events(), [Progress, Ended(End::StoppedEarly)]);
    }
}

#[test]
fn an_empty_file_is_only_its_end() {
    let mut stage = stage_of_empty();
    assert_eq!(stage.machine.room(), 0);
    stage.hear("BYE 16777989\r\n");
    assert_eq!(stage.events(), [Proven, Started, Ended(End::Complete)]);

    let mut stage = stage_of_empty();
    assert_eq!(stage.said(), b"VER MSNFTP\r\nFIL 0\r\n\x01\x00\x00");
    stage.wait(nearly(10));
    assert_eq!(stage.events(), [Proven, Started]);
    stage.wait(Duration::from_millis(1));
    assert_eq!(stage.events(), [Ended(End::Unconfirmed)]);
}

fn stage_of_empty() -> Stage<Sender> {
    let mut stage = stage(0);
    stage.hear("VER MSNFTP\r\n").hear(USR).hear("TFR\r\n");
    stage
}

#[test]
fn versions() {
    for line in [
        "VER MSNFTP\r\n",
        "VER 1 MSNFTP\r\n",
        "VER X MSNFTP\r\n",
        "VER FOO  MSNFTP \r\n",
        "ver msnftp\r\n",
        "VER MSNFTP\n",
        "\r\n\nVER MSNFTP\r\n",
    ] {
        let mut stage = stage(1);
        stage.hear(line);
        assert_eq!((stage.says().as_str(), stage.events()), ("VER MSNFTP\r\n", vec![]), "{line:?}");
    }
    for line in ["VER MSN_SECURE_FTP\r\n", "VER\r\n", "VER MSNFTPS XMSNFTP\r\n"] {
        let mut stage = stage(1);
        stage.hear(line);
        assert_eq!(stage.events(), [Ended(End::Violation(Violation::Version))], "{line:?}");
        assert_eq!(stage.says(), "", "closed without a word");
        assert!(stage.machine.is_finished());
    }
}

#[test]
fn other_protocols_are_closed_at_their_first_line() {
    for (bytes, violation) in [
        (&b"GET / HTTP/1.1\r\n"[..], Violation::Unexpected),
        (b"USR bob@example.com 93301\r\n", Violation::Unexpected),
        (b"TFR\r\n", Violation::Unexpected),
        (b"\x16\x03\x01\x02\x00\x01\x00\n", Violation::Unexpected),
        (&[b'x'; 512], Violation::LineTooLong),
        (&[0x16; 4000], Violation::LineTooLong),
    ] {
        let mut stage = stage(1);
        stage.hear(bytes);
        assert_eq!(stage.events(), [Ended(End::Violation(violation))]);
        assert_eq!(stage.says(), "");
    }
    let mut stage = stage(1);
    stage.hear([&b"VER MSNFTP "[..], &[b'x'; 499], b"\r\n"].concat());
    assert_eq!(stage.says(), "VER MSNFTP\r\n", "512 bytes are a line");
}

#[test]
fn cookies() {
    for (words, proven, other_account) in [
        ("bob@example.com 93301", true, false),
        ("BOB@Example.com 093301", true, false),
        ("carol@example.com 93301", true, true),
        ("bob 93301", true, true),
        ("bob@example.com 93301 more", true, false),
        ("bob@example.com 93302", false, false),
        ("bob@example.com +93301", false, false),
        ("bob@example.com", false, false),
        ("93301", false, false),
        ("", false, false),
    ] {
        let mut stage = stage(1);
        stage.hear(format!("VER MSNFTP\r\nUSR {words}\r\n"));
        let expected = if proven { Proven } else { Ended(End::WrongCookie) };
        assert_eq!(stage.events(), [expected], "{words}");
        let says = if proven { "VER MSNFTP\r\nFIL 1\r\n" } else { "VER MSNFTP\r\n" };
        assert_eq!(stage.says(), says, "{words}");
        assert_eq!(stage.machine.is_finished(), !proven);
        assert_eq!(stage.machine.names_other_account(), other_account, "{words}");
    }
}

#[test]
fn words_of_the_receiver_before_the_blocks() {
    let places = [
        ("", vec![]),
        ("VER MSNFTP\r\n", vec![]),
        ("VER MSNFTP\r\nUSR bob@example.com 93301\r\n", vec![Proven]),
    ];
    let words = [
        ("CCL\r\n", End::CancelledThere),
        ("CCL\n\n", End::CancelledThere),
        ("ccl\r\n", End::CancelledThere),
        ("BYE 2164261682\r\n", End::CancelledThere),
        ("BYE 2164261694\r\n", End::TimedOutThere),
        ("BYE 2147942405\r\n", End::CouldNotWriteThere),
        ("BYE 16777989\r\n", End::CancelledThere),
        ("BYE\r\n", End::CancelledThere),
        ("OUT\r\n", End::Violation(Violation::Unexpected)),
    ];
    for (before, events) in &places {
        for (word, end) in words {
            let mut stage = stage(1);
            stage.hear(before).hear(word).hear("VER MSNFTP\r\n");
            let expected = [&events[..], &[Ended(end)]].concat();
            assert_eq!(stage.events(), expected, "{before:?} {word:?}");
            assert!(stage.machine.is_finished());
        }
        // The last line may have no end.
        for (word, end) in [
            ("CCL", End::CancelledThere),
            ("", End::Broken(Closed::Done)),
            ("VER MSNF", End::Broken(Closed::Done)),
            ("USR bob@example.com 9330", End::Broken(Closed::Done)),
            ("TFR", End::Broken(Closed::Done)),
        ] {
            let mut stage = stage(1);
            stage.hear(before).hear(word).eof().eof();
            let expected = [&events[..], &[Ended(end)]].concat();
            assert_eq!(stage.events(), expected, "{before:?} {word:?}");
        }
    }
}

/// What the receiver says while blocks are on the way, and when all were written.
#[test]
fn words_of_the_receiver_behind_the_blocks() {
    for (line, early, late) in [
        ("BYE 16777989", End::StoppedEarly, End::Complete),
        ("BYE 16777987", End::StoppedEarly, End::Complete),
        ("bye 16777989", End::StoppedEarly, End::Complete),
        ("BYE", End::StoppedEarly, End::Complete),
        ("BYE foo", End::StoppedEarly, End::Complete),
        ("BYE -1", End::StoppedEarly, End::Complete),
        ("BYE 99999999999999", End::StoppedEarly, End::Complete),
        ("BYE 99999999999999999999999", End::StoppedEarly, End::Complete),
        ("BYE 2147942405", End::CouldNotWriteThere, End::CouldNotWriteThere),
        ("BYE 2147942512", End::CouldNotWriteThere, End::CouldNotWriteThere),
        ("BYE 2164261682", End::CancelledThere, End::CancelledThere),
        ("BYE 2164261683", End::CancelledThere, End::CancelledThere),
        ("BYE 2164261694", End::TimedOutThere, End::TimedOutThere),
        ("CCL", End::CancelledThere, End::CancelledThere),
        ("ccl", End::CancelledThere, End::CancelledThere),
    ] {
        for with_line_end in [true, false] {
            for (written, expected) in [(0, early), (2048 + 4, early), (2048 + 5, late)] {
                let mut stage = sending(2047);
                stage.supply(&file(2047));
                stage.machine.consume(stage.now, written);
                let _ = stage.events();
                // Other words do no harm.
                stage.hear("\r\nTFR\r\nOUT\r\nVER MSNFTP\n").hear(line);
                if with_line_end {
                    stage.hear("\r\n");
                } else {
                    stage.eof();
                }
                assert_eq!(stage.events(), [Ended(expected)], "{line}, {written} written");
                assert!(stage.machine.is_finished() && stage.machine.pending().is_empty());
                stage.hear("BYE 16777989\r\n").eof().wait(s(1000));
                stage.machine.abandon(stage.now, Closed::Reset);
                stage.machine.cancel(stage.now);
                assert_eq!((stage.events(), stage.supply(b"x")), (vec![], 0), "silence");
            }
        }
    }
}

#[test]
fn a_receiver_that_says_nothing_is_asked_and_then_believed() {
    let mut stage = sending(5);
    stage.supply(b"hello");
    assert_eq!(stage.said(), b"\x00\x05\x00hello");
    assert_eq!(stage.events(), [Progress]);
    stage.wait(nearly(10));
    assert_eq!(stage.said(), b"");
    stage.wait(Duration::from_millis(1));
    assert_eq!(stage.said(), b"\x01\x00\x00");
    assert_eq!(stage.machine.sent(), 5);
    stage.wait(nearly(10));
    assert_eq!(stage.events(), []);
    stage.wait(Duration::from_millis(1));
    assert_eq!(stage.events(), [Ended(End::Unconfirmed)]);
    assert!(stage.machine.is_finished());

    let mut stage = sending(5);
    stage.supply(b"hello");
    stage.said();
    stage.wait(s(15)).hear("BYE 16777989\r\n");
    assert_eq!(stage.events(), [Progress, Ended(End::Complete)]);
}

#[test]
fn a_connection_that_ends() {
    for (written, expected) in [(7, End::Broken(Closed::Done)), (8, End::Unconfirmed)] {
        let mut stage = sending(5);
        stage.supply(b"hello");
        stage.machine.consume(stage.now, written);
        stage.eof();
        assert_eq!(stage.events(), [Progress, Ended(expected)]);
    }
    for (written, expected) in [(7, End::Broken(Closed::Reset)), (8, End::Unconfirmed)] {
        let mut stage = sending(5);
        stage.supply(b"hello");
        stage.machine.consume(stage.now, written);
        stage.machine.abandon(stage.now, Closed::Reset);
        assert_eq!(stage.events(), [Progress, Ended(expected)]);
        assert!(stage.machine.is_finished() && stage.machine.pending().is_empty());
    }
    let mut stage = stage(5);
    stage.hear("VER MSNFTP\r\n");
    stage.machine.abandon(stage.now, Closed::TimedOut);
    assert_eq!(stage.events(), [Ended(End::Broken(Closed::TimedOut))]);
    assert!(stage.machine.pending().is_empty());
}

#[test]
fn each_wait() {
    // Strangers that say nothing, or little and slowly.
    for drip in ["", "V", "\r\n"] {
        let mut stage = stage(5);
        for _ in 0..29 {
            stage.wait(s(1)).hear(drip);
        }
        assert_eq!(stage.events(), []);
        stage.wait(s(1));
        assert_eq!(stage.events(), [Ended(End::TimedOut)], "{drip:?}");
    }
    let mut stage = stage(5);
    stage.hear("VER MSNFTP\r\n").wait(nearly(30)).hear(USR);
    stage.wait(nearly(30));
    assert_eq!(stage.events(), [Proven]);
    stage.wait(Duration::from_millis(1));
    assert_eq!(stage.events(), [Ended(End::TimedOut)]);

    // A network that takes nothing.
    let mut stage = sending(100_000);
    stage.wait(s(100));
    stage.supply(&file(100_000));
    stage.wait(s(100));
    stage.machine.consume(stage.now, 100);
    stage.wait(nearly(120)).hear("still here\r\n");
    assert_eq!(stage.events(), [Progress]);
    stage.wait(Duration::from_millis(1));
    assert_eq!(stage.events(), [Ended(End::TimedOut)]);
    assert!(stage.machine.is_finished());
}

#[test]
fn cancelling() {
    for before in ["", "VER MSNFTP\r\n", "VER MSNFTP\r\nUSR bob@example.com 93301\r\n"] {
        let mut stage = stage(5);
        stage.hear(before).said();
        let _ = stage.events();
        stage.machine.cancel(stage.now);
        assert_eq!((stage.says().as_str(), stage.events()), ("", vec![Ended(End::CancelledHere)]));
        assert!(stage.machine.is_finished());
    }
    // What waits stays as it is; what makes no whole block goes.
    let mut stage = sending(5000);
    stage.supply(&file(3000));
    stage.machine.consume(stage.now, 100);
    let waiting = stage.machine.pending().to_vec();
    assert_eq!(waiting.len(), 2048 - 100);
    stage.machine.cancel(stage.now);
    stage.machine.cancel(stage.now);
    assert_eq!(stage.events(), [Progress, Ended(End::CancelledHere)]);
    assert_eq!(stage.machine.room(), 0);
    assert!(!stage.machine.is_finished());
    assert_eq!(stage.said(), [&waiting[..], &[1, 0, 0]].concat());
    assert_eq!(stage.machine.sent(), 2045);
    stage.hear("BYE 16777989\r\n").wait(nearly(1));
    assert!(!stage.machine.is_finished());
    stage.wait(Duration::from_millis(1));
    assert!(stage.machine.is_finished());
    assert_eq!(stage.events(), []);

    let mut stage = sending(5);
    stage.machine.cancel(stage.now);
    assert_eq!(stage.said(), b"\x01\x00\x00");
    assert!(!stage.machine.is_finished());
    stage.eof();
    assert!(stage.machine.is_finished(), "they have closed");
    assert_eq!(stage.events(), [Ended(End::CancelledHere)]);

    let mut stage = sending(5);
    stage.supply(b"hello");
    stage.said();
    stage.machine.cancel(stage.now);
    assert_eq!(stage.said(), b"");
    assert_eq!(stage.events(), [Progress, Ended(End::CancelledHere)]);
}

#[test]
fn lines_in_front_of_the_blocks_are_not_counted() {
    let mut stage = stage(5);
    stage.hear("VER MSNFTP\r\nUSR bob@example.com 93301\r\nTFR\r\n");
    stage.supply(b"hello");
    let lines = "VER MSNFTP\r\nFIL 5\r\n".len();
    for (written, sent) in [(lines, 0), (3, 0), (1, 1), (3, 4), (1, 5)] {
        stage.machine.consume(stage.now, written);
        assert_eq!(stage.machine.sent(), sent);
    }
    assert_eq!(stage.events(), [Proven, Started, Progress]);
}

#[test]
fn nothing_shows_the_cookie_or_the_file() {
    let mut stage = sending(5);
    stage.supply(b"hello");
    let shown = format!("{:?} {:?}", stage.machine, terms(5));
    assert!(shown.contains("0 of 5 bytes"), "{shown}");
    assert!(!shown.contains("93301") && !shown.contains("hello"), "{shown}");
}
