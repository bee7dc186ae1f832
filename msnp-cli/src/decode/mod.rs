//! Captures, transcripts and streams of bytes in; events out.
//!
//! ```text
//!   bytes ─► sniff ─┬─► capture, pcapng ─► packet ─► connections ─► reassembly ─┐
//!                   ├─► lines (a transcript)                                    ├─► dialogue ─► reader
//!                   └─► one side of one connection                              ┘        │
//!   json, text, ladder, mermaid ◄─ events ◄──────────────────────────────────────────────┘
//! ```
//!
//! Nothing here reads a file or knows a terminal: bytes are pushed in, and lines are taken out of a
//! buffer. What is held back is bounded whatever the input is: 1 MiB a connection, 64 MiB for all.

mod body;
mod capture;
mod connections;
mod dialogue;
mod event;
mod json;
mod ladder;
mod lines;
mod mermaid;
mod packet;
mod pcapng;
mod reader;
mod reassembly;
mod roles;
mod short;
mod sniff;
mod table;
mod text;
mod words;

use std::fmt;

use msnp_proto::limits;
use msnp_proto::transcript::Side;

use capture::{Broken, Capture, Pcap, Record, Step};
use connections::Connections;
use dialogue::Dialogue;
use event::{Ending, Event, Opened, Server, Sink, What};
use lines::Lines;
use packet::Packet;
use pcapng::Blocks;
use sniff::Kind;

/// What the input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[non_exhaustive]
pub enum Format {
    /// Found out from its first bytes.
    Auto,
    /// A capture of the older form.
    Pcap,
    /// A capture of the newer form.
    Pcapng,
    /// A dialogue as text, as `--trace-wire` writes it.
    Transcript,
    /// What a client said on one connection.
    Client,
    /// What a server said on one connection.
    Server,
}

/// How events are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// A JSON object a line.
    Json,
    /// A line for people, with or without colours.
    Text {
        /// Whether a terminal shows it.
        colour: bool,
    },
    /// A diagram of characters.
    Ladder {
        /// Its columns.
        width: usize,
    },
    /// The source of a Mermaid sequence diagram.
    Mermaid,
}

/// What is wanted of the input.
#[derive(Clone, Debug)]
pub struct Options {
    /// What it is.
    pub format: Format,
    /// Ports of servers; those that clients are sent to are added as they come.
    pub ports: Vec<u16>,
    /// Show passwords' digests, cookies and tickets as they are.
    pub show_secrets: bool,
    /// How events are shown.
    pub form: Form,
}

impl Options {
    /// Port 1863, secrets masked.
    #[must_use]
    pub fn new(form: Form) -> Self {
        Self { format: Format::Auto, ports: vec![limits::PORT], show_secrets: false, form }
    }
}

/// How much of what there was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Packets of the capture.
    pub packets: u64,
    /// Packets of no connection that is followed.
    pub other_packets: u64,
    /// Connections.
    pub connections: u32,
    /// Commands, whether they are known or not.
    pub commands: u64,
    /// Bytes that make no command.
    pub unreadable: u64,
    /// Bytes of streams that are not in the capture.
    pub missing: u64,
    /// Packets that are parts of larger ones, or that cannot be read.
    pub bad_packets: u64,
}

/// The input cannot be read on: what, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadInput(String);

impl fmt::Display for BadInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadInput {}

/// Reads an input that is given in pieces, and shows what is in it.
///
/// Whatever the bytes are, it does not panic, and the same bytes give the same lines however they
/// are cut.
pub struct Decoder {
    source: Source,
    /// What was given and not used yet.
    tail: Vec<u8>,
    /// Bytes used.
    used: u64,
    ports: Vec<u16>,
    view: View,
    summary: Summary,
    warned: Warned,
    failed: Option<BadInput>,
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decoder({} bytes used, {:?})", self.used, self.summary)
    }
}

enum Source {
    Unknown(Format),
    Capture(Capture, Box<Connections>),
    Lines(Box<Lines>),
    Stream(Box<Dialogue>, Side),
}

/// One of the forms.
enum View {
    Json(json::Json),
    Text(text::Text),
    Ladder(ladder::Ladder),
    Mermaid(mermaid::Mermaid),
}

/// What was said once about the capture as a whole.
#[derive(Default)]
struct Warned {
    fragments: bool,
    broken: bool,
    cut: bool,
    link: bool,
}

impl Decoder {
    /// A decoder that has read nothing.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let secrets = options.show_secrets;
        let view = match options.form {
            Form::Json => View::Json(json::Json::new(secrets)),
            Form::Text { colour } => View::Text(text::Text::new(secrets, colour)),
            Form::Ladder { width } => View::Ladder(ladder::Ladder::new(secrets, width)),
            Form::Mermaid => View::Mermaid(mermaid::Mermaid::new(secrets)),
        };
        Self {
            source: Source::Unknown(options.format),
            tail: Vec::new(),
            used: 0,
            ports: options.ports,
            view,
            summary: Summary::default(),
            warned: Warned::default(),
            failed: None,
        }
    }

    /// Takes the next bytes of the input.
    ///
    /// # Errors
    ///
    /// When the input cannot be read on. Everything before that is shown; later calls give the
    /// same error.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), BadInput> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone());
        }
        if self.tail.is_empty() {
            let used = self.take(bytes, false)?;
            self.tail.extend_from_slice(bytes.get(used..).unwrap_or_default());
        } else {
            self.tail.extend_from_slice(bytes);
            self.take_tail(false)?;
        }
        Ok(())
    }

    /// Takes note that the input ends here, and shows what was held back.
    ///
    /// # Errors
    ///
    /// When the input ends in the middle of something. Everything that is whole is shown.
    pub fn finish(&mut self) -> Result<(), BadInput> {
        let mut ended = match &self.failed {
            Some(failed) => Err(failed.clone()),
            None => self.take_tail(true),
        };
        if let (Ok(()), Source::Capture(capture, _)) = (&ended, &self.source) {
            let (left, at) = (self.tail.len(), self.used);
            if left > 0 || !capture.is_whole() {
                let text = format!("the file ends within a record, {left} bytes behind byte {at}");
                ended = Err(BadInput(text));
            }
        }
        let sink = &mut Counting { view: &mut self.view, summary: &mut self.summary };
        match &mut self.source {
            Source::Unknown(_) => {}
            Source::Capture(_, connections) => connections.finish(sink),
            Source::Lines(lines) => lines.finish(sink),
            Source::Stream(dialogue, _) => {
                dialogue.finish(0, sink);
                let what = What::Closed(Ending::InputEnds);
                sink.take(&Event { at: 0, connection: 1, what });
                let Summary { commands, unreadable, .. } = *sink.summary;
                if commands == 0 && unreadable > 0 {
                    let text = format!("nothing in these {unreadable} bytes is of this protocol");
                    ended = Err(BadInput(text));
                }
            }
        }
        ended
    }

    /// Says how the program ends, in those forms that have a line for it.
    pub fn conclude(&mut self, exit: u8) {
        match &mut self.view {
            View::Json(json) => json.conclude(exit, &self.summary),
            View::Text(text) => text.conclude(exit, &self.summary),
            View::Ladder(_) => {}
            View::Mermaid(mermaid) => mermaid.conclude(),
        }
    }

    /// The lines that are ready. The caller writes them and clears the buffer.
    pub fn output(&mut self) -> &mut Vec<u8> {
        match &mut self.view {
            View::Json(json) => &mut json.out,
            View::Text(text) => &mut text.out,
            View::Ladder(ladder) => &mut ladder.out,
            View::Mermaid(mermaid) => &mut mermaid.out,
        }
    }

    /// How much there was so far.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.summary
    }

    fn take_tail(&mut self, is_all: bool) -> Result<(), BadInput> {
        let mut tail = std::mem::take(&mut self.tail);
        let used = self.take(&tail, is_all);
        tail.drain(..*used.as_ref().unwrap_or(&tail.len()));
        self.tail = tail;
        used.map(|_| ())
    }

    /// Uses what is whole at the front, and returns how many bytes that is.
    fn take(&mut self, bytes: &[u8], is_all: bool) -> Result<usize, BadInput> {
        if let Source::Unknown(format) = self.source {
            let look = bytes.get(..sniff::LOOK).unwrap_or(bytes);
            let is_enough = look.len() == sniff::LOOK || is_all;
            match kind(format, look, is_enough).map_err(|broken| self.fail(&broken))? {
                Some(kind) => self.begin(kind),
                None => return Ok(0),
            }
        }
        let mut used = 0;
        let taken = loop {
            let rest = bytes.get(used..).unwrap_or_default();
            match self.step(rest, is_all) {
                Ok(0) => break Ok(used),
                Ok(size) => {
                    used += size;
                    self.used += size as u64;
                }
                Err(broken) => break Err(broken),
            }
        };
        taken.map_err(|broken| self.fail(&broken))
    }

    fn fail(&mut self, broken: &Broken) -> BadInput {
        let place = match self.source {
            Source::Capture(..) => format!(" (at byte {})", self.used),
            _ => String::new(),
        };
        let failed = BadInput(format!("{}{place}", broken.0));
        self.failed = Some(failed.clone());
        failed
    }

    fn begin(&mut self, kind: Kind) {
        let connections = || Box::new(Connections::new(&self.ports));
        self.source = match kind {
            Kind::Pcap => Source::Capture(Capture::Pcap(Pcap::default()), connections()),
            Kind::Pcapng => Source::Capture(Capture::Pcapng(Blocks::default()), connections()),
            Kind::Transcript => Source::Lines(Box::new(Lines::new())),
            Kind::Stream(server, side) => {
                let sink = &mut Counting { view: &mut self.view, summary: &mut self.summary };
                let what = What::Opened(Opened::default());
                sink.take(&Event { at: 0, connection: 1, what });
                Source::Stream(Box::new(Dialogue::of_stream(1, server)), side)
            }
        };
    }

    /// Uses one piece of the front, and returns its size; 0 if there is no whole one.
    fn step(&mut self, bytes: &[u8], is_all: bool) -> Result<usize, Broken> {
        let sink = &mut Counting { view: &mut self.view, summary: &mut self.summary };
        match &mut self.source {
            Source::Unknown(_) => Ok(0),
            Source::Capture(capture, connections) => match capture.next(bytes)? {
                Step::NeedMore => Ok(0),
                Step::Skip(size) => Ok(size),
                Step::Record(record, size) => {
                    packet(&record, connections, sink, &mut self.warned);
                    Ok(size)
                }
            },
            Source::Lines(lines) => {
                let end = memchr::memchr(b'\n', bytes);
                if end.is_none() && bytes.len() > lines::LONGEST {
                    return Err(Broken("a line has no end within 1 MiB".into()));
                }
                let (line, size) = match end {
                    Some(end) => (bytes.get(..end).unwrap_or_default(), end + 1),
                    None if is_all => (bytes, bytes.len()),
                    None => return Ok(0),
                };
                if size > 0 {
                    lines.line(line, sink)?;
                }
                Ok(size)
            }
            Source::Stream(dialogue, side) => {
                if !bytes.is_empty() {
                    dialogue.bytes(0, *side, bytes, sink);
                }
                Ok(bytes.len())
            }
        }
    }
}

/// What the input is; `None` if it takes more bytes to say.
fn kind(format: Format, bytes: &[u8], is_enough: bool) -> Result<Option<Kind>, Broken> {
    let stream = |side| {
        let guess = sniff::stream(bytes, &[side]);
        is_enough.then(|| guess.unwrap_or(Kind::Stream(Server::Notification, side)))
    };
    Ok(match format {
        Format::Auto if is_enough => Some(sniff::kind(bytes)?),
        Format::Auto => sniff::kind_at_once(bytes),
        Format::Pcap => Some(Kind::Pcap),
        Format::Pcapng => Some(Kind::Pcapng),
        Format::Transcript => Some(Kind::Transcript),
        Format::Client => stream(Side::Client),
        Format::Server => stream(Side::Server),
    })
}

fn packet(
    record: &Record<'_>,
    connections: &mut Connections,
    sink: &mut Counting<'_>,
    warned: &mut Warned,
) {
    let warn = |sink: &mut Counting<'_>, said: &mut bool, text: &str| {
        if !std::mem::replace(said, true) {
            sink.take(&Event { at: record.at, connection: 0, what: What::Warning(text) });
        }
    };
    sink.summary.packets += 1;
    let link = match record.link {
        Ok(link) => link,
        Err(number) => {
            sink.summary.bad_packets += 1;
            let text = format!("packets of link type {number} cannot be read");
            return warn(sink, &mut warned.link, &text);
        }
    };
    match packet::read(link, record.bytes) {
        Packet::Tcp(segment) => {
            if !connections.segment(record.at, &segment, sink) {
                sink.summary.other_packets += 1;
            } else if segment.cut > 0 {
                let text =
                    "packets were captured in part only; what is missing is said where it is";
                warn(sink, &mut warned.cut, text);
            }
            sink.summary.connections = connections.count();
        }
        Packet::Other => sink.summary.other_packets += 1,
        Packet::Fragment => {
            sink.summary.bad_packets += 1;
            let text = "fragments of IP packets are not put together; bytes may be missing";
            warn(sink, &mut warned.fragments, text);
        }
        Packet::Broken => {
            sink.summary.bad_packets += 1;
            warn(sink, &mut warned.broken, "packets with broken headers are passed over");
        }
    }
}

/// Counts what passes to a view.
struct Counting<'a> {
    view: &'a mut View,
    summary: &'a mut Summary,
}

impl Sink for Counting<'_> {
    fn take(&mut self, event: &Event<'_>) {
        match &event.what {
            What::Command(_) => self.summary.commands += 1,
            What::Unreadable(unreadable) => {
                self.summary.unreadable += unreadable.bytes.len() as u64;
            }
            What::Gap { size, .. } => self.summary.missing += size,
            What::Opened(_) => {
                self.summary.connections = self.summary.connections.max(event.connection);
            }
            What::Closed(_) | What::Conflict { .. } | What::Warning(_) => {}
        }
        match self.view {
            View::Json(json) => json.take(event),
            View::Text(text) => text.take(event),
            View::Ladder(ladder) => ladder.take(event),
            View::Mermaid(mermaid) => mermaid.take(event),
        }
    }
}

#[cfg(test)]
mod tests;
