//! Five clients and a hub do anything at all, on a network that delays and cuts everything, and then
//! on one that also breaks.

use msnp_proto::client::{Client, Config, SignIn};
use msnp_proto::hub::{Hub, HubConfig, MemoryDirectory};
use msnp_proto::ns::{Credentials, Notification, Roster};
use msnp_proto::testing::{
    Chunking, Dialogue, Net, Reaction, Replay, SeededEntropy, Storm, Transcript,
};
use msnp_proto::time::{Duration, Instant};
use msnp_proto::types::Handle;

const SECOND: Duration = Duration::from_secs(1);

/// Few in a debug build.
const SEEDS: u64 = if cfg!(debug_assertions) { 40 } else { 2_000 };

fn storm(seed: u64, faults: bool) -> [usize; 5] {
    let mut storm = Storm::new(5, seed);
    let mut random = SeededEntropy::new(seed ^ 0x5EED);
    for _ in 0..60 {
        storm.act(&mut random);
        if faults && random.below(4) == 0 {
            storm.fault(&mut random);
        }
        storm.pass(&mut random);
    }
    storm.end(faults)
}

fn storms(first: u64, faults: bool) {
    let mut all = [0; 5];
    for seed in first..first + SEEDS {
        for (sum, count) in all.iter_mut().zip(storm(seed, faults)) {
            *sum += count;
        }
    }
    // Not all of them are storms in a teacup. A refusal comes too late: that everybody has left is
    // heard before, and ends the text as of unknown fate.
    let [acknowledged, assumed, _, failed, unknown] = all;
    let least = [acknowledged, assumed, failed, unknown].into_iter().min();
    assert!(least > usize::try_from(SEEDS).ok(), "{all:?}");
}

#[test]
fn what_is_acknowledged_was_received_once_and_in_order() {
    storms(0, false);
}

#[test]
fn every_message_has_one_end_whatever_breaks() {
    storms(1_000_000, true);
}

/// What a net leaves behind when a test on it fails is read as dialogues, and played again.
#[test]
fn the_report_of_a_net_replays() {
    let mut net = Net::new().with_chunking(Chunking::Random(5)).with_jitter(SECOND, 5);
    let hub_config = HubConfig::new("0.0.0.0:1863".parse().expect("an address"));
    let entropy = Box::new(SeededEntropy::new(5));
    net.add("hub", Hub::new(hub_config, MemoryDirectory::open(), entropy));
    let key = net.add("alice", Client::new(Config::new()));
    let alice = Handle::new("alice@example.net").expect("an account");
    let server = "hub:1863".parse().expect("an address");
    let sign_in = SignIn::new(alice.clone(), "Pa55word".into(), server);
    net.with(key, |client, now| client.sign_in(now, sign_in)).expect("nobody is signed in");
    net.advance(SECOND * 30);
    assert!(net.host(key).is_online());
    net.with(key, Client::sign_out);
    net.advance(SECOND * 10);

    let text = net.report().to_string();
    let report = Transcript::parse(&text).expect("a transcript");
    assert_eq!(report.header("seed"), Some("5"));
    assert_eq!(report.header("cut"), Some("Random(5)"));
    let dialogues = Dialogue::all(&report).expect("the connections are known");
    assert_eq!(dialogues.len(), 2, "one to the dispatch server: {text}");
    for dialogue in &dialogues {
        let credentials = Credentials::new(alice.clone(), "Pa55word".into());
        let mut machine =
            Notification::new(Instant::ZERO, Config::new(), credentials, Roster::new());
        let played = Replay::new(dialogue).run(&mut machine, |machine, _, frame| {
            if frame.word() != b"OUT" {
                return Reaction::Expected;
            }
            machine.sign_out();
            Reaction::Told
        });
        let played = played.unwrap_or_else(|error| panic!("{error}:\n{text}"));
        assert_eq!((played.unsaid, played.extra), (Vec::new(), Vec::new()), "{text}");
    }
}
