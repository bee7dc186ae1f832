//! The dialogues that come with this crate, for tests, fuzzing and documentation.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Transcript;
use super::case::{Case, Place};

macro_rules! library {
    ($folder:literal, $(#[$doc:meta])* $LIST:ident: $($name:literal)*) => {
        $(#[$doc])*
        pub const $LIST: &[(&str, &str)] = &[$(
            ($name, include_str!(concat!("../../", $folder, "/", $name, ".txt"))),
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

/// What a peer says in one of the cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    /// The name of the case and what it says of this input.
    pub name: String,
    /// Where it is said.
    pub place: Place,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// The cases in the file of this name.
///
/// # Panics
///
/// If there is none, or if it cannot be read.
#[must_use]
#[track_caller]
pub fn cases_of(name: &str) -> Vec<Case> {
    let text = CASES.iter().find(|(found, _)| *found == name).map(|(_, text)| *text);
    let text = text.unwrap_or_else(|| panic!("no file of cases is called {name}"));
    Case::all(text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Everything that a peer says in the cases, at every place: seeds for fuzzing.
///
/// ```
/// use msnp_proto::testing::library;
///
/// let of_hubs = library::cases().filter(|seed| !seed.place.is_client());
/// assert!(of_hubs.count() > 100);
/// ```
///
/// # Panics
///
/// If a case cannot be read.
pub fn cases() -> impl Iterator<Item = Seed> {
    CASES.iter().flat_map(|(name, _)| {
        let inputs = cases_of(name).into_iter().flat_map(|case| case.trial.inputs);
        inputs.flat_map(move |input| {
            let at = |place| {
                let variants = input.variants(place);
                let variants = variants.unwrap_or_else(|error| panic!("{name}: {error}"));
                variants.into_iter().map(move |variant| Seed {
                    name: alloc::format!("{name}: {}", variant.name),
                    place,
                    bytes: variant.bytes,
                })
            };
            input.places().flat_map(at).collect::<Vec<_>>()
        })
    })
}

library! {
    "cases",
    /// Every file of cases: its name and its text.
    CASES:
    "d01_escape_codes"
    "d02_forged_lines"
    "d03_directions"
    "f01_long_lines"
    "f02_lengths"
    "f03_promises"
    "f04_arity"
    "f05_payload_verbs"
    "f06_unknown_verbs"
    "f07_unmatched"
    "f08_referrals"
    "f09_odd_bytes"
    "f10_buffers"
    "f11_own_length"
    "f12_injection"
    "f13_scanners"
    "f14_ends"
    "f15_after_the_end"
    "h06_challenges"
    "h07_steps"
    "l01_wiped"
    "l02_shown"
    "l03_files"
    "l04_password_files"
    "l05_shells"
    "l06_dashes"
    "m01_empty"
    "m02_line_ends"
    "m03_headers"
    "m04_charset_names"
    "m05_broken_text"
    "m06_server_text"
    "m07_mail_fields"
    "m08_base64"
    "m09_names"
    "m10_ink"
    "m11_cut_names"
    "m12_percent"
    "m13_parts"
    "m14_no_type"
    "not_yet"
    "p01_strangers"
    "p02_first_words"
    "p03_presence"
    "p04_lists"
    "p05_list_names"
    "p06_members"
    "p07_forged"
    "p08_flags"
    "p09_repeats"
    "p10_dead_lines"
    "p11_closed_for_a_text"
    "s01_long_fields"
    "s02_unopened_sessions"
    "s03_short_bodies"
    "s04_wrapping_offsets"
    "s05_large_offsets"
    "s06_parts_without_a_first"
    "s07_unfilled_totals"
    "s08_missing_fields"
    "s10_nonces"
    "s11_contexts"
    "server_under_load"
    "t01_wanted_files"
    "t02_file_names"
    "t03_incomplete_offers"
    "t04_sizes"
    "t05_listeners"
    "t06_ports"
    "t07_addresses"
    "t08_cookies"
    "t09_changes"
    "t10_orders"
    "t11_blocks"
    "t12_media"
    "v08_comparisons"
    "v09_chat_cookies"
    "v10_calls"
    "v11_sizes"
    "v12_encodings"
    "v13_second_sign_in"
    "x01_formats"
    "x02_effects"
    "x03_emoticons"
    "x04_pictures"
    "x05_cookies"
    "x06_descriptors"
}

library! {
    "transcripts",
    /// Every dialogue: its name and its text.
    ALL:
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
