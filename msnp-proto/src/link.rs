//! What every line machine of a client shares: an outbox with a counter of transaction ids, a
//! queue of events, and a fuse for peers that speak something else.
//!
//! This module knows the order of bytes and of events. It knows no command.

use alloc::collections::VecDeque;

use crate::client::Warning;
use crate::error::{Lost, Violation};
use crate::types::TrId;
use crate::wire::{Frame, Outbox};

/// Lines in a row that are no known command, after which the peer is taken to speak something
/// else.
const FUSE: u8 = 8;

/// Bytes of an unknown line that are reported.
const SHOWN: usize = 512;

#[derive(Debug)]
pub(crate) struct Link<E> {
    pub(crate) outbox: Outbox,
    events: VecDeque<E>,
    last: TrId,
    unknown: u8,
    finished: bool,
}

impl<E> Link<E> {
    pub(crate) const fn new() -> Self {
        Self {
            outbox: Outbox::new(),
            events: VecDeque::new(),
            last: TrId::NONE,
            unknown: 0,
            finished: false,
        }
    }

    /// The id of the next request.
    pub(crate) fn next_trid(&mut self) -> TrId {
        self.last = self.last.next();
        self.last
    }

    pub(crate) fn tell(&mut self, event: E) {
        self.events.push_back(event);
    }

    pub(crate) fn poll_event(&mut self) -> Option<E> {
        let event = self.events.pop_front();
        if self.events.is_empty() && self.events.capacity() > 64 {
            self.events = VecDeque::new();
        }
        event
    }

    /// A known command came: the peer speaks our language.
    pub(crate) fn reset_fuse(&mut self) {
        self.unknown = 0;
    }

    /// An unknown line came.
    pub(crate) fn unknown(&mut self, frame: Frame<'_>, signed_in: bool) -> Result<Warning, Lost> {
        self.unknown = self.unknown.saturating_add(1);
        if !signed_in || self.unknown >= FUSE {
            return Err(Lost::Violation(Violation::NotMsnp));
        }
        let line = frame.line();
        Ok(Warning::Unknown { line: line.get(..SHOWN).unwrap_or(line).to_vec() })
    }

    /// Nothing more will be said or heard; what is pending may still be written.
    pub(crate) fn finish(&mut self) {
        self.finished = true;
    }

    pub(crate) const fn is_finished(&self) -> bool {
        self.finished
    }
}
