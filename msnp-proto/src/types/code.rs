//! Error numbers.

use alloc::vec::Vec;
use core::fmt;

use super::TrId;
use crate::wire::{Frame, LineWriter, Verb, grammar};

/// The number of a refusal: three digits in the place of a verb, 100 to 999. Those with a name are in
/// draft-movva or were seen on real servers; others are kept as they came.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrorCode(u16);

macro_rules! codes {
    ($( $NAME:ident = $code:literal, $text:literal; )*) => {
        impl ErrorCode {
            $( #[doc = concat!($text, " (", $code, ").")] pub const $NAME: Self = Self($code); )*

            /// What the number means; a text for people, or `None` for a number without a name.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $( $code => Some($text), )*
                    _ => None,
                }
            }

            /// All numbers with a name.
            pub const ALL: &'static [Self] = &[$( Self::$NAME ),*];
        }
    };
}

codes! {
    SYNTAX = 200, "syntax error";
    INVALID_PARAMETER = 201, "invalid parameter";
    NO_SUCH_USER = 205, "no such user";
    DOMAIN_MISSING = 206, "domain name missing";
    ALREADY_SIGNED_IN = 207, "already signed in";
    INVALID_USER_NAME = 208, "invalid user name";
    INVALID_NAME = 209, "display name not allowed or account not verified";
    LIST_FULL = 210, "list full";
    ALREADY_THERE = 215, "already there";
    NOT_ON_LIST = 216, "not on the list, or the person excludes you";
    NOT_ONLINE = 217, "person not online or not accepting";
    ALREADY_IN_MODE = 218, "already in that mode";
    ON_OPPOSITE_LIST = 219, "is on the opposite list";
    NO_PAGES = 220, "person accepts no pages";
    TOO_MANY_GROUPS = 223, "too many groups";
    NO_SUCH_GROUP = 224, "no such group";
    NOT_IN_GROUP = 225, "contact is not in that group";
    GROUP_NOT_EMPTY = 226, "group is not empty";
    GROUP_EXISTS = 228, "a group of that name exists";
    GROUP_NAME_TOO_LONG = 229, "group name too long";
    GROUP_ZERO = 230, "this group cannot be removed";
    INVALID_GROUP = 231, "invalid group";
    SWITCHBOARD_FAILED = 280, "switchboard failed";
    TRANSFER_FAILED = 281, "transfer to the switchboard failed";
    DIRECT_REFUSED = 282, "message could not be delivered";
    FIELDS_MISSING = 300, "required fields missing";
    TOO_MANY_HITS = 301, "too many hits";
    NOT_SIGNED_IN = 302, "not signed in";
    INVITATION_NEEDED = 420, "this version needs an invitation";
    INTERNAL = 500, "internal server error";
    DATABASE = 501, "database error";
    COMMAND_DISABLED = 502, "command disabled";
    BAD_PARAMETERS = 503, "general failure or bad parameters";
    FILE_OPERATION = 510, "file operation failed";
    OUT_OF_MEMORY = 520, "out of memory";
    CHALLENGE_FAILED = 540, "challenge answer wrong";
    SERVER_BUSY = 600, "server busy";
    SERVER_UNAVAILABLE = 601, "server unavailable";
    PEER_SERVER_DOWN = 602, "peer notification server down";
    DATABASE_CONNECTION = 603, "database connection failed";
    GOING_DOWN = 604, "server is going down";
    SERVER_UNAVAILABLE_TOO = 605, "server unavailable";
    PAGING_UNAVAILABLE = 606, "paging unavailable";
    CONNECTION_FAILED = 707, "could not create connection";
    BAD_VERSION_PARAMETERS = 710, "bad client version parameters";
    WRITE_BLOCKED = 711, "write would block";
    SESSION_OVERLOADED = 712, "session overloaded";
    TOO_ACTIVE = 713, "calling too often";
    TOO_MANY_SESSIONS = 714, "too many sessions";
    NOT_EXPECTED = 715, "not expected";
    BAD_FRIEND_FILE = 717, "bad friend file";
    WRONG_VERSION_REPORT = 731, "client version at the wrong time";
    TOO_FAST = 800, "changing too quickly";
    BUSY_910 = 910, "server too busy";
    AUTHENTICATION_FAILED = 911, "authentication failed";
    BUSY_912 = 912, "server too busy";
    NOT_WHILE_HIDDEN = 913, "not allowed while offline or hidden";
    UNAVAILABLE_914 = 914, "server unavailable";
    UNAVAILABLE_915 = 915, "server unavailable";
    UNAVAILABLE_916 = 916, "server unavailable";
    UNKNOWN_DOMAIN = 917, "authentication failed, unknown domain";
    BUSY_918 = 918, "server too busy";
    BUSY_919 = 919, "server too busy";
    NO_NEW_USERS = 920, "no new users accepted";
    BUSY_921 = 921, "server too busy";
    BUSY_922 = 922, "server too busy";
    CHILD_ACCOUNT = 923, "child account without consent";
    NOT_VERIFIED = 924, "e-mail address not verified";
}

impl ErrorCode {
    /// What any request may be refused with: it cannot be read, comes at the wrong moment, or the
    /// server is in trouble.
    pub const OF_ANY: &'static [Self] = &[
        Self::SYNTAX,
        Self::INVALID_PARAMETER,
        Self::NOT_SIGNED_IN,
        Self::INTERNAL,
        Self::DATABASE,
        Self::BAD_PARAMETERS,
        Self::GOING_DOWN,
        Self::NOT_EXPECTED,
    ];

    /// The code of a number of three digits.
    #[must_use]
    pub const fn new(code: u16) -> Option<Self> {
        if code >= 100 && code <= 999 { Some(Self(code)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }

    /// Whether the server says that it is busy, broken or going down, so that the same may be granted
    /// later.
    #[must_use]
    pub const fn is_temporary(self) -> bool {
        // 604 is not in draft-movva's list of busy servers, but says in words that it is one.
        matches!(self.0, 500..=539 | 541..=605 | 713 | 714 | 910 | 912 | 915 | 918..=920 | 922)
    }

    /// The digits in the place of a verb.
    #[must_use]
    pub fn verb(self) -> Verb {
        let digit = |value: u16| b'0'.wrapping_add((value % 10) as u8);
        Verb::new([digit(self.0 / 100), digit(self.0 / 10), digit(self.0)])
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} {name}", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A refusal on the wire: `911 7`. Real servers may leave the id out; what cannot be one, and all that
/// follows it, is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorReply {
    /// The number.
    pub code: ErrorCode,
    /// The request that it answers.
    pub trid: Option<TrId>,
}

impl ErrorReply {
    /// Reads a frame whose verb is three digits; `None` for every other frame.
    #[must_use]
    pub fn parse(frame: Frame<'_>) -> Option<Self> {
        let number = grammar::number(frame.verb()?.as_bytes())?;
        let code = ErrorCode::new(u16::try_from(number).ok()?)?;
        Some(Self { code, trid: frame.trid() })
    }

    /// Appends the refusal as a line.
    pub fn encode(&self, out: &mut Vec<u8>) {
        LineWriter::new(out, self.code.verb()).with(&self.trid).end();
    }
}
