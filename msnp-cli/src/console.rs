//! What every verb has: stdout for events, stderr for diagnostics, a trace, signals.

use std::io::IsTerminal;

use msnp_proto::machine::ConnId;

use crate::args::OutputArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::log::{Level, Log};
use crate::render::Output;
use crate::signals::Signals;
use crate::trace::{Sink, Trace};

/// The program's ends towards its user.
pub(crate) struct Console {
    pub(crate) out: Output,
    pub(crate) log: Log,
    pub(crate) signals: Signals,
    sinks: Vec<Sink>,
}

impl Console {
    pub(crate) fn open(args: &OutputArgs) -> Result<Self, Failure> {
        let level = match (args.quiet, args.verbose) {
            (true, _) => Level::Error,
            (false, 0) => Level::Note,
            (false, 1) => Level::Detail,
            (false, _) => Level::Wire,
        };
        let file = args.log_file.as_deref().map(|path| files::append(path, "log")).transpose()?;
        let log = Log::new(level, file);
        let mut sinks = Vec::new();
        if let Some(path) = &args.trace_wire {
            let name = path.display().to_string();
            if name == "-" {
                sinks.push(Sink { name, out: Box::new(std::io::stderr()) });
            } else {
                let out = Box::new(files::replace(path, "trace")?);
                sinks.push(Sink { name, out });
            }
        }
        let has_stderr = sinks.iter().any(|sink| sink.name == "-");
        if log.wants_wire() && !has_stderr {
            sinks.push(Sink { name: "stderr".into(), out: Box::new(std::io::stderr()) });
        }
        let stdout = std::io::stdout();
        let colour = args.colour.is_on(stdout.is_terminal());
        let signals = Signals::watch().map_err(|error| {
            Failure::new(Exit::Io, format!("cannot wait for signals: {}", files::reason(&error)))
        })?;
        Ok(Self { out: Output::new(Box::new(stdout), args.output, colour), log, signals, sinks })
    }

    /// A trace of the connections that `wanted` picks, if anybody wants one.
    pub(crate) fn trace(&mut self, wanted: fn(ConnId) -> bool) -> Option<Box<Trace>> {
        let sinks = std::mem::take(&mut self.sinks);
        (!sinks.is_empty()).then(|| Box::new(Trace::new(sinks, wanted, self.log.clone())))
    }
}
