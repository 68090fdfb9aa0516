//! `long-missing`.

use gt_core::position::LeafIndex;
use gt_projections::Pattern::LongMissing;
use gt_projections::{AlertStatus, Subject};

use super::{assert_none, assert_retracted, only};
use crate::fixture::*;

const T: i64 = NEW_YEAR;
const LATER: i64 = T + 1000 * DAY;

/// The absence and its end, if it has one, with the times at which they are received.
fn absence(ended_after: &[(i64, i64)]) -> Views {
    let mut events = vec![(T + MINUTE, started("start", POLICE, 1, "Missing", T))];
    events.extend(ended_after.iter().map(|(end, heard)| (T + heard, ended("end", POLICE, 1, T + end))));
    Views::received(&events)
}

#[test]
fn an_absence_that_goes_on_is_an_alert_a_millisecond_after_twenty_four_hours() {
    let views = absence(&[]);
    assert_none(&views.now(LongMissing, T + DAY));
    let found = views.now(LongMissing, T + DAY + 1);
    let alert = only(&found);
    assert_eq!(
        (alert.status, alert.raised_at, alert.raised_by),
        (AlertStatus::Open, at(T + DAY + 1), LeafIndex(0))
    );
    assert_eq!(alert.subject, Subject::Child(owner(1)));
    assert_eq!(
        alert.sentence,
        "One child has been missing for more than 24 hours (more than 24 hours asks for a review)."
    );
}

#[test]
fn an_absence_of_exactly_twenty_four_hours_is_none_and_a_millisecond_more_is_an_alert() {
    assert_none(&absence(&[(DAY, DAY)]).now(LongMissing, LATER));
    let views = absence(&[(DAY + 1, DAY + 1)]);
    let found = views.now(LongMissing, LATER);
    assert_eq!(only(&found).status, AlertStatus::Open);
    assert!(
        only(&found).sentence.starts_with("One child was missing for 24 hours"),
        "{}",
        only(&found).sentence
    );
}

#[test]
fn a_return_that_is_reported_late_retracts_the_alert_and_the_past_still_shows_it() {
    let views = absence(&[(5 * HOUR, 2 * DAY)]);
    assert_none(&views.as_of(LongMissing, T + DAY));
    assert_eq!(only(&views.as_of(LongMissing, T + DAY + 1)).status, AlertStatus::Open);
    assert_eq!(only(&views.as_of(LongMissing, T + 2 * DAY - 1)).status, AlertStatus::Open);
    assert_retracted(&views.as_of(LongMissing, T + 2 * DAY));
}

#[test]
fn a_long_absence_that_ended_stays_and_says_how_long_it_was() {
    let views = absence(&[(3 * DAY, 3 * DAY)]);
    assert!(only(&views.as_of(LongMissing, T + 2 * DAY)).sentence.starts_with("One child has been missing"));
    let found = views.alerts();
    let found = of_pattern(found, LongMissing);
    assert!(
        only(&found).sentence.starts_with("One child was missing for 3 days"),
        "{}",
        only(&found).sentence
    );
    assert_eq!((only(&found).raised_at, only(&found).status), (at(T + DAY + 1), AlertStatus::Open));
}

#[test]
fn hours_elapse_whatever_the_clocks_do() {
    for start in ["2026-03-28T12:00:00Z", "2026-10-24T12:00:00Z"].map(time) {
        let views = Views::received(&[(start, started("start", POLICE, 1, "Missing", start))]);
        assert_none(&views.now(LongMissing, start + 24 * HOUR));
        only(&views.now(LongMissing, start + 24 * HOUR + 1));
    }
}

#[test]
fn an_absence_whose_end_nobody_reported_says_nothing() {
    let again = started("again", POLICE, 1, "Missing", T + 30 * DAY);
    let views = Views::received(&[(T, started("start", POLICE, 1, "Missing", T)), (T + 30 * DAY, again)]);
    assert_retracted(&views.of_pattern(LongMissing));
    assert_eq!(standing(views.now(LongMissing, LATER)).len(), 1, "but the second one goes on");
}

#[test]
fn a_return_under_another_identifier_ends_the_absence_while_they_are_linked() {
    let views = Views::received(&[
        (T, started("start", POLICE, 1, "Missing", T)),
        (T + HOUR, ended("back", COUNCIL, 2, T + HOUR)),
        (T + 2 * HOUR, identity("one child", true, (1, 2), T)),
        (T + 3 * DAY, identity("two children", false, (1, 2), T + DAY)),
    ]);
    assert_none(&views.as_of(LongMissing, T + 3 * DAY - 1));
    assert_eq!(only(&views.of_pattern(LongMissing)).raised_at, at(T + 3 * DAY));
    // Linked only after the alert had been raised.
    let views = Views::received(&[
        (T, started("start", POLICE, 1, "Missing", T)),
        (T + HOUR, ended("back", COUNCIL, 2, T + HOUR)),
        (T + 2 * DAY, identity("one child", true, (1, 2), T)),
    ]);
    assert_eq!(only(&views.as_of(LongMissing, T + 2 * DAY - 1)).status, AlertStatus::Open);
    assert_retracted(&views.of_pattern(LongMissing));
}
