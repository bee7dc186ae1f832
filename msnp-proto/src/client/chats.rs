//! Chats: what outlives a switchboard.
//!
//! A chat knows whom it is with, which texts wait for them, and which connection it has now. What
//! happens on that connection it hears from the client.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use super::{ChatId, MessageId};
use crate::machine::ConnId;
use crate::time::Instant;
use crate::types::{Delivery, Handle};

/// All chats of a client.
#[derive(Debug, Default)]
pub(super) struct Chats {
    chats: BTreeMap<ChatId, Chat>,
    last: u32,
}

#[derive(Debug)]
pub(super) struct Chat {
    /// Whom to call when a switchboard opens: who was asked for, or who was there last.
    pub(super) people: Vec<Handle>,
    /// Who was asked for while we were on our way into a switchboard of somebody else.
    pub(super) invited: Vec<Handle>,
    pub(super) line: Line,
    pub(super) waiting: VecDeque<Waiting>,
    used: Instant,
}

/// How a chat stands with its switchboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// It has none; the next text asks for one.
    None,
    /// The notification server was asked for one.
    Asked,
    /// It has this connection, open or on its way.
    Conn(ConnId),
}

/// A text that nobody is there for yet.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) message: MessageId,
    pub(super) delivery: Delivery,
    pub(super) payload: Vec<u8>,
    /// Nobody else may hear it.
    pub(super) only: Option<Handle>,
}

impl Chats {
    /// A new chat. At the limit the one that was used least lately and has no switchboard makes
    /// room; `None` if all have one.
    pub(super) fn open(&mut self, now: Instant, with: Handle, limit: usize) -> Option<ChatId> {
        if self.chats.len() >= limit {
            let idle = |chat: &Chat| chat.line == Line::None && chat.waiting.is_empty();
            let oldest = self.chats.iter().filter(|(_, chat)| idle(chat));
            let oldest = oldest.min_by_key(|(_, chat)| chat.used).map(|(id, _)| *id)?;
            self.chats.remove(&oldest);
        }
        self.last = self.last.wrapping_add(1);
        let id = ChatId(self.last);
        let chat = Chat {
            people: [with].to_vec(),
            invited: Vec::new(),
            line: Line::None,
            waiting: VecDeque::new(),
            used: now,
        };
        self.chats.insert(id, chat);
        Some(id)
    }

    pub(super) fn get(&self, id: ChatId) -> Option<&Chat> {
        self.chats.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: ChatId) -> Option<&mut Chat> {
        self.chats.get_mut(&id)
    }

    pub(super) fn remove(&mut self, id: ChatId) -> Option<Chat> {
        self.chats.remove(&id)
    }

    pub(super) fn ids(&self) -> Vec<ChatId> {
        self.chats.keys().copied().collect()
    }

    /// Chats that are with this person alone.
    pub(super) fn alone_with(&self, who: &Handle) -> impl Iterator<Item = ChatId> {
        let alone = move |chat: &Chat| matches!(&chat.people[..], [only] if only == who);
        self.chats.iter().filter(move |(_, chat)| alone(chat)).map(|(id, _)| *id)
    }

    /// One of them without a switchboard.
    pub(super) fn dormant_with(&self, who: &Handle) -> Option<ChatId> {
        let is_dormant = |id: &ChatId| self.get(*id).is_some_and(|chat| chat.line == Line::None);
        self.alone_with(who).find(is_dormant)
    }
}

impl Chat {
    pub(super) fn touch(&mut self, now: Instant) {
        self.used = now;
    }

    pub(super) fn add_person(&mut self, who: &Handle) {
        if !self.people.contains(who) {
            self.people.push(who.clone());
        }
    }

    /// Somebody left; the last one stays as the one to call again.
    pub(super) fn remove_person(&mut self, who: &Handle) {
        if self.people.len() > 1 {
            self.people.retain(|person| person != who);
        }
    }
}
