//! Opening the database, or finding why it cannot be opened.

use std::fs::{self, File, TryLockError};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::layers::{Layers, Limits};
use super::{FORMAT, LOCK, POSITION, RebuildReason, SHOWN, StoreError, TREES};
use crate::head::Head;

pub(super) fn lock(folder: &Path) -> Result<File, StoreError> {
    fs::create_dir_all(folder).map_err(StoreError::Folder)?;
    let lock = File::create(folder.join(LOCK)).map_err(StoreError::Folder)?;
    lock.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => StoreError::InUse,
        TryLockError::Error(source) => StoreError::Folder(source),
    })?;
    Ok(lock)
}

/// sled's threads may hold its files for a moment after a database was dropped. To open them then would fail, and
/// that must not pass for damage.
pub(super) fn wait_for_release(rows: &Path) -> Result<(), StoreError> {
    const STEP: Duration = Duration::from_millis(10);
    const STEPS: usize = 1000;
    let Ok(file) = File::open(rows.join("db")) else { return Ok(()) };
    for _ in 0..STEPS {
        match file.try_lock() {
            Ok(()) => return file.unlock().map_err(StoreError::Folder),
            Err(TryLockError::WouldBlock) => thread::sleep(STEP),
            Err(TryLockError::Error(source)) => return Err(StoreError::Folder(source)),
        }
    }
    Err(StoreError::InUse)
}

/// sled answers some damage with a panic instead of an error.
pub(super) fn open_database(config: &sled::Config) -> Result<sled::Db, sled::Error> {
    let opened = panic::catch_unwind(AssertUnwindSafe(|| config.open()));
    opened.unwrap_or_else(|_| Err(sled::Error::ReportableBug("it panicked while it was opened".into())))
}

/// The database, if what it holds can be gone on with.
pub(super) fn examined(
    config: &sled::Config,
    condemned: &Path,
    format: &[u8],
) -> Result<(Head, sled::Db, Layers), RebuildReason> {
    if condemned.exists() {
        return Err(RebuildReason::Damaged);
    }
    let db = open_database(config).map_err(|_| RebuildReason::OpenFailed)?;
    let examined = panic::catch_unwind(AssertUnwindSafe(|| examine(&db, format)));
    let (head, layers) = examined.unwrap_or(Err(RebuildReason::Damaged))?;
    Ok((head, db, layers))
}

fn examine(db: &sled::Db, format: &[u8]) -> Result<(Head, Layers), RebuildReason> {
    let damaged = |_| RebuildReason::Damaged;
    let shown = match db.get(SHOWN).map_err(damaged)? {
        None => TREES[0],
        Some(shown) => TREES.into_iter().find(|name| shown == *name).ok_or(RebuildReason::Damaged)?,
    };
    // Views that were being folded anew when the process ended.
    for other in TREES.into_iter().filter(|name| *name != shown) {
        db.drop_tree(other).map_err(damaged)?;
    }
    let damaged = |_| RebuildReason::Damaged;
    let tree = db.open_tree(shown).map_err(|_| RebuildReason::Damaged)?;
    let layers = Layers::open(tree, Limits::default()).map_err(damaged)?;
    if layers.get(FORMAT).map_err(damaged)?.as_deref() != Some(format) {
        return Err(RebuildReason::OtherFormat);
    }
    let position = layers.get(POSITION).map_err(damaged)?;
    let head = position.and_then(|bytes| Head::decode(&bytes)).ok_or(RebuildReason::Damaged)?;
    Ok((head, layers))
}
