//! Reading a case file, line by line.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Case, CaseError, Input, Outcome, Place, Said, TestName, Trial, Verdict};
use crate::transcript::Side;

pub(super) fn cases(text: &str) -> Result<Vec<Case>, CaseError> {
    let mut cases = Vec::new();
    let mut reader = Reader::default();
    let mut last = 0;
    for (text, line) in text.lines().zip(1..) {
        let at = |what: &str| CaseError { line, what: what.to_owned() };
        if text.starts_with("= id: ") && reader.id.is_some() {
            cases.push(core::mem::take(&mut reader).finish().map_err(at)?);
        }
        reader.take(line, text).map_err(at)?;
        last = line;
    }
    let error = |what: &str| CaseError { line: last, what: what.to_owned() };
    cases.push(reader.finish().map_err(error)?);
    Ok(cases)
}

/// One case, as far as it has been read.
#[derive(Default)]
struct Reader {
    id: Option<String>,
    source: Option<String>,
    class: Option<String>,
    trial: Trial,
}

impl Reader {
    fn take(&mut self, line: usize, text: &str) -> Result<(), &'static str> {
        if text.is_empty() {
            if let Some(input) = self.trial.inputs.last_mut() {
                input.blocks.push(Vec::new());
            }
            return Ok(());
        }
        if text.starts_with('#') {
            return Ok(());
        }
        if let Some(header) = text.strip_prefix("= ") {
            let (key, value) = header.split_once(": ").ok_or("a header without a value")?;
            return self.header(line, key, value);
        }
        let input = self.trial.inputs.last_mut().ok_or("a line above the first input")?;
        if let Some(outcome) = text.strip_prefix("@ ") {
            input.outcomes.push(outcome_head(outcome)?);
            return Ok(());
        }
        if let Some(outcome) = input.outcomes.last_mut() {
            outcome.lines.push(text.to_owned());
            return Ok(());
        }
        let (side, text) = text.split_once(':').ok_or("neither `S:`, `C:` nor `*:`")?;
        let side = match side {
            "S" => Some(Side::Server),
            "C" => Some(Side::Client),
            "*" => None,
            _ => return Err("neither `S:`, `C:` nor `*:`"),
        };
        let text = match text {
            "" => "",
            text => text.strip_prefix(' ').ok_or("no blank before the text")?,
        };
        let said = Said { line, side, text: text.to_owned() };
        match input.blocks.last_mut() {
            Some(block) => block.push(said),
            None => input.blocks.push([said].to_vec()),
        }
        Ok(())
    }

    fn header(&mut self, line: usize, key: &str, value: &str) -> Result<(), &'static str> {
        let value = value.to_owned();
        let in_input = self.trial.inputs.last_mut();
        match (key, in_input) {
            ("input", _) => {
                self.trial.inputs.push(Input {
                    line,
                    title: value,
                    each: Vec::new(),
                    expands: false,
                    blocks: Vec::new(),
                    outcomes: Vec::new(),
                });
                return Ok(());
            }
            ("each", Some(input)) => input.each.extend(value.split('|').map(trim_one)),
            ("prefixes", Some(input)) => {
                let prefix = |(end, _)| value.get(..end).unwrap_or_default().to_owned();
                input.each.extend(value.char_indices().map(prefix));
                input.each.push(value);
            }
            ("expand", Some(input)) if value == "arguments" => input.expands = true,
            (_, Some(_)) => return Err("an unknown header of an input"),
            ("id", None) => self.id = Some(value),
            ("source", None) => self.source = Some(value),
            ("class", None) => self.class = Some(value),
            ("code", None) => self.trial.code.push(value),
            ("not-yet", None) => self.trial.not_yet = Some(value),
            ("test", None) => {
                let (file, name) = value.split_once(' ').ok_or("no name behind the file")?;
                self.trial.tests.push(TestName { file: file.to_owned(), name: name.to_owned() });
            }
            _ => return Err("an unknown header"),
        }
        Ok(())
    }

    fn finish(self) -> Result<Case, &'static str> {
        let trial = self.trial;
        if trial == Trial::default() {
            return Err("nothing is tried");
        }
        if trial.inputs.iter().any(|input| input.outcomes.is_empty()) {
            return Err("an input without `@`");
        }
        Ok(Case {
            id: self.id.ok_or("no `id`")?,
            source: self.source.ok_or("no `source`")?,
            class: self.class.ok_or("no `class`")?,
            trial,
        })
    }
}

/// `verdict place …`
fn outcome_head(text: &str) -> Result<Outcome, &'static str> {
    let mut words = text.split(' ');
    let verdict = words.next().and_then(Verdict::from_word).ok_or("no such verdict")?;
    let places: Option<Vec<Place>> = words.map(Place::from_word).collect();
    let places = places.filter(|places| !places.is_empty()).ok_or("no such place")?;
    Ok(Outcome { verdict, places, lines: Vec::new() })
}

/// Without the blank on either side that sets values apart.
fn trim_one(value: &str) -> String {
    let value = value.strip_prefix(' ').unwrap_or(value);
    value.strip_suffix(' ').unwrap_or(value).to_string()
}
