//! One client at work: the reactor that it runs on, the built-in server if it has one, and the
//! events that come of it.
//!
//! This module knows how to sign in, to wait, and to sign off in order. What is said in between is
//! the verbs' business. How it comes to be is in [`opening`].

mod address;
mod opening;

use std::time::Duration;

use msnp_mio::{Happened, Reactor};
use msnp_proto::client::{ChatId, Client, Event as Told, Failure as Why, SignIn};
use msnp_proto::error::{Lost, Misuse, Violation};
use msnp_proto::machine::Target;
use msnp_proto::pair::{Both, Either};
use msnp_proto::secret::Secret;
use msnp_proto::time::Instant;
use msnp_proto::types::{Delivery, ErrorCode, Handle, Status};

use crate::agent::Means;
use crate::args::FileAddress;
use crate::check::diagnosis::{Diagnosis, Trouble, diagnose};
use crate::check::watch::Watch;
use crate::events::{Event, Mark, Marked, Portion, Progress, StageName};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ledger::{Ledger, millis};
use crate::log::Log;
use crate::loopback::{self, Backstage};
use crate::progress;
use crate::render::{Broken, Output};
use crate::signals::Signals;
use crate::translate;
pub(crate) use opening::{Setup, Who, password};

/// The client, and perhaps a server of its own.
pub(crate) type Party = Both<Client, Option<Backstage>>;

/// How long the goodbyes may take, and the other side's.
const GOODBYE: Duration = Duration::from_secs(3);

/// What happened while waiting.
pub(crate) enum Step {
    /// The client reports something.
    Told(Told),
    /// A signal asks for the end.
    Signal(Exit),
    /// Another thread has something.
    Woken,
    /// The time has come.
    Due,
}

/// A client on its reactor.
pub(crate) struct Session {
    reactor: Reactor<Party>,
    watch: Watch,
    pub(crate) out: Output,
    pub(crate) log: Log,
    pub(crate) ledger: Ledger,
    signals: Signals,
    server: Target,
    /// Where we are, which is another one after a referral.
    at: Target,
    account: Handle,
    password: Secret,
    /// The status to sign in with.
    status: Status,
    begun: Instant,
    /// What was agreed on the connection of the moment.
    protocol: Option<String>,
    is_loopback: bool,
    /// What others do is not what we are here for.
    is_errand: bool,
    /// Events of our own sign-off are expected.
    leaving: bool,
    broken_noted: bool,
    /// Where others shall connect to us; `None` is where we connect to the server from.
    file_address: Option<FileAddress>,
    /// How far a file is, for people: its number, since when, and what says it.
    bar: Option<(u32, Instant, progress::Progress)>,
}

impl Session {
    /// From the next sign-in on others see us as offline, and what they do is not shown: somebody
    /// asked for something, and gets that.
    pub(crate) fn come_for_an_errand(&mut self) {
        self.status = Status::Hidden;
        self.is_errand = true;
    }

    /// Signs in, again if the client's policy wants that. `until` is when to give up, and the same as
    /// the user gave it. The inner `Err` is how to end: the user has been told then.
    pub(crate) fn sign_in(
        &mut self,
        until: Option<(Instant, Duration)>,
    ) -> Result<Result<(), Failure>, Failure> {
        self.begin()?;
        loop {
            match self.next(until.map(|(until, _)| until))? {
                Step::Told(told) => {
                    self.show(&told);
                    match told {
                        Told::Online { .. } => return Ok(Ok(())),
                        Told::Lost { why } if self.client().next_attempt().is_none() => {
                            return Ok(Err(self.explain(why)));
                        }
                        _ => {}
                    }
                }
                Step::Signal(exit) => return Ok(Err(Failure::new(exit, "interrupted"))),
                Step::Due => {
                    let limit = until.map_or(Duration::ZERO, |(_, limit)| limit);
                    let limit = humantime::format_duration(limit);
                    let found = self.diagnosis(Trouble::TimedOut);
                    let seen = found.map_or_else(String::new, |it| {
                        format!(": {}; {}", self.seen(&it), it.advice)
                    });
                    self.log.error(format_args!("not signed in within --timeout of {limit}{seen}"));
                    let text = format!("--timeout of {limit} ran out");
                    return Ok(Err(Failure::new(Exit::Timeout, text)));
                }
                Step::Woken => {}
            }
        }
    }

    /// Begins to sign in.
    pub(crate) fn begin(&mut self) -> Result<(), Failure> {
        let mut sign_in =
            SignIn::new(self.account.clone(), self.password.clone(), self.server.clone());
        sign_in.status = self.status;
        let now = self.now();
        self.begun = now;
        self.log.detail(format_args!("connecting to {} as {}", self.server, self.account));
        self.client()
            .sign_in(now, sign_in)
            .map_err(|misuse| Failure::new(Exit::Bug, format!("cannot sign in: {misuse}")))
    }

    /// After being online: the code to end with now that the session is lost, or `None` if the
    /// client will sign in again by itself.
    pub(crate) fn lost(&mut self, why: Lost) -> Option<Exit> {
        if self.client().next_attempt().is_some() {
            self.log.note(format_args!("the session ended: {why}; signing in again"));
            return None;
        }
        self.log.error(format_args!("the session ended: {why}"));
        Some(Exit::of_lost(why))
    }

    /// Says on stderr why there is no session, and what may be done about it; returns how to end.
    pub(crate) fn explain(&self, why: Lost) -> Failure {
        let (server, account) = (&self.server, &self.account);
        let exit = Exit::of_lost(why);
        let (exit, seen, advice) = match self.diagnosis(Trouble::Lost(why)) {
            Some(found) if found.is_foreign => (Exit::Protocol, self.seen(&found), found.advice),
            Some(found) => (exit, self.seen(&found), found.advice),
            None => (exit, why.to_string(), advice(exit, why).into()),
        };
        self.log.error(format_args!("cannot sign in to {server} as {account}: {seen}; {advice}"));
        Failure::new(exit, format!("not signed in: {seen}"))
    }

    /// What is wrong with a server that took the connection and agreed on no version there, or that
    /// cannot be signed in to.
    fn diagnosis(&self, trouble: Trouble) -> Option<Diagnosis> {
        let seen = self.watch.seen();
        match trouble {
            _ if self.protocol.is_none() && seen.peer.is_some() => {
                Some(diagnose(StageName::Version, trouble, &seen))
            }
            _ if seen.peer.is_none() && seen.referral.is_some() => {
                Some(diagnose(StageName::Connect, trouble, &seen))
            }
            // What is to be done about it has nothing to do with the password, nor with time.
            Trouble::Lost(Lost::Refused(ErrorCode::CHILD_ACCOUNT | ErrorCode::NOT_VERIFIED)) => {
                Some(diagnose(StageName::Auth, trouble, &seen))
            }
            // It speaks the protocol, so that much is certain.
            Trouble::Lost(Lost::Violation(Violation::Referrals { .. } | Violation::Package)) => {
                Some(diagnose(StageName::Auth, trouble, &seen))
            }
            _ => None,
        }
    }

    /// What was seen, and where if that is not where the user wanted to go.
    fn seen(&self, found: &Diagnosis) -> String {
        match self.watch.seen().referral.filter(|_| found.is_referred) {
            Some(referral) => format!("referred to {}: {}", referral.to, found.seen),
            None => found.seen.clone(),
        }
    }

    /// Waits for something to happen. What only the built-in server is concerned with is done here.
    pub(crate) fn next(&mut self, until: Option<Instant>) -> Result<Step, Failure> {
        loop {
            if let Some(exit) = self.signals.taken() {
                return Ok(Step::Signal(exit));
            }
            match self.reactor.next(until)? {
                Happened::Event(Either::First(told)) => {
                    if matches!(told, Told::Online { .. }) {
                        self.learn_address();
                    }
                    return Ok(Step::Told(told));
                }
                Happened::Event(Either::Second(event)) => {
                    react(&mut self.reactor, &mut None, event)?;
                }
                Happened::Woken => return Ok(Step::Woken),
                Happened::Due => return Ok(Step::Due),
            }
        }
    }

    /// Shows what was told, and keeps the books.
    pub(crate) fn show(&mut self, told: &Told) {
        self.show_marked(told, Mark::NONE);
    }

    /// The same for what comes of something that the user has named.
    pub(crate) fn show_marked(&mut self, told: &Told, mark: Mark) {
        if self.is_errand && !is_of_session(told) {
            return;
        }
        let now = self.now();
        let ours = match told {
            Told::Queued { message } => self.ledger.queued(*message),
            Told::Sent { message } => self.ledger.sent(*message),
            Told::Delivery { message, outcome } => self.ledger.ended(now, *message, *outcome),
            _ => self.event(told).map(|event| Marked { mark, event }),
        };
        if let Some(marked) = ours {
            self.emit(&marked);
        }
    }

    /// Files are exchanged from wherever we are signed in now.
    fn learn_address(&mut self) {
        let route = self.watch.seen().peer.and_then(address::towards);
        let (address, inside) = match self.file_address {
            None => (route, None),
            Some(FileAddress::At(address)) => {
                (Some(address), route.filter(|route| *route != address))
            }
            Some(FileAddress::Nowhere) => (None, route),
        };
        self.client().set_address(address, inside);
    }

    /// Shows an event.
    pub(crate) fn emit(&mut self, marked: &Marked) {
        match &marked.event {
            // People see a line that grows, and only how it ends stays.
            Event::Progress(portion) if self.out.is_text() => return self.draw(portion),
            Event::Transfer(end) => {
                self.bar.take_if(|(transfer, _, _)| *transfer == end.transfer);
            }
            _ => {}
        }
        self.log.clear();
        self.out.emit_marked(marked);
        if let (Some(broken), false) = (self.out.broken(), self.broken_noted) {
            self.broken_noted = true;
            match broken {
                Broken::ReaderGone => self.log.detail("nobody reads our output any more"),
                Broken::Failed(kind) => self.log.error(format_args!("cannot write events: {kind}")),
            }
        }
    }

    fn draw(&mut self, portion: &Portion) {
        if !self.log.can_draw() {
            return;
        }
        let (now, number) = (self.now(), portion.transfer);
        if self.bar.as_ref().is_none_or(|(shown, _, _)| *shown != number) {
            let what = if portion.to.is_some() { "sending" } else { "taking" };
            let what = format!("{what} file {number}:");
            let bar = progress::Progress::new(progress::Place::Terminal, what, Some(portion.of));
            self.bar = Some((number, now, bar));
        }
        let Some((_, since, bar)) = &mut self.bar else { return };
        if let Some(line) = bar.at(now - *since, portion.bytes) {
            self.log.draw(&line);
        }
    }

    /// What was told as an event, unless it is one about a message of ours.
    fn event(&mut self, told: &Told) -> Option<Event> {
        let now = self.now();
        match told {
            Told::Connected { server } => {
                self.protocol = None;
                self.at = server.clone();
                Some(Event::Connected(Progress {
                    server: server.to_string(),
                    ms: millis(now, self.begun),
                    ..Progress::default()
                }))
            }
            Told::Agreed { dialect } => {
                self.protocol = Some(dialect.to_string());
                self.log.detail(format_args!("the server agreed on {dialect}"));
                None
            }
            Told::Referred { to } => {
                self.log.detail(format_args!("the server refers us to {to}"));
                self.watch.referred(self.at.clone(), to.clone());
                None
            }
            Told::Authenticated { account, .. } => {
                let account = account.to_string();
                Some(Event::Authenticated(Progress { account: Some(account), ..self.progress() }))
            }
            Told::Online { status } => {
                let account = self.client().account().map(ToString::to_string);
                let state = Some(status.as_str());
                Some(Event::Online(Progress { account, state, ..self.progress() }))
            }
            Told::Lost { why } => {
                if let Some(refused) = translate::refused_sign_in(*why) {
                    self.out.emit(&refused);
                }
                (!self.leaving).then(|| Event::Lost { reason: why.to_string() })
            }
            Told::Retrying { attempt, wait } => {
                self.begun = now + *wait;
                // Of what is tried next nothing is known.
                self.watch.forget();
                let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                Some(Event::Retrying { attempt: *attempt, wait_ms })
            }
            // Whoever asked has been told that nobody will answer.
            Told::Refused { why: Why::Lost(Lost::SignedOut), .. } if self.leaving => None,
            told => translate::event(told),
        }
    }

    /// Keeps the books about what was told, and shows nothing.
    pub(crate) fn note(&mut self, told: &Told) {
        match told {
            Told::Queued { message } => drop(self.ledger.queued(*message)),
            Told::Sent { message } => drop(self.ledger.sent(*message)),
            _ => {}
        }
    }

    fn progress(&self) -> Progress {
        Progress {
            server: self.at.to_string(),
            protocol: self.protocol.clone(),
            ms: millis(self.now(), self.begun),
            ..Progress::default()
        }
    }

    pub(crate) fn open_chat(&mut self, with: &Handle) -> Result<ChatId, Misuse> {
        let now = self.now();
        self.client().open_chat(now, with)
    }

    /// Gives a text to the client. If it does not take it, that is the message's end.
    pub(crate) fn send_text(&mut self, chat: Result<ChatId, Misuse>, to: &Handle, text: &str) {
        let now = self.now();
        let mark = self.ledger.mark(Mark::NONE);
        let to = to.to_string();
        let taken = chat.and_then(|chat| {
            let message = self.client().send_text(now, chat, text, Delivery::Always)?;
            Ok((message, chat))
        });
        match taken {
            Ok((message, chat)) => self.ledger.taken(now, message, chat, mark, to),
            Err(misuse) => {
                let exit = Exit::of_misuse(misuse);
                let failed = self.ledger.failed(mark, to, exit, misuse.to_string());
                self.emit(&failed);
            }
        }
    }

    /// Ends a message that was never given to the client.
    pub(crate) fn fail(&mut self, to: &Handle, exit: Exit, reason: &str) {
        let mark = self.ledger.mark(Mark::NONE);
        let failed = self.ledger.failed(mark, to.to_string(), exit, reason.to_owned());
        self.emit(&failed);
    }

    /// Signs off, shows how open messages end, and says `done` with the code that comes of it:
    /// `end` if there is one, else the messages' own.
    pub(crate) fn finish(mut self, end: Option<Exit>, gone_reader: Exit) -> Result<Exit, Failure> {
        self.leaving = true;
        let now = self.now();
        let party = self.reactor.host_mut();
        party.first.sign_out(now);
        if let Some(backstage) = &mut party.second {
            // The echo goes too, so that no connection is left to wait for.
            backstage.second.sign_out(now);
        }
        while let Some(happened) = self.reactor.settle(now + GOODBYE)? {
            match happened {
                Happened::Event(Either::First(told)) => self.show(&told),
                // A second signal ends the program by itself.
                Happened::Event(Either::Second(_)) | Happened::Woken => {}
                Happened::Due => break,
            }
        }
        let exit = end.unwrap_or_else(|| self.ledger.exit());
        let exit = match self.out.broken() {
            None => exit,
            Some(_) if exit.is_signal() => exit,
            Some(Broken::ReaderGone) => gone_reader,
            Some(Broken::Failed(_)) => Exit::Io,
        };
        let done = self.ledger.done(exit);
        self.out.emit(&done);
        // The last line may be the one that finds nobody reading.
        Ok(match self.out.broken() {
            Some(Broken::ReaderGone) if exit == Exit::Done => gone_reader,
            Some(Broken::Failed(_)) if !exit.is_signal() => Exit::Io,
            _ => exit,
        })
    }

    /// What an agent works with.
    pub(crate) fn means(&mut self) -> Means<'_> {
        let now = self.reactor.now();
        let client = &mut self.reactor.host_mut().first;
        Means { now, client, ledger: &mut self.ledger }
    }

    pub(crate) fn now(&self) -> Instant {
        self.reactor.now()
    }

    pub(crate) fn server(&self) -> &Target {
        &self.server
    }

    pub(crate) fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    /// Wakes this session's [`Session::next`] from another thread.
    pub(crate) fn waker(&self) -> impl Fn() + Clone + Send + use<> {
        let handle = self.reactor.handle();
        move || handle.wake()
    }

    pub(crate) fn client(&mut self) -> &mut Client {
        &mut self.reactor.host_mut().first
    }
}

fn react(
    reactor: &mut Reactor<Party>,
    at: &mut loopback::At,
    event: loopback::Event,
) -> Result<bool, Failure> {
    let now = reactor.now();
    match &mut reactor.host_mut().second {
        Some(backstage) => loopback::react(backstage, at, now, event),
        None => Ok(false),
    }
}

/// Whether it is about the session as such, and not about people.
fn is_of_session(told: &Told) -> bool {
    matches!(
        told,
        Told::Connected { .. }
            | Told::Agreed { .. }
            | Told::Referred { .. }
            | Told::Authenticated { .. }
            | Told::Online { .. }
            | Told::Lost { .. }
            | Told::Retrying { .. }
            | Told::Refused { .. }
            | Told::Warning(_)
            | Told::System(_)
    )
}

/// What may be done about a session that never came, or was not let in.
fn advice(exit: Exit, why: Lost) -> &'static str {
    match exit {
        Exit::NoHost => "check the name after --server",
        Exit::Retry if matches!(why, Lost::Connection(_)) => "check --server and whether it runs",
        Exit::Retry => "trying again later may help",
        Exit::SignIn => "check --account and the password",
        Exit::Protocol => "this may be no MSN Messenger server, or one of another version",
        _ => "see the number that the server gave",
    }
}
