//! Every way a connection can end, and that the host hears of each exactly once.

mod common;

use std::io::{Read, Write};
use std::net::{self, TcpStream};
use std::thread;

use common::*;
use msnp_mio::Happened;
use msnp_proto::machine::{Closed, Shutdown};

#[test]
fn a_flush_delivers_everything_even_to_a_peer_that_talks_meanwhile() {
    let mut reactor = reactor(TestHost::new());
    let local = listening(&mut reactor);
    let peer = thread::spawn(move || {
        let mut stream = TcpStream::connect(local).unwrap();
        // Input that nobody reads would make a plain close throw our bytes away.
        stream.write_all(&[b'x'; 10_000]).unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        all.len()
    });
    let conn = wait_accepted(&mut reactor);
    reactor.host_mut().set_reads(conn, false);
    reactor.host_mut().send(conn, &vec![b'y'; 4 << 20]);
    reactor.host_mut().close(conn, Shutdown::Flush);
    assert_eq!(wait_closed(&mut reactor, conn), Closed::Done);
    assert_eq!(peer.join().unwrap(), 4 << 20);
    let until = patience(&reactor);
    assert_eq!(reactor.settle(until).unwrap(), None);
}

#[test]
fn a_flush_gives_up_on_a_peer_that_never_reads() {
    let mut reactor = quick(TestHost::new());
    let local = listening(&mut reactor);
    let _peer = TcpStream::connect(local).unwrap();
    let conn = wait_accepted(&mut reactor);
    reactor.host_mut().send(conn, &vec![0; 32 << 20]);
    reactor.host_mut().close(conn, Shutdown::Flush);
    assert_eq!(wait_closed(&mut reactor, conn), Closed::TimedOut);
}

#[test]
fn a_peer_that_never_closes_is_waited_for_only_so_long() {
    let mut reactor = quick(TestHost::new());
    let local = listening(&mut reactor);
    let mut peer = TcpStream::connect(local).unwrap();
    let conn = wait_accepted(&mut reactor);
    reactor.host_mut().send(conn, b"bye");
    reactor.host_mut().close(conn, Shutdown::Flush);
    assert_eq!(wait_closed(&mut reactor, conn), Closed::Done);
    let mut all = Vec::new();
    peer.read_to_end(&mut all).unwrap();
    assert_eq!(all, b"bye");
}

#[test]
fn both_sides_flush_at_once() {
    let mut reactor = reactor(TestHost::new());
    let (near, far) = pair(&mut reactor);
    for conn in [near, far] {
        reactor.host_mut().send(conn, b"last words");
        reactor.host_mut().close(conn, Shutdown::Flush);
        reactor.host_mut().close(conn, Shutdown::Flush);
    }
    let until = patience(&reactor);
    let mut closed = Vec::new();
    while let Some(happened) = reactor.settle(until).unwrap() {
        match happened {
            Happened::Event(Event::Closed(conn, why)) => closed.push((conn, why)),
            Happened::Event(_) | Happened::Woken => {}
            Happened::Due => panic!("still open"),
        }
    }
    closed.sort_by_key(|(conn, _)| *conn);
    let mut expected = [(near, Closed::Done), (far, Closed::Done)];
    expected.sort_by_key(|(conn, _)| *conn);
    assert_eq!(closed, expected);
}

#[test]
fn an_abort_is_at_once_and_loses_what_was_pending() {
    let mut reactor = reactor(TestHost::new());
    let (near, far) = pair(&mut reactor);
    reactor.host_mut().send(near, b"never seen");
    reactor.host_mut().close(near, Shutdown::Abort);
    assert_eq!(wait_closed(&mut reactor, near), Closed::Done);
    wait_for(&mut reactor, &Event::Eof(far));
    assert_eq!(reactor.host().total_in, 0);
    reactor.host_mut().close(far, Shutdown::Flush);
    reactor.host_mut().close(far, Shutdown::Abort);
    assert_eq!(wait_closed(&mut reactor, far), Closed::Done);
    assert_eq!(reactor.connection_count(), 0);
}

#[test]
fn a_peer_that_has_said_all_can_still_be_answered() {
    let mut reactor = reactor(TestHost::new());
    let local = listening(&mut reactor);
    let mut peer = TcpStream::connect(local).unwrap();
    let conn = wait_accepted(&mut reactor);
    peer.write_all(b"question").unwrap();
    peer.shutdown(net::Shutdown::Write).unwrap();
    wait_for(&mut reactor, &Event::Eof(conn));
    assert_eq!(reactor.host().total_in, 8);
    reactor.host_mut().send(conn, b"answer");
    reactor.host_mut().close(conn, Shutdown::Flush);
    assert_eq!(wait_closed(&mut reactor, conn), Closed::Done);
    let mut all = Vec::new();
    peer.read_to_end(&mut all).unwrap();
    assert_eq!(all, b"answer");
}

/// Closing with unread input makes the system send a reset.
fn leave_rudely(reactor: &mut msnp_mio::Reactor<TestHost>, mut peer: TcpStream) {
    let conn = *reactor.host().conns.keys().next().expect("one connection");
    reactor.host_mut().send(conn, b"unread");
    let until = patience(reactor);
    assert_eq!(reactor.flush(until).expect("loopback works"), None);
    let _ = peer.peek(&mut [0; 1]).expect("loopback works");
    peer.write_all(b"farewell").expect("loopback works");
    drop(peer);
}

#[test]
fn a_reset_is_told_after_the_peers_last_words() {
    let mut reactor = reactor(TestHost::new());
    let local = listening(&mut reactor);
    let peer = TcpStream::connect(local).unwrap();
    let conn = wait_accepted(&mut reactor);
    leave_rudely(&mut reactor, peer);
    assert_eq!(wait_closed(&mut reactor, conn), Closed::Reset);
    assert_eq!(reactor.host().total_in, 8);
}

#[test]
fn a_failed_write_does_not_hide_the_peers_last_words() {
    let mut reactor = reactor(TestHost::new());
    let local = listening(&mut reactor);
    let peer = TcpStream::connect(local).unwrap();
    let conn = wait_accepted(&mut reactor);
    leave_rudely(&mut reactor, peer);
    // Goes out before the loop looks at the socket, and meets the reset.
    reactor.host_mut().send(conn, b"anybody there?");
    assert_eq!(wait_closed(&mut reactor, conn), Closed::Reset);
    assert_eq!(reactor.host().total_in, 8);
}

#[test]
fn a_reset_is_told_even_to_a_host_that_does_not_read() {
    let mut reactor = reactor(TestHost { starts_deaf: true, ..TestHost::new() });
    let local = listening(&mut reactor);
    let peer = TcpStream::connect(local).unwrap();
    let conn = wait_accepted(&mut reactor);
    leave_rudely(&mut reactor, peer);
    assert_eq!(wait_closed(&mut reactor, conn), Closed::Reset);
    assert_eq!(reactor.host().total_in, 0);
}

#[test]
fn connections_closed_amid_their_own_events_are_no_trouble() {
    let mut reactor = reactor(TestHost::new());
    let local = listening(&mut reactor);
    let mut peers: Vec<_> = (0..50).map(|_| TcpStream::connect(local).unwrap()).collect();
    let conns: Vec<_> = peers.iter().map(|_| wait_accepted(&mut reactor)).collect();
    for peer in &mut peers {
        peer.write_all(b"now").unwrap();
    }
    // The first event of the batch ends everybody, with the other events still to be taken.
    wait(&mut reactor, |event| matches!(event, Event::Input(..)).then_some(()));
    for (n, &conn) in conns.iter().enumerate() {
        let how = if n % 2 == 0 { Shutdown::Abort } else { Shutdown::Flush };
        reactor.host_mut().close(conn, how);
    }
    drop(peers);
    let until = patience(&reactor);
    let mut closed = 0;
    while let Some(happened) = reactor.settle(until).unwrap() {
        assert_ne!(happened, Happened::Due);
        closed += usize::from(matches!(happened, Happened::Event(Event::Closed(..))));
    }
    assert_eq!(closed, 50);
    assert!(reactor.host().conns.is_empty());
}
