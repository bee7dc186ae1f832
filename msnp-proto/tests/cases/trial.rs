//! Trying one input: at each place, in all pieces, with what is to be found out afterwards.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use msnp_proto::body::{Message, Notice, decode_words};
use msnp_proto::testing::case::{Case, Input, Outcome, Place, Verdict, compact};
use msnp_proto::testing::{Chunker, Chunking, framing};

use crate::memory::{self, Usage};
use crate::show::Seen;
use crate::stage::{Stage, stage};
use crate::{table, watch};

/// What came of the inputs of a case.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) inputs: usize,
    pub(crate) places: BTreeSet<Place>,
    /// How often something was fed with an input.
    pub(crate) runs: usize,
    pub(crate) verdicts: BTreeSet<Verdict>,
    pub(crate) failures: Vec<String>,
}

/// An input at a place, played in one piece.
pub(crate) struct Played {
    pub(crate) seen: Seen,
    pub(crate) over: bool,
    stage: Box<dyn Stage>,
}

type Checked = Result<(), String>;

pub(crate) fn all(case: &Case, report: &mut Report) {
    for input in &case.trial.inputs {
        for outcome in &input.outcomes {
            for place in &outcome.places {
                let title = format!("line {}, {}, {place}", input.line, input.title);
                watch::work(Some(format!("{}: {title}", case.id)));
                if let Err(failure) = at_place(input, outcome, *place, report) {
                    report.failures.push(format!("{title}: {failure}"));
                }
            }
        }
    }
}

fn at_place(input: &Input, outcome: &Outcome, place: Place, report: &mut Report) -> Checked {
    let variants = input.variants(place).map_err(|error| error.to_string())?;
    report.places.insert(place);
    for (index, variant) in variants.iter().enumerate() {
        report.inputs += 1;
        let named = |failure: String| format!("[{}] {failure}", variant.name);
        let payloads = read_bare(place, &variant.bytes, report).map_err(named)?;
        let played = play(place, &variant.bytes, &payloads)?;
        report.runs += 1;
        let verdict = if outcome.verdict == Verdict::Table {
            table::check(place, &variants, index, &played).map_err(named)?
        } else {
            let expected = outcome.lines(place, variant).map_err(|error| error.to_string())?;
            compare(outcome.verdict, &expected, &played).map_err(named)?;
            let is_whole = is_whole(place, &variant.bytes);
            check_verdict(outcome.verdict, &played, is_whole).map_err(named)?;
            outcome.verdict
        };
        report.verdicts.insert(verdict);
        for chunking in chunkings(variant.bytes.len(), longest()[1]) {
            report.runs += 1;
            in_pieces(place, &variant.bytes, &payloads, chunking, &played)
                .map_err(|failure| named(format!("{chunking:?}: {failure}")))?;
        }
        report.runs += 1;
        together_with_good(place, &variant.bytes, &payloads, &played).map_err(named)?;
        let is_whole = is_whole(place, &variant.bytes);
        afterwards(place, played, verdict, is_whole).map_err(named)?;
    }
    Ok(())
}

/// Plays an input in one piece.
pub(crate) fn play(place: Place, bytes: &[u8], payloads: &[Vec<u8>]) -> Result<Played, String> {
    watch::run();
    let mut stage = stage(place);
    let ((), usage) = memory::of(|| stage.say(bytes));
    check_bounds(stage.as_mut(), bytes.len(), usage)?;
    let seen = stage.seen(payloads);
    check_secrets(stage.as_ref(), &seen)?;
    Ok(Played { seen, over: stage.is_over(), stage })
}

fn check_bounds(stage: &mut dyn Stage, received: usize, usage: Usage) -> Checked {
    let scanned = stage.scanned().unwrap_or(0);
    if scanned > 2 * received as u64 {
        return Err(format!("{scanned} bytes were looked at for {received} received"));
    }
    // Events are larger than the lines that they come from; what is waited for must not count.
    if usage.largest > 8 * 1024 + 8 * received || usage.peak > 32 * 1024 + 64 * received {
        return Err(format!("{received} bytes received, and {usage:?}"));
    }
    Ok(())
}

fn check_secrets(stage: &dyn Stage, seen: &Seen) -> Checked {
    for secret in stage.secrets() {
        if let Some(line) = seen.lines().iter().find(|line| line.contains(&secret)) {
            return Err(format!("a secret is shown: {line}"));
        }
    }
    Ok(())
}

fn compare(verdict: Verdict, expected: &[String], played: &Played) -> Checked {
    let lines = played.seen.lines();
    if lines == expected {
        return Ok(());
    }
    let shown = |lines: &[String]| {
        lines.iter().map(|line| format!("\n{}", compact(line))).collect::<String>()
    };
    let verdict = if played.over { Verdict::Close } else { verdict };
    Err(format!("expected{}\nseen as {verdict}{}", shown(expected), shown(&lines)))
}

/// Whether what came of it is what the word means.
fn check_verdict(verdict: Verdict, played: &Played, is_whole: bool) -> Checked {
    let Played { seen, over, .. } = played;
    let told = seen.warnings() > 0 || seen.has_error();
    let fits = match verdict {
        Verdict::Close => *over,
        _ if *over => false,
        Verdict::Fine => !told && !seen.is_empty(),
        Verdict::Report => told,
        Verdict::Skip => {
            seen.warnings() == 1 && seen.events.iter().any(|event| event.ends_with("passed over"))
                || seen.has_error()
        }
        Verdict::Opaque => seen.events.iter().any(|event| event.ends_with("as it came")),
        Verdict::Ignore => seen.is_empty() && is_whole,
        Verdict::Unfinished => seen.is_empty() && !is_whole,
        Verdict::Table => true,
    };
    if fits { Ok(()) } else { Err(format!("this is not `{verdict}`: {:?}", seen.lines())) }
}

/// The bare decoder and the readers of bodies: the payloads of all frames.
fn read_bare(place: Place, bytes: &[u8], report: &mut Report) -> Result<Vec<Vec<u8>>, String> {
    let decoder = place.decoder();
    let whole = framing::cut(&decoder, [bytes]);
    for chunking in chunkings(bytes.len(), longest()[0]) {
        report.runs += 1;
        watch::run();
        if framing::cut(&decoder, pieces(bytes, chunking)) != whole {
            return Err(format!("{chunking:?}: other frames than in one piece"));
        }
    }
    let payloads = payloads(place, bytes);
    for payload in &payloads {
        report.runs += 1;
        let _ = format!("{:?} {:?}", Message::parse_with(payload), Notice::parse_with(payload));
        if let Message::Text(text) = Message::parse(payload) {
            let _ = format!("{:?}", text.to_text());
        }
        let _ = decode_words(payload);
    }
    Ok(payloads)
}

/// The payloads of all frames of an input.
pub(crate) fn payloads(place: Place, bytes: &[u8]) -> Vec<Vec<u8>> {
    let payload = |seen| match seen {
        framing::Seen::Frame { payload, .. } => payload,
        _ => None,
    };
    framing::cut(&place.decoder(), [bytes]).0.into_iter().filter_map(payload).collect()
}

/// Whether the stream ends between two frames, with nothing left to pass over.
pub(crate) fn is_whole(place: Place, bytes: &[u8]) -> bool {
    framing::cut(&place.decoder(), [bytes]).1
}

/// A stream in pieces.
fn pieces(mut bytes: &[u8], chunking: Chunking) -> impl Iterator<Item = &[u8]> {
    let mut chunker = Chunker::new(chunking);
    std::iter::from_fn(move || {
        let (piece, rest) = bytes.split_at(chunker.next(bytes.len()));
        bytes = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Byte by byte, and cut in two: at every place, or at some of a stream that is longer than `all`
/// and near its ends.
fn chunkings(len: usize, all: usize) -> impl Iterator<Item = Chunking> {
    let some = if is_optimized() { 400 } else { 12 };
    let step = if len <= all { 1 } else { len / some + 1 };
    let near = [1, 2, len.saturating_sub(2), len.saturating_sub(1)];
    let near = near.into_iter().filter(move |at| step > 1 && *at > 0 && *at < len);
    let places = (1..len).step_by(step).chain(near);
    [Chunking::Every(1), Chunking::Every(7)].into_iter().chain(places.map(Chunking::SplitAt))
}

/// Longest stream that is cut at every place, for the bare decoder and for everything else. All of
/// that gets its bytes through the decoder, and is much slower.
fn longest() -> [usize; 2] {
    if is_optimized() { [usize::MAX, 2048] } else { [12, 12] }
}

/// Whether this was built in another profile than `dev`: the folder of a build has its name.
pub(crate) fn is_optimized() -> bool {
    static OPTIMIZED: OnceLock<bool> = OnceLock::new();
    *OPTIMIZED.get_or_init(|| {
        let program = std::env::current_exe().unwrap_or_default();
        !program.ancestors().nth(2).is_some_and(|folder| folder.ends_with("debug"))
    })
}

fn in_pieces(
    place: Place,
    bytes: &[u8],
    payloads: &[Vec<u8>],
    chunking: Chunking,
    whole: &Played,
) -> Checked {
    watch::run();
    let mut stage = stage(place);
    let mut received = 0;
    for piece in pieces(bytes, chunking) {
        received += piece.len();
        let ((), usage) = memory::of(|| stage.say(piece));
        check_bounds(stage.as_mut(), received, usage)?;
    }
    let seen = stage.seen(payloads);
    if seen != whole.seen || stage.is_over() != whole.over {
        return Err(format!("{:?} and not {:?}", seen.lines(), whole.seen.lines()));
    }
    Ok(())
}

/// The good frame comes in the same piece: it makes no difference to what came before it.
fn together_with_good(place: Place, bytes: &[u8], payloads: &[Vec<u8>], whole: &Played) -> Checked {
    let mut stage = stage(place);
    let good = stage.good();
    stage.say(&[bytes, &good].concat());
    let seen = stage.seen(payloads);
    if !seen.events.starts_with(&whole.seen.events) {
        return Err(format!("with a good frame behind it: {:?}", seen.lines()));
    }
    Ok(())
}

/// What a good frame gives, and what others hear, when nothing bad was said.
struct Peace {
    good: Seen,
    others: Seen,
}

fn peace(place: Place) -> &'static Peace {
    static PEACE: [OnceLock<Peace>; Place::ALL.len()] = [const { OnceLock::new() }; 10];
    let at = Place::ALL.iter().position(|one| *one == place).unwrap_or_default();
    PEACE[at].get_or_init(|| {
        let mut stage = stage(place);
        let good = stage.good();
        stage.say(&good);
        let good = stage.seen(&[]);
        assert!(!good.is_empty(), "{place}: the good frame is good for nothing");
        let others = if stage.has_others() { stage.others() } else { Seen::default() };
        if let Err(failure) = stage.end() {
            panic!("{place}, in peace: {failure}");
        }
        Peace { good, others }
    })
}

/// The stream goes on in step, or there is silence; others see no difference; all has one end.
fn afterwards(place: Place, played: Played, verdict: Verdict, is_whole: bool) -> Checked {
    let Played { mut stage, over, .. } = played;
    let peace = peace(place);
    if over {
        stage.say(&stage.good());
        let seen = stage.seen(&[]);
        if !seen.is_empty() {
            return Err(format!("after the end: {:?}", seen.lines()));
        }
    } else if is_whole {
        stage.say(&stage.good());
        let seen = stage.seen(&[]);
        // What is fine may have changed what the good frame means, and so may what moved the
        // connection on: then it is tried with a frame for where it is now.
        let in_step = seen == peace.good
            || verdict == Verdict::Fine && !seen.is_empty()
            || stage.good_inside().is_some_and(|good| {
                stage.say(&good);
                matches!(&stage.seen(&[]).events[..], [one] if one.starts_with("message: "))
            });
        if !in_step {
            let (seen, expected) = (seen.lines(), peace.good.lines());
            return Err(format!("a good frame gives {seen:?} and not {expected:?}"));
        }
    } else if verdict != Verdict::Skip && place.is_client() {
        stage.hang_up();
        let seen = stage.seen(&[]);
        if !seen.events.iter().any(|event| event.contains("in the middle of a command")) {
            return Err(format!("unfinished, and then {:?}", seen.lines()));
        }
    }
    if stage.has_others() {
        let others = stage.others();
        if others != peace.others {
            let expected = peace.others.lines();
            return Err(format!("others: {:?} and not {expected:?}", others.lines()));
        }
    }
    stage.end()
}
