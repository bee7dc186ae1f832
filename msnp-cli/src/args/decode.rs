//! The command line of `decode`.

use std::path::PathBuf;

use clap::Args;

use super::common::ColourArgs;
use super::values;
use crate::decode;
use crate::render::Format;

/// Wire bytes, a transcript or a capture to events, text or a diagram
#[derive(Args, Debug)]
#[command(after_help = DECODE_EXAMPLES)]
pub(crate) struct DecodeArgs {
    /// What to read; without it or with `-`, stdin
    pub(crate) file: Option<PathBuf>,

    /// pcap, pcapng, transcript, client or server (below) [default: found out]
    #[arg(long, value_name = "WHAT", value_enum, hide_possible_values = true)]
    #[arg(default_value_t = decode::Format::Auto, hide_default_value = true)]
    pub(crate) format: decode::Format,

    /// Ports of servers in a capture, if not 1863; may be repeated, or a list
    #[arg(long, value_name = "PORT", value_delimiter = ',')]
    #[arg(value_parser = values::port)]
    pub(crate) port: Vec<u16>,

    /// Draw the conversation: a column for the client and one for each server
    #[arg(long, conflicts_with_all = ["mermaid", "output"])]
    pub(crate) ladder: bool,

    /// Columns of that drawing
    #[arg(long, value_name = "N", default_value_t = 100, requires = "ladder")]
    #[arg(value_parser = values::number(80..=u16::MAX))]
    pub(crate) width: u16,

    /// Write the source of a Mermaid sequence diagram
    #[arg(long, conflicts_with = "output")]
    pub(crate) mermaid: bool,

    /// Show digests, cookies and tickets as they are, not as ***
    #[arg(long)]
    pub(crate) show_secrets: bool,

    /// Form of the events on stdout: text or json
    #[arg(short, long, value_name = "FORM", value_enum, hide_possible_values = true)]
    #[arg(default_value_t = Format::Text)]
    pub(crate) output: Format,

    #[command(flatten)]
    pub(crate) colour: ColourArgs,

    /// Say nothing on stderr but errors
    #[arg(short)]
    pub(crate) quiet: bool,
}

const DECODE_EXAMPLES: &str = "\
Examples:
  msnp decode old-days.pcap
  msnp decode -o json old-days.pcapng | jq 'select(.verb == \"MSG\") | .body.text'
  msnp decode --ladder --port 1863,1864 capture.pcap
  tcpdump -i lo -U -w - port 1863 | msnp decode
  msnp send --to echo@example.net --trace-wire trace.txt hello && msnp decode trace.txt

A capture is pcap or pcapng, of Ethernet, PPP, loopback, Linux \"any\" or bare IP, not compressed.
Connections to the ports that clients are sent to (XFR, RNG) are followed too. A transcript is what
--trace-wire writes. `client` and `server` are the bytes that one side said on one connection.
Times are those of the input; where it has none, they begin in 1970. What makes no command is kept
as `unreadable`. Its first line is masked if it is a fragment, since it may end with a secret.

Exit: 0 read to its end, 65 broken, cut off, or of no known kind (what could be read is shown),
66 missing or unreadable, 74 cannot write.";

impl DecodeArgs {
    pub(crate) fn options(&self, colour: bool) -> decode::Options {
        let form = match (self.ladder, self.mermaid, self.output) {
            (true, ..) => decode::Form::Ladder { width: self.width.into() },
            (_, true, _) => decode::Form::Mermaid,
            (.., Format::Json) => decode::Form::Json,
            (.., Format::Text) => decode::Form::Text { colour },
        };
        let mut options = decode::Options::new(form);
        options.format = self.format;
        options.show_secrets = self.show_secrets;
        if !self.port.is_empty() {
            options.ports.clone_from(&self.port);
        }
        options
    }
}
