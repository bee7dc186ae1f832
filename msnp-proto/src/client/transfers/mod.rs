//! Files between people: what the application may do, and the table of what is going on.
//!
//! | room | what it knows |
//! |---|---|
//! | `words` | what is said about a file in a switchboard, by us and by them |
//! | `meeting` | who listens, who dials, and which connection carries the file |
//! | `peer` | the two ends of a transfer as one kind of machine |
//! | `event` | what is reported |
//!
//! An offer belongs to a person and a cookie, not to a switchboard: the answer may come through
//! another one. What is said goes through a chat with that person alone, so that no address reaches
//! anybody else.

mod event;
mod meeting;
mod peer;
mod words;

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::Ipv4Addr;

pub use event::{Files, TransferChange, TransferEnd, TransferId};
use meeting::Listening;
pub(super) use peer::Peer;
use words::Words;

use super::conns::Role;
use super::{Client, Event, Failure};
use crate::error::{Expected, Lost, Misuse};
use crate::ftp::{AuthCookie, End};
use crate::machine::{ConnId, Output};
use crate::time::{Duration, Instant};
use crate::types::Handle;

/// All files of a client.
#[derive(Debug, Default)]
pub(super) struct Transfers {
    all: BTreeMap<TransferId, Transfer>,
    last: u32,
    last_listener: u32,
    words: Words,
    /// Bytes of files that are reported and not yet taken by the driver.
    unread: usize,
}

/// One file.
#[derive(Debug)]
struct Transfer {
    peer: Handle,
    /// The inviter's name for the offer, as it was sent.
    cookie: String,
    outgoing: bool,
    size: u64,
    /// They can be connected to.
    reachable: bool,
    state: State,
    /// When the state must have come to its end.
    deadline: Option<Instant>,
    /// When the other side is given up, since it is offline.
    offline: Option<Instant>,
    /// What the one who connects must know, if we listen.
    auth: u32,
    /// What they must be told when we connect.
    theirs: Option<AuthCookie>,
    listening: Option<Listening>,
    conns: Vec<ConnId>,
    /// Who connected and did not know the cookie.
    strangers: u8,
    /// The application was asked for bytes.
    asked: bool,
    /// What offers it, while it is queued.
    invite: Vec<u8>,
    /// All bytes have come, and the application has not said whether they are safe.
    arrived: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It is to be offered when fewer are going on with that person.
    Queued,
    /// We offered it.
    Offered,
    /// They offered it, and the application has not said what it wants.
    Asked,
    /// They were told that we take it, and shall say where to connect.
    AwaitAddress,
    /// A connection is being looked for: we listen, dial, or both.
    Meeting,
    /// This connection carries it.
    Moving(ConnId),
}

impl Transfers {
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.all.values().flat_map(|one| [one.deadline, one.offline]).flatten().min()
    }

    /// Whether so much of files waits for the driver that no more is wanted.
    pub(super) const fn is_full(&self) -> bool {
        self.unread > UNREAD
    }

    /// The driver takes an output.
    pub(super) fn taken(&mut self, output: &Output<Event>) {
        if let Output::Event(Event::Transfer { change: TransferChange::Data(bytes), .. }) = output {
            self.unread = self.unread.saturating_sub(bytes.len());
        }
    }

    fn find(&self, peer: &Handle, cookie: &str, outgoing: bool) -> Option<TransferId> {
        let mut all = self.all.iter();
        let fits = |one: &Transfer| {
            one.outgoing == outgoing && one.peer == *peer && same_cookie(&one.cookie, cookie)
        };
        all.find(|(_, one)| fits(one)).map(|(id, _)| *id)
    }

    fn insert(&mut self, transfer: Transfer) -> TransferId {
        self.last = self.last.wrapping_add(1);
        let id = TransferId(self.last);
        self.all.insert(id, transfer);
        id
    }
}

/// Files that we exchange with one person at a time by our own offers, as the official client. More of
/// them wait.
const AT_ONCE: usize = 10;

/// Files that may wait for that.
const QUEUED: usize = 4096;

/// When an offer for which there was no room is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Bytes of files that may wait for the driver.
const UNREAD: usize = 256 * 1024;

/// Cookies are numbers to those who made them; what is no number is compared as it stands.
fn same_cookie(one: &str, other: &str) -> bool {
    match (one.parse::<u32>(), other.parse::<u32>()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

/// A number from 1 to 2,147,483,647: some clients take 0 for none, and some read signed numbers.
fn drawn(random: u32) -> u32 {
    (random % 0x7fff_ffff).saturating_add(1)
}

impl Client {
    /// Says where we are, once that is known: other values of [`Files::address`] and
    /// [`Files::internal`] from here on. Without [`Config::files`](super::Config::files) nothing
    /// happens.
    pub fn set_address(&mut self, address: Option<Ipv4Addr>, internal: Option<Ipv4Addr>) {
        if let Some(files) = &mut self.config.files {
            (files.address, files.internal) = (address, internal);
        }
    }

    /// Offers somebody a file; ten go at a time, and others wait for them. The application keeps the
    /// file, and is asked for its bytes when the other side wants them
    /// ([`TransferChange::Wanted`]). What comes of it is reported in [`Event::Transfer`], with one
    /// [`TransferChange::Ended`]. `random` is eight bytes from a source that nobody can guess.
    ///
    /// # Errors
    ///
    /// [`Misuse::NotOnline`], [`Misuse::NoFiles`] if [`Config::files`](super::Config::files) is not
    /// set, [`Misuse::Invalid`] for a name that cannot be said or one's own account,
    /// [`Misuse::Backlog`].
    pub fn offer_file(
        &mut self,
        now: Instant,
        to: &Handle,
        name: &str,
        size: u64,
        random: u64,
    ) -> Result<TransferId, Misuse> {
        let files = self.config.files.as_ref().ok_or(Misuse::NoFiles)?;
        let reachable = files.address.is_some();
        let queued = self.transfers.all.values().filter(|one| one.state == State::Queued);
        if queued.count() >= QUEUED {
            return Err(Misuse::Backlog);
        }
        if !self.is_online() {
            return Err(Misuse::NotOnline);
        }
        if self.account() == Some(to) {
            return Err(Misuse::Invalid(Expected::Account));
        }
        let (low, high) = halves(random);
        let mut cookie = drawn(low);
        let taken = |cookie: u32| {
            let text = cookie.to_string();
            [false, true].iter().any(|way| self.transfers.find(to, &text, *way).is_some())
        };
        while taken(cookie) {
            cookie = drawn(cookie);
        }
        let cookie = cookie.to_string();
        let mut payload = Vec::new();
        crate::body::invite::write_file_invite(&mut payload, &cookie, name, size, reachable)
            .map_err(|_| Misuse::Invalid(Expected::Name))?;
        let transfer = Transfer {
            outgoing: true,
            state: State::Queued,
            deadline: None,
            invite: payload,
            ..Transfer::new(to.clone(), cookie, size, now, high)
        };
        let id = self.transfers.insert(transfer);
        self.begin_queued(now, to);
        Ok(id)
    }

    /// Offers somebody files that wait for others to end.
    fn begin_queued(&mut self, now: Instant, to: &Handle) {
        loop {
            let mut theirs =
                self.transfers.all.iter_mut().filter(|(_, one)| one.outgoing && one.peer == *to);
            let (mut open, mut next) = (0_usize, None);
            for (id, one) in &mut theirs {
                match one.state {
                    State::Queued if next.is_none() => next = Some((*id, one)),
                    State::Queued => {}
                    _ => open = open.saturating_add(1),
                }
            }
            let Some((id, one)) = next.filter(|_| open < AT_ONCE) else { return };
            let payload = core::mem::take(&mut one.invite);
            let wait = self.config.files.as_ref().map(|files| files.offer).unwrap_or_default();
            (one.state, one.deadline) = (State::Offered, Some(now + wait));
            match self.say_about(now, to, &payload, Some(id)) {
                Ok(()) => {}
                Err(Misuse::Backlog) => {
                    if let Some(one) = self.transfers.all.get_mut(&id) {
                        (one.state, one.deadline) = (State::Queued, Some(now + AGAIN));
                        one.invite = payload;
                    }
                    return;
                }
                Err(_) => {
                    let end = TransferEnd::Unreachable(Failure::Lost(Lost::SignedOut));
                    self.drop_transfer(now, id, end, None);
                }
            }
        }
    }

    /// Takes a file that was offered; its bytes come in [`TransferChange::Data`]. `random` as in
    /// [`Client::offer_file`].
    ///
    /// # Errors
    ///
    /// [`Misuse::NoSuchTransfer`], [`Misuse::Already`] if it was taken before,
    /// [`Misuse::NotOnline`], [`Misuse::Backlog`].
    pub fn accept_file(
        &mut self,
        now: Instant,
        transfer: TransferId,
        random: u64,
    ) -> Result<(), Misuse> {
        let one = self.transfers.all.get_mut(&transfer).ok_or(Misuse::NoSuchTransfer)?;
        if one.state != State::Asked {
            return Err(if one.outgoing { Misuse::NoSuchTransfer } else { Misuse::Already });
        }
        one.auth = drawn(halves(random).1);
        self.answer_offer(now, transfer)
    }

    /// Refuses a file that was offered. [`TransferEnd::CancelledHere`] follows.
    ///
    /// # Errors
    ///
    /// [`Misuse::NoSuchTransfer`] if it is not one that waits for an answer.
    pub fn decline_file(&mut self, now: Instant, transfer: TransferId) -> Result<(), Misuse> {
        match self.transfers.all.get(&transfer) {
            Some(one) if one.state == State::Asked => {
                self.end_transfer(now, transfer, TransferEnd::CancelledHere, Some("REJECT"));
                Ok(())
            }
            _ => Err(Misuse::NoSuchTransfer),
        }
    }

    /// Gives a file up, in whatever state it is. [`TransferEnd::CancelledHere`] follows, unless it
    /// comes to another end first.
    ///
    /// # Errors
    ///
    /// [`Misuse::NoSuchTransfer`].
    pub fn cancel_file(&mut self, now: Instant, transfer: TransferId) -> Result<(), Misuse> {
        let one = self.transfers.all.get(&transfer).ok_or(Misuse::NoSuchTransfer)?;
        let code = match (one.state, one.outgoing) {
            (State::Moving(conn), _) if one.arrived => {
                self.close_arrived(now, transfer, conn, TransferEnd::CancelledHere);
                return Ok(());
            }
            (State::Moving(conn), _) => {
                if let Some(peer) = self.peer_mut(conn) {
                    peer.cancel(now);
                }
                self.pump(now, conn);
                return Ok(());
            }
            (State::Queued, _) => None,
            (State::Asked, _) => Some("REJECT"),
            (State::Offered, _) | (State::Meeting, true) => Some("TIMEOUT"),
            (State::AwaitAddress | State::Meeting, _) => Some("FTTIMEOUT"),
        };
        self.end_transfer(now, transfer, TransferEnd::CancelledHere, code);
        Ok(())
    }

    /// Gives the next bytes of a file that we send; returns how many of them were taken.
    ///
    /// # Errors
    ///
    /// [`Misuse::NoSuchTransfer`] if no bytes are wanted for it.
    pub fn supply_file(
        &mut self,
        now: Instant,
        transfer: TransferId,
        bytes: &[u8],
    ) -> Result<usize, Misuse> {
        let one = self.transfers.all.get_mut(&transfer).ok_or(Misuse::NoSuchTransfer)?;
        let State::Moving(conn) = one.state else { return Err(Misuse::NoSuchTransfer) };
        one.asked = false;
        let Some(Peer::Sender(sender)) = self.peer_mut(conn) else {
            return Err(Misuse::NoSuchTransfer);
        };
        let taken = sender.supply(now, bytes);
        self.want_more(transfer, conn);
        self.pump(now, conn);
        Ok(taken)
    }

    /// The file that we take is where it shall stay: the other side is told, and the transfer is
    /// [`TransferEnd::Complete`].
    ///
    /// # Errors
    ///
    /// [`Misuse::NoSuchTransfer`] before [`TransferChange::Arrived`].
    pub fn finish_file(&mut self, now: Instant, transfer: TransferId) -> Result<(), Misuse> {
        match self.transfers.all.get(&transfer) {
            Some(Transfer { state: State::Moving(conn), arrived: true, .. }) => {
                let conn = *conn;
                self.close_arrived(now, transfer, conn, TransferEnd::Complete);
                Ok(())
            }
            _ => Err(Misuse::NoSuchTransfer),
        }
    }

    /// A file cannot be read or written here: the other side is told, and the transfer ends.
    ///
    /// # Errors
    ///
    /// [`Misuse::NoSuchTransfer`].
    pub fn fail_file(&mut self, now: Instant, transfer: TransferId) -> Result<(), Misuse> {
        let one = self.transfers.all.get(&transfer).ok_or(Misuse::NoSuchTransfer)?;
        let State::Moving(conn) = one.state else { return self.cancel_file(now, transfer) };
        if one.arrived {
            let end = TransferEnd::Broken(End::CouldNotWriteHere);
            self.close_arrived(now, transfer, conn, end);
            return Ok(());
        }
        match self.peer_mut(conn) {
            Some(Peer::Receiver(receiver)) => receiver.fail_to_write(now),
            Some(Peer::Sender(sender)) => sender.cancel(now),
            None => {}
        }
        self.pump(now, conn);
        Ok(())
    }

    fn peer_mut(&mut self, conn: ConnId) -> Option<&mut Peer> {
        match &mut self.conns.get_mut(conn)?.role {
            Role::Peer(_, peer) => Some(peer),
            _ => None,
        }
    }

    fn peer(&self, conn: ConnId) -> Option<&Peer> {
        match &self.conns.get(conn)?.role {
            Role::Peer(_, peer) => Some(peer),
            _ => None,
        }
    }

    /// Ends a transfer; another one may begin in its place.
    fn end_transfer(&mut self, now: Instant, id: TransferId, end: TransferEnd, code: Option<&str>) {
        let peer = self.transfers.all.get(&id).map(|one| one.peer.clone());
        self.drop_transfer(now, id, end, code);
        if let Some(peer) = peer {
            self.begin_queued(now, &peer);
        }
    }

    /// Ends a transfer: its sockets are closed, the other side is told `code`, the application
    /// `end`.
    fn drop_transfer(
        &mut self,
        now: Instant,
        id: TransferId,
        end: TransferEnd,
        code: Option<&str>,
    ) {
        let Some(one) = self.transfers.all.remove(&id) else { return };
        if let Some(listening) = one.listening {
            self.outputs.push_back(Output::Unlisten { listener: listening.id });
        }
        for conn in one.conns {
            if one.state != State::Moving(conn) {
                self.cancel(conn);
            }
        }
        if let Some(code) = code {
            self.say_cancel(now, &one.peer, &one.cookie, code);
        }
        self.tell(Event::Transfer { transfer: id, change: TransferChange::Ended(end) });
    }

    fn tell_transfer(&mut self, transfer: TransferId, change: TransferChange) {
        if let TransferChange::Data(bytes) = &change {
            self.transfers.unread = self.transfers.unread.saturating_add(bytes.len());
        }
        self.tell(Event::Transfer { transfer, change });
    }
}

fn halves(random: u64) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = random.to_be_bytes();
    (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]))
}

impl Transfer {
    /// An offer to us, until something else is said.
    fn new(peer: Handle, cookie: String, size: u64, deadline: Instant, random: u32) -> Self {
        Self {
            peer,
            cookie,
            outgoing: false,
            size,
            reachable: true,
            state: State::Asked,
            deadline: Some(deadline),
            offline: None,
            auth: drawn(random),
            theirs: None,
            listening: None,
            conns: Vec::new(),
            strangers: 0,
            asked: false,
            invite: Vec::new(),
            arrived: false,
        }
    }

    fn auth_cookie(&self) -> AuthCookie {
        AuthCookie::new(self.auth)
    }
}
