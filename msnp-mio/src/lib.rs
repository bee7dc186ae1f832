//! A single-threaded event loop for [`msnp_proto`]: it opens, feeds and closes the connections that
//! a [`Host`](msnp_proto::machine::Host) asks for.
//!
//! The loop knows sockets, host names, time and bytes. It does not know what the bytes mean: any
//! host will do, a client, a server or a thousand clients at once.
//!
//! | type | what for |
//! |---|---|
//! | [`Reactor`] | the loop; an application calls [`Reactor::next`] and gets the host's events |
//! | [`Handle`] | reaches the host, or ends the sleep, from another thread |
//! | [`Tap`] | watches the bytes of every connection in both directions |
//! | [`Resolve`] | looks names up; [`SystemResolver`] asks the operating system |
//! | [`Options`] | time limits and budgets |
//! | [`Socket`] | what an application may set options on |
//! | [`Clock`] | the time that the host is told |
#![forbid(unsafe_code)]

mod clock;
mod connection;
mod error;
mod handle;
mod listener;
mod net;
mod open;
mod options;
mod reactor;
mod resolve;
mod tap;

pub use clock::Clock;
pub use error::{Error, Gone};
pub use handle::Handle;
pub use open::Socket;
pub use options::Options;
pub use reactor::{Happened, Reactor};
pub use resolve::{Answer, Resolve, SystemResolver};
pub use tap::{Origin, Tap};
