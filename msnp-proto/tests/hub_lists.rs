//! The dump of the lists, and their changes.

mod hub_support;

use hub_support::{World, config, handle, three};
use msnp_proto::hub::{
    Allowance, Change, Directory, DirectoryError, Edit, Event, Hub, MemoryDirectory, Role,
};
use msnp_proto::time::Duration;
use msnp_proto::types::{List, ListVersion, Nick, Property};

const NOTHING: [&str; 0] = [];

#[test]
fn the_dump_grows_with_the_dialect() {
    let settings = ["SYN 8 4", "GTC 8 4 A", "BLP 8 4 AL"];
    let own = ["PRP 8 4 PHH", "PRP 8 4 PHW", "PRP 8 4 PHM", "PRP 8 4 MOB N", "PRP 8 4 MBE N"];
    let phones = [
        "BPR 4 bob@example.net PHH",
        "BPR 4 bob@example.net PHW",
        "BPR 4 bob@example.net PHM",
        "BPR 4 bob@example.net MOB N",
    ];
    let others = [
        "LST 8 AL 4 1 1 bob@example.net Bob%20B",
        "LST 8 BL 4 0 0",
        "LST 8 RL 4 1 1 bob@example.net Bob%20B",
    ];
    let contact = ["LST 8 FL 4 1 1 bob@example.net Bob%20B"];
    let in_group = ["LST 8 FL 4 1 1 bob@example.net Bob%20B 0"];
    let groups = ["LSG 8 4 1 1 0 ~ 0"];
    for (dialects, parts) in [
        (&["MSNP2", "MSNP3", "MSNP4"][..], vec![&settings[..], &contact, &others]),
        (&["MSNP5", "MSNP6"], vec![&settings, &own, &contact, &phones, &others]),
        (&["MSNP7"], vec![&settings, &own, &groups, &in_group, &phones, &others]),
    ] {
        for dialect in dialects {
            let mut w = World::new();
            let alice = w.sign_in("alice@example.net", dialect);
            assert_eq!(w.ask(alice, "SYN 8 0"), parts.concat(), "{dialect}");
            assert_eq!(w.ask(alice, "SYN 9 5").len(), parts.concat().len(), "{dialect}");
            assert_eq!(w.ask(alice, "SYN 10 4"), ["SYN 10 4"], "{dialect}");
            assert_eq!(w.ask(alice, "LST 11 RL"), [others[2].replace(" 8 ", " 11 ")]);
            assert_eq!(w.ask(alice, "LST 12 BL"), ["LST 12 BL 4 0 0"]);
            assert_eq!(w.ask(alice, "SYN 13 x"), ["201 13"]);
            assert_eq!(w.ask(alice, "LST 14 XL"), ["201 14"]);
        }
    }
}

#[test]
fn an_empty_account_still_has_all_four_lists() {
    let mut w = World::new();
    let carol = w.sign_in("carol@example.net", "MSNP2");
    let dump = w.ask(carol, "SYN 1 0");
    assert_eq!(dump[3..], ["LST 1 FL 2 0 0", "LST 1 AL 2 0 0", "LST 1 BL 2 0 0", "LST 1 RL 2 0 0"]);
}

#[test]
fn adding_a_contact_tells_both_sides() {
    let mut w = World::new();
    let carol = w.online("carol@example.net");
    let alice = w.sign_in("alice@example.net", "MSNP7");
    w.ask(alice, "SYN 1 4");
    w.say(alice, "CHG 2 NLN");
    w.heard(alice);
    assert_eq!(
        w.ask(alice, "ADD 10 FL CAROL@example.net Carol%20C 0"),
        [
            "ADD 10 FL 5 CAROL@example.net Carol%20C 0",
            "BPR 5 CAROL@example.net PHH",
            "BPR 5 CAROL@example.net PHW",
            "BPR 5 CAROL@example.net PHM",
            "BPR 5 CAROL@example.net MOB N",
            "ILN 10 NLN carol@example.net Carol",
        ]
    );
    assert_eq!(w.heard(carol), ["ADD 0 RL 3 alice@example.net Alice%20A"]);
    assert_eq!(
        w.ask(alice, "ADD 11 AL carol@example.net carol@example.net"),
        ["ADD 11 AL 6 carol@example.net carol@example.net"]
    );
    w.say(carol, "CHG 9 AWY");
    assert_eq!(w.heard(alice), ["NLN AWY carol@example.net Carol"]);
    assert_eq!(w.heard(carol), ["CHG 9 AWY"]);

    assert_eq!(w.ask(alice, "REM 12 FL carol@example.net"), ["REM 12 FL 7 CAROL@example.net"]);
    assert_eq!(w.heard(carol), ["REM 0 RL 4 alice@example.net"]);
    w.say(carol, "CHG 9 NLN");
    assert_eq!(w.heard(alice), NOTHING, "she is not watched any more");
}

#[test]
fn the_name_of_a_contact_is_that_of_the_forward_list() {
    let mut w = World::new();
    let alice = w.sign_in("alice@example.net", "MSNP5");
    let name = |w: &World| {
        let record = w.hub.directory().record(&handle("alice@example.net")).unwrap();
        record.contact(&handle("carol@example.net")).unwrap().name.to_string()
    };
    w.ask(alice, "ADD 1 AL carol@example.net Allowed");
    assert_eq!(name(&w), "Allowed", "the first list gives a name");
    w.ask(alice, "ADD 2 FL carol@example.net Contact");
    assert_eq!(name(&w), "Contact");
    w.ask(alice, "REM 3 AL carol@example.net");
    w.ask(alice, "ADD 4 BL carol@example.net Blocked");
    assert_eq!(name(&w), "Contact", "and no other list another one");
}

#[test]
fn what_was_changed_is_there_at_the_next_sign_in() {
    let mut w = World::new();
    let alice = w.sign_in("alice@example.net", "MSNP7");
    w.say(alice, "ADG 1 Friends 0");
    w.say(alice, "ADD 2 FL carol@example.net C 1");
    w.say(alice, "ADD 3 BL carol@example.net C");
    w.say(alice, "BLP 4 BL");
    w.say(alice, "GTC 5 N");
    w.say(alice, "PRP 6 PHH 555%200100");
    w.say(alice, "REA 7 alice@example.net Al");
    w.hang_up(alice);
    let alice = w.sign_in("alice@example.net", "MSNP7");
    let dump = w.ask(alice, "SYN 1 0");
    assert_eq!(dump[..4], ["SYN 1 11", "GTC 1 11 N", "BLP 1 11 BL", "PRP 1 11 PHH 555%200100"]);
    for line in [
        "LSG 1 11 2 2 1 Friends 0",
        "LST 1 FL 11 2 2 carol@example.net C 1",
        "LST 1 BL 11 1 1 carol@example.net C",
    ] {
        assert!(dump.iter().any(|found| found == line), "{line} in {dump:?}");
    }
    let carol = w.sign_in("carol@example.net", "MSNP7");
    let dump = w.ask(carol, "LST 1 RL");
    assert_eq!(dump, ["LST 1 RL 3 1 1 alice@example.net Alice%20A"], "she was offline then");
}

#[test]
fn blocking_and_unblocking_show_at_once() {
    let mut w = World::new();
    let bob = w.online("bob@example.net");
    let alice = w.online("alice@example.net");
    w.heard(bob);
    for (line, seen) in [
        ("REM 1 AL bob@example.net", None),
        ("ADD 2 BL bob@example.net bob@example.net", Some("FLN alice@example.net")),
        ("REM 3 BL bob@example.net", Some("NLN NLN alice@example.net Alice%20A")),
        ("BLP 4 BL", Some("FLN alice@example.net")),
        ("ADD 5 AL bob@example.net bob@example.net", Some("NLN NLN alice@example.net Alice%20A")),
        ("BLP 6 AL", None),
        ("REM 7 AL bob@example.net", None),
        ("BLP 8 BL", Some("FLN alice@example.net")),
        ("CHG 9 AWY", None),
        ("BLP 10 AL", Some("NLN AWY alice@example.net Alice%20A")),
    ] {
        assert_eq!(w.ask(alice, line).len(), 1, "{line}");
        assert_eq!(w.heard(bob), seen.into_iter().collect::<Vec<_>>(), "{line}");
    }
    w.say(alice, "ADD 11 BL bob@example.net bob@example.net");
    assert_eq!(w.heard(bob), ["FLN alice@example.net"]);
    w.hang_up(alice);
    assert_eq!(w.heard(bob), NOTHING);
    let bob = w.online("bob@example.net");
    assert_eq!(w.heard(bob), NOTHING, "blocked is offline");
}

#[test]
fn errors_of_lists() {
    for (line, answer) in [
        ("ADD 1 RL bob@example.net b", None),
        ("ADD 1 XL bob@example.net b", Some("201 1")),
        ("ADD 1 FL", Some("201 1")),
        ("ADD 1 FL bob b", Some("201 1")),
        ("ADD 1 FL nobody@example.net b", Some("205 1")),
        ("ADD 1 FL bob@example.net b 0", Some("215 1")),
        ("ADD 1 FL bob@example.net b", Some("215 1")),
        ("ADD 1 FL carol@example.net b 7", Some("224 1")),
        ("ADD 1 FL carol@example.net b x", Some("201 1")),
        ("ADD 1 AL bob@example.net b", Some("215 1")),
        ("ADD 1 BL bob@example.net b", Some("219 1")),
        ("REM 1 RL bob@example.net", None),
        ("REM 1 FL carol@example.net", Some("216 1")),
        ("REM 1 BL bob@example.net", Some("216 1")),
        ("REM 1 FL bob", Some("216 1")),
        ("REM 1 FL bob@example.net 7", Some("224 1")),
        ("REM 1 FL bob@example.net 1", Some("225 1")),
        ("REA 1 carol@example.net C", Some("216 1")),
        ("REA 1 alice@example.net", Some("201 1")),
        ("GTC 1 A", Some("218 1")),
        ("GTC 1 X", None),
        ("BLP 1 AL", Some("218 1")),
        ("BLP 1 FL", None),
        ("RMG 1 0", Some("230 1")),
        ("RMG 1 7", Some("224 1")),
        ("RMG 1 30", None),
        ("REG 1 7 x 0", Some("224 1")),
        ("REG 1 30 x 0", None),
        ("PRP 1 XYZ 5", Some("715 1")),
        ("PRP 1 phh 5", Some("715 1")),
        ("PRP 1 PH 5", Some("715 1")),
        ("PRP 1 PHHH 5", None),
        ("PRP 1 MBE Y", Some("201 1")),
    ] {
        let mut w = World::new();
        let alice = w.sign_in("alice@example.net", "MSNP7");
        w.ask(alice, "ADG 99 Other 0");
        assert_eq!(w.ask(alice, line), answer.into_iter().collect::<Vec<_>>(), "{line}");
        assert_eq!(w.is_closed(alice), answer.is_none(), "{line}");
        let record = w.hub.directory().record(&handle("alice@example.net")).unwrap();
        assert_eq!(record.version.0, 5, "{line} changed something");
    }
}

#[test]
fn lengths_of_names_groups_and_phones() {
    let text = |len: usize| "x".repeat(len);
    for (line, len, answer) in [
        ("REA 1 alice@example.net ", 387, Some("REA")),
        ("REA 1 alice@example.net ", 388, None),
        ("ADD 1 FL carol@example.net ", 387, Some("ADD")),
        ("ADD 1 FL carol@example.net ", 388, None),
        ("ADG 1 ", 61, Some("ADG")),
        ("ADG 1 ", 62, Some("229")),
        ("ADG 1 ", 127, Some("229")),
        ("ADG 1 ", 128, None),
        ("REG 1 0 ", 61, Some("REG")),
        ("REG 1 0 ", 62, Some("229")),
        ("REG 1 0 ", 128, None),
        ("PRP 1 PHW ", 95, Some("PRP")),
        ("PRP 1 PHW ", 96, None),
    ] {
        let mut w = World::new();
        let alice = w.sign_in("alice@example.net", "MSNP7");
        let found = w.ask(alice, &format!("{line}{}", text(len)));
        assert_eq!(found.first().map(|line| &line[..3]), answer, "{line}{len}");
        assert_eq!(w.is_closed(alice), answer.is_none(), "{line}{len}");
    }
    // What is short as it is sent and long in our coding is refused, not sent on.
    let mut w = World::new();
    let alice = w.sign_in("alice@example.net", "MSNP7");
    let umlauts = |count: usize| "ü".repeat(count);
    assert_eq!(w.ask(alice, &format!("REA 1 alice@example.net {}", umlauts(65))), ["209 1"]);
    assert_eq!(w.ask(alice, &format!("REA 2 alice@example.net {}", umlauts(64))).len(), 1);
    assert_eq!(w.ask(alice, &format!("PRP 3 PHW {}", umlauts(16))), ["201 3"]);
}

#[test]
fn lists_and_groups_are_limited() {
    let mut small = config();
    small.limits.contacts = 2;
    small.limits.privacy_entries = 1;
    let accounts = three().account(handle("dave@example.net"), "x");
    let mut w = World::with(small, accounts);
    let alice = w.sign_in("alice@example.net", "MSNP7");
    assert_eq!(w.ask(alice, "ADD 1 FL carol@example.net c 0").len(), 1);
    assert_eq!(w.ask(alice, "ADD 2 FL dave@example.net d 0"), ["210 2"]);
    assert_eq!(w.ask(alice, "ADD 3 AL dave@example.net d"), ["210 3"]);
    assert_eq!(w.ask(alice, "ADD 4 BL dave@example.net d").len(), 1);
    assert_eq!(w.ask(alice, "ADD 5 BL carol@example.net d"), ["210 5"]);
    for group in 1..30 {
        let version = w.ask(alice, "ADG 6 G 0");
        assert!(version[0].ends_with(&format!(" G {group} 0")), "{version:?}");
    }
    assert_eq!(w.ask(alice, "ADG 7 G 0"), ["223 7"]);
    w.ask(alice, "RMG 8 11");
    assert!(w.ask(alice, "ADG 9 G")[0].ends_with(" G 11 0"), "the lowest free one");
}

#[test]
fn contacts_move_between_groups_in_either_order() {
    let mut w = World::new();
    let alice = w.sign_in("alice@example.net", "MSNP7");
    w.ask(alice, "ADG 1 One 0");
    w.ask(alice, "ADG 2 Two 0");
    let groups = |w: &mut World| {
        let line = w.ask(alice, "LST 5 FL");
        line[0].rsplit(' ').next().unwrap().to_owned()
    };
    for (line, answer, after) in [
        // Out of "Other Contacts", as the client of 2001 does it.
        ("ADD 3 FL bob@example.net b 1", "ADD 3 FL 7 bob@example.net b 1", "0,1"),
        ("REM 3 FL bob@example.net 0", "REM 3 FL 8 bob@example.net 0", "1"),
        ("REM 3 FL bob@example.net 0", "225 3", "1"),
        ("ADD 3 FL bob@example.net b 1", "215 3", "1"),
        ("ADD 3 FL bob@example.net b 2", "ADD 3 FL 9 bob@example.net b 2", "1,2"),
        ("REM 3 FL bob@example.net 1", "REM 3 FL 10 bob@example.net 1", "2"),
        ("ADD 3 FL bob@example.net b", "ADD 3 FL 11 bob@example.net b 0", "0,2"),
        ("REM 3 FL bob@example.net 2", "REM 3 FL 12 bob@example.net 2", "0"),
        ("REM 3 FL bob@example.net 0", "REM 3 FL 13 bob@example.net 0", "0"),
        ("ADD 3 FL bob@example.net b 2", "ADD 3 FL 14 bob@example.net b 2", "0,2"),
        ("REM 3 FL bob@example.net 0", "REM 3 FL 15 bob@example.net 0", "2"),
        // First out of the last group and then into another one leaves them in group 0 too.
        ("REM 3 FL bob@example.net 2", "REM 3 FL 16 bob@example.net 2", "0"),
        ("ADD 3 FL bob@example.net b 1", "ADD 3 FL 17 bob@example.net b 1", "0,1"),
        ("REM 3 FL bob@example.net 0", "REM 3 FL 18 bob@example.net 0", "1"),
        ("REG 3 1 New%20name 0", "REG 3 19 1 New%20name 0", "1"),
        ("RMG 3 1", "RMG 3 21 1", "0"),
        ("REM 3 FL bob@example.net bob@example.net", "REM 3 FL 22 bob@example.net", "0"),
    ] {
        assert_eq!(w.ask(alice, line), [answer]);
        assert_eq!(groups(&mut w), after, "{line}");
    }
}

#[test]
fn names_and_phones_reach_those_who_may_see_them() {
    let mut w = World::new();
    let alice = w.online("alice@example.net");
    let bob = w.online("bob@example.net");
    w.heard(alice);
    assert_eq!(w.ask(bob, "SYN 1 4"), ["SYN 1 4"]);
    assert_eq!(
        w.ask(alice, "REA 2 alice@example.net Al%20%C3%BC"),
        ["REA 2 5 alice@example.net Al%20%C3%BC"]
    );
    assert_eq!(w.heard(bob), ["NLN NLN alice@example.net Al%20%C3%BC"]);
    assert_eq!(w.ask(alice, "REA 3 BOB@example.net Bobby"), ["REA 3 6 bob@example.net Bobby"]);
    assert_eq!(w.heard(bob), NOTHING);

    assert_eq!(w.ask(alice, "PRP 4 PHH 555%200100"), ["PRP 4 7 PHH 555%200100"]);
    assert_eq!(w.heard(bob), ["BPR 5 alice@example.net PHH 555%200100"]);
    assert_eq!(w.ask(alice, "PRP 5 PHH  "), ["PRP 5 8 PHH"]);
    assert_eq!(w.heard(bob), ["BPR 6 alice@example.net PHH"]);
    assert_eq!(w.ask(alice, "PRP 6 MOB Y"), ["PRP 6 8 MOB N"], "no device");
    assert_eq!(w.heard(bob), NOTHING);
    w.say(alice, "PRP 7 PHM 1");
    assert_eq!(w.heard(bob), ["BPR 7 alice@example.net PHM 1"]);
    let dump = w.ask(bob, "SYN 8 0");
    assert!(dump.contains(&"BPR 7 alice@example.net PHM 1".to_owned()));
    w.say(alice, "REM 8 AL bob@example.net");
    w.say(alice, "ADD 9 BL bob@example.net b");
    w.heard(bob);
    let dump = w.ask(bob, "SYN 9 0");
    assert!(dump.contains(&"BPR 7 alice@example.net PHM".to_owned()), "not for the blocked");
    w.heard(alice);
    w.say(alice, "PRP 10 PHM 2");
    assert_eq!(w.heard(bob), NOTHING);
}

#[test]
fn who_is_not_verified_cannot_take_another_name() {
    struct Unverified(MemoryDirectory);
    impl Directory for Unverified {
        fn password(
            &mut self,
            who: &msnp_proto::types::Handle,
        ) -> Result<Option<msnp_proto::hub::Password>, DirectoryError> {
            self.0.password(who)
        }
        fn load(
            &mut self,
            who: &msnp_proto::types::Handle,
        ) -> Result<Option<msnp_proto::hub::Record>, DirectoryError> {
            Ok(self.0.load(who)?.map(|mut record| {
                record.verified = false;
                record
            }))
        }
        fn commit(&mut self, _changes: &[Change]) -> Result<(), DirectoryError> {
            Err(DirectoryError::NotWritten)
        }
    }
    let mut w = World::with_directory(config(), Unverified(three()));
    let alice = w.sign_in("alice@example.net", "MSNP7");
    assert_eq!(w.ask(alice, "REA 1 alice@example.net Al"), ["209 1"]);
    // And a directory that cannot write changes nothing and says so.
    assert_eq!(w.ask(alice, "ADD 2 FL carol@example.net c 0"), ["501 2"]);
    assert_eq!(w.ask(alice, "LST 3 FL").len(), 1);
    let why = DirectoryError::NotWritten;
    assert_eq!(w.events.last(), Some(&Event::DirectoryFailed { conn: alice, why }));
}

#[test]
fn who_is_not_verified_is_shown_as_such() {
    let mut w = World::with(config(), three().unverified(&handle("alice@example.net")));
    let bob = w.online("bob@example.net");
    let alice = w.connect(Role::Notification);
    w.ask(alice, "VER 1 MSNP6");
    let challenge = w.challenge(alice, "alice@example.net");
    let digest = hub_support::md5_hex(&[&challenge, "Pa55word"]);
    let shown = "alice@example.net%20(E-Mail%20Address%20Not%20Verified)";
    let answer = w.ask(alice, &format!("USR 3 MD5 S {digest}"));
    assert_eq!(answer[0], format!("USR 3 OK alice@example.net {shown} 0"));
    w.say(alice, "CHG 4 NLN");
    assert_eq!(w.heard(bob), [format!("NLN NLN alice@example.net {shown}")]);
    w.heard(alice);
    assert_eq!(w.ask(alice, "REA 5 alice@example.net Al"), ["209 5"]);
    assert_eq!(w.ask(alice, "REA 6 bob@example.net Bobby").len(), 1, "others can be renamed");
    let kept = w.hub.directory().record(&handle("alice@example.net")).unwrap();
    assert_eq!(kept.name.as_str(), "Alice A", "the name of later is kept");
}

#[test]
fn names_are_decoded_once_and_lose_control_characters() {
    for (sent, kept) in [
        ("%66%75", "fu"),
        ("%2566%2575", "%2566%2575"),
        ("a%0Db%0a%00%1b%7Fc", "abc"),
        ("a%C2%85b", "ab"),
        ("%0D%0A", "alice@example.net"),
        ("%", "%25"),
        ("%E2%80%AEx", "%E2%80%AEx"),
        ("a%e9b", "a%EF%BF%BDb"),
        ("<b>&quot;", "<b>&quot;"),
    ] {
        let mut w = World::new();
        let alice = w.online("alice@example.net");
        let bob = w.online("bob@example.net");
        w.heard(alice);
        let line = format!("REA 1 alice@example.net {sent}");
        assert_eq!(w.ask(alice, &line), [format!("REA 1 5 alice@example.net {kept}")]);
        assert_eq!(w.heard(bob), [format!("NLN NLN alice@example.net {kept}")], "{sent}");
    }
    let mut w = World::new();
    let alice = w.sign_in("alice@example.net", "MSNP7");
    assert_eq!(w.ask(alice, "REA 1 bob@example.net B%0Db"), ["REA 1 5 bob@example.net Bb"]);
    assert_eq!(w.ask(alice, "ADG 2 F%0D 0"), ["ADG 2 6 F 1 0"]);
    assert_eq!(w.ask(alice, "ADG 3 %0D 0"), ["201 3"]);
    assert_eq!(w.ask(alice, "REG 4 1 G%00G 0"), ["REG 4 7 1 GG 0"]);
    assert_eq!(w.ask(alice, "PRP 5 PHH 5%0A5"), ["PRP 5 8 PHH 55"]);
    assert_eq!(w.ask(alice, "PRP 6 PHH %0A"), ["PRP 6 9 PHH"]);
    assert_eq!(
        w.ask(alice, "ADD 7 FL carol@example.net C%0D%0AOUT 1"),
        ["ADD 7 FL 10 carol@example.net COUT 1"]
    );
}

#[test]
fn renames_that_are_too_fast_are_refused_if_that_is_wanted() {
    let mut strict = config();
    strict.limits.renames = Some(Allowance::RENAMES);
    let mut w = World::with(strict, three());
    let alice = w.sign_in("alice@example.net", "MSNP7");
    for round in 1..=5 {
        let answer = w.ask(alice, &format!("REA {round} alice@example.net A{round}"));
        assert!(answer[0].starts_with("REA "), "{answer:?}");
    }
    assert_eq!(w.ask(alice, "REA 6 alice@example.net A6"), ["800 6"]);
    assert_eq!(w.ask(alice, "REA 7 bob@example.net B").len(), 1, "contacts count for nothing");
    w.pass(Duration::from_micros(9_999_999));
    assert_eq!(w.ask(alice, "REA 8 alice@example.net A8"), ["800 8"]);
    w.pass(Duration::from_micros(1));
    assert!(w.ask(alice, "REA 9 alice@example.net A9")[0].starts_with("REA 9 "));
    assert_eq!(w.ask(alice, "REA 10 alice@example.net A10"), ["800 10"]);

    let mut w = World::new();
    let alice = w.sign_in("alice@example.net", "MSNP7");
    for round in 1..=50 {
        assert!(w.ask(alice, &format!("REA {round} alice@example.net A"))[0].starts_with("REA "));
    }
}

#[test]
fn a_new_account_can_be_set_up_as_the_official_client_does() {
    let mut w = World::with(config(), three().account(handle("new@example.net"), "Pa55word"));
    let new = w.sign_in("new@example.net", "MSNP7");
    assert!(w.ask(new, "SYN 8 0").contains(&"LSG 8 1 1 1 0 ~ 0".to_owned()));
    for (line, answer) in [
        ("REG 9 0 Other%20Contacts 0", "REG 9 2 0 Other%20Contacts 0"),
        ("ADG 10 Coworkers 0", "ADG 10 3 Coworkers 1 0"),
        ("ADG 11 Friends 0", "ADG 11 4 Friends 2 0"),
        ("ADG 12 Family 0", "ADG 12 5 Family 3 0"),
    ] {
        assert_eq!(w.ask(new, line), [answer]);
    }
}

#[test]
fn list_versions_never_run_back_and_are_never_nothing() {
    let mut record = three().record(&handle("alice@example.net")).unwrap().clone();
    record.version = ListVersion(u32::MAX - 1);
    let mut versions = Vec::new();
    for _ in 0..3 {
        record.apply(&Edit::ContactProperties);
        versions.push(record.version.0);
    }
    assert_eq!(versions, [u32::MAX, 1, 2], "0 would mean that nothing is known");
}

#[test]
fn changes_of_a_record_are_what_a_directory_needs() {
    let mut accounts = three();
    let alice = handle("alice@example.net");
    let by = accounts.record(&alice).unwrap().identity;
    let own = |by, edit| Change { by, account: alice.clone(), edit };
    let nobody = handle("nobody@example.net");
    accounts
        .commit(&[
            own(by, Edit::Name(Nick::new("Al").unwrap())),
            own(by, Edit::Property(Property::WorkPhone, Some("1".into()))),
            Change { by, account: nobody, edit: Edit::ContactProperties },
            // By somebody who is gone.
            own(by + 100, Edit::Name(Nick::new("Ghost").unwrap())),
        ])
        .unwrap();
    let record = accounts.record(&alice).unwrap();
    assert_eq!((record.name.as_str(), record.version.0), ("Al", 6));
    assert_eq!(record.on(List::Forward).count(), 1);
    fn is_send<T: Send>() {}
    is_send::<Hub>();
}
