//! Every request in every state, in every dialect, with every number of arguments, and at and over
//! its limits: the documented answer or the end, and nothing half changed.

#[path = "../hub_support/mod.rs"]
mod hub_support;
mod limits;
mod rows;
mod state;

use hub_support::{World, config, handle, three};
use msnp_proto::commands;
use msnp_proto::hub::Record;
use msnp_proto::transcript::Side;
use msnp_proto::types::{Dialect, ErrorCode};
use msnp_proto::{ns, sb};
use rows::{REQUESTS, TALK};
use state::State;

fn records(w: &World) -> Vec<Record> {
    ["alice", "bob", "carol"]
        .map(|name| w.hub.directory().record(&handle(&format!("{name}@example.net"))).cloned())
        .into_iter()
        .flatten()
        .collect()
}

/// The hub's own copy of Alice's lists, as somebody who is signed in sees it.
fn dump(w: &mut World) -> Vec<String> {
    let alice = w.sign_in("alice@example.net", "MSNP7");
    w.ask(alice, "SYN 99 0")
}

/// Says something in a state and checks the answer, and that an error changes nothing.
#[track_caller]
fn check(state: State, bytes: &[u8], answer: &str, stays: bool) {
    let (mut w, conn) = state.enter();
    let before = records(&w);
    w.send(conn, bytes);
    let told = format!("{state:?} {}", bytes.escape_ascii());
    let heard = w.heard(conn);
    check_listed(state, bytes, &heard);
    match answer {
        "_" => assert_eq!(heard, [""; 0], "{told}"),
        _ => {
            assert!(heard.first().is_some_and(|line| line.starts_with(answer)), "{told}: {heard:?}")
        }
    }
    assert_eq!(!w.is_closed(conn), stays, "{told}: {heard:?}");
    let refused = answer == "_" || answer.as_bytes().first().is_some_and(u8::is_ascii_digit);
    if refused {
        assert_eq!(records(&w), before, "{told}");
    }
    let dumped = dump(&mut w);
    let version = records(&w)[0].version;
    assert_eq!(dumped[0], format!("SYN 99 {}", version.0), "{told}");
}

/// An error number is one of those that the documentation of the request has.
#[track_caller]
fn check_listed(state: State, bytes: &[u8], heard: &[String]) {
    let number = heard.first().and_then(|line| line.get(..3)?.parse().ok());
    let Some(code) = number.and_then(ErrorCode::new) else { return };
    let name = String::from_utf8_lossy(&bytes[..3]);
    let mut rows = commands::all().filter(|(side, row)| {
        let here = row.roles.switchboard == state.is_switchboard();
        *side == Side::Client && here && row.verb.to_string() == name
    });
    let own = rows.next().map_or(&[][..], |(_, row)| row.refusals);
    let listed = own.contains(&code) || ErrorCode::OF_ANY.contains(&code);
    assert!(listed, "{code} is not among the refusals of {name}");
}

#[test]
fn the_tables_have_every_request() {
    for (rows, verbs) in [(REQUESTS, ns::Request::VERBS), (TALK, sb::Request::VERBS)] {
        for verb in verbs {
            let name = std::str::from_utf8(verb.verb.as_bytes()).unwrap_or_default().to_owned();
            assert!(rows.iter().any(|row| row.verb() == name), "{name} is missing");
        }
    }
}

#[test]
fn every_request_in_every_state() {
    for state in State::ALL {
        for row in REQUESTS.iter().chain(TALK) {
            let switchboard_usr = row.line.starts_with("USR 7 alice");
            if state.is_switchboard() && row.verb() == "USR" && !switchboard_usr {
                // A form for the other server: `MD5` is taken for an account.
                continue;
            }
            let (answer, stays) = state.expected(row);
            check(state, &row.bytes(row.line), answer, stays);
        }
    }
}

#[test]
fn every_number_of_arguments() {
    for (state, rows) in [(State::Online, REQUESTS), (State::Seated, TALK)] {
        for row in rows {
            let words: Vec<&str> = row.line.split(' ').collect();
            for count in 0..words.len() {
                let line = words[..=count].join(" ");
                let bytes = row.bytes(&line);
                if count >= row.needs {
                    let (answer, stays) = state.expected(row);
                    // With less said the answer says less.
                    let answer = if count + 1 < words.len() { first_words(answer) } else { answer };
                    check(state, &bytes, answer, stays);
                } else if count == 0 {
                    // Without an id nobody can be answered. A payload's length is not one.
                    check(state, &bytes, "_", false);
                } else {
                    let answer = if row.verb() == "USR" && state == State::Online {
                        "207 7"
                    } else {
                        "201 7"
                    };
                    check(state, &bytes, answer, true);
                }
            }
            for extra in [1, 2, 100] {
                let line = format!("{}{}", row.line, " more".repeat(extra));
                let takes_words = matches!(row.verb(), "REM" | "CVR" | "CVQ" | "FND" | "VER");
                if row.payload.is_none() && !takes_words {
                    let (answer, stays) = state.expected(row);
                    check(state, &row.bytes(&line), answer, stays);
                }
            }
        }
    }
}

fn first_words(answer: &str) -> &str {
    let end = answer.match_indices(' ').nth(1).map_or(answer.len(), |(place, _)| place);
    &answer[..end.min(5)]
}

#[test]
fn ids_that_are_none_end_every_connection() {
    for id in ["-1", "abc", "4294967296", "99999999999999999999", "+1", "0x1"] {
        for (state, rows) in [(State::Online, REQUESTS), (State::Seated, TALK)] {
            for row in rows.iter().filter(|row| row.needs > 0) {
                let line = row.line.replacen(" 7", &format!(" {id}"), 1);
                check(state, &row.bytes(&line), "_", false);
            }
        }
    }
    for id in ["0", "007", "4294967295"] {
        check(State::Online, format!("CHG {id} BSY\r\n").as_bytes(), "CHG ", true);
    }
}

/// A command that came later than the dialect ends the connection, as on real servers; what the
/// dialect has does not.
#[test]
fn every_request_in_every_dialect() {
    for dialect in Dialect::ALL {
        for row in REQUESTS {
            let since = ns::Request::VERBS.iter().find(|verb| verb.verb.to_string() == row.verb());
            let known = since.is_some_and(|verb| verb.since <= dialect.number());
            let mut config = config();
            config.challenges = false;
            let mut w = World::with(config, three());
            let conn = w.sign_in("alice@example.net", dialect.as_str());
            let before = records(&w);
            w.send(conn, &row.bytes(row.line));
            let heard = w.heard(conn);
            if known {
                let ended = w.is_closed(conn);
                assert_eq!(ended, row.ends(), "{dialect} {}: {heard:?}", row.line);
            } else {
                assert!(w.is_closed(conn), "{dialect} {}", row.line);
                assert_eq!(heard, [""; 0], "{dialect} {}", row.line);
                assert_eq!(records(&w), before, "{dialect} {}", row.line);
            }
        }
    }
}
