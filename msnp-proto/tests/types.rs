//! Values that compare, order and hash, and numbers at the end of their range.

use std::collections::{BTreeSet, HashSet};

use msnp_proto::error::{Expected, Misuse};
use msnp_proto::time::{Duration, Instant};
use msnp_proto::types::{Handle, Name, Nick, TrId};

#[test]
fn an_account_is_the_same_in_any_case_for_every_kind_of_collection() {
    let spellings = ["alice@example.net", "Alice@Example.NET", "ALICE@EXAMPLE.NET"];
    let handles = spellings.map(|text| text.parse::<Handle>().expect("an account"));
    for (handle, text) in handles.iter().zip(spellings) {
        assert_eq!(handle.to_string(), text, "shown as it was written");
        assert_eq!(*handle, handles[0]);
        assert!(handle.partial_cmp(&handles[0]).is_some_and(|order| order.is_eq()));
    }
    assert_eq!(handles.iter().cloned().collect::<HashSet<_>>().len(), 1);
    assert_eq!(handles.iter().cloned().collect::<BTreeSet<_>>().len(), 1);
    let bob: Handle = "bob@example.net".parse().expect("an account");
    assert!(handles.iter().all(|alice| *alice < bob && *alice != bob));
    assert_eq!("alice".parse::<Handle>(), Err(Misuse::Invalid(Expected::Account)));
}

#[test]
fn names_are_equal_if_they_mean_the_same_text_however_it_is_coded() {
    let (nick, other) = (Nick::new("Ann é").expect("a name"), Nick::new("Ann e").expect("a name"));
    let name = Name::from(&nick);
    assert_eq!(name, Name::from_text("Ann é").expect("a name"));
    assert_ne!(name, Name::from(&other));
    assert_eq!(name.encoded_len(), "Ann%20%C3%A9".len());
    assert_eq!(name.to_nick(), nick);
    assert_eq!(format!("{name:?}"), "\"Ann é\"");
}

#[test]
fn transaction_ids_go_round_and_leave_out_the_one_that_answers_nothing() {
    assert_eq!(TrId(7).next(), TrId(8));
    assert_eq!(TrId(u32::MAX - 1).next(), TrId(u32::MAX));
    assert_eq!(TrId(u32::MAX).next(), TrId(1));
    assert_ne!(TrId(u32::MAX).next(), TrId::NONE);
}

#[test]
fn time_stands_still_at_its_end() {
    let mut now = Instant::from(Duration::from_millis(1));
    assert_eq!(now, Instant::from_micros(1000));
    now += Duration::from_micros(5);
    assert_eq!(now.as_micros(), 1005);
    now += Duration::MAX;
    assert_eq!(now, Instant::from_micros(u64::MAX));
    assert_eq!(now + Duration::from_secs(1), now);
}
