//! An event as a JSON object.

use std::time::SystemTime;

use serde::Serialize;

use crate::events::{Event, VERSION};

#[derive(Serialize)]
struct Line<'a> {
    v: u8,
    seq: u64,
    t: String,
    #[serde(flatten)]
    event: &'a Event,
}

/// Appends the event without a line end. JSON needs no escaping of its own beyond the standard's,
/// but the characters that some readers take for line ends are escaped too.
pub(super) fn write(out: &mut Vec<u8>, event: &Event, seq: u64, at: SystemTime) {
    let t = humantime::format_rfc3339_millis(at).to_string();
    let line = Line { v: VERSION, seq, t, event };
    let text = serde_json::to_string(&line).expect("events have string keys and plain values");
    for c in text.chars() {
        match c {
            // Inside strings only: JSON's own characters are ASCII.
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => {
                out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes());
            }
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
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
        let reason = String::from("a\n\u{2028}\u{85}\x1b");
        let at = UNIX_EPOCH + Duration::from_millis(981_173_106_789);
        write(&mut out, &Event::Lost { reason: reason.clone() }, 4, at);
        let line = String::from_utf8(out).expect("JSON is UTF-8");
        assert_eq!(
            line,
            r#"{"v":1,"seq":4,"t":"2001-02-03T04:05:06.789Z","type":"lost","reason":"a\n\u2028\u0085\u001b"}"#
        );
        let value: serde_json::Value = serde_json::from_str(&line).expect("valid JSON");
        assert_eq!(value["reason"], reason);
    }
}
