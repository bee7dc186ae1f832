//! Every dialogue through the real hub: the clients of the file say their part, and the hub has to
//! say the servers'.

mod house;
mod play;
mod prepare;
mod tables;
mod variables;
mod wings;

use msnp_proto::testing::Chunking;

pub(crate) use self::play::{Played, play};
pub(crate) use self::tables::DIFFERENT;
use self::tables::NOT_PLAYED;
use crate::stage::{Met, Script};

pub(crate) fn scripts() -> impl Iterator<Item = Script> {
    Script::all().filter(|script| NOT_PLAYED.iter().all(|(name, _)| *name != script.name))
}

#[test]
fn the_hub_says_what_the_servers_say() {
    let mut met = Met::default();
    for script in scripts() {
        let played = play(&script, DIFFERENT, None, Chunking::Whole);
        played.differences.iter().for_each(|found| met.add(DIFFERENT, script.name, found));
    }
    met.check(DIFFERENT);
}

#[test]
fn how_the_clients_write_changes_nothing() {
    for script in scripts() {
        let same = |played: Played, whole: &Played, how: &str| {
            assert_eq!(played.heard, whole.heard, "{}: heard, {how}", script.name);
            assert_eq!(played.differences, whole.differences, "{}: {how}", script.name);
        };
        let whole = play(&script, DIFFERENT, None, Chunking::Whole);
        for chunking in [Chunking::Every(1), Chunking::Every(3), Chunking::Random(1)] {
            same(play(&script, DIFFERENT, None, chunking), &whole, &format!("{chunking:?}"));
        }
        for (conn, told) in whole.told.iter().enumerate() {
            // A debug build takes some of the cuts of every dialogue, a release build all.
            let (first, step) =
                if cfg!(debug_assertions) { (script.name.len() % 23, 23) } else { (1, 1) };
            for at in (first..told.len()).step_by(step) {
                let split = play(&script, DIFFERENT, Some(conn), Chunking::SplitAt(at));
                same(split, &whole, &format!("connection {conn} split at {at}"));
            }
        }
    }
}
