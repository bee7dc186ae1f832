//! Ends of connections, at every point.

use std::collections::BTreeMap;

use msnp_proto::client::{Event, MessageId, RequestId};
use msnp_proto::error::{Lost, Violation};
use msnp_proto::machine::{Closed, ConnId};
use msnp_proto::time::Duration;
use msnp_proto::types::{Delivery, Status};

use crate::client::handle;
use crate::script::Script;

/// F08: ten referrals to the server that one is on; the sixth is one too many.
pub(super) fn referrals_to_the_same_server_are_counted() {
    let mut script = Script::signing_in();
    for _ in 0..10 {
        let Some(conn) = script.try_connect("messenger.example.net:1863") else { break };
        script.says(conn, "VER 1 MSNP7\r\nINF 2 MD5\r\n");
        script.says(conn, "XFR 3 NS messenger.example.net:1863 0\r\n");
    }
    let limit = 5;
    assert_eq!(script.lost(), Some(Lost::Violation(Violation::Referrals { limit })));
    // A move while online begins to count again, and so does each sign-in that came to its end.
    let mut script = Script::online();
    for _ in 0..5 {
        script.says(script.ns, "XFR 0 NS 192.0.2.9:1863\r\n");
        let ns = script.connect("192.0.2.9:1863");
        script.sign_in_rest(ns);
        assert!(script.client.is_online());
    }
    assert_eq!(script.lost(), None);
}

/// What a server says from the first byte to an acknowledged text, and on which connection.
const CONVERSATION: [(bool, &str); 13] = [
    (true, "VER 1 MSNP7 CVR0\r\n"),
    (true, "INF 2 MD5\r\n"),
    (true, "USR 3 MD5 S 1700000000.123456789\r\n"),
    (true, "USR 4 OK alice@example.net Alice 1\r\n"),
    (true, "MSG Hotmail Hotmail 45\r\nContent-Type: text/x-msmsgsprofile\r\nkv: 2\r\n\r\n"),
    (true, "SYN 5 9\r\nLST 5 FL 9 1 1 bob@example.net Bob 0\r\nLST 5 RL 9 0 0\r\n"),
    (true, "CHG 6 NLN\r\nILN 6 NLN bob@example.net Bob\r\n"),
    (true, "CVR 7 1 1 1 a b\r\nCHG 8 BSY\r\n"),
    (true, "XFR 9 SB 192.0.2.20:1863 CKI 1.2\r\n"),
    (false, "USR 1 OK alice@example.net Alice\r\n"),
    (false, "CAL 2 RINGING 7\r\nJOI bob@example.net Bob\r\n"),
    (false, "ACK 3\r\n"),
    (false, "ACK 4\r\n"),
];

/// How the stream ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// The server closes it.
    Orderly,
    /// The network breaks it.
    Reset,
    /// Nothing comes any more.
    Silence,
}

struct Run {
    script: Script,
    ns: ConnId,
    sb: Option<ConnId>,
    texts: Vec<MessageId>,
    requests: Vec<RequestId>,
    events: Vec<Event>,
}

impl Run {
    fn new() -> Self {
        let mut script = Script::signing_in();
        let ns = script.connect("messenger.example.net:1863");
        let (texts, requests, events) = (Vec::new(), Vec::new(), Vec::new());
        Self { script, ns, sb: None, texts, requests, events }
    }

    /// The application does its part: once online it sets a status and says two things to Bob.
    fn react(&mut self) {
        let Self { script, ns, sb, texts, requests, events } = self;
        script.drain(*ns);
        if let Some(sb) = *sb {
            script.drain(sb);
        }
        events.extend(script.take_events());
        if script.client.is_online() && requests.is_empty() {
            let busy = script.client.set_status(script.now, Status::Busy);
            requests.push(busy.expect("online"));
            let chat = script.client.open_chat(script.now, &handle("bob@example.net"));
            let chat = chat.expect("online");
            for content in ["one", "two"] {
                let text = script.client.send_text(script.now, chat, content, Delivery::Always);
                texts.push(text.expect("there is room"));
            }
            script.drain(*ns);
        }
        if sb.is_none() {
            *sb = script.try_connect("192.0.2.20:1863");
        }
        if let Some(sb) = *sb {
            script.drain(sb);
        }
    }

    /// So many bytes of the conversation come; the connection on which the last one came.
    fn hear(&mut self, mut bytes: usize) -> ConnId {
        let mut last = self.ns;
        for (to_ns, said) in CONVERSATION {
            if bytes == 0 {
                break;
            }
            let (now, later) = said.split_at(bytes.min(said.len()));
            last = if to_ns { self.ns } else { self.sb.expect("there is a switchboard") };
            self.script.says(last, now);
            self.react();
            bytes -= said.len() - later.len();
        }
        last
    }

    /// Everything has exactly one end, at the latest when the session has.
    fn check(mut self, told: &str) {
        self.script.wait(Duration::from_secs(600));
        self.react();
        let (mut ends, mut answers, mut lost) = (BTreeMap::new(), BTreeMap::new(), 0);
        for event in &self.events {
            match event {
                Event::Delivery { message, .. } => *ends.entry(*message).or_insert(0) += 1,
                Event::Done { request } | Event::Refused { request, .. } => {
                    *answers.entry(*request).or_insert(0) += 1;
                }
                Event::Lost { .. } => lost += 1,
                _ => {}
            }
        }
        assert_eq!(lost, 1, "{told}: the session ends once");
        let once = |count: Option<&i32>| count == Some(&1);
        assert!(self.texts.iter().all(|text| once(ends.get(text))), "{told}: {ends:?}");
        assert!(self.requests.iter().all(|one| once(answers.get(one))), "{told}: {answers:?}");
        assert!(self.script.client_deadline().is_none(), "{told}: a timer is left");
    }
}

/// F14: the stream ends after every byte, in each way.
pub(super) fn streams_end_after_every_byte() {
    let all: usize = CONVERSATION.iter().map(|(_, said)| said.len()).sum();
    for bytes in 0..=all {
        for end in [End::Orderly, End::Reset, End::Silence] {
            let mut run = Run::new();
            run.react();
            let last = run.hear(bytes);
            match end {
                End::Orderly => run.script.hangs_up(last),
                End::Reset => run.script.refuse(last, Closed::Reset),
                End::Silence => {}
            }
            run.react();
            run.check(&format!("{end:?} after {bytes} bytes"));
        }
    }
    let mut whole = Run::new();
    whole.react();
    whole.hear(all);
    let acked = whole.events.iter().filter(|event| matches!(event, Event::Delivery { .. }));
    assert_eq!((acked.count(), whole.texts.len()), (2, 2), "the conversation is a good one");
}

/// F14: the first connection, the one behind a referral and the one to a switchboard are refused.
pub(super) fn connections_are_refused_at_every_point() {
    for why in [Closed::Refused, Closed::UnknownHost, Closed::TimedOut, Closed::Reset] {
        let mut script = Script::signing_in();
        let ns = script.connecting("messenger.example.net:1863");
        script.refuse(ns, why);
        assert_eq!(script.lost(), Some(Lost::Connection(why)));

        let mut script = Script::signing_in();
        let ns = script.connect("messenger.example.net:1863");
        script.says(ns, "VER 1 MSNP7\r\nINF 2 MD5\r\nXFR 3 NS 192.0.2.9:1863 0\r\n");
        let next = script.connecting("192.0.2.9:1863");
        script.refuse(next, why);
        assert_eq!(script.lost(), Some(Lost::Connection(why)));

        let mut script = Script::online();
        let bob = handle("bob@example.net");
        let chat = script.client.open_chat(script.now, &bob).expect("online");
        let text = script.client.send_text(script.now, chat, "one", Delivery::Always);
        script.says(script.ns, "XFR 8 SB 192.0.2.20:1863 CKI 1.2\r\n");
        let sb = script.connecting("192.0.2.20:1863");
        script.refuse(sb, why);
        assert_eq!(script.outcomes(text.expect("it waits")).len(), 1);
        assert_eq!(script.lost(), None, "the session goes on");
    }
}
