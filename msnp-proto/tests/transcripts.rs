//! Every dialogue that comes with the crate, as text, as frames and as commands.

use std::collections::BTreeSet;
use std::path::Path;

use md5::{Digest, Md5};
use msnp_proto::testing::{Dialogue, Role, Transcript, What, library};
use msnp_proto::transcript::Side;
use msnp_proto::types::ErrorReply;
use msnp_proto::wire::{Frame, Inbox, Incoming, Parsed};
use msnp_proto::{ns, sb};

const SIDES: [Side; 2] = [Side::Client, Side::Server];

/// All connections of all dialogues.
fn dialogues() -> impl Iterator<Item = (&'static str, Transcript, Dialogue)> {
    library::ALL.iter().flat_map(|(name, _)| {
        let transcript = library::transcript(name);
        let all = Dialogue::all(&transcript).unwrap_or_else(|error| panic!("{name}: {error}"));
        all.into_iter().map(move |dialogue| (*name, transcript.clone(), dialogue))
    })
}

#[test]
fn the_library_has_every_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let names = library::ALL.iter().map(|(name, _)| format!("{name}.txt")).collect();
    assert_eq!(files, names);
    assert_eq!(names.len(), library::ALL.len(), "a name is there twice");
}

#[test]
fn every_file_is_written_back_as_it_was() {
    for (name, text) in library::ALL {
        let transcript = Transcript::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(transcript.to_string() == *text, "{name} is not in its canonical form");
        assert!(transcript.header("title").is_some(), "{name} has no title");
        assert!(transcript.header("source").is_some(), "{name} does not say where it is from");
    }
}

/// Dialogues whose streams end in the middle of a frame.
const UNFINISHED: [&str; 1] = ["leave-connection-lost"];

#[test]
fn every_connection_ends_between_two_frames() {
    for (name, _, dialogue) in dialogues() {
        let rest = dialogue.steps.iter().any(|step| matches!(step.what, What::Rest(_)));
        assert_eq!(rest, UNFINISHED.contains(&name), "{name}");
    }
}

/// The frames of a stream that comes in these pieces. No more is looked at than twice the bytes.
fn cut<'p>(role: Role, side: Side, pieces: impl IntoIterator<Item = &'p [u8]>) -> Frames {
    let mut inbox = Inbox::new(role.decoder(side));
    let (mut frames, mut received) = (Frames::default(), 0);
    for mut piece in pieces {
        received += piece.len() as u64;
        while let Some(incoming) = inbox.next(&mut piece).expect("it can be cut") {
            let Incoming::Frame(frame) = incoming else { panic!("oversized") };
            frames.add(frame);
        }
        assert!(inbox.decoder().scanned() <= 2 * received);
    }
    frames
}

/// Frames in one buffer, so that millions of them can be compared.
#[derive(Default, PartialEq)]
struct Frames {
    bytes: Vec<u8>,
    sizes: Vec<(usize, Option<usize>)>,
}

impl Frames {
    fn add(&mut self, frame: Frame<'_>) {
        self.bytes.extend_from_slice(frame.line());
        self.bytes.extend_from_slice(frame.payload().unwrap_or_default());
        self.sizes.push((frame.line().len(), frame.payload().map(<[u8]>::len)));
    }
}

#[test]
fn frames_do_not_depend_on_how_the_stream_is_cut() {
    for (name, transcript, dialogue) in dialogues() {
        for side in SIDES {
            let stream = transcript.bytes(dialogue.name.as_deref(), side);
            let whole = cut(dialogue.role, side, [stream.as_slice()]);
            let mut frames = Frames::default();
            dialogue.frames(side).for_each(|frame| frames.add(frame));
            assert!(whole == frames, "{name}: {side:?} against the steps");

            for size in [1, 2, 3, 7] {
                let pieces = cut(dialogue.role, side, stream.chunks(size));
                assert!(pieces == whole, "{name}: {side:?} in pieces of {size}");
            }
            for at in 0..=stream.len() {
                let (front, back) = stream.split_at(at);
                let split = cut(dialogue.role, side, [front, back]);
                assert!(split == whole, "{name}: {side:?} split at {at}");
            }
        }
    }
}

/// The dialogue, the side, and how the line begins.
type Exception = (&'static str, Side, &'static str);

/// Frames that are no command.
const NO_COMMANDS: [Exception; 3] = [
    // One line that is two.
    ("sync-lines-run-together", Side::Server, "LST 5 RL 69 2 4"),
    // On purpose.
    ("variant-unknown-commands", Side::Server, "XYZ"),
    ("variant-unknown-commands", Side::Server, "NLN NLN"),
];

/// Commands that are not written back as they came, because they are not canonical.
const NOT_CANONICAL: [Exception; 9] = [
    ("real-amsn-2003-msnp7", Side::Client, "INF 2 "),
    ("variant-blank-line-fatal", Side::Client, "\\r\\nPNG"),
    ("variant-loose-spacing", Side::Server, "\\r\\nSYN 5"),
    ("variant-loose-spacing", Side::Server, "CHG  6"),
    ("variant-loose-spacing", Side::Server, "NLN"),
    ("variant-loose-spacing", Side::Server, "\\r\\n\\nFLN"),
    ("variant-names-not-encoded", Side::Server, "NLN NLN bob@example.net "),
    ("variant-old-gaim-client", Side::Client, ""),
    ("variant-usr-ok", Side::Server, "USR 4 OK alice@example.net Alice%20A 1 0"),
];

/// The exceptions that were met, and what was met without being one.
#[derive(Default)]
struct Met {
    exceptions: BTreeSet<Exception>,
    others: Vec<String>,
}

impl Met {
    fn add(&mut self, list: &[Exception], name: &str, side: Side, line: usize, text: &str) {
        let listed = list
            .iter()
            .find(|(file, by, begin)| *file == name && *by == side && text.starts_with(begin));
        match listed {
            Some(exception) => drop(self.exceptions.insert(*exception)),
            None => self.others.push(format!("{name}, line {line}: {text}")),
        }
    }

    #[track_caller]
    fn check(self, list: &[Exception]) {
        assert_eq!(self.others, Vec::<String>::new());
        assert_eq!(self.exceptions, list.iter().copied().collect(), "an exception is not met");
    }
}

/// Reads a frame and writes it again; `None` if it is no command. The flag says whether something
/// stood behind its last argument.
fn rewrite(role: Role, side: Side, frame: Frame<'_>) -> Option<(Vec<u8>, bool)> {
    macro_rules! rewrite {
        ($Command:ty) => {
            match <$Command>::parse(frame) {
                Ok(Parsed::Command(command, extra)) => {
                    let mut out = Vec::new();
                    command.encode(&mut out);
                    assert_eq!(Some(command.verb()), frame.verb());
                    Some((out, !extra.is_empty()))
                }
                Ok(Parsed::Unknown(_)) | Err(_) => None,
            }
        };
    }
    if let (Side::Server, Some(error)) = (side, ErrorReply::parse(frame)) {
        let mut out = Vec::new();
        error.encode(&mut out);
        return Some((out, false));
    }
    match (role, side) {
        (Role::Dispatch | Role::Notification, Side::Client) => rewrite!(ns::Request<'_>),
        (Role::Dispatch | Role::Notification, Side::Server) => rewrite!(ns::Reply<'_>),
        (Role::Switchboard, Side::Client) => rewrite!(sb::Request<'_>),
        (Role::Switchboard, Side::Server) => rewrite!(sb::Reply<'_>),
    }
}

#[test]
fn every_frame_is_a_command_and_comes_back_as_it_was() {
    let (mut no_commands, mut not_canonical) = (Met::default(), Met::default());
    for (name, _, dialogue) in dialogues() {
        for step in &dialogue.steps {
            let What::Frame(owned) = &step.what else { continue };
            let text = owned.raw().escape_ascii().to_string();
            match rewrite(dialogue.role, step.side, owned.frame()) {
                None => no_commands.add(&NO_COMMANDS, name, step.side, step.line, &text),
                Some((written, extra)) if extra || written != owned.raw() => {
                    not_canonical.add(&NOT_CANONICAL, name, step.side, step.line, &text);
                }
                Some(_) => {}
            }
        }
    }
    no_commands.check(&NO_COMMANDS);
    not_canonical.check(&NOT_CANONICAL);
}

fn digest(parts: [&[u8]; 2]) -> String {
    let mut md5 = Md5::new();
    parts.iter().for_each(|part| md5.update(part));
    md5.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn digests_are_those_of_the_password_and_of_the_clients_secret() {
    let (mut passwords, mut challenges) = (0, 0);
    for (name, _, dialogue) in dialogues() {
        let connection = dialogue.name.as_deref();
        let (mut challenge, mut asked) = (Vec::new(), Vec::new());
        for step in &dialogue.steps {
            let What::Frame(owned) = &step.what else { continue };
            let line = String::from_utf8_lossy(owned.frame().line()).into_owned();
            let words: Vec<&str> = line.split_whitespace().collect();
            match (step.side, words.as_slice()) {
                (Side::Server, ["USR", _, "MD5", "S", text]) => challenge = text.as_bytes().into(),
                (Side::Client, ["USR", _, "MD5", "S", answer]) => {
                    let Some(password) = &dialogue.password else { continue };
                    // The one who mistypes it.
                    let password = match connection {
                        Some("wrong-password") => "password",
                        _ => password.as_str(),
                    };
                    let expected = digest([challenge.as_slice(), password.as_bytes()]);
                    assert_eq!(*answer, expected, "{name}, line {}", step.line);
                    passwords += 1;
                }
                (Side::Server, ["CHL", _, text]) => asked.push(text.to_string()),
                (Side::Client, ["QRY", _, "msmsgs@msnmsgr.com", "32"]) => {
                    let asked = asked.remove(0);
                    let expected = digest([asked.as_bytes(), b"Q1P7W2E4J9R8U3S5"]);
                    let answer = owned.frame().payload().unwrap();
                    assert_eq!(answer, expected.as_bytes(), "{name}, line {}", step.line);
                    challenges += 1;
                }
                _ => {}
            }
        }
    }
    assert!(passwords > 70 && challenges > 8, "{passwords} passwords, {challenges} challenges");
}

/// Clients of ours number their commands from 1 upwards on each connection.
#[test]
fn our_own_client_counts() {
    for (name, _, dialogue) in dialogues() {
        if name.starts_with("real-") || name.starts_with("article-") || name.contains("old-gaim") {
            continue;
        }
        let mut next = 1;
        for frame in dialogue.frames(Side::Client) {
            let line = String::from_utf8_lossy(frame.line()).into_owned();
            if matches!(frame.word(), b"PNG" | b"OUT") {
                continue;
            }
            let number: u32 = line.split(' ').nth(1).unwrap().parse().unwrap();
            assert_eq!(number, next, "{name}: {line}");
            next += 1;
        }
    }
}
