//! The configuration file: what goes before what, and what is said about mistakes.

mod support;

use serde_json::Value;
use support::fake::{Answer, Fake};
use support::{Ended, Folder, Msnp, run, run_in};

/// Variables with their values.
type Environment<'a> = &'a [(&'a str, &'a str)];

/// A folder for `XDG_CONFIG_HOME` with this file in it.
fn home(text: &str, mode: u32) -> Folder {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("msnp")).expect("a fresh name");
    folder.file("msnp/config.toml", text, mode);
    folder
}

fn run_at(home: &Folder, more: Environment<'_>, args: &[&str]) -> Ended {
    let path = home.path("");
    run_in(&[&[("XDG_CONFIG_HOME", path.trim_end_matches('/'))], more].concat(), args)
}

/// The one row about a setting.
fn setting(ended: &Ended, name: &str) -> Value {
    let rows: Vec<Value> =
        ended.all("setting").into_iter().filter(|row| row["name"] == name).collect();
    assert_eq!(rows.len(), 1, "{name}: {:?}", ended.lines);
    rows.into_iter().next().expect("one")
}

fn refused(text: &str, mode: u32, args: &[&str]) -> String {
    let ended = run_at(&home(text, mode), &[], args);
    ended.assert_code(78);
    assert!(ended.lines.is_empty(), "{:?}", ended.lines);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("config.toml"), "{}", ended.stderr);
    ended.stderr
}

const SEND: &[&str] = &["send", "-o", "json", "--to", "echo@example.net", "x"];

#[test]
fn options_go_before_the_environment_that_before_the_file_that_before_what_is_built_in() {
    let profile = "[profile.work]\naccount = \"work@example.net\"\n";
    let file = home(&format!("account = \"file@example.net\"\n{profile}"), 0o644);
    let variable = [("MSNP_ACCOUNT", "variable@example.net")];
    let option = ["--account", "option@example.net"];
    let work = ["--profile", "work"];
    // Each row leaves the uppermost layer of the one before away.
    type Row<'a> = (Environment<'a>, Vec<&'a str>, Option<&'a str>, Option<&'a str>);
    let rows: [Row<'_>; 5] = [
        (&variable, [work, option].concat(), Some("option@example.net"), Some("option")),
        (&variable, work.to_vec(), Some("variable@example.net"), Some("environment")),
        (&[], work.to_vec(), Some("work@example.net"), Some("file")),
        (&[], vec![], Some("file@example.net"), Some("file")),
        (&[], vec!["--no-config"], None, None),
    ];
    for (environment, options, value, source) in rows {
        let args = [&["config", "-o", "json", "send"], options.as_slice()].concat();
        let ended = run_at(&file, environment, &args);
        ended.assert_code(0);
        let row = setting(&ended, "account");
        assert_eq!((row["value"].as_str(), row["source"].as_str()), (value, source), "{row}");
        if source == Some("file") {
            let (line, profile) = if options.is_empty() { (1, None) } else { (3, Some("work")) };
            assert_eq!((&row["line"], row["profile"].as_str()), (&line.into(), profile), "{row}");
            assert!(row["file"].as_str().is_some_and(|file| file.ends_with("/msnp/config.toml")));
        }
        // What is shown is what is done: without a server of one's own every account will do.
        let sent = run_at(&file, environment, &[SEND, options.as_slice()].concat());
        sent.assert_code(0);
        let online = &sent.all("online")[0]["account"];
        assert_eq!(online, value.unwrap_or("me@example.net"));
    }
    let row = setting(&run_at(&file, &[], &["config", "-o", "json", "send"]), "timeout");
    assert_eq!((&row["value"], &row["source"]), (&"30s".into(), &"built_in".into()));
}

#[test]
fn the_file_may_be_named_or_left_out() {
    let default = home("timeout = \"1s\"", 0o644);
    let named = home("timeout = \"2s\"", 0o644);
    let path = named.path("msnp/config.toml");
    let variable = [("MSNP_CONFIG", path.as_str())];
    let rows: [(Environment<'_>, &[&str], &str); 6] = [
        (&[], &[], "1s"),
        (&[], &["--config", &path], "2s"),
        (&variable, &[], "2s"),
        (&[], &["--no-config"], "30s"),
        (&variable, &["--no-config"], "30s"),
        (&[("XDG_CONFIG_HOME", "relative"), ("HOME", "/dev/null")], &[], "30s"),
    ];
    for (environment, options, timeout) in rows {
        let args = [&["config", "-o", "json"], options, &["send"]].concat();
        let row = setting(&run_at(&default, environment, &args), "timeout");
        assert_eq!(row["value"], timeout, "{environment:?} {options:?}");
    }
    // What named it is shown.
    for verb in [&[][..], &["send"]] {
        let rows: [(Environment<'_>, &[&str], &str, Option<&str>); 3] = [
            (&[], &[], "built_in", None),
            (&variable, &[], "environment", Some("MSNP_CONFIG")),
            (&variable, &["--config", &path], "option", None),
        ];
        for (environment, options, source, variable) in rows {
            let args = [&["config", "-o", "json"], options, verb].concat();
            let row = setting(&run_at(&default, environment, &args), "config");
            let shown = (row["source"].as_str(), row["variable"].as_str());
            assert_eq!(shown, (Some(source), variable), "{environment:?} {args:?}");
        }
    }
    // Without XDG_CONFIG_HOME it is below HOME.
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path(".config/msnp")).expect("a fresh name");
    folder.file(".config/msnp/config.toml", "timeout = \"3s\"", 0o644);
    let at = folder.path("");
    for xdg in ["", "relative"] {
        let environment = [("HOME", at.as_str()), ("XDG_CONFIG_HOME", xdg)];
        let ended = run_in(&environment, &["config", "-o", "json", "send"]);
        assert_eq!(setting(&ended, "timeout")["value"], "3s");
    }
}

#[test]
fn a_variable_that_is_empty_is_not_set() {
    let empty = [("MSNP_CONFIG", ""), ("MSNP_SERVER", ""), ("MSNP_ACCOUNT", "")];
    let home = home("timeout = \"1s\"", 0o644);
    for verb in [SEND, &["contacts", "list"]] {
        let ended = run_at(&home, &empty, verb);
        ended.assert_code(0);
    }
    let ended = run_at(&home, &empty, &["config", "-o", "json", "send"]);
    ended.assert_code(0);
    for (name, source) in [("server", "built_in"), ("config", "built_in"), ("timeout", "file")] {
        assert_eq!(setting(&ended, name)["source"], source);
    }
    assert!(setting(&ended, "account")["value"].is_null());
}

#[test]
fn the_advice_about_a_mistake_can_be_followed() {
    let home = home("x = 1", 0o644);
    run_at(&home, &[], &["config"]).assert_code(78);
    let ended = run_at(&home, &[], &["config", "--no-config"]);
    ended.assert_code(0);
    assert!(ended.lines.iter().any(|line| line.contains("timeout")), "{:?}", ended.lines);
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let folder = Folder::new();
    let missing = folder.path("missing.toml");
    for args in [&["--config", &missing][..], &["--config", "/dev/null/x"]] {
        let ended = run(&[SEND, args].concat());
        ended.assert_code(66);
        assert!(ended.lines.is_empty() && ended.stderr.contains(args[1]), "{}", ended.stderr);
    }
    run_in(&[("MSNP_CONFIG", &missing)], SEND).assert_code(66);
    for path in [folder.path(""), "/dev/null".into(), "/dev/zero".into()] {
        run(&[SEND, &["--config", &path]].concat()).assert_code(78);
    }
    run(&[SEND, &["--config", &missing, "--no-config"]].concat()).assert_code(2);
    run(&[SEND, &["--no-config", "--profile", "x"]].concat()).assert_code(2);
    run(&[SEND, &["--profile", "x"]].concat()).assert_code(78);
    run(&[SEND, &["--profile", "x", "--config", &missing]].concat()).assert_code(66);
}

#[test]
fn a_mistake_is_said_with_its_line_and_what_may_have_been_meant() {
    let rows = [
        ("\nacount = \"a@b.c\"\n", "line 2: unknown key \"acount\"; did you mean \"account\"?"),
        (
            "[profile.x]\ntime-out = \"1s\"\n",
            "line 2: unknown key \"time-out\"; did you mean \"timeout\"?",
        ),
        ("x = 1", "line 1: unknown key \"x\"; `msnp config --no-config`"),
        ("to = \"a@b.c\"", "line 1: \"to\" is for the command line only"),
        ("help = true", "line 1: \"help\" is for the command line only"),
        ("timeout = \"soon\"", "line 1: timeout: \"soon\" does not fit: "),
        ("timeout = 30", "line 1: timeout: \"30\" does not fit: "),
        ("retry = -1", "line 1: retry: \"-1\" does not fit: "),
        ("retry = \"many\"", "line 1: retry: "),
        ("until = \"read\"", "it should be one of queued, sent, acked"),
        ("account = \"\"", "name@domain"),
        ("output = \"xml\"", "it should be one of text, json"),
        ("no-reconnect = \"maybe\"", "line 1: no-reconnect"),
        ("verbose = 300", "line 1: verbose"),
        ("server = [\"a\"]", "line 1: server should be a string, a number, true or false"),
        ("server = { host = \"a\" }", "line 1: server should be"),
        ("[server]\nhost = 1", "server should be"),
        ("profile = \"x\"", "profiles have the form [profile.NAME]"),
        ("[profile]\nx = 1", "profile.x should be a table"),
        ("quiet = true\nverbose = 1", "line 2: quiet and verbose exclude each other"),
        ("password-file = \"x\"\npassword-command = \"y\"", "exclude each other"),
        ("server = \"a\"\nserver = \"b\"", "line 2"),
        ("server = \"a", "line 1"),
        ("server", "line 1"),
        ("= 1", "line 1"),
        ("[[profile]]\n", "profile"),
        ("\u{feff}x", ""),
    ];
    for (text, expected) in rows {
        let stderr = refused(text, 0o600, SEND);
        assert!(stderr.contains(expected), "{text:?}: {stderr}");
    }
    // A mistake in a profile that is not in force shows too.
    let file = home("[profile.alpha]\nserver = \"x\"\n[profile.b]\nserver = \"y\"\n", 0o644);
    let hints = ["did you mean \"alpha\"?", "it has alpha, b", "it has alpha, b"];
    for (wanted, hint) in ["alhpa", "zzz", ""].into_iter().zip(hints) {
        let ended = run_at(&file, &[], &[SEND, &["--profile", wanted]].concat());
        ended.assert_code(78);
        assert!(ended.stderr.contains(hint), "{}", ended.stderr);
    }
}

#[test]
fn what_is_no_text_or_too_much_of_it_is_refused() {
    let folder = home("", 0o600);
    let path = folder.path("msnp/config.toml");
    for bytes in
        [&b"server = \"\xff\""[..], &[b'\n'; 70_000], b"\0\0", b"a=\"\x1b[2J\"", b"\x1b[2J=1"]
    {
        std::fs::write(&path, bytes).expect("our own file");
        let ended = run_at(&folder, &[], SEND);
        ended.assert_code(78);
        assert!(!ended.stderr.contains('\x1b') && ended.stderr.lines().count() == 1);
    }
    let deep = format!("a = {}", "[".repeat(50_000));
    std::fs::write(&path, deep).expect("our own file");
    run_at(&folder, &[], SEND).assert_code(78);
    let long = format!("account = \"{}\"", "x".repeat(50_000));
    std::fs::write(&path, long).expect("our own file");
    let ended = run_at(&folder, &[], SEND);
    ended.assert_code(78);
    let said = ended.stderr.replace(&path, "");
    assert!(said.len() < 400, "{} bytes", said.len());
}

#[test]
fn help_and_usage_do_not_need_a_file_that_is_right() {
    let broken = home("x", 0o644);
    for (args, code) in
        [(&["--help"][..], 0), (&["send", "--help"], 0), (&["--version"], 0), (&["sned"], 2)]
    {
        assert_eq!(run_at(&broken, &[], args).code, code);
    }
}

#[test]
fn a_password_in_the_file_is_for_its_owner_only() {
    for mode in [0o644, 0o640, 0o604, 0o620] {
        for text in ["password = \"geheim\"", "[profile.x]\npassword = \"geheim\""] {
            let stderr = refused(text, mode, SEND);
            assert!(stderr.contains(&format!("mode {mode:04o}")) && stderr.contains("chmod 600"));
            assert!(!stderr.contains("geheim"));
        }
    }
    for mode in [0o664, 0o646] {
        let stderr = refused("password-command = \"echo x\"", mode, SEND);
        assert!(stderr.contains("chmod go-w"), "{stderr}");
    }
    run_at(&home("password-command = \"echo x\"", 0o644), &[], SEND).assert_code(0);
    run_at(&home("password = \"geheim\"", 0o600), &[], SEND).assert_code(0);
    // Mistakes beside a password do not show it.
    for text in [
        "password = \"\"",
        "password = [\"geheim\"]",
        "password = \"geheim\nx",
        "password = geheim",
    ] {
        assert!(!refused(text, 0o600, SEND).contains("geheim"));
    }
}

#[test]
fn the_password_comes_from_the_place_that_goes_first() {
    let (_serve, at) = Msnp::serve(&[]);
    let text = format!(
        "server = \"{at}\"\naccount = \"alice@example.net\"\npassword = \"geheim-alice\"\n\
         [profile.file]\npassword-file = \"secret\"\n[profile.wrong]\npassword = \"wrong\"\n"
    );
    let file = home(&text, 0o600);
    file.file("msnp/secret", "geheim-alice\n", 0o600);
    let status = |environment: Environment<'_>, more: &[&str]| {
        run_at(&file, environment, &[&["status", "-o", "json"], more].concat())
    };
    status(&[], &[]).assert_code(0);
    status(&[], &["--profile", "wrong"]).assert_code(77);
    // The path is seen from where the file lies.
    status(&[], &["--profile", "file"]).assert_code(0);
    status(&[("MSNP_PASSWORD", "geheim-alice")], &["--profile", "wrong"]).assert_code(0);
    status(&[("MSNP_PASSWORD", "wrong")], &["--profile", "file"]).assert_code(77);
    status(&[], &["--profile", "wrong", "--password-command", "echo geheim-alice"]).assert_code(0);
    status(&[], &["--profile", "file", "--password-command", "echo wrong"]).assert_code(77);
    let secret = file.path("msnp/secret");
    status(&[("MSNP_PASSWORD", "wrong")], &["--password-file", &secret]).assert_code(0);
}

#[test]
fn a_profile_for_another_account_or_server_does_not_use_the_password_of_the_top() {
    let fake = Fake::start(|_, _| Answer::Usual);
    let at = &fake.at;
    for (key, value) in [
        ("password", "geheim-top"),
        ("password-file", "/no/such/file"),
        ("password-command", "echo geheim-top"),
    ] {
        let text = format!(
            "server = \"{at}\"\naccount = \"alice@example.net\"\n{key} = \"{value}\"\n\
             [profile.account]\naccount = \"carol@example.net\"\n\
             [profile.server]\nserver = \"{at}\"\n\
             [profile.own]\naccount = \"carol@example.net\"\npassword-command = \"echo own\"\n\
             [profile.same]\ntimeout = \"9s\"\n"
        );
        let file = home(&text, 0o600);
        for profile in ["account", "server"] {
            let options = ["--profile", profile];
            let ended = run_at(&file, &[], &[&["status"], &options[..]].concat());
            ended.assert_code(78);
            let said = format!(
                "config.toml, line 3: {key} is not for profile \"{profile}\", which names its own \
                 {profile})"
            );
            assert!(ended.stderr.contains(&said), "{}", ended.stderr);
            assert!(!ended.stderr.contains("geheim") && ended.stderr.lines().count() == 1);
            let shown = run_at(
                &file,
                &[],
                &[&["config", "-o", "json"], &options[..], &["status"]].concat(),
            );
            let row = setting(&shown, key);
            assert!(row["value"].is_null() && row["source"].is_null(), "{row}");
            let reason = row["reason"].as_str().expect("a reason");
            assert!(said.contains(reason), "{reason}");
            let shown = run_at(&file, &[], &[&["config"], &options[..], &["status"]].concat());
            let line = format!("{key} is not set (line 3: {key} is not for profile");
            assert!(shown.lines.iter().any(|shown| shown.contains(&line)), "{:?}", shown.lines);
            // What is said at this moment holds.
            let environment = [("MSNP_PASSWORD", "x")];
            let ended = run_at(&file, &environment, &[&["status"], &options[..]].concat());
            assert!(!ended.stderr.contains("no password"), "{}", ended.stderr);
        }
        for (profile, row) in [("own", "password-command"), ("same", key)] {
            let args = ["config", "-o", "json", "--profile", profile, "status"];
            let row = setting(&run_at(&file, &[], &args), row);
            assert_eq!((&row["source"], row["reason"].is_null()), (&"file".into(), true), "{row}");
        }
    }
}

#[test]
fn the_passwords_of_others_do_not_come_from_the_file() {
    let file = home("password = \"geheim\"", 0o600);
    let data = file.path("accounts.db");
    let ended = run_at(&file, &[], &["serve", "--data", &data, "user", "add", "a@example.net"]);
    ended.assert_code(78);
    assert!(ended.stderr.contains("no password for a@example.net"), "{}", ended.stderr);
}

#[test]
fn what_excludes_each_other_gives_way_to_what_goes_first() {
    let file = home("quiet = true\nverbose-x = 1\n", 0o644);
    run_at(&file, &[], SEND).assert_code(78);
    let file = home("quiet = true\n", 0o644);
    let quiet = run_at(&file, &[], SEND);
    assert!(quiet.stderr.is_empty(), "{}", quiet.stderr);
    let loud = run_at(&file, &[], &[SEND, &["-v"]].concat());
    assert!(loud.stderr.contains("built-in server"), "{}", loud.stderr);
    let row = setting(&run_at(&file, &[], &["config", "-o", "json", "send", "-v"]), "quiet");
    assert_eq!((&row["value"], &row["source"]), (&"false".into(), &"built_in".into()));
}

#[test]
fn everything_in_force_is_shown_and_no_secret() {
    let text = "password = \"geheim-file\"\nretry-max-wait = \"7s\"\nmax-contacts = 5\n";
    let file = home(text, 0o600);
    for more in [&[][..], &["send"], &["-o", "text"]] {
        let ended = run_at(&file, &[], &[&["config"], more].concat());
        ended.assert_code(0);
        let all = ended.lines.join("\n");
        assert!(!all.contains("geheim") && all.contains("password = *** ("), "{all}");
        assert!(all.contains("retry-max-wait = 7s"), "{all}");
    }
    let environment = [("MSNP_PASSWORD", "geheim-variable"), ("MSNP_SERVER", "im.example.net")];
    let ended = run_at(&file, &environment, &["config", "-o", "json"]);
    ended.assert_code(0);
    assert!(!ended.lines.join("").contains("geheim"));
    let row = setting(&ended, "password");
    assert_eq!((&row["value"], &row["variable"]), (&"***".into(), &"MSNP_PASSWORD".into()));
    assert_eq!(setting(&ended, "server")["variable"], "MSNP_SERVER");
    assert_eq!(setting(&ended, "max-contacts")["value"], "5");
    // Where the built-in value depends on the verb, each value is there with its verbs.
    let ended = run(&["config", "-o", "json"]);
    let rows: Vec<Value> = ended.all("setting");
    let waits = rows.iter().filter(|row| row["name"] == "retry-max-wait");
    let waits: Vec<_> = waits.map(|row| (row["value"].clone(), row["verbs"].clone())).collect();
    assert_eq!(waits.len(), 2, "{waits:?}");
    assert!(waits[1].1.as_array().is_some_and(|verbs| verbs.contains(&"listen".into())));
    // A wrong command line is one here too.
    run(&["config", "send", "--timeout", "soon"]).assert_code(2);
    run(&["config", "sned"]).assert_code(2);
}

#[test]
fn a_link_is_followed_and_what_it_leads_to_is_looked_at() {
    let folder = home("", 0o600);
    let target = folder.file("elsewhere.toml", "password = \"geheim\"", 0o644);
    let link = folder.path("msnp/link.toml");
    std::os::unix::fs::symlink(&target, &link).expect("a fresh name");
    run(&[SEND, &["--config", &link]].concat()).assert_code(78);
    folder.file("elsewhere.toml", "password = \"geheim\"", 0o600);
    run(&[SEND, &["--config", &link]].concat()).assert_code(0);
}
