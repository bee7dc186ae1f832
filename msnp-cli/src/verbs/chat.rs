//! `chat`: lines typed are sent, lines that arrive are shown.

use std::io::{self, BufRead, IsTerminal};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;

use msnp_proto::client::{ChatId, Config, Event as Told};
use msnp_proto::error::Misuse;

use crate::args::{ChatArgs, Until};
use crate::console::Console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::session::{Session, Setup, Step};

/// Texts without an answer, from which on no more lines are read.
const WINDOW: usize = 16;

/// Longest line that is read; a longer one could not be sent by far.
const LINE: u64 = 64 * 1024;

pub(crate) fn run(args: &ChatArgs) -> Result<Exit, Failure> {
    if args.sign_in.uses_stdin() {
        return Err(Failure::new(
            Exit::Usage,
            "chat reads lines from stdin, so the password cannot come from there; \
             use --password-file or --password-command",
        ));
    }
    let console = Console::open(&args.output)?;
    let mut config = Config::new();
    config.waits.acknowledgement = args.ack_timeout;
    config.reconnect = Some(args.stay.policy());
    let setup = Setup { args: &args.sign_in, config, until: Until::Acked };
    let mut session = Session::open(console, setup)?;
    let end = match session.sign_in(None)? {
        Ok(()) => talk(&mut session, args)?,
        Err(failure) => Some(failure.exit),
    };
    session.finish(end, Exit::Done)
}

/// `Some` is the code to end with; `None` leaves it to the messages.
fn talk(session: &mut Session, args: &ChatArgs) -> Result<Option<Exit>, Failure> {
    if io::stdin().is_terminal() {
        session.log.note("type a line to send it; Ctrl-D leaves");
    }
    let mut chat = session.open_chat(&args.with);
    let lines = read_lines(session);
    let mut input = Input::Open;
    loop {
        // While we are not signed in, lines wait where they are.
        let is_online = session.client().is_online();
        while is_online && input == Input::Open && session.ledger.waiting() < WINDOW {
            match lines.try_recv() {
                Ok(Ok(line)) if line.is_empty() => {}
                Ok(Ok(line)) => chat = say(session, chat, args, &line),
                Ok(Err(why)) => {
                    session.log.error(format_args!("cannot read what to say: {why}"));
                    input = Input::Broken;
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => input = Input::Ended,
            }
        }
        let is_over = input != Input::Open || session.out.broken().is_some();
        if is_over && session.ledger.waiting() == 0 {
            return Ok((input == Input::Broken).then_some(Exit::Input));
        }
        match session.next(None)? {
            Step::Told(told) => {
                // A person who types needs no word of what goes well so far.
                let is_smooth = matches!(told, Told::Queued { .. } | Told::Sent { .. });
                if is_smooth && session.out.is_text() {
                    session.note(&told);
                } else {
                    session.show(&told);
                }
                match told {
                    // Whoever calls us is answered where they are.
                    Told::ChatOpened { chat: opened, with, incoming: true }
                        if with == args.with =>
                    {
                        chat = Ok(opened);
                    }
                    Told::Lost { why } => {
                        if let Some(exit) = session.lost(why) {
                            give_up(session, &lines, args, exit, "the session ended before it");
                            return Ok(Some(exit));
                        }
                    }
                    _ => {}
                }
            }
            Step::Signal(exit) => {
                session.ledger.stop(exit, "interrupted");
                give_up(session, &lines, args, exit, "interrupted");
                return Ok(Some(exit));
            }
            Step::Due | Step::Woken => {}
        }
    }
}

/// Sends a line, in a chat that is opened again if it could not be opened before.
fn say(
    session: &mut Session,
    chat: Result<ChatId, Misuse>,
    args: &ChatArgs,
    line: &str,
) -> Result<ChatId, Misuse> {
    let chat = chat.or_else(|_| session.open_chat(&args.with));
    session.send_text(chat, &args.with, line);
    chat
}

/// Says of every line that was read and not taken up that it was not sent.
fn give_up(session: &mut Session, lines: &Lines, args: &ChatArgs, exit: Exit, why: &str) {
    for line in lines.try_iter().flatten().filter(|line| !line.is_empty()) {
        session.fail(&args.with, exit, &format!("not sent: {why} ({} bytes)", line.len()));
    }
}

/// What stdin gives, line by line.
type Lines = Receiver<Result<String, String>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Input {
    Open,
    Ended,
    Broken,
}

/// Reads stdin on a thread of its own, which waits when nobody takes the lines.
fn read_lines(session: &Session) -> Lines {
    let (tell, told) = mpsc::sync_channel(WINDOW);
    let wake = session.waker();
    thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let line = match io::Read::take(&mut stdin, LINE).read_until(b'\n', &mut bytes) {
                Ok(0) => break,
                Ok(_) if bytes.len() as u64 == LINE => Err("a line of more than 64 KiB".into()),
                Ok(_) => match std::str::from_utf8(&bytes) {
                    Ok(line) => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
                    Err(_) => Err("a line that is not UTF-8".into()),
                },
                Err(error) => Err(files::reason(&error)),
            };
            let is_last = line.is_err();
            if tell.send(line).is_err() || is_last {
                break;
            }
            wake();
        }
        drop(tell);
        wake();
    });
    told
}
