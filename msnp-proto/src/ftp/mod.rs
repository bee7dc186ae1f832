//! MSNFTP: one file over one connection between two clients, after an invitation in a chat has said
//! where to meet.
//!
//! ```text
//! receiver  VER MSNFTP                      whoever opened the connection
//! sender    VER MSNFTP
//! receiver  USR bob@example.com 93301       the receiver's account, the cookie of the invitation
//! sender    FIL 4100                        bytes
//! receiver  TFR                             from here on the sender sends blocks
//! sender    00 FD 07 <2045 bytes>           flag, length with the low byte first, data
//! sender    00 FD 07 <2045 bytes>
//! sender    00 0A 00 <10 bytes>
//! receiver  BYE 16777989                    all is here
//! ```
//!
//! Nothing is encrypted, nothing is checked but the count, and nothing can be resumed. The cookie
//! went through the server in clear text. When the receiver listens it cannot know who sends.
//!
//! This module knows bytes of a file, not files: its callers read and write them, and say when they
//! cannot. It does not know who listens, nor what was agreed in the chat.
//!
//! The protocol is that of hypothetic.org and msnp-wiki, with the ways of aMSN, Kopete, Miranda and
//! others that differ from it and from each other.
//!
//! | room | what it knows |
//! |---|---|
//! | `sender`, `receiver` | the two machines |
//! | `line`, `block` | what they say |
//! | `end` | how a transfer ends |
//! | `meeting`, `cookie` | where to connect, and the proof that it is the right place |
//! | `name` | names of files from strangers |

mod block;
mod cookie;
mod end;
mod line;
mod meeting;
mod name;
mod receiver;
mod sender;

pub use crate::limits::FileWaits;
pub use cookie::AuthCookie;
pub use end::{End, Violation};
pub use meeting::Meeting;
pub(crate) use name::offered_name;
pub use name::{is_executable, safe_name};
pub use receiver::{Receiver, ReceiverEvent};
pub use sender::{Sender, SenderEvent};

use crate::types::Handle;

/// What both sides agreed on in the chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Bytes of the file, as offered.
    pub size: u64,
    /// The cookie of whoever listens.
    pub cookie: AuthCookie,
    /// The account that receives.
    pub receiver: Handle,
}
