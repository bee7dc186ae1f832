//! Who is inside, and who is being called.

use super::Event;
use super::state::Core;
use crate::client::Warning;
use crate::error::{Expected, Lost, Misuse};
use crate::sb::Request;
use crate::time::Instant;
use crate::types::{Account, Handle, Name, Nick, TrId};
use crate::wire::Verb;

impl Core {
    pub(super) fn call(&mut self, now: Instant, account: &Handle) -> Result<(), Misuse> {
        self.require_inside()?;
        if self.members.iter().any(|member| member.account == *account)
            || self.calls.iter().any(|call| call.account == *account && !call.joined)
        {
            return Err(Misuse::Already);
        }
        if self.calls.len() >= self.setup.people {
            return Err(Misuse::Backlog);
        }
        let trid = self.link.next_trid();
        self.say(&Request::Cal { trid, account: Account::from(account) });
        self.since = now;
        self.calls.push(Call {
            trid,
            account: account.clone(),
            ringing: false,
            joined: false,
            deadline: now + self.setup.waits.invitation,
        });
        Ok(())
    }

    pub(super) fn join(&mut self, account: Account<'_>, name: Option<Name<'_>>, verb: Verb) {
        if account.is(&self.setup.account) {
            return;
        }
        if self.members.iter().any(|member| account.is(&member.account)) {
            return self.warn(Warning::OutOfPlace { verb });
        }
        if self.members.len() >= self.setup.people {
            return self.warn(Warning::TooMany { verb });
        }
        let call = self.calls.iter().position(|call| account.is(&call.account));
        let known = call.and_then(|place| self.calls.get_mut(place)).map(|call| {
            call.joined = true;
            call.account.clone()
        });
        self.calls.retain(|call| !(call.ringing && call.joined));
        let Some(account) = known.or_else(|| account.to_handle()) else {
            return self.warn(Warning::Invalid { verb, expected: Expected::Account });
        };
        let nick = name.map_or_else(|| Nick::of_handle(&account), Name::to_nick);
        self.members.push(Member { account: account.clone(), nick: nick.clone() });
        self.link.tell(Event::Joined { account, nick });
    }

    pub(super) fn ring(&mut self, trid: TrId) {
        match self.calls.iter_mut().find(|call| call.trid == trid && !call.ringing) {
            Some(call) => call.ringing = true,
            None => self.warn(Warning::Unmatched { verb: Verb::CAL, trid: Some(trid) }),
        }
        self.calls.retain(|call| !(call.ringing && call.joined));
    }

    pub(super) fn bye(&mut self, account: Account<'_>, idle: bool) {
        let Some(place) = self.members.iter().position(|member| account.is(&member.account)) else {
            return self.warn(Warning::OutOfPlace { verb: Verb::BYE });
        };
        let member = self.members.remove(place);
        self.calls.retain(|call| call.account != member.account);
        if self.members.is_empty() {
            // Whether they had it before they left is more than anyone can say.
            self.end_open(Lost::Alone, true);
        }
        self.link.tell(Event::Left { account: member.account, idle });
    }
}

#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) account: Handle,
    pub(super) nick: Nick,
}

#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) trid: TrId,
    pub(super) account: Handle,
    pub(super) ringing: bool,
    pub(super) joined: bool,
    pub(super) deadline: Instant,
}
