//! `shared-location`.

use gt_core::position::LeafIndex;
use gt_projections::Pattern::SharedLocation;
use gt_projections::{ChangeKind, Subject};

use super::{fires, steps};
use crate::fixture::*;

fn links(links: &[(u8, i64)]) -> Vec<Event> {
    let link = |(n, (child, time)): (usize, &(u8, i64))| {
        linked(&format!("link {n}"), SCHOOL, *child, 7, NEW_YEAR + time)
    };
    links.iter().enumerate().map(link).collect()
}

#[test]
fn three_children_at_one_place_in_exactly_sixty_days_are_an_alert_and_a_millisecond_more_is_none() {
    assert_eq!(
        Views::of(&links(&[(1, 0), (2, DAY), (2, 2 * DAY), (1, 3 * DAY)])).of_pattern(SharedLocation),
        [],
        "two children"
    );
    assert_eq!(Views::of(&links(&[(1, 0), (2, DAY), (3, 60 * DAY + 1)])).of_pattern(SharedLocation), []);
    let views = Views::of(&links(&[(1, 0), (2, DAY), (3, 60 * DAY)]));
    let [alert] = &views.of_pattern(SharedLocation)[..] else { panic!("one alert") };
    assert_eq!(alert.subject, Subject::Context(context(7)));
    assert_eq!(
        alert.sentence,
        "3 children were linked to one place in 60 days (3 or more in 60 days asks for a review)."
    );
    assert_eq!(alert.entries, (0..3).map(LeafIndex).collect::<Vec<_>>());
}

#[test]
fn children_at_different_places_have_nothing_in_common() {
    let mut events = links(&[(1, 0), (2, DAY)]);
    events.push(linked("elsewhere", SCHOOL, 3, 8, NEW_YEAR + 2 * DAY));
    assert_eq!(Views::of(&events).of_pattern(SharedLocation), []);
}

#[test]
fn a_place_where_more_children_meet_has_one_alert_that_grows() {
    let views = Views::of(&links(&[(1, 0), (2, DAY), (3, 2 * DAY), (4, 50 * DAY), (5, 61 * DAY)]));
    let [alert] = &views.of_pattern(SharedLocation)[..] else { panic!("one alert") };
    assert!(
        alert.sentence.starts_with("5 children were linked to one place in 61 days"),
        "{}",
        alert.sentence
    );
    let changes = told(&views.changes, SharedLocation);
    assert_eq!(changes, [ChangeKind::Raised, ChangeKind::Changed, ChangeKind::Changed]);
}

#[test]
fn sixty_days_are_elapsed_days_also_when_the_clocks_change() {
    let three = |last: &str| {
        let times = [time("2026-03-01T12:00:00Z"), time("2026-03-02T12:00:00Z"), time(last)];
        let children = (1_u8..).zip(times);
        let link = |(child, time)| linked(&format!("link {child}"), SCHOOL, child, 7, time);
        children.map(link).collect::<Vec<_>>()
    };
    assert!(fires(SharedLocation, &three("2026-04-30T12:00:00Z")));
    assert!(!fires(SharedLocation, &three("2026-04-30T12:00:00.001Z")));
}

#[test]
fn two_identifiers_of_one_child_are_one_child_while_they_are_linked() {
    let mut events = links(&[(1, 0), (2, DAY), (3, 2 * DAY)]);
    events.push(identity("one child", true, (2, 3), NEW_YEAR + 100 * DAY));
    events.push(identity("two children", false, (2, 3), NEW_YEAR + 101 * DAY));
    assert_eq!(steps(SharedLocation, &events), [0, 0, 1, 0, 1]);
}

#[test]
fn a_link_that_ended_was_there_and_one_that_was_a_mistake_was_not() {
    let mut events = links(&[(1, 0), (2, DAY), (3, 2 * DAY)]);
    events.push(unlinked("ended", SCHOOL, 3, 7, NEW_YEAR + 3 * DAY));
    events.push(unlinked("mistake", SCHOOL, 3, 7, NEW_YEAR + 3 * DAY).refers("supersedes", "link 2"));
    assert_eq!(steps(SharedLocation, &events), [0, 0, 1, 1, 0]);
}
