//! What invitations to transfer a file say beyond the others. The order of their lines is that of
//! the official client: some clients read them by their place.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use super::{InviteCommand, InviteView, begin};
use crate::body::mime::{BadValue, Fields, check, put_line};
use crate::ftp::{AuthCookie, Meeting, offered_name};
use crate::limits::SWITCHBOARD_PAYLOAD;
use crate::wire::grammar;

/// The application that transfers files, as an `Application-GUID`.
pub const FILE_TRANSFER: &str = "{5D3E02AB-6190-11d3-BBBB-00C04F795683}";

impl<'a> InviteView<'a> {
    /// The file that an INVITE offers; `None` if it is another message, or an invitation to
    /// something else. Old clients send no GUID: then the lines for name and size are enough.
    #[must_use]
    pub fn file(&self) -> Option<FileOffer<'a>> {
        let fields = self.fields();
        let is_offer = self.command() == InviteCommand::Invite
            && match self.application_guid() {
                None | Some([]) => ["Application-File", "Application-FileSize"]
                    .iter()
                    .all(|name| fields.get(name).is_some()),
                Some(guid) => bare(guid).eq_ignore_ascii_case(bare(FILE_TRANSFER.as_bytes())),
            };
        is_offer.then_some(FileOffer { fields })
    }

    /// Where to connect; `None` unless an address, a port and a cookie are there and can be read.
    /// The address is an IPv4 address, and may have the port behind a colon if no other line has
    /// it. Whether it is fit to connect to says [`Meeting::candidates`].
    #[must_use]
    pub fn meeting(&self) -> Option<Meeting> {
        let get = |name| self.fields().get(name);
        let (address, behind) = address(get("IP-Address")?)?;
        let port = match get("Port") {
            Some(word) => port(word)?,
            None => behind?,
        };
        let cookie = AuthCookie::from_text(get("AuthCookie")?)?;
        let mut meeting = Meeting::new(address, port, cookie);
        let internal = get("IP-Address-Internal").and_then(self::address);
        meeting.internal = internal.map(|(address, _)| address);
        meeting.port_x = get("PortX").and_then(self::port);
        meeting.port_x_internal = get("PortX-Internal").and_then(self::port);
        Some(meeting)
    }

    /// Whether an address is named, fit or not.
    #[must_use]
    pub fn has_address(&self) -> bool {
        self.fields().get("IP-Address").is_some_and(|address| !address.is_empty())
    }

    /// Whether the one who receives the file waits for the connection.
    #[must_use]
    pub fn sender_connects(&self) -> bool {
        let value = self.fields().get("Sender-Connect");
        value.is_some_and(|value| value.eq_ignore_ascii_case(b"TRUE"))
    }
}

/// A file that somebody offers, as they say.
///
/// ```
/// use msnp_proto::body::{Message, invite};
///
/// let mut payload = Vec::new();
/// invite::write_file_invite(&mut payload, "1804289", "/home/alice/notes.txt", 4100, true)?;
/// let Message::Invite(view) = Message::parse(&payload) else { panic!("no invitation") };
/// let offer = view.file().unwrap();
/// assert_eq!((offer.name().as_deref(), offer.size()), (Some("notes.txt"), Some(4100)));
/// # Ok::<(), msnp_proto::body::BadValue>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileOffer<'a> {
    fields: Fields<'a>,
}

impl FileOffer<'_> {
    /// The name of the file as it came, with U+FFFD for what is not UTF-8. To make a file of that
    /// name take [`safe_name`](crate::ftp::safe_name).
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let name = self.fields.get("Application-File").filter(|name| !name.is_empty())?;
        Some(String::from_utf8_lossy(name).into_owned())
    }

    /// Bytes of the file, if a number was given.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.fields.get("Application-FileSize").and_then(grammar::size)
    }

    /// Whether they can be connected to, as far as they know.
    #[must_use]
    pub fn is_reachable(&self) -> bool {
        !self.is("Connectivity", b"N")
    }

    /// Whether they insist on the encrypted protocol of a later corporate client, which is not
    /// spoken here.
    #[must_use]
    pub fn wants_encryption(&self) -> bool {
        self.is("Encryption", b"R")
    }

    fn is(&self, name: &str, expected: &[u8]) -> bool {
        self.fields.get(name).is_some_and(|value| value.eq_ignore_ascii_case(expected))
    }
}

/// Appends the payload that offers a file. Of `name` the folder and control characters are left
/// out, and it is shortened before its ending so that with any
/// [answerable](InviteView::answerable_cookie) cookie the payload has at most
/// [`SWITCHBOARD_PAYLOAD`] bytes. `reachable` says whether the other side can connect to us.
///
/// # Errors
///
/// When the cookie holds a control character; nothing was appended then.
pub fn write_file_invite(
    out: &mut Vec<u8>,
    cookie: &str,
    name: &str,
    size: u64,
    reachable: bool,
) -> Result<(), BadValue> {
    check("Invitation-Cookie", cookie)?;
    let write = |out: &mut Vec<u8>, name: &str| {
        begin(out);
        put_line("Application-Name", Some("File Transfer"), out);
        put_line("Application-GUID", Some(FILE_TRANSFER), out);
        put_line("Invitation-Command", Some("INVITE"), out);
        put_line("Invitation-Cookie", Some(cookie), out);
        put_line("Application-File", Some(name), out);
        put_line("Application-FileSize", Some(size), out);
        if !reachable {
            put_line("Connectivity", Some("N"), out);
        }
        out.extend_from_slice(b"\r\n");
    };
    let start = out.len();
    write(out, "");
    let others = out.len().saturating_sub(start);
    out.truncate(start);
    write(out, &offered_name(name, SWITCHBOARD_PAYLOAD.saturating_sub(others)));
    Ok(())
}

/// Appends the payload that accepts a file and asks the sender to say where to connect.
///
/// # Errors
///
/// When the cookie holds a control character; nothing was appended then.
pub fn write_accept(out: &mut Vec<u8>, cookie: &str) -> Result<(), BadValue> {
    check("Invitation-Cookie", cookie)?;
    begin(out);
    put_command(cookie, out);
    put_end(out);
    Ok(())
}

/// Appends the payload that says where to connect: the sender's answer to [`write_accept`], or with
/// `sender_connects` the answer of a receiver that waits itself.
///
/// # Errors
///
/// When the cookie of the invitation holds a control character; nothing was appended then.
pub fn write_meeting(
    out: &mut Vec<u8>,
    cookie: &str,
    meeting: &Meeting,
    sender_connects: bool,
) -> Result<(), BadValue> {
    check("Invitation-Cookie", cookie)?;
    begin(out);
    if !sender_connects {
        put_command(cookie, out);
    }
    put_line("IP-Address", Some(meeting.address), out);
    if let Some(internal) = meeting.internal {
        put_line("IP-Address-Internal", Some(internal), out);
    }
    put_line("Port", Some(meeting.port), out);
    if let Some(port) = meeting.port_x {
        put_line("PortX", Some(port), out);
    }
    if let Some(port) = meeting.port_x_internal {
        put_line("PortX-Internal", Some(port), out);
    }
    put_line("AuthCookie", Some(meeting.cookie.expose()), out);
    if sender_connects {
        put_line("Sender-Connect", Some("TRUE"), out);
        put_command(cookie, out);
    }
    put_end(out);
    Ok(())
}

fn put_command(cookie: &str, out: &mut Vec<u8>) {
    put_line("Invitation-Command", Some("ACCEPT"), out);
    put_line("Invitation-Cookie", Some(cookie), out);
}

fn put_end(out: &mut Vec<u8>) {
    put_line("Launch-Application", Some("FALSE"), out);
    // With the colon: aMSN passes over anything else.
    put_line("Request-Data", Some("IP-Address:"), out);
    out.extend_from_slice(b"\r\n");
}

fn bare(guid: &[u8]) -> &[u8] {
    let guid = guid.strip_prefix(b"{").unwrap_or(guid);
    guid.strip_suffix(b"}").unwrap_or(guid)
}

/// An address, and the port behind it if there is one.
fn address(value: &[u8]) -> Option<(Ipv4Addr, Option<u16>)> {
    let (host, behind) = match memchr::memchr(b':', value).and_then(|at| value.split_at_checked(at))
    {
        Some((host, port)) => (host, port.strip_prefix(b":")),
        None => (value, None),
    };
    let address = core::str::from_utf8(host.trim_ascii()).ok()?.parse().ok()?;
    Some((address, behind.and_then(port)))
}

/// A port that is not 0.
fn port(word: &[u8]) -> Option<u16> {
    let port = grammar::number(word.trim_ascii())?;
    u16::try_from(port).ok().filter(|port| *port != 0)
}
