//! The rules of files.

use std::path::PathBuf;

use msnp_proto::types::Handle;
use nom::Parser;
use nom::character::complete::space1;
use nom::sequence::preceded;

use super::{
    Action, Context, Expected, P, Problem, account, blank, end, expanded, expect, fail, gap, word,
    word_of,
};

/// `file ACCOUNT PATH`, for example `file bob@example.net ./report.pdf`.
///
/// One blank ends the account; what is behind it is the path. With a partner, a first word that may
/// be an account is one only if there is something behind it.
pub(super) fn file<'a>(context: Context<'a>, args: &'a str) -> P<'a, Action> {
    let is_account = |args: &'a str| -> bool {
        let first: P<'a, &'a str> = preceded(space1, word).parse_complete(args);
        first.is_ok_and(|(rest, word)| {
            !rest.trim().is_empty() && !word.contains('/') && Handle::new(word).is_some()
        })
    };
    let (args, to) = match context.partner {
        Some(partner) if !is_account(args) => (args, partner.clone()),
        _ => account(Context { partner: None, ..context }, args)?,
    };
    let (path, _) = expect(Expected::Path, blank)(args)?;
    let (rest, path) = path_of(context, path)?;
    Ok((rest, Action::File { to, path }))
}

/// `accept NUMBER [FOLDER]`, for example `accept 1 ./inbox`.
pub(super) fn accept<'a>(context: Context<'a>, args: &'a str) -> P<'a, Action> {
    let (args, transfer) = transfer(context, args)?;
    if args.trim().is_empty() {
        return Ok(("", Action::Accept { transfer, folder: PathBuf::from(".") }));
    }
    let (folder, _) = expect(Expected::Path, blank)(args)?;
    let (rest, folder) = path_of(context, folder)?;
    Ok((rest, Action::Accept { transfer, folder }))
}

/// `decline NUMBER`, for example `decline 1`.
pub(super) fn decline<'a>(context: Context<'a>, args: &'a str) -> P<'a, Action> {
    let (args, transfer) = transfer(context, args)?;
    let (rest, ()) = end(args)?;
    Ok((rest, Action::Decline(transfer)))
}

/// Blanks, then the number of a file.
fn transfer<'a>(context: Context<'a>, args: &'a str) -> P<'a, u32> {
    let (args, ()) = gap(Expected::Transfer, args)?;
    let number = |word: &str| {
        let is_digits = word.bytes().all(|byte| byte.is_ascii_digit());
        word.parse().ok().filter(|_| is_digits)
    };
    word_of(context, Expected::Transfer, number, args)
}

/// A path that is the rest of the line, as it is.
fn path_of<'a>(context: Context<'a>, text: &'a str) -> P<'a, PathBuf> {
    let (rest, path) = expanded(context, text)?;
    if path.trim().is_empty() {
        return fail(text, Problem::Expected(Expected::Path));
    }
    Ok((rest, PathBuf::from(path)))
}
