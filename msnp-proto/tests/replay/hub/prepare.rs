//! The accounts and lists that a file takes for granted, read from what its servers say.

use std::collections::{BTreeMap, BTreeSet};

use msnp_proto::hub::{Contact, Edit, MemoryDirectory};
use msnp_proto::testing::What;
use msnp_proto::transcript::Side;
use msnp_proto::types::{GroupId, Handle, List, Name, Nick, Privacy, Prompt, Property};

use crate::stage::{Script, words};

pub(crate) fn handle(text: &str) -> Handle {
    Handle::new(text).unwrap_or_else(|| panic!("{text} is no account"))
}

/// A name as it stands on a line.
pub(crate) fn nick(word: &str) -> Nick {
    let mut line = b"NLN NLN x@y ".to_vec();
    line.extend_from_slice(word.as_bytes());
    let frame = msnp_proto::wire::Frame::new(&line, None);
    match msnp_proto::ns::Reply::parse(frame) {
        Ok(msnp_proto::wire::Parsed::Command(
            msnp_proto::ns::Reply::Nln { name: Some(name), .. },
            _,
        )) => name.to_nick(),
        _ => panic!("{word} is no name"),
    }
}

fn text(word: &str) -> Box<str> {
    nick(word).as_str().into()
}

/// Everything that a file tells of its people.
#[derive(Default)]
pub(crate) struct Cast {
    pub(crate) accounts: BTreeSet<String>,
    names: BTreeMap<String, String>,
    /// The lines of the first dump for each account.
    dumps: BTreeMap<String, Vec<Vec<String>>>,
    /// Who was shown to whom at sign-in.
    shown: BTreeSet<(String, String)>,
    /// Who puts people on lists.
    adding: BTreeSet<String>,
}

impl Cast {
    pub(crate) fn of(script: &Script) -> Self {
        let mut cast = Self::default();
        let mut refused = BTreeSet::new();
        let mut dumping: BTreeMap<usize, String> = BTreeMap::new();
        for (conn, step) in &script.steps {
            let What::Frame(frame) = &step.what else { continue };
            let line = words(frame.frame().line());
            let owner = script.dialogues[*conn].account.clone().unwrap_or_default();
            let at = |place: usize| line.get(place).map_or("", String::as_str);
            match (step.side, at(0)) {
                (Side::Server, "USR") if at(2) == "OK" && line.len() > 4 => cast.meet(at(3), at(4)),
                (Side::Server, "ILN") => {
                    cast.meet(at(3), at(4));
                    cast.shown.insert((owner.clone(), at(3).into()));
                }
                (Side::Server, "NLN") if line.len() > 3 => cast.meet(at(2), at(3)),
                (Side::Server, "RNG") => cast.meet(at(5), at(6)),
                (Side::Server, "IRO") => cast.meet(at(4), at(5)),
                (Side::Server, "JOI") => cast.meet(at(1), at(2)),
                (Side::Server, "ADD") if at(2) == "RL" => cast.meet(at(4), at(5)),
                (Side::Server, "ADD") => drop(cast.accounts.insert(at(4).into())),
                (Side::Server, "LST") if line.len() > 6 => drop(cast.accounts.insert(at(6).into())),
                (Side::Server, "MSG") if at(1) != "Hotmail" => cast.meet(at(1), at(2)),
                (Side::Server, "911" | "205") => drop(refused.insert(owner.clone())),
                (Side::Client, "ADD") => {
                    cast.adding.insert(owner.clone());
                    let number = at(1).to_owned();
                    let answer = script.steps.iter().find_map(|(other, step)| match &step.what {
                        What::Frame(frame) if other == conn && step.side == Side::Server => {
                            let words = words(frame.frame().line());
                            (words.get(1) == Some(&number)).then(|| words[0].clone())
                        }
                        _ => None,
                    });
                    if !matches!(answer.as_deref(), Some("201" | "205") | None) {
                        cast.accounts.insert(at(3).into());
                    }
                }
                _ => {}
            }
            let number = at(1).to_owned();
            if (step.side, at(0)) == (Side::Server, "SYN") && !cast.dumps.contains_key(&owner) {
                cast.dumps.insert(owner.clone(), Vec::new());
                dumping.insert(*conn, number.clone());
            }
            let asks = script.dialogues.iter().any(|dialogue| {
                let mut frames = dialogue.frames(Side::Server);
                frames.any(|frame| frame.word() == b"SYN")
            });
            if step.side == Side::Server && !asks && at(0) == "LST" {
                cast.dumps.entry(owner.clone()).or_default().push(line.clone());
            }
            let of_dump = matches!(at(0), "GTC" | "BLP" | "PRP" | "LSG" | "LST");
            if step.side == Side::Server
                && dumping
                    .get(conn)
                    .is_some_and(|dump| (of_dump && *dump == number) || at(0) == "BPR")
            {
                let ended = at(0) == "LST" && at(2) == "RL" && at(4) == at(5);
                if let Some(lines) = cast.dumps.get_mut(&owner) {
                    lines.push(line.clone());
                }
                if ended {
                    dumping.remove(conn);
                }
            }
        }
        for dialogue in &script.dialogues {
            let account = dialogue.account.clone().unwrap_or_default();
            if account.contains('@') && !account.starts_with("nobody") {
                cast.accounts.insert(account);
            }
        }
        // Those who call where a file does not say who does.
        cast.accounts.extend(["alice@example.net", "bob@example.net"].map(String::from));
        cast
    }

    fn meet(&mut self, account: &str, name: &str) {
        self.accounts.insert(account.to_owned());
        if !name.is_empty() {
            self.names.entry(account.to_owned()).or_insert_with(|| name.to_owned());
        }
    }

    /// Who is on a list of an account, with name and groups as the dump has them.
    fn on(&self, account: &str, list: &str) -> Vec<(String, String, String)> {
        let lines = self.dumps.get(account).into_iter().flatten();
        let lines = lines.filter(|line| line[0] == "LST" && line[2] == list && line.len() > 6);
        let word = |line: &Vec<String>, at: usize| line.get(at).cloned().unwrap_or_default();
        lines.map(|line| (word(line, 6), word(line, 7), word(line, 8))).collect()
    }

    fn adds(&self, account: &str) -> bool {
        self.adding.contains(account)
    }

    /// A directory with all of them.
    pub(crate) fn directory(&self, password: &str) -> MemoryDirectory {
        let mut directory = MemoryDirectory::new();
        for account in &self.accounts {
            directory = directory.account(handle(account), password);
            if let Some(name) = self.names.get(account) {
                directory = directory.name(&handle(account), nick(name));
            }
        }
        let mut entries: BTreeMap<(String, String), Contact> = BTreeMap::new();
        for account in self.dumps.keys() {
            for list in List::ALL.iter().copied() {
                for (who, name, groups) in self.on(account, list.as_str()) {
                    let entry = entry(&mut entries, account, &who);
                    entry.lists = entry.lists.with(list);
                    if !name.is_empty() {
                        entry.name = nick(&name);
                    }
                    for group in groups.split(',').filter_map(|group| group.parse().ok()) {
                        entry.groups = entry.groups.with(GroupId(group));
                    }
                    let mirror = match list {
                        List::Forward => List::Reverse,
                        List::Reverse => List::Forward,
                        List::Allow | List::Block => continue,
                    };
                    if !self.dumps.contains_key(&who) {
                        let entry = self::entry(&mut entries, &who, account);
                        entry.lists = entry.lists.with(mirror);
                    }
                }
            }
            self.settings(account, &mut directory);
        }
        for (viewer, who) in &self.shown {
            // Where the file has no lists, who is shown is on them.
            if self.on(viewer, "FL").is_empty() && !self.adds(viewer) {
                let forward = entry(&mut entries, viewer, who);
                forward.lists = forward.lists.with(List::Forward);
                let reverse = entry(&mut entries, who, viewer);
                reverse.lists = reverse.lists.with(List::Reverse);
            }
        }
        for ((account, _), contact) in entries {
            let account = handle(&account);
            if contact.lists.has(List::Reverse) {
                let reversed = Edit::Reversed(contact.handle.clone(), contact.name.clone());
                directory.edit(&account, &reversed);
            }
            directory.edit(&account, &Edit::Contact(contact));
        }
        directory
    }

    fn settings(&self, account: &str, directory: &mut MemoryDirectory) {
        let own = handle(account);
        let mut last = String::new();
        for line in &self.dumps[account] {
            let at = |place: usize| line.get(place).map_or("", String::as_str);
            match at(0) {
                "GTC" => {
                    let prompt = Prompt::from_word(at(3).as_bytes()).expect("a setting");
                    directory.edit(&own, &Edit::Prompt(prompt));
                }
                "BLP" => {
                    let privacy = Privacy::from_word(at(3).as_bytes()).expect("a setting");
                    directory.edit(&own, &Edit::Privacy(privacy));
                }
                "LSG" => {
                    let id = GroupId(at(5).parse().expect("a group"));
                    directory.edit(&own, &Edit::Group(id, Some(nick(at(6)))));
                }
                "PRP" if at(2).parse::<u32>().is_ok() => {
                    if let Some(property) = Property::from_word(at(3).as_bytes()) {
                        let value = line.get(4).map(|value| text(value));
                        directory.edit(&own, &Edit::Property(property, value));
                    }
                }
                "LST" => at(6).clone_into(&mut last),
                "BPR" => {
                    let bare = !at(2).contains('@');
                    let (who, key, value) = if bare { (&*last, 2, 3) } else { (at(2), 3, 4) };
                    let property = Property::from_word(at(key).as_bytes());
                    // Who has a dump says this better.
                    if let Some(property) = property.filter(|_| !self.dumps.contains_key(who)) {
                        let value = line.get(value).map(|value| text(value));
                        directory.edit(&handle(who), &Edit::Property(property, value));
                    }
                }
                _ => {}
            }
        }
    }
}

fn entry<'e>(
    entries: &'e mut BTreeMap<(String, String), Contact>,
    account: &str,
    who: &str,
) -> &'e mut Contact {
    let key = (account.to_owned(), who.to_owned());
    entries.entry(key).or_insert_with(|| Contact::new(handle(who)))
}

/// A name in the coding of a line.
pub(crate) fn word(name: &Nick) -> String {
    let mut out = Vec::new();
    let account = handle("x@y.z");
    msnp_proto::ns::Reply::Nln {
        status: msnp_proto::types::Status::Online.into(),
        account: (&account).into(),
        name: Some(Name::from(name)),
    }
    .encode(&mut out);
    words(out.trim_ascii_end()).pop().unwrap_or_default()
}
