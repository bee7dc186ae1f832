//! The envelope of a payload: lines `Name: value`, an empty line, a body.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use memchr::memchr;

use crate::wire::grammar;

/// Most lines of a header that are looked at.
pub const MAX_FIELDS: usize = 64;

/// Longest name of a header line.
pub const MAX_NAME: usize = 64;

/// A payload cut into header and body. It borrows, and copies nothing.
///
/// Whatever the bytes are, there is a view of them: what is wrong with them is
/// [`Mime::problem`], and the message can be delivered all the same.
///
/// ```
/// use msnp_proto::body::Mime;
///
/// let mime = Mime::parse(b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\nhi");
/// assert!(mime.content_type().is(b"text/plain"));
/// assert_eq!(mime.content_type().charset, Some(&b"UTF-8"[..]));
/// assert_eq!(mime.header("mime-version"), Some(&b"1.0"[..]));
/// assert_eq!(mime.body(), b"hi");
/// assert_eq!(mime.problem(), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mime<'a> {
    head: Fields<'a>,
    body: &'a [u8],
    problem: Option<MimeProblem>,
}

impl<'a> Mime<'a> {
    /// Cuts a payload at its first empty line. A line may end in LF alone. Without an empty line
    /// all of it is header.
    #[must_use]
    pub fn parse(payload: &'a [u8]) -> Self {
        let mut rest = payload;
        let mut count = 0_usize;
        let mut problem = None;
        while let Some((line, after)) = split_line(rest) {
            if line.is_empty() {
                let (head, _) = payload.split_at(payload.len().saturating_sub(rest.len()));
                return Self { head: Fields(head), body: after, problem };
            }
            count = count.saturating_add(1);
            problem = problem.or_else(|| problem_of(line, count));
            rest = after;
        }
        let problem = (!payload.is_empty()).then_some(MimeProblem::NoEmptyLine);
        Self { head: Fields(payload), body: &[], problem }
    }

    /// The value of the first header line of that name in any case of letters. It has no blanks
    /// around it; a line without a value has an empty one.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.head.get(name)
    }

    /// The header lines.
    #[must_use]
    pub const fn headers(&self) -> Fields<'a> {
        self.head
    }

    /// What follows the first empty line.
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        self.body
    }

    /// What is wrong with the envelope: that it has no end, else the first thing.
    #[must_use]
    pub const fn problem(&self) -> Option<MimeProblem> {
        self.problem
    }

    /// What the body is; with no readable header line for it, [`ContentType::UNKNOWN`].
    #[must_use]
    pub fn content_type(&self) -> ContentType<'a> {
        self.header("Content-Type").map_or(ContentType::UNKNOWN, ContentType::parse)
    }

    /// The lines of a body that has the form of a header. If the empty line is missing they are
    /// sought in the header.
    pub(super) fn body_fields(&self) -> Fields<'a> {
        if self.problem == Some(MimeProblem::NoEmptyLine) { self.head } else { Fields(self.body) }
    }
}

/// Only sizes: a payload may hold a ticket, and is somebody's letter.
impl fmt::Debug for Mime<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (head, body) = (self.head.0.len(), self.body.len());
        write!(f, "Mime({head} + {body} bytes, {:?})", self.problem)
    }
}

/// What is wrong with an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MimeProblem {
    /// There is no empty line behind the header, so there is no body.
    NoEmptyLine,
    /// A CR that no LF follows stands in the header.
    BareCarriageReturn,
    /// A line without a colon.
    NoColon,
    /// A line without a name before the colon.
    NoName,
    /// A line that begins with a blank: a continuation, of which this protocol has none.
    Folded,
    /// A name of more than [`MAX_NAME`] bytes.
    NameTooLong,
    /// More than [`MAX_FIELDS`] lines; the others are not looked at.
    TooManyFields,
}

impl fmt::Display for MimeProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoEmptyLine => "no empty line behind the header",
            Self::BareCarriageReturn => "a CR without LF in the header",
            Self::NoColon => "a header line without a colon",
            Self::NoName => "a header line without a name",
            Self::Folded => "a header line that begins with a blank",
            Self::NameTooLong => "a header name that is too long",
            Self::TooManyFields => "too many header lines",
        })
    }
}

impl core::error::Error for MimeProblem {}

/// One line `Name: value`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name as it was sent.
    pub name: &'a [u8],
    /// The value without blanks around it.
    pub value: &'a [u8],
}

impl<'a> Field<'a> {
    fn parse(line: &'a [u8]) -> Result<Self, MimeProblem> {
        if matches!(line.first(), Some(b' ' | b'\t')) {
            return Err(MimeProblem::Folded);
        }
        let colon = memchr(b':', line).ok_or(MimeProblem::NoColon)?;
        let (name, value) = line.split_at(colon);
        let name = name.trim_ascii_end();
        match name.len() {
            0 => Err(MimeProblem::NoName),
            1..=MAX_NAME => {
                Ok(Self { name, value: value.strip_prefix(b":").unwrap_or(value).trim_ascii() })
            }
            _ => Err(MimeProblem::NameTooLong),
        }
    }
}

/// Only the name and a size: a value may be a ticket.
impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ({} bytes)", self.name.escape_ascii(), self.value.len())
    }
}

/// Lines `Name: value`: a header, or a body of that form. Lines that are none are passed over, and
/// so is what stands behind the first [`MAX_FIELDS`] lines that are.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The lines of that text.
    #[must_use]
    pub const fn new(lines: &'a [u8]) -> Self {
        Self(lines)
    }

    /// The value of the first line of that name, in any case of letters.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.iter()
            .find(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
            .map(|field| field.value)
    }

    /// A value that is a plain decimal number of 32 bits; everything else is none.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u32> {
        self.get(name).and_then(grammar::number)
    }

    /// A value as text, with U+FFFD for what is not UTF-8; empty if there is none.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        self.get(name).map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default()
    }

    /// The lines in their order.
    pub fn iter(&self) -> impl Iterator<Item = Field<'a>> + use<'a> {
        let mut rest = self.0;
        let lines = core::iter::from_fn(move || {
            let (line, after) =
                split_line(rest).or_else(|| (!rest.is_empty()).then_some((rest, &[])))?;
            rest = after;
            Some(line)
        });
        lines.filter_map(|line| Field::parse(line).ok()).take(MAX_FIELDS)
    }

    /// The lines as they were sent.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The value of `Content-Type`: `type/subtype` and parameters, of which only the charset has a
/// meaning.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ContentType<'a> {
    /// `type/subtype` as it was sent, empty if there is none.
    pub essence: &'a [u8],
    /// The charset if one is stated, without quotes.
    pub charset: Option<&'a [u8]>,
}

impl<'a> ContentType<'a> {
    /// Neither known nor stated.
    pub const UNKNOWN: Self = Self { essence: &[], charset: None };

    /// Reads the value. A value that does not begin with `type/subtype`, or that has a parameter
    /// without a name, is [`ContentType::UNKNOWN`].
    ///
    /// ```
    /// use msnp_proto::body::ContentType;
    ///
    /// let plain = ContentType::parse(b"Text/Plain;charset=\"utf-8\"");
    /// assert!(plain.is(b"text/plain"));
    /// assert_eq!(plain.charset, Some(&b"utf-8"[..]));
    /// assert_eq!(ContentType::parse(b"text"), ContentType::UNKNOWN);
    /// ```
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Self {
        let mut parts = value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let essence = parts.next().unwrap_or_default();
        let slash = memchr(b'/', essence);
        if !slash.is_some_and(|slash| slash > 0 && slash.saturating_add(1) < essence.len()) {
            return Self::UNKNOWN;
        }
        let mut charset = None;
        for part in parts {
            let Some(equals) = memchr(b'=', part) else { continue };
            let (name, value) = part.split_at(equals);
            let name = name.trim_ascii_end();
            if name.is_empty() {
                return Self::UNKNOWN;
            }
            if charset.is_none() && name.eq_ignore_ascii_case(b"charset") {
                let value = value.strip_prefix(b"=").unwrap_or(value).trim_ascii();
                charset = Some(unquote(value));
            }
        }
        Self { essence, charset }
    }

    /// Whether it is that `type/subtype`, in any case of letters.
    #[must_use]
    pub fn is(&self, essence: &[u8]) -> bool {
        self.essence.eq_ignore_ascii_case(essence)
    }

    /// The subtype if the type is `text` or `application`: real servers were of two minds.
    pub(super) fn subtype(&self) -> Option<&'a [u8]> {
        let (kind, subtype) = self.essence.split_at(memchr(b'/', self.essence)?);
        let known = kind.eq_ignore_ascii_case(b"text") || kind.eq_ignore_ascii_case(b"application");
        known.then(|| subtype.strip_prefix(b"/")).flatten()
    }
}

impl fmt::Debug for ContentType<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.essence.escape_ascii())?;
        match self.charset {
            Some(charset) => write!(f, "; charset={}", charset.escape_ascii()),
            None => Ok(()),
        }
    }
}

fn unquote(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value)
}

/// The first line without its end, and what follows; `None` if no line ends here.
fn split_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (line, rest) = text.split_at(memchr(b'\n', text)?);
    Some((line.strip_suffix(b"\r").unwrap_or(line), rest.strip_prefix(b"\n").unwrap_or(rest)))
}

fn problem_of(line: &[u8], count: usize) -> Option<MimeProblem> {
    if count > MAX_FIELDS {
        return Some(MimeProblem::TooManyFields);
    }
    if memchr(b'\r', line).is_some() {
        return Some(MimeProblem::BareCarriageReturn);
    }
    Field::parse(line).err()
}

/// A value that cannot stand in a header: it holds a control character, and with it could say
/// more than one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadValue {
    /// The name of the line that it was meant for.
    pub name: &'static str,
}

impl fmt::Display for BadValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a control character in the value of {}", self.name)
    }
}

impl core::error::Error for BadValue {}

/// Refuses a value that could be more than one line.
pub(super) fn check(name: &'static str, value: &str) -> Result<(), BadValue> {
    if value.bytes().any(|byte| byte.is_ascii_control()) { Err(BadValue { name }) } else { Ok(()) }
}

/// Writes one line; a missing value as an empty one, with the blank before it. The value has been
/// checked.
pub(super) fn put_line(name: &str, value: Option<impl fmt::Display>, out: &mut Vec<u8>) {
    struct Bytes<'o>(&'o mut Vec<u8>);
    impl fmt::Write for Bytes<'_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.extend_from_slice(text.as_bytes());
            Ok(())
        }
    }
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    if let Some(value) = value {
        // Cannot fail: a vector takes everything.
        let _ = fmt::Write::write_fmt(&mut Bytes(out), format_args!("{value}"));
    }
    out.extend_from_slice(b"\r\n");
}

/// Where writers put bytes: a buffer, or a sum of lengths.
pub(super) trait Sink {
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Counts what is put into it.
#[derive(Default)]
pub(super) struct Count(pub(super) usize);

impl Sink for Count {
    fn put(&mut self, bytes: &[u8]) {
        self.0 = self.0.saturating_add(bytes.len());
    }
}

pub(super) const VERSION: &[u8] = b"MIME-Version: 1.0\r\n";
