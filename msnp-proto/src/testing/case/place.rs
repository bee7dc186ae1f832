//! Where an input is tried.

use core::fmt;

use crate::hub::HubLimits;
use crate::limits::Limits;
use crate::testing::Role;
use crate::transcript::Side;
use crate::wire::FrameDecoder;

/// A connection of the client or of the hub, in a certain state, whose peer says something bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A client that has said VER.
    ClientSigningIn,
    /// A client that has given its password and asked for its lists.
    ClientSyncing,
    /// A client that is online.
    ClientOnline,
    /// A client that wants to enter a switchboard that it asked for.
    ClientEntering,
    /// A client that wants to enter a switchboard that it was called to.
    ClientAnswering,
    /// A client in a switchboard with somebody else.
    ClientChat,
    /// The hub's notification server, before anything was said.
    HubDoor,
    /// The hub's notification server, with somebody online.
    HubOnline,
    /// The hub's switchboard, before anything was said.
    HubKnocking,
    /// The hub's switchboard, with two people in it.
    HubChat,
}

impl Place {
    /// All places.
    pub const ALL: [Self; 10] = [
        Self::ClientSigningIn,
        Self::ClientSyncing,
        Self::ClientOnline,
        Self::ClientEntering,
        Self::ClientAnswering,
        Self::ClientChat,
        Self::HubDoor,
        Self::HubOnline,
        Self::HubKnocking,
        Self::HubChat,
    ];

    /// The word in a file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSigningIn => "client-signing-in",
            Self::ClientSyncing => "client-syncing",
            Self::ClientOnline => "client-online",
            Self::ClientEntering => "client-entering",
            Self::ClientAnswering => "client-answering",
            Self::ClientChat => "client-chat",
            Self::HubDoor => "hub-door",
            Self::HubOnline => "hub-online",
            Self::HubKnocking => "hub-knocking",
            Self::HubChat => "hub-chat",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|place| place.as_str() == word)
    }

    /// The side that says the input.
    #[must_use]
    pub const fn peer(self) -> Side {
        if self.is_client() { Side::Server } else { Side::Client }
    }

    /// Whether the client is tried.
    #[must_use]
    pub const fn is_client(self) -> bool {
        !matches!(self, Self::HubDoor | Self::HubOnline | Self::HubKnocking | Self::HubChat)
    }

    /// Which server is at one end.
    #[must_use]
    pub const fn role(self) -> Role {
        match self {
            Self::ClientSigningIn
            | Self::ClientSyncing
            | Self::ClientOnline
            | Self::HubDoor
            | Self::HubOnline => Role::Notification,
            _ => Role::Switchboard,
        }
    }

    /// A decoder of what is said, with the limits that hold here.
    #[must_use]
    pub fn decoder(self) -> FrameDecoder {
        self.role().decoder_with(self.peer(), self.limits())
    }

    /// The limits on lines and payloads.
    #[must_use]
    pub const fn limits(self) -> Limits {
        let hub = HubLimits::new();
        let mut limits = Limits::new();
        limits.line = match self {
            Self::HubDoor | Self::HubKnocking => hub.line_before_sign_in,
            Self::HubOnline | Self::HubChat => hub.line,
            _ => limits.line,
        };
        limits.payload = match self {
            Self::HubDoor | Self::HubOnline => hub.payload,
            Self::HubKnocking | Self::HubChat => hub.message,
            _ => limits.payload,
        };
        limits
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
