//! What the program reads from strangers: scripts.

use msnp_cli::script::{Action, Errors, Script, Variables, Verb, parse};
use msnp_proto::client::payload_len;
use msnp_proto::limits::SWITCHBOARD_PAYLOAD;

/// A script of any bytes. It is read the same whatever ends its lines; what is wrong is in it, and
/// is said in what a terminal can show.
pub fn scripts(data: &[u8]) {
    let mut variables = Variables::default();
    assert!(variables.set("what", "world") && variables.set("lines", "a\nb \"$$${what}"));
    let read = parse(data, &variables);
    let lines = data.split(|byte| *byte == b'\n').count();
    match &read {
        Ok(script) => steps(script, lines),
        Err(errors) => mistakes(errors, lines),
    }
    let marked = [b"\xef\xbb\xbf", data].concat();
    let is_marked =
        [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"].iter().any(|mark| data.starts_with(mark));
    if !is_marked {
        assert_eq!(parse(&marked, &variables), read, "with a byte order mark");
    }
    if !data.contains(&b'\r') {
        let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
        assert_eq!(parse(&lines.join(&b"\r\n"[..]), &variables), read, "with CRLF");
    }
    if read.is_ok() {
        let longer = [data, b"\n\n# the end\n"].concat();
        assert_eq!(parse(&longer, &variables), read, "with a comment at its end");
    }
}

fn steps(script: &Script, lines: usize) {
    let steps = script.steps();
    assert!(!steps.is_empty() && steps.is_sorted_by(|one, next| one.line < next.line));
    assert!(steps.iter().all(|step| step.line > 0 && step.line as usize <= lines));
    for step in steps {
        if let Verb::Do(Action::Send { text, .. }) = &step.verb {
            assert!(!text.is_empty() && payload_len(text) <= SWITCHBOARD_PAYLOAD);
        }
        let mut rest = script.clone();
        rest.begin_at(step.line).expect("there is a step");
        assert_eq!(rest.steps().first(), Some(step));
    }
    let mut none = script.clone();
    assert!(none.begin_at(u32::MAX).is_err() && none == *script, "nothing has changed");
    let _ = script.patience();
}

fn mistakes(errors: &Errors, lines: usize) {
    let mistakes = errors.mistakes();
    assert!((1..=20).contains(&mistakes.len()), "{} mistakes", mistakes.len());
    assert!(errors.more() == 0 || mistakes.len() == 20);
    for mistake in mistakes {
        assert!(mistake.line > 0 && mistake.line as usize <= lines && mistake.column > 0);
        let shown = mistake.to_string();
        assert_eq!(shown.lines().count(), 3, "{shown:?}");
        let is_safe = |c: char| c == '\n' || !c.is_control();
        assert!(shown.chars().all(is_safe), "{shown:?}");
    }
}
