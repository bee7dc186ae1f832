//! The command line of the verbs that are told what to do by a file or a program.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::values::{self, OnError, Until};
use super::{FileArgs, OutputArgs, RetryArgs, SignInArgs, StayArgs};
use crate::render::Format;

/// Run a script: send to people, wait for them and for what they say
#[derive(Args, Debug)]
#[command(after_help = RUN_EXAMPLES)]
pub(crate) struct RunArgs {
    /// The script; `-` reads it from stdin
    #[arg(value_name = "SCRIPT")]
    pub(crate) script: PathBuf,

    /// Value for ${NAME} in the script; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = values::variable)]
    pub(crate) variables: Vec<(String, String)>,

    /// Begin with the first step in line N or behind it
    #[arg(long, value_name = "N", value_parser = values::number(1..=u32::MAX))]
    pub(crate) from_line: Option<u32>,

    #[command(flatten)]
    pub(crate) settings: RunSettings,

    /// What the configuration file says of them; a script knows better.
    #[arg(skip)]
    pub(crate) configured: RunSettings,

    #[command(flatten)]
    pub(crate) files: FileArgs,
    #[command(flatten)]
    pub(crate) retry: RetryArgs,
    #[command(flatten)]
    pub(crate) sign_in: SignInArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

impl RunArgs {
    /// Sets apart what was not said for this run.
    pub(super) fn sort(&mut self, is_given: &dyn Fn(&str) -> bool) {
        fn sort<T>(is_given: bool, said: &mut Option<T>, configured: &mut Option<T>) {
            if !is_given {
                *configured = said.take();
            }
        }
        let (said, other) = (&mut self.settings, &mut self.configured);
        sort(is_given("window"), &mut said.window, &mut other.window);
        sort(is_given("until"), &mut said.until, &mut other.until);
        sort(is_given("on_error"), &mut said.on_error, &mut other.on_error);
        sort(is_given("timeout"), &mut said.timeout, &mut other.timeout);
        sort(is_given("ack_timeout"), &mut said.ack_timeout, &mut other.ack_timeout);
    }
}

/// What a script may set too.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct RunSettings {
    /// Texts in flight, 1 to 256 [default: 16]
    #[arg(long, value_name = "N", value_parser = values::window)]
    pub(crate) window: Option<usize>,

    /// What is enough for a text: queued, sent or acked [default: acked]
    #[arg(long, value_name = "STAGE", value_enum, hide_possible_values = true)]
    pub(crate) until: Option<Until>,

    /// After a failure: stop or continue [default: stop]
    #[arg(long, value_name = "WHAT", value_enum, hide_possible_values = true)]
    pub(crate) on_error: Option<OnError>,

    /// Limit for everything [default: 30s and what the script waits]
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub(crate) timeout: Option<Duration>,

    /// Limit for the server's word that it took a text [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub(crate) ack_timeout: Option<Duration>,
}

const RUN_EXAMPLES: &str = "\
Example of a script, one step a line:
  set window 4                             also on-error, until, timeout, ack-timeout
  online bob@example.net within 20s        wait until a contact is online
  send bob@example.net Disk full on ${host}
  send bob@example.net <<END               several lines, up to one that is END
  expect bob@example.net contains \"ok\" within 10s
  file echo@example.net ./report.pdf       offer a file; the built-in echo takes every one
Also: sleep, typing, open, leave, status, name, add, remove, rename, move, allow, block, group.
Example: msnp run alert.msnp --set host=$(hostname)

The script is checked whole before anything is sent. `done` has the last line up to which all is
finished: if it is N, `--from-line` N+1 goes on, with nothing said twice if --window was 1.
Exit: as for `msnp send`; 65 a mistake in the script, 66 no such script or file, 69 somebody not
online, or a file declined, 124 no answer as expected, or time ran out.";

/// Be told what to do by another program: JSON commands on stdin, JSON events on stdout
#[derive(Args, Debug)]
#[command(after_help = PIPE_EXAMPLES)]
pub(crate) struct PipeArgs {
    /// Limit for the server's word that it took a message
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = values::duration)]
    pub(crate) ack_timeout: Duration,

    #[command(flatten)]
    pub(crate) files: FileArgs,
    #[command(flatten)]
    pub(crate) stay: StayArgs,
    #[command(flatten)]
    pub(crate) sign_in: SignInArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

impl PipeArgs {
    /// Who talks to a program wants JSON, unless text was asked for here.
    pub(super) fn sort(&mut self, is_given: &dyn Fn(&str) -> bool) {
        if !is_given("output") {
            self.output.output = Format::Json;
        }
    }
}

const PIPE_EXAMPLES: &str = r#"Examples of commands, one a line:
  {"id":"7","do":"send","to":"bob@example.net","text":"hi"}
  {"do":"send","chat":3,"text":"hi all"}         also: "to" as a list
  {"do":"typing","to":"bob@example.net"}         also: open, leave
  {"do":"status","state":"BSY"}                  {"do":"name","name":"Bot"}
  {"do":"add","account":"bob@example.net","name":"Bob","group":"Friends"}
  {"do":"file","to":"bob@example.net","path":"./report.pdf"}
  {"do":"accept","transfer":1,"path":"DIR"}      {"do":"decline","transfer":1}
Also: remove, allow, block, rename, move, add-group, remove-group, rename-group, quit.

Events have the id of their command, `line-N` if it has none. Each message ends once for each
person: acked, nacked, failed or unknown; each file with transfer; other commands end with what is
so now, or `refused`. Files that are offered wait for `accept` or `decline`.
Commands wait until signed in, at most 1024; while 256 are open no more are read. The end of the
input, or quit, leaves when everything has ended.
Exit: as for `msnp send`, over all commands; 0 if nobody reads the events any more."#;
