//! A script as a whole: lines, settings, here-documents.
//!
//! This module knows how a file is cut into lines and what holds across them. What stands in a line
//! is for the grammar.

use msnp_proto::client::payload_len;
use msnp_proto::limits::SWITCHBOARD_PAYLOAD;
use msnp_proto::types::Handle;

use super::error::{Errors, Mistake, Problem};
use super::grammar::{self, Context, Line, Setting};
use super::{Action, NO_VARIABLES, Script, Settings, Step, Variables, Verb, Whom};

/// Reads a script. A byte order mark and CRLF are taken as what they are; the last line may lack
/// its end.
///
/// # Errors
///
/// Every mistake that was found, the first 20 with their places. Lines are looked at one by one, so
/// one mistake does not hide another; only a here-document without an end hides what is below it.
pub fn parse(script: &[u8], variables: &Variables) -> Result<Script, Errors> {
    let mut errors = Errors::default();
    if script.starts_with(b"\xff\xfe") || script.starts_with(b"\xfe\xff") {
        errors.push(Mistake::new(1, &[], 0, Problem::Utf16));
        return Err(errors);
    }
    let script = script.strip_prefix(b"\xef\xbb\xbf").unwrap_or(script);
    let mut reader = Reader {
        lines: Lines { rest: script, number: 0 },
        context: Context { variables, partner: None },
        settings: Settings::default(),
        steps: Vec::new(),
        errors,
    };
    reader.read();
    let Reader { settings, steps, mut errors, .. } = reader;
    if errors.is_empty() && steps.is_empty() {
        errors.push(Mistake::new(1, &[], 0, Problem::NoStep));
    }
    if errors.is_empty() { Ok(Script { settings, steps }) } else { Err(errors) }
}

/// As [`super::command`].
pub(super) fn command(text: &str, partner: &Handle) -> Result<Verb, Mistake> {
    let context = Context { variables: &NO_VARIABLES, partner: Some(partner) };
    let wrong = |offset, problem| Mistake::new(1, text.as_bytes(), offset, problem);
    match grammar::line(context, text).map_err(|(offset, problem)| wrong(offset, problem))? {
        Line::Step(verb @ Verb::Do(_)) => {
            check_size(&verb).map_or(Ok(verb), |problem| Err(wrong(0, problem)))
        }
        Line::Nothing => Err(wrong(0, Problem::Expected(super::Expected::Verb))),
        Line::Step(_) | Line::Set(_) | Line::Here { .. } => Err(wrong(0, Problem::ScriptOnly)),
    }
}

/// Lines without their ends.
#[derive(Clone)]
struct Lines<'a> {
    rest: &'a [u8],
    number: u32,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (u32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        let (line, rest) = self.rest.split_at(end.map_or(self.rest.len(), |end| end + 1));
        self.rest = rest;
        self.number = self.number.saturating_add(1);
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        Some((self.number, line.strip_suffix(b"\r").unwrap_or(line)))
    }
}

struct Reader<'a> {
    lines: Lines<'a>,
    context: Context<'a>,
    settings: Settings,
    steps: Vec<Step>,
    errors: Errors,
}

impl<'a> Reader<'a> {
    fn read(&mut self) {
        while let Some((number, bytes)) = self.lines.next() {
            let Some(text) = self.text(number, bytes) else { continue };
            match grammar::line(self.context, text) {
                Err((offset, problem)) => {
                    self.wrong(number, bytes, offset, problem);
                    self.skip_here(text);
                }
                Ok(Line::Nothing) => {}
                Ok(Line::Set(setting)) => {
                    if let Err(problem) = self.set(setting) {
                        self.wrong(number, bytes, indent(text), problem);
                    }
                }
                Ok(Line::Here { to, end }) => self.read_here(number, bytes, to, &end),
                Ok(Line::Step(verb)) => self.admit(number, bytes, verb),
            }
        }
    }

    /// Reads the lines of a text up to its end. A mistake in one of them is said, and the others
    /// are read all the same.
    fn read_here(&mut self, number: u32, opening: &'a [u8], to: Handle, end: &str) {
        let mut text = Some(String::new());
        let mut is_first = true;
        loop {
            let Some((at, bytes)) = self.lines.next() else {
                let offset = opening.len().saturating_sub(end.len() + "<<".len());
                return self.wrong(number, opening, offset, Problem::NoEnd(end.to_owned()));
            };
            if bytes == end.as_bytes() {
                break;
            }
            let line = self.text(at, bytes).and_then(|line| {
                let full = grammar::expand(self.context, line);
                full.map_err(|(offset, problem)| self.wrong(at, bytes, offset, problem)).ok()
            });
            text = text.zip(line).map(|(mut text, line)| {
                if !std::mem::take(&mut is_first) {
                    text.push('\n');
                }
                text.push_str(&line);
                text
            });
        }
        match text {
            None => {}
            Some(text) if text.is_empty() => {
                let problem = Problem::Expected(super::Expected::Text);
                self.wrong(number, opening, opening.len(), problem);
            }
            Some(text) => {
                let to = Whom::Person(to);
                self.admit(number, opening, Verb::Do(Action::Send { to, text }));
            }
        }
    }

    /// Passes over the text that a line with a mistake opens: its lines are no verbs.
    fn skip_here(&mut self, opening: &str) {
        let Some(end) = grammar::end_of_here(opening) else { return };
        let mut ahead = self.lines.clone();
        if ahead.any(|(_, bytes)| bytes == end.as_bytes()) {
            self.lines = ahead;
        }
    }

    /// The line as text, if it is text.
    fn text(&mut self, number: u32, bytes: &'a [u8]) -> Option<&'a str> {
        match std::str::from_utf8(bytes) {
            Ok(text) => match text.find('\0') {
                None => return Some(text),
                Some(at) => self.wrong(number, bytes, at, Problem::Nul),
            },
            Err(error) => self.wrong(number, bytes, error.valid_up_to(), Problem::NotUtf8),
        }
        None
    }

    fn admit(&mut self, line: u32, bytes: &[u8], verb: Verb) {
        match check_size(&verb) {
            None => self.steps.push(Step { line, verb }),
            Some(problem) => self.wrong(line, bytes, text_of_send(bytes), problem),
        }
    }

    fn set(&mut self, setting: Setting) -> Result<(), Problem> {
        fn once<T>(place: &mut Option<T>, value: T) -> Result<(), Problem> {
            place.replace(value).map_or(Ok(()), |_| Err(Problem::Twice))
        }
        if !self.steps.is_empty() {
            return Err(Problem::Late);
        }
        let settings = &mut self.settings;
        match setting {
            Setting::AckTimeout(time) => once(&mut settings.ack_timeout, time),
            Setting::Timeout(time) => once(&mut settings.timeout, time),
            Setting::Window(texts) => once(&mut settings.window, texts),
            Setting::GoOn(go_on) => once(&mut settings.go_on, go_on),
            Setting::Until(stage) => once(&mut settings.until, stage),
        }
    }

    fn wrong(&mut self, line: u32, bytes: &[u8], offset: usize, problem: Problem) {
        self.errors.push(Mistake::new(line, bytes, offset, problem));
    }
}

/// What is wrong with the size of a text.
fn check_size(verb: &Verb) -> Option<Problem> {
    let Verb::Do(Action::Send { text, .. }) = verb else { return None };
    let (size, limit) = (payload_len(text), SWITCHBOARD_PAYLOAD);
    (size > limit).then_some(Problem::TooLong { size, limit })
}

fn indent(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t']).len()
}

/// Where the text of a `send` begins: behind the second word and one blank.
fn text_of_send(line: &[u8]) -> usize {
    let is_blank = |byte: &u8| *byte == b' ' || *byte == b'\t';
    let skip = |from: usize, blanks: bool| {
        let rest = line.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| is_blank(byte) == blanks).count()
    };
    let verb = skip(skip(0, true), false);
    skip(skip(verb, true), false) + 1
}
