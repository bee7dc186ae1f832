//! The program `msnp`: a client and a server of MSN Messenger for the command line.
//!
//! It is a library only so that its readers of foreign input can be fuzzed and measured; nothing in
//! it is an interface for other programs, who want `msnp-proto`.
//!
//! ```text
//!   args      the command line
//!   verbs/*   what the program can do, one file each
//!   desk      sign in, ask one thing after another, leave
//!   directory the accounts of the server, in memory or in a file
//!   session   a client on its reactor: signing in, waiting, signing off
//!   loopback  the built-in server and its echo
//!   decode/*  captures, transcripts and streams of bytes to events, without input and output
//!   ledger    what became of every message
//!   translate what the client reports, as events      events   the events themselves
//!   render/*  events to lines on stdout               escape   what makes text safe to show
//!   exit      the table of exit codes                 failure  an end with a sentence
//!   password, files, users        secrets and where they come from
//!   mask                          secrets on the wire, and what is shown in their place
//!   console, log, trace, signals, progress  the ends towards the user
//! ```
#![forbid(unsafe_code)]

mod args;
mod console;
pub mod decode;
mod desk;
mod directory;
mod entropy;
mod escape;
mod events;
mod exit;
mod failure;
mod files;
mod ledger;
mod log;
mod loopback;
mod mask;
mod password;
mod progress;
mod render;
mod session;
mod signals;
mod trace;
mod translate;
mod users;
mod verbs;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Verb};
use crate::escape::EscapedDisplay;

/// Does what the command line says, and says how it ended.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let ended = match &cli.verb {
        Verb::Send(args) => verbs::send::run(args),
        Verb::Listen(args) => verbs::listen::run(args),
        Verb::Chat(args) => verbs::chat::run(args),
        Verb::Contacts(args) => verbs::contacts::run(args),
        Verb::Groups(args) => verbs::groups::run(args),
        Verb::Status(args) => verbs::status::run(args),
        Verb::Name(args) => verbs::name::run(args),
        Verb::Privacy(args) => verbs::privacy::run(args),
        Verb::Serve(args) => verbs::serve::run(args),
        Verb::Decode(args) => verbs::decode::run(args),
    };
    let exit = ended.unwrap_or_else(|failure| {
        eprintln!("msnp: error: {}", EscapedDisplay(&failure));
        failure.exit
    });
    ExitCode::from(exit.code())
}
