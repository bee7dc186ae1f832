//! People who have no connection in a file and of whom it tells all the same: they do what the file
//! says of them.

use std::collections::BTreeMap;

use msnp_proto::machine::ConnId;
use msnp_proto::testing::{Chunker, Chunking, OwnedFrame, Role};

use super::house::{House, md5_hex};
use super::prepare::{handle, word};
use crate::stage::words;

/// Those in the wings.
pub(crate) struct Wings {
    password: String,
    people: BTreeMap<String, Person>,
}

struct Person {
    ns: ConnId,
    /// Their switchboards, the newest last.
    rooms: Vec<ConnId>,
    /// Calls that they have not answered: session and cookie.
    calls: Vec<(String, String)>,
    number: u32,
    online: bool,
}

impl Wings {
    pub(crate) fn new(password: &str) -> Self {
        Self { password: password.to_owned(), people: BTreeMap::new() }
    }

    pub(crate) fn has(&self, who: &str) -> bool {
        self.people.contains_key(who)
    }

    /// Signs somebody in, without a status.
    fn enter(&mut self, house: &mut House, who: &str) {
        if self.has(who) {
            return;
        }
        let ns = house.connect(Role::Notification);
        house.ask(ns, "VER 1 MSNP5");
        let answer = house.ask(ns, &format!("USR 2 MD5 I {who}"));
        let challenge = answer[0][4].clone();
        let digest = md5_hex([challenge.as_bytes(), self.password.as_bytes()]);
        let answer = house.ask(ns, &format!("USR 3 MD5 S {digest}"));
        assert!(answer[0].len() > 2, "{who} signs in: {answer:?}");
        let person = Person { ns, rooms: Vec::new(), calls: Vec::new(), number: 10, online: false };
        self.people.insert(who.to_owned(), person);
    }

    /// Says a command with a fresh number behind its verb.
    fn say(&mut self, house: &mut House, who: &str, verb: &str, rest: &str) -> Vec<Vec<String>> {
        let person = self.people.get_mut(who).expect("in the wings");
        person.number += 1;
        self.hear(house);
        let person = &self.people[who];
        let answer = house.ask(person.ns, &format!("{verb} {} {rest}", person.number));
        self.note(who, &answer);
        answer
    }

    /// Takes what the people in the wings have heard: calls are kept.
    fn hear(&mut self, house: &mut House) {
        let names: Vec<String> = self.people.keys().cloned().collect();
        for who in names {
            let heard = house.heard(self.people[&who].ns);
            self.note(&who, &heard);
            for room in &self.people[&who].rooms {
                house.heard(*room);
            }
        }
    }

    fn note(&mut self, who: &str, heard: &[Vec<String>]) {
        let calls = heard.iter().filter(|line| line[0] == "RNG");
        let calls = calls.map(|line| (line[1].clone(), line[4].clone()));
        if let Some(person) = self.people.get_mut(who) {
            person.calls.extend(calls);
        }
    }

    pub(crate) fn go_online(&mut self, house: &mut House, who: &str, status: &str) {
        self.enter(house, who);
        self.say(house, who, "CHG", status);
        if let Some(person) = self.people.get_mut(who) {
            person.online = true;
        }
    }

    /// A cookie for a new switchboard.
    pub(crate) fn referral(&mut self, house: &mut House, who: &str) -> String {
        if !self.people.get(who).is_some_and(|person| person.online) {
            self.go_online(house, who, "NLN");
        }
        let answer = self.say(house, who, "XFR", "SB");
        answer[0].get(5).cloned().unwrap_or_default()
    }

    /// The oldest call that somebody has not answered.
    pub(crate) fn call_of(&mut self, house: &mut House, who: &str) -> Option<(String, String)> {
        self.hear(house);
        let calls = &mut self.people.get_mut(who)?.calls;
        (!calls.is_empty()).then(|| calls.remove(0))
    }

    /// Opens a switchboard and calls somebody in.
    pub(crate) fn call(&mut self, house: &mut House, caller: &str, callee: &str) {
        let cookie = self.referral(house, caller);
        let room = house.connect(Role::Switchboard);
        house.ask(room, &format!("USR 1 {caller} {cookie}"));
        house.ask(room, &format!("CAL 2 {callee}"));
        if let Some(person) = self.people.get_mut(caller) {
            person.rooms.push(room);
        }
    }

    pub(crate) fn leave_room(&mut self, house: &mut House, who: &str) -> bool {
        let room = self.people.get_mut(who).and_then(|person| person.rooms.pop());
        room.map(|room| house.ask(room, "OUT")).is_some()
    }

    /// Makes happen what the file tells on a connection of `viewer`; `false` if nobody here can.
    pub(crate) fn cause(&mut self, house: &mut House, frame: &OwnedFrame, viewer: &str) -> bool {
        let line = words(frame.frame().line());
        let at = |place: usize| line.get(place).map_or("", String::as_str);
        let known = |house: &House, who: &str| {
            who.contains('@') && house.hub.directory().record(&handle(who)).is_some()
        };
        match at(0) {
            "NLN" if known(house, at(2)) => {
                let (who, name) = (at(2).to_owned(), at(3).to_owned());
                self.enter(house, &who);
                let own = house.hub.directory().record(&handle(&who)).map(|own| word(&own.name));
                if own.is_some_and(|own| own != name) {
                    self.say(house, &who, "REA", &format!("{who} {name}"));
                }
                self.go_online(house, &who, at(1));
            }
            "FLN" if self.has(at(1)) => {
                let person = self.people.remove(at(1)).expect("checked");
                house.ask(person.ns, "OUT");
            }
            "ADD" if at(1) == "0" && at(2) == "RL" && known(house, at(4)) => {
                self.enter(house, at(4));
                self.say(house, at(4), "ADD", &format!("FL {viewer} {viewer}"));
            }
            "REM" if at(1) == "0" && at(2) == "RL" && known(house, at(4)) => {
                self.enter(house, at(4));
                self.say(house, at(4), "REM", &format!("FL {viewer}"));
            }
            "BPR" if known(house, at(2)) => {
                self.enter(house, at(2));
                let value = line.get(4).map(|value| format!(" {value}")).unwrap_or_default();
                self.say(house, at(2), "PRP", &format!("{}{value}", at(3)));
            }
            "OUT" if at(1) == "SSD" => {
                house.hub.shut_down(house.now);
                house.turn();
            }
            "RNG" if known(house, at(5)) => self.call(house, at(5), viewer),
            "JOI" => {
                let Some((session, cookie)) = self.call_of(house, at(1)) else { return false };
                let room = house.connect(Role::Switchboard);
                house.ask(room, &format!("ANS 1 {} {cookie} {session}", at(1)));
                self.people.get_mut(at(1)).expect("called").rooms.push(room);
            }
            "BYE" if at(2).is_empty() => return self.leave_room(house, at(1)),
            "MSG" => {
                let rooms = self.people.get(at(1)).map(|person| person.rooms.clone());
                let Some(room) = rooms.and_then(|rooms| rooms.last().copied()) else {
                    return false;
                };
                let payload = frame.frame().payload().unwrap_or_default();
                let mut bytes = format!("MSG 9 N {}\r\n", payload.len()).into_bytes();
                bytes.extend_from_slice(payload);
                house.send(room, &bytes, &mut Chunker::new(Chunking::Whole));
                house.heard(room);
            }
            _ => return false,
        }
        true
    }
}
