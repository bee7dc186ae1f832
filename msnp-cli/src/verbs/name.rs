//! `name`: the name that others see.

use crate::args::NameArgs;
use crate::desk::{self, Desk, No};
use crate::events::Event;
use crate::exit::Exit;
use crate::failure::Failure;

pub(crate) fn run(args: &NameArgs) -> Result<Exit, Failure> {
    desk::run(&args.desk, |desk| desk.once("change the name", |desk| name(desk, args)))
}

fn name(desk: &mut Desk, args: &NameArgs) -> Result<(), No> {
    if let Some(name) = &args.name {
        desk.ask(|client, now| client.rename(now, name))?;
    }
    let client = desk.client();
    let account = client.account().map(ToString::to_string);
    let value = client.nick().map(ToString::to_string).unwrap_or_default();
    desk.emit(&Event::Setting { name: "name".into(), value, account });
    Ok(())
}
