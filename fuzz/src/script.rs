//! What the peers of the machines say: bytes of the fuzzer, with marks for what only the other side
//! knows, so that a conversation can get somewhere.

/// Where a peer's words are put together.
#[derive(Default)]
pub(crate) struct Speech {
    words: Vec<u8>,
}

/// In what a server says: the id of the request that this line answers.
pub(crate) const TRID: u8 = 1;

impl Speech {
    /// A server's words. [`TRID`] stands for the id of the client's last request of the kind that
    /// the line answers; `heard` is what the client has sent, and what it has pending.
    pub(crate) fn server(&mut self, script: &[u8], heard: (&[u8], &[u8])) -> &[u8] {
        self.words.clear();
        let mut line = 0;
        for byte in script {
            match *byte {
                TRID => {
                    let verb = self.words.get(line..line + 3).unwrap_or_default();
                    let trid = last_id(asked_by(verb), heard);
                    self.words.extend_from_slice(trid);
                }
                b'\n' => {
                    self.words.push(b'\n');
                    line = self.words.len();
                }
                byte => self.words.push(byte),
            }
        }
        &self.words
    }
}

/// Whether a text is somewhere in some bytes.
pub(crate) fn is_in(text: &str, bytes: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// The verb of the request that a reply answers.
fn asked_by(reply: &[u8]) -> Option<&[u8]> {
    match reply {
        b"ACK" | b"NAK" => Some(b"MSG"),
        b"IRO" => Some(b"ANS"),
        b"ILN" => Some(b"CHG"),
        [b'0'..=b'9', ..] => None,
        verb => Some(verb),
    }
}

/// The id of the last request with this verb, or else of the last SYN, or of the last of all.
fn last_id<'a>(verb: Option<&[u8]>, (sent, pending): (&'a [u8], &'a [u8])) -> &'a [u8] {
    let find = |wanted: &dyn Fn(&[u8]) -> bool| {
        let lines = [pending, sent].into_iter().flat_map(|part| part.rsplit(|b| *b == b'\n'));
        lines
            .filter(|line| line.len() > 4 && wanted(&line[..3]))
            .filter_map(|line| line[4..].split(|byte| b" \r".contains(byte)).next())
            .find(|word| !word.is_empty() && word.iter().all(u8::is_ascii_digit))
    };
    let same = verb.and_then(|verb| find(&|other| other == verb));
    same.or_else(|| verb.and_then(|_| find(&|other| other == b"SYN")))
        .or_else(|| find(&|_| true))
        .unwrap_or(b"0")
}

/// Whom the marks 4 to 7 stand for in what a client says.
pub(crate) const PEOPLE: [&str; 4] =
    ["alice@example.net", "Bob@example.net", "carol@example.net", "dave@example.net"];

impl Speech {
    /// A client's words. The marks 1, 2 and 3 stand for the last cookie that was given to a caller,
    /// the last one that was given to somebody called, and the session of that; 4 to 7 for
    /// [`PEOPLE`]. `said` is what the hub has sent on each connection.
    pub(crate) fn client<'a>(
        &mut self,
        script: &[u8],
        said: impl DoubleEndedIterator<Item = &'a [u8]> + Clone,
    ) -> &[u8] {
        self.words.clear();
        for byte in script {
            match *byte {
                mark @ 1..=3 => self.words.extend_from_slice(given(mark, said.clone())),
                mark @ 4..=7 => {
                    self.words.extend_from_slice(PEOPLE[usize::from(mark - 4)].as_bytes());
                }
                byte => self.words.push(byte),
            }
        }
        &self.words
    }
}

/// A word from the last XFR or RNG.
fn given<'a>(mark: u8, said: impl DoubleEndedIterator<Item = &'a [u8]>) -> &'a [u8] {
    let (verb, place) = match mark {
        1 => (b"XFR ", 5),
        2 => (b"RNG ", 4),
        _ => (b"RNG ", 1),
    };
    let mut lines = said.rev().flat_map(|said| said.rsplit(|byte| *byte == b'\n'));
    let line = lines.find(|line| line.starts_with(verb)).unwrap_or_default();
    let word = line.split(|byte| b" \r".contains(byte)).nth(place);
    word.filter(|word| !word.is_empty()).unwrap_or(b"0")
}
