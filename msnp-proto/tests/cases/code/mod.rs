//! Cases that bytes alone cannot say. Each function is one; it panics where one fails.

mod chats;
mod ends;
mod lists;
mod own;
mod secrets;
mod server;
mod wire;

/// A case, and its name in the files.
type Code = (&'static str, fn());

/// Everything here.
pub(crate) const ALL: &[Code] = &[
    ("open_requests_are_limited", lists::open_requests_are_limited),
    ("strangers_leave_the_lists_as_they_are", lists::strangers_leave_the_lists_as_they_are),
    ("lists_are_limited", lists::lists_are_limited),
    ("referrals_to_the_same_server_are_counted", ends::referrals_to_the_same_server_are_counted),
    ("streams_end_after_every_byte", ends::streams_end_after_every_byte),
    ("connections_are_refused_at_every_point", ends::connections_are_refused_at_every_point),
    ("buffers_are_plain_queues", wire::buffers_are_plain_queues),
    ("emoticons_are_only_text", wire::emoticons_are_only_text),
    ("own_messages_fit_or_are_refused", own::own_messages_fit_or_are_refused),
    ("own_values_are_no_commands", own::own_values_are_no_commands),
    ("names_and_passwords_are_never_cut", own::names_and_passwords_are_never_cut),
    ("unknown_and_wrong_are_one_answer", server::unknown_and_wrong_are_one_answer),
    ("cookies_have_128_random_bits", server::cookies_have_128_random_bits),
    ("rings_are_limited", server::rings_are_limited),
    ("the_second_sign_in_is_clean", server::the_second_sign_in_is_clean),
    (
        "the_password_is_wiped_when_the_session_is_over",
        secrets::the_password_is_wiped_when_the_session_is_over,
    ),
    ("other_secrets_are_wiped_too", secrets::other_secrets_are_wiped_too),
    ("nothing_that_holds_a_secret_shows_it", secrets::nothing_that_holds_a_secret_shows_it),
    ("members_are_a_set", chats::members_are_a_set),
    (
        "a_text_on_a_dead_line_ends_and_the_next_one_opens_a_chat",
        chats::a_text_on_a_dead_line_ends_and_the_next_one_opens_a_chat,
    ),
];
