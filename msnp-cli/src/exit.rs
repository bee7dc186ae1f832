//! Exit codes: what each one means, and which one follows from what happened.
//!
//! This module knows the table and nothing of how things came to happen. The numbers follow
//! `sysexits.h` where it has one that fits, so that a script can decide by the code alone whether
//! trying again is safe.

use msnp_proto::client::{Failure, Outcome, TransferEnd};
use msnp_proto::error::{Lost, Misuse, Wait};
use msnp_proto::ftp::End;
use msnp_proto::machine::Closed;
use msnp_proto::types::ErrorCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Everything asked for was done.
    Done = 0,
    /// Some messages reached their goal and some did not.
    Mixed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A message was written and not answered: it may or may not have arrived.
    Unknown = 3,
    /// The input is wrong; found before connecting.
    Input = 65,
    /// An input file is missing or cannot be read.
    NoInput = 66,
    /// A host name does not resolve.
    NoHost = 68,
    /// Recipient unknown, offline or blocking; nothing was delivered.
    Undelivered = 69,
    /// A mistake in this program.
    Bug = 70,
    /// An output file cannot be made.
    CantCreate = 73,
    /// Local input or output failed.
    Io = 74,
    /// Nothing was taken; the same may work later.
    Retry = 75,
    /// The other side broke the protocol.
    Protocol = 76,
    /// The server refused to let us in.
    SignIn = 77,
    /// Configuration, or the mode of a file that holds passwords.
    Config = 78,
    /// `--timeout` ran out.
    Timeout = 124,
    /// SIGHUP: the terminal is gone.
    Hangup = 129,
    /// SIGINT.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

/// Of several failures without a success the first of these is the program's.
const WORST_FIRST: [Exit; 7] = [
    Exit::Bug,
    Exit::SignIn,
    Exit::Protocol,
    Exit::Unknown,
    Exit::Timeout,
    Exit::Retry,
    Exit::Undelivered,
];

impl Exit {
    /// All of them, each with what it means to whoever runs the program.
    pub(crate) const TABLE: [(Self, &str); 19] = [
        (Self::Done, "Every message got as far as --until says; what was asked for was done."),
        (Self::Mixed, "Some did and some did not."),
        (Self::Usage, "The command line is wrong."),
        (
            Self::Unknown,
            "Written and not answered: it may or may not have arrived or been done. Never try \
             again blindly.",
        ),
        (Self::Input, "The input is wrong; found before connecting."),
        (Self::NoInput, "An input file is missing or cannot be read."),
        (Self::NoHost, "The host name does not resolve."),
        (
            Self::Undelivered,
            "The recipient is unknown, offline or blocks; nothing was delivered. Or what was named \
             is not there.",
        ),
        (Self::Bug, "A mistake in this program."),
        (Self::CantCreate, "An output file cannot be made."),
        (Self::Io, "Local input or output failed, a full disk for example."),
        (
            Self::Retry,
            "Try again later: refused or lost connection, server busy or going down. Nothing was \
             taken, so nothing can be doubled.",
        ),
        (Self::Protocol, "The other side broke the protocol, or is no MSN Messenger server."),
        (Self::SignIn, "The server refused to let the account in."),
        (Self::Config, "Configuration, or the mode of a file that holds passwords."),
        (Self::Timeout, "--timeout ran out."),
        (Self::Hangup, "SIGHUP: the terminal is gone; signed off first."),
        (Self::Interrupted, "SIGINT, after signing off; a second one ends at once."),
        (Self::Terminated, "SIGTERM, after signing off; a second one ends at once."),
    ];

    /// Whether somebody else asked for the end: that is told, whatever else has happened.
    pub(crate) const fn is_signal(self) -> bool {
        matches!(self, Self::Hangup | Self::Interrupted | Self::Terminated)
    }

    /// The number for the system.
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    /// The one code for several outcomes.
    pub(crate) fn of_all(outcomes: impl IntoIterator<Item = Self>) -> Self {
        let (mut good, mut bad) = (false, Vec::new());
        for outcome in outcomes {
            match outcome {
                Self::Done => good = true,
                other => bad.push(other),
            }
        }
        match (good, bad.as_slice()) {
            (_, []) => Self::Done,
            (true, _) => Self::Mixed,
            (false, [first, ..]) => {
                WORST_FIRST.into_iter().find(|worst| bad.contains(worst)).unwrap_or(*first)
            }
        }
    }

    /// For a session that ended.
    pub(crate) fn of_lost(lost: Lost) -> Self {
        match lost {
            Lost::SignedOut => Self::Done,
            Lost::Connection(Closed::UnknownHost) => Self::NoHost,
            Lost::Password(code) | Lost::Refused(code) => Self::of_code(Request::SignIn, code),
            Lost::Frame(_) | Lost::Violation(_) | Lost::Challenge => Self::Protocol,
            Lost::TimedOut(wait) => Self::of_wait(wait),
            // Nothing was taken: connection, hang-up, OUT in each form, and whatever else ends one.
            _ => Self::Retry,
        }
    }

    /// For a message that ended.
    pub(crate) fn of_outcome(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Acknowledged => Self::Done,
            Outcome::Refused => Self::Undelivered,
            Outcome::Failed(failure) => Self::of_failure(failure),
            // Written, and no word of it.
            _ => Self::Unknown,
        }
    }

    /// For a message that could not be sent.
    pub(crate) fn of_failure(failure: Failure) -> Self {
        match failure {
            Failure::Refused(code) => Self::of_code(Request::Call, code),
            Failure::TimedOut(wait) => Self::of_wait(wait),
            // A switchboard that lets nobody in, not the server where one signs in.
            Failure::Lost(Lost::Refused(code)) => Self::of_code(Request::Call, code),
            // We left before it could be said.
            Failure::Lost(Lost::SignedOut) => Self::Undelivered,
            Failure::Lost(lost) => Self::of_lost(lost),
            _ => Self::Retry,
        }
    }

    /// For a file that ended, and not because we wanted it.
    pub(crate) fn of_transfer(end: TransferEnd) -> Self {
        match end {
            TransferEnd::Complete | TransferEnd::Broken(End::Complete) => Self::Done,
            TransferEnd::Unconfirmed | TransferEnd::Broken(End::Unconfirmed) => Self::Unknown,
            TransferEnd::Unreachable(failure) => Self::of_failure(failure),
            TransferEnd::Broken(End::CouldNotWriteHere) => Self::Io,
            TransferEnd::Broken(End::SizeChanged { .. } | End::Violation(_)) => Self::Protocol,
            TransferEnd::Broken(End::CancelledHere | End::CancelledThere) => Self::Undelivered,
            // What there was of it has been thrown away.
            TransferEnd::NoConnection | TransferEnd::Broken(_) => Self::Retry,
            // They said no, or nothing.
            _ => Self::Undelivered,
        }
    }

    /// For a command that the client would not take.
    pub(crate) fn of_misuse(misuse: Misuse) -> Self {
        match misuse {
            Misuse::TooLong { .. } | Misuse::Invalid(_) => Self::Input,
            Misuse::NotOnline | Misuse::Backlog => Self::Retry,
            _ => Self::Bug,
        }
    }

    fn of_wait(wait: Wait) -> Self {
        match wait {
            Wait::Invitation => Self::Undelivered,
            Wait::Acknowledgement => Self::Unknown,
            _ => Self::Retry,
        }
    }

    /// For a number from the server.
    pub(crate) fn of_code(request: Request, code: ErrorCode) -> Self {
        match (request, code.number()) {
            (Request::Call, 205 | 208 | 215 | 216 | 217) => Self::Undelivered,
            (Request::Call, 280 | 282) => Self::Retry,
            // The answer to the server's challenge.
            (_, 540) => Self::Protocol,
            (Request::Call, 911) => Self::Retry,
            (_, 923) => Self::SignIn,
            // Once the address is confirmed; waiting alone does not help.
            (_, 924) => Self::Retry,
            // The people and groups that were named are not such that it can be done.
            (
                Request::Change,
                205 | 208 | 210 | 215..=217 | 219 | 220 | 223..=226 | 228 | 230 | 231,
            ) => Self::Undelivered,
            // A name that the server does not take.
            (Request::Change, 206 | 209 | 229) => Self::Input,
            (Request::Change, 800) => Self::Retry,
            (_, _) if code.is_temporary() => Self::Retry,
            // We asked wrongly.
            (_, 200..=299 | 707 | 913) => Self::Bug,
            (Request::SignIn, _) => Self::SignIn,
            (Request::Call | Request::Change, _) => Self::Retry,
        }
    }
}

/// What the server refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Version, password, first status.
    SignIn,
    /// A switchboard, or a call into one.
    Call,
    /// A change of lists, groups, names or settings.
    Change,
}

#[cfg(test)]
mod tests {
    use msnp_proto::error::{FrameError, Violation};

    use super::*;

    fn code(number: u16) -> ErrorCode {
        ErrorCode::new(number).expect("three digits")
    }

    #[test]
    fn the_table_has_every_code_once_in_order() {
        let codes = Exit::TABLE.map(|(exit, _)| exit.code());
        assert!(codes.is_sorted_by(|one, next| one < next), "{codes:?}");
    }

    #[test]
    fn numbers_of_a_refused_sign_in() {
        let rows = [
            (77, vec![911, 921, 917, 923, 715, 302]),
            (75, vec![500, 501, 503, 600, 601, 603, 605, 910, 912, 915, 918, 919, 920, 922, 924]),
            (76, vec![540]),
            (70, vec![200, 201, 207, 209, 707, 913]),
        ];
        for (exit, numbers) in rows {
            for number in numbers {
                let got = Exit::of_code(Request::SignIn, code(number));
                assert_eq!(got.code(), exit, "{number}");
                assert_eq!(Exit::of_lost(Lost::Password(code(number))), got);
                assert_eq!(Exit::of_lost(Lost::Refused(code(number))), got);
            }
        }
    }

    #[test]
    fn numbers_of_a_refused_call() {
        let rows = [
            (69, vec![205, 208, 215, 216, 217]),
            (75, vec![280, 282, 713, 714, 500, 600, 603, 605, 910, 911, 915, 919, 922, 924]),
            (76, vec![540]),
            (77, vec![923]),
            (70, vec![200, 201, 218, 707, 913]),
        ];
        for (exit, numbers) in rows {
            for number in numbers {
                let got = Exit::of_failure(Failure::Refused(code(number)));
                assert_eq!(got.code(), exit, "{number}");
            }
        }
    }

    #[test]
    fn numbers_of_a_refused_change() {
        let rows = [
            (69, vec![205, 208, 210, 215, 216, 219, 223, 224, 225, 226, 228, 230]),
            (65, vec![209, 229]),
            (75, vec![500, 501, 603, 600, 713, 800, 910]),
            (70, vec![200, 201, 218, 707, 913]),
        ];
        for (exit, numbers) in rows {
            for number in numbers {
                let got = Exit::of_code(Request::Change, code(number));
                assert_eq!(got.code(), exit, "{number}");
            }
        }
    }

    #[test]
    fn ends_of_a_session() {
        let rows = [
            (0, Lost::SignedOut),
            (68, Lost::Connection(Closed::UnknownHost)),
            (75, Lost::Connection(Closed::Refused)),
            (75, Lost::Connection(Closed::TimedOut)),
            (75, Lost::Connection(Closed::Reset)),
            (75, Lost::HungUp { unfinished: false }),
            (75, Lost::HungUp { unfinished: true }),
            (75, Lost::ElsewhereSignedIn),
            (75, Lost::ServerDown),
            (75, Lost::Dismissed),
            (75, Lost::TimedOut(Wait::SignIn)),
            (75, Lost::TimedOut(Wait::Pong)),
            (76, Lost::Frame(FrameError::BadLength)),
            (76, Lost::Violation(Violation::Version)),
            (76, Lost::Violation(Violation::NotMsnp)),
            (76, Lost::Challenge),
        ];
        for (exit, lost) in rows {
            assert_eq!(Exit::of_lost(lost).code(), exit, "{lost}");
        }
    }

    #[test]
    fn ends_of_a_message() {
        let rows = [
            (0, Outcome::Acknowledged),
            (3, Outcome::Assumed),
            (69, Outcome::Refused),
            (69, Outcome::Failed(Failure::TimedOut(Wait::Invitation))),
            (75, Outcome::Failed(Failure::TimedOut(Wait::Request))),
            (75, Outcome::Failed(Failure::Lost(Lost::HungUp { unfinished: false }))),
            (75, Outcome::Failed(Failure::Lost(Lost::Refused(code(911))))),
            (69, Outcome::Failed(Failure::Lost(Lost::SignedOut))),
            (3, Outcome::Unknown(Lost::HungUp { unfinished: false })),
            (3, Outcome::Unknown(Lost::TimedOut(Wait::Acknowledgement))),
        ];
        for (exit, outcome) in rows {
            assert_eq!(Exit::of_outcome(outcome).code(), exit, "{outcome:?}");
        }
        assert_eq!(Exit::of_misuse(Misuse::TooLong { size: 1665, limit: 1664 }), Exit::Input);
    }

    #[test]
    fn ends_of_a_file() {
        let broken = TransferEnd::Broken;
        let rows = [
            (0, TransferEnd::Complete),
            (3, TransferEnd::Unconfirmed),
            (69, TransferEnd::Declined),
            (69, TransferEnd::NotInstalled),
            (69, TransferEnd::CancelledThere),
            (69, TransferEnd::CancelledHere),
            (69, TransferEnd::TimedOut),
            (69, TransferEnd::Unreachable(Failure::Refused(code(217)))),
            (69, TransferEnd::Unreachable(Failure::TimedOut(Wait::Invitation))),
            (75, TransferEnd::Unreachable(Failure::Lost(Lost::HungUp { unfinished: false }))),
            (75, TransferEnd::NoConnection),
            (75, broken(End::Broken(Closed::Reset))),
            (75, broken(End::TimedOut)),
            (75, broken(End::TimedOutThere)),
            (75, broken(End::StoppedEarly)),
            (75, broken(End::CouldNotWriteThere)),
            (74, broken(End::CouldNotWriteHere)),
            (76, broken(End::SizeChanged { announced: Some(7) })),
            (76, broken(End::Violation(msnp_proto::ftp::Violation::BadBlock))),
        ];
        for (exit, end) in rows {
            assert_eq!(Exit::of_transfer(end).code(), exit, "{end}");
        }
    }

    #[test]
    fn one_code_for_several_outcomes() {
        use Exit::{Bug, Done, Mixed, Protocol, Retry, SignIn, Timeout, Undelivered, Unknown};
        assert_eq!(Exit::of_all([]), Done);
        assert_eq!(Exit::of_all([Done, Done]), Done);
        assert_eq!(Exit::of_all([Done, Undelivered]), Mixed);
        assert_eq!(Exit::of_all([Undelivered, Undelivered]), Undelivered);
        let worst = [Undelivered, Retry, Timeout, Unknown, Protocol, SignIn, Bug];
        for (rank, exit) in worst.into_iter().enumerate() {
            assert_eq!(Exit::of_all(worst.into_iter().take(rank + 1)), exit);
        }
    }
}
