//! The directory in a file against the one in memory, and what happens when it cannot write.

use msnp_proto::client::{self, Client, RequestId, SignIn};
use msnp_proto::error::Misuse;
use msnp_proto::hub::{Contact, Edit, GroupSet, Hub, HubConfig};
use msnp_proto::machine::Target;
use msnp_proto::secret::Secret;
use msnp_proto::testing::{HostKey, Net, SeededEntropy};
use msnp_proto::time::Instant;
use msnp_proto::types::{GroupId, List, Lists, Nick, Privacy, Prompt, Property};

use super::*;
use crate::files::tests::Folder;

fn handle(text: &str) -> Handle {
    Handle::new(text).expect("an account")
}

fn nick(text: &str) -> Nick {
    Nick::new(text).expect("a name")
}

fn open(folder: &Folder, purpose: Purpose) -> SqliteDirectory {
    let file = SqliteDirectory::open(&folder.0.join("data"), purpose).expect("a writable folder");
    // Nobody pulls the plug while we test.
    file.db.pragma_update(None, "synchronous", "off").expect("a word");
    file
}

fn secret() -> Secret {
    Secret::from("geheim")
}

/// Numbers that are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) % end
    }

    fn one_of<T: Clone>(&mut self, from: &[T]) -> T {
        let place = usize::try_from(self.below(from.len() as u64)).expect("a small number");
        from.get(place).expect("below the length").clone()
    }
}

const PEOPLE: [&str; 5] =
    ["ann@example.net", "Bob@Example.net", "cid@example.net", "_d@example.net", "ghost@x.y"];
const NAMES: [&str; 4] = ["A", "\u{1f600} %41 \u{0}\n", "'; DROP TABLE account; --", "B b"];

fn any_name(dice: &mut Dice) -> Nick {
    nick(dice.one_of(&NAMES))
}

fn any_edit(dice: &mut Dice) -> Edit {
    let who = {
        let text = dice.one_of(&PEOPLE);
        if dice.below(2) == 0 { handle(text) } else { handle(&text.to_uppercase()) }
    };
    let text = || Some("+49 30 \u{e9}".into());
    match dice.below(10) {
        0 => Edit::Name(any_name(dice)),
        1 => Edit::Privacy(dice.one_of(&[Privacy::AllowOthers, Privacy::BlockOthers])),
        2 => Edit::Prompt(dice.one_of(&[Prompt::Ask, Prompt::Never])),
        3 => {
            let property = dice.one_of(Property::ALL);
            let yes: Option<Box<str>> = Some("Y".into());
            Edit::Property(property, dice.one_of(&[None, text(), yes]))
        }
        4 => Edit::Group(GroupId(u32::try_from(dice.below(30)).expect("small")), None),
        5 => {
            let group = GroupId(u32::try_from(dice.below(30)).expect("small"));
            Edit::Group(group, Some(any_name(dice)))
        }
        6 => Edit::Reversed(who, any_name(dice)),
        7 => Edit::Unreversed(who),
        8 => Edit::ContactProperties,
        _ => {
            let lists = List::ALL.iter().copied().filter(|_| dice.below(2) == 0);
            let lists = lists.fold(Lists::NONE, Lists::with);
            let groups = (0..30).map(GroupId).filter(|_| dice.below(4) == 0);
            let groups = groups.fold(GroupSet::default(), GroupSet::with);
            Edit::Contact(Contact { name: any_name(dice), lists, groups, ..Contact::new(who) })
        }
    }
}

/// An account but for its number, which each home counts for itself.
fn whole(home: &mut impl Directory, who: &Handle) -> Result<Option<Record>, DirectoryError> {
    let mut record = home.load(who)?;
    record.iter_mut().for_each(|record| record.identity = 0);
    Ok(record)
}

#[test]
fn it_does_what_the_one_in_memory_does() {
    for seed in 0..20 {
        let mut dice = Dice(seed);
        let folder = Folder::new();
        let mut file = open(&folder, Purpose::ManageOrMake);
        let mut memory = MemoryDirectory::new();
        for who in PEOPLE.iter().take(4).map(|text| handle(text)) {
            memory.insert(who.clone(), Password::Is(secret()));
            rows::insert(&file.db, &Record::new(who), "geheim").expect("a new account");
        }
        for round in 0..40 {
            let changes: Vec<(Handle, Handle, Edit)> = (0..dice.below(6))
                .map(|_| {
                    // Some of an account that there is not, or by one.
                    let (by, account) = (dice.one_of(&PEOPLE), dice.one_of(&PEOPLE));
                    (handle(by), handle(account), any_edit(&mut dice))
                })
                .collect();
            let in_file = of_home(&mut file, &changes);
            let in_memory = of_home(&mut memory, &changes);
            assert_eq!(file.commit(&in_file), memory.commit(&in_memory));
            if round % 16 == 0 {
                drop(file);
                file = open(&folder, Purpose::Manage);
            }
            for (who, viewer) in PEOPLE.iter().zip(PEOPLE.iter().rev()) {
                let (who, viewer) = (handle(&who.to_uppercase()), handle(viewer));
                let (in_file, in_memory) = (whole(&mut file, &who), whole(&mut memory, &who));
                assert_eq!(in_file, in_memory, "seed {seed}, round {round}");
                let loaded = file.load(&who).expect("readable").map(|record| record.identity);
                assert_eq!(file.identity(&who), Ok(loaded));
                assert_eq!(file.exists(&who), memory.exists(&who));
                assert_eq!(file.password(&who), memory.password(&who));
                assert_eq!(file.properties(&who, &viewer), memory.properties(&who, &viewer));
            }
        }
        assert_eq!(file.trouble(), None);
    }
}

/// Changes as a hub would make them that has its accounts from there.
fn of_home(home: &mut impl Directory, changes: &[(Handle, Handle, Edit)]) -> Vec<Change> {
    let mut all = Vec::new();
    for (by, account, edit) in changes {
        let by = home.identity(by).expect("readable").unwrap_or(u64::MAX);
        all.push(Change { by, account: account.clone(), edit: edit.clone() });
    }
    all
}

fn befriend(home: &mut impl Directory, who: &str, other: &str) -> [Change; 2] {
    let (who, other) = (handle(who), handle(other));
    let by = home.identity(&who).expect("readable").expect("an account");
    let lists = Lists::NONE.with(List::Forward).with(List::Allow);
    let contact = Contact { lists, ..Contact::new(other.clone()) };
    [
        Change { by, account: who.clone(), edit: Edit::Contact(contact) },
        Change { by, account: other, edit: Edit::Reversed(who.clone(), Nick::of_handle(&who)) },
    ]
}

#[test]
fn what_finds_no_room_is_refused_whole_and_reading_goes_on() {
    let folder = Folder::new();
    let mut file = open(&folder, Purpose::ManageOrMake);
    let mut memory = MemoryDirectory::new();
    let names: Vec<String> = (0..400).map(|number| format!("{number}@example.net")).collect();
    for name in &names {
        memory.insert(handle(name), Password::Is(secret()));
        let record = Record::new(handle(name));
        file.transact(|db| rows::insert(db, &record, "geheim")).expect("room yet");
    }
    let pages: i64 =
        file.db.pragma_query_value(None, "page_count", |row| row.get(0)).expect("a number");
    file.db
        .pragma_update_and_check(None, "max_page_count", pages + 2, |_| Ok(()))
        .expect("a number");
    let first = names.first().expect("a name");
    let mut refused = 0;
    for other in names.iter().skip(1) {
        let changes = befriend(&mut file, first, other);
        match file.commit(&changes) {
            Ok(()) => {
                let changes = befriend(&mut memory, first, other);
                memory.commit(&changes).expect("memory takes all");
            }
            Err(why) => {
                assert_eq!(why, DirectoryError::NotWritten);
                assert_eq!(file.trouble(), Some("database or disk is full"));
                refused += 1;
            }
        }
        assert_eq!(whole(&mut file, &handle(first)), whole(&mut memory, &handle(first)));
        assert_eq!(whole(&mut file, &handle(other)), whole(&mut memory, &handle(other)));
    }
    assert!(refused > 10 && refused < 390, "{refused}");
    file.db.pragma_update_and_check(None, "max_page_count", 1 << 30, |_| Ok(())).expect("a number");
    let last = names.last().expect("a name");
    let changes = befriend(&mut file, last, first);
    assert_eq!(file.commit(&changes), Ok(()));
    let changes = befriend(&mut memory, last, first);
    memory.commit(&changes).expect("memory takes all");
    assert_eq!(whole(&mut file, &handle(first)), whole(&mut memory, &handle(first)));
}

#[test]
fn a_damaged_row_is_an_error_and_no_panic() {
    let folder = Folder::new();
    let mut file = open(&folder, Purpose::ManageOrMake);
    let ann = handle("ann@example.net");
    file.add(&ann, None, &secret()).expect("a new account");
    for damage in ["version = -1", "privacy = 'XX'", "prompt = ''"] {
        file.db.execute_batch(&format!("SAVEPOINT s; UPDATE account SET {damage}")).expect("SQL");
        assert_eq!(file.load(&ann), Err(DirectoryError::Unavailable), "{damage}");
        assert!(file.trouble().is_some());
        file.db.execute_batch("ROLLBACK TO s; RELEASE s").expect("SQL");
    }
    assert!(matches!(file.load(&ann), Ok(Some(_))));
}

#[test]
fn accounts_come_and_go_beside_a_server() {
    let folder = Folder::new();
    let mut server = open(&folder, Purpose::Serve);
    let mut manager = open(&folder, Purpose::Manage);
    let (ann, bob) = (handle("ann@example.net"), handle("bob@example.net"));
    assert_eq!(manager.add(&ann, None, &secret()), Ok(()));
    assert_eq!(manager.add(&bob, Some(&nick("Bob")), &secret()), Ok(()));
    assert_eq!(manager.add(&handle("BOB@example.net"), None, &secret()), Err(Unmanaged::There));
    assert_eq!(server.password(&ann), Ok(Some(Password::Is(secret()))));
    assert_eq!(manager.set_password(&ann, &Secret::from("neu")), Ok(()));
    assert_eq!(server.password(&ann), Ok(Some(Password::Is(Secret::from("neu")))));
    let hers = befriend(&mut server, "ann@example.net", "bob@example.net");
    let his = befriend(&mut server, "bob@example.net", "ann@example.net");
    let mutual: Vec<Change> = hers.into_iter().chain(his).collect();
    assert_eq!(server.commit(&mutual), Ok(()));

    let before = server.load(&bob).expect("readable").expect("there");
    assert_eq!(manager.remove(&ann), Ok(()));
    assert_eq!(manager.remove(&ann), Err(Unmanaged::Unknown));
    assert_eq!(manager.set_password(&ann, &secret()), Err(Unmanaged::Unknown));
    let listed = manager.list().expect("readable");
    let listed: Vec<_> = listed.iter().map(|one| (one.account.as_str(), one.contacts)).collect();
    assert_eq!(listed, [("bob@example.net", 1)]);
    assert_eq!(server.exists(&ann), Ok(false));
    let lists = |server: &mut SqliteDirectory, who: &Handle, other: &Handle| {
        let record = server.load(who).expect("readable").expect("there");
        let lists = record.contact(other).map(|contact| contact.lists);
        (lists.unwrap_or(Lists::NONE).iter().collect::<Vec<_>>(), record.version)
    };
    // Bob keeps the entry; Ann does not have him any more, and his version says so.
    let (now, version) = lists(&mut server, &bob, &ann);
    assert_eq!(now, [List::Forward, List::Allow]);
    assert_eq!(version.0, before.version.0 + 1);

    // Ann again, and bob has her as before.
    assert_eq!(manager.add(&ann, None, &secret()), Ok(()));
    let (now, _) = lists(&mut server, &ann, &bob);
    assert_eq!(now, [List::Reverse]);
}

#[test]
fn an_account_made_anew_is_another_one() {
    let folder = Folder::new();
    let mut server = open(&folder, Purpose::Serve);
    let mut manager = open(&folder, Purpose::Manage);
    let ann = handle("ann@example.net");
    manager.add(&ann, None, &secret()).expect("a new account");
    let first = server.identity(&ann).expect("readable");
    // A number that a file of an earlier version may have.
    let renumber = "BEGIN; PRAGMA defer_foreign_keys = 1; UPDATE account SET id = 1;
        UPDATE \"group\" SET owner = 1; COMMIT";
    manager.db.execute_batch(renumber).expect("SQL");
    assert_eq!(server.identity(&ann), Ok(Some(1)));
    assert_eq!(manager.remove(&ann), Ok(()));
    assert_eq!(server.identity(&ann), Ok(None));
    manager.add(&ann, None, &secret()).expect("a new account");
    let second = server.identity(&ann).expect("readable");
    assert!(second > first && first > Some(1), "{first:?} {second:?}");

    let mut desk = Desk::new(Accounts::File(Box::new(server)));
    assert_eq!(manager.remove(&ann), Ok(()));
    assert_eq!(manager.add(&ann, None, &Secret::from("of another")), Ok(()));
    let before = manager.load(&ann);
    desk.net.events(desk.ann);
    let asked = desk.net.with(desk.ann, |client, now| client.add_group(now, &nick("Mine")));
    asked.expect("a request");
    desk.net.settle();
    let events = desk.net.events(desk.ann);
    let is_lost = |event: &client::Event| matches!(event, client::Event::Lost { .. });
    assert!(events.iter().any(is_lost), "{events:?}");
    assert_eq!(manager.load(&ann), before);
}

#[test]
fn a_file_that_is_in_use_for_long_is_an_error_in_time() {
    let folder = Folder::new();
    let mut server = open(&folder, Purpose::Serve);
    let mut manager = open(&folder, Purpose::Manage);
    let ann = handle("ann@example.net");
    manager.add(&ann, None, &secret()).expect("a new account");
    let changes = befriend(&mut server, "ann@example.net", "ann@example.net");
    manager.db.execute_batch("BEGIN IMMEDIATE").expect("nobody else");
    server.db.busy_timeout(std::time::Duration::from_millis(1)).expect("a time");
    assert_eq!(server.commit(&changes), Err(DirectoryError::NotWritten));
    assert_eq!(server.trouble(), Some("database is locked"));
    assert!(matches!(server.load(&ann), Ok(Some(_))));
    manager.db.execute_batch("ROLLBACK").expect("open");
    assert_eq!(server.commit(&changes), Ok(()));
}

/// A hub with Ann and Bob, whom she has as a contact in no group, and a client of hers.
struct Desk {
    net: Net,
    ann: HostKey<Client>,
}

impl Desk {
    fn new(accounts: Accounts) -> Self {
        let mut net = Net::new();
        let config = HubConfig::new("0.0.0.0:1863".parse().expect("an address"));
        net.add("hub", Hub::new(config, accounts, Box::new(SeededEntropy::new(1))));
        let ann = net.add("ann", Client::new(client::Config::new()));
        let mut desk = Self { net, ann };
        desk.sign_in();
        desk
    }

    /// The lists come anew, all of them.
    fn sign_in(&mut self) {
        self.net.settle();
        let server = Target { host: "hub".into(), port: 1863 };
        let sign_in = SignIn::new(handle("ann@example.net"), secret(), server);
        self.net.with(self.ann, |client, now| client.sign_in(now, sign_in)).expect("signed out");
        self.net.settle();
        assert!(self.net.host(self.ann).is_online(), "{:?}", self.net.events(self.ann));
    }

    /// Asks for something, which is granted, and returns the groups that Bob is in then. A sign-in
    /// without a roster says the same as the one that the answers have made.
    fn ask(
        &mut self,
        ask: impl FnOnce(&mut Client, Instant) -> Result<RequestId, Misuse>,
    ) -> Vec<u32> {
        self.net.events(self.ann);
        let request = self.net.with(self.ann, ask).expect("a request");
        self.net.settle();
        let events = self.net.events(self.ann);
        assert!(events.contains(&client::Event::Done { request }), "{events:?}");
        let known = self.net.host(self.ann).roster().clone();
        self.net.with(self.ann, Client::sign_out);
        self.sign_in();
        assert_eq!(*self.net.host(self.ann).roster(), known);
        let bob = known.contact(&handle("bob@example.net"));
        bob.map_or_else(Vec::new, |bob| bob.groups().iter().map(|group| group.0).collect())
    }
}

const NONE: [u32; 0] = [];

#[test]
fn hub_and_client_agree_on_groups_after_each_step() {
    let folder = Folder::new();
    let mut file = open(&folder, Purpose::Serve);
    for who in ["ann@example.net", "bob@example.net"] {
        file.add(&handle(who), None, &secret()).expect("a new account");
    }
    let changes = befriend(&mut file, "ann@example.net", "bob@example.net");
    file.commit(&changes).expect("room");
    let (ann, bob) = (handle("ann@example.net"), handle("bob@example.net"));
    let memory = MemoryDirectory::new()
        .account(ann.clone(), secret())
        .account(bob.clone(), secret())
        .contact(&ann, &bob);
    for accounts in [Accounts::Memory(memory), Accounts::File(Box::new(file))] {
        let mut desk = Desk::new(accounts);
        let group = GroupId;
        assert_eq!(desk.ask(|ann, now| ann.add_group(now, &nick("One"))), [0]);
        assert_eq!(desk.ask(|ann, now| ann.add_group(now, &nick("Two"))), [0]);
        // Out of the group for all others, as the client of 2001 does it.
        assert_eq!(desk.ask(|ann, now| ann.move_contact(now, &bob, group(0), group(1))), [1]);
        assert_eq!(desk.ask(|ann, now| ann.copy_contact(now, &bob, group(2))), [1, 2]);
        assert_eq!(desk.ask(|ann, now| ann.copy_contact(now, &bob, group(0))), [0, 1, 2]);
        assert_eq!(desk.ask(|ann, now| ann.take_from_group(now, &bob, group(1))), [0, 2]);
        assert_eq!(desk.ask(|ann, now| ann.take_from_group(now, &bob, group(0))), [2]);
        assert_eq!(desk.ask(|ann, now| ann.move_contact(now, &bob, group(2), group(0))), [0]);
        assert_eq!(desk.ask(|ann, now| ann.move_contact(now, &bob, group(0), group(1))), [1]);
        // Out of the last one.
        assert_eq!(desk.ask(|ann, now| ann.take_from_group(now, &bob, group(1))), [0]);
        assert_eq!(desk.ask(|ann, now| ann.copy_contact(now, &bob, group(2))), [0, 2]);
        assert_eq!(desk.ask(|ann, now| ann.remove_group(now, group(2))), [0]);
        assert_eq!(desk.ask(|ann, now| ann.move_contact(now, &bob, group(0), group(1))), [1]);
        assert_eq!(desk.ask(|ann, now| ann.remove_group(now, group(1))), [0]);
        assert_eq!(desk.ask(|ann, now| ann.remove_contact(now, &bob)), NONE);
        assert_eq!(desk.ask(|ann, now| ann.add_contact(now, &bob, None, None)), [0]);
        assert_eq!(desk.ask(|ann, now| ann.remove_contact(now, &bob)), NONE);
        assert_eq!(desk.ask(|ann, now| ann.add_group(now, &nick("Three"))), NONE);
        let added = desk.ask(|ann, now| ann.add_contact(now, &bob, None, Some(group(1))));
        assert_eq!(added, [1]);
    }
}
