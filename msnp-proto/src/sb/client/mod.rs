//! The client's side of one switchboard.
//!
//! The machine knows who is inside, who is being called and what became of each message. It does
//! not know of chats that outlive it, nor where the connection comes from.
//!
//! | room | what it knows |
//! |---|---|
//! | `state` | what the machine is, how it begins and how it ends |
//! | `replies` | what the server says |
//! | `people` | who is inside, who is being called |
//! | `messages` | what was said, and what became of it |
//! | `timers` | what happens when nothing does |

mod messages;
mod people;
mod replies;
mod state;
mod timers;

use state::{Core, State};

use super::Reply;
use crate::client::{Content, Failure, MessageId, Outcome, Warning};
use crate::error::{Lost, Misuse};
use crate::limits::{Leniency, Limits, Waits};
use crate::machine::Machine;
use crate::secret::Secret;
use crate::time::Instant;
use crate::types::{Delivery, Handle, Nick};
use crate::wire::{FrameDecoder, Inbox, Incoming, Verb};

/// One switchboard, from entering to leaving. A [`Machine`] that begins with its first command
/// pending.
#[derive(Debug)]
pub struct Switchboard {
    inbox: Inbox,
    core: Core,
}

/// What a switchboard needs to know of its client.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Setup {
    /// One's own account, in the spelling of the notification server.
    pub account: Handle,
    /// What the server may cost.
    pub limits: Limits,
    /// How long to wait for what.
    pub waits: Waits,
    /// How forgiving to be.
    pub leniency: Leniency,
    /// People that are kept; more are reported and ignored.
    pub people: usize,
}

impl Setup {
    /// The defaults, for one account.
    #[must_use]
    pub fn new(account: Handle) -> Self {
        Self {
            account,
            limits: Limits::new(),
            waits: Waits::new(),
            leniency: Leniency::Lenient,
            people: 64,
        }
    }
}

/// What happens in a switchboard.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// We are in; those who were there before have been named.
    Entered,
    /// Somebody is in.
    Joined {
        /// Who.
        account: Handle,
        /// The name they go by.
        nick: Nick,
    },
    /// Somebody is gone.
    Left {
        /// Who.
        account: Handle,
        /// The server dropped them for being idle.
        idle: bool,
    },
    /// Somebody whom we called did not come.
    CallFailed {
        /// Who.
        account: Handle,
        /// Why.
        why: Failure,
    },
    /// Somebody said something.
    Received {
        /// Who.
        account: Handle,
        /// The name they go by.
        nick: Nick,
        /// What.
        content: Content,
    },
    /// Somebody is typing.
    Typing {
        /// Who.
        account: Handle,
    },
    /// The last byte of a message was written.
    Sent {
        /// The message.
        message: MessageId,
    },
    /// The end of a message.
    Delivery {
        /// The message.
        message: MessageId,
        /// How it ended.
        outcome: Outcome,
    },
    /// Something that does not fit; nothing was lost by it.
    Warning(Warning),
    /// The switchboard is over. Every message has had its end before this.
    Lost(Lost),
}

impl Switchboard {
    /// Enters a switchboard that we asked for, with the cookie from XFR.
    #[must_use]
    pub fn calling(now: Instant, setup: Setup, cookie: &Secret) -> Self {
        Self::new(Core::calling(now, setup, cookie))
    }

    /// Enters a switchboard that we were called to, with cookie and session from RNG.
    #[must_use]
    pub fn answering(now: Instant, setup: Setup, cookie: &Secret, session: &str) -> Self {
        Self::new(Core::answering(now, setup, cookie, session))
    }

    fn new(core: Core) -> Self {
        let Setup { limits, leniency, .. } = &core.setup;
        let decoder = FrameDecoder::new(Reply::VERBS, limits, *leniency);
        Self { inbox: Inbox::new(decoder), core }
    }

    /// Calls somebody in. What comes of it is [`Event::Joined`] or [`Event::CallFailed`].
    ///
    /// # Errors
    ///
    /// [`Misuse::NotOnline`] before [`Event::Entered`] and after the end, [`Misuse::Already`] if
    /// they are in or being called, [`Misuse::Backlog`] if too much is open.
    pub fn call(&mut self, now: Instant, account: &Handle) -> Result<(), Misuse> {
        self.core.call(now, account)
    }

    /// Says something to everybody inside. What comes of it is one [`Event::Delivery`].
    ///
    /// # Errors
    ///
    /// [`Misuse::TooLong`] over [`SWITCHBOARD_PAYLOAD`](crate::limits::SWITCHBOARD_PAYLOAD), [`Misuse::NotOnline`] when
    /// nobody is inside, [`Misuse::Backlog`] if too much is waiting. Nothing is sent then.
    pub fn send(
        &mut self,
        now: Instant,
        message: MessageId,
        delivery: Delivery,
        payload: &[u8],
    ) -> Result<(), Misuse> {
        self.core.send(now, message, delivery, payload)
    }

    /// Tells everybody inside that we are typing. Nothing is heard of it.
    ///
    /// # Errors
    ///
    /// As [`Switchboard::send`].
    pub fn send_typing(&mut self, now: Instant) -> Result<(), Misuse> {
        self.core.send_typing(now)
    }

    /// Leaves: the goodbye is pending, then the connection may be closed.
    pub fn leave(&mut self) {
        self.leave_because(Lost::SignedOut);
    }

    /// As [`Switchboard::leave`], with the reason that is reported.
    pub(crate) fn leave_because(&mut self, why: Lost) {
        self.core.leave(why);
    }

    /// Whether we came because somebody called.
    pub(crate) fn was_called(&self) -> bool {
        self.core.was_called
    }

    /// The connection is gone, for a reason that only its owner knows.
    pub fn abandon(&mut self, why: Lost) {
        self.core.lose(why);
    }

    /// The people who are inside, without us.
    pub fn members(&self) -> impl Iterator<Item = (&Handle, &Nick)> {
        self.core.members.iter().map(|member| (&member.account, &member.nick))
    }

    /// Whether anybody is being called and has not come yet.
    #[must_use]
    pub fn is_calling(&self) -> bool {
        self.core.calls.iter().any(|call| !call.joined)
    }

    /// Whether we are inside.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        self.core.state == State::Inside
    }

    /// How many bytes were looked at in search of line ends, in all.
    #[must_use]
    pub fn scanned(&self) -> u64 {
        self.inbox.scanned()
    }

    /// Takes the first frame of `bytes`, so that its events can be acted on before the next one.
    /// Returns whether there was one; if not, all of `bytes` has been taken.
    pub(crate) fn take_frame(&mut self, now: Instant, bytes: &mut &[u8]) -> bool {
        let Self { inbox, core } = self;
        if !core.is_listening() {
            return false;
        }
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

impl Machine for Switchboard {
    type Event = Event;

    fn handle_input(&mut self, now: Instant, mut bytes: &[u8]) {
        while self.take_frame(now, &mut bytes) {}
    }

    fn handle_eof(&mut self, _now: Instant) {
        let unfinished = !self.inbox.is_between_frames();
        self.core.lose(match self.core.state {
            State::Leaving => Lost::SignedOut,
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
        self.core.consume(written);
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.core.link.poll_event()
    }

    fn is_finished(&self) -> bool {
        self.core.link.is_finished()
    }
}
