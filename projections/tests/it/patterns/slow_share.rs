//! `slow-share`.

use gt_core::position::LeafIndex;
use gt_projections::Pattern::SlowShare;
use gt_projections::Subject;
use serde_json::json;

use super::{fires, only, steps};
use crate::fixture::*;

fn share(aware: i64, delay: i64, harm_level: &str) -> Event {
    decided("share", SCHOOL, 1, "Share", aware + delay)
        .timed("aware_at", aware)
        .clear("harm_level", json!(harm_level))
}

#[test]
fn the_limit_depends_on_the_level_of_harm_and_holds_to_the_millisecond() {
    let levels =
        [("Immediate", 24), ("SignificantHarm", 24), ("ChildInNeed", 72), ("EarlyHelp", 72), ("None", 72)];
    for (level, hours) in levels {
        // Elapsed hours count, also over the nights on which the clocks change.
        for aware in [NEW_YEAR, time("2026-03-28T12:00:00Z"), time("2026-10-24T12:00:00Z")] {
            assert!(!fires(SlowShare, &[share(aware, hours * HOUR, level)]), "{level}");
            assert!(fires(SlowShare, &[share(aware, hours * HOUR + 1, level)]), "{level}");
        }
    }
}

#[test]
fn the_alert_says_how_long_it_took() {
    let found = Views::of(&[share(NEW_YEAR, 5 * DAY, "SignificantHarm")]).of_pattern(SlowShare);
    assert_eq!(
        (&only(&found).subject, &only(&found).entries[..]),
        (&Subject::Child(owner(1)), &[LeafIndex(0)][..])
    );
    assert_eq!(
        only(&found).sentence,
        "gias:123456 shared a concern about a child 5 days after it became aware of it (more than 24 hours asks for a review)."
    );
}

#[test]
fn what_withholds_or_does_not_say_when_it_was_known_is_not_measured() {
    let withheld = decided("withheld", SCHOOL, 1, "Withhold", NEW_YEAR + 9 * DAY);
    assert!(!fires(
        SlowShare,
        &[withheld.timed("aware_at", NEW_YEAR).timed("shared_at", NEW_YEAR + 9 * DAY)]
    ));
    assert!(!fires(SlowShare, &[decided("share", SCHOOL, 1, "Share", NEW_YEAR)]));
    assert!(fires(
        SlowShare,
        &[decided("share", SCHOOL, 1, "SharePart", NEW_YEAR).timed("aware_at", NEW_YEAR - 9 * DAY)]
    ));
}

#[test]
fn corrections_of_times_and_level_retract_and_raise_the_alert() {
    let correct =
        |name: &str, clear, hour| corrected(name, SCHOOL, 1, "share", clear, NEW_YEAR + hour * HOUR);
    let times = |aware: i64| json!({"occurred_at": at(NEW_YEAR).to_string(), "aware_at": at(NEW_YEAR + aware).to_string(), "shared_at": at(NEW_YEAR + 30 * HOUR).to_string()});
    let events = [
        share(NEW_YEAR, 30 * HOUR, "SignificantHarm"),
        correct("level", json!({"fields": ["HarmLevel"], "harm_level": "EarlyHelp"}), 40),
        correct("times", json!({"fields": ["Times"]}), 41).with("corrected_times", times(-43 * HOUR)),
        correct("times again", json!({"fields": ["Times"]}), 42).with("corrected_times", times(-42 * HOUR)),
        // Somebody else corrects nothing.
        Event {
            agency: POLICE,
            ..correct("not theirs", json!({"fields": ["HarmLevel"], "harm_level": "Immediate"}), 43)
        },
    ];
    assert_eq!(steps(SlowShare, &events), [1, 0, 1, 0, 0]);
    let found = Views::of(&events[..3]).standing(SlowShare);
    assert_eq!(only(&found).entries, [LeafIndex(0), LeafIndex(1), LeafIndex(2)]);
}

#[test]
fn the_alert_stays_the_same_when_the_child_has_another_identifier_too() {
    let events = [
        share(NEW_YEAR, 5 * DAY, "SignificantHarm").about(2),
        identity("one child", true, (1, 2), NEW_YEAR),
        identity("two children", false, (1, 2), NEW_YEAR + 1),
    ];
    assert_eq!(steps(SlowShare, &events), [1, 1, 1]);
    let subjects =
        [1, 2, 3].map(|count| only(&Views::of(&events[..count]).standing(SlowShare)).subject.clone());
    assert_eq!(subjects, [2, 1, 2].map(|child| Subject::Child(owner(child))));
    let ids = [1, 2, 3].map(|count| only(&Views::of(&events[..count]).of_pattern(SlowShare)).id);
    assert_eq!((ids[0], ids[1]), (ids[1], ids[2]));
}
