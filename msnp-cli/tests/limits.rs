//! What strangers may cost a server that runs, and that others are not told to pay for it.

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;
use support::{Folder, Msnp, USERS, run};

/// A connection that says and hears bytes.
struct Stranger(TcpStream);

impl Stranger {
    fn connect(at: &str) -> Self {
        let at: SocketAddr = at.parse().expect("an address");
        let stream = TcpStream::connect(at).expect("the server listens");
        // Only a test that fails waits that long.
        stream.set_read_timeout(Some(Duration::from_secs(300))).expect("a socket");
        Self(stream)
    }

    fn say(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).expect("the server reads");
    }

    /// The next bytes; none if the server has ended the connection.
    fn hear(&mut self) -> Option<String> {
        let mut bytes = [0; 4096];
        loop {
            return match self.0.read(&mut bytes) {
                Ok(0) => None,
                Ok(count) => Some(String::from_utf8_lossy(&bytes[..count]).into_owned()),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => None,
                // Who is stopped and goes on has not heard anything yet.
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => panic!("{error}"),
            };
        }
    }

    /// Whether the server talks with us.
    fn is_served(&mut self) -> bool {
        let answer = match self.0.write_all(b"VER 1 MSNP5\r\n") {
            Ok(()) => self.hear(),
            Err(_) => None,
        };
        assert!(answer.as_deref().is_none_or(|answer| answer == "VER 1 MSNP5\r\n"), "{answer:?}");
        answer.is_some()
    }
}

fn is_warning_of(event: &Value, words: &str) -> bool {
    event["type"] == "warning"
        && event["reason"].as_str().is_some_and(|reason| reason.contains(words))
}

#[test]
fn connections_over_the_limit_are_turned_away_and_the_operator_is_told_once() {
    for option in ["--max-per-address", "--max-connections"] {
        let (mut serve, at) = Msnp::serve(&["--single", option, "3"]);
        let mut inside = [0; 3].map(|_| Stranger::connect(&at));
        assert!(inside.iter_mut().all(Stranger::is_served), "at the limit");
        for _ in 0..20 {
            assert!(!Stranger::connect(&at).is_served(), "over the limit");
        }
        let warning = serve.until_type("warning");
        assert!(is_warning_of(&warning, option), "{warning}");
        let [one, _, _] = inside;
        drop(one);
        // The server sees the end when it sees it; until then there is no room.
        while !Stranger::connect(&at).is_served() {}
        serve.interrupt();
        let ended = serve.end();
        assert_eq!(ended.all("warning").len(), 1, "{:?}", ended.lines);
    }
}

/// How many bytes go out, one now and then, before the server has enough; it tells that too.
fn bytes_before_the_deadline(deadline: &str) -> usize {
    let (mut serve, at) = Msnp::serve(&["--single", "--sign-in-deadline", deadline]);
    let mut silent = Stranger::connect(&at);
    let mut trickling = Stranger::connect(&at);
    trickling.0.set_read_timeout(Some(Duration::from_millis(5))).expect("a socket");
    let line = "VER 1 MSNP5".bytes().cycle();
    let mut bytes = 0;
    for byte in line {
        if trickling.0.write_all(&[byte]).is_err() {
            break;
        }
        bytes += 1;
        match trickling.0.read(&mut [0]) {
            Err(error)
                if [ErrorKind::WouldBlock, ErrorKind::Interrupted].contains(&error.kind()) => {}
            Ok(0) | Err(_) => break,
            Ok(_) => panic!("there is no whole line"),
        }
        assert!(bytes < 60_000, "five minutes, and it is still there");
    }
    assert_eq!(silent.hear(), None);
    for _ in 0..2 {
        serve.until(|event| is_warning_of(event, "signing in took too long"));
    }
    bytes
}

#[test]
fn a_byte_now_and_then_does_not_move_the_deadline() {
    // A machine that pauses may let the deadline pass before the second byte.
    let is_there_for_a_while = |deadline| bytes_before_the_deadline(deadline) > 1;
    assert!(["400ms", "4s", "40s"].into_iter().any(is_there_for_a_while));
}

#[test]
fn without_descriptors_the_others_go_on_and_newcomers_wait() {
    let folder = Folder::new();
    let users = folder.file("users.toml", USERS, 0o600);
    let args = ["serve", "--listen", "127.0.0.1:0", "--single", "-o", "json", "--users"];
    let args = [&args, &[users.to_str().expect("an ASCII path")][..]].concat();
    let mut serve = Msnp::start_after("ulimit -n 40", &args);
    let at = serve.until_type("ready")["listen"].as_str().expect("an address").to_owned();
    let mut first = Stranger::connect(&at);
    assert!(first.is_served());
    // More than there are descriptors. The system takes them in, the server cannot.
    let mut crowd: Vec<Stranger> = (0..50).map(|_| Stranger::connect(&at)).collect();
    for stranger in &mut crowd {
        stranger.say("VER 1 MSNP5\r\n");
    }
    for _ in 0..5 {
        first.say("INF 2\r\n");
        assert_eq!(first.hear().as_deref(), Some("INF 2 MD5\r\n"));
    }
    // Whoever is in makes room, and the next is served.
    for mut stranger in crowd {
        assert_eq!(stranger.hear().as_deref(), Some("VER 1 MSNP5\r\n"));
    }
    first.say("INF 3\r\n");
    assert_eq!(first.hear().as_deref(), Some("INF 3 MD5\r\n"));
    serve.interrupt();
    let ended = serve.end();
    ended.assert_code(130);
    assert!(ended.stderr.contains("too few for 1024 connections"), "{}", ended.stderr);
}

#[test]
fn the_long_help_and_the_manual_have_every_limit() {
    let (short, long) = (run(&["serve", "--help"]), run(&["serve", "--help-all"]));
    long.assert_code(0);
    let options = |lines: &[String]| -> Vec<String> {
        let words = lines.iter().filter_map(|line| line.trim_start().strip_prefix("--"));
        words.filter_map(|line| line.split([' ', '\n']).next()).map(str::to_owned).collect()
    };
    let page = run(&["man", "serve"]).lines.join("\n");
    let begin = long.lines.iter().position(|line| line == "Limits:").expect("a heading");
    let end = long.lines.iter().position(|line| line == "Output:").expect("a heading");
    for option in options(&long.lines[begin..end]).iter().filter(|option| *option != "help-all") {
        let row = format!("| `--{option} ");
        assert!(include_str!("../SERVER.md").contains(&row), "{option} is not in SERVER.md");
    }
    let (short, long) = (options(&short.lines), options(&long.lines));
    assert!(short.iter().all(|option| long.contains(option)), "{short:?} {long:?}");
    assert!(long.len() > short.len() + 10, "{short:?} {long:?}");
    for option in long {
        assert!(page.contains(&option.replace('-', "\\-")), "{option}");
    }
}

/// The timer that the system keeps for the server's end of a connection: 2 is that of keep-alive.
#[cfg(target_os = "linux")]
fn timer(stranger: &Stranger) -> u8 {
    let ends = [stranger.0.peer_addr(), stranger.0.local_addr()];
    let [server, client] = ends.map(|end| format!(":{:04X}", end.expect("connected").port()));
    let table = std::fs::read_to_string("/proc/net/tcp").expect("proc is there");
    let mut rows = table.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
    let is_ours =
        |row: &Vec<&str>| row.len() > 5 && row[1].ends_with(&server) && row[2].ends_with(&client);
    let row = rows.find(is_ours).expect("it is in the table");
    row[5].split(':').next().and_then(|timer| timer.parse().ok()).expect("a number")
}

#[cfg(target_os = "linux")]
#[test]
fn the_system_asks_whether_silent_peers_still_live_unless_told_not_to() {
    for (options, expected) in
        [(&[][..], 2), (&["--keepalive", "30s"], 2), (&["--keepalive", "0"], 0)]
    {
        let (_serve, at) = Msnp::serve(options);
        let mut stranger = Stranger::connect(&at);
        assert!(stranger.is_served());
        assert_eq!(timer(&stranger), expected, "{options:?}");
    }
}
