//! What the machine is at any moment, what it has asked for, and how it comes to its end.
//!
//! Every transition that is not sign-in is here. What a reply means is the business of the rooms
//! beside this one.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use super::change::Plan;
use super::ledger::{Kind, Ledger};
use super::replies::Challenges;
use super::sync::Sync;
use super::timers::Timer;
use super::{Credentials, Event};
use crate::client::{Config, Event as Report, Failure, RequestId, Warning};
use crate::error::{Lost, Misuse, Wait};
use crate::link::Link;
use crate::machine::Target;
use crate::ns::{Contact, Request, Roster};
use crate::secret::Secret;
use crate::time::{Instant, Timers};
use crate::types::{Account, Dialect, Handle, Name, Nick, Status, TrId};
use crate::wire::Verb;

pub(super) struct Core {
    pub(super) link: Link<Event>,
    pub(super) config: Config,
    pub(super) credentials: Credentials,
    pub(super) state: State,
    pub(super) ledger: Ledger,
    pub(super) timers: Timers<Timer, 4>,
    pub(super) dialect: Dialect,
    pub(super) roster: Roster,
    pub(super) sync: Option<Sync>,
    /// The SYN that was answered with the version that is known.
    pub(super) unchanged: Option<TrId>,
    /// Whom a property line without an account is about.
    pub(super) last_listed: Option<Handle>,
    /// Contacts as they were before their list was asked for again, until they are listed.
    pub(super) relisted: BTreeMap<Handle, Contact>,
    pub(super) challenges: Challenges,
    pub(super) plans: Vec<Plan>,
}

#[derive(Clone, Debug)]
pub(super) enum State {
    /// VER was sent.
    Versions(TrId),
    /// CVQ was sent: there is no common dialect, and this is the last word.
    Outdated(TrId),
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
pub(super) struct Session {
    pub(super) account: Handle,
    pub(super) nick: Nick,
    /// None before the first answer to CHG.
    pub(super) status: Option<Status>,
}

impl Core {
    pub(super) fn new(
        now: Instant,
        config: Config,
        credentials: Credentials,
        roster: Roster,
    ) -> Self {
        let mut this = Self {
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
            relisted: BTreeMap::new(),
            challenges: Challenges::new(now),
            plans: Vec::new(),
        };
        this.timers.arm(Timer::SignIn, now + this.config.waits.sign_in);
        this.begin();
        this
    }

    pub(super) fn session(&self) -> Option<&Session> {
        match &self.state {
            State::SignedIn(session) => Some(session),
            _ => None,
        }
    }

    pub(super) fn session_mut(&mut self) -> Option<&mut Session> {
        match &mut self.state {
            State::SignedIn(session) => Some(session),
            _ => None,
        }
    }

    pub(super) fn is_listening(&self) -> bool {
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
    pub(super) fn open_own(&mut self, now: Instant, verb: Verb, kind: Kind) -> TrId {
        let trid = self.link.next_trid();
        self.ledger.open(trid, verb, kind, None, now + self.config.waits.request);
        trid
    }

    /// Reports the end of a request that was not granted.
    pub(super) fn fail(
        &mut self,
        verb: Verb,
        kind: Kind,
        request: Option<RequestId>,
        why: Failure,
    ) {
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
    pub(super) fn refer(&mut self, to: Target) {
        self.close_requests(Lost::Moved);
        self.forget_presence();
        self.link.tell(Event::Referred { to });
        self.finish();
        self.state = State::Finished;
    }

    /// Sign-in begins again on this connection.
    pub(super) fn restart(&mut self, now: Instant) {
        self.close_requests(Lost::Moved);
        self.forget_presence();
        self.link.tell(Event::Restarted);
        self.timers.stop_all();
        self.timers.arm(Timer::SignIn, now + self.config.waits.sign_in);
        self.sync = None;
        self.unchanged = None;
        self.begin();
    }

    /// Who is there the next session says; of who is not it says nothing.
    fn forget_presence(&mut self) {
        let is_there = |contact: &Contact| contact.status() != Status::Offline;
        let there = self.roster.contacts().filter(|(_, contact)| is_there(contact));
        let gone: Vec<Report> = there
            .map(|(account, contact)| Report::Presence {
                account: account.clone(),
                status: Status::Offline,
                nick: contact.display().cloned(),
                known: true,
                initial: false,
            })
            .collect();
        self.roster.forget_presence();
        gone.into_iter().for_each(|event| self.tell(event));
    }

    pub(super) fn close_requests(&mut self, why: Lost) {
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

    pub(super) fn lose(&mut self, why: Lost) {
        if self.is_listening() {
            self.end(why);
        }
        self.state = State::Finished;
    }

    pub(super) fn end(&mut self, why: Lost) {
        if !self.is_listening() {
            return;
        }
        self.close_requests(why);
        self.timers.stop_all();
        self.link.tell(Event::Lost(why));
        self.finish();
    }

    /// Nothing more is said here, so nobody needs the password here any more.
    fn finish(&mut self) {
        self.credentials.password = Secret::default();
        self.link.finish();
    }
}

impl State {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Versions(_) => "agreeing on a version",
            Self::Outdated(_) => "asking for a newer version",
            Self::Packages(_) => "asking how to sign in",
            Self::Account(_) => "naming the account",
            Self::Password(_) => "giving the password",
            Self::SignedIn(_) => "signed in",
            Self::Leaving | Self::Finished => "leaving",
        }
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("state", &self.state)
            .field("dialect", &self.dialect)
            .finish_non_exhaustive()
    }
}
