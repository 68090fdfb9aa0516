//! `silent-edge`: two agencies have 3 or more children in common within 180 days, and one of them has never shared with the
//! other (DOMAIN section 5, pattern 13; both numbers are thresholds).
//!
//! A child is in common in a window if both have said something about it there, whatever that is, by event time and under
//! whichever identifiers. A share is any decision to share, in whole or in part, with the other agency among its
//! recipients, at any time: one is enough, and one that is reported late retracts the alert.
//!
//! **The id is anchored to** the two agencies, in the direction in which nothing was shared. The alert names the entries of the
//! first window in which there are enough.

use std::collections::BTreeMap;

use gt_ledger::record::OwnerId;
use gt_schemas::Configuration;
use gt_schemas::configuration::Window;

use super::sentence::{days, days_between};
use super::{DAY, Finding, Pattern, sorted, span};
use crate::subject::Subject;

/// One of the two said something about a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Meeting {
    pub(crate) time: i64,
    pub(crate) child: OwnerId,
    /// Whether it was the one that does not share.
    pub(crate) by_from: bool,
    pub(crate) index: u64,
}

/// What one direction gives. `meetings` are sorted by time; that nothing was shared is known.
pub(crate) fn find(from: &str, to: &str, meetings: &[Meeting], rules: &Configuration) -> Option<Finding> {
    let threshold = rules.thresholds.silent_edge;
    let window = first_window(meetings, threshold)?;
    let both = in_common(window);
    // What was said of other children in that time does not stretch the window.
    let of_both: Vec<&Meeting> = window.iter().filter(|one| both.contains(&one.child)).collect();
    let times = (of_both.first()?.time, of_both.last()?.time);
    let entries = sorted(of_both.iter().map(|one| one.index));
    Some(Finding {
        pattern: Pattern::SilentEdge,
        anchor: [from.as_bytes(), &[0], to.as_bytes()].concat(),
        about: Subject::Edge { from: from.to_owned(), to: to.to_owned() },
        due: None,
        window: times,
        entries,
        sentence: format!(
            "{from} and {to} had {} children in common in {}, and {from} has never shared with {to} ({} or more in {} asks for a review).",
            both.len(),
            days_between(times),
            threshold.count,
            days(threshold.days.into())
        ),
    })
}

/// The first stretch, no longer than the threshold's days, in which enough children are in common.
fn first_window(meetings: &[Meeting], threshold: Window) -> Option<&[Meeting]> {
    let span = span(threshold.days, DAY);
    let needed = usize::try_from(threshold.count).unwrap_or(usize::MAX);
    let mut inside: BTreeMap<OwnerId, [u32; 2]> = BTreeMap::new();
    let (mut first, mut common) = (0, 0_usize);
    for (last, one) in meetings.iter().enumerate() {
        while one.time - meetings[first].time > span {
            let gone = &meetings[first];
            let counts = inside.entry(gone.child).or_default();
            common -= usize::from(counts[0] > 0 && counts[1] > 0);
            counts[usize::from(gone.by_from)] -= 1;
            common += usize::from(counts[0] > 0 && counts[1] > 0);
            first += 1;
        }
        let counts = inside.entry(one.child).or_default();
        common -= usize::from(counts[0] > 0 && counts[1] > 0);
        counts[usize::from(one.by_from)] += 1;
        common += usize::from(counts[0] > 0 && counts[1] > 0);
        if common >= needed {
            // All of that moment, so that it does not matter which of them came first.
            let end = meetings.partition_point(|other| other.time <= one.time);
            return Some(&meetings[first..end.max(last + 1)]);
        }
    }
    None
}

/// The children about whom both said something.
fn in_common(window: &[Meeting]) -> Vec<OwnerId> {
    let mut said: BTreeMap<OwnerId, [bool; 2]> = BTreeMap::new();
    for one in window {
        said.entry(one.child).or_default()[usize::from(one.by_from)] = true;
    }
    said.into_iter().filter(|(_, both)| *both == [true, true]).map(|(child, _)| child).collect()
}
