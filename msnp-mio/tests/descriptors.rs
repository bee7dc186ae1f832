//! Descriptors come back, and a want of them is survived. One test, since descriptors belong to the
//! whole process.
#![cfg(target_os = "linux")]

mod common;

use std::net::TcpStream;
use std::process::Command;

use common::*;
use msnp_mio::Happened;
use msnp_proto::machine::{ListenerId, Output, Shutdown};
use msnp_proto::time::Duration;

/// Set in the child that has few descriptors.
const CHILD: &str = "MSNP_MIO_FEW_DESCRIPTORS";

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("proc is there").count()
}

#[test]
fn descriptors_come_back_and_a_want_of_them_is_survived() {
    if std::env::var_os(CHILD).is_some() {
        return with_few_descriptors();
    }
    thousands_come_and_go();
    let status = Command::new("sh")
        .args(["-c", "ulimit -n 40 && exec \"$0\" --test-threads 1"])
        .arg(std::env::current_exe().expect("this program"))
        .env(CHILD, "1")
        .status()
        .expect("a shell");
    assert!(status.success());
}

fn thousands_come_and_go() {
    let before = descriptors();
    let mut reactor = reactor(TestHost::echoing());
    let local = listening(&mut reactor);
    let idle = descriptors();
    for round in 0..40 {
        let conns: Vec<_> = (0..100).map(|_| reactor.host_mut().connect(at(local))).collect();
        for (n, &conn) in conns.iter().enumerate() {
            reactor.host_mut().send(conn, b"hello");
            let how = if n % 3 == 0 { Shutdown::Abort } else { Shutdown::Flush };
            if round % 2 == 0 {
                wait_for(&mut reactor, &Event::Connected(conn));
            }
            reactor.host_mut().close(conn, how);
        }
        let until = patience(&reactor);
        while let Some(happened) = reactor.settle(until).expect("the loop runs") {
            assert_ne!(happened, Happened::Due);
        }
        assert_eq!(reactor.connection_count(), 0);
    }
    // Peers of aborted connections may still wait in the listening socket's queue, or were accepted
    // late.
    reactor.host_mut().outputs.push_back(Output::Unlisten { listener: ListenerId(1) });
    let until = patience(&reactor);
    while let Some(happened) = reactor.settle(until).expect("the loop runs") {
        assert_ne!(happened, Happened::Due);
    }
    assert!(reactor.host().conns.is_empty());
    assert_eq!(descriptors(), idle - 1);
    drop(reactor);
    assert_eq!(descriptors(), before);
}

fn with_few_descriptors() {
    let mut reactor = reactor(TestHost::new());
    let local = listening(&mut reactor);
    let mut peers = Vec::new();
    // Leaves none for the accepting side.
    while let Ok(peer) = TcpStream::connect(local) {
        peers.push(peer);
    }
    let started = reactor.now();
    let until = started + Duration::from_millis(250);
    assert_eq!(reactor.next(Some(until)).expect("the loop runs"), Happened::Due);
    let pauses = reactor.accept_pauses();
    let elapsed = reactor.now() - started;
    let most = elapsed.as_millis() / 100 + 1;
    assert!(pauses >= 1 && u128::from(pauses) <= most, "{pauses} pauses in {elapsed:?}");

    let half = peers.len() / 2;
    peers.truncate(half);
    for _ in 0..half {
        wait_accepted(&mut reactor);
    }
}
