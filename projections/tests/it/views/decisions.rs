//! Decisions with their corrections and reviews, and the alerts that rest on them.

use std::collections::BTreeSet;

use gt_core::position::LeafIndex;
use gt_projections::{DecisionPage, Page, Pattern, Subject};
use serde_json::{Value, json};

use crate::fixture::*;

/// When what is decided is corrected and reviewed.
const T: i64 = NEW_YEAR + DAY;

fn decision() -> Event {
    decided("decision", POLICE, 1, "Share", NEW_YEAR)
}

fn level(level: &str) -> Value {
    json!({"fields": ["HarmLevel"], "harm_level": level})
}

fn corrected_to(name: &str, of: &str, to: &str, time: i64) -> Event {
    corrected(name, POLICE, 1, of, level(to), time)
}

fn page_of(views: &Views, index: u64) -> DecisionPage {
    views.queries().decision(LeafIndex(index), &Page::default()).unwrap().items.remove(0)
}

/// How much harm it is about, and the entries that corrected it.
fn as_corrected(events: &[Event]) -> (&'static str, Vec<LeafIndex>) {
    let page = page_of(&Views::of(events), 0);
    assert_eq!(
        page.corrections.iter().map(|correction| correction.index).collect::<Vec<_>>(),
        page.decision.corrected_by
    );
    (page.decision.harm_level, page.decision.corrected_by)
}

#[test]
fn a_review_that_names_what_it_goes_on_from_replaces_nothing() {
    let planned = || decision().clear("informed", json!({"status": "Planned"}));
    assert_eq!(page_of(&Views::of(&[planned()]), 0).decision.findings, ["W3"]);
    let fix = corrected_to("fix", "decision", "Immediate", T);
    let review = |of: &str| {
        let clear = json!({"outcome": "Upheld", "informed": "After"});
        event("review", "decision.reviewed", POLICE, T + DAY, clear).about(1).refers("supersedes", of)
    };
    for of in ["decision", "fix"] {
        let events = [planned(), fix.clone(), review(of)];
        let reversed = [review(of), fix.clone(), planned()];
        for (events, index) in [(events, 0), (reversed, 2)] {
            let page = page_of(&Views::of(&events), index);
            assert_eq!(page.decision.superseded_by, None, "it stands");
            assert_eq!((page.decision.harm_level, page.corrections.len()), ("Immediate", 1));
            assert_eq!(page.reviews.iter().map(|review| review.outcome).collect::<Vec<_>>(), ["Upheld"]);
            assert_eq!(page.decision.findings, [""; 0], "the review says that the individual was told");
        }
    }
}

#[test]
fn corrections_of_one_time_apply_after_what_they_correct() {
    // The names make the statements' hashes, which come in either order.
    for n in 0..8 {
        let (first, second) = (format!("first {n}"), format!("second {n}"));
        let one = corrected_to(&first, "decision", "ChildInNeed", T);
        let other = |time| corrected_to(&second, &first, "Immediate", time);
        let [one_then_other, other_then_one] =
            [[1, 2], [2, 1]].map(|order| ("Immediate", order.map(LeafIndex).to_vec()));
        assert_eq!(as_corrected(&[decision(), one.clone(), other(T)]), one_then_other, "{n}");
        assert_eq!(as_corrected(&[decision(), other(T), one.clone()]), other_then_one, "{n}");
        assert_eq!(as_corrected(&[decision(), one, other(T - HOUR)]), one_then_other, "dated too early");
    }
}

#[test]
fn a_later_correction_that_names_the_decision_has_the_last_word() {
    let events = [
        decision(),
        corrected_to("third", "decision", "EarlyHelp", T + 2 * HOUR),
        corrected_to("second", "first", "Immediate", T + HOUR),
        corrected_to("first", "decision", "ChildInNeed", T),
    ];
    assert_eq!(as_corrected(&events), ("EarlyHelp", [3, 2, 1].map(LeafIndex).to_vec()));
}

#[test]
fn a_correction_of_one_whose_time_is_kept_counts_where_it_names_the_decision() {
    let mut first = corrected_to("first", "decision", "ChildInNeed", T);
    first.disclosed.remove("times");
    let second = corrected_to("second", "first", "Immediate", T + HOUR);
    let third = corrected_to("third", "second", "EarlyHelp", T + HOUR);
    let alone = [decision(), first.clone(), second.clone()];
    assert_eq!(as_corrected(&alone), ("SignificantHarm", Vec::new()), "nobody says of which");
    let second = second.refers("decision", "decision");
    let events = [decision(), first, second, third];
    assert_eq!(as_corrected(&events), ("EarlyHelp", [2, 3].map(LeafIndex).to_vec()));
}

#[test]
fn a_decision_has_the_alerts_about_agencies_that_it_does_not_name() {
    // Of three children whom the police and the school know, the police decided about one: to share with the council.
    let mut events = vec![decision()];
    events.extend((2..=3).map(|child| harmed(&format!("police {child}"), POLICE, child, T)));
    events.extend((1..=3).map(|child| harmed(&format!("school {child}"), SCHOOL, child, T)));
    let page = page_of(&Views::of(&events), 0);
    let ways = page.alerts.into_iter().filter(|alert| alert.pattern == Pattern::SilentEdge);
    let way = |from: &str, to: &str| Subject::Edge { from: from.to_owned(), to: to.to_owned() };
    assert_eq!(
        ways.map(|alert| alert.subject).collect::<BTreeSet<_>>(),
        BTreeSet::from([way(POLICE, SCHOOL), way(SCHOOL, POLICE)])
    );
}
