//! Properties of an account: phone numbers and what goes with them.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::arena::SlotId;
use super::batch::{Plan, Then};
use super::changes::{No, clean, own_change};
use super::directory::{Change, Edit};
use super::presence::Person;
use super::record::Record;
use super::{Directory, Hub};
use crate::limits;
use crate::ns::Reply;
use crate::types::{Account, Dialect, ErrorCode, List, Name, Property, Token};
use crate::wire::percent;

/// Plans to set or clear a property.
pub(super) fn set_property(
    record: &Record,
    key: Token<'_>,
    value: Option<Name<'_>>,
) -> Result<Plan, No> {
    if key.as_bytes().len() > 3 {
        return Err(No::End);
    }
    let property = Property::from_word(key.as_bytes()).ok_or(ErrorCode::NOT_EXPECTED)?;
    let text: Option<Box<str>> = match value {
        Some(value) if value.encoded_len() > limits::PHONE => return Err(No::End),
        Some(value) => Some(clean(value)).filter(|text| !text.is_empty()).map(Box::from),
        None => None,
    };
    let fits = match property {
        Property::MobilePages => matches!(text.as_deref(), Some("Y" | "N")),
        // Only a gateway registers a device; its owner may forget it.
        Property::MobileDevice => text.as_deref() == Some("N"),
        _ => text.as_deref().is_none_or(|text| percent::encoded_len(text) <= limits::PHONE),
    };
    if !fits {
        return Err(ErrorCode::INVALID_PARAMETER.into());
    }
    let mut properties = record.properties.clone();
    let pages_without_device = property == Property::MobilePages && !record.properties.device;
    if !pages_without_device {
        properties.set(property, text.clone());
    }
    // Who changes nothing is answered all the same.
    let changed = properties != record.properties;
    let mut changes = Vec::new();
    if changed {
        changes.push(own_change(record, Edit::Property(property, text)));
        // Who sees it has another version too, also who is not here now.
        changes.extend(seers(record).map(|contact| Change {
            by: record.identity,
            account: contact.handle.clone(),
            edit: Edit::ContactProperties,
        }));
    }
    let told = changed && property != Property::MobileDevice;
    Ok(Plan { changes, then: Then::Property { property, told } })
}

impl<D: Directory> Hub<D> {
    /// Tells those who see a person of one of their properties.
    pub(super) fn tell_property(&mut self, id: SlotId, property: Property) {
        let Some(person) = self.people.get(id) else { return };
        let (account, value) =
            (Account::from(&person.record.handle), person.record.properties.value(property));
        for contact in seers(&person.record) {
            let seer = super::presence::find(&self.people, &self.online, &contact.handle);
            let told = |seer: &&Person| seer.synced && seer.dialect >= Dialect::Msnp5;
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
