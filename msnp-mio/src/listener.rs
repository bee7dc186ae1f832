//! Listening sockets.
//!
//! This module knows how to accept, and when to stop for a while. Whether a peer is welcome is for
//! the host to say.

use std::io;
use std::net::SocketAddr;

use mio::net::TcpListener;
use mio::{Interest, Token};
use msnp_proto::machine::{Closed, Host, ListenerId};
use msnp_proto::time::Instant;

use crate::connection::{Connection, Stage};
use crate::error::listen_failure;
use crate::net::{Net, Owner, Wish};
use crate::tap::Origin;

pub(crate) struct Listening {
    socket: TcpListener,
    token: Token,
    /// While it is set the socket rests.
    due: Option<Instant>,
    queued: bool,
}

impl Net {
    pub(crate) fn listen<H: Host>(
        &mut self,
        host: &mut H,
        now: Instant,
        listener: ListenerId,
        at: SocketAddr,
    ) {
        if self.listeners.contains_key(&listener) {
            return;
        }
        match self.try_listen(listener, at) {
            Ok(local) => host.handle_listening(now, listener, local),
            Err(error) => host.handle_unlistened(now, listener, listen_failure(&error)),
        }
    }

    fn try_listen(&mut self, listener: ListenerId, at: SocketAddr) -> io::Result<SocketAddr> {
        let mut socket = TcpListener::bind(at)?;
        let local = socket.local_addr()?;
        let token = self.new_token(Owner::Listener(listener));
        if let Err(error) = self.poll.registry().register(&mut socket, token, Interest::READABLE) {
            self.forget(socket, token);
            return Err(error);
        }
        let listening = Listening { socket, token, due: None, queued: false };
        self.listeners.insert(listener, listening);
        Ok(local)
    }

    pub(crate) fn unlisten(&mut self, listener: ListenerId) {
        self.wishes.retain(|wish| !matches!(wish, Wish::Listen(id, _) if *id == listener));
        if let Some(mut listening) = self.listeners.remove(&listener) {
            self.set_timer(Owner::Listener(listener), &mut listening.due, None);
            self.forget(listening.socket, listening.token);
        }
    }

    /// Somebody is at the door.
    pub(crate) fn knock(&mut self, listener: ListenerId) {
        if let Some(listening) = self.listeners.get_mut(&listener) {
            if !listening.queued && listening.due.is_none() {
                listening.queued = true;
                self.knocking.push(listener);
            }
        }
    }

    /// The rest is over. Whoever came meanwhile made no new event, so this looks by itself.
    pub(crate) fn resume(&mut self, listener: ListenerId) {
        if let Some(listening) = self.listeners.get_mut(&listener) {
            listening.due = None;
        }
        self.knock(listener);
    }

    /// Accepts up to the budget.
    pub(crate) fn accept<H: Host>(&mut self, host: &mut H, now: Instant, listener: ListenerId) {
        if let Some(listening) = self.listeners.get_mut(&listener) {
            listening.queued = false;
        }
        for _ in 0..self.options.accept_budget.max(1) {
            let Some(listening) = self.listeners.get_mut(&listener) else { return };
            match listening.socket.accept() {
                Ok((stream, peer)) => {
                    let Some(conn) = host.handle_accepted(now, listener, peer) else { continue };
                    if self.conns.contains_key(&conn) {
                        continue;
                    }
                    self.conns.insert(conn, Connection::new(Stage::Open));
                    if let Some(tap) = &mut self.tap {
                        tap.opened(now, conn, Origin::Accepted { listener }, peer);
                    }
                    match self.register(conn, stream) {
                        Ok(()) => self.greet(conn),
                        Err(_) => self.close(host, now, conn, Closed::Failed),
                    }
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return,
                    // It left while it waited.
                    io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted => {}
                    // Mostly want of descriptors. The peer stays in the system's queue, so trying
                    // again at once would be trying forever.
                    _ => {
                        self.accept_pauses += 1;
                        return self.rest(now, listener);
                    }
                },
            }
        }
        self.knock(listener);
    }

    /// A new socket has room, so the host may speak first without waiting for an event.
    fn greet(&mut self, conn: msnp_proto::machine::ConnId) {
        if let Some(connection) = self.conns.get_mut(&conn) {
            connection.writable = true;
        }
        self.mark_dirty(conn);
    }

    fn rest(&mut self, now: Instant, listener: ListenerId) {
        let until = now + self.options.accept_pause;
        if let Some(listening) = self.listeners.get_mut(&listener) {
            let mut due = listening.due;
            listening.due = Some(until);
            self.set_timer(Owner::Listener(listener), &mut due, Some(until));
        }
    }
}
