//! Known holes of other programs, tried on this one: what it shows, what it writes, what it runs.
//! Each test is named after its row of the list, which `msnp-proto/cases` holds.

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::OnceLock;

use msnp_proto::ns::challenge::digest;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::Value;
use support::fake::{Answer, Fake, usual};
use support::{Ended, Folder, Msnp, run};

/// What steers terminals, ends lines, and turns the direction of writing.
const HOSTILE: &str = "\x1b]0;x\x07\x1b[2J\u{9b}31m\u{7f}\r\nforged line\u{85}forged\u{2028}forged\
    \u{2029}\u{202e}txt.exe\u{2066}a\u{2069}\u{200f}\u{feff}\0";

/// As a name on the wire.
fn encoded() -> String {
    HOSTILE.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A server that says hostile things wherever it can, and cookies and tickets that are marked.
fn hostile_server() -> Fake {
    Fake::start(|_, line| {
        let name = encoded();
        let words: Vec<&str> = line.split(' ').collect();
        let trid = words.get(1).copied().unwrap_or("0");
        let mut said = Vec::new();
        match words.as_slice() {
            ["USR", _, "MD5", "S", ..] => {
                said.extend(format!("USR {trid} OK alice@example.net {name} 1\r\n").bytes());
                let profile =
                    "Content-Type: text/x-msmsgsprofile\r\nMSPAuth: geheim-ticket\r\n\r\n";
                said.extend(format!("MSG Hotmail Hotmail {}\r\n{profile}", profile.len()).bytes());
            }
            ["SYN", ..] => said.extend(
                format!(
                    "SYN {trid} 1\r\nLSG {trid} 1 1 1 0 {name} 0\r\n\
                     LST {trid} FL 1 1 1 bob@example.net {name} 0\r\nLST {trid} AL 1 0 0\r\n\
                     LST {trid} BL 1 0 0\r\nLST {trid} RL 1 0 0\r\n"
                )
                .bytes(),
            ),
            ["CHG", ..] => {
                said.extend(usual(line, ""));
                said.extend(online(trid, &name));
            }
            ["XFR", ..] => return Answer::Usual,
            ["ANS", ..] => said.extend(chat(trid, &name)),
            ["CAL", _, who] => {
                said.extend(format!("CAL {trid} RINGING 77\r\nJOI {who} {name}\r\n").bytes());
            }
            ["MSG", _, "A", ..] => said.extend(format!("NAK {trid}\r\n").bytes()),
            _ => return Answer::Usual,
        }
        Answer::Say(said)
    })
}

/// What is said to somebody who has come online.
fn online(trid: &str, name: &str) -> Vec<u8> {
    let mut said = format!(
        "ILN {trid} NLN bob@example.net {name}\r\nNLN AWY stranger@example.org {name}\r\n\
         ADG 0 2 {name} 5 0\r\nREA 0 3 bob@example.net {name}\r\n\
         BPR 4 bob@example.net PHH {name}\r\nADD 0 RL 5 eve@example.org {name}\r\n\
         217 9999\r\nCHL x\r\n"
    )
    .into_bytes();
    // Unknown commands, with bytes that are no text.
    said.extend(b"XYZ \x1b[2J\x9b31m\x7f\x80\xff forged\r\n");
    let mail = format!(
        "Content-Type: text/x-msmsgsemailnotification\r\n\r\nFrom: {HOSTILE}\r\n\
         Subject: =?utf-8?Q?=1B[2J=0D=0Aforged=E2=80=AE?=\r\nFrom-Addr: \x1b[2J@example.org\r\n"
    );
    said.extend(format!("MSG Hotmail Hotmail {}\r\n{mail}", mail.len()).bytes());
    said
}

/// What is said to somebody who enters a switchboard.
fn chat(trid: &str, name: &str) -> Vec<u8> {
    let mut said =
        format!("IRO {trid} 1 1 bob@example.net {name}\r\nANS {trid} OK\r\n").into_bytes();
    let utf8 = "Content-Type: text/plain; charset=UTF-8\r\nX-MMS-IM-Format: FN=%1B[2J\r\n\r\n";
    let odd = "Content-Type: text/x-\x1b[2J\u{202e}forged\r\n\r\n";
    let bodies = [format!("{utf8}{HOSTILE}"), format!("{odd}{HOSTILE}")];
    for body in bodies {
        said.extend(format!("MSG bob@example.net {name} {}\r\n{body}", body.len()).bytes());
    }
    said.extend(format!("BYE bob@example.net 1\r\nJOI eve@example.org {name}\r\n").bytes());
    said
}

/// The server that rings.
fn ringing_server() -> Fake {
    // It is told its own address with the first request for a switchboard.
    let inner = hostile_server();
    let at = inner.at.clone();
    Fake::start(move |_, line| {
        let words: Vec<&str> = line.split(' ').collect();
        let trid = words.get(1).copied().unwrap_or("0");
        match words.as_slice() {
            ["CHG", ..] => {
                let mut said = usual(line, "");
                said.extend(online(trid, &encoded()));
                let name = encoded();
                let ring = format!("RNG 7 {at} CKI geheim-ring bob@example.net {name}\r\n");
                said.extend(ring.bytes());
                Answer::Say(said)
            }
            _ => Answer::Usual,
        }
    })
}

/// All that runs of the program put out, each with its name.
fn outputs() -> &'static [(String, String)] {
    static OUTPUTS: OnceLock<Vec<(String, String)>> = OnceLock::new();
    OUTPUTS.get_or_init(|| {
        let (quiet, ringing) = (hostile_server(), ringing_server());
        let folder = Folder::new();
        folder.file("script", "send bob@example.net hello\n", 0o600);
        let script = folder.path("script");
        let runs: [(&Fake, &[&str]); 9] = [
            (&ringing, &["listen", "--count", "2", "--timeout", "5m"]),
            (&quiet, &["send", "--to", "bob@example.net", "hello"]),
            (&quiet, &["chat", "bob@example.net"]),
            (&quiet, &["contacts", "list"]),
            (&quiet, &["groups", "list"]),
            (&quiet, &["status"]),
            (&quiet, &["name"]),
            (&quiet, &["check"]),
            (&quiet, &["run", &script]),
        ];
        let mut all = Vec::new();
        for (number, (fake, verb)) in runs.into_iter().enumerate() {
            for form in ["text", "json"] {
                let (log, trace) = (
                    folder.path(&format!("log{number}{form}")),
                    folder.path(&format!("trace{number}{form}")),
                );
                let more = [
                    "-o",
                    form,
                    "-vv",
                    "--color",
                    "never",
                    "--log-file",
                    &log,
                    "--trace-wire",
                    &trace,
                ];
                let mut msnp = Msnp::start_as("alice", &fake.at, &[verb, &more[..]].concat());
                if verb[0] == "chat" {
                    msnp.say("hello\n");
                }
                let Ended { lines, stderr, .. } = msnp.end();
                let read = |path: &str| fs::read_to_string(path).expect("the program made it");
                let outputs = [
                    ("stdout", lines.join("\n")),
                    ("stderr", stderr),
                    ("log", read(&log)),
                    ("trace", read(&trace)),
                ];
                let name = |what: &str| format!("{} -o {form}: {what}", verb[0]);
                all.extend(outputs.map(|(what, text)| (name(what), text)));
            }
        }
        all
    })
}

/// The outputs must have shown what they were given: a program that says nothing passes any test.
fn shown(what: &str, needle: &str) -> bool {
    outputs().iter().any(|(name, text)| name.starts_with(what) && text.contains(needle))
}

#[test]
fn d01_escape_codes_are_shown_and_not_sent() {
    for (name, text) in outputs() {
        let raw = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(raw, None, "{name}: {text:?}");
    }
    assert!(shown("listen -o text: stdout", "\\u{1b}]0;x\\u{7}\\u{1b}[2J\\u{9b}31m\\u{7f}"));
    assert!(shown("listen -o json: stdout", "\\u001b]0;x\\u0007\\u001b[2J\\u009b31m\\u007f"));
    assert!(shown("listen -o text: stdout", "XYZ \\\\x1b[2J\\\\x9b31m"));
    assert!(shown("contacts -o text: stdout", "\\u{1b}[2J"));
}

#[test]
fn d02_one_event_is_one_line() {
    for (name, text) in outputs() {
        let ends = ['\r', '\u{85}', '\u{2028}', '\u{2029}', '\u{b}', '\u{c}'];
        assert!(!text.contains(ends), "{name}: {text:?}");
        assert!(!text.lines().any(|line| line.starts_with("forged")), "{name}: {text}");
        if name.ends_with("json: stdout") {
            for line in text.lines() {
                serde_json::from_str::<Value>(line)
                    .unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
    }
    assert!(shown("listen -o text: stdout", "\\r\\nforged line\\u{85}forged\\u{2028}forged"));
    assert!(shown("listen -o json: stdout", "\\r\\nforged line\\u0085forged\\u2028forged"));
}

#[test]
fn d03_direction_marks_are_shown() {
    for (name, text) in outputs() {
        let marks = ['\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}', '\u{200f}', '\u{feff}'];
        assert!(!text.contains(marks), "{name}: {text:?}");
    }
    assert!(shown("listen -o text: stdout", "\\u{202e}txt.exe\\u{2066}a\\u{2069}"));
    assert!(shown("listen -o json: stdout", "\\u202etxt.exe\\u2066a\\u2069"));
}

#[test]
fn l02_marked_secrets_are_in_no_output() {
    // What the fake server's challenge is answered with.
    let answer = digest(b"1013928519.693957190", b"geheim-alice");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    for (name, text) in outputs() {
        assert!(!text.contains("geheim"), "{name}: {text}");
        assert!(!text.contains(&answer), "{name}: {text}");
    }
    assert!(shown("listen -o text: trace", "RNG 7 127.0.0.1"), "a ring was traced");
    assert!(shown("send -o text: trace", "MSPAuth: ***"));
    for dialect in ["MSNP2", "MSNP3", "MSNP4", "MSNP5", "MSNP6", "MSNP7"] {
        let (serve, at) = Msnp::serve(&["-vv"]);
        let folder = Folder::new();
        let (log, trace) = (folder.path("log"), folder.path("trace"));
        let more = ["--protocol", dialect, "-vv", "--log-file", &log, "--trace-wire", &trace];
        let args = [&["listen", "-o", "json", "--count", "1"][..], &more].concat();
        let mut bob = Msnp::start_as("bob", &at, &args);
        bob.until_type("online");
        let args = ["send", "-vv", "--protocol", dialect, "--to", "bob@example.net", "hello"];
        let alice = Msnp::start_as("alice", &at, &args).end();
        alice.assert_code(0);
        let bob = bob.end();
        bob.assert_code(0);
        serve.interrupt();
        let serve = serve.end();
        let read = |path: &str| fs::read_to_string(path).expect("the program made it");
        let texts =
            [&alice, &bob, &serve].map(|one| format!("{}{}", one.lines.join("\n"), one.stderr));
        for text in texts.iter().chain(&[read(&log), read(&trace)]) {
            assert!(!text.contains("geheim"), "{dialect}: {text}");
            let secret = |line: &&str| {
                let words: Vec<&str> = line.split(' ').collect();
                let after =
                    |word| words.iter().position(|one| *one == word).map(|at| words.get(at + 1));
                [after("CKI"), after("S")]
                    .into_iter()
                    .flatten()
                    .flatten()
                    .any(|word| *word != "***")
                    && (line.contains(" CKI ") || line.contains(" MD5 S "))
            };
            assert_eq!(text.lines().find(secret), None, "{dialect}");
        }
        assert!(read(&trace).contains("CKI ***"), "{dialect}: {}", read(&trace));
    }
    // Where a password comes from, and why it cannot be used, says nothing of it either.
    let folder = Folder::new();
    let bad = folder.file("password", "geheim-\0-a", 0o600);
    let path = bad.to_str().expect("an ASCII path");
    let send = ["send", "--to", "echo@example.net", "--account", "a@b.c"];
    let commands: [&[&str]; 4] = [
        &["--password-file", path, "x"],
        &["--password-command", "echo geheim-\\0", "x"],
        &["--password-command", "printf geheim-%b '\\0'", "x"],
        &["--password-command", "false geheim-x", "x"],
    ];
    for more in commands {
        let ended = run(&[&send, more].concat());
        assert!(!ended.lines.join("\n").contains("geheim-\0"), "{:?}", ended.lines);
        assert!(!ended.stderr.contains("geheim-a"), "{}", ended.stderr);
    }
    let environment = [("MSNP_PASSWORD", "geheim-x"), ("MSNP_ACCOUNT", "a@b.c")];
    let shown = Msnp::start_in(&environment, &["config"]).end();
    assert!(!format!("{:?}{}", shown.lines, shown.stderr).contains("geheim"), "{:?}", shown.lines);
}

#[test]
fn l03_files_are_made_for_us_alone_and_no_link_is_followed() {
    let folder = Folder::new();
    let target = folder.file("target", "as it was", 0o644);
    symlink(&target, folder.0.join("link")).expect("a fresh name");
    symlink(folder.0.join("nowhere"), folder.0.join("dangling")).expect("a fresh name");
    mkfifo(&folder.0.join("pipe"), Mode::S_IRWXU).expect("a fresh name");
    fs::create_dir(folder.0.join("folder")).expect("a fresh name");
    for option in ["--log-file", "--trace-wire"] {
        for name in ["link", "dangling", "pipe", "folder", "folder/none/x"] {
            let path = folder.path(name);
            let ended = run(&["send", option, &path, "--to", "echo@example.net", "x"]);
            ended.assert_code(73);
            assert!(ended.lines.is_empty() && ended.stderr.contains(&path), "{}", ended.stderr);
        }
        let path = folder.path(&format!("new{option}"));
        run(&["send", option, &path, "--to", "echo@example.net", "x"]).assert_code(0);
        let mode = fs::metadata(&path).expect("it was made").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{option}");
    }
    assert_eq!(fs::read_to_string(&target).expect("still there"), "as it was");
    assert!(!folder.0.join("nowhere").exists());
    // Two at once add to one log, line by line.
    let log = folder.path("log");
    let args = ["send", "-v", "--log-file", &log, "--to", "echo@example.net", "x"];
    let both = [Msnp::start(&args), Msnp::start(&args)];
    both.into_iter().for_each(|one| one.end().assert_code(0));
    let text = fs::read_to_string(&log).expect("it was made");
    let is_whole =
        |line: &str| line.get(..24).is_some_and(|at| humantime::parse_rfc3339(at).is_ok());
    assert!(text.lines().count() > 2 && text.lines().all(is_whole), "{text}");
}

#[test]
fn l04_password_files_are_for_their_owner() {
    let folder = Folder::new();
    let send = |path: &str| {
        let args = ["send", "-o", "json", "--to", "echo@example.net", "--password-file", path, "x"];
        run(&args)
    };
    let files: [(&str, &str, u32, i32); 12] = [
        ("0600", "geheim", 0o600, 0),
        ("0400", "geheim", 0o400, 0),
        ("0644", "geheim", 0o644, 78),
        ("0640", "geheim", 0o640, 78),
        ("0604", "geheim", 0o604, 78),
        ("0660", "geheim", 0o660, 78),
        ("0601", "geheim", 0o601, 78),
        ("crlf", "geheim\r\n", 0o600, 0),
        ("blanks", "  two words  ", 0o600, 0),
        ("empty", "", 0o600, 78),
        ("nul", "geh\0eim", 0o600, 78),
        ("large", &"x".repeat(1 << 20), 0o600, 78),
    ];
    for (name, text, mode, code) in files {
        let path = folder.file(name, text, mode);
        let ended = send(path.to_str().expect("an ASCII path"));
        ended.assert_code(code);
        assert!(!ended.stderr.contains("geh"), "{}", ended.stderr);
        if mode & 0o077 != 0 {
            assert!(ended.stderr.contains(&format!("mode {mode:04o}")), "{}", ended.stderr);
        }
    }
    symlink(folder.0.join("0600"), folder.0.join("link")).expect("a fresh name");
    mkfifo(&folder.0.join("pipe"), Mode::S_IRWXU).expect("a fresh name");
    fs::create_dir(folder.0.join("folder")).expect("a fresh name");
    let private = Permissions::from_mode(0o700);
    fs::set_permissions(folder.0.join("folder"), private).expect("our own folder");
    for name in ["link", "pipe", "folder"] {
        send(&folder.path(name)).assert_code(78);
    }
    send(&folder.path("missing")).assert_code(66);
}

#[test]
fn l05_texts_are_not_run() {
    // Every program that a text could be given to, in a folder that is all of the path.
    let folder = Folder::new();
    let canary = folder.path("canary");
    for name in ["sh", "bash", "xdg-open", "open", "firefox", "touch", "id", "x"] {
        folder.file(name, &format!("#!/bin/sh\n: > {canary}\n"), 0o700);
    }
    let path = folder.0.to_str().expect("an ASCII path").to_owned();
    for text in [
        format!("$(touch {canary})"),
        format!("`touch {canary}`"),
        format!("; touch {canary}"),
        format!("| touch {canary} &"),
        format!("file://{canary}"),
        "http://example.org/$(id)".into(),
        "%s%n%x ${IFS} \\x".into(),
        "x".into(),
    ] {
        let echo = "echo@example.net";
        let verbs =
            [&["send", "-o", "json", "--to", echo, "--", &text][..], &["chat", "-o", "json", echo]];
        for args in verbs {
            let mut msnp = Msnp::start_in(&[("PATH", &path), ("BROWSER", "x")], args);
            if args[0] == "chat" {
                msnp.say(&format!("{text}\n"));
            }
            let said = msnp.until_type("message");
            assert_eq!(said["text"], text);
            msnp.close_stdin();
            msnp.end().assert_code(0);
        }
    }
    assert!(!folder.0.join("canary").exists(), "a text was run");
}

#[test]
fn l06_values_that_begin_with_a_dash_are_values() {
    for text in ["-x", "--help", "--", "-vv", "--to=a@b.c"] {
        let ended = run(&["send", "-o", "json", "--to", "echo@example.net", "--", text]);
        ended.assert_code(0);
        assert_eq!(ended.all("message")[0]["text"], text);
    }
    // A lone dash is stdin, in the one place where the help says so.
    let mut send = Msnp::start(&["send", "-o", "json", "--to", "echo@example.net", "-"]);
    send.say("from stdin");
    assert_eq!(send.end().all("message")[0]["text"], "from stdin");
    for account in ["-x", "--help", "-", "-x@example.net"] {
        let ended = run(&["send", "-o", "json", "--to", account, "x"]);
        ended.assert_code(2);
        assert!(ended.lines.is_empty() && ended.stderr.contains("error"), "{}", ended.stderr);
    }
    // With an equals sign it can be nothing but a value; nobody has that account.
    run(&["send", "-o", "json", "--to=-x@example.net", "x"]).assert_code(69);
    let ended = run(&["name", "-o", "json", "--", "--help"]);
    ended.assert_code(0);
    assert!(ended.lines.iter().any(|line| line.contains("\"--help\"")), "{:?}", ended.lines);
}
