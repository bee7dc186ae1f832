//! Lists, groups of a contact, and the two privacy settings.

use alloc::vec::Vec;
use core::fmt;

use super::GroupId;
use crate::error::Expected;
use crate::wire::{Arg, Args, Failed, LineWriter, Value, grammar, write_decimal};

/// A value that is one of a few words.
macro_rules! word_enum {
    ($(#[$doc:meta])* $Name:ident, $expected:ident { $( $(#[$vdoc:meta])* $Variant:ident = $word:literal, )* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $Name { $( $(#[$vdoc])* #[doc = concat!("(`", $word, "`)")] $Variant, )* }

        impl $Name {
            /// All values.
            pub const ALL: &'static [Self] = &[$( Self::$Variant ),*];

            /// The word on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$Variant => $word, )* }
            }

            /// From the word on the wire, in this case of letters only.
            #[must_use]
            pub fn from_word(word: &[u8]) -> Option<Self> {
                $( if word == $word.as_bytes() { return Some(Self::$Variant); } )*
                None
            }
        }

        impl core::fmt::Display for $Name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl<'a> $crate::wire::Arg<'a> for $Name {
            fn read(args: &mut $crate::wire::Args<'a>) -> Result<Self, $crate::wire::Failed> {
                args.value($crate::error::Expected::$expected, Self::from_word)
            }

            fn write(&self, line: &mut $crate::wire::LineWriter<'_, 'a>) {
                line.word(self.as_str().as_bytes());
            }

            fn value(&self) -> Option<$crate::wire::Value<'_>> {
                Some($crate::wire::Value::Word(self.as_str().as_bytes()))
            }
        }
    };
}
pub(crate) use word_enum;

word_enum! {
    /// One of the four lists of an account.
    List, List {
        /// My contacts: I want their presence.
        Forward = "FL",
        /// People who may see my presence and call me.
        Allow = "AL",
        /// People who may not.
        Block = "BL",
        /// People who have me on their forward list; only the server changes it.
        Reverse = "RL",
    }
}

word_enum! {
    /// What holds for people who are on neither the allow nor the block list.
    Privacy, Privacy {
        /// They may see my presence and call me.
        AllowOthers = "AL",
        /// They are treated as blocked.
        BlockOthers = "BL",
    }
}

word_enum! {
    /// What a client does when somebody new is on the reverse list.
    Prompt, Prompt {
        /// It asks the user.
        Ask = "A",
        /// It allows them without asking.
        Never = "N",
    }
}

/// A set of lists.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Lists(u8);

impl Lists {
    /// No list.
    pub const NONE: Self = Self(0);

    /// Whether the list is in the set.
    #[must_use]
    pub const fn has(self, list: List) -> bool {
        self.0 & (1 << list as u8) != 0
    }

    /// The set with one list more.
    #[must_use]
    pub const fn with(self, list: List) -> Self {
        Self(self.0 | 1 << list as u8)
    }

    /// The set without a list.
    #[must_use]
    pub const fn without(self, list: List) -> Self {
        Self(self.0 & !(1 << list as u8))
    }

    /// Whether no list is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The lists in the set: FL, AL, BL, RL.
    pub fn iter(self) -> impl Iterator<Item = List> {
        List::ALL.iter().copied().filter(move |list| self.has(*list))
    }
}

impl fmt::Debug for Lists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(List::as_str)).finish()
    }
}

/// The groups of a contact on the wire: one or more decimal numbers, separated by commas.
#[derive(Clone, Copy)]
pub struct Groups<'a>(Form<'a>);

#[derive(Clone, Copy)]
enum Form<'a> {
    Wire(&'a [u8]),
    Ids(&'a [GroupId]),
}

impl<'a> Groups<'a> {
    /// From numbers; none is said as group 0.
    #[must_use]
    pub const fn new(ids: &'a [GroupId]) -> Self {
        Self(if ids.is_empty() { Form::Wire(b"0") } else { Form::Ids(ids) })
    }

    /// The numbers, in the order in which they were sent.
    pub fn iter(self) -> impl Iterator<Item = GroupId> {
        let (wire, ids) = match self.0 {
            Form::Wire(wire) => (Some(wire), &[][..]),
            Form::Ids(ids) => (None, ids),
        };
        let words = wire.into_iter().flat_map(|wire| wire.split(|byte| *byte == b','));
        words.filter_map(grammar::number).map(GroupId).chain(ids.iter().copied())
    }

    /// The numbers.
    #[must_use]
    pub fn to_vec(self) -> Vec<GroupId> {
        self.iter().collect()
    }
}

/// Equal if the same numbers are meant, in the same order.
impl PartialEq for Groups<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Groups<'_> {}

impl fmt::Debug for Groups<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> Arg<'a> for Groups<'a> {
    fn read(args: &mut Args<'a>) -> Result<Self, Failed> {
        args.value(Expected::Groups, |word| {
            let mut ids = word;
            loop {
                match grammar::split_number(ids)?.1 {
                    [] => return Some(word),
                    [b',', rest @ ..] => ids = rest,
                    _ => return None,
                }
            }
        })
        .map(|word| Self(Form::Wire(word)))
    }

    fn write(&self, line: &mut LineWriter<'_, 'a>) {
        match self.0 {
            Form::Wire(wire) => line.word(wire),
            Form::Ids(ids) => {
                let out = line.begin_word();
                for (place, id) in ids.iter().enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    write_decimal(id.0, out);
                }
            }
        }
    }

    fn value(&self) -> Option<Value<'_>> {
        Some(Value::Groups(*self))
    }
}
