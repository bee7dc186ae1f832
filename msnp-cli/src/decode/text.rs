//! Events as lines for people.
//!
//! This module knows the order of the words. Everything that comes from the capture goes through
//! [`Escaped`], so that a line stays one line and the terminal stays as it is.

use std::fmt::Write;

use msnp_proto::transcript::Side;
use msnp_proto::wire::{Frame, Value};

use super::Summary;
use super::body::{self, Body, Part};
use super::event::{Command, Event, Opened, Said, Server, Sink, What};
use super::words::Clock;
use crate::escape::{Escaped, text_of_bytes};
use crate::mask::masked_payload;

/// Writes events.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) out: Vec<u8>,
    show_secrets: bool,
    colour: bool,
    since: Since,
    clock: Clock,
    /// Everything of a line behind the time.
    line: String,
}

/// The time since the first event.
#[derive(Debug, Default)]
pub(super) struct Since {
    zero: Option<u64>,
    last: u64,
}

impl Since {
    /// Seconds with six decimals.
    pub(super) fn of(&mut self, at: u64) -> String {
        let zero = *self.zero.get_or_insert(at);
        self.last = at;
        // Packets of several interfaces may come in another order than their times.
        let sign = if at < zero { "-" } else { "" };
        let micros = at.abs_diff(zero);
        format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }

    /// The same of the last event.
    pub(super) fn last(&mut self) -> String {
        self.of(self.last)
    }
}

/// Numbers of colours.
const DIM: u8 = 2;
const RED: u8 = 31;
const GREEN: u8 = 32;
const YELLOW: u8 = 33;
const CYAN: u8 = 36;

impl Text {
    pub(super) fn new(show_secrets: bool, colour: bool) -> Self {
        let (since, clock) = (Since::default(), Clock::default());
        Self { out: Vec::new(), show_secrets, colour, since, clock, line: String::new() }
    }

    pub(super) fn conclude(&mut self, exit: u8, summary: &Summary) {
        let Summary { packets, connections, commands, unreadable, missing, .. } = *summary;
        self.line = format!("connections: {connections}, commands: {commands}");
        for (name, count) in
            [("packets", packets), ("unreadable bytes", unreadable), ("missing bytes", missing)]
        {
            if count > 0 {
                self.say(format_args!(", {name}: {count}"));
            }
        }
        self.say(format_args!(", exit {exit}"));
        let time = self.since.last();
        self.put(&time, "done", DIM);
    }

    fn say(&mut self, words: std::fmt::Arguments<'_>) {
        // A string takes everything.
        let _ = self.line.write_fmt(words);
    }

    fn put(&mut self, time: &str, name: &str, colour: u8) {
        let line = if self.colour {
            format!("\x1b[{DIM}m{time:>12}\x1b[0m \x1b[{colour}m{name}\x1b[0m {}\n", self.line)
        } else {
            format!("{time:>12} {name} {}\n", self.line)
        };
        self.out.extend_from_slice(line.as_bytes());
    }

    fn speaker(&mut self, number: u32, server: Server, from: Side) {
        let arrow = if from == Side::Client { "C>" } else { "S>" };
        self.say(format_args!("#{number} {} {arrow}", server.name()));
    }

    fn opened(&mut self, at: u64, opened: &Opened<'_>) {
        self.say(format_args!("opened"));
        if let Some(name) = opened.name {
            self.say(format_args!(" {}", Escaped(name)));
        }
        if let (Some(client), Some(server)) = (opened.client, opened.server) {
            self.say(format_args!(" {client} to {server}"));
        }
        if opened.midway {
            self.say(format_args!(", joined in the middle"));
        }
        if at > 0 {
            let mut time = Vec::new();
            self.clock.write(&mut time, at);
            self.say(format_args!(" at {}", String::from_utf8_lossy(&time)));
        }
    }
}

impl Sink for Text {
    fn take(&mut self, event: &Event<'_>) {
        self.line.clear();
        let number = event.connection;
        let (name, colour) = match &event.what {
            What::Opened(opened) => {
                self.say(format_args!("#{number} "));
                self.opened(event.at, opened);
                ("connection", DIM)
            }
            What::Closed(ending) => {
                self.say(format_args!("#{number} closed: {ending}"));
                ("connection", DIM)
            }
            What::Command(command) => {
                self.speaker(number, command.server, command.from);
                self.say(format_args!(" {}", command.verb()));
                let colour = match (&command.said, command.from) {
                    (Said::Refusal(_), _) => RED,
                    (_, Side::Client) => GREEN,
                    (_, Side::Server) => CYAN,
                };
                words_of(&mut self.line, command, self.show_secrets);
                (
                    "command   ",
                    if command.from == Side::Client { GREEN.max(colour) } else { colour },
                )
            }
            What::Unreadable(unreadable) => {
                self.speaker(number, unreadable.server, unreadable.from);
                let shown = unreadable.shown(self.show_secrets);
                let (count, why) = (unreadable.bytes.len(), unreadable.why);
                self.say(format_args!(
                    " {count} bytes ({why}): {}",
                    Escaped(&text_of_bytes(&shown))
                ));
                ("unreadable", YELLOW)
            }
            What::Gap { server, from, size } => {
                self.speaker(number, *server, *from);
                self.say(format_args!(" {size} bytes are not in the capture"));
                ("gap       ", YELLOW)
            }
            What::Conflict { server, from, size } => {
                self.speaker(number, *server, *from);
                self.say(format_args!(
                    " {size} bytes came again and were not the same; the first stay"
                ));
                ("conflict  ", YELLOW)
            }
            What::Warning(text) => {
                self.say(format_args!("{}", Escaped(text)));
                ("warning   ", YELLOW)
            }
        };
        let time = self.since.of(event.at);
        self.put(&time, name, colour);
    }
}

/// Appends ` name=value`, in quotes if the value is not one plain word.
fn pair(out: &mut String, name: &str, value: &str) {
    let plain = !value.is_empty() && !value.contains([' ', '"', '=']);
    let escaped = Escaped(value).to_string();
    let _ = if plain {
        write!(out, " {name}={escaped}")
    } else {
        write!(out, " {name}=\"{}\"", escaped.replace('"', "\\\""))
    };
}

/// Everything behind the verb.
fn words_of(out: &mut String, command: &Command<'_>, show_secrets: bool) {
    match &command.said {
        Said::Unknown | Said::Misfit(_) => {
            let line = command.line(show_secrets);
            let (mut behind, mut words) = (String::new(), Frame::new(&line, None).words());
            words.next();
            for word in words {
                let _ = write!(behind, " {}", Escaped(&text_of_bytes(word)));
            }
            out.push_str(&behind);
            if let Some(payload) = command.frame.payload() {
                let payload = if show_secrets { payload.into() } else { masked_payload(payload) };
                pair(out, "payload", &text_of_bytes(&payload));
            }
        }
        Said::Refusal(refusal) => {
            if let Some(trid) = refusal.trid {
                pair(out, "trid", &trid.to_string());
            }
            pair(out, "name", refusal.code.name().unwrap_or("?"));
        }
        said => said.fields(&mut |name, value| {
            if !show_secrets && command.is_secret(name) {
                return pair(out, name, "***");
            }
            match value {
                Value::Body(payload) if name == "body" => {
                    words_of_body(out, &body::read(command, payload, show_secrets));
                }
                value => pair(out, name, &text_of_value(value)),
            }
        }),
    }
    if !command.said.extra().is_empty() {
        pair(out, "extra", &text_of_bytes(command.said.extra()));
    }
    if let Some(problem) = command.problem() {
        pair(out, "problem", &problem);
    }
    if command.missing > 0 {
        pair(out, "missing_bytes", &command.missing.to_string());
    }
}

fn text_of_value(value: Value<'_>) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Word(word) => text_of_bytes(word),
        Value::Name(name) => name.to_text(),
        Value::Address(address) => address.to_target().to_string(),
        Value::Words(words) => words.iter().map(text_of_bytes).collect::<Vec<_>>().join(" "),
        Value::Groups(groups) => {
            groups.iter().map(|id| id.to_string()).collect::<Vec<_>>().join(",")
        }
        Value::Body(payload) => text_of_bytes(payload),
        _ => String::new(),
    }
}

fn words_of_body(out: &mut String, body: &Body<'_>) {
    pair(out, "type", &text_of_bytes(body.content_type));
    for (name, value) in &body.headers {
        pair(out, &Escaped(&text_of_bytes(name)).to_string(), &text_of_bytes(value));
    }
    match &body.part {
        Part::Text(text) => {
            pair(out, "text", &text.content);
            pair(out, "format", &text.format.to_string());
        }
        Part::Typing(user) => pair(out, "typing", &text_of_bytes(user)),
        Part::Fields(fields) => {
            for (name, value) in fields {
                pair(out, &Escaped(&text_of_bytes(name)).to_string(), &text_of_bytes(value));
            }
        }
        Part::Plain(text) => pair(out, "text", text),
        Part::Nothing => {}
    }
    if let Some(problem) = &body.problem {
        pair(out, "problem", problem);
    }
    if let Some(bytes) = &body.bytes {
        pair(out, "bytes", &text_of_bytes(bytes));
    }
}
