//! What a switchboard says to a client.

use crate::types::{Account, Name, Number, Token, TrId};
use crate::wire::{Body, commands};

commands! {
    /// What a switchboard says to a client. Refusals by number are
    /// [`ErrorReply`](crate::types::ErrorReply).
    pub enum Reply {
        "USR" 2 "B" [] {
            /// One is in, alone.
            UsrOk {
                /// The request.
                trid: TrId,
                /// One's own account.
                account: Account<'a>,
                /// One's own display name.
                name: Option<Name<'a>>,
            } = [trid "OK" account [name]];
        }
        "ANS" 2 "B" [] {
            /// One is in, and has been told who else is.
            AnsOk {
                /// The request.
                trid: TrId,
            } = [trid "OK"];
        }
        "IRO" 2 "B" [] {
            /// Somebody who is in already.
            Iro {
                /// The ANS.
                trid: TrId,
                /// Their place, from 1.
                index: Number,
                /// How many there are.
                total: Number,
                /// Who.
                account: Account<'a>,
                /// Their display name.
                name: Option<Name<'a>>,
            } = [trid index total account [name]];
        }
        "CAL" 2 "B" [] {
            /// The person is being called.
            Ringing {
                /// The request.
                trid: TrId,
                /// The session, opaque.
                session: Token<'a>,
            } = [trid "RINGING" session];
        }
        "JOI" 2 "B" [] {
            /// Somebody came in.
            Joi {
                /// Who.
                account: Account<'a>,
                /// Their display name.
                name: Option<Name<'a>>,
            } = [account [name]];
        }
        "BYE" 2 "B" [] {
            /// Somebody left, or was dropped for being idle.
            Bye {
                /// Who.
                account: Account<'a>,
                /// `1` if they were idle.
                idle: Option<Token<'a>>,
            } = [account [idle]];
        }
        "MSG" 2 "B" [] payload {
            /// A message from somebody in the switchboard.
            Msg {
                /// Who.
                account: Account<'a>,
                /// Their display name.
                name: Name<'a>,
                /// Headers and body.
                body: Body<'a>,
            } = [account name {body}];
        }
        "ACK" 2 "B" [] {
            /// A message was handed to everybody.
            Ack {
                /// The MSG.
                trid: TrId,
            } = [trid];
        }
        "NAK" 2 "B" [] {
            /// A message was not handed to everybody.
            Nak {
                /// The MSG.
                trid: TrId,
            } = [trid];
        }
        "OUT" 2 "B" [] {
            /// The switchboard closes.
            Out {
                /// Why.
                reason: Option<Token<'a>>,
            } = [[reason]];
        }
    }
}
