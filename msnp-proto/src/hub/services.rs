//! What the service did beside lists and talk: addresses of web pages, invitations by mail. A hub
//! has none of it by itself; what its operator offers stands in the configuration.

use alloc::string::String;

use super::arena::SlotId;
use super::config::Service;
use super::event::Event;
use super::{Directory, Hub};
use crate::ns::Reply;
use crate::types::{Account, Dialect, ErrorCode, Handle, Token, TrId};

/// What came with an invitation by mail, as far as the dialect has it.
pub(super) struct Invited<'a> {
    pub(super) account: Account<'a>,
    pub(super) words: [Option<Token<'a>>; 3],
    pub(super) text: &'a [u8],
}

impl<D: Directory> Hub<D> {
    /// The address of a service, or 502 if it is not offered.
    pub(super) fn on_url(
        &mut self,
        conn: SlotId,
        dialect: Dialect,
        trid: TrId,
        service: Token<'_>,
    ) {
        let wanted = |offered: &&Service| offered.name.as_bytes() == service.as_bytes();
        let found = self.config.services.iter().find(wanted).and_then(|found| {
            Some((
                Token::new(found.redirect.as_bytes())?,
                Token::new(found.login.as_bytes())?,
                found,
            ))
        });
        let Some((redirect, login, found)) = found else {
            return self.lines.refuse(conn, ErrorCode::COMMAND_DISABLED, trid);
        };
        let site = alloc::string::ToString::to_string(&found.site);
        let site = Token::new(site.as_bytes()).filter(|_| dialect > Dialect::Msnp2);
        self.lines.say(conn, |out| Reply::Url { trid, redirect, login, site }.encode(out));
    }

    /// An invitation by mail: an event for the operator, or 503.
    pub(super) fn on_invitation(
        &mut self,
        conn: SlotId,
        person: SlotId,
        trid: TrId,
        invited: &Invited<'_>,
        answer: Reply<'_>,
    ) {
        let Some(person) = self.people.get(person) else { return };
        let needed = match person.dialect {
            Dialect::Msnp2 => 0,
            Dialect::Msnp3 => 2,
            _ => 3,
        };
        let complete = invited.words.iter().take(needed).all(Option::is_some);
        // A number, for somebody found in the directory, is no account: nobody is found here.
        let to = invited.account.to_handle().filter(|_| complete && self.config.mail_invitations);
        let Some(to) = to else {
            return self.lines.refuse(conn, ErrorCode::BAD_PARAMETERS, trid);
        };
        let from: Handle = person.record.handle.clone();
        let text = String::from_utf8_lossy(invited.text).into_owned();
        self.lines.event(Event::Invitation { from, to, text });
        self.lines.say(conn, |out| answer.encode(out));
    }
}
