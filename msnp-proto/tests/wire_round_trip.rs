//! Every command with values of every kind: written, cut in every chunking, read, written again.

use std::collections::BTreeSet;

use msnp_proto::limits::{Leniency, Limits};
use msnp_proto::machine::Target;
use msnp_proto::testing::Source;
use msnp_proto::testing::framing::{Seen, cut, cut_in_every_way};
use msnp_proto::types::{Address, Dialect, ErrorCode, ErrorReply, Handle, Token, TrId};
use msnp_proto::wire::{Frame, FrameDecoder, Inbox, Incoming, Parsed};
use msnp_proto::{ns, sb};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Decisions for a [`Source`]: any bytes, with words and texts of the wire among them.
fn decisions() -> impl Strategy<Value = Vec<u8>> {
    let sized = |text: &[u8]| [&[u8::try_from(text.len()).unwrap_or(u8::MAX)], text].concat();
    let piece = prop_oneof![
        4 => vec(any::<u8>(), 1..12),
        2 => token().prop_map(move |token| sized(&token)),
        2 => any::<String>().prop_map(move |text| sized(text.as_bytes())),
        1 => "[!-?A-~]{1,20}@[!-?A-~]{1,20}".prop_map(move |text| sized(text.as_bytes())),
        1 => "([a-z0-9.-]{1,20}|\\[[0-9a-f:]{2,20}\\])(:[1-9][0-9]{0,3})?"
            .prop_map(move |text| sized(text.as_bytes())),
        1 => vec(token(), 1..6).prop_map(move |words| sized(&words.join(&b' '))),
    ];
    vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

/// Any bytes that make one word.
fn token() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        8 => 0x21..0x7F_u8,
        1 => any::<u8>().prop_filter("separates words", |byte| !b" \t\r\n".contains(byte)),
    ];
    vec(byte, 1..24)
}

/// What a stream of one frame is cut to, owned.
fn one_frame(decoder: &FrameDecoder, wire: &[u8]) -> Seen {
    let (mut seen, between) = cut_in_every_way(decoder, wire);
    assert!(between, "{}", wire.escape_ascii());
    assert_eq!(seen.len(), 1, "{}", wire.escape_ascii());
    seen.remove(0)
}

macro_rules! round_trip {
    ($name:ident, $decoder:ident, $room:ident::$Command:ident) => {
        mod $name {
            use super::*;
            use msnp_proto::$room::$Command as Command;

            /// One command of every shape, of the dialects up to this one.
            fn commands<'a>(source: &mut Source<'a>, dialect: Dialect) -> Vec<Command<'a>> {
                let known = |command: &Command<'_>| {
                    let row = Command::VERBS.iter().find(|row| row.verb == command.verb());
                    row.is_some_and(|row| row.since <= dialect.number())
                };
                let all = (0..Command::SHAPES).map(|shape| Command::any(shape, source));
                all.filter(known).collect()
            }

            proptest! {
                #![proptest_config(ProptestConfig::with_cases(24))]

                #[test]
                fn each_command_in_every_chunking(
                    decisions in vec(decisions(), Command::SHAPES),
                    lenient in any::<bool>(),
                ) {
                    let leniency = if lenient { Leniency::Lenient } else { Leniency::Strict };
                    let decoder = FrameDecoder::$decoder(Limits::new()).with_leniency(leniency);
                    for (decisions, shape) in decisions.iter().zip(0..) {
                        let command = Command::any(shape, &mut Source::new(decisions));
                        let mut wire = Vec::new();
                        command.encode(&mut wire);
                        let text = wire.escape_ascii().to_string();
                        let Seen::Frame { line, payload } = one_frame(&decoder, &wire) else {
                            panic!("no frame: {text}");
                        };
                        let frame = Frame::new(&line, payload.as_deref());
                        let parsed = Command::parse(frame);
                        let Ok(Parsed::Command(read, extra)) = parsed else {
                            panic!("{text}: {parsed:?}");
                        };
                        prop_assert_eq!(read, command, "{}", text);
                        prop_assert!(extra.is_empty(), "{}", text);
                        prop_assert_eq!(read.verb(), command.verb());
                        let mut again = Vec::new();
                        read.encode(&mut again);
                        prop_assert_eq!(again, wire, "canonical bytes come back");
                    }
                }

                #[test]
                fn all_commands_of_a_dialect_in_one_stream(
                    decisions in vec(any::<u8>(), 0..4000),
                    dialect in select(&Dialect::ALL[..]),
                    sizes in vec(1..400_usize, 1..20),
                ) {
                    let decoder = FrameDecoder::$decoder(Limits::new());
                    let commands = commands(&mut Source::new(&decisions), dialect);
                    let mut wire = Vec::new();
                    for command in &commands {
                        command.encode(&mut wire);
                    }
                    let mut inbox = Inbox::new(decoder);
                    let mut expected = commands.iter();
                    let (mut rest, mut sizes) = (&wire[..], sizes.iter().cycle());
                    while !rest.is_empty() {
                        let size = rest.len().min(*sizes.next().expect("it is a cycle"));
                        let (mut chunk, behind) = rest.split_at(size);
                        while let Some(Incoming::Frame(frame)) = inbox.next(&mut chunk).unwrap() {
                            let Ok(Parsed::Command(read, _)) = Command::parse(frame) else {
                                panic!("{frame:?}");
                            };
                            prop_assert_eq!(Some(&read), expected.next());
                        }
                        rest = behind;
                    }
                    prop_assert_eq!(expected.next(), None);
                    prop_assert!(inbox.is_between_frames());
                    prop_assert!(inbox.decoder().scanned() <= 2 * wire.len() as u64);
                }
            }

            #[test]
            fn every_verb_has_its_shapes() {
                let all = commands(&mut Source::new(b""), Dialect::Msnp7);
                assert_eq!(all.len(), Command::SHAPES);
                let verbs: BTreeSet<_> = all.iter().map(|command| command.verb()).collect();
                assert_eq!(verbs, Command::VERBS.iter().map(|row| row.verb).collect());
            }
        }
    };
}

round_trip!(to_a_notification_server, notification_server, ns::Request);
round_trip!(from_a_notification_server, notification_client, ns::Reply);
round_trip!(to_a_switchboard, switchboard_server, sb::Request);
round_trip!(from_a_switchboard, switchboard_client, sb::Reply);

proptest! {
    #[test]
    fn refusals(number in 100..=999_u16, trid in proptest::option::of(any::<u32>())) {
        let code = ErrorCode::new(number).expect("three digits");
        let reply = ErrorReply { code, trid: trid.map(TrId) };
        let mut wire = Vec::new();
        reply.encode(&mut wire);
        let decoder = FrameDecoder::notification_client(Limits::new());
        let Seen::Frame { line, payload: None } = one_frame(&decoder, &wire) else { panic!() };
        prop_assert_eq!(ErrorReply::parse(Frame::new(&line, None)), Some(reply));
    }

    /// What nobody knows comes back byte for byte, and any bytes at all are cut the same way in
    /// every chunking.
    #[test]
    fn any_bytes(
        pieces in vec(
            prop_oneof![
                4 => vec(any::<u8>(), 0..40),
                2 => select(vec![&b"\r\n"[..], b"\n", b" ", b"\r"]).prop_map(<[u8]>::to_vec),
                2 => "(MSG a@b c|NOT|QNG|XYZ 1) [0-9]{1,3}\r\n".prop_map(String::into_bytes),
            ],
            0..12,
        ),
    ) {
        let stream = pieces.concat();
        let mut limits = Limits::new();
        limits.line = 64;
        limits.payload = 50;
        let decoder = FrameDecoder::notification_client(limits);
        let (seen, _) = cut_in_every_way(&decoder, &stream);
        let mut rest = &stream[..];
        for piece in &seen {
            let (Seen::Frame { line, .. } | Seen::Oversized { line, .. }) = piece else { continue };
            let place = rest.windows(line.len()).position(|window| window == line);
            rest = &rest[place.expect("the line is in the stream") + line.len()..];
            // Reading must not panic whatever the line is.
            let _ = ns::Reply::parse(Frame::new(line, None));
            let _ = ns::Request::parse(Frame::new(line, Some(b"")));
            let _ = sb::Reply::parse(Frame::new(line, Some(b"x")));
            let _ = sb::Request::parse(Frame::new(line, None));
        }
    }

    /// Whatever can be read can be written, and is then read as the same.
    #[test]
    fn what_was_read_can_be_written(
        row in select(ns::Reply::VERBS),
        words in vec(
            prop_oneof![
                4 => select(vec![
                    "0", "1", "7", "FL", "AL", "BL", "A", "OK", "MD5", "S", "SB", "NS", "CKI", "PHH",
                    "NLN", "a@b.c", "b@c", "192.0.2.1:1863", "[::1]:5", "0,5", "OTH", "OFF", "%41%zz",
                ]).prop_map(|word| word.as_bytes().to_vec()),
                1 => token(),
            ],
            0..10,
        ),
    ) {
        let line = [row.verb.as_bytes().to_vec(), words.join(&b' ')].join(&b' ');
        let payload = row.payload.then_some(&b"hello"[..]);
        let line = if row.payload { [&line[..], b" 5"].concat() } else { line };
        if let Ok(Parsed::Command(command, _)) = ns::Reply::parse(Frame::new(&line, payload)) {
            let mut wire = Vec::new();
            command.encode(&mut wire);
            let decoder = FrameDecoder::notification_client(Limits::new());
            let (seen, between) = cut(&decoder, [&wire[..]]);
            prop_assert!(between);
            let [Seen::Frame { line, payload }] = &seen[..] else { panic!("{seen:?}") };
            let again = ns::Reply::parse(Frame::new(line, payload.as_deref()));
            let Ok(Parsed::Command(again, extra)) = again else { panic!("{again:?}") };
            prop_assert_eq!(again, command);
            prop_assert!(extra.is_empty());
        }
    }
}

#[test]
fn missing_argument_cuts_off_those_behind_it() {
    let handle = Handle::new("bob@example.net").unwrap();
    let flag = Token::new(b"1");
    let command =
        ns::Reply::UsrOk { trid: TrId(7), account: (&handle).into(), name: None, verified: flag };
    let mut wire = Vec::new();
    command.encode(&mut wire);
    assert_eq!(wire, b"USR 7 OK bob@example.net\r\n", "the flag would be read as a name");
}

#[test]
fn words_are_the_same_whatever_blanks_are_between_them() {
    for line in ["VER 1 MSNP7 CVR0", "VER 1 MSNP7\tCVR0", "VER 1 \t MSNP7  CVR0 "] {
        let parsed = ns::Reply::parse(Frame::new(line.as_bytes(), None));
        let Ok(Parsed::Command(command, _)) = parsed else { panic!("{parsed:?}") };
        let mut wire = Vec::new();
        command.encode(&mut wire);
        assert_eq!(wire, b"VER 1 MSNP7 CVR0\r\n");
        let again = ns::Reply::parse(Frame::new(b"VER 1 MSNP7 CVR0", None));
        assert_eq!(again, Ok(Parsed::Command(command, Default::default())), "{line:?}");
    }
}

#[test]
fn addresses_that_cannot_be_said_are_refused() {
    for (host, port) in [("a b", 1), ("a\r\nOUT", 1), ("", 1), ("[::1]", 1), ("a", 0)] {
        let target = Target { host: host.into(), port };
        assert_eq!(Address::from_target(&target), None, "{target:?}");
    }
}
