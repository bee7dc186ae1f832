//! The connections of a client: a table of machines by id.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::ChatId;
use super::transfers::{Peer, TransferId};
use crate::machine::{ConnId, Machine, Target};
use crate::ns::Notification;
use crate::sb::Switchboard;
use crate::secret::Secret;
use crate::time::Instant;

/// A table whose places are used again under a new generation.
#[derive(Debug, Default)]
pub(super) struct Conns {
    slots: Vec<Slot>,
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    conn: Option<Conn>,
}

#[derive(Debug)]
pub(super) struct Conn {
    pub(super) role: Role,
    /// A notice about pending bytes is in the queue of outputs.
    pub(super) announced: bool,
    /// The driver has been told to close it.
    pub(super) closing: bool,
    /// What is pending waits for the application.
    pub(super) held: bool,
}

#[derive(Debug)]
pub(super) enum Role {
    /// On its way to a dispatch or notification server.
    ToNotification(Target),
    Notification(Box<Notification>),
    /// On its way to a switchboard.
    ToSwitchboard(ChatId, Entry),
    Switchboard(ChatId, Box<Switchboard>),
    /// On its way to somebody with whom a file is exchanged.
    ToPeer(TransferId),
    Peer(TransferId, Box<Peer>),
}

impl Role {
    /// When its machine wants to hear of the time next.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        match self {
            Self::Notification(machine) => machine.next_deadline(),
            Self::Switchboard(_, machine) => machine.next_deadline(),
            Self::Peer(_, machine) => machine.next_deadline(),
            Self::ToNotification(_) | Self::ToSwitchboard(..) | Self::ToPeer(_) => None,
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        match self {
            Self::Notification(machine) => machine.handle_timeout(now),
            Self::Switchboard(_, machine) => machine.handle_timeout(now),
            Self::Peer(_, machine) => machine.handle_timeout(now),
            Self::ToNotification(_) | Self::ToSwitchboard(..) | Self::ToPeer(_) => {}
        }
    }

    pub(super) fn handle_eof(&mut self, now: Instant) {
        match self {
            Self::Notification(machine) => machine.handle_eof(now),
            Self::Switchboard(_, machine) => machine.handle_eof(now),
            Self::Peer(_, machine) => machine.handle_eof(now),
            Self::ToNotification(_) | Self::ToSwitchboard(..) | Self::ToPeer(_) => {}
        }
    }

    /// Bytes to write.
    pub(super) fn pending(&self) -> &[u8] {
        match self {
            Self::Notification(machine) => machine.pending(),
            Self::Switchboard(_, machine) => machine.pending(),
            Self::Peer(_, machine) => machine.pending(),
            Self::ToNotification(_) | Self::ToSwitchboard(..) | Self::ToPeer(_) => &[],
        }
    }

    pub(super) fn consume(&mut self, now: Instant, written: usize) {
        match self {
            Self::Notification(machine) => machine.consume(now, written),
            Self::Switchboard(_, machine) => machine.consume(now, written),
            Self::Peer(_, machine) => machine.consume(now, written),
            Self::ToNotification(_) | Self::ToSwitchboard(..) | Self::ToPeer(_) => {}
        }
    }

    /// Whether its machine is done.
    pub(super) fn is_finished(&self) -> bool {
        match self {
            Self::Notification(machine) => machine.is_finished(),
            Self::Switchboard(_, machine) => machine.is_finished(),
            Self::Peer(_, machine) => machine.is_finished(),
            Self::ToNotification(_) | Self::ToSwitchboard(..) | Self::ToPeer(_) => false,
        }
    }
}

/// How to enter a switchboard.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    /// It was asked for.
    Calling(Secret),
    /// Somebody called us to this session.
    Answering(Secret, String),
}

impl Conns {
    pub(super) fn insert(&mut self, role: Role) -> ConnId {
        let conn = Some(Conn { role, announced: false, closing: false, held: false });
        let free = self.slots.iter().position(|slot| slot.conn.is_none());
        let place = free.unwrap_or(self.slots.len());
        let generation = match self.slots.get_mut(place) {
            Some(slot) => {
                slot.conn = conn;
                slot.generation
            }
            None => {
                self.slots.push(Slot { generation: 0, conn });
                0
            }
        };
        ConnId::new(u32::try_from(place).unwrap_or(u32::MAX), generation)
    }

    pub(super) fn get(&self, id: ConnId) -> Option<&Conn> {
        let slot = self.slots.get(id.slot() as usize)?;
        slot.conn.as_ref().filter(|_| slot.generation == id.generation())
    }

    pub(super) fn get_mut(&mut self, id: ConnId) -> Option<&mut Conn> {
        let slot = self.slots.get_mut(id.slot() as usize)?;
        slot.conn.as_mut().filter(|_| slot.generation == id.generation())
    }

    pub(super) fn remove(&mut self, id: ConnId) -> Option<Conn> {
        self.get(id)?;
        let slot = self.slots.get_mut(id.slot() as usize)?;
        slot.generation = slot.generation.wrapping_add(1);
        slot.conn.take()
    }

    /// All connections.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ConnId, &Conn)> {
        self.slots.iter().enumerate().filter_map(|(place, slot)| {
            let id = ConnId::new(u32::try_from(place).unwrap_or(u32::MAX), slot.generation);
            slot.conn.as_ref().map(|conn| (id, conn))
        })
    }

    pub(super) fn ids(&self) -> Vec<ConnId> {
        self.iter().map(|(id, _)| id).collect()
    }
}
