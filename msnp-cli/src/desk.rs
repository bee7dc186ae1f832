//! Signs in unseen, asks the server one thing after another, and leaves.
//!
//! This module knows how requests end and what comes of several of them. It does not know what is
//! asked.

use std::time::Duration;

use msnp_proto::client::{Client, Config, Event as Told, Failure as Why, RequestId};
use msnp_proto::error::Misuse;
use msnp_proto::ns::Roster;
use msnp_proto::time::Instant;
use msnp_proto::types::Status;
use msnp_proto::wire::Verb;

use crate::args::{DeskArgs, OnError, SeveralArgs, Until};
use crate::console::Console;
use crate::errand::{Asked, Errand, Refusal, State};
use crate::events::Event;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::script::Action;
use crate::session::{Session, Setup, Step};

/// A client that is signed in, and what has become of what it was asked for.
pub(crate) struct Desk {
    session: Session,
    /// When to give up, and the same as the user gave it.
    until: Instant,
    limit: Duration,
    ends: Vec<Exit>,
    /// Why nothing more can be asked.
    over: Option<Over>,
}

/// Why nothing more can be asked.
#[derive(Clone, Debug)]
struct Over {
    exit: Exit,
    reason: String,
    /// It ends the program with its own code, whatever else has happened.
    is_signal: bool,
}

/// How something that was asked for ended badly.
pub(crate) enum No {
    /// It was refused, by the server or by us.
    Refused(Refusal),
    /// The program cannot go on.
    Failed(Failure),
}

impl From<Failure> for No {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl No {
    /// Nothing was asked: what was named is not there, or not so.
    pub(crate) fn without_asking(reason: impl Into<String>) -> Self {
        Self::Refused(Refusal::without_asking(reason))
    }
}

/// Signs in, does `work`, and leaves.
pub(crate) fn run(
    args: &DeskArgs,
    work: impl FnOnce(&mut Desk) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    let console = Console::open(&args.output)?;
    let mut config = Config::new();
    // We are not here to talk.
    config.answer_calls = false;
    config.reconnect = Some(args.retry.policy());
    let setup = Setup { args: &args.sign_in, config, until: Until::Acked, files: None };
    let mut session = Session::open(console, setup)?;
    session.come_for_an_errand();
    let until = session.now() + args.timeout;
    if let Err(failure) = session.sign_in(Some((until, args.timeout)))? {
        return session.finish(Some(failure.exit), Exit::Io);
    }
    let mut desk = Desk { session, until, limit: args.timeout, ends: Vec::new(), over: None };
    work(&mut desk)?;
    let end = match &desk.over {
        Some(over) if over.is_signal => over.exit,
        _ => Exit::of_all(desk.ends.iter().copied()),
    };
    desk.session.finish(Some(end), Exit::Io)
}

impl Desk {
    /// What the server has told of the lists.
    pub(crate) fn roster(&mut self) -> &Roster {
        self.session.client().roster()
    }

    pub(crate) fn client(&mut self) -> &mut Client {
        self.session.client()
    }

    pub(crate) fn emit(&mut self, event: &Event) {
        self.session.out.emit(event);
    }

    /// Says that something has been done.
    pub(crate) fn done(&mut self) {
        self.ends.push(Exit::Done);
    }

    /// Does something, and says how things are then.
    pub(crate) fn perform(&mut self, action: &Action) -> Result<(), No> {
        let now = self.session.now();
        let mut state = Errand::begin(self.session.client(), now, action)?;
        loop {
            let errand = match state {
                State::Done(event) => {
                    self.emit(&event);
                    return Ok(());
                }
                State::Open(errand) => errand,
            };
            if let Err((verb, why)) = self.answer(errand.request())? {
                return Err(Refusal::of_answer(verb, why).into());
            }
            let now = self.session.now();
            state = errand.granted(self.session.client(), now)?;
        }
    }

    /// Asks for something and waits for the answer.
    pub(crate) fn ask(
        &mut self,
        ask: impl FnOnce(&mut Client, Instant) -> Result<RequestId, Misuse>,
    ) -> Result<(), No> {
        let now = self.session.now();
        let request = match ask(self.session.client(), now) {
            Ok(request) => request,
            // It is as it should be.
            Err(Misuse::Already) => return Ok(()),
            Err(misuse) => return Err(Refusal::of_misuse(misuse).into()),
        };
        let answer = self.answer(request)?;
        answer.map_err(|(verb, why)| Refusal::of_answer(verb, why).into())
    }

    /// Waits for the answer to a request.
    fn answer(&mut self, request: RequestId) -> Result<Result<(), (Verb, Why)>, No> {
        loop {
            match self.session.next(Some(self.until))? {
                Step::Told(Told::Done { request: done }) if done == request => return Ok(Ok(())),
                Step::Told(Told::Refused { request: no, verb, why }) if no == request => {
                    return Ok(Err((verb, why)));
                }
                Step::Told(Told::Lost { why }) => {
                    self.session.show(&Told::Lost { why });
                    return Err(self.end(
                        Exit::of_lost(why),
                        format!("session lost: {why}"),
                        false,
                    ));
                }
                Step::Told(told) => self.overhear(&told),
                Step::Signal(exit) => return Err(self.end(exit, "interrupted".into(), true)),
                Step::Due => {
                    let limit = humantime::format_duration(self.limit);
                    let reason = format!("--timeout of {limit} ran out");
                    return Err(self.end(Exit::Timeout, reason, false));
                }
                Step::Woken => {}
            }
        }
    }

    /// What is not about a request of ours. What a listing will tell anyway is not told twice.
    fn overhear(&mut self, told: &Told) {
        if matches!(told, Told::Warning(_) | Told::System(_)) {
            self.session.show(told);
        }
    }

    /// Nothing more will be asked. What was asked last was written and not answered.
    fn end(&mut self, exit: Exit, reason: String, is_signal: bool) -> No {
        let unanswered = Refusal::unanswered(&reason);
        self.over = Some(Over { exit, reason, is_signal });
        unanswered.into()
    }

    /// Waits until everything that the server says of its own at sign-in has come: it answers in
    /// order, so whatever comes before the answer to one more request is it.
    pub(crate) fn settle(&mut self) -> Result<(), No> {
        self.ask(|client, now| client.set_status(now, Status::Hidden))
    }

    /// Does one thing after the other, and says of each how it ended.
    pub(crate) fn each(
        &mut self,
        args: &SeveralArgs,
        actions: impl Iterator<Item = Action>,
    ) -> Result<(), Failure> {
        let mut stopped = false;
        for action in actions {
            let not_tried = match &self.over {
                Some(over) => Some(Refusal::not_tried(over.exit, &over.reason)),
                None => stopped.then(|| {
                    let why = "an earlier one failed, and --on-error is stop";
                    Refusal::not_tried(Exit::Undelivered, why)
                }),
            };
            let result = match not_tried {
                None => self.perform(&action),
                Some(refusal) => Err(refusal.into()),
            };
            let is_done = self.outcome(Asked::of(&action), result)?;
            stopped |= !is_done && args.on_error == OnError::Stop;
        }
        Ok(())
    }

    /// Does what an action says, and says how it ended.
    pub(crate) fn only(&mut self, action: &Action) -> Result<(), Failure> {
        self.once(Asked::of(action), |desk| desk.perform(action))
    }

    /// Does one thing, and says how it ended if it ended badly.
    pub(crate) fn once(
        &mut self,
        asked: Asked,
        one: impl FnOnce(&mut Self) -> Result<(), No>,
    ) -> Result<(), Failure> {
        let result = one(self);
        self.outcome(asked, result).map(drop)
    }

    fn outcome(&mut self, asked: Asked, result: Result<(), No>) -> Result<bool, Failure> {
        match result {
            Ok(()) => {
                self.done();
                Ok(true)
            }
            Err(No::Refused(refusal)) => {
                self.session.log.error(refusal.sentence(&asked));
                self.emit(&refusal.event(asked));
                self.ends.push(refusal.exit);
                Ok(false)
            }
            Err(No::Failed(failure)) => Err(failure),
        }
    }
}
