//! People in switchboards, and texts to them.

use msnp_proto::client::Outcome;
use msnp_proto::error::{Lost, Wait};
use msnp_proto::testing::case::Place;
use msnp_proto::time::Duration;
use msnp_proto::types::Delivery;

use crate::client::ClientStage;
use crate::script::Script;
use crate::stage::Stage;

/// P06: whatever is said of them, everybody is in a chat once or not at all.
pub(super) fn members_are_a_set() {
    let mut script = Script::online();
    let (chat, sb) = script.chat_with("bob@example.net");
    let members = |script: &Script| {
        let names = script.client.members(chat).map(|(account, _)| account.to_string());
        names.collect::<Vec<_>>()
    };
    for (line, expected) in [
        ("JOI bob@example.net Bob", "bob@example.net"),
        ("JOI BOB@example.net Bob", "bob@example.net"),
        ("JOI alice@example.net Alice", "bob@example.net"),
        ("JOI erin@example.net Erin", "bob@example.net erin@example.net"),
        ("IRO 1 1 1 erin@example.net Erin", "bob@example.net erin@example.net"),
        ("BYE frank@example.net", "bob@example.net erin@example.net"),
        ("BYE ERIN@example.net", "bob@example.net"),
        ("BYE erin@example.net", "bob@example.net"),
    ] {
        script.says(sb, &format!("{line}\r\n"));
        assert_eq!(members(&script).join(" "), expected, "{line}");
    }
    let mut stage = ClientStage::new(Place::ClientChat);
    for number in 0..100 {
        stage.say(format!("JOI p{number}@example.net P\r\n").as_bytes());
    }
    assert_eq!(stage.seen(&[]).warnings(), 100 - 63, "64 people are kept");
}

/// P10: the line is dead and does not say so. The text is unknown when its time is up; the session
/// ends when the ping is not answered; after a new sign-in a text opens a new chat.
pub(super) fn a_text_on_a_dead_line_ends_and_the_next_one_opens_a_chat() {
    let mut script = Script::online();
    let (chat, sb) = script.chat_with("bob@example.net");
    let now = script.now;
    let text = script.client.send_text(now, chat, "one", Delivery::Always).expect("Bob is there");
    // Nothing is written any more, and nothing comes.
    script.wait(Duration::from_secs(10));
    let timed_out = Outcome::Unknown(Lost::TimedOut(Wait::Acknowledgement));
    assert_eq!(script.outcome(text), timed_out);
    script.hangs_up(sb);
    let later = script.client.send_text(script.now, chat, "two", Delivery::Always);
    let later = later.expect("it waits for a new switchboard");
    assert!(script.drain(script.ns).starts_with("XFR "), "a new switchboard is asked for");
    script.wait(Duration::from_secs(200));
    assert_eq!(script.outcomes(later).len(), 1);
    assert_eq!(script.lost(), Some(Lost::TimedOut(Wait::Pong)));
}
