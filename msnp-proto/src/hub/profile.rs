//! The profile that a client gets when it has signed in.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use crate::ns::Reply;
use crate::types::{Account, Dialect, Handle, Name};
use crate::wire::Body;

/// Appends the profile message. Until MSNP2 it has nothing but the time; no ticket is ever given.
pub(super) fn write(dialect: Dialect, handle: &Handle, unix_time: u64, out: &mut Vec<u8>) {
    let mut text =
        String::from("MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsprofile; charset=UTF-8\r\n");
    // Writing to a string cannot fail.
    let _ = write!(text, "LoginTime: {unix_time}\r\n");
    if dialect >= Dialect::Msnp3 {
        let _ = write!(
            text,
            "EmailEnabled: 0\r\nMemberIdHigh: 0\r\nMemberIdLow: 0\r\nlang_preference: 1033\r\n\
             preferredEmail: {handle}\r\ncountry: \r\nPostalCode: \r\nGender: \r\nKid: 0\r\n\
             Age: \r\nBDayPre: \r\nBirthday: \r\nWallet: \r\nFlags: 1027\r\nsid: 507\r\nkv: 2\r\n\
             MSPAuth: 0\r\n"
        );
    }
    text.push_str("\r\n");
    let hotmail = Name::from_text("Hotmail");
    if let (Some(name), Some(account)) = (hotmail, Account::new(b"Hotmail")) {
        Reply::Msg { account, name, body: Body(text.as_bytes()) }.encode(out);
    }
}
