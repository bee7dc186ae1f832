//! Every command of the protocol in one table.
//!
//! The table is made from the definitions of [`ns::Request`],
//! [`ns::Reply`], [`sb::Request`] and
//! [`sb::Reply`], which readers and writers are made from too. [`all`] gives it to
//! programs.
#![doc = include_str!("../COMMANDS.md")]

use crate::transcript::Side;
use crate::wire::VerbRow;
use crate::{ns, sb};

/// Every command: who says it, and what is known of it. A verb that both kinds of server have with
/// lines of their own comes once for each.
///
/// ```
/// use msnp_proto::commands;
/// use msnp_proto::transcript::Side;
///
/// let pages = commands::all().filter(|(_, row)| row.verb.as_bytes() == b"PAG");
/// let pages: Vec<_> = pages.map(|(side, row)| (side, row.since, row.payload)).collect();
/// assert_eq!(pages, [(Side::Client, 5, true)]);
/// ```
pub fn all() -> impl Iterator<Item = (Side, &'static VerbRow)> {
    let tables = [
        (Side::Client, ns::Request::VERBS),
        (Side::Server, ns::Reply::VERBS),
        (Side::Client, sb::Request::VERBS),
        (Side::Server, sb::Reply::VERBS),
    ];
    tables.into_iter().flat_map(|(side, rows)| rows.iter().map(move |row| (side, row)))
}
