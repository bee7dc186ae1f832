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
pub mod transcript;
pub mod types;
pub mod wire;
