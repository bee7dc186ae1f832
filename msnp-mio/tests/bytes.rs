//! Bytes go both ways, all of them, in order, with few system calls and without starving anybody.

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use common::*;
use msnp_mio::{Happened, Options, Reactor};
use msnp_proto::machine::Shutdown;
use msnp_proto::time::Duration;

#[test]
fn an_echo_comes_back() {
    let mut reactor = reactor(TestHost::echoing());
    let (near, _) = pair(&mut reactor);
    reactor.host_mut().send(near, b"hello\r\n");
    assert_eq!(wait_bytes(&mut reactor, near, 7), b"hello\r\n");
    assert_eq!(reactor.connection_count(), 2);
    assert!(reactor.local_addr(near).is_some());
    assert!(reactor.peer_addr(near).is_some());
}

#[test]
fn bytes_queued_before_the_connection_is_open_are_sent() {
    let mut reactor = reactor(TestHost::echoing());
    let local = listening(&mut reactor);
    let near = reactor.host_mut().connect(at(local));
    reactor.host_mut().send(near, b"early");
    assert_eq!(wait_bytes(&mut reactor, near, 5), b"early");
}

#[test]
fn a_mebibyte_gets_through_to_a_slow_reader() {
    let mut reactor = reactor(TestHost::new());
    let local = listening(&mut reactor);
    let bytes: Vec<u8> = (0..1_u32 << 20).map(|n| (n % 251) as u8).collect();
    let expected = bytes.clone();
    let reader = thread::spawn(move || {
        let mut stream = TcpStream::connect(local).unwrap();
        let (mut all, mut piece) = (Vec::new(), [0; 1000]);
        loop {
            match stream.read(&mut piece).unwrap() {
                0 => return all,
                count => all.extend_from_slice(&piece[..count]),
            }
        }
    });
    let conn = wait_accepted(&mut reactor);
    // Several times the socket's buffer, so that writes are cut.
    for _ in 0..8 {
        reactor.host_mut().send(conn, &bytes);
    }
    let until = patience(&reactor);
    assert_eq!(reactor.flush(until).unwrap(), None);
    assert!(reactor.host().conns[&conn].out.is_empty());
    reactor.host_mut().close(conn, Shutdown::Flush);
    wait_closed(&mut reactor, conn);
    let all = reader.join().unwrap();
    assert_eq!(all.len(), 8 * expected.len());
    assert!(all.chunks(expected.len()).all(|part| part == expected));
}

#[test]
fn a_peer_that_never_reads_holds_up_nobody_else() {
    let mut reactor = reactor(TestHost::echoing());
    let local = listening(&mut reactor);
    let _stuck = TcpStream::connect(local).unwrap();
    let conn = wait_accepted(&mut reactor);
    reactor.host_mut().send(conn, &vec![0; 32 << 20]);
    let near = reactor.host_mut().connect(at(local));
    reactor.host_mut().send(near, b"still here");
    assert_eq!(wait_bytes(&mut reactor, near, 10), b"still here");
    assert!(!reactor.host().conns[&conn].out.is_empty());
}

#[test]
fn unwelcome_input_stays_in_the_socket_until_it_is_welcome() {
    let mut reactor = reactor(TestHost { starts_deaf: true, ..TestHost::new() });
    let local = listening(&mut reactor);
    let mut peer = TcpStream::connect(local).unwrap();
    let conn = wait_accepted(&mut reactor);
    peer.write_all(b"not yet").unwrap();
    let soon = reactor.now() + Duration::from_millis(20);
    assert_eq!(reactor.next(Some(soon)).unwrap(), Happened::Due);
    assert_eq!(reactor.host().total_in, 0);

    reactor.host_mut().set_reads(conn, true);
    assert_eq!(wait_bytes(&mut reactor, conn, 7), b"not yet");

    reactor.host_mut().set_reads(conn, false);
    peer.write_all(b"again").unwrap();
    drop(peer);
    let soon = reactor.now() + Duration::from_millis(20);
    assert_eq!(reactor.next(Some(soon)).unwrap(), Happened::Due);
    reactor.host_mut().set_reads(conn, true);
    assert_eq!(wait_bytes(&mut reactor, conn, 5), b"again");
    wait_for(&mut reactor, &Event::Eof(conn));
}

#[test]
fn waiting_for_a_host_that_does_not_read_costs_nothing() {
    let mut reactor = reactor(TestHost { starts_deaf: true, ..TestHost::new() });
    let local = listening(&mut reactor);
    let mut peer = TcpStream::connect(local).unwrap();
    let conn = wait_accepted(&mut reactor);
    for _ in 0..10 {
        peer.write_all(b"drop").unwrap();
        let soon = reactor.now() + Duration::from_millis(2);
        assert_eq!(reactor.next(Some(soon)).unwrap(), Happened::Due);
    }
    let asked = reactor.host().asked.get();
    assert!(asked <= 60, "asked {asked} times about ten pieces");
    reactor.host_mut().set_reads(conn, true);
    assert_eq!(wait_bytes(&mut reactor, conn, 40).len(), 40);
}

#[test]
fn what_does_not_fit_the_budget_is_read_in_later_turns() {
    let mut options = Options::default();
    options.read_budget = 1000;
    let mut reactor = Reactor::with_options(TestHost::new(), options).unwrap();
    let (near, far) = pair(&mut reactor);
    reactor.host_mut().send(near, &[b'x'; 2500]);
    reactor.host_mut().close(near, Shutdown::Flush);
    let mut sizes = Vec::new();
    wait(&mut reactor, |event| {
        if let Event::Input(_, bytes) = event {
            sizes.push(bytes.len());
        }
        (*event == Event::Eof(far)).then_some(())
    });
    assert_eq!(sizes, [1000, 1000, 500]);
}

#[test]
fn all_answers_to_one_input_are_one_write() {
    let mut reactor = reactor(TestHost { answers: 256, ..TestHost::new() });
    let (near, far) = pair(&mut reactor);
    let notes = Notes::default();
    reactor.set_tap(Box::new(notes.clone()));
    for _ in 0..256 {
        reactor.host_mut().send(near, b"question");
    }
    wait_bytes(&mut reactor, near, 256);
    assert_eq!(
        notes.take(),
        [
            Seen::Sent(near, 2048),
            Seen::Received(far, 2048),
            Seen::Sent(far, 256),
            Seen::Received(near, 256),
        ]
    );
}

#[test]
fn a_flood_does_not_starve_the_others() {
    let mut reactor = reactor(TestHost { quiet: true, ..TestHost::echoing() });
    let local = listening(&mut reactor);
    let flood = thread::spawn(move || {
        let mut stream = TcpStream::connect(local).unwrap();
        let piece = vec![b'x'; 1 << 16];
        while stream.write_all(&piece).is_ok() {}
    });
    while reactor.host().total_in == 0 {
        let soon = reactor.now() + Duration::from_millis(1);
        let _ = reactor.next(Some(soon)).unwrap();
    }
    reactor.host_mut().echo = false;
    reactor.host_mut().quiet = false;
    let near = reactor.host_mut().connect(at(local));
    wait_for(&mut reactor, &Event::Connected(near));
    drop(reactor);
    flood.join().unwrap();
}

#[test]
#[cfg(unix)]
fn whoever_has_little_to_say_comes_before_those_who_never_stop() {
    use std::cell::RefCell;
    use std::rc::Rc;

    const SHARE: usize = 1000;
    let mut options = Options::default();
    options.read_budget = SHARE;
    options.catch_up = Duration::ZERO;
    let mut reactor = Reactor::with_options(TestHost::new(), options).unwrap();
    let sockets = Rc::new(RefCell::new(Vec::new()));
    let all = Rc::clone(&sockets);
    reactor.set_socket_setup(Box::new(move |socket| {
        all.borrow_mut().push(TcpStream::from(socket.try_clone_to_owned().unwrap()));
    }));
    // A busy system may bring it later than it was written.
    let arrived = |place: usize, len| {
        let (sockets, mut bytes) = (sockets.borrow(), [0; 40 * SHARE]);
        while sockets[place].peek(&mut bytes).map_or(true, |there| there < len) {
            thread::yield_now();
        }
    };
    let local = listening(&mut reactor);
    let mut connect = || {
        let peer = TcpStream::connect(local).unwrap();
        (wait_accepted(&mut reactor), peer)
    };
    let (mut floods, (short, mut peer)) = ([connect(), connect(), connect()], connect());
    for (place, (_, flood)) in floods.iter_mut().enumerate() {
        flood.write_all(&[b'x'; 40 * SHARE]).unwrap();
        arrived(place, 40 * SHARE);
    }
    let mut input = || {
        wait(&mut reactor, |event| match event {
            Event::Input(conn, bytes) => Some((*conn, bytes.len())),
            _ => None,
        })
    };
    let mut shares = [0; 3];
    let mut count = |conn| {
        let place = floods.iter().position(|(flood, _)| *flood == conn).unwrap();
        shares[place] += 1;
        let (least, most) = (shares.iter().min().unwrap(), shares.iter().max().unwrap());
        assert!(most - least <= 2, "{shares:?}");
    };
    // The first turn reads everybody's share.
    for _ in 0..6 {
        let (conn, len) = input();
        assert_eq!(len, SHARE);
        count(conn);
    }
    for _ in 0..20 {
        peer.write_all(b"hello").unwrap();
        arrived(3, 5);
        let mut before = 0;
        loop {
            let (conn, len) = input();
            if conn == short {
                assert_eq!(len, 5);
                break;
            }
            count(conn);
            before += 1;
        }
        assert!(before <= 2, "{before} shares of others came first");
    }
}

#[test]
fn deadlines_of_host_and_caller_are_kept() {
    let mut reactor = reactor(TestHost::new());
    let now = reactor.now();
    reactor.host_mut().deadline = Some(now + Duration::from_millis(5));
    let until = now + Duration::from_millis(10);
    assert_eq!(reactor.next(Some(until)).unwrap(), Happened::Event(Event::Timeout));
    assert!(reactor.now() >= now + Duration::from_millis(5));
    assert_eq!(reactor.next(Some(until)).unwrap(), Happened::Due);
    assert!(reactor.now() >= until);
    assert_eq!(reactor.next(Some(until)).unwrap(), Happened::Due);
}
