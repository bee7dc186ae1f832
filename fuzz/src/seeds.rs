//! What fuzzing begins with: inputs for every target from all transcripts and cases, and a
//! dictionary from the tables of verbs.

use std::collections::{BTreeMap, BTreeSet};

use msnp_proto::testing::case::Place;
use msnp_proto::testing::library::Seed;
use msnp_proto::testing::{Dialogue, OwnedFrame, Role, SeededEntropy, What, library};
use msnp_proto::transcript::{Side, Transcript};
use msnp_proto::types::{Delivery, Dialect, List, OnOff, Privacy, Prompt, Property, Status};
use msnp_proto::{ns, sb};

use crate::script::TRID;

/// Inputs by target, each with a name that says where it is from.
pub type Seeds = BTreeMap<&'static str, BTreeMap<String, Vec<u8>>>;

/// The inputs of all targets.
#[must_use]
pub fn seeds() -> Seeds {
    let mut seeds = Seeds::new();
    for (name, text) in library::ALL {
        let transcript = library::transcript(name);
        let dialogues = Dialogue::all(&transcript).expect("the library knows its roles");
        let mut add = |target, part: &str, bytes| {
            seeds.entry(target).or_default().insert(format!("{name}{part}"), bytes);
        };
        add("transcripts", "", text.as_bytes().to_vec());
        add("client", "", client(&dialogues));
        add("hub", "", hub(&dialogues));
        add("captures", "-text", [&[0, 60, 1, 0, 0][..], text.as_bytes()].concat());
        add("captures", "", packets(&dialogues));
        streams(&transcript, &dialogues, &mut add);
    }
    for (case, number) in library::cases().zip(0..) {
        let name = format!("case-{number}");
        let mut add = |target, bytes| {
            seeds.entry(target).or_default().insert(name.clone(), bytes);
        };
        let (target, decoder) = family(case.place.role(), case.place.peer());
        add("frames", [&[decoder, 4, 1, 7][..], &case.bytes].concat());
        add(target, case.bytes.clone());
        if case.bytes.len() < 4096 {
            let target = if case.place.is_client() { "client" } else { "hub" };
            add(target, in_place(&case));
        }
    }
    for (number, shape) in (0..=u8::MAX).enumerate() {
        let input = [&[shape][..], b"\x07\x03\x05words\x0fbob@example.net\x04name"].concat();
        seeds.entry("values").or_default().insert(format!("shape-{number}"), input);
    }
    for (number, file) in CAPTURES.iter().enumerate() {
        let input = [&[number as u8, 60, 1, 0, 0][..], file].concat();
        seeds.entry("captures").or_default().insert(format!("file-{number}"), input);
    }
    for (number, input) in FILES.iter().enumerate() {
        seeds.entry("files").or_default().insert(format!("files-{number}"), input.to_vec());
    }
    for (number, invitation) in INVITATIONS.iter().enumerate() {
        let head = "MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsinvite; charset=UTF-8\r\n\r\n";
        let payload = [head.as_bytes(), invitation.as_bytes(), b"\r\n"].concat();
        let input = [&[3][..], &payload].concat();
        seeds.entry("files").or_default().insert(format!("invitation-{number}"), input);
        seeds.entry("bodies").or_default().insert(format!("invitation-{number}"), payload);
    }
    for (number, script) in SCRIPTS.iter().enumerate() {
        let input = script.as_bytes().to_vec();
        seeds.entry("scripts").or_default().insert(format!("script-{number}"), input);
    }
    for seed in 0..16 {
        let mut random = SeededEntropy::new(seed);
        let bytes = (0..240).map(|_| random.next_u64() as u8).collect();
        seeds.entry("storm").or_default().insert(format!("seed-{seed}"), bytes);
    }
    seeds
}

/// What each side said as streams, and the payloads and words in it.
fn streams(
    transcript: &Transcript,
    dialogues: &[Dialogue],
    add: &mut impl FnMut(&'static str, &str, Vec<u8>),
) {
    let mut words = BTreeSet::new();
    for (dialogue, place) in dialogues.iter().zip(0..) {
        for side in [Side::Client, Side::Server] {
            let said = transcript.bytes(dialogue.name.as_deref(), side);
            let (target, decoder) = family(dialogue.role, side);
            let part = format!("-{place}-{}", if side == Side::Client { "c" } else { "s" });
            add("frames", &part, [&[decoder, 4, 1, place][..], &said].concat());
            add(target, &part, said);
        }
        for (frame, number) in frames(dialogue).zip(0..) {
            words.extend(frame.frame().words().map(<[u8]>::to_vec));
            let Some(payload) = frame.frame().payload() else { continue };
            let part = format!("-{place}-{number}");
            add("bodies", &part, payload.to_vec());
            let header = payload.split(|byte| *byte == b'\n').find_map(|line| {
                line.strip_prefix(b"X-MMS-IM-Format: ").filter(|value| value.len() < 256)
            });
            if let Some(format) = header {
                let body = payload.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
                let head = [&[0, 0, 255, 5][..], b"Arial", b"BI", &[0, 22, 0]].concat();
                let input = [&head[..], &[format.len() as u8], format, body].concat();
                add("texts", &part, input);
            }
        }
    }
    for (word, number) in words.into_iter().zip(0..) {
        add("leaves", &format!("-{number}"), word);
    }
}

/// The target of what one side says, and its decoder's number in [`frames`](crate::wire::frames).
const fn family(role: Role, side: Side) -> (&'static str, u8) {
    match (role, side) {
        (Role::Switchboard, Side::Server) => ("sb_replies", 2),
        (Role::Switchboard, Side::Client) => ("sb_requests", 3),
        (_, Side::Server) => ("ns_replies", 0),
        (_, Side::Client) => ("ns_requests", 1),
    }
}

/// Operations that bring the client or the hub to the place of a case, and what is said there.
fn in_place(case: &Seed) -> Vec<u8> {
    let mut ops = if case.place.is_client() { vec![4, 1] } else { vec![0, 1] };
    let door = b"VER \x01 MSNP7 CVR0\r\nINF \x01 MD5\r\nUSR \x01 MD5 S 1.2\r\n";
    let online = b"USR \x01 OK alice@example.net Alice 1\r\nSYN \x01 0\r\nCHG \x01 NLN\r\n";
    let (op, at) = match case.place {
        Place::ClientSigningIn => (2, 0),
        Place::ClientSyncing => {
            say(&mut ops, 2, 0, door);
            say(&mut ops, 2, 0, b"USR \x01 OK alice@example.net Alice 1\r\n");
            (2, 0)
        }
        Place::ClientOnline | Place::ClientEntering | Place::ClientChat => {
            say(&mut ops, 2, 0, door);
            say(&mut ops, 2, 0, online);
            if case.place != Place::ClientOnline {
                ops.extend([17, 1, 1, 2]);
                say(&mut ops, 2, 0, b"XFR \x01 SB 192.0.2.2:1863 CKI 1.2\r\n");
            }
            if case.place == Place::ClientChat {
                say(&mut ops, 2, 1, b"USR \x01 OK alice@example.net Alice\r\n");
                say(&mut ops, 2, 1, b"CAL \x01 RINGING 7\r\nJOI bob@example.net Bob\r\n");
            }
            (2, u8::from(case.place != Place::ClientOnline))
        }
        Place::ClientAnswering => {
            say(&mut ops, 2, 0, door);
            say(&mut ops, 2, 0, online);
            say(&mut ops, 2, 0, b"RNG 7 192.0.2.2:1863 CKI 1.2 bob@example.net Bob\r\n");
            (2, 1)
        }
        Place::HubDoor => {
            ops.extend([0, 1, 0]);
            (3, 0)
        }
        Place::HubKnocking => {
            ops.extend([0, 2, 0]);
            (3, 0)
        }
        Place::HubOnline | Place::HubChat => {
            // Alice signs in; Bob too if she is to have somebody to talk to.
            ops.extend([2, 58, 0]);
            if case.place == Place::HubOnline {
                (3, 0)
            } else {
                ops.extend([2, 58, 1]);
                say(&mut ops, 3, 0, b"XFR 7 SB\r\n");
                ops.extend([2, 7, 0]);
                say(&mut ops, 3, 2, b"CAL 2 \x05\r\n");
                ops.extend([2, 1, 1]);
                (3, 2)
            }
        }
    };
    say(&mut ops, op, at, &case.bytes);
    ops
}

fn frames(dialogue: &Dialogue) -> impl Iterator<Item = &OwnedFrame> {
    dialogue.steps.iter().filter_map(|step| match &step.what {
        What::Frame(frame) => Some(frame),
        _ => None,
    })
}

/// Everything that was said on all connections, in the order of the transcript: the connection,
/// the side, and what was done.
fn steps(dialogues: &[Dialogue]) -> Vec<(u8, Side, &What)> {
    let mut all: Vec<_> = dialogues
        .iter()
        .zip(0..)
        .flat_map(|(dialogue, at)| {
            dialogue.steps.iter().map(move |step| (step.line, at, step.side, &step.what))
        })
        .collect();
    all.sort_by_key(|(line, ..)| *line);
    all.into_iter().map(|(_, at, side, what)| (at, side, what)).collect()
}

/// Operations by which a client hears what the servers said, and is told to say what the client
/// did.
fn client(dialogues: &[Dialogue]) -> Vec<u8> {
    let mut ops = vec![4, 1];
    for (at, side, what) in steps(dialogues) {
        match (side, what) {
            (Side::Server, What::Frame(frame)) => {
                let number = frame.answers().map(|number| number.to_string());
                let words = number.map_or_else(
                    || frame.raw().to_vec(),
                    |number| replaced(frame.raw(), number.as_bytes(), &[TRID]),
                );
                say(&mut ops, 2, at, &words);
            }
            (Side::Server, What::Rest(bytes)) => say(&mut ops, 2, at, bytes),
            (Side::Server, What::Close) => ops.extend([9, at]),
            (Side::Client, What::Frame(frame)) => tell(&mut ops, frame),
            (Side::Client, _) => {}
        }
    }
    ops
}

/// The operation that makes a client say something like this.
fn tell(ops: &mut Vec<u8>, frame: &OwnedFrame) {
    let request = |kind| [19, 1, 4, b'N', b'i', b'c', b'k', 5, 0, kind];
    match frame.frame().word() {
        b"XFR" => ops.extend([17, 1, 1, 2]),
        b"CAL" => ops.extend([17, 1, 2, 1]),
        b"MSG" => ops.extend([15, 1, 2, 5, b'h', b'e', b'l', b'l', b'o', 3]),
        b"OUT" => ops.push(23),
        b"PNG" => ops.extend([11, 8]),
        b"ADD" => ops.extend(request(1)),
        b"REM" => ops.extend(request(2)),
        b"ADG" => ops.extend(request(8)),
        b"REG" => ops.extend(request(9)),
        b"RMG" => ops.extend(request(10)),
        b"REA" => ops.extend(request(11)),
        b"BLP" => ops.extend(request(13)),
        b"GTC" => ops.extend(request(14)),
        b"PRP" => ops.extend(request(15)),
        b"LST" => ops.extend(request(16)),
        b"LSG" => ops.extend(request(17)),
        b"URL" => ops.extend(request(18)),
        b"FND" => ops.extend(request(19)),
        b"SND" | b"SDC" => ops.extend(request(20)),
        b"PAG" => ops.extend(request(21)),
        b"IMS" => ops.extend(request(22)),
        b"CHG" => ops.extend(request(23)),
        _ => {}
    }
}

/// Operations by which a hub hears what the clients said.
fn hub(dialogues: &[Dialogue]) -> Vec<u8> {
    let mut ops = vec![0, 1];
    for dialogue in dialogues {
        let socket = match dialogue.role {
            Role::Dispatch => 0,
            Role::Notification => 1,
            Role::Switchboard => 2,
        };
        ops.extend([0, socket, 0]);
    }
    for (at, side, what) in steps(dialogues) {
        match (side, what) {
            (Side::Client, What::Frame(frame)) => {
                let words: Vec<&[u8]> = frame.frame().words().collect();
                let given: &[(usize, &[u8])] = match (words[0], words.len()) {
                    (b"USR", 4) => &[(3, b"\x01")],
                    (b"ANS", 5) => &[(3, b"\x02"), (4, b"\x03")],
                    _ => &[],
                };
                let mut raw = frame.raw().to_vec();
                for (place, mark) in given {
                    raw = replaced(&raw, words[*place], mark);
                }
                say(&mut ops, 3, at, &raw);
            }
            (Side::Client, What::Rest(bytes)) => say(&mut ops, 3, at, bytes),
            (Side::Client, What::Close) => ops.extend([14, at]),
            (Side::Server, _) => {}
        }
    }
    ops
}

/// Packets with what was said on the first four connections.
fn packets(dialogues: &[Dialogue]) -> Vec<u8> {
    let mut ops = vec![0, 60, 1, 1, 0];
    for (at, side, what) in steps(dialogues) {
        let which = at << 1 | u8::from(side == Side::Server);
        let bytes = match what {
            What::Frame(frame) => frame.raw(),
            What::Rest(bytes) => bytes,
            What::Close => {
                ops.extend([which, 3, 0, 0, 0]);
                continue;
            }
        };
        for piece in bytes.chunks(255) {
            say(&mut ops, which, 0, piece);
            ops.extend([0, 0]);
        }
    }
    ops
}

/// The bytes with the first such word replaced.
fn replaced(raw: &[u8], word: &[u8], by: &[u8]) -> Vec<u8> {
    let wanted = [b" ", word].concat();
    let Some(at) = raw.windows(wanted.len()).position(|window| window == wanted) else {
        return raw.to_vec();
    };
    [&raw[..=at], by, &raw[at + wanted.len()..]].concat()
}

/// Appends the operation by which words arrive, as often as they need.
fn say(ops: &mut Vec<u8>, op: u8, at: u8, words: &[u8]) {
    for piece in words.chunks(255) {
        ops.extend([op, at, piece.len() as u8]);
        ops.extend_from_slice(piece);
    }
}

/// The dictionary: all verbs, and the words and header names that have a meaning.
#[must_use]
pub fn dictionary() -> String {
    let rows = [ns::Request::VERBS, ns::Reply::VERBS, sb::Request::VERBS, sb::Reply::VERBS];
    let mut words: BTreeSet<String> =
        rows.concat().iter().map(|row| format!("{} ", row.verb)).collect();
    words.extend(List::ALL.iter().map(ToString::to_string));
    words.extend(Privacy::ALL.iter().map(ToString::to_string));
    words.extend(Prompt::ALL.iter().map(ToString::to_string));
    words.extend(Property::ALL.iter().map(ToString::to_string));
    words.extend(Status::ALL.iter().map(ToString::to_string));
    words.extend(Delivery::ALL.iter().map(ToString::to_string));
    words.extend(OnOff::ALL.iter().map(ToString::to_string));
    words.extend(Dialect::ALL.iter().map(ToString::to_string));
    words.extend(msnp_cli::script::VERBS.map(|verb| format!("{verb} ")));
    words.extend(WORDS.map(str::to_owned));
    let mut text = String::from("# Made from the tables of verbs: cargo run --example seeds\n");
    for word in words {
        let escaped = word.bytes().map(|byte| match byte {
            b'"' | b'\\' => format!("\\{}", char::from(byte)),
            b' '..=b'~' => char::from(byte).to_string(),
            _ => format!("\\x{byte:02X}"),
        });
        text.push_str(&format!("\"{}\"\n", escaped.collect::<String>()));
    }
    text
}

/// Small captures of the program's tests, in every form of file.
const CAPTURES: [&[u8]; 5] = [
    include_bytes!("../../msnp-cli/tests/captures/dispatch.pcap"),
    include_bytes!("../../msnp-cli/tests/captures/dispatch-any.pcap"),
    include_bytes!("../../msnp-cli/tests/captures/dispatch-big-endian-nanos.pcap"),
    include_bytes!("../../msnp-cli/tests/captures/dispatch.pcapng"),
    include_bytes!("../../msnp-cli/tests/captures/dispatch-two-sections.pcapng"),
];

/// Every verb of a script, and some mistakes.
const SCRIPTS: [&str; 3] = [
    "# all of them\nset ack-timeout 10s\nset timeout 5m\nset window 3\nset on-error continue\n\
     set until acked\nonline bob@example.net within 20s\nsend bob@example.net Hello, ${what} $$\n\
     send bob@example.net <<END\ntwo\n${lines}\nEND\ntyping bob@example.net\nsleep 500ms\n\
     expect bob@example.net contains \"thanks\" within 10s\nstatus BSY\nname \"Alice\"\n\
     add carol@example.net as \"Carol \\\"C\\\"\" to \"Friends\"\n",
    "remove carol@example.net from \"Friends\"\nrename carol@example.net as \"Carol C.\"\n\
     move carol@example.net from \"Friends\" to \"Work\"\nallow carol@example.net\n\
     block carol@example.net\ngroup add \"Work\"\ngroup rename \"Work\" as \"Old work\"\n\
     group remove \"Old work\"\nopen bob@example.net\nleave bob@example.net\n",
    "sleep soon\nsend bob@example.net ${nobody}\nsend bob@example.net <<END\nno end\nset window 0\n",
];

/// Operations on both sides of a file transfer, and moves between them.
const FILES: [&[u8]; 12] = [
    // A receiver that gets all, in one block and in two, and nothing.
    b"\x00\x01\x05\x00\x08\x00\x0d\x00\x0a\x00hello worl\x09\x63",
    b"\x00\x01\x05\x00\x0a\xff\x08\x05\x03\x05\x03\x05\x05\x0d",
    b"\x00\x00\x05\x00\x08\x05\x05\x0a\xff\x0d",
    // One that is cancelled on, that cancels, that cannot write, that waits.
    b"\x00\x02\x05\x00\x08\x05\x03\x05\x05",
    b"\x00\x03\x05\x00\x08\x05\x03\x0e\x09\x14",
    b"\x00\x04\x05\x00\x08\x05\x03\x0f\x09\x14",
    b"\x00\x02\x05\x00\x08\x05\x04\x09\xc8\x09\xc8\x27\x10",
    // A sender that is told that all has come, or not, that cancels.
    b"\x01\x02\x05\x00\x05\x01\x05\x02\x0b\xc8\x0b\xb8\x0a\xff\x05\x07",
    b"\x01\x03\x05\x00\x05\x01\x05\x02\x0b\xdc\x00\x01\x86\x9f\x0a\x63\x09\xc8\x10\x00",
    b"\x01\x01\x05\x00\x05\x01\x05\x02\x0b\x05\x0e\x0a\xff\x09\x14",
    // Both, to the end and not.
    b"\x02\x00\x10\x04\x05\x20\xff\x03\x60",
    b"\x02\x01\x10\x04\xff\xff\xff\xff\xc8\x03\x00",
];

/// Bodies of invitations to transfer a file.
const INVITATIONS: [&str; 3] = [
    "Application-Name: File Transfer\r\n\
     Application-GUID: {5D3E02AB-6190-11d3-BBBB-00C04F795683}\r\n\
     Invitation-Command: INVITE\r\nInvitation-Cookie: 1804289\r\n\
     Application-File: C:\\notes.txt\r\nApplication-FileSize: 4100\r\nConnectivity: N\r\n",
    "Invitation-Command: ACCEPT\r\nInvitation-Cookie: 1804289\r\nIP-Address: 192.0.2.10\r\n\
     IP-Address-Internal: 10.0.0.5\r\nPort: 6891\r\nPortX: 11178\r\nPortX-Internal: 11178\r\n\
     AuthCookie: 93301\r\nLaunch-Application: FALSE\r\nRequest-Data: IP-Address:\r\n",
    "IP-Address: 198.51.100.7:6892\r\nAuthCookie: 1251249521\r\nSender-Connect: TRUE\r\n\
     Invitation-Command: ACCEPT\r\nInvitation-Cookie: 1804290\r\n",
];

/// Words that are in no table of verbs.
const WORDS: [&str; 83] = [
    "${what}",
    "<<END\n",
    "\nEND\n",
    " within 10s",
    " contains \"",
    " as \"",
    "\r\n",
    "\r\n\r\n",
    " MD5 I ",
    " MD5 S ",
    " OK ",
    " NS ",
    " SB ",
    " CKI ",
    " RINGING ",
    " 0 ",
    "CVR0",
    "OTH",
    "SSD",
    "911 ",
    "217 ",
    "4294967295",
    "%20",
    "alice@example.net",
    "bob@example.net",
    "192.0.2.1:1863",
    "[2001:db8::1]:1",
    "msmsgs@msnmsgr.com 32\r\n",
    "MIME-Version: 1.0\r\n",
    "Content-Type: ",
    "text/plain; charset=UTF-8",
    "charset=ISO-8859-1",
    "text/x-msmsgscontrol",
    "TypingUser: ",
    "text/x-msmsgsinvite",
    "Invitation-Command: ",
    "INVITE",
    "ACCEPT",
    "CANCEL",
    "Invitation-Cookie: ",
    "Application-Name: ",
    "Application-GUID: ",
    "{5D3E02AB-6190-11d3-BBBB-00C04F795683}",
    "Application-File: ",
    "Application-FileSize: ",
    "Connectivity: N",
    "IP-Address: ",
    "IP-Address-Internal: ",
    "Port: ",
    "PortX: ",
    "AuthCookie: ",
    "Sender-Connect: TRUE",
    "MSNFTP\r\n",
    "FIL ",
    "TFR\r\n",
    "CCL\r\n",
    "BYE 16777989\r\n",
    "93301",
    "\x01\x00\x00",
    "X-MMS-IM-Format: ",
    "FN=",
    "; EF=",
    "; CO=",
    "; CS=",
    "; PF=",
    "; RL=1",
    "text/x-msmsgsprofile",
    "LoginTime: ",
    "MSPAuth: ",
    "ClientIP: ",
    "ClientPort: ",
    "text/x-msmsgsinitialemailnotification",
    "Inbox-Unread: ",
    "Folders-Unread: ",
    "text/x-msmsgsemailnotification",
    "From: ",
    "Subject: ",
    "=?utf-8?Q?",
    "=?iso-8859-1?B?",
    "text/x-msmsgsactivemailnotification",
    "Message-Delta: ",
    "application/x-msmsgssystemmessage",
    "= connection: ",
];
