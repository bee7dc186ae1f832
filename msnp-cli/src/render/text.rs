//! An event as a line for people: its name, then what happened in a few words.
//!
//! Everything that is put into a line goes through [`EscapedDisplay`], so that whatever somebody
//! on the network chose to send, a line stays one line and the terminal stays as it is.

use std::fmt;
use std::io::Write;

use super::{files, words};
use crate::escape::EscapedDisplay;
use crate::events::{
    Change, Chat, Configured, Contact, Document, Ending, Event, Mail, Mark, Message, Person,
    Progress, Ready, Refused, Source, Stage, StageResult, TransferResult, User,
};

/// The longest name of an event and a blank.
const COLUMN: usize = 14;

/// Appends the event without a line end.
pub(super) fn write(out: &mut Vec<u8>, event: &Event, mark: &Mark, colour: bool) {
    let (name, paint) = name(event);
    let pad = COLUMN.saturating_sub(name.len());
    let escaped = EscapedDisplay(Words(event, mark));
    let written = if colour {
        write!(out, "\x1b[{paint}m{name}\x1b[0m{:pad$}{escaped}", "")
    } else {
        write!(out, "{name}{:pad$}{escaped}", "")
    };
    written.expect("a vector takes everything");
}

/// The event's name, and the number of its colour.
fn name(event: &Event) -> (&'static str, u8) {
    const GREEN: u8 = 32;
    const RED: u8 = 31;
    const YELLOW: u8 = 33;
    const CYAN: u8 = 36;
    const DIM: u8 = 2;
    match event {
        Event::Ready(_) => ("ready", GREEN),
        Event::Connected(_) => ("connected", DIM),
        Event::Authenticated(_) => ("authenticated", DIM),
        Event::Online(_) => ("online", GREEN),
        Event::Contact(_) | Event::Person(_) => ("contact", CYAN),
        Event::Order { .. } => ("order", GREEN),
        Event::User(_) => ("user", CYAN),
        Event::Group { .. } | Event::Listed { .. } => ("group", CYAN),
        Event::Setting { .. } | Event::Configured(_) => ("setting", CYAN),
        Event::Stage(stage) => match stage.result {
            StageResult::Passed => ("stage", GREEN),
            StageResult::Failed => ("stage", RED),
            StageResult::NotReached => ("stage", DIM),
        },
        Event::Presence(_) => ("presence", CYAN),
        Event::Mail(_) => ("mail", CYAN),
        Event::Alert(_) => ("alert", CYAN),
        Event::Page(_) => ("page", CYAN),
        Event::Chat(_) => ("chat", DIM),
        Event::Message(_) => ("message", CYAN),
        Event::Typing { .. } => ("typing", DIM),
        Event::Queued(_) => ("queued", DIM),
        Event::Sent(_) => ("sent", DIM),
        Event::Acked(_) => ("acked", GREEN),
        Event::Nacked(_) => ("nacked", RED),
        Event::Failed(_) => ("failed", RED),
        Event::Unknown(_) => ("unknown", YELLOW),
        Event::Offer(_) => ("offer", CYAN),
        Event::Progress(_) => ("progress", DIM),
        Event::Transfer(transfer) => match transfer.result {
            TransferResult::Complete => ("transfer", GREEN),
            TransferResult::Unconfirmed => ("transfer", YELLOW),
            TransferResult::Cancelled => ("transfer", DIM),
            _ => ("transfer", RED),
        },
        Event::SignedIn { .. } => ("signed in", GREEN),
        Event::SignedOut { .. } => ("signed out", DIM),
        Event::Refused(_) => ("refused", RED),
        Event::Warning { .. } => ("warning", YELLOW),
        Event::Lost { .. } => ("lost", RED),
        Event::Retrying { .. } => ("retrying", YELLOW),
        Event::Done(_) => ("done", DIM),
    }
}

struct Words<'a>(&'a Event, &'a Mark);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(event, mark) = self;
        // A chat has a number of its own, and two of them side by side say nothing.
        if let Some(id) = mark.id.as_ref().filter(|_| !matches!(event, Event::Chat(_))) {
            write!(f, "{id} ")?;
        }
        self.words(f)?;
        // Behind what somebody wrote it would look as if they had written it.
        let is_theirs = matches!(event, Event::Message(_));
        mark.line.filter(|_| !is_theirs).map_or(Ok(()), |line| write!(f, ", line {line}"))
    }
}

impl Words<'_> {
    fn words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Event::Ready(ready) => words_of_ready(f, ready),
            Event::Connected(step) => write!(f, "to {} ({} ms)", step.server, step.ms),
            Event::Authenticated(step) => words_of_step(f, step),
            Event::Online(step) => {
                write!(
                    f,
                    "{} as {}",
                    words::state(step.state.unwrap_or("NLN")),
                    step.account.as_deref().unwrap_or("?")
                )
            }
            Event::Contact(contact) => words_of_contact(f, contact),
            Event::Person(person) => words_of_person(f, person),
            Event::User(user) => words_of_user(f, user),
            Event::Listed { id, name, contacts } => {
                write!(f, "{id}: {name} ({contacts} {})", counted(*contacts as u64, "contact"))
            }
            Event::Group { id, name, change } => {
                write!(f, "{id} {}", words::change(*change))?;
                name.as_ref().map_or(Ok(()), |name| write!(f, ": {name}"))
            }
            Event::Setting { name, value, account } => {
                account.as_ref().map_or(Ok(()), |account| write!(f, "{account}: "))?;
                match words::setting(name, value) {
                    (name, "") => write!(f, "{name} is not set"),
                    (name, value) => write!(f, "{name} = {value}"),
                }
            }
            Event::Configured(setting) => words_of_setting(f, setting),
            Event::Stage(stage) => words_of_stage(f, stage),
            Event::Presence(presence) => {
                named(f, &presence.account, presence.name.as_deref())?;
                write!(f, " is {}", words::state(presence.state))
            }
            Event::Mail(mail) => words_of_mail(f, mail),
            Event::Alert(it) | Event::Page(it) => words_of_document(f, it),
            Event::Chat(chat) => words_of_chat(f, chat),
            Event::Message(message) => words_of_message(f, message),
            Event::Typing { from, .. } => write!(f, "{from}"),
            Event::Order { order, account, people } => {
                f.write_str(order)?;
                account.as_ref().map_or(Ok(()), |account| write!(f, " {account}"))?;
                write!(f, ": {people} {}", if *people == 1 { "person" } else { "people" })
            }
            Event::Queued(at) | Event::Sent(at) => words_of_addressee(f, &at.to, at.chat),
            Event::Acked(end) | Event::Nacked(end) | Event::Failed(end) | Event::Unknown(end) => {
                words_of_ending(f, end)
            }
            Event::Offer(offer) => files::offer(f, offer),
            Event::Progress(portion) => files::portion(f, portion),
            Event::Transfer(transfer) => files::transfer(f, transfer),
            Event::SignedIn { account, protocol, from } => {
                write!(f, "{account} from {from} ({protocol})")
            }
            Event::SignedOut { account, reason } => write!(f, "{account}: {reason}"),
            Event::Refused(refused) => words_of_refused(f, refused),
            Event::Warning { reason, .. } | Event::Lost { reason } => f.write_str(reason),
            Event::Retrying { attempt, wait_ms } => {
                write!(f, "attempt {attempt} in {wait_ms} ms")
            }
            Event::Done(done) => {
                let (acked, failed, unknown) = (done.acked, done.failed, done.unknown);
                if (acked, failed, unknown) != (0, 0, 0) {
                    write!(f, "{acked} acked, {failed} failed, {unknown} unknown, ")?;
                }
                write!(f, "exit {}", done.exit)?;
                done.line.map_or(Ok(()), |line| write!(f, ", finished up to line {line}"))
            }
        }
    }
}

fn words_of_ready(f: &mut fmt::Formatter<'_>, ready: &Ready) -> fmt::Result {
    write!(f, "msnp {}", ready.version)?;
    let addresses = [
        ("server", &ready.server),
        ("listen", &ready.listen),
        ("notification", &ready.notification),
        ("switchboard", &ready.switchboard),
    ];
    for (what, address) in addresses {
        if let Some(address) = address {
            write!(f, ", {what} {address}")?;
        }
    }
    Ok(())
}

fn words_of_stage(f: &mut fmt::Formatter<'_>, stage: &Stage) -> fmt::Result {
    let name = stage.stage;
    let ms = stage.ms;
    match stage.result {
        StageResult::Passed => write!(f, "{name:<8} passed in {ms} ms")?,
        StageResult::Failed => write!(f, "{name:<8} failed after {ms} ms at {}", stage.server)?,
        StageResult::NotReached => write!(f, "{name:<8} not reached")?,
    }
    stage.detail.as_ref().map_or(Ok(()), |detail| write!(f, ": {detail}"))?;
    stage.seen.as_ref().map_or(Ok(()), |seen| write!(f, ": {seen}"))?;
    stage.cause.as_ref().map_or(Ok(()), |cause| write!(f, "; usually {cause}"))?;
    stage.advice.as_ref().map_or(Ok(()), |advice| write!(f, "; what to do: {advice}"))
}

fn words_of_setting(f: &mut fmt::Formatter<'_>, setting: &Configured) -> fmt::Result {
    f.write_str(&setting.name)?;
    match &setting.value {
        Some(value) => write!(f, " = {value}")?,
        None => f.write_str(" is not set")?,
    }
    let mut origin = String::new();
    let mut add = |part: String| {
        origin.push_str(if origin.is_empty() { "" } else { ", " });
        origin.push_str(&part);
    };
    match setting.source {
        Some(Source::Option) => add("option".into()),
        Some(Source::Environment) => add("environment".into()),
        Some(Source::BuiltIn) => add("built in".into()),
        Some(Source::File) | None => {}
    }
    setting.variable.iter().for_each(|name| add(name.clone()));
    setting.file.iter().for_each(|file| add(file.clone()));
    setting.line.iter().for_each(|line| add(format!("line {line}")));
    setting.profile.iter().for_each(|profile| add(format!("profile {profile}")));
    setting.reason.iter().for_each(|reason| add(reason.clone()));
    if !setting.verbs.is_empty() {
        add(format!("for {}", setting.verbs.join(" ")));
    }
    if origin.is_empty() { Ok(()) } else { write!(f, " ({origin})") }
}

fn words_of_step(f: &mut fmt::Formatter<'_>, step: &Progress) -> fmt::Result {
    write!(f, "as {}", step.account.as_deref().unwrap_or("?"))?;
    if let Some(protocol) = &step.protocol {
        write!(f, " in {protocol}")?;
    }
    write!(f, " ({} ms)", step.ms)
}

fn words_of_contact(f: &mut fmt::Formatter<'_>, contact: &Contact) -> fmt::Result {
    named(f, &contact.account, contact.name.as_deref())?;
    write!(f, " {}", words::change(contact.change))?;
    if let Some(group) = contact.group {
        return write!(f, ", group {group} of the contact list");
    }
    match contact.list {
        Some("FL") => f.write_str(", contact list"),
        Some("AL") => f.write_str(", allow list"),
        Some("BL") => f.write_str(", block list"),
        Some("RL") => f.write_str(", the list of those who have us as a contact"),
        _ => Ok(()),
    }
}

/// What is said of the four lists, in their order.
const ON_LISTS: [(&str, &str); 4] =
    [("FL", "contact"), ("AL", "allowed"), ("BL", "blocked"), ("RL", "has us as a contact")];

fn words_of_person(f: &mut fmt::Formatter<'_>, person: &Person) -> fmt::Result {
    named(f, &person.account, Some(&person.name))?;
    if let Some(change) = person.change {
        write!(f, " {}", words::change(change))?;
    }
    let mut before = ": ";
    for (_, words) in ON_LISTS.iter().filter(|(list, _)| person.lists.contains(list)) {
        write!(f, "{before}{words}")?;
        before = ", ";
    }
    if person.lists.is_empty() {
        f.write_str(": on no list")?;
    }
    before = "; in ";
    for group in &person.groups {
        match &group.name {
            Some(name) => write!(f, "{before}\"{name}\"")?,
            None => write!(f, "{before}{}", group.id)?,
        }
        before = ", ";
    }
    match person.state {
        "FLN" => Ok(()),
        code => write!(f, "; {}", words::state(code)),
    }
}

fn words_of_user(f: &mut fmt::Formatter<'_>, user: &User) -> fmt::Result {
    named(f, &user.account, user.name.as_deref())?;
    if let Some(change) = user.change {
        write!(f, " {}", words::change(change))?;
    }
    user.contacts.map_or(Ok(()), |contacts| {
        let word = counted(contacts, "contact");
        write!(f, ", {contacts} {word}")
    })
}

/// A word for one of something, or for several.
pub(super) fn counted(count: impl Into<u64>, one: &str) -> String {
    if count.into() == 1 { one.into() } else { format!("{one}s") }
}

fn words_of_mail(f: &mut fmt::Formatter<'_>, mail: &Mail) -> fmt::Result {
    let mut first = true;
    let mut part = |f: &mut fmt::Formatter<'_>, what: &str, value: &dyn fmt::Display| {
        let comma = if std::mem::take(&mut first) { "" } else { ", " };
        write!(f, "{comma}{what} {value}")
    };
    if let Some(count) = &mail.inbox {
        part(f, "inbox", count)?;
    }
    if let Some(count) = &mail.folders {
        part(f, "folders", count)?;
    }
    if let Some(from) = &mail.from {
        part(f, "from", from)?;
    }
    if let Some(subject) = &mail.subject {
        part(f, "subject", subject)?;
    }
    if let (Some(source), Some(destination)) = (&mail.source, &mail.destination) {
        part(f, "moved", &format_args!("from \"{source}\" to \"{destination}\""))?;
    }
    match mail.inbox_change {
        Some(change) if change != 0 => part(f, "inbox", &format_args!("{change:+}")),
        _ => Ok(()),
    }
}

fn words_of_document(f: &mut fmt::Formatter<'_>, it: &Document) -> fmt::Result {
    match (&it.document, &it.bytes_b64) {
        (Some(document), _) => f.write_str(document),
        (None, bytes) => {
            let size = bytes.as_ref().map_or(0, |bytes| bytes.len() / 4 * 3);
            write!(f, "about {size} bytes that are no text")
        }
    }
}

fn words_of_chat(f: &mut fmt::Formatter<'_>, chat: &Chat) -> fmt::Result {
    write!(f, "{} ", chat.chat)?;
    match (&chat.account, chat.change) {
        (Some(account), Change::Opened) => write!(f, "opened with {account}")?,
        (Some(account), change) => write!(f, "{account} {}", words::change(change))?,
        (None, change) => f.write_str(words::change(change))?,
    }
    chat.reason.as_ref().map_or(Ok(()), |reason| write!(f, ": {reason}"))
}

fn words_of_message(f: &mut fmt::Formatter<'_>, message: &Message) -> fmt::Result {
    named(f, &message.from, Some(&message.name))?;
    if !message.known {
        f.write_str(" (not a contact)")?;
    }
    match (&message.text, &message.bytes_b64) {
        (Some(text), _) => write!(f, ": {text}"),
        (None, Some(bytes)) => {
            let size = bytes.len() / 4 * 3;
            write!(f, " sent about {size} bytes of \"{}\"", message.content_type)
        }
        (None, None) => write!(f, " sent \"{}\"", message.content_type),
    }
}

/// Whom a message is for; the chat, if nobody is known to be in it.
fn words_of_addressee(f: &mut fmt::Formatter<'_>, to: &str, chat: Option<u32>) -> fmt::Result {
    match chat {
        Some(chat) if to.is_empty() => write!(f, "to chat {chat}"),
        _ => write!(f, "to {to}"),
    }
}

fn words_of_ending(f: &mut fmt::Formatter<'_>, end: &Ending) -> fmt::Result {
    words_of_addressee(f, &end.to, end.chat)?;
    match (&end.reason, end.code) {
        (Some(reason), Some(code)) if !reason.contains(&code.to_string()) => {
            write!(f, ": {reason} ({code})")?;
        }
        (Some(reason), _) => write!(f, ": {reason}")?,
        (None, Some(code)) => write!(f, ": {code}")?,
        (None, None) => {}
    }
    write!(f, " ({} ms)", end.ms)
}

fn words_of_refused(f: &mut fmt::Formatter<'_>, refused: &Refused) -> fmt::Result {
    f.write_str(&refused.request)?;
    refused.account.as_ref().map_or(Ok(()), |account| write!(f, " of {account}"))?;
    refused.group.as_ref().map_or(Ok(()), |group| write!(f, " {group}"))?;
    refused.from.as_ref().map_or(Ok(()), |from| write!(f, " from {from}"))?;
    write!(f, ": {}", refused.name)?;
    let code = refused.code.filter(|code| !refused.name.contains(&code.to_string()));
    code.map_or(Ok(()), |code| write!(f, " ({code})"))
}

/// An account, and the name it goes by if that says more. The name is chosen by its owner, so
/// the account comes first.
fn named(f: &mut fmt::Formatter<'_>, account: &str, name: Option<&str>) -> fmt::Result {
    f.write_str(account)?;
    match name {
        Some(name) if name != account => write!(f, " \"{name}\""),
        _ => Ok(()),
    }
}

#[cfg(test)]
pub(super) mod tests;
