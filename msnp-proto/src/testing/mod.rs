//! For tests of this crate and of others: dialogues to replay, laws to check, a network in memory.
//!
//! | to test | use |
//! |---|---|
//! | one machine against a recorded dialogue | [`Dialogue`] and [`Replay`], over [`library::ALL`] |
//! | how streams are cut into frames | [`framing`] |
//! | that a machine obeys the laws | [`laws`] |
//! | what broke other programs | [`case`], over [`library::cases`] |
//! | commands with values of every kind, or anything that bytes decide | [`Source`] |
//! | two machines against each other | [`Pair`] |
//! | any number of hosts against each other, with a clock | [`Net`] |
//! | one host against anything at all, step by step | [`Driver`] |
//! | clients and a hub in whatever happens | [`Storm`] |
//! | that two sides understand each other to the letter | [`duality`] |
//! | a machine where a host is wanted | [`MachineHost`] |
//! | one connection of a host where a machine is wanted | [`HostMachine`] |
//!
//! Nothing here is meant for production; what goes wrong panics or comes back as a text for people.

pub mod case;
mod chunking;
mod dialogue;
mod driver;
mod entropy;
mod host_machine;
mod machine_host;
mod net;
mod pair;
mod replay;
mod source;
mod storm;
pub(crate) mod values;

pub mod duality;
pub mod framing;
pub mod laws;
pub mod library;

pub use crate::transcript::Transcript;
pub use chunking::{Chunker, Chunking};
pub use dialogue::{Cutter, Dialogue, DialogueError, OwnedFrame, Role, Step, What};
pub use driver::Driver;
pub use entropy::SeededEntropy;
pub use host_machine::HostMachine;
pub use machine_host::{MachineEvent, MachineHost};
pub use net::{HostKey, Net};
pub use pair::Pair;
pub use replay::{Played, Reaction, Replay, ReplayError, by_itself};
pub use source::{Decide, Source};
pub use storm::Storm;
