//! `msnp decode` as a user runs it: captures that tcpdump made of our own traffic, inputs of every
//! kind, and every way to end.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use support::Folder;

fn capture(name: &str) -> String {
    format!("{}/tests/captures/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Whoever runs the tests may have a configuration of their own.
fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_msnp"));
    command.arg("decode").env("XDG_CONFIG_HOME", "/dev/null");
    command.env_remove("MSNP_CONFIG").env_remove("NO_COLOR");
    command
}

fn decode(args: &[&str]) -> Output {
    decode_from(Stdio::null(), args)
}

fn decode_from(stdin: Stdio, args: &[&str]) -> Output {
    command().args(args).stdin(stdin).output().expect("the program is built")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn events(output: &Output) -> Vec<Value> {
    let events: Vec<Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    for (seq, event) in events.iter().enumerate() {
        assert_eq!((&event["v"], &event["seq"]), (&1.into(), &seq.into()), "{event}");
    }
    let done = events.last().expect("at least one event");
    assert_eq!(
        (&done["type"], done["exit"].as_i64()),
        (&"done".into(), output.status.code().map(Into::into))
    );
    events
}

#[test]
fn the_same_packets_in_every_kind_of_file_are_the_same_events() {
    let read = |name: &str| {
        let output = decode(&["-o", "json", &capture(name)]);
        assert!(output.status.success() && output.stderr.is_empty(), "{name}: {output:?}");
        let mut events = events(&output);
        for event in &mut events {
            event["t"] = event["t"].as_str().map(|t| &t[..19]).into();
        }
        events
    };
    let expected = read("dispatch.pcap");
    let verbs: Vec<&str> = expected.iter().filter_map(|event| event["verb"].as_str()).collect();
    assert_eq!(verbs, ["VER", "VER", "INF", "INF", "USR", "XFR"]);
    assert_eq!(expected[6]["address"], "127.0.0.1:1864");
    for name in [
        "dispatch.pcapng",
        "dispatch-big-endian-nanos.pcap",
        "dispatch-two-sections.pcapng",
        "dispatch-any.pcap",
    ] {
        assert_eq!(read(name), expected, "{name}");
    }
}

#[test]
fn a_chat_over_three_ports_is_followed_from_the_first() {
    let output = decode(&["-o", "json", &capture("chat.pcap")]);
    let events = events(&output);
    let messages: Vec<&Value> = events
        .iter()
        .filter(|event| event["verb"] == "MSG" && event["server"] == "switchboard")
        .collect();
    let said = "Grüße; a #1 \"quoted\" line\nand another";
    assert_eq!(messages.len(), 2);
    assert!(messages.iter().all(|message| message["body"]["text"] == said));
    let servers: Vec<&str> =
        events.iter().filter_map(|event| event["server_address"].as_str()).collect();
    let port = |last| format!("127.0.0.1:186{last}");
    assert_eq!(servers, [3, 4, 3, 4, 5, 5].map(port));
    assert!(!text(&output.stdout).contains("30c6b"), "challenges are masked");
    assert_eq!(events.last().map(|done| &done["unreadable_bytes"]), Some(&0.into()));
}

/// What tshark's dissector for this protocol shows: the lines of each direction, in order. It cuts
/// segments at line ends and knows nothing of payloads.
fn tshark(path: &str, ports: &[&str]) -> Option<BTreeMap<(u16, u16), Vec<String>>> {
    let mut command = Command::new("tshark");
    command.args(["-r", path, "-O", "msnms", "-Y", "msnms"]);
    for port in ports {
        command.args(["-d", &format!("tcp.port=={port},msnms")]);
    }
    let output = command.stderr(Stdio::null()).output().ok()?;
    assert!(output.status.success(), "tshark failed");
    let mut streams: BTreeMap<(u16, u16), Vec<String>> = BTreeMap::new();
    let mut ends = (0, 0);
    for line in text(&output.stdout).lines() {
        if line.starts_with("Transmission Control Protocol") {
            let port = |name: &str| {
                let (_, rest) = line.split_once(name).expect("a port");
                rest.split(',').next().and_then(|port| port.trim().parse().ok()).expect("a number")
            };
            ends = (port("Src Port:"), port("Dst Port:"));
        } else if let Some(line) = line.strip_prefix("    ") {
            // The digest of QRY has no line end, so what follows it is on the same line.
            let digest = line.bytes().take_while(|byte| b"0123456789abcdef".contains(byte)).count();
            let line = if digest == 32 { &line[32..] } else { line };
            streams
                .entry(ends)
                .or_default()
                .push(line.trim_end_matches("\\n").trim_end_matches("\\r").to_owned());
        }
    }
    Some(streams)
}

/// Compares nothing where tshark is not installed; it says so then (`--nocapture`).
#[test]
fn commands_are_those_that_tshark_shows() {
    let path = capture("chat.pcap");
    let Some(streams) = tshark(&path, &["1864", "1865"]) else {
        println!("tshark is not installed: nothing was compared");
        return;
    };
    let events = events(&decode(&["-o", "json", "--show-secrets", &path]));
    let mut compared = 0;
    for event in &events {
        if event["change"] != "opened" {
            continue;
        }
        let port = |name: &str| {
            let address = event[name].as_str().expect("an address");
            address.rsplit(':').next().and_then(|port| port.parse::<u16>().ok()).expect("a port")
        };
        let (client, server) = (port("client_address"), port("server_address"));
        for (side, ends) in [("client", (client, server)), ("server", (server, client))] {
            let ours: Vec<&Value> = events
                .iter()
                .filter(|other| other["connection"] == event["connection"])
                .filter(|other| other["type"] == "command" && other["from"] == side)
                .collect();
            // Lines that begin with a verb that we saw: payloads of this file have none.
            let theirs: Vec<&String> = streams[&ends]
                .iter()
                .filter(|line| {
                    ours.iter().any(|ours| {
                        let word = line.split(' ').next();
                        word == ours["verb"].as_str()
                    })
                })
                .collect();
            let verbs = |lines: &[&String]| -> Vec<String> {
                lines.iter().map(|line| line[..3].to_owned()).collect()
            };
            let our_verbs: Vec<&str> =
                ours.iter().filter_map(|ours| ours["verb"].as_str()).collect();
            assert_eq!(our_verbs, verbs(&theirs), "connection {}, {side}", event["connection"]);
            for (ours, theirs) in ours.iter().zip(theirs) {
                let words: Vec<&str> = theirs.split(' ').collect();
                if let Some(trid) = ours["trid"].as_u64() {
                    assert_eq!(words.get(1), Some(&&*trid.to_string()), "{theirs}");
                }
                // Each word that we have as text is a word of the line.
                for name in
                    ["account", "status", "list", "challenge", "cookie", "session", "address"]
                {
                    if let Some(word) = ours[name].as_str() {
                        assert!(words.contains(&word), "{name} of {ours}: {theirs}");
                    }
                }
                compared += 1;
            }
        }
    }
    assert!(compared > 90, "{compared}");
    println!("{compared} commands are those of tshark");
}

#[test]
fn text_for_people() {
    let output = decode(&[&capture("dispatch.pcap")]);
    let lines = text(&output.stdout);
    let lines: Vec<&str> = lines.lines().collect();
    assert!(lines[0].starts_with("    0.000000 connection #1 opened 127.0.0.1:"), "{}", lines[0]);
    assert!(lines[6].ends_with("command    #1 dispatch S> XFR trid=3 address=127.0.0.1:1864 zero=0 current=127.0.0.1:1863"), "{}", lines[6]);
    assert!(
        lines[8].ends_with(" done connections: 1, commands: 6, packets: 14, exit 0"),
        "{}",
        lines[8]
    );
    let coloured = decode(&["--color", "always", &capture("dispatch.pcap")]);
    assert!(text(&coloured.stdout).contains("\x1b[32mcommand"));
}

const HOSTILE: &str = "\
0.5 ns C: VER 1 MSNP7
1.25 ns S: NLN NLN a@b.c \\x1b[2J%0A%1b%e2%80%ae;x#y<b>
2 ns S: XYZ \\x9b31m a;b
3.000001 ns C: PNG
4 sb C: USR 1 a@b.c secret
4 sb S: MSG a@b.c A 59
4 sb S: Content-Type: text/plain; charset=UTF-8
4 sb S:
4 sb S: \\x1b]0;x\\x07 #1; end
4 sb S! close
";

#[test]
fn diagrams_are_as_wide_as_they_should_be_and_safe() {
    let folder = Folder::new();
    let path = folder.file("hostile.txt", HOSTILE, 0o600);
    let path = path.to_str().expect("an ASCII path");
    for (args, all) in [(&["--ladder"][..], 100), (&["--ladder", "--width", "80"], 80), (&[], 1000)]
    {
        let output = decode(&[args, &[path]].concat());
        assert!(output.status.success());
        let shown = text(&output.stdout);
        for line in shown.lines() {
            assert!(line.chars().count() <= all, "{line}");
            assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
        }
    }
    let ladder = text(&decode(&["--ladder", path]).stdout);
    assert!(ladder.contains("|------------+----------->|            |  #1 PNG"), "{ladder}");
    assert!(
        ladder.contains("|<-----------+------------+------------|  #2 MSG a@b.c A \""),
        "{ladder}"
    );
    assert!(
        ladder.contains("|------------+------------+----------->|  #2 USR 1 a@b.c ***"),
        "{ladder}"
    );

    let mermaid = text(&decode(&["--mermaid", path]).stdout);
    assert!(mermaid.starts_with("sequenceDiagram\n    participant C1 as client\n"), "{mermaid}");
    for line in mermaid.lines().skip(1) {
        assert!(!line.chars().any(char::is_control), "{line:?}");
        // Every `;` ends an entity, and every `#` begins one.
        let label = line.split_once(": ").map_or("", |(_, label)| label);
        for part in label.split('#').skip(1) {
            let (number, _) = part.split_once(';').expect("an entity");
            assert!(number.parse::<u32>().is_ok(), "{line}");
        }
        let entities = label.matches('#').count();
        assert_eq!(label.matches(';').count(), entities, "{line}");
        assert!(!label.contains(['<', '>', '&', '"', '%', '\\']), "{line}");
    }
    assert!(mermaid.contains("    C1->>N: 2.500001 #35;1 PNG\n"), "{mermaid}");
    assert!(mermaid.contains("    S->>C1: "), "{mermaid}");
}

#[test]
fn from_stdin_in_pieces() {
    let bytes = fs::read(capture("chat.pcap")).expect("the fixture");
    for args in [&["-o", "json"][..], &["-o", "json", "-"]] {
        let mut command = command();
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program is built");
        let mut stdin = child.stdin.take().expect("a pipe");
        for piece in bytes.chunks(1000) {
            stdin.write_all(piece).expect("the program reads");
        }
        drop(stdin);
        let output = child.wait_with_output().expect("it is ours");
        assert_eq!(events(&output).last().map(|done| &done["commands"]), Some(&102.into()));
    }
}

#[test]
fn what_is_captured_now_is_shown_now_and_a_signal_ends_it() {
    support::honour_signals();
    for name in ["dispatch.pcap", "dispatch.pcapng"] {
        let mut command = command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program is built");
        let bytes = fs::read(capture(name)).expect("the fixture");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(&bytes).expect("the program reads");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let first = lines.next().expect("a line").expect("UTF-8");
        assert!(first.contains("#1 opened"), "{first}");
        let last = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("closed")));
        assert!(last.is_some());
        let pid = i32::try_from(child.id()).map(Pid::from_raw).expect("a process id");
        kill(pid, Signal::SIGINT).expect("it still runs");
        assert_eq!(child.wait().expect("it is ours").code(), Some(130), "{name}");
        drop(stdin);
    }
}

#[test]
fn every_end_has_its_code_and_one_line() {
    let folder = Folder::new();
    let whole = fs::read(capture("chat.pcap")).expect("the fixture");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path(name);
        fs::write(&path, bytes).expect("a writable folder");
        path
    };
    let mut lying = whole.clone();
    lying[24 + 8..][..4].copy_from_slice(&[0xFF; 4]);
    let rows = [
        (0, capture("chat.pcap"), ""),
        (65, file("cut", &whole[..5000]), "the file ends within a record, "),
        (65, file("lying", &lying), "packet 1 claims to have 4294967295 bytes (at byte 24)"),
        (65, file("nothing", b""), "nothing: nothing in it"),
        (65, file("words", b"hello there\n"), "neither a capture, nor a transcript"),
        (65, file("packed.gz", &[0x1F, 0x8B, 8, 0]), "compressed by gzip; unpack it first"),
        (65, file("broken.txt", b"C: PNG\nC: \\q\n"), "line 2, column 4: expected one of"),
        (66, folder.path("missing"), "cannot read"),
        (66, folder.path(""), "it is a directory"),
        (66, folder.path("\x1b[2J\n"), "\\u{1b}[2J\\n: no such file"),
    ];
    for (code, path, said) in rows {
        let output = decode(&["-o", "json", &path]);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{path}: {stderr}");
        assert!(stderr.contains(said) && stderr.lines().count() <= 1, "{path}: {stderr}");
        if code != 66 {
            // What could be read is there.
            let commands = events(&output).last().map(|done| done["commands"].as_u64());
            let some = path.ends_with("cut")
                || path.ends_with("chat.pcap")
                || path.ends_with("broken.txt");
            assert_eq!(commands.flatten().is_some_and(|count| count > 0), some, "{path}");
        }
    }
    for args in [
        &["--ladder", "--mermaid", "x"][..],
        &["--ladder", "-o", "json", "x"],
        &["--width", "90", "x"],
        &["--ladder", "--width", "79", "x"],
        &["--port", "0", "x"],
        &["--port", "65536", "x"],
        &["--port", "", "x"],
        &["--format", "pcapx", "x"],
        &["x", "y"],
    ] {
        let output = decode(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", text(&output.stderr));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn no_connection_to_the_port_is_said() {
    let output = decode(&["--port", "5050,5190", &capture("chat.pcap")]);
    assert_eq!(output.status.code(), Some(0));
    let stderr = text(&output.stderr);
    assert_eq!(
        stderr,
        "msnp: no connection to a server's port in 111 packets; --port names other ports\n"
    );
    let quiet = decode(&["-q", "--port", "5050", "--port", "5190", &capture("chat.pcap")]);
    assert!(quiet.stderr.is_empty());
    // Ports that clients were sent to are followed; those that nobody names are not.
    let some = decode(&["-o", "json", "--port", "1864", &capture("chat.pcap")]);
    let opened = events(&some).iter().filter(|event| event["change"] == "opened").count();
    assert_eq!(opened, 4);
}

#[test]
fn a_full_disk_is_an_error_and_a_reader_that_left_is_none() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    if let Ok(full) = full {
        let mut command = command();
        command.arg(capture("chat.pcap")).stdin(Stdio::null()).stdout(full);
        let output = command.stderr(Stdio::piped()).output().expect("the program is built");
        assert_eq!(output.status.code(), Some(74));
        let stderr = text(&output.stderr);
        assert!(stderr.starts_with("msnp: error: cannot write to stdout: no space"), "{stderr}");
    }
    let mut command = command();
    command.arg(capture("chat.pcap")).stdin(Stdio::null());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program is built");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it is ours");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}

#[test]
fn a_stream_in_which_nothing_can_be_read_is_wrong_input() {
    let folder = Folder::new();
    let path = folder.path("stream");
    // No line end, no command: the same bytes in each run.
    let noise: Vec<u8> =
        (0..5_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for (bytes, code, reason) in [
        (&noise[..], 65, "nothing in these 5000 bytes is of this protocol"),
        (b"\xff\xfe\xfd", 65, "nothing in these 3 bytes"),
        (b"VER 1 MSNP7\r\n\xff\xfe\xfd", 0, ""),
        (b"", 0, ""),
    ] {
        fs::write(&path, bytes).expect("our own folder");
        for form in ["json", "text"] {
            let output = decode(&["--format", "server", "-o", form, &path]);
            let stderr = text(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{stderr}");
            assert!(stderr.contains(reason) && stderr.is_empty() == (code == 0), "{stderr}");
        }
    }
}
