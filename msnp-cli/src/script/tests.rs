//! The grammar by tables: what each form means, and what is said about each kind of mistake.

use std::time::Duration;

use msnp_proto::client::payload_len;
use msnp_proto::limits::SWITCHBOARD_PAYLOAD;
use msnp_proto::types::{Handle, Nick, Status};

use super::*;

fn variables() -> Variables {
    let mut variables = Variables::default();
    for (name, value) in [("what", "world"), ("who", "bob@example.net"), ("t-1", "3s"), ("e", "")] {
        assert!(variables.set(name, value));
    }
    variables
}

fn read(script: impl AsRef<[u8]>) -> Result<Script, Errors> {
    parse(script.as_ref(), &variables())
}

fn steps(script: impl AsRef<[u8]>) -> Vec<Step> {
    read(script).unwrap_or_else(|errors| panic!("{errors:?}")).steps
}

/// The verb of a script of one step.
fn verb(script: impl AsRef<[u8]>) -> Verb {
    let mut steps = steps(script);
    assert_eq!(steps.len(), 1);
    steps.remove(0).verb
}

fn text(script: impl AsRef<[u8]>) -> String {
    match verb(script) {
        Verb::Do(Action::Send { text, .. }) => text,
        other => panic!("{other:?}"),
    }
}

/// Every mistake as `LINE:COLUMN: problem`.
fn mistakes(script: impl AsRef<[u8]>) -> Vec<String> {
    let errors = read(script).expect_err("a mistake");
    let first = |mistake: &Mistake| mistake.to_string().lines().next().map(str::to_owned);
    errors.mistakes().iter().filter_map(first).collect()
}

fn bob() -> Handle {
    Handle::new("bob@example.net").expect("an account")
}

fn nick(text: &str) -> Nick {
    Nick::new(text).expect("a name")
}

#[test]
fn every_verb_in_every_form() {
    let (s, person) = (Duration::from_secs, || Whom::Person(bob()));
    let group = |name: &str| Some(name.to_owned());
    let send = |text: &str| Verb::Do(Action::Send { to: person(), text: text.into() });
    let expect = |contains: Option<&str>, within| Verb::Expect {
        who: bob(),
        contains: contains.map(Into::into),
        within,
    };
    let file = |path: &str| Verb::Do(Action::File { to: bob(), path: path.into() });
    let add = |name: Option<&str>, group| {
        Verb::Do(Action::Add { who: bob(), name: name.map(nick), group })
    };
    let rows = [
        ("online B", Verb::Online { who: bob(), within: WITHIN }),
        ("online B within 20s", Verb::Online { who: bob(), within: s(20) }),
        ("\t online \t B\twithin   1h30m \t", Verb::Online { who: bob(), within: s(5400) }),
        ("send B Hello Bob", send("Hello Bob")),
        ("send B  two blanks, and one behind ", send(" two blanks, and one behind ")),
        ("send B\ttabbed", send("tabbed")),
        ("send B # no comment", send("# no comment")),
        ("send B <<END of what", send("<<END of what")),
        ("send B << END", send("<< END")),
        ("file B ./report.pdf", file("./report.pdf")),
        ("file B /tmp/a report (1).pdf ", file("/tmp/a report (1).pdf ")),
        ("file B  x", file(" x")),
        ("file B\t${what}/$$", file("world/$")),
        ("typing B", Verb::Do(Action::Typing(person()))),
        ("sleep 500ms", Verb::Sleep(Duration::from_millis(500))),
        ("sleep 0s", Verb::Sleep(Duration::ZERO)),
        ("expect B", expect(None, WITHIN)),
        ("expect B within 5s", expect(None, s(5))),
        ("expect B contains \"thanks\"", expect(Some("thanks"), WITHIN)),
        ("expect B contains \"\" within 5s", expect(Some(""), s(5))),
        (r#"expect B contains "a \"b\" \\ \n" within 5s"#, expect(Some("a \"b\" \\ \n"), s(5))),
        ("expect B contains \"within 3s\"", expect(Some("within 3s"), WITHIN)),
        ("status BSY", Verb::Do(Action::Status(Status::Busy))),
        ("status hdn", Verb::Do(Action::Status(Status::Hidden))),
        ("name \"Alice in Wonderland\"", Verb::Do(Action::Name(nick("Alice in Wonderland")))),
        ("add B", add(None, None)),
        ("add B as \"Bob B.\"", add(Some("Bob B."), None)),
        ("add B as \"Bob\" to \"Friends\"", add(Some("Bob"), group("Friends"))),
        ("add B to \"3\"", add(None, group("3"))),
        ("remove B", Verb::Do(Action::Remove { who: bob(), group: None })),
        (
            "remove B from \"Friends\"",
            Verb::Do(Action::Remove { who: bob(), group: group("Friends") }),
        ),
        ("rename B as \"Bob\"", Verb::Do(Action::Rename { who: bob(), name: nick("Bob") })),
        (
            "move B to \"Work\"",
            Verb::Do(Action::Move { who: bob(), from: None, to: "Work".into() }),
        ),
        (
            "move B from \"A\" to \"B\"",
            Verb::Do(Action::Move { who: bob(), from: group("A"), to: "B".into() }),
        ),
        ("allow B", Verb::Do(Action::Allow(bob()))),
        ("block B", Verb::Do(Action::Block(bob()))),
        ("group add \"Work\"", Verb::Do(Action::AddGroup(nick("Work")))),
        ("group remove \"Work\"", Verb::Do(Action::RemoveGroup("Work".into()))),
        (
            "group rename \"Work\" as \"Old\"",
            Verb::Do(Action::RenameGroup { group: "Work".into(), name: nick("Old") }),
        ),
        ("open B", Verb::Do(Action::Open(bob()))),
        ("leave B", Verb::Do(Action::Leave(person()))),
    ];
    for (line, expected) in rows {
        let account = |line: &str| {
            let words = line.split_inclusive([' ', '\t']).map(|word| match word.trim_end() {
                "B" => word.replace('B', "bob@example.net"),
                _ => word.to_owned(),
            });
            words.collect::<String>()
        };
        assert_eq!(verb(account(line)), expected, "{line}");
    }
}

#[test]
fn settings_hold_for_the_whole_run() {
    let script = "set ack-timeout 10s\nset timeout 1m\nset window 4\nset on-error continue\n\
                  # now\nset until sent\nsleep 1s\n";
    let settings = read(script).expect("no mistake").settings;
    let expected = Settings {
        ack_timeout: Some(Duration::from_secs(10)),
        timeout: Some(Duration::from_secs(60)),
        window: Some(4),
        go_on: Some(true),
        until: Some("sent"),
    };
    assert_eq!(settings, expected);
    assert_eq!(mistakes("set window 1\nset window 2\nsleep 1s"), ["2:1: this is set twice"]);
    assert!(mistakes("sleep 1s\n set window 2")[0].starts_with("2:2: `set` holds for the whole"));
}

#[test]
fn lines_may_end_in_several_ways() {
    for script in [
        "send bob@example.net a",
        "send bob@example.net a\n",
        "send bob@example.net a\r\n",
        "\u{feff}send bob@example.net a\n",
        "\n\r\n  \t\n# comment\n   # comment\nsend bob@example.net a",
    ] {
        assert_eq!(text(script), "a", "{script:?}");
    }
    // A CR that ends no line is text.
    assert_eq!(text("send bob@example.net a\rb\r\r\n"), "a\rb\r");
    let numbers: Vec<u32> = steps("\nsleep 1s\n\nsend bob@example.net <<X\na\nb\nX\nsleep 2s")
        .iter()
        .map(|s| s.line)
        .collect();
    assert_eq!(numbers, [2, 4, 8]);
}

#[test]
fn a_text_of_several_lines_is_as_it_is_written() {
    let rows = [
        ("send bob@example.net <<END\ntwo\nlines\nEND\n", "two\nlines"),
        ("send bob@example.net <<END\r\ntwo\r\nlines\r\nEND", "two\nlines"),
        ("send bob@example.net <<END\n\n a\n\nEND", "\n a\n"),
        (
            "send bob@example.net <<E_1-x  \n# no comment\nsleep 5\n END\nE_1-x",
            "# no comment\nsleep 5\n END",
        ),
        ("send bob@example.net <<END\n${what} $$1\nEND", "world $1"),
    ];
    for (script, expected) in rows {
        assert_eq!(text(script), expected, "{script:?}");
    }
}

#[test]
fn variables_are_replaced_everywhere_behind_the_verb_and_nowhere_else() {
    assert_eq!(text("send ${who} ${what}, $${what} $$"), "world, ${what} $");
    assert_eq!(text("send bob@example.net ${e}x${e}"), "x");
    assert_eq!(verb("sleep ${t-1}"), Verb::Sleep(Duration::from_secs(3)));
    let Verb::Expect { contains, .. } = verb("expect ${who} contains \"${what}$$\"") else {
        panic!()
    };
    assert_eq!(contains.as_deref(), Some("world$"));
    // What a variable stands for is never looked at again.
    let mut variables = Variables::default();
    assert!(variables.set("a", "${b} $ \n <<END"));
    let script = parse(b"send bob@example.net ${a}", &variables).expect("no mistake");
    let Verb::Do(Action::Send { text, .. }) = &script.steps[0].verb else { panic!() };
    assert_eq!(text, "${b} $ \n <<END");
    for name in ["", "1a", "-a", "a b", "a=b", "ä", "a}"] {
        assert!(!variables.set(name, "x"), "{name:?}");
    }
}

#[test]
fn each_kind_of_mistake_is_said_with_its_place() {
    const ACCOUNT: &str = "expected an account of the form name@domain";
    const TEXT: &str = "expected a text, or `<<END` and the text in lines up to one `END`";
    const PATH: &str = "expected the path of a file, which is the rest of the line";
    const TIME: &str = "expected a time like 500ms, 10s or 2m";
    const STATE: &str = "expected a state: NLN, BSY, IDL, BRB, AWY, PHN, LUN or HDN";
    const QUOTED: &str = "expected a text in double quotes";
    const DOLLAR: &str = "expected `${name}`, or `$$` for a dollar sign";
    const END: &str = "expected the end of the line";
    let rows = [
        (
            "sned bob@example.net hi",
            1,
            "expected a verb, one of: set online send file typing sleep",
        ),
        ("  SEND bob@example.net hi", 3, "expected a verb"),
        ("send", 5, ACCOUNT),
        ("send ", 6, ACCOUNT),
        ("send bob hi", 6, ACCOUNT),
        ("send \u{430}@b hi", 6, ACCOUNT),
        ("send ${what} hi", 6, ACCOUNT),
        ("send bob@example.net", 21, TEXT),
        ("send bob@example.net ", 22, TEXT),
        (
            "send bob@example.net hello ${nobody}",
            28,
            "no variable `nobody`; give it one with --set",
        ),
        ("send bob@example.net 5 $", 24, DOLLAR),
        ("send bob@example.net ${what", 22, DOLLAR),
        ("send bob@example.net ${}", 22, DOLLAR),
        ("send bob@example.net $what", 22, DOLLAR),
        (
            "send bob@example.net <<END\nx",
            22,
            "expected a line `END` that ends this text; there is none",
        ),
        ("send bob@example.net <<END\nEND", 27, TEXT),
        ("online bob", 8, ACCOUNT),
        ("online bob@example.net 20s", 24, "expected `within`, or the end of the line"),
        ("online bob@example.net within", 30, TIME),
        ("online bob@example.net within soon", 31, TIME),
        ("online bob@example.net within 1s x", 34, "expected `within`, or the end"),
        ("sleep", 6, TIME),
        ("sleep 10", 7, TIME),
        ("sleep -1s", 7, TIME),
        ("sleep 99999999999999999999s", 7, TIME),
        ("sleep 1s 2s", 10, END),
        ("expect bob@example.net \"x\"", 24, "expected `contains`, `within`, or the end"),
        ("expect bob@example.net contains", 32, QUOTED),
        ("expect bob@example.net contains thanks", 33, QUOTED),
        ("expect bob@example.net contains \"thanks", 40, "expected `\"`"),
        (
            "expect bob@example.net contains \"a\\x\"",
            36,
            "expected one of \\\" \\\\ \\n behind a backslash",
        ),
        ("expect bob@example.net contains \"a\" \"b\"", 37, "expected `within`, or the end"),
        ("status", 7, STATE),
        ("status FLN", 8, STATE),
        ("status busy", 8, STATE),
        ("name Alice", 6, "expected a name in double quotes"),
        ("name \"\"", 6, "expected a name in double quotes"),
        ("add bob@example.net \"Bob\"", 21, "expected `as`, `to`, or the end of the line"),
        ("add bob@example.net to \"\"", 24, "expected the name or number of a group"),
        ("rename bob@example.net \"Bob\"", 24, "expected `as`"),
        ("rename bob@example.net", 23, "expected `as`"),
        ("move bob@example.net from \"A\"", 30, "expected `to`"),
        ("group", 6, "expected add, remove or rename"),
        ("group list", 7, "expected add, remove or rename"),
        ("block bob@example.net eve@example.net", 23, END),
        ("set", 4, "expected one of: ack-timeout"),
        ("set colour red", 5, "expected one of: ack-timeout"),
        ("set window", 11, "expected a number from 1 to 256"),
        ("set window 0", 12, "expected a number from 1 to 256"),
        ("set window 257", 12, "expected a number from 1 to 256"),
        ("set window +4", 12, "expected a number from 1 to 256"),
        ("set on-error panic", 14, "expected stop or continue"),
        ("set until read", 11, "expected queued, sent or acked"),
        ("file", 5, ACCOUNT),
        ("file ./report.pdf", 6, ACCOUNT),
        ("file bob@example.net", 21, PATH),
        ("file bob@example.net ", 22, PATH),
        ("file bob@example.net  \t ", 22, PATH),
        ("file bob@example.net ${e}", 22, PATH),
        ("file bob@example.net ./${nobody}", 24, "no variable `nobody`"),
        ("accept 1", 1, "expected a verb"),
        ("decline 1", 1, "expected a verb"),
        ("send bob@example.net a\0b", 23, "expected text; this is a character of value 0"),
        ("", 1, "expected at least one step; there is none"),
        ("# nothing\n\n", 1, "expected at least one step; there is none"),
    ];
    for (script, column, problem) in rows {
        let found = mistakes(script);
        let expected = format!("1:{column}: {problem}");
        assert!(
            found.len() == 1 && found[0].starts_with(&expected),
            "{script:?}: {found:?}, {expected}"
        );
    }
    assert_eq!(mistakes(b"sleep 1s\nsend a@b.c \xe4"), ["2:12: expected UTF-8; this byte is none"]);
    for utf16 in [&b"\xff\xfes\0e\0"[..], b"\xfe\xff\0s\0e"] {
        assert_eq!(mistakes(utf16), ["1:1: this is UTF-16; save it as UTF-8"]);
    }
}

#[test]
fn all_mistakes_are_found_and_one_causes_no_others() {
    let script = "sned a\nsend bob <<END\nno verb\n${x}\nEND\nsend bob@example.net <<END\n${x}\n$\nEND\nsleep x";
    let places: Vec<_> =
        read(script).expect_err("mistakes").mistakes().iter().map(|m| (m.line, m.column)).collect();
    assert_eq!(places, [(1, 1), (2, 6), (7, 1), (8, 1), (10, 7)]);
    let errors = read("x\n".repeat(1000)).expect_err("mistakes");
    assert_eq!((errors.mistakes().len(), errors.more()), (20, 980));
}

#[test]
fn the_largest_text_fits_and_one_byte_more_does_not() {
    let fits = "x".repeat(SWITCHBOARD_PAYLOAD - payload_len(""));
    assert_eq!(text(format!("send bob@example.net {fits}")), fits);
    assert_eq!(text(format!("send bob@example.net <<E\n{fits}\nE")), fits);
    let problem = "the text makes a message of 1665 bytes with its header, 1 more than the 1664";
    for (script, column) in [
        (format!("send bob@example.net {fits}x"), 22),
        (format!("send bob@example.net <<E\n{fits}x\nE"), 22),
    ] {
        assert!(mistakes(script)[0].starts_with(&format!("1:{column}: {problem}")));
    }
}

#[test]
fn long_and_hostile_input_has_a_right_answer() {
    let mib = "x".repeat(1 << 20);
    let rows = [
        format!("send bob@example.net {mib}"),
        format!("send {mib} x"),
        mib.clone(),
        format!("expect bob@example.net contains \"{mib}"),
        "$".repeat(1 << 20),
        format!("send bob@example.net {}", "$$".repeat(1 << 19)),
        format!("send bob@example.net <<{mib}"),
        format!("set {mib} 1"),
        "\x1b[2J\u{202e}\u{85}".repeat(1000),
    ];
    for script in rows {
        let errors = read(&script).expect_err("a mistake");
        let shown = errors.mistakes()[0].to_string();
        assert!(shown.len() < 2000 && shown.lines().count() == 3, "{} bytes", shown.len());
        assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
    }
    assert_eq!(text(format!("# {mib}\nsend bob@example.net a")), "a");
    assert_eq!(steps("sleep 1s\n".repeat(100_000)).len(), 100_000);
}

#[test]
fn a_run_can_begin_in_the_middle() {
    let script = read("sleep 1s\n\nsend bob@example.net <<E\na\nE\nsleep 3s").expect("no mistake");
    for (line, first) in [(0, 1), (1, 1), (2, 3), (3, 3), (4, 6), (6, 6)] {
        let mut script = script.clone();
        assert_eq!(script.begin_at(line), Ok(()));
        assert_eq!(script.steps[0].line, first);
    }
    assert_eq!(script.clone().begin_at(7), Err(Problem::NoStepFrom(7)));
    assert_eq!(script.patience(), Duration::from_secs(4));
}

#[test]
fn in_a_chat_who_is_not_named_is_the_other_one() {
    let carol = Handle::new("carol@example.net").expect("an account");
    let act = |text: &str| match command(text, &bob()) {
        Ok(Verb::Do(action)) => action,
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(act("typing"), Action::Typing(Whom::Person(bob())));
    assert_eq!(act("typing carol@example.net"), Action::Typing(Whom::Person(carol.clone())));
    assert_eq!(act("block"), Action::Block(bob()));
    let (who, name) = (bob(), nick("B"));
    assert_eq!(act("rename as \"B\""), Action::Rename { who, name });
    assert_eq!(
        act("send carol@example.net hi"),
        Action::Send { to: Whom::Person(carol), text: "hi".into() }
    );
    let file = |to: &str, path: &str| {
        let to = Handle::new(to).expect("an account");
        Action::File { to, path: path.into() }
    };
    for (line, expected) in [
        ("file ./a b.pdf", file("bob@example.net", "./a b.pdf")),
        ("file carol@example.net ./x", file("carol@example.net", "./x")),
        ("file a@b.pdf", file("bob@example.net", "a@b.pdf")),
        ("file ./c@d x", file("bob@example.net", "./c@d x")),
        ("accept 1", Action::Accept { transfer: 1, folder: ".".into() }),
        ("accept  12 ", Action::Accept { transfer: 12, folder: ".".into() }),
        ("accept 1 /a folder", Action::Accept { transfer: 1, folder: "/a folder".into() }),
        ("decline 7", Action::Decline(7)),
    ] {
        assert_eq!(act(line), expected, "{line}");
    }
    for (text, problem) in [
        ("send hi", Problem::Expected(Expected::Account)),
        ("", Problem::Expected(Expected::Verb)),
        ("sleep 5s", Problem::ScriptOnly),
        ("online", Problem::ScriptOnly),
        ("set window 1", Problem::ScriptOnly),
        ("send carol@example.net <<END", Problem::ScriptOnly),
        ("send carol@example.net ${x}", Problem::UnknownVariable("x".into())),
        ("file", Problem::Expected(Expected::Path)),
        ("file ${x}", Problem::UnknownVariable("x".into())),
        ("accept", Problem::Expected(Expected::Transfer)),
        ("accept x", Problem::Expected(Expected::Transfer)),
        ("accept +1", Problem::Expected(Expected::Transfer)),
        ("accept 4294967296", Problem::Expected(Expected::Transfer)),
        ("decline 1 2", Problem::Expected(Expected::End)),
    ] {
        assert_eq!(
            command(text, &bob()).map_err(|mistake| mistake.problem),
            Err(problem),
            "{text}"
        );
    }
}
