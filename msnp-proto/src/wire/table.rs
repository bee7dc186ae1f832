//! What is known of each command besides its values: rows of a table, for those who show commands,
//! make them up, or want to know which server takes them.

use core::fmt;

use super::frame::Verb;
use crate::types::ErrorCode;

/// One row of a table of verbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerbRow {
    /// The verb.
    pub verb: Verb,
    /// The number of the first dialect that has it. None was taken away up to MSNP7.
    pub since: u8,
    /// The servers that take or send it.
    pub roles: Roles,
    /// Whether a payload follows the line.
    pub payload: bool,
    /// What a server may refuse it with, lowest first. [`ErrorCode::OF_ANY`] come on top.
    pub refusals: &'static [ErrorCode],
    /// The lines that it has, in the order in which they are tried.
    pub shapes: &'static [Shape],
}

/// Which of the servers a verb belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Roles {
    /// The dispatch server.
    pub dispatch: bool,
    /// The notification server.
    pub notification: bool,
    /// The switchboard.
    pub switchboard: bool,
}

impl Roles {
    /// From letters: `D`, `N` and `B`. Others do not compile: it is called in constants only.
    pub(crate) const fn new(letters: &str) -> Self {
        let mut roles = Self { dispatch: false, notification: false, switchboard: false };
        let mut rest = letters.as_bytes();
        while let [first, tail @ ..] = rest {
            match first {
                b'D' => roles.dispatch = true,
                b'N' => roles.notification = true,
                other => {
                    assert!(*other == b'B', "no such server");
                    roles.switchboard = true;
                }
            }
            rest = tail;
        }
        roles
    }
}

/// The letters of the servers: `D`, `N`, `B`.
impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dispatch, notification, switchboard } = *self;
        let letters = [(dispatch, "D"), (notification, "N"), (switchboard, "B")];
        letters.iter().filter(|(has, _)| *has).try_for_each(|(_, letter)| f.write_str(letter))
    }
}

/// One of the lines that a command has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shape {
    /// The name of its value.
    pub name: &'static str,
    /// What stands behind the verb.
    pub arguments: &'static [Argument],
}

/// One argument of a [`Shape`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Argument {
    /// The name of its field, or the word itself.
    pub name: &'static str,
    /// What stands in its place.
    pub place: Place,
    /// The number of the dialect that brought it, if it is not as old as the line.
    pub since: Option<u8>,
}

/// What stands in the place of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// This word.
    Word,
    /// The value of a field.
    Field,
    /// The value of a field, or the end of the line.
    Optional,
    /// The length of the payload.
    Payload,
}

/// The argument as it stands in the documentation of its command, with a blank before it.
impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, place, since } = self;
        match (place, since) {
            (Place::Word, _) => write!(f, " {name}"),
            (Place::Field, _) => write!(f, " <{name}>"),
            (Place::Optional, None) => write!(f, " [<{name}>]"),
            (Place::Optional, Some(since)) => write!(f, " [<{name}> since MSNP{since}]"),
            (Place::Payload, _) => write!(f, " <length of {name}>"),
        }
    }
}
