//! The grammar of one line, with nom in complete mode. Each rule has its form and an example in
//! its documentation.

mod files;

use std::time::Duration;

use msnp_proto::types::{Handle, Nick, Status};
use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_while, take_while1};
use nom::character::complete::{char, space0, space1};
use nom::combinator::{all_consuming, eof, map, opt, rest, value, verify};
use nom::error::ErrorKind;
use nom::multi::fold_many0;
use nom::sequence::{delimited, preceded};
use nom::{IResult, Offset, Parser};

use super::{
    Action, Expected, MOST_IN_FLIGHT, NO_VARIABLES, Problem, Variables, Verb, WITHIN, Whom,
};

type P<'a, T> = IResult<&'a str, T, Fault<'a>>;

/// Where a rule stopped, and what is wrong there.
#[derive(Clone, Debug)]
struct Fault<'a> {
    rest: &'a str,
    problem: Problem,
}

impl<'a> nom::error::ParseError<&'a str> for Fault<'a> {
    fn from_error_kind(rest: &'a str, _: ErrorKind) -> Self {
        Self { rest, problem: Problem::Expected(Expected::Verb) }
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// What the rules must know besides the line.
#[derive(Clone, Copy)]
pub(super) struct Context<'c> {
    pub(super) variables: &'c Variables,
    /// Who is meant where nobody is named: the other one in a chat.
    pub(super) partner: Option<&'c Handle>,
}

/// What a line is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Line {
    /// Blank, or a comment.
    Nothing,
    Set(Setting),
    Step(Verb),
    /// The text stands in the lines below, up to one that is `end`.
    Here {
        to: Handle,
        end: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    AckTimeout(Duration),
    Timeout(Duration),
    Window(usize),
    GoOn(bool),
    Until(&'static str),
}

/// Reads a line without its end; the number is the offset of what is wrong.
pub(super) fn line(context: Context<'_>, text: &str) -> Result<Line, (usize, Problem)> {
    finish(text, rule(context, text))
}

/// The end of the here-document that a line opens, whatever else may be wrong with it.
pub(super) fn end_of_here(text: &str) -> Option<&str> {
    let opening = text.trim_end_matches([' ', '\t']).rsplit([' ', '\t']).next()?;
    here(opening).ok().map(|(_, end)| end)
}

/// Replaces the variables of a line of a here-document.
pub(super) fn expand(context: Context<'_>, text: &str) -> Result<String, (usize, Problem)> {
    finish(text, expanded(context, text))
}

/// Whether this may be the name of a variable.
pub(super) fn is_name(text: &str) -> bool {
    all_consuming(name_of_variable).parse_complete(text).is_ok()
}

fn finish<T>(text: &str, result: P<'_, T>) -> Result<T, (usize, Problem)> {
    match result {
        Ok((_, found)) => Ok(found),
        Err(
            nom::Err::Error(Fault { rest, problem }) | nom::Err::Failure(Fault { rest, problem }),
        ) => Err((text.offset(rest), problem)),
        // Complete parsers never ask for more.
        Err(nom::Err::Incomplete(_)) => Err((text.len(), Problem::Expected(Expected::End))),
    }
}

fn fail<T>(rest: &str, problem: Problem) -> P<'_, T> {
    Err(nom::Err::Failure(Fault { rest, problem }))
}

/// Runs a rule; where it begins, `expected` was expected if it does not fit.
fn expect<'a, T>(
    expected: Expected,
    mut rule: impl Parser<&'a str, Output = T, Error = Fault<'a>>,
) -> impl FnMut(&'a str) -> P<'a, T> {
    move |input| {
        rule.parse_complete(input).or_else(|error| match error {
            nom::Err::Failure(fault) => Err(nom::Err::Failure(fault)),
            _ => fail(input, Problem::Expected(expected)),
        })
    }
}

/// `[verb …]`, or `# anything`.
fn rule<'a>(context: Context<'a>, text: &'a str) -> P<'a, Line> {
    let (text, _) = space0(text)?;
    if text.is_empty() || text.starts_with('#') {
        return Ok(("", Line::Nothing));
    }
    let (args, verb) = expect(Expected::Verb, word)(text)?;
    let step = |(rest, verb): (&'a str, Verb)| (rest, Line::Step(verb));
    let act = |(rest, action): (&'a str, Action)| (rest, Line::Step(Verb::Do(action)));
    match verb {
        "set" => set(args).map(|(rest, setting)| (rest, Line::Set(setting))),
        "send" => send(context, args),
        "online" => online(context, args).map(step),
        "expect" => wait_for(context, args).map(step),
        "sleep" => sleep(context, args).map(step),
        "typing" => one(context, args, |who| Action::Typing(Whom::Person(who))).map(act),
        "open" => one(context, args, Action::Open).map(act),
        "leave" => one(context, args, |who| Action::Leave(Whom::Person(who))).map(act),
        "allow" => one(context, args, Action::Allow).map(act),
        "block" => one(context, args, Action::Block).map(act),
        "status" => status(context, args).map(act),
        "name" => name(context, args).map(act),
        "add" => add(context, args).map(act),
        "remove" => remove(context, args).map(act),
        "rename" => rename(context, args).map(act),
        "move" => move_to(context, args).map(act),
        "group" => group(context, args).map(act),
        "file" => files::file(context, args).map(act),
        // A script cannot know the number of an offer.
        "accept" if context.partner.is_some() => files::accept(context, args).map(act),
        "decline" if context.partner.is_some() => files::decline(context, args).map(act),
        _ => fail(text, Problem::Expected(Expected::Verb)),
    }
}

/// `send ACCOUNT TEXT` or `send ACCOUNT <<END`, for example `send bob@example.net Hello`.
///
/// One blank ends the account; what is behind it is the text.
fn send<'a>(context: Context<'a>, args: &'a str) -> P<'a, Line> {
    // Whoever is written to is named, since a text may well begin with an account.
    let context = Context { partner: None, ..context };
    let (args, to) = account(context, args)?;
    let (text, _) = expect(Expected::Text, blank)(args)?;
    if let Ok((rest, end)) = here(text) {
        return Ok((rest, Line::Here { to, end: end.to_owned() }));
    }
    let (rest, text) = expect(Expected::Text, verify(rest, |text: &str| !text.is_empty()))(text)
        .and_then(|(rest, text)| Ok((rest, expanded(context, text)?.1)))?;
    let to = Whom::Person(to);
    Ok((rest, Line::Step(Verb::Do(Action::Send { to, text }))))
}

/// `<<WORD`, for example `<<END`.
fn here(text: &str) -> P<'_, &str> {
    all_consuming(delimited(tag("<<"), name_of_variable, space0)).parse_complete(text)
}

/// `online ACCOUNT [within TIME]`, for example `online bob@example.net within 20s`.
fn online<'a>(context: Context<'a>, args: &'a str) -> P<'a, Verb> {
    let (args, who) = account(context, args)?;
    let (args, within) = within(context, args)?;
    let (rest, ()) = end_or("`within`", args)?;
    Ok((rest, Verb::Online { who, within }))
}

/// `expect ACCOUNT [contains "TEXT"] [within TIME]`, for example
/// `expect bob@example.net contains "thanks" within 10s`.
fn wait_for<'a>(context: Context<'a>, args: &'a str) -> P<'a, Verb> {
    let (args, who) = account(context, args)?;
    let (args, contains) =
        optional("contains", |args| quoted(context, Expected::Quoted, args), args)?;
    let (args, within) = within(context, args)?;
    let words = if contains.is_none() { "`contains`, `within`" } else { "`within`" };
    let (rest, ()) = end_or(words, args)?;
    Ok((rest, Verb::Expect { who, contains, within }))
}

/// `sleep TIME`, for example `sleep 500ms`.
fn sleep<'a>(context: Context<'a>, args: &'a str) -> P<'a, Verb> {
    let (args, time) = later(context, args)?;
    let (rest, ()) = end(args)?;
    Ok((rest, Verb::Sleep(time)))
}

/// `typing ACCOUNT` and others that take one account, for example `block eve@example.net`.
fn one<'a>(
    context: Context<'a>,
    args: &'a str,
    action: impl FnOnce(Handle) -> Action,
) -> P<'a, Action> {
    let (args, who) = account(context, args)?;
    let (rest, ()) = end(args)?;
    Ok((rest, action(who)))
}

/// `status STATE`, for example `status BSY`.
fn status<'a>(context: Context<'a>, args: &'a str) -> P<'a, Action> {
    let (args, ()) = gap(Expected::Status, args)?;
    let known = |word: &str| {
        let status = Status::from_word(word.to_ascii_uppercase().as_bytes());
        status.filter(|status| *status != Status::Offline)
    };
    let (args, status) = word_of(context, Expected::Status, known, args)?;
    let (rest, ()) = end(args)?;
    Ok((rest, Action::Status(status)))
}

/// `name "NAME"`, for example `name "Alice in Wonderland"`.
fn name<'a>(context: Context<'a>, args: &'a str) -> P<'a, Action> {
    let (args, ()) = gap(Expected::Name, args)?;
    let (args, name) = nick(context, args)?;
    let (rest, ()) = end(args)?;
    Ok((rest, Action::Name(name)))
}

/// `add ACCOUNT [as "NAME"] [to "GROUP"]`, for example `add carol@example.net as "Carol"`.
fn add<'a>(context: Context<'a>, args: &'a str) -> P<'a, Action> {
    let (args, who) = account(context, args)?;
    let (args, name) = optional("as", |args| nick(context, args), args)?;
    let (args, group) = optional("to", |args| group_name(context, args), args)?;
    let words = if name.is_none() { "`as`, `to`" } else { "`to`" };
    let (rest, ()) = if group.is_none() { end_or(words, args) } else { end(args) }?;
    Ok((rest, Action::Add { who, name, group }))
}

/// `remove ACCOUNT [from "GROUP"]`, for example `remove carol@example.net`.
fn remove<'a>(context: Context<'a>, args: &'a str) -> P<'a, Action> {
    let (args, who) = account(context, args)?;
    let (args, group) = optional("from", |args| group_name(context, args), args)?;
    let (rest, ()) = if group.is_none() { end_or("`from`", args) } else { end(args) }?;
    Ok((rest, Action::Remove { who, group }))
}

/// `rename ACCOUNT as "NAME"`, for example `rename carol@example.net as "Carol C."`.
fn rename<'a>(context: Context<'a>, args: &'a str) -> P<'a, Action> {
    let (args, who) = account(context, args)?;
    let (args, name) = required("as", |args| nick(context, args), args)?;
    let (rest, ()) = end(args)?;
    Ok((rest, Action::Rename { who, name }))
}

/// `move ACCOUNT [from "GROUP"] to "GROUP"`, for example `move carol@example.net to "Work"`.
fn move_to<'a>(context: Context<'a>, args: &'a str) -> P<'a, Action> {
    let (args, who) = account(context, args)?;
    let (args, from) = optional("from", |args| group_name(context, args), args)?;
    let (args, to) = required("to", |args| group_name(context, args), args)?;
    let (rest, ()) = end(args)?;
    Ok((rest, Action::Move { who, from, to }))
}

/// `group add "NAME"`, `group remove "GROUP"` or `group rename "GROUP" as "NAME"`.
fn group<'a>(context: Context<'a>, args: &'a str) -> P<'a, Action> {
    let (task, ()) = gap(Expected::GroupTask, args)?;
    let (args, word) = expect(Expected::GroupTask, word)(task)?;
    let (args, action) = match word {
        "add" => {
            let (args, ()) = gap(Expected::Name, args)?;
            nick(context, args).map(|(rest, name)| (rest, Action::AddGroup(name)))?
        }
        "remove" => {
            let (args, ()) = gap(Expected::Group, args)?;
            group_name(context, args).map(|(rest, group)| (rest, Action::RemoveGroup(group)))?
        }
        "rename" => {
            let (args, ()) = gap(Expected::Group, args)?;
            let (args, group) = group_name(context, args)?;
            let (args, name) = required("as", |args| nick(context, args), args)?;
            (args, Action::RenameGroup { group, name })
        }
        _ => return fail(task, Problem::Expected(Expected::GroupTask)),
    };
    let (rest, ()) = end(args)?;
    Ok((rest, action))
}

/// `set NAME VALUE`, for example `set window 4`.
fn set(args: &str) -> P<'_, Setting> {
    let context = Context { variables: &NO_VARIABLES, partner: None };
    let (name, ()) = gap(Expected::Setting, args)?;
    let (args, word) = expect(Expected::Setting, word)(name)?;
    let window = |word: &str| {
        let is_digits = word.bytes().all(|byte| byte.is_ascii_digit());
        word.parse().ok().filter(|number| is_digits && (1..=MOST_IN_FLIGHT).contains(number))
    };
    let go_on = |word: &str| match word {
        "stop" => Some(false),
        "continue" => Some(true),
        _ => None,
    };
    let until = |word: &str| ["queued", "sent", "acked"].into_iter().find(|known| *known == word);
    let (args, setting) = match word {
        "ack-timeout" => later(context, args).map(|(args, time)| (args, Setting::AckTimeout(time))),
        "timeout" => later(context, args).map(|(args, time)| (args, Setting::Timeout(time))),
        "window" => {
            let (args, ()) = gap(Expected::Window, args)?;
            word_of(context, Expected::Window, window, args)
                .map(|(args, number)| (args, Setting::Window(number)))
        }
        "on-error" => {
            let (args, ()) = gap(Expected::OnError, args)?;
            word_of(context, Expected::OnError, go_on, args)
                .map(|(args, go_on)| (args, Setting::GoOn(go_on)))
        }
        "until" => {
            let (args, ()) = gap(Expected::Until, args)?;
            word_of(context, Expected::Until, until, args)
                .map(|(args, stage)| (args, Setting::Until(stage)))
        }
        _ => fail(name, Problem::Expected(Expected::Setting)),
    }?;
    let (rest, ()) = end(args)?;
    Ok((rest, setting))
}

/// Blanks, then an account. With a partner it may be left out.
fn account<'a>(context: Context<'a>, args: &'a str) -> P<'a, Handle> {
    if let Some(partner) = context.partner {
        let (_, next) = opt(preceded(space1, word)).parse_complete(args)?;
        if !next.is_some_and(|word| word.contains('@')) {
            return Ok((args, partner.clone()));
        }
    }
    let (args, ()) = gap(Expected::Account, args)?;
    word_of(context, Expected::Account, Handle::new, args)
}

/// `within TIME`, or nothing.
fn within<'a>(context: Context<'a>, args: &'a str) -> P<'a, Duration> {
    optional("within", |args| time(context, args), args)
        .map(|(rest, within)| (rest, within.unwrap_or(WITHIN)))
}

/// Blanks, this word, blanks and what follows it; or nothing of all that.
fn optional<'a, T>(
    keyword: &'static str,
    what: impl FnOnce(&'a str) -> P<'a, T>,
    args: &'a str,
) -> P<'a, Option<T>> {
    let begun = preceded(space1, verify(word, |word: &str| word == keyword)).parse_complete(args);
    match begun {
        Ok((behind, _)) => what(space0(behind)?.0).map(|(rest, found)| (rest, Some(found))),
        Err(_) => Ok((args, None)),
    }
}

fn required<'a, T>(
    keyword: &'static str,
    what: impl FnOnce(&'a str) -> P<'a, T>,
    args: &'a str,
) -> P<'a, T> {
    match optional(keyword, what, args)? {
        (rest, Some(found)) => Ok((rest, found)),
        (rest, None) => fail(space0(rest)?.0, Problem::Expected(Expected::Word(keyword))),
    }
}

/// A duration as humantime writes it, without blanks.
fn time<'a>(context: Context<'a>, text: &'a str) -> P<'a, Duration> {
    word_of(context, Expected::Time, |word| humantime::parse_duration(word).ok(), text)
}

/// Blanks, then a duration.
fn later<'a>(context: Context<'a>, args: &'a str) -> P<'a, Duration> {
    let (args, ()) = gap(Expected::Time, args)?;
    time(context, args)
}

/// A display name in double quotes.
fn nick<'a>(context: Context<'a>, text: &'a str) -> P<'a, Nick> {
    let (rest, name) = quoted(context, Expected::Name, text)?;
    match Nick::new(&name) {
        Some(nick) => Ok((rest, nick)),
        None => fail(text, Problem::Expected(Expected::Name)),
    }
}

/// A group in double quotes.
fn group_name<'a>(context: Context<'a>, text: &'a str) -> P<'a, String> {
    let (rest, group) = quoted(context, Expected::Group, text)?;
    if group.is_empty() {
        fail(text, Problem::Expected(Expected::Group))
    } else {
        Ok((rest, group))
    }
}

/// A word, expanded, that means something.
fn word_of<'a, T>(
    context: Context<'a>,
    expected: Expected,
    meaning: impl FnOnce(&str) -> Option<T>,
    text: &'a str,
) -> P<'a, T> {
    let (rest, raw) = expect(expected, word)(text)?;
    let (_, full) = expanded(context, raw)?;
    match meaning(&full) {
        Some(found) => Ok((rest, found)),
        None => fail(text, Problem::Expected(expected)),
    }
}

/// What is between blanks.
fn word(text: &str) -> P<'_, &str> {
    take_while1(|c| c != ' ' && c != '\t').parse_complete(text)
}

fn blank(text: &str) -> P<'_, char> {
    alt((char(' '), char('\t'))).parse_complete(text)
}

/// Blanks before something that is expected.
fn gap(expected: Expected, text: &str) -> P<'_, ()> {
    value((), expect(expected, space1)).parse_complete(text)
}

fn end(text: &str) -> P<'_, ()> {
    let (text, _) = space0(text)?;
    value((), expect(Expected::End, eof)).parse_complete(text)
}

fn end_or<'a>(words: &'static str, text: &'a str) -> P<'a, ()> {
    let (text, _) = space0(text)?;
    value((), expect(Expected::EndOr(words), eof)).parse_complete(text)
}

/// `"TEXT"` with `\"`, `\\` and `\n`, and with variables.
fn quoted<'a>(context: Context<'a>, expected: Expected, text: &'a str) -> P<'a, String> {
    let escape = preceded(
        char('\\'),
        expect(
            Expected::Escape,
            alt((value("\"", char('"')), value("\\", char('\\')), value("\n", char('n')))),
        ),
    );
    let plain = is_not("\\\"$");
    let piece = alt((plain, escape, |text| dollar(context, text)));
    let inside = fold_many0(piece, String::new, |text, piece| text + piece);
    let closed = expect(Expected::Word("\""), char('"'));
    expect(expected, delimited(char('"'), inside, closed)).parse_complete(text)
}

/// Any text with variables.
fn expanded<'a>(context: Context<'a>, text: &'a str) -> P<'a, String> {
    let piece = alt((is_not("$"), |text| dollar(context, text)));
    let all = fold_many0(piece, String::new, |text, piece| text + piece);
    all_consuming(all).parse_complete(text)
}

/// `$$` or `${name}`.
fn dollar<'a>(context: Context<'a>, text: &'a str) -> P<'a, &'a str> {
    if !text.starts_with('$') {
        return Err(nom::Err::Error(Fault {
            rest: text,
            problem: Problem::Expected(Expected::Dollar),
        }));
    }
    let named = delimited(tag("${"), name_of_variable, char('}'));
    let mut either = alt((map(named, Some), value(None, tag("$$"))));
    match expect(Expected::Dollar, |text| either.parse_complete(text))(text)? {
        (rest, None) => Ok((rest, "$")),
        (rest, Some(name)) => match context.variables.value(name) {
            Some(value) => Ok((rest, value)),
            None => fail(text, Problem::UnknownVariable(name.to_owned())),
        },
    }
}

/// Letters, digits, `_` and `-`, no digit or `-` first; 64 at most.
fn name_of_variable(text: &str) -> P<'_, &str> {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let is_more = move |c: char| is_first(c) || c.is_ascii_digit() || c == '-';
    let fits = move |name: &str| name.len() <= 64 && name.starts_with(is_first);
    verify(take_while(is_more), fits).parse_complete(text)
}
