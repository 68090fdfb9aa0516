//! What is said of somebody anywhere. The views count a child's own record, and the same person may be named in the record of another:
//! as a sibling, or later as a parent. What those entries say of this one would end with the rest.

use gt_core::time::Timestamp;
use gt_ledger::Ledger;
use gt_projections::RetentionRow;

use super::DueError;

/// What is due of a row once every entry that names the person counts, in whatever role; `None` if then nothing is. Who looked at a record
/// is no controller of it.
pub(crate) fn counted(
    ledger: &Ledger,
    mut row: RetentionRow,
    at: Timestamp,
) -> Result<Option<RetentionRow>, DueError> {
    let configured = ledger.configured();
    let Some(rules) = &configured.configuration.retention else { return Ok(None) };
    let mut tally = row.tally.clone();
    for owner in &row.identities {
        for index in ledger.entries_of(owner)? {
            for record in ledger.records_with(index, 1, |_| false)? {
                let Some(open) = &record.statement else { continue };
                let speaker = open.speaker();
                if !speaker.is_ledgers_own() {
                    tally.count(speaker.as_str(), record.entry.received_at, None);
                }
            }
        }
    }
    Ok(tally.due(rules, at).map(|due| {
        row.due = due;
        row
    }))
}
