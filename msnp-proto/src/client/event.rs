//! What a client reports to its application.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{TransferChange, TransferId};
use crate::body::{InitialMail, MailActivity, MimeProblem, NewMail, Profile, System, Text};
use crate::error::{CommandError, Expected, Lost, Wait};
use crate::machine::Target;
use crate::time::Duration;
use crate::types::{
    Dialect, ErrorCode, GroupId, Handle, List, ListVersion, Nick, Privacy, Prompt, Property,
    Status, TrId,
};
use crate::wire::Verb;

/// Names one chat for as long as the client lives, however many switchboards it goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChatId(pub u32);

/// Names one message that was given to the client to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub u64);

/// Names one request to the server whose answer is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A connection to a dispatch or notification server is open; sign-in begins.
    Connected {
        /// The server.
        server: Target,
    },
    /// The server agreed on a version of the protocol.
    Agreed {
        /// The version.
        dialect: Dialect,
    },
    /// The server refers us to another one. The next [`Event::Connected`] is that one.
    Referred {
        /// The other server.
        to: Target,
    },
    /// The server took the password.
    Authenticated {
        /// The account in the server's spelling.
        account: Handle,
        /// Its display name.
        nick: Nick,
        /// Whether its address is verified, where the server says so.
        verified: Option<bool>,
    },
    /// What the server knows about the account.
    Profile(Box<Profile>),
    /// [`Client::roster`](super::Client::roster) is complete. It comes a second time if a server
    /// says that the copy is right and sends the lists all the same.
    Synced {
        /// Its version.
        version: ListVersion,
        /// The copy given at sign-in was still right.
        unchanged: bool,
    },
    /// Signed in, with a first status: chats can be opened from now on.
    Online {
        /// The status.
        status: Status,
    },
    /// One's own status is another one.
    StatusChanged {
        /// The status.
        status: Status,
    },
    /// Somebody's presence.
    Presence {
        /// Who.
        account: Handle,
        /// Their status; [`Status::Offline`] when they left, hid or blocked us.
        status: Status,
        /// Their display name, as far as it is known.
        nick: Option<Nick>,
        /// Whether they are on one of our lists.
        known: bool,
        /// Whether this tells how things are, not that they changed.
        initial: bool,
    },
    /// The roster changed after it was complete.
    Roster(RosterChange),
    /// How much unread mail there is.
    InitialMail(InitialMail),
    /// A mail has arrived.
    NewMail(NewMail),
    /// Mails were moved or deleted.
    MailActivity(MailActivity),
    /// The server speaks about itself, for example that it will go down.
    System(System),
    /// Somebody called us into a switchboard, and we did not go because
    /// [`Config::answer_calls`](super::Config::answer_calls) is off.
    Declined {
        /// Who.
        from: Handle,
        /// The name they go by.
        nick: Nick,
    },
    /// A chat exists.
    ChatOpened {
        /// The chat.
        chat: ChatId,
        /// Who is called, or who called.
        with: Handle,
        /// They called us.
        incoming: bool,
    },
    /// Somebody is in a chat now.
    Joined {
        /// The chat.
        chat: ChatId,
        /// Who.
        account: Handle,
        /// Their display name.
        nick: Nick,
        /// Whether they are on one of our lists.
        known: bool,
    },
    /// Somebody is not in a chat any more.
    Left {
        /// The chat.
        chat: ChatId,
        /// Who.
        account: Handle,
        /// The server dropped them for being idle.
        idle: bool,
    },
    /// Somebody could not be called into a chat.
    NotReached {
        /// The chat.
        chat: ChatId,
        /// Who.
        account: Handle,
        /// Why.
        why: Failure,
    },
    /// A chat has no switchboard any more. The next text opens a new one.
    ChatClosed {
        /// The chat.
        chat: ChatId,
        /// Why.
        why: Lost,
    },
    /// A message came.
    Message {
        /// The chat.
        chat: ChatId,
        /// Who sent it, by the server's word.
        from: Handle,
        /// The name they go by; never an identity.
        nick: Nick,
        /// Whether they are on one of our lists.
        known: bool,
        /// What they sent.
        content: Content,
    },
    /// Somebody offers a file: [`Client::accept_file`](super::Client::accept_file),
    /// [`Client::decline_file`](super::Client::decline_file).
    FileOffered {
        /// The file.
        transfer: TransferId,
        /// The chat in which it was offered.
        chat: ChatId,
        /// Who offers it, by the server's word.
        from: Handle,
        /// The name they go by; never an identity.
        nick: Nick,
        /// Whether they are on one of our lists.
        known: bool,
        /// The file's name as they wrote it. Never a path to write to: see
        /// [`safe_name`](crate::ftp::safe_name).
        name: String,
        /// Its bytes.
        size: u64,
    },
    /// Something happened to a file.
    Transfer {
        /// The file.
        transfer: TransferId,
        /// What.
        change: TransferChange,
    },
    /// Somebody is typing.
    Typing {
        /// The chat.
        chat: ChatId,
        /// Who.
        from: Handle,
    },
    /// A message waits: there is no switchboard for it yet, or nobody in it.
    Queued {
        /// The message.
        message: MessageId,
    },
    /// The last byte of a message was written to the network.
    Sent {
        /// The message.
        message: MessageId,
    },
    /// The end of a message; exactly one for each.
    Delivery {
        /// The message.
        message: MessageId,
        /// How it ended.
        outcome: Outcome,
    },
    /// The server did what was asked.
    Done {
        /// The request.
        request: RequestId,
    },
    /// The server refused what was asked, or did not answer.
    Refused {
        /// The request.
        request: RequestId,
        /// Its command.
        verb: Verb,
        /// Why.
        why: Failure,
    },
    /// The address of a service: the answer to [`Change::Url`](crate::ns::Change::Url), before its
    /// [`Event::Done`]. Never open it by itself.
    Url {
        /// The request.
        request: RequestId,
        /// Where to go after signing in there.
        redirect: String,
        /// Where to sign in.
        login: String,
        /// The site's number.
        site: Option<String>,
    },
    /// One hit of [`Change::Find`](crate::ns::Change::Find), before its [`Event::Done`].
    Found {
        /// The request.
        request: RequestId,
        /// `fname=` and so on, percent-encoded.
        terms: Vec<String>,
    },
    /// A page from a mobile: an XML document, not always well-formed.
    Page {
        /// The document.
        document: Vec<u8>,
    },
    /// An alert: an XML document, not always well-formed.
    Alert {
        /// The document.
        document: Vec<u8>,
    },
    /// The answer of the server to the report of our version: recommended, least, addresses. A
    /// server without a dialect of ours may give it too, and the session is over then.
    Versions {
        /// The words as they came.
        words: Vec<String>,
    },
    /// Something arrived that is out of order or unreadable. Nothing was lost by it.
    Warning(Warning),
    /// The session is over. Every open message and request has had its end before this.
    Lost {
        /// Why.
        why: Lost,
    },
    /// Another attempt to sign in will be made by itself: [`Config::reconnect`](super::Config::reconnect).
    /// It follows [`Event::Lost`] at once, or does not come.
    Retrying {
        /// How many in a row this makes, counted from 1.
        attempt: u32,
        /// The pause before it.
        wait: Duration,
    },
}

/// The body of a message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// A text.
    Text(Text),
    /// Anything else, as it came.
    Other {
        /// Its type, without parameters; empty if it had none.
        content_type: String,
        /// Headers and body.
        payload: Vec<u8>,
    },
}

/// How a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The server handed it to everybody in the chat.
    Acknowledged,
    /// No refusal was asked for, or none came in time.
    Assumed,
    /// The server could not hand it to everybody.
    Refused,
    /// It was not sent.
    Failed(Failure),
    /// It was sent, and nobody can say whether it arrived.
    Unknown(Lost),
}

/// Why something could not be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The server said this.
    Refused(ErrorCode),
    /// No answer in time.
    TimedOut(Wait),
    /// The connection that it needed ended.
    Lost(Lost),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(code) => code.fmt(f),
            Self::TimedOut(wait) => wait.fmt(f),
            Self::Lost(why) => why.fmt(f),
        }
    }
}

/// A change of the roster.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RosterChange {
    /// Somebody is on a list now; for the forward list perhaps in one more group.
    Added {
        /// The list.
        list: List,
        /// Who.
        account: Handle,
        /// It was not our request.
        foreign: bool,
    },
    /// Somebody is off a list, or only out of one group.
    Removed {
        /// The list.
        list: List,
        /// Who.
        account: Handle,
        /// The group, if it was only that.
        group: Option<GroupId>,
        /// It was not our request.
        foreign: bool,
    },
    /// The name kept for somebody, or one's own, is another one.
    Renamed {
        /// Who.
        account: Handle,
        /// The name.
        nick: Nick,
    },
    /// A group is new, or has another name.
    Group {
        /// The group.
        group: GroupId,
        /// Its name.
        name: Nick,
    },
    /// A group is gone.
    GroupRemoved {
        /// The group.
        group: GroupId,
    },
    /// What holds for people on neither the allow nor the block list.
    Privacy(Privacy),
    /// What to do about new people on the reverse list.
    Prompt(Prompt),
    /// A property of somebody, or one's own.
    Property {
        /// Who; `None` for oneself.
        account: Option<Handle>,
        /// Which.
        property: Property,
        /// Its value; empty when it was cleared.
        value: String,
    },
}

/// Something that arrived and does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A command that could not be read.
    Unreadable(CommandError),
    /// A command that this side does not know; the line, without a payload.
    Unknown {
        /// The line, at most 512 bytes of it.
        line: Vec<u8>,
    },
    /// A payload over the limit was passed over.
    Oversized {
        /// The command.
        verb: Verb,
        /// Its length as the peer gave it.
        announced: u32,
    },
    /// An answer to no open question.
    Unmatched {
        /// The command, or the number of a refusal.
        verb: Verb,
        /// Its id.
        trid: Option<TrId>,
    },
    /// A known command that makes no sense there; it was ignored.
    OutOfPlace {
        /// The command.
        verb: Verb,
    },
    /// A value of a command that cannot be used; the command was ignored.
    Invalid {
        /// The command.
        verb: Verb,
        /// What the value should have been.
        expected: Expected,
    },
    /// A message whose header is not as it should be; it was delivered as far as it can be read.
    Payload {
        /// The command.
        verb: Verb,
        /// What is wrong.
        problem: MimeProblem,
    },
    /// The lists ended too early or did not add up; what came was kept.
    ListsIncomplete,
    /// More than the limit of something; the rest is ignored.
    TooMany {
        /// The command.
        verb: Verb,
    },
    /// The server refused a request of our own.
    Refused {
        /// The request.
        verb: Verb,
        /// What it said.
        code: ErrorCode,
    },
    /// The server did not answer a request of our own.
    Unanswered {
        /// The request.
        verb: Verb,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(f),
            Self::Unknown { line } => write!(f, "unknown command: {}", line.escape_ascii()),
            Self::Oversized { verb, announced } => {
                write!(f, "{verb}: payload of {announced} bytes passed over")
            }
            Self::Unmatched { verb, trid: Some(trid) } => {
                write!(f, "{verb} {trid} answers no open request")
            }
            Self::Unmatched { verb, trid: None } => write!(f, "{verb} answers no open request"),
            Self::OutOfPlace { verb } => write!(f, "{verb} makes no sense here"),
            Self::Invalid { verb, expected } => write!(f, "{verb} does not hold {expected}"),
            Self::Payload { verb, problem } => write!(f, "{verb}: {problem}"),
            Self::ListsIncomplete => f.write_str("lists are incomplete"),
            Self::TooMany { verb } => write!(f, "{verb}: too many"),
            Self::Refused { verb, code } => write!(f, "{verb} was refused: {code}"),
            Self::Unanswered { verb } => write!(f, "no answer to {verb}"),
        }
    }
}

impl Warning {
    /// The command that it is about, if it is about one.
    #[must_use]
    pub fn verb(&self) -> Option<Verb> {
        match *self {
            Self::Unreadable(error) => Some(error.verb),
            Self::Oversized { verb, .. }
            | Self::Unmatched { verb, .. }
            | Self::OutOfPlace { verb }
            | Self::Invalid { verb, .. }
            | Self::Payload { verb, .. }
            | Self::TooMany { verb }
            | Self::Refused { verb, .. }
            | Self::Unanswered { verb } => Some(verb),
            Self::Unknown { .. } | Self::ListsIncomplete => None,
        }
    }
}
