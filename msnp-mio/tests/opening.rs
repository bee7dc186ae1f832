//! Names, addresses in turn, and everything that can go wrong before a connection is open.

mod common;

use std::net::{SocketAddr, TcpListener, TcpStream};

use common::*;
use msnp_mio::{Answer, Happened, Options, Reactor, Resolve, SystemResolver};
use msnp_proto::machine::{Closed, ListenerId, Output, Shutdown};
use msnp_proto::time::Duration;

/// A port where nobody listens. No system gives it to whoever asks for any.
fn closed_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 1))
}

struct Book(Result<Vec<SocketAddr>, Closed>);

impl Resolve for Book {
    fn resolve(&mut self, host: &str, _: u16, answer: Answer) {
        assert!(host.parse::<std::net::IpAddr>().is_err(), "an address needs no lookup");
        answer.give(self.0.clone());
    }
}

struct Silent(Vec<Answer>);

impl Resolve for Silent {
    fn resolve(&mut self, _: &str, _: u16, answer: Answer) {
        self.0.push(answer);
    }
}

struct Careless;

impl Resolve for Careless {
    fn resolve(&mut self, _: &str, _: u16, _: Answer) {}
}

#[test]
fn nobody_listens() {
    let mut reactor = reactor(TestHost::new());
    let conn = reactor.host_mut().connect(at(closed_port()));
    assert_eq!(wait_closed(&mut reactor, conn), Closed::Refused);
    assert_eq!(reactor.connection_count(), 0);
}

#[test]
fn a_name_without_address() {
    for none in [Err(Closed::UnknownHost), Ok(Vec::new())] {
        let mut reactor = reactor(TestHost::new());
        reactor.set_resolver(Box::new(Book(none)));
        let conn = reactor.host_mut().connect(target("nowhere.invalid", 1863));
        assert_eq!(wait_closed(&mut reactor, conn), Closed::UnknownHost);
    }
}

#[test]
fn the_system_knows_localhost_but_not_everything() {
    let mut reactor = reactor(TestHost::echoing());
    reactor.set_resolver(Box::new(SystemResolver::new()));
    let local = listening(&mut reactor);
    // It may stand for ::1 first, where nobody listens.
    let near = reactor.host_mut().connect(target("localhost", local.port()));
    wait_for(&mut reactor, &Event::Connected(near));
    let never = reactor.host_mut().connect(target("not a host name", 1));
    assert_eq!(wait_closed(&mut reactor, never), Closed::UnknownHost);
    let many: Vec<_> =
        (0..20).map(|_| reactor.host_mut().connect(target("localhost", local.port()))).collect();
    let mut connected = 0;
    wait(&mut reactor, |event| {
        connected += usize::from(matches!(event, Event::Connected(id) if many.contains(id)));
        (connected == many.len()).then_some(())
    });
}

#[test]
fn the_second_address_is_tried_when_the_first_refuses() {
    let mut reactor = reactor(TestHost::echoing());
    let local = listening(&mut reactor);
    reactor.set_resolver(Box::new(Book(Ok(vec![closed_port(), closed_port(), local]))));
    let near = reactor.host_mut().connect(target("three.example", 1863));
    reactor.host_mut().send(near, b"found");
    assert_eq!(wait_bytes(&mut reactor, near, 5), b"found");

    reactor.set_resolver(Box::new(Book(Ok(vec![closed_port(), closed_port()]))));
    let none = reactor.host_mut().connect(target("two.example", 1863));
    assert_eq!(wait_closed(&mut reactor, none), Closed::Refused);
}

#[test]
fn a_lookup_that_never_ends_times_out_and_its_late_answer_is_ignored() {
    let mut reactor = quick(TestHost::new());
    let (sender, answers) = std::sync::mpsc::channel();
    struct Later(std::sync::mpsc::Sender<Answer>);
    impl Resolve for Later {
        fn resolve(&mut self, _: &str, _: u16, answer: Answer) {
            self.0.send(answer).unwrap();
        }
    }
    reactor.set_resolver(Box::new(Later(sender)));
    let local = listening(&mut reactor);
    let conn = reactor.host_mut().connect(target("slow.example", 1));
    assert_eq!(wait_closed(&mut reactor, conn), Closed::TimedOut);
    answers.recv().unwrap().give(Ok(vec![local]));
    let soon = reactor.now() + Duration::from_millis(10);
    assert_eq!(reactor.next(Some(soon)).unwrap(), Happened::Due);
}

#[test]
#[cfg(unix)]
fn every_socket_is_set_up_once_before_it_is_used() {
    use std::cell::RefCell;
    use std::os::fd::AsRawFd;
    use std::rc::Rc;

    let mut reactor = reactor(TestHost::echoing());
    reactor.set_resolver(Box::new(Book(Ok(vec![closed_port(), closed_port()]))));
    let seen = Rc::new(RefCell::new(Vec::new()));
    let notes = Rc::clone(&seen);
    reactor.set_socket_setup(Box::new(move |socket| {
        assert!(socket.try_clone_to_owned().is_ok(), "it is open");
        notes.borrow_mut().push(socket.as_raw_fd());
    }));
    let (near, _) = pair(&mut reactor);
    assert_eq!(seen.borrow().len(), 2, "one that connects and one that is accepted");
    reactor.host_mut().send(near, b"hello");
    wait_bytes(&mut reactor, near, 5);
    assert_eq!(seen.borrow().len(), 2, "and no more than once");

    let refused = reactor.host_mut().connect(target("two-addresses", 1863));
    assert_eq!(wait_closed(&mut reactor, refused), Closed::Refused);
    assert_eq!(seen.borrow().len(), 4, "each address that is tried");
}

#[test]
#[cfg(target_os = "linux")]
fn an_address_that_never_answers_leaves_time_for_the_next() {
    // A full queue of a socket that nobody accepts from drops all who knock.
    let full = TcpListener::bind(any()).unwrap();
    let silent = full.local_addr().unwrap();
    let patience = Duration::from_millis(100);
    let mut waiting = Vec::new();
    // One that is not let in may only have been slow.
    let mut refused = 0;
    while refused < 3 {
        match TcpStream::connect_timeout(&silent, patience) {
            Ok(stream) => waiting.push(stream),
            Err(_) => refused += 1,
        }
    }

    // On a busy machine what is left for the second address may be too little, so there is more then.
    let is_reached = |limit: u64| {
        let mut options = Options::default();
        options.connect_timeout = Duration::from_millis(limit);
        let mut reactor = Reactor::with_options(TestHost::new(), options).unwrap();
        let local = listening(&mut reactor);
        reactor.set_resolver(Box::new(Book(Ok(vec![silent, local]))));
        let near = reactor.host_mut().connect(target("two.example", 1));
        wait(&mut reactor, |event| match event {
            Event::Connected(conn) if *conn == near => Some(true),
            Event::Closed(conn, _) if *conn == near => Some(false),
            _ => None,
        })
    };
    assert!([50, 500, 5000, 120_000].into_iter().any(is_reached));

    let mut reactor = quick(TestHost::new());
    reactor.set_resolver(Box::new(Book(Ok(vec![silent, silent]))));
    let conn = reactor.host_mut().connect(target("none.example", 1));
    assert_eq!(wait_closed(&mut reactor, conn), Closed::TimedOut);
}

#[test]
fn a_resolver_that_forgets_its_answer_fails_the_connection() {
    let mut reactor = reactor(TestHost::new());
    reactor.set_resolver(Box::new(Careless));
    let conn = reactor.host_mut().connect(target("lost.example", 1));
    assert_eq!(wait_closed(&mut reactor, conn), Closed::Failed);
}

#[test]
fn a_connection_can_be_closed_before_it_is_open() {
    for how in [Shutdown::Abort, Shutdown::Flush] {
        let mut reactor = reactor(TestHost::new());
        reactor.set_resolver(Box::new(Silent(Vec::new())));
        let conn = reactor.host_mut().connect(target("slow.example", 1));
        reactor.host_mut().close(conn, how);
        assert_eq!(wait_closed(&mut reactor, conn), Closed::Done);
        assert_eq!(reactor.connection_count(), 0);
    }
}

#[test]
fn a_flush_before_the_connection_is_open_still_delivers() {
    let mut reactor = reactor(TestHost::new());
    let local = listening(&mut reactor);
    let near = reactor.host_mut().connect(at(local));
    reactor.host_mut().send(near, b"hello and goodbye");
    reactor.host_mut().close(near, Shutdown::Flush);
    let far = wait_accepted(&mut reactor);
    assert_eq!(wait_bytes(&mut reactor, far, 17), b"hello and goodbye");
    reactor.host_mut().close(far, Shutdown::Flush);
    assert_eq!(wait_closed(&mut reactor, near), Closed::Done);
}

#[test]
fn an_address_that_is_taken_cannot_be_listened_at() {
    let mut reactor = reactor(TestHost::new());
    let local = listening(&mut reactor);
    reactor.host_mut().outputs.push_back(Output::Listen { listener: ListenerId(2), at: local });
    wait_for(&mut reactor, &Event::Unlistened(ListenerId(2), Closed::AddressUnavailable));
    let not_ours = SocketAddr::from(([192, 0, 2, 1], 0));
    reactor.host_mut().outputs.push_back(Output::Listen { listener: ListenerId(3), at: not_ours });
    wait_for(&mut reactor, &Event::Unlistened(ListenerId(3), Closed::AddressUnavailable));
}

#[test]
fn a_socket_that_no_longer_listens_refuses() {
    let mut reactor = reactor(TestHost::new());
    let local = listening(&mut reactor);
    reactor.host_mut().outputs.push_back(Output::Unlisten { listener: ListenerId(1) });
    let conn = reactor.host_mut().connect(at(local));
    assert_eq!(wait_closed(&mut reactor, conn), Closed::Refused);
}

#[test]
fn a_peer_that_is_turned_away_sees_the_end() {
    let mut reactor = reactor(TestHost { turns_away: true, ..TestHost::new() });
    let local = listening(&mut reactor);
    let conn = reactor.host_mut().connect(at(local));
    wait_for(&mut reactor, &Event::Eof(conn));
    assert_eq!(reactor.connection_count(), 1);
}

#[test]
fn the_tap_sees_openings_and_endings() {
    let mut reactor = reactor(TestHost::new());
    let notes = Notes::default();
    reactor.set_tap(Box::new(notes.clone()));
    let (near, far) = pair(&mut reactor);
    reactor.host_mut().close(near, Shutdown::Abort);
    wait_closed(&mut reactor, near);
    let mut seen = notes.take();
    seen.sort_by_key(|seen| !matches!(seen, Seen::Opened(_, false)));
    assert_eq!(
        seen,
        [Seen::Opened(near, false), Seen::Opened(far, true), Seen::Closed(near, Closed::Done)]
    );
}

#[test]
fn a_peer_that_speaks_first_is_heard() {
    let server = TcpListener::bind(any()).unwrap();
    let local = server.local_addr().unwrap();
    // Connected, greeted and left before the loop looks for the first time.
    let mut reactor = reactor(TestHost::new());
    let conn = reactor.host_mut().connect(at(local));
    let soon = reactor.now();
    let _ = reactor.next(Some(soon)).unwrap();
    let (mut peer, _): (TcpStream, _) = server.accept().unwrap();
    std::io::Write::write_all(&mut peer, b"welcome").unwrap();
    drop(peer);
    assert_eq!(wait_bytes(&mut reactor, conn, 7), b"welcome");
    wait_for(&mut reactor, &Event::Eof(conn));
}
