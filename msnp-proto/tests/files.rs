//! Files between people, on a net in memory: invitations through the hub, then a connection between
//! the two.

#[path = "files/desk.rs"]
mod desk;

use desk::{ALICE, BOB, CAROL, Desk, Setting, file, handle};
use msnp_proto::client::{ChatId, Event, Failure, Files, TransferEnd, TransferId};
use msnp_proto::error::{Expected, Lost, Misuse};
use msnp_proto::ftp::End;
use msnp_proto::testing::Chunking;
use msnp_proto::types::ErrorCode;

const NORMAL: Setting = |_| {};

/// Somebody whom nobody can connect to.
const HIDDEN: Setting = |config| config.files = Some(Files::new(None));

#[test]
fn a_file_arrives_as_it_was_sent() {
    for chunking in [Chunking::Whole, Chunking::Every(1), Chunking::Random(7)] {
        for size in [0, 1, 2044, 2045, 2046, 4090, 4100, 7000] {
            let mut desk = Desk::new(chunking, &[NORMAL, NORMAL]);
            let bytes = file(size);
            let sent = desk.offer(ALICE, "bob", "notes.txt", &bytes);
            let got = desk.only(BOB);
            assert_eq!(desk.seen(BOB, got).name, "notes.txt");
            desk.accept(BOB, got);
            desk.wait(3);
            assert_eq!(desk.end(BOB, got), Some(TransferEnd::Complete), "{size}");
            assert_eq!(desk.end(ALICE, sent), Some(TransferEnd::Complete), "{size}");
            assert_eq!(desk.seen(BOB, got).data, bytes);
            assert_eq!(desk.seen(ALICE, sent).sent, size as u64);
            assert_eq!(desk.seen(ALICE, sent).changes, ["accepted", "started"]);
            assert_eq!(desk.seen(BOB, got).changes, ["offered", "started", "arrived"]);
        }
    }
}

#[test]
fn the_one_who_can_be_reached_listens() {
    let settings: [(Setting, Setting, &str); 2] =
        [(NORMAL, NORMAL, "bob"), (HIDDEN, NORMAL, "alice")];
    for (alice, bob, dials) in settings {
        let mut desk = Desk::new(Chunking::Whole, &[alice, bob]);
        let bytes = file(5000);
        let sent = desk.offer(ALICE, "bob", "a", &bytes);
        let got = desk.only(BOB);
        desk.accept(BOB, got);
        desk.wait(1);
        assert_eq!(desk.end(ALICE, sent), Some(TransferEnd::Complete), "{dials} dials");
        assert_eq!(desk.seen(BOB, got).data, bytes);
        // The receiver speaks first, whoever dialled.
        let text = desk.net.transcript().to_string();
        let first = text.lines().find(|line| line.contains("VER MSNFTP")).expect("it was said");
        let side = if dials == "bob" { "C:" } else { "S:" };
        assert!(first.contains(&format!(" {dials}-")) && first.contains(side), "{first}");
    }
}

#[test]
fn who_is_inside_a_network_says_both_addresses() {
    let behind: Setting = |config| {
        if let Some(files) = &mut config.files {
            files.internal = Some([10, 0, 0, 5].into());
        }
    };
    let mut desk = Desk::new(Chunking::Whole, &[behind, NORMAL]);
    let sent = desk.offer(ALICE, "bob", "a", &file(10));
    let got = desk.only(BOB);
    desk.accept(BOB, got);
    desk.wait(1);
    assert_eq!(desk.end(ALICE, sent), Some(TransferEnd::Complete));
    assert_eq!(desk.said("IP-Address:"), ["alice 192.0.2.2"]);
    assert_eq!(desk.said("IP-Address-Internal:"), ["alice 10.0.0.5"]);
    assert_eq!(
        (desk.said("Port:"), desk.said("PortX:")),
        (vec!["alice 6891".into()], vec!["alice 11178".into()])
    );
}

#[test]
fn where_we_are_may_be_known_later() {
    let mut desk = Desk::new(Chunking::Whole, &[HIDDEN, HIDDEN]);
    desk.client(ALICE, |client, _| client.set_address(Some([192, 0, 2, 2].into()), None));
    let sent = desk.offer(ALICE, "bob", "a", &file(10));
    let got = desk.only(BOB);
    desk.accept(BOB, got);
    desk.wait(1);
    assert_eq!(desk.end(ALICE, sent), Some(TransferEnd::Complete));
}

#[test]
fn nobody_can_be_reached() {
    let mut desk = Desk::new(Chunking::Whole, &[HIDDEN, HIDDEN]);
    let sent = desk.offer(ALICE, "bob", "a", &file(10));
    let got = desk.only(BOB);
    desk.accept(BOB, got);
    assert_eq!(desk.end(ALICE, sent), Some(TransferEnd::NoConnection));
    assert_eq!(desk.end(BOB, got), Some(TransferEnd::NoConnection));
    assert_eq!(desk.said("Cancel-Code:"), ["alice FAIL"]);
}

#[test]
fn many_bytes_wait_for_those_who_take_them() {
    let mut desk = Desk::two();
    let bytes = file(3_000_000);
    let sent = desk.offer(ALICE, "bob", "big", &bytes);
    let got = desk.only(BOB);
    desk.accept(BOB, got);
    desk.wait(1);
    assert_eq!(desk.end(ALICE, sent), Some(TransferEnd::Complete));
    assert!(desk.seen(BOB, got).data == bytes);
}

#[test]
fn many_files_go_ten_at_a_time_and_do_not_mix() {
    let mut desk = Desk::new(Chunking::Random(3), &[NORMAL, NORMAL]);
    let files: Vec<Vec<u8>> = (1..=25).map(|number| file(number * 1000)).collect();
    let sent: Vec<_> =
        files.iter().map(|bytes| desk.offer(ALICE, "bob", "same name", bytes)).collect();
    let mut taken = Vec::new();
    while taken.len() < files.len() {
        let open: Vec<_> =
            desk.people[BOB].seen.iter().filter(|(_, seen)| seen.end.is_none()).collect();
        assert!((1..=10).contains(&open.len()), "{}", open.len());
        let next = *open[0].0;
        desk.accept(BOB, next);
        desk.wait(1);
        taken.push(next);
    }
    for (id, bytes) in taken.iter().zip(&files) {
        assert_eq!(desk.end(BOB, *id), Some(TransferEnd::Complete));
        assert_eq!(desk.seen(BOB, *id).data, *bytes);
    }
    assert!(sent.iter().all(|id| desk.end(ALICE, *id) == Some(TransferEnd::Complete)));
}

#[test]
fn files_that_wait_for_others_end_with_the_session() {
    let mut desk = Desk::two();
    let sent: Vec<_> = (0..12).map(|_| desk.offer(ALICE, "bob", "a", &file(10))).collect();
    desk.client(ALICE, |client, now| client.cancel_file(now, sent[11])).expect("it waits");
    desk.settle();
    assert_eq!(desk.end(ALICE, sent[11]), Some(TransferEnd::CancelledHere));
    assert_eq!(desk.said("Cancel-Code:"), [""; 0], "it was never offered");
    desk.client(ALICE, |client, now| client.sign_out(now));
    desk.settle();
    assert!(sent.iter().all(|id| desk.end(ALICE, *id) == Some(TransferEnd::CancelledHere)));
    assert_eq!(desk.said("Cancel-Code:").len(), 10);
}

#[test]
fn what_waits_for_one_person_is_not_said_to_who_comes_first() {
    let mut desk = Desk::new(Chunking::Whole, &[NORMAL, NORMAL, NORMAL]);
    let random = desk.random();
    let (bob, carol) = (handle("bob"), handle("carol"));
    // Bob is called, and before he is there Carol is as well; she comes, and he does not.
    desk.client(BOB, |client, now| client.sign_out(now));
    desk.client(ALICE, |client, now| {
        client.offer_file(now, &bob, "secret plans", 5, random).expect("online");
        client.invite(now, ChatId(1), &carol).expect("a chat");
    });
    let id = TransferId(1);
    desk.people[ALICE].seen.entry(id).or_default();
    desk.settle();
    desk.wait(1);
    let heard = desk.net.transcript().to_string();
    assert!(!heard.lines().any(|line| line.contains("carol-") && line.contains("secret")));
    assert!(
        matches!(desk.end(ALICE, id), Some(TransferEnd::Unreachable(_))),
        "{:?}",
        desk.end(ALICE, id)
    );
}

#[test]
fn a_file_is_declined() {
    let mut desk = Desk::two();
    let sent = desk.offer(ALICE, "bob", "a", &file(10));
    let got = desk.only(BOB);
    desk.client(BOB, |client, now| client.decline_file(now, got)).expect("an offer");
    desk.settle();
    assert_eq!(desk.end(BOB, got), Some(TransferEnd::CancelledHere));
    assert_eq!(desk.end(ALICE, sent), Some(TransferEnd::Declined));
    assert_eq!(desk.said("Cancel-Code:"), ["bob REJECT"]);
    let again = desk.client(BOB, |client, now| client.decline_file(now, got));
    assert_eq!(again, Err(Misuse::NoSuchTransfer));
}

#[test]
fn an_offer_is_taken_back_and_both_sides_stop_waiting_in_time() {
    let mut desk = Desk::two();
    let sent = desk.offer(ALICE, "bob", "a", &file(10));
    let got = desk.only(BOB);
    desk.client(ALICE, |client, now| client.cancel_file(now, sent)).expect("offered");
    desk.settle();
    assert_eq!(desk.end(ALICE, sent), Some(TransferEnd::CancelledHere));
    assert_eq!(desk.end(BOB, got), Some(TransferEnd::CancelledThere));
    assert_eq!(desk.said("Cancel-Code:"), ["alice TIMEOUT"]);

    let sent = desk.offer(ALICE, "bob", "b", &file(10));
    let got = *desk.people[BOB].seen.keys().last().expect("two");
    desk.wait(599);
    assert_eq!((desk.end(ALICE, sent), desk.end(BOB, got)), (None, None));
    desk.wait(2);
    assert_eq!(desk.end(ALICE, sent), Some(TransferEnd::TimedOut));
    assert_eq!(desk.end(BOB, got), Some(TransferEnd::CancelledThere));
    assert_eq!(desk.said("Cancel-Code:")[1..], ["alice TIMEOUT"]);
}

#[test]
fn each_side_may_give_up_in_the_middle() {
    for (who, size) in [(ALICE, 100_000), (BOB, 100_000)] {
        let mut desk = Desk::two();
        let sent = desk.offer(ALICE, "bob", "a", &file(size));
        // The application has only a part of it ready.
        let got = desk.only(BOB);
        desk.accept_and_stall(BOB, got, sent, 5000);
        let id = if who == ALICE { sent } else { got };
        desk.client(who, |client, now| client.cancel_file(now, id)).expect("on its way");
        desk.wait(3);
        let ends = (desk.end(ALICE, sent), desk.end(BOB, got));
        let (here, there) = (Some(TransferEnd::CancelledHere), Some(TransferEnd::CancelledThere));
        assert_eq!(ends, if who == ALICE { (here, there) } else { (there, here) });
        assert!(desk.seen(BOB, got).data.len() < size);
        assert_eq!(desk.said("Cancel-Code:"), [""; 0], "the connection says it");
    }
}

#[test]
fn a_disk_that_is_full_is_told() {
    let mut desk = Desk::two();
    let sent = desk.offer(ALICE, "bob", "a", &file(100_000));
    let got = desk.only(BOB);
    desk.accept_and_stall(BOB, got, sent, 5000);
    desk.client(BOB, |client, now| client.fail_file(now, got)).expect("on its way");
    desk.wait(3);
    assert_eq!(desk.end(BOB, got), Some(TransferEnd::Broken(End::CouldNotWriteHere)));
    assert_eq!(desk.end(ALICE, sent), Some(TransferEnd::Broken(End::CouldNotWriteThere)));
}

#[test]
fn a_disk_that_is_full_at_the_last_byte_is_told_too() {
    for size in [0, 5, 5000] {
        let mut desk = Desk::two();
        desk.people[BOB].full = true;
        let sent = desk.offer(ALICE, "bob", "a", &file(size));
        let got = desk.only(BOB);
        desk.accept(BOB, got);
        desk.wait(12);
        assert_eq!(desk.end(BOB, got), Some(TransferEnd::Broken(End::CouldNotWriteHere)));
        assert_eq!(desk.end(ALICE, sent), Some(TransferEnd::Broken(End::CouldNotWriteThere)));
        let again = desk.client(BOB, |client, now| client.finish_file(now, got));
        assert_eq!(again, Err(Misuse::NoSuchTransfer));
    }
}

#[test]
fn a_connection_that_breaks_ends_both_sides() {
    let mut desk = Desk::two();
    let sent = desk.offer(ALICE, "bob", "a", &file(100_000));
    let got = desk.only(BOB);
    desk.accept_and_stall(BOB, got, sent, 5000);
    let mut peers = desk.net.connections().into_iter().filter(|name| name.starts_with("bob-"));
    let peer = peers.next_back().expect("a connection");
    desk.net.reset(&peer);
    desk.wait(3);
    assert!(matches!(desk.end(BOB, got), Some(TransferEnd::Broken(_))), "{:?}", desk.end(BOB, got));
    let end = desk.end(ALICE, sent);
    assert!(matches!(end, Some(TransferEnd::Broken(_))), "{end:?}");
}

#[test]
fn what_is_on_its_way_outlives_the_session_and_what_is_offered_does_not() {
    let mut desk = Desk::two();
    let bytes = file(100_000);
    let moving = desk.offer(ALICE, "bob", "a", &bytes);
    let got = desk.only(BOB);
    desk.accept_and_stall(BOB, got, moving, 5000);
    let offered = desk.offer(ALICE, "bob", "b", &file(10));
    desk.client(ALICE, |client, now| client.sign_out(now));
    desk.settle();
    assert_eq!(desk.end(ALICE, offered), Some(TransferEnd::CancelledHere));
    assert_eq!(desk.said("Cancel-Code:"), ["alice OUTBANDCANCEL"]);
    desk.go_on(ALICE, moving);
    desk.wait(2);
    assert_eq!(desk.end(ALICE, moving), Some(TransferEnd::Complete));
    assert!(desk.seen(BOB, got).data == bytes);
    assert!(desk.net.host(desk.people[ALICE].key).is_disconnected());
}

#[test]
fn who_is_not_there_is_not_offered_anything() {
    let mut desk = Desk::two();
    let sent = desk.offer(ALICE, "carol", "a", &file(10));
    let why = Failure::Refused(ErrorCode::NOT_ONLINE);
    assert_eq!(desk.end(ALICE, sent), Some(TransferEnd::Unreachable(why)));
    let nobody = desk.people[ALICE].others.iter();
    let told =
        nobody.filter(|event| matches!(event, Event::Delivery { .. } | Event::Queued { .. }));
    assert_eq!(told.count(), 0, "messages about files are not the application's");
}

#[test]
fn who_leaves_while_an_offer_stands_is_waited_for_a_little() {
    let mut desk = Desk::two();
    let sent = desk.offer(ALICE, "bob", "a", &file(10));
    let key = desk.people[BOB].key;
    desk.net.break_connections(key);
    desk.wait(9);
    assert_eq!(desk.end(ALICE, sent), None);
    desk.wait(2);
    let why = Failure::Refused(ErrorCode::NOT_ONLINE);
    assert_eq!(desk.end(ALICE, sent), Some(TransferEnd::Unreachable(why)));
    let got = desk.only(BOB);
    assert!(matches!(
        desk.end(BOB, got),
        Some(TransferEnd::Unreachable(Failure::Lost(Lost::Connection(_))))
    ));
}

#[test]
fn an_answer_goes_to_the_one_who_offered_alone() {
    let mut desk = Desk::new(Chunking::Whole, &[NORMAL, NORMAL, NORMAL]);
    let bytes = file(3000);
    let sent = desk.offer(ALICE, "bob", "a", &bytes);
    // Somebody else comes into the chat before there is an answer.
    desk.client(ALICE, |client, now| {
        client.invite(now, ChatId(1), &handle("carol")).expect("a chat");
    });
    desk.settle();
    let got = desk.only(BOB);
    desk.accept(BOB, got);
    desk.wait(1);
    assert_eq!(desk.end(ALICE, sent), Some(TransferEnd::Complete));
    assert_eq!(desk.seen(BOB, got).data, bytes);
    assert!(desk.people[CAROL].seen.is_empty());
    let heard = desk.net.transcript().to_string();
    let addresses = heard.lines().filter(|line| line.contains("IP-Address: "));
    for line in addresses {
        assert!(!line.contains("carol-"), "{line}");
    }
}

#[test]
fn what_cannot_be_taken_is_refused_at_once() {
    let guid = "Application-GUID: {5D3E02AB-6190-11d3-BBBB-00C04F795683}";
    let (name, size) = ("Application-File: a.txt", "Application-FileSize: 10");
    let rows: [(&[&str], Option<&str>); 9] = [
        (&[guid, name, size], Some("")),
        (&["Application-GUID: 5d3e02ab-6190-11D3-bbbb-00c04f795683", name, size], Some("")),
        (&[name, size], Some("")),
        (&[guid, name], Some("REJECT")),
        (&[guid, size], Some("REJECT")),
        (&[guid, name, "Application-FileSize: -1"], Some("REJECT")),
        (&[guid, name, "Application-FileSize: 1000001"], Some("REJECT")),
        (&[guid, name, size, "Encryption: R"], Some("REJECT")),
        (
            &["Application-GUID: {44BBA842-CC51-11CF-AAFA-00AA00B6015C}", "Session-Protocol: SM1"],
            Some("REJECT_NOT_INSTALLED"),
        ),
    ];
    for (lines, code) in rows {
        let small: Setting = |config| {
            if let Some(files) = &mut config.files {
                files.largest = 1_000_000;
            }
        };
        let mut desk = Desk::new(Chunking::Whole, &[NORMAL, small]);
        let mut all = vec!["Invitation-Command: INVITE", "Invitation-Cookie: 33267"];
        all.extend(lines);
        desk.invite(ALICE, "bob", &all);
        let said = desk.said("Cancel-Code:");
        match code {
            Some("") => assert_eq!((said.len(), desk.people[BOB].seen.len()), (0, 1), "{lines:?}"),
            Some(code) => {
                assert_eq!(said, [format!("bob {code}")], "{lines:?}");
                assert!(desk.people[BOB].seen.is_empty());
            }
            None => assert!(said.is_empty()),
        }
    }
    // Without a cookie or a command there is nothing to answer.
    for lines in [
        &["Invitation-Command: INVITE", guid, name, size][..],
        &["Invitation-Cookie: 1", guid, name, size],
        &["Invitation-Command: INVITE", "Invitation-Cookie:", guid, name, size],
        &["Invitation-Command: CONTEXT", "Invitation-Cookie: 1", "Context-Data: x"],
        &["Invitation-Command: ACCEPT", "Invitation-Cookie: 1"],
        &["Invitation-Command: CANCEL", "Invitation-Cookie: 1", "Cancel-Code: FAIL"],
    ] {
        let mut desk = Desk::two();
        desk.invite(ALICE, "bob", lines);
        assert_eq!(
            (desk.said("Cancel-Code:").len(), desk.people[BOB].seen.len()),
            (usize::from(lines[0].ends_with("CANCEL")), 0),
            "{lines:?}"
        );
    }
}

#[test]
fn applications_that_we_do_not_have_are_refused_seldom() {
    let mut desk = Desk::two();
    for cookie in 1..=20 {
        let cookie = format!("Invitation-Cookie: {cookie}");
        let guid = "Application-GUID: {44BBA842-CC51-11CF-AAFA-00AA00B6015C}";
        desk.invite(ALICE, "bob", &["Invitation-Command: INVITE", &cookie, guid]);
    }
    assert_eq!(desk.said("Cancel-Code:"), ["bob REJECT_NOT_INSTALLED"]);
    desk.wait(3);
    let guid = "Application-GUID: {44BBA842-CC51-11CF-AAFA-00AA00B6015C}";
    desk.invite(ALICE, "bob", &["Invitation-Command: INVITE", "Invitation-Cookie: 99", guid]);
    assert_eq!(desk.said("Cancel-Code:").len(), 2);
}

/// Who offers a file may name any address for it; we do not become their scanner.
#[test]
fn only_places_where_a_client_may_be_are_dialled() {
    let hostile = [
        "127.0.0.1",
        "127.1.2.3",
        "0.0.0.0",
        "169.254.1.1",
        "224.0.0.1",
        "255.255.255.255",
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "::1",
        "localhost",
        "hub",
        "",
    ];
    for (address, port) in hostile.map(|address| (address, "6891")).into_iter().chain([
        ("192.0.2.1", "25"),
        ("192.0.2.1", "0"),
        ("192.0.2.1", "99999"),
        ("192.0.2.1", ""),
    ]) {
        let mut desk = Desk::two();
        desk.invite(
            ALICE,
            "bob",
            &[
                "Invitation-Command: INVITE",
                "Invitation-Cookie: 5",
                "Application-GUID: {5D3E02AB-6190-11d3-BBBB-00C04F795683}",
                "Application-File: a",
                "Application-FileSize: 5",
            ],
        );
        let got = desk.only(BOB);
        desk.accept(BOB, got);
        let before = desk.net.connections().len();
        desk.invite(
            ALICE,
            "bob",
            &[
                "Invitation-Command: ACCEPT",
                "Invitation-Cookie: 5",
                &format!("IP-Address: {address}"),
                &format!("Port: {port}"),
                "AuthCookie: 7",
                "Launch-Application: FALSE",
                "Request-Data: IP-Address:",
            ],
        );
        assert_eq!(desk.end(BOB, got), Some(TransferEnd::NoConnection), "{address}:{port}");
        // Both ends of the chat that said so, and nothing else.
        assert!(desk.net.connections().len() <= before + 2, "{address}:{port}");
        assert_eq!(desk.said("Cancel-Code:"), ["bob FTTIMEOUT"], "{address}:{port}");
    }
}

#[test]
fn the_same_cookie_both_ways_is_two_files() {
    let mut desk = Desk::two();
    let sent = desk.offer(ALICE, "bob", "hers", &file(2000));
    let text = desk.net.transcript().to_string();
    let cookie = text.lines().find_map(|line| line.split("Invitation-Cookie: ").nth(1));
    let cookie = cookie.expect("an offer").to_owned();
    desk.invite(
        BOB,
        "alice",
        &[
            "Invitation-Command: INVITE",
            &format!("Invitation-Cookie: {cookie}"),
            "Application-File: his",
            "Application-FileSize: 5",
        ],
    );
    let hers = desk.only(BOB);
    let his = *desk.people[ALICE].seen.keys().last().expect("two");
    assert_ne!(his, sent);
    assert_eq!(desk.seen(ALICE, his).name, "his");
    desk.accept(BOB, hers);
    desk.wait(1);
    assert_eq!(desk.end(ALICE, sent), Some(TransferEnd::Complete));
    assert_eq!(desk.end(ALICE, his), None);
}

#[test]
fn nobody_offers_a_file_to_themselves() {
    let mut desk = Desk::two();
    let offered =
        desk.client(ALICE, |client, now| client.offer_file(now, &handle("Alice"), "a", 1, 2));
    assert_eq!(offered, Err(Misuse::Invalid(Expected::Account)));
}

#[test]
fn without_files_invitations_are_messages() {
    let mut desk = Desk::new(Chunking::Whole, &[NORMAL, |config| config.files = None]);
    let sent = desk.offer(ALICE, "bob", "a", &file(10));
    assert!(desk.people[BOB].seen.is_empty());
    let is_message = |event: &&Event| matches!(event, Event::Message { .. });
    assert_eq!(desk.people[BOB].others.iter().filter(is_message).count(), 1);
    assert_eq!(desk.end(ALICE, sent), None);
    let refused =
        desk.client(BOB, |client, now| client.offer_file(now, &handle("alice"), "a", 1, 2));
    assert_eq!(refused, Err(Misuse::NoFiles));
}
