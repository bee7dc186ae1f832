//! What the operator does to accounts, perhaps beside a running server.

use msnp_proto::hub::{Change, Edit, Record};
use msnp_proto::secret::Secret;
use msnp_proto::types::{Handle, List, ListVersion, Nick};
use rusqlite::{Connection, ErrorCode, Result, Row};

use super::rows::{self, Text};
use super::schema;
use super::sqlite::SqliteDirectory;
use crate::loopback::unix_time;

/// An account in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) account: Handle,
    pub(crate) name: String,
    /// People on its contact list.
    pub(crate) contacts: u32,
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unmanaged {
    /// There is such an account already.
    There,
    /// There is no such account.
    Unknown,
    /// Another process is changing the file, in the words of the database.
    Busy(String),
    /// The database could not do it, in its words.
    Failed(String),
}

impl From<rusqlite::Error> for Unmanaged {
    fn from(error: rusqlite::Error) -> Self {
        let text = schema::reason(&error);
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy(text),
            _ => Self::Failed(text),
        }
    }
}

impl SqliteDirectory {
    /// Adds an account. Whoever has this name as a contact, from an earlier account or another
    /// life of this one, is on its reverse list from the start.
    pub(crate) fn add(
        &mut self,
        account: &Handle,
        name: Option<&Nick>,
        password: &Secret,
    ) -> std::result::Result<(), Unmanaged> {
        self.transact(|db| {
            if rows::exists(db, account)? {
                return Err(Unmanaged::There);
            }
            let mut record = Record::new(account.clone());
            // What a client remembers of an earlier account of this name is of an earlier version.
            record.version = first_version();
            if let Some(name) = name {
                record.name = name.clone();
            }
            for (watcher, name) in watchers(db, account)? {
                record.apply(&Edit::Reversed(watcher, name));
            }
            rows::insert(db, &record, password.expose())?;
            Ok(())
        })
    }

    /// Removes an account with its lists, and takes it off the reverse lists of its contacts. Who
    /// has it as a contact keeps the entry.
    pub(crate) fn remove(&mut self, account: &Handle) -> std::result::Result<(), Unmanaged> {
        self.transact(|db| {
            let record = rows::load(db, account)?.ok_or(Unmanaged::Unknown)?;
            for contact in record.on(List::Forward) {
                let edit = Edit::Unreversed(record.handle.clone());
                let (by, account) = (record.identity, contact.handle.clone());
                rows::make(db, &Change { by, account, edit })?;
            }
            // Groups and contacts go with it.
            db.prepare_cached("DELETE FROM account WHERE handle = ?1")?.execute([Text(account)])?;
            Ok(())
        })
    }

    /// Gives an account another password.
    pub(crate) fn set_password(
        &mut self,
        account: &Handle,
        password: &Secret,
    ) -> std::result::Result<(), Unmanaged> {
        self.transact(|db| {
            let changed = db
                .prepare_cached("UPDATE account SET password = ?2 WHERE handle = ?1")?
                .execute((Text(account), password.expose()))?;
            if changed == 0 { Err(Unmanaged::Unknown) } else { Ok(()) }
        })
    }

    /// All accounts, by name.
    pub(crate) fn list(&mut self) -> std::result::Result<Vec<Entry>, Unmanaged> {
        let entries = self
            .db
            .prepare_cached(
                "SELECT a.handle, a.name, count(c.handle)
                 FROM account a LEFT JOIN contact c ON c.owner = a.id AND c.lists & 1
                 GROUP BY a.id ORDER BY a.handle",
            )?
            .query_map([], to_entry)?
            .collect::<Result<_>>()?;
        Ok(entries)
    }

    /// How many accounts there are.
    pub(crate) fn count(&self) -> std::result::Result<u32, Unmanaged> {
        Ok(self.db.query_row("SELECT count(*) FROM account", [], |row| row.get(0))?)
    }

    /// Whether there is such an account.
    pub(crate) fn has(&self, account: &Handle) -> std::result::Result<bool, Unmanaged> {
        Ok(rows::exists(&self.db, account)?)
    }
}

/// A version that no earlier account of the same name has had: it would have had to change once a
/// second from its beginning to its end.
fn first_version() -> ListVersion {
    ListVersion(u32::try_from(unix_time()).unwrap_or(1).max(1))
}

fn to_entry(row: &Row<'_>) -> Result<Entry> {
    let Text(account) = row.get(0)?;
    Ok(Entry { account, name: row.get(1)?, contacts: row.get(2)? })
}

/// Who has this account as a contact, with their names.
fn watchers(db: &Connection, account: &Handle) -> Result<Vec<(Handle, Nick)>> {
    db.prepare_cached(
        "SELECT a.handle, a.name FROM contact c JOIN account a ON a.id = c.owner
             WHERE c.handle = ?1 AND c.lists & 1",
    )?
    .query_map([Text(account)], |row| {
        let Text(watcher) = row.get(0)?;
        let name: String = row.get(1)?;
        let name = Nick::new(&name).unwrap_or_else(|| Nick::of_handle(&watcher));
        Ok((watcher, name))
    })?
    .collect()
}
