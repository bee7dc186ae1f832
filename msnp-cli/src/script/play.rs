//! A script that is being run: the order of its steps, and the one who does them.
//!
//! The play has no socket and no clock. It is given the client, the books and the time, it hears
//! what the client tells, and what it has to say is polled.

use std::collections::VecDeque;

use msnp_proto::client::Event as Told;
use msnp_proto::time::Instant;
use msnp_proto::types::{Handle, List};

use super::Step;
use super::runner::{Order, Runner, View};
use crate::agent::{Agent, Means, Report};
use crate::errand::Asked;
use crate::events::{Mark, Marked};
use crate::exit::Exit;
use crate::transfers::Policy;

pub(crate) struct Play {
    runner: Runner,
    agent: Agent,
    reports: VecDeque<Report>,
    is_over: bool,
}

impl Play {
    /// Up to `window` texts are in flight; `go_on` is what to do after a failure.
    pub(crate) fn new(steps: Vec<Step>, window: usize, go_on: bool) -> Self {
        let runner = Runner::new(steps, window, go_on);
        // A script says nothing about files that others offer.
        let agent = Agent::new(Policy::Decline);
        Self { runner, agent, reports: VecDeque::new(), is_over: false }
    }

    /// Begins what can be begun. To be called when something was heard, and at the deadline.
    pub(crate) fn advance(&mut self, means: &mut Means<'_>) {
        loop {
            let roster = means.client.roster();
            let presence = |who: &Handle| {
                let contact = roster.contact(who).filter(|one| one.lists().has(List::Forward));
                contact.map(|contact| contact.status().is_visible())
            };
            let view = View {
                now: means.now,
                in_flight: means.ledger.waiting(),
                pending: self.agent.pending(),
                has_failures: means.ledger.has_failures(),
                presence: &presence,
            };
            match self.runner.next(&view) {
                Order::Do(line, action) => {
                    means.ledger.begin(line);
                    self.agent.act(means, Mark::of_line(line), action);
                }
                Order::Finished(line) => means.ledger.finish(line),
                Order::Failed(line, verb, who, refusal) => {
                    means.ledger.count(refusal.exit);
                    means.ledger.begin(line);
                    means.ledger.line_ended(Some(line), refusal.exit);
                    let error = Some(format!("{verb} {who}: {}", refusal.reason));
                    let asked =
                        Asked { account: Some(who.to_string()), ..Asked::plain(verb, verb) };
                    let marked = Marked { mark: Mark::of_line(line), event: refusal.event(asked) };
                    self.reports.push_back(Report { marked, error });
                }
                Order::Wait => return,
                Order::Over => {
                    self.is_over = true;
                    return;
                }
            }
        }
    }

    /// Takes what the client tells. `Some` is to be shown, with this mark.
    pub(crate) fn hear(&mut self, means: &mut Means<'_>, told: &Told) -> Option<Mark> {
        let line = self.runner.hear(told);
        let mark = self.agent.hear(means, told)?;
        if let Told::Lost { why } = told {
            if !self.runner.is_at_end() {
                means.ledger.count(Exit::of_lost(*why));
            }
            self.stop();
        }
        Some(Mark { line: line.or(mark.line), ..mark })
    }

    /// The next thing to say, oldest first. To be asked until there is none.
    pub(crate) fn poll_report(&mut self, means: &mut Means<'_>) -> Option<Report> {
        self.agent.poll_report(means).or_else(|| self.reports.pop_front())
    }

    /// When to be called even if nothing is heard.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.runner.next_deadline()
    }

    /// Begins nothing any more; it is over when what has begun has ended.
    pub(crate) fn stop(&mut self) {
        self.runner.stop();
    }

    /// It is over now. What has not been begun is a failure of its own; the end of a text will tell.
    pub(crate) fn give_up(&mut self, means: &mut Means<'_>, exit: Exit, why: &str) {
        if !self.runner.is_at_end() {
            means.ledger.count(exit);
        }
        means.ledger.stop(exit, why);
        self.agent.abandon(means, exit, why);
    }

    /// We leave: nobody answers any more what others offer.
    pub(crate) fn part(&mut self, means: &mut Means<'_>) {
        self.agent.part(means, Exit::Done, "nobody is here any more");
    }

    /// Whether everything has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }
}
