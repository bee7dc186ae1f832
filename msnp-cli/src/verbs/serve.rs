//! `serve`: the three servers, by themselves.

use std::net::SocketAddr;
use std::time::Duration;

use msnp_mio::{Happened, Reactor};
use msnp_proto::hub::{Event as Told, Hub, HubConfig, MemoryDirectory, Role, Why};
use msnp_proto::machine::Closed;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::{documents, user};
use crate::args::{ServeArgs, ServeTask};
use crate::console::Console;
use crate::directory::{Accounts, Purpose, SqliteDirectory, Unmanaged};
use crate::entropy::SystemEntropy;
use crate::events::{Done, Event, Ready, Refused};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input::{self, Input};
use crate::keepalive;
use crate::loopback::unix_time;
use crate::operator;
use crate::users;

/// How long everybody may take to hear that the server goes down.
const GOODBYE: Duration = Duration::from_secs(3);

/// Files that are open beside connections: listening sockets, data, logs and what the loop needs.
const OWN_DESCRIPTORS: u64 = 64;

pub(crate) fn run(args: &ServeArgs) -> Result<Exit, Failure> {
    if args.limits.help_all {
        return documents::long_help("serve");
    }
    if let Some(ServeTask::User(task)) = &args.task {
        return user::run(args, task);
    }
    let config = config(args)?;
    let mut console = Console::open(&args.output)?;
    if let Some(warning) = unreachable(&config) {
        console.log.note(warning);
    }
    make_room(config.limits.connections, &console);
    let accounts = accounts(args, &console)?;
    let hub = Hub::new(config, accounts, Box::new(SystemEntropy));
    let mut reactor = Reactor::new(hub)?;
    reactor.set_socket_setup(keepalive::after(args.limits.keepalive));
    if let Some(trace) = console.trace(|_| true) {
        reactor.set_tap(trace);
    }
    let waker = reactor.handle();
    console.signals.on_first(move || waker.wake());
    let waker = reactor.handle();
    let mut orders = args.operator.then(|| input::lines(move || waker.wake()));

    let exit = loop {
        if let Some(exit) = console.signals.taken() {
            break exit;
        }
        if let Some(line) = orders.as_mut().and_then(Input::take) {
            if obey(&mut reactor, &mut console, line) {
                break Exit::Done;
            }
            continue;
        }
        if let Happened::Event(told) = reactor.next(None)? {
            if let Told::ListenFailed { role, at, why } = told {
                return Err(not_listening(role, at, why));
            }
            let trouble = reactor.host().directory().trouble();
            show(&mut console, told, trouble);
        }
    };
    console.log.note(format_args!("going down; people signed in: {}", reactor.host().people()));
    let now = reactor.now();
    reactor.host_mut().shut_down(now);
    while let Some(happened) = reactor.settle(now + GOODBYE)? {
        match happened {
            Happened::Event(told) => {
                show(&mut console, told, reactor.host().directory().trouble());
            }
            Happened::Woken => {}
            Happened::Due => break,
        }
    }
    console.out.emit(&Event::Done(Done { exit: exit.code(), ..Done::default() }));
    Ok(exit)
}

/// Does what the operator wants, and says so; `true` if the server is to go down.
fn obey(reactor: &mut Reactor<Hub<Accounts>>, console: &mut Console, line: input::Item) -> bool {
    let now = reactor.now();
    let answer = match line {
        Ok(line) if line.trim().is_empty() => return false,
        Ok(line) => operator::obey(reactor.host_mut(), now, &line),
        Err(why) => operator::refuse(None, "command".into(), why.to_string()),
    };
    for event in &answer.events {
        console.out.emit_marked(event);
    }
    answer.is_shutdown
}

fn accounts(args: &ServeArgs, console: &Console) -> Result<Accounts, Failure> {
    match &args.data {
        None => users(args, console).map(Accounts::Memory),
        Some(path) => {
            let file = SqliteDirectory::open(path, Purpose::Serve)?;
            let count = file.count().map_err(|why| match why {
                Unmanaged::Busy(text) | Unmanaged::Failed(text) => {
                    let text = format!("cannot read data file {}: {text}", path.display());
                    Failure::new(Exit::Io, text)
                }
                Unmanaged::There | Unmanaged::Unknown => {
                    Failure::new(Exit::Bug, "a count that failed for no reason")
                }
            })?;
            if count == 0 {
                let shown = path.display();
                console.log.note(format_args!(
                    "there are no accounts in {shown}, so nobody can sign in; to add one, also \
                     while the server runs: msnp serve --data {shown} user add alice@example.net"
                ));
            }
            Ok(Accounts::File(Box::new(file)))
        }
    }
}

fn users(args: &ServeArgs, console: &Console) -> Result<MemoryDirectory, Failure> {
    let Some(path) = &args.users else {
        console.log.note(
            "there are no accounts, so nobody can sign in; to add one, name a file with --users \
             and write into it: [[user]], account = \"alice@example.net\", password = \"...\", \
             each on a line of its own",
        );
        return Ok(MemoryDirectory::new());
    };
    let users = users::read(path)?;
    if users.is_empty() {
        console.log.note(format_args!("there are no accounts in {}", path.display()));
    }
    let mut accounts = MemoryDirectory::new();
    for user in &users {
        accounts = accounts.account(user.account.clone(), user.password.clone());
        if let Some(name) = &user.name {
            accounts = accounts.name(&user.account, name.clone());
        }
    }
    // After all names, so that everybody has them in their lists.
    for user in &users {
        for contact in &user.contacts {
            accounts = accounts.contact(&user.account, contact);
        }
    }
    console.log.note("accounts and lists are in memory: changes are gone when the server ends");
    Ok(accounts)
}

fn config(args: &ServeArgs) -> Result<HubConfig, Failure> {
    let mut config = HubConfig::new(args.listen);
    if let Some(notification) = args.notification {
        config.notification = notification;
    }
    if let Some(switchboard) = args.switchboard {
        config.switchboard = switchboard;
    }
    config.single = args.single;
    config.advertise.clone_from(&args.advertise);
    config.unix_time_at_zero = unix_time();
    config.limits = args.limits.to_limits().map_err(|text| Failure::new(Exit::Usage, text))?;
    Ok(config)
}

/// What others cannot do, if they are referred to an address at which only this machine is reached:
/// who listens at every address has none to name.
fn unreachable(config: &HubConfig) -> Option<String> {
    if config.advertise.is_some() {
        return None;
    }
    let notification = (!config.single).then_some(("sign in", config.notification));
    let mut referrals = notification.into_iter().chain([("chat", config.switchboard)]);
    let (what, at) = referrals.find(|(_, at)| at.ip().is_unspecified())?;
    let named = if at.is_ipv4() { "127.0.0.1" } else { "::1" };
    Some(format!(
        "nobody on another machine can {what}: they are referred to {named}, because {} stands for \
         every address; give the host name or address that they use with --advertise",
        at.ip()
    ))
}

/// Asks the system for a descriptor for every connection, and says so if there are not enough. Then
/// those who come too late wait in the system's queue.
fn make_room(connections: usize, console: &Console) {
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OWN_DESCRIPTORS);
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return };
    let granted = wanted.min(hard);
    if soft < granted && setrlimit(Resource::RLIMIT_NOFILE, granted, hard).is_err() {
        console.log.note(format_args!("the limit of {soft} open files cannot be raised"));
    } else if granted < wanted {
        console.log.note(format_args!(
            "the system allows {hard} open files, which is too few for {connections} connections: \
             those that are too many wait until others leave; raise it (ulimit -n) or lower \
             --max-connections"
        ));
    }
}

fn not_listening(role: Role, at: SocketAddr, why: Closed) -> Failure {
    let (option, role) = match role {
        Role::Switchboard => ("--switchboard", "switchboards"),
        Role::Notification => ("--notification", "notification server"),
        Role::Dispatch => ("--listen", "dispatch server"),
    };
    let text = format!(
        "cannot listen at {at} for the {role}: {why}; another server may run there, or choose \
         another address with {option}"
    );
    Failure::new(Exit::Retry, text)
}

fn show(console: &mut Console, told: Told, trouble: Option<&str>) {
    let event = match told {
        Told::Ready { dispatch, notification, switchboard } => Event::Ready(Ready {
            version: env!("CARGO_PKG_VERSION"),
            listen: Some(dispatch.to_string()),
            notification: Some(notification.to_string()),
            switchboard: Some(switchboard.to_string()),
            ..Ready::default()
        }),
        Told::SignedIn { account, dialect, from, .. } => Event::SignedIn {
            account: account.to_string(),
            protocol: dialect.to_string(),
            from: from.to_string(),
        },
        Told::SignedOut { account, why, .. } => {
            Event::SignedOut { account: account.to_string(), reason: words(why) }
        }
        Told::Refused { account, from, .. } => Event::Refused(Refused {
            request: "sign-in".into(),
            code: Some(911),
            name: "wrong password or unknown account".into(),
            account: account.map(|account| account.to_string()),
            from: Some(from.to_string()),
            ..Refused::default()
        }),
        Told::Dropped { role, from, why, .. } => {
            let role = name_of(role);
            // Ordinary ends.
            if matches!(why, Why::Left | Why::HungUp | Why::Connection(_) | Why::SignedOut) {
                console.log.detail(format_args!("{role}: {from}: {}", words(why)));
                return;
            }
            let reason = format!("{role}: connection from {from} dropped: {}", words(why));
            Event::Warning { reason, verb: None }
        }
        Told::TurnedAway { role, from, why, count } => {
            let (role, why) = (name_of(role), words(why));
            let more = match count {
                1 => String::new(),
                count => format!(" ({count} connections since this was said last)"),
            };
            let reason = format!("{role}: connection from {from} turned away: {why}{more}");
            Event::Warning { reason, verb: None }
        }
        Told::DirectoryFailed { why, .. } => {
            let reason = match trouble {
                Some(trouble) => format!("{why}: {trouble}"),
                None => why.to_string(),
            };
            Event::Warning { reason, verb: None }
        }
        _ => return,
    };
    let was_broken = console.out.broken().is_some();
    console.out.emit(&event);
    if !was_broken && console.out.broken().is_some() {
        console.log.note("nobody reads our events any more; the server goes on");
    }
}

const fn name_of(role: Role) -> &'static str {
    match role {
        Role::Dispatch => "dispatch",
        Role::Notification => "notification",
        Role::Switchboard => "switchboard",
    }
}

fn words(why: Why) -> String {
    match why {
        Why::Left => "left".into(),
        Why::HungUp => "hung up".into(),
        Why::Connection(why) => why.to_string(),
        Why::Elsewhere => "signed in elsewhere".into(),
        Why::ShutDown => "server going down".into(),
        Why::AccountGone => "the account was removed".into(),
        Why::SignedOut => "signed out".into(),
        Why::Frame(error) => error.to_string(),
        Why::Unreadable(error) => error.to_string(),
        Why::Unexpected(verb) => format!("{verb} at the wrong moment"),
        Why::Invalid(verb) => format!("{verb} with a value that is not allowed"),
        Why::NotMsnp => "what it sends is not this protocol".into(),
        Why::Version => "no version in common".into(),
        Why::Authentication => "authentication failed".into(),
        Why::Challenge => "challenge answered wrongly".into(),
        Why::ChallengeUnanswered => "challenge not answered".into(),
        Why::SignInTimeout => "signing in took too long".into(),
        Why::Idle => "idle for too long".into(),
        Why::MessageTooLong => "message over the limit".into(),
        Why::Backlog => "it does not read what it is sent".into(),
        Why::Crowd => "there are as many connections as --max-connections allows".into(),
        Why::CrowdOfAddress => {
            "there are as many from that address as --max-per-address allows".into()
        }
        Why::Moved => "moved to another server".into(),
        Why::Operator => "ended by the operator".into(),
        _ => "the server ended it".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_and_names_no_host_is_told_what_others_cannot_do() {
        let rows = [
            ("127.0.0.1:1863", None, false, None),
            ("192.0.2.1:1863", None, false, None),
            ("0.0.0.0:1863", None, false, Some(["can sign in:", "to 127.0.0.1,"])),
            ("[::]:1863", None, false, Some(["can sign in:", "to ::1,"])),
            ("0.0.0.0:1863", None, true, Some(["can chat:", "to 127.0.0.1,"])),
            ("0.0.0.0:1863", Some("im.example.net"), false, None),
        ];
        for (listen, advertise, single, expected) in rows {
            let mut config = HubConfig::new(listen.parse().expect("an address"));
            (config.advertise, config.single) = (advertise.map(Into::into), single);
            let said = unreachable(&config);
            assert_eq!(said.is_some(), expected.is_some(), "{listen} {single}: {said:?}");
            for words in expected.into_iter().flatten() {
                let said = said.as_deref().unwrap_or_default();
                assert!(said.contains(words) && said.contains("--advertise"), "{said}");
            }
        }
    }
}
