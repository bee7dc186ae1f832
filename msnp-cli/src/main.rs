//! The program `msnp`. All of it is in the library beside it.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    msnp_cli::main()
}
