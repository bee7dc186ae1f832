//! From the first line to an account.

use super::arena::SlotId;
use super::event::{Event, Role, Why};
use super::lines::State;
use super::presence::Person;
use super::record::Record;
use super::{Directory, DirectoryError, Hub, Password};
use crate::body::Profile;
use crate::error::Expected;
use crate::machine::Shutdown;
use crate::ns::challenge::Challenge;
use crate::ns::server::{Door, Next, SignIn};
use crate::ns::{Reply, Request};
use crate::time::Instant;
use crate::types::{
    Account, Dialect, ErrorCode, ErrorReply, Handle, Name, Nick, Token, TrId, Words,
};
use crate::wire::{Frame, Parsed, Verb};

impl<D: Directory> Hub<D> {
    /// Takes a frame of a connection that is not signed in. Returns whether it is now.
    pub(super) fn on_sign_in(&mut self, now: Instant, conn: SlotId, frame: Frame<'_>) -> bool {
        let request = match Request::parse(frame) {
            Ok(Parsed::Command(_, extra)) if self.is_excess(now, conn, frame, extra) => {
                return false;
            }
            Ok(Parsed::Command(request, _)) => request,
            Ok(Parsed::Unknown(frame)) => {
                match frame.verb() {
                    // It belongs into a switchboard, and its payload would be read as lines.
                    Some(verb) if verb.as_bytes() == b"MSG" => {
                        self.end_unexpected(now, conn, verb, super::sessions::trid_of(frame));
                    }
                    _ => self.on_unknown(now, conn, frame),
                }
                return false;
            }
            Err(error) => {
                match (error.expected, super::sessions::trid_of(frame)) {
                    (Expected::Word("MD5"), Some(trid)) if !error.missing => {
                        self.turn_away(now, conn, None, trid);
                    }
                    _ => self.on_unreadable(now, conn, frame, error),
                }
                return false;
            }
        };
        self.forgive(conn);
        let Some(session) = self.lines.sessions.get_mut(conn) else { return false };
        let State::SigningIn(state) = &mut session.state else { return false };
        let state = core::mem::replace(state, SignIn::New);
        let refers = session.role == Role::Dispatch;
        let door = Door { dialects: &self.config.dialects, refers };
        let mut next = Next::Unexpected;
        let entropy = &mut *self.entropy;
        self.lines.say(conn, |out| next = state.on_request(request, door, entropy, out));
        match next {
            Next::Stay(state) => self.stay(conn, state),
            Next::Report { state, trid, report, queried } => {
                self.answer_report(conn, trid, report, queried);
                self.stay(conn, state);
                if queried {
                    self.end(now, conn, Why::Left, Shutdown::Flush);
                }
            }
            Next::Refer { trid, dialect } => self.refer(now, conn, trid, dialect),
            Next::Verify { trid, dialect, account, challenge, digest } => {
                return self.verify(now, conn, trid, dialect, account, &challenge, digest);
            }
            Next::Leave => self.end(now, conn, Why::Left, Shutdown::Flush),
            Next::NoVersion => self.end(now, conn, Why::Version, Shutdown::Flush),
            Next::Unexpected => {
                self.end(now, conn, Why::Unexpected(request.verb()), Shutdown::Flush);
            }
        }
        false
    }

    fn stay(&mut self, conn: SlotId, state: SignIn) {
        if let Some(session) = self.lines.sessions.get_mut(conn) {
            if !session.is_closing() {
                session.state = State::SigningIn(state);
            }
        }
    }

    /// A command at the wrong moment: 715, if it can be said for which one, and the end.
    pub(super) fn end_unexpected(
        &mut self,
        now: Instant,
        conn: SlotId,
        verb: Verb,
        trid: Option<TrId>,
    ) {
        let code = ErrorCode::NOT_EXPECTED;
        self.lines.say(conn, |out| ErrorReply { code, trid }.encode(out));
        self.end(now, conn, Why::Unexpected(verb), Shutdown::Flush);
    }

    /// The client's own version three times, so that it never sees a reason to replace itself.
    pub(super) fn answer_report(
        &mut self,
        conn: SlotId,
        trid: TrId,
        report: Words<'_>,
        queried: bool,
    ) {
        let version = report.iter().nth(5).unwrap_or(b"1.0.0000");
        let (download, info) =
            (self.config.download_url.as_bytes(), self.config.info_url.as_bytes());
        let words = [version, version, version, download, info].join(&b' ');
        let Some(versions) = Words::new(&words) else { return };
        self.lines.say(conn, |out| match queried {
            true => Reply::Cvq { trid, versions }.encode(out),
            false => Reply::Cvr { trid, versions }.encode(out),
        });
    }

    /// Tells a client where to sign in.
    fn refer(&mut self, now: Instant, conn: SlotId, trid: TrId, dialect: Dialect) {
        let (to, here) = (self.address(Role::Notification), self.address(Role::Dispatch));
        match to.filter(|_| here.is_some()).cloned() {
            Some(to) => self.say_referral(conn, trid, dialect, &to, Role::Dispatch),
            None => self.lines.refuse(conn, ErrorCode::SERVER_UNAVAILABLE, trid),
        }
        self.end(now, conn, Why::Left, Shutdown::Flush);
    }

    /// Wrong password, unknown account, unknown way to sign in: one answer for all.
    fn turn_away(&mut self, now: Instant, conn: SlotId, account: Option<Handle>, trid: TrId) {
        self.lines.refuse(conn, ErrorCode::AUTHENTICATION_FAILED, trid);
        if let Some(from) = self.lines.sessions.get(conn).map(|session| session.from) {
            self.lines.event(Event::Refused { conn: conn.into(), account, from });
        }
        self.end(now, conn, Why::Left, Shutdown::Flush);
    }

    #[allow(clippy::too_many_arguments, reason = "what a digest is checked with, used once")]
    fn verify(
        &mut self,
        now: Instant,
        conn: SlotId,
        trid: TrId,
        dialect: Dialect,
        account: Option<Handle>,
        challenge: &Challenge,
        digest: Token<'_>,
    ) -> bool {
        let password = match &account {
            Some(account) => self.directory.password(account),
            None => Ok(None),
        };
        let is_right = |password: &[u8]| challenge.is_answered_by(digest.as_bytes(), password);
        let record = match (password, &account) {
            (Ok(Some(Password::Is(secret))), Some(account))
                if is_right(secret.expose().as_bytes()) =>
            {
                self.load(account)
            }
            (Ok(Some(Password::Any)), Some(account)) => self.load(account),
            (Ok(None), _) => {
                // The same work as for a wrong password.
                core::hint::black_box(is_right(b"nobody"));
                Ok(None)
            }
            (Ok(Some(_)), _) => Ok(None),
            (Err(why), _) => Err(why),
        };
        match record {
            Ok(Some(record)) => {
                self.sign_in(now, conn, trid, dialect, record);
                true
            }
            Ok(None) => {
                self.turn_away(now, conn, account, trid);
                false
            }
            Err(why) => {
                self.lines.refuse(conn, ErrorCode::DATABASE_CONNECTION, trid);
                self.lines.event(Event::DirectoryFailed { conn: conn.into(), why });
                self.end(now, conn, Why::Left, Shutdown::Flush);
                false
            }
        }
    }

    /// The account as it is with all that its older session, if there is one, has changed.
    fn load(&mut self, account: &Handle) -> Result<Option<Record>, DirectoryError> {
        if let Some(old) = super::presence::find(&self.people, &self.online, account) {
            self.commit_before_end(Some(old.conn));
        }
        self.directory.load(account)
    }

    /// Makes a connection somebody's. An older one of the same account is ended before the answer;
    /// who watches them sees no change until they choose a status here.
    fn sign_in(
        &mut self,
        now: Instant,
        conn: SlotId,
        trid: TrId,
        dialect: Dialect,
        mut record: Record,
    ) {
        if !record.verified {
            record.name = unverified(&record.handle);
        }
        let shown = self.replace(now, &record.handle);
        let account = record.handle.clone();
        let person = self.people.insert(Person::new(conn, record, dialect, shown));
        self.online.insert(account.clone(), person);
        self.arm(conn, None);
        let Some(session) = self.lines.sessions.get_mut(conn) else { return };
        session.state = State::SignedIn { person, dialect };
        let from = session.from;
        let seconds = (now - Instant::ZERO).as_secs();
        let unix_time = self.config.unix_time_at_zero.saturating_add(seconds);
        let Some(person) = self.people.get(person) else { return };
        let record = &person.record;
        let mailbox = self.mailboxes.contains_key(&record.handle);
        self.lines.say(conn, |out| {
            let digit: &[u8] = if record.verified { b"1" } else { b"0" };
            let verified = Token::new(digit).filter(|_| dialect >= Dialect::Msnp6);
            let name = Some(Name::from(&record.name));
            let account = Account::from(&record.handle);
            Reply::UsrOk { trid, account, name, verified }.encode(out);
            super::notices::encode(out, |body| {
                profile(&record.handle, unix_time, mailbox).write(dialect, body).is_ok()
            });
        });
        self.lines.event(Event::SignedIn { conn: conn.into(), account, dialect, from });
    }

    /// Ends the account's older session, if there is one, and returns what others saw of it.
    fn replace(&mut self, now: Instant, account: &Handle) -> Option<crate::types::Status> {
        let old = *self.online.get(account)?;
        let person = self.people.get_mut(old)?;
        let shown = person.shown.take();
        let conn = person.conn;
        self.dismiss(now, conn, Some("OTH"), Why::Elsewhere);
        shown
    }
}

/// The name that somebody has whose address is not known to be theirs.
fn unverified(handle: &Handle) -> Nick {
    let name = alloc::format!("{handle} (E-Mail Address Not Verified)");
    Nick::new(&name).unwrap_or_else(|| Nick::of_handle(handle))
}

/// What is known of an account. No ticket is ever given: it would open a mailbox elsewhere.
fn profile(handle: &Handle, unix_time: u64, mailbox: bool) -> Profile {
    Profile {
        login_time: Some(unix_time),
        email_enabled: Some(mailbox),
        member_id_high: Some(0),
        member_id_low: Some(0),
        language: Some(1033),
        preferred_email: handle.as_str().into(),
        kid: "0".into(),
        flags: Some(1027),
        site_id: Some(507),
        key_version: Some(2),
        ticket: "0".into(),
        ..Profile::default()
    }
}
