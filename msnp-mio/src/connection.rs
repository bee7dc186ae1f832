//! Reading, writing and ending one open connection.
//!
//! This module knows two latches, budgets and the order of a close. It does not know what bytes
//! mean or how the connection came to be.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};

use mio::Token;
use mio::event::Event;
use mio::net::TcpStream;
use msnp_proto::machine::{Closed, ConnId, Host, Target};
use msnp_proto::time::Instant;

use crate::error::stream_failure;
use crate::net::Net;

/// Whether a read or write that moved less than it could have says as much as `WouldBlock`.
///
/// With epoll it does, and it saves a system call each time. A short write means that the send
/// buffer is full, and room later makes a new edge. A short read means that the receive buffer was
/// empty at that moment, and whatever comes later makes a new edge; but the end of the stream, or
/// an error, may already have been reported together with the data, and makes none. So this holds
/// for reads only while no end was reported (`Connection::hangup`). Elsewhere mio itself waits for
/// a `WouldBlock` before it looks at the socket again, so there every latch is worked down to that.
const SHORT_IS_DRY: bool = cfg!(any(target_os = "linux", target_os = "android"));

pub(crate) struct Connection {
    pub(crate) stage: Stage,
    /// Present unless the connection waits for addresses.
    pub(crate) stream: Option<TcpStream>,
    pub(crate) token: Token,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// The end of the stream, or an error, is somewhere behind what can be read.
    hangup: bool,
    /// The socket reported an error.
    broken: bool,
    /// The end was read.
    eof: bool,
    /// Writing failed for this reason, and what the peer said last is still being read.
    failed: Option<Closed>,
    /// The host wants it flushed and closed, and will not take any more input.
    pub(crate) closing: bool,
    pub(crate) dirty: bool,
    pub(crate) queue: Queue,
    /// It has its place on the list of those whose input is unwelcome, even if that is over.
    pub(crate) parked: bool,
    pub(crate) due: Option<Instant>,
}

pub(crate) enum Stage {
    /// Not open yet.
    Opening(Box<Attempt>),
    /// Open. If `closing`, then only until everything is written.
    Open,
    /// Everything is written and the write half shut down; the peer may close now.
    Lingering,
}

/// How far the opening got.
pub(crate) struct Attempt {
    pub(crate) to: Target,
    /// Addresses not tried yet.
    pub(crate) rest: std::vec::IntoIter<SocketAddr>,
    /// When to give up altogether.
    pub(crate) deadline: Instant,
    /// The most telling failure so far.
    pub(crate) failure: Option<Closed>,
}

/// Whether a connection is to be read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queue {
    None,
    Ready,
    Paused,
}

impl Connection {
    pub(crate) fn new(stage: Stage) -> Self {
        Self {
            stage,
            stream: None,
            token: crate::net::WAKER,
            readable: false,
            writable: false,
            hangup: false,
            broken: false,
            eof: false,
            failed: None,
            closing: false,
            dirty: false,
            queue: Queue::None,
            parked: false,
            due: None,
        }
    }

    pub(crate) fn is_opening(&self) -> bool {
        matches!(self.stage, Stage::Opening(_))
    }

    /// Sets the latches; says whether there is something to read or an error to look at.
    pub(crate) fn note(&mut self, event: &Event) -> bool {
        if event.is_writable() || event.is_write_closed() || event.is_error() {
            self.writable = true;
        }
        self.broken |= event.is_error();
        if self.eof {
            return self.broken;
        }
        self.hangup |= event.is_read_closed() || event.is_error();
        self.readable |= self.hangup || event.is_readable();
        self.readable && !self.is_opening()
    }

    /// What was noted belonged to another socket, or to one that is not connected yet.
    pub(crate) fn clear_latches(&mut self) {
        self.readable = false;
        self.writable = false;
        self.hangup = false;
        self.broken = false;
    }
}

enum Step {
    /// Nothing more to do until something happens.
    Wait,
    /// More can be done, next turn.
    More,
    /// The host does not want more now.
    Unwanted,
    Close(Closed),
}

impl Net {
    /// Writes what is pending, once; then takes the next step of a close if there is nothing left.
    pub(crate) fn write<H: Host>(&mut self, host: &mut H, now: Instant, conn: ConnId) {
        let Some(connection) = self.conns.get_mut(&conn) else { return };
        connection.dirty = false;
        if !matches!(connection.stage, Stage::Open)
            || !connection.writable
            || connection.failed.is_some()
        {
            return;
        }
        let Some(stream) = &mut connection.stream else { return };
        let outcome = loop {
            let pending = host.pending(conn);
            if pending.is_empty() {
                break Ok(());
            }
            match stream.write(pending) {
                Ok(0) => break Err(Closed::Reset),
                Ok(written) => {
                    let short = written < pending.len();
                    if let Some(tap) = &mut self.tap {
                        tap.sent(now, conn, pending.get(..written).unwrap_or(pending));
                    }
                    host.consume(now, conn, written);
                    if short && SHORT_IS_DRY {
                        connection.writable = false;
                    }
                    if !short || SHORT_IS_DRY {
                        break Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    connection.writable = false;
                    break Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(stream_failure(&error)),
            }
        };
        match outcome {
            Err(why) if connection.closing || connection.eof => self.close(host, now, conn, why),
            Err(why) => {
                // What the peer said before it left may be the reason why it left.
                connection.failed = Some(why);
                connection.hangup = true;
                connection.readable = true;
                self.mark_ready(conn);
            }
            Ok(()) if host.pending(conn).is_empty() => {
                if connection.closing {
                    self.linger(host, now, conn);
                }
            }
            Ok(()) => {
                if connection.writable {
                    self.mark_dirty(conn);
                }
            }
        }
    }

    /// Reads up to the budget, if the host wants it.
    pub(crate) fn read<H: Host>(&mut self, host: &mut H, now: Instant, conn: ConnId) {
        let Some(connection) = self.conns.get_mut(&conn) else { return };
        if connection.queue != Queue::Ready {
            return;
        }
        connection.queue = Queue::None;
        let Some(stream) = &mut connection.stream else { return };
        if connection.eof {
            if connection.broken {
                connection.broken = false;
                if let Some(error) = stream.take_error().unwrap_or_else(Some) {
                    self.close(host, now, conn, stream_failure(&error));
                }
            }
            return;
        }

        let mut budget = self.buffer.len();
        let step = loop {
            if !connection.readable {
                break Step::Wait;
            }
            if budget == 0 {
                break Step::More;
            }
            if !connection.closing && !host.wants_read(conn) {
                break Step::Unwanted;
            }
            let room = self.buffer.get_mut(..budget).unwrap_or_default();
            match stream.read(room) {
                Ok(0) => {
                    connection.readable = false;
                    connection.eof = true;
                    if matches!(connection.stage, Stage::Lingering) {
                        break Step::Close(Closed::Done);
                    }
                    if !connection.closing && connection.failed.is_none() {
                        host.handle_eof(now, conn);
                    }
                    break Step::Wait;
                }
                Ok(count) => {
                    if count < budget && SHORT_IS_DRY && !connection.hangup {
                        connection.readable = false;
                    }
                    budget -= count;
                    let bytes = room.get(..count).unwrap_or_default();
                    if let Some(tap) = &mut self.tap {
                        tap.received(now, conn, bytes);
                    }
                    if !connection.closing {
                        host.handle_input(now, conn, bytes);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    connection.readable = false;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Everything was written, and the host is not interested in more.
                Err(_) if matches!(connection.stage, Stage::Lingering) => {
                    break Step::Close(Closed::Done);
                }
                Err(error) => break Step::Close(stream_failure(&error)),
            }
        };

        match (step, connection.failed) {
            (Step::More, _) => self.mark_behind(conn),
            (_, Some(why)) => self.close(host, now, conn, why),
            (Step::Close(why), None) => self.close(host, now, conn, why),
            (Step::Wait, None) => {}
            // Nobody would hear of the error if the host never wanted to read again.
            (Step::Unwanted, None) if connection.broken => {
                connection.broken = false;
                match stream.take_error().unwrap_or_else(Some) {
                    Some(error) => self.close(host, now, conn, stream_failure(&error)),
                    None => self.mark_paused(conn),
                }
            }
            (Step::Unwanted, None) => self.mark_paused(conn),
        }
    }

    /// The host wants the connection flushed and closed.
    pub(crate) fn flush<H: Host>(&mut self, host: &mut H, now: Instant, conn: ConnId) {
        let Some(connection) = self.conns.get_mut(&conn) else { return };
        if connection.closing {
            return;
        }
        if let Some(why) = connection.failed {
            return self.close(host, now, conn, why);
        }
        connection.closing = true;
        if connection.is_opening() {
            // Without bytes to deliver there is no reason to get through at all.
            if host.pending(conn).is_empty() {
                self.close(host, now, conn, Closed::Done);
            }
            return;
        }
        self.start_flush(now, conn);
    }

    /// From here on input is thrown away: a peer that is stuck in its own writing would never come
    /// to read ours.
    pub(crate) fn start_flush(&mut self, now: Instant, conn: ConnId) {
        self.arm(conn, now + self.options.flush_timeout);
        self.mark_dirty(conn);
        if self.conns.get(&conn).is_some_and(|connection| connection.readable) {
            self.mark_ready(conn);
        }
    }

    /// Everything is written. Closing a socket while input arrives makes the system send a reset,
    /// and that destroys what the peer has not read yet; so the peer gets time to close first.
    fn linger<H: Host>(&mut self, host: &mut H, now: Instant, conn: ConnId) {
        let Some(connection) = self.conns.get_mut(&conn) else { return };
        let Some(stream) = &connection.stream else { return };
        if connection.eof
            || self.options.linger.is_zero()
            || stream.shutdown(Shutdown::Write).is_err()
        {
            return self.close(host, now, conn, Closed::Done);
        }
        connection.stage = Stage::Lingering;
        self.arm(conn, now + self.options.linger);
    }
}
