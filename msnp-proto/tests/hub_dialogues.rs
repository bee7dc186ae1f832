//! Whole dialogues: from the dispatch server to a text that arrives, as the documents show them.

mod hub_support;

use hub_support::{World, md5_hex};
use msnp_proto::hub::Role;

#[test]
fn referral_sign_in_and_lists() {
    let mut w = World::new();

    let dispatch = w.connect(Role::Dispatch);
    let offer = "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0";
    assert_eq!(w.ask(dispatch, offer), [offer]);
    assert_eq!(w.ask(dispatch, "INF 2"), ["INF 2 MD5"]);
    assert_eq!(
        w.ask(dispatch, "USR 3 MD5 I alice@example.net"),
        ["XFR 3 NS 192.0.2.1:1864 0 192.0.2.1:1863"]
    );
    assert!(w.is_closed(dispatch));

    let alice = w.connect(Role::Notification);
    assert_eq!(w.ask(alice, offer), [offer]);
    assert_eq!(w.ask(alice, "INF 5"), ["INF 5 MD5"]);
    let challenge = w.challenge(alice, "alice@example.net");
    let digest = md5_hex(&[&challenge, "Pa55word"]);
    assert_eq!(
        w.ask(alice, &format!("USR 6 MD5 S {digest}"))[..5],
        [
            "USR 6 OK alice@example.net Alice%20A 1",
            "MSG Hotmail Hotmail 328",
            "MIME-Version: 1.0",
            "Content-Type: text/x-msmsgsprofile; charset=UTF-8",
            "LoginTime: 1700000000",
        ]
    );
    assert_eq!(
        w.ask(alice, "SYN 8 0"),
        [
            "SYN 8 4",
            "GTC 8 4 A",
            "BLP 8 4 AL",
            "PRP 8 4 PHH",
            "PRP 8 4 PHW",
            "PRP 8 4 PHM",
            "PRP 8 4 MOB N",
            "PRP 8 4 MBE N",
            "LSG 8 4 1 1 0 ~ 0",
            "LST 8 FL 4 1 1 bob@example.net Bob%20B 0",
            "BPR 4 bob@example.net PHH",
            "BPR 4 bob@example.net PHW",
            "BPR 4 bob@example.net PHM",
            "BPR 4 bob@example.net MOB N",
            "LST 8 AL 4 1 1 bob@example.net Bob%20B",
            "LST 8 BL 4 0 0",
            "LST 8 RL 4 1 1 bob@example.net Bob%20B",
        ]
    );
    assert_eq!(w.ask(alice, "SYN 9 4"), ["SYN 9 4"]);
}

#[test]
fn a_text_arrives_and_is_acknowledged() {
    let mut w = World::new();
    let alice = w.online("alice@example.net");
    let bob = w.online("bob@example.net");
    assert_eq!(w.heard(alice), ["NLN NLN bob@example.net Bob%20B"]);

    let of_alice = w.switchboard(alice, "alice@example.net");
    let of_bob = w.call_in(of_alice, bob, "bob@example.net");
    w.send(of_alice, b"MSG 4 A 7\r\nhel\r\nlo");
    assert_eq!(w.heard(of_bob), ["MSG alice@example.net Alice%20A 7", "hel", "lo"]);
    assert_eq!(w.heard(of_alice), ["ACK 4"]);
    w.say(of_bob, "OUT");
    assert_eq!(w.heard(of_alice), ["BYE bob@example.net"]);
    assert!(w.is_closed(of_bob));
}
