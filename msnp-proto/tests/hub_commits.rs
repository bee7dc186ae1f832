//! Changes that are committed together: one commit a turn, answers only after it, and nothing half
//! done when it fails.

mod hub_support;

use std::cell::Cell;
use std::rc::Rc;

use hub_support::{World, config, handle};
use msnp_proto::hub::{
    Change, Directory, DirectoryError, Event, MemoryDirectory, Password, Properties, Record, Role,
    Why,
};
use msnp_proto::machine::{Closed, ConnId, Host, Output};
use msnp_proto::types::{Handle, List, Lists};

const NOTHING: [&str; 0] = [];

/// Accounts in memory whose commits are counted and can be made to fail.
struct Slow {
    accounts: MemoryDirectory,
    log: Rc<Log>,
}

#[derive(Default)]
struct Log {
    commits: Cell<u32>,
    changes: Cell<usize>,
    failing: Cell<bool>,
}

impl Directory for Slow {
    fn password(&mut self, who: &Handle) -> Result<Option<Password>, DirectoryError> {
        self.accounts.password(who)
    }

    fn load(&mut self, who: &Handle) -> Result<Option<Record>, DirectoryError> {
        self.accounts.load(who)
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), DirectoryError> {
        self.log.commits.set(self.log.commits.get() + 1);
        if self.log.failing.get() {
            return Err(DirectoryError::NotWritten);
        }
        self.log.changes.set(self.log.changes.get() + changes.len());
        self.accounts.commit(changes)
    }

    fn commits_in_batches(&self) -> bool {
        true
    }

    fn exists(&mut self, who: &Handle) -> Result<bool, DirectoryError> {
        self.accounts.exists(who)
    }

    fn identity(&mut self, who: &Handle) -> Result<Option<u64>, DirectoryError> {
        self.accounts.identity(who)
    }

    fn properties(&mut self, who: &Handle, viewer: &Handle) -> Result<Properties, DirectoryError> {
        self.accounts.properties(who, viewer)
    }
}

fn name(number: usize) -> String {
    format!("user{number}@example.net")
}

/// So many people, all online.
fn people(count: usize) -> (World<Slow>, Vec<ConnId>, Rc<Log>) {
    let mut accounts = MemoryDirectory::new();
    for number in 0..count {
        accounts = accounts.account(handle(&name(number)), "Pa55word");
    }
    let log = Rc::new(Log::default());
    let directory = Slow { accounts, log: Rc::clone(&log) };
    let mut w = World::with_directory(config(), directory);
    let conns = (0..count).map(|number| w.online(&name(number))).collect();
    (w, conns, log)
}

fn record(w: &World<Slow>, number: usize) -> Record {
    w.hub.directory().accounts.record(&handle(&name(number))).expect("an account").clone()
}

/// Gives bytes to the hub without taking an output.
fn feed<D: Directory>(w: &mut World<D>, conn: ConnId, text: &str) {
    w.hub.handle_input(w.now, conn, text.as_bytes());
}

#[test]
fn changes_of_one_turn_are_one_commit() {
    let (mut w, conns, log) = people(20);
    for (number, conn) in conns.iter().enumerate() {
        let other = name((number + 1) % 20);
        feed(&mut w, *conn, &format!("ADD 1 FL {other} {other}\r\nPNG\r\n"));
        assert_eq!(w.hub.pending(*conn), b"", "nothing is said before the commit");
    }
    assert_eq!(log.commits.get(), 0);
    w.turn();
    assert_eq!((log.commits.get(), log.changes.get()), (1, 40));
    for (number, conn) in conns.iter().enumerate() {
        let (before, after) = (name((number + 19) % 20), name((number + 1) % 20));
        let heard = w.heard(*conn);
        let answer = heard.iter().position(|line| line.starts_with("ADD 1 FL"));
        let ping = heard.iter().position(|line| line == "QNG");
        assert!(answer.is_some() && answer < ping, "{heard:?}");
        assert!(heard.contains(&format!("ILN 1 NLN {after} {after}")), "{heard:?}");
        assert!(
            heard.iter().any(|line| line.starts_with(&format!("ADD 0 RL 3 {before}"))
                || line.starts_with(&format!("ADD 0 RL 2 {before}"))),
            "{heard:?}"
        );
        let kept = record(&w, number);
        assert_eq!(kept.version.0, 3);
        assert!(kept.contact(&handle(&after)).unwrap().lists.has(List::Forward));
        assert!(kept.contact(&handle(&before)).unwrap().lists.has(List::Reverse));
    }
}

#[test]
fn a_client_has_one_change_on_its_way_and_the_rest_waits() {
    let (mut w, conns, log) = people(2);
    let [alice, bob] = conns[..] else { panic!() };
    let other = name(1);
    feed(
        &mut w,
        alice,
        &format!("ADD 1 FL {other} B\r\nADD 2 AL {other} B\r\nREM 3 FL {other}\r\nCH"),
    );
    assert!(!w.hub.wants_read(alice));
    feed(&mut w, alice, "G 4 BSY\r\n");
    assert_eq!(log.commits.get(), 0);
    w.turn();
    assert_eq!(log.commits.get(), 3);
    assert_eq!(
        w.heard(alice),
        [
            "ADD 1 FL 2 user1@example.net B",
            "ILN 1 NLN user1@example.net user1@example.net",
            "ADD 2 AL 3 user1@example.net B",
            "REM 3 FL 4 user1@example.net",
            "CHG 4 BSY",
        ]
    );
    assert!(w.hub.wants_read(alice));
    assert_eq!(
        w.heard(bob),
        ["ADD 0 RL 2 user0@example.net user0@example.net", "REM 0 RL 3 user0@example.net"]
    );
}

#[test]
fn people_who_add_each_other_in_one_turn_keep_both_entries() {
    let (mut w, conns, log) = people(2);
    for (number, conn) in conns.iter().enumerate() {
        let other = name(1 - number);
        feed(&mut w, *conn, &format!("ADD 1 FL {other} {other}\r\n"));
    }
    w.turn();
    assert_eq!(log.commits.get(), 1);
    for (number, conn) in conns.iter().enumerate() {
        let lists = record(&w, number).contact(&handle(&name(1 - number))).unwrap().lists;
        assert!(lists.has(List::Forward) && lists.has(List::Reverse), "{lists:?}");
        w.heard(*conn);
        let again = w.ask(*conn, "LST 2 RL");
        assert!(again[0].starts_with("LST 2 RL 3 1 1 "), "{again:?}");
    }
}

#[test]
fn a_commit_that_fails_changes_nothing_for_anybody_and_the_next_one_works() {
    let (mut w, conns, log) = people(3);
    let before: Vec<Record> = (0..3).map(|number| record(&w, number)).collect();
    log.failing.set(true);
    w.events.clear();
    for conn in &conns {
        feed(&mut w, *conn, "BLP 7 BL\r\nPNG\r\n");
    }
    feed(&mut w, conns[0], &format!("ADD 8 FL {} x\r\n", name(1)));
    w.turn();
    assert_eq!(log.commits.get(), 2, "the batch, and what waited behind it");
    assert_eq!(w.heard(conns[0]), ["501 7", "QNG", "501 8"]);
    assert_eq!(w.heard(conns[1]), ["501 7", "QNG"]);
    assert_eq!(w.heard(conns[2]), ["501 7", "QNG"]);
    assert_eq!(w.events.len(), 4);
    let why = DirectoryError::NotWritten;
    assert_eq!(w.events[0], Event::DirectoryFailed { conn: conns[0], why });
    for (number, before) in before.iter().enumerate() {
        assert_eq!(record(&w, number), *before);
        let answer = w.ask(conns[number], &format!("SYN 9 {}", before.version.0));
        assert_eq!(answer, [format!("SYN 9 {}", before.version.0)], "the hub's copy too");
    }
    // Reading and chatting go on.
    let board = w.switchboard(conns[0], &name(0));
    w.call_in(board, conns[1], &name(1));
    log.failing.set(false);
    assert_eq!(w.ask(conns[0], "BLP 10 BL"), ["BLP 10 2 BL"]);
}

#[test]
fn whoever_leaves_after_a_change_has_made_it() {
    let (mut w, conns, log) = people(4);
    // The end of the stream comes with the change: the answer is there to be read.
    feed(&mut w, conns[0], "GTC 1 N\r\n");
    w.hub.handle_eof(w.now, conns[0]);
    w.turn();
    assert_eq!(w.heard(conns[0]), ["GTC 1 2 N"]);
    // The connection breaks.
    feed(&mut w, conns[1], &format!("ADD 1 FL {} x\r\n", name(2)));
    w.break_off(conns[1]);
    assert_eq!(record(&w, 1).version.0, 2);
    assert_eq!(w.heard(conns[2]), ["ADD 0 RL 2 user1@example.net user1@example.net"]);
    // The hub is shut down.
    feed(&mut w, conns[3], "GTC 1 N\r\n");
    let now = w.now;
    w.hub.shut_down(now);
    w.turn();
    assert_eq!(w.heard(conns[3]), ["GTC 1 2 N", "OUT SSD"]);
    assert_eq!(log.commits.get(), 3);
}

/// A connection on which user0 has only to say the password, and the line that does.
fn at_the_door(w: &mut World<Slow>) -> (ConnId, String) {
    let again = w.connect(Role::Notification);
    w.ask(again, "VER 1 MSNP7");
    let challenge = w.challenge(again, &name(0));
    let digest = hub_support::md5_hex(&[&challenge, "Pa55word"]);
    (again, format!("USR 3 MD5 S {digest}\r\n"))
}

/// The old session of user0 has put user1 on the forward list, and a new one, in the same turn, on
/// the allow list: both are there, for both.
fn assert_both_made(w: &mut World<Slow>, again: ConnId, other: ConnId) {
    let heard = w.heard(again);
    assert!(heard[0].starts_with("USR 3 OK"), "{heard:?}");
    assert_eq!(heard.last().map(String::as_str), Some("ADD 4 AL 3 user1@example.net x"));
    assert_eq!(w.ask(again, "LST 5 FL"), ["LST 5 FL 3 1 1 user1@example.net x 0"]);
    assert_eq!(w.heard(other), ["ADD 0 RL 2 user0@example.net user0@example.net"]);
    let lists = |of: usize, who: usize| {
        record(w, of).contact(&handle(&name(who))).map(|contact| contact.lists)
    };
    assert_eq!(lists(0, 1), Some(Lists::NONE.with(List::Forward).with(List::Allow)));
    assert_eq!(lists(1, 0), Some(Lists::NONE.with(List::Reverse)));
}

#[test]
fn who_signs_in_again_meanwhile_has_the_change_too() {
    let (mut w, conns, _) = people(2);
    let (again, password) = at_the_door(&mut w);
    feed(&mut w, conns[0], &format!("ADD 1 FL {} x\r\n", name(1)));
    feed(&mut w, again, &format!("{password}ADD 4 AL {} x\r\n", name(1)));
    w.turn();
    assert_eq!(
        w.heard(conns[0]),
        [
            "ADD 1 FL 2 user1@example.net x",
            "ILN 1 NLN user1@example.net user1@example.net",
            "OUT OTH"
        ]
    );
    assert_both_made(&mut w, again, conns[1]);
}

#[test]
fn whose_connection_breaks_and_who_signs_in_again_meanwhile_has_the_change_too() {
    for how in [Closed::Reset, Closed::Done] {
        let (mut w, conns, _) = people(2);
        let (again, password) = at_the_door(&mut w);
        feed(&mut w, conns[0], &format!("ADD 1 FL {} x\r\n", name(1)));
        w.hub.handle_closed(w.now, conns[0], how);
        feed(&mut w, again, &format!("{password}ADD 4 AL {} x\r\n", name(1)));
        w.turn();
        assert_both_made(&mut w, again, conns[1]);
    }
}

#[test]
fn whom_the_hub_drops_and_who_signs_in_again_meanwhile_has_the_change_too() {
    let (mut w, conns, _) = people(2);
    let (again, password) = at_the_door(&mut w);
    feed(&mut w, conns[0], &format!("ADD 1 FL {} x\r\n", name(1)));
    // More than a driver would bring that asks whether to read.
    let hard = config().limits.backlog_hard;
    feed(&mut w, conns[0], &"x".repeat(hard + 1));
    feed(&mut w, conns[0], "x");
    assert!(!w.hub.wants_read(conns[0]));
    feed(&mut w, again, &format!("{password}ADD 4 AL {} x\r\n", name(1)));
    w.turn();
    assert_both_made(&mut w, again, conns[1]);
}

#[test]
fn a_challenge_that_runs_out_ends_behind_the_answer_to_a_change() {
    let (mut w, _, _) = people(2);
    let conn = w.sign_in(&name(0), "MSNP7");
    w.say(conn, "CHG 9 NLN");
    w.heard(conn);
    feed(&mut w, conn, "GTC 1 N\r\n");
    w.now += config().limits.challenge;
    let now = w.now;
    w.hub.handle_timeout(now);
    w.turn();
    assert_eq!(w.heard(conn), ["GTC 1 2 N", "OUT"]);
}

#[test]
fn an_account_removed_meanwhile_ends_with_its_next_change() {
    for batches in [true, false] {
        let (mut w, conns, _) = people(2);
        let mut plain = World::new();
        let (heard, why) = if batches {
            w.hub.directory_mut().accounts.remove(&handle(&name(0)));
            assert_eq!(w.ask(conns[0], "PNG"), ["QNG"]);
            let heard = w.ask(conns[0], "GTC 1 N");
            assert!(w.is_closed(conns[0]));
            // To others it does not exist any more.
            assert_eq!(w.ask(conns[1], &format!("ADD 1 FL {} x", name(0))), ["205 1"]);
            (heard, w.events.pop())
        } else {
            let alice = plain.online("alice@example.net");
            assert!(plain.hub.directory_mut().remove(&handle("alice@example.net")));
            (plain.ask(alice, "GTC 1 N"), plain.events.pop())
        };
        assert_eq!(heard, ["OUT"]);
        assert!(matches!(why, Some(Event::SignedOut { why: Why::AccountGone, .. })), "{why:?}");
    }
}

#[test]
fn an_account_made_anew_is_not_that_of_an_older_session() {
    let (mut w, conns, _) = people(2);
    let accounts = &mut w.hub.directory_mut().accounts;
    accounts.remove(&handle(&name(0)));
    accounts.insert(handle(&name(0)), Password::Is("Pa55word".into()));
    let fresh = record(&w, 0);
    assert_eq!(w.ask(conns[0], &format!("ADD 1 FL {} x", name(1))), ["OUT"]);
    assert!(w.is_closed(conns[0]));
    assert!(matches!(w.events.last(), Some(Event::SignedOut { why: Why::AccountGone, .. })));
    assert_eq!(record(&w, 0), fresh, "nothing is kept");
    // Whoever knows the new password goes on, and so does who has only got a new one.
    let conn = w.online(&name(0));
    assert_eq!(w.ask(conn, "GTC 1 N"), ["GTC 1 2 N"]);
    let accounts = &mut w.hub.directory_mut().accounts;
    accounts.insert(handle(&name(0)), Password::Is("another".into()));
    assert_eq!(w.ask(conn, "GTC 2 A"), ["GTC 2 3 A"]);
}

#[test]
fn accounts_that_come_and_change_behind_the_hub_are_found() {
    let (mut w, conns, _) = people(1);
    assert_eq!(w.ask(conns[0], "ADD 1 FL new@example.net x"), ["205 1"]);
    let accounts = &mut w.hub.directory_mut().accounts;
    accounts.insert(handle("new@example.net"), Password::Is("first".into()));
    assert_eq!(w.ask(conns[0], "ADD 2 FL new@example.net x").len(), 1);
    let accounts = &mut w.hub.directory_mut().accounts;
    accounts.insert(handle("new@example.net"), Password::Is("Pa55word".into()));
    let new = w.online("new@example.net");
    assert_eq!(w.ask(new, "LST 3 RL").len(), 1);
    assert_eq!(w.heard(conns[0]).len(), 1);
}

#[test]
fn a_driver_that_takes_no_output_commits_nothing() {
    let (mut w, conns, log) = people(1);
    feed(&mut w, conns[0], "GTC 1 N\r\n");
    let now = w.now;
    w.hub.handle_timeout(now);
    w.hub.consume(now, conns[0], 0);
    assert_eq!((log.commits.get(), w.hub.pending(conns[0]).len()), (0, 0));
    assert_eq!(w.hub.poll_output(), Some(Output::Transmit { conn: conns[0] }));
    assert_eq!(w.hub.pending(conns[0]), b"GTC 1 2 N\r\n");
    assert_eq!(w.heard(conns[0]), NOTHING);
}

#[test]
fn what_waits_is_passed_over_when_its_account_is_gone() {
    for made_anew in [false, true] {
        let (mut w, conns, log) = people(2);
        let (gone, other) = (handle(&name(0)), name(1));
        feed(&mut w, conns[0], &format!("ADD 9 FL {other} {other}\r\n"));
        let accounts = &mut w.hub.directory_mut().accounts;
        assert!(accounts.remove(&gone));
        if made_anew {
            accounts.insert(gone.clone(), Password::Is("of another".into()));
        }
        w.turn();
        assert_eq!(log.commits.get(), 1);
        assert_eq!(record(&w, 1).contact(&gone), None, "half a change");
        let anew = w.hub.directory().accounts.record(&gone);
        assert_eq!(anew.map(|record| record.contacts.len()), made_anew.then_some(0));

        assert_eq!(w.heard(conns[0]), ["OUT"]);
        assert!(w.is_closed(conns[0]));
        let told = w.heard(conns[1]);
        assert!(!told.iter().any(|line| line.starts_with("ADD")), "{told:?}");
    }
}

#[test]
fn who_hangs_up_while_a_change_of_a_removed_account_waits_is_gone_once() {
    let (mut w, conns, _) = people(2);
    feed(&mut w, conns[0], &format!("ADD 9 FL {other} {other}\r\n", other = name(1)));
    assert!(w.hub.directory_mut().accounts.remove(&handle(&name(0))));
    w.hang_up(conns[0]);
    w.turn();
    let out = |event: &Event| matches!(event, Event::SignedOut { .. });
    assert_eq!(w.events.iter().filter(|event| out(event)).count(), 1, "{:?}", w.events);
    assert!(w.is_closed(conns[0]));
}
