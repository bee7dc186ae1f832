//! The client's side of one connection to a dispatch or notification server.
//!
//! A dispatch and a notification server are one machine in two lives: a referral ends the first.
//! The machine knows sign-in, the roster, presence, challenges and open requests. It does not know
//! of chats, nor where the connection comes from.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::challenge::{self, digest};
use super::change::Plan;
use super::ledger::{Kind, Ledger};
use super::roster::Roster;
use super::sync::Sync;
use super::{Reply, Request};
use crate::body::{InitialMail, MailActivity, MimeProblem, NewMail, Notice};
use crate::client::{Config, Event as Report, Failure, RequestId, Warning};
use crate::error::{CommandError, Lost, Misuse, Violation, Wait};
use crate::link::Link;
use crate::machine::{Machine, Target};
use crate::secret::Secret;
use crate::time::{Duration, Instant, TimerKind, Timers};
use crate::types::{
    Account, Dialect, ErrorCode, ErrorReply, Handle, Name, Nick, Number, Status, Token, TrId, Words,
};
use crate::wire::{Body, Frame, FrameDecoder, Inbox, Incoming, Parsed, Verb};

/// One connection to a dispatch or notification server, from VER to the end. A [`Machine`] that
/// begins with its first command pending.
#[derive(Debug)]
pub struct Notification {
    inbox: Inbox,
    pub(super) core: Core,
}

/// What happens on the connection.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// For the application as it is.
    Tell(Report),
    /// This connection is over; sign-in goes on at another server.
    Referred {
        /// The other server.
        to: Target,
    },
    /// The switchboard that [`Notification::ask_switchboard`] asked for.
    Switchboard {
        /// What the caller gave.
        tag: u32,
        /// Where.
        to: Target,
        /// How to get in.
        cookie: Secret,
    },
    /// There is no switchboard.
    NoSwitchboard {
        /// What the caller gave.
        tag: u32,
        /// Why.
        why: Failure,
    },
    /// Somebody calls us into a switchboard.
    Rung {
        /// Its session.
        session: String,
        /// Where.
        to: Target,
        /// How to get in.
        cookie: Secret,
        /// Who.
        from: Handle,
        /// The name they go by.
        nick: Nick,
    },
    /// The connection is over. Every open request has had its end before this.
    Lost(Lost),
}

/// What the machine needs to know to sign in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Credentials {
    /// The account.
    pub account: Handle,
    /// Its password.
    pub password: Secret,
    /// The status to begin with. [`Status::Hidden`] signs in invisibly.
    pub status: Status,
}

impl Credentials {
    /// Signs in as online.
    #[must_use]
    pub const fn new(account: Handle, password: Secret) -> Self {
        Self { account, password, status: Status::Online }
    }
}

pub(super) struct Core {
    pub(super) link: Link<Event>,
    pub(super) config: Config,
    credentials: Credentials,
    state: State,
    pub(super) ledger: Ledger,
    timers: Timers<Timer, 4>,
    pub(super) dialect: Dialect,
    pub(super) roster: Roster,
    pub(super) sync: Option<Sync>,
    /// The SYN that was answered with the version that is known.
    pub(super) unchanged: Option<TrId>,
    /// Whom a property line without an account is about.
    pub(super) last_listed: Option<Handle>,
    challenges: Challenges,
    pub(super) plans: Vec<Plan>,
}

#[derive(Clone, Debug)]
enum State {
    /// VER was sent.
    Versions(TrId),
    /// INF was sent.
    Packages(TrId),
    /// USR with the account was sent.
    Account(TrId),
    /// USR with the digest was sent.
    Password(TrId),
    SignedIn(Session),
    Leaving,
    Finished,
}

#[derive(Clone, Debug)]
struct Session {
    account: Handle,
    nick: Nick,
    /// None before the first answer to CHG.
    status: Option<Status>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    SignIn,
    Sync,
    Ping,
    Pong,
}

impl TimerKind for Timer {
    const ALL: &'static [Self] = &[Self::SignIn, Self::Sync, Self::Ping, Self::Pong];

    fn index(self) -> usize {
        self as usize
    }
}

/// How many challenges came lately.
#[derive(Clone, Copy, Debug)]
struct Challenges {
    since: Instant,
    count: u8,
}

/// Challenges in one minute that are answered. Real servers send one in several minutes.
const CHALLENGES: u8 = 10;

/// Longest challenge that is answered; real ones have 20 digits.
const CHALLENGE_SIZE: usize = 128;

/// From one line of the lists to the next.
const SYNC_WAIT: Duration = Duration::from_secs(10);

impl Notification {
    /// Signs in on a connection that has just been opened, to a server of either kind. `roster` is
    /// what is known of the lists from before, or [`Roster::new`].
    ///
    /// A [`Client`](crate::client::Client) makes these by itself; who has one connection to look
    /// after and no chats can do with this machine alone.
    #[must_use]
    pub fn new(now: Instant, config: Config, credentials: Credentials, roster: Roster) -> Self {
        let decoder = FrameDecoder::new(Reply::has_payload, &config.limits, config.leniency);
        let mut core = Core {
            link: Link::new(),
            config,
            credentials,
            state: State::Finished,
            ledger: Ledger::new(),
            timers: Timers::new(),
            dialect: Dialect::Msnp2,
            roster,
            sync: None,
            unchanged: None,
            last_listed: None,
            challenges: Challenges { since: now, count: 0 },
            plans: Vec::new(),
        };
        core.timers.arm(Timer::SignIn, now + core.config.waits.sign_in);
        core.begin();
        Self { inbox: Inbox::new(decoder), core }
    }

    /// Whether a status has been set, so that chats can be opened.
    #[must_use]
    pub fn is_online(&self) -> bool {
        matches!(self.core.state, State::SignedIn(Session { status: Some(_), .. }))
    }

    /// The account in the server's spelling, once it is signed in.
    #[must_use]
    pub fn account(&self) -> Option<&Handle> {
        self.core.session().map(|session| &session.account)
    }

    /// One's own display name.
    #[must_use]
    pub fn nick(&self) -> Option<&Nick> {
        self.core.session().map(|session| &session.nick)
    }

    /// One's own status.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.core.session().and_then(|session| session.status)
    }

    /// The dialect that was agreed.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.core.dialect
    }

    /// Lists, groups, names, presence, settings.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        &self.core.roster
    }

    /// How many bytes were looked at in search of line ends, in all.
    #[must_use]
    pub fn scanned(&mut self) -> u64 {
        self.inbox.decoder().scanned()
    }

    /// Sets one's own status.
    ///
    /// # Errors
    ///
    /// [`Misuse::NotOnline`], [`Misuse::Backlog`].
    pub fn set_status(
        &mut self,
        now: Instant,
        request: RequestId,
        status: Status,
    ) -> Result<(), Misuse> {
        let trid = self.core.open(now, Verb::CHG, Kind::Status, Some(request))?;
        self.core.say(&Request::Chg { trid, status: status.into() });
        Ok(())
    }

    /// Asks for a switchboard; the answer carries `tag`.
    ///
    /// # Errors
    ///
    /// [`Misuse::NotOnline`], [`Misuse::Backlog`].
    pub fn ask_switchboard(&mut self, now: Instant, tag: u32) -> Result<(), Misuse> {
        if !self.is_online() {
            return Err(Misuse::NotOnline);
        }
        let trid = self.core.open(now, Verb::XFR, Kind::Switchboard(tag), None)?;
        if let Some(kind) = Token::new(b"SB") {
            self.core.say(&Request::Xfr { trid, kind });
        }
        Ok(())
    }

    /// Signs out: the goodbye is pending, then the connection may be closed.
    pub fn sign_out(&mut self) {
        if self.core.session().is_some() {
            self.core.say(&Request::Out {});
        }
        self.core.end(Lost::SignedOut);
        self.core.state = State::Leaving;
    }

    /// The connection is gone, for a reason that only its owner knows.
    pub fn abandon(&mut self, why: Lost) {
        self.core.lose(why);
    }

    /// Takes the first frame of `bytes`, so that its events can be acted on before the next one.
    /// Returns whether there was one; if not, all of `bytes` has been taken.
    pub(crate) fn take_frame(&mut self, now: Instant, bytes: &mut &[u8]) -> bool {
        let Self { inbox, core } = self;
        if !core.is_listening() || bytes.is_empty() {
            return false;
        }
        core.heard(now);
        let result = match inbox.next(bytes) {
            Ok(None) => return false,
            Ok(Some(Incoming::Frame(frame))) => core.on_frame(now, frame),
            Ok(Some(Incoming::Oversized { frame, announced })) => {
                let verb = frame.verb().unwrap_or(Verb::MSG);
                core.warn(Warning::Oversized { verb, announced });
                Ok(())
            }
            Err(error) => Err(Lost::Frame(error)),
        };
        if let Err(why) = result {
            core.lose(why);
        }
        true
    }

    /// The roster, for another connection to go on with.
    pub(crate) fn take_roster(&mut self) -> Roster {
        let mut roster = core::mem::take(&mut self.core.roster);
        roster.forget_presence();
        roster
    }
}

impl Machine for Notification {
    type Event = Event;

    fn handle_input(&mut self, now: Instant, mut bytes: &[u8]) {
        while self.take_frame(now, &mut bytes) {}
    }

    fn handle_eof(&mut self, _now: Instant) {
        let unfinished = !self.inbox.is_between_frames();
        self.core.lose(Lost::HungUp { unfinished });
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.core.on_time(now);
    }

    fn next_deadline(&self) -> Option<Instant> {
        if !self.core.is_listening() {
            return None;
        }
        crate::time::earlier(self.core.timers.next(), self.core.ledger.next_deadline())
    }

    fn pending(&self) -> &[u8] {
        self.core.link.outbox.pending()
    }

    fn consume(&mut self, _now: Instant, written: usize) {
        self.core.link.outbox.consume(written);
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.core.link.poll_event()
    }

    fn is_finished(&self) -> bool {
        self.core.link.is_finished()
    }
}

impl Core {
    /// Offers the dialects: the beginning of every connection, and of a restart on the same one.
    fn begin(&mut self) {
        let mut offer = String::new();
        for dialect in &self.config.dialects {
            offer.push_str(dialect.as_str());
            offer.push(' ');
        }
        offer.push_str("CVR0");
        let trid = self.link.next_trid();
        if let Some(dialects) = Words::new(offer.as_bytes()) {
            self.say(&Request::Ver { trid, dialects });
        }
        self.state = State::Versions(trid);
    }

    fn session(&self) -> Option<&Session> {
        match &self.state {
            State::SignedIn(session) => Some(session),
            _ => None,
        }
    }

    fn session_mut(&mut self) -> Option<&mut Session> {
        match &mut self.state {
            State::SignedIn(session) => Some(session),
            _ => None,
        }
    }

    fn is_listening(&self) -> bool {
        !matches!(self.state, State::Leaving | State::Finished)
    }

    pub(super) fn say(&mut self, request: &Request<'_>) {
        request.encode(self.link.outbox.buffer());
    }

    pub(super) fn tell(&mut self, report: Report) {
        self.link.tell(Event::Tell(report));
    }

    pub(super) fn warn(&mut self, warning: Warning) {
        self.tell(Report::Warning(warning));
    }

    /// Opens a request of a signed-in client.
    pub(super) fn open(
        &mut self,
        now: Instant,
        verb: Verb,
        kind: Kind,
        request: Option<RequestId>,
    ) -> Result<TrId, Misuse> {
        if self.session().is_none() {
            return Err(Misuse::NotOnline);
        }
        if self.ledger.len() >= self.config.limits.open_requests
            || self.link.outbox.len() >= self.config.limits.send_backlog
        {
            return Err(Misuse::Backlog);
        }
        let trid = self.link.next_trid();
        self.ledger.open(trid, verb, kind, request, now + self.config.waits.request);
        Ok(trid)
    }

    /// Opens a request of the machine itself.
    fn open_own(&mut self, now: Instant, verb: Verb, kind: Kind) -> TrId {
        let trid = self.link.next_trid();
        self.ledger.open(trid, verb, kind, None, now + self.config.waits.request);
        trid
    }

    /// The peer lives: the next ping can wait.
    fn heard(&mut self, now: Instant) {
        if self.session().is_some() {
            self.timers.stop(Timer::Pong);
            self.timers.arm(Timer::Ping, now + self.config.waits.ping);
        }
    }

    fn on_frame(&mut self, now: Instant, frame: Frame<'_>) -> Result<(), Lost> {
        if let Some(error) = ErrorReply::parse(frame) {
            self.link.reset_fuse();
            return self.on_error(now, error);
        }
        let signed_in = self.session().is_some();
        match Reply::parse(frame) {
            Ok(Parsed::Command(reply, _)) => {
                self.link.reset_fuse();
                if signed_in { self.on_reply(now, reply) } else { self.on_sign_in(now, reply) }
            }
            Ok(Parsed::Unknown(frame)) => {
                let warning = self.link.unknown(frame, signed_in)?;
                self.warn(warning);
                Ok(())
            }
            Err(error) if signed_in => {
                self.warn(Warning::Unreadable(error));
                Ok(())
            }
            Err(error) => Err(self.unreadable(error)),
        }
    }

    fn unreadable(&self, error: CommandError) -> Lost {
        let no_challenge =
            matches!(self.state, State::Account(_)) && error.verb == Verb::USR && error.missing;
        Lost::Violation(match no_challenge {
            true => Violation::EmptyChallenge,
            false => Violation::Unreadable(error),
        })
    }

    /// A reply before the server took the password.
    fn on_sign_in(&mut self, now: Instant, reply: Reply<'_>) -> Result<(), Lost> {
        match (&self.state, reply) {
            (State::Versions(asked), Reply::Ver { trid, dialects }) if trid == *asked => {
                let offered = |word: &[u8]| {
                    Dialect::from_word(word).filter(|one| self.config.dialects.contains(one))
                };
                let dialect = dialects.iter().find_map(offered);
                let refused = dialects.iter().next() == Some(b"0");
                let Some(dialect) = dialect.filter(|_| !refused) else {
                    return Err(Lost::Violation(Violation::Version));
                };
                self.dialect = dialect;
                self.tell(Report::Agreed { dialect });
                let trid = self.link.next_trid();
                self.say(&Request::Inf { trid });
                self.state = State::Packages(trid);
            }
            (State::Packages(asked), Reply::Inf { trid, packages }) if trid == *asked => {
                if !packages.has_md5() {
                    return Err(Lost::Violation(Violation::Package));
                }
                let trid = self.link.next_trid();
                let account = self.credentials.account.clone();
                self.say(&Request::UsrInitial { trid, account: Account::from(&account) });
                self.state = State::Account(trid);
            }
            (State::Account(asked), Reply::UsrChallenge { trid, challenge }) if trid == *asked => {
                let password = self.credentials.password.expose().as_bytes();
                let answer = digest(challenge.as_bytes(), password);
                let trid = self.link.next_trid();
                if let Some(digest) = Token::new(&answer) {
                    self.say(&Request::UsrDigest { trid, digest });
                }
                self.state = State::Password(trid);
            }
            (State::Account(asked), Reply::XfrNotification { trid, address, .. })
                if trid == *asked =>
            {
                self.refer(address.to_target());
            }
            (State::Password(asked), Reply::UsrOk { trid, account, name, verified })
                if trid == *asked =>
            {
                if !account.is(&self.credentials.account) {
                    return Err(Lost::Violation(Violation::Account));
                }
                self.signed_in(now, account, name, verified);
            }
            // The profile may come early, and a server may say hello in its own way.
            (_, Reply::Msg { account, body, .. }) => self.on_notice(account, body),
            (_, Reply::Out { reason }) => return Err(out(reason)),
            (state, reply) => {
                let state = state.name();
                return Err(Lost::Violation(Violation::Unexpected { verb: reply.verb(), state }));
            }
        }
        Ok(())
    }

    fn signed_in(
        &mut self,
        now: Instant,
        account: Account<'_>,
        name: Option<Name<'_>>,
        verified: Option<Token<'_>>,
    ) {
        // The server's spelling is the one that counts from here on.
        let account = account.to_handle().unwrap_or_else(|| self.credentials.account.clone());
        let nick = name.map_or_else(|| Nick::of_handle(&account), Name::to_nick);
        let verified = match verified.map(Token::as_bytes) {
            Some(b"0") => Some(false),
            Some(_) => Some(true),
            None => None,
        };
        self.tell(Report::Authenticated { account: account.clone(), nick: nick.clone(), verified });
        self.state = State::SignedIn(Session { account, nick, status: None });
        self.heard(now);
        if self.config.sync {
            let trid = self.open_own(now, Verb::SYN, Kind::Sync);
            let version = self.roster.version();
            self.sync = Some(Sync::new(trid));
            self.timers.arm(Timer::Sync, now + SYNC_WAIT);
            self.say(&Request::Syn { trid, version });
        } else {
            self.set_first_status(now);
        }
    }

    pub(super) fn set_first_status(&mut self, now: Instant) {
        self.timers.stop(Timer::Sync);
        let status = self.credentials.status;
        let trid = self.open_own(now, Verb::CHG, Kind::FirstStatus);
        self.say(&Request::Chg { trid, status: status.into() });
    }

    pub(super) fn stop_waiting_for_lists(&mut self) {
        self.timers.stop(Timer::Sync);
    }

    pub(super) fn sync_goes_on(&mut self, now: Instant) {
        self.timers.arm(Timer::Sync, now + SYNC_WAIT);
    }

    /// A reply after the server took the password.
    fn on_reply(&mut self, now: Instant, reply: Reply<'_>) -> Result<(), Lost> {
        match reply {
            Reply::Chg { trid, status } => self.on_status(now, trid, status.or_online()),
            Reply::XfrSwitchboard { trid, address, cookie } => {
                let (to, cookie) = (address.to_target(), secret(cookie));
                match self.ledger.take(trid, |kind| matches!(kind, Kind::Switchboard(_))) {
                    Some((Kind::Switchboard(tag), _)) => {
                        self.link.tell(Event::Switchboard { tag, to, cookie });
                    }
                    _ => self.unmatched(Verb::XFR, trid),
                }
            }
            Reply::XfrNotification { trid: TrId::NONE, address, .. } => {
                self.refer(address.to_target());
            }
            Reply::XfrRestart { trid: TrId::NONE } => self.restart(now),
            Reply::Rng { session, address, cookie, account, name } => {
                self.on_ring(session, address.to_target(), secret(cookie), account, name);
            }
            Reply::Chl { challenge, .. } => self.on_challenge(now, challenge)?,
            Reply::Qry { trid } => self.done(now, Verb::QRY, trid, |kind| *kind == Kind::Challenge),
            Reply::Qng {} => {}
            Reply::Out { reason } => return Err(out(reason)),
            Reply::Msg { account, body, .. } => self.on_notice(account, body),
            Reply::Cvr { trid, versions } => {
                if self.ledger.take(trid, |kind| *kind == Kind::Report).is_none() {
                    self.unmatched(Verb::CVR, trid);
                    return Ok(());
                }
                let words = versions.iter().map(|word| String::from_utf8_lossy(word).into());
                self.tell(Report::Versions { words: words.take(8).collect() });
            }
            Reply::Ver { .. }
            | Reply::Inf { .. }
            | Reply::UsrChallenge { .. }
            | Reply::UsrOk { .. }
            | Reply::XfrNotification { .. }
            | Reply::XfrRestart { .. } => {
                let state = "signed in";
                return Err(Lost::Violation(Violation::Unexpected { verb: reply.verb(), state }));
            }
            Reply::Url { trid, redirect, login, site } => {
                let words = [Some(redirect), Some(login), site];
                let [redirect, login, site] =
                    words.map(|word| word.map(|word| word.to_text().into_owned()));
                match self.ledger.take(trid, |kind| *kind == Kind::Url) {
                    Some((_, Some(request))) => {
                        let redirect = redirect.unwrap_or_default();
                        let login = login.unwrap_or_default();
                        self.tell(Report::Url { request, redirect, login, site });
                        self.granted(now, request);
                    }
                    _ => self.unmatched(Verb::URL, trid),
                }
            }
            Reply::Fnd { trid, index, total, terms } => {
                self.on_found(now, trid, index, total, terms)
            }
            Reply::Snd { trid } | Reply::Sdc { trid } | Reply::Ims { trid, .. } => {
                self.done(now, reply.verb(), trid, |kind| *kind == Kind::Change);
            }
            Reply::Ipg { page } => self.tell(Report::Page { document: page.0.to_vec() }),
            Reply::Not { alert } => self.tell(Report::Alert { document: alert.0.to_vec() }),
            reply => self.on_roster(now, reply),
        }
        Ok(())
    }

    fn on_status(&mut self, now: Instant, trid: TrId, status: Status) {
        let first = match self.ledger.take(trid, Kind::is_status) {
            Some((Kind::FirstStatus, _)) => true,
            Some((_, request)) => {
                if let Some(request) = request {
                    self.granted(now, request);
                }
                false
            }
            None if trid == TrId::NONE => false,
            None => return self.unmatched(Verb::CHG, trid),
        };
        let Some(session) = self.session_mut() else { return };
        let before = session.status.replace(status);
        if first && before.is_none() {
            self.timers.stop(Timer::SignIn);
            self.tell(Report::Online { status });
            self.report_version(now);
        } else if before != Some(status) {
            self.tell(Report::StatusChanged { status });
        }
    }

    /// Says which client we are: six words, seven since MSNP4.
    fn report_version(&mut self, now: Instant) {
        let report = self.config.version_report.clone();
        let short = match self.dialect {
            Dialect::Msnp2 | Dialect::Msnp3 => {
                report.rsplit_once(' ').map_or(report.as_str(), |(six, _)| six)
            }
            _ => report.as_str(),
        };
        if let Some(report) = Words::new(short.as_bytes()) {
            let trid = self.open_own(now, Verb::CVR, Kind::Report);
            self.say(&Request::Cvr { trid, report });
        }
    }

    fn on_found(
        &mut self,
        now: Instant,
        trid: TrId,
        index: Number,
        total: Number,
        terms: Option<Words<'_>>,
    ) {
        let Some((Kind::Find, Some(request))) = self.ledger.peek(trid) else {
            return self.unmatched(Verb::FND, trid);
        };
        if let Some(terms) = terms {
            let terms = terms.iter().map(|word| String::from_utf8_lossy(word).into_owned());
            let terms = terms.take(8).collect();
            self.tell(Report::Found { request, terms });
        }
        if index == total {
            self.done(now, Verb::FND, trid, |kind| *kind == Kind::Find);
        }
    }

    fn on_ring(
        &mut self,
        session: Token<'_>,
        to: Target,
        cookie: Secret,
        account: Account<'_>,
        name: Option<Name<'_>>,
    ) {
        let Some(from) = account.to_handle() else {
            let expected = crate::error::Expected::Account;
            return self.warn(Warning::Invalid { verb: Verb::RNG, expected });
        };
        let hidden = self.session().is_none_or(|session| session.status == Some(Status::Hidden));
        if hidden {
            return self.warn(Warning::OutOfPlace { verb: Verb::RNG });
        }
        let nick = name.map_or_else(|| Nick::of_handle(&from), Name::to_nick);
        let session = session.to_text().into_owned();
        self.link.tell(Event::Rung { session, to, cookie, from, nick });
    }

    fn on_challenge(&mut self, now: Instant, challenge: Token<'_>) -> Result<(), Lost> {
        let window = self.challenges.since + Duration::from_secs(60);
        if now >= window {
            self.challenges = Challenges { since: now, count: 0 };
        }
        self.challenges.count = self.challenges.count.saturating_add(1);
        if self.challenges.count > CHALLENGES {
            return Err(Lost::Violation(Violation::ChallengeFlood));
        }
        if challenge.as_bytes().len() > CHALLENGE_SIZE {
            let expected = crate::error::Expected::Token;
            self.warn(Warning::Invalid { verb: Verb::CHL, expected });
            return Ok(());
        }
        let code = challenge::client_code(challenge::CLIENT_ID.as_bytes()).unwrap_or_default();
        let answer = digest(challenge.as_bytes(), code.as_bytes());
        let trid = self.open_own(now, Verb::QRY, Kind::Challenge);
        if let Some(client_id) = Token::new(challenge::CLIENT_ID.as_bytes()) {
            self.say(&Request::Qry { trid, client_id, digest: Body(&answer) });
        }
        Ok(())
    }

    /// The server's own messages come from `Hotmail`; nobody else's are believed.
    fn on_notice(&mut self, account: Account<'_>, body: Body<'_>) {
        if account.as_bytes() != b"Hotmail" {
            return self.warn(Warning::OutOfPlace { verb: Verb::MSG });
        }
        let (notice, problem) = Notice::parse_with(body.0);
        // Some servers leave out the empty line behind the header.
        if let Some(problem) = problem.filter(|problem| *problem != MimeProblem::NoEmptyLine) {
            self.warn(Warning::Payload { verb: Verb::MSG, problem });
        }
        self.tell(match notice {
            Notice::Profile(profile) => Report::Profile(Box::new(profile.to_profile())),
            Notice::InitialMail(fields) => Report::InitialMail(InitialMail::parse(fields)),
            Notice::NewMail(fields) => Report::NewMail(NewMail::parse(fields)),
            Notice::MailActivity(fields) => Report::MailActivity(MailActivity::parse(fields)),
            Notice::System(system) => Report::System(system),
            _ => Report::Warning(Warning::OutOfPlace { verb: Verb::MSG }),
        });
    }

    fn on_error(&mut self, now: Instant, error: ErrorReply) -> Result<(), Lost> {
        let ErrorReply { code, trid } = error;
        match self.state {
            State::Versions(asked)
            | State::Packages(asked)
            | State::Account(asked)
            | State::Password(asked)
                if trid.is_none_or(|trid| trid == asked) =>
            {
                return Err(match code {
                    ErrorCode::AUTHENTICATION_FAILED => Lost::Password(code),
                    code => Lost::Refused(code),
                });
            }
            _ => {}
        }
        let why = Failure::Refused(code);
        match trid.and_then(|trid| self.ledger.take_any(trid)) {
            Some(open) => match open.kind {
                _ if open.request.is_some_and(|request| self.is_tolerated(request, code)) => {
                    if let Some(request) = open.request {
                        self.granted(now, request);
                    }
                }
                Kind::Challenge => return Err(Lost::Challenge),
                Kind::Sync => {
                    self.warn(Warning::Refused { verb: Verb::SYN, code });
                    self.finish_sync(now, false);
                }
                Kind::FirstStatus => return Err(Lost::Refused(code)),
                kind => self.fail(open.verb, kind, open.request, why),
            },
            None => self.warn(Warning::Unmatched { verb: code.verb(), trid }),
        }
        Ok(())
    }

    /// Reports the end of a request that was not granted.
    fn fail(&mut self, verb: Verb, kind: Kind, request: Option<RequestId>, why: Failure) {
        match (kind, request) {
            (Kind::Switchboard(tag), _) => self.link.tell(Event::NoSwitchboard { tag, why }),
            // Nobody answers a page that was taken.
            (Kind::Page, Some(request)) if why == Failure::TimedOut(Wait::Request) => {
                self.tell(Report::Done { request });
            }
            (_, Some(request)) => self.not_granted(request, verb, why),
            (_, None) => self.warn(match why {
                Failure::Refused(code) => Warning::Refused { verb, code },
                _ => Warning::Unanswered { verb },
            }),
        }
    }

    /// The answer to a request whose content says nothing more.
    pub(super) fn done(
        &mut self,
        now: Instant,
        verb: Verb,
        trid: TrId,
        is: impl Fn(&Kind) -> bool,
    ) {
        match self.ledger.take(trid, is) {
            Some((_, Some(request))) => self.granted(now, request),
            Some((_, None)) => {}
            None => self.unmatched(verb, trid),
        }
    }

    pub(super) fn unmatched(&mut self, verb: Verb, trid: TrId) {
        self.warn(Warning::Unmatched { verb, trid: Some(trid) });
    }

    /// One's own display name, or the account before the server has told it.
    pub(super) fn own_name(&self) -> Nick {
        match self.session() {
            Some(session) => session.nick.clone(),
            None => Nick::of_handle(&self.credentials.account),
        }
    }

    pub(super) fn rename_self(&mut self, account: Account<'_>, name: Name<'_>) -> bool {
        match self.session_mut() {
            Some(session) if account.is(&session.account) => {
                session.nick = name.to_nick();
                true
            }
            _ => false,
        }
    }

    /// Sign-in goes on elsewhere: nothing more is said here.
    fn refer(&mut self, to: Target) {
        self.close_requests(Lost::Moved);
        self.link.tell(Event::Referred { to });
        self.link.finish();
        self.state = State::Finished;
    }

    /// Sign-in begins again on this connection.
    fn restart(&mut self, now: Instant) {
        self.close_requests(Lost::Moved);
        self.timers.stop_all();
        self.timers.arm(Timer::SignIn, now + self.config.waits.sign_in);
        self.sync = None;
        self.unchanged = None;
        self.begin();
    }

    fn close_requests(&mut self, why: Lost) {
        while let Some(open) = self.ledger.pop() {
            match open.kind {
                // Our own questions end with the connection, without a word.
                Kind::Switchboard(_) => {
                    self.fail(open.verb, open.kind, open.request, Failure::Lost(why));
                }
                _ if open.request.is_some() => {
                    self.fail(open.verb, open.kind, open.request, Failure::Lost(why));
                }
                _ => {}
            }
        }
    }

    fn lose(&mut self, why: Lost) {
        if self.is_listening() {
            self.end(why);
        }
        self.state = State::Finished;
    }

    fn end(&mut self, why: Lost) {
        if !self.is_listening() {
            return;
        }
        self.close_requests(why);
        self.timers.stop_all();
        self.link.tell(Event::Lost(why));
        self.link.finish();
    }

    fn on_time(&mut self, now: Instant) {
        if !self.is_listening() {
            return;
        }
        while let Some(open) = self.ledger.pop_expired(now) {
            match open.kind {
                // The lists have a timer of their own, and sign-in has.
                Kind::Sync | Kind::FirstStatus => {}
                kind => self.fail(open.verb, kind, open.request, Failure::TimedOut(Wait::Request)),
            }
        }
        while let Some(timer) = self.timers.pop_expired(now) {
            match timer {
                Timer::SignIn => return self.lose(Lost::TimedOut(Wait::SignIn)),
                Timer::Sync => {
                    self.warn(Warning::ListsIncomplete);
                    self.finish_sync(now, false);
                }
                Timer::Ping => {
                    self.say(&Request::Png {});
                    self.timers.arm(Timer::Pong, now + self.config.waits.pong);
                }
                Timer::Pong => return self.lose(Lost::TimedOut(Wait::Pong)),
            }
        }
    }
}

impl State {
    const fn name(&self) -> &'static str {
        match self {
            Self::Versions(_) => "agreeing on a version",
            Self::Packages(_) => "asking how to sign in",
            Self::Account(_) => "naming the account",
            Self::Password(_) => "giving the password",
            Self::SignedIn(_) => "signed in",
            Self::Leaving | Self::Finished => "leaving",
        }
    }
}

fn out(reason: Option<Token<'_>>) -> Lost {
    match reason.map(Token::as_bytes) {
        Some(b"OTH") => Lost::ElsewhereSignedIn,
        Some(b"SSD") => Lost::ServerDown,
        _ => Lost::Dismissed,
    }
}

fn secret(token: Token<'_>) -> Secret {
    Secret::from(token.to_text().into_owned())
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("state", &self.state)
            .field("dialect", &self.dialect)
            .finish_non_exhaustive()
    }
}
