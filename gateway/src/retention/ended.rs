//! People whose texts have ended, and whose records are kept: views know nothing of them. Their statements say who spoke and which plan
//! there was, and the entry of their erasure who they are, by opaque ids.

use std::collections::{BTreeMap, BTreeSet};

use gt_core::LeafIndex;
use gt_core::erasure::Scope;
use gt_core::time::Timestamp;
use gt_ledger::Ledger;
use gt_ledger::layout::BUNDLE;
use gt_ledger::record::{OwnerId, Record};
use gt_projections::{RetentionRow, RetentionTally};
use gt_schemas::{Plan, RetentionClass};

use super::DueError;
use crate::control;

/// Those of whom the records are due. They ended together with their texts, so that they end together now: the erasure that ended the
/// texts says no more of who was one person. Reads the log; there is nobody to look for in most ledgers, and then it reads nothing.
pub(super) fn due(ledger: &Ledger, at: Timestamp) -> Result<Vec<RetentionRow>, DueError> {
    let configured = ledger.configured();
    let Some(rules) = &configured.configuration.retention else { return Ok(Vec::new()) };
    let groups = erased(ledger)?;
    let group_of: BTreeMap<OwnerId, usize> = groups
        .iter()
        .enumerate()
        .flat_map(|(at, owners)| owners.iter().map(move |owner| (*owner, at)))
        .collect();
    if group_of.is_empty() {
        return Ok(Vec::new());
    }
    // The records of one that have ended since have no statement any more, and are not among these.
    let mut found: BTreeMap<usize, (BTreeSet<OwnerId>, RetentionTally)> = BTreeMap::new();
    let (mut next, size) = (0, ledger.log().size().0);
    while next < size {
        let records = ledger.records(LeafIndex(next), BUNDLE.min(size - next))?;
        let Some(last) = records.last() else { break };
        next = last.entry.index.0 + 1;
        for record in &records {
            let Some((owner, controller, class)) = said(record) else { continue };
            let Some(group) = group_of.get(&owner) else { continue };
            let (owners, tally) = found.entry(*group).or_default();
            owners.insert(owner);
            tally.count(&controller, record.entry.received_at, class);
        }
    }
    let row = |(owners, tally): (BTreeSet<OwnerId>, RetentionTally)| {
        let due = tally.due(rules, at).filter(|due| due.ends == Scope::Records.as_str())?;
        let child = *owners.first()?;
        Some(RetentionRow { child, identities: owners, due, held_by: Vec::new(), tally })
    };
    Ok(found.into_values().filter_map(row).collect())
}

/// The owners of each erasure that ended texts alone.
fn erased(ledger: &Ledger) -> Result<Vec<Vec<OwnerId>>, DueError> {
    let sealed = ledger.retired_keks()?.into_iter().filter_map(|kek| control::sealed(ledger, kek.erasure?));
    let texts =
        sealed.filter(|erasure| erasure.get("scope").is_some_and(|scope| scope == Scope::Data.as_str()));
    let owners = texts.map(|erasure| {
        let owners = erasure.get("owners").and_then(serde_json::Value::as_array).into_iter().flatten();
        owners.filter_map(|owner| OwnerId::parse(owner.as_str()?)).collect()
    });
    Ok(owners.collect())
}

/// About whom a statement is, who speaks, and the class of the plan that it records. Who looked at a record is no controller of it.
fn said(record: &Record) -> Option<(OwnerId, String, Option<RetentionClass>)> {
    let open = record.statement.as_ref()?;
    let speaker = open.speaker();
    if speaker.is_ledgers_own() {
        return None;
    }
    let plan = open.clear.get("plan").and_then(|plan| Plan::parse(plan.as_str()?));
    Some((open.primary?, speaker.to_string(), plan.map(RetentionClass::of)))
}
