//! What a signed-in person may say to the notification server.

use super::arena::SlotId;
use super::event::Why;
use super::rates::Use;
use super::services::Invited;
use super::{Directory, Hub};
use crate::machine::Shutdown;
use crate::ns::{Reply, Request};
use crate::time::Instant;
use crate::types::{Dialect, ErrorCode, Number, OnOff, TrId};
use crate::wire::{Frame, Parsed, Verb};

impl<D: Directory> Hub<D> {
    /// Takes a frame of a signed-in connection.
    pub(super) fn on_command(
        &mut self,
        now: Instant,
        conn: SlotId,
        person: SlotId,
        dialect: Dialect,
        frame: Frame<'_>,
    ) {
        let request = match Request::parse(frame) {
            Ok(Parsed::Command(_, extra)) if self.is_excess(now, conn, frame, extra) => return,
            Ok(Parsed::Command(request, _)) => request,
            Ok(Parsed::Unknown(frame)) => {
                return match frame.verb() {
                    // It belongs into a switchboard, and its payload would be read as lines.
                    Some(verb) if verb.as_bytes() == b"MSG" => {
                        self.end(now, conn, Why::Unexpected(verb), Shutdown::Flush);
                    }
                    _ => self.on_unknown(now, conn, frame),
                };
            }
            Err(error) => {
                let trid = super::sessions::trid_of(frame);
                return match (error.verb.as_bytes(), trid) {
                    (b"USR", Some(trid)) => {
                        self.lines.refuse(conn, ErrorCode::ALREADY_SIGNED_IN, trid);
                    }
                    _ => self.on_unreadable(now, conn, frame, error),
                };
            }
        };
        self.forgive(conn);
        let verb = request.verb();
        if is_later_than(dialect, verb) {
            return self.end(now, conn, Why::Unexpected(verb), Shutdown::Flush);
        }
        if is_limited(&request) {
            self.charge(now, conn, Use::Change, 1);
        }
        match request {
            Request::Png {} => self.lines.say(conn, |out| Reply::Qng {}.encode(out)),
            Request::Out {} => self.end(now, conn, Why::Left, Shutdown::Flush),
            Request::Ver { trid, .. } | Request::Inf { trid } | Request::Cvq { trid, .. } => {
                self.end_unexpected(now, conn, verb, Some(trid));
            }
            Request::UsrInitial { trid, .. } | Request::UsrDigest { trid, .. } => {
                self.lines.refuse(conn, ErrorCode::ALREADY_SIGNED_IN, trid);
            }
            Request::Cvr { trid, report } => self.answer_report(conn, trid, report, false),
            Request::Syn { trid, version } => self.on_sync(conn, person, trid, version),
            Request::Lst { trid, list } => self.on_list(conn, person, trid, list),
            Request::Lsg { trid } => self.on_groups(conn, person, trid),
            Request::Chg { trid, status } => self.on_status(now, conn, person, trid, status),
            Request::Chl { trid } => self.send_challenge(now, conn, person, trid),
            Request::Qry { trid, client_id, digest } => {
                self.on_challenge_answer(now, conn, person, trid, (client_id, digest.0));
            }
            Request::Xfr { trid, kind } => self.on_referral(now, conn, person, trid, kind),
            Request::Ims { trid, mode } => self.on_calls_switch(conn, person, trid, mode),
            Request::Fnd { trid, .. } => {
                self.lines.refuse(conn, ErrorCode::COMMAND_DISABLED, trid);
            }
            Request::Url { trid, service, .. } => self.on_url(conn, dialect, trid, service),
            Request::Snd { trid, account, locale, library, codebase } => {
                let words = [locale, library, codebase];
                let invited = Invited { account, words, text: &[] };
                self.on_invitation(conn, person, trid, &invited, Reply::Snd { trid });
            }
            Request::Sdc { trid, account, locale, library, codebase, text, .. } => {
                let words = [Some(locale), Some(library), Some(codebase)];
                let invited = Invited { account, words, text: text.0 };
                self.on_invitation(conn, person, trid, &invited, Reply::Sdc { trid });
            }
            Request::Pag { trid, .. } => {
                self.lines.refuse(conn, ErrorCode::PAGING_UNAVAILABLE, trid);
            }
            Request::Gtc { .. }
            | Request::Blp { .. }
            | Request::Prp { .. }
            | Request::Add { .. }
            | Request::Rem { .. }
            | Request::Adg { .. }
            | Request::AdgShort { .. }
            | Request::Rmg { .. }
            | Request::Reg { .. }
            | Request::RegShort { .. }
            | Request::Rea { .. } => self.on_change(now, conn, person, request),
        }
    }

    /// Turns calls to switchboards on or off, which only WebTV clients do.
    fn on_calls_switch(&mut self, conn: SlotId, person: SlotId, trid: TrId, mode: OnOff) {
        if let Some(person) = self.people.get_mut(person) {
            person.takes_calls = mode == OnOff::On;
            self.lines.say(conn, |out| Reply::Ims { trid, zero: Number(0), mode }.encode(out));
        }
    }
}

/// Whether the dialect is older than the command.
fn is_later_than(dialect: Dialect, verb: Verb) -> bool {
    let row = || Request::VERBS.iter().find(|row| row.verb == verb);
    dialect < Dialect::Msnp7 && row().is_some_and(|row| row.since > dialect.number())
}

/// Whether a command counts for [`HubLimits::changes`](super::HubLimits::changes).
const fn is_limited(request: &Request<'_>) -> bool {
    !matches!(
        request,
        Request::Png {} | Request::Out {} | Request::Qry { .. } | Request::Cvr { .. }
    )
}
