//! What the tables of verbs say about a command with a certain number of arguments.

use msnp_proto::error::CommandError;
use msnp_proto::testing::case::{Input, Place, Variant, Verdict, arguments};
use msnp_proto::testing::{Role, framing};
use msnp_proto::wire::{Frame, Parsed, VerbRow};
use msnp_proto::{ns, sb};

use crate::trial::{self, Played};

/// How a command of a peer can be read.
enum Read {
    /// All of it, perhaps with words that nobody needs.
    Whole { extra: bool },
    /// Some of it.
    Wrong(CommandError),
}

fn read(place: Place, frame: Frame<'_>) -> Option<Read> {
    fn of<T>(parsed: Result<Parsed<'_, T>, CommandError>) -> Option<Read> {
        match parsed {
            Ok(Parsed::Command(_, extra)) => Some(Read::Whole { extra: !extra.is_empty() }),
            Ok(Parsed::Unknown(_)) => None,
            Err(error) => Some(Read::Wrong(error)),
        }
    }
    match (place.is_client(), place.role()) {
        (true, Role::Switchboard) => of(sb::Reply::parse(frame)),
        (true, _) => of(ns::Reply::parse(frame)),
        (false, Role::Switchboard) => of(sb::Request::parse(frame)),
        (false, _) => of(ns::Request::parse(frame)),
    }
}

fn rows(place: Place) -> &'static [VerbRow] {
    match (place.is_client(), place.role()) {
        (true, Role::Switchboard) => sb::Reply::VERBS,
        (true, _) => ns::Reply::VERBS,
        (false, Role::Switchboard) => sb::Request::VERBS,
        (false, _) => ns::Request::VERBS,
    }
}

/// Whether an input has every verb of its table.
pub(crate) fn check_complete(input: &Input, place: Place) -> Result<(), String> {
    let variants = input.variants(place).map_err(|error| error.to_string())?;
    let said =
        |row: &VerbRow| variants.iter().any(|one| one.bytes.starts_with(row.verb.as_bytes()));
    match rows(place).iter().find(|row| !said(row)) {
        Some(row) => Err(format!("{} is not tried at {place}", row.verb)),
        None => Ok(()),
    }
}

/// Whether a variant came out as the table of verbs says.
pub(crate) fn check(
    place: Place,
    variants: &[Variant],
    index: usize,
    played: &Played,
) -> Result<Verdict, String> {
    let variant = &variants[index];
    let (frames, _) = framing::cut(&place.decoder(), [&*variant.bytes]);
    let [framing::Seen::Frame { line, payload }] = &frames[..] else {
        return Err("not one frame".into());
    };
    let read = read(place, Frame::new(line, payload.as_deref())).ok_or("an unknown verb")?;
    let seen = &played.seen;
    let told = seen.warnings() > 0 || seen.has_error();
    let ending = match (played.over, told) {
        (true, _) => Verdict::Close,
        (false, true) => Verdict::Report,
        (false, false) => Verdict::Fine,
    };
    match read {
        Read::Wrong(error) if place.is_client() => {
            let signing_in = matches!(
                place,
                Place::ClientSigningIn | Place::ClientEntering | Place::ClientAnswering
            );
            let expected = if signing_in { "should be" } else { "warning: " };
            let reason = error.to_string();
            let told = seen.events.iter().any(|event| event.contains(&reason));
            let as_it_should = if signing_in { played.over } else { !played.over && told };
            if !as_it_should || seen.events.is_empty() {
                return Err(format!("{expected} {reason}: {:?}", seen.lines()));
            }
        }
        Read::Wrong(error) => {
            if ending == Verdict::Fine {
                return Err(format!("{error}, but {:?}", seen.lines()));
            }
        }
        Read::Whole { extra } => {
            // Where the rest of a line is words, more of them are another command.
            let takes_words = variant.name.ends_with("too many") && !extra;
            let is_whole = |one: &Variant| one.name.ends_with(arguments::ALL);
            let (before, after) = variants.split_at(index);
            let whole = before.iter().rev().find(|one| is_whole(one));
            let fewer = after.iter().skip(1).any(is_whole) && variant.name.contains(" of ");
            if let Some(whole) = whole.filter(|_| !takes_words && !fewer && !is_whole(variant)) {
                let payloads = trial::payloads(place, &whole.bytes);
                let full = trial::play(place, &whole.bytes, &payloads)?;
                if full.over != played.over || full.seen != *seen {
                    return Err(format!("{:?} and not {:?}", seen.lines(), full.seen.lines()));
                }
            }
        }
    }
    Ok(ending)
}
