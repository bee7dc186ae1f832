//! Frames and commands: laws of cutting and of the round trip.

use msnp_proto::limits::{Leniency, Limits};
use msnp_proto::testing::framing::{Seen, cut};
use msnp_proto::testing::{Chunker, Chunking, Decide, Source};
use msnp_proto::types::ErrorReply;
use msnp_proto::wire::{Decoded, FrameDecoder, Inbox, Incoming, Parsed};
use msnp_proto::{ns, sb};

/// The four streams that there are.
const DECODERS: [fn(Limits) -> FrameDecoder; 4] = [
    FrameDecoder::notification_client,
    FrameDecoder::notification_server,
    FrameDecoder::switchboard_client,
    FrameDecoder::switchboard_server,
];

/// Cutting: four decisions, then a stream. In whatever chunks it comes, the same comes out, no byte
/// is looked at more than twice, and no more is held than the limits allow. What a strict decoder
/// takes, a lenient one takes as the same.
pub fn frames(data: &[u8]) {
    let mut source = Source::new(data);
    let make = source.pick(&DECODERS);
    let mut limits = Limits::new();
    limits.line = source.pick(&[64, 16, 3, 256, 8192]);
    limits.payload = source.pick(&[50, 0, 7, 300, 65_536]);
    let seed = source.byte().into();
    let stream = source.rest();

    let lenient = make(limits.clone());
    let whole = cut(&lenient, [stream]);
    let mut chunker = Chunker::new(Chunking::Random(seed));
    let mut inbox = Inbox::new(lenient.clone());
    let (mut seen, mut rest) = (Vec::new(), stream);
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at(chunker.next(rest.len()));
        msnp_proto::testing::framing::take(&mut inbox, chunk, &mut seen);
        assert!(inbox.held() <= limits.line + limits.payload, "{} bytes are held", inbox.held());
        rest = behind;
    }
    assert!(inbox.decoder().scanned() <= 2 * stream.len() as u64, "scanned more than twice");
    assert_eq!((seen, inbox.is_between_frames()), whole, "in pieces of seed {seed}");
    assert_eq!(decode(lenient.clone(), stream), whole.0, "without an inbox");
    check_sizes(&whole.0, &limits);

    let (strict, _) = cut(&lenient.with_leniency(Leniency::Strict), [stream]);
    let before_end = match strict.split_last() {
        Some((Seen::Lost(_), before)) => before,
        _ => &strict,
    };
    assert!(whole.0.starts_with(before_end), "strict is not part of lenient: {strict:?}");
}

/// The same with a decoder alone, which is shown a little more each time.
fn decode(mut decoder: FrameDecoder, stream: &[u8]) -> Vec<Seen> {
    let (mut seen, mut start, mut end) = (Vec::new(), 0, 0);
    loop {
        match decoder.decode(&stream[start..end]) {
            Ok(Decoded::NeedMore) if end < stream.len() => {
                end = (end + 1 + end / 8).min(stream.len());
            }
            Ok(Decoded::NeedMore) => return seen,
            Ok(Decoded::Skipped { consumed }) => {
                start += consumed;
                if consumed == 0 && end == stream.len() {
                    return seen;
                }
            }
            Ok(Decoded::Frame { frame, consumed }) => {
                seen.push(Incoming::Frame(frame).into());
                start += consumed;
            }
            Ok(Decoded::Oversized { frame, announced, consumed }) => {
                seen.push(Incoming::Oversized { frame, announced }.into());
                start += consumed;
            }
            Err(error) => {
                seen.push(Seen::Lost(error));
                return seen;
            }
        }
    }
}

fn check_sizes(seen: &[Seen], limits: &Limits) {
    for one in seen {
        match one {
            Seen::Frame { line, payload } => {
                assert!(!line.is_empty() && line.len() < limits.line && !line.contains(&b'\n'));
                assert!(payload.as_ref().is_none_or(|payload| payload.len() <= limits.payload));
            }
            Seen::Oversized { line, announced } => {
                assert!(line.len() < limits.line && *announced as usize > limits.payload);
            }
            Seen::Lost(_) => {}
        }
    }
}

/// Room for what a short line becomes when its names are written anew.
fn roomy() -> Limits {
    let mut limits = Limits::new();
    limits.line = 1 << 20;
    limits.payload = 1 << 20;
    limits
}

macro_rules! families {
    ($( $(#[$doc:meta])* $bytes:ident $value:ident $decoder:ident $room:ident::$Command:ident; )*) => { $(
        $(#[$doc])*
        pub fn $bytes(data: &[u8]) {
            let mut inbox = Inbox::new(FrameDecoder::$decoder(roomy()));
            let mut input = data;
            let mut wire = Vec::new();
            while let Ok(Some(incoming)) = inbox.next(&mut input) {
                let Incoming::Frame(frame) = incoming else {
                    continue;
                };
                let _ = (frame.trid(), frame.words().count());
                if let Some(error) = ErrorReply::parse(frame) {
                    wire.clear();
                    error.encode(&mut wire);
                    one_frame(FrameDecoder::$decoder(roomy()), &wire, |again| {
                        assert_eq!(ErrorReply::parse(again), Some(error));
                    });
                }
                match $room::$Command::parse(frame) {
                    Ok(Parsed::Command(command, _)) => $value(command, &mut wire),
                    Ok(Parsed::Unknown(unknown)) => assert_eq!(unknown, frame),
                    Err(error) => assert!(!error.to_string().is_empty()),
                }
            }
        }

        /// A command is one canonical frame that is read as the same and written as it was.
        fn $value(command: $room::$Command<'_>, wire: &mut Vec<u8>) {
            wire.clear();
            command.encode(wire);
            one_frame(FrameDecoder::$decoder(roomy()), wire, |frame| {
                assert_eq!(frame.verb(), Some(command.verb()));
                let read = match $room::$Command::parse(frame) {
                    Ok(Parsed::Command(read, extra)) if extra.is_empty() => read,
                    other => panic!("{}: {other:?}", wire.escape_ascii()),
                };
                assert_eq!(read, command, "{}", wire.escape_ascii());
                let mut again = Vec::with_capacity(wire.len());
                read.encode(&mut again);
                assert!(again == *wire, "{} came back otherwise", wire.escape_ascii());
            });
        }
    )* };
}

families! {
    /// What a client says to a dispatch or notification server, from a stream of bytes.
    ns_requests ns_request notification_server ns::Request;
    /// What a dispatch or notification server says, from a stream of bytes.
    ns_replies ns_reply notification_client ns::Reply;
    /// What a client says to a switchboard, from a stream of bytes.
    sb_requests sb_request switchboard_server sb::Request;
    /// What a switchboard says, from a stream of bytes.
    sb_replies sb_reply switchboard_client sb::Reply;
}

/// The only frame of a stream, cut by a strict decoder.
fn one_frame(decoder: FrameDecoder, wire: &[u8], check: impl FnOnce(msnp_proto::wire::Frame<'_>)) {
    let mut decoder = decoder.with_leniency(Leniency::Strict);
    match decoder.decode(wire) {
        Ok(Decoded::Frame { frame, consumed }) if consumed == wire.len() => check(frame),
        other => panic!("{}: {other:?}", wire.escape_ascii()),
    }
}

/// Commands of all four families by value: a shape and decisions for its arguments, again and
/// again.
pub fn values(data: &[u8]) {
    let mut source = Source::new(data);
    let mut wire = Vec::new();
    while !source.is_empty() {
        let shape = source.below(256);
        match shape % 4 {
            0 => {
                let shape = shape / 4 % ns::Request::SHAPES;
                ns_request(ns::Request::any(shape, &mut source), &mut wire);
            }
            1 => {
                let shape = shape / 4 % ns::Reply::SHAPES;
                ns_reply(ns::Reply::any(shape, &mut source), &mut wire);
            }
            2 => {
                let shape = shape / 4 % sb::Request::SHAPES;
                sb_request(sb::Request::any(shape, &mut source), &mut wire);
            }
            _ => {
                let shape = shape / 4 % sb::Reply::SHAPES;
                sb_reply(sb::Reply::any(shape, &mut source), &mut wire);
            }
        }
    }
}
