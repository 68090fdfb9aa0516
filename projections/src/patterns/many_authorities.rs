//! `many-authorities`: 3 or more local authorities hold a part of one child's story within 12 months, or 2 while the
//! child is in the secure estate (DOMAIN section 5, pattern 6; the numbers are thresholds).
//!
//! Counted are the authorities that moves and placements name, by event time: the one from which and the one to which. A
//! window runs for calendar months from a move, to the same day and time of day. A move between two authorities into
//! a secure placement, or on remand or sentence, is enough by itself.
//!
//! **The id is anchored to** the first move of a run: windows that share a move join.

use std::collections::BTreeSet;

use gt_schemas::{AgencyCode, Configuration, Event, Time};

use super::sentence::{counted, months};
use super::{ChildScene, Finding, Pattern, at_statement, sorted};
use crate::event::ViewEvent;

/// A move: from which authority, to which, and whether into the secure estate.
struct Move<'e> {
    time: i64,
    event: &'e ViewEvent,
    authorities: [&'e AgencyCode; 2],
    secure: bool,
}

pub(super) fn find(scene: &ChildScene<'_>, rules: &Configuration) -> Vec<Finding> {
    let moves: Vec<Move<'_>> =
        scene.events.iter().filter_map(|(time, event)| Move::of(*time, event)).collect();
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for first in 0..moves.len() {
        let Some(last) = qualifies(&moves, first, rules) else { continue };
        match runs.last_mut() {
            Some(run) if first <= run.1 => run.1 = run.1.max(last),
            _ => runs.push((first, last)),
        }
    }
    runs.into_iter().map(|(first, last)| finding(scene, &moves[first..=last], rules)).collect()
}

/// The last move of the window that begins with this one, if there are enough authorities in it.
fn qualifies(moves: &[Move<'_>], first: usize, rules: &Configuration) -> Option<usize> {
    let threshold = rules.thresholds.many_authorities;
    let end = rules.calendar.add_months(Time::from_millis(moves[first].time)?, threshold.months).as_millis();
    let inside = moves[first..].partition_point(|one| one.time <= end);
    let window = &moves[first..first + inside];
    let needed = if window.iter().any(|one| one.secure) { threshold.secure_count } else { threshold.count };
    let enough = authorities(window).len() >= usize::try_from(needed).unwrap_or(usize::MAX);
    enough.then_some(first + inside - 1)
}

fn authorities<'e>(moves: &[Move<'e>]) -> BTreeSet<&'e AgencyCode> {
    moves.iter().flat_map(|one| one.authorities).collect()
}

fn finding(scene: &ChildScene<'_>, run: &[Move<'_>], rules: &Configuration) -> Finding {
    let threshold = rules.thresholds.many_authorities;
    let secure = run.iter().any(|one| one.secure);
    let asks = if secure {
        format!("{} while in the secure estate asks for a review", threshold.secure_count)
    } else {
        format!("{} or more in {} asks for a review", threshold.count, months(threshold.months.into()))
    };
    let number = i64::try_from(authorities(run).len()).unwrap_or(i64::MAX);
    Finding {
        pattern: Pattern::ManyAuthorities,
        anchor: at_statement(run[0].event.statement),
        about: scene.about(),
        due: None,
        window: (run[0].time, run[run.len() - 1].time),
        entries: sorted(run.iter().map(|one| one.event.index)),
        sentence: format!(
            "{} local authorities were involved with one child over {} ({asks}).",
            number,
            counted(i64::try_from(run.len()).unwrap_or(i64::MAX), "move")
        ),
    }
}

impl<'e> Move<'e> {
    fn of(time: i64, event: &'e ViewEvent) -> Option<Self> {
        let (authorities, secure) = match &event.event {
            Event::ChildMoved(moved) => ([&moved.from_la, &moved.to_la], false),
            Event::PlacementStarted(placed) => ([&placed.from_la, &placed.to_la], placed.is_secure()),
            _ => return None,
        };
        Some(Self { time, event, authorities, secure })
    }
}
