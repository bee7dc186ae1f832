//! What a hub costs, without system calls. Run with
//! `cargo test --release --test hub_speed -- --ignored --nocapture --test-threads 1`.

mod hub_support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant as Clock;

use hub_support::{World, config, handle, three};
use msnp_proto::machine::{Host, Output};

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static CALLS: AtomicUsize = AtomicUsize::new(0);

#[allow(unsafe_code, reason = "an allocator that counts can be written in no other way")]
// SAFETY: every call is passed on unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Hands out everything that is pending, as a driver with fast sockets does.
fn drain(hub: &mut msnp_proto::hub::Hub, now: msnp_proto::time::Instant) -> usize {
    let mut written = 0;
    while let Some(output) = hub.poll_output() {
        if let Output::Transmit { conn } = output {
            let pending = hub.pending(conn).len();
            hub.consume(now, conn, pending);
            written += pending;
        }
    }
    written
}

#[test]
#[ignore = "a measurement"]
fn texts_relayed_and_acknowledged() {
    let mut w = World::new();
    let alice = w.online("alice@example.net");
    let bob = w.online("bob@example.net");
    w.heard(alice);
    let of_alice = w.switchboard(alice, "alice@example.net");
    w.call_in(of_alice, bob, "bob@example.net");
    let body = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\nHello, Bob!";
    let text = format!("MSG 12 A {}\r\n{body}", body.len());
    for in_one in [1, 16] {
        let chunk = text.repeat(in_one);
        let rounds = 2_000_000 / in_one;
        let (start, calls) = (Clock::now(), CALLS.load(Ordering::Relaxed));
        let mut written = 0;
        for _ in 0..rounds {
            w.hub.handle_input(w.now, of_alice, chunk.as_bytes());
            written += drain(&mut w.hub, w.now);
        }
        let seconds = start.elapsed().as_secs_f64();
        let texts = (rounds * in_one) as f64;
        let calls = CALLS.load(Ordering::Relaxed) - calls;
        println!(
            "{in_one} in one read: {:.2} M texts/s, {:.0} ns each, {written} bytes, {:.4} allocations each",
            texts / seconds / 1e6,
            seconds / texts * 1e9,
            calls as f64 / texts,
        );
    }
}

#[test]
#[ignore = "a measurement"]
fn presence_to_many() {
    let alice = handle("alice@example.net");
    let mut limits = config();
    limits.limits.connections = 10_000;
    limits.limits.connections_per_address = 10_000;
    limits.limits.changes = None;
    let mut accounts = three();
    let others = 5000;
    let name = |number: usize| format!("somebody{number}@example.net");
    for number in 0..others {
        let other = handle(&name(number));
        accounts = accounts.account(other.clone(), "Pa55word");
        if number % (others / 600) == 0 {
            accounts = accounts.contact(&other, &alice).contact(&alice, &other);
        }
    }
    let mut w = World::with(limits, accounts);
    let before = HELD.load(Ordering::Relaxed);
    let conns: Vec<_> = (0..others).map(|number| w.online(&name(number))).collect();
    let held = HELD.load(Ordering::Relaxed) - before;
    println!("{} bytes for each of {others} idle sessions, test harness included", held / others);
    let conn = w.online("alice@example.net");
    for conn in conns {
        w.heard(conn);
    }
    let (mut fan_out, mut writes) = (0.0, 0.0);
    let rounds = 200;
    for round in 0..rounds {
        let status = if round % 2 == 0 { "AWY" } else { "NLN" };
        let line = format!("CHG 1 {status}\r\n");
        let start = Clock::now();
        w.hub.handle_input(w.now, conn, line.as_bytes());
        fan_out += start.elapsed().as_secs_f64();
        let start = Clock::now();
        assert!(drain(&mut w.hub, w.now) > 600 * 30);
        writes += start.elapsed().as_secs_f64();
    }
    let per = |seconds: f64| seconds / f64::from(rounds) / 625.0 * 1e9;
    println!("{:.0} ns a watcher to tell, {:.0} ns to write", per(fan_out), per(writes));
}
