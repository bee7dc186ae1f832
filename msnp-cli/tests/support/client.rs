//! A client of the tests' own: signs in to a server that runs, asks for one change after another,
//! and knows which of them were acknowledged.

use std::time::Duration;

use msnp_mio::{Happened, Reactor};
use msnp_proto::client::{Client, Config, Event, Failure, RequestId, SignIn};
use msnp_proto::error::{Lost, Misuse};
use msnp_proto::machine::Target;
use msnp_proto::time::Instant;
use msnp_proto::types::{Handle, Status};

/// How long anything may take. Only a test that fails waits that long.
const PATIENCE: Duration = Duration::from_secs(300);

/// Somebody who is signed in.
pub(crate) struct Person {
    pub(crate) reactor: Reactor<Client>,
}

impl Person {
    /// Signs in.
    pub(crate) fn sign_in(at: &str, account: &Handle, password: &str) -> Result<Self, Lost> {
        let (host, port) = at.rsplit_once(':').expect("an address and a port");
        let server = Target { host: host.into(), port: port.parse().expect("a port") };
        let mut sign_in = SignIn::new(account.clone(), password.into(), server);
        sign_in.status = Status::Hidden;
        let mut client = Client::new(Config::new());
        client.sign_in(Instant::ZERO, sign_in).expect("it is fresh");
        let mut person = Self { reactor: Reactor::new(client).expect("a poll") };
        person.wait(|event| matches!(event, Event::Online { .. }).then_some(()))?;
        Ok(person)
    }

    /// Waits for an event that `wanted` picks, or for the end of the session.
    fn wait<T>(&mut self, mut wanted: impl FnMut(&Event) -> Option<T>) -> Result<T, Lost> {
        let until = self.reactor.now() + PATIENCE;
        loop {
            match self.reactor.next(Some(until)).expect("the poll works") {
                Happened::Event(event) => {
                    if let Some(found) = wanted(&event) {
                        return Ok(found);
                    }
                    if let Event::Lost { why } = event {
                        return Err(why);
                    }
                }
                Happened::Woken => {}
                Happened::Due => panic!("what was waited for did not come"),
            }
        }
    }

    /// Asks for something and waits for the answer. The outer `Err` is a session that ended before
    /// there was one.
    pub(crate) fn ask(
        &mut self,
        ask: impl FnOnce(&mut Client, Instant) -> Result<RequestId, Misuse>,
    ) -> Result<Result<(), Failure>, Lost> {
        let now = self.reactor.now();
        let asked = ask(self.reactor.host_mut(), now);
        let asked = match asked {
            Ok(asked) => asked,
            // The session ended together with the last answer; that it did is still to be read.
            Err(Misuse::NotOnline) => return self.wait(|_| None),
            Err(misuse) => panic!("not asked: {misuse}"),
        };
        let answer = self.wait(|event| match event {
            Event::Done { request } if *request == asked => Some(Ok(())),
            Event::Refused { request, why, .. } if *request == asked => Some(Err(*why)),
            _ => None,
        })?;
        match answer {
            Err(Failure::Lost(why)) => Err(why),
            answer => Ok(answer),
        }
    }
}
