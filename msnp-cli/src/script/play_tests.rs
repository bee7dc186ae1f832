//! Whole runs in memory: a script, its agent and a client against a server and other people, on a
//! network and with a clock that the test moves. No socket is opened.

use std::time::Duration;

use msnp_proto::client::{Client, Config, Content, Event as Told, SignIn};
use msnp_proto::hub::{self, Hub, HubConfig, MemoryDirectory};
use msnp_proto::machine::Target;
use msnp_proto::testing::{HostKey, Net, SeededEntropy};
use msnp_proto::time::Instant;
use msnp_proto::types::{Delivery, Handle, Status};

use super::play::Play;
use super::{Action, Variables, Whom, parse};
use crate::agent::{Agent, Means};
use crate::args::Until;
use crate::events::{Change, Chat, Event, Mark, Marked};
use crate::exit::Exit;
use crate::ledger::Ledger;

fn who(name: &str) -> Handle {
    Handle::new(&format!("{name}@x.y")).expect("an account")
}

/// A server, alice who does what is asked for, and bob and carol who do what the test says.
struct World {
    net: Net,
    alice: HostKey<Client>,
    bob: HostKey<Client>,
    carol: HostKey<Client>,
    ledger: Ledger,
    /// Everything that alice would show.
    shown: Vec<Marked>,
}

impl World {
    /// Alice and carol are online, bob is not.
    fn new() -> Self {
        let accounts = ["alice", "bob", "carol"]
            .into_iter()
            .fold(MemoryDirectory::open(), |accounts, name| accounts.open_account(who(name)));
        let accounts =
            accounts.contact(&who("alice"), &who("bob")).contact(&who("bob"), &who("alice"));
        let config = HubConfig::new("0.0.0.0:1863".parse().expect("an address"));
        let mut net = Net::new().with_latency(Duration::from_millis(10));
        let server = net.add("server", Hub::new(config, accounts, Box::new(SeededEntropy::new(1))));
        let [alice, bob, carol] =
            ["alice", "bob", "carol"].map(|name| net.add(name, Client::new(Config::new())));
        net.settle();
        assert!(net.events(server).iter().any(|event| matches!(event, hub::Event::Ready { .. })));
        let (ledger, shown) = (Ledger::new(Until::Acked), Vec::new());
        let mut world = Self { net, alice, bob, carol, ledger, shown };
        world.sign_in(alice, "alice");
        world.sign_in(carol, "carol");
        world
    }

    fn sign_in(&mut self, key: HostKey<Client>, name: &str) {
        let server = Target { host: "server".into(), port: 1863 };
        let sign_in = SignIn::new(who(name), "".into(), server);
        self.net.with(key, |client, now| client.sign_in(now, sign_in)).expect("it is fresh");
        self.net.advance(Duration::from_secs(1));
        assert!(self.net.host(key).is_online());
        self.net.events(key);
    }

    /// Lets somebody do something with what alice works with, and shows what comes of it.
    fn with<T>(&mut self, act: impl FnOnce(&mut Means<'_>) -> T) -> T {
        let ledger = &mut self.ledger;
        self.net.with(self.alice, |client, now| act(&mut Means { now, client, ledger }))
    }

    /// The books are kept as the session keeps them.
    fn show(&mut self, told: &Told, mark: Option<Mark>) {
        let now = self.with(|means| means.now);
        let marked = match told {
            Told::Queued { message } => self.ledger.queued(*message),
            Told::Sent { message } => self.ledger.sent(*message),
            Told::Delivery { message, outcome } => self.ledger.ended(now, *message, *outcome),
            told => {
                mark.zip(crate::translate::event(told)).map(|(mark, event)| Marked { mark, event })
            }
        };
        self.shown.extend(marked);
    }

    /// Runs a script to its end, or for so long; bob and carol do `others` after each step of the
    /// clock. The time that it took.
    fn play(
        &mut self,
        script: &str,
        limit: Duration,
        mut others: impl FnMut(&mut Self),
    ) -> Duration {
        let script = parse(script.as_bytes(), &Variables::default()).expect("no mistake");
        let mut play = Play::new(script.into_steps(), 16, false);
        let begun = self.with(|means| means.now);
        loop {
            self.with(|means| play.advance(means));
            while let Some(report) = self.with(|means| play.poll_report(means)) {
                self.shown.push(report.marked);
            }
            let now = self.with(|means| means.now);
            if play.is_over() || now >= begun + limit {
                return now - begun;
            }
            let step = Duration::from_millis(10);
            let due = play.next_deadline().map_or(step, |due: Instant| due - now);
            self.net.advance(due.clamp(Duration::from_micros(1), step));
            for told in self.net.events(self.alice) {
                let mark = self.with(|means| play.hear(means, &told));
                self.show(&told, mark);
            }
            others(self);
        }
    }

    /// The lines of the events of this kind.
    fn lines(&self, is: impl Fn(&Event) -> bool) -> Vec<Option<u32>> {
        let fits = self.shown.iter().filter(|marked| is(&marked.event));
        fits.map(|marked| marked.mark.line).collect()
    }
}

/// Bob answers each text with these, one after the other.
fn answering(answers: &'static [&'static str]) -> impl FnMut(&mut World) {
    let mut answers = answers.iter();
    move |world| {
        for told in world.net.events(world.bob) {
            if let Told::Message { chat, content: Content::Text(_), .. } = told {
                let Some(answer) = answers.next() else { continue };
                let say = |client: &mut Client, now| {
                    client.send_text(now, chat, answer, Delivery::Always)
                };
                world.net.with(world.bob, say).expect("they are there");
            }
        }
    }
}

#[test]
fn a_conversation_runs_to_its_end() {
    let mut world = World::new();
    world.sign_in(world.bob, "bob");
    let script = "online b@x.y\nsend b@x.y ready?\nexpect b@x.y contains \"yes\" within 5s\n\
                  status BSY\nsleep 3s\nsend b@x.y go\nleave b@x.y\n"
        .replace("b@x.y", "bob@x.y");
    let took = world.play(&script, Duration::from_secs(60), answering(&["yes, I am", "ok"]));
    assert_eq!(world.ledger.exit(), Exit::Done);
    assert_eq!(world.lines(|event| matches!(event, Event::Acked(_))), [Some(2), Some(6)]);
    assert_eq!(world.lines(|event| matches!(event, Event::Message(_))), [Some(3)]);
    let closed = |event: &Event| matches!(event, Event::Chat(Chat { change: Change::Closed, .. }));
    assert_eq!(world.lines(closed), [Some(7)]);
    // Nothing but the sleep takes long.
    assert!((3000..3500).contains(&took.as_millis()), "{took:?}");
    assert_eq!(world.net.host(world.alice).status(), Some(Status::Busy));
}

#[test]
fn somebody_is_waited_for_to_the_millisecond() {
    let script = "online bob@x.y within 20s\nsend bob@x.y hi\n";
    let mut world = World::new();
    let mut steps = 0;
    world.play(script, Duration::from_secs(60), |world| {
        steps += 1;
        if steps == 500 {
            let server = Target { host: "server".into(), port: 1863 };
            let sign_in = SignIn::new(who("bob"), "".into(), server);
            world.net.with(world.bob, |bob, now| bob.sign_in(now, sign_in)).expect("it is fresh");
        }
    });
    assert_eq!(world.lines(|event| matches!(event, Event::Acked(_))), [Some(2)]);

    let mut world = World::new();
    let took = world.play(script, Duration::from_secs(60), |_| {});
    assert_eq!(took, Duration::from_secs(20));
    assert_eq!(world.lines(|event| matches!(event, Event::Refused(_))), [Some(1)]);
    assert_eq!(world.ledger.exit(), Exit::Undelivered);
}

#[test]
fn a_server_that_goes_away_ends_the_run() {
    let mut world = World::new();
    world.sign_in(world.bob, "bob");
    let mut steps = 0;
    let script = "send bob@x.y a\nsleep 10s\nsend bob@x.y b\n";
    let took = world.play(script, Duration::from_secs(60), |world| {
        steps += 1;
        if steps == 200 {
            // Whoever signs in as alice elsewhere ends her session.
            world.net.with(world.carol, |carol, now| carol.sign_out(now));
            world.net.advance(Duration::from_secs(1));
            world.net.events(world.carol);
            world.sign_in(world.carol, "alice");
        }
    });
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(world.lines(|event| matches!(event, Event::Acked(_))), [Some(1)]);
    assert_eq!(world.ledger.exit(), Exit::Mixed);
}

/// Does these one after the other without waiting, and waits for all ends.
fn act(world: &mut World, agent: &mut Agent, actions: &[(&str, Action)]) {
    for (id, action) in actions {
        world.with(|means| agent.act(means, Mark::of_id(id), action));
    }
    settle(world, agent);
}

fn settle(world: &mut World, agent: &mut Agent) {
    loop {
        while let Some(report) = world.with(|means| agent.poll_report(means)) {
            world.shown.push(report.marked);
        }
        if agent.pending() == 0 && world.ledger.waiting() == 0 {
            return;
        }
        world.net.advance(Duration::from_millis(100));
        hear(world, agent);
    }
}

fn hear(world: &mut World, agent: &mut Agent) {
    for told in world.net.events(world.alice) {
        let mark = world.with(|means| agent.hear(means, &told));
        world.show(&told, mark);
    }
}

fn send(to: &str, text: &str) -> Action {
    Action::Send { to: Whom::Person(who(to)), text: text.into() }
}

/// What somebody heard, from all chats.
fn heard(world: &mut World, key: fn(&World) -> HostKey<Client>) -> Vec<String> {
    let texts = world.net.events(key(world)).into_iter().filter_map(|told| match told {
        Told::Message { content: Content::Text(text), .. } => Some(text.content),
        _ => None,
    });
    texts.collect()
}

#[test]
fn what_is_meant_for_one_is_never_said_to_several() {
    let mut world = World::new();
    world.sign_in(world.bob, "bob");
    let mut agent = Agent::default();
    act(&mut world, &mut agent, &[("1", send("bob", "to bob"))]);
    let first = world.net.events(world.bob).into_iter().find_map(|told| match told {
        Told::Message { chat, .. } => Some(chat),
        _ => None,
    });
    // Bob brings carol into the chat.
    let invite = |bob: &mut Client, now| bob.invite(now, first.expect("a chat"), &who("carol"));
    world.net.with(world.bob, invite).expect("they are there");
    world.net.advance(Duration::from_secs(1));
    hear(&mut world, &mut agent);
    act(&mut world, &mut agent, &[("2", send("bob", "secret"))]);
    world.net.advance(Duration::from_secs(1));
    assert_eq!(heard(&mut world, |world| world.bob), ["secret"]);
    assert_eq!(heard(&mut world, |world| world.carol), [""; 0]);
    // By its number the chat with both can be spoken to.
    let chat = world.shown.iter().find_map(|marked| match &marked.event {
        Event::Chat(Chat { chat, change: Change::Opened, .. }) => Some(*chat),
        _ => None,
    });
    let to = Whom::Chat(chat.expect("it was opened"));
    act(&mut world, &mut agent, &[("3", Action::Send { to, text: "to both".into() })]);
    world.net.advance(Duration::from_secs(1));
    assert_eq!(heard(&mut world, |world| world.bob), ["to both"]);
    assert_eq!(heard(&mut world, |world| world.carol), ["to both"]);
    let to_both = world.shown.iter().rev().find_map(|marked| match &marked.event {
        Event::Acked(end) => Some(end.to.clone()),
        _ => None,
    });
    assert_eq!(to_both.as_deref(), Some("bob@x.y, carol@x.y"));
}

#[test]
fn whoever_calls_is_answered_where_they_are() {
    let mut world = World::new();
    world.sign_in(world.bob, "bob");
    let mut agent = Agent::default();
    world
        .net
        .with(world.bob, |bob, now| bob.open_chat(now, &who("alice")))
        .expect("they are online");
    world.net.advance(Duration::from_secs(1));
    hear(&mut world, &mut agent);
    act(&mut world, &mut agent, &[("1", send("bob", "hi"))]);
    let opened = |event: &Event| matches!(event, Event::Chat(Chat { change: Change::Opened, .. }));
    assert_eq!(world.lines(opened).len(), 1);
}

#[test]
fn everything_that_is_asked_for_ends_once_under_its_name() {
    let mut world = World::new();
    world.sign_in(world.bob, "bob");
    let mut agent = Agent::default();
    let person = |name: &str| Whom::Person(who(name));
    let add = |name: &str| Action::Add { who: who(name), name: None, group: None };
    act(
        &mut world,
        &mut agent,
        &[
            ("open", Action::Open(who("bob"))),
            ("again", Action::Open(who("bob"))),
            ("typing", Action::Typing(person("bob"))),
            ("text", send("bob", "x")),
            ("leave", Action::Leave(person("bob"))),
            ("nowhere", Action::Leave(person("bob"))),
            ("gone", Action::Open(who("dave"))),
            ("add", add("carol")),
            ("block", Action::Block(who("carol"))),
            ("state", Action::Status(Status::Away)),
            ("chat", Action::Typing(Whom::Chat(99))),
            ("to", Action::Send { to: Whom::Chat(99), text: "x".into() }),
        ],
    );
    world.net.advance(Duration::from_secs(1));
    hear(&mut world, &mut agent);
    let ends = |id: &str| {
        let own = world.shown.iter().filter(|marked| marked.mark.id.as_deref() == Some(id));
        let passing = |event: &Event| {
            let is_opened = matches!(event, Event::Chat(Chat { change: Change::Opened, .. }));
            is_opened || matches!(event, Event::Queued(_) | Event::Sent(_))
        };
        let ends = own.map(|marked| &marked.event).filter(|event| !passing(event));
        ends.map(|event| match event {
            Event::Acked(_) => "acked",
            Event::Typing { .. } => "typing",
            Event::Person(_) => "person",
            Event::Setting { .. } => "setting",
            Event::Refused(_) => "refused",
            Event::Failed(_) => "failed",
            Event::Chat(Chat { change: Change::Joined, .. }) => "joined",
            Event::Chat(Chat { change: Change::Closed, .. }) => "closed",
            other => panic!("{other:?}"),
        })
        .collect::<Vec<_>>()
    };
    for (id, expected) in [
        ("open", &["joined"][..]),
        ("again", &["joined"]),
        ("typing", &["typing"]),
        ("text", &["acked"]),
        ("leave", &["closed"]),
        ("nowhere", &["refused"]),
        ("gone", &["refused"]),
        ("add", &["person"]),
        ("block", &["person"]),
        ("state", &["setting"]),
        ("chat", &["refused"]),
        ("to", &["failed"]),
    ] {
        assert_eq!(ends(id), expected, "{id}");
    }
    // Of what was asked for nothing is told a second time.
    let nobodys = world.shown.iter().filter(|marked| marked.mark == Mark::NONE);
    let is_echo = |event: &Event| matches!(event, Event::Contact(_) | Event::Setting { .. });
    let echoes: Vec<_> = nobodys.filter(|marked| is_echo(&marked.event)).collect();
    assert!(echoes.iter().all(|marked| !matches!(&marked.event, Event::Contact(_))), "{echoes:?}");
}
