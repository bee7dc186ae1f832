//! Requests about people, groups and settings, against a server that is played by hand.

mod script;

use msnp_proto::client::{Event, Failure, RequestId, RosterChange};
use msnp_proto::error::{Expected, Misuse};
use msnp_proto::ns::{Change, Contact};
use msnp_proto::types::{
    ErrorCode, GroupId, Handle, List, Nick, Privacy, Prompt, Property, Status,
};
use script::Script;

const LISTS: &str = "SYN 5 7\r\nGTC 5 7 A\r\nBLP 5 7 AL\r\nLSG 5 7 1 2 0 Other%20Contacts 0\r\n\
    LSG 5 7 2 2 5 Friends 0\r\nLST 5 FL 7 1 2 bob@example.net Bob 5\r\n\
    LST 5 FL 7 2 2 dave@example.net Dave 0,5\r\nLST 5 AL 7 1 1 bob@example.net Bob\r\n\
    LST 5 BL 7 1 1 eve@example.net Eve\r\nLST 5 RL 7 1 1 bob@example.net Bob\r\n";

fn handle(text: &str) -> Handle {
    Handle::new(text).expect("an account")
}

fn nick(text: &str) -> Nick {
    Nick::new(text).expect("a name")
}

fn groups_of(script: &Script, who: &Handle) -> Vec<GroupId> {
    script.client.roster().contact(who).map(|contact| contact.groups().to_vec()).unwrap_or_default()
}

/// How a request ended.
fn end(script: &mut Script, request: RequestId) -> Option<Result<(), Failure>> {
    script.take_events().into_iter().find_map(|event| match event {
        Event::Done { request: done } if done == request => Some(Ok(())),
        Event::Refused { request: refused, why, .. } if refused == request => Some(Err(why)),
        _ => None,
    })
}

#[test]
fn a_new_contact_is_added_and_then_allowed() {
    let mut script = Script::online_with(LISTS);
    let carol = handle("carol@example.net");
    let (ns, now) = (script.ns, script.now);
    let request =
        script.client.add_contact(now, &carol, Some(&nick("Carol C")), Some(GroupId(5))).unwrap();
    script.hears(ns, "ADD 8 FL carol@example.net Carol%20C 5\r\n");
    script.says(ns, "ADD 8 FL 8 carol@example.net Carol%20C 5\r\n");
    script.says(ns, "BPR 8 carol@example.net MOB N\r\nILN 8 BSY carol@example.net Carol\r\n");
    script.hears(ns, "ADD 9 AL carol@example.net Carol%20C\r\n");
    script.says(ns, "ADD 9 AL 9 carol@example.net Carol%20C\r\n");
    assert_eq!(end(&mut script, request), Some(Ok(())));
    let contact = script.client.roster().contact(&carol).expect("on a list");
    assert!(contact.lists().has(List::Forward) && contact.lists().has(List::Allow));
    assert_eq!((contact.status(), contact.groups()), (Status::Busy, &[GroupId(5)][..]));
    assert_eq!(contact.display(), Some(&nick("Carol")));
    assert_eq!(script.client.roster().version().0, 9);
}

#[test]
fn a_refused_first_step_ends_the_request_and_says_nothing_more() {
    let mut script = Script::online_with(LISTS);
    let (ns, now) = (script.ns, script.now);
    let nobody = handle("nobody@example.net");
    let request = script.client.add_contact(now, &nobody, None, None).unwrap();
    script.hears(ns, "ADD 8 FL nobody@example.net nobody@example.net 0\r\n");
    script.says(ns, "205 8\r\n");
    let why = Failure::Refused(ErrorCode::NO_SUCH_USER);
    assert_eq!(end(&mut script, request), Some(Err(why)));
    script.hears(ns, "");
    assert_eq!(script.client.roster().contact(&nobody), None);
}

#[test]
fn blocking_goes_off_one_list_before_it_goes_on_the_other() {
    let mut script = Script::online_with(LISTS);
    let (ns, now) = (script.ns, script.now);
    let request = script.client.block(now, &handle("bob@example.net")).unwrap();
    script.hears(ns, "REM 8 AL bob@example.net\r\n");
    script.says(ns, "REM 8 AL 8 bob@example.net\r\n");
    script.hears(ns, "ADD 9 BL bob@example.net Bob\r\n");
    script.says(ns, "ADD 9 BL 9 bob@example.net Bob\r\n");
    assert_eq!(end(&mut script, request), Some(Ok(())));
    // What is as it should be counts as granted: somebody else may have been faster.
    let request = script.client.allow(now, &handle("eve@example.net")).unwrap();
    script.hears(ns, "REM 10 BL eve@example.net\r\n");
    script.says(ns, "216 10\r\n");
    script.hears(ns, "ADD 11 AL eve@example.net Eve\r\n");
    script.says(ns, "215 11\r\n");
    assert_eq!(end(&mut script, request), Some(Ok(())));
}

#[test]
fn groups_are_made_renamed_filled_and_emptied_before_they_are_deleted() {
    let mut script = Script::online_with(LISTS);
    let (ns, now) = (script.ns, script.now);
    let bob = handle("bob@example.net");
    script.client.add_group(now, &nick("Best Friends")).unwrap();
    script.hears(ns, "ADG 8 Best%20Friends 0\r\n");
    script.says(ns, "ADG 8 8 Best%20Friends 6 \u{1}junk-CC\r\n");
    script.client.rename_group(now, GroupId(6), &nick("Best")).unwrap();
    script.hears(ns, "REG 9 6 Best 0\r\n");
    script.says(ns, "REG 9 9 6 Best 0\r\n");
    let names: Vec<String> =
        script.client.roster().groups().map(|(id, name)| format!("{id}={name}")).collect();
    assert_eq!(names, ["0=Other Contacts", "5=Friends", "6=Best"]);

    script.client.move_contact(now, &bob, GroupId(5), GroupId(6)).unwrap();
    script.hears(ns, "ADD 10 FL bob@example.net Bob 6\r\n");
    script.says(ns, "ADD 10 FL 10 bob@example.net Bob 6\r\n");
    script.hears(ns, "REM 11 FL bob@example.net 5\r\n");
    script.says(ns, "REM 11 FL 11 bob@example.net 5\r\n");
    assert_eq!(script.client.roster().contact(&bob).unwrap().groups(), [GroupId(6)]);

    let request = script.client.remove_group(now, GroupId(6)).unwrap();
    script.hears(ns, "ADD 12 FL bob@example.net Bob 0\r\n");
    script.says(ns, "ADD 12 FL 12 bob@example.net Bob 0\r\n");
    script.hears(ns, "RMG 13 6\r\n");
    script.says(ns, "RMG 13 13 6\r\n");
    assert_eq!(end(&mut script, request), Some(Ok(())));
    assert_eq!(script.client.roster().contact(&bob).unwrap().groups(), [GroupId(0)]);
    assert_eq!(script.client.roster().groups().count(), 2);
}

#[test]
fn a_contact_can_be_in_one_more_group_and_out_of_one_and_under_another_name() {
    let mut script = Script::online_with(LISTS);
    let (ns, now) = (script.ns, script.now);
    let bob = handle("bob@example.net");
    let request = script.client.copy_contact(now, &bob, GroupId(0)).unwrap();
    script.hears(ns, "ADD 8 FL bob@example.net Bob 0\r\n");
    script.says(ns, "ADD 8 FL 8 bob@example.net Bob 0\r\n");
    assert_eq!(end(&mut script, request), Some(Ok(())));
    assert_eq!(groups_of(&script, &bob), [GroupId(0), GroupId(5)]);
    let request = script.client.take_from_group(now, &bob, GroupId(5)).unwrap();
    script.hears(ns, "REM 9 FL bob@example.net 5\r\n");
    script.says(ns, "REM 9 FL 9 bob@example.net 5\r\n");
    assert_eq!(end(&mut script, request), Some(Ok(())));
    assert_eq!(groups_of(&script, &bob), [GroupId(0)]);
    let request = script.client.rename_contact(now, &bob, &nick("Bob the B.")).unwrap();
    script.hears(ns, "REA 10 bob@example.net Bob%20the%20B.\r\n");
    script.says(ns, "REA 10 10 bob@example.net Bob%20the%20B.\r\n");
    assert_eq!(end(&mut script, request), Some(Ok(())));
    assert_eq!(script.client.roster().contact(&bob).unwrap().nick(), &nick("Bob the B."));
}

/// Servers differ in whether somebody in another group is in group 0 too.
#[test]
fn who_is_not_in_the_group_that_they_are_moved_out_of_has_been_moved() {
    let mut script = Script::online_with(LISTS);
    let (ns, now) = (script.ns, script.now);
    let carol = handle("carol@example.net");
    let request = script.client.add_contact(now, &carol, None, None).unwrap();
    script.says(ns, "ADD 8 FL 8 carol@example.net carol@example.net 0\r\n");
    script.says(ns, "ADD 9 AL 9 carol@example.net carol@example.net\r\n");
    assert_eq!(end(&mut script, request), Some(Ok(())));
    script.hears(
        ns,
        "ADD 8 FL carol@example.net carol@example.net 0\r\n\
         ADD 9 AL carol@example.net carol@example.net\r\n",
    );
    let request = script.client.move_contact(now, &carol, GroupId(0), GroupId(5)).unwrap();
    script.says(ns, "ADD 10 FL 10 carol@example.net carol@example.net 5\r\n");
    assert_eq!(groups_of(&script, &carol), [GroupId(0), GroupId(5)]);
    script.take_events();
    script.says(ns, "225 11\r\n");
    assert_eq!(groups_of(&script, &carol), [GroupId(5)]);
    let (list, account, group) = (List::Forward, carol.clone(), Some(GroupId(0)));
    let gone = RosterChange::Removed { list, account, group, foreign: false };
    assert_eq!(script.take_events(), [Event::Roster(gone), Event::Done { request }]);

    // Asked for by itself it is refused; nobody is in no group.
    let request = script.client.take_from_group(now, &carol, GroupId(5)).unwrap();
    script.says(ns, "225 12\r\n");
    let refused = Failure::Refused(ErrorCode::NOT_IN_GROUP);
    assert_eq!(end(&mut script, request), Some(Err(refused)));
    assert_eq!(groups_of(&script, &carol), [GroupId(0)]);
    script.client.take_from_group(now, &carol, GroupId(0)).unwrap();
    script.take_events();
    script.says(ns, "225 13\r\n");
    assert_eq!(script.take_events().len(), 1, "nothing has changed");
    assert_eq!(groups_of(&script, &carol), [GroupId(0)]);
}

#[test]
fn a_forward_list_asked_for_again_says_anew_who_is_in_which_group() {
    let mut script = Script::online_with(LISTS);
    let (ns, now) = (script.ns, script.now);
    let bob = handle("bob@example.net");
    script.client.change(now, Change::List(List::Forward)).unwrap();
    script.says(ns, "LST 8 FL 8 1 1 bob@example.net Bob 0\r\n");
    assert_eq!(groups_of(&script, &bob), [GroupId(0)]);
    script.client.change(now, Change::List(List::Allow)).unwrap();
    script.says(ns, "LST 9 AL 8 1 1 bob@example.net Bob\r\n");
    assert_eq!(groups_of(&script, &bob), [GroupId(0)]);
    script.client.change(now, Change::List(List::Forward)).unwrap();
    script.says(ns, "LST 10 FL 9 0 0\r\n");
    assert_eq!(groups_of(&script, &bob), [], "they are allowed still");
}

#[test]
fn a_list_asked_for_again_does_not_forget_who_is_online() {
    let mut script = Script::online_with(
        "SYN 5 8\r\nLST 5 FL 8 1 2 bob@example.net Bob 0\r\nBPR 8 bob@example.net PHH 555\r\n\
         LST 5 FL 8 2 2 carol@example.net Carol 0\r\nLST 5 AL 8 1 2 bob@example.net Bob\r\n\
         LST 5 AL 8 2 2 carol@example.net Carol\r\nLST 5 RL 8 0 0\r\n",
    );
    let (ns, now) = (script.ns, script.now);
    script.says(ns, "NLN BSY bob@example.net Bobby\r\nNLN NLN carol@example.net Carol\r\n");
    script.client.change(now, Change::List(List::Forward)).unwrap();
    script.says(ns, "LST 8 FL 8 1 1 bob@example.net Bob 0\r\n");
    let roster = script.client.roster();
    let bob = roster.contact(&handle("bob@example.net")).expect("a contact");
    assert_eq!((bob.status(), bob.display().map(Nick::as_str)), (Status::Busy, Some("Bobby")));
    assert_eq!(bob.property(Property::HomePhone), "555");
    // Nobody says any more whether one who is only allowed is online.
    let carol = roster.contact(&handle("carol@example.net")).expect("allowed");
    assert_eq!(carol.status(), Status::Offline);
    script.client.change(now, Change::List(List::Allow)).unwrap();
    script.says(ns, "LST 9 AL 8 1 1 bob@example.net Bob\r\n");
    let roster = script.client.roster();
    assert_eq!(roster.contact(&handle("carol@example.net")), None);
    assert_eq!(roster.contact(&handle("bob@example.net")).map(Contact::status), Some(Status::Busy));
}

#[test]
fn groups_are_for_contacts_and_moving_is_from_one_to_another() {
    let mut script = Script::online_with(LISTS);
    let (ns, now) = (script.ns, script.now);
    let (bob, eve) = (handle("bob@example.net"), handle("eve@example.net"));
    for who in [&eve, &handle("nobody@example.net")] {
        assert_eq!(script.client.copy_contact(now, who, GroupId(5)), Err(Misuse::Unknown));
        let moved = script.client.move_contact(now, who, GroupId(0), GroupId(5));
        assert_eq!(moved, Err(Misuse::Unknown), "{who} is on other lists at most");
    }
    let moved = script.client.move_contact(now, &bob, GroupId(5), GroupId(5));
    assert_eq!(moved, Err(Misuse::Already));
    script.hears(ns, "");
    // The group that always exists has no other to send its people to: the server says no.
    let request = script.client.remove_group(now, GroupId::OTHER).unwrap();
    script.hears(ns, "RMG 8 0\r\n");
    script.says(ns, "230 8\r\n");
    assert!(matches!(end(&mut script, request), Some(Err(Failure::Refused(_)))));
}

#[test]
fn names_settings_and_phones() {
    let mut script = Script::online_with(LISTS);
    let (ns, now) = (script.ns, script.now);
    script.client.rename(now, &nick("Alice in W.")).unwrap();
    script.hears(ns, "REA 8 alice@example.net Alice%20in%20W.\r\n");
    script.says(ns, "REA 8 8 alice@example.net Alice%20in%20W.\r\n");
    assert_eq!(script.client.nick(), Some(&nick("Alice in W.")));
    script.client.set_privacy(now, Privacy::BlockOthers).unwrap();
    script.hears(ns, "BLP 9 BL\r\n");
    script.says(ns, "BLP 9 9 BL\r\n");
    assert_eq!(script.client.roster().privacy(), Privacy::BlockOthers);
    let request = script.client.set_prompt(now, Prompt::Ask).unwrap();
    script.hears(ns, "GTC 10 A\r\n");
    script.says(ns, "218 10\r\n");
    assert_eq!(end(&mut script, request), Some(Ok(())), "as wanted already");
    script.client.set_property(now, Property::HomePhone, "555 0100").unwrap();
    script.hears(ns, "PRP 11 PHH 555%200100\r\n");
    script.says(ns, "PRP 11 11 PHH 555%200100\r\n");
    assert_eq!(script.client.roster().property(Property::HomePhone), "555 0100");
    script.client.set_property(now, Property::HomePhone, "").unwrap();
    script.hears(ns, "PRP 12 PHH\r\n");
}

#[test]
fn questions_about_services() {
    let mut script = Script::online_with(LISTS);
    let (ns, now) = (script.ns, script.now);
    let inbox = Change::Url { service: "INBOX".into(), parameter: None };
    script.client.change(now, inbox).unwrap();
    script.hears(ns, "URL 8 INBOX\r\n");
    script.says(ns, "URL 8 /cgi-bin/HoTMaiL https://login.example.net/md5auth.srf?lc=1033 2\r\n");
    let site = script.take_events().into_iter().find_map(|event| match event {
        Event::Url { site, .. } => site,
        _ => None,
    });
    assert_eq!(site.as_deref(), Some("2"));
    let mail = Change::Mail { address: "friend@example.org".into(), text: "Come and chat".into() };
    script.client.change(now, mail).unwrap();
    script.hears(
        ns,
        "SDC 9 friend@example.org 0x0409 MSMSGS MSMSGS X X Alice%20A 13\r\nCome and chat",
    );
    let page = Change::Page { account: handle("bob@example.net"), text: "Call me".into() };
    let request = script.client.change(now, page).unwrap();
    script.hears(ns, "PAG 10 bob@example.net 41\r\n<TEXT xml:space=\"preserve\">Call me</TEXT>");
    script.says(ns, "606 10\r\n");
    let why = Failure::Refused(ErrorCode::PAGING_UNAVAILABLE);
    assert_eq!(end(&mut script, request), Some(Err(why)));
    script.client.change(now, Change::Calls(false)).unwrap();
    script.hears(ns, "IMS 11 OFF\r\n");
    let find = Change::Find { terms: "fname=Ann lname=Other city=* state=* country=US".into() };
    script.client.change(now, find).unwrap();
    script.says(ns, "FND 12 1 1 fname=Ann lname=Other city=Springfield state=OK country=US\r\n");
    assert!(script.take_events().iter().any(|event| matches!(event, Event::Found { .. })));
}

#[test]
fn what_others_do_changes_the_roster_too() {
    let mut script = Script::online_with(LISTS);
    let ns = script.ns;
    script.says(ns, "ADD 0 RL 8 carol@example.net Carol\r\n");
    script.says(ns, "REM 0 RL 9 bob@example.net\r\n");
    script.says(ns, "BPR 10 bob@example.net PHW 555%200101\r\n");
    script.says(ns, "NLN AWY bob@example.net Bob%20B\r\nFLN stranger@example.net\r\n");
    let events = script.take_events();
    let foreign = |list, account: &str| {
        let account = handle(account);
        Event::Roster(RosterChange::Added { list, account, foreign: true })
    };
    assert!(events.contains(&foreign(List::Reverse, "carol@example.net")), "{events:?}");
    let stranger = events.iter().any(|event| {
        matches!(event, Event::Presence { known: false, status: Status::Offline, .. })
    });
    assert!(stranger, "{events:?}");
    let bob = script.client.roster().contact(&handle("bob@example.net")).unwrap();
    assert!(!bob.lists().has(List::Reverse));
    assert_eq!((bob.status(), bob.property(Property::WorkPhone)), (Status::Away, "555 0101"));
}

#[test]
fn what_cannot_be_said_is_refused_before_anything_is_sent() {
    let mut script = Script::online_with(LISTS);
    let (ns, now) = (script.ns, script.now);
    let bob = handle("bob@example.net");
    let reverse = Change::Remove { list: List::Reverse, account: bob.clone(), group: None };
    let long = nick(&"x".repeat(62));
    for (change, expected) in [
        (reverse, Expected::List),
        (Change::AddGroup(long.clone()), Expected::Name),
        (Change::RenameGroup(GroupId(5), long), Expected::Name),
        (Change::Property(Property::HomePhone, "5".repeat(96)), Expected::Property),
        (Change::Property(Property::MobilePages, "maybe".into()), Expected::Property),
        (Change::Url { service: "IN BOX".into(), parameter: None }, Expected::Token),
        (Change::Mail { address: "a b".into(), text: String::new() }, Expected::Account),
    ] {
        assert_eq!(script.client.change(now, change), Err(Misuse::Invalid(expected)));
    }
    let nobody = handle("nobody@example.net");
    let moved = script.client.move_contact(now, &nobody, GroupId(0), GroupId(5));
    assert_eq!(moved, Err(Misuse::Unknown));
    assert_eq!(Nick::new(&"x".repeat(388)), None);
    script.hears(ns, "");
    assert!(script.client.change(now, Change::AddGroup(nick(&"x".repeat(61)))).is_ok());
}

#[test]
fn who_is_new_is_allowed_without_asking_if_the_account_wants_no_questions() {
    let lists = "SYN 5 7\r\nGTC 5 7 N\r\nBLP 5 7 BL\r\nLST 5 FL 7 0 0\r\n\
        LST 5 AL 7 1 1 bob@example.net Bob\r\nLST 5 BL 7 1 1 eve@example.net Eve\r\n\
        LST 5 RL 7 1 3 bob@example.net Bob\r\nLST 5 RL 7 2 3 carol@example.net Carol%20C\r\n\
        LST 5 RL 7 3 3 eve@example.net Eve\r\n";
    let mut script = Script::signing_in();
    let ns = script.connect("messenger.example.net:1863");
    script.sign_in_to(ns, lists);
    // Bob is allowed and Eve blocked already.
    script.hears(ns, "CHG 6 NLN\r\nADD 7 AL carol@example.net Carol%20C\r\n");
    script.says(ns, "ADD 7 AL 8 carol@example.net Carol%20C\r\n");
    script.says(ns, "ADD 0 RL 9 dave@example.net Dave\r\n");
    script.hears(ns, "ADD 8 AL dave@example.net Dave\r\n");
    let undecided = |script: &Script| -> Vec<String> {
        script.client.roster().undecided().map(|(who, _)| who.as_str().to_owned()).collect()
    };
    assert_eq!(undecided(&script), ["dave@example.net"]);
    script.says(ns, "ADD 8 AL 10 dave@example.net Dave\r\n");
    assert_eq!(undecided(&script), [""; 0]);
    assert_eq!(script.warnings(), []);
}

#[test]
fn who_is_new_is_reported_and_left_alone_if_the_account_wants_to_be_asked() {
    let mut script = Script::online_with(LISTS);
    let ns = script.ns;
    script.says(ns, "ADD 0 RL 8 frank@example.net Frank\r\n");
    script.hears(ns, "");
    let frank = handle("frank@example.net");
    let undecided: Vec<&Handle> = script.client.roster().undecided().map(|(who, _)| who).collect();
    assert_eq!(undecided, [&frank]);
}

#[test]
fn a_challenge_can_be_asked_for_and_is_answered_by_itself() {
    let mut script = Script::online_with(LISTS);
    let (ns, now) = (script.ns, script.now);
    let request = script.client.change(now, Change::Challenge).unwrap();
    script.hears(ns, "CHL 8\r\n");
    script.says(ns, "CHL 8 20881396011366812350\r\n");
    script.hears(ns, "QRY 9 msmsgs@msnmsgr.com 32\r\n0212eaad0876afb8505859ca75d21a78");
    assert_eq!(end(&mut script, request), Some(Ok(())));
    script.says(ns, "QRY 9\r\n");
    assert_eq!(script.warnings(), []);
}
