//! Challenges and the digests that answer them: of passwords for signing in, of codes for the client
//! program.

use md5::{Digest, Md5};
use zeroize::Zeroize;

use crate::hex;
use crate::secret::{Entropy, same};

/// The name under which clients of MSNP6 and MSNP7 answer challenges.
pub const CLIENT_ID: &str = "msmsgs@msnmsgr.com";

/// Names of client programs and the codes that go with them (msnp-wiki, hypothetic.org). The first
/// is that of MSNP6 and MSNP7; the others came later and use the same digest.
pub const CLIENTS: &[(&str, &str)] = &[
    (CLIENT_ID, "Q1P7W2E4J9R8U3S5"),
    ("PROD0038W!61ZTF9", "VT6PX?UQTM4WM%YR"),
    ("PROD0058#7IL2{QD", "QHDCY@7R1TB6W?5B"),
    ("PROD0061VRRZH@4F", "JXQ6J@TUOGYV@N0M"),
    ("PROD00504RLUG%WL", "I2EBK%PYNLZL5_J4"),
    ("PROD0076ENE8*@AW", "CEQJ8}OE0!WTSWII"),
];

/// MD5 of `challenge` followed by `secret`, in lower-case hexadecimal: the answer to the challenge
/// of a sign-in with the password as the secret, and to CHL with a client's code.
///
/// ```
/// use msnp_proto::ns::challenge::digest;
///
/// let answer = digest(b"1700000000.123456789", b"Pa55word");
/// assert_eq!(&answer, b"986e857471c90128c95e016772a9d8b0");
/// ```
#[must_use]
pub fn digest(challenge: &[u8], secret: &[u8]) -> [u8; 32] {
    let digits = digest_of(challenge, secret);
    wipe_stack();
    digits
}

/// The digest itself, in a frame of its own. The state stays where it is until it is wiped: what is
/// moved would be left behind.
#[inline(never)]
fn digest_of(challenge: &[u8], secret: &[u8]) -> [u8; 32] {
    let mut md5 = Md5::new();
    md5.update(challenge);
    md5.update(secret);
    let mut digits = [b'0'; 32];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(md5.finalize_reset()) {
        pair.copy_from_slice(&hex::lower(byte));
    }
    digits
}

/// Clears the part of the stack that the digest has used: its rounds leave pieces of the secret
/// there, and large values that are put there later would carry them on in the gaps between their
/// fields.
#[inline(never)]
fn wipe_stack() {
    let mut area = [0_u8; 1024];
    area.zeroize();
    core::hint::black_box(&mut area);
}

/// The code of a client program, if it is a known one.
#[must_use]
pub fn client_code(client_id: &[u8]) -> Option<&'static str> {
    CLIENTS.iter().find(|(id, _)| id.as_bytes() == client_id).map(|(_, code)| *code)
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
        Self { bytes: bytes.map(|byte| b'0'.saturating_add(byte % 10)) }
    }

    /// Two numbers with a dot between them, as real servers gave them.
    pub(crate) fn sign_in(entropy: &mut dyn Entropy) -> Self {
        let mut challenge = Self::program(entropy);
        if let Some(middle) = challenge.bytes.get_mut(10) {
            *middle = b'.';
        }
        challenge
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether `answer` is the digest of this challenge followed by `secret`, in either case.
    pub(crate) fn is_answered_by(&self, answer: &[u8], secret: &[u8]) -> bool {
        let mut given = [0; 32];
        let fits = answer.len() == given.len();
        for (given, digit) in given.iter_mut().zip(answer) {
            *given = digit.to_ascii_lowercase();
        }
        same(&given, &digest(&self.bytes, secret)) && fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords() {
        for (challenge, password, expected) in [
            ("1700000000.123456789", "Pa55word", "986e857471c90128c95e016772a9d8b0"),
            ("1013928519.693957190", "password", "7f919fab309532df353c901430df36fa"),
            ("989048851.1851137130", "password", "c4b26d6e3c1e077ea7f72ce010416663"),
            ("1056561624.17795", "abcdefg1234567", "483eee01d6a1de1b668cac9a0ac75d91"),
        ] {
            let answer = digest(challenge.as_bytes(), password.as_bytes());
            assert_eq!(core::str::from_utf8(&answer), Ok(expected));
        }
    }

    #[test]
    fn client_programs() {
        for (challenge, client, expected) in [
            ("20881396011366812350", CLIENT_ID, "0212eaad0876afb8505859ca75d21a78"),
            ("15570131571988941333", CLIENT_ID, "8f2f5a91b72102cd28355e9fc9000d6e"),
            ("11111111111111111111", CLIENT_ID, "3b6666b60157322b6fc6e41a115968f5"),
            ("12345678901234567890", CLIENT_ID, "8ba1bb9d6dbf624fee31a2053af5fdd0"),
            ("22299241447072743325", CLIENT_ID, "20dba7e6e9817826b9cd5240cc8add99"),
            ("20881396011366812350", "PROD0038W!61ZTF9", "b9da101e922c8e0577ba859ce6c8035c"),
        ] {
            let code = client_code(client.as_bytes()).expect("a known client");
            let answer = digest(challenge.as_bytes(), code.as_bytes());
            assert_eq!(core::str::from_utf8(&answer), Ok(expected));
        }
        assert_eq!(client_code(b"nobody"), None);
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
