//! The composed server.
