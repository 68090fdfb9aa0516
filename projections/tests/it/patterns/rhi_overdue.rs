//! `rhi-overdue`.

use gt_core::position::LeafIndex;
use gt_projections::AlertStatus;
use gt_projections::Pattern::RhiOverdue;

use super::{assert_none, assert_retracted, only};
use crate::fixture::*;

/// The return.
const T: i64 = NEW_YEAR + 5 * DAY;
const DEADLINE: i64 = T + 72 * HOUR;
const LATER: i64 = T + 1000 * DAY;

fn back(at: i64) -> Vec<(i64, Event)> {
    vec![
        (at - 3 * HOUR, started("start", POLICE, 1, "Missing", at - 3 * HOUR)),
        (at, ended("end", POLICE, 1, at)),
    ]
}

/// After the return, an interview at one time and received at another.
fn interviewed(type_name: &'static str, held: i64, heard: i64) -> Views {
    let mut events = back(T);
    events.push((heard, interview("interview", type_name, COUNCIL, 1, held)));
    Views::received(&events)
}

#[test]
fn the_alert_comes_a_millisecond_after_seventy_two_hours_though_no_entry_does() {
    let views = Views::received(&back(T));
    assert_none(&views.now(RhiOverdue, DEADLINE));
    let found = views.now(RhiOverdue, DEADLINE + 1);
    let alert = only(&found);
    assert_eq!((alert.raised_at, alert.raised_by), (at(DEADLINE + 1), LeafIndex(1)));
    assert_eq!((alert.window.from, alert.window.to), (at(T), at(DEADLINE)));
    assert_eq!(alert.entries, [LeafIndex(0), LeafIndex(1)]);
    assert_eq!(
        alert.sentence,
        "No return home interview was held or declined within 72 hours of a child's return."
    );
    assert_eq!(views.changes, [], "nothing is told before it happens");
}

#[test]
fn an_interview_counts_from_the_return_to_the_deadline_both_included() {
    let cases = [
        ("rhi.held", T, true),
        ("rhi.held", T - 1, false),
        ("rhi.held", DEADLINE, true),
        ("rhi.held", DEADLINE + 1, false),
        ("rhi.declined", DEADLINE, true),
        ("rhi.declined", DEADLINE + 1, false),
        ("rhi.offered", T + HOUR, false),
    ];
    for (type_name, held, counts) in cases {
        // Reported at once: one that counts leaves nothing to see.
        let found = interviewed(type_name, held, held.max(T)).now(RhiOverdue, LATER);
        assert_eq!(found.is_empty(), counts, "{type_name} {}", held - T);
    }
}

#[test]
fn a_report_after_the_deadline_retracts_the_alert_if_the_interview_was_in_time_and_else_it_stays() {
    let reported = DEADLINE + 10 * DAY;
    let in_time = interviewed("rhi.held", DEADLINE, reported);
    assert_eq!(only(&in_time.as_of(RhiOverdue, reported - 1)).status, AlertStatus::Open);
    assert_retracted(&in_time.as_of(RhiOverdue, reported));
    assert_none(&in_time.as_of(RhiOverdue, DEADLINE));
    let late = interviewed("rhi.held", DEADLINE + 1, reported);
    assert_eq!(only(&late.as_of(RhiOverdue, reported)).status, AlertStatus::Open);
}

#[test]
fn a_report_at_the_deadlines_own_moment_comes_in_time() {
    assert_none(&interviewed("rhi.held", T + HOUR, DEADLINE).now(RhiOverdue, LATER));
    // A millisecond later it had fired, and deadlines before an entry fire before it.
    assert_retracted(&interviewed("rhi.held", T + HOUR, DEADLINE + 2).now(RhiOverdue, LATER));
}

#[test]
fn hours_elapse_over_weekends_and_clock_changes() {
    // Friday to Monday, in March and in October.
    for returned in ["2026-03-27T18:00:00Z", "2026-10-23T18:00:00Z"].map(time) {
        let views = Views::received(&back(returned));
        assert_none(&views.now(RhiOverdue, returned + 72 * HOUR));
        only(&views.now(RhiOverdue, returned + 72 * HOUR + 1));
    }
}

#[test]
fn an_interview_under_another_identifier_counts_while_they_are_linked() {
    let mut events = back(T);
    events.push((T + HOUR, interview("interview", "rhi.held", SCHOOL, 2, T + HOUR)));
    events.push((T + 2 * HOUR, identity("one child", true, (2, 1), T)));
    assert_none(&Views::received(&events).now(RhiOverdue, LATER));
    events.push((T + 3 * HOUR, identity("two children", false, (1, 2), T + HOUR)));
    let views = Views::received(&events);
    assert_none(&views.now(RhiOverdue, DEADLINE));
    assert_eq!(only(&views.now(RhiOverdue, DEADLINE + 1)).raised_at, at(DEADLINE + 1));
    events.push((LATER, identity("one child after all", true, (1, 2), T + 2 * HOUR)));
    assert_retracted(&Views::received(&events).of_pattern(RhiOverdue));
}

#[test]
fn a_return_that_turns_out_to_be_later_sets_the_clock_anew() {
    let mut events = back(T);
    // Said after the first deadline: the child was back only then.
    let corrected = ended("end, corrected", POLICE, 1, T + 2 * DAY).refers("supersedes", "end");
    events.push((DEADLINE + HOUR, corrected));
    let views = Views::received(&events);
    assert_eq!(only(&views.as_of(RhiOverdue, DEADLINE + 1)).status, AlertStatus::Open);
    assert_retracted(&views.as_of(RhiOverdue, DEADLINE + HOUR));
    let again = views.now(RhiOverdue, DEADLINE + 2 * DAY + 1);
    assert_eq!(
        (only(&again).status, only(&again).raised_at),
        (AlertStatus::Open, at(DEADLINE + 2 * DAY + 1))
    );
}

#[test]
fn who_was_away_and_is_then_missing_has_not_returned() {
    let away = |agency| started("away", agency, 1, "AwayWithoutAuthorisation", T);
    let missing = |agency| started("missing", agency, 1, "Missing", T + 3 * HOUR);
    for other in [POLICE, SCHOOL] {
        let gone = [(T, away(POLICE)), (T + 3 * HOUR, missing(other))];
        assert_none(&Views::received(&gone).now(RhiOverdue, LATER));
        let back = T + 100 * HOUR;
        let back = [&gone[..], &[(back, ended("end", other, 1, back))]].concat();
        let found = Views::received(&back).now(RhiOverdue, LATER);
        assert_eq!(only(&found).window.from, at(T + 100 * HOUR));
        let held = T + 101 * HOUR;
        let held = [back, vec![(held, interview("interview", "rhi.held", COUNCIL, 1, held))]].concat();
        assert_none(&Views::received(&held).now(RhiOverdue, LATER));
    }
}

#[test]
fn who_is_said_to_be_back_when_the_absence_turned_into_a_graver_one_has_not_returned() {
    let boundary = T + 3 * HOUR;
    let events = |kind: &str| {
        [
            (T, started("first", POLICE, 1, kind, T)),
            (boundary, ended("first end", POLICE, 1, boundary)),
            (boundary, started("missing", POLICE, 1, "Missing", boundary)),
            (T + 100 * HOUR, ended("end", POLICE, 1, T + 100 * HOUR)),
        ]
    };
    let away = events("AwayWithoutAuthorisation");
    assert_none(&Views::received(&away[..3]).now(RhiOverdue, LATER));
    assert_eq!(only(&Views::received(&away).now(RhiOverdue, LATER)).window.from, at(T + 100 * HOUR));
    // Who was missing, is back and is missing again has returned twice.
    assert_eq!(Views::received(&events("Missing")).now(RhiOverdue, LATER).len(), 2);
}

#[test]
fn an_interview_that_names_an_absence_counts_for_no_other() {
    let held = T + 50 * HOUR;
    let two = [
        (T - 3 * HOUR, started("first", POLICE, 1, "Missing", T - 3 * HOUR)),
        (T, ended("first end", POLICE, 1, T)),
        (T + DAY, started("second", POLICE, 1, "Missing", T + DAY)),
        (T + 2 * DAY, ended("second end", POLICE, 1, T + 2 * DAY)),
    ];
    let overdue = |interview: Event| {
        let events = [&two[..], &[(held, interview)]].concat();
        let found = Views::received(&events).now(RhiOverdue, LATER);
        found.iter().map(|alert| alert.window.from.as_millis()).collect::<Vec<_>>()
    };
    let unnamed = || interview("interview", "rhi.held", COUNCIL, 1, held);
    assert_eq!(overdue(unnamed()), [0_i64; 0], "it comes after both returns, and in time for both");
    assert_eq!(overdue(unnamed().refers("episode", "first")), [T + 2 * DAY]);
    assert_eq!(overdue(unnamed().refers("episode", "second")), [T]);
    assert_eq!(overdue(unnamed().refers("episode", "unknown")), [0_i64; 0], "what says nothing goes by time");
    assert_eq!(overdue(unnamed().within("episode", "M-17")), [0_i64; 0]);
}

#[test]
fn an_interview_that_names_an_absence_counts_for_what_that_turned_into() {
    let (boundary, back, held) = (T + 3 * HOUR, T + 10 * HOUR, T + 20 * HOUR);
    let away = (T, started("away", POLICE, 1, "AwayWithoutAuthorisation", T));
    let away_end = (boundary, ended("away end", POLICE, 1, boundary));
    let missing = (boundary, started("missing", POLICE, 1, "Missing", boundary));
    let end = (back, ended("end", POLICE, 1, back));
    let named = |start| (held, interview("interview", "rhi.held", COUNCIL, 1, held).refers("episode", start));
    let turned = [away.clone(), missing.clone(), end.clone()];
    let said_to_be_back = [away, away_end, missing, end];
    for absence in [&turned[..], &said_to_be_back] {
        for start in ["away", "missing"] {
            let events = [absence, &[named(start)]].concat();
            assert_none(&Views::received(&events).now(RhiOverdue, LATER));
        }
    }
}
