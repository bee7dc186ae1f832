//! Events and what was said, as lines of a case file.

use std::collections::BTreeMap;

use msnp_proto::body::{Charset, Format, Text};
use msnp_proto::client::{Content, Event};
use msnp_proto::hub;
use msnp_proto::testing::Transcript;
use msnp_proto::testing::case::quote;
use msnp_proto::transcript::Side;

/// What came of some input: the lines of a case file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) events: Vec<String>,
    /// What was said: on the connection that is tried without a name, on others with theirs.
    pub(crate) said: Vec<String>,
}

impl Seen {
    pub(crate) fn lines(&self) -> Vec<String> {
        let events = self.events.iter().map(|event| format!("> {event}"));
        events.chain(self.said.iter().cloned()).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.said.is_empty()
    }

    pub(crate) fn warnings(&self) -> usize {
        self.events.iter().filter(|event| event.starts_with("warning: ")).count()
    }

    /// Whether an error was said on the connection that is tried.
    pub(crate) fn has_error(&self) -> bool {
        let is_number = |word: &str| word.len() == 3 && word.bytes().all(|b| b.is_ascii_digit());
        self.said.iter().any(|line| {
            line.strip_prefix("S: ")
                .is_some_and(|line| line.split(' ').next().is_some_and(is_number))
        })
    }
}

/// What one side said on each connection, by name.
pub(crate) fn said(side: Side, streams: &mut BTreeMap<&'static str, Vec<u8>>) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, bytes) in std::mem::take(streams) {
        let mut transcript = Transcript::new();
        transcript.record(None, (!name.is_empty()).then_some(name), side, &bytes);
        lines.extend(transcript.to_string().lines().map(str::to_owned));
    }
    lines
}

/// A client's event. `payloads` are those of the input, to tell whether a body came out as it came
/// in.
pub(crate) fn client(event: &Event, payloads: &[Vec<u8>]) -> String {
    let whole = |bytes: &Vec<u8>| {
        if payloads.contains(bytes) { "as it came" } else { "CHANGED" }
    };
    quote(&match event {
        Event::Presence { account, status, nick, known, initial } => {
            let nick = nick.as_ref().map(|nick| format!(" {:?}", nick.as_str()));
            let (nick, initial) =
                (nick.unwrap_or_default(), if *initial { " initial" } else { "" });
            format!("presence: {account}{nick} {status} {}{initial}", known_word(*known))
        }
        Event::Message { from, nick, known, content, .. } => {
            let content = match content {
                Content::Text(text) => show_text(text, whole),
                Content::Other { content_type, payload } => {
                    format!("{content_type:?}, {}", whole(payload))
                }
                other => format!("{other:?}"),
            };
            format!("message: {from} {:?} {}: {content}", nick.as_str(), known_word(*known))
        }
        Event::Joined { account, nick, known, .. } => {
            format!("joined: {account} {:?} {}", nick.as_str(), known_word(*known))
        }
        Event::Left { account, idle, .. } => {
            format!("left: {account}{}", if *idle { " idle" } else { "" })
        }
        Event::Typing { from, .. } => format!("typing: {from}"),
        Event::Warning(warning) => format!("warning: {warning}"),
        Event::Lost { why } => format!("lost: {why}"),
        Event::ChatClosed { chat, why } => format!("chat {} closed: {why}", chat.0),
        Event::Delivery { message, outcome } => format!("text {}: {outcome:?}", message.0),
        Event::Profile(profile) => format!("{profile:?}"),
        Event::Page { document } => format!("page: {}", whole(document)),
        Event::Alert { document } => format!("alert: {}", whole(document)),
        Event::Roster(change) => format!("roster: {change:?}"),
        other => format!("{other:?}"),
    })
}

fn known_word(known: bool) -> &'static str {
    if known { "known" } else { "stranger" }
}

fn show_text(text: &Text, whole: impl Fn(&Vec<u8>) -> &'static str) -> String {
    let mut shown = format!("text {:?}", text.content);
    if text.format != Format::default() && text.format != Format::ARIAL {
        shown.push_str(&format!(" in {}", text.format));
    }
    if text.charset != Charset::Utf8 {
        shown.push_str(&format!(", {:?}", text.charset));
    }
    if let Some(raw) = &text.raw {
        shown.push_str(&format!(", {}", whole(raw)));
    }
    shown
}

/// A hub's event.
pub(crate) fn hub(event: &hub::Event) -> String {
    use hub::Event;
    quote(&match event {
        Event::SignedIn { account, dialect, .. } => format!("signed in: {account} in {dialect}"),
        Event::SignedOut { account, why, .. } => format!("signed out: {account}: {why:?}"),
        Event::Refused { account, .. } => format!("refused: {account:?}"),
        Event::Dropped { role, why, .. } => format!("dropped at {role:?}: {why:?}"),
        other => format!("{other:?}"),
    })
}
