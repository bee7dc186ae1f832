//! Every dialogue of the library, played through the real client and the real hub.

mod client;
mod hub;
mod laws;
mod stage;
