//! An event as a JSON object.

use std::io::Write;
use std::time::SystemTime;

use crate::escape::is_risky;
use crate::events::{Event, Mark, VERSION};

/// What every serialized event begins with: the name of its type is a plain word.
const TYPE: &[u8] = b"{\"type\":\"";

/// Appends the event without a line end. JSON needs no escaping of its own beyond the standard's,
/// but what some readers take for a line end, or could change what a reader sees, is escaped too.
pub(super) fn write(out: &mut Vec<u8>, event: &Event, mark: &Mark, seq: u64, at: SystemTime) {
    let begun = out.len();
    let t = humantime::format_rfc3339_millis(at);
    write!(out, "{{\"v\":{VERSION},\"seq\":{seq},\"t\":\"{t}\",").expect(TAKES);
    let object = out.len();
    value(out, event);
    // `type` comes first of all, what the event comes of second.
    let name = out.get(object + TYPE.len()..).unwrap_or_default();
    let end = name.iter().position(|byte| *byte == b'"').map(|end| object + TYPE.len() + end + 1);
    if let Some(end) = end.filter(|_| *mark != Mark::NONE) {
        let rest = out.split_off(end);
        if let Some(id) = &mark.id {
            out.extend_from_slice(b",\"id\":");
            value(out, &**id);
        }
        if let Some(line) = mark.line {
            write!(out, ",\"line\":{line}").expect(TAKES);
        }
        out.extend_from_slice(&rest);
    }
    out.remove(object);
    escape(out, begun);
}

const TAKES: &str = "a vector takes everything";

fn value<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value).expect("events have string keys and plain values");
}

/// Escapes what JSON leaves alone and a terminal or a reader of lines may not.
fn escape(out: &mut Vec<u8>, begun: usize) {
    let written = out.get(begun..).unwrap_or_default();
    // The bytes that such a character begins with, and DEL.
    if !written.iter().any(|byte| matches!(byte, 0x7f | 0xc2 | 0xd8 | 0xe2 | 0xef | 0xf3)) {
        return;
    }
    let text = String::from_utf8(out.split_off(begun)).expect("JSON is UTF-8");
    for c in text.chars() {
        // Inside strings only: JSON's own characters are ASCII.
        if !c.is_ascii() && is_risky(c) || c == '\u{7f}' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}").expect(TAKES);
            }
        } else {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn fields_come_in_a_fixed_order_and_nothing_can_end_the_line() {
        let mut out = Vec::new();
        let reason = String::from("a\n\u{2028}\u{85}\x1b\u{202e}\u{e0001}é\\");
        let at = UNIX_EPOCH + Duration::from_millis(981_173_106_789);
        write(&mut out, &Event::Lost { reason: reason.clone() }, &Mark::NONE, 4, at);
        let line = String::from_utf8(out).expect("JSON is UTF-8");
        assert_eq!(
            line,
            r#"{"v":1,"seq":4,"t":"2001-02-03T04:05:06.789Z","type":"lost","reason":"a\n\u2028\u0085\u001b\u202e\udb40\udc01é\\"}"#
        );
        let value: serde_json::Value = serde_json::from_str(&line).expect("valid JSON");
        assert_eq!(value["reason"], reason);
    }

    #[test]
    fn what_an_event_comes_of_stands_behind_its_type() {
        let hostile = Mark { id: Some("7\"\u{2028}".into()), line: Some(3) };
        let rows = [
            (Mark::NONE, ""),
            (Mark::of_id("7"), r#","id":"7""#),
            (Mark::of_line(12), r#","line":12"#),
            (hostile, r#","id":"7\"\u2028","line":3"#),
        ];
        for (mark, shown) in rows {
            let mut out = b"before".to_vec();
            let event = Event::Typing { chat: 1, from: "a@b".into() };
            write(&mut out, &event, &mark, 0, UNIX_EPOCH);
            let line = String::from_utf8(out).expect("JSON is UTF-8");
            let head = r#"before{"v":1,"seq":0,"t":"1970-01-01T00:00:00.000Z","type":"typing""#;
            assert_eq!(line, format!(r#"{head}{shown},"chat":1,"from":"a@b"}}"#));
        }
    }
}
