//! `config`: what is in force, and where each value comes from.

use std::ffi::OsString;

use crate::args::ConfigArgs;
use crate::config::report;
use crate::console::Console;
use crate::events::{Done, Event};
use crate::exit::Exit;
use crate::failure::Failure;

pub(crate) fn run(args: &ConfigArgs, globals: &[OsString]) -> Result<Exit, Failure> {
    let rows = match args.line.as_slice() {
        [] => report::of_all(globals)?,
        line => report::of_line(&[globals, line].concat())?,
    };
    let mut console = Console::open(&args.output)?;
    for row in rows {
        console.out.emit(&Event::Configured(Box::new(row)));
    }
    console.out.emit(&Event::Done(Done::default()));
    Ok(if console.out.broken().is_some() { Exit::Io } else { Exit::Done })
}
