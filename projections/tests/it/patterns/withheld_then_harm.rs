//! `withheld-then-harm`.

use gt_core::position::LeafIndex;
use gt_projections::Pattern::WithheldThenHarm;
use serde_json::json;

use super::{fires, only, steps};
use crate::fixture::*;

/// Withheld before the clocks change in March.
const T: i64 = NEW_YEAR + 60 * DAY;

fn withheld() -> Event {
    decided("withheld", SCHOOL, 1, "Withhold", T)
}

#[test]
fn harm_from_the_decision_to_ninety_days_after_it_is_an_alert_both_included() {
    for (harm, expected) in [(T - 1, false), (T, true), (T + 90 * DAY, true), (T + 90 * DAY + 1, false)] {
        let events = [withheld(), harmed("harm", COUNCIL, 1, harm)];
        assert_eq!(fires(WithheldThenHarm, &events), expected, "{}", harm - T);
    }
    let found =
        Views::of(&[withheld(), harmed("harm", COUNCIL, 1, T + 30 * DAY)]).of_pattern(WithheldThenHarm);
    assert_eq!(only(&found).entries, [LeafIndex(0), LeafIndex(1)]);
    assert_eq!(
        only(&found).sentence,
        "Harm to a child was recorded 30 days after information was withheld (within 90 days asks for a review of the decision)."
    );
}

#[test]
fn only_withholding_about_the_same_child_counts() {
    let harm = harmed("harm", COUNCIL, 1, T + DAY);
    for decision in ["Share", "SharePart"] {
        assert!(!fires(WithheldThenHarm, &[decided("decision", SCHOOL, 1, decision, T), harm.clone()]));
    }
    assert!(!fires(WithheldThenHarm, &[withheld().about(2), harm]));
}

#[test]
fn further_harm_belongs_to_the_same_alert_and_harm_that_was_none_leaves_it() {
    let harm = |name: &str, day| harmed(name, COUNCIL, 1, T + day * DAY);
    let mistake = |name: &str, of: &str| harmed(name, COUNCIL, 9, T).refers("supersedes", of);
    let events =
        [withheld(), harm("one", 30), harm("two", 60), mistake("no one", "one"), mistake("no two", "two")];
    assert_eq!(steps(WithheldThenHarm, &events), [0, 1, 1, 1, 0]);
    let views = Views::of(&events[..4]);
    assert_eq!(only(&views.of_pattern(WithheldThenHarm)).entries, [LeafIndex(0), LeafIndex(2)]);
}

#[test]
fn the_decisions_corrected_time_counts() {
    let times = json!({"occurred_at": at(T + 31 * DAY).to_string()});
    let correction =
        corrected("correction", SCHOOL, 1, "withheld", json!({"fields": ["Times"]}), T + 40 * DAY);
    let events =
        [withheld(), harmed("harm", COUNCIL, 1, T + 30 * DAY), correction.with("corrected_times", times)];
    assert_eq!(steps(WithheldThenHarm, &events), [0, 1, 0]);
}

#[test]
fn harm_under_another_identifier_counts_while_they_are_linked() {
    let events = [
        withheld(),
        harmed("harm", COUNCIL, 2, T + DAY),
        identity("one child", true, (1, 2), T),
        identity("two children", false, (1, 2), T + 1),
    ];
    assert_eq!(steps(WithheldThenHarm, &events), [0, 0, 1, 0]);
}
