//! Files on their way, to others and from them: who offered what, how far it is, how it ended.
//!
//! This module knows which file on the disk belongs to which transfer of the client. It has no
//! socket and no clock: it is given the client, the books and the time, it hears what the client
//! tells, and what it has to say is taken from it.
//!
//! | room | what it knows |
//! |---|---|
//! | `source` | a file that is read |
//! | `part` | a file that is written, until all of it is there |

#[cfg(test)]
mod disk_tests;
mod part;
mod source;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use msnp_proto::client::{
    ChatId, Client, Event as Told, TransferChange as Step, TransferEnd, TransferId,
};
use msnp_proto::error::Misuse;
use msnp_proto::time::Instant;
use msnp_proto::types::{Handle, List};

use crate::agent::{Means, Report};
use crate::entropy;
use crate::errand::Refusal;
use crate::events::{Event, Mark, Marked, Offer, Portion, Transfer, TransferResult};
use crate::exit::Exit;
use crate::files;
use crate::ledger::millis;
use crate::translate;
use part::Part;
pub(crate) use source::Source;

/// How often it is said of one file how far it is.
const EVERY: Duration = Duration::from_secs(1);

/// What is done about files that others offer.
#[derive(Debug, Default)]
pub(crate) enum Policy {
    /// Somebody says what.
    #[default]
    Ask,
    /// They are declined: nobody is there to say anything.
    Decline,
    /// Those of contacts are taken into a folder, the others are declined.
    Take {
        folder: PathBuf,
        /// Only from these, if there are any.
        from: Vec<Handle>,
    },
}

/// All files of one session that have not ended.
#[derive(Debug, Default)]
pub(crate) struct Transfers {
    policy: Policy,
    open: BTreeMap<TransferId, Entry>,
    reports: Vec<Report>,
}

/// One of them.
#[derive(Debug)]
struct Entry {
    peer: Handle,
    /// As it was offered.
    name: String,
    size: u64,
    /// Bytes that were sent, or have come.
    bytes: u64,
    begun: Instant,
    /// When it was told how far it is; `None` while there is no connection.
    told: Option<Instant>,
    mark: Mark,
    /// Somebody asked for it, and its end counts.
    is_asked_for: bool,
    side: Side,
    fate: Fate,
    /// Where it is, once all of it is there.
    kept: Option<String>,
}

#[derive(Debug)]
enum Side {
    /// We send it.
    Sent(Source),
    /// Offered to us, and not taken yet.
    Offered,
    /// We take it.
    Taken(Part),
}

/// What we have done to end it ourselves.
#[derive(Debug)]
enum Fate {
    /// Nothing.
    Open,
    /// An offer was declined, perhaps for a reason.
    Declined(Option<&'static str>),
    /// Somebody asked to stop it.
    Stopped,
    /// It could not be read or written here.
    Failed(String),
}

impl Transfers {
    pub(crate) fn new(policy: Policy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// Offers somebody a file.
    pub(crate) fn offer(
        &mut self,
        means: &mut Means<'_>,
        mark: &Mark,
        to: &Handle,
        source: Source,
    ) -> Result<(), Refusal> {
        let (name, size) = (source.name(), source.size());
        let random = entropy::number();
        let offered = means.client.offer_file(means.now, to, &name, size, random);
        let id = offered.map_err(Refusal::of_misuse)?;
        let entry = Entry {
            is_asked_for: true,
            mark: mark.clone(),
            ..Entry::new(means.now, to.clone(), name, size, Side::Sent(source))
        };
        self.open.insert(id, entry);
        Ok(())
    }

    /// Takes a file that was offered into a folder. If nothing can be written there, the offer
    /// stands.
    pub(crate) fn accept(
        &mut self,
        means: &mut Means<'_>,
        mark: &Mark,
        number: u32,
        folder: &Path,
    ) -> Result<(), Refusal> {
        let id = TransferId(number);
        let entry =
            self.open.get_mut(&id).ok_or_else(|| Refusal::of_misuse(Misuse::NoSuchTransfer))?;
        match entry.side {
            Side::Offered => {}
            Side::Taken(_) => return Err(Refusal::without_asking("it was accepted before")),
            Side::Sent(_) => return Err(Refusal::without_asking("it is a file that we send")),
        }
        let part = Part::create(folder, &entry.name).map_err(|error| {
            let why = files::reason(&error);
            Refusal::new(Exit::Io, format!("cannot write into {}: {why}", folder.display()))
        })?;
        let accepted = means.client.accept_file(means.now, id, entropy::number());
        accepted.map_err(Refusal::of_misuse)?;
        (entry.side, entry.mark, entry.is_asked_for) = (Side::Taken(part), mark.clone(), true);
        Ok(())
    }

    /// Declines a file that was offered, or stops one that is on its way.
    pub(crate) fn decline(
        &mut self,
        means: &mut Means<'_>,
        mark: &Mark,
        number: u32,
    ) -> Result<(), Refusal> {
        let id = TransferId(number);
        let entry =
            self.open.get_mut(&id).ok_or_else(|| Refusal::of_misuse(Misuse::NoSuchTransfer))?;
        let ended = match entry.side {
            Side::Offered => means.client.decline_file(means.now, id),
            Side::Sent(_) | Side::Taken(_) => means.client.cancel_file(means.now, id),
        };
        // What has ended meanwhile is told next.
        ended.or_else(pass_over_ended).map_err(Refusal::of_misuse)?;
        if matches!(entry.side, Side::Offered) {
            entry.fate = Fate::Declined(None);
        } else if matches!(entry.fate, Fate::Open) {
            entry.fate = Fate::Stopped;
        }
        if !entry.is_asked_for {
            (entry.mark, entry.is_asked_for) = (mark.clone(), true);
        }
        Ok(())
    }

    /// Takes what the client tells, and returns whether it was about a file.
    pub(crate) fn hear(&mut self, means: &mut Means<'_>, told: &Told) -> bool {
        match told {
            Told::FileOffered { transfer, chat, from, known, name, size, .. } => {
                let entry = Entry::new(means.now, from.clone(), name.clone(), *size, Side::Offered);
                self.offered(means, *transfer, *chat, *known, entry);
            }
            Told::Transfer { transfer, change } => self.changed(means, *transfer, change),
            _ => return false,
        }
        true
    }

    /// What there is to say, oldest first.
    pub(crate) fn take_reports(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.reports)
    }

    /// How many files that somebody asked for have not ended.
    pub(crate) fn pending(&self) -> usize {
        self.open.values().filter(|entry| entry.is_asked_for).count()
    }

    /// Whether a file of this name has not ended.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.open.values().any(|entry| entry.mark.id.as_deref() == Some(id))
    }

    /// Whether a file that somebody asked for is on its way to or from this person.
    pub(crate) fn is_open_with(&self, who: &Handle) -> bool {
        self.open.values().any(|entry| entry.is_asked_for && entry.peer == *who)
    }

    /// Takes back what was offered and not begun, since nobody is to wait for the answer.
    pub(crate) fn withdraw(&mut self, means: &mut Means<'_>) {
        for (id, entry) in &mut self.open {
            let is_offered = matches!(entry.side, Side::Sent(_)) && entry.told.is_none();
            if is_offered && matches!(entry.fate, Fate::Open) {
                // What has ended meanwhile is told next.
                let _ = means.client.cancel_file(means.now, *id);
                entry.fate = Fate::Stopped;
            }
        }
    }

    /// Ends everything, since we leave: offers are declined, what is on its way is stopped.
    pub(crate) fn abandon(&mut self, means: &mut Means<'_>, exit: Exit, why: &str) {
        for (id, entry) in std::mem::take(&mut self.open) {
            // What has ended meanwhile needs no word of ours.
            let _ = means.client.cancel_file(means.now, id);
            let has_all = entry.told.is_some() && entry.bytes == entry.size;
            let (result, exit) = match entry.side {
                Side::Offered => (TransferResult::Declined, exit),
                Side::Sent(_) if has_all => (TransferResult::Unconfirmed, Exit::Unknown),
                Side::Sent(_) | Side::Taken(_) => (TransferResult::Cancelled, exit),
            };
            let reason = Some(why.to_owned());
            self.tell_end(means, id, entry, End { result, exit, code: None, reason, path: None });
        }
    }

    fn offered(
        &mut self,
        means: &mut Means<'_>,
        id: TransferId,
        chat: ChatId,
        known: bool,
        entry: Entry,
    ) {
        let offer = Offer {
            transfer: id.0,
            from: entry.peer.to_string(),
            name: entry.name.clone(),
            bytes: entry.size,
            known,
            chat: chat.0,
        };
        self.say(Mark::NONE, Event::Offer(offer));
        let refused = match &self.policy {
            Policy::Ask => None,
            Policy::Decline => Some("nobody is here to take files"),
            Policy::Take { from, .. } => refusal(means.client, from, &entry.peer),
        };
        self.open.insert(id, entry);
        if let Some(why) = refused {
            self.turn_down(means, id, Fate::Declined(Some(why)));
        } else if let Policy::Take { folder, .. } = &self.policy {
            let folder = folder.clone();
            match self.accept(means, &Mark::NONE, id.0, &folder) {
                // Nobody waits for it in particular.
                Ok(()) => drop(self.open.get_mut(&id).map(|entry| entry.is_asked_for = false)),
                Err(refusal) => self.turn_down(means, id, Fate::Failed(refusal.reason)),
            }
        }
    }

    fn turn_down(&mut self, means: &mut Means<'_>, id: TransferId, fate: Fate) {
        // What has ended meanwhile is told next.
        let _ = means.client.decline_file(means.now, id);
        if let Some(entry) = self.open.get_mut(&id) {
            entry.fate = fate;
        }
    }

    fn changed(&mut self, means: &mut Means<'_>, id: TransferId, change: &Step) {
        match change {
            Step::Started => self.progress(means.now, id, 0),
            Step::Wanted { room } => self.supply(means, id, *room),
            Step::Sent { bytes } => self.progress(means.now, id, *bytes),
            Step::Data(bytes) => self.write(means, id, bytes),
            Step::Arrived => self.keep(means, id),
            Step::Ended(end) => {
                if let Some(entry) = self.open.remove(&id) {
                    self.ended(means, id, entry, *end);
                }
            }
            _ => {}
        }
    }

    /// Gives the client the next bytes of a file.
    fn supply(&mut self, means: &mut Means<'_>, id: TransferId, room: usize) {
        let Some(entry) = self.open.get_mut(&id) else { return };
        let Side::Sent(source) = &mut entry.side else { return };
        let trouble = match source.next(room) {
            Ok([]) => return,
            Ok(bytes) => match means.client.supply_file(means.now, id, bytes) {
                Ok(taken) => return source.advance(taken),
                // It has ended meanwhile, which is told next.
                Err(_) => return,
            },
            Err(error) => error,
        };
        let why = format!("cannot read {}: {}", source.path().display(), files::reason(&trouble));
        self.fail(means, id, why);
    }

    /// All bytes have come: the file gets its name, and only then the other side hears that it is
    /// there.
    fn keep(&mut self, means: &mut Means<'_>, id: TransferId) {
        let Some(entry) = self.open.get_mut(&id) else { return };
        let (Side::Taken(part), Fate::Open | Fate::Stopped) = (&mut entry.side, &entry.fate) else {
            return;
        };
        match part.keep() {
            Ok(at) => {
                entry.kept = Some(at.display().to_string());
                // What has ended meanwhile is told next.
                let _ = means.client.finish_file(means.now, id);
            }
            Err(error) => {
                let (at, why) = (part.path().display(), files::reason(&error));
                let why = format!("cannot give {at} its name: {why}");
                self.fail(means, id, why);
            }
        }
    }

    /// Writes bytes that came.
    fn write(&mut self, means: &mut Means<'_>, id: TransferId, bytes: &[u8]) {
        let Some(entry) = self.open.get_mut(&id) else { return };
        let (Side::Taken(part), Fate::Open | Fate::Stopped) = (&mut entry.side, &entry.fate) else {
            return;
        };
        if let Err(error) = part.write(bytes) {
            let why = format!("cannot write {}: {}", part.path().display(), files::reason(&error));
            return self.fail(means, id, why);
        }
        let bytes = entry.bytes.saturating_add(bytes.len() as u64);
        self.progress(means.now, id, bytes);
    }

    /// It cannot go on, for a reason on this machine.
    fn fail(&mut self, means: &mut Means<'_>, id: TransferId, why: String) {
        let Some(entry) = self.open.get_mut(&id) else { return };
        entry.fate = Fate::Failed(why);
        // What has ended meanwhile is told next.
        let _ = means.client.fail_file(means.now, id);
    }

    fn progress(&mut self, now: Instant, id: TransferId, bytes: u64) {
        let Some(entry) = self.open.get_mut(&id) else { return };
        entry.bytes = bytes;
        if entry.told.is_some_and(|told| now - told < EVERY) {
            return;
        }
        entry.told = Some(now);
        let (to, from) = entry.to_and_from();
        let portion = Portion { transfer: id.0, to, from, bytes, of: entry.size };
        let mark = entry.mark.clone();
        self.say(mark, Event::Progress(portion));
    }

    fn ended(&mut self, means: &mut Means<'_>, id: TransferId, entry: Entry, end: TransferEnd) {
        let path = entry.kept.clone().filter(|_| end == TransferEnd::Complete);
        let told = |result, exit| End {
            result,
            exit,
            code: code(end),
            reason: (end != TransferEnd::Complete).then(|| end.to_string()),
            path: None,
        };
        let end = match (&entry.fate, end) {
            (Fate::Failed(why), _) => {
                End { reason: Some(why.clone()), ..told(TransferResult::Broken, Exit::Io) }
            }
            (Fate::Declined(why), TransferEnd::CancelledHere) => {
                let reason = why.map(str::to_owned);
                End { reason, ..told(TransferResult::Declined, Exit::Done) }
            }
            (Fate::Stopped, TransferEnd::CancelledHere) => {
                End { reason: None, ..told(TransferResult::Cancelled, Exit::Done) }
            }
            (_, end) => End { path, ..told(TransferResult::of(end), Exit::of_transfer(end)) },
        };
        self.tell_end(means, id, entry, end);
    }

    fn tell_end(&mut self, means: &mut Means<'_>, id: TransferId, entry: Entry, end: End) {
        let (to, from) = entry.to_and_from();
        let mut error = None;
        if entry.is_asked_for {
            means.ledger.count(end.exit);
            means.ledger.line_ended(entry.mark.line, end.exit);
            if end.exit != Exit::Done {
                let what = if to.is_some() { "send" } else { "take" };
                let way = if to.is_some() { "to" } else { "from" };
                let why = end.reason.as_deref().unwrap_or_default();
                error =
                    Some(format!("cannot {what} \"{}\" {way} {}: {why}", entry.name, entry.peer));
            }
        }
        let event = Event::Transfer(Box::new(Transfer {
            transfer: id.0,
            to,
            from,
            name: entry.name,
            bytes: entry.bytes,
            of: entry.size,
            result: end.result,
            code: end.code,
            reason: end.reason,
            path: end.path,
            ms: millis(means.now, entry.begun),
        }));
        self.reports.push(Report { marked: Marked { mark: entry.mark, event }, error });
    }

    fn say(&mut self, mark: Mark, event: Event) {
        self.reports.push(Report { marked: Marked { mark, event }, error: None });
    }
}

/// What is said of the end of a file.
struct End {
    result: TransferResult,
    exit: Exit,
    code: Option<u16>,
    reason: Option<String>,
    path: Option<String>,
}

impl Entry {
    fn new(now: Instant, peer: Handle, name: String, size: u64, side: Side) -> Self {
        Self {
            peer,
            name,
            size,
            bytes: 0,
            begun: now,
            told: None,
            mark: Mark::NONE,
            is_asked_for: false,
            side,
            fate: Fate::Open,
            kept: None,
        }
    }

    fn to_and_from(&self) -> (Option<String>, Option<String>) {
        let peer = Some(self.peer.to_string());
        if matches!(self.side, Side::Sent(_)) { (peer, None) } else { (None, peer) }
    }
}

impl TransferResult {
    fn of(end: TransferEnd) -> Self {
        match end {
            TransferEnd::Complete => Self::Complete,
            TransferEnd::Unconfirmed => Self::Unconfirmed,
            TransferEnd::Declined => Self::Declined,
            TransferEnd::NotInstalled => Self::NotInstalled,
            TransferEnd::CancelledHere => Self::Cancelled,
            TransferEnd::CancelledThere => Self::CancelledThere,
            TransferEnd::TimedOut => Self::TimedOut,
            TransferEnd::Unreachable(_) => Self::Unreachable,
            TransferEnd::NoConnection => Self::NoConnection,
            _ => Self::Broken,
        }
    }
}

/// The server's number in an end.
fn code(end: TransferEnd) -> Option<u16> {
    match end {
        TransferEnd::Unreachable(why) => translate::code(why).map(|code| code.number()),
        _ => None,
    }
}

/// Why a file of theirs is not taken without asking.
fn refusal(client: &Client, wanted: &[Handle], who: &Handle) -> Option<&'static str> {
    let contact = client.roster().contact(who);
    if !contact.is_some_and(|contact| contact.lists().has(List::Forward)) {
        return Some("not on the contact list");
    }
    (!wanted.is_empty() && !wanted.contains(who)).then_some("not one of those named in --from")
}

fn pass_over_ended(misuse: Misuse) -> Result<(), Misuse> {
    if misuse == Misuse::NoSuchTransfer { Ok(()) } else { Err(misuse) }
}
