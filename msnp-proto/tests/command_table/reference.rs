//! What the documents of the protocol say of each command: draft-movva, msnp-wiki and hypothetic.org
//! as far as they agree, copied by hand. Nothing here is made from the code.

use msnp_proto::transcript::Side;

/// One command, whoever says it.
pub(crate) struct Command {
    pub(crate) name: &'static str,
    /// The servers that clients say it to: dispatch, notification, switchboard.
    pub(crate) client: &'static str,
    /// The servers that say it.
    pub(crate) server: &'static str,
    /// The first dialect. None has a last one up to MSNP7.
    pub(crate) since: u8,
    /// Whether servers say it with a transaction id, which may be 0.
    pub(crate) trid: Trid,
    /// Who sends a payload with it: `C`, `S`.
    pub(crate) payload: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trid {
    Yes,
    No,
}
use Trid::{No, Yes};

const fn command(
    name: &'static str,
    client: &'static str,
    server: &'static str,
    since: u8,
    trid: Trid,
    payload: &'static str,
) -> Command {
    Command { name, client, server, since, trid, payload }
}

pub(crate) const COMMANDS: &[Command] = &[
    command("VER", "DN", "DN", 2, Yes, ""),
    command("INF", "DN", "DN", 2, Yes, ""),
    command("USR", "DNB", "DNB", 2, Yes, ""),
    command("XFR", "N", "DN", 2, Yes, ""),
    command("CVR", "N", "N", 2, Yes, ""),
    // Where only `CVR0` was agreed, which clients of every dialect offer.
    command("CVQ", "D", "D", 2, Yes, ""),
    command("SYN", "N", "N", 2, Yes, ""),
    command("GTC", "N", "N", 2, Yes, ""),
    command("BLP", "N", "N", 2, Yes, ""),
    command("PRP", "N", "N", 5, Yes, ""),
    command("BPR", "", "N", 5, No, ""),
    command("LST", "N", "N", 2, Yes, ""),
    command("LSG", "N", "N", 7, Yes, ""),
    command("ADD", "N", "N", 2, Yes, ""),
    command("REM", "N", "N", 2, Yes, ""),
    command("ADG", "N", "N", 7, Yes, ""),
    command("RMG", "N", "N", 7, Yes, ""),
    command("REG", "N", "N", 7, Yes, ""),
    command("REA", "N", "N", 2, Yes, ""),
    command("CHG", "N", "N", 2, Yes, ""),
    command("ILN", "", "N", 2, Yes, ""),
    command("NLN", "", "N", 2, No, ""),
    command("FLN", "", "N", 2, No, ""),
    command("MSG", "B", "NB", 2, No, "CS"),
    command("ACK", "", "B", 2, Yes, ""),
    command("NAK", "", "B", 2, Yes, ""),
    command("CHL", "N", "N", 6, Yes, ""),
    command("QRY", "N", "N", 6, Yes, "C"),
    command("PNG", "N", "", 2, No, ""),
    command("QNG", "", "N", 2, No, ""),
    command("OUT", "DNB", "DNB", 2, No, ""),
    command("FND", "N", "N", 2, Yes, ""),
    command("SND", "N", "N", 2, Yes, ""),
    command("SDC", "N", "N", 5, Yes, "C"),
    command("PAG", "N", "", 5, No, "C"),
    command("IPG", "", "N", 6, No, "S"),
    command("NOT", "", "N", 5, No, "S"),
    command("IMS", "N", "N", 3, Yes, ""),
    command("URL", "N", "N", 2, Yes, ""),
    command("RNG", "", "N", 2, No, ""),
    command("CAL", "B", "B", 2, Yes, ""),
    command("ANS", "B", "B", 2, Yes, ""),
    command("IRO", "", "B", 2, Yes, ""),
    command("JOI", "", "B", 2, No, ""),
    command("BYE", "", "B", 2, No, ""),
];

/// Lines that lack the id that the command has elsewhere: PRP as Escargot sends it.
pub(crate) const WITHOUT_TRID: &[&str] = &["PrpBare"];

/// Arguments that are younger than their command. CVR has one too, the codebase of MSNP4: its words
/// are read as one run, so that what clients put there is kept whatever it is.
pub(crate) const APPEARANCES: &[(Side, &str, &str, u8)] = &[
    (Side::Server, "USR", "verified", 6),
    (Side::Server, "XFR", "zero", 3),
    (Side::Server, "XFR", "current", 7),
    (Side::Server, "LST", "groups", 7),
    (Side::Server, "ADD", "group", 7),
    (Side::Server, "REM", "group", 7),
    (Side::Server, "URL", "site", 3),
    (Side::Client, "ADD", "group", 7),
    (Side::Client, "REM", "group", 7),
    (Side::Client, "SND", "locale", 3),
    (Side::Client, "SND", "library", 3),
    (Side::Client, "SND", "codebase", 4),
];

/// What each request may be refused with, by server and name.
pub(crate) const REFUSALS: &[(&str, &str, &[u16])] = &[
    ("D", "VER", &[715]),
    ("D", "INF", &[715]),
    (
        "D",
        "USR",
        &[
            207, 500, 600, 601, 603, 605, 715, 717, 910, 911, 912, 914, 915, 916, 917, 918, 919,
            920, 921, 922, 923, 924,
        ],
    ),
    ("N", "XFR", &[201, 280, 281, 601, 707, 712, 713, 714, 913]),
    ("N", "CVR", &[420, 710, 715, 731]),
    ("D", "CVQ", &[]),
    ("N", "SYN", &[402, 403, 501, 603, 717]),
    ("N", "GTC", &[218]),
    ("N", "BLP", &[218]),
    ("N", "PRP", &[715, 800]),
    ("N", "LST", &[]),
    ("N", "LSG", &[]),
    ("N", "ADD", &[201, 205, 206, 208, 209, 210, 215, 219, 224, 231, 501, 800]),
    ("N", "REM", &[205, 216, 224, 225]),
    ("N", "ADG", &[223, 228, 229]),
    ("N", "RMG", &[224, 226, 230]),
    ("N", "REG", &[224, 228, 229]),
    ("N", "REA", &[201, 209, 216, 800]),
    ("N", "CHG", &[201, 218]),
    ("N", "CHL", &[]),
    ("N", "QRY", &[540]),
    ("N", "PNG", &[]),
    ("N", "OUT", &[]),
    ("N", "FND", &[201, 300, 301, 502]),
    ("N", "SND", &[503]),
    ("N", "SDC", &[503]),
    ("N", "PAG", &[220, 606, 710, 800]),
    ("N", "IMS", &[715]),
    ("N", "URL", &[]),
    ("B", "USR", &[911]),
    ("B", "ANS", &[911]),
    ("B", "CAL", &[208, 215, 216, 217, 280, 281, 602, 707, 712, 713, 714]),
    ("B", "MSG", &[300, 711]),
    ("B", "OUT", &[]),
];

/// Refusals that no document has, and why they are here.
pub(crate) const OWN_REFUSALS: &[(&str, u16, &str)] =
    &[("URL", 502, "the hub has no web pages unless it is told some")];
