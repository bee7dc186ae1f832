//! A client in a play, with what it has asked its driver for.

use std::collections::VecDeque;

use msnp_proto::client::{ChatId, Client, Event};
use msnp_proto::machine::{Closed, ConnId, Host, Output, Target};
use msnp_proto::time::Instant;

use super::usher::Usher;

pub(crate) struct Actor {
    pub(crate) account: String,
    pub(crate) client: Client,
    /// Connections that it wants opened.
    pub(crate) dials: Vec<(ConnId, Target)>,
    /// Connections that it wants closed, when all is written.
    pub(crate) closing: Vec<ConnId>,
    pub(crate) events: Vec<Event>,
    /// Chats that have no connection of the file yet.
    pub(crate) chats: VecDeque<ChatId>,
    /// Where it was told that switchboards are.
    pub(crate) switchboards: Vec<Target>,
    /// The notification server of a file that has none.
    pub(crate) usher: Option<Usher>,
}

impl Actor {
    pub(crate) fn new(account: &str, client: Client) -> Self {
        Self {
            account: account.to_owned(),
            client,
            dials: Vec::new(),
            closing: Vec::new(),
            events: Vec::new(),
            chats: VecDeque::new(),
            switchboards: Vec::new(),
            usher: None,
        }
    }

    /// Takes what the client wants of its driver.
    pub(crate) fn collect(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Connect { conn, to } => self.dials.push((conn, to)),
                Output::Close { conn, .. } => self.closing.push(conn),
                Output::Event(event) => {
                    if let Event::ChatOpened { chat, .. } = event {
                        self.chats.push_back(chat);
                    }
                    self.events.push(event);
                }
                Output::Transmit { .. } => {}
                other => panic!("a client asked for {other:?}"),
            }
        }
    }

    /// Closes a connection if the client wants that; says whether it did.
    pub(crate) fn close(&mut self, now: Instant, conn: ConnId) -> bool {
        let Some(place) = self.closing.iter().position(|closing| *closing == conn) else {
            return false;
        };
        self.closing.remove(place);
        self.client.handle_closed(now, conn, Closed::Done);
        self.collect();
        true
    }

    /// The connection that the client wants to a switchboard, or to another server.
    pub(crate) fn take_dial(&mut self, to_switchboard: bool) -> Option<ConnId> {
        let fits = |(_, to): &(ConnId, Target)| self.switchboards.contains(to) == to_switchboard;
        let place = self.dials.iter().position(fits)?;
        Some(self.dials.remove(place).0)
    }
}
