//! What a client's events must be, one behind the other.

use std::collections::{BTreeMap, BTreeSet};

use msnp_proto::client::{ChatId, Event, MessageId, RequestId, TransferChange, TransferId};

/// What was begun and has to end, and where the session stands.
#[derive(Default)]
pub(super) struct Ledger {
    /// How many events have been looked at.
    noted: usize,
    online: bool,
    messages: BTreeMap<MessageId, Fate>,
    requests: BTreeMap<RequestId, usize>,
    chats: BTreeSet<ChatId>,
    /// How often each file has ended.
    files: BTreeMap<TransferId, usize>,
}

#[derive(Default)]
struct Fate {
    given: bool,
    sent: bool,
    ends: usize,
}

impl Ledger {
    /// A sign-in began.
    pub(super) fn begin(&mut self) {
        self.online = true;
    }

    /// A message was given to the client. Its end may have been reported already.
    pub(super) fn message(&mut self, message: MessageId) {
        let fate = self.messages.entry(message).or_default();
        assert!(!std::mem::replace(&mut fate.given, true), "{message:?} is given out again");
    }

    pub(super) fn request(&mut self, request: RequestId) {
        self.requests.entry(request).or_default();
    }

    /// A file was offered by us. Its end may have been reported already.
    pub(super) fn file(&mut self, transfer: TransferId) {
        self.files.entry(transfer).or_default();
    }

    /// A chat was left: nothing more is heard of it.
    pub(super) fn left(&mut self, chat: ChatId) {
        self.chats.remove(&chat);
    }

    /// Looks at what is new.
    pub(super) fn note(&mut self, events: &[Event]) {
        for event in &events[self.noted..] {
            // A file that is on its way outlives the session.
            let outlives = matches!(event, Event::Transfer { .. });
            assert!(self.online || outlives, "after the end: {event:?}");
            self.look(event);
        }
        self.noted = events.len();
    }

    fn look(&mut self, event: &Event) {
        match event {
            Event::ChatOpened { chat, .. } => {
                self.chats.insert(*chat);
            }
            Event::Joined { chat, .. }
            | Event::Left { chat, .. }
            | Event::NotReached { chat, .. }
            | Event::ChatClosed { chat, .. }
            | Event::Message { chat, .. }
            | Event::Typing { chat, .. } => {
                assert!(self.chats.contains(chat), "no such chat: {event:?}");
            }
            Event::Sent { message } => {
                let fate = self.messages.entry(*message).or_default();
                assert!(!std::mem::replace(&mut fate.sent, true), "{message:?} is sent twice");
            }
            Event::Delivery { message, .. } => {
                let fate = self.messages.entry(*message).or_default();
                fate.ends += 1;
                assert_eq!(fate.ends, 1, "{message:?} ends again: {event:?}");
            }
            Event::Done { request } | Event::Refused { request, .. } => {
                let ends = self.requests.entry(*request).or_default();
                *ends += 1;
                assert_eq!(*ends, 1, "{request:?} ends again: {event:?}");
            }
            Event::FileOffered { transfer, .. } => {
                assert_eq!(self.files.insert(*transfer, 0), None, "{event:?} again");
            }
            Event::Transfer { transfer, change } => {
                let ends = self.files.entry(*transfer).or_default();
                assert_eq!(*ends, 0, "after the end of the file: {event:?}");
                *ends += usize::from(matches!(change, TransferChange::Ended(_)));
            }
            Event::Lost { .. } => {
                self.online = false;
                let open = self.messages.iter().find(|(_, fate)| fate.given && fate.ends == 0);
                assert!(open.is_none(), "{:?} is open at the end", open.map(|(id, _)| id));
                let open = self.requests.iter().find(|(_, ends)| **ends == 0);
                assert!(open.is_none(), "{open:?} is open at the end");
            }
            _ => {}
        }
    }

    /// Everything that was begun has ended, and nothing else has.
    pub(super) fn end(&self) {
        assert!(!self.online, "the session has not ended");
        for (message, fate) in &self.messages {
            assert!(fate.given && fate.ends == 1, "{message:?}: {} ends", fate.ends);
        }
        assert!(self.requests.values().all(|ends| *ends == 1), "{:?}", self.requests);
        assert!(self.files.values().all(|ends| *ends == 1), "{:?}", self.files);
    }
}
