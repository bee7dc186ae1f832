//! What can go wrong, by whose fault it is.
//!
//! | type | whose fault | what follows |
//! |---|---|---|
//! | [`FrameError`] | the peer's; the stream cannot be read on | the connection is lost |
//! | [`CommandError`] | the peer's; one frame | reported, the stream goes on |
//! | [`Violation`] | the peer's; the wrong moment | the connection is lost |
//! | [`Misuse`] | the caller's | `Err`, nothing changed |
//! | [`Lost`] | says why a connection ended | one event, then silence |

use core::fmt;

use crate::machine::Closed;
use crate::types::ErrorCode;
use crate::wire::Verb;

/// The stream of bytes cannot be cut into frames any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// No line end within the limit.
    LineTooLong {
        /// [`Limits::line`](crate::limits::Limits::line).
        limit: usize,
    },
    /// A verb with a payload whose length is not a plain decimal number that fits.
    BadLength,
    /// A line that ends in LF alone, when strict.
    BareLineFeed,
    /// A line without a command, when strict.
    BlankLine,
    /// Something else than single blanks between words, or at an end of the line, when strict.
    Spacing,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LineTooLong { limit } => write!(f, "no line end within {limit} bytes"),
            Self::BadLength => f.write_str("payload length is not a number that fits"),
            Self::BareLineFeed => f.write_str("line ends in LF without CR"),
            Self::BlankLine => f.write_str("blank line"),
            Self::Spacing => f.write_str("words are not separated by single blanks"),
        }
    }
}

impl core::error::Error for FrameError {}

/// What an argument should have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// A transaction id: a decimal number of 32 bits.
    TrId,
    /// A decimal number of 32 bits.
    Number,
    /// Exactly this word.
    Word(&'static str),
    /// An account name.
    Account,
    /// A display name, percent-encoded.
    Name,
    /// An opaque word.
    Token,
    /// At least one word.
    Words,
    /// A list: FL, AL, BL or RL.
    List,
    /// A privacy setting: AL or BL.
    Privacy,
    /// A prompting setting: A or N.
    Prompt,
    /// A list of group numbers, separated by commas.
    Groups,
    /// A property key of three letters.
    Property,
    /// A status of three letters.
    Status,
    /// An acknowledgement letter.
    Delivery,
    /// `host` or `host:port`.
    Address,
    /// A payload.
    Payload,
    /// A blank: a stray CR stands inside the line.
    Blank,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TrId => "a transaction id",
            Self::Number => "a number",
            Self::Word(word) => return write!(f, "{word:?}"),
            Self::Account => "an account name",
            Self::Name => "a display name",
            Self::Token => "a word",
            Self::Words => "at least one word",
            Self::List => "FL, AL, BL or RL",
            Self::Privacy => "AL or BL",
            Self::Prompt => "A or N",
            Self::Groups => "group numbers",
            Self::Property => "a property of three letters",
            Self::Status => "a status of three letters",
            Self::Delivery => "U, N or A",
            Self::Address => "host:port",
            Self::Payload => "a payload",
            Self::Blank => "a blank",
        })
    }
}

/// One frame with a known verb could not be read. The stream is still in step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandError {
    /// The command.
    pub verb: Verb,
    /// Which argument, counted from 1.
    pub argument: u8,
    /// What it should have been.
    pub expected: Expected,
    /// Whether the line ended before it.
    pub missing: bool,
}

impl CommandError {
    /// Whether this one is the better reason of two that came of the same frame.
    pub(crate) fn says_more_than(&self, other: &Self) -> bool {
        let is_word = |error: &Self| matches!(error.expected, Expected::Word(_));
        self.argument > other.argument
            || self.argument == other.argument && is_word(other) && !is_word(self)
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verb, argument, expected, missing } = self;
        let found = if *missing { "is missing" } else { "is something else" };
        write!(f, "{verb}: argument {argument} should be {expected} and {found}")
    }
}

impl core::error::Error for CommandError {}

/// The peer said something that has no meaning at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// A known command in the wrong state.
    Unexpected {
        /// The command.
        verb: Verb,
        /// What was going on.
        state: &'static str,
    },
    /// A command that could not be read while signing in, where nothing can be skipped.
    Unreadable(CommandError),
    /// The peer agreed to no dialect that was offered.
    Version,
    /// The peer offers no way to sign in that does not give the password away.
    Package,
    /// An empty challenge: the answer would be the digest of the bare password.
    EmptyChallenge,
    /// Several lines in a row that are no commands, or one before sign-in, or a number with words
    /// before a version was agreed, as mail servers greet: another protocol.
    NotMsnp,
    /// The peer referred us on more often than the limit.
    Referrals {
        /// How many are allowed.
        limit: u8,
    },
    /// The answer is for another account than the one that asked.
    Account,
    /// More challenges than anyone needs.
    ChallengeFlood,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unexpected { verb, state } => write!(f, "{verb} while {state}"),
            Self::Unreadable(error) => error.fmt(f),
            Self::Version => f.write_str("no common version of the protocol"),
            Self::Package => f.write_str("server does not offer MD5 sign-in"),
            Self::EmptyChallenge => f.write_str("server sent an empty challenge"),
            Self::NotMsnp => f.write_str("what the server sends is not this protocol"),
            Self::Referrals { limit } => write!(f, "more than {limit} referrals in a row"),
            Self::Account => f.write_str("answer is for another account"),
            Self::ChallengeFlood => f.write_str("too many challenges"),
        }
    }
}

impl core::error::Error for Violation {}

/// The caller asked for something that cannot be done now. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// Not signed in, or not yet, or not any more.
    NotOnline,
    /// Already signed in or signing in.
    AlreadyOnline,
    /// No such chat, or it has ended.
    NoSuchChat,
    /// Files are neither sent nor taken: [`Config::files`](crate::client::Config::files).
    NoFiles,
    /// No such file, or it has ended, or it is not in that state.
    NoSuchTransfer,
    /// The message would be larger than a switchboard takes.
    TooLong {
        /// Bytes of the payload as it would be.
        size: usize,
        /// Most bytes.
        limit: usize,
    },
    /// Too much is waiting already: bytes, texts or open requests.
    Backlog,
    /// An account, name or other text that cannot be said in this protocol.
    Invalid(Expected),
    /// The dialect that was agreed has no such command.
    NotInDialect,
    /// The server has no such list entry, group or setting.
    Unknown,
    /// This is set or there already.
    Already,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOnline => f.write_str("not signed in"),
            Self::AlreadyOnline => f.write_str("already signed in"),
            Self::NoSuchChat => f.write_str("no such chat"),
            Self::NoFiles => f.write_str("files are neither sent nor taken here"),
            Self::NoSuchTransfer => f.write_str("no such file is on its way"),
            Self::TooLong { size, limit } => {
                write!(f, "message of {size} bytes is over the limit of {limit}")
            }
            Self::Backlog => f.write_str("too much is waiting to be sent"),
            Self::Invalid(expected) => write!(f, "that is not {expected}"),
            Self::NotInDialect => f.write_str("not in the dialect agreed with the server"),
            Self::Unknown => f.write_str("nothing by that name"),
            Self::Already => f.write_str("nothing to change"),
        }
    }
}

impl core::error::Error for Misuse {}

/// Which wait ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wait {
    /// Signing in.
    SignIn,
    /// The answer to a ping.
    Pong,
    /// The answer to a request.
    Request,
    /// Somebody's arrival in a chat.
    Invitation,
    /// The acknowledgement of a text.
    Acknowledgement,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SignIn => "sign-in took too long",
            Self::Pong => "no answer to a ping",
            Self::Request => "no answer to a request",
            Self::Invitation => "nobody came in time",
            Self::Acknowledgement => "no acknowledgement in time",
        })
    }
}

/// Why a connection or a whole session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lost {
    /// We signed out or left.
    SignedOut,
    /// The connection failed or was never made.
    Connection(Closed),
    /// The peer closed the connection without a word.
    HungUp {
        /// Whether it did so in the middle of a frame.
        unfinished: bool,
    },
    /// The server refused the password.
    Password(ErrorCode),
    /// The server refused to let us in, for another reason.
    Refused(ErrorCode),
    /// The same account signed in elsewhere (`OUT OTH`).
    ElsewhereSignedIn,
    /// The server is going down (`OUT SSD`).
    ServerDown,
    /// The server ended the session without a reason (`OUT`).
    Dismissed,
    /// The stream became unreadable.
    Frame(FrameError),
    /// The peer broke the protocol.
    Violation(Violation),
    /// Something took too long.
    TimedOut(Wait),
    /// The server moved us somewhere else; only between two connections of one session.
    Moved,
    /// Our answer to a challenge was refused (540).
    Challenge,
    /// Idle for too long.
    Idle,
    /// Everybody else is gone from the switchboard, or nobody came.
    Alone,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignedOut => f.write_str("signed out"),
            Self::Connection(why) => why.fmt(f),
            Self::HungUp { unfinished: false } => f.write_str("server closed the connection"),
            Self::HungUp { unfinished: true } => {
                f.write_str("server closed the connection in the middle of a command")
            }
            Self::Password(code) => write!(f, "password refused ({code})"),
            Self::Refused(code) => write!(f, "sign-in refused ({code})"),
            Self::ElsewhereSignedIn => f.write_str("signed in elsewhere"),
            Self::ServerDown => f.write_str("server is going down"),
            Self::Dismissed => f.write_str("server ended the session"),
            Self::Frame(error) => error.fmt(f),
            Self::Violation(error) => error.fmt(f),
            Self::TimedOut(wait) => wait.fmt(f),
            Self::Moved => f.write_str("moved to another server"),
            Self::Challenge => f.write_str("server refused the answer to its challenge"),
            Self::Idle => f.write_str("idle for too long"),
            Self::Alone => f.write_str("nobody else is there"),
        }
    }
}

impl core::error::Error for Lost {}
