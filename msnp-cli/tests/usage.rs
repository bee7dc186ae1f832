//! Hostile values where the parser has nothing against them: what the verbs do with them. What the
//! parser says is tested beside it.

mod support;

use std::net::TcpListener;

use support::{Ended, Folder, Msnp, run};

/// Values of any kind; as names of files they stay within the folder of the test.
fn hostile() -> Vec<String> {
    let texts = [
        "",
        "-",
        "-1",
        "0",
        "1us",
        "99999999y",
        "a\nmsnp: forged",
        "\x1b[2J",
        "\u{202e}c\u{85}\u{2028}",
        "nowhere/x",
        "/dev/full",
        "FL",
    ];
    let long = [format!("{}@b.c", "x".repeat(100)), "x".repeat(5_000)];
    texts.into_iter().map(String::from).chain(long).collect()
}

/// The options of a verb that take a value, by its help.
fn options(words: &[&str]) -> Vec<String> {
    let with_value = |line: &str| line.split_once(" <").map(|(name, _)| name.to_owned());
    long_options(words, with_value)
}

/// The options that take none.
fn flags(words: &[&str]) -> Vec<String> {
    let bare = |line: &str| {
        let (name, _) = line.split_once("  ")?;
        (!name.contains(' ')).then(|| name.to_owned())
    };
    long_options(words, bare)
}

fn long_options(words: &[&str], wanted: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let help = if words == ["serve"] { "--help-all" } else { "--help" };
    let help = run(&[words, &[help]].concat());
    let lines = help.lines.iter().filter_map(|line| line.trim_start().strip_prefix('-'));
    let long = lines.filter_map(|line| line.split("--").nth(1).or(line.strip_prefix('-')));
    long.filter_map(wanted).map(|name| format!("--{name}")).collect()
}

fn is_raw(text: &str) -> bool {
    text.contains(['\x1b', '\u{85}', '\u{2028}', '\u{202e}', '\r'])
}

fn assert_in_order(ended: &Ended, args: &[&str]) {
    let shown: Vec<String> = args.iter().map(|word| word.chars().take(60).collect()).collect();
    let known = [0, 1, 2, 3, 65, 66, 68, 69, 73, 74, 75, 76, 77, 78, 124];
    assert!(known.contains(&ended.code), "{shown:?}: {} {}", ended.code, ended.stderr);
    assert!(!is_raw(&ended.stderr), "{shown:?}: {:?}", ended.stderr);
    assert!(!ended.lines.iter().any(|line| is_raw(line)), "{shown:?}: {:?}", ended.lines);
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert!(lines.len() <= 15 || ended.code == 0, "{shown:?}: {}", ended.stderr);
    assert!(lines.iter().all(|line| line.len() < 4000 && *line != "msnp: forged"), "{shown:?}");
    assert!(!ended.stderr.contains("panicked"), "{shown:?}: {}", ended.stderr);
    if ended.code != 0 {
        assert!(
            lines.iter().any(|line| line.contains("error")) || !ended.lines.is_empty(),
            "{shown:?}"
        );
    }
}

/// Runs a verb once for each of its options and each value.
fn try_all(words: &[&str], wanted: impl Fn(&str) -> bool, rest: &[&str]) -> usize {
    let folder = Folder::new();
    let options = options(words);
    assert!(!options.is_empty(), "{words:?}");
    let mut runs = 0;
    for option in options.iter().filter(|option| wanted(option)) {
        let start = |value: String| {
            let word = format!("{option}={value}");
            let args = [words, &[&word], rest].concat();
            let mut msnp = Msnp::start_at(&folder, &args);
            msnp.close_stdin();
            (word, msnp)
        };
        // All values at once, since each waits a little.
        let running: Vec<_> = hostile().into_iter().map(start).collect();
        for (word, msnp) in running {
            assert_in_order(&msnp.end(), &[words, &[&word], rest].concat());
            runs += 1;
        }
    }
    runs
}

/// Those that all verbs which sign in have; they are tried with one.
const SHARED: [&str; 13] = [
    "--server",
    "--account",
    "--password-file",
    "--password-command",
    "--protocol",
    "--connect-timeout",
    "--output",
    "--color",
    "--log-file",
    "--trace-wire",
    "--config",
    "--profile",
    "--retry-max-wait",
];

#[test]
fn send_takes_or_refuses_each_value_of_each_option() {
    // What these take is all up to the parser.
    let parsed = ["--until", "--on-error", "--color", "--output", "--protocol", "--retry"];
    let wanted = |option: &str| !parsed.contains(&option);
    let runs = try_all(&["send"], wanted, &["--timeout=5s", "--to", "echo@example.net", "x"]);
    assert!(runs > 150, "{runs}");
}

#[test]
fn other_verbs_take_or_refuse_each_value_of_their_own_options() {
    let own =
        |option: &str| !SHARED.contains(&option) && option != "--retry" && option != "--timeout";
    let to_bob = &["bob@example.net"][..];
    try_all(&["listen"], |option| own(option) || option == "--timeout", &["--for=1ms"]);
    try_all(&["chat"], own, to_bob);
    try_all(&["run"], |option| own(option) || option == "--timeout", &["-"]);
    try_all(&["pipe"], own, &[]);
    try_all(&["contacts", "list"], own, &[]);
    try_all(&["contacts", "add"], own, to_bob);
    try_all(&["contacts", "remove"], own, to_bob);
    try_all(&["contacts", "move"], own, &["--to", "x", "bob@example.net"]);
    try_all(&["privacy"], own, &[]);
    try_all(&["check"], |option| own(option) || option == "--timeout", &[]);
    try_all(&["man"], own, &[]);
    // A port that is taken ends it when all options have been read.
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let at = taken.local_addr().expect("it listens").to_string();
    let runs =
        try_all(&["serve"], |option| own(option) && option != "--listen", &["--listen", &at]);
    assert!(runs > 400, "every limit is tried: {runs}");
    let ladder = |option: &str| own(option) && option != "--format";
    try_all(&["decode", "--ladder"], ladder, &["-"]);
    try_all(&["decode"], |option| own(option) || option == "--output", &["-"]);
    try_all(&["serve", "--data", "accounts.db", "user", "add"], own, to_bob);
}

#[test]
fn options_without_a_value_take_none() {
    let mut tried = 0;
    for words in [
        &["send"][..],
        &["run"],
        &["listen"],
        &["pipe"],
        &["chat"],
        &["contacts", "list"],
        &["serve"],
        &["serve", "user", "add"],
        &["check"],
        &["decode"],
        &["config"],
    ] {
        for flag in flags(words) {
            let word = format!("{flag}=a\nmsnp: forged\x1b[2J");
            let args = [words, &[&word]].concat();
            let ended = run(&args);
            assert_in_order(&ended, &args);
            ended.assert_code(2);
            assert!(ended.stderr.contains(&format!("for '{flag}' found")), "{}", ended.stderr);
            tried += 1;
        }
    }
    assert!(tried > 30, "{tried}");
    // Of two drawings only one can be made.
    run(&["decode", "--ladder", "--mermaid", "-"]).assert_code(2);
}

#[test]
fn words_of_the_verbs_may_be_anything_too() {
    for value in hostile() {
        for words in [
            &["send", "--to", "echo@example.net", "--"][..],
            &["groups", "add", "--"],
            &["groups", "remove", "--"],
            &["groups", "rename", "--", "x"],
            &["contacts", "add", "--"],
            &["contacts", "rename", "echo@example.net", "--"],
            &["name", "--"],
            &["status", "--"],
            &["privacy", "--"],
            &["man", "--"],
            &["completions", "--"],
            &["config"],
            &["chat", "--"],
            &["run", "--"],
            &["run", "-", "--set"],
        ] {
            let args = [words, &[value.as_str()]].concat();
            let ended = run(&args);
            assert_in_order(&ended, &args);
        }
    }
}

#[test]
fn limits_that_cannot_be_meant_are_refused() {
    let rows = [
        ("--max-connections=0", "max-connections"),
        ("--max-per-address=0", "max-per-address"),
        ("--max-contacts=0", "max-contacts"),
        ("--line-before-sign-in=255", "line-before-sign-in"),
        ("--max-line=1023", "max-line"),
        ("--changes=10:0", "a rate is N or N:M"),
        ("--backlog-soft=1023", "backlog-soft"),
        ("--backlog-hard=2047", "backlog-hard"),
        ("--backlog-hard=65535", "--backlog-soft 65536"),
        ("--notification=127.0.0.1", "--single"),
    ];
    for (option, hint) in rows {
        let mut args = vec!["serve", "--listen", "127.0.0.1:0", option];
        if option.starts_with("--notification") {
            args.push("--single");
        }
        let ended = run(&args);
        ended.assert_code(2);
        assert!(ended.stderr.contains(hint), "{}", ended.stderr);
    }
}

#[test]
fn ranges_are_said_as_people_say_them() {
    let rows: [(&[&str], &str); 9] = [
        (&["listen", "--count", "0"], "a whole number from 1 up"),
        (&["serve", "--max-people=-1"], "a whole number from 1 up"),
        (&["listen", "--retry", "99999999999"], "a whole number from 0 to 4294967295"),
        (&["send", "--to", "a@b.c", "--retry", "x", "x"], "a whole number from 0 to 4294967295"),
        (&["run", "--from-line", "0", "x"], "a whole number from 1 to 4294967295"),
        (&["decode", "--port", "21863-21865"], "a port is a number from 1 to 65535; several are"),
        (&["decode", "--ladder", "--width", "79"], "a whole number from 80 to 65535"),
        (&["serve", "--max-groups", "31"], "a whole number from 1 to 30"),
        (&["serve", "--backlog-hard", "1073741824"], "a whole number from 1024 to 1073741823"),
    ];
    for (args, said) in rows {
        let ended = run(args);
        ended.assert_code(2);
        assert!(ended.stderr.contains(said), "{args:?}: {}", ended.stderr);
    }
    let folder = Folder::new();
    let path = folder.file("config.toml", "retry = true\n", 0o600);
    let path = path.to_str().expect("an ASCII path");
    let ended = run(&["send", "--config", path, "--to", "a@b.c", "x"]);
    ended.assert_code(78);
    assert!(ended.stderr.contains("a whole number from 0 to 4294967295"), "{}", ended.stderr);
}
