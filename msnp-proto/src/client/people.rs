//! Commands about people, groups and settings: each is one request, of as many commands as it
//! takes, in the order that servers need.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Client, RequestId};
use crate::error::Misuse;
use crate::ns::Change;
use crate::time::Instant;
use crate::types::{GroupId, Handle, List, Lists, Nick, Privacy, Prompt, Property};

impl Client {
    /// Makes one request of one command, as it is. Answered by
    /// [`Event::Done`](super::Event::Done) or [`Event::Refused`](super::Event::Refused).
    ///
    /// # Errors
    ///
    /// [`Misuse::NotOnline`], [`Misuse::NotInDialect`], [`Misuse::Invalid`], [`Misuse::Backlog`].
    pub fn change(&mut self, now: Instant, change: Change) -> Result<RequestId, Misuse> {
        self.request(now, [change].to_vec(), false)
    }

    /// Puts somebody on the forward list, in a group if the dialect has them, and allows them
    /// unless they are blocked.
    ///
    /// # Errors
    ///
    /// As [`Client::change`].
    pub fn add_contact(
        &mut self,
        now: Instant,
        who: &Handle,
        nick: Option<&Nick>,
        group: Option<GroupId>,
    ) -> Result<RequestId, Misuse> {
        let lists = self.lists_of(who);
        let (account, nick) = (who.clone(), nick.cloned());
        let list = List::Forward;
        let mut steps = Vec::new();
        steps.push(Change::Add { list, account, nick: nick.clone(), group });
        if !lists.has(List::Allow) && !lists.has(List::Block) {
            let list = List::Allow;
            steps.push(Change::Add { list, account: who.clone(), nick, group: None });
        }
        self.request(now, steps, true)
    }

    /// Takes somebody off the forward list, out of all groups. They stay allowed or blocked.
    ///
    /// # Errors
    ///
    /// As [`Client::change`].
    pub fn remove_contact(&mut self, now: Instant, who: &Handle) -> Result<RequestId, Misuse> {
        let change = Change::Remove { list: List::Forward, account: who.clone(), group: None };
        self.request(now, [change].to_vec(), false)
    }

    /// Lets somebody see our presence and call us: off the block list first, then on the allow
    /// list.
    ///
    /// # Errors
    ///
    /// As [`Client::change`].
    pub fn allow(&mut self, now: Instant, who: &Handle) -> Result<RequestId, Misuse> {
        self.shift(now, who, List::Block, List::Allow)
    }

    /// Keeps somebody from seeing our presence and from calling us: off the allow list first,
    /// then on the block list.
    ///
    /// # Errors
    ///
    /// As [`Client::change`].
    pub fn block(&mut self, now: Instant, who: &Handle) -> Result<RequestId, Misuse> {
        self.shift(now, who, List::Allow, List::Block)
    }

    /// Puts a contact in one group and takes them out of another: in first, so that they are
    /// never in none.
    ///
    /// # Errors
    ///
    /// As [`Client::change`]; [`Misuse::Unknown`] if they are no contact,
    /// [`Misuse::Already`] if both groups are the same.
    pub fn move_contact(
        &mut self,
        now: Instant,
        who: &Handle,
        from: GroupId,
        to: GroupId,
    ) -> Result<RequestId, Misuse> {
        let nick = self.contact_nick(who)?;
        if from == to {
            return Err(Misuse::Already);
        }
        let (list, account) = (List::Forward, who.clone());
        let join = Change::Add { list, account, nick: Some(nick), group: Some(to) };
        let leave = Change::Remove { list, account: who.clone(), group: Some(from) };
        self.request(now, [join, leave].to_vec(), true)
    }

    /// Puts a contact in one more group.
    ///
    /// # Errors
    ///
    /// As [`Client::change`]; [`Misuse::Unknown`] if they are no contact.
    pub fn copy_contact(
        &mut self,
        now: Instant,
        who: &Handle,
        to: GroupId,
    ) -> Result<RequestId, Misuse> {
        let (nick, account) = (Some(self.contact_nick(who)?), who.clone());
        self.change(now, Change::Add { list: List::Forward, account, nick, group: Some(to) })
    }

    /// Takes a contact out of one group; they stay a contact.
    ///
    /// # Errors
    ///
    /// As [`Client::change`].
    pub fn take_from_group(
        &mut self,
        now: Instant,
        who: &Handle,
        from: GroupId,
    ) -> Result<RequestId, Misuse> {
        let (list, account) = (List::Forward, who.clone());
        self.change(now, Change::Remove { list, account, group: Some(from) })
    }

    /// Makes a group. Its number is in
    /// [`RosterChange::Group`](super::RosterChange::Group).
    ///
    /// # Errors
    ///
    /// As [`Client::change`].
    pub fn add_group(&mut self, now: Instant, name: &Nick) -> Result<RequestId, Misuse> {
        self.change(now, Change::AddGroup(name.clone()))
    }

    /// Renames a group.
    ///
    /// # Errors
    ///
    /// As [`Client::change`].
    pub fn rename_group(
        &mut self,
        now: Instant,
        group: GroupId,
        name: &Nick,
    ) -> Result<RequestId, Misuse> {
        self.change(now, Change::RenameGroup(group, name.clone()))
    }

    /// Deletes a group. Contacts that are in no other are moved to group 0 first: servers differ
    /// in whether they would vanish.
    ///
    /// # Errors
    ///
    /// As [`Client::change`].
    pub fn remove_group(&mut self, now: Instant, group: GroupId) -> Result<RequestId, Misuse> {
        let alone = |(who, contact): (&Handle, &crate::ns::Contact)| {
            (contact.groups() == [group]).then(|| Change::Add {
                list: List::Forward,
                account: who.clone(),
                nick: Some(contact.nick().clone()),
                group: Some(GroupId::OTHER),
            })
        };
        let mut steps: Vec<Change> = self.roster().contacts().filter_map(alone).collect();
        if group == GroupId::OTHER {
            steps.clear();
        }
        steps.push(Change::RemoveGroup(group));
        self.request(now, steps, true)
    }

    /// Changes one's own display name.
    ///
    /// # Errors
    ///
    /// As [`Client::change`].
    pub fn rename(&mut self, now: Instant, nick: &Nick) -> Result<RequestId, Misuse> {
        let account = self.account().ok_or(Misuse::NotOnline)?.clone();
        self.change(now, Change::Rename(account, nick.clone()))
    }

    /// Changes the name that is kept for somebody on a list.
    ///
    /// # Errors
    ///
    /// As [`Client::change`].
    pub fn rename_contact(
        &mut self,
        now: Instant,
        who: &Handle,
        nick: &Nick,
    ) -> Result<RequestId, Misuse> {
        self.change(now, Change::Rename(who.clone(), nick.clone()))
    }

    /// Sets what holds for people on neither the allow nor the block list.
    ///
    /// # Errors
    ///
    /// As [`Client::change`].
    pub fn set_privacy(&mut self, now: Instant, privacy: Privacy) -> Result<RequestId, Misuse> {
        self.request(now, [Change::Privacy(privacy)].to_vec(), true)
    }

    /// Sets what to do about new people on the reverse list.
    ///
    /// # Errors
    ///
    /// As [`Client::change`].
    pub fn set_prompt(&mut self, now: Instant, prompt: Prompt) -> Result<RequestId, Misuse> {
        self.request(now, [Change::Prompt(prompt)].to_vec(), true)
    }

    /// Sets one's own phone number or mobile flag; an empty value clears it.
    ///
    /// # Errors
    ///
    /// As [`Client::change`].
    pub fn set_property(
        &mut self,
        now: Instant,
        property: Property,
        value: &str,
    ) -> Result<RequestId, Misuse> {
        self.change(now, Change::Property(property, String::from(value)))
    }

    fn shift(
        &mut self,
        now: Instant,
        who: &Handle,
        from: List,
        to: List,
    ) -> Result<RequestId, Misuse> {
        let nick = self.roster().contact(who).map(|contact| contact.nick().clone());
        let mut steps = Vec::new();
        if self.lists_of(who).has(from) {
            steps.push(Change::Remove { list: from, account: who.clone(), group: None });
        }
        steps.push(Change::Add { list: to, account: who.clone(), nick, group: None });
        self.request(now, steps, true)
    }

    fn lists_of(&self, who: &Handle) -> Lists {
        self.roster().contact(who).map_or(Lists::NONE, |contact| contact.lists())
    }

    fn contact_nick(&self, who: &Handle) -> Result<Nick, Misuse> {
        let contact = self.roster().contact(who).ok_or(Misuse::Unknown)?;
        if !contact.lists().has(List::Forward) {
            return Err(Misuse::Unknown);
        }
        Ok(contact.nick().clone())
    }

    fn request(
        &mut self,
        now: Instant,
        steps: Vec<Change>,
        tolerant: bool,
    ) -> Result<RequestId, Misuse> {
        let request = RequestId(self.last_request.wrapping_add(1));
        let (conn, notification) = self.notification_mut().ok_or(Misuse::NotOnline)?;
        notification.change(now, request, steps, tolerant)?;
        self.last_request = request.0;
        self.pump(now, conn);
        Ok(request)
    }
}
