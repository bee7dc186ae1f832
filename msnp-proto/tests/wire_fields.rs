//! The fields of commands by name, and streams of dialects that have other payloads.

use msnp_proto::limits::Limits;
use msnp_proto::wire::{Decoded, Frame, FrameDecoder, Parsed, Value, Verb};
use msnp_proto::{ns, sb};

fn shown(value: Value<'_>) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match value {
        Value::Number(number) => format!("#{number}"),
        Value::Word(word) => text(word),
        Value::Name(name) => format!("\"{}\"", name.to_text()),
        Value::Address(address) => address.to_target().to_string(),
        Value::Words(words) => {
            let words: Vec<String> = words.iter().map(text).collect();
            format!("[{}]", words.join("|"))
        }
        Value::Groups(groups) => format!("{:?}", groups.to_vec()),
        Value::Body(body) => format!("{} bytes", body.len()),
        other => panic!("{other:?} has no row here"),
    }
}

macro_rules! rows {
    ($Command:ty, $($line:literal $(+ $payload:literal)? => $fields:literal;)*) => { $({
        let payload: &[Option<&[u8]>] = &[None $(, Some($payload))?];
        let frame = Frame::new($line.as_bytes(), payload.last().copied().flatten());
        let Ok(Parsed::Command(command, _)) = <$Command>::parse(frame) else {
            panic!("{} is not read", $line);
        };
        let mut fields = Vec::new();
        command.fields(&mut |name, value| fields.push(format!("{name}={}", shown(value))));
        assert_eq!(fields.join(" "), $fields, "{}", $line);
    })* };
}

#[test]
fn each_kind_of_field_is_shown_by_its_name_and_what_is_missing_is_not() {
    rows!(ns::Request<'_>,
        "VER 1 MSNP7  CVR0" => "trid=#1 dialects=[MSNP7|CVR0]";
        "USR 2 MD5 I alice@example.net" => "trid=#2 account=alice@example.net";
        "ADD 3 FL bob@example.net Bob%20B" => "trid=#3 list=FL account=bob@example.net name=\"Bob B\"";
        "GTC 4 A" => "trid=#4 prompt=A";
        "CHG 5 XYZ" => "trid=#5 status=XYZ";
        "CHG 5 BSY" => "trid=#5 status=BSY";
        "QRY 6 msmsgs@msnmsgr.com 4" + b"abcd" => "trid=#6 client_id=msmsgs@msnmsgr.com digest=4 bytes";
        "PNG" => "";
    );
    rows!(ns::Reply<'_>,
        "INF 1 MD5" => "trid=#1 packages=[MD5]";
        "LST 8 FL 12 1 2 bob@example.net Bob 0,5" =>
            "trid=#8 list=FL version=#12 index=#1 total=#2 account=bob@example.net name=\"Bob\" \
             groups=[GroupId(0), GroupId(5)]";
        "XFR 4 SB 192.0.2.1:1864 CKI 12.34" => "trid=#4 address=192.0.2.1:1864 cookie=12.34";
        "BPR 12 bob@example.net PHH" => "version=#12 account=bob@example.net key=PHH";
        "FLN bob@example.net" => "account=bob@example.net";
    );
    rows!(sb::Request<'_>,
        "MSG 4 N 2" + b"hi" => "trid=#4 delivery=N body=2 bytes";
    );
    rows!(sb::Reply<'_>,
        "BYE bob@example.net 1" => "account=bob@example.net idle=1";
    );
}

#[test]
fn values_never_print_what_they_hold() {
    let frame = Frame::new(b"XFR 4 SB 192.0.2.1:1864 CKI geheim", None);
    let Ok(Parsed::Command(command, _)) = ns::Reply::parse(frame) else { panic!() };
    let mut all = String::new();
    command.fields(&mut |_, value| all.push_str(&format!("{value:?} ")));
    assert_eq!(all, "Number Address Word ");
}

#[test]
fn another_table_of_payloads_keeps_the_stream_of_another_dialect_in_step() {
    fn later(verb: Verb) -> bool {
        verb.as_bytes() == b"UBX" || ns::Reply::has_payload(verb)
    }
    let stream = b"UBX bob@example.net 5\r\nhelloQNG 50\r\n";
    let mut decoder = FrameDecoder::notification_client(Limits::new()).with_payloads(later);
    let Ok(Decoded::Frame { frame, consumed }) = decoder.decode(stream) else { panic!() };
    assert_eq!(frame.payload(), Some(&b"hello"[..]));
    let Ok(Decoded::Frame { frame, .. }) = decoder.decode(&stream[consumed..]) else { panic!() };
    assert_eq!(frame.line(), b"QNG 50");
}
