//! Where the client does something else than a file, and why that is meant.

/// How it differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// It does not say a command of the file.
    NotSaid,
    /// It says one more.
    Beyond,
    /// It says the command with other arguments, or at another moment where that is compared.
    Otherwise,
}

/// The file, how, the connection, how the line begins, and why.
pub(crate) type Difference = (&'static str, Kind, &'static str, &'static str, &'static str);

/// Files that are not played at all.
pub(crate) const NOT_PLAYED: &[(&str, &str)] = &[
    ("dispatch-upgrade-only", "the client does not look for a newer version of itself"),
    ("variant-old-gaim-client", "a client of another make: bare line feeds, no VER, one TrID"),
];

/// Everything else is said to the letter, but for the ids of commands.
pub(crate) const DIFFERENT: &[Difference] = &[
    ("article-2-sign-in", Kind::Otherwise, "-", "USR 4 MD5 S", "the password is not known"),
    ("challenge-unanswered", Kind::Beyond, "-", "QRY 8 ", "the client answers every challenge"),
    (
        "contacts-add-msnp7",
        Kind::Otherwise,
        "-",
        "ADD 11 FL carol@example.net carol@example.net 0",
        "it always names the group",
    ),
    (
        "contacts-refused",
        Kind::NotSaid,
        "-",
        "ADD 8 FL not-an-address",
        "no account is made of such a word",
    ),
    (
        "groups-make-rename-delete",
        Kind::NotSaid,
        "-",
        "ADG 16 xxx",
        "the name is too long: refused before it is said",
    ),
    (
        "leave-connection-lost",
        Kind::Beyond,
        "payload",
        "SYN 5 0",
        "it does not wait for the profile",
    ),
    (
        "mail-invitations",
        Kind::NotSaid,
        "-",
        "SND 8",
        "since MSNP5 it says SDC, also without a text",
    ),
    ("mail-invitations", Kind::Otherwise, "-", "SDC 8", "the SDC for that"),
    (
        "mail-invitations",
        Kind::NotSaid,
        "-",
        "SND 11",
        "since MSNP5 it says SDC, also without a text",
    ),
    ("mail-invitations", Kind::Beyond, "-", "SDC 10", "the SDC for that"),
    (
        "pages",
        Kind::Otherwise,
        "-",
        "PAG 9 ",
        "it names no number: the server has the one that is set",
    ),
    ("pages", Kind::Otherwise, "-", "PAG 10 ", "as above"),
    ("pages", Kind::Otherwise, "-", "PAG 11 ", "as above"),
    ("pages", Kind::Otherwise, "-", "PAG 12 ", "as above"),
    ("ping", Kind::NotSaid, "-", "PNG", "it pings by the clock, not while it waits for an answer"),
    ("privacy-names-phones", Kind::NotSaid, "-", "PRP 17 XYZ", "there is no such property"),
    ("real-amsn-2003-msnp7", Kind::Otherwise, "bob-ns", "INF 2\\r", "aMSN has a blank at the end"),
    (
        "real-amsn-2003-msnp7",
        Kind::Otherwise,
        "alice-ns",
        "INF 2\\r",
        "aMSN has a blank at the end",
    ),
    (
        "real-escargot-msnp7",
        Kind::NotSaid,
        "alice-sb",
        "CAL 3",
        "it leaves when the only call has failed",
    ),
    ("real-escargot-msnp7", Kind::NotSaid, "alice-sb", "CAL 4", "it has left"),
    ("real-escargot-msnp7", Kind::NotSaid, "alice-sb", "CAL 5", "it has left"),
    ("real-escargot-msnp7", Kind::NotSaid, "alice-sb", "MSG 6", "it has left"),
    ("real-escargot-msnp7", Kind::NotSaid, "alice-sb", "CAL 7", "it has left"),
    ("real-escargot-msnp7", Kind::NotSaid, "alice-sb", "MSG 8", "it has left"),
    (
        "real-escargot-msnp7",
        Kind::Beyond,
        "alice2-ns",
        "SYN 5 0",
        "it asks for the lists at once; the other leaves",
    ),
    (
        "real-gaim-0.64-msnp7",
        Kind::Beyond,
        "bob-sb",
        "OUT",
        "it says goodbye where Gaim just closes",
    ),
    (
        "sign-in-refused",
        Kind::Otherwise,
        "wrong-password",
        "USR 4 MD5 S",
        "it has the right password",
    ),
    ("switchboard-acknowledgements", Kind::NotSaid, "-", "MSG 6", "it leaves when everybody has"),
    ("switchboard-acknowledgements", Kind::NotSaid, "-", "MSG 7", "it has left"),
    ("switchboard-acknowledgements", Kind::NotSaid, "-", "MSG 8", "it has left"),
    (
        "switchboard-call-refused",
        Kind::Otherwise,
        "-",
        "CAL 2 bob@example.net",
        "`@@a` is no account",
    ),
    (
        "switchboard-call-refused",
        Kind::NotSaid,
        "-",
        "CAL 3",
        "it leaves when the only call has failed",
    ),
    ("switchboard-call-refused", Kind::NotSaid, "-", "CAL 4", "it has left"),
    ("switchboard-call-refused", Kind::NotSaid, "-", "CAL 5", "it has left"),
    ("switchboard-call-refused", Kind::NotSaid, "-", "CAL 6", "it has left"),
    (
        "switchboard-called-again",
        Kind::NotSaid,
        "-",
        "CAL 3",
        "it leaves when everybody has, and calls from a new one",
    ),
    ("variant-blank-line-fatal", Kind::NotSaid, "-", "\\r\\nPNG", "it never says a blank line"),
    (
        "variant-inf-md5-ctp",
        Kind::Beyond,
        "comma",
        "SYN 5 0",
        "it asks for the lists at once; the other leaves",
    ),
    (
        "variant-inf-md5-ctp",
        Kind::Beyond,
        "blank",
        "SYN 5 0",
        "it asks for the lists at once; the other leaves",
    ),
    (
        "variant-lst-alone-unanswered",
        Kind::NotSaid,
        "-",
        "PNG",
        "it pings by the clock, not while it waits for an answer",
    ),
    ("variant-no-nak", Kind::NotSaid, "-", "MSG 2", "it says nothing while nobody is there"),
    ("variant-no-nak", Kind::NotSaid, "-", "MSG 3", "it says nothing while nobody is there"),
    ("variant-no-nak", Kind::NotSaid, "-", "MSG 4", "it says nothing while nobody is there"),
    ("variant-no-nak", Kind::Beyond, "-", "CAL 2", "a chat is always with somebody"),
    (
        "variant-silence",
        Kind::NotSaid,
        "-",
        "PNG",
        "it pings by the clock, not while it waits for an answer",
    ),
];

/// Files in which something arrives that the client reports as odd, and how often.
pub(crate) const WARNINGS: &[(&str, usize)] =
    &[("sync-lines-run-together", 2), ("variant-unknown-commands", 4)];

/// Sessions that end otherwise than by signing out.
pub(crate) const ENDS: &[&str] = &[
    "challenge-refused: Challenge",
    "challenge-unanswered: Dismissed",
    "dispatch-no-common-dialect: Violation(Version)",
    "dispatch-no-common-dialect: Violation(Version)",
    "dispatch-unavailable: Refused(601)",
    "dispatch-unavailable: HungUp { unfinished: false }",
    "leave-connection-lost: HungUp { unfinished: true }",
    "leave-connection-lost: HungUp { unfinished: true }",
    "leave-planned-shutdown: ServerDown",
    "leave-signed-in-elsewhere: ElsewhereSignedIn",
    "real-escargot-msnp7: ElsewhereSignedIn",
    "real-gaim-0.64-msnp7: HungUp { unfinished: false }",
    "real-gaim-0.64-msnp7: HungUp { unfinished: false }",
    "sign-in-refused: Password(911)",
    "sign-in-refused: Refused(910)",
    "sign-in-refused: Refused(500)",
    "sign-in-refused: Refused(923)",
    "sign-in-refused: Refused(924)",
    "sign-in-refused: Refused(600)",
    "sign-in-refused: Password(911)",
    "variant-blank-line-fatal: HungUp { unfinished: false }",
    "variant-inf-md5-ctp: Violation(Package)",
    "variant-ver-never-offered: Violation(Version)",
];
