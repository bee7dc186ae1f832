//! What may be changed in lists, groups, names and settings, and what each change consists of.
//!
//! Everything here only looks and plans; `batch` makes the change. The order of the checks is that
//! of the reference: what cannot be meant ends the connection, then come errors of the account that
//! is named, then those of the lists.

use alloc::string::String;

use super::arena::SlotId;
use super::batch::{Plan, Staged, Then};
use super::directory::{Change, Edit};
use super::event::{Event, Why};
use super::presence::Person;
use super::record::{Contact, GroupSet, Record};
use super::{Directory, Hub};
use crate::limits;
use crate::machine::Shutdown;
use crate::ns::Request;
use crate::time::Instant;
use crate::types::{Account, Dialect, ErrorCode, GroupId, Handle, List, Name, Nick, Token};
use crate::wire::{grammar, percent};

/// A group name of more than this ends the connection; between the two limits is an error.
const HARD_GROUP_NAME: usize = 127;

/// How a command that changes nothing ends.
pub(super) enum No {
    /// With an error number.
    Code(ErrorCode),
    /// With the end of the connection, as on real servers.
    End,
    /// With an event for the operator and error 501.
    Directory(super::DirectoryError),
}

impl From<ErrorCode> for No {
    fn from(code: ErrorCode) -> Self {
        Self::Code(code)
    }
}

impl<D: Directory> Hub<D> {
    /// Takes a command that changes the person's account.
    pub(super) fn on_change(
        &mut self,
        now: Instant,
        conn: SlotId,
        id: SlotId,
        request: Request<'_>,
    ) {
        let Some(trid) = request.trid() else { return };
        let Some(person) = self.people.get(id) else { return };
        let (account, identity) = (person.record.handle.clone(), person.record.identity);
        let plan = match self.directory.identity(&account) {
            Ok(Some(found)) if found == identity => self.plan(now, id, request),
            Ok(_) => return self.dismiss(now, conn, None, Why::AccountGone),
            Err(why) => Err(No::Directory(why)),
        };
        match plan {
            Ok(plan) => self.stage(now, Staged { conn, account, trid, plan }),
            Err(No::Code(code)) => self.lines.refuse(conn, code, trid),
            Err(No::End) => self.end(now, conn, Why::Invalid(request.verb()), Shutdown::Flush),
            Err(No::Directory(why)) => {
                self.lines.refuse(conn, ErrorCode::DATABASE, trid);
                self.lines.event(Event::DirectoryFailed { conn: conn.into(), why });
            }
        }
    }

    fn plan(&mut self, now: Instant, id: SlotId, request: Request<'_>) -> Result<Plan, No> {
        if let Request::Add { list, account, name, group, .. } = request {
            return self.plan_add(id, list, account, name, group);
        }
        if let Request::Rea { account, name, .. } = request {
            let plan = self.people.get(id).ok_or(No::End).and_then(|p| rename(p, account, name))?;
            return match self.may_rename(now, id, &plan) {
                true => Ok(plan),
                false => Err(ErrorCode::TOO_FAST.into()),
            };
        }
        let Some(person) = self.people.get(id) else { return Err(No::End) };
        let record = &person.record;
        match request {
            Request::Rem { list, account, group, .. } => remove(person, list, account, group),
            Request::Gtc { prompt, .. } if record.prompt == prompt => {
                Err(ErrorCode::ALREADY_IN_MODE.into())
            }
            Request::Gtc { prompt, .. } => {
                Ok(own(record, Edit::Prompt(prompt), Then::Prompt(prompt)))
            }
            Request::Blp { privacy, .. } if record.privacy == privacy => {
                Err(ErrorCode::ALREADY_IN_MODE.into())
            }
            Request::Blp { privacy, .. } => {
                Ok(own(record, Edit::Privacy(privacy), Then::Privacy(privacy)))
            }
            Request::Adg { name, .. } | Request::AdgShort { name, .. } => {
                add_group(record, name, self.config.limits.groups)
            }
            Request::Rmg { group, .. } => remove_group(record, group),
            Request::Reg { group, name, .. } | Request::RegShort { group, name, .. } => {
                rename_group(record, group, name)
            }
            Request::Prp { key, value, .. } => super::phones::set_property(record, key, value),
            _ => Err(No::End),
        }
    }

    fn plan_add(
        &mut self,
        id: SlotId,
        list: List,
        account: Account<'_>,
        name: Option<Name<'_>>,
        group: Option<Token<'_>>,
    ) -> Result<Plan, No> {
        if list == List::Reverse {
            return Err(No::End);
        }
        let who = account.to_handle().ok_or(ErrorCode::INVALID_PARAMETER)?;
        if !self.directory.exists(&who).map_err(No::Directory)? {
            return Err(ErrorCode::NO_SUCH_USER.into());
        }
        let name = name.map_or_else(|| Ok(Nick::of_handle(&who)), |name| nick(name, &who))?;
        let Some(Person { record, dialect, .. }) = self.people.get(id) else {
            return Err(No::End);
        };
        let limits = &self.config.limits;
        let mut entry = record.contact_or_new(&who);
        let there = entry.lists.has(list);
        let (limit, opposite) = match list {
            List::Allow => (limits.privacy_entries, Some(List::Block)),
            List::Block => (limits.privacy_entries, Some(List::Allow)),
            List::Forward | List::Reverse => (limits.contacts, None),
        };
        if !there && record.on(list).count() >= limit {
            return Err(ErrorCode::LIST_FULL.into());
        }
        if opposite.is_some_and(|opposite| entry.lists.has(opposite)) {
            return Err(ErrorCode::ON_OPPOSITE_LIST.into());
        }
        let with_groups = list == List::Forward && *dialect >= Dialect::Msnp7;
        let group = match group.filter(|_| with_groups) {
            Some(group) => GroupId(number(group).ok_or(ErrorCode::INVALID_PARAMETER)?),
            None => GroupId::OTHER,
        };
        if with_groups && record.group(group).is_none() {
            return Err(ErrorCode::NO_SUCH_GROUP.into());
        }
        if there && (!with_groups || entry.is_in(group)) {
            return Err(ErrorCode::ALREADY_THERE.into());
        }
        if list == List::Forward || entry.lists.is_empty() {
            entry.name = name.clone();
        }
        if with_groups {
            entry.groups = entry.membership().with(group);
        }
        entry.lists = entry.lists.with(list);
        let fresh = list == List::Forward && !there;
        let group = with_groups.then_some(group);
        let then = Then::Added { list, who: who.clone(), name, group, fresh };
        let mut plan = own(record, Edit::Contact(entry), then);
        if fresh {
            let edit = Edit::Reversed(record.handle.clone(), record.name.clone());
            plan.changes.push(Change { by: record.identity, account: who, edit });
        }
        Ok(plan)
    }

    /// Whether somebody may take another name now, and one use of it.
    fn may_rename(&mut self, now: Instant, id: SlotId, plan: &Plan) -> bool {
        let myself = matches!(plan.then, Then::Renamed { myself: true, .. });
        let Some(renames) = self.config.limits.renames.filter(|_| myself) else { return true };
        let Some(person) = self.people.get_mut(id) else { return false };
        renames.take(now, &mut person.renames_until)
    }
}

fn remove(
    Person { record, dialect, .. }: &Person,
    list: List,
    account: Account<'_>,
    group: Option<Token<'_>>,
) -> Result<Plan, No> {
    if list == List::Reverse {
        return Err(No::End);
    }
    let mut entry = account
        .to_handle()
        .and_then(|who| record.contact(&who))
        .filter(|entry| entry.lists.has(list))
        .cloned()
        .ok_or(ErrorCode::NOT_ON_LIST)?;
    // Some clients say a name in this place, which means nothing.
    let with_groups = list == List::Forward && *dialect >= Dialect::Msnp7;
    let group = group.filter(|_| with_groups).and_then(number).map(GroupId);
    if let Some(group) = group {
        if record.group(group).is_none() {
            return Err(ErrorCode::NO_SUCH_GROUP.into());
        }
        if !entry.is_in(group) {
            return Err(ErrorCode::NOT_IN_GROUP.into());
        }
    }
    let who = entry.handle.clone();
    match group {
        Some(group) => entry.groups = entry.membership().without(group),
        None => entry.lists = entry.lists.without(list),
    }
    let gone = list == List::Forward && group.is_none();
    if gone {
        entry.groups = GroupSet::default();
    }
    let mut plan =
        own(record, Edit::Contact(entry), Then::Removed { list, who: who.clone(), group });
    if gone {
        let edit = Edit::Unreversed(record.handle.clone());
        plan.changes.push(Change { by: record.identity, account: who, edit });
    }
    Ok(plan)
}

fn rename(
    Person { record, .. }: &Person,
    account: Account<'_>,
    name: Name<'_>,
) -> Result<Plan, No> {
    if account.is(&record.handle) {
        let name = nick(name, &record.handle)?;
        if !record.verified {
            return Err(ErrorCode::INVALID_NAME.into());
        }
        let then = Then::Renamed { who: record.handle.clone(), name: name.clone(), myself: true };
        return Ok(own(record, Edit::Name(name), then));
    }
    let entry = account.to_handle().and_then(|who| record.contact(&who));
    let entry = match entry {
        Some(entry) => entry.clone(),
        None if name.encoded_len() > limits::NICK => return Err(No::End),
        None => return Err(ErrorCode::NOT_ON_LIST.into()),
    };
    let name = nick(name, &entry.handle)?;
    let then = Then::Renamed { who: entry.handle.clone(), name: name.clone(), myself: false };
    Ok(own(record, Edit::Contact(Contact { name, ..entry }), then))
}

fn add_group(record: &Record, name: Name<'_>, most: u32) -> Result<Plan, No> {
    let name = group_name(name)?;
    let free = (1..GroupSet::MOST.min(most)).map(GroupId);
    let group = free.into_iter().find(|id| record.group(*id).is_none());
    let group = group.ok_or(ErrorCode::TOO_MANY_GROUPS)?;
    let edit = Edit::Group(group, Some(name.clone()));
    Ok(own(record, edit, Then::GroupAdded(group, name)))
}

/// Who was in this group only is in group 0 from then on.
fn remove_group(record: &Record, group: GroupId) -> Result<Plan, No> {
    check_group(record, group)?;
    if group == GroupId::OTHER {
        return Err(ErrorCode::GROUP_ZERO.into());
    }
    let mut plan = own(record, Edit::Group(group, None), Then::GroupRemoved(group));
    let inside = record.contacts.iter().filter(|entry| entry.groups.has(group));
    plan.changes.extend(inside.map(|entry| {
        let groups = entry.groups.without(group);
        let edit = Edit::Contact(Contact { groups, ..entry.clone() });
        own_change(record, edit)
    }));
    Ok(plan)
}

fn rename_group(record: &Record, group: GroupId, name: Name<'_>) -> Result<Plan, No> {
    let name = group_name(name)?;
    check_group(record, group)?;
    let edit = Edit::Group(group, Some(name.clone()));
    Ok(own(record, edit, Then::GroupRenamed(group, name)))
}

/// One change of the record's own account.
pub(super) fn own(record: &Record, edit: Edit, then: Then) -> Plan {
    Plan { changes: alloc::vec![own_change(record, edit)], then }
}

pub(super) fn own_change(record: &Record, edit: Edit) -> Change {
    Change { by: record.identity, account: record.handle.clone(), edit }
}

fn check_group(record: &Record, group: GroupId) -> Result<(), No> {
    if group.0 >= GroupSet::MOST {
        return Err(No::End);
    }
    match record.group(group) {
        Some(_) => Ok(()),
        None => Err(ErrorCode::NO_SUCH_GROUP.into()),
    }
}

/// A text from the wire: decoded once, then without the control characters that it may have
/// hidden in its coding.
pub(super) fn clean(name: Name<'_>) -> String {
    let mut text = name.to_text();
    text.retain(|character| !character.is_control());
    text
}

/// A display name; one with nothing left of it is the account's own. One over the limit as it was
/// sent ends the connection, one that would only be over it in our coding is refused.
fn nick(name: Name<'_>, of: &Handle) -> Result<Nick, No> {
    if name.encoded_len() > limits::NICK {
        return Err(No::End);
    }
    let text = clean(name);
    if text.is_empty() {
        return Ok(Nick::of_handle(of));
    }
    Nick::new(&text).ok_or(No::Code(ErrorCode::INVALID_NAME))
}

fn group_name(name: Name<'_>) -> Result<Nick, No> {
    if name.encoded_len() > HARD_GROUP_NAME {
        return Err(No::End);
    }
    let text = clean(name);
    let len = name.encoded_len().max(percent::encoded_len(&text));
    match Nick::new(&text) {
        _ if len > limits::GROUP_NAME => Err(ErrorCode::GROUP_NAME_TOO_LONG.into()),
        Some(name) => Ok(name),
        None => Err(ErrorCode::INVALID_PARAMETER.into()),
    }
}

fn number(token: Token<'_>) -> Option<u32> {
    grammar::number(token.as_bytes())
}
