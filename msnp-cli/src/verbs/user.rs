//! `serve --data FILE user`: the accounts in a data file, with or without a server that runs.

use std::path::Path;

use msnp_proto::secret::Secret;
use msnp_proto::types::Handle;

use crate::args::{ServeArgs, UserArgs, UserTask};
use crate::console::Console;
use crate::directory::{Purpose, SqliteDirectory, Unmanaged};
use crate::events::{Change, Done, Event, Refused, User};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::password::Sources;
use crate::render::Broken;

pub(crate) fn run(serve: &ServeArgs, args: &UserArgs) -> Result<Exit, Failure> {
    let Some(path) = &serve.data else {
        let text = "whose accounts? Name the data file before `user`: msnp serve --data FILE user";
        return Err(Failure::new(Exit::Usage, text));
    };
    let mut console = Console::open(args.task.output())?;
    let exit = work(&mut console, path, &args.task)?;
    console.out.emit(&Event::Done(Done { exit: exit.code(), ..Done::default() }));
    Ok(match console.out.broken() {
        None => exit,
        Some(Broken::ReaderGone | Broken::Failed(_)) => Exit::Io,
    })
}

fn work(console: &mut Console, path: &Path, task: &UserTask) -> Result<Exit, Failure> {
    let purpose = match task {
        UserTask::Add(_) => Purpose::ManageOrMake,
        _ => Purpose::Manage,
    };
    let mut accounts = SqliteDirectory::open(path, purpose)?;
    let (request, account, result) = match task {
        UserTask::List(_) => {
            let result = accounts.list();
            if let Ok(users) = &result {
                for user in users {
                    console.out.emit(&Event::User(User {
                        account: user.account.to_string(),
                        name: Some(user.name.clone()),
                        contacts: Some(user.contacts),
                        change: None,
                    }));
                }
            }
            ("list", None, result.map(|_| None))
        }
        UserTask::Add(args) => {
            // Nobody is asked for a password that cannot be used.
            let result = match accounts.has(&args.account) {
                Ok(true) => Err(Unmanaged::There),
                Ok(false) => {
                    let password = new_password(console, &args.password.sources(), &args.account)?;
                    accounts.add(&args.account, args.name.as_ref(), &password)
                }
                Err(failed) => Err(failed),
            };
            ("add", Some(&args.account), result.map(|()| Some(Change::Added)))
        }
        UserTask::Remove(args) => {
            let result = accounts.remove(&args.account);
            ("remove", Some(&args.account), result.map(|()| Some(Change::Removed)))
        }
        UserTask::Password(args) => {
            let result = match accounts.has(&args.account) {
                Ok(false) => Err(Unmanaged::Unknown),
                Ok(true) => {
                    let password = new_password(console, &args.password.sources(), &args.account)?;
                    accounts.set_password(&args.account, &password)
                }
                Err(failed) => Err(failed),
            };
            ("password", Some(&args.account), result.map(|()| Some(Change::Password)))
        }
    };
    let account = account.map(ToString::to_string);
    match result {
        Ok(change) => {
            if let (Some(account), Some(_)) = (account, change) {
                console.out.emit(&Event::User(User { account, change, ..User::default() }));
            }
            Ok(Exit::Done)
        }
        Err(why) => Ok(refuse(console, path, request, account, &why)),
    }
}

fn refuse(
    console: &mut Console,
    path: &Path,
    request: &str,
    account: Option<String>,
    why: &Unmanaged,
) -> Exit {
    let (exit, name, advice) = match why {
        Unmanaged::There => {
            (Exit::Undelivered, "there is such an account already", "`user password` changes it")
        }
        Unmanaged::Unknown => (
            Exit::Undelivered,
            "there is no such account",
            "`user list` shows those that there are",
        ),
        Unmanaged::Busy(text) => (Exit::Retry, text.as_str(), "try again"),
        Unmanaged::Failed(text) => (Exit::Io, text.as_str(), "nothing was changed"),
    };
    let who = account.as_ref().map_or_else(String::new, |account| format!(" {account}"));
    let shown = path.display();
    let what = match request {
        "list" => "list the accounts",
        "password" => "change the password of",
        other => other,
    };
    console.log.error(format_args!("cannot {what}{who} in {shown}: {name}; {advice}"));
    let (request, name) = (request.into(), name.into());
    console.out.emit(&Event::Refused(Refused { request, name, account, ..Refused::default() }));
    exit
}

/// The new password; one that is typed is typed twice.
fn new_password(console: &Console, sources: &Sources, account: &Handle) -> Result<Secret, Failure> {
    let obtain = || sources.obtain(account.as_str(), &console.signals);
    let password = obtain()?;
    if sources.is_typed() {
        console.log.note("once more, to be sure");
        if obtain()?.expose() != password.expose() {
            let text = format!("the two passwords for {account} are not the same; nothing changed");
            return Err(Failure::new(Exit::Config, text));
        }
    }
    Ok(password)
}
