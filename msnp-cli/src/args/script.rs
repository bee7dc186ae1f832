//! The command line of the verbs that are told what to do by a file or a program.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::values::{self, OnError, Until};
use super::{OutputArgs, RetryArgs, SignInArgs};

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
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) from_line: Option<u32>,

    /// Texts in flight, 1 to 256 [default: 16]
    #[arg(long, value_name = "N", value_parser = values::window)]
    pub(crate) window: Option<usize>,

    /// What is enough for a text: queued, sent or acked [default: acked]
    #[arg(long, value_name = "STAGE", value_enum, hide_possible_values = true)]
    pub(crate) until: Option<Until>,

    /// After a failure: stop or continue [default: stop]
    #[arg(long, value_name = "WHAT", value_enum, hide_possible_values = true)]
    pub(crate) on_error: Option<OnError>,

    /// Limit for everything [default: 30s and what the script itself waits]
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub(crate) timeout: Option<Duration>,

    /// Limit for the server's word that it took a text [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub(crate) ack_timeout: Option<Duration>,

    #[command(flatten)]
    pub(crate) retry: RetryArgs,
    #[command(flatten)]
    pub(crate) sign_in: SignInArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

const RUN_EXAMPLES: &str = "\
Example of a script, one step a line:
  set window 4                             also on-error, until, timeout, ack-timeout
  online bob@example.net within 20s        wait until a contact is online
  send bob@example.net Disk full on ${host}
  send bob@example.net <<END               several lines, up to one that is END
  expect bob@example.net contains \"ok\" within 10s
Also: sleep, typing, open, leave, status, name, add, remove, rename, move, allow, block, group.
Example: msnp run alert.msnp --set host=$(hostname)

The script is checked whole before anything is sent. `done` has the last finished line: if it is
N, `--from-line` N+1 goes on behind it.
Exit: as for `msnp send`; 65 a mistake in the script, 66 no such script, 69 somebody not online,
124 no answer as expected, or time ran out.";
