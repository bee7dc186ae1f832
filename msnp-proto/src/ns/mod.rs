//! The dispatch and the notification server: what both sides say, and the machines that say it.

mod reply;
mod request;
pub(crate) mod server;

pub use reply::Reply;
pub use request::Request;
