//! What a projector has in memory when it opens views that are there: read from their rows.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use gt_core::time::Timestamp;
use gt_schemas::Configuration;

use crate::alerts::{AlertId, Change, Log};
use crate::fold::Cache;
use crate::head::Head;
use crate::key;
use crate::store::{Rows as _, Store, StoreError};
use crate::subject::Unit;

/// The cache for the next batch, and the rules in force. Rows of the list of standing alerts that a crash has left without a reason
/// are removed.
pub(crate) fn restore(
    store: &Store,
    head: &Head,
    default_rules: &Arc<Configuration>,
) -> Result<(Cache, Arc<Configuration>), StoreError> {
    let last_received = head.as_of.received_at.map(Timestamp::as_millis);
    let cache = Cache::new(linked(store)?, clocks(store, head)?, last_received);
    Ok((cache, rules(store, head, default_rules)?))
}

/// The rules in force at a position.
pub(crate) fn rules(
    store: &Store,
    head: &Head,
    default_rules: &Arc<Configuration>,
) -> Result<Arc<Configuration>, StoreError> {
    let Some(index) = head.rules_from else { return Ok(Arc::clone(default_rules)) };
    let damaged = || StoreError::Damaged { table: "rules" };
    let row = store.get(&key::configuration(index))?.ok_or_else(damaged)?;
    let members = serde_json::from_slice(&row).map_err(|_| damaged())?;
    Ok(Arc::new(Configuration::read(&members).map_err(|_| damaged())?))
}

fn linked(store: &Store) -> Result<HashSet<gt_ledger::record::OwnerId>, StoreError> {
    let damaged = || StoreError::Damaged { table: "identities" };
    let mut linked = HashSet::new();
    for (row, _) in store.starting_with(&key::histories(b'i'))? {
        match Unit::split(&row[1..]) {
            Some((Unit::Identity(owner), _)) => linked.insert(owner),
            _ => return Err(damaged()),
        };
    }
    Ok(linked)
}

fn clocks(store: &Store, head: &Head) -> Result<BTreeSet<(i64, AlertId)>, StoreError> {
    let damaged = || StoreError::Damaged { table: "alerts" };
    let last = head.as_of.received_at.map_or(i64::MIN, Timestamp::as_millis);
    let (mut clocks, mut gone) = (BTreeSet::new(), Vec::new());
    for (row, _) in store.starting_with(&key::standing())? {
        let raised_at = key::time_after_tag(&row).ok_or_else(damaged)?;
        let id = row.last_chunk().copied().map(AlertId::from_bytes).ok_or_else(damaged)?;
        let log = Log::load(store, &id, head.as_of.tree_size.0)?;
        match log.latest() {
            Some((mark, Change::Stands(content))) if content.raised_at == raised_at => {
                if log.is_reviewed_since(*mark) {
                    gone.push(row);
                } else if raised_at > last {
                    clocks.insert((raised_at, id));
                }
            }
            _ => gone.push(row),
        }
    }
    store.remove(gone)?;
    Ok(clocks)
}
