//! Texts over loopback sockets: the hub on the reactor beside a forwarder that only copies bytes.
//!
//! Both get the same bytes from one blocking socket and hand them to another. `at once`: 256 texts
//! in one write, until the last byte has arrived. `one by one`: from a write to its arrival.
//!
//! On a virtual machine to wake an idle processor takes longer than all else here, and whether it
//! must be done depends on where threads happen to be. `taskset -c 0 cargo bench …` keeps all of
//! them on one.

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Instant;

use msnp_proto::hub::{HubConfig, MemoryDirectory};
use support::{BODY, Peer, hub, ready, serve};

const TEXTS: usize = 256;
const ROUNDS: usize = 300;

/// Two sockets with the hub's switchboard between them.
fn through_hub() -> (TcpStream, TcpStream) {
    let at = serve(hub(HubConfig::loopback(), MemoryDirectory::open()), ready);
    let mut alice = Peer::sign_in(at, "alice@example.net");
    let mut bob = Peer::sign_in(at, "bob@example.net");
    let mut near = alice.open("alice@example.net");
    let far = near.call(&mut bob, "bob@example.net");
    // The sessions stay open as long as the bench runs.
    std::mem::forget((alice, bob));
    (near.socket, far.socket)
}

/// Two sockets with a thread between them that copies bytes one way.
fn through_forwarder() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let at = listener.local_addr().expect("an address");
    let connect = || {
        let outer = TcpStream::connect(at).expect("loopback");
        let (inner, _) = listener.accept().expect("loopback");
        for socket in [&outer, &inner] {
            socket.set_nodelay(true).expect("a socket");
        }
        (outer, inner)
    };
    let (near, mut from) = connect();
    let (far, mut to) = connect();
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = from.read(&mut buffer).expect("a socket");
            to.write_all(&buffer[..read]).expect("a socket");
        }
    });
    (near, far)
}

/// What one way of going through costs, in microseconds.
struct Way {
    name: &'static str,
    near: TcpStream,
    far: TcpStream,
    /// What is written, and how much of it arrives, for each text.
    text: Vec<u8>,
    arrives: usize,
    at_once: Vec<f64>,
    one_by_one: Vec<f64>,
}

impl Way {
    fn new(name: &'static str, (near, far): (TcpStream, TcpStream), arriving: &str) -> Self {
        // A text that is not acknowledged, so that both ways carry the same.
        let text = format!("MSG 9 U {}\r\n{BODY}", BODY.len()).into_bytes();
        let arrives = if arriving.is_empty() { text.len() } else { arriving.len() + BODY.len() };
        let (at_once, one_by_one) = (Vec::new(), Vec::new());
        Self { name, near, far, text, arrives, at_once, one_by_one }
    }

    fn round(&mut self) {
        let mut buffer = vec![0; self.arrives * TEXTS];
        let start = Instant::now();
        self.near.write_all(&self.text.repeat(TEXTS)).expect("a socket");
        self.far.read_exact(&mut buffer).expect("a socket");
        self.at_once.push(start.elapsed().as_secs_f64() * 1e6);
        for _ in 0..16 {
            let start = Instant::now();
            self.near.write_all(&self.text).expect("a socket");
            self.far.read_exact(&mut buffer[..self.arrives]).expect("a socket");
            self.one_by_one.push(start.elapsed().as_secs_f64() * 1e6);
        }
        assert!(buffer.ends_with(b"Hello, Bob!"));
    }

    fn medians(&mut self) -> (f64, f64) {
        let show = |name, times: &mut Vec<f64>| {
            times.sort_by(f64::total_cmp);
            let at = |part: usize| times[(times.len() - 1) * part / 100];
            let name = format!("{}, {name}", self.name);
            println!("{name:<24}{:>10.1} µs   ({:.1} to {:.1})", at(50), at(5), at(95));
            at(50)
        };
        (show("256 at once", &mut self.at_once), show("one by one", &mut self.one_by_one))
    }
}

fn main() {
    let prefix = format!("MSG alice@example.net alice@example.net {}\r\n", BODY.len());
    let mut forwarder = Way::new("forwarder", through_forwarder(), "");
    let mut hub = Way::new("hub", through_hub(), &prefix);
    for _ in 0..ROUNDS {
        forwarder.round();
        hub.round();
    }
    println!("median (5th to 95th percentile) of {ROUNDS} rounds in turn");
    let (forwarder_bulk, forwarder_single) = forwarder.medians();
    let (hub_bulk, hub_single) = hub.medians();
    println!("speed at once:   {:.2} of the forwarder's", forwarder_bulk / hub_bulk);
    println!("time one by one: {:.2} of the forwarder's", hub_single / forwarder_single);
}
