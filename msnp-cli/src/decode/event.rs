//! What is found in a capture, one event after another, as views of the bytes that were read.
//!
//! This module knows the names of what can be found. It does not know how they are shown.

use std::borrow::Cow;
use std::fmt;

use msnp_proto::error::CommandError;
use msnp_proto::transcript::Side;
use msnp_proto::types::ErrorReply;
use msnp_proto::wire::{Extra, Frame, Parsed, Value, Verb};
use msnp_proto::{ns, sb};

use super::packet::Endpoint;
use crate::mask::{masked_line, masked_lines};

/// Takes what is found, in order.
pub(super) trait Sink {
    fn take(&mut self, event: &Event<'_>);
}

/// Something that was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event<'a> {
    /// Microseconds since 1970, by the capture's own clock.
    pub(super) at: u64,
    /// Connections count from 1; 0 is for what belongs to none.
    pub(super) connection: u32,
    pub(super) what: What<'a>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum What<'a> {
    Opened(Opened<'a>),
    Closed(Ending),
    Command(Command<'a>),
    /// Bytes of a stream that make no command.
    Unreadable(Unreadable<'a>),
    /// Bytes of a stream that are not in the capture.
    Gap {
        server: Server,
        from: Side,
        size: u64,
    },
    /// Bytes that came again and were not the same.
    Conflict {
        server: Server,
        from: Side,
        size: u64,
    },
    /// Something about the capture as a whole.
    Warning(&'a str),
}

/// A connection of which something was seen for the first time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Opened<'a> {
    pub(super) client: Option<Endpoint>,
    pub(super) server: Option<Endpoint>,
    /// What a transcript calls it.
    pub(super) name: Option<&'a str>,
    /// Its beginning was not seen.
    pub(super) midway: bool,
}

/// Why nothing more comes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Both sides closed it.
    Closed,
    Reset,
    /// The same ports were used for another connection.
    Reused,
    /// There are more connections than are followed at a time.
    Forgotten,
    /// The input ended.
    InputEnds,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "closed by both sides",
            Self::Reset => "reset",
            Self::Reused => "the same ports are used for another connection",
            Self::Forgotten => "too many connections at a time; not followed any further",
            Self::InputEnds => "the input ends",
        })
    }
}

/// Which server a connection leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Server {
    Dispatch,
    Notification,
    Switchboard,
}

impl Server {
    pub(super) const ALL: [Self; 3] = [Self::Dispatch, Self::Notification, Self::Switchboard];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Dispatch => "dispatch",
            Self::Notification => "notification",
            Self::Switchboard => "switchboard",
        }
    }
}

/// What a side is called.
pub(super) fn side_name(side: Side) -> &'static str {
    match side {
        Side::Client => "client",
        Side::Server => "server",
    }
}

/// A command, as it was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Command<'a> {
    pub(super) server: Server,
    pub(super) from: Side,
    pub(super) frame: Frame<'a>,
    pub(super) said: Said<'a>,
    /// Bytes of the payload that are not in the capture; zeros stand for them.
    pub(super) missing: u64,
    /// The length that the line announces, if it is over the limit.
    pub(super) oversized: Option<u32>,
    /// The stream has a dialect that the tables do not describe.
    pub(super) is_later: bool,
}

/// What a frame says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Said<'a> {
    NotificationRequest(ns::Request<'a>, Extra<'a>),
    NotificationReply(ns::Reply<'a>, Extra<'a>),
    SwitchboardRequest(sb::Request<'a>, Extra<'a>),
    SwitchboardReply(sb::Reply<'a>, Extra<'a>),
    Refusal(ErrorReply),
    /// A verb that the tables do not have in this direction.
    Unknown,
    /// A verb that they have, with arguments that do not fit. In a later dialect they may.
    Misfit(CommandError),
}

impl<'a> Said<'a> {
    /// Reads a frame as the core does for whom it was meant.
    pub(super) fn read(server: Server, from: Side, frame: Frame<'a>) -> Self {
        let unknown = || ErrorReply::parse(frame).map_or(Self::Unknown, Self::Refusal);
        match (server, from) {
            (Server::Switchboard, Side::Client) => match sb::Request::parse(frame) {
                Ok(Parsed::Command(command, extra)) => Self::SwitchboardRequest(command, extra),
                Ok(Parsed::Unknown(_)) => Self::Unknown,
                Err(error) => Self::Misfit(error),
            },
            (Server::Switchboard, Side::Server) => match sb::Reply::parse(frame) {
                Ok(Parsed::Command(command, extra)) => Self::SwitchboardReply(command, extra),
                Ok(Parsed::Unknown(_)) => unknown(),
                Err(error) => Self::Misfit(error),
            },
            (_, Side::Client) => match ns::Request::parse(frame) {
                Ok(Parsed::Command(command, extra)) => Self::NotificationRequest(command, extra),
                Ok(Parsed::Unknown(_)) => Self::Unknown,
                Err(error) => Self::Misfit(error),
            },
            (_, Side::Server) => match ns::Reply::parse(frame) {
                Ok(Parsed::Command(command, extra)) => Self::NotificationReply(command, extra),
                Ok(Parsed::Unknown(_)) => unknown(),
                Err(error) => Self::Misfit(error),
            },
        }
    }

    /// Shows the fields of a command of the tables.
    pub(super) fn fields(&self, see: &mut dyn FnMut(&'static str, Value<'_>)) {
        match self {
            Self::NotificationRequest(command, _) => command.fields(see),
            Self::NotificationReply(command, _) => command.fields(see),
            Self::SwitchboardRequest(command, _) => command.fields(see),
            Self::SwitchboardReply(command, _) => command.fields(see),
            Self::Refusal(_) | Self::Unknown | Self::Misfit(_) => {}
        }
    }

    /// What stood behind the last argument that has a meaning.
    pub(super) fn extra(&self) -> &'a [u8] {
        match self {
            Self::NotificationRequest(_, extra)
            | Self::NotificationReply(_, extra)
            | Self::SwitchboardRequest(_, extra)
            | Self::SwitchboardReply(_, extra) => extra.as_bytes(),
            Self::Refusal(_) | Self::Unknown | Self::Misfit(_) => &[],
        }
    }
}

impl Unreadable<'_> {
    /// The bytes as they are shown.
    pub(super) fn shown(&self, show_secrets: bool) -> Cow<'_, [u8]> {
        if show_secrets {
            self.bytes.into()
        } else {
            masked_lines(self.bytes, self.fragment).into()
        }
    }
}

impl Command<'_> {
    /// What is wrong with it.
    pub(super) fn problem(&self) -> Option<String> {
        match (&self.said, self.oversized) {
            (_, Some(announced)) => Some(format!("payload of {announced} bytes is over the limit")),
            (Said::Misfit(error), None) if !self.is_later => Some(error.to_string()),
            _ => None,
        }
    }

    /// The line as it is shown.
    pub(super) fn line(&self, show_secrets: bool) -> Cow<'_, [u8]> {
        let line = self.frame.line();
        if show_secrets { line.into() } else { masked_line(line) }
    }

    /// Three letters or digits: the reader lets nothing else through.
    pub(super) fn verb(&self) -> Verb {
        self.frame.verb().unwrap_or(Verb::new(*b"???"))
    }

    /// Whether a field of that name in this command holds a secret.
    pub(super) fn is_secret(&self, name: &str) -> bool {
        match name {
            "cookie" => true,
            "digest" | "challenge" => self.verb().as_bytes().eq_ignore_ascii_case(b"USR"),
            _ => false,
        }
    }
}

/// Bytes that make no command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unreadable<'a> {
    pub(super) server: Server,
    pub(super) from: Side,
    pub(super) bytes: &'a [u8],
    pub(super) why: Why,
    /// They begin somewhere in a line, whose beginning may say what is secret in it.
    pub(super) fragment: bool,
}

/// Why bytes cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The capture begins in the middle of the stream.
    Midway,
    /// Bytes before them are missing.
    Gap,
    /// Bytes behind them are missing.
    CutOff,
    /// A line that does not begin as a command.
    NoCommand,
    /// No line end within the limit.
    Endless,
    /// The payload of the command before them is over the limit.
    Oversized,
    /// The stream ends in the middle of a command.
    Unfinished,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Midway => "the capture begins in the middle of a command",
            Self::Gap => "bytes before these are missing",
            Self::CutOff => "bytes behind these are missing",
            Self::NoCommand => "not a command",
            Self::Endless => "no line end within the limit",
            Self::Oversized => "payload over the limit",
            Self::Unfinished => "the stream ends in the middle of a command",
        })
    }
}
