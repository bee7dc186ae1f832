//! Bytes to frames to arguments, and back. Knows shapes, not meanings.

mod argument;
mod decoder;
mod frame;
pub(crate) mod grammar;
mod inbox;
mod outbox;
pub mod percent;
mod table;
#[macro_use]
mod commands;

pub(crate) use argument::{Arg, Args, Failed, LineWriter, write_decimal};
pub use argument::{Body, Extra, Value};
pub use commands::Parsed;
pub(crate) use commands::commands;
pub use decoder::{Decoded, FrameDecoder, Payloads};
pub use frame::{Frame, Verb};
pub use inbox::{Inbox, Incoming};
pub use outbox::Outbox;
pub use table::{Argument, Place, Roles, Shape, VerbRow};
