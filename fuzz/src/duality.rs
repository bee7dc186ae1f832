//! What one side says, the other understands to the letter.

use msnp_proto::limits::{Leniency, Limits};
use msnp_proto::types::ErrorReply;
use msnp_proto::wire::{Decoded, FrameDecoder, Parsed};
use msnp_proto::{ns, sb};

/// Every whole frame that a server said on one connection is a command of its role, written as it
/// is written.
pub(crate) fn server(mut said: &[u8], switchboard: bool) {
    let mut out = Vec::new();
    let make = if switchboard {
        FrameDecoder::switchboard_client
    } else {
        FrameDecoder::notification_client
    };
    let mut limits = Limits::new();
    limits.line = 64 * 1024;
    let mut decoder = make(limits).with_leniency(Leniency::Strict);
    loop {
        let (frame, consumed) = match decoder.decode(said) {
            Ok(Decoded::Frame { frame, consumed }) => (frame, consumed),
            Ok(Decoded::NeedMore) => return,
            other => panic!("{other:?}: {}", said.escape_ascii()),
        };
        out.clear();
        if let Some(error) = ErrorReply::parse(frame) {
            error.encode(&mut out);
        } else if switchboard {
            match sb::Reply::parse(frame) {
                Ok(Parsed::Command(command, _)) => command.encode(&mut out),
                other => panic!("{}: {other:?}", said.escape_ascii()),
            }
        } else {
            match ns::Reply::parse(frame) {
                Ok(Parsed::Command(command, _)) => command.encode(&mut out),
                other => panic!("{}: {other:?}", said.escape_ascii()),
            }
        }
        assert!(said.starts_with(&out) && out.len() == consumed, "{}", said.escape_ascii());
        said = &said[consumed..];
    }
}
