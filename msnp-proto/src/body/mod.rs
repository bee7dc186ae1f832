//! Bodies of messages: headers, text, typing, profile, mail.
