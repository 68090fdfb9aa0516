//! `repeat-missing`.

use gt_core::position::LeafIndex;
use gt_projections::Pattern::RepeatMissing;
use gt_projections::{AlertStatus, ChangeKind, Subject};

use super::{fires, only, steps};
use crate::fixture::*;

/// One-hour absences of child 1, as the police report them, at these times.
fn absences(times: &[i64]) -> Vec<Event> {
    let pair = |time: &i64| {
        let start = started(&format!("start {time}"), POLICE, 1, "Missing", NEW_YEAR + time);
        [start, ended(&format!("end {time}"), POLICE, 1, NEW_YEAR + time + HOUR)]
    };
    times.iter().flat_map(pair).collect()
}

#[test]
fn three_starts_in_exactly_ninety_days_are_an_alert_and_a_millisecond_more_is_none() {
    assert_eq!(Views::of(&absences(&[0, 40 * DAY])).of_pattern(RepeatMissing), []);
    assert_eq!(Views::of(&absences(&[0, 40 * DAY, 90 * DAY + 1])).of_pattern(RepeatMissing), []);
    let views = Views::of(&absences(&[0, 40 * DAY, 90 * DAY]));
    let [alert] = &views.of_pattern(RepeatMissing)[..] else { panic!("one alert") };
    assert_eq!(alert.status, AlertStatus::Open);
    assert_eq!(alert.subject, Subject::Child(owner(1)));
    assert_eq!((alert.window.from, alert.window.to), (at(NEW_YEAR), at(NEW_YEAR + 90 * DAY)));
    assert_eq!(alert.entries, (0..6).map(LeafIndex).collect::<Vec<_>>());
    assert_eq!((alert.raised_by, alert.raised_at), (LeafIndex(4), received(4)));
    assert_eq!(
        alert.sentence,
        "One child was reported missing 3 times in 90 days (3 or more in 90 days asks for a review)."
    );
}

#[test]
fn one_absence_that_two_agencies_report_counts_once() {
    let mut events = absences(&[0, 40 * DAY]);
    events.push(started("again", COUNCIL, 1, "Missing", NEW_YEAR + 10 * MINUTE));
    events.push(ended("back", COUNCIL, 1, NEW_YEAR + 50 * MINUTE));
    assert_eq!(Views::of(&events).of_pattern(RepeatMissing), []);
    events.push(started("third", COUNCIL, 1, "AwayWithoutAuthorisation", NEW_YEAR + 41 * DAY));
    let alerts = Views::of(&events).of_pattern(RepeatMissing);
    assert_eq!(alerts.len(), 1);
    assert!(
        alerts[0].sentence.contains("missing or away without authorisation 3 times in 41 days"),
        "{}",
        alerts[0].sentence
    );
}

#[test]
fn a_child_who_keeps_going_missing_has_one_alert_that_grows() {
    let views =
        Views::of(&absences(&[0, 30 * DAY, 60 * DAY, 130 * DAY, 140 * DAY, 300 * DAY, 301 * DAY, 302 * DAY]));
    let alerts = views.of_pattern(RepeatMissing);
    let spans: Vec<i64> =
        alerts.iter().map(|a| (a.window.to.as_millis() - a.window.from.as_millis()) / DAY).collect();
    assert_eq!(spans, [140, 2], "one for the run, one after the quiet time");
    let raised =
        told(&views.changes, RepeatMissing).iter().filter(|change| **change == ChangeKind::Raised).count();
    assert_eq!(raised, 2);
    assert!(
        views
            .changes
            .iter()
            .any(|change| change.change == ChangeKind::Changed && change.alert.id == alerts[0].id)
    );
}

#[test]
fn a_late_report_that_joins_absences_retracts_the_alert_and_the_past_still_shows_it() {
    let mut events = absences(&[0, 5 * 60 * MINUTE, 10 * DAY]);
    events.push(started("all day", COUNCIL, 1, "Missing", NEW_YEAR + 30 * MINUTE));
    events.push(ended("all day ended", COUNCIL, 1, NEW_YEAR + 7 * 60 * MINUTE));
    let views = Views::of(&events);
    let [alert] = &views.of_pattern(RepeatMissing)[..] else { panic!("one alert") };
    assert_eq!(alert.status, AlertStatus::Retracted);
    let retraction = alert.retraction.unwrap();
    assert_eq!((retraction.by, retraction.at, retraction.replaced_by), (LeafIndex(7), received(7), None));
    assert!(alert.sentence.contains("3 times"), "it says how it last stood: {}", alert.sentence);
    let [then] = &views.as_of(RepeatMissing, received(5).as_millis())[..] else { panic!("one alert then") };
    assert_eq!((then.id, then.status), (alert.id, AlertStatus::Open));
    assert_eq!(views.as_of(RepeatMissing, received(3).as_millis()), [], "not raised yet");
}

#[test]
fn an_earlier_absence_reported_late_moves_the_anchor_and_the_old_alert_names_the_new_one() {
    let views = Views::of(&absences(&[40 * DAY, 50 * DAY, 60 * DAY, 10 * DAY]));
    let alerts = views.of_pattern(RepeatMissing);
    let [old, new] = &alerts[..] else { panic!("two alerts") };
    assert_eq!((old.status, new.status), (AlertStatus::Retracted, AlertStatus::Open));
    assert_eq!(old.retraction.unwrap().replaced_by, Some(new.id));
    let in_order = Views::of(&absences(&[10 * DAY, 40 * DAY, 50 * DAY, 60 * DAY])).of_pattern(RepeatMissing);
    assert_eq!(in_order.iter().map(|alert| alert.id).collect::<Vec<_>>(), [new.id]);
}

#[test]
fn an_agency_takes_back_only_what_it_said_itself() {
    let mut events = absences(&[0, 40 * DAY, 80 * DAY]);
    let first = events[0].name.clone();
    events.push(started("not ours", COUNCIL, 1, "Missing", NEW_YEAR).refers("supersedes", &first));
    assert_eq!(Views::of(&events).of_pattern(RepeatMissing)[0].status, AlertStatus::Open);
    // It was another child: the statement that replaces it is about that one.
    events.push(started("corrected", POLICE, 2, "Missing", NEW_YEAR).refers("supersedes", &first));
    let mut without_other = events.clone();
    without_other.remove(6);
    assert_eq!(Views::of(&without_other).of_pattern(RepeatMissing)[0].status, AlertStatus::Retracted);
    // The replacement may come first.
    without_other.rotate_right(1);
    assert_eq!(Views::of(&without_other).of_pattern(RepeatMissing), []);
}

#[test]
fn ninety_days_are_elapsed_days_also_when_the_clocks_change() {
    let three = |last: &str| {
        let times = [time("2026-02-01T12:00:00Z"), time("2026-03-01T12:00:00Z"), time(last)];
        times.map(|time| started(&format!("start {time}"), POLICE, 1, "Missing", time))
    };
    // In May noon is 11:00Z.
    assert!(fires(RepeatMissing, &three("2026-05-02T12:00:00Z")));
    assert!(!fires(RepeatMissing, &three("2026-05-02T12:00:00.001Z")));
}

#[test]
fn absences_under_two_identifiers_of_one_child_count_together_while_they_are_linked() {
    let start = |child, day| started(&format!("start {day}"), POLICE, child, "Missing", NEW_YEAR + day * DAY);
    let link = |name, is_one, day| identity(name, is_one, (1, 2), NEW_YEAR + day * DAY);
    let events = [
        start(1, 0),
        start(2, 10),
        start(1, 20),
        link("one child", true, 200),
        link("two children", false, 201),
        // What was said earlier of the pair counts for less, whenever it comes.
        link("one child, said earlier", true, 150),
        link("one child after all", true, 202),
    ];
    assert_eq!(steps(RepeatMissing, &events), [0, 0, 0, 1, 0, 0, 1]);
    let under_one = [start(1, 0), start(1, 10), start(1, 20)];
    let ids = |events: &[Event]| only(&Views::of(events).standing(RepeatMissing)).id;
    assert_eq!(ids(&events), ids(&under_one), "the alert is the same, whatever the child's identifiers");
}
