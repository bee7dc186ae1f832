//! Where accounts and their lists live, and how they change.

use alloc::boxed::Box;
use core::fmt;

use super::record::{Contact, Properties, Record};
use crate::secret::Secret;
use crate::types::{GroupId, Handle, Nick, Privacy, Prompt, Property};

/// Accounts with their lists. The hub asks it when somebody signs in and tells it every change;
/// what people see while somebody is online comes from the hub's own copy of the [`Record`]. Of
/// accounts that are offline the hub keeps nothing: it asks each time. So accounts may be added,
/// removed and given other passwords behind the hub's back at any time; lists, names and settings
/// may not while their owner is online.
///
/// An error is answered to the client as 603 while signing in and 501 later, and changes nothing.
pub trait Directory {
    /// How the account proves itself, or `None` if there is no such account.
    ///
    /// # Errors
    ///
    /// When the directory cannot tell.
    fn password(&mut self, who: &Handle) -> Result<Option<Password>, DirectoryError>;

    /// The account with all its lists, or `None` if there is no such account.
    ///
    /// # Errors
    ///
    /// When the directory cannot tell.
    fn load(&mut self, who: &Handle) -> Result<Option<Record>, DirectoryError>;

    /// Makes all changes, or none. When it returns `Ok`, they are as durable as this directory
    /// makes anything: only then does a client get its answer. Each change adds one to the list
    /// version of its account, as [`Record::apply`] does. A change for an account that does not
    /// exist is passed over, and so is one whose maker is gone: see [`Change::by`].
    ///
    /// # Errors
    ///
    /// When nothing was changed.
    fn commit(&mut self, changes: &[Change]) -> Result<(), DirectoryError>;

    /// Whether a commit costs so much that the changes of a whole turn are to be made in one, as it
    /// is when each of them waits for a disk. Then [`Directory::commit`] is called when the driver
    /// takes the first output after a change, once for all changes that came in between, and a
    /// client hears of its change after that. When it fails, it fails for all of them.
    ///
    /// `false` by default: each change is committed at once.
    fn commits_in_batches(&self) -> bool {
        false
    }

    /// Whether there is such an account. It is asked for each account that somebody names in a
    /// change.
    ///
    /// # Errors
    ///
    /// When the directory cannot tell.
    fn exists(&mut self, who: &Handle) -> Result<bool, DirectoryError> {
        Ok(self.load(who)?.is_some())
    }

    /// The [`Record::identity`] of the account, or `None` if there is no such account. It is asked
    /// for the account that is changed, before each change: if it is gone, or another one has its
    /// name, the session ends with that change ([`Why::AccountGone`](super::Why::AccountGone)).
    ///
    /// # Errors
    ///
    /// When the directory cannot tell.
    fn identity(&mut self, who: &Handle) -> Result<Option<u64>, DirectoryError> {
        Ok(self.load(who)?.map(|record| record.identity))
    }

    /// The properties of `who` as `viewer` may see them: none if `who` blocks `viewer`. It is asked
    /// for people who are offline; of others the hub has a copy.
    ///
    /// # Errors
    ///
    /// When the directory cannot tell.
    fn properties(&mut self, who: &Handle, viewer: &Handle) -> Result<Properties, DirectoryError> {
        let record = self.load(who)?.filter(|record| !record.blocks(viewer));
        Ok(record.map(|record| record.properties).unwrap_or_default())
    }
}

impl<D: Directory + ?Sized> Directory for Box<D> {
    fn password(&mut self, who: &Handle) -> Result<Option<Password>, DirectoryError> {
        (**self).password(who)
    }

    fn load(&mut self, who: &Handle) -> Result<Option<Record>, DirectoryError> {
        (**self).load(who)
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), DirectoryError> {
        (**self).commit(changes)
    }

    fn commits_in_batches(&self) -> bool {
        (**self).commits_in_batches()
    }

    fn exists(&mut self, who: &Handle) -> Result<bool, DirectoryError> {
        (**self).exists(who)
    }

    fn identity(&mut self, who: &Handle) -> Result<Option<u64>, DirectoryError> {
        (**self).identity(who)
    }

    fn properties(&mut self, who: &Handle, viewer: &Handle) -> Result<Properties, DirectoryError> {
        (**self).properties(who, viewer)
    }
}

/// How an account proves itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Password {
    /// By this password. The protocol needs the password itself: a digest of it cannot be checked.
    Is(Secret),
    /// By any password. For servers that only their owner can reach.
    Any,
}

/// One change of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The [`Record::identity`] of the account whose owner makes the change. An account may be
    /// removed by others after its change was planned, and before it is committed; what is left
    /// of the change would be half of one, or would be done to another account of the same name.
    pub by: u64,
    /// The account that changes.
    pub account: Handle,
    /// What changes.
    pub edit: Edit,
}

/// What changes in one account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Edit {
    /// The account's display name.
    Name(Nick),
    /// What holds for people on neither the allow nor the block list.
    Privacy(Privacy),
    /// What to do about new people on the reverse list.
    Prompt(Prompt),
    /// A property; `None` clears it.
    Property(Property, Option<Box<str>>),
    /// Somebody's entry is this now, except that they are on the reverse list if they were before:
    /// that is not the account's to change. With no list left there is no entry.
    Contact(Contact),
    /// A group is this now, or is gone.
    Group(GroupId, Option<Nick>),
    /// Somebody put this account on their forward list; the name is for a new entry.
    Reversed(Handle, Nick),
    /// Somebody took this account off their forward list.
    Unreversed(Handle),
    /// A contact has other properties: only the version changes, so that clients ask again.
    ContactProperties,
}

/// A directory could not do what it was asked, and has changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DirectoryError {
    /// It cannot be reached or read now.
    Unavailable,
    /// A change could not be made durable.
    NotWritten,
}

impl fmt::Display for DirectoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unavailable => "directory unavailable",
            Self::NotWritten => "change could not be written",
        })
    }
}

impl core::error::Error for DirectoryError {}
