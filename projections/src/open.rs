//! What a projector has in memory when it opens views that are there: read from their rows.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use gt_core::time::Timestamp;
use gt_schemas::Configuration;

use crate::alerts::{AlertId, Change, Log};
use crate::bytes::Reader;
use crate::event::StatementRef;
use crate::fold::Cache;
use crate::head::Head;
use crate::history::{Horizon, Mark};
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
    let cache = Cache::new(linked(store)?, replaced(store)?, clocks(store, head)?, last_received);
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
    read_rules(&row).map(|(_, rules)| Arc::new(rules)).ok_or_else(damaged)
}

/// The rules that were in force then.
pub(crate) fn rules_then(
    store: &Store,
    horizon: Horizon,
    default_rules: &Arc<Configuration>,
) -> Result<Arc<Configuration>, StoreError> {
    let damaged = || StoreError::Damaged { table: "rules" };
    let all = key::configurations();
    for row in store.range(all.clone(), key::after(&all), true) {
        let (row, value) = row?;
        let index = key::last_index(&row).ok_or_else(damaged)?;
        let (received_at, rules) = read_rules(&value).ok_or_else(damaged)?;
        if horizon.covers(Mark { index, received_at }) {
            return Ok(Arc::new(rules));
        }
    }
    Ok(Arc::clone(default_rules))
}

fn read_rules(row: &[u8]) -> Option<(i64, Configuration)> {
    let mut reader = Reader::new(row);
    let (received_at, text) = (reader.signed()?, reader.text()?);
    let rules = Configuration::read(&serde_json::from_str(text).ok()?).ok()?;
    reader.finish((received_at, rules))
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

fn replaced(store: &Store) -> Result<HashSet<StatementRef>, StoreError> {
    let damaged = || StoreError::Damaged { table: "supersessions" };
    let rows = store.starting_with(&key::all_superseded())?;
    let statement = |row: &[u8]| row.get(1..17)?.try_into().ok().map(StatementRef);
    rows.iter().map(|(row, _)| statement(row).ok_or_else(damaged)).collect()
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
                if log.is_reviewed(*mark, content) {
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
