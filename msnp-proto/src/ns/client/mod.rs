//! The client's side of one connection to a dispatch or notification server.
//!
//! A dispatch and a notification server are one machine in two lives: a referral ends the first.
//! The machine knows sign-in, the roster, presence, challenges and open requests. It does not know
//! of chats, nor where the connection comes from.
//!
//! | room | what it knows |
//! |---|---|
//! | `state` | what the machine is, what it has asked, how it ends |
//! | `sign_in` | from VER to the first status |
//! | `replies` | what a signed-in client is told, without the roster |
//! | `sync` | what changes the roster |
//! | `change` | what an application may ask for |
//! | `ledger` | which question an answer belongs to |
//! | `timers` | what happens when nothing does |

mod change;
mod ledger;
mod replies;
mod sign_in;
mod state;
mod sync;
mod timers;

use alloc::string::String;

pub use change::Change;
use ledger::Kind;
use state::{Core, Session, State};

use super::{Reply, Request, Roster};
use crate::client::{Config, Event as Report, Failure, RequestId, Warning};
use crate::error::{Lost, Misuse, Violation};
use crate::machine::{Machine, Target};
use crate::secret::Secret;
use crate::time::Instant;
use crate::types::{Dialect, Handle, Nick, Status, Token};
use crate::wire::{FrameDecoder, Inbox, Incoming, Verb};

/// One connection to a dispatch or notification server, from VER to the end. A [`Machine`] that
/// begins with its first command pending.
#[derive(Debug)]
pub struct Notification {
    inbox: Inbox,
    core: Core,
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
    /// The server wants the sign-in once more, on this connection.
    Restarted,
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

impl Notification {
    /// Signs in on a connection that has just been opened, to a server of either kind. `roster` is
    /// what is known of the lists from before, or [`Roster::new`].
    ///
    /// A [`Client`](crate::client::Client) makes these by itself; who has one connection to look
    /// after and no chats can do with this machine alone.
    #[must_use]
    pub fn new(now: Instant, config: Config, credentials: Credentials, roster: Roster) -> Self {
        let decoder = FrameDecoder::new(Reply::VERBS, &config.limits, config.leniency);
        let core = Core::new(now, config, credentials, roster);
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
    pub fn scanned(&self) -> u64 {
        self.inbox.scanned()
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

    /// The roster, for another connection to go on with.
    pub(crate) fn take_roster(&mut self) -> Roster {
        let mut roster = core::mem::take(&mut self.core.roster);
        roster.forget_presence();
        roster
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
}

impl Machine for Notification {
    type Event = Event;

    fn handle_input(&mut self, now: Instant, mut bytes: &[u8]) {
        while self.take_frame(now, &mut bytes) {}
    }

    fn handle_eof(&mut self, _now: Instant) {
        let unfinished = !self.inbox.is_between_frames();
        self.core.lose(match self.core.state {
            State::Outdated(_) => Lost::Violation(Violation::Version),
            _ => Lost::HungUp { unfinished },
        });
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.core.on_time(now);
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.core.next_deadline()
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
