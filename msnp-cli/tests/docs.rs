//! What the documents beside the crate say can be done: each command line in them is read by the
//! program, each unit by systemd, each file by its reader.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Folder, run};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The blocks of code of a document, each with its kind.
fn blocks(text: &str) -> Vec<(&str, &str)> {
    let parts = text.split("```").skip(1).step_by(2);
    parts.filter_map(|block| block.split_once('\n')).collect()
}

/// The command lines of this program in a text: what a shell would hand to it.
fn commands(text: &str) -> Vec<Vec<String>> {
    let joined = text.replace("\\\n", " ");
    let mut found = Vec::new();
    for line in joined.lines().filter(|line| !line.trim_start().starts_with('#')) {
        for (place, _) in line.match_indices("msnp ") {
            let before = line.get(..place).unwrap_or_default();
            let starts = before.is_empty() || before.ends_with([' ', '/']);
            let rest = line.get(place + 5..).unwrap_or_default();
            // A verb follows; in a path or a name it does not.
            if !starts || !rest.starts_with(|c: char| c.is_ascii_lowercase()) {
                continue;
            }
            let end = ["| ", "> ", "< ", "||", "&&"].iter().filter_map(|end| rest.find(end)).min();
            let own = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            let own = own.trim_end().trim_end_matches('\'');
            found.push(shlex::split(own).unwrap_or_else(|| panic!("{own}")));
        }
    }
    found
}

/// Has the program read a command line without doing what it says.
fn assert_read(words: &[String]) {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // A profile of the reader's own is not there.
    let mut line = vec!["config", "--no-config"];
    let (mut rest, mut is_profile) = (Vec::new(), false);
    for word in words {
        match word {
            "--profile" => is_profile = true,
            _ if std::mem::take(&mut is_profile) => {}
            word => rest.push(word),
        }
    }
    if rest == ["config"] || rest.first() == Some(&"config") {
        rest.remove(0);
    }
    line.extend(&rest);
    let ended = run(&line);
    assert_eq!(ended.code, 0, "{rest:?}: {}", ended.stderr);
}

#[test]
fn commands_in_the_documents_are_good() {
    let mut seen = 0;
    for name in ["docs/AUTOMATION.md", "SERVER.md"] {
        let text = read(&docs().parent().expect("the crate").join(name));
        for (_, block) in blocks(&text) {
            for words in commands(block) {
                // Words in capitals stand for something.
                if words
                    .iter()
                    .any(|word| word.contains("[--") || word == "ACCOUNT" || word == "FILE")
                {
                    continue;
                }
                assert_read(&words);
                seen += 1;
            }
        }
    }
    assert!(seen >= 10, "{seen}");
}

#[test]
fn the_example_of_a_driver_is_as_short_as_promised_and_takes_no_password_as_an_argument() {
    let top = docs().join("../..");
    let example = read(&top.join("msnp-proto/examples/blocking.rs"));
    assert!(example.lines().count() <= 60, "{}", example.lines().count());
    let readme = read(&top.join("README.md"));
    assert!(readme.contains("a whole driver over std's sockets in 60 lines"));
    // What stands on a command line others on the machine can read.
    let usage = example.lines().find(|line| line.contains("--example blocking -- "));
    let (before, arguments) = usage.and_then(|line| line.split_once(" -- ")).expect("a usage");
    assert!(before.contains("MSNP_PASSWORD=") && !arguments.contains("PASSWORD"), "{usage:?}");
    assert!(example.contains("env::var(\"MSNP_PASSWORD\")"));
}

#[test]
fn the_example_of_a_configuration_is_good() {
    let text = read(&docs().join("AUTOMATION.md"));
    let blocks = blocks(&text);
    let (_, toml) = blocks.iter().find(|(kind, _)| *kind == "toml").expect("an example");
    let folder = Folder::new();
    folder.file("config.toml", toml, 0o600);
    let path = folder.path("config.toml");
    for profile in [&[][..], &["--profile", "work"]] {
        let args = [&["config", "-o", "json", "--config", &path], profile, &["send"]].concat();
        let ended = run(&args);
        ended.assert_code(0);
        let account = ended.all("setting").into_iter().find(|row| row["name"] == "account");
        assert_eq!(account.expect("a row")["source"], "file");
    }
}

#[test]
fn units_are_good() {
    let folder = Folder::new();
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(docs().join("systemd")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("ASCII").to_owned();
        let text = read(&path);
        if name.ends_with(".service") {
            let own = text.lines().filter(|line| line.starts_with("ExecStart="));
            let commands = commands(&own.collect::<Vec<_>>().join("\n"));
            assert_eq!(commands.len(), 1, "{name}");
            commands.iter().for_each(|words| assert_read(words));
        }
        // Where it is installed it is not here, where a blank may be in the path.
        let program = concat!('"', env!("CARGO_BIN_EXE_msnp"), '"');
        let here = text.replace("/usr/bin/msnp", program);
        paths.push(folder.file(&name, &here, 0o644));
    }
    assert!(paths.len() >= 5, "{paths:?}");
    let verified =
        Command::new("systemd-analyze").args(["verify", "--man=no"]).args(&paths).output();
    let Ok(output) = verified else { return };
    let said = String::from_utf8_lossy(&output.stderr);
    let about_ours: Vec<&str> = said.lines().filter(|line| line.contains("msnp")).collect();
    assert!(about_ours.is_empty(), "{said}");
}
