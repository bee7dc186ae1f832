//! Files without sockets: two people on a network and with a clock that the test moves, and their
//! folders on the disk.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use msnp_proto::client::{Client, Config, Files, SignIn};
use msnp_proto::hub::{Hub, HubConfig, MemoryDirectory};
use msnp_proto::machine::Target;
use msnp_proto::testing::{HostKey, Net, SeededEntropy};
use msnp_proto::time::Instant;
use msnp_proto::types::Handle;

use super::Policy;
use crate::agent::{Agent, Means};
use crate::args::Until;
use crate::events::{Event, Mark, Marked, Offer, Portion, Transfer, TransferResult as End};
use crate::exit::Exit;
use crate::files::tests::Folder;
use crate::ledger::Ledger;
use crate::script::Action;

fn who(name: &str) -> Handle {
    Handle::new(&format!("{name}@x.y")).expect("an account")
}

/// Bytes that differ from each other.
fn bytes(size: usize) -> Vec<u8> {
    (0..size).map(|at| u8::try_from((at / 251 + at) % 251).expect("below 251")).collect()
}

pub(super) fn names(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(&folder.0).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names
}

/// One who is signed in, and what the program would show.
struct Person {
    key: HostKey<Client>,
    agent: Agent,
    ledger: Ledger,
    shown: Vec<(Instant, Marked)>,
}

struct World {
    net: Net,
    people: [Person; 3],
}

const ALICE: usize = 0;
const BOB: usize = 1;
const EVE: usize = 2;

impl World {
    /// Alice and bob are contacts, eve is nobody's. Bob does this with offers.
    fn new(policy: Policy) -> Self {
        let names = ["alice", "bob", "eve"];
        let accounts = names
            .into_iter()
            .fold(MemoryDirectory::open(), |accounts, name| accounts.open_account(who(name)))
            .contact(&who("alice"), &who("bob"))
            .contact(&who("bob"), &who("alice"));
        let config = HubConfig::new("0.0.0.0:1863".parse().expect("an address"));
        let mut net = Net::new().with_latency(Duration::from_millis(10));
        net.add("server", Hub::new(config, accounts, Box::new(SeededEntropy::new(1))));
        let mut policies = [Policy::Ask, policy, Policy::Ask].into_iter();
        let mut last = 1;
        let people = names.map(|name| {
            last += 1;
            let mut config = Config::new();
            config.files = Some(Files::new(Some([192, 0, 2, last].into())));
            let key = net.add(name, Client::new(config));
            let sign_in =
                SignIn::new(who(name), "".into(), Target { host: "server".into(), port: 1863 });
            net.with(key, |client, now| client.sign_in(now, sign_in)).expect("it is fresh");
            let agent = Agent::new(policies.next().expect("three"));
            Person { key, agent, ledger: Ledger::new(Until::Acked), shown: Vec::new() }
        });
        let mut world = Self { net, people };
        world.pass(Duration::from_secs(1));
        world
    }

    fn with<T>(&mut self, person: usize, act: impl FnOnce(&mut Agent, &mut Means<'_>) -> T) -> T {
        let Person { key, agent, ledger, shown } = &mut self.people[person];
        self.net.with(*key, |client, now| {
            let mut means = Means { now, client, ledger };
            let result = act(agent, &mut means);
            while let Some(report) = agent.poll_report(&mut means) {
                shown.push((now, report.marked));
            }
            result
        })
    }

    fn act(&mut self, person: usize, id: &str, action: &Action) {
        self.with(person, |agent, means| agent.act(means, Mark::of_id(id), action));
    }

    /// Lets so much time go by, a little at a time.
    fn pass(&mut self, time: Duration) {
        let step = Duration::from_millis(10);
        for _ in 0..time.as_millis() / step.as_millis() {
            self.net.advance(step);
            for person in 0..self.people.len() {
                for told in self.net.events(self.people[person].key) {
                    self.with(person, |agent, means| agent.hear(means, &told));
                }
            }
        }
    }

    fn offer(&mut self, from: usize, to: &str, path: &Path) {
        let action = Action::File { to: who(to), path: path.to_owned() };
        self.act(from, "file", &action);
        self.pass(Duration::from_millis(200));
    }

    fn accept(&mut self, person: usize, number: u32, folder: &Folder) {
        let action = Action::Accept { transfer: number, folder: folder.0.clone() };
        self.act(person, "accept", &action);
    }

    /// How all files of somebody ended, each with the name of its command.
    fn ends(&self, person: usize) -> Vec<(Option<String>, Transfer)> {
        let end = |(_, marked): &(Instant, Marked)| match &marked.event {
            Event::Transfer(end) => {
                Some((marked.mark.id.as_deref().map(str::to_owned), (**end).clone()))
            }
            _ => None,
        };
        self.people[person].shown.iter().filter_map(end).collect()
    }

    #[track_caller]
    fn assert_end(&self, person: usize, id: Option<&str>, result: End, exit: Exit) -> Transfer {
        let ends = self.ends(person);
        assert_eq!(ends.len(), 1, "{ends:?}");
        let (marked, end) = ends.into_iter().next().expect("one");
        assert_eq!((marked.as_deref(), end.result), (id, result), "{end:?}");
        assert_eq!(self.people[person].ledger.exit(), exit);
        assert_eq!(self.people[person].agent.pending(), 0);
        end
    }
}

#[test]
fn every_size_arrives_whole() {
    for size in [0, 1, 2045, 2046, 100_000] {
        let (ours, theirs) = (Folder::new(), Folder::new());
        let path = ours.file("a report.bin", &bytes(size), 0o600);
        let mut world = World::new(Policy::Ask);
        world.offer(ALICE, "bob", &path);
        world.accept(BOB, 1, &theirs);
        world.pass(Duration::from_secs(2));
        let sent = world.assert_end(ALICE, Some("file"), End::Complete, Exit::Done);
        let taken = world.assert_end(BOB, Some("accept"), End::Complete, Exit::Done);
        assert_eq!((sent.bytes, sent.of), (size as u64, size as u64));
        assert_eq!((taken.bytes, taken.of), (size as u64, size as u64));
        assert_eq!((sent.to.as_deref(), sent.from), (Some("bob@x.y"), None));
        assert_eq!((taken.from.as_deref(), taken.to), (Some("alice@x.y"), None));
        let at = PathBuf::from(taken.path.expect("it was taken"));
        assert_eq!(at, theirs.0.join("a report.bin"));
        assert!(fs::read(&at).expect("it is there") == bytes(size), "{size}");
        assert_eq!(names(&theirs), ["a report.bin"]);
    }
}

#[test]
fn an_offer_says_what_it_is_and_can_be_declined() {
    let ours = Folder::new();
    let path = ours.file("x.exe", b"abc", 0o600);
    let mut world = World::new(Policy::Ask);
    world.offer(EVE, "bob", &path);
    let (_, offer) = world.people[BOB]
        .shown
        .iter()
        .find(|(_, marked)| matches!(marked.event, Event::Offer(_)))
        .expect("an offer");
    let Event::Offer(offer) = &offer.event else { panic!() };
    assert_eq!((offer.transfer, offer.bytes, offer.known), (1, 3, false));
    assert_eq!((offer.from.as_str(), offer.name.as_str()), ("eve@x.y", "x.exe"));
    assert_eq!(world.people[BOB].agent.pending(), 0, "nobody waits for an offer");
    world.act(BOB, "no", &Action::Decline(1));
    world.pass(Duration::from_secs(1));
    world.assert_end(BOB, Some("no"), End::Declined, Exit::Done);
    let end = world.assert_end(EVE, Some("file"), End::Declined, Exit::Undelivered);
    assert_eq!((end.bytes, end.reason.as_deref()), (0, Some("declined")));
}

#[test]
fn numbers_that_are_none_are_refused() {
    let (ours, theirs) = (Folder::new(), Folder::new());
    let path = ours.file("x", b"abc", 0o600);
    let mut world = World::new(Policy::Ask);
    world.offer(ALICE, "bob", &path);
    let folder = theirs.0.clone();
    for (person, action) in [
        (BOB, Action::Decline(0)),
        (BOB, Action::Decline(2)),
        (BOB, Action::Accept { transfer: 9, folder: folder.clone() }),
        (ALICE, Action::Accept { transfer: 1, folder: folder.clone() }),
        (BOB, Action::Accept { transfer: 1, folder: folder.join("nowhere") }),
    ] {
        world.act(person, "wrong", &action);
        let (_, last) = world.people[person].shown.last().expect("something");
        assert!(matches!(last.event, Event::Refused(_)), "{action:?}: {last:?}");
        assert_eq!(last.mark, Mark::of_id("wrong"));
    }
    // The offer stands all the same, and is taken once.
    world.accept(BOB, 1, &theirs);
    world.accept(BOB, 1, &theirs);
    let (_, last) = world.people[BOB].shown.last().expect("something");
    assert!(matches!(last.event, Event::Refused(_)), "{last:?}");
    world.pass(Duration::from_secs(1));
    assert_eq!(world.ends(BOB).len(), 1);
    assert_eq!(names(&theirs), ["x"]);
}

#[test]
fn what_is_stopped_in_the_middle_leaves_nothing() {
    for stopped_by in [ALICE, BOB] {
        let (ours, theirs) = (Folder::new(), Folder::new());
        let path = ours.file("x", &bytes(20_000_000), 0o600);
        let mut world = World::new(Policy::Ask);
        world.offer(ALICE, "bob", &path);
        world.accept(BOB, 1, &theirs);
        while names(&theirs).is_empty()
            || fs::metadata(theirs.0.join("x.part")).is_ok_and(|meta| meta.len() == 0)
        {
            world.pass(Duration::from_millis(10));
        }
        assert_eq!(names(&theirs), ["x.part"]);
        world.act(stopped_by, "stop", &Action::Decline(1));
        world.pass(Duration::from_secs(1));
        let (other, own, theirs_id) = match stopped_by {
            ALICE => (BOB, "file", "accept"),
            _ => (ALICE, "accept", "file"),
        };
        let end = world.assert_end(stopped_by, Some(own), End::Cancelled, Exit::Done);
        assert!(end.bytes > 0 && end.bytes < end.of, "{end:?}");
        world.assert_end(other, Some(theirs_id), End::CancelledThere, Exit::Undelivered);
        assert!(names(&theirs).is_empty(), "{:?}", names(&theirs));
    }
}

#[test]
fn a_file_that_cannot_be_kept_is_complete_for_nobody() {
    for size in [0, 5, 100_000] {
        let (ours, theirs) = (Folder::new(), Folder::new());
        let path = ours.file("x", &bytes(size), 0o600);
        let mut world = World::new(Policy::Ask);
        world.offer(ALICE, "bob", &path);
        world.accept(BOB, 1, &theirs);
        // What is written goes nowhere from here on, which shows when it is to get its name.
        fs::remove_dir_all(&theirs.0).expect("a folder");
        world.pass(Duration::from_secs(13));
        let end = world.assert_end(BOB, Some("accept"), End::Broken, Exit::Io);
        assert!(end.path.is_none() && end.reason.is_some(), "{end:?}");
        world.assert_end(ALICE, Some("file"), End::Broken, Exit::Retry);
    }
}

#[test]
fn a_file_that_is_another_one_by_now_is_not_sent_in_parts_of_both() {
    let (ours, theirs) = (Folder::new(), Folder::new());
    let path = ours.file("x", &bytes(2_000_000), 0o600);
    let mut world = World::new(Policy::Ask);
    world.offer(ALICE, "bob", &path);
    world.accept(BOB, 1, &theirs);
    let part = theirs.0.join("x.part");
    while fs::metadata(&part).is_ok_and(|meta| meta.len() == 0) {
        world.pass(Duration::from_millis(10));
    }
    let file = fs::File::options().write(true).open(&path).expect("it is there");
    file.write_all_at(b"new", 10).expect("a writable file");
    let later = std::time::SystemTime::now() + Duration::from_secs(5);
    file.set_modified(later).expect("our file");
    world.pass(Duration::from_secs(13));
    let end = world.assert_end(ALICE, Some("file"), End::Broken, Exit::Io);
    assert!(end.reason.is_some_and(|why| why.contains("it was changed while it was sent")));
    assert!(names(&theirs).is_empty());
}

#[test]
fn a_file_that_changes_is_sent_as_it_was_offered_or_not_at_all() {
    let (ours, theirs) = (Folder::new(), Folder::new());
    let path = ours.file("log", &bytes(5000), 0o600);
    let mut world = World::new(Policy::Ask);
    world.offer(ALICE, "bob", &path);
    let file = fs::File::options().write(true).open(&path).expect("it is there");
    file.write_all_at(b"more", 5000).expect("a writable file");
    world.accept(BOB, 1, &theirs);
    world.pass(Duration::from_secs(1));
    world.assert_end(ALICE, Some("file"), End::Complete, Exit::Done);
    assert!(fs::read(theirs.0.join("log")).expect("it is there") == bytes(5000));

    let mut world = World::new(Policy::Ask);
    world.offer(ALICE, "bob", &path);
    file.set_len(3000).expect("a writable file");
    world.accept(BOB, 1, &theirs);
    world.pass(Duration::from_secs(1));
    let end = world.assert_end(ALICE, Some("file"), End::Broken, Exit::Io);
    let reason = end.reason.expect("a reason");
    assert!(reason.contains("became shorter than the 5004 bytes offered"), "{reason}");
    world.assert_end(BOB, Some("accept"), End::CancelledThere, Exit::Undelivered);
    assert_eq!(names(&theirs), ["log"], "that of before");
}

#[test]
fn files_of_contacts_are_taken_and_those_of_others_declined() {
    let (ours, theirs) = (Folder::new(), Folder::new());
    let path = ours.file("x", b"abc", 0o600);
    let from_eve = || vec![who("eve")];
    for (from, named, taken) in [
        (ALICE, vec![], true),
        (ALICE, vec![who("alice")], true),
        (ALICE, from_eve(), false),
        (EVE, vec![], false),
        (EVE, from_eve(), false),
    ] {
        let mut world = World::new(Policy::Take { folder: theirs.0.clone(), from: named });
        world.offer(from, "bob", &path);
        world.pass(Duration::from_secs(1));
        let (result, exit) = match taken {
            true => (End::Complete, Exit::Done),
            false => (End::Declined, Exit::Undelivered),
        };
        world.assert_end(from, Some("file"), result, exit);
        // Nobody asked for it, so nothing of it counts.
        let end = world.assert_end(BOB, None, result, Exit::Done);
        assert_eq!(end.path.is_some(), taken);
    }
    assert_eq!(names(&theirs), ["x", "x (1)"]);
    let mut world = World::new(Policy::Decline);
    world.offer(ALICE, "bob", &path);
    world.pass(Duration::from_secs(1));
    let end = world.assert_end(BOB, None, End::Declined, Exit::Done);
    assert_eq!(end.reason.as_deref(), Some("nobody is here to take files"));
}

#[test]
fn a_file_on_its_way_outlives_the_session() {
    let (ours, theirs) = (Folder::new(), Folder::new());
    let path = ours.file("x", &bytes(5_000_000), 0o600);
    let mut world = World::new(Policy::Ask);
    world.offer(ALICE, "bob", &path);
    let waiting = ours.file("y", b"abc", 0o600);
    world.accept(BOB, 1, &theirs);
    world.pass(Duration::from_millis(200));
    world.offer(ALICE, "bob", &waiting);
    let connections = world.net.connections();
    // Her oldest one is that to the server.
    let session = connections.iter().find(|name| name.starts_with("alice-"));
    world.net.reset(session.expect("she is online"));
    world.pass(Duration::from_secs(10));
    let results = |person: usize| {
        let ends = world.ends(person);
        let mut results: Vec<_> = ends.iter().map(|(_, end)| (end.transfer, end.result)).collect();
        results.sort_by_key(|(transfer, _)| *transfer);
        results
    };
    assert_eq!(results(ALICE), [(1, End::Complete), (2, End::Unreachable)]);
    assert!(results(BOB).contains(&(1, End::Complete)), "{:?}", results(BOB));
    assert!(fs::read(theirs.0.join("x")).expect("it is there") == bytes(5_000_000));
}

#[test]
fn whoever_leaves_declines_and_stops() {
    let (ours, theirs) = (Folder::new(), Folder::new());
    let path = ours.file("x", &bytes(20_000_000), 0o600);
    let mut world = World::new(Policy::Ask);
    world.offer(ALICE, "bob", &path);
    world.offer(EVE, "bob", &path);
    world.accept(BOB, 1, &theirs);
    world.pass(Duration::from_millis(200));
    world.with(BOB, |agent, means| agent.part(means, Exit::Interrupted, "interrupted"));
    assert!(names(&theirs).is_empty());
    let ends = world.ends(BOB);
    assert_eq!(
        ends.iter().map(|(_, end)| end.result).collect::<Vec<_>>(),
        [End::Cancelled, End::Declined]
    );
    assert_eq!(world.people[BOB].ledger.exit(), Exit::Interrupted);
    world.pass(Duration::from_secs(1));
    world.assert_end(ALICE, Some("file"), End::CancelledThere, Exit::Undelivered);
    world.assert_end(EVE, Some("file"), End::Declined, Exit::Undelivered);
    assert_eq!(world.ends(BOB).len(), 2, "each ends once");
}

#[test]
fn how_far_it_is_is_said_once_a_second() {
    let (ours, theirs) = (Folder::new(), Folder::new());
    let path = ours.file("x", &bytes(8_000_000), 0o600);
    let mut world = World::new(Policy::Ask);
    world.offer(ALICE, "bob", &path);
    world.accept(BOB, 1, &theirs);
    while world.ends(ALICE).is_empty() {
        world.pass(Duration::from_millis(100));
    }
    for person in [ALICE, BOB] {
        let told: Vec<(Instant, u64)> = world.people[person]
            .shown
            .iter()
            .filter_map(|(at, marked)| match &marked.event {
                Event::Progress(portion) => Some((*at, portion.bytes)),
                _ => None,
            })
            .collect();
        assert_eq!(told.first().map(|(_, bytes)| *bytes), Some(0));
        for pair in told.windows(2) {
            assert!(pair[1].0 - pair[0].0 >= Duration::from_secs(1), "{told:?}");
            assert!(pair[1].1 > pair[0].1, "{told:?}");
        }
    }
}

#[test]
fn a_chat_is_left_when_its_files_have_ended() {
    let (ours, theirs) = (Folder::new(), Folder::new());
    let path = ours.file("x", b"abc", 0o600);
    let mut world = World::new(Policy::Ask);
    let offer = Action::File { to: who("bob"), path };
    world.act(ALICE, "file", &offer);
    world.act(ALICE, "leave", &Action::Leave(crate::script::Whom::Person(who("bob"))));
    world.pass(Duration::from_secs(1));
    assert_eq!(world.people[ALICE].agent.pending(), 2);
    world.accept(BOB, 1, &theirs);
    world.pass(Duration::from_secs(1));
    world.assert_end(ALICE, Some("file"), End::Complete, Exit::Done);
}

#[test]
fn the_document_names_every_field_and_every_result() {
    let document = include_str!("../../SCRIPTS.md");
    let row = |name: &str| {
        let start = format!("| `{name}` | ");
        // `file` and others are rows of commands too; that of the event comes last.
        document.lines().rev().find(|line| line.starts_with(&start)).unwrap_or_default()
    };
    let (to, from) = (Some(String::new()), Some(String::new()));
    let (portion_to, portion_from) = (to.clone(), from.clone());
    let transfer = |result| {
        Event::Transfer(Box::new(Transfer {
            transfer: 1,
            to: to.clone(),
            from: from.clone(),
            name: String::new(),
            bytes: 0,
            of: 0,
            result,
            code: Some(217),
            reason: Some(String::new()),
            path: Some(String::new()),
            ms: 0,
        }))
    };
    let (name, known) = (String::new(), true);
    let offer = Offer { transfer: 1, from: String::new(), name, bytes: 0, known, chat: 0 };
    let portion = Portion { transfer: 1, to: portion_to, from: portion_from, bytes: 0, of: 0 };
    for event in [Event::Offer(offer), Event::Progress(portion), transfer(End::Complete)] {
        let value = serde_json::to_value(&event).expect("plain values");
        let fields = value.as_object().expect("an object");
        let row = row(fields["type"].as_str().expect("a name"));
        for field in fields.keys().filter(|field| *field != "type") {
            assert!(row.contains(&format!("`{field}`")), "{field}: {row}");
        }
    }
    for result in [
        End::Complete,
        End::Unconfirmed,
        End::Declined,
        End::NotInstalled,
        End::Cancelled,
        End::CancelledThere,
        End::TimedOut,
        End::Unreachable,
        End::NoConnection,
        End::Broken,
    ] {
        let value = serde_json::to_value(transfer(result)).expect("plain values");
        let word = value["result"].as_str().expect("a word");
        assert!(!row(word).is_empty(), "{word}");
    }
}
