//! The table of exit codes, each row from a cause as real as can be had: a full disk, a closed
//! pipe, a signal, a server that hangs.

mod support;

use std::collections::BTreeSet;
use std::fs::File;
use std::net::TcpListener;
use std::process::Command;
use std::time::Instant;

use msnp_mio::Options;
use nix::sys::signal::Signal;
use support::fake::{Answer, Fake};
use support::{CLOSED, Ended, Folder, Msnp, NOWHERE, data_file, run, with_limit};

/// How a run has to end, why it does, and how to bring that about.
type Row = (i32, &'static str, fn() -> Ended);

const TABLE: &[Row] = &[
    (0, "the message is acknowledged", || send_to(|_, _| Answer::Usual, &[])),
    (0, "listen has met its count", || listen_for_one(&["--count", "1"])),
    (0, "listen has met its end", || run(&["listen", "-o", "json", "--for", "1ms"])),
    (0, "help was asked for", || run(&["send", "--help"])),
    (0, "the file is there", || send_file("echo@example.net", 5)),
    (1, "one message arrived and one did not", || {
        run(&["send", "-o", "json", "--to", "echo@example.net", "--to", "nobody@example.net", "x"])
    }),
    (1, "one account is there and one is not", || {
        run(&["contacts", "list", "-o", "json", "echo@example.net", "nobody@example.net"])
    }),
    (2, "a wrong option", || run(&["send", "--frobnicate"])),
    (2, "stdin is wanted twice", || run(&["send", "--to", "a@b.c", "--password-stdin", "-"])),
    (3, "no acknowledgement in time", || {
        let run = |limit: &str| send_to(silent_at("MSG"), &["--ack-timeout", limit]);
        with_limit(run, |ended| ended.code == 3)
    }),
    (3, "--timeout ran out behind the message", || {
        let run = |limit: &str| send_to(silent_at("MSG"), &["--timeout", limit]);
        with_limit(run, |ended| ended.code == 3)
    }),
    (3, "the server hung up behind the message", || {
        send_to(|_, line| at(line, "MSG", Answer::HangUpAll), &[])
    }),
    (65, "the message is too large", || {
        run(&["send", "--to", "echo@example.net", &"x".repeat(1665)])
    }),
    (65, "a script is wrong", || {
        let folder = Folder::new();
        folder.file("script", "sned bob@example.net x\n", 0o644);
        run(&["run", &folder.path("script")])
    }),
    (65, "a file is too large for others", || {
        send_file("echo@example.net", u64::from(u32::MAX) + 1)
    }),
    (65, "the message is empty", || run(&["send", "--to", "echo@example.net", ""])),
    (65, "stdin is not text", || {
        let folder = Folder::new();
        std::fs::write(folder.path("bytes"), b"\xff\xfe").expect("a writable folder");
        from(&folder.path("bytes"), &["send", "--to", "echo@example.net", "-"])
    }),
    (66, "the password file is missing", || {
        run(&["send", "--to", "a@b.c", "--password-file", "/no/such/file", "x"])
    }),
    (66, "the configuration file is missing", || run(&["check", "--config", "/no/such/file"])),
    (66, "the script is missing", || run(&["run", "/no/such/file"])),
    (66, "a file that is to be sent is missing", || {
        let folder = Folder::new();
        folder.file("script", "file echo@example.net /no/such/file\n", 0o644);
        run(&["run", &folder.path("script")])
    }),
    (66, "the capture is missing", || run(&["decode", "/no/such/file"])),
    (66, "stdin cannot be read", || from("/", &["send", "--to", "echo@example.net", "-"])),
    (66, "the data file is missing", || run(&["serve", "--data", "/no/such/file", "user", "list"])),
    (68, "the host name does not resolve", || start_send(NOWHERE, &[]).end()),
    (69, "the recipient is not online", || {
        run(&["send", "-o", "json", "--to", "nobody@example.net", "x"])
    }),
    (69, "nobody is there for the file", || send_file("nobody@example.net", 5)),
    (69, "the server could not deliver", || send_to(refusing("MSG", "NAK"), &[])),
    (69, "the group is not there", || run(&["groups", "remove", "-o", "json", "nothing"])),
    (70, "the server says that we asked wrongly", || send_to(refusing("XFR", "913"), &[])),
    (73, "the log cannot be made", || {
        run(&["send", "--to", "echo@example.net", "--log-file", "/no/such/folder/log", "x"])
    }),
    (73, "there is no folder for files", || run(&["listen", "--accept-files", "/no/such/folder"])),
    (73, "the manual cannot be written", || run(&["man", "--dir", "/dev/null/folder"])),
    (74, "the disk is full", || {
        let full = File::options().write(true).open("/dev/full").expect("Linux has it");
        let fake = Fake::start(|_, _| Answer::Usual);
        let ended = wait(Msnp::start_as_to("alice", &fake.at, full, SEND));
        assert_eq!(fake.count("MSG"), 1, "it is sent all the same");
        ended
    }),
    (74, "nobody reads any more", || {
        let fake = Fake::start(|_, _| Answer::Usual);
        let ended = wait(Msnp::start_as_to("alice", &fake.at, support::unread(), SEND));
        assert_eq!(fake.count("MSG"), 1, "it is sent all the same");
        ended
    }),
    (75, "nobody listens there", || start_send(CLOSED, &[]).end()),
    (75, "the server hung up before the message", || {
        send_to(|_, line| at(line, "CAL", Answer::HangUpAll), &[])
    }),
    (75, "the server is busy", || send_to(refusing("USR 4", "910"), &[])),
    (75, "the server goes down", || {
        let args = ["listen", "-o", "json", "--no-reconnect"];
        with(|_, line| at(line, "CVR", Answer::Say(b"OUT SSD\r\n".to_vec())), &args)
    }),
    (75, "the account signed in elsewhere", || {
        with(
            |_, line| at(line, "CVR", Answer::Say(b"OUT OTH\r\n".to_vec())),
            &["listen", "-o", "json"],
        )
    }),
    (75, "the port is taken", || {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let taken = listener.local_addr().expect("it listens").to_string();
        run(&["serve", "--listen", &taken])
    }),
    (75, "the data file is in use", || {
        let folder = Folder::new();
        data_file(&folder.path("data"), &["alice"]);
        let (_serve, _) = Msnp::serve_data(&folder.path("data"), &[]);
        run(&["serve", "--listen", "127.0.0.1:0", "--data", &folder.path("data")])
    }),
    (76, "the server speaks another protocol", || {
        send_to(|_, _| Answer::Say(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()), &[])
    }),
    (76, "no version in common", || send_to(refusing("VER", "VER 1 0"), &[])),
    (77, "the password is wrong", || send_to(refusing("USR 4", "911"), &[])),
    (77, "the password is wrong, at a check", || {
        with(refusing("USR 4", "911"), &["check", "-o", "json"])
    }),
    (78, "others can read the password file", || {
        let folder = Folder::new();
        folder.file("loose", "geheim", 0o644);
        run(&["send", "--to", "a@b.c", "--password-file", &folder.path("loose"), "x"])
    }),
    (78, "no account is named", || run(&["listen", "--server", "127.0.0.1"])),
    (78, "a key of the configuration is unknown", || {
        let folder = Folder::new();
        folder.file("config.toml", "nonsense = 1", 0o644);
        run(&["listen", "--config", &folder.path("config.toml")])
    }),
    (124, "the server hangs at sign-in", || send_to(silent_at("VER"), &["--timeout", "300ms"])),
    (124, "the server hangs at the call", || send_to(silent_at("CAL"), &["--timeout", "300ms"])),
    (124, "the server hangs at a request", || {
        let args = ["contacts", "list", "-o", "json", "--timeout", "300ms"];
        with(silent_at("SYN"), &args)
    }),
    (124, "listen has not met its count", || {
        let args = ["listen", "-o", "json", "--count", "1", "--timeout"];
        let run = |limit: &str| with(|_, _| Answer::Usual, &[&args[..], &[limit]].concat());
        with_limit(run, |ended| !ended.all("online").is_empty())
    }),
    (129, "the terminal is gone, while waiting", || signalled(Signal::SIGHUP)),
    (130, "SIGINT, while waiting", || signalled(Signal::SIGINT)),
    (130, "SIGINT, at sign-in", || {
        let fake = Fake::start(silent_at("INF"));
        let mut send = start_send(&fake.at, &[]);
        send.until_type("connected");
        send.interrupt();
        send.end()
    }),
    (130, "SIGINT, before there is anything to sign off from", || {
        let mut send = Msnp::start(&["send", "--to", "echo@example.net", "-"]);
        // More than a pipe holds: when it is written, the program reads.
        send.say(&"x".repeat(1024 * 1024));
        send.interrupt();
        send.end_with_stdin()
    }),
    (143, "SIGTERM, while waiting", || signalled(Signal::SIGTERM)),
    (143, "SIGTERM to a server", || {
        let (serve, _) = Msnp::serve(&[]);
        serve.signal(Signal::SIGTERM);
        serve.end()
    }),
];

const SEND: &[&str] = &["send", "-o", "json", "--to", "bob@example.net", "x"];

fn with(script: impl Fn(usize, &str) -> Answer + Send + Sync + 'static, args: &[&str]) -> Ended {
    let fake = Fake::start(script);
    Msnp::start_as("alice", &fake.at, args).end()
}

fn start_send(server: &str, more: &[&str]) -> Msnp {
    Msnp::start_as("alice", server, &[SEND, more].concat())
}

fn send_to(script: impl Fn(usize, &str) -> Answer + Send + Sync + 'static, more: &[&str]) -> Ended {
    with(script, &[SEND, more].concat())
}

fn at(line: &str, start: &str, answer: Answer) -> Answer {
    if line.starts_with(start) { answer } else { Answer::Usual }
}

fn silent_at(start: &'static str) -> impl Fn(usize, &str) -> Answer {
    move |_, line| at(line, start, Answer::Nothing)
}

/// Answers a command with a number, or a whole line.
fn refusing(start: &'static str, answer: &'static str) -> impl Fn(usize, &str) -> Answer {
    move |_, line| {
        let trid = line.split(' ').nth(1).unwrap_or("0");
        let said = if answer.contains(' ') { answer.into() } else { format!("{answer} {trid}") };
        at(line, start, Answer::Say(format!("{said}\r\n").into_bytes()))
    }
}

fn listen_for_one(more: &[&str]) -> Ended {
    let (_serve, at) = Msnp::serve(&[]);
    let mut listen = Msnp::start_as("bob", &at, &[&["listen", "-o", "json"], more].concat());
    listen.until_type("online");
    start_send(&at, &[]).end().assert_code(0);
    listen.end()
}

/// Sends a file of so many bytes to somebody on the built-in server.
fn send_file(to: &str, size: u64) -> Ended {
    let folder = Folder::new();
    let file = File::create(folder.path("x")).expect("a writable folder");
    file.set_len(size).expect("a sparse file");
    folder.file("script", &format!("file {to} {}\n", folder.path("x")), 0o644);
    run(&["run", "-o", "json", &folder.path("script")])
}

fn from(path: &str, args: &[&str]) -> Ended {
    Msnp::start_from(File::open(path).expect("it is there"), args).end()
}

fn wait(mut child: std::process::Child) -> Ended {
    let code = child.wait().expect("it is ours").code().unwrap_or(-1);
    Ended { code, lines: Vec::new(), stderr: String::new() }
}

/// Ends a listener that is online; the server must hear the goodbye.
fn signalled(signal: Signal) -> Ended {
    let fake = Fake::start(|_, _| Answer::Usual);
    let mut listen = Msnp::start_as("alice", &fake.at, &["listen", "-o", "json"]);
    listen.until_type("online");
    listen.signal(signal);
    let ended = listen.end();
    fake.until_heard("OUT");
    assert_eq!(fake.count("OUT"), 1, "it signs off");
    ended
}

#[test]
fn every_row_of_the_table() {
    for (code, why, cause) in TABLE {
        let ended = cause();
        assert_eq!(ended.code, *code, "{why}\n{}\n{}", ended.lines.join("\n"), ended.stderr);
        if ended.lines.first().is_some_and(|line| line.starts_with('{')) {
            // Looks at the last line among others.
            ended.events();
        }
        let is_clean = |text: &str| !text.contains('\x1b') && !text.contains("panicked");
        assert!(is_clean(&ended.stderr), "{why}: {}", ended.stderr);
    }
}

#[test]
fn every_code_has_a_row() {
    let page = run(&["man", "msnp"]).lines.join("\n");
    let table = page.split(".SH \"EXIT STATUS\"").nth(1).and_then(|rest| rest.split(".SH").next());
    let told: BTreeSet<i32> = table
        .expect("a section")
        .lines()
        .filter_map(|line| line.strip_prefix("\\fB")?.strip_suffix("\\fR")?.parse().ok())
        .collect();
    let shown: BTreeSet<i32> = TABLE.iter().map(|(code, ..)| *code).collect();
    assert_eq!(shown, told);
}

#[test]
fn a_panic_is_one_line_and_the_code_for_a_mistake_of_ours() {
    const CHILD: &str = "MSNP_TEST_PANICS";
    if std::env::var_os(CHILD).is_some() {
        msnp_cli::end_on_panic();
        let panics = std::thread::spawn(|| panic!("it was \x1b[2J\nso"));
        let _ = panics.join();
        unreachable!("the program has ended");
    }
    let name = "a_panic_is_one_line_and_the_code_for_a_mistake_of_ours";
    let output = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(70));
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(said.starts_with("msnp: mistake: it was \\u{1b}[2J\\nso at "), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    let (int, term, hup) = (Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP);
    let rows = [("INT", int), ("TERM", term), ("HUP", hup), ("INT TERM HUP", hup)];
    for (names, signal) in rows {
        let trap = format!("trap '' {names}");
        let mut pipe = Msnp::start_after(&trap, &["pipe", "-o", "json"]);
        pipe.until_type("online");
        pipe.signal(signal);
        pipe.say("{\"id\":\"1\",\"do\":\"send\",\"to\":\"echo@example.net\",\"text\":\"x\"}\n");
        pipe.until_type("acked");
        pipe.end().assert_code(0);
    }
    // The others are honoured.
    let mut listen = Msnp::start_after("trap '' INT", &["listen", "-o", "json"]);
    listen.until_type("online");
    listen.signal(Signal::SIGTERM);
    listen.end().assert_code(143);
}

#[test]
fn the_first_signal_ends_in_order_and_the_second_at_once() {
    let signals = [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)];
    for verb in [&["listen"][..], &["chat", "bob@example.net"], &["pipe"]] {
        for (signal, code) in signals {
            let end = || {
                // A server that takes the goodbye and never closes.
                let fake = Fake::start(|_, line| at(line, "OUT", Answer::Freeze));
                let args = [verb, &["-o", "json"]].concat();
                let mut msnp = Msnp::start_as("alice", &fake.at, &args);
                msnp.until_type("online");
                let begun = Instant::now();
                msnp.signal(signal);
                fake.until_heard("OUT");
                msnp.signal(signal);
                let ended = msnp.end_with_stdin();
                assert_eq!(ended.code, code);
                let is_at_once = !ended.lines.iter().any(|line| line.contains("\"done\""));
                // The peer's end is waited for only so long: on a machine that pauses as long the end in
                // order may come first.
                let is_late = begun.elapsed() >= Options::default().linger;
                assert!(is_at_once || is_late, "{:?}", ended.lines);
                is_at_once
            };
            assert!((0..10).any(|_| end()), "{verb:?} ends in order each time");
        }
    }
}

#[test]
fn a_signal_ends_every_verb_that_waits_for_a_server() {
    let folder = Folder::new();
    folder.file("script", "online bob@example.net within 5m\n", 0o644);
    let script = folder.path("script");
    for (verb, sends) in [
        (&["send", "--to", "bob@example.net", "x"][..], true),
        (&["listen"], false),
        (&["chat", "bob@example.net"], false),
        (&["pipe"], false),
        (&["run", &script], false),
        (&["contacts", "list"], false),
        (&["groups", "list"], false),
        (&["status"], false),
        (&["name"], false),
        (&["privacy"], false),
        (&["check"], false),
    ] {
        for silent in ["VER", "SYN"] {
            let fake = Fake::start(silent_at(silent));
            let args = [verb, &["-o", "json"]].concat();
            let msnp = Msnp::start_as("alice", &fake.at, &args);
            fake.until_heard(silent);
            msnp.interrupt();
            let ended = msnp.end_with_stdin();
            ended.assert_code(130);
            let failed = usize::from(sends);
            assert_eq!(ended.all("failed").len(), failed, "{verb:?}: {:?}", ended.lines);
        }
    }
}
