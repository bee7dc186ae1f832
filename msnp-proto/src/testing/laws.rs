//! The laws that every machine obeys, as checks that panic where one is broken.
//!
//! A check makes machines with the caller's factory and plays the same script to them in different
//! ways. What they report and send must not differ.

use alloc::vec::Vec;
use core::fmt::Debug;

use super::{Chunker, Chunking, SeededEntropy};
use crate::machine::Machine;
use crate::time::{Duration, Instant};

/// One step of a script.
pub enum Input<'a, M> {
    /// Bytes arrive. Where they are cut is up to the check; neighbours are one stream.
    Bytes(&'a [u8]),
    /// The peer will send no more.
    Eof,
    /// Time goes by, and timers run when they are due.
    Wait(Duration),
    /// The application does something.
    Command(&'a dyn Fn(&mut M, Instant)),
}

/// When outputs are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Draining {
    /// All, after each call.
    EachCall,
    /// Events after each call, of the bytes only one.
    Slowly,
    /// Nothing before the script has ended.
    AtEnd,
}

/// What a machine reported and sent, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outcome<E> {
    events: Vec<E>,
    sent: Vec<u8>,
    deadline: Option<Instant>,
    finished: bool,
}

/// Law 1: cutting the input differently changes nothing. Every single cut, pieces of 1, 2, 3 and 7
/// bytes and some random cuts are tried.
///
/// # Panics
///
/// When something differs.
#[track_caller]
pub fn check_chunking<M>(factory: impl Fn() -> M, script: &[Input<'_, M>])
where
    M: Machine,
    M::Event: Debug + PartialEq,
{
    check_chunking_with(factory, script, |events| events);
}

/// As [`check_chunking`], for machines whose events may come in pieces: `join` puts them together.
///
/// # Panics
///
/// When something differs.
#[track_caller]
pub fn check_chunking_with<M>(
    factory: impl Fn() -> M,
    script: &[Input<'_, M>],
    join: impl Fn(Vec<M::Event>) -> Vec<M::Event>,
) where
    M: Machine,
    M::Event: Debug + PartialEq,
{
    let play = |chunking| {
        let mut outcome = play(factory(), script, chunking, Draining::EachCall);
        outcome.events = join(outcome.events);
        outcome
    };
    let whole = play(Chunking::Whole);
    let bytes: usize = script
        .iter()
        .map(|input| if let Input::Bytes(bytes) = input { bytes.len() } else { 0 })
        .sum();
    let cuts = (1..bytes).map(Chunking::SplitAt);
    let pieces = [1, 2, 3, 7].map(Chunking::Every);
    for chunking in cuts.chain(pieces).chain((0..16).map(Chunking::Random)) {
        assert_eq!(play(chunking), whole, "law of chunking: {chunking:?} against one piece");
    }
}

/// Law 2: when outputs are taken changes nothing. Only when a machine is finished may it have taken
/// back what was not written yet: what it sent is then the beginning of what it would have sent.
///
/// # Panics
///
/// When something differs.
#[track_caller]
pub fn check_draining<M>(factory: impl Fn() -> M, script: &[Input<'_, M>])
where
    M: Machine,
    M::Event: Debug + PartialEq,
{
    let play = |draining| play(factory(), script, Chunking::Whole, draining);
    let promptly = play(Draining::EachCall);
    for draining in [Draining::Slowly, Draining::AtEnd] {
        let mut outcome = play(draining);
        if outcome.finished && promptly.sent.starts_with(&outcome.sent) {
            outcome.sent.clone_from(&promptly.sent);
        }
        assert_eq!(outcome, promptly, "law of draining: {draining:?} against at once");
    }
}

/// Law 3: an early timeout does nothing, and a timeout leaves no deadline that is due.
///
/// # Panics
///
/// When an early timeout reports, sends or moves something, or a deadline stays due.
#[track_caller]
pub fn check_clock<M>(factory: impl Fn() -> M, script: &[Input<'_, M>])
where
    M: Machine,
    M::Event: Debug + PartialEq,
{
    // Playing a script asserts the second half at each timeout.
    for end in 0..=script.len() {
        let script = script.get(..end).unwrap_or(script);
        let mut player = Player::new(factory(), Chunking::Whole, Draining::EachCall);
        player.play(script);
        let Some(due) = player.machine.next_deadline() else { continue };
        let early = Instant::from_micros(due.as_micros().saturating_sub(1));
        if early < player.now {
            continue;
        }
        player.machine.handle_timeout(early);
        assert!(player.machine.pending().is_empty(), "law of the clock: early timeout sent");
        let event = player.machine.poll_event();
        assert!(event.is_none(), "law of the clock: early timeout reported {event:?}");
        let after = player.machine.next_deadline();
        assert_eq!(after, Some(due), "law of the clock: early timeout moved the deadline");
        player.now = due;
        player.timeout();
    }
}

/// Law 4: no input panics, there is at most one event that ends everything, and nothing after it.
/// Each round cuts, doubles and damages some of the `seeds`.
///
/// # Panics
///
/// When something follows the end, or the machine panics.
#[track_caller]
pub fn check_totality<M>(
    factory: impl Fn() -> M,
    seeds: &[&[u8]],
    rounds: u64,
    is_end: impl Fn(&M::Event) -> bool,
) where
    M: Machine,
    M::Event: Debug,
{
    for round in 0..rounds {
        let mut random = SeededEntropy::new(round);
        let mut player = Player::new(factory(), Chunking::Random(round), Draining::EachCall);
        for _ in 0..random.below(4).saturating_add(1) {
            let seed = seeds.get(random.below(seeds.len())).copied().unwrap_or_default();
            let mut bytes = seed.to_vec();
            damage(&mut bytes, &mut random);
            player.play(&[Input::Bytes(&bytes), Input::Wait(Duration::from_secs(1))]);
        }
        player.play(&[Input::Eof, Input::Wait(Duration::from_secs(600)), Input::Bytes(b"OUT\r\n")]);
        let end = player.events.iter().position(&is_end);
        let after = end.map_or(0, |end| player.events.len() - end - 1);
        assert_eq!(after, 0, "law of totality: round {round} went on: {:?}", player.events);
    }
}

fn damage(bytes: &mut Vec<u8>, random: &mut SeededEntropy) {
    for _ in 0..random.below(4) {
        let at = random.below(bytes.len());
        match random.below(5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, random.next_u64().to_le_bytes()[0]),
            2 if at < bytes.len() => {
                bytes.remove(at);
            }
            3 => bytes.extend_from_within(at..),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
}

fn play<M: Machine>(
    machine: M,
    script: &[Input<'_, M>],
    chunking: Chunking,
    draining: Draining,
) -> Outcome<M::Event> {
    let mut player = Player::new(machine, chunking, draining);
    player.play(script);
    player.take_all();
    Outcome {
        deadline: player.machine.next_deadline(),
        finished: player.machine.is_finished(),
        events: player.events,
        sent: player.sent,
    }
}

struct Player<M: Machine> {
    machine: M,
    chunker: Chunker,
    draining: Draining,
    now: Instant,
    events: Vec<M::Event>,
    sent: Vec<u8>,
}

impl<M: Machine> Player<M> {
    fn new(machine: M, chunking: Chunking, draining: Draining) -> Self {
        Self {
            machine,
            chunker: Chunker::new(chunking),
            draining,
            now: Instant::ZERO,
            events: Vec::new(),
            sent: Vec::new(),
        }
    }

    fn play(&mut self, script: &[Input<'_, M>]) {
        self.take();
        let mut held = Vec::new();
        for input in script {
            match input {
                Input::Bytes(bytes) => {
                    held.extend_from_slice(bytes);
                    continue;
                }
                _ => self.feed(&core::mem::take(&mut held)),
            }
            match input {
                Input::Bytes(_) => {}
                Input::Eof => self.machine.handle_eof(self.now),
                Input::Command(command) => command(&mut self.machine, self.now),
                Input::Wait(time) => {
                    let to = self.now + *time;
                    while let Some(due) = self.machine.next_deadline().filter(|due| *due <= to) {
                        self.now = self.now.max(due);
                        self.timeout();
                    }
                    self.now = to;
                }
            }
            self.take();
        }
        self.feed(&held);
    }

    fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at(self.chunker.next(bytes.len()));
            self.machine.handle_input(self.now, piece);
            self.take();
            bytes = rest;
        }
    }

    fn timeout(&mut self) {
        self.machine.handle_timeout(self.now);
        let next = self.machine.next_deadline();
        let now = self.now;
        assert!(
            next.is_none_or(|next| next > now),
            "law of the clock: deadline {next:?} is still due after a timeout at {now:?}"
        );
        self.take();
    }

    /// Takes what the way of draining says.
    fn take(&mut self) {
        match self.draining {
            Draining::EachCall => self.take_all(),
            Draining::AtEnd => {}
            Draining::Slowly => {
                self.take_events();
                self.sent.extend(self.machine.pending().first());
                self.machine.consume(self.now, 1);
            }
        }
    }

    fn take_events(&mut self) {
        while let Some(event) = self.machine.poll_event() {
            self.events.push(event);
        }
    }

    fn take_all(&mut self) {
        while !self.machine.pending().is_empty() {
            let written = self.machine.pending().len();
            self.sent.extend_from_slice(self.machine.pending());
            self.machine.consume(self.now, written);
        }
        self.take_events();
    }
}
