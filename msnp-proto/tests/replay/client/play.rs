//! Plays a dialogue with clients: one for each session that the file has.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use msnp_proto::client::{ChatId, Event};
use msnp_proto::machine::{ConnId, Host};
use msnp_proto::ns::Reply;
use msnp_proto::testing::{Chunker, Chunking, Cutter, OwnedFrame, Role, What};
use msnp_proto::time::Instant;
use msnp_proto::transcript::Side;
use msnp_proto::types::Handle;
use msnp_proto::wire::Parsed;

use super::actor::Actor;
use super::commands::{Told, tell};
use crate::stage::{Found, Kind, Script};

/// What came of a play.
pub(crate) struct Played {
    /// On each connection.
    pub(crate) said: Vec<Vec<u8>>,
    /// By all clients, one after the other.
    pub(crate) events: Vec<Event>,
    /// Where the client left the file: how, on which connection, and what was said.
    pub(crate) differences: Vec<Found>,
    /// What was heard on each connection.
    pub(crate) heard: Vec<Vec<u8>>,
}

/// Plays a dialogue. The servers' bytes of one connection, or of all, are cut as asked.
pub(crate) fn play(script: &Script, cut: Option<usize>, chunking: Chunking) -> Played {
    let wires = script.dialogues.iter().zip(0..).map(|(dialogue, at)| {
        let whole = cut.is_some_and(|cut| cut != at);
        Wire::new(dialogue.role, if whole { Chunking::Whole } else { chunking })
    });
    let wires = wires.collect();
    let mut play =
        Play { script, wires, actors: Vec::new(), now: Instant::ZERO, differences: Vec::new() };
    play.run();
    Played {
        said: play.wires.iter().map(|wire| wire.all.clone()).collect(),
        events: play.actors.into_iter().flat_map(|actor| actor.events).collect(),
        differences: play.differences,
        heard: play.wires.into_iter().map(|wire| wire.heard).collect(),
    }
}

pub(super) struct Play<'s> {
    pub(super) script: &'s Script,
    pub(super) actors: Vec<Actor>,
    pub(super) wires: Vec<Wire>,
    pub(super) now: Instant,
    differences: Vec<Found>,
}

/// A connection of the file.
pub(super) struct Wire {
    /// Whose it is and its id there, once it has begun.
    pub(super) party: Option<(usize, ConnId)>,
    pub(super) over: bool,
    pub(super) chat: Option<ChatId>,
    cutter: Cutter,
    chunker: Chunker,
    /// What the client has not heard yet.
    input: Vec<u8>,
    heard: Vec<u8>,
    /// What the client said and the file did not yet.
    said: VecDeque<OwnedFrame>,
    all: Vec<u8>,
    /// What the file said and the client did not yet.
    owed: Vec<OwnedFrame>,
    /// Ids of commands that the client does not say.
    skipped: BTreeSet<u32>,
    /// The file's ids and the client's.
    numbers: BTreeMap<u32, u32>,
}

impl Wire {
    fn new(role: Role, chunking: Chunking) -> Self {
        Self {
            party: None,
            over: false,
            chat: None,
            cutter: Cutter::new(role.decoder(Side::Client)),
            chunker: Chunker::new(chunking),
            input: Vec::new(),
            heard: Vec::new(),
            said: VecDeque::new(),
            all: Vec::new(),
            owed: Vec::new(),
            skipped: BTreeSet::new(),
            numbers: BTreeMap::new(),
        }
    }

    fn learn(&mut self, frame: &OwnedFrame, said: &OwnedFrame) {
        if let (Some(number), Some(own)) = (frame.number(), said.number()) {
            self.numbers.insert(number, own);
        }
    }
}

fn same_verb(a: &OwnedFrame, b: &OwnedFrame) -> bool {
    a.frame().word() == b.frame().word()
}

pub(super) fn handle(text: &str) -> Handle {
    Handle::new(text).unwrap_or_else(|| panic!("{text} is no account"))
}

impl Play<'_> {
    fn run(&mut self) {
        let script = self.script;
        for (at, step) in &script.steps {
            if let Some(time) = step.time.filter(|time| *time > self.now) {
                self.flush();
                self.advance(time);
            }
            if self.wires.iter().zip(0..).any(|(wire, of)| of != *at && !wire.input.is_empty()) {
                self.flush();
            }
            match (&step.what, step.side) {
                (What::Frame(frame), Side::Client) => {
                    self.flush();
                    self.open(*at);
                    self.mine(*at, frame);
                }
                (What::Frame(frame), Side::Server) => {
                    self.open(*at);
                    self.theirs(*at, frame);
                }
                (What::Rest(bytes), Side::Server) => {
                    self.wires[*at].input.extend_from_slice(bytes);
                }
                (What::Close, Side::Server) => {
                    self.flush();
                    let wire = &self.wires[*at];
                    if let Some((actor, conn)) = wire.party.filter(|_| !wire.over) {
                        self.actors[actor].client.handle_eof(self.now, conn);
                        self.settle();
                    }
                }
                (What::Rest(_) | What::Close, Side::Client) => {}
            }
        }
        self.flush();
        for at in 0..self.wires.len() {
            let wire = &mut self.wires[at];
            for frame in std::mem::take(&mut wire.owed) {
                self.differ(Kind::NotSaid, at, &frame);
            }
            for frame in std::mem::take(&mut self.wires[at].said) {
                self.differ(Kind::Beyond, at, &frame);
            }
        }
    }

    fn differ(&mut self, kind: Kind, at: usize, frame: &OwnedFrame) {
        let text = frame.raw().escape_ascii().to_string();
        self.differences.push((kind, self.script.conn_name(at).to_owned(), text));
    }

    /// Hands over what waits.
    fn flush(&mut self) {
        for at in 0..self.wires.len() {
            let wire = &mut self.wires[at];
            let input = std::mem::take(&mut wire.input);
            let mut rest = input.as_slice();
            while let (false, Some((actor, conn))) = (rest.is_empty(), self.wires[at].party) {
                if self.wires[at].over {
                    break;
                }
                let (piece, after) = rest.split_at(self.wires[at].chunker.next(rest.len()));
                self.wires[at].heard.extend_from_slice(piece);
                self.actors[actor].client.handle_input(self.now, conn, piece);
                self.settle();
                rest = after;
            }
        }
        self.settle();
    }

    /// Takes everything that the clients have put out.
    pub(super) fn settle(&mut self) {
        for actor in 0..self.actors.len() {
            self.actors[actor].collect();
            self.usher(actor);
        }
        for at in 0..self.wires.len() {
            let Some((actor, conn)) = self.wires[at].party.filter(|_| !self.wires[at].over) else {
                continue;
            };
            let Actor { client, .. } = &mut self.actors[actor];
            while !client.pending(conn).is_empty() {
                let bytes = client.pending(conn).to_vec();
                client.consume(self.now, conn, bytes.len());
                let wire = &mut self.wires[at];
                wire.all.extend_from_slice(&bytes);
                for frame in wire.cutter.push(&bytes).expect("the client speaks the protocol") {
                    match wire.owed.iter().position(|owed| same_verb(owed, &frame)) {
                        Some(place) => {
                            let owed = wire.owed.remove(place);
                            wire.learn(&owed, &frame);
                            if Some(frame.renumbered(owed.number().unwrap_or(0)))
                                != Some(owed.raw().to_vec())
                            {
                                self.differences.push((
                                    Kind::Otherwise,
                                    self.script.conn_name(at).to_owned(),
                                    frame.raw().escape_ascii().to_string(),
                                ));
                            }
                        }
                        None => wire.said.push_back(frame),
                    }
                }
            }
            self.actors[actor].collect();
            self.wires[at].over = self.actors[actor].close(self.now, conn);
        }
    }

    /// Lets the usher of a client answer.
    fn usher(&mut self, actor: usize) {
        let now = self.now;
        let Actor { client, usher, .. } = &mut self.actors[actor];
        let Some(usher) = usher else { return };
        loop {
            let said = String::from_utf8_lossy(client.pending(usher.conn)).into_owned();
            if said.is_empty() {
                break;
            }
            client.consume(now, usher.conn, said.len());
            let answers = usher.answer(&said);
            client.handle_input(now, usher.conn, answers.as_bytes());
        }
        self.actors[actor].collect();
    }

    fn advance(&mut self, to: Instant) {
        let due = |play: &Self| {
            let due = play.actors.iter().filter_map(|actor| actor.client.next_deadline()).min();
            due.filter(|due| *due <= to)
        };
        while let Some(due) = due(self) {
            self.now = self.now.max(due);
            for actor in &mut self.actors {
                actor.client.handle_timeout(self.now);
            }
            self.settle();
        }
        self.now = to;
    }

    /// The file has a command.
    fn mine(&mut self, at: usize, frame: &OwnedFrame) {
        self.settle();
        if self.take_said(at, frame) {
            return;
        }
        let told = match self.wires[at].party.filter(|_| !self.wires[at].over) {
            None => Told::Not,
            Some((actor, conn)) => {
                let with = self.chat_to_come(at);
                let (chat, role) = (self.wires[at].chat, self.script.dialogues[at].role);
                let now = self.now;
                tell(&mut self.actors[actor], conn, now, (role, chat, with), frame.frame())
            }
        };
        self.settle();
        if self.take_said(at, frame) {
            return;
        }
        match told {
            Told::ByItself => self.wires[at].owed.push(frame.clone()),
            Told::Said | Told::Not => {
                self.wires[at].skipped.extend(frame.number());
                self.differ(Kind::NotSaid, at, frame);
            }
        }
    }

    /// Whom a switchboard that is asked for now is for: who is called on the next one.
    fn chat_to_come(&self, at: usize) -> Handle {
        let account = self.account(at);
        let next = (0..self.wires.len()).find(|other| {
            self.wires[*other].party.is_none()
                && !self.wires[*other].over
                && self.script.dialogues[*other].role == Role::Switchboard
                && self.account(*other) == account
        });
        next.map_or_else(|| handle("bob@example.net"), |next| self.callee(next))
    }

    /// Looks for a command among what the client has said.
    fn take_said(&mut self, at: usize, frame: &OwnedFrame) -> bool {
        let wire = &mut self.wires[at];
        let Some(place) = wire.said.iter().position(|said| same_verb(said, frame)) else {
            return false;
        };
        let Some(said) = wire.said.remove(place) else { return false };
        wire.learn(frame, &said);
        let exact = self.script.dialogues[at].exact;
        let alike = match (exact, frame.number()) {
            (true, _) => place == 0 && said.raw() == frame.raw(),
            (false, Some(number)) => said.renumbered(number) == frame.raw(),
            (false, None) => said.raw() == frame.raw(),
        };
        if !alike {
            self.differ(Kind::Otherwise, at, &said);
        }
        true
    }

    /// The file has something that a server says.
    fn theirs(&mut self, at: usize, frame: &OwnedFrame) {
        let Some((actor, _)) = self.wires[at].party.filter(|_| !self.wires[at].over) else {
            return;
        };
        if let Ok(Parsed::Command(
            Reply::XfrSwitchboard { address, .. } | Reply::Rng { address, .. },
            _,
        )) = Reply::parse(frame.frame())
        {
            self.actors[actor].switchboards.push(address.to_target());
        }
        let Some(number) = frame.answers() else {
            self.wires[at].input.extend_from_slice(frame.raw());
            return;
        };
        if self.wires[at].skipped.contains(&number) {
            return;
        }
        if self.wires[at].owed.iter().any(|owed| owed.number() == Some(number)) {
            self.flush();
            let owed = &mut self.wires[at].owed;
            if let Some(place) = owed.iter().position(|owed| owed.number() == Some(number)) {
                let owed = owed.remove(place);
                self.wires[at].skipped.insert(number);
                return self.differ(Kind::NotSaid, at, &owed);
            }
        }
        let wire = &mut self.wires[at];
        let own = wire.numbers.get(&number).copied().unwrap_or(number);
        wire.input.extend_from_slice(&frame.renumbered(own));
    }
}
