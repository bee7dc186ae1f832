//! What the operator of a server says to it while it runs: one JSON object a line on stdin.
//!
//! This module knows the orders and what the hub does of them. It does not know where the lines
//! come from: it is given them, and gives the event that answers each.

use msnp_proto::body::{InitialMail, NewMail};
use msnp_proto::hub::{Directory, Hub, Mail};
use msnp_proto::machine::Target;
use msnp_proto::time::Instant;
use msnp_proto::types::{Handle, Status};

use crate::events::{Event, Mark, Marked, Presence, Refused};
use crate::fields::{self, Fields};

/// What can be ordered.
const KNOWN: [&str; 10] = [
    "people",
    "end",
    "announce-shutdown",
    "withdraw-shutdown",
    "shutdown",
    "move",
    "mailbox",
    "mail",
    "alert",
    "page",
];

/// The inbox, in the words of the protocol.
const INBOX: &str = "ACTIVE";

/// Longest document of an alert or a page.
const DOCUMENT: usize = 1664;

/// A week: nobody can mean to announce more.
const MOST_MINUTES: u32 = 7 * 24 * 60;

/// Something that the operator wants.
#[derive(Clone, Debug, PartialEq)]
enum Order {
    /// Say who is signed in.
    People,
    /// End somebody's session.
    End(Handle),
    /// Tell everybody that the server goes down in so many minutes.
    AnnounceShutdown(u32),
    /// Forget that this was announced.
    WithdrawShutdown,
    /// Go down now, in order.
    Shutdown,
    /// Send everybody to another notification server.
    Move(Target),
    /// Something has happened in a mailbox.
    Mail(Handle, Box<Mail>),
    Alert(Handle, String),
    Page(Handle, String),
}

/// What comes of a line.
pub(crate) struct Answer {
    /// At least one event; the last one is the answer.
    pub(crate) events: Vec<Marked>,
    /// The server is to go down.
    pub(crate) is_shutdown: bool,
}

/// Does what a line says.
pub(crate) fn obey<D: Directory>(hub: &mut Hub<D>, now: Instant, line: &str) -> Answer {
    let (id, order) = match fields::read(line, &[&KNOWN], order) {
        Ok(read) => read,
        Err(wrong) => return refuse(wrong.id.as_deref(), wrong.request, wrong.reason),
    };
    let mark = id.as_deref().map_or(Mark::NONE, Mark::of_id);
    let is_shutdown = order == Order::Shutdown;
    match carry_out(hub, now, order) {
        Ok(events) => {
            let mark = |event| Marked { mark: mark.clone(), event };
            Answer { events: events.into_iter().map(mark).collect(), is_shutdown }
        }
        Err((request, reason)) => refuse(id.as_deref(), request.into(), reason),
    }
}

/// Answers a line that cannot be read.
pub(crate) fn refuse(id: Option<&str>, request: String, reason: String) -> Answer {
    let event = Event::Refused(Refused { request, name: reason, ..Refused::default() });
    let mark = id.map_or(Mark::NONE, Mark::of_id);
    Answer { events: vec![Marked { mark, event }], is_shutdown: false }
}

fn order(request: &str, fields: &mut Fields) -> Result<Order, String> {
    Ok(match request {
        "people" => Order::People,
        "end" => Order::End(fields.account("account")?),
        "announce-shutdown" => {
            Order::AnnounceShutdown(fields.number_up_to("minutes", MOST_MINUTES)?)
        }
        "withdraw-shutdown" => Order::WithdrawShutdown,
        "shutdown" => Order::Shutdown,
        "move" => {
            let to = fields.text("to")?;
            let form = || "`to` has the form HOST or HOST:PORT".to_owned();
            Order::Move(to.parse().map_err(|_| form())?)
        }
        "mailbox" => {
            let who = fields.account("account")?;
            let mut status = InitialMail::default();
            status.inbox_unread = Some(fields.number("inbox")?);
            status.folders_unread = Some(fields.number_or("folders", 0)?);
            status.inbox_url = fields.line_or("inbox-url", "")?;
            status.folders_url = fields.line_or("folders-url", "")?;
            status.post_url = fields.line_or("post-url", "")?;
            Order::Mail(who, Box::new(Mail::Status(status)))
        }
        "mail" => {
            let who = fields.account("account")?;
            let mut mail = NewMail::default();
            mail.from_address = fields.line("from")?;
            mail.from = fields.line_or("name", &mail.from_address)?;
            mail.subject = fields.line_or("subject", "")?;
            mail.folder = fields.line_or("folder", INBOX)?;
            mail.message_url = fields.line_or("message-url", "")?;
            mail.post_url = fields.line_or("post-url", "")?;
            mail.id = fields.line_or("mail-id", "")?;
            Order::Mail(who, Box::new(Mail::New(mail)))
        }
        "alert" => Order::Alert(fields.account("account")?, document(fields)?),
        "page" => Order::Page(fields.account("account")?, document(fields)?),
        _ => return Err(fields::no_such_thing(request, &KNOWN)),
    })
}

fn document(fields: &mut Fields) -> Result<String, String> {
    let document = fields.text("document")?;
    match document.len() {
        1..=DOCUMENT => Ok(document),
        0 => Err("`document` is empty".into()),
        size => Err(format!("`document` has {size} bytes; at most {DOCUMENT} are taken")),
    }
}

fn carry_out<D: Directory>(
    hub: &mut Hub<D>,
    now: Instant,
    order: Order,
) -> Result<Vec<Event>, (&'static str, String)> {
    let done = |order: &str, account: Option<&Handle>, people| {
        let account = account.map(ToString::to_string);
        Ok(vec![Event::Order { order: order.into(), account, people }])
    };
    match order {
        Order::People => {
            let mut events: Vec<Event> = hub
                .online()
                .map(|(account, _, status)| {
                    Event::Presence(Presence {
                        account: account.to_string(),
                        // Before their first status nobody sees them.
                        state: status.unwrap_or(Status::Hidden).as_str(),
                        name: None,
                        known: true,
                        initial: true,
                    })
                })
                .collect();
            let count = events.len();
            events.push(Event::Order { order: "people".into(), account: None, people: count });
            Ok(events)
        }
        Order::End(who) => {
            let ended = hub.end_session(now, &who);
            // Who is there may have no account any more.
            if !ended {
                check_account(hub, "end", &who)?;
            }
            done("end", Some(&who), usize::from(ended))
        }
        Order::AnnounceShutdown(minutes) => {
            hub.announce_shutdown(now, minutes);
            done("announce-shutdown", None, hub.people())
        }
        Order::WithdrawShutdown => match hub.withdraw_shutdown() {
            // Who was told of it cannot be told of this.
            true => done("withdraw-shutdown", None, 0),
            false => Err(("withdraw-shutdown", "nothing was announced".into())),
        },
        Order::Shutdown => done("shutdown", None, hub.people()),
        Order::Move(to) => {
            let people = hub.people();
            hub.move_people(now, &to);
            done("move", None, people)
        }
        Order::Mail(who, mail) => {
            let what = if matches!(*mail, Mail::Status(_)) { "mailbox" } else { "mail" };
            check_account(hub, what, &who)?;
            let is_there = hub.online().any(|(account, _, _)| *account == who);
            match hub.notify_mail(now, &who, &mail) {
                Ok(()) => done(what, Some(&who), usize::from(is_there)),
                Err(why) => Err((what, why.to_string())),
            }
        }
        Order::Alert(who, document) => {
            let reached = hub.alert(now, &who, document.as_bytes());
            if !reached {
                check_account(hub, "alert", &who)?;
            }
            done("alert", Some(&who), usize::from(reached))
        }
        Order::Page(who, document) => {
            let reached = hub.page(now, &who, document.as_bytes());
            if !reached {
                check_account(hub, "page", &who)?;
            }
            done("page", Some(&who), usize::from(reached))
        }
    }
}

/// Whether there is such an account. One that is misspelled is to be told from one that is not there.
fn check_account<D: Directory>(
    hub: &mut Hub<D>,
    order: &'static str,
    who: &Handle,
) -> Result<(), (&'static str, String)> {
    match hub.directory_mut().find(who) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err((order, format!("there is no account {who}"))),
        Err(why) => Err((order, why.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use msnp_proto::hub::{HubConfig, MemoryDirectory};

    use super::*;
    use crate::entropy::SystemEntropy;

    fn hub() -> Hub<MemoryDirectory> {
        Hub::new(HubConfig::loopback(), MemoryDirectory::open(), Box::new(SystemEntropy))
    }

    /// What a line is answered by, without `refused` around a reason.
    fn answer(line: &str) -> Result<(String, usize), String> {
        let mut answer = obey(&mut hub(), Instant::ZERO, line);
        match answer.events.pop().expect("an answer").event {
            Event::Order { order, people, .. } => Ok((order, people)),
            Event::Refused(refused) => Err(format!("{}: {}", refused.request, refused.name)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_order_is_answered_under_its_name() {
        let rows = [
            (r#"{"do":"people"}"#, "people"),
            (r#"{"do":"end","account":"a@x.y"}"#, "end"),
            (r#"{"do":"announce-shutdown","minutes":5}"#, "announce-shutdown"),
            (r#"{"do":"shutdown"}"#, "shutdown"),
            (r#"{"do":"move","to":"im2.example.net"}"#, "move"),
            (r#"{"do":"mailbox","account":"a@x.y","inbox":3}"#, "mailbox"),
            (r#"{"do":"mail","account":"a@x.y","from":"b@x.y"}"#, "mail"),
            (r#"{"do":"alert","account":"a@x.y","document":"<A/>"}"#, "alert"),
            (r#"{"do":"page","account":"a@x.y","document":"<A/>"}"#, "page"),
        ];
        for (line, order) in rows {
            assert_eq!(answer(line), Ok((order.into(), 0)), "{line}");
        }
        let mut all: Vec<_> = rows.iter().map(|(_, order)| *order).collect();
        all.push("withdraw-shutdown");
        all.sort_unstable();
        let mut known = KNOWN;
        known.sort_unstable();
        assert_eq!(all, known);
    }

    #[test]
    fn what_was_announced_is_withdrawn_once() {
        let mut hub = hub();
        let mut said = |line| {
            let mut answer = obey(&mut hub, Instant::ZERO, line);
            answer.events.pop().expect("an answer").event
        };
        let withdraw = r#"{"do":"withdraw-shutdown"}"#;
        let is_done = |event: &Event| matches!(event, Event::Order { people: 0, .. });
        let reason = "nothing was announced";
        let is_refused =
            |event: &Event| matches!(event, Event::Refused(refused) if refused.name == reason);
        assert!(is_refused(&said(withdraw)));
        assert!(is_done(&said(r#"{"do":"announce-shutdown","minutes":5}"#)));
        assert!(is_done(&said(withdraw)));
        assert!(is_refused(&said(withdraw)));
    }

    #[test]
    fn an_account_that_is_not_there_is_said_to_be_so() {
        let accounts = MemoryDirectory::new();
        let mut hub = Hub::new(HubConfig::loopback(), accounts, Box::new(SystemEntropy));
        for order in [
            r#""mailbox","inbox":3"#,
            r#""mail","from":"b@x.y""#,
            r#""end""#,
            r#""alert","document":"<A/>""#,
            r#""page","document":"<A/>""#,
        ] {
            let line = format!(r#"{{"account":"a@x.y","do":{order}}}"#);
            let answer = obey(&mut hub, Instant::ZERO, &line).events.pop().expect("an answer");
            let Event::Refused(refused) = answer.event else { panic!("{line}") };
            assert_eq!(refused.name, "there is no account a@x.y");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_the_field_and_nothing_is_done() {
        let long =
            format!(r#"{{"do":"alert","account":"a@x.y","document":"{}"}}"#, "x".repeat(1665));
        let rows = [
            ("people", "command: not JSON: "),
            (r#"{"do":"poeple"}"#, "command: `do` is \"poeple\"; it can be people, end, "),
            (r#"{"do":"people","x":1}"#, "people: there is no field \"x\" here"),
            (r#"{"do":"end"}"#, "end: `account` is missing"),
            (r#"{"do":"end","account":"a"}"#, "end: `account` is \"a\"; an account has the form"),
            (
                r#"{"do":"announce-shutdown","minutes":-1}"#,
                "announce-shutdown: `minutes` is -1; it should be a whole number up to 10080",
            ),
            (
                r#"{"do":"announce-shutdown","minutes":10081}"#,
                "announce-shutdown: `minutes` is 10081; it should be a whole number up to 10080",
            ),
            (
                r#"{"do":"mailbox","account":"a@x.y","inbox":4294967296}"#,
                "mailbox: `inbox` is 4294967296; it should be a whole number up to 4294967295",
            ),
            (
                r#"{"do":"announce-shutdown","minutes":"5"}"#,
                "announce-shutdown: `minutes` is a string; it should be a number",
            ),
            (r#"{"do":"move","to":"a b"}"#, "move: `to` has the form HOST or HOST:PORT"),
            (r#"{"do":"mailbox","account":"a@x.y"}"#, "mailbox: `inbox` is missing"),
            (
                r#"{"do":"mail","account":"a@x.y","from":"b@x.y\r\nX: y"}"#,
                "mail: `from` has a control character in it",
            ),
            (
                r#"{"do":"mail","account":"a@x.y","from":"b@x.y","subject":"\u001b[2J\u00fc"}"#,
                "mail: `subject` has a control character in it",
            ),
            (
                r#"{"do":"mail","account":"a@x.y","from":"b@x.y","name":"\u00fc\u0007"}"#,
                "mail: `name` has a control character in it",
            ),
            (
                r#"{"do":"mailbox","account":"a@x.y","inbox":1,"post-url":"\u0000"}"#,
                "mailbox: `post-url` has a control character in it",
            ),
            (r#"{"do":"page","account":"a@x.y","document":""}"#, "page: `document` is empty"),
            (&long, "alert: `document` has 1665 bytes; at most 1664 are taken"),
        ];
        for (line, reason) in rows {
            let said = answer(line).expect_err(line);
            assert!(said.starts_with(reason), "{line}: {said}");
        }
    }
}
