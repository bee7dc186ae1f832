//! The laws of every machine.

use msnp_proto::ftp::{End, Receiver, ReceiverEvent, Sender, SenderEvent};
use msnp_proto::machine::{Closed, Machine};
use msnp_proto::testing::laws::{self, Input};
use msnp_proto::time::Instant;

use crate::{USR, file, s, terms, waits};

fn sender() -> Sender {
    Sender::new(Instant::ZERO, terms(3000), &waits())
}

fn receiver() -> Receiver {
    Receiver::new(Instant::ZERO, terms(10), &waits())
}

fn supply(sender: &mut Sender, now: Instant) {
    sender.supply(now, &file(3000));
}

/// What different receivers say.
fn senders() -> Vec<Vec<Input<'static, Sender>>> {
    let begin = || {
        vec![
            Input::Bytes(b"VER 1 MSNFTP\r\n"),
            Input::Bytes(USR.as_bytes()),
            Input::Bytes(b"TFR\n"),
            Input::Command(&supply),
        ]
    };
    let with = |more: Vec<Input<'static, Sender>>| begin().into_iter().chain(more).collect();
    vec![
        with(vec![Input::Bytes(b"\r\nBYE 16777989\r\nBYE 1\r\n"), Input::Eof]),
        with(vec![Input::Bytes(b"OUT\r\nCCL"), Input::Eof]),
        with(vec![Input::Wait(s(15)), Input::Bytes(b"BYE\n")]),
        with(vec![Input::Wait(s(500))]),
        with(vec![Input::Command(&Sender::cancel), Input::Bytes(b"CCL\r\n"), Input::Wait(s(5))]),
        vec![Input::Bytes(b"VER MSNFTP\r\nUSR bob@example.com 93301\r\nTFR\r\nCCL\r\n")],
        vec![Input::Bytes(b"VER MSNFTP\r\nUSR bob@example.com 1\r\nUSR")],
        vec![Input::Bytes(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Input::Eof],
        vec![Input::Bytes(&[b'x'; 600])],
        vec![Input::Bytes(b"VER MSNFTP\r\n"), Input::Wait(s(40)), Input::Eof],
    ]
}

/// What different senders say.
fn receivers() -> Vec<Vec<Input<'static, Receiver>>> {
    let of =
        |bytes: &'static [u8]| vec![Input::Bytes(b"VER MSNFTP\r\nFIL 10\r\n"), Input::Bytes(bytes)];
    let with = |bytes, more: Vec<Input<'static, Receiver>>| {
        of(bytes).into_iter().chain(more).collect::<Vec<_>>()
    };
    vec![
        with(b"\r\n\x00\x05\x00hello\x00\x05\x00world\x01\x00\x00", vec![Input::Eof]),
        with(b"\x00\x05\x00hello\x01\x05\x00world", vec![Input::Wait(s(20))]),
        with(b"\x00\x05\x00hello\x00\x00\x00\x01\x00\x00", vec![Input::Wait(s(1))]),
        with(b"\x00\x05\x00helloBYE 2164261683\r\n", vec![]),
        with(b"\x00\x05\x00hello\x00\x06\x00world!", vec![Input::Wait(s(2))]),
        with(
            b"\x00\x05\x00hel",
            vec![Input::Wait(s(100)), Input::Bytes(b"lo"), Input::Wait(s(200))],
        ),
        with(b"\x00\x05\x00hel", vec![Input::Command(&Receiver::cancel), Input::Bytes(b"lo\x00")]),
        with(b"\x00\x05", vec![Input::Command(&Receiver::fail_to_write), Input::Eof]),
        with(b"\x07", vec![Input::Eof]),
        with(b"\x00\x05\x00hel", vec![Input::Eof]),
        vec![Input::Bytes(b"VER MSNFTP\nFIL 11\r\n\x00\x05\x00hello")],
        vec![Input::Bytes(b"HTTP/1.1 200 OK\r\n\r\n")],
        vec![Input::Bytes(&[b'x'; 600])],
    ]
}

#[test]
fn how_the_stream_is_cut_changes_nothing() {
    for script in &senders() {
        laws::check_chunking(sender, script);
    }
    let join = |events: Vec<ReceiverEvent>| {
        let mut joined: Vec<ReceiverEvent> = Vec::new();
        for event in events {
            match (joined.last_mut(), event) {
                (Some(ReceiverEvent::Data(first)), ReceiverEvent::Data(more)) => first.extend(more),
                (_, event) => joined.push(event),
            }
        }
        joined
    };
    for script in &receivers() {
        laws::check_chunking_with(receiver, script, join);
    }
}

#[test]
fn when_outputs_are_taken_changes_nothing() {
    for script in &receivers() {
        laws::check_draining(receiver, script);
    }
    // What a sender reports depends on how much of the file was written; its lines do not.
    let lines: [&[u8]; 5] = [
        b"VER MSNFTP\r\nUSR bob@example.com 93301\r\nTFR\r\n",
        b"VER MSNFTP\r\nUSR bob@example.com 93301\r\nCCL\r\n",
        b"VER MSNFTP\r\nUSR bob@example.com 1\r\n",
        b"VER X\r\n",
        b"VER MSNFTP\r\nCCL",
    ];
    for bytes in lines {
        laws::check_draining(sender, &[Input::Bytes(bytes), Input::Eof, Input::Wait(s(50))]);
    }
}

#[test]
fn timers_are_not_early_and_not_late() {
    for script in &senders() {
        laws::check_clock(sender, script);
    }
    for script in &receivers() {
        laws::check_clock(receiver, script);
    }
}

/// What strangers say, damaged.
const SEEDS: &[&[u8]] = &[
    b"VER MSNFTP\r\nUSR bob@example.com 93301\r\nTFR\r\nBYE 16777989\r\n",
    b"VER MSNFTP\r\nUSR bob@example.com 93301\r\nTFR\r\nCCL\r\n",
    b"VER MSNFTP\r\nFIL 10\r\n\x00\x05\x00hello\x00\x05\x00world\x01\x00\x00",
    b"VER MSNFTP\r\nFIL 10\r\n\x00\xFF\x07hello\x02\x05\x00world\x01\x00\x00BYE 1\r\n",
    b"\r\n\n\r\n",
    &[0xFF; 700],
];

#[test]
fn one_end_and_then_silence() {
    laws::check_totality(sender, SEEDS, 2000, |event| matches!(event, SenderEvent::Ended(_)));
    laws::check_totality(receiver, SEEDS, 2000, |event| matches!(event, ReceiverEvent::Ended(_)));
    // And there is an end, when the connection has one.
    for seed in SEEDS {
        let (mut sender, mut receiver) = (sender(), receiver());
        sender.handle_input(Instant::ZERO, seed);
        receiver.handle_input(Instant::ZERO, seed);
        sender.abandon(Instant::ZERO, Closed::Failed);
        receiver.abandon(Instant::ZERO, Closed::Failed);
        assert!(sender.is_finished() && receiver.is_finished());
        assert!(sender.pending().is_empty() && receiver.pending().is_empty());
        let last = std::iter::from_fn(|| sender.poll_event()).last();
        assert!(matches!(last, Some(SenderEvent::Ended(end)) if end != End::Complete));
        let last = std::iter::from_fn(|| receiver.poll_event()).last();
        assert!(matches!(last, Some(ReceiverEvent::Ended(_))));
    }
}
