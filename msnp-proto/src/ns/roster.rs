//! What one account knows of its people: lists, groups, names, presence and settings.
//!
//! The roster knows how replies change it. It does not know when they may come, and asks for
//! nothing.

mod people;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use self::people::People;
use crate::client::RosterChange;
use crate::types::{
    Account, GroupId, Groups, Handle, List, ListVersion, Lists, Name, Nick, Privacy, Prompt,
    Property, Status,
};

/// Lists, groups, names, presence and settings of one account, as the server last told them.
///
/// A snapshot can be kept and given to the next sign-in, where its version is compared with the
/// server's; presence is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    version: ListVersion,
    prompt: Prompt,
    privacy: Privacy,
    properties: Properties,
    groups: BTreeMap<GroupId, Nick>,
    contacts: People,
    entries: usize,
}

/// One person on at least one list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// The key under which it is found, so that finding it is enough to name it.
    account: Handle,
    nick: Nick,
    lists: Lists,
    groups: Vec<GroupId>,
    status: Status,
    display: Option<Nick>,
    properties: Properties,
}

type Properties = Vec<(Property, String)>;

/// Why somebody was not put on a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unlisted {
    /// All places are taken.
    Full,
    /// That is no account, or nobody whom we know.
    Unknown,
}

impl Roster {
    /// Nobody, and the settings of a new account.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            version: ListVersion(0),
            prompt: Prompt::Ask,
            privacy: Privacy::AllowOthers,
            properties: Vec::new(),
            groups: BTreeMap::new(),
            contacts: People::new(),
            entries: 0,
        }
    }

    /// The version that the server gave it; 0 for none.
    #[must_use]
    pub const fn version(&self) -> ListVersion {
        self.version
    }

    /// What to do about new people on the reverse list.
    #[must_use]
    pub const fn prompt(&self) -> Prompt {
        self.prompt
    }

    /// What holds for people on neither the allow nor the block list.
    #[must_use]
    pub const fn privacy(&self) -> Privacy {
        self.privacy
    }

    /// One's own property; empty if it is not set.
    #[must_use]
    pub fn property(&self, property: Property) -> &str {
        find(&self.properties, property)
    }

    /// The groups with their names, by number. Before MSNP7 there are none.
    pub fn groups(&self) -> impl Iterator<Item = (GroupId, &Nick)> {
        self.groups.iter().map(|(id, name)| (*id, name))
    }

    /// Everybody who is on a list, by account.
    pub fn contacts(&self) -> impl Iterator<Item = (&Handle, &Contact)> {
        self.contacts.iter()
    }

    /// One person, if they are on a list.
    #[must_use]
    pub fn contact(&self, account: &Handle) -> Option<&Contact> {
        self.contacts.get(account)
    }

    /// People of whom nobody has decided yet: they are on the reverse list, and neither allowed nor
    /// blocked. Whom the account's [`prompt`](Roster::prompt) says never to ask about, the client
    /// allows by itself.
    pub fn undecided(&self) -> impl Iterator<Item = (&Handle, &Contact)> {
        self.contacts.iter().filter(|(_, contact)| contact.is_undecided())
    }

    /// How many places of all lists are taken.
    #[must_use]
    pub const fn entries(&self) -> usize {
        self.entries
    }

    fn contact_mut(&mut self, account: Account<'_>) -> Option<&mut Contact> {
        self.contacts.get_mut(account)
    }

    pub(crate) fn set_version(&mut self, version: ListVersion) {
        self.version = version;
    }

    pub(crate) fn set_prompt(&mut self, prompt: Prompt) {
        self.prompt = prompt;
    }

    pub(crate) fn set_privacy(&mut self, privacy: Privacy) {
        self.privacy = privacy;
    }

    pub(crate) fn set_own_property(&mut self, property: Property, value: String) {
        set(&mut self.properties, property, value);
    }

    /// Sets a property of somebody and says who it is; `None` if they are on no list.
    pub(crate) fn set_property(
        &mut self,
        account: Account<'_>,
        property: Property,
        value: String,
    ) -> Option<Handle> {
        let contact = self.contact_mut(account)?;
        set(&mut contact.properties, property, value);
        Some(contact.account.clone())
    }

    /// Makes or renames a group; says whether there was room.
    pub(crate) fn set_group(&mut self, group: GroupId, name: Nick) -> bool {
        let room = self.groups.len() < MOST_GROUPS || self.groups.contains_key(&group);
        if room {
            self.groups.insert(group, name);
        }
        room
    }

    /// Forgets a group. Who was in it alone is in group 0 until the server says otherwise.
    pub(crate) fn remove_group(&mut self, group: GroupId) {
        self.groups.remove(&group);
        for contact in self.contacts.iter_mut().filter(|one| one.groups.contains(&group)) {
            contact.leave(group);
        }
    }

    /// Puts somebody on a list, if fewer than `most` places are taken or they are on it already. A
    /// name replaces the one that is kept only on the forward list or for somebody new.
    pub(crate) fn add(
        &mut self,
        most: usize,
        list: List,
        account: Account<'_>,
        name: Option<Name<'_>>,
        groups: Option<Groups<'_>>,
    ) -> Result<Handle, Unlisted> {
        let is_full = self.entries >= most;
        if let Some(contact) = self.contact_mut(account) {
            let fresh = !contact.lists.has(list);
            if fresh && is_full {
                return Err(Unlisted::Full);
            }
            contact.lists = contact.lists.with(list);
            if let Some(name) = name.filter(|name| list == List::Forward && !contact.nick.is(*name))
            {
                contact.nick = name.to_nick();
            }
            contact.join(list, groups);
            let account = contact.account.clone();
            self.entries = self.entries.saturating_add(fresh.into());
            return Ok(account);
        }
        if is_full {
            return Err(Unlisted::Full);
        }
        let account = account.to_handle().ok_or(Unlisted::Unknown)?;
        let mut contact = Contact {
            account: account.clone(),
            nick: name.map_or_else(|| Nick::of_handle(&account), Name::to_nick),
            lists: Lists::NONE.with(list),
            groups: Vec::new(),
            status: Status::Offline,
            display: None,
            properties: Vec::new(),
        };
        contact.join(list, groups);
        self.entries = self.entries.saturating_add(1);
        self.contacts.insert(contact);
        Ok(account)
    }

    /// Takes somebody off a list, or out of one group; `None` if they are not on that list.
    pub(crate) fn remove(
        &mut self,
        list: List,
        account: Account<'_>,
        group: Option<GroupId>,
    ) -> Option<Handle> {
        let contact = self.contact_mut(account)?;
        let account = contact.account.clone();
        if !contact.lists.has(list) {
            return None;
        }
        if let (List::Forward, Some(group)) = (list, group) {
            contact.leave(group);
            return Some(account);
        }
        contact.take_off(list);
        if contact.lists.is_empty() {
            self.contacts.remove(&account);
        }
        self.entries = self.entries.saturating_sub(1);
        Some(account)
    }

    /// Empties one list. Returns what was known of contacts, if it is theirs.
    pub(crate) fn clear_list(&mut self, list: List) -> BTreeMap<Handle, Contact> {
        let mut known = BTreeMap::new();
        for contact in self.contacts.iter_mut().filter(|one| one.lists.has(list)) {
            if list == List::Forward {
                known.insert(contact.account.clone(), contact.clone());
            }
            contact.take_off(list);
            self.entries = self.entries.saturating_sub(1);
        }
        self.contacts.retain(|contact| !contact.lists.is_empty());
        known
    }

    /// Knows of a contact who is on the list again what was known before.
    pub(crate) fn restore(&mut self, known: Contact) {
        if let Some(contact) = self.contacts.get_mut(Account::from(&known.account)) {
            contact.status = known.status;
            contact.display = known.display;
            contact.properties = known.properties;
        }
    }

    pub(crate) fn rename(&mut self, account: Account<'_>, name: Name<'_>) -> Option<RosterChange> {
        let contact = self.contact_mut(account)?;
        contact.nick = name.to_nick();
        let (account, nick) = (contact.account.clone(), contact.nick.clone());
        Some(RosterChange::Renamed { account, nick })
    }

    /// Notes somebody's presence; `None` if they are on no list.
    pub(crate) fn set_presence(
        &mut self,
        account: Account<'_>,
        status: Status,
        name: Option<Name<'_>>,
    ) -> Option<(Handle, Option<Nick>)> {
        let contact = self.contact_mut(account)?;
        contact.status = status;
        if let Some(name) = name {
            if !contact.display.as_ref().is_some_and(|display| display.is(name)) {
                contact.display = Some(name.to_nick());
            }
        }
        Some((contact.account.clone(), contact.display.clone()))
    }

    /// Everybody is offline as far as we know.
    pub(crate) fn forget_presence(&mut self) {
        for contact in self.contacts.iter_mut() {
            contact.status = Status::Offline;
        }
    }

    /// Takes over what `self` knows of people's presence.
    pub(crate) fn hand_presence_to(&self, fresh: &mut Self) {
        for contact in fresh.contacts.iter_mut() {
            if let Some(known) = self.contacts.get(&contact.account) {
                contact.status = known.status;
                contact.display = known.display.clone();
            }
        }
    }
}

impl Default for Roster {
    fn default() -> Self {
        Self::new()
    }
}

impl Contact {
    /// The name that is kept for them, which need not be the one that they go by.
    #[must_use]
    pub const fn nick(&self) -> &Nick {
        &self.nick
    }

    /// The name that they go by, if they have been seen online.
    #[must_use]
    pub const fn display(&self) -> Option<&Nick> {
        self.display.as_ref()
    }

    /// The lists that they are on.
    #[must_use]
    pub const fn lists(&self) -> Lists {
        self.lists
    }

    /// The groups that they are in, lowest first, if they are on the forward list.
    #[must_use]
    pub fn groups(&self) -> &[GroupId] {
        &self.groups
    }

    /// Their status as far as it is known.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }

    /// A property; empty if it is not set or not told.
    #[must_use]
    pub fn property(&self, property: Property) -> &str {
        find(&self.properties, property)
    }

    /// Takes them off a list. Groups, presence and properties are told of contacts only.
    fn take_off(&mut self, list: List) {
        self.lists = self.lists.without(list);
        if list == List::Forward {
            self.groups.clear();
            self.properties.clear();
            self.status = Status::Offline;
        }
    }

    /// Takes them out of a group; who is in no other is in group 0.
    fn leave(&mut self, group: GroupId) {
        self.groups.retain(|id| *id != group);
        if self.groups.is_empty() {
            self.groups.push(GroupId::OTHER);
        }
    }

    /// Whether they are on the reverse list, and neither allowed nor blocked.
    pub(crate) fn is_undecided(&self) -> bool {
        let decided = self.lists.has(List::Allow) || self.lists.has(List::Block);
        self.lists.has(List::Reverse) && !decided
    }

    fn join(&mut self, list: List, groups: Option<Groups<'_>>) {
        if list != List::Forward {
            return;
        }
        for group in groups.unwrap_or(Groups::new(&[])).iter() {
            match self.groups.binary_search(&group) {
                Err(place) if self.groups.len() < MOST_GROUPS => self.groups.insert(place, group),
                _ => {}
            }
        }
    }
}

/// Groups that are kept, and groups of one contact; a server allows 30.
const MOST_GROUPS: usize = 64;

fn find(properties: &[(Property, String)], property: Property) -> &str {
    properties.iter().find(|(key, _)| *key == property).map_or("", |(_, value)| value)
}

fn set(properties: &mut Properties, property: Property, value: String) {
    properties.retain(|(key, _)| *key != property);
    if !value.is_empty() {
        properties.push((property, value));
    }
}
