//! Changes of lists, groups, names and settings.
//!
//! Every change is committed to the directory first, then made in the hub's copies, then answered,
//! then shown to others. What fails changes nothing.

use alloc::vec::Vec;

use super::arena::SlotId;
use super::directory::{Change, Edit};
use super::event::{Event, Why};
use super::record::{Contact, GroupSet, Record};
use super::sync::encode_properties;
use super::{Directory, Hub};
use crate::limits;
use crate::machine::Shutdown;
use crate::ns::{Reply, Request};
use crate::time::Instant;
use crate::types::{
    Account, Dialect, ErrorCode, GroupId, Groups, Handle, List, Lists, Name, Nick, Privacy, Token,
    TrId,
};
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

type Done = Result<(), No>;

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
        let done = match request {
            Request::Add { list, account, name, group, .. } => {
                self.add(conn, id, trid, list, (account, name, group))
            }
            Request::Rem { list, account, group, .. } => {
                self.remove(conn, id, trid, list, (account, group))
            }
            Request::Rea { account, name, .. } => self.rename(conn, id, trid, account, name),
            Request::Gtc { prompt, .. } => self.change(conn, id, |record| {
                if record.prompt == prompt {
                    return Err(ErrorCode::ALREADY_IN_MODE.into());
                }
                let answer = move |record: &Record, out: &mut Vec<u8>| {
                    Reply::Gtc { trid, version: record.version, prompt }.encode(out);
                };
                Ok((own(record, Edit::Prompt(prompt)), answer))
            }),
            Request::Blp { privacy, .. } => self.set_privacy(conn, id, trid, privacy),
            Request::Adg { name, .. } | Request::AdgShort { name, .. } => {
                self.add_group(conn, id, trid, name)
            }
            Request::Rmg { group, .. } => self.remove_group(conn, id, trid, group),
            Request::Reg { group, name, .. } | Request::RegShort { group, name, .. } => {
                self.rename_group(conn, id, trid, group, name)
            }
            Request::Prp { key, value, .. } => self.set_property(conn, id, trid, key, value),
            _ => Err(No::End),
        };
        match done {
            Ok(()) => {}
            Err(No::Code(code)) => self.lines.refuse(conn, code, trid),
            Err(No::End) => self.end(now, conn, Why::Invalid(request.verb()), Shutdown::Flush),
            Err(No::Directory(why)) => {
                self.lines.refuse(conn, ErrorCode::DATABASE, trid);
                self.lines.event(Event::DirectoryFailed { conn: conn.into(), why });
            }
        }
    }

    /// Plans a change from the person's record, makes it, and answers.
    pub(super) fn change<A>(
        &mut self,
        conn: SlotId,
        id: SlotId,
        plan: impl FnOnce(&Record) -> Result<(Vec<Change>, A), No>,
    ) -> Done
    where
        A: FnOnce(&Record, &mut Vec<u8>),
    {
        let Some(person) = self.people.get(id) else { return Err(No::End) };
        let (changes, answer) = plan(&person.record)?;
        self.commit(&changes)?;
        if let Some(person) = self.people.get(id) {
            self.lines.say(conn, |out| answer(&person.record, out));
        }
        Ok(())
    }

    /// Makes changes in the directory and in the copies of those who are online.
    pub(super) fn commit(&mut self, changes: &[Change]) -> Done {
        if changes.is_empty() {
            return Ok(());
        }
        self.directory.commit(changes).map_err(No::Directory)?;
        for Change { account, edit } in changes {
            let online = self.online.get(account).copied();
            if let Some(person) = online.and_then(|id| self.people.get_mut(id)) {
                person.record.apply(edit);
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        conn: SlotId,
        id: SlotId,
        trid: TrId,
        list: List,
        (account, name, group): (Account<'_>, Option<Name<'_>>, Option<Token<'_>>),
    ) -> Done {
        if list == List::Reverse {
            return Err(No::End);
        }
        let who = account.to_handle().ok_or(ErrorCode::INVALID_PARAMETER)?;
        if !self.directory.exists(&who).map_err(No::Directory)? {
            return Err(ErrorCode::NO_SUCH_USER.into());
        }
        let nick = name.map_or_else(|| Ok(Nick::of_handle(&who)), nick)?;
        let Some(person) = self.people.get(id) else { return Err(No::End) };
        let (record, dialect, limits) = (&person.record, person.dialect, &self.config.limits);
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
        let with_groups = list == List::Forward && dialect >= Dialect::Msnp7;
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
        let was_blocked = record.blocks(&who);
        if list == List::Forward || entry.lists.is_empty() {
            entry.name = nick.clone();
        }
        entry.lists = entry.lists.with(list);
        if with_groups {
            entry.groups = entry.groups.with(group);
        }
        let fresh = list == List::Forward && !there;
        let mut changes = own(record, Edit::Contact(entry));
        if fresh {
            let edit = Edit::Reversed(record.handle.clone(), record.name.clone());
            changes.push(Change { account: who.clone(), edit });
        }
        self.commit(&changes)?;

        let Some(person) = self.people.get(id) else { return Ok(()) };
        let record = &person.record;
        let tells_properties = fresh && person.synced && dialect >= Dialect::Msnp5;
        let directory = &mut self.directory;
        self.lines.say(conn, |out| {
            let (version, name) = (record.version, Some(Name::from(&nick)));
            let ids = [group];
            let group = with_groups.then_some(Groups::new(&ids));
            let account = Account::from(&who);
            Reply::Add { trid, list, version, account, name, group }.encode(out);
            if tells_properties {
                encode_properties(directory, record, &who, out);
            }
        });
        if fresh {
            self.show_contact(id, &who, trid);
            self.tell_reversed(id, &who, true);
        }
        self.reveal_if_changed(id, &who, was_blocked);
        Ok(())
    }

    fn remove(
        &mut self,
        conn: SlotId,
        id: SlotId,
        trid: TrId,
        list: List,
        (account, group): (Account<'_>, Option<Token<'_>>),
    ) -> Done {
        if list == List::Reverse {
            return Err(No::End);
        }
        let Some(person) = self.people.get(id) else { return Err(No::End) };
        let (record, dialect) = (&person.record, person.dialect);
        let mut entry = account
            .to_handle()
            .and_then(|who| record.contact(&who))
            .filter(|entry| entry.lists.has(list))
            .cloned()
            .ok_or(ErrorCode::NOT_ON_LIST)?;
        let with_groups = list == List::Forward && dialect >= Dialect::Msnp7;
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
        let was_blocked = record.blocks(&who);
        match group {
            Some(group) => entry.groups = entry.groups.without(group),
            None => entry.lists = entry.lists.without(list),
        }
        let gone = list == List::Forward && group.is_none();
        if gone {
            entry.groups = GroupSet::default();
        }
        let mut changes = own(record, Edit::Contact(entry));
        if gone {
            let edit = Edit::Unreversed(record.handle.clone());
            changes.push(Change { account: who.clone(), edit });
        }
        self.commit(&changes)?;

        let Some(person) = self.people.get(id) else { return Ok(()) };
        let version = person.record.version;
        self.lines.say(conn, |out| {
            let account = Account::from(&who);
            Reply::Rem { trid, list, version, account, group }.encode(out);
        });
        if gone {
            self.tell_reversed(id, &who, false);
        }
        self.reveal_if_changed(id, &who, was_blocked);
        Ok(())
    }

    /// Tells somebody who is signed in that a person put them on a forward list or took them off.
    fn tell_reversed(&mut self, id: SlotId, who: &Handle, added: bool) {
        let other = self.online.get(who).and_then(|id| self.people.get(*id));
        let (Some(person), Some(other)) = (self.people.get(id), other) else { return };
        let (trid, list, version) = (TrId::NONE, List::Reverse, other.record.version);
        let account = Account::from(&person.record.handle);
        self.scratch.clear();
        if added {
            let name = Some(Name::from(&person.record.name));
            Reply::Add { trid, list, version, account, name, group: None }
                .encode(&mut self.scratch);
        } else {
            Reply::Rem { trid, list, version, account, group: None }.encode(&mut self.scratch);
        }
        self.lines.push(other.conn, [&self.scratch, &[], &[]]);
    }

    fn reveal_if_changed(&mut self, id: SlotId, who: &Handle, was_blocked: bool) {
        let blocks = |record: &Record| record.blocks(who);
        if self.people.get(id).is_some_and(|person| blocks(&person.record) != was_blocked) {
            self.reveal(id, |contact| contact.handle == *who);
        }
    }

    fn rename(
        &mut self,
        conn: SlotId,
        id: SlotId,
        trid: TrId,
        account: Account<'_>,
        name: Name<'_>,
    ) -> Done {
        let nick = nick(name)?;
        let shown_nick = nick.clone();
        let mut myself = false;
        self.change(conn, id, |record| {
            myself = account.is(&record.handle);
            let (who, edit) = if myself {
                if !record.verified {
                    return Err(ErrorCode::INVALID_NAME.into());
                }
                (record.handle.clone(), Edit::Name(nick))
            } else {
                let entry = account.to_handle().and_then(|who| record.contact(&who));
                let entry = entry.cloned().ok_or(ErrorCode::NOT_ON_LIST)?;
                (entry.handle.clone(), Edit::Contact(Contact { name: nick, ..entry }))
            };
            let answer = move |record: &Record, out: &mut Vec<u8>| {
                let (version, name) = (record.version, Name::from(&shown_nick));
                Reply::Rea { trid, version, account: Account::from(&who), name }.encode(out);
            };
            Ok((own(record, edit), answer))
        })?;
        if myself {
            self.announce(id, true);
        }
        Ok(())
    }

    fn set_privacy(&mut self, conn: SlotId, id: SlotId, trid: TrId, privacy: Privacy) -> Done {
        self.change(conn, id, |record| {
            if record.privacy == privacy {
                return Err(ErrorCode::ALREADY_IN_MODE.into());
            }
            let answer = move |record: &Record, out: &mut Vec<u8>| {
                Reply::Blp { trid, version: record.version, privacy }.encode(out);
            };
            Ok((own(record, Edit::Privacy(privacy)), answer))
        })?;
        let undecided = |lists: Lists| !lists.has(List::Allow) && !lists.has(List::Block);
        self.reveal(id, |contact| undecided(contact.lists));
        Ok(())
    }

    fn add_group(&mut self, conn: SlotId, id: SlotId, trid: TrId, name: Name<'_>) -> Done {
        let name = group_name(name)?;
        self.change(conn, id, |record| {
            let free = (1..GroupSet::MOST).map(GroupId).find(|id| record.group(*id).is_none());
            let group = free.ok_or(ErrorCode::TOO_MANY_GROUPS)?;
            let edit = Edit::Group(group, Some(name.clone()));
            let answer = move |record: &Record, out: &mut Vec<u8>| {
                let (version, name) = (record.version, Name::from(&name));
                let zero = Token::new(b"0");
                Reply::Adg { trid, version, name, group, zero }.encode(out);
            };
            Ok((own(record, edit), answer))
        })
    }

    /// Who was in this group only is shown in group 0 from then on.
    fn remove_group(&mut self, conn: SlotId, id: SlotId, trid: TrId, group: GroupId) -> Done {
        self.change(conn, id, |record| {
            check_group(record, group)?;
            if group == GroupId::OTHER {
                return Err(ErrorCode::GROUP_ZERO.into());
            }
            let mut changes = own(record, Edit::Group(group, None));
            for entry in record.contacts.iter().filter(|entry| entry.groups.has(group)) {
                let groups = entry.groups.without(group);
                let edit = Edit::Contact(Contact { groups, ..entry.clone() });
                changes.extend(own(record, edit));
            }
            let answer = move |record: &Record, out: &mut Vec<u8>| {
                Reply::Rmg { trid, version: record.version, group }.encode(out);
            };
            Ok((changes, answer))
        })
    }

    fn rename_group(
        &mut self,
        conn: SlotId,
        id: SlotId,
        trid: TrId,
        group: GroupId,
        name: Name<'_>,
    ) -> Done {
        let name = group_name(name)?;
        self.change(conn, id, |record| {
            check_group(record, group)?;
            let edit = Edit::Group(group, Some(name.clone()));
            let answer = move |record: &Record, out: &mut Vec<u8>| {
                let (version, name) = (record.version, Name::from(&name));
                let zero = Token::new(b"0");
                Reply::Reg { trid, version, group, name, zero }.encode(out);
            };
            Ok((own(record, edit), answer))
        })
    }
}

/// One change of the record's own account.
pub(super) fn own(record: &Record, edit: Edit) -> Vec<Change> {
    alloc::vec![Change { account: record.handle.clone(), edit }]
}

fn check_group(record: &Record, group: GroupId) -> Done {
    if group.0 >= GroupSet::MOST {
        return Err(No::End);
    }
    match record.group(group) {
        Some(_) => Ok(()),
        None => Err(ErrorCode::NO_SUCH_GROUP.into()),
    }
}

/// A display name. One over the limit as it was sent ends the connection, one that would only be
/// over it in our coding is refused.
fn nick(name: Name<'_>) -> Result<Nick, No> {
    if name.encoded_len() > limits::NICK {
        return Err(No::End);
    }
    Nick::new(&name.to_text()).ok_or(No::Code(ErrorCode::INVALID_NAME))
}

fn group_name(name: Name<'_>) -> Result<Nick, No> {
    let text = name.to_text();
    let len = name.encoded_len().max(percent::encoded_len(&text));
    match Nick::new(&text) {
        _ if name.encoded_len() > HARD_GROUP_NAME => Err(No::End),
        Some(name) if len <= limits::GROUP_NAME => Ok(name),
        _ => Err(ErrorCode::GROUP_NAME_TOO_LONG.into()),
    }
}

fn number(token: Token<'_>) -> Option<u32> {
    grammar::number(token.as_bytes())
}
