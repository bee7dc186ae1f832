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

use md5::{Digest, Md5};

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
        match (self, request) {
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

/// Digits that nobody can guess, and what they must be answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    bytes: [u8; 20],
}

impl Challenge {
    /// Twenty decimal digits: a challenge for the client program.
    pub(crate) fn program(entropy: &mut dyn Entropy) -> Self {
        let mut bytes = [0; 20];
        entropy.fill(&mut bytes);
        // 256 is no multiple of 10; a digit being a little likelier than another is no help here:
        // about 66 bits remain.
        Self { bytes: bytes.map(|byte| b'0' + byte % 10) }
    }

    /// Two numbers with a dot between them, as real servers gave them.
    fn sign_in(entropy: &mut dyn Entropy) -> Self {
        let mut challenge = Self::program(entropy);
        if let Some(middle) = challenge.bytes.get_mut(10) {
            *middle = b'.';
        }
        challenge
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether `digest` is that of this challenge followed by `secret`, in digits of either case.
    pub(crate) fn is_answered_by(&self, digest: &[u8], secret: &[u8]) -> bool {
        let mut given = [0; 32];
        let fits = digest.len() == given.len();
        for (given, digit) in given.iter_mut().zip(digest) {
            *given = digit.to_ascii_lowercase();
        }
        let right = digest_of(&self.bytes, secret);
        crate::secret::same(&given, &right) && fits
    }
}

/// The MD5 of a challenge and a secret in lower-case hexadecimal.
fn digest_of(challenge: &[u8], secret: &[u8]) -> [u8; 32] {
    let mut md5 = Md5::new();
    md5.update(challenge);
    md5.update(secret);
    let mut digits = [0; 32];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(md5.finalize()) {
        pair.copy_from_slice(&hex(byte));
    }
    digits
}

/// A byte as two lower-case hexadecimal digits.
pub(crate) const fn hex(byte: u8) -> [u8; 2] {
    const fn digit(nibble: u8) -> u8 {
        if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
    }
    [digit(byte >> 4), digit(byte & 15)]
}

/// The public code of a client program, by the name that it gives in QRY.
pub(crate) fn program_code(client_id: &[u8]) -> Option<&'static str> {
    PROGRAMS.iter().find(|(id, _)| id.as_bytes() == client_id).map(|(_, code)| *code)
}

/// The client of MSNP6 and 7 first, then those of the dialects after it.
const PROGRAMS: &[(&str, &str)] = &[
    ("msmsgs@msnmsgr.com", "Q1P7W2E4J9R8U3S5"),
    ("PROD0038W!61ZTF9", "VT6PX?UQTM4WM%YR"),
    ("PROD0058#7IL2{QD", "QHDCY@7R1TB6W?5B"),
    ("PROD0061VRRZH@4F", "JXQ6J@TUOGYV@N0M"),
    ("PROD00504RLUG%WL", "I2EBK%PYNLZL5_J4"),
    ("PROD0076ENE8*@AW", "CEQJ8}OE0!WTSWII"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_that_clients_send() {
        for (challenge, secret, digest) in [
            ("1700000000.123456789", "Pa55word", "986e857471c90128c95e016772a9d8b0"),
            ("989048851.1851137130", "password", "c4b26d6e3c1e077ea7f72ce010416663"),
            ("20881396011366812350", "Q1P7W2E4J9R8U3S5", "0212eaad0876afb8505859ca75d21a78"),
            ("20881396011366812350", "VT6PX?UQTM4WM%YR", "b9da101e922c8e0577ba859ce6c8035c"),
        ] {
            let right = digest_of(challenge.as_bytes(), secret.as_bytes());
            assert_eq!(core::str::from_utf8(&right), Ok(digest));
        }
    }

    #[test]
    fn answers_may_be_in_either_case_and_must_be_whole() {
        let challenge = Challenge { bytes: *b"1700000000.123456789" };
        let right = b"986e857471c90128c95e016772a9d8b0";
        let is_answered = |digest: &[u8]| challenge.is_answered_by(digest, b"Pa55word");
        assert!(is_answered(right));
        assert!(is_answered(&right.to_ascii_uppercase()));
        assert!(!is_answered(&right[..31]));
        assert!(!is_answered(&[&right[..], b"0"].concat()));
        assert!(!is_answered(b""));
        assert!(!is_answered(b"986e857471c90128c95e016772a9d8b1"));
    }
}
