//! `many-authorities`.

use gt_core::position::LeafIndex;
use gt_projections::Pattern::ManyAuthorities;
use gt_projections::Subject;
use serde_json::json;

use super::{fires, only, steps};
use crate::fixture::*;

const FIRST: (&str, &str) = (COUNCIL, OTHER_COUNCIL);
const SECOND: (&str, &str) = (OTHER_COUNCIL, THIRD_COUNCIL);

fn two_moves(first: &str, second: &str) -> [Event; 2] {
    let first = moved("first", COUNCIL, 1, FIRST, "None", time(first));
    [first, placed("second", OTHER_COUNCIL, 1, SECOND, time(second))]
}

#[test]
fn three_authorities_within_twelve_months_to_the_millisecond_are_an_alert() {
    assert!(!fires(ManyAuthorities, &two_moves("2026-02-28T12:00:00Z", "2027-02-28T12:00:00.001Z")));
    let events = two_moves("2026-02-28T12:00:00Z", "2027-02-28T12:00:00Z");
    let found = Views::of(&events).of_pattern(ManyAuthorities);
    let alert = only(&found);
    assert_eq!(alert.subject, Subject::Child(owner(1)));
    assert_eq!(alert.entries, [LeafIndex(0), LeafIndex(1)]);
    assert_eq!(
        alert.sentence,
        "3 local authorities were involved with one child over 2 moves (3 or more in 12 months asks for a review)."
    );
}

#[test]
fn months_end_at_the_same_time_of_day_whatever_the_clocks_do() {
    // On 28 March clocks show winter time in 2026 and summer time in 2027; on 25 October it is the other way round in 2025.
    let cases = [
        ("2026-03-28T12:00:00Z", "2027-03-28T11:00:00Z", "2027-03-28T11:00:00.001Z"),
        ("2025-10-25T11:00:00Z", "2026-10-25T12:00:00Z", "2026-10-25T12:00:00.001Z"),
        ("2028-02-29T12:00:00Z", "2029-02-28T12:00:00Z", "2029-02-28T12:00:00.001Z"),
    ];
    for (first, last_within, too_late) in cases {
        assert!(fires(ManyAuthorities, &two_moves(first, last_within)), "{last_within}");
        assert!(!fires(ManyAuthorities, &two_moves(first, too_late)), "{too_late}");
    }
}

#[test]
fn two_authorities_are_enough_only_in_the_secure_estate() {
    let once = |change: fn(Event) -> Event| change(placed("placed", COUNCIL, 1, FIRST, NEW_YEAR));
    let alone = |event: Event| fires(ManyAuthorities, &[event]);
    assert!(!alone(once(|event| event)));
    assert!(alone(once(|event| event.clear("placement", json!("YoungOffenderInstitution")))));
    assert!(alone(once(|event| event.clear("legal_status", json!("Remand")))));
    assert!(
        !alone(once(|event| event.clear("legal_status", json!("Remand")).clear("to_la", json!(COUNCIL)))),
        "one authority"
    );
    // Back and forth between two is two, and no more.
    let back = moved("back", OTHER_COUNCIL, 1, (OTHER_COUNCIL, COUNCIL), "None", NEW_YEAR + DAY);
    assert!(!fires(ManyAuthorities, &[once(|event| event), back]));
}

#[test]
fn a_secure_placement_elsewhere_in_the_window_makes_two_enough() {
    let secure =
        placed("secure", COUNCIL, 1, (COUNCIL, COUNCIL), NEW_YEAR).clear("legal_status", json!("Sentence"));
    let at_later = |day: i64| moved("later", COUNCIL, 1, FIRST, "None", NEW_YEAR + day * DAY);
    assert!(fires(ManyAuthorities, &[secure.clone(), at_later(365)]));
    assert!(!fires(ManyAuthorities, &[secure, at_later(366)]));
}

#[test]
fn moves_under_two_identifiers_count_together_while_they_are_linked() {
    let [first, second] = two_moves("2026-02-01T12:00:00Z", "2026-05-01T12:00:00Z");
    let events = [
        first,
        second.about(2),
        identity("one child", true, (1, 2), NEW_YEAR),
        identity("two children", false, (1, 2), NEW_YEAR + 1),
    ];
    assert_eq!(steps(ManyAuthorities, &events), [0, 0, 1, 0]);
}

#[test]
fn a_move_that_was_to_another_place_retracts_the_alert() {
    let [first, second] = two_moves("2026-02-01T12:00:00Z", "2026-05-01T12:00:00Z");
    let corrected = second.clone().clear("to_la", json!(COUNCIL)).refers("supersedes", "second");
    let corrected = Event { name: "second, corrected".into(), ..corrected };
    assert_eq!(steps(ManyAuthorities, &[first, second, corrected]), [0, 1, 0]);
}

#[test]
fn one_alert_grows_while_windows_share_a_move_and_a_quiet_year_begins_another() {
    let way = |n: usize| {
        ([COUNCIL, OTHER_COUNCIL, THIRD_COUNCIL][n % 3], [COUNCIL, OTHER_COUNCIL, THIRD_COUNCIL][(n + 1) % 3])
    };
    let days = [0, 100, 300, 600, 2000, 2100];
    let events: Vec<Event> = days
        .iter()
        .enumerate()
        .map(|(n, day)| moved(&n.to_string(), COUNCIL, 1, way(n), "None", NEW_YEAR + day * DAY))
        .collect();
    let found = Views::of(&events).standing(ManyAuthorities);
    let entries: Vec<usize> = found.iter().map(|alert| alert.entries.len()).collect();
    assert_eq!(entries, [4, 2]);
}
