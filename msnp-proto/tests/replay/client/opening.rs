//! How the connections of a file begin: with the client that would hold them.

use msnp_proto::client::{Client, Config, SignIn};
use msnp_proto::machine::{ConnId, Host, Target};
use msnp_proto::testing::Role;
use msnp_proto::transcript::Side;
use msnp_proto::types::{Dialect, Handle, Status};

use super::actor::Actor;
use super::play::{Play, handle};
use super::usher::{SWITCHBOARD, Usher};
use crate::stage::words;

impl Play<'_> {
    /// Begins a connection, if it has not begun.
    pub(super) fn open(&mut self, at: usize) {
        if self.wires[at].party.is_some() || self.wires[at].over {
            return;
        }
        let role = self.script.dialogues[at].role;
        let party = match role {
            Role::Switchboard => self.open_switchboard(at),
            Role::Dispatch | Role::Notification => Some(self.open_notification(at)),
        };
        self.wires[at].over = party.is_none();
        self.wires[at].party = party;
        if let Some((actor, conn)) = party {
            // Where the file begins in the middle, the connection is open already.
            self.actors[actor].client.handle_connected(self.now, conn);
            self.settle();
        }
    }

    pub(super) fn account(&self, at: usize) -> String {
        let account = self.script.dialogues[at].account.as_deref();
        account.unwrap_or("alice@example.net").to_owned()
    }

    fn open_notification(&mut self, at: usize) -> (usize, ConnId) {
        let account = self.account(at);
        for (actor, place) in self.actors.iter_mut().zip(0..) {
            if actor.account == account {
                if let Some(conn) = actor.take_dial(false) {
                    return (place, conn);
                }
            }
        }
        let begins = self.first_words(at).first().is_some_and(|word| word == "VER");
        if !begins {
            let actor = self.sign_in_with_usher(at, 0);
            let usher = self.actors[actor].usher.take().expect("just signed in");
            return (actor, usher.conn);
        }
        let version = self.version_known(at);
        let roster = (version > 0).then(|| {
            let actor = self.sign_in_with_usher(at, version);
            let mut actor = self.actors.remove(actor);
            actor.client.sign_out(self.now);
            actor.client.roster().clone()
        });
        let mut client = Client::new(self.config(at));
        let mut sign_in = self.sign_in(at);
        sign_in.roster = roster;
        client.sign_in(self.now, sign_in).expect("nobody is signed in");
        let mut actor = Actor::new(&account, client);
        actor.collect();
        let (conn, _) = actor.dials.remove(0);
        self.actors.push(actor);
        (self.actors.len() - 1, conn)
    }

    fn sign_in(&self, at: usize) -> SignIn {
        let password = self.script.dialogues[at].password.as_deref().unwrap_or("unknown");
        let server = Target { host: "messenger.example.net".into(), port: 1863 };
        let mut sign_in = SignIn::new(handle(&self.account(at)), password.into(), server);
        let status = self
            .said_in(at, "CHG")
            .and_then(|words| words.get(2).and_then(|word| Status::from_word(word.as_bytes())));
        sign_in.status = status.unwrap_or(Status::Online);
        sign_in
    }

    /// The client that would hold this dialogue: its dialects, its report, whether it asks for lists.
    fn config(&self, at: usize) -> Config {
        let mut config = Config::new();
        let header = self.script.transcript.header("dialect").unwrap_or("MSNP7");
        let offer = self.said_in(at, "VER").unwrap_or_else(|| vec![header.to_owned()]);
        let dialects = offer.iter().filter_map(|word| Dialect::from_word(word.as_bytes()));
        config.dialects = dialects.collect();
        // The last connection of a session is the one that says it.
        let said = |verb| (at..self.wires.len()).find_map(|at| self.said_in(at, verb));
        if let Some(report) = said("CVR").or_else(|| said("CVQ")) {
            let six = header < "MSNP4" || report[0] == "CVQ";
            let mut report = report[2..].join(" ");
            if six && report.split(' ').count() == 6 {
                report.push_str(" MSMSGS");
            }
            config.version_report = report;
        } else if said("CHG").is_some() {
            config.version_report = String::new();
        }
        config.sync = said("SYN").is_some() || said("CHG").is_none();
        config
    }

    /// The words of the first command of this verb that the file has on a connection.
    fn said_in(&self, at: usize, verb: &str) -> Option<Vec<String>> {
        let frames = self.script.dialogues[at].frames(Side::Client);
        frames.map(|frame| words(frame.line())).find(|words| words[0] == verb)
    }

    fn first_words(&self, at: usize) -> Vec<String> {
        let first = self.script.dialogues[at].frames(Side::Client).next();
        first.map(|frame| words(frame.line())).unwrap_or_default()
    }

    fn version_known(&self, at: usize) -> u32 {
        let syn = (at..self.wires.len()).find_map(|at| self.said_in(at, "SYN"));
        syn.and_then(|words| words.get(2)?.parse().ok()).unwrap_or(0)
    }

    /// A client that is signed in already.
    fn sign_in_with_usher(&mut self, at: usize, version: u32) -> usize {
        let account = self.account(at);
        let mut config = Config::new();
        let dialect = self.script.transcript.header("dialect").unwrap_or("MSNP7");
        config.dialects = Dialect::from_word(dialect.as_bytes()).into_iter().collect();
        let mut client = Client::new(config);
        client.sign_in(self.now, self.sign_in(at)).expect("nobody is signed in");
        let mut actor = Actor::new(&account, client);
        actor.collect();
        let (conn, _) = actor.dials.remove(0);
        actor.client.handle_connected(self.now, conn);
        actor.usher = Some(Usher::new(conn, &account, dialect, version));
        self.actors.push(actor);
        let actor = self.actors.len() - 1;
        self.settle();
        assert!(self.actors[actor].client.is_online(), "the usher signs in");
        self.actors[actor].events.clear();
        actor
    }

    fn open_switchboard(&mut self, at: usize) -> Option<(usize, ConnId)> {
        let account = self.account(at);
        let of = |actor: &Actor| actor.account == account;
        let actor = match self.actors.iter().rposition(of) {
            Some(actor) => actor,
            None => self.sign_in_with_usher(at, 0),
        };
        if self.actors[actor].usher.is_some() {
            self.ask_usher(at, actor);
        }
        let conn = self.actors[actor].take_dial(true)?;
        self.wires[at].chat = self.actors[actor].chats.pop_front();
        Some((actor, conn))
    }

    /// Makes the client want to go to the switchboard of a file that has no other connections.
    fn ask_usher(&mut self, at: usize, actor: usize) {
        let first = self.first_words(at);
        let usher_conn = self.actors[actor].usher.as_ref().map(|usher| usher.conn);
        match first[0].as_str() {
            "USR" => {
                let with = self.callee(at);
                if let Some(usher) = &mut self.actors[actor].usher {
                    usher.cookie = Some(first[3].clone());
                }
                self.actors[actor].client.open_chat(self.now, &with).expect("online");
            }
            _ => {
                let joined = self.script.dialogues[at].frames(Side::Server);
                let mut joined = joined.map(|frame| words(frame.line()));
                let caller = joined.find(|words| words[0] == "IRO").map(|words| words[4].clone());
                let caller = caller.unwrap_or_else(|| "alice@example.net".to_owned());
                let ring =
                    format!("RNG {} {SWITCHBOARD} CKI {} {caller} C\r\n", first[4], first[3]);
                if let Some(conn) = usher_conn {
                    self.actors[actor].client.handle_input(self.now, conn, ring.as_bytes());
                }
            }
        }
        let (host, port) = SWITCHBOARD.split_once(':').expect("a port");
        let to = Target { host: host.into(), port: port.parse().expect("a port") };
        self.actors[actor].switchboards.push(to);
        self.settle();
    }

    /// Who is called first on a switchboard of the file.
    pub(super) fn callee(&self, at: usize) -> Handle {
        let called = self.said_in(at, "CAL").and_then(|words| Handle::new(&words[2]));
        called.unwrap_or_else(|| handle("bob@example.net"))
    }
}
