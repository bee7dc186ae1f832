//! The configuration file, and the one way in which options, environment, file and built-in values
//! come together.
//!
//! A value of the file becomes the built-in value of its option for this run, before the command
//! line is read. So the command line and the environment win by the rules that they have anyway,
//! and a value is read by the same reader wherever it stands. What the file may hold is in
//! [`keys`], how it is read in [`file`], and what is in force is shown by [`report`].

pub(crate) mod file;
mod keys;
pub(crate) mod report;
pub(crate) mod toml;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches};

use crate::args::Cli;
use crate::failure::Failure;
use crate::{password, usage};
use file::File;
pub(crate) use keys::nearest;

/// A command line and what the file adds to it.
pub(crate) struct Settled {
    command: Command,
    pub(crate) matches: ArgMatches,
    pub(crate) file: Option<File>,
}

/// Reads the command line of this process with what stands in the file. A wrong command line, and
/// `--help`, end the program here.
pub(crate) fn parse() -> Result<Cli, Failure> {
    let settled = settle(Cli::command, std::env::args_os().collect())?;
    let Settled { mut command, matches, file } = settled;
    let mut cli = Cli::from_arg_matches(&matches)
        .unwrap_or_else(|error| usage::end(error.format(&mut command)));
    let said = innermost(&matches);
    cli.verb.sort(&|id| is_given(said, id));
    cli.place.sort(source(said, "config") == Some(ValueSource::CommandLine));
    if let (Some(sign_in), Some(file)) = (cli.verb.sign_in_mut(), file) {
        let File { path, password, withheld, .. } = file;
        let password = password.map(|password| password.value);
        let withheld = withheld.map(|why| format!("{}, {why}", path.display()));
        sign_in.set_configured(password, withheld);
    }
    Ok(cli)
}

/// Reads `line` by the definition that `define` gives, with what stands in the file that the line, or
/// the environment, names.
pub(crate) fn settle(
    define: impl Fn() -> Command,
    line: Vec<OsString>,
) -> Result<Settled, Failure> {
    let define = || without_empty_variables(define());
    let read = |command: &mut Command| {
        command.try_get_matches_from_mut(&line).unwrap_or_else(|error| usage::end(error))
    };
    // Reading a line completes the definition, so that it cannot be changed behind it.
    let mut command = define();
    let matches = read(&mut command);
    let path = path_of(&matches);
    let is_named = ["config", "profile"].iter().any(|id| is_given(&matches, id));
    if !keys::any_in(&command, &path) && !is_named {
        return Ok(Settled { command, matches, file: None });
    }
    let profile = matches.get_one::<String>("profile").map(String::as_str);
    let Some((place, must_exist)) = place(&mut command, &matches) else {
        if profile.is_some() {
            let text = "--profile needs a configuration file, and there is none";
            usage::end(command.error(ErrorKind::ArgumentConflict, text));
        }
        return Ok(Settled { command, matches, file: None });
    };
    let Some(mut file) = File::load(&command, &place, must_exist, profile)? else {
        return Ok(Settled { command, matches, file: None });
    };
    file.yield_to(&command, &matches, std::env::var_os(password::VARIABLE).is_some());
    let mut command = file.apply(define(), &path);
    let matches = read(&mut command);
    Ok(Settled { command, matches, file: Some(file) })
}

/// The definition in which a variable that is empty is not set: that is how a shell unsets one for
/// a single command.
fn without_empty_variables(command: Command) -> Command {
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    let command = command.mut_args(|arg| match arg.get_env().is_some_and(is_empty) {
        true => arg.env(Resettable::Reset),
        false => arg,
    });
    command.mut_subcommands(without_empty_variables)
}

/// The words that lead to the command which the line is for.
pub(crate) fn path_of(matches: &ArgMatches) -> Vec<String> {
    let mut path = Vec::new();
    let mut rest = matches;
    while let Some((name, inner)) = rest.subcommand() {
        path.push(name.to_owned());
        rest = inner;
    }
    path
}

/// The matches of the command which the line is for.
pub(crate) fn innermost(mut matches: &ArgMatches) -> &ArgMatches {
    while let Some((_, inner)) = matches.subcommand() {
        matches = inner;
    }
    matches
}

/// The definition of the command which a path leads to.
pub(crate) fn at<'a>(mut command: &'a Command, path: &[String]) -> Option<&'a Command> {
    for name in path {
        command = command.find_subcommand(name)?;
    }
    Some(command)
}

fn is_given(matches: &ArgMatches, id: &str) -> bool {
    source(matches, id).is_some_and(|source| source != ValueSource::DefaultValue)
}

/// Where a value comes from; `None` also for an option that this command does not have.
fn source(matches: &ArgMatches, id: &str) -> Option<ValueSource> {
    match matches.try_contains_id(id) {
        Ok(true) => matches.value_source(id),
        _ => None,
    }
}

/// Which file to read, and whether it was named, so that it must be there.
fn place(command: &mut Command, matches: &ArgMatches) -> Option<(PathBuf, bool)> {
    if matches.get_flag("no_config") {
        if source(matches, "config") == Some(ValueSource::CommandLine) {
            let text = "--config and --no-config exclude each other";
            usage::end(command.error(ErrorKind::ArgumentConflict, text));
        }
        return None;
    }
    if let Some(named) = matches.get_one::<PathBuf>("config") {
        return Some((named.clone(), true));
    }
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    // As the XDG specification has it, one that is not absolute does not count.
    let base = folder("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let base = base.or_else(|| folder("HOME").map(|home| home.join(".config")))?;
    Some((base.join("msnp").join("config.toml"), false))
}
