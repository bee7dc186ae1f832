//! Every command with values of every kind: written, cut in every chunking, read, written again.

mod wire_support;

use std::collections::BTreeSet;

use msnp_proto::limits::Limits;
use msnp_proto::machine::Target;
use msnp_proto::types::{
    Account, Address, Delivery, ErrorCode, ErrorReply, GroupId, Groups, Handle, Key, List, Name,
    Number, OnOff, Packages, Privacy, Prompt, Property, Status, StatusCode, Token, TrId, Words,
};
use msnp_proto::wire::{Body, Frame, FrameDecoder, Inbox, Incoming, Parsed, VerbRow};
use msnp_proto::{ns, sb};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use wire_support::{Seen, cut, cut_in_every_way};

/// The parts that commands are made of.
#[derive(Debug)]
struct Parts {
    numbers: [u32; 4],
    tokens: [Vec<u8>; 4],
    handles: [Handle; 2],
    name: String,
    phone: String,
    words: Vec<u8>,
    groups: Vec<GroupId>,
    target: Target,
    host: String,
    body: Vec<u8>,
    list: List,
    privacy: Privacy,
    prompt: Prompt,
    property: Property,
    status: Status,
    delivery: Delivery,
    on: bool,
    /// How many of the optional arguments at the end of a line are there.
    optional: usize,
}

fn numbers() -> impl Strategy<Value = [u32; 4]> {
    let number = prop_oneof![any::<u32>(), 0..100_u32, Just(0), Just(u32::MAX)];
    [number.clone(), number.clone(), number.clone(), number]
}

/// Any bytes that make one word.
fn token() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        8 => 0x21..0x7F_u8,
        1 => any::<u8>().prop_filter("separates words", |byte| !b" \t\r\n".contains(byte)),
    ];
    vec(byte, 1..24)
}

fn handle() -> impl Strategy<Value = Handle> {
    "[!-?A-~]{1,20}@[!-?A-~]{1,20}".prop_map(|text| Handle::new(&text).expect("a handle"))
}

fn target() -> impl Strategy<Value = Target> {
    let host = prop_oneof![
        "[a-z0-9.-]{1,30}",
        "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}",
        "[0-9a-f:]{1,20}:[0-9a-f]{1,4}",
    ];
    // "0" as an address means something else than an address.
    let host = host.prop_filter("means a restart", |host| host != "0");
    (host, 1..=u16::MAX).prop_map(|(host, port)| Target { host, port })
}

/// Words with single blanks between them; what was sent with more is not canonical.
fn words() -> impl Strategy<Value = Vec<u8>> {
    vec(token(), 1..6).prop_map(|words| words.join(&b' '))
}

fn parts() -> impl Strategy<Value = Parts> {
    let texts = (
        [token(), token(), token(), token()],
        [handle(), handle()],
        any::<String>().prop_filter("no word", |name| !name.is_empty()),
        "[0-9 +()-]{1,20}",
        words(),
        vec(any::<u8>(), 0..200),
    );
    let choices = (
        select(List::ALL),
        select(Privacy::ALL),
        select(Prompt::ALL),
        select(Property::ALL),
        select(Status::ALL),
        select(Delivery::ALL),
        any::<bool>(),
        0..4_usize,
    );
    let groups = vec((0..30_u32).prop_map(GroupId), 1..5);
    let host = "[a-z]{1,10}\\.example";
    (numbers(), texts, groups, target(), host, choices).prop_map(
        |(numbers, texts, groups, target, host, choices)| {
            let (tokens, handles, name, phone, words, body) = texts;
            let (list, privacy, prompt, property, status, delivery, on, optional) = choices;
            Parts {
                numbers,
                tokens,
                handles,
                name,
                phone,
                words,
                groups,
                target,
                host,
                body,
                list,
                privacy,
                prompt,
                property,
                status,
                delivery,
                on,
                optional,
            }
        },
    )
}

impl Parts {
    fn trid(&self) -> TrId {
        TrId(self.numbers[0])
    }

    fn number(&self, place: usize) -> Number {
        Number(self.numbers[place])
    }

    fn token(&self, place: usize) -> Token<'_> {
        Token::new(&self.tokens[place]).expect("a token")
    }

    fn account(&self) -> Account<'_> {
        (&self.handles[0]).into()
    }

    fn name(&self) -> Name<'_> {
        Name::from_text(&self.name).expect("not empty")
    }

    fn phone(&self) -> Name<'_> {
        Name::from_text(&self.phone).expect("not empty")
    }

    fn words(&self) -> Words<'_> {
        Words::new(&self.words).expect("words")
    }

    fn address(&self) -> Address<'_> {
        if self.on {
            Address::from_target(&self.target).expect("an address")
        } else {
            Address::parse(&self.host).expect("an address")
        }
    }

    fn status(&self) -> StatusCode<'_> {
        match self.token(3) {
            word if self.on && Status::from_word(word.as_bytes()).is_none() => {
                StatusCode::Other(word)
            }
            _ => self.status.into(),
        }
    }

    fn key(&self) -> Key {
        self.property.into()
    }

    fn groups(&self) -> Groups<'_> {
        Groups::new(&self.groups)
    }

    fn body(&self) -> Body<'_> {
        Body(&self.body)
    }

    fn on_off(&self) -> OnOff {
        self.on.into()
    }

    /// The value of the optional argument in this place, if it is to be there.
    fn optional<T>(&self, place: usize, value: T) -> Option<T> {
        (place < self.optional).then_some(value)
    }
}

fn notification_requests(p: &Parts) -> Vec<ns::Request<'_>> {
    use ns::Request::*;
    let (trid, account, name) = (p.trid(), p.account(), p.name());
    let group = GroupId(p.numbers[1]);
    let version = p.numbers[1].into();
    let (list, text, service) = (p.list, p.body(), p.token(0));
    vec![
        Ver { trid, dialects: p.words() },
        Inf { trid },
        UsrInitial { trid, account },
        UsrDigest { trid, digest: p.token(0) },
        Xfr { trid, kind: p.token(0) },
        Cvr { trid, report: p.words() },
        Cvq { trid, report: p.words() },
        Syn { trid, version },
        Gtc { trid, prompt: p.prompt },
        Blp { trid, privacy: p.privacy },
        Prp { trid, key: p.token(0), value: p.optional(0, p.phone()) },
        Lst { trid, list },
        Lsg { trid },
        Add { trid, list, account, name: p.optional(0, name), group: p.optional(1, p.token(0)) },
        Rem { trid, list, account, group: p.optional(0, p.token(0)) },
        Adg { trid, name },
        AdgShort { trid, name },
        Rmg { trid, group },
        Reg { trid, group, name },
        RegShort { trid, group, name },
        Rea { trid, account, name },
        Chg { trid, status: p.status() },
        Chl { trid },
        Qry { trid, client_id: p.token(0), digest: p.body() },
        Png {},
        Out {},
        Fnd { trid, terms: p.words() },
        Snd {
            trid,
            account,
            locale: p.optional(0, p.token(0)),
            library: p.optional(1, p.token(1)),
            codebase: p.optional(2, p.token(2)),
        },
        Sdc {
            trid,
            account,
            locale: p.token(0),
            library: p.token(1),
            codebase: p.token(2),
            name,
            text,
        },
        Pag { trid, account, page: p.body() },
        Ims { trid, mode: p.on_off() },
        Url { trid, service, parameter: p.optional(0, p.token(1)) },
    ]
}

fn notification_replies(p: &Parts) -> Vec<ns::Reply<'_>> {
    use ns::Reply::*;
    let (trid, account, name) = (p.trid(), p.account(), p.name());
    let version = p.numbers[1].into();
    let (index, total, group) = (p.number(2), p.number(3), GroupId(p.numbers[2]));
    let (list, key, status) = (p.list, p.key(), p.status());
    let (value, zero) = (p.optional(0, p.phone()), p.optional(0, p.token(0)));
    vec![
        Ver { trid, dialects: p.words() },
        Inf { trid, packages: Packages(p.words()) },
        UsrChallenge { trid, challenge: p.token(0) },
        UsrOk { trid, account, name: p.optional(0, name), verified: p.optional(1, p.token(0)) },
        XfrSwitchboard { trid, address: p.address(), cookie: p.token(0) },
        XfrRestart { trid },
        XfrNotification {
            trid,
            address: p.address(),
            zero: p.optional(0, p.token(0)),
            current: p.optional(1, p.token(1)),
        },
        Cvr { trid, versions: p.words() },
        Cvq { trid, versions: p.words() },
        Syn { trid, version },
        Gtc { trid, version, prompt: p.prompt },
        Blp { trid, version, privacy: p.privacy },
        Prp { trid, version, key, value },
        PrpBare { version, key, value },
        Bpr { version, account, key, value },
        BprBare { version, key, value },
        LstEmpty { trid, list, version },
        Lst {
            trid,
            list,
            version,
            index,
            total,
            account,
            name: p.optional(0, name),
            groups: p.optional(1, p.groups()),
        },
        Lsg { trid, version, index, total, group, name, zero },
        Add {
            trid,
            list,
            version,
            account,
            name: p.optional(0, name),
            group: p.optional(1, p.groups()),
        },
        Rem { trid, list, version, account, group: p.optional(0, group) },
        Adg { trid, version, name, group, zero },
        Rmg { trid, version, group },
        Reg { trid, version, group, name, zero },
        Rea { trid, version, account, name },
        Chg { trid, status },
        Iln { trid, status, account, name: p.optional(0, name) },
        Nln { status, account, name: p.optional(0, name) },
        Fln { account },
        Msg { account, name, body: p.body() },
        Chl { trid, challenge: p.token(0) },
        Qry { trid },
        Qng {},
        Out { reason: p.optional(0, p.token(0)) },
        Fnd { trid, index, total, terms: p.optional(0, p.words()) },
        Snd { trid },
        Sdc { trid },
        Ipg { page: p.body() },
        Not { alert: p.body() },
        Ims { trid, zero: index, mode: p.on_off() },
        Url { trid, redirect: p.token(0), login: p.token(1), site: p.optional(0, p.token(2)) },
        Rng {
            session: p.token(0),
            address: p.address(),
            cookie: p.token(1),
            account,
            name: p.optional(0, name),
        },
    ]
}

fn switchboard_requests(p: &Parts) -> Vec<sb::Request<'_>> {
    use sb::Request::*;
    let (trid, account) = (p.trid(), p.account());
    vec![
        Usr { trid, account, cookie: p.token(0) },
        Ans { trid, account, cookie: p.token(0), session: p.token(1) },
        Cal { trid, account },
        Msg { trid, delivery: p.delivery, body: p.body() },
        Out {},
    ]
}

fn switchboard_replies(p: &Parts) -> Vec<sb::Reply<'_>> {
    use sb::Reply::*;
    let (trid, account, name) = (p.trid(), p.account(), p.optional(0, p.name()));
    vec![
        UsrOk { trid, account, name },
        AnsOk { trid },
        Iro { trid, index: p.number(1), total: p.number(2), account, name },
        Ringing { trid, session: p.token(0) },
        Joi { account, name },
        Bye { account, idle: p.optional(0, p.token(0)) },
        Msg { account, name: p.name(), body: p.body() },
        Ack { trid },
        Nak { trid },
        Out { reason: p.optional(0, p.token(0)) },
    ]
}

/// What a stream of one frame is cut to, owned.
fn one_frame(decoder: &FrameDecoder, wire: &[u8]) -> Seen {
    let (mut seen, between) = cut_in_every_way(decoder, wire);
    assert!(between, "{}", wire.escape_ascii());
    assert_eq!(seen.len(), 1, "{}", wire.escape_ascii());
    seen.remove(0)
}

macro_rules! round_trip {
    ($name:ident, $decoder:ident, $Command:ty, $commands:ident) => {
        mod $name {
            use super::*;

            proptest! {
                #![proptest_config(ProptestConfig::with_cases(24))]

                #[test]
                fn each_command_in_every_chunking(parts in parts()) {
                    let decoder = FrameDecoder::$decoder(Limits::new());
                    for command in $commands(&parts) {
                        let mut wire = Vec::new();
                        command.encode(&mut wire);
                        let text = wire.escape_ascii().to_string();
                        let Seen::Frame { line, payload } = one_frame(&decoder, &wire) else {
                            panic!("no frame: {text}");
                        };
                        let frame = Frame::new(&line, payload.as_deref());
                        let parsed = <$Command>::parse(frame);
                        let Ok(Parsed::Command(read, extra)) = parsed else {
                            panic!("{text}: {parsed:?}");
                        };
                        prop_assert_eq!(read, command, "{}", text);
                        prop_assert!(extra.is_empty(), "{}", text);
                        prop_assert_eq!(read.verb(), command.verb());
                        let mut again = Vec::new();
                        read.encode(&mut again);
                        prop_assert_eq!(again, wire, "canonical bytes come back");
                    }
                }

                #[test]
                fn all_commands_in_one_stream(
                    parts in parts(),
                    sizes in vec(1..400_usize, 1..20),
                ) {
                    let decoder = FrameDecoder::$decoder(Limits::new());
                    let commands = $commands(&parts);
                    let mut wire = Vec::new();
                    for command in &commands {
                        command.encode(&mut wire);
                    }
                    let mut inbox = Inbox::new(decoder);
                    let mut expected = commands.iter();
                    let (mut rest, mut sizes) = (&wire[..], sizes.iter().cycle());
                    while !rest.is_empty() {
                        let size = rest.len().min(*sizes.next().expect("it is a cycle"));
                        let (mut chunk, behind) = rest.split_at(size);
                        while let Some(Incoming::Frame(frame)) = inbox.next(&mut chunk).unwrap() {
                            let Ok(Parsed::Command(read, _)) = <$Command>::parse(frame) else {
                                panic!("{frame:?}");
                            };
                            prop_assert_eq!(Some(&read), expected.next());
                        }
                        rest = behind;
                    }
                    prop_assert_eq!(expected.next(), None);
                    prop_assert!(inbox.is_between_frames());
                    prop_assert!(inbox.decoder().scanned() <= 2 * wire.len() as u64);
                }

                #[test]
                fn all_verbs_are_tested(parts in parts()) {
                    let verbs: BTreeSet<_> =
                        $commands(&parts).iter().map(|command| command.verb()).collect();
                    let rows: &[VerbRow] = <$Command>::VERBS;
                    prop_assert_eq!(verbs, rows.iter().map(|row| row.verb).collect());
                }
            }
        }
    };
}

round_trip!(to_a_notification_server, notification_server, ns::Request<'_>, notification_requests);
round_trip!(from_a_notification_server, notification_client, ns::Reply<'_>, notification_replies);
round_trip!(to_a_switchboard, switchboard_server, sb::Request<'_>, switchboard_requests);
round_trip!(from_a_switchboard, switchboard_client, sb::Reply<'_>, switchboard_replies);

proptest! {
    #[test]
    fn refusals(number in 100..=999_u16, trid in proptest::option::of(any::<u32>())) {
        let code = ErrorCode::new(number).expect("three digits");
        let reply = ErrorReply { code, trid: trid.map(TrId) };
        let mut wire = Vec::new();
        reply.encode(&mut wire);
        let decoder = FrameDecoder::notification_client(Limits::new());
        let Seen::Frame { line, payload: None } = one_frame(&decoder, &wire) else { panic!() };
        prop_assert_eq!(ErrorReply::parse(Frame::new(&line, None)), Some(reply));
    }

    /// What nobody knows comes back byte for byte, and any bytes at all are cut the same way in
    /// every chunking.
    #[test]
    fn any_bytes(
        pieces in vec(
            prop_oneof![
                4 => vec(any::<u8>(), 0..40),
                2 => select(vec![&b"\r\n"[..], b"\n", b" ", b"\r"]).prop_map(<[u8]>::to_vec),
                2 => "(MSG a@b c|NOT|QNG|XYZ 1) [0-9]{1,3}\r\n".prop_map(String::into_bytes),
            ],
            0..12,
        ),
    ) {
        let stream = pieces.concat();
        let mut limits = Limits::new();
        limits.line = 64;
        limits.payload = 50;
        let decoder = FrameDecoder::notification_client(limits);
        let (seen, _) = cut_in_every_way(&decoder, &stream);
        let mut rest = &stream[..];
        for piece in &seen {
            let (Seen::Frame { line, .. } | Seen::Oversized { line, .. }) = piece else { continue };
            let place = rest.windows(line.len()).position(|window| window == line);
            rest = &rest[place.expect("the line is in the stream") + line.len()..];
            // Reading must not panic whatever the line is.
            let _ = ns::Reply::parse(Frame::new(line, None));
            let _ = ns::Request::parse(Frame::new(line, Some(b"")));
            let _ = sb::Reply::parse(Frame::new(line, Some(b"x")));
            let _ = sb::Request::parse(Frame::new(line, None));
        }
    }

    /// Whatever can be read can be written, and is then read as the same.
    #[test]
    fn what_was_read_can_be_written(
        row in select(ns::Reply::VERBS),
        words in vec(
            prop_oneof![
                4 => select(vec![
                    "0", "1", "7", "FL", "AL", "BL", "A", "OK", "MD5", "S", "SB", "NS", "CKI", "PHH",
                    "NLN", "a@b.c", "b@c", "192.0.2.1:1863", "[::1]:5", "0,5", "OTH", "OFF", "%41%zz",
                ]).prop_map(|word| word.as_bytes().to_vec()),
                1 => token(),
            ],
            0..10,
        ),
    ) {
        let line = [row.verb.as_bytes().to_vec(), words.join(&b' ')].join(&b' ');
        let payload = row.payload.then_some(&b"hello"[..]);
        let line = if row.payload { [&line[..], b" 5"].concat() } else { line };
        if let Ok(Parsed::Command(command, _)) = ns::Reply::parse(Frame::new(&line, payload)) {
            let mut wire = Vec::new();
            command.encode(&mut wire);
            let decoder = FrameDecoder::notification_client(Limits::new());
            let (seen, between) = cut(&decoder, [&wire[..]]);
            prop_assert!(between);
            let [Seen::Frame { line, payload }] = &seen[..] else { panic!("{seen:?}") };
            let again = ns::Reply::parse(Frame::new(line, payload.as_deref()));
            let Ok(Parsed::Command(again, extra)) = again else { panic!("{again:?}") };
            prop_assert_eq!(again, command);
            prop_assert!(extra.is_empty());
        }
    }
}

#[test]
fn missing_argument_cuts_off_those_behind_it() {
    let handle = Handle::new("bob@example.net").unwrap();
    let flag = Token::new(b"1");
    let command =
        ns::Reply::UsrOk { trid: TrId(7), account: (&handle).into(), name: None, verified: flag };
    let mut wire = Vec::new();
    command.encode(&mut wire);
    assert_eq!(wire, b"USR 7 OK bob@example.net\r\n", "the flag would be read as a name");
}

#[test]
fn addresses_that_cannot_be_said_are_refused() {
    for (host, port) in [("a b", 1), ("a\r\nOUT", 1), ("", 1), ("[::1]", 1), ("a", 0)] {
        let target = Target { host: host.into(), port };
        assert_eq!(Address::from_target(&target), None, "{target:?}");
    }
}
