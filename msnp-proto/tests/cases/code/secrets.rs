//! Secrets: what becomes of them in memory, and what is shown of what holds them.

use msnp_proto::body::{Mime, Notice, Profile};
use msnp_proto::client::{Client, Config, Event, SignIn};
use msnp_proto::hub::{Directory, Hub, HubConfig, MemoryDirectory, Password};
use msnp_proto::limits::Limits;
use msnp_proto::machine::{Closed, ConnId, Host, Machine, Output, Target};
use msnp_proto::ns::challenge::digest;
use msnp_proto::ns::{self, Credentials, Notification, Roster};
use msnp_proto::sb::{self, Setup, Switchboard};
use msnp_proto::secret::Secret;
use msnp_proto::testing::SeededEntropy;
use msnp_proto::testing::case::Place;
use msnp_proto::time::{Duration, Instant};
use msnp_proto::types::{Account, Address, Dialect, Name, Token, TrId};
use msnp_proto::wire::{Body, Frame, FrameDecoder, Inbox, Outbox, Parsed};

use crate::client::{ClientStage, handle};
use crate::hub::HubStage;
use crate::memory::Search;
use crate::stage::Stage;

const MARK: &str = "Geheimnis-7f3a9c";

/// A client whose password is the mark, at the server's word.
struct SignedIn {
    client: Client,
    conn: ConnId,
}

impl SignedIn {
    /// Signs in as far as the server's `lines` go.
    fn new(lines: &str) -> Self {
        let mut client = Client::new(Config::new());
        let server = Target { host: "messenger.example.net".into(), port: 1863 };
        let sign_in = SignIn::new(handle("alice@example.net"), MARK.into(), server);
        client.sign_in(Instant::ZERO, sign_in).expect("nobody is signed in");
        let Some(Output::Connect { conn, .. }) = client.poll_output() else { panic!() };
        client.handle_connected(Instant::ZERO, conn);
        let mut this = Self { client, conn };
        this.hear(lines);
        this
    }

    fn hear(&mut self, lines: &str) {
        self.client.handle_input(Instant::ZERO, self.conn, lines.as_bytes());
        self.client.consume(Instant::ZERO, self.conn, usize::MAX);
        while self.client.poll_output().is_some() {}
    }
}

/// As far as being online.
const ONLINE: &str = "VER 1 MSNP7\r\nINF 2 MD5\r\nUSR 3 MD5 S 1.2\r\nUSR 4 OK alice@example.net A 1\r\n\
    SYN 5 9\r\nLST 5 RL 9 0 0\r\nCHG 6 NLN\r\n";

/// L01: the password is in no memory when the session is over, however it ended, though its
/// connection is still being closed; and none that is given back had it in it.
pub(super) fn the_password_is_wiped_when_the_session_is_over() {
    let search = Search::begin(MARK.as_bytes());
    let probe = String::from(MARK);
    assert_eq!((search.held(), search.left()), (1, 0), "the search finds what is there");
    drop(probe);
    assert_eq!((search.held(), search.left()), (0, 1), "and what is left behind");
    drop(search);

    type End = (&'static str, &'static str, fn(&mut SignedIn));
    let ends: [End; 7] = [
        ("signed out", ONLINE, |one| one.client.sign_out(Instant::ZERO)),
        ("signed out at once", "", |one| one.client.sign_out(Instant::ZERO)),
        ("refused", "VER 1 MSNP7\r\nINF 2 MD5\r\nUSR 3 MD5 S 1.2\r\n", |one| one.hear("911 4\r\n")),
        ("elsewhere", ONLINE, |one| one.hear("OUT OTH\r\n")),
        ("violation", ONLINE, |one| one.hear("VER 1 MSNP7\r\n")),
        ("hung up", ONLINE, |one| one.client.handle_eof(Instant::ZERO, one.conn)),
        ("broken", ONLINE, |one| one.client.handle_closed(Instant::ZERO, one.conn, Closed::Reset)),
    ];
    // What others left in free memory does not count, and how memory is found changes how deep the
    // stack is used: both differ from run to run.
    for sizes in [0, 1, 8, 64] {
        let strewn: Vec<String> = (1..=sizes).map(|size| MARK.repeat(size)).collect();
        drop(strewn);
        for (how, lines, end) in &ends {
            let search = Search::begin(MARK.as_bytes());
            let mut one = SignedIn::new(lines);
            assert!(search.held() > 0, "{how}: it is kept while it is needed");
            end(&mut one);
            assert_eq!(search.held(), 0, "{how}: it is kept although nobody needs it");
            drop(one);
            assert_eq!(search.left(), 0, "{how}: it was left in memory");
        }
    }
    // Dropped in the middle, moved to another server, begun again on the same connection.
    for more in ["", "XFR 0 NS 192.0.2.9:1863\r\n", "XFR 0 NS 0\r\nVER 7 MSNP7\r\n"] {
        let search = Search::begin(MARK.as_bytes());
        let mut one = SignedIn::new(ONLINE);
        one.hear(more);
        drop(one);
        assert_eq!((search.held(), search.left()), (0, 0), "{more:?}");
    }
}

/// L01: cookies and tickets are wiped when they are dropped; passwords of a server when it is, or
/// when their account is removed.
pub(super) fn other_secrets_are_wiped_too() {
    let search = Search::begin(MARK.as_bytes());
    let mut one = SignedIn::new(ONLINE);
    assert!(one.client.open_chat(Instant::ZERO, &handle("bob@example.net")).is_ok());
    assert_eq!(search.left(), 0);
    one.client.sign_out(Instant::ZERO);
    drop(one);
    drop(search);

    let profile = format!("Content-Type: text/x-msmsgsprofile\r\nMSPAuth: {MARK}\r\n\r\n");
    let search = Search::begin(MARK.as_bytes());
    let Notice::Profile(view) = Notice::parse(profile.as_bytes()) else { panic!("a profile") };
    let profile = view.to_profile();
    assert_eq!(search.held(), 1);
    drop(profile);
    assert_eq!((search.held(), search.left()), (0, 0));
    drop(search);

    let search = Search::begin(MARK.as_bytes());
    let alice = handle("alice@example.net");
    let mut people = MemoryDirectory::new().account(alice.clone(), MARK);
    drop(people.password(&alice));
    people.insert(alice.clone(), Password::Is("another".into()));
    assert_eq!((search.held(), search.left()), (0, 0), "replaced");
    people.insert(alice.clone(), Password::Is(MARK.into()));
    assert!(people.remove(&alice));
    assert_eq!((search.held(), search.left()), (0, 0), "removed");
    people.insert(alice, Password::Is(MARK.into()));
    let at = "192.0.2.1:1863".parse().expect("an address");
    let hub = Hub::new(HubConfig::new(at), people, Box::new(SeededEntropy::new(1)));
    drop(hub);
    assert_eq!((search.held(), search.left()), (0, 0), "the hub is gone");
}

/// L02: what can hold a secret does not show it, in any state, in any of its texts.
pub(super) fn nothing_that_holds_a_secret_shows_it() {
    let shows = |what: &str, text: String| {
        let digest = digest(b"1.2", MARK.as_bytes());
        let digest = String::from_utf8_lossy(&digest).into_owned();
        let secrets = [MARK, &*digest, "Keks-"];
        assert!(!secrets.iter().any(|secret| text.contains(secret)), "{what} shows {text}");
    };
    macro_rules! check {
        ($($value:expr),* $(,)?) => {
            $(
                let value = &$value;
                shows(stringify!($value), format!("{value:?} {value:#?}"));
            )*
        };
    }
    let secret = Secret::from(MARK);
    let alice = handle("alice@example.net");
    let server = Target { host: "messenger.example.net".into(), port: 1863 };
    let credentials = Credentials::new(alice.clone(), secret.clone());
    check!(secret, credentials, SignIn::new(alice.clone(), secret.clone(), server));

    // A client in every state, with all that it has said and heard.
    let lines: Vec<&str> = ONLINE.split_inclusive("\r\n").collect();
    for count in 0..=lines.len() {
        let one = SignedIn::new(&lines[..count].concat());
        check!(one.client);
    }
    let mut machine =
        Notification::new(Instant::ZERO, Config::new(), credentials.clone(), Roster::new());
    for line in &lines {
        machine.handle_input(Instant::ZERO, line.as_bytes());
        check!(machine);
    }
    let ring = format!("RNG 7 192.0.2.20:1863 CKI {MARK} dave@example.net Dave\r\n");
    machine.handle_input(Instant::ZERO, ring.as_bytes());
    machine.ask_switchboard(Instant::ZERO, 1).expect("online");
    let answer = format!("XFR 8 SB 192.0.2.20:1863 CKI {MARK}\r\n");
    machine.handle_input(Instant::ZERO, answer.as_bytes());
    let mut cookies = 0;
    while let Some(event) = machine.poll_event() {
        cookies +=
            i32::from(matches!(event, ns::Event::Rung { .. } | ns::Event::Switchboard { .. }));
        check!(event);
    }
    assert_eq!(cookies, 2);
    let setup = Setup::new(alice.clone());
    check!(Switchboard::calling(Instant::ZERO, setup.clone(), &secret));
    check!(Switchboard::answering(Instant::ZERO, setup, &secret, "7"));
    for place in Place::ALL.into_iter().filter(|place| place.is_client()) {
        let stage = ClientStage::new(place);
        check!(stage.client);
    }
    for place in Place::ALL.into_iter().filter(|place| !place.is_client()) {
        let stage = HubStage::new(place);
        let shown = format!("{:?} {:?}", stage.hub, stage.hub.directory());
        let secrets = stage.secrets();
        assert!(!secrets.iter().any(|secret| shown.contains(secret)), "{place}: {shown}");
    }
    let people = MemoryDirectory::new().account(alice.clone(), MARK);
    check!(people, Password::Is(secret));

    // The wire: views of what is on its way, and buffers of it.
    let word = Token::new(MARK.as_bytes()).expect("a word");
    let account = Account::from(&alice);
    let (trid, name) = (TrId(1), Name::from_text("A"));
    let address = Address::parse("192.0.2.20:1863").expect("an address");
    let line = format!("USR 4 MD5 S {MARK}");
    check!(word, Frame::new(line.as_bytes(), Some(MARK.as_bytes())));
    check!(
        ns::Request::UsrDigest { trid, digest: word },
        ns::Reply::UsrChallenge { trid, challenge: word },
        ns::Reply::XfrSwitchboard { trid, address, cookie: word },
        ns::Reply::Rng { session: word, address, cookie: word, account, name },
        ns::Reply::Chl { trid, challenge: word },
        ns::Request::Qry { trid, client_id: word, digest: Body(MARK.as_bytes()) },
        sb::Request::Usr { trid, account, cookie: word },
        sb::Request::Ans { trid, account, cookie: word, session: word },
        sb::Request::Msg {
            trid,
            delivery: msnp_proto::types::Delivery::Always,
            body: Body(MARK.as_bytes())
        },
        Parsed::Command(sb::Request::Usr { trid, account, cookie: word }, Default::default()),
    );
    let mut inbox = Inbox::new(FrameDecoder::notification_client(Limits::default()));
    let mut half = MARK.as_bytes();
    assert!(matches!(inbox.next(&mut half), Ok(None)));
    let mut outbox = Outbox::new();
    outbox.buffer().extend_from_slice(MARK.as_bytes());
    check!(inbox, outbox);

    // Profiles, and mail with a ticket in its header.
    let mut profile = Profile::default();
    profile.ticket = MARK.into();
    let mut payload = Vec::new();
    profile.write(Dialect::Msnp7, &mut payload).expect("no control characters");
    check!(
        profile,
        Notice::parse(&payload),
        Mime::parse(&payload),
        Mime::parse(&payload).headers()
    );
    for field in Mime::parse(&payload).headers().iter() {
        check!(field);
    }
    check!(Event::Profile(Box::new(profile)));

    // Texts for people: why a sign-in failed, and what was odd.
    let mut one = SignedIn::new(&lines[..3].concat());
    one.client.handle_input(Instant::ZERO, one.conn, format!("USR 4 {MARK}\r\n").as_bytes());
    one.client.handle_timeout(Instant::ZERO + Duration::from_secs(60));
    while let Some(output) = one.client.poll_output() {
        check!(output);
    }
}
