//! Each pattern on both sides of its threshold and at its window's edges, and how its alerts live.

use gt_core::position::LeafIndex;
use std::sync::Arc;

use gt_projections::{AlertStatus, ChangeKind, Options, Pattern, Projector, Subject};
use gt_schemas::Configuration;
use gt_schemas::configuration::Window;

use crate::fixture::*;

/// One-hour absences of child 1, as the police report them, at these times.
fn absences(times: &[i64]) -> Vec<Event> {
    let pair = |(n, time): (usize, &i64)| {
        let start = started(&format!("start {n} {time}"), POLICE, 1, "Missing", NEW_YEAR + time);
        [start, ended(&format!("end {n} {time}"), POLICE, 1, NEW_YEAR + time + 60 * MINUTE)]
    };
    times.iter().enumerate().flat_map(pair).collect()
}

fn links(links: &[(u8, i64)]) -> Vec<Event> {
    let link = |(n, (child, time)): (usize, &(u8, i64))| {
        linked(&format!("link {n}"), SCHOOL, *child, 7, NEW_YEAR + time)
    };
    links.iter().enumerate().map(link).collect()
}

#[test]
fn three_starts_in_exactly_ninety_days_are_an_alert_and_a_millisecond_more_is_none() {
    assert_eq!(Views::of(&absences(&[0, 40 * DAY])).alerts(), []);
    assert_eq!(Views::of(&absences(&[0, 40 * DAY, 90 * DAY + 1])).alerts(), []);
    let views = Views::of(&absences(&[0, 40 * DAY, 90 * DAY]));
    let [alert] = &views.alerts()[..] else { panic!("one alert") };
    assert_eq!((alert.pattern, alert.status), (Pattern::RepeatMissing, AlertStatus::Open));
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
    assert_eq!(Views::of(&events).alerts(), []);
    events.push(started("third", COUNCIL, 1, "AwayWithoutAuthorisation", NEW_YEAR + 41 * DAY));
    let alerts = Views::of(&events).alerts();
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
    let alerts = views.alerts();
    let spans: Vec<i64> =
        alerts.iter().map(|a| (a.window.to.as_millis() - a.window.from.as_millis()) / DAY).collect();
    assert_eq!(spans, [140, 2], "one for the run, one after the quiet time");
    let raised = views.changes.iter().filter(|change| change.change == ChangeKind::Raised).count();
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
    let [alert] = &views.alerts()[..] else { panic!("one alert") };
    assert_eq!(alert.status, AlertStatus::Retracted);
    let retraction = alert.retraction.unwrap();
    assert_eq!((retraction.by, retraction.at, retraction.replaced_by), (LeafIndex(7), received(7), None));
    assert!(alert.sentence.contains("3 times"), "it says how it last stood: {}", alert.sentence);
    let [then] = &alerts(&views.queries(), Some(received(5)))[..] else { panic!("one alert then") };
    assert_eq!((then.id, then.status), (alert.id, AlertStatus::Open));
    assert_eq!(alerts(&views.queries(), Some(received(3))), [], "not raised yet");
}

#[test]
fn an_earlier_absence_reported_late_moves_the_anchor_and_the_old_alert_names_the_new_one() {
    let views = Views::of(&absences(&[40 * DAY, 50 * DAY, 60 * DAY, 10 * DAY]));
    let alerts = views.alerts();
    let [old, new] = &alerts[..] else { panic!("two alerts") };
    assert_eq!((old.status, new.status), (AlertStatus::Retracted, AlertStatus::Open));
    assert_eq!(old.retraction.unwrap().replaced_by, Some(new.id));
    let in_order = Views::of(&absences(&[10 * DAY, 40 * DAY, 50 * DAY, 60 * DAY])).alerts();
    assert_eq!(in_order.iter().map(|alert| alert.id).collect::<Vec<_>>(), [new.id]);
}

#[test]
fn an_agency_takes_back_only_what_it_said_itself() {
    let mut events = absences(&[0, 40 * DAY, 80 * DAY]);
    let first = events[0].name.clone();
    events.push(started("not ours", COUNCIL, 1, "Missing", NEW_YEAR).refers("supersedes", &first));
    assert_eq!(Views::of(&events).alerts()[0].status, AlertStatus::Open);
    // It was another child: the statement that replaces it is about that one.
    events.push(started("corrected", POLICE, 2, "Missing", NEW_YEAR).refers("supersedes", &first));
    let mut without_other = events.clone();
    without_other.remove(6);
    assert_eq!(Views::of(&without_other).alerts()[0].status, AlertStatus::Retracted);
    // The replacement may come first.
    without_other.rotate_right(1);
    assert_eq!(Views::of(&without_other).alerts(), []);
}

#[test]
fn three_children_at_one_place_in_exactly_sixty_days_are_an_alert_and_a_millisecond_more_is_none() {
    assert_eq!(
        Views::of(&links(&[(1, 0), (2, DAY), (2, 2 * DAY), (1, 3 * DAY)])).alerts(),
        [],
        "two children"
    );
    assert_eq!(Views::of(&links(&[(1, 0), (2, DAY), (3, 60 * DAY + 1)])).alerts(), []);
    let views = Views::of(&links(&[(1, 0), (2, DAY), (3, 60 * DAY)]));
    let [alert] = &views.alerts()[..] else { panic!("one alert") };
    assert_eq!(
        (alert.pattern, alert.subject.clone()),
        (Pattern::SharedLocation, Subject::Context(context(7)))
    );
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
    assert_eq!(Views::of(&events).alerts(), []);
}

#[test]
fn a_place_where_more_children_meet_has_one_alert_that_grows() {
    let views = Views::of(&links(&[(1, 0), (2, DAY), (3, 2 * DAY), (4, 50 * DAY), (5, 61 * DAY)]));
    let [alert] = &views.alerts()[..] else { panic!("one alert") };
    assert!(
        alert.sentence.starts_with("5 children were linked to one place in 61 days"),
        "{}",
        alert.sentence
    );
    let changes: Vec<ChangeKind> = views.changes.iter().map(|change| change.change).collect();
    assert_eq!(changes, [ChangeKind::Raised, ChangeKind::Changed, ChangeKind::Changed]);
}

#[test]
fn thresholds_are_the_callers_and_other_ones_make_the_views_anew() {
    let records = seal_all(&absences(&[0, DAY]));
    let views = Views::of_records(&records);
    assert_eq!(views.alerts(), []);
    let Views { projector, folder, .. } = views;
    projector.close().unwrap();
    let mut rules = Configuration::standard();
    rules.thresholds.repeat_missing = Window { count: 2, days: 1 };
    let opened = Projector::open(folder.path(), Options { rules: Arc::new(rules), ..small() }).unwrap();
    assert!(opened.rebuilt.is_some());
    let mut projector = opened.projector;
    apply(&mut projector, &records);
    let found = alerts(&projector.queries(), None);
    assert_eq!(
        found[0].sentence,
        "One child was reported missing 2 times in 1 day (2 or more in 1 day asks for a review)."
    );
    assert_eq!(found[0].thresholds, serde_json::json!({"count": 2, "days": 1}));
}
