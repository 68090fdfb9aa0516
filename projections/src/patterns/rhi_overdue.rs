//! `rhi-overdue`: 72 hours after a return, a return home interview has been neither held nor declined (statutory
//! guidance on children who run away or go missing; DOMAIN section 5, pattern 3).
//!
//! The clock runs from the return that ends a merged episode, in elapsed hours, over week-ends and clock changes: a child who was away
//! without authorisation, and is then missing, has not returned. An interview
//! counts if it was held or declined between the return and the deadline, both included, whoever reports it and
//! however late the report comes: then the alert is retracted. One that was held after the deadline was late, and the
//! alert stays for somebody to look at; an offer alone does not count.
//!
//! **The id is anchored to** the first report of the episode.

use gt_schemas::{Configuration, Event};

use super::sentence::hours;
use super::{ChildScene, Finding, HOUR, Pattern, at_statement, sorted, span};
use crate::missing::EpisodeState;

pub(super) fn find(scene: &ChildScene<'_>, rules: &Configuration) -> Vec<Finding> {
    let threshold = rules.thresholds.rhi_overdue.hours;
    let interviews: Vec<i64> = scene
        .events
        .iter()
        .filter(|(_, event)| matches!(event.event, Event::RhiHeld(_) | Event::RhiDeclined(_)))
        .map(|(time, _)| *time)
        .collect();
    let mut found = Vec::new();
    for episode in scene.episodes() {
        if !matches!(episode.state, EpisodeState::Ended | EpisodeState::StartNotReported) {
            continue;
        }
        let Some(returned) = episode.returned_at else { continue };
        let deadline = returned + span(threshold, HOUR);
        if interviews.iter().any(|time| (returned..=deadline).contains(time)) {
            continue;
        }
        found.push(Finding {
            pattern: Pattern::RhiOverdue,
            anchor: at_statement(episode.anchor),
            about: scene.about(),
            due: Some(deadline + 1),
            window: (returned, deadline),
            entries: sorted(episode.entries.iter().map(|index| index.0)),
            sentence: format!(
                "No return home interview was held or declined within {} of a child's return.",
                hours(threshold.into())
            ),
        });
    }
    found
}
