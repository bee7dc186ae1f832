//! The switchboard: what both sides say, and the machines that say it.

mod client;
mod reply;
mod request;
pub(crate) mod server;

pub use client::{Event, Setup, Switchboard};
pub use reply::Reply;
pub use request::Request;
