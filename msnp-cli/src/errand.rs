//! One thing that the server is asked for: a state, a name, somebody on a list, a group.
//!
//! This module knows which requests it takes, and how they end for the user. It does not know who
//! waits for the end, nor how: it is told the answers.

use msnp_proto::client::{Client, Event as Told, Failure as Why, RequestId, RosterChange};
use msnp_proto::error::{Lost, Misuse, Wait};
use msnp_proto::ns::Roster;
use msnp_proto::time::Instant;
use msnp_proto::types::{Dialect, ErrorCode, GroupId, Handle, List, Nick, Status};
use msnp_proto::wire::Verb;

use crate::events::{Change, Event, Group, NotDone, Person, Refused};
use crate::exit::{Exit, Request};
use crate::script::{Action, Whom};
use crate::translate;

/// Something that was asked for and has not ended.
#[derive(Debug)]
pub(crate) struct Errand {
    request: RequestId,
    then: Then,
}

/// What is to be done when the answer is there.
#[derive(Debug)]
enum Then {
    Status(Status),
    Name,
    Person(Handle, Change),
    /// The contact is to have this name too.
    Called(Handle, Nick),
    Moved(Handle),
    GroupAdded(Nick),
    GroupRemoved(GroupId),
    GroupRenamed(GroupId, Nick),
}

/// How an errand stands.
#[derive(Debug)]
pub(crate) enum State {
    /// It waits for the answer to a request.
    Open(Errand),
    /// It is done, and this is how things are now.
    Done(Event),
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) exit: Exit,
    outcome: NotDone,
    /// The command of the protocol, if one was said.
    verb: Option<Verb>,
    code: Option<u16>,
    pub(crate) reason: String,
}

impl Errand {
    /// Makes the first request. What needs no server, as a chat does, is no errand.
    pub(crate) fn begin(
        client: &mut Client,
        now: Instant,
        action: &Action,
    ) -> Result<State, Refusal> {
        match action {
            Action::Status(status) => {
                let asked = client.set_status(now, *status);
                Self::asked(client, asked, Then::Status(*status))
            }
            Action::Name(name) => {
                let asked = client.rename(now, name);
                Self::asked(client, asked, Then::Name)
            }
            Action::Add { who, name, group } => {
                Self::add(client, now, who, name.as_ref(), group.as_deref())
            }
            Action::Remove { who, group } => {
                let asked = match group {
                    None => client.remove_contact(now, who),
                    Some(group) => {
                        let group = group_named(client, group)?;
                        check_in(client.roster(), who, group)?;
                        if group == GroupId::OTHER {
                            check_in_another(client.roster(), who)?;
                        }
                        client.take_from_group(now, who, group)
                    }
                };
                Self::asked(client, asked, Then::Person(who.clone(), Change::Removed))
            }
            Action::Allow(who) => {
                let asked = client.allow(now, who);
                Self::asked(client, asked, Then::Person(who.clone(), Change::Allowed))
            }
            Action::Block(who) => {
                let asked = client.block(now, who);
                Self::asked(client, asked, Then::Person(who.clone(), Change::Blocked))
            }
            Action::Rename { who, name } => {
                if client.roster().contact(who).is_none() {
                    return Err(Refusal::without_asking(format!("{who} is on no list")));
                }
                let asked = client.rename_contact(now, who, name);
                Self::asked(client, asked, Then::Person(who.clone(), Change::Renamed))
            }
            Action::Move { who, from, to } => {
                let to = group_named(client, to)?;
                let from = match from {
                    Some(from) => group_named(client, from)?,
                    None => only_group(client.roster(), who)?,
                };
                check_in(client.roster(), who, from)?;
                let asked = client.move_contact(now, who, from, to);
                Self::asked(client, asked, Then::Moved(who.clone()))
            }
            Action::AddGroup(name) => {
                check_groups(client)?;
                if let Some((id, _)) = client.roster().groups().find(|(_, group)| *group == name) {
                    let text = format!("there is a group of that name, number {id}");
                    return Err(Refusal::without_asking(text));
                }
                let asked = client.add_group(now, name);
                Self::asked(client, asked, Then::GroupAdded(name.clone()))
            }
            Action::RemoveGroup(group) => {
                let group = group_named(client, group)?;
                let asked = client.remove_group(now, group);
                Self::asked(client, asked, Then::GroupRemoved(group))
            }
            Action::RenameGroup { group, name } => {
                let group = group_named(client, group)?;
                let asked = client.rename_group(now, group, name);
                Self::asked(client, asked, Then::GroupRenamed(group, name.clone()))
            }
            Action::Send { .. }
            | Action::Typing(_)
            | Action::Open(_)
            | Action::Leave(_)
            | Action::File { .. }
            | Action::Accept { .. }
            | Action::Decline(_) => Err(Refusal::without_asking("this is said in a chat")),
        }
    }

    fn add(
        client: &mut Client,
        now: Instant,
        who: &Handle,
        name: Option<&Nick>,
        group: Option<&str>,
    ) -> Result<State, Refusal> {
        let group = group.map(|group| group_named(client, group)).transpose()?;
        // The server takes the name of an ADD for a contact that is there in another group too.
        let kept = client.roster().contact(who).map(|contact| contact.nick().clone());
        let asked = client.add_contact(now, who, name.or(kept.as_ref()), group);
        let then = match name {
            Some(name) => Then::Called(who.clone(), name.clone()),
            None => Then::Person(who.clone(), Change::Added),
        };
        Self::asked(client, asked, then)
    }

    fn asked(
        client: &Client,
        asked: Result<RequestId, Misuse>,
        then: Then,
    ) -> Result<State, Refusal> {
        match asked {
            Ok(request) => Ok(State::Open(Self { request, then })),
            // It is as it should be.
            Err(Misuse::Already) => Ok(State::Done(then.event(client))),
            Err(misuse) => Err(Refusal::of_misuse(misuse)),
        }
    }

    /// The request whose answer it waits for.
    pub(crate) fn request(&self) -> RequestId {
        self.request
    }

    /// The server did what was asked.
    pub(crate) fn granted(self, client: &mut Client, now: Instant) -> Result<State, Refusal> {
        let Then::Called(who, name) = &self.then else {
            return Ok(State::Done(self.then.event(client)));
        };
        // For somebody who was a contact before, the server keeps the name that it has.
        let is_called = client.roster().contact(who).is_none_or(|contact| contact.nick() == name);
        let then = Then::Person(who.clone(), Change::Added);
        if is_called {
            return Ok(State::Done(then.event(client)));
        }
        let asked = client.rename_contact(now, who, name);
        Self::asked(client, asked, then)
    }

    /// Whether this change comes of the errand, whose end will tell it.
    pub(crate) fn explains(&self, client: &Client, told: &Told) -> bool {
        let Told::Roster(change) = told else { return false };
        let who = match &self.then {
            Then::Person(who, _) | Then::Called(who, _) | Then::Moved(who) => Some(who),
            Then::Name => client.account(),
            _ => None,
        };
        match change {
            RosterChange::Added { account, foreign: false, .. }
            | RosterChange::Removed { account, foreign: false, .. } => {
                who == Some(account) || matches!(self.then, Then::GroupRemoved(_))
            }
            RosterChange::Renamed { account, .. } => who == Some(account),
            RosterChange::Group { .. } => {
                matches!(self.then, Then::GroupAdded(_) | Then::GroupRenamed(..))
            }
            RosterChange::GroupRemoved { group } => {
                matches!(self.then, Then::GroupRemoved(own) if own == *group)
            }
            _ => false,
        }
    }
}

impl Then {
    /// How things are now that it is done.
    fn event(&self, client: &Client) -> Event {
        match self {
            Self::Status(status) => {
                let value = client.status().unwrap_or(*status).as_str().into();
                Event::Setting { name: "state".into(), value, account: None }
            }
            Self::Name => own_name(client),
            Self::Person(who, change) => person(client.roster(), who, Some(*change)),
            Self::Called(who, _) => person(client.roster(), who, Some(Change::Added)),
            Self::Moved(who) => person(client.roster(), who, Some(Change::Moved)),
            Self::GroupAdded(name) => {
                // What the server made of the name is what it told last.
                let groups = || client.roster().groups();
                let same = groups().find(|(_, group)| *group == name).map(|(id, _)| id);
                let id = same.or_else(|| groups().map(|(id, _)| id).last()).map_or(0, |id| id.0);
                Event::Group { id, name: Some(name.to_string()), change: Change::Added }
            }
            Self::GroupRemoved(group) => {
                Event::Group { id: group.0, name: None, change: Change::Removed }
            }
            Self::GroupRenamed(group, name) => {
                let name = Some(name.to_string());
                Event::Group { id: group.0, name, change: Change::Renamed }
            }
        }
    }
}

impl Refusal {
    /// Nothing was asked: what was named is not there, or not so.
    pub(crate) fn without_asking(reason: impl Into<String>) -> Self {
        Self::new(Exit::Undelivered, reason)
    }

    pub(crate) fn new(exit: Exit, reason: impl Into<String>) -> Self {
        let outcome = if exit == Exit::Unknown { NotDone::Unknown } else { NotDone::Refused };
        Self { exit, outcome, verb: None, code: None, reason: reason.into() }
    }

    /// Somebody could not be called.
    pub(crate) fn of_call(why: Why) -> Self {
        let code = translate::code(why).map(|code| code.number());
        Self { code, ..Self::new(Exit::of_failure(why), why.to_string()) }
    }

    /// It was never begun.
    pub(crate) fn not_tried(exit: Exit, why: &str) -> Self {
        Self { outcome: NotDone::NotTried, ..Self::new(exit, format!("not tried: {why}")) }
    }

    /// It was asked for, and there will be no answer.
    pub(crate) fn unanswered(why: &str) -> Self {
        Self::new(Exit::Unknown, format!("{why}; it was asked for and may or may not be done"))
    }

    /// A request that the client would not make.
    pub(crate) fn of_misuse(misuse: Misuse) -> Self {
        match misuse {
            Misuse::Unknown => Self::without_asking("not a contact"),
            Misuse::NoSuchChat => Self::without_asking("there is no such chat"),
            Misuse::NoSuchTransfer => {
                Self::without_asking("there is no file of that number, or it has ended")
            }
            Misuse::NotInDialect => {
                Self::without_asking("the version agreed with the server has no such command")
            }
            other => Self::new(Exit::of_misuse(other), other.to_string()),
        }
    }

    /// A request that was said and not granted.
    pub(crate) fn of_answer(verb: Verb, why: Why) -> Self {
        let (exit, reason) = match why {
            // The server's number has another meaning for a call.
            Why::Refused(ErrorCode::NOT_ON_LIST) => (Exit::Undelivered, "not on the list".into()),
            Why::Refused(code) => {
                let name = code.name().unwrap_or("refused with a number that has no name");
                (Exit::of_code(Request::Change, code), name.into())
            }
            Why::TimedOut(Wait::Request) | Why::Lost(_) => {
                (Exit::Unknown, format!("{}; it may or may not be done", words(why)))
            }
            other => (Exit::Retry, other.to_string()),
        };
        let code = match why {
            Why::Lost(_) => None,
            why => translate::code(why).map(|code| code.number()),
        };
        Self { verb: Some(verb), code, ..Self::new(exit, reason) }
    }

    /// What it is as an event.
    pub(crate) fn event(&self, asked: Asked) -> Event {
        let Asked { request, account, group, .. } = asked;
        let (outcome, code, name) = (self.outcome, self.code, self.reason.clone());
        let verb = self.verb.map(|verb| verb.to_string());
        let request = request.to_owned();
        let from = None;
        Event::Refused(Refused { request, outcome, verb, code, name, account, group, from })
    }

    /// The same as a sentence, with what may help.
    pub(crate) fn sentence(&self, asked: &Asked) -> String {
        let subject = asked.account.as_ref().or(asked.group.as_ref());
        let of = subject.map_or_else(String::new, |subject| format!(" {subject}"));
        let advice =
            self.code.and_then(advice).map_or_else(String::new, |text| format!("; {text}"));
        format!("cannot {}{of}: {}{advice}", asked.what, self.reason)
    }
}

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// For events: the name of the command in a pipe, if it has one.
    pub(crate) request: &'static str,
    /// For sentences, behind `cannot`.
    pub(crate) what: &'static str,
    pub(crate) account: Option<String>,
    pub(crate) group: Option<String>,
}

impl Asked {
    /// Something that is about nobody in particular.
    pub(crate) fn plain(request: &'static str, what: &'static str) -> Self {
        Self { request, what, ..Self::default() }
    }

    pub(crate) fn of(action: &Action) -> Self {
        let plain = Self::plain;
        let to_whom = |request, what, whom: &Whom| match whom {
            Whom::Person(who) => Self { account: Some(who.to_string()), ..plain(request, what) },
            Whom::Chat(_) => plain(request, what),
        };
        let of = |what, who: &Handle| Self { account: Some(who.to_string()), ..plain(what, what) };
        let of_group =
            |request, what, group: &str| Self { group: Some(group.into()), ..plain(request, what) };
        match action {
            Action::Send { to, .. } => to_whom("send", "send to", to),
            Action::Typing(whom) => to_whom("typing", "show typing to", whom),
            Action::Open(who) => Self { what: "open a chat with", ..of("open", who) },
            Action::Leave(whom) => to_whom("leave", "leave", whom),
            Action::File { to, .. } => Self { what: "send a file to", ..of("file", to) },
            Action::Accept { .. } => plain("accept", "take the file"),
            Action::Decline(_) => plain("decline", "decline the file"),
            Action::Status(_) => plain("status", "change the state"),
            Action::Name(_) => plain("name", "change the name"),
            Action::Add { who, .. } => of("add", who),
            Action::Remove { who, .. } => of("remove", who),
            Action::Allow(who) => of("allow", who),
            Action::Block(who) => of("block", who),
            Action::Rename { who, .. } => of("rename", who),
            Action::Move { who, .. } => of("move", who),
            Action::AddGroup(name) => of_group("add-group", "add group", name.as_str()),
            Action::RemoveGroup(group) => of_group("remove-group", "remove group", group),
            Action::RenameGroup { group, .. } => of_group("rename-group", "rename group", group),
        }
    }
}

/// One's own name as it is now.
pub(crate) fn own_name(client: &Client) -> Event {
    let account = client.account().map(ToString::to_string);
    let value = client.nick().map(ToString::to_string).unwrap_or_default();
    Event::Setting { name: "name".into(), value, account }
}

/// Somebody as they are on the lists now; on none if they are not there.
pub(crate) fn person(roster: &Roster, who: &Handle, change: Option<Change>) -> Event {
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

/// What makes a number of what stands behind it, whatever name a group has.
const NUMBER: &str = "number:";

/// The number of the group that the user named, by name or number. Where the two are of different
/// groups it is neither: it might be the wrong one that is removed.
pub(crate) fn group_named(client: &Client, named: &str) -> Result<GroupId, Refusal> {
    check_groups(client)?;
    let groups: Vec<_> = client.roster().groups().collect();
    let number = named.strip_prefix(NUMBER).unwrap_or(named).parse().map(GroupId).ok();
    let number = number.filter(|number| groups.iter().any(|(id, _)| id == number));
    if let (Some(number), true) = (number, named.starts_with(NUMBER)) {
        return Ok(number);
    }
    let by_name = groups.iter().filter(|(_, name)| name.as_str() == named);
    let by_name: Vec<GroupId> = by_name.map(|(id, _)| *id).collect();
    match (by_name.as_slice(), number) {
        ([one], None) => Ok(*one),
        ([one], Some(number)) if *one == number => Ok(number),
        ([], Some(number)) => Ok(number),
        ([], None) => Err(Refusal::without_asking(format!(
            "there is no group {named:?}; `msnp groups list` shows those that there are"
        ))),
        ([one], Some(number)) => Err(Refusal::without_asking(format!(
            "{named:?} is the name of group {one}, and another group has this number; say \
             {NUMBER}{one} or {NUMBER}{number}"
        ))),
        ([first, ..], _) => Err(Refusal::without_asking(format!(
            "several groups have the name {named:?}; use a number, as {NUMBER}{first}"
        ))),
    }
}

/// Whether the server knows groups.
pub(crate) fn check_groups(client: &Client) -> Result<(), Refusal> {
    match client.dialect() {
        Some(dialect) if dialect < Dialect::Msnp7 => Err(Refusal::without_asking(format!(
            "groups came with MSNP7, and the server agreed on {dialect}"
        ))),
        _ => Ok(()),
    }
}

/// The groups that a contact is in: group 0, if the server did not say.
fn groups_of<'a>(roster: &'a Roster, who: &Handle) -> Result<&'a [GroupId], Refusal> {
    let contact = roster.contact(who).filter(|one| one.lists().has(List::Forward));
    match contact.map(|contact| contact.groups()) {
        Some([]) => Ok(&[GroupId::OTHER]),
        Some(groups) => Ok(groups),
        None => Err(Refusal::without_asking("not a contact")),
    }
}

/// The one group that somebody is in.
fn only_group(roster: &Roster, who: &Handle) -> Result<GroupId, Refusal> {
    match groups_of(roster, who)? {
        [one] => Ok(*one),
        several => {
            let several: Vec<_> = several.iter().map(ToString::to_string).collect();
            Err(Refusal::without_asking(format!(
                "in several groups ({}); say which to take it out of",
                several.join(", ")
            )))
        }
    }
}

fn check_in(roster: &Roster, who: &Handle, group: GroupId) -> Result<(), Refusal> {
    match groups_of(roster, who)?.contains(&group) {
        true => Ok(()),
        false => Err(Refusal::without_asking(format!("not in group {group}"))),
    }
}

/// Who is in no other group is in group 0, whatever they are taken out of.
fn check_in_another(roster: &Roster, who: &Handle) -> Result<(), Refusal> {
    match groups_of(roster, who)? {
        [GroupId::OTHER] => Err(Refusal::without_asking(
            "in no other group than this; put it into another first, or remove it altogether",
        )),
        _ => Ok(()),
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
        500..=605 | 910..=922 => "trying again later may help",
        800 => "wait a minute between changes",
        _ => return None,
    })
}
