//! What usually causes what was seen at a stage, and what may be done about it.
//!
//! This module is a table with words. It does not know how things came to happen.

use msnp_proto::error::{Lost, Violation};
use msnp_proto::machine::Closed;
use msnp_proto::types::ErrorCode;

use super::watch::Seen;
use crate::escape::text_of_bytes;
use crate::events::StageName;

/// Why a stage did not pass.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trouble {
    /// The session was lost.
    Lost(Lost),
    /// `--timeout` ran out.
    TimedOut,
}

/// What to tell about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    pub(crate) seen: String,
    pub(crate) cause: String,
    pub(crate) advice: String,
    /// It is another kind of server by what it said first, whatever became of the session.
    pub(crate) is_foreign: bool,
    /// The address comes from another server, which may be the one to blame.
    pub(crate) is_referred: bool,
}

/// Kinds of servers that people have at the address that they gave, by the first bytes they say.
const KINDS: [(&[u8], &str); 11] = [
    (b"HTTP/", "a web server"),
    (b"<!DOCTYPE", "a web server"),
    (b"<html", "a web server"),
    (b"SSH-", "an SSH server"),
    (b"220 ", "a mail or FTP server"),
    (b"220-", "a mail or FTP server"),
    (b"+OK", "a POP3 server"),
    (b"* OK", "an IMAP server"),
    (b"<?xml", "an XMPP server"),
    (b"RFB ", "a VNC server"),
    (b"NOTICE ", "an IRC server"),
];

/// Finds the words. Behind a referral what was seen of a server that does not even speak the protocol
/// is the same, and whose mistake it is another thing.
pub(crate) fn diagnose(stage: StageName, trouble: Trouble, seen: &Seen) -> Diagnosis {
    let foreign = if stage == StageName::Version { foreign(seen) } else { None };
    let is_foreign = foreign.is_some();
    let (what, cause, advice) = match (foreign, trouble) {
        (Some(words), _) => words,
        (None, Trouble::TimedOut) => timed_out(stage, seen),
        (None, Trouble::Lost(why)) => lost(stage, why, seen),
    };
    let referral = seen.referral.as_ref().filter(|_| is_of_address(stage, trouble));
    let is_referred = referral.is_some();
    let (cause, advice) = match referral {
        Some(referral) => (
            "a wrong address in the referral, or the server that it names does not run".into(),
            format!(
                "tell the operator of {}, which refers to {}; for `msnp serve` see --advertise",
                referral.from, referral.to
            ),
        ),
        None => (cause.into(), advice.into()),
    };
    Diagnosis { seen: what, cause, advice, is_foreign, is_referred }
}

/// Whether it may be that this is not the server at all.
fn is_of_address(stage: StageName, trouble: Trouble) -> bool {
    let is_known = matches!(
        trouble,
        Trouble::Lost(
            Lost::Violation(Violation::Referrals { .. } | Violation::Version)
                | Lost::ServerDown
                | Lost::Dismissed
                | Lost::Refused(_)
        )
    );
    stage <= StageName::Version && !is_known
}

type Words = (String, &'static str, &'static str);

fn timed_out(stage: StageName, seen: &Seen) -> Words {
    match stage {
        StageName::Resolve => (
            "no answer about the name".into(),
            "the name servers of this machine cannot be reached",
            "check the network, or give an address in place of the name",
        ),
        StageName::Connect => no_answer(),
        _ if seen.received == 0 => (
            "it took the connection and said nothing".into(),
            "another kind of server, one that waits for TLS for example, or a proxy that waits too",
            "check the port: MSN Messenger servers listen at 1863",
        ),
        _ => (
            "it said nothing more".into(),
            "the server is overloaded or broken, or does not know this version of the protocol",
            "try again later, a longer --timeout, or --protocol MSNP2,MSNP4",
        ),
    }
}

fn no_answer() -> Words {
    (
        "no answer to the attempt to connect".into(),
        "a firewall in between, or the machine is down",
        "try from another network, and check host and port after --server",
    )
}

fn lost(stage: StageName, why: Lost, seen: &Seen) -> Words {
    match why {
        Lost::Connection(why) if stage <= StageName::Connect => not_connected(why),
        Lost::Violation(Violation::Version) => (
            "the server takes none of the versions that we offered".into(),
            "it is for later clients, MSNP8 and above, or only for one old version",
            "try --protocol MSNP2,MSNP3,MSNP4,MSNP5,MSNP6,MSNP7, or ask its operator",
        ),
        Lost::Violation(Violation::Package) => (
            "the server offers no sign-in by MD5".into(),
            "it takes tickets of a Passport service only, as later clients have them",
            "ask its operator whether clients of 2001 can sign in",
        ),
        Lost::Violation(Violation::Referrals { limit }) => (
            format!("it referred us on more than {limit} times"),
            "servers that refer to each other, most likely by a wrong address for others",
            "tell its operator; for `msnp serve` see --advertise",
        ),
        Lost::Password(code) | Lost::Refused(code) => refused(stage, code),
        Lost::ElsewhereSignedIn => (
            "the account signed in elsewhere at the same moment".into(),
            "another client with this account comes back by itself",
            "end the other client first",
        ),
        Lost::ServerDown | Lost::Dismissed => (
            why.to_string(),
            "its operator stops it, or it drops some people for others",
            "try again later",
        ),
        _ if !seen.first.is_empty() && stage == StageName::Version => (
            format!("it said \"{}\": {why}", first_line(seen)),
            "another kind of server, or one of another version",
            "check host and port after --server; see all that was said with -vv",
        ),
        Lost::HungUp { .. } | Lost::Connection(_) if stage == StageName::Version => (
            "it closed the connection without a word".into(),
            "another kind of server, one that wants TLS for example, or one that keeps us out",
            "check the port: MSN Messenger servers listen at 1863; ask its operator about limits",
        ),
        Lost::HungUp { .. } | Lost::Connection(_) => (
            format!("{why}, after {} bytes", seen.received),
            "the server failed, or dislikes the account, the version or what we said last",
            "see what was said with -vv; try --protocol with another version",
        ),
        _ => (
            why.to_string(),
            "a server that is not complete, or something in between that changes what passes",
            "see what was said with -vv, and tell its operator",
        ),
    }
}

fn not_connected(why: Closed) -> Words {
    match why {
        Closed::UnknownHost => (
            "the name has no address".into(),
            "a typing mistake, or no name service here",
            "check the name after --server",
        ),
        Closed::Refused => (
            "nobody listens there".into(),
            "the server does not run, or listens at another port or address",
            "check the port after --server, 1863 if there is none, and whether the server runs",
        ),
        Closed::TimedOut => no_answer(),
        _ => (
            why.to_string(),
            "no network, no way to that address, or a firewall that says no",
            "check the network of this machine",
        ),
    }
}

fn refused(stage: StageName, code: ErrorCode) -> Words {
    let seen = format!("it refused: {code}");
    if code == ErrorCode::NOT_VERIFIED {
        // It may pass, and not by itself.
        return (
            seen,
            "nobody has confirmed the e-mail address of the account yet",
            "confirm it, as the server's operator says; until then the account cannot sign in",
        );
    }
    if code.is_temporary() {
        return (seen, "the server is busy or has trouble of its own", "try again later");
    }
    match (stage, code.number()) {
        (StageName::Auth, 911 | 917) => (
            seen,
            "a wrong password, or no such account; servers do not say which",
            "check --account and the password; its spelling matters",
        ),
        (StageName::Auth, 923) => (
            seen,
            "the account is that of a child, without its parents' consent",
            "give the consent where the account was made",
        ),
        (StageName::Auth, _) => {
            (seen, "the server does not let this account in", "ask its operator")
        }
        _ => (
            seen,
            "the server does not do what this version of the protocol has",
            "try --protocol with another version, and tell its operator",
        ),
    }
}

/// What it said first is what another kind of server says.
fn foreign(seen: &Seen) -> Option<Words> {
    let first = &seen.first;
    let said = format!("it said \"{}\"", first_line(seen));
    if matches!(first.as_slice(), [0x14..=0x17, 0x03, 0..=4, ..]) {
        return Some((
            format!("{said}, which is TLS"),
            "an encrypted service; this protocol has no encryption",
            "check the port: MSN Messenger servers listen at 1863",
        ));
    }
    let is = |start: &[u8]| {
        first.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start))
    };
    let kind = match KINDS.iter().find(|(start, _)| is(start)) {
        Some((_, kind)) => kind,
        None if is_irc(first) => "an IRC server",
        None => return None,
    };
    Some((
        format!("{said}, as {kind} does"),
        "the port of another service",
        "check the port after --server: MSN Messenger servers listen at 1863",
    ))
}

/// The first line of what it said, as far as it was kept.
fn first_line(seen: &Seen) -> String {
    let line = seen.first.split(|byte| matches!(byte, b'\r' | b'\n')).next();
    text_of_bytes(line.unwrap_or_default())
}

/// The name of a server, then a number or a notice.
fn is_irc(first: &[u8]) -> bool {
    let mut words = first.split(|byte| *byte == b' ');
    let is_name = words.next().is_some_and(|word| word.starts_with(b":"));
    let is_number = |word: &[u8]| word.len() == 3 && word.iter().all(u8::is_ascii_digit);
    is_name && words.next().is_some_and(|word| word == b"NOTICE" || is_number(word))
}
