//! Everything that is known, through the same functions, without a fuzzer: the corpus, all
//! transcripts, and some bytes that nobody has chosen.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use msnp_proto::testing::SeededEntropy;

use crate::seeds;

type Body = fn(&[u8]);

/// Every target and its body.
const TARGETS: &[(&str, Body)] = &[
    ("bodies", crate::body::bodies),
    ("captures", crate::program::captures),
    ("client", crate::client::client),
    ("files", crate::files::files),
    ("frames", crate::wire::frames),
    ("hub", crate::hub::hub),
    ("leaves", crate::leaves::leaves),
    ("ns_replies", crate::wire::ns_replies),
    ("ns_requests", crate::wire::ns_requests),
    ("sb_replies", crate::wire::sb_replies),
    ("sb_requests", crate::wire::sb_requests),
    ("scripts", crate::program::scripts),
    ("storm", crate::storm::storm),
    ("texts", crate::body::texts),
    ("transcripts", crate::transcript::transcripts),
    ("values", crate::wire::values),
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Runs a body, and says on which input it was if it panics.
fn run(target: &str, body: Body, name: &str, input: &[u8]) {
    struct Name<'a>(&'a str, &'a str);
    impl Drop for Name<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("target {}, input {}", self.0, self.1);
            }
        }
    }
    let _name = Name(target, name);
    body(input);
}

/// Runs a body on every file of a folder; returns how many there were.
fn run_files(target: &str, body: Body, folder: &Path) -> usize {
    let Ok(files) = fs::read_dir(folder) else { return 0 };
    let paths = files.map(|file| file.expect("a file").path());
    paths
        .map(|path| {
            let input = fs::read(&path).expect("it can be read");
            run(target, body, &path.display().to_string(), &input);
        })
        .count()
}

#[test]
fn the_corpus_passes() {
    for (target, body) in TARGETS {
        let count = run_files(target, *body, &folder("corpus").join(target));
        assert!(count > 0, "the corpus of {target} is empty");
    }
}

#[test]
fn what_was_found_passes() {
    let mut count = 0;
    for (target, body) in TARGETS {
        count += run_files(target, *body, &folder("findings").join(target));
    }
    let mut files = 0;
    for target in fs::read_dir(folder("findings")).expect("it is there") {
        files += fs::read_dir(target.expect("a folder").path()).expect("it is there").count();
    }
    assert_eq!(count, files, "a finding of a target that does not exist");
}

#[test]
fn all_transcripts_pass() {
    let seeds = seeds::seeds();
    let targets: BTreeSet<_> = seeds.keys().copied().collect();
    assert_eq!(targets, TARGETS.iter().map(|(target, _)| *target).collect());
    for (target, body) in TARGETS {
        for (name, input) in &seeds[target] {
            run(target, *body, name, input);
        }
    }
}

/// Whole inputs of other targets, pieces of several, and noise.
#[test]
fn bytes_that_nobody_has_chosen_pass() {
    let seeds = seeds::seeds();
    let all: Vec<&Vec<u8>> = seeds.values().flat_map(|seeds| seeds.values()).collect();
    let mut random = SeededEntropy::new(1);
    for (target, body) in TARGETS {
        let rounds = if *target == "storm" { 10 } else { 200 };
        for round in 0..rounds {
            let mut input = Vec::new();
            for _ in 0..=random.below(4) {
                let piece = all[random.below(all.len())];
                let start = random.below(piece.len());
                input.extend_from_slice(&piece[start..(start + 400).min(piece.len())]);
                input.extend((0..random.below(20)).map(|_| random.next_u64() as u8));
            }
            run(target, *body, &format!("round {round}"), &input);
        }
    }
}

#[test]
fn the_dictionary_is_that_of_the_tables() {
    let written = fs::read_to_string(folder("msnp.dict")).expect("it is there");
    assert!(written == seeds::dictionary(), "cargo run --example seeds writes it anew");
}

/// A target is a file, a binary that cargo-fuzz finds, and a row here.
#[test]
fn every_target_has_its_file() {
    let files = fs::read_dir(folder("fuzz_targets")).expect("it is there");
    let files: BTreeSet<String> = files
        .map(|file| file.expect("a file").file_name().to_string_lossy().into_owned())
        .collect();
    let expected = TARGETS.iter().map(|(target, _)| format!("{target}.rs"));
    assert_eq!(files, expected.collect());
    let manifest = fs::read_to_string(folder("Cargo.toml")).expect("it is there");
    for (target, _) in TARGETS {
        assert!(manifest.contains(&format!("name = \"{target}\"")), "{target} is no binary");
    }
}
