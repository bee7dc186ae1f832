//! The dispatch and the notification server: what both sides say, and the machines that say it.

pub mod challenge;
mod change;
mod client;
mod ledger;
mod reply;
mod request;
mod roster;
pub(crate) mod server;
mod sync;

pub use change::Change;
pub use client::{Credentials, Event, Notification};
pub use reply::Reply;
pub use request::Request;
pub use roster::{Contact, Roster};
