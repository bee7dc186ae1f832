//! Accounts, groups and contacts to rows and back.
//!
//! What a change means is decided in one place, [`Record::apply`]. A change is made by reading the
//! rows that it concerns into a record that has nothing else in it, applying it, and writing the
//! same rows from what the record is then.

use std::time::SystemTime;

use msnp_proto::hub::{Change, Contact, Edit, GroupSet, Properties, Record};
use msnp_proto::types::{
    GroupId, Handle, List, ListVersion, Lists, Nick, Privacy, Prompt, Property,
};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

/// The number of an account in its table.
type Id = i64;

/// Makes one change; one of an account that does not exist, or by one, is passed over.
pub(super) fn make(db: &Connection, change: &Change) -> Result<()> {
    let Change { by, account, edit } = change;
    let Some((id, mut record)) = head(db, account)? else { return Ok(()) };
    if record.identity != *by && !lives(db, *by)? {
        return Ok(());
    }
    match edit {
        Edit::Name(_) | Edit::Privacy(_) | Edit::Prompt(_) | Edit::Property(..) => {
            record.apply(edit);
            write_head(db, id, &record)
        }
        Edit::Contact(Contact { handle, .. })
        | Edit::Reversed(handle, _)
        | Edit::Unreversed(handle) => {
            record.contacts.extend(contact(db, id, handle)?);
            record.apply(edit);
            write_version(db, id, &record)?;
            write_contact(db, id, handle, record.contact(handle))
        }
        Edit::Group(group, _) => {
            record.groups.extend(group_name(db, id, *group)?.map(|name| (*group, name)));
            record.apply(edit);
            write_version(db, id, &record)?;
            write_group(db, id, *group, record.group(*group))
        }
        Edit::ContactProperties => {
            record.apply(edit);
            write_version(db, id, &record)
        }
        // A kind of change that this place does not know yet may concern everything.
        _ => {
            fill(db, id, &mut record)?;
            record.apply(edit);
            write_all(db, id, &record)
        }
    }
}

/// The whole account.
pub(super) fn load(db: &Connection, who: &Handle) -> Result<Option<Record>> {
    let Some((id, mut record)) = head(db, who)? else { return Ok(None) };
    fill(db, id, &mut record)?;
    Ok(Some(record))
}

pub(super) fn exists(db: &Connection, who: &Handle) -> Result<bool> {
    db.prepare_cached("SELECT 1 FROM account WHERE handle = ?1")?.exists([Text(who)])
}

pub(super) fn identity(db: &Connection, who: &Handle) -> Result<Option<u64>> {
    db.prepare_cached("SELECT id FROM account WHERE handle = ?1")?
        .query_row([Text(who)], |row| row.get(0).map(Id::unsigned_abs))
        .optional()
}

/// Whether the account of this identity is still there.
fn lives(db: &Connection, identity: u64) -> Result<bool> {
    let Ok(id) = Id::try_from(identity) else { return Ok(false) };
    db.prepare_cached("SELECT 1 FROM account WHERE id = ?1")?.exists([id])
}

pub(super) fn password(db: &Connection, who: &Handle) -> Result<Option<String>> {
    db.prepare_cached("SELECT password FROM account WHERE handle = ?1")?
        .query_row([Text(who)], |row| row.get(0))
        .optional()
}

/// What `viewer` may know of the properties of `who`.
pub(super) fn properties(db: &Connection, who: &Handle, viewer: &Handle) -> Result<Properties> {
    let Some((id, mut record)) = head(db, who)? else { return Ok(Properties::default()) };
    record.contacts.extend(contact(db, id, viewer)?);
    Ok(if record.blocks(viewer) { Properties::default() } else { record.properties })
}

/// Puts a whole new account into the file. Its number is one that no account has had: the time in
/// microseconds, unless there is a later one already.
pub(super) fn insert(db: &Connection, record: &Record, password: &str) -> Result<()> {
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let time = Id::try_from(time.as_micros()).unwrap_or_default();
    db.prepare_cached(
        "INSERT INTO account (id, handle, password, name, version, privacy, prompt)
             SELECT max(coalesce(max(id), 0) + 1, ?3), ?1, ?2, '', 0, '', '' FROM account",
    )?
    .execute(params![Text(&record.handle), password, time])?;
    write_all(db, db.last_insert_rowid(), record)
}

/// The account without groups and contacts.
fn head(db: &Connection, who: &Handle) -> Result<Option<(Id, Record)>> {
    db.prepare_cached(
        "SELECT id, handle, name, verified, version, privacy, prompt, home, work, mobile, pages,
             device
         FROM account WHERE handle = ?1",
    )?
    .query_row([Text(who)], |row| {
        let Text(handle) = row.get(1)?;
        let mut record = Record::new(handle);
        record.identity = row.get(0).map(Id::unsigned_abs)?;
        record.name = nick(row, 2, &record.handle)?;
        record.verified = row.get(3)?;
        record.version = ListVersion(row.get(4)?);
        let Text(privacy) = row.get(5)?;
        let Text(prompt) = row.get(6)?;
        (record.privacy, record.prompt) = (privacy, prompt);
        let mut phone = |property, place| -> Result<()> {
            record.properties.set(property, row.get(place)?);
            Ok(())
        };
        phone(Property::HomePhone, 7)?;
        phone(Property::WorkPhone, 8)?;
        phone(Property::MobilePhone, 9)?;
        (record.properties.pages, record.properties.device) = (row.get(10)?, row.get(11)?);
        record.groups.clear();
        Ok((row.get(0)?, record))
    })
    .optional()
}

fn fill(db: &Connection, id: Id, record: &mut Record) -> Result<()> {
    let handle = record.handle.clone();
    record.groups = db
        .prepare_cached("SELECT id, name FROM \"group\" WHERE owner = ?1 ORDER BY id")?
        .query_map([id], |row| Ok((GroupId(row.get(0)?), nick(row, 1, &handle)?)))?
        .collect::<Result<_>>()?;
    record.contacts = db
        .prepare_cached(
            "SELECT handle, name, lists, groups FROM contact WHERE owner = ?1 ORDER BY handle",
        )?
        .query_map([id], to_contact)?
        .collect::<Result<_>>()?;
    // In the order of the core, which is that of the database: nothing moves.
    record.contacts.sort_by(|a, b| a.handle.cmp(&b.handle));
    Ok(())
}

fn contact(db: &Connection, id: Id, who: &Handle) -> Result<Option<Contact>> {
    db.prepare_cached(
        "SELECT handle, name, lists, groups FROM contact WHERE owner = ?1 AND handle = ?2",
    )?
    .query_row(params![id, Text(who)], to_contact)
    .optional()
}

fn to_contact(row: &Row<'_>) -> Result<Contact> {
    let Text(handle) = row.get(0)?;
    let Bits(lists) = row.get(2)?;
    let Bits(groups) = row.get(3)?;
    let mut contact = Contact::new(handle);
    contact.name = nick(row, 1, &contact.handle)?;
    (contact.lists, contact.groups) = (lists, groups);
    Ok(contact)
}

fn group_name(db: &Connection, id: Id, group: GroupId) -> Result<Option<Nick>> {
    db.prepare_cached(
        "SELECT g.name, a.handle FROM \"group\" g JOIN account a ON a.id = g.owner
             WHERE g.owner = ?1 AND g.id = ?2",
    )?
    .query_row(params![id, group.0], |row| {
        let Text(owner) = row.get(1)?;
        nick(row, 0, &owner)
    })
    .optional()
}

/// A name; what cannot be one, which we never write, is as no name.
fn nick(row: &Row<'_>, place: usize, of: &Handle) -> Result<Nick> {
    let text = row.get_ref(place)?.as_str()?;
    Ok(Nick::new(text).unwrap_or_else(|| Nick::of_handle(of)))
}

fn write_version(db: &Connection, id: Id, record: &Record) -> Result<()> {
    db.prepare_cached("UPDATE account SET version = ?2 WHERE id = ?1")?
        .execute(params![id, record.version.0])
        .map(drop)
}

fn write_head(db: &Connection, id: Id, record: &Record) -> Result<()> {
    let Record { properties, .. } = record;
    db.prepare_cached(
        "UPDATE account SET name = ?2, verified = ?3, version = ?4, privacy = ?5, prompt = ?6,
             home = ?7, work = ?8, mobile = ?9, pages = ?10, device = ?11
         WHERE id = ?1",
    )?
    .execute(params![
        id,
        record.name.as_str(),
        record.verified,
        record.version.0,
        Text(record.privacy),
        Text(record.prompt),
        properties.home.as_deref(),
        properties.work.as_deref(),
        properties.mobile.as_deref(),
        properties.pages,
        properties.device,
    ])
    .map(drop)
}

fn write_contact(db: &Connection, id: Id, who: &Handle, now: Option<&Contact>) -> Result<()> {
    let Some(contact) = now else {
        return db
            .prepare_cached("DELETE FROM contact WHERE owner = ?1 AND handle = ?2")?
            .execute(params![id, Text(who)])
            .map(drop);
    };
    db.prepare_cached(
        "INSERT INTO contact (owner, handle, name, lists, groups) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET handle = excluded.handle, name = excluded.name,
             lists = excluded.lists, groups = excluded.groups",
    )?
    .execute(params![
        id,
        Text(&contact.handle),
        contact.name.as_str(),
        Bits(contact.lists),
        Bits(contact.groups),
    ])
    .map(drop)
}

fn write_group(db: &Connection, id: Id, group: GroupId, now: Option<&Nick>) -> Result<()> {
    let Some(name) = now else {
        return db
            .prepare_cached("DELETE FROM \"group\" WHERE owner = ?1 AND id = ?2")?
            .execute(params![id, group.0])
            .map(drop);
    };
    db.prepare_cached(
        "INSERT INTO \"group\" (owner, id, name) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET name = excluded.name",
    )?
    .execute(params![id, group.0, name.as_str()])
    .map(drop)
}

fn write_all(db: &Connection, id: Id, record: &Record) -> Result<()> {
    write_head(db, id, record)?;
    db.prepare_cached("DELETE FROM \"group\" WHERE owner = ?1")?.execute([id])?;
    db.prepare_cached("DELETE FROM contact WHERE owner = ?1")?.execute([id])?;
    for (group, name) in &record.groups {
        write_group(db, id, *group, Some(name))?;
    }
    for contact in &record.contacts {
        write_contact(db, id, &contact.handle, Some(contact))?;
    }
    Ok(())
}

/// A value that is a word in the file.
pub(super) struct Text<T>(pub(super) T);

impl ToSql for Text<&Handle> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        self.0.as_str().to_sql()
    }
}

impl ToSql for Text<Privacy> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        self.0.as_str().to_sql()
    }
}

impl ToSql for Text<Prompt> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        self.0.as_str().to_sql()
    }
}

impl FromSql for Text<Handle> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Handle::new(value.as_str()?).map(Self).ok_or(FromSqlError::InvalidType)
    }
}

impl FromSql for Text<Privacy> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word = Privacy::from_word(value.as_str()?.as_bytes());
        word.map(Self).ok_or(FromSqlError::InvalidType)
    }
}

impl FromSql for Text<Prompt> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word = Prompt::from_word(value.as_str()?.as_bytes());
        word.map(Self).ok_or(FromSqlError::InvalidType)
    }
}

/// A set that is a number in the file: a bit for each list in the order FL, AL, BL, RL, or for each
/// group by its number.
struct Bits<T>(T);

impl ToSql for Bits<Lists> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        let places = (0..).zip(List::ALL.iter().copied());
        let bits = places.filter(|(_, list)| self.0.has(*list)).map(|(place, _)| 1i64 << place);
        Ok(bits.sum::<i64>().into())
    }
}

impl FromSql for Bits<Lists> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bits = value.as_i64()?;
        let there =
            (0..).zip(List::ALL.iter().copied()).filter(|(place, _)| bits >> place & 1 == 1);
        Ok(Self(there.fold(Lists::NONE, |lists, (_, list)| lists.with(list))))
    }
}

impl ToSql for Bits<GroupSet> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(self.0.iter().map(|group| 1i64 << group.0).sum::<i64>().into())
    }
}

impl FromSql for Bits<GroupSet> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bits = value.as_i64()?;
        let there = (0..GroupSet::MOST).filter(|group| bits >> group & 1 == 1);
        Ok(Self(there.fold(GroupSet::default(), |groups, group| groups.with(GroupId(group)))))
    }
}
