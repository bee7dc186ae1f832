//! The table of commands: what the documentation says is what the code has, and what the code has
//! is what the protocol's documents have.
//!
//! `WRITE_COMMANDS=1 cargo test -p msnp-proto --test command_table` writes `COMMANDS.md` anew.

use std::collections::BTreeSet;
use std::fmt::Write;

use msnp_proto::commands;
use msnp_proto::transcript::Side;
use msnp_proto::types::{Dialect, ErrorCode};
use msnp_proto::wire::{Place, VerbRow};

#[path = "command_table/reference.rs"]
mod reference;

use reference::{APPEARANCES, COMMANDS, Command, OWN_REFUSALS, REFUSALS, Trid};

fn verb(row: &VerbRow) -> String {
    row.verb.to_string()
}

/// The page of documentation: a row for each command of each side, a column for each dialect, and
/// in each cell the servers that have it there.
fn page() -> String {
    let mut page = String::from(
        "\n# Commands\n\n\
         Who says it, at which server (D dispatch, N notification, B switchboard) in which \
         dialect, and the lines that are read and written. In `[]` is what may be missing at the \
         end of a line.\n\n",
    );
    let mut head = String::from("| says | command |");
    for dialect in Dialect::ALL {
        write!(head, " {dialect} |").expect("a string");
    }
    head.push_str(" payload | lines |\n|---|---|---|---|---|---|---|---|---|---|\n");
    page.push_str(&head);
    for (side, row) in commands::all() {
        let says = match side {
            Side::Client => "client",
            Side::Server => "server",
        };
        write!(page, "| {says} | {} |", verb(row)).expect("a string");
        for dialect in Dialect::ALL {
            match dialect.number() >= row.since {
                true => write!(page, " {} |", row.roles).expect("a string"),
                false => page.push_str(" |"),
            }
        }
        page.push_str(if row.payload { " yes |" } else { " |" });
        let lines: Vec<String> = row
            .shapes
            .iter()
            .map(|shape| {
                let arguments = shape.arguments.iter().map(ToString::to_string);
                format!("`{}{}`", verb(row), arguments.collect::<String>())
            })
            .collect();
        writeln!(page, " {} |", lines.join("<br>")).expect("a string");
    }
    page.push_str(
        "\n# Refusals\n\nWhat a server may answer instead, besides those that any request may be \
         refused with: ",
    );
    let names = |codes: &[ErrorCode]| -> String {
        codes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    write!(page, "{}.\n\n| request | servers | refused with |\n|---|---|---|\n", {
        names(ErrorCode::OF_ANY)
    })
    .expect("a string");
    for (_, row) in commands::all().filter(|(_, row)| !row.refusals.is_empty()) {
        let refusals = names(row.refusals);
        writeln!(page, "| {} | {} | {refusals} |", verb(row), row.roles).expect("a string");
    }
    page
}

#[test]
fn the_page_is_what_the_code_has() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/COMMANDS.md");
    let page = page();
    if std::env::var_os("WRITE_COMMANDS").is_some() {
        std::fs::write(path, &page).expect("the page can be written");
    }
    let written = std::fs::read_to_string(path).expect("the page is there");
    let differs = page.lines().zip(written.lines()).find(|(now, before)| now != before);
    assert_eq!(differs, None, "write it anew with WRITE_COMMANDS=1");
    assert_eq!(page.len(), written.len(), "write it anew with WRITE_COMMANDS=1");
}

/// All servers that one side says a verb at, whichever of the two tables they are in.
fn servers(side: Side, name: &str) -> String {
    let rows = commands::all().filter(|(says, row)| *says == side && verb(row) == name);
    let letters: BTreeSet<char> =
        rows.flat_map(|(_, row)| row.roles.to_string().chars().collect::<Vec<_>>()).collect();
    "DNB".chars().filter(|letter| letters.contains(letter)).collect()
}

#[test]
fn every_command_of_the_reference_is_here_as_it_is_there() {
    for Command { name, client, server, since, trid, payload } in COMMANDS {
        assert_eq!(servers(Side::Client, name), *client, "{name}, what clients say");
        assert_eq!(servers(Side::Server, name), *server, "{name}, what servers say");
        for (side, row) in commands::all().filter(|(_, row)| verb(row) == *name) {
            assert_eq!(row.since, *since, "{name}, the first dialect");
            let (has, letter) = match side {
                Side::Client => (payload.contains('C'), "C"),
                Side::Server => (payload.contains('S'), "S"),
            };
            assert_eq!(row.payload, has, "{name}, payload in what {letter} says");
            for shape in row.shapes {
                let first = shape.arguments.first().map(|argument| argument.name);
                let expected = match (side, trid) {
                    (Side::Client, _) => !matches!(*name, "PNG" | "OUT"),
                    (Side::Server, Trid::Yes) => !reference::WITHOUT_TRID.contains(&shape.name),
                    (Side::Server, Trid::No) => false,
                };
                assert_eq!(first == Some("trid"), expected, "{name} {}", shape.name);
            }
        }
    }
}

#[test]
fn nothing_is_here_that_the_reference_does_not_have() {
    let known: BTreeSet<&str> = COMMANDS.iter().map(|command| command.name).collect();
    let here: BTreeSet<String> = commands::all().map(|(_, row)| verb(row)).collect();
    for name in &here {
        assert!(known.contains(name.as_str()), "{name} is in no document");
    }
    assert_eq!(here.len(), known.len());
}

#[test]
fn arguments_came_when_the_reference_says() {
    let mut here = BTreeSet::new();
    for (side, row) in commands::all() {
        for shape in row.shapes {
            for argument in shape.arguments {
                if let Some(since) = argument.since {
                    assert_eq!(argument.place, Place::Optional, "older clients do not say it");
                    assert!(since > row.since, "{} is as old as its command", argument.name);
                    here.insert((side, verb(row), argument.name, since));
                }
            }
        }
    }
    let there: BTreeSet<_> = APPEARANCES
        .iter()
        .map(|(side, name, argument, since)| (*side, (*name).to_owned(), *argument, *since))
        .collect();
    assert_eq!(here, there);
}

#[test]
fn payloads_are_last_and_where_the_row_says() {
    for (_, row) in commands::all() {
        for shape in row.shapes {
            let (last, others) = match shape.arguments.split_last() {
                Some((last, others)) => (Some(last.place), others),
                None => (None, &[][..]),
            };
            assert_eq!(last == Some(Place::Payload), row.payload, "{} {}", row.verb, shape.name);
            assert!(others.iter().all(|argument| argument.place != Place::Payload));
            let optional: Vec<bool> =
                shape.arguments.iter().map(|it| it.place == Place::Optional).collect();
            assert!(optional.is_sorted(), "{} {}: missing in the middle", row.verb, shape.name);
        }
    }
}

#[test]
fn requests_are_refused_as_the_reference_says() {
    let row_of = |server: &str, name: &str| {
        let mut rows = commands::all().filter(|(side, row)| {
            let at = row.roles.to_string().contains(server);
            *side == Side::Client && at && verb(row) == name
        });
        rows.next().unwrap_or_else(|| panic!("{name} is not said at {server}")).1
    };
    for (server, name, codes) in REFUSALS {
        let own = OWN_REFUSALS.iter().filter(|(of, ..)| of == name).map(|(_, code, _)| *code);
        let mut expected: Vec<u16> = codes.iter().copied().chain(own).collect();
        expected.sort_unstable();
        let here: Vec<u16> =
            row_of(server, name).refusals.iter().map(|code| code.number()).collect();
        assert_eq!(here, expected, "{name} at {server}");
    }
    let listed = REFUSALS.len();
    let here = commands::all().filter(|(side, _)| *side == Side::Client).count();
    assert_eq!(listed, here, "every request is in the list");
    for (_, row) in commands::all().filter(|(side, _)| *side == Side::Server) {
        assert_eq!(row.refusals, [], "{} is no request", row.verb);
    }
}
