//! The smallest notification server: for files that begin in the middle of a session or have
//! switchboards alone, it signs the client in and hands it from room to room.

use msnp_proto::machine::ConnId;

/// Answers each line of a client that signs in.
pub(crate) struct Usher {
    pub(crate) conn: ConnId,
    account: String,
    dialect: String,
    version: u32,
    /// The way to the next switchboard: the cookie.
    pub(crate) cookie: Option<String>,
}

/// Where the usher says that switchboards are.
pub(crate) const SWITCHBOARD: &str = "192.0.2.20:1863";

impl Usher {
    pub(crate) fn new(conn: ConnId, account: &str, dialect: &str, version: u32) -> Self {
        let (account, dialect) = (account.to_owned(), dialect.to_owned());
        Self { conn, account, dialect, version, cookie: None }
    }

    pub(crate) fn answer(&mut self, said: &str) -> String {
        let mut answers = String::new();
        for line in said.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let Self { account, dialect, version, .. } = self;
            let answer = match words[..] {
                ["VER", n, ..] => format!("VER {n} {dialect}"),
                ["INF", n] => format!("INF {n} MD5"),
                ["USR", n, "MD5", "I", _] => format!("USR {n} MD5 S 1700000000.123456789"),
                ["USR", n, "MD5", "S", _] => format!("USR {n} OK {account} Somebody 1"),
                ["SYN", n, _] => format!("SYN {n} {version}\r\nLST {n} RL {version} 0 0"),
                ["CHG", n, status] => format!("CHG {n} {status}"),
                ["CVR", n, ..] => format!("CVR {n} 1 1 1 http://a/ http://b/"),
                ["XFR", n, "SB"] => {
                    let cookie = self.cookie.take().expect("nobody else asks");
                    format!("XFR {n} SB {SWITCHBOARD} CKI {cookie}")
                }
                _ => continue,
            };
            answers.push_str(&answer);
            answers.push_str("\r\n");
        }
        answers
    }
}
