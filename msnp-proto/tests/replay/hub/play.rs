//! Plays the clients of a dialogue at a hub.

use std::collections::{BTreeMap, BTreeSet};

use msnp_proto::hub::HubConfig;
use msnp_proto::machine::ConnId;
use msnp_proto::testing::{Chunker, Chunking, OwnedFrame, Role, What};
use msnp_proto::transcript::Side;

use super::house::{House, md5_hex};
use super::prepare::{Cast, handle};
use super::variables::Variables;
use super::wings::Wings;
use crate::stage::{Difference, Found, Kind, Script, words};

/// What came of a play.
pub(crate) struct Played {
    pub(crate) differences: Vec<Found>,
    /// What the hub said on each connection.
    pub(crate) heard: Vec<Vec<u8>>,
    /// What it was told on each.
    pub(crate) told: Vec<Vec<u8>>,
}

/// Plays a dialogue. What the clients of one connection, or of all, write is cut as asked.
pub(crate) fn play(
    script: &Script,
    differences: &[Difference],
    cut: Option<usize>,
    chunking: Chunking,
) -> Played {
    let cast = Cast::of(script);
    let password = script.transcript.header("password").unwrap_or("Pa55word");
    let mut config = HubConfig::new("192.0.2.1:1863".parse().expect("an address"));
    config.challenges = script
        .dialogues
        .iter()
        .any(|dialogue| dialogue.frames(Side::Server).any(|frame| frame.word() == b"CHL"));
    super::tables::adjust(script.name, &mut config);
    let wires = (0..script.dialogues.len()).map(|at| {
        let whole = cut.is_some_and(|cut| cut != at);
        let chunker = Chunker::new(if whole { Chunking::Whole } else { chunking });
        Wire {
            conn: None,
            chunker,
            told: Vec::new(),
            asked: String::new(),
            challenge: String::new(),
        }
    });
    let mut play = Play {
        script,
        meant: differences,
        house: House::new(config, cast.directory(password)),
        wings: Wings::new(password),
        wires: wires.collect(),
        variables: Variables::default(),
        found: Vec::new(),
    };
    play.set_the_stage();
    play.run();
    Played {
        differences: play.found,
        heard: play
            .wires
            .iter()
            .map(|wire| {
                wire.conn.map(|conn| play.house.ears[&conn].all.clone()).unwrap_or_default()
            })
            .collect(),
        told: play.wires.into_iter().map(|wire| wire.told).collect(),
    }
}

struct Play<'s> {
    script: &'s Script,
    meant: &'s [Difference],
    house: House,
    wings: Wings,
    wires: Vec<Wire>,
    variables: Variables,
    found: Vec<Found>,
}

struct Wire {
    conn: Option<ConnId>,
    chunker: Chunker,
    told: Vec<u8>,
    /// The challenge of sign-in that the file has, and the hub's.
    asked: String,
    challenge: String,
}

impl Play<'_> {
    fn account(&self, at: usize) -> String {
        self.script.dialogues[at].account.clone().unwrap_or_default()
    }

    /// Brings those online of whom the file takes that for granted.
    fn set_the_stage(&mut self) {
        let mut signs_in = BTreeSet::new();
        for dialogue in &self.script.dialogues {
            if dialogue.role != Role::Switchboard {
                signs_in.extend(dialogue.account.clone());
            }
        }
        let mut online: BTreeMap<String, String> = BTreeMap::new();
        for (at, step) in &self.script.steps {
            let What::Frame(frame) = &step.what else { continue };
            let line = words(frame.frame().line());
            let role = self.script.dialogues[*at].role;
            let (who, status) = match (line[0].as_str(), role) {
                ("ILN", _) if line[2] != "FLN" => (line[3].clone(), line[2].clone()),
                ("JOI", _) => (line[1].clone(), "NLN".into()),
                ("ANS" | "USR", Role::Switchboard) if step.side == Side::Client => {
                    (line[2].clone(), "NLN".into())
                }
                _ => continue,
            };
            if !signs_in.contains(&who) {
                online.entry(who).or_insert(status);
            }
        }
        for (who, status) in online {
            self.wings.go_online(&mut self.house, &who, &status);
        }
    }

    fn run(&mut self) {
        let script = self.script;
        for (at, step) in &script.steps {
            if let Some(time) = step.time {
                self.house.advance(time);
            }
            let at = *at;
            match (&step.what, step.side) {
                (What::Frame(frame), Side::Client) => self.theirs(at, frame),
                (What::Frame(frame), Side::Server) => self.mine(at, frame),
                (What::Close, Side::Server) => {
                    let Some(conn) = self.wires[at].conn else { continue };
                    let until = self.house.patience();
                    let gone = script.dialogues[at].steps.iter().any(|other| {
                        other.line < step.line
                            && other.side == Side::Client
                            && matches!(other.what, What::Close)
                    });
                    while !gone && !self.house.ears[&conn].closed && self.house.wait(until) {}
                    if !gone && !self.house.ears[&conn].closed {
                        self.differ(Kind::NotSaid, at, "close".into());
                    }
                }
                (What::Close, Side::Client) => {
                    if let Some(conn) = self.wires[at].conn {
                        self.house.hang_up(conn);
                    }
                }
                (What::Rest(_), _) => {}
            }
        }
        for at in 0..self.wires.len() {
            let Some(conn) = self.wires[at].conn else { continue };
            let ear = self.house.ears.get_mut(&conn).expect("it was opened");
            let rest: Vec<OwnedFrame> = ear.frames.drain(..).collect();
            for frame in rest {
                self.differ(Kind::Beyond, at, text(&frame));
            }
        }
    }

    fn differ(&mut self, kind: Kind, at: usize, text: String) {
        self.found.push((kind, self.script.conn_name(at).to_owned(), text));
    }

    fn is_meant(&self, kind: Kind, at: usize, text: &str) -> bool {
        let conn = self.script.conn_name(at);
        self.meant.iter().any(|(file, of, by, begin, _)| {
            (*file == self.script.name || *file == "*")
                && *of == kind
                && (*by == conn || *by == "*")
                && text.starts_with(begin)
        })
    }

    fn open(&mut self, at: usize) -> ConnId {
        if let Some(conn) = self.wires[at].conn {
            return conn;
        }
        let conn = self.house.connect(self.script.dialogues[at].role);
        self.wires[at].conn = Some(conn);
        conn
    }

    /// The file has a client's command.
    fn theirs(&mut self, at: usize, frame: &OwnedFrame) {
        let conn = self.open(at);
        let bytes = self.translate(at, conn, frame);
        self.wires[at].told.extend_from_slice(&bytes);
        self.house.send(conn, &bytes, &mut self.wires[at].chunker);
    }

    /// The command as it has to be said to this hub.
    fn translate(&mut self, at: usize, conn: ConnId, frame: &OwnedFrame) -> Vec<u8> {
        let mut line = words(frame.frame().line());
        let account = self.account(at);
        let role = self.script.dialogues[at].role;
        let said: Vec<String> = line.clone();
        let said: Vec<&str> = said.iter().map(String::as_str).collect();
        if role == Role::Switchboard && super::tables::BAD_COOKIES.contains(&self.script.name) {
            return frame.raw().to_vec();
        }
        match (role, said.as_slice()) {
            (Role::Notification, ["USR", _, "MD5", "S", digest]) => {
                let password = self.script.transcript.header("password").unwrap_or("Pa55word");
                let wire = &self.wires[at];
                let of_file = md5_hex([wire.asked.as_bytes(), password.as_bytes()]);
                let unknown = self.script.transcript.header("password").is_none();
                if of_file == *digest || unknown {
                    line[4] = md5_hex([wire.challenge.as_bytes(), password.as_bytes()]);
                }
            }
            (Role::Notification, ["SYN", _, version]) if *version != "0" => {
                let known = self.variables.version(&account, version);
                line[2] = known.unwrap_or_else(|| {
                    let record = self.house.hub.directory().record(&handle(&account));
                    record.map(|record| record.version.0).unwrap_or(0).to_string()
                });
            }
            (Role::Notification, ["QRY", ..]) => {
                let ear = self.house.ears.get_mut(&conn).expect("it was opened");
                let challenge = ear.challenges.pop_front();
                let challenge = challenge.map(|frame| words(frame.frame().line())[2].clone());
                let challenge = challenge.unwrap_or_default();
                let digest = md5_hex([challenge.as_bytes(), b"Q1P7W2E4J9R8U3S5"]);
                return format!("{}\r\n{digest}", line.join(" ")).into_bytes();
            }
            (Role::Switchboard, ["USR", _, who, cookie]) => {
                if self.variables.cookie(cookie).is_none() {
                    let fresh = self.wings.referral(&mut self.house, who);
                    self.variables.bind_cookie(cookie, &fresh);
                }
                line[3] = self.variables.cookie(cookie).unwrap_or_default();
            }
            (Role::Switchboard, ["ANS", _, who, cookie, session]) => {
                if self.variables.cookie(cookie).is_none() {
                    self.find_call(who, cookie, session);
                }
                line[3] = self.variables.cookie(cookie).unwrap_or_default();
                line[4] = self.variables.session(session).unwrap_or_else(|| line[4].clone());
            }
            _ => return frame.raw().to_vec(),
        }
        let end: &[u8] = if frame.raw().ends_with(b"\r\n") { b"\r\n" } else { b"\n" };
        [line.join(" ").as_bytes(), end].concat()
    }

    /// Finds the call that an answer of the file is to, or makes one.
    fn find_call(&mut self, who: &str, cookie: &str, session: &str) {
        let mut call = self.wings.call_of(&mut self.house, who);
        if call.is_none() {
            let caller =
                if who.starts_with("alice") { "bob@example.net" } else { "alice@example.net" };
            self.wings.call(&mut self.house, caller, who);
            call = self.wings.call_of(&mut self.house, who);
        }
        if let Some((hub_session, hub_cookie)) = call {
            self.variables.bind_cookie(cookie, &hub_cookie);
            self.variables.bind_session(session, &hub_session);
        }
    }

    /// The file has something that the server says.
    fn mine(&mut self, at: usize, frame: &OwnedFrame) {
        let conn = self.open(at);
        let account = self.account(at);
        let (mut caused, until) = (false, self.house.patience());
        if frame.frame().word() == b"CHL" {
            while self.house.ears[&conn].challenges.is_empty() && self.house.wait(until) {}
            if self.house.ears[&conn].challenges.is_empty() {
                self.differ(Kind::NotSaid, at, text(frame));
            }
            return;
        }
        loop {
            let front = self.house.ears[&conn].frames.front().cloned();
            if let Some(front) = front {
                let said = text(&front);
                if self.variables.unify(frame, &front, &account) {
                    self.take(at, conn, Some(frame));
                    return;
                } else if self.is_meant(Kind::Beyond, at, &said) {
                    self.take(at, conn, None);
                    self.differ(Kind::Beyond, at, said);
                    continue;
                } else if self.is_meant(Kind::NotSaid, at, &text(frame)) {
                    return self.differ(Kind::NotSaid, at, text(frame));
                }
                let same_verb = front.frame().word() == frame.frame().word();
                let same_answer = frame.answers().is_some() && front.answers() == frame.answers();
                if same_verb || same_answer || self.is_meant(Kind::Otherwise, at, &said) {
                    self.take(at, conn, Some(frame));
                    return self.differ(Kind::Otherwise, at, said);
                }
                return self.differ(Kind::NotSaid, at, text(frame));
            }
            if !caused
                && self.is_in_the_wings(frame)
                && self.wings.cause(&mut self.house, frame, &account)
            {
                caused = true;
                continue;
            }
            let by_clock = matches!(frame.frame().word(), b"OUT" | b"BYE");
            if !by_clock || !self.house.wait(until) {
                return self.differ(Kind::NotSaid, at, text(frame));
            }
        }
    }

    /// Whether nobody whom a frame names signs in in the file.
    fn is_in_the_wings(&self, frame: &OwnedFrame) -> bool {
        let line = words(frame.frame().line());
        let signs_in = |who: &&String| {
            self.script.dialogues.iter().any(|dialogue| {
                dialogue.role != Role::Switchboard && dialogue.account.as_ref() == Some(who)
            })
        };
        // In a switchboard of the file others are too.
        let seated = |who: &&String| {
            self.script.dialogues.iter().any(|dialogue| dialogue.account.as_ref() == Some(who))
        };
        let in_room = matches!(line[0].as_str(), "JOI" | "BYE" | "MSG");
        !line.iter().any(|word| if in_room { seated(&word) } else { signs_in(&word) })
    }

    /// Takes the first of what was heard.
    fn take(&mut self, at: usize, conn: ConnId, file: Option<&OwnedFrame>) {
        let ear = self.house.ears.get_mut(&conn).expect("it was opened");
        let Some(taken) = ear.frames.pop_front() else { return };
        let (taken, file) =
            (words(taken.frame().line()), file.map(|file| words(file.frame().line())));
        if let (["USR", _, "MD5", "S", challenge], Some(file)) =
            (taken.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), file)
        {
            self.wires[at].challenge = (*challenge).to_owned();
            self.wires[at].asked = file.get(4).cloned().unwrap_or_default();
        }
    }
}

fn text(frame: &OwnedFrame) -> String {
    frame.raw().escape_ascii().to_string()
}
