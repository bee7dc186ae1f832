//! What is neither said nor mailed: the typing notice and the server's notice of its end.

use alloc::vec::Vec;

use super::mime::{Fields, VERSION};
use crate::types::Handle;
use crate::wire::write_decimal;

/// Appends the payload of a typing notice: 73 bytes and the account.
pub fn write_typing(out: &mut Vec<u8>, handle: &Handle) {
    out.extend_from_slice(VERSION);
    out.extend_from_slice(b"Content-Type: text/x-msmsgscontrol\r\nTypingUser: ");
    out.extend_from_slice(handle.as_str().as_bytes());
    out.extend_from_slice(b"\r\n\r\n\r\n");
}

/// A message of the server about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct System {
    /// What it is about (`Type`); only 1 is known: the server will be shut down.
    pub kind: Option<u32>,
    /// For kind 1 the minutes until then (`Arg1`).
    pub arg: Option<u32>,
}

impl System {
    /// The kind that announces a shutdown.
    pub const SHUTDOWN: u32 = 1;

    /// The server will be shut down in that many minutes.
    #[must_use]
    pub const fn shutdown(minutes: u32) -> Self {
        Self { kind: Some(Self::SHUTDOWN), arg: Some(minutes) }
    }

    pub(super) fn parse(fields: Fields<'_>) -> Self {
        Self { kind: fields.number("Type"), arg: fields.number("Arg1") }
    }

    /// Appends the payload. A missing number has no line.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(VERSION);
        out.extend_from_slice(b"Content-Type: application/x-msmsgssystemmessage\r\n\r\n");
        for (name, value) in [("Type: ", self.kind), ("Arg1: ", self.arg)] {
            if let Some(value) = value {
                out.extend_from_slice(name.as_bytes());
                write_decimal(value, out);
                out.extend_from_slice(b"\r\n");
            }
        }
    }
}
