//! `man`, `completions` and the long help: what is made from the definition of the command line.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, CommandFactory, ValueHint};
use msnp_proto::types::Dialect;

use crate::args::{Cli, CompletionsArgs, ManArgs, Shell};
use crate::config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::man;

pub(crate) fn completions(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let shell = match args.shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    let mut command = Cli::command();
    let pages: Vec<String> = man::pages(&command).into_iter().map(|page| page.name).collect();
    command = command.mut_subcommand("man", |man| {
        man.mut_arg("page", |page| page.value_parser(PossibleValuesParser::new(pages)))
    });
    command = completed(command);
    clap_complete::generate(shell, &mut command, "msnp", &mut script);
    if args.shell == Shell::Fish {
        script.extend_from_slice(words_for_fish(&command).as_bytes());
    }
    print(&script)
}

/// The same with what a shell may offer: versions where one is wanted, and files nowhere but where
/// a file is.
fn completed(command: Command) -> Command {
    let completed_arg = |arg: Arg| match (arg.get_id().as_str(), arg.get_value_hint()) {
        ("protocol", _) => {
            let words = Dialect::ALL.iter().rev().map(ToString::to_string);
            arg.value_parser(PossibleValuesParser::new(words.collect::<Vec<_>>()))
        }
        (_, ValueHint::Unknown)
            if arg.get_action().takes_values() && arg.get_possible_values().is_empty() =>
        {
            arg.value_hint(ValueHint::Other)
        }
        _ => arg,
    };
    command.mut_args(completed_arg).mut_subcommands(completed)
}

/// What the generator for fish leaves out: words that are no options.
fn words_for_fish(command: &Command) -> String {
    let mut lines = String::new();
    for verb in command.get_subcommands() {
        let values = verb.get_positionals().flat_map(Arg::get_possible_values);
        let words: Vec<String> = values.map(|value| value.get_name().to_owned()).collect();
        if !words.is_empty() {
            lines += &format!(
                "complete -c msnp -n \"__fish_msnp_using_subcommand {}\" -f -a \"{}\"\n",
                verb.get_name(),
                words.join(" ")
            );
        }
    }
    lines
}

pub(crate) fn man(args: &ManArgs) -> Result<Exit, Failure> {
    let pages = man::pages(&Cli::command());
    if let Some(folder) = &args.dir {
        fs::create_dir_all(folder).map_err(|error| {
            let reason = files::reason(&error);
            let text = format!("cannot make the folder {}: {reason}", folder.display());
            Failure::new(Exit::CantCreate, text)
        })?;
        for page in &pages {
            write(&folder.join(page.file()), &page.text)?;
        }
        return Ok(Exit::Done);
    }
    let Some(wanted) = &args.page else {
        let lines: String =
            pages.iter().map(|page| format!("{:<13}{}\n", page.name, page.about)).collect();
        return print(lines.as_bytes());
    };
    let wanted = wanted.strip_prefix("msnp-").unwrap_or(wanted);
    match pages.iter().find(|page| page.name == wanted) {
        Some(page) => print(page.text.as_bytes()),
        None => {
            let near = config::nearest(wanted, pages.iter().map(|page| page.name.as_str()));
            let hint = match near {
                Some(near) => format!("did you mean {near}? "),
                None => String::new(),
            };
            let text = format!("there is no page {wanted:?}; {hint}`msnp man` lists them");
            Err(Failure::new(Exit::Usage, text))
        }
    }
}

/// Everything that there is to say of a verb's options.
pub(crate) fn long_help(verb: &str) -> Result<Exit, Failure> {
    let mut command = Cli::command();
    command.build();
    let help = command.find_subcommand_mut(verb).map(|verb| verb.render_long_help().to_string());
    print(help.unwrap_or_default().as_bytes())
}

fn print(bytes: &[u8]) -> Result<Exit, Failure> {
    let mut stdout = io::stdout();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(Exit::Done),
        // Whoever reads has had enough, and knows it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Io),
        Err(error) => {
            let text = format!("cannot write to stdout: {}", files::reason(&error));
            Err(Failure::new(Exit::Io, text))
        }
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |exit, error: &io::Error| {
        Failure::new(exit, format!("cannot write {}: {}", path.display(), files::reason(error)))
    };
    let mut file = File::create(path).map_err(|error| failed(Exit::CantCreate, &error))?;
    file.write_all(text.as_bytes()).map_err(|error| failed(Exit::Io, &error))
}
