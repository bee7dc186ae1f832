//! `check`: try a server stage by stage.

use std::net::IpAddr;

use msnp_proto::client::{Config, Event as Told};
use msnp_proto::machine::Target;
use msnp_proto::secret::Secret;
use msnp_proto::time::{Duration, Instant};
use msnp_proto::types::Handle;

use crate::args::{AsFarAs, CheckArgs, Server, Until};
use crate::check::diagnosis::{Diagnosis, Trouble, diagnose};
use crate::check::stages::Stages;
use crate::check::watch::Watch;
use crate::console::Console;
use crate::events::{Event, Stage, StageName, StageResult};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::loopback;
use crate::session::{Session, Setup, Step, Who, password};

pub(crate) fn run(args: &CheckArgs) -> Result<Exit, Failure> {
    let console = Console::open(&args.output)?;
    let mut config = Config::new();
    config.answer_calls = false;
    // What the user says is the limit, not what the client would wait by itself: that has no end,
    // since after a pause of the whole machine both limits would have passed.
    config.waits.sign_in = Duration::MAX;
    config.waits.request = Duration::MAX;
    let last = match as_far_as(args, &console) {
        AsFarAs::Connect => StageName::Connect,
        AsFarAs::Version => StageName::Version,
        AsFarAs::Auth => StageName::Auth,
        AsFarAs::Online => StageName::Online,
    };
    // Without a password much can be found out too.
    let (who, missing) = match (last > StageName::Version, account(args)) {
        (true, Some(account)) => match password(&args.sign_in, &account, &console) {
            Ok(password) => (Who::Account(password), None),
            Err(failure) if failure.exit.is_signal() => return Err(failure),
            Err(failure) => (Who::Nobody, Some(failure)),
        },
        (true, None) => (Who::Account(Secret::default()), None),
        (false, _) => (Who::Nobody, None),
    };
    let watch = Watch::default();
    let setup = Setup { args: &args.sign_in, config, until: Until::Acked, files: None };
    let mut session = Session::open_watched(console, setup, Some((&watch, who)))?;
    session.come_for_an_errand();
    let until = session.now() + args.timeout;
    let exit = check(&mut session, &watch, last, until, missing)?;
    session.finish(Some(exit), Exit::Io)
}

/// Without an account there is nothing to sign in with, and up to then much can be found out.
fn as_far_as(args: &CheckArgs, console: &Console) -> AsFarAs {
    let has_account = args.sign_in.account.is_some() || args.sign_in.server == Server::Loopback;
    match args.as_far_as {
        Some(stage) => stage,
        None if has_account => AsFarAs::Online,
        None => {
            console.log.note("no account is named, so this goes as far as version; see --account");
            AsFarAs::Version
        }
    }
}

fn check(
    session: &mut Session,
    watch: &Watch,
    last: StageName,
    until: Instant,
    missing: Option<Failure>,
) -> Result<Exit, Failure> {
    let server = session.server().clone();
    let mut stages = Stages::new(session.now(), &server, last);
    named_by_address(session, &mut stages, &server);
    let mut at = server;
    session.begin()?;
    while let Some(stage) = stages.now() {
        if let Some(failure) = missing.as_ref().filter(|_| stage > StageName::Version) {
            let found = no_password(failure);
            fail(session, &mut stages, |_| found);
            return Ok(failure.exit);
        }
        let step = session.next(Some(until))?;
        let now = session.now();
        if let Some((addresses, took)) = watch.addresses() {
            let shown: Vec<String> = addresses.iter().map(|at| at.ip().to_string()).collect();
            if let Some(stage) = stages.resolved(took, shown.join(", ")) {
                show(session, stage);
            }
        }
        match step {
            Step::Told(Told::Lost { why }) => {
                let seen = watch.seen();
                let find = |stage| diagnose(stage, Trouble::Lost(why), &seen);
                let is_foreign = fail(session, &mut stages, find);
                return Ok(if is_foreign { Exit::Protocol } else { Exit::of_lost(why) });
            }
            Step::Told(told) => {
                if let Some(stage) = stages.told(now, &told, &watch.seen()) {
                    show(session, stage);
                }
                match &told {
                    Told::Referred { to } => {
                        watch.referred(std::mem::replace(&mut at, to.clone()), to.clone());
                        named_by_address(session, &mut stages, to);
                    }
                    Told::Warning(_) | Told::System(_) => session.show(&told),
                    _ => {}
                }
            }
            Step::Signal(exit) => return Ok(exit),
            Step::Due => {
                let seen = watch.seen();
                fail(session, &mut stages, |stage| diagnose(stage, Trouble::TimedOut, &seen));
                return Ok(Exit::Timeout);
            }
            Step::Woken => {}
        }
    }
    Ok(Exit::Done)
}

/// What is an address already is not looked up.
fn named_by_address(session: &mut Session, stages: &mut Stages, server: &Target) {
    if server.host.parse::<IpAddr>().is_ok() {
        if let Some(stage) = stages.resolved(Duration::ZERO, "it is an address".into()) {
            show(session, stage);
        }
    }
}

fn show(session: &mut Session, stage: Stage) {
    session.out.emit(&Event::Stage(Box::new(stage)));
}

/// Who signs in, if that is known.
fn account(args: &CheckArgs) -> Option<Handle> {
    let is_loopback = args.sign_in.server == Server::Loopback;
    let own = is_loopback.then(|| loopback::handle(loopback::ME));
    args.sign_in.account.clone().or(own)
}

/// The server is as it should be as far as can be told, and we cannot sign in.
fn no_password(failure: &Failure) -> Diagnosis {
    Diagnosis {
        seen: failure.text.clone(),
        cause: "nothing that the server does: we have no password to sign in with".into(),
        advice: "give the password, or go no further than --as-far-as version".into(),
        is_foreign: false,
        is_referred: false,
    }
}

/// The stage that is going on has failed: says why, as far as can be told, and returns whether it is
/// another kind of server.
fn fail(
    session: &mut Session,
    stages: &mut Stages,
    find: impl FnOnce(StageName) -> Diagnosis,
) -> bool {
    let mut find = Some(find);
    let now = session.now();
    let mut is_foreign = false;
    for mut stage in stages.failed(now) {
        let find = find.take_if(|_| stage.result == StageResult::Failed);
        if let Some(found) = find.map(|find| find(stage.stage)) {
            session.log.error(format_args!(
                "{} failed at {}: {}; {}",
                stage.stage, stage.server, found.seen, found.advice
            ));
            is_foreign = found.is_foreign;
            stage.seen = Some(found.seen);
            stage.cause = Some(found.cause);
            stage.advice = Some(found.advice);
        }
        show(session, stage);
    }
    is_foreign
}
