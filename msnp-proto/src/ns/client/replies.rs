//! What a signed-in client is told: answers, refusals, rings, challenges, notices. What is about
//! the roster goes on to `sync`.

use alloc::boxed::Box;
use alloc::string::String;

use super::Event;
use super::ledger::Kind;
use super::state::{Core, State};
use super::timers::Timer;
use crate::body::{InitialMail, MailActivity, MimeProblem, NewMail, Notice};
use crate::client::{Event as Report, Failure, Warning};
use crate::error::{Expected, Lost, Violation};
use crate::machine::Target;
use crate::ns::challenge::{self, digest};
use crate::ns::{Reply, Request};
use crate::secret::Secret;
use crate::time::{Duration, Instant};
use crate::types::{
    Account, Dialect, ErrorCode, ErrorReply, Name, Nick, Number, Status, Token, TrId, Words,
};
use crate::wire::{Body, Frame, Parsed, Verb};

impl Core {
    pub(super) fn on_frame(&mut self, now: Instant, frame: Frame<'_>) -> Result<(), Lost> {
        if let Some(error) = ErrorReply::parse(frame) {
            // Mail and news servers say hello with a number and words.
            let is_greeting = error.trid.is_none() && frame.words().nth(1).is_some();
            if is_greeting && matches!(self.state, State::Versions(_)) {
                return Err(Lost::Violation(Violation::NotMsnp));
            }
            self.link.reset_fuse();
            return self.on_error(now, error);
        }
        let signed_in = self.session().is_some();
        match Reply::parse(frame) {
            Ok(Parsed::Command(reply, _)) => {
                self.link.reset_fuse();
                if signed_in { self.on_reply(now, reply) } else { self.on_sign_in(now, reply) }
            }
            Ok(Parsed::Unknown(frame)) => {
                let warning = self.link.unknown(frame, signed_in)?;
                self.warn(warning);
                Ok(())
            }
            Err(error) if signed_in => {
                self.warn(Warning::Unreadable(error));
                Ok(())
            }
            Err(error) => Err(self.unreadable(error)),
        }
    }

    /// A reply after the server took the password.
    pub(super) fn on_reply(&mut self, now: Instant, reply: Reply<'_>) -> Result<(), Lost> {
        match reply {
            Reply::Chg { trid, status } => self.on_status(now, trid, status.or_online()),
            Reply::XfrSwitchboard { trid, address, cookie } => {
                let (to, cookie) = (address.to_target(), secret(cookie));
                match self.ledger.take(trid, |kind| matches!(kind, Kind::Switchboard(_))) {
                    Some((Kind::Switchboard(tag), _)) => {
                        self.link.tell(Event::Switchboard { tag, to, cookie });
                    }
                    _ => self.unmatched(Verb::XFR, trid),
                }
            }
            Reply::XfrNotification { trid: TrId::NONE, address, .. } => {
                self.refer(address.to_target());
            }
            Reply::XfrRestart { trid: TrId::NONE } => self.restart(now),
            Reply::Rng { session, address, cookie, account, name } => {
                self.on_ring(session, address.to_target(), secret(cookie), account, name);
            }
            Reply::Chl { trid, challenge } => {
                // It may be one that was asked for.
                if let Some((_, Some(request))) =
                    self.ledger.take(trid, |kind| *kind == Kind::Probe)
                {
                    self.granted(now, request);
                }
                self.on_challenge(now, challenge)?;
            }
            Reply::Qry { trid } => self.done(now, Verb::QRY, trid, |kind| *kind == Kind::Challenge),
            Reply::Qng {} => {}
            Reply::Out { reason } => return Err(out(reason)),
            Reply::Msg { account, body, .. } => self.on_notice(account, body),
            // Servers answer with either, whatever was asked.
            Reply::Cvr { trid, versions } | Reply::Cvq { trid, versions } => {
                if self.ledger.take(trid, |kind| *kind == Kind::Report).is_none() {
                    self.unmatched(reply.verb(), trid);
                    return Ok(());
                }
                self.tell_versions(versions);
            }
            Reply::Ver { .. }
            | Reply::Inf { .. }
            | Reply::UsrChallenge { .. }
            | Reply::UsrOk { .. }
            | Reply::XfrNotification { .. }
            | Reply::XfrRestart { .. } => {
                let state = "signed in";
                return Err(Lost::Violation(Violation::Unexpected { verb: reply.verb(), state }));
            }
            Reply::Url { trid, redirect, login, site } => {
                let words = [Some(redirect), Some(login), site];
                let [redirect, login, site] =
                    words.map(|word| word.map(|word| word.to_text().into_owned()));
                match self.ledger.take(trid, |kind| *kind == Kind::Url) {
                    Some((_, Some(request))) => {
                        let redirect = redirect.unwrap_or_default();
                        let login = login.unwrap_or_default();
                        self.tell(Report::Url { request, redirect, login, site });
                        self.granted(now, request);
                    }
                    _ => self.unmatched(Verb::URL, trid),
                }
            }
            Reply::Fnd { trid, index, total, terms } => {
                self.on_found(now, trid, index, total, terms)
            }
            Reply::Snd { trid } | Reply::Sdc { trid } | Reply::Ims { trid, .. } => {
                self.done(now, reply.verb(), trid, |kind| *kind == Kind::Change);
            }
            Reply::Ipg { page } => self.tell(Report::Page { document: page.0.to_vec() }),
            Reply::Not { alert } => self.tell(Report::Alert { document: alert.0.to_vec() }),
            reply => self.on_roster(now, reply),
        }
        Ok(())
    }

    pub(super) fn on_status(&mut self, now: Instant, trid: TrId, status: Status) {
        let first = match self.ledger.take(trid, Kind::is_status) {
            Some((Kind::FirstStatus, _)) => true,
            Some((_, request)) => {
                if let Some(request) = request {
                    self.granted(now, request);
                }
                false
            }
            None if trid == TrId::NONE => false,
            None => return self.unmatched(Verb::CHG, trid),
        };
        let Some(session) = self.session_mut() else { return };
        let before = session.status.replace(status);
        if first && before.is_none() {
            self.timers.stop(Timer::SignIn);
            self.tell(Report::Online { status });
            self.report_version(now);
        } else if before != Some(status) {
            self.tell(Report::StatusChanged { status });
        }
    }

    /// Says which client we are.
    pub(super) fn report_version(&mut self, now: Instant) {
        let version = self.version_words();
        if let Some(report) = Words::new(version.as_bytes()) {
            let trid = self.open_own(now, Verb::CVR, Kind::Report);
            self.say(&Request::Cvr { trid, report });
        }
    }

    /// Which client we are: six words, seven since MSNP4.
    pub(super) fn version_words(&self) -> String {
        let report = self.config.version_report.as_str();
        let short = match self.dialect {
            Dialect::Msnp2 | Dialect::Msnp3 => report.rsplit_once(' ').map(|(six, _)| six),
            _ => None,
        };
        String::from(short.unwrap_or(report))
    }

    pub(super) fn tell_versions(&mut self, versions: Words<'_>) {
        let words = versions.iter().map(|word| String::from_utf8_lossy(word).into());
        self.tell(Report::Versions { words: words.take(8).collect() });
    }

    pub(super) fn on_found(
        &mut self,
        now: Instant,
        trid: TrId,
        index: Number,
        total: Number,
        terms: Option<Words<'_>>,
    ) {
        let Some((Kind::Find, Some(request))) = self.ledger.peek(trid) else {
            return self.unmatched(Verb::FND, trid);
        };
        if let Some(terms) = terms {
            let terms = terms.iter().map(|word| String::from_utf8_lossy(word).into_owned());
            let terms = terms.take(8).collect();
            self.tell(Report::Found { request, terms });
        }
        if index == total {
            self.done(now, Verb::FND, trid, |kind| *kind == Kind::Find);
        }
    }

    pub(super) fn on_ring(
        &mut self,
        session: Token<'_>,
        to: Target,
        cookie: Secret,
        account: Account<'_>,
        name: Option<Name<'_>>,
    ) {
        let Some(from) = account.to_handle() else {
            let expected = Expected::Account;
            return self.warn(Warning::Invalid { verb: Verb::RNG, expected });
        };
        let hidden = self.session().is_none_or(|session| session.status == Some(Status::Hidden));
        if hidden {
            return self.warn(Warning::OutOfPlace { verb: Verb::RNG });
        }
        let nick = name.map_or_else(|| Nick::of_handle(&from), Name::to_nick);
        let session = session.to_text().into_owned();
        self.link.tell(Event::Rung { session, to, cookie, from, nick });
    }

    pub(super) fn on_challenge(&mut self, now: Instant, challenge: Token<'_>) -> Result<(), Lost> {
        if !self.challenges.allow(now) {
            return Err(Lost::Violation(Violation::ChallengeFlood));
        }
        if challenge.as_bytes().len() > CHALLENGE_SIZE {
            let expected = Expected::Token;
            self.warn(Warning::Invalid { verb: Verb::CHL, expected });
            return Ok(());
        }
        let code = challenge::client_code(challenge::CLIENT_ID.as_bytes()).unwrap_or_default();
        let answer = digest(challenge.as_bytes(), code.as_bytes());
        let trid = self.open_own(now, Verb::QRY, Kind::Challenge);
        if let Some(client_id) = Token::new(challenge::CLIENT_ID.as_bytes()) {
            self.say(&Request::Qry { trid, client_id, digest: Body(&answer) });
        }
        Ok(())
    }

    /// The server's own messages come from `Hotmail`; nobody else's are believed.
    pub(super) fn on_notice(&mut self, account: Account<'_>, body: Body<'_>) {
        if account.as_bytes() != b"Hotmail" {
            return self.warn(Warning::OutOfPlace { verb: Verb::MSG });
        }
        let (notice, problem) = Notice::parse_with(body.0);
        // Some servers leave out the empty line behind the header.
        if let Some(problem) = problem.filter(|problem| *problem != MimeProblem::NoEmptyLine) {
            self.warn(Warning::Payload { verb: Verb::MSG, problem });
        }
        self.tell(match notice {
            Notice::Profile(profile) => Report::Profile(Box::new(profile.to_profile())),
            Notice::InitialMail(fields) => Report::InitialMail(InitialMail::parse(fields)),
            Notice::NewMail(fields) => Report::NewMail(NewMail::parse(fields)),
            Notice::MailActivity(fields) => Report::MailActivity(MailActivity::parse(fields)),
            Notice::System(system) => Report::System(system),
            _ => Report::Warning(Warning::OutOfPlace { verb: Verb::MSG }),
        });
    }

    pub(super) fn on_error(&mut self, now: Instant, error: ErrorReply) -> Result<(), Lost> {
        let ErrorReply { code, trid } = error;
        match self.state {
            State::Outdated(_) => return Err(Lost::Violation(Violation::Version)),
            State::Versions(asked)
            | State::Packages(asked)
            | State::Account(asked)
            | State::Password(asked)
                if trid.is_none_or(|trid| trid == asked) =>
            {
                return Err(match code {
                    ErrorCode::AUTHENTICATION_FAILED => Lost::Password(code),
                    code => Lost::Refused(code),
                });
            }
            _ => {}
        }
        let why = Failure::Refused(code);
        let open = trid.and_then(|trid| self.ledger.take_any(trid));
        if let Some(request) = open.and_then(|open| open.request) {
            self.learn(request, code);
        }
        match open {
            Some(open) => match open.kind {
                _ if open.request.is_some_and(|request| self.is_tolerated(request, code)) => {
                    if let Some(request) = open.request {
                        self.granted(now, request);
                    }
                }
                Kind::Challenge => return Err(Lost::Challenge),
                Kind::Sync => {
                    self.warn(Warning::Refused { verb: Verb::SYN, code });
                    self.finish_sync(now, false);
                }
                Kind::FirstStatus => return Err(Lost::Refused(code)),
                kind => self.fail(open.verb, kind, open.request, why),
            },
            None => self.warn(Warning::Unmatched { verb: code.verb(), trid }),
        }
        Ok(())
    }
}

/// How many challenges came lately.
#[derive(Clone, Copy, Debug)]
pub(super) struct Challenges {
    since: Instant,
    count: u8,
}

impl Challenges {
    pub(super) const fn new(now: Instant) -> Self {
        Self { since: now, count: 0 }
    }

    /// Counts one more; `false` if that is too many in one minute.
    fn allow(&mut self, now: Instant) -> bool {
        if now >= self.since + Duration::from_secs(60) {
            *self = Self::new(now);
        }
        self.count = self.count.saturating_add(1);
        self.count <= CHALLENGES
    }
}

/// Challenges in one minute that are answered. Real servers send one in several minutes.
const CHALLENGES: u8 = 10;

/// Longest challenge that is answered; real ones have 20 digits.
const CHALLENGE_SIZE: usize = 128;

pub(super) fn out(reason: Option<Token<'_>>) -> Lost {
    match reason.map(Token::as_bytes) {
        Some(b"OTH") => Lost::ElsewhereSignedIn,
        Some(b"SSD") => Lost::ServerDown,
        _ => Lost::Dismissed,
    }
}

fn secret(token: Token<'_>) -> Secret {
    Secret::from(token.to_text().into_owned())
}
