//! The server inside the program, and the account on it that answers.
//!
//! This module knows how to bring both up on this machine alone. The user's own client then talks
//! to it over real sockets, as to any other server.

use std::net::Ipv4Addr;
use std::time::SystemTime;

use msnp_proto::client::{self, Client, Content, Files, SignIn};
use msnp_proto::hub::{self, Hub, HubConfig, MemoryDirectory};
use msnp_proto::machine::Target;
use msnp_proto::pair::{Both, Either};
use msnp_proto::time::Instant;
use msnp_proto::types::{Delivery, Handle, Nick};

use crate::entropy::{self, SystemEntropy};
use crate::exit::Exit;
use crate::failure::Failure;

/// The account that is always online, answers every text with the same text, and takes every file.
pub(crate) const ECHO: &str = "echo@example.net";

/// Who signs in if nobody is named.
pub(crate) const ME: &str = "me@example.net";

/// The server and the one who answers.
pub(crate) type Backstage = Both<Hub<MemoryDirectory>, Client>;

/// Where the server listens, once it does.
pub(crate) type At = Option<Target>;

/// What they report.
pub(crate) type Event = Either<hub::Event, client::Event>;

/// A server for `account`, with nothing open yet. Every account and every password is accepted.
pub(crate) fn backstage(account: &Handle) -> Backstage {
    let echo = handle(ECHO);
    let name = Nick::new("Echo").expect("a short name");
    let accounts = MemoryDirectory::open()
        .open_account(account.clone())
        .open_account(echo.clone())
        .name(&echo, name)
        .contact(account, &echo);
    let mut config = HubConfig::loopback();
    config.unix_time_at_zero = unix_time();
    let hub = Hub::new(config, accounts, Box::new(SystemEntropy));
    let mut config = client::Config::new();
    config.files = Some(Files::new(Some(Ipv4Addr::LOCALHOST)));
    Both::new(hub, Client::new(config))
}

pub(crate) fn handle(text: &'static str) -> Handle {
    Handle::new(text).expect("an account of ours")
}

pub(crate) fn unix_time() -> u64 {
    // A clock before 1970 is wrong in any case.
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Plays the echo's part, and brings it up when the server listens. Sets `at` then, and returns
/// whether this was the moment from which on the echo answers.
pub(crate) fn react(
    backstage: &mut Backstage,
    at: &mut At,
    now: Instant,
    event: Event,
) -> Result<bool, Failure> {
    let echo = &mut backstage.second;
    match event {
        Either::First(hub::Event::Ready { dispatch, .. }) => {
            let server = Target { host: dispatch.ip().to_string(), port: dispatch.port() };
            let sign_in = SignIn::new(handle(ECHO), "".into(), server.clone());
            *at = Some(server);
            echo.sign_in(now, sign_in).map_err(|misuse| broken(&misuse.to_string()))?;
        }
        Either::First(hub::Event::ListenFailed { at, why, .. }) => {
            return Err(Failure::new(
                Exit::Retry,
                format!("the built-in server cannot listen at {at}: {why}"),
            ));
        }
        Either::Second(client::Event::Online { .. }) => return Ok(true),
        Either::Second(client::Event::Lost { why }) => return Err(broken(&why.to_string())),
        Either::Second(client::Event::Message { chat, content: Content::Text(text), .. }) => {
            // An answer that cannot be sent any more is nobody's loss.
            let _ = echo.send_text(now, chat, &text.content, Delivery::Always);
        }
        Either::Second(client::Event::Transfer {
            transfer,
            change: client::TransferChange::Arrived,
        }) => {
            // What has ended meanwhile needs no word of ours.
            let _ = echo.finish_file(now, transfer);
        }
        Either::Second(client::Event::FileOffered { transfer, .. }) => {
            // What cannot be taken any more is nobody's loss; what is taken is thrown away.
            let _ = echo.accept_file(now, transfer, entropy::number());
        }
        Either::First(_) | Either::Second(_) => {}
    }
    Ok(false)
}

fn broken(why: &str) -> Failure {
    Failure::new(Exit::Bug, format!("{ECHO} cannot sign in to the built-in server: {why}"))
}
