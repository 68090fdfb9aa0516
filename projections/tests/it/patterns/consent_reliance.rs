//! `consent-reliance`.

use gt_core::position::LeafIndex;
use gt_projections::Pattern::ConsentReliance;
use gt_projections::Subject;
use serde_json::{Value, json};

use super::{fires, only, steps};
use crate::fixture::*;

fn consent() -> Value {
    json!([{"kind": "Article6", "code": "a"}])
}

/// An agency's shares about many children, at these times after New Year; the last `by_consent` rely on consent.
fn shares(times: &[i64], by_consent: usize) -> Vec<Event> {
    let share = |(n, time): (usize, &i64)| {
        let event =
            decided(&format!("share {n}"), SCHOOL, u8::try_from(n).unwrap(), "Share", NEW_YEAR + time);
        if n + by_consent >= times.len() { event.clear("lawful_basis", consent()) } else { event }
    };
    times.iter().enumerate().map(share).collect()
}

/// So many shares, a day apart.
fn daily(count: i64, by_consent: usize) -> Vec<Event> {
    shares(&(0..count).map(|day| day * DAY).collect::<Vec<_>>(), by_consent)
}

#[test]
fn over_twenty_per_cent_of_ten_shares_or_more_is_an_alert() {
    let cases = [(10, 2, false), (10, 3, true), (9, 9, false), (11, 2, false), (14, 3, true), (15, 3, false)];
    for (count, by_consent, expected) in cases {
        let events = daily(count, by_consent);
        assert_eq!(fires(ConsentReliance, &events), expected, "{by_consent} of {count}");
    }
    let found = Views::of(&daily(10, 3)).of_pattern(ConsentReliance);
    assert_eq!(only(&found).subject, Subject::Agency(SCHOOL.to_owned()));
    assert_eq!(only(&found).entries, [7, 8, 9].map(LeafIndex));
    assert_eq!(
        only(&found).sentence,
        "gias:123456 relied on consent for 3 of 10 shares in 9 days (over 20 % in 90 days asks for a review)."
    );
}

#[test]
fn ten_shares_within_exactly_ninety_days_count_and_a_millisecond_more_does_not() {
    let ten = |last: i64| {
        let mut times: Vec<i64> = (0..9).map(|day| day * DAY).collect();
        times.push(last);
        shares(&times, 3)
    };
    // The clocks change in between.
    assert!(fires(ConsentReliance, &ten(90 * DAY)));
    assert!(!fires(ConsentReliance, &ten(90 * DAY + 1)));
}

#[test]
fn what_was_withheld_and_what_others_shared_is_not_counted() {
    let mut events = daily(9, 9);
    events.push(decided("withheld", SCHOOL, 1, "Withhold", NEW_YEAR + 10 * DAY));
    events.push(decided("another's", POLICE, 1, "Share", NEW_YEAR + 10 * DAY));
    assert!(!fires(ConsentReliance, &events));
    events.push(decided("part", SCHOOL, 1, "SharePart", NEW_YEAR + 10 * DAY));
    assert!(fires(ConsentReliance, &events));
}

#[test]
fn corrections_and_mistakes_retract_and_raise_the_alert() {
    let mut events = daily(10, 3);
    let time = NEW_YEAR + 50 * DAY;
    events.push(basis_corrected("another basis", SCHOOL, 9, "share 9", &sound_basis(), time));
    events.push(basis_corrected("consent after all", SCHOOL, 9, "another basis", &consent(), time + 1));
    events.push(harmed("was no share", SCHOOL, 9, time).refers("supersedes", "share 9"));
    let mut expected = [0; 13];
    (expected[9], expected[11]) = (1, 1);
    assert_eq!(steps(ConsentReliance, &events), expected);
}

#[test]
fn a_share_about_a_child_of_two_identifiers_is_one_share() {
    let mut events = daily(10, 2);
    events.push(identity("one child", true, (8, 9), NEW_YEAR));
    assert!(!fires(ConsentReliance, &events));
    events.push(basis_corrected("consent", SCHOOL, 9, "share 7", &consent(), NEW_YEAR + DAY).about(7));
    assert!(fires(ConsentReliance, &events));
}

#[test]
fn windows_that_share_a_share_are_one_alert() {
    let early: Vec<i64> = (0..12).map(|n| n * 8 * DAY).collect();
    let views = Views::of(&shares(&early, 12));
    let found = views.standing(ConsentReliance);
    assert_eq!(only(&found).entries.len(), 12);
    let apart: Vec<i64> = (0..20).map(|n| n * DAY + if n < 10 { 0 } else { 300 * DAY }).collect();
    assert_eq!(Views::of(&shares(&apart, 20)).standing(ConsentReliance).len(), 2);
}
