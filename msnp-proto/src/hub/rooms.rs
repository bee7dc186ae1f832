//! Switchboards: who is in, and what is said.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::arena::{SlotId, Task};
use super::calls::CookieKey;
use super::event::Why;
use super::{Directory, Hub};
use crate::machine::Shutdown;
use crate::sb::server::acknowledgement;
use crate::sb::{Reply, Request};
use crate::time::Instant;
use crate::types::{Account, Delivery, Handle, Name, Nick, Number, Token, TrId};
use crate::wire::{Body, Frame, Parsed, write_decimal};

/// One switchboard.
pub(super) struct Room {
    /// How it is called to those who are to join.
    pub(super) number: u32,
    /// Who is in, in the order of their coming.
    pub(super) seats: Vec<Seat>,
    /// Who was called and can still come.
    pub(super) ringing: Vec<(CookieKey, Handle)>,
    said: Instant,
    due: Option<Instant>,
}

/// One person's place.
pub(super) struct Seat {
    pub(super) conn: SlotId,
    pub(super) handle: Handle,
    /// Their name as it was when they came.
    pub(super) name: Nick,
    /// Calls of theirs in a row that reached nobody.
    pub(super) failed_calls: u8,
    /// The line of every message of theirs, up to its length.
    prefix: Box<[u8]>,
}

impl Room {
    pub(super) const fn new(number: u32, now: Instant) -> Self {
        Self { number, seats: Vec::new(), ringing: Vec::new(), said: now, due: None }
    }

    /// Gives somebody the last place.
    pub(super) fn sit(&mut self, conn: SlotId, handle: &Handle, name: &Nick) -> usize {
        let mut prefix = Vec::new();
        let (account, as_name) = (Account::from(handle), Name::from(name));
        Reply::Msg { account, name: as_name, body: Body(&[]) }.encode(&mut prefix);
        // The length of the empty body, and the line end.
        prefix.truncate(prefix.len().saturating_sub(b"0\r\n".len()));
        let (handle, name) = (handle.clone(), name.clone());
        let seat = self.seats.len();
        self.seats.push(Seat { conn, handle, name, failed_calls: 0, prefix: prefix.into() });
        seat
    }
}

impl<D: Directory> Hub<D> {
    /// Takes a frame of somebody in a switchboard.
    #[inline]
    pub(super) fn on_talk(
        &mut self,
        now: Instant,
        conn: SlotId,
        room: SlotId,
        seat: usize,
        frame: Frame<'_>,
    ) {
        match Request::parse(frame) {
            Ok(Parsed::Command(_, extra)) if self.is_excess(now, conn, frame, extra) => {}
            Ok(Parsed::Command(request, _)) => {
                self.forgive(conn);
                match request {
                    Request::Msg { trid, delivery, body } => {
                        self.relay(now, conn, room, seat, (trid, delivery, body));
                    }
                    Request::Cal { trid, account } => {
                        self.on_call(now, conn, room, seat, trid, account);
                    }
                    Request::Out {} => self.end(now, conn, Why::Left, Shutdown::Flush),
                    Request::Usr { trid, .. } | Request::Ans { trid, .. } => {
                        self.end_unexpected(now, conn, request.verb(), Some(trid));
                    }
                }
            }
            Ok(Parsed::Unknown(frame)) => match frame.verb() {
                // Some clients ask for a sign of life here too.
                Some(verb) if verb.as_bytes() == b"PNG" => self.forgive(conn),
                _ => self.on_unknown(now, conn, frame),
            },
            Err(error) => self.on_unreadable(now, conn, frame, error),
        }
    }

    /// Hands a message to everybody else, byte for byte.
    fn relay(
        &mut self,
        now: Instant,
        conn: SlotId,
        room: SlotId,
        seat: usize,
        (trid, delivery, body): (TrId, Delivery, Body<'_>),
    ) {
        let Some(room) = self.rooms.get_mut(room) else { return };
        room.said = now;
        let Some(sender) = room.seats.get(seat) else { return };
        // The length and the line end behind it.
        self.scratch.clear();
        write_decimal(body.0.len() as u64, &mut self.scratch);
        self.scratch.extend_from_slice(b"\r\n");
        let mut delivered = room.seats.len() > 1;
        for (other, place) in room.seats.iter().zip(0..) {
            if place != seat {
                delivered &= self.lines.push(other.conn, [&sender.prefix, &self.scratch, body.0]);
            }
        }
        self.stats.messages = self.stats.messages.saturating_add(1);
        if let Some(reply) = acknowledgement(trid, delivery, delivered) {
            self.lines.say(conn, |out| reply.encode(out));
        }
    }

    /// Lets somebody in who was called: they are told who is there, then the others are told.
    pub(super) fn join_room(
        &mut self,
        now: Instant,
        conn: SlotId,
        person: SlotId,
        room_id: SlotId,
        trid: TrId,
    ) {
        let Some(room) = self.rooms.get(room_id) else { return };
        let total = Number(u32::try_from(room.seats.len()).unwrap_or(u32::MAX));
        self.lines.say(conn, |out| {
            for (seat, index) in room.seats.iter().zip(1..) {
                let (account, name) = (Account::from(&seat.handle), Some(Name::from(&seat.name)));
                Reply::Iro { trid, index: Number(index), total, account, name }.encode(out);
            }
            Reply::AnsOk { trid }.encode(out);
        });
        self.seat(conn, person, room_id);
        let Some(room) = self.rooms.get(room_id) else { return };
        if let Some((newcomer, others)) = room.seats.split_last() {
            self.scratch.clear();
            let name = Some(Name::from(&newcomer.name));
            Reply::Joi { account: Account::from(&newcomer.handle), name }.encode(&mut self.scratch);
            for other in others {
                self.lines.push(other.conn, [&self.scratch, &[], &[]]);
            }
        }
        self.wait_for_company(now, room_id);
    }

    /// Takes somebody out of a switchboard and tells the rest. The last one takes it with them.
    pub(super) fn leave(
        &mut self,
        now: Instant,
        conn: SlotId,
        room_id: SlotId,
        seat: usize,
        person: SlotId,
        why: Why,
    ) {
        if let Some(person) = self.people.get_mut(person) {
            person.seats.retain(|other| *other != conn);
        }
        let Some(room) = self.rooms.get_mut(room_id) else { return };
        if room.seats.get(seat).is_none_or(|seat| seat.conn != conn) {
            return;
        }
        let left = room.seats.remove(seat);
        let idle = Token::new(b"1").filter(|_| why == Why::Idle);
        self.scratch.clear();
        Reply::Bye { account: Account::from(&left.handle), idle }.encode(&mut self.scratch);
        for (other, place) in room.seats.iter().zip(0..) {
            if !self.stopping {
                self.lines.push(other.conn, [&self.scratch, &[], &[]]);
            }
            if let Some(session) = self.lines.sessions.get_mut(other.conn) {
                session.move_to(place);
            }
        }
        if room.seats.is_empty() {
            if let Some(mut room) = self.rooms.remove(room_id) {
                self.agenda.set(&mut room.due, Task::Room(room_id), None);
                for (key, _) in room.ringing {
                    self.forget_cookie(key);
                }
            }
        } else {
            self.wait_for_company(now, room_id);
        }
    }

    /// Sets how long a switchboard may stay as it is now: alone, or silent.
    pub(super) fn wait_for_company(&mut self, now: Instant, room_id: SlotId) {
        let Some(room) = self.rooms.get_mut(room_id) else { return };
        let limits = &self.config.limits;
        room.said = now;
        let wait = if room.seats.len() < 2 { Some(limits.alone) } else { limits.silence };
        self.agenda.set(&mut room.due, Task::Room(room_id), wait.map(|wait| now + wait));
    }

    /// A switchboard has been alone or silent for its time, unless something was said meanwhile.
    pub(super) fn on_room_due(&mut self, now: Instant, room_id: SlotId) {
        let Some(room) = self.rooms.get_mut(room_id) else { return };
        room.due = None;
        let limits = &self.config.limits;
        if room.seats.len() > 1 {
            let Some(silence) = limits.silence else { return };
            let until = room.said + silence;
            if until > now {
                return self.agenda.set(&mut room.due, Task::Room(room_id), Some(until));
            }
        }
        let conns: Vec<SlotId> = room.seats.iter().map(|seat| seat.conn).collect();
        for conn in conns {
            self.end(now, conn, Why::Idle, Shutdown::Flush);
        }
    }
}
