//! Requests that an application makes: changes of lists, groups, names and settings, and questions.
//!
//! One request may take several commands; each is said when the one before it was granted, so that
//! a refusal leaves nothing half done behind it that could have been avoided.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use super::Notification;
use super::ledger::Kind;
use super::state::Core;
use crate::client::{Event as Report, Failure, RequestId, RosterChange};
use crate::error::{Expected, Misuse};
use crate::limits;
use crate::ns::{Contact, Request};
use crate::time::Instant;
use crate::types::{
    Account, Dialect, ErrorCode, GroupId, Handle, List, Name, Nick, OnOff, Privacy, Prompt,
    Property, Token, Words,
};
use crate::wire::{Body, Verb, percent};

/// One command to the notification server. What it may be refused with stands at the request that
/// it says, and in the table of [`commands`](crate::commands).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Put somebody on a list: [`Request::Add`].
    Add {
        /// The list; not the reverse list.
        list: List,
        /// Who.
        account: Handle,
        /// The name to keep for them; none is their account.
        nick: Option<Nick>,
        /// The group of the forward list, since MSNP7.
        group: Option<GroupId>,
    },
    /// Take somebody off a list, or out of one group: [`Request::Rem`].
    Remove {
        /// The list; not the reverse list.
        list: List,
        /// Who.
        account: Handle,
        /// Only out of this group of the forward list, since MSNP7.
        group: Option<GroupId>,
    },
    /// Make a group: [`Request::Adg`], since MSNP7.
    AddGroup(Nick),
    /// Delete a group: [`Request::Rmg`], since MSNP7.
    RemoveGroup(GroupId),
    /// Rename a group: [`Request::Reg`], since MSNP7.
    RenameGroup(GroupId, Nick),
    /// Rename oneself, or a contact for oneself: [`Request::Rea`].
    Rename(Handle, Nick),
    /// Set what to do about new people on the reverse list: [`Request::Gtc`].
    Prompt(Prompt),
    /// Set what holds for people on neither the allow nor the block list: [`Request::Blp`].
    Privacy(Privacy),
    /// Set one's own property; empty clears it: [`Request::Prp`], since MSNP5.
    Property(Property, String),
    /// Ask for one list again: [`Request::Lst`]. Some servers do not answer.
    List(List),
    /// Ask for the groups again: [`Request::Lsg`], since MSNP7. Some servers do not answer.
    Groups,
    /// Ask for the address of a service: [`Request::Url`]. Answered by [`Report::Url`].
    Url {
        /// `INBOX`, `COMPOSE`, `PROFILE`, …
        service: String,
        /// What the service takes.
        parameter: Option<String>,
    },
    /// Search the directory: [`Request::Fnd`]. Answered by [`Report::Found`].
    Find {
        /// `fname=Ann lname=Other city=* state=* country=US`, percent-encoded values.
        terms: String,
    },
    /// Invite somebody by mail: [`Request::Snd`], since MSNP5 with a text as [`Request::Sdc`].
    Mail {
        /// Any address.
        address: String,
        /// The text; empty for the server's own.
        text: String,
    },
    /// Send a page to somebody's mobile: [`Request::Pag`], since MSNP5. No answer means that it was
    /// taken.
    Page {
        /// Who.
        account: Handle,
        /// The text.
        text: String,
    },
    /// Ask the server for a challenge, which is answered by itself: [`Request::Chl`], since MSNP6.
    Challenge,
    /// Turn invitations to switchboards on or off: [`Request::Ims`], since MSNP3.
    Calls(bool),
}

/// A request that takes several commands.
#[derive(Debug)]
pub(super) struct Plan {
    request: RequestId,
    /// What was said and not answered yet.
    said: Change,
    /// What is still to be said.
    steps: VecDeque<Change>,
    /// A step that finds things as they should be is as good as granted.
    tolerant: bool,
}

impl Change {
    fn verb(&self, dialect: Dialect) -> Verb {
        Verb::new(*match self {
            Self::Add { .. } => b"ADD",
            Self::Remove { .. } => b"REM",
            Self::AddGroup(_) => b"ADG",
            Self::RemoveGroup(_) => b"RMG",
            Self::RenameGroup(..) => b"REG",
            Self::Rename(..) => b"REA",
            Self::Prompt(_) => b"GTC",
            Self::Privacy(_) => b"BLP",
            Self::Property(..) => b"PRP",
            Self::List(_) => b"LST",
            Self::Groups => b"LSG",
            Self::Url { .. } => b"URL",
            Self::Find { .. } => b"FND",
            Self::Mail { .. } if dialect < Dialect::Msnp5 => b"SND",
            Self::Mail { .. } => b"SDC",
            Self::Page { .. } => b"PAG",
            Self::Challenge => b"CHL",
            Self::Calls(_) => b"IMS",
        })
    }

    fn kind(&self) -> Kind {
        match self {
            Self::List(list) => Kind::List(*list),
            Self::Groups => Kind::Groups,
            Self::Page { .. } => Kind::Page,
            Self::Url { .. } => Kind::Url,
            Self::Find { .. } => Kind::Find,
            Self::Challenge => Kind::Probe,
            _ => Kind::Change,
        }
    }

    /// Whether the command can be said at all.
    fn check(&self, dialect: Dialect) -> Result<(), Misuse> {
        let since = match self {
            Self::AddGroup(_) | Self::RemoveGroup(_) | Self::RenameGroup(..) | Self::Groups => {
                Dialect::Msnp7
            }
            Self::Add { group: Some(_), .. } | Self::Remove { group: Some(_), .. } => {
                Dialect::Msnp7
            }
            Self::Challenge => Dialect::Msnp6,
            Self::Property(..) | Self::Page { .. } => Dialect::Msnp5,
            Self::Calls(_) => Dialect::Msnp3,
            _ => Dialect::Msnp2,
        };
        if dialect < since {
            return Err(Misuse::NotInDialect);
        }
        let shown = |text: &str| !text.contains(char::is_control);
        let word = |text: &str| Token::new(text.as_bytes()).is_some() && shown(text);
        let fits = |text: &str, limit: usize| percent::encoded_len(text) <= limit;
        let (valid, expected) = match self {
            Self::Add { list, group, .. } | Self::Remove { list, group, .. } => {
                let in_group = group.is_none() || *list == List::Forward;
                (*list != List::Reverse && in_group, Expected::List)
            }
            Self::AddGroup(name) | Self::RenameGroup(_, name) => {
                (fits(name.as_str(), limits::GROUP_NAME), Expected::Name)
            }
            Self::Property(property, value) => {
                let flag = matches!(property, Property::MobilePages | Property::MobileDevice);
                let valid = if flag { value == "Y" || value == "N" } else { true };
                (valid && fits(value, limits::PHONE), Expected::Property)
            }
            Self::Url { service, parameter } => {
                (word(service) && parameter.as_deref().is_none_or(word), Expected::Token)
            }
            Self::Find { terms } => {
                (Words::new(terms.as_bytes()).is_some() && shown(terms), Expected::Words)
            }
            Self::Mail { address, text } => {
                (word(address) && text.len() <= limits::SWITCHBOARD_PAYLOAD, Expected::Account)
            }
            Self::Page { text, .. } => {
                (text.len() <= limits::SWITCHBOARD_PAYLOAD, Expected::Payload)
            }
            _ => (true, Expected::Token),
        };
        if valid { Ok(()) } else { Err(Misuse::Invalid(expected)) }
    }
}

impl Notification {
    /// Makes one request of one or more commands. It ends with [`Report::Done`] or
    /// [`Report::Refused`]. With `tolerant`, an entry that is there already or gone already, on a
    /// list or in a group, and a setting that is set already, count as granted.
    ///
    /// # Errors
    ///
    /// [`Misuse::NotOnline`], [`Misuse::NotInDialect`], [`Misuse::Invalid`],
    /// [`Misuse::Backlog`]. Nothing is sent then.
    pub fn change(
        &mut self,
        now: Instant,
        request: RequestId,
        steps: Vec<Change>,
        tolerant: bool,
    ) -> Result<(), Misuse> {
        let core = &mut self.core;
        for step in &steps {
            step.check(core.dialect)?;
        }
        let mut steps = VecDeque::from(steps);
        let first = steps.pop_front().ok_or(Misuse::Already)?;
        core.say_change(now, request, &first)?;
        core.plans.push(Plan { request, said: first, steps, tolerant });
        Ok(())
    }
}

impl Core {
    fn say_change(
        &mut self,
        now: Instant,
        request: RequestId,
        change: &Change,
    ) -> Result<(), Misuse> {
        let dialect = self.dialect;
        let trid = self.open(now, change.verb(dialect), change.kind(), Some(request))?;
        match change {
            Change::Add { list, account, nick, group } => {
                let id = group_word(group.filter(|_| *list == List::Forward));
                let in_groups = dialect >= Dialect::Msnp7 && *list == List::Forward;
                let nick = nick.clone().unwrap_or_else(|| Nick::of_handle(account));
                self.say(&Request::Add {
                    trid,
                    list: *list,
                    account: Account::from(account),
                    name: Some(Name::from(&nick)),
                    group: Token::new(id.as_bytes()).filter(|_| in_groups),
                });
            }
            Change::Remove { list, account, group } => {
                let id = group_word(*group);
                self.say(&Request::Rem {
                    trid,
                    list: *list,
                    account: Account::from(account),
                    group: group.and_then(|_| Token::new(id.as_bytes())),
                });
            }
            Change::AddGroup(name) => self.say(&Request::Adg { trid, name: Name::from(name) }),
            Change::RemoveGroup(group) => self.say(&Request::Rmg { trid, group: *group }),
            Change::RenameGroup(group, name) => {
                self.say(&Request::Reg { trid, group: *group, name: Name::from(name) });
            }
            Change::Rename(account, nick) => self.say(&Request::Rea {
                trid,
                account: Account::from(account),
                name: Name::from(nick),
            }),
            Change::Prompt(prompt) => self.say(&Request::Gtc { trid, prompt: *prompt }),
            Change::Privacy(privacy) => self.say(&Request::Blp { trid, privacy: *privacy }),
            Change::Property(property, value) => {
                if let Some(key) = Token::new(property.as_str().as_bytes()) {
                    self.say(&Request::Prp { trid, key, value: Name::from_text(value) });
                }
            }
            Change::List(list) => self.say(&Request::Lst { trid, list: *list }),
            Change::Groups => self.say(&Request::Lsg { trid }),
            Change::Url { service, parameter } => {
                let parameter = parameter.as_deref().and_then(|word| Token::new(word.as_bytes()));
                if let Some(service) = Token::new(service.as_bytes()) {
                    self.say(&Request::Url { trid, service, parameter });
                }
            }
            Change::Find { terms } => {
                if let Some(terms) = Words::new(terms.as_bytes()) {
                    self.say(&Request::Fnd { trid, terms });
                }
            }
            Change::Mail { address, text } => self.say_mail(trid, address, text),
            Change::Page { account, text } => {
                let page = page(text);
                let account = Account::from(account);
                self.say(&Request::Pag { trid, account, page: Body(page.as_bytes()) });
            }
            Change::Challenge => self.say(&Request::Chl { trid }),
            Change::Calls(on) => self.say(&Request::Ims { trid, mode: OnOff::from(*on) }),
        }
        Ok(())
    }

    fn say_mail(&mut self, trid: crate::types::TrId, address: &str, text: &str) {
        let report = self.config.version_report.clone();
        let mut words = report.split(' ');
        let locale = words.next().and_then(|word| Token::new(word.as_bytes()));
        let library = words.nth(3).and_then(|word| Token::new(word.as_bytes()));
        let codebase = words.next_back().and_then(|word| Token::new(word.as_bytes()));
        let Some(account) = Account::new(address.as_bytes()) else { return };
        let own = self.own_name();
        if let (Some(locale), Some(library), Some(codebase), true) =
            (locale, library, codebase, self.dialect >= Dialect::Msnp5)
        {
            let (name, text) = (Name::from(&own), Body(text.as_bytes()));
            self.say(&Request::Sdc { trid, account, locale, library, codebase, name, text });
        } else {
            let since = |first: Dialect, word| if self.dialect >= first { word } else { None };
            let locale = since(Dialect::Msnp3, locale);
            let library = since(Dialect::Msnp3, library);
            let codebase = since(Dialect::Msnp4, codebase);
            self.say(&Request::Snd { trid, account, locale, library, codebase });
        }
    }

    /// A command of a request was granted: the next one is said, or the request is done.
    pub(super) fn granted(&mut self, now: Instant, request: RequestId) {
        let place = self.plans.iter().position(|plan| plan.request == request);
        let next = place.and_then(|place| self.plans.get_mut(place)?.steps.pop_front());
        let Some(step) = next else {
            if let Some(place) = place {
                self.plans.remove(place);
            }
            return self.tell(Report::Done { request });
        };
        if self.say_change(now, request, &step).is_err() {
            let verb = step.verb(self.dialect);
            let why = Failure::Lost(crate::error::Lost::SignedOut);
            return self.not_granted(request, verb, why);
        }
        if let Some(plan) = place.and_then(|place| self.plans.get_mut(place)) {
            plan.said = step;
        }
    }

    /// A command of a request was refused, which may say how things are: who is not in the group
    /// that they were to be taken out of, is not in it for us either. On some servers nobody is in
    /// group 0 who is in another.
    pub(super) fn learn(&mut self, request: RequestId, code: ErrorCode) {
        let plan = self.plans.iter().find(|plan| plan.request == request);
        let (Some(Change::Remove { list, account, group: Some(group) }), ErrorCode::NOT_IN_GROUP) =
            (plan.map(|plan| &plan.said), code)
        else {
            return;
        };
        let groups = self.roster.contact(account).map_or(&[][..], Contact::groups);
        if groups.contains(group) && groups != [GroupId::OTHER] {
            let (list, account, group) = (*list, account.clone(), Some(*group));
            self.roster.remove(list, Account::from(&account), group);
            self.changed(RosterChange::Removed { list, account, group, foreign: false });
        }
    }

    /// A command of a request was refused; `true` if that is as good as granted.
    pub(super) fn is_tolerated(&self, request: RequestId, code: ErrorCode) -> bool {
        let nothing_to_do = matches!(
            code,
            ErrorCode::ALREADY_THERE
                | ErrorCode::NOT_ON_LIST
                | ErrorCode::NOT_IN_GROUP
                | ErrorCode::ALREADY_IN_MODE
        );
        nothing_to_do && self.plans.iter().any(|plan| plan.request == request && plan.tolerant)
    }

    /// A request ends without having been granted; what it still had to say is not said.
    pub(super) fn not_granted(&mut self, request: RequestId, verb: Verb, why: Failure) {
        self.plans.retain(|plan| plan.request != request);
        self.tell(Report::Refused { request, verb, why });
    }
}

fn group_word(group: Option<GroupId>) -> String {
    alloc::format!("{}", group.unwrap_or(GroupId::OTHER))
}

/// The document of a page: what would be markup in it is written as numbers (msnp-wiki).
fn page(text: &str) -> String {
    let mut page = String::from("<TEXT xml:space=\"preserve\">");
    for character in text.chars() {
        match character {
            '&' | ';' | '<' | '>' | '^' => {
                page.push_str(&alloc::format!("&#x{:X};", character as u32));
            }
            other => page.push(other),
        }
    }
    page.push_str("</TEXT>");
    page
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn markup_in_a_page_is_written_as_numbers() {
        let plain = page("Call me");
        assert_eq!(plain, "<TEXT xml:space=\"preserve\">Call me</TEXT>");
        assert_eq!(plain.len(), 41);
        assert!(page("a<b&c;d^e>f").contains("a&#x3C;b&#x26;c&#x3B;d&#x5E;e&#x3E;f"));
    }
}
