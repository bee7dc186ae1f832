//! The client against servers that say anything: a list of operations, played twice in different
//! pieces, with the laws checked on the way.

mod events;

use std::net::SocketAddr;

use msnp_proto::client::{
    ChatId, Client, Config, Event, Files, SignIn, TransferChange, TransferId,
};
use msnp_proto::error::Misuse;
use msnp_proto::machine::{Closed, Host};
use msnp_proto::ns::Change;
use msnp_proto::testing::{Chunking, Decide, Driver, Source};
use msnp_proto::time::{Duration, Instant};
use msnp_proto::types::{
    Delivery, Dialect, GroupId, Handle, List, Nick, Privacy, Prompt, Property, Status,
};

use crate::script::{Speech, is_in};
use events::Ledger;

/// The password: nothing that the client prints or says may hold it.
const PASSWORD: &str = "Pa55-w0rd";

/// Most operations of one list.
const STEPS: usize = 200;

/// Connections that operations can mean.
const CONNECTIONS: usize = 8;

/// A byte of configuration, a seed, then operations. In whatever pieces the servers' words come,
/// and whenever outputs are taken, the client says and reports the same.
pub fn client(data: &[u8]) {
    let mut source = Source::new(data);
    let flags = source.byte();
    let seed = source.byte().into();
    let whole = Play::new(flags, Chunking::Whole, false).run(source.clone());
    let shown = format!("{whole:?}");
    assert!(!is_in(PASSWORD, shown.as_bytes()) || is_in(PASSWORD, data), "the password is shown");
    let pieces = Play::new(flags, Chunking::Random(seed), true).run(source);
    assert!(whole == pieces, "law of chunking or of draining:\n{whole:#?}\n{pieces:#?}");
}

fn config(flags: u8) -> Config {
    let mut config = Config::new();
    config.sync = flags & 1 == 0;
    config.answer_calls = flags & 2 == 0;
    if flags & 4 != 0 {
        config.dialects = Dialect::ALL.to_vec();
    }
    if flags & 8 != 0 {
        config.limits.line = 256;
        config.limits.payload = 300;
        config.limits.open_requests = 3;
        config.limits.send_backlog = 600;
        (config.chats, config.waiting_texts, config.people) = (3, 2, 2);
        (config.roster_entries, config.referrals) = (5, 1);
    }
    if flags & 16 != 0 {
        config.version_report.clear();
    }
    if flags & 32 != 0 {
        config.leniency = msnp_proto::limits::Leniency::Strict;
    }
    if flags & 64 != 0 {
        let address = (flags & 128 == 0).then(|| "192.0.2.9".parse().expect("an address"));
        let mut files = Files::new(address);
        files.offers = 10;
        config.files = Some(files);
    }
    config
}

struct Play {
    config: Config,
    driver: Driver<Client>,
    ledger: Ledger,
    speech: Speech,
    tiny: bool,
}

/// What came of a play.
struct Outcome {
    /// How the client shows itself, before the end.
    client: String,
    events: Vec<Event>,
    sent: Vec<Vec<u8>>,
    now: Instant,
}

/// How the client stands with a lazy driver may differ.
impl PartialEq for Outcome {
    fn eq(&self, other: &Self) -> bool {
        (&self.events, &self.sent, self.now) == (&other.events, &other.sent, other.now)
    }
}

impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sent = self.sent.iter().map(|sent| sent.escape_ascii().to_string());
        writeln!(f, "{} at {:?}: {:#?}", self.client, self.now, self.events)?;
        f.debug_list().entries(sent).finish()
    }
}

impl Play {
    fn new(flags: u8, chunking: Chunking, lazy: bool) -> Self {
        let config = config(flags);
        let driver = Driver::new(Client::new(config.clone()), chunking);
        let driver = if lazy { driver.lazy() } else { driver };
        let (ledger, speech) = (Ledger::default(), Speech::default());
        let mut this = Self { config, driver, ledger, speech, tiny: flags & 8 != 0 };
        this.sign_in(0);
        this
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

    fn sign_in(&mut self, choice: u8) {
        let server = "messenger.example.net".parse().expect("an address");
        let mut sign_in = SignIn::new(person(0), PASSWORD.into(), server);
        if choice & 1 != 0 {
            sign_in.status = Status::Hidden;
        }
        if choice & 2 != 0 {
            sign_in.roster = Some(self.driver.host.roster().clone());
        }
        let active = self.driver.host.account().is_some();
        let begun = self.driver.tell(|client, now| client.sign_in(now, sign_in));
        assert_eq!(begun, if active { Err(Misuse::AlreadyOnline) } else { Ok(()) });
        if begun.is_ok() {
            self.note();
            self.ledger.begin();
        }
    }

    fn step(&mut self, source: &mut Source<'_>) {
        if self.config.files.is_some() && source.below(3) == 0 {
            return self.file(source);
        }
        match source.below(24) {
            0 => self.sign_in(source.byte()),
            1 => self.driver.connected(source.below(CONNECTIONS)),
            2..=8 => {
                let at = source.below(CONNECTIONS);
                self.driver.connected(at);
                let heard = (self.driver.sent(at), self.driver.pending(at));
                let bytes = self.speech.server(source.slice(), heard);
                self.driver.input(at, bytes);
            }
            9 => self.driver.eof(source.below(CONNECTIONS)),
            10 => {
                let why = [Closed::Reset, Closed::Refused, Closed::Done, Closed::TimedOut];
                self.driver.close(source.below(CONNECTIONS), source.pick(&why));
            }
            11 => {
                let times = [0, 1, 999, 1_000, 2_000, 10_000, 15_000, 20_000, 45_000, 310_000];
                self.driver.wait(Duration::from_millis(source.pick(&times)));
            }
            12 => self.driver.stall(source.below(CONNECTIONS), source.below(2) == 1),
            13 => self.driver.write_some(source.below(CONNECTIONS), source.byte().into()),
            14 => self.driver.call_late(source.below(CONNECTIONS)),
            15 | 16 => self.text(source),
            17 | 18 => self.chat(source),
            19..=22 => self.request(source),
            _ => {
                self.driver.tell(Client::sign_out);
            }
        }
    }

    /// Something about files. How much of a file is taken at once depends on the driver, so bytes to
    /// send are the business of another target.
    fn file(&mut self, source: &mut Source<'_>) {
        let (who, id) = (person(source.below(5)), TransferId(source.below(6) as u32));
        let random = u64::from(source.number()) << 32 | u64::from(source.number());
        match source.below(8) {
            0 | 1 => {
                let (name, size) = (String::from_utf8_lossy(source.slice()), source.byte().into());
                let offered = self
                    .driver
                    .tell(|client, now| client.offer_file(now, &who, &name, size, random));
                if let Ok(transfer) = offered {
                    self.ledger.file(transfer);
                }
            }
            2 => {
                let _ = self.driver.tell(|client, now| client.accept_file(now, id, random));
            }
            3 => {
                let _ = self.driver.tell(|client, now| client.decline_file(now, id));
            }
            4 => {
                let _ = self.driver.tell(|client, now| client.cancel_file(now, id));
            }
            5 => {
                let fails = random % 2 == 0;
                let _ = self.driver.tell(|client, now| match fails {
                    true => client.fail_file(now, id),
                    false => client.finish_file(now, id),
                });
            }
            6 => {
                let local = SocketAddr::from(([192, 0, 2, 9], 6891));
                self.driver.listening(source.below(4), local);
            }
            _ => {
                let peer = SocketAddr::from(([192, 0, 2, 10], 40_000));
                let _ = self.driver.accept(source.below(4), peer);
            }
        }
    }

    fn text(&mut self, source: &mut Source<'_>) {
        let chat = ChatId(source.below(6) as u32);
        let delivery = source.pick(Delivery::ALL);
        let text = String::from_utf8_lossy(source.slice());
        let sent = match source.below(8) {
            0 => {
                let payload = format!("Content-Type: text/x-note\r\n\r\n{text}");
                self.driver.tell(|client, now| {
                    client.send_payload(now, chat, payload.as_bytes(), delivery)
                })
            }
            1 => {
                let text = text.repeat(20);
                self.driver.tell(|client, now| client.send_text(now, chat, &text, delivery))
            }
            2 => {
                let _ = self.driver.tell(|client, now| client.send_typing(now, chat));
                return;
            }
            _ => self.driver.tell(|client, now| client.send_text(now, chat, &text, delivery)),
        };
        if let Ok(message) = sent {
            self.ledger.message(message);
        }
    }

    fn chat(&mut self, source: &mut Source<'_>) {
        let chat = ChatId(source.below(6) as u32);
        let who = person(source.below(5));
        match source.below(4) {
            0 => {
                let left = self.driver.tell(|client, now| client.leave_chat(now, chat));
                if left.is_ok() {
                    self.note();
                    self.ledger.left(chat);
                }
            }
            1 => {
                let _ = self.driver.tell(|client, now| client.invite(now, chat, &who));
            }
            _ => {
                let _ = self.driver.tell(|client, now| client.open_chat(now, &who));
            }
        }
    }

    fn request(&mut self, source: &mut Source<'_>) {
        let who = person(source.below(5));
        let nick = Nick::new(&String::from_utf8_lossy(source.slice()));
        let nick = nick.unwrap_or_else(|| Nick::of_handle(&who));
        let (group, other) = (GroupId(source.number()), GroupId(source.number()));
        let kind = source.below(24);
        let change = |client: &mut Client, now, change| client.change(now, change);
        let asked = self.driver.tell(|client, now| match kind {
            0 => client.add_contact(now, &who, Some(&nick), Some(group)),
            1 => client.add_contact(now, &who, None, None),
            2 => client.remove_contact(now, &who),
            3 => client.allow(now, &who),
            4 => client.block(now, &who),
            5 => client.move_contact(now, &who, group, other),
            6 => client.copy_contact(now, &who, group),
            7 => client.take_from_group(now, &who, group),
            8 => client.add_group(now, &nick),
            9 => client.rename_group(now, group, &nick),
            10 => client.remove_group(now, group),
            11 => client.rename(now, &nick),
            12 => client.rename_contact(now, &who, &nick),
            13 => client.set_privacy(now, Privacy::ALL[group.0 as usize % 2]),
            14 => client.set_prompt(now, Prompt::ALL[group.0 as usize % 2]),
            15 => client.set_property(now, Property::ALL[group.0 as usize % 5], nick.as_str()),
            16 => change(client, now, Change::List(List::ALL[group.0 as usize % 4])),
            17 => change(client, now, Change::Groups),
            18 => {
                let service = nick.as_str().into();
                change(client, now, Change::Url { service, parameter: None })
            }
            19 => change(client, now, Change::Find { terms: nick.as_str().into() }),
            20 => {
                let (address, text) = (who.as_str().into(), nick.as_str().into());
                change(client, now, Change::Mail { address, text })
            }
            21 => {
                let text = nick.as_str().into();
                change(client, now, Change::Page { account: who.clone(), text })
            }
            22 => change(client, now, Change::Calls(group.0 % 2 == 0)),
            _ => client.set_status(now, Status::ALL[group.0 as usize % Status::ALL.len()]),
        });
        if let Ok(request) = asked {
            self.ledger.request(request);
        }
    }

    /// Takes note of what was reported.
    fn note(&mut self) {
        self.driver.drain();
        self.ledger.note(&self.driver.events);
    }

    /// What holds at all times.
    fn check(&mut self) {
        let client = &self.driver.host;
        let roster = client.roster();
        let entries: usize =
            roster.contacts().map(|(_, contact)| contact.lists().iter().count()).sum();
        assert_eq!(entries, roster.entries(), "entries of the roster");
        assert!(entries <= self.config.roster_entries, "more than the limit of entries");
        assert!(roster.groups().count() <= 64, "more than the limit of groups");
        for (who, contact) in roster.contacts() {
            assert!(!contact.lists().is_empty(), "{who:?} is on no list");
            let grouped = !contact.groups().is_empty();
            assert_eq!(grouped, contact.lists().has(List::Forward), "groups of {who:?}");
        }
        // One text or one answer more than the limit, and answers to challenges.
        let most = self.config.limits.send_backlog + if self.tiny { 4_096 } else { 65_536 };
        for at in 0..self.driver.connections() {
            assert!(self.driver.pending(at).len() <= most, "more pending than the limit");
            let (received, id) = (self.driver.received(at), self.driver.id(at));
            let host = &mut self.driver.host;
            let scanned = id.map_or(0, |id| host.scanned(id));
            assert!(scanned <= 2 * received, "{scanned} of {received} bytes were looked at");
        }
        for chat in 0..6 {
            let members = self.driver.host.members(ChatId(chat)).count();
            assert!(members <= self.config.people, "too many people");
        }
    }

    /// Everything ends, and nothing is left.
    fn end(mut self) -> Outcome {
        self.driver.drain();
        let client = format!("{:?}", self.driver.host);
        for at in 0..self.driver.connections() {
            self.driver.stall(at, false);
        }
        self.driver.tell(Client::sign_out);
        self.driver.wait(Duration::from_secs(10));
        for at in 0..self.driver.connections() {
            self.driver.close(at, Closed::Reset);
        }
        self.driver.wait(Duration::from_secs(1_000));
        self.note();
        self.ledger.end();
        let host = &self.driver.host;
        assert!(host.is_disconnected() && self.driver.open() == 0, "connections are left");
        assert_eq!(host.next_deadline(), None, "it waits for something");
        let mut events = std::mem::take(&mut self.driver.events);
        // When a text is written depends on the driver.
        events.retain(|event| !matches!(event, Event::Sent { .. }));
        // And in how many pieces a file comes.
        events.dedup_by(|next, event| match (event, next) {
            (
                Event::Transfer { transfer, change: TransferChange::Data(bytes) },
                Event::Transfer { transfer: other, change: TransferChange::Data(more) },
            ) if transfer == other => {
                bytes.append(more);
                true
            }
            _ => false,
        });
        let sent = (0..self.driver.connections()).map(|at| self.driver.sent(at).to_vec());
        Outcome { client, events, sent: sent.collect(), now: self.driver.now() }
    }
}

fn person(number: usize) -> Handle {
    let names = ["alice", "bob", "carol", "Dave", "bob"];
    Handle::new(&format!("{}@example.net", names[number % names.len()])).expect("an account")
}
