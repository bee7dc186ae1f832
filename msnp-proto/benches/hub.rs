//! What a hub costs, without system calls: relayed texts, notices of presence, the dump of long
//! lists, committed changes, and the memory of people who are signed in and idle.
//!
//! `cargo bench -p msnp-proto --bench hub [-- memory|texts|presence|dumps|changes]`

#[allow(dead_code, reason = "only times are printed here")]
mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use msnp_proto::hub::{
    Change, Directory, DirectoryError, Hub, HubConfig, HubLimits, MemoryDirectory, Password,
    Properties, Record,
};
use msnp_proto::machine::{ConnId, Host, ListenerId, Output};
use msnp_proto::ns::challenge::digest;
use msnp_proto::secret::Entropy;
use msnp_proto::time::Instant;
use msnp_proto::types::Handle;
use support::{Job, measure, print_times};

/// Counts what is held.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

#[allow(unsafe_code, reason = "an allocator that counts can be written in no other way")]
// SAFETY: every call is passed on unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

struct Dice(u64);

impl Entropy for Dice {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = (self.0 >> 32) as u8;
        }
    }
}

const NOW: Instant = Instant::ZERO;

/// How many watchers, contacts and idle people there are.
const CONTACTS: usize = 600;
const IDLE: usize = 1000;
const CHANGING: usize = 20;

/// A hub in memory whose driver has fast sockets.
struct Town<D = MemoryDirectory> {
    hub: Hub<D>,
    read: Vec<u8>,
}

impl<D: Directory> Town<D> {
    fn new(directory: D) -> Self {
        let mut config = HubConfig::loopback();
        config.limits = HubLimits::off();
        config.challenges = false;
        let mut hub = Hub::new(config, directory, Box::new(Dice(0x2545_F491_4F6C_DD1D)));
        for number in 0..2 {
            let at = SocketAddr::from(([127, 0, 0, 1], 1863 + number));
            hub.handle_listening(NOW, ListenerId(number.into()), at);
        }
        let mut town = Self { hub, read: Vec::new() };
        town.drain();
        town
    }

    /// Hands out everything that is pending and returns how much that was.
    fn drain(&mut self) -> usize {
        let mut written = 0;
        while let Some(output) = self.hub.poll_output() {
            if let Output::Transmit { conn } = output {
                let pending = self.hub.pending(conn).len();
                self.hub.consume(NOW, conn, pending);
                written += pending;
            }
        }
        written
    }

    /// Sends lines and returns what comes back on the same connection.
    fn ask(&mut self, conn: ConnId, text: &str) -> String {
        self.drain();
        self.hub.handle_input(NOW, conn, text.as_bytes());
        self.read.clear();
        while let Some(output) = self.hub.poll_output() {
            if let Output::Transmit { conn: to } = output {
                let pending = self.hub.pending(to).len();
                if to == conn {
                    self.read.extend_from_slice(self.hub.pending(to));
                }
                self.hub.consume(NOW, to, pending);
            }
        }
        String::from_utf8_lossy(&self.read).into_owned()
    }

    fn accept(&mut self, listener: u32) -> ConnId {
        let peer = SocketAddr::from(([127, 0, 0, 1], 40_000));
        self.hub.handle_accepted(NOW, ListenerId(listener), peer).expect("no limits")
    }

    fn sign_in(&mut self, account: &str, dialect: &str) -> ConnId {
        let conn = self.accept(0);
        self.ask(conn, &format!("VER 1 {dialect}\r\n"));
        let answer = self.ask(conn, &format!("USR 2 MD5 I {account}\r\n"));
        let challenge = answer.trim_end().rsplit(' ').next().expect("a challenge");
        let digest = digest(challenge.as_bytes(), b"Pa55word");
        let digits = String::from_utf8_lossy(&digest).into_owned();
        let answer = self.ask(conn, &format!("USR 3 MD5 S {digits}\r\n"));
        assert!(answer.starts_with("USR 3 OK "), "{answer}");
        conn
    }

    fn online(&mut self, account: &str) -> ConnId {
        let conn = self.sign_in(account, "MSNP7");
        assert!(self.ask(conn, "SYN 4 0\r\nCHG 5 NLN\r\n").contains("CHG 5 NLN"));
        conn
    }
}

fn name(number: usize) -> String {
    format!("somebody{number}@example.net")
}

fn handle(text: &str) -> Handle {
    text.parse().expect("an account")
}

/// Alice, and so many others who have her on all their lists, as she has them.
fn accounts(others: usize) -> MemoryDirectory {
    let alice = handle("alice@example.net");
    let mut accounts = MemoryDirectory::new().account(alice.clone(), "Pa55word");
    for number in 0..others {
        let other = handle(&name(number));
        accounts = accounts.account(other.clone(), "Pa55word");
        if number < CONTACTS {
            accounts = accounts.contact(&other, &alice).contact(&alice, &other);
        }
    }
    accounts
}

/// Texts of one sender to one reader, acknowledged.
fn texts() -> Vec<Job<'static>> {
    let body = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\nHello, Bob!";
    let text = format!("MSG 12 A {}\r\n{body}", body.len());
    [("relayed and acknowledged, one in a read", 1), ("the same, 16 in a read", 16)]
        .into_iter()
        .map(|(name, in_one)| {
            let mut town = Town::new(accounts(1));
            let (alice, other) = (town.online("alice@example.net"), town.online(&self::name(0)));
            let referral = town.ask(alice, "XFR 6 SB\r\n");
            let cookie = referral.trim_end().rsplit(' ').next().expect("a cookie");
            let board = town.accept(1);
            town.ask(board, &format!("USR 1 alice@example.net {cookie}\r\n"));
            town.hub.handle_input(NOW, board, format!("CAL 2 {}\r\n", self::name(0)).as_bytes());
            let ring = String::from_utf8_lossy(town.hub.pending(other)).into_owned();
            let words: Vec<&str> = ring.split(' ').collect();
            let ["RNG", session, _, "CKI", cookie, ..] = words[..] else { panic!("{ring}") };
            let answering = town.accept(1);
            let answer = format!("ANS 1 {} {cookie} {session}\r\n", self::name(0));
            assert!(town.ask(answering, &answer).ends_with("ANS 1 OK\r\n"));
            town.drain();
            let chunk = text.repeat(in_one);
            Job::new(name, in_one, move || {
                town.hub.handle_input(NOW, board, chunk.as_bytes());
                town.drain() as u64
            })
        })
        .collect()
}

/// Notices to people who watch somebody.
fn presence() -> Job<'static> {
    let mut town = Town::new(accounts(CONTACTS));
    for number in 0..CONTACTS {
        town.online(&name(number));
    }
    let alice = town.online("alice@example.net");
    town.drain();
    Job::new("a change of status, each of 600 watchers", 2 * CONTACTS, move || {
        town.hub.handle_input(NOW, alice, b"CHG 1 AWY\r\n");
        let mut written = town.drain();
        town.hub.handle_input(NOW, alice, b"CHG 1 NLN\r\n");
        written += town.drain();
        assert!(written > 2 * CONTACTS * 30);
        written as u64
    })
}

/// The dump of long lists.
fn dumps() -> Vec<Job<'static>> {
    [("SYN of 600 contacts, who are offline", false), ("SYN of 600 contacts, who are online", true)]
        .into_iter()
        .map(|(name, online)| {
            let accounts = accounts(CONTACTS);
            let mut town = Town::new(on_all_lists(accounts));
            if online {
                for number in 0..CONTACTS {
                    town.online(&self::name(number));
                }
            }
            let alice = town.sign_in("alice@example.net", "MSNP7");
            let dump = town.ask(alice, "SYN 1 0\r\n");
            assert_eq!(dump.lines().filter(|line| line.starts_with("LST")).count(), 4 * CONTACTS);
            Job::new(name, 1, move || {
                town.hub.handle_input(NOW, alice, b"SYN 1 0\r\n");
                town.drain() as u64
            })
        })
        .collect()
}

/// Alice's contacts on her block list too. Nobody can do that to themselves, but it is the longest
/// dump that there is: 2,400 lines of lists.
fn on_all_lists(mut accounts: MemoryDirectory) -> MemoryDirectory {
    use msnp_proto::hub::Edit;
    use msnp_proto::types::List;

    let alice = handle("alice@example.net");
    let contacts = accounts.record(&alice).map(|record| record.contacts.clone());
    for mut contact in contacts.unwrap_or_default() {
        contact.lists = contact.lists.with(List::Block);
        accounts.edit(&alice, &Edit::Contact(contact));
    }
    accounts
}

/// Accounts in memory that take changes a turn at a time.
struct Batched(MemoryDirectory);

impl Directory for Batched {
    fn password(&mut self, who: &Handle) -> Result<Option<Password>, DirectoryError> {
        self.0.password(who)
    }

    fn load(&mut self, who: &Handle) -> Result<Option<Record>, DirectoryError> {
        self.0.load(who)
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), DirectoryError> {
        self.0.commit(changes)
    }

    fn commits_in_batches(&self) -> bool {
        true
    }

    fn find(&mut self, who: &Handle) -> Result<Option<Handle>, DirectoryError> {
        self.0.find(who)
    }

    fn properties(&mut self, who: &Handle, viewer: &Handle) -> Result<Properties, DirectoryError> {
        self.0.properties(who, viewer)
    }
}

/// What the hub itself takes for a change of a list, from 20 clients at once.
fn changes<D: Directory + 'static>(name: &'static str, directory: D) -> Job<'static> {
    let mut town = Town::new(directory);
    let conns: Vec<ConnId> = (0..CHANGING).map(|number| town.online(&self::name(number))).collect();
    town.drain();
    let lines: Vec<[String; 2]> = (0..CHANGING)
        .map(|number| {
            let other = self::name((number + 1) % CHANGING);
            [format!("ADD 7 FL {other} {other}\r\n"), format!("REM 7 FL {other}\r\n")]
        })
        .collect();
    Job::new(name, 2 * CHANGING, move || {
        for step in 0..2 {
            for (conn, lines) in conns.iter().zip(&lines) {
                town.hub.handle_input(NOW, *conn, lines[step].as_bytes());
            }
            assert!(town.drain() > CHANGING * 20);
        }
        0
    })
}

/// Bytes on the heap for each of so many people who are signed in and idle.
fn idle_memory(contacts: bool) -> usize {
    let mut directory = accounts(0);
    for number in 0..IDLE {
        directory = directory.account(handle(&name(number)), "Pa55word");
        if contacts {
            for other in 1..=10 {
                let other = handle(&name((number + other) % IDLE));
                directory = directory.account(other.clone(), "Pa55word");
                directory = directory.contact(&handle(&name(number)), &other);
            }
        }
    }
    let mut town = Town::new(directory);
    let before = HELD.load(Ordering::Relaxed);
    let conns: Vec<ConnId> = (0..IDLE).map(|number| town.online(&name(number))).collect();
    town.drain();
    let held = HELD.load(Ordering::Relaxed) - before - conns.capacity() * size_of::<ConnId>();
    black_box(&town.hub);
    held / IDLE
}

fn main() {
    // The name of a table, to see that one alone; cargo itself adds `--bench`.
    let wanted = std::env::args().skip(1).find(|arg| !arg.starts_with("--"));
    let is_wanted = |table: &str| wanted.as_ref().is_none_or(|wanted| wanted == table);
    if is_wanted("memory") {
        let [lonely, befriended] = [false, true].map(idle_memory);
        println!("\nbytes held for each of {IDLE} people who are signed in and idle");
        println!("  without contacts                           {lonely:>10}");
        println!("  with ten contacts, and on ten other lists  {befriended:>10}");
        assert!(lonely <= 3 * 1024, "over 3 KiB");
    }
    if is_wanted("texts") {
        print_times("texts", &measure(texts()));
    }
    if is_wanted("presence") {
        print_times("presence, each notice", &measure(vec![presence()]));
    }
    if is_wanted("dumps") {
        print_times("dumps, the whole", &measure(dumps()));
    }
    if is_wanted("changes") {
        let accounts = accounts(CHANGING);
        let jobs = vec![
            changes("committed one by one", accounts.clone()),
            changes("committed together", Batched(accounts)),
        ];
        print_times("list changes of 20 clients at once, each", &measure(jobs));
    }
}
