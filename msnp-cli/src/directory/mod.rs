//! Where the accounts of `serve` live: in memory, or in a file.
//!
//! This module knows the two homes. What an account is and how it changes is the business of
//! [`msnp_proto::hub`].
//!
//! ```text
//!   sqlite   the directory in a database: lookups, and one transaction a commit
//!   rows     accounts, groups and contacts to rows and back
//!   schema   the file: how it is opened, locked and brought to our form
//!   manage   what the operator does to accounts
//! ```

mod manage;
mod rows;
mod schema;
mod sqlite;
#[cfg(test)]
mod tests;

use msnp_proto::hub::{
    Change, Directory, DirectoryError, MemoryDirectory, Password, Properties, Record,
};
use msnp_proto::types::Handle;

pub(crate) use manage::Unmanaged;
pub(crate) use schema::Purpose;
pub(crate) use sqlite::SqliteDirectory;

/// The accounts of a server.
pub(crate) enum Accounts {
    /// Gone when the program ends.
    Memory(MemoryDirectory),
    /// Kept in a file.
    File(Box<SqliteDirectory>),
}

impl Accounts {
    /// What went wrong last, in the words of the one who knows.
    pub(crate) fn trouble(&self) -> Option<&str> {
        match self {
            Self::Memory(_) => None,
            Self::File(file) => file.trouble(),
        }
    }

    fn home(&mut self) -> &mut dyn Directory {
        match self {
            Self::Memory(memory) => memory,
            Self::File(file) => &mut **file,
        }
    }
}

impl Directory for Accounts {
    fn password(&mut self, who: &Handle) -> Result<Option<Password>, DirectoryError> {
        self.home().password(who)
    }

    fn load(&mut self, who: &Handle) -> Result<Option<Record>, DirectoryError> {
        self.home().load(who)
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), DirectoryError> {
        self.home().commit(changes)
    }

    fn commits_in_batches(&self) -> bool {
        match self {
            Self::Memory(memory) => memory.commits_in_batches(),
            Self::File(file) => file.commits_in_batches(),
        }
    }

    fn find(&mut self, who: &Handle) -> Result<Option<Handle>, DirectoryError> {
        self.home().find(who)
    }

    fn identity(&mut self, who: &Handle) -> Result<Option<u64>, DirectoryError> {
        self.home().identity(who)
    }

    fn properties(&mut self, who: &Handle, viewer: &Handle) -> Result<Properties, DirectoryError> {
        self.home().properties(who, viewer)
    }
}
