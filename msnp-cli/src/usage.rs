//! A command line that is wrong, said so that nothing in it can harm the terminal.
//!
//! This module knows the parser's errors. Their words stay as they are; what the user wrote is shown
//! escaped, and no more of it than one can read.

use std::io::{self, Write};
use std::process;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory, Error};

use crate::args::Cli;
use crate::config::nearest;
use crate::escape::{Escaped, without_controls};
use crate::exit::Exit;

/// Of a word of the command line so many characters are shown.
const SHOWN: usize = 100;

/// Of a line so many; the longest of our own is a third of that.
const LINE: usize = 500;

/// Prints what the parser has to say, and ends the program: help was asked for, or a mistake made.
pub(crate) fn end(error: Error) -> ! {
    let exit = if error.use_stderr() {
        // If this cannot be written, the code still tells.
        let _ = io::stderr().write_all(text(error).as_bytes());
        Exit::Usage
    } else {
        let written = io::stdout().write_all(error.render().to_string().as_bytes());
        match written.and_then(|()| io::stdout().flush()) {
            Ok(()) => Exit::Done,
            Err(_) => Exit::Io,
        }
    };
    process::exit(exit.code().into())
}

/// The error with its hints, as lines that end.
fn text(mut error: Error) -> String {
    advise(&mut error);
    let shown: Vec<(ContextKind, ContextValue)> =
        error.context().filter_map(|(kind, value)| Some((kind, shown(value)?))).collect();
    for (kind, value) in shown {
        error.insert(kind, value);
    }
    let text = error.render().to_string();
    let mut out = String::from("msnp: ");
    for line in text.lines() {
        // A reader of values may repeat one.
        out.extend(without_controls(line).chars().take(LINE));
        out.push('\n');
    }
    out
}

/// What may help with an option that is none: in words of two letters the parser sees no likeness,
/// and takes an option of a verb in front of the verb for nothing.
fn advise(error: &mut Error) {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg) else { return };
    if error.kind() != ErrorKind::UnknownArgument || error.get(ContextKind::SuggestedArg).is_some()
    {
        return;
    }
    let word = word.clone();
    let mut program = Cli::command();
    program.build();
    let usage = error.get(ContextKind::Usage).map(ToString::to_string).unwrap_or_default();
    let command = named_in(&program, &usage);
    let longs = || command.get_arguments().filter_map(Arg::get_long);
    let near = word.strip_prefix("--").and_then(|word| {
        let slip = || longs().find(|long| strsim::levenshtein(word, long) == 1);
        nearest(word, longs()).or_else(slip)
    });
    let advice = match near {
        Some(long) => {
            // To take it for a value is the worse advice.
            error.remove(ContextKind::Suggested);
            (ContextKind::SuggestedArg, ContextValue::String(format!("--{long}")))
        }
        None if command.get_name() == program.get_name() && is_of_a_verb(&program, &word) => {
            let text = format!("options go behind the verb, as in `msnp VERB {}`", fit(&word));
            (ContextKind::Suggested, ContextValue::StyledStrs(vec![text.into()]))
        }
        None => return,
    };
    error.insert(advice.0, advice.1);
}

/// The command that a line of usage is for.
fn named_in<'a>(program: &'a Command, usage: &str) -> &'a Command {
    let mut command = program;
    for word in usage.split_whitespace() {
        command = command.find_subcommand(word).unwrap_or(command);
    }
    command
}

fn is_of_a_verb(program: &Command, word: &str) -> bool {
    let is = |arg: &Arg| {
        let long = arg.get_long().map(|long| format!("--{long}"));
        let short = arg.get_short().map(|short| format!("-{short}"));
        long.as_deref() == Some(word) || short.as_deref() == Some(word)
    };
    program.get_subcommands().any(|verb| verb.get_arguments().any(is))
}

/// What may be the user's own words, fit to be shown.
fn shown(value: &ContextValue) -> Option<ContextValue> {
    Some(match value {
        ContextValue::String(word) => ContextValue::String(fit(word)),
        ContextValue::Strings(words) => {
            ContextValue::Strings(words.iter().map(|word| fit(word)).collect())
        }
        ContextValue::StyledStrs(words) => {
            let words = words.iter().map(|word| StyledStr::from(fit(&word.to_string())));
            ContextValue::StyledStrs(words.collect())
        }
        _ => return None,
    })
}

fn fit(word: &str) -> String {
    let start: String = word.chars().take(SHOWN).collect();
    let dots = if start.len() < word.len() { "..." } else { "" };
    format!("{}{dots}", Escaped(&start))
}

#[cfg(test)]
mod tests {
    use std::ffi::{OsStr, OsString};
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    /// What people and programs put where a value should be.
    fn hostile() -> Vec<OsString> {
        let long = "x".repeat(5_000);
        let texts = [
            "",
            " ",
            "-",
            "--",
            "-1",
            "0",
            "1e9",
            "NaN",
            "18446744073709551616",
            "999999999999999y",
            "'; rm -rf /",
            "../../../etc/passwd",
            "%s%n",
            "a\nb: error: forged",
            "a\r\nb",
            "\x1b[2J",
            "\x1b]0;title\x07",
            "\u{9b}31m",
            "\u{202e}cod.exe",
            "\u{85}\u{2028}",
            "\u{feff}",
            "a\tb\\n",
            "loopback",
            &long,
        ];
        let bytes: [&[u8]; 2] = [b"\xff\xfe", b"caf\xe9\x1b[2J"];
        let texts = texts.iter().map(OsString::from);
        texts.chain(bytes.iter().map(|bytes| OsStr::from_bytes(bytes).to_owned())).collect()
    }

    /// Each option once, with a command that has it: those that several share are the same there.
    fn options(command: &Command, into: &mut Vec<(Command, Arg)>) {
        for arg in command.get_arguments() {
            let is_known = |(_, known): &(Command, Arg)| {
                known.get_id() == arg.get_id() && known.get_help() == arg.get_help()
            };
            if !into.iter().any(is_known) {
                into.push((command.clone(), arg.clone()));
            }
        }
        command.get_subcommands().for_each(|inner| options(inner, into));
    }

    fn assert_fit_to_be_shown(error: Error, line: &[OsString]) {
        // The whole help, as nothing was said.
        if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            return;
        }
        assert_eq!(error.exit_code(), 2);
        let said = text(error);
        let start: String = format!("{line:?}").chars().take(200).collect();
        assert!(said.starts_with("msnp: error: "), "{start}: {said}");
        assert!(said.lines().count() <= 12 && said.len() < 2000, "{start}: {said}");
        let raw = said.chars().find(|c| {
            *c != '\n'
                && (c.is_control()
                    || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{feff}'))
        });
        assert_eq!(raw, None, "{start}: {said}");
        let forged = said.lines().skip(1).any(|line| line.starts_with("b: error"));
        assert!(!forged, "{start}: {said}");
    }

    #[test]
    fn every_value_of_every_option_is_taken_or_refused_in_a_few_clean_lines() {
        let mut command = Cli::command();
        command.build();
        let mut all = Vec::new();
        options(&command, &mut all);
        assert!(all.len() > 60, "{}", all.len());
        let mut refused = 0;
        for (command, arg) in &all {
            for value in hostile() {
                let start = match (arg.get_long(), arg.get_short()) {
                    (Some(long), _) => format!("--{long}="),
                    (None, Some(short)) => format!("-{short}"),
                    (None, None) => String::new(),
                };
                let mut word = OsString::from(start);
                word.push(&value);
                let line = if arg.is_positional() { vec!["--".into(), word] } else { vec![word] };
                let command = command.clone().no_binary_name(true);
                match command.try_get_matches_from(&line) {
                    Err(error) if error.use_stderr() => {
                        assert_fit_to_be_shown(error, &line);
                        refused += 1;
                    }
                    _ => {}
                }
            }
        }
        assert!(refused > 1000, "{refused}");
    }

    #[test]
    fn words_that_are_nothing_are_refused_with_a_hint() {
        let rows: [(&[&str], &str); 26] = [
            (&["sned"], "'send'"),
            (&["snd", "--to", "a@b.c"], "'send'"),
            (&["contacts", "ad"], "'add'"),
            (&["serve", "usr"], "'user'"),
            (&["send", "--too", "a@b.c"], "'--to'"),
            (&["send", "--tto", "a@b.c"], "'--to'"),
            (
                &["-q", "send", "--to", "a@b.c", "x"],
                "options go behind the verb, as in `msnp VERB -q`",
            ),
            (&["--server", "x", "send"], "options go behind the verb"),
            (&["send", "--pasword-file", "x"], "'--password-file'"),
            (&["send", "--password", "x"], "'--password-file'"),
            (&["listen", "--counts", "1"], "'--count'"),
            (&["send", "--until", "aked"], "'acked'"),
            (&["send", "-o", "jsn"], "'json'"),
            (&["completions", "bsh"], "'bash'"),
            (&["check", "--as-far-as", "conect"], "'connect'"),
            (&["--hlep"], "'--help'"),
            (&["--versoin"], "'--version'"),
            (&["send", "--hepl"], "'--help'"),
            (&["serve", "--helpall"], "'--help-all'"),
            (&["hlep"], "'--help'"),
            (&["help", "send"], "'--help'"),
            (&["serve", "--operater"], "'--operator'"),
            (&["serve", "--keep-alive", "1m"], "'--keepalive'"),
            (&["decode", "--lader"], "'--ladder'"),
            (&["decode", "--mermade"], "'--mermaid'"),
            (&["listen", "--time-out", "1s"], "'--timeout'"),
        ];
        for (words, hint) in rows {
            let line = ["msnp"].iter().chain(words);
            let error = Cli::command().try_get_matches_from(line).expect_err("a mistake");
            let said = text(error);
            assert!(said.contains(hint), "{words:?}: {said}");
        }
        for word in hostile() {
            for line in [
                vec![word.clone()],
                vec!["send".into(), "--to".into(), "a@b.c".into(), "--x".into(), word],
            ] {
                let line: Vec<OsString> =
                    [OsString::from("msnp")].into_iter().chain(line).collect();
                let error = Cli::command().try_get_matches_from(&line).expect_err("a mistake");
                assert_fit_to_be_shown(error, &line);
            }
        }
    }
}
