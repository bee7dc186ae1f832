//! Manual pages, made from the definition of the command line.
//!
//! This module knows the language of manual pages. What is in them stands in [`args`](crate::args)
//! and in the table of exit codes.

use std::fmt::Write;

use clap::{Arg, ArgAction, Command};

use crate::exit::Exit;

/// A manual page.
pub(crate) struct Page {
    /// The word that names it: `msnp` or a verb.
    pub(crate) name: String,
    pub(crate) about: String,
    /// In the language of the `man` macros.
    pub(crate) text: String,
}

impl Page {
    /// The name of its file.
    pub(crate) fn file(&self) -> String {
        format!("{}.1", title(&self.name))
    }
}

fn title(name: &str) -> String {
    if name == "msnp" { name.into() } else { format!("msnp-{name}") }
}

/// All pages: that of the program, and one for each verb with everything below it.
pub(crate) fn pages(command: &Command) -> Vec<Page> {
    let mut command = command.clone();
    command.build();
    let names: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
    let about = |command: &Command| plain(command.get_about());
    let mut pages = vec![Page {
        name: "msnp".into(),
        about: about(&command),
        text: page("msnp", &command, &names),
    }];
    pages.extend(command.get_subcommands().map(|verb| {
        let name = verb.get_name();
        let others: Vec<&str> = names.iter().copied().filter(|other| *other != name).collect();
        Page { name: name.into(), about: about(verb), text: page(name, verb, &others) }
    }));
    pages
}

fn plain(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

fn page(name: &str, command: &Command, others: &[&str]) -> String {
    let mut out = Roff::default();
    let title = title(name);
    let version = concat!("msnp ", env!("CARGO_PKG_VERSION"));
    out.macro_line("TH", &[&title.to_uppercase(), "1", "", version, "User Commands"]);
    out.section("NAME");
    out.line(&format!("{title} - {}", plain(command.get_about())));
    out.section("SYNOPSIS");
    synopsis(&mut out, command);
    if name == "msnp" {
        out.section("VERBS");
        for verb in command.get_subcommands() {
            out.tag(&bold(verb.get_name()));
            out.line(&format!("{}; see msnp-{}(1)", plain(verb.get_about()), verb.get_name()));
        }
    }
    arguments(&mut out, command);
    if name != "msnp" {
        tasks(&mut out, command);
    }
    if let Some(notes) = command.get_after_help() {
        out.section("NOTES");
        prose(&mut out, &notes.to_string());
    }
    out.section("EXIT STATUS");
    for (exit, meaning) in Exit::TABLE {
        out.tag(&bold(&exit.code().to_string()));
        out.line(meaning);
    }
    out.section("ENVIRONMENT");
    for (variable, meaning) in VARIABLES {
        out.tag(&bold(variable));
        out.line(meaning);
    }
    out.section("FILES");
    out.tag(&bold("$XDG_CONFIG_HOME/msnp/config.toml"));
    out.line("The configuration, if --config names no other; see msnp-config(1).");
    out.section("SEE ALSO");
    let first = if name == "msnp" { None } else { Some("msnp(1)".to_owned()) };
    let others = others.iter().map(|other| format!("msnp-{other}(1)"));
    out.line(&first.into_iter().chain(others).collect::<Vec<_>>().join(", "));
    out.text
}

/// What the program looks at in its environment.
pub(crate) const VARIABLES: [(&str, &str); 7] = [
    ("MSNP_SERVER", "Where to sign in, if --server does not say."),
    ("MSNP_ACCOUNT", "Who signs in, if --account does not say."),
    ("MSNP_PASSWORD", "The password, if no option says where it comes from."),
    ("MSNP_CONFIG", "The configuration file, if --config does not say."),
    ("XDG_CONFIG_HOME, HOME", "Where the configuration file is looked for."),
    ("NO_COLOR", "No colours with --color auto, if it is set to anything."),
    ("TERM", "No colours with --color auto on a terminal that is dumb."),
];

fn synopsis(out: &mut Roff, command: &Command) {
    let name = command.get_bin_name().unwrap_or(command.get_name());
    let mut line = bold(name);
    if command.get_arguments().any(|arg| !arg.is_positional() && !arg.is_required_set()) {
        line.push_str(" [options]");
    }
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
        let Some(value) = value_of(arg) else { continue };
        let dots = if is_repeated(arg) { "..." } else { "" };
        match (arg.get_long(), arg.is_required_set()) {
            (Some(long), true) => {
                _ = write!(line, " {} {value}{dots}", bold(&format!("--{long}")));
            }
            (None, true) => _ = write!(line, " {value}{dots}"),
            (None, false) => _ = write!(line, " [{value}{dots}]"),
            (Some(_), false) => {}
        }
    }
    if command.has_subcommands() {
        let word = command.get_subcommand_value_name().unwrap_or("COMMAND").to_lowercase();
        let is_required = command.is_subcommand_required_set();
        let (open, close) = if is_required { ("", "") } else { ("[", "]") };
        line.push_str(&format!(" {open}{} ...{close}", italic(&word)));
    }
    out.raw(&line);
}

fn is_repeated(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
        || arg.get_num_args().is_some_and(|range| range.max_values() > 1)
}

/// Arguments, then options under their headings.
fn arguments(out: &mut Roff, command: &Command) {
    let (positional, options): (Vec<&Arg>, Vec<&Arg>) = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set())
        .partition(|arg| arg.is_positional());
    if !positional.is_empty() {
        out.section("ARGUMENTS");
        positional.into_iter().for_each(|arg| option(out, arg));
    }
    if !options.is_empty() {
        out.section("OPTIONS");
        under_headings(out, &options);
    }
}

fn under_headings(out: &mut Roff, options: &[&Arg]) {
    let mut headings: Vec<Option<&str>> = Vec::new();
    for arg in options {
        if !headings.contains(&arg.get_help_heading()) {
            headings.push(arg.get_help_heading());
        }
    }
    for heading in headings {
        if let Some(heading) = heading {
            out.subsection(heading);
        }
        let inside = options.iter().filter(|arg| arg.get_help_heading() == heading);
        inside.for_each(|arg| option(out, arg));
    }
}

/// The commands below a verb, each with what is its own, then what all of them share.
fn tasks(out: &mut Roff, command: &Command) {
    let all: Vec<&Command> = command.get_subcommands().collect();
    let is_shared = |arg: &Arg| {
        let has_it = |task: &&Command| task.get_arguments().any(|own| own.get_id() == arg.get_id());
        all.len() > 1 && !arg.is_positional() && all.iter().all(has_it)
    };
    let shown = |task: &&Command| {
        let shown = task.get_arguments().filter(|arg| !arg.is_hide_set() && !arg.is_global_set());
        shown.cloned().collect::<Vec<Arg>>()
    };
    for task in &all {
        out.section(&task.get_bin_name().unwrap_or(task.get_name()).to_uppercase());
        out.line(&plain(task.get_about()));
        out.macro_line("PP", &[]);
        synopsis(out, task);
        shown(task).iter().filter(|arg| !is_shared(arg)).for_each(|arg| option(out, arg));
        if let Some(notes) = task.get_after_help() {
            out.macro_line("PP", &[]);
            prose(out, &notes.to_string());
        }
        tasks(out, task);
    }
    let first = all.first().map(shown).unwrap_or_default();
    let shared: Vec<&Arg> = first.iter().filter(|arg| is_shared(arg)).collect();
    if !shared.is_empty() {
        let name = command.get_bin_name().unwrap_or(command.get_name()).to_uppercase();
        out.section(&format!("OPTIONS OF EVERY {name}"));
        under_headings(out, &shared);
    }
}

fn value_of(arg: &Arg) -> Option<String> {
    let takes = arg.is_positional() || arg.get_action().takes_values();
    let names = arg.get_value_names().filter(|_| takes)?;
    let names: Vec<String> = names.iter().map(|name| italic(name)).collect();
    Some(names.join(" "))
}

fn option(out: &mut Roff, arg: &Arg) {
    let short = arg.get_short().map(|short| bold(&format!("-{short}")));
    let long = arg.get_long().map(|long| bold(&format!("--{long}")));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    let value = value_of(arg);
    let tag: Vec<String> = [names.join(", ")].into_iter().chain(value).collect();
    out.tag(tag.join(" ").trim());
    let mut help = plain(arg.get_help());
    let defaults: Vec<_> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    let is_flag = !arg.is_positional() && !arg.get_action().takes_values();
    if !defaults.is_empty() && !is_flag {
        _ = write!(help, " [default: {}]", defaults.join(" "));
    }
    out.line(&help);
}

/// What stands below the options in the help: paragraphs, and indented lines as they are.
fn prose(out: &mut Roff, text: &str) {
    let mut in_example = false;
    for line in text.lines() {
        let is_example = line.starts_with("  ") || (in_example && line.starts_with(' '));
        if is_example != in_example {
            out.macro_line(if is_example { "EX" } else { "EE" }, &[]);
            in_example = is_example;
        }
        if line.trim().is_empty() {
            out.macro_line("PP", &[]);
        } else {
            out.line(line.trim_end());
        }
    }
    if in_example {
        out.macro_line("EE", &[]);
    }
}

fn bold(text: &str) -> String {
    format!("\\fB{}\\fR", escaped(text))
}

fn italic(text: &str) -> String {
    format!("\\fI{}\\fR", escaped(text))
}

/// Characters that mean something to the formatter, or that it would make typographic.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\(rs"),
            '-' => out.push_str("\\-"),
            '\'' => out.push_str("\\(aq"),
            '`' => out.push_str("\\(ga"),
            '^' => out.push_str("\\(ha"),
            '~' => out.push_str("\\(ti"),
            '"' => out.push_str("\\(dq"),
            c if c.is_ascii() => out.push(c),
            c => _ = write!(out, "\\[u{:04X}]", u32::from(c)),
        }
    }
    out
}

/// Text in the language of manual pages.
#[derive(Default)]
struct Roff {
    text: String,
}

impl Roff {
    fn macro_line(&mut self, name: &str, words: &[&str]) {
        _ = write!(self.text, ".{name}");
        for word in words {
            _ = write!(self.text, " \"{}\"", escaped(word));
        }
        self.text.push('\n');
    }

    fn section(&mut self, title: &str) {
        self.macro_line("SH", &[title]);
    }

    fn subsection(&mut self, title: &str) {
        self.macro_line("SS", &[title]);
    }

    /// The head of an indented paragraph.
    fn tag(&mut self, tag: &str) {
        self.macro_line("TP", &[]);
        self.raw(tag);
    }

    fn line(&mut self, text: &str) {
        self.raw(&escaped(text));
    }

    /// A line that is escaped already. At its beginning a dot would be a command.
    fn raw(&mut self, text: &str) {
        if text.starts_with('.') {
            self.text.push_str("\\&");
        }
        self.text.push_str(text);
        self.text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn what_means_something_to_the_formatter_is_escaped() {
        let mut out = Roff::default();
        out.line(".so /etc/passwd");
        out.line("'x' \\n -- \"q\" ~^`");
        out.line("Grüße");
        assert_eq!(
            out.text,
            "\\&.so /etc/passwd\n\\(aqx\\(aq \\(rsn \\-\\- \\(dqq\\(dq \\(ti\\(ha\\(ga\nGr\\[u00FC]\\[u00DF]e\n"
        );
    }

    #[test]
    fn every_verb_has_a_page_with_every_option_and_exit_code() {
        fn options(command: &Command, into: &mut Vec<String>) {
            into.extend(command.get_arguments().filter_map(Arg::get_long).map(String::from));
            command.get_subcommands().for_each(|inner| options(inner, into));
        }
        let mut command = Cli::command();
        command.build();
        let pages = pages(&command);
        assert_eq!(pages.len(), 1 + command.get_subcommands().count());
        for verb in command.get_subcommands() {
            let page = pages.iter().find(|page| page.name == verb.get_name()).expect("a page");
            let mut all = Vec::new();
            options(verb, &mut all);
            assert!(all.len() > 3);
            for option in all {
                let option = escaped(&format!("--{option}"));
                assert!(page.text.contains(&format!("\\fB{option}\\fR")), "{option}");
            }
            for (exit, _) in Exit::TABLE {
                assert!(page.text.contains(&format!("\\fB{}\\fR\n", exit.code())));
            }
            assert!(pages[0].text.contains(&format!("\\fB{}\\fR", escaped(verb.get_name()))));
        }
    }
}
