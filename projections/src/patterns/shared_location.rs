//! `shared-location`: 3 or more different children are linked to one place or other context within 60 days (DOMAIN
//! section 5, pattern 4; both numbers are thresholds).
//!
//! Counted are children, by the event time of their links; further links of the same child belong to the alert and do
//! not count again.
//!
//! **The id is anchored to** the context and the event time of the first link of a run. A run joins all windows that
//! share a link (`run.rs`), so a place where more and more children meet has one alert that grows. What is said in
//! [`super::repeat_missing`] of late reports holds here too.

use std::collections::BTreeSet;

use gt_ledger::record::{ContextId, OwnerId};

use super::{Finding, Pattern, Threshold, anchor, days, days_between, run};
use crate::event::{Facts, ViewEvent};
use crate::history::{History, Horizon};

pub(super) fn find(
    context: &ContextId,
    history: &History,
    horizon: Horizon,
    threshold: Threshold,
) -> Vec<Finding> {
    let mut links: Vec<(i64, &ViewEvent)> = history.standing(horizon).collect();
    links.sort_unstable_by_key(|(time, event)| (*time, event.statement));
    let items: Vec<(i64, OwnerId)> = links.iter().map(|(time, event)| (*time, event.child)).collect();
    let found = run::runs(&items, threshold).into_iter();
    found.map(|run| finding(context, &links[run], threshold)).collect()
}

fn finding(context: &ContextId, run: &[(i64, &ViewEvent)], threshold: Threshold) -> Finding {
    let window = (run[0].0, run[run.len() - 1].0);
    let children: BTreeSet<OwnerId> = run.iter().map(|(_, event)| event.child).collect();
    let mut entries: Vec<u64> = run.iter().map(|(_, event)| event.index).collect();
    entries.sort_unstable();
    Finding {
        pattern: Pattern::SharedLocation,
        anchor: anchor(context.as_bytes(), window.0),
        window,
        entries,
        sentence: format!(
            "{} children were linked to one {} in {} ({} or more in {} asks for a review).",
            children.len(),
            noun(run),
            days_between(window),
            threshold.count,
            days(threshold.days.into())
        ),
    }
}

/// What to call the context, if all agencies call it the same.
fn noun(run: &[(i64, &ViewEvent)]) -> &'static str {
    let kinds: BTreeSet<Option<&str>> = run
        .iter()
        .map(|(_, event)| match &event.facts {
            Facts::ContextLinked(link) => link.kind.as_deref(),
            _ => None,
        })
        .collect();
    match (kinds.first(), kinds.len()) {
        (Some(Some("Place")), 1) => "place",
        (Some(Some("OnlineAccount")), 1) => "online account",
        (Some(Some("Group")), 1) => "group",
        (Some(Some("Vehicle")), 1) => "vehicle",
        (Some(Some("Event")), 1) => "event",
        _ => "context",
    }
}
