//! What a history promises, besides its truth.

#![allow(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

use std::collections::{BTreeMap, BTreeSet};

use gt_history::{HistoryEvent, Plan, Planted, events, generate, outline};
use gt_schemas::Time;

const DAY: i64 = 86_400_000;

fn plan(seed: u64) -> Plan {
    Plan { seed, events: 8_000, agencies: 18, children: 900, years: 3, planted: Planted::each(5) }
}

fn occurred(event: &HistoryEvent) -> i64 {
    event.data["times"]["occurred_at"].as_str().unwrap().parse::<Time>().unwrap().as_millis()
}

#[test]
fn the_same_seed_gives_the_same_history_and_another_another() {
    let history = generate(&plan(1));
    assert!(generate(&plan(1)) == history);
    assert!(events(&plan(1)).eq(history.events.iter().cloned()), "written one by one");
    assert!(outline(&plan(1)).alerts() == history.alerts);
    assert!(generate(&plan(2)).events != history.events);
}

#[test]
fn a_history_has_as_many_events_and_cases_as_planned() {
    let history = generate(&plan(3));
    assert_eq!(history.events.len(), 8_000);
    let mut cases: BTreeMap<&str, usize> = BTreeMap::new();
    for alert in &history.alerts {
        *cases.entry(alert.pattern).or_default() += 1;
        assert!(alert.entries.is_sorted() && alert.entries.iter().all(|at| *at < 8_000), "{}", alert.about);
        assert_eq!(alert.entries.is_empty(), alert.pattern == "silent-edge", "{}", alert.about);
    }
    assert_eq!(cases.len(), 13);
    assert!(cases.values().all(|count| *count == 5), "{cases:?}");
    let agencies: BTreeSet<&str> = history.events.iter().map(|event| event.agency.as_str()).collect();
    assert_eq!(BTreeSet::from_iter(outline(&plan(3)).agencies()), agencies);
    assert!(agencies.len() >= 18);
    assert_eq!(generate(&Plan { events: 0, planted: Planted::each(0), ..plan(3) }).alerts, []);
}

#[test]
fn statements_arrive_in_order_and_after_what_they_tell_but_not_in_its_order() {
    let history = generate(&plan(4));
    assert!(history.events.is_sorted_by_key(|event| event.received_at));
    assert!(history.events.iter().all(|event| occurred(event) < event.received_at));
    assert!(history.events.last().unwrap().received_at < history.as_of);
    let delay = |event: &HistoryEvent| event.received_at - occurred(event);
    let share = |from, to| {
        let count = history.events.iter().filter(|event| (from..to).contains(&delay(event))).count();
        100 * count / history.events.len()
    };
    assert!(share(0, DAY / 2) > 70, "{} % within half a day", share(0, DAY / 2));
    assert!((2..10).contains(&share(2 * DAY, 10 * DAY)), "{} % days late", share(2 * DAY, 10 * DAY));
    assert!(!history.events.is_sorted_by_key(occurred));
}

#[test]
fn events_spread_over_the_years() {
    let history = generate(&plan(5));
    let first = history.as_of - 3 * 365 * DAY;
    for month in 0..34 {
        let from = first + 20 * DAY + month * 30 * DAY;
        let count =
            history.events.iter().filter(|event| (from..from + 30 * DAY).contains(&occurred(event))).count();
        assert!(count > 100, "{count} events in month {month}");
    }
}

/// The everyday's mix, in per cent of the events.
#[test]
fn the_mix_is_that_of_practice() {
    let events = generate(&Plan { events: 20_000, planted: Planted::each(2), ..plan(6) }).events;
    let share = |types: &[&str]| {
        100 * events.iter().filter(|event| types.contains(&event.event_type)).count() / events.len()
    };
    for (types, expected) in [
        (&["decision.recorded"][..], 42..52),
        (&["missing.started", "missing.ended", "rhi.offered", "rhi.held", "rhi.declined"], 13..20),
        (&["context.linked"], 8..14),
        (&["person.linked"], 2..6),
        (&["request.received", "request.answered", "request.refused"], 4..9),
        (&["referral.made", "referral.outcome"], 4..8),
        (&["child.moved", "placement.started"], 1..5),
        (&["consent.given", "consent.refused", "consent.withdrawn"], 2..6),
    ] {
        assert!(expected.contains(&share(types)), "{} % are {types:?}", share(types));
    }
}

#[test]
fn some_absences_are_told_by_two_agencies_and_some_children_under_two_names() {
    let events = generate(&plan(7)).events;
    let count = |event_type: &str| events.iter().filter(|event| event.event_type == event_type).count();
    let by_council = events
        .iter()
        .filter(|event| event.event_type == "missing.started" && event.agency.starts_with("gss:"));
    assert!(by_council.count() * 10 > count("missing.started"));
    let second = events.iter().filter(|event| {
        event.data["child"]["pseudonym"].as_str().is_some_and(|name| name.starts_with("upn."))
    });
    assert!(second.count() > 100 && count("identifier.linked") > 50);
    assert!(count("decision.corrected") > 10 && count("context.unlinked") > 2);
}
