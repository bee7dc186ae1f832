//! The driver in memory: what it does for a host that keeps the contract, and that it finds out
//! every host that does not.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use msnp_proto::machine::{Closed, ConnId, Host, ListenerId, Output, Shutdown, Target};
use msnp_proto::testing::{Chunking, Driver};
use msnp_proto::time::{Duration, Instant};

const CONN: ConnId = ConnId::new(0, 1);
const LISTENER: ListenerId = ListenerId(4);

/// A host that says back what it hears, and does one thing wrong if it is told to.
#[derive(Default)]
struct Echo {
    outputs: VecDeque<Output<String>>,
    pending: BTreeMap<ConnId, Vec<u8>>,
    accepted: u32,
    deadline: Option<Instant>,
    full: bool,
    wrong: Option<Wrong>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    AnswersTheDead,
    KeepsBytesOfTheDead,
    ReportsEarly,
    MovesEarly,
    StaysDue,
}

impl Echo {
    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }

    fn tell(&mut self, event: impl Into<String>) {
        self.outputs.push_back(Output::Event(event.into()));
    }

    fn ask(&mut self, output: Output<String>) {
        if let Output::Connect { conn, .. } = &output {
            self.pending.insert(*conn, Vec::new());
        }
        self.outputs.push_back(output);
    }
}

impl Host for Echo {
    type Event = String;

    fn handle_connected(&mut self, _: Instant, conn: ConnId) {
        if self.pending.contains_key(&conn) {
            self.tell("connected");
        }
    }
    fn handle_closed(&mut self, _: Instant, conn: ConnId, why: Closed) {
        if !self.is(Wrong::KeepsBytesOfTheDead) && self.pending.remove(&conn).is_some() {
            self.tell(format!("closed: {why}"));
        }
    }
    fn handle_listening(&mut self, _: Instant, _: ListenerId, local: SocketAddr) {
        self.tell(format!("listening at {local}"));
    }
    fn handle_accepted(&mut self, _: Instant, _: ListenerId, peer: SocketAddr) -> Option<ConnId> {
        if peer.port() == 9 {
            return None;
        }
        self.accepted += 1;
        let conn = ConnId::new(self.accepted, 1);
        self.pending.insert(conn, Vec::new());
        Some(conn)
    }
    fn handle_unlistened(&mut self, _: Instant, _: ListenerId, _: Closed) {}
    fn handle_input(&mut self, _: Instant, conn: ConnId, bytes: &[u8]) {
        if let Some(pending) = self.pending.get_mut(&conn) {
            pending.extend_from_slice(bytes);
            self.outputs.push_back(Output::Transmit { conn });
        } else if self.is(Wrong::AnswersTheDead) {
            self.tell("somebody there?");
        }
    }
    fn handle_eof(&mut self, _: Instant, conn: ConnId) {
        if self.pending.contains_key(&conn) {
            self.ask(Output::Close { conn, how: Shutdown::Flush });
        }
    }
    fn handle_timeout(&mut self, now: Instant) {
        let Some(due) = self.deadline else { return };
        match self.wrong {
            Some(Wrong::ReportsEarly) if now < due => self.tell("soon"),
            Some(Wrong::MovesEarly) if now < due => self.deadline = Some(due + SECOND),
            Some(Wrong::StaysDue) => {}
            _ if now < due => {}
            _ => {
                self.deadline = None;
                self.tell("due");
            }
        }
    }
    fn next_deadline(&self) -> Option<Instant> {
        self.deadline
    }
    fn pending(&self, conn: ConnId) -> &[u8] {
        self.pending.get(&conn).map(|pending| &**pending).unwrap_or_default()
    }
    fn consume(&mut self, _: Instant, conn: ConnId, written: usize) {
        if let Some(pending) = self.pending.get_mut(&conn) {
            pending.drain(..written);
        }
    }
    fn wants_read(&self, _: ConnId) -> bool {
        !self.full
    }
    fn poll_output(&mut self) -> Option<Output<String>> {
        self.outputs.pop_front()
    }
}

const SECOND: Duration = Duration::from_secs(1);

fn connect() -> Output<String> {
    Output::Connect { conn: CONN, to: Target { host: "host".into(), port: 1863 } }
}

fn listen() -> Output<String> {
    Output::Listen { listener: LISTENER, at: address(1863) }
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], port))
}

/// A driver whose host has asked for a connection.
fn asked(chunking: Chunking) -> Driver<Echo> {
    let mut driver = Driver::new(Echo::default(), chunking);
    driver.tell(|echo, _| echo.ask(connect()));
    driver
}

/// A driver whose host has a connection.
fn open(chunking: Chunking) -> Driver<Echo> {
    let mut driver = asked(chunking);
    driver.connected(0);
    driver.events.clear();
    driver
}

#[test]
fn a_connection_is_asked_for_opened_used_and_closed() {
    let mut driver = asked(Chunking::Whole);
    assert!(driver.is_asked(0));
    assert_eq!((driver.connections(), driver.open(), driver.id(0)), (1, 1, Some(CONN)));
    driver.input(0, b"too early");
    assert_eq!(driver.received(0), 0);
    driver.connected(0);
    assert!(!driver.is_asked(0));
    driver.input(0, b"hello");
    assert_eq!((driver.sent(0), driver.received(0)), (&b"hello"[..], 5));
    driver.close(0, Closed::Reset);
    driver.close(0, Closed::Reset);
    assert_eq!((driver.open(), driver.connections()), (0, 1));
    assert_eq!(driver.events, ["connected", "closed: connection reset"]);
    driver.input(0, b"too late");
    driver.call_late(0);
    driver.call_late(1);
    assert_eq!(driver.received(0), 5);
    assert!(format!("{driver:?}").contains("1863"), "{driver:?}");
}

#[test]
fn sockets_take_people_in_until_they_are_closed() {
    let mut driver = Driver::new(Echo::default(), Chunking::Whole);
    driver.tell(|echo, _| echo.ask(listen()));
    driver.listening(0, address(1863));
    assert_eq!(driver.events, ["listening at 192.0.2.1:1863"]);
    assert_eq!(driver.accept(0, address(7)), Some(0));
    assert_eq!(driver.accept(0, address(9)), None, "turned away by the host");
    driver.tell(|echo, _| echo.ask(Output::Unlisten { listener: LISTENER }));
    assert_eq!(driver.accept(0, address(8)), None);
    driver.listening(0, address(1863));
    assert_eq!((driver.events.len(), driver.connections()), (1, 1));
    driver.input(0, b"still here");
    assert_eq!(driver.sent(0), b"still here");
}

#[test]
fn what_arrives_is_cut_and_waits_while_the_host_is_full() {
    let mut driver = open(Chunking::Every(1));
    driver.host.full = true;
    driver.input(0, b"abc");
    assert_eq!((driver.received(0), driver.has_waited()), (0, true));
    driver.tell(|echo, _| echo.full = false);
    assert_eq!((driver.sent(0), driver.received(0)), (&b"abc"[..], 3));
}

#[test]
fn a_peer_that_reads_nothing_gets_nothing_until_it_goes_on() {
    let mut driver = open(Chunking::Whole);
    driver.stall(0, true);
    driver.input(0, b"abcdef");
    assert_eq!((driver.sent(0), driver.pending(0)), (&b""[..], &b"abcdef"[..]));
    driver.write_some(0, 2);
    driver.input(0, b"g");
    assert_eq!((driver.sent(0), driver.pending(0)), (&b"ab"[..], &b"cdefg"[..]));
    driver.stall(0, false);
    assert_eq!((driver.sent(0), driver.pending(0)), (&b"abcdefg"[..], &b""[..]));
}

#[test]
fn a_close_that_flushes_waits_for_the_bytes_and_an_abort_does_not() {
    for (how, written) in [(Shutdown::Flush, &b"bye"[..]), (Shutdown::Abort, b"")] {
        let mut driver = open(Chunking::Whole);
        driver.stall(0, true);
        driver.input(0, b"bye");
        driver.tell(|echo, _| echo.ask(Output::Close { conn: CONN, how }));
        assert_eq!(driver.open() == 1, how == Shutdown::Flush);
        driver.stall(0, false);
        assert_eq!((driver.sent(0), driver.open()), (written, 0));
    }
}

#[test]
fn the_end_of_the_stream_is_told_once_and_nothing_comes_after_it() {
    let mut driver = open(Chunking::Whole);
    driver.stall(0, true);
    driver.input(0, b"last");
    driver.eof(0);
    driver.eof(0);
    driver.input(0, b"more");
    driver.stall(0, false);
    assert_eq!((driver.sent(0), driver.received(0), driver.open()), (&b"last"[..], 4, 0));
}

#[test]
fn time_stops_at_each_deadline() {
    let mut driver = Driver::new(Echo::default(), Chunking::Whole);
    driver.host.deadline = Some(Instant::ZERO + SECOND);
    driver.wait(Duration::from_micros(999_999));
    assert_eq!(driver.events, [""; 0]);
    driver.wait(SECOND);
    assert_eq!(driver.events, ["due"]);
    assert_eq!(driver.now(), Instant::from_micros(1_999_999));
}

#[test]
fn a_lazy_driver_takes_outputs_when_time_goes_by_or_somebody_new_is_meant() {
    let mut driver = Driver::new(Echo::default(), Chunking::Whole).lazy();
    driver.tell(|echo, _| echo.ask(connect()));
    assert_eq!(driver.connections(), 0);
    driver.connected(0);
    assert_eq!((driver.connections(), driver.events.len()), (1, 0));
    driver.input(0, b"written at once");
    assert_eq!(driver.sent(0), b"written at once");
    driver.wait(SECOND);
    assert_eq!(driver.events, ["connected"]);
}

/// What a driver says of a host that does this.
fn fault(act: impl FnOnce(&mut Driver<Echo>)) -> String {
    let mut driver = open(Chunking::Whole);
    let said = catch_unwind(AssertUnwindSafe(|| act(&mut driver)));
    let said = said.expect_err("a host that breaks the contract is found out");
    match said.downcast::<String>() {
        Ok(text) => *text,
        Err(said) => said.downcast::<&str>().map(|text| text.to_string()).unwrap_or_default(),
    }
}

#[test]
fn a_host_that_asks_for_what_cannot_be_is_found_out() {
    let never = ConnId::new(77, 1);
    let nowhere = |host: &str, port| Output::Connect {
        conn: ConnId::new(5, 1),
        to: Target { host: host.into(), port },
    };
    let close = |conn| Output::Close { conn, how: Shutdown::Abort };
    let unlisten = || Output::Unlisten { listener: LISTENER };
    for (outputs, said) in [
        (vec![nowhere("", 1863)], "is nowhere"),
        (vec![nowhere("host", 0)], "is nowhere"),
        (vec![connect()], "is given out again"),
        (vec![listen(), listen()], "is given out again"),
        (vec![unlisten()], "the socket was asked for"),
        (vec![listen(), unlisten(), unlisten()], "is closed twice"),
        (vec![Output::Transmit { conn: never }], "never was"),
        (vec![close(never)], "the connection was there"),
        (vec![close(CONN), close(CONN)], "is closed twice"),
    ] {
        let shown = format!("{outputs:?}");
        let heard = fault(|driver| driver.tell(|echo, _| echo.outputs.extend(outputs)));
        assert!(heard.contains(said), "{shown}: {heard}");
    }
}

#[test]
fn a_host_that_takes_back_bytes_or_keeps_those_of_the_dead_is_found_out() {
    let heard = fault(|driver| {
        driver.stall(0, true);
        driver.input(0, b"abc");
        driver.tell(|echo, _| echo.pending.insert(CONN, b"xbc".to_vec()));
    });
    assert!(heard.contains("what was pending is another"), "{heard}");
    let heard = fault(|driver| {
        driver.host.wrong = Some(Wrong::KeepsBytesOfTheDead);
        driver.stall(0, true);
        driver.input(0, b"abc");
        driver.close(0, Closed::Reset);
    });
    assert!(heard.contains("is gone and has bytes pending"), "{heard}");
}

#[test]
fn a_host_that_acts_for_the_dead_or_by_the_wrong_clock_is_found_out() {
    for (wrong, said) in [
        (Wrong::AnswersTheDead, "a call with a dead id had consequences"),
        (Wrong::ReportsEarly, "early timeout reported"),
        (Wrong::MovesEarly, "early timeout moved the deadline"),
        (Wrong::StaysDue, "is still due after a timeout"),
    ] {
        let heard = fault(|driver| {
            driver.host.wrong = Some(wrong);
            driver.host.deadline = Some(driver.now() + SECOND);
            driver.call_late(0);
            driver.close(0, Closed::Reset);
            driver.call_late(0);
            driver.wait(SECOND);
        });
        assert!(heard.contains(said), "{said}: {heard}");
    }
}
