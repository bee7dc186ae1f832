//! `contacts`: who is on which list.

use msnp_proto::client::Client;
use msnp_proto::types::{GroupId, Handle, List};

use crate::args::{
    AddContacts, ContactsArgs, ContactsTask, ListContacts, MoveContacts, RemoveContacts,
    RenameContact,
};
use crate::desk::{self, Desk, No};
use crate::events::Change;
use crate::exit::Exit;
use crate::failure::Failure;

pub(crate) fn run(args: &ContactsArgs) -> Result<Exit, Failure> {
    match &args.task {
        ContactsTask::List(args) => {
            desk::run(&args.desk, |desk| desk.once("list", |desk| list(desk, args)))
        }
        ContactsTask::Add(args) => {
            if args.name.is_some() && args.accounts.len() > 1 {
                let text = "--name is for one account; give several people their names one by one";
                return Err(Failure::new(Exit::Usage, text));
            }
            desk::run(&args.several.desk, |desk| {
                desk.each("add", &args.several, &args.accounts, |desk, who| add(desk, args, who))
            })
        }
        ContactsTask::Remove(args) => desk::run(&args.several.desk, |desk| {
            desk.each("remove", &args.several, &args.accounts, |desk, who| remove(desk, args, who))
        }),
        ContactsTask::Allow(args) => desk::run(&args.several.desk, |desk| {
            desk.each("allow", &args.several, &args.accounts, |desk, who| {
                desk.ask(|client, now| client.allow(now, who))?;
                show(desk, who, Change::Allowed);
                Ok(())
            })
        }),
        ContactsTask::Block(args) => desk::run(&args.several.desk, |desk| {
            desk.each("block", &args.several, &args.accounts, |desk, who| {
                desk.ask(|client, now| client.block(now, who))?;
                show(desk, who, Change::Blocked);
                Ok(())
            })
        }),
        ContactsTask::Rename(args) => {
            desk::run(&args.desk, |desk| desk.once("rename", |desk| rename(desk, args)))
        }
        ContactsTask::Move(args) => desk::run(&args.several.desk, |desk| {
            desk.each("move", &args.several, &args.accounts, |desk, who| move_one(desk, args, who))
        }),
    }
}

fn show(desk: &mut Desk, who: &Handle, change: Change) {
    let event = desk.person(who, Some(change));
    desk.emit(&event);
}

fn list(desk: &mut Desk, args: &ListContacts) -> Result<(), No> {
    desk.settle()?;
    let group = args.group.as_deref().map(|group| desk.group(group)).transpose()?;
    let wanted = |(who, contact): &(&Handle, &msnp_proto::ns::Contact)| {
        (args.accounts.is_empty() || args.accounts.contains(*who))
            && args.list.is_none_or(|list| contact.lists().has(list))
            && group.is_none_or(|group| contact.groups().contains(&group))
    };
    let people: Vec<Handle> =
        desk.roster().contacts().filter(wanted).map(|(who, _)| who.clone()).collect();
    for who in &people {
        let event = desk.person(who, None);
        desk.emit(&event);
    }
    let missing: Vec<String> =
        args.accounts.iter().filter(|who| !people.contains(who)).map(ToString::to_string).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !people.is_empty() {
        // Some are listed and some are not.
        desk.done();
    }
    Err(No::without_asking(format!("{} not there", missing.join(", "))))
}

fn add(desk: &mut Desk, args: &AddContacts, who: &Handle) -> Result<(), No> {
    let group = args.group.as_deref().map(|group| desk.group(group)).transpose()?;
    // The server takes the name of an ADD for a contact that is there in another group too.
    let kept = desk.roster().contact(who).map(|contact| contact.nick().clone());
    let name = args.name.as_ref().or(kept.as_ref());
    desk.ask(|client, now| client.add_contact(now, who, name, group))?;
    // For somebody who was a contact before, the server keeps the name that it has.
    let has_other = |client: &mut Client| {
        let contact = client.roster().contact(who);
        name.filter(|name| contact.is_some_and(|contact| contact.nick() != *name))
    };
    if let Some(name) = has_other(desk.client()) {
        desk.ask(|client, now| client.rename_contact(now, who, name))?;
    }
    show(desk, who, Change::Added);
    Ok(())
}

fn remove(desk: &mut Desk, args: &RemoveContacts, who: &Handle) -> Result<(), No> {
    match &args.group {
        None => desk.ask(|client, now| client.remove_contact(now, who))?,
        Some(group) => {
            let group = desk.group(group)?;
            desk.ask(|client, now| client.take_from_group(now, who, group))?;
        }
    }
    show(desk, who, Change::Removed);
    Ok(())
}

fn rename(desk: &mut Desk, args: &RenameContact) -> Result<(), No> {
    let RenameContact { who: account, name, .. } = args;
    if desk.roster().contact(account).is_none() {
        return Err(No::without_asking(format!("{account} is on no list")));
    }
    desk.ask(|client, now| client.rename_contact(now, account, name))?;
    show(desk, account, Change::Renamed);
    Ok(())
}

fn move_one(desk: &mut Desk, args: &MoveContacts, who: &Handle) -> Result<(), No> {
    let to = desk.group(&args.to)?;
    let from = match &args.from {
        Some(from) => desk.group(from)?,
        None => only_group(desk, who)?,
    };
    let moved = desk.ask(|client, now| client.move_contact(now, who, from, to));
    match moved {
        // In group 0 is also who is in none, and then there is nothing to take them out of.
        Err(No::Refused(refusal)) if refusal.code == Some(225) && from == GroupId::OTHER => {}
        other => other?,
    }
    show(desk, who, Change::Moved);
    Ok(())
}

/// The one group that somebody is in.
fn only_group(desk: &mut Desk, who: &Handle) -> Result<GroupId, No> {
    let contact = desk.roster().contact(who).filter(|one| one.lists().has(List::Forward));
    match contact.map(|contact| contact.groups()) {
        Some([one]) => Ok(*one),
        Some([]) => Ok(GroupId::OTHER),
        Some(several) => {
            let several: Vec<_> = several.iter().map(ToString::to_string).collect();
            Err(No::without_asking(format!(
                "in several groups ({}); say with --from which to take it out of",
                several.join(", ")
            )))
        }
        None => Err(No::without_asking("not a contact")),
    }
}
