//! What a server chooses by itself: a file and the hub say different things for the same.

use std::collections::BTreeMap;

use msnp_proto::testing::OwnedFrame;

use crate::stage::words;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Anything: nothing hangs on it.
    Free,
    Address,
    Cookie,
    Session,
    /// The version of an account's lists.
    Version(String),
}

/// What the hub says for what the file says.
#[derive(Default)]
pub(crate) struct Variables {
    there: BTreeMap<(Kind, String), String>,
    back: BTreeMap<(Kind, String), String>,
}

/// Which words of a server's line are of its own choosing.
fn places(line: &[String], account: &str) -> Vec<(usize, Kind)> {
    let version = |at| vec![(at, Kind::Version(account.to_owned()))];
    let at = |place: usize| line.get(place).map_or("", String::as_str);
    match at(0) {
        "USR" if at(3) == "S" => vec![(4, Kind::Free)],
        "XFR" if at(2) == "SB" => vec![(3, Kind::Address), (5, Kind::Cookie)],
        "XFR" => vec![(3, Kind::Address), (5, Kind::Address)],
        "RNG" => vec![(1, Kind::Session), (2, Kind::Address), (4, Kind::Cookie)],
        "CAL" => vec![(3, Kind::Session)],
        "CVR" | "CVQ" => (2..7).map(|at| (at, Kind::Free)).collect(),
        "SYN" | "GTC" | "BLP" | "PRP" | "LSG" | "REA" | "ADG" | "RMG" | "REG" => version(2),
        "LST" | "ADD" | "REM" => version(3),
        "BPR" => version(1),
        _ => Vec::new(),
    }
}

impl Variables {
    pub(crate) fn cookie(&self, of_file: &str) -> Option<String> {
        self.there.get(&(Kind::Cookie, of_file.to_owned())).cloned()
    }

    pub(crate) fn session(&self, of_file: &str) -> Option<String> {
        self.there.get(&(Kind::Session, of_file.to_owned())).cloned()
    }

    pub(crate) fn version(&self, account: &str, of_file: &str) -> Option<String> {
        self.there.get(&(Kind::Version(account.to_owned()), of_file.to_owned())).cloned()
    }

    pub(crate) fn bind_cookie(&mut self, file: &str, hub: &str) {
        self.bind(&Kind::Cookie, file, hub);
    }

    pub(crate) fn bind_session(&mut self, file: &str, hub: &str) {
        self.bind(&Kind::Session, file, hub);
    }

    fn fits(&self, kind: &Kind, file: &str, hub: &str) -> bool {
        if *kind == Kind::Free {
            return true;
        }
        // A version that is there always is greater the later it came.
        let number = |text: &str| text.parse::<u64>().unwrap_or(0);
        let in_order = !matches!(kind, Kind::Version(_))
            || self.there.iter().filter(|((of, _), _)| of == kind).all(|((_, other), there)| {
                number(other).cmp(&number(file)) == number(there).cmp(&number(hub))
            });
        let is = |map: &BTreeMap<(Kind, String), String>, key: &str, value: &str| {
            map.get(&(kind.clone(), key.to_owned())).is_none_or(|bound| bound == value)
        };
        in_order && is(&self.there, file, hub) && is(&self.back, hub, file)
    }

    fn bind(&mut self, kind: &Kind, file: &str, hub: &str) {
        self.there.insert((kind.clone(), file.to_owned()), hub.to_owned());
        self.back.insert((kind.clone(), hub.to_owned()), file.to_owned());
    }

    /// Whether the hub's frame is the file's, and if it is, what stands for what.
    pub(crate) fn unify(&mut self, file: &OwnedFrame, hub: &OwnedFrame, account: &str) -> bool {
        let (of_file, of_hub) = (words(file.frame().line()), words(hub.frame().line()));
        if of_file.len() != of_hub.len() {
            return false;
        }
        let places = places(&of_file, account);
        let profile = is_profile(file) && is_profile(hub);
        let mut bound = Vec::new();
        for ((file, hub), at) in of_file.iter().zip(&of_hub).zip(0..) {
            match places.iter().find(|(place, _)| *place == at) {
                Some((_, kind)) if self.fits(kind, file, hub) => bound.push((kind, file, hub)),
                Some(_) => return false,
                None if file == hub || (profile && at == 3) => {}
                None => return false,
            }
        }
        if !profile && file.frame().payload() != hub.frame().payload() {
            return false;
        }
        for (kind, file, hub) in bound {
            self.bind(kind, file, hub);
        }
        true
    }
}

/// What is in a profile is a server's business.
fn is_profile(frame: &OwnedFrame) -> bool {
    let payload = frame.frame().payload().unwrap_or_default();
    memchr::memmem::find(payload, b"text/x-msmsgsprofile").is_some()
}
