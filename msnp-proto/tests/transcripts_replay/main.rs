//! The tools of `msnp_proto::testing` themselves, with machines and hosts that are as small as can
//! be.

mod net;
mod replay;
mod tiny;
