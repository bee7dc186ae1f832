//! Events as JSON objects, one a line, in the style of the other verbs' events.
//!
//! This module knows the names of the fields. It writes into one buffer by hand; what it writes is
//! compared with serde_json's reading in the tests.

use memchr::memchr;
use msnp_proto::body::{Charset, Effects, Format};
use msnp_proto::transcript::Side;
use msnp_proto::wire::{Frame, Value};

use super::Summary;
use super::body::{self, Part};
use super::event::{Command, Event, Opened, Said, Server, Sink, Unreadable, What, side_name};
use super::words::{Clock, number, string};
use crate::events::VERSION;
use crate::mask::{MASK, masked_payload};
use crate::translate::base64;

/// Writes events.
#[derive(Debug)]
pub(super) struct Json {
    pub(super) out: Vec<u8>,
    show_secrets: bool,
    seq: u64,
    clock: Clock,
    /// Time of the last event.
    now: u64,
    last_text: LastText,
}

/// The last text that could be shown whole: people send the same header with every text.
#[derive(Debug, Default)]
struct LastText {
    /// Up to the empty line; empty if there was none.
    head: Vec<u8>,
    /// What is shown before the text, and behind it.
    before: Vec<u8>,
    behind: Vec<u8>,
}

/// Longest header that is remembered.
const REMEMBERED: usize = 512;

impl Json {
    pub(super) fn new(show_secrets: bool) -> Self {
        let (clock, last_text) = (Clock::default(), LastText::default());
        Self { out: Vec::new(), show_secrets, seq: 0, clock, now: 0, last_text }
    }

    pub(super) fn conclude(&mut self, exit: u8, summary: &Summary) {
        let Summary {
            packets,
            other_packets,
            connections,
            commands,
            unreadable,
            missing,
            bad_packets,
        } = *summary;
        self.begin(self.now, "done");
        for (name, value) in [
            ("exit", exit.into()),
            ("packets", packets),
            ("other_packets", other_packets),
            ("bad_packets", bad_packets),
            ("connections", connections.into()),
            ("commands", commands),
            ("unreadable_bytes", unreadable),
            ("missing_bytes", missing),
        ] {
            self.number(name, value);
        }
        self.end();
    }

    fn begin(&mut self, at: u64, kind: &str) {
        self.now = at;
        self.raw("{\"v\":");
        number(&mut self.out, VERSION.into());
        self.raw(",\"seq\":");
        number(&mut self.out, self.seq);
        self.raw(",\"t\":\"");
        self.clock.write(&mut self.out, at);
        self.raw("\",\"type\":\"");
        self.raw(kind);
        self.raw("\"");
        self.seq += 1;
    }

    fn end(&mut self) {
        self.raw("}\n");
    }

    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn key(&mut self, name: &str) {
        self.raw(",\"");
        self.raw(name);
        self.raw("\":");
    }

    fn number(&mut self, name: &str, value: u64) {
        self.key(name);
        number(&mut self.out, value);
    }

    fn string(&mut self, name: &str, bytes: &[u8]) -> bool {
        self.key(name);
        string(&mut self.out, bytes)
    }

    /// A string that is known to need no escapes.
    fn plain(&mut self, name: &str, text: &str) {
        self.key(name);
        self.raw("\"");
        self.raw(text);
        self.raw("\"");
    }

    fn bytes(&mut self, name: &str, bytes: &[u8]) {
        self.plain(name, &base64(bytes));
    }

    /// A list, or what stands in an object, between two marks.
    fn list<T>(
        &mut self,
        marks: [&str; 2],
        items: impl Iterator<Item = T>,
        mut one: impl FnMut(&mut Self, T),
    ) {
        let [open, close] = marks;
        self.raw(open);
        for (place, item) in items.enumerate() {
            if place > 0 {
                self.raw(",");
            }
            one(self, item);
        }
        self.raw(close);
    }

    fn speaker(&mut self, server: Server, from: Side) {
        self.plain("server", server.name());
        self.plain("from", side_name(from));
    }

    fn opened(&mut self, opened: &Opened<'_>) {
        self.plain("change", "opened");
        if let Some(client) = opened.client {
            self.string("client_address", client.to_string().as_bytes());
        }
        if let Some(server) = opened.server {
            self.string("server_address", server.to_string().as_bytes());
        }
        if let Some(name) = opened.name {
            self.string("name", name.as_bytes());
        }
        self.key("midway");
        self.raw(if opened.midway { "true" } else { "false" });
    }

    fn command(&mut self, command: &Command<'_>) {
        self.speaker(command.server, command.from);
        self.string("verb", command.verb().as_bytes());
        let mut whole = true;
        match &command.said {
            Said::Unknown | Said::Misfit(_) => self.words(command),
            Said::Refusal(refusal) => {
                if let Some(trid) = refusal.trid {
                    self.number("trid", trid.0.into());
                }
                self.number("code", refusal.code.number().into());
                if let Some(name) = refusal.code.name() {
                    self.string("name", name.as_bytes());
                }
                if let Some(payload) = command.frame.payload() {
                    self.payload("payload", payload);
                }
            }
            said => said.fields(&mut |name, value| whole &= self.field(command, name, value)),
        }
        let extra = command.said.extra();
        if !extra.is_empty() {
            whole &= self.string("extra", extra);
        }
        if let Some(problem) = command.problem() {
            self.string("problem", problem.as_bytes());
        }
        if command.missing > 0 {
            self.number("missing_bytes", command.missing);
        }
        if !whole {
            self.bytes("line_b64", &command.line(self.show_secrets));
        }
    }

    /// A field of a command; `false` if its value could not be written as it is.
    fn field(&mut self, command: &Command<'_>, name: &'static str, value: Value<'_>) -> bool {
        if !self.show_secrets && command.is_secret(name) {
            return self.string(name, MASK);
        }
        match value {
            Value::Number(value) => {
                self.number(name, value.into());
                true
            }
            Value::Word(word) => self.string(name, word),
            Value::Name(text) => {
                let text = text.to_text();
                self.string(name, text.as_bytes());
                !text.contains(char::REPLACEMENT_CHARACTER)
            }
            Value::Address(address) => {
                self.string(name, address.to_target().to_string().as_bytes())
            }
            Value::Words(words) => {
                self.key(name);
                let mut whole = true;
                self.list(["[", "]"], words.iter(), |json, word| {
                    whole &= string(&mut json.out, word)
                });
                whole
            }
            Value::Groups(groups) => {
                self.key(name);
                self.list(["[", "]"], groups.iter(), |json, id| number(&mut json.out, id.0.into()));
                true
            }
            Value::Body(payload) if name == "body" => {
                self.body(command, payload);
                true
            }
            Value::Body(payload) => {
                self.payload(name, payload);
                true
            }
            // A kind of value that is not known here has no form.
            _ => true,
        }
    }

    /// All words behind the verb, and the payload.
    fn words(&mut self, command: &Command<'_>) {
        let masked = command.line(self.show_secrets);
        let words = Frame::new(&masked, None);
        self.key("words");
        let mut whole = true;
        self.list(["[", "]"], words.words().skip(1), |json, word| {
            whole &= string(&mut json.out, word)
        });
        if !whole {
            self.bytes("line_b64", &masked);
        }
        if let Some(payload) = command.frame.payload() {
            self.payload("payload", payload);
        }
    }

    /// A payload of no particular form: text, else bytes.
    fn payload(&mut self, name: &str, payload: &[u8]) {
        let payload = if self.show_secrets { payload.into() } else { masked_payload(payload) };
        if std::str::from_utf8(&payload).is_ok() {
            self.string(name, &payload);
        } else {
            self.bytes(&format!("{name}_b64"), &payload);
        }
    }

    fn body(&mut self, command: &Command<'_>, payload: &[u8]) {
        if command.server == Server::Switchboard && command.missing == 0 && self.same_text(payload)
        {
            return;
        }
        let body = body::read(command, payload, self.show_secrets);
        let begin = self.out.len();
        self.raw(",\"body\":{\"content_type\":");
        string(&mut self.out, body.content_type);
        if !body.headers.is_empty() {
            self.fields("headers", &body.headers);
        }
        let (before, mut behind) = (self.out.len(), self.out.len());
        match &body.part {
            Part::Text(text) => {
                self.string("text", text.content.as_bytes());
                behind = self.out.len();
                self.format(&text.format);
            }
            Part::Typing(user) => {
                self.string("typing", user);
            }
            Part::Fields(fields) => self.fields("fields", fields),
            Part::Plain(text) => {
                self.string("text", text.as_bytes());
            }
            Part::Nothing => {}
        }
        if let Some(problem) = &body.problem {
            self.string("problem", problem.as_bytes());
        }
        if let Some(bytes) = &body.bytes {
            self.bytes("bytes_b64", bytes);
        }
        self.raw("}");
        if let (Part::Text(text), None) = (&body.part, &body.bytes) {
            let head = if text.charset == Charset::Utf8 { body.head } else { &[] };
            self.remember(head, [begin, before, behind]);
        }
    }

    /// Shows a text with the same header as the one before, if it can be shown as it is.
    fn same_text(&mut self, payload: &[u8]) -> bool {
        let LastText { head, before, behind } = &self.last_text;
        let text = match payload.strip_prefix(&**head) {
            Some(text) if !head.is_empty() => text,
            _ => return false,
        };
        // Other line ends than LF are not shown.
        if memchr(b'\r', text).is_some() || std::str::from_utf8(text).is_err() {
            return false;
        }
        self.out.extend_from_slice(before);
        self.out.extend_from_slice(b",\"text\":");
        string(&mut self.out, text);
        self.out.extend_from_slice(behind);
        true
    }

    /// Keeps what was written of a text from the first place on, without what stands between the
    /// other two.
    fn remember(&mut self, head: &[u8], [begin, before, behind]: [usize; 3]) {
        let LastText { head: last, before: shown_before, behind: shown_behind } =
            &mut self.last_text;
        last.clear();
        if head.len() > REMEMBERED {
            return;
        }
        last.extend_from_slice(head);
        shown_before.clear();
        shown_before.extend_from_slice(self.out.get(begin..before).unwrap_or_default());
        shown_behind.clear();
        shown_behind.extend_from_slice(self.out.get(behind..).unwrap_or_default());
    }

    fn fields(&mut self, name: &str, fields: &[(&[u8], &[u8])]) {
        self.key(name);
        self.list(["{", "}"], fields.iter(), |json, (name, value)| {
            string(&mut json.out, name);
            json.raw(":");
            string(&mut json.out, value);
        });
    }

    /// As in the event `message` of the other verbs.
    fn format(&mut self, format: &Format) {
        self.key("format");
        self.raw("{");
        if let Some(font) = &format.font {
            self.raw("\"font\":");
            string(&mut self.out, font.as_str().as_bytes());
            self.raw(",");
        }
        let colour = format.colour;
        self.raw("\"colour\":\"#");
        for part in [colour.r, colour.g, colour.b] {
            const DIGITS: [u8; 16] = *b"0123456789abcdef";
            for nibble in [part >> 4, part & 15] {
                self.out.push(DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0'));
            }
        }
        self.raw("\"");
        for (name, is_on) in [
            ("bold", format.effects.has(Effects::BOLD)),
            ("italic", format.effects.has(Effects::ITALIC)),
            ("underline", format.effects.has(Effects::UNDERLINE)),
            ("strike", format.effects.has(Effects::STRIKE)),
            ("right_to_left", format.right_to_left),
        ] {
            self.key(name);
            self.raw(if is_on { "true" } else { "false" });
        }
        self.raw("}");
    }

    fn unreadable(&mut self, unreadable: &Unreadable<'_>) {
        self.speaker(unreadable.server, unreadable.from);
        self.string("reason", unreadable.why.to_string().as_bytes());
        self.number("bytes", unreadable.bytes.len() as u64);
        let masked = unreadable.shown(self.show_secrets);
        if std::str::from_utf8(&masked).is_ok() {
            self.string("text", &masked);
        } else {
            self.bytes("bytes_b64", &masked);
        }
    }
}

impl Sink for Json {
    fn take(&mut self, event: &Event<'_>) {
        let kind = match event.what {
            What::Opened(_) | What::Closed(_) => "connection",
            What::Command(_) => "command",
            What::Unreadable(_) => "unreadable",
            What::Gap { .. } => "gap",
            What::Conflict { .. } => "conflict",
            What::Warning(_) => "warning",
        };
        self.begin(event.at, kind);
        if event.connection > 0 {
            self.number("connection", event.connection.into());
        }
        match &event.what {
            What::Opened(opened) => self.opened(opened),
            What::Closed(ending) => {
                self.plain("change", "closed");
                self.string("reason", ending.to_string().as_bytes());
            }
            What::Command(command) => self.command(command),
            What::Unreadable(unreadable) => self.unreadable(unreadable),
            What::Gap { server, from, size } | What::Conflict { server, from, size } => {
                self.speaker(*server, *from);
                self.number("bytes", *size);
            }
            What::Warning(text) => {
                self.string("reason", text.as_bytes());
            }
        }
        self.end();
    }
}
