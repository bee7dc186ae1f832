//! How a session comes to be: an account, its password, and the built-in server if that is the one.
//!
//! This module knows what must be there before the first connection. Signing in is not its business.

use std::time::Duration;

use msnp_mio::{Happened, Options, Reactor, Tap};
use msnp_proto::client::{Client, Config, Files};
use msnp_proto::machine::{ConnId, Target};
use msnp_proto::pair::{Both, Either};
use msnp_proto::secret::Secret;
use msnp_proto::types::{Handle, Status};

use super::{Party, Session, react};
use crate::args::{FileArgs, Server, SignInArgs, Until};
use crate::check::watch::Watch;
use crate::console::Console;
use crate::events::{Event, Ready};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keepalive;
use crate::ledger::Ledger;
use crate::loopback;
use crate::signals::Signals;

/// How long the built-in server may take to come up. Only a mistake of ours takes longer, or a
/// machine that pauses.
const BACKSTAGE: Duration = Duration::from_secs(60);

/// What a verb decides about its session.
pub(crate) struct Setup<'a> {
    pub(crate) args: &'a SignInArgs,
    pub(crate) config: Config,
    pub(crate) until: Until,
    /// How files are exchanged, if they are.
    pub(crate) files: Option<&'a FileArgs>,
}

/// As whom a watched session signs in.
#[derive(Clone, Debug)]
pub(crate) enum Who {
    /// The account that is named, with this password.
    Account(Secret),
    /// It will not come to that.
    Nobody,
}

impl Session {
    /// Gets a password, brings the built-in server up if it is wanted, and says `ready`.
    pub(crate) fn open(console: Console, setup: Setup<'_>) -> Result<Self, Failure> {
        Self::open_watched(console, setup, None)
    }

    /// As [`Session::open`], with somebody who watches; `Nobody` signs in only as far as no account
    /// is needed.
    pub(crate) fn open_watched(
        mut console: Console,
        setup: Setup<'_>,
        watch: Option<(&Watch, Who)>,
    ) -> Result<Self, Failure> {
        let Setup { args, mut config, until, files } = setup;
        let is_loopback = args.server == Server::Loopback;
        let is_nobody = matches!(watch, Some((_, Who::Nobody)));
        let account = match (&args.account, is_loopback) {
            (Some(account), _) => account.clone(),
            (None, _) if is_nobody => loopback::handle(loopback::ME),
            (None, true) => loopback::handle(loopback::ME),
            (None, false) => {
                return Err(Failure::new(
                    Exit::Config,
                    "no account to sign in with: use --account NAME@DOMAIN or set MSNP_ACCOUNT",
                ));
            }
        };
        let password = match &watch {
            Some((_, Who::Nobody)) => Secret::default(),
            Some((_, Who::Account(password))) => password.clone(),
            None => password(args, &account, &console)?,
        };
        if let Some(dialects) = args.dialects() {
            config.dialects = dialects.to_vec();
        }
        // Where we are is known once we are connected.
        config.files = files.map(|_| Files::new(None));
        let file_address = files.and_then(|files| files.address);
        let backstage = is_loopback.then(|| loopback::backstage(&account));
        let mut options = Options::default();
        if !is_loopback {
            options.connect_timeout = args.connect_timeout;
        }
        let party = Both::new(Client::new(config), backstage);
        let mut reactor = Reactor::with_options(party, options)?;
        // The client pings its server; a switchboard has no such question.
        reactor.set_socket_setup(keepalive::after(keepalive::OF_CLIENTS));
        let trace = console.trace(is_ours).map(|trace| -> Box<dyn Tap> { trace });
        if let Some((watch, _)) = watch {
            reactor.set_resolver(watch.resolver());
        }
        let watch = watch.map_or_else(Watch::default, |(watch, _)| watch.clone());
        reactor.set_tap(watch.tap(trace, is_ours));
        let waker = reactor.handle();
        console.signals.on_first(move || waker.wake());
        let begun = reactor.now();
        let server = match &args.server {
            Server::At(server) => server.clone(),
            Server::Loopback => {
                console.log.note("built-in server, nothing leaves this machine");
                raise(&mut reactor, &console.signals)?
            }
        };
        let Console { out, log, signals, .. } = console;
        let ledger = Ledger::new(until);
        let mut session = Self {
            reactor,
            watch,
            out,
            log,
            ledger,
            signals,
            at: server.clone(),
            server,
            account,
            password,
            status: Status::Online,
            begun,
            protocol: None,
            is_loopback,
            is_errand: false,
            leaving: false,
            broken_noted: false,
            file_address,
            bar: None,
        };
        session.out.emit(&Event::Ready(Ready {
            version: env!("CARGO_PKG_VERSION"),
            server: Some(session.server.to_string()),
            loopback: Some(is_loopback),
            ..Ready::default()
        }));
        Ok(session)
    }
}

/// The password of the account, from where the user says.
pub(crate) fn password(
    args: &SignInArgs,
    account: &Handle,
    console: &Console,
) -> Result<Secret, Failure> {
    let sources = args.password();
    if args.server == Server::Loopback && !sources.is_named() {
        // Nothing is checked there.
        return Ok(Secret::default());
    }
    sources.obtain(account.as_str(), &console.signals)
}

/// Of the connections on this reactor those of our own client.
fn is_ours(conn: ConnId) -> bool {
    conn.slot() % 2 == 0
}

/// Runs the built-in server until the echo answers.
fn raise(reactor: &mut Reactor<Party>, signals: &Signals) -> Result<Target, Failure> {
    let until = reactor.now() + BACKSTAGE;
    let mut at = None;
    loop {
        if let Some(exit) = signals.taken() {
            return Err(Failure::new(exit, "interrupted"));
        }
        match reactor.next(Some(until))? {
            Happened::Event(Either::Second(event)) => {
                if react(reactor, &mut at, event)? {
                    return at
                        .ok_or_else(|| Failure::new(Exit::Bug, "built-in server without address"));
                }
            }
            Happened::Event(Either::First(_)) | Happened::Woken => {}
            Happened::Due => {
                return Err(Failure::new(Exit::Bug, "the built-in server does not come up"));
            }
        }
    }
}
