//! What people read when something goes wrong: each sentence to the letter, on one line, and no two
//! of a kind alike.

use std::collections::BTreeSet;
use std::fmt::Display;

use msnp_proto::body::{BadValue, MimeProblem};
use msnp_proto::client::{Failure, TransferEnd, Warning};
use msnp_proto::error::{CommandError, Expected, FrameError, Lost, Misuse, Violation, Wait};
use msnp_proto::ftp::{self, End};
use msnp_proto::hub::DirectoryError;
use msnp_proto::machine::Closed;
use msnp_proto::testing::{DialogueError, ReplayError};
use msnp_proto::transcript::{self, ParseError};
use msnp_proto::types::{ErrorCode, Status, StatusCode, Token, TrId};
use msnp_proto::wire::Verb;

/// Checks sentences of one kind.
#[track_caller]
fn say<T: Display>(table: impl IntoIterator<Item = (T, &'static str)>) {
    let mut said = BTreeSet::new();
    for (value, sentence) in table {
        let text = value.to_string();
        assert_eq!(text, sentence);
        assert!(!text.is_empty() && !text.contains(char::is_control), "{text:?}");
        assert!(said.insert(text), "{sentence:?} is said of two things");
    }
}

const UNREADABLE: CommandError = CommandError {
    verb: Verb::new(*b"CHG"),
    argument: 2,
    expected: Expected::Status,
    missing: false,
};

#[test]
fn what_an_argument_should_have_been() {
    say([
        (Expected::TrId, "a transaction id"),
        (Expected::Number, "a number"),
        (Expected::Word("OK"), "\"OK\""),
        (Expected::Account, "an account name"),
        (Expected::Name, "a display name"),
        (Expected::Token, "a word"),
        (Expected::Words, "at least one word"),
        (Expected::List, "FL, AL, BL or RL"),
        (Expected::Privacy, "AL or BL"),
        (Expected::Prompt, "A or N"),
        (Expected::Groups, "group numbers"),
        (Expected::Property, "a property of three letters"),
        (Expected::Status, "a status of three letters"),
        (Expected::Delivery, "U, N or A"),
        (Expected::Address, "host:port"),
        (Expected::Payload, "a payload"),
        (Expected::Blank, "a blank"),
    ]);
    say([
        (UNREADABLE, "CHG: argument 2 should be a status of three letters and is something else"),
        (
            CommandError { missing: true, ..UNREADABLE },
            "CHG: argument 2 should be a status of three letters and is missing",
        ),
    ]);
}

#[test]
fn why_a_stream_cannot_be_read_on() {
    say([
        (FrameError::LineTooLong { limit: 128 }, "no line end within 128 bytes"),
        (FrameError::BadLength, "payload length is not a number that fits"),
        (FrameError::BareLineFeed, "line ends in LF without CR"),
        (FrameError::BlankLine, "blank line"),
        (FrameError::Spacing, "words are not separated by single blanks"),
    ]);
}

#[test]
fn what_a_peer_did_wrong() {
    let state = "signed in";
    say([
        (Violation::Unexpected { verb: Verb::new(*b"VER"), state }, "VER while signed in"),
        (
            Violation::Unreadable(UNREADABLE),
            "CHG: argument 2 should be a status of three letters and is something else",
        ),
        (Violation::Version, "no common version of the protocol"),
        (Violation::Package, "server does not offer MD5 sign-in"),
        (Violation::EmptyChallenge, "server sent an empty challenge"),
        (Violation::NotMsnp, "what the server sends is not this protocol"),
        (Violation::Referrals { limit: 5 }, "more than 5 referrals in a row"),
        (Violation::Account, "answer is for another account"),
        (Violation::ChallengeFlood, "too many challenges"),
    ]);
}

#[test]
fn what_a_caller_cannot_have() {
    say([
        (Misuse::NotOnline, "not signed in"),
        (Misuse::AlreadyOnline, "already signed in"),
        (Misuse::NoSuchChat, "no such chat"),
        (
            Misuse::TooLong { size: 1665, limit: 1664 },
            "message of 1665 bytes is over the limit of 1664",
        ),
        (Misuse::Backlog, "too much is waiting to be sent"),
        (Misuse::Invalid(Expected::Account), "that is not an account name"),
        (Misuse::NotInDialect, "not in the dialect agreed with the server"),
        (Misuse::Unknown, "nothing by that name"),
        (Misuse::Already, "nothing to change"),
        (Misuse::NoFiles, "files are neither sent nor taken here"),
        (Misuse::NoSuchTransfer, "no such file is on its way"),
    ]);
}

#[test]
fn why_a_connection_or_a_session_ended() {
    let refused = ErrorCode::AUTHENTICATION_FAILED;
    say([
        (Lost::SignedOut, "signed out"),
        (Lost::Connection(Closed::Refused), "connection refused"),
        (Lost::HungUp { unfinished: false }, "server closed the connection"),
        (
            Lost::HungUp { unfinished: true },
            "server closed the connection in the middle of a command",
        ),
        (Lost::Password(refused), "password refused (911 authentication failed)"),
        (Lost::Refused(refused), "sign-in refused (911 authentication failed)"),
        (Lost::ElsewhereSignedIn, "signed in elsewhere"),
        (Lost::ServerDown, "server is going down"),
        (Lost::Dismissed, "server ended the session"),
        (Lost::Frame(FrameError::BadLength), "payload length is not a number that fits"),
        (Lost::Violation(Violation::Version), "no common version of the protocol"),
        (Lost::TimedOut(Wait::SignIn), "sign-in took too long"),
        (Lost::TimedOut(Wait::Pong), "no answer to a ping"),
        (Lost::TimedOut(Wait::Request), "no answer to a request"),
        (Lost::TimedOut(Wait::Invitation), "nobody came in time"),
        (Lost::TimedOut(Wait::Acknowledgement), "no acknowledgement in time"),
        (Lost::Moved, "moved to another server"),
        (Lost::Challenge, "server refused the answer to its challenge"),
        (Lost::Idle, "idle for too long"),
        (Lost::Alone, "nobody else is there"),
    ]);
    say([
        (Closed::Done, "connection closed"),
        (Closed::UnknownHost, "host name does not resolve"),
        (Closed::Refused, "connection refused"),
        (Closed::TimedOut, "connection timed out"),
        (Closed::Reset, "connection reset"),
        (Closed::AddressUnavailable, "address in use or not available"),
        (Closed::Failed, "connection failed"),
    ]);
    say([
        (Failure::Refused(ErrorCode::new(799).expect("three digits")), "799"),
        (Failure::TimedOut(Wait::Request), "no answer to a request"),
        (Failure::Lost(Lost::Idle), "idle for too long"),
    ]);
}

#[test]
fn what_is_odd_and_goes_on() {
    let (verb, trid) = (Verb::new(*b"LST"), Some(TrId(7)));
    let sentences = [
        (
            Warning::Unreadable(UNREADABLE),
            "CHG: argument 2 should be a status of three letters and is something else",
        ),
        (Warning::Unknown { line: b"XYZ \x1b[2J".to_vec() }, r"unknown command: XYZ \x1b[2J"),
        (Warning::Oversized { verb, announced: 70_000 }, "LST: payload of 70000 bytes passed over"),
        (Warning::Unmatched { verb, trid }, "LST 7 answers no open request"),
        (Warning::Unmatched { verb, trid: None }, "LST answers no open request"),
        (Warning::OutOfPlace { verb }, "LST makes no sense here"),
        (
            Warning::Invalid { verb, expected: Expected::Account },
            "LST does not hold an account name",
        ),
        (
            Warning::Payload { verb, problem: MimeProblem::NoColon },
            "LST: a header line without a colon",
        ),
        (Warning::ListsIncomplete, "lists are incomplete"),
        (Warning::TooMany { verb }, "LST: too many"),
        (
            Warning::Refused { verb, code: ErrorCode::new(799).expect("three digits") },
            "LST was refused: 799",
        ),
        (Warning::Unanswered { verb }, "no answer to LST"),
    ];
    for (warning, sentence) in &sentences {
        let named = warning.verb().is_some_and(|verb| sentence.contains(&verb.to_string()));
        let unnamed = matches!(warning, Warning::Unknown { .. } | Warning::ListsIncomplete);
        assert!(named != unnamed, "{sentence}: {:?}", warning.verb());
    }
    say(sentences);
}

#[test]
fn what_is_wrong_with_a_message() {
    say([
        (MimeProblem::NoEmptyLine, "no empty line behind the header"),
        (MimeProblem::BareCarriageReturn, "a CR without LF in the header"),
        (MimeProblem::NoColon, "a header line without a colon"),
        (MimeProblem::NoName, "a header line without a name"),
        (MimeProblem::Folded, "a header line that begins with a blank"),
        (MimeProblem::NameTooLong, "a header name that is too long"),
        (MimeProblem::TooManyFields, "too many header lines"),
    ]);
    say([(BadValue { name: "Subject" }, "a control character in the value of Subject")]);
}

#[test]
fn what_became_of_a_file() {
    say([
        (TransferEnd::Complete, "complete"),
        (TransferEnd::Unconfirmed, "sent, and not confirmed"),
        (TransferEnd::Declined, "declined"),
        (TransferEnd::NotInstalled, "their program cannot take files"),
        (TransferEnd::CancelledHere, "cancelled"),
        (TransferEnd::CancelledThere, "cancelled by the other side"),
        (TransferEnd::TimedOut, "no answer in time"),
        (
            TransferEnd::Unreachable(Failure::TimedOut(Wait::Invitation)),
            "not reached: nobody came in time",
        ),
        (TransferEnd::NoConnection, "no connection between the two sides"),
        (TransferEnd::Broken(End::StoppedEarly), "the other side stopped early"),
    ]);
}

#[test]
fn how_a_file_ended() {
    use ftp::Violation;
    say([
        (End::Complete, "complete"),
        (End::Unconfirmed, "sent, but not confirmed"),
        (End::CancelledHere, "cancelled"),
        (End::CancelledThere, "cancelled by the other side"),
        (End::TimedOut, "the other side was silent for too long"),
        (End::TimedOutThere, "the other side gave up waiting"),
        (End::Broken(Closed::Done), "connection closed in the middle of the transfer"),
        (End::Broken(Closed::Reset), "connection reset in the middle of the transfer"),
        (End::CouldNotWriteThere, "the other side could not write the file"),
        (End::CouldNotWriteHere, "the file could not be written"),
        (End::SizeChanged { announced: Some(7) }, "the size changed to 7 bytes"),
        (End::SizeChanged { announced: None }, "the size changed"),
        (End::WrongCookie, "the other side did not know the cookie"),
        (End::StoppedEarly, "the other side stopped early"),
        (End::Violation(Violation::Unexpected), "a line that does not belong there"),
        (End::Violation(Violation::LineTooLong), "a line that is too long"),
        (End::Violation(Violation::Version), "no common version of the file protocol"),
        (End::Violation(Violation::BadBlock), "a block of an unknown kind"),
        (End::Violation(Violation::EmptyBlocks), "too many empty blocks"),
        (End::Violation(Violation::TooMuch), "more bytes than were offered"),
    ]);
}

#[test]
fn what_a_directory_could_not_do() {
    say([
        (DirectoryError::Unavailable, "directory unavailable"),
        (DirectoryError::NotWritten, "change could not be written"),
    ]);
}

#[test]
fn a_status_that_nobody_knows_is_shown_without_its_control_characters() {
    let odd = Token::new(b"B\x1bZ").expect("one word");
    say([(StatusCode::Known(Status::Busy), "BSY"), (StatusCode::Other(odd), r"B\x1bZ")]);
}

#[test]
fn what_is_wrong_with_a_transcript() {
    use transcript::Expected;
    let at = |expected| ParseError { line: 3, column: 4, expected };
    say([
        (at(Expected::Side), "line 3, column 4: expected `C:`, `S:`, `C! close` or `S! close`"),
        (at(Expected::Blank), "line 3, column 4: expected a blank before the text"),
        (
            at(Expected::Time),
            "line 3, column 4: expected seconds with at most six decimals, and a blank",
        ),
        (at(Expected::Header), "line 3, column 4: expected `= key: value`"),
        (at(Expected::HeaderFirst), "line 3, column 4: expected headers above the first entry"),
        (at(Expected::Escape), r"line 3, column 4: expected one of \\, \r, \n, \t, \0 and \xNN"),
        (
            at(Expected::Visible),
            r"line 3, column 4: expected a visible character (others as \xNN, also a blank at the end)",
        ),
        (at(Expected::Name), "line 3, column 4: expected a connection name, as on the lines above"),
        (
            at(Expected::NoName),
            "line 3, column 4: expected no connection name, as on the lines above",
        ),
        (
            at(Expected::Silence),
            "line 3, column 4: expected nothing more from a side that has closed",
        ),
    ]);
    let named = Some(String::from("SB"));
    say([
        (DialogueError::Role { connection: None }, "no header `role` that is known"),
        (
            DialogueError::Role { connection: named },
            "no header `connection: SB <role>` that is known",
        ),
        (DialogueError::Frame { line: 9 }, "line 9: the stream cannot be cut into frames"),
    ]);
    let (expected, said) = (String::from("QNG"), Some(String::from("PNG")));
    say([
        (
            ReplayError::NotSaid { line: 2, expected: expected.clone(), said },
            "line 2: the machine said PNG for QNG",
        ),
        (
            ReplayError::NotSaid { line: 2, expected, said: None },
            "line 2: the machine did not say QNG",
        ),
        (ReplayError::Garbage { line: 2, sent: "?".into() }, "line 2: the machine sent ?"),
    ]);
}
