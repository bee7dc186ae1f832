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

/// What everybody hears when Alice's two connections get these bytes in pieces of `size`.
fn heard_in_pieces(size: usize) -> Vec<Vec<String>> {
    let mut w = World::new();
    let alice = w.sign_in("alice@example.net", "MSNP7");
    let bob = w.online("bob@example.net");
    let notification = "SYN 1 0\r\nCHG 2 NLN\r\nADD 3 FL carol@example.net C 0\nREA 4 \
        alice@example.net Al\r\n\r\nPAG 5 a@b.c 7\r\nOUT\r\nUSPNG\r\nFOO\r\nXFR 6 XX  \r\n\
        LST 7 FL\r\nBLP 8 BL\r\nQRY 9 nobody 3\r\n123PNG\r\n";
    for piece in notification.as_bytes().chunks(size) {
        w.send(alice, piece);
    }
    let carol = w.online("carol@example.net");
    let board = w.switchboard(carol, "carol@example.net");
    let seen_by_bob = w.heard(bob);
    let of_bob = w.call_in(board, bob, "bob@example.net");
    let talk =
        "MSG 1 A 4\r\nMSG MSG 2 N 0\r\nCAL 3 x\r\nMSG 4 U 7\r\n\r\nOUT\r\nOUT\r\nMSG 5 A 0\r\n";
    for piece in talk.as_bytes().chunks(size) {
        w.send(board, piece);
    }
    let events = w.events.iter().map(|event| format!("{event:?}")).collect();
    let heard = [alice, carol, board, of_bob].map(|conn| w.heard(conn));
    heard.into_iter().chain([seen_by_bob, events]).collect()
}

#[test]
fn how_the_stream_is_cut_makes_no_difference() {
    let whole = heard_in_pieces(usize::MAX);
    assert!(whole[0].contains(&"540 9".to_owned()), "{whole:?}");
    assert_eq!(whole[3].len(), 6, "{whole:?}");
    for size in 1..40 {
        assert_eq!(heard_in_pieces(size), whole, "pieces of {size}");
    }
}

#[test]
fn no_input_breaks_the_hub_or_costs_others() {
    let words = [
        "VER",
        "INF",
        "USR",
        "XFR",
        "SYN",
        "CHG",
        "ADD",
        "REM",
        "LST",
        "QRY",
        "MSG",
        "CAL",
        "ANS",
        "PRP",
        "REA",
        "ADG",
        "RMG",
        "REG",
        "OUT",
        "PNG",
        "CHL",
        "1",
        "0",
        "-1",
        "4294967296",
        "FL",
        "AL",
        "BL",
        "RL",
        "MD5",
        "I",
        "S",
        "SB",
        "NLN",
        "HDN",
        "MSNP7",
        "alice@example.net",
        "A",
        "carol@example.net",
        "%00%0d%0A",
        "%zz",
        "\u{fc}",
        "30",
        "29",
        "x",
        "\0",
        " ",
        "\r",
        "5\r\nhello",
    ];
    let mut w = World::new();
    let bob = w.online("bob@example.net");
    let mut dice = hub_support::Fixed(7);
    let mut roll = |most: usize| {
        let mut bytes = [0; 2];
        msnp_proto::secret::Entropy::fill(&mut dice, &mut bytes);
        usize::from(u16::from_le_bytes(bytes)) % most
    };
    for round in 0..3000 {
        let conn = match round % 4 {
            0 => w.connect(Role::Notification),
            1 => w.sign_in("alice@example.net", "MSNP7"),
            2 => w.connect(Role::Switchboard),
            _ => {
                let carol = w.online("carol@example.net");
                w.switchboard(carol, "carol@example.net")
            }
        };
        for _ in 0..roll(8) {
            let mut line = String::new();
            for _ in 0..roll(8) {
                line.push_str(words[roll(words.len())]);
                line.push(' ');
            }
            if !w.is_closed(conn) {
                w.say(conn, &line);
            }
        }
        if !w.is_closed(conn) {
            w.hang_up(conn);
        }
    }
    w.heard(bob);
    assert_eq!(w.ask(bob, "PNG"), ["QNG"]);
    w.pass(std::time::Duration::from_secs(1000));
    assert!(w.hub.people() <= 3, "{:?}", w.hub);
    assert_eq!(w.hub.switchboards(), 0);
}
