//! Missing episodes: what several agencies report of a child's absences, put together.
//!
//! Agencies do not know each other's references, so starts and ends are paired by child and time. It goes in two
//! steps, and the result depends on the set of reports and not on the order in which they came:
//!
//! 1. [`absence`]: each agency's starts are paired with ends, its own first.
//! 2. [`episode`]: absences that overlap are one episode.

mod absence;
mod episode;

pub use episode::{Episode, EpisodeState};

use crate::event::ViewEvent;

/// A child's episodes, by when they began. Events of other types are passed over.
pub(crate) fn episodes<'e>(events: impl Iterator<Item = (i64, &'e ViewEvent)>) -> Vec<Episode> {
    let (absences, unpaired) = absence::pair(events);
    episode::merge(absences, &unpaired)
}

#[cfg(test)]
mod tests;
