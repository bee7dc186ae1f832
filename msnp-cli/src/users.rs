//! The users file of `serve`.
//!
//! This module knows the file's form. It does not know the server.

use std::path::Path;

use msnp_proto::secret::Secret;
use msnp_proto::types::{Handle, Nick};
use serde::Deserialize;

use crate::config::toml;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;

/// Room for tens of thousands of users.
const LIMIT: u64 = 16 * 1024 * 1024;

/// One account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) account: Handle,
    pub(crate) password: Secret,
    pub(crate) name: Option<Nick>,
    pub(crate) contacts: Vec<Handle>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    user: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    account: String,
    password: Password,
    name: Option<String>,
    #[serde(default)]
    contacts: Vec<String>,
}

/// Goes from the file's text into a secret at once.
#[derive(Deserialize)]
#[serde(from = "String")]
struct Password(Secret);

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(Secret::from(text))
    }
}

/// Reads the file, which must be as private as a password file.
pub(crate) fn read(path: &Path) -> Result<Vec<User>, Failure> {
    let bytes = files::read_private(path, "users file", LIMIT)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong(path, "it is not UTF-8"))?;
    parse(text).map_err(|why| wrong(path, &why))
}

fn wrong(path: &Path, why: &str) -> Failure {
    Failure::new(Exit::Config, format!("users file {}: {why}", path.display()))
}

fn parse(text: &str) -> Result<Vec<User>, String> {
    let table: Table = toml::read(text).map_err(|error| without_value(&error))?;
    let mut users: Vec<User> = Vec::with_capacity(table.user.len());
    for row in table.user {
        let account = handle(&row.account)?;
        if users.iter().any(|user| user.account == account) {
            return Err(format!("{account} is there twice"));
        }
        let Password(password) = row.password;
        if password.expose().is_empty() || password.expose().contains('\0') {
            return Err(format!("{account} has no usable password"));
        }
        let name = row.name.as_deref().map(|name| {
            if name.contains(char::is_control) {
                return Err(format!("{account}: the name has a control character in it"));
            }
            Nick::new(name).ok_or_else(|| format!("{account}: the name is empty or too long"))
        });
        let contacts = row.contacts.iter().map(|contact| handle(contact));
        users.push(User {
            name: name.transpose()?,
            contacts: contacts.collect::<Result<_, _>>()?,
            password,
            account,
        });
    }
    let known = |account: &Handle| users.iter().any(|user| user.account == *account);
    for user in &users {
        if let Some(stranger) = user.contacts.iter().find(|contact| !known(contact)) {
            return Err(format!("{} has the contact {stranger}, who is no user", user.account));
        }
    }
    Ok(users)
}

/// The parser's words without the value that it found in place of another type: it may be a
/// password.
fn without_value(why: &str) -> String {
    match (why.split_once("invalid type: "), why.rsplit_once(", expected ")) {
        (Some((before, _)), Some((_, expected))) => {
            format!("{before}a value has the wrong type, expected {expected}")
        }
        _ => why.to_owned(),
    }
}

fn handle(text: &str) -> Result<Handle, String> {
    Handle::new(text)
        .ok_or_else(|| format!("{text:?} is not an account: it needs the form name@domain"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_with_names_and_contacts() {
        let users = parse(
            r#"
            [[user]]
            account = "alice@example.net"
            password = " spaces are kept "
            contacts = ["bob@example.net"]

            [[user]]
            account = "bob@example.net"
            password = "s"
            name = "Bob B"
            "#,
        )
        .expect("a good file");
        let [alice, bob] = users.as_slice() else { panic!("two users") };
        assert_eq!(alice.password.expose(), " spaces are kept ");
        assert_eq!(alice.contacts, std::slice::from_ref(&bob.account));
        assert_eq!(bob.name.as_ref().map(Nick::as_str), Some("Bob B"));
        assert_eq!(parse(""), Ok(vec![]));
    }

    #[test]
    fn mistakes_are_named_and_passwords_are_not() {
        let rows = [
            ("[[user]]\naccount = \"a\"\npassword = \"geheim\"", "not an account"),
            ("[[user]]\naccount = \"a@b\"\npassword = \"\"", "no usable password"),
            ("[[user]]\naccount = \"a@b\"\npassword = \"geheim\"\nnmae = \"x\"", "nmae"),
            ("[[user]]\naccount = \"a@b\"\npassword = \"geheim", "line 3"),
            ("[[user]]\naccount = \"a@b\"", "password"),
            ("[[user]]\naccount = [\"geheim\"]", "expected a string"),
            ("[[user]]\naccount = \"a@b\"\npassword = 4711", "expected a string"),
            ("user = \"geheim\"", "expected a sequence"),
            (
                "[[user]]\naccount = \"a@b\"\npassword = \"geheim\"\nname = \"x\\u001b[1m\"",
                "a@b: the name has a control character",
            ),
            (
                "[[user]]\naccount = \"a@b\"\npassword = \"geheim\"\ncontacts = [\"c@d\"]",
                "c@d, who is no user",
            ),
            (
                "[[user]]\naccount = \"a@b\"\npassword = \"geheim\"\n\
                 [[user]]\naccount = \"A@b\"\npassword = \"geheim\"",
                "twice",
            ),
        ];
        for (text, expected) in rows {
            let why = parse(text).expect_err("a mistake");
            assert!(why.contains(expected), "{why}");
            assert!(!why.contains("geheim") && !why.contains("4711"), "{why}");
        }
    }
}
