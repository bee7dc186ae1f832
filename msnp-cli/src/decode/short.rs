//! Events in a few words, for diagrams.
//!
//! This module knows what is left out where there is little room. Its texts are not escaped.

use std::fmt::Write;

use msnp_proto::transcript::Side;
use msnp_proto::wire::{Frame, Value};

use super::body::{self, Body, Part};
use super::event::{Command, Event, Opened, Said, Server, What};
use crate::escape::text_of_bytes;

/// One row of a diagram.
#[derive(Debug)]
pub(super) struct Row {
    /// From the client to the server or back; `None` for what neither of them said.
    pub(super) arrow: Option<(Server, Side)>,
    /// Whether a command was read.
    pub(super) is_command: bool,
    pub(super) label: String,
}

impl Row {
    pub(super) fn of(event: &Event<'_>, show_secrets: bool) -> Self {
        let (arrow, label) = match &event.what {
            What::Command(command) => {
                (Some((command.server, command.from)), short(command, show_secrets))
            }
            What::Opened(opened) => (None, opening(opened)),
            What::Closed(ending) => (None, format!("closed: {ending}")),
            What::Unreadable(unreadable) => {
                let label = format!("? {} bytes: {}", unreadable.bytes.len(), unreadable.why);
                (Some((unreadable.server, unreadable.from)), label)
            }
            What::Gap { server, from, size } => {
                (Some((*server, *from)), format!("? {size} bytes are not in the capture"))
            }
            What::Conflict { server, from, size } => {
                (Some((*server, *from)), format!("? {size} bytes came again, not the same"))
            }
            What::Warning(text) => (None, (*text).to_owned()),
        };
        let is_command = matches!(event.what, What::Command(_));
        let label = match event.connection {
            0 => label,
            number => format!("#{number} {label}"),
        };
        Self { arrow, is_command, label }
    }
}

fn opening(opened: &Opened<'_>) -> String {
    let mut text = String::from("opened");
    if let Some(name) = opened.name {
        let _ = write!(text, " {name}");
    }
    if let (Some(client), Some(server)) = (opened.client, opened.server) {
        let _ = write!(text, " {client} to {server}");
    }
    if opened.midway {
        text.push_str(" (in the middle)");
    }
    text
}

/// A command: the line as it was, and what its message says.
fn short(command: &Command<'_>, show_secrets: bool) -> String {
    let line = command.line(show_secrets);
    let mut words: Vec<String> = Frame::new(&line, None).words().map(text_of_bytes).collect();
    if command.frame.payload().is_some() {
        // Its length says nothing to a reader.
        words.pop();
    }
    let mut shown = words.join(" ");
    if let Said::Refusal(refusal) = &command.said {
        if let Some(name) = refusal.code.name() {
            let _ = write!(shown, " ({name})");
        }
    }
    let mut message = None;
    command.said.fields(&mut |name, value| {
        if let (Value::Body(payload), "body") = (value, name) {
            message = Some(short_body(&body::read(command, payload, show_secrets)));
        }
    });
    if let Some(message) = message {
        shown.push(' ');
        shown.push_str(&message);
    }
    shown
}

fn short_body(body: &Body<'_>) -> String {
    match &body.part {
        Part::Text(text) => format!("\"{}\"", text.content),
        Part::Typing(_) => "(is typing)".into(),
        Part::Fields(fields) => {
            let named = |wanted: &[u8]| fields.iter().find(|(name, _)| *name == wanted);
            match named(b"Invitation-Command") {
                Some((_, command)) => format!("(invitation: {})", text_of_bytes(command)),
                None => format!("({})", text_of_bytes(body.content_type)),
            }
        }
        _ => format!("({})", text_of_bytes(body.content_type)),
    }
}
