//! What is planted: for each pattern of DOMAIN section 5 the case that raises its alert, and beside it the near misses,
//! which come as close to the rule as they can and raise none.
//!
//! Every scene has children, places, persons and agreements of its own. Except where the pattern is about two agencies, only
//! agencies that have shared with each other speak of one child, so that no scene adds a silent edge.

pub(crate) mod absences;
pub(crate) mod contexts;
pub(crate) mod edges;
pub(crate) mod harm;
pub(crate) mod moves;
pub(crate) mod reliance;
pub(crate) mod requests;
pub(crate) mod shares;

use crate::story::Story;

/// Plants the `nth` case of a pattern.
pub(crate) type Planting = fn(&mut Story, usize);

/// All near misses, once each.
pub(crate) fn near_misses(story: &mut Story) {
    absences::near_misses(story);
    contexts::near_misses(story);
    moves::near_misses(story);
    requests::near_misses(story);
    harm::near_misses(story);
    shares::near_misses(story);
    reliance::near_misses(story);
    edges::near_misses(story);
}
