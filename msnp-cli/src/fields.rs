//! Lines that say what to do, each one JSON object: its name, what is to be done, and fields.
//!
//! This module knows objects and their fields. It does not know what can be done: it is for whoever
//! takes such lines. What is wrong is said with the field.

use msnp_proto::types::Handle;
use serde_json::{Map, Value};

/// Longest name of a command: it comes back in every event.
const ID: usize = 256;

/// A line that says nothing that can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// The name of the command, if that could be read.
    pub(crate) id: Option<String>,
    /// What it wanted to do, if that could be read.
    pub(crate) request: String,
    pub(crate) reason: String,
}

/// Reads a line: the name of the command, and what `task` makes of its `do` and its fields. The
/// `known` are those whose names may be said in an error.
pub(crate) fn read<T>(
    line: &str,
    known: &[&[&str]],
    task: impl FnOnce(&str, &mut Fields) -> Result<T, String>,
) -> Result<(Option<String>, T), Wrong> {
    let wrong = |reason| Wrong { id: None, request: "command".into(), reason };
    let object = match serde_json::from_str(line) {
        Ok(Value::Object(object)) => object,
        Ok(other) => return Err(wrong(format!("{}; it should be an object", kind(&other)))),
        Err(error) => {
            // The line that the reader names is always the first.
            let text = error.to_string().replace(" at line 1 column ", " at column ");
            return Err(wrong(format!("not JSON: {text}")));
        }
    };
    let mut fields = Fields(object);
    let id = fields.id().map_err(|(id, reason)| Wrong { id, ..wrong(reason) })?;
    let wrong =
        |request: &str, reason| Wrong { id: id.clone(), request: request.to_owned(), reason };
    let request = fields.text("do").map_err(|reason| wrong("command", reason))?;
    let is_known = known.iter().any(|names| names.contains(&request.as_str()));
    let task = task(&request, &mut fields)
        .and_then(|task| fields.end().map(|()| task))
        .map_err(|reason| wrong(if is_known { &request } else { "command" }, reason))?;
    Ok((id, task))
}

/// What to say of a `do` that is none of the known ones.
pub(crate) fn no_such_thing(request: &str, known: &[&str]) -> String {
    format!("`do` is {:?}; it can be {}", short(request), known.join(", "))
}

/// The fields of a command that have not been taken.
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn take(&mut self, name: &str) -> Result<Value, String> {
        self.0.remove(name).ok_or_else(|| format!("`{name}` is missing"))
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<String, String> {
        match self.take(name)? {
            Value::String(text) => Ok(text),
            other => Err(format!("`{name}` is {}; it should be a string", kind(&other))),
        }
    }

    /// A text that is one line.
    pub(crate) fn line(&mut self, name: &str) -> Result<String, String> {
        let text = self.text(name)?;
        match text.contains(char::is_control) {
            true => Err(format!("`{name}` has a control character in it")),
            false => Ok(text),
        }
    }

    pub(crate) fn account(&mut self, name: &str) -> Result<Handle, String> {
        account(name, &self.text(name)?)
    }

    /// A whole number up to 4,294,967,295.
    pub(crate) fn number(&mut self, name: &str) -> Result<u32, String> {
        self.number_up_to(name, u32::MAX)
    }

    /// A whole number that is not greater than `most`.
    pub(crate) fn number_up_to(&mut self, name: &str, most: u32) -> Result<u32, String> {
        let value = self.take(name)?;
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        number.filter(|number| *number <= most).ok_or_else(|| match value {
            Value::Number(number) => {
                format!("`{name}` is {number}; it should be a whole number up to {most}")
            }
            other => format!("`{name}` is {}; it should be a number", kind(&other)),
        })
    }

    /// As [`Fields::line`], with a value for a field that is not there.
    pub(crate) fn line_or(&mut self, name: &str, missing: &str) -> Result<String, String> {
        if self.has(name) { self.line(name) } else { Ok(missing.to_owned()) }
    }

    /// As [`Fields::number`], with a value for a field that is not there.
    pub(crate) fn number_or(&mut self, name: &str, missing: u32) -> Result<u32, String> {
        if self.has(name) { self.number(name) } else { Ok(missing) }
    }

    /// The name of the command. One that is a number is refused under that number.
    fn id(&mut self) -> Result<Option<String>, (Option<String>, String)> {
        let id = match self.0.get("id") {
            None => return Ok(None),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(_) => None,
        };
        let id = self.text("id").map_err(|reason| (id, reason))?;
        match id.len() {
            1..=ID => Ok(Some(id)),
            0 => Err((None, "`id` is empty".into())),
            size => Err((None, format!("`id` has {size} bytes; at most {ID} are taken"))),
        }
    }

    /// Nothing may be left: a word that is spelled wrongly is not to be passed over.
    fn end(&self) -> Result<(), String> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(format!("there is no field {:?} here", short(name))),
        }
    }
}

pub(crate) fn account(field: &str, text: &str) -> Result<Handle, String> {
    Handle::new(text).ok_or_else(|| {
        format!("`{field}` is {:?}; an account has the form name@domain, in ASCII", short(text))
    })
}

/// The beginning of a text that may have any length.
pub(crate) fn short(text: &str) -> &str {
    text.char_indices().nth(64).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
