//! `slow-share`: from knowing (`aware_at`) to sharing (`shared_at`) it took more than 24 hours where significant harm is
//! suffered or likely (section 47, or immediate danger), or more than 72 otherwise (DOMAIN section 5, pattern 12; the
//! hours are thresholds). Elapsed hours count.
//!
//! The median and the 90th percentile of an agency's shares stand in the view of who shares with whom.
//!
//! **The id is anchored to** the decision.

use gt_schemas::{Configuration, HarmLevel};

use super::sentence::{hours, lasting};
use super::{ChildScene, Finding, HOUR, Pattern, at_statement, span};
use crate::decision::Decided;

pub(super) fn find(scene: &ChildScene<'_>, decisions: &[Decided<'_>], rules: &Configuration) -> Vec<Finding> {
    let threshold = rules.thresholds.slow_share;
    let mut found = Vec::new();
    for one in decisions.iter().filter(|one| one.decision.decision.shares()) {
        let (Some(aware), Some(shared)) = (one.aware_at(), one.shared_at()) else { continue };
        let limit = match one.decision.harm_level {
            HarmLevel::SignificantHarm | HarmLevel::Immediate => threshold.significant_harm_hours,
            HarmLevel::None | HarmLevel::EarlyHelp | HarmLevel::ChildInNeed => threshold.other_hours,
        };
        if shared - aware <= span(limit, HOUR) {
            continue;
        }
        found.push(Finding {
            pattern: Pattern::SlowShare,
            anchor: at_statement(one.event.statement),
            about: scene.about(),
            due: None,
            window: (aware, shared),
            entries: one.entries(),
            sentence: format!(
                "{} shared a concern about a child {} after it became aware of it (more than {} asks for a review).",
                one.event.speaker(),
                lasting(shared - aware),
                hours(limit.into())
            ),
        });
    }
    found
}
