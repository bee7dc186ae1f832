//! The server's side of signing in, as transitions: a state is consumed, what follows is returned.
//!
//! ```text
//! New ── VER ──> Versioned ── USR I ──> Challenged ── USR S ──> to be verified
//!  │                 │
//!  └─ only CVR0 ──> UpdateOnly ── CVQ ──> closed
//! ```
//!
//! This module knows what may be said when, and writes the answers that need nothing else. Accounts,
//! passwords and addresses are its caller's.

use alloc::vec::Vec;

use super::challenge::Challenge;
use super::{Reply, Request};
use crate::secret::Entropy;
use crate::types::{Dialect, ErrorCode, ErrorReply, Handle, Packages, Token, TrId, Words};

/// How far a connection has come with signing in.
#[derive(Clone, Debug)]
pub(crate) enum SignIn {
    /// Nothing was said.
    New,
    /// The dialect is agreed.
    Versioned { dialect: Dialect },
    /// There is no common dialect, but the client may ask for news of itself.
    UpdateOnly,
    /// The account is named, the challenge is on its way.
    Challenged { dialect: Dialect, account: Option<Handle>, challenge: Challenge },
}

/// What follows a command.
#[derive(Debug)]
pub(crate) enum Next<'a> {
    /// The answer is written; this is the state now.
    Stay(SignIn),
    /// The client is to be referred to the notification server and let go.
    Refer { trid: TrId, dialect: Dialect },
    /// The digest is to be checked.
    Verify {
        trid: TrId,
        dialect: Dialect,
        account: Option<Handle>,
        challenge: Challenge,
        digest: Token<'a>,
    },
    /// The client reports its version and is to be told the same.
    Report { state: SignIn, trid: TrId, report: Words<'a>, queried: bool },
    /// It says goodbye.
    Leave,
    /// The answer is written and was the last: no common dialect.
    NoVersion,
    /// The command has no meaning here; the answer is written and was the last.
    Unexpected,
}

/// What signing in needs to know of the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Door<'c> {
    /// The dialects that are spoken.
    pub(crate) dialects: &'c [Dialect],
    /// Whether people are referred instead of signed in.
    pub(crate) refers: bool,
}

impl SignIn {
    /// Takes one command.
    pub(crate) fn on_request<'a>(
        self,
        request: Request<'a>,
        door: Door<'_>,
        entropy: &mut dyn Entropy,
        out: &mut Vec<u8>,
    ) -> Next<'a> {
        let state = match (self, &request) {
            // The client of Gaim in 2000 says VER to the dispatch server alone.
            (Self::New, Request::UsrInitial { .. }) if door.dialects.contains(&Dialect::Msnp2) => {
                Self::Versioned { dialect: Dialect::Msnp2 }
            }
            (state, _) => state,
        };
        match (state, request) {
            (Self::New, Request::Ver { trid, dialects }) => on_versions(trid, dialects, door, out),
            (state @ Self::Versioned { .. }, Request::Inf { trid }) => {
                inform(trid, out);
                Next::Stay(state)
            }
            (Self::Versioned { dialect }, Request::UsrInitial { trid, .. }) if door.refers => {
                Next::Refer { trid, dialect }
            }
            (
                Self::Versioned { dialect } | Self::Challenged { dialect, .. },
                Request::UsrInitial { trid, account },
            ) => {
                // Whether there is such an account makes no difference here, nor does its form.
                let challenge = Challenge::sign_in(entropy);
                if let Some(challenge) = Token::new(challenge.as_bytes()) {
                    Reply::UsrChallenge { trid, challenge }.encode(out);
                }
                Next::Stay(Self::Challenged { dialect, account: account.to_handle(), challenge })
            }
            (
                Self::Challenged { dialect, account, challenge },
                Request::UsrDigest { trid, digest },
            ) => Next::Verify { trid, dialect, account, challenge, digest },
            (
                state @ (Self::Versioned { .. } | Self::Challenged { .. }),
                Request::Cvr { trid, report },
            ) => Next::Report { state, trid, report, queried: false },
            (Self::UpdateOnly, Request::Cvq { trid, report }) => {
                Next::Report { state: Self::UpdateOnly, trid, report, queried: true }
            }
            (state, Request::Png {}) => {
                Reply::Qng {}.encode(out);
                Next::Stay(state)
            }
            (_, Request::Out {}) => Next::Leave,
            (_, request) => {
                let trid = request.trid();
                ErrorReply { code: ErrorCode::NOT_EXPECTED, trid }.encode(out);
                Next::Unexpected
            }
        }
    }
}

/// Every dialect in common in the order offered, and `CVR0` if it was offered: that pleases the
/// official client, which takes the first, and those that look for one word in the answer.
fn on_versions<'a>(trid: TrId, offered: Words<'_>, door: Door<'_>, out: &mut Vec<u8>) -> Next<'a> {
    let mut agreed: Vec<u8> = Vec::new();
    let mut dialect: Option<Dialect> = None;
    let mut reports = false;
    for word in offered.iter() {
        let known = Dialect::from_word(word).filter(|known| door.dialects.contains(known));
        let name = match known {
            Some(known) => known.as_str(),
            None if word.eq_ignore_ascii_case(b"CVR0") => "CVR0",
            None => continue,
        };
        reports |= known.is_none();
        dialect = dialect.or(known);
        let repeated = agreed.split(|byte| *byte == b' ').any(|word| word == name.as_bytes());
        if !repeated {
            agreed.push(b' ');
            agreed.extend_from_slice(name.as_bytes());
        }
    }
    let none = &b"0"[..];
    let words = if agreed.is_empty() { none } else { &agreed };
    if let Some(dialects) = Words::new(words) {
        Reply::Ver { trid, dialects }.encode(out);
    }
    match dialect {
        Some(dialect) => Next::Stay(SignIn::Versioned { dialect }),
        None if reports => Next::Stay(SignIn::UpdateOnly),
        None => Next::NoVersion,
    }
}

fn inform(trid: TrId, out: &mut Vec<u8>) {
    if let Some(md5) = Words::new(b"MD5") {
        Reply::Inf { trid, packages: Packages(md5) }.encode(out);
    }
}
