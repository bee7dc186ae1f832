//! The lines of MSNFTP, both ways.
//!
//! ```text
//! line = verb *( blanks word ) CRLF      LF alone is enough; blank lines are passed over
//! ```

use alloc::vec::Vec;

use super::{End, Terms};
use crate::limits::{Leniency, Limits};
use crate::wire::{Frame, FrameDecoder, Inbox, Incoming, grammar, write_decimal};

/// Longest line with its end.
const LONGEST: usize = 512;

pub(super) const VER: &[u8] = b"VER MSNFTP\r\n";
pub(super) const TFR: &[u8] = b"TFR\r\n";
pub(super) const CCL: &[u8] = b"CCL\r\n";

/// `MSGR_S_TRANSFER_RECEIVE_FINISHED`.
pub(super) const BYE_RECEIVED: &[u8] = b"BYE 16777989\r\n";

/// `E_ACCESSDENIED`.
pub(super) const BYE_NOT_WRITTEN: &[u8] = b"BYE 2147942405\r\n";

/// Cuts the lines of one side.
pub(super) fn inbox() -> Inbox {
    let mut limits = Limits::new();
    limits.line = LONGEST;
    Inbox::new(FrameDecoder::new(&[], &limits, Leniency::Lenient))
}

/// What stands unfinished in the inbox at the end of the stream, as a line: some clients end their
/// last word with nothing.
pub(super) fn unfinished(inbox: &mut Inbox) -> Line<'_> {
    match inbox.next(&mut &b"\n"[..]) {
        Ok(Some(Incoming::Frame(frame))) => Line::parse(frame),
        _ => Line::Unknown,
    }
}

/// One line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// The versions that are spoken.
    Ver {
        /// Whether ours is among them.
        ours: bool,
    },
    /// Who receives, and the cookie; what is missing is empty.
    Usr { account: &'a [u8], cookie: &'a [u8] },
    /// The size of the file.
    Fil { size: Option<u64> },
    /// The receiver is ready for blocks.
    Tfr,
    /// Cancelled.
    Ccl,
    /// The end, with its reason.
    Bye { code: Option<u64> },
    /// Something else.
    Unknown,
}

impl<'a> Line<'a> {
    pub(super) fn parse(frame: Frame<'a>) -> Self {
        let mut words = frame.words();
        let verb = words.next().unwrap_or_default();
        let is = |name: &[u8]| verb.eq_ignore_ascii_case(name);
        let mut next = || words.next().unwrap_or_default();
        if is(b"VER") {
            Self::Ver { ours: words.any(|word| word.eq_ignore_ascii_case(b"MSNFTP")) }
        } else if is(b"USR") {
            Self::Usr { account: next(), cookie: next() }
        } else if is(b"FIL") {
            Self::Fil { size: grammar::size(next()) }
        } else if is(b"TFR") {
            Self::Tfr
        } else if is(b"CCL") {
            Self::Ccl
        } else if is(b"BYE") {
            Self::Bye { code: grammar::size(next()) }
        } else {
            Self::Unknown
        }
    }

    /// What this line means if it ends the transfer, before anything of the file was sent.
    pub(super) fn as_refusal(self) -> Option<End> {
        match self {
            Self::Ccl => Some(End::CancelledThere),
            Self::Bye { code } => Some(match end_of_bye(code, false) {
                End::StoppedEarly => End::CancelledThere,
                other => other,
            }),
            _ => None,
        }
    }
}

/// What a receiver means with `BYE`. The numbers are results of Windows and of the official client,
/// with its names for them.
pub(super) fn end_of_bye(code: Option<u64>, all_sent: bool) -> End {
    match code {
        // E_ACCESSDENIED, and the disk is full.
        Some(0x8007_0005 | 0x8007_0070) => End::CouldNotWriteThere,
        // MSGR_E_USER_CANCELLED, MSGR_E_CANCEL_BEFORE_CONNECT.
        Some(0x8100_0332 | 0x8100_0333) => End::CancelledThere,
        // MSGR_E_FT_TIMEOUT.
        Some(0x8100_033E) => End::TimedOutThere,
        _ if all_sent => End::Complete,
        _ => End::StoppedEarly,
    }
}

pub(super) fn write_usr(out: &mut Vec<u8>, terms: &Terms) {
    let words = ["USR ", terms.receiver.as_str(), " ", terms.cookie.expose(), "\r\n"];
    for word in words {
        out.extend_from_slice(word.as_bytes());
    }
}

pub(super) fn write_fil(out: &mut Vec<u8>, size: u64) {
    out.extend_from_slice(b"FIL ");
    write_decimal(size, out);
    out.extend_from_slice(b"\r\n");
}
