//! Does what a script, a pipe or somebody in a chat asks for, and says what became of it.
//!
//! This module knows which chat is with whom, which answer belongs to what was asked, and marks
//! every event with that. It has no socket and no clock: it is given the client, the books and the
//! time, it hears what the client tells, and what it has to say is polled.

mod calls;
mod talks;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use msnp_proto::client::{ChatId, Client, Event as Told, MessageId, RequestId};
use msnp_proto::error::Misuse;
use msnp_proto::time::Instant;
use msnp_proto::types::{Delivery, Handle};

use crate::errand::{Asked, Errand, Refusal, State};
use crate::events::{Change, Chat, Event, Mark, Marked};
use crate::exit::Exit;
use crate::ledger::Ledger;
use crate::script::{Action, Whom};
use crate::transfers::{Policy, Source, Transfers};
use crate::translate;
use calls::Call;
use talks::{CHATS, Talks};

/// What the agent works with.
pub(crate) struct Means<'a> {
    pub(crate) now: Instant,
    pub(crate) client: &'a mut Client,
    pub(crate) ledger: &'a mut Ledger,
}

/// Something that the agent has to say.
#[derive(Debug, PartialEq)]
pub(crate) struct Report {
    pub(crate) marked: Marked,
    /// The same as a sentence for stderr, if something was not done.
    pub(crate) error: Option<String>,
}

/// Whoever does what is asked for.
#[derive(Debug, Default)]
pub(crate) struct Agent {
    talks: Talks,
    /// What the server is being asked for. The next begins when it has ended, for it may build on
    /// what the one before has changed.
    errand: Option<(Mark, Asked, Errand)>,
    errands: VecDeque<(Mark, Action)>,
    calls: Vec<Call>,
    /// Chats that we opened, until the client says so.
    fresh: BTreeMap<ChatId, Mark>,
    transfers: Transfers,
    leaves: Vec<Leave>,
    /// Chats that we left: their end has been told.
    left: BTreeSet<ChatId>,
    /// Chats that were closed, and where nobody has been or was called since.
    closed: BTreeSet<ChatId>,
    reports: VecDeque<Report>,
    /// What was said of our own state last, for the client says it once more.
    state: Option<Event>,
}

/// A chat to be left when what was said in it has ended, and so have the files of the one who it
/// is with.
#[derive(Debug)]
struct Leave {
    mark: Mark,
    chat: ChatId,
    with: Option<Handle>,
}

impl Agent {
    /// One who does that with files that others offer.
    pub(crate) fn new(policy: Policy) -> Self {
        Self { transfers: Transfers::new(policy), ..Self::default() }
    }

    /// Does what is asked for. What cannot be done is refused at once.
    pub(crate) fn act(&mut self, means: &mut Means<'_>, mark: Mark, action: &Action) {
        let result = match action {
            Action::Send { to, text } => {
                self.send(means, mark, to, text);
                return;
            }
            Action::Typing(whom) => self.show_typing(means, &mark, whom).map(|()| false),
            Action::Open(who) => self.open(means, &mark, who),
            Action::Leave(whom) => self.leave(means, &mark, whom),
            Action::File { to, path } => self.offer(means, &mark, to, path).map(|()| false),
            Action::Accept { transfer, folder } => {
                self.transfers.accept(means, &mark, *transfer, folder).map(|()| false)
            }
            Action::Decline(transfer) => {
                self.transfers.decline(means, &mark, *transfer).map(|()| false)
            }
            _ => {
                self.errands.push_back((mark, action.clone()));
                return self.begin_errands(means);
            }
        };
        match result {
            // There is nothing to wait for.
            Ok(true) => mark.line.into_iter().for_each(|line| means.ledger.finish(line)),
            Ok(false) => {}
            Err(refusal) => self.refuse(means, mark, Asked::of(action), &refusal),
        }
    }

    /// Opens the chat with somebody; whether they come is not waited for.
    pub(crate) fn meet(&mut self, means: &mut Means<'_>, who: &Handle) {
        // What cannot be opened now is opened by the first text.
        let _ = self.chat_with(means, &Mark::NONE, who);
    }

    /// Takes back files that were offered and are not on their way.
    pub(crate) fn withdraw(&mut self, means: &mut Means<'_>) {
        self.transfers.withdraw(means);
    }

    /// Ends something that was never begun.
    pub(crate) fn refuse(
        &mut self,
        means: &mut Means<'_>,
        mark: Mark,
        asked: Asked,
        refusal: &Refusal,
    ) {
        means.ledger.count(refusal.exit);
        means.ledger.line_ended(mark.line, refusal.exit);
        let error = Some(refusal.sentence(&asked));
        let marked = Marked { mark, event: refusal.event(asked) };
        self.reports.push_back(Report { marked, error });
    }

    /// Takes what the client tells. `Some` is to be shown, with this mark; of the rest something
    /// else tells, or will.
    pub(crate) fn hear(&mut self, means: &mut Means<'_>, told: &Told) -> Option<Mark> {
        if self.transfers.hear(means, told) {
            self.reports.extend(self.transfers.take_reports());
            return None;
        }
        match told {
            Told::Done { request } => {
                let (mark, asked, errand) = self.errand_of(*request)?;
                let state = errand.granted(means.client, means.now);
                self.proceed(means, mark, asked, state);
                self.begin_errands(means);
                return None;
            }
            Told::Refused { request, verb, why } => {
                let Some((mark, asked, _)) = self.errand_of(*request) else {
                    return Some(Mark::NONE);
                };
                self.proceed(means, mark, asked, Err(Refusal::of_answer(*verb, *why)));
                self.begin_errands(means);
                return None;
            }
            Told::ChatOpened { chat, with, incoming } => {
                if *incoming {
                    self.talks.opened(*chat, with);
                }
                return Some(self.fresh.remove(chat).unwrap_or_default());
            }
            Told::Joined { chat, account, .. } => {
                self.talks.joined(*chat, account);
                self.closed.remove(chat);
                return Some(self.answered(means, *chat, account));
            }
            Told::NotReached { chat, account, why } => {
                return Some(self.unanswered(means, *chat, account, *why));
            }
            Told::ChatClosed { chat, why } => {
                if self.left.remove(chat) {
                    return None;
                }
                keep(&mut self.closed, *chat);
                return Some(self.hung_up(means, *chat, *why));
            }
            Told::Lost { why } => {
                let (exit, reason) = (Exit::of_lost(*why), format!("session lost: {why}"));
                self.give_up(means, |_| true, &Refusal::new(exit, &*reason));
                // What has not been begun waits if we come back.
                if means.client.next_attempt().is_none() {
                    self.drop_waiting(means, exit, &reason);
                }
            }
            Told::Online { .. } => self.begin_errands(means),
            Told::StatusChanged { .. } if self.state == translate::event(told) => return None,
            told => {
                let is_ours =
                    |(_, _, errand): &(Mark, Asked, Errand)| errand.explains(means.client, told);
                if self.errand.as_ref().is_some_and(is_ours) {
                    return None;
                }
            }
        }
        Some(Mark::NONE)
    }

    /// The next thing to say, oldest first. To be asked until there is none, whenever the agent was
    /// given or told something.
    pub(crate) fn poll_report(&mut self, means: &mut Means<'_>) -> Option<Report> {
        let is_quiet = |leave: &Leave| self.is_quiet(means, leave.chat, leave.with.as_ref());
        if let Some(next) = self.leaves.iter().position(is_quiet) {
            let Leave { mark, chat, .. } = self.leaves.remove(next);
            self.leave_now(means, mark, chat);
        }
        self.reports.pop_front()
    }

    /// How many things that are no messages have not ended.
    pub(crate) fn pending(&self) -> usize {
        let errand = usize::from(self.errand.is_some());
        let others = self.calls.len() + self.leaves.len() + self.transfers.pending();
        errand + self.errands.len() + others
    }

    /// Whether something that has not ended has this name.
    pub(crate) fn has(&self, id: &str) -> bool {
        let is = |mark: &Mark| mark.id.as_deref() == Some(id);
        self.errand.as_ref().is_some_and(|(mark, _, _)| is(mark))
            || self.errands.iter().any(|(mark, _)| is(mark))
            || self.calls.iter().any(|call| is(&call.mark))
            || self.leaves.iter().any(|leave| is(&leave.mark))
            || self.transfers.has(id)
    }

    /// Ends everything but texts: there will be no answers any more.
    pub(crate) fn abandon(&mut self, means: &mut Means<'_>, exit: Exit, why: &str) {
        self.give_up(means, |_| true, &Refusal::new(exit, why));
        if let Some((mark, asked, _)) = self.errand.take() {
            self.refuse(means, mark, asked, &Refusal::unanswered(why));
        }
        self.drop_waiting(means, exit, why);
        self.part(means, exit, why);
    }

    /// Declines what others offer, and stops the files that are on their way.
    pub(crate) fn part(&mut self, means: &mut Means<'_>, exit: Exit, why: &str) {
        self.transfers.abandon(means, exit, why);
        self.reports.extend(self.transfers.take_reports());
    }

    /// Ends what has not been begun.
    fn drop_waiting(&mut self, means: &mut Means<'_>, exit: Exit, why: &str) {
        let leaves = std::mem::take(&mut self.leaves).into_iter();
        let leaves = leaves.map(|one| (one.mark, Action::Leave(Whom::Chat(one.chat.0))));
        for (mark, action) in leaves.chain(std::mem::take(&mut self.errands)) {
            self.refuse(means, mark, Asked::of(&action), &Refusal::not_tried(exit, why));
        }
    }

    /// Begins what can be begun; while we are not signed in it waits.
    fn begin_errands(&mut self, means: &mut Means<'_>) {
        while self.errand.is_none() && means.client.is_online() {
            let Some((mark, action)) = self.errands.pop_front() else { return };
            let state = Errand::begin(means.client, means.now, &action);
            self.proceed(means, mark, Asked::of(&action), state);
        }
    }

    fn errand_of(&mut self, request: RequestId) -> Option<(Mark, Asked, Errand)> {
        self.errand.take_if(|(_, _, errand)| errand.request() == request)
    }

    fn proceed(
        &mut self,
        means: &mut Means<'_>,
        mark: Mark,
        asked: Asked,
        state: Result<State, Refusal>,
    ) {
        match state {
            Ok(State::Open(errand)) => {
                self.errand = Some((mark, asked, errand));
            }
            Ok(State::Done(event)) => {
                means.ledger.count(Exit::Done);
                mark.line.into_iter().for_each(|line| means.ledger.finish(line));
                if matches!(&event, Event::Setting { name, .. } if name == "state") {
                    self.state = Some(event.clone());
                }
                self.say(mark, event);
            }
            Err(refusal) => self.refuse(means, mark, asked, &refusal),
        }
    }

    fn say(&mut self, mark: Mark, event: Event) {
        self.reports.push_back(Report { marked: Marked { mark, event }, error: None });
    }

    fn send(&mut self, means: &mut Means<'_>, mark: Mark, whom: &Whom, text: &str) {
        let mark = means.ledger.mark(mark);
        let to = self.talks.name(means.client, whom);
        match self.say_text(means, &mark, whom, text) {
            Ok((message, chat)) => {
                // Whoever reads it need not see that it was written.
                for call in self.take_calls(|call| call.typing && call.chat == chat) {
                    // What has ended has no more events.
                    if let Some(opens) = self.fresh.get_mut(&chat) {
                        if *opens == call.mark {
                            *opens = mark.clone();
                        }
                    }
                    self.typed(means, call.mark, chat);
                }
                means.ledger.taken(means.now, message, chat, mark, to);
            }
            Err(misuse) => {
                let Refusal { exit, reason, .. } = Refusal::of_misuse(misuse);
                let chat = whom.chat();
                let marked = means.ledger.failed_in(mark, to, chat, exit, reason);
                self.reports.push_back(Report { marked, error: None });
            }
        }
    }

    fn say_text(
        &mut self,
        means: &mut Means<'_>,
        mark: &Mark,
        whom: &Whom,
        text: &str,
    ) -> Result<(MessageId, ChatId), Misuse> {
        let chat = match whom {
            Whom::Chat(number) => ChatId(*number),
            Whom::Person(who) => self.chat_with(means, mark, who)?,
        };
        let said = means.client.send_text(means.now, chat, text, Delivery::Always);
        if said.is_ok() {
            self.closed.remove(&chat);
        }
        match (said, whom) {
            // The client forgets a chat that was not used for long.
            (Err(Misuse::NoSuchChat), Whom::Person(who)) => {
                self.talks.forget(chat);
                let chat = self.chat_with(means, mark, who)?;
                let said = means.client.send_text(means.now, chat, text, Delivery::Always)?;
                Ok((said, chat))
            }
            (said, _) => Ok((said?, chat)),
        }
    }

    /// The chat with somebody alone; a new one if there is none.
    fn chat_with(
        &mut self,
        means: &mut Means<'_>,
        mark: &Mark,
        who: &Handle,
    ) -> Result<ChatId, Misuse> {
        if let Some(chat) = self.talks.with(who) {
            return Ok(chat);
        }
        let chat = means.client.open_chat(means.now, who)?;
        self.talks.opened(chat, who);
        self.fresh.insert(chat, mark.clone());
        Ok(chat)
    }

    /// Offers a file in the chat with somebody alone.
    fn offer(
        &mut self,
        means: &mut Means<'_>,
        mark: &Mark,
        to: &Handle,
        path: &Path,
    ) -> Result<(), Refusal> {
        let source = Source::open(path).map_err(|no| Refusal::new(no.exit, no.text))?;
        // The client would open a chat that we do not know of.
        self.chat_with(means, mark, to).map_err(Refusal::of_misuse)?;
        self.transfers.offer(means, mark, to, source)
    }

    /// Leaves a chat, once what was said in it has ended. What is said from now on is said in
    /// another one.
    fn leave(&mut self, means: &mut Means<'_>, mark: &Mark, whom: &Whom) -> Result<bool, Refusal> {
        let chat = match whom {
            Whom::Chat(number) => ChatId(*number),
            Whom::Person(who) => {
                self.talks.with(who).ok_or_else(|| Refusal::of_misuse(Misuse::NoSuchChat))?
            }
        };
        let with = self.talks.whose(chat).cloned();
        self.talks.forget(chat);
        if self.is_quiet(means, chat, with.as_ref()) {
            self.leave_now(means, mark.clone(), chat);
        } else {
            self.leaves.push(Leave { mark: mark.clone(), chat, with });
        }
        Ok(false)
    }

    /// Whether everything has ended that leaving this chat would end.
    fn is_quiet(&self, means: &Means<'_>, chat: ChatId, with: Option<&Handle>) -> bool {
        let has_files = with.is_some_and(|who| self.transfers.is_open_with(who));
        !means.ledger.is_open_in(chat) && !has_files
    }

    fn leave_now(&mut self, means: &mut Means<'_>, mark: Mark, chat: ChatId) {
        if let Err(misuse) = means.client.leave_chat(means.now, chat) {
            let asked = Asked::of(&Action::Leave(Whom::Chat(chat.0)));
            return self.refuse(means, mark, asked, &Refusal::of_misuse(misuse));
        }
        let gone = Refusal::without_asking("the chat was left");
        self.give_up(means, |call| call.chat == chat, &gone);
        mark.line.into_iter().for_each(|line| means.ledger.finish(line));
        // Its end was told then, and is not told as if it were another one.
        let reason = match self.closed.remove(&chat) {
            true => Some("it was closed before".into()),
            false => {
                keep(&mut self.left, chat);
                None
            }
        };
        let closed = Chat { chat: chat.0, change: Change::Closed, account: None, reason };
        self.say(mark, Event::Chat(closed));
    }
}

/// Remembers a chat, and as many before it as there is room for.
fn keep(chats: &mut BTreeSet<ChatId>, chat: ChatId) {
    if chats.len() >= CHATS {
        chats.pop_first();
    }
    chats.insert(chat);
}
