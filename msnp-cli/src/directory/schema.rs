//! The file: how it is opened, who may open it, and how an older one becomes one of ours.
//!
//! A file is a SQLite database with a write-ahead log. `application_id` says that it is ours,
//! `user_version` in which form it is: the number of [`STEPS`] that it has been through.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;

/// What the file is called in texts.
const WHAT: &str = "data file";

/// "msnp".
const APPLICATION: i32 = 0x6d73_6e70;

/// How long to wait for another process to finish its change. The server waits too, so it is short.
const PATIENCE: Duration = Duration::from_secs(2);

/// What leads from each form of the file to the next one. A step that has been released is never
/// changed: a new one is added.
pub(super) const STEPS: [&str; 2] = [
    // Names are compared in ASCII without regard to the case of letters, which is what NOCASE does.
    "CREATE TABLE account (
         id INTEGER PRIMARY KEY,
         handle TEXT NOT NULL UNIQUE COLLATE NOCASE,
         password TEXT NOT NULL,
         name TEXT NOT NULL,
         verified INTEGER NOT NULL DEFAULT 1,
         version INTEGER NOT NULL,
         privacy TEXT NOT NULL,
         prompt TEXT NOT NULL,
         home TEXT,
         work TEXT,
         mobile TEXT,
         pages INTEGER NOT NULL DEFAULT 0,
         device INTEGER NOT NULL DEFAULT 0
     ) STRICT;
     CREATE TABLE \"group\" (
         owner INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
         id INTEGER NOT NULL,
         name TEXT NOT NULL,
         PRIMARY KEY (owner, id)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE contact (
         owner INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
         handle TEXT NOT NULL COLLATE NOCASE,
         name TEXT NOT NULL,
         lists INTEGER NOT NULL,
         groups INTEGER NOT NULL,
         PRIMARY KEY (owner, handle)
     ) STRICT, WITHOUT ROWID;",
    // Who has somebody on a list: asked when an account is added or removed.
    "CREATE INDEX contact_by_handle ON contact (handle);",
];

/// What an opened file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A server works with it until it ends; there may be only one.
    Serve,
    /// Accounts are looked at or changed, perhaps beside a server. The file must be there.
    Manage,
    /// The same; a file that is not there is made.
    ManageOrMake,
}

/// Opens the file, and makes it if it is not there and may be made. The lock is held as long as the
/// server runs.
pub(super) fn open(
    path: &Path,
    purpose: Purpose,
) -> Result<(Connection, Option<Flock<File>>), Failure> {
    let path = resolve(path)?;
    let there = files::is_there_and_private(&path, WHAT)?;
    if !there && purpose == Purpose::Manage {
        let text = format!(
            "there is no {WHAT} {}; `user add` makes one, and so does starting the server",
            path.display()
        );
        return Err(Failure::new(Exit::NoInput, text));
    }
    // What SQLite keeps beside the file holds the same secrets.
    for ending in ["-wal", "-shm", "-journal"] {
        files::is_there_and_private(&beside(&path, ending), WHAT)?;
    }
    let lock = match purpose {
        Purpose::Serve => Some(lock(&path)?),
        Purpose::Manage | Purpose::ManageOrMake => None,
    };
    if !there {
        drop(files::open_private(&path, WHAT)?);
    }
    let connection = connect(&path).map_err(|error| not_opened(&path, &error))?;
    Ok((connection, lock))
}

/// The same file with no links on the way to it. A link in its own place stays, and is refused.
fn resolve(path: &Path) -> Result<PathBuf, Failure> {
    let bad = |why: &str| {
        let text = format!("cannot open {WHAT} {}: {why}", path.display());
        Failure::new(Exit::NoInput, text)
    };
    let name = path.file_name().ok_or_else(|| bad("this names no file"))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize();
    Ok(folder.map_err(|error| bad(&format!("its folder: {}", files::reason(&error))))?.join(name))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Keeps other servers away. The system gives the lock back when the process ends in any way.
fn lock(path: &Path) -> Result<Flock<File>, Failure> {
    let beside = beside(path, "-lock");
    let file = files::open_private(&beside, "lock file")?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| match error {
        Errno::EWOULDBLOCK => {
            let text = format!(
                "another server works with {WHAT} {}; stop that one, or name another file",
                path.display()
            );
            Failure::new(Exit::Retry, text)
        }
        error => {
            let text = format!("cannot lock {}: {}", beside.display(), error.desc());
            Failure::new(Exit::Io, text)
        }
    })
}

/// Why a file could not be opened.
#[derive(Debug)]
pub(super) enum Unopened {
    /// It is a database of another program.
    Foreign,
    /// A later version of this program made it.
    Newer(i64),
    /// It cannot have a write-ahead log.
    NoLog,
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Unopened {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn not_opened(path: &Path, error: &Unopened) -> Failure {
    let (exit, why) = match error {
        Unopened::Foreign => (Exit::Config, "it is a database of another program".into()),
        Unopened::Newer(version) => (
            Exit::Config,
            format!(
                "it has form {version}, made by a later version of msnp; this one knows forms up \
                 to {}",
                STEPS.len()
            ),
        ),
        Unopened::NoLog => (
            Exit::Config,
            "its file system cannot have a database with a write-ahead log; put it on a local disk"
                .into(),
        ),
        Unopened::Sqlite(error) => match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => {
                (Exit::Config, "it is not a database; name another file".into())
            }
            Some(ErrorCode::DatabaseCorrupt) => {
                (Exit::Config, "it is damaged; put a copy in its place".into())
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                (Exit::Retry, "another program is changing it; try again".into())
            }
            _ => (Exit::Io, reason(error)),
        },
    };
    Failure::new(exit, format!("cannot use {WHAT} {}: {why}", path.display()))
}

/// An error of the database in the words of the database.
pub(super) fn reason(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(code, None) => code.to_string(),
        rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
        other => other.to_string(),
    }
}

/// Opens a file that is there: an empty one, or one of ours of any form.
pub(super) fn connect(path: &Path) -> Result<Connection, Unopened> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(32);
    check_ours(&connection)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(Unopened::NoLog);
    }
    // A commit waits for the disk: what it says is done survives the loss of power.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // Passwords that were removed do not stay in unused parts of the file.
    connection.pragma_update(None, "secure_delete", true)?;
    migrate(&mut connection)?;
    Ok(connection)
}

/// Looks at a file before anything is changed in it.
fn check_ours(connection: &Connection) -> Result<i64, Unopened> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let is_empty = (application, version, tables) == (0, 0, 0);
    if !is_empty && application != i64::from(APPLICATION) {
        return Err(Unopened::Foreign);
    }
    match usize::try_from(version) {
        Ok(done) if done <= STEPS.len() => Ok(version),
        _ => Err(Unopened::Newer(version)),
    }
}

/// Brings a file to our form, all of the way or not at all.
fn migrate(connection: &mut Connection) -> Result<(), Unopened> {
    let last = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    if check_ours(connection)? == last {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have done it meanwhile.
    let version = usize::try_from(check_ours(&transaction)?).unwrap_or_default();
    for step in STEPS.iter().skip(version) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", last)?;
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::tests::Folder;

    fn version(connection: &Connection) -> i64 {
        connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .expect("a database has a version")
    }

    /// A file as the version of this program made it that knew only the first `steps`.
    fn older(path: &Path, steps: usize) -> Connection {
        let connection = Connection::open(path).expect("a writable folder");
        for step in STEPS.iter().take(steps) {
            connection.execute_batch(step).expect("good SQL");
        }
        connection.pragma_update(None, "application_id", APPLICATION).expect("a number");
        let steps = i64::try_from(steps).expect("a few");
        connection.pragma_update(None, "user_version", steps).expect("a number");
        connection
    }

    #[test]
    fn an_older_file_becomes_one_of_ours_with_all_that_is_in_it() {
        for steps in 1..STEPS.len() {
            let folder = Folder::new();
            let path = folder.file("data", b"", 0o600);
            let before = older(&path, steps);
            before
                .execute_batch(
                    "INSERT INTO account (handle, password, name, version, privacy, prompt)
                         VALUES ('Bob@example.net', 'x', 'Bob', 7, 'AL', 'A');
                     INSERT INTO contact VALUES (1, 'Ann@example.net', 'Ann', 3, 0);",
                )
                .expect("good SQL");
            assert_eq!(version(&before), 1);
            drop(before);
            for _ in 0..2 {
                let (after, _) = open(&path, Purpose::Manage).expect("an older file of ours");
                assert_eq!(version(&after), 2);
                let owner: String = after
                    .query_row(
                        "SELECT a.handle FROM account a, contact c
                             WHERE c.owner = a.id AND c.handle = 'ANN@example.net'",
                        [],
                        |row| row.get(0),
                    )
                    .expect("what was there is there");
                assert_eq!(owner, "Bob@example.net");
                let indexes: i64 = after
                    .query_row(
                        "SELECT count(*) FROM sqlite_schema WHERE name = 'contact_by_handle'",
                        [],
                        |row| row.get(0),
                    )
                    .expect("a count");
                assert_eq!(indexes, 1);
            }
        }
    }

    #[test]
    fn what_is_not_ours_stays_as_it_is() {
        let folder = Folder::new();
        let foreign = folder.file("foreign", b"", 0o600);
        Connection::open(&foreign)
            .and_then(|connection| connection.execute_batch("CREATE TABLE t (a)"))
            .expect("a writable folder");
        let newer = folder.file("newer", b"", 0o600);
        older(&newer, STEPS.len()).pragma_update(None, "user_version", 99).expect("a number");
        let text = folder.file("text", b"[[user]]\naccount = \"a@b\"\n", 0o600);
        for (path, expected) in
            [(&foreign, "another program"), (&newer, "form 99"), (&text, "not a database")]
        {
            let before = std::fs::read(path).expect("our own file");
            let failure = open(path, Purpose::Serve).expect_err("refused");
            assert_eq!(failure.exit, Exit::Config, "{failure}");
            assert!(failure.text.contains(expected), "{failure}");
            assert_eq!(std::fs::read(path).expect("our own file"), before);
        }
    }

    #[test]
    fn the_file_and_all_beside_it_are_private() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
        let folder = Folder::new();
        let path = folder.0.join("data");
        let (connection, _lock) = open(&path, Purpose::Serve).expect("a writable folder");
        connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK").expect("nothing");
        for ending in ["", "-wal", "-shm", "-lock"] {
            let meta = std::fs::metadata(beside(&path, ending)).expect(ending);
            assert_eq!(meta.mode() & 0o7777, 0o600, "{ending}");
        }
        drop(connection);
        let loose = std::fs::Permissions::from_mode(0o640);
        for ending in ["-wal", "-shm"] {
            let wal = beside(&path, ending);
            std::fs::write(&wal, b"").expect("our own file");
            std::fs::set_permissions(&wal, loose.clone()).expect("our own file");
            let failure = open(&path, Purpose::Manage).expect_err("refused");
            assert_eq!(failure.exit, Exit::Config);
            assert!(failure.text.contains("mode 0640") && failure.text.contains(ending));
            std::fs::remove_file(&wal).expect("our own file");
        }
        let link = folder.0.join("link");
        symlink(&path, &link).expect("a fresh name");
        let failure = open(&link, Purpose::Manage).expect_err("refused");
        assert!(failure.text.contains("symbolic link"), "{failure}");
        // A link on the way is no harm.
        let way = folder.0.join("way");
        symlink(&folder.0, &way).expect("a fresh name");
        open(&way.join("data"), Purpose::Manage).expect("the same file");
    }

    #[test]
    fn there_is_one_server_and_any_number_of_others() {
        let folder = Folder::new();
        let path = folder.0.join("data");
        let missing = open(&path, Purpose::Manage).expect_err("not there");
        assert_eq!(missing.exit, Exit::NoInput);
        let server = open(&path, Purpose::Serve).expect("the first");
        let second = open(&path, Purpose::Serve).expect_err("the second");
        assert_eq!(second.exit, Exit::Retry);
        assert!(second.text.contains("another server"), "{second}");
        open(&path, Purpose::Manage).expect("beside it");
        drop(server);
        open(&path, Purpose::Serve).expect("the first is gone");
    }
}
