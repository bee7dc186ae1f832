//! From a wish to an open connection: the name, its addresses in turn, the connect.
//!
//! This module knows names, addresses and the time that all of it may take together. It does not
//! know how names are looked up.

use std::io;
use std::net::{IpAddr, SocketAddr};

use mio::Interest;
use mio::net::TcpStream;
use msnp_proto::machine::{Closed, ConnId, Host, Target};
use msnp_proto::time::Instant;

use crate::connection::{Attempt, Connection, Stage};
use crate::error::connect_failure;
use crate::net::{Net, Owner, Wish};
use crate::resolve::{Answer, Found};
use crate::tap::Origin;

/// A socket as the operating system knows it.
#[cfg(unix)]
pub type Socket<'a> = std::os::fd::BorrowedFd<'a>;
/// A socket as the operating system knows it.
#[cfg(windows)]
pub type Socket<'a> = std::os::windows::io::BorrowedSocket<'a>;

pub(crate) type Setup = Box<dyn FnMut(Socket<'_>)>;

impl Net {
    /// Takes a connection into the table. One id names one connection, so a second is ignored.
    pub(crate) fn admit(&mut self, now: Instant, conn: ConnId, to: Target) {
        if self.conns.contains_key(&conn) {
            return;
        }
        let deadline = now + self.options.connect_timeout;
        let attempt = Attempt { to, rest: Vec::new().into_iter(), deadline, failure: None };
        self.conns.insert(conn, Connection::new(Stage::Opening(Box::new(attempt))));
        self.arm(conn, deadline);
        self.wishes.push_back(Wish::Connect(conn));
    }

    pub(crate) fn connect<H: Host>(&mut self, host: &mut H, now: Instant, conn: ConnId) {
        let Some(connection) = self.conns.get(&conn) else { return };
        let Stage::Opening(attempt) = &connection.stage else { return };
        let to = &attempt.to;
        match to.host.parse::<IpAddr>() {
            Ok(ip) => {
                let outcome = Ok(vec![SocketAddr::new(ip, to.port)]);
                self.found(host, now, Found { conn, outcome });
            }
            Err(_) => {
                let answer = Answer::new(conn, std::sync::Arc::clone(&self.bell));
                self.resolver.resolve(&to.host, to.port, answer);
            }
        }
    }

    /// The addresses are there. The connection may be gone.
    pub(crate) fn found<H: Host>(&mut self, host: &mut H, now: Instant, found: Found) {
        let Some(connection) = self.conns.get_mut(&found.conn) else { return };
        let Stage::Opening(attempt) = &mut connection.stage else { return };
        match found.outcome {
            Ok(addresses) => {
                attempt.rest = addresses.into_iter();
                self.try_next(host, now, found.conn, Closed::UnknownHost);
            }
            Err(why) => self.close(host, now, found.conn, why),
        }
    }

    /// Goes on to the next address that the system lets us try; `why` is what became of the one
    /// before.
    pub(crate) fn try_next<H: Host>(
        &mut self,
        host: &mut H,
        now: Instant,
        conn: ConnId,
        mut why: Closed,
    ) {
        loop {
            let Some(connection) = self.conns.get_mut(&conn) else { return };
            let Stage::Opening(attempt) = &mut connection.stage else { return };
            if now >= attempt.deadline {
                why = Closed::TimedOut;
                attempt.rest = Vec::new().into_iter();
            }
            let failure = more_telling(attempt.failure, why);
            let left = u32::try_from(attempt.rest.len()).unwrap_or(u32::MAX);
            let share = attempt.deadline - now;
            let Some(address) = attempt.rest.next() else {
                return self.close(host, now, conn, failure);
            };
            attempt.failure = Some(failure);
            let old = connection.stream.take().map(|stream| (stream, connection.token));
            if let Some((stream, token)) = old {
                self.forget(stream, token);
            }
            match TcpStream::connect(address) {
                Ok(stream) => match self.register(conn, stream) {
                    Ok(()) => return self.arm(conn, now + share / left.max(1)),
                    Err(error) => why = connect_failure(&error),
                },
                Err(error) => why = connect_failure(&error),
            }
        }
    }

    /// Puts a stream into the poll, for good.
    pub(crate) fn register(&mut self, conn: ConnId, mut stream: TcpStream) -> io::Result<()> {
        let token = self.new_token(Owner::Conn(conn));
        let both = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.poll.registry().register(&mut stream, token, both) {
            self.forget(stream, token);
            return Err(error);
        }
        // Without it small writes wait for each other; a system that refuses is slower, not wrong.
        let _ = stream.set_nodelay(true);
        if let Some(setup) = &mut self.setup {
            #[cfg(unix)]
            setup(std::os::fd::AsFd::as_fd(&stream));
            #[cfg(windows)]
            setup(std::os::windows::io::AsSocket::as_socket(&stream));
        }
        if let Some(connection) = self.conns.get_mut(&conn) {
            connection.stream = Some(stream);
            connection.token = token;
            connection.clear_latches();
        }
        Ok(())
    }

    /// An event came. If the connection is being opened this looks how far it got and says `true`.
    pub(crate) fn proceed<H: Host>(&mut self, host: &mut H, now: Instant, conn: ConnId) -> bool {
        let Some(connection) = self.conns.get_mut(&conn) else { return true };
        let Stage::Opening(attempt) = &connection.stage else { return false };
        connection.dirty = false;
        let Some(stream) = &connection.stream else { return true };
        if !connection.writable {
            return true;
        }
        let peer = match stream.take_error() {
            Ok(Some(error)) | Err(error) => Err(error),
            Ok(None) => stream.peer_addr(),
        };
        // A connect to a free port of this machine can meet itself, when the system happens to
        // pick the same port for this side.
        let peer = match peer {
            Ok(peer) if stream.local_addr().is_ok_and(|local| local == peer) => {
                Err(io::ErrorKind::ConnectionRefused.into())
            }
            peer => peer,
        };
        let peer = match peer {
            Ok(peer) => peer,
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                connection.clear_latches();
                return true;
            }
            Err(error) => {
                self.try_next(host, now, conn, connect_failure(&error));
                return true;
            }
        };
        if let Some(tap) = &mut self.tap {
            tap.opened(now, conn, Origin::Connected { to: &attempt.to }, peer);
        }
        connection.stage = Stage::Open;
        if connection.closing {
            self.start_flush(now, conn);
        } else {
            let mut due = connection.due.take();
            self.set_timer(Owner::Conn(conn), &mut due, None);
            host.handle_connected(now, conn);
            self.mark_dirty(conn);
            // The event may have told of the first bytes too, and will not come again for them.
            if self.conns.get(&conn).is_some_and(|connection| connection.readable) {
                self.mark_ready(conn);
            }
        }
        true
    }
}

/// Of two failures the one that says more. That nobody listens, or that nobody answers, beats that
/// this system has no way to such an address.
fn more_telling(first: Option<Closed>, second: Closed) -> Closed {
    match first {
        None | Some(Closed::Failed | Closed::UnknownHost) => second,
        Some(first) => first,
    }
}
