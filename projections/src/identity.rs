//! One person, several identifiers: who is the same as whom, by `identifier.linked` and `identifier.unlinked`.
//!
//! Of what is said about a pair, the latest by event time holds, whoever said it, and holds for all of the past: events
//! are merged and un-merged back in time. Links join into groups: if a is b and b is c, all three are one.

use std::collections::{BTreeMap, BTreeSet};

use gt_ledger::record::OwnerId;
use gt_schemas::Event;

use crate::event::{StatementRef, ViewEvent};
use crate::history::{History, Horizon};
use crate::store::{Rows, StoreError};
use crate::subject::Unit;

/// Everybody who is the same person as this one, by what the rows say; the person too. The least of them stands for all.
pub(crate) fn group(
    rows: &impl Rows,
    owner: OwnerId,
    horizon: Horizon,
) -> Result<BTreeSet<OwnerId>, StoreError> {
    group_by(owner, |owner| {
        Ok(partners(&History::load(rows, &Unit::Identity(owner), horizon.size)?, owner, horizon))
    })
}

/// The same, with whatever tells each one's partners.
pub(crate) fn group_by(
    owner: OwnerId,
    mut partners_of: impl FnMut(OwnerId) -> Result<Vec<OwnerId>, StoreError>,
) -> Result<BTreeSet<OwnerId>, StoreError> {
    let (mut group, mut next) = (BTreeSet::from([owner]), vec![owner]);
    while let Some(owner) = next.pop() {
        for partner in partners_of(owner)? {
            if group.insert(partner) {
                next.push(partner);
            }
        }
    }
    Ok(group)
}

/// With whom the owner is linked directly.
pub(crate) fn partners(history: &History, owner: OwnerId, horizon: Horizon) -> Vec<OwnerId> {
    let mut latest: BTreeMap<OwnerId, (i64, StatementRef, bool)> = BTreeMap::new();
    for event in history.events().iter().filter(|event| event.stands(horizon)) {
        let Some((partner, linked)) = says(event, owner) else { continue };
        let said = (event.listed_at(), event.statement, linked);
        latest.entry(partner).and_modify(|known| *known = said.max(*known)).or_insert(said);
    }
    latest.into_iter().filter(|(_, (.., linked))| *linked).map(|(partner, _)| partner).collect()
}

fn says(event: &ViewEvent, owner: OwnerId) -> Option<(OwnerId, bool)> {
    let linked = match event.event {
        Event::IdentifierLinked(_) => true,
        Event::IdentifierUnlinked(_) => false,
        _ => return None,
    };
    let partner = event.identified.iter().find(|identified| **identified != owner)?;
    Some((*partner, linked))
}
