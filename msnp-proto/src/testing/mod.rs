//! For tests: transcripts, a simulated network, law checkers.
