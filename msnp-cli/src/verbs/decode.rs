//! `decode`: what was captured or traced, as events.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;
use std::time::Instant;

use crate::args::DecodeArgs;
use crate::decode::{Decoder, Summary};
use crate::escape::Escaped;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::reason;
use crate::progress::{Place, Progress};
use crate::signals::Signals;

/// Read at a time; what is ready is written after each.
const BLOCK: usize = 256 * 1024;

pub(crate) fn run(args: &DecodeArgs) -> Result<Exit, Failure> {
    let mut input = Input::open(args.file.as_deref())?;
    let stdout = io::stdout();
    let is_terminal = stdout.is_terminal();
    let mut decoder = Decoder::new(args.options(args.colour.is_on(is_terminal)));
    // A terminal that shows the events shows how far they are.
    let silent = args.quiet || is_terminal;
    let mut watcher = Watcher::new(&input, silent);
    let signals = Signals::watch().map_err(|error| {
        Failure::new(Exit::Io, format!("cannot wait for signals: {}", reason(&error)))
    })?;

    let mut output = Output { stdout, gone: false };
    let ended = read(&mut input, &mut decoder, &mut output, &signals, &mut watcher);
    watcher.end();
    let finished = decoder.finish();
    let ended = match (ended, finished) {
        (Ok(Exit::Done), Err(bad)) => {
            Err(Failure::new(Exit::Input, format!("{}: {bad}", input.name)))
        }
        (ended, _) => ended,
    };
    decoder.conclude(ended.as_ref().map_or_else(|failure| failure.exit, |exit| *exit).code());
    output.write(decoder.output())?;
    if ended.is_ok() && !args.quiet {
        hint(&decoder.summary());
    }
    ended
}

/// Reads to the end, or until there is a reason to stop.
fn read(
    input: &mut Input,
    decoder: &mut Decoder,
    output: &mut Output,
    signals: &Signals,
    watcher: &mut Watcher,
) -> Result<Exit, Failure> {
    let mut block = vec![0; BLOCK];
    let mut done = 0;
    while !output.gone {
        if let Some(exit) = signals.taken() {
            return Ok(exit);
        }
        let size = match input.read(&mut block, signals) {
            Ok(0) => break,
            Ok(size) => size,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let text = format!("cannot read {}: {}", input.name, reason(&error));
                return Err(Failure::new(Exit::NoInput, text));
            }
        };
        // What is wrong is said again at the end, behind what could be read.
        if decoder.push(block.get(..size).unwrap_or_default()).is_err() {
            break;
        }
        output.write(decoder.output())?;
        done += size as u64;
        watcher.at(done);
    }
    Ok(Exit::Done)
}

/// Says what a user may have missed.
fn hint(summary: &Summary) {
    if summary.packets > 0 && summary.connections == 0 {
        let packets = summary.packets;
        write_stderr(&format!(
            "msnp: no connection to a server's port in {packets} packets; --port names other ports\n"
        ));
    }
}

/// Where the bytes come from.
struct Input {
    from: Box<dyn Read>,
    /// As the user named it.
    name: String,
    size: Option<u64>,
}

impl Input {
    fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path.filter(|path| path.as_os_str() != "-") else {
            let stdin = io::stdin();
            if stdin.is_terminal() {
                let text = "no FILE, and stdin is a terminal; see `msnp decode --help`";
                return Err(Failure::new(Exit::Usage, text));
            }
            return Ok(Self { from: Box::new(stdin.lock()), name: "stdin".into(), size: None });
        };
        let name = path.display().to_string();
        let failed =
            |text: &str| Failure::new(Exit::NoInput, format!("cannot read {name}: {text}"));
        let file = File::open(path).map_err(|error| failed(&reason(&error)))?;
        let meta = file.metadata().map_err(|error| failed(&reason(&error)))?;
        if meta.is_dir() {
            return Err(failed("it is a directory"));
        }
        let size = meta.is_file().then_some(meta.len());
        Ok(Self { from: Box::new(file), name, size })
    }

    /// Reads what there is. What may wait for ever is ended by a signal.
    fn read(&mut self, block: &mut [u8], signals: &Signals) -> io::Result<usize> {
        match self.size {
            Some(_) => self.from.read(block),
            None => signals.abandoning(|| {}, || self.from.read(block)),
        }
    }
}

/// Stdout, until nobody reads it any more.
struct Output {
    stdout: io::Stdout,
    gone: bool,
}

impl Output {
    fn write(&mut self, lines: &mut Vec<u8>) -> Result<(), Failure> {
        if self.gone || lines.is_empty() {
            return Ok(());
        }
        let mut stdout = self.stdout.lock();
        let written = stdout.write_all(lines).and_then(|()| stdout.flush());
        lines.clear();
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.gone = true,
            Err(error) => {
                let text = format!("cannot write to stdout: {}", reason(&error));
                return Err(Failure::new(Exit::Io, text));
            }
            Ok(()) => {}
        }
        Ok(())
    }
}

/// Shows how far it is, unless nobody wants to know.
struct Watcher(Option<(Progress, Instant)>);

impl Watcher {
    fn new(input: &Input, silent: bool) -> Self {
        let place = if io::stderr().is_terminal() { Place::Terminal } else { Place::Log };
        let progress =
            Progress::new(place, format!("reading {}", Escaped(&input.name)), input.size);
        Self((!silent).then(|| (progress, Instant::now())))
    }

    fn at(&mut self, done: u64) {
        if let Some((progress, begun)) = &mut self.0 {
            if let Some(text) = progress.at(begun.elapsed(), done) {
                write_stderr(&text);
            }
        }
    }

    fn end(&mut self) {
        if let Some(text) = self.0.as_mut().and_then(|(progress, _)| progress.end()) {
            write_stderr(text);
        }
    }
}

/// A failure to write diagnostics has nowhere to be told, so it is let go.
fn write_stderr(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
