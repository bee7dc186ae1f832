//! Captures of conversations that never took place: people sign in, see each other come and go,
//! and chat. Packets may come in another order, come twice, or be missing.
#![allow(dead_code, reason = "each test and bench uses its own part")]

use std::net::Ipv4Addr;

/// What may happen to a packet on its way into the capture, each in so many of a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) late: u64,
    pub(crate) twice: u64,
    pub(crate) lost: u64,
}

/// Writes a pcap file: little-endian, microseconds, Ethernet.
pub(crate) struct Capture {
    pub(crate) file: Vec<u8>,
    faults: Faults,
    /// Microseconds since 1970.
    pub(crate) now: u64,
    /// Two sources of chance: what happens to packets does not change what is said.
    words: u64,
    luck: u64,
    /// Packets that are late, with how many others come before them.
    late: Vec<(u32, Vec<u8>)>,
    /// Bytes of payload that are not in the file.
    pub(crate) lost: u64,
    /// Commands that were sent.
    pub(crate) commands: u64,
}

/// One connection, by its two ends and the numbers of what they send next.
pub(crate) struct Flow {
    /// The client's, then the server's.
    pub(crate) ends: [(Ipv4Addr, u16); 2],
    pub(crate) next: [u32; 2],
}

const MSS: usize = 1448;

pub(crate) fn pcap_header(link: u32) -> Vec<u8> {
    let mut header = vec![0xD4, 0xC3, 0xB2, 0xA1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    header.extend(262_144_u32.to_le_bytes());
    header.extend(link.to_le_bytes());
    header
}

impl Capture {
    pub(crate) fn new(seed: u64, faults: Faults) -> Self {
        let now = 981_173_106_000_000;
        Self {
            file: pcap_header(1),
            faults,
            now,
            words: seed | 1,
            luck: seed.rotate_left(32) | 1,
            late: Vec::new(),
            lost: 0,
            commands: 0,
        }
    }

    fn happens(&mut self, of_a_thousand: u64) -> bool {
        of_a_thousand > 0 && random(&mut self.luck, 1000) < of_a_thousand
    }

    /// Opens a connection.
    pub(crate) fn open(&mut self, client: (Ipv4Addr, u16), server: (Ipv4Addr, u16)) -> Flow {
        let next = [0, 1].map(|_| random(&mut self.words, 1 << 32) as u32);
        let mut flow = Flow { ends: [client, server], next };
        for (side, flags) in [(0, SYN), (1, SYN | ACK), (0, ACK)] {
            let packet = packet(&flow, side, flags, b"");
            self.put(packet);
            if flags & SYN != 0 {
                flow.next[side] = flow.next[side].wrapping_add(1);
            }
        }
        flow
    }

    /// One side says something, and the other acknowledges it.
    pub(crate) fn say(&mut self, flow: &mut Flow, side: usize, bytes: &[u8]) {
        self.commands += 1;
        for part in bytes.chunks(MSS) {
            let data = packet(flow, side, ACK | PSH, part);
            flow.next[side] = flow.next[side].wrapping_add(part.len() as u32);
            self.send(data, part.len() as u64);
            let ack = packet(flow, 1 - side, ACK, b"");
            self.send(ack, 0);
        }
    }

    /// Both sides close.
    pub(crate) fn close(&mut self, flow: &mut Flow) {
        for side in [0, 1] {
            let end = packet(flow, side, ACK | FIN, b"");
            flow.next[side] = flow.next[side].wrapping_add(1);
            self.send(end, 0);
        }
        let last = packet(flow, 0, ACK, b"");
        self.put(last);
    }

    fn send(&mut self, packet: Vec<u8>, payload: u64) {
        let Faults { late, twice, lost } = self.faults;
        if payload > 0 && self.happens(lost) {
            self.lost += payload;
            return;
        }
        if self.happens(late) {
            let behind = 1 + random(&mut self.luck, 4) as u32;
            self.late.push((behind, packet));
            return;
        }
        if self.happens(twice) {
            self.put(packet.clone());
        }
        self.put(packet);
    }

    fn put(&mut self, packet: Vec<u8>) {
        self.record(&packet);
        for (behind, _) in &mut self.late {
            *behind -= 1;
        }
        while let Some(place) = self.late.iter().position(|(behind, _)| *behind == 0) {
            let (_, packet) = self.late.remove(place);
            self.record(&packet);
        }
    }

    /// A packet as it is.
    pub(crate) fn record(&mut self, packet: &[u8]) {
        self.now += 20 + random(&mut self.luck, 200);
        let size = packet.len() as u32;
        for value in [(self.now / 1_000_000) as u32, (self.now % 1_000_000) as u32, size, size] {
            self.file.extend(value.to_le_bytes());
        }
        self.file.extend_from_slice(packet);
    }

    /// Everything that is late arrives.
    pub(crate) fn settle(&mut self) {
        for (_, packet) in std::mem::take(&mut self.late) {
            self.record(&packet);
        }
    }

    /// One person signs in by way of the dispatch server, sees friends come and go, and chats.
    pub(crate) fn evening(&mut self, person: u32) {
        let [_, a, b, c] = person.to_be_bytes();
        let me = Ipv4Addr::new(10, a, b, c);
        let server = |last, port| (Ipv4Addr::new(192, 0, 2, last), port);
        let port = 1025 + (person % 60_000) as u16;
        let account = format!("person{person}@example.net");
        let mut flow = self.open((me, port), server(1, 1863));
        self.command(&mut flow, 0, "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0\r\n");
        self.command(&mut flow, 1, "VER 1 MSNP7 MSNP6 MSNP5 MSNP4\r\n");
        self.command(&mut flow, 0, "INF 2\r\n");
        self.command(&mut flow, 1, "INF 2 MD5\r\n");
        self.command(&mut flow, 0, &format!("USR 3 MD5 I {account}\r\n"));
        self.command(&mut flow, 1, "XFR 3 NS 192.0.2.2:1863 0 192.0.2.1:1863\r\n");
        self.close(&mut flow);

        let mut ns = self.open((me, port + 1), server(2, 1863));
        self.command(&mut ns, 0, "VER 4 MSNP7 MSNP6 MSNP5 MSNP4 CVR0\r\n");
        self.command(&mut ns, 1, "VER 4 MSNP7 MSNP6 MSNP5 MSNP4\r\n");
        self.command(&mut ns, 0, &format!("USR 5 MD5 I {account}\r\n"));
        self.command(&mut ns, 1, "USR 5 MD5 S 989048851.1851137130\r\n");
        self.command(&mut ns, 0, "USR 6 MD5 S 0212eaad0876afb8505859ca75d21a78\r\n");
        self.command(&mut ns, 1, &format!("USR 6 OK {account} Person%20{person} 1\r\n"));
        self.command(&mut ns, 0, "SYN 7 0\r\n");
        let mut dump = String::from("SYN 7 12182\r\n");
        for friend in 1..=30 {
            dump += &format!(
                "LST 7 FL 12182 {friend} 30 friend{friend}@example.net Friend%20number%20{friend} 0\r\n"
            );
        }
        self.commands += 30;
        self.say(&mut ns, 1, dump.as_bytes());
        self.command(&mut ns, 0, "CHG 8 NLN\r\n");
        self.command(&mut ns, 1, "CHG 8 NLN\r\n");
        for round in 0..20 {
            let friend = 1 + random(&mut self.words, 30);
            let (state, handle) =
                (["NLN", "BSY", "AWY", "IDL"][round % 4], format!("friend{friend}@example.net"));
            self.command(
                &mut ns,
                1,
                &format!("NLN {state} {handle} Friend%20number%20{friend}\r\n"),
            );
        }
        self.command(&mut ns, 0, "XFR 9 SB\r\n");
        self.command(&mut ns, 1, "XFR 9 SB 192.0.2.3:1864 CKI 989487642.2070896604\r\n");

        let mut sb = self.open((me, port + 2), server(3, 1864));
        self.command(&mut sb, 0, &format!("USR 1 {account} 989487642.2070896604\r\n"));
        self.command(&mut sb, 1, &format!("USR 1 OK {account} Person%20{person}\r\n"));
        self.command(&mut sb, 0, "CAL 2 friend1@example.net\r\n");
        self.command(&mut sb, 1, "CAL 2 RINGING 11717653\r\n");
        self.command(&mut sb, 1, "JOI friend1@example.net Friend%20number%201\r\n");
        let font = "X-MMS-IM-Format: FN=MS%20Sans%20Serif; EF=; CO=0; CS=0; PF=0";
        for trid in 3..43 {
            let words = 3 + random(&mut self.words, 20) as usize;
            let text =
                format!("Zeile {trid} — {}", "as one says in these parts ".repeat(words / 4 + 1));
            let payload = format!(
                "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n{font}\r\n\r\n{text}"
            );
            if trid % 2 == 0 {
                self.command(&mut sb, 0, &format!("MSG {trid} N {}\r\n{payload}", payload.len()));
            } else {
                let typing = "MIME-Version: 1.0\r\nContent-Type: text/x-msmsgscontrol\r\nTypingUser: friend1@example.net\r\n\r\n\r\n";
                let from = "friend1@example.net Friend%20number%201";
                self.command(&mut sb, 1, &format!("MSG {from} {}\r\n{typing}", typing.len()));
                self.command(&mut sb, 1, &format!("MSG {from} {}\r\n{payload}", payload.len()));
            }
        }
        self.command(&mut sb, 0, "OUT\r\n");
        self.close(&mut sb);
        self.command(&mut ns, 0, "OUT\r\n");
        self.close(&mut ns);
    }

    fn command(&mut self, flow: &mut Flow, side: usize, text: &str) {
        self.say(flow, side, text.as_bytes());
    }
}

fn random(state: &mut u64, below: u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state % below
}

pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const PSH: u8 = 8;
pub(crate) const ACK: u8 = 16;

/// A packet over Ethernet with what a side sends next.
pub(crate) fn packet(flow: &Flow, side: usize, flags: u8, payload: &[u8]) -> Vec<u8> {
    let ((from, from_port), (to, to_port)) = (flow.ends[side], flow.ends[1 - side]);
    let total = (20 + 32 + payload.len()) as u16;
    let mut packet = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    packet.extend([0x45, 0]);
    packet.extend(total.to_be_bytes());
    packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    packet.extend(from.octets());
    packet.extend(to.octets());
    packet.extend(from_port.to_be_bytes());
    packet.extend(to_port.to_be_bytes());
    packet.extend(flow.next[side].to_be_bytes());
    let acknowledged = if flags & ACK != 0 { flow.next[1 - side] } else { 0 };
    packet.extend(acknowledged.to_be_bytes());
    // Ten bytes of timestamps, as most systems send them.
    packet.extend([0x80, flags, 0xFF, 0xFF, 0, 0, 0, 0, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 1]);
    packet.extend_from_slice(payload);
    packet
}
