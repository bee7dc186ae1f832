//! What became of every message that was given to the client.
//!
//! This module knows messages from the moment they are taken to their one end, and sums the ends
//! up, those of other things that were asked for too. It does not know how they are sent.

use std::collections::{BTreeMap, BTreeSet};

use msnp_proto::client::{ChatId, MessageId, Outcome};
use msnp_proto::time::Instant;

use crate::args::Until;
use crate::events::{Done, Ending, Event, Mark, Marked, Passing};
use crate::exit::Exit;
use crate::translate;

/// All messages of one run.
pub(crate) struct Ledger {
    until: Until,
    open: BTreeMap<MessageId, Entry>,
    /// How many of them have not got as far as they must.
    waiting: usize,
    last_id: u64,
    /// Each code once, with how often.
    ends: Vec<(Exit, u32)>,
    counts: Done,
    lines: Lines,
    /// Why messages that have not been written will never be.
    stopped: Option<(Exit, String)>,
}

struct Entry {
    mark: Mark,
    to: String,
    chat: ChatId,
    begun: Instant,
    /// It has got as far as it must.
    reached: bool,
}

impl Ledger {
    pub(crate) fn new(until: Until) -> Self {
        let (open, ends, counts) = (BTreeMap::new(), Vec::new(), Done::default());
        let lines = Lines::default();
        Self { until, open, waiting: 0, last_id: 0, ends, counts, lines, stopped: None }
    }

    /// Failures do not stop the script, so a line that can never be done is passed over.
    pub(crate) fn go_on(&mut self) {
        self.lines.go_on = true;
    }

    /// The mark of the next message; one that the user has named keeps its name.
    pub(crate) fn mark(&mut self, mark: Mark) -> Mark {
        let id = mark.id.unwrap_or_else(|| {
            self.last_id += 1;
            self.last_id.to_string().into()
        });
        Mark { id: Some(id), ..mark }
    }

    /// The client took a message.
    pub(crate) fn taken(
        &mut self,
        now: Instant,
        message: MessageId,
        chat: ChatId,
        mark: Mark,
        to: String,
    ) {
        self.waiting += 1;
        self.open.insert(message, Entry { mark, to, chat, begun: now, reached: false });
    }

    /// A message ended before the client could take it.
    pub(crate) fn failed(&mut self, mark: Mark, to: String, exit: Exit, reason: String) -> Marked {
        self.failed_in(mark, to, None, exit, reason)
    }

    /// The same for one that was for a chat.
    pub(crate) fn failed_in(
        &mut self,
        mark: Mark,
        to: String,
        chat: Option<u32>,
        exit: Exit,
        reason: String,
    ) -> Marked {
        self.count(exit);
        self.line_ended(mark.line, exit);
        self.counts.failed += 1;
        let event = Event::Failed(Ending { to, chat, code: None, reason: Some(reason), ms: 0 });
        Marked { mark, event }
    }

    /// From now on what has not been written ends for this reason.
    pub(crate) fn stop(&mut self, exit: Exit, reason: impl Into<String>) {
        self.stopped = Some((exit, reason.into()));
    }

    pub(crate) fn queued(&mut self, message: MessageId) -> Option<Marked> {
        self.passing(message, Until::Queued, Event::Queued)
    }

    pub(crate) fn sent(&mut self, message: MessageId) -> Option<Marked> {
        self.passing(message, Until::Sent, Event::Sent)
    }

    fn passing(
        &mut self,
        message: MessageId,
        stage: Until,
        event: fn(Passing) -> Event,
    ) -> Option<Marked> {
        let entry = self.open.get_mut(&message)?;
        // What is to be queued only is still written before we leave, if that can be.
        if self.until <= stage && stage != Until::Queued && !entry.reached {
            entry.reached = true;
            self.waiting -= 1;
        }
        let passing = Passing { to: entry.to.clone(), chat: Some(entry.chat.0) };
        Some(Marked { mark: entry.mark.clone(), event: event(passing) })
    }

    /// A message has ended.
    pub(crate) fn ended(
        &mut self,
        now: Instant,
        message: MessageId,
        outcome: Outcome,
    ) -> Option<Marked> {
        let entry = self.open.remove(&message)?;
        let ms = millis(now, entry.begun);
        let chat = Some(entry.chat.0);
        let mut end = Ending { to: entry.to, chat, code: None, reason: None, ms };
        let mut exit = Exit::of_outcome(outcome);
        let event = match outcome {
            Outcome::Acknowledged => {
                self.counts.acked += 1;
                Event::Acked(end)
            }
            Outcome::Refused => {
                self.counts.failed += 1;
                end.reason = Some("the server could not deliver it to everybody".into());
                Event::Nacked(end)
            }
            Outcome::Failed(why) => {
                self.counts.failed += 1;
                end.code = translate::code(why).map(|code| code.number());
                end.reason = Some(why.to_string());
                if let Some((code, reason)) = &self.stopped {
                    exit = *code;
                    end.reason = Some(reason.clone());
                }
                Event::Failed(end)
            }
            Outcome::Assumed => {
                self.counts.unknown += 1;
                end.reason = Some("written; an acknowledgement was not asked for".into());
                Event::Unknown(end)
            }
            Outcome::Unknown(why) => {
                self.counts.unknown += 1;
                let stopped = self.stopped.as_ref().map(|(_, reason)| reason.clone());
                let why = stopped.unwrap_or_else(|| why.to_string());
                end.reason = Some(format!("written, but not answered: {why}"));
                Event::Unknown(end)
            }
            _ => {
                self.counts.unknown += 1;
                Event::Unknown(end)
            }
        };
        if !entry.reached {
            self.waiting -= 1;
        }
        // What counts as done is for the user to say; what was never written is not finished.
        let exit = if entry.reached { Exit::Done } else { exit };
        self.line_ended(entry.mark.line, exit);
        self.count(if self.until == Until::Queued { Exit::Done } else { exit });
        Some(Marked { mark: entry.mark, event })
    }

    /// A line of a script is begun; none before it will be from now on.
    pub(crate) fn begin(&mut self, line: u32) {
        self.lines.open.insert(line);
    }

    /// A line of a script is finished.
    pub(crate) fn finish(&mut self, line: u32) {
        self.lines.finish(line);
    }

    /// What a line of a script asked for has ended like this.
    pub(crate) fn line_ended(&mut self, line: Option<u32>, exit: Exit) {
        let is_settled = match exit {
            // What may have arrived is not to be sent again, so it is as good as finished.
            Exit::Done | Exit::Unknown => true,
            // Later it may be done.
            Exit::Retry => false,
            _ => self.lines.go_on && self.stopped.is_none(),
        };
        line.filter(|_| is_settled).into_iter().for_each(|line| self.finish(line));
    }

    /// Something that is no message has ended.
    pub(crate) fn count(&mut self, exit: Exit) {
        match self.ends.iter_mut().find(|(code, _)| *code == exit) {
            Some((_, times)) => *times += 1,
            None => self.ends.push((exit, 1)),
        }
    }

    /// How many messages have not got as far as they must, and have not ended either.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Whether a message of this name has not ended.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.open.values().any(|entry| entry.mark.id.as_deref() == Some(id))
    }

    /// Whether a message in this chat has not ended.
    pub(crate) fn is_open_in(&self, chat: ChatId) -> bool {
        self.open.values().any(|entry| entry.chat == chat)
    }

    /// Whether a message has ended in failure.
    pub(crate) fn has_failures(&self) -> bool {
        self.ends.iter().any(|(exit, _)| *exit != Exit::Done)
    }

    /// Whether a message was acknowledged.
    pub(crate) fn has_acknowledged(&self) -> bool {
        self.counts.acked > 0
    }

    /// The one code for all that has ended.
    pub(crate) fn exit(&self) -> Exit {
        Exit::of_all(self.ends.iter().map(|(exit, _)| *exit))
    }

    /// The last line.
    pub(crate) fn done(&self, exit: Exit) -> Event {
        Event::Done(Done { exit: exit.code(), line: self.lines.last, ..self.counts })
    }
}

/// How far a script has come. Texts in flight end in any order, and one that fails must not be
/// hidden by those behind it.
#[derive(Debug, Default)]
struct Lines {
    /// Begun, and not finished.
    open: BTreeSet<u32>,
    /// Finished, with an open one before them.
    ahead: BTreeSet<u32>,
    /// The last of those before which none is open.
    last: Option<u32>,
    go_on: bool,
}

impl Lines {
    fn finish(&mut self, line: u32) {
        self.open.remove(&line);
        self.ahead.insert(line);
        let first_open = self.open.first().copied().unwrap_or(u32::MAX);
        while self.ahead.first().is_some_and(|line| *line < first_open) {
            self.last = self.last.max(self.ahead.pop_first());
        }
    }
}

/// Whole milliseconds between two points in time.
pub(crate) fn millis(now: Instant, begun: Instant) -> u64 {
    u64::try_from((now - begun).as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use msnp_proto::client::Failure;
    use msnp_proto::error::{Lost, Wait};

    use super::*;

    fn ledger(until: Until) -> Ledger {
        let mut ledger = Ledger::new(until);
        let mark = ledger.mark(Mark::of_line(3));
        ledger.taken(Instant::ZERO, MessageId(7), ChatId(0), mark, "bob@example.net".into());
        ledger
    }

    #[test]
    fn a_message_ends_once() {
        let mut ledger = ledger(Until::Acked);
        assert!(ledger.sent(MessageId(7)).is_some());
        assert_eq!(ledger.waiting(), 1);
        let now = Instant::from_micros(2_500);
        let ended = ledger.ended(now, MessageId(7), Outcome::Acknowledged);
        let Some(Marked { mark, event: Event::Acked(end) }) = ended else {
            panic!("not acknowledged")
        };
        assert_eq!((mark, end.ms), (Mark { id: Some("1".into()), line: Some(3) }, 2));
        assert_eq!(ledger.ended(now, MessageId(7), Outcome::Acknowledged), None);
        assert_eq!((ledger.waiting(), ledger.exit()), (0, Exit::Done));
        assert_eq!(
            ledger.done(Exit::Done),
            Event::Done(Done { acked: 1, line: Some(3), ..Done::default() })
        );
    }

    #[test]
    fn what_is_only_to_be_written_is_done_when_it_is() {
        let mut ledger = ledger(Until::Sent);
        ledger.queued(MessageId(7));
        assert_eq!(ledger.waiting(), 1);
        ledger.sent(MessageId(7));
        assert_eq!(ledger.waiting(), 0);
        let event = ledger.ended(Instant::ZERO, MessageId(7), Outcome::Unknown(Lost::SignedOut));
        assert!(matches!(event, Some(Marked { event: Event::Unknown(_), .. })));
        assert_eq!(ledger.exit(), Exit::Done);
    }

    #[test]
    fn a_stop_is_the_reason_for_what_was_not_written_and_not_for_what_was() {
        let lost = Lost::SignedOut;
        for (outcome, exit) in [
            (Outcome::Failed(Failure::Lost(lost)), Exit::Timeout),
            (Outcome::Unknown(lost), Exit::Unknown),
        ] {
            let mut ledger = ledger(Until::Acked);
            ledger.stop(Exit::Timeout, "--timeout of 1s ran out");
            let event = ledger.ended(Instant::ZERO, MessageId(7), outcome);
            let event = event.map(|marked| marked.event);
            let Some(Event::Failed(end) | Event::Unknown(end)) = event else { panic!("no end") };
            assert!(end.reason.is_some_and(|reason| reason.contains("--timeout of 1s")));
            assert_eq!(ledger.exit(), exit);
        }
    }

    #[test]
    fn a_line_is_finished_when_its_message_may_have_arrived() {
        let unknown = Outcome::Unknown(Lost::SignedOut);
        let failed = Outcome::Failed(Failure::Lost(Lost::SignedOut));
        let rows = [
            (Outcome::Acknowledged, Some(3)),
            (unknown, Some(3)),
            (Outcome::Refused, None),
            (failed, None),
        ];
        for (outcome, line) in rows {
            let mut ledger = ledger(Until::Acked);
            ledger.ended(Instant::ZERO, MessageId(7), outcome);
            assert_eq!(ledger.lines.last, line, "{outcome:?}");
            ledger.finish(2);
            assert_eq!(ledger.lines.last, line.max(Some(2)));
        }
    }

    #[test]
    fn a_line_that_has_not_ended_well_is_not_hidden_by_those_behind_it() {
        use Exit::{Done, Input, Retry, Timeout, Undelivered, Unknown};
        // How each of the lines 1 to 3 ends, whether the script goes on, and the last finished line.
        type Ends = &'static [(u32, Exit)];
        let rows: [(Ends, bool, Option<u32>); 9] = [
            (&[(3, Done), (2, Done)], false, None),
            (&[(3, Done), (2, Done), (1, Done)], false, Some(3)),
            (&[(1, Done), (3, Done)], false, Some(1)),
            (&[(1, Unknown), (3, Done), (2, Undelivered)], false, Some(1)),
            (&[(1, Undelivered), (2, Done), (3, Done)], false, None),
            (&[(1, Undelivered), (2, Done), (3, Input)], true, Some(3)),
            (&[(1, Retry), (2, Done), (3, Done)], true, None),
            (&[(2, Timeout), (1, Done), (3, Done)], true, Some(3)),
            (&[(3, Done), (1, Done)], true, Some(1)),
        ];
        for (ends, goes_on, last) in rows {
            let mut ledger = Ledger::new(Until::Acked);
            if goes_on {
                ledger.go_on();
            }
            (1..=3).for_each(|line| ledger.begin(line));
            ends.iter().for_each(|(line, exit)| ledger.line_ended(Some(*line), *exit));
            assert_eq!(ledger.lines.last, last, "{ends:?} {goes_on}");
        }
        // What was to be queued only and was never written is done, and its line is not finished.
        let mut ledger = ledger(Until::Queued);
        ledger.begin(3);
        let failed = Outcome::Failed(Failure::Lost(Lost::SignedOut));
        ledger.ended(Instant::ZERO, MessageId(7), failed);
        assert_eq!((ledger.exit(), ledger.lines.last), (Done, None));
        // What ends since the whole run is over was not passed over.
        let mut ledger = Ledger::new(Until::Acked);
        ledger.go_on();
        ledger.begin(1);
        ledger.stop(Timeout, "--timeout of 1s ran out");
        ledger.line_ended(Some(1), Timeout);
        assert_eq!(ledger.lines.last, None);
    }

    #[test]
    fn the_servers_number_is_in_the_event() {
        let mut first = ledger(Until::Acked);
        let code = msnp_proto::types::ErrorCode::NOT_ONLINE;
        let outcome = Outcome::Failed(Failure::Refused(code));
        let ended = first.ended(Instant::ZERO, MessageId(7), outcome);
        let Some(Marked { event: Event::Failed(end), .. }) = ended else { panic!("not failed") };
        assert_eq!((end.code, first.exit()), (Some(217), Exit::Undelivered));

        let mut ledger = ledger(Until::Acked);
        let outcome = Outcome::Failed(Failure::TimedOut(Wait::Invitation));
        ledger.ended(Instant::ZERO, MessageId(7), outcome);
        assert_eq!(ledger.exit(), Exit::Undelivered);
    }
}
