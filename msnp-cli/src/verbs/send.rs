//! `send`: one message to one or more people, then leave.

use std::io::{IsTerminal, Read};
use std::str::Utf8Error;
use std::time::Duration;

use msnp_proto::client::{Config, Event as Told, payload_len};
use msnp_proto::limits::SWITCHBOARD_PAYLOAD;
use msnp_proto::time::Instant;
use msnp_proto::types::Handle;

use crate::args::{OnError, SendArgs};
use crate::console::Console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::loopback::ECHO;
use crate::session::{Session, Setup, Step};

/// How long to wait for the echo, so that a first try shows a whole conversation. It always comes,
/// but not while the machine pauses.
const ECHO_TIME: Duration = Duration::from_secs(60);

/// Most of stdin that is read: far over what can be sent, so that the size can be told.
const INPUT: u64 = 16 * 1024 * 1024;

pub(crate) fn run(args: &SendArgs) -> Result<Exit, Failure> {
    let console = Console::open(&args.output)?;
    let text = text(args, &console)?;
    let mut people: Vec<&Handle> = Vec::new();
    for person in &args.to {
        if people.contains(&person) {
            console.log.note(format_args!("{person} is named twice and gets one message"));
        } else {
            people.push(person);
        }
    }
    let mut config = Config::new();
    config.waits.acknowledgement = args.ack_timeout;
    // Whoever calls while we send would talk to nobody.
    config.answer_calls = false;
    config.reconnect = Some(args.retry.policy());
    let setup = Setup { args: &args.sign_in, config, until: args.until, files: None };
    let mut session = Session::open(console, setup)?;
    let until = session.now() + args.timeout;
    if let Err(failure) = session.sign_in(Some((until, args.timeout)))? {
        for person in people {
            session.fail(person, failure.exit, &failure.text);
        }
        return session.finish(Some(failure.exit), Exit::Io);
    }
    let limit = args.timeout;
    let mut sending =
        Sending { session: &mut session, text: &text, until, limit, has_heard: false };
    let end = match args.on_error {
        OnError::Continue => sending.deliver(&people)?,
        OnError::Stop => sending.one_by_one(&people)?,
    };
    let echo_is_due = !sending.has_heard && people.iter().any(|person| person.as_str() == ECHO);
    if end.is_none() && session.is_loopback() && echo_is_due && session.ledger.has_acknowledged() {
        wait_for_echo(&mut session)?;
    }
    session.finish(end, Exit::Io)
}

struct Sending<'a> {
    session: &'a mut Session,
    text: &'a str,
    /// When to give up.
    until: Instant,
    /// The same as the user gave it.
    limit: Duration,
    /// Whether somebody has answered by now.
    has_heard: bool,
}

impl Sending<'_> {
    /// Sends to all of them at once and waits for every end. `Some` is the code of a signal.
    fn deliver(&mut self, people: &[&Handle]) -> Result<Option<Exit>, Failure> {
        for person in people {
            let chat = self.session.open_chat(person);
            self.session.send_text(chat, person, self.text);
        }
        while self.session.ledger.waiting() > 0 {
            match self.session.next(Some(self.until))? {
                Step::Told(told) => {
                    self.session.show(&told);
                    self.has_heard |= matches!(told, Told::Message { .. });
                    if let Told::Lost { why } = told {
                        self.session.log.error(format_args!("the session ended: {why}"));
                    }
                }
                Step::Signal(exit) => {
                    self.session.ledger.stop(exit, "interrupted");
                    return Ok(Some(exit));
                }
                Step::Due => {
                    let limit = humantime::format_duration(self.limit);
                    self.session
                        .log
                        .error(format_args!("not finished within --timeout of {limit}"));
                    let reason = format!("--timeout of {limit} ran out");
                    self.session.ledger.stop(Exit::Timeout, reason);
                    return Ok(None);
                }
                Step::Woken => {}
            }
        }
        Ok(None)
    }

    /// Sends to one after the other, up to the first failure.
    fn one_by_one(&mut self, people: &[&Handle]) -> Result<Option<Exit>, Failure> {
        let mut rest = people.iter();
        while let Some(person) = rest.next() {
            let end = self.deliver(&[person])?;
            let ledger = &self.session.ledger;
            if end.is_some() || ledger.has_failures() || ledger.waiting() > 0 {
                let reason = "not tried: an earlier one failed, and --on-error is stop";
                for person in rest {
                    self.session.fail(person, Exit::Undelivered, reason);
                }
                return Ok(end);
            }
        }
        Ok(None)
    }
}

/// The echo is part of what a first try is to show; it is not waited for anywhere else.
fn wait_for_echo(session: &mut Session) -> Result<(), Failure> {
    let until = session.now() + ECHO_TIME;
    loop {
        match session.next(Some(until))? {
            Step::Told(told) => {
                session.show(&told);
                if matches!(told, Told::Message { .. } | Told::Lost { .. }) {
                    return Ok(());
                }
            }
            Step::Signal(_) | Step::Due => return Ok(()),
            Step::Woken => {}
        }
    }
}

/// The text of the message, looked at before anything is connected.
fn text(args: &SendArgs, console: &Console) -> Result<String, Failure> {
    let wrong = |text: String| Err(Failure::new(Exit::Input, text));
    let text = match args.text.as_deref() {
        Some(text) if text != "-" => text.to_owned(),
        _ if args.sign_in.uses_stdin() => {
            return Err(Failure::new(
                Exit::Usage,
                "stdin cannot be both the password and the message; \
                 give the message as an argument",
            ));
        }
        _ => match from_stdin(console)? {
            Ok(text) => text,
            Err(why) => {
                let at = why.valid_up_to();
                return wrong(format!("the message on stdin is not UTF-8 (byte {at})"));
            }
        },
    };
    if text.is_empty() {
        return wrong("the message is empty; nothing was sent".into());
    }
    let size = payload_len(&text);
    if size > SWITCHBOARD_PAYLOAD {
        let over = size - SWITCHBOARD_PAYLOAD;
        return wrong(format!(
            "the message makes {size} bytes with its header, {over} more than the \
             {SWITCHBOARD_PAYLOAD} that servers take; shorten or split it"
        ));
    }
    Ok(text)
}

fn from_stdin(console: &Console) -> Result<Result<String, Utf8Error>, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        console.log.note("reading the message from the terminal; Ctrl-D ends it");
    }
    let mut bytes = Vec::new();
    let read =
        console.signals.abandoning(|| {}, || stdin.lock().take(INPUT).read_to_end(&mut bytes));
    read.map_err(|error| {
        let reason = files::reason(&error);
        Failure::new(Exit::NoInput, format!("cannot read the message from stdin: {reason}"))
    })?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    Ok(String::from_utf8(bytes).map_err(|error| error.utf8_error()))
}
