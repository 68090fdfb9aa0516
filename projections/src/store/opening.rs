//! Opening the database, or finding why it cannot be opened.

use std::fs::{self, File, TryLockError};
use std::io;
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

/// Why rows that are there cannot be gone on with.
pub(super) enum Unusable {
    /// They are to be made again.
    Rebuild(RebuildReason),
    /// A file or a folder could not be used, as where too many are open: what is there may be sound.
    Failed(StoreError),
}

impl From<StoreError> for Unusable {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged { .. } | StoreError::Rows(_) => Self::Rebuild(RebuildReason::Damaged),
            other => Self::Failed(other),
        }
    }
}

impl From<sled::Error> for Unusable {
    fn from(_: sled::Error) -> Self {
        Self::Rebuild(RebuildReason::Damaged)
    }
}

/// The database, if what it holds can be gone on with.
pub(super) fn examined(
    config: &sled::Config,
    runs: &Path,
    condemned: &Path,
    format: &[u8],
) -> Result<(Head, sled::Db, Layers), Unusable> {
    if condemned.exists() {
        return Err(Unusable::Rebuild(RebuildReason::Damaged));
    }
    let db = open_database(config).map_err(|_| Unusable::Rebuild(RebuildReason::OpenFailed))?;
    let examined = panic::catch_unwind(AssertUnwindSafe(|| examine(&db, runs, format)));
    let (head, layers) = examined.unwrap_or(Err(Unusable::Rebuild(RebuildReason::Damaged)))?;
    Ok((head, db, layers))
}

fn examine(db: &sled::Db, runs: &Path, format: &[u8]) -> Result<(Head, Layers), Unusable> {
    let damaged = || Unusable::Rebuild(RebuildReason::Damaged);
    let shown = match db.get(SHOWN)? {
        None => TREES[0],
        Some(shown) => TREES.into_iter().find(|name| shown == name.as_bytes()).ok_or_else(damaged)?,
    };
    // Views that were being folded anew when the process ended.
    for other in TREES.into_iter().filter(|name| *name != shown) {
        remove_layers(db, runs, other)?;
    }
    let layers = open_layers(db, runs, shown)?;
    if layers.get(FORMAT)?.as_deref() != Some(format) {
        return Err(Unusable::Rebuild(RebuildReason::OtherFormat));
    }
    let head = layers.get(POSITION)?.and_then(|bytes| Head::decode(&bytes)).ok_or_else(damaged)?;
    Ok((head, layers))
}

/// The set of rows with this name.
pub(super) fn open_layers(db: &sled::Db, runs: &Path, tree: &str) -> Result<Layers, StoreError> {
    Layers::open(db.open_tree(tree)?, runs.join(tree), Limits::default())
}

/// Removes the set of rows with this name: what names its runs before they go.
pub(super) fn remove_layers(db: &sled::Db, runs: &Path, tree: &str) -> Result<(), StoreError> {
    if db.drop_tree(tree)? {
        db.flush()?;
    }
    remove_folders([&runs.join(tree)])
}

/// Removes folders with all that is in them, if they are there.
pub(super) fn remove_folders<const N: usize>(folders: [&Path; N]) -> Result<(), StoreError> {
    for folder in folders {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(StoreError::Folder(error)),
            _ => {}
        }
    }
    Ok(())
}
