//! Numbers: transaction ids, list versions, group ids.

use core::fmt;

use crate::error::Expected;
use crate::wire::{Arg, Args, Failed, LineWriter, Value};

macro_rules! numbers {
    ($( $(#[$doc:meta])* $Name:ident, $expected:ident; )*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $Name(pub u32);

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<u32> for $Name {
            fn from(value: u32) -> Self {
                Self(value)
            }
        }

        impl<'a> Arg<'a> for $Name {
            fn read(args: &mut Args<'a>) -> Result<Self, Failed> {
                args.number(Expected::$expected).map(Self)
            }

            fn write(&self, line: &mut LineWriter<'_, 'a>) {
                line.number(self.0);
            }

            fn value(&self) -> Option<Value<'_>> {
                Some(Value::Number(self.0))
            }
        }
    )* };
}

numbers! {
    /// A transaction id. The client counts them, the server repeats them in its answers. 0 in a
    /// server's line means that it answers nothing.
    TrId, TrId;

    /// The version of a whole address book: a key for caches, not an order.
    ListVersion, Number;

    /// The number of a group. Real servers give out 0 to 29; any 32 bits are read. Group 0 always
    /// exists.
    GroupId, Number;

    /// A plain count or index.
    Number, Number;
}

impl TrId {
    /// The id in lines that answer nothing.
    pub const NONE: Self = Self(0);

    /// The next id of a counter: from 2³²−1 it goes to 1.
    #[must_use]
    pub const fn next(self) -> Self {
        match self.0.checked_add(1) {
            Some(next) => Self(next),
            None => Self(1),
        }
    }
}

impl GroupId {
    /// The group that always exists and holds who is in no other.
    pub const OTHER: Self = Self(0);
}
