//! `repeat-missing`: one child goes missing, or away without authorisation, 3 or more times within 90 days (DOMAIN
//! section 5, pattern 1; both numbers are thresholds).
//!
//! Counted are the starts of merged episodes, by event time. An episode of which only the return was reported has
//! none.
//!
//! **The id is anchored to** the child and the start of the first episode of a run. A run joins all windows that
//! share an episode (`run.rs`), so a child who keeps going missing has one alert that grows, and a child who starts
//! again after a quiet time has another. The anchor depends on the final set of reports and not on the order of their
//! arrival. A late report that puts an earlier episode in front of a run, or joins two runs, leaves an
//! old anchor without a run: the alert under it is then retracted, and says which alert replaced it.

use gt_core::time::Timestamp;
use gt_ledger::record::OwnerId;

use super::{Finding, Pattern, Threshold, anchor, days, days_between, run};
use crate::history::{History, Horizon};
use crate::missing::{self, Episode};

pub(super) fn find(
    child: &OwnerId,
    history: &History,
    horizon: Horizon,
    threshold: Threshold,
) -> Vec<Finding> {
    let episodes = missing::episodes(history.standing(horizon));
    let started: Vec<(i64, &Episode)> = episodes
        .iter()
        .filter_map(|episode| Some((episode.started_at.map(Timestamp::as_millis)?, episode)))
        .collect();
    // Every episode is a thing of its own, so they differ by position.
    let items: Vec<(i64, usize)> = started.iter().enumerate().map(|(at, (time, _))| (*time, at)).collect();
    let found = run::runs(&items, threshold).into_iter();
    found.map(|run| finding(child, &started[run], threshold)).collect()
}

fn finding(child: &OwnerId, run: &[(i64, &Episode)], threshold: Threshold) -> Finding {
    let window = (run[0].0, run[run.len() - 1].0);
    let mut entries: Vec<u64> =
        run.iter().flat_map(|(_, episode)| &episode.entries).map(|index| index.0).collect();
    entries.sort_unstable();
    entries.dedup();
    let all_missing = run.iter().all(|(_, episode)| episode.kind == Some("Missing"));
    let what = if all_missing { "missing" } else { "missing or away without authorisation" };
    Finding {
        pattern: Pattern::RepeatMissing,
        anchor: anchor(child.as_bytes(), window.0),
        window,
        entries,
        sentence: format!(
            "One child was reported {what} {} times in {} ({} or more in {} asks for a review).",
            run.len(),
            days_between(window),
            threshold.count,
            days(threshold.days.into())
        ),
    }
}
