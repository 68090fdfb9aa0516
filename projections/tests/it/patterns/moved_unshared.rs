//! `moved-unshared`.

use gt_core::position::LeafIndex;
use gt_projections::AlertStatus;
use gt_projections::Pattern::MovedUnshared;
use serde_json::json;

use super::{assert_none, assert_retracted, only};
use crate::fixture::*;

const WAY: (&str, &str) = (COUNCIL, OTHER_COUNCIL);
/// A Monday, so that the next day is a working day. Its end is midnight in London, in winter.
const T: &str = "2026-02-02T15:00:00Z";
const DUE: &str = "2026-02-04T00:00:00Z";
const LATER: i64 = NEW_YEAR + 1000 * DAY;

fn moved_at(when: i64) -> Event {
    moved("move", COUNCIL, 1, WAY, "LookedAfter", when)
}

/// A share with the new authority.
fn shared(name: &str, when: i64) -> Event {
    decided(name, COUNCIL, 1, "Share", when).clear("recipients", json!([recipient(OTHER_COUNCIL)]))
}

/// Everything received when it happens.
fn prompt(events: &[Event]) -> Views {
    let time_of = |event: &Event| time(event.disclosed["times"]["occurred_at"].as_str().unwrap());
    let mut events: Vec<(i64, Event)> = events.iter().map(|event| (time_of(event), event.clone())).collect();
    events.sort_by_key(|(time, _)| *time);
    Views::received(&events)
}

#[test]
fn the_deadline_is_the_end_of_a_working_day_in_london() {
    // When the child moved, whether on a plan, and the midnight at which the time is over.
    let cases = [
        (T, "LookedAfter", DUE),
        ("2026-02-02T00:00:00Z", "ProtectionPlan", DUE),
        ("2026-02-02T23:59:59.999Z", "ChildInNeed", DUE),
        (T, "None", "2026-02-10T00:00:00Z"),
        // Friday to Monday; over the clock change of 29 March, and of 25 October.
        ("2026-02-06T09:00:00Z", "LookedAfter", "2026-02-10T00:00:00Z"),
        ("2026-03-27T09:00:00Z", "LookedAfter", "2026-03-30T23:00:00Z"),
        ("2026-10-23T09:00:00Z", "LookedAfter", "2026-10-27T00:00:00Z"),
        // In summer a London day begins at 23:00Z.
        ("2026-07-06T22:59:59.999Z", "LookedAfter", "2026-07-07T23:00:00Z"),
        ("2026-07-06T23:00:00Z", "LookedAfter", "2026-07-08T23:00:00Z"),
        // Maundy Thursday: Good Friday and Easter Monday are holidays.
        ("2026-04-02T09:00:00Z", "LookedAfter", "2026-04-07T23:00:00Z"),
        ("2026-04-02T09:00:00Z", "None", "2026-04-13T23:00:00Z"),
        // Christmas Day is a Friday, and Monday stands in for Boxing Day.
        ("2026-12-24T09:00:00Z", "LookedAfter", "2026-12-30T00:00:00Z"),
        ("2026-12-18T09:00:00Z", "None", "2026-12-30T00:00:00Z"),
        // New Year's Day.
        ("2026-12-31T09:00:00Z", "LookedAfter", "2027-01-05T00:00:00Z"),
    ];
    for (when, plan, due) in cases {
        let views = prompt(&[moved("move", COUNCIL, 1, WAY, plan, time(when))]);
        assert_none(&views.now(MovedUnshared, time(due) - 1));
        let found = views.now(MovedUnshared, time(due));
        assert_eq!(only(&found).raised_at, at(time(due)), "{when} {plan}");
    }
}

#[test]
fn the_alert_says_which_authority_was_not_told() {
    let found = prompt(&[moved_at(time(T))]).now(MovedUnshared, LATER);
    let alert = only(&found);
    assert_eq!((alert.window.from, alert.window.to), (at(time(T)), at(time(DUE))));
    assert_eq!(alert.entries, [LeafIndex(0)]);
    assert_eq!(
        alert.sentence,
        "A child moved into the area of gss:E08000016 and nothing was shared with it within 1 working day."
    );
}

#[test]
fn an_emergency_placement_has_the_longer_time() {
    let placement = placed("placed", COUNCIL, 1, WAY, time(T)).clear("emergency", json!(true));
    let views = prompt(&[placement]);
    assert_none(&views.now(MovedUnshared, time("2026-02-10T00:00:00Z") - 1));
    only(&views.now(MovedUnshared, time("2026-02-10T00:00:00Z")));
}

#[test]
fn a_move_within_one_area_tells_nobody_anything() {
    let within = moved("move", COUNCIL, 1, (COUNCIL, COUNCIL), "LookedAfter", time(T));
    assert_none(&prompt(&[within]).now(MovedUnshared, LATER));
}

#[test]
fn a_share_counts_from_twenty_eight_days_before_the_move_to_the_deadline() {
    let (when, due) = (time(T), time(DUE));
    let cases = [(when - 28 * DAY, true), (when - 28 * DAY - 1, false), (due - 1, true), (due, false)];
    for (shared_at, counts) in cases {
        let found = prompt(&[moved_at(when), shared("share", shared_at)]).now(MovedUnshared, LATER);
        assert_eq!(found.is_empty(), counts, "{}", shared_at - when);
    }
}

#[test]
fn only_a_share_with_the_new_authority_about_the_child_counts() {
    let share = || shared("share", time(T) + HOUR);
    let internal = json!([{"agency": OTHER_COUNCIL, "internal": true, "has_safeguarding_role": true, "identity_verified": true}]);
    let withheld = decided("withheld", COUNCIL, 1, "Withhold", time(T) + HOUR);
    let cases = [
        (share(), true),
        (Event { agency: SCHOOL, ..share() }, true),
        (
            decided("part", COUNCIL, 1, "SharePart", time(T))
                .clear("recipients", json!([recipient(COUNCIL), recipient(OTHER_COUNCIL)])),
            true,
        ),
        (share().about(2), false),
        (share().clear("recipients", json!([recipient(THIRD_COUNCIL)])), false),
        (share().clear("recipients", internal), false),
        (withheld.clear("recipients", json!([recipient(OTHER_COUNCIL)])), false),
    ];
    for (event, counts) in cases {
        let found = prompt(&[moved_at(time(T)), event.clone()]).now(MovedUnshared, LATER);
        assert_eq!(found.is_empty(), counts, "{event:?}");
    }
}

#[test]
fn a_notification_that_the_move_records_counts_before_the_deadline() {
    for (notified, counts) in [(time(T) - 100 * DAY, true), (time(DUE) - 1, true), (time(DUE), false)] {
        let found = prompt(&[moved_at(time(T)).timed("notified_at", notified)]).now(MovedUnshared, LATER);
        assert_eq!(found.is_empty(), counts, "{notified}");
    }
}

#[test]
fn a_share_in_time_that_is_reported_late_retracts_the_alert_and_a_late_one_does_not() {
    let reported = time(DUE) + 20 * DAY;
    let views =
        |shared_at| Views::received(&[(time(T), moved_at(time(T))), (reported, shared("share", shared_at))]);
    let in_time = views(time(DUE) - 1);
    assert_none(&in_time.as_of(MovedUnshared, time(DUE) - 1));
    assert_eq!(only(&in_time.as_of(MovedUnshared, time(DUE))).status, AlertStatus::Open);
    assert_retracted(&in_time.of_pattern(MovedUnshared));
    assert_eq!(only(&views(time(DUE)).of_pattern(MovedUnshared)).status, AlertStatus::Open);
}

#[test]
fn a_corrected_recipient_retracts_and_raises_the_alert() {
    let wrong = shared("share", time(T) + HOUR).clear("recipients", json!([recipient(THIRD_COUNCIL)]));
    let correct = |name: &str, to: &str, of: &str, hour: i64| {
        let clear = json!({"fields": ["Recipients"], "recipients": [recipient(to)]});
        (time(DUE) + hour * HOUR, corrected(name, COUNCIL, 1, of, clear, time(T) + hour * HOUR))
    };
    let views = Views::received(&[
        (time(T), moved_at(time(T))),
        (time(T) + HOUR, wrong),
        correct("it was the new one", OTHER_COUNCIL, "share", 2),
        correct("it was not", THIRD_COUNCIL, "it was the new one", 3),
    ]);
    let status = |hour: i64| only(&views.as_of(MovedUnshared, time(DUE) + hour * HOUR)).status;
    assert_eq!([0, 2, 3].map(status), [AlertStatus::Open, AlertStatus::Retracted, AlertStatus::Open]);
    assert_eq!(only(&views.of_pattern(MovedUnshared)).raised_at, at(time(DUE) + 3 * HOUR), "raised again");
}

#[test]
fn a_share_under_another_identifier_counts_while_they_are_linked() {
    let (when, due) = (time(T), time(DUE));
    let mut events = vec![
        (when, moved_at(when)),
        (when + HOUR, shared("share", when + HOUR).about(2)),
        (when + HOUR, identity("one child", true, (1, 2), when)),
    ];
    assert_none(&Views::received(&events).now(MovedUnshared, LATER));
    events.push((due + DAY, identity("two children", false, (1, 2), when + HOUR)));
    let views = Views::received(&events);
    assert_none(&views.as_of(MovedUnshared, due + DAY - 1));
    assert_eq!(only(&views.of_pattern(MovedUnshared)).raised_at, at(due + DAY));
}
