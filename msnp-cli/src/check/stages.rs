//! The stages of signing in, in order, each with its time.
//!
//! This module hears what the client reports and says which stage has passed. It has no clock.

use msnp_proto::client::Event as Told;
use msnp_proto::machine::Target;
use msnp_proto::time::{Duration, Instant};

use super::watch::Seen;
use crate::events::{Stage, StageName, StageResult};
use crate::ledger::millis;

/// Where a check is.
pub(crate) struct Stages {
    server: String,
    begun: Instant,
    /// The stage that is going on, unless all have passed.
    now: Option<StageName>,
    last: StageName,
    dialect: Option<String>,
}

/// All of them.
const ALL: [StageName; 6] = [
    StageName::Resolve,
    StageName::Connect,
    StageName::Version,
    StageName::Auth,
    StageName::List,
    StageName::Online,
];

impl Stages {
    /// Begins with the name of the server, and ends when `last` has passed.
    pub(crate) fn new(begun: Instant, server: &Target, last: StageName) -> Self {
        let now = Some(StageName::Resolve);
        Self { server: server.to_string(), begun, now, last, dialect: None }
    }

    /// The stage that is going on, unless all have passed.
    pub(crate) fn now(&self) -> Option<StageName> {
        self.now
    }

    /// The addresses of the server's name are known, and how long that took.
    pub(crate) fn resolved(&mut self, took: Duration, addresses: String) -> Option<Stage> {
        let at = self.begun + took;
        (self.now == Some(StageName::Resolve))
            .then(|| self.passed(at, StageName::Resolve, Some(addresses)))
    }

    /// What passed by what was told.
    pub(crate) fn told(&mut self, at: Instant, told: &Told, seen: &Seen) -> Option<Stage> {
        match told {
            Told::Connected { .. } => {
                let peer = seen.peer.map(|peer| peer.to_string());
                Some(self.passed(at, StageName::Connect, peer))
            }
            Told::Agreed { dialect } => {
                self.dialect = Some(dialect.to_string());
                Some(self.passed(at, StageName::Version, self.dialect.clone()))
            }
            Told::Referred { to } => {
                let stage = self.line(at, StageName::Referral, StageResult::Passed);
                let stage = Stage { detail: Some(format!("to {to}")), ..stage };
                (self.server, self.begun) = (to.to_string(), at);
                self.now = Some(StageName::Resolve);
                Some(stage)
            }
            Told::Authenticated { account, .. } => {
                Some(self.passed(at, StageName::Auth, Some(account.to_string())))
            }
            // A second time if the server corrects itself.
            Told::Synced { version, .. } if self.now == Some(StageName::List) => {
                Some(self.passed(at, StageName::List, Some(format!("version {}", version.0))))
            }
            Told::Online { status } => {
                Some(self.passed(at, StageName::Online, Some(status.to_string())))
            }
            _ => None,
        }
    }

    /// The stage that is going on has failed, and those behind it are not reached.
    pub(crate) fn failed(&mut self, at: Instant) -> Vec<Stage> {
        let Some(now) = self.now.take() else { return Vec::new() };
        let mut lines = vec![self.line(at, now, StageResult::Failed)];
        let behind = ALL.into_iter().filter(|stage| *stage > now && *stage <= self.last);
        lines.extend(behind.map(|stage| self.line(self.begun, stage, StageResult::NotReached)));
        lines
    }

    fn passed(&mut self, at: Instant, stage: StageName, detail: Option<String>) -> Stage {
        let line = self.line(at, stage, StageResult::Passed);
        self.begun = at;
        self.now = ALL.into_iter().find(|next| *next > stage && *next <= self.last);
        Stage { detail, ..line }
    }

    fn line(&self, at: Instant, stage: StageName, result: StageResult) -> Stage {
        let (server, ms) = (self.server.clone(), millis(at, self.begun));
        Stage { stage, result, server, ms, detail: None, seen: None, cause: None, advice: None }
    }
}

#[cfg(test)]
mod tests {
    use msnp_proto::types::{Dialect, ListVersion, Status};

    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_micros(ms * 1000)
    }

    fn target(host: &str) -> Target {
        Target { host: host.into(), port: 1863 }
    }

    fn rows(stages: &[Stage]) -> Vec<(StageName, StageResult, u64)> {
        stages.iter().map(|stage| (stage.stage, stage.result, stage.ms)).collect()
    }

    #[test]
    fn stages_pass_in_order_each_with_its_own_time_also_after_a_referral() {
        use StageName::{Auth, Connect, List, Online, Referral, Resolve, Version};
        let (one, two) = (target("one"), target("two"));
        let mut stages = Stages::new(at(0), &one, Online);
        let mut lines = Vec::new();
        let took = Duration::from_millis(5);
        lines.extend(stages.resolved(took, "192.0.2.1".into()));
        assert_eq!(stages.resolved(took, "192.0.2.1".into()), None);
        let account = msnp_proto::types::Handle::new("a@b.c").expect("an account");
        let nick = msnp_proto::types::Nick::new("A").expect("a name");
        let (dialect, version) = (Dialect::Msnp7, ListVersion(3));
        let told = [
            (10, Told::Connected { server: one }),
            (11, Told::Agreed { dialect }),
            (13, Told::Referred { to: two.clone() }),
            (20, Told::Connected { server: two }),
            (21, Told::Agreed { dialect }),
            (25, Told::Authenticated { account, nick, verified: None }),
            (26, Told::Synced { version, unchanged: false }),
            (28, Told::Online { status: Status::Hidden }),
            (29, Told::Synced { version, unchanged: false }),
        ];
        for (ms, told) in told {
            if let Told::Connected { .. } = told {
                lines.extend(stages.resolved(took, "found".into()));
            }
            lines.extend(stages.told(at(ms), &told, &Seen::default()));
        }
        let passed = StageResult::Passed;
        assert_eq!(
            rows(&lines),
            [
                (Resolve, passed, 5),
                (Connect, passed, 5),
                (Version, passed, 1),
                (Referral, passed, 2),
                (Resolve, passed, 5),
                (Connect, passed, 2),
                (Version, passed, 1),
                (Auth, passed, 4),
                (List, passed, 1),
                (Online, passed, 2),
            ]
        );
        assert_eq!(lines[7].server, "two:1863");
        assert_eq!(stages.now(), None);
    }

    #[test]
    fn what_is_behind_a_failure_is_not_reached_as_far_as_was_asked_for() {
        use StageName::{Auth, Connect, Resolve, Version};
        let mut stages = Stages::new(at(0), &target("one"), Auth);
        stages.resolved(Duration::from_millis(1), "x".into());
        let lines = stages.failed(at(31));
        let not_reached = StageResult::NotReached;
        assert_eq!(
            rows(&lines),
            [(Connect, StageResult::Failed, 30), (Version, not_reached, 0), (Auth, not_reached, 0)]
        );
        assert_eq!((stages.now(), stages.failed(at(40)).len()), (None, 0));

        let mut stages = Stages::new(at(0), &target("one"), Connect);
        assert_eq!(stages.now(), Some(Resolve));
        stages.resolved(Duration::from_millis(1), "x".into());
        stages.told(at(2), &Told::Connected { server: target("one") }, &Seen::default());
        assert_eq!(stages.now(), None);
    }
}
