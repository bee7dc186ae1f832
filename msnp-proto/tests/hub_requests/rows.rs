//! Every request, as it is written when nothing is wrong with it.

/// A request: how it is written, how many of its words (after the verb) it cannot do without, and
/// how the answer begins when everything is as it should be. `_` means no answer.
pub(crate) struct Row {
    pub(crate) line: &'static str,
    pub(crate) payload: Option<&'static str>,
    pub(crate) needs: usize,
    pub(crate) answer: &'static str,
}

const fn row(line: &'static str, needs: usize, answer: &'static str) -> Row {
    Row { line, payload: None, needs, answer }
}

const fn long(
    line: &'static str,
    payload: &'static str,
    needs: usize,
    answer: &'static str,
) -> Row {
    Row { line, payload: Some(payload), needs, answer }
}

/// What may be said at the notification server, and what is answered to somebody online there.
pub(crate) const REQUESTS: &[Row] = &[
    row("VER 7 MSNP7", 2, "715 7"),
    row("INF 7", 1, "715 7"),
    row("USR 7 MD5 I alice@example.net", 3, "207 7"),
    row("USR 7 MD5 S 0123456789abcdef0123456789abcdef", 3, "207 7"),
    row("XFR 7 SB", 2, "XFR 7 SB 192.0.2.1:1865 CKI "),
    row("CVR 7 0x0409 win 4.10 i386 MSMSGS 4.5.0127 MSMSGS", 2, "CVR 7 4.5.0127 "),
    row("CVQ 7 0x0409 win 4.10 i386 MSMSGS 1.0.0863", 2, "715 7"),
    row("SYN 7 0", 2, "SYN 7 5"),
    row("GTC 7 N", 2, "GTC 7 6 N"),
    row("BLP 7 BL", 2, "BLP 7 6 BL"),
    row("PRP 7 PHH 1", 2, "PRP 7 6 PHH 1"),
    row("LST 7 RL", 2, "LST 7 RL 5 1 1 bob@example.net "),
    row("LSG 7", 1, "LSG 7 5 1 2 0 ~ 0"),
    row("ADD 7 FL carol@example.net Carol 1", 3, "ADD 7 FL 6 carol@example.net Carol 1"),
    row("REM 7 AL bob@example.net", 3, "REM 7 AL 6 bob@example.net"),
    row("ADG 7 Friends 0", 2, "ADG 7 6 Friends 2 0"),
    row("RMG 7 1", 2, "RMG 7 6 1"),
    row("REG 7 1 Friends 0", 3, "REG 7 6 1 Friends 0"),
    row("REA 7 alice@example.net Al", 3, "REA 7 6 alice@example.net Al"),
    row("CHG 7 BSY", 2, "CHG 7 BSY"),
    row("CHL 7", 1, "CHL 7 "),
    long("QRY 7 msmsgs@msnmsgr.com", "0123456789abcdef0123456789abcdef", 2, "540 7"),
    row("PNG", 0, "QNG"),
    row("OUT", 0, "_"),
    row("FND 7 fname=Ann", 2, "502 7"),
    row("SND 7 a@example.org 0x0409 MSMSGS MSMSGS", 2, "503 7"),
    long("SDC 7 a@example.org 0x0409 MSMSGS MSMSGS X X Al", "hello", 8, "503 7"),
    long("PAG 7 bob@example.net", "<TEXT>x</TEXT>", 2, "606 7"),
    row("IMS 7 OFF", 2, "IMS 7 0 OFF"),
    row("URL 7 INBOX", 2, "502 7"),
];

/// What may be said in a switchboard, and what is answered to somebody alone in one.
pub(crate) const TALK: &[Row] = &[
    row("USR 7 alice@example.net 0123456789abcdef", 3, "715 7"),
    row("ANS 7 alice@example.net 0123456789abcdef 1", 4, "715 7"),
    row("CAL 7 bob@example.net", 2, "CAL 7 RINGING "),
    long("MSG 7 A", "hello", 2, "NAK 7"),
    row("OUT", 0, "_"),
];

impl Row {
    pub(crate) fn verb(&self) -> &str {
        &self.line[..3]
    }

    pub(crate) fn bytes(&self, line: &str) -> Vec<u8> {
        match self.payload {
            Some(payload) => format!("{line} {}\r\n{payload}", payload.len()).into_bytes(),
            None => format!("{line}\r\n").into_bytes(),
        }
    }

    /// The answers that end the connection, in the state for which they are meant.
    pub(crate) fn ends(&self) -> bool {
        matches!(self.answer, "715 7" | "540 7" | "_")
    }
}
