//! Properties of an account: phone numbers and what goes with them.

use core::fmt;

use super::list::word_enum;
use crate::error::{CommandError, Expected};
use crate::wire::{Arg, Args, LineWriter};

word_enum! {
    /// A known property.
    Property, Property {
        /// Home phone number.
        HomePhone = "PHH",
        /// Work phone number.
        WorkPhone = "PHW",
        /// Mobile phone number.
        MobilePhone = "PHM",
        /// Whether others may page the mobile: `Y` or `N`.
        MobilePages = "MOB",
        /// Whether a mobile device is registered: `Y` or `N`.
        MobileDevice = "MBE",
    }
}

/// The key of a property on the wire: three letters, known or not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 3]);

impl Key {
    /// The property, if it is a known one.
    #[must_use]
    pub fn property(self) -> Option<Property> {
        Property::from_word(&self.0)
    }

    fn from_word(word: &[u8]) -> Option<Self> {
        let key = <[u8; 3]>::try_from(word).ok()?;
        key.iter().all(u8::is_ascii_alphabetic).then_some(Self(key))
    }
}

impl From<Property> for Key {
    fn from(property: Property) -> Self {
        let bytes = property.as_str().as_bytes();
        Self(<[u8; 3]>::try_from(bytes).unwrap_or(*b"PHH"))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl<'a> Arg<'a> for Key {
    fn read(args: &mut Args<'a>) -> Result<Self, CommandError> {
        args.value(Expected::Property, Self::from_word)
    }

    fn write(&self, line: &mut LineWriter<'_, 'a>) {
        line.word(&self.0);
    }
}
