//! A frame: one command line and, for some verbs, the payload that follows it.

use core::fmt;

use super::argument::{Arg, Args};
use super::grammar;
use crate::types::TrId;

/// One command as it was cut from the stream, borrowed from where it was read.
///
/// The bytes are those that were sent: blanks, upper and lower case, broken coding and all. What a
/// decoder gives out has a line without LF that is not blank and is within
/// [`Limits::line`](crate::limits::Limits::line), and a payload of exactly the length that the line
/// announces, within [`Limits::payload`](crate::limits::Limits::payload).
///
/// ```
/// use msnp_proto::wire::Frame;
///
/// let frame = Frame::new(b"XYZ 7  a b", None);
/// assert_eq!(frame.verb().unwrap().to_string(), "XYZ");
/// assert_eq!(frame.trid(), Some(7.into()));
/// assert_eq!(frame.words().count(), 4);
/// assert_eq!(Frame::new(b"HTTP/1.1 200 OK", None).verb(), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    line: &'a [u8],
    payload: Option<&'a [u8]>,
}

impl<'a> Frame<'a> {
    /// A frame of a line without its line end, and its payload if its verb carries one.
    #[must_use]
    pub const fn new(line: &'a [u8], payload: Option<&'a [u8]>) -> Self {
        Self { line, payload }
    }

    /// The line without its line end. With a payload, its last word is the payload's length.
    #[must_use]
    pub const fn line(self) -> &'a [u8] {
        self.line
    }

    /// The payload, if this verb carries one in this direction.
    #[must_use]
    pub const fn payload(self) -> Option<&'a [u8]> {
        self.payload
    }

    /// All words of the line, the verb first: what stands between blanks and tabs.
    pub fn words(self) -> impl Iterator<Item = &'a [u8]> {
        self.line.split(|byte| grammar::is_blank(*byte)).filter(|word| !word.is_empty())
    }

    /// The first word of the line, whatever it is; empty if there is none.
    #[must_use]
    pub fn word(self) -> &'a [u8] {
        self.words().next().unwrap_or_default()
    }

    /// The first word, if it has the form of a command: three bytes.
    #[must_use]
    pub fn verb(self) -> Option<Verb> {
        grammar::split_verb(self.line).map(|(verb, _)| Verb::new(verb))
    }

    /// The first argument, if it is a transaction id: to answer what cannot be read otherwise. The
    /// length of a payload is none.
    #[must_use]
    pub fn trid(self) -> Option<TrId> {
        TrId::read(&mut Args::new(self)?).ok()
    }
}

/// The first word and the sizes; arguments and payloads may hold secrets.
impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.word();
        let shown = word.get(..8).unwrap_or(word);
        write!(f, "Frame({}, {} bytes", shown.escape_ascii(), self.line.len())?;
        if let Some(payload) = self.payload {
            write!(f, " + {}", payload.len())?;
        }
        f.write_str(")")
    }
}

/// The three bytes that name a command: capital letters, or digits for an error. Other bytes are
/// kept too: they make a verb that nobody knows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Verb([u8; 3]);

impl Verb {
    /// The verb of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 3]) -> Self {
        Self(bytes)
    }

    pub(crate) const ACK: Self = Self(*b"ACK");
    pub(crate) const ADD: Self = Self(*b"ADD");
    pub(crate) const BLP: Self = Self(*b"BLP");
    pub(crate) const BPR: Self = Self(*b"BPR");
    pub(crate) const BYE: Self = Self(*b"BYE");
    pub(crate) const CAL: Self = Self(*b"CAL");
    pub(crate) const CHG: Self = Self(*b"CHG");
    pub(crate) const CHL: Self = Self(*b"CHL");
    pub(crate) const CVR: Self = Self(*b"CVR");
    pub(crate) const FND: Self = Self(*b"FND");
    pub(crate) const FLN: Self = Self(*b"FLN");
    pub(crate) const GTC: Self = Self(*b"GTC");
    pub(crate) const ILN: Self = Self(*b"ILN");
    pub(crate) const IRO: Self = Self(*b"IRO");
    pub(crate) const JOI: Self = Self(*b"JOI");
    pub(crate) const LSG: Self = Self(*b"LSG");
    pub(crate) const LST: Self = Self(*b"LST");
    pub(crate) const MSG: Self = Self(*b"MSG");
    pub(crate) const NAK: Self = Self(*b"NAK");
    pub(crate) const NLN: Self = Self(*b"NLN");
    pub(crate) const PRP: Self = Self(*b"PRP");
    pub(crate) const QRY: Self = Self(*b"QRY");
    pub(crate) const RNG: Self = Self(*b"RNG");
    pub(crate) const SYN: Self = Self(*b"SYN");
    pub(crate) const URL: Self = Self(*b"URL");
    pub(crate) const USR: Self = Self(*b"USR");
    pub(crate) const XFR: Self = Self(*b"XFR");

    /// The bytes as they are on the wire.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 3] {
        &self.0
    }

    /// The bytes as one number, so that a verb is found by one comparison.
    pub(crate) const fn code(self) -> u32 {
        let [a, b, c] = self.0;
        u32::from_be_bytes([0, a, b, c])
    }
}

/// The bytes, escaped where they are not printable ASCII.
impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
