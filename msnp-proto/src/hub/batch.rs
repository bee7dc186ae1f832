//! From a planned change to an acknowledged one.
//!
//! A change is planned from the hub's copy of an account ([`Plan`]), then committed to the
//! directory, and only then made in the copies, answered, and shown to others. What fails changes
//! nothing and is answered with 501.
//!
//! A directory whose commits are dear ([`Directory::commits_in_batches`]) is given the changes of a
//! whole turn at once: they wait until the driver asks for the first output. Each connection has at
//! most one change waiting, and its further input waits behind it, so a client sees its answers in
//! order. Changes of different people that wait together cannot spoil each other: each of them
//! edits what only its own account may edit, and the reverse-list entries that it leaves with others
//! are edits of their own (see [`Edit::Contact`]). What an account's next change is planned from has
//! the one before in it: no session ends, and no account is loaded, while a change of it waits.
//!
//! When the driver takes outputs is therefore part of what happens with such a directory: a change
//! takes place at the first output after it, and what others do before that comes before it. On each
//! connection the order is the same in any case. With other directories it makes no difference.

use alloc::vec::Vec;

use super::arena::SlotId;
use super::directory::{Change, DirectoryError, Edit};
use super::event::{Event, Why};
use super::presence::Person;
use super::sync::encode_properties;
use super::{Directory, Hub};
use crate::ns::Reply;
use crate::time::Instant;
use crate::types::{
    Account, Dialect, ErrorCode, GroupId, Groups, Handle, List, Lists, Name, Nick, Privacy, Prompt,
    Property, Token, TrId,
};

/// What a command would do.
pub(super) struct Plan {
    /// The changes, all or none of them.
    pub(super) changes: Vec<Change>,
    /// What is said when they are made.
    pub(super) then: Then,
}

/// What is said when changes are made: the answer, and notices to others.
pub(super) enum Then {
    Added { list: List, who: Handle, name: Nick, group: Option<GroupId>, fresh: bool },
    Removed { list: List, who: Handle, group: Option<GroupId> },
    Renamed { who: Handle, name: Nick, myself: bool },
    Prompt(Prompt),
    Privacy(Privacy),
    GroupAdded(GroupId, Nick),
    GroupRemoved(GroupId),
    GroupRenamed(GroupId, Nick),
    Property { property: Property, told: bool },
}

impl Then {
    /// Whose place on the allow and block lists may be another one afterwards.
    const fn touches(&self) -> Option<&Handle> {
        match self {
            Self::Added { who, .. } | Self::Removed { who, .. } => Some(who),
            _ => None,
        }
    }
}

/// A plan on its way.
pub(super) struct Staged {
    pub(super) conn: SlotId,
    pub(super) account: Handle,
    pub(super) trid: TrId,
    pub(super) plan: Plan,
}

/// What waits to be committed.
#[derive(Default)]
pub(super) struct Batch {
    staged: Vec<Staged>,
    /// The time of the newest of them.
    at: Instant,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.staged.is_empty()
    }
}

impl<D: Directory> Hub<D> {
    /// Commits a plan now, or with all others of this turn.
    pub(super) fn stage(&mut self, now: Instant, staged: Staged) {
        if staged.plan.changes.is_empty() {
            return self.carry_out(staged);
        }
        if self.directory.commits_in_batches() {
            if let Some(session) = self.lines.sessions.get_mut(staged.conn) {
                session.committing = true;
            }
            self.batch.at = self.batch.at.max(now);
            self.batch.staged.push(staged);
            return;
        }
        match self.directory.commit(&staged.plan.changes) {
            Ok(()) => self.carry_out(staged),
            Err(why) => self.abandon(&staged, why),
        }
    }

    /// Commits all that waits.
    pub(super) fn commit_batch(&mut self) {
        let Batch { mut staged, at } = core::mem::take(&mut self.batch);
        let changes: Vec<Change> = match &mut staged[..] {
            [only] => core::mem::take(&mut only.plan.changes),
            several => several.iter().flat_map(|one| one.plan.changes.iter().cloned()).collect(),
        };
        let done = self.directory.commit(&changes);
        if let [only] = &mut staged[..] {
            only.plan.changes = changes;
        }
        for staged in staged {
            if let Some(session) = self.lines.sessions.get_mut(staged.conn) {
                session.committing = false;
            }
            match done {
                Ok(()) if self.is_gone(&staged) => {
                    self.dismiss(at, staged.conn, None, Why::AccountGone);
                }
                Ok(()) => self.carry_out(staged),
                Err(why) => self.abandon(&staged, why),
            }
        }
        self.settle(at);
    }

    /// Whether the account was removed while its changes waited, so that they were passed over.
    fn is_gone(&mut self, staged: &Staged) -> bool {
        let Some(change) = staged.plan.changes.first() else { return false };
        self.directory.identity(&staged.account).is_ok_and(|found| found != Some(change.by))
    }

    fn abandon(&mut self, staged: &Staged, why: DirectoryError) {
        self.lines.refuse(staged.conn, ErrorCode::DATABASE, staged.trid);
        self.lines.event(Event::DirectoryFailed { conn: staged.conn.into(), why });
    }

    /// Makes committed changes in the copies of those who are online, answers, and tells others.
    fn carry_out(&mut self, staged: Staged) {
        let Staged { conn, account, trid, plan: Plan { changes, then } } = staged;
        let person = |hub: &Self| hub.online.get(&account).copied();
        let blocked = |hub: &Self| {
            let person = person(hub).and_then(|id| hub.people.get(id))?;
            then.touches().map(|who| person.record.blocks(who))
        };
        let was_blocked = blocked(self);
        for Change { account, edit, .. } in &changes {
            let online = self.online.get(account).copied();
            if let Some(person) = online.and_then(|id| self.people.get_mut(id)) {
                person.record.apply(edit);
            }
        }
        if let Some(id) = person(self) {
            self.answer_change(conn, id, trid, &then);
        }
        for change in &changes {
            self.tell_reversed(change);
        }
        let Some(id) = person(self) else { return };
        if let Some(who) = then.touches().filter(|_| blocked(self) != was_blocked) {
            self.reveal(id, |contact| contact.handle == *who);
        }
        match then {
            Then::Renamed { myself: true, .. } => self.announce(id, true),
            Then::Privacy(_) => {
                let undecided = |lists: Lists| !lists.has(List::Allow) && !lists.has(List::Block);
                self.reveal(id, |contact| undecided(contact.lists));
            }
            Then::Property { property, told: true } => self.tell_property(id, property),
            _ => {}
        }
    }

    fn answer_change(&mut self, conn: SlotId, id: SlotId, trid: TrId, then: &Then) {
        let Some(person) = self.people.get(id).filter(|person| person.conn == conn) else { return };
        self.lines.say(conn, |out| encode_answer(person, trid, then, out));
        if let Then::Added { who, fresh: true, .. } = then {
            if person.synced && person.dialect >= Dialect::Msnp5 {
                let (directory, record) = (&mut self.directory, &person.record);
                let found = super::presence::find(&self.people, &self.online, who);
                self.lines.say(conn, |out| encode_properties(directory, found, record, who, out));
            }
            self.show_contact(id, who, trid);
        }
    }

    /// Tells somebody who is signed in that they were put on a forward list or taken off.
    fn tell_reversed(&mut self, Change { account, edit, .. }: &Change) {
        let Some(other) = super::presence::find(&self.people, &self.online, account) else {
            return;
        };
        let (trid, list, version) = (TrId::NONE, List::Reverse, other.record.version);
        self.scratch.clear();
        match edit {
            Edit::Reversed(who, name) => {
                let (account, name) = (Account::from(who), Some(Name::from(name)));
                Reply::Add { trid, list, version, account, name, group: None }
                    .encode(&mut self.scratch);
            }
            Edit::Unreversed(who) => {
                let account = Account::from(who);
                Reply::Rem { trid, list, version, account, group: None }.encode(&mut self.scratch);
            }
            _ => return,
        }
        self.lines.push(other.conn, [&self.scratch, &[], &[]]);
    }
}

fn encode_answer(person: &Person, trid: TrId, then: &Then, out: &mut Vec<u8>) {
    let record = &person.record;
    let (version, zero) = (record.version, Token::new(b"0"));
    match then {
        Then::Added { list, who, name, group, .. } => {
            let (list, account, name) = (*list, Account::from(who), Some(Name::from(name)));
            let ids = group.map(|group| [group]);
            let group = ids.as_ref().map(|ids| Groups::new(ids));
            Reply::Add { trid, list, version, account, name, group }.encode(out);
        }
        Then::Removed { list, who, group } => {
            let (list, account, group) = (*list, Account::from(who), *group);
            Reply::Rem { trid, list, version, account, group }.encode(out);
        }
        Then::Renamed { who, name, .. } => {
            let (account, name) = (Account::from(who), Name::from(name));
            Reply::Rea { trid, version, account, name }.encode(out);
        }
        Then::Prompt(prompt) => Reply::Gtc { trid, version, prompt: *prompt }.encode(out),
        Then::Privacy(privacy) => Reply::Blp { trid, version, privacy: *privacy }.encode(out),
        Then::GroupAdded(group, name) => {
            let (group, name) = (*group, Name::from(name));
            Reply::Adg { trid, version, name, group, zero }.encode(out);
        }
        Then::GroupRemoved(group) => Reply::Rmg { trid, version, group: *group }.encode(out),
        Then::GroupRenamed(group, name) => {
            let (group, name) = (*group, Name::from(name));
            Reply::Reg { trid, version, group, name, zero }.encode(out);
        }
        Then::Property { property, .. } => {
            let value = record.properties.value(*property);
            Reply::Prp { trid, version, key: (*property).into(), value }.encode(out);
        }
    }
}
