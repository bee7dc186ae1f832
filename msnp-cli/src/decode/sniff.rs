//! What kind of input it is, by its first bytes.
//!
//! This module knows how each kind begins. A stream of one side has no mark: what most of its
//! lines are read as is what it is taken for.

use msnp_proto::transcript::{Line, Side, Transcript};

use super::capture::{Broken, is_pcap};
use super::event::{Said, Server};
use super::pcapng::is_pcapng;
use super::reader::{Dialect, Found, Reader};
use super::roles;

/// So many bytes are looked at, or fewer if there are no more.
pub(super) const LOOK: usize = 4096;

/// What the bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Pcap,
    Pcapng,
    Transcript,
    /// What one side said on one connection.
    Stream(Server, Side),
}

/// What the bytes surely are, however few there are yet: what comes as it is captured is to be
/// shown at once.
pub(super) fn kind_at_once(bytes: &[u8]) -> Option<Kind> {
    if is_pcap(bytes) {
        return Some(Kind::Pcap);
    }
    if is_pcapng(bytes) {
        return Some(Kind::Pcapng);
    }
    let whole = bytes.iter().rposition(|byte| *byte == b'\n')?;
    let is_surely = |lines| matches!(is_transcript(lines), Guess::Surely(true));
    bytes.get(..whole).is_some_and(is_surely).then_some(Kind::Transcript)
}

/// Looks at the first bytes.
pub(super) fn kind(bytes: &[u8]) -> Result<Kind, Broken> {
    if bytes.is_empty() {
        return Err(Broken("nothing in it".into()));
    }
    if is_pcap(bytes) {
        return Ok(Kind::Pcap);
    }
    if is_pcapng(bytes) {
        return Ok(Kind::Pcapng);
    }
    if let Some(name) = compression(bytes) {
        return Err(Broken(format!("compressed by {name}; unpack it first, and read it with `-`")));
    }
    if let Guess::Open(true) | Guess::Surely(true) = is_transcript(bytes) {
        return Ok(Kind::Transcript);
    }
    stream(bytes, &[Side::Client, Side::Server]).ok_or_else(|| {
        let text = "neither a capture, nor a transcript, nor bytes of this protocol";
        Broken(format!("{text} (--format says what it is)"))
    })
}

fn compression(bytes: &[u8]) -> Option<&'static str> {
    let marks: [(&[u8], &str); 4] = [
        (&[0x1F, 0x8B], "gzip"),
        (&[0x28, 0xB5, 0x2F, 0xFD], "zstd"),
        (&[0xFD, b'7', b'z', b'X', b'Z', 0], "xz"),
        (b"BZh", "bzip2"),
    ];
    marks.into_iter().find(|(mark, _)| bytes.starts_with(mark)).map(|(_, name)| name)
}

/// Whether these lines are of a transcript: the first that says anything decides. Comments alone
/// are one too, but more may follow.
fn is_transcript(bytes: &[u8]) -> Guess {
    let mut guess = Guess::Open(false);
    for line in bytes.split(|byte| *byte == b'\n') {
        let Ok(line) = std::str::from_utf8(line) else { return Guess::Surely(false) };
        match Transcript::parse(line).as_ref().map(Transcript::lines) {
            Ok([Line::Comment(_)]) => guess = Guess::Open(true),
            Ok([Line::Blank] | []) => {}
            parsed => return Guess::Surely(parsed.is_ok()),
        }
    }
    guess
}

enum Guess {
    Open(bool),
    Surely(bool),
}

/// The server and side whose table reads most of the lines; `None` if none reads any.
pub(super) fn stream(bytes: &[u8], sides: &[Side]) -> Option<Kind> {
    let mut best = None;
    for side in sides {
        for server in [Server::Notification, Server::Switchboard] {
            let score = score(bytes, server, *side);
            if score > best.map_or(0, |(best, _, _)| best) {
                best = Some((score, server, *side));
            }
        }
    }
    let (_, server, side) = best?;
    let (client, reply) = if side == Side::Client { (bytes, &[][..]) } else { (&[][..], bytes) };
    let server = match roles::guess(client, reply) {
        roles::Guess::Surely(Server::Dispatch) if server == Server::Notification => {
            Server::Dispatch
        }
        _ => server,
    };
    Some(Kind::Stream(server, side))
}

/// How well the bytes are read as those of one side: a line that fits exactly counts more than one
/// with a remainder, and one that does not fit counts against it.
fn score(bytes: &[u8], server: Server, side: Side) -> i32 {
    let mut score = 0;
    Reader::new(server, side, Dialect::Unknown, false).bytes(bytes, &mut |found| {
        score += match found {
            Found::Frame(frame, _) => match Said::read(server, side, frame) {
                Said::Unknown => 0,
                Said::Misfit(_) => -2,
                Said::Refusal(_) => 1,
                said if said.extra().is_empty() => 3,
                _ => 1,
            },
            _ => -2,
        };
    });
    score
}

#[cfg(test)]
mod tests {
    use super::Server::{Dispatch, Notification, Switchboard};
    use super::Side::{Client, Server as Reply};
    use super::*;

    #[test]
    fn each_kind_by_its_first_bytes() {
        let stream = Kind::Stream;
        let rows: [(&[u8], Kind); 14] = [
            (&[0xA1, 0xB2, 0xC3, 0xD4, 0, 2], Kind::Pcap),
            (&[0x4D, 0x3C, 0xB2, 0xA1], Kind::Pcap),
            (&[0x0A, 0x0D, 0x0D, 0x0A, 0], Kind::Pcapng),
            (b"# a comment\n", Kind::Transcript),
            (b"\n# sb1\n= role: dispatch\n", Kind::Transcript),
            (b"0.010 ns1 C: VER 1 MSNP7\n1.0 ns1 S: VE", Kind::Transcript),
            (b"S: QNG\n", Kind::Transcript),
            (b"VER 1 MSNP7 CVR0\r\nINF 2\r\nUSR 3 MD5 I a@b.c\r\n", stream(Notification, Client)),
            (b"VER 1 MSNP7\r\nINF 2 MD5\r\nXFR 3 NS 1.2.3.4:1863 0\r\n", stream(Dispatch, Reply)),
            (b"VER 1 MSNP7\r\nINF 2 MD5\r\nUSR 3 MD5 S 1.2\r\n", stream(Notification, Reply)),
            (
                b"NLN NLN a@b.c A\r\nMSG Hotmail Hotmail 3\r\nabcQNG\r\n",
                stream(Notification, Reply),
            ),
            (
                b"USR 1 a@b.c 1.2\r\nCAL 2 b@b.c\r\nMSG 3 N 2\r\nhiOUT\r\n",
                stream(Switchboard, Client),
            ),
            (b"ANS 1 a@b.c 1.2 7\r\n", stream(Switchboard, Client)),
            (b"IRO 1 1 1 b@b.c B\r\nANS 1 OK\r\nMSG b@b.c B 2\r\nhi", stream(Switchboard, Reply)),
        ];
        for (bytes, expected) in rows {
            assert_eq!(kind(bytes), Ok(expected), "{}", bytes.escape_ascii());
            let at_once = kind_at_once(bytes);
            assert!(at_once.is_none_or(|kind| kind == expected), "{}", bytes.escape_ascii());
        }
        let live = b"# a comment\n0.010 ns1 C: VER 1 MSNP7\n";
        for len in 0..live.len() {
            assert_eq!(kind_at_once(&live[..len]), None);
        }
        assert_eq!(kind_at_once(live), Some(Kind::Transcript));
    }

    #[test]
    fn what_is_none_of_them_is_refused() {
        for (bytes, text) in [
            (&b""[..], "nothing in it"),
            (b"hello\nthere\n", "neither a capture"),
            (b"GET / HTTP/1.1\r\n\r\n", "neither a capture"),
            (&[0x1F, 0x8B, 8], "compressed by gzip"),
            (&[0x28, 0xB5, 0x2F, 0xFD], "compressed by zstd"),
            (&[0xFF; 100], "neither a capture"),
        ] {
            let Err(Broken(said)) = kind(bytes) else { panic!("{}", bytes.escape_ascii()) };
            assert!(said.starts_with(text), "{said}");
        }
    }
}
