//! The dispatch and the notification server: what both sides say, and the machines that say it.

pub mod challenge;
mod client;
mod reply;
mod request;
mod roster;
pub(crate) mod server;

pub use client::{Change, Credentials, Event, Notification};
pub use reply::Reply;
pub use request::Request;
pub use roster::{Contact, Roster};
