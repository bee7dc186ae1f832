//! A dialogue of several connections as one sequence.

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
