//! `listen`: sign in and print what arrives.

use msnp_proto::client::{Config, Event as Told};
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
    let end = match session.sign_in(None)? {
        Ok(()) => listen(&mut session, args)?,
        Err(failure) => failure.exit,
    };
    session.finish(Some(end), Exit::Done)
}

fn listen(session: &mut Session, args: &ListenArgs) -> Result<Exit, Failure> {
    let until = args.duration.map(|duration| session.now() + duration);
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
            Step::Due => return Ok(Exit::Done),
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
