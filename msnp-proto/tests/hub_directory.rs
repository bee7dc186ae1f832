//! A directory that cannot be asked: people hear that, nothing is changed, and those who are there
//! go on talking.

mod hub_support;

use std::cell::Cell;
use std::rc::Rc;

use hub_support::{World, config, handle, md5_hex, three};
use msnp_proto::hub::{
    Change, Directory, DirectoryError, Edit, Event, Hub, MemoryDirectory, Password, Record, Role,
};
use msnp_proto::types::{Handle, List, Nick, Property};

/// Accounts in memory that cannot be read for a while. What has a default is left to it.
struct Flaky {
    accounts: MemoryDirectory,
    down: Rc<Cell<bool>>,
}

impl Flaky {
    fn check(&self) -> Result<(), DirectoryError> {
        match self.down.get() {
            true => Err(DirectoryError::Unavailable),
            false => Ok(()),
        }
    }
}

impl Directory for Flaky {
    fn password(&mut self, who: &Handle) -> Result<Option<Password>, DirectoryError> {
        self.check()?;
        self.accounts.password(who)
    }

    fn load(&mut self, who: &Handle) -> Result<Option<Record>, DirectoryError> {
        self.check()?;
        self.accounts.load(who)
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), DirectoryError> {
        self.accounts.commit(changes)
    }
}

/// A hub whose directory is chosen at run time, and the switch that makes it fail.
fn world() -> (World<Box<dyn Directory>>, Rc<Cell<bool>>) {
    let down = Rc::new(Cell::new(false));
    let directory = Flaky { accounts: three(), down: Rc::clone(&down) };
    (World::with_directory(config(), Box::new(directory)), down)
}

const FAILED: DirectoryError = DirectoryError::Unavailable;

#[test]
fn who_signs_in_hears_that_the_directory_is_not_there_and_can_try_again() {
    let (mut w, down) = world();
    let conn = w.connect(Role::Notification);
    w.ask(conn, "VER 1 MSNP7");
    let challenge = w.challenge(conn, "alice@example.net");
    down.set(true);
    let digest = md5_hex(&[&challenge, "Pa55word"]);
    assert_eq!(w.ask(conn, &format!("USR 3 MD5 S {digest}")), ["603 3"]);
    assert!(w.is_closed(conn));
    let failed = |event: &Event| matches!(event, Event::DirectoryFailed { conn: of, why: FAILED } if *of == conn);
    assert!(w.events.iter().any(failed), "{:?}", w.events);
    assert_eq!(w.hub.people(), 0);
    down.set(false);
    w.sign_in("alice@example.net", "MSNP7");
    assert_eq!(w.hub.people(), 1);
}

#[test]
fn a_change_is_refused_whether_oneself_or_the_other_cannot_be_looked_up() {
    let (mut w, down) = world();
    let alice = w.online("alice@example.net");
    let before = w.hub.directory_mut().load(&handle("alice@example.net"));
    w.events.clear();
    down.set(true);
    assert_eq!(w.ask(alice, "GTC 1 N"), ["501 1"]);
    assert_eq!(w.ask(alice, "ADD 2 AL carol@example.net Carol"), ["501 2"]);
    let failed = Event::DirectoryFailed { conn: alice, why: FAILED };
    assert_eq!(w.events, [failed.clone(), failed]);
    assert_eq!(w.ask(alice, "PNG"), ["QNG"]);
    down.set(false);
    assert_eq!(w.hub.directory_mut().load(&handle("alice@example.net")), before);
    assert_eq!(w.ask(alice, "GTC 3 N").len(), 1);
}

#[test]
fn a_boxed_directory_is_asked_like_any_other() {
    let (mut w, _) = world();
    let (alice, bob) = (w.online("alice@example.net"), handle("bob@example.net"));
    assert_eq!(w.ask(alice, "ADD 1 FL nobody@example.net x"), ["205 1"]);
    assert_eq!(w.ask(alice, "PRP 2 PHH 555%200100"), ["PRP 2 5 PHH 555%200100"]);
    let directory = w.hub.directory_mut();
    assert!(!directory.commits_in_batches());
    let phones = directory.properties(&handle("alice@example.net"), &bob).expect("readable");
    assert_eq!(phones.home.as_deref(), Some("555 0100"));
    let nobodys = directory.properties(&handle("nobody@example.net"), &bob).expect("readable");
    assert_eq!(nobodys, Default::default());
}

/// What Bob reads of Alice's phone at home while she is offline, if she blocks him or not.
fn phone_of_who_is_offline<D: Directory>(mut w: World<D>, blocked: bool) -> bool {
    let alice = w.online("alice@example.net");
    w.ask(alice, "PRP 1 PHH 555%200100");
    if blocked {
        w.ask(alice, "REM 2 AL bob@example.net");
        w.ask(alice, "ADD 3 BL bob@example.net Bob");
    }
    w.hang_up(alice);
    let bob = w.sign_in("bob@example.net", "MSNP7");
    let dump = w.ask(bob, "SYN 1 0");
    let line = dump.iter().find(|line| line.contains("alice@example.net PHH"));
    line.expect("Alice is a contact of Bob's").ends_with(" 555%200100")
}

#[test]
fn phones_of_people_who_are_offline_are_not_for_those_whom_they_block() {
    for blocked in [false, true] {
        assert_eq!(phone_of_who_is_offline(World::new(), blocked), !blocked, "kept in memory");
        assert_eq!(phone_of_who_is_offline(world().0, blocked), !blocked, "by the default");
    }
}

#[test]
fn the_hub_knows_who_is_there_and_how() {
    let (mut w, _) = world();
    w.sign_in("carol@example.net", "MSNP7");
    w.online("alice@example.net");
    let shown: Vec<String> = w
        .hub
        .online()
        .map(|(who, dialect, status)| format!("{who} {dialect} {status:?}"))
        .collect();
    assert_eq!(shown, ["alice@example.net MSNP5 Some(Online)", "carol@example.net MSNP7 None"]);
}

#[test]
fn an_account_made_anew_hears_nothing_of_those_who_are_no_contacts_of_it() {
    let mut w = World::new();
    let alice = w.online("alice@example.net");
    let bob = handle("bob@example.net");
    let accounts = w.hub.directory_mut();
    assert!(accounts.remove(&bob));
    accounts.insert(bob, Password::Is("Pa55word".into()));
    // He stands on the reverse list of who is online, and has nobody himself.
    let bob = w.online("bob@example.net");
    w.heard(bob);
    w.say(alice, "CHG 20 BSY");
    w.heard(alice);
    assert_eq!(w.heard(bob), [""; 0]);
}

#[test]
fn a_group_number_of_any_length_takes_nobody_off_the_list() {
    let mut w = World::new();
    let alice = w.sign_in("alice@example.net", "MSNP7");
    w.heard(alice);
    for (number, code) in [("29", "224"), ("99999999999", "224"), ("4294967296", "224")] {
        assert_eq!(
            w.ask(alice, &format!("REM 9 FL bob@example.net {number}")),
            [format!("{code} 9")]
        );
    }
    let record = w.hub.directory().record(&handle("alice@example.net")).expect("an account");
    let bob = record.contact(&handle("bob@example.net")).expect("an entry");
    assert!(bob.lists.has(List::Forward));
}

#[test]
fn changes_of_a_record_are_what_a_directory_needs() {
    let mut accounts = three();
    let alice = handle("alice@example.net");
    let by = accounts.record(&alice).unwrap().identity;
    let own = |by, edit| Change { by, account: alice.clone(), edit };
    let nobody = handle("nobody@example.net");
    accounts
        .commit(&[
            own(by, Edit::Name(Nick::new("Al").unwrap())),
            own(by, Edit::Property(Property::WorkPhone, Some("1".into()))),
            Change { by, account: nobody, edit: Edit::ContactProperties },
            // By somebody who is gone.
            own(by + 100, Edit::Name(Nick::new("Ghost").unwrap())),
        ])
        .unwrap();
    let record = accounts.record(&alice).unwrap();
    assert_eq!((record.name.as_str(), record.version.0), ("Al", 6));
    assert_eq!(record.on(List::Forward).count(), 1);
    fn is_send<T: Send>() {}
    is_send::<Hub>();
}
