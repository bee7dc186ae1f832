//! What the server says by itself, because its operator wants it: mail, alerts, pages, its end, and
//! that people are to move to another server.

use alloc::string::ToString as _;
use alloc::vec::Vec;

use super::arena::SlotId;
use super::event::{Role, Why};
use super::{Directory, Hub};
use crate::body::{BadValue, InitialMail, MailActivity, NewMail, System};
use crate::machine::{Shutdown, Target};
use crate::ns::Reply;
use crate::time::{Duration, Instant};
use crate::types::{Account, Address, Dialect, Handle, Name, Token, TrId};
use crate::wire::Body;

/// The folder of a mailbox that is its inbox.
const INBOX: &str = "ACTIVE";

/// What has happened in a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mail {
    /// There is a mailbox, with so much unread mail. It is said to its owner once in each session,
    /// when they choose their first status.
    Status(InitialMail),
    /// A mail has arrived.
    New(NewMail),
    /// Mails were moved or deleted. MSNP2 has no word for it.
    Activity(MailActivity),
}

impl Mail {
    fn write(&self, dialect: Dialect, out: &mut Vec<u8>) -> Result<(), BadValue> {
        match self {
            Self::Status(status) => status.write(dialect, out),
            Self::New(mail) => mail.write(dialect, out),
            Self::Activity(activity) => activity.write(out),
        }
    }

    /// Whether every text in it can be shown. Names and subjects could carry control characters in
    /// their coding, and a client would show them.
    fn check(&self) -> Result<(), BadValue> {
        self.write(Dialect::Msnp7, &mut Vec::new())?;
        let Self::New(mail) = self else { return Ok(()) };
        for (name, text) in [("From", &mail.from), ("Subject", &mail.subject)] {
            if text.contains(char::is_control) {
                return Err(BadValue { name });
            }
        }
        Ok(())
    }

    /// What the mailbox holds afterwards.
    fn count(&self, status: &mut InitialMail) {
        let mut add = |folder: &str, by: i64| {
            let count = match folder {
                INBOX => &mut status.inbox_unread,
                _ => &mut status.folders_unread,
            };
            let sum = i64::from(count.unwrap_or(0)).saturating_add(by).max(0);
            *count = Some(u32::try_from(sum).unwrap_or(u32::MAX));
        };
        match self {
            Self::Status(new) => *status = new.clone(),
            Self::New(mail) => add(&mail.folder, 1),
            Self::Activity(activity) => {
                let delta = i64::from(activity.delta.unwrap_or(0));
                add(&activity.source, delta.saturating_neg());
                add(&activity.destination, delta);
            }
        }
    }
}

impl<D: Directory> Hub<D> {
    /// Tells the owner of a mailbox what has happened in it. The hub keeps how much unread mail
    /// there is, also for accounts that are offline: whoever has a status from
    /// [`Mail::Status`] has a mailbox. Nothing is kept when the program ends.
    ///
    /// # Errors
    ///
    /// When a text holds a control character: then nothing was said or kept.
    pub fn notify_mail(&mut self, now: Instant, who: &Handle, mail: &Mail) -> Result<(), BadValue> {
        mail.check()?;
        let status = matches!(mail, Mail::Status(_));
        if status {
            self.mailboxes.entry(who.clone()).or_default();
        }
        if let Some(mailbox) = self.mailboxes.get_mut(who) {
            mail.count(mailbox);
        }
        if let Some(person) = super::presence::find(&self.people, &self.online, who) {
            let known = person.dialect > Dialect::Msnp2 || !matches!(mail, Mail::Activity(_));
            // Before the first status it comes by itself.
            if known && (person.status.is_some() || !status) {
                let (conn, dialect) = (person.conn, person.dialect);
                self.announce_to(conn, |body| mail.write(dialect, body).is_ok());
                self.settle(now);
            }
        }
        Ok(())
    }

    /// Forgets a mailbox.
    pub fn forget_mailbox(&mut self, who: &Handle) {
        self.mailboxes.remove(who);
    }

    /// Sends an alert (`NOT`), an XML document. Returns whether it was handed to somebody: they are
    /// signed in, with MSNP5 or later.
    pub fn alert(&mut self, now: Instant, who: &Handle, document: &[u8]) -> bool {
        let alert = Body(document);
        self.say_to(now, who, Dialect::Msnp5, |out| Reply::Not { alert }.encode(out))
    }

    /// Sends a page from a mobile (`IPG`), an XML document. Returns whether it was handed to
    /// somebody: they are signed in, with MSNP6 or later.
    pub fn page(&mut self, now: Instant, who: &Handle, document: &[u8]) -> bool {
        let page = Body(document);
        self.say_to(now, who, Dialect::Msnp6, |out| Reply::Ipg { page }.encode(out))
    }

    fn say_to(
        &mut self,
        now: Instant,
        who: &Handle,
        since: Dialect,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> bool {
        let person = super::presence::find(&self.people, &self.online, who);
        let Some(person) = person.filter(|person| person.dialect >= since) else { return false };
        self.scratch.clear();
        encode(&mut self.scratch);
        let told = self.lines.push(person.conn, [&self.scratch, &[], &[]]);
        self.settle(now);
        told
    }

    /// Tells everybody that the server will be shut down in so many minutes, and those who sign in
    /// until then how many are left. [`Hub::shut_down`] ends it; nothing does so by itself. When
    /// the time is over, nobody is told any more.
    pub fn announce_shutdown(&mut self, now: Instant, minutes: u32) {
        self.ends_at = Some(now + Duration::from_secs(60 * u64::from(minutes)));
        let conns: Vec<SlotId> = self.people.iter().map(|(_, person)| person.conn).collect();
        for conn in conns {
            self.announce_to(conn, |body| {
                System::shutdown(minutes).write(body);
                true
            });
        }
        self.settle(now);
    }

    /// Takes back what [`Hub::announce_shutdown`] announced: who signs in is not told of it any
    /// more. Who was told hears nothing, since the protocol has no word for it. Returns whether
    /// something was announced.
    pub fn withdraw_shutdown(&mut self) -> bool {
        self.ends_at.take().is_some()
    }

    /// Sends everybody who is signed in to another notification server and closes their
    /// connections. Their switchboards stay as they are. Nobody is told that others are offline:
    /// all of them move. New people can still sign in here.
    pub fn move_people(&mut self, now: Instant, to: &Target) {
        self.commit_before_end(None);
        let people: Vec<(SlotId, Dialect)> =
            self.people.iter().map(|(_, person)| (person.conn, person.dialect)).collect();
        for (conn, dialect) in people {
            self.say_referral(conn, TrId::NONE, dialect, to, Role::Notification);
            self.end(now, conn, Why::Moved, Shutdown::Flush);
        }
        self.settle(now);
    }

    /// Ends somebody's session with `OUT`. Returns whether there was one.
    pub fn end_session(&mut self, now: Instant, who: &Handle) -> bool {
        let person = super::presence::find(&self.people, &self.online, who);
        let Some(conn) = person.map(|person| person.conn) else { return false };
        self.dismiss(now, conn, None, Why::Operator);
        self.settle(now);
        true
    }

    /// What somebody who has just come online is told by the server itself.
    pub(super) fn greet(&mut self, now: Instant, conn: SlotId, id: SlotId) {
        let Some(person) = self.people.get(id) else { return };
        let dialect = person.dialect;
        let mailbox = self.mailboxes.get(&person.record.handle);
        self.lines.say(conn, |out| {
            if let Some(mailbox) = mailbox {
                encode(out, |body| mailbox.write(dialect, body).is_ok());
            }
        });
        if let Some(ends_at) = self.ends_at.filter(|ends_at| *ends_at > now) {
            let minutes = (ends_at - now).as_secs().div_ceil(60);
            let minutes = u32::try_from(minutes).unwrap_or(u32::MAX);
            self.announce_to(conn, |body| {
                System::shutdown(minutes).write(body);
                true
            });
        }
    }

    fn announce_to(&mut self, conn: SlotId, write: impl FnOnce(&mut Vec<u8>) -> bool) {
        self.scratch.clear();
        encode(&mut self.scratch, write);
        self.lines.push(conn, [&self.scratch, &[], &[]]);
    }

    /// Says where another server is. The shape grew with the dialects.
    pub(super) fn say_referral(
        &mut self,
        conn: SlotId,
        trid: TrId,
        dialect: Dialect,
        to: &Target,
        here: Role,
    ) {
        let here = self.address(here).map(Target::to_string).unwrap_or_default();
        let zero = Token::new(b"0").filter(|_| dialect >= Dialect::Msnp3);
        let current = Token::new(here.as_bytes()).filter(|_| dialect >= Dialect::Msnp7);
        let address = Address::from(to);
        self.lines.say(conn, |out| {
            Reply::XfrNotification { trid, address, zero, current }.encode(out);
        });
    }
}

/// Appends a message of the server with the payload that `write` appends, unless that fails.
pub(super) fn encode(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> bool) {
    let mut body = Vec::new();
    let name = Name::from_text("Hotmail");
    if let (true, Some(name), Some(account)) = (write(&mut body), name, Account::new(b"Hotmail")) {
        Reply::Msg { account, name, body: Body(&body) }.encode(out);
    }
}
