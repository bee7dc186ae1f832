//! How fast the wire is cut, read and written.
//!
//! `cargo bench -p msnp-proto` prints the figures. What they should be: cutting at a third of the
//! speed of a bare search for line ends or better, and 100 ns or less for a typed command.

mod support;

use std::hint::black_box;

use memchr::memchr;
use msnp_proto::wire::{FrameDecoder, Inbox, Incoming, Parsed};
use msnp_proto::{ns, sb};
use support::{Job, measure, print_speeds, print_times};

/// What arrives in one read.
const CHUNK: usize = 16 * 1024;

fn push_message(out: &mut Vec<u8>, from: &str, body: &str) {
    out.extend_from_slice(format!("MSG {from} {}\r\n{body}", body.len()).as_bytes());
}

fn contact(number: usize) -> String {
    let names = ["alice", "bob", "carol.miller", "dave_1979", "eve"];
    format!("{}{number}@example.{}", names[number % names.len()], ["net", "org"][number % 2])
}

fn name(number: usize) -> &'static str {
    const NAMES: [&str; 5] =
        ["Alice%20in%20W.", "Bob", "Carol%20%C3%A9t%C3%A9", "-=(Dave)=-%20at%20work", "eve"];
    NAMES[number % NAMES.len()]
}

/// The dump of lists that follows SYN, for one account.
fn push_dump(out: &mut Vec<u8>, contacts: usize) -> usize {
    let before = out.len();
    let mut lines = 3;
    out.extend_from_slice(b"SYN 8 12182\r\nGTC 8 12182 A\r\nBLP 8 12182 AL\r\n");
    for key in ["PHH 555%200100", "PHW", "PHM", "MOB N", "MBE N"] {
        out.extend_from_slice(format!("PRP 8 12182 {key}\r\n").as_bytes());
        lines += 1;
    }
    out.extend_from_slice(b"LSG 8 12182 1 2 0 Other%20Contacts 0\r\n");
    out.extend_from_slice(b"LSG 8 12182 2 2 5 Friends 0\r\n");
    lines += 2;
    for list in ["FL", "AL", "RL"] {
        for index in 1..=contacts {
            let (who, name) = (contact(index), name(index));
            let groups = if list == "FL" { " 0,5" } else { "" };
            let line = format!("LST 8 {list} 12182 {index} {contacts} {who} {name}{groups}\r\n");
            out.extend_from_slice(line.as_bytes());
            lines += 1;
            if list == "FL" {
                for key in ["PHH 555%200101", "PHW", "PHM", "MOB N"] {
                    out.extend_from_slice(format!("BPR 12182 {who} {key}\r\n").as_bytes());
                    lines += 1;
                }
            }
        }
    }
    out.extend_from_slice(b"LST 8 BL 12182 0 0\r\n");
    assert!(out.len() > before);
    lines + 1
}

/// About four megabytes of what a notification server says: dumps of lists, presence, profiles
/// and mail notices.
fn notification_stream() -> Vec<u8> {
    let profile = "MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsprofile; charset=UTF-8\r\n\
        LoginTime: 1795346968\r\nEmailEnabled: 0\r\nMemberIdHigh: 835654840\r\n\
        MemberIdLow: 14416377\r\nlang_preference: 1033\r\npreferredEmail:\r\ncountry:\r\n\
        PostalCode:\r\nGender:\r\nKid: 0\r\nAge:\r\nFlags: 536872513\r\nsid: 507\r\n\
        ClientIP: 192.0.2.1\r\nClientPort: 34619\r\n\r\n";
    let mail = "MIME-Version: 1.0\r\n\
        Content-Type: text/x-msmsgsemailnotification; charset=UTF-8\r\n\r\nFrom: Bob\r\n\
        Message-URL: /cgi-bin/HoTMaiL\r\nSubject: Hello\r\nDest-Folder: ACTIVE\r\n\
        From-Addr: bob@example.net\r\nid: 2\r\n";
    let mut out = Vec::new();
    while out.len() < 4 << 20 {
        out.extend_from_slice(b"VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0\r\nINF 2 MD5\r\n");
        out.extend_from_slice(b"USR 3 MD5 S 1700000000.123456789\r\n");
        out.extend_from_slice(b"USR 4 OK alice@example.net Alice%20A 1\r\n");
        push_message(&mut out, "Hotmail Hotmail", profile);
        push_dump(&mut out, 50);
        for number in 0..50 {
            let (who, name) = (contact(number), name(number));
            out.extend_from_slice(format!("ILN 9 AWY {who} {name}\r\n").as_bytes());
        }
        out.extend_from_slice(b"CHL 0 20881396011366812350\r\nQRY 18\r\n");
        for number in 0..150 {
            let (who, name) = (contact(number), name(number));
            let line = match number % 3 {
                0 => format!("NLN NLN {who} {name}\r\n"),
                1 => format!("NLN BSY {who} {name}\r\n"),
                _ => format!("FLN {who}\r\n"),
            };
            out.extend_from_slice(line.as_bytes());
            if number % 10 == 0 {
                out.extend_from_slice(b"QNG\r\n");
                push_message(&mut out, "Hotmail Hotmail", mail);
            }
        }
    }
    out
}

/// Texts and typing notices, as in any chat.
fn push_chat(out: &mut Vec<u8>, number: usize) {
    let from = format!("{} {}", contact(number), name(number));
    let typing = format!(
        "MIME-Version: 1.0\r\nContent-Type: text/x-msmsgscontrol\r\nTypingUser: {}\r\n\r\n\r\n",
        contact(number)
    );
    let text = format!(
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n\
        X-MMS-IM-Format: FN=Microsoft%20Sans%20Serif; EF=; CO=0; CS=0; PF=22\r\n\r\n{}",
        "Did you see the new one? ".repeat(1 + number % 5)
    );
    push_message(out, &from, &typing);
    push_message(out, &from, &text);
}

/// About four megabytes of what a switchboard says.
fn switchboard_stream() -> Vec<u8> {
    let mut out = Vec::new();
    let mut number = 0;
    while out.len() < 4 << 20 {
        if number % 40 == 0 {
            out.extend_from_slice(b"IRO 1 1 1 alice@example.net Alice%20A\r\nANS 1 OK\r\n");
            out.extend_from_slice(b"JOI carol@example.net Carol\r\nBYE carol@example.net\r\n");
        }
        push_chat(&mut out, number);
        out.extend_from_slice(format!("ACK {}\r\n", number + 2).as_bytes());
        number += 1;
    }
    out
}

/// The baseline: how many line ends there are, looking at every byte.
fn line_ends(mut bytes: &[u8]) -> u64 {
    let mut count = 0;
    while let Some(end) = memchr(b'\n', bytes) {
        count += 1;
        bytes = &bytes[end + 1..];
    }
    count
}

/// Cuts a stream that comes in chunks; gives the number of frames.
fn cut(decoder: &FrameDecoder, stream: &[u8], chunk: usize) -> u64 {
    let mut inbox = Inbox::new(decoder.clone());
    let mut frames = 0;
    for mut input in stream.chunks(chunk) {
        while let Some(incoming) = inbox.next(&mut input).expect("the stream is sound") {
            frames += u64::from(matches!(black_box(incoming), Incoming::Frame(_)));
        }
    }
    assert!(inbox.is_between_frames());
    frames
}

/// Cuts and reads a stream; gives the number of commands, which is that of the frames.
macro_rules! cut_and_read {
    ($Command:ty, $decoder:expr, $stream:expr, $chunk:expr) => {{
        let mut inbox = Inbox::new($decoder.clone());
        let mut commands = 0;
        for mut input in $stream.chunks($chunk) {
            while let Some(incoming) = inbox.next(&mut input).expect("the stream is sound") {
                let Incoming::Frame(frame) = incoming else { panic!("nothing is over a limit") };
                match <$Command>::parse(frame).expect("the command is sound") {
                    Parsed::Command(command, _) => {
                        black_box(command);
                        commands += 1;
                    }
                    Parsed::Unknown(_) => panic!("all verbs are known"),
                }
            }
        }
        commands
    }};
}

fn compare_with_line_scan() {
    let notification = notification_stream();
    let switchboard = switchboard_stream();
    for (title, decoder, stream) in [
        (
            "cutting what a notification server says",
            FrameDecoder::notification_client(Default::default()),
            &notification,
        ),
        (
            "cutting what a switchboard says",
            FrameDecoder::switchboard_client(Default::default()),
            &switchboard,
        ),
    ] {
        let frames = cut(&decoder, stream, stream.len());
        assert_eq!(frames, cut(&decoder, stream, CHUNK), "chunks change nothing");
        assert_eq!(frames, cut(&decoder, stream, 1), "chunks change nothing");
        let title = format!("{title}, {frames} frames");
        let figures = measure(vec![
            Job::new("search for line ends alone", stream.len(), || line_ends(stream)),
            Job::new("cut, in one piece", stream.len(), || cut(&decoder, stream, stream.len())),
            Job::new("cut, 16 KiB at a time", stream.len(), || cut(&decoder, stream, CHUNK)),
            Job::new("cut, 100 bytes at a time", stream.len(), || cut(&decoder, stream, 100)),
        ]);
        print_speeds(&title, &figures);
    }
}

fn time_commands() {
    let client = FrameDecoder::notification_client(Default::default());
    let chat = FrameDecoder::switchboard_client(Default::default());

    let mut dump = Vec::new();
    let dump_lines = push_dump(&mut dump, 200);
    let mut presence = Vec::new();
    for number in 0..1000 {
        presence.extend_from_slice(
            format!("NLN NLN {} {}\r\n", contact(number), name(number)).as_bytes(),
        );
    }
    let mut calls = Vec::new();
    for number in 0..1000 {
        calls.extend_from_slice(
            format!(
                "RNG 11752013 192.0.2.20:1863 CKI 849102291.1700000000 {} {}\r\n",
                contact(number),
                name(number)
            )
            .as_bytes(),
        );
    }
    let mut messages = Vec::new();
    for number in 0..500 {
        push_chat(&mut messages, number);
    }
    let acknowledgements: Vec<u8> =
        (0..1000).flat_map(|number| format!("ACK {number}\r\n").into_bytes()).collect();

    let read_ns = |stream: &[u8]| -> u64 { cut_and_read!(ns::Reply<'_>, client, stream, CHUNK) };
    let read_sb = |stream: &[u8]| -> u64 { cut_and_read!(sb::Reply<'_>, chat, stream, CHUNK) };
    assert_eq!(read_ns(&dump), dump_lines as u64);

    let figures = measure(vec![
        Job::new("search for line ends alone, SYN dump", dump_lines, || line_ends(&dump)),
        Job::new("lines of a SYN dump", dump_lines, || read_ns(&dump)),
        Job::new("NLN", 1000, || read_ns(&presence)),
        Job::new("RNG", 1000, || read_ns(&calls)),
        Job::new("MSG with its payload", 1000, || read_sb(&messages)),
        Job::new("ACK", 1000, || read_sb(&acknowledgements)),
    ]);
    print_times("cutting and reading one command", &figures);
}

fn time_encoding() {
    let handle = msnp_proto::types::Handle::new("carol.miller@example.net").expect("a handle");
    let nick = msnp_proto::types::Nick::new("Carol été at work").expect("a name");
    let body = vec![b'x'; 150];
    let status = msnp_proto::types::Status::Online.into();
    let online = ns::Reply::Nln { status, account: (&handle).into(), name: Some((&nick).into()) };
    let entry = ns::Reply::Lst {
        trid: 8.into(),
        list: msnp_proto::types::List::Forward,
        version: 12182.into(),
        index: 17.into(),
        total: 200.into(),
        account: (&handle).into(),
        name: Some((&nick).into()),
        groups: Some(msnp_proto::types::Groups::new(&[])),
    };
    let message = sb::Request::Msg {
        trid: 12.into(),
        delivery: msnp_proto::types::Delivery::Always,
        body: msnp_proto::wire::Body(&body),
    };
    let mut out = Vec::with_capacity(1 << 20);
    let mut encode = |command: &dyn Fn(&mut Vec<u8>)| {
        out.clear();
        for _ in 0..1000 {
            command(&mut out);
        }
        out.len() as u64
    };
    let encode = std::cell::RefCell::new(&mut encode);
    let figures = measure(vec![
        Job::new("NLN", 1000, || encode.borrow_mut()(&|out| online.encode(out))),
        Job::new("LST", 1000, || encode.borrow_mut()(&|out| entry.encode(out))),
        Job::new("MSG with 150 bytes", 1000, || encode.borrow_mut()(&|out| message.encode(out))),
    ]);
    print_times("writing one command", &figures);
}

fn main() {
    compare_with_line_scan();
    time_commands();
    time_encoding();
}
