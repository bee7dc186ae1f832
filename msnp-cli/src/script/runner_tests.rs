//! The runner by itself, with a clock that the test moves: no client, no socket.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use msnp_proto::body::Text;
use msnp_proto::client::{ChatId, Content, Event as Told};
use msnp_proto::time::Instant;
use msnp_proto::types::{Handle, Nick};

use super::runner::{Order, Runner, View};
use super::{Action, Variables, parse};

/// A runner and what it is told of the world.
struct World {
    runner: Runner,
    now: Instant,
    in_flight: BTreeSet<u32>,
    pending: BTreeSet<u32>,
    has_failures: bool,
    presence: BTreeMap<Handle, bool>,
}

fn who(name: &str) -> Handle {
    Handle::new(&format!("{name}@x.y")).expect("an account")
}

impl World {
    fn of(script: &str) -> Self {
        Self::with(script, 16, false)
    }

    fn with(script: &str, window: usize, go_on: bool) -> Self {
        let script = parse(script.as_bytes(), &Variables::default()).expect("no mistake");
        Self {
            runner: Runner::new(script.into_steps(), window, go_on),
            now: Instant::ZERO,
            in_flight: BTreeSet::new(),
            pending: BTreeSet::new(),
            has_failures: false,
            presence: BTreeMap::new(),
        }
    }

    /// Everything that the runner wants now, in words. What it has begun is on its way then.
    fn turn(&mut self) -> Vec<String> {
        let mut orders = Vec::new();
        loop {
            let presence = |who: &Handle| self.presence.get(who).copied();
            let view = View {
                now: self.now,
                in_flight: self.in_flight.len(),
                pending: self.pending.len(),
                has_failures: self.has_failures,
                presence: &presence,
            };
            match self.runner.next(&view) {
                Order::Do(line, Action::Send { text, .. }) => {
                    self.in_flight.insert(line);
                    orders.push(format!("{line}: send {text}"));
                }
                Order::Do(line, _) => {
                    self.pending.insert(line);
                    orders.push(format!("{line}: do"));
                }
                Order::Finished(line) => orders.push(format!("{line}: finished")),
                Order::Failed(line, verb, who, refusal) => {
                    let (code, reason) = (refusal.exit.code(), &refusal.reason);
                    orders.push(format!("{line}: {verb} {who}: {reason} ({code})"));
                    self.has_failures = true;
                }
                Order::Wait => {
                    let until = self.runner.next_deadline();
                    orders.push(until.map_or("wait".into(), |until| format!("wait to {until:?}")));
                    return orders;
                }
                Order::Over => {
                    orders.push("over".into());
                    return orders;
                }
            }
        }
    }

    fn ended(&mut self, line: u32) {
        assert!(self.in_flight.remove(&line) || self.pending.remove(&line), "{line}");
    }

    fn sleep(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
    }

    /// Somebody says something; the line of the step that it is for.
    fn heard(&mut self, from: &str, text: &str) -> Option<u32> {
        let content = Content::Text(Text::new(text));
        let nick = Nick::new(from).expect("a name");
        let (chat, from) = (ChatId(1), who(from));
        self.runner.hear(&Told::Message { chat, from, nick, known: true, content })
    }
}

#[test]
fn texts_fill_the_window_in_order() {
    let script: String = (1..=5).map(|n| format!("send b@x.y t{n}\n")).collect();
    let mut world = World::with(&script, 2, false);
    assert_eq!(world.turn(), ["1: send t1", "2: send t2", "wait"]);
    assert_eq!(world.turn(), ["wait"]);
    world.ended(2);
    assert_eq!(world.turn(), ["3: send t3", "wait"]);
    world.ended(1);
    world.ended(3);
    assert_eq!(world.turn(), ["4: send t4", "5: send t5", "wait"]);
    world.ended(4);
    world.ended(5);
    assert_eq!(world.turn(), ["over"]);
}

#[test]
fn other_steps_wait_for_what_is_before_them_and_are_waited_for() {
    let mut world =
        World::of("send b@x.y t1\nstatus BSY\nadd c@x.y\nsend b@x.y t2\nsleep 1s\nopen b@x.y");
    assert_eq!(world.turn(), ["1: send t1", "wait"]);
    world.ended(1);
    assert_eq!(world.turn(), ["2: do", "wait"]);
    world.ended(2);
    assert_eq!(world.turn(), ["3: do", "wait"]);
    world.ended(3);
    assert_eq!(world.turn(), ["4: send t2", "wait"]);
    // The clock of a sleep begins when it is its turn.
    world.sleep(5000);
    world.ended(4);
    assert_eq!(world.turn(), ["wait to 6.000000s"]);
    world.sleep(999);
    assert_eq!(world.turn(), ["wait to 6.000000s"]);
    world.sleep(1);
    assert_eq!(world.turn(), ["5: finished", "6: do", "wait"]);
    world.ended(6);
    assert_eq!(world.turn(), ["over"]);
}

#[test]
fn a_failure_stops_the_run_when_everything_has_ended_or_is_passed_over() {
    let script = "send b@x.y t1\nsend b@x.y t2\nsend b@x.y t3\nsleep 0s\n";
    let mut world = World::with(script, 2, false);
    world.turn();
    world.ended(1);
    world.has_failures = true;
    assert_eq!(world.turn(), ["wait"]);
    world.ended(2);
    assert_eq!(world.turn(), ["over"]);
    assert!(!world.runner.is_at_end());

    let mut world = World::with(script, 2, true);
    world.turn();
    world.ended(1);
    world.has_failures = true;
    assert_eq!(world.turn(), ["3: send t3", "wait"]);
    world.ended(2);
    world.ended(3);
    assert_eq!(world.turn(), ["4: finished", "over"]);
    assert!(world.runner.is_at_end());
}

#[test]
fn a_run_that_is_stopped_begins_nothing_and_waits_for_what_is_on_its_way() {
    let mut world = World::of("send b@x.y t1\nsleep 1s\nsend b@x.y t2");
    world.turn();
    world.runner.stop();
    assert_eq!(world.turn(), ["wait"]);
    world.ended(1);
    assert_eq!(world.turn(), ["over"]);
}

#[test]
fn online_looks_at_the_presence_of_contacts() {
    let script = "online b@x.y within 2s\nsend b@x.y t1";
    let mut world = World::of(script);
    world.presence.insert(who("b"), true);
    assert_eq!(world.turn(), ["1: finished", "2: send t1", "wait"]);

    let mut world = World::of(script);
    world.presence.insert(who("b"), false);
    assert_eq!(world.turn(), ["wait to 2.000000s"]);
    world.sleep(1999);
    assert_eq!(world.turn(), ["wait to 2.000000s"]);
    world.presence.insert(who("b"), true);
    assert_eq!(world.turn(), ["1: finished", "2: send t1", "wait"]);

    let mut world = World::of(script);
    world.presence.insert(who("b"), false);
    world.turn();
    world.sleep(2000);
    assert_eq!(world.turn(), ["1: online b@x.y: not online within 2s (69)", "over"]);

    // Nobody would ever tell.
    let mut world = World::of(script);
    let turn = world.turn();
    assert!(turn[0].starts_with("1: online b@x.y: not a contact") && turn[1] == "over", "{turn:?}");
}

#[test]
fn expect_looks_at_what_came_after_the_last_text_to_them() {
    let script = "expect b@x.y contains \"zero\"\nsend b@x.y t2\nsend c@x.y t3\n\
                  expect b@x.y contains \"one\" within 2s\nexpect b@x.y within 2s\nsend b@x.y t6\n\
                  expect b@x.y contains \"one\" within 2s\n";
    let mut world = World::of(script);
    // Before its step, for an earlier step, from somebody else: not for the fourth line.
    assert_eq!(world.heard("b", "one, too early"), None);
    assert_eq!(world.heard("b", "zero"), Some(1));
    assert_eq!(world.heard("b", "zero again"), None);
    assert_eq!(world.turn(), ["1: finished", "2: send t2", "3: send t3", "wait"]);
    assert_eq!(world.heard("c", "one"), None);
    // While texts are in flight an answer counts already. It is said of the first step it is for.
    assert_eq!(world.heard("b", "this is ONE"), Some(5));
    assert_eq!(world.heard("b", "this is one"), Some(4));
    world.ended(2);
    world.ended(3);
    assert_eq!(world.turn(), ["4: finished", "5: finished", "6: send t6", "wait"]);
    world.ended(6);
    assert_eq!(world.turn(), ["wait to 2.000000s"]);
    assert_eq!(world.heard("b", "two"), None);
    world.sleep(2000);
    assert_eq!(world.turn(), ["7: expect b@x.y: no text with \"one\" within 2s (124)", "over"]);
}

#[test]
fn what_comes_while_a_file_is_on_its_way_is_an_answer_to_it() {
    let mut world = World::of("send b@x.y t1\nfile b@x.y ./x\nexpect b@x.y contains \"got it\"");
    assert_eq!(world.turn(), ["1: send t1", "wait"]);
    assert_eq!(world.heard("b", "got it, the text"), None);
    world.ended(1);
    assert_eq!(world.turn(), ["2: do", "wait"]);
    assert_eq!(world.heard("b", "got it, the file"), Some(3));
    world.ended(2);
    assert_eq!(world.turn(), ["3: finished", "over"]);
}

#[test]
fn what_comes_at_the_last_moment_is_seen() {
    let mut world = World::of("expect b@x.y within 2s");
    assert_eq!(world.turn(), ["wait to 2.000000s"]);
    world.sleep(2000);
    assert_eq!(world.heard("B", "x"), Some(1));
    assert_eq!(world.turn(), ["1: finished", "over"]);
}
