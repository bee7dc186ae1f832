//! Every state that a connection can be in, and how each request is answered there.

use msnp_proto::hub::Role;
use msnp_proto::machine::ConnId;

use crate::hub_support::{World, config, three};
use crate::rows::{Row, TALK};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
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
    pub(crate) const ALL: [Self; 11] = [
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

    pub(crate) const fn is_switchboard(self) -> bool {
        matches!(self, Self::Knocking | Self::Seated)
    }

    pub(crate) const fn is_signed_in(self) -> bool {
        matches!(self, Self::SignedIn | Self::Online | Self::Hidden)
    }

    /// A world with a connection in this state.
    pub(crate) fn enter(self) -> (World, ConnId) {
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
    pub(crate) fn expected(self, row: &Row) -> (&str, bool) {
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
