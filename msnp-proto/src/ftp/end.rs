//! How a transfer ends.

use core::fmt;

use crate::machine::Closed;

/// How a transfer ended. Told once; nothing follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// All bytes are there, and the receiver said so.
    Complete,
    /// All bytes were written to the network, and the receiver has not said that it has them. Many
    /// clients just close.
    Unconfirmed,
    /// We cancelled.
    CancelledHere,
    /// The other side cancelled.
    CancelledThere,
    /// The other side was silent for too long.
    TimedOut,
    /// The other side says that we were.
    TimedOutThere,
    /// The connection ended in the middle; [`Closed::Done`] if the other side closed it in order.
    Broken(Closed),
    /// The receiver could not write the file, its disk being full perhaps.
    CouldNotWriteThere,
    /// We could not write the file.
    CouldNotWriteHere,
    /// The sender announced another size than was offered.
    SizeChanged {
        /// What it announced, if that was a number.
        announced: Option<u64>,
    },
    /// The receiver did not know the cookie: somebody else found our port.
    WrongCookie,
    /// The receiver says that it is done, or gives no reason, and has not got everything.
    StoppedEarly,
    /// The other side broke the protocol.
    Violation(Violation),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Complete => "complete",
            Self::Unconfirmed => "sent, but not confirmed",
            Self::CancelledHere => "cancelled",
            Self::CancelledThere => "cancelled by the other side",
            Self::TimedOut => "the other side was silent for too long",
            Self::TimedOutThere => "the other side gave up waiting",
            Self::Broken(why) => return write!(f, "{why} in the middle of the transfer"),
            Self::CouldNotWriteThere => "the other side could not write the file",
            Self::CouldNotWriteHere => "the file could not be written",
            Self::SizeChanged { announced: Some(size) } => {
                return write!(f, "the size changed to {size} bytes");
            }
            Self::SizeChanged { announced: None } => "the size changed",
            Self::WrongCookie => "the other side did not know the cookie",
            Self::StoppedEarly => "the other side stopped early",
            Self::Violation(violation) => return violation.fmt(f),
        })
    }
}

/// How a peer broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// A line that has no meaning at that moment: another protocol, most likely.
    Unexpected,
    /// A line of more than 512 bytes.
    LineTooLong,
    /// It does not offer `MSNFTP`.
    Version,
    /// A block with an unknown flag.
    BadBlock,
    /// Many blocks in a row without data.
    EmptyBlocks,
    /// A block with more bytes than are missing. It was dropped.
    TooMuch,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unexpected => "a line that does not belong there",
            Self::LineTooLong => "a line that is too long",
            Self::Version => "no common version of the file protocol",
            Self::BadBlock => "a block of an unknown kind",
            Self::EmptyBlocks => "too many empty blocks",
            Self::TooMuch => "more bytes than were offered",
        })
    }
}

impl core::error::Error for Violation {}
