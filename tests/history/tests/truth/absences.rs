//! Patterns 1 to 3.

use crate::telling::{Alert, DAY, HOUR, Telling, Told, runs, sorted};

struct Episode {
    from: i64,
    to: Option<i64>,
    entries: Vec<usize>,
}

pub(crate) fn alerts(telling: &Telling<'_>) -> Vec<Alert> {
    let mut alerts = Vec::new();
    let interviews = telling.by_child(&["rhi.held", "rhi.declined"]);
    for (child, told) in telling.by_child(&["missing.started", "missing.ended"]) {
        let episodes = episodes(&told);
        let near = |first: &Episode, other: &Episode| other.from - first.from <= 90 * DAY;
        for run in runs(&episodes, near, |window| window.len() >= 3) {
            let entries = episodes[run].iter().flat_map(|episode| episode.entries.clone());
            alerts.push(("repeat-missing", sorted(entries)));
        }
        for episode in &episodes {
            if episode.to.is_none_or(|to| to - episode.from > 24 * HOUR) {
                alerts.push(("long-missing", episode.entries.clone()));
            }
            let in_time = |to: i64| {
                let held = interviews.get(child).map_or(&[][..], Vec::as_slice);
                held.iter().any(|interview| (to..=to + 72 * HOUR).contains(&interview.at))
            };
            if episode.to.is_some_and(|to| !in_time(to)) {
                alerts.push(("rhi-overdue", episode.entries.clone()));
            }
        }
    }
    alerts
}

/// Each agency's starts with their ends, and those that overlap merged. Those that touch are two.
fn episodes(told: &[&Told<'_>]) -> Vec<Episode> {
    let mut ends: Vec<&&Told<'_>> = told.iter().filter(|told| told.event_type == "missing.ended").collect();
    let mut episodes: Vec<Episode> = Vec::new();
    for start in told.iter().filter(|told| told.event_type == "missing.started") {
        let end = ends.iter().position(|end| end.agency == start.agency && end.at > start.at);
        let end = end.map(|at| ends.remove(at));
        let (to, entries) = (end.map(|end| end.at), end.map(|end| end.position));
        let entries = sorted(entries.into_iter().chain([start.position]));
        match episodes.last_mut() {
            Some(last) if last.to.is_none_or(|to| start.at < to) => {
                last.to = last.to.zip(to).map(|(one, other)| one.max(other));
                last.entries = sorted(last.entries.drain(..).chain(entries));
            }
            _ => episodes.push(Episode { from: start.at, to, entries }),
        }
    }
    assert!(ends.is_empty(), "an end without a start");
    episodes
}
