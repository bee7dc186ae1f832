//! Known holes of other programs, tried here: one row of a table for each.
//!
//! ```text
//! cargo test -p msnp-proto --test cases             all of them
//! cargo test -p msnp-proto --test cases -- F04 M    those whose names begin so
//! ```
//!
//! Every input of a case is tried at each place that can hear it, by the machines and by the bare
//! decoder: in one piece, byte by byte, and cut at every place. Without optimization they are cut at
//! some places; of inputs over 2 KiB the bare decoder is cut at every place even then, the machines at
//! some. For each it is checked that
//!
//! - nothing panics, everything returns, and each byte is looked at twice at most in search of
//!   line ends;
//! - the good frame right after it gives what it gives alone, or there is silence after the end;
//! - what came of it is what the file says, to the letter; each text that was given before has one
//!   end;
//! - no memory is asked for by a number of the peer's: the largest piece follows what came;
//! - no password, digest or cookie is shown or said because of it;
//! - other connections of the same client or hub hear what they hear without it.

mod client;
mod code;
mod hub;
mod memory;
#[path = "../script/mod.rs"]
mod script;
mod show;
mod stage;
mod table;
mod trial;
mod watch;

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use msnp_proto::testing::case::Case;
use msnp_proto::testing::library;

use crate::trial::Report;

/// Every case of the list, by letter and highest number.
const LIST: [(char, u8); 10] = [
    ('F', 15),
    ('M', 14),
    ('X', 6),
    ('P', 11),
    ('T', 12),
    ('S', 11),
    ('H', 8),
    ('L', 6),
    ('D', 3),
    ('V', 14),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| arg == "--list") {
        println!("cases: test");
        return ExitCode::SUCCESS;
    }
    let all = library::CASES.iter().flat_map(|(name, _)| library::cases_of(name));
    let all: Vec<Case> = all.collect();
    let mut failures = files();
    failures.extend(complete(&all));
    let wanted: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    for id in &wanted {
        if !all.iter().any(|case| case.id.starts_with(*id)) {
            failures.push(format!("there is no case {id}"));
        }
    }
    let fits = |case: &Case| wanted.is_empty() || wanted.iter().any(|id| case.id.starts_with(*id));
    let mut cases: Vec<Case> = all.into_iter().filter(fits).collect();
    cases.sort_by(|a, b| place_in_list(&a.id).cmp(&place_in_list(&b.id)));
    watch::start();
    let reports = in_parallel(&cases);
    print_table(&cases, &reports);
    for (case, report) in cases.iter().zip(reports) {
        failures.extend(report.failures.into_iter().map(|one| format!("{}: {one}", case.id)));
    }
    if failures.is_empty() {
        println!("All as they should be.");
        return ExitCode::SUCCESS;
    }
    println!("{} went wrong:", failures.len());
    failures.iter().for_each(|failure| println!("\n{failure}"));
    ExitCode::FAILURE
}

fn print_table(cases: &[Case], reports: &[Report]) {
    let row = |id: &str, numbers: [&str; 3], outcome: &str, rest: &str| {
        let [inputs, places, runs] = numbers;
        println!("{id:<4} {inputs:>6} {places:>6} {runs:>8}  {outcome:<40} {rest}");
    };
    row("case", ["inputs", "places", "runs"], "outcome", "origin | class");
    let (mut inputs, mut runs) = (0, 0);
    for (case, report) in cases.iter().zip(reports) {
        let numbers = [report.inputs, report.places.len(), report.runs].map(|one| match one {
            0 => "-".to_owned(),
            one => one.to_string(),
        });
        let rest = format!("{} | {}", case.source, case.class);
        row(&case.id, numbers.each_ref().map(String::as_str), &outcome(case, report), &rest);
        (inputs, runs) = (inputs + report.inputs, runs + report.runs);
    }
    let cuts = if trial::is_optimized() { "at every place" } else { "at some places" };
    println!(
        "\n{} cases, {inputs} inputs in {runs} runs: whole, byte by byte, and cut {cuts}, at each \
         place that can hear them.\nfine: nothing is wrong with it; report: told, the stream goes \
         on; skip: passed over as it arrives, told once;\nopaque: carried whole; ignore: passed over \
         without a word, as the protocol wants it; unfinished: more is waited for;\nclose: the end \
         of the connection, then silence; code: what bytes alone cannot say.\n",
        cases.len()
    );
    let mut lines = Vec::new();
    for case in cases {
        let tests = case.trial.tests.iter();
        lines.extend(tests.map(|test| format!("{:<4} {}: {}", case.id, test.file, test.name)));
    }
    let title = "Tried by tests elsewhere too, all of which `cargo test --workspace` runs:";
    print_list(title, &lines);
    let reasons = cases.iter().filter_map(|case| Some((&case.id, case.trial.not_yet.as_ref()?)));
    let lines: Vec<_> = reasons.map(|(id, reason)| format!("{id:<4} {reason}")).collect();
    print_list("Not yet:", &lines);
}

fn print_list(title: &str, lines: &[String]) {
    if !lines.is_empty() {
        println!("{title}\n{}\n", lines.join("\n"));
    }
}

fn place_in_list(id: &str) -> (Option<usize>, &str) {
    (LIST.iter().position(|(letter, _)| id.starts_with(*letter)), id)
}

/// The verdicts in a few words.
fn outcome(case: &Case, report: &Report) -> String {
    if !report.failures.is_empty() {
        return "FAILED".into();
    }
    let mut words: Vec<String> = report.verdicts.iter().map(ToString::to_string).collect();
    words.extend(case.trial.code.iter().map(|_| "code".into()));
    match case.trial.tests.len() {
        0 => {}
        1 => words.push("test".into()),
        more => words.push(format!("{more} tests")),
    }
    words.extend(case.trial.not_yet.iter().map(|_| "not yet".into()));
    words.join(", ")
}

/// Tries all cases, several at a time.
fn in_parallel(cases: &[Case]) -> Vec<Report> {
    let next = AtomicUsize::new(0);
    let reports: Vec<Mutex<Report>> = cases.iter().map(|_| Mutex::default()).collect();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((case, report)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    cases.get(at).zip(reports.get(at))
                } {
                    *report.lock().unwrap_or_else(PoisonError::into_inner) = try_case(case);
                }
            });
        }
    });
    reports
        .into_iter()
        .map(|one| one.into_inner().unwrap_or_else(PoisonError::into_inner))
        .collect()
}

fn try_case(case: &Case) -> Report {
    let mut report = Report::default();
    let caught = catch_unwind(AssertUnwindSafe(|| trial::all(case, &mut report)));
    if let Err(panic) = caught {
        report.failures.push(format!("panicked: {}", text_of(panic.as_ref())));
    }
    for name in &case.trial.code {
        match code::ALL.iter().find(|(known, _)| known == name) {
            None => report.failures.push(format!("there is no code called {name}")),
            Some((_, run)) => {
                report.runs += 1;
                watch::work(Some(format!("{}: {name}", case.id)));
                if let Err(panic) = catch_unwind(run) {
                    report.failures.push(format!("{name}: {}", text_of(panic.as_ref())));
                }
            }
        }
    }
    for test in &case.trial.tests {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(&test.file);
        let there = std::fs::read_to_string(&path)
            .is_ok_and(|text| text.contains(&format!("fn {}(", test.name)));
        if !there {
            report.failures.push(format!("{} has no test {}", test.file, test.name));
        }
    }
    watch::work(None);
    report
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    text.unwrap_or_else(|| "no text".into())
}

/// Whether the library has all files, and each is named after its first case.
fn files() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let files: BTreeSet<String> = entries
        .map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned())
        .collect();
    let names: BTreeSet<String> =
        library::CASES.iter().map(|(name, _)| format!("{name}.txt")).collect();
    let mut failures: Vec<String> = files
        .symmetric_difference(&names)
        .map(|name| format!("{name} is not both a file and in the library"))
        .collect();
    for (name, _) in library::CASES {
        let cases = library::cases_of(name);
        let id = cases.first().map(|case| case.id.to_lowercase()).unwrap_or_default();
        if cases.len() == 1 && !name.starts_with(&format!("{id}_")) {
            failures.push(format!("{name} is not named after {id}"));
        }
    }
    failures
}

/// Whether every case of the list is there, once, and every piece of code belongs to one.
fn complete(cases: &[Case]) -> Vec<String> {
    let (mut failures, mut wrong) = (Vec::new(), Vec::new());
    for (letter, most) in LIST {
        for number in 1..=most {
            let id = format!("{letter}{number:02}");
            let count = cases.iter().filter(|case| case.id == id).count();
            if count != 1 {
                wrong.push(format!("{id} {count}"));
            }
        }
    }
    if !wrong.is_empty() {
        failures.push(format!("not there once: {} times", wrong.join(", ")));
    }
    for (name, _) in code::ALL {
        if !cases.iter().any(|case| case.trial.code.iter().any(|code| code == name)) {
            failures.push(format!("{name} belongs to no case"));
        }
    }
    let whole = |input: &&msnp_proto::testing::case::Input| input.expands;
    for input in cases.iter().flat_map(|case| case.trial.inputs.iter()).filter(whole) {
        failures
            .extend(input.places().filter_map(|place| table::check_complete(input, place).err()));
    }
    failures
}
