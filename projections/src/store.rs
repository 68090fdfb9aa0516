//! The rows, in sled; nothing else in this crate knows sled.
//!
//! - **Durability**: none is needed. Whatever is lost is built again from the log. A flush happens on a schedule and
//!   at the end. sled recovers a prefix of the writes, so the position, written last, never stands before its rows.
//! - **Rebuilding**: a store that cannot be opened, has another format or a damaged position is deleted, and the
//!   caller is told. Deleted is only the folder that this module made, inside the one that it was given.
//! - **Writes** are plain inserts, each key once a batch (DESIGN section 7 has the measurements).
//! - **Concurrency**: one writer; any number of readers, who must leave out rows at or above the position.

use std::fs::{self, File, TryLockError};
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde::Serialize;

use crate::head::Head;

/// A key and its value.
pub(crate) type Row = (Vec<u8>, Vec<u8>);

/// The view store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process, or another projector of this one, has the views open.
    #[error("the views are in use by another process")]
    InUse,
    /// The folder cannot be created, locked or deleted.
    #[error("the folder of the views cannot be used")]
    Folder(#[source] io::Error),
    /// A row could not be read or written.
    #[error("the view store failed")]
    Rows(#[source] sled::Error),
    /// A row does not hold what belongs there. The next [`crate::Projector::open`] rebuilds.
    #[error("a row of {table} is damaged")]
    Damaged {
        /// What the row belongs to.
        table: &'static str,
    },
}

/// Why the views start again from nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RebuildReason {
    /// The store could not be opened.
    OpenFailed,
    /// It was written by another version of the views, or with other thresholds.
    OtherFormat,
    /// The position is damaged, or a damaged row was found.
    Damaged,
}

/// Reading rows: from the store, or from the store under a batch that is not written yet.
pub(crate) trait Rows {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
    /// The rows whose keys start so, in order.
    fn starting_with(&self, prefix: &[u8]) -> Result<Vec<Row>, StoreError>;
}

#[derive(Clone)]
pub(crate) struct Store(Arc<Inner>);

/// Fields are dropped in order: the lock must outlive the database.
struct Inner {
    db: sled::Db,
    _lock: File,
}

/// How sled is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) cache_bytes: u64,
    pub(crate) flush_every_ms: u64,
}

const FOLDER: &str = "rows.sled";
const LOCK: &str = "rows.lock";
const FORMAT: &[u8] = b"\0format";
const POSITION: &[u8] = b"\0position";

impl Store {
    /// Opens the store below `folder`, or starts an empty one. `format` is what its content depends on besides the
    /// log.
    pub(crate) fn open(
        folder: &Path,
        format: &[u8],
        settings: Settings,
    ) -> Result<(Self, Head, Option<RebuildReason>), StoreError> {
        let lock = lock(folder)?;
        let rows = folder.join(FOLDER);
        let config = sled::Config::new()
            .path(&rows)
            .cache_capacity(settings.cache_bytes)
            .flush_every_ms(Some(settings.flush_every_ms.max(1)));
        let reason = if rows.exists() {
            wait_for_release(&rows)?;
            let reason = match open_database(&config).map(|db| (examine(&db, format), db)) {
                Ok((Ok(head), db)) => return Ok((Self(Arc::new(Inner { db, _lock: lock })), head, None)),
                Ok((Err(reason), _)) => reason,
                Err(_) => RebuildReason::OpenFailed,
            };
            wait_for_release(&rows)?;
            fs::remove_dir_all(&rows).map_err(StoreError::Folder)?;
            Some(reason)
        } else {
            None
        };
        let db = open_database(&config).map_err(StoreError::Rows)?;
        db.insert(FORMAT, format).map_err(StoreError::Rows)?;
        db.insert(POSITION, Head::empty().encode()).map_err(StoreError::Rows)?;
        Ok((Self(Arc::new(Inner { db, _lock: lock })), Head::empty(), reason))
    }

    /// Deletes the store below `folder`.
    pub(crate) fn discard(folder: &Path) -> Result<(), StoreError> {
        let _lock = lock(folder)?;
        let rows = folder.join(FOLDER);
        if !rows.exists() {
            return Ok(());
        }
        wait_for_release(&rows)?;
        fs::remove_dir_all(&rows).map_err(StoreError::Folder)
    }

    /// Writes rows, each on its own, and the position after them.
    pub(crate) fn write(&self, rows: impl IntoIterator<Item = Row>, head: &Head) -> Result<(), StoreError> {
        for (key, value) in rows {
            self.0.db.insert(key, value).map_err(StoreError::Rows)?;
        }
        self.0.db.insert(POSITION, head.encode()).map_err(StoreError::Rows)?;
        Ok(())
    }

    /// Where the views stand.
    pub(crate) fn head(&self) -> Result<Head, StoreError> {
        let row = self.0.db.get(POSITION).map_err(StoreError::Rows)?;
        row.and_then(|bytes| Head::decode(&bytes)).ok_or(StoreError::Damaged { table: "position" })
    }

    /// Rows from the key `from` to the key `to`, both included, from either side.
    pub(crate) fn range(
        &self,
        from: Vec<u8>,
        to: Vec<u8>,
        backwards: bool,
    ) -> impl Iterator<Item = Result<Row, StoreError>> {
        // sled panics at a range whose ends are in the wrong order.
        let mut rows = (from <= to).then(|| self.0.db.range(from..=to));
        std::iter::from_fn(move || {
            let rows = rows.as_mut()?;
            let row = if backwards { rows.next_back() } else { rows.next() };
            row.map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())).map_err(StoreError::Rows))
        })
    }

    /// The first key from this one on.
    pub(crate) fn first_from(&self, from: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.0.db.range(from..).next().transpose().map_err(StoreError::Rows)?;
        Ok(row.map(|(key, _)| key.to_vec()))
    }

    /// Removes rows that say nothing any more.
    pub(crate) fn remove(&self, keys: impl IntoIterator<Item = Vec<u8>>) -> Result<(), StoreError> {
        for key in keys {
            self.0.db.remove(key).map_err(StoreError::Rows)?;
        }
        Ok(())
    }

    /// Makes the next opening rebuild, after a damaged row was found.
    pub(crate) fn condemn(&self) -> Result<(), StoreError> {
        self.0.db.remove(POSITION).map_err(StoreError::Rows)?;
        self.flush()
    }

    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        self.0.db.flush().map(|_| ()).map_err(StoreError::Rows)
    }

    /// All rows, each with its lengths before it: the same for the same log.
    pub(crate) fn dump(&self) -> Result<Vec<u8>, StoreError> {
        let mut dump = Vec::new();
        for row in self.0.db.iter() {
            let (key, value) = row.map_err(StoreError::Rows)?;
            for part in [key, value] {
                dump.extend_from_slice(&(part.len() as u64).to_be_bytes());
                dump.extend_from_slice(&part);
            }
        }
        Ok(dump)
    }
}

impl Rows for Store {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.db.get(key).map_err(StoreError::Rows)?.map(|value| value.to_vec()))
    }

    fn starting_with(&self, prefix: &[u8]) -> Result<Vec<Row>, StoreError> {
        let row = |row: sled::Result<(sled::IVec, sled::IVec)>| {
            row.map(|(key, value)| (key.to_vec(), value.to_vec())).map_err(StoreError::Rows)
        };
        self.0.db.scan_prefix(prefix).map(row).collect()
    }
}

fn lock(folder: &Path) -> Result<File, StoreError> {
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
fn wait_for_release(rows: &Path) -> Result<(), StoreError> {
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
fn open_database(config: &sled::Config) -> Result<sled::Db, sled::Error> {
    let opened = panic::catch_unwind(AssertUnwindSafe(|| config.open()));
    opened.unwrap_or_else(|_| Err(sled::Error::ReportableBug("it panicked while it was opened".into())))
}

fn examine(db: &sled::Db, format: &[u8]) -> Result<Head, RebuildReason> {
    let row = |key: &[u8]| panic::catch_unwind(AssertUnwindSafe(|| db.get(key)));
    let (Ok(Ok(found)), Ok(Ok(position))) = (row(FORMAT), row(POSITION)) else {
        return Err(RebuildReason::Damaged);
    };
    if found.as_deref() != Some(format) {
        return Err(RebuildReason::OtherFormat);
    }
    position.and_then(|bytes| Head::decode(&bytes)).ok_or(RebuildReason::Damaged)
}
