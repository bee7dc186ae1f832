//! A network in memory: hosts that connect to each other, and a clock that the test moves.

mod faults;
mod link;
mod node;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::collections::btree_map::{BTreeMap, Entry};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use self::link::{End, Link};
use self::node::{Cell, Node};
use super::{Chunking, Role, SeededEntropy};
use crate::machine::{Closed, ConnId, Host, ListenerId, Output, Target};
use crate::time::{Duration, Instant, earlier};
use crate::transcript::{Line, Side, Transcript};

/// Any number of hosts, what flies between them, and the time.
///
/// The net is a driver as a real one is: it writes only after [`Output::Transmit`], may write less
/// than is pending, leaves bytes where they are while their host does not want to read, keeps no more
/// than a buffer's worth on the way, and reports every connection's end exactly once. Every run is
/// like the other. Every connection is recorded in one transcript under the name of the host that
/// opened it and a number: `alice-1`, `alice-2`.
///
/// ```
/// use msnp_proto::machine::{Machine, Target};
/// use msnp_proto::testing::{Chunking, MachineHost, Net};
/// use msnp_proto::time::{Duration, Instant};
///
/// /// Says back what it hears, once.
/// #[derive(Default)]
/// struct Echo { out: Vec<u8>, heard: usize, done: bool }
/// impl Machine for Echo {
///     type Event = usize;
///     fn handle_input(&mut self, _: Instant, bytes: &[u8]) {
///         self.heard += bytes.len();
///         self.out.extend_from_slice(bytes);
///     }
///     fn handle_eof(&mut self, _: Instant) { self.done = true }
///     // and so on
/// #   fn handle_timeout(&mut self, _: Instant) {}
/// #   fn next_deadline(&self) -> Option<Instant> { None }
/// #   fn pending(&self) -> &[u8] { &self.out }
/// #   fn consume(&mut self, _: Instant, n: usize) { self.out.drain(..n); }
/// #   fn poll_event(&mut self) -> Option<usize> {
/// #       (self.heard > 0).then(|| std::mem::take(&mut self.heard))
/// #   }
/// #   fn is_finished(&self) -> bool { self.done }
/// }
///
/// let mut net = Net::new().with_chunking(Chunking::Every(1)).with_latency(Duration::from_millis(5));
/// let server = net.add("echo.example.net", MachineHost::new(|_| Echo::default()));
/// let client = net.add("alice", MachineHost::new(|_| Echo { out: b"hi\r\n".to_vec(), ..Echo::default() }));
///
/// net.host_mut(server).listen("0.0.0.0:1863".parse()?);
/// net.host_mut(client).connect(Target { host: "echo.example.net".into(), port: 1863 });
/// net.advance(Duration::from_millis(25));
/// assert!(net.events(client).len() > 2);
/// assert!(net.transcript().to_string().contains("0.005 alice-1 C: hi\n"));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[must_use = "nothing moves until settle, advance or run_until"]
pub struct Net {
    hosts: Vec<Place>,
    links: Vec<Link>,
    dials: VecDeque<Dial>,
    listeners: BTreeMap<SocketAddr, (usize, ListenerId)>,
    now: Instant,
    latency: Duration,
    /// What may be added to the latency.
    jitter: Duration,
    random: SeededEntropy,
    seed: u64,
    buffer: usize,
    chunking: Chunking,
    patience: usize,
    next_port: u16,
    transcript: Transcript,
}

/// A host and where it lives.
struct Place {
    name: String,
    ip: IpAddr,
    host: Box<dyn Node>,
    /// How many connections it has opened.
    opened: usize,
}

/// A connection on its way.
struct Dial {
    due: Instant,
    host: usize,
    conn: ConnId,
    to: Target,
}

/// Names one host of a [`Net`], and remembers its type.
pub struct HostKey<H> {
    index: usize,
    host: PhantomData<fn() -> H>,
}

impl<H> Clone for HostKey<H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H> Copy for HostKey<H> {}

impl<H> fmt::Debug for HostKey<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "host {}", self.index)
    }
}

impl Net {
    /// An empty network at time zero, without delay, that cuts nothing and lets 64 KiB be on the
    /// way in each direction of a connection.
    pub const fn new() -> Self {
        Self {
            hosts: Vec::new(),
            links: Vec::new(),
            dials: VecDeque::new(),
            listeners: BTreeMap::new(),
            now: Instant::ZERO,
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            random: SeededEntropy::new(0),
            seed: 0,
            buffer: 64 * 1024,
            chunking: Chunking::Whole,
            patience: 1_000_000,
            next_port: 49_152,
            transcript: Transcript::new(),
        }
    }

    /// How bytes are cut, when they are written and again when they are delivered.
    pub const fn with_chunking(mut self, chunking: Chunking) -> Self {
        self.chunking = chunking;
        self
    }

    /// How long everything takes from one host to another.
    pub const fn with_latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Up to how much longer each piece may take, by the numbers of a seed. What follows on the same
    /// connection waits for it.
    pub const fn with_jitter(mut self, most: Duration, seed: u64) -> Self {
        self.jitter = most;
        self.random = SeededEntropy::new(seed);
        self.seed = seed;
        self
    }

    /// How many bytes can be on the way in one direction of a connection. A writer waits for room.
    pub const fn with_buffer(mut self, bytes: usize) -> Self {
        self.buffer = bytes;
        self
    }

    /// After how many rounds without the clock moving a conversation counts as endless; a million
    /// if not set. In each round every connection carries one piece in each direction.
    pub const fn with_patience(mut self, rounds: usize) -> Self {
        self.patience = rounds;
        self
    }

    /// Adds a host. Others reach it under its name or its address, 192.0.2.1 for the first.
    ///
    /// # Panics
    ///
    /// When the name is taken, or cannot be the name of a connection in a transcript: letters,
    /// digits, dots, hyphens and underscores, a letter first.
    pub fn add<H: Host + 'static>(&mut self, name: &str, host: H) -> HostKey<H> {
        let fits = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
        assert!(fits, "{name:?} is not a name for a host");
        assert!(self.hosts.iter().all(|place| place.name != name), "{name} is there already");
        let index = self.hosts.len();
        let number = u16::try_from(index + 1).expect("fewer than 65,536 hosts");
        let [high, low] = number.to_be_bytes();
        self.hosts.push(Place {
            name: name.to_string(),
            // 192.0.2.0/24 is for documentation; who has more hosts goes on in 192.0.3.0.
            ip: IpAddr::V4(Ipv4Addr::new(192, 0, high.saturating_add(2), low)),
            host: Box::new(Cell { host, events: VecDeque::new() }),
            opened: 0,
        });
        HostKey { index, host: PhantomData }
    }

    /// A host's address.
    #[must_use]
    pub fn ip<H>(&self, key: HostKey<H>) -> IpAddr {
        self.hosts[key.index].ip
    }

    /// A host, to ask it something.
    #[must_use]
    pub fn host<H: Host + 'static>(&self, key: HostKey<H>) -> &H {
        let cell = self.hosts[key.index].host.as_any().downcast_ref::<Cell<H>>();
        &cell.expect("the key is of this net").host
    }

    /// A host, to tell it something. What follows from it happens when the net is run.
    pub fn host_mut<H: Host + 'static>(&mut self, key: HostKey<H>) -> &mut H {
        &mut self.cell(key).host
    }

    /// Tells a host something that wants to know the time.
    pub fn with<H: Host + 'static, R>(
        &mut self,
        key: HostKey<H>,
        act: impl FnOnce(&mut H, Instant) -> R,
    ) -> R {
        let now = self.now;
        act(self.host_mut(key), now)
    }

    /// Takes what a host has reported since the last time.
    pub fn events<H: Host + 'static>(&mut self, key: HostKey<H>) -> Vec<H::Event> {
        self.cell(key).events.drain(..).collect()
    }

    fn cell<H: Host + 'static>(&mut self, key: HostKey<H>) -> &mut Cell<H> {
        let cell = self.hosts[key.index].host.as_any_mut().downcast_mut::<Cell<H>>();
        cell.expect("the key is of this net")
    }

    /// What time it is.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// All that the hosts had to write, in order, at the time when they said so.
    #[must_use]
    pub const fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// The transcript with headers that say how the network was made and which server each
    /// connection is to, as far as its first bytes tell: so [`Dialogue::all`](super::Dialogue::all)
    /// reads it, and [`Replay`](super::Replay) plays it to a machine.
    #[must_use]
    pub fn report(&self) -> Transcript {
        let mut report = Transcript::new();
        let mut header = |key: &str, value: String| {
            report.push(Line::Header { key: key.to_string(), value });
        };
        header("seed", self.seed.to_string());
        header("cut", alloc::format!("{:?}", self.chunking));
        for name in self.transcript.connections().into_iter().flatten() {
            let role = Role::of(&self.transcript.bytes(Some(name), Side::Client));
            if let Some(role) = role {
                header("connection", alloc::format!("{name} {}", role.as_str()));
            }
        }
        self.transcript.lines().iter().for_each(|line| report.push(line.clone()));
        report
    }

    /// Lets happen what can happen without time going by.
    ///
    /// # Panics
    ///
    /// When that has no end.
    pub fn settle(&mut self) {
        for _ in 0..self.patience {
            if !self.round() {
                return;
            }
        }
        panic!("the hosts talk without end at {:?}", self.now);
    }

    /// Lets this much time go by, stopping at everything that is due on the way.
    ///
    /// # Panics
    ///
    /// As [`Net::settle`], and when a host's deadline stays due after its timeout.
    pub fn advance(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    /// Lets time go by until `done`, but not more than `limit`; says whether it was done.
    ///
    /// # Panics
    ///
    /// As [`Net::advance`].
    pub fn run_until(&mut self, limit: Duration, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        let end = self.now + limit;
        loop {
            self.settle();
            if done(self) {
                return true;
            }
            match self.next_due().filter(|due| *due <= end) {
                Some(due) => self.now = self.now.max(due),
                None if self.now < end => self.now = end,
                None => return false,
            }
        }
    }

    /// When something happens next by itself.
    fn next_due(&self) -> Option<Instant> {
        let hosts = self.hosts.iter().map(|place| place.host.next_deadline());
        let dials = self.dials.iter().map(|dial| Some(dial.due));
        let links = self.links.iter().map(|link| link.next_due(self.now));
        hosts.chain(dials).chain(links).fold(None, earlier)
    }

    /// One turn of the driver's loop for everybody; says whether anything happened.
    fn round(&mut self) -> bool {
        let mut moved = false;
        for host in 0..self.hosts.len() {
            while let Some(output) = self.hosts[host].host.poll_output() {
                self.apply(host, output);
                moved = true;
            }
        }
        while let Some(at) = self.dials.iter().position(|dial| dial.due <= self.now) {
            if let Some(dial) = self.dials.remove(at) {
                self.connect(&dial);
                moved = true;
            }
        }
        for link in 0..self.links.len() {
            for end in 0..2 {
                moved |= self.write(link, end);
                moved |= self.deliver(link, end);
            }
        }
        self.links.retain(|link| !link.ends.iter().all(|end| end.gone));
        let now = self.now;
        for place in &mut self.hosts {
            if place.host.next_deadline().is_some_and(|due| due <= now) {
                place.host.handle_timeout(now);
                let next = place.host.next_deadline();
                assert!(
                    next.is_none_or(|next| next > now),
                    "{}: deadline {next:?} is still due after a timeout at {now:?}",
                    place.name
                );
                moved = true;
            }
        }
        moved
    }

    fn apply(&mut self, host: usize, output: Output<node::Never>) {
        match output {
            Output::Connect { conn, to } => {
                let due = self.due();
                self.dials.push_back(Dial { due, host, conn, to });
            }
            Output::Listen { listener, at } => self.listen(host, listener, at),
            Output::Unlisten { listener } => {
                self.listeners.retain(|_, owner| *owner != (host, listener));
            }
            Output::Transmit { conn } => {
                if let Some((link, end)) = self.find(host, conn) {
                    self.links[link].ends[end].has_more = true;
                    self.record(link, end);
                }
            }
            Output::Close { conn, how } => self.close(host, conn, how),
            Output::Event(never) => match never {},
        }
    }

    fn listen(&mut self, host: usize, listener: ListenerId, mut at: SocketAddr) {
        let now = self.now;
        let place = &mut self.hosts[host];
        if at.ip().is_unspecified() {
            at.set_ip(place.ip);
        }
        if at.port() == 0 {
            at.set_port(self.next_port);
            self.next_port = self.next_port.checked_add(1).expect("fewer than 16,384 ports");
        }
        match self.listeners.entry(at) {
            Entry::Occupied(_) => {
                place.host.handle_unlistened(now, listener, Closed::AddressUnavailable);
            }
            Entry::Vacant(free) => {
                free.insert((host, listener));
                place.host.handle_listening(now, listener, at);
            }
        }
    }

    fn connect(&mut self, dial: &Dial) {
        let now = self.now;
        let known = self.hosts.iter().find(|place| place.name == dial.to.host);
        let ip = known.map(|place| place.ip).or_else(|| dial.to.host.parse().ok());
        let port = dial.to.port;
        let to = ip.and_then(|ip| self.listeners.get(&SocketAddr::new(ip, port)).copied());
        let Some((server, listener)) = to else {
            let why = if ip.is_some() { Closed::Refused } else { Closed::UnknownHost };
            self.hosts[dial.host].host.handle_closed(now, dial.conn, why);
            return;
        };
        let place = &mut self.hosts[dial.host];
        place.opened += 1;
        let name = alloc::format!("{}-{}", place.name, place.opened);
        // Ephemeral ports wrap: a test that outlives 16,384 of them does not look at them.
        let peer = SocketAddr::new(place.ip, self.next_port);
        self.next_port = self.next_port.checked_add(1).unwrap_or(49_152);
        let text = alloc::format!(" {name} is connected to {}", dial.to);
        self.transcript.push(Line::Comment(text));
        let accepted = self.hosts[server].host.handle_accepted(now, listener, peer);
        self.hosts[dial.host].host.handle_connected(now, dial.conn);
        let mut ends = [
            End::new(dial.host, dial.conn, self.chunking),
            End::new(server, accepted.unwrap_or(ConnId::new(u32::MAX, u32::MAX)), self.chunking),
        ];
        if accepted.is_none() {
            ends[1].gone = true;
            ends[0].fin = Some(now);
        }
        self.links.push(Link { name, ends });
    }
}

impl Default for Net {
    fn default() -> Self {
        Self::new()
    }
}

/// A net that goes down in a panic leaves its [`Net::report`] on standard error.
impl Drop for Net {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::eprintln!("{}", self.report());
        }
    }
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hosts, links, now, .. } = self;
        write!(f, "Net({} hosts, {} connections, {now:?})", hosts.len(), links.len())
    }
}
