//! The composed client.
