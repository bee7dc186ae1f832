//! A server that does as it is told: it answers line by line what a real one would, until it is
//! to do something else.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What the server does about one command.
pub(crate) enum Answer {
    /// Says what a real server would.
    Usual,
    /// Says this.
    Say(Vec<u8>),
    /// Says this and closes this connection.
    SayAndHangUp(Vec<u8>),
    /// Says nothing.
    Nothing,
    /// Closes this connection.
    HangUp,
    /// Closes all connections.
    HangUpAll,
    /// Says nothing and never closes this connection either.
    Freeze,
}

/// The commands that `send` gives until its text is acknowledged, in order; the goodbyes follow.
pub(crate) const COMMANDS: [&str; 11] =
    ["VER", "INF", "USR", "USR", "SYN", "CHG", "CVR", "XFR", "USR", "CAL", "MSG"];

/// A server on a free port, which is all three servers.
pub(crate) struct Fake {
    pub(crate) at: String,
    /// The commands that it was given.
    pub(crate) heard: Arc<Mutex<Vec<String>>>,
}

type Script = Arc<dyn Fn(usize, &str) -> Answer + Send + Sync>;

impl Fake {
    /// Starts one. `script` is asked about each command: how many came before it on all
    /// connections, and its line.
    pub(crate) fn start(script: impl Fn(usize, &str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let at = listener.local_addr().expect("it listens").to_string();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let count = Arc::new(AtomicUsize::new(0));
        let fake = Self { at: at.clone(), heard: Arc::clone(&heard) };
        let script: Script = Arc::new(script);
        let streams = Arc::new(Mutex::new(Vec::new()));
        // It runs until the test's process ends.
        thread::spawn(move || {
            for (place, stream) in listener.incoming().flatten().enumerate() {
                let other = stream.try_clone().expect("a descriptor");
                streams.lock().expect("no panic").push((place, other));
                let (at, heard, script) = (at.clone(), Arc::clone(&heard), Arc::clone(&script));
                let (count, streams) = (Arc::clone(&count), Arc::clone(&streams));
                thread::spawn(move || {
                    converse(stream, |line| {
                        let number = count.fetch_add(1, Ordering::SeqCst);
                        heard.lock().expect("no panic").push(line.to_owned());
                        match script(number, line) {
                            Answer::Usual => (usual(line, &at), true),
                            Answer::Say(bytes) => (bytes, true),
                            Answer::SayAndHangUp(bytes) => (bytes, false),
                            Answer::Nothing => (Vec::new(), true),
                            Answer::HangUp => (Vec::new(), false),
                            Answer::Freeze => loop {
                                thread::park();
                            },
                            Answer::HangUpAll => {
                                for (_, stream) in streams.lock().expect("no panic").iter() {
                                    // It may be closed already.
                                    let _ = stream.shutdown(Shutdown::Both);
                                }
                                (Vec::new(), false)
                            }
                        }
                    });
                    // There may be hundreds of servers, and few descriptors.
                    streams.lock().expect("no panic").retain(|(other, _)| *other != place);
                });
            }
        });
        fake
    }

    /// Waits until a command has been given.
    pub(crate) fn until_heard(&self, verb: &str) {
        self.until_heard_times(verb, 1);
    }

    /// Waits until a command has been given so many times. Who has said something and has ended
    /// may still not have been heard.
    pub(crate) fn until_heard_times(&self, verb: &str, times: usize) {
        let begun = std::time::Instant::now();
        while self.count(verb) < times {
            assert!(begun.elapsed() < super::PATIENCE, "{verb} does not come");
            thread::yield_now();
        }
    }

    /// How often a command was given.
    pub(crate) fn count(&self, verb: &str) -> usize {
        self.heard.lock().expect("no panic").iter().filter(|line| line.starts_with(verb)).count()
    }
}

/// Gives each command to `answer`, whose answer says whether to go on.
fn converse(stream: TcpStream, mut answer: impl FnMut(&str) -> (Vec<u8>, bool)) {
    stream.set_nodelay(true).expect("a TCP socket");
    let mut out = stream.try_clone().expect("a descriptor");
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
        let command = line.trim_end().to_owned();
        line.clear();
        let words: Vec<&str> = command.split(' ').collect();
        if let ["MSG" | "QRY", .., size] = words.as_slice() {
            let mut payload = vec![0; size.parse().expect("a length")];
            if reader.read_exact(&mut payload).is_err() {
                break;
            }
        }
        let (bytes, goes_on) = answer(&command);
        if out.write_all(&bytes).is_err() || !goes_on {
            break;
        }
    }
    // The other side may have closed it.
    let _ = out.shutdown(Shutdown::Both);
}

/// What a real server says, with bob online and at hand.
pub(crate) fn usual(line: &str, at: &str) -> Vec<u8> {
    let words: Vec<&str> = line.split(' ').collect();
    let trid = words.get(1).copied().unwrap_or("0");
    let text = match words.as_slice() {
        ["VER", ..] => format!("VER {trid} MSNP7 CVR0\r\n"),
        ["INF", ..] => format!("INF {trid} MD5\r\n"),
        ["USR", _, "MD5", "I", ..] => format!("USR {trid} MD5 S 1013928519.693957190\r\n"),
        ["USR", _, "MD5", "S", ..] => format!("USR {trid} OK alice@example.net Alice 1\r\n"),
        ["SYN", ..] => format!(
            "SYN {trid} 1\r\nGTC {trid} 1 A\r\nBLP {trid} 1 AL\r\nLSG {trid} 1 1 1 0 ~ 0\r\n\
             LST {trid} FL 1 1 1 bob@example.net Bob 0\r\nLST {trid} AL 1 0 0\r\n\
             LST {trid} BL 1 0 0\r\nLST {trid} RL 1 0 0\r\n"
        ),
        ["CHG", _, status, ..] => format!("CHG {trid} {status}\r\n"),
        ["ADD", _, list, who, name, ..] => format!("ADD {trid} {list} 2 {who} {name} 0\r\n"),
        ["ADG", _, name, ..] => format!("ADG {trid} 2 {name} 1 0\r\n"),
        ["REA", _, who, name, ..] => format!("REA {trid} 2 {who} {name}\r\n"),
        ["CVR", ..] => format!("CVR {trid} 4.5 4.5 4.5 http://a/ http://a/\r\n"),
        ["XFR", ..] => format!("XFR {trid} SB {at} CKI 1.2\r\n"),
        ["USR", _, account, _] => format!("USR {trid} OK {account} Alice\r\n"),
        ["CAL", _, who, ..] => format!("CAL {trid} RINGING 77\r\nJOI {who} Bob\r\n"),
        ["MSG", _, "A", ..] => format!("ACK {trid}\r\n"),
        _ => String::new(),
    };
    text.into_bytes()
}
