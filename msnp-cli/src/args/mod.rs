//! The command line, defined in one place.
//!
//! This module knows the verbs and their options, and what their values may look like. It does not
//! know what they do.

mod common;
mod decode;
mod people;
mod user;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand};
use msnp_proto::types::Handle;

pub(crate) use common::{OutputArgs, SignInArgs};
pub(crate) use decode::DecodeArgs;
pub(crate) use people::{
    AddContacts, ContactsArgs, ContactsTask, DeskArgs, GroupsArgs, GroupsTask, ListContacts,
    MoveContacts, NameArgs, PrivacyArgs, RemoveContacts, RenameContact, RenameGroup, SeveralArgs,
    StatusArgs,
};
pub(crate) use user::{ServeTask, UserArgs, UserTask};
pub(crate) use values::{OnError, Server, Until};

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
}

const EXAMPLES: &str = "\
Examples:
  msnp send --to echo@example.net hello       talk to the built-in server; nothing to set up
  msnp serve --users users.toml               be a server
  msnp listen --server 127.0.0.1 --account bob@example.net
  msnp chat --server 127.0.0.1 --account alice@example.net bob@example.net
  msnp decode capture.pcap                    see what was said in a capture

`msnp VERB --help` shows the options of one verb.";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Send(SendArgs),
    Listen(ListenArgs),
    Chat(ChatArgs),
    Contacts(Box<ContactsArgs>),
    Groups(Box<GroupsArgs>),
    Status(Box<StatusArgs>),
    Name(Box<NameArgs>),
    Privacy(Box<PrivacyArgs>),
    Serve(Box<ServeArgs>),
    Decode(DecodeArgs),
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

    /// More attempts to sign in; no message is sent twice
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) retry: u32,

    /// Longest pause between two of these attempts
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = values::duration)]
    pub(crate) retry_max_wait: Duration,

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
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,

    /// Leave after so long, counted from being online
    #[arg(long = "for", value_name = "TIME", value_parser = values::duration)]
    pub(crate) duration: Option<Duration>,

    #[command(flatten)]
    pub(crate) sign_in: SignInArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

const LISTEN_EXAMPLES: &str = "\
Examples:
  msnp listen --server im.example.net --account bob@example.net
  msnp listen --from alice@example.net --count 1 --for 5m -o json ...

Without --server this program brings its own (loopback). Ctrl-C signs off.";

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
    pub(crate) sign_in: SignInArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

const CHAT_EXAMPLES: &str = "\
Examples:
  msnp chat echo@example.net
  msnp chat --server im.example.net --account alice@example.net bob@example.net

Without --server this program brings its own (loopback), with echo@example.net.
The end of the input (Ctrl-D) leaves when everything is answered; Ctrl-C leaves at once.";

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
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    pub(crate) users: Option<PathBuf>,

    /// Keep accounts and lists in a database: see `user --help`
    #[arg(long, value_name = "FILE")]
    pub(crate) data: Option<PathBuf>,

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

With --data:
  msnp serve --data accounts.db user add alice@example.net
  msnp serve --data accounts.db
Both files hold passwords as they are. Ctrl-C tells everybody and stops.";

/// What strangers may cost.
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// Connections in all
    #[arg(long, value_name = "N", default_value_t = 1024)]
    pub(crate) max_connections: usize,

    /// Connections from one address
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) max_per_address: usize,

    /// People on one contact list
    #[arg(long, value_name = "N", default_value_t = 600)]
    pub(crate) max_contacts: usize,

    /// From connecting to being signed in
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = values::duration)]
    pub(crate) sign_in_deadline: Duration,

    /// Longest line before sign-in, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1024)]
    pub(crate) line_before_sign_in: usize,

    /// Longest line after sign-in, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 8 * 1024)]
    pub(crate) max_line: usize,

    /// Changes and calls a second, 0: any
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) changes_per_second: u32,

    /// How many of them at once; the rest waits
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) changes_burst: u32,

    /// Unread bytes that make a connection wait
    #[arg(long, value_name = "BYTES", default_value_t = 64 * 1024)]
    pub(crate) backlog_soft: usize,

    /// Unread bytes that end a connection
    #[arg(long, value_name = "BYTES", default_value_t = 256 * 1024)]
    pub(crate) backlog_hard: usize,
}

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
            let widest = help.lines().map(str::len).max().unwrap_or(0);
            assert!(widest <= 100, "{name}: {widest} columns");
        }
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
