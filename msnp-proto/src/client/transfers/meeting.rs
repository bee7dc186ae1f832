//! How the two sides find each other: listening, dialling, and the one connection that wins.
//!
//! This room knows sockets and cookies of transfers. Blocks of files are the business of
//! [`ftp`](crate::ftp).

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use super::peer::PeerEvent;
use super::{Peer, State, Transfer, TransferChange, TransferEnd, TransferId};
use crate::body::invite::{write_accept, write_meeting};
use crate::client::conns::Role;
use crate::client::{Client, Event, Failure};
use crate::error::Misuse;
use crate::ftp::{End, FileWaits, Meeting, Receiver, Sender, Terms};
use crate::machine::{ConnId, ListenerId, Output, Target};
use crate::time::{Duration, Instant};
use crate::types::{ErrorCode, Handle};

/// A listening socket of ours, open or on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listening {
    pub(super) id: ListenerId,
    /// The port that is tried, 0 for any.
    tried: u16,
    /// The port that it has.
    port: Option<u16>,
}

/// The ports of the official client; one for each of ten files at a time.
const FIRST_PORT: u16 = 6891;
const LAST_PORT: u16 = 6900;

/// Connections to one listener that may be open at once.
const CALLERS: usize = 5;

/// Who did not know the cookie, after which nobody else is listened to.
const STRANGERS: u8 = 3;

impl Client {
    /// Tells the other side that we take its file, and what to do for a connection.
    pub(super) fn answer_offer(&mut self, now: Instant, id: TransferId) -> Result<(), Misuse> {
        let Some(files) = &self.config.files else { return Err(Misuse::NoFiles) };
        let can_listen = files.address.is_some();
        let Some(one) = self.transfers.all.get(&id) else { return Err(Misuse::NoSuchTransfer) };
        if !one.reachable && can_listen {
            self.listen_for(now, id);
            return Ok(());
        }
        self.take_offer(now, id)
    }

    /// Says that we take the file, and that the other side shall listen.
    fn take_offer(&mut self, now: Instant, id: TransferId) -> Result<(), Misuse> {
        let wait = self.config.files.as_ref().map(|files| files.address_wait).unwrap_or_default();
        let Some(one) = self.transfers.all.get(&id) else { return Err(Misuse::NoSuchTransfer) };
        let (peer, mut payload) = (one.peer.clone(), Vec::new());
        if write_accept(&mut payload, &one.cookie).is_ok() {
            self.say_about(now, &peer, &payload, Some(id))?;
        }
        if let Some(one) = self.transfers.all.get_mut(&id) {
            (one.state, one.deadline) = (State::AwaitAddress, Some(now + wait));
        }
        Ok(())
    }

    /// Opens a socket for the other side.
    pub(super) fn listen_for(&mut self, now: Instant, id: TransferId) {
        let wait = self.config.files.as_ref().map(|files| files.listen).unwrap_or_default();
        if self.own_address().is_none() {
            return self.end_transfer(now, id, TransferEnd::NoConnection, Some("FAIL"));
        }
        let Some(one) = self.transfers.all.get_mut(&id) else { return };
        (one.state, one.deadline) = (State::Meeting, Some(now + wait));
        self.try_port(id, FIRST_PORT);
    }

    fn own_address(&self) -> Option<Ipv4Addr> {
        self.config.files.as_ref()?.address
    }

    fn try_port(&mut self, id: TransferId, tried: u16) {
        let is_local = self.own_address().is_some_and(|own| own.is_loopback());
        let at = if is_local { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED };
        self.transfers.last_listener = self.transfers.last_listener.wrapping_add(1);
        let listener = ListenerId(self.transfers.last_listener);
        let Some(one) = self.transfers.all.get_mut(&id) else { return };
        one.listening = Some(Listening { id: listener, tried, port: None });
        let at = SocketAddr::from((at, tried));
        self.outputs.push_back(Output::Listen { listener, at });
    }

    fn transfer_at(&self, listener: ListenerId) -> Option<TransferId> {
        let listens = |one: &Transfer| one.listening.is_some_and(|it| it.id == listener);
        self.transfers.all.iter().find(|(_, one)| listens(one)).map(|(id, _)| *id)
    }

    /// The socket is open: the other side is told where.
    pub(in crate::client) fn on_listening(
        &mut self,
        now: Instant,
        listener: ListenerId,
        local: SocketAddr,
    ) {
        let Some(id) = self.transfer_at(listener) else { return };
        let Some(address) = self.own_address() else { return };
        let internal = self.config.files.as_ref().and_then(|files| files.internal);
        let internal = internal.filter(Ipv4Addr::is_private);
        let Some(one) = self.transfers.all.get_mut(&id) else { return };
        if let Some(listening) = &mut one.listening {
            listening.port = Some(local.port());
        }
        let mut meeting = Meeting::new(address, local.port(), one.auth_cookie());
        if internal.is_some() {
            meeting.internal = internal;
            meeting.port_x = Some(Meeting::disguise(meeting.port));
            meeting.port_x_internal = meeting.port_x;
        }
        let (peer, outgoing, mut payload) = (one.peer.clone(), one.outgoing, Vec::new());
        let written = write_meeting(&mut payload, &one.cookie, &meeting, !outgoing);
        let said = written.is_ok() && self.say_about(now, &peer, &payload, Some(id)).is_ok();
        if !said {
            self.end_transfer(now, id, TransferEnd::NoConnection, None);
        }
    }

    /// The socket could not be opened: another port is tried, then any.
    pub(in crate::client) fn on_unlistened(&mut self, now: Instant, listener: ListenerId) {
        let Some(id) = self.transfer_at(listener) else { return };
        let Some(one) = self.transfers.all.get_mut(&id) else { return };
        let Some(listening) = one.listening.take() else { return };
        match (listening.port, listening.tried) {
            (Some(_), _) => self.give_up_if_alone(now, id),
            (None, port @ FIRST_PORT..LAST_PORT) => self.try_port(id, port.saturating_add(1)),
            (None, LAST_PORT) => self.try_port(id, 0),
            (None, _) if one.outgoing => {
                self.end_transfer(now, id, TransferEnd::NoConnection, Some("FAIL"));
            }
            (None, _) => {
                if self.take_offer(now, id).is_err() {
                    self.end_transfer(now, id, TransferEnd::NoConnection, None);
                }
            }
        }
    }

    /// Somebody connected to a socket that waits for the other side of a transfer.
    pub(in crate::client) fn on_caller(
        &mut self,
        now: Instant,
        listener: ListenerId,
    ) -> Option<ConnId> {
        let id = self.transfer_at(listener)?;
        let one = self.transfers.all.get(&id)?;
        if one.conns.len() >= CALLERS {
            return None;
        }
        let conn = self.conns.insert(Role::ToPeer(id));
        if let Some(one) = self.transfers.all.get_mut(&id) {
            one.conns.push(conn);
        }
        self.meet(now, id, conn, Some(FileWaits::listening().silence_before));
        self.pump(now, conn);
        Some(conn)
    }

    /// Connects to wherever the other side may be.
    pub(super) fn dial(&mut self, now: Instant, id: TransferId, meeting: &Meeting) {
        let files = self.config.files.as_ref();
        let own = files.and_then(|files| files.internal.or(files.address));
        let wait = files.map(|files| files.connect).unwrap_or_default();
        let Some(one) = self.transfers.all.get_mut(&id) else { return };
        let port = one.listening.and_then(|listening| listening.port);
        let ours = own.zip(port).map(|(own, port)| SocketAddrV4::new(own, port));
        let candidates = meeting.candidates(own, ours);
        if candidates.is_empty() && one.listening.is_none() {
            return self.end_transfer(now, id, TransferEnd::NoConnection, Some("FTTIMEOUT"));
        }
        if one.listening.is_none() {
            one.deadline = Some(now + wait);
        }
        one.state = State::Meeting;
        one.theirs = Some(meeting.cookie.clone());
        for to in candidates {
            let to = Target { host: to.ip().to_string(), port: to.port() };
            let conn = self.connect(Role::ToPeer(id), to);
            if let Some(one) = self.transfers.all.get_mut(&id) {
                one.conns.push(conn);
            }
        }
    }

    /// A connection stands: its machine begins.
    pub(in crate::client) fn meet(
        &mut self,
        now: Instant,
        id: TransferId,
        conn: ConnId,
        patience: Option<Duration>,
    ) {
        let me = self.account().cloned();
        let waits = self.config.files.as_ref().map(|files| files.waits.clone());
        let Some((one, me)) = self.transfers.all.get(&id).zip(me) else {
            return self.cancel(conn);
        };
        let mut waits: FileWaits = waits.unwrap_or_default();
        if let Some(patience) = patience {
            waits.silence_before = waits.silence_before.min(patience);
        }
        let cookie = match &one.theirs {
            Some(theirs) if patience.is_none() => theirs.clone(),
            _ => one.auth_cookie(),
        };
        let receiver: Handle = if one.outgoing { one.peer.clone() } else { me };
        let terms = Terms { size: one.size, cookie, receiver };
        let peer = match one.outgoing {
            true => Peer::Sender(Sender::new(now, terms, &waits)),
            false => Peer::Receiver(Receiver::new(now, terms, &waits)),
        };
        if let Some(conn) = self.conns.get_mut(conn) {
            conn.role = Role::Peer(id, Box::new(peer));
        }
    }

    /// What a connection of a transfer reports.
    pub(in crate::client) fn on_peer(
        &mut self,
        now: Instant,
        id: TransferId,
        conn: ConnId,
        event: PeerEvent,
    ) {
        let Some(one) = self.transfers.all.get(&id) else { return };
        let wins = one.state == State::Moving(conn);
        match event {
            PeerEvent::Proven if one.state == State::Meeting => {
                let outgoing = one.outgoing;
                self.choose(id, conn);
                if !outgoing {
                    self.tell_transfer(id, TransferChange::Started);
                }
            }
            PeerEvent::Started if wins => {
                self.tell_transfer(id, TransferChange::Started);
                self.want_more(id, conn);
            }
            PeerEvent::Progress if wins => {
                if let Some(Peer::Sender(sender)) = self.peer(conn) {
                    let bytes = sender.sent();
                    self.tell_transfer(id, TransferChange::Sent { bytes });
                }
                self.want_more(id, conn);
            }
            PeerEvent::Data(bytes) if wins => self.tell_transfer(id, TransferChange::Data(bytes)),
            PeerEvent::Ended(End::Complete) if wins && !one.outgoing => self.arrive(now, id, conn),
            PeerEvent::Ended(end) if wins => {
                let (end, code) = verdict(end);
                self.end_transfer(now, id, end, code);
            }
            PeerEvent::Ended(end) => self.lose_caller(now, id, conn, end),
            _ => {}
        }
    }

    /// All bytes are here: what the machine has to say for that waits for the application.
    fn arrive(&mut self, now: Instant, id: TransferId, conn: ConnId) {
        let wait = self.config.files.as_ref().map(|files| files.waits.silence).unwrap_or_default();
        let Some(one) = self.transfers.all.get_mut(&id) else { return };
        (one.arrived, one.deadline) = (true, Some(now + wait));
        if let Some(conn) = self.conns.get_mut(conn) {
            conn.held = true;
        }
        self.tell_transfer(id, TransferChange::Arrived);
    }

    /// The application has said what became of the bytes that came.
    pub(super) fn close_arrived(
        &mut self,
        now: Instant,
        id: TransferId,
        conn: ConnId,
        end: TransferEnd,
    ) {
        if let (false, Some(Peer::Receiver(receiver))) =
            (end == TransferEnd::Complete, self.peer_mut(conn))
        {
            receiver.fail_to_write(now);
        }
        if let Some(conn) = self.conns.get_mut(conn) {
            conn.held = false;
        }
        self.end_transfer(now, id, end, None);
        self.pump(now, conn);
    }

    /// This connection is the one: nobody else is listened to, and the other ones are given up.
    fn choose(&mut self, id: TransferId, winner: ConnId) {
        let Some(one) = self.transfers.all.get_mut(&id) else { return };
        (one.state, one.deadline, one.offline) = (State::Moving(winner), None, None);
        let listening = one.listening.take();
        let others: Vec<ConnId> = one.conns.drain(..).filter(|conn| *conn != winner).collect();
        one.conns.push(winner);
        if let Some(listening) = listening {
            self.outputs.push_back(Output::Unlisten { listener: listening.id });
        }
        for conn in others {
            self.cancel(conn);
        }
    }

    /// A connection that did not win is over.
    pub(in crate::client) fn lose_caller(
        &mut self,
        now: Instant,
        id: TransferId,
        conn: ConnId,
        end: End,
    ) {
        let Some(one) = self.transfers.all.get_mut(&id) else { return };
        one.conns.retain(|other| *other != conn);
        match end {
            // Whom we dialled means another file; of whoever found our port we know nothing else.
            End::SizeChanged { .. } if one.listening.is_none() => {
                return self.end_transfer(now, id, TransferEnd::Broken(end), Some("FTTIMEOUT"));
            }
            End::WrongCookie | End::SizeChanged { .. } => {
                one.strangers = one.strangers.saturating_add(1);
            }
            _ => {}
        }
        if let Some(listening) = one.listening.filter(|_| one.strangers >= STRANGERS) {
            one.listening = None;
            self.outputs.push_back(Output::Unlisten { listener: listening.id });
        }
        self.give_up_if_alone(now, id);
    }

    /// Nobody connects to us any more, and we connect to nobody.
    fn give_up_if_alone(&mut self, now: Instant, id: TransferId) {
        let Some(one) = self.transfers.all.get(&id) else { return };
        if one.state == State::Meeting && one.listening.is_none() && one.conns.is_empty() {
            self.end_transfer(now, id, TransferEnd::NoConnection, Some("FTTIMEOUT"));
        }
    }

    /// Asks the application for bytes, unless it was asked already.
    pub(super) fn want_more(&mut self, id: TransferId, conn: ConnId) {
        let Some(Peer::Sender(sender)) = self.peer(conn) else { return };
        let room = sender.room();
        let Some(one) = self.transfers.all.get_mut(&id) else { return };
        if room > 0 && !core::mem::replace(&mut one.asked, true) {
            self.tell_transfer(id, TransferChange::Wanted { room });
        }
    }

    /// Stops a transfer that is on its way; the connection says so to the other side and closes.
    pub(super) fn stop_moving(&mut self, now: Instant, id: TransferId, end: TransferEnd) {
        let state = self.transfers.all.get(&id).map(|one| one.state);
        self.end_transfer(now, id, end, None);
        if let Some(State::Moving(conn)) = state {
            if let Some(peer) = self.peer_mut(conn) {
                peer.cancel(now);
            }
            self.pump(now, conn);
        }
    }

    /// Fires what is due.
    pub(in crate::client) fn time_transfers(&mut self, now: Instant) {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let late: Vec<(TransferId, State, bool)> = self
            .transfers
            .all
            .iter()
            .filter(|(_, one)| due(one.deadline) || due(one.offline))
            .map(|(id, one)| (*id, one.state, due(one.offline)))
            .collect();
        for (id, state, offline) in late {
            if let State::Moving(conn) = state {
                let arrived = self.transfers.all.get(&id).is_some_and(|one| one.arrived);
                match arrived {
                    true => {
                        let end = TransferEnd::Broken(End::CouldNotWriteHere);
                        self.close_arrived(now, id, conn, end);
                    }
                    false => self.stop_moving(now, id, TransferEnd::CancelledThere),
                }
                continue;
            }
            let (end, code) = match state {
                _ if offline => {
                    (TransferEnd::Unreachable(Failure::Refused(ErrorCode::NOT_ONLINE)), None)
                }
                State::Queued => {
                    if let Some(one) = self.transfers.all.get_mut(&id) {
                        one.deadline = None;
                        let peer = one.peer.clone();
                        self.begin_queued(now, &peer);
                    }
                    continue;
                }
                State::Offered => (TransferEnd::TimedOut, Some("TIMEOUT")),
                State::Asked => (TransferEnd::TimedOut, Some("REJECT")),
                State::AwaitAddress => (TransferEnd::TimedOut, Some("FTTIMEOUT")),
                State::Meeting | State::Moving(_) => (TransferEnd::NoConnection, Some("FTTIMEOUT")),
            };
            self.end_transfer(now, id, end, code);
        }
    }
}

/// How a transfer ended that was on its way, and what the other side is told beside it.
fn verdict(end: End) -> (TransferEnd, Option<&'static str>) {
    match end {
        End::Complete => (TransferEnd::Complete, None),
        End::Unconfirmed => (TransferEnd::Unconfirmed, None),
        End::CancelledHere => (TransferEnd::CancelledHere, None),
        End::CancelledThere => (TransferEnd::CancelledThere, None),
        end => (TransferEnd::Broken(end), Some("FTTIMEOUT")),
    }
}

impl Event {
    /// The transfer that it is about, if it is about one.
    #[must_use]
    pub const fn transfer(&self) -> Option<TransferId> {
        match self {
            Self::Transfer { transfer, .. } | Self::FileOffered { transfer, .. } => Some(*transfer),
            _ => None,
        }
    }
}
