//! What the program reads from strangers: scripts and captures.

#[path = "../../msnp-cli/tests/support/capture.rs"]
mod capture;

use std::net::Ipv4Addr;

use msnp_cli::decode::{Decoder, Form, Format, Options, Summary};
use msnp_cli::script::{Action, Errors, Script, Variables, Verb, parse};
use msnp_proto::client::payload_len;
use msnp_proto::limits::SWITCHBOARD_PAYLOAD;
use msnp_proto::testing::{Chunker, Chunking, Decide, Source};

use self::capture::{ACK, FIN, Faults, Flow, PSH, RST, SYN, packet};

/// A script of any bytes. It is read the same whatever ends its lines; what is wrong is in it, and
/// is said in what a terminal can show.
pub fn scripts(data: &[u8]) {
    let mut variables = Variables::default();
    assert!(variables.set("what", "world") && variables.set("lines", "a\nb \"$$${what}"));
    let read = parse(data, &variables);
    let lines = data.split(|byte| *byte == b'\n').count();
    match &read {
        Ok(script) => steps(script, lines),
        Err(errors) => mistakes(errors, lines),
    }
    let marked = [b"\xef\xbb\xbf", data].concat();
    let is_marked =
        [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"].iter().any(|mark| data.starts_with(mark));
    if !is_marked {
        assert_eq!(parse(&marked, &variables), read, "with a byte order mark");
    }
    if !data.contains(&b'\r') {
        let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
        assert_eq!(parse(&lines.join(&b"\r\n"[..]), &variables), read, "with CRLF");
    }
    if read.is_ok() {
        let longer = [data, b"\n\n# the end\n"].concat();
        assert_eq!(parse(&longer, &variables), read, "with a comment at its end");
    }
}

fn steps(script: &Script, lines: usize) {
    let steps = script.steps();
    assert!(!steps.is_empty() && steps.is_sorted_by(|one, next| one.line < next.line));
    assert!(steps.iter().all(|step| step.line > 0 && step.line as usize <= lines));
    for step in steps {
        if let Verb::Do(Action::Send { text, .. }) = &step.verb {
            assert!(!text.is_empty() && payload_len(text) <= SWITCHBOARD_PAYLOAD);
        }
        let mut rest = script.clone();
        rest.begin_at(step.line).expect("there is a step");
        assert_eq!(rest.steps().first(), Some(step));
    }
    let mut none = script.clone();
    assert!(none.begin_at(u32::MAX).is_err() && none == *script, "nothing has changed");
    let _ = script.patience();
}

fn mistakes(errors: &Errors, lines: usize) {
    let mistakes = errors.mistakes();
    assert!((1..=20).contains(&mistakes.len()), "{} mistakes", mistakes.len());
    assert!(errors.more() == 0 || mistakes.len() == 20);
    for mistake in mistakes {
        assert!(mistake.line > 0 && mistake.line as usize <= lines && mistake.column > 0);
        let shown = mistake.to_string();
        assert_eq!(shown.lines().count(), 3, "{shown:?}");
        let is_safe = |c: char| c == '\n' || !c.is_control();
        assert!(shown.chars().all(is_safe), "{shown:?}");
    }
}

/// How to show it, how to cut it, and an input: as it is, or packets that are put together. However
/// it is cut, the same is shown, in lines that a terminal or another program can take.
pub fn captures(data: &[u8]) {
    let mut source = Source::new(data);
    let (form, width) = (source.byte(), 20 + usize::from(source.byte()));
    let (seed, built) = (source.byte(), source.below(2) == 1);
    let forms = [
        Form::Json,
        Form::Text { colour: false },
        Form::Text { colour: true },
        Form::Ladder { width },
        Form::Mermaid,
    ];
    let form = forms[usize::from(form & 15) % forms.len()];
    let formats = [Format::Auto, Format::Pcap, Format::Pcapng, Format::Transcript, Format::Client];
    let format = source.pick(&formats);
    let made;
    let input = if built {
        made = packets(&mut source);
        &made
    } else {
        source.rest()
    };
    let whole = decode(form, format, input, Chunking::Whole);
    let pieces = decode(form, format, input, Chunking::Random(seed.into()));
    assert!(whole == pieces, "law of chunking:\n{whole:#?}\n{pieces:#?}");
    lines(form, &whole.0);
    let Summary { unreadable, packets, other_packets, bad_packets, .. } = whole.2;
    assert!(unreadable <= input.len() as u64 && other_packets + bad_packets <= 2 * packets);
}

/// The lines, what went wrong, and how much there was.
fn decode(
    form: Form,
    format: Format,
    mut input: &[u8],
    chunking: Chunking,
) -> (String, Option<String>, Summary) {
    let mut options = Options::new(form);
    options.format = format;
    let mut decoder = Decoder::new(options);
    let mut chunker = Chunker::new(chunking);
    let mut failed = None;
    while !input.is_empty() {
        let (piece, rest) = input.split_at(chunker.next(input.len()));
        input = rest;
        let pushed = decoder.push(piece).err().map(|error| error.to_string());
        assert!(failed.is_none() || pushed == failed, "another error: {pushed:?}");
        failed = pushed;
    }
    let finished = decoder.finish().err().map(|error| error.to_string());
    assert!(failed.is_none() || finished == failed, "another error: {finished:?}");
    decoder.conclude(if finished.is_some() { 65 } else { 0 });
    let lines = String::from_utf8(std::mem::take(decoder.output())).expect("it is text");
    (lines, finished, decoder.summary())
}

fn lines(form: Form, shown: &str) {
    let colour = form == Form::Text { colour: true };
    let is_safe = |c: char| c == '\n' || !c.is_control() || (colour && c == '\x1b');
    assert!(shown.chars().all(is_safe), "{}", shown.escape_debug());
    if form == Form::Json {
        for (line, seq) in shown.lines().zip(0_u64..) {
            let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
            assert_eq!(
                (event["v"].as_u64(), event["seq"].as_u64()),
                (Some(1), Some(seq)),
                "{line}"
            );
        }
    }
}

/// A capture of up to four connections: who sends, which flags, whether before or behind what is
/// due, and what.
fn packets(source: &mut Source<'_>) -> Vec<u8> {
    let mut file = capture::Capture::new(1, Faults::default());
    let mut flows = [1863, 1863, 1864, 80].map(|port| Flow {
        ends: [(Ipv4Addr::new(10, 0, 0, 1), 1025), (Ipv4Addr::new(192, 0, 2, 1), port)],
        next: [u32::MAX - 20, 7],
    });
    flows[1].ends[0].1 = 1026;
    for _ in 0..100 {
        if source.is_empty() {
            break;
        }
        let (which, flags) = (source.byte(), source.pick(&[ACK | PSH, ACK, SYN, FIN | ACK, RST]));
        let flow = &mut flows[usize::from(which >> 1) % 4];
        let side = usize::from(which & 1);
        let payload = source.slice();
        match source.below(8) {
            1 => flow.next[side] = flow.next[side].wrapping_add(source.byte().into()),
            2 => flow.next[side] = flow.next[side].wrapping_sub(source.byte().into()),
            _ => {}
        }
        let mut bytes = packet(flow, side, flags, payload);
        if source.below(16) == 1 {
            bytes.truncate(usize::from(source.byte()));
        }
        file.record(&bytes);
        let counts = payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        flow.next[side] = flow.next[side].wrapping_add(counts);
    }
    file.file
}
