//! A bounded table that knows which of its entries is the oldest.
//!
//! This module knows keys and ages. Entries that are over give way first, then those that were not
//! touched for the longest time; every operation takes the same time whatever the size.

use std::collections::HashMap;
use std::hash::Hash;

/// Entries by key, at most a fixed number.
#[derive(Debug)]
pub(super) struct Table<K, T> {
    index: HashMap<K, usize>,
    /// The entry that was looked up last: most packets belong to the connection of the one before.
    last: Option<(K, usize)>,
    slots: Vec<Slot<K, T>>,
    free: Vec<usize>,
    live: List,
    over: List,
    limit: usize,
}

#[derive(Debug)]
struct Slot<K, T> {
    key: K,
    /// `None` once it is over.
    entry: Option<T>,
    older: Option<usize>,
    newer: Option<usize>,
}

/// Slots by age.
#[derive(Clone, Copy, Debug, Default)]
struct List {
    oldest: Option<usize>,
    newest: Option<usize>,
}

/// What a key leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry<'a, T> {
    Live(&'a mut T),
    /// It was there, and is over.
    Over,
    None,
}

impl<K: Clone + Eq + Hash, T> Table<K, T> {
    /// An empty table of at least one entry.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            index: HashMap::new(),
            last: None,
            slots: Vec::new(),
            free: Vec::new(),
            live: List::default(),
            over: List::default(),
            limit: limit.max(1),
        }
    }

    /// Looks an entry up, which makes it the youngest.
    pub(super) fn get(&mut self, key: &K) -> Entry<'_, T> {
        let Some(slot) = self.slot_of(key) else { return Entry::None };
        let is_live = self.slots.get(slot).is_some_and(|slot| slot.entry.is_some());
        if is_live && self.live.newest != Some(slot) {
            self.unlink(slot);
            self.link(slot);
        }
        match self.slots.get_mut(slot).and_then(|slot| slot.entry.as_mut()) {
            Some(entry) => Entry::Live(entry),
            None => Entry::Over,
        }
    }

    /// Adds an entry in place of one of the same key. If the table is full the oldest entry is
    /// returned; if that was not over, it is now.
    pub(super) fn insert(&mut self, key: K, entry: T) -> Option<T> {
        let same = self.remove(&key);
        let full = self.index.len() >= self.limit;
        let forced_out = match self.over.oldest {
            _ if !full => None,
            Some(slot) => self.remove_slot(slot),
            None => self.remove_oldest(),
        };
        let fresh = Slot { key: key.clone(), entry: Some(entry), older: None, newer: None };
        let slot = match self.free.pop() {
            Some(slot) => {
                if let Some(old) = self.slots.get_mut(slot) {
                    *old = fresh;
                }
                slot
            }
            None => {
                self.slots.push(fresh);
                self.slots.len() - 1
            }
        };
        self.index.insert(key, slot);
        self.link(slot);
        same.or(forced_out)
    }

    /// Takes an entry out and remembers that it is over.
    pub(super) fn finish(&mut self, key: &K) -> Option<T> {
        let slot = self.slot_of(key)?;
        self.unlink(slot);
        let entry = self.slots.get_mut(slot).and_then(|slot| slot.entry.take());
        self.link(slot);
        entry
    }

    /// Takes out the oldest entry that is not over, and forgets it.
    pub(super) fn remove_oldest(&mut self) -> Option<T> {
        self.live.oldest.and_then(|slot| self.remove_slot(slot))
    }

    /// Takes all entries out that are not over, in no order.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = T> + use<K, T> {
        self.index.clear();
        self.last = None;
        self.free.clear();
        (self.live, self.over) = (List::default(), List::default());
        std::mem::take(&mut self.slots).into_iter().filter_map(|slot| slot.entry)
    }

    fn slot_of(&mut self, key: &K) -> Option<usize> {
        match &self.last {
            Some((last, slot)) if last == key => Some(*slot),
            _ => {
                let slot = *self.index.get(key)?;
                self.last = Some((key.clone(), slot));
                Some(slot)
            }
        }
    }

    fn remove(&mut self, key: &K) -> Option<T> {
        let slot = self.index.remove(key)?;
        self.last = None;
        self.unlink(slot);
        self.free.push(slot);
        self.slots.get_mut(slot).and_then(|slot| slot.entry.take())
    }

    fn remove_slot(&mut self, slot: usize) -> Option<T> {
        let key = self.slots.get(slot)?.key.clone();
        self.remove(&key)
    }

    fn list_of(&mut self, slot: usize) -> &mut List {
        let is_live = self.slots.get(slot).is_some_and(|slot| slot.entry.is_some());
        if is_live { &mut self.live } else { &mut self.over }
    }

    /// Makes a slot the youngest of its list.
    fn link(&mut self, slot: usize) {
        let before = self.list_of(slot).newest.replace(slot);
        match before {
            Some(before) => self.set_newer(before, Some(slot)),
            None => self.list_of(slot).oldest = Some(slot),
        }
        if let Some(slot) = self.slots.get_mut(slot) {
            (slot.older, slot.newer) = (before, None);
        }
    }

    /// Takes a slot out of its list.
    fn unlink(&mut self, slot: usize) {
        let Some(links) = self.slots.get(slot) else { return };
        let (older, newer) = (links.older, links.newer);
        match older {
            Some(older) => self.set_newer(older, newer),
            None => self.list_of(slot).oldest = newer,
        }
        match newer {
            Some(newer) => self.set_older(newer, older),
            None => self.list_of(slot).newest = older,
        }
    }

    fn set_newer(&mut self, slot: usize, newer: Option<usize>) {
        if let Some(slot) = self.slots.get_mut(slot) {
            slot.newer = newer;
        }
    }

    fn set_older(&mut self, slot: usize, older: Option<usize>) {
        if let Some(slot) = self.slots.get_mut(slot) {
            slot.older = older;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_over_gives_way_first_and_then_the_longest_untouched() {
        let mut table = Table::new(3);
        for key in 1..=3 {
            assert_eq!(table.insert(key, key * 10), None);
        }
        assert_eq!(table.get(&1), Entry::Live(&mut 10));
        assert_eq!(table.finish(&3), Some(30));
        assert_eq!(table.get(&3), Entry::Over);
        // 3 is the youngest, but over.
        assert_eq!(table.insert(4, 40), None);
        assert_eq!(table.get(&3), Entry::None);
        assert_eq!(table.insert(5, 50), Some(20));
        assert_eq!(table.get(&2), Entry::None);
        assert_eq!(table.insert(5, 51), Some(50));
        let mut left: Vec<_> = table.drain().collect();
        left.sort_unstable();
        assert_eq!(left, [10, 40, 51]);
        assert_eq!(table.get(&1), Entry::None);
    }

    proptest! {
        /// Beside a plain list in the order of age.
        #[test]
        fn behaves_as_a_list(steps in prop::collection::vec((0_u8..4, 0_u8..8), 0..200)) {
            const LIMIT: usize = 4;
            let mut table = Table::new(LIMIT);
            let mut live: Vec<(u8, usize)> = Vec::new();
            let mut over: Vec<u8> = Vec::new();
            for (number, (what, key)) in steps.into_iter().enumerate() {
                let place = live.iter().position(|(live, _)| *live == key);
                match what {
                    0 => {
                        let same = place.map(|place| live.remove(place).1);
                        over.retain(|over| *over != key);
                        let full = live.len() + over.len() >= LIMIT;
                        let oldest = if !full {
                            None
                        } else if over.is_empty() {
                            Some(live.remove(0).1)
                        } else {
                            over.remove(0);
                            None
                        };
                        live.push((key, number));
                        prop_assert_eq!(table.insert(key, number), same.or(oldest));
                    }
                    1 => {
                        let ended = place.map(|place| live.remove(place).1);
                        let again = over.iter().position(|over| *over == key);
                        if let Some(again) = again {
                            over.remove(again);
                        }
                        if ended.is_some() || again.is_some() {
                            over.push(key);
                        }
                        prop_assert_eq!(table.finish(&key), ended);
                    }
                    2 => {
                        let oldest = (!live.is_empty()).then(|| live.remove(0).1);
                        prop_assert_eq!(table.remove_oldest(), oldest);
                    }
                    _ => {
                        let found = place.map(|place| live.remove(place));
                        live.extend(found);
                        let mut found = found.map(|(_, number)| number);
                        let expected = match &mut found {
                            Some(number) => Entry::Live(number),
                            None if over.contains(&key) => Entry::Over,
                            None => Entry::None,
                        };
                        prop_assert_eq!(table.get(&key), expected);
                    }
                }
            }
            live.sort_by_key(|(_, number)| *number);
            let mut left: Vec<usize> = table.drain().collect();
            left.sort_unstable();
            prop_assert_eq!(left, live.into_iter().map(|(_, number)| number).collect::<Vec<_>>());
        }
    }
}
