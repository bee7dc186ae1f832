//! What is said of files.

use serde::Serialize;

/// A file that somebody offers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Offer {
    pub(crate) transfer: u32,
    pub(crate) from: String,
    /// As they wrote it: never a path.
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) known: bool,
    pub(crate) chat: u32,
}

/// How much of a file has gone or come.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Portion {
    pub(crate) transfer: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
    pub(crate) bytes: u64,
    pub(crate) of: u64,
}

/// The end of a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Transfer {
    pub(crate) transfer: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) of: u64,
    pub(crate) result: TransferResult,
    /// The server's number, if it gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Where a file is that was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    pub(crate) ms: u64,
}

/// How a file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TransferResult {
    Complete,
    /// All of it was sent, and nobody said that it is there.
    Unconfirmed,
    /// By whom it was offered to: them, or us.
    Declined,
    NotInstalled,
    /// By us.
    Cancelled,
    CancelledThere,
    TimedOut,
    Unreachable,
    NoConnection,
    /// In the middle, by either side's disk, or the network.
    Broken,
}
