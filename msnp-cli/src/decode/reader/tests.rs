use proptest::prelude::*;

use super::*;

/// What happens to a stream.
#[derive(Clone, Debug)]
enum Step {
    Bytes(Vec<u8>),
    Gap(u64),
    End,
}

use Step::{End, Gap};

fn say(text: &str) -> Step {
    Step::Bytes(text.as_bytes().to_vec())
}

/// What came out, one line a thing.
fn read(mut reader: Reader, steps: &[Step]) -> Vec<String> {
    let mut seen = Vec::new();
    let mut take = |found: Found<'_>| {
        seen.push(match found {
            Found::Frame(frame, missing) => {
                let line = frame.line().escape_ascii();
                let payload =
                    frame.payload().map(|payload| format!(" + {}", payload.escape_ascii()));
                let missing =
                    if missing > 0 { format!(", {missing} missing") } else { String::new() };
                format!("{line}{}{missing}", payload.unwrap_or_default())
            }
            Found::Oversized(frame, size) => {
                format!("{} too large: {size}", frame.line().escape_ascii())
            }
            Found::Unreadable(bytes, why, fragment) => {
                format!("? {}{} ({why:?})", if fragment { ".." } else { "" }, bytes.escape_ascii())
            }
        });
    };
    for step in steps {
        match step {
            Step::Bytes(bytes) => reader.bytes(bytes, &mut take),
            Gap(size) => reader.gap(*size, &mut take),
            End => reader.end(&mut take),
        }
    }
    seen
}

fn switchboard(midway: bool) -> Reader {
    Reader::new(Server::Switchboard, Side::Server, Dialect::Unknown, midway)
}

fn notification(dialect: Dialect) -> Reader {
    Reader::new(Server::Notification, Side::Server, dialect, false)
}

#[test]
fn frames_come_out_whole_and_what_is_none_as_it_is() {
    for (steps, expected) in [
        (
            vec![say("ACK 1\r\nMSG b@c B 5\r\nhelloNAK 2\r\n"), End],
            vec!["ACK 1", "MSG b@c B 5 + hello", "NAK 2"],
        ),
        (
            vec![say("ACK 1\r\nMSG b@c B 5\r\nhe"), say("lloNAK"), say(" 2\n"), End],
            vec!["ACK 1", "MSG b@c B 5 + hello", "NAK 2"],
        ),
        (vec![say("ACK 1\r\nAC"), End], vec!["ACK 1", "? AC (Unfinished)"]),
        (vec![say("MSG b@c B 5\r\nhel"), End], vec!["? MSG b@c B 5\\r\\nhel (Unfinished)"]),
        // Out of step: nothing but a known command gets it back.
        (
            vec![say("hello there\r\nXYZ 1\r\nTHE end\r\nACK 7\r\nXYZ 2\r\n")],
            vec![
                "? hello there\\r\\n (NoCommand)",
                "? XYZ 1\\r\\nTHE end\\r\\n (NoCommand)",
                "ACK 7",
                "XYZ 2",
            ],
        ),
        // A length that is none: the line has no payload.
        (vec![say("MSG b@c B x\r\nACK 1\r\n")], vec!["MSG b@c B x", "ACK 1"]),
        (vec![say("MSG b@c B 4294967296\r\nACK 1\r\n")], vec!["MSG b@c B 4294967296", "ACK 1"]),
        (
            vec![say("MSG b@c B 70000\r\nxx\r\nACK 1\r\n")],
            vec!["MSG b@c B 70000 too large: 70000", "? xx\\r\\n (Oversized)", "ACK 1"],
        ),
        (vec![say("\r\n\r\nACK 1\r\n \r\nACK 2\r\n")], vec!["ACK 1", "ACK 2"]),
        (vec![say("msg b@c B 5\r\nACK 1\r\n")], vec!["? msg b@c B 5\\r\\n (NoCommand)", "ACK 1"]),
    ] {
        assert_eq!(read(switchboard(false), &steps), expected, "{steps:?}");
    }
}

#[test]
fn a_stream_joined_in_the_middle_begins_with_its_first_command() {
    for (steps, expected) in [
        (vec![say("ACK 1\r\n")], vec!["ACK 1"]),
        (vec![say("lo there\r\nACK 1\r\n")], vec!["? ..lo there\\r\\n (Midway)", "ACK 1"]),
        // A payload has no line end of its own: a command begins with a segment,
        (vec![say("lo there"), say("ACK 1\r\n")], vec!["? ..lo there (Midway)", "ACK 1"]),
        // or announces a payload.
        (
            vec![say("lo there"), say("MSG b@c B "), say("2\r\nhi")],
            vec!["? ..lo there (Midway)", "MSG b@c B 2 + hi"],
        ),
        (vec![say("lo thereMSG b@c B 2\r\nhi")], vec!["? ..lo there (Midway)", "MSG b@c B 2 + hi"]),
        // Words that only look like commands are none.
        (
            vec![say("MSG is a word\r\n911 is a number\r\nACK no\r\nNAK 5\r\n")],
            vec!["? ..MSG is a word\\r\\n911 is a number\\r\\nACK no\\r\\n (Midway)", "NAK 5"],
        ),
        (vec![say("x\r\n217 5\r\n")], vec!["? ..x\\r\\n (Midway)", "217 5"]),
        (vec![say("x\r\n999 5\r\n"), End], vec!["? ..x\\r\\n999 5\\r\\n (Midway)"]),
        (vec![say("no end"), End], vec!["? ..no end (Midway)"]),
        (vec![End], vec![]),
    ] {
        assert_eq!(read(switchboard(true), &steps), expected, "{steps:?}");
    }
}

#[test]
fn a_gap_inside_a_payload_does_not_lose_the_step() {
    for (steps, expected) in [
        (
            vec![say("MSG b@c B 8\r\nab"), Gap(4), say("ghACK 1\r\n")],
            vec!["MSG b@c B 8 + ab\\x00\\x00\\x00\\x00gh, 4 missing", "ACK 1"],
        ),
        (
            vec![say("MSG b@c B 4\r\n"), Gap(4), say("ACK 1\r\n")],
            vec!["MSG b@c B 4 + \\x00\\x00\\x00\\x00, 4 missing", "ACK 1"],
        ),
        (
            vec![say("MSG b@c B 4\r\na"), Gap(1), say("b"), Gap(1), say("ACK 1\r\n")],
            vec!["MSG b@c B 4 + a\\x00b\\x00, 2 missing", "ACK 1"],
        ),
        // Beyond its end the step is lost, and found again.
        (
            vec![say("MSG b@c B 4\r\nab"), Gap(3), say("CK 1\r\nACK 2\r\n")],
            vec!["? MSG b@c B 4\\r\\nab (CutOff)", "? ..CK 1\\r\\n (Gap)", "ACK 2"],
        ),
        (vec![say("ACK 1\r\n"), Gap(7), say("ACK 3\r\n")], vec!["ACK 1", "ACK 3"]),
        (vec![say("ACK"), Gap(7), say("ACK 3\r\n")], vec!["? ACK (CutOff)", "ACK 3"]),
        (
            vec![say("ACK 1\r\n"), Gap(7), Gap(1), say("1\r\nACK 3\r\n")],
            vec!["ACK 1", "? ..1\\r\\n (Gap)", "ACK 3"],
        ),
        // What stands for missing bytes is never given out as if it had come.
        (
            vec![say("MSG b@c B 9\r\na"), Gap(1), say("b"), Gap(2), End],
            vec!["? MSG b@c B 9\\r\\na (Unfinished)", "? ..b (Unfinished)"],
        ),
        (
            vec![say("MSG b@c B 60000\r\na"), Gap(50_000), say("x\r\nACK 1\r\n")],
            vec!["? MSG b@c B 60000\\r\\na (CutOff)", "? ..x\\r\\n (Gap)", "ACK 1"],
        ),
        (vec![say("MSG b@c B 4\r\n"), Gap(u64::MAX), End], vec!["? MSG b@c B 4\\r\\n (CutOff)"]),
    ] {
        assert_eq!(read(switchboard(false), &steps), expected, "{steps:?}");
    }
}

#[test]
fn later_dialects_keep_the_step_as_far_as_can_be_known() {
    let ubx = "UBX b@c 5\r\nhelloQNG 50\r\n";
    let later = ["UBX b@c 5 + hello", "QNG 50"];
    assert_eq!(read(notification(Dialect::Later(11)), &[say(ubx)]), later);
    assert_eq!(read(notification(Dialect::Unknown), &[say(ubx)]), later);
    // No such command in the dialects of the tables.
    assert_eq!(
        read(notification(Dialect::Early), &[say("UBX b@c 5\r\nQNG\r\n")]),
        ["UBX b@c 5", "QNG"]
    );

    let refused = [say("241 7 5\r\nhel"), say("loADL 8 OK\r\n911 9\r\n")];
    let expected = ["241 7 5 + hello", "ADL 8 OK", "911 9"];
    assert_eq!(read(notification(Dialect::Later(13)), &refused), expected);
    let early = read(notification(Dialect::Later(12)), &refused);
    assert_eq!(early.first().map(String::as_str), Some("241 7 5"));

    let mut reader = notification(Dialect::Unknown);
    let mut seen = Vec::new();
    reader.bytes(b"UBX b@c 5", &mut |_| panic!("not whole"));
    reader.set_dialect(Dialect::Early);
    reader.bytes(b"\r\n", &mut |found| seen.push(matches!(found, Found::Frame(..))));
    assert_eq!(seen, [true]);
}

#[test]
fn dialects_by_the_word_in_ver() {
    for (word, dialect) in [
        ("MSNP7", Dialect::Early),
        ("MSNP2", Dialect::Early),
        ("MSNP8", Dialect::Later(8)),
        ("MSNP18", Dialect::Later(18)),
        ("CVR0", Dialect::Unknown),
        ("0", Dialect::Unknown),
        ("MSNP", Dialect::Unknown),
        ("MSNP99999999999", Dialect::Unknown),
    ] {
        assert_eq!(Dialect::from_word(word.as_bytes()), dialect, "{word}");
    }
}

#[test]
fn what_is_held_is_bounded() {
    for step in [&b"x"[..], b"x\r\n", b"MSG ", b"\0"] {
        let mut reader = switchboard(true);
        let mut out = 0;
        for _ in 0..100_000 / step.len() {
            reader.bytes(step, &mut |found| match found {
                Found::Unreadable(bytes, ..) => out += bytes.len(),
                other => panic!("{other:?}"),
            });
            assert!(reader.held() <= SOUGHT);
        }
        reader.end(&mut |found| {
            if let Found::Unreadable(bytes, ..) = found {
                out += bytes.len()
            }
        });
        assert_eq!(out, 100_000 / step.len() * step.len());
    }
    let mut reader = switchboard(false);
    reader.bytes(&[b'A'; 8192], &mut |_| {});
    assert_eq!(reader.seeking, Some(Why::Endless));
}

/// Pieces of streams, good and bad.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"ACK 1\r\n".to_vec()),
        Just(b"MSG b@c B 5\r\nhello".to_vec()),
        Just(b"MSG b@c B 70000\r\n".to_vec()),
        Just(b"MSG b@c B x\r\n".to_vec()),
        Just(b"XYZ 1 2\r\n".to_vec()),
        Just(b"some words\r\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(vec![b'A'; 9000]),
        prop::collection::vec(any::<u8>(), 0..20),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// No byte is lost: what comes out, with blank lines and line ends put back, is what went in.
    #[test]
    fn every_byte_comes_out(stream in pieces(), cuts in prop::collection::vec(0_usize..2000, 0..8), midway: bool) {
        let mut out = 0;
        let mut reader = switchboard(midway);
        let mut take = |found: Found<'_>| {
            out += match found {
                Found::Frame(frame, _) => frame.line().len() + frame.payload().map_or(0, <[u8]>::len),
                Found::Oversized(frame, _) => frame.line().len(),
                Found::Unreadable(bytes, ..) => bytes.len(),
            };
        };
        let mut rest = &*stream;
        for cut in cuts {
            let (now, later) = rest.split_at(cut.min(rest.len()));
            reader.bytes(now, &mut take);
            rest = later;
        }
        reader.bytes(rest, &mut take);
        reader.end(&mut take);
        // Line ends of frames and blank lines are all that may be left out.
        let left_out = stream.len() - out;
        let blanks = stream.iter().filter(|byte| b"\r\n \t".contains(byte)).count();
        prop_assert!(out <= stream.len() && left_out <= blanks, "{} of {}", out, stream.len());
    }

    /// However a stream without segments is cut, the same comes out.
    #[test]
    fn cutting_changes_nothing(stream in pieces(), size in 1_usize..40, midway: bool) {
        let whole = read(switchboard(midway).without_segments(), &[Step::Bytes(stream.clone()), End]);
        let mut steps: Vec<Step> = stream.chunks(size).map(|chunk| Step::Bytes(chunk.to_vec())).collect();
        steps.push(End);
        prop_assert_eq!(read(switchboard(midway).without_segments(), &steps), whole);
    }
}
