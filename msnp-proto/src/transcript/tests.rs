use alloc::string::ToString;
use alloc::vec::Vec;

use super::*;

#[test]
fn every_byte_survives() {
    let all: Vec<u8> = (0..=255).collect();
    for bytes in
        [&all[..], b"", b" ", b"  ", b"\\", b"\\\\", b"a\\", b"a\r\n", b"\r\n", b"\n", b" \r\n"]
    {
        let mut written = Transcript::new();
        written.record(None, None, Side::Client, bytes);
        written.record_close(None, None, Side::Client);
        let text = written.to_string();
        assert!(text.bytes().all(|byte| byte == b'\n' || (0x20..0x7F).contains(&byte)), "{text}");
        let read = Transcript::parse(&text).unwrap();
        assert_eq!(read, written, "{text}");
        assert_eq!(read.bytes(None, Side::Client), bytes);
    }
}

#[test]
fn every_line_of_what_was_sent_becomes_an_entry() {
    let mut transcript = Transcript::new();
    transcript.record(None, Some("a"), Side::Client, b"MSG 1 N 2\r\nhi");
    transcript.record(None, Some("a"), Side::Client, b"OUT\r\n");
    transcript.record(None, Some("b"), Side::Server, b"");
    assert_eq!(transcript.to_string(), "a C: MSG 1 N 2\na C: hi\\\na C: OUT\n");
}

#[test]
fn text_stands_for_bytes() {
    for (line, bytes) in [
        ("C:", &b"\r\n"[..]),
        (r"C: \", b""),
        ("C: OUT", b"OUT\r\n"),
        (r"C: OUT\", b"OUT"),
        (r"C: OUT\\", b"OUT\\\r\n"),
        (r"C: OUT\\\", b"OUT\\"),
        (r"C: INF 2\x20", b"INF 2 \r\n"),
        (r"C: INF 2 \", b"INF 2 "),
        (r"C: a\r\n\t\0\xfF", b"a\r\n\t\0\xff\r\n"),
        ("C: é", b"\xc3\xa9\r\n"),
        ("C:  a", b" a\r\n"),
        ("C: S: b", b"S: b\r\n"),
        ("C: # = !", b"# = !\r\n"),
    ] {
        let transcript = Transcript::parse(line).unwrap();
        assert_eq!(transcript.bytes(None, Side::Client), bytes, "{line}");
    }
}

#[test]
fn comment_ends_before_the_line_end_whatever_that_is() {
    for text in ["# a", "# a\r", "# a\r\n", "# a\r\r\n"] {
        let transcript = Transcript::parse(text).unwrap();
        assert_eq!(transcript.lines(), [Line::Comment(" a".into())], "{text:?}");
        assert_eq!(Transcript::parse(&transcript.to_string()), Ok(transcript), "{text:?}");
    }
}

#[test]
fn times_and_names() {
    let text = "0.000 C C: a\n1.500 S.x-1 S: b\n12.000001 S.x-1 S! close\n";
    let transcript = Transcript::parse(text).unwrap();
    assert_eq!(transcript.to_string(), text);
    assert_eq!(transcript.connections(), [Some("C"), Some("S.x-1")]);
    assert!(transcript.is_closed(Some("S.x-1"), Side::Server));
    assert!(!transcript.is_closed(Some("S.x-1"), Side::Client));
    let times: Vec<_> = transcript.entries().map(|entry| entry.time.unwrap().as_micros()).collect();
    assert_eq!(times, [0, 1_500_000, 12_000_001]);
    assert_eq!(transcript.numbered_entries().last().unwrap().0, 3);
}

#[test]
fn errors_name_the_place_and_what_was_expected() {
    for (text, line, column, expected) in [
        ("# ok\n\nhello\n", 3, 1, Expected::Side),
        ("X: hello\n", 1, 1, Expected::Side),
        ("alice hello\n", 1, 7, Expected::Side),
        ("C; a\n", 1, 2, Expected::Side),
        ("C! closed\n", 1, 9, Expected::Side),
        ("C!\n", 1, 2, Expected::Side),
        ("C:a\n", 1, 3, Expected::Blank),
        ("C: a \n", 1, 5, Expected::Visible),
        ("C: \n", 1, 4, Expected::Visible),
        ("C: é\\q\n", 1, 5, Expected::Escape),
        ("C: \\xg0\n", 1, 4, Expected::Escape),
        ("C: a\tb\n", 1, 5, Expected::Visible),
        ("1.0000001 C: a\n", 1, 9, Expected::Time),
        ("1. C: a\n", 1, 2, Expected::Time),
        ("1C: a\n", 1, 2, Expected::Time),
        ("=a: b\n", 1, 1, Expected::Header),
        ("= A: b\n", 1, 3, Expected::Header),
        ("= a: \n", 1, 6, Expected::Header),
        ("C: a\n= a: b\n", 2, 1, Expected::HeaderFirst),
        ("C: a\nx C: a\n", 2, 1, Expected::NoName),
        ("x C: a\nC: a\n", 2, 1, Expected::Name),
        ("x C! close\ny C: a\nx S: b\nx C: c\n", 4, 1, Expected::Silence),
    ] {
        let error = Transcript::parse(text).unwrap_err();
        assert_eq!((error.line, error.column, error.expected), (line, column, expected), "{text}");
    }
    let error = ParseError { line: 3, column: 4, expected: Expected::Blank };
    assert_eq!(error.to_string(), "line 3, column 4: expected a blank before the text");
}
