//! The MSN Messenger protocol, MSNP2 to MSNP7, as pure state machines: bytes in, commands and
//! events out. No socket, no clock, no randomness, no thread; `no_std` with `alloc`.
//!
//! ```text
//!                 application
//!             commands │  ▲ events        Output: Connect / Listen / Unlisten / Transmit / Close
//!                      ▼  │                  │
//!    ┌──────────────────────────────────┐    │
//!    │ client::Client or hub::Hub       │────┘
//!    │ a Host: machines by ConnId       │
//!    │   ns  notification and dispatch  │◄── bytes, end of stream, closed, connected, time
//!    │   sb  switchboard                │
//!    │   ftp  one file                  │
//!    │   body  what messages say        │
//!    │   wire  frames, types  words     │
//!    └──────────────────────────────────┘
//!                      ▲
//!              msnp-mio, or any runtime's forty lines
//! ```
//!
//! # Which type do I want
//!
//! | to | take |
//! |---|---|
//! | sign in and chat | [`client::Client`] |
//! | come back by itself when the connection is lost | [`client::Reconnect`] |
//! | run a server | [`hub::Hub`] |
//! | offer or take files in a chat | [`client::Client::offer_file`], [`client::Client::accept_file`] |
//! | send or receive one file on a connection | [`ftp::Sender`], [`ftp::Receiver`] |
//! | speak on one connection | [`ns::Notification`], [`sb::Switchboard`] |
//! | read or write commands | [`ns::Request`], [`ns::Reply`], [`sb::Request`], [`sb::Reply`] |
//! | know which command is of which dialect and server | [`commands`] |
//! | cut a stream of bytes | [`wire::Inbox`], [`wire::FrameDecoder`] |
//! | read or write the payload of a message | [`body::Message`], [`body::Notice`], [`body::text`] |
//! | drive any of these | [`machine::Host`], [`machine::Machine`] |
//!
//! # The loop
//!
//! Every driver does the same four things; [`machine::Host`] says the rest.
//!
//! ```no_run
//! # use msnp_proto::machine::{Closed, Host, Output};
//! # fn now() -> msnp_proto::time::Instant { msnp_proto::time::Instant::ZERO }
//! # fn drive<H: Host>(host: &mut H, mut apply: impl FnMut(&mut H, Output<H::Event>), mut sleep: impl FnMut(&mut H)) {
//! loop {
//!     // 1. Apply all outputs: connect, write what is pending, close, pass on events.
//!     while let Some(output) = host.poll_output() {
//!         apply(host, output);
//!     }
//!     // 2. Sleep until there is I/O, or until `host.next_deadline()`.
//!     // 3. Report what happened: handle_connected, handle_input, handle_eof, handle_closed.
//!     sleep(host);
//!     // 4. Let time pass.
//!     host.handle_timeout(now());
//! }
//! # }
//! ```
//!
//! The example `blocking` is that loop over std's sockets, in one screen.
//!
//! # The laws
//!
//! Every machine obeys them, and tests check them:
//!
//! 1. Chunking: cutting the input differently changes nothing.
//! 2. Draining: taking outputs early or late gives the same events and bytes.
//! 3. Clock: an early timeout does nothing; after `handle_timeout(t)` the next deadline is later
//!    than `t`, or there is none.
//! 4. Totality: no input panics; after a fatal error there is one `Lost`, then silence.
//! 5. Round trip: what is written is read as the same; unknown commands come back byte for byte.
//! 6. Duality: what our client says our server accepts, and the reverse.
//! 7. Bounds: memory is a function of [`limits::Limits`]; each byte is looked at twice at most in
//!    search of line ends.
#![no_std]
#![forbid(unsafe_code)]
// No input and no call may panic, whatever it is.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

extern crate alloc;
#[cfg(any(test, feature = "testing"))]
extern crate std;

pub mod body;
pub mod client;
pub mod commands;
pub mod error;
pub mod ftp;
mod hex;
pub mod hub;
pub mod limits;
mod link;
pub mod machine;
pub mod ns;
pub mod pair;
pub mod sb;
pub mod secret;
#[cfg(feature = "testing")]
#[allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that goes wrong panics: that is how it says so"
)]
pub mod testing;
pub mod time;
pub mod transcript;
pub mod types;
pub mod wire;
