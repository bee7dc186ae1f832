//! What the notification server says about a mailbox.

use alloc::string::String;
use alloc::vec::Vec;

use super::encoded::{decode_words, encode_words};
use super::mime::{BadValue, Fields, VERSION, check, put_line};
use crate::types::Dialect;

/// How much unread mail there is: sent once after going online.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InitialMail {
    /// Unread mails in the inbox.
    pub inbox_unread: Option<u32>,
    /// Unread mails in other folders.
    pub folders_unread: Option<u32>,
    /// The inbox's page, to be given to the server's URL service.
    pub inbox_url: String,
    /// The page of the folders.
    pub folders_url: String,
    /// Where forms are posted.
    pub post_url: String,
}

impl InitialMail {
    /// Reads the lines of the body; what is missing is none or empty.
    #[must_use]
    pub fn parse(fields: Fields<'_>) -> Self {
        Self {
            inbox_unread: fields.number("Inbox-Unread"),
            folders_unread: fields.number("Folders-Unread"),
            inbox_url: fields.text("Inbox-URL"),
            folders_url: fields.text("Folders-URL"),
            post_url: fields.text("Post-URL"),
        }
    }

    /// Appends the payload.
    ///
    /// # Errors
    ///
    /// When a URL holds a control character; nothing was appended then.
    pub fn write(&self, dialect: Dialect, out: &mut Vec<u8>) -> Result<(), BadValue> {
        let urls = [
            ("Inbox-URL", &self.inbox_url),
            ("Folders-URL", &self.folders_url),
            ("Post-URL", &self.post_url),
        ];
        urls.iter().try_for_each(|(name, value)| check(name, value))?;
        begin(dialect, "text/x-msmsgsinitialemailnotification", out);
        put_line("Inbox-Unread", self.inbox_unread, out);
        put_line("Folders-Unread", self.folders_unread, out);
        urls.iter().for_each(|(name, value)| put_line(name, Some(value), out));
        out.extend_from_slice(b"\r\n");
        Ok(())
    }
}

/// One mail that has arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewMail {
    /// The sender's name.
    pub from: String,
    /// The sender's address.
    pub from_address: String,
    /// The subject.
    pub subject: String,
    /// The folder that it went to: `ACTIVE` is the inbox.
    pub folder: String,
    /// The mail's page, to be given to the server's URL service.
    pub message_url: String,
    /// Where forms are posted.
    pub post_url: String,
    /// A number for the form with which the mailbox is opened.
    pub id: String,
}

impl NewMail {
    /// Reads the lines of the body; what is missing is empty. In names and subjects encoded words
    /// are decoded, and may have brought control characters.
    #[must_use]
    pub fn parse(fields: Fields<'_>) -> Self {
        let words = |name| fields.get(name).map(decode_words).unwrap_or_default();
        Self {
            from: words("From"),
            from_address: fields.text("From-Addr"),
            subject: words("Subject"),
            folder: fields.text("Dest-Folder"),
            message_url: fields.text("Message-URL"),
            post_url: fields.text("Post-URL"),
            id: fields.text("id"),
        }
    }

    /// Appends the payload. The sender's name and the subject are encoded where they need it.
    ///
    /// # Errors
    ///
    /// When another value holds a control character; nothing was appended then.
    pub fn write(&self, dialect: Dialect, out: &mut Vec<u8>) -> Result<(), BadValue> {
        check("Message-URL", &self.message_url)?;
        check("Post-URL", &self.post_url)?;
        let last =
            [("Dest-Folder", &self.folder), ("From-Addr", &self.from_address), ("id", &self.id)];
        // The base dialect has no id.
        let shown = if dialect > Dialect::Msnp2 && !self.id.is_empty() { 3 } else { 2 };
        last.iter().try_for_each(|(name, value)| check(name, value))?;
        begin(dialect, "text/x-msmsgsemailnotification", out);
        out.extend_from_slice(b"From: ");
        encode_words(&self.from, out);
        out.extend_from_slice(b"\r\n");
        put_line("Message-URL", Some(&self.message_url), out);
        put_line("Post-URL", Some(&self.post_url), out);
        out.extend_from_slice(b"Subject: ");
        encode_words(&self.subject, out);
        out.extend_from_slice(b"\r\n");
        last.iter().take(shown).for_each(|(name, value)| put_line(name, Some(value), out));
        out.extend_from_slice(b"\r\n");
        Ok(())
    }
}

/// Mails were moved or deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailActivity {
    /// The folder that they were in: `ACTIVE` is the inbox.
    pub source: String,
    /// The folder that they are in now: `.!!trAsH` is the bin.
    pub destination: String,
    /// By how many the number of unread mails changes.
    pub delta: Option<u32>,
}

impl MailActivity {
    /// Reads the lines of the body; what is missing is none or empty.
    #[must_use]
    pub fn parse(fields: Fields<'_>) -> Self {
        Self {
            source: fields.text("Src-Folder"),
            destination: fields.text("Dest-Folder"),
            delta: fields.number("Message-Delta"),
        }
    }

    /// How the number of unread mails in the inbox changes, as aMSN reckons: fewer if they left the
    /// inbox, else more if they came into it.
    #[must_use]
    pub fn inbox_change(&self) -> i64 {
        let delta = i64::from(self.delta.unwrap_or(0));
        match (self.source.as_str(), self.destination.as_str()) {
            ("ACTIVE", _) => delta.saturating_neg(),
            (_, "ACTIVE") => delta,
            _ => 0,
        }
    }

    /// Appends the payload. MSNP2 has no such message.
    ///
    /// # Errors
    ///
    /// When a folder's name holds a control character; nothing was appended then.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), BadValue> {
        check("Src-Folder", &self.source)?;
        check("Dest-Folder", &self.destination)?;
        begin(Dialect::Msnp7, "text/x-msmsgsactivemailnotification", out);
        put_line("Src-Folder", Some(&self.source), out);
        put_line("Dest-Folder", Some(&self.destination), out);
        put_line("Message-Delta", self.delta, out);
        out.extend_from_slice(b"\r\n");
        Ok(())
    }
}

fn begin(dialect: Dialect, content_type: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(VERSION);
    if dialect > Dialect::Msnp2 {
        put_line("Content-Type", Some(format_args!("{content_type}; charset=UTF-8")), out);
    } else {
        // The base dialect has one type for all notices (msnp-wiki).
        put_line("Content-Type", Some("application/x-msmsgsemailnotification; charset=UTF-8"), out);
    }
    out.extend_from_slice(b"\r\n");
}
