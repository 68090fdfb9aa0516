//! Deadlines that pass though no entry comes: told when it happens, and not again when the log has caught up with it.

use std::collections::BTreeMap;

use gt_core::LeafIndex;
use gt_core::time::Timestamp;
use gt_projections::{AlertChange, AlertId, AlertStatus, AsOf, ChangeKind, Queries, QueryError, Retraction};

/// How long after a deadline it is told: what the ledger received before it may still be on its way to the views.
pub(super) const SETTLED_MILLIS: i64 = 2_000;

/// What was told ahead of the log.
#[derive(Default)]
pub(super) struct Clocks {
    /// The deadlines up to this time have been told.
    until: Option<Timestamp>,
    /// What was told and no entry has confirmed yet.
    ahead: BTreeMap<AlertId, AlertChange>,
}

impl Clocks {
    /// The alerts whose deadlines have passed by `now`, and that no entry has brought. To be asked while the views stand where the log does.
    pub(super) fn passed(
        &mut self,
        views: &Queries,
        as_of: AsOf,
        now: Timestamp,
    ) -> Result<Vec<AlertChange>, QueryError> {
        // What lies before the last entry, the entry itself has brought.
        let Some(from) = self.until.max(as_of.received_at) else { return Ok(Vec::new()) };
        let Some(to) = Timestamp::from_millis(now.as_millis() - SETTLED_MILLIS).filter(|to| *to > from)
        else {
            return Ok(Vec::new());
        };
        let raised = views.raised_between(from, to)?;
        self.until = Some(to);
        let changes = raised.into_iter().map(|alert| AlertChange {
            // The entry that comes next is the first after the deadline.
            index: LeafIndex(as_of.tree_size.0),
            at: alert.raised_at,
            change: ChangeKind::Raised,
            alert,
        });
        let changes: Vec<AlertChange> = changes.collect();
        self.ahead.extend(changes.iter().map(|change| (change.alert.id, change.clone())));
        Ok(changes)
    }

    /// What is left to tell of the changes that entries brought, up to the last entry of `as_of`: a raising that was told ahead of them is
    /// not told again, and one that they do not bear out is taken back.
    pub(super) fn borne_out(&mut self, changes: Vec<AlertChange>, as_of: AsOf) -> Vec<AlertChange> {
        if self.ahead.is_empty() {
            return changes;
        }
        let mut left: Vec<AlertChange> = Vec::with_capacity(changes.len());
        for change in changes {
            let told = self.ahead.get(&change.alert.id).filter(|_| change.change == ChangeKind::Raised);
            match told {
                Some(told) if told.at == change.at => {
                    let same = told.alert.entries == change.alert.entries;
                    self.ahead.remove(&change.alert.id);
                    // It was raised by more than was known when it was told.
                    if !same {
                        left.push(AlertChange { change: ChangeKind::Changed, ..change });
                    }
                }
                _ => left.push(change),
            }
        }
        let (Some(received_at), Some(last)) = (as_of.received_at, as_of.tree_size.0.checked_sub(1)) else {
            return left;
        };
        let by = LeafIndex(last);
        let refuted: Vec<AlertId> =
            self.ahead.iter().filter(|(_, told)| told.at <= received_at).map(|(id, _)| *id).collect();
        left.extend(refuted.into_iter().filter_map(|id| self.ahead.remove(&id)).map(|mut told| {
            told.alert.status = AlertStatus::Retracted;
            told.alert.retraction = Some(Retraction { at: received_at, by, replaced_by: None });
            AlertChange { index: by, at: received_at, change: ChangeKind::Retracted, alert: told.alert }
        }));
        left
    }
}

#[cfg(test)]
mod tests;
