//! The order of a script's steps.
//!
//! The runner is told the time, how things stand and what the client tells; it says what to do
//! next and when it wants to be asked again. It does nothing itself.
//!
//! Texts go out one behind the other up to the window without waiting for each other's end. Every
//! other step begins when everything before it has ended, and what is behind it waits for it.

use std::collections::BTreeMap;
use std::time::Duration;

use msnp_proto::client::{Content, Event as Told};
use msnp_proto::time::Instant;
use msnp_proto::types::Handle;

use super::{Action, Step, Verb, Whom};
use crate::errand::Refusal;
use crate::exit::Exit;

/// Runs the steps of one script.
#[derive(Debug)]
pub(crate) struct Runner {
    steps: Vec<Step>,
    /// The step that is next, or being waited for.
    at: usize,
    window: usize,
    /// Whether to go on after a failure.
    go_on: bool,
    /// When the wait of the step at hand is over.
    until: Option<Instant>,
    stopped: bool,
    watch: Watch,
}

/// How things stand outside.
pub(crate) struct View<'a> {
    pub(crate) now: Instant,
    /// Texts that have not got as far as they must.
    pub(crate) in_flight: usize,
    /// Other things that have not ended.
    pub(crate) pending: usize,
    /// Whether anything has ended badly.
    pub(crate) has_failures: bool,
    /// Whether somebody is online; `None` if nobody tells us.
    pub(crate) presence: &'a dyn Fn(&Handle) -> Option<bool>,
}

/// What to do next.
#[derive(Debug, PartialEq)]
pub(crate) enum Order<'a> {
    /// Do this for the step in this line.
    Do(u32, &'a Action),
    /// The step in this line has come to its good end.
    Finished(u32),
    /// The step in this line has not.
    Failed(u32, &'static str, &'a Handle, Refusal),
    /// Nothing until something happens, or until the deadline.
    Wait,
    /// Nothing any more.
    Over,
}

impl Runner {
    pub(crate) fn new(steps: Vec<Step>, window: usize, go_on: bool) -> Self {
        let watch = Watch::new(&steps);
        Self { steps, at: 0, window, go_on, until: None, stopped: false, watch }
    }

    /// What to do next. To be asked until it says wait or over.
    pub(crate) fn next(&mut self, view: &View<'_>) -> Order<'_> {
        let is_busy = view.in_flight + view.pending > 0;
        self.stopped |= view.has_failures && !self.go_on;
        if self.stopped || self.is_at_end() {
            self.until = None;
            return if is_busy { Order::Wait } else { Order::Over };
        }
        let Self { steps, at, until, watch, .. } = self;
        let step = &steps[*at];
        match &step.verb {
            Verb::Do(action @ Action::Send { to, .. }) => {
                if view.pending > 0 || view.in_flight >= self.window {
                    return Order::Wait;
                }
                if let Whom::Person(who) = to {
                    watch.sent(*at, who);
                }
                *at += 1;
                Order::Do(step.line, action)
            }
            _ if is_busy => Order::Wait,
            Verb::Do(action) => {
                if let Action::File { to, .. } = action {
                    watch.sent(*at, to);
                }
                *at += 1;
                Order::Do(step.line, action)
            }
            Verb::Sleep(time) => match wait(until, view.now, *time) {
                false => Order::Wait,
                true => end(at, until, step.line),
            },
            Verb::Online { who, within } => match (view.presence)(who) {
                Some(true) => end(at, until, step.line),
                Some(false) if !wait(until, view.now, *within) => Order::Wait,
                known => {
                    let reason = match known {
                        Some(_) => format!("not online within {}", shown(*within)),
                        None => "not a contact, so nobody tells when they are online; \
                                 `add` makes them one"
                            .into(),
                    };
                    end(at, until, step.line);
                    let refusal = Refusal::new(Exit::Undelivered, reason);
                    Order::Failed(step.line, "online", who, refusal)
                }
            },
            Verb::Expect { who, contains, within } => {
                if watch.seen(*at) {
                    end(at, until, step.line)
                } else if !wait(until, view.now, *within) {
                    Order::Wait
                } else {
                    let what = contains
                        .as_ref()
                        .map_or("no text".to_owned(), |text| format!("no text with {text:?}"));
                    let reason = format!("{what} within {}", shown(*within));
                    end(at, until, step.line);
                    Order::Failed(step.line, "expect", who, Refusal::new(Exit::Timeout, reason))
                }
            }
        }
    }

    /// Takes what the client tells. `Some` is the line of the step that waits for it.
    pub(crate) fn hear(&mut self, told: &Told) -> Option<u32> {
        let Told::Message { from, content: Content::Text(text), .. } = told else { return None };
        let at = self.watch.hear(&self.steps, from, &text.content)?;
        self.steps.get(at).map(|step| step.line)
    }

    /// When to ask again even if nothing happens.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.until
    }

    /// Begins nothing any more.
    pub(crate) fn stop(&mut self) {
        self.stopped = true;
    }

    /// Whether no step is left that has not been begun.
    pub(crate) fn is_at_end(&self) -> bool {
        self.at >= self.steps.len()
    }
}

/// Whether a wait is over; it begins with the first question.
fn wait(until: &mut Option<Instant>, now: Instant, time: Duration) -> bool {
    *until.get_or_insert(now + time) <= now
}

/// On to the next step.
fn end<'a>(at: &mut usize, until: &mut Option<Instant>, line: u32) -> Order<'a> {
    *at += 1;
    *until = None;
    Order::Finished(line)
}

fn shown(time: Duration) -> impl std::fmt::Display {
    humantime::format_duration(time)
}

/// Which texts have been waited for.
///
/// An `expect` looks at what came after the last step before it that sent to that person, or since
/// the beginning if there is none. So each belongs to one such step, and texts need not be kept.
#[derive(Debug, Default)]
struct Watch {
    /// By the step that sends: the steps that wait for an answer to it.
    behind: BTreeMap<usize, Vec<usize>>,
    /// By person: the steps that wait for what comes now.
    open: BTreeMap<Handle, Vec<usize>>,
    /// Steps whose text has come.
    seen: Vec<bool>,
}

impl Watch {
    fn new(steps: &[Step]) -> Self {
        let mut watch = Self { seen: vec![false; steps.len()], ..Self::default() };
        let mut last: BTreeMap<&Handle, usize> = BTreeMap::new();
        for (at, step) in steps.iter().enumerate() {
            match &step.verb {
                Verb::Do(
                    Action::Send { to: Whom::Person(who), .. } | Action::File { to: who, .. },
                ) => {
                    last.insert(who, at);
                }
                Verb::Expect { who, .. } => match last.get(who) {
                    Some(sender) => watch.behind.entry(*sender).or_default().push(at),
                    None => watch.open.entry(who.clone()).or_default().push(at),
                },
                _ => {}
            }
        }
        watch
    }

    fn sent(&mut self, at: usize, to: &Handle) {
        match self.behind.remove(&at) {
            Some(waiting) => drop(self.open.insert(to.clone(), waiting)),
            None => drop(self.open.remove(to)),
        }
    }

    /// The first step that waited for this.
    fn hear(&mut self, steps: &[Step], from: &Handle, text: &str) -> Option<usize> {
        let mut first = None;
        for &at in self.open.get(from)? {
            let wanted = match steps.get(at).map(|step| &step.verb) {
                Some(Verb::Expect { contains, .. }) => {
                    contains.as_ref().is_none_or(|wanted| text.contains(wanted.as_str()))
                }
                _ => false,
            };
            if let Some(seen) = self.seen.get_mut(at).filter(|seen| wanted && !**seen) {
                *seen = true;
                first.get_or_insert(at);
            }
        }
        first
    }

    fn seen(&self, at: usize) -> bool {
        self.seen.get(at).is_some_and(|seen| *seen)
    }
}
