//! A line that is edited on a terminal: keys in, texts and screen updates out.
//!
//! Nothing here reads or writes. [`keys`] makes keys of bytes, [`line`] knows the text, the cursor
//! and the history, [`screen`] knows what to write so that the terminal shows it.

pub(crate) mod keys;
pub(crate) mod line;
pub(crate) mod screen;
