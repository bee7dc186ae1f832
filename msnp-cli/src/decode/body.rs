//! Payloads of messages as parts that can be shown.
//!
//! This module knows which part of a payload says what, which parts are secret, and when the parts
//! do not say all of it. The reading is the core's.

use std::borrow::Cow;

use msnp_proto::body::{Fields, Message, Mime, Text};

use super::event::{Command, Server};
use crate::mask;

/// The payload of a message.
#[derive(Debug)]
pub(super) struct Body<'a> {
    pub(super) content_type: &'a [u8],
    /// The header with the empty line behind it.
    pub(super) head: &'a [u8],
    /// Lines of the header that no other part shows.
    pub(super) headers: Vec<(&'a [u8], &'a [u8])>,
    pub(super) part: Part<'a>,
    pub(super) problem: Option<String>,
    /// The payload as it came, secrets masked: the parts do not say all of it.
    pub(super) bytes: Option<Cow<'a, [u8]>>,
}

#[derive(Debug)]
pub(super) enum Part<'a> {
    Text(Text),
    Typing(&'a [u8]),
    /// A body of the form of a header.
    Fields(Vec<(&'a [u8], &'a [u8])>),
    /// Any other text.
    Plain(&'a str),
    Nothing,
}

/// Takes a payload apart. Only messages that are read by type have parts of one.
pub(super) fn read<'a>(command: &Command<'_>, payload: &'a [u8], show_secrets: bool) -> Body<'a> {
    let message = match command.server {
        Server::Switchboard => Some(Message::parse(payload)),
        Server::Dispatch | Server::Notification => None,
    };
    let mime = match &message {
        Some(Message::Text(view)) => view.mime(),
        _ => Mime::parse(payload),
    };
    let content_type = mime.content_type();
    let mut whole = mime.problem().is_none();
    let shown: &[&str] = match &message {
        Some(Message::Text(_)) => &["MIME-Version", "Content-Type", "X-MMS-IM-Format"],
        Some(Message::Typing { .. }) => &["MIME-Version", "Content-Type", "TypingUser"],
        _ => &["MIME-Version", "Content-Type"],
    };
    let mut secrets = Secrets { show: show_secrets, in_header: true };
    let headers = fields(mime.headers(), shown, &mut secrets, &mut whole);
    secrets.in_header = false;
    let part = match message {
        Some(Message::Text(view)) => {
            let text = view.to_text();
            whole &= text.raw.is_none();
            Part::Text(text)
        }
        Some(Message::Typing { user }) => {
            whole &= mime.body().trim_ascii().is_empty();
            Part::Typing(user)
        }
        // What is not a text is lines of fields, or something that is neither.
        _ if !mime.body().trim_ascii().is_empty() => {
            let mut is_fields = true;
            let fields = fields(Fields::new(mime.body()), &[], &mut secrets, &mut is_fields);
            match std::str::from_utf8(mime.body()) {
                Ok(_) if is_fields => Part::Fields(fields),
                Ok(text) if show_secrets || !has_secret(mime.body()) => Part::Plain(text),
                _ => {
                    whole = false;
                    Part::Nothing
                }
            }
        }
        _ => Part::Nothing,
    };
    let whole = whole && command.missing == 0;
    let masked = || if show_secrets { payload.into() } else { mask::masked_payload(payload) };
    Body {
        content_type: content_type.essence,
        head: payload.strip_suffix(mime.body()).unwrap_or_default(),
        headers,
        part,
        problem: mime.problem().map(|problem| problem.to_string()),
        bytes: (!whole).then(masked),
    }
}

struct Secrets {
    show: bool,
    in_header: bool,
}

fn has_secret(body: &[u8]) -> bool {
    matches!(mask::masked_payload(&[b"\n", body].concat()), Cow::Owned(_))
}

/// The lines that are fields, without those that are shown elsewhere. `whole` is cleared if a line
/// is none, is not UTF-8, or says again what another has said.
fn fields<'a>(
    fields: Fields<'a>,
    shown: &[&str],
    secrets: &mut Secrets,
    whole: &mut bool,
) -> Vec<(&'a [u8], &'a [u8])> {
    let mut seen: Vec<(&[u8], &[u8])> = Vec::new();
    let mut count = 0;
    for field in fields.iter() {
        count += 1;
        if shown.iter().any(|name| field.name.eq_ignore_ascii_case(name.as_bytes())) {
            continue;
        }
        if seen.iter().any(|(name, _)| *name == field.name) {
            *whole = false;
            continue;
        }
        *whole &=
            std::str::from_utf8(field.name).is_ok() && std::str::from_utf8(field.value).is_ok();
        let is_secret = !secrets.show && mask::is_secret_field(field.name, secrets.in_header);
        seen.push((field.name, if is_secret { mask::MASK } else { field.value }));
    }
    let lines = fields.as_bytes().split(|byte| *byte == b'\n');
    *whole &= lines.filter(|line| !line.trim_ascii().is_empty()).count() == count;
    seen
}
