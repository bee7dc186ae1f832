//! How files are exchanged with others.

use std::net::Ipv4Addr;

use clap::Args;

use super::values;

/// For verbs that exchange files.
#[derive(Args, Debug)]
pub(crate) struct FileArgs {
    /// Where others reach us for files: an IPv4 address, or none
    // Without it: where we connect to the server from.
    #[arg(id = "file_address", long = "file-address", value_name = "IP")]
    #[arg(value_parser = values::file_address)]
    pub(crate) address: Option<FileAddress>,
}

/// Where others can connect to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileAddress {
    At(Ipv4Addr),
    /// They cannot.
    Nowhere,
}
