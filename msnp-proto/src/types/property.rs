//! Properties of an account: phone numbers and what goes with them.

use core::fmt;

use super::list::word_enum;
use crate::error::Expected;
use crate::wire::{Arg, Args, Failed, LineWriter, Value};

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

/// The key of a property on the wire: three ASCII letters of either case, known or not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key(Form);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Known(Property),
    Other([u8; 3]),
}

impl Key {
    /// The property, if it is a known one.
    #[must_use]
    pub const fn property(self) -> Option<Property> {
        match self.0 {
            Form::Known(property) => Some(property),
            Form::Other(_) => None,
        }
    }

    pub(crate) fn from_word(word: &[u8]) -> Option<Self> {
        if let Some(property) = Property::from_word(word) {
            return Some(property.into());
        }
        let key = <[u8; 3]>::try_from(word).ok()?;
        key.iter().all(u8::is_ascii_alphabetic).then_some(Self(Form::Other(key)))
    }

    fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Form::Known(property) => property.as_str().as_bytes(),
            Form::Other(key) => key,
        }
    }
}

impl From<Property> for Key {
    fn from(property: Property) -> Self {
        Self(Form::Known(property))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_bytes().escape_ascii())
    }
}

impl<'a> Arg<'a> for Key {
    fn read(args: &mut Args<'a>) -> Result<Self, Failed> {
        args.value(Expected::Property, Self::from_word)
    }

    fn write(&self, line: &mut LineWriter<'_, 'a>) {
        line.word(self.as_bytes());
    }

    fn value(&self) -> Option<Value<'_>> {
        Some(Value::Word(self.as_bytes()))
    }
}
