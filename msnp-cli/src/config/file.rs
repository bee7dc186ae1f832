//! The file itself: TOML with keys at the top, and more in `[profile.NAME]`.
//!
//! All of it is checked, also what is not in force, so that a mistake shows at once. This module
//! knows lines and modes; which keys there are it is told.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue, Error};
use clap::{Arg, ArgMatches, Command, ValueHint};
use msnp_proto::secret::Secret;
use nix::fcntl::OFlag;

use super::toml::{self, Table, Value, line_of};
use super::{innermost, is_given, keys};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;

/// Far more than all keys need.
const LIMIT: u64 = 64 * 1024;

/// Of a value that is wrong so many characters are shown.
const SHOWN: usize = 60;

/// What stands in the file and is in force.
#[derive(Debug, PartialEq)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) entries: Vec<Entry>,
    pub(crate) password: Option<Password>,
    pub(crate) withheld: Option<Withheld>,
}

/// Where the top of the file has a password from, while a profile is in force that is for somebody
/// else. A secret for one service is not given to another.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Withheld {
    pub(crate) key: String,
    line: Option<usize>,
    profile: String,
    /// What the profile names itself.
    own: &'static str,
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, line, profile, own } = self;
        line.map_or(Ok(()), |line| write!(f, "line {line}: "))?;
        write!(f, "{key} is not for profile {profile:?}, which names its own {own}")
    }
}

/// One key and its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) at: Place,
}

/// The password itself.
#[derive(Debug, PartialEq)]
pub(crate) struct Password {
    pub(crate) value: Secret,
    pub(crate) at: Place,
}

/// Where in the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Place {
    pub(crate) line: Option<usize>,
    pub(crate) profile: Option<String>,
}

impl File {
    /// Reads a file. One that is not there is none, unless it must be.
    pub(super) fn load(
        command: &Command,
        path: &Path,
        must_exist: bool,
        profile: Option<&str>,
    ) -> Result<Option<Self>, Failure> {
        let shown = path.display();
        let unreadable = |error: &io::Error| {
            let text = format!("cannot read configuration file {shown}: {}", files::reason(error));
            Failure::new(Exit::NoInput, text)
        };
        // A link is followed, as those who keep their configuration elsewhere expect; what is looked
        // at is the file that was opened.
        let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        let opened = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path);
        let file = match opened {
            Ok(file) => file,
            Err(error) if is_absent(&error) && !must_exist => {
                return match profile {
                    None => Ok(None),
                    Some(name) => Err(Failure::new(
                        Exit::Config,
                        format!("there is no profile {name:?}: there is no file {shown}"),
                    )),
                };
            }
            Err(error) => return Err(unreadable(&error)),
        };
        let meta = file.metadata().map_err(|error| unreadable(&error))?;
        let wrong = |why: &dyn fmt::Display| {
            Failure::new(Exit::Config, format!("configuration file {shown}: {why}"))
        };
        if !meta.is_file() {
            return Err(wrong(&"it is not a regular file"));
        }
        let mut bytes = Vec::new();
        file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
        if bytes.len() as u64 > LIMIT {
            return Err(wrong(&format_args!("it is larger than {LIMIT} bytes")));
        }
        let text = String::from_utf8(bytes).map_err(|_| wrong(&"it is not UTF-8"))?;
        let sections = sections(command, &text).map_err(|why| wrong(&why))?;
        check_mode(&sections, meta.mode(), meta.uid(), path).map_err(|why| wrong(&why))?;
        let mut file = Self::in_force(path, sections, profile).map_err(|why| wrong(&why))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        for entry in &mut file.entries {
            if keys::find(command, &entry.key).is_some_and(is_path) {
                entry.value = resolved(folder, &entry.value);
            }
        }
        Ok(Some(file))
    }

    fn in_force(
        path: &Path,
        sections: Vec<Section>,
        profile: Option<&str>,
    ) -> Result<Self, String> {
        let names: Vec<String> = sections.iter().filter_map(|one| one.profile.clone()).collect();
        if let Some(wanted) = profile.filter(|wanted| !names.iter().any(|name| name == wanted)) {
            return Err(no_such_profile(wanted, &names));
        }
        let mut file =
            Self { path: path.to_owned(), entries: Vec::new(), password: None, withheld: None };
        // The top stands first, so that a profile puts its keys out of force.
        for section in sections {
            if section.profile.is_some() && section.profile.as_deref() != profile {
                continue;
            }
            let new: Vec<String> = section.keys().map(|(key, _)| key.to_owned()).collect();
            if !new.iter().any(|key| keys::is_of_password(key)) {
                file.withhold(&section);
            }
            file.drop_if(|key| {
                let rivals = keys::rivals(key);
                new.iter().any(|new| new == key || rivals.contains(&new.as_str()))
            });
            file.entries.extend(section.entries);
            file.password = section.password.or(file.password);
        }
        Ok(file)
    }

    /// Puts the password out of force if a section is about another account or server.
    fn withhold(&mut self, section: &Section) {
        let own = ["account", "server"];
        let own = own.into_iter().find(|key| section.entries.iter().any(|entry| entry.key == *key));
        let (Some(own), Some(profile)) = (own, &section.profile) else { return };
        let entries = self.entries.iter().map(|entry| (entry.key.as_str(), &entry.at));
        let password = self.password.iter().map(|password| (keys::PASSWORD, &password.at));
        let withheld = entries.chain(password).find(|(key, _)| keys::is_of_password(key));
        self.withheld = withheld.map(|(key, at)| Withheld {
            key: key.to_owned(),
            line: at.line,
            profile: profile.clone(),
            own,
        });
        self.drop_if(keys::is_of_password);
    }

    fn drop_if(&mut self, goes_out: impl Fn(&str) -> bool) {
        self.entries.retain(|entry| !goes_out(&entry.key));
        self.password.take_if(|_| goes_out(keys::PASSWORD));
    }

    /// Drops what the command line or the environment puts out of force without naming it: the one
    /// thing instead of the other.
    pub(super) fn yield_to(&mut self, command: &Command, matches: &ArgMatches, has_password: bool) {
        let inner = innermost(matches);
        let signs_in = super::at(command, &super::path_of(matches))
            .is_some_and(|command| command.get_arguments().any(|arg| arg.get_id() == "server"));
        self.drop_if(|key| {
            (keys::is_of_password(key) && (has_password || !signs_in))
                || keys::rivals(key).iter().any(|rival| is_given(inner, &keys::id(rival)))
        });
    }

    /// Makes what stands in the file the built-in values of the command which `path` leads to.
    pub(super) fn apply(&self, command: Command, path: &[String]) -> Command {
        match path.split_first() {
            Some((first, rest)) => command.mut_subcommand(first, |inner| self.apply(inner, rest)),
            None => {
                let own: Vec<String> =
                    keys::in_command(&command).map(|arg| arg.get_id().to_string()).collect();
                let values = own.into_iter().filter_map(|id| {
                    let entry = self.entry(&id)?;
                    Some((id, entry.value.clone()))
                });
                let values: Vec<(String, String)> = values.collect();
                values.into_iter().fold(command, |command, (id, value)| {
                    command.mut_arg(id, |arg| arg.default_value(value))
                })
            }
        }
    }

    /// What stands in the file for an option.
    pub(super) fn entry(&self, id: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| keys::id(&entry.key) == id)
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn no_such_profile(wanted: &str, names: &[String]) -> String {
    let near = keys::nearest(wanted, names.iter().map(String::as_str));
    let hint = match (near, names) {
        (Some(near), _) => format!("; did you mean {near:?}?"),
        (None, []) => "; it has no profiles".into(),
        (None, names) => format!("; it has {}", names.join(", ")),
    };
    format!("there is no profile {wanted:?}{hint}")
}

/// Secrets, and commands that are run, are not for others to read or to write.
fn check_mode(sections: &[Section], mode: u32, owner: u32, path: &Path) -> Result<(), String> {
    let (mode, own) = (mode & 0o7777, nix::unistd::geteuid().as_raw());
    let rows = [
        (keys::PASSWORD, 0o077, "others can read or change it", "chmod 600"),
        ("password-command", 0o022, "others can change what is run", "chmod go-w"),
    ];
    for (key, bits, what, advice) in rows {
        if !sections.iter().flat_map(Section::keys).any(|(held, _)| held == key) {
            continue;
        }
        let shown = path.display();
        if mode & bits != 0 {
            return Err(format!(
                "it holds a {key} and has mode {mode:04o}, so {what}; run: {advice} {shown}"
            ));
        }
        if owner != own {
            return Err(format!(
                "it holds a {key} and belongs to user {owner}, not to you ({own})"
            ));
        }
    }
    Ok(())
}

/// Whether the option names a file.
fn is_path(arg: &Arg) -> bool {
    arg.get_value_hint() == ValueHint::FilePath
}

/// Paths in the file are seen from where it lies, and `~/` is home.
fn resolved(folder: &Path, value: &str) -> String {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let path = match (value.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => folder.join(value),
    };
    path.to_str().map_or_else(|| value.to_owned(), ToOwned::to_owned)
}

/// The keys at the top, or those of a profile.
struct Section {
    profile: Option<String>,
    entries: Vec<Entry>,
    password: Option<Password>,
}

/// The whole file, the top first.
fn sections(command: &Command, text: &str) -> Result<Vec<Section>, String> {
    let table: Table = toml::read(text)?;
    let (mut top, mut profiles) = (Vec::new(), Vec::new());
    for (key, value) in table.0 {
        match (key.as_str(), value) {
            ("profile", Value::Table(named)) => profiles.extend(named.0),
            (_, value) => top.push((key, value)),
        }
    }
    let mut sections = vec![Section::read(command, text, None, Table(top))?];
    for (name, value) in profiles {
        let Value::Table(table) = value else {
            return Err(format!("profile.{name} should be a table, as in [profile.{name}]"));
        };
        sections.push(Section::read(command, text, Some(name), table)?);
    }
    Ok(sections)
}

impl Section {
    fn read(
        command: &Command,
        text: &str,
        profile: Option<String>,
        table: Table,
    ) -> Result<Self, String> {
        let mut section = Self { profile, entries: Vec::new(), password: None };
        for (key, value) in table.0 {
            let line = line_of(text, section.profile.as_deref(), &key);
            let at = Place { line, profile: section.profile.clone() };
            let arg = keys::find(command, &key).filter(|_| keys::KEYS.contains(&key.as_str()));
            match (arg, value) {
                (None, Value::Scalar(value)) if key == keys::PASSWORD => {
                    let value = Secret::from(value);
                    if value.expose().is_empty() || value.expose().contains('\0') {
                        return Err(here(line, "the password is empty or holds a NUL"));
                    }
                    section.password = Some(Password { value, at });
                }
                (None, _) if key != keys::PASSWORD => {
                    return Err(here(line, &unknown(command, &key)));
                }
                (Some(arg), Value::Scalar(value)) => {
                    check(arg, &value).map_err(|why| here(line, &format!("{key}: {why}")))?;
                    section.entries.push(Entry { key, value, at });
                }
                (_, Value::Table(_) | Value::Other | Value::Scalar(_)) => {
                    let text = format!("{key} should be a string, a number, true or false");
                    return Err(here(line, &text));
                }
            }
        }
        section.check_rivals()?;
        Ok(section)
    }

    fn keys(&self) -> impl Iterator<Item = (&str, &Place)> {
        let password = self.password.iter().map(|password| (keys::PASSWORD, &password.at));
        self.entries.iter().map(|entry| (entry.key.as_str(), &entry.at)).chain(password)
    }

    /// Two in one place of which only one can hold.
    fn check_rivals(&self) -> Result<(), String> {
        for (key, at) in self.keys() {
            let rivals = keys::rivals(key);
            if let Some((rival, other)) = self.keys().find(|(other, _)| rivals.contains(other)) {
                let line = at.line.max(other.line);
                return Err(here(line, &format!("{key} and {rival} exclude each other")));
            }
        }
        Ok(())
    }
}

fn unknown(command: &Command, key: &str) -> String {
    if key == "profile" {
        return "profiles have the form [profile.NAME], with keys under it".into();
    }
    let known = keys::KEYS.iter().copied().chain([keys::PASSWORD]);
    if let Some(near) = keys::nearest(key, known) {
        return format!("unknown key {key:?}; did you mean {near:?}?");
    }
    if keys::find(command, key).is_some_and(|arg| !arg.is_positional()) {
        return format!("{key:?} is for the command line only");
    }
    format!("unknown key {key:?}; `msnp config --no-config` shows those that there are")
}

fn here(line: Option<usize>, why: &str) -> String {
    line.map_or_else(|| why.to_owned(), |line| format!("line {line}: {why}"))
}

/// Reads a value as its option would, and says what is wrong with it in the option's words.
fn check(arg: &Arg, value: &str) -> Result<(), String> {
    let probe = Arg::new("value")
        .allow_hyphen_values(true)
        .required(true)
        .value_parser(arg.get_value_parser().clone());
    let command = Command::new("value").no_binary_name(true).disable_help_flag(true).arg(probe);
    match command.try_get_matches_from(["--", value]) {
        Ok(_) => Ok(()),
        Err(error) => {
            let start: String = value.chars().take(SHOWN).collect();
            let dots = if start.len() < value.len() { "..." } else { "" };
            Err(format!("\"{start}{dots}\" does not fit: {}", reason(&error)))
        }
    }
}

fn reason(error: &Error) -> String {
    if let Some(source) = std::error::Error::source(error) {
        return source.to_string();
    }
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(valid)) => format!("it should be one of {}", valid.join(", ")),
        _ => "it cannot be read".into(),
    }
}
