//! `run`: a script, checked whole and then done step by step.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use clap::ValueEnum;
use msnp_proto::client::{Config, Event as Told};
use msnp_proto::time::Instant;

use crate::args::{OnError, RunArgs, Until};
use crate::console::Console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::script::play::Play;
use crate::script::{self, Errors, Script, Variables};
use crate::session::{Session, Setup, Step};
use crate::transfers::Source;

/// Largest script.
const SIZE: u64 = 64 * 1024 * 1024;

/// Texts in flight if nobody says how many.
const WINDOW: usize = 16;

/// How long everything may take beyond what the script itself waits.
const TIME: Duration = Duration::from_secs(30);

/// How long a file may wait until it is accepted and a connection is found.
const FILE: Duration = Duration::from_secs(12 * 60);

/// Bytes a second of the slowest line that a file is sent over, a modem's.
const SLOWEST: u64 = 2048;

pub(crate) fn run(args: &RunArgs) -> Result<Exit, Failure> {
    let name = args.script.display().to_string();
    if name == "-" && args.sign_in.uses_stdin() {
        return Err(Failure::new(
            Exit::Usage,
            "stdin cannot be both the password and the script; use --password-file",
        ));
    }
    let console = Console::open(&args.output)?;
    let script = script(args, &console, &name)?;
    let patience = script.patience().saturating_add(look_at_files(&script, &console, &name)?);
    let settings = script.settings().clone();
    let (said, configured) = (&args.settings, &args.configured);
    let until = settings.until.and_then(|stage| Until::from_str(stage, false).ok());
    let until = said.until.or(until).or(configured.until).unwrap_or(Until::Acked);
    let goes_on = |what: Option<OnError>| what.map(|what| what == OnError::Continue);
    let go_on = goes_on(said.on_error).or(settings.go_on).or(goes_on(configured.on_error));
    let limit = said.timeout.or(settings.timeout).or(configured.timeout);
    let limit = limit.unwrap_or_else(|| TIME.saturating_add(patience));
    let mut config = Config::new();
    let ack_timeout = said.ack_timeout.or(settings.ack_timeout).or(configured.ack_timeout);
    if let Some(time) = ack_timeout {
        config.waits.acknowledgement = time;
    }
    config.reconnect = Some(args.retry.policy());
    let setup = Setup { args: &args.sign_in, config, until, files: Some(&args.files) };
    let mut session = Session::open(console, setup)?;
    let deadline = session.now() + limit;
    if let Err(failure) = session.sign_in(Some((deadline, limit)))? {
        return session.finish(Some(failure.exit), Exit::Io);
    }
    let window = said.window.or(settings.window).or(configured.window).unwrap_or(WINDOW);
    let go_on = go_on.unwrap_or(false);
    if go_on {
        session.ledger.go_on();
    }
    let play = Play::new(script.into_steps(), window, go_on);
    let mut stage = Stage { session: &mut session, play, name, deadline, limit };
    let end = stage.run()?;
    stage.part();
    session.finish(end, Exit::Io)
}

/// Where a script is played.
struct Stage<'a> {
    session: &'a mut Session,
    play: Play,
    /// What the script is called.
    name: String,
    /// When to give up.
    deadline: Instant,
    /// The same as the user gave it.
    limit: Duration,
}

impl Stage<'_> {
    /// `Some` is the code of a signal; `None` leaves it to what has ended.
    fn run(&mut self) -> Result<Option<Exit>, Failure> {
        loop {
            if self.session.out.broken().is_some() {
                self.play.stop();
            }
            self.play.advance(&mut self.session.means());
            self.report();
            if self.play.is_over() {
                return Ok(None);
            }
            let due = self.play.next_deadline().unwrap_or(self.deadline);
            match self.session.next(Some(due.min(self.deadline)))? {
                Step::Told(told) => self.hear(&told),
                Step::Signal(exit) => {
                    self.play.give_up(&mut self.session.means(), exit, "interrupted");
                    self.report();
                    return Ok(Some(exit));
                }
                Step::Due if self.session.now() >= self.deadline => {
                    let limit = humantime::format_duration(self.limit);
                    self.session
                        .log
                        .error(format_args!("not finished within --timeout of {limit}"));
                    let why = format!("--timeout of {limit} ran out");
                    self.play.give_up(&mut self.session.means(), Exit::Timeout, &why);
                    self.report();
                    return Ok(None);
                }
                Step::Due | Step::Woken => {}
            }
        }
    }

    /// Nobody is left waiting.
    fn part(&mut self) {
        self.play.part(&mut self.session.means());
        self.report();
    }

    fn hear(&mut self, told: &Told) {
        if let Some(mark) = self.play.hear(&mut self.session.means(), told) {
            self.session.show_marked(told, mark);
        }
        if let Told::Lost { why } = told {
            self.session.log.error(format_args!("the session ended: {why}"));
        }
        self.report();
    }

    /// Passes on what the play has to say.
    fn report(&mut self) {
        while let Some(report) = self.play.poll_report(&mut self.session.means()) {
            if let (Some(error), Some(line)) = (&report.error, report.marked.mark.line) {
                self.session.log.error(format_args!("{}:{line}: {error}", self.name));
            }
            self.session.emit(&report.marked);
        }
    }
}

/// Reads and checks the script, before anything is connected.
fn script(args: &RunArgs, console: &Console, name: &str) -> Result<Script, Failure> {
    let bytes = read(&args.script, console).map_err(|error| {
        let reason = files::reason(&error);
        Failure::new(Exit::NoInput, format!("cannot read the script {name}: {reason}"))
    })?;
    let wrong =
        |text: String| Failure::new(Exit::Input, format!("{name}: {text}; nothing was sent"));
    if bytes.len() as u64 > SIZE {
        return Err(wrong(format!("larger than {SIZE} bytes")));
    }
    let mut variables = Variables::default();
    for (name, value) in &args.variables {
        // The command line has been checked.
        let _ = variables.set(name, value);
    }
    let mut script = script::parse(&bytes, &variables).map_err(|errors| {
        let escaped = crate::escape::EscapedDisplay(name);
        for mistake in errors.mistakes() {
            console.log.error_in_lines(format_args!("{escaped}:{mistake}"));
        }
        wrong(count(&errors))
    })?;
    if let Some(line) = args.from_line {
        script.begin_at(line).map_err(|problem| wrong(problem.to_string()))?;
    }
    Ok(script)
}

/// Looks at the files that the script sends, and says how long they may take.
fn look_at_files(script: &Script, console: &Console, name: &str) -> Result<Duration, Failure> {
    let (mut first, mut bad, mut time) = (None, 0_u32, Duration::ZERO);
    for (line, path) in script.files() {
        match Source::open(path) {
            Ok(source) => {
                let slowest = Duration::from_secs(source.size() / SLOWEST);
                time = time.saturating_add(FILE).saturating_add(slowest);
            }
            Err(failure) => {
                console.log.error(format_args!("{name}:{line}: {}", failure.text));
                first.get_or_insert(failure.exit);
                bad += 1;
            }
        }
    }
    let Some(exit) = first else { return Ok(time) };
    let what = if bad == 1 { "1 file".to_owned() } else { format!("{bad} files") };
    Err(Failure::new(exit, format!("{name}: {what} cannot be sent; nothing was sent")))
}

fn count(errors: &Errors) -> String {
    match (errors.mistakes().len(), errors.more()) {
        (1, 0) => "1 mistake".into(),
        (shown, 0) => format!("{shown} mistakes"),
        (shown, more) => format!("{} mistakes, the first {shown} above", shown + more),
    }
}

fn read(path: &Path, console: &Console) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        let stdin = io::stdin();
        if io::IsTerminal::is_terminal(&stdin) {
            console.log.note("reading the script from the terminal; Ctrl-D ends it");
        }
        let read = || stdin.lock().take(SIZE + 1).read_to_end(&mut bytes);
        console.signals.abandoning(|| {}, read)?;
    } else {
        File::open(path)?.take(SIZE + 1).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
