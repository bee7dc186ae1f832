//! `serve --data` ended without a word, again and again, while people change their lists: whatever
//! was acknowledged is there afterwards, and nothing is there by half.
//!
//! Ten times by default. The long run:
//!
//! ```text
//! MSNP_KILLS=200 cargo test -p msnp-cli --test kills -- --nocapture
//! ```

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use msnp_proto::types::{GroupId, Handle, List, Nick};
use rusqlite::{Connection, OpenFlags};
use support::client::Person;
use support::{Folder, Msnp, data_file};

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// Numbers that are the same in each run; what the system does in between is not.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) % end
    }
}

/// What somebody has been told of their account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Known {
    name: Option<String>,
    /// Contacts, with the names kept for them.
    contacts: BTreeMap<String, String>,
    blocked: BTreeSet<String>,
    groups: BTreeMap<u32, String>,
}

/// One change, as it would make an account.
struct Player {
    account: Handle,
    password: String,
    /// As it is by all that was acknowledged.
    known: Known,
    /// As it may be too: the change that was asked for last and not answered.
    perhaps: Option<Known>,
    dice: Dice,
}

impl Player {
    fn new(name: &str, seed: u64) -> Self {
        let account = Handle::new(&format!("{name}@example.net")).expect("an account");
        let known = Known {
            name: Some(account.to_string()),
            groups: [(0, "~".to_owned())].into(),
            ..Known::default()
        };
        let password = format!("geheim-{name}");
        Self { account, password, known, perhaps: None, dice: Dice(seed) }
    }

    /// Signs in, compares, and changes things until the server is gone.
    fn play(&mut self, at: &str, acknowledged: &AtomicU64) {
        let Ok(mut person) = Person::sign_in(at, &self.account, &self.password) else { return };
        let Some(found) = look(&person) else { return };
        assert!(
            found == self.known || Some(&found) == self.perhaps.as_ref(),
            "{}: acknowledged {:?}\nor perhaps {:?}\nfound {found:?}",
            self.account,
            self.known,
            self.perhaps
        );
        self.known = found;
        self.perhaps = None;
        while self.change(&mut person) {
            acknowledged.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Makes one change; `false` if the server is gone.
    fn change(&mut self, person: &mut Person) -> bool {
        let mut next = self.known.clone();
        let other = loop {
            let place = usize::try_from(self.dice.below(NAMES.len() as u64)).expect("small");
            let name = format!("{}@example.net", NAMES.get(place).expect("below the length"));
            if name != self.account.as_str() {
                break name;
            }
        };
        let who = Handle::new(&other).expect("an account");
        let text = format!("name {}", self.dice.below(1000));
        let nick = Nick::new(&text).expect("a name");
        let is_contact = self.known.contacts.contains_key(&other);
        let is_blocked = self.known.blocked.contains(&other);
        let group = GroupId(1 + u32::try_from(self.dice.below(4)).expect("small"));
        let has_group = self.known.groups.contains_key(&group.0);
        // Only changes of one command: of several, some may be made and some not.
        use msnp_proto::ns::Change;
        let list = List::Forward;
        let change = match self.dice.below(5) {
            0 => {
                next.name = Some(text);
                Change::Rename(self.account.clone(), nick)
            }
            1 if has_group => {
                next.groups.insert(group.0, text);
                Change::RenameGroup(group, nick)
            }
            1 => {
                let free = (1..).find(|id| !self.known.groups.contains_key(id)).expect("a few");
                next.groups.insert(free, text);
                Change::AddGroup(nick)
            }
            2 if is_blocked => {
                next.blocked.remove(&other);
                Change::Remove { list: List::Block, account: who, group: None }
            }
            2 => {
                next.blocked.insert(other);
                Change::Add { list: List::Block, account: who, nick: None, group: None }
            }
            _ if is_contact => {
                next.contacts.remove(&other);
                Change::Remove { list, account: who, group: None }
            }
            _ => {
                next.contacts.insert(other, text);
                Change::Add { list, account: who, nick: Some(nick), group: None }
            }
        };
        self.perhaps = Some(next);
        match person.ask(|client, now| client.change(now, change)) {
            Ok(Ok(())) => {
                self.known = self.perhaps.take().expect("it was set just now");
                true
            }
            Ok(Err(why)) => panic!("{} was refused: {why}", self.account),
            Err(_) => false,
        }
    }
}

/// `None` if the session is over already: then the client has no name of its own any more.
fn look(person: &Person) -> Option<Known> {
    let (client, mut found) = (person.reactor.host(), Known::default());
    found.name = Some(client.nick()?.to_string());
    for (who, contact) in client.roster().contacts() {
        if contact.lists().has(List::Forward) {
            found.contacts.insert(who.to_string(), contact.nick().to_string());
        }
        if contact.lists().has(List::Block) {
            found.blocked.insert(who.to_string());
        }
    }
    found.groups = client.roster().groups().map(|(id, name)| (id.0, name.to_string())).collect();
    Some(found)
}

/// Looks into the file itself: it is whole, and who has somebody as a contact is on the reverse list
/// of that one, and the other way round.
fn check(path: &str) {
    let file =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).expect("it opens");
    let sound: String =
        file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("it can be read");
    assert_eq!(sound, "ok");
    let halves: i64 = file
        .query_row(
            "WITH pair (owner, other, lists) AS
                 (SELECT a.handle, c.handle, c.lists FROM account a, contact c WHERE c.owner = a.id)
             SELECT
                 (SELECT count(*) FROM pair p WHERE p.lists & 1 AND NOT EXISTS
                     (SELECT 1 FROM pair q
                      WHERE q.owner = p.other AND q.other = p.owner AND q.lists & 8))
               + (SELECT count(*) FROM pair p WHERE p.lists & 8 AND NOT EXISTS
                     (SELECT 1 FROM pair q
                      WHERE q.owner = p.other AND q.other = p.owner AND q.lists & 1))",
            [],
            |row| row.get(0),
        )
        .expect("it can be read");
    assert_eq!(halves, 0, "changes that are there by half");
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_there_by_half() {
    let kills: u64 = match std::env::var("MSNP_KILLS") {
        Ok(number) => number.parse().expect("MSNP_KILLS is a number"),
        Err(_) => 10,
    };
    let folder = Folder::new();
    let path = folder.path("data");
    data_file(&path, &NAMES);
    let mut players: Vec<Player> =
        NAMES.iter().zip(1..).map(|(name, seed)| Player::new(name, seed)).collect();
    let (mut dice, acknowledged) = (Dice(7), AtomicU64::new(0));
    for _ in 0..kills {
        let (serve, at) = Msnp::serve_data(&path, &["--changes", "0"]);
        let before = acknowledged.load(Ordering::SeqCst);
        let most = dice.below(60);
        let wait = Duration::from_micros(dice.below(15_000));
        thread::scope(|scope| {
            let (at, acknowledged) = (&at, &acknowledged);
            let play = |player| scope.spawn(|| Player::play(player, at, acknowledged));
            let playing: Vec<_> = players.iter_mut().map(play).collect();
            scope.spawn(move || {
                // Under load, and then at any moment: within a commit as well as between two.
                while acknowledged.load(Ordering::SeqCst) < before + most
                    && playing.iter().any(|one| !one.is_finished())
                {
                    thread::sleep(Duration::from_micros(200));
                }
                thread::sleep(wait);
                serve.kill();
            });
        });
        check(&path);
    }
    // Once more, to compare what the last kill left behind.
    let (serve, at) = Msnp::serve_data(&path, &[]);
    for player in &mut players {
        let person = Person::sign_in(&at, &player.account, &player.password).expect("it runs");
        let found = look(&person).expect("the session goes on");
        assert!(found == player.known || Some(&found) == player.perhaps.as_ref(), "{found:?}");
    }
    serve.interrupt();
    serve.end().assert_code(130);
    let changes = acknowledged.load(Ordering::SeqCst);
    eprintln!("{kills} kills, {changes} acknowledged changes, none lost, none by half");
}
