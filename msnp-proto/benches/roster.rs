//! What the lists cost at the client: from the bytes that answer SYN to the roster.
//!
//! `cargo bench -p msnp-proto --bench roster`. The first should be within a millisecond.

#[allow(dead_code, reason = "each run is timed by itself here: its end does not count")]
mod support;

use std::hint::black_box;
use std::time::Instant;

use msnp_proto::client::{Config, Event as Report};
use msnp_proto::machine::Machine;
use msnp_proto::ns::{Credentials, Event, Notification, Roster};
use msnp_proto::time;
use support::{Figure, print_times};

const NOW: time::Instant = time::Instant::ZERO;

/// How often each is timed. The first time warms up and does not count.
const TIMES: usize = 301;

/// How many people there are on each of the four lists.
const CONTACTS: usize = 600;

const SIGN_IN: &str = "VER 1 MSNP7\r\nINF 2 MD5\r\nUSR 3 MD5 S 1700000000.123456789\r\n\
    USR 4 OK alice@example.net Alice 1\r\n";

fn contact(number: usize) -> String {
    format!("somebody{number}@example.net")
}

/// The answer to SYN: everybody on every list, under names that are coded, each with their phones
/// if asked.
fn dump(phones: bool) -> String {
    let mut dump = "SYN 5 12182\r\nGTC 5 12182 A\r\nBLP 5 12182 AL\r\n".to_owned();
    for key in ["PHH 555%200100", "PHW", "PHM", "MOB N", "MBE N"] {
        dump.push_str(&format!("PRP 5 12182 {key}\r\n"));
    }
    dump.push_str("LSG 5 12182 1 2 0 Other%20Contacts 0\r\nLSG 5 12182 2 2 5 Friends 0\r\n");
    for list in ["FL", "AL", "BL", "RL"] {
        for index in 1..=CONTACTS {
            let who = contact(index);
            let groups = if list == "FL" { " 0,5" } else { "" };
            dump.push_str(&format!(
                "LST 5 {list} 12182 {index} {CONTACTS} {who} Somebody%20Else%20{index}{groups}\r\n"
            ));
            if phones && list == "FL" {
                for key in ["PHH 555%200101", "PHW", "PHM", "MOB N"] {
                    dump.push_str(&format!("BPR 12182 {who} {key}\r\n"));
                }
            }
        }
    }
    dump
}

/// Somebody who has signed in and asked for the lists.
fn signed_in() -> Notification {
    let account = "alice@example.net".parse().expect("an account");
    let credentials = Credentials::new(account, "Pa55word".into());
    let mut config = Config::new();
    config.roster_entries = 4 * CONTACTS;
    let mut machine = Notification::new(NOW, config, credentials, Roster::new());
    machine.handle_input(NOW, SIGN_IN.as_bytes());
    while machine.poll_event().is_some() {}
    machine
}

/// How long the lists take, in nanoseconds, from the first byte until they are told to be whole.
fn time(dump: &str) -> f64 {
    let mut machine = signed_in();
    let start = Instant::now();
    for chunk in dump.as_bytes().chunks(16 * 1024) {
        machine.handle_input(NOW, black_box(chunk));
    }
    let mut synced = false;
    while let Some(event) = machine.poll_event() {
        match black_box(event) {
            Event::Tell(Report::Synced { unchanged, .. }) => synced = !unchanged,
            Event::Tell(Report::Warning(warning)) => panic!("{warning:?}"),
            _ => {}
        }
    }
    let taken = start.elapsed();
    assert!(synced, "the lists are whole");
    assert_eq!(machine.roster().entries(), 4 * CONTACTS);
    taken.as_nanos() as f64
}

fn main() {
    let dumps =
        [("2,400 lines of lists", dump(false)), ("the same, and 2,400 of phones", dump(true))];
    let figures = dumps.map(|(name, dump)| {
        let mut times: Vec<f64> = (0..=TIMES).map(|_| time(&dump)).skip(1).collect();
        times.sort_by(f64::total_cmp);
        Figure { name, median: times[TIMES / 2], least: times[0], most: times[TIMES - 1] }
    });
    print_times("SYN of 600 contacts on four lists, the whole", &figures);
}
