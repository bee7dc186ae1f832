//! The hub against clients that say anything: several connections, an operator, and a clock, played
//! twice in different pieces.

use std::net::{IpAddr, SocketAddr};

use msnp_proto::body::{InitialMail, MailActivity, NewMail};
use msnp_proto::hub::{
    Directory, Event, Hub, HubConfig, HubLimits, Mail, MemoryDirectory, Rate, Service,
};
use msnp_proto::limits::Leniency;
use msnp_proto::machine::{Closed, Host};
use msnp_proto::testing::duality::check_letter;
use msnp_proto::testing::{Chunking, Decide, Driver, Role, SeededEntropy, Source};
use msnp_proto::time::{Duration, Instant};
use msnp_proto::transcript::Side;
use msnp_proto::types::{Dialect, Handle, List, Lists};
use msnp_proto::{ns, sb};

use crate::script::{PEOPLE, Speech, is_in};

/// The password of the one account that does not take any.
const PASSWORD: &str = "Pa55-w0rd";

/// Most operations of one list.
const STEPS: usize = 200;

/// Connections that operations can mean.
const CONNECTIONS: usize = 12;

/// A byte of configuration, a seed, then operations. In whatever pieces the clients' words come, the
/// hub says and reports the same.
pub fn hub(data: &[u8]) {
    let mut source = Source::new(data);
    let flags = source.byte();
    let seed = source.byte().into();
    let whole = Play::new(flags, Chunking::Whole).run(source.clone());
    let shown = format!("{whole:?}");
    assert!(!is_in(PASSWORD, shown.as_bytes()) || is_in(PASSWORD, data), "a password is shown");
    let pieces = Play::new(flags, Chunking::Random(seed)).run(source);
    // Who has to wait is overtaken by others, and where depends on the pieces.
    if !pieces.waited && !whole.waited {
        assert!(whole == pieces, "law of chunking:\n{whole:#?}\n{pieces:#?}");
    }
}

fn config(flags: u8) -> HubConfig {
    let mut config = HubConfig::new(SocketAddr::new(ip(0), 1863));
    config.limits = HubLimits::off();
    config.single = flags & 1 != 0;
    if flags & 2 != 0 {
        config.services = vec![Service {
            name: "INBOX".into(),
            redirect: "/cgi-bin/HoTMaiL".into(),
            login: "https://login.example.net/".into(),
            site: 2,
        }];
        config.mail_invitations = true;
    }
    if flags & 4 != 0 {
        let limits = &mut config.limits;
        (limits.connections, limits.connections_per_address) = (9, 3);
        (limits.line_before_sign_in, limits.line, limits.payload) = (128, 512, 300);
        (limits.backlog_soft, limits.backlog_hard, limits.message) = (1_000, 3_000, 400);
        (limits.strikes, limits.cookies, limits.people) = (3, 2, 3);
        (limits.groups, limits.contacts, limits.privacy_entries) = (3, 2, 2);
        limits.failed_calls = Some(2);
    }
    if flags & 8 != 0 {
        config.limits.changes = Some(Rate { per_second: 1, burst: 3 });
        config.limits.silence = Some(Duration::from_secs(60));
        config.limits.renames = Some(msnp_proto::hub::Allowance::RENAMES);
    }
    if flags & 16 != 0 {
        config.leniency = Leniency::Strict;
    }
    if flags & 32 != 0 {
        (config.challenges, config.challenge_pause) = (false, None);
    }
    config
}

fn ip(number: usize) -> IpAddr {
    IpAddr::from([192, 0, 2, number as u8])
}

fn person(number: usize) -> Handle {
    Handle::new(PEOPLE[number % PEOPLE.len()]).expect("an account")
}

fn directory() -> MemoryDirectory {
    let mut all = MemoryDirectory::new().account(person(3), PASSWORD);
    for number in 0..3 {
        all = all.open_account(person(number));
    }
    all.contact(&person(0), &person(1)).contact(&person(1), &person(0)).unverified(&person(2))
}

struct Play {
    driver: Driver<Hub>,
    speech: Speech,
    limits: HubLimits,
    /// The last one is that of the switchboards, the one before it that of the notification server.
    sockets: usize,
    /// Which socket each connection came to.
    came_to: Vec<usize>,
}

#[derive(PartialEq)]
struct Outcome {
    hub: String,
    events: Vec<Event>,
    sent: Vec<Vec<u8>>,
    now: Instant,
    waited: bool,
}

impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sent = self.sent.iter().map(|sent| sent.escape_ascii().to_string());
        writeln!(f, "{} at {:?}: {:#?}", self.hub, self.now, self.events)?;
        f.debug_list().entries(sent).finish()
    }
}

impl Play {
    fn new(flags: u8, chunking: Chunking) -> Self {
        let config = config(flags);
        let (limits, sockets) = (config.limits.clone(), if config.single { 2 } else { 3 });
        let hub = Hub::new(config, directory(), Box::new(SeededEntropy::new(3)));
        let mut driver = Driver::new(hub, chunking);
        for (socket, port) in (0..sockets).zip(1863..) {
            driver.listening(socket, SocketAddr::new(ip(0), port));
        }
        Self { driver, speech: Speech::default(), limits, sockets, came_to: Vec::new() }
    }

    fn run(mut self, mut source: Source<'_>) -> Outcome {
        for _ in 0..STEPS {
            if source.is_empty() {
                break;
            }
            self.step(&mut source);
            self.check();
        }
        self.end()
    }

    fn step(&mut self, source: &mut Source<'_>) {
        match source.below(24) {
            0 | 1 => {
                let (socket, from) = (source.below(3), source.below(4));
                self.accept(socket, 1 + from);
            }
            2 => self.arrive(source),
            3..=9 => {
                let (at, script) = (source.below(CONNECTIONS), source.slice());
                self.say(at, script);
            }
            10..=13 => {
                let at = source.below(CONNECTIONS);
                let mut words = Vec::new();
                match source.below(3) {
                    0 => {
                        let shape = source.below(sb::Request::SHAPES);
                        sb::Request::any(shape, source).encode(&mut words);
                    }
                    _ => {
                        let shape = source.below(ns::Request::SHAPES);
                        ns::Request::any(shape, source).encode(&mut words);
                    }
                }
                self.driver.input(at, &words);
            }
            14 => self.driver.eof(source.below(CONNECTIONS)),
            15 => {
                let why = [Closed::Reset, Closed::Done, Closed::TimedOut];
                self.driver.close(source.below(CONNECTIONS), source.pick(&why));
            }
            16 | 17 => {
                let times = [0, 1, 100, 999, 1_000, 10_000, 20_000, 50_000, 60_000, 900_000];
                self.driver.wait(Duration::from_millis(source.pick(&times)));
            }
            18 => self.driver.stall(source.below(CONNECTIONS), source.below(2) == 1),
            19 => self.driver.write_some(source.below(CONNECTIONS), source.byte().into()),
            20 => self.driver.call_late(source.below(CONNECTIONS)),
            _ => self.operate(source),
        }
    }

    fn accept(&mut self, socket: usize, from: usize) -> Option<usize> {
        let at = self.driver.accept(socket, SocketAddr::new(ip(from), 50_000))?;
        assert_eq!(at, self.came_to.len());
        self.came_to.push(socket);
        Some(at)
    }

    /// A client's words, with their marks replaced.
    fn say(&mut self, at: usize, script: &[u8]) {
        let said = (0..self.driver.connections()).map(|at| self.driver.sent(at));
        let words = self.speech.client(script, said);
        self.driver.input(at, words);
    }

    /// Somebody comes and signs in, in one go, or comes to a switchboard.
    fn arrive(&mut self, source: &mut Source<'_>) {
        let (kind, who) = (source.byte(), 4 + source.below(4) as u8);
        let switchboard = self.sockets - 1;
        if kind & 1 != 0 {
            let Some(at) = self.accept(switchboard, 9) else { return };
            let enter: &[u8] = match kind & 6 {
                0 => b"ANS 1 \x08 \x02 \x03\r\n",
                2 => b"ANS 1 \x08 \x01 \x03\r\n",
                _ => b"USR 1 \x08 \x01\r\n",
            };
            let script: Vec<u8> =
                enter.iter().map(|byte| if *byte == 8 { who } else { *byte }).collect();
            return self.say(at, &script);
        }
        let Some(at) = self.accept(switchboard - 1, usize::from(who)) else { return };
        let dialect = Dialect::ALL[usize::from(kind >> 1) % 6];
        self.say(at, format!("VER 1 {dialect} CVR0\r\nINF 2\r\n").as_bytes());
        self.say(at, &[b"USR 3 MD5 I ", &[who][..], b"\r\n"].concat());
        self.say(at, b"USR 4 MD5 S 0\r\n");
        if kind & 16 != 0 {
            self.say(at, b"SYN 5 0\r\n");
        }
        if kind & 32 != 0 {
            self.say(at, b"CHG 6 NLN\r\n");
        }
    }

    fn operate(&mut self, source: &mut Source<'_>) {
        let who = person(source.below(5));
        let text = String::from_utf8_lossy(source.slice()).into_owned();
        let number = source.number();
        match source.below(12) {
            0 => self.driver.tell(Hub::shut_down),
            1 => {
                self.driver.tell(|hub, now| hub.end_session(now, &who));
            }
            2 => self.driver.tell(|hub, now| hub.announce_shutdown(now, number)),
            3 => {
                let to = "192.0.2.77:1863".parse().expect("an address");
                self.driver.tell(|hub, now| hub.move_people(now, &to));
            }
            4 => {
                self.driver.tell(|hub, now| hub.alert(now, &who, text.as_bytes()));
            }
            5 => {
                self.driver.tell(|hub, now| hub.page(now, &who, text.as_bytes()));
            }
            6 => {
                self.driver.tell(|hub, _| hub.directory_mut().remove(&who));
            }
            7 => self.driver.tell(|hub, _| hub.forget_mailbox(&who)),
            kind => {
                let mail = mail(kind, text, number);
                let _ = self.driver.tell(|hub, now| hub.notify_mail(now, &who, &mail));
            }
        }
    }

    /// What holds at all times.
    fn check(&mut self) {
        let hub = &self.driver.host;
        assert_eq!(hub.connections(), self.driver.open(), "connections");
        assert!(hub.connections() <= self.limits.connections);
        assert!(hub.people() + hub.switchboards() <= hub.connections());
        // What was asked for may be longer than what others cause.
        let most = self.limits.backlog_hard + self.limits.backlog_soft + 32 * 1024;
        for at in 0..self.driver.connections() {
            assert!(self.driver.pending(at).len() <= most, "more pending than the limit");
            let (received, id) = (self.driver.received(at), self.driver.id(at));
            let host = &mut self.driver.host;
            let scanned = id.map_or(0, |id| host.scanned(id));
            assert!(scanned <= 2 * received, "{scanned} of {received} bytes were looked at");
        }
    }

    /// Everybody goes, and nothing is left.
    fn end(mut self) -> Outcome {
        for at in 0..self.driver.connections() {
            self.driver.stall(at, false);
            self.driver.close(at, Closed::Reset);
        }
        self.driver.wait(Duration::from_secs(120));
        let hub = &self.driver.host;
        let left = [hub.people(), hub.connections(), hub.switchboards(), hub.addresses()];
        assert_eq!((left, hub.cookies()), ([0; 4], 0), "the hub is not empty");
        assert_eq!(hub.next_deadline(), None, "the hub waits for something");
        for number in 0..PEOPLE.len() {
            if let Ok(Some(record)) = self.driver.host.directory_mut().load(&person(number)) {
                check_record(&record, &self.limits);
            }
        }
        let sent: Vec<Vec<u8>> =
            (0..self.driver.connections()).map(|at| self.driver.sent(at).to_vec()).collect();
        for (sent, socket) in sent.iter().zip(&self.came_to) {
            let switchboard = *socket == self.sockets - 1;
            let role = if switchboard { Role::Switchboard } else { Role::Notification };
            check_letter(role, Side::Server, sent);
        }
        let events = std::mem::take(&mut self.driver.events);
        let hub = format!("{:?}", self.driver.host);
        Outcome { hub, events, sent, now: self.driver.now(), waited: self.driver.has_waited() }
    }
}

/// Nobody is on two lists that exclude each other, and no list is longer than its limit.
fn check_record(record: &msnp_proto::hub::Record, limits: &HubLimits) {
    for contact in &record.contacts {
        assert!(contact.lists != Lists::NONE, "{contact:?}");
        let both = contact.lists.has(List::Allow) && contact.lists.has(List::Block);
        assert!(!both, "{contact:?} is allowed and blocked");
    }
    let on = |list| record.on(list).count();
    assert!(on(List::Forward) <= limits.contacts, "{record:?}");
    assert!(on(List::Allow).max(on(List::Block)) <= limits.privacy_entries, "{record:?}");
}

fn mail(kind: usize, text: String, number: u32) -> Mail {
    match kind {
        8 => {
            let mut status = InitialMail::default();
            (status.inbox_unread, status.inbox_url) = (Some(number), text);
            Mail::Status(status)
        }
        9 => {
            let mut activity = MailActivity::default();
            (activity.source, activity.destination) = ("ACTIVE".into(), text);
            activity.delta = Some(number);
            Mail::Activity(activity)
        }
        _ => {
            let mut mail = NewMail::default();
            (mail.from, mail.subject, mail.folder) = (text.clone(), text, "ACTIVE".into());
            Mail::New(mail)
        }
    }
}
