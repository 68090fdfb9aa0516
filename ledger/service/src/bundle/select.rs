//! Which entries a bundle holds.

use std::collections::{BTreeSet, HashSet};

use gt_core::agency::AgencyCode;
use gt_core::bundle::About;
use gt_core::statement::PublisherId;
use gt_core::{LeafIndex, TreeSize};

use super::subjects::{Followed, follow};
use super::{Held, MakeBundleError, Selection};
use crate::layout::BUNDLE;
use crate::log::ReadError;
use crate::vault;

/// What was selected.
pub(super) struct Selected {
    pub(super) about: About,
    /// The entries, by rising index, without the registrar's.
    pub(super) records: Vec<LeafIndex>,
    /// The child's identities; none if it is not about a child.
    pub(super) subjects: Vec<Followed>,
    /// The last entry that the checkpoint must cover.
    pub(super) last: LeafIndex,
}

/// Selects entries of a log of this size. `registrar` has the registrar's.
pub(super) fn select(
    held: &impl Held,
    selection: &Selection,
    size: TreeSize,
    registrar: &[LeafIndex],
) -> Result<Selected, MakeBundleError> {
    let mut subjects = Vec::new();
    let (about, entries) = match selection {
        Selection::Entries { first, last } => {
            let (first, last) = (*first, *last);
            if last < first {
                return Err(MakeBundleError::EmptyRange { first, last });
            }
            need(last, size)?;
            (About::Entries { first, last }, (first.0..=last.0).map(LeafIndex).collect())
        }
        Selection::Child(child) => {
            subjects = follow(held, child, size)?;
            let about = About::Child { subjects: subjects.iter().map(|one| one.pseudonym.clone()).collect() };
            (about, subjects.iter().flat_map(|one| one.entries.iter().copied()).collect())
        }
        Selection::Agency(agency) => {
            (About::Agency { agency: agency.clone() }, of_agency(held, agency, size)?)
        }
        Selection::Alert { alert, pattern, entries } => {
            entries.iter().try_for_each(|index| need(*index, size))?;
            let about = About::Alert { alert: alert.clone(), pattern: pattern.clone() };
            (about, entries.iter().copied().collect::<BTreeSet<_>>())
        }
    };
    let last = entries.last().copied().unwrap_or(LeafIndex(0));
    let records = entries.into_iter().filter(|index| registrar.binary_search(index).is_err()).collect();
    Ok(Selected { about, records, subjects, last })
}

fn need(index: LeafIndex, size: TreeSize) -> Result<(), MakeBundleError> {
    if size.contains(index) { Ok(()) } else { Err(MakeBundleError::NoSuchEntry { index, size }) }
}

/// Everything that an agency signed. A publisher speaks for one agency for ever, so its publishers' statements are those.
fn of_agency(
    held: &impl Held,
    agency: &AgencyCode,
    size: TreeSize,
) -> Result<BTreeSet<LeafIndex>, MakeBundleError> {
    let registry = held.registry();
    let publishers: HashSet<PublisherId> = registry
        .publishers()
        .filter(|(_, publisher)| publisher.agency == *agency)
        .map(|(id, _)| *id)
        .collect();
    // The registrar is in no list of publishers: its statements are in every bundle.
    if publishers.is_empty() && *agency != AgencyCode::registrar() {
        return Err(MakeBundleError::UnknownAgency);
    }
    let (mut found, mut at) = (BTreeSet::new(), 0);
    while at < size.0 {
        let records = held.log().entries_and_vault(LeafIndex(at), BUNDLE.min(size.0 - at))?;
        if records.is_empty() {
            return Err(ReadError::NoSuchEntry { index: LeafIndex(at), size: held.log().size() }.into());
        }
        at += records.len() as u64;
        let of_these = |vault: &[u8]| vault::publisher_of(vault).is_some_and(|id| publishers.contains(&id));
        found.extend(records.iter().filter(|(_, vault)| of_these(vault)).map(|(entry, _)| entry.index));
    }
    Ok(found)
}
