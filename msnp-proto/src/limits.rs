//! What a peer may cost us, and how forgiving we are.

use crate::time::Duration;

/// Limits of one line connection. Sizes are in bytes, a line's limit includes its line end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Longest line. One byte more loses the connection: there is no way to get back into step.
    /// Costs at most this much memory for an unfinished line.
    pub line: usize,
    /// Longest payload that is kept. A longer one is skipped as it arrives and reported once.
    /// Costs at most this much memory for an unfinished payload.
    pub payload: usize,
    /// Most requests without an answer. At the limit commands are refused as
    /// [`Misuse::Backlog`](crate::error::Misuse::Backlog).
    pub open_requests: usize,
    /// Bytes waiting to be written, from which on commands are refused as
    /// [`Misuse::Backlog`](crate::error::Misuse::Backlog). Answers that the protocol demands may
    /// still be added.
    pub send_backlog: usize,
}

impl Limits {
    /// For either role: lines of 8 KiB, payloads of 64 KiB, 1,024 open requests, 256 KiB waiting.
    #[must_use]
    pub const fn new() -> Self {
        Self { line: 8 * 1024, payload: 64 * 1024, open_requests: 1024, send_backlog: 256 * 1024 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether input may differ from the letter of the protocol in the ways that real peers do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Leniency {
    /// A bare LF ends a line, runs of blanks and tabs and a trailing blank are one separator,
    /// blank lines are ignored. What real clients and servers need.
    #[default]
    Lenient,
    /// CRLF, single blanks, no blank line: everything else is an error. For tests of a peer.
    Strict,
}

/// Largest payload of a message in a switchboard: real servers close the connection at one more.
pub const SWITCHBOARD_PAYLOAD: usize = 1664;

/// Longest account name (draft-movva).
pub const HANDLE: usize = 129;

/// Longest display name in its percent-encoded form (draft-movva: 129 characters, three octets
/// each when encoded). Real servers disconnected at one more.
pub const NICK: usize = 387;

/// Longest group name in its percent-encoded form (msnp-wiki).
pub const GROUP_NAME: usize = 61;

/// Longest phone number in its percent-encoded form (hypothetic.org).
pub const PHONE: usize = 95;

/// Port of all three servers when an address names none.
pub const PORT: u16 = 1863;

/// How long the client waits for what, and how long it lets things go on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waits {
    /// A connection's way from nothing to signed in, referrals included.
    pub sign_in: Duration,
    /// Answer to one request.
    pub request: Duration,
    /// From calling somebody into a chat to their arrival.
    pub invitation: Duration,
    /// Acknowledgement of a text that asks for one.
    pub acknowledgement: Duration,
    /// Silence from the server after which it is pinged.
    pub ping: Duration,
    /// From the ping to giving the connection up.
    pub pong: Duration,
    /// A switchboard in which nothing is said is left after this.
    pub idle_chat: Duration,
}

impl Waits {
    /// The values that `msnp` uses.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            sign_in: Duration::from_secs(30),
            request: Duration::from_secs(30),
            invitation: Duration::from_secs(15),
            acknowledgement: Duration::from_secs(10),
            ping: Duration::from_secs(45),
            pong: Duration::from_secs(20),
            idle_chat: Duration::from_secs(300),
        }
    }
}

impl Default for Waits {
    fn default() -> Self {
        Self::new()
    }
}

/// How long each side of a file transfer waits for what.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileWaits {
    /// From the open connection to the proof that it is the right one, and as long again for the
    /// receiver to be ready. Bytes do not extend it. Whoever listens takes a shorter one, as
    /// [`FileWaits::listening`] does: strangers may have found the port.
    pub silence_before: Duration,
    /// While the file travels, from one byte of it to the next.
    pub silence: Duration,
    /// From the last byte to the receiver's word that it has all, and as long again after the
    /// sender has asked for it. Also how long a receiver that has said so waits for the sender to
    /// close.
    pub bye: Duration,
    /// From the last word of a side that gives up to its closing, so that the word arrives.
    pub drain: Duration,
}

impl FileWaits {
    /// For whoever opened the connection: 30 s to begin, 120 s of silence, 10 s for the goodbye,
    /// 1 s for a last word.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            silence_before: Duration::from_secs(30),
            silence: Duration::from_secs(120),
            bye: Duration::from_secs(10),
            drain: Duration::from_secs(1),
        }
    }

    /// For whoever accepted the connection: 10 s to begin, the others as in [`FileWaits::new`].
    #[must_use]
    pub const fn listening() -> Self {
        Self { silence_before: Duration::from_secs(10), ..Self::new() }
    }
}

impl Default for FileWaits {
    fn default() -> Self {
        Self::new()
    }
}
