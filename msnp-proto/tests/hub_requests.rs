//! Every request in every state, with every number of arguments, and at and over its limits: the
//! documented answer or the end, and nothing half changed.

mod hub_support;

use hub_support::{World, config, handle, three};
use msnp_proto::hub::{Record, Role};
use msnp_proto::machine::ConnId;
use msnp_proto::{ns, sb};

/// A request: how it is written, how many of its words (after the verb) it cannot do without, and
/// how the answer begins when everything is as it should be. `_` means no answer.
struct Row {
    line: &'static str,
    payload: Option<&'static str>,
    needs: usize,
    answer: &'static str,
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
const REQUESTS: &[Row] = &[
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
const TALK: &[Row] = &[
    row("USR 7 alice@example.net 0123456789abcdef", 3, "715 7"),
    row("ANS 7 alice@example.net 0123456789abcdef 1", 4, "715 7"),
    row("CAL 7 bob@example.net", 2, "CAL 7 RINGING "),
    long("MSG 7 A", "hello", 2, "NAK 7"),
    row("OUT", 0, "_"),
];

impl Row {
    fn verb(&self) -> &str {
        &self.line[..3]
    }

    fn bytes(&self, line: &str) -> Vec<u8> {
        match self.payload {
            Some(payload) => format!("{line} {}\r\n{payload}", payload.len()).into_bytes(),
            None => format!("{line}\r\n").into_bytes(),
        }
    }

    /// The answers that end the connection, in the state for which they are meant.
    fn ends(&self) -> bool {
        matches!(self.answer, "715 7" | "540 7" | "_")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Dispatch,
    DispatchVersioned,
    New,
    Versioned,
    Challenged,
    UpdateOnly,
    SignedIn,
    Online,
    Hidden,
    Knocking,
    Seated,
}

impl State {
    const ALL: [Self; 11] = [
        Self::Dispatch,
        Self::DispatchVersioned,
        Self::New,
        Self::Versioned,
        Self::Challenged,
        Self::UpdateOnly,
        Self::SignedIn,
        Self::Online,
        Self::Hidden,
        Self::Knocking,
        Self::Seated,
    ];

    const fn is_switchboard(self) -> bool {
        matches!(self, Self::Knocking | Self::Seated)
    }

    const fn is_signed_in(self) -> bool {
        matches!(self, Self::SignedIn | Self::Online | Self::Hidden)
    }

    /// A world with a connection in this state.
    fn enter(self) -> (World, ConnId) {
        let mut config = config();
        config.challenges = false;
        let mut w = World::with(config, three());
        w.online("bob@example.net");
        let conn = match self {
            Self::Dispatch | Self::DispatchVersioned => w.connect(Role::Dispatch),
            Self::New | Self::Versioned | Self::Challenged | Self::UpdateOnly => {
                w.connect(Role::Notification)
            }
            Self::Knocking => w.connect(Role::Switchboard),
            Self::SignedIn | Self::Online | Self::Hidden | Self::Seated => {
                w.sign_in("alice@example.net", "MSNP7")
            }
        };
        for line in match self {
            Self::DispatchVersioned | Self::Versioned => &["VER 1 MSNP7"][..],
            Self::Challenged => &["VER 1 MSNP7", "USR 2 MD5 I alice@example.net"],
            Self::UpdateOnly => &["VER 1 CVR0"],
            Self::SignedIn => &["ADG 1 One 0"],
            Self::Online | Self::Seated => &["ADG 1 One 0", "CHG 2 NLN"],
            Self::Hidden => &["ADG 1 One 0", "CHG 2 HDN"],
            Self::Dispatch | Self::New | Self::Knocking => &[],
        } {
            w.say(conn, line);
            w.heard(conn);
        }
        match self {
            Self::Seated => {
                let board = w.switchboard(conn, "alice@example.net");
                (w, board)
            }
            _ => (w, conn),
        }
    }

    /// How a request is answered in this state, and whether the connection stays.
    fn expected(self, row: &Row) -> (&str, bool) {
        let Row { line, answer, .. } = row;
        let usual = (*answer, !row.ends());
        let unexpected = ("715 7", false);
        let by_form = |form: &str| line.starts_with(form);
        match (self, row.verb()) {
            (_, "OUT") => ("_", false),
            (State::Knocking | State::Seated, _) if is_foreign(row, TALK) => match row.verb() {
                "PNG" => ("_", true),
                _ => ("200 7", true),
            },
            (State::Seated, _) => usual,
            (State::Knocking, "USR" | "ANS") => ("911 7", false),
            (State::Knocking, _) => unexpected,
            (_, "PNG") => ("QNG", true),
            // It has a meaning in switchboards only; what follows it would be read as lines.
            (state, "MSG") => {
                if state.is_signed_in() {
                    ("_", false)
                } else {
                    unexpected
                }
            }
            (_, "CAL" | "ANS") => ("200 7", true),
            (State::New | State::Dispatch, "VER") => ("VER 7 MSNP7", true),
            (State::Versioned | State::DispatchVersioned, "INF") => ("INF 7 MD5", true),
            (State::DispatchVersioned, "USR") if by_form("USR 7 MD5 I") => {
                ("XFR 7 NS 192.0.2.1:1864 0 192.0.2.1:1863", false)
            }
            // A client of 2000 says VER to the dispatch server alone, and is taken for MSNP2.
            (State::Dispatch, "USR") if by_form("USR 7 MD5 I") => {
                ("XFR 7 NS 192.0.2.1:1864", false)
            }
            (State::New | State::Versioned | State::Challenged, "USR")
                if by_form("USR 7 MD5 I") =>
            {
                ("USR 7 MD5 S ", true)
            }
            (State::Challenged, "USR") if by_form("USR 7 MD5 S") => ("911 7", false),
            (state, "USR") if !by_form("USR 7 MD5") => {
                if state.is_signed_in() {
                    ("207 7", true)
                } else {
                    ("911 7", false)
                }
            }
            (State::Versioned | State::Challenged | State::DispatchVersioned, "CVR") => usual,
            (State::UpdateOnly, "CVQ") => ("CVQ 7 1.0.0863 ", false),
            (State::SignedIn | State::Hidden, "XFR") => ("913 7", true),
            (state, _) if state.is_signed_in() => usual,
            _ => unexpected,
        }
    }
}

/// Whether a request belongs to another server.
fn is_foreign(row: &Row, own: &[Row]) -> bool {
    own.iter().all(|other| other.verb() != row.verb())
}

fn records(w: &World) -> Vec<Record> {
    ["alice", "bob", "carol"]
        .map(|name| w.hub.directory().record(&handle(&format!("{name}@example.net"))).cloned())
        .into_iter()
        .flatten()
        .collect()
}

/// The hub's own copy of Alice's lists, as somebody who is signed in sees it.
fn dump(w: &mut World) -> Vec<String> {
    let alice = w.sign_in("alice@example.net", "MSNP7");
    w.ask(alice, "SYN 99 0")
}

/// Says something in a state and checks the answer, and that an error changes nothing.
#[track_caller]
fn check(state: State, bytes: &[u8], answer: &str, stays: bool) {
    let (mut w, conn) = state.enter();
    let before = records(&w);
    w.send(conn, bytes);
    let told = format!("{state:?} {}", bytes.escape_ascii());
    let heard = w.heard(conn);
    match answer {
        "_" => assert_eq!(heard, [""; 0], "{told}"),
        _ => {
            assert!(heard.first().is_some_and(|line| line.starts_with(answer)), "{told}: {heard:?}")
        }
    }
    assert_eq!(!w.is_closed(conn), stays, "{told}: {heard:?}");
    let refused = answer == "_" || answer.as_bytes().first().is_some_and(u8::is_ascii_digit);
    if refused {
        assert_eq!(records(&w), before, "{told}");
    }
    let dumped = dump(&mut w);
    let version = records(&w)[0].version;
    assert_eq!(dumped[0], format!("SYN 99 {}", version.0), "{told}");
}

#[test]
fn the_tables_have_every_request() {
    for (rows, verbs) in [(REQUESTS, ns::Request::VERBS), (TALK, sb::Request::VERBS)] {
        for verb in verbs {
            let name = std::str::from_utf8(verb.verb.as_bytes()).unwrap_or_default().to_owned();
            assert!(rows.iter().any(|row| row.verb() == name), "{name} is missing");
        }
    }
}

#[test]
fn every_request_in_every_state() {
    for state in State::ALL {
        for row in REQUESTS.iter().chain(TALK) {
            let switchboard_usr = row.line.starts_with("USR 7 alice");
            if state.is_switchboard() && row.verb() == "USR" && !switchboard_usr {
                // A form for the other server: `MD5` is taken for an account.
                continue;
            }
            let (answer, stays) = state.expected(row);
            check(state, &row.bytes(row.line), answer, stays);
        }
    }
}

#[test]
fn every_number_of_arguments() {
    for (state, rows) in [(State::Online, REQUESTS), (State::Seated, TALK)] {
        for row in rows {
            let words: Vec<&str> = row.line.split(' ').collect();
            for count in 0..words.len() {
                let line = words[..=count].join(" ");
                let bytes = row.bytes(&line);
                if count >= row.needs {
                    let (answer, stays) = state.expected(row);
                    // With less said the answer says less.
                    let answer = if count + 1 < words.len() { first_words(answer) } else { answer };
                    check(state, &bytes, answer, stays);
                } else if count == 0 {
                    // Without an id nobody can be answered. A payload's length is not one.
                    check(state, &bytes, "_", false);
                } else {
                    let answer = if row.verb() == "USR" && state == State::Online {
                        "207 7"
                    } else {
                        "201 7"
                    };
                    check(state, &bytes, answer, true);
                }
            }
            for extra in [1, 2, 100] {
                let line = format!("{}{}", row.line, " more".repeat(extra));
                let takes_words = matches!(row.verb(), "REM" | "CVR" | "CVQ" | "FND" | "VER");
                if row.payload.is_none() && !takes_words {
                    let (answer, stays) = state.expected(row);
                    check(state, &row.bytes(&line), answer, stays);
                }
            }
        }
    }
}

fn first_words(answer: &str) -> &str {
    let end = answer.match_indices(' ').nth(1).map_or(answer.len(), |(place, _)| place);
    &answer[..end.min(5)]
}

#[test]
fn ids_that_are_none_end_every_connection() {
    for id in ["-1", "abc", "4294967296", "99999999999999999999", "+1", "0x1"] {
        for (state, rows) in [(State::Online, REQUESTS), (State::Seated, TALK)] {
            for row in rows.iter().filter(|row| row.needs > 0) {
                let line = row.line.replacen(" 7", &format!(" {id}"), 1);
                check(state, &row.bytes(&line), "_", false);
            }
        }
    }
    for id in ["0", "007", "4294967295"] {
        check(State::Online, format!("CHG {id} BSY\r\n").as_bytes(), "CHG ", true);
    }
}

/// A line, where a text of some length stands for `{}`, and what is answered for which length.
type Limit = (&'static str, &'static [(usize, &'static str, bool)]);

#[test]
fn every_length_at_over_and_far_over_its_limit() {
    const LIMITS: &[Limit] = &[
        (
            "REA 7 alice@example.net {}",
            &[(387, "REA", true), (388, "_", false), (7000, "_", false)],
        ),
        ("REA 7 bob@example.net {}", &[(387, "REA", true), (388, "_", false), (7000, "_", false)]),
        ("REA 7 carol@example.net {}", &[(387, "216", true), (388, "_", false)]),
        (
            "ADD 7 FL carol@example.net {}",
            &[(387, "ADD", true), (388, "_", false), (7000, "_", false)],
        ),
        (
            "ADG 7 {} 0",
            &[
                (61, "ADG", true),
                (62, "229", true),
                (127, "229", true),
                (128, "_", false),
                (7000, "_", false),
            ],
        ),
        (
            "REG 7 1 {} 0",
            &[
                (61, "REG", true),
                (62, "229", true),
                (127, "229", true),
                (128, "_", false),
                (7000, "_", false),
            ],
        ),
        ("PRP 7 PHH {}", &[(95, "PRP", true), (96, "_", false), (7000, "_", false)]),
        ("PRP 7 {} 1", &[(2, "715", true), (3, "715", true), (4, "_", false), (7000, "_", false)]),
        ("PRP 7 MOB {}", &[(1, "201", true), (95, "201", true), (96, "_", false)]),
        (
            "ADD 7 FL {}@example.net x",
            &[(117, "205", true), (118, "201", true), (7000, "201", true)],
        ),
        ("REM 7 FL {}@example.net", &[(117, "216", true), (118, "216", true), (7000, "216", true)]),
        ("CHG 7 {}", &[(3, "_", false), (7000, "_", false)]),
        ("GTC 7 {}", &[(1, "_", false), (7000, "_", false)]),
        ("BLP 7 {}", &[(2, "_", false), (7000, "_", false)]),
        ("LST 7 {}", &[(2, "201", true), (7000, "201", true)]),
        ("XFR 7 {}", &[(2, "201", true), (7000, "201", true)]),
        ("IMS 7 {}", &[(2, "201", true), (7000, "201", true)]),
        ("URL 7 {}", &[(2, "502", true), (7000, "502", true)]),
        ("FND 7 {}", &[(2, "502", true), (7000, "502", true)]),
        ("SND 7 {}@example.org a b c", &[(117, "503", true), (7000, "503", true)]),
        ("FOO 7 {}", &[(8184, "200", true), (8185, "_", false)]),
    ];
    for (line, cases) in LIMITS {
        for (length, answer, stays) in *cases {
            let line = line.replace("{}", &"x".repeat(*length));
            check(State::Online, format!("{line}\r\n").as_bytes(), answer, *stays);
        }
    }
}

#[test]
fn every_number_at_over_and_far_over_its_limit() {
    for (line, answer, stays) in [
        ("SYN 7 4294967295", "SYN 7 5", true),
        ("SYN 7 4294967296", "201 7", true),
        ("SYN 7 99999999999999999999", "201 7", true),
        ("SYN 7 -1", "201 7", true),
        ("RMG 7 0", "230 7", true),
        ("RMG 7 2", "224 7", true),
        ("RMG 7 29", "224 7", true),
        ("RMG 7 30", "_", false),
        ("RMG 7 4294967295", "_", false),
        ("RMG 7 4294967296", "201 7", true),
        ("RMG 7 -1", "201 7", true),
        ("REG 7 0 x 0", "REG 7 6 0 x 0", true),
        ("REG 7 29 x 0", "224 7", true),
        ("REG 7 30 x 0", "_", false),
        ("REG 7 4294967296 x 0", "201 7", true),
        ("ADD 7 FL carol@example.net c 29", "224 7", true),
        ("ADD 7 FL carol@example.net c 30", "224 7", true),
        ("ADD 7 FL carol@example.net c 4294967295", "224 7", true),
        ("ADD 7 FL carol@example.net c 4294967296", "201 7", true),
        ("ADD 7 FL bob@example.net b 0", "215 7", true),
        ("REM 7 FL bob@example.net 1", "225 7", true),
        ("REM 7 FL bob@example.net 30", "224 7", true),
        ("PAG 7 bob@example.net 99999999999", "_", false),
        ("PAG 7 bob@example.net -1", "_", false),
        ("PAG 7 bob@example.net +5", "_", false),
        ("PAG 7 bob@example.net 0x10", "_", false),
        ("PAG 7 bob@example.net 1e3", "_", false),
    ] {
        check(State::Online, format!("{line}\r\n").as_bytes(), answer, stays);
    }
    for (size, answer, stays) in [(0, "606", true), (8192, "606", true), (8193, "606", true)] {
        let page = format!("PAG 7 bob@example.net {size}\r\n{}", "x".repeat(size));
        check(State::Online, page.as_bytes(), answer, stays);
    }
    for (size, stays) in [(0, false), (31, false), (33, false), (8193, false)] {
        let answer = format!("QRY 7 msmsgs@msnmsgr.com {size}\r\n{}", "x".repeat(size));
        check(State::Online, answer.as_bytes(), "540 7", stays);
    }
    for (size, answer, stays) in
        [(0, "NAK 7", true), (1664, "NAK 7", true), (1665, "_", false), (100_000, "_", false)]
    {
        let text = format!("MSG 7 A {size}\r\n{}", "x".repeat(size));
        check(State::Seated, text.as_bytes(), answer, stays);
    }
}

#[test]
fn every_list_at_and_over_its_limit() {
    let mut small = config();
    small.limits.changes = None;
    small.limits.groups = 4;
    small.limits.contacts = 3;
    small.limits.privacy_entries = 2;
    let mut accounts = three();
    for number in 0..10 {
        accounts = accounts.account(handle(&format!("user{number}@example.net")), "x");
    }
    let mut w = World::with(small, accounts);
    let alice = w.sign_in("alice@example.net", "MSNP7");
    // Alice has Bob on FL and AL to begin with, and group 0.
    for (command, room, code) in [
        ("ADG 7 G{} 0", 3, "223 7"),
        ("ADD 7 FL user{}@example.net x", 2, "210 7"),
        ("ADD 7 AL user{}@example.net x", 1, "210 7"),
        ("ADD 7 BL user{}@example.net x", 2, "219 7"),
    ] {
        for number in 0..10 {
            let before = records(&w);
            let answer = w.ask(alice, &command.replace("{}", &number.to_string()));
            let blocks = command.contains("BL");
            let fits = if blocks { (1..=room).contains(&number) } else { number < room };
            if fits {
                assert!(answer[0].starts_with(&command[..3]), "{command} {number}: {answer:?}");
            } else {
                let code = if blocks && number > 0 { "210 7" } else { code };
                assert_eq!(answer, [code], "{command} {number}");
                assert_eq!(records(&w), before);
            }
        }
    }
}
