//! The directory in a database: lookups, and one transaction a commit.

use std::fs::File;
use std::path::Path;

use msnp_proto::hub::{Change, Directory, DirectoryError, Password, Properties, Record};
use msnp_proto::secret::Secret;
use msnp_proto::types::Handle;
use nix::fcntl::Flock;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::rows;
use super::schema::{self, Purpose};
use crate::failure::Failure;

/// Accounts in a file. What [`Directory::commit`] says is done survives a crash of this program and
/// of the machine; what it refuses is not there, and reading goes on.
pub(crate) struct SqliteDirectory {
    pub(super) db: Connection,
    trouble: Option<String>,
    /// Keeps other servers away until this one ends.
    _lock: Option<Flock<File>>,
}

impl SqliteDirectory {
    /// Opens the file; if there is none, `purpose` says whether it is made.
    pub(crate) fn open(path: &Path, purpose: Purpose) -> Result<Self, Failure> {
        let (db, lock) = schema::open(path, purpose)?;
        Ok(Self { db, trouble: None, _lock: lock })
    }

    /// What went wrong last, in the words of the database.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// All that `work` changes, or nothing of it.
    pub(super) fn transact<T, E: From<rusqlite::Error>>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        if !self.db.is_autocommit() {
            // The one before could not even be taken back; with this one it starts afresh.
            self.db.execute_batch("ROLLBACK")?;
        }
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    fn look<T>(
        &mut self,
        look: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DirectoryError> {
        look(&self.db).map_err(|error| {
            self.trouble = Some(schema::reason(&error));
            DirectoryError::Unavailable
        })
    }
}

impl Directory for SqliteDirectory {
    fn password(&mut self, who: &Handle) -> Result<Option<Password>, DirectoryError> {
        let password = self.look(|db| rows::password(db, who))?;
        Ok(password.map(|password| Password::Is(Secret::from(password))))
    }

    fn load(&mut self, who: &Handle) -> Result<Option<Record>, DirectoryError> {
        self.look(|db| {
            // One moment's view of all tables.
            let snapshot = db.unchecked_transaction()?;
            rows::load(&snapshot, who)
        })
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), DirectoryError> {
        let done = self.transact(|db| changes.iter().try_for_each(|change| rows::make(db, change)));
        done.map_err(|error| {
            self.trouble = Some(schema::reason(&error));
            DirectoryError::NotWritten
        })
    }

    /// Each commit waits for the disk.
    fn commits_in_batches(&self) -> bool {
        true
    }

    fn find(&mut self, who: &Handle) -> Result<Option<Handle>, DirectoryError> {
        self.look(|db| rows::find(db, who))
    }

    fn identity(&mut self, who: &Handle) -> Result<Option<u64>, DirectoryError> {
        self.look(|db| rows::identity(db, who))
    }

    fn properties(&mut self, who: &Handle, viewer: &Handle) -> Result<Properties, DirectoryError> {
        self.look(|db| rows::properties(db, who, viewer))
    }
}
