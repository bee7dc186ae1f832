//! The loop itself: the order in which things happen.
//!
//! This module knows the turn: outputs, writes, sleep, events, reads, deadlines. How each is done
//! is in the modules beside it, and what it is good for only the host knows.

use std::net::SocketAddr;
use std::sync::Arc;
use std::{fmt, io};

use mio::{Events, Poll, Waker};
use msnp_proto::machine::{ConnId, Host};
use msnp_proto::time::{Duration, Instant};

use crate::clock::Clock;
use crate::error::Error;
use crate::handle::{Bell, Handle, Inbox};
use crate::net::{Net, WAKER};
use crate::open::Socket;
use crate::options::Options;
use crate::resolve::{Resolve, SystemResolver};
use crate::tap::Tap;

/// How many sockets one look at the poll reports.
const EVENTS: usize = 1024;

/// Runs one [`Host`]: owns it and its sockets, and tells it what happens to them.
///
/// The application pulls: [`Reactor::next`] runs the loop until the host has something to say.
/// Between two calls the application may do with the host what it likes; what that makes the host
/// want is done before the loop sleeps again. Nothing happens while nobody calls.
///
/// Each connection is written to once for everything that one turn of the loop brought about, so a
/// burst of small answers is one system call.
///
/// Whoever has little to say is served first: each connection has a share of every turn
/// ([`Options::read_budget`]), and those with more wait until what the others said is answered.
///
/// ```
/// use msnp_mio::{Error, Happened, Reactor};
/// use msnp_proto::machine::Host;
/// use std::time::Duration;
///
/// /// Shows what a host reports until `is_last`, then gives its connections a second to close.
/// fn run<H: Host>(host: H, is_last: fn(&mut H, &H::Event) -> bool) -> Result<H, Error>
/// where
///     H::Event: std::fmt::Debug,
/// {
///     let mut reactor = Reactor::new(host)?;
///     loop {
///         if let Happened::Event(event) = reactor.next(None)? {
///             println!("{event:?}");
///             if is_last(reactor.host_mut(), &event) {
///                 break;
///             }
///         }
///     }
///     let until = reactor.now() + Duration::from_secs(1);
///     while let Some(happened) = reactor.settle(until)? {
///         match happened {
///             Happened::Event(event) => println!("{event:?}"),
///             Happened::Woken | Happened::Due => break,
///         }
///     }
///     Ok(reactor.into_host())
/// }
/// ```
#[must_use = "a reactor does nothing unless `next` is called"]
pub struct Reactor<H: Host> {
    host: H,
    net: Net,
    inbox: Inbox<H>,
    clock: Clock,
    events: Events,
    /// Whether this turn's writes are done, so that a host that never runs out of bytes does not
    /// keep the loop from its input.
    worked: bool,
    woken: bool,
}

/// What made [`Reactor::next`] return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened<E> {
    /// The host has something for the application.
    Event(E),
    /// A [`Handle`] asked for the application's attention.
    Woken,
    /// The time given to the call has come.
    Due,
}

impl<H: Host> Reactor<H> {
    /// A reactor with default [`Options`] that runs `host`.
    ///
    /// # Errors
    ///
    /// [`Error::Setup`] when the system gives no poll.
    pub fn new(host: H) -> Result<Self, Error> {
        Self::with_options(host, Options::default())
    }

    /// A reactor that runs `host`.
    ///
    /// # Errors
    ///
    /// [`Error::Setup`] when the system gives no poll.
    pub fn with_options(host: H, options: Options) -> Result<Self, Error> {
        let poll = Poll::new().map_err(Error::Setup)?;
        let waker = Waker::new(poll.registry(), WAKER).map_err(Error::Setup)?;
        let bell = Arc::new(Bell::new(waker));
        let resolver = Box::new(SystemResolver::new());
        Ok(Self {
            host,
            inbox: Inbox::new(Arc::clone(&bell)),
            net: Net::new(poll, bell, options, resolver),
            clock: Clock::new(),
            events: Events::with_capacity(EVENTS),
            worked: false,
            woken: false,
        })
    }

    /// Runs the loop until there is something for the application, or until `until` has come.
    ///
    /// Everything that the host has put out is applied before the loop sleeps. The system is
    /// looked at once even if `until` is past, so that is a way to do what can be done at once.
    /// Without `until` the call may never return: when the host has no connection, no deadline and
    /// nobody has a [`Handle`].
    ///
    /// # Errors
    ///
    /// [`Error::Poll`]; the loop may be tried again. Trouble of one connection is never an error
    /// here.
    pub fn next(&mut self, until: Option<Instant>) -> Result<Happened<H::Event>, Error> {
        loop {
            if let Some(happened) = self.run(until, |_| false)? {
                return Ok(happened);
            }
        }
    }

    /// As [`Reactor::next`], but returns `None` once no connection is left. This is for the end,
    /// when the host has closed all its connections. Listening sockets do not count.
    ///
    /// # Errors
    ///
    /// As [`Reactor::next`].
    pub fn settle(&mut self, until: Instant) -> Result<Option<Happened<H::Event>>, Error> {
        self.run(Some(until), |reactor| reactor.connection_count() == 0)
    }

    /// As [`Reactor::next`], but returns `None` once no connection has bytes left to write.
    ///
    /// # Errors
    ///
    /// As [`Reactor::next`].
    pub fn flush(&mut self, until: Instant) -> Result<Option<Happened<H::Event>>, Error> {
        self.run(Some(until), |reactor| {
            reactor.net.conns.keys().all(|&conn| reactor.host.pending(conn).is_empty())
        })
    }

    /// The host.
    pub fn host(&self) -> &H {
        &self.host
    }

    /// The host, to give it commands. What they bring about happens in the next call of
    /// [`Reactor::next`].
    pub fn host_mut(&mut self) -> &mut H {
        &mut self.host
    }

    /// Drops all sockets at once and gives the host back.
    pub fn into_host(self) -> H {
        self.host
    }

    /// The time that the host is told.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The clock behind [`Reactor::now`], which also tells the time of day of a point in time.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// A way to reach this reactor from other threads.
    #[must_use]
    pub fn handle(&self) -> Handle<H> {
        self.inbox.handle()
    }

    /// Lets `tap` watch all connections from now on, in place of the one before.
    pub fn set_tap(&mut self, tap: Box<dyn Tap>) {
        self.net.tap = Some(tap);
    }

    /// Lets `setup` set options on the socket of every connection from now on, before anything is
    /// read or written: on accepted ones, and on each that is tried on the way to a connection. What
    /// a system does not know, or refuses, is for `setup` to pass over.
    pub fn set_socket_setup(&mut self, setup: Box<dyn FnMut(Socket<'_>)>) {
        self.net.setup = Some(setup);
    }

    /// Looks names up with `resolver` from now on. The default is [`SystemResolver`].
    pub fn set_resolver(&mut self, resolver: Box<dyn Resolve>) {
        self.net.resolver = resolver;
    }

    /// How many connections there are: being opened, open, or being closed.
    #[must_use]
    pub fn connection_count(&self) -> usize {
        self.net.conns.len()
    }

    /// How often a listening socket had to rest because the system would not accept, most likely
    /// for want of descriptors.
    #[must_use]
    pub fn accept_pauses(&self) -> u64 {
        self.net.accept_pauses
    }

    /// The address of this side of a connection, if it has one yet.
    #[must_use]
    pub fn local_addr(&self, conn: ConnId) -> Option<SocketAddr> {
        self.net.conns.get(&conn)?.stream.as_ref()?.local_addr().ok()
    }

    /// The address of the other side of a connection, if it is open.
    #[must_use]
    pub fn peer_addr(&self, conn: ConnId) -> Option<SocketAddr> {
        self.net.conns.get(&conn)?.stream.as_ref()?.peer_addr().ok()
    }

    /// `None` means that `stop` holds, after all outputs were applied.
    fn run(
        &mut self,
        until: Option<Instant>,
        stop: impl Fn(&Self) -> bool,
    ) -> Result<Option<Happened<H::Event>>, Error> {
        let mut looked = false;
        let happened = loop {
            if let Some(event) = self.drain() {
                return Ok(Some(Happened::Event(event)));
            }
            if !self.worked {
                self.worked = true;
                self.net.work(&mut self.host, self.clock.now());
                // Writing can make the host want more.
                continue;
            }
            if std::mem::take(&mut self.woken) {
                break Some(Happened::Woken);
            }
            if stop(self) {
                break None;
            }
            if looked && until.is_some_and(|until| until <= self.clock.now()) {
                break Some(Happened::Due);
            }
            self.turn(until)?;
            looked = true;
        };
        // What the application does now is to be written before the next look at the poll.
        self.worked = false;
        Ok(happened)
    }

    /// Applies what the host has put out, up to an event.
    fn drain(&mut self) -> Option<H::Event> {
        let mut output = self.host.poll_output()?;
        let now = self.clock.now();
        loop {
            if let Some(event) = self.net.apply(&mut self.host, now, output) {
                return Some(event);
            }
            output = self.host.poll_output()?;
        }
    }

    /// Sleeps until something happens, and tells the host.
    fn turn(&mut self, until: Option<Instant>) -> Result<(), Error> {
        let caught_up = self.net.catch_up(&mut self.host, self.clock);
        self.net.reconsider(&self.host);
        let timeout = if caught_up { Some(Duration::ZERO) } else { self.timeout(until) };
        match self.net.poll.poll(&mut self.events, timeout) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.events.clear(),
            Err(error) => return Err(Error::Poll(error)),
        }
        self.worked = false;
        let now = self.clock.now();
        let mut rung = false;
        for event in &self.events {
            if event.token() == WAKER {
                rung = true;
            } else {
                self.net.note(event);
            }
        }
        if rung {
            self.net.bell.hush();
            // Before the jobs, so that whoever posts and then wakes finds the job done.
            self.woken |= self.net.bell.take_woken();
            for found in self.net.bell.take_found() {
                self.net.found(&mut self.host, now, found);
            }
            for job in self.inbox.take() {
                job(&mut self.host, now);
            }
        }
        self.net.serve(&mut self.host, now);
        self.net.expire(&mut self.host, now);
        if self.host.next_deadline().is_some_and(|at| at <= now) {
            self.host.handle_timeout(now);
        }
        Ok(())
    }

    fn timeout(&self, until: Option<Instant>) -> Option<Duration> {
        if self.net.is_busy() {
            return Some(Duration::ZERO);
        }
        let first = [until, self.host.next_deadline(), self.net.next_deadline()]
            .into_iter()
            .flatten()
            .min()?;
        Some(first - self.clock.now())
    }
}

impl<H: Host> fmt::Debug for Reactor<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reactor")
            .field("connections", &self.connection_count())
            .finish_non_exhaustive()
    }
}
