//! `withheld-then-harm`: harm to a child is recorded within 90 days (a threshold) after a decision to withhold information
//! about that child (DOMAIN section 5, pattern 9). It asks for a review of the decision, and claims no cause.
//!
//! Only a `Withhold` counts; in a `SharePart` something was shared. The harm's event time counts, from the decision on.
//!
//! **The id is anchored to** the decision.

use gt_schemas::{Configuration, Decision, Event};

use super::sentence::{days, days_between};
use super::{ChildScene, DAY, Finding, Pattern, at_statement, sorted, span};
use crate::decision::Decided;

pub(super) fn find(scene: &ChildScene<'_>, decisions: &[Decided<'_>], rules: &Configuration) -> Vec<Finding> {
    let threshold = rules.thresholds.withheld_then_harm.days;
    let harms: Vec<(i64, u64)> = scene
        .events
        .iter()
        .filter(|(_, event)| matches!(event.event, Event::HarmRecorded(_)))
        .map(|(time, event)| (*time, event.index))
        .collect();
    let mut found = Vec::new();
    for one in decisions.iter().filter(|one| one.decision.decision == Decision::Withhold) {
        let Some(decided) = one.decided_at() else { continue };
        let within = decided..=decided + span(threshold, DAY);
        let after: Vec<(i64, u64)> =
            harms.iter().copied().filter(|(time, _)| within.contains(time)).collect();
        let (Some(first), Some(last)) = (after.first(), after.last()) else { continue };
        found.push(Finding {
            pattern: Pattern::WithheldThenHarm,
            anchor: at_statement(one.event.statement),
            about: scene.about(),
            due: None,
            window: (decided, last.0),
            entries: sorted(one.entries().into_iter().chain(after.iter().map(|(_, index)| *index))),
            sentence: format!(
                "Harm to a child was recorded {} after information was withheld (within {} asks for a review of the decision).",
                days_between((decided, first.0)),
                days(threshold.into())
            ),
        });
    }
    found
}
