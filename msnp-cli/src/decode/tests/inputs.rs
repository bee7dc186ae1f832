//! Inputs of every kind: transcripts, streams, later dialects, secrets, and bytes that are nothing.

use proptest::prelude::*;

use super::capture::{Capture, Faults};
use super::*;

#[test]
fn every_transcript_of_the_core_is_read_without_a_remainder() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../msnp-proto/transcripts");
    let envelope = ["v", "seq", "t", "type", "connection", "server", "from", "verb"];
    let (mut files, mut commands, mut broken) = (0, 0, 0);
    for entry in std::fs::read_dir(folder).expect("the transcripts") {
        let path = entry.expect("a file").path();
        let text = std::fs::read(&path).expect("a readable file");
        let (out, ended, summary) = decode_as(Options::new(Form::Json), &text);
        assert_eq!(ended, Ok(()), "{}", path.display());
        for line in out.lines() {
            // A name twice would hide one of them.
            for name in envelope {
                let key = format!("\"{name}\":");
                let end = line.find("\"body\":").unwrap_or(line.len());
                assert!(line[..end].matches(&key).count() <= 1, "{line}");
            }
        }
        // Some dialogues are about connections that break.
        let unreadable = parsed(&out).into_iter().filter(|event| event["type"] == "unreadable");
        let whys: Vec<String> = unreadable.map(|event| event["reason"].to_string()).collect();
        assert!(
            whys.iter().all(|why| why.contains("the stream ends")),
            "{}: {out}",
            path.display()
        );
        files += 1;
        commands += summary.commands;
        broken += whys.len();
    }
    assert!(files > 90 && commands > 1000 && broken < 5, "{files}, {commands}, {broken}");
}

const SECRETS: &str = "\
a S: VER 1 MSNP7
a C: VER 1 MSNP7
a S: USR 2 MD5 S geheim1
a C: USR 3  MD5 S geheim2
a S: USR 3 OK a@b.c A 1
a S: XFR 4 SB 192.0.2.1:1863 CKI geheim3
a S: RNG 7 192.0.2.1:1863 CKI geheim4 b@c.d B
a S: MSG Hotmail Hotmail 42
a S: lang: 1
a S: MSPAuth: geheim5
a S: sid:geheim6
a S:
a S: x\\
a C: USR 5 TWN S t=geheim7 geheim7
a C: usr 6 MD5 S geheim13
a C: USR 7 md5 s geheim14
a S: XFR 8 SB 192.0.2.1:1863 cki geheim15
a S: rng 9 192.0.2.1:1863 cki geheim16 b@c.d B
b C: USR 1 a@b.c geheim8
b C: usr 2 a@b.c geheim17
c C: ANS 1 a@b.c geheim9 77
c S: MSG b@c.d B 63
c S: Content-Type: text/x-msmsgsinvite
c S:
c S: AuthCookie: geheim10\\r\\nX\\xff\\
c S: hello
c S: MSPAuth: geheim11
c S: USR 3 MD5 S geheim12
";

#[test]
fn secrets_occur_in_no_form_unless_they_are_asked_for() {
    let forms =
        [Form::Json, Form::Text { colour: false }, Form::Ladder { width: 500 }, Form::Mermaid];
    for form in forms {
        let (out, ended, summary) = decode_as(Options::new(form), SECRETS.as_bytes());
        assert_eq!(ended, Ok(()));
        assert!(summary.commands >= 12 && out.contains("***"), "{out}");
        assert!(!out.contains("geheim"), "{form:?}: {out}");
        // In the bytes of a payload neither: each of three places of base64.
        for text in ["geheim", "xgeheim", "xxgeheim"] {
            let coded = crate::translate::base64(text.as_bytes());
            assert!(!out.contains(&coded[4..8]), "{form:?}: {out}");
        }
    }
    let mut options = Options::new(Form::Json);
    options.show_secrets = true;
    let (out, ..) = decode_as(options, SECRETS.as_bytes());
    for number in [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17] {
        assert!(out.contains(&format!("geheim{number}")), "{number}: {out}");
    }
}

#[test]
fn streams_of_one_side_and_broken_transcripts() {
    let stream = b"VER 1 MSNP7\r\nINF 2 MD5\r\nUSR 3 MD5 S 1.2\r\nNLN NLN a@b.c A\r\n";
    assert_eq!(
        shown(stream),
        [
            "1 opened",
            "1 notification S VER 1",
            "1 notification S INF 2",
            "1 notification S USR 3",
            "1 notification S NLN",
            "1 closedthe input ends",
        ]
    );
    let mut options = Options::new(Form::Json);
    options.format = Format::Client;
    let (out, ended, _) = decode_as(options, b"hello\r\nPNG\r\n");
    assert_eq!(ended, Ok(()));
    assert_eq!(parsed(&out).iter().filter(|event| event["verb"] == "PNG").count(), 1);

    for (text, said) in [
        ("C: PNG\nX: what\n", "line 2, column 1: expected"),
        ("C: PNG\n\n# a\nC: \\q\n", "line 4, column 4: expected"),
    ] {
        let (out, ended, summary) = decode_as(Options::new(Form::Json), text.as_bytes());
        let BadInput(text) = ended.expect_err("broken");
        assert!(text.starts_with(said), "{text}");
        assert_eq!(summary.commands, 1);
        parsed(&out);
    }
    let (_, ended, _) = decode_as(Options::new(Form::Json), b"C: PNG\nC: \xff\n");
    assert_eq!(ended, Err(BadInput("line 2 is not UTF-8, as a transcript is".into())));
    let (_, ended, _) = decode_as(Options::new(Form::Json), b"");
    assert!(ended.is_err());
}

/// A sign-in of a later dialect: payloads that the tables do not know, answers without the payload
/// that a request of the same verb has, and a switchboard.
const LATER: &str = "\
ns C: VER 1 MSNP13 MSNP12 CVR0
ns S: VER 1 MSNP13
ns C: CVR 2 0x0409 winnt 5.1 i386 MSNMSGR 8.0.0812 MSMSGS a@b.c
ns C: USR 3 TWN I a@b.c
ns S: USR 3 TWN S lc=1033,id=507
ns C: USR 4 TWN S t=geheim
ns S: USR 4 OK a@b.c 1 0
ns S: GCF 0 Shields.xml 6
ns S: <x/>\\r\\n\\
ns C: BLP 5 AL
ns C: ADL 6 9
ns C: <ml></ml>\\
ns S: ADL 6 OK
ns C: UUX 7 11
ns C: <Data/>mood\\
ns S: UUX 7 0
ns S: UBX b@b.c 4
ns S: \\x00\\xff<>\\
ns S: NLN NLN b@b.c B 1073791084
ns S: 241 8 5
ns S: <ml/>\\
ns S: 217 9
ns S: QNG 47
ns S: UBX c@b.c 0
ns S: FLN b@b.c
";

#[test]
fn later_dialects_are_kept_as_they_come_and_the_step_with_them() {
    let (out, ended, summary) = decode_as(Options::new(Form::Json), LATER.as_bytes());
    assert_eq!((ended, summary.unreadable, summary.commands), (Ok(()), 0, 20));
    let events = parsed(&out);
    let one = |verb: &str, from: &str| {
        let wanted = |event: &&Value| event["verb"] == verb && event["from"] == from;
        events.iter().rfind(wanted).expect("the command").clone()
    };
    assert!(events.iter().all(|event| event["problem"].is_null()), "{out}");
    assert_eq!(one("USR", "client")["words"], serde_json::json!(["4", "TWN", "S", "***"]));
    assert_eq!(one("GCF", "server")["payload"], "<x/>\r\n");
    assert_eq!(one("ADL", "client")["payload"], "<ml></ml>");
    assert_eq!(one("ADL", "server")["words"], serde_json::json!(["6", "OK"]));
    let ubx = events.iter().find(|event| event["verb"] == "UBX").expect("the first");
    assert_eq!(ubx["payload_b64"], "AP88Pg==");
    assert_eq!(one("NLN", "server")["extra"], "1073791084");
    assert_eq!(one("241", "server")["payload"], "<ml/>");
    assert_eq!(
        (&one("217", "server")["code"], &one("217", "server")["trid"]),
        (&217.into(), &9.into())
    );
}

/// What a text is shown as does not depend on the one before it.
#[test]
fn a_text_is_the_same_behind_any_other() {
    let mime = "MIME-Version: 1.0\r\nContent-Type: text/plain";
    let payloads: Vec<Vec<u8>> = [
        format!("{mime}; charset=UTF-8\r\n\r\nhello"),
        format!("{mime}; charset=UTF-8\r\n\r\n"),
        format!("{mime}; charset=UTF-8\r\n\r\ntwo\r\nlines\r\n\r\nand a third"),
        format!("{mime}; charset=UTF-8\r\nUser-Agent: x\r\n\r\nhello"),
        format!("{mime}; charset=UTF-8\r\nX-MMS-IM-Format: FN=Arial; EF=B; CO=ff; CS=0; PF=22\r\n\r\nhello"),
        format!("{mime}; charset=UTF-8\n\ntwo\r\n\r\nlines"),
        format!("{mime}; charset=UTF-8\n\ntwo\r\n\r\nother lines"),
        format!("{mime}\r\n\r\ncaf\u{e9}"),
        format!("{mime}; charset=koi8-r\r\n\r\nhello"),
        format!("{mime}; charset=UTF-8\r\n\r\nsid: x\r\n"),
        "hello".to_owned(),
        String::new(),
    ]
    .into_iter()
    .map(String::into_bytes)
    .chain([[mime.as_bytes(), b"; charset=UTF-8\r\n\r\n\xff"].concat(), vec![0xFF]])
    .collect();
    let bodies = |payloads: &[&Vec<u8>]| -> Vec<Value> {
        let mut stream = b"ACK 1\r\n".to_vec();
        for payload in payloads {
            stream.extend(format!("MSG a@b.c A {}\r\n", payload.len()).into_bytes());
            stream.extend_from_slice(payload);
        }
        let events = events(&stream);
        events
            .into_iter()
            .filter(|event| event["verb"] == "MSG")
            .map(|event| event["body"].clone())
            .collect()
    };
    for one in &payloads {
        let alone = bodies(&[one]);
        for other in &payloads {
            let behind = bodies(&[other, one]);
            assert_eq!(behind[1], alone[0], "{} {}", one.escape_ascii(), other.escape_ascii());
        }
    }
}

/// Any small capture with mistakes in it.
fn broken_capture() -> impl Strategy<Value = Vec<u8>> {
    let mistakes = prop::collection::vec((24_usize..6000, any::<u8>()), 0..6);
    (any::<u64>(), mistakes, 0_usize..6000).prop_map(|(seed, mistakes, end)| {
        let mut file = Capture::new(seed, Faults { late: 100, twice: 50, lost: 50 });
        file.evening(1);
        file.settle();
        let mut bytes = file.file;
        bytes.truncate(6000.min(end + 3000));
        for (at, value) in mistakes {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However an input is cut, the same comes out, and all of it can be read.
    #[test]
    fn cutting_an_input_changes_nothing(bytes in broken_capture(), size in 1_usize..3000) {
        let whole = decode_as(Options::new(Form::Json), &bytes);
        let mut decoder = Decoder::new(Options::new(Form::Json));
        let mut out = Vec::new();
        for chunk in bytes.chunks(size) {
            if decoder.push(chunk).is_err() {
                break;
            }
            out.append(decoder.output());
        }
        let ended = decoder.finish();
        decoder.conclude(if ended.is_ok() { 0 } else { 65 });
        out.append(decoder.output());
        prop_assert_eq!(&ended, &whole.1);
        prop_assert_eq!(String::from_utf8(out).expect("UTF-8"), whole.0.clone());
        parsed(&whole.0);
    }

    /// Any bytes whatever, in every form and taken for anything.
    #[test]
    fn any_bytes_are_an_input(bytes in prop::collection::vec(any::<u8>(), 0..400), kind in 0_usize..6, form in 0_usize..4) {
        let formats = [Format::Auto, Format::Pcap, Format::Pcapng, Format::Transcript, Format::Client, Format::Server];
        let forms = [Form::Json, Form::Text { colour: false }, Form::Ladder { width: 80 }, Form::Mermaid];
        let mut options = Options::new(forms[form]);
        options.format = formats[kind];
        let (out, _, _) = decode_as(options, &bytes);
        prop_assert!(!out.chars().any(|c| c.is_control() && c != '\n'));
        if form == 0 {
            parsed(&out);
        }
    }
}
