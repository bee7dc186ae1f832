//! Open requests and lists.

use msnp_proto::client::{Config, Warning};
use msnp_proto::error::Misuse;
use msnp_proto::machine::Host;
use msnp_proto::types::Status;
use msnp_proto::wire::Verb;

use crate::client::{ClientStage, handle};
use crate::script::Script;
use crate::stage::Stage;
use msnp_proto::testing::case::Place;

/// F07: at the limit of open requests a command is refused, and nothing is said.
pub(super) fn open_requests_are_limited() {
    let mut config = Config::new();
    config.limits.open_requests = 3;
    let mut script = Script::online_with_config(config, "SYN 5 0\r\nLST 5 RL 0 0 0\r\n");
    let now = script.now;
    for trid in 8..11 {
        assert!(script.client.set_status(now, Status::Busy).is_ok());
        script.hears(script.ns, &format!("CHG {trid} BSY\r\n"));
    }
    assert_eq!(script.client.set_status(now, Status::Away), Err(Misuse::Backlog));
    let chat = script.client.open_chat(now, &handle("bob@example.net"));
    assert_eq!(chat.map(|_| ()), Err(Misuse::Backlog));
    script.hears(script.ns, "");
    script.says(script.ns, "CHG 8 BSY\r\n");
    assert!(script.client.set_status(now, Status::Away).is_ok(), "there is room again");
}

/// P03: presence, names and numbers of strangers are told, and the lists stay as they are.
pub(super) fn strangers_leave_the_lists_as_they_are() {
    let mut stage = ClientStage::new(Place::ClientOnline);
    let before = stage.client.roster().clone();
    for line in [
        "NLN BSY stranger@example.org Nobody",
        "ILN 6 AWY stranger@example.org Nobody",
        "FLN stranger@example.org",
        "BPR 9 stranger@example.org PHH 5",
        "REA 0 9 stranger@example.org Nobody",
        "REM 0 FL 9 stranger@example.org",
        "LST 5 FL 77 1 1 stranger@example.org Nobody 0",
        "LST 77 RL 78 0 0",
        "LSG 5 79 1 1 3 Strangers 0",
        "SYN 77 80",
    ] {
        stage.say(format!("{line}\r\n").as_bytes());
        assert_eq!(stage.seen(&[]).events.len(), 1, "{line}");
        assert_eq!(*stage.client.roster(), before, "{line}");
    }
}

/// P04: entries over the limit are reported once and not kept, groups likewise.
pub(super) fn lists_are_limited() {
    let mut config = Config::new();
    config.roster_entries = 100;
    let mut lists = String::from("SYN 5 9\r\n");
    for number in 1..=10_000 {
        lists.push_str(&format!("LST 5 FL 9 {number} 10000 p{number}@example.net P 0\r\n"));
    }
    lists.push_str("LST 5 RL 9 0 0\r\n");
    let mut script = Script::online_with_config(config, &lists);
    assert_eq!(script.client.roster().contacts().count(), 100);
    assert_eq!(script.before, [Warning::TooMany { verb: Verb::new(*b"LST") }]);
    script.says(script.ns, "ADD 0 RL 10 one@example.org One\r\n");
    assert_eq!(script.client.roster().contacts().count(), 100);
    assert_eq!(script.warnings(), [Warning::TooMany { verb: Verb::new(*b"ADD") }]);
    // Room can be made again.
    script.says(script.ns, "REM 0 FL 11 p1@example.net\r\nADD 0 RL 12 one@example.org One\r\n");
    assert!(script.client.roster().contact(&handle("one@example.org")).is_some());
    assert!(script.client.next_deadline().is_some());
}
