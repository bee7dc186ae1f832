//! `listen`: sign in and print what arrives.

use std::fs;
use std::path::Path;

use msnp_proto::client::{Config, Event as Told};
use msnp_proto::time::{Duration, Instant};
use msnp_proto::types::Handle;
use nix::unistd::AccessFlags;

use crate::args::{ListenArgs, Until};
use crate::console::Console;
use crate::events::Event;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::session::{Session, Setup, Step};
use crate::transfers::{Policy, Transfers};

pub(crate) fn run(args: &ListenArgs) -> Result<Exit, Failure> {
    if let Some(folder) = &args.accept_files {
        check_folder(folder)?;
    }
    let console = Console::open(&args.output)?;
    let mut config = Config::new();
    config.reconnect = Some(args.stay.policy());
    let setup =
        Setup { args: &args.sign_in, config, until: Until::Acked, files: Some(&args.files) };
    let mut session = Session::open(console, setup)?;
    let patience = args.patience.map(|patience| (session.now() + patience, patience));
    let end = match session.sign_in(patience)? {
        Ok(()) => {
            let policy = match &args.accept_files {
                Some(folder) => Policy::Take { folder: folder.clone(), from: args.from.clone() },
                None => Policy::Decline,
            };
            let mut transfers = Transfers::new(policy);
            let end = listen(&mut session, &mut transfers, args, patience)?;
            transfers.abandon(&mut session.means(), Exit::Done, "nobody is here any more");
            show(&mut session, &mut transfers, &args.from);
            end
        }
        Err(failure) => failure.exit,
    };
    session.finish(Some(end), Exit::Done)
}

fn listen(
    session: &mut Session,
    transfers: &mut Transfers,
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
                if transfers.hear(&mut session.means(), &told) {
                    show(session, transfers, &args.from);
                    continue;
                }
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

/// Shows what there is to say about files.
fn show(session: &mut Session, transfers: &mut Transfers, from: &[Handle]) {
    for report in transfers.take_reports() {
        let who = match &report.marked.event {
            Event::Offer(offer) => Some(&offer.from),
            Event::Progress(portion) => portion.from.as_ref(),
            Event::Transfer(transfer) => transfer.from.as_ref(),
            _ => None,
        };
        let is = |who: &String| from.iter().any(|one| one.as_str() == who);
        if from.is_empty() || who.is_some_and(is) {
            session.emit(&report.marked);
        }
    }
}

/// Whether files can be put there.
fn check_folder(folder: &Path) -> Result<(), Failure> {
    let shown = folder.display();
    let bad = |why: &str| {
        let text = format!("cannot put files into {shown}: {why}");
        Err(Failure::new(Exit::CantCreate, text))
    };
    match fs::metadata(folder) {
        Ok(meta) if !meta.is_dir() => bad("it is no folder"),
        Ok(_) => match nix::unistd::access(folder, AccessFlags::W_OK | AccessFlags::X_OK) {
            Ok(()) => Ok(()),
            Err(error) => bad(&files::reason(&error.into())),
        },
        Err(error) => bad(&files::reason(&error)),
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
