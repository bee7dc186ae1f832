//! The conversation as the source of a Mermaid sequence diagram.
//!
//! This module knows Mermaid's words and what must not stand in them as it is. Each client is a
//! participant of its own, by its address.

use std::collections::HashMap;

use msnp_proto::transcript::Side;

use super::event::{Event, Server, Sink, What};
use super::short::Row;
use super::text::Since;
use crate::escape::Escaped;

/// Most characters of a label.
const LABEL: usize = 120;
/// Most clients with a participant of their own; all others share one.
const CLIENTS: usize = 64;

/// Writes lines.
#[derive(Debug)]
pub(super) struct Mermaid {
    pub(super) out: Vec<u8>,
    show_secrets: bool,
    since: Since,
    begun: bool,
    /// Participants of clients, by what they are called.
    clients: HashMap<String, usize>,
    /// The participant of each connection's client.
    connections: HashMap<u32, usize>,
}

impl Mermaid {
    pub(super) fn new(show_secrets: bool) -> Self {
        let since = Since::default();
        let (clients, connections) = (HashMap::new(), HashMap::new());
        Self { out: Vec::new(), show_secrets, since, begun: false, clients, connections }
    }

    /// An empty diagram is one too.
    pub(super) fn conclude(&mut self) {
        self.begin();
    }

    fn begin(&mut self) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        self.put("sequenceDiagram");
    }

    fn put(&mut self, line: &str) {
        self.out.extend_from_slice(line.as_bytes());
        self.out.push(b'\n');
    }

    /// The participant of a connection's client, which begins here.
    fn open(&mut self, connection: u32, name: String) {
        let count = self.clients.len();
        let name = if count < CLIENTS { name } else { "others".to_owned() };
        let number = *self.clients.entry(name.clone()).or_insert(count + 1);
        self.connections.insert(connection, number);
        if number > count {
            let line = format!("    participant C{number} as client {}", escaped(&name));
            self.put(line.trim_end());
            if number == 1 {
                for server in Server::ALL {
                    self.put(&format!("    participant {} as {}", letter(server), server.name()));
                }
            }
        }
    }

    fn client(&self, connection: u32) -> usize {
        self.connections.get(&connection).copied().unwrap_or(1)
    }
}

fn letter(server: Server) -> &'static str {
    match server {
        Server::Dispatch => "D",
        Server::Notification => "N",
        Server::Switchboard => "S",
    }
}

/// A text that can stand in any place of a line: no character of it ends the line, begins a
/// comment or an entity, or is a tag for who draws it.
fn escaped(text: &str) -> String {
    let text = Escaped(text).to_string();
    let mut out = String::with_capacity(text.len());
    let cut = text.chars().count() > LABEL;
    for c in text.chars().take(if cut { LABEL - 2 } else { LABEL }) {
        match c {
            ';' | '#' | '<' | '>' | '&' | '"' | '%' | '{' | '}' | '\\' | '`' => {
                out.push_str(&format!("#{};", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    if cut {
        out.push_str("..");
    }
    out
}

impl Sink for Mermaid {
    fn take(&mut self, event: &Event<'_>) {
        self.begin();
        if let What::Opened(opened) = &event.what {
            let name = opened.client.map(|client| client.address.to_string());
            self.open(event.connection, name.unwrap_or_default());
        }
        let Row { arrow, is_command, label } = Row::of(event, self.show_secrets);
        let label = escaped(&format!("{} {label}", self.since.of(event.at)));
        let client = self.client(event.connection);
        let line = match arrow {
            Some((server, from)) => {
                let (server, head) = (letter(server), if is_command { "->>" } else { "--x" });
                match from {
                    Side::Client => format!("    C{client}{head}{server}: {label}"),
                    Side::Server => format!("    {server}{head}C{client}: {label}"),
                }
            }
            None if self.clients.is_empty() => format!("    %% {label}"),
            None => format!("    Note over C{client}: {label}"),
        };
        self.put(&line);
        if let What::Closed(_) = event.what {
            self.connections.remove(&event.connection);
        }
    }
}
