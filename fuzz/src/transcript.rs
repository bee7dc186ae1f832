//! Transcripts: what can be read is written and read as the same, and any bytes can be recorded.

use msnp_proto::testing::{Decide, Dialogue, Source};
use msnp_proto::time::Instant;
use msnp_proto::transcript::{Side, Transcript};

/// The first byte says whether the rest is a text to read or decisions for what to record.
pub fn transcripts(data: &[u8]) {
    let mut source = Source::new(data);
    if source.byte() == b'!' {
        record(source);
    } else {
        read(&String::from_utf8_lossy(data));
    }
}

fn read(text: &str) {
    match Transcript::parse(text) {
        Ok(transcript) => {
            assert_eq!(transcript.lines().len(), text.lines().count());
            read_back(&transcript);
            // What a dialogue is made of is in the transcript.
            let dialogues = Dialogue::all(&transcript).unwrap_or_default();
            assert!(dialogues.len() <= transcript.connections().len());
        }
        Err(error) => {
            let line = text.lines().nth(error.line - 1).expect("the line is in the text");
            assert!((1..=line.chars().count() + 1).contains(&error.column), "{error}");
        }
    }
}

fn read_back(transcript: &Transcript) {
    let text = transcript.to_string();
    assert_eq!(Transcript::parse(&text).as_ref(), Ok(transcript), "{text}");
}

fn record(mut source: Source<'_>) {
    let mut transcript = Transcript::new();
    let named = source.below(2) == 1;
    let names = if named { [Some("alice-1"), Some("b.2_c")] } else { [None; 2] };
    let (mut said, mut closed) = ([const { Vec::new() }; 4], [false; 4]);
    let mut now = None;
    while !source.is_empty() {
        let stream = source.below(if named { 4 } else { 2 });
        let side = if stream % 2 == 0 { Side::Client } else { Side::Server };
        match source.below(8) {
            0 => now = Some(Instant::from_micros(u64::from(source.number()) * 1000)),
            1 => now = now.map(|now: Instant| Instant::from_micros(now.as_micros() + 1)),
            2 if !closed[stream] => {
                closed[stream] = true;
                transcript.record_close(now, names[stream / 2], side);
            }
            _ if !closed[stream] => {
                let bytes = source.slice();
                said[stream].extend_from_slice(bytes);
                transcript.record(now, names[stream / 2], side, bytes);
            }
            _ => {}
        }
    }
    read_back(&transcript);
    for (stream, said) in said.iter().enumerate().take(if named { 4 } else { 2 }) {
        let side = if stream % 2 == 0 { Side::Client } else { Side::Server };
        assert_eq!(transcript.bytes(names[stream / 2], side), *said);
        assert_eq!(transcript.is_closed(names[stream / 2], side), closed[stream]);
    }
}
