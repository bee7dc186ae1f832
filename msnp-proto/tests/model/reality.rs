//! A hub and clients on a network in memory.

use std::collections::{BTreeMap, BTreeSet};

use msnp_proto::client::{
    ChatId, Client, Config, Content, Event, Failure, Outcome, RequestId, SignIn,
};
use msnp_proto::hub::{Hub, HubConfig, HubLimits, MemoryDirectory};
use msnp_proto::machine::Target;
use msnp_proto::ns::Change;
use msnp_proto::testing::{Chunking, HostKey, Net, SeededEntropy};
use msnp_proto::types::{Delivery, Handle, List, Lists, Nick, Status};

use crate::model::{Expected, Model, account_of};
use crate::{ACCOUNTS, Found, Step};

pub(crate) struct Reality {
    net: Net,
    hub: HostKey<Hub>,
    clients: Vec<HostKey<Client>>,
    /// Chats of each client.
    chats: Vec<Vec<ChatId>>,
    events: Vec<Vec<Event>>,
    texts: usize,
}

fn handle(account: usize) -> Handle {
    Handle::new(&format!("user{account}@example.net")).expect("an account")
}

fn number(handle: &Handle) -> usize {
    (0..ACCOUNTS).find(|account| self::handle(*account) == *handle).expect("one of ours")
}

impl Reality {
    pub(crate) fn new() -> Self {
        let mut net = Net::new().with_chunking(Chunking::Random(3));
        let directory = (0..ACCOUNTS).fold(MemoryDirectory::new(), |directory, account| {
            directory.account(handle(account), "Pa55word")
        });
        let mut config = HubConfig::new("0.0.0.0:1863".parse().expect("an address"));
        config.limits = HubLimits::off();
        let hub = net.add("hub", Hub::new(config, directory, Box::new(SeededEntropy::new(1))));
        let clients = (0..=ACCOUNTS)
            .map(|client| net.add(&format!("client{client}"), Client::new(Config::new())));
        let clients: Vec<_> = clients.collect();
        let none = || vec![Vec::new(); clients.len()];
        let (chats, events) = (none(), vec![Vec::new(); clients.len()]);
        let mut reality = Self { net, hub, clients: clients.clone(), chats, events, texts: 0 };
        reality.settle();
        reality
    }

    fn client(&self, client: usize) -> &Client {
        self.net.host(self.clients[client])
    }

    fn settle(&mut self) {
        self.net.settle();
        for client in 0..self.clients.len() {
            for event in self.net.events(self.clients[client]) {
                match event {
                    Event::ChatOpened { chat, .. } if !self.chats[client].contains(&chat) => {
                        self.chats[client].push(chat);
                    }
                    Event::Lost { .. } => self.chats[client].clear(),
                    Event::Warning(warning) => panic!("client {client}: {warning}"),
                    _ => {}
                }
                self.events[client].push(event);
            }
        }
        drop(self.net.events(self.hub));
    }

    /// Chats with somebody in them.
    fn active(&self, client: usize) -> Vec<(ChatId, BTreeSet<usize>)> {
        let members = |chat: &ChatId| {
            let members = self.client(client).members(*chat).map(|(handle, _)| number(handle));
            (*chat, members.collect::<BTreeSet<usize>>())
        };
        let chats = self.chats[client].iter().map(members);
        chats.filter(|(_, members)| !members.is_empty()).collect()
    }

    fn any_chat(&self, client: usize, chat: usize) -> Option<(ChatId, BTreeSet<usize>)> {
        let active = self.active(client);
        active.get(chat % active.len().max(1)).cloned()
    }

    pub(crate) fn sign_in(&mut self, client: usize, status: Status, keep_roster: bool) -> bool {
        if self.client(client).account().is_some() {
            return false;
        }
        let server = Target { host: "hub".into(), port: 1863 };
        let mut sign_in = SignIn::new(handle(account_of(client)), "Pa55word".into(), server);
        sign_in.status = status;
        sign_in.roster = keep_roster.then(|| self.client(client).roster().clone());
        let begun = self.net.with(self.clients[client], |client, now| client.sign_in(now, sign_in));
        begun.expect("nobody is signed in");
        self.settle();
        assert!(self.client(client).is_online(), "{:?}", self.events[client]);
        true
    }

    pub(crate) fn sign_out(&mut self, client: usize) {
        self.net.with(self.clients[client], Client::sign_out);
        self.settle();
    }

    pub(crate) fn reset(&mut self, client: usize) {
        self.net.break_connections(self.clients[client]);
        self.settle();
    }

    pub(crate) fn open(&mut self, client: usize, who: usize) -> bool {
        let who = handle(who);
        let key = self.clients[client];
        let opened = self.net.with(key, |client, now| client.open_chat(now, &who)).is_ok();
        self.settle();
        opened
    }

    /// Returns who was there before, if the client asked for anything.
    pub(crate) fn invite(
        &mut self,
        client: usize,
        chat: usize,
        who: usize,
    ) -> Option<BTreeSet<usize>> {
        let (chat, members) = self.any_chat(client, chat)?;
        let key = self.clients[client];
        let asked = self.net.with(key, |client, now| client.invite(now, chat, &handle(who)));
        self.settle();
        // Oneself is called like anybody else, and is refused.
        asked.ok().filter(|()| who != account_of(client)).map(|()| members)
    }

    pub(crate) fn leave(&mut self, client: usize, chat: usize) -> Option<BTreeSet<usize>> {
        let (chat, members) = self.any_chat(client, chat)?;
        let key = self.clients[client];
        self.net.with(key, |client, now| client.leave_chat(now, chat)).expect("it is there");
        self.chats[client].retain(|other| *other != chat);
        self.settle();
        Some(members)
    }

    /// A text comes to everybody in the chat, once, and is acknowledged.
    pub(crate) fn text(&mut self, client: usize, chat: usize) {
        let Some((chat, members)) = self.any_chat(client, chat) else { return };
        self.events.iter_mut().for_each(Vec::clear);
        self.texts += 1;
        let text = format!("text {}", self.texts);
        let key = self.clients[client];
        let sent = self
            .net
            .with(key, |client, now| client.send_text(now, chat, &text, Delivery::Always))
            .expect("somebody is there");
        self.settle();
        let ends = self.events[client].iter().filter_map(|event| match event {
            Event::Delivery { message, outcome } if *message == sent => Some(*outcome),
            _ => None,
        });
        assert_eq!(ends.collect::<Vec<_>>(), [Outcome::Acknowledged]);
        let mut heard = Vec::new();
        for (other, events) in self.events.iter().enumerate() {
            for event in events {
                if let Event::Message { from, content: Content::Text(content), .. } = event {
                    assert_eq!((number(from), &content.content), (account_of(client), &text));
                    heard.push(account_of(other));
                }
            }
        }
        heard.sort_unstable();
        assert_eq!(heard, members.into_iter().collect::<Vec<_>>(), "who has heard it");
    }

    /// Makes a request, and says what the client was told of it.
    pub(crate) fn change(&mut self, step: &Step) -> Found {
        let add = |list, who| Change::Add { list, account: handle(who), nick: None, group: None };
        let remove = |list, who| Change::Remove { list, account: handle(who), group: None };
        let nick = |name| Nick::new(&format!("name {name}")).expect("a name");
        let (client, change) = match *step {
            Step::Status(client, status) => {
                let key = self.clients[client];
                let request = self.net.with(key, |client, now| client.set_status(now, status));
                return self.told(client, request.ok()?);
            }
            Step::Add(client, list, who) => (client, add(list, who)),
            Step::Remove(client, list, who) => (client, remove(list, who)),
            Step::Privacy(client, privacy) => (client, Change::Privacy(privacy)),
            Step::Rename(client, name) => {
                (client, Change::Rename(handle(account_of(client)), nick(name)))
            }
            _ => unreachable!("no request: {step:?}"),
        };
        let request = self.net.with(self.clients[client], |client, now| client.change(now, change));
        self.told(client, request.ok()?)
    }

    fn told(&mut self, client: usize, request: RequestId) -> Found {
        self.events[client].clear();
        self.settle();
        let told = self.events[client].iter().filter_map(|event| match event {
            Event::Done { request: of } if *of == request => Some(Expected::Done),
            Event::Refused { request: of, why: Failure::Refused(code), .. } if *of == request => {
                Some(Expected::Refused(code.number()))
            }
            _ => None,
        });
        let told: Vec<Expected> = told.collect();
        assert_eq!(told.len(), 1, "one answer: {:?}", self.events[client]);
        told.first().copied()
    }

    /// Everything is as the model has it.
    pub(crate) fn compare(&self, model: &Model, step: &Step) {
        let hub = self.net.host(self.hub);
        let online = model.accounts.iter().filter(|account| account.session.is_some()).count();
        assert_eq!(hub.people(), online, "people online after {step:?}");
        assert_eq!(hub.switchboards(), model.rooms.len(), "switchboards after {step:?}");
        let seats: usize = model.rooms.iter().map(BTreeSet::len).sum();
        assert_eq!(hub.connections(), online + seats, "connections after {step:?}");
        for (number, account) in model.accounts.iter().enumerate() {
            let record = hub.directory().record(&handle(number)).expect("an account");
            let lists: BTreeMap<usize, Lists> = record
                .contacts
                .iter()
                .map(|contact| (self::number(&contact.handle), contact.lists))
                .collect();
            assert_eq!(lists, account.lists, "lists of {number} after {step:?}");
            assert_eq!(record.name.as_str(), account.name, "name of {number} after {step:?}");
        }
        for client in 0..self.clients.len() {
            let real = self.client(client);
            let account = model.online(client);
            assert_eq!(real.is_online(), account.is_some(), "client {client} after {step:?}");
            if let Some(account) = account {
                self.compare_client(model, client, account, step);
            }
        }
    }

    fn compare_client(&self, model: &Model, client: usize, account: usize, step: &Step) {
        let real = self.client(client);
        let own = &model.accounts[account];
        let roster = real.roster();
        let lists: BTreeMap<usize, Lists> =
            roster.contacts().map(|(handle, contact)| (number(handle), contact.lists())).collect();
        assert_eq!(lists, own.lists, "roster of client {client} after {step:?}");
        assert_eq!(roster.privacy(), own.privacy, "privacy of client {client} after {step:?}");
        assert_eq!(real.status(), own.session.map(|(_, status)| status), "after {step:?}");
        assert_eq!(real.nick().map(Nick::as_str), Some(own.name.as_str()), "after {step:?}");
        for (handle, contact) in roster.contacts() {
            let who = number(handle);
            let seen = model.seen(account, who);
            assert_eq!(contact.status(), seen, "{who} as {account} sees them after {step:?}");
            if seen != Status::Offline {
                let name = contact.display().map(Nick::as_str);
                assert_eq!(name, Some(model.accounts[who].name.as_str()), "after {step:?}");
            }
            let in_group = contact.lists().has(List::Forward);
            assert_eq!(!contact.groups().is_empty(), in_group, "groups after {step:?}");
        }
        let mut rooms: Vec<BTreeSet<usize>> = model
            .rooms
            .iter()
            .filter(|room| room.contains(&account))
            .map(|room| room.iter().copied().filter(|who| *who != account).collect())
            .collect();
        let mut real: Vec<_> =
            self.active(client).into_iter().map(|(_, members)| members).collect();
        rooms.sort();
        real.sort();
        assert_eq!(real, rooms, "chats of client {client} after {step:?}");
    }
}
