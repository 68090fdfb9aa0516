//! `shared-location`: 3 or more different children are linked to one place or other context within 60 days (DOMAIN
//! section 5, pattern 4; both numbers are thresholds).
//!
//! Counted are children, by the event time of their links; further links of the same child, under whichever identifier,
//! belong to the alert and do not count again. A link that was ended (`context.unlinked`) was there all the same: the
//! children met. One that was a mistake is superseded, and then it was not.
//!
//! **The id is anchored to** the first link of a run. A run joins all windows that share a link (`run.rs`), so a
//! place where more and more children meet has one alert that grows. What is said in `repeat_missing.rs` of late reports
//! holds here too.

use std::collections::BTreeSet;

use gt_ledger::record::{ContextId, OwnerId};
use gt_schemas::configuration::Window;
use gt_schemas::{Configuration, ContextKind, Event};

use super::sentence::{days, days_between};
use super::{Finding, Pattern, at_statement, run, sorted};
use crate::event::ViewEvent;
use crate::subject::Subject;

/// `links` are the context's events that stand, sorted, each with the one who stands for its child.
pub(crate) fn find(
    context: ContextId,
    links: &[(i64, &ViewEvent, OwnerId)],
    rules: &Configuration,
) -> Vec<Finding> {
    let threshold = rules.thresholds.shared_location;
    let links: Vec<&(i64, &ViewEvent, OwnerId)> =
        links.iter().filter(|(_, event, _)| matches!(event.event, Event::ContextLinked(_))).collect();
    let items: Vec<(i64, OwnerId)> = links.iter().map(|(time, _, child)| (*time, *child)).collect();
    let found = run::runs(&items, threshold).into_iter();
    found.map(|run| finding(context, &links[run], threshold)).collect()
}

fn finding(context: ContextId, run: &[&(i64, &ViewEvent, OwnerId)], threshold: Window) -> Finding {
    let window = (run[0].0, run[run.len() - 1].0);
    let children: BTreeSet<OwnerId> = run.iter().map(|(.., child)| *child).collect();
    Finding {
        pattern: Pattern::SharedLocation,
        anchor: at_statement(run[0].1.statement),
        about: Subject::Context(context),
        due: None,
        window,
        entries: sorted(run.iter().map(|(_, event, _)| event.index)),
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
fn noun(run: &[&(i64, &ViewEvent, OwnerId)]) -> &'static str {
    let kinds: BTreeSet<Option<ContextKind>> = run
        .iter()
        .map(|(_, event, _)| match &event.event {
            Event::ContextLinked(link) => Some(link.kind),
            _ => None,
        })
        .collect();
    match (kinds.first(), kinds.len()) {
        (Some(Some(ContextKind::Place)), 1) => "place",
        (Some(Some(ContextKind::OnlineAccount)), 1) => "online account",
        (Some(Some(ContextKind::Group)), 1) => "group",
        (Some(Some(ContextKind::Vehicle)), 1) => "vehicle",
        (Some(Some(ContextKind::Event)), 1) => "event",
        _ => "context",
    }
}
