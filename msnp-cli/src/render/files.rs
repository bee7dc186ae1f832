//! What is said of files, for people. Names are somebody else's, so they come last.

use std::fmt;

use msnp_proto::ftp::{is_executable, safe_name};

use super::text::counted;
use super::words;
use crate::events::{Offer, Portion, Transfer, TransferResult};

/// An offer.
pub(super) fn offer(f: &mut fmt::Formatter<'_>, offer: &Offer) -> fmt::Result {
    write!(f, "{} from {}", offer.transfer, offer.from)?;
    if !offer.known {
        f.write_str(" (not a contact)")?;
    }
    write!(f, ": {} {}", offer.bytes, counted(offer.bytes, "byte"))?;
    // As it would be called here: what is dropped from a name may hide its ending.
    if is_executable(&safe_name(&offer.name)) {
        f.write_str(", a program, which runs when it is opened")?;
    }
    write!(f, ": \"{}\"", offer.name)
}

/// How far a file is.
pub(super) fn portion(f: &mut fmt::Formatter<'_>, portion: &Portion) -> fmt::Result {
    write!(f, "{} ", portion.transfer)?;
    to_or_from(f, portion.to.as_deref(), portion.from.as_deref())?;
    write!(f, ": {} of {} bytes", portion.bytes, portion.of)
}

/// How a file ended.
pub(super) fn transfer(f: &mut fmt::Formatter<'_>, transfer: &Transfer) -> fmt::Result {
    write!(f, "{} ", transfer.transfer)?;
    to_or_from(f, transfer.to.as_deref(), transfer.from.as_deref())?;
    write!(f, ": {}", words::result(transfer.result))?;
    match (&transfer.reason, transfer.code) {
        (Some(reason), Some(code)) if !reason.contains(&code.to_string()) => {
            write!(f, ": {reason} ({code})")?;
        }
        (Some(reason), _) if reason != words::result(transfer.result) => write!(f, ": {reason}")?,
        _ => {}
    }
    if transfer.result == TransferResult::Complete {
        write!(f, ", {} {}", transfer.of, counted(transfer.of, "byte"))?;
    } else if transfer.bytes > 0 {
        write!(f, ", {} of {} bytes", transfer.bytes, transfer.of)?;
    }
    write!(f, " in {} ms: \"{}\"", transfer.ms, transfer.name)?;
    transfer.path.as_ref().map_or(Ok(()), |path| write!(f, " is {path}"))
}

fn to_or_from(f: &mut fmt::Formatter<'_>, to: Option<&str>, from: Option<&str>) -> fmt::Result {
    to.map_or(Ok(()), |to| write!(f, "to {to}"))?;
    from.map_or(Ok(()), |from| write!(f, "from {from}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Event;
    use crate::render::text::tests::line;

    #[test]
    fn names_of_files_are_shown_as_they_are_and_programs_are_marked() {
        let offer = |name: &str, bytes, known| {
            let (from, name) = ("bob@example.net".into(), name.into());
            Event::Offer(Offer { transfer: 1, from, name, bytes, known, chat: 3 })
        };
        let ended = |result, to: Option<&str>, reason: Option<&str>, code, path: Option<&str>| {
            let peer = to.is_none().then(|| "bob@example.net".into());
            Event::Transfer(Box::new(Transfer {
                transfer: 7,
                to: to.map(Into::into),
                from: peer,
                name: "a\u{202e}b".into(),
                bytes: 5,
                of: 9,
                result,
                code,
                reason: reason.map(Into::into),
                path: path.map(Into::into),
                ms: 12,
            }))
        };
        let carol = Some("carol@example.net");
        let program = "offer         1 from bob@example.net (not a contact): 2 bytes, a program, \
                       which runs when it is opened: \"a\\n\\u{1b}[2J\\u{202e}fdp.exe\"";
        let hidden = offer("z.e\u{200e}xe", 1, true);
        let shown = "offer         1 from bob@example.net: 1 byte, a program, which runs when it is \
                     opened: \"z.e\\u{200e}xe\"";
        let rows = [
            (hidden, shown),
            (offer("x.pdf", 1, true), "offer         1 from bob@example.net: 1 byte: \"x.pdf\""),
            (offer("a\n\x1b[2J\u{202e}fdp.exe", 2, false), program),
            (
                ended(TransferResult::Complete, None, None, None, Some("./x (1)")),
                "transfer      7 from bob@example.net: complete, 9 bytes in 12 ms: \
                 \"a\\u{202e}b\" is ./x (1)",
            ),
            (
                ended(TransferResult::Declined, carol, Some("declined"), None, None),
                "transfer      7 to carol@example.net: declined, 5 of 9 bytes in 12 ms: \
                 \"a\\u{202e}b\"",
            ),
            (
                ended(TransferResult::Unreachable, carol, Some("not online"), Some(217), None),
                "transfer      7 to carol@example.net: not reached: not online (217), \
                 5 of 9 bytes in 12 ms: \"a\\u{202e}b\"",
            ),
        ];
        for (event, expected) in rows {
            assert_eq!(line(&event, false), expected);
        }
    }
}
