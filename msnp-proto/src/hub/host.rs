//! The hub towards its driver.

use alloc::string::ToString;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::arena::{SlotId, Task};
use super::{Directory, Event, Hub, Role, Why};
use crate::machine::{Closed, ConnId, Host, ListenerId, Output, Shutdown, Target};
use crate::time::Instant;

impl<D: Directory> Host for Hub<D> {
    type Event = Event;

    fn handle_connected(&mut self, _now: Instant, _conn: ConnId) {
        // A hub connects to nobody.
        self.stats.add_late_call();
    }

    fn handle_closed(&mut self, now: Instant, conn: ConnId, why: Closed) {
        let conn = SlotId::from(conn);
        if self.lines.sessions.get(conn).is_none() {
            self.stats.add_late_call();
            return;
        }
        self.forget(now, conn, why);
        self.settle(now);
        self.stop_if_empty();
    }

    fn handle_listening(&mut self, _now: Instant, listener: ListenerId, local: SocketAddr) {
        let target = self.advertised(local);
        if let Some(listener) = self.listeners.get_mut(listener.0 as usize) {
            if listener.open.is_none() && !listener.gone {
                listener.open = Some((local, target));
                self.announce_if_ready();
            }
        }
    }

    fn handle_accepted(
        &mut self,
        now: Instant,
        listener: ListenerId,
        peer: SocketAddr,
    ) -> Option<ConnId> {
        let listener = self.listeners.get(listener.0 as usize).filter(|listener| !listener.gone);
        let role = listener.map(|listener| listener.role);
        let conn = role.and_then(|role| self.accept(now, role, peer.ip()));
        if conn.is_none() {
            self.stats.turned_away = self.stats.turned_away.saturating_add(1);
        }
        conn.map(ConnId::from)
    }

    fn handle_unlistened(&mut self, _now: Instant, listener: ListenerId, why: Closed) {
        if let Some(listener) = self.listeners.get_mut(listener.0 as usize) {
            if !core::mem::replace(&mut listener.gone, true) {
                listener.open = None;
                let (role, at) = (listener.role, listener.at);
                self.lines.event(Event::ListenFailed { role, at, why });
            }
        }
    }

    fn handle_input(&mut self, now: Instant, conn: ConnId, bytes: &[u8]) {
        self.read(now, conn.into(), bytes);
        self.settle(now);
    }

    fn handle_eof(&mut self, now: Instant, conn: ConnId) {
        let conn = SlotId::from(conn);
        if self.lines.sessions.get(conn).is_none() {
            self.stats.add_late_call();
            return;
        }
        self.end(now, conn, Why::HungUp, Shutdown::Flush);
        self.settle(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        while let Some(task) = self.agenda.pop_due(now) {
            match task {
                Task::Session(conn) => self.on_session_due(now, conn),
                Task::Resume(conn) => self.resume(now, conn),
                Task::Room(room) => self.on_room_due(now, room),
                Task::Cookie(key) => drop(self.forget_cookie(key)),
            }
        }
        self.settle(now);
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.agenda.next()
    }

    fn pending(&self, conn: ConnId) -> &[u8] {
        self.lines.sessions.get(conn.into()).map_or(&[], |session| session.outbox.pending())
    }

    fn consume(&mut self, now: Instant, conn: ConnId, written: usize) {
        self.lines.consume(conn.into(), written);
        self.read_deferred(now, conn.into());
        self.settle(now);
    }

    fn wants_read(&self, conn: ConnId) -> bool {
        self.lines.sessions.get(conn.into()).is_some_and(|session| {
            !session.is_closing()
                && session.deferred.is_empty()
                && !session.is_throttled(&self.config.limits)
        })
    }

    fn poll_output(&mut self) -> Option<Output<Event>> {
        if !self.batch.is_empty() {
            self.commit_batch();
        }
        self.lines.poll()
    }
}

impl<D: Directory> Hub<D> {
    fn announce_if_ready(&mut self) {
        let local = |role| {
            let listener = self.listeners.iter().find(|listener| listener.role == role)?;
            listener.open.as_ref().map(|(local, _)| *local)
        };
        let notification = local(Role::Notification);
        let dispatch = if self.config.single { notification } else { local(Role::Dispatch) };
        if let (Some(dispatch), Some(notification), Some(switchboard)) =
            (dispatch, notification, local(Role::Switchboard))
        {
            self.lines.event(Event::Ready { dispatch, notification, switchboard });
        }
    }

    fn advertised(&self, local: SocketAddr) -> Target {
        let ip = match local.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::from(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::from(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        let host = self.config.advertise.clone();
        Target { host: host.unwrap_or_else(|| ip.to_string()), port: local.port() }
    }
}
