//! What the server says by itself: mail, alerts, pages, its end, and that people are to move.

use alloc::vec::Vec;

use crate::ns::Reply;
use crate::types::{Account, Name};
use crate::wire::Body;

/// Appends a message of the server with the payload that `write` appends, unless that fails.
pub(super) fn encode(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> bool) {
    let mut body = Vec::new();
    let name = Name::from_text("Hotmail");
    if let (true, Some(name), Some(account)) = (write(&mut body), name, Account::new(b"Hotmail")) {
        Reply::Msg { account, name, body: Body(&body) }.encode(out);
    }
}
