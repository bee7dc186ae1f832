//! A dialogue of several connections as one sequence.

use std::collections::BTreeSet;

use msnp_proto::testing::{Dialogue, Step, Transcript, library};

/// A dialogue with its connections, and everything that happens in the order of the file.
pub(crate) struct Script {
    pub(crate) name: &'static str,
    pub(crate) transcript: Transcript,
    pub(crate) dialogues: Vec<Dialogue>,
    /// The connection and the step.
    pub(crate) steps: Vec<(usize, Step)>,
}

impl Script {
    pub(crate) fn new(name: &'static str) -> Self {
        let transcript = library::transcript(name);
        let dialogues =
            Dialogue::all(&transcript).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut steps: Vec<(usize, Step)> = Vec::new();
        for (conn, dialogue) in dialogues.iter().enumerate() {
            steps.extend(dialogue.steps.iter().map(|step| (conn, step.clone())));
        }
        steps.sort_by_key(|(_, step)| step.line);
        Self { name, transcript, dialogues, steps }
    }

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        library::ALL.iter().map(|(name, _)| Self::new(name))
    }

    /// The name of a connection, for people.
    pub(crate) fn conn_name(&self, conn: usize) -> &str {
        self.dialogues[conn].name.as_deref().unwrap_or("-")
    }
}

/// The words of a frame's line.
pub(crate) fn words(line: &[u8]) -> Vec<String> {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let words = line.split(blank).filter(|word| !word.is_empty());
    words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// How a machine differs from a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// It does not say a command of the file.
    NotSaid,
    /// It says one more.
    Beyond,
    /// It says the command with other arguments, or at another moment where that is compared.
    Otherwise,
}

/// The file, how, the connection, how the line begins, and why.
pub(crate) type Difference = (&'static str, Kind, &'static str, &'static str, &'static str);

/// Differences that were met, and what was met without being one that is meant.
#[derive(Default)]
pub(crate) struct Met {
    met: BTreeSet<(&'static str, Kind, &'static str, &'static str)>,
    others: Vec<String>,
}

impl Met {
    pub(crate) fn add(&mut self, list: &[Difference], name: &str, found: &Found) {
        let (kind, conn, text) = found;
        let is = |difference: &&Difference| {
            let (file, of, by, begin, _) = **difference;
            (file == name || file == "*")
                && of == *kind
                && (by == conn || by == "*")
                && text.starts_with(begin)
        };
        match list.iter().find(is) {
            Some((file, of, by, begin, _)) => drop(self.met.insert((*file, *of, *by, *begin))),
            None => self.others.push(format!("{name}: {kind:?} {conn} {text}")),
        }
    }

    #[track_caller]
    pub(crate) fn check(self, list: &[Difference]) {
        assert!(self.others.is_empty(), "not meant:\n{}", self.others.join("\n"));
        let unmet: Vec<&Difference> = list
            .iter()
            .filter(|(file, of, by, begin, _)| !self.met.contains(&(*file, *of, *by, *begin)))
            .collect();
        assert!(unmet.is_empty(), "not met: {unmet:?}");
    }
}

/// A difference as it was found: how, on which connection, and what was said.
pub(crate) type Found = (Kind, String, String);
