//! What the values of options may look like. A value that is wrong is said to be wrong with what
//! it should have been.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::{Bound, RangeBounds};
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use msnp_proto::client::Config;
use msnp_proto::machine::Target;
use msnp_proto::types::{Address, Dialect, Handle};

use super::common::Offer;
use super::files::FileAddress;
use crate::script::{MOST_IN_FLIGHT, Variables};

/// The server to sign in to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// The one inside this program.
    Loopback,
    /// One on the network.
    At(Target),
}

/// What counts as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Until {
    Queued,
    Sent,
    Acked,
}

/// How far to try a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AsFarAs {
    Connect,
    Version,
    Auth,
    Online,
}

/// What to do about a failure when there is more to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnError {
    Stop,
    Continue,
}

pub(super) fn account(text: &str) -> Result<Handle, String> {
    Handle::new(text).ok_or_else(|| {
        "an account has the form name@domain, in ASCII without blanks, at most 129 characters"
            .into()
    })
}

pub(super) fn server(text: &str) -> Result<Server, String> {
    if text == "loopback" {
        return Ok(Server::Loopback);
    }
    match Address::parse(text) {
        Some(address) => Ok(Server::At(address.to_target())),
        None => {
            Err("a server is `loopback`, HOST or HOST:PORT, an IPv6 address in brackets".into())
        }
    }
}

pub(super) fn host(text: &str) -> Result<String, String> {
    let bare = Address::parse(text).filter(|address| address.port().is_none());
    match bare {
        Some(address) => Ok(address.host().to_owned()),
        None => Err("this is a host name or address without a port, IPv6 in brackets".into()),
    }
}

pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    let ip = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let port = ip.map(|ip| SocketAddr::new(ip, msnp_proto::limits::PORT));
    text.parse().or(port).map_err(|_| {
        "an address to listen at is IP or IP:PORT, like 127.0.0.1:1863, [::1]:1863 or 0.0.0.0:0; \
         port 0 is any free one"
            .into()
    })
}

pub(super) fn file_address(text: &str) -> Result<FileAddress, String> {
    if text == "none" {
        return Ok(FileAddress::Nowhere);
    }
    let usable = |ip: &Ipv4Addr| !(ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast());
    match text.parse().ok().filter(usable) {
        Some(ip) => Ok(FileAddress::At(ip)),
        None => Err("this is the IPv4 address of one machine, like 192.0.2.7, or `none`".into()),
    }
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("{error}; a time is like 500ms, 10s or 2m"))
}

/// The name and the value of a variable.
pub(super) fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a variable is like name=value")?;
    if Variables::default().set(name, value) {
        Ok((name.to_owned(), value.to_owned()))
    } else {
        Err("a name is at most 64 letters, digits, _ and -, and begins with a letter or _".into())
    }
}

pub(super) fn window(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=MOST_IN_FLIGHT).contains(number));
    number.ok_or_else(|| format!("this is a number from 1 to {MOST_IN_FLIGHT}"))
}

/// As [`duration`], but in no time at all nothing can be done.
pub(super) fn some_time(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("this time is longer than 0, like 500ms, 10s or 2m".into()),
        time => Ok(time),
    }
}

/// After how long without a sign of life a connection ends; zero for never. The system counts in
/// seconds, and not to more than some hours.
pub(super) fn keepalive(text: &str) -> Result<Duration, String> {
    let time = if text == "0" { Duration::ZERO } else { duration(text)? };
    let good = Duration::from_secs(6)..=Duration::from_secs(12 * 3600);
    if time.is_zero() || good.contains(&time) {
        return Ok(time);
    }
    Err("this is a time from 6s to 12h, or 0 for never".into())
}

/// A whole number in a range. The parser's own words for one that is not are those of programmers.
pub(super) fn number<T>(
    range: impl RangeBounds<T> + Clone + Send + Sync + 'static,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + PartialOrd + fmt::Display + 'static,
{
    move |text: &str| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| match (range.start_bound(), range.end_bound()) {
            (Bound::Included(least), Bound::Included(most)) => {
                format!("this is a whole number from {least} to {most}")
            }
            (Bound::Included(least), _) => format!("this is a whole number from {least} up"),
            _ => "this is a whole number".into(),
        })
    }
}

/// Bytes of one thing; a gibibyte would be a slip of the keyboard.
pub(super) fn bytes_from(
    least: usize,
) -> impl Fn(&str) -> Result<usize, String> + Clone + Send + Sync + 'static {
    number(least..=(1 << 30) - 1)
}

pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse()
        .ok()
        .filter(|port| *port > 0)
        .ok_or_else(|| "a port is a number from 1 to 65535; several are separated by commas".into())
}

pub(super) fn dialects(text: &str) -> Result<Offer, String> {
    let words: Result<Vec<_>, _> = text
        .split(',')
        .map(|word| {
            Dialect::from_word(word.trim().as_bytes())
                .ok_or("a version is one of MSNP2 to MSNP7; several are separated by commas")
        })
        .collect();
    let mut words = words?;
    if let [highest] = *words.as_slice() {
        let upto = |all: &[Dialect]| -> Vec<Dialect> {
            all.iter().copied().filter(|dialect| *dialect <= highest).collect()
        };
        words = upto(&Config::new().dialects);
        if words.is_empty() {
            words = upto(&Dialect::ALL);
            words.reverse();
        }
    }
    Ok(Offer(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_dialect_is_the_highest_and_several_are_a_list() {
        use Dialect::{Msnp2, Msnp3, Msnp4, Msnp5, Msnp7};
        let rows = [
            ("MSNP5", vec![Msnp5, Msnp4]),
            ("msnp4", vec![Msnp4]),
            ("MSNP3", vec![Msnp3, Msnp2]),
            ("MSNP2", vec![Msnp2]),
            ("MSNP3,MSNP7", vec![Msnp3, Msnp7]),
        ];
        for (text, offer) in rows {
            assert_eq!(dialects(text), Ok(Offer(offer)));
        }
        for text in ["", "7", "MSNP8", "MSNP7,", "CVR0"] {
            assert!(dialects(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn addresses_for_files() {
        let at = |a, b, c, d| Ok(FileAddress::At(Ipv4Addr::new(a, b, c, d)));
        assert_eq!(file_address("192.0.2.7"), at(192, 0, 2, 7));
        assert_eq!(file_address("127.0.0.1"), at(127, 0, 0, 1));
        assert_eq!(file_address("none"), Ok(FileAddress::Nowhere));
        let none = ["", "None", "::1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "1.2.3.4:5"];
        for text in none.into_iter().chain(["1.2.3", "host", "1.2.3.04", " 1.2.3.4"]) {
            assert!(file_address(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn addresses_of_servers() {
        let at = |host: &str, port| Ok(Server::At(Target { host: host.into(), port }));
        assert_eq!(server("loopback"), Ok(Server::Loopback));
        assert_eq!(server("im.example.net"), at("im.example.net", 1863));
        assert_eq!(server("127.0.0.1:5"), at("127.0.0.1", 5));
        assert_eq!(server("[::1]:5"), at("::1", 5));
        for text in ["", ":5", "h:0", "h:99999", "a b"] {
            assert!(server(text).is_err(), "{text:?}");
        }
        assert_eq!(listen("127.0.0.1").map(|at| at.port()), Ok(1863));
        assert_eq!(listen("::1").map(|at| at.to_string()), Ok("[::1]:1863".into()));
        assert_eq!(listen("[::1]:0").map(|at| at.port()), Ok(0));
        assert!(listen("localhost").is_err() && listen("").is_err());
        assert!(host("h:1").is_err() && host("h").is_ok());
    }
}
