//! Payloads as real peers send them, and as we write them: tables.

use msnp_proto::body::{
    Charset, Colour, ContentType, Effects, Font, Format, Message, Mime, MimeProblem, Text, control,
    decode_words, text,
};
use msnp_proto::types::Handle;

fn format(font: &str, letters: &[u8], colour: (u8, u8, u8)) -> Format {
    let (r, g, b) = colour;
    Format {
        font: Font::new(font),
        effects: Effects::parse(letters),
        colour: Colour { r, g, b },
        ..Format::ARIAL
    }
}

fn text_of(payload: &[u8]) -> Text {
    match Message::parse(payload) {
        Message::Text(text) => text.to_text(),
        other => panic!("{other:?} in {}", payload.escape_ascii()),
    }
}

fn with_type(content_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("MIME-Version: 1.0\r\nContent-Type: {content_type}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

#[test]
fn a_text_of_2002_is_written_byte_for_byte() {
    // The dialogue at hypothetic.org: `MSG 2 N 137`.
    let wire = "MIME-Version: 1.0\r\n\
        Content-Type: text/plain; charset=UTF-8\r\n\
        X-MMS-IM-Format: FN=Microsoft%20Sans%20Serif; EF=; CO=0; CS=0; PF=22\r\n\
        \r\n\
        hello";
    let format = format("Microsoft Sans Serif", b"", (0, 0, 0));
    let mut out = Vec::new();
    text::write(&mut out, &format, "hello");
    assert_eq!(String::from_utf8(out).unwrap(), wire);
    assert_eq!(wire.len(), 137);
    assert_eq!(text::payload_len(&format, "hello"), 137);
    let text = text_of(wire.as_bytes());
    assert_eq!((text.content.as_str(), text.format, text.raw), ("hello", format, None));
}

#[test]
fn a_text_with_effects_has_the_length_of_the_example() {
    let mut out = Vec::new();
    text::write(&mut out, &format("Arial", b"IB", (0, 0, 255)), "Hello, Bob!");
    assert_eq!(out.len(), 131);
    let format = Mime::parse(&out).header("x-mms-im-format");
    assert_eq!(format, Some(&b"FN=Arial; EF=BI; CO=ff0000; CS=0; PF=22"[..]));
}

#[test]
fn a_typing_notice_is_73_bytes_and_the_account() {
    for (handle, len) in [("alice@example.net", 90), ("bob@example.com", 88), ("a@b", 76)] {
        let mut out = Vec::new();
        control::write_typing(&mut out, &Handle::new(handle).unwrap());
        assert_eq!(out.len(), len);
        assert!(out.ends_with(b"\r\n\r\n\r\n"));
        assert_eq!(Message::parse(&out), Message::Typing { user: handle.as_bytes() });
    }
}

#[test]
fn colours_are_blue_first() {
    for (wire, rgb) in [
        ("0", (0, 0, 0)),
        ("ff", (255, 0, 0)),
        ("8000", (0, 128, 0)),
        ("ff0000", (0, 0, 255)),
        ("80ff", (255, 128, 0)),
        ("ffffff", (255, 255, 255)),
        ("c0c0c0", (192, 192, 192)),
        ("1ff", (255, 1, 0)),
        ("12345", (0x45, 0x23, 0x01)),
    ] {
        let (r, g, b) = rgb;
        let colour = Colour { r, g, b };
        assert_eq!(Format::parse(format!("CO={wire}").as_bytes()).colour, colour, "{wire}");
        let written = Format { colour, ..Format::default() }.to_string();
        assert_eq!(written, format!("FN=; EF=; CO={wire}; CS=0; PF=0"));
    }
}

#[test]
fn formats_are_read_in_any_shape() {
    let arial = format("Arial", b"", (255, 0, 0));
    for (wire, expected) in [
        ("FN=Arial; EF=; CO=ff; CS=0; PF=22", arial),
        ("fn=Arial;ef=;co=FF;cs=0;pf=22", arial),
        ("PF=22; CS=0; CO=0000ff; EF=; FN=Arial;", arial),
        ("  FN = Arial ;; CO=ff ; PF=22; XX=1; junk; =", arial),
        ("FN=Arial; CO=ff; CO=0; PF=22; FN=Courier", arial),
        ("FN=Arial; CO=ff; PF=22; RL=1", Format { right_to_left: true, ..arial }),
        ("FN=Arial; CO=ff; PF=22; RL=2", arial),
        ("FN=Arial; CO=ff; PF=22; CS=cc", Format { charset: 0xcc, ..arial }),
        ("FN=Arial; CO=; PF=22", Format { colour: Colour::default(), ..arial }),
        ("FN=; CO=ff; PF=22", Format { font: None, ..arial }),
        ("", Format::default()),
    ] {
        assert_eq!(Format::parse(wire.as_bytes()), expected, "{wire}");
    }
}

#[test]
fn formats_are_written_font_first() {
    let odd = Format {
        font: Font::new("ＭＳ;P%=\"é"),
        effects: Effects::parse(b"SUIB"),
        colour: Colour { r: 1, g: 0, b: 0 },
        charset: 0x80,
        pitch_family: 0x2,
        right_to_left: true,
    };
    let wire = "FN=%EF%BC%AD%EF%BC%B3%3BP%25=\"%C3%A9; EF=BIUS; CO=1; CS=80; PF=2; RL=1";
    assert_eq!(odd.to_string(), wire);
    assert_eq!(Format::parse(wire.as_bytes()), odd);
    assert_eq!(Format::ARIAL.to_string(), "FN=Arial; EF=; CO=0; CS=0; PF=22");
    assert_eq!(Format::ARIAL.font, Font::new("Arial"));
}

#[test]
fn fonts_are_limited() {
    for (name, fits) in [
        ("a".repeat(31), true),
        ("a".repeat(32), false),
        ("\u{FF2D}".repeat(31), true),
        ("\u{1F600}".repeat(15), true),
        ("\u{1F600}".repeat(16), false),
        (String::new(), false),
        ("a\r\nb".into(), false),
        ("a\0".into(), false),
    ] {
        assert_eq!(Font::new(&name).map(|font| font.to_string()), fits.then_some(name));
    }
}

#[test]
fn line_breaks_are_crlf_on_the_wire_and_lf_in_texts() {
    for (content, wire, read) in [
        ("a\nb", "a\r\nb", "a\nb"),
        ("a\r\nb", "a\r\nb", "a\nb"),
        ("a\rb", "a\r\nb", "a\nb"),
        ("\r\r\n\n", "\r\n\r\n\r\n", "\n\n\n"),
        ("", "", ""),
        ("\n", "\r\n", "\n"),
    ] {
        let mut out = Vec::new();
        text::write(&mut out, &Format::ARIAL, content);
        assert_eq!(out.len(), text::payload_len(&Format::ARIAL, content));
        assert_eq!(Mime::parse(&out).body(), wire.as_bytes(), "{content:?}");
        assert_eq!(text_of(&out).content, read, "{content:?}");
    }
    assert_eq!(text_of(&with_type("text/plain; charset=UTF-8", b"a\rb\n\rc")).content, "a\nb\n\nc");
}

#[test]
fn content_types_in_every_dress() {
    for (value, essence, charset) in [
        ("text/plain", "text/plain", None),
        ("text/plain;charset=UTF-8", "text/plain", Some("UTF-8")),
        ("text/plain; charset=UTF-8", "text/plain", Some("UTF-8")),
        ("TEXT/plain ; CHARSET = \"utf-8\" ", "TEXT/plain", Some("utf-8")),
        ("text/plain; format=flowed; charset=a; charset=b", "text/plain", Some("a")),
        ("text/plain; charset=", "text/plain", Some("")),
        ("text/plain; charset=\"utf-8", "text/plain", Some("\"utf-8")),
        ("text/plain; junk;;", "text/plain", None),
        ("text/plain;;;=;", "", None),
        ("text", "", None),
        ("/", "", None),
        ("text/", "", None),
        ("/plain", "", None),
        ("", "", None),
    ] {
        let charset = charset.map(str::as_bytes);
        let expected = ContentType { essence: essence.as_bytes(), charset };
        assert_eq!(ContentType::parse(value.as_bytes()), expected, "{value}");
    }
}

#[test]
fn charsets() {
    for (charset, body, content, kind, kept) in [
        ("; charset=UTF-8", &b"\xc3\xa9"[..], "é", Charset::Utf8, false),
        ("; charset=us-ascii", b"e", "e", Charset::Utf8, false),
        ("", b"\xe9", "é", Charset::Unstated, false),
        ("", b"\xc3\xa9", "Ã©", Charset::Unstated, false),
        ("; charset=iso-8859-1", b"\xe9", "é", Charset::Latin1, false),
        ("; charset=UTF-8", b"\xe9", "\u{FFFD}", Charset::Utf8, true),
        ("; charset=windows-1250", b"e", "e", Charset::Unknown, true),
        ("; charset=windows-1250", b"\xe9\r\n", "\u{FFFD}\n", Charset::Unknown, true),
    ] {
        let payload = with_type(&format!("text/plain{charset}"), body);
        let text = text_of(&payload);
        assert_eq!((text.content.as_str(), text.charset), (content, kind), "{charset}");
        assert_eq!(text.raw, kept.then_some(payload), "{charset}");
    }
}

#[test]
fn a_text_of_ones_own_is_plain_and_what_is_read_shows_its_parts() {
    let text = Text::new("Hi");
    assert_eq!((&*text.content, text.format, text.charset), ("Hi", Format::ARIAL, Charset::Utf8));
    assert_eq!(text.raw, None);
    let payload = with_type("text/plain; charset=UTF-8", b"Hi\r\n");
    let Message::Text(view) = Message::parse(&payload) else { panic!("a text") };
    assert_eq!((view.content(), view.charset()), (&b"Hi\r\n"[..], Charset::Utf8));
    assert_eq!(view.mime().headers().get("content-TYPE"), Some(&b"text/plain; charset=UTF-8"[..]));
}

/// RFC 2047, with the examples of RFC 4648 for what is left over at the end.
#[test]
fn encoded_words_are_read_in_both_codings() {
    for (word, text) in [
        ("=?utf-8?B?Zg==?=", "f"),
        ("=?utf-8?B?Zm8=?=", "fo"),
        ("=?utf-8?B?Zm9v?=", "foo"),
        ("=?utf-8?B?Zm9vYg?=", "foob"),
        ("=?iso-8859-1?B?++//?=", "ûïÿ"),
        ("=?UTF-8*en?q?caf=C3=A9_noir?=", "café noir"),
        ("=?latin1?Q?caf=E9?=", "café"),
        ("Re: =?utf-8?B?Zm9v?= bar", "Re: foo bar"),
    ] {
        assert_eq!(decode_words(word.as_bytes()), text, "{word}");
    }
}

#[test]
fn envelopes_with_faults_are_still_read() {
    use MimeProblem as P;
    for (payload, problem, a, body) in [
        (&b"A: 1\r\nB: 2\r\n\r\nx\r\n\r\ny"[..], None, Some("1"), &b"x\r\n\r\ny"[..]),
        (b"A:1\nB:2\n\nx", None, Some("1"), b"x"),
        (b"A: 1\n\r\nx", None, Some("1"), b"x"),
        (b"a : \t 1 \r\n\r\n", None, Some("1"), b""),
        (b"a:1\r\nA:2\r\n\r\n", None, Some("1"), b""),
        (b"A\r\nB:\r\n\r\nx", Some(P::NoColon), None, b"x"),
        (b"A:\r\n\r\nx", None, Some(""), b"x"),
        (b": x\r\nA: 1\r\n\r\n", Some(P::NoName), Some("1"), b""),
        (b" A: 0\r\nA: 1\r\n\r\n", Some(P::Folded), Some("1"), b""),
        (b"A: 1\rB: 2\r\n\r\nx", Some(P::BareCarriageReturn), Some("1\rB: 2"), b"x"),
        (b"A: 1\rB: 2\r\rx", Some(P::NoEmptyLine), Some("1\rB: 2\r\rx"), b""),
        (b"A: 1\r\nB: 2\r\n", Some(P::NoEmptyLine), Some("1"), b""),
        (b"A: 1\r\n\r", Some(P::NoEmptyLine), Some("1"), b""),
        (b"A: 1", Some(P::NoEmptyLine), Some("1"), b""),
        (b"\r\nA: 1", None, None, b"A: 1"),
        (b"", None, None, b""),
    ] {
        let mime = Mime::parse(payload);
        let name = payload.escape_ascii();
        assert_eq!(mime.problem(), problem, "{name}");
        assert_eq!(mime.header("A"), a.map(str::as_bytes), "{name}");
        assert_eq!(mime.body(), body, "{name}");
    }
}
