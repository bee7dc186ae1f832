//! A directory in memory.

use alloc::collections::{BTreeMap, BTreeSet};

use super::directory::{Change, Directory, DirectoryError, Edit, Password};
use super::record::{Properties, Record};
use crate::secret::Secret;
use crate::types::{Handle, List, Nick};

/// Accounts in memory, gone when the program ends.
///
/// ```
/// use msnp_proto::hub::{Directory, MemoryDirectory};
/// use msnp_proto::types::{Handle, List, Nick};
///
/// let handle = |text| Handle::new(text).unwrap();
/// let (alice, bob) = (handle("alice@example.net"), handle("bob@example.net"));
/// let mut accounts = MemoryDirectory::new()
///     .account(alice.clone(), "Pa55word")
///     .account(bob.clone(), "secret")
///     .name(&bob, Nick::new("Bob B").unwrap())
///     .contact(&alice, &bob);
///
/// let of_alice = accounts.load(&alice)?.unwrap();
/// assert!(of_alice.contact(&bob).unwrap().lists.has(List::Forward));
/// let of_bob = accounts.load(&bob)?.unwrap();
/// assert!(of_bob.contact(&alice).unwrap().lists.has(List::Reverse));
/// # Ok::<(), msnp_proto::hub::DirectoryError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryDirectory {
    accounts: BTreeMap<Handle, (Password, Record)>,
    /// How many accounts were made.
    made: u64,
    /// The identities of those that there are.
    living: BTreeSet<u64>,
    /// Up to how many accounts are made when somebody asks for them.
    open: usize,
}

impl MemoryDirectory {
    /// How many accounts [`MemoryDirectory::open`] makes at most.
    pub const OPEN_ACCOUNTS: usize = 10_000;

    /// No accounts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Accounts are made when somebody first asks for them, and take any password. For servers
    /// that only their owner can reach. From [`MemoryDirectory::OPEN_ACCOUNTS`] on there are no
    /// more: other names are unknown.
    #[must_use]
    pub fn open() -> Self {
        Self::open_up_to(Self::OPEN_ACCOUNTS)
    }

    /// As [`MemoryDirectory::open`], with another limit on the number of accounts.
    #[must_use]
    pub fn open_up_to(most: usize) -> Self {
        Self { open: most, ..Self::default() }
    }

    /// Adds an account, or gives it another password.
    #[must_use]
    pub fn account(mut self, who: Handle, password: impl Into<Secret>) -> Self {
        self.insert(who, Password::Is(password.into()));
        self
    }

    /// Marks an account's address as not known to be its owner's; without such an account nothing
    /// happens.
    #[must_use]
    pub fn unverified(mut self, who: &Handle) -> Self {
        if let Some((_, record)) = self.accounts.get_mut(who) {
            record.verified = false;
        }
        self
    }

    /// Adds an account that takes any password.
    #[must_use]
    pub fn open_account(mut self, who: Handle) -> Self {
        self.insert(who, Password::Any);
        self
    }

    /// Gives an account a display name; without such an account nothing happens.
    #[must_use]
    pub fn name(mut self, who: &Handle, name: Nick) -> Self {
        self.edit(who, &Edit::Name(name));
        self
    }

    /// Puts `other` on the forward and allow lists of `who`, and `who` on the reverse list of
    /// `other`; without these accounts nothing happens.
    #[must_use]
    pub fn contact(mut self, who: &Handle, other: &Handle) -> Self {
        let names = (self.record(who), self.record(other));
        if let (Some(own), Some(theirs)) = names {
            let mut contact = own.contact_or_new(&theirs.handle);
            contact.name = theirs.name.clone();
            contact.lists = contact.lists.with(List::Forward).with(List::Allow);
            let reversed = Edit::Reversed(own.handle.clone(), own.name.clone());
            self.edit(who, &Edit::Contact(contact));
            self.edit(other, &reversed);
        }
        self
    }

    /// Adds an account, or gives it another password.
    pub fn insert(&mut self, who: Handle, password: Password) {
        if let Some((old, _)) = self.accounts.get_mut(&who) {
            *old = password;
            return;
        }
        self.made = self.made.wrapping_add(1);
        let mut record = Record::new(who.clone());
        record.identity = self.made;
        self.living.insert(self.made);
        self.accounts.insert(who, (password, record));
    }

    /// Removes an account; whoever has it as a contact keeps their entry. Returns whether there was
    /// one.
    pub fn remove(&mut self, who: &Handle) -> bool {
        let removed = self.accounts.remove(who);
        removed.is_some_and(|(_, record)| self.living.remove(&record.identity))
    }

    /// Changes an account; without such an account nothing happens.
    pub fn edit(&mut self, who: &Handle, edit: &Edit) {
        if let Some((_, record)) = self.accounts.get_mut(who) {
            record.apply(edit);
        }
    }

    /// An account as it is now.
    #[must_use]
    pub fn record(&self, who: &Handle) -> Option<&Record> {
        self.accounts.get(who).map(|(_, record)| record)
    }

    fn make_if_open(&mut self, who: &Handle) {
        if self.accounts.len() < self.open && !self.accounts.contains_key(who) {
            self.insert(who.clone(), Password::Any);
        }
    }
}

impl Directory for MemoryDirectory {
    fn password(&mut self, who: &Handle) -> Result<Option<Password>, DirectoryError> {
        self.make_if_open(who);
        Ok(self.accounts.get(who).map(|(password, _)| password.clone()))
    }

    fn load(&mut self, who: &Handle) -> Result<Option<Record>, DirectoryError> {
        Ok(self.record(who).cloned())
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), DirectoryError> {
        for Change { by, account, edit } in changes {
            if self.living.contains(by) {
                self.edit(account, edit);
            }
        }
        Ok(())
    }

    fn exists(&mut self, who: &Handle) -> Result<bool, DirectoryError> {
        self.make_if_open(who);
        Ok(self.accounts.contains_key(who))
    }

    fn identity(&mut self, who: &Handle) -> Result<Option<u64>, DirectoryError> {
        Ok(self.record(who).map(|record| record.identity))
    }

    fn properties(&mut self, who: &Handle, viewer: &Handle) -> Result<Properties, DirectoryError> {
        let record = self.record(who).filter(|record| !record.blocks(viewer));
        Ok(record.map(|record| record.properties.clone()).unwrap_or_default())
    }
}
