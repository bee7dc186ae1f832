//! `text/x-msmsgsinvite`: invitations to something beside the text. They are carried whole; what is
//! read is what tells them apart, and what invitations to transfer a file say.

mod file;

use alloc::string::String;
use alloc::vec::Vec;

use super::mime::{BadValue, Fields, Mime, VERSION, check, put_line};
pub use file::{FILE_TRANSFER, FileOffer, write_accept, write_file_invite, write_meeting};

/// Longest cookie that is answered.
pub const MAX_COOKIE: usize = 64;

/// An invitation, or an answer to one, as it stands in a payload. Its lines are in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InviteView<'a> {
    fields: Fields<'a>,
}

impl<'a> InviteView<'a> {
    pub(super) fn new(mime: Mime<'a>) -> Self {
        Self { fields: mime.body_fields() }
    }

    /// All lines.
    #[must_use]
    pub const fn fields(&self) -> Fields<'a> {
        self.fields
    }

    /// The application's name, in the inviter's language.
    #[must_use]
    pub fn application_name(&self) -> Option<&'a [u8]> {
        self.fields.get("Application-Name")
    }

    /// The application's id. It need not be well-formed.
    #[must_use]
    pub fn application_guid(&self) -> Option<&'a [u8]> {
        self.fields.get("Application-GUID")
    }

    /// What is asked or answered.
    #[must_use]
    pub fn command(&self) -> InviteCommand<'a> {
        InviteCommand::from_word(self.fields.get("Invitation-Command").unwrap_or_default())
    }

    /// The inviter's id of the invitation, as it was sent.
    #[must_use]
    pub fn cookie(&self) -> Option<&'a [u8]> {
        self.fields.get("Invitation-Cookie")
    }

    /// The cookie if an answer can be built from it: printable ASCII, 1 to [`MAX_COOKIE`] bytes.
    #[must_use]
    pub fn answerable_cookie(&self) -> Option<&'a str> {
        let cookie = self.cookie()?;
        let fits = (1..=MAX_COOKIE).contains(&cookie.len())
            && cookie.iter().all(|byte| matches!(byte, b' '..=b'~'));
        fits.then(|| core::str::from_utf8(cookie).ok()).flatten()
    }

    /// Why it was refused or taken back, such as `REJECT`, `TIMEOUT` or `FTTIMEOUT`.
    #[must_use]
    pub fn cancel_code(&self) -> Option<&'a [u8]> {
        self.fields.get("Cancel-Code")
    }

    /// The invitation as an owned value.
    #[must_use]
    pub fn to_invite(&self) -> Invite {
        Invite {
            application_name: self.fields.text("Application-Name"),
            application_guid: self.fields.text("Application-GUID"),
            command: self.fields.text("Invitation-Command"),
            cookie: self.fields.text("Invitation-Cookie"),
            body: self.fields.as_bytes().to_vec(),
        }
    }
}

/// An invitation as an owned value. What is missing is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Invite {
    /// `Application-Name`.
    pub application_name: String,
    /// `Application-GUID`.
    pub application_guid: String,
    /// `Invitation-Command`.
    pub command: String,
    /// `Invitation-Cookie`.
    pub cookie: String,
    /// The whole body as it came.
    pub body: Vec<u8>,
}

/// What an invitation message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InviteCommand<'a> {
    /// It invites.
    Invite,
    /// It accepts an invitation.
    Accept,
    /// It refuses an invitation or takes one back.
    Cancel,
    /// Something else; empty if nothing was said.
    Other(&'a [u8]),
}

impl<'a> InviteCommand<'a> {
    fn from_word(word: &'a [u8]) -> Self {
        let known = [
            (&b"INVITE"[..], Self::Invite),
            (b"ACCEPT", Self::Accept),
            (b"CANCEL", Self::Cancel),
            // One old client says so.
            (b"REJECT", Self::Cancel),
        ];
        let known = known.into_iter().find(|(name, _)| word.eq_ignore_ascii_case(name));
        known.map_or(Self::Other(word), |(_, command)| command)
    }
}

/// Appends the payload of a refusal, `code` being for example `REJECT` or `REJECT_NOT_INSTALLED`.
///
/// # Errors
///
/// When a value holds a control character; nothing was appended then.
pub fn write_cancel(out: &mut Vec<u8>, cookie: &str, code: &str) -> Result<(), BadValue> {
    check("Invitation-Cookie", cookie)?;
    check("Cancel-Code", code)?;
    begin(out);
    put_line("Invitation-Command", Some("CANCEL"), out);
    put_line("Invitation-Cookie", Some(cookie), out);
    put_line("Cancel-Code", Some(code), out);
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Appends the header of every invitation.
fn begin(out: &mut Vec<u8>) {
    out.extend_from_slice(VERSION);
    out.extend_from_slice(b"Content-Type: text/x-msmsgsinvite; charset=UTF-8\r\n\r\n");
}
