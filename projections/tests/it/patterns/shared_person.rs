//! `shared-person`.

use gt_core::position::LeafIndex;
use gt_projections::Pattern::SharedPerson;
use gt_projections::Subject;

use super::{fires, only, steps};
use crate::fixture::*;

const PERSON: u8 = 101;
const ALIAS: u8 = 102;

fn links(links: &[(u8, u8, i64)]) -> Vec<Event> {
    let link = |(n, (child, person, time)): (usize, &(u8, u8, i64))| {
        let agency = [POLICE, SCHOOL][n % 2];
        person_linked(&format!("link {n}"), agency, *child, *person, NEW_YEAR + time)
    };
    links.iter().enumerate().map(link).collect()
}

#[test]
fn two_children_in_exactly_one_hundred_and_eighty_days_are_an_alert_and_a_millisecond_more_is_none() {
    let fires = |events: &[(u8, u8, i64)]| fires(SharedPerson, &links(events));
    assert!(!fires(&[(1, PERSON, 0), (1, PERSON, DAY), (1, PERSON, 2 * DAY)]), "one child");
    assert!(!fires(&[(1, PERSON, 0), (2, ALIAS, DAY)]), "two persons");
    assert!(!fires(&[(1, PERSON, 0), (2, PERSON, 180 * DAY + 1)]));
    let views = Views::of(&links(&[(1, PERSON, 0), (2, PERSON, 180 * DAY)]));
    let alerts = views.of_pattern(SharedPerson);
    let alert = only(&alerts);
    assert_eq!(alert.subject, Subject::Person(owner(PERSON)));
    assert_eq!(alert.entries, [LeafIndex(0), LeafIndex(1)]);
    assert_eq!(
        alert.sentence,
        "2 children were linked to one person of concern in 180 days (2 or more in 180 days asks for a review)."
    );
}

#[test]
fn a_person_of_two_identifiers_is_one_person_while_they_are_linked() {
    let mut events = links(&[(1, PERSON, 0), (2, ALIAS, DAY)]);
    events.push(identity("one person", true, (PERSON, ALIAS), NEW_YEAR + 10 * DAY));
    events.push(identity("two persons", false, (PERSON, ALIAS), NEW_YEAR + 11 * DAY));
    assert_eq!(steps(SharedPerson, &events), [0, 0, 1, 0]);
}

#[test]
fn a_child_of_two_identifiers_is_one_child_while_they_are_linked() {
    let mut events = links(&[(1, PERSON, 0), (2, PERSON, DAY)]);
    events.push(identity("one child", true, (2, 1), NEW_YEAR + 10 * DAY));
    events.push(identity("two children", false, (1, 2), NEW_YEAR + 11 * DAY));
    assert_eq!(steps(SharedPerson, &events), [0, 1, 0, 1]);
}

#[test]
fn a_link_that_ended_was_there_and_one_that_was_a_mistake_was_not() {
    let mut events = links(&[(1, PERSON, 0), (2, PERSON, DAY)]);
    events.push(person_unlinked("ended", SCHOOL, 2, PERSON, NEW_YEAR + 3 * DAY));
    events.push(
        person_unlinked("mistake", SCHOOL, 2, PERSON, NEW_YEAR + 3 * DAY).refers("supersedes", "link 1"),
    );
    assert_eq!(steps(SharedPerson, &events), [0, 1, 1, 0]);
}
