//! What is in force, and where each value comes from.
//!
//! This module knows how to find that out from a parsed command line. It shows no secret.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory};

use super::file::{File, Place};
use super::{at, innermost, keys, path_of, settle, source};
use crate::args::Cli;
use crate::events::{Configured, Source};
use crate::failure::Failure;
use crate::password;

/// What is shown in place of a secret.
const MASK: &str = "***";

/// The settings for one command line, which may leave out what has to be said.
pub(crate) fn of_line(line: &[OsString]) -> Result<Vec<Configured>, Failure> {
    let program = [OsString::from("msnp")];
    let settled =
        settle(|| lenient(Cli::command()), program.iter().chain(line).cloned().collect())?;
    let path = path_of(&settled.matches);
    let command = at(&settled.command, &path).unwrap_or(&settled.command);
    let matches = innermost(&settled.matches);
    let file = settled.file.as_ref();
    let mut rows: Vec<Configured> =
        keys::in_command(command).map(|arg| row(arg, matches, file)).collect();
    if command.get_arguments().any(|arg| arg.get_id() == "server") {
        rows.extend(password(file));
    }
    rows.insert(0, file_row(file, &settled.matches));
    Ok(rows)
}

/// The settings of all verbs, each value once with the verbs that it holds for.
pub(crate) fn of_all(globals: &[OsString]) -> Result<Vec<Configured>, Failure> {
    let mut rows: Vec<(Configured, Vec<String>)> = Vec::new();
    let mut leaves = Vec::new();
    collect_leaves(&Cli::command(), &mut Vec::new(), &mut leaves);
    let mut order = BTreeMap::new();
    for path in leaves {
        let Some(verb) = path.first().cloned() else { continue };
        let line: Vec<OsString> =
            globals.iter().cloned().chain(path.iter().map(OsString::from)).collect();
        for row in of_line(&line)? {
            let next = order.len();
            order.entry(row.name.clone()).or_insert(next);
            match rows.iter_mut().find(|(known, _)| *known == row) {
                Some((_, verbs)) if verbs.contains(&verb) => {}
                Some((_, verbs)) => verbs.push(verb.clone()),
                None => rows.push((row, vec![verb.clone()])),
            }
        }
    }
    rows.sort_by_key(|(row, _)| order.get(&row.name).copied());
    let names: Vec<String> = rows.iter().map(|(row, _)| row.name.clone()).collect();
    let is_alone = |name: &str| names.iter().filter(|other| *other == name).count() == 1;
    Ok(rows
        .into_iter()
        .map(|(row, verbs)| Configured {
            verbs: if is_alone(&row.name) { vec![] } else { verbs },
            ..row
        })
        .collect())
}

/// The ways to all commands that have none below.
fn collect_leaves(command: &Command, path: &mut Vec<String>, leaves: &mut Vec<Vec<String>>) {
    for inner in command.get_subcommands() {
        path.push(inner.get_name().to_owned());
        if keys::in_command(inner).next().is_some() {
            leaves.push(path.clone());
        }
        collect_leaves(inner, path, leaves);
        path.pop();
    }
}

/// The definition in which nothing has to be said.
fn lenient(command: Command) -> Command {
    let relaxed = command.mut_args(|arg| arg.required(false));
    let relaxed = relaxed.subcommand_required(false).arg_required_else_help(false);
    relaxed.mut_subcommands(lenient)
}

fn row(arg: &Arg, matches: &ArgMatches, file: Option<&File>) -> Configured {
    let id = arg.get_id().as_str();
    let raw = matches.try_get_raw(id).ok().flatten();
    let words: Vec<String> =
        raw.into_iter().flatten().map(|word| word.to_string_lossy().into_owned()).collect();
    let value = match arg.get_action() {
        clap::ArgAction::SetTrue => Some(matches.get_flag(id).to_string()),
        clap::ArgAction::Count => Some(matches.get_count(id).to_string()),
        _ => (!words.is_empty()).then(|| words.join(",")),
    };
    let mut row = Configured { name: keys::of(arg), value, ..Configured::default() };
    let in_file = file.and_then(|file| file.entry(id).map(|entry| (file, &entry.at)));
    match (source(matches, id), in_file) {
        (Some(ValueSource::CommandLine), _) => row.source = Some(Source::Option),
        (Some(ValueSource::EnvVariable), _) => {
            row.source = Some(Source::Environment);
            row.variable = arg.get_env().map(|name| name.to_string_lossy().into_owned());
        }
        (_, Some((file, at))) => place(&mut row, file, at),
        (_, None) if row.value.is_some() => row.source = Some(Source::BuiltIn),
        _ => row.reason = withheld(file, &row.name),
    }
    row
}

fn place(row: &mut Configured, file: &File, at: &Place) {
    row.source = Some(Source::File);
    row.file = Some(file.path.display().to_string());
    row.line = at.line;
    row.profile.clone_from(&at.profile);
}

/// The password itself, where it is in force, masked.
fn password(file: Option<&File>) -> Option<Configured> {
    let mut row = Configured { name: "password".into(), ..Configured::default() };
    row.value = Some(MASK.into());
    if let Some(password) = file.and_then(|file| file.password.as_ref()) {
        place(&mut row, file?, &password.at);
    } else if std::env::var_os(password::VARIABLE).is_some() {
        row.source = Some(Source::Environment);
        row.variable = Some(password::VARIABLE.into());
    } else {
        row.value = None;
        row.reason = withheld(file, &row.name);
    }
    Some(row)
}

/// Why what stands in the file for this key is not in force.
fn withheld(file: Option<&File>, key: &str) -> Option<String> {
    let withheld = file.and_then(|file| file.withheld.as_ref());
    withheld.filter(|withheld| withheld.key == key).map(ToString::to_string)
}

/// The file that was read.
fn file_row(file: Option<&File>, matches: &ArgMatches) -> Configured {
    let mut row = Configured { name: "config".into(), ..Configured::default() };
    row.value = file.map(|file| file.path.display().to_string());
    row.profile = matches.get_one::<String>("profile").cloned();
    row.source = match source(matches, "config") {
        _ if file.is_none() => None,
        Some(ValueSource::CommandLine) => Some(Source::Option),
        Some(ValueSource::EnvVariable) => Some(Source::Environment),
        _ => Some(Source::BuiltIn),
    };
    if row.source == Some(Source::Environment) {
        row.variable = Some("MSNP_CONFIG".into());
    }
    row
}
