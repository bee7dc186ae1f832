//! Acknowledged texts between two clients through the hub, all in memory.

use std::time;

use msnp_proto::client::{ChatId, Client, Config, Event, Outcome, SignIn};
use msnp_proto::hub::{Hub, HubConfig, MemoryDirectory};
use msnp_proto::machine::{Closed, ConnId, Host, ListenerId, Output};
use msnp_proto::secret::Entropy;
use msnp_proto::time::Instant;
use msnp_proto::types::{Delivery, Handle};

struct Counting(u8);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(77).wrapping_add(13);
            *byte = self.0;
        }
    }
}

/// Two clients and a hub, with a wire for each connection.
struct Town {
    hub: Hub,
    clients: [Client; 2],
    /// Client, its connection, the hub's.
    wires: Vec<(usize, ConnId, ConnId)>,
    acknowledged: usize,
    received: usize,
    online: usize,
}

const NOW: Instant = Instant::ZERO;

impl Town {
    fn new() -> Self {
        let mut hub =
            Hub::new(HubConfig::loopback(), MemoryDirectory::open(), Box::new(Counting(1)));
        while let Some(output) = hub.poll_output() {
            if let Output::Listen { listener, .. } = output {
                let at = ([127, 0, 0, 1], 1863 + listener.0 as u16).into();
                hub.handle_listening(NOW, listener, at);
            }
        }
        let clients = ["alice@example.net", "bob@example.net"].map(|account| {
            let mut client = Client::new(Config::new());
            let account = account.parse().expect("an account");
            let server = "127.0.0.1:1863".parse().expect("an address");
            let sign_in = SignIn::new(account, "123456".into(), server);
            client.sign_in(NOW, sign_in).expect("offline");
            client
        });
        let wires = Vec::new();
        let mut town = Self { hub, clients, wires, acknowledged: 0, received: 0, online: 0 };
        town.run();
        assert_eq!(town.online, 2);
        town
    }

    /// Everything until nothing moves any more.
    fn run(&mut self) {
        loop {
            let mut moved = false;
            while let Some(output) = self.hub.poll_output() {
                moved = true;
                if let Output::Close { conn, .. } = output {
                    self.hub.handle_closed(NOW, conn, Closed::Done);
                }
            }
            for place in 0..self.clients.len() {
                while let Some(output) = self.clients[place].poll_output() {
                    moved = true;
                    match output {
                        Output::Connect { conn, to } => {
                            let listener = ListenerId(u32::from(to.port - 1863));
                            let peer = ([127, 0, 0, 1], 9).into();
                            let hub = self.hub.handle_accepted(NOW, listener, peer).expect("room");
                            self.clients[place].handle_connected(NOW, conn);
                            self.wires.push((place, conn, hub));
                        }
                        Output::Event(Event::Delivery { outcome, .. }) => {
                            assert_eq!(outcome, Outcome::Acknowledged);
                            self.acknowledged += 1;
                        }
                        Output::Event(Event::Message { .. }) => self.received += 1,
                        Output::Event(Event::Online { .. }) => self.online += 1,
                        _ => {}
                    }
                }
            }
            for (place, near, far) in &self.wires {
                let client = &mut self.clients[*place];
                let bytes = client.pending(*near);
                if !bytes.is_empty() {
                    let len = bytes.len();
                    self.hub.handle_input(NOW, *far, bytes);
                    client.consume(NOW, *near, len);
                    moved = true;
                }
                let bytes = self.hub.pending(*far);
                if !bytes.is_empty() {
                    let len = bytes.len();
                    client.handle_input(NOW, *near, bytes);
                    self.hub.consume(NOW, *far, len);
                    moved = true;
                }
            }
            if !moved {
                return;
            }
        }
    }

    fn chat(&mut self) -> ChatId {
        let bob: Handle = "bob@example.net".parse().expect("an account");
        let chat = self.clients[0].open_chat(NOW, &bob).expect("online");
        self.run();
        assert_eq!(self.clients[0].members(chat).count(), 1);
        chat
    }
}

fn main() {
    const BATCH: usize = 64;
    let mut town = Town::new();
    let chat = town.chat();
    let mut figures = Vec::new();
    for _ in 0..11 {
        let (before, start) = (town.acknowledged, time::Instant::now());
        while start.elapsed() < time::Duration::from_millis(200) {
            for _ in 0..BATCH {
                let client = &mut town.clients[0];
                client.send_text(NOW, chat, "Hello, Bob!", Delivery::Always).expect("room");
            }
            town.run();
        }
        figures.push((town.acknowledged - before) as f64 / start.elapsed().as_secs_f64());
    }
    assert_eq!(town.acknowledged, town.received);
    figures.sort_by(f64::total_cmp);
    println!(
        "{:.0} {:.0} {:.0} texts/s, {} in all",
        figures[0], figures[5], figures[10], town.acknowledged
    );
}
