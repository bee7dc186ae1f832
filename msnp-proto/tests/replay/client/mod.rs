//! Every dialogue through the real client: it signs in, opens and answers chats as the file has it,
//! and has to say what stands there.

mod actor;
mod commands;
mod opening;
mod play;
mod switchboard;
mod tables;
mod usher;

use msnp_proto::client::Event;
use msnp_proto::testing::Chunking;

pub(crate) use self::play::{Played, play};
use self::tables::{DIFFERENT, ENDS, NOT_PLAYED, WARNINGS};
use crate::stage::{Met, Script};

pub(crate) fn scripts() -> impl Iterator<Item = Script> {
    Script::all().filter(|script| NOT_PLAYED.iter().all(|(name, _)| *name != script.name))
}

/// The client says what the file says, apart from the differences that are meant, and reports
/// nothing odd where nothing odd is.
#[test]
fn every_dialogue_is_held_as_it_stands() {
    let mut met = Met::default();
    let (mut warned, mut ended) = (Vec::new(), Vec::new());
    for script in scripts() {
        let played = play(&script, None, Chunking::Whole);
        played.differences.iter().for_each(|found| met.add(DIFFERENT, script.name, found));
        let warnings = played.events.iter().filter(|event| matches!(event, Event::Warning(_)));
        warned.extend(Some((script.name, warnings.count())).filter(|(_, count)| *count > 0));
        for event in &played.events {
            if let Event::Lost { why } = event {
                ended.push(format!("{}: {why:?}", script.name));
            }
        }
    }
    ended.retain(|end| !end.ends_with(": SignedOut"));
    met.check(DIFFERENT);
    assert_eq!(warned, WARNINGS, "warnings");
    assert_eq!(ended, ENDS, "ends");
}

/// However the servers' bytes are cut, everything is said and reported in the same way.
#[test]
fn how_the_stream_is_cut_changes_nothing() {
    for script in scripts() {
        let same = |played: Played, whole: &Played, how: &str| {
            assert_eq!(played.said, whole.said, "{}: said, {how}", script.name);
            assert_eq!(played.events, whole.events, "{}: reported, {how}", script.name);
        };
        let whole = play(&script, None, Chunking::Whole);
        for chunking in [Chunking::Every(1), Chunking::Every(3), Chunking::Random(1)] {
            same(play(&script, None, chunking), &whole, &format!("{chunking:?}"));
        }
        for (conn, heard) in whole.heard.iter().enumerate() {
            // A debug build takes some of the cuts of every dialogue, a release build all.
            let (first, step) =
                if cfg!(debug_assertions) { (script.name.len(), 97) } else { (1, 1) };
            for at in (first..heard.len()).step_by(step) {
                let split = play(&script, Some(conn), Chunking::SplitAt(at));
                same(split, &whole, &format!("connection {conn} split at {at}"));
            }
        }
    }
}
