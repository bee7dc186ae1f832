//! Addresses of servers.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use crate::error::{Expected, Misuse};
use crate::limits;
use crate::machine::Target;
use crate::wire::{Arg, Args, Failed, LineWriter, Value, grammar, write_decimal};

/// A server's address on the wire: `host` or `host:port`, an IPv6 address in brackets. A host is a
/// word of 1 to 253 letters, digits, dots, hyphens and underscores, or what looks like IPv6; whether
/// it exists is for the resolver to say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Address<'a> {
    /// ASCII.
    host: &'a [u8],
    port: Option<u16>,
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

    /// The address of a target; `None` if its host or port cannot be said on the wire.
    #[must_use]
    pub fn from_target(target: &'a Target) -> Option<Self> {
        let fits = grammar::is_host(&target.host) && target.port != 0;
        fits.then_some(Self { host: target.host.as_bytes(), port: Some(target.port) })
    }

    /// The name or address, without brackets.
    #[must_use]
    pub const fn host(self) -> &'a str {
        match core::str::from_utf8(self.host) {
            Ok(host) => host,
            Err(_) => "",
        }
    }

    /// The port, if one was given. It is not 0.
    #[must_use]
    pub const fn port(self) -> Option<u16> {
        self.port
    }

    /// Where to connect to; no port means [`limits::PORT`].
    #[must_use]
    pub fn to_target(self) -> Target {
        Target { host: String::from(self.host()), port: self.port.unwrap_or(limits::PORT) }
    }
}

impl fmt::Debug for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").field("host", &self.host()).field("port", &self.port).finish()
    }
}

impl FromStr for Target {
    type Err = Misuse;

    /// From `host` or `host:port`, an IPv6 address in brackets; no port means [`limits::PORT`].
    fn from_str(text: &str) -> Result<Self, Misuse> {
        Address::parse(text).map(Address::to_target).ok_or(Misuse::Invalid(Expected::Address))
    }
}

/// The host must be one: [`Address::from_target`] is for those that were not checked before.
impl<'a> From<&'a Target> for Address<'a> {
    fn from(target: &'a Target) -> Self {
        Self { host: target.host.as_bytes(), port: Some(target.port) }
    }
}

impl<'a> Arg<'a> for Address<'a> {
    fn read(args: &mut Args<'a>) -> Result<Self, Failed> {
        args.value(Expected::Address, grammar::address).map(|(host, port)| Self { host, port })
    }

    fn write(&self, line: &mut LineWriter<'_, 'a>) {
        let out = line.begin_word();
        let brackets = self.host.contains(&b':');
        if brackets {
            out.push(b'[');
        }
        out.extend_from_slice(self.host);
        if brackets {
            out.push(b']');
        }
        if let Some(port) = self.port {
            out.push(b':');
            write_decimal(port, out);
        }
    }

    fn value(&self) -> Option<Value<'_>> {
        Some(Value::Address(*self))
    }
}
