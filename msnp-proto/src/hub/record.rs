//! One account with its lists, and the rule of who sees whom.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::directory::Edit;
use crate::types::{
    GroupId, Handle, List, ListVersion, Lists, Name, Nick, Privacy, Prompt, Property,
};

/// One account: its name, settings, groups and the people on its lists.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// What tells this account from an earlier or later one of the same name: a number that its
    /// directory gives to no other. It is 0 where accounts do not come again.
    pub identity: u64,
    /// The account in the spelling that others are shown.
    pub handle: Handle,
    /// Its display name.
    pub name: Nick,
    /// Whether the address is known to belong to its owner. While it is not, others are shown a
    /// name that says so, and the name cannot be changed.
    pub verified: bool,
    /// The version of everything below, and of the name.
    pub version: ListVersion,
    /// What holds for people on neither the allow nor the block list.
    pub privacy: Privacy,
    /// What its client does about new people on the reverse list.
    pub prompt: Prompt,
    /// Phone numbers.
    pub properties: Properties,
    /// Its groups by number; group 0 is always there.
    pub groups: Vec<(GroupId, Nick)>,
    /// Everybody on any of its lists, by account.
    pub contacts: Vec<Contact>,
}

impl Record {
    /// A new account: empty lists, everything allowed, one group that was never given a name.
    #[must_use]
    pub fn new(handle: Handle) -> Self {
        Self {
            identity: 0,
            name: Nick::of_handle(&handle),
            handle,
            verified: true,
            version: ListVersion(1),
            privacy: Privacy::AllowOthers,
            prompt: Prompt::Ask,
            properties: Properties::default(),
            groups: Nick::new("~").map(|name| (GroupId::OTHER, name)).into_iter().collect(),
            contacts: Vec::new(),
        }
    }

    fn place(&self, who: &Handle) -> Result<usize, usize> {
        self.contacts.binary_search_by(|contact| contact.handle.cmp(who))
    }

    /// The entry of this person.
    #[must_use]
    pub fn contact(&self, who: &Handle) -> Option<&Contact> {
        self.place(who).ok().and_then(|place| self.contacts.get(place))
    }

    /// The entry of this person, with no list if there was none.
    #[must_use]
    pub(super) fn contact_or_new(&self, who: &Handle) -> Contact {
        self.contact(who).cloned().unwrap_or_else(|| Contact::new(who.clone()))
    }

    /// The people on one list, by account.
    pub fn on(&self, list: List) -> impl Iterator<Item = &Contact> {
        self.contacts.iter().filter(move |contact| contact.lists.has(list))
    }

    /// The name of a group.
    #[must_use]
    pub fn group(&self, id: GroupId) -> Option<&Nick> {
        self.groups.iter().find(|(group, _)| *group == id).map(|(_, name)| name)
    }

    /// Whether this account does not want to be seen or called by `who`: who is on the block list
    /// is blocked, who is on the allow list is not, and the privacy setting decides about others.
    #[must_use]
    pub fn blocks(&self, who: &Handle) -> bool {
        self.blocks_lists(self.contact(who).map_or(Lists::NONE, |contact| contact.lists))
    }

    /// [`Record::blocks`] for somebody who is on these lists.
    pub(super) fn blocks_lists(&self, lists: Lists) -> bool {
        blocks(self.privacy, lists)
    }

    /// Makes one change and adds one to the version; after the last number comes 1.
    pub fn apply(&mut self, edit: &Edit) {
        // A client that knows nothing says 0; no account has that version.
        self.version = ListVersion(self.version.0.checked_add(1).unwrap_or(1));
        match edit {
            Edit::Name(name) => self.name = name.clone(),
            Edit::Privacy(privacy) => self.privacy = *privacy,
            Edit::Prompt(prompt) => self.prompt = *prompt,
            Edit::Property(property, value) => self.properties.set(*property, value.clone()),
            Edit::Contact(contact) => {
                let now = self.contact(&contact.handle);
                let reverse = now.is_some_and(|entry| entry.lists.has(List::Reverse));
                let lists = match reverse {
                    true => contact.lists.with(List::Reverse),
                    false => contact.lists.without(List::Reverse),
                };
                self.put(Contact { lists, ..contact.clone() });
            }
            Edit::Group(id, name) => {
                self.groups.retain(|(group, _)| group != id);
                if let Some(name) = name {
                    let place = self.groups.partition_point(|(group, _)| group < id);
                    self.groups.insert(place, (*id, name.clone()));
                }
            }
            Edit::Reversed(who, name) => {
                let mut contact = self.contact_or_new(who);
                if contact.lists.is_empty() {
                    contact.name = name.clone();
                }
                contact.lists = contact.lists.with(List::Reverse);
                self.put(contact);
            }
            Edit::ContactProperties => {}
            Edit::Unreversed(who) => {
                let mut contact = self.contact_or_new(who);
                contact.lists = contact.lists.without(List::Reverse);
                self.put(contact);
            }
        }
    }

    /// Puts an entry in its place, or removes it if it is on no list.
    fn put(&mut self, contact: Contact) {
        match (self.place(&contact.handle), contact.lists.is_empty()) {
            (Ok(place), true) => drop(self.contacts.remove(place)),
            (Ok(place), false) => {
                if let Some(entry) = self.contacts.get_mut(place) {
                    *entry = contact;
                }
            }
            (Err(_), true) => {}
            (Err(place), false) => self.contacts.insert(place, contact),
        }
    }
}

/// The rule of who is blocked.
pub(super) fn blocks(privacy: Privacy, lists: Lists) -> bool {
    let allowed = lists.has(List::Allow) || privacy == Privacy::AllowOthers;
    lists.has(List::Block) || !allowed
}

/// Somebody on at least one list of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Who.
    pub handle: Handle,
    /// The name that the account keeps for them.
    pub name: Nick,
    /// The lists that they are on.
    pub lists: Lists,
    /// Their groups on the forward list. None is as good as group 0: see [`Contact::is_in`].
    pub groups: GroupSet,
}

impl Contact {
    /// Somebody on no list yet, under their account name.
    #[must_use]
    pub fn new(handle: Handle) -> Self {
        let name = Nick::of_handle(&handle);
        Self { handle, name, lists: Lists::NONE, groups: GroupSet::default() }
    }

    /// Whether they are in this group. Group 0 is one like the others, and who is on the forward
    /// list and in no group is in group 0.
    #[must_use]
    pub fn is_in(&self, group: GroupId) -> bool {
        self.membership().has(group)
    }

    /// Their groups as they are said: at least one for who is on the forward list, and none for
    /// others.
    pub(super) fn membership(&self) -> GroupSet {
        match (self.lists.has(List::Forward), self.groups.is_empty()) {
            (false, _) => GroupSet::default(),
            (true, true) => GroupSet::default().with(GroupId::OTHER),
            (true, false) => self.groups,
        }
    }
}

/// A set of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct GroupSet(u32);

impl GroupSet {
    /// How many groups there can be: 0 to 29.
    pub const MOST: u32 = 30;

    const fn bit(id: GroupId) -> u32 {
        if id.0 < Self::MOST { 1 << id.0 } else { 0 }
    }

    /// Whether the group is in the set.
    #[must_use]
    pub const fn has(self, id: GroupId) -> bool {
        self.0 & Self::bit(id) != 0
    }

    /// The set with one group more.
    #[must_use]
    pub const fn with(self, id: GroupId) -> Self {
        Self(self.0 | Self::bit(id))
    }

    /// The set without a group.
    #[must_use]
    pub const fn without(self, id: GroupId) -> Self {
        Self(self.0 & !Self::bit(id))
    }

    /// Whether there is no group in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The groups, lowest first.
    pub fn iter(self) -> impl Iterator<Item = GroupId> {
        (0..Self::MOST).map(GroupId).filter(move |id| self.has(*id))
    }
}

/// Phone numbers of an account and what goes with them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Properties {
    /// Home phone number, decoded.
    pub home: Option<Box<str>>,
    /// Work phone number, decoded.
    pub work: Option<Box<str>>,
    /// Mobile phone number, decoded.
    pub mobile: Option<Box<str>>,
    /// Whether others may page the mobile.
    pub pages: bool,
    /// Whether a mobile device is registered.
    pub device: bool,
}

impl Properties {
    /// Nothing set.
    pub(super) const fn none() -> Self {
        Self { home: None, work: None, mobile: None, pages: false, device: false }
    }

    /// The value as it is said on the wire; none if it is empty.
    #[must_use]
    pub fn value(&self, property: Property) -> Option<Name<'_>> {
        let yes_no = |yes: bool| Name::from_text(if yes { "Y" } else { "N" });
        match property {
            Property::HomePhone => self.home.as_deref().and_then(Name::from_text),
            Property::WorkPhone => self.work.as_deref().and_then(Name::from_text),
            Property::MobilePhone => self.mobile.as_deref().and_then(Name::from_text),
            Property::MobilePages => yes_no(self.pages),
            Property::MobileDevice => yes_no(self.device),
        }
    }

    /// Sets a value: a text for phone numbers, `Y` or anything else for the other two.
    pub fn set(&mut self, property: Property, value: Option<Box<str>>) {
        let yes = value.as_deref() == Some("Y");
        match property {
            Property::HomePhone => self.home = value,
            Property::WorkPhone => self.work = value,
            Property::MobilePhone => self.mobile = value,
            Property::MobilePages => self.pages = yes,
            Property::MobileDevice => self.device = yes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handle(text: &str) -> Handle {
        Handle::new(text).unwrap()
    }

    fn with(lists: Lists, privacy: Privacy) -> Record {
        let mut record = Record::new(handle("alice@example.net"));
        record.privacy = privacy;
        record.apply(&Edit::Contact(Contact { lists, ..Contact::new(handle("bob@example.net")) }));
        record
    }

    #[test]
    fn block_list_wins_then_allow_list_then_the_setting() {
        let bob = handle("BOB@example.net");
        let allow = Lists::NONE.with(List::Allow);
        let block = Lists::NONE.with(List::Block);
        for (lists, privacy, blocked) in [
            (Lists::NONE, Privacy::AllowOthers, false),
            (Lists::NONE, Privacy::BlockOthers, true),
            (allow, Privacy::BlockOthers, false),
            (block, Privacy::AllowOthers, true),
            (allow.with(List::Block), Privacy::AllowOthers, true),
        ] {
            assert_eq!(with(lists, privacy).blocks(&bob), blocked, "{lists:?} {privacy:?}");
        }
    }

    #[test]
    fn an_entry_without_lists_is_none_and_every_change_counts() {
        let mut record = with(Lists::NONE.with(List::Forward), Privacy::AllowOthers);
        let bob = handle("bob@example.net");
        record.apply(&Edit::Reversed(bob.clone(), Nick::new("Bob").unwrap()));
        assert_eq!(record.contact(&bob).unwrap().name.as_str(), "bob@example.net");
        record.apply(&Edit::Contact(Contact {
            lists: Lists::NONE.with(List::Reverse),
            ..record.contact_or_new(&bob)
        }));
        assert_eq!(record.on(List::Forward).count(), 0);
        record.apply(&Edit::Unreversed(bob.clone()));
        assert_eq!(record.contact(&bob), None);
        assert_eq!(record.version, ListVersion(5));
    }
}
