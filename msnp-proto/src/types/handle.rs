//! Account names.

use alloc::string::String;
use alloc::sync::Arc;
use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use memchr::memchr;

use crate::error::{Expected, Misuse};
use crate::limits;
use crate::wire::{Arg, Args, Failed, LineWriter, Value};

/// An account name as it stands on the wire: a word that need not be a valid [`Handle`], never
/// percent-encoded. Equal in any case of letters.
#[derive(Clone, Copy)]
pub struct Account<'a>(&'a [u8]);

impl<'a> Account<'a> {
    /// A word of one or more bytes without blanks and line ends.
    #[must_use]
    pub fn new(word: &'a [u8]) -> Option<Self> {
        super::Token::new(word).map(|word| Self(word.as_bytes()))
    }

    /// The bytes as they were sent.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The account as a checked value.
    #[must_use]
    pub fn to_handle(self) -> Option<Handle> {
        core::str::from_utf8(self.0).ok().and_then(Handle::new)
    }

    /// The key under which this account is found in a map of handles.
    pub(crate) fn folded(self) -> Option<Folded> {
        Folded::new(self.0)
    }

    /// Reads a word that is an account for sure: it has an `@`.
    pub(crate) fn read_address(args: &mut Args<'a>) -> Result<Self, Failed> {
        args.value(Expected::Account, |word| memchr(b'@', word).is_some().then_some(Self(word)))
    }

    /// Reads an account behind words that do not belong there: the first word with an `@`, or else
    /// the first word.
    pub(crate) fn find(args: &mut Args<'a>) -> Result<Self, Failed> {
        let mut ahead = *args;
        while let Ok(word) = ahead.word(Expected::Account) {
            if memchr(b'@', word).is_some() {
                *args = ahead;
                return Ok(Self(word));
            }
        }
        Self::read(args)
    }

    /// Whether this is that account: letters match in any case.
    #[must_use]
    pub fn is(self, handle: &Handle) -> bool {
        self.0.eq_ignore_ascii_case(handle.as_str().as_bytes())
    }
}

impl<'a> From<&'a Handle> for Account<'a> {
    fn from(handle: &'a Handle) -> Self {
        Self(handle.as_str().as_bytes())
    }
}

impl PartialEq for Account<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for Account<'_> {}

impl fmt::Debug for Account<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl<'a> Arg<'a> for Account<'a> {
    fn read(args: &mut Args<'a>) -> Result<Self, Failed> {
        args.word(Expected::Account).map(Self)
    }

    fn write(&self, line: &mut LineWriter<'_, 'a>) {
        line.word(self.0);
    }

    fn value(&self) -> Option<Value<'_>> {
        Some(Value::Word(self.0))
    }
}

/// A checked account name: `local@domain` in printable ASCII, at most
/// [`limits::HANDLE`] bytes. Compared without regard to the case of letters; the spelling is kept.
/// Copies share one allocation.
///
/// ```
/// use msnp_proto::types::Handle;
///
/// let bob = Handle::new("Bob@example.net").unwrap();
/// assert_eq!(bob, Handle::new("bob@EXAMPLE.net").unwrap());
/// assert_eq!(bob.as_str(), "Bob@example.net");
/// assert_eq!(Handle::new("@@a"), None);
/// assert_eq!(Handle::new("bob@example.net\r\nOUT"), None);
/// ```
#[derive(Clone)]
pub struct Handle {
    /// The spelling, followed by the same in lower case if that is not the same.
    text: Arc<str>,
    /// Length of the spelling; at most [`limits::HANDLE`].
    len: u8,
}

/// A name in lower case, on the stack: the key under which a [`Handle`] is found in a map.
#[derive(Clone, Copy)]
pub(crate) struct Folded {
    bytes: [u8; limits::HANDLE],
    len: usize,
}

impl Folded {
    /// `None` if the name is too long to be one.
    pub(crate) fn new(name: &[u8]) -> Option<Self> {
        let mut bytes = [0; limits::HANDLE];
        let folded = bytes.get_mut(..name.len())?;
        folded.copy_from_slice(name);
        folded.make_ascii_lowercase();
        Some(Self { bytes, len: name.len() })
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl Handle {
    /// Checks and copies a name.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let (local, domain) = text.split_once('@')?;
        let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
        let fits = text.len() <= limits::HANDLE
            && printable
            && !local.is_empty()
            && !domain.is_empty()
            && !domain.contains('@');
        if !fits {
            return None;
        }
        let len = u8::try_from(text.len()).ok()?;
        let text = if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            let mut both = String::with_capacity(text.len().saturating_mul(2));
            both.push_str(text);
            both.push_str(&text.to_ascii_lowercase());
            Arc::from(both)
        } else {
            Arc::from(text)
        };
        Some(Self { text, len })
    }

    /// The name in the spelling that was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The name in lower case.
    pub(crate) fn folded(&self) -> &[u8] {
        let text = self.text.as_bytes();
        match text.get(usize::from(self.len)..) {
            None | Some([]) => text,
            Some(folded) => folded,
        }
    }
}

impl FromStr for Handle {
    type Err = Misuse;

    fn from_str(text: &str) -> Result<Self, Misuse> {
        Self::new(text).ok_or(Misuse::Invalid(Expected::Account))
    }
}

impl Borrow<[u8]> for Handle {
    /// The name in lower case, which is how handles are ordered.
    fn borrow(&self) -> &[u8] {
        self.folded()
    }
}

impl PartialEq for Handle {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.text, &other.text) || self.folded() == other.folded()
    }
}

impl Eq for Handle {}

impl Ord for Handle {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(other.folded())
    }
}

impl PartialOrd for Handle {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Handle {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded().hash(state);
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_limited_to_what_the_draft_allows() {
        let of = |len: usize| {
            let mut text = String::from("@example.net");
            while text.len() < len {
                text.insert(0, 'a');
            }
            Handle::new(&text)
        };
        assert!(of(limits::HANDLE).is_some());
        assert!(of(limits::HANDLE + 1).is_none());
    }

    #[test]
    fn what_cannot_be_one_word_is_refused() {
        for text in ["", "bob", "@", "a@", "@b", "a@@b", "a b@c.d", "a@b\n", "a@b\0", "é@b.c"] {
            assert_eq!(Handle::new(text), None, "{text:?}");
        }
    }
}
