//! A thousand visits to a hub over real sockets, ended at every stage and in every way: afterwards
//! there are as many descriptors and connections as before. One test, since descriptors belong to
//! the whole process.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use msnp_mio::{Handle, Happened, Reactor};
use msnp_proto::hub::{Event, Hub, HubConfig, MemoryDirectory};
use msnp_proto::secret::Entropy;

const VISITS: usize = 1000;

/// Only a test that fails waits that long.
const PATIENCE: Duration = Duration::from_secs(300);

struct Counting(u64);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = (self.0 >> 32) as u8;
        }
    }
}

/// A hub in a thread.
struct Server {
    at: SocketAddr,
    /// Where the switchboards are.
    boards: SocketAddr,
    handle: Handle<Hub>,
    stop: Arc<AtomicBool>,
    /// Gives back how many connections and people there were at the end.
    thread: JoinHandle<(usize, usize)>,
}

impl Server {
    fn start() -> Self {
        let (ready, at) = mpsc::channel();
        let (give, handle) = mpsc::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let entropy = Box::new(Counting(0x2545_F491_4F6C_DD1D));
            let hub = Hub::new(HubConfig::loopback(), MemoryDirectory::open(), entropy);
            let mut reactor = Reactor::new(hub).expect("a reactor");
            give.send(reactor.handle()).expect("somebody waits");
            while !stopped.load(Ordering::Relaxed) {
                match reactor.next(None).expect("the loop runs") {
                    Happened::Event(Event::Ready { dispatch, switchboard, .. }) => {
                        ready.send((dispatch, switchboard)).expect("somebody waits");
                    }
                    Happened::Event(_) | Happened::Woken | Happened::Due => {}
                }
            }
            (reactor.connection_count(), reactor.host().people())
        });
        let handle = handle.recv_timeout(PATIENCE).expect("a handle");
        let (at, boards) = at.recv_timeout(PATIENCE).expect("two addresses");
        Self { at, boards, handle, stop, thread }
    }

    /// What the hub says of itself.
    fn ask<T: Send + 'static>(&self, ask: impl FnOnce(&Hub) -> T + Send + 'static) -> T {
        let (tell, told): (_, Receiver<T>) = mpsc::channel();
        self.handle
            .post(move |hub, _| tell.send(ask(hub)).expect("somebody waits"))
            .expect("it runs");
        told.recv_timeout(PATIENCE).expect("an answer")
    }

    /// Waits until this many connections are left.
    fn wait_for(&self, connections: usize) {
        let until = Instant::now() + PATIENCE;
        while self.ask(Hub::connections) != connections {
            assert!(Instant::now() < until, "{} are left", self.ask(Hub::connections));
            thread::yield_now();
        }
    }

    fn end(self) -> (usize, usize) {
        self.stop.store(true, Ordering::Relaxed);
        self.handle.wake();
        self.thread.join().expect("no panic")
    }
}

/// A client of few words.
struct Peer(TcpStream);

impl Peer {
    fn connect(at: SocketAddr) -> Self {
        let stream = TcpStream::connect(at).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        Self(stream)
    }

    fn say(&mut self, bytes: &str) {
        self.0.write_all(bytes.as_bytes()).expect("it reads");
    }

    /// Reads up to the line that begins so, and returns it.
    fn hear(&mut self, start: &str) -> String {
        loop {
            let mut line = Vec::new();
            while line.last() != Some(&b'\n') {
                let mut byte = [0];
                self.0.read_exact(&mut byte).expect("it speaks");
                line.push(byte[0]);
            }
            if line.starts_with(start.as_bytes()) {
                return String::from_utf8_lossy(&line).trim_end().to_owned();
            }
        }
    }

    fn sign_in(&mut self, account: &str) {
        self.say("VER 1 MSNP5\r\n");
        self.hear("VER 1");
        self.say(&format!("USR 2 MD5 I {account}\r\n"));
        self.hear("USR 2 MD5 S");
        self.say("USR 3 MD5 S 00000000000000000000000000000000\r\nCHG 4 NLN\r\n");
        self.hear("CHG 4");
    }
}

/// How many stages [`visit`] has.
const STAGES: usize = 9;

/// Comes as far as a stage. Bob is there, and takes calls.
fn visit(at: SocketAddr, bob: &mut Peer, account: &str, stage: usize) -> Vec<Peer> {
    let mut peers = vec![Peer::connect(at)];
    if stage == 0 {
        return peers;
    }
    if stage == 1 {
        peers[0].say("VER 1 MSNP5\r\nUSR 2 MD5 I somebod");
        return peers;
    }
    peers[0].sign_in(account);
    if stage == 2 {
        return peers;
    }
    if stage == 3 {
        peers[0].say("SYN 5 0\r\nREA 6");
        return peers;
    }
    peers[0].say("XFR 5 SB\r\n");
    let referral = peers[0].hear("XFR 5 SB");
    let words: Vec<&str> = referral.split(' ').collect();
    peers.push(Peer::connect(words[3].parse().expect("an address")));
    if stage == 4 {
        return peers;
    }
    peers[1].say(&format!("USR 1 {account} {}\r\n", words[5]));
    peers[1].hear("USR 1 OK");
    if stage == 5 {
        return peers;
    }
    peers[1].say("CAL 2 bob@example.net\r\n");
    let ring = bob.hear("RNG ");
    if stage == 6 {
        return peers;
    }
    let words: Vec<&str> = ring.split(' ').collect();
    let mut far = Peer::connect(words[2].parse().expect("an address"));
    far.say(&format!("ANS 1 bob@example.net {} {}\r\n", words[4], words[1]));
    far.hear("ANS 1 OK");
    peers[1].hear("JOI ");
    peers.push(far);
    if stage == 7 {
        return peers;
    }
    // What is said after this is never read, and half of a message is on its way.
    peers[1].say(&"MSG 3 A 7\r\nhello\r\n".repeat(100));
    peers[1].say("MSG 4 A 1000\r\nand so on");
    peers
}

fn leave(mut peer: Peer, way: usize) {
    match way {
        // The end of the stream; a reset, if there is something that was not read.
        0 => drop(peer),
        1 => {
            peer.0.shutdown(Shutdown::Write).expect("it is open");
            let mut rest = Vec::new();
            // The hub may have been first.
            let _ = peer.0.read_to_end(&mut rest);
        }
        // An answer that nobody reads makes the system send a reset.
        _ => {
            let _ = peer.0.write_all(b"\r\nPNG\r\nFOO 9\r\n");
            let _ = peer.0.peek(&mut [0]);
        }
    }
}

#[cfg(target_os = "linux")]
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("proc is there").count()
}

/// Where there is no list of descriptors, the reactor's own count of connections has to do.
#[cfg(not(target_os = "linux"))]
fn descriptors() -> usize {
    0
}

#[test]
fn a_thousand_visits_leave_no_descriptor() {
    let before_all = descriptors();
    let server = Server::start();
    let mut bob = Peer::connect(server.at);
    bob.sign_in("bob@example.net");
    let mut visits = |count: usize| {
        for number in 0..count {
            let account = format!("guest{}@example.net", number % 7);
            let peers = visit(server.at, &mut bob, &account, number % STAGES);
            let ways = number / STAGES;
            for (place, peer) in peers.into_iter().enumerate() {
                leave(peer, (ways + place) % 3);
            }
        }
        // Whoever left before they were accepted is accepted before those who come now.
        for at in [server.at, server.boards] {
            let mut last = Peer::connect(at);
            last.say("OUT\r\n");
            assert_eq!(last.0.read_to_end(&mut Vec::new()).expect("it hangs up"), 0);
        }
        server.wait_for(1);
        let state = server.ask(|hub| {
            let (people, rooms) = (hub.people(), hub.switchboards());
            (people, rooms, hub.cookies(), hub.addresses(), hub.stats().late_calls)
        });
        assert_eq!(state, (1, 0, 0, 1, 0));
        descriptors()
    };
    let idle = visits(STAGES * 3);
    assert_eq!(visits(VISITS), idle);
    bob.say("PNG\r\n");
    bob.hear("QNG");
    leave(bob, 0);
    server.wait_for(0);
    assert_eq!(server.end(), (0, 0));
    assert_eq!(descriptors(), before_all);
}
