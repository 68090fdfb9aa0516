//! `long-missing`: one episode lasts more than 24 hours (DOMAIN section 5, pattern 2; the hours are a threshold).
//!
//! An absence that goes on fires as soon as it has lasted that long; one that ended fires if it had. Elapsed hours count,
//! so the night on which the clocks change makes no difference. An episode whose end nobody reported, while its agency
//! reports a later one, is of unknown length and says nothing.
//!
//! **The id is anchored to** the first report of the episode.

use gt_core::time::Timestamp;
use gt_schemas::Configuration;

use super::sentence::{hours, lasting};
use super::{ChildScene, Finding, HOUR, Pattern, at_statement, sorted, span};
use crate::missing::EpisodeState;

pub(super) fn find(scene: &ChildScene<'_>, rules: &Configuration) -> Vec<Finding> {
    let threshold = rules.thresholds.long_missing.hours;
    let limit = span(threshold, HOUR);
    let mut found = Vec::new();
    for episode in scene.episodes() {
        let Some(start) = episode.started_at.map(Timestamp::as_millis) else { continue };
        let end = match (episode.state, episode.ended_at.map(Timestamp::as_millis)) {
            (EpisodeState::Open, _) => None,
            (EpisodeState::Ended, Some(end)) if end - start > limit => Some(end),
            _ => continue,
        };
        let lasted = match end {
            Some(end) => format!("One child was missing for {}", lasting(end - start)),
            None => format!("One child has been missing for more than {}", hours(threshold.into())),
        };
        found.push(Finding {
            pattern: Pattern::LongMissing,
            anchor: at_statement(episode.anchor),
            about: scene.about(),
            // More than so long: the millisecond after.
            due: Some(start + limit + 1),
            window: (start, end.unwrap_or(start)),
            entries: sorted(episode.entries.iter().map(|index| index.0)),
            sentence: format!("{lasted} (more than {} asks for a review).", hours(threshold.into())),
        });
    }
    found
}
