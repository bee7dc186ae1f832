//! Every command, with values of every kind that are made up.

use msnp_proto::machine::Target;
use msnp_proto::types::{
    Account, Address, Delivery, GroupId, Groups, Handle, Key, List, Name, Number, OnOff, Packages,
    Privacy, Prompt, Property, Status, StatusCode, Token, TrId, Words,
};
use msnp_proto::wire::Body;
use msnp_proto::{ns, sb};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// The parts that commands are made of.
#[derive(Debug)]
pub(crate) struct Parts {
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
pub(crate) fn token() -> impl Strategy<Value = Vec<u8>> {
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

pub(crate) fn parts() -> impl Strategy<Value = Parts> {
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

pub(crate) fn notification_requests(p: &Parts) -> Vec<ns::Request<'_>> {
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

pub(crate) fn notification_replies(p: &Parts) -> Vec<ns::Reply<'_>> {
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

pub(crate) fn switchboard_requests(p: &Parts) -> Vec<sb::Request<'_>> {
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

pub(crate) fn switchboard_replies(p: &Parts) -> Vec<sb::Reply<'_>> {
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
