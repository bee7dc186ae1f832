//! Scripts: what to send to whom, and what to wait for in between.
//!
//! A script is UTF-8 with one verb a line; blank lines and lines that begin with `#` are nothing.
//! It is checked whole before anything is connected. This module knows its grammar, and the runner
//! in it knows the order of the steps; how a step is done is for others.
//!
//! ```text
//! set ack-timeout 10s                     ack-timeout, timeout, window, on-error, until: before
//!                                         the first step, for the whole run
//! online bob@example.net within 20s       wait until a contact is online
//! send bob@example.net Hello, ${what}     the rest of the line as it is
//! send bob@example.net <<END              lines up to one that is END
//! two
//! lines
//! END
//! file bob@example.net ./report.pdf       offer a file, and send it if they take it
//! typing bob@example.net                  show that we are typing
//! sleep 500ms
//! expect bob@example.net contains "thanks" within 10s
//! status BSY
//! name "Alice"
//! add carol@example.net as "Carol" to "Friends"
//! remove carol@example.net from "Friends"
//! rename carol@example.net as "Carol C."
//! move carol@example.net from "Friends" to "Work"
//! allow carol@example.net
//! block carol@example.net
//! group add "Work"                        group remove "Work", group rename "Work" as "Old work"
//! open bob@example.net                    call somebody into a chat without a word
//! leave bob@example.net                   leave the chat with somebody
//! ```
//!
//! `${name}` stands for the value of a variable, `$$` for a dollar sign, anywhere behind the verb.
//! In double quotes `\"`, `\\` and `\n` stand for a quote, a backslash and a line end. What may be
//! left out: `within` (30 s), `contains` (any text), `as`, `to` and `from`.
//!
//! ```
//! use msnp_cli::script::{Action, Variables, Verb, parse};
//!
//! let mut variables = Variables::default();
//! assert!(variables.set("what", "world"));
//! let script = parse(b"# greet\nsend bob@example.net Hello, ${what}\n", &variables).unwrap();
//! let Verb::Do(Action::Send { text, .. }) = &script.steps()[0].verb else { panic!() };
//! assert_eq!(text, "Hello, world");
//!
//! let errors = parse(b"sleep soon", &variables).unwrap_err();
//! assert_eq!(
//!     errors.mistakes()[0].to_string(),
//!     "1:7: expected a time like 500ms, 10s or 2m\n    sleep soon\n          ^"
//! );
//! ```

mod action;
mod error;
mod file;
mod grammar;
pub(crate) mod play;
#[cfg(test)]
mod play_tests;
mod runner;
#[cfg(test)]
mod runner_tests;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use msnp_proto::types::Handle;

pub use action::{Action, Whom};
pub use error::{Errors, Expected, Mistake, Problem};
pub use file::parse;

/// The words that a line begins with.
pub const VERBS: [&str; 18] = [
    "set", "online", "send", "file", "typing", "sleep", "expect", "status", "name", "add",
    "remove", "rename", "move", "allow", "block", "group", "open", "leave",
];

/// Most texts that can be in flight: so many the client keeps for one chat.
pub const MOST_IN_FLIGHT: usize = 256;

/// How long `online` and `expect` wait if they are not told.
pub const WITHIN: Duration = Duration::from_secs(30);

/// A script without mistakes.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    settings: Settings,
    steps: Vec<Step>,
}

impl Script {
    /// What `set` says.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What is to be done, in this order. There is at least one step.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(crate) fn into_steps(self) -> Vec<Step> {
        self.steps
    }

    /// Forgets the steps before a line.
    ///
    /// # Errors
    ///
    /// [`Problem::NoStepFrom`] if none is left. Nothing has changed then.
    pub fn begin_at(&mut self, line: u32) -> Result<(), Problem> {
        let first = self.steps.partition_point(|step| step.line < line);
        if first == self.steps.len() {
            return Err(Problem::NoStepFrom(line));
        }
        self.steps.drain(..first);
        Ok(())
    }

    /// The files that it sends, each with its line, in order.
    pub fn files(&self) -> impl Iterator<Item = (u32, &Path)> {
        self.steps.iter().filter_map(|step| match &step.verb {
            Verb::Do(Action::File { path, .. }) => Some((step.line, path.as_path())),
            _ => None,
        })
    }

    /// The longest that the script itself wants to wait: every `sleep` and every `within`.
    /// How long files take is not among it.
    #[must_use]
    pub fn patience(&self) -> Duration {
        let wait = |step: &Step| match &step.verb {
            Verb::Online { within, .. } | Verb::Expect { within, .. } => *within,
            Verb::Sleep(time) => *time,
            Verb::Do(_) => Duration::ZERO,
        };
        self.steps.iter().map(wait).fold(Duration::ZERO, Duration::saturating_add)
    }
}

/// One thing to do or to wait for.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Where it stands; of a here-document the first line.
    pub line: u32,
    /// What it is.
    pub verb: Verb,
}

/// What a step is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Verb {
    /// Waits until a contact is online.
    Online {
        /// Who.
        who: Handle,
        /// For how long.
        within: Duration,
    },
    /// Waits for a text that came after the last step that sent to them.
    Expect {
        /// From whom.
        who: Handle,
        /// What is in it; `None` for any text.
        contains: Option<String>,
        /// For how long.
        within: Duration,
    },
    /// Waits.
    Sleep(Duration),
    /// Does something.
    Do(Action),
}

/// What holds for a whole run. `None` leaves it to others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// How long the server may take to acknowledge a text.
    pub ack_timeout: Option<Duration>,
    /// How long everything may take.
    pub timeout: Option<Duration>,
    /// Texts in flight, 1 to [`MOST_IN_FLIGHT`].
    pub window: Option<usize>,
    /// Whether to go on after a failure.
    pub go_on: Option<bool>,
    /// What counts as done: `queued`, `sent` or `acked`.
    pub until: Option<&'static str>,
}

/// What `${name}` stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

static NO_VARIABLES: Variables = Variables(BTreeMap::new());

impl Variables {
    /// Gives a variable a value, in place of the one before. `false`, and nothing has changed, if
    /// the name is not one: at most 64 letters, digits, `_`
    /// and `-`, and it begins with a letter or `_`.
    pub fn set(&mut self, name: &str, value: &str) -> bool {
        let is_name = grammar::is_name(name);
        if is_name {
            self.0.insert(name.to_owned(), value.to_owned());
        }
        is_name
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// Reads one line of somebody who chats: a step without a line number. Who is not named is
/// `partner`.
pub(crate) fn command(text: &str, partner: &Handle) -> Result<Verb, Mistake> {
    file::command(text, partner)
}
