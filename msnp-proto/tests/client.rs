//! The client against a server that is played by hand.

mod script;

use msnp_proto::client::{ChatId, Config, Event, Failure, Outcome, Warning};
use msnp_proto::error::{Lost, Misuse, Violation, Wait};
use msnp_proto::machine::Closed;
use msnp_proto::time::{Duration, Instant};
use msnp_proto::types::{Delivery, Dialect, ErrorCode, Handle, Status};
use script::Script;

fn handle(text: &str) -> Handle {
    Handle::new(text).expect("an account")
}

#[test]
fn dispatch_refers_and_sign_in_goes_on_there() {
    let mut script = Script::signing_in();
    let ds = script.connect("messenger.example.net:1863");
    script.hears(ds, "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0\r\n");
    script.says(ds, "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0\r\n");
    script.hears(ds, "INF 2\r\n");
    script.says(ds, "INF 2 MD5\r\n");
    script.hears(ds, "USR 3 MD5 I alice@example.net\r\n");
    script.says(ds, "XFR 3 NS 192.0.2.10:1863 0 192.0.2.1:1863\r\n");
    script.closed(ds);
    let ns = script.connect("192.0.2.10:1863");
    script.hears(ns, "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0\r\n");
    script.sign_in_rest(ns);
    assert!(script.client.is_online());
    assert_eq!(script.client.dialect(), Some(Dialect::Msnp7));
    assert_eq!(script.client.status(), Some(Status::Online));
}

#[test]
fn lists_are_in_the_roster_when_they_are_complete() {
    let mut script = Script::online_with(
        "SYN 5 12182\r\nGTC 5 12182 A\r\nBLP 5 12182 BL\r\nPRP 5 12182 PHH 555%200100\r\n\
         PRP 5 12182 PHW\r\nLSG 5 12182 1 2 0 Other%20Contacts 0\r\nLSG 5 12182 2 2 5 Friends 0\r\n\
         LST 5 FL 12182 1 1 bob@example.net Bob%20B 0,5\r\nBPR 12182 bob@example.net PHW 555%200101\r\n\
         LST 5 AL 12182 1 1 bob@example.net Bob%20B\r\nLST 5 BL 12182 0 0\r\n\
         LST 5 RL 12182 1 1 carol@example.net Carol\r\n",
    );
    let roster = script.client.roster();
    assert_eq!(roster.version().0, 12182);
    assert_eq!(roster.groups().count(), 2);
    assert_eq!(roster.contacts().count(), 2);
    assert_eq!(roster.property(msnp_proto::types::Property::HomePhone), "555 0100");
    let bob = roster.contact(&handle("BOB@example.net")).expect("bob");
    assert_eq!(bob.nick().as_str(), "Bob B");
    assert_eq!(bob.groups().len(), 2);
    assert_eq!(bob.property(msnp_proto::types::Property::WorkPhone), "555 0101");
    assert!(script.warnings().is_empty());
}

#[test]
fn lists_that_come_with_the_version_that_is_known_count() {
    let mut script = Script::online_with("SYN 5 7\r\nLST 5 RL 7 0 0\r\n");
    let roster = script.client.roster().clone();
    script.client.sign_out(script.now);
    let mut again = Script::signing_in();
    again.client.sign_out(again.now);
    let server = msnp_proto::machine::Target { host: "ns.example.net".into(), port: 1863 };
    let account = handle("alice@example.net");
    let mut sign_in = msnp_proto::client::SignIn::new(account, "Pa55word".into(), server);
    sign_in.roster = Some(roster);
    again.client.sign_in(again.now, sign_in).expect("offline");
    let ns = again.connect("ns.example.net:1863");
    again.take_events();
    again.says(ns, "VER 1 MSNP7\r\nINF 2 MD5\r\nUSR 3 MD5 S 1700000000.123456789\r\n");
    again.says(ns, "USR 4 OK alice@example.net Alice 1\r\n");
    assert!(again.drain(ns).ends_with("SYN 5 7\r\n"));
    again.says(ns, "SYN 5 7\r\n");
    again.hears(ns, "CHG 6 NLN\r\n");
    again.says(ns, "GTC 5 7 N\r\nLST 5 FL 7 1 1 bob@example.net Bob 0\r\n");
    assert!(again.client.roster().contact(&handle("bob@example.net")).is_none(), "not yet");
    again.says(ns, "CHG 6 NLN\r\nLST 5 RL 7 0 0\r\n");
    assert!(again.client.roster().contact(&handle("bob@example.net")).is_some());
    assert_eq!(again.client.status(), Some(Status::Online));
    let synced = |event: &Event| match event {
        Event::Synced { unchanged, .. } => Some(*unchanged),
        _ => None,
    };
    let events = again.take_events();
    assert_eq!(events.iter().filter_map(synced).collect::<Vec<_>>(), [true, false]);
    assert!(!events.iter().any(|event| matches!(event, Event::Warning(_))), "{events:?}");
    again.wait(Duration::from_secs(11));
    assert_eq!(again.lost(), None);
}

#[test]
fn a_text_waits_for_somebody_and_is_acknowledged() {
    let mut script = Script::online();
    let bob = handle("bob@example.net");
    let chat = script.client.open_chat(script.now, &bob).expect("online");
    let text = script.client.send_text(script.now, chat, "Hello", Delivery::Always).expect("fits");
    script.hears(script.ns, "XFR 8 SB\r\n");
    script.says(script.ns, "XFR 8 SB 192.0.2.20:1863 CKI 17262740.1\r\n");
    let sb = script.connect("192.0.2.20:1863");
    script.hears(sb, "USR 1 alice@example.net 17262740.1\r\n");
    script.says(sb, "USR 1 OK alice@example.net Alice\r\n");
    script.hears(sb, "CAL 2 bob@example.net\r\n");
    script.says(sb, "CAL 2 RINGING 11752013\r\n");
    script.hears(sb, "");
    script.says(sb, "JOI bob@example.net Bob%20B\r\n");
    script.hears(
        sb,
        "MSG 3 A 118\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n\
         X-MMS-IM-Format: FN=Arial; EF=; CO=0; CS=0; PF=22\r\n\r\nHello",
    );
    script.says(sb, "ACK 3\r\n");
    assert_eq!(script.outcome(text), Outcome::Acknowledged);
    let second = script.client.send_text(script.now, chat, "Again", Delivery::Always).expect("in");
    script.drain(sb);
    script.says(sb, "NAK 4\r\n");
    assert_eq!(script.outcome(second), Outcome::Refused);
}

#[test]
fn a_text_to_somebody_who_cannot_be_called_fails_with_the_servers_number() {
    let mut script = Script::online();
    let (chat, sb) = script.open_switchboard("bob@example.net");
    let text = script.client.send_text(script.now, chat, "Hello", Delivery::Always).expect("fits");
    script.says(sb, "217 2\r\n");
    assert_eq!(script.outcome(text), Outcome::Failed(Failure::Refused(ErrorCode::NOT_ONLINE)));
    script.hears(sb, "OUT\r\n");
    script.closed(sb);
    // The chat is still there: another text asks for another switchboard.
    script.client.send_text(script.now, chat, "Now?", Delivery::Always).expect("fits");
    script.hears(script.ns, "XFR 9 SB\r\n");
}

#[test]
fn nobody_comes_in_time() {
    let mut script = Script::online();
    let (chat, sb) = script.open_switchboard("bob@example.net");
    let text = script.client.send_text(script.now, chat, "Hello", Delivery::Always).expect("fits");
    script.says(sb, "CAL 2 RINGING 11752013\r\n");
    script.wait(Duration::from_secs(15) - Duration::from_micros(1));
    assert_eq!(script.outcomes(text), []);
    script.wait(Duration::from_micros(1));
    assert_eq!(script.outcomes(text), [Outcome::Failed(Failure::TimedOut(Wait::Invitation))]);
}

#[test]
fn an_acknowledgement_that_does_not_come_leaves_a_text_unknown() {
    let mut script = Script::online();
    let (chat, sb) = script.chat_with("bob@example.net");
    let asked = script.client.send_text(script.now, chat, "a", Delivery::Always).expect("in");
    let quiet = script.client.send_text(script.now, chat, "n", Delivery::OnFailure).expect("in");
    script.drain(sb);
    script.wait(Duration::from_secs(10) - Duration::from_micros(1));
    assert_eq!((script.outcomes(asked), script.outcomes(quiet)), (vec![], vec![]));
    script.wait(Duration::from_micros(1));
    let unknown = Outcome::Unknown(Lost::TimedOut(Wait::Acknowledgement));
    assert_eq!(script.outcomes(asked), [unknown]);
    assert_eq!(script.outcomes(quiet), [Outcome::Assumed]);
    // A late answer is reported and changes nothing.
    script.says(sb, "ACK 3\r\n");
    assert_eq!(script.outcomes(asked), [unknown]);
    assert!(matches!(script.warnings()[..], [Warning::Unmatched { .. }]));
}

#[test]
fn the_server_drops_the_chat_among_five_texts() {
    let mut script = Script::online();
    let (chat, sb) = script.chat_with("bob@example.net");
    let mut texts = Vec::new();
    for text in ["1", "2", "3"] {
        texts.push(script.client.send_text(script.now, chat, text, Delivery::Always).expect("in"));
    }
    script.drain(sb);
    script.says(sb, "ACK 3\r\nACK 4\r\n");
    for text in ["4", "5"] {
        texts.push(script.client.send_text(script.now, chat, text, Delivery::Always).expect("in"));
    }
    script.hangs_up(sb);
    let outcomes: Vec<Outcome> = texts.iter().map(|text| script.outcome(*text)).collect();
    let why = Lost::HungUp { unfinished: false };
    assert_eq!(
        outcomes,
        [
            Outcome::Acknowledged,
            Outcome::Acknowledged,
            Outcome::Unknown(why),
            Outcome::Failed(Failure::Lost(why)),
            Outcome::Failed(Failure::Lost(why)),
        ]
    );
    assert_eq!(script.pending(sb), "", "what was reported as not sent is not sent");
}

#[test]
fn somebody_calls_and_both_sides_talk() {
    let mut script = Script::online();
    script.says(script.ns, "RNG 11752013 192.0.2.20:1863 CKI 849.1 bob@example.net Bob%20B\r\n");
    let sb = script.connect("192.0.2.20:1863");
    script.hears(sb, "ANS 1 alice@example.net 849.1 11752013\r\n");
    script.says(sb, "IRO 1 1 1 bob@example.net Bob%20B\r\nANS 1 OK\r\n");
    script.says(
        sb,
        "MSG bob@example.net Bob%20B 67\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=UTF-8\r\n\r\nHello",
    );
    let seen = script.take_events();
    let chat = seen.iter().find_map(|event| match event {
        Event::Message { chat, from, known: false, .. } if *from == handle("bob@example.net") => {
            Some(*chat)
        }
        _ => None,
    });
    let chat: ChatId = chat.unwrap_or_else(|| panic!("no message in {seen:?}"));
    script.client.send_typing(script.now, chat).expect("in");
    script.hears(
        sb,
        "MSG 2 U 90\r\nMIME-Version: 1.0\r\nContent-Type: text/x-msmsgscontrol\r\n\
         TypingUser: alice@example.net\r\n\r\n\r\n",
    );
    script.says(sb, "BYE bob@example.net\r\n");
    script.hears(sb, "OUT\r\n");
}

#[test]
fn a_text_over_the_limit_is_refused_before_anything_is_sent() {
    let mut script = Script::online();
    let (chat, sb) = script.chat_with("bob@example.net");
    let room = 1664 - msnp_proto::client::payload_len("");
    let fits = "x".repeat(room);
    script.client.send_text(script.now, chat, &fits, Delivery::Always).expect("1,664 bytes");
    assert!(script.drain(sb).starts_with("MSG 3 A 1664\r\n"));
    let over = "x".repeat(room + 1);
    let refused = script.client.send_text(script.now, chat, &over, Delivery::Always);
    assert_eq!(refused, Err(Misuse::TooLong { size: 1665, limit: 1664 }));
    assert_eq!(script.pending(sb), "");
}

#[test]
fn refusals_while_signing_in() {
    for (answer, lost) in [
        ("911 4\r\n", Lost::Password(ErrorCode::AUTHENTICATION_FAILED)),
        ("600 4\r\n", Lost::Refused(ErrorCode::SERVER_BUSY)),
        ("500\r\n", Lost::Refused(ErrorCode::INTERNAL)),
        ("OUT SSD\r\n", Lost::ServerDown),
        ("OUT OTH\r\n", Lost::ElsewhereSignedIn),
        ("HTTP/1.1 400 Bad Request\r\n", Lost::Violation(Violation::NotMsnp)),
        ("USR 4 OK mallory@example.net M 1\r\n", Lost::Violation(Violation::Account)),
    ] {
        let mut script = Script::signing_in();
        let ns = script.connect("messenger.example.net:1863");
        script.drain(ns);
        script.says(ns, "VER 1 MSNP7\r\n");
        script.says(ns, "INF 2 MD5\r\n");
        script.says(ns, "USR 3 MD5 S 1700000000.123456789\r\n");
        script.drain(ns);
        script.says(ns, answer);
        assert_eq!(script.lost(), Some(lost), "{answer:?}");
    }
}

#[test]
fn servers_that_cannot_be_signed_in_to() {
    for (answers, violation) in [
        (&["VER 1 0\r\n"][..], Violation::Version),
        (&["VER 1 CVR0\r\n", "500 2\r\n"], Violation::Version),
        (&["VER 1 MSNP99 CVR0\r\n"], Violation::Version),
        (&["VER 1 MSNP99\r\n"], Violation::Version),
        (&["VER 1 MSNP7\r\n", "INF 2 CTP\r\n"], Violation::Package),
        (&["VER 1 MSNP7\r\n", "INF 2 MD5\r\n", "USR 3 MD5 S\r\n"], Violation::EmptyChallenge),
    ] {
        let mut script = Script::signing_in();
        let ns = script.connect("messenger.example.net:1863");
        for answer in answers {
            script.drain(ns);
            script.says(ns, answer);
        }
        assert_eq!(script.lost(), Some(Lost::Violation(violation)), "{answers:?}");
    }
}

#[test]
fn a_greeting_that_begins_with_a_number_is_no_refusal() {
    let other = Lost::Violation(Violation::NotMsnp);
    for (first, lost) in [
        ("220 mail.example.net ESMTP\r\n", other),
        ("220 (vsFTPd 3.0.3)\r\n", other),
        ("200 news.example.net ready\r\n", other),
        ("421 10.0.0.1 too many connections\r\n", other),
        ("220-mail.example.net\r\n", other),
        ("601 1\r\n", Lost::Refused(ErrorCode::SERVER_UNAVAILABLE)),
        ("601 1 until tomorrow\r\n", Lost::Refused(ErrorCode::SERVER_UNAVAILABLE)),
        ("601\r\n", Lost::Refused(ErrorCode::SERVER_UNAVAILABLE)),
    ] {
        let mut script = Script::signing_in();
        let ns = script.connect("messenger.example.net:1863");
        script.says(ns, first);
        assert_eq!(script.lost(), Some(lost), "{first:?}");
    }
    // A server that has spoken the language may leave the id out.
    let mut script = Script::signing_in();
    let ns = script.connect("messenger.example.net:1863");
    script.says(ns, "VER 1 MSNP7\r\n601 until tomorrow\r\n");
    assert_eq!(script.lost(), Some(Lost::Refused(ErrorCode::SERVER_UNAVAILABLE)));
}

#[test]
fn a_server_without_a_common_dialect_is_asked_which_version_it_wants() {
    for answers in [true, false] {
        let mut script = Script::signing_in();
        let ns = script.connect("messenger.example.net:1863");
        script.drain(ns);
        script.says(ns, "VER 1 CVR0\r\n");
        script.hears(ns, "CVQ 2 0x0409 win 4.10 i386 MSMSGS 4.5.0127\r\n");
        assert_eq!(script.lost(), None);
        if answers {
            script.says(ns, "CVQ 2 9.0 9.0 8.0 http://example.net/a http://example.net/b\r\n");
        } else {
            script.hangs_up(ns);
        }
        let events = script.take_events();
        let told = events.iter().any(|event| {
            matches!(event, Event::Versions { words } if words[0] == "9.0" && words.len() == 5)
        });
        assert_eq!(told, answers);
        let why = Lost::Violation(Violation::Version);
        assert_eq!(events.last(), Some(&Event::Lost { why }));
    }
}

#[test]
fn referrals_have_a_limit() {
    let mut script = Script::signing_in();
    let mut server = String::from("messenger.example.net:1863");
    for hop in 0..6 {
        let ds = script.connect(&server);
        script.drain(ds);
        script.says(ds, "VER 1 MSNP7\r\n");
        script.says(ds, "INF 2 MD5\r\n");
        script.says(ds, &format!("XFR 3 NS 192.0.2.{hop}\r\n"));
        script.closed(ds);
        server = format!("192.0.2.{hop}:1863");
    }
    let violation = Violation::Referrals { limit: 5 };
    assert_eq!(script.lost(), Some(Lost::Violation(violation)));
}

#[test]
fn connections_that_are_never_made() {
    for why in [Closed::Refused, Closed::UnknownHost, Closed::TimedOut] {
        let mut script = Script::signing_in();
        let conn = script.connecting("messenger.example.net:1863");
        script.refuse(conn, why);
        assert_eq!(script.lost(), Some(Lost::Connection(why)));
    }
    let mut script = Script::online();
    let chat = script.client.open_chat(script.now, &handle("bob@example.net")).expect("online");
    let text = script.client.send_text(script.now, chat, "Hello", Delivery::Always).expect("fits");
    script.says(script.ns, "XFR 8 SB 192.0.2.20:1863 CKI 17262740.1\r\n");
    let sb = script.connecting("192.0.2.20:1863");
    script.refuse(sb, Closed::Refused);
    let why = Lost::Connection(Closed::Refused);
    assert_eq!(script.outcome(text), Outcome::Failed(Failure::Lost(why)));
    assert!(script.client.is_online(), "a switchboard that cannot be reached harms nothing else");
}

#[test]
fn silence_is_answered_with_a_ping_and_then_with_the_end() {
    let mut script = Script::online();
    script.drain(script.ns);
    script.wait(Duration::from_secs(45) - Duration::from_micros(1));
    script.hears(script.ns, "");
    script.wait(Duration::from_micros(1));
    script.hears(script.ns, "PNG\r\n");
    script.wait(Duration::from_secs(19));
    script.says(script.ns, "QNG\r\n");
    script.wait(Duration::from_secs(45));
    script.hears(script.ns, "PNG\r\n");
    script.wait(Duration::from_secs(20) - Duration::from_micros(1));
    assert_eq!(script.lost(), None);
    script.wait(Duration::from_micros(1));
    assert_eq!(script.lost(), Some(Lost::TimedOut(Wait::Pong)));
}

#[test]
fn challenges_are_answered_and_a_flood_of_them_is_not() {
    let mut script = Script::online();
    script.drain(script.ns);
    script.says(script.ns, "CHL 0 20881396011366812350\r\n");
    script.hears(script.ns, "QRY 8 msmsgs@msnmsgr.com 32\r\n0212eaad0876afb8505859ca75d21a78");
    script.says(script.ns, "QRY 8\r\n");
    for _ in 0..9 {
        script.says(script.ns, "CHL 0 1\r\n");
    }
    assert_eq!(script.lost(), None);
    script.says(script.ns, "CHL 0 1\r\n");
    assert_eq!(script.lost(), Some(Lost::Violation(Violation::ChallengeFlood)));
}

#[test]
fn a_refused_answer_to_a_challenge_is_the_end() {
    let mut script = Script::online();
    script.says(script.ns, "CHL 0 1\r\n540 8\r\n");
    assert_eq!(script.lost(), Some(Lost::Challenge));
}

#[test]
fn the_server_moves_us_and_chats_end_first() {
    let mut script = Script::online();
    script.says(script.ns, "XFR 0 NS 192.0.2.11 0 192.0.2.10:1863\r\n");
    script.closed(script.ns);
    let ns = script.connect("192.0.2.11:1863");
    script.hears(ns, "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0\r\n");
    script.sign_in_rest(ns);
    assert!(script.client.is_online());
    script.says(ns, "XFR 0 NS 0\r\n");
    script.hears(ns, "VER 8 MSNP7 MSNP6 MSNP5 MSNP4 CVR0\r\n");
}

#[test]
fn signing_out_says_goodbye_everywhere() {
    let mut script = Script::online();
    let (chat, sb) = script.chat_with("bob@example.net");
    let text = script.client.send_text(script.now, chat, "Bye", Delivery::Always).expect("in");
    script.drain(sb);
    script.drain(script.ns);
    script.client.sign_out(script.now);
    assert_eq!(script.outcome(text), Outcome::Unknown(Lost::SignedOut));
    assert_eq!(script.lost(), Some(Lost::SignedOut));
    script.hears(sb, "OUT\r\n");
    script.hears(script.ns, "OUT\r\n");
    script.closed(sb);
    script.closed(script.ns);
    assert!(script.client.is_disconnected());
}

#[test]
fn junk_while_online_is_reported_and_too_much_of_it_is_the_end() {
    let mut script = Script::online();
    for _ in 0..7 {
        script.says(script.ns, "XYZ 1 2\r\n");
    }
    script.says(script.ns, "QNG\r\n");
    for _ in 0..7 {
        script.says(script.ns, "abc\r\n");
    }
    assert_eq!(script.warnings().len(), 14);
    script.says(script.ns, "\x01\r\n");
    assert_eq!(script.lost(), Some(Lost::Violation(Violation::NotMsnp)));
}

#[test]
fn sign_in_as_a_whole_has_a_deadline() {
    let mut script = Script::signing_in();
    let ns = script.connect("messenger.example.net:1863");
    script.drain(ns);
    script.wait(Duration::from_secs(20));
    script.says(ns, "VER 1 MSNP7\r\n");
    script.wait(Duration::from_secs(10) - Duration::from_micros(1));
    assert_eq!(script.lost(), None);
    script.wait(Duration::from_micros(1));
    assert_eq!(script.lost(), Some(Lost::TimedOut(Wait::SignIn)));
}

#[test]
fn other_dialects_say_what_they_can() {
    for (dialect, report) in [
        (Dialect::Msnp2, "CVR 7 0x0409 win 4.10 i386 MSMSGS 4.5.0127\r\n"),
        (Dialect::Msnp3, "CVR 7 0x0409 win 4.10 i386 MSMSGS 4.5.0127\r\n"),
        (Dialect::Msnp4, "CVR 7 0x0409 win 4.10 i386 MSMSGS 4.5.0127 MSMSGS\r\n"),
    ] {
        let mut config = Config::new();
        config.dialects = vec![dialect];
        let mut script = Script::with(config);
        let ns = script.connect("messenger.example.net:1863");
        script.hears(ns, &format!("VER 1 {dialect} CVR0\r\n"));
        script.says(ns, &format!("VER 1 {dialect}\r\n"));
        script.says(ns, "INF 2 MD5 CTP\r\nUSR 3 MD5 S 1\r\nUSR 4 OK alice@example.net Alice\r\n");
        script.says(ns, "SYN 5 0\r\nLST 5 RL 0 0 0\r\nCHG 6 NLN\r\n");
        assert!(script.drain(ns).ends_with(report), "{dialect}");
        assert!(script.client.is_online());
    }
}

#[test]
fn time_stands_still_without_a_call() {
    let mut script = Script::online();
    let before = script.client_deadline();
    script.wait(Duration::ZERO);
    assert_eq!(script.client_deadline(), before);
    assert!(before > Some(Instant::ZERO));
}
