//! The command line, defined in one place.
//!
//! This module knows the verbs and their options, and what their values may look like. It does not
//! know what they do.

mod common;
mod decode;
mod files;
mod limits;
mod people;
mod retry;
mod script;
mod user;
mod values;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use msnp_proto::types::Handle;

pub(crate) use common::{OutputArgs, PlaceArgs, SignInArgs};
pub(crate) use decode::DecodeArgs;
pub(crate) use files::{FileAddress, FileArgs};
pub(crate) use limits::LimitArgs;
pub(crate) use people::{
    ContactsArgs, ContactsTask, DeskArgs, GroupsArgs, GroupsTask, ListContacts, NameArgs,
    PrivacyArgs, SeveralArgs, StatusArgs,
};
pub(crate) use retry::{RetryArgs, StayArgs};
pub(crate) use script::{PipeArgs, RunArgs};
pub(crate) use user::{ServeTask, UserArgs, UserTask};
pub(crate) use values::{AsFarAs, OnError, Server, Until};

/// Send, receive and serve messages of MSN Messenger (MSNP2 to MSNP7)
#[derive(Debug, Parser)]
#[command(
    name = "msnp",
    version,
    disable_help_subcommand = true,
    disable_help_flag = true,
    after_help = EXAMPLES
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,

    /// Print help
    // The short form for both flags: one screen a verb.
    #[arg(short, long, global = true, action = ArgAction::HelpShort, display_order = 1000)]
    help: Option<bool>,

    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

const EXAMPLES: &str = "\
Examples:
  msnp send --to echo@example.net hello       talk to the built-in server; nothing to set up
  msnp chat echo@example.net                  talk with it
  msnp run script.msnp                        send, wait, expect: see `msnp run --help`
  msnp serve --users users.toml               be a server
  msnp listen --server 127.0.0.1 --account bob@example.net
  msnp chat --server 127.0.0.1 --account alice@example.net bob@example.net
  msnp decode capture.pcap                    see what was said in a capture

`msnp VERB --help` shows the options of one verb.";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Send(SendArgs),
    Run(Box<RunArgs>),
    Listen(ListenArgs),
    #[command(mut_arg("output", |arg| arg.default_value("json")))]
    Pipe(Box<PipeArgs>),
    Chat(ChatArgs),
    Contacts(Box<ContactsArgs>),
    Groups(Box<GroupsArgs>),
    Status(Box<StatusArgs>),
    Name(Box<NameArgs>),
    Privacy(Box<PrivacyArgs>),
    Serve(Box<ServeArgs>),
    Decode(DecodeArgs),
    Check(Box<CheckArgs>),
    Config(Box<ConfigArgs>),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

impl Verb {
    /// Does what depends on whether a value was said for this run, or is one of the file or built in.
    pub(crate) fn sort(&mut self, is_given: &dyn Fn(&str) -> bool) {
        match self {
            Self::Run(args) => args.sort(is_given),
            Self::Pipe(args) => args.sort(is_given),
            _ => {}
        }
    }

    /// How it signs in, if it does.
    pub(crate) fn sign_in_mut(&mut self) -> Option<&mut SignInArgs> {
        Some(match self {
            Self::Send(args) => &mut args.sign_in,
            Self::Run(args) => &mut args.sign_in,
            Self::Listen(args) => &mut args.sign_in,
            Self::Pipe(args) => &mut args.sign_in,
            Self::Chat(args) => &mut args.sign_in,
            Self::Contacts(args) => &mut args.task.desk_mut().sign_in,
            Self::Groups(args) => &mut args.task.desk_mut().sign_in,
            Self::Status(args) => &mut args.desk.sign_in,
            Self::Name(args) => &mut args.desk.sign_in,
            Self::Privacy(args) => &mut args.desk.sign_in,
            Self::Check(args) => &mut args.sign_in,
            Self::Serve(_)
            | Self::Decode(_)
            | Self::Config(_)
            | Self::Completions(_)
            | Self::Man(_) => return None,
        })
    }
}

/// Send one message to one or more people, then leave
#[derive(Args, Debug)]
#[command(after_help = SEND_EXAMPLES)]
pub(crate) struct SendArgs {
    /// Who gets it; may be repeated, each gets a chat of their own
    #[arg(long = "to", value_name = "ACCOUNT", required = true, value_parser = values::account)]
    pub(crate) to: Vec<Handle>,

    /// The message; without it or with `-` it is read from stdin
    pub(crate) text: Option<String>,

    /// What is enough: queued, sent or acked (see below)
    #[arg(long, value_name = "STAGE", value_enum, hide_possible_values = true)]
    #[arg(default_value_t = Until::Acked)]
    pub(crate) until: Until,

    /// After a failure, with more to do: stop, continue
    #[arg(long, value_name = "WHAT", value_enum, hide_possible_values = true)]
    #[arg(default_value_t = OnError::Continue)]
    pub(crate) on_error: OnError,

    /// Limit for everything together
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = values::duration)]
    pub(crate) timeout: Duration,

    /// Limit for the server's word that it took a message
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = values::duration)]
    pub(crate) ack_timeout: Duration,

    #[command(flatten)]
    pub(crate) retry: RetryArgs,

    #[command(flatten)]
    pub(crate) sign_in: SignInArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

const SEND_EXAMPLES: &str = "\
Examples:
  msnp send --to echo@example.net hello
  df -h | msnp send --server im.example.net --account cron@example.net \\
      --password-file ~/.msnp-password --to ops@example.net -
  msnp send --to echo@example.net -- -this begins with a dash

Without --server this program brings its own (loopback), with echo@example.net and for anybody.
Stages: queued = signed in and handed over, sent = written to the network, acked = the server
took it for everybody in the chat. A pause before an attempt doubles each time.

Exit: 0 done, 1 for some only, 3 written but not answered, 69 nobody there, 75 try again,
77 password refused, 124 time ran out.";

/// Sign in and print what arrives
#[derive(Args, Debug)]
#[command(after_help = LISTEN_EXAMPLES)]
pub(crate) struct ListenArgs {
    /// Print only what comes from this person; may be repeated
    #[arg(long, value_name = "ACCOUNT", value_parser = values::account)]
    pub(crate) from: Vec<Handle>,

    /// Leave after so many messages
    #[arg(long, value_name = "N", value_parser = values::number(1_u64..))]
    pub(crate) count: Option<u64>,

    /// Leave after so long, counted from being online
    #[arg(long = "for", value_name = "TIME", value_parser = values::duration)]
    pub(crate) duration: Option<Duration>,

    /// Fail after so long, counted from the start, if --count is not met
    #[arg(long = "timeout", value_name = "TIME", value_parser = values::duration)]
    pub(crate) patience: Option<Duration>,

    /// Take files that contacts offer into this folder [default: decline]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) accept_files: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) files: FileArgs,
    #[command(flatten)]
    pub(crate) stay: StayArgs,
    #[command(flatten)]
    pub(crate) sign_in: SignInArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

const LISTEN_EXAMPLES: &str = "\
Examples:
  msnp listen --server im.example.net --account bob@example.net
  msnp listen --from alice@example.net --count 1 --timeout 5m -o json ...
  msnp listen --accept-files ~/inbox ...

Without --server this program brings its own (loopback). Ctrl-C signs off.
A lost connection is made again, unless the password is refused then or the account has signed
in elsewhere.
Files that are offered are shown and declined. With --accept-files those of contacts, and of --from
if it is there, are taken; nothing in the folder is written over.
Without --file-address others are told the address from which we reach the server. For files they
connect to a port from 6891 to 6900 there; with `none` we connect to them.";

/// Talk with one person: lines typed are sent, lines that arrive are shown
#[derive(Args, Debug)]
#[command(after_help = CHAT_EXAMPLES)]
pub(crate) struct ChatArgs {
    /// With whom
    #[arg(value_name = "ACCOUNT", value_parser = values::account)]
    pub(crate) with: Handle,

    /// Limit for the server's word that it took a message
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = values::duration)]
    pub(crate) ack_timeout: Duration,

    #[command(flatten)]
    pub(crate) files: FileArgs,
    #[command(flatten)]
    pub(crate) stay: StayArgs,
    #[command(flatten)]
    pub(crate) sign_in: SignInArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

const CHAT_EXAMPLES: &str = "\
Examples:
  msnp chat echo@example.net
  msnp chat --server im.example.net --account alice@example.net bob@example.net

Without --server this program brings its own (loopback), with echo@example.net.
On a terminal the line is edited below what arrives, and a slash begins a command: /help shows
them, //text is a text with a slash. Elsewhere each line is a text.
/file PATH offers a file; /accept and /decline with its number answer an offer.
The end of the input (Ctrl-D) leaves when everything is answered; Ctrl-C leaves at once.
A lost connection is made again; lines wait for it. What was written and not answered then is
`unknown`, and is not sent again.";

/// Be a server: dispatch, notification and switchboards
#[derive(Args, Debug)]
#[command(after_help = SERVE_EXAMPLES)]
pub(crate) struct ServeArgs {
    /// Where people connect: the dispatch server
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:1863", value_parser = values::listen)]
    pub(crate) listen: SocketAddr,

    /// The notification server, if not at a free port beside it
    #[arg(long, value_name = "ADDR", value_parser = values::listen, conflicts_with = "single")]
    pub(crate) notification: Option<SocketAddr>,

    /// The switchboards, if not at a free port beside it
    #[arg(long, value_name = "ADDR", value_parser = values::listen)]
    pub(crate) switchboard: Option<SocketAddr>,

    /// The host that people are referred to, if not the address above
    #[arg(long, value_name = "HOST", value_parser = values::host)]
    pub(crate) advertise: Option<String>,

    /// No referral: people sign in on the first port
    #[arg(long)]
    pub(crate) single: bool,

    /// Accounts with passwords (TOML), as in the example below
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "data")]
    pub(crate) users: Option<PathBuf>,

    /// Keep accounts and lists in a database: see `user --help`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) data: Option<PathBuf>,

    /// Take orders from stdin, one JSON object a line: see SERVER.md
    #[arg(long)]
    pub(crate) operator: bool,

    #[command(subcommand)]
    pub(crate) task: Option<ServeTask>,

    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

const SERVE_EXAMPLES: &str = "\
Example of a users file (mode 0600):
  [[user]]
  account = \"alice@example.net\"
  password = \"secret\"
  name = \"Alice\"
  contacts = [\"bob@example.net\"]

With --data, add people first: msnp serve --data accounts.db user add alice@example.net
Both files hold passwords as they are. Ctrl-C tells everybody and stops.
RATE is N:M: N a second and M at once on one connection, or 0 for any. What is more waits.";

/// Try a server stage by stage, and say what is wrong
#[derive(Args, Debug)]
#[command(after_help = CHECK_EXAMPLES)]
pub(crate) struct CheckArgs {
    /// Where to stop: connect, version, auth, online [default: online]
    #[arg(long, value_name = "STAGE", value_enum, hide_possible_values = true)]
    pub(crate) as_far_as: Option<AsFarAs>,

    /// Limit for everything together
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = values::duration)]
    pub(crate) timeout: Duration,

    #[command(flatten)]
    pub(crate) sign_in: SignInArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

const CHECK_EXAMPLES: &str = "\
Examples:
  msnp check --server im.example.net --as-far-as version
  msnp check --server im.example.net --account bob@example.net

One `stage` line each for resolve, connect, version, auth, list and online, with its time; for the
one that fails what was seen, what usually causes it and what to do. Up to version no account is
needed, and without one it goes no further. Beyond, signing in ends the account's other session,
if there is one: others see that one leave, and nothing of this.

Exit: 0 all passed, 68 no such host, 75 not connected or hung up, 76 no such server, 77 password
refused, 124 time ran out.";

/// Print what is in force and where each value comes from
#[derive(Args, Debug)]
#[command(after_help = CONFIG_EXAMPLES)]
pub(crate) struct ConfigArgs {
    /// A verb with options as they would be given; without it: all settings
    #[arg(value_name = "VERB", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) line: Vec<OsString>,

    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

const CONFIG_EXAMPLES: &str = "\
Examples:
  msnp config
  msnp config --profile work send --timeout 5s

Example of a file:
  server = \"im.example.net\"
  account = \"me@example.net\"
  password-file = \"password\"         # beside this file
  [profile.work]
  account = \"me@work.example.net\"
  password-command = \"pass show msnp/work\"

A key is the name of an option without its dashes. Options go before the environment, that before
the file, that before what is built in. A file with `password = ...` must have the mode 0600. A
profile with its own account or server does not use the password of the top.";

/// Print the script with which a shell completes this program's words
#[derive(Args, Debug)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// The shell: bash, zsh or fish
    #[arg(value_name = "SHELL", value_enum, hide_possible_values = true)]
    pub(crate) shell: Shell,
}

/// Shells with completions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  msnp completions bash > ~/.local/share/bash-completion/completions/msnp
  msnp completions zsh > ~/.zfunc/_msnp      # a folder that is in $fpath
  msnp completions fish > ~/.config/fish/completions/msnp.fish";

/// Print a manual page, or write all of them into a folder
#[derive(Args, Debug)]
#[command(after_help = MAN_EXAMPLES)]
pub(crate) struct ManArgs {
    /// msnp or a verb [default: a list of the pages]
    #[arg(value_name = "PAGE")]
    pub(crate) page: Option<String>,

    /// Write all pages into this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "page")]
    pub(crate) dir: Option<PathBuf>,
}

const MAN_EXAMPLES: &str = "\
Examples:
  msnp man send | man -l -
  msnp man --dir ~/.local/share/man/man1";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_of_every_verb_fits_a_screen() {
        let mut cli = Cli::command();
        cli.build();
        for verb in cli.get_subcommands_mut() {
            let help = verb.render_help().to_string();
            let (lines, name) = (help.lines().count(), verb.get_name());
            assert!(lines <= 56, "{name}: {lines} lines");
            assert!(help.contains("Example"), "{name}");
        }
    }

    #[test]
    fn no_line_of_any_help_is_wider_than_a_screen() {
        fn check(command: &mut clap::Command, count: &mut usize) {
            for help in [command.render_help(), command.render_long_help()] {
                let help = help.to_string();
                let widest = help.lines().max_by_key(|line| line.len()).unwrap_or_default();
                assert!(widest.len() <= 100, "{}: {widest}", command.get_name());
            }
            *count += 1;
            command.get_subcommands_mut().for_each(|inner| check(inner, count));
        }
        let mut cli = Cli::command();
        cli.build();
        let mut count = 0;
        check(&mut cli, &mut count);
        assert!(count > 25, "{count}");
    }

    #[test]
    fn options_end_at_two_dashes() {
        for text in ["-x", "--help", "-"] {
            let cli = Cli::try_parse_from(["msnp", "send", "--to", "a@b.c", "--", text]);
            let Ok(Cli { verb: Verb::Send(args), .. }) = cli else { panic!("{text}") };
            assert_eq!(args.text.as_deref(), Some(text));
        }
        for args in [
            &["send", "hello"][..],
            &["send", "--to", "-x"],
            &["send", "--to", "a@b", "--password", "x"],
        ] {
            let args = ["msnp"].iter().chain(args);
            assert_eq!(Cli::try_parse_from(args).map_err(|error| error.exit_code()).err(), Some(2));
        }
    }
}
