//! `text/plain`: what people say.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use memchr::{memchr, memchr2};

use super::format::Format;
use super::mime::{Count, Mime, Sink, VERSION};

/// A text as an owned value.
///
/// ```
/// use msnp_proto::body::{Format, Message, Text, text};
///
/// let mut payload = Vec::new();
/// text::write(&mut payload, &Format::ARIAL, "Hello,\nBob!");
/// assert_eq!(payload.len(), text::payload_len(&Format::ARIAL, "Hello,\nBob!"));
///
/// let Message::Text(view) = Message::parse(&payload) else { panic!() };
/// assert_eq!(view.to_text(), Text::new("Hello,\nBob!"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Text {
    /// What was said. Lines are separated by LF, whatever the sender put there. It may hold other
    /// control characters: show it escaped.
    pub content: String,
    /// How it should look.
    pub format: Format,
    /// The coding that it came in.
    pub charset: Charset,
    /// The whole payload as it came, if `content` and `format` do not say all of it: the charset is
    /// unknown, bytes were replaced by U+FFFD, or a part of the format could not be read.
    pub raw: Option<Vec<u8>>,
}

impl Text {
    /// A text in UTF-8 and [`Format::ARIAL`].
    #[must_use]
    pub fn new(content: impl Into<String>) -> Self {
        let (format, charset) = (Format::ARIAL, Charset::Utf8);
        Self { content: content.into(), format, charset, raw: None }
    }
}

/// The coding of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Charset {
    /// UTF-8, or US-ASCII which is a part of it. Bytes that are not become U+FFFD.
    Utf8,
    /// ISO 8859-1.
    Latin1,
    /// None was stated, which means ISO 8859-1 (hypothetic.org).
    Unstated,
    /// One that is not known here. The text is read as UTF-8.
    Unknown,
}

impl Charset {
    /// From the parameter of the content type.
    #[must_use]
    pub fn from_name(name: Option<&[u8]>) -> Self {
        let Some(name) = name else { return Self::Unstated };
        let is = |names: &[&str]| names.iter().any(|n| name.eq_ignore_ascii_case(n.as_bytes()));
        if is(&["UTF-8", "UTF8", "US-ASCII", "ASCII"]) {
            Self::Utf8
        } else if is(&["ISO-8859-1", "ISO8859-1", "ISO_8859-1", "latin1"]) {
            Self::Latin1
        } else {
            Self::Unknown
        }
    }
}

/// A text as it stands in a payload.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TextView<'a> {
    mime: Mime<'a>,
    payload: &'a [u8],
    charset: Charset,
}

impl<'a> TextView<'a> {
    pub(super) const fn new(payload: &'a [u8], mime: Mime<'a>, charset: Charset) -> Self {
        Self { mime, payload, charset }
    }

    /// The envelope.
    #[must_use]
    pub const fn mime(&self) -> Mime<'a> {
        self.mime
    }

    /// The bytes of the text as they were sent.
    #[must_use]
    pub const fn content(&self) -> &'a [u8] {
        self.mime.body()
    }

    /// Their coding.
    #[must_use]
    pub const fn charset(&self) -> Charset {
        self.charset
    }

    /// The value of `X-MMS-IM-Format` as it was sent.
    #[must_use]
    pub fn format_header(&self) -> Option<&'a [u8]> {
        self.mime.header("X-MMS-IM-Format")
    }

    /// How the text should look; without a header line for it, all default.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format_header().map(Format::parse).unwrap_or_default()
    }

    /// The text as an owned value. Text in UTF-8 is copied once and nothing else is.
    #[must_use]
    pub fn to_text(&self) -> Text {
        let (format, readable) = self.read_format();
        owned(self.payload, self.content(), format, readable, self.charset)
    }

    fn read_format(&self) -> (Format, bool) {
        self.format_header().map_or((Format::default(), true), Format::read)
    }
}

fn owned(payload: &[u8], body: &[u8], format: Format, readable: bool, charset: Charset) -> Text {
    let (content, faithful) = decode(body, charset);
    let faithful = faithful && readable && charset != Charset::Unknown;
    let raw = (!faithful).then(|| payload.to_vec());
    Text { content, format, charset, raw }
}

/// The header of the last text that came, read once: people send the same with every text.
#[derive(Debug, Default)]
pub(crate) struct LastHeader {
    head: Vec<u8>,
    format: Format,
    charset: Option<Charset>,
    readable: bool,
}

/// Longest header that is remembered.
const REMEMBERED: usize = 256;

impl LastHeader {
    /// The text, if its payload begins with the header of the last one.
    pub(crate) fn text(&self, payload: &[u8]) -> Option<Text> {
        let charset = self.charset?;
        let body = payload.strip_prefix(&*self.head)?;
        Some(owned(payload, body, self.format, self.readable, charset))
    }

    /// The text, with its header kept for the next one.
    pub(crate) fn remember(&mut self, view: &TextView<'_>) -> Text {
        let (format, readable) = view.read_format();
        let head = view.payload.len().saturating_sub(view.content().len());
        let head = view.payload.get(..head).filter(|head| head.len() <= REMEMBERED);
        self.head.clear();
        self.head.extend_from_slice(head.unwrap_or_default());
        (self.format, self.readable) = (format, readable);
        self.charset = head.map(|_| view.charset);
        view.to_text()
    }
}

/// Only sizes: it is somebody's letter.
impl fmt::Debug for TextView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TextView({} bytes, {:?})", self.content().len(), self.charset)
    }
}

/// The text with LF between lines, and whether nothing had to be replaced.
fn decode(bytes: &[u8], charset: Charset) -> (String, bool) {
    let text = match core::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() || matches!(charset, Charset::Utf8 | Charset::Unknown) => text,
        _ if matches!(charset, Charset::Latin1 | Charset::Unstated) => {
            let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
            return (with_line_feeds(&text), true);
        }
        _ => return (with_line_feeds(&String::from_utf8_lossy(bytes)), false),
    };
    (with_line_feeds(text), true)
}

/// A copy with CRLF and CR as LF.
fn with_line_feeds(text: &str) -> String {
    if memchr(b'\r', text.as_bytes()).is_none() {
        return String::from(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut parts = text.split('\r');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        out.push('\n');
        out.push_str(part.strip_prefix('\n').unwrap_or(part));
    }
    out
}

/// Appends the payload of a text: UTF-8, with every CR, LF and CRLF as CRLF.
pub fn write(out: &mut Vec<u8>, format: &Format, content: &str) {
    put(out, format, content);
}

/// How many bytes [`write()`] appends. A switchboard takes at most
/// [`SWITCHBOARD_PAYLOAD`](crate::limits::SWITCHBOARD_PAYLOAD).
#[must_use]
pub fn payload_len(format: &Format, content: &str) -> usize {
    let mut count = Count::default();
    put(&mut count, format, content);
    count.0
}

/// The first part of what [`write()`] appends, up to the empty line.
pub(crate) fn write_head(out: &mut Vec<u8>, format: &Format) {
    put_head(out, format);
}

/// The second part of what [`write()`] appends.
pub(crate) fn write_body(out: &mut Vec<u8>, content: &str) {
    put_body(out, content);
}

fn put(out: &mut impl Sink, format: &Format, content: &str) {
    put_head(out, format);
    put_body(out, content);
}

fn put_head(out: &mut impl Sink, format: &Format) {
    out.put(VERSION);
    out.put(b"Content-Type: text/plain; charset=UTF-8\r\nX-MMS-IM-Format: ");
    format.put(out);
    out.put(b"\r\n\r\n");
}

fn put_body(out: &mut impl Sink, content: &str) {
    let mut rest = content.as_bytes();
    while let Some((line, after)) = memchr2(b'\r', b'\n', rest).map(|end| rest.split_at(end)) {
        out.put(line);
        out.put(b"\r\n");
        rest = match after {
            [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => rest,
            [] => &[],
        };
    }
    out.put(rest);
}
