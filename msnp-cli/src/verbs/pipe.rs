//! `pipe`: another program says what to do, line by line, and hears what comes of it.

use std::collections::VecDeque;

use msnp_proto::client::{Config, Event as Told};

use crate::agent::Agent;
use crate::args::{PipeArgs, Until};
use crate::command::{self, Command, Task};
use crate::console::Console;
use crate::errand::{Asked, Refusal};
use crate::events::{Event, Mark, Marked, NotDone, Refused};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::fields::Wrong;
use crate::input::{self, Input, Item, Unreadable};
use crate::script::{Action, MOST_IN_FLIGHT, Whom};
use crate::session::{Session, Setup, Step};

/// Why an offer of others is declined that nobody has answered.
const NOBODY: &str = "nobody is here any more";

/// Commands that wait until we are signed in.
const QUEUE: usize = 1024;

pub(crate) fn run(args: &PipeArgs) -> Result<Exit, Failure> {
    if args.sign_in.uses_stdin() {
        return Err(Failure::new(
            Exit::Usage,
            "pipe reads commands from stdin, so the password cannot come from there; \
             use --password-file or --password-command",
        ));
    }
    let console = Console::open(&args.output)?;
    let mut config = Config::new();
    config.waits.acknowledgement = args.ack_timeout;
    config.reconnect = Some(args.stay.policy());
    let setup =
        Setup { args: &args.sign_in, config, until: Until::Acked, files: Some(&args.files) };
    let mut session = Session::open(console, setup)?;
    session.begin()?;
    let commands = input::lines(session.waker());
    let mut pipe = Pipe {
        session: &mut session,
        agent: Agent::default(),
        commands,
        queue: VecDeque::new(),
        line: 0,
        has_quit: false,
        was_online: false,
    };
    let end = pipe.run()?;
    pipe.part();
    session.finish(end, Exit::Done)
}

struct Pipe<'a> {
    session: &'a mut Session,
    agent: Agent,
    commands: Input<Item>,
    /// What is to be done when we are signed in.
    queue: VecDeque<(Mark, Vec<Action>)>,
    /// Lines that have been read.
    line: u64,
    has_quit: bool,
    was_online: bool,
}

impl Pipe<'_> {
    /// `Some` is the code to end with; `None` leaves it to what has ended.
    fn run(&mut self) -> Result<Option<Exit>, Failure> {
        loop {
            if self.session.out.broken().is_some() {
                return Ok(Some(Exit::Done));
            }
            self.advance();
            let is_read = self.has_quit || self.commands.has_ended();
            let is_idle = self.queue.is_empty() && self.open() == 0 && self.was_online;
            // What has come is told before we leave.
            let until = (is_read && is_idle).then(|| self.session.now());
            match self.session.next(until)? {
                Step::Told(told) => {
                    if let Some(exit) = self.hear(&told) {
                        return Ok(Some(exit));
                    }
                }
                Step::Signal(exit) => {
                    self.session.ledger.stop(exit, "interrupted");
                    self.give_up(exit, "interrupted");
                    return Ok(Some(exit));
                }
                Step::Due => return Ok(None),
                Step::Woken => {}
            }
        }
    }

    /// Nobody is left waiting.
    fn part(&mut self) {
        self.agent.part(&mut self.session.means(), Exit::Done, NOBODY);
        self.report();
    }

    /// How much has been begun and has not ended.
    fn open(&self) -> usize {
        self.session.ledger.waiting() + self.agent.pending()
    }

    /// Begins what can be begun, and reads on as far as there is room.
    fn advance(&mut self) {
        let is_online = self.session.client().is_online();
        loop {
            if is_online && self.open() < MOST_IN_FLIGHT {
                if let Some((mark, actions)) = self.queue.pop_front() {
                    for action in &actions {
                        self.agent.act(&mut self.session.means(), mark.clone(), action);
                    }
                    self.report();
                    continue;
                }
            }
            // While we are signed in, whoever writes faster than we can send waits.
            let has_room = !is_online || self.queue.is_empty();
            if self.has_quit || !has_room {
                return;
            }
            let Some(line) = self.commands.take() else { return };
            self.take(line);
        }
    }

    fn take(&mut self, line: Item) {
        self.line += 1;
        let by_line = format!("line-{}", self.line);
        match line
            .map(|line| if line.trim().is_empty() { None } else { Some(command::read(&line)) })
        {
            // A blank line asks for nothing.
            Ok(None) => {}
            Ok(Some(Ok(Command { id, task }))) => {
                if let Some(id) = id.as_deref().filter(|id| self.is_open(id)) {
                    let reason = format!("the id {id:?} is that of a command that has not ended");
                    return self.refuse(&by_line, "command", reason, Exit::Input);
                }
                let id = id.unwrap_or(by_line);
                match task {
                    Task::Quit => self.has_quit = true,
                    Task::Act(_) if self.queue.len() >= QUEUE => {
                        let reason = format!("{QUEUE} commands wait already for being signed in");
                        self.refuse(&id, "command", reason, Exit::Retry);
                    }
                    Task::Act(actions) => self.queue.push_back((Mark::of_id(&id), actions)),
                }
            }
            Ok(Some(Err(Wrong { id, request, reason }))) => {
                let id = id.filter(|id| !self.is_open(id));
                self.refuse(&id.unwrap_or(by_line), &request, reason, Exit::Input);
            }
            Err(Unreadable::Failed(why)) => {
                let error = format!("cannot read commands: {why}");
                self.session.log.error(&error);
                self.session.ledger.count(Exit::NoInput);
            }
            Err(why) => self.refuse(&by_line, "command", why.to_string(), Exit::Input),
        }
    }

    /// Whether a command of this name has not ended.
    fn is_open(&self, id: &str) -> bool {
        self.session.ledger.has(id)
            || self.agent.has(id)
            || self.queue.iter().any(|(mark, _)| mark.id.as_deref() == Some(id))
    }

    fn refuse(&mut self, id: &str, request: &str, reason: String, exit: Exit) {
        self.session.ledger.count(exit);
        let outcome = if exit == Exit::Retry { NotDone::NotTried } else { NotDone::Refused };
        let (request, name) = (request.to_owned(), reason);
        let refused = Refused { request, outcome, name, ..Refused::default() };
        self.session.emit(&Marked { mark: Mark::of_id(id), event: Event::Refused(refused) });
    }

    /// `Some` is the code to end with.
    fn hear(&mut self, told: &Told) -> Option<Exit> {
        if let Some(mark) = self.agent.hear(&mut self.session.means(), told) {
            self.session.show_marked(told, mark);
        }
        self.report();
        match told {
            Told::Online { .. } => self.was_online = true,
            Told::Lost { why } => {
                let exit = if self.was_online {
                    self.session.lost(*why)
                } else if self.session.client().next_attempt().is_some() {
                    None
                } else {
                    Some(self.session.explain(*why).exit)
                };
                if let Some(exit) = exit {
                    self.give_up(exit, &format!("session lost: {why}"));
                    return Some(exit);
                }
            }
            _ => {}
        }
        None
    }

    fn report(&mut self) {
        while let Some(report) = self.agent.poll_report(&mut self.session.means()) {
            self.session.emit(&report.marked);
        }
    }

    /// Says of everything that was read and not begun that it will not be.
    fn give_up(&mut self, exit: Exit, why: &str) {
        while let Some(line) = self.commands.take() {
            self.take(line);
        }
        self.agent.abandon(&mut self.session.means(), exit, why);
        let refusal = Refusal::not_tried(exit, why);
        for (mark, actions) in std::mem::take(&mut self.queue) {
            for action in actions {
                let mark = mark.clone();
                match action {
                    Action::Send { to, .. } => {
                        let chat = to.chat();
                        let to = match to {
                            Whom::Person(who) => who.to_string(),
                            Whom::Chat(_) => String::new(),
                        };
                        let reason = refusal.reason.clone();
                        let failed = self.session.ledger.failed_in(mark, to, chat, exit, reason);
                        self.session.emit(&failed);
                    }
                    action => {
                        let asked = Asked::of(&action);
                        self.agent.refuse(&mut self.session.means(), mark, asked, &refusal);
                    }
                }
            }
        }
        self.report();
    }
}
