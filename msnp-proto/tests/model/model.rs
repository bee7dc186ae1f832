//! What ought to be, in the plainest form.

use std::collections::{BTreeMap, BTreeSet};

use msnp_proto::types::{List, Lists, Privacy, Status};

use crate::{ACCOUNTS, Found};

/// What comes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Done,
    Refused(u16),
}

pub(crate) struct Model {
    pub(crate) accounts: Vec<Account>,
    /// The people in each switchboard.
    pub(crate) rooms: Vec<BTreeSet<usize>>,
}

pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) lists: BTreeMap<usize, Lists>,
    pub(crate) privacy: Privacy,
    /// The client that is signed in, and its status.
    pub(crate) session: Option<(usize, Status)>,
}

/// The account of a client.
pub(crate) const fn account_of(client: usize) -> usize {
    client % ACCOUNTS
}

impl Account {
    pub(crate) fn lists(&self, who: usize) -> Lists {
        self.lists.get(&who).copied().unwrap_or(Lists::NONE)
    }

    fn set(&mut self, who: usize, lists: Lists) {
        if lists.is_empty() {
            self.lists.remove(&who);
        } else {
            self.lists.insert(who, lists);
        }
    }

    fn blocks(&self, who: usize) -> bool {
        let lists = self.lists(who);
        lists.has(List::Block) || (!lists.has(List::Allow) && self.privacy == Privacy::BlockOthers)
    }

    /// The status that is not hidden.
    fn visible(&self) -> Option<Status> {
        self.session.map(|(_, status)| status).filter(|status| status.is_visible())
    }
}

impl Model {
    pub(crate) fn new() -> Self {
        let account = |number: usize| Account {
            name: format!("user{number}@example.net"),
            lists: BTreeMap::new(),
            privacy: Privacy::AllowOthers,
            session: None,
        };
        Self { accounts: (0..ACCOUNTS).map(account).collect(), rooms: Vec::new() }
    }

    /// How `viewer` sees `who`.
    pub(crate) fn seen(&self, viewer: usize, who: usize) -> Status {
        let on_list = self.accounts[viewer].lists(who).has(List::Forward);
        let account = &self.accounts[who];
        let visible = account.visible().filter(|_| on_list && !account.blocks(viewer));
        visible.unwrap_or(Status::Offline)
    }

    fn may_be_called(&self, who: usize, by: usize) -> bool {
        self.accounts[who].visible().is_some() && !self.accounts[who].blocks(by)
    }

    /// The account of a client, if that is the one that is signed in.
    pub(crate) fn online(&self, client: usize) -> Option<usize> {
        let account = account_of(client);
        let session = self.accounts[account].session;
        session.filter(|(of, _)| *of == client).map(|_| account)
    }

    pub(crate) fn sign_in(&mut self, client: usize, status: Status) {
        let account = account_of(client);
        self.leave_all(account);
        self.accounts[account].session = Some((client, status));
    }

    pub(crate) fn sign_out(&mut self, client: usize) {
        let Some(account) = self.online(client) else { return };
        self.accounts[account].session = None;
        self.leave_all(account);
    }

    pub(crate) fn set_status(&mut self, client: usize, status: Status) -> Found {
        let account = self.online(client)?;
        self.accounts[account].session = Some((client, status));
        Some(Expected::Done)
    }

    pub(crate) fn add(&mut self, client: usize, list: List, who: usize) -> Found {
        let account = self.online(client)?;
        let lists = self.accounts[account].lists(who);
        let opposite = match list {
            List::Allow => lists.has(List::Block),
            List::Block => lists.has(List::Allow),
            _ => false,
        };
        if opposite {
            return Some(Expected::Refused(219));
        }
        if lists.has(list) {
            return Some(Expected::Refused(215));
        }
        self.accounts[account].set(who, lists.with(list));
        if list == List::Forward {
            let theirs = self.accounts[who].lists(account);
            self.accounts[who].set(account, theirs.with(List::Reverse));
        }
        Some(Expected::Done)
    }

    pub(crate) fn remove(&mut self, client: usize, list: List, who: usize) -> Found {
        let account = self.online(client)?;
        let lists = self.accounts[account].lists(who);
        if !lists.has(list) {
            return Some(Expected::Refused(216));
        }
        self.accounts[account].set(who, lists.without(list));
        if list == List::Forward {
            let theirs = self.accounts[who].lists(account);
            self.accounts[who].set(account, theirs.without(List::Reverse));
        }
        Some(Expected::Done)
    }

    pub(crate) fn set_privacy(&mut self, client: usize, privacy: Privacy) -> Found {
        let account = self.online(client)?;
        if self.accounts[account].privacy == privacy {
            return Some(Expected::Refused(218));
        }
        self.accounts[account].privacy = privacy;
        Some(Expected::Done)
    }

    pub(crate) fn rename(&mut self, client: usize, name: u8) -> Found {
        let account = self.online(client)?;
        self.accounts[account].name = format!("name {name}");
        Some(Expected::Done)
    }

    pub(crate) fn open(&mut self, client: usize, who: usize) {
        let Some(account) = self.online(client) else { return };
        let may_call = self.accounts[account].visible().is_some();
        if may_call && who != account && self.may_be_called(who, account) {
            self.rooms.push(BTreeSet::from([account, who]));
        }
    }

    /// The switchboard of a client with these others in it.
    fn room(&mut self, client: usize, others: &BTreeSet<usize>) -> &mut BTreeSet<usize> {
        let mut members = others.clone();
        members.insert(account_of(client));
        let room = self.rooms.iter_mut().find(|room| **room == members);
        room.unwrap_or_else(|| panic!("there ought to be no switchboard with {members:?}"))
    }

    pub(crate) fn invite(&mut self, client: usize, others: &BTreeSet<usize>, who: usize) {
        let comes = self.may_be_called(who, account_of(client));
        let room = self.room(client, others);
        if comes {
            room.insert(who);
        }
    }

    pub(crate) fn leave(&mut self, client: usize, others: &BTreeSet<usize>) {
        let account = account_of(client);
        self.room(client, others).remove(&account);
        self.rooms.retain(|room| room.len() > 1);
    }

    fn leave_all(&mut self, account: usize) {
        for room in &mut self.rooms {
            room.remove(&account);
        }
        self.rooms.retain(|room| room.len() > 1);
    }
}
