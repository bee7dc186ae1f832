//! Options that several verbs share.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum, ValueHint};
use msnp_proto::secret::Secret;
use msnp_proto::types::{Dialect, Handle};

use super::values::{self, Server};
use crate::password::Sources;
use crate::render::Format;

/// Where and as whom.
#[derive(Args, Debug)]
#[command(next_help_heading = "Signing in")]
pub(crate) struct SignInArgs {
    /// Where to sign in, or MSNP_SERVER; see below
    #[arg(
        long,
        value_name = "HOST[:PORT]",
        env = "MSNP_SERVER",
        hide_env = true,
        default_value = "loopback",
        value_parser = values::server
    )]
    pub(crate) server: Server,

    /// Who signs in, or MSNP_ACCOUNT
    #[arg(
        long,
        value_name = "ACCOUNT",
        env = "MSNP_ACCOUNT",
        hide_env = true,
        value_parser = values::account
    )]
    pub(crate) account: Option<Handle>,

    #[command(flatten)]
    password: PasswordArgs,

    /// Highest version to offer, or a list (MSNP7,MSNP5)
    #[arg(long, value_name = "MSNPn", value_parser = values::dialects)]
    protocol: Option<Offer>,

    /// Limit for making one connection
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = values::some_time)]
    pub(crate) connect_timeout: Duration,

    /// One that stands in the configuration file.
    #[arg(skip)]
    configured_password: Option<Secret>,

    /// Why one that stands there is not for this account.
    #[arg(skip)]
    withheld_password: Option<String>,
}

/// Where a password comes from.
#[derive(Args, Debug)]
pub(crate) struct PasswordArgs {
    /// Read the password from a file of mode 0600
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "password")]
    password_file: Option<PathBuf>,

    /// Read it from stdin; else MSNP_PASSWORD, the file below, or you
    #[arg(long, group = "password")]
    password_stdin: bool,

    /// Run a command that prints it, without a shell
    #[arg(long, value_name = "CMD", value_hint = ValueHint::CommandString, group = "password")]
    password_command: Option<String>,
}

impl PasswordArgs {
    pub(crate) fn sources(&self) -> Sources {
        Sources {
            file: self.password_file.clone(),
            stdin: self.password_stdin,
            command: self.password_command.clone(),
            ..Sources::default()
        }
    }
}

/// Dialects to offer, best first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer(pub(crate) Vec<Dialect>);

impl SignInArgs {
    pub(crate) fn dialects(&self) -> Option<&[Dialect]> {
        self.protocol.as_ref().map(|offer| offer.0.as_slice())
    }

    pub(crate) fn password(&self) -> Sources {
        Sources {
            configured: self.configured_password.clone(),
            withheld: self.withheld_password.clone(),
            ..self.password.sources()
        }
    }

    /// Takes the password that stands in the configuration file, or why it is not for this account.
    pub(crate) fn set_configured(&mut self, password: Option<Secret>, withheld: Option<String>) {
        (self.configured_password, self.withheld_password) = (password, withheld);
    }

    /// Whether stdin is spoken for.
    pub(crate) fn uses_stdin(&self) -> bool {
        self.password.password_stdin
    }
}

/// What is shown, and where.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Form of the events on stdout: text or json
    #[arg(short, long, value_name = "FORM", value_enum, hide_possible_values = true)]
    #[arg(default_value_t = Format::Text)]
    pub(crate) output: Format,

    #[command(flatten)]
    pub(crate) colour: ColourArgs,

    /// Say more on stderr; -vv: every line on the network too
    #[arg(short, action = ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,

    /// Say nothing on stderr but errors
    #[arg(short)]
    pub(crate) quiet: bool,

    /// Add diagnostics to a file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) log_file: Option<PathBuf>,

    /// Write a transcript of the network, secrets masked; `-`: stderr
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) trace_wire: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct ColourArgs {
    /// Colours in text: auto, always, never; or NO_COLOR
    #[arg(id = "color", long, value_name = "WHEN", value_enum, hide_possible_values = true)]
    #[arg(default_value_t = When::Auto)]
    when: When,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum When {
    Auto,
    Always,
    Never,
}

impl ColourArgs {
    /// Whether to use colours on a stdout that is or is not a terminal.
    pub(crate) fn is_on(&self, is_terminal: bool) -> bool {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        match self.when {
            When::Always => true,
            When::Never => false,
            When::Auto => is_terminal && !set("NO_COLOR") && !is_dumb,
        }
    }
}

/// The configuration file.
#[derive(Args, Debug)]
#[command(next_help_heading = "Configuration")]
pub(crate) struct PlaceArgs {
    /// Read this file, or MSNP_CONFIG [default: ~/.config/msnp/config.toml]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "MSNP_CONFIG",
        hide_env = true,
        value_hint = ValueHint::FilePath
    )]
    config: Option<PathBuf>,

    /// Read none
    #[arg(long, global = true)]
    no_config: bool,

    /// What stands under [profile.NAME] there goes first
    #[arg(long, global = true, value_name = "NAME")]
    profile: Option<String>,

    /// The file was named on the command line.
    #[arg(skip)]
    is_said: bool,
}

impl PlaceArgs {
    /// Takes whether the file was named on the command line.
    pub(crate) fn sort(&mut self, is_said: bool) {
        self.is_said = is_said;
    }

    /// The same as words of a command line. What comes from the environment is there without them.
    pub(crate) fn words(&self) -> Vec<OsString> {
        let mut words = Vec::new();
        if let Some(config) = self.config.as_ref().filter(|_| self.is_said && !self.no_config) {
            words.extend(["--config".into(), config.into()]);
        }
        if self.no_config {
            words.push("--no-config".into());
        }
        if let Some(profile) = &self.profile {
            words.extend(["--profile".into(), profile.into()]);
        }
        words
    }
}
