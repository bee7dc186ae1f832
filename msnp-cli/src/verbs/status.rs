//! `status`: who is online.

use msnp_proto::types::{Handle, List};

use crate::args::StatusArgs;
use crate::desk::{self, Desk, No};
use crate::errand::Asked;
use crate::events::{Event, Presence};
use crate::exit::Exit;
use crate::failure::Failure;

pub(crate) fn run(args: &StatusArgs) -> Result<Exit, Failure> {
    let asked = Asked::plain("status", "tell who is online");
    desk::run(&args.desk, |desk| desk.once(asked, |desk| list(desk, args)))
}

fn list(desk: &mut Desk, args: &StatusArgs) -> Result<(), No> {
    desk.settle()?;
    let people: Vec<(Handle, Event)> = desk
        .roster()
        .contacts()
        .filter(|(_, contact)| contact.lists().has(List::Forward))
        .filter(|(who, _)| args.accounts.is_empty() || args.accounts.contains(who))
        .map(|(who, contact)| {
            let name = contact.display().unwrap_or(contact.nick());
            let presence = Presence {
                account: who.to_string(),
                state: contact.status().as_str(),
                name: Some(name.to_string()),
                known: true,
                initial: true,
            };
            (who.clone(), Event::Presence(presence))
        })
        .collect();
    for (_, presence) in &people {
        desk.emit(presence);
    }
    let known = |who: &&Handle| people.iter().any(|(known, _)| known == *who);
    let strangers: Vec<_> =
        args.accounts.iter().filter(|who| !known(who)).map(ToString::to_string).collect();
    if strangers.is_empty() {
        return Ok(());
    }
    if !people.is_empty() {
        desk.done();
    }
    let names = strangers.join(", ");
    Err(No::without_asking(format!("{names}: not a contact; `msnp contacts add` makes it one")))
}
