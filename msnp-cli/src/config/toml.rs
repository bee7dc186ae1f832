//! TOML as keys and values of any kind, in order, and the lines on which keys stand.
//!
//! The reader of TOML gives neither a type for any value nor lines of keys. This module knows
//! nothing of what the keys mean.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A table with its keys in order.
pub(super) struct Table(pub(super) Vec<(String, Value)>);

pub(super) enum Value {
    /// A string, a number or a truth value, as text.
    Scalar(String),
    /// Keys and values.
    Table(Table),
    /// A list or a date.
    Other,
}

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rows;
        impl<'de> Visitor<'de> for Rows {
            type Value = Table;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("keys and values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Table, A::Error> {
                let mut rows = Vec::new();
                while let Some(row) = map.next_entry()? {
                    rows.push(row);
                }
                Ok(Table(rows))
            }
        }
        deserializer.deserialize_map(Rows)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Scalar(text.to_owned()))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
                Ok(Value::Scalar(value.to_string()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(Value::Scalar(value.to_string()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
                Ok(Value::Scalar(value.to_string()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
                while seq.next_element::<Value>()?.is_some() {}
                Ok(Value::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
                let table = Table::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(Value::Table(table))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// Reads TOML whose tables and lists are not nested deeper than anybody would write them: the reader
/// goes down with each level, and would run out of stack.
pub(crate) fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    if depth(text) > DEPTH {
        return Err(format!("lists and tables are nested more than {DEPTH} deep"));
    }
    basic_toml::from_str(text).map_err(|error| error.to_string())
}

/// Most levels.
const DEPTH: usize = 32;

/// How deep brackets are nested outside of strings and comments.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'#' => {
                let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                rest = rest.get(end..).unwrap_or_default();
            }
            quote @ (b'"' | b'\'') => rest = behind_string(*quote, rest),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// What follows a string whose first quotation mark has been read. One that is not closed ends with
/// its line, as for the reader, or with the text.
fn behind_string(quote: u8, rest: &[u8]) -> &[u8] {
    let long = [quote; 2];
    let (mut rest, end): (_, &[u8]) = match rest.strip_prefix(&long) {
        Some(rest) => (rest, &[quote; 3]),
        None => (rest, &[quote]),
    };
    loop {
        rest = match rest {
            [] => return rest,
            _ if rest.starts_with(end) => return rest.get(end.len()..).unwrap_or_default(),
            [b'\\', _, after @ ..] if quote == b'"' => after,
            [b'\n', ..] if end.len() == 1 => return rest,
            [_, after @ ..] => after,
        }
    }
}

/// The line on which a key stands in its section, as far as a look at the beginnings of lines tells.
/// The reader of TOML keeps no lines.
pub(super) fn line_of(text: &str, profile: Option<&str>, key: &str) -> Option<usize> {
    let wanted = profile.map(|name| format!("profile.{name}"));
    let bare = |word: &str| word.replace(['"', '\'', ' ', '\t'], "");
    let mut header = None;
    let mut elsewhere = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_start();
        if let Some(inside) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            header = Some(bare(inside));
            if header == wanted && key == wanted.as_deref().unwrap_or_default() {
                return Some(number);
            }
        } else if let Some((before, _)) = line.split_once('=') {
            let before = bare(before);
            if before == key && header == wanted {
                return Some(number);
            }
            // A key with dots, or a table within a line.
            let ends = before.strip_suffix(key).is_some_and(|rest| rest.ends_with('.'));
            let inside = line.contains(&format!("{key} =")) || line.contains(&format!("{key}="));
            if elsewhere.is_none() && (ends || inside) {
                elsewhere = Some(number);
            }
        }
    }
    elsewhere
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_their_section() {
        let text = "# server = 1\nserver = 'a'\n\n[profile.work]\n  \"server\" = 'b'\n\
                    [profile . \"home\" ]\nserver='c'\nx = 1 # server = 2\n[[user]]\nserver = 1\n";
        let line = |profile, key| line_of(text, profile, key);
        assert_eq!(line(None, "server"), Some(2));
        assert_eq!(line(Some("work"), "server"), Some(5));
        assert_eq!(line(Some("home"), "server"), Some(7));
        assert_eq!(line(Some("home"), "x"), Some(8));
        assert_eq!(line(None, "nothing"), None);
        assert_eq!(line_of("profile.work.server = 1\n", Some("work"), "server"), Some(1));
        assert_eq!(
            line_of("\nprofile = { work = { server = 1 } }", Some("work"), "server"),
            Some(2)
        );
    }

    #[test]
    fn what_is_nested_too_deep_is_not_read() {
        let nested = |levels| format!("a = {}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read::<Table>(&nested(DEPTH)).is_ok());
        assert!(read::<Table>(&nested(DEPTH + 1)).is_err());
        assert!(read::<Table>(&"[".repeat(1_000_000)).is_err());
        assert!(read::<Table>(&"a = [\n#]\n".repeat(100_000)).is_err());
        assert!(read::<Table>(&"a=[']','''\n]''',\"\\\"]\",".repeat(100)).is_err());
        for text in ["''", "'a]'", "\"\\\"]\"", "'''a\n]'''", "\"\"\"]\\\"\"\"\"", "1 # ]"] {
            assert_eq!(depth(&format!("{{{text}\n[")), 2, "{text}");
        }
    }

    #[test]
    fn values_of_any_kind_are_kept_as_text() {
        let text = "a = 'x'\nb = 7\nc = true\nd = 1.5\ne = [1, {}]\nf = { g = '' }\n";
        let table: Table = basic_toml::from_str(text).expect("TOML");
        let kinds: Vec<String> = table
            .0
            .into_iter()
            .map(|(key, value)| match value {
                Value::Scalar(value) => format!("{key}={value}"),
                Value::Table(table) => format!("{key}: {}", table.0.len()),
                Value::Other => format!("{key}?"),
            })
            .collect();
        assert_eq!(kinds, ["a=x", "b=7", "c=true", "d=1.5", "e?", "f: 1"]);
    }
}
