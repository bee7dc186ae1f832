//! Other threads reach the host and the application.

mod common;

use std::sync::mpsc;
use std::thread;

use common::*;
use msnp_mio::{Gone, Happened};

#[test]
fn a_job_runs_with_the_host_and_a_wake_reaches_the_application() {
    let mut reactor = reactor(TestHost::echoing());
    let (near, _) = pair(&mut reactor);
    let handle = reactor.handle();
    let other = thread::spawn(move || {
        handle.post(move |host, _| host.send(near, b"from afar")).unwrap();
    });
    assert_eq!(wait_bytes(&mut reactor, near, 9), b"from afar");
    other.join().unwrap();

    let handle = reactor.handle();
    let other = thread::spawn(move || handle.wake());
    assert_eq!(reactor.next(None).unwrap(), Happened::Woken);
    other.join().unwrap();
}

#[test]
fn several_wakes_are_one_and_jobs_keep_their_order() {
    let mut reactor = reactor(TestHost::new());
    let handle = reactor.handle();
    let (sender, numbers) = mpsc::channel();
    for n in 0..100 {
        let sender = sender.clone();
        handle.post(move |_, _| sender.send(n).unwrap()).unwrap();
        handle.wake();
    }
    assert_eq!(reactor.next(None).unwrap(), Happened::Woken);
    assert_eq!(numbers.try_iter().collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
    let now = reactor.now();
    assert_eq!(reactor.next(Some(now)).unwrap(), Happened::Due);
}

#[test]
fn nothing_is_lost_when_many_threads_post_at_once() {
    let mut reactor = reactor(TestHost::new());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let handle = reactor.handle();
            thread::spawn(move || {
                for _ in 0..1000 {
                    handle.post(|host, _| host.total_in += 1).unwrap();
                }
                handle.wake();
            })
        })
        .collect();
    while reactor.host().total_in < 4000 {
        assert_eq!(reactor.next(None).unwrap(), Happened::Woken);
    }
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn a_handle_outlives_its_reactor() {
    let reactor = reactor(TestHost::new());
    let handle = reactor.handle();
    let waiting = handle.clone();
    // A job that never runs is dropped with the reactor, together with the handle in it.
    handle.post(move |_, _| waiting.wake()).unwrap();
    let _host = reactor.into_host();
    assert_eq!(handle.post(|_, _| {}), Err(Gone));
    handle.wake();
}
