//! Where to connect to, and where never.

use std::net::{Ipv4Addr, SocketAddrV4};

use msnp_proto::ftp::{AuthCookie, Meeting};

fn meeting(address: &str, port: u16) -> Meeting {
    Meeting::new(address.parse().expect("an address"), port, AuthCookie::new(1))
}

fn candidates(meeting: &Meeting, own: &str, listening: &str) -> Vec<String> {
    let (own, listening) = (own.parse().ok(), listening.parse::<SocketAddrV4>().ok());
    meeting.candidates(own, listening).iter().map(ToString::to_string).collect()
}

#[test]
fn the_order_of_places() {
    let mut there = meeting("192.0.2.10", 6891);
    assert_eq!(candidates(&there, "10.0.0.9", ""), ["192.0.2.10:6891"]);
    there.internal = Some(Ipv4Addr::new(10, 0, 0, 5));
    assert_eq!(candidates(&there, "10.0.0.9", ""), ["192.0.2.10:6891", "10.0.0.5:6891"]);
    assert_eq!(candidates(&there, "198.51.100.7", ""), ["192.0.2.10:6891"], "we are outside");
    there.port_x = Some(Meeting::disguise(6892));
    let all = ["192.0.2.10:6891", "10.0.0.5:6892", "192.0.2.10:6892", "192.0.2.10:11181"];
    assert_eq!(candidates(&there, "192.168.1.1", ""), all);
    there.port_x_internal = Some(Meeting::disguise(7000));
    let all = ["192.0.2.10:6891", "10.0.0.5:7000", "192.0.2.10:6892", "192.0.2.10:11181"];
    assert_eq!(candidates(&there, "172.16.0.1", ""), all);
    // The usual case: the disguise hides the same port.
    there.port_x = Some(11178);
    let all = ["192.0.2.10:6891", "10.0.0.5:7000", "192.0.2.10:11178"];
    assert_eq!(candidates(&there, "10.0.0.9", ""), all);
    there.internal = Some(Ipv4Addr::new(203, 0, 113, 1));
    assert_eq!(candidates(&there, "10.0.0.9", ""), ["192.0.2.10:6891", "192.0.2.10:11178"]);
}

#[test]
fn every_disguise_of_the_official_ports() {
    let disguises = [11178, 11181, 11180, 11183, 11182, 11185, 11184, 11187, 11186, 11189];
    for (port, disguise) in (6891..).zip(disguises) {
        assert_eq!(Meeting::disguise(port), disguise);
        assert_eq!(Meeting::disguise(disguise), port);
    }
}

#[test]
fn places_that_nobody_may_send_us_to() {
    for address in [
        "0.0.0.0",
        "0.1.2.3",
        "127.0.0.1",
        "127.9.9.9",
        "169.254.0.1",
        "169.254.255.255",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
    ] {
        for own in ["", "192.0.2.1", "10.0.0.9"] {
            assert!(
                candidates(&meeting(address, 6891), own, "").is_empty(),
                "{address} from {own}"
            );
        }
    }
    for (address, from) in [
        ("10.0.0.1", ["10.0.0.9", "192.168.0.1", "127.0.0.1"]),
        ("172.31.255.255", ["172.16.0.1", "10.0.0.1", "127.0.0.1"]),
        ("192.168.1.1", ["192.168.9.9", "172.20.1.1", "127.0.0.1"]),
    ] {
        for own in from {
            assert_eq!(candidates(&meeting(address, 6891), own, "").len(), 1);
        }
        for own in ["", "192.0.2.1", "172.32.0.1"] {
            assert!(
                candidates(&meeting(address, 6891), own, "").is_empty(),
                "{address} from {own}"
            );
        }
    }
    for address in ["1.0.0.1", "126.255.255.255", "128.0.0.1", "223.255.255.255", "172.32.0.1"] {
        assert_eq!(candidates(&meeting(address, 6891), "", "").len(), 1, "{address}");
    }
    assert_eq!(candidates(&meeting("127.0.0.1", 6891), "127.0.0.1", ""), ["127.0.0.1:6891"]);
    assert!(candidates(&meeting("169.254.0.1", 6891), "127.0.0.1", "").is_empty());
    for (port, fit) in [(0, 0), (1, 0), (80, 0), (1023, 0), (1024, 1), (65535, 1)] {
        assert_eq!(candidates(&meeting("192.0.2.10", port), "", "").len(), fit, "{port}");
    }
    let mut low = meeting("192.0.2.10", 22);
    (low.port_x, low.port_x_internal) = (Some(23), Some(Meeting::disguise(25)));
    low.internal = Some(Ipv4Addr::new(10, 0, 0, 1));
    // Only what the disguise makes of 23 is no service.
    assert_eq!(candidates(&low, "10.0.0.2", ""), ["192.0.2.10:12630"]);
}

#[test]
fn our_own_listening_socket_is_no_place() {
    let here = meeting("127.0.0.1", 6891);
    assert!(candidates(&here, "127.0.0.1", "127.0.0.1:6891").is_empty());
    assert!(candidates(&here, "127.0.0.1", "0.0.0.0:6891").is_empty());
    assert_eq!(candidates(&here, "127.0.0.1", "127.0.0.1:6892").len(), 1);
    let there = meeting("10.0.0.5", 6891);
    assert!(candidates(&there, "10.0.0.5", "0.0.0.0:6891").is_empty());
    assert!(candidates(&there, "10.0.0.5", "10.0.0.5:6891").is_empty());
    assert_eq!(candidates(&there, "10.0.0.6", "0.0.0.0:6891").len(), 1);
    assert_eq!(candidates(&there, "10.0.0.6", "10.0.0.6:6891").len(), 1);
}

#[test]
fn cookies() {
    for (text, same, other) in [
        (
            "93301",
            &["93301", "093301", "0000000000000093301"][..],
            &["93302", "", "0", "x", "+93301"][..],
        ),
        ("0", &["0", "00"], &["", "1"]),
        ("007", &["7", "007"], &["70"]),
        ("4294967296", &["4294967296"], &["0", "04294967296", "4294967295"]),
        ("+5", &["+5"], &["5"]),
        ("abc", &["abc"], &["ABC", "ab", "abcd"]),
    ] {
        let cookie = AuthCookie::from_text(text.as_bytes()).unwrap();
        assert!(!format!("{cookie:?}").contains(text));
        for word in same {
            assert!(cookie.matches(word.as_bytes()), "{text} {word}");
        }
        for word in other {
            assert!(!cookie.matches(word.as_bytes()), "{text} {word}");
        }
    }
    assert!(AuthCookie::new(u32::MAX).matches(b"4294967295"));
    for text in [&b""[..], b"1 2", b"1\r\nTFR", b"\x00", b"\xff", &[b'1'; 21]] {
        assert_eq!(AuthCookie::from_text(text), None, "{}", text.escape_ascii());
    }
    assert!(AuthCookie::from_text(&[b'1'; 20]).is_some());
}
