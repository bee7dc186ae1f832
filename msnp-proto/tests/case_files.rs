//! The form of case files: what their lines stand for, and what is wrong with lines that are none.

use msnp_proto::testing::case::{Case, Place, Verdict, compact, quote};
use msnp_proto::testing::library;
use proptest::prelude::*;

const HEAD: &str = "= id: Z01\n= source: nowhere\n= class: none\n";

fn case(rest: &str) -> Case {
    Case::all(&format!("{HEAD}{rest}")).unwrap_or_else(|error| panic!("{error}")).remove(0)
}

/// What a peer says at a place, each variant as text.
fn said(rest: &str, place: Place) -> Vec<String> {
    let case = case(rest);
    let variants = case.trial.inputs[0].variants(place).unwrap_or_else(|error| panic!("{error}"));
    variants.into_iter().map(|one| String::from_utf8(one.bytes).expect("text")).collect()
}

#[test]
fn each_side_hears_its_own_lines() {
    let text =
        "= input: x\nS: to a client\nC: to a server\n*: to both\n@ fine client-chat hub-chat\n";
    assert_eq!(said(text, Place::ClientChat), ["to a client\r\nto both\r\n"]);
    assert_eq!(said(text, Place::HubChat), ["to a server\r\nto both\r\n"]);
}

#[test]
fn escapes_stand_for_bytes() {
    for (line, bytes) in [
        (r"S: \*3{ab}c", "abababc\r\n".to_owned()),
        (r"S: \*2{\r\n}\", "\r\n\r\n".into()),
        (r"S: \*0{ab}", "\r\n".into()),
        (r"S: a\\*3{b}", "a\\*3{b}\r\n".into()),
        (r"S: \*line{A}\", "A".repeat(8192)),
        (r"S: \*line-8190{A}", "AA\r\n".into()),
        (r"S: \*message+1{A}\", "A".repeat(1665)),
        (r"S: \*payload{A}\", "A".repeat(65_536)),
    ] {
        let text = format!("= input: x\n{line}\n@ fine client-chat\n");
        assert_eq!(said(&text, Place::ClientChat), [bytes], "{line}");
    }
    let text = "= input: x\n*: \\*line{A}\\\n@ fine hub-door\n";
    assert_eq!(said(text, Place::HubDoor)[0].len(), 1024, "limits are those of the place");
}

#[test]
fn lengths_are_those_of_what_follows_in_the_block() {
    let text = "= input: x\nS: MSG a N \\#\nS: ab\nS:\nS: c\\\n\nS: MSG a N \\#\n\nS: MSG a N \\#\n\
                C: not counted\nS: \\?\\\n@ fine client-chat\n";
    let bytes = "MSG a N 7\r\nab\r\n\r\ncMSG a N 0\r\nMSG a N 0\r\n";
    assert_eq!(said(text, Place::ClientChat), [bytes]);
}

#[test]
fn one_input_may_be_many() {
    let text =
        "= input: x\n= each: a | \\*3{b} |  | \\x20c\n= each: d\nS: <\\?>\n@ fine client-chat\n";
    let each = ["<a>\r\n", "<bbb>\r\n", "<>\r\n", "< c>\r\n", "<d>\r\n"];
    assert_eq!(said(text, Place::ClientChat), each);
    let text = "= input: x\n= prefixes: abc\nS: <\\?>\n@ fine client-chat\n";
    let each = ["<>\r\n", "<a>\r\n", "<ab>\r\n", "<abc>\r\n"];
    assert_eq!(said(text, Place::ClientChat), each);
    let text = "= input: x\n= expand: arguments\nS: MSG a N \\#\nS: hi\\\n\nS: ACK 7\n@ table client-chat\n";
    let all = said(text, Place::ClientChat);
    assert_eq!(all[..3], ["MSG 2\r\nhi", "MSG a 2\r\nhi", "MSG a N 2\r\nhi"]);
    assert_eq!(all[3], "MSG a N more 2\r\nhi");
    assert_eq!(all[5..7], ["MSG  a  N  2\r\nhi", "MSG a N 2 \r\nhi"]);
    assert_eq!(all[7..9], ["ACK\r\n", "ACK 7\r\n"]);
}

#[test]
fn what_came_of_it_is_said_for_each_place() {
    let case = case(
        "= input: x\n= each: a\nS: \\?\n@ report client-online client-chat\n> warning: \\?\n\
         C: \\*3{b}\n@ close hub-chat\n",
    );
    let input = &case.trial.inputs[0];
    assert_eq!(input.places().count(), 3);
    let outcome = input.outcome(Place::ClientChat).expect("it is there");
    let variant = &input.variants(Place::ClientChat).expect("it can be read")[0];
    let lines = outcome.lines(Place::ClientChat, variant).expect("they can be read");
    assert_eq!(outcome.verdict, Verdict::Report);
    assert_eq!(lines, ["> warning: a", "C: bbb"]);
    assert!(input.outcome(Place::HubDoor).is_none());
}

#[test]
fn a_file_may_have_several_cases() {
    let cases = Case::all(&format!("{HEAD}= not-yet: a\n\n{HEAD}= code: b\n= test: c d\n"));
    let cases = cases.expect("two cases");
    assert_eq!(cases[0].trial.not_yet.as_deref(), Some("a"));
    assert_eq!((&*cases[1].trial.code[0], &*cases[1].trial.tests[0].name), ("b", "d"));
}

#[test]
fn errors_name_the_line_and_what_is_wrong() {
    for (rest, line, what) in [
        ("", 3, "nothing is tried"),
        ("= who: x\n", 4, "unknown header"),
        ("S: x\n", 4, "above the first input"),
        ("= input: x\nS: x\n", 5, "without `@`"),
        ("= input: x\nX: x\n@ fine client-chat\n", 5, "neither"),
        ("= input: x\nS:x\n@ fine client-chat\n", 5, "no blank"),
        ("= input: x\n= id: y\n", 5, "without `@`"),
        ("= input: x\n= class: y\n", 5, "unknown header of an input"),
        ("= input: x\nS: x\n@ good client-chat\n", 6, "no such verdict"),
        ("= input: x\nS: x\n@ fine client\n", 6, "no such place"),
        ("= input: x\nS: x\n@ fine\n", 6, "no such place"),
        ("= test: x\n", 4, "no name"),
    ] {
        let error = Case::all(&format!("{HEAD}{rest}")).expect_err(rest);
        assert!(error.line == line && error.what.contains(what), "{rest:?}: {error}");
    }
    for line in
        [r"S: \*x{a}", r"S: \*3a", r"S: \*3{a", r"S: \*99999999{a}", r"S: \q", r"S: \*line-9999{a}"]
    {
        let case = case(&format!("= input: x\n{line}\n@ fine client-chat\n"));
        let error = case.trial.inputs[0].variants(Place::ClientChat).expect_err(line);
        assert_eq!(error.line, 5, "{line}: {error}");
    }
}

#[test]
fn every_seed_can_be_made_and_has_a_name_of_its_own() {
    let mut names = std::collections::BTreeSet::new();
    for seed in library::cases() {
        assert!(!seed.bytes.is_empty(), "{}", seed.name);
        assert!(seed.bytes.len() <= 128 * 1024, "{}", seed.name);
        names.insert((seed.place, seed.name));
    }
    assert!(names.len() > 2000, "{}", names.len());
}

proptest! {
    #[test]
    fn what_is_written_shorter_is_read_as_the_same(
        parts in proptest::collection::vec(("[a-cé{}*?# ]{0,3}", 0..40_usize), 0..6),
    ) {
        let line: String = parts.iter().map(|(part, times)| part.repeat(*times)).collect();
        let case = case(&format!("= input: x\nS: x\n@ fine client-chat\n> {}\n", compact(&quote(&line))));
        let input = &case.trial.inputs[0];
        let variant = &input.variants(Place::ClientChat).expect("it can be read")[0];
        let outcome = input.outcome(Place::ClientChat).expect("it is there");
        let lines = outcome.lines(Place::ClientChat, variant).expect("they can be read");
        prop_assert_eq!(&lines[0], &format!("> {}", quote(&line)));
    }
}
