//! `name`: the name that others see.

use crate::args::NameArgs;
use crate::desk::{self, Desk, No};
use crate::errand::{self, Asked};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::script::Action;

pub(crate) fn run(args: &NameArgs) -> Result<Exit, Failure> {
    let asked = Asked::plain("name", "change the name");
    desk::run(&args.desk, |desk| desk.once(asked, |desk| name(desk, args)))
}

fn name(desk: &mut Desk, args: &NameArgs) -> Result<(), No> {
    if let Some(name) = &args.name {
        return desk.perform(&Action::Name(name.clone()));
    }
    let event = errand::own_name(desk.client());
    desk.emit(&event);
    Ok(())
}
