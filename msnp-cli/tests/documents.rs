//! Completions and manual pages: all verbs and options are in them, and the programs that read them
//! find nothing to complain about.

mod support;

use std::io::{ErrorKind, Write};
use std::process::{Command, Stdio};

use support::{Folder, Msnp, run};

/// Gives a text to a program and returns what it complains about, or `None` if it is not here.
fn complaints(program: &[&str], text: &str) -> Option<String> {
    let (name, args) = program.split_first().expect("a name");
    // They complain about languages and settings of whoever runs the tests, too.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let spawned = Command::new(name)
        .args(args)
        .env_clear()
        .envs([("PATH", path), ("LC_ALL", "C.UTF-8".into()), ("HOME", "/dev/null".into())])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        // It is told as forbidden where a folder of the path is.
        Err(error)
            if [ErrorKind::NotFound, ErrorKind::PermissionDenied].contains(&error.kind()) =>
        {
            return None;
        }
        Err(error) => panic!("{name}: {error}"),
    };
    let mut stdin = child.stdin.take().expect("a pipe");
    // A program that complains early closes it.
    let _ = stdin.write_all(text.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let mut said = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        said.push_str(&format!("{}", output.status));
    }
    Some(said)
}

/// The words of a help text that are options of a verb, or verbs.
fn words(help: &str, start: &str) -> Vec<String> {
    let first = help.lines().filter_map(|line| line.strip_prefix(start));
    first.map(|line| line.split([' ', ',', '.']).next().unwrap_or_default().to_owned()).collect()
}

fn verbs() -> Vec<String> {
    let help = run(&["--help"]).lines.join("\n");
    let commands = help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next());
    let verbs = words(commands.expect("a list"), "  ");
    assert!(verbs.len() > 10 && verbs.contains(&"send".into()), "{verbs:?}");
    verbs
}

#[test]
fn completions_hold_every_verb_and_option_and_are_good_shell() {
    let all_options: Vec<(String, Vec<String>)> = verbs()
        .into_iter()
        .map(|verb| {
            let help = run(&[&verb, "--help"]).lines.join("\n");
            (verb, words(&help, "      --"))
        })
        .collect();
    for shell in ["bash", "zsh", "fish"] {
        let ended = run(&["completions", shell]);
        ended.assert_code(0);
        let script = ended.lines.join("\n") + "\n";
        for (verb, options) in &all_options {
            assert!(script.contains(verb.as_str()), "{shell}: {verb}");
            assert!(options.len() > 1, "{verb}: {options:?}");
            for option in options {
                // Fish writes options without their dashes.
                let option =
                    if shell == "fish" { format!("-l {option}") } else { format!("--{option}") };
                assert!(script.contains(&option), "{shell}: {verb} {option}");
            }
        }
        if let Some(said) = complaints(&[shell, "-n"], &script) {
            assert_eq!(said, "", "{shell}");
        }
    }
}

/// The completion as a person at the prompt would have it.
#[test]
fn bash_completes() {
    let script = run(&["completions", "bash"]).lines.join("\n");
    let ask = |words: &str, word: &str| {
        let count = words.split(' ').count();
        let before = words.rsplit(' ').next().unwrap_or_default();
        let test = format!(
            "{script}\nCOMP_WORDS=({words} '{word}')\nCOMP_CWORD={count}\n_msnp msnp '{word}' '{before}'\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\" >&2\n"
        );
        complaints(&["bash", "-s"], &test)
    };
    let Some(verbs) = ask("msnp", "se") else { return };
    assert_eq!(verbs.split_whitespace().collect::<Vec<_>>(), ["send", "serve"]);
    let options = ask("msnp send", "--pass").expect("it was there");
    let mut options: Vec<&str> = options.split_whitespace().collect();
    options.sort_unstable();
    assert_eq!(options, ["--password-command", "--password-file", "--password-stdin"]);
    let pages = ask("msnp man", "se").expect("it was there");
    assert_eq!(pages.split_whitespace().collect::<Vec<_>>(), ["send", "serve"]);
    let versions = ask("msnp check --protocol", "").expect("it was there");
    let versions: Vec<&str> = versions.split_whitespace().collect();
    assert_eq!(versions, ["MSNP7", "MSNP6", "MSNP5", "MSNP4", "MSNP3", "MSNP2"]);
    // No files where none is wanted, and files where one is.
    for (option, offered) in [("--timeout", "Cargo"), ("--log-file", "Cargo.toml")] {
        let said = ask(&format!("msnp send {option}"), "Cargo").expect("it was there");
        // Before it bash complains that nobody pressed a key.
        assert_eq!(said.lines().last(), Some(offered), "{option}");
    }
    let stages = ask("msnp send --until", "").expect("it was there");
    assert_eq!(stages.split_whitespace().collect::<Vec<_>>(), ["queued", "sent", "acked"]);
}

#[test]
fn fish_is_told_the_words_that_are_no_options() {
    let script = run(&["completions", "fish"]).lines;
    let mut pages = verbs();
    pages.insert(0, "msnp".into());
    for (verb, words) in [("man", pages.join(" ")), ("completions", "bash zsh fish".into())] {
        let line = format!(
            "complete -c msnp -n \"__fish_msnp_using_subcommand {verb}\" -f -a \"{words}\""
        );
        assert!(script.contains(&line), "{line}");
    }
    let is_protocol = |line: &&String| line.contains(" -l protocol ");
    let protocol: Vec<&String> = script.iter().filter(is_protocol).collect();
    let has_versions = |line: &&String| line.contains("MSNP7");
    assert!(!protocol.is_empty() && protocol.iter().all(has_versions), "{protocol:?}");
}

#[test]
fn manual_pages_are_without_fault() {
    let list = run(&["man"]);
    list.assert_code(0);
    let pages: Vec<&str> = list.lines.iter().filter_map(|line| line.split(' ').next()).collect();
    let mut expected = verbs();
    expected.insert(0, "msnp".into());
    assert_eq!(pages, expected);
    let folder = Folder::new();
    // The folder of the example in the help is not there on a fresh machine.
    run(&["man", "--dir", folder.path("share/man/man1").as_str()]).assert_code(0);
    run(&["man", "--dir", folder.path("").as_str()]).assert_code(0);
    std::fs::remove_dir_all(folder.path("share")).expect("it was made");
    for page in pages {
        let ended = run(&["man", page]);
        ended.assert_code(0);
        let text = ended.lines.join("\n") + "\n";
        let file = if page == "msnp" { "msnp.1".into() } else { format!("msnp-{page}.1") };
        assert_eq!(std::fs::read_to_string(folder.path(&file)).expect("written"), text);
        for section in ["NAME", "SYNOPSIS", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "SEE ALSO"] {
            assert!(text.contains(&format!(".SH \"{section}\"\n")), "{page}: {section}");
        }
        for program in [
            &["groff", "-ww", "-man", "-Tutf8", "-z"][..],
            &["groff", "-ww", "-mandoc", "-Tascii", "-z"],
            &["man", "--warnings=w", "-E", "UTF-8", "-l", "-"],
            &["mandoc", "-T", "lint", "-W", "error"],
        ] {
            if let Some(said) = complaints(program, &text) {
                assert_eq!(said, "", "{page}: {program:?}");
            }
        }
    }
    assert_eq!(std::fs::read_dir(&folder.0).expect("a folder").count(), expected.len());
}

#[test]
fn what_cannot_be_printed_is_said() {
    let ended = run(&["man", "sned"]);
    ended.assert_code(2);
    let said = "there is no page \"sned\"; did you mean send? `msnp man` lists them";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    let ended = run(&["man", "nosuch"]);
    ended.assert_code(2);
    let said = "there is no page \"nosuch\"; `msnp man` lists them";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    let ended = run(&["man", "\x1b[2J"]);
    ended.assert_code(2);
    assert!(!ended.stderr.contains('\x1b'));
    run(&["man", "--dir", "/dev/null/folder"]).assert_code(73);
    run(&["completions", "tcsh"]).assert_code(2);
    for args in [&["man", "send"][..], &["completions", "bash"]] {
        let mut ended = Msnp::start_to("/dev/full", args);
        assert_eq!(ended.wait().expect("it is ours").code(), Some(74));
    }
}
