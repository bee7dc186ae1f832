//! What may be asked for while signed in.

use std::path::PathBuf;

use msnp_proto::types::{Handle, Nick, Status};

/// Something to do that is not waiting: what a script, a pipe, a person in a chat and the verbs
/// about contacts and groups have in common.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// Says a text.
    Send {
        /// To whom.
        to: Whom,
        /// The text; its payload is within the limit.
        text: String,
    },
    /// Shows that we are typing, once they are there.
    Typing(Whom),
    /// Offers somebody a file, and sends it if they take it.
    File {
        /// To whom.
        to: Handle,
        /// Where it is on this machine.
        path: PathBuf,
    },
    /// Takes a file that was offered.
    Accept {
        /// The number of the offer.
        transfer: u32,
        /// The folder where it is put.
        folder: PathBuf,
    },
    /// Declines a file that was offered, or stops one that is on its way.
    Decline(u32),
    /// Calls somebody into a chat.
    Open(Handle),
    /// Leaves a chat.
    Leave(Whom),
    /// Changes one's own state.
    Status(Status),
    /// Changes one's own name.
    Name(Nick),
    /// Makes somebody a contact, and allows them unless they are blocked.
    Add {
        /// Who.
        who: Handle,
        /// The name to keep for them.
        name: Option<Nick>,
        /// The group to put them in, by name or number.
        group: Option<String>,
    },
    /// Takes somebody off the contact list, or out of one group.
    Remove {
        /// Who.
        who: Handle,
        /// The group, by name or number.
        group: Option<String>,
    },
    /// Lets somebody see and call us.
    Allow(Handle),
    /// Keeps somebody from seeing and calling us.
    Block(Handle),
    /// Changes the name that is kept for somebody.
    Rename {
        /// Who.
        who: Handle,
        /// The name.
        name: Nick,
    },
    /// Puts a contact into another group.
    Move {
        /// Who.
        who: Handle,
        /// The group to take them out of; `None` if they are in one only.
        from: Option<String>,
        /// The group to put them in.
        to: String,
    },
    /// Makes a group.
    AddGroup(Nick),
    /// Deletes a group, by name or number.
    RemoveGroup(String),
    /// Gives a group another name.
    RenameGroup {
        /// Which, by name or number.
        group: String,
        /// The name.
        name: Nick,
    },
}

/// Where a text goes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Whom {
    /// To one person alone.
    Person(Handle),
    /// To everybody in the chat of this number.
    Chat(u32),
}

impl Whom {
    /// The chat, if it was named by its number.
    pub(crate) fn chat(&self) -> Option<u32> {
        match self {
            Self::Chat(number) => Some(*number),
            Self::Person(_) => None,
        }
    }
}
