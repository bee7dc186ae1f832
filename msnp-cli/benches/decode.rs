//! How fast `decode` reads a capture of many people's evenings, in capture bytes a second.
//!
//! Each round is a process that reads a file of 100 MB and writes JSON to another; then the same in
//! this process, without files. Some packets come late, twice, or not at all.
//!
//! ```text
//! cargo bench -p msnp-cli --bench decode [-- MEGABYTES]
//! ```

#[path = "../tests/support/capture.rs"]
mod capture;

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use capture::{Capture, Faults};
use msnp_cli::decode::{Decoder, Form, Options};

const ROUNDS: usize = 7;

fn main() {
    // Cargo's own words, as `--bench`, are none of ours.
    let size = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(100_usize);
    let folder = std::env::temp_dir().join(format!("msnp-decode-{}", std::process::id()));
    fs::create_dir(&folder).expect("a fresh name");
    for (name, faults) in
        [("clean", Faults::default()), ("faulty", Faults { late: 20, twice: 10, lost: 2 })]
    {
        let file = capture(size * 1_000_000, faults);
        let path = folder.join(name);
        fs::write(&path, &file).expect("room on the disk");
        let mut process: Vec<Duration> = (0..ROUNDS).map(|_| run(&path, &folder)).collect();
        show(name, "process, file to file", &file, &mut process);
        for (what, form) in
            [("in memory, json", Form::Json), ("in memory, text", Form::Text { colour: false })]
        {
            let mut times: Vec<Duration> = (0..3).map(|_| in_memory(&file, form)).collect();
            show(name, what, &file, &mut times);
        }
    }
    fs::remove_dir_all(&folder).expect("our own folder");
}

fn capture(size: usize, faults: Faults) -> Vec<u8> {
    let mut capture = Capture::new(7, faults);
    let mut person = 0;
    while capture.file.len() < size {
        capture.evening(person);
        person += 1;
    }
    capture.settle();
    println!("{} bytes, {} commands of {person} people", capture.file.len(), capture.commands);
    capture.file
}

fn run(path: &Path, folder: &Path) -> Duration {
    let out = File::create(folder.join("out")).expect("room on the disk");
    let mut command = Command::new(env!("CARGO_BIN_EXE_msnp"));
    command.args(["decode", "-q", "-o", "json"]).arg(path).stdout(out);
    let begun = Instant::now();
    let status = command.status().expect("the program is built");
    assert!(status.success());
    begun.elapsed()
}

fn in_memory(file: &[u8], form: Form) -> Duration {
    let mut decoder = Decoder::new(Options::new(form));
    let begun = Instant::now();
    for block in file.chunks(256 * 1024) {
        decoder.push(block).expect("a good capture");
        decoder.output().clear();
    }
    decoder.finish().expect("a good capture");
    let elapsed = begun.elapsed();
    println!("{:?}", decoder.summary());
    elapsed
}

fn show(name: &str, what: &str, file: &[u8], times: &mut [Duration]) {
    times.sort_unstable();
    let rate = |time: &Duration| file.len() as f64 / time.as_secs_f64() / 1e6;
    let (best, median) =
        (times.first().map_or(0.0, rate), times.get(times.len() / 2).map_or(0.0, rate));
    println!("{name}, {what}: median {median:.0} MB/s, best {best:.0} MB/s");
}
