//! People who are called into chats, and what is shown to those who are there.

use msnp_proto::client::{ChatId, Client, Failure as Why};
use msnp_proto::error::{Lost, Misuse};
use msnp_proto::types::Handle;

use super::{Agent, Means};
use crate::errand::{Asked, Refusal};
use crate::events::{Change, Chat, Event, Mark};
use crate::script::{Action, Whom};

/// Somebody who is to come into a chat.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) mark: Mark,
    pub(super) chat: ChatId,
    who: Handle,
    /// They are to see that we are typing.
    pub(super) typing: bool,
}

impl Agent {
    pub(super) fn show_typing(
        &mut self,
        means: &mut Means<'_>,
        mark: &Mark,
        whom: &Whom,
    ) -> Result<(), Refusal> {
        let shown = |means: &mut Means<'_>, chat| means.client.send_typing(means.now, chat);
        match whom {
            Whom::Chat(number) => {
                let chat = ChatId(*number);
                shown(means, chat).map_err(|misuse| match misuse {
                    Misuse::NotOnline if means.client.is_online() => {
                        Refusal::without_asking("nobody is in that chat")
                    }
                    other => Refusal::of_misuse(other),
                })?;
                self.typed(means, mark.clone(), chat);
            }
            Whom::Person(who) => match self.talks.with(who) {
                Some(chat) if shown(means, chat).is_ok() => self.typed(means, mark.clone(), chat),
                _ => self.call(means, mark, who, true).map_err(Refusal::of_misuse)?,
            },
        }
        Ok(())
    }

    /// They see that we are typing, or a text that is on its way says more. Nobody answers that, so
    /// it weighs nothing; whoever gave the command a name is told that it has ended.
    pub(super) fn typed(&mut self, means: &mut Means<'_>, mark: Mark, chat: ChatId) {
        mark.line.into_iter().for_each(|line| means.ledger.finish(line));
        if mark.id.is_some() {
            let from = means.client.account().map(ToString::to_string).unwrap_or_default();
            self.say(mark, Event::Typing { chat: chat.0, from });
        }
    }

    /// `true` means that there is nothing to wait for.
    pub(super) fn open(
        &mut self,
        means: &mut Means<'_>,
        mark: &Mark,
        who: &Handle,
    ) -> Result<bool, Refusal> {
        let there = self.talks.with(who).filter(|chat| is_occupied(means.client, *chat));
        let Some(chat) = there else {
            self.call(means, mark, who, false).map_err(Refusal::of_misuse)?;
            return Ok(false);
        };
        self.say(mark.clone(), joined(chat, who));
        Ok(true)
    }

    /// Calls somebody into the chat with them.
    fn call(
        &mut self,
        means: &mut Means<'_>,
        mark: &Mark,
        who: &Handle,
        typing: bool,
    ) -> Result<(), Misuse> {
        if let Some(chat) = self.talks.with(who) {
            match means.client.invite(means.now, chat, who) {
                // They are being called already.
                Ok(()) | Err(Misuse::Already) => {}
                Err(Misuse::NoSuchChat) => self.talks.forget(chat),
                Err(misuse) => return Err(misuse),
            }
        }
        let chat = self.chat_with(means, mark, who)?;
        self.closed.remove(&chat);
        self.calls.push(Call { mark: mark.clone(), chat, who: who.clone(), typing });
        Ok(())
    }

    /// Somebody came.
    pub(super) fn answered(&mut self, means: &mut Means<'_>, chat: ChatId, who: &Handle) -> Mark {
        let mut first = Mark::NONE;
        for call in self.take_calls(|call| call.chat == chat && call.who == *who) {
            if call.typing {
                // That they do not see it is nobody's loss.
                let _ = means.client.send_typing(means.now, chat);
                self.typed(means, call.mark, chat);
                continue;
            }
            call.mark.line.into_iter().for_each(|line| means.ledger.finish(line));
            if first == Mark::NONE {
                first = call.mark;
            } else {
                self.say(call.mark, joined(chat, who));
            }
        }
        first
    }

    /// Somebody did not come.
    pub(super) fn unanswered(
        &mut self,
        means: &mut Means<'_>,
        chat: ChatId,
        who: &Handle,
        why: Why,
    ) -> Mark {
        let refusal = Refusal::of_call(why);
        self.give_up(means, |call| call.chat == chat && call.who == *who, &refusal);
        Mark::NONE
    }

    pub(super) fn hung_up(&mut self, means: &mut Means<'_>, chat: ChatId, why: Lost) -> Mark {
        let refusal = Refusal::of_call(Why::Lost(why));
        self.give_up(means, |call| call.chat == chat, &refusal);
        Mark::NONE
    }

    pub(super) fn give_up(
        &mut self,
        means: &mut Means<'_>,
        which: impl Fn(&Call) -> bool,
        refusal: &Refusal,
    ) {
        for Call { mark, who, typing, .. } in self.take_calls(which) {
            if typing {
                // Nothing was to become of it, and nothing has. So it weighs nothing.
                mark.line.into_iter().for_each(|line| means.ledger.finish(line));
                if mark.id.is_some() {
                    let asked = Asked::of(&Action::Typing(Whom::Person(who)));
                    self.say(mark, refusal.event(asked));
                }
            } else {
                let asked = Asked::of(&Action::Open(who));
                self.refuse(means, mark, asked, refusal);
            }
        }
    }

    pub(super) fn take_calls(&mut self, which: impl Fn(&Call) -> bool) -> Vec<Call> {
        let (taken, kept) = std::mem::take(&mut self.calls).into_iter().partition(which);
        self.calls = kept;
        taken
    }
}

fn joined(chat: ChatId, who: &Handle) -> Event {
    let account = Some(who.to_string());
    Event::Chat(Chat { chat: chat.0, change: Change::Joined, account, reason: None })
}

fn is_occupied(client: &Client, chat: ChatId) -> bool {
    client.members(chat).next().is_some()
}
