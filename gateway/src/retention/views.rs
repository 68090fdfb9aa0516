//! Views of a folder that nobody serves, made for the occasion. They hold no text and no pseudonym, and are gone afterwards.

use gt_core::{LeafIndex, TreeSize, prove};
use gt_ledger::Ledger;
use gt_ledger::layout::BUNDLE;
use gt_projections::{AsOf, Options, Projector, Queries, StoreError};

use crate::follow::{FollowError, Naming};

/// Asks views that are made of the whole log.
pub(crate) fn with_views<T>(ledger: &Ledger, ask: impl FnOnce(&Queries) -> T) -> Result<T, FollowError> {
    let folder = tempfile::tempdir().map_err(StoreError::Folder)?;
    let mut projector = Projector::open(folder.path(), Options::default())?.projector;
    // What was erased cannot be read any more, and is in none of the views that are made now.
    projector.begin(ledger.erased_at())?;
    let size = ledger.log().size();
    while projector.position() < size {
        let records = ledger.records(LeafIndex(projector.position().0), BUNDLE)?;
        let Some(last) = records.last() else { break };
        let tree_size = last.entry.index.size_through();
        let root = prove::root(ledger.log(), TreeSize(tree_size.0))?;
        let head = AsOf { tree_size, root, received_at: Some(last.entry.received_at) };
        projector.apply(&records, head, &Naming(ledger))?;
    }
    let answer = ask(&projector.queries());
    projector.close()?;
    Ok(answer)
}
