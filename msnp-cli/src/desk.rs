//! Signs in unseen, asks the server one thing after another, and leaves.
//!
//! This module knows how requests end and what comes of several of them. It does not know what is
//! asked.

use std::time::Duration;

use msnp_proto::client::{Client, Config, Event as Told, Failure as Why, RequestId};
use msnp_proto::error::{Lost, Misuse, Wait};
use msnp_proto::ns::Roster;
use msnp_proto::time::Instant;
use msnp_proto::types::{Dialect, GroupId, Handle, List, Status};

use crate::args::{DeskArgs, OnError, SeveralArgs, Until};
use crate::console::Console;
use crate::events::{Change, Event, Group, Person, Refused};
use crate::exit::{Exit, Request};
use crate::failure::Failure;
use crate::session::{Session, Setup, Step};
use crate::translate;

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

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    exit: Exit,
    /// The command, if one was said.
    request: Option<String>,
    pub(crate) code: Option<u16>,
    reason: String,
}

impl From<Failure> for No {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl No {
    /// Nothing was asked: what was named is not there, or not so.
    pub(crate) fn without_asking(reason: impl Into<String>) -> Self {
        let (exit, reason) = (Exit::Undelivered, reason.into());
        Self::Refused(Refusal { exit, request: None, code: None, reason })
    }
}

/// What something is done to.
pub(crate) trait Subject {
    /// The account that it is, or the name or number of the group.
    fn names(&self) -> (Option<String>, Option<String>);
}

impl Subject for Handle {
    fn names(&self) -> (Option<String>, Option<String>) {
        (Some(self.to_string()), None)
    }
}

impl Subject for String {
    fn names(&self) -> (Option<String>, Option<String>) {
        (None, Some(self.clone()))
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
    let setup = Setup { args: &args.sign_in, config, until: Until::Acked };
    let mut session = Session::open(console, setup)?;
    session.hide();
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

    /// Asks for something and waits for the answer.
    pub(crate) fn ask(
        &mut self,
        ask: impl FnOnce(&mut Client, Instant) -> Result<RequestId, Misuse>,
    ) -> Result<(), No> {
        let now = self.session.now();
        let request = match ask(self.session.client(), now) {
            Ok(request) => request,
            Err(misuse) => return not_asked(misuse),
        };
        loop {
            match self.session.next(Some(self.until))? {
                Step::Told(Told::Done { request: done }) if done == request => return Ok(()),
                Step::Told(Told::Refused { request: no, verb, why }) if no == request => {
                    let code = translate::code(why).filter(|_| !matches!(why, Why::Lost(_)));
                    let (exit, reason) = ended(why);
                    let request = Some(verb.to_string());
                    let code = code.map(|code| code.number());
                    return Err(No::Refused(Refusal { exit, request, code, reason }));
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
        let unknown = format!("{reason}; it was asked for and may or may not be done");
        self.over = Some(Over { exit, reason, is_signal });
        No::Refused(Refusal { exit: Exit::Unknown, request: None, code: None, reason: unknown })
    }

    /// Waits until everything that the server says of its own at sign-in has come: it answers in
    /// order, so whatever comes before the answer to one more request is it.
    pub(crate) fn settle(&mut self) -> Result<(), No> {
        self.ask(|client, now| client.set_status(now, Status::Hidden))
    }

    /// Does one thing after the other, and says of each how it ended.
    pub(crate) fn each<T>(
        &mut self,
        what: &str,
        args: &SeveralArgs,
        subjects: &[T],
        one: impl Fn(&mut Self, &T) -> Result<(), No>,
    ) -> Result<(), Failure>
    where
        T: Subject,
    {
        let mut stopped = false;
        for subject in subjects {
            let not_tried = match &self.over {
                Some(over) => Some((over.exit, format!("not tried: {}", over.reason))),
                None => stopped.then(|| {
                    let reason = "not tried: an earlier one failed, and --on-error is stop";
                    (Exit::Undelivered, reason.into())
                }),
            };
            let result = match not_tried {
                None => one(self, subject),
                Some((exit, reason)) => {
                    Err(No::Refused(Refusal { exit, request: None, code: None, reason }))
                }
            };
            stopped |=
                !self.outcome(what, Some(subject), result)? && args.on_error == OnError::Stop;
        }
        Ok(())
    }

    /// Does one thing, and says how it ended if it ended badly.
    pub(crate) fn once(
        &mut self,
        what: &str,
        one: impl FnOnce(&mut Self) -> Result<(), No>,
    ) -> Result<(), Failure> {
        let result = one(self);
        self.outcome(what, None, result).map(drop)
    }

    fn outcome(
        &mut self,
        what: &str,
        subject: Option<&dyn Subject>,
        result: Result<(), No>,
    ) -> Result<bool, Failure> {
        match result {
            Ok(()) => {
                self.done();
                Ok(true)
            }
            Err(No::Refused(refusal)) => {
                self.refuse(what, subject, refusal);
                Ok(false)
            }
            Err(No::Failed(failure)) => Err(failure),
        }
    }

    /// Says that something was not done: an event, and a sentence with what may help.
    fn refuse(&mut self, what: &str, subject: Option<&dyn Subject>, refusal: Refusal) {
        let Refusal { exit, request, code, reason } = refusal;
        let (account, group) = subject.map_or((None, None), Subject::names);
        let of = account.as_ref().or(group.as_ref());
        let of = of.map_or_else(String::new, |subject| format!(" {subject}"));
        let advice = code.and_then(advice).map_or_else(String::new, |text| format!("; {text}"));
        self.session.log.error(format_args!("cannot {what}{of}: {reason}{advice}"));
        let request = request.unwrap_or_else(|| what.to_owned());
        let name = reason;
        let refused = Refused { request, code, name, account, group, ..Refused::default() };
        self.emit(&Event::Refused(refused));
        self.ends.push(exit);
    }

    /// The number of the group that the user named, by name or number.
    pub(crate) fn group(&mut self, named: &str) -> Result<GroupId, No> {
        if let Some(dialect) = self.client().dialect().filter(|dialect| *dialect < Dialect::Msnp7) {
            let text = format!("groups came with MSNP7, and the server agreed on {dialect}");
            return Err(No::without_asking(text));
        }
        let groups: Vec<_> = self.roster().groups().collect();
        let by_name = groups.iter().filter(|(_, name)| name.as_str() == named);
        match by_name.map(|(id, _)| *id).collect::<Vec<_>>().as_slice() {
            [one] => return Ok(*one),
            [] => {}
            [first, ..] => {
                return Err(No::without_asking(format!(
                    "several groups have the name {named:?}; use a number, as {first}"
                )));
            }
        }
        let number = named.parse().map(GroupId).ok();
        match number.filter(|number| groups.iter().any(|(id, _)| id == number)) {
            Some(number) => Ok(number),
            None => Err(No::without_asking(format!(
                "there is no group {named:?}; `msnp groups list` shows those that there are"
            ))),
        }
    }

    /// Somebody as they are on the lists now; on none if they are not there.
    pub(crate) fn person(&mut self, who: &Handle, change: Option<Change>) -> Event {
        let roster = self.roster();
        let Some(contact) = roster.contact(who) else {
            let (account, name) = (who.to_string(), who.to_string());
            let (lists, groups) = (Vec::new(), Vec::new());
            let state = Status::Offline.as_str();
            return Event::Person(Person { account, name, lists, groups, state, change });
        };
        let name_of = |id: &GroupId| {
            let found = roster.groups().find(|(group, _)| group == id);
            Group { id: id.0, name: found.map(|(_, name)| name.to_string()) }
        };
        let has_groups = roster.groups().next().is_some() && contact.lists().has(List::Forward);
        let mut groups: Vec<Group> =
            contact.groups().iter().filter(|_| has_groups).map(name_of).collect();
        groups.sort_by_key(|group| group.id);
        Event::Person(Person {
            account: who.to_string(),
            name: contact.nick().to_string(),
            lists: contact.lists().iter().map(List::as_str).collect(),
            groups,
            state: contact.status().as_str(),
            change,
        })
    }
}

/// A request that the client would not make.
fn not_asked(misuse: Misuse) -> Result<(), No> {
    let (exit, reason) = match misuse {
        // It is as it should be.
        Misuse::Already => return Ok(()),
        Misuse::Unknown => (Exit::Undelivered, "not a contact".into()),
        Misuse::NotInDialect => {
            (Exit::Undelivered, "the version agreed with the server has no such command".into())
        }
        other => (Exit::of_misuse(other), other.to_string()),
    };
    Err(No::Refused(Refusal { exit, request: None, code: None, reason }))
}

/// The code and the words for a request that was said and not granted.
fn ended(why: Why) -> (Exit, String) {
    match why {
        Why::Refused(code) => {
            let name = code.name().unwrap_or("refused with a number that has no name");
            (Exit::of_code(Request::Change, code), name.into())
        }
        Why::TimedOut(Wait::Request) | Why::Lost(_) => {
            (Exit::Unknown, format!("{}; it may or may not be done", words(why)))
        }
        other => (Exit::Retry, other.to_string()),
    }
}

fn words(why: Why) -> String {
    match why {
        Why::Lost(Lost::SignedOut) => "not answered before the end".into(),
        Why::Lost(lost) => format!("session lost: {lost}"),
        other => other.to_string(),
    }
}

/// What may be done about a number of the server.
fn advice(code: u16) -> Option<&'static str> {
    Some(match code {
        205 => "check the account's spelling",
        209 | 229 => "choose a shorter or plainer name",
        210 => "remove somebody first",
        216 => "`msnp contacts list` shows who is on which list",
        219 => "take it off the other list first: `msnp contacts allow` and `block` do",
        223 => "remove a group first",
        224 | 225 => "`msnp groups list` shows those that there are",
        500..=605 | 910..=924 => "trying again later may help",
        800 => "wait a minute between changes",
        _ => return None,
    })
}
