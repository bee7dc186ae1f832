//! The server's rules of a switchboard connection, as far as they need nothing but what is said on
//! it. Who is in, who may be called and what cookies are good for is the hub's.
//!
//! ```text
//! Knocking ── USR or ANS with a good cookie ──> Seated ── OUT ──> closed
//!    │                                            │
//!    └── anything else: 715, closed               └── USR, ANS: 715, closed
//! ```

use super::{Reply, Request};
use crate::types::{Account, Delivery, Token, TrId};

/// What somebody at the door wants.
#[derive(Debug)]
pub(crate) enum Knock<'a> {
    /// To come in: into a new switchboard, or the one of a session that they were called to.
    Enter { trid: TrId, account: Account<'a>, cookie: Token<'a>, session: Option<Token<'a>> },
    /// To go.
    Leave,
    /// What only those may do who are in.
    Unexpected { trid: TrId },
}

impl<'a> Knock<'a> {
    pub(crate) const fn from_request(request: Request<'a>) -> Self {
        match request {
            Request::Usr { trid, account, cookie } => {
                Self::Enter { trid, account, cookie, session: None }
            }
            Request::Ans { trid, account, cookie, session } => {
                Self::Enter { trid, account, cookie, session: Some(session) }
            }
            Request::Out {} => Self::Leave,
            Request::Cal { trid, .. } | Request::Msg { trid, .. } => Self::Unexpected { trid },
        }
    }
}

/// What the sender of a message hears about it, which was delivered if everybody else's connection
/// took it and there was somebody.
pub(crate) const fn acknowledgement(
    trid: TrId,
    delivery: Delivery,
    delivered: bool,
) -> Option<Reply<'static>> {
    match (delivery, delivered) {
        (Delivery::Always, true) => Some(Reply::Ack { trid }),
        (Delivery::Always | Delivery::OnFailure | Delivery::Silent, false) => {
            Some(Reply::Nak { trid })
        }
        (Delivery::OnFailure | Delivery::Silent, true) | (Delivery::Unacknowledged, _) => None,
    }
}
