//! What is fuzzed: plain functions that take any bytes and panic when a law is broken. The targets
//! call them, and so do the tests, over the corpus and over all transcripts.
#![warn(missing_docs)]

pub mod body;
pub mod client;
pub mod files;
pub mod hub;
pub mod leaves;
pub mod program;
mod script;
pub mod seeds;
pub mod storm;
pub mod transcript;
pub mod wire;

#[cfg(test)]
mod tests;
