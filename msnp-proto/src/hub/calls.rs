//! Cookies: the way into a switchboard. One is given to a person who asks for a switchboard or is
//! called into one; it is good once, for a short while, for that person and that switchboard.
//!
//! Whether the called person wants the caller is looked at when they are called, and not again when
//! they come: coming is their own choice.

use alloc::collections::BTreeMap;
use core::fmt;

use super::arena::{SlotId, Task};
use super::event::{Role, Why};
use super::lines::State;
use super::rates::Use;
use super::rooms::Room;
use super::{Directory, Hub};
use crate::hex;
use crate::machine::Shutdown;
use crate::ns::challenge::digest;
use crate::sb::server::Knock;
use crate::secret::Entropy;
use crate::time::Instant;
use crate::types::{Account, Address, ErrorCode, Handle, Name, Token, TrId};
use crate::wire::{Frame, Parsed};
use crate::{ns, sb};

/// What a cookie is found by: a digest of its digits. However long the search takes, it says
/// nothing of how much of a guess is right, since nobody can choose the digest of a guess. The
/// cookie itself is not kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CookieKey([u8; 32]);

impl CookieKey {
    /// What the cookie of these digits, if they are one, is found by.
    fn of(digits: &[u8]) -> Self {
        Self(digest(digits, b""))
    }
}

/// 128 bits that nobody can guess, as 32 hexadecimal digits.
fn fresh_digits(entropy: &mut dyn Entropy) -> [u8; 32] {
    let mut bits = [0; 16];
    entropy.fill(&mut bits);
    let mut digits = [0; 32];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bits) {
        pair.copy_from_slice(&hex::lower(byte));
    }
    digits
}

impl fmt::Debug for CookieKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieKey(..)")
    }
}

/// What a cookie is good for.
struct Cookie {
    /// Whom it was given to.
    person: SlotId,
    /// The switchboard to join, and who calls there; none for a new one.
    room: Option<SlotId>,
    caller: Option<Handle>,
    expires: Option<Instant>,
}

/// All cookies that are good now.
pub(super) struct Cookies(BTreeMap<CookieKey, Cookie>);

impl Cookies {
    pub(super) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl<D: Directory> Hub<D> {
    /// A new cookie: what it is found by, and the digits that are said.
    fn give_cookie(
        &mut self,
        now: Instant,
        person: SlotId,
        call: Option<(SlotId, Handle)>,
    ) -> (CookieKey, [u8; 32]) {
        let digits = fresh_digits(&mut *self.entropy);
        let key = CookieKey::of(&digits);
        let mut expires = None;
        let at = Some(now + self.config.limits.cookie);
        self.agenda.set(&mut expires, Task::Cookie(key), at);
        let (room, caller) = call.unzip();
        self.cookies.0.insert(key, Cookie { person, room, caller, expires });
        if let Some(person) = self.people.get_mut(person) {
            match room {
                Some(_) => person.calls.push(key),
                None => person.referrals.push(key),
            }
        }
        (key, digits)
    }

    /// Takes a cookie out of everything: it was used, is stale, or its person or switchboard is
    /// gone. Returns whom and what it was good for.
    pub(super) fn forget_cookie(&mut self, key: CookieKey) -> Option<(SlotId, Option<SlotId>)> {
        let mut cookie = self.cookies.0.remove(&key)?;
        self.agenda.set(&mut cookie.expires, Task::Cookie(key), None);
        if let Some(person) = self.people.get_mut(cookie.person) {
            person.referrals.retain(|other| *other != key);
            person.calls.retain(|other| *other != key);
        }
        if let Some(room) = cookie.room.and_then(|room| self.rooms.get_mut(room)) {
            room.ringing.retain(|(other, _)| *other != key);
        }
        Some((cookie.person, cookie.room))
    }

    /// Somebody asks for a switchboard.
    pub(super) fn on_referral(
        &mut self,
        now: Instant,
        conn: SlotId,
        id: SlotId,
        trid: TrId,
        kind: Token<'_>,
    ) {
        let Some(person) = self.people.get(id) else { return };
        let refusal = if kind.as_bytes() != b"SB" {
            Some(ErrorCode::INVALID_PARAMETER)
        } else if !person.may_call() {
            Some(ErrorCode::NOT_WHILE_HIDDEN)
        } else if person.referrals.len() >= self.config.limits.cookies {
            Some(ErrorCode::TOO_MANY_SESSIONS)
        } else if self.address(Role::Switchboard).is_none() {
            Some(ErrorCode::SWITCHBOARD_FAILED)
        } else {
            None
        };
        if let Some(code) = refusal {
            return self.lines.refuse(conn, code, trid);
        }
        let (_, digits) = self.give_cookie(now, id, None);
        let Some(address) = self.address(Role::Switchboard).cloned() else { return };
        if let Some(cookie) = Token::new(&digits) {
            let address = Address::from(&address);
            self.lines.say(conn, |out| {
                ns::Reply::XfrSwitchboard { trid, address, cookie }.encode(out);
            });
        }
    }

    /// Somebody in a switchboard calls somebody else in.
    pub(super) fn on_call(
        &mut self,
        now: Instant,
        conn: SlotId,
        room_id: SlotId,
        seat: usize,
        trid: TrId,
        account: Account<'_>,
    ) {
        self.charge(now, conn, Use::Change, 1);
        let Some(callee) = account.to_handle() else {
            return self.lines.refuse(conn, ErrorCode::INVALID_USER_NAME, trid);
        };
        let Some(room) = self.rooms.get(room_id) else { return };
        let Some(caller) = room.seats.get(seat) else { return };
        if room.has(&callee) {
            return self.lines.refuse(conn, ErrorCode::ALREADY_THERE, trid);
        }
        let (caller_handle, caller_name) = (caller.handle.clone(), caller.name.clone());
        let found = self.online.get(&callee).copied();
        let callable = found.and_then(|id| self.people.get(id).map(|person| (id, person)));
        // Whether they are offline, hidden, unknown or do not want the caller is not told.
        let callable = callable.filter(|(_, person)| person.is_callable_by(&caller_handle));
        let too_active =
            self.config.limits.failed_calls.is_some_and(|most| caller.failed_calls >= most);
        if too_active {
            return self.lines.refuse(conn, ErrorCode::TOO_ACTIVE, trid);
        }
        let Some((callee_id, person)) = callable else {
            if let Some(caller) = self.rooms.get_mut(room_id).and_then(|r| r.seats.get_mut(seat)) {
                caller.failed_calls = caller.failed_calls.saturating_add(1);
            }
            return self.lines.refuse(conn, ErrorCode::NOT_ONLINE, trid);
        };
        if room.seats.len().saturating_add(room.ringing.len()) >= self.config.limits.people {
            return self.lines.refuse(conn, ErrorCode::SESSION_OVERLOADED, trid);
        }
        let limits = &self.config.limits;
        let of_caller = |key: &&CookieKey| {
            let cookie = self.cookies.0.get(*key);
            cookie.is_some_and(|cookie| cookie.caller.as_ref() == Some(&caller_handle))
        };
        if person.calls.iter().filter(of_caller).count() >= limits.rings_of_one {
            return self.lines.refuse(conn, ErrorCode::TOO_ACTIVE, trid);
        }
        if person.calls.len() >= limits.rings {
            return self.lines.refuse(conn, ErrorCode::NOT_ONLINE, trid);
        }
        let (callee_conn, number) = (person.conn, room.number);
        let Some(address) = self.address(Role::Switchboard).cloned() else { return };
        let call = Some((room_id, caller_handle.clone()));
        let (key, cookie_digits) = self.give_cookie(now, callee_id, call);
        if let Some(room) = self.rooms.get_mut(room_id) {
            room.ringing.push((key, callee));
            if let Some(caller) = room.seats.get_mut(seat) {
                caller.failed_calls = 0;
            }
        }
        self.wait_for_company(now, room_id);

        let session_digits = number_digits(number);
        let session = Token::new(session_digits.as_bytes());
        let (Some(session), Some(cookie)) = (session, Token::new(&cookie_digits)) else { return };
        let mut line = core::mem::take(&mut self.scratch);
        line.clear();
        ns::Reply::Rng {
            session,
            address: Address::from(&address),
            cookie,
            account: Account::from(&caller_handle),
            name: Some(Name::from(&caller_name)),
        }
        .encode(&mut line);
        self.lines.push(callee_conn, [&line, &[], &[]]);
        self.scratch = line;
        self.lines.say(conn, |out| sb::Reply::Ringing { trid, session }.encode(out));
    }

    /// Takes a frame at the door of the switchboards. Returns whether it opened.
    pub(super) fn on_knock(&mut self, now: Instant, conn: SlotId, frame: Frame<'_>) -> bool {
        let request = match sb::Request::parse(frame) {
            Ok(Parsed::Command(_, extra)) if self.is_excess(now, conn, frame, extra) => {
                return false;
            }
            Ok(Parsed::Command(request, _)) => request,
            Ok(Parsed::Unknown(frame)) => {
                self.on_unknown(now, conn, frame);
                return false;
            }
            Err(error) => {
                self.on_unreadable(now, conn, frame, error);
                return false;
            }
        };
        self.forgive(conn);
        match Knock::from_request(request) {
            Knock::Enter { trid, account, cookie, session } => {
                self.enter(now, conn, trid, account, cookie, session)
            }
            Knock::Leave => {
                self.end(now, conn, Why::Left, Shutdown::Flush);
                false
            }
            Knock::Unexpected { trid } => {
                self.end_unexpected(now, conn, request.verb(), Some(trid));
                false
            }
        }
    }

    /// Lets somebody in with a cookie. What is wrong with a bad one is not told.
    fn enter(
        &mut self,
        now: Instant,
        conn: SlotId,
        trid: TrId,
        account: Account<'_>,
        cookie: Token<'_>,
        session: Option<Token<'_>>,
    ) -> bool {
        let key = CookieKey::of(cookie.as_bytes());
        let good_for = self.forget_cookie(key).filter(|(person, room)| {
            let of = |person: SlotId| self.people.get(person);
            let right_account = of(*person).is_some_and(|person| account.is(&person.record.handle));
            let right_session = match (session, room) {
                (None, None) => true,
                (Some(session), Some(room)) => self.rooms.get(*room).is_some_and(|room| {
                    session.as_bytes() == number_digits(room.number).as_bytes()
                }),
                _ => false,
            };
            right_account && right_session
        });
        let Some((person, room)) = good_for else {
            self.lines.refuse(conn, ErrorCode::AUTHENTICATION_FAILED, trid);
            self.end(now, conn, Why::Authentication, Shutdown::Flush);
            return false;
        };
        self.arm(conn, None);
        match room {
            None => self.open_room(now, conn, person, trid),
            Some(room) => self.join_room(now, conn, person, room, trid),
        }
        true
    }

    fn open_room(&mut self, now: Instant, conn: SlotId, person: SlotId, trid: TrId) {
        // Old clients read the number as a signed one of 32 bits.
        let mut bytes = [0; 4];
        self.entropy.fill(&mut bytes);
        let number = (u32::from_le_bytes(bytes) >> 1).max(1);
        let room = self.rooms.insert(Room::new(number, now));
        self.seat(conn, person, room);
        if let Some(person) = self.people.get(person) {
            let account = Account::from(&person.record.handle);
            let name = Some(Name::from(&person.record.name));
            self.lines.say(conn, |out| sb::Reply::UsrOk { trid, account, name }.encode(out));
        }
        self.wait_for_company(now, room);
    }

    /// The person's place in the switchboard.
    pub(super) fn seat(&mut self, conn: SlotId, person_id: SlotId, room_id: SlotId) {
        let Some(person) = self.people.get_mut(person_id) else { return };
        let Some(room) = self.rooms.get_mut(room_id) else { return };
        let Some(session) = self.lines.sessions.get_mut(conn) else { return };
        let seat = room.sit(conn, &person.record.handle, &person.record.name);
        session.state = State::Seated { room: room_id, seat, person: person_id };
        person.seats.push(conn);
    }
}

fn number_digits(number: u32) -> alloc::string::String {
    alloc::string::ToString::to_string(&number)
}

impl Room {
    /// Whether somebody is in, or is being called.
    fn has(&self, who: &Handle) -> bool {
        self.seats.iter().any(|seat| seat.handle == *who)
            || self.ringing.iter().any(|(_, handle)| handle == who)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededEntropy;

    #[test]
    fn cookies_are_found_by_their_digest() {
        let digits = fresh_digits(&mut SeededEntropy::new(1));
        assert!(digits.iter().all(u8::is_ascii_hexdigit));
        let key = CookieKey::of(&digits);
        assert!(key == CookieKey::of(&digits) && key.0 != digits);
        // A guess that is nearly right is as far from it as any other.
        for place in 0..digits.len() {
            let mut guess = digits;
            guess[place] ^= 1;
            let same = key.0.iter().zip(CookieKey::of(&guess).0).filter(|(a, b)| **a == *b);
            assert!(same.count() < 12, "digit {place}");
        }
        assert_eq!(alloc::format!("{key:?}"), "CookieKey(..)");
    }
}
