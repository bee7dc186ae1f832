//! Every switchboard of the library through the machine alone, which stays where the client would
//! leave.

use msnp_proto::client::MessageId;
use msnp_proto::error::Lost;
use msnp_proto::machine::Machine;
use msnp_proto::sb::{Event, Request, Setup, Switchboard};
use msnp_proto::secret::Secret;
use msnp_proto::testing::{Chunking, Dialogue, Reaction, Replay, Role};
use msnp_proto::time::Instant;
use msnp_proto::transcript::Side;
use msnp_proto::types::{Delivery, Handle};
use msnp_proto::wire::{Frame, Parsed};

use crate::stage::{Script, words};

/// The file and what the machine does not say there.
const SKIPPED: &[(&str, &str)] = &[
    // It is no account.
    ("switchboard-call-refused", "CAL 2 @@a"),
    // Nobody is there.
    ("switchboard-acknowledgements", "MSG 6 N 128"),
    ("switchboard-acknowledgements", "MSG 7 A 120"),
    ("switchboard-acknowledgements", "MSG 8 U 0"),
    ("real-escargot-msnp7", "CAL 4 junk"),
    ("real-escargot-msnp7", "CAL 7 bob@example.com"),
    ("real-escargot-msnp7", "MSG 8 A 120"),
    ("variant-no-nak", "MSG 2 A 120"),
    ("variant-no-nak", "MSG 3 N 120"),
    ("variant-no-nak", "MSG 4 A 45"),
];

fn machine(dialogue: &Dialogue) -> Switchboard {
    let first = dialogue.frames(Side::Client).next().expect("it begins");
    let first = words(first.line());
    let setup = Setup::new(Handle::new(&first[2]).expect("an account"));
    let cookie = Secret::from(first[3].as_str());
    match first.get(4) {
        Some(session) => Switchboard::answering(Instant::ZERO, setup, &cookie, session),
        None => Switchboard::calling(Instant::ZERO, setup, &cookie),
    }
}

fn tell(
    machine: &mut Switchboard,
    now: Instant,
    frame: Frame<'_>,
    skipped: &mut Vec<String>,
) -> Reaction {
    let Ok(Parsed::Command(request, _)) = Request::parse(frame) else { panic!("{frame:?}") };
    let typing = memchr::memmem::find(frame.payload().unwrap_or_default(), b"TypingUser");
    let done = match request {
        Request::Usr { .. } | Request::Ans { .. } => return Reaction::Expected,
        Request::Cal { account, .. } => {
            account.to_handle().is_some_and(|who| machine.call(now, &who).is_ok())
        }
        Request::Msg { delivery: Delivery::Unacknowledged, .. } if typing.is_some() => {
            machine.send_typing(now).is_ok()
        }
        Request::Msg { trid, delivery, body } => {
            machine.send(now, MessageId(trid.0.into()), delivery, body.0).is_ok()
        }
        Request::Out {} => {
            machine.leave();
            true
        }
        _ => false,
    };
    if done {
        return Reaction::Told;
    }
    skipped.push(String::from_utf8_lossy(frame.line()).into_owned());
    Reaction::Skip
}

#[test]
fn every_switchboard_through_the_machine_alone() {
    let mut all_skipped = Vec::new();
    for script in Script::all() {
        for dialogue in script.dialogues.iter().filter(|one| one.role == Role::Switchboard) {
            let name = format!("{} {:?}", script.name, dialogue.name);
            let play = |chunking| {
                let (mut machine, mut skipped) = (machine(dialogue), Vec::new());
                let replay = Replay::new(dialogue).chunking(chunking);
                let played = replay.run(&mut machine, |machine, now, frame| {
                    tell(machine, now, frame, &mut skipped)
                });
                let played = played.unwrap_or_else(|error| panic!("{name}: {error}"));
                assert!(played.unsaid.is_empty() && played.extra.is_empty(), "{name}: {played:?}");
                let received = dialogue.steps.iter().filter(|step| step.side == Side::Server);
                let received = received.map(|step| match &step.what {
                    msnp_proto::testing::What::Frame(frame) => frame.raw().len() as u64,
                    _ => 0,
                });
                assert!(machine.scanned() <= 2 * received.sum::<u64>(), "{name}");
                machine.abandon(Lost::SignedOut);
                let mut events = played.events;
                events.extend(std::iter::from_fn(|| machine.poll_event()));
                (events, played.sent, skipped)
            };
            let (events, sent, skipped) = play(Chunking::Whole);
            let outcomes = events.iter().filter(|event| matches!(event, Event::Delivery { .. }));
            let texts = String::from_utf8_lossy(&sent).matches("MSG ").count();
            let typing = String::from_utf8_lossy(&sent).matches("TypingUser").count();
            assert_eq!(outcomes.count() + typing, texts, "{name}: one outcome for each message");
            let bytes: usize = sent.len().max(2000);
            let step = if cfg!(debug_assertions) { 11 } else { 1 };
            for at in (1..bytes).step_by(step) {
                let (again, said, _) = play(Chunking::SplitAt(at));
                assert!(again == events && said == sent, "{name}: split at {at}");
            }
            let (again, said, _) = play(Chunking::Every(1));
            assert!(again == events && said == sent, "{name}: byte by byte");
            all_skipped.extend(skipped.into_iter().map(|line| (script.name, line)));
        }
    }
    let mut expected: Vec<(&str, String)> =
        SKIPPED.iter().map(|(file, line)| (*file, (*line).to_owned())).collect();
    expected.sort();
    all_skipped.sort();
    assert_eq!(all_skipped, expected);
}
