//! How many list changes a second `serve --data` commits for 20 clients at once, each of whom waits
//! for its answer before it asks for the next. A change is one ADD or REM on a contact list, which
//! changes two accounts; it is answered when the disk has it.
//!
//! ```text
//! cargo bench -p msnp-cli --bench data [-- FOLDER]
//! ```

#[path = "../tests/support/client.rs"]
mod client;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use client::Person;
use msnp_proto::ns::Change;
use msnp_proto::types::{Handle, List};

const CLIENTS: usize = 20;
const ROUNDS: usize = 7;
/// Changes of each client in one round.
const CHANGES: usize = 300;

fn main() {
    // Cargo's own words, as `--bench`, are none of ours.
    let folder = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let folder = folder.map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("msnp-bench-{}", std::process::id()));
    fs::create_dir(&folder).expect("a fresh name");
    let path = folder.join("data").display().to_string();
    println!("disk: {}", disk(&folder));
    let accounts: Vec<Handle> = (0..CLIENTS)
        .map(|number| Handle::new(&format!("{number}@example.net")).expect("an account"))
        .collect();
    for account in &accounts {
        let added = msnp(&["serve", "--data", &path, "user", "add", account.as_str()])
            .env("MSNP_PASSWORD", "geheim")
            .status();
        assert!(added.expect("the program is built").success());
    }
    let (mut server, at) = serve(&path);
    let barrier = Barrier::new(CLIENTS + 1);
    let mut rates: Vec<f64> = thread::scope(|scope| {
        for (number, account) in accounts.iter().enumerate() {
            let other = accounts.get((number + 1) % CLIENTS).expect("below the length");
            let (at, barrier) = (&at, &barrier);
            scope.spawn(move || {
                let mut person = Person::sign_in(at, account, "geheim").expect("it runs");
                for _ in 0..ROUNDS {
                    barrier.wait();
                    (0..CHANGES).for_each(|turn| change(&mut person, other, turn % 2 == 0));
                    barrier.wait();
                }
            });
        }
        let rounds = (0..ROUNDS).map(|_| {
            barrier.wait();
            let begun = Instant::now();
            barrier.wait();
            (CLIENTS * CHANGES) as f64 / begun.elapsed().as_secs_f64()
        });
        rounds.collect()
    });
    rates.sort_by(f64::total_cmp);
    let at = |place: usize| rates.get(place).copied().unwrap_or_default();
    println!(
        "committed list changes a second from {CLIENTS} clients: median {:.0}, range {:.0} to {:.0}",
        at(ROUNDS / 2),
        at(0),
        at(ROUNDS - 1)
    );
    server.kill().expect("it runs");
    server.wait().expect("it is ours");
    fs::remove_dir_all(&folder).expect("our own folder");
}

fn change(person: &mut Person, other: &Handle, add: bool) {
    let (list, account) = (List::Forward, other.clone());
    let change = match add {
        true => Change::Add { list, account, nick: None, group: None },
        false => Change::Remove { list, account, group: None },
    };
    let answer = person.ask(|client, now| client.change(now, change));
    answer.expect("it runs").expect("it is granted");
}

fn msnp(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_msnp"));
    command.args(args).stdout(Stdio::null());
    command
}

fn serve(path: &str) -> (Child, String) {
    let args = ["serve", "--listen", "127.0.0.1:0", "--changes", "0", "--data", path];
    let mut server = msnp(&args).stdout(Stdio::piped()).spawn().expect("the program is built");
    let mut lines = BufReader::new(server.stdout.take().expect("it is a pipe")).lines();
    let ready = lines.next().expect("a line").expect("UTF-8");
    // What it says from here on is not of interest, but somebody must read it.
    thread::spawn(move || lines.for_each(drop));
    let (_, after) = ready.split_once("listen ").expect("`ready` names the address");
    (server, after.split(',').next().unwrap_or_default().to_owned())
}

/// What one write to this disk costs that waits for it.
fn disk(folder: &std::path::Path) -> String {
    use std::io::Write;
    let mut file = fs::File::create(folder.join("probe")).expect("a writable folder");
    let mut times: Vec<Duration> = (0..50)
        .map(|_| {
            let begun = Instant::now();
            file.write_all(&[0; 4096]).and_then(|()| file.sync_data()).expect("room");
            begun.elapsed()
        })
        .collect();
    times.sort();
    format!(
        "4 KiB written and waited for in {:?} (median)",
        times.get(25).copied().unwrap_or_default()
    )
}
