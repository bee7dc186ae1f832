//! `contacts`: who is on which list.

use msnp_proto::types::Handle;

use crate::args::{ContactsArgs, ContactsTask, ListContacts, SeveralArgs};
use crate::desk::{self, Desk, No};
use crate::errand::{self, Asked};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::script::Action;

pub(crate) fn run(args: &ContactsArgs) -> Result<Exit, Failure> {
    match &args.task {
        ContactsTask::List(args) => {
            let asked = Asked::plain("list", "list");
            desk::run(&args.desk, |desk| desk.once(asked, |desk| list(desk, args)))
        }
        ContactsTask::Add(args) => {
            if args.name.is_some() && args.accounts.len() > 1 {
                let text = "--name is for one account; give several people their names one by one";
                return Err(Failure::new(Exit::Usage, text));
            }
            each(&args.several, &args.accounts, |who| Action::Add {
                who,
                name: args.name.clone(),
                group: args.group.clone(),
            })
        }
        ContactsTask::Remove(args) => each(&args.several, &args.accounts, |who| Action::Remove {
            who,
            group: args.group.clone(),
        }),
        ContactsTask::Allow(args) => each(&args.several, &args.accounts, Action::Allow),
        ContactsTask::Block(args) => each(&args.several, &args.accounts, Action::Block),
        ContactsTask::Rename(args) => {
            let action = Action::Rename { who: args.who.clone(), name: args.name.clone() };
            desk::run(&args.desk, |desk| desk.only(&action))
        }
        ContactsTask::Move(args) => each(&args.several, &args.accounts, |who| Action::Move {
            who,
            from: args.from.clone(),
            to: args.to.clone(),
        }),
    }
}

/// Does the same with each of several people.
fn each(
    args: &SeveralArgs,
    people: &[Handle],
    action: impl Fn(Handle) -> Action,
) -> Result<Exit, Failure> {
    desk::run(&args.desk, |desk| desk.each(args, people.iter().cloned().map(&action)))
}

fn list(desk: &mut Desk, args: &ListContacts) -> Result<(), No> {
    desk.settle()?;
    let group = args.group.as_deref();
    let group = group.map(|group| errand::group_named(desk.client(), group)).transpose()?;
    let wanted = |(who, contact): &(&Handle, &msnp_proto::ns::Contact)| {
        (args.accounts.is_empty() || args.accounts.contains(*who))
            && args.list.is_none_or(|list| contact.lists().has(list))
            && group.is_none_or(|group| contact.groups().contains(&group))
    };
    let people: Vec<Handle> =
        desk.roster().contacts().filter(wanted).map(|(who, _)| who.clone()).collect();
    for who in &people {
        let event = errand::person(desk.roster(), who, None);
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
