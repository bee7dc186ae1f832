//! The program `msnp`: a client and a server of MSN Messenger for the command line.
//!
//! It is a library only so that its readers of foreign input can be fuzzed and measured; nothing in
//! it is an interface for other programs, who want `msnp-proto`.
//!
//! ```text
//!   args      the command line            usage     what is said of a wrong one
//!   config    the file behind it          man       manual pages made of it
//!   verbs/*   what the program can do, one file each
//!   script/*  scripts: grammar, and the order of the steps
//!   agent     does what a script, a pipe or a chat asks for
//!   desk      sign in, ask one thing after another, leave
//!   errand    one thing asked of the server, to its end
//!   transfers/* files that are sent and taken, and their places on the disk
//!   directory the accounts of the server, in memory or in a file
//!   check/*   trying a server stage by stage
//!   session   a client on its reactor: signing in, waiting, signing off
//!   operator  what a server is told while it runs
//!   loopback  the built-in server and its echo        keepalive peers that vanished
//!   decode/*  captures, transcripts and streams of bytes to events, without input and output
//!   ledger    what became of every message
//!   translate what the client reports, as events      events   the events themselves
//!   render/*  events to lines on stdout               escape   what makes text safe to show
//!   exit      the table of exit codes                 failure  an end with a sentence
//!   password, files, users        secrets and where they come from
//!   mask                          secrets on the wire, and what is shown in their place
//!   input, fields, command        lines of stdin, and the commands of a pipe
//!   console, log, trace, signals, progress  the ends towards the user
//!   editor/*, prompt, terminal    a line that is edited below what arrives
//! ```
#![forbid(unsafe_code)]

mod agent;
mod args;
mod check;
mod command;
mod config;
mod console;
pub mod decode;
mod desk;
mod directory;
mod editor;
mod entropy;
mod errand;
mod escape;
mod events;
mod exit;
mod failure;
mod fields;
mod files;
mod input;
mod keepalive;
mod ledger;
mod log;
mod loopback;
mod man;
mod mask;
mod operator;
mod password;
mod progress;
mod prompt;
mod render;
pub mod script;
mod session;
mod signals;
mod terminal;
mod trace;
mod transfers;
mod translate;
mod usage;
mod users;
mod verbs;
mod width;

use std::io::Write;
use std::process::ExitCode;

use crate::args::Verb;
use crate::escape::EscapedDisplay;
use crate::exit::Exit;
use crate::failure::Failure;

/// Does what the command line says, and says how it ended.
#[must_use]
pub fn main() -> ExitCode {
    end_on_panic();
    let cli = match config::parse() {
        Ok(cli) => cli,
        Err(failure) => return end(Err(failure)),
    };
    let ended = match &cli.verb {
        Verb::Send(args) => verbs::send::run(args),
        Verb::Run(args) => verbs::run::run(args),
        Verb::Pipe(args) => verbs::pipe::run(args),
        Verb::Listen(args) => verbs::listen::run(args),
        Verb::Chat(args) => verbs::chat::run(args),
        Verb::Contacts(args) => verbs::contacts::run(args),
        Verb::Groups(args) => verbs::groups::run(args),
        Verb::Status(args) => verbs::status::run(args),
        Verb::Name(args) => verbs::name::run(args),
        Verb::Privacy(args) => verbs::privacy::run(args),
        Verb::Serve(args) => verbs::serve::run(args),
        Verb::Decode(args) => verbs::decode::run(args),
        Verb::Check(args) => verbs::check::run(args),
        Verb::Completions(args) => verbs::documents::completions(args),
        Verb::Man(args) => verbs::documents::man(args),
        Verb::Config(args) => verbs::config::run(args, &cli.place.words()),
    };
    end(ended)
}

/// From now on a panic, of any thread, ends the program with one line and the code for a mistake of
/// ours: a script should not have to know what an aborted program looks like.
pub fn end_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(|at| format!(" at {}:{}", at.file(), at.line()));
        let payload = panic.payload();
        let what = payload.downcast_ref::<&str>().copied();
        let what = what.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let what = what.unwrap_or("no reason");
        let text = format!("{what}{}; please report this", at.unwrap_or_default());
        let _ = writeln!(std::io::stderr(), "msnp: mistake: {}", EscapedDisplay(text));
        std::process::exit(Exit::Bug.code().into());
    }));
}

fn end(ended: Result<Exit, Failure>) -> ExitCode {
    let exit = ended.unwrap_or_else(|failure| {
        let text: String = failure.to_string().chars().take(log::LINE).collect();
        // If it cannot be written, the code still tells.
        let _ = writeln!(std::io::stderr(), "msnp: error: {}", EscapedDisplay(text));
        failure.exit
    });
    ExitCode::from(exit.code())
}
