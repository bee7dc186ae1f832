//! What the server says because its operator wants it, and the services that it can offer.

mod hub_support;

use hub_support::{World, config, handle, three};
use msnp_proto::body::{InitialMail, MailActivity, NewMail};
use msnp_proto::hub::{Event, Mail, Role, Service, Why};
use msnp_proto::limits::Leniency;
use msnp_proto::machine::{ConnId, Target};
use msnp_proto::time::Duration;

const NOTHING: [&str; 0] = [];
const DIALECTS: [&str; 6] = ["MSNP2", "MSNP3", "MSNP4", "MSNP5", "MSNP6", "MSNP7"];

fn status(inbox: u32, folders: u32) -> Mail {
    let mut status = InitialMail::default();
    status.inbox_unread = Some(inbox);
    status.folders_unread = Some(folders);
    status.inbox_url = "/cgi-bin/HoTMaiL".into();
    status.folders_url = "/cgi-bin/folders".into();
    status.post_url = "http://mail.example.net".into();
    Mail::Status(status)
}

fn new_mail(folder: &str) -> Mail {
    let mut mail = NewMail::default();
    mail.from = "Bob B".into();
    mail.from_address = "bob@example.net".into();
    mail.subject = "Café".into();
    mail.folder = folder.into();
    mail.id = "2".into();
    Mail::New(mail)
}

fn activity(source: &str, destination: &str, delta: u32) -> Mail {
    let mut activity = MailActivity::default();
    activity.source = source.into();
    activity.destination = destination.into();
    activity.delta = Some(delta);
    Mail::Activity(activity)
}

fn tell(w: &mut World, mail: &Mail) {
    let now = w.now;
    w.hub.notify_mail(now, &handle("alice@example.net"), mail).expect("no control characters");
    w.turn();
}

/// What Alice hears when she comes online.
fn come_online(w: &mut World) -> Vec<String> {
    let alice: ConnId = w.sign_in("alice@example.net", "MSNP5");
    w.ask(alice, "CHG 9 NLN")
}

#[test]
fn the_mailbox_is_told_after_the_first_status_and_once() {
    for dialect in DIALECTS {
        let mut w = World::new();
        tell(&mut w, &status(3, 0));
        let alice = w.sign_in("alice@example.net", dialect);
        let heard = w.ask(alice, "CHG 1 NLN");
        assert_eq!(heard[0], "CHG 1 NLN");
        assert!(heard[1].starts_with("MSG Hotmail Hotmail "), "{heard:?}");
        let kind = match dialect {
            "MSNP2" => "application/x-msmsgsemailnotification",
            _ => "text/x-msmsgsinitialemailnotification",
        };
        assert_eq!(heard[3], format!("Content-Type: {kind}; charset=UTF-8"));
        assert_eq!(heard[5], "Inbox-Unread: 3");
        let challenged = heard.last().unwrap().starts_with("CHL 0 ");
        assert_eq!(challenged, matches!(dialect, "MSNP6" | "MSNP7"), "{heard:?}");
        assert_eq!(w.ask(alice, "CHG 2 AWY"), ["CHG 2 AWY"]);
    }
}

#[test]
fn the_example_of_a_mailbox_has_the_length_that_it_should() {
    let mut w = World::new();
    tell(&mut w, &status(3, 0));
    assert_eq!(come_online(&mut w)[1], "MSG Hotmail Hotmail 222");
}

#[test]
fn unread_mail_is_counted_for_the_next_session() {
    let mut w = World::new();
    tell(&mut w, &status(3, 1));
    tell(&mut w, &new_mail("ACTIVE"));
    tell(&mut w, &new_mail("Friends"));
    tell(&mut w, &activity("ACTIVE", ".!!trAsH", 2));
    tell(&mut w, &activity("Friends", "ACTIVE", 100));
    let heard = come_online(&mut w);
    assert!(heard.contains(&"Inbox-Unread: 102".into()), "{heard:?}");
    assert!(heard.contains(&"Folders-Unread: 0".into()), "{heard:?}");
    w.hub.forget_mailbox(&handle("alice@example.net"));
    assert_eq!(come_online(&mut w), ["CHG 9 NLN"]);
}

#[test]
fn mail_is_told_to_those_who_are_there() {
    for dialect in DIALECTS {
        let mut w = World::new();
        let alice = w.sign_in("alice@example.net", dialect);
        w.say(alice, "CHG 1 NLN");
        w.heard(alice);
        tell(&mut w, &new_mail("ACTIVE"));
        let heard = w.heard(alice);
        assert!(heard.contains(&"Subject: =?utf-8?Q?Caf=C3=A9?=".into()), "{heard:?}");
        assert_eq!(heard.contains(&"id: 2".into()), dialect != "MSNP2");
        tell(&mut w, &activity("ACTIVE", ".!!trAsH", 1));
        assert_eq!(w.heard(alice).is_empty(), dialect == "MSNP2");
        tell(&mut w, &status(9, 9));
        assert!(w.heard(alice).contains(&"Inbox-Unread: 9".into()));
    }
}

#[test]
fn mail_with_a_line_end_in_it_is_refused_and_forgotten() {
    let mut w = World::new();
    let alice = w.online("alice@example.net");
    let forged = Mail::Status({
        let mut status = InitialMail::default();
        status.post_url = "x\r\nInbox-Unread: 9".into();
        status
    });
    let now = w.now;
    assert!(w.hub.notify_mail(now, &handle("alice@example.net"), &forged).is_err());
    w.turn();
    assert_eq!(w.heard(alice), NOTHING);
    w.hang_up(alice);
    assert_eq!(come_online(&mut w), ["CHG 9 NLN"], "nor is it kept");
}

#[test]
fn a_shutdown_is_announced_to_all_and_to_those_who_come() {
    let mut w = World::new();
    let alice = w.sign_in("alice@example.net", "MSNP7");
    let now = w.now;
    w.hub.announce_shutdown(now, 5);
    w.turn();
    let system = ["MIME-Version: 1.0", "Content-Type: application/x-msmsgssystemmessage", ""];
    let heard = w.heard(alice);
    assert_eq!(heard[0], "MSG Hotmail Hotmail 88");
    assert_eq!(heard[1..4], system);
    assert_eq!(heard[4..], ["Type: 1", "Arg1: 5"]);
    w.pass(Duration::from_secs(61));
    let bob = w.sign_in("bob@example.net", "MSNP5");
    assert_eq!(w.ask(bob, "CHG 9 NLN").last().unwrap(), "Arg1: 4", "begun minutes count");
    w.pass(Duration::from_secs(600));
    assert!(!w.is_closed(alice) && !w.is_closed(bob), "that is for the operator");
    let now = w.now;
    w.hub.shut_down(now);
    w.turn();
    assert_eq!(w.heard(alice), ["OUT SSD"]);
}

#[test]
fn an_announced_shutdown_lapses_and_can_be_withdrawn() {
    // At its time it is past, and a minute before it is the last one.
    for (minutes, after, told) in [(5, 299, true), (5, 300, false), (5, 301, false), (0, 0, false)]
    {
        let mut w = World::new();
        let now = w.now;
        w.hub.announce_shutdown(now, minutes);
        w.pass(Duration::from_secs(after));
        let bob = w.sign_in("bob@example.net", "MSNP5");
        let heard = w.ask(bob, "CHG 9 NLN");
        assert_eq!(heard.last().unwrap() == "Arg1: 1", told, "{minutes} {after} {heard:?}");
        assert_eq!(heard.len() > 1, told, "{heard:?}");
    }
    let mut w = World::new();
    let alice = w.sign_in("alice@example.net", "MSNP7");
    let now = w.now;
    assert!(!w.hub.withdraw_shutdown(), "there is none");
    w.hub.announce_shutdown(now, 5);
    w.turn();
    w.heard(alice);
    assert!(w.hub.withdraw_shutdown());
    assert!(!w.hub.withdraw_shutdown());
    w.turn();
    assert_eq!(w.heard(alice), NOTHING, "the protocol has no word for it");
    let bob = w.sign_in("bob@example.net", "MSNP5");
    assert_eq!(w.ask(bob, "CHG 9 NLN"), ["CHG 9 NLN"]);
}

#[test]
fn a_move_has_the_shape_of_the_dialect() {
    for (dialect, rest) in [
        ("MSNP2", ""),
        ("MSNP3", " 0"),
        ("MSNP4", " 0"),
        ("MSNP5", " 0"),
        ("MSNP6", " 0"),
        ("MSNP7", " 0 192.0.2.1:1864"),
    ] {
        let mut w = World::new();
        let alice = w.sign_in("alice@example.net", dialect);
        let now = w.now;
        w.hub.move_people(now, &Target { host: "192.0.2.11".into(), port: 1863 });
        w.turn();
        assert_eq!(w.heard(alice), [format!("XFR 0 NS 192.0.2.11:1863{rest}")]);
        assert!(w.is_closed(alice));
    }
}

#[test]
fn whoever_is_moved_keeps_talking_and_nobody_sees_them_go() {
    let mut w = World::new();
    let alice = w.online("alice@example.net");
    let bob = w.online("bob@example.net");
    w.heard(alice);
    let of_alice = w.switchboard(alice, "alice@example.net");
    let of_bob = w.call_in(of_alice, bob, "bob@example.net");
    let arriving = w.connect(Role::Notification);
    let now = w.now;
    w.hub.move_people(now, &Target { host: "ns.example.net".into(), port: 1864 });
    w.turn();
    assert_eq!(w.heard(alice), ["XFR 0 NS ns.example.net:1864 0"]);
    assert_eq!(w.heard(bob), ["XFR 0 NS ns.example.net:1864 0"]);
    assert!(matches!(w.events.last(), Some(Event::SignedOut { why: Why::Moved, .. })));
    assert!(!w.is_closed(arriving));
    w.send(of_alice, b"MSG 5 A 2\r\nhi");
    assert_eq!(w.heard(of_alice), ["ACK 5"]);
    assert_eq!(w.heard(of_bob), ["MSG alice@example.net Alice%20A 2", "hi"]);
    // Who comes back is a new person; the old seat is nobody's, and can be left.
    let bob = w.online("bob@example.net");
    w.hang_up(of_bob);
    assert_eq!(w.heard(of_alice), ["BYE bob@example.net"]);
    w.call_in(of_alice, bob, "bob@example.net");
    w.hang_up(of_alice);
    assert_eq!((w.hub.people(), w.hub.switchboards()), (1, 1));
}

#[test]
fn alerts_and_pages_reach_the_dialects_that_know_them() {
    for dialect in DIALECTS {
        let mut w = World::new();
        let alice = w.sign_in("alice@example.net", dialect);
        let (now, who) = (w.now, handle("alice@example.net"));
        assert_eq!(w.hub.alert(now, &who, b"<N/>"), dialect >= "MSNP5");
        w.turn();
        let alert = if dialect >= "MSNP5" { vec!["NOT 4", "<N/>"] } else { vec![] };
        assert_eq!(w.heard(alice), alert);
        assert_eq!(w.hub.page(now, &who, b"<P/>"), dialect >= "MSNP6");
        w.turn();
        let page = if dialect >= "MSNP6" { vec!["IPG 4", "<P/>"] } else { vec![] };
        assert_eq!(w.heard(alice), page);
        assert!(!w.hub.alert(now, &handle("bob@example.net"), b""), "not signed in");
    }
}

#[test]
fn an_operator_can_end_a_session() {
    let mut w = World::new();
    let alice = w.online("alice@example.net");
    let now = w.now;
    assert!(w.hub.end_session(now, &handle("ALICE@example.net")));
    assert!(!w.hub.end_session(now, &handle("alice@example.net")));
    w.turn();
    assert_eq!(w.heard(alice), ["OUT"]);
    assert!(matches!(w.events.last(), Some(Event::SignedOut { why: Why::Operator, .. })));
}

#[test]
fn services_are_off_until_they_are_offered() {
    let mut w = World::new();
    let alice = w.sign_in("alice@example.net", "MSNP7");
    let page = "<TEXT>Call me</TEXT>";
    w.send(alice, format!("PAG 1 bob@example.net {}\r\n{page}PNG\r\n", page.len()).as_bytes());
    assert_eq!(w.heard(alice), ["606 1", "QNG"]);
    for (line, answer) in [
        ("FND 1 fname=Ann lname=Other city=* state=* country=US", "502 1"),
        ("URL 1 INBOX", "502 1"),
        ("SND 1 friend@example.org 0x0409 MSMSGS MSMSGS", "503 1"),
        ("SDC 1 friend@example.org 0x0409 MSMSGS MSMSGS X X Al 0", "503 1"),
    ] {
        assert_eq!(w.ask(alice, line), [answer]);
    }
}

#[test]
fn services_that_are_offered_answer() {
    for dialect in DIALECTS {
        let mut config = config();
        config.mail_invitations = true;
        config.services.push(Service {
            name: "INBOX".into(),
            redirect: "/cgi-bin/HoTMaiL".into(),
            login: "https://login.example.net/md5auth.srf?lc=1033".into(),
            site: 2,
        });
        let mut w = World::with(config, three());
        let alice = w.sign_in("alice@example.net", dialect);
        let site = if dialect == "MSNP2" { "" } else { " 2" };
        assert_eq!(
            w.ask(alice, "URL 15 INBOX"),
            [format!(
                "URL 15 /cgi-bin/HoTMaiL https://login.example.net/md5auth.srf?lc=1033{site}"
            )]
        );
        assert_eq!(w.ask(alice, "URL 16 COMPOSE"), ["502 16"]);
        let words = match dialect {
            "MSNP2" => "",
            "MSNP3" => " 0x0409 MSMSGS",
            _ => " 0x0409 MSMSGS MSMSGS",
        };
        let line = format!("SND 3 friend@example.org{words}");
        assert_eq!(w.ask(alice, &line), ["SND 3 OK"]);
        let invitation = |text: &str| Event::Invitation {
            from: handle("alice@example.net"),
            to: handle("friend@example.org"),
            text: text.into(),
        };
        assert_eq!(w.events.pop(), Some(invitation("")));
        if let Some(short) = line.strip_suffix(" MSMSGS") {
            assert_eq!(w.ask(alice, short), ["503 3"]);
        }
        assert_eq!(w.ask(alice, &format!("SND 3 17{words}")), ["503 3"], "nobody was found");
        if dialect >= "MSNP5" {
            let text = "Come and chat with me.";
            let line = "SDC 4 friend@example.org 0x0409 MSMSGS MSMSGS X X Alice%20A 22";
            w.send(alice, format!("{line}\r\n{text}").as_bytes());
            assert_eq!(w.heard(alice), ["SDC 4 OK"]);
            assert_eq!(w.events.pop(), Some(invitation(text)));
        }
    }
}

#[test]
fn a_strict_hub_takes_the_letter_of_the_protocol_only() {
    for (line, answer) in [
        ("PNG\n", None),
        ("\r\n", None),
        ("FOO 1\r\n", Some("200 1")),
        ("CHG 1 NLN 0\r\n", Some("201 1")),
        ("CHG  1 NLN\r\n", None),
        ("CHG 1 NLN \r\n", None),
        ("CHG 1\tNLN\r\n", None),
        ("ADD 1 FL\r\n", Some("201 1")),
    ] {
        let mut strict = config();
        strict.leniency = Leniency::Strict;
        let mut w = World::with(strict, three());
        let alice = w.sign_in("alice@example.net", "MSNP5");
        assert_eq!(w.ask(alice, "ADD 1 FL carol@example.net C").len(), 1);
        w.send(alice, line.as_bytes());
        assert_eq!(w.heard(alice), answer.into_iter().collect::<Vec<_>>(), "{line:?}");
        assert!(w.is_closed(alice), "{line:?}");

        let mut w = World::new();
        let alice = w.sign_in("alice@example.net", "MSNP5");
        w.send(alice, line.as_bytes());
        assert!(!w.is_closed(alice), "{line:?}");
    }
}
