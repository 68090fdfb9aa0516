//! `repeat-missing`: one child goes missing, or away without authorisation, 3 or more times within 90 days (DOMAIN
//! section 5, pattern 1; both numbers are thresholds).
//!
//! Counted are the starts of merged episodes, by event time. An episode of which only the return was reported has
//! none.
//!
//! **The id is anchored to** the first report of the first episode of a run. A run joins all windows that
//! share an episode (`run.rs`), so a child who keeps going missing has one alert that grows, and a child who starts
//! again after a quiet time has another. The anchor depends on the final set of reports and not on the order of their
//! arrival. A late report that puts an earlier episode in front of a run, or joins two runs, leaves an
//! old anchor without a run: the alert under it is then retracted, and says which alert replaced it.

use gt_core::time::Timestamp;
use gt_schemas::Configuration;
use gt_schemas::configuration::Window;

use super::sentence::{days, days_between};
use super::{ChildScene, Finding, Pattern, at_statement, run, sorted};
use crate::missing::Episode;

pub(super) fn find(scene: &ChildScene<'_>, rules: &Configuration) -> Vec<Finding> {
    let threshold = rules.thresholds.repeat_missing;
    let started: Vec<(i64, &Episode)> = scene
        .episodes()
        .iter()
        .filter_map(|episode| Some((episode.started_at.map(Timestamp::as_millis)?, episode)))
        .collect();
    // Every episode is a thing of its own, so they differ by position.
    let items: Vec<(i64, usize)> = started.iter().enumerate().map(|(at, (time, _))| (*time, at)).collect();
    let found = run::runs(&items, threshold).into_iter();
    found.map(|run| finding(scene, &started[run], threshold)).collect()
}

fn finding(scene: &ChildScene<'_>, run: &[(i64, &Episode)], threshold: Window) -> Finding {
    let window = (run[0].0, run[run.len() - 1].0);
    let all_missing = run.iter().all(|(_, episode)| episode.kind == Some("Missing"));
    let what = if all_missing { "missing" } else { "missing or away without authorisation" };
    Finding {
        pattern: Pattern::RepeatMissing,
        anchor: at_statement(run[0].1.anchor),
        about: scene.about(),
        due: None,
        window,
        entries: sorted(run.iter().flat_map(|(_, episode)| &episode.entries).map(|index| index.0)),
        sentence: format!(
            "One child was reported {what} {} times in {} ({} or more in {} asks for a review).",
            run.len(),
            days_between(window),
            threshold.count,
            days(threshold.days.into())
        ),
    }
}
