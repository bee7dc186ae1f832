//! What stdout says: one event a line, the same in text and in JSON.
//!
//! This module knows the names and fields of version 1 of the events. It does not know how they
//! are shown, nor what makes them happen. Within a version fields and events are only added.

mod files;

use std::fmt;
use std::rc::Rc;

use serde::Serialize;

pub(crate) use files::{Offer, Portion, Transfer, TransferResult};

/// The version that every line names.
pub(crate) const VERSION: u8 = 1;

/// What the user calls a command, or where it stands. It is on every event that comes of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) id: Option<Rc<str>>,
    pub(crate) line: Option<u32>,
}

impl Mark {
    /// Of nothing that the user asked for.
    pub(crate) const NONE: Self = Self { id: None, line: None };

    pub(crate) fn of_id(id: &str) -> Self {
        Self { id: Some(id.into()), line: None }
    }

    pub(crate) fn of_line(line: u32) -> Self {
        Self { id: None, line: Some(line) }
    }
}

/// An event, and what it comes of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Marked {
    pub(crate) mark: Mark,
    pub(crate) event: Event,
}

/// Something that the user is told.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Event {
    /// The program is set up.
    Ready(Ready),
    /// A connection to the server is open.
    Connected(Progress),
    /// The server took the password.
    Authenticated(Progress),
    /// Signed in: others see us.
    Online(Progress),
    /// Somebody's name and lists changed.
    Contact(Contact),
    /// Somebody on one's lists as they are now.
    #[serde(rename = "contact")]
    Person(Person),
    /// A group of contacts changed.
    Group {
        // `id` is the name of a command.
        #[serde(rename = "group")]
        id: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        change: Change,
    },
    /// A group of contacts as it is.
    #[serde(rename = "group")]
    Listed {
        #[serde(rename = "group")]
        id: u32,
        name: String,
        contacts: usize,
    },
    /// A setting changed.
    Setting {
        name: String,
        value: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        account: Option<String>,
    },
    /// A setting of this program, and where it comes from.
    #[serde(rename = "setting")]
    Configured(Box<Configured>),
    /// A stage of a check has passed or not.
    Stage(Box<Stage>),
    /// Somebody's presence.
    Presence(Presence),
    /// Mail waits, arrived, or was moved.
    Mail(Mail),
    /// The server passed an alert on.
    Alert(Document),
    /// The server passed a page on.
    Page(Document),
    /// Something about a chat as such.
    Chat(Chat),
    /// A message came.
    Message(Box<Message>),
    /// Somebody is typing.
    Typing { chat: u32, from: String },
    /// A message waits for its chat.
    Queued(Passing),
    /// A message was written to the network.
    Sent(Passing),
    /// The server took a message for everybody in the chat.
    Acked(Ending),
    /// The server could not deliver a message.
    Nacked(Ending),
    /// A message was not sent.
    Failed(Ending),
    /// A message was sent, and nobody knows what became of it.
    Unknown(Ending),
    /// Somebody offers a file.
    Offer(Offer),
    /// How far a file is.
    Progress(Portion),
    /// A file has come to its end.
    Transfer(Box<Transfer>),
    /// Somebody signed in to the server that we are.
    SignedIn { account: String, protocol: String, from: String },
    /// Somebody's session with the server that we are has ended.
    SignedOut { account: String, reason: String },
    /// The operator of the server that we are wanted something, and it is done.
    Order {
        /// The `do` of the order.
        order: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        account: Option<String>,
        /// How many people were told, ended, moved or counted.
        people: usize,
    },
    /// An account of a server's data file.
    User(User),
    /// A request was refused: ours by the server, or by us if we are the server.
    Refused(Refused),
    /// Something odd that did no harm.
    Warning {
        reason: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        verb: Option<String>,
    },
    /// The session is over, and not because we ended it.
    Lost { reason: String },
    /// Another attempt to sign in will be made.
    Retrying { attempt: u32, wait_ms: u64 },
    /// The last line.
    Done(Done),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Ready {
    pub(crate) version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) loopback: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) listen: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) notification: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) switchboard: Option<String>,
}

/// A step of signing in; what is not known yet is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Progress {
    pub(crate) server: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) protocol: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<&'static str>,
    pub(crate) ms: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Contact {
    pub(crate) account: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// The list that it was put on or taken off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) list: Option<&'static str>,
    /// The group that it was taken out of, if it is still on the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<u32>,
    pub(crate) change: Change,
}

/// Somebody on one's lists: everything that is known of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Person {
    pub(crate) account: String,
    pub(crate) name: String,
    /// `FL`, `AL`, `BL`, `RL`; none if nothing is left.
    pub(crate) lists: Vec<&'static str>,
    pub(crate) groups: Vec<Group>,
    pub(crate) state: &'static str,
    /// What was done, if something was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) change: Option<Change>,
}

/// A group that somebody is in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Group {
    pub(crate) id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

/// An account of a server's data file.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct User {
    pub(crate) account: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// People on its contact list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contacts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) change: Option<Change>,
}

/// A setting of this program; without a value it is not set.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Configured {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<Source>,
    /// The environment variable that it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) variable: Option<String>,
    /// The file that it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) profile: Option<String>,
    /// The verbs that it holds for, if it does not for all that have it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) verbs: Vec<String>,
    /// Why it is not set although the file has a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// A stage of a check.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Stage {
    pub(crate) stage: StageName,
    pub(crate) result: StageResult,
    pub(crate) server: String,
    /// The time of this stage alone.
    pub(crate) ms: u64,
    /// What it gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
    /// What was seen when it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seen: Option<String>,
    /// What usually causes that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<String>,
    /// What may be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) advice: Option<String>,
}

/// The stages, in order; a referral begins again with the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StageName {
    Resolve,
    Connect,
    Version,
    Referral,
    Auth,
    List,
    Online,
}

impl fmt::Display for StageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Version => "version",
            Self::Referral => "referral",
            Self::Auth => "auth",
            Self::List => "list",
            Self::Online => "online",
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StageResult {
    Passed,
    Failed,
    NotReached,
}

/// Where a setting comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    Option,
    Environment,
    File,
    BuiltIn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    Added,
    Removed,
    Renamed,
    Allowed,
    Blocked,
    Moved,
    Password,
    Opened,
    Joined,
    Left,
    Closed,
    NotReached,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Presence {
    pub(crate) account: String,
    pub(crate) state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    pub(crate) known: bool,
    /// How things were found at sign-in, not a change.
    pub(crate) initial: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Mail {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) inbox: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) folders: Option<u32>,
    /// Name and address together, which nobody can take apart: a name may hold anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    /// The folder that mails were in, in the server's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
    /// The folder that they are in now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) destination: Option<String>,
    /// By how many the unread mails in the inbox change by that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) inbox_change: Option<i64>,
}

/// An XML document from the server, not always well-formed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Document {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) document: Option<String>,
    /// The document if it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bytes_b64: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Chat {
    pub(crate) chat: u32,
    pub(crate) change: Change,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Message {
    pub(crate) chat: u32,
    pub(crate) from: String,
    pub(crate) name: String,
    pub(crate) known: bool,
    pub(crate) content_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bytes_b64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) format: Option<Format>,
}

/// How a text wants to look.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Format {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) font: Option<String>,
    /// `#rrggbb`.
    pub(crate) colour: String,
    pub(crate) bold: bool,
    pub(crate) italic: bool,
    pub(crate) underline: bool,
    pub(crate) strike: bool,
    pub(crate) right_to_left: bool,
}

/// Where a message is that has not ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Passing {
    /// Whom it is for; empty if nobody is known to be in that chat.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) chat: Option<u32>,
}

/// The end of a message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Ending {
    /// Whom it was for; empty if nobody is known to be in that chat.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) chat: Option<u32>,
    /// The server's number, if it gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    pub(crate) ms: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Refused {
    /// What was asked for, by its name in a pipe if it has one there.
    pub(crate) request: String,
    pub(crate) outcome: NotDone,
    /// The command of the protocol, if one was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verb: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<u16>,
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<String>,
    /// The group that was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
}

/// In which way something was not done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NotDone {
    /// It is known not to be done.
    #[default]
    Refused,
    /// It was asked for and may or may not be done.
    Unknown,
    /// Nobody was asked.
    NotTried,
}

/// How many messages ended in which way, and the code that the program ends with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Done {
    pub(crate) exit: u8,
    pub(crate) acked: u32,
    pub(crate) failed: u32,
    pub(crate) unknown: u32,
    /// The last line of a script that is finished; there is none outside of scripts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<u32>,
}
