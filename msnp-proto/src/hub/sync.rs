//! The dump of the lists: SYN, and LST and LSG by themselves.

use alloc::vec::Vec;

use super::arena::SlotId;
use super::presence::{Person, find};
use super::record::{Properties, Record};
use super::{Directory, Hub};
use crate::ns::Reply;
use crate::types::{
    Account, Dialect, GroupId, Groups, Handle, List, ListVersion, Name, Number, Property, Token,
    TrId,
};

/// What a client is told of a contact's properties, in this order.
pub(super) const OF_CONTACTS: [Property; 4] =
    [Property::HomePhone, Property::WorkPhone, Property::MobilePhone, Property::MobilePages];

impl<D: Directory> Hub<D> {
    /// Everything, unless the client knows this version of it already.
    pub(super) fn on_sync(&mut self, conn: SlotId, id: SlotId, trid: TrId, known: ListVersion) {
        let Some(person) = self.people.get_mut(id) else { return };
        person.synced = true;
        let (dialect, version) = (person.dialect, person.record.version);
        let Some(person) = self.people.get(id) else { return };
        let record = &person.record;
        let (directory, people, online) = (&mut self.directory, &self.people, &self.online);
        self.lines.recite(conn, |out| {
            Reply::Syn { trid, version }.encode(out);
            if version == known {
                return;
            }
            Reply::Gtc { trid, version, prompt: record.prompt }.encode(out);
            Reply::Blp { trid, version, privacy: record.privacy }.encode(out);
            if dialect >= Dialect::Msnp5 {
                for property in Property::ALL.iter().copied() {
                    let value = record.properties.value(property);
                    Reply::Prp { trid, version, key: property.into(), value }.encode(out);
                }
            }
            if dialect >= Dialect::Msnp7 {
                encode_groups(record, trid, out);
            }
            for list in List::ALL.iter().copied() {
                encode_list(record, dialect, trid, list, out, |contact, out| {
                    if list == List::Forward && dialect >= Dialect::Msnp5 {
                        let found = find(people, online, contact);
                        encode_properties(directory, found, record, contact, out);
                    }
                });
            }
        });
    }

    /// One list by itself; clients ask for it after a change.
    pub(super) fn on_list(&mut self, conn: SlotId, id: SlotId, trid: TrId, list: List) {
        let Some(person) = self.people.get(id) else { return };
        let (record, dialect) = (&person.record, person.dialect);
        self.lines.recite(conn, |out| {
            encode_list(record, dialect, trid, list, out, |_, _| {});
        });
    }

    /// The groups by themselves.
    pub(super) fn on_groups(&mut self, conn: SlotId, id: SlotId, trid: TrId) {
        let Some(person) = self.people.get(id) else { return };
        self.lines.recite(conn, |out| encode_groups(&person.record, trid, out));
    }
}

fn encode_groups(record: &Record, trid: TrId, out: &mut Vec<u8>) {
    let (version, total) = (record.version, count(record.groups.len()));
    let zero = Token::new(b"0");
    for ((group, name), index) in record.groups.iter().zip(1..) {
        let (index, name) = (Number(index), Name::from(name));
        Reply::Lsg { trid, version, index, total, group: *group, name, zero }.encode(out);
    }
}

/// Appends a list, and after each entry what `more` appends.
fn encode_list(
    record: &Record,
    dialect: Dialect,
    trid: TrId,
    list: List,
    out: &mut Vec<u8>,
    mut more: impl FnMut(&Handle, &mut Vec<u8>),
) {
    let version = record.version;
    let total = count(record.on(list).count());
    if total == Number(0) {
        return Reply::LstEmpty { trid, list, version }.encode(out);
    }
    let with_groups = list == List::Forward && dialect >= Dialect::Msnp7;
    let mut ids: Vec<GroupId> = Vec::new();
    for (contact, index) in record.on(list).zip(1..) {
        ids.clear();
        ids.extend(contact.membership().iter());
        let groups = with_groups.then_some(Groups::new(&ids));
        let account = Account::from(&contact.handle);
        let (index, name) = (Number(index), Some(Name::from(&contact.name)));
        Reply::Lst { trid, list, version, index, total, account, name, groups }.encode(out);
        more(&contact.handle, out);
    }
}

/// Appends what the owner of `record` may know of a contact's properties, who is `found` online or
/// not.
pub(super) fn encode_properties(
    directory: &mut impl Directory,
    found: Option<&Person>,
    record: &Record,
    contact: &Handle,
    out: &mut Vec<u8>,
) {
    let asked;
    let properties = match found {
        Some(found) if found.record.blocks(&record.handle) => &const { Properties::none() },
        Some(found) => &found.record.properties,
        None => {
            // What cannot be read now is empty now; the next version of the lists has it again.
            asked = directory.properties(contact, &record.handle).unwrap_or_default();
            &asked
        }
    };
    let (version, account) = (record.version, Account::from(contact));
    for property in OF_CONTACTS {
        let value = properties.value(property);
        Reply::Bpr { version, account, key: property.into(), value }.encode(out);
    }
}

fn count(len: usize) -> Number {
    Number(u32::try_from(len).unwrap_or(u32::MAX))
}
