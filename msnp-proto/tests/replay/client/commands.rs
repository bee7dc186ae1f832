//! Makes a client say a command of a file by calling the method that is for it.

use msnp_proto::body::{Format, Message};
use msnp_proto::client::{ChatId, Client};
use msnp_proto::error::Misuse;
use msnp_proto::machine::{ConnId, Host};
use msnp_proto::ns::{self, Change};
use msnp_proto::sb;
use msnp_proto::testing::Role;
use msnp_proto::time::{Duration, Instant};
use msnp_proto::types::{Delivery, GroupId, Handle, OnOff, Property, StatusCode, Token};
use msnp_proto::wire::{Frame, Parsed};

use super::actor::Actor;

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// The client was told to say it.
    Said,
    /// It says it by itself, now or when an answer comes.
    ByItself,
    /// There is no way to make it say that.
    Not,
}

fn said<T>(result: Result<T, Misuse>) -> Told {
    if result.is_ok() { Told::Said } else { Told::Not }
}

/// Tells a client to say this on one of its connections. `with` is whom the next chat is with.
pub(crate) fn tell(
    actor: &mut Actor,
    conn: ConnId,
    now: Instant,
    (role, chat, with): (Role, Option<ChatId>, Handle),
    frame: Frame<'_>,
) -> Told {
    if role == Role::Switchboard {
        let Some(chat) = chat else { return Told::Not };
        return match sb::Request::parse(frame) {
            Ok(Parsed::Command(request, _)) => in_chat(&mut actor.client, now, chat, request),
            _ => Told::Not,
        };
    }
    match ns::Request::parse(frame) {
        Ok(Parsed::Command(request, _)) => {
            tell_server(&mut actor.client, conn, now, &with, request)
        }
        _ => Told::Not,
    }
}

fn in_chat(client: &mut Client, now: Instant, chat: ChatId, request: sb::Request<'_>) -> Told {
    match request {
        sb::Request::Cal { account, .. } => match account.to_handle() {
            Some(who) => said(client.invite(now, chat, &who)),
            None => Told::Not,
        },
        sb::Request::Msg { delivery, body, .. } => {
            if client.members(chat).next().is_none() {
                return Told::Not;
            }
            match Message::parse(body.0) {
                Message::Typing { .. } if delivery == Delivery::Unacknowledged => {
                    said(client.send_typing(now, chat))
                }
                Message::Text(text) if text.to_text().format == Format::ARIAL => {
                    let content = text.to_text().content;
                    said(client.send_text(now, chat, &content, delivery))
                }
                _ => said(client.send_payload(now, chat, body.0, delivery)),
            }
        }
        sb::Request::Out {} => said(client.leave_chat(now, chat)),
        _ => Told::ByItself,
    }
}

fn tell_server(
    client: &mut Client,
    conn: ConnId,
    now: Instant,
    with: &Handle,
    request: ns::Request<'_>,
) -> Told {
    use ns::Request;
    let change = match request {
        Request::Chg { status: StatusCode::Known(status), .. } if client.is_online() => {
            return said(client.set_status(now, status));
        }
        Request::Xfr { .. } => return said(client.open_chat(now, with)),
        Request::Out {} => {
            client.sign_out(now);
            return Told::Said;
        }
        Request::Png {} => return wait_for_ping(client, conn, now),
        request => change(request),
    };
    match change {
        Some(change) => said(client.change(now, change)),
        None if is_change(&request) => Told::Not,
        None => Told::ByItself,
    }
}

/// A client pings after some silence, if it does not wait for something else meanwhile.
fn wait_for_ping(client: &mut Client, conn: ConnId, now: Instant) -> Told {
    let due = client.next_deadline().filter(|due| *due > now + Duration::from_secs(40));
    if let Some(due) = due {
        client.handle_timeout(due);
        assert_eq!(client.pending(conn), b"PNG\r\n");
    }
    Told::Not
}

const fn is_change(request: &ns::Request<'_>) -> bool {
    use ns::Request;
    !matches!(
        request,
        Request::Ver { .. }
            | Request::Inf { .. }
            | Request::UsrInitial { .. }
            | Request::UsrDigest { .. }
            | Request::Syn { .. }
            | Request::Cvr { .. }
            | Request::Chg { .. }
            | Request::Qry { .. }
    )
}

fn text(token: Token<'_>) -> String {
    token.to_text().into_owned()
}

fn group(token: Option<Token<'_>>) -> Option<GroupId> {
    token.and_then(|token| text(token).parse().ok()).map(GroupId)
}

/// The change that says this.
fn change(request: ns::Request<'_>) -> Option<Change> {
    use ns::Request;
    Some(match request {
        Request::Add { list, account, name, group: id, .. } => Change::Add {
            list,
            account: account.to_handle()?,
            nick: name.map(|name| name.to_nick()),
            group: group(id),
        },
        Request::Rem { list, account, group: id, .. } => {
            Change::Remove { list, account: account.to_handle()?, group: group(id) }
        }
        Request::Adg { name, .. } => Change::AddGroup(name.to_nick()),
        Request::Rmg { group, .. } => Change::RemoveGroup(group),
        Request::Reg { group, name, .. } => Change::RenameGroup(group, name.to_nick()),
        Request::Rea { account, name, .. } => Change::Rename(account.to_handle()?, name.to_nick()),
        Request::Gtc { prompt, .. } => Change::Prompt(prompt),
        Request::Blp { privacy, .. } => Change::Privacy(privacy),
        Request::Prp { key, value, .. } => Change::Property(
            Property::from_word(key.as_bytes())?,
            value.map(|value| value.to_text()).unwrap_or_default(),
        ),
        Request::Lst { list, .. } => Change::List(list),
        Request::Lsg { .. } => Change::Groups,
        Request::Url { service, parameter, .. } => {
            Change::Url { service: text(service), parameter: parameter.map(text) }
        }
        Request::Fnd { terms, .. } => {
            let terms: Vec<String> =
                terms.iter().map(|term| String::from_utf8_lossy(term).into_owned()).collect();
            Change::Find { terms: terms.join(" ") }
        }
        Request::Snd { account, .. } => Change::Mail {
            address: String::from_utf8_lossy(account.as_bytes()).into_owned(),
            text: String::new(),
        },
        Request::Sdc { account, text, .. } => Change::Mail {
            address: String::from_utf8_lossy(account.as_bytes()).into_owned(),
            text: String::from_utf8_lossy(text.0).into_owned(),
        },
        Request::Pag { account, page, .. } => {
            let page = String::from_utf8_lossy(page.0).into_owned();
            let (_, text) = page.split_once("preserve\">")?;
            let (text, _) = text.split_once("</TEXT>")?;
            Change::Page { account: account.to_handle()?, text: text.to_owned() }
        }
        Request::Ims { mode, .. } => Change::Calls(mode == OnOff::On),
        _ => return None,
    })
}
