//! Who sees whom, and is told: statuses, names, comings and goings.
//!
//! B sees A as A is exactly if A is on B's forward list, A does not block B, and A has chosen a
//! status that others see. Everybody else sees A as offline. Only who has chosen a status is told
//! anything.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::arena::{SlotId, Slots};
use super::calls::CookieKey;
use super::event::{Event, Why};
use super::lines::Lines;
use super::record::{Contact, Record};
use super::{Directory, Hub};
use crate::machine::Shutdown;
use crate::ns::Reply;
use crate::ns::challenge::{Challenge, client_code};
use crate::time::{Duration, Instant};
use crate::types::{
    Account, Dialect, ErrorCode, Handle, List, Name, Status, StatusCode, Token, TrId,
};
use crate::wire::Verb;

/// Somebody who is signed in.
pub(super) struct Person {
    /// Their notification connection.
    pub(super) conn: SlotId,
    /// The hub's copy of their account.
    pub(super) record: Record,
    pub(super) dialect: Dialect,
    /// The status they chose; none before the first CHG.
    pub(super) status: Option<Status>,
    /// The status that those who may see them were told last; none for offline.
    pub(super) shown: Option<Status>,
    /// What their client has to answer.
    challenge: Option<Challenge>,
    /// Whether they had the lists in this session.
    pub(super) synced: bool,
    /// Whether they take calls at all.
    pub(super) takes_calls: bool,
    /// When the limit on renames has forgotten all of them.
    pub(super) renames_until: Instant,
    /// Cookies that they asked for.
    pub(super) referrals: Vec<CookieKey>,
    /// Cookies that came with calls.
    pub(super) calls: Vec<CookieKey>,
    /// Their switchboard connections.
    pub(super) seats: Vec<SlotId>,
}

impl Person {
    pub(super) fn new(
        conn: SlotId,
        record: Record,
        dialect: Dialect,
        shown: Option<Status>,
    ) -> Self {
        Self {
            conn,
            record,
            dialect,
            status: None,
            shown,
            challenge: None,
            synced: false,
            takes_calls: true,
            renames_until: Instant::ZERO,
            referrals: Vec::new(),
            calls: Vec::new(),
            seats: Vec::new(),
        }
    }

    /// Whether somebody is a contact of this person.
    fn has(&self, who: &Handle) -> bool {
        self.record.contact(who).is_some_and(|contact| contact.lists.has(List::Forward))
    }

    /// The status that others are to see; none for offline.
    fn visible(&self) -> Option<Status> {
        self.status.filter(|status| status.is_visible())
    }

    /// Whether this person may be called by `who` now.
    pub(super) fn is_callable_by(&self, who: &Handle) -> bool {
        self.takes_calls && self.visible().is_some() && !self.record.blocks(who)
    }

    /// Whether this person may use switchboards now.
    pub(super) fn may_call(&self) -> bool {
        self.takes_calls && self.visible().is_some()
    }

    /// The line that tells somebody of this person's being online.
    fn encode_online(&self, status: Status, out: &mut Vec<u8>) {
        let account = Account::from(&self.record.handle);
        let name = Some(Name::from(&self.record.name));
        Reply::Nln { status: status.into(), account, name }.encode(out);
    }

    fn encode_offline(&self, out: &mut Vec<u8>) {
        Reply::Fln { account: Account::from(&self.record.handle) }.encode(out);
    }
}

/// Somebody who is signed in.
pub(super) fn find<'a>(
    people: &'a Slots<Person>,
    online: &BTreeMap<Handle, SlotId>,
    who: &Handle,
) -> Option<&'a Person> {
    online.get(who).and_then(|id| people.get(*id))
}

/// Sends a line to everybody who has `person` on their forward list, is `chosen` and has a status.
fn fan_out(
    people: &Slots<Person>,
    online: &BTreeMap<Handle, SlotId>,
    lines: &mut Lines,
    person: &Person,
    chosen: impl Fn(&Contact) -> bool,
    line: &[u8],
) {
    let watching = |contact: &&Contact| contact.lists.has(List::Reverse) && chosen(contact);
    for contact in person.record.contacts.iter().filter(watching) {
        let watcher = find(people, online, &contact.handle);
        // An account that was removed and made anew may still stand on the reverse list.
        let watches =
            |watcher: &&Person| watcher.status.is_some() && watcher.has(&person.record.handle);
        if let Some(watcher) = watcher.filter(watches) {
            lines.push(watcher.conn, [line, &[], &[]]);
        }
    }
}

impl<D: Directory> Hub<D> {
    /// Somebody chooses a status.
    pub(super) fn on_status(
        &mut self,
        now: Instant,
        conn: SlotId,
        id: SlotId,
        trid: TrId,
        status: StatusCode<'_>,
    ) {
        let StatusCode::Known(status) = status else {
            return self.end(now, conn, Why::Invalid(Verb::new(*b"CHG")), Shutdown::Flush);
        };
        if status == Status::Offline {
            return self.lines.refuse(conn, ErrorCode::INVALID_PARAMETER, trid);
        }
        let Some(person) = self.people.get_mut(id) else { return };
        let first = person.status.replace(status).is_none();
        self.lines.say(conn, |out| Reply::Chg { trid, status: status.into() }.encode(out));
        if first {
            self.show_contacts(conn, id, trid);
            self.greet(now, conn, id);
            self.challenge_first(now, conn, id);
        }
        self.announce(id, false);
    }

    /// Tells somebody who just came online who else is.
    fn show_contacts(&mut self, conn: SlotId, id: SlotId, trid: TrId) {
        let Some(person) = self.people.get(id) else { return };
        let (people, online) = (&self.people, &self.online);
        self.lines.recite(conn, |out| {
            for contact in person.record.on(List::Forward) {
                let other = find(people, online, &contact.handle);
                encode_initial(other, person, trid, out);
            }
        });
    }

    /// Tells somebody in an answer that this contact is online, if they may know.
    pub(super) fn show_contact(&mut self, id: SlotId, contact: &Handle, trid: TrId) {
        let Some(person) = self.people.get(id).filter(|person| person.status.is_some()) else {
            return;
        };
        let other = find(&self.people, &self.online, contact);
        self.lines.say(person.conn, |out| encode_initial(other, person, trid, out));
    }

    /// Tells those who may see a person what has changed since they were told last.
    pub(super) fn announce(&mut self, id: SlotId, renamed: bool) {
        let mut line = core::mem::take(&mut self.scratch);
        line.clear();
        if let Some(person) = self.people.get(id) {
            match (person.shown, person.visible()) {
                (None, None) => {}
                (_, None) => person.encode_offline(&mut line),
                (Some(before), Some(after)) if before == after && !renamed => {}
                (_, Some(after)) => person.encode_online(after, &mut line),
            }
            if !line.is_empty() {
                let allowed = |contact: &Contact| !person.record.blocks_lists(contact.lists);
                fan_out(&self.people, &self.online, &mut self.lines, person, allowed, &line);
            }
        }
        self.scratch = line;
        if let Some(person) = self.people.get_mut(id) {
            person.shown = person.visible();
        }
    }

    /// Tells people for whom a person has just appeared or vanished: those entries that
    /// `changed` says were blocked before and are not now, or the reverse.
    pub(super) fn reveal(&mut self, id: SlotId, changed: impl Fn(&Contact) -> bool) {
        let Some(person) = self.people.get(id) else { return };
        let Some(shown) = person.shown else { return };
        for blocked in [true, false] {
            let mut line = core::mem::take(&mut self.scratch);
            line.clear();
            match blocked {
                true => person.encode_offline(&mut line),
                false => person.encode_online(shown, &mut line),
            }
            let chosen = |contact: &Contact| {
                person.record.blocks_lists(contact.lists) == blocked && changed(contact)
            };
            fan_out(&self.people, &self.online, &mut self.lines, person, chosen, &line);
            self.scratch = line;
        }
    }

    /// Takes a person out of everything. Their connection is its caller's.
    pub(super) fn sign_out(&mut self, now: Instant, id: SlotId, why: Why) {
        let Some(person) = self.people.remove(id) else { return };
        self.online.remove(&person.record.handle);
        for key in person.referrals.iter().chain(&person.calls) {
            self.forget_cookie(*key);
        }
        if !self.stopping && why != Why::Moved {
            for seat in &person.seats {
                self.dismiss(now, *seat, None, Why::SignedOut);
            }
            if person.shown.is_some() {
                let mut line = Vec::new();
                person.encode_offline(&mut line);
                let allowed = |contact: &Contact| !person.record.blocks_lists(contact.lists);
                fan_out(&self.people, &self.online, &mut self.lines, &person, allowed, &line);
            }
        }
        let account = person.record.handle;
        self.lines.event(Event::SignedOut { conn: person.conn.into(), account, why });
    }

    /// Challenges a client that has just come online, if its dialect knows challenges.
    fn challenge_first(&mut self, now: Instant, conn: SlotId, id: SlotId) {
        let knows = |person: &Person| person.dialect >= Dialect::Msnp6;
        if self.config.challenges && self.people.get(id).is_some_and(knows) {
            self.send_challenge(now, conn, id, TrId::NONE);
        }
    }

    /// Sends a challenge; the newest one counts. The time to answer runs from the first.
    pub(super) fn send_challenge(&mut self, now: Instant, conn: SlotId, id: SlotId, trid: TrId) {
        let Some(person) = self.people.get_mut(id) else { return };
        let challenge = Challenge::program(&mut *self.entropy);
        let repeated = person.challenge.is_some();
        if let Some(challenge) = Token::new(challenge.as_bytes()) {
            self.lines.say(conn, |out| Reply::Chl { trid, challenge }.encode(out));
        }
        person.challenge = Some(challenge);
        if !repeated {
            self.arm(conn, Some(now + self.config.limits.challenge));
        }
    }

    /// The answer to a challenge.
    pub(super) fn on_challenge_answer(
        &mut self,
        now: Instant,
        conn: SlotId,
        id: SlotId,
        trid: TrId,
        (client, digest): (Token<'_>, &[u8]),
    ) {
        let challenge = self.people.get_mut(id).and_then(|person| person.challenge.take());
        let code = client_code(client.as_bytes());
        let right = challenge
            .zip(code)
            .is_some_and(|(challenge, code)| challenge.is_answered_by(digest, code.as_bytes()));
        if !right {
            return self.fail_challenge(now, conn, trid);
        }
        self.lines.say(conn, |out| Reply::Qry { trid }.encode(out));
        let next = self.config.challenge_pause.map(|(least, most)| {
            let mut bytes = [0; 4];
            self.entropy.fill(&mut bytes);
            let span = most.saturating_sub(least).as_micros();
            let share = span.saturating_mul(u128::from(u32::from_le_bytes(bytes))) >> 32;
            now + least + Duration::from_micros(u64::try_from(share).unwrap_or(0))
        });
        self.arm(conn, next);
    }

    pub(super) fn fail_challenge(&mut self, now: Instant, conn: SlotId, trid: TrId) {
        self.lines.refuse(conn, ErrorCode::CHALLENGE_FAILED, trid);
        self.end(now, conn, Why::Challenge, Shutdown::Flush);
    }

    /// A challenge was not answered in time, or the next one is due.
    pub(super) fn on_challenge_due(&mut self, now: Instant, conn: SlotId, id: SlotId) {
        if self.people.get(id).is_some_and(|person| person.challenge.is_some()) {
            // The answer of who was held up may be among what was not read.
            let held_until = self.lines.sessions.get(conn).map(|session| session.held_until);
            let until = held_until.map(|held_until| held_until + self.config.limits.challenge);
            if until.is_some_and(|until| until > now) {
                return self.arm(conn, until);
            }
            self.dismiss(now, conn, None, Why::ChallengeUnanswered);
        } else {
            self.send_challenge(now, conn, id, TrId::NONE);
        }
    }
}

/// The line that says to `viewer` that `other` is online, if they are and `viewer` may know.
fn encode_initial(other: Option<&Person>, viewer: &Person, trid: TrId, out: &mut Vec<u8>) {
    let seen = other.filter(|other| !other.record.blocks(&viewer.record.handle));
    if let Some((other, status)) = seen.and_then(|other| other.shown.map(|shown| (other, shown))) {
        let account = Account::from(&other.record.handle);
        let name = Some(Name::from(&other.record.name));
        Reply::Iln { trid, status: status.into(), account, name }.encode(out);
    }
}
