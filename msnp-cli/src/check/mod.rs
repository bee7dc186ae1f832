//! Trying a server stage by stage.
//!
//! [`stages`] knows the order of things and times each; [`diagnosis`] knows what usually causes what
//! was seen, and what may be done. Neither knows of sockets: [`watch`] tells them what passed.

pub(crate) mod diagnosis;
pub(crate) mod stages;
pub(crate) mod watch;
