//! Statuses, acknowledgement letters, switches.

use core::fmt;

use super::Token;
use super::list::word_enum;
use crate::error::Expected;
use crate::wire::{Arg, Args, Failed, LineWriter, Value};

word_enum! {
    /// The state that a person shows.
    Status, Status {
        /// Online.
        Online = "NLN",
        /// Busy.
        Busy = "BSY",
        /// Idle; clients set it by themselves.
        Idle = "IDL",
        /// Be right back.
        RightBack = "BRB",
        /// Away.
        Away = "AWY",
        /// On the phone.
        Phone = "PHN",
        /// Out to lunch.
        Lunch = "LUN",
        /// Signed in, shown as offline to others.
        Hidden = "HDN",
        /// Offline.
        Offline = "FLN",
    }
}

impl Status {
    /// Whether others see a person of this state as online.
    #[must_use]
    pub const fn is_visible(self) -> bool {
        !matches!(self, Self::Hidden | Self::Offline)
    }
}

/// A status on the wire, known or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusCode<'a> {
    /// One of the nine.
    Known(Status),
    /// Another word.
    Other(Token<'a>),
}

impl StatusCode<'_> {
    /// What a client takes it for: every unknown state is a kind of being online (draft-movva).
    #[must_use]
    pub fn or_online(self) -> Status {
        match self {
            Self::Known(status) => status,
            Self::Other(_) => Status::Online,
        }
    }
}

impl From<Status> for StatusCode<'_> {
    fn from(status: Status) -> Self {
        Self::Known(status)
    }
}

impl<'a> Arg<'a> for StatusCode<'a> {
    fn read(args: &mut Args<'a>) -> Result<Self, Failed> {
        args.value(Expected::Status, |word| match Status::from_word(word) {
            Some(status) => Some(Self::Known(status)),
            None => Token::new(word).map(Self::Other),
        })
    }

    fn write(&self, line: &mut LineWriter<'_, 'a>) {
        match self {
            Self::Known(status) => status.write(line),
            Self::Other(token) => token.write(line),
        }
    }

    fn value(&self) -> Option<Value<'_>> {
        match self {
            Self::Known(status) => Some(Value::Word(status.as_str().as_bytes())),
            Self::Other(token) => Some(Value::Word(token.as_bytes())),
        }
    }
}

word_enum! {
    /// What the sender of a message wants to hear from the switchboard.
    Delivery, Delivery {
        /// Nothing.
        Unacknowledged = "U",
        /// A NAK if it could not be delivered.
        OnFailure = "N",
        /// An ACK or a NAK.
        Always = "A",
        /// As `N`; some clients of later dialects send it.
        Silent = "S",
    }
}

word_enum! {
    /// On or off.
    OnOff, Token {
        /// On.
        On = "ON",
        /// Off.
        Off = "OFF",
    }
}

impl From<bool> for OnOff {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

/// Shows a value that is one word, for texts.
impl fmt::Display for StatusCode<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(status) => status.fmt(f),
            Self::Other(token) => write!(f, "{}", token.as_bytes().escape_ascii()),
        }
    }
}
