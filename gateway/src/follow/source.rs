use gt_core::{LeafIndex, TreeSize, prove};
use gt_ledger::Ledger;
use gt_ledger::bundle::ReadOnlyLedger;
use gt_ledger::layout::BUNDLE;
use gt_ledger::log::LogReader;
use gt_ledger::open::OpenLedgerError;
use gt_ledger::record::{ContextId, SignedRecord};
use gt_projections::{AsOf, ContextNaming, Readings};

use super::FollowError;

/// What views are folded from: a ledger, or a folder that is only read.
pub(crate) trait Source {
    /// The log.
    fn log(&self) -> &LogReader;
    /// Up to `count` records from `first` on, no further than the end of its bundle, with the values that views read.
    fn records(&self, first: LeafIndex, count: u64) -> Result<Vec<SignedRecord>, OpenLedgerError>;
    /// The opaque id of a place or other context.
    fn context_id(&self, reference: &str) -> ContextId;
    /// The entry that sealed the latest erasure.
    fn erased_at(&self) -> Option<LeafIndex>;
}

macro_rules! source {
    ($ledger:ty) => {
        impl Source for $ledger {
            fn log(&self) -> &LogReader {
                self.log()
            }

            fn records(&self, first: LeafIndex, count: u64) -> Result<Vec<SignedRecord>, OpenLedgerError> {
                self.records_with(first, count, gt_projections::is_read)
            }

            fn context_id(&self, reference: &str) -> ContextId {
                self.context_id(reference)
            }

            fn erased_at(&self) -> Option<LeafIndex> {
                self.erased_at()
            }
        }
    };
}

source!(Ledger);
source!(ReadOnlyLedger);

/// Names contexts as the ledger does.
struct Naming<'l, S>(&'l S);

impl<S: Source> ContextNaming for Naming<'_, S> {
    fn context_id(&self, reference: &str) -> ContextId {
        self.0.context_id(reference)
    }
}

/// Records as views read them, and the head of the log that they lead to.
pub(super) struct Stretch {
    pub(super) readings: Readings,
    pub(super) head: AsOf,
}

/// How many bundles a stretch has beyond the first while the views follow the log.
pub(super) const FOLLOWING: usize = 0;
/// The same while they catch up: a row is then written once for all of them, and the projector keeps no journal.
pub(super) const CATCHING_UP: usize = 3;

/// Reads from a position to the end of its bundle, and so many bundles more; none if there is nothing more.
pub(super) fn read(
    ledger: &impl Source,
    position: TreeSize,
    more: usize,
) -> Result<Option<Stretch>, FollowError> {
    let (mut records, mut next, size) = (Vec::new(), position, ledger.log().size());
    for _ in 0..=more {
        if next >= size {
            break;
        }
        let bundle = ledger.records(LeafIndex(next.0), BUNDLE)?;
        let Some(last) = bundle.last() else { break };
        next = last.entry.index.size_through();
        if records.is_empty() {
            records = bundle;
        } else {
            records.extend(bundle);
        }
    }
    let Some(last) = records.last() else { return Ok(None) };
    let tree_size = last.entry.index.size_through();
    let root = prove::root(ledger.log(), TreeSize(tree_size.0))?;
    let head = AsOf { tree_size, root, received_at: Some(last.entry.received_at) };
    Ok(Some(Stretch { readings: Readings::of(&records, &Naming(ledger)), head }))
}
