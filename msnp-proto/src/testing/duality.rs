//! Law 6: what one side says the other understands, to the letter.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::{Cutter, OwnedFrame, Role};
use crate::limits::Leniency;
use crate::transcript::{Piece, Side, Transcript};
use crate::types::ErrorReply;
use crate::wire::{Frame, Parsed};
use crate::{ns, sb};

/// Errors that tell a client that it has spoken badly.
const REPROACHES: [u16; 3] = [200, 201, 715];

/// On every connection of a transcript each side speaks [to the letter](check_letter), and the
/// server has nothing to reproach the client with. A connection is to a switchboard if it begins
/// with USR or ANS.
///
/// # Panics
///
/// When it is not so.
#[track_caller]
pub fn check_duality(transcript: &Transcript) {
    let mut connections: BTreeMap<Option<&str>, [Vec<u8>; 2]> = BTreeMap::new();
    for entry in transcript.entries() {
        if let Piece::Bytes(bytes) = &entry.what {
            let said = connections.entry(entry.connection.as_deref()).or_default();
            said[entry.side as usize].extend_from_slice(bytes);
        }
    }
    for [client, server] in connections.values().filter(|[client, _]| !client.is_empty()) {
        let role = Role::of(client).expect("it begins with VER, USR or ANS");
        check_letter(role, Side::Client, client);
        for frame in check_letter(role, Side::Server, server) {
            let error = ErrorReply::parse(frame.frame());
            let reproach = error.is_some_and(|error| REPROACHES.contains(&error.code.number()));
            assert!(!reproach, "law of duality: {frame:?}");
        }
    }
}

/// What one side says on one connection is cut by a strict decoder, and every frame is a known
/// command without anything behind it, which is written again as it was. Returns the frames; an
/// unfinished one at the end is passed over.
///
/// # Panics
///
/// When it is not so.
#[track_caller]
pub fn check_letter(role: Role, side: Side, said: &[u8]) -> Vec<OwnedFrame> {
    let mut cutter = Cutter::new(role.decoder(side).with_leniency(Leniency::Strict));
    let frames = cutter.push(said).unwrap_or_else(|held| {
        panic!("law of duality: this cannot be cut: {}", held.escape_ascii());
    });
    let mut written = Vec::new();
    for frame in &frames {
        written.clear();
        let read = rewrite(role, side, frame.frame(), &mut written);
        assert!(read && written == frame.raw(), "law of duality: {frame:?}");
    }
    frames
}

/// Reads a frame and writes it again; `false` if it is no command of that side.
fn rewrite(role: Role, side: Side, frame: Frame<'_>, out: &mut Vec<u8>) -> bool {
    macro_rules! rewrite {
        ($Command:ty) => {
            match <$Command>::parse(frame) {
                Ok(Parsed::Command(command, extra)) if extra.is_empty() => command.encode(out),
                _ => return false,
            }
        };
    }
    match (role, side, ErrorReply::parse(frame)) {
        (_, Side::Server, Some(error)) => error.encode(out),
        (Role::Switchboard, Side::Client, _) => rewrite!(sb::Request<'_>),
        (Role::Switchboard, Side::Server, _) => rewrite!(sb::Reply<'_>),
        (_, Side::Client, _) => rewrite!(ns::Request<'_>),
        (_, Side::Server, _) => rewrite!(ns::Reply<'_>),
    }
    true
}
