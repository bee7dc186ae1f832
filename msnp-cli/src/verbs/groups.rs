//! `groups`: the groups of one's contacts.

use msnp_proto::types::{Dialect, List, Nick};

use crate::args::{GroupsArgs, GroupsTask, RenameGroup};
use crate::desk::{self, Desk, No};
use crate::events::{Change, Event};
use crate::exit::Exit;
use crate::failure::Failure;

pub(crate) fn run(args: &GroupsArgs) -> Result<Exit, Failure> {
    match &args.task {
        GroupsTask::List(args) => desk::run(args, |desk| desk.once("list groups", list)),
        GroupsTask::Add(args) => desk::run(&args.several.desk, |desk| {
            desk.each("add group", &args.several, &args.groups, |desk, name| add(desk, name))
        }),
        GroupsTask::Remove(args) => desk::run(&args.several.desk, |desk| {
            desk.each("remove group", &args.several, &args.groups, |desk, group| {
                let group = desk.group(group)?;
                desk.ask(|client, now| client.remove_group(now, group))?;
                desk.emit(&Event::Group { id: group.0, name: None, change: Change::Removed });
                Ok(())
            })
        }),
        GroupsTask::Rename(args) => {
            desk::run(&args.desk, |desk| desk.once("rename group", |desk| rename(desk, args)))
        }
    }
}

fn list(desk: &mut Desk) -> Result<(), No> {
    check_dialect(desk)?;
    let roster = desk.roster();
    let lines: Vec<_> = roster
        .groups()
        .map(|(id, name)| {
            let inside = roster.contacts().filter(|(_, contact)| {
                contact.lists().has(List::Forward) && contact.groups().contains(&id)
            });
            Event::Listed { id: id.0, name: name.to_string(), contacts: inside.count() }
        })
        .collect();
    lines.iter().for_each(|line| desk.emit(line));
    Ok(())
}

fn check_dialect(desk: &mut Desk) -> Result<(), No> {
    match desk.client().dialect() {
        Some(dialect) if dialect < Dialect::Msnp7 => Err(No::without_asking(format!(
            "groups came with MSNP7, and the server agreed on {dialect}"
        ))),
        _ => Ok(()),
    }
}

fn add(desk: &mut Desk, name: &str) -> Result<(), No> {
    check_dialect(desk)?;
    let there = |desk: &mut Desk| -> Vec<_> {
        let named = |(_, group): &(_, &Nick)| group.as_str() == name;
        desk.roster().groups().filter(named).map(|(id, _)| id).collect()
    };
    let before = there(desk);
    if let Some(id) = before.first() {
        return Err(No::without_asking(format!("there is a group of that name, number {id}")));
    }
    let nick = Nick::new(name).ok_or_else(|| No::without_asking("a name is not empty"))?;
    desk.ask(|client, now| client.add_group(now, &nick))?;
    // What the server made of the name is what it told last.
    let id = there(desk).first().copied();
    let id = id.or_else(|| desk.roster().groups().map(|(id, _)| id).last());
    let id = id.map_or(0, |id| id.0);
    desk.emit(&Event::Group { id, name: Some(name.into()), change: Change::Added });
    Ok(())
}

fn rename(desk: &mut Desk, args: &RenameGroup) -> Result<(), No> {
    let group = desk.group(&args.group)?;
    desk.ask(|client, now| client.rename_group(now, group, &args.name))?;
    let name = Some(args.name.to_string());
    desk.emit(&Event::Group { id: group.0, name, change: Change::Renamed });
    Ok(())
}
