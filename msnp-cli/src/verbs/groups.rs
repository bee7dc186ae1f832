//! `groups`: the groups of one's contacts.

use msnp_proto::types::List;

use crate::args::{GroupsArgs, GroupsTask};
use crate::desk::{self, Desk, No};
use crate::errand::{self, Asked};
use crate::events::Event;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::script::Action;

pub(crate) fn run(args: &GroupsArgs) -> Result<Exit, Failure> {
    match &args.task {
        GroupsTask::List(args) => {
            let asked = Asked::plain("list-groups", "list groups");
            desk::run(args, |desk| desk.once(asked, list))
        }
        GroupsTask::Add(args) => desk::run(&args.several.desk, |desk| {
            desk.each(&args.several, args.names.iter().cloned().map(Action::AddGroup))
        }),
        GroupsTask::Remove(args) => desk::run(&args.several.desk, |desk| {
            desk.each(&args.several, args.groups.iter().cloned().map(Action::RemoveGroup))
        }),
        GroupsTask::Rename(args) => {
            let (group, name) = (args.group.clone(), args.name.clone());
            let action = Action::RenameGroup { group, name };
            desk::run(&args.desk, |desk| desk.only(&action))
        }
    }
}

fn list(desk: &mut Desk) -> Result<(), No> {
    errand::check_groups(desk.client())?;
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
