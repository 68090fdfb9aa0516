//! Retention: whose periods have ended by the rules in force, and ending what is due through the same erasure as any other
//! (`docs/ERASURE.md`). Nothing is run by itself, and the time is given by whoever asks.

mod ended;
mod everywhere;
mod run;

use gt_core::TreeSize;
use gt_core::time::Timestamp;
use gt_ledger::Ledger;
use gt_ledger::clock::{Clock as _, SystemClock};
use gt_ledger::open::OpenLedgerError;
use gt_projections::{MAX_LIMIT, Page, Queries, QueryError, RetentionRow};
use serde_json::{Value, json};

pub(crate) use everywhere::counted;
pub(crate) use run::{Run, run};

/// How many people are listed, or ended in one run, unless another number is asked for.
pub(crate) const USUAL_LIMIT: usize = 1_000;
/// The most that one answer lists, or one run ends.
pub(crate) const MOST: usize = 10_000;

/// Why nobody can say what is due.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DueError {
    /// The views cannot be asked.
    #[error(transparent)]
    Views(#[from] QueryError),
    /// The log cannot be read.
    #[error("the log cannot be read")]
    Log(#[from] OpenLedgerError),
    /// The list of erasures cannot be read.
    #[error(transparent)]
    Retired(#[from] gt_ledger::keyring::ConfirmError),
}

/// The time by this machine's clock.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(SystemClock::default().wall_millis()).unwrap_or(Timestamp::EPOCH)
}

/// What is due at `at`, for people and programs: those of whom something can be read, as the views have them; and at the end of that list
/// those whose texts have ended already and whose records are due. How many rules there are is said too: without any nothing is ever due.
pub(crate) fn due(
    ledger: &Ledger,
    views: &Queries,
    at: Timestamp,
    limit: usize,
    cursor: Option<String>,
) -> Result<Value, DueError> {
    let Readable { mut rows, next, .. } =
        readable(ledger, views, at, limit.clamp(1, MOST), cursor, |_| Ok(true))?;
    if next.is_none() {
        rows.extend(ended::due(ledger, at)?);
    }
    let rules = ledger.configuration().retention.as_ref().map_or(0, |retention| retention.rules.len());
    Ok(json!({"at": at.to_string(), "rules": rules, "items": rows, "next": next}))
}

/// Some of those of whom something can be read.
struct Readable {
    rows: Vec<RetentionRow>,
    /// The cursor to go on from.
    next: Option<String>,
    /// So many entries of the log the views had when the first of them was read.
    known: TreeSize,
}

/// Those whom `wanted` takes of the views' list, up to a number.
fn readable(
    ledger: &Ledger,
    views: &Queries,
    at: Timestamp,
    limit: usize,
    mut cursor: Option<String>,
    mut wanted: impl FnMut(&RetentionRow) -> Result<bool, DueError>,
) -> Result<Readable, DueError> {
    let (mut rows, mut known) = (Vec::new(), None);
    loop {
        // No more than there is room for: the cursor goes on where the page ended.
        let page = Page { limit: MAX_LIMIT.min(limit - rows.len()), cursor, ..Page::default() };
        let answer = views.ask(|views| views.retention_due(at, &page))?;
        let known = *known.get_or_insert(answer.as_of.tree_size);
        for row in answer.items {
            if let Some(row) = counted(ledger, row, at)?
                && wanted(&row)?
            {
                rows.push(row);
            }
        }
        cursor = answer.next;
        if cursor.is_none() || rows.len() >= limit {
            return Ok(Readable { rows, next: cursor, known });
        }
    }
}
