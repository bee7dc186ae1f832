//! Payloads of messages: what they say, without who says it to whom.
//!
//! Everything is read as a view that borrows from the payload and that exists for any bytes: what
//! cannot be understood is delivered as it came. Who sent a message stands in the command line and
//! nowhere else; what a payload says about it is a claim.
//!
//! The formats are those described at hypothetic.org and in the msnp-wiki, with what aMSN and Gaim
//! are known to send.

pub mod control;
mod format;
pub mod mime;
pub mod text;

pub use control::System;
pub use format::{Colour, Effects, Font, Format};
pub use mime::{BadValue, ContentType, Field, Fields, Mime, MimeProblem};
pub use text::{Charset, Text, TextView};

/// What the payload of a message in a switchboard says.
///
/// ```
/// use msnp_proto::body::Message;
///
/// let payload = b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\nhello";
/// let Message::Text(text) = Message::parse(payload) else { panic!("not a text") };
/// assert_eq!(text.to_text().content, "hello");
///
/// let Message::Other { content_type } = Message::parse(b"?") else { panic!("understood") };
/// assert_eq!(content_type.essence, b"");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message<'a> {
    /// A text.
    Text(TextView<'a>),
    /// Somebody is typing.
    Typing {
        /// Who it is said to be. Believe the command line instead.
        user: &'a [u8],
    },
    /// Something else, or no message at all: to be carried whole.
    Other {
        /// What it is said to be.
        content_type: ContentType<'a>,
    },
}

impl<'a> Message<'a> {
    /// Reads a payload. Without an empty line behind its header it is not read any further.
    #[must_use]
    pub fn parse(payload: &'a [u8]) -> Self {
        Self::parse_with(payload).0
    }

    /// As [`Message::parse`], with what is wrong with the envelope.
    #[must_use]
    pub fn parse_with(payload: &'a [u8]) -> (Self, Option<MimeProblem>) {
        let mime = Mime::parse(payload);
        let content_type = mime.content_type();
        let other = Self::Other { content_type };
        let message = if mime.problem() == Some(MimeProblem::NoEmptyLine) {
            other
        } else if content_type.is(b"text/plain") {
            Self::Text(TextView::new(payload, mime, Charset::from_name(content_type.charset)))
        } else if content_type.is(b"text/x-msmsgscontrol") {
            mime.header("TypingUser").map_or(other, |user| Self::Typing { user })
        } else {
            other
        };
        (message, mime.problem())
    }
}
