//! What one side says the other understands, to the letter.

use msnp_proto::limits::Leniency;
use msnp_proto::testing::{Cutter, Role, Transcript};
use msnp_proto::transcript::Side;
use msnp_proto::types::ErrorReply;
use msnp_proto::wire::{Frame, Parsed};
use msnp_proto::{ns, sb};

/// Errors that tell a client that it has spoken badly.
const REPROACHES: [u16; 3] = [200, 201, 715];

/// Every frame is a known command without anything behind it, is written again as it was, and none
/// is a reproach.
pub(crate) fn check(transcript: &Transcript, seed: u64) {
    for connection in transcript.connections() {
        let first = transcript.bytes(connection, Side::Client);
        let role = match first.get(..3) {
            Some(b"VER") => Role::Notification,
            Some(b"USR" | b"ANS") => Role::Switchboard,
            None => continue,
            Some(other) => panic!("seed {seed}: a connection begins with {other:?}"),
        };
        for side in [Side::Client, Side::Server] {
            let mut cutter = Cutter::new(role.decoder(side).with_leniency(Leniency::Strict));
            let bytes = transcript.bytes(connection, side);
            let frames = cutter.push(&bytes).expect("it can be cut strictly");
            for frame in frames {
                let written = read(role, side, frame.frame());
                assert_eq!(written.as_deref(), Some(frame.raw()), "seed {seed}: {frame:?}");
            }
        }
    }
}

/// Reads a frame and writes it again.
fn read(role: Role, side: Side, frame: Frame<'_>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    macro_rules! rewrite {
        ($Command:ty) => {
            match <$Command>::parse(frame) {
                Ok(Parsed::Command(command, extra)) if extra.is_empty() => command.encode(&mut out),
                _ => return None,
            }
        };
    }
    match (role, side, ErrorReply::parse(frame)) {
        (_, Side::Server, Some(error)) => {
            assert!(!REPROACHES.contains(&error.code.number()), "{error:?}");
            error.encode(&mut out);
        }
        (Role::Switchboard, Side::Client, _) => rewrite!(sb::Request<'_>),
        (Role::Switchboard, Side::Server, _) => rewrite!(sb::Reply<'_>),
        (_, Side::Client, _) => rewrite!(ns::Request<'_>),
        (_, Side::Server, _) => rewrite!(ns::Reply<'_>),
    }
    Some(out)
}
