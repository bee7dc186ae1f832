//! Which options may stand in the file.
//!
//! A key is the name of an option without its dashes. Options that say what to do this time, as to
//! whom, are no keys.

use clap::{Arg, Command};

/// The keys, each the name of an option or of the two that have a letter only.
pub(super) const KEYS: &[&str] = &[
    "server",
    "account",
    "password-file",
    "password-command",
    "protocol",
    "connect-timeout",
    "timeout",
    "ack-timeout",
    "until",
    "on-error",
    "retry",
    "retry-max-wait",
    "window",
    "no-reconnect",
    "file-address",
    "output",
    "color",
    "verbose",
    "quiet",
    "log-file",
    "listen",
    "notification",
    "switchboard",
    "advertise",
    "single",
    "users",
    "data",
    "max-connections",
    "max-per-address",
    "max-contacts",
    "sign-in-deadline",
    "line-before-sign-in",
    "max-line",
    "keepalive",
    "changes",
    "commands",
    "texts",
    "bytes",
    "backlog-soft",
    "backlog-hard",
    "max-payload",
    "max-message",
    "max-people",
    "max-privacy-entries",
    "max-groups",
    "renames",
    "failed-calls",
    "max-rings-of-one",
    "max-rings",
    "strikes",
    "challenge-deadline",
    "alone",
    "silence",
    "cookie-lifetime",
    "max-cookies",
];

/// The key that holds a password itself; it is no option, so that nobody writes one into a command
/// line.
pub(super) const PASSWORD: &str = "password";

/// Of each of these only one can hold. Whichever stands in the place that goes first puts the others
/// out of force.
const EXCLUSIVE: &[&[&str]] = &[
    &[PASSWORD, "password-file", "password-command", "password-stdin"],
    &["verbose", "quiet"],
    &["users", "data"],
    &["single", "notification"],
];

/// The keys of the place where a password comes from.
pub(super) fn is_of_password(key: &str) -> bool {
    rivals(key).contains(&PASSWORD) || key == PASSWORD
}

/// What cannot hold beside a key.
pub(super) fn rivals(key: &str) -> Vec<&'static str> {
    let group = EXCLUSIVE.iter().find(|group| group.contains(&key));
    group.into_iter().flat_map(|group| group.iter().copied()).filter(|one| *one != key).collect()
}

/// The key of an option.
pub(super) fn of(arg: &Arg) -> String {
    arg.get_id().as_str().replace('_', "-")
}

/// The name of an option in a parsed command line.
pub(super) fn id(key: &str) -> String {
    key.replace('-', "_")
}

/// The options of a command that may stand in the file. Where a password is for somebody else than
/// who signs in, the places of the file do not count.
pub(super) fn in_command(command: &Command) -> impl Iterator<Item = &Arg> {
    let signs_in = command.get_arguments().any(|arg| arg.get_id() == "server");
    command.get_arguments().filter(move |arg| {
        let key = of(arg);
        KEYS.contains(&key.as_str()) && (signs_in || !is_of_password(&key))
    })
}

/// Whether a command has such an option at all.
pub(super) fn any_in(command: &Command, path: &[String]) -> bool {
    super::at(command, path).is_some_and(|command| in_command(command).next().is_some())
}

/// An option by its key, from whichever command has it.
pub(super) fn find<'a>(command: &'a Command, key: &str) -> Option<&'a Arg> {
    let here = command.get_arguments().find(|arg| of(arg) == key);
    here.or_else(|| command.get_subcommands().find_map(|inner| find(inner, key)))
}

/// The one of all that was most likely meant.
pub(crate) fn nearest<'a>(meant: &str, all: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Of one or two letters anything could be meant.
    let all = all.filter(|_| meant.len() > 2);
    let near = all.map(|one| (strsim::jaro(meant, one), one)).filter(|(score, _)| *score > 0.7);
    near.max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, one)| one)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory;

    use super::*;
    use crate::args::Cli;

    /// Options that say what to do this time.
    const THIS_TIME: &[&str] = &[
        "accept-files",
        "as-far-as",
        "config",
        "count",
        "dir",
        "duration",
        "format",
        "from",
        "from-line",
        "group",
        "help",
        "help-all",
        "ladder",
        "list",
        "mermaid",
        "name",
        "no-config",
        "operator",
        "password-stdin",
        "patience",
        "port",
        "profile",
        "prompt",
        "show-secrets",
        "variables",
        "to",
        "trace-wire",
        "version",
        "width",
    ];

    fn options(command: &Command, into: &mut BTreeSet<String>) {
        into.extend(command.get_arguments().filter(|arg| !arg.is_positional()).map(of));
        command.get_subcommands().for_each(|inner| options(inner, into));
    }

    #[test]
    fn of_every_option_is_decided_whether_it_may_stand_in_the_file() {
        let mut command = Cli::command();
        command.build();
        let mut all = BTreeSet::new();
        options(&command, &mut all);
        for key in &all {
            let places = [KEYS, THIS_TIME].map(|list| list.contains(&key.as_str()));
            assert!(places[0] != places[1], "{key} belongs into exactly one of the two lists");
        }
        for key in KEYS.iter().chain(THIS_TIME) {
            assert!(all.contains(*key), "there is no option {key}");
        }
    }

    #[test]
    fn what_was_meant() {
        let near = |meant| nearest(meant, KEYS.iter().copied());
        assert_eq!(near("acount"), Some("account"));
        assert_eq!(near("time-out"), Some("timeout"));
        assert_eq!(near("password_file"), Some("password-file"));
        assert_eq!(near("colour"), Some("color"));
        assert_eq!(near("xyz"), None);
        assert_eq!(near(""), None);
    }
}
