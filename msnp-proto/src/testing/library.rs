//! The dialogues that come with this crate, for tests, fuzzing and documentation.

use alloc::string::ToString;

use super::Transcript;

macro_rules! library {
    ($($name:literal)*) => {
        /// Every dialogue: its name and its text.
        pub const ALL: &[(&str, &str)] = &[$(
            ($name, include_str!(concat!("../../transcripts/", $name, ".txt"))),
        )*];
    };
}

/// The dialogue of this name.
///
/// # Panics
///
/// If there is none, or if it cannot be read.
#[must_use]
#[track_caller]
pub fn transcript(name: &str) -> Transcript {
    let text = ALL.iter().find(|(found, _)| *found == name).map(|(_, text)| *text);
    let text = text.unwrap_or_else(|| panic!("no dialogue is called {name}"));
    Transcript::parse(text).unwrap_or_else(|error| panic!("{name}: {}", error.to_string()))
}

library! {
    "alert"
    "article-1-dispatch"
    "article-2-sign-in"
    "article-3-presence-and-challenge"
    "article-4-calling"
    "article-5-being-called"
    "challenge-refused"
    "challenge-unanswered"
    "challenge"
    "contacts-add-msnp2-to-4"
    "contacts-add-msnp5-to-6"
    "contacts-add-msnp7"
    "contacts-block-and-unblock"
    "contacts-delete"
    "contacts-in-groups"
    "contacts-refused"
    "directory-search"
    "dispatch-msnp2"
    "dispatch-msnp3"
    "dispatch-msnp4"
    "dispatch-msnp5"
    "dispatch-msnp6"
    "dispatch-msnp7"
    "dispatch-no-common-dialect"
    "dispatch-two-referrals"
    "dispatch-unavailable"
    "dispatch-upgrade-only"
    "groups-make-rename-delete"
    "leave-connection-lost"
    "leave-forced-move"
    "leave-planned-shutdown"
    "leave-restart-in-place"
    "leave-sign-out-echoed"
    "leave-sign-out"
    "leave-signed-in-elsewhere"
    "lists-changed-elsewhere"
    "mail-invitation-msnp2"
    "mail-invitations"
    "mail-notices"
    "pages"
    "ping"
    "presence-set-by-the-server"
    "presence"
    "privacy-names-phones"
    "real-amsn-2003-msnp7"
    "real-escargot-msnp7"
    "real-gaim-0.64-msnp7"
    "reverse-list-while-away"
    "reverse-list"
    "sign-in-hidden"
    "sign-in-msnp2"
    "sign-in-msnp3"
    "sign-in-msnp4"
    "sign-in-msnp5"
    "sign-in-msnp6"
    "sign-in-msnp7"
    "sign-in-refused"
    "sign-in-up-to-date"
    "sign-in-with-referral"
    "switchboard-acknowledgements"
    "switchboard-call-refused"
    "switchboard-called-again"
    "switchboard-file-offered"
    "switchboard-incoming"
    "switchboard-nobody-there"
    "switchboard-not-let-in"
    "switchboard-outgoing"
    "switchboard-three-people"
    "sync-always-whole"
    "sync-escargot-msnp2-to-6"
    "sync-escargot-msnp7"
    "sync-interrupted-by-presence"
    "sync-lines-run-together"
    "sync-msnp2-to-4"
    "sync-msnp5-to-6"
    "sync-msnp7"
    "sync-new-account"
    "url-inbox-msnp2"
    "url-inbox"
    "variant-adg-junk"
    "variant-blank-line-fatal"
    "variant-inf-md5-ctp"
    "variant-loose-spacing"
    "variant-lst-alone-unanswered"
    "variant-names-not-encoded"
    "variant-never-challenged"
    "variant-no-nak"
    "variant-no-referral"
    "variant-old-gaim-client"
    "variant-profile-after-chg"
    "variant-profile-before-syn"
    "variant-profile-inside-lists"
    "variant-profile-missing"
    "variant-session-hexadecimal"
    "variant-silence"
    "variant-unknown-commands"
    "variant-usr-ok"
    "variant-ver-all-dialects"
    "variant-ver-lower-dialect"
    "variant-ver-never-offered"
    "variant-ver-one-dialect"
    "variant-xfr-without-port"
    "webtv-invitations-off"
}
