//! The command line of the verbs that sign in, look at or change one thing, and leave.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use msnp_proto::types::{Handle, List, Nick, Privacy, Prompt};

use super::values::{self, OnError};
use super::{OutputArgs, RetryArgs, SignInArgs};

/// See and change who is on your lists
#[derive(Args, Debug)]
#[command(after_help = CONTACTS_EXAMPLES)]
pub(crate) struct ContactsArgs {
    #[command(subcommand)]
    pub(crate) task: ContactsTask,
}

const CONTACTS_EXAMPLES: &str = "\
Examples:
  msnp contacts list
  msnp contacts add --name \"Bob B.\" --group Friends bob@example.net
  msnp contacts block eve@example.net mallory@example.net
  msnp contacts move --to Work bob@example.net
  msnp contacts list -o json | jq -r 'select(.type == \"contact\") | .account'

One line for each account: `contact` with what holds now, or `refused` with the server's number.
Signing in ends your other session, if there is one: others see that one leave, and nothing of this.
Options go behind the task, as in the examples. `msnp contacts TASK --help` shows them.
Exit: 0 done (or so already), 1 for some only, 3 asked but not answered, 65 a name that cannot be
one, 69 no such account, contact or group, 75 try again, 77 password refused, 124 time ran out.";

#[derive(Debug, Subcommand)]
pub(crate) enum ContactsTask {
    /// Everybody on a list, with groups and presence
    List(ListContacts),
    /// Make people contacts, and allow them unless they are blocked
    Add(AddContacts),
    /// Take people off the contact list; they stay allowed or blocked
    Remove(RemoveContacts),
    /// Let people see and call you; they are not blocked any more
    Allow(ChangeContacts),
    /// Keep people from seeing and calling you
    Block(ChangeContacts),
    /// Change the name that you keep for a contact
    Rename(RenameContact),
    /// Put contacts into another group
    Move(MoveContacts),
}

impl ContactsTask {
    pub(super) fn desk_mut(&mut self) -> &mut DeskArgs {
        match self {
            Self::List(args) => &mut args.desk,
            Self::Add(args) => &mut args.several.desk,
            Self::Remove(args) => &mut args.several.desk,
            Self::Allow(args) | Self::Block(args) => &mut args.several.desk,
            Self::Rename(args) => &mut args.desk,
            Self::Move(args) => &mut args.several.desk,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct ListContacts {
    /// Only these
    #[arg(value_name = "ACCOUNT", value_parser = values::account)]
    pub(crate) accounts: Vec<Handle>,

    /// Only who is on FL (contact), AL (allowed), BL (blocked), RL (has you)
    #[arg(long, value_name = "LIST", value_parser = list)]
    pub(crate) list: Option<List>,

    /// Only who is in this group, by name or number
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,

    #[command(flatten)]
    pub(crate) desk: DeskArgs,
}

#[derive(Args, Debug)]
pub(crate) struct AddContacts {
    /// Who
    #[arg(value_name = "ACCOUNT", required = true, value_parser = values::account)]
    pub(crate) accounts: Vec<Handle>,

    /// The name that you keep for them; for one account only
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(crate) name: Option<Nick>,

    /// The group that they are in, by name or number
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,

    #[command(flatten)]
    pub(crate) several: SeveralArgs,
}

#[derive(Args, Debug)]
pub(crate) struct RemoveContacts {
    /// Who
    #[arg(value_name = "ACCOUNT", required = true, value_parser = values::account)]
    pub(crate) accounts: Vec<Handle>,

    /// Only out of this group, by name or number
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,

    #[command(flatten)]
    pub(crate) several: SeveralArgs,
}

#[derive(Args, Debug)]
pub(crate) struct ChangeContacts {
    /// Who
    #[arg(value_name = "ACCOUNT", required = true, value_parser = values::account)]
    pub(crate) accounts: Vec<Handle>,

    #[command(flatten)]
    pub(crate) several: SeveralArgs,
}

#[derive(Args, Debug)]
pub(crate) struct RenameContact {
    /// Who
    #[arg(value_name = "ACCOUNT", value_parser = values::account)]
    pub(crate) who: Handle,

    /// The name
    #[arg(value_name = "NAME", value_parser = name)]
    pub(crate) name: Nick,

    #[command(flatten)]
    pub(crate) desk: DeskArgs,
}

#[derive(Args, Debug)]
pub(crate) struct MoveContacts {
    /// Who
    #[arg(value_name = "ACCOUNT", required = true, value_parser = values::account)]
    pub(crate) accounts: Vec<Handle>,

    /// The group to put them in, by name or number
    #[arg(long, value_name = "GROUP")]
    pub(crate) to: String,

    /// The group to take them out of, for who is in several
    #[arg(long, value_name = "GROUP")]
    pub(crate) from: Option<String>,

    #[command(flatten)]
    pub(crate) several: SeveralArgs,
}

/// See and change the groups of your contacts
#[derive(Args, Debug)]
#[command(after_help = GROUPS_EXAMPLES)]
pub(crate) struct GroupsArgs {
    #[command(subcommand)]
    pub(crate) task: GroupsTask,
}

const GROUPS_EXAMPLES: &str = "\
Examples:
  msnp groups list
  msnp groups add Friends Work
  msnp groups rename Work \"Old work\"
  msnp groups remove 3

A group is named by its name or its number; number:3 is a number also if a group has the name 3.
Groups came with MSNP7. Group 0 is always there.
Options go behind the task. `msnp groups TASK --help` shows them.
Exit: as for `msnp contacts`.";

#[derive(Debug, Subcommand)]
pub(crate) enum GroupsTask {
    /// All groups, with how many contacts are in each
    List(DeskArgs),
    /// Make groups
    Add(NewGroups),
    /// Delete groups; who is in no other is in group 0 then
    Remove(NamedGroups),
    /// Give a group another name
    Rename(RenameGroup),
}

impl GroupsTask {
    pub(super) fn desk_mut(&mut self) -> &mut DeskArgs {
        match self {
            Self::List(args) => args,
            Self::Add(args) => &mut args.several.desk,
            Self::Remove(args) => &mut args.several.desk,
            Self::Rename(args) => &mut args.desk,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct NewGroups {
    /// Their names
    #[arg(value_name = "NAME", required = true, value_parser = name)]
    pub(crate) names: Vec<Nick>,

    #[command(flatten)]
    pub(crate) several: SeveralArgs,
}

#[derive(Args, Debug)]
pub(crate) struct NamedGroups {
    /// Which
    #[arg(value_name = "GROUP", required = true)]
    pub(crate) groups: Vec<String>,

    #[command(flatten)]
    pub(crate) several: SeveralArgs,
}

#[derive(Args, Debug)]
pub(crate) struct RenameGroup {
    /// Which, by name or number
    #[arg(value_name = "GROUP")]
    pub(crate) group: String,

    /// The new name
    #[arg(value_name = "NAME", value_parser = name)]
    pub(crate) name: Nick,

    #[command(flatten)]
    pub(crate) desk: DeskArgs,
}

/// Print which of your contacts are online
#[derive(Args, Debug)]
#[command(after_help = STATUS_EXAMPLES)]
pub(crate) struct StatusArgs {
    /// Only these [default: all contacts]
    #[arg(value_name = "ACCOUNT", value_parser = values::account)]
    pub(crate) accounts: Vec<Handle>,

    #[command(flatten)]
    pub(crate) desk: DeskArgs,
}

const STATUS_EXAMPLES: &str = "\
Examples:
  msnp status
  msnp status bob@example.net -o json

One `presence` line for each contact; who hides from you or blocks you is offline.
Your own presence lasts as long as you are signed in, so it cannot be set in passing: use
`msnp chat` or a script. Signing in ends your other session, if there is one: others see that one
leave, and nothing of this.";

/// Print or change the name that others see
#[derive(Args, Debug)]
#[command(after_help = NAME_EXAMPLES)]
pub(crate) struct NameArgs {
    /// The new name
    #[arg(value_name = "NAME", value_parser = name)]
    pub(crate) name: Option<Nick>,

    #[command(flatten)]
    pub(crate) desk: DeskArgs,
}

const NAME_EXAMPLES: &str = "\
Examples:
  msnp name --server im.example.net --account alice@example.net
  msnp name --server im.example.net --account alice@example.net \"Alice in Wonderland\"

Signing in ends your other session, if there is one: others see that one leave, and nothing
of this.";

/// Print or change who may see and call you
#[derive(Args, Debug)]
#[command(after_help = PRIVACY_EXAMPLES)]
pub(crate) struct PrivacyArgs {
    /// Who is on neither the allow nor the block list: allow or block them
    #[arg(value_name = "OTHERS", value_enum, hide_possible_values = true)]
    pub(crate) others: Option<Others>,

    /// When somebody makes you a contact: ask you, or never
    #[arg(long, value_name = "WHEN", value_enum, hide_possible_values = true)]
    pub(crate) prompt: Option<Ask>,

    #[command(flatten)]
    pub(crate) desk: DeskArgs,
}

const PRIVACY_EXAMPLES: &str = "\
Examples:
  msnp privacy
  msnp privacy block
  msnp privacy allow --prompt never

Single people: `msnp contacts allow` and `msnp contacts block`.";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Others {
    Allow,
    Block,
}

impl From<Others> for Privacy {
    fn from(others: Others) -> Self {
        match others {
            Others::Allow => Self::AllowOthers,
            Others::Block => Self::BlockOthers,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ask {
    Ask,
    Never,
}

impl From<Ask> for Prompt {
    fn from(ask: Ask) -> Self {
        match ask {
            Ask::Ask => Self::Ask,
            Ask::Never => Self::Never,
        }
    }
}

/// What every one of these verbs takes.
#[derive(Args, Debug)]
pub(crate) struct DeskArgs {
    /// Limit for everything together
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = values::duration)]
    pub(crate) timeout: Duration,

    #[command(flatten)]
    pub(crate) retry: RetryArgs,
    #[command(flatten)]
    pub(crate) sign_in: SignInArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// The same for those that do several things.
#[derive(Args, Debug)]
pub(crate) struct SeveralArgs {
    /// After a failure, with more to do: stop, continue
    #[arg(long, value_name = "WHAT", value_enum, hide_possible_values = true)]
    #[arg(default_value_t = OnError::Continue)]
    pub(crate) on_error: OnError,

    #[command(flatten)]
    pub(crate) desk: DeskArgs,
}

fn list(text: &str) -> Result<List, String> {
    List::from_word(text.to_ascii_uppercase().as_bytes())
        .ok_or_else(|| "a list is FL, AL, BL or RL".into())
}

pub(super) fn name(text: &str) -> Result<Nick, String> {
    if text.contains(char::is_control) {
        return Err("a name has no control characters in it".into());
    }
    Nick::new(text).ok_or_else(|| {
        format!(
            "a name is not empty, and at most {} bytes long on the network, where blanks and \
             letters beyond ASCII take several",
            msnp_proto::limits::NICK
        )
    })
}
