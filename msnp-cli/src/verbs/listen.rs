//! `listen`: sign in and print what arrives.

use msnp_proto::client::{Config, Event as Told};
use msnp_proto::time::{Duration, Instant};
use msnp_proto::types::Handle;

use crate::args::{ListenArgs, Until};
use crate::console::Console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::{Session, Setup, Step};

pub(crate) fn run(args: &ListenArgs) -> Result<Exit, Failure> {
    let console = Console::open(&args.output)?;
    let mut config = Config::new();
    config.reconnect = Some(args.stay.policy());
    let setup = Setup { args: &args.sign_in, config, until: Until::Acked };
    let mut session = Session::open(console, setup)?;
    let patience = args.patience.map(|patience| (session.now() + patience, patience));
    let end = match session.sign_in(patience)? {
        Ok(()) => listen(&mut session, args, patience)?,
        Err(failure) => failure.exit,
    };
    session.finish(Some(end), Exit::Done)
}

fn listen(
    session: &mut Session,
    args: &ListenArgs,
    patience: Option<(Instant, Duration)>,
) -> Result<Exit, Failure> {
    let end = args.duration.map(|duration| session.now() + duration);
    let until = [end, patience.map(|(until, _)| until)].into_iter().flatten().min();
    let mut left = args.count;
    loop {
        if session.out.broken().is_some() {
            return Ok(Exit::Done);
        }
        match session.next(until)? {
            Step::Told(told) => {
                if !is_wanted(&told, &args.from) {
                    continue;
                }
                session.show(&told);
                match (&told, &mut left) {
                    (Told::Message { .. }, Some(left)) => {
                        *left -= 1;
                        if *left == 0 {
                            return Ok(Exit::Done);
                        }
                    }
                    (Told::Lost { why }, _) => {
                        if let Some(exit) = session.lost(*why) {
                            return Ok(exit);
                        }
                    }
                    _ => {}
                }
            }
            Step::Signal(exit) => return Ok(exit),
            Step::Due => {
                let Some((_, limit)) = patience.filter(|(at, _)| until == Some(*at)) else {
                    return Ok(Exit::Done);
                };
                let limit = humantime::format_duration(limit);
                session.log.error(format_args!("--timeout of {limit} ran out"));
                return Ok(Exit::Timeout);
            }
            Step::Woken => {}
        }
    }
}

/// Whether to show it when only `from` is wanted. What concerns nobody in particular always is.
fn is_wanted(told: &Told, from: &[Handle]) -> bool {
    let who = match told {
        Told::Message { from, .. } | Told::Typing { from, .. } => from,
        Told::Presence { account, .. }
        | Told::Joined { account, .. }
        | Told::Left { account, .. } => account,
        Told::ChatOpened { with, .. } => with,
        _ => return true,
    };
    from.is_empty() || from.contains(who)
}
