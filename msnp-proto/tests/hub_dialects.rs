//! What the hub says to somebody is of the dialect that they speak: no command and no argument that
//! came later.

mod hub_support;

use std::collections::BTreeSet;

use hub_support::{World, config, handle, md5_hex, three};
use msnp_proto::body::{InitialMail, MailActivity, NewMail};
use msnp_proto::hub::{Mail, Role, Service};
use msnp_proto::ns::Reply;
use msnp_proto::time::Duration;
use msnp_proto::types::{Dialect, ErrorReply};
use msnp_proto::wire::{FrameDecoder, Inbox, Incoming, Parsed};

/// What was said of each kind.
#[derive(Default)]
struct Heard {
    commands: BTreeSet<String>,
    arguments: BTreeSet<(String, &'static str)>,
}

impl Heard {
    fn add(&mut self, mut bytes: &[u8]) {
        let mut inbox = Inbox::new(FrameDecoder::notification_client(Default::default()));
        while let Some(incoming) = inbox.next(&mut bytes).expect("sound") {
            let Incoming::Frame(frame) = incoming else { panic!("{incoming:?}") };
            if ErrorReply::parse(frame).is_some() {
                continue;
            }
            let Parsed::Command(reply, extra) = Reply::parse(frame).expect("a command") else {
                panic!("{frame:?}")
            };
            assert!(extra.is_empty(), "{frame:?}");
            let verb = reply.verb().to_string();
            reply.fields(&mut |name, _| {
                self.arguments.insert((verb.clone(), name));
            });
            self.commands.insert(verb);
        }
        assert!(inbox.is_between_frames());
    }
}

/// Everything that can happen to somebody who speaks a dialect.
fn live(dialect: Dialect) -> Heard {
    let mut config = config();
    let (name, redirect) = ("INBOX".into(), "/inbox".into());
    config.services.push(Service { name, redirect, login: "https://example.net/".into(), site: 2 });
    config.mail_invitations = true;
    let mut w = World::with(config, three());
    let mut heard = Heard::default();

    let dispatch = w.connect(Role::Dispatch);
    w.say(dispatch, &format!("VER 1 {dialect}"));
    w.say(dispatch, "INF 2");
    w.say(dispatch, "USR 3 MD5 I alice@example.net");
    heard.add(&w.heard_bytes(dispatch));

    let mut alice = w.connect(Role::Notification);
    w.say(alice, &format!("VER 1 {dialect}"));
    w.say(alice, "INF 2");
    heard.add(&w.heard_bytes(alice));
    let challenge = w.challenge(alice, "alice@example.net");
    w.say(alice, &format!("USR 3 MD5 S {}", md5_hex(&[&challenge, "Pa55word"])));
    let bob = w.sign_in("bob@example.net", "MSNP7");
    let carol = w.sign_in("carol@example.net", "MSNP7");
    for conn in [bob, carol] {
        w.say(conn, "CHG 4 NLN");
    }
    let who = handle("alice@example.net");
    w.hub.notify_mail(w.now, &who, &Mail::Status(InitialMail::default())).expect("plain");
    let mut new = NewMail::default();
    (new.from, new.id) = ("Bob".into(), "2".into());
    for line in [
        "SYN 4 0",
        "CHG 5 NLN",
        "CVR 6 0x0409 win 4.10 i386 MSMSGS 4.5.0127 MSMSGS",
        "ADD 7 FL carol@example.net Carol",
        "ADD 8 AL carol@example.net Carol",
        "REM 9 FL carol@example.net",
        "LST 10 FL",
        "GTC 11 N",
        "BLP 12 BL",
        "REA 13 alice@example.net Al",
        "URL 14 INBOX",
        "SND 15 friend@example.org 0x0409 MSMSGS MSMSGS",
        "FND 16 fname=Ann",
        "PNG",
        "XFR 17 SB",
    ] {
        w.say(alice, line);
    }
    if dialect >= Dialect::Msnp3 {
        w.say(alice, "IMS 18 ON");
    }
    if dialect >= Dialect::Msnp5 {
        w.say(alice, "PRP 19 PHH 1");
        w.say(alice, "SDC 20 friend@example.org 0x0409 MSMSGS MSMSGS X X Al 0");
    }
    if dialect >= Dialect::Msnp7 {
        for line in ["ADG 21 One 0", "ADD 22 FL bob@example.net B 1", "REM 23 FL bob@example.net 1"]
        {
            w.say(alice, line);
        }
        for line in ["REG 24 1 Two 0", "RMG 25 1", "LSG 26"] {
            w.say(alice, line);
        }
    }
    // What others do.
    for line in
        ["CHG 5 BSY", "PRP 6 PHH 555", "REA 7 bob@example.net Bobby", "CHG 8 HDN", "CHG 9 NLN"]
    {
        w.say(bob, line);
    }
    w.say(carol, "ADD 5 FL alice@example.net Alice");
    w.say(carol, "REM 6 FL alice@example.net");
    w.say(bob, "BLP 10 BL");
    w.heard(bob);
    let board = w.switchboard(bob, "bob@example.net");
    w.say(board, "CAL 2 alice@example.net");
    // What the operator does.
    w.hub.notify_mail(w.now, &who, &Mail::New(new)).expect("plain");
    w.hub.notify_mail(w.now, &who, &Mail::Activity(MailActivity::default())).expect("plain");
    w.hub.alert(w.now, &who, b"<NOTIFICATION/>");
    w.hub.page(w.now, &who, b"<NOTIFICATION/>");
    w.hub.announce_shutdown(w.now, 5);
    w.turn();
    w.pass(Duration::from_secs(40));
    heard.add(&w.heard_bytes(alice));
    if dialect >= Dialect::Msnp6 {
        // Unanswered challenges have an end; begin again without one.
        alice = w.sign_in("alice@example.net", dialect.as_str());
        w.say(alice, "CHG 4 NLN");
    }
    let to = "192.0.2.9:1863".parse().expect("an address");
    w.hub.move_people(w.now, &to);
    w.turn();
    heard.add(&w.heard_bytes(alice));
    heard
}

#[test]
fn nothing_is_said_that_the_dialect_does_not_have_and_everything_that_it_has() {
    for dialect in Dialect::ALL {
        let heard = live(dialect);
        for row in Reply::VERBS {
            let verb = row.verb.to_string();
            // CVQ is for those without a dialect, QRY for those who can answer, OUT is the end.
            if !matches!(verb.as_str(), "CVQ" | "QRY" | "OUT") {
                let known = row.since <= dialect.number();
                let unsaid = matches!(verb.as_str(), "FND" | "PAG");
                let said = heard.commands.contains(&verb);
                assert_eq!(said, known && !unsaid, "{verb} in {dialect}");
            }
            for argument in row.shapes.iter().flat_map(|shape| shape.arguments) {
                if let Some(since) = argument.since {
                    let said = heard.arguments.contains(&(verb.clone(), argument.name));
                    assert_eq!(
                        said,
                        since <= dialect.number(),
                        "{verb} {} in {dialect}",
                        argument.name
                    );
                }
            }
        }
    }
}
