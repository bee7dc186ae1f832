//! What the program can do, one file a verb.

pub(crate) mod chat;
pub(crate) mod listen;
pub(crate) mod send;
pub(crate) mod serve;
