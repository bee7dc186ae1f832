//! The client towards its driver, and what its connections report.

use alloc::boxed::Box;
use core::net::SocketAddr;

use super::conns::{Conn, Entry, Role};
use super::{Client, Event, Session};
use crate::error::{Lost, Wait};
use crate::ftp::End;
use crate::machine::{Closed, ConnId, Host, ListenerId, Machine, Output, Shutdown};
use crate::ns::Notification;
use crate::sb::{self, Switchboard};
use crate::time::{Instant, earlier};

/// Outputs that wait for the driver, from which on no more input is wanted.
const OUTPUTS: usize = 4096;

impl Host for Client {
    type Event = Event;

    fn handle_connected(&mut self, now: Instant, conn: ConnId) {
        let Some(Conn { role, closing: false, .. }) = self.conns.get_mut(conn) else { return };
        match role {
            Role::ToNotification(server) => {
                let server = server.clone();
                let Session::Some { credentials, roster, .. } = &mut self.session else { return };
                let roster = roster.take().unwrap_or_default();
                let config = self.config.clone();
                let machine = Notification::new(now, config, credentials.clone(), roster);
                *role = Role::Notification(Box::new(machine));
                self.tell(Event::Connected { server });
            }
            Role::ToSwitchboard(chat, entry) => {
                let (chat, entry) = (*chat, entry.clone());
                let Some(setup) = self.setup() else { return };
                let machine = match entry {
                    Entry::Calling(cookie) => Switchboard::calling(now, setup, &cookie),
                    Entry::Answering(cookie, session) => {
                        Switchboard::answering(now, setup, &cookie, &session)
                    }
                };
                if let Some(conn) = self.conns.get_mut(conn) {
                    conn.role = Role::Switchboard(chat, Box::new(machine));
                }
            }
            Role::ToPeer(transfer) => {
                let transfer = *transfer;
                self.meet(now, transfer, conn, None);
            }
            Role::Notification(_) | Role::Switchboard(..) | Role::Peer(..) => return,
        }
        self.pump(now, conn);
    }

    fn handle_closed(&mut self, now: Instant, conn: ConnId, why: Closed) {
        let lost = Lost::Connection(why);
        match self.conns.get_mut(conn).map(|conn| &mut conn.role) {
            None => return,
            Some(Role::ToNotification(_)) => {
                if self.is_current(conn) {
                    self.lose(now, lost);
                }
            }
            Some(Role::ToSwitchboard(chat, _)) => {
                let chat = *chat;
                self.line_lost(now, chat, conn, lost);
            }
            Some(Role::Notification(machine)) => {
                machine.abandon(lost);
                self.pump(now, conn);
            }
            Some(Role::Switchboard(_, machine)) => {
                machine.abandon(lost);
                self.pump(now, conn);
            }
            Some(Role::ToPeer(transfer)) => {
                let transfer = *transfer;
                self.lose_caller(now, transfer, conn, End::Broken(why));
            }
            Some(Role::Peer(_, machine)) => {
                machine.abandon(now, why);
                self.pump(now, conn);
            }
        }
        self.conns.remove(conn);
        self.settle_transfers(now);
    }

    fn handle_listening(&mut self, now: Instant, listener: ListenerId, local: SocketAddr) {
        self.on_listening(now, listener, local);
    }

    fn handle_accepted(
        &mut self,
        now: Instant,
        listener: ListenerId,
        _: SocketAddr,
    ) -> Option<ConnId> {
        self.on_caller(now, listener)
    }

    fn handle_unlistened(&mut self, now: Instant, listener: ListenerId, _: Closed) {
        self.on_unlistened(now, listener);
    }

    fn handle_input(&mut self, now: Instant, conn: ConnId, mut bytes: &[u8]) {
        // What is done about a frame is done before the next one is read, so that it makes no
        // difference whether they come together.
        loop {
            let more = match self.conns.get_mut(conn).map(|conn| &mut conn.role) {
                Some(Role::Notification(machine)) => machine.take_frame(now, &mut bytes),
                Some(Role::Switchboard(_, machine)) => machine.take_frame(now, &mut bytes),
                Some(Role::Peer(_, machine)) => {
                    machine.handle_input(now, bytes);
                    false
                }
                _ => return,
            };
            self.pump(now, conn);
            if !more {
                return;
            }
        }
    }

    fn handle_eof(&mut self, now: Instant, conn: ConnId) {
        if let Some(conn) = self.conns.get_mut(conn) {
            conn.role.handle_eof(now);
        }
        self.pump(now, conn);
    }

    fn handle_timeout(&mut self, now: Instant) {
        if let Session::Some { deadline: Some(deadline), .. } = self.session {
            if deadline <= now {
                self.lose(now, Lost::TimedOut(Wait::SignIn));
            }
        }
        if self.next_attempt().is_some_and(|at| at <= now) {
            if let Some((_, mut sign_in)) = self.again.take() {
                if let Session::None(roster) = &mut self.session {
                    sign_in.roster = Some(core::mem::take(roster));
                }
                self.begin(now, sign_in);
            }
        }
        self.time_transfers(now);
        for id in self.conns.ids() {
            let due = |conn: &&mut Conn| conn.role.next_deadline().is_some_and(|at| at <= now);
            if let Some(conn) = self.conns.get_mut(id).filter(due) {
                conn.role.handle_timeout(now);
                self.pump(now, id);
            }
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let sign_in = match self.session {
            Session::Some { deadline, .. } => deadline,
            Session::None(_) => self.next_attempt(),
        };
        let machines = self.conns.iter().filter_map(|(_, conn)| conn.role.next_deadline());
        earlier(earlier(sign_in, self.transfers.next_deadline()), machines.min())
    }

    fn pending(&self, conn: ConnId) -> &[u8] {
        let conn = self.conns.get(conn).filter(|conn| !conn.held);
        conn.map_or(&[], |conn| conn.role.pending())
    }

    fn consume(&mut self, now: Instant, id: ConnId, written: usize) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        conn.role.consume(now, written);
        if let Role::Switchboard(chat, _) = conn.role {
            self.send_waiting(now, chat, id);
        }
        self.pump(now, id);
    }

    fn wants_read(&self, conn: ConnId) -> bool {
        let carries_file =
            || matches!(self.conns.get(conn), Some(Conn { role: Role::Peer(..), .. }));
        self.outputs.len() < OUTPUTS && !(self.transfers.is_full() && carries_file())
    }

    fn poll_output(&mut self) -> Option<Output<Event>> {
        let output = self.outputs.pop_front()?;
        if let Output::Transmit { conn } = output {
            if let Some(conn) = self.conns.get_mut(conn) {
                conn.announced = false;
            }
        }
        self.transfers.taken(&output);
        Some(output)
    }
}

impl Client {
    fn setup(&self) -> Option<sb::Setup> {
        let mut setup = sb::Setup::new(self.account()?.clone());
        setup.limits = self.config.limits.clone();
        setup.waits = self.config.waits.clone();
        setup.leniency = self.config.leniency;
        setup.people = self.config.people;
        Some(setup)
    }

    /// Takes what a machine has to say, and tells the driver what to do for it.
    pub(super) fn pump(&mut self, now: Instant, id: ConnId) {
        loop {
            match self.conns.get_mut(id).map(|conn| &mut conn.role) {
                Some(Role::Notification(machine)) => match machine.poll_event() {
                    Some(event) => self.on_notification(now, id, event),
                    None => break,
                },
                Some(Role::Switchboard(chat, machine)) => {
                    let chat = *chat;
                    match machine.poll_event() {
                        Some(event) => self.on_switchboard(now, chat, id, event),
                        None => break,
                    }
                }
                Some(Role::Peer(transfer, machine)) => {
                    let transfer = *transfer;
                    match machine.poll_event() {
                        Some(event) => self.on_peer(now, transfer, id, event),
                        None => break,
                    }
                }
                _ => break,
            }
        }
        self.announce(id);
        if self.transfers.has_failed_words() {
            self.settle_transfers(now);
        }
    }

    /// Tells the driver of bytes to write, and when to close.
    pub(super) fn announce(&mut self, id: ConnId) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        let (pending, finished) = (!conn.role.pending().is_empty(), conn.role.is_finished());
        if pending && !conn.announced && !conn.closing && !conn.held {
            conn.announced = true;
            self.outputs.push_back(Output::Transmit { conn: id });
        }
        if finished && !conn.closing {
            conn.closing = true;
            self.outputs.push_back(Output::Close { conn: id, how: Shutdown::Flush });
        }
    }

    /// Closes a connection that has no machine yet.
    pub(super) fn cancel(&mut self, id: ConnId) {
        if let Some(conn) = self.conns.get_mut(id) {
            if !core::mem::replace(&mut conn.closing, true) {
                self.outputs.push_back(Output::Close { conn: id, how: Shutdown::Abort });
            }
        }
    }
}
