//! Which server a connection leads to, by its first lines.
//!
//! This module knows what only one of the three servers says or is told. VER, INF and the first
//! USR are the same at a dispatch and at a notification server: what follows tells them apart.

use msnp_proto::wire::{Frame, Verb, VerbRow};
use msnp_proto::{ns, sb};

use super::event::Server;

/// What the lines so far say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guess {
    /// Nothing.
    Open,
    /// A dispatch or a notification server.
    Entrance,
    Surely(Server),
}

/// Guesses from what both sides have said, each from its beginning or from anywhere.
pub(super) fn guess(client: &[u8], server: &[u8]) -> Guess {
    let mut guess = Guess::Open;
    for line in lines(client) {
        match of_request(line) {
            Guess::Open => {}
            Guess::Entrance => guess = Guess::Entrance,
            surely => return surely,
        }
    }
    for line in lines(server) {
        match of_reply(line, guess == Guess::Entrance) {
            Guess::Surely(server) => return Guess::Surely(server),
            Guess::Entrance => guess = Guess::Entrance,
            Guess::Open => {}
        }
    }
    guess
}

/// The whole lines.
fn lines(bytes: &[u8]) -> impl Iterator<Item = Frame<'_>> {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let lines = bytes.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n');
    lines.map(|line| Frame::new(line.strip_suffix(b"\r").unwrap_or(line), None))
}

fn of_request(line: Frame<'_>) -> Guess {
    let Some(verb) = line.verb() else { return Guess::Open };
    let argument = |place| line.words().nth(place).unwrap_or_default();
    match verb.as_bytes() {
        b"VER" | b"INF" | b"CVR" => Guess::Entrance,
        b"CVQ" => Guess::Surely(Server::Dispatch),
        b"USR" if argument(2).contains(&b'@') => Guess::Surely(Server::Switchboard),
        b"USR" if argument(3) == b"S" => Guess::Surely(Server::Notification),
        b"USR" if argument(3) == b"I" => Guess::Entrance,
        _ => of_tables(verb, ns::Request::VERBS, sb::Request::VERBS),
    }
}

fn of_reply(line: Frame<'_>, is_entrance: bool) -> Guess {
    let Some(verb) = line.verb() else { return Guess::Open };
    let argument = |place| line.words().nth(place).unwrap_or_default();
    match verb.as_bytes() {
        b"VER" | b"INF" | b"CVR" => Guess::Entrance,
        b"CVQ" => Guess::Surely(Server::Dispatch),
        // While signed in one is moved by an answer to nothing.
        b"XFR" if argument(2) == b"NS" && argument(1) != b"0" => Guess::Surely(Server::Dispatch),
        b"XFR" => Guess::Surely(Server::Notification),
        b"USR" if argument(3) == b"S" => Guess::Surely(Server::Notification),
        b"USR" if argument(2) == b"OK" && is_entrance => Guess::Surely(Server::Notification),
        b"USR" if argument(2) == b"OK" => Guess::Surely(Server::Switchboard),
        b"MSG" if argument(1) == b"Hotmail" => Guess::Surely(Server::Notification),
        b"MSG" if argument(1).contains(&b'@') => Guess::Surely(Server::Switchboard),
        _ => of_tables(verb, ns::Reply::VERBS, sb::Reply::VERBS),
    }
}

/// A verb that is in one of two tables.
fn of_tables(verb: Verb, notification: &[VerbRow], switchboard: &[VerbRow]) -> Guess {
    let has = |table: &[VerbRow]| table.iter().any(|row| row.verb == verb);
    match (has(notification), has(switchboard)) {
        (true, false) => Guess::Surely(Server::Notification),
        (false, true) => Guess::Surely(Server::Switchboard),
        _ => Guess::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::Guess::{Entrance, Open, Surely};
    use super::Server::{Dispatch, Notification, Switchboard};
    use super::*;

    #[test]
    fn first_lines_tell_the_server() {
        for (client, server, expected) in [
            ("", "", Open),
            ("VER 1 MSNP7 CVR0\r", "", Open),
            ("VER 1 MSNP7 CVR0\r\n", "VER 1 MSNP7 CVR0\r\nINF 2 MD5\r\n", Entrance),
            ("VER 1 MSNP7\r\nUSR 3 MD5 I a@b.c\r\n", "", Entrance),
            ("VER 1 MSNP7\r\n", "XFR 3 NS 192.0.2.1:1863 0\r\n", Surely(Dispatch)),
            ("CVQ 2 0x0409 win\r\n", "", Surely(Dispatch)),
            ("INF 1\nUSR 2 MD5 I a@b.c\n", "USR 2 MD5 S 1.2\n", Surely(Notification)),
            ("VER 1 MSNP12\r\nUSR 3 TWN I a@b.c\r\n", "USR 3 TWN S lc=1\r\n", Surely(Notification)),
            ("VER 1 MSNP2\r\n", "USR 4 OK a@b.c A\r\n", Surely(Notification)),
            ("USR 1 a@b.c 1.2\r\n", "", Surely(Switchboard)),
            ("USR 1 a@b.c;{5} 1.2\r\n", "", Surely(Switchboard)),
            ("ANS 1 a@b.c 1.2 3\r\n", "", Surely(Switchboard)),
            // From anywhere.
            ("PNG\r\n", "", Surely(Notification)),
            ("", "QNG\r\n", Surely(Notification)),
            ("OUT\r\n", "OUT\r\n", Open),
            ("MSG 3 N 5\r\nhello", "", Surely(Switchboard)),
            ("", "ACK 3\r\n", Surely(Switchboard)),
            ("", "MSG Hotmail Hotmail 5\r\nhello", Surely(Notification)),
            ("", "MSG bob@example.net Bob 5\r\nhello", Surely(Switchboard)),
            ("", "XFR 0 NS 192.0.2.1:1863 0\r\n", Surely(Notification)),
            ("", "XFR 5 SB 192.0.2.1:1863 CKI 1\r\n", Surely(Notification)),
            ("", "USR 1 OK a@b.c A\r\n", Surely(Switchboard)),
            ("half a line\r\n", "hello there\r\nNLN NLN a@b.c A\r\n", Surely(Notification)),
            ("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n", Open),
        ] {
            assert_eq!(guess(client.as_bytes(), server.as_bytes()), expected, "{client} {server}");
        }
    }
}
