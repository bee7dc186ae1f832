//! What passes on the network as a transcript, with secrets masked.
//!
//! This module knows the form of a transcript. A connection that cannot be cut into lines is not
//! shown any further, since nobody could say then what in it is secret.

use std::collections::HashMap;
use std::io::Write;
use std::net::SocketAddr;

use msnp_mio::{Origin, Tap};
use msnp_proto::limits::Limits;
use msnp_proto::machine::{Closed, ConnId};
use msnp_proto::time::Instant;
use msnp_proto::wire::{Decoded, FrameDecoder};

use crate::files;
use crate::log::Log;
use crate::mask::{masked_line, masked_payload};

/// Writes a transcript of some connections.
pub(crate) struct Trace {
    sinks: Vec<Sink>,
    wanted: fn(ConnId) -> bool,
    conns: HashMap<ConnId, Conn>,
    /// How many connections of each kind there were.
    counts: [u32; 3],
    log: Log,
    line: Vec<u8>,
}

/// Bytes of a first line after which it is none.
const FIRST_LINE: usize = 512;

/// What a connection is for.
enum Kind {
    Notification,
    Switchboard,
    /// A file, and the secret that goes before it; or a stranger. Neither is shown.
    File,
}

/// By the first line of whoever opened the connection. What is not known to be safe is not shown.
fn kind_of(line: &[u8]) -> Kind {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    let is = |word: &str| first.eq_ignore_ascii_case(word.as_bytes());
    if is("USR") || is("ANS") {
        Kind::Switchboard
    } else if is("INF")
        || is("VER") && !words.any(|word| word.to_ascii_uppercase().ends_with(b"FTP"))
    {
        Kind::Notification
    } else {
        Kind::File
    }
}

/// Where a transcript goes.
pub(crate) struct Sink {
    pub(crate) name: String,
    pub(crate) out: Box<dyn Write>,
}

struct Conn {
    /// We opened it, so what we send is what a client sends.
    is_client: bool,
    peer: SocketAddr,
    /// `None` until the first words say which kind it is.
    name: Option<String>,
    client: Stream,
    server: Stream,
}

struct Stream {
    decoder: FrameDecoder,
    bytes: Vec<u8>,
    lost: bool,
}

impl Stream {
    fn new(decoder: FrameDecoder) -> Self {
        Self { decoder, bytes: Vec::new(), lost: false }
    }
}

impl Trace {
    /// Shows the connections that `wanted` picks.
    pub(crate) fn new(sinks: Vec<Sink>, wanted: fn(ConnId) -> bool, log: Log) -> Self {
        let (conns, line) = (HashMap::new(), Vec::new());
        Self { sinks, wanted, conns, counts: [0; 3], log, line }
    }

    fn take(&mut self, now: Instant, conn: ConnId, by_us: bool, mut bytes: &[u8]) {
        let Some(state) = self.conns.get_mut(&conn) else { return };
        let by_client = state.is_client == by_us;
        if state.name.is_none() {
            if !by_client {
                return;
            }
            state.client.bytes.extend_from_slice(bytes);
            bytes = &[];
            let said = &state.client.bytes;
            let end = memchr::memchr(b'\n', said);
            if end.is_none() && said.len() <= FIRST_LINE {
                return;
            }
            let line = said.get(..end.unwrap_or_default()).unwrap_or_default();
            let (kind, count) = match kind_of(line) {
                Kind::Notification => ("ns", &mut self.counts[0]),
                Kind::Switchboard => {
                    let limits = Limits::new();
                    state.client.decoder = FrameDecoder::switchboard_server(limits.clone());
                    state.server.decoder = FrameDecoder::switchboard_client(limits);
                    ("sb", &mut self.counts[1])
                }
                Kind::File => {
                    (state.client.lost, state.server.lost) = (true, true);
                    ("ft", &mut self.counts[2])
                }
            };
            *count += 1;
            let name = format!("{kind}{count}");
            let file = if state.client.lost { ", a file, which is not shown" } else { "" };
            let comment = format!("# {name}: {}{file}\n", state.peer);
            state.name = Some(name);
            put(&mut self.sinks, &self.log, comment.as_bytes());
        }
        let name = state.name.as_deref().unwrap_or_default();
        let prefix = format!(
            "{}.{:06} {name} {}:",
            now.as_micros() / 1_000_000,
            now.as_micros() % 1_000_000,
            if by_client { 'C' } else { 'S' }
        );
        let stream = if by_client { &mut state.client } else { &mut state.server };
        if stream.lost {
            return;
        }
        self.line.clear();
        stream.bytes.extend_from_slice(bytes);
        let mut used = 0;
        loop {
            let rest = stream.bytes.get(used..).unwrap_or_default();
            match stream.decoder.decode(rest) {
                Ok(Decoded::NeedMore) => break,
                Ok(Decoded::Frame { frame, consumed }) => {
                    write_line(&mut self.line, &prefix, &masked_line(frame.line()));
                    if let Some(payload) = frame.payload() {
                        write_payload(&mut self.line, &prefix, payload);
                    }
                    used += consumed;
                }
                Ok(Decoded::Oversized { frame, announced, consumed }) => {
                    write_line(&mut self.line, &prefix, &masked_line(frame.line()));
                    let comment = format!("# payload of {announced} bytes not shown\n");
                    self.line.extend_from_slice(comment.as_bytes());
                    used += consumed;
                }
                Ok(Decoded::Skipped { consumed }) => used += consumed,
                Err(error) => {
                    let comment = format!("# {name}: not shown from here on: {error}\n");
                    self.line.extend_from_slice(comment.as_bytes());
                    stream.lost = true;
                    used = stream.bytes.len();
                    break;
                }
            }
        }
        stream.bytes.drain(..used);
        put(&mut self.sinks, &self.log, &self.line);
    }
}

/// Writes to all sinks; one that fails gets nothing more.
fn put(sinks: &mut Vec<Sink>, log: &Log, bytes: &[u8]) {
    sinks.retain_mut(|sink| match sink.out.write_all(bytes).and_then(|()| sink.out.flush()) {
        Ok(()) => true,
        Err(error) => {
            log.error(format_args!("trace {} ends here: {}", sink.name, files::reason(&error)));
            false
        }
    });
}

impl Tap for Trace {
    fn opened(&mut self, _: Instant, conn: ConnId, origin: Origin<'_>, peer: SocketAddr) {
        if !(self.wanted)(conn) {
            return;
        }
        let is_client = matches!(origin, Origin::Connected { .. });
        let limits = Limits::new();
        let client = Stream::new(FrameDecoder::notification_server(limits.clone()));
        let server = Stream::new(FrameDecoder::notification_client(limits));
        self.conns.insert(conn, Conn { is_client, peer, name: None, client, server });
    }

    fn received(&mut self, now: Instant, conn: ConnId, bytes: &[u8]) {
        self.take(now, conn, false, bytes);
    }

    fn sent(&mut self, now: Instant, conn: ConnId, bytes: &[u8]) {
        self.take(now, conn, true, bytes);
    }

    fn closed(&mut self, _: Instant, conn: ConnId, why: Closed) {
        if let Some(Conn { name: Some(name), .. }) = self.conns.remove(&conn) {
            put(&mut self.sinks, &self.log, format!("# {name}: {why}\n").as_bytes());
        }
    }
}

fn write_payload(out: &mut Vec<u8>, prefix: &str, payload: &[u8]) {
    let payload = masked_payload(payload);
    let mut rest = &*payload;
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        write_escaped(out, prefix, rest.get(..end).unwrap_or_default(), true);
        rest = rest.get(end + 2..).unwrap_or_default();
    }
    if !rest.is_empty() {
        write_escaped(out, prefix, rest, false);
    }
}

fn write_line(out: &mut Vec<u8>, prefix: &str, line: &[u8]) {
    write_escaped(out, prefix, line, true);
}

/// Everything but printable ASCII is escaped, and so is a blank at the end; a lone backslash at the
/// end means no line end.
fn write_escaped(out: &mut Vec<u8>, prefix: &str, line: &[u8], ends: bool) {
    out.extend_from_slice(prefix.as_bytes());
    if !line.is_empty() || !ends {
        out.push(b' ');
    }
    for (at, byte) in line.iter().enumerate() {
        match byte {
            // An editor would lose it.
            b' ' if ends && at + 1 == line.len() => out.extend_from_slice(b"\\x20"),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0 => out.extend_from_slice(b"\\0"),
            b' '..=b'~' => out.push(*byte),
            other => out.extend_from_slice(format!("\\x{other:02X}").as_bytes()),
        }
    }
    if !ends {
        out.push(b'\\');
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use msnp_proto::machine::Target;

    use super::*;
    use crate::log::Level;

    #[derive(Clone, Default)]
    struct Shared(Rc<RefCell<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// Feeds a client's view of a conversation; `true` marks what it sends.
    fn transcript(dialogue: &[(bool, &[u8])]) -> String {
        let shared = Shared::default();
        let sinks = vec![Sink { name: "test".into(), out: Box::new(shared.clone()) }];
        let mut trace = Trace::new(sinks, |_| true, Log::new(Level::Error, None));
        let conn = ConnId::new(0, 0);
        let to = Target { host: "h".into(), port: 1 };
        let peer = SocketAddr::from(([127, 0, 0, 1], 1863));
        trace.opened(Instant::ZERO, conn, Origin::Connected { to: &to }, peer);
        for (by_us, bytes) in dialogue {
            for byte in bytes.chunks(1) {
                trace.take(Instant::from_micros(1_000_002), conn, *by_us, byte);
            }
        }
        trace.closed(Instant::ZERO, conn, Closed::Done);
        String::from_utf8(shared.0.take()).expect("a transcript is ASCII")
    }

    #[test]
    fn lines_and_payloads_are_written_as_they_pass() {
        let shown = transcript(&[
            (true, b"VER 1 MSNP7 CVR0\r\n"),
            (false, b"VER 1 MSNP7 CVR0\r\n"),
            (false, b"MSG Hotmail Hotmail 11\r\na: b\r\n\r\nx\xff\\"),
            (false, b"QNG\r\n"),
        ]);
        let expected = "# ns1: 127.0.0.1:1863\n\
            1.000002 ns1 C: VER 1 MSNP7 CVR0\n\
            1.000002 ns1 S: VER 1 MSNP7 CVR0\n\
            1.000002 ns1 S: MSG Hotmail Hotmail 11\n\
            1.000002 ns1 S: a: b\n\
            1.000002 ns1 S:\n\
            1.000002 ns1 S: x\\xFF\\\\\\\n\
            1.000002 ns1 S: QNG\n\
            # ns1: connection closed\n";
        assert_eq!(shown, expected);
    }

    #[test]
    fn secrets_occur_nowhere() {
        let ns = transcript(&[
            (true, b"VER 1 MSNP7\r\nUSR 2 MD5 I a@b.c\r\n"),
            (false, b"USR 2 MD5 S geheim1\r\n"),
            (true, b"USR 3 MD5 S geheim2\r\n"),
            (false, b"XFR 4 SB 10.0.0.1:1863 CKI geheim3\r\nRNG 7 10.0.0.1:1863 CKI geheim4 b@c.d B\r\n"),
            (false, b"MSG Hotmail Hotmail 45\r\nlang: 1033\r\nMSPAuth: geheim5\r\nsid: geheim6\r\n\r\n"),
        ]);
        let sb =
            transcript(&[(true, b"USR 1 a@b.c geheim7\r\n"), (false, b"USR 1 OK a@b.c A\r\n")]);
        let answer = transcript(&[(true, b"ANS 1 a@b.c geheim8 77\r\n")]);
        let lower = transcript(&[
            (true, b"usr 3 md5 s geheim9\r\n"),
            (false, b"rng 7 10.0.0.1:1863 cki geheim10 b@c.d B\r\n"),
        ]);
        for shown in [&ns, &sb, &answer, &lower] {
            assert!(!shown.contains("geheim"), "{shown}");
        }
        assert!(
            ns.contains("USR 3 MD5 S ***\n")
                && ns.contains("RNG 7 10.0.0.1:1863 CKI *** b@c.d B\n")
        );
        assert!(ns.contains("lang: 1033\n") && ns.contains("MSPAuth: ***\n"));
        assert!(sb.contains("sb1 C: USR 1 a@b.c ***\n") && sb.contains("USR 1 OK a@b.c A\n"));
        assert!(answer.contains("ANS 1 a@b.c *** 77\n"));
    }

    #[test]
    fn files_are_not_shown_nor_the_secret_before_them() {
        let beginnings: [&[u8]; 5] = [
            b"VER MSNFTP\r\n",
            b"VER 1 MSNFTP\r\n",
            b"ver msnftp\n",
            b"VER X msnftp Y\r\n",
            b"hello\r\n",
        ];
        for first in beginnings {
            let shown = transcript(&[
                (true, first),
                (false, b"VER MSNFTP\r\n"),
                (true, b"USR a@b.c geheim\r\n"),
                (false, b"FIL 6\r\n"),
                (true, b"TFR\r\n"),
                (false, b"\x00\x06\x00geheim"),
            ]);
            let expected = "# ft1: 127.0.0.1:1863, a file, which is not shown\n\
                # ft1: connection closed\n";
            assert_eq!(shown, expected, "{}", first.escape_ascii());
        }
    }

    #[test]
    fn a_stream_out_of_step_is_not_shown_any_further() {
        let shown = transcript(&[
            (true, b"VER 1 MSNP7\r\n"),
            (false, b"MSG a b x\r\nUSR 3 MD5 S geheim\r\nMSPAuth: geheim\r\n"),
        ]);
        assert!(shown.contains("not shown from here on") && !shown.contains("geheim"), "{shown}");
    }
}
