//! Whole inputs in, whole outputs out.

#[path = "../../../tests/support/capture.rs"]
mod capture;
mod inputs;
mod traffic;

use serde_json::Value;

use super::*;

/// Reads an input to its end: the output, and how it ended.
fn decode_as(options: Options, input: &[u8]) -> (String, Result<(), BadInput>, Summary) {
    let mut decoder = Decoder::new(options);
    let pushed = decoder.push(input);
    let finished = decoder.finish();
    assert_eq!(pushed.clone().and(finished.clone()), finished, "what is wrong is said again");
    decoder.conclude(if finished.is_ok() { 0 } else { 65 });
    let out = String::from_utf8(std::mem::take(decoder.output())).expect("UTF-8");
    (out, finished, decoder.summary())
}

fn events(input: &[u8]) -> Vec<Value> {
    let (out, ended, _) = decode_as(Options::new(Form::Json), input);
    ended.expect("a good input");
    parsed(&out)
}

/// All lines as JSON, after a look at what holds for every stream of events.
fn parsed(out: &str) -> Vec<Value> {
    let events: Vec<Value> =
        out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for (seq, event) in events.iter().enumerate() {
        assert_eq!((&event["v"], &event["seq"]), (&1.into(), &seq.into()), "{event}");
        let t = event["t"].as_str().expect("a time");
        assert!(t.len() == 24 && humantime::parse_rfc3339(t).is_ok(), "{t}");
    }
    assert_eq!(events.last().map(|event| &event["type"]), Some(&"done".into()));
    events
}

/// Events in a few words, without those at the end.
fn shown(input: &[u8]) -> Vec<String> {
    let events = events(input);
    let text = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let one = |event: &Value| {
        let speaker = || {
            let from = if event["from"] == "client" { 'C' } else { 'S' };
            format!("{} {} {from}", event["connection"], text(event, "server"))
        };
        match event["type"].as_str() {
            Some("connection") => {
                let midway = if event["midway"] == true { " midway" } else { "" };
                format!("{} {}{midway}", event["connection"], text(event, "change"))
                    + &text(event, "reason").replace("closed by both sides", "")
            }
            Some("command") => format!("{} {} {}", speaker(), text(event, "verb"), event["trid"])
                .replace(" null", ""),
            Some("unreadable") => format!("{} ? {}", speaker(), text(event, "text")),
            Some(kind @ ("gap" | "conflict")) => format!("{} {kind} {}", speaker(), event["bytes"]),
            _ => text(event, "reason"),
        }
    };
    events.iter().filter(|event| event["type"] != "done").map(one).collect()
}
