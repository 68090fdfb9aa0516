//! The rows, in sled; nothing else in this crate knows sled.
//!
//! - **Durability**: none is needed. Whatever is lost is built again from the log. A flush happens on a schedule and
//!   at the end. sled recovers a prefix of the writes, so the position, written last, never stands before its rows.
//! - **Rebuilding**: a store that cannot be opened, has another format or a damaged position, or in which a damaged row
//!   was found, is deleted, and the caller is told. Deleted is only the folder that this module made, inside the one that
//!   it was given. That a row was damaged is noted in a file beside the rows, for sled may take no more writes then.
//! - **Panics**: sled answers some damage with one. None leaves this module; it is damage.
//! - **Writes** are plain inserts, each key once a batch (DESIGN section 7 has the measurements).
//! - **Concurrency**: one writer; any number of readers, who must leave out rows at or above the position.

use std::fs::{self, File, TryLockError};
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
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

/// One set of rows. While the views are folded anew there are two, in trees of one database.
#[derive(Clone)]
pub(crate) struct Store {
    inner: Arc<Inner>,
    tree: sled::Tree,
}

/// The set of rows from which questions are answered.
#[derive(Clone)]
pub(crate) struct Current(Arc<RwLock<Store>>);

/// Fields are dropped in order: the lock must outlive the database.
struct Inner {
    db: sled::Db,
    /// Where it is noted that the rows are damaged: beside the database, which may take no more writes.
    condemned: PathBuf,
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
const CONDEMNED: &str = "rows.damaged";
const FORMAT: &[u8] = b"\0format";
const POSITION: &[u8] = b"\0position";
/// In the database's own tree: the name of the one that questions are answered from. The first, if it is not there.
const SHOWN: &[u8] = b"\0shown";
const TREES: [&[u8]; 2] = [b"rows-1", b"rows-2"];

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
        let condemned = folder.join(CONDEMNED);
        let store = |db, tree| {
            let inner = Arc::new(Inner { db, condemned: condemned.clone(), _lock: lock });
            Self { inner, tree }
        };
        let reason = if rows.exists() {
            wait_for_release(&rows)?;
            let reason = match examined(&config, &condemned, format) {
                Ok((head, db, tree)) => return Ok((store(db, tree), head, None)),
                Err(reason) => reason,
            };
            wait_for_release(&rows)?;
            fs::remove_dir_all(&rows).map_err(StoreError::Folder)?;
            Some(reason)
        } else {
            None
        };
        if condemned.exists() {
            fs::remove_file(&condemned).map_err(StoreError::Folder)?;
        }
        let db = open_database(&config).map_err(StoreError::Rows)?;
        let tree = db.open_tree(TREES[0]).map_err(StoreError::Rows)?;
        tree.insert(FORMAT, format).map_err(StoreError::Rows)?;
        tree.insert(POSITION, Head::empty().encode()).map_err(StoreError::Rows)?;
        Ok((store(db, tree), Head::empty(), reason))
    }

    /// An empty set of rows beside this one, from which nothing is answered yet.
    pub(crate) fn anew(&self, head: &Head) -> Result<Self, StoreError> {
        let other = if *self.tree.name() == *TREES[0] { TREES[1] } else { TREES[0] };
        let db = &self.inner.db;
        let tree = guarded(&self.inner, || {
            db.drop_tree(other)?;
            let tree = db.open_tree(other)?;
            if let Some(format) = self.tree.get(FORMAT)? {
                tree.insert(FORMAT, format)?;
            }
            tree.insert(POSITION, head.encode())?;
            Ok(tree)
        })?;
        Ok(Self { inner: Arc::clone(&self.inner), tree })
    }

    /// From the next opening on these are the rows.
    pub(crate) fn show(&self) -> Result<(), StoreError> {
        guarded(&self.inner, || {
            // Its rows first, so that no opening finds it without them.
            self.inner.db.flush()?;
            self.inner.db.insert(SHOWN, self.tree.name())?;
            self.inner.db.flush().map(drop)
        })
    }

    /// Removes these rows for good.
    pub(crate) fn give_up(self) -> Result<(), StoreError> {
        guarded(&self.inner, || {
            self.inner.db.drop_tree(self.tree.name())?;
            self.inner.db.flush().map(drop)
        })
    }

    /// Another head, while there are no rows.
    pub(crate) fn begin(&self, head: &Head) -> Result<(), StoreError> {
        self.guarded(|tree| tree.insert(POSITION, head.encode()).map(drop))
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
        self.guarded(|db| {
            for (key, value) in rows {
                db.insert(key, value)?;
            }
            db.insert(POSITION, head.encode()).map(drop)
        })
    }

    /// Where the views stand.
    pub(crate) fn head(&self) -> Result<Head, StoreError> {
        let row = self.guarded(|db| db.get(POSITION))?;
        row.and_then(|bytes| Head::decode(&bytes)).ok_or(StoreError::Damaged { table: "position" })
    }

    /// Rows from the key `from` to the key `to`, both included, from either side.
    pub(crate) fn range(
        &self,
        from: Vec<u8>,
        to: Vec<u8>,
        backwards: bool,
    ) -> impl Iterator<Item = Result<Row, StoreError>> + use<'_> {
        // sled panics at a range whose ends are in the wrong order.
        let mut rows = (from <= to).then(|| self.tree.range(from..=to));
        std::iter::from_fn(move || {
            let rows = rows.as_mut()?;
            let mut next = || if backwards { rows.next_back() } else { rows.next() };
            self.guarded(|_| next().transpose()).transpose().map(|row| row.map(owned))
        })
    }

    /// The first key from this one on.
    pub(crate) fn first_from(&self, from: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.guarded(|db| db.range(from..).next().transpose())?;
        Ok(row.map(|(key, _)| key.to_vec()))
    }

    /// Removes rows that say nothing any more.
    pub(crate) fn remove(&self, keys: impl IntoIterator<Item = Vec<u8>>) -> Result<(), StoreError> {
        self.guarded(|db| keys.into_iter().try_for_each(|key| db.remove(key).map(drop)))
    }

    /// Makes the next opening rebuild, after a damaged row was found.
    pub(crate) fn condemn(&self) -> Result<(), StoreError> {
        File::create(&self.inner.condemned).map(drop).map_err(StoreError::Folder)
    }

    /// Asks sled something about these rows.
    fn guarded<T>(&self, ask: impl FnOnce(&sled::Tree) -> sled::Result<T>) -> Result<T, StoreError> {
        guarded(&self.inner, || ask(&self.tree))
    }

    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        self.guarded(|_| self.inner.db.flush().map(drop))
    }

    /// All rows, each with its lengths before it: the same for the same log.
    pub(crate) fn dump(&self) -> Result<Vec<u8>, StoreError> {
        let mut dump = Vec::new();
        for row in self.range(Vec::new(), vec![0xff; 64], false) {
            let (key, value) = row?;
            for part in [key, value] {
                dump.extend_from_slice(&(part.len() as u64).to_be_bytes());
                dump.extend_from_slice(&part);
            }
        }
        Ok(dump)
    }
}

/// Asks sled something. It answers some damage with a panic instead of an error; none escapes.
fn guarded<T>(inner: &Inner, ask: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
    let damaged = StoreError::Damaged { table: "rows" };
    match panic::catch_unwind(AssertUnwindSafe(ask)) {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(sled::Error::Corruption { .. } | sled::Error::ReportableBug(_))) | Err(_) => {
            File::create(&inner.condemned).map_err(StoreError::Folder)?;
            Err(damaged)
        }
        Ok(Err(source)) => Err(StoreError::Rows(source)),
    }
}

impl Current {
    pub(crate) fn new(store: Store) -> Self {
        Self(Arc::new(RwLock::new(store)))
    }

    /// The rows to answer a whole question from, whatever is shown meanwhile.
    pub(crate) fn store(&self) -> Store {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers from other rows from now on, and returns those from before.
    pub(crate) fn replace(&self, store: Store) -> Store {
        std::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), store)
    }
}

impl Rows for Store {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.guarded(|db| db.get(key))?.map(|value| value.to_vec()))
    }

    fn starting_with(&self, prefix: &[u8]) -> Result<Vec<Row>, StoreError> {
        self.guarded(|db| db.scan_prefix(prefix).map(|row| row.map(owned)).collect())
    }
}

fn owned((key, value): (sled::IVec, sled::IVec)) -> Row {
    (key.to_vec(), value.to_vec())
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

/// The database, if what it holds can be gone on with.
fn examined(
    config: &sled::Config,
    condemned: &Path,
    format: &[u8],
) -> Result<(Head, sled::Db, sled::Tree), RebuildReason> {
    if condemned.exists() {
        return Err(RebuildReason::Damaged);
    }
    let db = open_database(config).map_err(|_| RebuildReason::OpenFailed)?;
    let examined = panic::catch_unwind(AssertUnwindSafe(|| examine(&db, format)));
    let (head, tree) = examined.unwrap_or(Err(RebuildReason::Damaged))?;
    Ok((head, db, tree))
}

fn examine(db: &sled::Db, format: &[u8]) -> Result<(Head, sled::Tree), RebuildReason> {
    let damaged = |_| RebuildReason::Damaged;
    let shown = match db.get(SHOWN).map_err(damaged)? {
        None => TREES[0],
        Some(shown) => TREES.into_iter().find(|name| shown == *name).ok_or(RebuildReason::Damaged)?,
    };
    // Views that were being folded anew when the process ended.
    for other in TREES.into_iter().filter(|name| *name != shown) {
        db.drop_tree(other).map_err(damaged)?;
    }
    let tree = db.open_tree(shown).map_err(damaged)?;
    if tree.get(FORMAT).map_err(damaged)?.as_deref() != Some(format) {
        return Err(RebuildReason::OtherFormat);
    }
    let position = tree.get(POSITION).map_err(damaged)?;
    let head = position.and_then(|bytes| Head::decode(&bytes)).ok_or(RebuildReason::Damaged)?;
    Ok((head, tree))
}
