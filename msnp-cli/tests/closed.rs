//! What happens when an end of the program towards its user is gone: no stdin, a stdout that is
//! full or that nobody reads, a terminal that went away. What was asked for is done all the same,
//! others are told that we leave, and the code says what was wrong.

mod support;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::OpenOptionsExt;
use std::process::Child;

use nix::fcntl::OFlag;
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use support::fake::{Answer, Fake};
use support::{Folder, Msnp, run, shell};

/// What each verb asks the server for, besides signing in.
const VERBS: [(&[&str], &str); 7] = [
    (&["send", "--to", "bob@example.net", "x"], "MSG"),
    (&["contacts", "list"], "SYN"),
    (&["contacts", "add", "carol@example.net"], "ADD"),
    (&["groups", "add", "Friends"], "ADG"),
    (&["status"], "SYN"),
    (&["name", "Alice"], "REA"),
    (&["check"], "CHG"),
];

fn full() -> File {
    File::options().write(true).open("/dev/full").expect("Linux has it")
}

/// A terminal: the end of its window, and one for a program. No other program inherits them.
fn terminal() -> (File, File) {
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let master: PtyMaster = posix_openpt(flags).expect("a terminal");
    grantpt(&master).and_then(|()| unlockpt(&master)).expect("it is ours");
    let name = ptsname_r(&master).expect("a name");
    let mut options = File::options();
    // It is not to become the terminal of the tests, which would end with it.
    options.read(true).write(true).custom_flags(OFlag::O_NOCTTY.bits());
    let slave = options.open(name).expect("it is unlocked");
    (File::from(std::os::fd::OwnedFd::from(master)), slave)
}

fn code(mut child: Child) -> Option<i32> {
    child.wait().expect("it is ours").code()
}

#[test]
fn what_was_asked_for_is_done_though_the_disk_is_full_or_nobody_reads() {
    for (verb, command) in VERBS {
        for form in ["text", "json"] {
            let args = [verb, &["-o", form]].concat();
            for stdout in [full().into(), support::unread()] {
                let fake = Fake::start(|_, _| Answer::Usual);
                let child = Msnp::start_as_to("alice", &fake.at, stdout, &args);
                assert_eq!(code(child), Some(74), "{args:?}");
                assert!(fake.count(command) > 0, "{args:?}");
                let goodbyes = if verb[0] == "send" { 2 } else { 1 };
                fake.until_heard_times("OUT", goodbyes);
                assert_eq!(fake.count("OUT"), goodbyes, "{args:?}");
            }
        }
    }
    for args in [
        &["config"][..],
        &["config", "send"],
        &["man"],
        &["man", "send"],
        &["completions", "zsh"],
        &["--help"],
    ] {
        for stdout in [full().into(), support::unread()] {
            assert_eq!(
                code(Msnp::start_as_to("alice", "127.0.0.1", stdout, args)),
                Some(74),
                "{args:?}"
            );
        }
    }
}

#[test]
fn a_capture_may_be_read_in_part_and_a_full_disk_is_said() {
    let capture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/captures/chat.pcap");
    // As with `head`.
    for (stdout, expected) in [(full().into(), 74), (support::unread(), 0)] {
        let child = Msnp::start_as_to("alice", "", stdout, &["decode", capture]);
        assert_eq!(code(child), Some(expected));
    }
}

#[test]
fn verbs_that_stay_leave_when_nobody_reads_and_say_when_the_disk_is_full() {
    for verb in [&["listen"][..], &["chat", "bob@example.net"], &["pipe"]] {
        for (stdout, expected) in [(full().into(), 74), (support::unread(), 0)] {
            let fake = Fake::start(|_, _| Answer::Usual);
            let child = Msnp::start_as_to("alice", &fake.at, stdout, verb);
            assert_eq!(code(child), Some(expected), "{verb:?}");
            // Whoever has signed in signs off.
            let sessions = fake.count("SYN");
            fake.until_heard_times("OUT", sessions);
            assert_eq!(fake.count("OUT"), fake.count("SYN"), "{verb:?}");
        }
    }
}

#[test]
fn a_server_goes_on_when_its_output_cannot_be_written() {
    for stdout in [full().into(), support::unread()] {
        // Its first line is lost, so the port has to be known: of an address where nobody else
        // looks for a free one meanwhile.
        let listener = std::net::TcpListener::bind("127.0.0.3:0").expect("a free port");
        let at = listener.local_addr().expect("it listens").to_string();
        drop(listener);
        let folder = Folder::new();
        folder.file("users.toml", support::USERS, 0o600);
        let users = folder.path("users.toml");
        let args = ["serve", "--listen", &at, "--users", &users];
        let mut serve = Msnp::start_as_to("alice", "", stdout, &args);
        let status = || Msnp::start_as("alice", &at, &["status", "--retry", "20"]).end();
        status().assert_code(0);
        status().assert_code(0);
        support::signal(&serve, nix::sys::signal::Signal::SIGTERM);
        assert_eq!(serve.wait().expect("it is ours").code(), Some(143));
    }
}

#[test]
fn without_stdin_nothing_waits_for_it() {
    for (verb, expected) in [
        (&["send", "--to", "echo@example.net", "x"][..], 0),
        (&["send", "--to", "echo@example.net"], 65),
        (&["send", "--to", "echo@example.net", "--password-stdin", "x"], 78),
        (&["chat", "echo@example.net"], 0),
        (&["listen", "--for", "1ms"], 0),
        (&["pipe"], 0),
        (&["contacts", "list"], 0),
        (&["check"], 0),
        (&["config"], 0),
    ] {
        // Closed, empty, and all three closed.
        for redirection in ["<&-", "</dev/null", "<&- >&- 2>&-"] {
            assert_eq!(shell(verb, redirection).code, expected, "{verb:?} {redirection}");
        }
    }
}

/// A stdout that was closed before the program began is given to it as `/dev/null`, before any of its
/// own code: nobody wants to read, so what was asked for is done and the code says how that ended. It
/// is not the same as a reader that went away.
#[test]
fn a_stdout_that_is_closed_from_the_start_is_one_that_nobody_wants() {
    let send: &[&str] = &["send", "--to", "echo@example.net", "x"];
    let nobody: &[&str] = &["send", "--to", "nobody@example.net", "x"];
    for redirection in [">&-", ">/dev/null"] {
        for (verb, code) in [
            (send, 0),
            (nobody, 69),
            (&["listen", "--for", "1ms"], 0),
            (&["pipe"], 0),
            (&["contacts", "list"], 0),
            (&["check"], 0),
            (&["config"], 0),
            (&["man", "send"], 0),
            (&["completions", "bash"], 0),
            (&["--help"], 0),
        ] {
            let ended = shell(verb, redirection);
            assert_eq!((ended.code, ended.lines.len()), (code, 0), "{verb:?} {redirection}");
        }
        let script = "send echo@example.net x\nsend nobody@example.net x";
        let ended = shell(&["run", "-"], &format!("{redirection} <<END\n{script}\nEND"));
        ended.assert_code(1);
    }
    // What was asked for is done.
    let fake = Fake::start(|_, _| Answer::Usual);
    let args = ["send", "--server", &fake.at, "--account", "alice@example.net"];
    let more = ["--password-command", "echo x", "--to", "bob@example.net", "x"];
    shell(&[&args[..], &more].concat(), ">&-").assert_code(0);
    assert_eq!(fake.count("MSG"), 1);
}

#[test]
fn an_error_on_stderr_that_nobody_sees_changes_nothing() {
    for redirection in ["2>&-", "2>/dev/full"] {
        let args = &["send", "-o", "json", "-vv", "--to", "echo@example.net", "x"];
        shell(args, redirection).assert_code(0);
        shell(&["send", "--to", "echo@example.net", ""], redirection).assert_code(65);
        shell(&["sned"], redirection).assert_code(2);
    }
    for option in ["--log-file", "--trace-wire"] {
        let args = ["send", "-o", "json", "--to", "echo@example.net", option, "/dev/full", "x"];
        let ended = run(&args);
        ended.assert_code(0);
        let said = ended.stderr.lines().filter(|line| line.contains("no space left"));
        assert_eq!(said.count(), 1, "{option}: {}", ended.stderr);
    }
}

#[test]
fn a_terminal_that_goes_away_ends_listening_in_order() {
    let (mut serve, at) = Msnp::serve(&[]);
    let (window, program) = terminal();
    let end = || program.try_clone().expect("a descriptor");
    let args = ["listen", "--color", "auto", "-vv"];
    let listen = Msnp::start_as_on("bob", &at, [end(), end(), end()], &args);
    let mut lines = BufReader::new(window);
    let mut line = String::new();
    while !line.contains("online as bob@example.net") && !line.contains("online\u{1b}[0m") {
        line.clear();
        assert!(lines.read_line(&mut line).is_ok_and(|read| read > 0), "it does not come online");
    }
    // The window is closed.
    drop((lines, program));
    Msnp::start_as("alice", &at, &["status"]).end().assert_code(0);
    Msnp::start_as("alice", &at, &["listen", "--for", "1ms"]).end().assert_code(0);
    serve.until(|event| event["type"] == "signed_out" && event["account"] == "bob@example.net");
    assert_eq!(code(listen), Some(74));
}

#[test]
fn a_chat_at_a_terminal_that_goes_away_leaves() {
    let fake = Fake::start(|_, _| Answer::Usual);
    let (window, program) = terminal();
    let end = || program.try_clone().expect("a descriptor");
    let args = ["chat", "-o", "json", "bob@example.net"];
    let chat = Msnp::start_as_on("alice", &fake.at, [end(), end(), end()], &args);
    drop(program);
    fake.until_heard("CAL");
    // The window is closed.
    drop(window);
    let code = code(chat);
    assert!(code == Some(74) || code == Some(66), "{code:?}");
    fake.until_heard_times("OUT", 2);
    assert_eq!(fake.count("OUT"), 2, "both servers hear that we leave");
}
