//! Inbox and outbox against plain vectors, with pieces of random sizes.

use std::collections::VecDeque;

use msnp_proto::limits::Limits;
use msnp_proto::testing::framing::{Seen, take};
use msnp_proto::wire::{FrameDecoder, Inbox, Outbox};
use proptest::collection::vec;
use proptest::prelude::*;

/// What is done to an outbox.
#[derive(Clone, Debug)]
enum Step {
    Append(Vec<u8>),
    Consume(usize),
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    let size = prop_oneof![8 => 0..64_usize, 2 => 0..5000_usize];
    prop_oneof![
        6 => size.clone().prop_flat_map(|size| vec(any::<u8>(), size)).prop_map(Step::Append),
        6 => size.prop_map(Step::Consume),
        1 => Just(Step::Consume(usize::MAX)),
        1 => Just(Step::Clear),
    ]
}

/// A peer that is always a little behind: something is pending at any time, for ever.
#[test]
fn an_outbox_that_is_never_empty_does_not_grow() {
    for (behind, more) in [(10, 1000), (1000, 1000), (1000, 10), (5000, 700)] {
        let mut outbox = Outbox::new();
        outbox.buffer().resize(behind, b'x');
        for _ in 0..10_000 {
            let len = outbox.buffer().len() + more;
            outbox.buffer().resize(len, b'x');
            outbox.consume(more);
            assert_eq!(outbox.len(), behind);
        }
        let held = outbox.buffer().capacity();
        assert!(held <= 4 * (behind + more) + 4096, "{held} bytes for {behind} pending");
    }
}

proptest! {
    #[test]
    fn outbox_is_a_queue_of_bytes(steps in vec(step(), 0..80)) {
        let mut outbox = Outbox::new();
        let mut model = VecDeque::new();
        for step in steps {
            match step {
                Step::Append(bytes) => {
                    outbox.buffer().extend_from_slice(&bytes);
                    model.extend(bytes);
                }
                Step::Consume(count) => {
                    outbox.consume(count);
                    model.drain(..count.min(model.len()));
                }
                Step::Clear => {
                    outbox.clear();
                    model.clear();
                }
            }
            prop_assert_eq!(outbox.pending(), &*model.make_contiguous());
            prop_assert_eq!((outbox.len(), outbox.is_empty()), (model.len(), model.is_empty()));
        }
    }

    #[test]
    fn inbox_gives_back_what_was_sent(
        frames in vec((0..200_usize, proptest::option::of(0..2500_usize)), 1..20),
        sizes in vec(prop_oneof![1..10_usize, 1..3000_usize], 1..40),
    ) {
        let (mut stream, mut expected) = (Vec::new(), Vec::new());
        for (number, (line_len, payload_len)) in frames.iter().enumerate() {
            let word = "w".repeat(*line_len);
            let (line, payload) = match payload_len {
                None => (format!("ACK {number} {word}"), None),
                Some(len) => {
                    let bytes = b"MSG a b 3\r\nOUT\r\n".iter().copied().cycle().take(*len);
                    (format!("MSG {number} {word} {len}"), Some(bytes.collect::<Vec<u8>>()))
                }
            };
            stream.extend_from_slice(format!("{line}\r\n").as_bytes());
            expected.push(match payload {
                None => Seen::line(line.as_bytes()),
                Some(payload) if payload.len() > 1664 => {
                    stream.extend_from_slice(&payload);
                    Seen::oversized(line.as_bytes(), payload.len() as u32)
                }
                Some(payload) => {
                    stream.extend_from_slice(&payload);
                    Seen::with_payload(line.as_bytes(), &payload)
                }
            });
        }
        let mut limits = Limits::new();
        limits.payload = 1664;
        let mut inbox = Inbox::new(FrameDecoder::switchboard_client(limits));
        let (mut rest, mut sizes, mut seen) = (&stream[..], sizes.iter().cycle(), Vec::new());
        while !rest.is_empty() {
            let size = rest.len().min(*sizes.next().expect("it is a cycle"));
            let (chunk, behind) = rest.split_at(size);
            take(&mut inbox, chunk, &mut seen);
            rest = behind;
            prop_assert!(inbox.held() <= 8192 + 1664);
            prop_assert!(inbox.decoder().scanned() <= 2 * (stream.len() - rest.len()) as u64);
        }
        prop_assert_eq!(seen, expected);
        prop_assert_eq!((inbox.held(), inbox.is_between_frames()), (0, true));
    }
}
