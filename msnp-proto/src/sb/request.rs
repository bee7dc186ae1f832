//! What a client says to a switchboard.

use crate::types::{Account, Delivery, Token, TrId};
use crate::wire::{Body, commands};

commands! {
    /// What a client says to a switchboard.
    pub enum Request {
        "USR" 2 "B" [911] {
            /// Enters a switchboard that one asked for.
            Usr {
                /// Its id.
                trid: TrId,
                /// One's own account.
                account: Account<'a>,
                /// The cookie from XFR.
                cookie: Token<'a>,
            } = [trid account cookie];
        }
        "ANS" 2 "B" [911] {
            /// Enters a switchboard that one was called to.
            Ans {
                /// Its id.
                trid: TrId,
                /// One's own account.
                account: Account<'a>,
                /// The cookie from RNG.
                cookie: Token<'a>,
                /// The session from RNG.
                session: Token<'a>,
            } = [trid account cookie session];
        }
        "CAL" 2 "B" [208 215 216 217 280 281 602 707 712 713 714] {
            /// Calls somebody in.
            Cal {
                /// Its id.
                trid: TrId,
                /// Who.
                account: Account<'a>,
            } = [trid account];
        }
        "MSG" 2 "B" [300 711] payload {
            /// A message to everybody else in the switchboard.
            Msg {
                /// Its id.
                trid: TrId,
                /// What to hear about its delivery.
                delivery: Delivery,
                /// Headers and body.
                body: Body<'a>,
            } = [trid delivery {body}];
        }
        "OUT" 2 "B" [] {
            /// Leaves.
            Out {} = [];
        }
    }
}
