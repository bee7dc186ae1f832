//! The cookie that shows that a connection is the one that was agreed on.

use alloc::string::ToString;
use core::fmt;

use crate::secret::{Secret, same};
use crate::wire::grammar;

/// The number by which a connection for a file is known: whoever listens makes it up and tells it in
/// the chat, and the receiver says it in `USR`. No `Debug` prints it.
///
/// Some clients send what is not a number of 32 bits, so it is a text that is given back as it came.
///
/// ```
/// use msnp_proto::ftp::AuthCookie;
///
/// let cookie = AuthCookie::new(93301);
/// assert!(cookie.matches(b"93301") && cookie.matches(b"093301") && !cookie.matches(b"93302"));
/// assert_eq!(format!("{cookie:?}"), "AuthCookie(..)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct AuthCookie(Secret);

impl AuthCookie {
    /// Most bytes of a cookie: as many as the longest number of 64 bits has.
    pub const MAX: usize = 20;

    /// A cookie of our own. Draw it from 1 to 2,147,483,647 so that every client can read it, and
    /// so that nobody can guess it.
    #[must_use]
    pub fn new(number: u32) -> Self {
        Self(Secret::from(number.to_string()))
    }

    /// A cookie as a peer gave it: one word of printable ASCII, 1 to [`AuthCookie::MAX`] bytes.
    #[must_use]
    pub fn from_text(text: &[u8]) -> Option<Self> {
        let fits = (1..=Self::MAX).contains(&text.len()) && text.iter().all(u8::is_ascii_graphic);
        let text = core::str::from_utf8(text).ok().filter(|_| fits)?;
        Some(Self(Secret::from(text)))
    }

    /// Whether a word is this cookie: the same number of 32 bits, or else the same text.
    #[must_use]
    pub fn matches(&self, word: &[u8]) -> bool {
        let own = self.expose().as_bytes();
        match (grammar::number(own), grammar::number(word)) {
            (Some(own), Some(other)) => own == other,
            _ => same(own, word),
        }
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for AuthCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthCookie(..)")
    }
}
