//! Buffers and scanners.

use msnp_proto::testing::SeededEntropy;
use msnp_proto::testing::case::Place;
use msnp_proto::wire::{FrameDecoder, Inbox, Incoming, Outbox};

use crate::memory;
use crate::stage::stage;

/// F10: random writes and partial reads of every size, across growth and every place where what was
/// read is dropped, against a plain queue.
pub(super) fn buffers_are_plain_queues() {
    for seed in 0..40 {
        let mut random = SeededEntropy::new(seed);
        let (mut outbox, mut model) = (Outbox::new(), Vec::new());
        let mut inbox = Inbox::new(FrameDecoder::switchboard_client(Default::default()));
        let (mut sent, mut got, mut wire) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..300_usize {
            let most = 1 << random.below(12);
            let body = vec![(number % 256) as u8; random.below(most)];
            let frame = [format!("MSG a@b.c N {}\r\n", body.len()).as_bytes(), &body].concat();
            sent.push(body);
            outbox.buffer().extend_from_slice(&frame);
            model.extend_from_slice(&frame);
            for _ in 0..random.below(4) {
                assert_eq!((outbox.pending(), outbox.len()), (&*model, model.len()));
                let most = 1 << random.below(13);
                let size = 1 + random.below(most);
                let taken = size.min(model.len());
                wire.extend(model.drain(..taken));
                outbox.consume(size);
                let mut piece = &*std::mem::take(&mut wire);
                while let Ok(Some(Incoming::Frame(frame))) = inbox.next(&mut piece) {
                    got.push(frame.payload().expect("MSG has one").to_vec());
                }
                assert!(piece.is_empty());
            }
        }
        let mut rest = &*model;
        while let Ok(Some(Incoming::Frame(frame))) = inbox.next(&mut rest) {
            got.push(frame.payload().expect("MSG has one").to_vec());
        }
        assert!(got == sent && inbox.is_between_frames(), "seed {seed}");
    }
}

/// X03: a thousand texts full of emoticons are a thousand texts; each costs what its bytes cost.
pub(super) fn emoticons_are_only_text() {
    let text = ":D".repeat(800);
    let body = format!("Content-Type: text/plain; charset=UTF-8\r\n\r\n{text}");
    let message = format!("MSG bob@example.net Bob {}\r\n{body}", body.len());
    let mut stage = stage(Place::ClientChat);
    let mut allocated = Vec::new();
    for _ in 0..1000 {
        let ((), usage) = memory::of(|| stage.say(message.as_bytes()));
        assert_eq!(stage.seen(&[]).events.len(), 1);
        allocated.push(usage.peak);
    }
    let scanned = stage.scanned().expect("the chat goes on");
    assert!(scanned <= 1000 * 100, "only lines are scanned, not bodies: {scanned}");
    let (first, last) = (allocated[1], allocated[999]);
    assert!(last <= first, "the last costs {last} bytes and the second {first}");
}
