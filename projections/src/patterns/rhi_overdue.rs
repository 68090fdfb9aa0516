//! `rhi-overdue`: 72 hours after a return, a return home interview has been neither held nor declined (statutory
//! guidance on children who run away or go missing; DOMAIN section 5, pattern 3).
//!
//! The clock runs from the return that ends a merged episode, in elapsed hours, over week-ends and clock changes: a child who was away
//! without authorisation, and is then missing, has not returned. An interview
//! counts if it was held or declined between the return and the deadline, both included, whoever reports it and
//! however late the report comes: then the alert is retracted. One that was held after the deadline was late, and the
//! alert stays for somebody to look at; an offer alone does not count. Nor does an interview about another absence: one that names the
//! start of an absence that stands counts for the episode to which that belongs, or that it turned into, and for no other.
//!
//! **The id is anchored to** the first report of the episode.

use gt_core::position::LeafIndex;
use gt_schemas::{Configuration, Event};

use super::sentence::hours;
use super::{ChildScene, Finding, HOUR, Pattern, at_statement, sorted, span};
use crate::event::StatementRef;
use crate::missing::{Episode, EpisodeState};

/// An interview that was held or declined.
struct Interview {
    time: i64,
    /// The start of the absence that it is about, if it names one that stands.
    of: Option<LeafIndex>,
}

pub(super) fn find(scene: &ChildScene<'_>, rules: &Configuration) -> Vec<Finding> {
    let threshold = rules.thresholds.rhi_overdue.hours;
    let (episodes, interviews) = (scene.episodes(), interviews(scene));
    let mut found = Vec::new();
    for episode in episodes {
        if !matches!(episode.state, EpisodeState::Ended | EpisodeState::StartNotReported) {
            continue;
        }
        let Some(returned) = episode.returned_at else { continue };
        let deadline = returned + span(threshold, HOUR);
        let counts = |interview: &Interview| {
            (returned..=deadline).contains(&interview.time)
                && interview.of.is_none_or(|start| is_within(start, episode, episodes))
        };
        if interviews.iter().any(counts) {
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

fn interviews(scene: &ChildScene<'_>) -> Vec<Interview> {
    let of = |time: i64, named: Option<StatementRef>| {
        let start = scene.events.iter().find(|(_, event)| {
            matches!(event.event, Event::MissingStarted(_)) && Some(event.statement) == named
        });
        Interview { time, of: start.map(|(_, event)| LeafIndex(event.index)) }
    };
    let held = scene
        .events
        .iter()
        .filter(|(_, event)| matches!(event.event, Event::RhiHeld(_) | Event::RhiDeclined(_)));
    held.map(|(time, event)| of(*time, event.refs.episode)).collect()
}

/// Whether an absence that began so belongs to the episode, or to one that turned into it: then the child had not returned in between.
fn is_within(start: LeafIndex, episode: &Episode, episodes: &[Episode]) -> bool {
    let turned_into_it = |earlier: &&Episode| {
        earlier.returned_at.is_none()
            && earlier.started_at < episode.started_at
            && episode.started_at.is_some_and(|begun| earlier.ended_at == Some(begun))
    };
    episode.entries.contains(&start)
        || episodes.iter().filter(turned_into_it).any(|earlier| is_within(start, earlier, episodes))
}
