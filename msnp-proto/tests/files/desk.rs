//! People on a net of their own with a hub, each with an application that offers, takes and refuses
//! files.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::BTreeMap;

use msnp_proto::client::{
    Client, Config, Event, Files, SignIn, TransferChange, TransferEnd, TransferId,
};
use msnp_proto::hub::{Hub, HubConfig, MemoryDirectory};
use msnp_proto::machine::Target;
use msnp_proto::testing::{Chunking, HostKey, Net, SeededEntropy};
use msnp_proto::time::Duration;
use msnp_proto::types::Handle;

pub(crate) fn handle(name: &str) -> Handle {
    Handle::new(&format!("{name}@example.net")).expect("an account")
}

/// Bytes that differ from each other, so that none can be lost or doubled unseen.
pub(crate) fn file(size: usize) -> Vec<u8> {
    (0..size).map(|at| u8::try_from((at / 251 + at) % 251).expect("below 251")).collect()
}

/// What an application has seen of one file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Seen {
    pub(crate) name: String,
    pub(crate) changes: Vec<&'static str>,
    pub(crate) data: Vec<u8>,
    pub(crate) sent: u64,
    pub(crate) end: Option<TransferEnd>,
}

/// A person and their application.
pub(crate) struct Person {
    pub(crate) key: HostKey<Client>,
    name: &'static str,
    /// Files that are sent, and how much of each was given.
    given: BTreeMap<TransferId, (Vec<u8>, usize)>,
    /// Up to where some of them can be read now.
    readable: BTreeMap<TransferId, usize>,
    /// Nothing more can be kept.
    pub(crate) full: bool,
    pub(crate) seen: BTreeMap<TransferId, Seen>,
    /// All other events.
    pub(crate) others: Vec<Event>,
}

pub(crate) struct Desk {
    pub(crate) net: Net,
    pub(crate) people: Vec<Person>,
    random: u64,
}

pub(crate) const ALICE: usize = 0;
pub(crate) const BOB: usize = 1;
pub(crate) const CAROL: usize = 2;

/// How each person takes part.
pub(crate) type Setting = fn(&mut Config);

impl Desk {
    /// Alice and Bob, who can both be reached.
    pub(crate) fn two() -> Self {
        Self::new(Chunking::Whole, &[|_| {}, |_| {}])
    }

    /// As many of Alice, Bob and Carol as there are settings, all online. They can be reached, unless
    /// a setting says otherwise.
    pub(crate) fn new(chunking: Chunking, settings: &[Setting]) -> Self {
        let mut net = Net::new().with_chunking(chunking);
        let names = ["alice", "bob", "carol"];
        let mut accounts = MemoryDirectory::new();
        for name in names {
            accounts = accounts.account(handle(name), "Pa55word");
        }
        for (name, other) in [("alice", "bob"), ("bob", "alice"), ("carol", "alice")] {
            accounts = accounts.contact(&handle(name), &handle(other));
        }
        let config = HubConfig::new("0.0.0.0:1863".parse().expect("an address"));
        net.add("hub", Hub::new(config, accounts, Box::new(SeededEntropy::new(1))));
        let mut people = Vec::new();
        for (name, set) in names.into_iter().zip(settings) {
            let address = [192, 0, 2, u8::try_from(people.len()).expect("three") + 2].into();
            let mut config = Config::new();
            config.files = Some(Files::new(Some(address)));
            set(&mut config);
            let key = net.add(name, Client::new(config));
            let server = Target { host: "hub".into(), port: 1863 };
            let sign_in = SignIn::new(handle(name), "Pa55word".into(), server);
            net.with(key, |client, now| client.sign_in(now, sign_in)).expect("signed out");
            people.push(Person {
                key,
                name,
                given: BTreeMap::new(),
                readable: BTreeMap::new(),
                full: false,
                seen: BTreeMap::new(),
                others: Vec::new(),
            });
        }
        let mut desk = Self { net, people, random: 0x1234_5678_9abc_def0 };
        desk.settle();
        for person in &desk.people {
            assert!(desk.net.host(person.key).is_online(), "{}", person.name);
        }
        desk
    }

    pub(crate) fn client<R>(
        &mut self,
        who: usize,
        act: impl FnOnce(&mut Client, msnp_proto::time::Instant) -> R,
    ) -> R {
        self.net.with(self.people[who].key, act)
    }

    pub(crate) fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99_991);
        self.random
    }

    /// Offers a file, which the other side hears of.
    pub(crate) fn offer(&mut self, from: usize, to: &str, name: &str, bytes: &[u8]) -> TransferId {
        let random = self.random();
        let size = bytes.len() as u64;
        let offered = self
            .client(from, |client, now| client.offer_file(now, &handle(to), name, size, random));
        let id = offered.expect("online");
        self.people[from].given.insert(id, (bytes.to_vec(), 0));
        self.people[from].seen.entry(id).or_default();
        self.settle();
        id
    }

    pub(crate) fn accept(&mut self, who: usize, id: TransferId) {
        let random = self.random();
        self.client(who, |client, now| client.accept_file(now, id, random)).expect("an offer");
        self.settle();
    }

    /// The only file that somebody has heard of.
    pub(crate) fn only(&self, who: usize) -> TransferId {
        let seen: Vec<_> = self.people[who].seen.keys().collect();
        assert_eq!(seen.len(), 1, "{seen:?}");
        *seen[0]
    }

    pub(crate) fn seen(&self, who: usize, id: TransferId) -> &Seen {
        self.people[who].seen.get(&id).expect("heard of")
    }

    pub(crate) fn end(&self, who: usize, id: TransferId) -> Option<TransferEnd> {
        self.seen(who, id).end
    }

    /// Lets everything happen that needs no time; the applications do their part.
    pub(crate) fn settle(&mut self) {
        loop {
            self.net.settle();
            let mut quiet = true;
            for who in 0..self.people.len() {
                for event in self.net.events(self.people[who].key) {
                    quiet = false;
                    self.take(who, event);
                }
            }
            if quiet {
                return;
            }
        }
    }

    /// Lets time go by, second by second.
    pub(crate) fn wait(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.net.advance(Duration::from_secs(1));
            self.settle();
        }
    }

    fn take(&mut self, who: usize, event: Event) {
        let person = &mut self.people[who];
        match event {
            Event::FileOffered { transfer, name, .. } => {
                let seen = Seen { name, changes: vec!["offered"], ..Seen::default() };
                assert!(person.seen.insert(transfer, seen).is_none(), "{transfer:?} twice");
            }
            Event::Transfer { transfer, change } => {
                let seen = person.seen.get_mut(&transfer).expect("offered before");
                assert_eq!(seen.end, None, "{change:?} after the end");
                match change {
                    TransferChange::Accepted => seen.changes.push("accepted"),
                    TransferChange::Started => seen.changes.push("started"),
                    TransferChange::Sent { bytes } => {
                        assert!(bytes >= seen.sent);
                        seen.sent = bytes;
                    }
                    TransferChange::Data(bytes) => seen.data.extend_from_slice(&bytes),
                    TransferChange::Ended(end) => seen.end = Some(end),
                    TransferChange::Arrived => {
                        seen.changes.push("arrived");
                        let (key, full) = (person.key, person.full);
                        let said = self.net.with(key, |client, now| match full {
                            true => client.fail_file(now, transfer),
                            false => client.finish_file(now, transfer),
                        });
                        said.expect("it has arrived");
                    }
                    TransferChange::Wanted { room } => self.supply(who, transfer, room),
                    _ => {}
                }
            }
            other => person.others.push(other),
        }
    }

    fn supply(&mut self, who: usize, transfer: TransferId, room: usize) {
        let person = &mut self.people[who];
        let readable = person.readable.get(&transfer).copied().unwrap_or(usize::MAX);
        let Some((bytes, given)) = person.given.get_mut(&transfer) else { return };
        let end = bytes.len().min(readable).min(*given + room);
        if end > *given {
            let (key, rest) = (person.key, bytes[*given..end].to_vec());
            let supply = |client: &mut Client, now| client.supply_file(now, transfer, &rest);
            *given += self.net.with(key, supply).expect("it was asked for");
        }
    }

    /// Accepts a file of Alice's, of which she has only so many bytes ready.
    pub(crate) fn accept_and_stall(
        &mut self,
        who: usize,
        id: TransferId,
        sent: TransferId,
        readable: usize,
    ) {
        self.people[ALICE].readable.insert(sent, readable);
        self.accept(who, id);
    }

    /// The rest of the file is ready, too.
    pub(crate) fn go_on(&mut self, who: usize, id: TransferId) {
        self.people[who].readable.clear();
        self.supply(who, id, usize::MAX / 2);
        self.settle();
    }

    /// Lines of an invitation, said in a chat of its own as any client could.
    pub(crate) fn invite(&mut self, from: usize, to: &str, lines: &[&str]) {
        let mut payload =
            "MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsinvite; charset=UTF-8\r\n\r\n"
                .to_owned();
        for line in lines {
            payload.push_str(line);
            payload.push_str("\r\n");
        }
        payload.push_str("\r\n");
        let to = handle(to);
        self.client(from, |client, now| {
            let chat = client.open_chat(now, &to).expect("online");
            let delivery = msnp_proto::types::Delivery::OnFailure;
            client.send_payload(now, chat, payload.as_bytes(), delivery).expect("a payload")
        });
        self.settle();
    }

    /// All that was said of invitations, as `alice>bob CANCEL REJECT` and so on: who, then the
    /// command and what follows it.
    pub(crate) fn said(&self, field: &str) -> Vec<String> {
        let mut said = Vec::new();
        let text = self.net.transcript().to_string();
        for line in text.lines() {
            let mut words = line.split_whitespace().skip(1);
            let (Some(conn), Some("C:")) = (words.next(), words.next()) else { continue };
            let rest: Vec<&str> = words.collect();
            if rest.first() == Some(&field) {
                let who = conn.split('-').next().unwrap_or(conn);
                said.push(format!("{who} {}", rest[1..].join(" ")));
            }
        }
        said
    }
}
