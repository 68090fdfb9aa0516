//! Views of a folder that nobody serves, made for the occasion. They hold no text and no pseudonym, and are gone afterwards.

use gt_projections::{Options, Projector, Queries, StoreError};

use super::FollowError;
use super::source::{CATCHING_UP, Source, Stretch, read};

/// Asks views that are made of the whole log.
pub(crate) fn with_views<T>(ledger: &impl Source, ask: impl FnOnce(&Queries) -> T) -> Result<T, FollowError> {
    let folder = tempfile::tempdir().map_err(StoreError::Folder)?;
    let mut projector = Projector::open(folder.path(), Options::default())?.projector;
    // What was erased cannot be read any more, and is in none of the views that are made now.
    projector.begin(ledger.erased_at())?;
    while let Some(Stretch { readings, head }) = read(ledger, projector.position(), CATCHING_UP)? {
        projector.apply_readings(readings, head)?;
    }
    let answer = ask(&projector.queries());
    projector.close()?;
    Ok(answer)
}
