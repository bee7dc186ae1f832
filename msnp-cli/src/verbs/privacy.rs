//! `privacy`: who may see and call one, unless a list says otherwise.

use crate::args::PrivacyArgs;
use crate::desk::{self, Desk, No};
use crate::errand::Asked;
use crate::events::Event;
use crate::exit::Exit;
use crate::failure::Failure;

pub(crate) fn run(args: &PrivacyArgs) -> Result<Exit, Failure> {
    let asked = Asked::plain("privacy", "change privacy");
    desk::run(&args.desk, |desk| desk.once(asked, |desk| privacy(desk, args)))
}

fn privacy(desk: &mut Desk, args: &PrivacyArgs) -> Result<(), No> {
    if let Some(others) = args.others {
        desk.ask(|client, now| client.set_privacy(now, others.into()))?;
    }
    if let Some(prompt) = args.prompt {
        desk.ask(|client, now| client.set_prompt(now, prompt.into()))?;
    }
    let (privacy, prompt) = (desk.roster().privacy(), desk.roster().prompt());
    for (name, value) in [("privacy", privacy.as_str()), ("prompt", prompt.as_str())] {
        let (name, value) = (name.into(), value.into());
        desk.emit(&Event::Setting { name, value, account: None });
    }
    Ok(())
}
