//! Ending what is due. Everybody is asked about again before anything is destroyed, so a run that was interrupted is run again: whoever has
//! ended is not due any more.

use gt_core::TreeSize;
use gt_core::agency::AgencyCode;
use gt_core::erasure::{MAX_OWNERS, Scope, ground};
use gt_core::time::Timestamp;
use gt_ledger::Ledger;
use gt_ledger::erasure::{EraseError, EraseRequest, Whom};
use gt_ledger::record::OwnerId;
use gt_projections::{Queries, RetentionRow};
use serde_json::{Value, json};

use super::{DueError, MOST, Readable, ended, now, readable};
use crate::control;

/// What is to be run.
pub(crate) struct Run {
    /// The agency that decided on it.
    pub(crate) authority: AgencyCode,
    /// Up to when periods must have ended.
    pub(crate) at: Timestamp,
    /// The most people whom it ends.
    pub(crate) limit: usize,
}

/// Why a run has not begun, or has ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// Nothing ends before its time.
    #[error(
        "that time has not come: what is due then is shown by `goldenthread retention due`, and ended when it has come"
    )]
    TooEarly,
    /// Nobody can say what is due.
    #[error(transparent)]
    Due(#[from] DueError),
    /// An erasure was refused. What was erased before stays so.
    #[error("{}: {source}", before(*done))]
    Refused {
        /// How many were made before.
        done: usize,
        /// Why.
        source: EraseError,
    },
}

fn before(done: usize) -> String {
    match done {
        0 => "nothing was ended".to_owned(),
        done => format!(
            "{done} erasures were made and stay (goldenthread erase status lists them), then one was refused; run it again to go on"
        ),
    }
}

impl RunError {
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::TooEarly => "too_early",
            Self::Due(_) => "unreadable",
            Self::Refused { source, .. } => source.code(),
        }
    }
}

/// A person of whom something is ended.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ending {
    owners: Vec<OwnerId>,
    scope: Scope,
    /// The year in which the records are due; none if they never are.
    year: Option<String>,
}

/// Ends what is due, the texts first. One erasure ends as many people as have room in it and whose records are due in the same year, so that
/// the key-encryption key is renewed once for all of them.
pub(crate) fn run(ledger: &Ledger, views: &Queries, run: &Run) -> Result<Value, RunError> {
    // The log's own time may be ahead of this machine's; a clock that is wrong must not end anything early.
    if run.at > now().max(ledger.last_received_at().unwrap_or(Timestamp::EPOCH)) {
        return Err(RunError::TooEarly);
    }
    let limit = run.limit.clamp(1, MOST);
    let (mut endings, mut held) = (Vec::new(), Vec::new());
    let mut look = |row: &RetentionRow, named: Vec<OwnerId>| match ledger.would_erase(&request(
        run,
        scope(row),
        named,
        None,
    )) {
        Ok(owners) => {
            endings.push(Ending { owners, scope: scope(row), year: year(row) });
            Ok(true)
        }
        Err(EraseError::Held(holds)) => {
            let holds = holds.iter().map(|hold| json!({"entry": hold.index.0, "ended_by": hold.ended_by}));
            held.push(json!({"child": row.child.to_string(), "held_by": holds.collect::<Vec<Value>>()}));
            Ok(false)
        }
        // The views are behind: it has ended since.
        Err(EraseError::Unknown | EraseError::AlreadyErased) => Ok(false),
        Err(source) => Err(source),
    };
    let mut refusal = None;
    let looked = readable(ledger, views, run.at, limit, None, |row| match look(row, vec![row.child]) {
        Ok(wanted) => Ok(wanted),
        Err(source) => {
            refusal = refusal.take().or(Some(source));
            Ok(false)
        }
    })?;
    let Readable { rows, next, known } = looked;
    if next.is_none() {
        for row in ended::due(ledger, run.at)?.iter().take(limit.saturating_sub(rows.len())) {
            // Nothing that can be read joins them any more, so all are named.
            if let Err(source) = look(row, row.identities.iter().copied().collect()) {
                refusal = refusal.or(Some(source));
            }
        }
    }
    if let Some(source) = refusal {
        return Err(RunError::Refused { done: 0, source });
    }
    let mut persons = endings.len();
    let (mut erasures, mut changed) = (Vec::new(), Vec::new());
    for Together { scope, owners, persons: these } in together(endings) {
        match ledger.erase(&request(run, scope, owners.clone(), Some(known))) {
            Ok(done) => erasures.push(control::receipt(&done)),
            // It may not be due any more. The next run tells.
            Err(EraseError::Changed) => {
                persons -= these;
                changed.extend(owners.iter().map(ToString::to_string));
            }
            Err(source) => return Err(RunError::Refused { done: erasures.len(), source }),
        }
    }
    Ok(json!({
        "at": run.at.to_string(), "persons": persons, "erasures": erasures, "held": held, "changed": changed,
        "more": next.is_some() || !changed.is_empty(),
    }))
}

fn request(run: &Run, scope: Scope, owners: Vec<OwnerId>, known: Option<TreeSize>) -> EraseRequest {
    let ground = ground("RetentionEnded").expect("it is one of the grounds");
    EraseRequest { whom: Whom::Persons(owners), scope, authority: run.authority.clone(), ground, known }
}

fn scope(row: &RetentionRow) -> Scope {
    Scope::parse(row.due.ends).expect("the views say data or records")
}

fn year(row: &RetentionRow) -> Option<String> {
    row.due.records_end.map(|end| end.to_string().chars().take(4).collect())
}

/// Who is ended by one erasure.
struct Together {
    scope: Scope,
    owners: Vec<OwnerId>,
    /// How many people they are.
    persons: usize,
}

/// Who is ended together: texts before records, and nobody's identifiers in two erasures.
fn together(mut endings: Vec<Ending>) -> Vec<Together> {
    endings.sort_by_key(|ending| (ending.scope == Scope::Records, ending.year.clone()));
    let mut batches: Vec<(Option<String>, Together)> = Vec::new();
    for Ending { owners, scope, year } in endings {
        match batches.last_mut() {
            Some((of, batch))
                if batch.scope == scope && *of == year && batch.owners.len() + owners.len() <= MAX_OWNERS =>
            {
                batch.owners.extend(owners);
                batch.persons += 1;
            }
            _ => batches.push((year, Together { scope, owners, persons: 1 })),
        }
    }
    batches.into_iter().map(|(_, batch)| batch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(number: u8, identifiers: u8, scope: Scope, year: Option<&str>) -> Ending {
        let owners = (0..identifiers)
            .map(|one| OwnerId::from_bytes([number, one, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
        Ending { owners: owners.collect(), scope, year: year.map(ToOwned::to_owned) }
    }

    #[test]
    fn as_many_are_ended_together_as_there_is_room_for_and_texts_first() {
        let many = (0..100).map(|number| ending(number, 1, Scope::Data, Some("2104")));
        let batches = together(many.collect());
        assert_eq!(batches.iter().map(|batch| batch.owners.len()).collect::<Vec<_>>(), [64, 36]);
        let mixed = vec![
            ending(1, 2, Scope::Records, Some("2030")),
            ending(2, 40, Scope::Data, Some("2104")),
            ending(3, 40, Scope::Data, Some("2104")),
            ending(4, 1, Scope::Data, Some("2105")),
            ending(5, 1, Scope::Data, None),
        ];
        let batches = together(mixed);
        let told: Vec<_> =
            batches.iter().map(|batch| (batch.scope.as_str(), batch.owners.len(), batch.persons)).collect();
        assert_eq!(
            told,
            [("data", 1, 1), ("data", 40, 1), ("data", 40, 1), ("data", 1, 1), ("records", 2, 1)]
        );
    }
}
