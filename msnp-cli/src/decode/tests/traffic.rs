//! Packets of connections that open, lose, repeat and end.

use std::net::Ipv4Addr;

use super::capture::{ACK, Capture, FIN, Faults, Flow, PSH, RST, SYN, packet, pcap_header};
use super::*;

const CLIENT: (Ipv4Addr, u16) = (Ipv4Addr::new(10, 0, 0, 1), 1025);
const SERVER: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 1), 1863);

/// A connection of which nothing has been seen.
fn flow() -> Flow {
    Flow { ends: [CLIENT, SERVER], next: [u32::MAX - 5, 7] }
}

/// Plays a script of packets: who sends, with which flags, what, and whether it is captured.
fn play(flow: &mut Flow, file: &mut Capture, script: &[(usize, u8, &str, bool)]) {
    for (side, flags, text, captured) in script {
        let packet = packet(flow, *side, *flags, text.as_bytes());
        let counted = text.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        flow.next[*side] = flow.next[*side].wrapping_add(counted);
        if *captured {
            file.record(&packet);
        }
    }
}

fn file() -> Capture {
    Capture::new(1, Faults::default())
}

const OPENING: [(usize, u8, &str, bool); 3] =
    [(0, SYN, "", true), (1, SYN | ACK, "", true), (0, ACK, "", true)];

#[test]
fn an_evening_is_read_whole() {
    let mut file = file();
    file.evening(5);
    let (out, ended, summary) = decode_as(Options::new(Form::Json), &file.file);
    assert_eq!(ended, Ok(()));
    let counts = (summary.commands, summary.connections, summary.unreadable, summary.missing);
    assert_eq!(counts, (file.commands, 3, 0, 0));
    let events = parsed(&out);
    for (number, server) in [(1, "dispatch"), (2, "notification"), (3, "switchboard")] {
        let of = |event: &&Value| event["connection"] == number && event["type"] == "command";
        assert!(events.iter().filter(of).all(|event| event["server"] == server), "{server}");
        assert!(events.iter().filter(of).count() > 5, "{server}");
    }
    let text = events.iter().find(|event| event["body"]["text"].is_string()).expect("a text");
    assert_eq!(text["body"]["format"]["font"], "MS Sans Serif");
    assert_eq!(text["t"].as_str().map(|t| &t[..16]), Some("2001-02-03T04:05"));
}

#[test]
fn late_and_repeated_packets_change_nothing() {
    let by_connection = |faults| {
        let mut file = Capture::new(3, faults);
        (0..4).for_each(|person| file.evening(person));
        file.settle();
        let mut lines: Vec<(u64, String)> = Vec::new();
        for event in events(&file.file) {
            if event["type"] == "command" {
                let from = event["from"].as_str().expect("a side");
                // How the two sides interleave is up to when their packets came.
                let stream = event["connection"].as_u64().expect("a number") * 2
                    + u64::from(from == "server");
                let mut event = event.clone();
                for name in ["seq", "t"] {
                    event[name] = Value::Null;
                }
                lines.push((stream, event.to_string()));
            }
        }
        lines.sort_by_key(|(stream, _)| *stream);
        lines
    };
    let clean = by_connection(Faults::default());
    let faulty = by_connection(Faults { late: 100, twice: 100, lost: 0 });
    for (clean, faulty) in clean.iter().zip(&faulty) {
        assert_eq!(clean, faulty);
    }
    assert_eq!(clean.len(), faulty.len());
}

#[test]
fn every_lost_byte_is_counted_and_what_is_left_is_read() {
    let mut file = Capture::new(11, Faults { late: 20, twice: 20, lost: 30 });
    (0..20).for_each(|person| file.evening(person));
    file.settle();
    let (out, ended, summary) = decode_as(Options::new(Form::Json), &file.file);
    assert_eq!(ended, Ok(()));
    assert!(file.lost > 1000, "{}", file.lost);
    assert_eq!(summary.missing, file.lost);
    // What a lost packet takes with it is itself and a command that it was a part of.
    assert!(summary.commands > file.commands * 9 / 10, "{} of {}", summary.commands, file.commands);
    parsed(&out);
}

#[test]
fn beginnings_and_ends_of_connections() {
    let sign_in =
        [(0, ACK | PSH, "ANS 1 a@b.c 1.2 3\r\n", true), (1, ACK | PSH, "ANS 1 OK\r\n", true)];
    let closing = [(0, ACK | FIN, "", true), (1, ACK | FIN, "", true), (0, ACK, "", true)];
    let read = ["1 opened", "1 switchboard C ANS 1", "1 switchboard S ANS 1"];
    let closed = "1 closed".to_owned();

    let mut whole = file();
    play(&mut flow(), &mut whole, &[&OPENING[..], &sign_in, &closing].concat());
    let with_end: Vec<String> = read.iter().map(|&line| line.to_owned()).chain([closed]).collect();
    assert_eq!(shown(&whole.file), with_end);

    // The last packets of a closed connection, and repeated ones, begin nothing.
    play(&mut flow(), &mut whole, &[&OPENING[..1], &sign_in[..0]].concat());
    let again = shown(&whole.file);
    assert_eq!(again[4..], ["2 opened", "2 closedthe input ends"]);

    for (name, script, expected) in [
        (
            "a reset",
            [&OPENING[..], &sign_in, &[(1, RST | ACK, "", true)]].concat(),
            vec!["1 closedreset"],
        ),
        ("no end", [&OPENING[..], &sign_in].concat(), vec!["1 closedthe input ends"]),
        (
            "only the answer to the SYN",
            [&OPENING[1..], &sign_in].concat(),
            vec!["1 closedthe input ends"],
        ),
        (
            "data with the SYN",
            [&[(0, SYN, "ANS 1 a@b.c 1.2 3\r\n", true)][..], &OPENING[1..], &sign_in[1..]].concat(),
            vec!["1 closedthe input ends"],
        ),
    ] {
        let mut file = file();
        play(&mut flow(), &mut file, &script);
        let expected: Vec<&str> = read.iter().copied().chain(expected).collect();
        assert_eq!(shown(&file.file), expected, "{name}");
    }
}

#[test]
fn the_same_ports_again_are_another_connection() {
    let mut file = file();
    let mut first = flow();
    play(&mut first, &mut file, &OPENING);
    play(&mut first, &mut file, &[(0, ACK, "ANS 1 a@b.c 1.2 3\r\nhalf", true)]);
    let mut second = Flow { ends: [CLIENT, SERVER], next: [1000, 2000] };
    play(&mut second, &mut file, &OPENING);
    play(&mut second, &mut file, &[(0, ACK, "USR 1 a@b.c 1.2\r\n", true)]);
    // A SYN that is repeated is the same.
    let repeated = Flow { ends: [CLIENT, SERVER], next: [1000, 2000] };
    file.record(&packet(&repeated, 0, SYN, b""));
    assert_eq!(
        shown(&file.file),
        [
            "1 opened",
            "1 switchboard C ANS 1",
            "1 switchboard C ? half",
            "1 closedthe same ports are used for another connection",
            "2 opened",
            "2 switchboard C USR 1",
            "2 closedthe input ends",
        ]
    );
}

#[test]
fn a_capture_that_begins_in_the_middle_finds_the_next_command() {
    for (first, swapped) in [(0, false), (1, false), (0, true)] {
        let mut file = file();
        let mut flow = flow();
        if swapped {
            // Ports of servers on both sides: the lower one is the server's.
            flow.ends[0].1 = 2000;
        }
        let script = [
            (0, ACK, "MSG 5 N 5\r\nhe", false),
            (first, ACK, "llo\r\n", true),
            (0, ACK, "MSG 6 N 2\r\nhi", true),
            (1, ACK, "ACK 6\r\n", true),
            (1, ACK, "", true),
        ];
        play(&mut flow, &mut file, &script);
        let side = if first == 0 { 'C' } else { 'S' };
        let mut options = Options::new(Form::Json);
        options.ports.push(2000);
        let (out, ended, _) = decode_as(options, &file.file);
        assert_eq!(ended, Ok(()));
        let events = parsed(&out);
        assert_eq!(events[0]["server_address"], "192.0.2.1:1863");
        let expected = [
            "1 opened midway".to_owned(),
            // What it would be, had it been whole, may be a secret.
            format!("1 switchboard {side} ? ***\r\n"),
            "1 switchboard C MSG 6".into(),
            "1 switchboard S ACK 6".into(),
            "1 closedthe input ends".into(),
        ];
        if !swapped {
            let mut shown = shown(&file.file);
            // Of which side something is read first is up to when it can be read.
            shown.sort_unstable();
            let mut expected = expected;
            expected.sort_unstable();
            assert_eq!(shown, expected);
        }
    }
}

#[test]
fn gaps_are_given_up_when_the_other_side_has_the_bytes() {
    let mut file = file();
    let mut flow = flow();
    play(&mut flow, &mut file, &OPENING);
    let lossy = [
        (0, ACK, "ANS 1 a@b.c 1.2 3\r\n", true),
        (1, ACK, "ANS 1 OK\r\n", false),
        (1, ACK, "JOI b@b.c B\r\n", true),
        (0, ACK, "", true),
    ];
    play(&mut flow, &mut file, &lossy);
    file.now += 300_000;
    let lossy_again = [
        (0, ACK, "MSG 2 N 2\r\nhi", true),
        (1, ACK, "MSG b@b.c B 4\r\nx", true),
        (1, ACK, "yz", false),
        (1, ACK, "!ACK 2\r\n", true),
        (0, ACK, "", true),
    ];
    play(&mut flow, &mut file, &lossy_again);
    file.now += 300_000;
    play(&mut flow, &mut file, &[(0, ACK, "OUT\r\n", true)]);
    assert_eq!(
        shown(&file.file),
        [
            "1 opened",
            "1 switchboard C ANS 1",
            "1 switchboard S gap 10",
            "1 switchboard S JOI",
            "1 switchboard C MSG 2",
            "1 switchboard S gap 2",
            "1 switchboard S MSG",
            "1 switchboard S ACK 2",
            "1 switchboard C OUT",
            "1 closedthe input ends",
        ]
    );
    let damaged = events(&file.file);
    let message = damaged.iter().find(|event| event["missing_bytes"] == 2).expect("the message");
    assert_eq!(message["body"]["bytes_b64"], "eAAAIQ==");
}

#[test]
fn packets_that_were_cut_fragments_and_unknown_links_are_told() {
    let mut file = file();
    let mut flow = flow();
    play(&mut flow, &mut file, &OPENING);
    let whole = packet(&flow, 0, ACK, b"ANS 1 a@b.c 1.2 3\r\nMSG 2 N 5\r\nhello");
    file.record(&whole[..whole.len() - 3]);
    flow.next[0] = flow.next[0].wrapping_add(35);
    let mut fragment = packet(&flow, 0, ACK, b"OUT\r\n");
    fragment[20] = 0x20;
    file.record(&fragment);
    file.record(&fragment);
    file.record(&fragment[..20]);
    assert_eq!(
        shown(&file.file),
        [
            "1 opened",
            "1 switchboard C ANS 1",
            "1 switchboard C gap 3",
            "1 switchboard C MSG 2",
            "packets were captured in part only; what is missing is said where it is",
            "fragments of IP packets are not put together; bytes may be missing",
            "packets with broken headers are passed over",
            "1 closedthe input ends",
        ]
    );
    let mut other = pcap_header(127);
    other.extend_from_slice(&file.file[24..]);
    assert_eq!(shown(&other), ["packets of link type 127 cannot be read"]);
    let (_, _, summary) = decode_as(Options::new(Form::Json), &other);
    assert_eq!((summary.packets, summary.bad_packets), (7, 7));
}

#[test]
fn bytes_that_come_again_and_differ_are_told_and_the_first_stay() {
    let mut file = file();
    let mut flow = flow();
    play(&mut flow, &mut file, &OPENING);
    let start = flow.next[0];
    for (behind, text) in [(4, "1 a@b.c 1.2 3\r\n"), (2, "S 2 x"), (0, "AN")] {
        flow.next[0] = start.wrapping_add(behind);
        file.record(&packet(&flow, 0, ACK, text.as_bytes()));
    }
    let all = shown(&file.file);
    assert_eq!(all[1..3], ["1 switchboard C conflict 2", "1 switchboard C ANS 1"]);
}

#[test]
fn more_connections_than_are_followed_forget_the_oldest() {
    let mut file = file();
    let count = connections::CONNECTIONS + 50;
    for number in 0..count {
        let mut flow = flow();
        flow.ends[0] = (Ipv4Addr::from(number as u32), 1025);
        file.record(&packet(&flow, 0, SYN, b""));
    }
    let events = events(&file.file);
    let forgotten: Vec<&Value> = events
        .iter()
        .filter(|event| event["reason"].as_str().is_some_and(|why| why.starts_with("too many")))
        .map(|event| &event["connection"])
        .collect();
    assert_eq!(forgotten, (1..=50).collect::<Vec<_>>());
}

#[test]
fn no_prefix_of_a_capture_is_more_than_an_early_end() {
    let mut file = file();
    let mut flow = flow();
    play(&mut flow, &mut file, &OPENING);
    play(&mut flow, &mut file, &[(0, ACK, "ANS 1 a@b.c 1.2 3\r\n", true)]);
    let (mut whole, mut early) = (0, 0);
    for len in 24..file.file.len() {
        let (out, ended, summary) = decode_as(Options::new(Form::Json), &file.file[..len]);
        parsed(&out);
        match ended {
            Ok(()) => whole += 1,
            Err(BadInput(text)) => {
                assert!(text.starts_with("the file ends within a record, "), "{text}");
                early += 1;
            }
        }
        assert!(summary.packets <= 3);
    }
    assert_eq!((whole, early), (4, file.file.len() - 28));
}
