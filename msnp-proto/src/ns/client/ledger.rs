//! Open requests: which question an answer belongs to.

use alloc::collections::VecDeque;

use crate::client::RequestId;
use crate::time::Instant;
use crate::types::{List, TrId};
use crate::wire::Verb;

/// What a request is about, as far as its answer needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// SYN.
    Sync,
    /// The CHG of sign-in.
    FirstStatus,
    /// Another CHG.
    Status,
    /// CVR.
    Report,
    /// XFR SB, with the caller's tag.
    Switchboard(u32),
    /// QRY.
    Challenge,
    /// CHL, which is answered by a challenge.
    Probe,
    /// LST.
    List(List),
    /// LSG.
    Groups,
    /// URL.
    Url,
    /// FND.
    Find,
    /// PAG, which has no answer when all is well.
    Page,
    /// A change of lists, groups, names or settings.
    Change,
}

impl Kind {
    pub(super) const fn is_status(&self) -> bool {
        matches!(self, Self::FirstStatus | Self::Status)
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) trid: TrId,
    pub(super) verb: Verb,
    pub(super) kind: Kind,
    pub(super) request: Option<RequestId>,
    deadline: Instant,
}

/// Requests without an answer, in the order in which they were made. All wait equally long, so
/// the first is the first to run out.
#[derive(Debug)]
pub(super) struct Ledger {
    open: VecDeque<Open>,
}

impl Ledger {
    pub(super) const fn new() -> Self {
        Self { open: VecDeque::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn open(
        &mut self,
        trid: TrId,
        verb: Verb,
        kind: Kind,
        request: Option<RequestId>,
        deadline: Instant,
    ) {
        self.open.push_back(Open { trid, verb, kind, request, deadline });
    }

    /// What an open request is about, and whose it is.
    pub(super) fn peek(&self, trid: TrId) -> Option<(Kind, Option<RequestId>)> {
        let open = self.open.iter().find(|open| open.trid == trid)?;
        Some((open.kind, open.request))
    }

    /// Closes the request of this id if it is of that kind.
    pub(super) fn take(
        &mut self,
        trid: TrId,
        is: impl Fn(&Kind) -> bool,
    ) -> Option<(Kind, Option<RequestId>)> {
        let place = self.open.iter().position(|open| open.trid == trid && is(&open.kind))?;
        self.open.remove(place).map(|open| (open.kind, open.request))
    }

    /// Closes the request of this id, whatever it is.
    pub(super) fn take_any(&mut self, trid: TrId) -> Option<Open> {
        let place = self.open.iter().position(|open| open.trid == trid)?;
        self.open.remove(place)
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.open.front().map(|open| open.deadline)
    }

    pub(super) fn pop_expired(&mut self, now: Instant) -> Option<Open> {
        self.open.front().filter(|open| open.deadline <= now)?;
        self.open.pop_front()
    }

    pub(super) fn pop(&mut self) -> Option<Open> {
        self.open.pop_front()
    }
}
