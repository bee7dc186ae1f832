//! Addresses of servers.

use alloc::string::String;
use core::str::FromStr;

use crate::error::{CommandError, Expected, Misuse};
use crate::limits;
use crate::machine::Target;
use crate::wire::{Arg, Args, LineWriter, grammar};

/// A server's address on the wire: `host` or `host:port`, an IPv6 address in brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    /// The name or address, without brackets.
    pub host: &'a str,
    /// The port, if one was given.
    pub port: Option<u16>,
}

impl<'a> Address<'a> {
    /// From text of that form.
    ///
    /// ```
    /// use msnp_proto::types::Address;
    ///
    /// let address = Address::parse("192.0.2.10").unwrap();
    /// assert_eq!(address.to_target().to_string(), "192.0.2.10:1863");
    /// assert_eq!(Address::parse("example.net:0"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        grammar::address(text.as_bytes()).map(|(host, port)| Self { host, port })
    }

    /// Where to connect to; no port means [`limits::PORT`].
    #[must_use]
    pub fn to_target(self) -> Target {
        Target { host: String::from(self.host), port: self.port.unwrap_or(limits::PORT) }
    }
}

impl FromStr for Target {
    type Err = Misuse;

    /// From `host` or `host:port`, an IPv6 address in brackets; no port means [`limits::PORT`].
    fn from_str(text: &str) -> Result<Self, Misuse> {
        Address::parse(text).map(Address::to_target).ok_or(Misuse::Invalid(Expected::Address))
    }
}

impl<'a> From<&'a Target> for Address<'a> {
    fn from(target: &'a Target) -> Self {
        Self { host: &target.host, port: Some(target.port) }
    }
}

impl<'a> Arg<'a> for Address<'a> {
    fn read(args: &mut Args<'a>) -> Result<Self, CommandError> {
        args.value(Expected::Address, grammar::address).map(|(host, port)| Self { host, port })
    }

    fn write(&self, line: &mut LineWriter<'_, 'a>) {
        let out = line.begin_word();
        let brackets = self.host.contains(':');
        if brackets {
            out.push(b'[');
        }
        out.extend_from_slice(self.host.as_bytes());
        if brackets {
            out.push(b']');
        }
        if let Some(port) = self.port {
            out.push(b':');
            crate::wire::write_decimal(u32::from(port), out);
        }
    }
}
