//! The protocol's words, and the events', as people say them.
//!
//! What is not known here is shown as it came.

use crate::events::{Change, TransferResult};

/// What was done.
pub(super) fn change(change: Change) -> &'static str {
    match change {
        Change::Added => "added",
        Change::Removed => "removed",
        Change::Renamed => "renamed",
        Change::Allowed => "allowed",
        Change::Blocked => "blocked",
        Change::Moved => "moved",
        Change::Password => "has another password",
        Change::Opened => "opened",
        Change::Joined => "joined",
        Change::Left => "left",
        Change::Closed => "closed",
        Change::NotReached => "could not be reached",
    }
}

/// How a file ended.
pub(super) fn result(result: TransferResult) -> &'static str {
    match result {
        TransferResult::Complete => "complete",
        TransferResult::Unconfirmed => "sent, and not confirmed",
        TransferResult::Declined => "declined",
        TransferResult::NotInstalled => "their program cannot take files",
        TransferResult::Cancelled => "cancelled",
        TransferResult::CancelledThere => "cancelled by the other side",
        TransferResult::TimedOut => "no answer in time",
        TransferResult::Unreachable => "not reached",
        TransferResult::NoConnection => "no connection between the two sides",
        TransferResult::Broken => "broken off",
    }
}

/// A status.
pub(super) fn state(code: &str) -> &str {
    match code {
        "NLN" => "online",
        "BSY" => "busy",
        "IDL" => "idle",
        "BRB" => "soon back",
        "AWY" => "away",
        "PHN" => "on the phone",
        "LUN" => "out to lunch",
        "HDN" => "hidden",
        "FLN" => "offline",
        other => other,
    }
}

/// A setting, its name and its value. What `privacy` takes as an argument comes first.
pub(super) fn setting<'a>(name: &'a str, value: &'a str) -> (&'a str, &'a str) {
    match (name, value) {
        ("state", code) => (name, state(code)),
        ("privacy", "AL") => (name, "allow (whoever is on no list may see and call you)"),
        ("privacy", "BL") => (name, "block (only people you allow may see and call you)"),
        ("prompt", "A") => (name, "ask (you are asked when somebody makes you a contact)"),
        ("prompt", "N") => (name, "never (you are not asked when somebody makes you a contact)"),
        ("PHH", number) => ("home phone", number),
        ("PHW", number) => ("work phone", number),
        ("PHM", number) => ("mobile phone", number),
        ("MOB", letter) => ("pages to the mobile phone", yes_or_no(letter)),
        ("MBE", letter) => ("mobile device", yes_or_no(letter)),
        other => other,
    }
}

fn yes_or_no(letter: &str) -> &str {
    match letter {
        "Y" => "yes",
        "N" => "no",
        other => other,
    }
}
