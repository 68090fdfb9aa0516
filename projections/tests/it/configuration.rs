//! The rules in force: the caller's until the log says others.

use std::sync::Arc;

use gt_projections::Pattern::{RepeatMissing, RequestUnanswered, RhiOverdue, SlowShare};
use gt_projections::{AlertStatus, ChangeKind, Options, Projector};
use gt_schemas::configuration::Window;
use gt_schemas::{Configuration, Thresholds};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::fixture::*;
use crate::histories::*;

/// One-hour absences of child 1 on these days.
fn absences(days: &[i64]) -> Vec<Event> {
    let pair = |day: &i64| {
        let time = NEW_YEAR + day * DAY;
        let start = started(&format!("start {day}"), POLICE, 1, "Missing", time);
        [start, ended(&format!("end {day}"), POLICE, 1, time + HOUR)]
    };
    days.iter().flat_map(pair).collect()
}

#[test]
fn thresholds_are_the_callers_and_other_ones_make_the_views_anew() {
    let records = seal_all(&absences(&[0, 1]));
    let views = Views::of_records(&records);
    assert_eq!(views.of_pattern(RepeatMissing), []);
    let Views { projector, folder, .. } = views;
    projector.close().unwrap();
    let mut rules = Configuration::standard();
    rules.thresholds.repeat_missing = Window { count: 2, days: 1 };
    let opened = Projector::open(folder.path(), Options { rules: Arc::new(rules), ..small() }).unwrap();
    assert!(opened.rebuilt.is_some());
    let mut projector = opened.projector;
    apply(&mut projector, &records);
    let found = of_pattern(alerts(&projector.queries(), None), RepeatMissing);
    assert_eq!(
        found[0].sentence,
        "One child was reported missing 2 times in 1 day (2 or more in 1 day asks for a review)."
    );
    assert_eq!(found[0].thresholds, serde_json::json!({"count": 2, "days": 1}));
}

/// The standard rules with other thresholds.
fn rules(change: impl FnOnce(&mut Thresholds)) -> Configuration {
    let mut rules = Configuration::standard();
    change(&mut rules.thresholds);
    rules
}

/// Rules that differ from the eager ones in every pattern.
fn lax() -> Configuration {
    let mut rules = rules(|thresholds| {
        thresholds.repeat_missing = Window { count: 2, days: 40 };
        thresholds.long_missing.hours = 30 * 24;
        thresholds.rhi_overdue.hours = 24;
        thresholds.shared_person = Window { count: 2, days: 20 };
        thresholds.many_authorities.months = 2;
        thresholds.moved_unshared.other_working_days = 20;
        thresholds.request_unanswered.green_hours = 1;
        thresholds.withheld_then_harm.days = 15;
        thresholds.slow_share.significant_harm_hours = 90;
    });
    // The public task is no basis yet: a finding for whoever relies on it.
    let mut legal = serde_json::to_value(&rules.legal).unwrap();
    legal["bases"]["Article6.e"]["in_force_from"] = serde_json::json!("2030-01-01");
    rules.legal = gt_schemas::Catalogue::read(&legal).unwrap();
    rules
}

#[test]
fn rules_that_the_log_seals_hold_from_that_entry_on_for_all_that_it_has() {
    let two_in_ten_days = rules(|thresholds| thresholds.repeat_missing = Window { count: 2, days: 10 });
    let mut events = absences(&[0, 8, 100, 200]);
    events.push(configured("stricter", &two_in_ten_days));
    events.push(configured("as before", &Configuration::standard()));
    let [before, during, after] = [8, 9, 10].map(|count| Views::of(&events[..count]));
    let sentences = |views: &Views| {
        views
            .standing(RepeatMissing)
            .into_iter()
            .map(|alert| (alert.sentence, alert.thresholds))
            .collect::<Vec<_>>()
    };
    assert_eq!(sentences(&before), []);
    assert_eq!(
        sentences(&during),
        [(
            "One child was reported missing 2 times in 8 days (2 or more in 10 days asks for a review)."
                .to_owned(),
            serde_json::json!({"count": 2, "days": 10})
        )]
    );
    let alert = during.standing(RepeatMissing).remove(0);
    assert_eq!((alert.raised_by.0, alert.raised_at), (8, received(8)), "the rules raise it, as no event did");
    assert_eq!(after.of_pattern(RepeatMissing)[0].status, AlertStatus::Retracted);
    assert_eq!(during.as_of(RepeatMissing, received(7).as_millis()), [], "it was not there before");
    assert_eq!(told(&after.changes, RepeatMissing), [ChangeKind::Raised, ChangeKind::Retracted]);
    assert_eq!(during.queries().status().unwrap().thresholds, two_in_ten_days.thresholds);
    assert_eq!(after.queries().status().unwrap().thresholds, Thresholds::default());
}

#[test]
fn clocks_that_run_are_set_anew_and_those_that_have_run_out_are_looked_at_again() {
    let (t, later) = (NEW_YEAR, NEW_YEAR + 1000 * DAY);
    let longer = rules(|thresholds| {
        thresholds.rhi_overdue.hours = 100;
        thresholds.request_unanswered.red_hours = 100;
    });
    let events = |sealed| {
        Views::received(&[
            (t, requested("request", SCHOOL, 1, "Red", t)),
            (t, started("start", POLICE, 1, "Missing", t)),
            (t + 1, ended("end", POLICE, 1, t)),
            (t + sealed, configured("longer", &longer)),
        ])
    };
    // The request is due after 4 hours, the interview after 72; then both after 100.
    let views = events(DAY);
    assert_eq!(views.as_of(RequestUnanswered, t + DAY - 1)[0].status, AlertStatus::Open);
    assert_eq!(views.as_of(RequestUnanswered, t + DAY)[0].status, AlertStatus::Retracted);
    assert_eq!(views.as_of(RhiOverdue, t + 100 * HOUR), []);
    for pattern in [RequestUnanswered, RhiOverdue] {
        assert_eq!(standing(views.now(pattern, t + 100 * HOUR)), []);
        assert_eq!(standing(views.now(pattern, later))[0].raised_at, at(t + 100 * HOUR + 1));
    }
    // Long after, nothing changes but what the alerts say of the thresholds.
    let views = events(50 * DAY);
    for (pattern, raised_at) in [(RequestUnanswered, 4 * HOUR), (RhiOverdue, 72 * HOUR)] {
        let alert = views.standing(pattern).remove(0);
        assert_eq!((alert.status, alert.raised_at), (AlertStatus::Open, at(t + raised_at + 1)));
        assert_eq!(told(&views.changes, pattern), [ChangeKind::Raised, ChangeKind::Changed]);
    }
}

#[test]
fn the_same_rules_once_more_tell_nobody_anything_and_what_is_no_configuration_changes_nothing() {
    let mut events =
        vec![decided("share", SCHOOL, 1, "Share", NEW_YEAR).timed("aware_at", NEW_YEAR - 9 * DAY)];
    events.push(configured("the same", &Configuration::standard()));
    let mut broken = configured("broken", &rules(|thresholds| thresholds.slow_share.other_hours = 1));
    broken.clear["thresholds"]["slow_share"]["other_hours"] = serde_json::json!("soon");
    events.push(broken);
    let views = Views::of(&events);
    assert_eq!(told(&views.changes, SlowShare), [ChangeKind::Raised]);
    let status = views.queries().status().unwrap();
    assert_eq!(status.thresholds, Thresholds::default());
    assert_eq!(status.unread.types["ledger.configured"], 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn alerts_are_as_if_the_rules_in_force_had_always_been(
        events in any_events(40), pauses in any_pauses(), places: [Index; 2], cuts in any_cuts()
    ) {
        let mut with = events.clone();
        let first = places[0].index(events.len() + 1);
        with.insert(first, configured("first", &Configuration::standard()));
        let second = first + 1 + places[1].index(with.len() - first);
        with.insert(second, configured("second", &lax()));
        let records = seal_after(&with, &pauses);
        let views = Views::with(&records, eagerly());
        let lax = Options { rules: Arc::new(lax()), ..small() };
        let always = Views::with(&seal_after(&events, &pauses), lax);
        prop_assert_eq!(content(&views.queries(), &with), content(&always.queries(), &events));
        let (cut, changes) = in_batches(&records, &cuts, &eagerly());
        assert_same(&cut.projector, &views.projector.dump().unwrap());
        prop_assert_eq!(&changes, &views.changes);
        prop_assert_eq!(replay(&changes), standing_now(&views.queries()));
        // Before they were sealed, others held.
        let before = &records[..second];
        let last = before.last().unwrap().entry.received_at;
        if records[second].entry.received_at > last {
            let then = Views::with(before, eagerly());
            prop_assert_eq!(alerts(&views.queries(), Some(last)), then.alerts());
        }
    }
}
