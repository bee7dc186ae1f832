//! Replaying, the laws, and two machines face to face.

use msnp_proto::machine::Machine;
use msnp_proto::testing::laws::{self, Input};
use msnp_proto::testing::{
    Chunking, Dialogue, Pair, Played, Reaction, Replay, ReplayError, by_itself, library,
};
use msnp_proto::time::{Duration, Instant};
use msnp_proto::transcript::Side;
use msnp_proto::wire::Frame;

use crate::tiny::{Echo, Tiny};

fn dialogue(file: &str, connection: Option<&str>) -> Dialogue {
    Dialogue::one(&library::transcript(file), connection).expect("a connection of the file")
}

fn tiny(dialogue: &Dialogue, first: u32) -> Tiny {
    let account = dialogue.account.as_deref().expect("whose it is");
    Tiny::new(account, dialogue.password.as_deref().unwrap_or("Pa55word"), first)
}

/// Tells the machine to say what stands in the dialogue.
fn say_so(machine: &mut Tiny, _: Instant, frame: Frame<'_>) -> Reaction {
    let line = String::from_utf8_lossy(frame.line()).into_owned();
    let mut words = line.splitn(3, ' ');
    match (words.next().unwrap_or_default(), words.nth(1)) {
        ("OUT", _) => machine.leave(),
        ("CHG", _) if machine.next_deadline().is_none() => return Reaction::Expected,
        (verb, rest) => machine.say(verb, rest.unwrap_or_default()),
    }
    Reaction::Told
}

fn play(
    dialogue: &Dialogue,
    first: u32,
    chunking: Chunking,
) -> Result<Played<String>, ReplayError> {
    let replay = Replay::new(dialogue).exact(dialogue.exact && first == 1).chunking(chunking);
    replay.run(&mut tiny(dialogue, first), say_so)
}

#[test]
fn a_client_that_numbers_alike_is_compared_to_the_letter() {
    for (file, connection) in [
        ("dispatch-msnp7", None),
        ("sign-in-msnp7", None),
        ("variant-no-referral", None),
        ("sign-in-with-referral", Some("dispatch")),
        ("sign-in-with-referral", Some("notification")),
    ] {
        let dialogue = dialogue(file, connection);
        assert!(dialogue.exact);
        for chunking in [Chunking::Whole, Chunking::Every(1), Chunking::Random(5)] {
            let played = play(&dialogue, 1, chunking).unwrap_or_else(|e| panic!("{file}: {e}"));
            let mut said = Vec::new();
            for step in &dialogue.steps {
                if let (Side::Client, msnp_proto::testing::What::Frame(frame)) =
                    (step.side, &step.what)
                {
                    said.extend_from_slice(frame.raw());
                }
            }
            assert_eq!(played.sent, said, "{file}");
            assert!(played.unsaid.is_empty() && played.extra.is_empty(), "{file}");
        }
    }
}

#[test]
fn answers_get_the_number_that_the_machine_gave() {
    for file in ["sign-in-msnp7", "contacts-add-msnp7", "groups-make-rename-delete", "ping"] {
        let dialogue = dialogue(file, None);
        let whole = play(&dialogue, 1000, Chunking::Whole).unwrap();
        assert!(whole.events.contains(&"VER 1000 MSNP7 MSNP6 MSNP5 MSNP4 CVR0".to_string()));
        assert!(whole.events.contains(&"SYN 1004 12182".to_string()));
        assert!(whole.events.contains(&"CHG 1005 NLN".to_string()), "{file}");
        assert!(whole.unsaid.is_empty(), "{file}: {:?}", whole.unsaid);
        for at in 1..2000 {
            let split = play(&dialogue, 1000, Chunking::SplitAt(at)).unwrap();
            assert_eq!((split.events, split.sent), (whole.events.clone(), whole.sent.clone()));
        }
    }
}

/// aMSN says SYN and CHG at once, our client waits for the lists.
#[test]
fn a_client_may_say_things_later_than_the_one_that_was_recorded() {
    let dialogue = dialogue("real-amsn-2003-msnp7", Some("alice-ns"));
    let played = play(&dialogue, 50, Chunking::Whole).unwrap();
    assert!(played.events.contains(&"ILN 55 NLN bob@example.com Bob".to_string()));
    assert_eq!(played.extra.len(), 1, "nothing but CVR: {:?}", played.extra);
    assert_eq!(played.now, Instant::from_micros(22_501_000));
}

#[test]
fn what_is_left_out_takes_its_answers_along() {
    let dialogue = dialogue("ping", None);
    let replay = Replay::new(&dialogue);
    let played = replay
        .run(&mut tiny(&dialogue, 1), |machine, now, frame| match frame.word() {
            b"XFR" => Reaction::Skip,
            b"PNG" => Reaction::Expected,
            _ => say_so(machine, now, frame),
        })
        .unwrap();
    assert!(!played.events.iter().any(|event| event.starts_with("XFR")));
    assert_eq!(played.unsaid.len(), 2, "the pings: {:?}", played.unsaid);
}

#[test]
fn a_client_that_does_not_speak_is_told_from_the_line() {
    let dialogue = dialogue("article-1-dispatch", None);
    let error = Replay::new(&dialogue).run(&mut Echo::default(), by_itself).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("line 9: the machine did not say VER 0 MSNP7"), "{text}");
    let mut wrong = Echo::saying(b"INF 1\r\n");
    let error = Replay::new(&dialogue).exact(true).run(&mut wrong, by_itself).unwrap_err();
    assert!(error.to_string().contains("said INF 1"), "{error}");
    let mut garbage = Echo::saying(b"QRY 1 x x\r\n");
    let error = Replay::new(&dialogue).run(&mut garbage, by_itself).unwrap_err();
    assert!(matches!(error, ReplayError::Garbage { .. }), "{error}");
}

#[test]
fn a_server_can_be_played_too() {
    let dialogue = dialogue("dispatch-msnp7", None);
    let mut server = Echo { mute: true, ..Echo::default() };
    let played = Replay::new(&dialogue)
        .playing(Side::Server)
        .run(&mut server, |server, _, frame| {
            server.out.extend_from_slice(frame.line());
            server.out.extend_from_slice(b"\r\n");
            Reaction::Told
        })
        .unwrap();
    let heard: usize = played.events.iter().sum();
    assert_eq!(heard, library::transcript("dispatch-msnp7").bytes(None, Side::Client).len());
}

#[test]
fn the_tiny_client_obeys_the_laws() {
    let transcript = library::transcript("sign-in-msnp7");
    let server = transcript.bytes(None, Side::Server);
    let factory = || Tiny::new("alice@example.net", "Pa55word", 1);
    let leave = |machine: &mut Tiny, _| machine.leave();
    let script = [
        Input::Bytes(&server),
        Input::Wait(Duration::from_secs(100)),
        Input::Bytes(b"NLN NLN bob@example.net Bob\r\n"),
        Input::Command(&leave),
        Input::Eof,
    ];
    laws::check_chunking(factory, &script);
    laws::check_draining(factory, &script);
    laws::check_clock(factory, &script);
    laws::check_totality(factory, &[&server, b"OUT OTH\r\n"], 200, |event| {
        event.starts_with("end")
    });
}

#[test]
#[should_panic(expected = "law of chunking")]
fn who_counts_reads_is_found_out() {
    let factory = || Echo { mute: true, ..Echo::default() };
    laws::check_chunking(factory, &[Input::Bytes(b"hello")]);
}

#[test]
fn events_in_pieces_can_be_joined() {
    let factory = || Echo { mute: true, ..Echo::default() };
    laws::check_chunking_with(factory, &[Input::Bytes(b"hello")], |e| vec![e.iter().sum()]);
}

#[test]
#[should_panic(expected = "law of draining")]
fn who_merges_events_is_found_out() {
    let script = [Input::Bytes(b"hello"), Input::Wait(Duration::ZERO), Input::Bytes(b"again")];
    laws::check_draining(Echo::default, &script);
}

/// Has a deadline that stays.
struct Stuck(Echo);

impl Machine for Stuck {
    type Event = usize;

    fn handle_input(&mut self, now: Instant, bytes: &[u8]) {
        self.0.handle_input(now, bytes);
    }

    fn handle_eof(&mut self, now: Instant) {
        self.0.handle_eof(now);
    }

    fn handle_timeout(&mut self, _: Instant) {}

    fn next_deadline(&self) -> Option<Instant> {
        Some(Instant::from_micros(5))
    }

    fn pending(&self) -> &[u8] {
        self.0.pending()
    }

    fn consume(&mut self, now: Instant, written: usize) {
        self.0.consume(now, written);
    }

    fn poll_event(&mut self) -> Option<usize> {
        self.0.poll_event()
    }

    fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

#[test]
#[should_panic(expected = "law of the clock")]
fn who_leaves_a_deadline_due_is_found_out() {
    laws::check_clock(|| Stuck(Echo::default()), &[]);
}

#[test]
#[should_panic(expected = "law of totality")]
fn who_goes_on_after_the_end_is_found_out() {
    laws::check_totality(Echo::default, &[b"hello"], 8, |_| true);
}

#[test]
fn two_machines_face_to_face() {
    for chunking in [Chunking::Whole, Chunking::Every(1), Chunking::Random(3)] {
        let client = Tiny::new("alice@example.net", "Pa55word", 1);
        let mut server = Echo { mute: true, ..Echo::default() };
        let script = library::transcript("sign-in-msnp7").bytes(None, Side::Server);
        server.out.extend_from_slice(&script);
        let mut pair = Pair::new(client, server, chunking);
        pair.settle();
        let written = pair.transcript().to_string();
        assert!(written.contains("0.000 C: QRY 8 msmsgs@msnmsgr.com 32\n"), "{written}");
        assert_eq!(pair.server_events.iter().sum::<usize>(), heard(&pair));

        pair.advance(Duration::from_micros(45_000_000 - 1));
        assert!(!pair.transcript().to_string().contains("PNG"));
        pair.advance(Duration::from_micros(1));
        assert!(pair.transcript().to_string().ends_with("45.000 C: PNG\n"));
        pair.client.leave();
        pair.settle();
        assert!(
            pair.transcript().to_string().ends_with("C: OUT\n45.000 C! close\n45.000 S! close\n")
        );
    }
}

fn heard(pair: &Pair<Tiny, Echo>) -> usize {
    pair.transcript().bytes(None, Side::Client).len()
}
