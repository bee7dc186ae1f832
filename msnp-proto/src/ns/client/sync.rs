//! How replies change the roster: the dump that answers SYN, lists asked for one by one, and
//! changes that nobody asked for.

use alloc::string::String;
use alloc::vec::Vec;

use super::ledger::Kind;
use super::state::Core;
use crate::client::{Event as Report, RosterChange, Warning};
use crate::error::Expected;
use crate::ns::roster::Unlisted;
use crate::ns::{Reply, Request, Roster};
use crate::time::Instant;
use crate::types::{
    Account, Groups, Handle, Key, List, ListVersion, Name, Number, Prompt, Status, TrId,
};
use crate::wire::{Frame, Parsed, Verb};

/// A dump in progress. The roster of before stays as it is until the new one is complete.
#[derive(Debug)]
pub(super) struct Sync {
    trid: TrId,
    begun: bool,
    /// It follows an answer that promised none: sign-in has gone on already.
    late: bool,
    fresh: Roster,
    /// Entries seen and promised of each list.
    counts: [(u32, u32); 4],
    over_limit: bool,
    /// What was told meanwhile and is no part of the dump, as lines: it is newer.
    later: Vec<u8>,
}

/// Bytes of it that are kept.
const LATER: usize = 64 * 1024;

impl Sync {
    pub(super) const fn new(trid: TrId) -> Self {
        Self {
            trid,
            begun: false,
            late: false,
            fresh: Roster::new(),
            counts: [(0, 0); 4],
            over_limit: false,
            later: Vec::new(),
        }
    }

    fn count(&mut self, list: List, total: u32) {
        if let Some(count) = self.counts.get_mut(list as usize) {
            *count = (count.0.saturating_add(1), total);
        }
    }

    fn adds_up(&self) -> bool {
        self.counts.iter().all(|(seen, promised)| seen == promised)
    }
}

impl Core {
    /// The roster that a line with this id changes: the one in the making, or the one in use.
    fn roster_of(&mut self, trid: TrId) -> &mut Roster {
        match &mut self.sync {
            Some(sync) if sync.trid == trid && sync.begun => &mut sync.fresh,
            _ => &mut self.roster,
        }
    }

    fn in_dump(&self, trid: TrId) -> bool {
        self.sync.as_ref().is_some_and(|sync| sync.trid == trid && sync.begun)
    }

    pub(super) fn changed(&mut self, change: RosterChange) {
        self.tell(Report::Roster(change));
    }

    /// Some servers say that the version of the lists is the one that is known, and send the lists
    /// all the same. Their version need not have moved with the lists, so what they send counts.
    fn begin_late_dump(&mut self, reply: &Reply<'_>) {
        let trid = match reply {
            Reply::Lst { trid, .. }
            | Reply::LstEmpty { trid, .. }
            | Reply::Lsg { trid, .. }
            | Reply::Gtc { trid, .. }
            | Reply::Blp { trid, .. }
            | Reply::Prp { trid, .. } => *trid,
            _ => return,
        };
        if self.unchanged == Some(trid) {
            self.unchanged = None;
            self.sync = Some(Sync { begun: true, late: true, ..Sync::new(trid) });
        }
    }

    /// Keeps what is told during a dump and is no part of it for the roster that is on its way.
    fn keep_for_later(&mut self, reply: &Reply<'_>) {
        let Some(sync) = self.sync.as_ref().filter(|sync| sync.begun) else { return };
        let is_later = match *reply {
            Reply::Gtc { trid, .. } | Reply::Blp { trid, .. } | Reply::Prp { trid, .. } => {
                trid != sync.trid
            }
            Reply::Iln { .. } | Reply::Nln { .. } | Reply::Fln { .. } => true,
            Reply::Add { .. } | Reply::Rem { .. } | Reply::Rea { .. } => true,
            Reply::Adg { .. } | Reply::Reg { .. } | Reply::Rmg { .. } => true,
            _ => false,
        };
        if is_later {
            self.keep(reply);
        }
    }

    #[cold]
    fn keep(&mut self, reply: &Reply<'_>) {
        match &mut self.sync {
            Some(sync) if sync.begun && sync.later.len() < LATER => reply.encode(&mut sync.later),
            Some(Sync { begun: true, .. }) => self.over_limit(),
            _ => {}
        }
    }

    /// A reply that is about people, lists or settings.
    pub(super) fn on_roster(&mut self, now: Instant, reply: Reply<'_>) {
        self.begin_late_dump(&reply);
        // Most lines of a dump are these, and each counts.
        if !matches!(reply, Reply::Lst { .. } | Reply::Bpr { .. } | Reply::BprBare { .. }) {
            self.keep_for_later(&reply);
        }
        match reply {
            Reply::Syn { trid, version } => self.on_syn(now, trid, version),
            Reply::Lst { trid, list, version, index, total, account, name, groups } => {
                let entry = Some((account, name, groups));
                self.on_entry(now, trid, (list, version), (index, total), entry);
            }
            Reply::LstEmpty { trid, list, version } => {
                self.on_entry(now, trid, (list, version), (Number(0), Number(0)), None);
            }
            Reply::Lsg { trid, version, index, total, group, name, .. } => {
                let in_dump = self.in_dump(trid);
                if !in_dump && !matches!(self.ledger.peek(trid), Some((Kind::Groups, _))) {
                    return self.unmatched(Verb::LSG, trid);
                }
                let roster = self.roster_of(trid);
                roster.set_version(version);
                if !roster.set_group(group, name.to_nick()) {
                    self.warn(Warning::TooMany { verb: Verb::LSG });
                }
                if in_dump {
                    self.sync_goes_on(now);
                } else if index == total {
                    self.done(now, Verb::LSG, trid, |kind| *kind == Kind::Groups);
                }
            }
            Reply::Gtc { trid, version, prompt } => {
                let roster = self.roster_of(trid);
                roster.set_version(version);
                roster.set_prompt(prompt);
                if !self.in_dump(trid) {
                    self.changed(RosterChange::Prompt(prompt));
                    self.answered(now, Verb::GTC, trid);
                }
            }
            Reply::Blp { trid, version, privacy } => {
                let roster = self.roster_of(trid);
                roster.set_version(version);
                roster.set_privacy(privacy);
                if !self.in_dump(trid) {
                    self.changed(RosterChange::Privacy(privacy));
                    self.answered(now, Verb::BLP, trid);
                }
            }
            Reply::Prp { trid, version, key, value } => {
                self.roster_of(trid).set_version(version);
                self.on_own_property(now, trid, key, value);
            }
            Reply::PrpBare { key, value, .. } => {
                let trid = self.sync.as_ref().map_or(TrId::NONE, |sync| sync.trid);
                self.on_own_property(now, trid, key, value);
            }
            Reply::Bpr { version, account, key, value } => {
                if self.sync.is_none() {
                    self.roster.set_version(version);
                }
                if !self.on_property(account, key, value) {
                    self.keep(&Reply::Bpr { version, account, key, value });
                }
            }
            Reply::BprBare { key, value, .. } => {
                let Some(account) = self.last_listed.clone() else {
                    return self.warn(Warning::OutOfPlace { verb: Verb::BPR });
                };
                let _ = self.on_property(Account::from(&account), key, value);
            }
            Reply::Iln { status, account, name, .. } => {
                self.on_presence(Verb::ILN, status.or_online(), account, name);
            }
            Reply::Nln { status, account, name } => {
                self.on_presence(Verb::NLN, status.or_online(), account, name);
            }
            Reply::Fln { account } => {
                self.on_presence(Verb::FLN, Status::Offline, account, None);
            }
            reply => self.on_change(now, reply),
        }
    }

    fn on_syn(&mut self, now: Instant, trid: TrId, version: ListVersion) {
        let known = self.roster.version();
        match &mut self.sync {
            Some(sync) if sync.trid == trid && !sync.begun => {
                if version == known && known.0 != 0 {
                    self.unchanged = Some(trid);
                    return self.finish_sync(now, true);
                }
                sync.begun = true;
                sync.fresh.set_version(version);
                self.sync_goes_on(now);
            }
            _ => self.unmatched(Verb::SYN, trid),
        }
    }

    fn on_entry(
        &mut self,
        now: Instant,
        trid: TrId,
        (list, version): (List, ListVersion),
        (index, total): (Number, Number),
        entry: Option<(Account<'_>, Option<Name<'_>>, Option<Groups<'_>>)>,
    ) {
        let in_dump = self.in_dump(trid);
        let asked = matches!(self.ledger.peek(trid), Some((Kind::List(_), _)));
        if !in_dump && !asked {
            return self.unmatched(Verb::LST, trid);
        }
        self.roster_of(trid).set_version(version);
        if asked && index.0 <= 1 {
            self.relisted = self.roster.clear_list(list);
        }
        let limit = self.config.roster_entries;
        let counts = entry.is_some();
        if let Some((account, name, groups)) = entry {
            let added = self.roster_of(trid).add(limit, list, account, name, groups);
            match &added {
                Ok(account) => {
                    if let Some(known) = self.relisted.remove(account) {
                        self.roster.restore(known);
                    }
                }
                Err(Unlisted::Full) => self.over_limit(),
                Err(Unlisted::Unknown) => {
                    self.warn(Warning::Invalid { verb: Verb::LST, expected: Expected::Account });
                }
            }
            self.last_listed = added.ok();
        }
        let last = index == total;
        match &mut self.sync {
            Some(sync) if in_dump => {
                if counts {
                    sync.count(list, total.0);
                }
                if last && list == List::Reverse {
                    self.finish_sync(now, false);
                } else {
                    self.sync_goes_on(now);
                }
            }
            _ if last => {
                self.relisted.clear();
                self.done(now, Verb::LST, trid, |kind| matches!(kind, Kind::List(_)));
            }
            _ => {}
        }
    }

    fn over_limit(&mut self) {
        let told = match &mut self.sync {
            Some(sync) => core::mem::replace(&mut sync.over_limit, true),
            None => false,
        };
        if !told {
            self.warn(Warning::TooMany { verb: Verb::LST });
        }
    }

    /// The lists are as complete as they will be; sign-in goes on.
    pub(super) fn finish_sync(&mut self, now: Instant, unchanged: bool) {
        let Some(sync) = self.sync.take() else { return };
        self.ledger.take(sync.trid, |kind| *kind == Kind::Sync);
        if sync.begun {
            if !sync.adds_up() && !sync.over_limit {
                self.warn(Warning::ListsIncomplete);
            }
            let mut fresh = sync.fresh;
            self.roster.hand_presence_to(&mut fresh);
            apply_all(&mut fresh, self.config.roster_entries, &sync.later);
            self.roster = fresh;
        }
        self.tell(Report::Synced { version: self.roster.version(), unchanged });
        if sync.late {
            self.stop_waiting_for_lists();
        } else {
            self.set_first_status(now);
        }
        let undecided: Vec<Handle> =
            self.roster.undecided().map(|(account, _)| account.clone()).collect();
        for account in undecided {
            self.allow_silently(now, account);
        }
    }

    /// Allows somebody who is new on the reverse list, if that is what the account has chosen.
    fn allow_silently(&mut self, now: Instant, account: Handle) {
        let contact = self.roster.contact(&account).filter(|contact| contact.is_undecided());
        let Some(nick) = contact.map(|contact| contact.nick().clone()) else { return };
        let is_full = self.ledger.len() >= self.config.limits.open_requests;
        if self.roster.prompt() == Prompt::Never && !is_full {
            let trid = self.open_own(now, Verb::ADD, Kind::Change);
            let (list, account) = (List::Allow, Account::from(&account));
            let name = Some(Name::from(&nick));
            self.say(&Request::Add { trid, list, account, name, group: None });
        }
    }

    fn on_own_property(&mut self, now: Instant, trid: TrId, key: Key, value: Option<Name<'_>>) {
        let Some(property) = key.property() else {
            return self.warn(Warning::Invalid { verb: Verb::PRP, expected: Expected::Property });
        };
        let value = value.map_or_else(String::new, Name::to_text);
        self.roster_of(trid).set_own_property(property, value.clone());
        if !self.in_dump(trid) {
            self.changed(RosterChange::Property { account: None, property, value });
            self.answered(now, Verb::PRP, trid);
        }
    }

    /// Notes a property of somebody; says whether the roster on its way has it.
    fn on_property(&mut self, account: Account<'_>, key: Key, value: Option<Name<'_>>) -> bool {
        let Some(property) = key.property() else {
            self.warn(Warning::Invalid { verb: Verb::BPR, expected: Expected::Property });
            return false;
        };
        let value = value.map_or_else(String::new, Name::to_text);
        if let Some(sync) = &mut self.sync {
            if sync.fresh.set_property(account, property, value.clone()).is_some() {
                return true;
            }
        }
        match self.roster.set_property(account, property, value.clone()) {
            None => self.warn(Warning::OutOfPlace { verb: Verb::BPR }),
            account => self.changed(RosterChange::Property { account, property, value }),
        }
        false
    }

    fn on_presence(
        &mut self,
        verb: Verb,
        status: Status,
        account: Account<'_>,
        name: Option<Name<'_>>,
    ) {
        let (account, nick, known) = match self.roster.set_presence(account, status, name) {
            Some((account, nick)) => (account, nick, true),
            None => match account.to_handle() {
                Some(account) => (account, name.map(Name::to_nick), false),
                None => {
                    let expected = Expected::Account;
                    return self.warn(Warning::Invalid { verb, expected });
                }
            },
        };
        let initial = verb == Verb::ILN;
        self.tell(Report::Presence { account, status, nick, known, initial });
    }

    /// A change of lists, groups or names, asked for or not.
    fn on_change(&mut self, now: Instant, reply: Reply<'_>) {
        let verb = reply.verb();
        let limit = self.config.roster_entries;
        let own = match &reply {
            Reply::Rea { account, name, .. } if self.rename_self(*account, *name) => {
                account.to_handle().map(|account| (account, name.to_nick()))
            }
            _ => None,
        };
        let Some((trid, change)) = apply(&mut self.roster, limit, &reply) else {
            return self.warn(Warning::OutOfPlace { verb });
        };
        let change = match own {
            Some((account, nick)) => Ok(RosterChange::Renamed { account, nick }),
            None => change,
        };
        match change {
            Ok(change) => {
                let new = match &change {
                    RosterChange::Added { list: List::Reverse, account, .. } => {
                        Some(account.clone())
                    }
                    _ => None,
                };
                if let Some(account) = new {
                    self.allow_silently(now, account);
                }
                self.changed(change);
            }
            Err(Unlisted::Full) => self.warn(Warning::TooMany { verb }),
            Err(Unlisted::Unknown) => self.warn(Warning::OutOfPlace { verb }),
        }
        self.answered(now, verb, trid);
    }

    /// The answer to a change, if it was ours.
    fn answered(&mut self, now: Instant, verb: Verb, trid: TrId) {
        if trid != TrId::NONE {
            self.done(now, verb, trid, |kind| *kind == Kind::Change);
        }
    }
}

/// Makes a change of lists, groups or names in a roster, and says which request it answers; `None` if
/// the reply is no such change.
fn apply(
    roster: &mut Roster,
    limit: usize,
    reply: &Reply<'_>,
) -> Option<(TrId, Result<RosterChange, Unlisted>)> {
    Some(match *reply {
        Reply::Add { trid, list, version, account, name, group } => {
            roster.set_version(version);
            let foreign = trid == TrId::NONE;
            let added = roster.add(limit, list, account, name, group);
            (trid, added.map(|account| RosterChange::Added { list, account, foreign }))
        }
        Reply::Rem { trid, list, version, account, group } => {
            roster.set_version(version);
            let foreign = trid == TrId::NONE;
            let removed = roster.remove(list, account, group).ok_or(Unlisted::Unknown);
            (trid, removed.map(|account| RosterChange::Removed { list, account, group, foreign }))
        }
        Reply::Adg { trid, version, name, group, .. }
        | Reply::Reg { trid, version, name, group, .. } => {
            roster.set_version(version);
            let name = name.to_nick();
            let room = roster.set_group(group, name.clone());
            let change = RosterChange::Group { group, name };
            (trid, if room { Ok(change) } else { Err(Unlisted::Full) })
        }
        Reply::Rmg { trid, version, group } => {
            roster.set_version(version);
            roster.remove_group(group);
            (trid, Ok(RosterChange::GroupRemoved { group }))
        }
        Reply::Rea { trid, version, account, name } => {
            roster.set_version(version);
            (trid, roster.rename(account, name).ok_or(Unlisted::Unknown))
        }
        _ => return None,
    })
}

/// Makes in a roster what was told while it was on its way, in order.
fn apply_all(roster: &mut Roster, limit: usize, lines: &[u8]) {
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r\n").unwrap_or(line);
        let Ok(Parsed::Command(reply, _)) = Reply::parse(Frame::new(line, None)) else { continue };
        match reply {
            Reply::Iln { status, account, name, .. } => {
                roster.set_presence(account, status.or_online(), name);
            }
            Reply::Nln { status, account, name } => {
                roster.set_presence(account, status.or_online(), name);
            }
            Reply::Fln { account } => {
                roster.set_presence(account, Status::Offline, None);
            }
            Reply::Gtc { version, prompt, .. } => {
                roster.set_version(version);
                roster.set_prompt(prompt);
            }
            Reply::Blp { version, privacy, .. } => {
                roster.set_version(version);
                roster.set_privacy(privacy);
            }
            Reply::Prp { version, key, value, .. } => {
                roster.set_version(version);
                if let Some(property) = key.property() {
                    let value = value.map_or_else(String::new, Name::to_text);
                    roster.set_own_property(property, value);
                }
            }
            Reply::Bpr { version, account, key, value } => {
                roster.set_version(version);
                if let Some(property) = key.property() {
                    let value = value.map_or_else(String::new, Name::to_text);
                    roster.set_property(account, property, value);
                }
            }
            reply => {
                apply(roster, limit, &reply);
            }
        }
    }
}
