//! `chat`: lines typed are sent, lines that arrive are shown.

use std::collections::VecDeque;
use std::io::{self, IsTerminal};

use msnp_proto::client::{Config, Event as Told, payload_len};
use msnp_proto::limits::SWITCHBOARD_PAYLOAD;
use msnp_proto::types::Handle;

use crate::agent::Agent;
use crate::args::{ChatArgs, Until};
use crate::console::Console;
use crate::errand::{Asked, Refusal};
use crate::events::{Event, Mark};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::input::{self, Input, Item};
use crate::prompt::Prompt;
use crate::script::{self, Action, Expected, Problem, Verb, Whom};
use crate::session::{Session, Setup, Step};
use crate::transfers::Policy;

/// Texts without an answer, from which on no more are sent.
const WINDOW: usize = 16;

/// Texts and commands that wait to be sent, from which on no more keys are taken.
const WAITING: usize = 64;

const HELP: &str = "these lines are commands:
  /typing                 show that you are typing
  /status BSY             your state: NLN, BSY, IDL, BRB, AWY, PHN, LUN, HDN
  /name \"Me\"              your name
  /send ACCOUNT TEXT      to somebody else
  /file PATH              offer a file, send it if they take it
  /accept N [DIR]         take the file that was offered as number N
  /decline N              decline it, or stop one that is on its way
  /open, /leave           call the other one, leave the chat
  /add, /remove, /allow, /block, /rename as \"NAME\", /move to \"GROUP\"
                          the other one, or an ACCOUNT behind the command
  /group add \"NAME\"       also remove, and rename \"NAME\" as \"NEW\"
  /quit, or Ctrl-D        leave when everything is answered; Ctrl-C: at once
  //text                  a text that begins with a slash
Keys: arrows, Home, End, Ctrl-A E K U W Y L, Alt-B F D; up: what you said before";

pub(crate) fn run(args: &ChatArgs) -> Result<Exit, Failure> {
    if args.sign_in.uses_stdin() {
        return Err(Failure::new(
            Exit::Usage,
            "chat reads lines from stdin, so the password cannot come from there; \
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
    let end = match session.sign_in(None)? {
        Ok(()) => {
            let mut talk = Talk::begin(&mut session, &args.with)?;
            let end = talk.run()?;
            talk.part();
            end
        }
        Err(failure) => Some(failure.exit),
    };
    session.finish(end, Exit::Done)
}

struct Talk<'a> {
    session: &'a mut Session,
    agent: Agent,
    with: &'a Handle,
    ear: Ear,
    /// What was typed and has not been taken up.
    waiting: VecDeque<Action>,
    has_quit: bool,
    /// Stdin cannot be read.
    is_broken: bool,
}

/// Where texts come from.
enum Ear {
    /// A file or a program: each line is a text.
    Lines(Input<Item>),
    /// Somebody at a terminal.
    Prompt(Box<Prompt>),
}

impl<'a> Talk<'a> {
    fn begin(session: &'a mut Session, with: &'a Handle) -> Result<Self, Failure> {
        // Who watches the network on the same terminal would see it in the middle of their line.
        let prompt = match session.log.wants_wire() {
            true => None,
            false => Prompt::open(session.waker()).map_err(|error| {
                let reason = files::reason(&error);
                Failure::new(Exit::Io, format!("cannot prepare the terminal: {reason}"))
            })?,
        };
        let ear = match prompt {
            Some(prompt) => {
                session.log.note("type a line to send it; /help shows more, Ctrl-D leaves");
                Ear::Prompt(Box::new(prompt))
            }
            None => {
                if io::stdin().is_terminal() {
                    session.log.note("type a line to send it; Ctrl-D leaves");
                }
                Ear::Lines(input::lines(session.waker()))
            }
        };
        let mut agent = Agent::new(match &ear {
            Ear::Prompt(_) => Policy::Ask,
            // Whoever writes there has no commands.
            Ear::Lines(_) => Policy::Decline,
        });
        agent.meet(&mut session.means(), with);
        let waiting = VecDeque::new();
        Ok(Self { session, agent, with, ear, waiting, has_quit: false, is_broken: false })
    }

    /// `Some` is the code to end with; `None` leaves it to what has ended.
    fn run(&mut self) -> Result<Option<Exit>, Failure> {
        loop {
            self.advance();
            if self.has_left() {
                self.agent.withdraw(&mut self.session.means());
                self.report();
            }
            if self.is_over() {
                self.hide();
                return Ok(self.is_broken.then_some(Exit::Input));
            }
            if let Ear::Prompt(prompt) = &mut self.ear {
                prompt.show();
            }
            match self.session.next(None)? {
                Step::Told(told) => {
                    if let Some(exit) = self.hear(&told) {
                        return Ok(Some(exit));
                    }
                }
                Step::Signal(exit) => {
                    self.hide();
                    self.session.ledger.stop(exit, "interrupted");
                    self.give_up(exit, "interrupted");
                    return Ok(Some(exit));
                }
                Step::Due | Step::Woken => {}
            }
        }
    }

    /// Nobody is left waiting.
    fn part(&mut self) {
        self.agent.part(&mut self.session.means(), Exit::Done, "nobody is here any more");
        self.report();
    }

    /// Whether somebody at a terminal wants to go, and waits for no answer any more.
    fn has_left(&self) -> bool {
        match &self.ear {
            Ear::Lines(_) => false,
            Ear::Prompt(prompt) => prompt.has_ended() || self.has_quit,
        }
    }

    fn is_over(&self) -> bool {
        let has_ended = match &self.ear {
            Ear::Lines(lines) => lines.has_ended(),
            Ear::Prompt(prompt) => prompt.has_ended(),
        };
        let is_done = self.session.ledger.waiting() == 0 && self.agent.pending() == 0;
        let is_heard = has_ended || self.has_quit || self.is_broken;
        let nobody_reads = self.session.out.broken().is_some();
        (is_heard && self.waiting.is_empty() || nobody_reads) && is_done
    }

    fn hide(&mut self) {
        if let Ear::Prompt(prompt) = &mut self.ear {
            prompt.hide();
        }
    }

    /// Sends what can be sent. While we are not signed in, texts wait where they are.
    fn advance(&mut self) {
        let is_online = self.session.client().is_online();
        loop {
            let has_room = is_online && self.session.ledger.waiting() < WINDOW;
            if has_room {
                if let Some(action) = self.waiting.pop_front() {
                    self.agent.act(&mut self.session.means(), Mark::NONE, &action);
                    self.report();
                    continue;
                }
            }
            if self.has_quit || self.is_broken {
                return;
            }
            match &mut self.ear {
                Ear::Lines(lines) if has_room => match lines.take() {
                    None => return,
                    Some(Ok(line)) if line.is_empty() => {}
                    Some(Ok(text)) => self.waiting.push_back(self.text(text)),
                    Some(Err(why)) => {
                        self.session.log.error(format_args!("cannot read what to say: {why}"));
                        self.is_broken = true;
                    }
                },
                Ear::Prompt(prompt) if self.waiting.len() < WAITING => match prompt.read() {
                    None => return,
                    Some(text) => self.take(text),
                },
                Ear::Lines(_) | Ear::Prompt(_) => return,
            }
        }
    }

    fn text(&self, text: String) -> Action {
        Action::Send { to: Whom::Person(self.with.clone()), text }
    }

    /// Takes what somebody has typed: a text, or a command behind a slash.
    fn take(&mut self, typed: String) {
        let size = payload_len(&typed);
        let over = size.saturating_sub(SWITCHBOARD_PAYLOAD);
        let wrong = match typed.strip_prefix('/') {
            _ if typed.trim().is_empty() => return,
            None if over > 0 => format!("{over} bytes more than servers take; shorten or split it"),
            None => return self.waiting.push_back(self.text(typed)),
            Some(text) if text.starts_with('/') => {
                let action = self.text(text.to_owned());
                return self.waiting.push_back(action);
            }
            Some("quit") => {
                self.has_quit = true;
                return;
            }
            Some("help") => return self.session.log.answer_in_lines(HELP),
            Some(command) => match script::command(command, self.with) {
                Ok(Verb::Do(action)) => return self.waiting.push_back(action),
                Ok(_) => return,
                Err(mistake) => match mistake.problem {
                    Problem::Expected(Expected::Verb) => {
                        "there is no such command; /help shows those that there are".into()
                    }
                    problem => problem.to_string(),
                },
            },
        };
        self.session.log.error(wrong);
        if let Ear::Prompt(prompt) = &mut self.ear {
            prompt.restore(typed);
        }
    }

    /// `Some` is the code to end with.
    fn hear(&mut self, told: &Told) -> Option<Exit> {
        let mark = self.agent.hear(&mut self.session.means(), told);
        // A person who types needs no word of what goes well so far.
        let is_smooth = matches!(told, Told::Queued { .. } | Told::Sent { .. });
        if is_smooth && self.session.out.is_text() {
            self.session.note(told);
        } else if let Some(mark) = mark {
            self.hide();
            self.session.show_marked(told, mark);
        }
        self.report();
        if let Told::Lost { why } = told {
            self.hide();
            if let Some(exit) = self.session.lost(*why) {
                self.give_up(exit, "the session ended before it");
                return Some(exit);
            }
        }
        None
    }

    fn report(&mut self) {
        while let Some(report) = self.agent.poll_report(&mut self.session.means()) {
            // The line that grows would be where the prompt is.
            let is_bar = matches!(report.marked.event, Event::Progress(_));
            if is_bar && self.session.out.is_text() && matches!(self.ear, Ear::Prompt(_)) {
                continue;
            }
            self.hide();
            self.session.emit(&report.marked);
        }
    }

    /// Says of everything that was read and not taken up that it was not done.
    fn give_up(&mut self, exit: Exit, why: &str) {
        if let Ear::Lines(lines) = &mut self.ear {
            let lines = std::iter::from_fn(|| lines.take()).flatten();
            let to = Whom::Person(self.with.clone());
            let texts = lines.filter(|line| !line.is_empty());
            self.waiting.extend(texts.map(|text| Action::Send { to: to.clone(), text }));
        }
        self.agent.abandon(&mut self.session.means(), exit, why);
        for action in std::mem::take(&mut self.waiting) {
            match action {
                Action::Send { to: Whom::Person(to), text } => {
                    let reason = format!("not sent: {why} ({} bytes)", text.len());
                    self.session.fail(&to, exit, &reason);
                }
                action => {
                    let refusal = Refusal::not_tried(exit, why);
                    let asked = Asked::of(&action);
                    self.agent.refuse(&mut self.session.means(), Mark::NONE, asked, &refusal);
                }
            }
        }
        self.report();
    }
}
