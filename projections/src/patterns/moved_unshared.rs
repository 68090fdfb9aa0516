//! `moved-unshared`: a child moved into another local authority's area and nobody shared anything with that authority:
//! within 1 working day if the child is on a plan (CPP, CIN or CLA), else within 5 (DOMAIN section 5, pattern 7; the
//! numbers are thresholds). An emergency placement has the longer time, as the notification has.
//!
//! A Share or `SharePart` by anybody about the child with the new authority counts if it was shared by the deadline and not
//! longer than 28 days (a threshold) before the move; so does a notification that the move itself records. The deadline is
//! the end of the working day, in England's civil time with its bank holidays. What was shared in time and reported late retracts
//! the alert.
//!
//! **The id is anchored to** the move.

use gt_schemas::{AgencyCode, Configuration, Event, Plan, Time};

use super::sentence::counted;
use super::{ChildScene, DAY, Finding, Pattern, at_statement, span};
use crate::event::ViewEvent;

struct Move<'e> {
    to: &'e AgencyCode,
    planned: bool,
    emergency: bool,
    notified_at: Option<Time>,
}

pub(super) fn find(scene: &ChildScene<'_>, rules: &Configuration) -> Vec<Finding> {
    let found = scene.events.iter().filter_map(|(time, event)| {
        let moved = Move::of(event)?;
        finding(scene, *time, event, &moved, rules)
    });
    found.collect()
}

fn finding(
    scene: &ChildScene<'_>,
    time: i64,
    event: &ViewEvent,
    moved: &Move<'_>,
    rules: &Configuration,
) -> Option<Finding> {
    let threshold = rules.thresholds.moved_unshared;
    let working_days = if moved.planned && !moved.emergency {
        threshold.planned_working_days
    } else {
        threshold.other_working_days
    };
    let end = rules.calendar.end_of_working_day(Time::from_millis(time)?, working_days).as_millis();
    let told = moved.notified_at.is_some_and(|at| at.as_millis() < end);
    let from = time - span(threshold.lookback_days, DAY);
    let shared = scene.decisions().iter().any(|one| {
        one.decision.decision.shares()
            && one.recipients().any(|agency| agency == moved.to.as_str())
            && one.shared_at().is_some_and(|at| (from..end).contains(&at))
    });
    if told || shared {
        return None;
    }
    Some(Finding {
        pattern: Pattern::MovedUnshared,
        anchor: at_statement(event.statement),
        about: scene.about(),
        due: Some(end),
        window: (time, end),
        entries: vec![event.index],
        sentence: format!(
            "A child moved into the area of {} and nothing was shared with it within {}.",
            moved.to.as_str(),
            counted(working_days.into(), "working day")
        ),
    })
}

impl<'e> Move<'e> {
    fn of(event: &'e ViewEvent) -> Option<Self> {
        let (from, to, plan, emergency, notified_at) = match &event.event {
            Event::ChildMoved(moved) => {
                let notified = moved.times.as_ref().and_then(|times| times.notified_at);
                (&moved.from_la, &moved.to_la, moved.plan, moved.emergency, notified)
            }
            Event::PlacementStarted(placed) => {
                let notified = placed.times.as_ref().and_then(|times| times.notified_at);
                (&placed.from_la, &placed.to_la, placed.plan, placed.emergency, notified)
            }
            _ => return None,
        };
        (from != to).then(|| Self {
            to,
            planned: plan != Plan::None,
            emergency: emergency.unwrap_or(false),
            notified_at,
        })
    }
}
