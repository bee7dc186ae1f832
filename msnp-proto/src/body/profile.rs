//! The profile: what the server says about an account after sign-in. All of it is in the header.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use super::mime::{BadValue, Fields, Mime, VERSION, check, put_line};
use crate::secret::Secret;
use crate::types::Dialect;

/// A profile. Real servers leave out or leave empty whatever they like: then it is none or empty.
///
/// ```
/// use msnp_proto::body::{Notice, Profile};
/// use msnp_proto::types::Dialect;
///
/// let mut profile = Profile::default();
/// profile.login_time = Some(1_700_000_000);
/// profile.ticket = "2AAAA$$".into();
/// let mut payload = Vec::new();
/// profile.write(Dialect::Msnp7, &mut payload).unwrap();
///
/// let Notice::Profile(view) = Notice::parse(&payload) else { panic!("not a profile") };
/// assert_eq!(view.to_profile(), profile);
/// assert!(!format!("{view:?} {profile:?}").contains("AAAA"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// When the account signed in, in Unix seconds by the server's clock (`LoginTime`).
    pub login_time: Option<u64>,
    /// Whether it has a mailbox (`EmailEnabled`).
    pub email_enabled: Option<bool>,
    /// One half of the account's number, signed or not (`MemberIdHigh`).
    pub member_id_high: Option<i64>,
    /// The other half (`MemberIdLow`).
    pub member_id_low: Option<i64>,
    /// A Windows language number (`lang_preference`).
    pub language: Option<u32>,
    /// `preferredEmail`.
    pub preferred_email: String,
    /// `country`.
    pub country: String,
    /// `PostalCode`.
    pub postal_code: String,
    /// `Gender`.
    pub gender: String,
    /// Whether it is a child's account (`Kid`).
    pub kid: String,
    /// `Age`.
    pub age: String,
    /// `BDayPre`.
    pub birthday_precision: String,
    /// `Birthday`.
    pub birthday: String,
    /// `Wallet`.
    pub wallet: String,
    /// `Flags`.
    pub flags: Option<u32>,
    /// The site's number at the sign-in service (`sid`).
    pub site_id: Option<u32>,
    /// The version of the sign-in service's key (`kv`).
    pub key_version: Option<u32>,
    /// The ticket that opens the mailbox (`MSPAuth`).
    pub ticket: Secret,
    /// The client's address as the server sees it (`ClientIP`).
    pub client_ip: String,
    /// The client's port as the server sees it (`ClientPort`).
    pub client_port: Option<u16>,
}

impl Profile {
    /// Appends the payload: in MSNP2 the time alone, later all fields that servers of 2001 sent,
    /// with the client's address behind them if it is known.
    ///
    /// # Errors
    ///
    /// When a text holds a control character; nothing was appended then.
    pub fn write(&self, dialect: Dialect, out: &mut Vec<u8>) -> Result<(), BadValue> {
        let full = dialect > Dialect::Msnp2;
        let ends = [("MSPAuth", self.ticket.expose()), ("ClientIP", &self.client_ip)];
        let texts = [
            ("preferredEmail", &self.preferred_email),
            ("country", &self.country),
            ("PostalCode", &self.postal_code),
            ("Gender", &self.gender),
            ("Kid", &self.kid),
            ("Age", &self.age),
            ("BDayPre", &self.birthday_precision),
            ("Birthday", &self.birthday),
            ("Wallet", &self.wallet),
        ];
        if full {
            texts.iter().try_for_each(|(name, value)| check(name, value))?;
            ends.iter().try_for_each(|(name, value)| check(name, value))?;
        }
        out.extend_from_slice(VERSION);
        out.extend_from_slice(b"Content-Type: text/x-msmsgsprofile; charset=UTF-8\r\n");
        put_line("LoginTime", self.login_time, out);
        if full {
            put_line("EmailEnabled", self.email_enabled.map(u8::from), out);
            put_line("MemberIdHigh", self.member_id_high, out);
            put_line("MemberIdLow", self.member_id_low, out);
            put_line("lang_preference", self.language, out);
            texts.iter().for_each(|(name, value)| put_line(name, Some(value), out));
            put_line("Flags", self.flags, out);
            put_line("sid", self.site_id, out);
            put_line("kv", self.key_version, out);
            let [ticket, address] = ends;
            put_line(ticket.0, Some(ticket.1), out);
            if !address.1.is_empty() || self.client_port.is_some() {
                put_line(address.0, Some(address.1), out);
                put_line("ClientPort", self.client_port, out);
            }
        }
        out.extend_from_slice(b"\r\n");
        Ok(())
    }
}

/// A profile as it stands in a payload.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ProfileView<'a>(Fields<'a>);

impl<'a> ProfileView<'a> {
    pub(super) const fn new(mime: Mime<'a>) -> Self {
        Self(mime.headers())
    }

    /// All lines: there may be more than [`Profile`] knows. `MSPAuth` is secret.
    #[must_use]
    pub const fn fields(&self) -> Fields<'a> {
        self.0
    }

    /// The profile as an owned value.
    #[must_use]
    pub fn to_profile(&self) -> Profile {
        let text = |name| self.0.text(name);
        Profile {
            login_time: self.value("LoginTime"),
            email_enabled: self.value::<u32>("EmailEnabled").map(|value| value != 0),
            member_id_high: self.value("MemberIdHigh"),
            member_id_low: self.value("MemberIdLow"),
            language: self.value("lang_preference"),
            preferred_email: text("preferredEmail"),
            country: text("country"),
            postal_code: text("PostalCode"),
            gender: text("Gender"),
            kid: text("Kid"),
            age: text("Age"),
            birthday_precision: text("BDayPre"),
            birthday: text("Birthday"),
            wallet: text("Wallet"),
            flags: self.value("Flags"),
            site_id: self.value("sid"),
            key_version: self.value("kv"),
            ticket: Secret::from(text("MSPAuth")),
            client_ip: text("ClientIP"),
            client_port: self.value("ClientPort"),
        }
    }

    fn value<T: FromStr>(&self, name: &str) -> Option<T> {
        core::str::from_utf8(self.0.get(name)?).ok()?.parse().ok()
    }
}

/// Only the names of the lines.
impl fmt::Debug for ProfileView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProfileView({:?})", self.0)
    }
}
