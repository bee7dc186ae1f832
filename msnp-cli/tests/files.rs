//! Files from one program to another, over sockets of this machine and by way of a server.

mod support;

use std::fs;
use std::path::Path;
use std::time::Duration;

use msnp_mio::Happened;
use msnp_proto::client::{Event as Told, Outcome};
use msnp_proto::types::{Delivery, Handle, Status};
use serde_json::{Value, json};
use support::client::Person;
use support::{Ended, Folder, Msnp, data_file, run, with_limit};

const ALICE: &str = "alice@example.net";

/// More than goes from one to another before somebody has looked up. It takes no room on the disk.
const ENDLESS: u64 = 4_000_000_000;

/// Bytes that differ from each other.
fn bytes(size: usize) -> Vec<u8> {
    (0..size).map(|at| u8::try_from((at / 251 + at) % 251).expect("below 251")).collect()
}

fn write(folder: &Folder, name: &str, bytes: &[u8]) -> String {
    fs::write(folder.path(name), bytes).expect("a writable folder");
    folder.path(name)
}

fn write_endless(folder: &Folder) -> String {
    let file = fs::File::create(folder.path("x")).expect("a writable folder");
    file.set_len(ENDLESS).expect("a sparse file");
    folder.path("x")
}

fn names(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(&folder.0).expect("a folder");
    let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("UTF-8");
    let mut names: Vec<String> = entries.map(|entry| name(entry.expect("an entry"))).collect();
    names.sort();
    names
}

/// Begins to run a script, given on stdin, as alice.
fn start(at: &str, script: &str, more: &[&str]) -> Msnp {
    let mut msnp = Msnp::start_as("alice", at, &[&["run", "-o", "json", "-"], more].concat());
    msnp.say(script);
    msnp.close_stdin();
    msnp
}

/// A pipe of bob's that is online.
fn pipe(at: &str, more: &[&str]) -> Msnp {
    let mut pipe = Msnp::start_as("bob", at, &[&["pipe"], more].concat());
    pipe.until_type("online");
    pipe
}

fn say(pipe: &mut Msnp, command: &Value) {
    pipe.say(&format!("{command}\n"));
}

fn accept(pipe: &mut Msnp, offer: &Value, folder: &Folder) {
    let (transfer, path) = (&offer["transfer"], folder.path(""));
    say(pipe, &json!({"id": "take", "do": "accept", "transfer": transfer, "path": path}));
}

/// How the only file ended.
#[track_caller]
fn end(ended: &Ended) -> Value {
    let ends = ended.all("transfer");
    assert_eq!(ends.len(), 1, "{:?}", ended.lines);
    ends[0].clone()
}

#[track_caller]
fn assert_result(ended: &Ended, code: i32, result: &str) -> Value {
    ended.assert_code(code);
    let end = end(ended);
    assert_eq!(end["result"], result, "{end}");
    end
}

#[test]
fn files_of_every_size_arrive_whole() {
    let (_serve, at) = Msnp::serve(&[]);
    let (ours, theirs) = (Folder::new(), Folder::new());
    let sizes = [0, 1, 2045, 100_000];
    let script: String = sizes
        .iter()
        .map(|size| {
            let path = write(&ours, &format!("of {size} bytes.bin"), &bytes(*size));
            format!("file bob@example.net {path}\n")
        })
        .collect();
    let mut bob = pipe(&at, &[]);
    let alice = start(&at, &script, &[]);
    for size in sizes {
        let offer = bob.until_type("offer");
        assert_eq!((&offer["from"], &offer["known"]), (&ALICE.into(), &true.into()));
        assert_eq!(
            (&offer["name"], &offer["bytes"]),
            (&format!("of {size} bytes.bin").into(), &size.into())
        );
        assert!(offer["chat"].is_u64() && offer["id"].is_null(), "{offer}");
        accept(&mut bob, &offer, &theirs);
        let end = bob.until_type("transfer");
        assert_eq!((&end["id"], &end["result"]), (&"take".into(), &"complete".into()), "{end}");
        assert_eq!(
            (&end["from"], &end["bytes"], &end["of"]),
            (&ALICE.into(), &size.into(), &size.into())
        );
        let path = end["path"].as_str().expect("a path");
        assert_eq!(Path::new(path).parent(), Some(theirs.0.as_path()));
        assert!(fs::read(path).expect("it is there") == bytes(size), "{size}");
    }
    bob.end().assert_code(0);
    let alice = alice.end();
    alice.assert_code(0);
    let ends = alice.all("transfer");
    let told: Vec<_> = ends.iter().map(|end| (end["line"].as_u64(), end["of"].as_u64())).collect();
    let expected: Vec<_> =
        (1..).zip(sizes).map(|(line, of)| (Some(line), Some(of as u64))).collect();
    assert_eq!(told, expected);
    assert!(ends.iter().all(|end| end["result"] == "complete" && end["bytes"] == end["of"]));
    assert_eq!(alice.all("done")[0]["line"], 4);
    assert_eq!(names(&theirs).len(), 4, "{:?}", names(&theirs));
}

#[test]
fn what_is_declined_is_told_on_both_sides() {
    let (_serve, at) = Msnp::serve(&[]);
    let ours = Folder::new();
    let path = write(&ours, "x", b"abc");
    let mut bob = pipe(&at, &[]);
    let script = format!("file bob@example.net {path}\nsend bob@example.net so what\n");
    let alice = start(&at, &script, &[]);
    let offer = bob.until_type("offer");
    say(&mut bob, &json!({"id": "no", "do": "decline", "transfer": offer["transfer"]}));
    let end = assert_result(&bob.end(), 0, "declined");
    assert_eq!((&end["id"], &end["bytes"]), (&"no".into(), &0.into()));
    let alice = alice.end();
    let end = assert_result(&alice, 69, "declined");
    assert_eq!((&end["line"], &end["to"]), (&1.into(), &"bob@example.net".into()));
    // It stops the run as a text that fails does.
    assert!(alice.all("sent").is_empty() && alice.all("done")[0]["line"].is_null());
    assert!(alice.stderr.contains("-:1: cannot send \"x\" to bob@example.net: declined"));
}

#[test]
fn whoever_takes_a_file_can_stop_it_in_the_middle() {
    let (_serve, at) = Msnp::serve(&[]);
    let (ours, theirs) = (Folder::new(), Folder::new());
    let path = write_endless(&ours);
    let mut bob = pipe(&at, &[]);
    let alice = start(&at, &format!("file bob@example.net {path}\n"), &[]);
    let offer = bob.until_type("offer");
    accept(&mut bob, &offer, &theirs);
    let progress = bob.until_type("progress");
    assert_eq!((&progress["id"], &progress["of"]), (&"take".into(), &ENDLESS.into()));
    assert_eq!(names(&theirs), ["x.part"]);
    say(&mut bob, &json!({"do": "decline", "transfer": offer["transfer"]}));
    let end = assert_result(&bob.end(), 0, "cancelled");
    assert_eq!(end["id"], "take");
    assert!(names(&theirs).is_empty());
    assert_result(&alice.end(), 69, "cancelled_there");
}

#[test]
fn an_interrupted_program_leaves_nothing_and_tells_the_other_side() {
    let (_serve, at) = Msnp::serve(&[]);
    let (ours, theirs) = (Folder::new(), Folder::new());
    let path = write_endless(&ours);
    let mut bob = pipe(&at, &[]);
    let alice = start(&at, &format!("file bob@example.net {path}\n"), &[]);
    let offer = bob.until_type("offer");
    accept(&mut bob, &offer, &theirs);
    bob.until_type("progress");
    bob.interrupt();
    assert_result(&bob.end_with_stdin(), 130, "cancelled");
    assert!(names(&theirs).is_empty());
    assert_result(&alice.end(), 69, "cancelled_there");
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_and_the_offer_stands() {
    let (_serve, at) = Msnp::serve(&[]);
    let (ours, theirs) = (Folder::new(), Folder::new());
    let path = write(&ours, "x", b"abc");
    let mut bob = pipe(&at, &[]);
    let alice = start(&at, &format!("file bob@example.net {path}\n"), &[]);
    let offer = bob.until_type("offer");
    let nowhere = [theirs.path("nowhere"), "/proc".into(), write(&ours, "file", b"")];
    for (path, id) in nowhere.into_iter().zip(["a", "b", "c"]) {
        let transfer = &offer["transfer"];
        say(&mut bob, &json!({"id": id, "do": "accept", "transfer": transfer, "path": path}));
        let refused = bob.until_type("refused");
        assert_eq!((&refused["id"], &refused["request"]), (&id.into(), &"accept".into()));
        let reason = refused["name"].as_str().expect("a reason");
        assert!(reason.starts_with("cannot write into "), "{reason}");
    }
    accept(&mut bob, &offer, &theirs);
    assert_result(&bob.end(), 1, "complete");
    assert_result(&alice.end(), 0, "complete");
    // Of those alone the code is that of the disk.
    let mut bob = pipe(&at, &[]);
    let alice = start(&at, &format!("file bob@example.net {path}\n"), &[]);
    let offer = bob.until_type("offer");
    say(&mut bob, &json!({"do": "accept", "transfer": offer["transfer"], "path": "/proc"}));
    bob.until_type("refused");
    // The end of the input is no answer to an offer, but nobody is left to give one.
    let end = assert_result(&bob.end(), 74, "declined");
    assert_eq!(end["reason"], "nobody is here any more");
    assert_result(&alice.end(), 69, "declined");
}

#[test]
fn names_stay_in_the_folder_and_nothing_is_written_over() {
    let (_serve, at) = Msnp::serve(&[]);
    let (ours, others, theirs) = (Folder::new(), Folder::new(), Folder::new());
    write(&theirs, "there.txt", b"old");
    let mut script = String::new();
    for (folder, name) in [
        (&ours, "x.txt"),
        (&others, "x.txt"),
        (&ours, "there.txt"),
        (&ours, "CON"),
        (&ours, "a\x1b[2Jb\u{202e}fdp.exe"),
        (&ours, "..\\..\\evil"),
    ] {
        let path = write(folder, name, name.as_bytes());
        script.push_str(&format!("file bob@example.net {path}\n"));
    }
    let args = ["listen", "-o", "json", "--accept-files", &theirs.path("")];
    let mut bob = Msnp::start_as("bob", &at, &args);
    bob.until_type("online");
    start(&at, &script, &[]).end().assert_code(0);
    for _ in 0..6 {
        assert_eq!(bob.until_type("transfer")["result"], "complete");
    }
    bob.interrupt();
    let bob = bob.end();
    bob.assert_code(130);
    assert_eq!(
        names(&theirs),
        ["_CON", "a[2Jbfdp.exe", "evil", "there (1).txt", "there.txt", "x (1).txt", "x.txt"]
    );
    assert_eq!(fs::read(theirs.path("there.txt")).expect("it is there"), b"old");
    assert!(!bob.lines.iter().any(|line| line.contains(['\x1b', '\u{202e}'])));
}

/// An offer as anybody could write it.
fn invite(cookie: u32, name: &str, size: &str) -> Vec<u8> {
    format!(
        "MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsinvite; charset=UTF-8\r\n\r\n\
         Application-Name: File Transfer\r\n\
         Application-GUID: {{5D3E02AB-6190-11d3-BBBB-00C04F795683}}\r\n\
         Invitation-Command: INVITE\r\nInvitation-Cookie: {cookie}\r\n\
         Application-File: {name}\r\nApplication-FileSize: {size}\r\n\
         Connectivity: N\r\n\r\n"
    )
    .into_bytes()
}

/// Says a payload to somebody in a chat of their own, and waits until the server has it.
fn say_payload(person: &mut Person, to: &Handle, payload: &[u8]) {
    let now = person.reactor.now();
    let client = person.reactor.host_mut();
    let chat = client.open_chat(now, to).expect("online");
    let said = client.send_payload(now, chat, payload, Delivery::Always).expect("a payload");
    // Only a test that fails waits that long.
    let until = now + Duration::from_secs(20);
    loop {
        match person.reactor.next(Some(until)).expect("the poll works") {
            Happened::Event(Told::Delivery { message, outcome }) if message == said => {
                return assert_eq!(outcome, Outcome::Acknowledged);
            }
            Happened::Event(_) | Happened::Woken => {}
            Happened::Due => panic!("it is not taken"),
        }
    }
}

#[test]
fn what_strangers_call_a_file_leads_nowhere_and_steers_nothing() {
    let (_serve, at) = Msnp::serve(&[]);
    let theirs = Folder::new();
    let [alice, bob] = ["alice", "bob"]
        .map(|name| Handle::new(&format!("{name}@example.net")).expect("an account"));
    let names_of = [
        ("../../x", "x.part"),
        ("/etc/passwd", "passwd.part"),
        ("CON", "_CON.part"),
        ("a\x1b]0;t\x07\u{202e}fdp.exe", "a]0;tfdp.exe.part"),
        ("..", "file.part"),
    ];
    let mut pipe = pipe(&at, &[]);
    let mut stranger = Person::sign_in(&at, &alice, "geheim-alice").expect("let in");
    // Who is hidden cannot call anybody.
    let seen = stranger.ask(|client, now| client.set_status(now, Status::Online));
    assert_eq!(seen, Ok(Ok(())));
    for (cookie, (name, part)) in (1..).zip(names_of) {
        say_payload(&mut stranger, &bob, &invite(cookie, name, "4294967295"));
        let offer = pipe.until_type("offer");
        assert_eq!(offer["name"], name);
        accept(&mut pipe, &offer, &theirs);
        let transfer = offer["transfer"].clone();
        say(&mut pipe, &json!({"id": "what", "do": "accept", "transfer": transfer}));
        // Both lines have been read when the second is answered.
        pipe.until(|event| event["type"] == "refused" && event["id"] == "what");
        assert_eq!(names(&theirs), [part]);
        say(&mut pipe, &json!({"do": "decline", "transfer": transfer}));
        assert_eq!(pipe.until_type("transfer")["result"], "cancelled");
        assert!(names(&theirs).is_empty());
    }
    assert!(!pipe.seen().iter().any(|line| line.contains(['\x1b', '\x07', '\u{202e}'])));
    // What is no offer is none.
    say_payload(&mut stranger, &bob, &invite(99, "x", "many"));
    say(&mut pipe, &json!({"id": "last", "do": "decline", "transfer": 99}));
    let ended = pipe.end();
    ended.assert_code(1);
    assert_eq!(ended.all("offer").len(), names_of.len());
}

#[test]
fn a_session_that_was_made_again_exchanges_files_too() {
    let (mut serve, at) = Msnp::serve(&["--operator"]);
    let (ours, theirs) = (Folder::new(), Folder::new());
    let path = write(&ours, "x", b"abc");
    let mut bob = pipe(&at, &["--retry-max-wait", "10ms"]);
    serve.say("{\"do\":\"end\",\"account\":\"bob@example.net\"}\n");
    bob.until_type("lost");
    bob.until_type("online");
    let alice = start(&at, &format!("file bob@example.net {path}\n"), &[]);
    let offer = bob.until_type("offer");
    accept(&mut bob, &offer, &theirs);
    assert_result(&alice.end(), 0, "complete");
    assert_result(&bob.end(), 0, "complete");
}

#[test]
fn an_offer_that_nobody_answers_ends_with_the_time() {
    let (_serve, at) = Msnp::serve(&[]);
    let ours = Folder::new();
    let path = write(&ours, "x", b"abc");
    let mut bob = pipe(&at, &[]);
    let run = |limit: &str| {
        let script = format!("file bob@example.net {path}\nsleep 1h\n");
        start(&at, &script, &["--timeout", limit]).end()
    };
    let ended = with_limit(run, |ended| !ended.all("transfer").is_empty());
    let end = assert_result(&ended, 124, "cancelled");
    assert!(end["reason"].as_str().is_some_and(|why| why.starts_with("--timeout of ")), "{end}");
    bob.until_type("offer");
    assert_eq!(bob.until_type("transfer")["result"], "cancelled_there");
    // An offer that was taken back is no failure of whoever did not answer.
    bob.end().assert_code(0);
}

#[test]
fn a_chat_without_a_terminal_declines() {
    let (_serve, at) = Msnp::serve(&[]);
    let ours = Folder::new();
    let path = write(&ours, "x", b"abc");
    let mut bob = Msnp::start_as("bob", &at, &["chat", "-o", "json", ALICE]);
    bob.until_type("online");
    let alice = start(&at, &format!("file bob@example.net {path}\n"), &[]);
    assert_result(&alice.end(), 69, "declined");
    assert_result(&bob.end(), 0, "declined");
}

#[test]
fn listen_takes_files_of_contacts_only() {
    let (folder, ours, theirs) = (Folder::new(), Folder::new(), Folder::new());
    let path = write(&ours, "x", b"abc");
    data_file(&folder.path("data"), &["alice", "bob"]);
    let (_serve, at) = Msnp::serve_data(&folder.path("data"), &[]);
    let script = format!("file bob@example.net {path}\n");
    let listen = |more: &[&str]| {
        let mut listen = Msnp::start_as("bob", &at, &[&["listen", "-o", "json"], more].concat());
        listen.until_type("online");
        listen
    };
    // A stranger, a contact, one who is not meant, and nobody at all.
    let take = ["--accept-files", &theirs.path("")];
    let mut rounds = vec![(&take[..], "declined", Some("not on the contact list"))];
    let not_meant = [&take[..], &["--from", "carol@example.net"]].concat();
    let meant = [&take[..], &["--from", ALICE]].concat();
    rounds.push((&meant, "complete", None));
    rounds.push((&[], "declined", Some("nobody is here to take files")));
    for (round, (more, result, reason)) in rounds.into_iter().enumerate() {
        if round == 1 {
            let add = ["contacts", "add", "-o", "json", ALICE];
            Msnp::start_as("bob", &at, &add).end().assert_code(0);
        }
        let mut bob = listen(more);
        let alice = start(&at, &script, &[]).end();
        assert_result(&alice, if result == "complete" { 0 } else { 69 }, result);
        assert_eq!(bob.until_type("offer")["name"], "x");
        let end = bob.until_type("transfer");
        assert_eq!((end["result"].as_str(), end["reason"].as_str()), (Some(result), reason));
        bob.interrupt();
        bob.end().assert_code(130);
    }
    assert_eq!(names(&theirs), ["x"]);
    // What is not to be shown is declined all the same.
    let bob = listen(&not_meant);
    assert_result(&start(&at, &script, &[]).end(), 69, "declined");
    bob.interrupt();
    let bob = bob.end();
    assert!(bob.all("offer").is_empty() && bob.all("transfer").is_empty(), "{:?}", bob.lines);
}

#[test]
fn a_script_declines_what_others_offer() {
    let (_serve, at) = Msnp::serve(&[]);
    let ours = Folder::new();
    let path = write(&ours, "x", b"abc");
    let mut bob = Msnp::start_as("bob", &at, &["run", "-o", "json", "-"]);
    bob.say("expect alice@example.net contains \"done\"\n");
    bob.close_stdin();
    bob.until_type("online");
    let script = format!("file bob@example.net {path}\nsend bob@example.net done\n");
    let alice = start(&at, &script, &["--on-error", "continue"]).end();
    assert_result(&alice, 1, "declined");
    assert_eq!(alice.all("done")[0]["line"], 2);
    let bob = bob.end();
    assert_result(&bob, 0, "declined");
    assert_eq!(bob.all("offer").len(), 1);
}

#[test]
fn where_others_connect_is_for_the_user_to_say() {
    let (_serve, at) = Msnp::serve(&[]);
    let (ours, theirs) = (Folder::new(), Folder::new());
    let path = write(&ours, "x", b"abc");
    let none = ["--file-address", "none"];
    let here = ["--file-address", "127.0.0.1"];
    for (sender, taker, code, result) in [
        (&here[..], &[][..], 0, "complete"),
        (&[], &here, 0, "complete"),
        (&none, &none, 75, "no_connection"),
        // Who cannot be reached can connect to the other side.
        (&[], &none, 0, "complete"),
        (&none, &[], 0, "complete"),
    ] {
        let mut bob = pipe(&at, taker);
        let alice = start(&at, &format!("file bob@example.net {path}\n"), sender);
        let offer = bob.until_type("offer");
        accept(&mut bob, &offer, &theirs);
        assert_result(&alice.end(), code, result);
        assert_result(&bob.end(), code, result);
    }
    assert_eq!(names(&theirs), ["x", "x (1)", "x (2)", "x (3)"]);
    for wrong in ["::1", "localhost", "0.0.0.0", ""] {
        let option = format!("--file-address={wrong}");
        let ended = run(&["listen", &option]);
        ended.assert_code(2);
        assert!(ended.stderr.contains("the IPv4 address of one machine"), "{}", ended.stderr);
    }
}

#[test]
fn the_echo_takes_every_file() {
    let ours = Folder::new();
    let path = write(&ours, "report 1.pdf", &bytes(50_000));
    let mut msnp = Msnp::start(&["run", "-o", "json", "-"]);
    msnp.say(&format!("file echo@example.net {path}\nfile echo@example.net {path}\n"));
    let ended = msnp.end();
    ended.assert_code(0);
    assert!(ended.all("transfer").iter().all(|end| end["result"] == "complete"));
    assert_eq!(ended.all("transfer").len(), 2);
    // For people it is one line.
    let mut msnp = Msnp::start(&["run", "-"]);
    msnp.say(&format!("file echo@example.net {path}\n"));
    let ended = msnp.end();
    ended.assert_code(0);
    let about = |line: &&String| line.starts_with("progress") || line.starts_with("transfer");
    let lines: Vec<_> = ended.lines.iter().filter(about).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    let shown = "transfer      1 to echo@example.net: complete, 50000 bytes in ";
    assert!(lines[0].starts_with(shown), "{lines:?}");
    assert!(lines[0].ends_with(": \"report 1.pdf\", line 1"), "{lines:?}");
}

#[test]
fn files_are_looked_at_before_anything_is_connected() {
    let folder = Folder::new();
    let good = write(&folder, "good", b"x");
    let file = fs::File::create(folder.path("large")).expect("a writable folder");
    file.set_len(u64::from(u32::MAX) + 1).expect("a sparse file");
    let echo = |name: &str| format!("file echo@example.net {}\n", folder.path(name));
    for (name, code, reason) in [
        ("missing", 66, "no such file or directory"),
        ("", 66, "is not a regular file"),
        ("large", 65, "cannot be sent, since others cannot count further"),
    ] {
        let mut msnp = Msnp::start(&["run", "-"]);
        msnp.say(&format!("file echo@example.net {good}\n{}", echo(name)));
        let ended = msnp.end();
        ended.assert_code(code);
        assert!(ended.lines.is_empty(), "{:?}", ended.lines);
        assert!(ended.stderr.contains("error: -:2: "), "{}", ended.stderr);
        assert!(ended.stderr.contains(reason), "{}", ended.stderr);
        assert!(ended.stderr.contains("1 file cannot be sent; nothing was sent"));
    }
    // What is passed over need not be there.
    let mut msnp = Msnp::start(&["run", "-", "--from-line", "2"]);
    msnp.say(&format!("{}file echo@example.net {good}\n", echo("missing")));
    msnp.end().assert_code(0);
    // A pipe finds out when it is the file's turn.
    let mut pipe = Msnp::start(&["pipe"]);
    for (id, name) in [("a", "missing"), ("b", ""), ("c", "large")] {
        let path = folder.path(name);
        say(&mut pipe, &json!({"id": id, "do": "file", "to": "echo@example.net", "path": path}));
    }
    let ended = pipe.end();
    ended.assert_code(66);
    let ids: Vec<_> = ended.all("refused").iter().map(|event| event["id"].clone()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    assert!(ended.all("transfer").is_empty());
    run(&["listen", "--accept-files", &folder.path("missing")]).assert_code(73);
    run(&["listen", "--accept-files", &good]).assert_code(73);
}
