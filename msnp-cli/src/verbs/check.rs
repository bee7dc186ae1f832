//! `check`: try a server stage by stage.

use std::net::IpAddr;

use msnp_proto::client::{Config, Event as Told};
use msnp_proto::machine::Target;
use msnp_proto::time::{Duration, Instant};

use crate::args::{AsFarAs, CheckArgs, Server, Until};
use crate::check::diagnosis::{Trouble, diagnose};
use crate::check::stages::Stages;
use crate::check::watch::Watch;
use crate::console::Console;
use crate::events::{Event, Stage, StageName, StageResult};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::{Session, Setup, Step, Who};

pub(crate) fn run(args: &CheckArgs) -> Result<Exit, Failure> {
    let console = Console::open(&args.output)?;
    let mut config = Config::new();
    config.answer_calls = false;
    // What the user says is the limit, not what the client would wait by itself.
    let patient = args.timeout.saturating_add(Duration::from_secs(1));
    config.waits.sign_in = patient;
    config.waits.request = patient;
    let (last, who) = match as_far_as(args, &console) {
        AsFarAs::Connect => (StageName::Connect, Who::Nobody),
        AsFarAs::Version => (StageName::Version, Who::Nobody),
        AsFarAs::Auth => (StageName::Auth, Who::Account),
        AsFarAs::Online => (StageName::Online, Who::Account),
    };
    let watch = Watch::default();
    let setup = Setup { args: &args.sign_in, config, until: Until::Acked };
    let mut session = Session::open_watched(console, setup, Some((&watch, who)))?;
    session.come_for_an_errand();
    let until = session.now() + args.timeout;
    let exit = check(&mut session, &watch, last, until)?;
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
) -> Result<Exit, Failure> {
    let server = session.server().clone();
    let mut stages = Stages::new(session.now(), &server, last);
    named_by_address(session, &mut stages, &server);
    session.begin()?;
    while stages.now().is_some() {
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
                let is_foreign = fail(session, &mut stages, watch, Trouble::Lost(why));
                return Ok(if is_foreign { Exit::Protocol } else { Exit::of_lost(why) });
            }
            Step::Told(told) => {
                if let Some(stage) = stages.told(now, &told, &watch.seen()) {
                    show(session, stage);
                }
                match &told {
                    Told::Referred { to } => {
                        watch.forget();
                        named_by_address(session, &mut stages, to);
                    }
                    Told::Warning(_) | Told::System(_) => session.show(&told),
                    _ => {}
                }
            }
            Step::Signal(exit) => return Ok(exit),
            Step::Due => {
                fail(session, &mut stages, watch, Trouble::TimedOut);
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

/// The stage that is going on has failed: says why, as far as can be told, and returns whether it is
/// another kind of server.
fn fail(session: &mut Session, stages: &mut Stages, watch: &Watch, trouble: Trouble) -> bool {
    let now = session.now();
    let mut is_foreign = false;
    for mut stage in stages.failed(now) {
        if stage.result == StageResult::Failed {
            let found = diagnose(stage.stage, trouble, &watch.seen());
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
