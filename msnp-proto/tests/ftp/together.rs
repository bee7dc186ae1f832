//! The two sides against each other.

use msnp_proto::ftp::{End, Receiver, ReceiverEvent, Sender, SenderEvent};
use msnp_proto::machine::{Closed, Machine};
use msnp_proto::testing::{Chunker, Chunking};
use msnp_proto::time::Instant;
use proptest::prelude::*;

use crate::{file, s, terms, waits};

/// What came of a transfer.
struct Outcome {
    sender: Option<End>,
    receiver: Option<End>,
    got: Vec<u8>,
}

/// Sends a file. `supply` and `network` cut it, and after `cut` bytes in that direction the
/// connection is gone.
fn transfer(file: &[u8], supply: Chunking, network: Chunking, cut: [usize; 2]) -> Outcome {
    let now = Instant::ZERO;
    let size = file.len() as u64;
    let mut sender = Sender::new(now, terms(size), &waits());
    let mut receiver = Receiver::new(now, terms(size), &waits());
    let mut pieces = Chunker::new(supply);
    let [mut there, mut back] = [Chunker::new(network), Chunker::new(network)];
    let [mut there_left, mut back_left] = cut;
    let mut outcome = Outcome { sender: None, receiver: None, got: Vec::new() };
    let mut supplied = 0;
    let mut started = false;
    let mut time = now;
    for _ in 0..100_000 {
        let mut moved = 0;
        if started {
            let wanted = pieces.next(sender.room().min(file.len() - supplied));
            let taken = sender.supply(time, &file[supplied..supplied + wanted]);
            assert_eq!(taken, wanted, "there was room");
            (supplied, moved) = (supplied + taken, taken);
        }
        moved += carry(&mut sender, &mut receiver, time, &mut there, &mut there_left);
        moved += carry(&mut receiver, &mut sender, time, &mut back, &mut back_left);
        if there_left == 0 || back_left == 0 {
            sender.abandon(time, Closed::Reset);
            receiver.abandon(time, Closed::Reset);
        }
        while let Some(event) = sender.poll_event() {
            assert_eq!(outcome.sender, None, "{event:?} behind the end");
            match event {
                SenderEvent::Started => started = true,
                SenderEvent::Ended(end) => outcome.sender = Some(end),
                _ => {}
            }
        }
        while let Some(event) = receiver.poll_event() {
            assert_eq!(outcome.receiver, None, "{event:?} behind the end");
            match event {
                ReceiverEvent::Data(bytes) => outcome.got.extend(bytes),
                ReceiverEvent::Ended(end) => outcome.receiver = Some(end),
                _ => {}
            }
        }
        assert_eq!(receiver.received(), outcome.got.len() as u64);
        assert!(sender.sent() >= receiver.received());
        if sender.is_finished() && sender.pending().is_empty() && !receiver.is_finished() {
            receiver.handle_eof(time);
            moved += 1;
        }
        if moved == 0 {
            if sender.is_finished() && receiver.is_finished() {
                return outcome;
            }
            time += s(1);
            sender.handle_timeout(time);
            receiver.handle_timeout(time);
        }
    }
    panic!("it never ends");
}

fn carry(
    from: &mut impl Machine,
    to: &mut impl Machine,
    now: Instant,
    chunker: &mut Chunker,
    left: &mut usize,
) -> usize {
    let size = chunker.next(from.pending().len().min(*left));
    let piece = from.pending()[..size].to_vec();
    to.handle_input(now, &piece);
    from.consume(now, size);
    *left -= size;
    size
}

const WHOLE: [usize; 2] = [usize::MAX; 2];

#[test]
fn files_of_every_size_arrive() {
    for size in [0, 1, 2, 3, 2044, 2045, 2046, 4089, 4090, 4091, 4100, 65_440, 65_441, 300_000] {
        let file = file(size);
        for network in [Chunking::Whole, Chunking::Every(1000), Chunking::Random(size as u64)] {
            let outcome = transfer(&file, Chunking::Whole, network, WHOLE);
            assert_eq!(outcome.sender, Some(End::Complete), "{size} bytes");
            assert_eq!(outcome.receiver, Some(End::Complete), "{size} bytes");
            assert!(outcome.got == file, "{size} bytes");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn files_arrive_in_whatever_pieces(
        size in 0_usize..20_000, supply in any::<u64>(), network in any::<u64>(),
    ) {
        let file = file(size);
        let chunking = [supply, network].map(Chunking::Random);
        let outcome = transfer(&file, chunking[0], chunking[1], WHOLE);
        prop_assert_eq!(outcome.sender, Some(End::Complete));
        prop_assert_eq!(outcome.receiver, Some(End::Complete));
        prop_assert!(outcome.got == file);
    }

    /// Whoever says that it is complete is right, wherever the connection breaks.
    #[test]
    fn nobody_takes_a_part_for_the_whole(
        size in 0_usize..10_000, seed in any::<u64>(), there in 1_usize..10_100, back in 1_usize..60,
    ) {
        let file = file(size);
        let outcome = transfer(&file, Chunking::Whole, Chunking::Random(seed), [there, back]);
        let (Some(sender), Some(receiver)) = (outcome.sender, outcome.receiver) else {
            panic!("an end for each");
        };
        prop_assert!(file.starts_with(&outcome.got));
        prop_assert_eq!(receiver == End::Complete, outcome.got.len() == size && back > 43);
        if sender == End::Complete {
            prop_assert_eq!(receiver, End::Complete);
        }
    }
}

/// Each side stops at each step of a transfer; the other hears of it, or has all.
#[test]
fn whoever_cancels_at_whatever_step_both_end() {
    let size = 5000;
    let file = file(size);
    for sender_cancels in [true, false] {
        for step in 0..40 {
            let now = Instant::ZERO;
            let mut sender = Sender::new(now, terms(size as u64), &waits());
            let mut receiver = Receiver::new(now, terms(size as u64), &waits());
            let mut chunkers =
                [Chunker::new(Chunking::Every(700)), Chunker::new(Chunking::Every(700))];
            let (mut left, mut supplied, mut got) = (WHOLE, 0, 0);
            let mut ends = (vec![], vec![]);
            let mut time = now;
            for turn in 0..200 {
                if turn == step && sender_cancels {
                    sender.cancel(time);
                } else if turn == step {
                    receiver.cancel(time);
                }
                supplied += sender.supply(time, &file[supplied..]);
                carry(&mut sender, &mut receiver, time, &mut chunkers[0], &mut left[0]);
                carry(&mut receiver, &mut sender, time, &mut chunkers[1], &mut left[1]);
                while let Some(event) = sender.poll_event() {
                    if let SenderEvent::Ended(end) = event {
                        ends.0.push(end);
                    }
                }
                while let Some(event) = receiver.poll_event() {
                    match event {
                        ReceiverEvent::Data(bytes) => got += bytes.len(),
                        ReceiverEvent::Ended(end) => ends.1.push(end),
                        _ => {}
                    }
                }
                if sender.is_finished() && sender.pending().is_empty() {
                    receiver.handle_eof(time);
                }
                if receiver.is_finished() && receiver.pending().is_empty() {
                    sender.handle_eof(time);
                }
                time += s(1) / 10;
                sender.handle_timeout(time);
                receiver.handle_timeout(time);
            }
            let ([sender], [receiver]) = (&ends.0[..], &ends.1[..]) else {
                panic!("step {step}: {ends:?}")
            };
            assert_eq!(*receiver == End::Complete, got == size, "step {step}");
            let (here, there) =
                if sender_cancels { (sender, receiver) } else { (receiver, sender) };
            let heard = [End::CancelledThere, End::Broken(Closed::Done)];
            match here {
                End::CancelledHere => {
                    assert!(heard.contains(there) || got == size, "step {step}: {ends:?}");
                }
                _ => assert_eq!((*here, *there), (End::Complete, End::Complete), "step {step}"),
            }
        }
    }
}
