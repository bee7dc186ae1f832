//! An end of the program that is not a success: the code, and a sentence for stderr.

use std::fmt;

use crate::exit::Exit;

/// Why the program cannot go on. The text says what happened, to what, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) text: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, text: impl Into<String>) -> Self {
        Self { exit, text: text.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<msnp_mio::Error> for Failure {
    fn from(error: msnp_mio::Error) -> Self {
        Self::new(Exit::Io, error.to_string())
    }
}
