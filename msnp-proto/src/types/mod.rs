//! Validated leaves: the words of the protocol as values.
//!
//! Every number on the wire is a plain decimal of 32 bits: 1 to 19 digits, leading zeros allowed, no
//! sign. Words that stand for a few values are read in upper case only, as real servers did.
//!
//! Types with a lifetime are views of the wire: `Copy`, and the text is kept as it was sent. Types
//! without one are owned and checked, for commands and events.

mod address;
mod code;
mod handle;
mod list;
mod nick;
mod number;
mod property;
mod status;
mod word;

pub use address::Address;
pub use code::{ErrorCode, ErrorReply};
pub use handle::{Account, Handle};
pub use list::{Groups, List, Lists, Privacy, Prompt};
pub use nick::{Name, Nick};
pub use number::{GroupId, ListVersion, Number, TrId};
pub use property::{Key, Property};
pub use status::{Delivery, OnOff, Status, StatusCode};
pub use word::{Dialect, Packages, Token, Words};
