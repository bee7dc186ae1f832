//! From the first line of a connection to the first status: VER, INF, USR, SYN, CHG.

use alloc::string::String;

use super::ledger::Kind;
use super::replies::out;
use super::state::{Core, Session, State};
use super::sync::Sync;
use super::timers::Timer;
use crate::client::Event as Report;
use crate::error::{CommandError, Lost, Violation};
use crate::ns::challenge::digest;
use crate::ns::{Reply, Request};
use crate::time::Instant;
use crate::types::{Account, Dialect, Name, Nick, Token, Words};
use crate::wire::Verb;

impl Core {
    /// Offers the dialects: the beginning of every connection, and of a restart on the same one.
    pub(super) fn begin(&mut self) {
        let mut offer = String::new();
        for dialect in &self.config.dialects {
            offer.push_str(dialect.as_str());
            offer.push(' ');
        }
        offer.push_str("CVR0");
        let trid = self.link.next_trid();
        if let Some(dialects) = Words::new(offer.as_bytes()) {
            self.say(&Request::Ver { trid, dialects });
        }
        self.state = State::Versions(trid);
    }

    /// A reply before the server took the password.
    pub(super) fn on_sign_in(&mut self, now: Instant, reply: Reply<'_>) -> Result<(), Lost> {
        match (&self.state, reply) {
            (State::Versions(asked), Reply::Ver { trid, dialects }) if trid == *asked => {
                let offered = |word: &[u8]| {
                    Dialect::from_word(word).filter(|one| self.config.dialects.contains(one))
                };
                let dialect = dialects.iter().find_map(offered);
                let refused = dialects.iter().next() == Some(b"0");
                let Some(dialect) = dialect.filter(|_| !refused) else {
                    return self.on_no_dialect(dialects);
                };
                self.dialect = dialect;
                self.tell(Report::Agreed { dialect });
                let trid = self.link.next_trid();
                self.say(&Request::Inf { trid });
                self.state = State::Packages(trid);
            }
            (State::Packages(asked), Reply::Inf { trid, packages }) if trid == *asked => {
                if !packages.has_md5() {
                    return Err(Lost::Violation(Violation::Package));
                }
                let trid = self.link.next_trid();
                let account = self.credentials.account.clone();
                self.say(&Request::UsrInitial { trid, account: Account::from(&account) });
                self.state = State::Account(trid);
            }
            (State::Account(asked), Reply::UsrChallenge { trid, challenge }) if trid == *asked => {
                let password = self.credentials.password.expose().as_bytes();
                let answer = digest(challenge.as_bytes(), password);
                let trid = self.link.next_trid();
                if let Some(digest) = Token::new(&answer) {
                    self.say(&Request::UsrDigest { trid, digest });
                }
                self.state = State::Password(trid);
            }
            (State::Account(asked), Reply::XfrNotification { trid, address, .. })
                if trid == *asked =>
            {
                self.refer(address.to_target());
            }
            (State::Password(asked), Reply::UsrOk { trid, account, name, verified })
                if trid == *asked =>
            {
                if !account.is(&self.credentials.account) {
                    return Err(Lost::Violation(Violation::Account));
                }
                self.signed_in(now, account, name, verified);
            }
            (State::Outdated(asked), Reply::Cvq { trid, versions }) if trid == *asked => {
                self.tell_versions(versions);
                return Err(Lost::Violation(Violation::Version));
            }
            // The profile may come early, and a server may say hello in its own way.
            (_, Reply::Msg { account, body, .. }) => self.on_notice(account, body),
            (_, Reply::Out { reason }) => return Err(out(reason)),
            (state, reply) => {
                let state = state.name();
                return Err(Lost::Violation(Violation::Unexpected { verb: reply.verb(), state }));
            }
        }
        Ok(())
    }

    /// A server that still knows about versions is asked for the one that it wants; what it says
    /// is for people to read.
    fn on_no_dialect(&mut self, answer: Words<'_>) -> Result<(), Lost> {
        let asks = answer.iter().all(|word| word.eq_ignore_ascii_case(b"CVR0"));
        let version = self.version_words();
        let report = Words::new(version.as_bytes()).filter(|_| asks);
        let Some(report) = report else { return Err(Lost::Violation(Violation::Version)) };
        let trid = self.link.next_trid();
        self.say(&Request::Cvq { trid, report });
        self.state = State::Outdated(trid);
        Ok(())
    }

    pub(super) fn unreadable(&self, error: CommandError) -> Lost {
        let no_challenge =
            matches!(self.state, State::Account(_)) && error.verb == Verb::USR && error.missing;
        Lost::Violation(match no_challenge {
            true => Violation::EmptyChallenge,
            false => Violation::Unreadable(error),
        })
    }

    pub(super) fn signed_in(
        &mut self,
        now: Instant,
        account: Account<'_>,
        name: Option<Name<'_>>,
        verified: Option<Token<'_>>,
    ) {
        // The server's spelling is the one that counts from here on.
        let account = account.to_handle().unwrap_or_else(|| self.credentials.account.clone());
        let nick = name.map_or_else(|| Nick::of_handle(&account), Name::to_nick);
        let verified = match verified.map(Token::as_bytes) {
            Some(b"0") => Some(false),
            Some(_) => Some(true),
            None => None,
        };
        self.tell(Report::Authenticated { account: account.clone(), nick: nick.clone(), verified });
        self.state = State::SignedIn(Session { account, nick, status: None });
        self.heard(now);
        if self.config.sync {
            let trid = self.open_own(now, Verb::SYN, Kind::Sync);
            let version = self.roster.version();
            self.sync = Some(Sync::new(trid));
            self.sync_goes_on(now);
            self.say(&Request::Syn { trid, version });
        } else {
            self.set_first_status(now);
        }
    }

    pub(super) fn set_first_status(&mut self, now: Instant) {
        self.timers.stop(Timer::Sync);
        let status = self.credentials.status;
        let trid = self.open_own(now, Verb::CHG, Kind::FirstStatus);
        self.say(&Request::Chg { trid, status: status.into() });
    }
}
