//! The commands of `pipe`: one JSON object a line.
//!
//! This module knows which fields a command has and what they may hold. What is wrong is said with
//! the field; nothing is done in part.

use std::path::PathBuf;

use msnp_proto::client::payload_len;
use msnp_proto::limits::{NICK, SWITCHBOARD_PAYLOAD};
use msnp_proto::types::{Nick, Status};
use serde_json::Value;

use crate::fields::{self, Fields, Wrong, account, kind, short};
use crate::script::{Action, Whom};

/// Most people in one command.
const PEOPLE: usize = 64;

/// A command that can be done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Command {
    pub(crate) id: Option<String>,
    pub(crate) task: Task,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Task {
    /// At least one action; several for several people.
    Act(Vec<Action>),
    /// No more commands.
    Quit,
}

/// Reads a line.
pub(crate) fn read(line: &str) -> Result<Command, Wrong> {
    let (id, task) = fields::read(line, &[&KNOWN], task)?;
    Ok(Command { id, task })
}

/// What can be done.
const KNOWN: [&str; 19] = [
    "send",
    "open",
    "leave",
    "typing",
    "file",
    "accept",
    "decline",
    "status",
    "name",
    "add",
    "remove",
    "allow",
    "block",
    "rename",
    "move",
    "add-group",
    "remove-group",
    "rename-group",
    "quit",
];

fn task(request: &str, fields: &mut Fields) -> Result<Task, String> {
    let one = |action| Ok(Task::Act(vec![action]));
    match request {
        "send" => {
            let people = fields.people()?;
            let text = fields.message()?;
            let send = |to| Action::Send { to, text: text.clone() };
            Ok(Task::Act(people.into_iter().map(send).collect()))
        }
        "typing" => Ok(Task::Act(fields.people()?.into_iter().map(Action::Typing).collect())),
        "leave" => Ok(Task::Act(fields.people()?.into_iter().map(Action::Leave).collect())),
        "file" => {
            let to = fields.account("to")?;
            one(Action::File { to, path: fields.path()? })
        }
        "accept" => {
            let transfer = fields.number("transfer")?;
            let folder = if fields.has("path") { fields.path()? } else { PathBuf::from(".") };
            one(Action::Accept { transfer, folder })
        }
        "decline" => one(Action::Decline(fields.number("transfer")?)),
        "open" => one(Action::Open(fields.account("to")?)),
        "status" => one(Action::Status(fields.state()?)),
        "name" => one(Action::Name(fields.name()?)),
        "add" => {
            let who = fields.account("account")?;
            let name = fields.has("name").then(|| fields.name()).transpose()?;
            let group = fields.has("group").then(|| fields.group("group")).transpose()?;
            one(Action::Add { who, name, group })
        }
        "remove" => {
            let who = fields.account("account")?;
            let group = fields.has("group").then(|| fields.group("group")).transpose()?;
            one(Action::Remove { who, group })
        }
        "allow" => one(Action::Allow(fields.account("account")?)),
        "block" => one(Action::Block(fields.account("account")?)),
        "rename" => one(Action::Rename { who: fields.account("account")?, name: fields.name()? }),
        "move" => {
            let who = fields.account("account")?;
            let from = fields.has("from-group").then(|| fields.group("from-group")).transpose()?;
            one(Action::Move { who, from, to: fields.group("group")? })
        }
        "add-group" => one(Action::AddGroup(fields.name()?)),
        "remove-group" => one(Action::RemoveGroup(fields.group("group")?)),
        "rename-group" => {
            one(Action::RenameGroup { group: fields.group("group")?, name: fields.name()? })
        }
        "quit" => Ok(Task::Quit),
        _ => Err(fields::no_such_thing(request, &KNOWN)),
    }
}

impl Fields {
    /// `to`, one account or several, or `chat`, a number.
    fn people(&mut self) -> Result<Vec<Whom>, String> {
        match (self.has("to"), self.has("chat")) {
            (true, true) => return Err("`to` and `chat` are both there; one is enough".into()),
            (false, false) => return Err("`to` is missing, or `chat`".into()),
            (false, true) => {
                let chat = self.take("chat")?;
                let number = chat.as_u64().and_then(|number| u32::try_from(number).ok());
                let number = number.ok_or_else(|| {
                    format!("`chat` is {}; it should be the number of a chat", kind(&chat))
                })?;
                return Ok(vec![Whom::Chat(number)]);
            }
            (true, false) => {}
        }
        let names = match self.take("to")? {
            Value::String(one) => vec![one],
            Value::Array(several) => several
                .into_iter()
                .map(|one| match one {
                    Value::String(one) => Ok(one),
                    other => {
                        Err(format!("`to` has {} in it; only strings are taken", kind(&other)))
                    }
                })
                .collect::<Result<_, _>>()?,
            other => return Err(format!("`to` is {}; it should be an account", kind(&other))),
        };
        let mut people = Vec::new();
        for name in &names {
            let person = Whom::Person(account("to", name)?);
            if people.contains(&person) {
                return Err(format!("`to` names {name} twice"));
            }
            people.push(person);
        }
        match people.len() {
            1..=PEOPLE => Ok(people),
            0 => Err("`to` is empty".into()),
            many => Err(format!("`to` has {many} accounts; at most {PEOPLE} are taken")),
        }
    }

    fn message(&mut self) -> Result<String, String> {
        let text = self.text("text")?;
        if text.is_empty() {
            return Err("`text` is empty".into());
        }
        let size = payload_len(&text);
        if size > SWITCHBOARD_PAYLOAD {
            let over = size - SWITCHBOARD_PAYLOAD;
            return Err(format!(
                "`text` makes a message of {size} bytes with its header, {over} more than the \
                 {SWITCHBOARD_PAYLOAD} that servers take"
            ));
        }
        Ok(text)
    }

    fn path(&mut self) -> Result<PathBuf, String> {
        let path = self.text("path")?;
        match path.find('\0') {
            _ if path.is_empty() => Err("`path` is empty".into()),
            Some(at) => Err(format!("`path` has a character of value 0 at byte {at}")),
            None => Ok(PathBuf::from(path)),
        }
    }

    fn state(&mut self) -> Result<Status, String> {
        let state = self.text("state")?;
        let known = Status::from_word(state.to_ascii_uppercase().as_bytes());
        known.filter(|status| *status != Status::Offline).ok_or_else(|| {
            let state = short(&state);
            format!("`state` is {state:?}; it can be NLN, BSY, IDL, BRB, AWY, PHN, LUN, HDN")
        })
    }

    fn name(&mut self) -> Result<Nick, String> {
        Nick::new(&self.text("name")?).ok_or_else(|| {
            format!("`name` is empty or takes more than {NICK} bytes on the network")
        })
    }

    fn group(&mut self, name: &str) -> Result<String, String> {
        let group = self.text(name)?;
        if group.is_empty() { Err(format!("`{name}` is empty")) } else { Ok(group) }
    }
}

#[cfg(test)]
mod tests {
    use msnp_proto::types::Handle;

    use super::*;

    fn bob() -> Handle {
        Handle::new("bob@x.y").expect("an account")
    }

    fn nick(text: &str) -> Nick {
        Nick::new(text).expect("a name")
    }

    #[test]
    fn every_command_in_every_form() {
        let person = || Whom::Person(bob());
        let carol = Whom::Person(Handle::new("carol@x.y").expect("an account"));
        let send = |to| Action::Send { to, text: "hi".into() };
        let group = || Some("G".to_owned());
        let rows = [
            (r#"{"do":"send","to":"bob@x.y","text":"hi"}"#, vec![send(person())]),
            (
                r#"{"do":"send","to":["bob@x.y","carol@x.y"],"text":"hi"}"#,
                vec![send(person()), send(carol)],
            ),
            (r#" {"text":"h\u0069","chat":7,"do":"send"} "#, vec![send(Whom::Chat(7))]),
            (r#"{"do":"open","to":"bob@x.y"}"#, vec![Action::Open(bob())]),
            (r#"{"do":"leave","to":"bob@x.y"}"#, vec![Action::Leave(person())]),
            (r#"{"do":"leave","chat":0}"#, vec![Action::Leave(Whom::Chat(0))]),
            (r#"{"do":"typing","to":"bob@x.y"}"#, vec![Action::Typing(person())]),
            (
                r#"{"do":"file","to":"bob@x.y","path":"./a b"}"#,
                vec![Action::File { to: bob(), path: "./a b".into() }],
            ),
            (
                r#"{"do":"accept","transfer":1}"#,
                vec![Action::Accept { transfer: 1, folder: ".".into() }],
            ),
            (
                r#"{"do":"accept","transfer":2,"path":"/x"}"#,
                vec![Action::Accept { transfer: 2, folder: "/x".into() }],
            ),
            (r#"{"do":"decline","transfer":4294967295}"#, vec![Action::Decline(u32::MAX)]),
            (r#"{"do":"status","state":"BSY"}"#, vec![Action::Status(Status::Busy)]),
            (r#"{"do":"name","name":"Me"}"#, vec![Action::Name(nick("Me"))]),
            (
                r#"{"do":"add","account":"bob@x.y"}"#,
                vec![Action::Add { who: bob(), name: None, group: None }],
            ),
            (
                r#"{"do":"add","account":"bob@x.y","name":"B","group":"G"}"#,
                vec![Action::Add { who: bob(), name: Some(nick("B")), group: group() }],
            ),
            (
                r#"{"do":"remove","account":"bob@x.y","group":"G"}"#,
                vec![Action::Remove { who: bob(), group: group() }],
            ),
            (r#"{"do":"allow","account":"bob@x.y"}"#, vec![Action::Allow(bob())]),
            (r#"{"do":"block","account":"bob@x.y"}"#, vec![Action::Block(bob())]),
            (
                r#"{"do":"rename","account":"bob@x.y","name":"B"}"#,
                vec![Action::Rename { who: bob(), name: nick("B") }],
            ),
            (
                r#"{"do":"move","account":"bob@x.y","from-group":"G","group":"H"}"#,
                vec![Action::Move { who: bob(), from: group(), to: "H".into() }],
            ),
            (r#"{"do":"add-group","name":"G"}"#, vec![Action::AddGroup(nick("G"))]),
            (r#"{"do":"remove-group","group":"G"}"#, vec![Action::RemoveGroup("G".into())]),
            (
                r#"{"do":"rename-group","group":"G","name":"H"}"#,
                vec![Action::RenameGroup { group: "G".into(), name: nick("H") }],
            ),
        ];
        for (line, actions) in rows {
            let expected = Ok(Command { id: None, task: Task::Act(actions) });
            assert_eq!(read(line), expected, "{line}");
        }
        let quit = Command { id: Some("q".into()), task: Task::Quit };
        assert_eq!(read(r#"{"id":"q","do":"quit"}"#), Ok(quit));
    }

    #[test]
    fn what_is_wrong_is_said_with_the_field() {
        let long = format!(r#"{{"do":"send","to":"bob@x.y","text":"{}"}}"#, "x".repeat(1665));
        let id = format!(r#"{{"id":"{}","do":"quit"}}"#, "x".repeat(257));
        let rows = [
            ("", None, "command", "not JSON: EOF while parsing a value"),
            ("hello", None, "command", "not JSON: expected value at column 1"),
            (r#"{"do":"quit"} x"#, None, "command", "not JSON: trailing characters at column 15"),
            (r#"{"do":"send","text":"\ud800"}"#, None, "command", "not JSON: "),
            ("[]", None, "command", "a list; it should be an object"),
            (r#""quit""#, None, "command", "a string; it should be an object"),
            (
                r#"{"id":7,"do":"quit"}"#,
                Some("7"),
                "command",
                "`id` is a number; it should be a string",
            ),
            (r#"{"id":"","do":"quit"}"#, None, "command", "`id` is empty"),
            (&id, None, "command", "`id` has 257 bytes; at most 256"),
            (r#"{"id":"1"}"#, Some("1"), "command", "`do` is missing"),
            (
                r#"{"id":"1","do":null}"#,
                Some("1"),
                "command",
                "`do` is null; it should be a string",
            ),
            (
                r#"{"id":"1","do":"sned"}"#,
                Some("1"),
                "command",
                "`do` is \"sned\"; it can be send, open",
            ),
            (r#"{"id":"1","do":"quit","x":1}"#, Some("1"), "quit", "there is no field \"x\" here"),
            (r#"{"id":"1","do":"send"}"#, Some("1"), "send", "`to` is missing, or `chat`"),
            (r#"{"do":"send","to":"bob@x.y"}"#, None, "send", "`text` is missing"),
            (r#"{"do":"send","to":"bob@x.y","text":""}"#, None, "send", "`text` is empty"),
            (r#"{"do":"send","to":"bob@x.y","text":5}"#, None, "send", "`text` is a number"),
            (&long, None, "send", "`text` makes a message of "),
            (
                r#"{"do":"send","to":"bob","text":"x"}"#,
                None,
                "send",
                "`to` is \"bob\"; an account has",
            ),
            (r#"{"do":"send","to":[],"text":"x"}"#, None, "send", "`to` is empty"),
            (r#"{"do":"send","to":[1],"text":"x"}"#, None, "send", "`to` has a number in it"),
            (
                r#"{"do":"send","to":["b@x.y","B@x.y"],"text":"x"}"#,
                None,
                "send",
                "`to` names B@x.y twice",
            ),
            (
                r#"{"do":"send","to":"b@x.y","chat":1,"text":"x"}"#,
                None,
                "send",
                "`to` and `chat` are both",
            ),
            (
                r#"{"do":"send","chat":-1,"text":"x"}"#,
                None,
                "send",
                "`chat` is a number; it should be",
            ),
            (r#"{"do":"send","chat":4294967296,"text":"x"}"#, None, "send", "`chat` is a number"),
            (
                r#"{"do":"open","to":["b@x.y"]}"#,
                None,
                "open",
                "`to` is a list; it should be a string",
            ),
            (
                r#"{"do":"status","state":"FLN"}"#,
                None,
                "status",
                "`state` is \"FLN\"; it can be NLN",
            ),
            (r#"{"do":"name","name":""}"#, None, "name", "`name` is empty or takes more than 387"),
            (r#"{"do":"add","account":"b@x.y","group":""}"#, None, "add", "`group` is empty"),
            (r#"{"do":"move","account":"b@x.y"}"#, None, "move", "`group` is missing"),
            (r#"{"id":"1","do":"file","to":"b@x.y"}"#, Some("1"), "file", "`path` is missing"),
            (r#"{"do":"file","to":["b@x.y"],"path":"x"}"#, None, "file", "`to` is a list"),
            (r#"{"do":"file","to":"b@x.y","path":""}"#, None, "file", "`path` is empty"),
            (r#"{"do":"file","to":"b@x.y","path":"a\u0000"}"#, None, "file", "`path` has a char"),
            (r#"{"do":"accept"}"#, None, "accept", "`transfer` is missing"),
            (r#"{"do":"accept","transfer":"1"}"#, None, "accept", "`transfer` is a string"),
            (r#"{"do":"accept","transfer":1,"path":7}"#, None, "accept", "`path` is a number"),
            (r#"{"do":"decline","transfer":-1}"#, None, "decline", "`transfer` is -1"),
            (r#"{"do":"decline","transfer":1,"path":"x"}"#, None, "decline", "there is no field"),
        ];
        for (line, id, request, reason) in rows {
            let wrong = read(line).expect_err(line);
            assert_eq!((wrong.id.as_deref(), wrong.request.as_str()), (id, request), "{line}");
            assert!(wrong.reason.starts_with(reason), "{line}: {}", wrong.reason);
        }
        let long = format!(r#"{{"do":"{0}","{0}":1}}"#, "x".repeat(60_000));
        assert!(read(&long).expect_err("unknown").reason.len() < 500);
        let deep = "[".repeat(100_000);
        assert!(read(&deep).expect_err("too deep").reason.starts_with("not JSON: recursion limit"));
    }
}
