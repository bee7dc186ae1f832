//! What the hub does about those who guess, call and come again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use msnp_proto::client::{Client, Config, Event, SignIn};
use msnp_proto::error::Lost;
use msnp_proto::hub::{Hub, HubConfig, MemoryDirectory, Role};
use msnp_proto::machine::{ConnId, Target};
use msnp_proto::ns::challenge::digest;
use msnp_proto::secret::Entropy;
use msnp_proto::testing::case::Place;
use msnp_proto::testing::{Chunking, Net, SeededEntropy};
use msnp_proto::time::Duration;
use msnp_proto::types::Delivery;

use crate::client::handle;
use crate::hub::HubStage;

/// V08: who is unknown gets the answer of who has a wrong password, to the letter.
pub(super) fn unknown_and_wrong_are_one_answer() {
    let answers = ["alice", "nobody"].map(|name| {
        let mut stage = HubStage::new(Place::HubDoor);
        let conn = stage.tried;
        let version = stage.ask(conn, "VER 1 MSNP7");
        let challenge = stage.ask(conn, &format!("USR 2 MD5 I {name}@example.net"));
        let answer = digest(challenge.trim_end().as_bytes(), b"wrong");
        let answer = std::str::from_utf8(&answer).expect("digits");
        let refused = stage.ask(conn, &format!("USR 3 MD5 S {answer}"));
        (version, challenge.len(), refused)
    });
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].2, "911 3\r\n");
}

/// Counts what is drawn.
struct Counting(Arc<AtomicUsize>, SeededEntropy);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fetch_add(bytes.len(), Ordering::Relaxed);
        self.1.fill(bytes);
    }
}

/// V09: sixteen random bytes for each cookie, all of which are looked at.
pub(super) fn cookies_have_128_random_bits() {
    let drawn = Arc::new(AtomicUsize::new(0));
    let entropy = Counting(Arc::clone(&drawn), SeededEntropy::new(1));
    let mut stage = HubStage::with(Place::HubOnline, |_| {}, Box::new(entropy));
    let before = drawn.load(Ordering::Relaxed);
    let cookie = stage.cookie(stage.tried);
    assert_eq!(drawn.load(Ordering::Relaxed) - before, 16);
    assert!(
        cookie.len() == 32 && cookie.bytes().all(|digit| digit.is_ascii_hexdigit()),
        "{cookie}"
    );
    let mut knock = |line: &str| {
        let conn = stage.connect(Role::Switchboard, "guess");
        stage.ask(conn, line)
    };
    for place in 0..32 {
        let mut guess = cookie.clone().into_bytes();
        guess[place] = if guess[place] == b'0' { b'1' } else { b'0' };
        let guess = String::from_utf8_lossy(&guess);
        let answer = knock(&format!("USR 1 alice@example.net {guess}"));
        assert_eq!(answer, "911 1\r\n", "digit {place}");
    }
    let right = format!("USR 1 alice@example.net {cookie}");
    assert!(knock(&right).starts_with("USR 1 OK "));
    assert_eq!(knock(&right), "911 1\r\n", "it is good once");
    for wrong in ["USR 1 bob@example.net *", "ANS 1 alice@example.net * 1"] {
        let cookie = stage.cookie(stage.tried);
        let conn = stage.connect(Role::Switchboard, "thief");
        let answer = stage.ask(conn, &wrong.replace('*', &cookie));
        assert_eq!(answer, "911 1\r\n", "{wrong}: good for its owner and its purpose");
    }
}

/// V10: however many switchboards somebody opens, one person's phone rings so often and no more.
pub(super) fn rings_are_limited() {
    let lower = |config: &mut HubConfig| config.limits.rings = 6;
    let mut stage = HubStage::with(Place::HubOnline, lower, Box::new(SeededEntropy::new(1)));
    let call = |stage: &mut HubStage, ns: ConnId, who: &str, callee: &str| {
        let cookie = stage.cookie(ns);
        let chat = stage.connect(Role::Switchboard, "another");
        stage.ask(chat, &format!("USR 1 {who}@example.net {cookie}"));
        stage.ask(chat, &format!("CAL 2 {callee}@example.net"))
    };
    let (alice, bob) = (stage.tried, stage.named("bob"));
    for _ in 0..4 {
        assert!(call(&mut stage, alice, "alice", "dave").starts_with("CAL 2 RINGING "));
    }
    assert_eq!(call(&mut stage, alice, "alice", "dave"), "713 2\r\n", "enough of Alice");
    assert!(call(&mut stage, alice, "alice", "erin").starts_with("CAL 2 RINGING "));
    for _ in 0..2 {
        assert!(call(&mut stage, bob, "bob", "dave").starts_with("CAL 2 RINGING "));
    }
    assert_eq!(call(&mut stage, bob, "bob", "dave"), "217 2\r\n", "enough for Dave");
    // A call that is not answered is forgotten with its cookie.
    stage.pass(Duration::from_secs(61));
    assert!(call(&mut stage, alice, "alice", "dave").starts_with("CAL 2 RINGING "));
}

/// V13: Alice signs in again while texts of hers are on their way.
pub(super) fn the_second_sign_in_is_clean() {
    let mut net = Net::new().with_chunking(Chunking::Every(7));
    let [alice, bob] = ["alice@example.net", "bob@example.net"].map(handle);
    let people = MemoryDirectory::new()
        .account(alice.clone(), "a")
        .account(bob.clone(), "b")
        .contact(&alice, &bob);
    let config = HubConfig::new("0.0.0.0:1863".parse().expect("an address"));
    let hub = net.add("hub", Hub::new(config, people, Box::new(SeededEntropy::new(1))));
    let server = Target { host: "hub".into(), port: 1863 };
    let [first, second, other] =
        ["first", "second", "other"].map(|name| net.add(name, Client::new(Config::new())));
    let sign_in = |net: &mut Net, key, who: &_, password: &str| {
        let now = net.now();
        let sign_in = SignIn::new(Clone::clone(who), password.into(), server.clone());
        net.host_mut::<Client>(key).sign_in(now, sign_in).expect("not signed in");
    };
    sign_in(&mut net, other, &bob, "b");
    sign_in(&mut net, first, &alice, "a");
    net.advance(Duration::from_secs(1));
    let now = net.now();
    let chat = net.host_mut(first).open_chat(now, &bob).expect("online");
    net.advance(Duration::from_secs(1));
    let mut texts = Vec::new();
    let mut say = |net: &mut Net| {
        let now = net.now();
        let client = net.host_mut(first);
        texts.extend(client.send_text(now, chat, "still there?", Delivery::Always));
    };
    (0..20).for_each(|_| say(&mut net));
    sign_in(&mut net, second, &alice, "a");
    (0..20).for_each(|_| say(&mut net));
    net.settle();
    (0..20).for_each(|_| say(&mut net));
    net.advance(Duration::from_secs(30));
    let mut ends = BTreeMap::new();
    let mut lost = Vec::new();
    for event in net.events(first) {
        match event {
            Event::Delivery { message, .. } => *ends.entry(message).or_insert(0) += 1,
            Event::Lost { why } => lost.push(why),
            _ => {}
        }
    }
    assert_eq!(lost, [Lost::ElsewhereSignedIn]);
    assert_eq!(texts.len(), 40, "none is taken when the session is over");
    assert!(texts.iter().all(|text| ends.get(text) == Some(&1)), "{ends:?}");
    let left = |event: &Event| matches!(event, Event::Left { account, .. } if *account == alice);
    assert_eq!(net.events(other).iter().filter(|event| left(event)).count(), 1);
    assert!(net.host(second).is_online() && !net.host(first).is_online());
    assert_eq!((net.host(hub).people(), net.host(hub).switchboards()), (2, 0));
    assert!(!net.events(second).iter().any(|event| matches!(event, Event::Delivery { .. })));
}
