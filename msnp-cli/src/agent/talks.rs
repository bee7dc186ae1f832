//! Which chat is with whom.

use std::collections::BTreeMap;

use msnp_proto::client::{ChatId, Client};
use msnp_proto::types::Handle;

use crate::script::Whom;

/// Chats that are remembered with whom they are. The client remembers fewer.
pub(super) const CHATS: usize = 1024;

/// Which chat is with whom alone. One that a third person came into is with nobody alone any more,
/// so that what is meant for one is never said to several.
#[derive(Debug, Default)]
pub(super) struct Talks {
    by_person: BTreeMap<Handle, ChatId>,
    by_chat: BTreeMap<ChatId, Handle>,
}

impl Talks {
    pub(super) fn with(&self, who: &Handle) -> Option<ChatId> {
        self.by_person.get(who).copied()
    }

    pub(super) fn whose(&self, chat: ChatId) -> Option<&Handle> {
        self.by_chat.get(&chat)
    }

    /// Whom a text is for: an account, or several; empty if nobody is known to be in that chat.
    pub(super) fn name(&self, client: &Client, whom: &Whom) -> String {
        match whom {
            Whom::Person(who) => who.to_string(),
            Whom::Chat(number) => {
                let chat = ChatId(*number);
                let members: Vec<String> =
                    client.members(chat).map(|(who, _)| who.to_string()).collect();
                match (members.as_slice(), self.whose(chat)) {
                    ([], Some(who)) => who.to_string(),
                    ([], None) => String::new(),
                    (members, _) => members.join(", "),
                }
            }
        }
    }

    /// From now on this is the chat with them.
    pub(super) fn opened(&mut self, chat: ChatId, who: &Handle) {
        if self.by_chat.len() >= CHATS {
            if let Some((oldest, _)) = self.by_chat.first_key_value() {
                self.forget(*oldest);
            }
        }
        self.by_person.insert(who.clone(), chat);
        self.by_chat.insert(chat, who.clone());
    }

    pub(super) fn joined(&mut self, chat: ChatId, who: &Handle) {
        if self.by_chat.get(&chat).is_some_and(|known| known != who) {
            self.forget(chat);
        }
    }

    pub(super) fn forget(&mut self, chat: ChatId) {
        if let Some(who) = self.by_chat.remove(&chat) {
            if self.by_person.get(&who) == Some(&chat) {
                self.by_person.remove(&who);
            }
        }
    }
}
