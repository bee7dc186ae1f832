//! What ordinary people feel of hostile ones: twenty who talk in pairs, first alone, then beside
//! somebody who sends without end, or does not read.
//!
//! Each text is stamped when it is written and again when its last byte has arrived. Every kind of
//! trouble has five runs, each on a hub of its own: first quiet, then loaded. Medians of the five
//! are compared: the loaded 99th percentile may be twice the quiet one, or 1 ms more, whichever is
//! more. `cargo bench -p msnp-mio --bench hostile -- PNG` runs the kinds whose names hold `PNG`.

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use msnp_proto::hub::{Event, HubConfig, HubLimits, MemoryDirectory};
use msnp_proto::machine::{self, Closed, ConnId, Host, ListenerId, Output};
use msnp_proto::time;
use msnp_proto::types::Handle;
use support::{BODY, Peer, hub, ready, serve};

const RUNS: usize = 5;
const PAIRS: usize = 10;
/// Texts from one to the other and back, in one measurement.
const ROUNDS: u32 = 300;
const PACE: Duration = Duration::from_millis(2);
/// How many commands a hostile client prepares; it sends them again and again.
const COMMANDS: usize = 100_000;
const MALLORY: &str = "mallory@example.net";
const SLOW: &str = "slow@example.net";

fn handle(text: &str) -> Handle {
    Handle::new(text).expect("an account")
}

fn ordinary(number: usize) -> String {
    format!("person{number}@example.net")
}

/// Everybody has Mallory as a contact and is one of hers, so that they are told of what she does.
fn directory() -> MemoryDirectory {
    let mut directory =
        MemoryDirectory::new().open_account(handle(MALLORY)).open_account(handle(SLOW));
    for number in 0..PAIRS * 2 {
        directory = directory.open_account(handle(&ordinary(number)));
    }
    for number in 0..1000 {
        directory = directory.open_account(handle(&format!("stranger{number}@example.net")));
    }
    for number in 0..PAIRS * 2 {
        let person = handle(&ordinary(number));
        directory = directory.contact(&person, &handle(MALLORY)).contact(&handle(MALLORY), &person);
    }
    directory
}

fn config(limits: HubLimits) -> HubConfig {
    let mut config = HubConfig::loopback();
    config.limits = limits;
    // All come from one address.
    config.limits.connections_per_address = 256;
    config
}

/// Two people in a switchboard.
struct Pair {
    near: TcpStream,
    far: TcpStream,
    /// What arrives of a text, each way.
    arrives: [usize; 2],
    /// Their notification connections, which stay open.
    _people: [Peer; 2],
}

impl Pair {
    fn new(at: SocketAddr, number: usize) -> Self {
        let names = [ordinary(2 * number), ordinary(2 * number + 1)];
        let mut people = [Peer::sign_in(at, &names[0]), Peer::sign_in(at, &names[1])];
        let mut near = people[0].open(&names[0]);
        let far = near.call(&mut people[1], &names[1]);
        let arrives = names.map(|name| format!("MSG {name} {name} {}\r\n{BODY}", BODY.len()).len());
        Self { near: near.socket, far: far.socket, arrives, _people: people }
    }

    /// Talks at an even pace, and says how long each text took, in microseconds.
    fn talk(&mut self, begin: Instant) -> Vec<f64> {
        let text = format!("MSG 9 U {}\r\n{BODY}", BODY.len());
        let mut buffer = [0; 1024];
        let mut times = Vec::new();
        for round in 0..ROUNDS {
            let wait = (begin + PACE * round).saturating_duration_since(Instant::now());
            thread::sleep(wait);
            for (from, to, arrives) in
                [(&self.near, &self.far, self.arrives[0]), (&self.far, &self.near, self.arrives[1])]
            {
                let (mut from, mut to) = (from, to);
                let start = Instant::now();
                from.write_all(text.as_bytes()).expect("a socket");
                to.read_exact(&mut buffer[..arrives]).expect("a socket");
                times.push(start.elapsed().as_secs_f64() * 1e6);
            }
        }
        assert!(buffer.starts_with(b"MSG person"));
        times
    }
}

/// All pairs talk at once. Their beginnings are spread, so that they do not meet by design.
fn measure(pairs: &mut [Pair]) -> Figures {
    let begin = Instant::now() + Duration::from_millis(5);
    let mut times: Vec<f64> = thread::scope(|scope| {
        let spread = PACE / PAIRS as u32;
        let threads: Vec<_> = (0..)
            .zip(pairs)
            .map(|(number, pair)| scope.spawn(move || pair.talk(begin + spread * number)))
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a talk")).collect()
    });
    times.sort_by(f64::total_cmp);
    let at = |per_mille: usize| times[(times.len() - 1) * per_mille / 1000];
    Figures { p50: at(500), p99: at(990), most: at(1000) }
}

#[derive(Clone, Copy)]
struct Figures {
    p50: f64,
    p99: f64,
    most: f64,
}

/// Somebody who makes trouble until told to stop.
struct Trouble {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    sent: Arc<AtomicUsize>,
    /// What is read from, to be shut down at the end.
    drained: Vec<TcpStream>,
}

impl Trouble {
    fn new() -> Self {
        let (stop, sent) = (Arc::default(), Arc::default());
        Self { stop, threads: Vec::new(), sent, drained: Vec::new() }
    }

    /// Sends `lines` again and again as fast as the hub takes them, and reads all answers.
    fn flood(mut self, socket: TcpStream, lines: Vec<u8>) -> Self {
        self.drain(&socket);
        let (stop, sent) = (Arc::clone(&self.stop), Arc::clone(&self.sent));
        self.threads.push(thread::spawn(move || {
            socket.set_write_timeout(Some(Duration::from_millis(20))).expect("a socket");
            let mut rest = &lines[..];
            while !stop.load(Ordering::Relaxed) {
                if let Ok(written) = (&socket).write(rest) {
                    sent.fetch_add(written, Ordering::Relaxed);
                    rest = &rest[written..];
                    if rest.is_empty() {
                        rest = &lines;
                    }
                }
            }
        }));
        self
    }

    /// Reads and forgets.
    fn drain(&mut self, socket: &TcpStream) {
        self.drained.push(socket.try_clone().expect("a socket"));
        let mut socket = socket.try_clone().expect("a socket");
        self.threads.push(thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while socket.read(&mut buffer).is_ok_and(|read| read > 0) {}
        }));
    }

    /// Connects again and again.
    fn knock(mut self, at: SocketAddr) -> Self {
        let (stop, sent) = (Arc::clone(&self.stop), Arc::clone(&self.sent));
        self.threads.push(thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                if TcpStream::connect(at).is_ok() {
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            }
        }));
        self
    }

    /// Ends it. Returns how many bytes were sent.
    fn end(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        for socket in self.drained {
            // The hub may have been first.
            let _ = socket.shutdown(Shutdown::Both);
        }
        for thread in self.threads {
            thread.join().expect("a thread");
        }
        self.sent.load(Ordering::Relaxed)
    }
}

/// Commands with a number each, from `line`.
fn commands(mut line: impl FnMut(usize, &mut String)) -> Vec<u8> {
    let mut lines = String::new();
    for number in 1..=COMMANDS {
        line(number, &mut lines);
        lines.push_str("\r\n");
    }
    lines.into_bytes()
}

/// What somebody signed in sends without end; none for other kinds of trouble.
fn lines_of(kind: &str) -> Option<Vec<u8>> {
    let states = ["NLN", "BSY", "AWY"];
    Some(match kind {
        "PNG" => commands(|_, out| out.push_str("PNG")),
        "CHG" => commands(|n, out| write!(out, "CHG {n} {}", states[n % 3]).expect("room")),
        "REA" => commands(|n, out| write!(out, "REA {n} {MALLORY} Name{n}").expect("room")),
        "ADD" => commands(|n, out| {
            let who = format!("stranger{}@example.net", n % 1000);
            write!(out, "ADD {n} FL {who} {who}").expect("room");
        }),
        "XFR SB" => commands(|n, out| write!(out, "XFR {n} SB").expect("room")),
        "SYN" => commands(|n, out| write!(out, "SYN {n} 0").expect("room")),
        "unknown" => commands(|n, out| {
            out.push_str(if n % 8 == 0 { "PNG" } else { "FOO" });
        }),
        "blank lines" => commands(|_, _| {}),
        _ => return None,
    })
}

/// A switchboard with Mallory and five others who read what she says.
fn crowded_room(at: SocketAddr, trouble: &mut Trouble) -> TcpStream {
    let mut mallory = Peer::sign_in(at, MALLORY);
    let mut board = mallory.open(MALLORY);
    for number in 0..5 {
        let name = format!("stranger{number}@example.net");
        let mut other = Peer::sign_in(at, &name);
        let far = board.call(&mut other, &name);
        trouble.drain(&far.socket);
        // Open as long as the bench runs.
        std::mem::forget((other, far));
    }
    std::mem::forget(mallory);
    board.socket
}

/// Lets somebody in who never reads, says as much as it takes until they are dropped, and does it
/// again.
fn beside_a_slow_reader(at: SocketAddr) -> Trouble {
    let mut trouble = Trouble::new();
    let stop = Arc::clone(&trouble.stop);
    let sent = Arc::clone(&trouble.sent);
    trouble.threads.push(thread::spawn(move || {
        let mut mallory = Peer::sign_in(at, MALLORY);
        let mut slow = Peer::sign_in(at, SLOW);
        let mut board = mallory.open(MALLORY);
        while !stop.load(Ordering::Relaxed) {
            let stuck = board.call(&mut slow, SLOW);
            sent.fetch_add(fill(&mut board, &stop), Ordering::Relaxed);
            drop(stuck);
        }
    }));
    trouble
}

/// Says texts, sixteen in flight, until somebody leaves. Returns how many bytes it took.
fn fill(board: &mut Peer, stop: &AtomicBool) -> usize {
    let text = format!("MSG 9 A 1400\r\n{}", "x".repeat(1400));
    board.say(&text.repeat(16));
    let mut bytes = 0;
    while !stop.load(Ordering::Relaxed) {
        let line = board.hear("");
        if line.starts_with("BYE") {
            break;
        }
        bytes += text.len();
        board.say(&text);
    }
    // Those in flight.
    board.say("CAL 77 nobody@example.net\r\n");
    board.hear("217 77");
    bytes
}

fn begin(kind: &str, at: SocketAddr) -> Trouble {
    if let Some(lines) = lines_of(kind) {
        return Trouble::new().flood(Peer::sign_in(at, MALLORY).socket, lines);
    }
    let mut trouble = Trouble::new();
    match kind {
        "slow reader" => beside_a_slow_reader(at),
        "connections" => trouble.knock(at),
        "empty texts" => {
            let board = crowded_room(at, &mut trouble);
            trouble.flood(board, b"MSG 1 A 0\r\n".repeat(COMMANDS))
        }
        "long texts" => {
            let board = crowded_room(at, &mut trouble);
            let text = format!("MSG 1 A 1664\r\n{}", "x".repeat(1664));
            trouble.flood(board, text.repeat(1000).into_bytes())
        }
        other => panic!("no such kind: {other}"),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Five runs of one kind. Returns whether the limit holds.
fn compare(kind: &str, limits: &HubLimits, name: &str) -> bool {
    let (mut quiet, mut loaded, mut sent) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let at = serve(hub(config(limits.clone()), directory()), ready);
        let mut pairs: Vec<Pair> = (0..PAIRS).map(|number| Pair::new(at, number)).collect();
        measure(&mut pairs);
        quiet.push(measure(&mut pairs));
        let trouble = begin(kind, at);
        thread::sleep(Duration::from_millis(20));
        loaded.push(measure(&mut pairs));
        sent.push(trouble.end() as f64);
    }
    let of = |runs: &[Figures], pick: fn(&Figures) -> f64| median(runs.iter().map(pick).collect());
    let (before, after) = (of(&quiet, |f| f.p99), of(&loaded, |f| f.p99));
    let limit = (2.0 * before).max(before + 1000.0);
    println!(
        "{name:<26}{:>8.0}{:>8.0}   {:>8.0}{:>8.0}{:>9.0}{:>12.0}   {}",
        of(&quiet, |f| f.p50),
        before,
        of(&loaded, |f| f.p50),
        after,
        of(&loaded, |f| f.most),
        median(sent),
        if after <= limit { "holds" } else { "FAILS" }
    );
    after <= limit
}

/// A host that is watched from outside: how much waits, and when connections are dropped.
struct Watched<H> {
    inner: H,
    conns: BTreeMap<ConnId, Option<Instant>>,
    noted: Arc<Noted>,
}

#[derive(Default)]
struct Noted {
    /// The most that waited on one connection, in bytes.
    peak: AtomicUsize,
    /// From the input that made the hub drop a connection to the connection's end, at most, in ns.
    gone_after: AtomicU64,
    drops: AtomicUsize,
}

impl<H: Host> Host for Watched<H> {
    type Event = H::Event;

    fn handle_connected(&mut self, now: time::Instant, conn: ConnId) {
        self.inner.handle_connected(now, conn);
    }

    fn handle_closed(&mut self, now: time::Instant, conn: ConnId, why: Closed) {
        self.inner.handle_closed(now, conn, why);
        if let Some(Some(dropped)) = self.conns.remove(&conn) {
            let nanos = u64::try_from(dropped.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.noted.gone_after.fetch_max(nanos, Ordering::Relaxed);
            self.noted.drops.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn handle_listening(&mut self, now: time::Instant, listener: ListenerId, local: SocketAddr) {
        self.inner.handle_listening(now, listener, local);
    }

    fn handle_accepted(
        &mut self,
        now: time::Instant,
        listener: ListenerId,
        peer: SocketAddr,
    ) -> Option<ConnId> {
        let conn = self.inner.handle_accepted(now, listener, peer)?;
        self.conns.insert(conn, None);
        Some(conn)
    }

    fn handle_unlistened(&mut self, now: time::Instant, listener: ListenerId, why: Closed) {
        self.inner.handle_unlistened(now, listener, why);
    }

    fn handle_input(&mut self, now: time::Instant, conn: ConnId, bytes: &[u8]) {
        self.inner.handle_input(now, conn, bytes);
        let most = self.conns.keys().map(|conn| self.inner.pending(*conn).len()).max();
        self.noted.peak.fetch_max(most.unwrap_or(0), Ordering::Relaxed);
    }

    fn handle_eof(&mut self, now: time::Instant, conn: ConnId) {
        self.inner.handle_eof(now, conn);
    }

    fn handle_timeout(&mut self, now: time::Instant) {
        self.inner.handle_timeout(now);
    }

    fn next_deadline(&self) -> Option<time::Instant> {
        self.inner.next_deadline()
    }

    fn pending(&self, conn: ConnId) -> &[u8] {
        self.inner.pending(conn)
    }

    fn consume(&mut self, now: time::Instant, conn: ConnId, written: usize) {
        self.inner.consume(now, conn, written);
    }

    fn wants_read(&self, conn: ConnId) -> bool {
        self.inner.wants_read(conn)
    }

    fn poll_output(&mut self) -> Option<Output<H::Event>> {
        let output = self.inner.poll_output();
        if let Some(Output::Close { conn, how: machine::Shutdown::Abort }) = output {
            self.conns.insert(conn, Some(Instant::now()));
        }
        output
    }
}

/// How much a reader that never reads holds, and how soon it is gone.
fn slow_reader() -> bool {
    let noted = Arc::new(Noted::default());
    let limits = HubLimits::new();
    let hard = limits.backlog_hard;
    let inner = hub(config(limits), directory());
    let host = Watched { inner, conns: BTreeMap::new(), noted: Arc::clone(&noted) };
    let at = serve(host, |event: Event| ready(event));
    let trouble = beside_a_slow_reader(at);
    while noted.drops.load(Ordering::Relaxed) < RUNS {
        thread::sleep(Duration::from_millis(5));
    }
    trouble.end();
    let peak = noted.peak.load(Ordering::Relaxed);
    let gone = noted.gone_after.load(Ordering::Relaxed) as f64 / 1e3;
    let holds = peak <= hard && gone <= 1e6;
    println!(
        "slow reader: {RUNS} dropped; at most {peak} bytes waited (limit {hard}); gone {gone:.0} µs \
         after passing it, at most (limit 1 s)   {}",
        if holds { "holds" } else { "FAILS" }
    );
    holds
}

fn main() {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part));
    println!("µs from write to arrival, medians of {RUNS} runs; sent: bytes or connections\n");
    println!(
        "{:<26}{:>8}{:>8}   {:>8}{:>8}{:>9}{:>12}",
        "beside", "p50", "p99", "p50", "p99", "most", "sent"
    );
    let mut holds = true;
    for kind in [
        "slow reader",
        "PNG",
        "CHG",
        "REA",
        "ADD",
        "XFR SB",
        "SYN",
        "unknown",
        "blank lines",
        "empty texts",
        "long texts",
        "connections",
    ] {
        if is_wanted(kind) {
            holds &= compare(kind, &HubLimits::new(), kind);
        }
    }
    // Without rates, changes that others are told of would fill the queues of those others.
    for kind in ["PNG", "ADD", "XFR SB"] {
        let name = format!("{kind}, rates off");
        if is_wanted(&name) {
            let mut limits = HubLimits::new();
            (limits.changes, limits.commands) = (None, None);
            holds &= compare(kind, &limits, &name);
        }
    }
    println!();
    if is_wanted("slow reader") {
        holds &= slow_reader();
    }
    println!("{}", if holds { "all hold" } else { "some FAIL" });
}
