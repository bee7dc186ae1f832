//! The MSN Messenger protocol as pure state machines.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(test, feature = "testing"))]
extern crate std;

pub mod body;
pub mod client;
pub mod error;
pub mod hub;
pub mod limits;
pub mod machine;
pub mod ns;
pub mod sb;
pub mod secret;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
// What peers send meets `types` and `wire` first: nothing in them may panic, whatever it is.
#[cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]
#[cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic))]
pub mod types;
#[cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]
#[cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic))]
pub mod wire;
