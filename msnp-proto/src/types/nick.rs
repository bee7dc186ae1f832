//! Display names.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use crate::error::Expected;
use crate::limits;
use crate::wire::percent::{self, decode_bytes};
use crate::wire::{Arg, Args, Failed, LineWriter, Value};

/// A display name on a line: percent-encoded as it came, or text that will be encoded. Group names,
/// phone numbers and search terms are coded in the same way. Any length; limits are for those who know
/// what it names, such as [`limits::NICK`].
#[derive(Clone, Copy)]
pub struct Name<'a>(Form<'a>);

#[derive(Clone, Copy)]
enum Form<'a> {
    Wire(&'a [u8]),
    Text(&'a str),
}

impl<'a> Name<'a> {
    /// A name from text; it is encoded when it is written. Empty text cannot be a word.
    #[must_use]
    pub fn from_text(text: &'a str) -> Option<Self> {
        (!text.is_empty()).then_some(Self(Form::Text(text)))
    }

    /// The decoded name. Broken escapes stay, bytes that are not UTF-8 become U+FFFD. It may hold
    /// control characters: never show or send it raw.
    #[must_use]
    pub fn to_text(self) -> String {
        match self.0 {
            Form::Wire(wire) => percent::decode(wire),
            Form::Text(text) => String::from(text),
        }
    }

    /// The length of the encoded form as it is on the wire.
    #[must_use]
    pub fn encoded_len(self) -> usize {
        match self.0 {
            Form::Wire(wire) => wire.len(),
            Form::Text(text) => match percent::encoded_len(text) {
                len if len <= limits::NICK => len,
                _ => percent::shortest_len(text),
            },
        }
    }

    /// The name as an owned value.
    #[must_use]
    pub fn to_nick(self) -> Nick {
        Nick(Arc::from(self.to_text()))
    }
}

impl<'a> From<&'a Nick> for Name<'a> {
    fn from(nick: &'a Nick) -> Self {
        Self(Form::Text(&nick.0))
    }
}

/// Equal if the same bytes are meant, in whatever coding.
impl PartialEq for Name<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.0, other.0) {
            (Form::Wire(a), Form::Wire(b)) => decode_bytes(a).eq(decode_bytes(b)),
            (Form::Text(text), Form::Wire(wire)) | (Form::Wire(wire), Form::Text(text)) => {
                decode_bytes(wire).eq(text.bytes())
            }
            (Form::Text(a), Form::Text(b)) => a == b,
        }
    }
}

impl Eq for Name<'_> {}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_text())
    }
}

impl<'a> Arg<'a> for Name<'a> {
    fn read(args: &mut Args<'a>) -> Result<Self, Failed> {
        args.word(Expected::Name).map(|word| Self(Form::Wire(word)))
    }

    fn write(&self, line: &mut LineWriter<'_, 'a>) {
        let out = line.begin_word();
        match self.0 {
            // What came in another coding goes out in ours.
            Form::Wire(wire) => percent::encode_bytes(decode_bytes(wire), out),
            Form::Text(text) => percent::encode_within(limits::NICK, text, out),
        }
    }

    fn value(&self) -> Option<Value<'_>> {
        Some(Value::Name(*self))
    }
}

/// A display name as people see it. It may hold control characters: show it escaped.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Nick(Arc<str>);

impl Nick {
    /// A name that can be sent: not empty, at most [`limits::NICK`] bytes on the wire. What is beyond
    /// ASCII is encoded if there is room for that, three bytes for each of its own, and goes as it is
    /// if not.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let fits = !text.is_empty() && percent::shortest_len(text) <= limits::NICK;
        fits.then(|| Self(Arc::from(text)))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of an account that has none: the account itself.
    #[must_use]
    pub fn of_handle(handle: &super::Handle) -> Self {
        Self(Arc::from(handle.as_str()))
    }

    pub(crate) fn is(&self, name: Name<'_>) -> bool {
        match name.0 {
            Form::Text(text) => text == &*self.0,
            Form::Wire(wire) if wire == self.0.as_bytes() => !wire.contains(&b'%'),
            Form::Wire(wire) => decode_bytes(wire).eq(self.0.bytes()),
        }
    }
}

impl fmt::Display for Nick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Nick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &self.0)
    }
}
