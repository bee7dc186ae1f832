//! Clients, a hub, and everything that happened to them.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::duality::check_duality;
use super::{Chunking, Decide, HostKey, Net, SeededEntropy};
use crate::client::{
    ChatId, Client, Config, Content, Event, MessageId, Outcome, Reconnect, RequestId, SignIn,
};
use crate::hub::{Hub, HubConfig, MemoryDirectory};
use crate::machine::{Host, Target};
use crate::time::{Duration, Instant};
use crate::transcript::Side;
use crate::types::{Delivery, Handle, Status};

const NAMES: [&str; 5] = ["alice", "bob", "carol", "dave", "erin"];

const STATUSES: [Status; 6] =
    [Status::Online, Status::Away, Status::Busy, Status::Hidden, Status::Lunch, Status::Online];

/// Clients and a hub that do anything at all, as somebody [decides](Decide), on a network that
/// delays and cuts everything and breaks when it is told to. Everything that was begun must end,
/// once and in order, and nothing may be left when all have signed out.
///
/// ```
/// use msnp_proto::testing::{SeededEntropy, Storm};
///
/// let (mut storm, mut decide) = (Storm::new(5, 7), SeededEntropy::new(7));
/// for _ in 0..20 {
///     storm.act(&mut decide);
///     storm.pass(&mut decide);
/// }
/// storm.end(false);
/// ```
#[derive(Debug)]
pub struct Storm {
    net: Net,
    hub: HostKey<Hub>,
    people: Vec<Person>,
    texts: BTreeMap<String, Text>,
}

#[derive(Debug)]
struct Person {
    key: HostKey<Client>,
    handle: Handle,
    chats: Vec<ChatId>,
    messages: BTreeMap<MessageId, String>,
    requests: BTreeSet<RequestId>,
    /// Texts that came, with their senders and the chat in which they came, in order.
    heard: Vec<(Handle, ChatId, String)>,
    /// When this person was leaving something.
    left: Vec<Instant>,
}

/// A text that somebody sent.
#[derive(Debug)]
struct Text {
    sender: usize,
    chat: ChatId,
    number: usize,
    /// Who was there, as far as the sender knew.
    members: Vec<Handle>,
    sent: Instant,
    ends: Vec<(Instant, Outcome)>,
}

fn handle(name: &str) -> Handle {
    Handle::new(&format!("{name}@example.net")).expect("an account")
}

impl Storm {
    /// A calm with up to five clients, none of them signed in yet. The seed is that of the network
    /// and of the hub.
    #[must_use]
    pub fn new(clients: usize, seed: u64) -> Self {
        let names = || NAMES.iter().take(clients);
        let mut net = Net::new()
            .with_chunking(Chunking::Random(seed))
            .with_latency(Duration::from_millis(2))
            .with_jitter(Duration::from_millis(80), seed);
        let mut directory = MemoryDirectory::new();
        for name in names() {
            directory = directory.account(handle(name), "Pa55word");
        }
        for name in names() {
            for other in names().filter(|other| *other != name) {
                directory = directory.contact(&handle(name), &handle(other));
            }
        }
        let config = HubConfig::new("0.0.0.0:1863".parse().expect("an address"));
        let entropy = Box::new(SeededEntropy::new(seed));
        let hub = net.add("hub", Hub::new(config, directory, entropy));
        let people = names().enumerate().map(|(place, name)| {
            let mut config = Config::new();
            // Some come back by themselves.
            config.reconnect = (place % 2 == 1).then(|| Reconnect::new(seed));
            Person {
                key: net.add(name, Client::new(config)),
                handle: handle(name),
                chats: Vec::new(),
                messages: BTreeMap::new(),
                requests: BTreeSet::new(),
                heard: Vec::new(),
                left: Vec::new(),
            }
        });
        let people = people.collect();
        Self { net, hub, people, texts: BTreeMap::new() }
    }

    fn now(&self) -> Instant {
        self.net.now()
    }

    /// Somebody does something.
    pub fn act(&mut self, random: &mut impl Decide) {
        let who = random.below(self.people.len());
        let other = handle(NAMES[random.below(self.people.len())]);
        let key = self.people[who].key;
        let now = self.now();
        let client = self.net.host_mut(key);
        if !client.is_online() {
            if client.account().is_none() {
                let server = Target { host: "hub".into(), port: 1863 };
                let mut sign_in = SignIn::new(handle(NAMES[who]), "Pa55word".into(), server);
                sign_in.roster = (random.below(2) == 0).then(|| client.roster().clone());
                client.sign_in(now, sign_in).expect("nobody is signed in");
            }
            return;
        }
        let request = match random.below(24) {
            0..=3 => {
                let _ = client.open_chat(now, &other);
                None
            }
            4..=13 => return self.send(who, random),
            14 | 15 => {
                if let Some(chat) = self.any_chat(who, random) {
                    let _ = self.net.host_mut(key).invite(now, chat, &other);
                }
                None
            }
            16 => {
                if let Some(chat) = self.any_chat(who, random) {
                    self.people[who].left.push(now);
                    let _ = self.net.host_mut(key).leave_chat(now, chat);
                }
                None
            }
            17 => client.set_status(now, STATUSES[random.below(STATUSES.len())]).ok(),
            18 => client.block(now, &other).ok(),
            19 | 20 => client.allow(now, &other).ok(),
            21 => client.remove_contact(now, &other).ok(),
            22 => client.add_contact(now, &other, None, None).ok(),
            _ => {
                client.sign_out(now);
                self.people[who].left.push(now);
                None
            }
        };
        self.people[who].requests.extend(request);
    }

    fn any_chat(&self, who: usize, random: &mut impl Decide) -> Option<ChatId> {
        let chats = &self.people[who].chats;
        chats.get(random.below(chats.len())).copied()
    }

    /// Somebody says something in some chat, perhaps several things at once.
    fn send(&mut self, who: usize, random: &mut impl Decide) {
        let Some(chat) = self.any_chat(who, random) else { return };
        let (now, key) = (self.now(), self.people[who].key);
        for _ in 0..=random.below(3) {
            let delivery = match random.below(4) {
                0 => Delivery::OnFailure,
                1 => Delivery::Unacknowledged,
                _ => Delivery::Always,
            };
            let number = self.texts.len();
            let text = format!("{} {} {number}", NAMES[who], chat.0);
            let client = self.net.host_mut(key);
            let members = client.members(chat).map(|(handle, _)| handle.clone()).collect();
            if let Ok(message) = client.send_text(now, chat, &text, delivery) {
                self.people[who].messages.insert(message, text.clone());
                let text_sent =
                    Text { sender: who, chat, number, members, sent: now, ends: Vec::new() };
                self.texts.insert(text, text_sent);
            }
            let _ = self.net.host_mut(key).send_typing(now, chat);
        }
    }

    /// Something breaks, or what was stalled goes on.
    pub fn fault(&mut self, random: &mut impl Decide) {
        let connections = self.net.connections();
        let Some(connection) = connections.get(random.below(connections.len())).cloned() else {
            return;
        };
        let side = if random.below(2) == 0 { Side::Client } else { Side::Server };
        match random.below(6) {
            0 | 1 => self.net.reset(&connection),
            2 => self.net.half_close(&connection, side),
            3 => self.net.stall(&connection, side, true),
            4 => {
                let key = self.people[random.below(self.people.len())].key;
                self.net.break_connections(key);
            }
            _ => self.net.unstall_all(),
        }
    }

    /// Lets some time pass, now and then a lot.
    pub fn pass(&mut self, random: &mut impl Decide) {
        let time = match random.below(20) {
            0 => Duration::from_secs(40),
            1..=8 => Duration::from_secs(1),
            _ => Duration::from_millis(random.below(60) as u64),
        };
        self.net.advance(time);
        self.collect();
    }

    fn collect(&mut self) {
        let now = self.now();
        for who in 0..self.people.len() {
            let key = self.people[who].key;
            for event in self.net.events(key) {
                self.on_event(now, who, event);
            }
        }
        let hub = self.hub;
        drop(self.net.events(hub));
    }

    fn on_event(&mut self, now: Instant, who: usize, event: Event) {
        let person = &mut self.people[who];
        match event {
            Event::ChatOpened { chat, .. } if !person.chats.contains(&chat) => {
                person.chats.push(chat);
            }
            Event::Message { chat, from, content: Content::Text(text), .. } => {
                person.heard.push((from, chat, text.content));
            }
            Event::Delivery { message, outcome } => {
                let text = person.messages.get(&message).unwrap_or_else(|| {
                    panic!("{}: the end of {message:?}, which was never begun", NAMES[who])
                });
                let text = self.texts.get_mut(text).expect("it was sent");
                text.ends.push((now, outcome));
            }
            Event::Done { request } | Event::Refused { request, .. } => {
                assert!(person.requests.remove(&request), "{request:?} ends twice");
            }
            Event::ChatClosed { .. } => person.left.push(now),
            Event::Lost { .. } => {
                person.left.push(now);
                person.chats.clear();
            }
            _ => {}
        }
    }

    /// Everybody signs out; nothing is left, and everything that was promised holds. Returns how
    /// many texts were acknowledged, assumed, refused, failed and of unknown fate. With `faults`,
    /// texts may be lost between the hub and somebody.
    ///
    /// # Panics
    ///
    /// When it is not so.
    pub fn end(mut self, faults: bool) -> [usize; 5] {
        self.net.unstall_all();
        self.net.advance(Duration::from_secs(5));
        self.collect();
        let now = self.now();
        for who in 0..self.people.len() {
            let key = self.people[who].key;
            self.net.host_mut(key).sign_out(now);
        }
        self.net.advance(Duration::from_secs(60));
        self.collect();
        for (who, person) in self.people.iter().enumerate() {
            let client = self.net.host(person.key);
            assert!(client.is_disconnected(), "{} is connected", NAMES[who]);
            assert_eq!(person.requests, BTreeSet::new(), "open requests");
        }
        let hub = self.net.host(self.hub);
        let left = [hub.people(), hub.connections(), hub.switchboards(), hub.cookies()];
        assert_eq!((left, hub.addresses()), ([0; 4], 0), "the hub is not empty");
        assert_eq!(hub.next_deadline(), None, "the hub waits for something");
        for (text, sent) in &self.texts {
            assert_eq!(sent.ends.len(), 1, "ends of {text}: {:?}", sent.ends);
            if !faults {
                self.check_received(text, sent);
            }
        }
        self.check_order();
        check_duality(self.net.transcript());
        let mut ends = [0; 5];
        for (_, outcome) in self.texts.values().flat_map(|text| &text.ends) {
            ends[match outcome {
                Outcome::Acknowledged => 0,
                Outcome::Assumed => 1,
                Outcome::Refused => 2,
                Outcome::Failed(_) => 3,
                _ => 4,
            }] += 1;
        }
        ends
    }

    /// Who was there from the sending of a text to its acknowledgement has received it.
    fn check_received(&self, text: &str, sent: &Text) {
        let [(until, Outcome::Acknowledged)] = sent.ends[..] else { return };
        for person in self.people.iter().filter(|person| sent.members.contains(&person.handle)) {
            let slack = Duration::from_secs(1);
            let was_leaving = |at: &Instant| *at + slack >= sent.sent && *at <= until + slack;
            if !person.left.iter().any(was_leaving) {
                let times = person.heard.iter().filter(|(_, _, heard)| heard == text).count();
                let who = &person.handle;
                assert_eq!(times, 1, "how often {who:?} has heard {text}");
            }
        }
    }

    /// Nobody hears a text twice, one that was not sent, or one before an earlier one of its chat.
    /// What was held up in an old switchboard may come after what was said in a new one: then the
    /// receiver has two chats.
    fn check_order(&self) {
        for person in &self.people {
            let (mut last, mut all) = (BTreeMap::new(), BTreeSet::new());
            for (from, chat, heard) in &person.heard {
                let text = self.texts.get(heard).expect("somebody sent it");
                assert_eq!(*from, self.people[text.sender].handle, "{heard}");
                assert!(all.insert(heard), "{heard} comes twice");
                let before = last.insert((text.sender, text.chat, *chat), text.number);
                assert!(before < Some(text.number), "{heard} after {before:?}");
            }
        }
    }
}
