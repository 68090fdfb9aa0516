//! Who looked, which records are restricted, and whom an entry concerns.

use std::collections::BTreeSet;

use gt_core::position::LeafIndex;
use gt_core::time::Timestamp;
use gt_ledger::record::OwnerId;
use gt_projections::Page;
use serde_json::{Value, json};

use super::{said, views};
use crate::fixture::*;

fn accessed(name: &str, child: u8, what: &str, time: i64) -> Event {
    let clear = json!({"role": "Mash", "purpose": "CaseWork", "what": what});
    said(name, "record.accessed", COUNCIL, child, time, clear, json!({"extent": {"records": 3}}))
}

fn restriction(name: &str, kind: &'static str, agency: &'static str, child: u8, time: i64) -> Event {
    said(name, kind, agency, child, time, json!({"ground": "Adoption"}), json!({}))
}

fn identified(name: &str, one: u8, other: u8, time: i64) -> Event {
    let clear = json!({"evidence": "DocumentSeen", "confidence": "Confirmed"});
    said(name, "identifier.linked", SCHOOL, one, time, clear, json!({"identifiers": [one, other]}))
}

fn then(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).expect("a time")
}

#[test]
fn accesses_are_listed_for_the_child_under_all_identifiers_and_stand_in_no_timeline() {
    let views = views(&[
        linked("a", SCHOOL, 1, 7, NEW_YEAR),
        accessed("r", 1, "Timeline", NEW_YEAR + DAY),
        accessed("s", 2, "Texts", NEW_YEAR + 2 * DAY),
        accessed("t", 3, "Texts", NEW_YEAR + 2 * DAY),
        identified("same", 1, 2, NEW_YEAR + 3 * DAY),
    ]);
    let (queries, page) = (views.queries(), Page::default());
    let rows = queries.accesses(&owner(1), &page).expect("answered").items;
    let told: Vec<(u64, &str, Option<u64>)> =
        rows.iter().map(|row| (row.index.0, row.what, row.records)).collect();
    assert_eq!(told, [(1, "Timeline", Some(3)), (2, "Texts", Some(3))]);
    let timeline = queries.timeline(&owner(1), None, None, &page).expect("answered").items;
    let types: Vec<&str> = timeline.iter().map(|event| event.event_type).collect();
    assert!(!types.contains(&"record.accessed"), "{types:?}");
    assert_eq!(
        queries.entry_subject(LeafIndex(3)).expect("answered").and_then(|one| one.child),
        Some(owner(3))
    );
}

#[test]
fn reading_makes_no_agency_one_that_has_met_the_child() {
    let with = |more: Vec<Event>| {
        let mut events: Vec<Event> =
            (1..=3).map(|child| linked(&format!("l{child}"), SCHOOL, child, 7, NEW_YEAR)).collect();
        events.extend(more);
        views(&events).alerts().len()
    };
    let reads =
        (1..=3).map(|child| accessed(&format!("r{child}"), child, "Timeline", NEW_YEAR + DAY)).collect();
    assert_eq!(with(reads), with(Vec::new()));
}

#[test]
fn a_restriction_holds_until_the_agency_that_made_it_takes_it_back() {
    let events = |more: Vec<Event>| {
        let mut events = vec![
            restriction("a", "record.restricted", COUNCIL, 1, NEW_YEAR + DAY),
            identified("same", 1, 2, NEW_YEAR),
        ];
        events.extend(more);
        views(&events)
    };
    let of = |views: &Views, now| views.queries().restricted_children(then(now)).expect("answered");
    let (both, none) = (BTreeSet::from([owner(1), owner(2)]), BTreeSet::<OwnerId>::new());
    let late = NEW_YEAR + 99 * DAY;
    assert_eq!(of(&events(Vec::new()), late), both, "under all identifiers");
    let release = |agency, day| restriction("b", "record.released", agency, 2, NEW_YEAR + day * DAY);
    assert_eq!(of(&events(vec![release(COUNCIL, 2)]), late), none);
    assert_eq!(of(&events(vec![release(POLICE, 2)]), late), both, "another agency's release");
    assert_eq!(of(&events(vec![release(COUNCIL, 0)]), late), both, "an earlier one");
    let soon = NEW_YEAR + 3 * DAY;
    assert_eq!(of(&events(vec![release(COUNCIL, 50)]), soon), both, "one that is to come");
    let naming_it = release(COUNCIL, 50).refers("supersedes", "a");
    assert_eq!(of(&events(vec![naming_it.clone()]), soon), both, "also if it names the restriction");
    assert_eq!(of(&events(vec![naming_it]), late), none, "and then it has come");
    let taken_back = restriction("c", "record.restricted", COUNCIL, 9, NEW_YEAR).refers("supersedes", "b");
    let nobodys = of(&events(vec![release(COUNCIL, 2), taken_back]), late);
    assert!(nobodys.is_superset(&both), "a release that was replaced: {nobodys:?}");
}

#[test]
fn a_release_on_one_ground_leaves_what_is_restricted_on_another() {
    let on = |name: &str, kind, ground: &str, day| {
        restriction(name, kind, COUNCIL, 1, NEW_YEAR + day * DAY).clear("ground", json!(ground))
    };
    let mut events = vec![
        on("witness", "record.restricted", "WitnessProtection", 0),
        on("adoption", "record.restricted", "Adoption", 1),
        on("adopted", "record.released", "Adoption", 2),
    ];
    let of = |events: &[Event]| {
        views(events).queries().restricted_children(then(NEW_YEAR + 99 * DAY)).expect("answered")
    };
    assert_eq!(of(&events), BTreeSet::from([owner(1)]));
    events.push(on("safe", "record.released", "WitnessProtection", 3));
    assert_eq!(of(&events), BTreeSet::new());
}

#[test]
fn reads_that_come_between_pages_move_nothing_from_page_to_page() {
    let read = |number: i64| accessed(&format!("r{number}"), 1, "Timeline", NEW_YEAR + number * HOUR);
    let records = seal_all(&(0..9).map(read).collect::<Vec<_>>());
    let mut views = Views::of_records(&records[..5]);
    let mut page = Page { limit: 2, newest_first: true, ..Page::default() };
    let mut seen = Vec::new();
    for next in 5..9 {
        let answer = views.queries().accesses(&owner(1), &page).expect("answered");
        assert_eq!(answer.as_of.tree_size.0, 5, "the log of the first page");
        seen.extend(answer.items.iter().map(|row| row.index.0));
        page.cursor = answer.next;
        if page.cursor.is_none() {
            break;
        }
        // Each page that is read is an entry of its own.
        apply(&mut views.projector, &records[next..=next]);
    }
    assert_eq!(seen, [4, 3, 2, 1, 0]);
    page.cursor = Some("n2".to_owned());
    assert!(views.queries().accesses(&owner(1), &page).is_err());
}

#[test]
fn whom_an_earlier_state_took_for_one_person_is_told() {
    let mut parted = identified("two children", 1, 2, NEW_YEAR + DAY);
    parted.type_name = "identifier.unlinked";
    let views =
        views(&[identified("one child", 1, 2, NEW_YEAR), linked("a", SCHOOL, 1, 7, NEW_YEAR), parted]);
    let same = |received_until| {
        let page = Page { received_until, ..Page::default() };
        views.queries().same_persons([owner(1)], &page).expect("answered")
    };
    assert_eq!(same(None), BTreeSet::from([owner(1)]));
    assert_eq!(same(Some(received(0))), BTreeSet::from([owner(1), owner(2)]));
}

#[test]
fn agencies_know_whom_they_spoke_of_and_whom_they_were_told_of() {
    let mut shared = decided("d", SCHOOL, 1, "Share", NEW_YEAR);
    shared.clear["recipients"] = json!([recipient(POLICE)]);
    let mut withheld = decided("w", SCHOOL, 2, "Withhold", NEW_YEAR);
    withheld.clear["recipients"] = json!([recipient(POLICE)]);
    let views = views(&[shared, withheld]);
    let queries = views.queries();
    let knows = |agency: &str, child| queries.agency_knows(agency, &owner(child)).expect("answered");
    assert!(knows(SCHOOL, 1) && knows(POLICE, 1) && !knows(COUNCIL, 1));
    assert!(knows(SCHOOL, 2) && !knows(POLICE, 2), "what was withheld from it is not its own");
    let approvals = queries.approvals(&owner(1), then(NEW_YEAR)).expect("answered");
    assert_eq!(approvals, []);
    let _: Value = json!(queries.accesses(&owner(9), &Page::default()).expect("answered"));
}
