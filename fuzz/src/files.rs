//! File transfer: both machines among strangers, one against the other, and what invitations say
//! of files and places.

use msnp_proto::body::{self, InviteCommand, Message, invite};
use msnp_proto::ftp::{
    AuthCookie, End, FileWaits, Receiver, ReceiverEvent, Sender, SenderEvent, Terms, safe_name,
};
use msnp_proto::limits::SWITCHBOARD_PAYLOAD;
use msnp_proto::machine::{Closed, Machine};
use msnp_proto::testing::{Chunker, Chunking, Decide, Source};
use msnp_proto::time::{Duration, Instant};
use msnp_proto::types::Handle;

/// Sizes of files, and how they are announced.
const SIZES: [(u64, &[u8]); 5] = [
    (0, b"FIL 0\r\n"),
    (10, b"FIL 10\r\n"),
    (3000, b"FIL 3000\r\n"),
    (100_000, b"FIL 100000\r\n"),
    (u64::MAX, b"FIL 18446744073709551615\r\n"),
];

/// What makes a machine go on.
const WORDS: [&[u8]; 10] = [
    b"VER MSNFTP\r\n",
    b"USR bob@example.com 93301\r\n",
    b"TFR\r\n",
    b"\x00\x05\x00hello",
    b"\x00\xfd\x07",
    b"\x01\x00\x00",
    b"CCL\r\n",
    b"BYE 16777989\r\n",
    b"BYE 2147942405\r\n",
    b"\r\n",
];

/// More than any of the machines may have waiting.
const MOST_PENDING: usize = 65536 + 200;

fn terms(size: u64) -> Terms {
    let receiver = Handle::new("bob@example.com").expect("a handle");
    Terms { size, cookie: AuthCookie::new(93301), receiver }
}

/// The first byte says what is tried, the others are decisions, or the payload of an invitation.
pub fn files(data: &[u8]) {
    let mut source = Source::new(data);
    match source.below(4) {
        0 => one_side::<Receiver>(&mut source),
        1 => one_side::<Sender>(&mut source),
        2 => both_sides(&mut source),
        _ => match Message::parse(source.rest()) {
            Message::Invite(view) => invitation(&view),
            _ => names(data),
        },
    }
}

/// What can happen to one side.
enum Op<'a> {
    Hear(&'a [u8]),
    Wait(Duration),
    Consume(usize),
    Supply(usize),
    Eof,
    Stop,
    Fail,
}

fn op<'a>(source: &mut Source<'a>, size: usize) -> Op<'a> {
    match source.below(16) {
        0..=4 => Op::Hear(source.slice()),
        5..=7 => Op::Hear(source.pick(&WORDS)),
        8 => Op::Hear(SIZES[size].1),
        9 => Op::Wait(Duration::from_millis(u64::from(source.number()) * 100)),
        10 => Op::Consume(source.number() as usize),
        11..=12 => Op::Supply(source.number() as usize % 100_000),
        13 => Op::Eof,
        14 => Op::Stop,
        _ => Op::Fail,
    }
}

/// One machine and what is particular to it.
trait Side: Machine + Sized {
    fn make(now: Instant, terms: Terms) -> Self;
    fn supply(&mut self, now: Instant, size: usize);
    fn stop(&mut self, now: Instant);
    fn fail(&mut self, now: Instant);
    fn gone(&mut self, now: Instant);
    /// Bytes of the file that moved.
    fn moved(&self) -> u64;
    fn seen(event: Self::Event, most: usize) -> Seen;
}

/// An event of either side.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Data(Vec<u8>),
    Ended(End),
    Other(String),
}

impl Side for Receiver {
    fn make(now: Instant, terms: Terms) -> Self {
        Self::new(now, terms, &FileWaits::new())
    }
    fn supply(&mut self, _: Instant, _: usize) {}
    fn stop(&mut self, now: Instant) {
        self.cancel(now);
    }
    fn fail(&mut self, now: Instant) {
        self.fail_to_write(now);
    }
    fn gone(&mut self, now: Instant) {
        self.abandon(now, Closed::Reset);
    }
    fn moved(&self) -> u64 {
        self.received()
    }
    fn seen(event: ReceiverEvent, most: usize) -> Seen {
        match event {
            ReceiverEvent::Data(data) => {
                assert!(!data.is_empty() && data.len() <= most && data.capacity() <= most);
                Seen::Data(data)
            }
            ReceiverEvent::Ended(end) => Seen::Ended(end),
            other => Seen::Other(format!("{other:?}")),
        }
    }
}

impl Side for Sender {
    fn make(now: Instant, terms: Terms) -> Self {
        Self::new(now, terms, &FileWaits::new())
    }
    fn supply(&mut self, now: Instant, size: usize) {
        let room = self.room();
        let taken = Self::supply(self, now, &vec![7; size]);
        assert_eq!(taken, size.min(room), "it takes what it has room for");
    }
    fn stop(&mut self, now: Instant) {
        self.cancel(now);
    }
    fn fail(&mut self, now: Instant) {
        self.cancel(now);
    }
    fn gone(&mut self, now: Instant) {
        self.abandon(now, Closed::Reset);
    }
    fn moved(&self) -> u64 {
        self.sent()
    }
    fn seen(event: SenderEvent, _: usize) -> Seen {
        match event {
            SenderEvent::Ended(end) => Seen::Ended(end),
            other => Seen::Other(format!("{other:?}")),
        }
    }
}

/// One machine, the same operations with the input in one piece and in others.
fn one_side<S: Side>(source: &mut Source<'_>) {
    let size = source.below(SIZES.len());
    let mut ops = Vec::new();
    while !source.is_empty() {
        ops.push(op(source, size));
    }
    let whole = play::<S>(size, &ops, Chunking::Whole);
    assert!(whole == play::<S>(size, &ops, Chunking::Every(1)), "byte by byte");
    assert!(whole == play::<S>(size, &ops, Chunking::Random(1)), "in pieces");
}

fn play<S: Side>(size: usize, ops: &[Op<'_>], chunking: Chunking) -> (Vec<Seen>, Vec<u8>) {
    let (size, mut now) = (SIZES[size].0, Instant::ZERO);
    let mut side = S::make(now, terms(size));
    let mut chunker = Chunker::new(chunking);
    let (mut seen, mut sent) = (Vec::new(), Vec::new());
    for op in ops {
        match op {
            Op::Hear(bytes) => {
                let mut bytes = *bytes;
                while !bytes.is_empty() {
                    let (piece, rest) = bytes.split_at(chunker.next(bytes.len()));
                    side.handle_input(now, piece);
                    take(&mut side, piece.len(), &mut seen);
                    bytes = rest;
                }
            }
            Op::Wait(time) => {
                let to = now + *time;
                while let Some(due) = side.next_deadline().filter(|due| *due <= to) {
                    now = now.max(due);
                    side.handle_timeout(now);
                    assert!(side.next_deadline().is_none_or(|due| due > now), "it stayed due");
                }
                now = to;
            }
            Op::Consume(written) => {
                let written = (*written).min(side.pending().len());
                sent.extend_from_slice(&side.pending()[..written]);
                side.consume(now, written);
            }
            Op::Supply(size) => side.supply(now, *size),
            Op::Eof => side.handle_eof(now),
            Op::Stop => side.stop(now),
            Op::Fail => side.fail(now),
        }
        take(&mut side, 0, &mut seen);
        assert!(side.pending().len() <= MOST_PENDING && side.moved() <= size);
        assert!(!format!("{:?}", side.next_deadline()).is_empty());
        if side.is_finished() {
            assert_eq!(side.next_deadline(), None);
            assert!(matches!(seen.last(), Some(Seen::Ended(_))), "there was an end");
        }
    }
    sent.extend_from_slice(side.pending());
    side.gone(now);
    take(&mut side, 0, &mut seen);
    assert!(side.is_finished() && side.pending().is_empty() && side.next_deadline().is_none());
    assert!(matches!(seen.last(), Some(Seen::Ended(_))), "there is an end");
    let data: usize =
        seen.iter().map(|one| if let Seen::Data(d) = one { d.len() } else { 0 }).sum();
    assert!(data == 0 || data as u64 == side.moved());
    if seen.contains(&Seen::Ended(End::Complete)) {
        assert_eq!(side.moved(), size);
    }
    (seen, sent)
}

/// Takes all events. Data in several pieces is joined.
fn take<S: Side>(side: &mut S, most: usize, seen: &mut Vec<Seen>) {
    while let Some(event) = side.poll_event() {
        assert!(!matches!(seen.last(), Some(Seen::Ended(_))), "something behind the end");
        match (seen.last_mut(), S::seen(event, most)) {
            (Some(Seen::Data(first)), Seen::Data(more)) => first.extend(more),
            (_, event) => seen.push(event),
        }
    }
}

/// A file from one to the other, in pieces, perhaps not to the end.
fn both_sides(source: &mut Source<'_>) {
    let (now, cut) = (Instant::ZERO, source.below(2) == 1);
    let size = source.below(20_000);
    let file: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
    let mut sender = Sender::make(now, terms(size as u64));
    let mut receiver = Receiver::make(now, terms(size as u64));
    let (mut supplied, mut got) = (0_usize, Vec::new());
    let (mut sender_end, mut receiver_end) = (None, None);
    let mut idle = 0;
    while idle < 2 {
        let how_much = match source.number() {
            _ if source.is_empty() && cut => {
                sender.gone(now);
                receiver.gone(now);
                idle += 1;
                0
            }
            _ if source.is_empty() => usize::MAX,
            number => number as usize,
        };
        let supply = &file[supplied..supplied.saturating_add(how_much).min(size)];
        let taken = Sender::supply(&mut sender, now, supply);
        supplied += taken;
        let moved = taken
            + carry(&mut sender, &mut receiver, now, how_much)
            + carry(&mut receiver, &mut sender, now, how_much);
        while let Some(event) = sender.poll_event() {
            if let SenderEvent::Ended(end) = event {
                assert_eq!(sender_end.replace(end), None);
            }
        }
        while let Some(event) = receiver.poll_event() {
            match event {
                ReceiverEvent::Data(data) => got.extend(data),
                ReceiverEvent::Ended(end) => assert_eq!(receiver_end.replace(end), None),
                _ => {}
            }
        }
        if moved == 0 && source.is_empty() {
            idle += 1;
        }
    }
    assert!(file.starts_with(&got) && receiver.received() == got.len() as u64);
    let (Some(sender), Some(receiver)) = (sender_end, receiver_end) else {
        panic!("no end: {sender:?}, {receiver:?}");
    };
    assert!(receiver != End::Complete || got == file);
    assert!(sender != End::Complete || receiver == End::Complete);
    assert!(cut || (sender, receiver) == (End::Complete, End::Complete));
}

fn carry(from: &mut impl Machine, to: &mut impl Machine, now: Instant, most: usize) -> usize {
    let size = from.pending().len().min(most);
    to.handle_input(now, &from.pending()[..size]);
    from.consume(now, size);
    size
}

/// What an invitation says of a file and of a place can be said again.
pub fn invitation(view: &body::InviteView<'_>) {
    let meeting = view.meeting();
    assert!(meeting.is_none() || view.has_address());
    if let Some(meeting) = &meeting {
        let places = meeting.candidates(None, None);
        assert!(places.len() <= 4);
        for (at, place) in places.iter().enumerate() {
            let address = place.ip();
            assert!(place.port() >= 1024 && !places[..at].contains(place));
            assert!(!address.is_loopback() && !address.is_private() && !address.is_multicast());
            assert!(!address.is_link_local() && !address.is_unspecified());
        }
    }
    let offer = view.file();
    assert!(offer.is_none() || view.command() == InviteCommand::Invite);
    if let Some(name) = offer.and_then(|offer| offer.name()) {
        names(name.as_bytes());
    }
    let Some(cookie) = view.answerable_cookie() else { return };
    let read = |payload: &[u8], check: &dyn Fn(&body::InviteView<'_>)| {
        let Message::Invite(view) = Message::parse(payload) else { panic!("no invitation") };
        assert_eq!(view.answerable_cookie(), Some(cookie));
        check(&view);
    };
    let mut payload = Vec::new();
    if let Some(meeting) = meeting {
        let connects = view.sender_connects();
        invite::write_meeting(&mut payload, cookie, &meeting, connects).expect("it was read");
        read(&payload, &|view| {
            assert_eq!(view.meeting().as_ref(), Some(&meeting));
            assert_eq!(view.sender_connects(), connects);
        });
    }
    if let Some((name, size)) = offer.and_then(|offer| Some((offer.name()?, offer.size()?))) {
        let reachable = offer.is_some_and(|offer| offer.is_reachable());
        let write = |name: &str| {
            let mut payload = Vec::new();
            invite::write_file_invite(&mut payload, cookie, name, size, reachable)
                .expect("the cookie was read");
            assert!(payload.len() <= SWITCHBOARD_PAYLOAD);
            payload
        };
        let payload = write(&name);
        read(&payload, &|view| {
            let offer = view.file().expect("an offer");
            assert_eq!((offer.size(), offer.is_reachable()), (Some(size), reachable));
            let name = offer.name().expect("a name");
            assert!(!name.contains(['/', '\\']) && write(&name) == payload);
        });
    }
}

/// A name from a stranger stays in its folder.
fn names(name: &[u8]) {
    let safe = safe_name(&String::from_utf8_lossy(name));
    assert!((1..=200).contains(&safe.len()) && safe_name(&safe) == safe, "{safe:?}");
    assert!(!safe.contains(['/', '\\', ':']) && !safe.contains(char::is_control), "{safe:?}");
    assert!(!safe.starts_with([' ', '.']) && !safe.ends_with([' ', '.']), "{safe:?}");
}
