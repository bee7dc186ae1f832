//! `serve --data`: what people change is there after a restart, and accounts can be managed while
//! the server runs.

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use support::{CLOSED, Ended, Folder, Msnp, data_file, run, user};

fn act(at: &str, name: &str, args: &[&str]) -> Ended {
    Msnp::start_as(name, at, &[args, &["-o", "json"]].concat()).end()
}

/// What a verb says of people, groups and settings, without what differs from run to run.
fn facts(ended: &Ended) -> Vec<Value> {
    let wanted = ["contact", "group", "setting", "presence"];
    ended
        .events()
        .into_iter()
        .filter(|event| wanted.iter().any(|name| event["type"] == *name))
        .map(|mut event| {
            let fields = event.as_object_mut().expect("an object");
            for field in ["v", "seq", "t"] {
                fields.remove(field);
            }
            event
        })
        .collect()
}

/// Everything that a person can see of their own account.
fn everything(at: &str, name: &str) -> Vec<Value> {
    let verbs: [&[&str]; 5] =
        [&["contacts", "list"], &["groups", "list"], &["name"], &["privacy"], &["status"]];
    let mut all = Vec::new();
    for verb in verbs {
        let ended = act(at, name, verb);
        ended.assert_code(0);
        all.extend(facts(&ended));
    }
    all
}

#[test]
fn everything_is_as_left_after_a_restart() {
    let folder = Folder::new();
    let path = folder.path("data");
    data_file(&path, &["alice", "bob", "carol", "dave"]);
    let (serve, at) = Msnp::serve_data(&path, &[]);
    let steps: [&[&str]; 12] = [
        &["groups", "add", "Friends", "Work", "Old"],
        &["contacts", "add", "--group", "Friends", "bob@example.net", "carol@example.net"],
        &["contacts", "add", "--name", "Dave \u{e9} 100%", "dave@example.net"],
        &["contacts", "rename", "bob@example.net", "Bobby"],
        &["contacts", "move", "--to", "Work", "bob@example.net"],
        &["contacts", "add", "--group", "1", "bob@example.net"],
        &["contacts", "move", "--from", "Work", "--to", "0", "bob@example.net"],
        &["contacts", "block", "carol@example.net"],
        &["contacts", "remove", "carol@example.net"],
        &["groups", "rename", "Old", "New and 'old'"],
        &["groups", "remove", "Work"],
        &["name", "Alice \u{1f600} B."],
    ];
    for step in steps {
        act(&at, "alice", step).assert_code(0);
    }
    act(&at, "alice", &["privacy", "block", "--prompt", "never"]).assert_code(0);
    act(&at, "bob", &["contacts", "add", "alice@example.net"]).assert_code(0);
    let before = everything(&at, "alice");
    let expected = [
        json!({"type": "contact", "account": "bob@example.net", "name": "Bobby",
            "lists": ["FL", "AL", "RL"], "state": "FLN",
            "groups": [{"id": 0, "name": "~"}, {"id": 1, "name": "Friends"}]}),
        json!({"type": "contact", "account": "carol@example.net", "name": "carol@example.net",
            "lists": ["BL"], "state": "FLN", "groups": []}),
        json!({"type": "contact", "account": "dave@example.net", "name": "Dave \u{e9} 100%",
            "lists": ["FL", "AL"], "state": "FLN", "groups": [{"id": 0, "name": "~"}]}),
        json!({"type": "group", "group": 0, "name": "~", "contacts": 2}),
        json!({"type": "group", "group": 1, "name": "Friends", "contacts": 1}),
        json!({"type": "group", "group": 3, "name": "New and 'old'", "contacts": 0}),
        json!({"type": "setting", "name": "name", "value": "Alice \u{1f600} B.",
            "account": "alice@example.net"}),
        json!({"type": "setting", "name": "privacy", "value": "BL"}),
        json!({"type": "setting", "name": "prompt", "value": "N"}),
    ];
    assert_eq!(before.get(..expected.len()), Some(&expected[..]));
    let of_bob = everything(&at, "bob");
    serve.signal(Signal::SIGTERM);
    serve.end().assert_code(143);

    let (serve, at) = Msnp::serve_data(&path, &[]);
    assert_eq!(everything(&at, "alice"), before);
    assert_eq!(everything(&at, "bob"), of_bob);
    // And what was allowed and blocked holds for calls.
    let mut alice = Msnp::start_as("alice", &at, &["listen", "-o", "json", "--count", "1"]);
    alice.until_type("online");
    act(&at, "carol", &["send", "--to", "alice@example.net", "x"]).assert_code(69);
    act(&at, "bob", &["send", "--to", "alice@example.net", "hello"]).assert_code(0);
    assert_eq!(alice.until_type("message")["text"], "hello");
    alice.end().assert_code(0);
    serve.interrupt();
    serve.end().assert_code(130);
}

#[test]
fn each_account_and_group_has_its_own_answer() {
    let folder = Folder::new();
    let path = folder.path("data");
    data_file(&path, &["alice", "bob", "carol"]);
    let (_serve, at) = Msnp::serve_data(&path, &[]);
    let (bob, carol, ghost) = ("bob@example.net", "carol@example.net", "ghost@example.net");
    let ended = act(&at, "alice", &["contacts", "add", bob, ghost, carol]);
    ended.assert_code(1);
    let accounts: Vec<_> = facts(&ended).iter().map(|fact| fact["account"].clone()).collect();
    assert_eq!(accounts, [bob, carol]);
    let refused = &ended.all("refused")[0];
    assert_eq!((&refused["account"], &refused["code"]), (&ghost.into(), &205.into()));
    assert!(ended.stderr.contains("cannot add ghost@example.net: no such user"));

    let ended = act(&at, "alice", &["contacts", "add", "--on-error", "stop", ghost, bob]);
    ended.assert_code(69);
    let names: Vec<_> = ended.all("refused").iter().map(|no| no["name"].to_string()).collect();
    assert!(names.len() == 2 && names[1].contains("not tried"), "{names:?}");

    // What is so already is no failure.
    act(&at, "alice", &["contacts", "add", bob]).assert_code(0);
    act(&at, "alice", &["contacts", "allow", bob]).assert_code(0);
    act(&at, "alice", &["privacy", "allow"]).assert_code(0);

    let rows: [(&[&str], i32, &str); 12] = [
        (&["contacts", "remove", ghost], 69, "not on the list"),
        (&["contacts", "rename", ghost, "x"], 69, "on no list"),
        (&["contacts", "move", "--to", "Nope", bob], 69, "no group \"Nope\""),
        (&["contacts", "move", "--to", "0", ghost], 69, "not a contact"),
        (&["contacts", "list", ghost], 69, "not there"),
        (&["contacts", "list", bob, ghost], 1, "not there"),
        (&["status", ghost], 69, "not a contact"),
        (&["groups", "remove", "0"], 69, "cannot be removed"),
        (&["groups", "add", "a name of more than sixty-one bytes when blanks take three"], 65, ""),
        (&["groups", "list", "--protocol", "MSNP6"], 69, "MSNP7"),
        (&["contacts", "add", "--name", "x", bob, carol], 2, "--name"),
        (&["name", ""], 2, "not empty"),
    ];
    for (args, code, hint) in rows {
        let ended = act(&at, "alice", args);
        ended.assert_code(code);
        assert!(ended.stderr.contains(hint), "{}", ended.stderr);
    }
    let named = Msnp::start_as("alice", &at, &["contacts", "list"]).end();
    named.assert_code(0);
    assert!(named.lines.iter().any(|line| line.ends_with("contact, allowed; in \"~\"")));
    // Nothing answers there.
    act(CLOSED, "alice", &["contacts", "list"]).assert_code(75);
    act(&at, "ghost", &["contacts", "list"]).assert_code(77);
}

#[test]
fn a_group_that_has_the_number_of_another_as_its_name_is_not_taken_for_it() {
    let (_serve, at) = Msnp::serve(&[]);
    let groups = || -> Vec<Value> {
        let listed = act(&at, "alice", &["groups", "list"]);
        listed.all("group").iter().map(|group| group["name"].clone()).collect()
    };
    // Numbers 1 to 3; group 0 is always there.
    act(&at, "alice", &["groups", "add", "Pals", "1", "3"]).assert_code(0);
    let rows: [(&[&str], &str); 4] = [
        (&["groups", "remove", "1"], "\"1\" is the name of group 2"),
        (&["groups", "rename", "1", "x"], "say number:2 or number:1"),
        (&["contacts", "add", "--group", "1", "bob@example.net"], "say number:2 or number:1"),
        (&["contacts", "list", "--group", "number:9"], "no group \"number:9\""),
    ];
    for (args, hint) in rows {
        let ended = act(&at, "alice", args);
        ended.assert_code(69);
        assert!(ended.stderr.contains(hint), "{args:?}: {}", ended.stderr);
        assert_eq!(groups(), ["~", "Pals", "1", "3"]);
    }
    // Its own number as a name is no riddle, nor is a name that is nobody's number.
    act(&at, "alice", &["groups", "rename", "3", "7"]).assert_code(0);
    act(&at, "alice", &["groups", "rename", "7", "Work"]).assert_code(0);
    act(&at, "alice", &["groups", "remove", "number:2"]).assert_code(0);
    assert_eq!(groups(), ["~", "Pals", "Work"]);
    act(&at, "alice", &["groups", "remove", "1"]).assert_code(0);
    assert_eq!(groups(), ["~", "Work"]);
}

#[test]
fn what_is_said_of_groups_is_what_the_next_listing_says() {
    let folder = Folder::new();
    let path = folder.path("data");
    data_file(&path, &["alice", "bob"]);
    for (_serve, at) in [Msnp::serve(&[]), Msnp::serve_data(&path, &[])] {
        let bob = "bob@example.net";
        act(&at, "alice", &["contacts", "add", bob]).assert_code(0);
        for name in ["Pals", "Work"] {
            act(&at, "alice", &["groups", "add", name]).assert_code(0);
        }
        let rows: [(&[&str], &[u32]); 6] = [
            (&["move", "--to", "Pals", bob], &[1]),
            (&["add", "--group", "Work", bob], &[1, 2]),
            (&["remove", "--group", "1", bob], &[2]),
            (&["add", "--group", "0", bob], &[0, 2]),
            (&["remove", "--group", "0", bob], &[2]),
            (&["remove", "--group", "Work", bob], &[0]),
        ];
        let groups = |ended: &Ended| -> Vec<Value> {
            let groups = facts(ended).last().map(|fact| fact["groups"].clone());
            let groups = groups.and_then(|groups| groups.as_array().cloned()).unwrap_or_default();
            groups.into_iter().map(|group| group["id"].clone()).collect()
        };
        for (args, expected) in rows {
            let ended = act(&at, "alice", &[&["contacts"], args].concat());
            ended.assert_code(0);
            assert_eq!(groups(&ended), expected, "{args:?}");
            let listed = act(&at, "alice", &["contacts", "list", bob]);
            assert_eq!(groups(&listed), expected, "after {args:?}");
        }
        // What would change nothing is not said to be done.
        let rows: [(&[&str], &str); 3] = [
            (&["remove", "--group", "0", bob], "in no other group"),
            (&["remove", "--group", "Work", bob], "not in group 2"),
            (&["move", "--from", "Work", "--to", "Pals", bob], "not in group 2"),
        ];
        for (args, hint) in rows {
            let ended = act(&at, "alice", &[&["contacts"], args].concat());
            ended.assert_code(69);
            assert!(ended.stderr.contains(hint), "{}", ended.stderr);
        }
        assert_eq!(groups(&act(&at, "alice", &["contacts", "list", bob])), [0]);
    }
}

#[test]
fn status_tells_who_is_online() {
    let (_serve, at) = Msnp::serve(&[]);
    let mut bob = Msnp::start_as("bob", &at, &["listen", "-o", "json"]);
    bob.until_type("online");
    let ended = act(&at, "alice", &["status"]);
    ended.assert_code(0);
    let presence = &ended.all("presence")[0];
    assert_eq!(
        (&presence["account"], &presence["state"], &presence["name"]),
        (&"bob@example.net".into(), &"NLN".into(), &"Bob".into())
    );
    // Nobody has seen alice come and go.
    bob.interrupt();
    let bob = bob.end();
    let seen = bob.all("presence");
    assert!(seen.iter().all(|event| event["state"] == "FLN"), "{seen:?}");
}

#[test]
fn others_see_the_session_leave_that_signing_in_ends_as_the_help_says() {
    let (_serve, at) = Msnp::serve(&[]);
    let mut alice = Msnp::start_as("alice", &at, &["listen", "-o", "json"]);
    alice.until_type("online");
    let is_of_bob = |event: &Value| event["type"] == "presence" && event["initial"] == false;
    for verb in [&["contacts", "list"][..], &["status"], &["name"], &["check"]] {
        let mut bob = Msnp::start_as("bob", &at, &["listen", "--no-reconnect", "-o", "json"]);
        bob.until_type("online");
        assert_eq!(alice.until(is_of_bob)["state"], "NLN");
        act(&at, "bob", verb).assert_code(0);
        assert_eq!(alice.until(is_of_bob)["state"], "FLN", "{verb:?}");
        bob.end();
        let help = run(&[verb[0], "--help"]).lines.join(" ");
        assert!(help.contains("others see that one leave, and nothing of this"), "{help}");
    }
}

#[test]
fn accounts_are_managed_while_the_server_runs() {
    let folder = Folder::new();
    let path = folder.path("data");
    let missing = user(&path, "x", &["list"]);
    missing.assert_code(66);
    assert!(missing.stderr.contains("user add"), "{}", missing.stderr);
    let (mut serve, at) = Msnp::serve_data(&path, &[]);
    act(&at, "alice", &["name"]).assert_code(77);
    let added = user(&path, "geheim-alice", &["add", "--name", "Alice A.", "alice@example.net"]);
    added.assert_code(0);
    let event = &added.all("user")[0];
    assert_eq!(
        (&event["account"], &event["change"]),
        (&"alice@example.net".into(), &"added".into())
    );
    let named = act(&at, "alice", &["name"]);
    assert_eq!(named.all("setting")[0]["value"], "Alice A.");
    data_file(&path, &["bob"]);
    user(&path, "x", &["add", "ALICE@example.net"]).assert_code(69);
    let ended = user(&path, "x", &["password", "ghost@example.net"]);
    ended.assert_code(69);
    let said = format!("cannot change the password of ghost@example.net in {path}: there is no");
    assert!(ended.stderr.contains(&said), "{}", ended.stderr);
    let ended = user(&path, "x", &["add", "--name", "\x1b[1mX", "eve@example.net"]);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("no control characters"), "{}", ended.stderr);
    user(&path, "x", &["remove", "ghost@example.net"]).assert_code(69);
    user(&path, "", &["password", "bob@example.net"]).assert_code(78);

    let password = folder.file("password", " neu \n", 0o600);
    let password = password.to_str().expect("an ASCII path");
    user(&path, "x", &["password", "--password-file", password, "bob@example.net"]).assert_code(0);
    act(&at, "bob", &["name"]).assert_code(77);
    act(&at, "bob", &["name", "--password-file", password]).assert_code(0);
    let listed = user(&path, "", &["list"]);
    listed.assert_code(0);
    let names: Vec<_> = listed.all("user").iter().map(|user| user["name"].clone()).collect();
    assert_eq!(names, ["Alice A.", "bob@example.net"]);

    // Removed while online: her next change ends it, and nothing of it is kept.
    let mut alice = Msnp::start_as("alice", &at, &["listen", "-o", "json"]);
    alice.until_type("online");
    user(&path, "", &["remove", "alice@example.net"]).assert_code(0);
    act(&at, "alice", &["name"]).assert_code(77);
    alice.interrupt();
    serve.until(|event| event["type"] == "signed_out" && event["account"] == "alice@example.net");
    alice.end().assert_code(130);
    assert_eq!(user(&path, "", &["list"]).all("user").len(), 1);

    let second = run(&["serve", "--listen", "127.0.0.1:0", "--data", &path]);
    second.assert_code(75);
    assert!(second.stderr.contains("another server"), "{}", second.stderr);
    run(&["serve", "--data", &path, "--users", "x"]).assert_code(2);
    run(&["serve", "user", "list"]).assert_code(2);
    // No secret is shown anywhere.
    serve.interrupt();
    let all = [serve.end(), added, named, listed];
    assert!(
        all.iter()
            .all(|one| !one.stderr.contains("geheim") && !one.lines.concat().contains("geheim"))
    );
}

#[test]
fn a_file_that_others_can_read_is_refused() {
    let folder = Folder::new();
    let path = folder.path("data");
    data_file(&path, &["alice"]);
    assert_eq!(fs::metadata(&path).expect("made").mode() & 0o7777, 0o600);
    for mode in [0o644, 0o640, 0o602] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("our own file");
        for ended in [run(&["serve", "--data", &path]), user(&path, "x", &["list"])] {
            ended.assert_code(78);
            assert!(ended.stderr.contains(&format!("mode {mode:04o}")), "{}", ended.stderr);
        }
    }
    let text = folder.file("text", "[[user]]", 0o600);
    let text = text.to_str().expect("an ASCII path");
    run(&["serve", "--data", text]).assert_code(78);
    run(&["serve", "--data", "/no/such/folder/data"]).assert_code(66);
}

/// A file system of its own that is full soon, if we may make one.
struct SmallDisk(Folder);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = Folder::new();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=512k,mode=0700", "tmpfs"])
            .arg(&folder.0)
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(folder)),
            _ => {
                eprintln!("not tested: a full disk needs the right to mount one");
                None
            }
        }
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let (mut room, mut size) = (0, 64 * 1024);
        while size > 0 {
            match fs::write(self.0.0.join(format!("filler-{room}-{size}")), vec![0; size]) {
                Ok(()) => room += 1,
                Err(_) => size /= 2,
            }
        }
    }

    fn clear(&self) {
        for entry in fs::read_dir(&self.0.0).expect("our own folder").flatten() {
            if entry.file_name().to_string_lossy().starts_with("filler") {
                fs::remove_file(entry.path()).expect("our own file");
            }
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // The folder goes next; a mount that stays does no harm to the test.
        let _ = Command::new("umount").arg("-l").arg(&self.0.0).output();
    }
}

/// Shows nothing where the tests may not mount a file system, as without root; it says so then.
#[test]
fn on_a_full_disk_changes_are_refused_and_all_else_goes_on() {
    let Some(disk) = SmallDisk::mount() else { return };
    let path = disk.0.path("data");
    data_file(&path, &["alice", "bob", "carol"]);
    let (mut serve, at) = Msnp::serve_data(&path, &[]);
    act(&at, "alice", &["contacts", "add", "bob@example.net"]).assert_code(0);
    disk.fill();
    let refused = act(&at, "alice", &["contacts", "add", "carol@example.net"]);
    refused.assert_code(75);
    assert_eq!(refused.all("refused")[0]["code"], 501);
    let warning = serve.until_type("warning");
    let reason = warning["reason"].as_str().expect("a text");
    assert!(reason.contains("could not be written: ") && reason.contains("full"), "{reason}");
    act(&at, "alice", &["name", "A"]).assert_code(75);
    // Reading and talking go on.
    let listed = act(&at, "alice", &["contacts", "list"]);
    listed.assert_code(0);
    let people: Vec<_> = facts(&listed).iter().map(|one| one["account"].clone()).collect();
    assert_eq!(people, ["bob@example.net"]);
    let mut bob = Msnp::start_as("bob", &at, &["listen", "-o", "json", "--count", "1"]);
    bob.until_type("online");
    act(&at, "alice", &["send", "--to", "bob@example.net", "still here"]).assert_code(0);
    assert_eq!(bob.until_type("message")["text"], "still here");
    bob.end().assert_code(0);
    disk.clear();
    act(&at, "alice", &["contacts", "add", "carol@example.net"]).assert_code(0);
    serve.interrupt();
    serve.end().assert_code(130);
}
