//! What the program can do, one file a verb.

pub(crate) mod chat;
pub(crate) mod check;
pub(crate) mod config;
pub(crate) mod contacts;
pub(crate) mod decode;
pub(crate) mod documents;
pub(crate) mod groups;
pub(crate) mod listen;
pub(crate) mod name;
pub(crate) mod pipe;
pub(crate) mod privacy;
pub(crate) mod run;
pub(crate) mod send;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod user;
