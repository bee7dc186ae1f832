//! Properties of an account: phone numbers and what goes with them.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::arena::SlotId;
use super::changes::{No, own};
use super::directory::{Change, Edit};
use super::record::Record;
use super::{Directory, Hub};
use crate::limits;
use crate::ns::Reply;
use crate::types::{Account, Dialect, ErrorCode, List, Name, Property, Token, TrId};
use crate::wire::percent;

impl<D: Directory> Hub<D> {
    /// Sets or clears a property, and tells those who see the person.
    pub(super) fn set_property(
        &mut self,
        conn: SlotId,
        id: SlotId,
        trid: TrId,
        key: Token<'_>,
        value: Option<Name<'_>>,
    ) -> Result<(), No> {
        if key.as_bytes().len() > 3 {
            return Err(No::End);
        }
        let property = Property::from_word(key.as_bytes()).ok_or(ErrorCode::NOT_EXPECTED)?;
        let text: Option<Box<str>> = match value {
            Some(value) if value.encoded_len() > limits::PHONE => return Err(No::End),
            Some(value) => Some(value.to_text().into()),
            None => None,
        };
        let yes_no = matches!(text.as_deref(), Some("Y" | "N"));
        let fits = match property {
            Property::MobilePages => yes_no,
            // Only a gateway registers a device; its owner may forget it.
            Property::MobileDevice => text.as_deref() == Some("N"),
            _ => text.as_deref().is_none_or(|text| percent::encoded_len(text) <= limits::PHONE),
        };
        if !fits {
            return Err(ErrorCode::INVALID_PARAMETER.into());
        }
        let mut changed = false;
        self.change(conn, id, |record| {
            let mut properties = record.properties.clone();
            let pages_without_device =
                property == Property::MobilePages && !record.properties.device;
            if !pages_without_device {
                properties.set(property, text.clone());
            }
            changed = properties != record.properties;
            let mut changes = Vec::new();
            if changed {
                changes = own(record, Edit::Property(property, text));
                // Who sees it has another version too, also who is not here now.
                changes.extend(seers(record).map(|contact| Change {
                    account: contact.handle.clone(),
                    edit: Edit::ContactProperties,
                }));
            }
            let answer = move |record: &Record, out: &mut Vec<u8>| {
                let value = record.properties.value(property);
                let (version, key) = (record.version, property.into());
                Reply::Prp { trid, version, key, value }.encode(out);
            };
            Ok((changes, answer))
        })?;
        if changed && property != Property::MobileDevice {
            self.tell_property(id, property);
        }
        Ok(())
    }

    fn tell_property(&mut self, id: SlotId, property: Property) {
        let Some(person) = self.people.get(id) else { return };
        let (account, value) =
            (Account::from(&person.record.handle), person.record.properties.value(property));
        for contact in seers(&person.record) {
            let seer = self.online.get(&contact.handle).and_then(|id| self.people.get(*id));
            let told = |seer: &&super::Person| seer.synced && seer.dialect >= Dialect::Msnp5;
            if let Some(seer) = seer.filter(told) {
                self.scratch.clear();
                let (version, key) = (seer.record.version, property.into());
                Reply::Bpr { version, account, key, value }.encode(&mut self.scratch);
                self.lines.push(seer.conn, [&self.scratch, &[], &[]]);
            }
        }
    }
}

/// Everybody who has the owner on their forward list and may see them.
fn seers(record: &Record) -> impl Iterator<Item = &super::Contact> {
    let allowed = |contact: &&super::Contact| !record.blocks_lists(contact.lists);
    record.on(List::Reverse).filter(allowed)
}
