//! Every length, number and list at its limit, over it and far over it.

use crate::hub_support::{World, config, handle, three};
use crate::state::State;
use crate::{check, records};

/// A line, where a text of some length stands for `{}`, and what is answered for which length.
type Limit = (&'static str, &'static [(usize, &'static str, bool)]);

#[test]
fn every_length_at_over_and_far_over_its_limit() {
    const LIMITS: &[Limit] = &[
        (
            "REA 7 alice@example.net {}",
            &[(387, "REA", true), (388, "_", false), (7000, "_", false)],
        ),
        ("REA 7 bob@example.net {}", &[(387, "REA", true), (388, "_", false), (7000, "_", false)]),
        ("REA 7 carol@example.net {}", &[(387, "216", true), (388, "_", false)]),
        (
            "ADD 7 FL carol@example.net {}",
            &[(387, "ADD", true), (388, "_", false), (7000, "_", false)],
        ),
        (
            "ADG 7 {} 0",
            &[
                (61, "ADG", true),
                (62, "229", true),
                (127, "229", true),
                (128, "_", false),
                (7000, "_", false),
            ],
        ),
        (
            "REG 7 1 {} 0",
            &[
                (61, "REG", true),
                (62, "229", true),
                (127, "229", true),
                (128, "_", false),
                (7000, "_", false),
            ],
        ),
        ("PRP 7 PHH {}", &[(95, "PRP", true), (96, "_", false), (7000, "_", false)]),
        ("PRP 7 {} 1", &[(2, "715", true), (3, "715", true), (4, "_", false), (7000, "_", false)]),
        ("PRP 7 MOB {}", &[(1, "201", true), (95, "201", true), (96, "_", false)]),
        (
            "ADD 7 FL {}@example.net x",
            &[(117, "205", true), (118, "201", true), (7000, "201", true)],
        ),
        ("REM 7 FL {}@example.net", &[(117, "216", true), (118, "216", true), (7000, "216", true)]),
        ("CHG 7 {}", &[(3, "_", false), (7000, "_", false)]),
        ("GTC 7 {}", &[(1, "_", false), (7000, "_", false)]),
        ("BLP 7 {}", &[(2, "_", false), (7000, "_", false)]),
        ("LST 7 {}", &[(2, "201", true), (7000, "201", true)]),
        ("XFR 7 {}", &[(2, "201", true), (7000, "201", true)]),
        ("IMS 7 {}", &[(2, "201", true), (7000, "201", true)]),
        ("URL 7 {}", &[(2, "502", true), (7000, "502", true)]),
        ("FND 7 {}", &[(2, "502", true), (7000, "502", true)]),
        ("SND 7 {}@example.org a b c", &[(117, "503", true), (7000, "503", true)]),
        ("FOO 7 {}", &[(8184, "200", true), (8185, "_", false)]),
    ];
    for (line, cases) in LIMITS {
        for (length, answer, stays) in *cases {
            let line = line.replace("{}", &"x".repeat(*length));
            check(State::Online, format!("{line}\r\n").as_bytes(), answer, *stays);
        }
    }
}

#[test]
fn every_number_at_over_and_far_over_its_limit() {
    for (line, answer, stays) in [
        ("SYN 7 4294967295", "SYN 7 5", true),
        ("SYN 7 4294967296", "201 7", true),
        ("SYN 7 99999999999999999999", "201 7", true),
        ("SYN 7 -1", "201 7", true),
        ("RMG 7 0", "230 7", true),
        ("RMG 7 2", "224 7", true),
        ("RMG 7 29", "224 7", true),
        ("RMG 7 30", "_", false),
        ("RMG 7 4294967295", "_", false),
        ("RMG 7 4294967296", "201 7", true),
        ("RMG 7 -1", "201 7", true),
        ("REG 7 0 x 0", "REG 7 6 0 x 0", true),
        ("REG 7 29 x 0", "224 7", true),
        ("REG 7 30 x 0", "_", false),
        ("REG 7 4294967296 x 0", "201 7", true),
        ("ADD 7 FL carol@example.net c 29", "224 7", true),
        ("ADD 7 FL carol@example.net c 30", "224 7", true),
        ("ADD 7 FL carol@example.net c 4294967295", "224 7", true),
        ("ADD 7 FL carol@example.net c 4294967296", "201 7", true),
        ("ADD 7 FL bob@example.net b 0", "215 7", true),
        ("REM 7 FL bob@example.net 1", "225 7", true),
        ("REM 7 FL bob@example.net 30", "224 7", true),
        ("PAG 7 bob@example.net 99999999999", "_", false),
        ("PAG 7 bob@example.net -1", "_", false),
        ("PAG 7 bob@example.net +5", "_", false),
        ("PAG 7 bob@example.net 0x10", "_", false),
        ("PAG 7 bob@example.net 1e3", "_", false),
    ] {
        check(State::Online, format!("{line}\r\n").as_bytes(), answer, stays);
    }
    for (size, answer, stays) in [(0, "606", true), (8192, "606", true), (8193, "606", true)] {
        let page = format!("PAG 7 bob@example.net {size}\r\n{}", "x".repeat(size));
        check(State::Online, page.as_bytes(), answer, stays);
    }
    for (size, stays) in [(0, false), (31, false), (33, false), (8193, false)] {
        let answer = format!("QRY 7 msmsgs@msnmsgr.com {size}\r\n{}", "x".repeat(size));
        check(State::Online, answer.as_bytes(), "540 7", stays);
    }
    for (size, answer, stays) in
        [(0, "NAK 7", true), (1664, "NAK 7", true), (1665, "_", false), (100_000, "_", false)]
    {
        let text = format!("MSG 7 A {size}\r\n{}", "x".repeat(size));
        check(State::Seated, text.as_bytes(), answer, stays);
    }
}

#[test]
fn every_list_at_and_over_its_limit() {
    let mut small = config();
    small.limits.changes = None;
    small.limits.groups = 4;
    small.limits.contacts = 3;
    small.limits.privacy_entries = 2;
    let mut accounts = three();
    for number in 0..10 {
        accounts = accounts.account(handle(&format!("user{number}@example.net")), "x");
    }
    let mut w = World::with(small, accounts);
    let alice = w.sign_in("alice@example.net", "MSNP7");
    // Alice has Bob on FL and AL to begin with, and group 0.
    for (command, room, code) in [
        ("ADG 7 G{} 0", 3, "223 7"),
        ("ADD 7 FL user{}@example.net x", 2, "210 7"),
        ("ADD 7 AL user{}@example.net x", 1, "210 7"),
        ("ADD 7 BL user{}@example.net x", 2, "219 7"),
    ] {
        for number in 0..10 {
            let before = records(&w);
            let answer = w.ask(alice, &command.replace("{}", &number.to_string()));
            let blocks = command.contains("BL");
            let fits = if blocks { (1..=room).contains(&number) } else { number < room };
            if fits {
                assert!(answer[0].starts_with(&command[..3]), "{command} {number}: {answer:?}");
            } else {
                let code = if blocks && number > 0 { "210 7" } else { code };
                assert_eq!(answer, [code], "{command} {number}");
                assert_eq!(records(&w), before);
            }
        }
    }
}
