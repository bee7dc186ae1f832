//! Tables of things that come and go, and the agenda of what is due when.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::calls::CookieKey;
use crate::machine::ConnId;
use crate::time::Instant;

/// Names one thing in a [`Slots`]. Never used twice: a place that is used again has another
/// generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SlotId {
    pub(super) slot: u32,
    pub(super) generation: u32,
}

impl From<ConnId> for SlotId {
    fn from(conn: ConnId) -> Self {
        Self { slot: conn.slot(), generation: conn.generation() }
    }
}

impl From<SlotId> for ConnId {
    fn from(id: SlotId) -> Self {
        Self::new(id.slot, id.generation)
    }
}

struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

/// A table with places that are used again.
pub(super) struct Slots<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

impl<T> Slots<T> {
    pub(super) const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }

    /// How many things there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len().saturating_sub(self.free.len())
    }

    pub(super) fn insert(&mut self, value: T) -> SlotId {
        if let Some(slot) = self.free.pop() {
            if let Some(place) = self.slots.get_mut(slot as usize) {
                place.value = Some(value);
                return SlotId { slot, generation: place.generation };
            }
        }
        let slot = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.slots.push(Slot { generation: 0, value: Some(value) });
        SlotId { slot, generation: 0 }
    }

    #[inline]
    pub(super) fn get(&self, id: SlotId) -> Option<&T> {
        let place = self.slots.get(id.slot as usize)?;
        if place.generation == id.generation { place.value.as_ref() } else { None }
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: SlotId) -> Option<&mut T> {
        let place = self.slots.get_mut(id.slot as usize)?;
        if place.generation == id.generation { place.value.as_mut() } else { None }
    }

    pub(super) fn remove(&mut self, id: SlotId) -> Option<T> {
        let place = self.slots.get_mut(id.slot as usize)?;
        if place.generation != id.generation {
            return None;
        }
        let value = place.value.take()?;
        // A place whose generations are used up is never used again.
        if let Some(next) = place.generation.checked_add(1) {
            place.generation = next;
            self.free.push(id.slot);
        }
        Some(value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (SlotId, &T)> {
        self.slots.iter().zip(0..).filter_map(|(place, slot)| {
            place.value.as_ref().map(|value| (SlotId { slot, generation: place.generation }, value))
        })
    }
}

/// What is to be done when its time comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Task {
    /// A connection's own deadline: signing in, answering a challenge, the next challenge.
    Session(SlotId),
    /// A connection that asked too much may be read again.
    Resume(SlotId),
    /// A switchboard has been quiet.
    Room(SlotId),
    /// A cookie is stale.
    Cookie(CookieKey),
}

/// What is due when.
pub(super) struct Agenda(BTreeSet<(Instant, Task)>);

impl Agenda {
    pub(super) const fn new() -> Self {
        Self(BTreeSet::new())
    }

    /// Sets or clears a task's time; `slot` remembers it.
    pub(super) fn set(&mut self, slot: &mut Option<Instant>, task: Task, at: Option<Instant>) {
        if let Some(old) = slot.take() {
            self.0.remove(&(old, task));
        }
        if let Some(at) = at {
            self.0.insert((at, task));
            *slot = Some(at);
        }
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }

    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Task> {
        let due = self.0.first().is_some_and(|(at, _)| *at <= now);
        if due { self.0.pop_first().map(|(_, task)| task) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_used_again_has_another_name() {
        let mut slots = Slots::new();
        let first = slots.insert('a');
        assert_eq!(slots.remove(first), Some('a'));
        let second = slots.insert('b');
        assert_eq!(first.slot, second.slot);
        assert_eq!(slots.get(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.get(second), Some(&'b'));
        assert_eq!(slots.len(), 1);
        assert_eq!(slots.iter().collect::<Vec<_>>(), [(second, &'b')]);
    }
}
