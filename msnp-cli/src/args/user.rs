//! The command line of `serve --data FILE user`.

use clap::{Args, Subcommand};
use msnp_proto::types::{Handle, Nick};

use super::common::PasswordArgs;
use super::people::name;
use super::{OutputArgs, values};

/// What can be done with a data file besides serving it.
#[derive(Debug, Subcommand)]
pub(crate) enum ServeTask {
    /// Manage the accounts of --data FILE, with or without a server that runs
    User(Box<UserArgs>),
}

#[derive(Args, Debug)]
#[command(after_help = USER_EXAMPLES)]
pub(crate) struct UserArgs {
    #[command(subcommand)]
    pub(crate) task: UserTask,
}

const USER_EXAMPLES: &str = "\
Examples:
  msnp serve --data accounts.db user add --name Alice alice@example.net
  msnp serve --data accounts.db user password --password-file new alice@example.net
  msnp serve --data accounts.db user list -o json

A running server knows at once: a new password holds from the next sign-in on. Whoever is signed
in when their account is removed stays so until they change something or leave; nothing that they
change is kept.

The file holds passwords as they are, because the sign-in of these protocols needs them: whoever
can read the file, or a copy of it, knows them all. Its mode is 0600; keep copies the same.

Exit: 0 done, 66 no such file, 69 there is such an account already, or none, 75 file in use,
78 mode of a file, or not a data file.";

#[derive(Debug, Subcommand)]
pub(crate) enum UserTask {
    /// Add an account
    Add(AddUser),
    /// Remove an account with its lists; others keep it as a contact
    Remove(RemoveUser),
    /// Give an account another password
    Password(UserPassword),
    /// All accounts, with names and how many contacts each has
    List(ListUsers),
}

impl UserTask {
    pub(crate) fn output(&self) -> &OutputArgs {
        match self {
            Self::Add(args) => &args.output,
            Self::Remove(args) => &args.output,
            Self::Password(args) => &args.output,
            Self::List(args) => &args.output,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct AddUser {
    /// Whom
    #[arg(value_name = "ACCOUNT", value_parser = values::account)]
    pub(crate) account: Handle,

    /// The name that others see [default: the account]
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(crate) name: Option<Nick>,

    #[command(flatten)]
    pub(crate) password: PasswordArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Args, Debug)]
pub(crate) struct RemoveUser {
    /// Whom
    #[arg(value_name = "ACCOUNT", value_parser = values::account)]
    pub(crate) account: Handle,

    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Args, Debug)]
pub(crate) struct UserPassword {
    /// Whose
    #[arg(value_name = "ACCOUNT", value_parser = values::account)]
    pub(crate) account: Handle,

    #[command(flatten)]
    pub(crate) password: PasswordArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Args, Debug)]
pub(crate) struct ListUsers {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
