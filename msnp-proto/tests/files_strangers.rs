//! Listeners for files among strangers: who finds the port gets nothing, hinders nobody, and does not
//! keep it open.

#[path = "files/desk.rs"]
mod desk;

use desk::{ALICE, BOB, Desk, file};
use msnp_proto::client::{Files, TransferEnd, TransferId};
use msnp_proto::ftp::End;
use msnp_proto::machine::{Machine, Target};
use msnp_proto::testing::{Chunking, HostKey, MachineHost};
use msnp_proto::time::Instant;

/// Says something once and listens.
struct Stranger {
    says: &'static [u8],
    heard: Vec<u8>,
    over: bool,
}

impl Machine for Stranger {
    type Event = ();

    fn handle_input(&mut self, _: Instant, bytes: &[u8]) {
        self.heard.extend_from_slice(bytes);
    }

    fn handle_eof(&mut self, _: Instant) {
        self.over = true;
    }

    fn handle_timeout(&mut self, _: Instant) {}

    fn next_deadline(&self) -> Option<Instant> {
        None
    }

    fn pending(&self) -> &[u8] {
        self.says
    }

    fn consume(&mut self, _: Instant, written: usize) {
        self.says = &self.says[written..];
    }

    fn poll_event(&mut self) -> Option<()> {
        None
    }

    fn is_finished(&self) -> bool {
        self.over
    }
}

type Strangers = HostKey<MachineHost<Stranger>>;

/// People who say this to whomever they connect to.
fn strangers(desk: &mut Desk, name: &str, says: &'static [u8]) -> Strangers {
    let stranger = move |_| Stranger { says, heard: Vec::new(), over: false };
    desk.net.add(name, MachineHost::new(stranger))
}

fn connect(desk: &mut Desk, key: Strangers, host: &str) {
    desk.net.host_mut(key).connect(Target { host: host.into(), port: 6891 });
    desk.settle();
}

/// Alice has offered Bob a file.
fn offered() -> (Desk, TransferId, TransferId) {
    let mut desk = Desk::two();
    let sent = desk.offer(ALICE, "bob", "a", &file(5000));
    let got = desk.only(BOB);
    (desk, sent, got)
}

/// An answer of Bob's that makes Alice listen, though he never comes.
fn accept_and_stay_away(desk: &mut Desk) {
    let text = desk.net.transcript().to_string();
    let cookie = text.lines().find_map(|line| line.split("Invitation-Cookie: ").nth(1));
    let cookie = format!("Invitation-Cookie: {}", cookie.expect("an offer"));
    let lines = [
        "Invitation-Command: ACCEPT",
        &cookie,
        "Launch-Application: FALSE",
        "Request-Data: IP-Address:",
    ];
    desk.invite(BOB, "alice", &lines);
}

#[test]
fn nobody_listens_before_a_file_is_accepted_or_after_it_came() {
    let (mut desk, sent, got) = offered();
    let early = strangers(&mut desk, "early", b"VER MSNFTP\r\n");
    connect(&mut desk, early, "alice");
    connect(&mut desk, early, "bob");
    let named = |desk: &Desk, name: &str| {
        let all = desk.net.connections();
        all.into_iter().filter(|one| one.starts_with(name)).count()
    };
    assert_eq!(named(&desk, "early"), 0);
    desk.accept(BOB, got);
    desk.wait(1);
    assert_eq!(desk.end(ALICE, sent), Some(TransferEnd::Complete));
    let late = strangers(&mut desk, "late", b"VER MSNFTP\r\n");
    connect(&mut desk, late, "alice");
    assert_eq!(named(&desk, "late"), 0);
}

/// aMSN hung when its port was hit again and again.
#[test]
fn junk_at_the_port_hinders_nobody() {
    for says in
        [&b""[..], b"VER MS", b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\x02\x00", &[b'x'; 4096]]
    {
        let (mut desk, sent, _) = offered();
        accept_and_stay_away(&mut desk);
        let key = strangers(&mut desk, "junk", says);
        for _ in 0..50 {
            connect(&mut desk, key, "alice");
            let there = desk.net.connections().into_iter().filter(|one| one.starts_with("junk"));
            assert!(there.count() <= 5, "{says:?}");
        }
        // Who says nothing is gone in time, and then there is room again.
        desk.wait(11);
        let there = desk.net.connections().into_iter().filter(|one| one.starts_with("junk"));
        assert_eq!(there.count(), 0, "{says:?}");
        assert_eq!(desk.end(ALICE, sent), None, "{says:?}");
        assert!(desk.net.host(desk.people[ALICE].key).is_online());
        desk.wait(60);
        assert_eq!(desk.end(ALICE, sent), Some(TransferEnd::NoConnection), "{says:?}");
        assert_eq!(desk.said("Cancel-Code:"), ["alice FTTIMEOUT"]);
    }
}

#[test]
fn three_wrong_cookies_close_the_port() {
    let (mut desk, sent, _) = offered();
    accept_and_stay_away(&mut desk);
    let guess = b"VER MSNFTP\r\nUSR bob@example.net 1\r\nTFR\r\n";
    let key = strangers(&mut desk, "guesser", guess);
    for round in 1..=3 {
        assert_eq!(desk.end(ALICE, sent), None, "{round}");
        connect(&mut desk, key, "alice");
        desk.wait(1);
    }
    assert_eq!(desk.end(ALICE, sent), Some(TransferEnd::NoConnection));
    assert_eq!(desk.said("Cancel-Code:"), ["alice FTTIMEOUT"], "told once");
    let said = desk.net.transcript().to_string();
    assert!(!said.lines().any(|line| line.contains("guesser-") && line.contains("FIL")), "no size");
}

#[test]
fn the_one_with_the_cookie_is_served_beside_strangers() {
    let (mut desk, sent, got) = offered();
    let idle = strangers(&mut desk, "idle", b"");
    let key = desk.people[ALICE].key;
    let random = desk.random();
    desk.client(BOB, |client, now| client.accept_file(now, got, random)).expect("an offer");
    for _ in 0..4 {
        desk.net.host_mut(idle).connect(Target { host: "alice".into(), port: 6891 });
    }
    desk.settle();
    desk.wait(1);
    assert_eq!(desk.end(ALICE, sent), Some(TransferEnd::Complete));
    assert_eq!(desk.end(BOB, got), Some(TransferEnd::Complete));
    assert!(desk.net.host(key).is_online());
    assert!(!desk.net.connections().iter().any(|one| one.starts_with("idle")), "given up at once");
}

/// When the receiver listens, all that it can know of a sender is the size.
#[test]
fn a_sender_of_another_size_is_refused() {
    let hidden: desk::Setting = |config| config.files = Some(Files::new(None));
    let mut desk = Desk::new(Chunking::Whole, &[hidden, |_| {}]);
    desk.invite(
        ALICE,
        "bob",
        &[
            "Invitation-Command: INVITE",
            "Invitation-Cookie: 5",
            "Application-GUID: {5D3E02AB-6190-11d3-BBBB-00C04F795683}",
            "Application-File: a",
            "Application-FileSize: 5",
            "Connectivity: N",
        ],
    );
    let got = desk.only(BOB);
    desk.accept(BOB, got);
    let other = strangers(&mut desk, "other", b"VER MSNFTP\r\nFIL 6\r\n");
    connect(&mut desk, other, "bob");
    connect(&mut desk, other, "bob");
    desk.wait(3);
    assert_eq!(desk.end(BOB, got), None, "it may be anybody");
    let right = strangers(&mut desk, "right", b"VER MSNFTP\r\nFIL 5\r\n\x00\x05\x00hello");
    connect(&mut desk, right, "bob");
    desk.wait(1);
    assert_eq!(desk.end(BOB, got), Some(TransferEnd::Complete));
    assert_eq!(desk.seen(BOB, got).data, b"hello");

    // Whom we dialled means what was offered, or it is another file.
    let mut desk = Desk::two();
    desk.invite(
        ALICE,
        "bob",
        &[
            "Invitation-Command: INVITE",
            "Invitation-Cookie: 5",
            "Application-File: a",
            "Application-FileSize: 5",
        ],
    );
    let got = desk.only(BOB);
    desk.accept(BOB, got);
    let other = strangers(&mut desk, "other", b"VER MSNFTP\r\nFIL 6\r\n");
    let at = desk.net.ip(other).to_string();
    desk.net.host_mut(other).listen("0.0.0.0:6891".parse().expect("an address"));
    let place = format!("IP-Address: {at}");
    desk.invite(
        ALICE,
        "bob",
        &[
            "Invitation-Command: ACCEPT",
            "Invitation-Cookie: 5",
            &place,
            "Port: 6891",
            "AuthCookie: 7",
            "Request-Data: IP-Address:",
        ],
    );
    desk.wait(3);
    let end = Some(TransferEnd::Broken(End::SizeChanged { announced: Some(6) }));
    assert_eq!(desk.end(BOB, got), end);
    assert!(desk.seen(BOB, got).data.is_empty());
}

#[test]
fn no_address_is_told_before_a_file_is_taken() {
    let told = |desk: &Desk| {
        let text = desk.net.transcript().to_string();
        text.lines().filter(|line| line.contains("IP-Address: ") && line.contains(" C: ")).count()
    };
    // Not answered, refused, taken back.
    let (mut desk, _, _) = offered();
    desk.wait(640);
    assert_eq!(told(&desk), 0);
    let (mut desk, _, got) = offered();
    desk.client(BOB, |client, now| client.decline_file(now, got)).expect("an offer");
    desk.settle();
    assert_eq!(told(&desk), 0);
    let (mut desk, sent, _) = offered();
    desk.client(ALICE, |client, now| client.cancel_file(now, sent)).expect("offered");
    desk.settle();
    assert_eq!(told(&desk), 0);
    let (mut desk, _, got) = offered();
    desk.accept(BOB, got);
    assert_eq!(told(&desk), 1, "and then by the one who listens alone");
}

#[test]
fn words_that_fit_no_file_change_nothing() {
    let (mut desk, sent, got) = offered();
    let cookie = {
        let text = desk.net.transcript().to_string();
        let cookie = text.lines().find_map(|line| line.split("Invitation-Cookie: ").nth(1));
        format!("Invitation-Cookie: {}", cookie.expect("an offer"))
    };
    let request = "Request-Data: IP-Address:";
    // Bob has offered nothing; Alice cannot take her own offer; nobody knows this cookie.
    for (who, to, lines) in [
        (ALICE, "bob", [&*cookie, "Invitation-Command: ACCEPT", request]),
        (BOB, "alice", ["Invitation-Cookie: 1", "Invitation-Command: ACCEPT", request]),
        (BOB, "alice", ["Invitation-Cookie: 1", "Invitation-Command: CANCEL", "Cancel-Code: FAIL"]),
        (BOB, "alice", [&*cookie, "Invitation-Command: SHRUG", request]),
    ] {
        desk.invite(who, to, &lines);
        assert_eq!((desk.end(ALICE, sent), desk.end(BOB, got)), (None, None), "{lines:?}");
    }
    // The same offer again is the same offer.
    let again = [
        "Invitation-Command: INVITE",
        &*cookie,
        "Application-GUID: {5D3E02AB-6190-11d3-BBBB-00C04F795683}",
        "Application-File: other",
        "Application-FileSize: 1",
    ];
    desk.invite(ALICE, "bob", &again);
    assert_eq!(desk.only(BOB), got);
    desk.accept(BOB, got);
    desk.wait(1);
    assert_eq!(desk.end(ALICE, sent), Some(TransferEnd::Complete));
    // Twice accepted is once accepted.
    let twice = desk.client(BOB, |client, now| client.accept_file(now, got, 1));
    assert!(twice.is_err());
}
