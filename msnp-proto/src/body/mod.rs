//! Payloads of messages: what they say, without who says it to whom.
//!
//! Everything is read as a view that borrows from the payload and that exists for any bytes: what
//! cannot be understood is delivered as it came. Who sent a message stands in the command line and
//! nowhere else; what a payload says about it is a claim.
//!
//! The formats are those described at hypothetic.org and in the msnp-wiki, with what aMSN and Gaim
//! are known to send.

pub mod control;
mod encoded;
mod format;
pub mod invite;
pub mod mail;
pub mod mime;
pub mod profile;
pub mod text;

pub use control::System;
pub use encoded::decode_words;
pub use format::{Colour, Effects, Font, Format};
pub use invite::{Invite, InviteCommand, InviteView};
pub use mail::{InitialMail, MailActivity, NewMail};
pub use mime::{BadValue, ContentType, Field, Fields, Mime, MimeProblem};
pub use profile::{Profile, ProfileView};
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
    /// An invitation to something beside the text, or an answer to one.
    Invite(InviteView<'a>),
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
        } else if content_type.is(b"text/x-msmsgsinvite") {
            Self::Invite(InviteView::new(mime))
        } else {
            other
        };
        (message, mime.problem())
    }
}

/// What the payload of a message from the notification server says. Believe it only from the
/// server itself: the sender in the command line is `Hotmail`.
///
/// ```
/// use msnp_proto::body::{Notice, System};
///
/// let payload = b"MIME-Version: 1.0\r\nContent-Type: application/x-msmsgssystemmessage\r\n\r\n\
///     Type: 1\r\nArg1: 5\r\n";
/// assert_eq!(Notice::parse(payload), Notice::System(System::shutdown(5)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// What the server knows of the account.
    Profile(ProfileView<'a>),
    /// How much unread mail there is: [`InitialMail::parse`] reads the lines.
    InitialMail(Fields<'a>),
    /// A mail has arrived: [`NewMail::parse`] reads the lines.
    NewMail(Fields<'a>),
    /// Mails were moved: [`MailActivity::parse`] reads the lines.
    MailActivity(Fields<'a>),
    /// The server speaks about itself.
    System(System),
    /// Something else.
    Other {
        /// What it is said to be.
        content_type: ContentType<'a>,
    },
}

impl<'a> Notice<'a> {
    /// Reads a payload. If the empty line behind its header is missing, the lines of a notice are
    /// sought in the header.
    #[must_use]
    pub fn parse(payload: &'a [u8]) -> Self {
        Self::parse_with(payload).0
    }

    /// As [`Notice::parse`], with what is wrong with the envelope.
    #[must_use]
    pub fn parse_with(payload: &'a [u8]) -> (Self, Option<MimeProblem>) {
        let mime = Mime::parse(payload);
        let content_type = mime.content_type();
        let fields = mime.body_fields();
        let subtype = content_type.subtype().unwrap_or_default();
        let is = |name: &[u8]| subtype.eq_ignore_ascii_case(name);
        let notice = if is(b"x-msmsgsprofile") {
            Self::Profile(ProfileView::new(mime))
        } else if is(b"x-msmsgsinitialemailnotification") {
            Self::InitialMail(fields)
        } else if is(b"x-msmsgsemailnotification") {
            // In the base dialect both have this type (msnp-wiki).
            match fields.get("Inbox-Unread").or_else(|| fields.get("Folders-Unread")) {
                Some(_) => Self::InitialMail(fields),
                None => Self::NewMail(fields),
            }
        } else if is(b"x-msmsgsactivemailnotification") {
            Self::MailActivity(fields)
        } else if is(b"x-msmsgssystemmessage") {
            Self::System(System::parse(fields))
        } else {
            Self::Other { content_type }
        };
        (notice, mime.problem())
    }
}
