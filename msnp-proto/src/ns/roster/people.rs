//! Everybody who is on a list, found by account.
//!
//! It knows in which order they came, since a server goes through them in the same order for each
//! list and property: whom a line is about mostly stands behind whom the last one was about, and
//! is found there with one comparison. It does not know what a list is.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::Contact;
use crate::types::{Account, Handle};

#[derive(Clone, Debug)]
pub(super) struct People {
    /// In the order in which they came, until one goes.
    people: Vec<Contact>,
    places: BTreeMap<Handle, usize>,
    /// Where the one before was found.
    last: usize,
}

impl People {
    pub(super) const fn new() -> Self {
        Self { people: Vec::new(), places: BTreeMap::new(), last: 0 }
    }

    pub(super) fn get(&self, account: &Handle) -> Option<&Contact> {
        self.people.get(*self.places.get(account)?)
    }

    pub(super) fn get_mut(&mut self, account: Account<'_>) -> Option<&mut Contact> {
        self.last = self.near(account).or_else(|| self.place(account))?;
        self.people.get_mut(self.last)
    }

    /// Whether it is the one behind the last one, or the last one again.
    fn near(&self, account: Account<'_>) -> Option<usize> {
        let next = self.last.saturating_add(1);
        [next, self.last].into_iter().find(|place| {
            let there = self.people.get(*place);
            there.is_some_and(|one| one.account.as_str().as_bytes() == account.as_bytes())
        })
    }

    fn place(&self, account: Account<'_>) -> Option<usize> {
        self.places.get(account.folded()?.as_bytes()).copied()
    }

    /// Puts in somebody who is not there.
    pub(super) fn insert(&mut self, contact: Contact) {
        self.last = self.people.len();
        self.places.insert(contact.account.clone(), self.last);
        self.people.push(contact);
    }

    pub(super) fn remove(&mut self, account: &Handle) {
        let Some(place) = self.places.remove(account) else { return };
        if place < self.people.len() {
            self.people.swap_remove(place);
        }
        if let Some(moved) = self.people.get(place) {
            self.places.insert(moved.account.clone(), place);
        }
    }

    pub(super) fn retain(&mut self, stays: impl Fn(&Contact) -> bool) {
        self.people.retain(stays);
        let places = self.people.iter().enumerate();
        self.places = places.map(|(place, one)| (one.account.clone(), place)).collect();
    }

    /// By account.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Handle, &Contact)> {
        let places = self.places.iter();
        places.filter_map(|(account, place)| Some((account, self.people.get(*place)?)))
    }

    /// In no order.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Contact> {
        self.people.iter_mut()
    }
}

/// The order in which they came does not count.
impl PartialEq for People {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for People {}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use crate::ns::Roster;
    use crate::types::{Account, List, Lists};

    /// A spelling of one of a few accounts.
    fn account() -> impl Strategy<Value = String> {
        "[a-eA-E]@example\\.net"
    }

    fn list() -> impl Strategy<Value = List> {
        prop::sample::select(&[List::Forward, List::Allow, List::Block, List::Reverse])
    }

    #[derive(Clone, Debug)]
    enum Step {
        Add(List, String),
        Remove(List, String),
        Clear(List),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (list(), account()).prop_map(|(list, who)| Step::Add(list, who)),
            3 => (list(), account()).prop_map(|(list, who)| Step::Remove(list, who)),
            1 => list().prop_map(Step::Clear),
        ]
    }

    proptest! {
        #[test]
        fn everybody_is_found_whatever_order_they_come_and_go_in(
            steps in prop::collection::vec(step(), 0..60),
        ) {
            let mut roster = Roster::new();
            let mut model = BTreeMap::<String, Lists>::new();
            for step in steps {
                match step {
                    Step::Add(list, who) => {
                        let account = Account::new(who.as_bytes()).expect("a word");
                        prop_assert!(roster.add(1000, list, account, None, None).is_ok());
                        let lists = model.entry(who.to_lowercase()).or_insert(Lists::NONE);
                        *lists = lists.with(list);
                    }
                    Step::Remove(list, who) => {
                        let account = Account::new(who.as_bytes()).expect("a word");
                        let known = roster.remove(list, account, None).is_some();
                        let lists = model.entry(who.to_lowercase()).or_insert(Lists::NONE);
                        prop_assert_eq!(known, lists.has(list));
                        *lists = lists.without(list);
                    }
                    Step::Clear(list) => {
                        roster.clear_list(list);
                        model.values_mut().for_each(|lists| *lists = lists.without(list));
                    }
                }
                model.retain(|_, lists| !lists.is_empty());
                let people = roster.contacts();
                let people: Vec<_> = people
                    .map(|(who, contact)| (who.to_string().to_lowercase(), contact.lists()))
                    .collect();
                prop_assert_eq!(people, model.clone().into_iter().collect::<Vec<_>>());
                for who in roster.contacts().map(|(who, _)| who) {
                    prop_assert!(roster.contact(who).is_some());
                }
            }
        }
    }
}
