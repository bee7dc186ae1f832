//! A plain model of lists, presence and switchboards beside the hub and its clients, compared after
//! each step of any sequence of steps.

mod model;
mod reality;

use msnp_proto::types::{List, Privacy, Status};
use proptest::prelude::*;

use model::{Expected, Model};
use reality::Reality;

/// Accounts. One more client than accounts: the last one is the first account, elsewhere.
const ACCOUNTS: usize = 4;

#[derive(Clone, Debug)]
enum Step {
    SignIn { client: usize, status: Status, keep_roster: bool },
    SignOut(usize),
    Reset(usize),
    Status(usize, Status),
    Add(usize, List, usize),
    Remove(usize, List, usize),
    Privacy(usize, Privacy),
    Rename(usize, u8),
    Open(usize, usize),
    Invite { client: usize, chat: usize, who: usize },
    Text { client: usize, chat: usize },
    Leave { client: usize, chat: usize },
}

fn step() -> impl Strategy<Value = Step> {
    // Mostly the same few, so that they get entangled.
    let client = || prop_oneof![3 => 0..2_usize, 2 => 0..=ACCOUNTS];
    let who = || prop_oneof![3 => 0..2_usize, 2 => 0..ACCOUNTS];
    let status =
        || prop::sample::select(vec![Status::Online, Status::Online, Status::Away, Status::Hidden]);
    let list = || prop::sample::select(vec![List::Forward, List::Allow, List::Block]);
    let privacy = prop::sample::select(vec![Privacy::AllowOthers, Privacy::BlockOthers]);
    prop_oneof![
        6 => (client(), status(), any::<bool>())
            .prop_map(|(client, status, keep_roster)| Step::SignIn { client, status, keep_roster }),
        2 => client().prop_map(Step::SignOut),
        1 => client().prop_map(Step::Reset),
        3 => (client(), status()).prop_map(|(client, status)| Step::Status(client, status)),
        6 => (client(), list(), who()).prop_map(|(client, list, who)| Step::Add(client, list, who)),
        4 => (client(), list(), who())
            .prop_map(|(client, list, who)| Step::Remove(client, list, who)),
        2 => (client(), privacy).prop_map(|(client, privacy)| Step::Privacy(client, privacy)),
        1 => (client(), any::<u8>()).prop_map(|(client, name)| Step::Rename(client, name)),
        5 => (client(), who()).prop_map(|(client, who)| Step::Open(client, who)),
        3 => (client(), 0..3_usize, who())
            .prop_map(|(client, chat, who)| Step::Invite { client, chat, who }),
        5 => (client(), 0..3_usize).prop_map(|(client, chat)| Step::Text { client, chat }),
        2 => (client(), 0..3_usize).prop_map(|(client, chat)| Step::Leave { client, chat }),
    ]
}

/// Does a step in both; what the client is told must be what the model expects.
fn take(model: &mut Model, reality: &mut Reality, step: &Step) {
    let expected = match *step {
        Step::SignIn { client, status, keep_roster } => {
            if reality.sign_in(client, status, keep_roster) {
                model.sign_in(client, status);
            }
            return;
        }
        Step::SignOut(client) => {
            reality.sign_out(client);
            return model.sign_out(client);
        }
        Step::Reset(client) => {
            reality.reset(client);
            return model.sign_out(client);
        }
        Step::Open(client, who) => {
            if reality.open(client, who) {
                model.open(client, who);
            }
            return;
        }
        Step::Invite { client, chat, who } => {
            if let Some(members) = reality.invite(client, chat, who) {
                model.invite(client, &members, who);
            }
            return;
        }
        Step::Text { client, chat } => return reality.text(client, chat),
        Step::Leave { client, chat } => {
            if let Some(members) = reality.leave(client, chat) {
                model.leave(client, &members);
            }
            return;
        }
        Step::Status(client, status) => model.set_status(client, status),
        Step::Add(client, list, who) => model.add(client, list, who),
        Step::Remove(client, list, who) => model.remove(client, list, who),
        Step::Privacy(client, privacy) => model.set_privacy(client, privacy),
        Step::Rename(client, name) => model.rename(client, name),
    };
    let found = reality.change(step);
    assert_eq!(found, expected, "what came of {step:?}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(debug_assertions) { 128 } else { 5_000 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn hub_and_clients_agree_with_the_model(steps in prop::collection::vec(step(), 1..80)) {
        let (mut model, mut reality) = (Model::new(), Reality::new());
        // Two are there from the beginning, so that something happens.
        let begin = [0, 1].map(|client| {
            Step::SignIn { client, status: Status::Online, keep_roster: false }
        });
        for step in begin.into_iter().chain(steps) {
            take(&mut model, &mut reality, &step);
            reality.compare(&model, &step);
        }
    }
}

/// What a client was told of its request.
type Found = Option<Expected>;
