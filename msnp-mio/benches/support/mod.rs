//! What the benches over sockets share: a hub in a thread, and people of few words.
#![allow(dead_code, unreachable_pub, reason = "every bench uses a part of it")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;

use msnp_mio::{Happened, Reactor};
use msnp_proto::hub::{Event, Hub, HubConfig, MemoryDirectory};
use msnp_proto::machine::Host;
use msnp_proto::secret::Entropy;

pub const BODY: &str = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n\
    X-MMS-IM-Format: FN=Arial; EF=; CO=0; CS=0; PF=22\r\n\r\nHello, Bob!";

/// Numbers that differ, and are nobody's secret.
pub struct Counting(pub u64);

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

pub fn hub(config: HubConfig, directory: MemoryDirectory) -> Hub {
    Hub::new(config, directory, Box::new(Counting(0x2545_F491_4F6C_DD1D)))
}

/// Runs a host in a thread of its own, for as long as the bench runs; `at` finds in its events where
/// it listens.
pub fn serve<H: Host + Send + 'static>(
    host: H,
    at: impl Fn(H::Event) -> Option<SocketAddr> + Send + 'static,
) -> SocketAddr {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut reactor = Reactor::new(host).expect("a reactor");
        loop {
            if let Happened::Event(event) = reactor.next(None).expect("a loop") {
                if let Some(at) = at(event) {
                    send.send(at).expect("somebody waits");
                }
            }
        }
    });
    receive.recv().expect("ready")
}

/// Where a hub listens, once it does.
pub fn ready(event: Event) -> Option<SocketAddr> {
    match event {
        Event::Ready { dispatch, .. } => Some(dispatch),
        _ => None,
    }
}

/// A client of few words over a blocking socket.
pub struct Peer {
    pub socket: TcpStream,
    seen: Vec<u8>,
}

impl Peer {
    pub fn connect(to: SocketAddr) -> Self {
        let socket = TcpStream::connect(to).expect("loopback");
        socket.set_nodelay(true).expect("a socket");
        Self { socket, seen: Vec::new() }
    }

    pub fn say(&mut self, line: &str) {
        self.socket.write_all(line.as_bytes()).expect("the hub reads");
    }

    /// Reads until a line begins with `start`, gives that line and forgets all up to it.
    pub fn hear(&mut self, start: &str) -> String {
        let mut buffer = [0; 4096];
        loop {
            while let Some(end) = self.seen.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.seen.drain(..=end).collect();
                if line.starts_with(start.as_bytes()) {
                    return String::from_utf8_lossy(&line).trim_end().to_owned();
                }
            }
            let read = self.socket.read(&mut buffer).expect("the hub speaks");
            assert!(read > 0, "the hub hung up before {start:?}");
            self.seen.extend_from_slice(&buffer[..read]);
        }
    }

    /// Signs in with any password and comes online, in MSNP5, which has no challenges.
    pub fn sign_in(to: SocketAddr, account: &str) -> Self {
        let mut peer = Self::connect(to);
        peer.say("VER 1 MSNP5 CVR0\r\n");
        peer.hear("VER 1");
        peer.say(&format!("USR 2 MD5 I {account}\r\n"));
        peer.hear("USR 2 MD5 S");
        peer.say("USR 3 MD5 S 00000000000000000000000000000000\r\n");
        peer.hear("USR 3 OK");
        peer.say("CHG 4 NLN\r\n");
        peer.hear("CHG 4");
        peer
    }

    /// Opens a switchboard.
    pub fn open(&mut self, account: &str) -> Self {
        self.say("XFR 5 SB\r\n");
        let answer = self.hear("XFR 5 SB");
        let words: Vec<&str> = answer.split(' ').collect();
        let mut board = Self::connect(words[3].parse().expect("an address"));
        board.say(&format!("USR 1 {account} {}\r\n", words[5]));
        board.hear("USR 1 OK");
        board
    }

    /// Calls somebody into this switchboard, who comes.
    pub fn call(&mut self, other: &mut Self, account: &str) -> Self {
        self.say(&format!("CAL 2 {account}\r\n"));
        self.hear("CAL 2 RINGING");
        let ring = other.hear("RNG ");
        let words: Vec<&str> = ring.split(' ').collect();
        let mut far = Self::connect(words[2].parse().expect("an address"));
        far.say(&format!("ANS 1 {account} {} {}\r\n", words[4], words[1]));
        far.hear("ANS 1 OK");
        self.hear(&format!("JOI {account}"));
        far
    }
}
